/* EnforceDataSourceBackwardsCompatibility, DropDisabledFields and NormalizeDataSources of pkg/api/persistentvolumeclaim/util.go. */
#include <string.h>

#include "model/api/claim_source.h"
#include "model/api/members.h"

static bool claim_or_snapshot(const struct val *v)
{
	return (strcmp(text_of(v, "kind"), "PersistentVolumeClaim") == 0 && !*text_of(v, "apiGroup")) ||
	       (strcmp(text_of(v, "kind"), "VolumeSnapshot") == 0 && strcmp(text_of(v, "apiGroup"), "snapshot.storage.k8s.io") == 0);
}

void claim_drop_source(struct val *spec, const struct val *was)
{
	if (*text_of(val_get(spec, "dataSourceRef"), "namespace") && !has(was, "dataSourceRef"))
		val_del(spec, "dataSourceRef");
	if (has(was, "dataSource") || has(was, "dataSourceRef") || has(spec, "dataSourceRef"))
		return;
	if (has(spec, "dataSource") && !claim_or_snapshot(val_get(spec, "dataSource")))
		val_del(spec, "dataSource");
}

void claim_twin_source(struct arena *a, struct val *spec)
{
	const struct val *source = val_get(spec, "dataSource"), *ref = val_get(spec, "dataSourceRef");

	if (has(spec, "dataSource") && !has(spec, "dataSourceRef"))
		val_put(a, spec, "dataSourceRef", val_copy(a, source));
	else if (has(spec, "dataSourceRef") && !has(spec, "dataSource") && !*text_of(ref, "namespace"))
		val_put(a, spec, "dataSource", val_copy(a, ref));
}
