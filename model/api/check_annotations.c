/* Annotations of Pods and Pod templates that mean something: ValidatePodSpecificAnnotations, and whether those of old say the same as the fields that took
 * their place (validateSeccompAnnotationsAndFields, validateAppArmorAnnotationsAndFieldsMatchOnCreate). */
#include <stdlib.h>

#include "model/api/pod_rules.h"

static const char mirror[] = "kubernetes.io/config.mirror", cost_key[] = "controller.kubernetes.io/pod-deletion-cost";
static const char armor[] = "container.apparmor.security.beta.kubernetes.io/";
static const char seccomp_pod[] = "seccomp.security.alpha.kubernetes.io/pod", seccomp_container[] = "container.seccomp.security.alpha.kubernetes.io/";
static const char *const container_lists[] = { "initContainers", "containers", "ephemeralContainers" };

/* What follows the prefix, or NULL. */
static const char *after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static bool has_container(const struct val *spec, const char *name)
{
	for (size_t k = 0; k < ARRAY_LEN(container_lists); k++)
		VAL_EACH(v, val_get(spec, container_lists[k]))
			if (strcmp(text_of(v, "name"), name) == 0)
				return true;
	return false;
}

static bool is_standard(const char *s)
{
	return strcmp(s, "runtime/default") == 0 || strcmp(s, "unconfined") == 0;
}

/* ValidateSeccompProfile */
static void check_seccomp(struct check *c, const struct path *p, const char *s)
{
	const char *local = after(s, "localhost/");

	if (local)
		must_be_descending(c, p, local);
	else if (!is_standard(s) && strcmp(s, "docker/default") != 0)
		refuse_str(c, p, s, "must be a valid seccomp profile");
}

static void check_cost(struct check *c, const struct path *p, const char *cost)
{
	char *end;
	long long n = strtoll(cost, &end, 10);

	if (*end || n < INT32_MIN || n > INT32_MAX || (cost[0] == '0' && cost[1]) || cost[0] == '+')
		refuse_str(c, ENTRY(p, cost_key), cost, "must be a 32bit integer");
}

void check_annotations(struct check *c, const struct val *notes, const struct val *spec, const struct path *p)
{
	if (has(notes, mirror) && !*text_of(spec, "nodeName"))
		refuse_str(c, ENTRY(p, mirror), text_of(notes, mirror), "must set spec.nodeName if mirror pod annotation is set");
	if (*text_of(notes, cost_key))
		check_cost(c, p, text_of(notes, cost_key));
	VAL_EACH(m, notes) {
		const char *s = val_str(m) ? val_str(m) : "", *confined = after(m->key, armor);

		if (strcmp(m->key, seccomp_pod) == 0 || after(m->key, seccomp_container))
			check_seccomp(c, SUB(p, m->key), s);
		if (confined && !has_container(spec, confined))
			refuse_str(c, ENTRY(p, m->key), confined, "container not found");
		if (confined && *s && !is_standard(s) && !after(s, "localhost/"))
			refuse_str(c, ENTRY(p, m->key), s, "invalid AppArmor profile name: \"%s\"", s);
	}
}

void check_annotations_update(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	VAL_EACH(m, old) {
		if (val_equal(m, val_get(now, m->key)))
			continue;
		if (after(m->key, armor))
			refuse_forbidden(c, ENTRY(p, m->key), "may not remove or update AppArmor annotations");
		if (strcmp(m->key, mirror) == 0)
			refuse_forbidden(c, ENTRY(p, m->key), "may not remove or update mirror pod annotation");
	}
	VAL_EACH(m, now) {
		if (has(old, m->key))
			continue;
		if (after(m->key, armor))
			refuse_forbidden(c, ENTRY(p, m->key), "may not add AppArmor annotations");
		if (strcmp(m->key, mirror) == 0)
			refuse_forbidden(c, ENTRY(p, m->key), "may not add mirror pod annotation");
	}
}

/* ---- annotations and fields */

/* note: NULL: there is none, and nothing is said. */
static void check_agreement(struct check *c, const struct val *profile, const struct val *note, const struct path *p, const char *what)
{
	const char *type = text_of(profile, "type"), *s = val_str(note), *local = s ? after(s, "localhost/") : NULL;
	bool agree = true;

	if (!s)
		return;
	if (strcmp(type, "Unconfined") == 0)
		agree = strcmp(s, "unconfined") == 0;
	else if (strcmp(type, "RuntimeDefault") == 0)
		agree = strcmp(s, "runtime/default") == 0 || (strcmp(what, "seccomp") == 0 && strcmp(s, "docker/default") == 0);
	else if (strcmp(type, "Localhost") == 0)
		agree = local != NULL;
	if (!agree)
		refuse_forbidden(c, SUB(p, "type"), "%s type in annotation and field must match", what);
	else if (strcmp(type, "Localhost") == 0 && (!has(profile, "localhostProfile") || strcmp(local, text_of(profile, "localhostProfile")) != 0))
		refuse_forbidden(c, SUB(p, "localhostProfile"), "%s profile in annotation and field must match", what);
}

static const struct val *note_of(const struct val *notes, const char *prefix, const struct val *container)
{
	VAL_EACH(m, notes)
		if (after(m->key, prefix) && strcmp(after(m->key, prefix), text_of(container, "name")) == 0)
			return m;
	return NULL;
}

/* ApparmorFieldForAnnotation makes a field of it. */
static bool becomes_field(const struct val *note)
{
	const char *s = val_str(note), *local = s ? after(s, "localhost/") : NULL;

	return s && (is_standard(s) || (local && *local));
}

void check_profiles_agree(struct check *c, const struct val *notes, const struct val *spec, const struct path *p, bool pod)
{
	const struct val *context = val_get(spec, "securityContext"), *of_pod = val_get(context, "appArmorProfile");
	bool windows = strcmp(text_of(val_get(spec, "os"), "name"), "windows") == 0;

	check_agreement(c, val_get(context, "seccompProfile"), val_get(notes, seccomp_pod), SUB(p, "securityContext.seccompProfile"), "seccomp");
	for (size_t k = 0; k < ARRAY_LEN(container_lists); k++) {
		uint32_t i = 0;

		VAL_EACH(v, val_get(spec, container_lists[k])) {
			const struct path *at = SUB(ITEM(SUB(p, container_lists[k]), i++), "securityContext");
			const struct val *own = val_get(v, "securityContext"), *note = note_of(notes, armor, v);
			bool itself = has(own, "appArmorProfile");

			check_agreement(c, val_get(own, "seccompProfile"), note_of(notes, seccomp_container, v), SUB(at, "seccompProfile"), "seccomp");
			if (!windows && (itself || !pod || !becomes_field(note)))
				check_agreement(c, itself ? val_get(own, "appArmorProfile") : of_pod, note, SUB(at, "appArmorProfile"), "apparmor");
		}
	}
}
