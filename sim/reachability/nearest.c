#include "sim/reachability/nearest_edits.h"

#include <stdlib.h>

struct found { const struct near_edit *e; uint64_t others; };

static int by_size(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->others != y->others)
		return x->others < y->others ? -1 : 1;
	return x->e < y->e ? -1 : x->e > y->e;
}

/* Which edits turn that side of the answer; smallest first. */
static uint32_t try_all(struct near_search *s, int side, bool open, struct found *out)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->edits.nr; k++) {
		struct near_undo u = { 0 };

		if (near_make(s, &s->edits.v[k], &u)) {
			struct reach_why w = reach_explain(s->r, s->from, s->to, s->proto, s->port, s->a);
			bool is_open = side == NP_EGRESS ? w.out : side == NP_INGRESS ? w.in : w.allowed;
			uint64_t n = reach_count(s->r, s->proto, s->port), diff = n > s->count ? n - s->count : s->count - n;

			if (is_open == open)
				out[nr++] = (struct found){ &s->edits.v[k], diff - (diff > 0) };
			near_unmake(s, &s->edits.v[k], &u);
		}
	}
	if (nr)
		qsort(out, nr, sizeof(*out), by_size);
	return nr;
}

static void add_label(struct sb *out, const struct near_edit *e)
{
	json_quote(out, e->key);
	sb_addc(out, ':');
	if (e->value)
		json_quote(out, e->value);
	else
		sb_add(out, "null");
}

/* also: another label of the same object; or NULL. */
static struct near_patch patch_of(struct near_search *s, const struct near_edit *e, const struct near_edit *also)
{
	const char *api = e->o->kind->apis[0];
	const char *kind = e->o->kind == &namespace_kind ? "namespace" : e->o->kind == &pod_kind ? "pod" : e->o->kind == &network_policy_kind ? "networkpolicy" :
			   arena_printf(s->a, "%s.%.*s", e->o->kind->plural, (int)strcspn(api, "/"), api);
	struct near_patch p = { arena_printf(s->a, "%s/%s", kind, e->o->name), e->o->ns ? arena_strdup(s->a, e->o->ns) : NULL, e->key ? "merge" : "json", NULL };
	struct sb text = { 0 };

	if (e->key) {
		sb_add(&text, "{\"metadata\":{\"labels\":{");
		add_label(&text, e);
		if (also) {
			sb_addc(&text, ',');
			add_label(&text, also);
		}
		sb_add(&text, "}}}");
	} else {
		sb_printf(&text, "[{\"op\":\"%s\",\"path\":\"%s\"", e->op, e->path);
		if (e->add) {
			sb_add(&text, ",\"value\":");
			val_print_json(e->add, &text, 0, false);
		}
		sb_add(&text, "}]");
	}
	p.patch = arena_strdup(s->a, sb_text(&text));
	sb_free(&text);
	return p;
}

/* Both together, made and asked once more: what is told has been tried. */
static bool holds(struct near_search *s, const struct near_edit *const *e, uint32_t nr, bool open, uint64_t *others)
{
	struct near_undo u[2] = { { .doc = NULL } };
	uint32_t made = 0;
	bool ok = true;

	while (made < nr && ok)
		ok = near_make(s, e[made], &u[made]), made++;
	ok = ok && reach_allowed(s->r, s->from, s->to, s->proto, s->port) == open;
	if (ok) {
		uint64_t n = reach_count(s->r, s->proto, s->port), diff = n > s->count ? n - s->count : s->count - n;

		*others = diff - (diff > 0);
	}
	while (made > 0) {
		made--;
		near_unmake(s, e[made], &u[made]);
	}
	return ok;
}

static void tell(struct near_search *s, struct near_misses *out, const struct near_edit *const *e, uint32_t nr)
{
	struct near_miss *m = &out->v[out->nr];
	bool one_object = nr == 2 && e[0]->key && e[1]->key && e[0]->o == e[1]->o;

	if (out->nr == 3 || !holds(s, e, nr, out->opens, &m->others))
		return;
	m->nr = one_object ? 1 : nr;
	for (uint32_t k = 0; k < m->nr; k++)
		m->v[k] = patch_of(s, e[k], one_object ? e[1] : NULL);
	m->what = nr == 2 ? arena_printf(s->a, "%s, and %s", e[0]->what, e[1]->what) : e[0]->what;
	for (uint32_t k = 0; k < out->nr; k++)
		if (strcmp(out->v[k].v[0].patch, m->v[0].patch) == 0 && strcmp(out->v[k].v[0].object, m->v[0].object) == 0 && out->v[k].nr == m->nr)
			return;                 /* told already */
	out->nr++;
}

struct found_pair { const struct near_edit *e[2]; uint64_t others; };

static int pair_by_size(const void *a, const void *b)
{
	const struct found_pair *x = a, *y = b;

	if (x->others != y->others)
		return x->others < y->others ? -1 : 1;
	return x->e[1] != y->e[1] ? (x->e[1] < y->e[1] ? -1 : 1) : x->e[0] < y->e[0] ? -1 : x->e[0] > y->e[0];
}

static bool is_among(const struct near_edit *e, const struct found *v, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		if (v[k].e == e)
			return true;
	return false;
}

/* Where two rules allow it, or a rule wants two labels, it takes two changes (none of them alone: what is enough by itself). The later place in a list goes first, so that the earlier one is still where it was. */
static void search_pairs(struct near_search *s, struct near_misses *out, bool of_labels, const struct found *alone, uint32_t nr_alone)
{
	enum { MOST = 24 };
	struct found_pair *found = arena_array(s->a, struct found_pair, MOST * MOST);
	const struct near_edit *v[MOST];
	uint32_t nr = 0, edits = 0;

	for (uint32_t k = 0; k < s->edits.nr && edits < MOST; k++)
		if ((!of_labels || s->edits.v[k].key) && !is_among(&s->edits.v[k], alone, nr_alone))
			v[edits++] = &s->edits.v[k];
	for (uint32_t y = 1; y < edits; y++)
		for (uint32_t x = 0; x < y; x++) {
			struct found_pair p = { .e = { v[of_labels ? x : y], v[of_labels ? y : x] } };

			if (holds(s, p.e, 2, out->opens, &p.others))
				found[nr++] = p;
		}
	if (nr)
		qsort(found, nr, sizeof(*found), pair_by_size);
	for (uint32_t k = 0; k < nr; k++)
		tell(s, out, found[k].e, 2);
}

static void search_open(struct near_search *s, const struct reach_why *why, struct near_misses *out)
{
	struct found *f[2];
	uint32_t nr[2] = { 0 };

	for (int d = 0; d < 2; d++) {
		f[d] = arena_array(s->a, struct found, 201);
		if (d == NP_EGRESS ? why->out : why->in)
			continue;
		s->edits = (typeof(s->edits)){ 0 };
		near_open_edits(s, (enum np_dir)d, why);
		nr[d] = try_all(s, d, true, f[d]);
	}
	if (why->out || why->in) {
		int d = why->out ? NP_INGRESS : NP_EGRESS;
		bool by_label = false;

		for (uint32_t k = 0; k < nr[d]; k++) {
			by_label = by_label || f[d][k].e->value;
			tell(s, out, &f[d][k].e, 1);
		}
		if (!by_label && out->nr < 3)
			search_pairs(s, out, true, f[d], nr[d]);
		return;
	}
	for (uint32_t k = 0; k < MAX(nr[0], nr[1]) && nr[0] && nr[1]; k++) {
		const struct near_edit *both[2] = { f[NP_EGRESS][MIN(k, nr[NP_EGRESS] - 1)].e, f[NP_INGRESS][MIN(k, nr[NP_INGRESS] - 1)].e };

		tell(s, out, both, 2);
	}
}

static void search_close(struct near_search *s, const struct reach_why *why, struct near_misses *out)
{
	struct found *found = arena_array(s->a, struct found, 201);
	uint32_t nr;

	near_close_edits(s, why);
	nr = try_all(s, -1, false, found);
	for (uint32_t k = 0; k < nr; k++)
		tell(s, out, &found[k].e, 1);
	if (!out->nr)
		search_pairs(s, out, false, found, nr);
}

struct near_misses reach_nearest(struct cluster *copy, const ip_addr *external, uint32_t nr_external, const char *from, const char *to, uint8_t proto, uint16_t port, struct arena *a)
{
	struct near_search s = { .c = copy, .r = reach_new(copy, external, nr_external), .a = a, .proto = proto, .port = port };
	struct near_misses out = { .v = arena_array(a, struct near_miss, 4) };
	int64_t f = reach_find(s.r, from), t = reach_find(s.r, to);
	struct reach_why why;

	if (f >= 0 && t >= 0) {
		s.from = (uint32_t)f;
		s.to = (uint32_t)t;
		why = reach_explain(s.r, s.from, s.to, proto, port, a);
		s.count = reach_count(s.r, proto, port);
		out.opens = !why.allowed;
		if (out.opens)
			search_open(&s, &why, &out);
		else
			search_close(&s, &why, &out);
		if (!out.nr)
			out.none = out.opens ? "no single change of a label, a port, an item or a rule opens it" : why.itself ? "a Pod always reaches itself" :
				   why.from_node ? "no policy closes it: from a Pod's own node everything is let in" :
				   why.nr ? "no change of two labels or rules closes it: more of them allow it" : "no policy selects either end: it takes a policy, not a patch, to close it";
	}
	reach_free(s.r);
	return out;
}

static void shell_quote(struct sb *out, const char *s)
{
	sb_addc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			sb_add(out, "'\\''");
		else
			sb_addc(out, *s);
	}
	sb_addc(out, '\'');
}

const char *near_command(const struct near_patch *p, struct arena *a)
{
	struct sb s = { 0 };
	const char *text;

	sb_printf(&s, "kubectl patch %s%s%s --type=%s -p ", p->object, p->ns ? " -n " : "", p->ns ? p->ns : "", p->type);
	shell_quote(&s, p->patch);
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}
