/* The API server's part: what happens to a document between `apply` and the cluster. Decode by the kind's table, default, validate,
 * allocate ClusterIPs and node ports, keep the document; on update: immutability, three-way merge by the last-applied document. */
#ifndef PODWIRE_APPLY_H
#define PODWIRE_APPLY_H

#include "model/cluster/cluster.h"

enum apply_result { APPLY_ERROR, APPLY_CREATED, APPLY_CONFIGURED, APPLY_UNCHANGED };
extern const char *const apply_result_names[];          /* "", created, configured, unchanged */

struct apply_options {
	enum validate unknown;                          /* unknown and repeated fields */
	bool validate;                                  /* run the kinds' checks; false for import */
	bool respect_status;                            /* take status and assigned fields as they are (import, -f questions: always true for objects that carry them) */
	const char *dflt_ns;                            /* for namespaced objects without one; NULL: default */
	bool create;                                    /* as kubectl create: what is there already is refused, and what is made was never applied */
	bool create_namespaces;                         /* a namespace that objects name but nobody made: make it (questions, scenarios) */
};

/* Applies one document. Messages go to err; on APPLY_ERROR the cluster is unchanged by this document. `out` (may be NULL) → the object. */
enum apply_result apply_doc(struct cluster *, const struct doc *, const struct apply_options *, struct object **out, struct err *);
/* A Service that was refused may do if a document behind it brings the ranges of its addresses. apply_later keeps a copy of it, if it is one; what err has said of it since
 * mark stays. Behind the last document apply_due leaves in `later` those since which the ranges have changed, to be applied again, and takes back what err says of them. */
struct doc_later { struct doc doc; uint32_t from, to; struct cidr *ranges; uint32_t nr_ranges; };       /* err's messages; the ranges as they were */
struct docs_later { VEC(struct doc_later) docs; };
void apply_later(struct docs_later *, struct cluster *, struct arena *, const struct doc *, uint32_t mark, const struct err *);
void apply_due(struct docs_later *, struct cluster *, struct err *);
/* Replaces the object's document by `to` (already merged), as `patch`, `scale`, `label` do; validated like apply. */
enum apply_result apply_replace(struct cluster *, struct object *, const struct val *to, const struct apply_options *, struct err *);
/* The document as it is now: with the labels and annotations that controllers have added. NULL: it has none. */
struct val *object_live(const struct object *, struct arena *);
/* Marks deleted: finalizers and grace follow from the controllers; dependents go as well (the garbage collector's work). */
void apply_delete(struct cluster *, struct object *);
/* How `delete` may be told to do it. grace: seconds, -1: the Pod's own. force: it is gone at once, whatever still runs. */
enum cascade { CASCADE_BACKGROUND, CASCADE_FOREGROUND, CASCADE_ORPHAN };
void apply_delete_as(struct cluster *, struct object *, int64_t grace, bool force, enum cascade);
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
/* Its value for a document, as kubectl writes it. */
void last_applied_print(const struct val *doc, const char *ns, struct sb *);
/* The object as `get -o yaml` shows it: the stored document, defaults, assigned fields and status. */
struct val *object_render(struct cluster *, const struct object *, struct arena *);
/* The kind of that apiVersion and name; one that podwire does not know is made for this cluster, kept without effect. */
const struct kind *cluster_kind(struct cluster *, const char *api, const char *name);
/* Decodes without a cluster's rules: metadata, spec, status by the kind's table into a new object (not added). NULL: err. */
struct object *object_decode(struct cluster *, const struct kind *, const struct doc *, const struct apply_options *, struct err *);

#endif
