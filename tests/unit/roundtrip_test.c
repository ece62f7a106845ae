/* What get -o yaml prints of a whole cluster can be applied again: nothing that podwire makes is refused by podwire. */
#include "tests/unit/cell.h"

TEST(what_is_printed_can_be_applied)
{
	struct cell x = cell_new(1), y = cell_new(1);
	uint32_t nr = 0;

	defaults_add(x.c);
	cell_apply(&x, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
		       "spec: {containers: [{name: c, image: nginx}]}}}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n");
	cell_settle(&x);
	for (uint32_t p = 0; cluster_pool_kind(x.c, p); p++) {
		struct object_list l = cluster_list(x.c, cluster_pool_kind(x.c, p));

		for (uint32_t k = 0; k < l.nr; k++) {
			CU_ASSERT(cell_doc(&y, object_render(x.c, l.v[k], x.a)) != APPLY_ERROR);
			nr++;
		}
	}
	if (err_any(&y.err))
		err_print(&y.err, stderr);
	CU_ASSERT(nr > 20);
	cell_free(&x);
	cell_free(&y);
}
