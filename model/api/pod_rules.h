/* Inside of the checks of Pods and Pod templates. They read the document, not the struct: most of what they judge has no effect on the network.
 * Source of all rules: kubernetes pkg/apis/core/validation/validation.go ValidatePodSpec and what it calls. */
#ifndef PODWIRE_POD_RULES_H
#define PODWIRE_POD_RULES_H

#include "model/api/checks.h"
#include "model/api/members.h"

#define VOLUMES_JUDGED 256
struct pod_rules {
	struct check *c;
	const struct val *spec;
	const struct val *claims;               /* of a StatefulSet: each is a volume of its name as well */
	const struct val *meta;                 /* of a Pod that is made or changed; NULL: of a template, or of a Pod that is there already */
	bool is_pod;
	bool host_users;
	int64_t grace;
	bool good_volume[VOLUMES_JUDGED];       /* of the first ones; later ones are good */
};

/* Is it a resource of pages? */
static inline bool huge(const char *resource) { return strncmp(resource, "hugepages-", 10) == 0; }

/* Required if empty. */
bool need(struct check *, const struct val *, const struct path *, const char *key);
/* Unsupported if there and not among the names. */
void need_one_of(struct check *, const struct val *, const struct path *, const char *key, const char *const *names);
/* The same of a field whose empty text is no default: upstream's pointer to a word. */
void need_one_if_set(struct check *, const struct val *, const struct path *, const char *key, const char *const *names);
void need_range(struct check *, const struct val *, const struct path *, const char *key, int64_t lo, int64_t hi);
void must_be_file_mode(struct check *, const struct val *, const struct path *, const char *key);
must_be must_be_descending;                     /* validateLocalDescendingPath */
bool goes_back(const char *path);               /* one of its parts is .. */
must_be must_not_go_back;                       /* validatePathNoBacksteps */
must_be must_be_unreserved;                     /* ValidateLocalNonReservedPath */

void check_pod_resources(struct pod_rules *, const struct path *);               /* check_pod_resources.c */
void check_volumes(struct pod_rules *, const struct path *);
void check_containers(struct pod_rules *, const struct path *spec);
void check_env(struct pod_rules *, const struct val *container, const struct path *);           /* check_env.c */
void check_resources(struct check *, const struct val *, const struct val *claims, const struct path *);
void check_affinity(struct pod_rules *, const struct path *);
void check_node_selector(struct check *, const struct val *, const struct path *);
void check_tolerations(struct check *, const struct val *, const struct path *);
void check_spread(struct pod_rules *, const struct path *);
void check_pod_security(struct pod_rules *, const struct path *);
void check_system(struct check *, const struct val *spec, const struct path *, const char *os);       /* validateWindows, validateLinux */
void check_container_security(struct pod_rules *, const struct val *, const struct path *);
void check_windows_options(struct check *, const struct val *, const struct path *);
void check_host_process(struct pod_rules *, const struct path *spec);                                  /* validateWindowsHostProcessPod */
void check_annotations(struct check *, const struct val *notes, const struct val *spec, const struct path *);
void check_annotations_update(struct check *, const struct val *now, const struct val *old, const struct path *);       /* ValidatePodSpecificAnnotationUpdates */
/* pod: of a Pod that is made, AppArmor's annotation becomes the field of a container that has none (applyAppArmorVersionSkew). */
void check_profiles_agree(struct check *, const struct val *notes, const struct val *spec, const struct path *spec_path, bool pod);
void check_field_ref(struct check *, const struct val *, const struct path *, bool volume);
void check_resource_ref(struct check *, const struct val *, const struct path *, bool volume);

#endif
