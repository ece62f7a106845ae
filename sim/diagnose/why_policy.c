/* A way that ends in a policy's chain: all policies that isolate the end, what failed first in each of their rules, and a policy that would let it pass. */
#include "model/dataplane/packet.h"
#include "sim/diagnose/diagnose.h"
#include "sim/reachability/nearest.h"

static bool told_of(struct diagnosis *d, const char *code, const struct object *o)
{
	for (uint32_t k = 0; k < d->findings.nr; k++)
		if (streq(d->findings.v[k].code, code) && d->findings.v[k].evidence.nr && streq(d->findings.v[k].evidence.v[0].object, object_name(d, o)))
			return true;
	return false;
}

static bool has_side(const struct denial *x, enum np_dir dir, uint32_t k)
{
	return x->why.v[k].dir == dir && x->why.v[k].decides && !(dir == NP_EGRESS ? x->why.out : x->why.in);
}

/* "NetworkPolicy a isolates" or "NetworkPolicies a and b isolate"; with other kinds among them each has its own. */
static const char *who_isolates(struct diagnosis *d, const struct denial *x, enum np_dir dir, uint32_t nr)
{
	struct sb s = { 0 };
	uint32_t at = 0;
	const char *text;
	bool mixed = false;

	for (uint32_t k = 0; k < x->why.nr; k++)
		mixed = mixed || (has_side(x, dir, k) && x->why.v[k].policy->kind != &network_policy_kind);
	sb_add(&s, mixed ? "" : nr > 1 ? "NetworkPolicies " : "NetworkPolicy ");
	for (uint32_t k = 0; k < x->why.nr; k++)
		if (has_side(x, dir, k))
			sb_printf(&s, "%s%s%s%s", !at++ ? "" : at < nr ? ", " : " and ", mixed ? x->why.v[k].policy->kind->name : "", mixed ? " " : "", x->why.v[k].policy->name);
	sb_add(&s, nr > 1 ? " isolate" : " isolates");
	text = arena_strdup(d->arena, sb_text(&s));
	sb_free(&s);
	return text;
}

/* The labels that people gave, for a selector that means the Pod; NULL: it has none. */
static const char *labels_text(struct diagnosis *d, const struct pod *p)
{
	struct sb s = { 0 };
	const char *text;

	for (uint32_t i = 0; i < p->o.labels.nr; i++)
		if (!label_is_made_up(p->o.labels.v[i].key))
			sb_printf(&s, "%s\"%s\": \"%s\"", s.len ? ", " : "", p->o.labels.v[i].key, p->o.labels.v[i].value);
	text = s.len ? arena_strdup(d->arena, sb_text(&s)) : NULL;
	sb_free(&s);
	return text;
}

/* One item of from or to that means the other end; NULL: none does. */
static const char *peer_text(struct diagnosis *d, const struct pod *held, const struct pod *other, const char *name)
{
	const char *labels = other ? labels_text(d, other) : NULL;
	ip_addr ip;

	if (other)
		return !labels ? NULL : arena_printf(d->arena, "{podSelector: {matchLabels: {%s}}%s}", labels, streq(held->o.ns, other->o.ns) ? "" :
				    arena_printf(d->arena, ", namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \"%s\"}}", other->o.ns));
	return !ip_parse(name, &ip) ? NULL : arena_printf(d->arena, "{ipBlock: {cidr: \"%s/%d\"}}", IP(ip), ip_bits(ip));
}

/* A name that no policy has yet: what exists must stay as it is. */
static const char *free_name(struct diagnosis *d, const struct object *p, const char *section)
{
	const char *name = arena_printf(d->arena, "%s-allow-%s", p->name, section);

	for (uint32_t k = 2; cluster_find(d->world->cluster, &network_policy_kind, p->ns, name); k++)
		name = arena_printf(d->arena, "%s-allow-%s-%u", p->name, section, k);
	return name;
}

static void side(struct diagnosis *d, const struct denial *x, enum np_dir dir)
{
	bool out = dir == NP_EGRESS;
	const char *code = out ? "policy-egress" : "policy-ingress", *section = out ? "egress" : "ingress", *peer, *labels;
	const struct pod *held = x->pod[!out], *other = x->pod[out];
	const struct object *first = NULL;
	const struct reach_reason *denies = NULL;
	struct finding *f;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < x->why.nr; k++)
		if (has_side(x, dir, k)) {
			first = first ? first : x->why.v[k].policy;
			denies = x->why.v[k].denies >= 0 ? &x->why.v[k] : denies;
			nr++;
		}
	if (!first || !held || told_of(d, code, first))
		return;
	if (denies)
		f = finding(d, FINDING_CAUSE, code, "%s denies %s by spec.%s[%d], at %s %s", denies->name, section, section, denies->denies, out ? "the sender" : "the receiver", held->o.name);
	else
		f = finding(d, FINDING_CAUSE, code, "%s %s %s for %s, and none of %s rules lets %s through", who_isolates(d, x, dir, nr), out ? "the sender" : "the receiver", held->o.name, section,
		    nr > 1 ? "their" : "its", other ? other->o.name : out ? x->to : x->from);
	for (uint32_t k = 0; k < x->why.nr; k++) {
		const struct reach_reason *why = &x->why.v[k];

		if (!has_side(x, dir, k))
			continue;
		evidence(d, f, why->policy, why->selects, NULL);
		for (uint32_t i = 0; i < why->nr; i++)
			vec_add(d->arena, &f->evidence, (struct evidence){ object_name(d, why->policy), why->v[i].path, why->v[i].text, why->policy->file, why->v[i].line });
	}
	if (denies || first->kind != &network_policy_kind) {
		remedy(d, f, "policies of a tier are asked in their order, and the first rule that matches decides: one that allows this way must stand before it, in the policy or in an earlier one");
		return;
	}
	remedy(d, f, "policies add up: one that allows this way is enough. Policies see Pod addresses and Pod ports, after a Service's translation");
	peer = peer_text(d, held, other, out ? x->to : x->from);
	labels = labels_text(d, held);
	if (peer && labels) {
		const char *name = free_name(d, first, section);

		fix_apply(d, f, &network_policy_kind, held->o.ns, name,
			  "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: \"%s\", namespace: \"%s\"}, spec: {podSelector: {matchLabels: {%s}}, policyTypes: [%s], %s: [{%s: [%s]%s}]}}",
			  name, held->o.ns, labels, out ? "Egress" : "Ingress", section, out ? "to" : "from", peer,
			  x->port ? arena_printf(d->arena, ", ports: [{protocol: %s, port: %u}]", l4_name(x->proto), x->port) : "");
	}
}

/* Where both sides deny, neither mends it alone: one document with both. */
static void mend_both(struct diagnosis *d, struct finding *sender, struct finding *receiver)
{
	struct val *list = val_new(d->arena, VAL_MAP), *items;

	if (!sender->fix || !receiver->fix)
		return;
	val_put(d->arena, list, "apiVersion", val_string(d->arena, "v1"));
	val_put(d->arena, list, "kind", val_string(d->arena, "List"));
	items = val_put(d->arena, list, "items", val_new(d->arena, VAL_LIST));
	val_add(d->arena, items, val_copy(d->arena, sender->fix->doc));
	val_add(d->arena, items, val_copy(d->arena, receiver->fix->doc));
	sender->fix->doc = list;
	receiver->fix = NULL;
	remedy(d, sender, "both ends deny it, so it takes a policy for each that allows this way. Policies see Pod addresses and Pod ports, after a Service's translation");
	remedy(d, receiver, "what is given for the sender's side above allows it on this side, too");
}

/* The sender's side first: the receiver's is another finding, for both must allow it. */
bool why_policy(struct diagnosis *d, const struct outcome_view *o)
{
	uint32_t before = d->findings.nr;
	struct denial x;

	if (!outcome_policies(d->world, o, d->arena, &x))
		return false;
	side(d, &x, NP_EGRESS);
	side(d, &x, NP_INGRESS);
	if (d->findings.nr == before + 2)
		mend_both(d, &d->findings.v[before], &d->findings.v[before + 1]);
	return true;
}
