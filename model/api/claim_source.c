/* EnforceDataSourceBackwardsCompatibility, DropDisabledFields and NormalizeDataSources of pkg/api/persistentvolumeclaim/util.go. */
#include <string.h>

#include "model/api/claim_source.h"

static const char *text(const struct val *v, const char *key)
{
	const char *s = val_str(val_get(v, key));

	return s ? s : "";
}

static bool there(const struct val *v, const char *key)
{
	const struct val *m = val_get(v, key);

	return m && m->type != VAL_NULL;
}

static bool claim_or_snapshot(const struct val *v)
{
	return (strcmp(text(v, "kind"), "PersistentVolumeClaim") == 0 && !*text(v, "apiGroup")) ||
	       (strcmp(text(v, "kind"), "VolumeSnapshot") == 0 && strcmp(text(v, "apiGroup"), "snapshot.storage.k8s.io") == 0);
}

void claim_drop_source(struct val *spec, const struct val *was)
{
	if (*text(val_get(spec, "dataSourceRef"), "namespace") && !there(was, "dataSourceRef"))
		val_del(spec, "dataSourceRef");
	if (there(was, "dataSource") || there(was, "dataSourceRef") || there(spec, "dataSourceRef"))
		return;
	if (there(spec, "dataSource") && !claim_or_snapshot(val_get(spec, "dataSource")))
		val_del(spec, "dataSource");
}

void claim_twin_source(struct arena *a, struct val *spec)
{
	const struct val *source = val_get(spec, "dataSource"), *ref = val_get(spec, "dataSourceRef");

	if (there(spec, "dataSource") && !there(spec, "dataSourceRef"))
		val_put(a, spec, "dataSourceRef", val_copy(a, source));
	else if (there(spec, "dataSourceRef") && !there(spec, "dataSource") && !*text(ref, "namespace"))
		val_put(a, spec, "dataSource", val_copy(a, ref));
}
