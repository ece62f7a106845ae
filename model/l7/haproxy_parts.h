/* Parts of the writer of HAProxy's configuration (haproxy*.c). */
#ifndef PODWIRE_HAPROXY_PARTS_H
#define PODWIRE_HAPROXY_PARTS_H

#include "model/l7/haproxy.h"
#include "model/l7/mesh_routes.h"

/* A backend section: what happens to requests of one route. */
struct hap_leaf {
	const char *name;                       /* r3; its ways, where there are several, r3.0, r3.1, … */
	const struct l7_action *act;
	const struct l7_route *route;
	const char *cannot;                     /* why its match could not be written; NULL */
};
struct hap {
	const struct l7_plane *plane;
	const struct route_table *t;
	struct arena *a;
	const char *dir;
	struct haproxy_conf *out;
	VEC(struct hap_leaf) leaves;
	struct map by_action;                   /* → leaf + 1 */
	bool delays;                            /* some request waits: HAProxy does that in Lua */
	const char *identity;                   /* what a server's line has for mutual TLS; NULL: nobody asked yet */
	struct map client_tls;                  /* of a Service, in hap_mutual → const char **: mode */
	struct mesh_scope scope;                /* of a sidecar */
	struct map streams;                     /* of a sidecar: a Service's port → the action for connections to it, or NULL */
	bool cuts;                              /* some connections are cut off */
	const char *headless;                   /* of a sidecar: how endpoints of headless Services are dialled, if any is by TLS; NULL */
};

/* ---- words (haproxy_words.c). All answers live in the arena. */
#define HAP_LONGEST 900                         /* bytes of one text; a line has 2048, and quoting and escaping take some */
bool hap_fits(const char *text);                /* no control characters, and not longer than that */
bool hap_name(const char *text);                /* of a header, a parameter, a cookie: letters, digits, - _ . */
const char *hap_word(struct hap *, const char *text);           /* one word, taken as it stands */
const char *hap_format(struct hap *, const char *text);         /* the same inside a log format: % counts for nothing; not quoted yet */
const char *hap_literal(struct hap *, const char *text);        /* a regular expression that matches just this text; not quoted yet */
const char *hap_comment(struct hap *, const char *text);        /* on one line */
const char *hap_object(struct hap *, obj_h, const char *path);  /* Ingress default/web, spec.rules[0] */
void hap_cannot(struct hap *, const char *what, const char *why);       /* remembered for the head of the configuration */
void hap_refuse(struct hap *, const char *why, const char *when);        /* answers 501 there, and says why. when: conditions, each with a space before it; "": always */
void hap_repeated(struct hap *, const char *header, const char *where);      /* answers 501 there, where the header is given more than once. where: conditions, each with a space before it */

/* ---- haproxy.c: is the text in that variable this host? the sockets of a port; one for each family, so that clients have the address that they came with (one for both sees ::ffff:192.0.2.1) */
void hap_host_acl(struct hap *, const char *name, const char *var, const char *pattern, bool one_label);
void hap_bind(struct hap *, uint32_t port, bool v6, const char *how, const char *how6);
/* ---- haproxy_certs.c: "crt-list FILE" (and strict-sni) for a port, and its files; NULL: no certificate can be shown there */
const char *hap_certs(struct hap *, const struct l7_port *, enum l7_proto);
/* ---- haproxy_sidecar.c: the connections before the requests' frontend; where a request for no known host goes; and the backends for those */
void hap_sidecar(struct hap *, bool v6);
void hap_sidecar_unknown(struct hap *);
void hap_sidecar_backends(struct hap *);
/* ---- haproxy_streams.c: connections that are not read */
/* In a frontend: where a connection goes that fits cond ("": any); and the backends NAME.0, NAME.1 … of which one is chosen by weight. */
void hap_stream_use(struct hap *, const char *name, const struct l7_action *, const char *cond);
void hap_stream_backends(struct hap *, const char *name, const struct l7_action *, const char *what);
/* A port of the plane that has other listeners than HTTP and HTTPS: its frontends and backends. */
void hap_stream_port(struct hap *, uint32_t port, bool v6);
void hap_stream_end(struct hap *);              /* the backend for what is cut off; once */
/* ---- haproxy_cors.c: a CORS filter, in the backend section of its route */
void hap_cors(struct hap *, const char *what, const struct l7_cors *);
/* ---- haproxy_mesh.c */
/* What the line of a server has for mutual TLS: "" where the connection to that endpoint of the Service (NULL: of none) is plain. */
const char *hap_mutual(struct hap *, const struct service *, ip_addr endpoint, uint16_t port);
void hap_mesh_peers(struct hap *);              /* in the frontend for what comes in: with or without TLS, and which way */
void hap_mesh_connections(struct hap *);        /* which connections may come in, and which requests */
void hap_mesh_requests(struct hap *);
void hap_mesh_mutual(struct hap *);             /* the frontend that ends the TLS of other proxies */
void hap_gate_requests(struct hap *);           /* which requests a gateway's own policies let through, and which connections that it does not read */
void hap_gate_connections(struct hap *, const struct l7_port *);
/* ---- haproxy_choices.c */
void hap_choices(struct hap *);                 /* in the frontend: which way of a route that has several */
uint64_t hap_total_weight(const struct l7_action *);
const char *hap_canary_cannot(const struct l7_canary *);        /* NULL: it can be written */
/* ---- haproxy_backends.c */
void hap_backends(struct hap *);
bool hap_ways(const struct hap_leaf *);         /* several? */

#endif
