/* What the API server makes of a Service that is created and updated: kubernetes pkg/registry/core/service/storage/storage_test.go, table by table (units/17). A case is what
 * differs from upstream's plain Service; addresses, families, node ports and what is refused are compared. */
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static const char plain[] = "{\"selector\": {\"k\": \"v\"}, \"sessionAffinity\": \"None\", \"type\": \"ClusterIP\", \"internalTrafficPolicy\": \"Cluster\","
			    " \"ports\": [{\"port\": 93, \"targetPort\": 76, \"protocol\": \"TCP\"}]}";

static const char head[] = "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"foo\", \"namespace\": \"default\"}}";

static struct val *service_doc(struct cell *x, const struct val *delta)
{
	struct err err = { 0 };
	struct val *doc = json_parse(x->a, "service", head, sizeof(head) - 1, NULL, &err);
	struct val *spec = val_merge_patch(x->a, json_parse(x->a, "spec", plain, sizeof(plain) - 1, NULL, &err), delta);

	if (val_get(spec, "clusterIPs") && !val_get(spec, "clusterIP"))
		val_put(x->a, spec, "clusterIP", val_copy(x->a, val_get(spec, "clusterIPs")->first));
	val_put(x->a, doc, "spec", spec);
	err_free(&err);
	return doc;
}

static void two_ranges(struct cell *x, const struct val *families)
{
	const char *first = streq(val_str(families->first), "IPv4") ? "10.0.0.0/16" : "2000::/108";
	const char *second = families->nr < 2 ? "" : streq(val_str(val_at(families, 1)), "IPv4") ? ",10.0.0.0/16" : ",2000::/108";

	cell_apply(x, arena_printf(x->a, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: '%s%s'}\n", first, second));
}

static bool put(struct cell *x, const struct val *delta)
{
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true };
	struct service *s = find_service(x->c, "default", "foo");
	struct val *doc = service_doc(x, delta);

	if (s)
		return apply_replace(x->c, &s->o, doc, &opt, &x->err) != APPLY_ERROR;
	return cell_doc(x, doc) != APPLY_ERROR;
}

static bool says(const struct err *e, const char *words)
{
	for (uint32_t k = 0; k < e->nr; k++)
		if (strstr(e->v[k].text, words))
			return true;
	return false;
}

static bool want(const struct val *expect, const char *key)
{
	return val_bool_or(val_get(expect, key), false);
}

static void same_families(const struct val *c, const struct service *s, const struct val *families)
{
	CASE_ASSERT(c, s->families.nr == families->nr);
	for (uint32_t k = 0; k < families->nr && k < s->families.nr; k++)
		CASE_ASSERT(c, streq(s->families.v[k], val_str(val_at(families, k))));
}

/* storage_test.go proveClusterIPsAllocated: each address is of its family, and there are as many as the policy says. */
static void addresses_fit(const struct val *c, const struct service *s)
{
	uint32_t ranges = val_get(c, "cluster")->nr;

	CASE_ASSERT(c, s->cluster_ips.nr && streq(s->cluster_ip, s->cluster_ips.v[0]));
	CASE_ASSERT(c, s->cluster_ips.nr == s->families.nr);
	for (uint32_t k = 0; k < s->cluster_ips.nr && k < s->families.nr; k++) {
		ip_addr ip;

		CASE_ASSERT(c, ip_parse(s->cluster_ips.v[k], &ip) && ip_is4(ip) == streq(s->families.v[k], "IPv4"));
	}
	CASE_ASSERT(c, s->families.nr == (streq(s->family_policy, "SingleStack") ? 1 : streq(s->family_policy, "RequireDualStack") ? 2 : ranges));
}

static void ports_fit(const struct val *c, const struct service *s, bool wanted)
{
	for (uint32_t k = 0; k < s->ports.nr; k++)
		CASE_ASSERT(c, (s->ports.v[k].node_port != 0) == wanted);
}

static void look(const struct val *c, const struct service *s, const struct val *e)
{
	if (want(e, "clusterIPs"))
		addresses_fit(c, s);
	else if (want(e, "headless"))
		CASE_ASSERT(c, s->cluster_ips.nr == 1 && streq(s->cluster_ips.v[0], "None"));
	else if (!val_get(e, "policy"))
		CASE_ASSERT(c, !s->cluster_ips.nr || streq(s->cluster_ip, "None"));
	if (!val_get(e, "policy"))
		ports_fit(c, s, want(e, "nodePorts"));
	CASE_ASSERT(c, (s->health_check_node_port != 0) == want(e, "healthCheckNodePort"));
	if (val_get(e, "nrFamilies"))
		CASE_ASSERT(c, s->families.nr == (uint32_t)val_int_or(val_get(e, "nrFamilies"), 0));
	if (val_get(e, "policy"))
		CASE_ASSERT(c, streq(s->family_policy, val_str(val_get(e, "policy"))));
	if (val_get(e, "families"))
		same_families(c, s, val_get(e, "families"));
	VAL_EACH(v, val_get(e, "ips"))
		CASE_ASSERT(c, (uint32_t)atoi(v->key) < s->cluster_ips.nr && streq(s->cluster_ips.v[atoi(v->key)], val_str(v)));
	VAL_EACH(v, val_get(e, "ports"))
		CASE_ASSERT(c, v->i > 0 ? s->ports.v[atoi(v->key)].node_port == v->i : s->ports.v[atoi(v->key)].node_port != -v->i);
	if (val_get(e, "hcnp"))
		CASE_ASSERT(c, s->health_check_node_port == val_int_or(val_get(e, "hcnp"), 0));
}

/* After an update what was given before is still there, as far as both have it. */
static void kept(const struct val *c, const struct service *s, const str_list *before)
{
	for (uint32_t k = 0; k < before->nr && k < s->cluster_ips.nr; k++)
		CASE_ASSERT(c, streq(s->cluster_ips.v[k], before->v[k]));
}

static void step(struct cell *x, const struct val *c, const struct val *delta, const struct val *e)
{
	struct service *s = find_service(x->c, "default", "foo");
	str_list before = s ? s->cluster_ips : (str_list){ 0 };
	bool ok = put(x, delta);

	CASE_ASSERT(c, ok == !want(e, "error"));
	if (!ok && !want(e, "error"))
		err_print(&x->err, stderr);
	VAL_EACH(w, val_get(e, "words"))
		CASE_ASSERT(c, says(&x->err, val_str(w)));
	if (ok == want(e, "error") || want(e, "error"))
		return;
	s = find_service(x->c, "default", "foo");
	look(c, s, e);
	kept(c, s, &before);
}

TEST(services_are_stored_as_upstreams_tables_say)
{
	struct arena *a = arena_new(NULL, "test");

	VAL_EACH(c, unit_cases(a, "17-service-storage")) {
		struct cell x = cell_new(1);
		const struct val *update = val_get(c, "update");

		two_ranges(&x, val_get(c, "cluster"));
		step(&x, c, val_get(c, "create"), val_get(c, update || !val_get(c, "expect") ? "created" : "expect"));
		if (update && find_service(x.c, "default", "foo"))
			step(&x, c, update, val_get(c, "expect"));
		cell_free(&x);
	}
	arena_free(a);
}
