/* What all Kubernetes objects have, and what makes a kind. An object is a struct that begins with struct object. */
#ifndef PODWIRE_OBJECT_H
#define PODWIRE_OBJECT_H

#include "model/api/field.h"

typedef struct { uint32_t i; } obj_h;           /* any object of one cluster; 0 is "none". Never reused within a cluster's life */

struct owner_ref { str api, kind, name, uid; bool controller, block; };

#define LIFE_MOST 0x7fffffffu
struct kind;
/* What is seldom looked at stands first: this struct's end and the beginning of struct pod lie side by side, and they are what controllers ask of every Pod,
 * again and again; in a big cluster each other line of memory is one more miss. */
struct object {
	str uid;
	str generate_name;
	nsec created;                           /* virtual time */
	int64_t generation;
	const struct val *doc;                  /* as applied, metadata included; NULL: made by a controller */
	const struct val *applied;              /* what the last apply said, where doc has changed since; NULL: doc itself; an empty map: it was never applied */
	const char *file;                       /* where it was applied from; NULL: made by a controller */
	int64_t grace;                          /* of a deletion that says one: 1 + deletionGracePeriodSeconds; 0: the Pod's own */
	str_list finalizers;
	pair_list annotations;
	const struct kind *kind;
	obj_h id;
	rev_t rev;                              /* resourceVersion */
	str ns, name;                           /* ns NULL: not namespaced */
	pair_list labels;
	LIST(struct owner_ref) owners;
	nsec deleted;                           /* deletionTimestamp, virtual time; NEVER: lives */
	uint32_t line;                          /* of file */
	uint32_t life : 31;                     /* how many objects of this name came before */
	bool gone : 1;                          /* deleted for good; only the handle remains */
};

struct path;
struct kind {
	const char *name;                       /* Service */
	const char *const *apis;                /* NULL-terminated, the preferred first: "v1", "networking.k8s.io/v1" */
	const char *const *removed;             /* apiVersions that 1.36 does not serve any more, or NULL */
	const char *plural;                     /* services */
	const char *shorts;                     /* "svc", blank-separated, or NULL */
	bool namespaced;
	bool nameless;                          /* configuration: metadata may be missing altogether */
	uint16_t index;                         /* in kinds[]; set by the table itself */
	uint32_t size;                          /* of its struct */
	const struct field *fields;             /* spec, status and what else stands beside metadata; NULL: anything goes (no effect on the network) */
	void (*dflt)(struct object *, struct arena *, struct strtab *);         /* API defaulting, after decoding; may be NULL */
	void (*check)(struct check *, const struct object *);                   /* create-time validation of all but metadata; may be NULL */
	void (*check_update)(struct check *, const struct object *now, const struct object *old);       /* immutability; may be NULL */
	void (*fill)(struct arena *, struct val *doc);  /* what fill.h says of the kind beyond its table; may be NULL */
	void (*name_rule)(struct check *, const struct path *, const char *);   /* what metadata.name must be; NULL: an RFC 1123 subdomain */
	const char *note;                       /* accepted, kept, not modelled: the note that says so; NULL: modelled */
};

extern const struct kind *const kinds[];        /* NULL-terminated, in the order of `api-resources` */
const struct kind *kind_find(const char *api, const char *name);        /* exact; NULL: unknown kind */
/* Would Kubernetes 1.36 refuse that kind in that version? Then *why says so, and which version serves it. false: kind of somebody else's. */
bool kind_refused(const char *api, const char *name, struct sb *why);
bool kind_has_word(const struct kind *, const char *word);              /* is it one of the kind's, in these spellings? */
const struct kind *kind_by_word(const char *word);                      /* svc, services, Service, deployment.apps, deployments.v1.apps */

str label_get(const pair_list *, const char *key);                      /* NULL if absent; so is a key that is NULL (of a lenient document) */

/* metav1.LabelSelector. */
enum sel_op { SEL_IN, SEL_NOT_IN, SEL_EXISTS, SEL_DOES_NOT_EXIST };
extern const char *const sel_op_names[];
struct requirement { str key; uint8_t op; str_list values; };           /* op: 1 + enum sel_op as decoded by F_ENUM (0: absent) */
struct selector { pair_list labels; LIST(struct requirement) exprs; };  /* {} matches everything */
extern const struct field selector_fields[];
bool selector_matches(const struct selector *, const pair_list *labels);
bool pairs_match(const pair_list *selector, const pair_list *labels);   /* all pairs of the selector are there */
bool selector_parse(struct strtab *, struct arena *, const char *text, struct selector *out, struct err *);    /* -l: a=b,c!=d,e in (f,g),h,!i */
void selector_print(const struct selector *, struct sb *);              /* as kubectl prints it; <none> if empty */

#endif
