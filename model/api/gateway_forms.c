#include "model/api/gateway_forms.h"

const struct form gw_group = { .max = 253, .pattern = "^$|" GW_SUBDOMAIN };
const struct form gw_kind = { .min = 1, .max = 63, .pattern = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$" };
const struct form gw_object = { .min = 1, .max = 253 };
const struct form gw_namespace = { .min = 1, .max = 63, .pattern = "^" GW_LABEL "$" };
const struct form gw_subdomain = { .min = 1, .max = 253, .pattern = GW_SUBDOMAIN };
const struct form gw_hostname = { .min = 1, .max = 253, .pattern = GW_HOSTNAME };
const struct form gw_port = { .min = 1, .max = 65535 };
const struct form gw_section = { .min = 1, .max = 253, .pattern = GW_SUBDOMAIN };
const struct form gw_header_name = { .min = 1, .max = 256, .pattern = "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$" };
const struct form gw_all_or_none = { .words = FORM_WORDS("All", "None") };
const struct form gw_secret = {
	.members = FORM_MEMBERS({ "group", &gw_group, false }, { "kind", &gw_kind, false }, { "name", &gw_object, true }, { "namespace", &gw_namespace, false }),
};
const struct form gw_local = { .members = FORM_MEMBERS({ "group", &gw_group, true }, { "kind", &gw_kind, true }, { "name", &gw_object, true }) };

void gw_must_differ(struct check *c, const struct val *list, const char *member, const struct path *p, const char *says)
{
	VAL_EACH(a, list)
		for (const struct val *b = a->next, *x = val_get(a, member); x && b; b = b->next)
			if (val_get(b, member) && val_equal(x, val_get(b, member))) {
				refuse_omitted(c, p, says);
				return;
			}
}

void gw_backend_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!*form_text(self, "group", "") && streq(form_text(self, "kind", "Service"), "Service") && !val_get(self, "port"))
		refuse_omitted(c, p, "Must have port for Service reference");
}

/* ---- parentRefs: several of one parent are told apart by section or port */

static bool same_parent(const struct val *a, const struct val *b)
{
	return streq(form_text(a, "group", "gateway.networking.k8s.io"), form_text(b, "group", "gateway.networking.k8s.io")) &&
	       streq(form_text(a, "kind", "Gateway"), form_text(b, "kind", "Gateway")) && streq(form_text(a, "name", ""), form_text(b, "name", "")) &&
	       streq(form_text(a, "namespace", ""), form_text(b, "namespace", ""));
}

static int64_t port_of(const struct val *v)
{
	const struct val *port = val_get(v, "port");

	return val_is(port, VAL_INT) ? port->i : 0;
}

static void parents_rules(struct check *c, const struct val *self, const struct path *p)
{
	bool half = false, again = false;

	VAL_EACH(a, self)
		for (const struct val *b = a->next; b; b = b->next) {
			const char *x = form_text(a, "sectionName", ""), *y = form_text(b, "sectionName", "");

			if (!same_parent(a, b))
				continue;
			half |= !*x != !*y || !port_of(a) != !port_of(b);
			again |= streq(x, y) && port_of(a) == port_of(b);
		}
	if (half)
		refuse_omitted(c, p, "sectionName or port must be specified when parentRefs includes 2 or more references to the same parent");
	if (again)
		refuse_omitted(c, p, "sectionName or port must be unique when parentRefs includes 2 or more references to the same parent");
}

static const struct form parent = {
	.members = FORM_MEMBERS({ "group", &gw_group, false }, { "kind", &gw_kind, false }, { "name", &gw_object, true }, { "namespace", &gw_namespace, false },
				{ "port", &gw_port, false }, { "sectionName", &gw_section, false }),
};
const struct form gw_parents = { .max = 32, .items = &parent, .rules = parents_rules };
