/* The objects of one cluster in memory: one pool per kind, indexes, revisions, events. It holds what exists and tells who
 * listens what changed; it decides nothing. Objects never move: a pointer is good until cluster_free, a handle likewise
 * (a deleted object stays, marked gone). One writer at a time. */
#ifndef PODWIRE_CLUSTER_H
#define PODWIRE_CLUSTER_H

#include "model/api/config.h"
#include "model/api/core.h"
#include "model/api/net.h"
#include "model/api/workload.h"
#include "model/base/map.h"
#include "model/cluster/settings.h"

struct object_list { struct object **v; uint32_t nr; };         /* in the order (namespace, name); valid until the next change of that kind */

struct event {                                  /* as kubectl prints them */
	nsec at;
	bool warning;
	obj_h object;
	str reason, message, component;         /* component: kubelet, default-scheduler, … */
};

enum change_kind { CHANGE_ADD, CHANGE_UPDATE, CHANGE_DELETE };
/* What of a Pod has changed. Most changes are of Pods, each goes through several of them before it runs, and few who listen care for all. */
enum pod_change {
	POD_ADDED = 1, POD_GONE = 2,
	POD_BOUND = 4,                          /* to a node */
	POD_ADDRESS = 8,
	POD_READY = 16,                         /* whether it is ready, or whether it has ended */
	POD_STATUS = 32,                        /* of its containers; conditions */
	POD_OTHER = 64,                         /* anything: who changed it says no more */
	POD_ANY = 127,
};
struct change { enum change_kind kind; struct object *object; rev_t rev; uint8_t pod; };       /* pod: enum pod_change, several; 0: it is none */
/* Called after each change; watchers are called in the order in which they came. They must not change the cluster then (mark a key dirty instead). */
typedef void (*cluster_watch)(void *ctx, const struct change *);

struct cluster;
struct cluster *cluster_new(struct mem *, uint64_t seed);       /* empty, at time 0; mem may be NULL */
void cluster_free(struct cluster *);
struct arena *cluster_arena(struct cluster *);
struct arena *cluster_side_arena(struct cluster *, const char *name);  /* one of its own that ends with the cluster, and may be rewound before */
struct strtab *cluster_strings(const struct cluster *);
str cluster_str(struct cluster *, const char *);                /* intern */
uint64_t cluster_seed(const struct cluster *);
rev_t cluster_rev(const struct cluster *);
nsec cluster_now(const struct cluster *);
void cluster_set_now(struct cluster *, nsec);
bool cluster_add_watch(struct cluster *, cluster_watch, void *ctx);    /* false: too many (8) */
void cluster_drop_watch(struct cluster *, cluster_watch, void *ctx);

/* Admission: what the API server does to an object between validation and storage (allocation of ClusterIPs and node ports, default class, taints).
 * Called by apply.c with the decoded object before it is added, or with what it was before (old); false: refused, check->err says why. One per cluster. */
typedef bool (*cluster_admit)(void *ctx, struct cluster *, struct object *, const struct object *old, struct check *);
void cluster_set_admit(struct cluster *, cluster_admit, void *ctx);
bool cluster_admitted(struct cluster *, struct object *, const struct object *old, struct check *);

/* Settings follow from the objects (settings.h); they are worked out again after a change of a kind that bears on them. */
const struct settings *cluster_settings(struct cluster *);
struct corefile;
/* Where model/dns keeps the Corefile that it has read: NULL when it is to be read (again). */
const struct corefile **cluster_corefile(struct cluster *);
bool bears_on_settings(const struct kind *);                    /* is it one of these kinds? */
struct settings_flags *cluster_flags(struct cluster *);         /* what the command line adds: --cni, --kernel, --cloud-lb, --controller …; set before the first use */

/* Looking. Namespace NULL for cluster-scoped kinds. Texts need not be interned. */
struct object *obj_get(const struct cluster *, obj_h);          /* NULL for 0 */
struct object *cluster_find(const struct cluster *, const struct kind *, const char *ns, const char *name);
struct object *cluster_at(const struct cluster *, const struct kind *, str ns, str name);      /* the same with interned texts */
struct object_list cluster_list(const struct cluster *, const struct kind *);           /* living ones, all namespaces */
struct object_list cluster_list_ns(const struct cluster *, const struct kind *, const char *ns);
uint32_t cluster_count(const struct cluster *, const struct kind *);
const struct kind *cluster_pool_kind(const struct cluster *, uint32_t i);        /* the kinds that have objects, in order of first appearance; NULL behind the last */
struct namespace_ *find_namespace(const struct cluster *, const char *name);
struct node *find_node(const struct cluster *, const char *name);
bool node_has_ip(const struct node *, ip_addr);                 /* one of its status.addresses, of whatever type; false for no node */
ip_addr node_internal_ip(const struct node *, bool v6);         /* the first InternalIP of that family; unset if none */
struct pod *find_pod(const struct cluster *, const char *ns, const char *name);
struct service *find_service(const struct cluster *, const char *ns, const char *name);
struct pod *find_pod_by_ip(const struct cluster *, ip_addr);    /* not hostNetwork, not terminal; NULL if none */
struct service *find_service_by_ip(const struct cluster *, ip_addr);    /* whose ClusterIP it is; NULL if none */
bool cluster_has_pod_ips(const struct cluster *);               /* has any Pod ever had an address of its own? */
/* The slices of a Service, in name order; by label kubernetes.io/service-name. Like pods_of: good until the next call of either. */
struct object_list service_slices(const struct cluster *, const struct service *);
/* Pods by owner (uid), in name order. */
struct object_list pods_of(const struct cluster *, str owner_uid);
struct object_list pods_made_by(const struct cluster *, str owner_uid);         /* the same in the order in which they were made or taken, which costs less */
/* Pods of a namespace whose labels hold all pairs / match the selector; in name order; the list lives in `scratch`. Picked: in any order, which costs less. */
struct object_list pods_picked(const struct cluster *, const char *ns, const pair_list *, struct arena *scratch);
void objects_sort(struct object_list *);                        /* by (namespace, name) */
struct object_list pods_selected(const struct cluster *, const char *ns, const pair_list *, struct arena *scratch);
struct object_list pods_matching(const struct cluster *, const char *ns, const struct selector *, struct arena *scratch);
str owner_uid(const struct object *);                           /* of the controlling owner; NULL if none */

/* Changing: low level, no validation (apply.h has that). The object must come from object_new. Each bumps the revision and tells the watchers. */
struct object *object_new(struct cluster *, const struct kind *, const char *ns, const char *name);     /* zeroed struct, not yet in the cluster; created = now, deleted = NEVER */
struct object *object_make(struct cluster *, const struct kind *, str ns, str name);   /* the same for texts that are interned; ns as the kind wants it */
void cluster_add(struct cluster *, struct object *);            /* asserts that none of that name lives; gives id, uid (if NULL), rev */
void cluster_touch(struct cluster *, struct object *);          /* after a change in place of anything but labels, owner, podIP */
void cluster_touch_pod(struct cluster *, struct pod *, unsigned what);  /* the same by who knows what it changed: enum pod_change */
void cluster_relabel(struct cluster *, struct object *, pair_list labels);
void cluster_set_pod_ip(struct cluster *, struct pod *, ip_addr ip, ip_addr ip2, unsigned what);       /* what: changed with it; 0: nothing else */
void cluster_remove(struct cluster *, struct object *);         /* for good: the handle stays, the name is free */

void cluster_event(struct cluster *, const struct object *, bool warning, const char *component, const char *reason, const char *fmt, ...) PRINTF(6, 7);
/* The same for what is told of every Pod: a form that lives for ever, with %s for the text a (several of them: the same) and %o for the object's NAMESPACE/NAME; the words are put
 * together when they are read. */
struct event_form { bool warning; const char *component, *reason, *format; };
void cluster_event_form(struct cluster *, const struct object *, const struct event_form *, str a);
const struct event *cluster_events(const struct cluster *, uint32_t *nr);       /* all, in order of time */
/* The same as they are kept, for who copies them elsewhere: nothing is put into words. */
struct event_note { nsec at; const struct event_form *form; str a; obj_h object; };
uint32_t cluster_event_count(const struct cluster *);
struct event_note cluster_event_note(const struct cluster *, uint32_t k);
struct event cluster_event_told(struct cluster *, uint32_t k);         /* one of them alone, in words */

/* From a lab file, as it was: nothing is drawn, nobody is told. In the order of handles; o->id, uid, rev, life and gone are set. */
void cluster_restore(struct cluster *, struct object *);
void cluster_restore_event(struct cluster *, const struct event *);
void cluster_restore_note(struct cluster *, struct event_note);         /* its form lives as long as the cluster */
void cluster_restore_rev(struct cluster *, rev_t);
/* The uid that follows from the seed, the name, and how often that name was used before. That of a Pod with an owner is not interned (str_alone): there are many. */
str cluster_uid_of(struct cluster *, const struct object *);
str cluster_uid_alone(struct cluster *, const struct object *);         /* of such a Pod, whose owner is not known yet */
#define UID_LENGTH 36
void cluster_uid_print(const struct cluster *, const struct object *, char out[UID_LENGTH + 1]);       /* the same */
uint32_t cluster_handles(const struct cluster *);               /* handles run from 1 to here; those of objects that are gone count too */

/* A draw that depends on nothing but (seed, purpose, uid, n): one object more changes no other draw. */
uint64_t draw(const struct cluster *, const char *purpose, const char *uid, uint64_t n);
uint32_t draw_below(const struct cluster *, const char *purpose, const char *uid, uint64_t n, uint32_t bound);

/* n characters of Kubernetes' own alphabet for random names, by keyed draw (apimachinery pkg/util/rand). */
void random_suffix(const struct cluster *, const char *purpose, const char *uid, uint64_t n, char *out, uint32_t len);
extern const char random_alphabet[28];                          /* ends with NUL */
/* A name that no living object of the kind has: base (cut to 58) and five characters, as apiserver/storage/names/generate.go makes it. */
str generate_name(struct cluster *, const struct kind *, str ns, const char *base, const char *uid, uint64_t n);

#endif
