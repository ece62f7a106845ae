#include "sim/reachability/nearest_edits.h"

#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/dataplane/packet.h"

/* ---- making a change, and taking it back */

static pair_list with_label(struct near_search *s, const pair_list *l, const char *key, const char *value)
{
	pair_list out = { arena_array(cluster_arena(s->c), struct pair, l->nr + 1), 0, true };
	bool done = !value;

	for (uint32_t k = 0; k < l->nr; k++) {
		int d = strcmp(l->v[k].key, key);

		if (d > 0 && !done) {
			out.v[out.nr++] = (struct pair){ cluster_str(s->c, key), cluster_str(s->c, value) };
			done = true;
		}
		if (d != 0)
			out.v[out.nr++] = l->v[k];
		else if (value)
			out.v[out.nr++] = (struct pair){ l->v[k].key, cluster_str(s->c, value) };
		done = done || d == 0;
	}
	if (!done)
		out.v[out.nr++] = (struct pair){ cluster_str(s->c, key), cluster_str(s->c, value) };
	return out;
}

static struct val *step(struct val *v, const char *word, size_t n)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)n, word);
	return (struct val *)(uintptr_t)(val_is(v, VAL_LIST) ? val_at(v, (uint32_t)strtoul(name, NULL, 10)) : val_get(v, name));
}

static void list_remove(struct val *list, uint32_t at)
{
	struct val *before = NULL, *v = list->first;

	for (uint32_t k = 0; k < at && v; k++) {
		before = v;
		v = v->next;
	}
	if (!v)
		return;
	if (before)
		before->next = v->next;
	else
		list->first = v->next;
	if (list->last == v)
		list->last = before;
	list->nr--;
}

static void list_begin(struct val *list, struct val *v)
{
	v->next = list->first;
	list->first = v;
	list->last = list->last ? list->last : v;
	list->nr++;
}

/* The patch of an edit, done to a document. false: the path does not lead there. */
static bool patch_apply(struct arena *a, struct val *doc, const struct near_edit *e)
{
	struct val *at = doc;
	const char *p = e->path + 1, *last = strrchr(e->path, '/') + 1;

	for (; p < last; p += strcspn(p, "/") + 1)
		if (!(at = step(at, p, strcspn(p, "/"))))
			return false;
	if (strcmp(e->op, "remove") == 0)
		list_remove(at, (uint32_t)strtoul(last, NULL, 10));
	else if (strcmp(last, "0") == 0 && val_is(at, VAL_LIST))
		list_begin(at, val_copy(a, e->add));
	else if (strcmp(last, "-") == 0)
		val_add(a, at, val_copy(a, e->add));
	else
		val_put(a, at, last, val_copy(a, e->add));
	return true;
}

/* As the API server has it: defaulting has happened long before a patch comes. */
static struct val *live_document(struct near_search *s, const struct object *o)
{
	struct val *doc = val_copy(s->a, o->doc), *spec = val_get_mut(doc, "spec"), *types;
	const struct network_policy *p = (const struct network_policy *)o;

	if (o->kind != &network_policy_kind)
		return doc;
	if (!spec)
		spec = val_put(s->a, doc, "spec", val_new(s->a, VAL_MAP));
	types = val_put(s->a, spec, "policyTypes", val_new(s->a, VAL_LIST));
	for (uint32_t k = 0; k < p->types.nr; k++)
		val_add(s->a, types, val_string(s->a, p->types.v[k]));
	return doc;
}

static bool replace(struct near_search *s, struct object *o, const struct val *doc)
{
	struct apply_options opt = { .unknown = VALIDATE_IGNORE, .validate = true };
	struct err err = { 0 };
	bool ok = apply_replace(s->c, o, (struct val *)(uintptr_t)doc, &opt, &err) != APPLY_ERROR;

	err_free(&err);
	return ok;
}

bool near_make(struct near_search *s, const struct near_edit *e, struct near_undo *u)
{
	struct val *doc;

	if (e->key) {
		u->labels = e->o->labels;
		cluster_relabel(s->c, e->o, with_label(s, &e->o->labels, e->key, e->value));
		return true;
	}
	doc = live_document(s, e->o);
	u->doc = val_copy(s->a, e->o->doc);
	return patch_apply(s->a, doc, e) && replace(s, e->o, doc);
}

void near_unmake(struct near_search *s, const struct near_edit *e, const struct near_undo *u)
{
	if (e->key)
		cluster_relabel(s->c, e->o, u->labels);
	else
		replace(s, e->o, u->doc);
}

/* ---- what could be changed */

static void add_edit(struct near_search *s, struct near_edit e)
{
	if (s->edits.nr < 200)
		vec_add(s->a, &s->edits, e);
}

static const char *end_name(struct near_search *s, uint32_t end)
{
	return reach_name(s->r, end, s->a);
}

bool label_is_made_up(const char *key)
{
	static const char *const keys[] = { "pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "controller-uid",
		"batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name", "pod-template-generation", NULL };

	for (int k = 0; keys[k]; k++)
		if (strcmp(keys[k], key) == 0)
			return true;
	return false;
}

static struct val *labels_of(struct near_search *s, const struct pod *p)
{
	static const char *const names[] = { "app", "app.kubernetes.io/name", "k8s-app", NULL };
	struct val *v = val_new(s->a, VAL_MAP), *labels = val_put(s->a, v, "matchLabels", val_new(s->a, VAL_MAP));

	for (int k = 0; names[k] && !labels->nr; k++)
		if (label_get(&p->o.labels, names[k]))
			val_put(s->a, labels, names[k], val_string(s->a, label_get(&p->o.labels, names[k])));
	for (uint32_t k = 0; k < p->o.labels.nr && !label_get(&p->o.labels, "app") && !labels->nr; k++)
		if (!label_is_made_up(p->o.labels.v[k].key))
			val_put(s->a, labels, p->o.labels.v[k].key, val_string(s->a, p->o.labels.v[k].value));
	return labels->nr ? v : val_new(s->a, VAL_MAP);
}

/* An item of from or to that means the end. */
static struct val *peer_of(struct near_search *s, const struct network_policy *np, uint32_t end)
{
	const struct reach_end *e = reach_end(s->r, end);
	struct val *v = val_new(s->a, VAL_MAP), *ns;

	if (!e->pod || e->pod->spec->host_network) {
		struct val *block = val_put(s->a, v, "ipBlock", val_new(s->a, VAL_MAP));

		val_put(s->a, block, "cidr", val_string(s->a, arena_printf(s->a, "%s/%d", IP(e->ip), ip_bits(e->ip))));
		return v;
	}
	if (e->pod->o.ns != np->o.ns) {
		ns = val_put(s->a, v, "namespaceSelector", val_new(s->a, VAL_MAP));
		val_put(s->a, val_put(s->a, ns, "matchLabels", val_new(s->a, VAL_MAP)), "kubernetes.io/metadata.name", val_string(s->a, e->pod->o.ns));
	}
	val_put(s->a, v, "podSelector", labels_of(s, e->pod));
	return v;
}

static struct val *port_value(struct near_search *s)
{
	struct val *v = val_new(s->a, VAL_MAP);

	val_put(s->a, v, "protocol", val_string(s->a, l4_name(s->proto)));
	val_put(s->a, v, "port", val_int(s->a, s->port));
	return v;
}

/* A Pod that loses a label by which its ReplicaSet knows it is replaced by another one without the change. */
static bool owner_selects_by(struct near_search *s, const struct object *o, const char *key)
{
	static const struct kind *const kinds_of[] = { &replicaset_kind, &statefulset_kind, &daemonset_kind };

	for (uint32_t k = 0; k < o->owners.nr; k++)
		for (size_t i = 0; i < ARRAY_LEN(kinds_of); i++) {
			const struct workload *w = streq(o->owners.v[k].kind, kinds_of[i]->name) ? (const struct workload *)cluster_find(s->c, kinds_of[i], o->ns, o->owners.v[k].name) : NULL;

			if (w && label_get(&w->selector.labels, key))
				return true;
		}
	return false;
}

void near_label_edit(struct near_search *s, struct object *o, const char *key, const char *value)
{
	const char *kind = o->kind == &namespace_kind ? "namespace" : "Pod";

	if (owner_selects_by(s, o, key) || strcmp(key, "kubernetes.io/metadata.name") == 0)
		return;
	add_edit(s, (struct near_edit){ .o = o, .key = key, .value = value,
				   .what = value ? arena_printf(s->a, "give %s %s the label %s=%s", kind, o->name, key, value) : arena_printf(s->a, "take the label %s from %s %s", key, kind, o->name) });
}

/* For each requirement that does not hold, the label that makes it hold. */
static void selector_edit(struct near_search *s, struct object *o, const struct selector *sel)
{
	for (uint32_t k = 0; k < sel->labels.nr; k++)
		if (!streq(label_get(&o->labels, sel->labels.v[k].key), sel->labels.v[k].value))
			near_label_edit(s, o, sel->labels.v[k].key, sel->labels.v[k].value);
	for (uint32_t k = 0; k < sel->exprs.nr; k++) {
		const struct requirement *q = &sel->exprs.v[k];
		const struct selector only = { .exprs = { (struct requirement *)(uintptr_t)q, 1, true } };

		if (selector_matches(&only, &o->labels))
			continue;
		if (q->op - 1 == SEL_IN && q->values.nr)
			near_label_edit(s, o, q->key, q->values.v[0]);
		else if (q->op - 1 == SEL_EXISTS)
			near_label_edit(s, o, q->key, "true");
		else
			near_label_edit(s, o, q->key, NULL);
	}
}

static void peer_edits(struct near_search *s, const struct network_policy *np, const struct np_peers *peer, uint32_t other)
{
	struct pod *pod = (struct pod *)(uintptr_t)reach_end(s->r, other)->pod;
	struct namespace_ *ns = pod ? find_namespace(s->c, pod->o.ns) : NULL;

	if (!pod || !ns || pod->spec->host_network || peer->block.set || (!peer->namespaces && pod->o.ns != np->o.ns))
		return;
	if (peer->namespaces)
		selector_edit(s, &ns->o, peer->namespaces);
	if (peer->pods)
		selector_edit(s, &pod->o, peer->pods);
}

void near_policy_edit(struct near_search *s, const struct object *o, const char *op, const char *path, const struct val *add, const char *what)
{
	if (o->doc)
		add_edit(s, (struct near_edit){ .o = (struct object *)(uintptr_t)o, .op = op, .path = path, .add = add, .what = what });
}

/* One direction of a connection that it denies: labels of the other end, ports and items of a rule, a rule more. */
void near_open_edits(struct near_search *s, enum np_dir d, const struct reach_why *why)
{
	const char *section = d == NP_EGRESS ? "egress" : "ingress", *side = d == NP_EGRESS ? "to" : "from";
	uint32_t other = d == NP_EGRESS ? s->to : s->from;

	for (uint32_t k = 0; k < why->nr; k++) {
		const struct network_policy *np = (const struct network_policy *)why->v[k].policy;
		struct np_compiled p;
		struct val *rule;

		if (why->v[k].dir == d && why->v[k].policy->kind != &network_policy_kind)
			near_tier_edits(s, &why->v[k], true);
		if (why->v[k].dir != d || why->v[k].policy->kind != &network_policy_kind)
			continue;
		policy_compile(np, s->a, &p);
		for (uint32_t i = 0; i < p.nr_rules[d]; i++) {
			const struct np_compiled_rule *r = &p.rules[d][i];

			for (uint32_t x = 0; x < r->nr_peers; x++)
				peer_edits(s, np, &r->peers[x], other);
			if (r->nr_ports)
				near_policy_edit(s, &np->o, "add", arena_printf(s->a, "/spec/%s/%u/ports/-", section, i), port_value(s),
					    arena_printf(s->a, "let NetworkPolicy %s/%s also allow the port, in spec.%s[%u]", np->o.ns, np->o.name, section, i));
			if (!r->peers[0].all)
				near_policy_edit(s, &np->o, "add", arena_printf(s->a, "/spec/%s/%u/%s/-", section, i, side), peer_of(s, np, other),
					    arena_printf(s->a, "let NetworkPolicy %s/%s also mean %s, in spec.%s[%u]", np->o.ns, np->o.name, end_name(s, other), section, i));
		}
		rule = val_new(s->a, VAL_MAP);
		val_add(s->a, val_put(s->a, rule, side, val_new(s->a, VAL_LIST)), peer_of(s, np, other));
		val_add(s->a, val_put(s->a, rule, "ports", val_new(s->a, VAL_LIST)), port_value(s));
		if (val_is(val_get(val_get(np->o.doc, "spec"), section), VAL_LIST)) {
			near_policy_edit(s, &np->o, "add", arena_printf(s->a, "/spec/%s/-", section), rule, arena_printf(s->a, "give NetworkPolicy %s/%s an %s rule more", np->o.ns, np->o.name, section));
		} else {
			struct val *list = val_new(s->a, VAL_LIST);

			val_add(s->a, list, rule);
			near_policy_edit(s, &np->o, "add", arena_printf(s->a, "/spec/%s", section), list, arena_printf(s->a, "give NetworkPolicy %s/%s an %s rule", np->o.ns, np->o.name, section));
		}
	}
}

/* One rule that allows it: without an item or a port, where others remain (an empty list would mean all), without the rule, or without a label that it wants. */
static void close_rule(struct near_search *s, const struct network_policy *np, const struct np_compiled_rule *r, struct pod *other)
{
	const char *section = r->dir == NP_EGRESS ? "egress" : "ingress", *side = r->dir == NP_EGRESS ? "to" : "from";
	const struct { const char *list; uint32_t nr; } parts[] = { { side, r->nr_peers }, { "ports", r->nr_ports } };

	for (size_t l = 0; l < ARRAY_LEN(parts); l++)
		for (uint32_t k = 0; parts[l].nr > 1 && k < parts[l].nr; k++)
			near_policy_edit(s, &np->o, "remove", arena_printf(s->a, "/spec/%s/%u/%s/%u", section, r->index, parts[l].list, k), NULL,
				    arena_printf(s->a, "take spec.%s[%u].%s[%u] from NetworkPolicy %s/%s", section, r->index, parts[l].list, k, np->o.ns, np->o.name));
	near_policy_edit(s, &np->o, "remove", arena_printf(s->a, "/spec/%s/%u", section, r->index), NULL,
		    arena_printf(s->a, "take spec.%s[%u] from NetworkPolicy %s/%s", section, r->index, np->o.ns, np->o.name));
	for (uint32_t i = 0; other && i < r->nr_peers; i++)
		for (uint32_t l = 0; r->peers[i].pods && l < r->peers[i].pods->labels.nr; l++)
			near_label_edit(s, &other->o, r->peers[i].pods->labels.v[l].key, NULL);
}

void near_close_edits(struct near_search *s, const struct reach_why *why)
{
	for (uint32_t k = 0; k < why->nr; k++) {
		const struct reach_reason *x = &why->v[k];
		uint32_t other = x->dir == NP_EGRESS ? s->to : s->from;
		struct np_compiled p;

		if (x->policy->kind != &network_policy_kind) {
			near_tier_edits(s, x, false);
			continue;
		}
		policy_compile((const struct network_policy *)x->policy, s->a, &p);
		for (uint32_t i = 0; i < x->nr; i++)
			if (x->v[i].allows)
				close_rule(s, (const struct network_policy *)x->policy, &p.rules[x->dir][x->v[i].rule], (struct pod *)(uintptr_t)reach_end(s->r, other)->pod);
	}
}
