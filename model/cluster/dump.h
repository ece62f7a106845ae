/* What living clusters are dumped as: kubectl get -o json|yaml, cluster-info dump (one stream with logs between, or a folder), troubleshoot.sh and must-gather bundles,
 * sosreports, Go structs of old kubectl, redacted addresses. Every object is handed on as the API server would say it today; what is no object is passed by and noted.
 * Files are read one object at a time: what stands in memory is the object at hand. */
#ifndef PODWIRE_DUMP_H
#define PODWIRE_DUMP_H

#include "model/api/object.h"
#include "model/base/val.h"

struct dump_report {
	uint32_t files, objects, go_structs, redacted, old_versions, logs;      /* redacted: values that were blacked out */
	uint32_t skipped;                       /* files that hold no objects */
};

/* path: a file, a folder (recursively, whatever its files are called) or "-". take returns false to stop. What cannot be read is a warning in err, with file and line,
 * and the rest is read on. false: nothing could be read at all, or take stopped. */
bool dump_read_path(const char *path, doc_take take, void *ctx, struct dump_report *, struct err *);
bool dump_read_text(const char *file, char *text, size_t n, doc_take take, void *ctx, struct dump_report *, struct err *);      /* text may be written to */

/* Inside (dump_go.c): the object that a Go struct was printed from; NULL: it is none. file: whose name may tell the kind. In the arena. */
struct val *dump_from_go(struct arena *, const struct val *root, const char *list_link, const char *file);
/* The kind that a file's or folder's name speaks of ("…/pods.json", "…_get_-o_json_pods"); NULL: none. */
const struct kind *dump_kind_of_file(const char *file);

#endif
