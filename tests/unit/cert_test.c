#include "model/l7/cert.h"
#include "tests/conformance/requests.h"

static struct secret secret_of(struct arena *a, const char *crt, const char *key)
{
	struct secret s = { .type = "kubernetes.io/tls" };

	s.data.v = arena_array(a, struct pair, 2);
	if (crt)
		s.data.v[s.data.nr++] = (struct pair){ "tls.crt", crt };
	if (key)
		s.data.v[s.data.nr++] = (struct pair){ "tls.key", key };
	s.data.set = true;
	return s;
}

TEST(certificates_say_for_whom_they_were_made)
{
	struct arena *a = arena_new(NULL, "test");
	struct secret s = secret_of(a, made_certificate(a, "a.test,*.b.test", true), MADE_KEY);
	struct cert_names names;
	const char *why;

	CU_ASSERT_FATAL(cert_of_secret(&s, a, &names, &why));
	CU_ASSERT_EQUAL(names.nr, 2);
	CU_ASSERT(cert_covers(&names, "a.test"));
	CU_ASSERT(cert_covers(&names, "A.TEST"));
	CU_ASSERT(cert_covers(&names, "x.b.test"));
	CU_ASSERT_FALSE(cert_covers(&names, "b.test"));
	CU_ASSERT_FALSE(cert_covers(&names, "x.y.b.test"));
	s = secret_of(a, made_certificate(a, "only.test", false), MADE_KEY);            /* without alternative names the subject's counts */
	CU_ASSERT_FATAL(cert_of_secret(&s, a, &names, &why));
	CU_ASSERT(cert_covers(&names, "only.test"));
	arena_free(a);
}

TEST(secrets_that_are_no_certificates_say_why)
{
	struct arena *a = arena_new(NULL, "test");
	const struct { const char *crt, *key, *why; } rows[] = {
		{ NULL, MADE_KEY, "has no tls.crt and tls.key" },
		{ "SGVsbG8gd29ybGQK", "SGVsbG8gd29ybGQK", "has a tls.crt that is no certificate" },
		{ "not*base64", MADE_KEY, "has data that is not base 64" },
		{ made_certificate(a, "a.test", true), "SGVsbG8gd29ybGQK", "has a tls.key that is no private key" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct secret s = secret_of(a, rows[k].crt, rows[k].key);
		struct cert_names names;
		const char *why = NULL;

		CU_ASSERT_FALSE(cert_of_secret(&s, a, &names, &why));
		SAME_TEXT(why, rows[k].why);
	}
	arena_free(a);
}

TEST(broken_certificates_do_no_harm)
{
	struct arena *a = arena_new(NULL, "test");
	size_t len;
	const char *good = made_certificate(a, "a.test", true);
	uint8_t *pem = base64_decode(a, good, strlen(good), &len);

	for (size_t cut = 0; cut < len; cut += 7) {
		struct sb text = { 0 };
		struct secret s;
		struct cert_names names;
		const char *why;

		pem[cut] ^= 1;
		base64(&text, pem, len);
		s = secret_of(a, sb_text(&text), MADE_KEY);
		cert_of_secret(&s, a, &names, &why);
		pem[cut] ^= 1;
		sb_free(&text);
	}
	arena_free(a);
}

TEST(certificates_are_trusted_by_who_has_signed_them)
{
	struct arena *a = arena_new(NULL, "test");
	const char *one = made_pem(a, "ca.test", true), *two = made_pem(a, "other.test", true), *both = arena_printf(a, "%s\n%s", one, two);
	struct cert leaf, own;

	CU_ASSERT_FATAL(cert_read(made_pem(a, "a.test,spiffe://a.test/id by ca.test", true), a, &leaf) != NULL);
	CU_ASSERT_FATAL(cert_read(one, a, &own) != NULL);
	CU_ASSERT(leaf.names.nr == 1 && leaf.uris.nr == 1);
	SAME_TEXT(leaf.uris.v[0], "spiffe://a.test/id");
	CU_ASSERT(cert_trusted(&leaf, one, a));
	CU_ASSERT(cert_trusted(&leaf, both, a));
	CU_ASSERT_FALSE(cert_trusted(&leaf, two, a));
	CU_ASSERT(cert_trusted(&own, both, a));                 /* it is in the bundle itself */
	CU_ASSERT(cert_trusted(&leaf, "no certificate", a));    /* which says nothing */
	leaf.signer = (struct cert_part){ (const uint8_t *)"y", 1 };
	CU_ASSERT(cert_trusted(&leaf, one, a));                 /* the CA has no identifier of its key */
	arena_free(a);
}

/* RFC 8446, 4.4.2: with its certificate a peer shows those between it and its CA. */
TEST(certificates_are_trusted_by_those_shown_along)
{
	struct arena *a = arena_new(NULL, "test");
	const char *root = made_pem(a, "root.test", true), *leaf = made_pem(a, "a.test by mid.test", true), *mid = made_pem(a, "mid.test by low.test", true);
	const char *low = made_pem(a, "low.test by root.test", true), *self = made_pem(a, "mid.test", true);
	static const struct { int order[2]; bool trusted; } rows[] = { { { 0 }, false }, { { 1 }, false }, { { 2 }, false }, { { 1, 2 }, true }, { { 2, 1 }, true }, { { 3 }, false } };
	const char *const shown[] = { "", mid, low, self };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const char *text = arena_printf(a, "%s%s%s", leaf, shown[rows[k].order[0]], shown[rows[k].order[1]]);
		struct cert c;

		CU_ASSERT_FATAL(cert_read(text, a, &c) != NULL);
		CU_ASSERT_EQUAL(cert_trusted(&c, root, a), rows[k].trusted);
	}
	arena_free(a);
}
