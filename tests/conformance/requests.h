/* Cases of requests, in tests/conformance/data/l7: reading them, certificates made for them, comparing messages. */
#ifndef PODWIRE_TEST_REQUESTS_H
#define PODWIRE_TEST_REQUESTS_H

#include <strings.h>

#include "model/l7/routes.h"
#include "tests/unit/test.h"

/* The array of cases; NULL and a skip if it is not there. */
static inline const struct val *case_file(struct arena *a, const char *name)
{
	return test_json(a, arena_printf(a, "tests/conformance/data/l7/%s.json", name));
}

/* ---- a certificate for some names: well-formed, signed by nobody */

static inline void der_wrap(struct sb *s, size_t from, uint8_t tag)
{
	size_t len = s->len - from;
	char head[4] = { (char)tag, (char)0x82, (char)(len >> 8), (char)len };

	sb_addn(s, head, 4);
	memmove(s->s + from + 4, s->s + from, len);
	memcpy(s->s + from, head, 4);
}

static inline void der_text(struct sb *s, uint8_t tag, const char *text, size_t n)
{
	size_t from = s->len;

	sb_addn(s, text, n);
	der_wrap(s, from, tag);
}

static inline void der_subject(struct sb *s, const char *cn)
{
	size_t name = s->len, set, pair;

	set = s->len;
	pair = s->len;
	der_text(s, 6, "\x55\x04\x03", 3);
	der_text(s, 12, cn, strlen(cn));
	der_wrap(s, pair, 0x30);
	der_wrap(s, set, 0x31);
	der_wrap(s, name, 0x30);
}

static inline void der_alternatives(struct sb *s, const char *names)
{
	size_t outer = s->len, list = s->len, one = s->len, octets, seq;

	der_text(s, 6, "\x55\x1d\x11", 3);
	octets = seq = s->len;
	for (const char *p = names; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
		der_text(s, strncmp(p, "spiffe:", 7) == 0 ? 0x86 : 0x82, p, strcspn(p, ","));
	der_wrap(s, seq, 0x30);
	der_wrap(s, octets, 4);
	der_wrap(s, one, 0x30);
	der_wrap(s, list, 0x30);
	der_wrap(s, outer, 0xa3);
}

static inline void base64(struct sb *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t k = 0; k < n; k += 3) {
		uint32_t v = (uint32_t)p[k] << 16 | (k + 1 < n ? (uint32_t)p[k + 1] << 8 : 0) | (k + 2 < n ? p[k + 2] : 0);

		sb_addc(out, digits[v >> 18]);
		sb_addc(out, digits[v >> 12 & 63]);
		sb_addc(out, k + 1 < n ? digits[v >> 6 & 63] : '=');
		sb_addc(out, k + 2 < n ? digits[v & 63] : '=');
	}
}

/* As PEM. names: of hosts, and spiffe://… ; "… by NAME": signed by somebody else of that name, else by itself. san false: the names only as common name. */
static inline const char *made_pem(struct arena *a, const char *names, bool san)
{
	const char *by = strstr(names, " by "), *own = by ? arena_strndup(a, names, (size_t)(by - names)) : names, *first = arena_strndup(a, own, strcspn(own, ","));
	struct sb der = { 0 }, pem = { 0 };
	const char *done;

	der_text(&der, 2, "\1", 1);
	der_text(&der, 0x30, "", 0);            /* algorithm */
	der_subject(&der, by ? by + 4 : first); /* issuer */
	der_text(&der, 0x30, "", 0);            /* validity */
	der_subject(&der, first);
	der_text(&der, 0x30, "", 0);            /* key */
	if (san)
		der_alternatives(&der, own);
	der_wrap(&der, 0, 0x30);
	der_wrap(&der, 0, 0x30);
	sb_add(&pem, "-----BEGIN CERTIFICATE-----\n");
	base64(&pem, (const uint8_t *)der.s, der.len);
	sb_add(&pem, "\n-----END CERTIFICATE-----\n");
	done = arena_strdup(a, sb_text(&pem));
	sb_free(&der);
	sb_free(&pem);
	return done;
}

/* tls.crt as it stands in a Secret. */
static inline const char *made_certificate(struct arena *a, const char *names, bool san)
{
	const char *pem = made_pem(a, names, san), *done;
	struct sb out = { 0 };

	base64(&out, (const uint8_t *)pem, strlen(pem));
	done = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return done;
}

#define MADE_KEY "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg=="            /* -----BEGIN PRIVATE KEY----- */

/* The object as it is to be applied: a TLS Secret whose tls.crt, or a ConfigMap whose ca.crt, says "made for NAME,…" gets a certificate with these names. */
static inline const struct val *case_object(struct arena *a, const struct val *o)
{
	bool map = streq(val_str_at(o, "kind"), "ConfigMap");
	const char *crt = map || streq(val_str_at(o, "kind"), "Secret") ? val_str(val_get(val_get(o, "data"), map ? "ca.crt" : "tls.crt")) : NULL;
	struct val *copy, *data;

	if (!crt || strncmp(crt, "made for ", 9) != 0)
		return o;
	copy = val_copy(a, o);
	data = val_put(a, copy, "data", val_new(a, VAL_MAP));
	val_put(a, data, map ? "ca.crt" : "tls.crt", val_string(a, map ? made_pem(a, crt + 9, true) : made_certificate(a, crt + 9, true)));
	if (!map)
		val_put(a, data, "tls.key", val_string(a, MADE_KEY));
	return copy;
}

/* ---- messages */

static inline struct http_pair *case_pairs(struct arena *a, const struct val *map, uint32_t *nr)
{
	VEC(struct http_pair) v = { 0 };

	VAL_EACH(m, map) {
		if (val_str(m))
			vec_add(a, &v, (struct http_pair){ m->key, val_str(m) });
		if (!val_str(m))                /* given more than once */
			VAL_EACH(one, m)
				vec_add(a, &v, (struct http_pair){ m->key, val_str(one) });
	}
	*nr = v.nr;
	return v.v;
}

static inline const char *case_header(const struct http_pair *v, uint32_t nr, const char *name)
{
	for (uint32_t k = 0; k < nr; k++)
		if (strcasecmp(v[k].name, name) == 0)
			return v[k].value;
	return NULL;
}

static inline void case_check_message(const struct val *want, const char *path, const char *host, const struct http_pair *headers, uint32_t nr)
{
	if (val_get(want, "path"))
		SAME_TEXT(path, val_str_at(want, "path"));
	if (val_get(want, "host"))
		SAME_TEXT(host, val_str_at(want, "host"));
	VAL_EACH(h, val_get(want, "headers"))
		SAME_TEXT(case_header(headers, nr, h->key), val_str(h));
	VAL_EACH(h, val_get(want, "absentHeaders"))
		CU_ASSERT_PTR_NULL(case_header(headers, nr, val_str(h)));
}

#endif
