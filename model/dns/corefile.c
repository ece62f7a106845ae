#include "model/dns/corefile.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

/* ---- words: coredns/caddy caddyfile/lexer.go */

struct reader { const char *p; struct arena *a; };

static const char *quoted(struct reader *r)
{
	struct sb b = { 0 };
	const char *out;

	for (r->p++; *r->p && *r->p != '"'; r->p++) {
		if (r->p[0] == '\\' && r->p[1] == '"')
			r->p++;
		sb_addc(&b, *r->p);
	}
	r->p += *r->p == '"';
	out = arena_strdup(r->a, b.len ? sb_text(&b) : "");
	sb_free(&b);
	return out;
}

/* The words of the next line that has any. false: the text is at its end. */
static bool read_line(struct reader *r, struct core_line *out)
{
	*out = (struct core_line){ 0 };
	for (;;) {
		const char *from;

		r->p += strspn(r->p, " \t\r");
		if (*r->p == '#')
			r->p += strcspn(r->p, "\n");
		if (!*r->p || *r->p == '\n') {
			bool end = !*r->p;

			r->p += !end;
			if (out->words.nr || end)
				return out->words.nr > 0;
			continue;
		}
		if (*r->p == '"') {
			dns_add(r->a, &out->words, quoted(r));
			continue;
		}
		from = r->p;
		while (*r->p && !isspace((unsigned char)*r->p))
			r->p++;
		dns_add(r->a, &out->words, arena_strndup(r->a, from, (size_t)(r->p - from)));
	}
}

static bool opens(struct core_line *l)
{
	bool open = l->words.nr && streq(l->words.v[l->words.nr - 1], "{");

	l->words.nr -= open;
	return open;
}

static bool closes(const struct core_line *l)
{
	return l->words.nr == 1 && streq(l->words.v[0], "}");
}

/* ---- blocks */

#define MOST_PLUGINS 10000       /* of a server: snippets that import snippets may multiply */

struct snippet { const char *name; VEC(struct core_plugin) plugins; };
struct snippets { VEC(struct snippet) all; };
typedef VEC(struct core_plugin) plugins;

static void block(struct reader *r, struct core_plugin *p)
{
	VEC(struct core_line) lines = { 0 };
	struct core_line l;

	while (read_line(r, &l) && !closes(&l)) {
		bool open = opens(&l);

		vec_add(r->a, &lines, l);
		for (uint32_t depth = open; depth && read_line(r, &l);) {       /* a block in it bears on no answer */
			depth += opens(&l);
			depth -= closes(&l);
		}
	}
	p->lines = lines.v;
	p->nr = lines.nr;
}

/* "10.0.0.0/23" → 0.0.10.in-addr.arpa. and 1.0.10.in-addr.arpa.: the zones of whole labels that a CIDR is made of (plugin/normalize.go, pkg/cidr). false: it is none. */
static bool add_reverse(const char *text, struct arena *a, str_list *out)
{
	struct cidr c;
	unsigned bits, whole, nr;

	if (!strchr(text, '/') || !cidr_parse(text, &c))
		return false;
	bits = ip_is4(c.addr) ? 8 : 4;
	whole = (c.len + bits - 1) / bits;
	nr = 1u << (whole * bits - c.len);
	for (struct cidr part = { c.addr, (uint8_t)(whole * bits), true }; nr--; part.addr = ip_add(cidr_last(part), 1)) {
		const char *name = dns_reverse_name(part.addr, a);

		for (unsigned k = (unsigned)ip_bits(c.addr) / bits; k > whole; k--)
			name = strchr(name, '.') + 1;
		dns_add(a, out, name);
	}
	return true;
}

/* "dns://corp.example:53" → "corp.example". NULL: not DNS on port 53. */
static const char *zone_key(const char *key, struct arena *a)
{
	const char *scheme = strstr(key, "://"), *port;

	if (scheme && strncasecmp(key, "dns://", 6) != 0)
		return NULL;
	key = scheme ? scheme + 3 : key;
	port = strrchr(key, ':');
	if (port && (strspn(port + 1, "0123456789") < strlen(port + 1) || !port[1]))
		port = NULL;                    /* of an IPv6 CIDR */
	if (port && strcmp(port, ":53") != 0)
		return NULL;
	key = arena_strndup(a, key, port ? (size_t)(port - key) : strlen(key));
	return *key ? key : ".";
}

/* Zones of a server, or of a plugin, where CIDRs are those of their reverse names. */
static void add_zone(const char *text, struct arena *a, str_list *out)
{
	if (!add_reverse(text, a, out))
		dns_add(a, out, text);
}

static void read_plugins(struct reader *r, const struct snippets *known, void *list)
{
	plugins *out = list;
	struct core_line l;

	while (read_line(r, &l) && !closes(&l)) {
		struct core_plugin p = { .name = l.words.v[0] };
		bool open = opens(&l), expanded = false;

		for (uint32_t k = 1; k < l.words.nr; k++) {
			if (streq(p.name, "kubernetes"))
				add_zone(l.words.v[k], r->a, &p.args);
			else
				dns_add(r->a, &p.args, l.words.v[k]);
		}
		if (open)
			block(r, &p);
		for (uint32_t k = 0; streq(p.name, "import") && p.args.nr && k < known->all.nr; k++)
			if (streq(known->all.v[k].name, p.args.v[0])) {
				for (uint32_t i = 0, nr = known->all.v[k].plugins.nr; i < nr && out->nr < MOST_PLUGINS; i++)    /* it may import itself */
					vec_add(r->a, out, known->all.v[k].plugins.v[i]);
				expanded = true;
			}
		if (!expanded)
			vec_add(r->a, out, p);
	}
}

struct corefile corefile_read(const char *text, struct arena *a)
{
	struct reader r = { text, a };
	struct corefile out = { 0 };
	struct snippets known = { 0 };
	struct core_line l;
	bool answers = false;

	while (read_line(&r, &l)) {
		struct core_server s = { 0 };
		const char *first = l.words.v[0];

		if (!opens(&l))
			continue;               /* a line outside of any block */
		if (*first == '(') {
			struct snippet *one = vec_push(a, &known.all);

			*one = (struct snippet){ .name = arena_strndup(a, first + 1, strcspn(first + 1, ")")) };
			read_plugins(&r, &known, &one->plugins);
			continue;
		}
		for (uint32_t k = 0; k < l.words.nr; k++) {
			const char *key = arena_strndup(a, l.words.v[k], strcspn(l.words.v[k], ",")), *zone = *key ? zone_key(key, a) : NULL;

			if (zone)
				add_zone(zone, a, &s.zones);
		}
		read_plugins(&r, &known, &s.plugins);
		if (s.zones.nr)
			vec_add(a, &out.servers, s);
		answers = answers || core_plugin(&s, "kubernetes") || core_plugin(&s, "forward");
	}
	return answers ? out : (struct corefile){ 0 };
}

/* ---- zones */

static size_t bare(const char *name)
{
	size_t n = strlen(name);

	return n && name[n - 1] == '.' ? n - 1 : n;
}

static bool in_zone(const char *zone, const char *name)
{
	size_t z = bare(zone), n = bare(name);

	return !z || (n >= z && strncasecmp(name + n - z, zone, z) == 0 && (n == z || name[n - z - 1] == '.'));
}

bool zone_is_reverse(const char *zone)
{
	return in_zone("in-addr.arpa", zone) || in_zone("ip6.arpa", zone);
}

const char *zone_of(const str_list *zones, const char *name)
{
	const char *best = NULL;

	for (uint32_t k = 0; k < zones->nr; k++)
		if (in_zone(zones->v[k], name) && (!best || bare(zones->v[k]) > bare(best)))
			best = zones->v[k];
	return best;
}

const struct core_server *corefile_server(const struct corefile *c, const char *name)
{
	const struct core_server *best = NULL;
	const char *zone = NULL;

	for (uint32_t k = 0; k < c->servers.nr; k++) {
		const char *z = zone_of(&c->servers.v[k].zones, name);

		if (z && (!zone || bare(z) > bare(zone))) {
			best = &c->servers.v[k];
			zone = z;
		}
	}
	return best;
}

const struct core_plugin *core_plugin(const struct core_server *s, const char *name)
{
	for (uint32_t k = 0; k < s->plugins.nr; k++)
		if (streq(s->plugins.v[k].name, name))
			return &s->plugins.v[k];
	return NULL;
}

bool core_falls_through(const struct core_plugin *p, const char *name)
{
	for (uint32_t k = 0; k < p->nr; k++) {
		str_list zones = p->lines[k].words;

		if (!zones.nr || !streq(zones.v[0], "fallthrough"))
			continue;
		zones.v++;
		zones.nr--;
		return !zones.nr || zone_of(&zones, name);
	}
	return false;
}

/* ---- the text */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), e = strlen(end);

	return n >= e && strcmp(s + n - e, end) == 0;
}

const char *corefile_text(struct cluster *c, struct arena *a)
{
	const struct config_map *m = (const struct config_map *)cluster_find(c, &config_map_kind, "kube-system", "coredns");
	const char *text = m ? label_get(&m->data, "Corefile") : NULL;
	const struct config_map *more = text ? (const struct config_map *)cluster_find(c, &config_map_kind, "kube-system", "coredns-custom") : NULL;
	const char *out = "";

	if (!more || !strstr(text, "import "))
		return text;
	for (size_t n; *text; text += n) {
		char pattern[256];

		n = strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
		if (sscanf(text, " import %255s", pattern) == 1 && strncmp(text + strspn(text, " \t"), "import", 6) == 0 && strchr(pattern, '/')) {
			const char *name = strrchr(pattern, '/') + 1;

			for (uint32_t k = 0; k < more->data.nr; k++)
				if (*name == '*' ? ends_with(more->data.v[k].key, name + 1) : streq(more->data.v[k].key, name))
					out = arena_printf(a, "%s%s\n", out, more->data.v[k].value);
		} else {
			out = arena_printf(a, "%s%.*s", out, (int)n, text);
		}
	}
	return out;
}

const struct corefile *corefile_of(struct cluster *c)
{
	const struct corefile **known = cluster_corefile(c);

	if (!*known) {
		struct arena *a = cluster_arena(c);
		const char *text = corefile_text(c, a);
		struct corefile *file = arena_make(a, struct corefile);

		if (text)
			*file = corefile_read(text, a);
		*known = file;
	}
	return *known;
}
