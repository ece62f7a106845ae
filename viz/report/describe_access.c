/* describe: accounts, roles, bindings. */
#include <stdlib.h>

#include "model/api/kept.h"
#include "viz/report/describing.h"

void describe_account(struct describe *d)
{
	uint32_t nr = 0;

	describing_names(d);
	describing_notes(d);
	VAL_EACH(s, val_get(d->o->doc, "imagePullSecrets"))
		say(d, 0, "%s\t%s", nr++ ? "                   " : "Image pull secrets:", text_at(s, "name"));
	if (!nr)
		say(d, 0, "Image pull secrets:\t<none>");
}

/* One group, resource and name, with its verbs; or one URL with one verb (component-helpers/auth/rbac/validation BreakdownRule, CompactRules). */
struct rule { const char *group, *resource, *name, *url; struct sb verbs; };
struct rules { VEC(struct rule) list; };

static struct rule *rule_of(struct describe *d, struct rules *all, const char *group, const char *resource, const char *name)
{
	for (uint32_t k = 0; k < all->list.nr; k++) {
		struct rule *r = &all->list.v[k];

		if (!r->url && strcmp(r->group, group) == 0 && strcmp(r->resource, resource) == 0 && streq(r->name, name))
			return r;
	}
	vec_add(d->a, &all->list, ((struct rule){ group, resource, name, NULL, { 0 } }));
	return &all->list.v[all->list.nr - 1];
}

static void break_down(struct describe *d, struct rules *all, const struct val *rule)
{
	const struct val *names = val_get(rule, "resourceNames");

	VAL_EACH(g, val_get(rule, "apiGroups"))
		VAL_EACH(r, val_get(rule, "resources"))
			VAL_EACH(verb, val_get(rule, "verbs")) {
				const struct val *n = val_first(names);

				do {
					struct rule *to = rule_of(d, all, val_str(g) ? val_str(g) : "", val_str(r) ? val_str(r) : "", val_str(n));

					sb_printf(&to->verbs, "%s%s", to->verbs.len ? " " : "", val_str(verb) ? val_str(verb) : "");
					n = n ? n->next : NULL;
				} while (n);
			}
	VAL_EACH(u, val_get(rule, "nonResourceURLs"))
		VAL_EACH(verb, val_get(rule, "verbs")) {
			struct rule one = { "", "", NULL, val_str(u) ? val_str(u) : "", { 0 } };

			sb_add(&one.verbs, val_str(verb) ? val_str(verb) : "");
			vec_add(d->a, &all->list, one);
		}
}

/* In the order of the texts that Go makes of them: verbs, group, resource, name, URL. */
static int by_text(const void *x, const void *y)
{
	const struct rule *a = x, *b = y;
	const char *of_a[] = { a->verbs.s, a->group, a->resource, a->name, a->url }, *of_b[] = { b->verbs.s, b->group, b->resource, b->name, b->url };
	int n = 0;

	for (size_t k = 0; k < ARRAY_LEN(of_a) && !n; k++) {
		const char *p = of_a[k] ? of_a[k] : "", *q = of_b[k] ? of_b[k] : "";

		while (*p && *p == *q)
			p++, q++;
		n = (*p ? *p : ']') - (*q ? *q : ']');
	}
	return n;
}

void describe_role(struct describe *d)
{
	struct rules all = { 0 };

	say(d, 0, "Name:\t%s", d->o->name);
	describing_notes(d);
	VAL_EACH(r, val_get(d->o->doc, "rules"))
		break_down(d, &all, r);
	if (all.list.nr)
		qsort(all.list.v, all.list.nr, sizeof(*all.list.v), by_text);
	say(d, 0, "PolicyRule:");
	say(d, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
	say(d, 1, "---------\t-----------------\t--------------\t-----");
	for (uint32_t k = 0; k < all.list.nr; k++) {
		struct rule *r = &all.list.v[k];
		const char *slash = strchr(r->resource, '/');
		int n = slash ? (int)(slash - r->resource) : (int)strlen(r->resource);

		say(d, 1, "%.*s%s%s%s\t[%s]\t[%s]\t[%s]", n, r->resource, *r->group ? "." : "", r->group, slash ? slash : "", r->url ? r->url : "", r->name ? r->name : "", sb_text(&r->verbs));
		sb_free(&r->verbs);
	}
}

void describe_binding(struct describe *d)
{
	const struct val *v = describing_doc(d);

	say(d, 0, "Name:\t%s", d->o->name);
	describing_notes(d);
	say(d, 0, "Role:");
	say(d, 1, "Kind:\t%s", text_at(v, "roleRef.kind"));
	say(d, 1, "Name:\t%s", text_at(v, "roleRef.name"));
	say(d, 0, "Subjects:");
	say(d, 1, "Kind\tName\tNamespace");
	say(d, 1, "----\t----\t---------");
	VAL_EACH(s, val_get(v, "subjects"))
		say(d, 1, "%s\t%s\t%s", text_at(s, "kind"), text_at(s, "name"), text_at(s, "namespace"));
}
