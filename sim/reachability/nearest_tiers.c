/* Changes of policies in tiers: a rule that comes first of all in the policy that decides, or the rule gone that does; and other labels, by which selectors take an end in or leave it out. */
#include "model/api/calico_selector.h"
#include "model/dataplane/packet.h"
#include "model/policy/tiers.h"
#include "sim/reachability/nearest_edits.h"

static bool is_calico(const struct object *o)
{
	return streq(o->kind->name, "NetworkPolicy") || streq(o->kind->name, "GlobalNetworkPolicy");
}

static void put(struct arena *a, struct val *map, const char *key, const char *text)
{
	val_put(a, map, key, val_string(a, text));
}

/* A label that people gave, for a selector that means the Pod; NULL: it has none. */
static const struct pair *label_of(const struct pod *p)
{
	const struct pair *found = NULL;

	for (uint32_t k = 0; k < p->o.labels.nr; k++) {
		const struct pair *l = &p->o.labels.v[k];

		if (!label_is_made_up(l->key) && (!found || streq(l->key, "app") || streq(l->key, "app.kubernetes.io/name") || streq(l->key, "k8s-app")))
			found = l;
	}
	return found;
}

static bool by_address(const struct reach_end *e)
{
	return !e->pod || e->pod->spec->host_network;
}

static struct val *net_of(struct arena *a, const struct reach_end *e)
{
	struct val *list = val_new(a, VAL_LIST);

	val_add(a, list, val_string(a, arena_printf(a, "%s/%d", IP(e->ip), ip_bits(e->ip))));
	return list;
}

static struct val *calico_rule(struct near_search *s, enum np_dir d, const struct reach_end *peer, const char *action)
{
	struct arena *a = s->a;
	struct val *rule = val_new(a, VAL_MAP), *end, *dst;

	put(a, rule, "action", action);
	put(a, rule, "protocol", l4_name(s->proto));
	end = val_put(a, rule, d == NP_EGRESS ? "destination" : "source", val_new(a, VAL_MAP));
	if (by_address(peer)) {
		val_put(a, end, "nets", net_of(a, peer));
	} else {
		const struct pair *l = label_of(peer->pod);

		put(a, end, "namespaceSelector", arena_printf(a, "projectcalico.org/name == '%s'", peer->pod->o.ns));
		if (l)
			put(a, end, "selector", arena_printf(a, "%s == '%s'", l->key, l->value));
	}
	dst = d == NP_EGRESS ? end : val_put(a, rule, "destination", val_new(a, VAL_MAP));
	val_add(a, val_put(a, dst, "ports", val_new(a, VAL_LIST)), val_int(a, s->port));
	return rule;
}

static struct val *admin_rule(struct near_search *s, const struct object *o, enum np_dir d, const struct reach_end *peer, bool allows)
{
	struct arena *a = s->a;
	bool newer = streq(o->kind->name, "ClusterNetworkPolicy");
	struct val *rule = val_new(a, VAL_MAP), *who = val_new(a, VAL_MAP), *port = val_new(a, VAL_MAP), *of;

	put(a, rule, "action", !allows ? "Deny" : newer ? "Accept" : "Allow");
	val_add(a, val_put(a, rule, d == NP_EGRESS ? "to" : "from", val_new(a, VAL_LIST)), who);
	if (by_address(peer)) {
		val_put(a, who, "networks", net_of(a, peer));
	} else {
		const struct pair *l = label_of(peer->pod);
		struct val *pods = val_put(a, who, "pods", val_new(a, VAL_MAP)), *select;

		select = val_put(a, val_put(a, pods, "namespaceSelector", val_new(a, VAL_MAP)), "matchLabels", val_new(a, VAL_MAP));
		put(a, select, "kubernetes.io/metadata.name", peer->pod->o.ns);
		select = val_put(a, pods, "podSelector", val_new(a, VAL_MAP));
		if (l)
			put(a, val_put(a, select, "matchLabels", val_new(a, VAL_MAP)), l->key, l->value);
	}
	val_add(a, val_put(a, rule, newer ? "protocols" : "ports", val_new(a, VAL_LIST)), port);
	if (newer) {
		of = val_put(a, port, s->proto == PROTO_UDP ? "udp" : s->proto == PROTO_SCTP ? "sctp" : "tcp", val_new(a, VAL_MAP));
		val_put(a, val_put(a, of, "destinationPort", val_new(a, VAL_MAP)), "number", val_int(a, s->port));
	} else {
		of = val_put(a, port, "portNumber", val_new(a, VAL_MAP));
		put(a, of, "protocol", l4_name(s->proto));
		val_put(a, of, "port", val_int(a, s->port));
	}
	return rule;
}

/* A ClusterNetworkPolicy's ingress knows no addresses. */
static void rule_edit(struct near_search *s, const struct reach_reason *x, bool allows)
{
	const char *section = x->dir == NP_EGRESS ? "egress" : "ingress";
	const struct reach_end *peer = reach_end(s->r, x->dir == NP_EGRESS ? s->to : s->from);
	const struct val *have = val_get(val_get(x->policy->doc, "spec"), section);
	struct val *rule, *list;

	if (!x->policy->doc || (!is_calico(x->policy) && x->dir == NP_INGRESS && by_address(peer)))
		return;
	rule = is_calico(x->policy) ? calico_rule(s, x->dir, peer, allows ? "Allow" : "Deny") : admin_rule(s, x->policy, x->dir, peer, allows);
	if (val_is(have, VAL_LIST)) {
		near_policy_edit(s, x->policy, "add", arena_printf(s->a, "/spec/%s/0", section), rule, arena_printf(s->a, "give %s an %s rule before the others", x->name, section));
		return;
	}
	list = val_new(s->a, VAL_LIST);
	val_add(s->a, list, rule);
	near_policy_edit(s, x->policy, "add", arena_printf(s->a, "/spec/%s", section), list, arena_printf(s->a, "give %s an %s rule", x->name, section));
}

static void without_rule(struct near_search *s, const struct reach_reason *x, int32_t index)
{
	const char *section = x->dir == NP_EGRESS ? "egress" : "ingress";

	near_policy_edit(s, x->policy, "remove", arena_printf(s->a, "/spec/%s/%d", section, index), NULL, arena_printf(s->a, "take spec.%s[%d] from %s", section, index, x->name));
}

/* ---- labels */

struct relabelling { struct near_search *s; const struct pod *pod; bool spaces, opens; };

static struct object *owner_of_label(struct relabelling *x, const char **key)
{
	bool inherited = strncmp(*key, "pcns.", 5) == 0;
	struct namespace_ *n;

	*key += inherited ? 5 : 0;
	if (strncmp(*key, "pcsa.", 5) == 0 || strncmp(*key, "projectcalico.org/", 18) == 0 || streq(*key, "kubernetes.io/metadata.name"))
		return NULL;                    /* of a ServiceAccount, or nobody's to give */
	if (!inherited && !x->spaces)
		return (struct object *)(uintptr_t)&x->pod->o;
	n = find_namespace(x->s->c, x->pod->o.ns);
	return n ? &n->o : NULL;
}

/* Each value that a selector names, given (to open); each label that it names and the end has, taken away. Which of them turn the answer is tried later. */
static void relabel(void *ctx, const char *key, const char *value, size_t n)
{
	struct relabelling *x = ctx;
	struct arena *a = x->s->a;
	const char *copy = arena_strdup(a, key);
	struct object *o = owner_of_label(x, &copy);
	const char *have = o ? label_get(&o->labels, copy) : NULL, *wanted = value ? arena_strndup(a, value, n) : "";

	if (!o)
		return;
	if (x->opens && (!have || (value && !streq(have, wanted))))
		near_label_edit(x->s, o, copy, wanted);
	if (have)
		near_label_edit(x->s, o, copy, NULL);
}

static void labels_of_end(struct near_search *s, const struct tier_end *e, const struct reach_end *end, bool opens)
{
	struct relabelling x = { s, end->pod, false, opens };

	if (by_address(end))
		return;
	if (e->selector)
		calico_selector_terms(e->selector, relabel, &x);
	if (e->without)
		calico_selector_terms(e->without, relabel, &x);
	x.spaces = true;
	if (e->spaces)
		calico_selector_terms(e->spaces, relabel, &x);
}

static void label_edits(struct near_search *s, const struct reach_reason *x, bool opens)
{
	const struct reach_end *own = reach_end(s->r, x->dir == NP_EGRESS ? s->from : s->to), *peer = reach_end(s->r, x->dir == NP_EGRESS ? s->to : s->from);
	struct tiers t = policy_tiers(s->c, s->a);

	for (uint32_t k = 0; k < t.v.nr; k++)
		for (uint32_t i = 0; i < t.v.v[k].policies.nr; i++) {
			const struct tier_policy *p = &t.v.v[k].policies.v[i];

			for (uint32_t n = 0; p->o == x->policy && n < p->rules[x->dir].nr; n++) {
				labels_of_end(s, &p->rules[x->dir].v[n].end[x->dir == NP_EGRESS], peer, opens);
				labels_of_end(s, &p->rules[x->dir].v[n].end[x->dir != NP_EGRESS], own, opens);
			}
			if (p->o == x->policy)
				labels_of_end(s, &p->subject, own, opens);
		}
}

void near_tier_edits(struct near_search *s, const struct reach_reason *x, bool opens)
{
	label_edits(s, x, opens);
	if (!x->decides && x->passes < 0)
		return;
	if (opens && x->denies >= 0)
		without_rule(s, x, x->denies);
	if (!opens && x->allows >= 0)
		without_rule(s, x, x->allows);
	rule_edit(s, x, opens);
}
