/* A VirtualService whose routes another one has: delegates, merged as istiod does. Source: istio pilot/pkg/model/virtualservice.go (MergeHTTPRoutes, hasConflict),
 * virtualservice_controller.go mergeVirtualServices. */
#include <string.h>

#include "model/l7/mesh_routes.h"

/* ---- can one request fit both matches? */

static const char *said(const struct val *match, const char *how)
{
	const char *v = val_str_at(match, how);

	return v ? v : "";
}

static bool begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* The leaf must ask for a part of what the root asks for; beside an expression nothing else can be compared. */
static bool text_conflicts(const struct val *root, const struct val *leaf)
{
	const char *exact = said(root, "exact"), *prefix = said(root, "prefix");

	if (!val_is(root, VAL_MAP) || !val_is(leaf, VAL_MAP))
		return false;
	if ((*said(root, "regex") || *said(leaf, "regex")) && (*said(leaf, "regex") || *said(leaf, "prefix") || *said(leaf, "exact")) && (*said(root, "regex") || *prefix || *exact))
		return true;
	if (*exact)
		return !streq(said(leaf, "exact"), exact);
	if (*prefix && *said(leaf, "prefix"))
		return !begins(said(leaf, "prefix"), prefix);
	return !*prefix || !begins(said(leaf, "exact"), prefix);
}

static bool any_conflicts(const struct val *root, const struct val *leaf)
{
	VAL_EACH_KEY(v, leaf)
		if (text_conflicts(val_get(root, v->key), v))
			return true;
	return false;
}

static bool lists(const struct val *list, const char *text)
{
	VAL_EACH(v, list)
		if (streq(val_str(v), text))
			return true;
	return false;
}

static bool gateways_conflict(const struct val *root, const struct val *leaf)
{
	if (!val_first(root) || !val_first(leaf))
		return false;
	VAL_EACH(v, leaf)
		if (!lists(root, val_str(v)))
			return true;
	return root->nr < leaf->nr;
}

static const char *const texts[] = { "uri", "scheme", "method", "authority" }, *const maps[] = { "headers", "withoutHeaders", "queryParams", "sourceLabels" };

static bool conflicts(const struct val *root, const struct val *leaf)
{
	int64_t port = val_int_or(val_get(root, "port"), 0), own = val_int_or(val_get(leaf, "port"), 0);
	const char *ns = said(root, "sourceNamespace");

	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		if (text_conflicts(val_get(root, texts[k]), val_get(leaf, texts[k])))
			return true;
	for (size_t k = 0; k < 3; k++)
		if (any_conflicts(val_get(root, maps[k]), val_get(leaf, maps[k])))
			return true;
	VAL_EACH_KEY(v, val_get(leaf, "sourceLabels"))
		if (val_get(val_get(root, "sourceLabels"), v->key) && !streq(val_str(val_get(val_get(root, "sourceLabels"), v->key)), val_str(v)))
			return true;
	return val_bool_or(val_get(root, "ignoreUriCase"), false) != val_bool_or(val_get(leaf, "ignoreUriCase"), false) || (port && own && port != own) ||
	       (*ns && !streq(said(leaf, "sourceNamespace"), ns)) || gateways_conflict(val_get(root, "gateways"), val_get(leaf, "gateways"));
}

/* ---- merged; what is new lives in the arena */

/* A copy in which gateways have their namespace. */
static struct val *match_of(struct mesh_compile *k, const struct val *match, const struct raw_object *vs)
{
	struct val *out = val_is(match, VAL_MAP) ? val_copy(k->a, match) : val_new(k->a, VAL_MAP), *list;
	const struct val *gateways = val_get(out, "gateways");

	if (!val_first(gateways))
		return out;
	list = val_new(k->a, VAL_LIST);
	VAL_EACH(g, gateways)
		if (val_str(g))
			val_add(k->a, list, val_string(k->a, strchr(val_str(g), '/') || streq(val_str(g), "mesh") ? val_str(g) : arena_printf(k->a, "%s/%s", vs->o.ns, val_str(g))));
	val_put(k->a, out, "gateways", list);
	return out;
}

static bool empty(const struct val *v)
{
	return !v || val_is(v, VAL_NULL) || ((val_is(v, VAL_LIST) || val_is(v, VAL_MAP)) && !v->nr) || (val_str(v) && !*val_str(v)) || (val_is(v, VAL_INT) && !v->i);
}

static void inherit(struct mesh_compile *k, struct val *to, const struct val *from, const char *key)
{
	if (empty(val_get(to, key)) && val_get(from, key))
		val_put(k->a, to, key, val_copy(k->a, val_get(from, key)));
}

static struct val *merge_match(struct mesh_compile *k, const struct val *root, const struct val *leaf)
{
	static const char *const others[] = { "port", "sourceNamespace", "gateways" };
	struct val *out = val_copy(k->a, leaf);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!val_is(val_get(out, texts[i]), VAL_MAP))
			inherit(k, out, root, texts[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		inherit(k, out, root, others[i]);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		struct val *both = val_is(val_get(root, maps[i]), VAL_MAP) ? val_copy(k->a, val_get(root, maps[i])) : val_new(k->a, VAL_MAP);

		VAL_EACH_KEY(v, val_get(leaf, maps[i]))
			val_put(k->a, both, v->key, val_copy(k->a, v));
		if (both->nr)
			val_put(k->a, out, maps[i], both);
	}
	return out;
}

/* NULL: some match of the leaf fits none of the root's. Nothing in it: all requests. */
static struct val *merge_matches(struct mesh_compile *k, const struct val *root, const struct raw_object *root_vs, const struct val *leaf, const struct raw_object *leaf_vs)
{
	struct val *out = val_new(k->a, VAL_LIST);
	const struct val *first = val_first(leaf);

	VAL_EACH(r, first ? NULL : root)
		val_add(k->a, out, match_of(k, r, root_vs));
	VAL_EACH(m, leaf) {
		const struct val *one = match_of(k, m, leaf_vs);
		bool found = !val_first(root);

		if (found)
			val_add(k->a, out, match_of(k, m, leaf_vs));
		VAL_EACH(r, root) {
			const struct val *other = match_of(k, r, root_vs);

			if (conflicts(other, one))
				continue;
			val_add(k->a, out, merge_match(k, other, one));
			found = true;
		}
		if (!found)
			return NULL;
	}
	return out;
}

/* Names of the root's mirrors are of its own namespace. */
static void name_host(struct mesh_compile *k, struct val *destination, const struct raw_object *vs)
{
	const char *host = val_str_at(destination, "host");

	if (host)
		val_put(k->a, destination, "host", val_string(k->a, mesh_fqdn(k->c, host, vs->o.ns, k->a)));
}

static struct val *root_of(struct mesh_compile *k, const struct val *http, const struct raw_object *vs)
{
	struct val *out = val_copy(k->a, http);

	if (val_is(val_get(out, "mirror"), VAL_MAP))
		name_host(k, val_get_mut(out, "mirror"), vs);
	VAL_EACH(m, val_get(out, "mirrors"))
		if (val_is(val_get(m, "destination"), VAL_MAP))
			name_host(k, val_get_mut((struct val *)(uintptr_t)m, "destination"), vs);
	return out;
}

typedef VEC(struct mesh_http) https;

static void delegated(struct mesh_compile *k, const struct raw_object *vs, const struct val *http, const char *at, https *out)
{
	static const char *const inherited[] = { "rewrite", "directResponse", "timeout", "retries", "fault", "mirror", "mirrorPercent", "mirrorPercentage", "corsPolicy", "mirrors", "headers" };
	const char *ns = val_str_at(http, "delegate.namespace"), *name = val_str_at(http, "delegate.name");
	const struct raw_object *to = (const struct raw_object *)cluster_find(k->c, &virtual_service_kind, ns && *ns ? cluster_str(k->c, ns) : vs->o.ns, cluster_str(k->c, name ? name : ""));
	const struct val *root;
	uint32_t n = 0;

	ns = ns && *ns ? ns : vs->o.ns;
	if (!to || val_first(val_get(to->spec, "hosts"))) {
		table_finding(k->t, true, vs->o.id, at, "there is no VirtualService %s/%s without hosts to delegate to: the route is left out", ns, name ? name : "");
		return;
	}
	if (!mesh_exported(&to->o, to->spec, vs->o.ns)) {
		table_finding(k->t, true, vs->o.id, at, "VirtualService %s/%s is not exported to %s: the route is left out", ns, name, vs->o.ns);
		return;
	}
	root = root_of(k, http, vs);
	VAL_EACH(own, val_get(to->spec, "http")) {
		const char *place = arena_printf(k->a, "spec.http[%u]", n++);
		struct val *match = merge_matches(k, val_get(http, "match"), vs, val_get(own, "match"), to), *merged;

		if (!val_is(own, VAL_MAP))
			continue;
		if (!match) {
			table_finding(k->t, true, to->o.id, place, "its matches are no part of those of VirtualService %s/%s, %s: the route is left out", vs->o.ns, vs->o.name, at);
			continue;
		}
		merged = val_copy(k->a, own);
		val_put(k->a, merged, "match", match);
		for (size_t i = 0; i < ARRAY_LEN(inherited); i++)
			if (!val_get(merged, inherited[i]) || val_is(val_get(merged, inherited[i]), VAL_NULL))
				if (val_get(root, inherited[i]))
					val_put(k->a, merged, inherited[i], val_copy(k->a, val_get(root, inherited[i])));
		vec_add(k->a, out, (struct mesh_http){ merged, to, place, true });
	}
}

struct mesh_http *mesh_http_routes(struct mesh_compile *k, const struct raw_object *vs, uint32_t *nr)
{
	https out = { 0 };
	uint32_t n = 0;

	VAL_EACH(http, val_get(vs->spec, "http")) {
		const char *at = arena_printf(k->a, "spec.http[%u]", n++);

		if (val_is(val_get(http, "delegate"), VAL_MAP))
			delegated(k, vs, http, at, &out);
		else
			vec_add(k->a, &out, (struct mesh_http){ http, vs, at, false });
	}
	*nr = out.nr;
	return out.v;
}
