/* ingress-nginx: which annotations there are, which values it takes, and what becomes of an Ingress, or of its locations, where it does not take one. Source:
 * kubernetes/ingress-nginx internal/ingress/annotations (annotations.go Extract, parser/validators.go, the Parse of each), controller/store/store.go syncIngress,
 * docs/user-guide/nginx-configuration/annotations-risk.md. */
#include <stdlib.h>
#include <strings.h>

#include "model/l7/nginx_parts.h"

/* What an annotation means for one request. */
enum effect {
	MODELLED,
	NO_EFFECT,              /* on which answer one request gets: times, sizes, logs, rates, cookies */
	DECIDES,                /* may decide, and is not modelled: the answer is unknown */
	CRITICAL,               /* likewise, and its risk is Critical: by default no Ingress that has it is read */
	AUTH_URL,               /* a part of auth-url: without that it says nothing */
	MUTUAL_TLS,             /* a part of auth-tls-secret, likewise */
};

/* What becomes of a value that it does not take. */
enum refused {
	IGNORED,                /* as if the annotation were not there */
	LEFT_OUT,               /* the whole Ingress is not read */
	DENIED,                 /* its locations answer 503; told where the annotation is used */
};

#define CHARS      "\\-\\.\\_\\~a-zA-Z0-9\\/:"
#define BASIC      "^[/" CHARS "]*$"
#define SPACED     "^[/" CHARS " ]*$"
#define EXPRESSION "^[/" CHARS "\\^\\$\\[\\]\\(\\)\\{\\}\\*\\+\\?\\|&=\\\\]*$"
#define SIZE       "^[0-9]+[bkmgBKMG]?$"
#define URL        "^[" CHARS ",:\\?&=]*$"
#define URL_VAR    "^[" CHARS ", ,:\\?&=$]*$"
#define CAPTURES   "^/?[" CHARS "\\/\\$]*$"
#define NAMES      "^[A-Za-z0-9-_, ]*$"
#define VARIABLE   "^[A-Za-z0-9\\-\\_\\$\\{\\}]*$"
#define EXPIRES    "(^0|-?[1-9][0-9]*$)"
#define UPSTREAMS  "^((error|timeout|invalid_header|http_500|http_502|http_503|http_504|http_403|http_404|http_429|non_idempotent|off)\\s?)+$"
#define CIPHERS    "^[A-Za-z0-9!:+\\-_@=]*$"

enum form { ANY, BOOL, INT, RANGES, WORD /* one of `what`, | between */, WORD_CASELESS, PATTERN, PATTERN_BLANKS /* blanks do not count */, SERVICE, HOSTS /* comma-separated EXPRESSIONs */ };

/* In the order of their names. */
static const struct known { const char *name; uint8_t effect, form; const char *what; uint8_t refused; } annotations[] = {
	{ "affinity", NO_EFFECT, WORD, "cookie", IGNORED }, { "affinity-canary-behavior", NO_EFFECT, WORD, "sticky|legacy", IGNORED },
	{ "affinity-mode", NO_EFFECT, WORD, "balanced|persistent", IGNORED }, { "allowlist-source-range", MODELLED, RANGES, NULL, DENIED },
	{ "app-root", MODELLED, PATTERN, CAPTURES, IGNORED },
	{ "auth-always-set-cookie", AUTH_URL, BOOL, NULL, IGNORED }, { "auth-cache-duration", AUTH_URL, PATTERN, SPACED, IGNORED }, { "auth-cache-key", AUTH_URL, PATTERN_BLANKS, VARIABLE, IGNORED },
	{ "auth-keepalive", AUTH_URL, INT, NULL, IGNORED }, { "auth-keepalive-requests", AUTH_URL, INT, NULL, IGNORED }, { "auth-keepalive-share-vars", AUTH_URL, BOOL, NULL, IGNORED },
	{ "auth-keepalive-timeout", AUTH_URL, INT, NULL, IGNORED }, { "auth-method", AUTH_URL, ANY, NULL, DENIED }, { "auth-proxy-set-headers", AUTH_URL, ANY, NULL, DENIED },
	{ "auth-realm", MODELLED, PATTERN, SPACED, IGNORED }, { "auth-request-redirect", AUTH_URL, PATTERN_BLANKS, URL, IGNORED }, { "auth-response-headers", AUTH_URL, ANY, NULL, DENIED },
	{ "auth-secret", MODELLED, PATTERN_BLANKS, BASIC, DENIED }, { "auth-secret-type", MODELLED, PATTERN, "auth-file|auth-map", IGNORED },
	{ "auth-signin", AUTH_URL, PATTERN_BLANKS, URL_VAR, IGNORED }, { "auth-signin-redirect-param", AUTH_URL, PATTERN_BLANKS, URL, IGNORED }, { "auth-snippet", CRITICAL, ANY, NULL, IGNORED },
	{ "auth-tls-error-page", MUTUAL_TLS, ANY, NULL, IGNORED }, { "auth-tls-match-cn", MUTUAL_TLS, ANY, NULL, IGNORED },
	{ "auth-tls-pass-certificate-to-upstream", MUTUAL_TLS, BOOL, NULL, IGNORED }, { "auth-tls-secret", DECIDES, PATTERN_BLANKS, BASIC, LEFT_OUT },
	{ "auth-tls-verify-client", MUTUAL_TLS, ANY, NULL, IGNORED }, { "auth-tls-verify-depth", MUTUAL_TLS, INT, NULL, IGNORED },
	{ "auth-type", MODELLED, PATTERN, "basic|digest", LEFT_OUT }, { "auth-url", DECIDES, PATTERN_BLANKS, URL_VAR, LEFT_OUT },
	{ "backend-protocol", MODELLED, WORD_CASELESS, "auto_http|http|https|grpc|grpcs|fcgi", IGNORED },
	{ "canary", MODELLED, BOOL, NULL, IGNORED }, { "canary-by-cookie", MODELLED, PATTERN_BLANKS, BASIC, IGNORED }, { "canary-by-header", MODELLED, PATTERN_BLANKS, BASIC, IGNORED },
	{ "canary-by-header-pattern", MODELLED, PATTERN, EXPRESSION, IGNORED }, { "canary-by-header-value", MODELLED, PATTERN_BLANKS, BASIC, IGNORED },
	{ "canary-weight", MODELLED, INT, NULL, IGNORED }, { "canary-weight-total", MODELLED, INT, NULL, IGNORED },
	{ "client-body-buffer-size", NO_EFFECT, PATTERN_BLANKS, SIZE, LEFT_OUT }, { "configuration-snippet", CRITICAL, ANY, NULL, IGNORED },
	{ "connection-proxy-header", NO_EFFECT, PATTERN_BLANKS, "^(close|keep-alive)$", LEFT_OUT },
	{ "cors-allow-credentials", MODELLED, BOOL, NULL, IGNORED }, { "cors-allow-headers", MODELLED, PATTERN_BLANKS, NAMES, IGNORED },
	{ "cors-allow-methods", MODELLED, PATTERN_BLANKS, "^([A-Za-z]+,?\\s?)+$", IGNORED },
	{ "cors-allow-origin", MODELLED, PATTERN_BLANKS, "^((((([a-z]+://)?(\\*\\.)?[A-Za-z0-9\\-.]*(:[0-9]+)?,?)|null)+)|\\*)?$", IGNORED },
	{ "cors-expose-headers", MODELLED, PATTERN_BLANKS, "^(([A-Za-z0-9\\-\\_]+|\\*),?\\s?)+$", IGNORED }, { "cors-max-age", MODELLED, INT, NULL, IGNORED },
	{ "custom-headers", MODELLED, PATTERN_BLANKS, BASIC, IGNORED }, { "custom-http-errors", MODELLED, PATTERN_BLANKS, "^([4,5][0-9][0-9],?)*$", LEFT_OUT },
	{ "default-backend", MODELLED, SERVICE, NULL, LEFT_OUT }, { "denylist-source-range", MODELLED, RANGES, NULL, DENIED },
	{ "disable-proxy-intercept-errors", NO_EFFECT, BOOL, NULL, IGNORED }, { "enable-access-log", NO_EFFECT, BOOL, NULL, IGNORED }, { "enable-cors", MODELLED, BOOL, NULL, IGNORED },
	{ "enable-global-auth", NO_EFFECT, BOOL, NULL, IGNORED }, { "enable-modsecurity", DECIDES, BOOL, NULL, IGNORED }, { "enable-opentelemetry", NO_EFFECT, BOOL, NULL, IGNORED },
	{ "enable-opentracing", NO_EFFECT, ANY, NULL, IGNORED }, { "enable-owasp-core-rules", DECIDES, BOOL, NULL, IGNORED }, { "enable-rewrite-log", NO_EFFECT, BOOL, NULL, IGNORED },
	{ "fastcgi-index", NO_EFFECT, PATTERN_BLANKS, "^[A-Za-z0-9.\\-\\_]+$", LEFT_OUT }, { "fastcgi-params-configmap", DECIDES, PATTERN_BLANKS, BASIC, LEFT_OUT },
	{ "force-ssl-redirect", MODELLED, BOOL, NULL, IGNORED }, { "from-to-www-redirect", MODELLED, BOOL, NULL, LEFT_OUT }, { "grpc-backend", NO_EFFECT, ANY, NULL, IGNORED },
	{ "http2-push-preload", NO_EFFECT, BOOL, NULL, LEFT_OUT }, { "limit-allowlist", NO_EFFECT, RANGES, NULL, LEFT_OUT }, { "limit-burst-multiplier", NO_EFFECT, INT, NULL, IGNORED },
	{ "limit-connections", NO_EFFECT, INT, NULL, LEFT_OUT }, { "limit-rate", NO_EFFECT, INT, NULL, IGNORED }, { "limit-rate-after", NO_EFFECT, INT, NULL, IGNORED },
	{ "limit-rpm", NO_EFFECT, INT, NULL, LEFT_OUT }, { "limit-rps", NO_EFFECT, INT, NULL, LEFT_OUT }, { "limit-whitelist", NO_EFFECT, RANGES, NULL, LEFT_OUT },
	{ "load-balance", NO_EFFECT, WORD, "round_robin|chash|chashsubset|sticky_balanced|sticky_persistent|ewma", LEFT_OUT }, { "mirror-host", NO_EFFECT, HOSTS, NULL, IGNORED },
	{ "mirror-request-body", NO_EFFECT, PATTERN_BLANKS, "^(on|off)$", IGNORED }, { "mirror-target", NO_EFFECT, HOSTS, NULL, IGNORED },
	{ "modsecurity-snippet", CRITICAL, ANY, NULL, IGNORED }, { "modsecurity-transaction-id", NO_EFFECT, PATTERN_BLANKS, VARIABLE, IGNORED },
	{ "opentelemetry-operation-name", NO_EFFECT, PATTERN_BLANKS, "^[A-Za-z0-9_\\-]*$", IGNORED }, { "opentelemetry-trust-incoming-span", NO_EFFECT, BOOL, NULL, IGNORED },
	{ "permanent-redirect", MODELLED, PATTERN, URL, LEFT_OUT }, { "permanent-redirect-code", MODELLED, INT, NULL, LEFT_OUT }, { "preserve-trailing-slash", MODELLED, BOOL, NULL, IGNORED },
	{ "proxy-body-size", NO_EFFECT, PATTERN_BLANKS, SIZE, IGNORED }, { "proxy-buffer-size", NO_EFFECT, PATTERN_BLANKS, SIZE, IGNORED }, { "proxy-buffering", NO_EFFECT, WORD, "on|off", IGNORED },
	{ "proxy-buffers-number", NO_EFFECT, INT, NULL, IGNORED }, { "proxy-busy-buffers-size", NO_EFFECT, PATTERN_BLANKS, SIZE, IGNORED }, { "proxy-connect-timeout", NO_EFFECT, INT, NULL, IGNORED },
	{ "proxy-cookie-domain", NO_EFFECT, ANY, NULL, IGNORED }, { "proxy-cookie-path", NO_EFFECT, ANY, NULL, IGNORED }, { "proxy-http-version", NO_EFFECT, WORD, "1.0|1.1", IGNORED },
	{ "proxy-max-temp-file-size", NO_EFFECT, PATTERN_BLANKS, SIZE, IGNORED }, { "proxy-next-upstream", NO_EFFECT, PATTERN, UPSTREAMS, IGNORED },
	{ "proxy-next-upstream-timeout", NO_EFFECT, INT, NULL, IGNORED }, { "proxy-next-upstream-tries", NO_EFFECT, INT, NULL, IGNORED }, { "proxy-read-timeout", NO_EFFECT, INT, NULL, IGNORED },
	{ "proxy-redirect-from", NO_EFFECT, PATTERN_BLANKS, URL, IGNORED }, { "proxy-redirect-to", NO_EFFECT, PATTERN_BLANKS, URL, IGNORED },
	{ "proxy-request-buffering", NO_EFFECT, WORD, "on|off", IGNORED }, { "proxy-send-timeout", NO_EFFECT, INT, NULL, IGNORED }, { "proxy-ssl-ciphers", NO_EFFECT, ANY, NULL, IGNORED },
	{ "proxy-ssl-name", NO_EFFECT, HOSTS, NULL, IGNORED }, { "proxy-ssl-protocols", NO_EFFECT, ANY, NULL, IGNORED }, { "proxy-ssl-secret", MODELLED, PATTERN_BLANKS, BASIC, LEFT_OUT },
	{ "proxy-ssl-server-name", NO_EFFECT, ANY, NULL, IGNORED }, { "proxy-ssl-verify", NO_EFFECT, ANY, NULL, IGNORED }, { "proxy-ssl-verify-depth", NO_EFFECT, INT, NULL, IGNORED },
	{ "relative-redirects", NO_EFFECT, BOOL, NULL, LEFT_OUT }, { "rewrite-target", MODELLED, PATTERN, CAPTURES, IGNORED }, { "satisfy", MODELLED, WORD, "any|all", IGNORED },
	{ "server-alias", MODELLED, HOSTS, NULL, LEFT_OUT }, { "server-snippet", CRITICAL, ANY, NULL, IGNORED }, { "service-upstream", MODELLED, BOOL, NULL, IGNORED },
	{ "session-cookie-change-on-failure", NO_EFFECT, BOOL, NULL, IGNORED }, { "session-cookie-conditional-samesite-none", NO_EFFECT, BOOL, NULL, IGNORED },
	{ "session-cookie-domain", NO_EFFECT, PATTERN_BLANKS, BASIC, IGNORED }, { "session-cookie-expires", NO_EFFECT, PATTERN_BLANKS, EXPIRES, IGNORED },
	{ "session-cookie-hash", NO_EFFECT, ANY, NULL, IGNORED }, { "session-cookie-max-age", NO_EFFECT, PATTERN, EXPIRES, IGNORED },
	{ "session-cookie-name", NO_EFFECT, PATTERN_BLANKS, BASIC, IGNORED }, { "session-cookie-path", NO_EFFECT, PATTERN_BLANKS, URL, IGNORED },
	{ "session-cookie-samesite", NO_EFFECT, WORD_CASELESS, "none|lax|strict", IGNORED }, { "session-cookie-secure", NO_EFFECT, BOOL, NULL, IGNORED },
	{ "ssl-ciphers", NO_EFFECT, PATTERN_BLANKS, CIPHERS, LEFT_OUT }, { "ssl-passthrough", DECIDES, BOOL, NULL, LEFT_OUT }, { "ssl-prefer-server-ciphers", NO_EFFECT, BOOL, NULL, IGNORED },
	{ "ssl-redirect", MODELLED, BOOL, NULL, IGNORED }, { "stream-snippet", CRITICAL, ANY, NULL, IGNORED }, { "temporal-redirect", MODELLED, PATTERN, URL, LEFT_OUT },
	{ "temporal-redirect-code", MODELLED, INT, NULL, LEFT_OUT }, { "upstream-hash-by", NO_EFFECT, PATTERN_BLANKS, VARIABLE, LEFT_OUT },
	{ "upstream-hash-by-subset", NO_EFFECT, BOOL, NULL, LEFT_OUT }, { "upstream-hash-by-subset-size", NO_EFFECT, INT, NULL, LEFT_OUT },
	{ "upstream-vhost", MODELLED, HOSTS, NULL, LEFT_OUT }, { "use-port-in-redirects", NO_EFFECT, BOOL, NULL, IGNORED }, { "use-regex", MODELLED, BOOL, NULL, IGNORED },
	{ "whitelist-source-range", MODELLED, RANGES, NULL, DENIED }, { "x-forwarded-prefix", MODELLED, PATTERN_BLANKS, CAPTURES, LEFT_OUT },
};

static int by_name(const void *name, const void *one) { return strcmp(name, ((const struct known *)one)->name); }

static const struct known *known(const char *name)
{
	return bsearch(name, annotations, ARRAY_LEN(annotations), sizeof(*annotations), by_name);
}

/* ---- values */

bool nginx_true(const char *v) { return v && (streq(v, "true") || streq(v, "True") || streq(v, "TRUE") || streq(v, "1") || streq(v, "t") || streq(v, "T")); }
static bool is_false(const char *v) { return streq(v, "false") || streq(v, "False") || streq(v, "FALSE") || streq(v, "0") || streq(v, "f") || streq(v, "F"); }

static bool is_int(const char *v)
{
	v += *v == '-' || *v == '+';
	return *v && strspn(v, "0123456789") == strlen(v) && strlen(v) < 19;
}

static bool is_word(const char *v, const char *words, bool nocase)
{
	for (const char *p = words; *p; p += *p == '|') {
		size_t n = strcspn(p, "|");

		if (strlen(v) == n && (nocase ? strncasecmp(p, v, n) : strncmp(p, v, n)) == 0)
			return true;
		p += n;
	}
	return false;
}

/* Each once: many Ingresses have the same annotations. */
static const struct regex *compiled(const struct nginx *n, const char *pattern)
{
	uint64_t *at = map_put(n->patterns, n->t->arena, map_ptr(pattern));

	if (!*at)
		*at = map_ptr(regex_compile(n->t->arena, pattern, false, NULL));
	return (const struct regex *)(uintptr_t)*at;
}

static bool matches(const struct nginx *n, const char *v, const char *pattern, bool blanks)
{
	const struct regex *re = compiled(n, pattern);
	struct arena *a = n->t->arena;
	char *bare = arena_strdup(a, v), *to = bare;

	for (const char *p = v; *p; p++)
		if (*p != ' ' || !blanks)
			*to++ = *p;
	*to = 0;
	return re && !strpbrk(bare, "\r\n") && regex_search(re, bare, NULL, a);
}

static const char *trimmed(const char *v, struct arena *a)
{
	size_t n;

	v += strspn(v, " \t\r\n");
	for (n = strlen(v); n && strchr(" \t\r\n", v[n - 1]); n--)
		;
	return arena_strndup(a, v, n);
}

static bool is_service(const char *v)           /* RFC 1035 label */
{
	size_t n = strlen(v);

	return n < 64 && strspn(v, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && *v >= 'a' && v[n - 1] != '-';
}

static bool are_hosts(const struct nginx *n, const char *v)
{
	struct arena *a = n->t->arena;

	for (const char *p = v;; p++) {
		size_t len = strcspn(p, ",");

		if (!matches(n, trimmed(arena_strndup(a, p, len), a), EXPRESSION, false))
			return false;
		p += len;
		if (!*p)
			return true;
	}
}

static bool takes(const struct nginx *n, const struct known *k, const char *v)
{
	struct l7_guard none = { 0 };

	switch ((enum form)k->form) {
	case ANY:
		return true;
	case BOOL:
		return nginx_true(v) || is_false(v);
	case INT:
		return is_int(v);
	case RANGES:
		return nginx_ranges(n->t->arena, &none, v);
	case WORD:
	case WORD_CASELESS:
		return is_word(trimmed(v, n->t->arena), k->what, k->form == WORD_CASELESS);
	case PATTERN:
	case PATTERN_BLANKS:
		return matches(n, v, k->what, k->form == PATTERN_BLANKS);
	case SERVICE:
		return is_service(v);
	case HOSTS:
		return are_hosts(n, v);
	}
	return true;
}

static const char *raw(const struct ingress *ing, const char *name)
{
	const size_t n = strlen(NGINX_PREFIX);

	for (uint32_t k = 0; k < ing->o.annotations.nr; k++)
		if (strncmp(ing->o.annotations.v[k].key, NGINX_PREFIX, n) == 0 && strcmp(ing->o.annotations.v[k].key + n, name) == 0)
			return ing->o.annotations.v[k].value;
	return NULL;
}

const char *nginx_note(const struct nginx *n, const struct ingress *ing, const char *name)
{
	const char *v = raw(ing, name);
	const struct known *k = v ? known(name) : NULL;

	if (!k)
		return v;
	if (!*v)                                /* an empty value is neither judged nor one */
		return NULL;
	if (k->refused == IGNORED && n->config.validates && !takes(n, k, v))
		return NULL;
	v = trimmed(v, n->t->arena);
	return *v ? v : NULL;
}

bool nginx_noted(const struct nginx *n, const struct ingress *ing, const char *name) { return nginx_true(nginx_note(n, ing, name)); }

/* ---- the whole Ingress */

bool nginx_blank(const struct ingress *ing, const char *name)
{
	const char *v = raw(ing, name);

	return v && !v[strspn(v, " \t\r\n")];
}

bool nginx_bare_redirect(const struct ingress *ing)
{
	static const char *const texts[] = { "temporal-redirect", "permanent-redirect", "from-to-www-redirect" };

	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		if (nginx_blank(ing, texts[k]))
			return true;
	return false;
}

static bool has_word(const char *v, const char *list, struct arena *a)
{
	for (const char *p = list; p && *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		const char *word = trimmed(arena_strndup(a, p, n), a);

		if (*word && strstr(v, word))
			return true;
		p += n;
	}
	return false;
}

/* The details of auth-type are read with it only. */
static uint8_t refused_as(const struct nginx *n, const struct ingress *ing, const struct known *k)
{
	bool detail = streq(k->name, "auth-secret-type") || streq(k->name, "auth-realm");

	return detail && nginx_note(n, ing, "auth-type") ? LEFT_OUT : k->refused;
}

const char *nginx_left_out(const struct nginx *n, const struct ingress *ing)
{
	for (uint32_t i = 0; i < ing->o.annotations.nr; i++) {
		const char *key = ing->o.annotations.v[i].key, *v = ing->o.annotations.v[i].value;
		bool own = strncmp(key, NGINX_PREFIX, strlen(NGINX_PREFIX)) == 0;
		const struct known *k = own ? known(key + strlen(NGINX_PREFIX)) : NULL;

		if (own && has_word(v, n->config.blocked, n->t->arena))
			return arena_printf(n->t->arena, "annotation %s holds a word that its ConfigMap does not allow (annotation-value-word-blocklist)", key);
		if (k && k->effect == CRITICAL && n->config.refuses_critical)
			return arena_printf(n->t->arena, "the risk of annotation %s is Critical, and its ConfigMap does not allow that (annotations-risk-level)", k->name);
		if (k && refused_as(n, ing, k) == LEFT_OUT && n->config.validates && *v && !takes(n, k, v))
			return arena_printf(n->t->arena, "annotation %s: \"%s\" is not a value that it takes", k->name, v);
	}
	return NULL;
}

const char *nginx_undecided(const struct nginx *n, const struct ingress *ing)
{
	const char *url = nginx_note(n, ing, "auth-url"), *mutual = nginx_note(n, ing, "auth-tls-secret");

	for (uint32_t i = 0; i < ing->o.annotations.nr; i++) {
		const char *key = ing->o.annotations.v[i].key, *v = ing->o.annotations.v[i].value;
		const struct known *k;
		bool open;

		if (strncmp(key, NGINX_PREFIX, strlen(NGINX_PREFIX)) != 0 || !*v)
			continue;
		k = known(key + strlen(NGINX_PREFIX));
		open = !k ? !is_false(v) : k->effect == DECIDES ? nginx_note(n, ing, k->name) && !is_false(v) : k->effect == CRITICAL || (k->effect == AUTH_URL && url) || (k->effect == MUTUAL_TLS && mutual);
		if (open && k && k->effect == CRITICAL)
			return arena_printf(n->t->arena, "the annotation %s of Ingress %s/%s is not modelled (its risk is Critical: where the controller's ConfigMap does not allow that, "
							 "it refuses the Ingress, or leaves it out)", key, ing->o.ns, ing->o.name);
		if (open)
			return arena_printf(n->t->arena, "the annotation %s of Ingress %s/%s is not modelled and may change the answer", key, ing->o.ns, ing->o.name);
	}
	return NULL;
}
