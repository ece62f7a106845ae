#include "model/l7/cert.h"

#include <ctype.h>
#include <strings.h>

uint8_t *base64_decode(struct arena *a, const char *text, size_t len, size_t *out_len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *out = arena_array(a, uint8_t, len / 4 * 3 + 4);
	uint32_t bits = 0, have = 0;
	size_t n = 0;

	for (size_t k = 0; k < len; k++) {
		const char *at;

		if (isspace((unsigned char)text[k]))
			continue;
		if (text[k] == '=')
			break;
		at = strchr(digits, text[k]);
		if (!at || !text[k])
			return NULL;
		bits = bits << 6 | (uint32_t)(at - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	*out_len = n;
	return out;
}

/* ---- DER: one element at *p, within end */
struct der { uint8_t tag; const uint8_t *v; size_t len; };

static bool der_next(const uint8_t **p, const uint8_t *end, struct der *out)
{
	const uint8_t *q = *p;
	size_t len;

	if (end - q < 2)
		return false;
	out->tag = *q++;
	len = *q++;
	if (len & 0x80) {
		size_t bytes = len & 0x7f;

		if (!bytes || bytes > 4 || (size_t)(end - q) < bytes)
			return false;
		for (len = 0; bytes; bytes--)
			len = len << 8 | *q++;
	}
	if ((size_t)(end - q) < len)
		return false;
	out->v = q;
	out->len = len;
	*p = q + len;
	return true;
}

static bool der_is(const struct der *d, uint8_t tag, const char *bytes, size_t n) { return d->tag == tag && d->len == n && memcmp(d->v, bytes, n) == 0; }

typedef VEC(const char *) names;

/* GeneralNames: dNSName is [2]. */
static void alternative_names(struct arena *a, const struct der *octets, names *out)
{
	const uint8_t *p = octets->v;
	struct der seq, one;

	if (!der_next(&p, octets->v + octets->len, &seq))
		return;
	p = seq.v;
	while (der_next(&p, seq.v + seq.len, &one))
		if (one.tag == 0x82)
			vec_add(a, out, arena_strndup(a, (const char *)one.v, one.len));
}

/* Extensions: a sequence of { OID, critical?, octets }; subjectAltName is 2.5.29.17. */
static void extensions(struct arena *a, const struct der *explicit, names *out)
{
	const uint8_t *p = explicit->v, *q;
	struct der seq, ext, id, value;

	if (!der_next(&p, explicit->v + explicit->len, &seq))
		return;
	p = seq.v;
	while (der_next(&p, seq.v + seq.len, &ext)) {
		q = ext.v;
		if (!der_next(&q, ext.v + ext.len, &id) || !der_is(&id, 6, "\x55\x1d\x11", 3))
			continue;
		while (der_next(&q, ext.v + ext.len, &value))
			if (value.tag == 4)
				alternative_names(a, &value, out);
	}
}

/* Name: sequence of sets of { OID, text }; commonName is 2.5.4.3. */
static const char *common_name(struct arena *a, const struct der *name)
{
	const uint8_t *p = name->v, *q, *r;
	struct der set, pair, id, text;

	while (der_next(&p, name->v + name->len, &set)) {
		q = set.v;
		while (der_next(&q, set.v + set.len, &pair)) {
			r = pair.v;
			if (der_next(&r, pair.v + pair.len, &id) && der_is(&id, 6, "\x55\x04\x03", 3) && der_next(&r, pair.v + pair.len, &text))
				return arena_strndup(a, (const char *)text.v, text.len);
		}
	}
	return NULL;
}

/* Certificate { TBSCertificate { [0] version?, serial, algorithm, issuer, validity, subject, key, …, [3] extensions }, … } */
static bool certificate(struct arena *a, const uint8_t *der, size_t len, names *out)
{
	const uint8_t *p = der, *end;
	struct der cert, tbs, part;
	const char *cn = NULL;
	int seq = 0;

	if (!der_next(&p, der + len, &cert) || cert.tag != 0x30)
		return false;
	p = cert.v;
	if (!der_next(&p, cert.v + cert.len, &tbs) || tbs.tag != 0x30)
		return false;
	end = tbs.v + tbs.len;
	for (p = tbs.v; der_next(&p, end, &part);) {
		seq += part.tag == 0x30;
		if (part.tag == 0x30 && seq == 4)               /* algorithm, issuer, validity, subject */
			cn = common_name(a, &part);
		if (part.tag == 0xa3)
			extensions(a, &part, out);
	}
	if (!out->nr && cn)
		vec_add(a, out, cn);
	return seq >= 4;
}

static const char *data_of(const struct secret *s, const char *key)
{
	str v = label_get(&s->data, key);

	return v && *v ? v : NULL;
}

/* The first PEM block of that label, decoded. */
static uint8_t *pem_block(struct arena *a, const char *text, size_t len, const char *label, size_t *out_len)
{
	const char *begin = arena_printf(a, "-----BEGIN %s-----", label), *end = arena_printf(a, "-----END %s-----", label);
	const char *from = memmem(text, len, begin, strlen(begin)), *to;

	if (!from)
		return NULL;
	from += strlen(begin);
	to = memmem(from, len - (size_t)(from - text), end, strlen(end));
	return to ? base64_decode(a, from, (size_t)(to - from), out_len) : NULL;
}

bool cert_of_secret(const struct secret *s, struct arena *a, struct cert_names *out, const char **why)
{
	const char *crt = data_of(s, "tls.crt"), *key = data_of(s, "tls.key");
	size_t crt_len = 0, key_len = 0, der_len = 0;
	const uint8_t *text, *key_text, *der;
	names found = { 0 };

	*why = "has no tls.crt and tls.key";
	if (!crt || !key)
		return false;
	text = base64_decode(a, crt, strlen(crt), &crt_len);
	key_text = base64_decode(a, key, strlen(key), &key_len);
	*why = "has data that is not base 64";
	if (!text || !key_text)
		return false;
	*why = "has a tls.crt that is no certificate";
	der = pem_block(a, (const char *)text, crt_len, "CERTIFICATE", &der_len);
	if (!der || !certificate(a, der, der_len, &found))
		return false;
	*why = "has a tls.key that is no private key";
	if (!memmem(key_text, key_len, "PRIVATE KEY-----", 16))
		return false;
	*why = NULL;
	*out = (struct cert_names){ found.v, found.nr };
	return true;
}

bool cert_covers(const struct cert_names *c, const char *host)
{
	for (uint32_t k = 0; k < c->nr; k++) {
		const char *name = c->v[k], *dot = strchr(host, '.');

		if (strcasecmp(name, host) == 0)
			return true;
		if (strncmp(name, "*.", 2) == 0 && dot && dot != host && strcasecmp(name + 1, dot) == 0)
			return true;
	}
	return false;
}
