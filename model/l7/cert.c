#include "model/l7/cert.h"

#include <ctype.h>
#include <strings.h>

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

/* GeneralNames: dNSName is [2], uniformResourceIdentifier [6]. */
static void alternative_names(struct arena *a, const struct der *octets, names *out, names *uris)
{
	const uint8_t *p = octets->v;
	struct der seq, one;

	if (!der_next(&p, octets->v + octets->len, &seq))
		return;
	p = seq.v;
	while (der_next(&p, seq.v + seq.len, &one))
		if (one.tag == 0x82 || one.tag == 0x86)
			vec_add(a, one.tag == 0x82 ? out : uris, arena_strndup(a, (const char *)one.v, one.len));
}

static struct cert_part part_of(const struct der *d) { return (struct cert_part){ d->v, d->len }; }

/* SubjectKeyIdentifier: an octet string. AuthorityKeyIdentifier: a sequence whose [0] it is. */
static void key_identifier(const struct der *octets, bool authority, struct cert *out)
{
	const uint8_t *p = octets->v, *q;
	struct der one, id;

	if (!der_next(&p, octets->v + octets->len, &one))
		return;
	if (!authority) {
		out->key = part_of(&one);
		return;
	}
	q = one.v;
	if (der_next(&q, one.v + one.len, &id) && id.tag == 0x80)
		out->signer = part_of(&id);
}

/* Extensions: a sequence of { OID, critical?, octets }; subjectAltName is 2.5.29.17, subjectKeyIdentifier .14, authorityKeyIdentifier .35. */
static void extensions(struct arena *a, const struct der *explicit, names *out, names *uris, struct cert *cert)
{
	const uint8_t *p = explicit->v, *q;
	struct der seq, ext, id, value;

	if (!der_next(&p, explicit->v + explicit->len, &seq))
		return;
	p = seq.v;
	while (der_next(&p, seq.v + seq.len, &ext)) {
		q = ext.v;
		if (!der_next(&q, ext.v + ext.len, &id))
			continue;
		while (der_next(&q, ext.v + ext.len, &value)) {
			if (value.tag != 4)
				continue;
			if (der_is(&id, 6, "\x55\x1d\x11", 3))
				alternative_names(a, &value, out, uris);
			else if (der_is(&id, 6, "\x55\x1d\x0e", 3) || der_is(&id, 6, "\x55\x1d\x23", 3))
				key_identifier(&value, id.v[2] == 0x23, cert);
		}
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
static bool certificate(struct arena *a, const uint8_t *der, size_t len, struct cert *out)
{
	const uint8_t *p = der, *end;
	struct der cert, tbs, part;
	names found = { 0 }, uris = { 0 };
	const char *cn = NULL;
	int seq = 0;

	*out = (struct cert){ .whole = { der, len } };
	if (!der_next(&p, der + len, &cert) || cert.tag != 0x30)
		return false;
	p = cert.v;
	if (!der_next(&p, cert.v + cert.len, &tbs) || tbs.tag != 0x30)
		return false;
	end = tbs.v + tbs.len;
	for (p = tbs.v; der_next(&p, end, &part);) {
		seq += part.tag == 0x30;
		if (part.tag == 0x30 && seq == 2)               /* algorithm, issuer, validity, subject */
			out->issuer = part_of(&part);
		if (part.tag == 0x30 && seq == 4) {
			out->subject = part_of(&part);
			cn = common_name(a, &part);
		}
		if (part.tag == 0xa3)
			extensions(a, &part, &found, &uris, out);
	}
	if (!found.nr && !uris.nr && cn)
		vec_add(a, &found, cn);
	out->names = (struct cert_names){ found.v, found.nr };
	out->uris = (struct cert_names){ uris.v, uris.nr };
	return seq >= 4;
}

/* ---- text */

static const char *data_of(const struct secret *s, const char *key)
{
	str v = label_get(&s->data, key);

	return v && *v ? v : NULL;
}

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"
#define MOST_STEPS 10                   /* from a certificate to its CA */

const char *cert_read(const char *pem, struct arena *a, struct cert *out)
{
	const char *from = strstr(pem, PEM_BEGIN), *to = from ? strstr(from, PEM_END) : NULL;
	const uint8_t *der;
	size_t len = 0;

	if (!to)
		return NULL;
	from += strlen(PEM_BEGIN);
	der = base64_decode(a, from, (size_t)(to - from), &len);
	if (!der || !certificate(a, der, len, out))
		return NULL;
	out->more = to + strlen(PEM_END);
	return out->more;
}

static bool same(const struct cert_part *x, const struct cert_part *y) { return x->len == y->len && (!x->len || memcmp(x->v, y->v, x->len) == 0); }

static bool signed_by(const struct cert *c, const struct cert *ca)
{
	return same(&c->issuer, &ca->subject) && (!c->signer.v || !ca->key.v || same(&c->signer, &ca->key));
}

/* The first of a text that is the certificate's signer; false: none is. */
static bool find_signer(const struct cert *c, const char *text, struct arena *a, struct cert *out)
{
	for (const char *p = text; p && (p = cert_read(p, a, out));)
		if (signed_by(c, out))
			return true;
	return false;
}

static bool holds(const char *bundle, const struct cert *c, struct arena *a)
{
	struct cert ca;

	for (const char *p = bundle; p && (p = cert_read(p, a, &ca));)
		if (same(&c->whole, &ca.whole))
			return true;
	return find_signer(c, bundle, a, &ca);
}

bool cert_trusted(const struct cert *c, const char *bundle, struct arena *a)
{
	struct cert at = *c, next;

	if (!bundle || !cert_read(bundle, a, &next))
		return true;
	for (int step = 0; step < MOST_STEPS; step++) {
		if (holds(bundle, &at, a))
			return true;
		if (!find_signer(&at, c->more, a, &next))
			return false;
		at = next;
	}
	return false;
}

/* What is under that key, decoded; NULL: it is not there, or no base 64. */
static const char *text_of(const struct secret *s, const char *key, struct arena *a)
{
	const char *data = data_of(s, key);
	size_t n = 0;
	const uint8_t *text = data ? base64_decode(a, data, strlen(data), &n) : NULL;

	return text ? arena_strndup(a, (const char *)text, n) : NULL;
}

bool cert_in_secret(const struct secret *s, struct arena *a, struct cert *out)
{
	const char *text = text_of(s, "tls.crt", a);

	return text && cert_read(text, a, out);
}

bool cert_of_secret(const struct secret *s, struct arena *a, struct cert_names *out, const char **why)
{
	const char *crt = text_of(s, "tls.crt", a), *key = text_of(s, "tls.key", a);
	struct cert cert;

	*why = "has no tls.crt and tls.key";
	if (!data_of(s, "tls.crt") || !data_of(s, "tls.key"))
		return false;
	*why = "has data that is not base 64";
	if (!crt || !key)
		return false;
	*why = "has a tls.crt that is no certificate";
	if (!cert_read(crt, a, &cert))
		return false;
	*why = "has a tls.key that is no private key";
	if (!strstr(key, "PRIVATE KEY-----"))
		return false;
	*why = NULL;
	*out = cert.names;
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
