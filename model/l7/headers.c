/* A request's headers as a proxy reads them. What a header that is given more than once is to a condition differs among proxies, and the Gateway API leaves it to them
 * (HTTPHeaderMatch.name). Sources: envoy source/common/http/header_utility.cc (all values of a name, with a comma between), nginx 1.23 changes ($http_: with ", "),
 * traefik pkg/muxer/http/matcher.go. A second Host: nginx ngx_http_request.c ngx_http_process_host, haproxy h1.c h1_headers_to_hdr_list, Go net/http server.go readRequest,
 * envoy header_map_impl.cc insertByKey (Host is one of the headers of which there is one; what comes again is appended, with a comma). */
#include "model/l7/table.h"

#include <strings.h>

const char *header_of(const struct http_request *rq, const char *name)
{
	for (uint32_t k = 0; k < rq->nr_headers; k++)
		if (strcasecmp(rq->headers[k].name, name) == 0)
			return rq->headers[k].value;
	return NULL;
}

const char *header_joined(const struct http_request *rq, const char *name, const char *between, struct arena *a)
{
	const char *out = NULL;

	for (uint32_t k = 0; k < rq->nr_headers; k++)
		if (strcasecmp(rq->headers[k].name, name) == 0)
			out = out ? arena_printf(a, "%s%s%s", out, between, rq->headers[k].value) : rq->headers[k].value;
	return out;
}

const char *header_read(const struct http_request *rq, const char *name, enum l7_repeats how, struct arena *a)
{
	switch (how) {
	case L7_REPEATS_COMMA:
		return header_joined(rq, name, ",", a);
	case L7_REPEATS_COMMA_SPACE:
		return header_joined(rq, name, ", ", a);
	case L7_REPEATS_LAST:
		for (uint32_t k = rq->nr_headers; k > 0; k--)
			if (strcasecmp(rq->headers[k - 1].name, name) == 0)
				return rq->headers[k - 1].value;
		return NULL;
	case L7_REPEATS_OPEN:
	case L7_REPEATS_FIRST:
	case L7_REPEATS_ANY:
		break;
	}
	return header_of(rq, name);
}

const char *header_repeated(const struct http_request *rq)
{
	for (uint32_t k = 0; k < rq->nr_headers; k++)
		for (uint32_t i = 0; i < k; i++)
			if (strcasecmp(rq->headers[i].name, rq->headers[k].name) == 0)
				return rq->headers[k].name;
	return NULL;
}

const struct http_request *request_hosts_joined(const struct http_request *rq, struct arena *a)
{
	struct http_request *one;

	if (rq->nr_hosts < 2)
		return rq;
	one = arena_copy(a, rq, sizeof(*rq));
	for (uint32_t k = 1; k < rq->nr_hosts; k++)
		one->host = arena_printf(a, "%s,%s", one->host, rq->hosts[k]);
	one->nr_hosts = 1;
	return one;
}

void header_reading(struct route_table *t)
{
	static const struct { const char *domain; enum l7_repeats repeats; enum l7_second_host host; } known[] = {
		{ "istio", L7_REPEATS_COMMA, L7_HOST_JOINED }, { "istio.io", L7_REPEATS_COMMA, L7_HOST_JOINED }, { "gateway.envoyproxy.io", L7_REPEATS_COMMA, L7_HOST_JOINED },
		{ "projectcontour.io", L7_REPEATS_COMMA, L7_HOST_JOINED }, { "io.cilium", L7_REPEATS_COMMA, L7_HOST_JOINED }, { "cilium.io", L7_REPEATS_COMMA, L7_HOST_JOINED },
		{ "kgateway.dev", L7_REPEATS_COMMA, L7_HOST_JOINED }, { "traefik.io", L7_REPEATS_ANY, L7_HOST_REFUSED },
		{ "nginx.org", L7_REPEATS_OPEN, L7_HOST_REFUSED }, { "gateway.nginx.org", L7_REPEATS_OPEN, L7_HOST_REFUSED },
		{ "ingress-controllers.konghq.com", L7_REPEATS_OPEN, L7_HOST_REFUSED }, { "konghq.com", L7_REPEATS_OPEN, L7_HOST_REFUSED },
		{ "haproxy.org", L7_REPEATS_OPEN, L7_HOST_SAME }, { "haproxy-ingress.github.io", L7_REPEATS_OPEN, L7_HOST_SAME },
	};
	size_t n = t->controller ? strcspn(t->controller, "/") : 0;

	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		if (strlen(known[k].domain) == n && memcmp(t->controller, known[k].domain, n) == 0) {
			t->repeats = (uint8_t)known[k].repeats;
			t->second_host = (uint8_t)known[k].host;
		}
}
