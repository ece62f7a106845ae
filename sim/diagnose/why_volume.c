/* Why a claim has no volume: its class, and each volume that nearly would do. */
#include "model/base/quantity.h"
#include "model/control/volumes.h"
#include "sim/diagnose/diagnose.h"

static const char *text_at(const struct object *o, const char *path, const char *dflt)
{
	const char *s = val_str_at(o->doc, path);

	return s ? s : dflt;
}

static int64_t storage(const struct object *o, const char *path)
{
	int64_t milli = 0;

	quantity_of(val_path(o->doc, path), &milli);
	return milli;
}

/* Why not this one? NULL: it is of another class. */
static const char *why_not(struct diagnosis *d, const struct object *claim, const struct object *volume)
{
	const char *holder = text_at(volume, "spec.claimRef.name", NULL), *mode = volume_lacks_mode(volume, claim);

	if (!streq(volume_class(claim), volume_class(volume)))
		return NULL;
	if (holder && !(streq(holder, claim->name) && streq(text_at(volume, "spec.claimRef.namespace", ""), claim->ns)))
		return arena_printf(d->arena, "%s by %s/%s", streq(text_at(volume, "status.phase", ""), "Released") ? "was used" : "is taken", text_at(volume, "spec.claimRef.namespace", ""), holder);
	if (mode)
		return arena_printf(d->arena, "does not have %s", mode);
	if (storage(volume, "spec.capacity.storage") < storage(claim, "spec.resources.requests.storage"))
		return "is too small";
	if (!streq(text_at(claim, "spec.volumeMode", "Filesystem"), text_at(volume, "spec.volumeMode", "Filesystem")))
		return "has another volumeMode";
	if (val_path(claim->doc, "spec.selector"))
		return "is not selected by its labels, or not reachable";
	return "cannot be reached from a node that would do";
}

void why_claim(struct diagnosis *d, const struct object *claim)
{
	struct object_list volumes = cluster_list(d->world->cluster, &pv_kind), classes = cluster_list(d->world->cluster, &storage_class_kind);
	const char *class = volume_class(claim);
	const struct object *sc = *class ? cluster_find(d->world->cluster, &storage_class_kind, NULL, class) : NULL;
	static const char *const reasons[] = { "ProvisioningFailed", "FailedBinding", "WaitForFirstConsumer", "ExternalProvisioning" };
	struct finding *f;

	if (streq(text_at(claim, "status.phase", ""), "Bound"))
		return;
	if (!volumes_matter(d->world->cluster)) {
		f = finding(d, FINDING_NOTE, "claim-assumed", "nothing is told of StorageClasses and PersistentVolumes here: the cluster is taken to have what claim %s asks for", claim->name);
		evidence(d, f, claim, "spec.storageClassName", *class ? class : "(absent)");
		remedy(d, f, "give podwire what kubectl get storageclass,pv -o yaml prints, and it says whether that is so");
		return;
	}
	if (sc && streq(val_str_at(sc->doc, "volumeBindingMode"), "WaitForFirstConsumer"))
		f = finding(d, FINDING_NOTE, "claim-waits", "claim %s waits for a Pod that uses it: its class binds with the first consumer", claim->name);
	else if (*class && !sc)
		f = finding(d, FINDING_CAUSE, "claim-unbound", "claim %s is not bound: there is no StorageClass \"%s\", and no volume of that class that would do", claim->name, class);
	else if (!*class)
		f = finding(d, FINDING_CAUSE, "claim-unbound", "claim %s is not bound: it names no class, none is the default, and no volume without a class would do", claim->name);
	else
		f = finding(d, FINDING_CAUSE, "claim-unbound", "claim %s is not bound: nobody makes volumes of class %s, and none that is there would do", claim->name, class);
	evidence(d, f, claim, "spec.storageClassName", *class ? class : "(absent)");
	evidence(d, f, claim, "spec.accessModes", NULL);
	evidence(d, f, claim, "spec.resources.requests.storage", NULL);
	for (uint32_t k = 0; k < volumes.nr && f->evidence.nr < 8; k++) {
		const char *why = why_not(d, claim, volumes.v[k]);

		if (why)
			evidence(d, f, volumes.v[k], "spec", why);
	}
	for (size_t k = 0; k < ARRAY_LEN(reasons); k++) {
		const struct event *e = event_of(d->world->cluster, claim, reasons[k]);

		if (e) {
			evidence_event(d, f, claim, e);
			break;
		}
	}
	if (f->severity == FINDING_CAUSE) {
		const char **names = arena_array(d->arena, const char *, classes.nr + 1);

		for (uint32_t k = 0; k < classes.nr; k++)
			names[k] = classes.v[k]->name;
		remedy(d, f, *class && !sc && nearest(class, names) ? "perhaps class \"%s\" was meant; a claim's class cannot be changed: delete it and apply it again" :
		       "make a PersistentVolume that has the access modes, the size and the class, or a StorageClass with a provisioner%.0s", *class && nearest(class, names) ? nearest(class, names) : "");
	}
}
