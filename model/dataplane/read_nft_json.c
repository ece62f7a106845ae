/* `nft -j list ruleset` as `nft list ruleset` prints it. Source: libnftables-json(5). What has no text becomes a word that no reader knows, and so an op `unknown`. */
#include <cjson/cJSON.h>
#include <ctype.h>

#include "model/dataplane/read.h"

static void expression(const cJSON *, struct sb *);

static const cJSON *in(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static const char *string_in(const cJSON *o, const char *key)
{
	const cJSON *v = in(o, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static void word_text(const char *s, struct sb *out)
{
	bool plain = *s != '\0';

	for (const char *p = s; *p; p++)
		plain = plain && (isalnum((unsigned char)*p) || strchr("_-.:/@*", *p));
	if (plain) {
		sb_add(out, s);
		return;
	}
	sb_addc(out, '"');
	for (const char *p = s; *p; p++)
		if (*p != '"' && *p != '\n')
			sb_addc(out, *p);
	sb_addc(out, '"');
}

static void joined(const cJSON *list, const char *sep, struct sb *out)
{
	const cJSON *v;
	const char *s = "";

	cJSON_ArrayForEach(v, list) {
		sb_add(out, s);
		expression(v, out);
		s = sep;
	}
}

static void element(const cJSON *e, struct sb *out)
{
	const cJSON *elem = in(e, "elem");

	if (cJSON_IsArray(e) && cJSON_GetArraySize(e) == 2) {          /* of a map: key, value */
		element(cJSON_GetArrayItem(e, 0), out);
		sb_add(out, " : ");
		expression(cJSON_GetArrayItem(e, 1), out);
	} else if (elem) {
		expression(in(elem, "val"), out);
		if (*string_in(elem, "comment")) {
			sb_add(out, " comment ");
			sb_printf(out, "\"%s\"", string_in(elem, "comment"));
		}
	} else {
		expression(e, out);
	}
}

static void elements(const cJSON *list, struct sb *out)
{
	const cJSON *v;
	const char *s = "";

	sb_add(out, "{ ");
	cJSON_ArrayForEach(v, list) {
		sb_add(out, s);
		element(v, out);
		s = ", ";
	}
	sb_add(out, " }");
}

static void ct(const cJSON *o, struct sb *out)
{
	sb_add(out, "ct");
	if (*string_in(o, "dir"))
		sb_printf(out, " %s", string_in(o, "dir"));
	if (*string_in(o, "family"))
		sb_printf(out, " %s", string_in(o, "family"));
	sb_printf(out, " %s", string_in(o, "key"));
}

static void operation(const cJSON *v, struct sb *out)
{
	const cJSON *a = cJSON_GetArrayItem(v, 0), *b = cJSON_GetArrayItem(v, 1);
	bool paren = b && cJSON_IsObject(b) && b->child && strcmp(b->child->string, "|") == 0 && strcmp(v->string, "&") == 0;

	expression(a, out);
	sb_printf(out, " %s ", v->string);
	sb_add(out, paren ? "(" : "");
	expression(b, out);
	for (int k = 2; k < cJSON_GetArraySize(v); k++) {
		sb_printf(out, " %s ", v->string);
		expression(cJSON_GetArrayItem(v, k), out);
	}
	sb_add(out, paren ? ")" : "");
}

static void expression(const cJSON *e, struct sb *out)
{
	const cJSON *v = cJSON_IsObject(e) ? e->child : NULL;
	const char *key = v ? v->string : "";

	if (cJSON_IsString(e)) {
		word_text(e->valuestring, out);
	} else if (cJSON_IsNumber(e)) {
		sb_printf(out, "%.0f", e->valuedouble);
	} else if (cJSON_IsBool(e)) {
		sb_add(out, cJSON_IsTrue(e) ? "exists" : "missing");
	} else if (cJSON_IsArray(e)) {
		joined(e, ",", out);
	} else if (!v) {
		sb_add(out, "json-null");
	} else if (strcmp(key, "prefix") == 0) {
		sb_printf(out, "%s/%.0f", string_in(v, "addr"), cJSON_IsNumber(in(v, "len")) ? in(v, "len")->valuedouble : 0);
	} else if (strcmp(key, "range") == 0) {
		joined(v, "-", out);
	} else if (strcmp(key, "set") == 0) {
		if (cJSON_IsArray(v))
			elements(v, out);
		else
			expression(v, out);
	} else if (strcmp(key, "concat") == 0) {
		joined(v, " . ", out);
	} else if (strcmp(key, "payload") == 0) {
		sb_printf(out, "%s %s", *string_in(v, "protocol") ? string_in(v, "protocol") : "json-payload", string_in(v, "field"));
	} else if (strcmp(key, "meta") == 0) {
		sb_printf(out, "meta %s", string_in(v, "key"));
	} else if (strcmp(key, "ct") == 0) {
		ct(v, out);
	} else if (strcmp(key, "fib") == 0) {
		sb_add(out, "fib ");
		if (cJSON_IsArray(in(v, "flags")))
			joined(in(v, "flags"), " . ", out);
		else
			sb_add(out, string_in(v, "flags"));
		sb_printf(out, " %s", string_in(v, "result"));
	} else if (strcmp(key, "numgen") == 0) {
		sb_printf(out, "numgen %s mod %.0f", string_in(v, "mode"), cJSON_IsNumber(in(v, "mod")) ? in(v, "mod")->valuedouble : 0);
		if (cJSON_IsNumber(in(v, "offset")) && in(v, "offset")->valuedouble > 0)
			sb_printf(out, " offset %.0f", in(v, "offset")->valuedouble);
	} else if (strcmp(key, "jhash") == 0 || strcmp(key, "symhash") == 0) {
		sb_printf(out, "%s x mod %.0f", key, cJSON_IsNumber(in(v, "mod")) ? in(v, "mod")->valuedouble : 0);
	} else if (strcmp(key, "map") == 0) {
		expression(in(v, "key"), out);
		sb_add(out, " map ");
		expression(in(v, "data"), out);
	} else if (strcmp(key, "&") == 0 || strcmp(key, "|") == 0 || strcmp(key, "^") == 0) {
		operation(v, out);
	} else if (strcmp(key, "tcp option") == 0) {
		sb_printf(out, "tcp option %s %s", string_in(v, "name"), string_in(v, "field"));
	} else if (strcmp(key, "elem") == 0) {
		element(e, out);
	} else if (strcmp(key, "jump") == 0 || strcmp(key, "goto") == 0) {
		sb_printf(out, "%s %s", key, string_in(v, "target"));
	} else if (cJSON_IsNull(v)) {           /* accept, drop, return, continue */
		sb_add(out, key);
	} else {
		sb_printf(out, "json-%s", key);
	}
}

/* ---- statements */

static void nat(const char *name, const cJSON *v, struct sb *out)
{
	const cJSON *addr = in(v, "addr"), *port = in(v, "port"), *flags = in(v, "flags");
	bool six = cJSON_IsString(addr) && strchr(addr->valuestring, ':') && port;

	sb_add(out, name);
	if (*string_in(v, "family"))
		sb_printf(out, " %s", string_in(v, "family"));
	if (addr || port)
		sb_add(out, strcmp(name, "masquerade") == 0 || strcmp(name, "redirect") == 0 ? " to :" : " to ");
	sb_add(out, six ? "[" : "");
	if (addr)
		expression(addr, out);
	sb_add(out, six ? "]" : "");
	if (port) {
		if (strcmp(name, "dnat") == 0 || strcmp(name, "snat") == 0)
			sb_addc(out, ':');
		expression(port, out);
	}
	if (flags) {
		sb_addc(out, ' ');
		expression(flags, out);
	}
}

static void match(const cJSON *v, struct sb *out)
{
	const char *op = string_in(v, "op");
	const cJSON *left = in(v, "left");
	bool operation_ = cJSON_IsObject(left) && left->child && (strcmp(left->child->string, "&") == 0);

	expression(left, out);
	sb_addc(out, ' ');
	if (strcmp(op, "in") != 0 && (strcmp(op, "==") != 0 || operation_))
		sb_printf(out, "%s ", op);
	expression(in(v, "right"), out);
}

static void limit(const cJSON *v, struct sb *out)
{
	sb_printf(out, "limit rate %s%.0f/%s", cJSON_IsTrue(in(v, "inv")) ? "over " : "", cJSON_IsNumber(in(v, "rate")) ? in(v, "rate")->valuedouble : 1, string_in(v, "per"));
	if (cJSON_IsNumber(in(v, "burst")))
		sb_printf(out, " burst %.0f packets", in(v, "burst")->valuedouble);
}

static void statement(const cJSON *s, struct sb *out)
{
	const cJSON *v = s->child;
	const char *key = v ? v->string : "";

	if (!v) {
		sb_add(out, "json-empty");
	} else if (strcmp(key, "match") == 0) {
		match(v, out);
	} else if (strcmp(key, "counter") == 0) {
		sb_add(out, "counter");
		if (cJSON_IsString(v))
			sb_printf(out, " name \"%s\"", v->valuestring);
		else if (cJSON_IsNumber(in(v, "packets")) && cJSON_IsNumber(in(v, "bytes")))
			sb_printf(out, " packets %.0f bytes %.0f", in(v, "packets")->valuedouble, in(v, "bytes")->valuedouble);
	} else if (strcmp(key, "mangle") == 0) {
		expression(in(v, "key"), out);
		sb_add(out, " set ");
		expression(in(v, "value"), out);
	} else if (strcmp(key, "vmap") == 0) {
		expression(in(v, "key"), out);
		sb_add(out, " vmap ");
		expression(in(v, "data"), out);
	} else if (strcmp(key, "dnat") == 0 || strcmp(key, "snat") == 0 || strcmp(key, "masquerade") == 0 || strcmp(key, "redirect") == 0) {
		nat(key, v, out);
	} else if (strcmp(key, "reject") == 0) {
		sb_add(out, "reject");
		if (*string_in(v, "type")) {
			sb_printf(out, " with %s", string_in(v, "type"));
			if (*string_in(v, "expr"))
				sb_printf(out, "%s %s", strncmp(string_in(v, "type"), "icmp", 4) == 0 ? " type" : "", string_in(v, "expr"));
		}
	} else if (strcmp(key, "log") == 0) {
		sb_add(out, "log");
		if (*string_in(v, "prefix"))
			sb_printf(out, " prefix \"%s\"", string_in(v, "prefix"));
		if (cJSON_IsNumber(in(v, "group")))
			sb_printf(out, " group %.0f", in(v, "group")->valuedouble);
	} else if (strcmp(key, "limit") == 0 && cJSON_IsObject(v)) {
		limit(v, out);
	} else if (strcmp(key, "set") == 0) {
		sb_printf(out, "%s %s { ", *string_in(v, "op") ? string_in(v, "op") : "add", string_in(v, "set"));
		element(in(v, "elem"), out);
		sb_add(out, " }");
	} else if (strcmp(key, "flow") == 0) {
		sb_printf(out, "flow add %s", string_in(v, "flowtable"));
	} else if (strcmp(key, "xt") == 0) {
		sb_printf(out, "xt %s %s", *string_in(v, "type") ? string_in(v, "type") : "match", *string_in(v, "name") ? string_in(v, "name") : cJSON_IsString(v) ? v->valuestring : "?");
	} else if (strcmp(key, "notrack") == 0) {
		sb_add(out, "notrack");
	} else {
		expression(s, out);
	}
}

/* ---- tables */

static bool of_table(const cJSON *o, const cJSON *table)
{
	return strcmp(string_in(o, "family"), string_in(table, "family")) == 0 && strcmp(string_in(o, "table"), string_in(table, "name")) == 0;
}

static void type_text(const cJSON *t, struct sb *out)
{
	if (cJSON_IsString(t))
		sb_add(out, t->valuestring);
	else if (cJSON_IsArray(t))
		joined(t, " . ", out);
	else if (in(t, "typeof"))
		expression(in(t, "typeof"), out);
	else
		expression(t, out);
}

static void set_text(const cJSON *s, bool map, struct sb *out)
{
	const cJSON *flags = in(s, "flags"), *elem = in(s, "elem"), *timeout = in(s, "timeout");

	sb_printf(out, "\t%s %s {\n\t\ttype%s ", map ? "map" : "set", string_in(s, "name"), cJSON_IsObject(in(s, "type")) ? "of" : "");
	type_text(in(s, "type"), out);
	if (map) {
		sb_add(out, " : ");
		type_text(in(s, "map"), out);
	}
	sb_addc(out, '\n');
	if (flags) {
		sb_add(out, "\t\tflags ");
		expression(flags, out);
		sb_addc(out, '\n');
	}
	if (cJSON_IsNumber(timeout))
		sb_printf(out, "\t\ttimeout %.0fs\n", timeout->valuedouble);
	if (cJSON_IsArray(elem)) {
		sb_add(out, "\t\telements = ");
		elements(elem, out);
		sb_addc(out, '\n');
	}
	sb_add(out, "\t}\n");
}

static void rules_text(const cJSON *ruleset, const cJSON *table, const cJSON *chain, struct sb *out)
{
	const cJSON *o, *s;

	cJSON_ArrayForEach(o, ruleset) {
		const cJSON *rule = in(o, "rule");
		const char *sep = "\t\t";

		if (!rule || !of_table(rule, table) || strcmp(string_in(rule, "chain"), string_in(chain, "name")) != 0)
			continue;
		cJSON_ArrayForEach(s, in(rule, "expr")) {
			sb_add(out, sep);
			statement(s, out);
			sep = " ";
		}
		if (*string_in(rule, "comment")) {
			sb_add(out, sep);
			sb_add(out, "comment \"");
			for (const char *p = string_in(rule, "comment"); *p; p++)
				if (*p != '"' && *p != '\n')
					sb_addc(out, *p);
			sb_addc(out, '"');
		}
		sb_addc(out, '\n');
	}
}

static void chain_text(const cJSON *ruleset, const cJSON *table, const cJSON *chain, struct sb *out)
{
	sb_printf(out, "\tchain %s {\n", string_in(chain, "name"));
	if (*string_in(chain, "hook"))
		sb_printf(out, "\t\ttype %s hook %s priority %.0f; policy %s;\n", string_in(chain, "type"), string_in(chain, "hook"),
			  cJSON_IsNumber(in(chain, "prio")) ? in(chain, "prio")->valuedouble : 0, *string_in(chain, "policy") ? string_in(chain, "policy") : "accept");
	rules_text(ruleset, table, chain, out);
	sb_add(out, "\t}\n");
}

void nft_json_text(const cJSON *ruleset, struct sb *out)
{
	const cJSON *o, *x;

	cJSON_ArrayForEach(o, ruleset) {
		const cJSON *table = in(o, "table");

		if (!table)
			continue;
		sb_printf(out, "table %s %s {\n", string_in(table, "family"), string_in(table, "name"));
		cJSON_ArrayForEach(x, ruleset) {
			if (in(x, "set") && of_table(in(x, "set"), table))
				set_text(in(x, "set"), false, out);
			if (in(x, "map") && of_table(in(x, "map"), table))
				set_text(in(x, "map"), true, out);
		}
		cJSON_ArrayForEach(x, ruleset)
			if (in(x, "chain") && of_table(in(x, "chain"), table))
				chain_text(ruleset, table, in(x, "chain"), out);
		sb_add(out, "}\n");
	}
}
