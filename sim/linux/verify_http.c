/* HTTP requests, asked of the model and of the real proxies. Where chance decides (several endpoints, weights), a request is made again until each way has been seen. */
#include "sim/linux/verify_http.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "model/l7/haproxy.h"
#include "sim/ask/sidecar.h"

#define MOST      2000u                 /* tries of one request; a way that is rarer need not be seen */
#define ONE_SYN   MILLIS(1400)
#define LOSSY_TRIES 3u
#define LONGEST_DELAY SECONDS(2)

struct verifying {
	struct live *live;
	struct world *w;
	const struct verify_options *opt;
	struct arena *a;
	struct verified *out;
	struct err *err;
	bool lossy;
};

/* ---- the request as bytes */

static const char *host_of(const struct question *q, const struct end *to, struct arena *a)
{
	for (uint32_t k = 0; k < q->nr_headers; k++)
		if (strcasecmp(q->headers[k].name, "Host") == 0)
			return q->headers[k].value;
	if (to->host)
		return to->host;
	return to->port == (streq(to->scheme, "https") ? 443 : 80) ? to->name : arena_printf(a, "%s:%u", to->name, to->port);
}

static const char *request_text(const struct answer *answer, struct arena *a)
{
	const struct question *q = answer->q;
	const char *method = q->method ? q->method : "GET", *text;
	struct sb out = { 0 };

	sb_printf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, answer->to.path, host_of(q, &answer->to, a));
	for (uint32_t k = 0; k < q->nr_headers; k++)
		if (strcasecmp(q->headers[k].name, "Host") != 0)
			sb_printf(&out, "%s: %s\r\n", q->headers[k].name, q->headers[k].value);
	if (streq(method, "POST") || streq(method, "PUT") || streq(method, "PATCH"))
		sb_add(&out, "Content-Length: 0\r\n");
	sb_add(&out, "Connection: close\r\n\r\n");
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return text;
}

/* ---- can it be asked? */

static const char *bad_text(const struct answer *answer)
{
	static const char *const spoken[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };
	const char *method = answer->q->method ? answer->q->method : "GET";
	bool known = false;

	for (size_t k = 0; k < ARRAY_LEN(spoken); k++)
		known = known || streq(spoken[k], method);
	for (uint32_t k = 0; k < answer->q->nr_headers; k++)
		if (strpbrk(answer->q->headers[k].name, "\r\n: ") || strpbrk(answer->q->headers[k].value, "\r\n"))
			return "a header with a line end";
	if (strpbrk(answer->to.path, "\r\n \t#"))
		return "a path with blanks, line ends or a fragment";
	return known ? NULL : "the servers of a lab do not know that method";
}

/* A proxy behind a proxy: the model takes it for a server. */
static bool is_proxy(const struct verifying *v, const struct pod *p)
{
	for (uint32_t k = 0; p && k < v->live->haproxies.nr; k++) {
		const struct haproxy *h = &v->live->haproxies.v[k];

		if (!h->sidecar && streq(h->key, arena_printf(v->a, "%s/%s", p->o.ns, p->o.name)))
			return true;
	}
	return false;
}

static const char *cannot(struct verifying *v, const struct answer *answer)
{
	const struct question *q = answer->q;
	const char *why = bad_text(answer);
	bool sidecars = false;

	for (uint32_t k = 0; k < v->live->haproxies.nr; k++)
		sidecars = sidecars || v->live->haproxies.v[k].sidecar;
	if (answer->source.enters && !streq(answer->source.kind, "Client"))
		return "a packet that enters from outside has no socket here";
	if (q->size || q->df || q->flags & WALK_KEEP || q->nr_backend_headers || q->cert)
		return "sizes, connections that stay open, given headers of the backend and certificates of clients are not made in the namespaces";
	for (uint32_t k = 0; k < answer->nr && !why; k++) {
		const struct outcome_view *o = &answer->v[k];

		if (!o->walk)
			return "it was not sent";
		if (o->verdict == V_UNKNOWN)
			return o->reason ? o->reason : "the model cannot tell";
		if (!sidecars && (o->third || sidecar_took(answer->source.pod, answer->source.netns, o->walk)))
			return v->live->haproxies.no_sidecars ? v->live->haproxies.no_sidecars : "the sidecars of a mesh do not run in the namespaces";
		if (o->http && o->http->delay > LONGEST_DELAY)
			return "an injected delay of more than two seconds is not waited for";
		if (o->http && o->http->scripted)
			return "the servers of a lab answer 200 at once, whatever is said of this one";
		if (o->http && o->http->upstream && !o->second)
			return "a name outside the cluster is not there";
		if (o->http && !o->second && o->http->backend && streq(answer->to.scheme, "https"))
			return "the containers of a lab speak plain HTTP";
		if (o->second && is_proxy(v, o->pod))
			return "the model does not follow a request through two proxies";
		if (o->assumed && !o->pod)
			return "an endpoint that no object owns is not in the kernel";
		if (o->http && o->http->status == 400 && streq(answer->to.scheme, "http") && !o->second)
			return "HAProxy cuts off plain HTTP on a port that speaks TLS";
	}
	return why;
}

/* ---- is it this outcome? NULL: yes; else the first thing that differs */

static const char *squeezed(const char *s, struct arena *a)
{
	char *out = arena_strdup(a, s), *w = out;

	for (const char *p = s; *p; p++)
		if (*p != ' ' || (p[1] != ',' && (p == s || p[-1] != ',')))
			*w++ = *p;
	*w = '\0';
	return out;
}

static const char *seen_header(const struct val *headers, const char *name, struct arena *a)
{
	const char *out = NULL;

	VAL_EACH(h, headers)
		if (strcasecmp(h->key, name) == 0)
			out = out ? arena_printf(a, "%s,%s", out, val_str(h) ? val_str(h) : "") : val_str(h);
	return out;
}

static const char *seen_by_backend(struct verifying *v, const struct answer *answer, const struct outcome_view *o, const struct http_dial *d)
{
	const struct http_view *h = o->http;
	const struct outcome *last = o->third ? o->third : o->second ? o->second : o->walk;
	struct err none = { 0 };
	const struct val *echo = *d->body == '{' ? json_parse(v->a, "echo", d->body, strlen(d->body), NULL, &none) : NULL, *headers = val_get(echo, "headers");
	const char *peer = val_str_at(echo, "peer"), *text, *have;

	err_free(&none);
	if (!echo)                              /* HEAD, or a path that the server answers in another way */
		return NULL;
	if (h->req_path && !streq(val_str_at(echo, "path"), h->req_path))
		return arena_printf(v->a, "the backend saw the path %s", val_str_at(echo, "path"));
	text = seen_header(headers, "host", v->a);
	if (h->req_host && strcasecmp(text ? text : "", h->req_host) != 0)
		return arena_printf(v->a, "the backend saw the host %s", text ? text : "(none)");
	for (uint32_t k = 0; k < h->nr_req_headers; k++) {
		have = seen_header(headers, h->req_headers[k].name, v->a);
		if (!have || strcmp(squeezed(have, v->a), squeezed(h->req_headers[k].value, v->a)) != 0)
			return arena_printf(v->a, "the backend saw %s: %s, not %s", h->req_headers[k].name, have ? have : "(none)", h->req_headers[k].value);
	}
	for (uint32_t k = 0; k < answer->q->nr_headers; k++) {
		bool expected = strcasecmp(answer->q->headers[k].name, "Host") == 0;

		for (uint32_t i = 0; i < h->nr_req_headers; i++)
			expected = expected || strcasecmp(h->req_headers[i].name, answer->q->headers[k].name) == 0;
		if (!expected && seen_header(headers, answer->q->headers[k].name, v->a))
			return arena_printf(v->a, "the backend saw %s, which should be gone", answer->q->headers[k].name);
	}
	text = arena_printf(v->a, ip_is4(last->there.as_seen.src) ? "%s:" : "[%s]:", IP(last->there.as_seen.src));
	if (peer && strncmp(peer, text, strlen(text)) != 0)
		return arena_printf(v->a, "the backend saw a connection from %s, not from %s", peer, IP(last->there.as_seen.src));
	return NULL;
}

/* The one in the Secret, or none of any Secret. */
static const char *wrong_certificate(struct verifying *v, const struct http_view *h, const struct http_dial *d)
{
	const char *slash = h->tls_secret ? strchr(h->tls_secret, '/') : NULL;
	struct object_list all = cluster_list(v->w->cluster, &secret_kind);

	if (!d->certificate)
		return "no certificate was shown";
	for (uint32_t k = 0; k < all.nr; k++) {
		const struct secret *s = (const struct secret *)all.v[k];
		const char *crt = label_get(&s->data, "tls.crt");
		bool meant = slash && streq(s->o.name, slash + 1) && strncmp(s->o.ns, h->tls_secret, (size_t)(slash - h->tls_secret)) == 0 && !s->o.ns[slash - h->tls_secret], same;
		size_t n = 0;
		const char *pem = crt ? (const char *)base64_decode(v->a, crt, strlen(crt), &n) : NULL;
		struct sb plain = { 0 };

		for (size_t i = 0; pem && i < n; i++)
			if (pem[i] != '\n' && pem[i] != '\r')
				sb_addc(&plain, pem[i]);
		same = pem && strstr(sb_text(&plain), d->certificate) != NULL;
		sb_free(&plain);
		if (meant)
			return same ? NULL : arena_printf(v->a, "the certificate is not that of Secret %s", h->tls_secret);
		if (same && !slash)
			return arena_printf(v->a, "the certificate is that of Secret %s/%s", s->o.ns, s->o.name);
	}
	return NULL;
}

static bool no_answer(const struct outcome_view *o, const struct http_dial *d, bool lossy)
{
	if (lossy && d->end == DIAL_CONNECTED && !d->status)    /* lost behind the handshake */
		return true;
	switch (o->verdict) {
	case V_REFUSED: return d->end == DIAL_REFUSED;
	case V_REJECTED: return d->end == DIAL_REFUSED || d->end == DIAL_UNREACHABLE || (d->end == DIAL_CONNECTED && !d->status);
	case V_UNROUTABLE: return d->end == DIAL_UNREACHABLE || d->end == DIAL_TIMEOUT;
	case V_DELIVERED: return !o->answered && d->end == DIAL_TIMEOUT;
	case V_DROPPED:
	case V_UNRESOLVED:
	case V_LOST: return d->end == DIAL_TIMEOUT || d->end == DIAL_UNREACHABLE;
	case V_UNKNOWN:
	case V_COUNT: break;
	}
	return false;
}

static const char *differs(struct verifying *v, const struct answer *answer, const struct outcome_view *o, const struct http_dial *d)
{
	static const char *const allows[] = { "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers" };
	const struct http_view *h = o->http;
	const char *who = http_dial_header(d, "X-Pod", v->a), *have, *wrong;

	if (!h)
		return no_answer(o, d, v->lossy) ? NULL : "it ended otherwise";
	if (d->end != DIAL_CONNECTED || d->status != h->status)
		return "another status";
	if (d->took < h->delay)
		return arena_printf(v->a, "after %" PRId64 " ms", d->took / MILLIS(1));
	have = http_dial_header(d, "Location", v->a);
	if (!streq(have, h->location))
		return arena_printf(v->a, "Location %s", have ? have : "(none)");
	if (h->backend && o->pod && who && !streq(who, arena_printf(v->a, "%s/%s", o->pod->o.ns, o->pod->o.name)))
		return arena_printf(v->a, "answered by %s", who);
	if (h->backend && h->status == 200 && (wrong = seen_by_backend(v, answer, o, d)))
		return wrong;
	for (uint32_t k = 0; k < h->nr_resp_headers; k++) {
		have = http_dial_header(d, h->resp_headers[k].name, v->a);
		if (!have || strcmp(squeezed(have, v->a), squeezed(h->resp_headers[k].value, v->a)) != 0)
			return arena_printf(v->a, "the client saw %s: %s", h->resp_headers[k].name, have ? have : "(none)");
	}
	for (size_t k = 0; k < ARRAY_LEN(allows); k++) {        /* what a page of another origin must not get by mistake */
		bool expected = false;

		for (uint32_t i = 0; i < h->nr_resp_headers; i++)
			expected = expected || strcasecmp(h->resp_headers[i].name, allows[k]) == 0;
		if (!expected && http_dial_header(d, allows[k], v->a))
			return arena_printf(v->a, "the client saw %s: %s", allows[k], http_dial_header(d, allows[k], v->a));
	}
	return d->tls ? wrong_certificate(v, h, d) : NULL;
}

/* ---- in words */

static const char *outcome_text(const struct outcome_view *o, struct arena *a)
{
	const struct http_view *h = o->http;

	if (!h)
		return arena_printf(a, "%s%s", verdict_names[o->verdict], o->verdict == V_DELIVERED && !o->answered ? ", not answered" : "");
	return arena_printf(a, "%d%s%s%s%s%s%s%s", h->status, h->delay ? arena_printf(a, " after %" PRId64 " ms", h->delay / MILLIS(1)) : "", h->location ? " to " : "", h->location ? h->location : "", h->backend && o->pod ? " by " : "",
			    h->backend && o->pod ? o->pod->o.name : "", h->backend && h->req_path ? " asked for " : "", h->backend && h->req_path ? h->req_path : "");
}

static const char *answer_text(const struct answer *answer, struct arena *a)
{
	const char *out = "";

	for (uint32_t k = 0; k < answer->nr; k++) {
		const char *one = outcome_text(&answer->v[k], a);

		if (k < 6 && !strstr(out, one))
			out = arena_printf(a, "%s%s%s", out, k ? ", or " : "", one);
	}
	return out;
}

static const char *dial_words(const struct http_dial *d, const char *wrong, struct arena *a)
{
	const char *location = http_dial_header(d, "Location", a), *who = http_dial_header(d, "X-Pod", a);

	if (d->end != DIAL_CONNECTED)
		return dial_end_names[d->end];
	if (!d->status)
		return d->tls ? "no answer: the TLS connection was cut off or not made" : "no answer: the connection was cut off";
	return arena_printf(a, "%d%s%s%s%s (%s)", d->status, location ? " to " : "", location ? location : "", who ? " by " : "", who ? who : "", wrong);
}

static const char *request_words(const struct answer *answer, struct arena *a)
{
	const struct question *q = answer->q;
	const char *out = arena_printf(a, "%s %s from %s", q->method ? q->method : "GET", q->to, q->from);

	for (uint32_t k = 0; k < q->nr_headers; k++)
		out = arena_printf(a, "%s, %s: %s", out, q->headers[k].name, q->headers[k].value);
	return q->resolve ? arena_printf(a, "%s, at %s", out, q->resolve) : out;
}

/* ---- one request */

static struct http_dial dial_for(struct verifying *v, const struct answer *answer, struct space *from, uint32_t number, nsec wait)
{
	const struct tuple *sent = &answer->v[number % answer->nr].walk->there.as_sent;         /* of several addresses each in turn */

	return (struct http_dial){ .from = from, .src = source_address(&answer->source, sent->dst), .dst = sent->dst, .port = sent->dport, .tls = streq(answer->to.scheme, "https"),
				 .sni = answer->to.has_ip ? "" : answer->to.name, .text = request_text(answer, v->a), .wait = wait };
}

/* The first outcome that fits; answer->nr: none, *wrong then says what is the matter with the nearest. */
static uint32_t fitting(struct verifying *v, const struct answer *answer, const struct http_dial *d, const char **wrong)
{
	*wrong = NULL;
	for (uint32_t k = 0; k < answer->nr; k++) {
		const char *why = differs(v, answer, &answer->v[k], d);

		if (!why)
			return k;
		if (!*wrong || (answer->v[k].http && answer->v[k].http->status == d->status && !strstr(why, "answered by")))
			*wrong = why;
	}
	return answer->nr;
}

static void report(struct verifying *v, const struct answer *answer, const char *kernel)
{
	struct difference *d = vec_push(v->a, &v->out->differences);

	*d = (struct difference){ .what = request_words(answer, v->a), .walk = answer_text(answer, v->a), .kernel = kernel };
}

static void list(struct verifying *v, const struct answer *answer, const char *how)
{
	if (v->opt->list)
		vec_add(v->a, &v->out->request_list, (const char *)arena_printf(v->a, "%s: %s", request_words(answer, v->a), how));
}

static void not_asked(struct verifying *v, const char *why)
{
	verify_not_asked(&v->out->requests, arena_strdup(v->a, why));
}

static bool request(struct verifying *v, const struct answer *answer)
{
	struct space *from = verify_sender(v->live, v->w, answer);
	const char *why = from ? cannot(v, answer) : "the source has no namespaces here", *wrong;
	bool *seen = arena_array(v->a, bool, answer->nr), repeated = false;
	uint32_t left = answer->nr, tries = 0, least = v->opt->tries ? v->opt->tries : 1;
	double rarest = 1;

	if (why) {
		list(v, answer, why);
		not_asked(v, why);
		return true;
	}
	v->out->requests.asked++;
	for (uint32_t k = 0; k < answer->nr; k++)
		rarest = fmin(rarest, frac_value(answer->v[k].p));
	if (ip_set(answer->source.ip) && !verify_give_address(v->live, from, answer->source.ip, v->err))
		return false;
	while (left || tries < least) {
		struct http_dial d;
		const char *no;
		uint32_t k;

		d = dial_for(v, answer, from, tries, repeated ? VERIFY_PATIENCE : ONE_SYN);
		if (!http_dial(v->live, &d, v->a, v->err))
			return false;
		v->out->requests.tries++;
		no = http_dial_header(&d, HAPROXY_CANNOT, v->a);
		if (no) {
			v->out->requests.asked--;
			list(v, answer, no);
			not_asked(v, no);
			return true;
		}
		k = fitting(v, answer, &d, &wrong);
		if (k == answer->nr && !repeated) {     /* a slow machine, or a proxy that is just being replaced, is no difference */
			repeated = true;
			continue;
		}
		if (k == answer->nr) {
			report(v, answer, dial_words(&d, wrong, v->a));
			return true;
		}
		tries++;
		for (uint32_t i = k; i < answer->nr; i++)       /* outcomes that look alike from here */
			if (!seen[i] && (i == k || !differs(v, answer, &answer->v[i], &d))) {
				seen[i] = true;
				left--;
			}
		if (left && v->lossy && tries >= LOSSY_TRIES)
			break;
		if (left && (tries > MOST || (double)tries * rarest > VERIFY_MISSES)) {
			if (tries <= MOST)
				report(v, answer, arena_printf(v->a, "%u tries, and not all of these were seen", tries));
			else
				v->out->requests.agreed++;
			return true;
		}
	}
	v->out->requests.agreed++;
	list(v, answer, answer_text(answer, v->a));
	return true;
}

bool verify_request(struct live *live, struct world *w, const struct answer *answer, const struct verify_options *opt, struct arena *a, struct verified *out, struct err *err)
{
	struct verifying v = { live, w, opt, a, out, err, verify_lossy(world_dataplane(w)) };

	return request(&v, answer) && live_enter(live, NULL, err);
}

struct one_request { struct live *live; struct http_dial *d; struct arena *a; };

static bool dial_one(void *ctx, struct err *err)
{
	struct one_request *one = ctx;

	return http_dial(one->live, one->d, one->a, err);
}

bool verify_request_trace(struct live *live, struct world *w, const struct answer *answer, struct arena *a, struct http_dial *d, struct nftrace *out, struct err *err)
{
	struct verifying v = { .live = live, .w = w, .a = a, .err = err };
	struct space *from = verify_sender(live, w, answer);
	const char *why = !from || (answer->source.enters && !streq(answer->source.kind, "Client")) ? "the source has no namespaces here" : bad_text(answer);

	if (why)
		return err_add(err, ERR_UNKNOWN, NULL, "%s", why);
	if (!answer->v[0].walk)
		return err_add(err, ERR_FAILED, NULL, "it is not sent: %s", answer->v[0].reason);
	if (ip_set(answer->source.ip) && !verify_give_address(live, from, answer->source.ip, err))
		return false;
	*d = dial_for(&v, answer, from, 0, VERIFY_PATIENCE);
	d->tos = NFTRACE_TOS;
	return nftrace_during(live, dial_one, &(struct one_request){ live, d, a }, a, out, err);
}

bool verify_requests(struct live *live, struct world *w, const struct verify_options *opt, struct arena *a, struct verified *out, struct err *err)
{
	struct verifying v = { live, w, opt, a, out, err, verify_lossy(world_dataplane(w)) };
	nsec from = dial_clock();
	uint32_t nr, take;
	struct question *all;
	bool ok = true;

	world_dataplane(w);
	all = http_cases(w, a, &nr);
	take = opt->sample ? MIN(opt->sample, nr) : nr;
	for (uint32_t k = 0; ok && take && k < nr; k++) {
		struct answer answer;
		struct err own = { 0 };

		if (hash_mix(opt->seed, k) % (nr - k) >= take)
			continue;
		take--;
		if (!live->haproxies.nr)
			not_asked(&v, "no proxy runs: haproxy is not installed, or no Pod of a controller does");
		else if (question_ask(w, &all[k], a, &answer, &own))
			ok = request(&v, &answer);
		else
			not_asked(&v, own.nr ? own.v[0].text : "the model cannot be asked that");
		err_free(&own);
	}
	ok = live_enter(live, NULL, err) && ok;
	out->requests.ms = (double)(dial_clock() - from) / 1e6;
	return ok;
}
