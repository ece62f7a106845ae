/* Texts from manifests in HAProxy's configuration. Inside '…' all stands for itself until the next ' (configuration.txt, 2.2 Quoting and escaping); a control character
 * could end a line, so a text that holds one is never written. */
#include "model/l7/haproxy_parts.h"

#include <ctype.h>

bool hap_fits(const char *text)
{
	size_t n = strlen(text);

	for (size_t k = 0; k < n; k++)
		if (iscntrl((unsigned char)text[k]))
			return false;
	return n <= HAP_LONGEST;
}

bool hap_name(const char *text)
{
	if (!text || !*text || strlen(text) > 200)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '-' && *text != '_' && *text != '.')
			return false;
	return true;
}

static const char *kept(struct hap *x, struct sb *s)
{
	const char *out = arena_strdup(x->a, sb_text(s));

	sb_free(s);
	return out;
}

const char *hap_word(struct hap *x, const char *text)
{
	struct sb out = { 0 };

	sb_addc(&out, '\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\'')
			sb_add(&out, "'\\''");
		else
			sb_addc(&out, iscntrl((unsigned char)*p) ? '?' : *p);
	}
	sb_addc(&out, '\'');
	return kept(x, &out);
}

const char *hap_format(struct hap *x, const char *text)
{
	struct sb out = { 0 };

	for (const char *p = text; *p; p++)
		sb_add(&out, *p == '%' ? "%%" : (char[]){ *p, 0 });
	return kept(x, &out);
}

const char *hap_literal(struct hap *x, const char *text) { return regex_literal(x->a, text); }

const char *hap_comment(struct hap *x, const char *text)
{
	struct sb out = { 0 };

	for (const char *p = text; *p && out.len < HAP_LONGEST; p++)
		sb_addc(&out, iscntrl((unsigned char)*p) ? '?' : *p);
	return kept(x, &out);
}

const char *hap_object(struct hap *x, obj_h h, const char *path)
{
	const struct object *o = obj_get(x->t->cluster, h);

	if (!o)
		return x->t->server;
	return arena_printf(x->a, "%s %s%s%s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name, path ? ", " : "", path ? path : "");
}

void hap_cannot(struct hap *x, const char *what, const char *why)
{
	const char *text = arena_printf(x->a, "%s: %s", what, why);

	for (uint32_t k = 0; k < x->out->cannot.nr; k++)
		if (streq(x->out->cannot.v[k], text))
			return;
	vec_add(x->a, &x->out->cannot, text);
}

void hap_refuse(struct hap *x, const char *why, const char *when)
{
	const char *line = hap_comment(x, why);

	sb_printf(&x->out->text, "    http-request return status 501 content-type text/plain string %s hdr " HAPROXY_CANNOT " %s%s%s\n", hap_word(x, line), hap_word(x, hap_format(x, line)),
		  *when ? " if" : "", when);
}
