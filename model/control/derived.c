#include "model/control/derived.h"

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/control/disruption.h"
#include "model/control/quota.h"

static bool counts_bytes(const char *resource)
{
	return strstr(resource, "memory") || strstr(resource, "storage") || strstr(resource, "hugepages");
}

/* pkg/controller/resourcequota: hard as the spec has it; used of what podwire can count. */
static void quota_status(struct cluster *c, const struct object *o, struct arena *a, struct val *doc)
{
	const struct val *hard = val_path(doc, "spec.hard");
	struct val *status = val_put(a, doc, "status", val_new(a, VAL_MAP)), *used;

	if (!hard)
		return;
	val_put(a, status, "hard", val_copy(a, hard));
	used = val_put(a, status, "used", val_new(a, VAL_MAP));
	VAL_EACH_KEY(m, hard) {
		int64_t n = quota_used(c, o, m->key);
		char text[32];

		val_put(a, used, m->key, val_string(a, quantity_text(MAX(n, 0), counts_bytes(m->key), text)));
	}
}

/* pkg/controller/disruption updatePdbStatus */
static void budget_status(struct cluster *c, const struct object *o, struct arena *a, struct val *doc)
{
	struct budget b = budget_of(c, o, a);
	struct val *status = val_put(a, doc, "status", val_new(a, VAL_MAP)), *v;
	char time[32];

	v = val_add(a, val_put(a, status, "conditions", val_new(a, VAL_LIST)), val_new(a, VAL_MAP));
	val_put(a, v, "lastTransitionTime", val_string(a, time_text(o->created, time)));
	val_put(a, v, "message", val_string(a, ""));
	val_put(a, v, "observedGeneration", val_int(a, o->generation));
	val_put(a, v, "reason", val_string(a, b.allowed ? "SufficientPods" : "InsufficientPods"));
	val_put(a, v, "status", val_string(a, b.allowed ? "True" : "False"));
	val_put(a, v, "type", val_string(a, "DisruptionAllowed"));
	val_put(a, status, "currentHealthy", val_int(a, b.healthy));
	val_put(a, status, "desiredHealthy", val_int(a, b.desired));
	val_put(a, status, "disruptionsAllowed", val_int(a, b.allowed));
	val_put(a, status, "expectedPods", val_int(a, b.expected));
	val_put(a, status, "observedGeneration", val_int(a, o->generation));
}

void derived_status(struct cluster *c, const struct object *o, struct arena *a, struct val *doc)
{
	if (val_get(doc, "status"))
		return;
	if (o->kind == &quota_kind)
		quota_status(c, o, a, doc);
	else if (o->kind == &pdb_kind)
		budget_status(c, o, a, doc);
}
