/* Files and folders into nodes; parts into the readers, in the order in which they need each other. What was read becomes a dataplane in capture_build.c. */
#include "model/dataplane/capture.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/dataplane/capture_split.h"

#define MAX_FILE  (256u << 20)
#define MAX_DEPTH 8

struct text_in { str file, command, node; const char *text; size_t n; };       /* command, node: NULL if nobody told */
struct group { str name; VEC(struct text_in) texts; };                           /* one node's texts */
struct reading {
	struct capture *cap;
	struct arena *a;
	struct strtab *strings;
	const struct capture_options *opt;
	struct err *err;
	VEC(struct group *) groups;
	VEC(struct node_in *) nodes;
};

/* ---- files */

/* Texts hold no zero bytes. */
static void no_zeros(char *s, size_t n)
{
	bool utf16 = n >= 2 && (((uint8_t)s[0] == 0xff && (uint8_t)s[1] == 0xfe) || ((uint8_t)s[0] == 0xfe && (uint8_t)s[1] == 0xff));

	for (size_t k = 0; k < n && !utf16; k++)
		s[k] = s[k] ? s[k] : ' ';
}

static char *slurp(struct reading *r, const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct sb b = { 0 };
	char buf[65536], *text;
	size_t got;

	if (!f) {
		err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
		return NULL;
	}
	while ((got = fread(buf, 1, sizeof(buf), f)) > 0 && b.len < MAX_FILE)
		sb_addn(&b, buf, got);
	fclose(f);
	*n = b.len;
	text = arena_strndup(r->a, b.s ? b.s : "", b.len);
	no_zeros(text, b.len);
	sb_free(&b);
	return text;
}

static struct group *group_add(struct reading *r, const char *name)
{
	struct group *g = arena_make(r->a, struct group);

	g->name = str_intern(r->strings, name);
	vec_add(r->a, &r->groups, g);
	return g;
}

static void add_text(struct reading *r, struct group *g, const char *file, const char *command, const char *node, const char *text, size_t n)
{
	vec_add(r->a, &g->texts, (struct text_in){ str_intern(r->strings, file), str_intern(r->strings, command), str_intern(r->strings, node), text, n });
}

struct json_target { struct reading *r; struct group *g; const char *file; };

static void add_json(void *ctx, const char *node, const char *command, const char *text)
{
	struct json_target *to = ctx;

	add_text(to->r, to->g, to->file, command, node, text, strlen(text));
}

static void add_content(struct reading *r, struct group *g, const char *file, const char *text, size_t n)
{
	struct json_target to = { r, g, file };
	const char *p = text;
	bool utf16 = n >= 2 && (((uint8_t)text[0] == 0xff && (uint8_t)text[1] == 0xfe) || ((uint8_t)text[0] == 0xfe && (uint8_t)text[1] == 0xff));

	if (utf16) {
		char *narrow = arena_array(r->a, char, n / 2 + 1);
		size_t low = (uint8_t)text[0] == 0xff ? 0 : 1, k = 0;

		for (size_t i = 2; i + 1 < n; i += 2)           /* tools print ASCII; what is not becomes ? */
			narrow[k++] = text[i + 1 - low] ? '?' : text[i + low] ? text[i + low] : ' ';
		text = narrow;
		n = k;
	} else if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	for (p = text; p < text + n && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'); p++)
		;
	if (p < text + n && (*p == '{' || *p == '[') && capture_json(r->a, p, (size_t)(text + n - p), add_json, &to))
		return;
	add_text(r, g, file, NULL, NULL, text, n);
}

static bool add_file(struct reading *r, struct group *g, const char *path)
{
	size_t n;
	char *text = slurp(r, path, &n);

	if (text)
		add_content(r, g, path, text, n);
	return text != NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Folders of one node, as sosreport and podwire's documented commands make them: not nodes of their own. */
static bool part_of_node(const char *name)
{
	static const char *const names[] = { "networking", "firewall_tables", "sos_commands", "commands", "network", "proc", "sys", "etc", "host", "host_service_logs", "kernel", NULL };

	for (int k = 0; names[k]; k++)
		if (strcmp(names[k], name) == 0)
			return true;
	return false;
}

static bool add_folder(struct reading *r, struct group *g, const char *path, unsigned depth);

static bool add_entry(struct reading *r, struct group **g, const char *path, const char *name, bool nodes, unsigned depth)
{
	char *at = arena_printf(r->a, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name);
	struct stat st;

	if (stat(at, &st) != 0 || name[0] == '.')
		return true;
	if (S_ISDIR(st.st_mode)) {
		if (depth >= MAX_DEPTH)
			return err_add(r->err, ERR_INPUT, &(struct where){ .file = at }, "folders nested deeper than %d", MAX_DEPTH);
		return add_folder(r, nodes ? group_add(r, name) : *g, at, depth + 1);
	}
	return !S_ISREG(st.st_mode) || add_file(r, *g, at);
}

static bool add_folder(struct reading *r, struct group *g, const char *path, unsigned depth)
{
	struct dirent **name;
	int nr = scandir(path, &name, NULL, by_name);
	bool files = false, nodes, ok = nr >= 0;

	if (!ok)
		return err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
	nodes = depth == 0;
	for (int k = 0; k < nr; k++) {
		struct stat st;
		char *at = arena_printf(r->a, "%s/%s", path, name[k]->d_name);

		if (name[k]->d_name[0] == '.' || stat(at, &st) != 0)
			continue;
		files = files || S_ISREG(st.st_mode);
		nodes = nodes && !(S_ISDIR(st.st_mode) && part_of_node(name[k]->d_name));
	}
	nodes = nodes && !files;
	for (int k = 0; k < nr; k++) {
		ok = ok && add_entry(r, &g, path, name[k]->d_name, nodes, depth);
		free(name[k]);
	}
	free(name);
	return ok;
}

/* ---- nodes */

static struct node_in *node_in(struct reading *r, str name)
{
	struct node_in *n;

	for (uint32_t k = 0; k < r->nodes.nr; k++)
		if (r->nodes.v[k]->name == name)
			return r->nodes.v[k];
	n = arena_make(r->a, struct node_in);
	n->cap = r->cap;
	n->arena = r->a;
	n->strings = r->strings;
	n->name = name;
	n->rules = ruleset_new(r->a, r->strings, NULL);
	vec_add(r->a, &r->nodes, n);
	return n;
}

static void read_part(struct node_in *n, const struct part *p)
{
	switch ((enum part_format)p->format) {
	case PART_IPTABLES: read_iptables(n, p); break;
	case PART_IPTABLES_LIST: read_iptables_list(n, p); break;
	case PART_IPSET: read_ipset(n, p); break;
	case PART_NFT: read_nft(n, p); break;
	case PART_LINK: read_ip_link(n, p); break;
	case PART_ROUTE: read_ip_route(n, p); break;
	case PART_RULE: read_ip_rule(n, p); break;
	case PART_NEIGH: read_ip_neigh(n, p); break;
	case PART_FDB: read_fdb(n, p); break;
	case PART_SYSCTL: read_sysctl(n, p); break;
	case PART_IPVS: read_ipvs(n, p); break;
	case PART_SS: read_ss(n, p); break;
	case PART_BIRD_ROUTES: read_bird_routes(n, p); break;
	case PART_NONE:
	case PART_COUNT: break;
	}
}

/* Sets before the rules that ask them; iptables before nft, which shows the same tables again, with less; the kernel's routes before BIRD's. */
static const uint8_t order[] = { PART_IPSET, PART_LINK, PART_ROUTE, PART_RULE, PART_NEIGH, PART_FDB, PART_SYSCTL, PART_SS, PART_IPTABLES, PART_IPTABLES_LIST, PART_NFT, PART_IPVS, PART_BIRD_ROUTES };
static_assert(ARRAY_LEN(order) == PART_COUNT - 1, "every format is read");

/* Sessions of several machines in one folder: each file by itself holds what a node is made of. */
static bool is_node_alone(const struct split *s)
{
	bool rules = false, routes = false;

	for (uint32_t k = 0; k < s->v.nr; k++) {
		rules = rules || s->v.v[k].part.format == PART_IPTABLES || s->v.v[k].part.format == PART_NFT;
		routes = routes || s->v.v[k].part.format == PART_ROUTE;
	}
	return rules && routes;
}

static str stem_of(struct reading *r, const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;

	return str_intern_n(r->strings, base, strcspn(base, "."));
}

static void read_group(struct reading *r, struct group *g)
{
	struct split *split = arena_array(r->a, struct split, g->texts.nr ? g->texts.nr : 1);
	uint32_t alone = 0;

	VEC(struct split_part) parts = { 0 };
	bool elsewhere = false;
	str host = NULL;

	for (uint32_t k = 0; k < g->texts.nr; k++) {
		const struct text_in *t = &g->texts.v[k];

		capture_split(r->a, r->strings, t->file, t->command, t->text, t->n, &split[k]);
		alone += is_node_alone(&split[k]);
	}
	for (uint32_t k = 0; k < g->texts.nr; k++) {
		const struct text_in *t = &g->texts.v[k];
		struct split *s = &split[k];
		str node = t->node ? t->node : alone > 1 && is_node_alone(s) ? (s->host ? s->host : stem_of(r, t->file)) : NULL;

		for (uint32_t i = 0; i < s->v.nr; i++) {
			s->v.v[i].node = s->v.v[i].node ? s->v.v[i].node : node;
			vec_add(r->a, &parts, s->v.v[i]);
		}
		host = host ? host : s->host;
		elsewhere = elsewhere || s->elsewhere;
	}
	for (size_t o = 0; o < ARRAY_LEN(order); o++)
		for (uint32_t k = 0; k < parts.nr; k++) {
			struct split_part *sp = &parts.v[k];
			struct node_in *n;

			if (sp->part.format != order[o])
				continue;
			n = node_in(r, sp->node ? sp->node : g->name ? g->name : host ? host : str_intern(r->strings, "node"));
			n->elsewhere = n->elsewhere || elsewhere;
			vec_add(r->a, &r->cap->sources, (struct capture_source){ n->name, sp->part.file, str_intern(r->strings, part_names[sp->part.format]), sp->part.line });
			read_part(n, &sp->part);
		}
}

/* ---- all of it */

static struct reading begin(struct capture *out, const struct capture_options *opt, struct mem *mem, struct err *err)
{
	struct arena *a = arena_new(mem, "captured");

	*out = (struct capture){ 0 };
	out->dp = arena_make(a, struct dataplane);
	out->dp->arena = a;
	out->dp->strings = strtab_new(a);
	dataplane_begin(out->dp);
	return (struct reading){ .cap = out, .a = a, .strings = out->dp->strings, .opt = opt, .err = err };
}

static bool has_bird_config(const struct reading *r)
{
	for (uint32_t k = 0; k < r->groups.nr; k++)
		for (uint32_t i = 0; i < r->groups.v[k]->texts.nr; i++) {
			const struct text_in *t = &r->groups.v[k]->texts.v[i];

			if (memmem(t->text, t->n, "protocol bgp", 12) || memmem(t->text, t->n, "router id", 9))
				return true;
		}
	return false;
}

static bool finish(struct reading *r, const char *path)
{
	for (uint32_t k = 0; k < r->groups.nr; k++)
		read_group(r, r->groups.v[k]);
	for (uint32_t k = 0; k < r->nodes.nr; k++)
		capture_build(r->nodes.v[k], r->opt);
	dataplane_finish(r->cap->dp);
	if (!r->nodes.nr && !err_any(r->err) && has_bird_config(r))
		err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "a BIRD configuration: it says what is meant, not what a node has; `birdc show route` and `ip route` are read");
	if (!r->nodes.nr && !err_any(r->err))
		err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "nothing in it that a node's tools print (iptables-save, nft list ruleset, ip route, ip addr …)");
	if (err_any(r->err)) {
		capture_free(r->cap);
		return false;
	}
	return true;
}

bool capture_read(const char *path, const struct capture_options *opt, struct mem *mem, struct capture *out, struct err *err)
{
	struct reading r = begin(out, opt, mem, err);
	struct stat st;

	if (stat(path, &st) != 0)
		err_add(err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		add_folder(&r, group_add(&r, NULL), path, 0);
	else
		add_file(&r, group_add(&r, NULL), path);
	return finish(&r, path);
}

bool capture_read_text(const char *file, const char *text, size_t n, const struct capture_options *opt, struct mem *mem, struct capture *out, struct err *err)
{
	struct reading r = begin(out, opt, mem, err);
	char *copy;

	copy = arena_strndup(r.a, text, n);
	no_zeros(copy, n);
	add_content(&r, group_add(&r, NULL), file, copy, n);
	return finish(&r, file);
}

void capture_free(struct capture *c)
{
	if (c->dp)
		arena_free(c->dp->arena);
	*c = (struct capture){ 0 };
}
