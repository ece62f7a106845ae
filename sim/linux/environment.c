#include "sim/linux/environment.h"

#include <ctype.h>

#include "model/base/quantity.h"
#include "model/base/val.h"
#include "model/dns/dns.h"
#include "model/l7/cert.h"

struct making { struct cluster *cluster; const struct pod *pod; const struct container *c; struct arena *arena; bool nul; /* the value that comes next */ VEC(struct variable) v; };

static void set(struct making *m, const char *name, const char *value)
{
	if (name && value)
		vec_add(m->arena, &m->v, (struct variable){ name, value, m->nul });
	m->nul = false;
}

static const char *value_of(const struct variable *v, uint32_t nr, const char *name, size_t n)
{
	for (uint32_t k = nr; k-- > 0;)
		if (strlen(v[k].name) == n && memcmp(v[k].name, name, n) == 0)
			return v[k].value;
	return NULL;
}

const char *environment_broken(const struct variables *l)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (l->v[k].nul && !value_of(l->v + k + 1, l->nr - k - 1, l->v[k].name, strlen(l->v[k].name)))
			return l->v[k].name;
	return NULL;
}

char *environment_expand(const struct variables *l, const char *word, struct arena *a)
{
	struct sb out = { 0 };
	char *text;

	for (const char *p = word; *p; p++) {
		const char *end = p[0] == '$' && p[1] == '(' ? strchr(p, ')') : NULL, *value = end ? value_of(l->v, l->nr, p + 2, (size_t)(end - p - 2)) : NULL;

		if (value) {
			sb_add(&out, value);
			p = end;
		} else {
			sb_addc(&out, *p);
			p += p[0] == '$' && p[1] == '$';
		}
	}
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return text;
}

/* ---- Services (pkg/kubelet/envvars) */

static const char *as_name(struct arena *a, const char *text)
{
	char *out = arena_strdup(a, text);

	for (char *p = out; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return out;
}

static void link_port(struct making *m, const char *prefix, const char *host, const struct svc_port *p, bool first)
{
	struct arena *a = m->arena;
	const char *lower = p->protocol == L4_UDP ? "udp" : p->protocol == L4_SCTP ? "sctp" : "tcp", *upper = as_name(a, lower);
	const char *url = arena_printf(a, strchr(host, ':') ? "%s://[%s]:%d" : "%s://%s:%d", lower, host, p->port), *stem = arena_printf(a, "%s_PORT_%d_%s", prefix, p->port, upper);

	if (first)
		set(m, arena_printf(a, "%s_PORT", prefix), url);
	set(m, stem, url);
	set(m, arena_printf(a, "%s_PROTO", stem), lower);
	set(m, arena_printf(a, "%s_PORT", stem), arena_printf(a, "%d", p->port));
	set(m, arena_printf(a, "%s_ADDR", stem), host);
}

static void service_links(struct making *m, const struct service *s)
{
	const char *prefix = as_name(m->arena, s->o.name);

	if (!s->ports.nr)
		return;
	set(m, arena_printf(m->arena, "%s_SERVICE_HOST", prefix), s->cluster_ip);
	set(m, arena_printf(m->arena, "%s_SERVICE_PORT", prefix), arena_printf(m->arena, "%d", s->ports.v[0].port));
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (s->ports.v[k].name && *s->ports.v[k].name)
			set(m, arena_printf(m->arena, "%s_SERVICE_PORT_%s", prefix, as_name(m->arena, s->ports.v[k].name)), arena_printf(m->arena, "%d", s->ports.v[k].port));
	for (uint32_t k = 0; k < s->ports.nr; k++)
		link_port(m, prefix, s->cluster_ip, &s->ports.v[k], k == 0);
}

/* Those of the Pod's namespace, unless it wants none, and the API server's. */
static void services(struct making *m)
{
	const struct service *api = (const struct service *)cluster_find(m->cluster, &service_kind, "default", "kubernetes");
	struct object_list l = cluster_list_ns(m->cluster, &service_kind, m->pod->o.ns);

	if (api && service_has_vip(api))
		service_links(m, api);
	for (uint32_t k = 0; m->pod->spec->enable_service_links != TRI_FALSE && k < l.nr; k++)
		if (service_has_vip((const struct service *)l.v[k]))
			service_links(m, (const struct service *)l.v[k]);
}

/* ---- ConfigMaps, Secrets, the Pod's own fields */

static const char *decoded(struct making *m, const struct object *o, const char *value)
{
	size_t n = 0;
	const uint8_t *bytes = value && o->kind == &secret_kind ? base64_decode(m->arena, value, strlen(value), &n) : NULL;

	m->nul = bytes && memchr(bytes, 0, n);
	return bytes ? arena_printf(m->arena, "%.*s", (int)n, (const char *)bytes) : o->kind == &secret_kind ? NULL : value;
}

static const pair_list *data_of(const struct object *o)
{
	return o->kind == &secret_kind ? &((const struct secret *)o)->data : &((const struct config_map *)o)->data;
}

static void all_of(struct making *m, const struct env_from *from)
{
	const struct val *ref = from->config_map ? from->config_map : from->secret;
	const char *name = val_str_at(ref, "name");
	const struct object *o = name ? cluster_find(m->cluster, from->config_map ? &config_map_kind : &secret_kind, m->pod->o.ns, name) : NULL;

	for (uint32_t k = 0; o && k < data_of(o)->nr; k++)
		set(m, arena_printf(m->arena, "%s%s", from->prefix ? from->prefix : "", data_of(o)->v[k].key), decoded(m, o, data_of(o)->v[k].value));
}

static const char *of_key(struct making *m, const struct kind *kind, const struct val *ref)
{
	const char *name = val_str_at(ref, "name"), *key = val_str_at(ref, "key");
	const struct object *o = name && key ? cluster_find(m->cluster, kind, m->pod->o.ns, name) : NULL;

	return o ? decoded(m, o, label_get(data_of(o), key)) : NULL;
}

/* metadata.labels['app'] */
static const char *of_pairs(const pair_list *l, const char *path, struct arena *a)
{
	const char *from = strchr(path, '\''), *to = from ? strrchr(path, '\'') : NULL;
	const char *value = to > from ? label_get(l, arena_printf(a, "%.*s", (int)(to - from - 1), from + 1)) : NULL;

	return value ? value : "";
}

static const char *both(struct arena *a, ip_addr one, ip_addr two)
{
	return ip_set(two) ? arena_printf(a, "%s,%s", IP(one), IP(two)) : ip_set(one) ? arena_strdup(a, IP(one)) : "";
}

static const char *of_field(struct making *m, const char *path)
{
	const struct pod *p = m->pod;
	const struct node *n = p->node ? (const struct node *)cluster_find(m->cluster, &node_kind, NULL, p->node) : NULL;
	ip_addr none = { 0, 0 };

	if (strncmp(path, "metadata.labels[", 16) == 0)
		return of_pairs(&p->o.labels, path, m->arena);
	if (strncmp(path, "metadata.annotations[", 21) == 0)
		return of_pairs(&p->o.annotations, path, m->arena);
	return strcmp(path, "metadata.name") == 0	     ? p->o.name :
	       strcmp(path, "metadata.namespace") == 0	     ? p->o.ns :
	       strcmp(path, "metadata.uid") == 0	     ? p->o.uid :
	       strcmp(path, "spec.nodeName") == 0	     ? p->node :
	       strcmp(path, "spec.serviceAccountName") == 0  ? (p->spec->service_account ? p->spec->service_account : "default") :
	       strcmp(path, "status.podIP") == 0	     ? both(m->arena, p->ip, none) :
	       strcmp(path, "status.podIPs") == 0	     ? both(m->arena, p->ip, p->ip2) :
	       strcmp(path, "status.hostIP") == 0	     ? both(m->arena, p->host_ip, none) :
	       strcmp(path, "status.hostIPs") == 0 && n	     ? both(m->arena, p->host_ip, ip_is4(p->host_ip) ? node_internal_ip(n, true) : none) :
							       NULL;
}

/* limits.cpu in units of a divisor, rounded up; who has no limit has what the node can give (pkg/api/v1/resource/helpers.go, ExtractContainerResourceValue). */
static const char *of_resource(struct making *m, const struct val *ref)
{
	const char *what = val_str_at(ref, "resource"), *other = val_str_at(ref, "containerName"), *name = what ? strchr(what, '.') : NULL, *text;
	const struct container *c = other && *other ? pod_container(m->pod, other) : m->c;
	const struct node *n = m->pod->node ? (const struct node *)cluster_find(m->cluster, &node_kind, NULL, m->pod->node) : NULL;
	bool limits = what && strncmp(what, "limits.", 7) == 0;
	int64_t value = 0, unit = 0;

	if (!name || !c)
		return NULL;
	text = label_get(limits ? &c->resources.limits : &c->resources.requests, name + 1);
	if (!text && limits && n)
		text = label_get(&n->allocatable, name + 1);
	if (text && !quantity_parse(text, &value))
		return NULL;
	if (!quantity_of(val_get(ref, "divisor"), &unit) || unit <= 0)
		unit = 1000;
	return arena_printf(m->arena, "%lld", (long long)(value / unit + (value % unit > 0)));
}

static const char *of_source(struct making *m, const struct val *from)
{
	const char *path = val_str_at(from, "fieldRef.fieldPath");
	const struct val *ref;

	if (path)
		return of_field(m, path);
	if ((ref = val_get(from, "resourceFieldRef")))
		return of_resource(m, ref);
	if ((ref = val_get(from, "configMapKeyRef")))
		return of_key(m, &config_map_kind, ref);
	return (ref = val_get(from, "secretKeyRef")) ? of_key(m, &secret_kind, ref) : NULL;
}

struct variables environment_of(struct cluster *cluster, const struct pod *p, const struct container *c, struct arena *a)
{
	struct making m = { .cluster = cluster, .pod = p, .c = c, .arena = a };

	services(&m);
	for (uint32_t k = 0; k < c->env_from.nr; k++)
		all_of(&m, &c->env_from.v[k]);
	for (uint32_t k = 0; k < c->env.nr; k++) {
		const struct env_var *e = &c->env.v[k];
		const struct variables before = { m.v.v, m.v.nr };

		set(&m, e->name, e->from ? of_source(&m, e->from) : environment_expand(&before, e->value ? e->value : "", a));
	}
	return (struct variables){ m.v.v, m.v.nr };
}

struct variables environment_written(const struct container *c, struct arena *a)
{
	struct making m = { .arena = a };

	for (uint32_t k = 0; k < c->env.nr; k++)
		set(&m, c->env.v[k].name, c->env.v[k].value);
	return (struct variables){ m.v.v, m.v.nr };
}

char **environment_block(const struct pod *p, const struct variables *own, struct arena *a)
{
	const struct { const char *name, *value; } first[] = { { "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" }, { "HOSTNAME", pod_host_name(p) }, { "HOME", "/root" } };
	char **v = arena_array(a, char *, ARRAY_LEN(first) + own->nr + 1);
	uint32_t nr = 0;

	for (size_t k = 0; k < ARRAY_LEN(first); k++)
		if (!value_of(own->v, own->nr, first[k].name, strlen(first[k].name)))
			v[nr++] = arena_printf(a, "%s=%s", first[k].name, first[k].value);
	for (uint32_t k = 0; k < own->nr; k++)
		if (!value_of(own->v + k + 1, own->nr - k - 1, own->v[k].name, strlen(own->v[k].name)))
			v[nr++] = arena_printf(a, "%s=%s", own->v[k].name, own->v[k].value);
	return v;
}
