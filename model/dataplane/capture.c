/* Files and folders into nodes; parts into the readers, in the order in which they need each other; what was read into a dataplane. */
#include "model/dataplane/capture.h"
#include "model/dataplane/ruleset_bodies.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/dataplane/capture_split.h"

#define MAX_FILE  (256u << 20)
#define MAX_DEPTH 8

struct text_in { str file, command, node; const char *text; size_t n; };       /* command, node: NULL if nobody told */
struct group { str name; VEC(struct text_in) texts; };                           /* one node's texts */
struct reading {
	struct capture *cap;
	struct arena *a;
	struct strtab *strings;
	const struct capture_options *opt;
	struct err *err;
	VEC(struct group *) groups;
	VEC(struct node_in *) nodes;
};

/* ---- files */

/* Texts hold no zero bytes. */
static void no_zeros(char *s, size_t n)
{
	bool utf16 = n >= 2 && (((uint8_t)s[0] == 0xff && (uint8_t)s[1] == 0xfe) || ((uint8_t)s[0] == 0xfe && (uint8_t)s[1] == 0xff));

	for (size_t k = 0; k < n && !utf16; k++)
		s[k] = s[k] ? s[k] : ' ';
}

static char *slurp(struct reading *r, const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct sb b = { 0 };
	char buf[65536], *text;
	size_t got;

	if (!f) {
		err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
		return NULL;
	}
	while ((got = fread(buf, 1, sizeof(buf), f)) > 0 && b.len < MAX_FILE)
		sb_addn(&b, buf, got);
	fclose(f);
	*n = b.len;
	text = arena_strndup(r->a, b.s ? b.s : "", b.len);
	no_zeros(text, b.len);
	sb_free(&b);
	return text;
}

static struct group *group_add(struct reading *r, const char *name)
{
	struct group *g = arena_make(r->a, struct group);

	g->name = str_intern(r->strings, name);
	vec_add(r->a, &r->groups, g);
	return g;
}

static void add_text(struct reading *r, struct group *g, const char *file, const char *command, const char *node, const char *text, size_t n)
{
	vec_add(r->a, &g->texts, (struct text_in){ str_intern(r->strings, file), str_intern(r->strings, command), str_intern(r->strings, node), text, n });
}

struct json_target { struct reading *r; struct group *g; const char *file; };

static void add_json(void *ctx, const char *node, const char *command, const char *text)
{
	struct json_target *to = ctx;

	add_text(to->r, to->g, to->file, command, node, text, strlen(text));
}

static void add_content(struct reading *r, struct group *g, const char *file, const char *text, size_t n)
{
	struct json_target to = { r, g, file };
	const char *p = text;
	bool utf16 = n >= 2 && (((uint8_t)text[0] == 0xff && (uint8_t)text[1] == 0xfe) || ((uint8_t)text[0] == 0xfe && (uint8_t)text[1] == 0xff));

	if (utf16) {
		char *narrow = arena_array(r->a, char, n / 2 + 1);
		size_t low = (uint8_t)text[0] == 0xff ? 0 : 1, k = 0;

		for (size_t i = 2; i + 1 < n; i += 2)           /* tools print ASCII; what is not becomes ? */
			narrow[k++] = text[i + 1 - low] ? '?' : text[i + low] ? text[i + low] : ' ';
		text = narrow;
		n = k;
	} else if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	for (p = text; p < text + n && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'); p++)
		;
	if (p < text + n && (*p == '{' || *p == '[') && capture_json(r->a, p, (size_t)(text + n - p), add_json, &to))
		return;
	add_text(r, g, file, NULL, NULL, text, n);
}

static bool add_file(struct reading *r, struct group *g, const char *path)
{
	size_t n;
	char *text = slurp(r, path, &n);

	if (text)
		add_content(r, g, path, text, n);
	return text != NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Folders of one node, as sosreport and podwire's documented commands make them: not nodes of their own. */
static bool part_of_node(const char *name)
{
	static const char *const names[] = { "networking", "firewall_tables", "sos_commands", "commands", "network", "proc", "sys", "etc", "host", "host_service_logs", "kernel", NULL };

	for (int k = 0; names[k]; k++)
		if (strcmp(names[k], name) == 0)
			return true;
	return false;
}

static bool add_folder(struct reading *r, struct group *g, const char *path, unsigned depth);

static bool add_entry(struct reading *r, struct group **g, const char *path, const char *name, bool nodes, unsigned depth)
{
	char *at = arena_printf(r->a, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name);
	struct stat st;

	if (stat(at, &st) != 0 || name[0] == '.')
		return true;
	if (S_ISDIR(st.st_mode)) {
		if (depth >= MAX_DEPTH)
			return err_add(r->err, ERR_INPUT, &(struct where){ .file = at }, "folders nested deeper than %d", MAX_DEPTH);
		return add_folder(r, nodes ? group_add(r, name) : *g, at, depth + 1);
	}
	return !S_ISREG(st.st_mode) || add_file(r, *g, at);
}

static bool add_folder(struct reading *r, struct group *g, const char *path, unsigned depth)
{
	struct dirent **name;
	int nr = scandir(path, &name, NULL, by_name);
	bool files = false, nodes, ok = nr >= 0;

	if (!ok)
		return err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
	nodes = depth == 0;
	for (int k = 0; k < nr; k++) {
		struct stat st;
		char *at = arena_printf(r->a, "%s/%s", path, name[k]->d_name);

		if (name[k]->d_name[0] == '.' || stat(at, &st) != 0)
			continue;
		files = files || S_ISREG(st.st_mode);
		nodes = nodes && !(S_ISDIR(st.st_mode) && part_of_node(name[k]->d_name));
	}
	nodes = nodes && !files;
	for (int k = 0; k < nr; k++) {
		ok = ok && add_entry(r, &g, path, name[k]->d_name, nodes, depth);
		free(name[k]);
	}
	free(name);
	return ok;
}

/* ---- nodes */

static struct node_in *node_in(struct reading *r, str name)
{
	struct node_in *n;

	for (uint32_t k = 0; k < r->nodes.nr; k++)
		if (r->nodes.v[k]->name == name)
			return r->nodes.v[k];
	n = arena_make(r->a, struct node_in);
	n->cap = r->cap;
	n->arena = r->a;
	n->strings = r->strings;
	n->name = name;
	n->rules = ruleset_new(r->a, r->strings, NULL);
	vec_add(r->a, &r->nodes, n);
	return n;
}

static void read_part(struct node_in *n, const struct part *p)
{
	switch ((enum part_format)p->format) {
	case PART_IPTABLES: read_iptables(n, p); break;
	case PART_IPTABLES_LIST: read_iptables_list(n, p); break;
	case PART_IPSET: read_ipset(n, p); break;
	case PART_NFT: read_nft(n, p); break;
	case PART_LINK: read_ip_link(n, p); break;
	case PART_ROUTE: read_ip_route(n, p); break;
	case PART_RULE: read_ip_rule(n, p); break;
	case PART_NEIGH: read_ip_neigh(n, p); break;
	case PART_FDB: read_fdb(n, p); break;
	case PART_SYSCTL: read_sysctl(n, p); break;
	case PART_IPVS: read_ipvs(n, p); break;
	case PART_SS: read_ss(n, p); break;
	case PART_BIRD_ROUTES: read_bird_routes(n, p); break;
	case PART_NONE:
	case PART_COUNT: break;
	}
}

/* Sets before the rules that ask them; iptables before nft, which shows the same tables again, with less; the kernel's routes before BIRD's. */
static const uint8_t order[] = { PART_IPSET, PART_LINK, PART_ROUTE, PART_RULE, PART_NEIGH, PART_FDB, PART_SYSCTL, PART_SS, PART_IPTABLES, PART_IPTABLES_LIST, PART_NFT, PART_IPVS, PART_BIRD_ROUTES };
static_assert(ARRAY_LEN(order) == PART_COUNT - 1, "every format is read");

/* Sessions of several machines in one folder: each file by itself holds what a node is made of. */
static bool is_node_alone(const struct split *s)
{
	bool rules = false, routes = false;

	for (uint32_t k = 0; k < s->v.nr; k++) {
		rules = rules || s->v.v[k].part.format == PART_IPTABLES || s->v.v[k].part.format == PART_NFT;
		routes = routes || s->v.v[k].part.format == PART_ROUTE;
	}
	return rules && routes;
}

static str stem_of(struct reading *r, const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;

	return str_intern_n(r->strings, base, strcspn(base, "."));
}

static void read_group(struct reading *r, struct group *g)
{
	struct split *split = arena_array(r->a, struct split, g->texts.nr ? g->texts.nr : 1);
	uint32_t alone = 0;

	VEC(struct split_part) parts = { 0 };
	bool elsewhere = false;
	str host = NULL;

	for (uint32_t k = 0; k < g->texts.nr; k++) {
		const struct text_in *t = &g->texts.v[k];

		capture_split(r->a, r->strings, t->file, t->command, t->text, t->n, &split[k]);
		alone += is_node_alone(&split[k]);
	}
	for (uint32_t k = 0; k < g->texts.nr; k++) {
		const struct text_in *t = &g->texts.v[k];
		struct split *s = &split[k];
		str node = t->node ? t->node : alone > 1 && is_node_alone(s) ? (s->host ? s->host : stem_of(r, t->file)) : NULL;

		for (uint32_t i = 0; i < s->v.nr; i++) {
			s->v.v[i].node = s->v.v[i].node ? s->v.v[i].node : node;
			vec_add(r->a, &parts, s->v.v[i]);
		}
		host = host ? host : s->host;
		elsewhere = elsewhere || s->elsewhere;
	}
	for (size_t o = 0; o < ARRAY_LEN(order); o++)
		for (uint32_t k = 0; k < parts.nr; k++) {
			struct split_part *sp = &parts.v[k];
			struct node_in *n;

			if (sp->part.format != order[o])
				continue;
			n = node_in(r, sp->node ? sp->node : g->name ? g->name : host ? host : str_intern(r->strings, "node"));
			n->elsewhere = n->elsewhere || elsewhere;
			vec_add(r->a, &r->cap->sources, (struct capture_source){ n->name, sp->part.file, str_intern(r->strings, part_names[sp->part.format]), sp->part.line });
			read_part(n, &sp->part);
		}
}

/* ---- what is missing */

static void unknown_chain(struct node_in *n, table_h t, const char *name, const char *why)
{
	chain_h c = ruleset_chain(n->rules, t, name);

	*map_put(&n->declared, n->arena, c.i) = 1;
	w_unknown(rule_begin(n->rules, c), why, 3);
}

/* A table that was not captured: at each of its hooks something may decide. */
static void table_gap(struct node_in *n, bool v6, int table, const char *why)
{
	static const struct { uint8_t table, hook; int16_t priority; } at[] = {
		{ IPT_NAT, HOOK_PREROUTING, -100 }, { IPT_NAT, HOOK_OUTPUT, -100 }, { IPT_NAT, HOOK_POSTROUTING, 100 }, { IPT_FILTER, HOOK_INPUT, 0 }, { IPT_FILTER, HOOK_FORWARD, 0 },
		{ IPT_FILTER, HOOK_OUTPUT, 0 },
	};
	table_h t = ruleset_table(n->rules, v6 ? NF_IP6 : NF_IP, "not captured", true);

	n->rules->tables.v[t.i].hidden = true;
	for (size_t k = 0; k < ARRAY_LEN(at); k++) {
		char name[32];

		if (at[k].table != table)
			continue;
		snprintf(name, sizeof(name), "%s-%d", ipt_tables[table], at[k].hook);
		ruleset_base_chain(n->rules, ruleset_chain(n->rules, t, name), (enum nf_hook)at[k].hook, NFT_FILTER, at[k].priority, OP_ACCEPT);
		unknown_chain(n, t, name, why);
	}
}

/* A table of which only a part was captured: before its first rule, and where a built-in chain was not shown. */
static void cut_table(struct node_in *n, bool v6, int table)
{
	table_h t = ruleset_table(n->rules, v6 ? NF_IP6 : NF_IP, ipt_tables[table], true);
	const char *why = arena_printf(n->arena, "table %s of %s is not complete in the capture", ipt_tables[table], v6 ? "ip6tables" : "iptables");
	static const char *const chains[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

	for (size_t k = 0; k < ARRAY_LEN(chains); k++) {
		chain_h c = iptables_chain(n, t, chains[k], NULL);
		struct chain_body *b;
		struct rule first;

		if (!ruleset_chain_get(n->rules, c)->hook)
			continue;
		w_unknown(rule_begin(n->rules, c), why, 3);
		b = ruleset_own_body(n->rules, c);
		first = b->rules.v[b->rules.nr - 1];
		memmove(b->rules.v + 1, b->rules.v, (b->rules.nr - 1) * sizeof(first));
		b->rules.v[0] = first;
	}
}

static void rules_gaps(struct node_in *n)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		bool any = false;
		const char *tool = v6 ? "ip6tables" : "iptables";

		for (int k = 0; k < IPT_TABLES; k++)
			any = any || n->ipt[v6][k].seen;
		for (int k = 0; k < IPT_TABLES; k++)
			if (n->ipt[v6][k].seen && n->ipt[v6][k].cut)
				cut_table(n, v6, k);
		for (int k = IPT_NAT; k <= IPT_FILTER; k++) {
			if (n->legacy_hidden)
				table_gap(n, v6, k, "the iptables-legacy tables are not in the capture");
			else if (n->ipt[v6][k].seen || n->whole_save[v6] || n->nft_seen)
				continue;
			else
				table_gap(n, v6, k, any ? arena_printf(n->arena, "table %s of %s is not in the capture", ipt_tables[k], tool)
							: arena_printf(n->arena, "the rules of %s are not in the capture", tool));
			if (any && !n->legacy_hidden)
				note(n, NOTE_MISSING, NULL, 0, "table %s of %s is not in the capture", ipt_tables[k], tool);
		}
		if (!any && !n->nft_seen && !v6)
			note(n, NOTE_MISSING, NULL, 0, "no rules at all (iptables-save, nft list ruleset)");
	}
	for (uint32_t k = 1; k <= ruleset_nr_chains(n->rules); k++) {
		const struct chain *c = ruleset_chain_get(n->rules, (chain_h){ k });

		if (map_find(&n->declared, k))
			continue;
		note(n, NOTE_MISSING, NULL, 0, "chain %s of table %s is a target, and is not in the capture", c->name, ruleset_table_get(n->rules, c->table)->name);
		w_unknown(rule_begin(n->rules, (chain_h){ k }), arena_printf(n->arena, "chain %s is not in the capture", c->name), 3);
	}
}

/* ---- building */

static int64_t conf(const struct node_in *n, const char *dev, const char *key, int64_t dflt)
{
	for (uint32_t k = n->confs.nr; k > 0; k--)
		if (streq(n->confs.v[k - 1].dev, dev) && streq(n->confs.v[k - 1].key, key))
			return n->confs.v[k - 1].value;
	return dflt;
}

static void build_links(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	link_in(n, "lo");
	for (uint32_t k = 0; k < n->links.nr; k++) {
		const struct link_in *l = &n->links.v[k];
		link_h h = link_add(dp, ns, l->name, (enum link_kind)l->kind);
		struct link *to = link_get(dp, h);

		to->up = !l->known || l->up;
		to->mtu = l->mtu ? l->mtu : 65536;
		to->segment = 1;
		to->vni = l->vni;
		to->local = l->local;
		memcpy(to->mac, l->mac, 6);
		to->rp_filter = (uint8_t)MAX(conf(n, "all", "net.ipv4.rp_filter", 0), conf(n, l->name, "net.ipv4.rp_filter", 0));
		to->route_localnet = conf(n, "all", "net.ipv4.route_localnet", 0) || conf(n, l->name, "net.ipv4.route_localnet", 0);
		to->proxy_arp = conf(n, "all", "net.ipv4.proxy_arp", 0) || conf(n, l->name, "net.ipv4.proxy_arp", 0);
		for (uint32_t i = 0; i < n->addrs.nr; i++)
			if (n->addrs.v[i].dev == l->name)
				addr_add(dp, h, n->addrs.v[i].ip, n->addrs.v[i].len);
	}
	for (uint32_t k = 0; k < n->links.nr; k++)
		if (n->links.v[k].master)
			link_get(dp, link_find(dp, ns, n->links.v[k].name))->master = link_find(dp, ns, n->links.v[k].master);
}

/* The outer address of a route into a tunnel: the neighbour's MAC, and where the forwarding database sends it. */
static ip_addr tunnel_end(const struct node_in *n, const struct route_in *r)
{
	ip_addr hop = ip_set(r->r.via) ? r->r.via : r->r.dst.addr;

	for (uint32_t k = 0; k < n->neighs.nr; k++) {
		if (n->neighs.v[k].dev != r->dev || !ip_eq(n->neighs.v[k].ip, hop))
			continue;
		for (uint32_t i = 0; i < n->fdbs.nr; i++)
			if (n->fdbs.v[i].dev == r->dev && memcmp(n->fdbs.v[i].mac, n->neighs.v[k].mac, 6) == 0)
				return n->fdbs.v[i].dst;
	}
	return (ip_addr){ 0, 0 };
}

static void build_routes(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	uint32_t elsewhere = 0;

	for (uint32_t k = 0; k < n->routes.nr; k++) {
		const struct route_in *in = &n->routes.v[k];
		struct route *r = route_add(dp, ns, in->r.dst);

		*r = in->r;
		r->table = r->table == TABLE_MAIN ? 0 : r->table;
		r->dev = in->dev ? link_find(dp, ns, in->dev) : (link_h){ 0 };
		if (r->dev.i && (link_get(dp, r->dev)->kind == LINK_VXLAN || link_get(dp, r->dev)->kind == LINK_IPIP))
			r->encap = link_get(dp, r->dev)->kind == LINK_IPIP ? r->via : tunnel_end(n, in);
		elsewhere += r->table && r->table != TABLE_DEFAULT;
		if (!r->dst.len && !r->table && r->dev.i && !netns_get(dp, ns)->uplink.i)
			netns_get(dp, ns)->uplink = r->dev;
	}
	if (elsewhere && !n->has_rule[0] && !n->has_rule[1] && !n->ip_rules.nr)
		note(n, NOTE_MISSING, NULL, 0, "routes in other tables than main, and no ip rule that says when they are used: they are left out");
	for (int v6 = 0; v6 <= 1; v6++)
		if (!n->has_route[v6])
			netns_get(dp, ns)->routes_unknown |= (uint8_t)(v6 ? 2 : 1);
	if (!n->has_route[0])
		note(n, NOTE_MISSING, NULL, 0, "the routes (ip route)");
}

static int by_priority(const void *a, const void *b)
{
	const struct ip_rule *x = a, *y = b;

	return x->priority != y->priority ? (x->priority < y->priority ? -1 : 1) : 0;
}

static void build_rules(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	static const struct { uint32_t priority, table; } usual[] = { { 0, TABLE_LOCAL }, { 32766, TABLE_MAIN }, { 32767, TABLE_DEFAULT } };
	struct netns *to = netns_get(dp, ns);

	if (!n->ip_rules.nr)
		return;
	for (int v6 = 0; v6 <= 1; v6++)
		for (size_t u = 0; u < ARRAY_LEN(usual); u++) {
			bool there = n->has_rule[v6];

			for (uint32_t k = 0; k < n->ip_rules.nr; k++)
				there = there || (n->ip_rules.v[k].v6 == v6 && n->ip_rules.v[k].table == usual[u].table && !n->ip_rules.v[k].from.set && !n->ip_rules.v[k].to.set);
			if (!there)
				vec_add(n->arena, &n->ip_rules, (struct ip_rule){ .priority = usual[u].priority, .v6 = v6, .does = RULE_LOOKUP, .table = usual[u].table, .suppress = -1 });
		}
	to->ip_rules.at = dp->ip_rules.nr;
	/* a stable order: priorities repeat */
	for (uint32_t k = 1; k < n->ip_rules.nr; k++)
		for (uint32_t i = k; i > 0 && by_priority(&n->ip_rules.v[i - 1], &n->ip_rules.v[i]) > 0; i--) {
			struct ip_rule x = n->ip_rules.v[i];

			n->ip_rules.v[i] = n->ip_rules.v[i - 1];
			n->ip_rules.v[i - 1] = x;
		}
	for (uint32_t k = 0; k < n->ip_rules.nr; k++)
		vec_add(n->arena, &dp->ip_rules, n->ip_rules.v[k]);
	to->ip_rules.nr = n->ip_rules.nr;
}

static void build_listeners(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	if (!n->has_listeners) {
		listener_add(dp, ns, 0, 0)->kind = LISTEN_ANY;
		return;
	}
	for (uint32_t k = 0; k < n->listeners.nr; k++)
		*listener_add(dp, ns, 0, 0) = n->listeners.v[k];
}

static void addresses_known(struct reading *r, struct node_in *n, struct netns *ns)
{
	bool derived = false;

	for (uint32_t k = 0; k < n->addrs.nr; k++)
		derived = derived || n->addrs.v[k].derived;
	if (r->opt && r->opt->nr_node_ips) {
		for (uint32_t k = 0; k < r->opt->nr_node_ips; k++) {
			ip_addr ip = r->opt->node_ips[k];
			str dev = NULL;
			bool known = false;

			for (uint32_t i = 0; i < n->addrs.nr; i++)
				known = known || ip_eq(n->addrs.v[i].ip, ip);
			for (uint32_t i = 0; i < n->routes.nr && !dev; i++)
				if (n->routes.v[i].dev && !n->routes.v[i].r.table && n->routes.v[i].r.dst.len && cidr_contains(n->routes.v[i].r.dst, ip) && !ip_set(n->routes.v[i].r.via))
					dev = n->routes.v[i].dev;
			if (known)
				continue;
			if (!dev) {
				dev = str_intern(n->strings, "lo");
				link_in(n, "lo");
			}
			vec_add(n->arena, &n->addrs, (struct addr_in){ .dev = dev, .ip = ip, .len = (uint8_t)ip_bits(ip) });
		}
	} else if (!n->has_addr && derived) {
		note(n, NOTE_ASSUMED, NULL, 0, "the node's addresses are those that its routes name (ip addr was not captured)");
	} else if (!n->has_addr) {
		ns->addrs_unknown = true;
		note(n, NOTE_MISSING, NULL, 0, "the node's addresses (ip addr); --node-ip can tell them");
	}
}

static void sets_missing(struct node_in *n)
{
	struct sb b = { 0 };

	for (uint32_t k = 0; k < n->cap->missing_sets.nr && k < 5; k++)
		sb_printf(&b, "%s%s", k ? ", " : "", n->cap->missing_sets.v[k]);
	if (n->cap->missing_sets.nr)
		note(n, NOTE_MISSING, NULL, 0, "the members of %u ipset%s that rules ask (ipset list): %s%s", n->cap->missing_sets.nr, n->cap->missing_sets.nr == 1 ? "" : "s", sb_text(&b),
		     n->cap->missing_sets.nr > 5 ? " …" : "");
	sb_free(&b);
}

static void build(struct reading *r, struct node_in *n)
{
	struct dataplane *dp = r->cap->dp;
	netns_h ns;
	struct netns *to;

	rules_gaps(n);
	sets_missing(n);
	ns = netns_add(dp, NS_NODE, arena_printf(r->a, "node/%s", n->name));
	to = netns_get(dp, ns);
	to->hostname = n->name;
	to->captured = true;
	to->ready = 1;
	to->rules = n->rules;
	addresses_known(r, n, to);
	to->forward4 = conf(n, NULL, "net.ipv4.ip_forward", conf(n, "all", "net.ipv4.forwarding", 1)) != 0;
	to->forward6 = conf(n, "all", "net.ipv6.forwarding", 1) != 0;
	to->bridge_nf = conf(n, NULL, "net.bridge.bridge-nf-call-iptables", 1) != 0;
	if (!n->confs.nr)
		note(n, NOTE_ASSUMED, NULL, 0, "no settings (sysctl): it forwards, and rp_filter is off");
	if (!n->has_listeners)
		note(n, NOTE_ASSUMED, NULL, 0, "no listening sockets (ss -lntu): the node listens where it is asked");
	if (n->elsewhere)
		note(n, NOTE_IGNORED, NULL, 0, "listings of other network namespaces (Pods) are left out");
	build_links(n, dp, ns);
	build_routes(n, dp, ns);
	build_rules(n, dp, ns);
	build_listeners(n, dp, ns);
	for (uint32_t k = 0; k < n->neighs.nr; k++) {
		link_h dev = link_find(dp, ns, n->neighs.v[k].dev);
		struct neigh x = { .ip = n->neighs.v[k].ip, .dev = dev, .failed = n->neighs.v[k].failed };

		memcpy(x.mac, n->neighs.v[k].mac, 6);
		if (dev.i)
			vec_add(r->a, &dp->neighs, x);
	}
	ruleset_finish(n->rules);
}

static struct reading begin(struct capture *out, const struct capture_options *opt, struct mem *mem, struct err *err)
{
	struct arena *a = arena_new(mem, "captured");

	*out = (struct capture){ 0 };
	out->dp = arena_make(a, struct dataplane);
	out->dp->arena = a;
	out->dp->strings = strtab_new(a);
	dataplane_begin(out->dp);
	return (struct reading){ .cap = out, .a = a, .strings = out->dp->strings, .opt = opt, .err = err };
}

static bool has_bird_config(const struct reading *r)
{
	for (uint32_t k = 0; k < r->groups.nr; k++)
		for (uint32_t i = 0; i < r->groups.v[k]->texts.nr; i++) {
			const struct text_in *t = &r->groups.v[k]->texts.v[i];

			if (memmem(t->text, t->n, "protocol bgp", 12) || memmem(t->text, t->n, "router id", 9))
				return true;
		}
	return false;
}

static bool finish(struct reading *r, const char *path)
{
	for (uint32_t k = 0; k < r->groups.nr; k++)
		read_group(r, r->groups.v[k]);
	for (uint32_t k = 0; k < r->nodes.nr; k++)
		build(r, r->nodes.v[k]);
	dataplane_finish(r->cap->dp);
	if (!r->nodes.nr && !err_any(r->err) && has_bird_config(r))
		err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "a BIRD configuration: it says what is meant, not what a node has; `birdc show route` and `ip route` are read");
	if (!r->nodes.nr && !err_any(r->err))
		err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "nothing in it that a node's tools print (iptables-save, nft list ruleset, ip route, ip addr …)");
	if (err_any(r->err)) {
		capture_free(r->cap);
		return false;
	}
	return true;
}

bool capture_read(const char *path, const struct capture_options *opt, struct mem *mem, struct capture *out, struct err *err)
{
	struct reading r = begin(out, opt, mem, err);
	struct stat st;

	if (stat(path, &st) != 0)
		err_add(err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		add_folder(&r, group_add(&r, NULL), path, 0);
	else
		add_file(&r, group_add(&r, NULL), path);
	return finish(&r, path);
}

bool capture_read_text(const char *file, const char *text, size_t n, const struct capture_options *opt, struct mem *mem, struct capture *out, struct err *err)
{
	struct reading r = begin(out, opt, mem, err);
	char *copy;

	copy = arena_strndup(r.a, text, n);
	no_zeros(copy, n);
	add_content(&r, group_add(&r, NULL), file, copy, n);
	return finish(&r, file);
}

void capture_free(struct capture *c)
{
	if (c->dp)
		arena_free(c->dp->arena);
	*c = (struct capture){ 0 };
}
