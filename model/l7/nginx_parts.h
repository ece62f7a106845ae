/* What the files of ingress-nginx share. */
#ifndef PODWIRE_L7_NGINX_PARTS_H
#define PODWIRE_L7_NGINX_PARTS_H

#include "model/l7/controllers.h"
#include "model/l7/ingress.h"

#define NGINX_PREFIX "nginx.ingress.kubernetes.io/"

struct location {
	str path;
	const char *type;                       /* Exact, Prefix */
	const struct ingress *ing;
	const struct ing_backend *backend;      /* NULL: the default backend, 404 */
	const char *at;
	bool dflt;                              /* stands in until a rule claims the path */
};
typedef VEC(struct location) locations;
struct server { str host; locations locs; bool tls; const char *aliases; };
typedef VEC(struct server) servers;
/* What the controller's ConfigMap says, as far as it decides about one request; else the defaults. Source: internal/ingress/controller/config/config.go. */
struct nginx_config {
	bool ssl_redirect, force_ssl_redirect, forwarded /* X-Forwarded-* of clients are believed */;
	const char *allow, *deny;               /* source ranges; NULL */
	const char *plain;                      /* beginnings of paths that are never sent to https, comma-separated */
	const char *errors;                     /* statuses that the default backend answers instead; NULL */
	int redirect;                           /* the status of redirects to https */
	const char *unknown;                    /* a key that decides and is not modelled; NULL */
	bool validates;                         /* --enable-annotation-validation */
	bool strict_paths;                      /* strict-validate-path-type */
	bool refuses_critical;                  /* it is known to leave out what has an annotation of the risk Critical */
	const char *blocked;                    /* words that no annotation may hold, comma-separated (annotation-value-word-blocklist) */
	const char *response_headers;           /* that custom-headers may name (global-allowed-response-headers) */
	const struct service *fallback;         /* --default-backend-service, which takes what nothing matches; NULL: the controller's own 404 */
};
struct alternative { const struct ingress *ing; const struct ing_backend *backend; struct l7_ref primary; };
struct nginx {
	struct route_table *t;
	struct nginx_config config;
	uint32_t group;
	servers servers;
	struct map by_host;             /* interned host → server + 1 */
	struct map by_path;             /* (server, interned path) → the first location of that path + 1 */
	VEC(struct alternative) alternatives;
	struct map *patterns;           /* an annotation's pattern → compiled */
	const char *pattern_alias;      /* a server-alias that is a regular expression; NULL: none */
};

/* ---- annotations, by their names without the prefix (nginx_annotations.c) */
const char *nginx_note(const struct nginx *, const struct ingress *, const char *name); /* its value, without blanks around; NULL: absent, empty, or one that it ignores */
bool nginx_noted(const struct nginx *, const struct ingress *, const char *name);       /* is it true? */
bool nginx_true(const char *value);
bool nginx_blank(const struct ingress *, const char *name);      /* it is there, without a value */
bool nginx_bare_redirect(const struct ingress *);               /* one of the redirects is there without a value: then it reads none of them */
const char *nginx_left_out(const struct nginx *, const struct ingress *);       /* why the controller does not read the Ingress; NULL: it does */
const char *nginx_undecided(const struct nginx *, const struct ingress *);      /* an annotation that makes answers unknown, in a sentence; NULL: none */
bool nginx_ranges(struct arena *, struct l7_guard *, const char *list);         /* cidrs and nr of a list of source ranges; false: it is none */

int nginx_code(const char *text, int lo, int hi, int dflt);
bool nginx_rewrites(const struct nginx *, const struct location *);
struct nginx_config nginx_config(struct cluster *, const struct l7_controller *who /* NULL: none */, struct arena *);
/* What is asked of a request before it goes on, and what is changed in it. */
void nginx_guards(struct nginx *, struct l7_action *, const struct location *, const struct server *);
void nginx_filters(struct nginx *, struct l7_action *, const struct location *);

#endif
