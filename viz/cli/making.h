/* Inside of generate.c and its neighbours: how a document is put together. Not for others. */
#ifndef PODWIRE_MAKING_H
#define PODWIRE_MAKING_H

#include "viz/cli/generate.h"

struct making {
	struct cli *cli;
	struct arena *a;
	const char *type;               /* of a Service or Secret: the word before its name */
	const char *name;
	struct val *root;
	struct err *err;
};

/* Begins the document. → its spec, or itself where the kind has none. */
struct val *making_begin(struct making *, const char *api, const char *kind, bool namespaced, bool with_spec);
struct val *making_meta(struct making *);
void making_put(struct making *, struct val *map, const char *key, const char *text);
struct val *making_map(struct making *, struct val *map, const char *key);     /* a new, empty one */
struct val *making_list(struct making *, struct val *map, const char *key);
struct val *making_item(struct making *, struct val *list);
bool making_number(struct making *, const char *option, const char *text, long lo, long hi, long *out);
struct val *making_port(struct making *, const char *text);                     /* by number, or by name */
bool making_pairs(struct making *, struct val *map, const char *option, const char *text);     /* KEY=VALUE,KEY=VALUE */

/* The kinds of `create` that have a file of their own. */
bool make_service(struct making *);
bool make_ingress(struct making *);
bool make_config_map(struct making *);
bool make_secret(struct making *);
bool make_role(struct making *);
bool make_cluster_role(struct making *);
bool make_role_binding(struct making *);
bool make_cluster_role_binding(struct making *);
bool make_quota(struct making *);
bool make_priority_class(struct making *);

#endif
