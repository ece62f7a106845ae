/* JSON of the tools as the texts that they print without it: podwire's own captures, ip -j, bridge -j. nft's is read_nft_json.c. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/dataplane/read.h"

static const char *string_in(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) ? v->valuestring : NULL;
}

static bool has(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key) != NULL;
}

/* A string or a number, as text; "" if there is none. */
static const char *text_in(struct arena *a, const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	if (cJSON_IsNumber(v))
		return arena_printf(a, "%.0f", v->valuedouble);
	return cJSON_IsString(v) ? v->valuestring : "";
}

static void word_if(struct arena *a, struct sb *out, const cJSON *o, const char *key, const char *word_)
{
	const char *s = text_in(a, o, key);

	if (*s)
		sb_printf(out, " %s %s", word_, s);
}

static void flags(struct sb *out, const cJSON *list, const char *sep)
{
	const cJSON *f;
	const char *s = "";

	cJSON_ArrayForEach(f, list) {
		if (!cJSON_IsString(f))
			continue;
		sb_printf(out, "%s%s", s, f->valuestring);
		s = sep;
	}
}

/* ---- ip -j */

static void link_line(struct arena *a, const cJSON *o, struct sb *out)
{
	const cJSON *info = cJSON_GetObjectItemCaseSensitive(o, "linkinfo"), *data = cJSON_GetObjectItemCaseSensitive(info, "info_data"), *addr;

	sb_printf(out, "%s: %s%s: <", *text_in(a, o, "ifindex") ? text_in(a, o, "ifindex") : "1", text_in(a, o, "ifname"), has(o, "link_index") || has(o, "link_netnsid") ? "@if1" : "");
	flags(out, cJSON_GetObjectItemCaseSensitive(o, "flags"), ",");
	sb_add(out, ">");
	word_if(a, out, o, "mtu", "mtu");
	word_if(a, out, o, "master", "master");
	sb_printf(out, "\n    link/%s %s\n", *text_in(a, o, "link_type") ? text_in(a, o, "link_type") : "none", text_in(a, o, "address"));
	if (string_in(info, "info_kind")) {
		sb_printf(out, "    %s", string_in(info, "info_kind"));
		word_if(a, out, data, "id", "id");
		word_if(a, out, data, "local", "local");
		sb_addc(out, '\n');
	}
	cJSON_ArrayForEach(addr, cJSON_GetObjectItemCaseSensitive(o, "addr_info"))
		if (string_in(addr, "local"))
			sb_printf(out, "    %s %s/%s\n", string_in(addr, "family") && strcmp(string_in(addr, "family"), "inet6") == 0 ? "inet6" : "inet", string_in(addr, "local"),
				  *text_in(a, addr, "prefixlen") ? text_in(a, addr, "prefixlen") : "32");
}

static void hop_words(struct arena *a, const cJSON *o, struct sb *out)
{
	const cJSON *via = cJSON_GetObjectItemCaseSensitive(o, "via");

	word_if(a, out, o, "gateway", "via");
	if (string_in(via, "host"))
		sb_printf(out, " via %s", string_in(via, "host"));
	word_if(a, out, o, "dev", "dev");
}

static void route_line(struct arena *a, const cJSON *o, struct sb *out)
{
	const cJSON *hop;

	if (string_in(o, "type"))
		sb_printf(out, "%s ", string_in(o, "type"));
	sb_add(out, text_in(a, o, "dst"));
	hop_words(a, o, out);
	word_if(a, out, o, "protocol", "proto");
	word_if(a, out, o, "scope", "scope");
	word_if(a, out, o, "prefsrc", "src");
	word_if(a, out, o, "metric", "metric");
	word_if(a, out, o, "table", "table");
	if (has(o, "flags")) {
		sb_addc(out, ' ');
		flags(out, cJSON_GetObjectItemCaseSensitive(o, "flags"), " ");
	}
	if (has(o, "pref"))
		word_if(a, out, o, "pref", "pref");
	sb_addc(out, '\n');
	cJSON_ArrayForEach(hop, cJSON_GetObjectItemCaseSensitive(o, "nexthops")) {
		sb_add(out, "\tnexthop");
		hop_words(a, hop, out);
		sb_addc(out, '\n');
	}
}

static void prefix_words(struct arena *a, const cJSON *o, const char *key, const char *len, const char *word_, struct sb *out)
{
	const char *s = text_in(a, o, key);

	if (!*s)
		return;
	sb_printf(out, " %s %s", word_, s);
	if (has(o, len))
		sb_printf(out, "/%s", text_in(a, o, len));
}

static void rule_line(struct arena *a, const cJSON *o, struct sb *out)
{
	static const char *const others[] = { "uid_start", "ipproto", "sport", "dport", "sport_start", "dport_start", "tos", "l3mdev", "tun_id" };
	const cJSON *not = cJSON_GetObjectItemCaseSensitive(o, "not");

	sb_printf(out, "%s:", text_in(a, o, "priority"));
	if (not)
		sb_add(out, " not");
	prefix_words(a, o, "src", "srclen", "from", out);
	prefix_words(a, o, "dst", "dstlen", "to", out);
	if (*text_in(a, o, "fwmark")) {
		sb_printf(out, " fwmark %s", text_in(a, o, "fwmark"));
		if (has(o, "fwmask"))
			sb_printf(out, "/%s", text_in(a, o, "fwmask"));
	}
	word_if(a, out, o, "iif", "iif");
	word_if(a, out, o, "oif", "oif");
	for (size_t k = 0; k < ARRAY_LEN(others); k++)
		if (has(o, others[k]))
			sb_printf(out, " %s %s", others[k], *text_in(a, o, others[k]) ? text_in(a, o, others[k]) : "1");
	word_if(a, out, o, "table", "lookup");
	word_if(a, out, o, "suppress_prefixlen", "suppress_prefixlength");
	word_if(a, out, o, "goto", "goto");
	if (string_in(o, "action") && !has(o, "goto"))
		sb_printf(out, " %s", string_in(o, "action"));
	sb_addc(out, '\n');
}

static void neigh_line(struct arena *a, const cJSON *o, struct sb *out)
{
	sb_add(out, text_in(a, o, "dst"));
	word_if(a, out, o, "dev", "dev");
	word_if(a, out, o, "lladdr", "lladdr");
	sb_addc(out, ' ');
	flags(out, cJSON_GetObjectItemCaseSensitive(o, "state"), " ");
	sb_addc(out, '\n');
}

static void fdb_line(struct arena *a, const cJSON *o, struct sb *out)
{
	sb_add(out, text_in(a, o, "mac"));
	word_if(a, out, o, "ifname", "dev");
	word_if(a, out, o, "dst", "dst");
	sb_addc(out, '\n');
}

/* What an array of `ip -j` holds shows in its objects' members. */
static bool ip_json(struct arena *a, const cJSON *list, const char *node, const char *told, json_give give, void *ctx)
{
	static const struct { const char *a, *b, *command; void (*line)(struct arena *, const cJSON *, struct sb *); } kinds[] = {
		{ "ifname", "mac", "bridge fdb", fdb_line }, { "ifname", "addr_info", "ip addr", link_line }, { "ifname", "flags", "ip link", link_line }, { "priority", "src", "ip rule", rule_line },
		{ "dst", "lladdr", "ip neigh", neigh_line }, { "dst", "state", "ip neigh", neigh_line }, { "dst", "dev", "ip route", route_line }, { "dst", "protocol", "ip route", route_line },
		{ "dst", "flags", "ip route", route_line }, { "dst", "type", "ip route", route_line },
	};
	const cJSON *first = NULL, *o;
	struct sb out = { 0 };

	cJSON_ArrayForEach(o, list)
		if (cJSON_IsObject(o) && o->child && !first)
			first = o;
	for (size_t k = 0; first && k < ARRAY_LEN(kinds); k++) {
		if (!has(first, kinds[k].a) || !has(first, kinds[k].b))
			continue;
		cJSON_ArrayForEach(o, list)
			if (cJSON_IsObject(o) && o->child)
				kinds[k].line(a, o, &out);
		give(ctx, node, told ? told : kinds[k].command, arena_strdup(a, sb_text(&out)));
		sb_free(&out);
		return true;
	}
	return cJSON_GetArraySize(list) == 0 && told;
}

/* ---- podwire capture */

static const char *without_j(struct arena *a, const char *command)
{
	struct words w = words_of(a, command, strlen(command), false);
	struct sb b = { 0 };
	const char *s;

	for (uint32_t k = 0; k < w.nr; k++)
		if (strcmp(w.v[k], "-j") != 0 && strcmp(w.v[k], "-json") != 0)
			sb_printf(&b, "%s%s", b.len ? " " : "", w.v[k]);
	s = arena_strdup(a, sb_text(&b));
	sb_free(&b);
	return s;
}

static void output(struct arena *a, const cJSON *o, const char *node, json_give give, void *ctx)
{
	const char *command = string_in(o, "command"), *text = string_in(o, "text");
	const cJSON *json = cJSON_GetObjectItemCaseSensitive(o, "json");

	if (!command)
		return;
	command = without_j(a, command);
	if (text) {
		give(ctx, node, command, arena_strdup(a, text));
	} else if (cJSON_IsArray(json)) {
		ip_json(a, json, node, command, give, ctx);
	} else if (has(json, "nftables")) {
		struct sb b = { 0 };

		nft_json_text(cJSON_GetObjectItemCaseSensitive(json, "nftables"), &b);
		give(ctx, node, command, arena_strdup(a, sb_text(&b)));
		sb_free(&b);
	}
}

bool capture_json(struct arena *a, const char *json, size_t n, json_give give, void *ctx)
{
	cJSON *root = cJSON_ParseWithLength(json, n);
	bool known = false;

	if (!root)
		return false;
	if (cJSON_IsArray(root)) {
		known = ip_json(a, root, NULL, NULL, give, ctx);
	} else if (has(root, "nftables")) {
		struct sb b = { 0 };

		nft_json_text(cJSON_GetObjectItemCaseSensitive(root, "nftables"), &b);
		give(ctx, NULL, "nft list ruleset", arena_strdup(a, sb_text(&b)));
		sb_free(&b);
		known = true;
	} else if (string_in(root, "kind") && strcmp(string_in(root, "kind"), "NodeCapture") == 0) {
		const char *name = string_in(cJSON_GetObjectItemCaseSensitive(root, "metadata"), "name");
		const cJSON *o;

		cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(root, "outputs"))
			output(a, o, name ? arena_strdup(a, name) : NULL, give, ctx);
		known = true;
	}
	cJSON_Delete(root);
	return known;
}
