/* Services and their endpoints through the API and the controllers: units/02, 03, 06, 07. */
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static bool apply_all(struct cell *x, const struct val *c, const char *path)
{
	bool ok = true;

	x->lax = true;
	VAL_EACH(o, val_path(c, path))
		ok = cell_doc(x, o) != APPLY_ERROR && ok;
	return ok;
}

static const char *service_yaml(struct cell *x, const char *name, const char *spec)
{
	return arena_printf(x->a, "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {%s}\n", name, spec);
}

static void range(struct cell *x, const char *cidr)
{
	cell_apply(x, arena_printf(x->a, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: '%s'}\n", cidr));
}

static bool try_apply(struct cell *x, const char *yaml)
{
	struct err err = { 0 };
	bool ok = docs_read("test.yaml", yaml, strlen(yaml), NULL, cell_take, x, &err) && !err_any(&err);

	for (uint32_t k = 0; k < err.nr; k++)
		err_add(&x->err, err.v[k].kind, NULL, "%s", err.v[k].text);
	err_free(&err);
	return ok;
}

static const char *last_words(const struct cell *x)
{
	return x->err.nr ? x->err.v[x->err.nr - 1].text : "";
}

/* ---- units/02 through the API */

TEST(services_ask_for_cluster_ips)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *c = unit_case(unit_cases(a, "02-cluster-ip"), "cip-04-out-of-range"), *want = c ? val_path(c, "expect.results")->first : NULL;
	struct cell x = cell_new(1);
	int n = 0;

	range(&x, val_str_at(c, "given.serviceCIDR"));
	VAL_EACH(ip, val_path(c, "given.requests")) {
		bool ok = try_apply(&x, service_yaml(&x, arena_printf(x.a, "s%d", n++), arena_printf(x.a, "clusterIP: %s, ports: [{port: 80}]", ip->s)));

		CASE_ASSERT(c, ok == (strcmp(want->s, "ok") == 0));
		CASE_ASSERT(c, ok || strstr(last_words(&x), "spec.clusterIPs: Invalid value: "));
		CASE_ASSERT(c, ok || strstr(last_words(&x), strstr(want->s, "already") ? "failed to allocate IP 192.168.1.5: provided IP is already allocated" :
										     "the provided network does not match the current range"));
		want = want->next;
	}
	cell_free(&x);
	arena_free(a);
}

TEST(the_api_servers_own_service_has_the_first_address)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *c = unit_case(unit_cases(a, "02-cluster-ip"), "cip-07-kubernetes-service");
	struct cell x = cell_new(1);

	range(&x, val_str_at(c, "given.serviceCIDR"));
	defaults_add(x.c);
	SAME_TEXT(find_service(x.c, "default", "kubernetes")->cluster_ip, val_str_at(c, "expect.clusterIP"));
	SAME_TEXT(find_service(x.c, "kube-system", "kube-dns")->cluster_ip, "10.96.0.10");
	cell_free(&x);
	arena_free(a);
}

TEST(dynamic_cluster_ips_avoid_the_static_band)
{
	struct cell x = cell_new(1);
	struct map seen = { 0 };

	for (int k = 0; k < 300; k++) {
		const struct service *s;
		ip_addr ip;

		cell_apply(&x, service_yaml(&x, arena_printf(x.a, "s%d", k), "ports: [{port: 80}]"));
		s = find_service(x.c, "default", arena_printf(x.a, "s%d", k));
		CU_ASSERT(ip_parse(s->cluster_ip, &ip) && ip_to4(ip) > 0x0a600100);
		CU_ASSERT(++*map_put(&seen, x.a, ip.lo) == 1);
	}
	cell_free(&x);
}

/* ---- units/03 */

static void node_ports(const struct val *c, bool second_refused)
{
	const struct val *message = val_path(c, "expect.message"), *want = val_path(c, "expect.nodePorts");
	struct cell x = cell_new(1);
	bool ok = apply_all(&x, c, "given.objects");

	CASE_ASSERT(c, ok == !second_refused);
	if (second_refused)
		CASE_ASSERT(c, strstr(x.err.v[x.err.nr - 1].text, message ? message->s : "provided port is already allocated"));
	if (want) {
		const struct service *s = (const struct service *)cluster_list(x.c, &service_kind).v[0];

		CASE_ASSERT(c, s->ports.v[0].node_port && s->ports.v[0].node_port == s->ports.v[1].node_port);
		CASE_ASSERT(c, !val_is(want, VAL_LIST) || s->ports.v[0].node_port == val_int_or(val_at(want, 0), 0));
	}
	cell_free(&x);
}

TEST(node_ports_are_numbers_blind_to_protocols)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "03-node-port");

	if (all) {
		node_ports(unit_case(all, "np-05-same-port-two-protocols"), false);
		node_ports(unit_case(all, "np-06-two-services-one-number"), true);
		node_ports(unit_case(all, "np-07-one-service-two-ports-one-number"), true);
		node_ports(unit_case(all, "np-08-same-port-requested"), false);
	}
	arena_free(a);
}

TEST(node_ports_outside_the_range_are_refused_in_the_servers_words)
{
	struct cell x = cell_new(1);

	CU_ASSERT(!try_apply(&x, service_yaml(&x, "web", "type: NodePort, ports: [{port: 80, nodePort: 80}]")));
	CU_ASSERT(strstr(last_words(&x), "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767") != NULL);
	cell_free(&x);
}

TEST(an_update_keeps_what_was_allocated)
{
	struct cell x = cell_new(1);
	const struct service *s;
	str ip;
	int32_t port;

	cell_apply(&x, service_yaml(&x, "web", "type: NodePort, ports: [{port: 80}]"));
	s = find_service(x.c, "default", "web");
	ip = s->cluster_ip;
	port = s->ports.v[0].node_port;
	cell_apply(&x, service_yaml(&x, "web", "type: NodePort, selector: {app: web}, ports: [{name: a, port: 80}, {name: b, port: 81}]"));
	CU_ASSERT(s->cluster_ip == ip && s->ports.v[0].node_port == port && s->ports.v[1].node_port && s->ports.v[1].node_port != port);
	cell_apply(&x, service_yaml(&x, "web", "type: NodePort, ports: [{name: a, port: 80, nodePort: 30001}, {name: b, port: 81}]"));
	cell_apply(&x, service_yaml(&x, "web", "type: NodePort, ports: [{name: b, port: 83, nodePort: 30002}, {name: a, port: 82}]"));
	CU_ASSERT(s->ports.v[0].node_port == 30002 && s->ports.v[1].node_port == 30001);        /* the port is new: it has that of its name */
	cell_apply(&x, service_yaml(&x, "web", "type: NodePort, ports: [{name: b, port: 84, nodePort: 30001}, {name: a, port: 85}]"));
	CU_ASSERT(s->ports.v[0].node_port == 30001 && s->ports.v[1].node_port != 30001);        /* unless another has it now */
	cell_apply(&x, service_yaml(&x, "web", "type: ExternalName, externalName: example.com"));
	CU_ASSERT(!s->cluster_ip && !s->cluster_ips.nr);
	cell_free(&x);
}

/* ---- units/06 */

static const struct endpoint *only_endpoint(struct cell *x, const char *ns, const char *service, const char *family)
{
	struct object_list l = service_slices(x->c, find_service(x->c, ns, service));

	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(((struct endpointslice *)l.v[k])->address_type, family) && ((struct endpointslice *)l.v[k])->endpoints.nr)
			return &((struct endpointslice *)l.v[k])->endpoints.v[0];
	return NULL;
}

static bool is(uint8_t have, const struct val *want)
{
	return have == (val_bool_or(want, false) ? TRI_TRUE : TRI_FALSE);
}

static void endpoint(const struct val *c)
{
	struct cell x = cell_new(1);
	const struct val *want = val_path(c, "expect.conditions"), *hostname = val_get(val_get(c, "expect"), "endpoint.hostname");
	const struct endpoint *e;

	CASE_ASSERT(c, apply_all(&x, c, "given.objects"));
	cell_settle(&x);
	e = only_endpoint(&x, "testing", "foo", "IPv4");
	CASE_ASSERT(c, e != NULL);
	if (e && want) {
		CASE_ASSERT(c, is(e->ready, val_get(want, "ready")) && is(e->serving, val_get(want, "serving")) && is(e->terminating, val_get(want, "terminating")));
		SAME_TEXT(e->addresses.v[0], val_str_at(c, "expect.address"));
		SAME_TEXT(e->node, val_str_at(c, "expect.nodeName"));
		SAME_TEXT(e->target->name, val_str_at(c, "expect.targetRef.name"));
	}
	if (e && hostname)
		SAME_TEXT(e->hostname, val_str(hostname));
	cell_free(&x);
}

static void hostnames(const struct val *c)
{
	VAL_EACH(row, val_path(c, "given.rows")) {
		struct cell x = cell_new(1);
		const char *hostname = val_str_at(row, "hostname"), *subdomain = val_str_at(row, "subdomain");
		const char *ns = val_bool_or(val_get(row, "sameNamespace"), true) ? "default" : "other";
		const struct endpoint *e;

		cell_apply(&x, arena_printf(x.a, "apiVersion: v1\nkind: Service\nmetadata: {name: foo, namespace: %s}\nspec: {selector: {app: foo}, ports: [{port: 80}]}\n", ns));
		cell_apply(&x, arena_printf(x.a, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: foo}}\nspec: {%s%s%s%s nodeName: node-1, containers: [{name: c, image: i}]}\n"
					    "status: {phase: Running, podIP: 1.2.3.4}\n", hostname ? "hostname: " : "", hostname ? "foo," : "", subdomain ? "subdomain: " : "",
					    subdomain ? arena_printf(x.a, "%s,", subdomain) : ""));
		cell_settle(&x);
		e = only_endpoint(&x, ns, "foo", "IPv4");
		CASE_ASSERT(c, streq(ns, "other") ? !e : e && !e->hostname);
		cell_free(&x);
	}
}

static void dual_stack(const struct val *c)
{
	struct cell x = cell_new(1);
	const struct val *want = val_path(c, "expect.addresses")->first;

	apply_all(&x, c, "given.objects");
	find_service(x.c, "testing", "foo")->families = (str_list){ arena_copy(cluster_arena(x.c), (str[]){ cluster_str(x.c, "IPv4"), cluster_str(x.c, "IPv6") }, 2 * sizeof(str)), 2, true };
	cell_settle(&x);
	VAL_EACH(family, val_path(c, "given.rows")) {
		const struct endpoint *e = only_endpoint(&x, "testing", "foo", family->s);
		ip_addr have = { 0 }, expected = { 0 };

		CASE_ASSERT(c, e && ip_parse(e->addresses.v[0], &have) && ip_parse(val_str(val_at(want, 0)), &expected) && ip_eq(have, expected));
		want = want->next;
	}
	cell_free(&x);
}

static void who_is_in(const struct val *c)
{
	const struct val *want = val_path(c, "expect.in")->first;

	VAL_EACH(row, val_path(c, "given.rows")) {
		struct cell x = cell_new(1);
		const char *ip = val_str_at(row, "ip"), *phase = val_str_at(row, "phase");

		cell_apply(&x, "apiVersion: v1\nkind: Service\nmetadata: {name: foo}\nspec: {selector: {app: foo}, ports: [{port: 80}]}\n");
		cell_apply(&x, arena_printf(x.a, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: foo}%s}\nspec: {nodeName: node-1, containers: [{name: c, image: i}]}\n"
					    "status: {phase: %s%s%s}\n", val_bool_or(val_get(row, "terminating"), false) ? ", deletionTimestamp: '2026-01-01T00:00:00Z'" : "", phase,
					    *ip ? ", podIP: " : "", ip));
		cell_settle(&x);
		if (val_bool_or(val_get(row, "includeTerminating"), true))      /* the old Endpoints leave terminating Pods out; slices never do */
			CASE_ASSERT(c, (only_endpoint(&x, "default", "foo", "IPv4") != NULL) == want->b);
		want = want->next;
		cell_free(&x);
	}
}

TEST(endpoints_say_what_pods_are)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "06-endpoint-conditions");

	VAL_EACH(c, all)
		if (!val_path(c, "given.rows"))
			endpoint(c);
	if (all) {
		hostnames(unit_case(all, "epc-09-hostname-no-subdomain"));
		dual_stack(unit_case(all, "epc-11-dual-stack"));
		who_is_in(unit_case(all, "epc-12-should-be-in"));
	}
	arena_free(a);
}

/* ---- units/07: hints */

static void hints(const struct val *c)
{
	struct cell x = cell_new(1);
	struct map zones = { 0 }, nodes = { 0 };
	struct object_list l;

	CASE_ASSERT(c, apply_all(&x, c, "given.objects"));
	cell_settle(&x);
	l = service_slices(x.c, find_service(x.c, "ns1", "foo"));
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++) {
			const struct ep_hints *h = s->endpoints.v[i].hints;

			for (uint32_t z = 0; h && z < h->for_zones.nr; z++)
				++*map_put(&zones, x.a, map_ptr(h->for_zones.v[z].name));
			for (uint32_t z = 0; h && z < h->for_nodes.nr; z++)
				++*map_put(&nodes, x.a, map_ptr(h->for_nodes.v[z].name));
		}
	}
	CASE_ASSERT(c, zones.nr == val_path(c, "expect.forZones")->nr && nodes.nr == val_path(c, "expect.forNodes")->nr);
	VAL_EACH(z, val_path(c, "expect.forZones"))
		CASE_ASSERT(c, *map_put(&zones, x.a, map_ptr(cluster_str(x.c, z->key))) == (uint64_t)z->i);
	VAL_EACH(n, val_path(c, "expect.forNodes"))
		CASE_ASSERT(c, *map_put(&nodes, x.a, map_ptr(cluster_str(x.c, n->key))) == (uint64_t)n->i);
	cell_free(&x);
}

TEST(hints_follow_traffic_distribution)
{
	struct arena *a = arena_new(NULL, "test");

	VAL_EACH(c, unit_cases(a, "07-endpointslice-packing"))
		if (val_path(c, "expect.forZones"))
			hints(c);
	arena_free(a);
}

/* ---- labels: kubernetes staging/src/k8s.io/endpointslice/utils_test.go TestSetEndpointSliceLabels, "service having reserved labels" */

TEST(slices_carry_the_services_labels_but_not_its_reserved_ones)
{
	struct cell x = cell_new(1);
	struct object_list l;
	const struct object *o;
	rev_t revision;

	cell_apply(&x, "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  labels: {foo: bar, kubernetes.io/service-name: alpha, endpointslice.kubernetes.io/managed-by: me,"
		       " service.kubernetes.io/headless: invalid}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n---\n"
		       "apiVersion: v1\nkind: Service\nmetadata: {name: all, labels: {foo: bar, service.kubernetes.io/headless: invalid}}\n"
		       "spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}\n");
	cell_settle(&x);
	l = service_slices(x.c, find_service(x.c, "default", "web"));
	CU_ASSERT_FATAL(l.nr == 1);
	o = l.v[0];
	CU_ASSERT_EQUAL(o->labels.nr, 3);
	CU_ASSERT_STRING_EQUAL(label_get(&o->labels, "foo"), "bar");
	CU_ASSERT_STRING_EQUAL(label_get(&o->labels, "kubernetes.io/service-name"), "web");
	CU_ASSERT_STRING_EQUAL(label_get(&o->labels, "endpointslice.kubernetes.io/managed-by"), "endpointslice-controller.k8s.io");
	CU_ASSERT_PTR_NULL(label_get(&o->labels, "service.kubernetes.io/headless"));
	l = service_slices(x.c, find_service(x.c, "default", "all"));
	CU_ASSERT_FATAL(l.nr == 1);
	CU_ASSERT_STRING_EQUAL(label_get(&l.v[0]->labels, "service.kubernetes.io/headless"), "");
	CU_ASSERT_EQUAL(l.v[0]->labels.nr, 4);
	revision = o->rev;
	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec: {containers: [{name: c, image: i}]}\n");
	cell_settle(&x);
	CU_ASSERT_EQUAL(o->rev, revision);         /* what has the labels that it should is not written again */
	cell_free(&x);
}

/* ---- updates: pkg/registry/core/service/storage/alloc.go initIPFamilyFields, strategy_test.go TestDropTypeDependentFields */

static bool change(struct cell *x, const char *json)
{
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true };
	struct service *s = find_service(x->c, "default", "s");
	struct err err = { 0 };
	struct val *doc = val_merge_patch(x->a, s->o.doc, json_parse(x->a, "patch", json, strlen(json), NULL, &err));
	bool ok = apply_replace(x->c, &s->o, doc, &opt, &err) != APPLY_ERROR;

	for (uint32_t k = 0; k < err.nr; k++)
		err_add(&x->err, err.v[k].kind, NULL, "%s", err.v[k].text);
	err_free(&err);
	return ok;
}

TEST(a_family_that_was_given_by_the_server_stays_through_a_patch)
{
	struct cell x = cell_new(1);
	const struct service *s;

	range(&x, "10.96.0.0/16,fd00:10:96::/112");
	CU_ASSERT(try_apply(&x, service_yaml(&x, "s", "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4], ports: [{port: 80}]")));
	CU_ASSERT(change(&x, "{\"metadata\": {\"labels\": {\"a\": \"b\"}}}"));
	CU_ASSERT(change(&x, "{\"spec\": {\"ipFamilyPolicy\": \"PreferDualStack\"}}"));
	s = find_service(x.c, "default", "s");
	CU_ASSERT(s->families.nr == 2 && s->cluster_ips.nr == 2);
	CU_ASSERT(!change(&x, "{\"spec\": {\"ipFamilies\": [\"IPv4\"]}}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(last_words(&x), "SingleStack"));
	CU_ASSERT(change(&x, "{\"spec\": {\"ipFamilyPolicy\": \"SingleStack\"}}"));
	s = find_service(x.c, "default", "s");
	CU_ASSERT(s->families.nr == 1 && s->cluster_ips.nr == 1);
	CU_ASSERT(!change(&x, "{\"spec\": {\"ipFamilies\": [\"IPv4\", \"IPv6\"]}}"));        /* two families want another policy */
	cell_free(&x);
}

TEST(a_health_check_port_that_was_given_by_the_server_stays)
{
	struct cell x = cell_new(1);
	int32_t port;

	CU_ASSERT(try_apply(&x, service_yaml(&x, "s", "type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]")));
	port = find_service(x.c, "default", "s")->health_check_node_port;
	CU_ASSERT(port > 0);
	CU_ASSERT(change(&x, "{\"metadata\": {\"labels\": {\"a\": \"b\"}}}"));
	CU_ASSERT(try_apply(&x, service_yaml(&x, "s", "type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 81}]")));
	CU_ASSERT_EQUAL(find_service(x.c, "default", "s")->health_check_node_port, port);
	CU_ASSERT(!change(&x, "{\"spec\": {\"healthCheckNodePort\": 30001}}"));
	CU_ASSERT(change(&x, "{\"spec\": {\"externalTrafficPolicy\": \"Cluster\"}}"));
	CU_ASSERT_EQUAL(find_service(x.c, "default", "s")->health_check_node_port, 0);
	cell_free(&x);
}

TEST(a_type_takes_the_fields_with_it_that_it_alone_needs)
{
	struct cell x = cell_new(1);
	const struct service *s;

	CU_ASSERT(try_apply(&x, service_yaml(&x, "s", "type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 31000, allocateLoadBalancerNodePorts: true, loadBalancerClass: example.com/x, "
						      "clusterIP: 10.96.0.50, ports: [{port: 80, nodePort: 30080}]")));
	CU_ASSERT(!change(&x, "{\"spec\": {\"type\": \"ClusterIP\", \"ports\": [{\"port\": 80, \"nodePort\": 30081}]}}"));      /* a number that is new */
	CU_ASSERT(!change(&x, "{\"spec\": {\"type\": \"ClusterIP\", \"externalTrafficPolicy\": \"Cluster\"}}"));
	CU_ASSERT(change(&x, "{\"spec\": {\"type\": \"ClusterIP\"}}"));
	s = find_service(x.c, "default", "s");
	CU_ASSERT(s->type == SVC_CLUSTERIP && !s->ports.v[0].node_port && !s->health_check_node_port && s->external_policy == TP_NONE && !s->allocate_node_ports);
	CU_ASSERT_STRING_EQUAL(s->cluster_ip, "10.96.0.50");
	CU_ASSERT(change(&x, "{\"spec\": {\"type\": \"ExternalName\", \"externalName\": \"a.example\"}}"));
	s = find_service(x.c, "default", "s");
	CU_ASSERT(!s->cluster_ip && !s->cluster_ips.nr && !s->families.nr);
	CU_ASSERT(change(&x, "{\"spec\": {\"externalIPs\": [\"203.0.113.1\"]}}"));           /* no policy is defaulted for what nobody reaches */
	cell_free(&x);
}
