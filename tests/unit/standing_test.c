/* What every cluster has and is made when somebody asks for it. */
#include "model/api/kept.h"
#include "model/api/net.h"
#include "model/control/standing.h"
#include "model/l7/controllers.h"
#include "tests/unit/cell.h"

TEST(every_namespace_has_its_account_and_ca)
{
	struct cell x = cell_new(1);
	struct config_map *ca;

	defaults_add(x.c);
	standing_add(x.c, &service_account_kind, "default");
	CU_ASSERT_EQUAL(cluster_count(x.c, &service_account_kind), 1);
	standing_add(x.c, &service_account_kind, NULL);
	standing_add(x.c, &service_account_kind, NULL);
	CU_ASSERT_EQUAL(cluster_count(x.c, &service_account_kind), cluster_count(x.c, &namespace_kind));
	standing_add(x.c, &config_map_kind, "default");
	ca = (struct config_map *)cluster_find(x.c, &config_map_kind, "default", "kube-root-ca.crt");
	CU_ASSERT(ca && label_get(&ca->data, "ca.crt"));
	cell_free(&x);
}

TEST(service_addresses_have_objects)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: 10.96.3.3, ports: [{port: 80}]}\n---\n"
		       "apiVersion: v1\nkind: Service\nmetadata: {name: h}\nspec: {clusterIP: None, ports: [{port: 80}]}\n");
	standing_add(x.c, &ip_address_kind, NULL);
	standing_add(x.c, &service_cidr_kind, NULL);
	CU_ASSERT_EQUAL(cluster_count(x.c, &ip_address_kind), 3);
	SAME_TEXT(val_str_at(cluster_find(x.c, &ip_address_kind, NULL, "10.96.3.3")->doc, "spec.parentRef.name"), "s");
	SAME_TEXT(((const struct service_cidr *)cluster_find(x.c, &service_cidr_kind, NULL, "kubernetes"))->cidrs.v[0], "10.96.0.0/16");
	cell_free(&x);
}

TEST(what_was_taken_from_elsewhere_has_no_more_than_it_told)
{
	struct cell x = cell_new(1);

	cluster_flags(x.c)->no_defaults = true;
	cell_apply(&x, "apiVersion: v1\nkind: Service\nmetadata: {name: kubernetes}\nspec: {clusterIP: 10.96.0.1, ports: [{port: 443}]}\n");
	standing_add(x.c, &priority_class_kind, NULL);
	standing_add(x.c, &service_account_kind, NULL);
	CU_ASSERT_EQUAL(cluster_count(x.c, &priority_class_kind) + cluster_count(x.c, &service_account_kind), 0);
	cell_free(&x);
}

/* A redacted dump tells of containers without an image: nobody's, and no controller's. */
TEST(a_container_of_which_no_image_is_told_is_no_controller)
{
	struct cell x = cell_new(1);
	uint32_t nr;

	x.lax = true;
	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {istio: ingressgateway}}\nspec: {containers: [{name: c}]}\n");
	controllers_list(x.c, x.a, &nr);
	CU_ASSERT_EQUAL(nr, 0);
	cell_free(&x);
}
