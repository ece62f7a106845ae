/* Inside of the cluster: what its files share. cluster.c changes objects; names.c finds them by kind and name, index.c by label, owner, address. */
#ifndef PODWIRE_CLUSTER_STORE_H
#define PODWIRE_CLUSTER_STORE_H

#include "model/cluster/events.h"

#define MAX_WATCHES 8
#define LABELS_KNOWN 8

struct pool {
	const struct kind *kind;
	struct object **v;              /* sorted up to nr_sorted */
	uint32_t nr, alloc, nr_sorted, nr_gone;
};

struct handles { obj_h *v; uint32_t nr, alloc; bool mixed; };   /* mixed: some came again, or late: there may be repeats */

/* Handles by a hash of names or of anything else, 8 bytes a slot: half of the hash stands beside the handle, and who looks compares what is found. None is ever taken out. */
struct name_slot { uint32_t tag, handle; };
struct name_map { struct name_slot *slot; uint32_t nr, alloc; };

struct proxy_view;
struct cluster {
	struct mem *mem;
	struct arena *arena;
	VEC(struct arena *) side;               /* those of cluster_side_arena */
	struct strtab *strings;
	uint64_t seed;
	rev_t rev;
	nsec now;
	VEC(struct object *) all;               /* [0] unused */
	VEC(struct pool *) pools;
	struct map pool_of;                     /* kind → pool */
	struct name_map by_name;                /* by hash(kind, ns, name) */
	struct map pods_by_label;               /* hash(ns, key, value) → struct handles */
	struct { str ns; const struct pair *labels; struct handles *list[LABELS_KNOWN]; } last_labels;   /* those of the Pod that was indexed last */
	struct map pods_by_owner;               /* uid → struct handles */
	struct { str uid; struct handles *list; } last_owner;           /* that of the Pod that was indexed last */
	struct name_map pod_by_ip;              /* by hash(address); of those that have it now, the last that took it */
	struct map service_by_ip;               /* hash(address) → handle of the last that took it */
	struct map slices_of;                   /* hash(ns, service) → struct handles */
	struct event_log events;
	struct { cluster_watch fn; void *ctx; } watches[MAX_WATCHES];
	uint32_t nr_watches;
	struct { cluster_admit fn; void *ctx; } admit;
	struct { const struct proxy_view *(*view)(void *, const struct node *); uint64_t (*version)(void *); void *ctx; } views;
	struct settings settings;
	bool settings_known;
	const struct corefile *corefile;        /* of cluster_corefile; goes when a setting changes */
	struct settings_flags flags;
	struct object **answer;                 /* of the functions that make a list from an index */
	uint32_t answer_alloc;
};

/* ---- names.c: pools and the index of names */
struct pool *pool_of(const struct cluster *, const struct kind *);              /* NULL: no object of that kind yet */
struct pool *pool_make(struct cluster *, const struct kind *);
/* The candidates one after another, as places that may be written: *at is UINT32_MAX at first. NULL: no more. */
uint32_t *names_next(const struct name_map *, uint32_t tag, uint32_t *at);
void names_add(struct name_map *, struct arena *, struct name_slot);
void index_name(struct cluster *, struct object *);             /* an object takes the place of a gone one of the same name; sets o->life */
int by_name_order(const void *a, const void *b);                /* for qsort of struct object *: (namespace, name) */

/* ---- index.c */
void index_object(struct cluster *, struct object *);           /* by labels, owner, addresses; of a slice: by its Service */
void index_address(struct cluster *, const struct pod *, ip_addr);

#endif
