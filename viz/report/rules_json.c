/* One namespace as data: links and routes in the words of `ip -j`, tables with their chains, rules, sets and maps, each rule with the objects behind it. */
#include "viz/report/trace_report.h"
#include "viz/report/rules_json.h"

struct making { struct world *w; struct arena *a; bool causes; };

static void put_text(const struct making *m, struct val *to, const char *key, const char *s)
{
	if (s)
		val_put_new(m->a, to, key, val_string(m->a, s));
}

static void put_int(const struct making *m, struct val *to, const char *key, int64_t i)
{
	val_put_new(m->a, to, key, val_int(m->a, i));
}

static void put_causes(const struct making *m, struct val *to, cause_h h)
{
	if (m->causes)
		val_put_new(m->a, to, "causes", causes_json(m->w, h, m->a));
}

static struct val *links(const struct making *m, const struct netns *ns)
{
	static const char *const words[] = { [LINK_VETH] = "veth", [LINK_BRIDGE] = "bridge", [LINK_VXLAN] = "vxlan", [LINK_IPIP] = "ipip", [LINK_PHYS] = "phys" };
	struct val *list = val_new(m->a, VAL_LIST);

	for (uint32_t i = 0; i < ns->links.nr; i++) {
		const struct link *l = link_get(m->w->dp, netns_link(ns, i));
		struct val *v = val_add(m->a, list, val_new(m->a, VAL_MAP)), *addresses;
		char mac[18];

		put_int(m, v, "ifindex", i + 1);
		put_text(m, v, "ifname", l->name);
		put_int(m, v, "mtu", l->mtu);
		put_text(m, v, "operstate", l->up ? "UP" : "DOWN");
		put_text(m, v, "link_type", l->kind == LINK_LO ? "loopback" : "ether");
		if (l->kind != LINK_LO) {
			put_text(m, v, "kind", words[l->kind]);
			snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1], l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
			put_text(m, v, "address", mac);
		}
		if (l->master.i)
			put_text(m, v, "master", link_get(m->w->dp, l->master)->name);
		if (link_peer(m->w->dp, netns_link(ns, i)).i)
			put_text(m, v, "link_netns", netns_get(m->w->dp, link_get(m->w->dp, l->peer)->netns)->name);
		addresses = val_put_new(m->a, v, "addr_info", val_new(m->a, VAL_LIST));
		for (uint32_t k = 0; k < l->nr_addrs; k++) {
			const struct if_addr *x = &m->w->dp->addrs.v[l->addr + k];
			struct val *one = val_add(m->a, addresses, val_new(m->a, VAL_MAP));

			put_text(m, one, "family", ip_is4(x->ip) ? "inet" : "inet6");
			put_text(m, one, "local", IP(x->ip));
			put_int(m, one, "prefixlen", x->len);
		}
		put_causes(m, v, l->cause);
	}
	return list;
}

static struct val *routes(const struct making *m, netns_h h)
{
	struct val *list = val_new(m->a, VAL_LIST);
	struct route *r;
	uint32_t nr;

	routes_of(m->w->dp, h, m->a, &r, &nr);
	for (uint32_t k = 0; k < nr; k++) {
		struct val *v = val_add(m->a, list, val_new(m->a, VAL_MAP));

		if (r[k].type != RT_UNICAST)
			put_text(m, v, "type", route_type_names[r[k].type]);
		put_text(m, v, "dst", !r[k].dst.len ? "default" : r[k].dst.len == ip_bits(r[k].dst.addr) ? IP(r[k].dst.addr) : CIDR(r[k].dst));
		if (ip_set(r[k].via))
			put_text(m, v, "gateway", IP(r[k].via));
		if (r[k].dev.i && r[k].type == RT_UNICAST)
			put_text(m, v, "dev", link_get(m->w->dp, r[k].dev)->name);
		if (*route_proto_names[r[k].proto])
			put_text(m, v, "protocol", route_proto_names[r[k].proto]);
		if (r[k].scope_link)
			put_text(m, v, "scope", "link");
		if (ip_set(r[k].src))
			put_text(m, v, "prefsrc", IP(r[k].src));
		if (r[k].metric)
			put_int(m, v, "metric", r[k].metric);
		if (r[k].table && r[k].table != TABLE_MAIN)
			put_int(m, v, "table", r[k].table);
		if (r[k].onlink)
			val_add(m->a, val_put_new(m->a, v, "flags", val_new(m->a, VAL_LIST)), val_string(m->a, "onlink"));
		put_causes(m, v, r[k].cause);
	}
	return list;
}

static struct val *rules(const struct making *m, const struct ruleset *rs, chain_h h)
{
	struct val *list = val_new(m->a, VAL_LIST);
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(rs, h, &owner);
	struct sb text = { 0 };

	for (uint32_t k = 0; k < b->rules.nr; k++) {
		const struct rule *r = &b->rules.v[k];
		struct val *v = val_add(m->a, list, val_new(m->a, VAL_MAP));

		sb_reset(&text);
		rule_text(owner, ruleset_chain_get(rs, h), r, &text);
		put_text(m, v, "text", sb_text(&text));
		put_text(m, v, "comment", r->comment);
		put_causes(m, v, r->cause);
	}
	sb_free(&text);
	return list;
}

static struct val *elements(const struct making *m, const struct ruleset *rs, set_h h)
{
	struct val *list = val_new(m->a, VAL_LIST);
	const struct ruleset *owner;
	const struct set *s = ruleset_set_get(rs, h);
	const struct set_body *b = set_body(rs, h, &owner);
	struct sb text = { 0 };

	set_body_order(owner, s, b);
	for (uint32_t k = 0; k < b->nr; k++) {
		struct val *v = val_add(m->a, list, val_new(m->a, VAL_MAP));

		sb_reset(&text);
		elem_text(owner, s, &b->v[k], &text);
		put_text(m, v, "text", sb_text(&text));
		put_causes(m, v, b->v[k].cause);
	}
	sb_free(&text);
	return list;
}

static struct val *chains(const struct making *m, const struct ruleset *rs, table_h t)
{
	struct val *list = val_new(m->a, VAL_LIST);
	uint32_t nr, *order = ruleset_in_order(rs, false, m->a, &nr);

	for (uint32_t k = 0; k < nr; k++) {
		chain_h i = { order[k] };
		const struct chain *c = ruleset_chain_get(rs, i);
		struct val *v;

		if (c->table.i != t.i)
			continue;
		v = val_add(m->a, list, val_new(m->a, VAL_MAP));
		put_text(m, v, "name", c->name);
		put_text(m, v, "comment", c->comment);
		if (c->hook) {
			put_text(m, v, "type", nf_type_names[c->type]);
			put_text(m, v, "hook", nf_hook_names[c->hook]);
			put_int(m, v, "priority", c->priority);
			put_text(m, v, "policy", c->policy == OP_DROP ? "drop" : "accept");
		}
		val_put_new(m->a, v, "rules", rules(m, rs, i));
	}
	return list;
}

static struct val *sets(const struct making *m, const struct ruleset *rs, table_h t)
{
	static const char *const words[] = { [SET_PLAIN] = "set", [SET_VMAP] = "vmap", [SET_MAP] = "map" };
	struct val *list = val_new(m->a, VAL_LIST);
	uint32_t nr, *order = ruleset_in_order(rs, true, m->a, &nr);

	for (uint32_t k = 0; k < nr; k++) {
		set_h i = { order[k] };
		const struct set *s = ruleset_set_get(rs, i);
		struct val *v;

		if (s->table.i != t.i || s->flags & SETF_ANONYMOUS)
			continue;
		v = val_add(m->a, list, val_new(m->a, VAL_MAP));
		put_text(m, v, "name", s->name);
		put_text(m, v, "kind", words[s->kind]);
		put_text(m, v, "comment", s->comment);
		if (s->timeout)
			put_int(m, v, "timeout", s->timeout);
		val_put_new(m->a, v, "elements", elements(m, rs, i));
	}
	return list;
}

struct val *rules_json(struct world *w, netns_h h, bool causes, struct arena *a)
{
	const struct making m = { w, a, causes };
	const struct netns *ns = netns_get(w->dp, h);
	struct val *v = val_new(a, VAL_MAP), *tables;

	put_text(&m, v, "netns", ns->name);
	val_put_new(a, v, "links", links(&m, ns));
	val_put_new(a, v, "routes", routes(&m, h));
	tables = val_put_new(a, v, "tables", val_new(a, VAL_LIST));
	for (uint32_t t = 1; ns->rules && t <= ruleset_nr_tables(ns->rules); t++) {
		const struct table *table = ruleset_table_get(ns->rules, (table_h){ t });
		struct val *one;

		if (table->hidden)
			continue;
		one = val_add(a, tables, val_new(a, VAL_MAP));
		put_text(&m, one, "tool", table->iptables ? "iptables" : "nft");
		put_text(&m, one, "family", nf_family_names[table->family]);
		put_text(&m, one, "name", table->name);
		put_text(&m, one, "comment", table->comment);
		val_put_new(a, one, "chains", chains(&m, ns->rules, (table_h){ t }));
		val_put_new(a, one, "sets", sets(&m, ns->rules, (table_h){ t }));
	}
	return v;
}

uint32_t rules_json_print(struct world *w, const char *node, bool causes, FILE *to)
{
	struct arena *a = arena_new(NULL, "rules");
	const struct arena_mark empty = arena_mark(a);
	struct sb out = { 0 };
	uint32_t nr = 0;

	fputs("{\"nodes\": [", to);
	NETNS_EACH(w->dp, k) {
		const struct netns *ns = netns_get(w->dp, (netns_h){ k });

		if (ns->kind != NS_NODE || (node && strcmp(node, ns->hostname) != 0))
			continue;
		dataplane_node_ready(w->dp, (netns_h){ k });
		sb_reset(&out);
		val_print_json(rules_json(w, (netns_h){ k }, causes, a), &out, 1, false);
		fprintf(to, "%s%s", nr++ ? ",\n" : "\n", sb_text(&out));
		arena_rewind(a, empty);
	}
	fputs("\n]}\n", to);
	sb_free(&out);
	arena_free(a);
	return nr;
}
