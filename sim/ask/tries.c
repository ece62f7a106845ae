#include "sim/ask/tries.h"

#include "model/control/control.h"

static const char *span_text(nsec t, struct arena *a)
{
	return t % SECONDS(1) ? arena_printf(a, "%g ms", (double)t / (double)MILLIS(1)) : arena_printf(a, "%" PRId64 " s", t / SECONDS(1));
}

static bool is_code(const struct l7_patience *p, int status)
{
	for (uint32_t k = 0; k < p->nr_codes; k++)
		if (p->codes[k] == status)
			return true;
	return false;
}

static struct l7_tried unknown(const char *why) { return (struct l7_tried){ .unknown = why }; }

static struct l7_tried too_late(const struct l7_patience *p, uint32_t attempts, struct arena *a)
{
	return (struct l7_tried){ .status = 504, .own = true, .attempts = attempts,
				  .why = arena_printf(a, "%s, %s, is over before the backend has answered", p->names[0] ? p->names[0] : "timeouts.request", span_text(p->request, a)) };
}

/* The last attempt's outcome is the client's. */
static struct l7_tried settled(const struct l7_patience *p, int status, bool timed, uint32_t attempts, bool envoy, struct arena *a)
{
	struct l7_tried t = { .status = timed ? 504 : status ? status : envoy || p->retries ? 503 : 502, .own = timed || !status, .attempts = attempts };
	const char *tries = attempts > 1 ? arena_printf(a, " in the last of %u attempts", attempts) : "";

	if (timed)
		t.why = arena_printf(a, "%s, %s, is over before the backend has answered%s", p->names[1] ? p->names[1] : "timeouts.backendRequest", span_text(p->attempt, a), tries);
	else if (!status)
		t.why = arena_printf(a, "the backend cuts the connection off%s", tries);
	else if (attempts > 1 || status >= 400)
		t.why = attempts > 1 ? arena_printf(a, "it is the backend's answer to attempt %u", attempts) : "it is the backend's answer";
	return t;
}

/* Times that are told may be as long as can be said, and a sum of them longer. */
static nsec later(nsec t, nsec by)
{
	nsec sum;

	return __builtin_add_overflow(t, by, &sum) ? NEVER : sum;
}

/* From here on each attempt is like this one, which has failed: `left` of them at most. */
static bool goes_over(const struct l7_patience *p, nsec spent, nsec each, int32_t left)
{
	return p->request && (double)spent + (double)left * (double)each >= (double)p->request;
}

static bool has_failed(const struct l7_patience *p, const struct l7_try *t, bool timed)
{
	if (timed || !t->status)
		return !p->istio || p->resets || (!timed && p->behind && is_code(p, 503));
	return is_code(p, t->status);
}

static nsec most_pause(const struct l7_patience *p)
{
	nsec base = !p->istio ? 0 : p->pause ? p->pause : timing(T_PROXY_RETRY_PAUSE), out;

	return __builtin_mul_overflow(base, 10, &out) ? NEVER : out;
}

static struct l7_tried by_chance(void)
{
	return unknown("whether the timeout is over before the last attempt is a matter of the pauses between them, which are drawn");
}

struct l7_tried l7_tried_of(const struct l7_patience *patience, const struct l7_try *v, uint32_t nr, bool envoy, struct arena *a)
{
	static const struct l7_patience none;
	const struct l7_patience *p = patience ? patience : &none;
	nsec spent = 0, pauses = 0;

	for (uint32_t n = 0;; n++) {
		const struct l7_try *t = &v[MIN(n, nr - 1)];
		bool timed = p->attempt && t->after >= p->attempt, last = n + 1 >= nr;
		nsec took = timed ? p->attempt : t->after;

		if (!p->istio && !p->request && !p->attempt && took >= timing(T_PROXY_ROUTE_TIMEOUT))
			return unknown(arena_printf(a, "the backend needs %s, and how long the proxy waits where no timeout is given is its own affair", span_text(took, a)));
		if (p->request && later(spent, took) >= p->request)
			return too_late(p, n + 1, a);
		if (p->request && later(later(spent, pauses), took) >= p->request)
			return by_chance();
		spent = later(spent, took);
		if (!p->istio && !t->status && !timed && !p->retries && !last)
			return unknown("the backend cuts the connection off, and whether the proxy asks again is its own affair where no retry is given");
		if (!has_failed(p, t, timed) || !p->retries || (p->attempts && n >= (uint32_t)p->attempts))
			return settled(p, t->status, timed, n + 1, envoy, a);
		if (!p->attempts && (!last || p->request))
			return unknown("an attempt has failed, and how often the proxy asks again is its own affair where retry.attempts is not given");
		if (last) {
			int32_t left = p->attempts ? p->attempts - (int32_t)n : 0;

			if (goes_over(p, spent, later(took, p->backoff), left))
				return too_late(p, n + 1, a);
			if (goes_over(p, later(spent, pauses), later(later(took, p->backoff), most_pause(p)), left))
				return by_chance();
			return settled(p, t->status, timed, n + 1 + (uint32_t)left, envoy, a);
		}
		spent = later(spent, p->backoff);
		pauses = later(pauses, most_pause(p));
		if (p->request && spent >= p->request)
			return too_late(p, n + 1, a);
	}
}

int l7_silent_status(const struct l7_patience *p, bool envoy)
{
	nsec limit = !p ? 0 : p->attempt && (!p->request || p->attempt < p->request) ? p->attempt : p->request;
	nsec tries = p && p->istio && p->connects ? 1 + (nsec)p->attempts : 1;

	return envoy && (!limit || limit / timing(T_PROXY_CONNECT_TIMEOUT) >= tries) ? 503 : 504;
}
