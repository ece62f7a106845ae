/* Inside of sim/reachability. Pods that no policy can ever tell apart are one *shape*: namespace, labels, named ports, and between which bounds of ipBlocks their
 * addresses lie. A *set* of shapes is what a policy's podSelector or one item of from/to means; equal ones are one, evaluated once. A *use* is a peer set with the
 * ports that it is given in one direction, and the sets of subjects that use it. Who may reach d is then
 *
 *     in(d)  = everything, if no set of d isolates it; else the peers of the uses that d's sets have for ingress
 *     out(d) = who is not isolated for egress, and the subjects of the egress uses whose peers hold d
 *
 * row(d) = in(d) ∩ out(d), a few unions of short bitsets; column(s) is its mirror image. Nothing of the size Pods² or shapes² is ever kept.
 *
 * Where there are policies in tiers (ordered.c) both sides are told in order instead, and the NetworkPolicies are one step of it, with the sets above. */
#ifndef PODWIRE_REACH_INSIDE_H
#define PODWIRE_REACH_INSIDE_H

#include "model/policy/tiers.h"
#include "sim/reachability/bits.h"
#include "sim/reachability/reach.h"

#define NONE UINT32_MAX
#define FEW 8                           /* so many sets of a namespace, or users of a set, are looked through; more are looked up */

/* Which families a Pod has, and which of them comes first: of two dual-stack ends, the destination's order decides. */
enum families { FAM_4, FAM_6, FAM_46, FAM_64, FAM_COUNT };

struct shape {
	uint32_t space;                         /* NONE: a host or an address outside, which only ipBlocks mean */
	uint32_t labels; uint16_t nr_labels;    /* in universe.labels: pairs, in the order of their keys */
	uint8_t families;
	uint32_t ports;                         /* of universe.ports */
	uint32_t atom[2];                       /* of each address */
	uint32_t weight;                        /* Pods */
	uint32_t next;                          /* of its namespace */
	uint64_t bloom;                         /* of its pairs */
	uint64_t sig[2];                        /* of its sets: equal ones make a class */
	numbers sets;
};

struct space { str name; const struct namespace_ *object; numbers pairs; uint32_t first, last, nr_shapes, sets; bool many; uint64_t *shapes; };     /* a namespace; sets: the first that is scoped to it; many: they are in set_ids; shapes: as bits, NULL until they are needed */
struct named_port { str name; uint16_t port; uint8_t proto; };
struct port_set { uint32_t from, nr; };         /* in universe.named */
struct atom { ip_addr at; uint32_t places, inside; };    /* an address of it; in how many places it is, and (while one is cut) how many of them lie in the block */
struct bound { ip_addr at; uint32_t atom; };    /* from here to the next bound; one atom may be in several places, which no block tells apart */

/* One requirement of a selector: words in `words`: key, operator, number of pairs, pairs. Canonical: equal selectors have equal words. */
struct selector_id { uint32_t from, nr_words, nr; uint64_t bloom; };
enum scope { SCOPE_ALL, SCOPE_SPACE, SCOPE_SPACES, SCOPE_BLOCK };
struct block_id { struct cidr cidr; struct cidr *except; uint32_t nr_except; };
struct spaces_id { uint32_t selector; numbers list; HEAP(uint64_t) in; uint64_t *shapes; uint32_t sets; bool many; };       /* a namespaceSelector: the namespaces; shapes: NULL until it is needed */
struct spec { const struct np_ports *v; uint32_t nr; bool named; uint8_t asked; /* enum asked, for the question at hand */ uint64_t *mask; /* NAMED: the destinations that it is open on */ };
enum asked { ASKED_NO, ASKED_YES, ASKED_NAMED };

struct shape_set {
	uint8_t scope;
	uint8_t families;                       /* 0: all; else 1 + the only ones that it holds (subjects where blocks and dual stack meet) */
	uint8_t seen;                           /* SCOPE_BLOCK with dual stack: 1 + 4 × (is the destination) + the families of the other end; 0: every Pod has one address */
	uint32_t where, selector;               /* space, spaces or block; selector */
	uint32_t refs;                          /* of policies; 0: free */
	uint32_t isolates[2];                   /* number of policies that isolate it, by direction */
	uint32_t next;                          /* of the same namespace, namespaceSelector, or all blocks */
	bool many[2];                           /* users are in use_ids */
	struct bits b;
	few uses[2];                            /* that it has as a subject */
	few users[2];                           /* uses of which it is the peer */
};
enum { ROLE_USES = 1 /* << direction */, ROLE_USERS = 4 /* << direction */, ROLE_ISOLATES = 16 /* << direction */ };
struct use {
	uint32_t peer, spec;
	uint8_t dir;
	few subjects;
	struct bits u;                          /* their union, where there are several */
};

/* What a policy holds on to; words: see rules.c. */
struct held { obj_h policy; numbers words; };
struct slot { obj_h pod; uint32_t shape; uint64_t ip; };         /* a Pod that is there; of its address, a hash */

struct reach {
	struct cluster *c;
	struct arena *a, *scratch_arena;        /* a: of this build: maps, blocks, ports */
	struct region region;                   /* of this build: what is large, and what is not freed singly */
	uint64_t *seen;                         /* a word for 64 shapes, all zero between uses */
	enum reach_nodes nodes;
	bool watched, stale, dual, two, building, idle; /* two: a Pod with two addresses was met; idle: policies do not count */
	rev_t rev;
	numbers dirty;                          /* objects that changed since */

	HEAP(struct pair) pairs; numbers key_of; struct lookup pair_ids; struct map key_ids; uint32_t last_pair;
	HEAP(struct space) spaces; struct lookup space_ids; uint32_t last_space;
	HEAP(struct named_port) named; HEAP(struct port_set) ports; struct map ports_of_spec; struct lookup port_ids; const struct pod_spec *last_spec; uint32_t last_ports;
	HEAP(struct bound) bounds[2]; HEAP(struct atom) atoms;  /* IPv4, IPv6 */
	numbers labels;
	HEAP(struct shape) shapes; struct lookup shape_ids;
	uint32_t built, words, capacity;        /* shapes when it was built; words of a bitset; shapes that fit */
	HEAP(struct slot) slots; numbers slot_of;       /* by handle: 1 + slot */
	numbers free_slots;
	numbers by_pair, pair_from, by_atom, atom_from; /* shapes < built, by pair and by atom of the first address */
	uint64_t *live, **pair_bits, **key_bits; uint32_t nr_pair_bits, nr_key_bits;
	uint64_t *planes[24]; uint32_t nr_planes;       /* bit k of the weights of all shapes */

	numbers words_of; HEAP(struct selector_id) selectors; struct lookup selector_ids; numbers selector_of;      /* of one pair alone: 1 + selector */
	HEAP(struct spaces_id) spaces_ids; struct map spaces_of;
	HEAP(struct block_id) blocks; struct lookup block_ids; uint32_t block_sets;
	HEAP(struct spec) specs; struct lookup spec_ids;
	HEAP(struct shape_set) sets; struct lookup set_ids; numbers free_sets;
	HEAP(struct use) used; struct lookup use_ids; numbers free_uses; struct map again;       /* again: subject and use → policies beyond the first */
	HEAP(uint8_t) roles;                    /* by set: what of it a line must look at; see ROLE_… */
	HEAP(struct held) held; numbers held_of;        /* by handle: 1 + held */
	numbers words_now, words_sel, words_at; /* scratch */
	uint32_t nr_members;                    /* of all sets, when it was built */
	uint64_t *open[2];                      /* not isolated */

	uint8_t proto; uint16_t port; bool asked;       /* the question at hand, and what all its rows share: */
	uint64_t *base[2]; uint64_t base_weight[2]; bool base_good[2];     /* [EGRESS]: sources that may go anywhere; [INGRESS]: destinations open to all */
	struct acc in, out;
	struct many *many;                      /* NULL: single lines */
	struct ordered *ordered;                /* NULL: there are only NetworkPolicies */
	numbers scratch;
	uint32_t nr_classes;
	bool counted; uint64_t count;           /* allowed pairs of Pods, kept through changes */

	struct reach_end *ends; uint32_t nr, nr_pods; bool ends_good; uint32_t *end_shape;
	ip_addr *external; uint32_t nr_external; uint32_t *external_shape;
	uint64_t *row, *line;                   /* over ends; over shapes */
	uint64_t *row_maybe;                    /* with tiers: the ends of the last row of which it cannot be told */
	numbers hosts;                          /* ends that may be a Pod's node: hostNetwork Pods, addresses outside */
};

/* universe.c: shapes */
uint32_t reach_pair(struct reach *, str key, str value);
uint32_t reach_key(struct reach *, str key);
uint32_t reach_space(struct reach *, str name);
uint32_t reach_known_space(const struct reach *, str name);     /* NONE: it has none of that name */
/* What a Pod's shape is to be. In two steps, for many Pods: where it is looked up is called for in the first and read in the second. */
struct shape_like { uint32_t space, ports, atom[2]; uint8_t families; const pair_list *labels; str account; /* with tiers */ uint64_t hash; };
struct shape_like reach_like(struct reach *, const struct pod *, const ip_addr ip[2]);  /* pod NULL: outside */
uint32_t reach_shape_like(struct reach *, const struct shape_like *);                   /* found, or made */
uint32_t reach_shape_of(struct reach *, const struct pod *, const ip_addr ip[2]);       /* both */
void reach_weigh(struct reach *, uint32_t shape, int32_t change);
void reach_bound(struct reach *, struct cidr);           /* cuts the atoms at the bounds of a block, and moves the Pods whose atom that changes */
uint32_t reach_bounds_in(const struct reach *, struct cidr, const struct bound **first);        /* the bounds that lie in it: all of them cut already */
void reach_index(struct reach *);                       /* by pair and atom, after all shapes are there */
void reach_all_spaces(struct reach *);                   /* when it is built */
void reach_relabel(struct reach *, uint32_t space);
bool pod_is_there(const struct pod *);
bool port_is_named(const struct reach *, uint32_t ports, str name, uint8_t proto, uint16_t port);

/* select.c: selectors, namespaceSelectors, ipBlocks */
uint32_t reach_selector(struct reach *, const struct selector *);       /* NULL: everything */
bool reach_matches_shape(const struct reach *, uint32_t selector, const struct shape *);
uint32_t reach_spaces(struct reach *, const struct selector *);
void reach_find_spaces(struct reach *);                 /* when it is built: all namespaces are known */
bool reach_spaces_have(const struct reach *, uint32_t spaces, uint32_t space);         /* as it was found … */
bool reach_spaces_mean(const struct reach *, const struct spaces_id *, uint32_t space); /* … as its labels are now */
void reach_spaces_add(struct spaces_id *, uint32_t space);
uint32_t reach_block(struct reach *, const struct np_peers *);
bool reach_block_holds(const struct block_id *, ip_addr);
bool reach_set_means(const struct reach *, const struct shape_set *, const struct shape *);
int reach_address_used(bool as_dst, uint8_t mine, uint8_t other);      /* families of both ends → which of mine a connection uses */

/* evaluate.c */
void reach_evaluate(struct reach *, uint32_t set);
/* What is made when all is built ends with it; what a change makes later is freed singly. */
static inline struct region *reach_pool(struct reach *r) { return r->building ? &r->region : NULL; }

/* sets.c: sets of shapes */
uint32_t reach_set(struct reach *, struct shape_set like);    /* found, or made and evaluated; a reference more */
void reach_unref(struct reach *, uint32_t set);
void reach_members(struct reach *);                     /* when it is built: from sets to the shapes that they hold */
void reach_join(struct reach *, uint32_t shape);        /* a new shape finds its sets */
void reach_space_changed(struct reach *, uint32_t space);       /* its labels */

/* rules.c: policies */
void reach_policy(struct reach *, const struct network_policy *);       /* new, changed or gone */
const struct bits *reach_subjects(const struct reach *, const struct use *);
void reach_join_subjects(struct reach *);               /* when it is built */
void reach_all_roles(struct reach *);

/* rows.c */
void reach_ask(struct reach *, uint8_t proto, uint16_t port);
void reach_ask_spec(struct reach *, uint32_t spec);
bool reach_spec_open(const struct reach *, uint32_t spec, uint32_t ports);
void reach_line(struct reach *, enum np_dir, uint32_t shape, uint64_t *out);    /* INGRESS: the row of a destination; EGRESS: the column of a source */
/* Pods of 64 shapes. */
static inline uint64_t reach_weigh_word(const struct reach *r, uint32_t w, uint64_t m)
{
	uint64_t sum = 0;

	for (uint32_t p = 0; p < r->nr_planes; p++)
		sum += (uint64_t)__builtin_popcountll(r->planes[p][w] & m) << p;
	return sum;
}
uint64_t reach_line_weight(struct reach *, enum np_dir, uint32_t shape);        /* Pods in it, the shape's own Pod always among them */
bool reach_point(struct reach *, uint32_t from, uint32_t to);   /* of shapes */
bool reach_dir_open(struct reach *, enum np_dir, uint32_t from, uint32_t to);
enum truth reach_dir_truth(struct reach *, enum np_dir, uint32_t from, uint32_t to);
bool reach_rules(struct reach *, int dir, uint32_t shape);       /* what NetworkPolicies allow: own rules into r->in (true: everybody), others' beside the base into r->out; both to be cleared */

/* ordered.c: policies in tiers. Made anew whenever one of them changes, or what their selectors read beside Pods. */
struct ordered *reach_ordered_new(struct reach *);       /* before there are shapes; NULL: there are none */
void reach_ordered_free(struct ordered *);
void reach_ordered_account(struct ordered *, str account);      /* of the shape that is made next */
str reach_ordered_account_of(const struct ordered *, uint32_t shape);
void reach_ordered_evaluate(struct reach *);             /* when it is built */
void reach_ordered_join(struct reach *, uint32_t shape); /* one that is made later */
bool reach_ordered_is_tied(const struct ordered *);      /* NetworkPolicies are among its policies, for another one has their order */
bool reach_ordered_may_doubt(const struct ordered *);    /* something of it cannot be told */
/* As reach_line and reach_line_weight; maybe: where it cannot be told (NULL: not wanted). */
uint64_t reach_ordered_weight(struct reach *, enum np_dir, uint32_t shape);
void reach_ordered_counting(struct ordered *, bool);     /* between true and false nothing changes but the shape that is asked */
void reach_ordered_line(struct reach *, enum np_dir, uint32_t shape, uint64_t *out, uint64_t *maybe);
/* One direction of one pair. isolated, allowed: what NetworkPolicies say. */
enum truth reach_ordered_pair(struct reach *, enum np_dir, uint32_t from, uint32_t to, bool isolated, bool allowed);

/* many.c: for many rows of one question; between begin and end nothing may change, and the rows are made of what begin wrote down */
void reach_many_begin(struct reach *);                   /* does nothing where it is not worth it */
void reach_many_end(struct reach *);
bool reach_many_own(struct reach *, const struct shape *);      /* into r->in; true: everybody */
void reach_many_others(struct reach *, const struct shape *);   /* into r->out */

/* reach.c */
void reach_update(struct reach *);                       /* works off what changed; before every question */
void reach_place(struct reach *, uint32_t slot, uint32_t shape);        /* a Pod goes to another shape; NONE: it is not there any more */
/* answers.c */
void reach_ends(struct reach *);
bool reach_from_own_node(struct reach *, uint32_t from, uint32_t to);   /* ends */
bool reach_to_own_node(struct reach *, uint32_t from, uint32_t to);

#endif
