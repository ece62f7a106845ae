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
