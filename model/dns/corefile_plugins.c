/* Plugins of CoreDNS that answer, or change what is asked, before `kubernetes` does: rewrite (plugin/rewrite/name.go), hosts (plugin/hosts/hosts.go). Others are
 * known to be there, and what they would say is unknown. The order is plugin.cfg's. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "model/dns/corefile.h"
#include "model/base/regex.h"

static struct core_step unknown(const char *name, const char *why)
{
	return (struct core_step){ .way = CORE_UNKNOWN, .name = name, .why = why };
}

/* Lower case, with the last dot: plugin.Name.Normalize, request.Name. */
static const char *normal(const char *s, bool dot, struct arena *a)
{
	size_t n = strlen(s);
	char *out = arena_strdup(a, arena_printf(a, "%s%s", s, dot && (!n || s[n - 1] != '.') ? "." : ""));

	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

/* ---- rewrite */

struct name_rule { bool stop, revert; const char *field, *how, *from, *to; };

/* Its words, those of a block included: [continue|stop] name [exact|prefix|suffix|substring|regex] FROM TO [answer auto|name …]. */
static struct name_rule rewrite_of(const struct core_plugin *p, struct arena *a)
{
	struct name_rule r = { .stop = true, .how = "exact" };
	str_list w = { 0 };
	uint32_t at = 0;

	for (uint32_t k = 0; k < p->args.nr; k++)
		dns_add(a, &w, p->args.v[k]);
	for (uint32_t l = 0; p->args.nr < 2 && l < p->nr; l++)
		for (uint32_t k = 0; k < p->lines[l].words.nr; k++)
			dns_add(a, &w, p->lines[l].words.v[k]);
	if (at < w.nr && (strcasecmp(w.v[at], "continue") == 0 || strcasecmp(w.v[at], "stop") == 0))
		r.stop = strcasecmp(w.v[at++], "stop") == 0;
	r.field = at < w.nr ? w.v[at++] : "";
	if (w.nr - at >= 3)
		r.how = normal(w.v[at++], false, a);
	if (w.nr - at < 2)
		return r;
	r.from = w.v[at++];
	r.to = w.v[at++];
	r.revert = streq(r.how, "exact");       /* the answer has the name that was asked again */
	for (; at + 1 < w.nr; at++)
		r.revert = r.revert || (streq(w.v[at], "answer") && (streq(w.v[at + 1], "auto") || streq(w.v[at + 1], "name")));
	return r;
}

static const char *replaced(const char *name, const char *from, const char *to, struct arena *a)
{
	size_t n = strlen(from);
	const char *out = "", *at;

	for (; n && (at = strstr(name, from)); name = at + n)
		out = arena_printf(a, "%s%.*s%s", out, (int)(at - name), name, to);
	return arena_printf(a, "%s%s", out, name);
}

static const char *by_regex(const struct name_rule *r, const char *name, struct arena *a, const char **why)
{
	const struct regex *re = regex_compile(a, r->from, false, why);
	const char *out = r->to;
	struct regex_match m;

	if (!re || !regex_search(re, name, &m, a))
		return NULL;
	for (int k = 0; k < REGEX_GROUPS; k++) {
		int32_t from = m.group[k].from;
		const char *text = from < 0 ? "" : arena_strndup(a, name + from, (size_t)(m.group[k].to - from));

		out = replaced(out, arena_printf(a, "{%d}", k), text, a);
	}
	return normal(out, true, a);
}

/* The name that the rule makes of it; NULL: the rule does not fit, or *why. */
static const char *rewritten(const struct name_rule *r, const char *name, struct arena *a, const char **why)
{
	bool whole = streq(r->how, "exact"), suffix = streq(r->how, "suffix");
	const char *from, *to;
	size_t n = strlen(name), f;

	if (!r->from)
		return NULL;
	if (streq(r->how, "regex"))
		return by_regex(r, name, a, why);
	from = normal(r->from, whole || suffix, a);
	to = normal(r->to, whole || suffix, a);
	f = strlen(from);
	if (whole)
		return strcmp(from, name) == 0 ? to : NULL;
	if (suffix)
		return n >= f && strcmp(name + n - f, from) == 0 ? arena_printf(a, "%.*s%s", (int)(n - f), name, to) : NULL;
	if (streq(r->how, "prefix"))
		return strncmp(name, from, f) == 0 ? arena_printf(a, "%s%s", to, name + f) : NULL;
	return strstr(name, from) ? replaced(name, from, to, a) : NULL;
}

static struct core_step rewrites(const struct core_server *s, const char *name, struct arena *a)
{
	struct core_step out = { .way = CORE_ON, .name = name };
	bool stopped = false;

	for (uint32_t k = 0; k < s->plugins.nr && !stopped; k++) {
		struct name_rule r;
		const char *to, *why = NULL;

		if (!streq(s->plugins.v[k].name, "rewrite"))
			continue;
		r = rewrite_of(&s->plugins.v[k], a);
		if (strcasecmp(r.field, "edns0") == 0 || strcasecmp(r.field, "ttl") == 0)
			continue;
		if (strcasecmp(r.field, "name") != 0)
			return unknown(name, arena_printf(a, "the Corefile rewrites by %s, which is not modelled", *r.field ? r.field : "no field"));
		to = rewritten(&r, normal(out.name, true, a), a, &why);
		if (why)
			return unknown(name, arena_printf(a, "the Corefile rewrites names by an expression that is not understood: %s: %s", r.from, why));
		if (!to)
			continue;
		if (!r.revert)
			return unknown(name, arena_printf(a, "the Corefile rewrites %s to %s, and the answer keeps that name (no `answer auto`): resolvers differ in taking it", out.name, to));
		out.name = to;
		stopped = r.stop;
	}
	return out;
}

/* ---- hosts */

static bool matches(const str_list *words, uint32_t k, const char *name)
{
	return dns_same_name(words->v[k], name);
}

static struct core_step hosts(const struct core_server *s, const struct core_plugin *p, const char *name, enum dns_type type, struct arena *a)
{
	struct core_step out = { .way = CORE_ON, .name = name };
	str_list zones = p->args;
	bool reverse = true, there = false;

	if (p->args.nr)
		zones.v++, zones.nr--;          /* behind the file, of which nothing is known */
	if (type != DNS_PTR && !zone_of(zones.nr ? &zones : &s->zones, name))
		return out;
	if (p->args.nr && !streq(p->args.v[0], "/etc/hosts"))
		return unknown(name, arena_printf(a, "plugin hosts of the Corefile reads the file %s, which is not known", p->args.v[0]));
	for (uint32_t k = 0; k < p->nr; k++)
		reverse = reverse && !streq(p->lines[k].words.v[0], "no_reverse");
	for (uint32_t k = 0; k < p->nr; k++) {
		const str_list *w = &p->lines[k].words;
		ip_addr ip;

		if (!ip_parse_lenient(w->v[0], &ip))
			continue;
		if (type == DNS_PTR && (!reverse || !dns_same_name(dns_reverse_name(ip, a), name)))
			continue;
		for (uint32_t i = 1; i < w->nr; i++) {
			if (type == DNS_PTR)
				dns_add(a, &out.names, normal(w->v[i], true, a));
			else if (matches(w, i, name) && (there = true) && (type == DNS_A || type == DNS_AAAA) && ip_is4(ip) == (type == DNS_A))
				dns_add(a, &out.addresses, arena_strdup(a, IP(ip)));
		}
	}
	if (there || out.names.nr)
		out.way = CORE_ANSWERED;
	else if (type != DNS_PTR && !core_falls_through(p, name))
		out.way = CORE_FAILED;
	return out;
}

/* ---- the others */

/* skip: arguments before the zones. Without any the zones are the server's. */
static bool bears_on(const struct core_server *s, const struct core_plugin *p, uint32_t skip, const char *name)
{
	str_list zones = p->args;

	zones.v += MIN(skip, zones.nr);
	zones.nr -= MIN(skip, zones.nr);
	return zone_of(zones.nr ? &zones : &s->zones, name) != NULL;
}

static bool of_type(const struct core_plugin *p, enum dns_type type)
{
	return p->args.nr < 2 || strcasecmp(p->args.v[1], "ANY") == 0 || strcasecmp(p->args.v[1], dns_type_names[type]) == 0;
}

static const char *not_modelled(const struct core_plugin *p, const char *name, struct arena *a)
{
	return arena_printf(a, "plugin %s of the Corefile may answer for %s, and is not modelled", p->name, name);
}

struct core_step core_before(const struct core_server *s, const char *name, enum dns_type type, struct arena *a)
{
	struct core_step out = rewrites(s, name, a);

	for (uint32_t k = 0; k < s->plugins.nr && out.way == CORE_ON; k++) {
		const struct core_plugin *p = &s->plugins.v[k];

		if (streq(p->name, "acl") || streq(p->name, "view") || streq(p->name, "erratic") || (streq(p->name, "dns64") && type == DNS_AAAA) ||
		    (streq(p->name, "template") && of_type(p, type) && bears_on(s, p, 2, out.name)))
			return unknown(out.name, not_modelled(p, out.name, a));
	}
	for (uint32_t k = 0; k < s->plugins.nr && out.way == CORE_ON; k++)
		if (streq(s->plugins.v[k].name, "hosts"))
			out = hosts(s, &s->plugins.v[k], out.name, type, a);
	for (uint32_t k = 0; k < s->plugins.nr && out.way == CORE_ON; k++) {
		const struct core_plugin *p = &s->plugins.v[k];

		if ((streq(p->name, "route53") || streq(p->name, "azure") || streq(p->name, "clouddns") || streq(p->name, "k8s_external")) &&
		    bears_on(s, p, streq(p->name, "k8s_external") ? 0 : p->args.nr, out.name))
			return unknown(out.name, not_modelled(p, out.name, a));
	}
	return out;
}

const char *core_between(const struct core_server *s, const char *name, enum dns_type type, struct arena *a)
{
	static const struct { const char *name; uint32_t skip; } all[] = { { "file", 1 }, { "auto", 0 }, { "secondary", 0 }, { "etcd", 0 } };

	(void)type;
	for (uint32_t k = 0; k < s->plugins.nr; k++)
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			if (streq(s->plugins.v[k].name, all[i].name) && bears_on(s, &s->plugins.v[k], all[i].skip, name))
				return not_modelled(&s->plugins.v[k], name, a);
	return NULL;
}
