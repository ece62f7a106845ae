/* What `nft list ruleset` and `nft -j list ruleset` say of a namespace whose rules came by messages, and of one into which nft has read the printed text: they must be the same.
 * Everything happens in a child with namespaces of its own. */
#ifndef PODWIRE_TEST_NF_LISTING_H
#define PODWIRE_TEST_NF_LISTING_H

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/linux/nf_tables.h"
#include "sim/linux/nft_run.h"
#include "sim/linux/rules.h"
#include "tests/unit/test.h"

/* ---- a child, as rules belong to a namespace of the calling thread */

enum { SAME, DIFFERENT, CANNOT_HERE };

static bool new_namespace(void) { return unshare(CLONE_NEWNET) == 0; }
static int own_namespace(void) { return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC); }

static void in_child(int (*run)(void *), void *ctx)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct err err = { 0 };

		if ((geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) || !new_namespace() || !nft_run("add table ip probe", 0, NULL, "here", &err))
			_exit(CANNOT_HERE);
		status = new_namespace() ? run(ctx) : CANNOT_HERE;
		fflush(NULL);
		_exit(status);
	}
	CU_ASSERT_FATAL(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_HERE)
		test_skip("no nftables, or no iptables, in a network namespace of its own");
	else
		CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == SAME);
}

/* ---- listings */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static const char *word_of(const cJSON *o, const char *name)
{
	const cJSON *s = cJSON_GetObjectItem(o, name);

	return cJSON_IsString(s) ? s->valuestring : "";
}

/* The objects of nft's JSON without handles, rules with their place in the chain, in order of their texts. */
static void in_order(struct sb *json)
{
	cJSON *root = cJSON_Parse(sb_text(json)), *all = cJSON_GetObjectItem(root, "nftables"), *item, *o;
	uint32_t alloc = (uint32_t)cJSON_GetArraySize(all), nr = 0, place = 0;
	char **v = calloc(alloc + 1, sizeof(*v)), before[256] = "", chain[256];
	char *text;

	sb_reset(json);
	for (item = all ? all->child : NULL; v && item; item = item->next) {
		o = item->child;
		cJSON_DeleteItemFromObject(o, "handle");
		snprintf(chain, sizeof(chain), "%s %s %s", word_of(o, "family"), word_of(o, "table"), word_of(o, "chain"));
		place = strcmp(chain, before) == 0 ? place + 1 : 0;
		memcpy(before, chain, sizeof(before));
		if (strcmp(o->string, "metainfo") == 0)
			continue;
		if (strcmp(o->string, "rule") == 0)
			cJSON_AddNumberToObject(o, "place", place);
		v[nr++] = cJSON_PrintUnformatted(item);
	}
	if (v)
		qsort(v, nr, sizeof(*v), by_text);
	for (uint32_t k = 0; k < nr; k++) {
		text = v[k];
		sb_printf(json, "%s\n", text);
		free(text);
	}
	free(v);
	cJSON_Delete(root);
}

static bool listed(struct sb *text, struct sb *json, struct err *err)
{
	sb_reset(text);
	sb_reset(json);
	if (!nft_run("list ruleset", NFT_CTX_OUTPUT_STATELESS, text, "here", err) || !nft_run("list ruleset", NFT_CTX_OUTPUT_JSON, json, "here", err))
		return false;
	rules_order(text);
	in_order(json);
	return true;
}

static bool as_nft_makes_it(const struct ruleset *rs, struct err *err)
{
	struct sb text = { 0 }, json = { 0 }, want = { 0 }, want_json = { 0 };
	char *printed = rules_text(rs);
	int here = own_namespace();
	bool ok = listed(&text, &json, err) && new_namespace() && nft_run(printed, 0, NULL, "nft", err) && listed(&want, &want_json, err);

	ok = ok && test_same_text(__FILE__, __LINE__, sb_text(&text), sb_text(&want)) && test_same_text(__FILE__, __LINE__, sb_text(&json), sb_text(&want_json));
	if (setns(here, CLONE_NEWNET) != 0)
		ok = false;
	close(here);
	free(printed);
	sb_free(&text);
	sb_free(&json);
	sb_free(&want);
	sb_free(&want_json);
	return ok;
}

#endif
