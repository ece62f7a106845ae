#include "sim/linux/cni.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/api/core.h"
#include "model/base/val.h"
#include "model/dataplane/cni_bridge.h"
#include "model/dataplane/hostport.h"
#include "sim/linux/run.h"

#define CNI_VERSION "1.0.0"             /* understood by the plugins from 1.0.0 on */
#define CNI_BRIDGE_NAME "cni0"

struct cni_plugs {
	char *dir;
	struct arena *arena;
	VEC(struct cni_remark) remarks;
	VEC(const char *) lost;         /* Pods whose pause was killed: made again with the address that they had, as the cluster knows no other */
};
struct cni_plug {
	char *id, *ranges, *mappings;   /* JSON; mappings NULL: no hostPort */
	char *result;                   /* of the chain's last plugin; NULL: not added yet */
	char node_end[16];
	uint32_t node;                  /* the space */
};

bool cni_begin(struct live *live, struct cluster *c, const char *dir, struct err *err)
{
	static const char *const plugins[] = { "loopback", "bridge", "host-local", "portmap" };
	enum cni_kind network = cluster_settings(c)->cni;

	if (network != CNI_BRIDGE)
		return err_add(err, ERR_INPUT, NULL, "--cni-bin: the reference plugins wire the network \"bridge\"; this cluster has \"%s\" (--cni bridge)", cni_names[network]);
	for (size_t k = 0; k < ARRAY_LEN(plugins); k++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, plugins[k]);
		if (access(path, X_OK) != 0)
			return err_add(err, ERR_MACHINE, NULL, "--cni-bin: %s is not there (Debian's package containernetworking-plugins has it in /usr/lib/cni)", path);
	}
	live->cni = calloc(1, sizeof(*live->cni));
	if (!live->cni)
		abort();
	live->cni->dir = realpath(dir, NULL);
	live->cni->arena = arena_new(NULL, "cni");
	return live->cni->dir || err_add(err, ERR_MACHINE, NULL, "--cni-bin: %s cannot be read", dir);
}

static void plug_free(struct space *s)
{
	if (!s->plug)
		return;
	free(s->plug->id);
	free(s->plug->ranges);
	free(s->plug->mappings);
	free(s->plug->result);
	free(s->plug);
	s->plug = NULL;
}

/* ---- one call, as a runtime makes it */

/* addresses: JSON strings that host-local is to give; NULL: the next in its order. */
static char *config(const struct live *live, const struct cni_plug *p, const char *type, const char *addresses, const char *previous)
{
	struct sb out = { 0 };
	char *text;

	sb_printf(&out, "{\"cniVersion\":\"" CNI_VERSION "\",\"name\":\"%s\",\"type\":\"%s\"", hostport_network_names[CNI_BRIDGE], type);
	if (strcmp(type, "bridge") == 0)
		sb_printf(&out, ",\"bridge\":\"" CNI_BRIDGE_NAME "\",\"isGateway\":true,\"isDefaultGateway\":true,\"hairpinMode\":false,"
			  "\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"%s/cni/%u\",\"ranges\":[%s]}", live->dir, p->node, p->ranges);
	if (strcmp(type, "portmap") == 0)
		sb_printf(&out, ",\"runtimeConfig\":{\"portMappings\":[%s]}", p->mappings);
	if (addresses)
		sb_printf(&out, ",\"args\":{\"cni\":{\"ips\":[%s]}}", addresses);
	if (previous)
		sb_printf(&out, ",\"prevResult\":%s", previous);
	sb_addc(&out, '}');
	text = strdup(sb_text(&out));
	sb_free(&out);
	return text;
}

/* The calling thread is in the node's namespace. → what the plugin printed; NULL: it failed. */
static char *call(const struct live *live, const struct space *s, const char *command, const char *type, const char *interface, const char *addresses, const char *previous,
		  struct err *err)
{
	struct arena *a = arena_new(NULL, "cni call");
	char *conf = config(live, s->plug, type, addresses, previous), *result = NULL;
	const char *program = arena_printf(a, "%s/%s", live->cni->dir, type), *const argv[] = { program, NULL };
	const char *pod = s->name + strlen("pod/"), *slash = strchr(pod, '/');
	const char *env[] = {
		arena_printf(a, "CNI_COMMAND=%s", command), arena_printf(a, "CNI_CONTAINERID=%s", s->plug->id), arena_printf(a, "CNI_IFNAME=%s", interface),
		s->pid > 0 ? arena_printf(a, "CNI_NETNS=/proc/%d/ns/net", (int)s->pid) : "CNI_NETNS=", arena_printf(a, "CNI_PATH=%s", live->cni->dir),
		arena_printf(a, "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=%.*s;K8S_POD_NAME=%s;K8S_POD_INFRA_CONTAINER_ID=%s", slash ? (int)(slash - pod) : 0, pod, slash ? slash + 1 : pod,
			     s->plug->id),
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL,
	};
	struct sb out = { 0 };
	struct err own = { 0 };

	if (run_program_in(argv, (char *const *)(uintptr_t)env, conf, strlen(conf), &out, &own)) {
		result = strdup(sb_text(&out));
	} else {                        /* a plugin says what is wrong as JSON, on its standard output */
		struct val *v = out.len ? json_parse(a, type, out.s, out.len, NULL, &own) : NULL;
		const char *said = val_str(val_get(v, "msg")), *more = val_str(val_get(v, "details"));

		err_add(err, ERR_MACHINE, NULL, "CNI %s of %s by %s: %s%s%s", command, s->name, program, said ? said : own.nr ? own.v[0].text : "it failed", more && *more ? "; " : "",
			more ? more : "");
	}
	err_free(&own);
	sb_free(&out);
	free(conf);
	arena_free(a);
	return result;
}

static bool add_chain(struct live *live, struct space *s, const char *addresses, struct err *err)
{
	char *result = call(live, s, "ADD", "bridge", "eth0", addresses, NULL, err), *last;

	if (result && s->plug->mappings) {
		last = call(live, s, "ADD", "portmap", "eth0", NULL, result, err);
		free(result);
		result = last;
	}
	free(s->plug->result);
	s->plug->result = result;
	return result != NULL;
}

static bool del_chain(struct live *live, struct space *s, struct err *err)
{
	char *a = s->plug->mappings ? call(live, s, "DEL", "portmap", "eth0", NULL, s->plug->result, err) : NULL;
	char *b = call(live, s, "DEL", "bridge", "eth0", NULL, s->plug->result, err);

	free(a);
	free(b);
	return b != NULL;
}

void cni_del(struct live *live, struct space *s)
{
	struct space *node = s->plug ? live->spaces.v[s->plug->node - 1] : NULL;
	struct err err = { 0 };

	if (s->plug && s->plug->result && node && node->pid > 0 && live_enter(live, node, &err)) {      /* a node that goes takes it along */
		char *lo;

		if (!del_chain(live, s, &err)) {
			struct cni_remark *r = vec_push(live->cni->arena, &live->cni->remarks);

			*r = (struct cni_remark){ arena_printf(live->cni->arena, "CNI DEL of %s", s->name), "its links and rules go", arena_strdup(live->cni->arena, err.nr ? err.v[0].text : "") };
		}
		if (s->pid <= 0)
			vec_add(live->cni->arena, &live->cni->lost, arena_strdup(live->cni->arena, s->name));
		lo = call(live, s, "DEL", "loopback", "lo", NULL, NULL, &err);
		free(lo);
		live_enter(live, NULL, &err);
	}
	err_free(&err);
	plug_free(s);
}

/* ---- what to tell it */

static char *ranges_of(const struct node *n)
{
	struct sb out = { 0 };
	struct cidr net;
	char *text;

	for (uint32_t i = 0; bridge_pod_cidr(n, i, &net); i++)
		sb_printf(&out, "%s[{\"subnet\":\"%s/%u\"}]", i ? "," : "", IP(net.addr), net.len);
	text = strdup(sb_text(&out));
	sb_free(&out);
	return text;
}

static char *mappings_of(const struct pod *p)
{
	static const char *const names[] = { [L4_TCP] = "tcp", [L4_UDP] = "udp", [L4_SCTP] = "sctp" };
	struct sb out = { 0 };
	char *text = NULL;
	ip_addr host;

	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		for (uint32_t i = 0; i < p->spec->containers.v[k].ports.nr; i++) {
			const struct container_port *port = &p->spec->containers.v[k].ports.v[i];

			if (port->host_port <= 0)
				continue;
			sb_printf(&out, "%s{\"hostPort\":%d,\"containerPort\":%d,\"protocol\":\"%s\"", out.len ? "," : "", port->host_port, port->port, names[port->protocol]);
			if (port->host_ip && ip_parse(port->host_ip, &host))
				sb_printf(&out, ",\"hostIP\":\"%s\"", IP(host));
			sb_addc(&out, '}');
		}
	if (out.len)
		text = strdup(out.s);
	sb_free(&out);
	return text;
}

/* Which addresses and which end on the node has it? addresses: those it was given, in the order of the result. */
static bool read_result(struct space *s, struct arena *a, ip_addr got[2], struct err *err)
{
	struct val *v = json_parse(a, "the plugin's result", s->plug->result, strlen(s->plug->result), NULL, err);
	uint32_t nr = 0;

	got[0] = got[1] = (ip_addr){ 0 };
	if (!v)
		return err_wrap(err, 0, "CNI ADD of %s", s->name);
	VAL_EACH(i, val_get(v, "interfaces"))
		if (val_str(val_get(i, "name")) && !*(val_str(val_get(i, "sandbox")) ? val_str(val_get(i, "sandbox")) : "") && strcmp(val_str(val_get(i, "name")), CNI_BRIDGE_NAME) != 0)
			snprintf(s->plug->node_end, sizeof(s->plug->node_end), "%s", val_str(val_get(i, "name")));
	VAL_EACH(i, val_get(v, "ips")) {
		const char *text = val_str(val_get(i, "address"));
		struct cidr net;

		if (nr < 2 && text && ip_parse(arena_strndup(a, text, strcspn(text, "/")), &net.addr))
			got[nr++] = net.addr;
	}
	return true;
}

static const char *two(struct arena *a, ip_addr x, ip_addr y)
{
	return ip_set(y) ? arena_printf(a, "%s, %s", IP(x), IP(y)) : arena_printf(a, "%s", IP(x));
}

/* kube-proxy in iptables mode sets conf/all/route_localnet; in the lab each link has its own. portmap sets it for the bridge. */
static bool as_kube_proxy(const struct space *s, const struct space *node, struct err *err)
{
	const char *const names[] = { CNI_BRIDGE_NAME, s->plug->node_end };
	bool ok = true, everywhere = false;

	for (uint32_t k = 0; k < node->now.links.nr; k++)
		everywhere = everywhere || (node->now.links.v[k].kind == LINK_PHYS && node->now.links.v[k].route_localnet);
	for (size_t k = 0; everywhere && ok && k < ARRAY_LEN(names); k++) {
		char path[64];

		snprintf(path, sizeof(path), "ipv4/conf/%s/route_localnet", names[k]);
		ok = write_setting(path, 1, node->name, err);
	}
	return ok;
}

static bool was_lost(struct cni_plugs *c, const char *name)
{
	for (uint32_t k = 0; k < c->lost.nr; k++)
		if (strcmp(c->lost.v[k], name) == 0) {
			c->lost.v[k] = c->lost.v[--c->lost.nr];
			return true;
		}
	return false;
}

static bool add_one(struct live *live, struct cluster *c, const struct dataplane *dp, struct space *s, const struct pod *p, struct err *err)
{
	struct space *node = live_find(live, netns_get(dp, netns_get(dp, s->ns)->node)->name);
	const struct node *n = (const struct node *)obj_get(c, (obj_h){ netns_get(dp, node->ns)->object });
	struct arena *a = arena_new(NULL, "cni add");
	const char *wanted = ip_set(p->ip2) ? arena_printf(a, "\"%s\",\"%s\"", IP(p->ip), IP(p->ip2)) : arena_printf(a, "\"%s\"", IP(p->ip));
	ip_addr got[2];
	char *lo;
	bool ok;

	s->plug = calloc(1, sizeof(*s->plug));
	if (!s->plug)
		abort();
	*s->plug = (struct cni_plug){ .id = strdup(hostport_container_id(c, p, a)), .ranges = ranges_of(n), .mappings = mappings_of(p), .node = node->id };
	ok = live_enter(live, node, err);
	lo = ok ? call(live, s, "ADD", "loopback", "lo", NULL, NULL, err) : NULL;
	ok = lo && add_chain(live, s, was_lost(live->cni, s->name) ? wanted : NULL, err) && read_result(s, a, got, err);
	free(lo);
	if (ok && !(ip_eq(got[0], p->ip) && ip_eq(got[1], p->ip2)) && !(ip_eq(got[1], p->ip) && ip_eq(got[0], p->ip2))) {
		struct arena *keep = live->cni->arena;

		*vec_push(keep, &live->cni->remarks) = (struct cni_remark){ arena_printf(keep, "the address that host-local gives to %s", s->name), two(keep, p->ip, p->ip2), two(keep, got[0], got[1]) };
		ok = del_chain(live, s, err) && add_chain(live, s, wanted, err) && read_result(s, a, got, err);
	}
	ok = ok && as_kube_proxy(s, node, err);
	arena_free(a);
	return ok;
}

/* ---- all of them */

struct newcomer { struct space *space; const struct pod *pod; nsec made; };

static int by_sandbox(const void *a, const void *b)
{
	const struct newcomer *x = a, *y = b;
	int d = (x->made > y->made) - (x->made < y->made);

	return d ? d : ip_order(x->pod->ip, y->pod->ip);
}

bool cni_add(struct live *live, struct cluster *c, const struct dataplane *dp, struct err *err)
{
	struct newcomer *v = calloc(live->spaces.nr + 1, sizeof(*v));
	char path[256];
	uint32_t nr = 0;
	bool ok = true;

	if (!v)
		abort();
	snprintf(path, sizeof(path), "%s/cni", live->dir);
	mkdir(path, 0755);
	for (uint32_t k = 0; k < live->spaces.nr; k++) {
		struct space *s = live->spaces.v[k];
		const struct pod *p = s && s->kind == NS_POD && s->ns.i && !s->plug ? (const struct pod *)obj_get(c, (obj_h){ netns_get(dp, s->ns)->object }) : NULL;
		const struct condition *made = p ? condition_get(&p->conditions, "PodReadyToStartContainers") : NULL;

		if (p)
			v[nr++] = (struct newcomer){ s, p, made ? made->changed : 0 };
	}
	qsort(v, nr, sizeof(*v), by_sandbox);
	for (uint32_t k = 0; ok && k < nr; k++)
		ok = add_one(live, c, dp, v[k].space, v[k].pod, err);
	free(v);
	return live_enter(live, NULL, err) && ok;
}

uint32_t cni_wired(const struct live *live)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < live->spaces.nr; k++)
		nr += live->spaces.v[k] && live->spaces.v[k]->plug;
	return nr;
}

uint32_t cni_remarks(const struct live *live, const struct cni_remark **out)
{
	*out = live->cni ? live->cni->remarks.v : NULL;
	return live->cni ? live->cni->remarks.nr : 0;
}

/* ---- views */

static bool of_plugins(const struct space *s, const struct view *v, uint32_t index)
{
	if (s->kind == NS_POD)
		return true;
	for (uint32_t k = 0; s->kind == NS_NODE && index && k < v->links.nr; k++)
		if (v->links.v[k].index == index)
			return (v->links.v[k].kind == LINK_VETH && v->links.v[k].far_space) || v->links.v[k].kind == LINK_BRIDGE;
	return false;
}

#define KEEP(list, condition) do {                                                      \
	uint32_t to_ = 0;                                                               \
	for (uint32_t k = 0; k < (list).nr; k++)                                        \
		if (condition)                                                          \
			(list).v[to_++] = (list).v[k];                                  \
	(list).nr = to_;                                                                \
} while (0)

void cni_leave_out(const struct space *s, struct view *v)
{
	KEEP(v->addrs, !of_plugins(s, v, v->addrs.v[k].index));
	KEEP(v->neighs, !of_plugins(s, v, v->neighs.v[k].index));
	KEEP(v->routes, !of_plugins(s, v, v->routes.v[k].index));
	KEEP(v->links, !of_plugins(s, v, v->links.v[k].index));
}

/* The dataplane's link that a plugin's is. */
static const struct k_link *meant(const struct live *live, const struct space *s, const struct view *want, const struct k_link *l)
{
	for (uint32_t k = 0; k < want->links.nr; k++) {
		const struct k_link *w = &want->links.v[k];
		const struct space *pod = s->kind == NS_NODE && w->kind == LINK_VETH && w->far_space ? live->spaces.v[w->far_space - 1] : NULL;

		if (pod ? pod->plug && strcmp(pod->plug->node_end, l->name) == 0 : strcmp(w->name, l->name) == 0)
			return w;
	}
	return NULL;
}

struct renumber { uint32_t from, to; };

static uint32_t renumbered(const struct renumber *map, uint32_t nr, uint32_t index)
{
	for (uint32_t k = 0; k < nr; k++)
		if (map[k].from == index)
			return map[k].to;
	return index;
}

void cni_comparable(const struct live *live, const struct space *s, struct view *want, struct view *have)
{
	uint32_t nr = have->links.nr;
	struct renumber *map = calloc(nr + 1, sizeof(*map));

	if (!map)
		abort();
	for (uint32_t k = 0; k < nr; k++) {
		struct k_link *l = &have->links.v[k];
		const struct k_link *w = meant(live, s, want, l);

		map[k] = (struct renumber){ l->index, w ? w->index : l->index };
		if (!w || !of_plugins(s, want, w->index))
			continue;
		memcpy(l->name, w->name, sizeof(l->name));
		memcpy(l->mac, w->mac, sizeof(l->mac));
		l->has_mac = w->has_mac;
		l->far_space = w->far_space;
		l->far_index = w->far_index;
	}
	for (uint32_t k = 0; k < nr; k++) {
		have->links.v[k].index = map[k].to;
		have->links.v[k].master = renumbered(map, nr, have->links.v[k].master);
	}
	for (uint32_t k = 0; k < have->addrs.nr; k++)
		have->addrs.v[k].index = renumbered(map, nr, have->addrs.v[k].index);
	for (uint32_t k = 0; k < have->routes.nr; k++)
		have->routes.v[k].index = renumbered(map, nr, have->routes.v[k].index);
	for (uint32_t k = 0; k < have->neighs.nr; k++)
		have->neighs.v[k].index = renumbered(map, nr, have->neighs.v[k].index);
	KEEP(want->neighs, !of_plugins(s, want, want->neighs.v[k].index));
	/* Before its first Pod a node has no bridge; the dataplane has one that is down. */
	for (uint32_t b = 0; b < want->links.nr; b++) {
		const struct k_link w = want->links.v[b];
		bool there = w.kind != LINK_BRIDGE || w.up;

		for (uint32_t k = 0; k < have->links.nr && !there; k++)
			there = have->links.v[k].index == w.index;
		if (there)
			continue;
		KEEP(want->addrs, want->addrs.v[k].index != w.index);
		KEEP(want->links, want->links.v[k].index != w.index);
	}
	view_order(have);
	free(map);
}

/* ---- rules */

static bool is_portmap(const char *line, size_t n)
{
	return memmem(line, n, "CNI-HOSTPORT-", 13) || memmem(line, n, "CNI-DN-", 7);
}

static void without_portmap(const char *text, struct sb *out)
{
	for (const char *p = text, *end; *p; p = end) {
		end = p + strcspn(p, "\n");
		end += *end == '\n';
		if (!is_portmap(p, (size_t)(end - p)))
			sb_addn(out, p, (size_t)(end - p));
	}
}

void cni_comparable_rules(struct sb *want, const struct sb *have)
{
	struct sb out = { 0 };

	if (have->len && is_portmap(have->s, have->len))
		return;
	without_portmap(sb_text(want), &out);
	sb_free(want);
	*want = out;
}

/* portmap puts its masquerading before what is there, the rest behind (plugins/meta/portmap/chain.go). */
static void kept(const char *saved, int part, struct sb *out)
{
	for (const char *p = saved, *end; *p; p = end) {
		end = p + strcspn(p, "\n");
		end += *end == '\n';
		if (is_portmap(p, (size_t)(end - p)) && (*p == ':' ? 0 : strncmp(p, "-A POSTROUTING", 14) == 0 ? 1 : 2) == part)
			sb_addn(out, p, (size_t)(end - p));
	}
}

char *cni_keep_rules(const char *text, bool six, struct err *err)
{
	const char *const argv[] = { six ? "ip6tables-save" : "iptables-save", "-t", "nat", NULL };
	struct sb saved = { 0 }, out = { 0 };
	bool nat = false, heads = false;
	char *result = NULL;

	if (run_program(argv, "", 0, &saved, err)) {
		for (const char *p = text, *end; *p; p = end) {
			end = p + strcspn(p, "\n");
			end += *end == '\n';
			if (*p == '*') {
				nat = strncmp(p, "*nat\n", 5) == 0;
				heads = nat;
			}
			if (nat && heads && (*p == '-' || strncmp(p, "COMMIT", 6) == 0)) {
				kept(sb_text(&saved), 0, &out);
				kept(sb_text(&saved), 1, &out);
				heads = false;
			}
			if (nat && strncmp(p, "COMMIT", 6) == 0)
				kept(sb_text(&saved), 2, &out);
			if (!is_portmap(p, (size_t)(end - p)))
				sb_addn(&out, p, (size_t)(end - p));
		}
		result = strdup(sb_text(&out));
	}
	sb_free(&saved);
	sb_free(&out);
	return result;
}
