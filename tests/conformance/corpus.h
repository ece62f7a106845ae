/* Applies every document of a file to an empty cluster and gives what was said of each. */
#ifndef PODWIRE_TEST_CORPUS_H
#define PODWIRE_TEST_CORPUS_H

#include "model/cluster/apply.h"
#include "tests/unit/test.h"

struct verdict { uint32_t taken, refused; };
struct take { struct cluster *c; enum validate unknown; struct verdict v; };

static inline bool take_one(void *ctx, const struct doc *d, struct err *err)
{
	struct take *t = ctx;
	struct apply_options opt = { .unknown = t->unknown, .validate = true, .create_namespaces = true };

	if (apply_doc(t->c, d, &opt, NULL, err) == APPLY_ERROR)
		t->v.refused++;
	else
		t->v.taken++;
	return true;
}

/* err keeps the messages; the caller frees it. */
static inline struct verdict take_file(const char *path, enum validate unknown, struct err *err)
{
	struct take t = { cluster_new(NULL, 1), unknown, { 0, 0 } };

	if (!docs_read_path(path, NULL, take_one, &t, err))
		t.v.refused++;
	cluster_free(t.c);
	return t.v;
}

/* The next field of a line of tab-separated values; *p is behind it. */
static inline char *column(char **p)
{
	char *s = *p;
	size_t n = strcspn(s, "\t\n");

	*p = s + n + (s[n] != '\0');
	s[n] = '\0';
	return s;
}

#endif
