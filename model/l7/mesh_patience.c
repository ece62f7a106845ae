/* How long Istio's proxies wait, and when they ask again: a VirtualService's `timeout` and `retries`, and what holds where nothing is said. Source: istio pilot/pkg/networking/core/
 * route/retry/retry.go (ConvertPolicy), route/route.go (setTimeout), pilot/pkg/config/kube/gateway/conversion.go (convertHTTPRoute); Envoy source/common/router/retry_state_impl.cc
 * (wouldRetryFromHeaders, wouldRetryFromReset). What an answer of gRPC says in its own status is not looked at. */
#include "model/l7/mesh_routes.h"

#include <stdlib.h>

#include "model/base/quantity.h"

#define ISTIO_RETRIES 2

typedef VEC(int) codes;

static void add_codes(struct arena *a, codes *to, int from, int last)
{
	for (int code = from; code <= last; code++)
		vec_add(a, to, code);
}

static bool is_word(const char *s, size_t n, const char *word) { return strlen(word) == n && strncmp(s, word, n) == 0; }

/* "connect-failure,503": words of Envoy, and statuses. */
static void read_retry_on(const char *text, struct arena *a, struct l7_patience *p)
{
	static const struct { const char *word; bool resets, connects; int from, last; } words[] = {
		{ "5xx", true, true, 500, 599 }, { "gateway-error", true, true, 502, 504 }, { "reset", true, true, 1, 0 },
		{ "connect-failure", false, true, 1, 0 }, { "retriable-4xx", false, false, 409, 409 },
	};
	codes to = { 0 };

	for (const char *at = text; *at; at += *at == ',') {
		size_t n;

		at += strspn(at, " ");
		n = strcspn(at, ", ");
		for (size_t k = 0; k < ARRAY_LEN(words); k++) {
			if (!is_word(at, n, words[k].word))
				continue;
			p->resets = p->resets || words[k].resets;
			p->connects = p->connects || words[k].connects;
			add_codes(a, &to, words[k].from, words[k].last);
		}
		if (n && strspn(at, "0123456789") == n)
			add_codes(a, &to, atoi(at), atoi(at));
		at += strcspn(at, ",");
	}
	p->codes = to.v;
	p->nr_codes = to.nr;
}

static struct l7_patience default_patience(void)
{
	return (struct l7_patience){ .retries = true, .attempts = ISTIO_RETRIES, .istio = true, .connects = true, .names = { "timeout", "retries.perTryTimeout" } };
}

const struct l7_patience *mesh_patience(const struct val *http, struct arena *a)
{
	struct l7_patience *p = arena_make(a, struct l7_patience);
	const struct val *retries = val_get(http, "retries");
	const char *on = val_str_at(retries, "retryOn"), *base = val_str_at(retries, "backoff");

	*p = default_patience();
	p->request = duration_or_none(val_str_at(http, "timeout"));
	if (!retries)
		return p;
	p->attempts = (int32_t)MIN(MAX(val_int_or(val_get(retries, "attempts"), 0), 0), INT32_MAX);
	p->retries = p->attempts > 0;
	p->connects = p->retries;
	if (!p->retries)
		return p;
	p->attempt = duration_or_none(val_str_at(retries, "perTryTimeout"));
	p->pause = duration_or_none(base);
	if (on && *on) {
		p->connects = false;
		read_retry_on(on, a, p);
	}
	return p;
}

/* Of a route of the Gateway API: what it says becomes a VirtualService's. */
const struct l7_patience *mesh_patience_of_route(const struct l7_patience *said, struct arena *a)
{
	struct l7_patience *p = arena_make(a, struct l7_patience);
	const struct l7_patience dflt = default_patience();

	*p = said ? *said : dflt;
	p->istio = true;
	p->names[0] = p->names[1] = NULL;
	p->pause = p->backoff;
	p->backoff = 0;
	p->attempts = said && said->attempts_said ? said->attempts : ISTIO_RETRIES;
	p->connects = p->attempts > 0;
	if (said && !said->retries && said->attempt) {  /* then it is that of the whole request */
		p->request = said->attempt;
		p->names[0] = "timeouts.backendRequest";
		p->attempt = 0;
	}
	p->retries = p->attempts > 0;
	return p;
}
