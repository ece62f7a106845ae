/* Requests: Kubernetes', the documentation's and the Gateway API's own cases, put to the compilers and the matcher directly. Pods and EndpointSlices are made here,
 * one ready endpoint for each Deployment behind a Service; the whole way is tested through the command line. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/l7/gateway.h"
#include "model/l7/ingress.h"
#include "tests/conformance/requests.h"
#include "tests/unit/test.h"

static bool admit(void *ctx, struct cluster *c, struct object *o, const struct object *old, struct check *check)
{
	(void)ctx;
	(void)check;
	if (o->kind == &ingress_kind && !old)
		ingress_admit(c, (struct ingress *)o);
	return true;
}

static void apply(struct cluster *c, const struct val *root)
{
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true, .create_namespaces = true };
	struct doc d = { "case", (struct val *)root };
	struct err err = { 0 };

	if (apply_doc(c, &d, &opt, NULL, &err) == APPLY_ERROR)
		err_print(&err, stderr);
	CU_ASSERT_FALSE(err_any(&err));
	err_free(&err);
}

/* ---- the cluster of a case, with the endpoints that its controllers would make */

static void add_slice(struct cluster *c, struct arena *a, const struct service *s, const char *ip, uint32_t n)
{
	struct val *v = val_new(a, VAL_MAP), *meta, *ports, *list, *one, *labels;

	val_put(a, v, "apiVersion", val_string(a, "discovery.k8s.io/v1"));
	val_put(a, v, "kind", val_string(a, "EndpointSlice"));
	meta = val_put(a, v, "metadata", val_new(a, VAL_MAP));
	val_put(a, meta, "name", val_string(a, arena_printf(a, "%s-%u", s->o.name, n)));
	val_put(a, meta, "namespace", val_string(a, s->o.ns));
	labels = val_put(a, meta, "labels", val_new(a, VAL_MAP));
	val_put(a, labels, "kubernetes.io/service-name", val_string(a, s->o.name));
	val_put(a, v, "addressType", val_string(a, "IPv4"));
	ports = val_put(a, v, "ports", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		const struct svc_port *p = &s->ports.v[k];

		one = val_add(a, ports, val_new(a, VAL_MAP));
		if (p->name)
			val_put(a, one, "name", val_string(a, p->name));
		val_put(a, one, "port", val_int(a, p->target.set && !p->target.s ? p->target.i : 8080));
		val_put(a, one, "protocol", val_string(a, "TCP"));
	}
	list = val_put(a, v, "endpoints", val_new(a, VAL_LIST));
	one = val_add(a, list, val_new(a, VAL_MAP));
	val_add(a, val_put(a, one, "addresses", val_new(a, VAL_LIST)), val_string(a, ip));
	apply(c, v);
}

static void add_endpoints(struct cluster *c, struct arena *a)
{
	struct object_list services = cluster_list(c, &service_kind);
	uint32_t n = 0;

	for (uint32_t k = 0; k < services.nr; k++) {
		const struct service *s = (const struct service *)services.v[k];
		struct object_list w = cluster_list_ns(c, &deployment_kind, s->o.ns), pods = cluster_list_ns(c, &pod_kind, s->o.ns);

		if (!s->selector.nr)
			continue;
		for (uint32_t i = 0; i < w.nr; i++)
			if (pairs_match(&s->selector, &((const struct workload *)w.v[i])->template.labels) && ((const struct workload *)w.v[i])->replicas > 0)
				add_slice(c, a, s, arena_printf(a, "10.244.%u.%u", n / 200, 1 + n % 200), n), n++;
		for (uint32_t i = 0; i < pods.nr; i++)
			if (pairs_match(&s->selector, &pods.v[i]->labels) && pod_is_ready((const struct pod *)pods.v[i]))
				add_slice(c, a, s, IP(((const struct pod *)pods.v[i])->ip), n), n++;
	}
}

static struct cluster *build(const struct val *test, struct arena *a)
{
	struct cluster *c = cluster_new(NULL, 1);

	cluster_set_admit(c, admit, NULL);
	VAL_EACH(o, val_get(test, "objects"))
		apply(c, case_object(a, o));
	add_endpoints(c, a);
	return c;
}

/* ---- asking and judging */

static struct http_request request_of(struct arena *a, const struct val *r)
{
	const char *scheme = val_str_at(r, "scheme") ? val_str_at(r, "scheme") : "http", *host = val_str_at(r, "host");
	const struct val *headers = val_get(r, "headers"), *back = val_get(r, "backendResponseHeaders");
	struct http_request rq = { .scheme = scheme, .sni = val_str_at(r, "sni"), .host = host && *host ? host : "nohost.invalid",
				   .port = (uint16_t)val_int_or(val_get(r, "port"), streq(scheme, "https") ? 443 : 80), .method = val_str_at(r, "method"), .path = val_str_at(r, "path") };

	rq.sni = rq.sni ? rq.sni : rq.host;
	rq.headers = case_pairs(a, headers, &rq.nr_headers);
	rq.backend_headers = case_pairs(a, back, &rq.nr_backend_headers);
	ip_parse("203.0.113.10", &rq.client);
	return rq;
}

static const char *backend_text(struct arena *a, const struct http_backend *b)
{
	return b->service ? arena_printf(a, "%s/%s:%d", b->service->o.ns, b->service->o.name, b->port) : "";
}

static void check_endpoints(struct cluster *c, struct arena *a, const struct val *want, const struct http_backend *b)
{
	uint32_t nr = 0;
	struct http_endpoint *e = b->service ? service_endpoints(c, b->service, b->port, b->subset, a, &nr) : NULL;

	CU_ASSERT_EQUAL(nr, want->nr);
	for (uint32_t k = 0; k < nr && k < want->nr; k++)
		SAME_TEXT(arena_printf(a, "%s:%u", IP(e[k].ip), e[k].port), val_str(val_at(want, k)));
}

static void check_one(struct cluster *c, struct arena *a, const struct val *want, const struct http_decision *d, const struct http_backend *b)
{
	const struct val *status = val_get(want, "status"), *backend = val_get(want, "backend"), *secret = val_get(want, "tlsSecret");

	CU_ASSERT_EQUAL(b->unknown != NULL, val_bool_or(val_get(want, "unknown"), false));
	CU_ASSERT_EQUAL(b->reset, val_bool_or(val_get(want, "reset"), false));
	if (val_get(want, "grpcStatus"))
		SAME_TEXT(d->grpc ? grpc_status(b->status) : "no gRPC", val_str_at(want, "grpcStatus"));
	if (status)
		CU_ASSERT_EQUAL(b->status, val_int_or(status, 0));
	if (backend)
		SAME_TEXT(backend_text(a, b), val_str(backend) ? val_str(backend) : "");
	if (secret)
		SAME_TEXT(d->tls_secret ? d->tls_secret : "", val_str(secret) ? val_str(secret) : "");
	if (val_get(want, "location"))
		SAME_TEXT(b->location ? b->location : "", val_str_at(want, "location"));
	if (val_get(want, "upstream"))
		SAME_TEXT(b->upstream ? b->upstream : "", val_str_at(want, "upstream"));
	if (val_get(want, "endpoints"))
		check_endpoints(c, a, val_get(want, "endpoints"), b);
	case_check_message(val_get(want, "request"), b->req_path, b->req_host, b->req_headers, b->nr_req_headers);
	case_check_message(val_get(want, "response"), NULL, NULL, b->resp_headers, b->nr_resp_headers);
	if (val_get(want, "mirrors")) {
		CU_ASSERT_EQUAL(b->nr_mirrors, val_get(want, "mirrors")->nr);
		for (uint32_t k = 0; k < b->nr_mirrors && k < val_get(want, "mirrors")->nr; k++)
			SAME_TEXT(b->mirrors[k], val_str(val_at(val_get(want, "mirrors"), k)));
	}
}

static double share_of(const struct val *v) { return val_is(v, VAL_FLOAT) ? v->f : (double)val_int_or(v, 0); }

static void check_shares(struct cluster *c, struct arena *a, const struct val *outcomes, const struct http_decision *d)
{
	VAL_EACH(alt, outcomes) {
		double share = 0;

		for (uint32_t k = 0; k < d->nr; k++) {
			const struct http_backend *b = &d->v[k];

			if (b->status != val_int_or(val_get(alt, "status"), 0) || strcmp(backend_text(a, b), val_str_at(alt, "backend") ? val_str_at(alt, "backend") : "") != 0 ||
			    (val_get(alt, "mirrors") && b->nr_mirrors != val_get(alt, "mirrors")->nr))
				continue;
			share += (double)b->num / (double)b->den;
			check_one(c, a, alt, d, b);
		}
		CU_ASSERT_DOUBLE_EQUAL(share, share_of(val_get(alt, "probability")), 1e-9);
	}
}

static void check_request(struct cluster *c, struct arena *a, const struct route_table *t, const struct val *test, const struct val *r)
{
	const struct val *want = val_get(r, "expect"), *connect = val_get(want, "connect");
	unsigned before = CU_get_number_of_failures();
	struct http_request rq = request_of(a, r);
	const char *connection = val_str_at(r, "connection");
	struct http_decision d = connection ? routes_connection(t, rq.port, streq(connection, "udp"), a) : routes_match(t, &rq, a);

	if (connect && !val_bool_or(connect, true)) {
		CU_ASSERT(!d.connect || d.tls_failed);
	} else {
		CU_ASSERT(d.connect && !d.tls_failed && d.nr > 0);
		if (val_get(want, "outcomes"))
			check_shares(c, a, val_get(want, "outcomes"), &d);
		for (uint32_t k = 0; k < d.nr && !val_get(want, "outcomes"); k++)
			check_one(c, a, want, &d, &d.v[k]);
	}
	if (CU_get_number_of_failures() != before)
		fprintf(stderr, "  in %s: %s (%s)\n", val_str_at(test, "id"), val_str_at(r, "name"), d.nr ? d.v[0].why : d.tls_why ? d.tls_why : "no answer");
}

static const struct route_table *table_for(struct cluster *c, struct arena *a, const struct val *test, const struct val *r)
{
	const char *gateway = val_str_at(r, "gateway"), *slash = gateway ? strchr(gateway, '/') : NULL;
	const char *controller = val_str_at(r, "controller") ? val_str_at(r, "controller") : val_str(val_at(val_get(test, "controllers"), 0));
	const struct gateway *gw;

	if (!gateway)
		return routes_compile_ingress(c, controller, a);
	gw = (const struct gateway *)cluster_find(c, &gateway_kind, arena_strndup(a, gateway, (size_t)(slash - gateway)), slash + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(gw);
	return routes_compile_gateway(c, gw, a);
}

static void check_condition(const struct val *want, const char *key, const char *reason_key, struct gw_says says)
{
	if (val_get(want, key))
		CU_ASSERT_EQUAL(says.yes, val_bool_or(val_get(want, key), false));
	if (val_get(want, reason_key))
		SAME_TEXT(says.reason, val_str_at(want, reason_key));
}

static void check_status(struct cluster *c, struct arena *a, const struct val *status)
{
	struct object_list gateways = cluster_list(c, &gateway_kind);

	for (uint32_t k = 0; k < gateways.nr; k++) {
		const struct gateway *gw = (const struct gateway *)gateways.v[k];
		const char *name = arena_printf(a, "%s/%s", gw->o.ns, gw->o.name);
		struct gw_state s = gateway_state(c, gw, a);

		VAL_EACH(want, val_get(status, "routes"))
			for (uint32_t i = 0; i < s.nr_routes && streq(val_str_at(want, "gateway"), name); i++) {
				const struct gw_route *route = s.routes[i].route;

				if (strcmp(arena_printf(a, "%s/%s", route->o.ns, route->o.name), val_str_at(want, "route")) != 0 ||
				    (val_get(want, "kind") && !streq(val_str_at(want, "kind"), route->o.kind->name)) ||
				    (val_get(want, "parent") && !streq(val_str_at(want, "parent"), s.routes[i].parent->name)))
					continue;
				check_condition(want, "accepted", "reason", s.routes[i].accepted);
				check_condition(want, "resolvedRefs", "resolvedRefsReason", route_references(c, route, false, a));
			}
		VAL_EACH(want, val_get(status, "listeners"))
			for (uint32_t i = 0; i < s.nr && streq(val_str_at(want, "gateway"), name); i++) {
				if (!streq(s.listeners[i].spec->name, val_str_at(want, "listener")))
					continue;
				CU_ASSERT_EQUAL(s.listeners[i].attached, val_int_or(val_get(want, "attachedRoutes"), 0));
				check_condition(want, "accepted", "reason", s.listeners[i].accepted);
				check_condition(want, "resolvedRefs", "resolvedRefsReason", s.listeners[i].resolved);
				check_condition(want, "programmed", "programmedReason", s.listeners[i].programmed);
			}
		VAL_EACH(want, val_get(status, "sets"))
			for (uint32_t i = 0; i < s.nr_sets && streq(val_str_at(want, "gateway"), name); i++)
				if (streq(s.sets[i].set->o.name, val_str_at(want, "set"))) {
					check_condition(want, "accepted", "reason", s.sets[i].accepted);
					check_condition(want, "programmed", "programmedReason", s.sets[i].programmed);
				}
	}
}

static uint32_t run_cases(const char *file)
{
	struct arena *a = arena_new(NULL, "cases");
	const struct val *cases = case_file(a, file);
	uint32_t n = 0;

	VAL_EACH(test, cases) {
		struct arena *own = arena_new(NULL, "case");
		struct cluster *c;

		if (val_get(test, "expectInvalid")) {
			arena_free(own);
			continue;
		}
		c = build(test, own);
		VAL_EACH(r, val_get(test, "requests")) {
			check_request(c, own, table_for(c, own, test, r), test, r);
			n++;
		}
		if (val_get(test, "expectStatus"))
			check_status(c, own, val_get(test, "expectStatus"));
		cluster_free(c);
		arena_free(own);
	}
	arena_free(a);
	return n;
}

TEST(ingress_requests_go_where_the_specification_says)
{
	CU_ASSERT(run_cases("ingress") >= 112);
}

/* The scenarios of ingress-controller-conformance that are not among those. */
TEST(ingress_requests_go_where_the_conformance_suite_says)
{
	CU_ASSERT_EQUAL(run_cases("ingress-more"), 11);
}

TEST(http_routes_go_where_the_gateway_api_says)
{
	CU_ASSERT(run_cases("httproute") >= 200);
}

TEST(gateways_keep_what_the_conformance_suite_asks_besides)
{
	CU_ASSERT(run_cases("gateway-more") >= 98);
}

TEST(routes_of_every_kind_go_where_the_gateway_api_says)
{
	CU_ASSERT(run_cases("routes-more") >= 93);
}

/* The table of ingress-nginx' annotations is searched by halves. */
TEST(annotations_stand_in_the_order_of_their_names)
{
	struct arena *a = arena_new(NULL, "test");
	size_t n = 0;
	const char *text = test_file(a, "model/l7/nginx_annotations.c", &n), *p = text ? strstr(text, "} annotations[] = {") : NULL, *end = p ? strstr(p, "\n};") : NULL, *last = "";
	unsigned rows = 0;

	while (p && (p = strstr(p, "{ \"")) && p < end) {
		const char *name = arena_strndup(a, p + 3, strcspn(p + 3, "\""));

		CU_ASSERT(strcmp(last, name) < 0);
		last = name;
		rows++;
		p += 3;
	}
	CU_ASSERT(!text || rows > 100);
	arena_free(a);
}
