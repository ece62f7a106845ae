/* Who may reach whom by policy: routes and listeners do not count. Works on classes of Pods that no policy tells apart, with rows made on demand; follows the
 * cluster through every change of a Pod, its labels, a namespace or a policy, and never keeps anything of the size Pods². What the compiled policies
 * (model/policy) say is all that it knows of them; chains are printed from the same. Semantics with their sources: docs/policy.md.
 *
 * Nothing here changes the cluster. A struct reach must be freed before its cluster is. Not thread-safe. */
#ifndef PODWIRE_REACH_H
#define PODWIRE_REACH_H

#include "model/policy/policy.h"

/* What a Pod's own node may do whatever policies say. Kubernetes' words go both ways ("traffic to and from the node where a Pod is running is always allowed");
 * Calico lets the node in and judges the way out (felix rules/endpoints.go). */
enum reach_nodes { REACH_NODE_IN, REACH_NODE_BOTH, REACH_NODE_NONE };

/* An end of a question: a Pod that has an address and is not over, or an address outside the cluster. */
struct reach_end { const struct pod *pod; ip_addr ip; };

struct reach;
struct reach *reach_new(struct cluster *, const ip_addr *external, uint32_t nr_external);
void reach_free(struct reach *);
void reach_set_nodes(struct reach *, enum reach_nodes);         /* default REACH_NODE_IN */

void reach_without_policies(struct reach *);                    /* as if nobody enforced them */

/* Ends: Pods in the order (namespace, name), then the addresses. Numbers are good until the cluster changes. */
uint32_t reach_nr(struct reach *);
uint32_t reach_nr_external(const struct reach *);               /* of them, the last ones */
const struct reach_end *reach_end(struct reach *, uint32_t i);
const char *reach_name(struct reach *, uint32_t i, struct arena *);     /* NS/POD, or the address */
int64_t reach_find(struct reach *, const char *name);           /* NS/POD or address; −1: no such end */

const pair_list *reach_space_labels(struct reach *, const char *ns);     /* of a namespace; none if it has no object */

/* The sources that may open a connection to `to`: a bit for each end, good until the next call. */
const uint64_t *reach_row(struct reach *, uint32_t to, uint8_t proto, uint16_t port);
bool reach_allowed(struct reach *, uint32_t from, uint32_t to, uint8_t proto, uint16_t port);
/* What depends on something that podwire does not model (a match of HTTP, of Services, of the source's port) counts as not allowed; whether that is so. */
bool reach_unknown(struct reach *, uint32_t from, uint32_t to, uint8_t proto, uint16_t port);
bool reach_may_be_unknown(struct reach *);                       /* false: no answer is */
const uint64_t *reach_row_unknown(struct reach *);               /* of the row that was asked last; NULL: none is */

/* Of all pairs of Pods, itself among them: after a change only what it touches is counted again. */
struct reach_sum { uint32_t pods, shapes, classes, sets, policies; uint64_t pairs, allowed; };
struct reach_sum reach_sum(struct reach *, uint8_t proto, uint16_t port);
uint64_t reach_count(struct reach *, uint8_t proto, uint16_t port);     /* allowed pairs alone, without what only nodes may do */

/* Pods in groups (namespaces, workloads, or classes that no policy tells apart), and how many pairs of each two are allowed. cells[from × nr + to]. */
enum reach_by { REACH_BY_NAMESPACE, REACH_BY_WORKLOAD, REACH_BY_CLASS };
struct reach_group { const char *name; uint32_t pods; const struct pod *first; };
struct reach_table { struct reach_group *groups; uint32_t nr; uint64_t *cells; };
struct reach_table reach_groups(struct reach *, enum reach_by, uint8_t proto, uint16_t port, struct arena *);   /* cells NULL: more than 4,000 groups */

uint32_t *reach_group_of(struct reach *, enum reach_by, struct arena *);        /* of each end, in the numbers of reach_groups; addresses outside have 0 */

/* Where the answer for a port can change: the ports of lo…hi that must be asked, each standing for all up to the next. */
uint32_t reach_port_atoms(struct reach *, uint8_t proto, uint16_t lo, uint16_t hi, struct arena *, uint16_t **out);

/* Why: every policy that isolates an end of the connection in that direction, and what each of its rules says. */
struct reach_miss {
	uint32_t rule;                          /* UINT32_MAX: it has none in that direction */
	bool allows;
	const char *path;                       /* of what failed first: spec.ingress[0].from[1].podSelector.matchLabels.app; of the rule if it allows */
	const char *text;                       /* what was wanted, and what is there */
	uint32_t line;                          /* in the policy's file; 0: not known */
};
struct reach_reason {
	const struct object *policy;
	const char *name;                       /* NetworkPolicy shop/db, GlobalNetworkPolicy deny */
	const char *selects;                    /* path of what selects the Pod */
	enum np_dir dir;
	int32_t allows;                         /* index of the first rule that allows it; −1: none does */
	int32_t denies, passes;                 /* likewise, of policies in tiers */
	bool decides;                           /* what its direction says comes from it: its rule, or that it selects the Pod and no rule of its tier matched */
	const char *tier;                       /* NULL: there are only NetworkPolicies */
	uint32_t line;                          /* of what selects the Pod */
	struct reach_miss *v; uint32_t nr;      /* each rule, or each item of from/to that failed */
};
struct reach_why {
	bool allowed, itself, from_node, to_node;
	bool out, in;                           /* what egress of the source and ingress of the destination say, each for itself */
	const char *unknown;                    /* what it depends on and podwire does not model; NULL: it can be told */
	struct reach_reason *v; uint32_t nr;    /* egress first */
};
struct path;
uint32_t reach_line_of(const struct object *, const struct path *);      /* of the deepest value of the path that stands in its document; the object's own where it has none */
/* Without an engine, for a single question: nodes are not considered. */
struct reach_why policy_why(struct cluster *, const struct reach_end *from, const struct reach_end *to, uint8_t proto, uint16_t port, struct arena *);
/* One sentence: who denies and, with their places, the first things that failed; or what lets it pass. */
const char *reach_why_sentence(const struct reach_why *, const char *from, const char *to, struct arena *);
const char *reach_why_names(const struct reach_why *, const char *from, const char *to, struct arena *);        /* of a denial: only who denies it */
struct reach_why reach_explain(struct reach *, uint32_t from, uint32_t to, uint8_t proto, uint16_t port, struct arena *);

#endif
