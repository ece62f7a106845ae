/* A request's headers as a proxy reads them. What a header that is given more than once is to a condition differs among proxies, and the Gateway API leaves it to them
 * (HTTPHeaderMatch.name). Sources: envoy source/common/http/header_utility.cc (all values of a name, with a comma between), nginx 1.23 changes ($http_: with ", "). */
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
