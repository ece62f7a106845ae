/* Why a connection is allowed or denied: every policy that isolates an end, the first thing in each of its rules that failed, and what would turn the answer. */
#include "viz/report/findings.h"
#include "viz/report/matrix_report.h"

static const char *place(const struct object *o, uint32_t line, struct arena *a)
{
	return o->file ? arena_printf(a, "%s:%u", o->file, line) : "";
}

static const char *verdict(const struct why_report *w)
{
	return w->why.allowed ? "allowed" : "denied";
}

const char *matrix_why_sentence(const struct why_report *w, struct arena *a)
{
	return reach_why_sentence(&w->why, w->from, w->to, a);
}

static void side_text(const struct reach_why *w, const char *who, enum np_dir d, struct arena *a, struct sb *out)
{
	const char *name = d == NP_EGRESS ? "egress" : "ingress";
	bool open = d == NP_EGRESS ? w->out : w->in, any = false;

	for (uint32_t k = 0; k < w->nr; k++)
		any = any || w->v[k].dir == d;
	sb_printf(out, "  %s of %s: %s", name, who, open ? "allowed" : "denied");
	if (d == NP_INGRESS && w->from_node)
		sb_add(out, ", for it comes from the Pod's own node");
	else if (d == NP_EGRESS && w->to_node)
		sb_add(out, ", for it goes to the Pod's own node");
	else if (!any)
		sb_add(out, ", for no policy isolates it");
	sb_addc(out, '\n');
	for (uint32_t k = 0; k < w->nr; k++) {
		const struct reach_reason *x = &w->v[k];

		if (x->dir != d)
			continue;
		if (x->tier && (!k || w->v[k - 1].dir != d || !streq(w->v[k - 1].tier, x->tier)))
			sb_printf(out, "    tier %s\n", x->tier);
		sb_printf(out, "    %s selects it%s%s%s\n", x->name, x->policy->file ? " (" : "", place(x->policy, x->line, a),
			  x->policy->file ? ")" : "");
		for (uint32_t i = 0; i < x->nr; i++) {
			sb_printf(out, "      %s %s: ", x->v[i].allows ? "✓" : "✗", x->v[i].path);
			sb_add_shown(out, x->v[i].text, true);
			if (x->policy->file)
				sb_printf(out, " (%s)", place(x->policy, x->v[i].line, a));
			sb_addc(out, '\n');
		}
	}
}

void policies_text(const struct reach_why *w, const char *from, const char *to, struct arena *a, struct sb *out)
{
	side_text(w, from, NP_EGRESS, a, out);
	side_text(w, to, NP_INGRESS, a, out);
}

static void near_text(const struct near_misses *n, struct arena *a, struct sb *out)
{
	sb_printf(out, "  %s\n", n->none ? n->none : n->opens ? "what would open it (each was applied to a copy and asked again):" : "what would close it (each was applied to a copy and asked again):");
	for (uint32_t k = 0; k < n->nr; k++) {
		sb_add(out, "    ");
		sb_add_shown(out, n->v[k].what, true);
		if (n->v[k].others)
			sb_printf(out, "; it %s %" PRIu64 " more pair%s of Pods", n->opens ? "opens" : "closes", n->v[k].others, n->v[k].others == 1 ? "" : "s");
		sb_addc(out, '\n');
		for (uint32_t i = 0; i < n->v[k].nr; i++) {
			sb_add(out, "      ");
			sb_add_shown(out, near_command(&n->v[k].v[i], a), true);
			sb_addc(out, '\n');
		}
	}
}

void matrix_why_text(const struct why_report *w, struct arena *a, struct sb *out)
{
	sb_printf(out, "%s → %s, %s: %s\n", w->from, w->to, reach_port_text(&w->port, a), verdict(w));
	if (w->enforced_by)
		sb_printf(out, "  %s\n", w->enforced_by);
	if (w->why.itself) {
		sb_add(out, "  a Pod always reaches itself\n");
		return;
	}
	policies_text(&w->why, w->from, w->to, a, out);
	if (w->near)
		near_text(w->near, a, out);
}

/* ---- JSON */

static struct val *reason_json(const struct reach_reason *x, struct arena *a)
{
	struct val *m = val_new(a, VAL_MAP), *rules;

	val_put(a, m, "policy", val_string(a, strchr(x->name, ' ') + 1));
	if (x->tier) {
		val_put(a, m, "kind", val_string(a, x->policy->kind->name));
		val_put(a, m, "tier", val_string(a, x->tier));
		val_put(a, m, "denies", x->denies >= 0 ? val_int(a, x->denies) : val_new(a, VAL_NULL));
		val_put(a, m, "passes", x->passes >= 0 ? val_int(a, x->passes) : val_new(a, VAL_NULL));
		val_put(a, m, "decides", val_bool(a, x->decides));
	}
	val_put(a, m, "direction", val_string(a, x->dir == NP_EGRESS ? "egress" : "ingress"));
	if (x->policy->file) {
		val_put(a, m, "file", val_string(a, x->policy->file));
		val_put(a, m, "line", val_int(a, x->line));
	}
	val_put(a, m, "allows", x->allows >= 0 ? val_int(a, x->allows) : val_new(a, VAL_NULL));
	rules = val_put(a, m, "rules", val_new(a, VAL_LIST));
	for (uint32_t i = 0; i < x->nr; i++) {
		struct val *r = val_add(a, rules, val_new(a, VAL_MAP));

		val_put(a, r, "rule", x->v[i].rule == UINT32_MAX ? val_new(a, VAL_NULL) : val_int(a, x->v[i].rule));
		val_put(a, r, "allows", val_bool(a, x->v[i].allows));
		val_put(a, r, "path", val_string(a, x->v[i].path));
		val_put(a, r, "text", val_string(a, x->v[i].text));
		if (x->policy->file)
			val_put(a, r, "line", val_int(a, x->v[i].line));
	}
	return m;
}

struct val *policies_json(const struct reach_why *w, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < w->nr; k++)
		val_add(a, list, reason_json(&w->v[k], a));
	return list;
}

static struct val *near_json(const struct near_misses *n, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < n->nr; k++) {
		struct val *m = val_add(a, list, val_new(a, VAL_MAP)), *patches;

		val_put(a, m, "what", val_string(a, n->v[k].what));
		val_put(a, m, "otherPairs", val_int(a, (int64_t)n->v[k].others));
		patches = val_put(a, m, "patches", val_new(a, VAL_LIST));
		for (uint32_t i = 0; i < n->v[k].nr; i++) {
			const struct near_patch *p = &n->v[k].v[i];
			struct val *v = val_add(a, patches, val_new(a, VAL_MAP));

			val_put(a, v, "object", val_string(a, p->object));
			val_put(a, v, "namespace", p->ns ? val_string(a, p->ns) : val_new(a, VAL_NULL));
			val_put(a, v, "type", val_string(a, p->type));
			val_put(a, v, "patch", val_string(a, p->patch));
			val_put(a, v, "command", val_string(a, near_command(p, a)));
		}
	}
	return list;
}

void matrix_why_json(const struct why_report *w, struct arena *a, struct sb *out)
{
	struct val *m = val_new(a, VAL_MAP);

	val_put(a, m, "from", val_string(a, w->from));
	val_put(a, m, "to", val_string(a, w->to));
	val_put(a, m, "port", val_string(a, reach_port_text(&w->port, a)));
	val_put(a, m, "allowed", val_bool(a, w->why.allowed));
	val_put(a, m, "egress", val_bool(a, w->why.out));
	val_put(a, m, "ingress", val_bool(a, w->why.in));
	val_put(a, m, "itself", val_bool(a, w->why.itself));
	val_put(a, m, "fromOwnNode", val_bool(a, w->why.from_node));
	val_put(a, m, "reason", val_string(a, matrix_why_sentence(w, a)));
	val_put(a, m, "policies", policies_json(&w->why, a));
	if (w->near)
		val_put(a, m, w->near->opens ? "opens" : "closes", near_json(w->near, a));
	val_print_json(m, out, 2, false);
	sb_addc(out, '\n');
}

/* ---- SARIF: the places where one looks, in the order in which the decision falls */

void matrix_why_sarif(const struct why_report *w, struct arena *a, struct sb *out)
{
	static const struct finding_rule rules[] = { { "connection-denied", "A policy denies this connection" }, { "connection-allowed", "Policies allow this connection" }, { NULL, NULL } };
	uint32_t nr = 0, at = 0;
	struct finding_step *steps;
	struct finding f = { .rule = rules[w->why.allowed].id, .level = w->why.allowed ? FINDING_NOTE : FINDING_WARNING };

	for (uint32_t k = 0; k < w->why.nr; k++)
		nr += 1 + w->why.v[k].nr;
	steps = arena_array(a, struct finding_step, nr + 1);
	for (uint32_t k = 0; k < w->why.nr; k++) {
		const struct reach_reason *x = &w->why.v[k];

		steps[at++] = (struct finding_step){ x->policy->file, x->line, arena_printf(a, "%s isolates %s for %s", x->name, x->dir == NP_EGRESS ? w->from : w->to, x->dir == NP_EGRESS ? "egress" : "ingress") };
		for (uint32_t i = 0; i < x->nr; i++)
			steps[at++] = (struct finding_step){ x->policy->file, x->v[i].line, arena_printf(a, "%s: %s", x->v[i].path, x->v[i].text) };
	}
	f.object = arena_printf(a, "%s → %s, %s", w->from, w->to, reach_port_text(&w->port, a));
	f.text = arena_printf(a, "%s: %s", verdict(w), matrix_why_sentence(w, a));
	f.steps = steps;
	f.nr_steps = at;
	for (uint32_t k = 0; k < at && !f.file; k++) {
		f.file = steps[k].file;
		f.line = steps[k].line;
	}
	if (w->near && w->near->nr)
		f.remedy = near_command(&w->near->v[0].v[0], a);
	findings_sarif(&f, 1, rules, a, out);
}
