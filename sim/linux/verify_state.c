/* Reading back: links, addresses, neighbours, routes and settings of every namespace against the dataplane; rules against a fresh load of the dataplane's. */
#include <stdio.h>

#include "sim/linux/cni.h"
#include "sim/linux/rules.h"
#include "sim/linux/verify.h"

struct comparing { struct arena *arena; struct verified *out; const struct space *space; const struct view *want, *have; };

static const char *text_of(struct comparing *c, enum view_part part, const void *item, const struct view *names)
{
	struct sb text = { 0 };
	const char *out;

	if (!item)
		return "nothing";
	view_text(part, item, names, &text);
	out = arena_strdup(c->arena, sb_text(&text));
	sb_free(&text);
	return out;
}

static bool differs(void *ctx, enum view_part part, const void *from, const void *to)
{
	static const char *const parts[] = { "links", "addresses", "neighbours", "routes", "settings" };
	struct comparing *c = ctx;
	struct difference *d = vec_push(c->arena, &c->out->differences);

	d->what = arena_printf(c->arena, "%s of %s", parts[part], c->space->name);
	d->walk = text_of(c, part, from, c->want);
	d->kernel = text_of(c, part, to, c->have);
	return true;
}

static void compare_rules(struct comparing *c, const char *want, const char *have)
{
	struct difference *d;
	int n, m;

	while (*want && *have) {
		n = (int)strcspn(want, "\n");
		m = (int)strcspn(have, "\n");
		if (n != m || strncmp(want, have, (size_t)n) != 0)
			break;
		want += n + (want[n] == '\n');
		have += m + (have[m] == '\n');
	}
	if (!*want && !*have)
		return;
	d = vec_push(c->arena, &c->out->differences);
	d->what = arena_printf(c->arena, "rules of %s", c->space->name);
	d->walk = *want ? arena_strndup(c->arena, want + strspn(want, "\t "), strcspn(want + strspn(want, "\t "), "\n")) : "nothing more";
	d->kernel = *have ? arena_strndup(c->arena, have + strspn(have, "\t "), strcspn(have + strspn(have, "\t "), "\n")) : "nothing more";
}

static void plugins_said(struct live *live, struct comparing *c)
{
	const struct cni_remark *v;
	uint32_t nr = cni_remarks(live, &v);

	for (uint32_t k = 0; k < nr; k++)
		*vec_push(c->arena, &c->out->differences) = (struct difference){ .what = v[k].what, .walk = v[k].walk, .kernel = v[k].kernel };
	c->out->by_plugins = cni_wired(live);
}

static struct view view_copy(const struct view *v, struct arena *a)     /* of its lists; what is cut out of one stays in the other */
{
	struct view out = { .settings = v->settings };

	for (uint32_t k = 0; k < v->links.nr; k++)
		vec_add(a, &out.links, v->links.v[k]);
	for (uint32_t k = 0; k < v->addrs.nr; k++)
		vec_add(a, &out.addrs, v->addrs.v[k]);
	for (uint32_t k = 0; k < v->routes.nr; k++)
		vec_add(a, &out.routes, v->routes.v[k]);
	for (uint32_t k = 0; k < v->neighs.nr; k++)
		vec_add(a, &out.neighs, v->neighs.v[k]);
	return out;
}

static bool one_space(struct live *live, const struct dataplane *dp, struct space *s, struct comparing *c, struct err *err)
{
	struct view have, want = live->cni ? view_copy(&s->all, c->arena) : s->now;
	struct nl nl;
	bool ok = live_enter(live, s, err) && nl_open(&nl, NETLINK_ROUTE, s->name, err);

	if (!ok)
		return false;
	ok = view_read(&nl, &s->now, c->arena, &have, err);
	nl_close(&nl);
	if (!ok)
		return false;
	if (live->cni)
		cni_comparable(live, s, &want, &have);
	c->space = s;
	c->want = &want;
	c->have = &have;
	view_diff(&want, &have, differs, c);
	c->out->namespaces++;
	c->out->items += want.links.nr + want.addrs.nr + want.neighs.nr + want.routes.nr;
	if (netns_get(dp, s->ns)->rules) {
		struct sb expected = { 0 }, is = { 0 };

		ok = rules_listed(live, s, &is, err) && rules_expected(live, s, dp, &expected, err);
		if (ok && live->cni)
			cni_comparable_rules(&expected, &is);
		if (ok)
			compare_rules(c, sb_text(&expected), sb_text(&is));
		c->out->rulesets++;
		sb_free(&expected);
		sb_free(&is);
	}
	return ok;
}

bool verify_state(struct live *live, const struct dataplane *dp, struct arena *a, struct verified *out, struct err *err)
{
	struct comparing c = { .arena = a, .out = out };
	uint32_t before = out->differences.nr;
	nsec from = dial_clock();
	bool ok = true;

	for (uint32_t k = 0; ok && k < live->spaces.nr; k++)
		if (live->spaces.v[k] && live->spaces.v[k]->ns.i)
			ok = one_space(live, dp, live->spaces.v[k], &c, err);
	if (live->cni)
		plugins_said(live, &c);
	ok = live_enter(live, NULL, err) && ok;
	out->state_differs = out->differences.nr - before;
	out->state_ms = (double)(dial_clock() - from) / 1e6;
	return ok;
}
