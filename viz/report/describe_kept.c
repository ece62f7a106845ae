/* Storage, access, limits, scaling, budgets and classes: kinds of which podwire keeps the document. */
#include <stdlib.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "viz/report/columns.h"
#include "viz/report/describe.h"

static const struct val *doc_of(struct describe *d)
{
	struct row r = { .c = d->c, .o = d->o, .scratch = d->a };

	return row_doc(&r);
}

static const char *text_at(const struct val *v, const char *path)
{
	const char *s = val_str_at(v, path);

	return s ? s : "";
}

/* k=v,k=v as labels.FormatLabels; <none>. */
static const char *pairs_in(struct describe *d, const struct val *map)
{
	struct sb out = { 0 };
	const char *text, *keys[256];
	uint32_t nr = 0;

	VAL_EACH_KEY(m, map)
		if (nr < ARRAY_LEN(keys)) {
			uint32_t k = nr++;

			for (; k && strcmp(keys[k - 1], m->key) > 0; k--)
				keys[k] = keys[k - 1];
			keys[k] = m->key;
		}
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(&out, "%s%s=%s", k ? "," : "", keys[k], val_str(val_get(map, keys[k])) ? val_str(val_get(map, keys[k])) : "");
	text = arena_strdup(d->a, nr ? sb_text(&out) : "<none>");
	sb_free(&out);
	return text;
}

static void say_names(struct describe *d)
{
	say(d, 0, "Name:\t%s", d->o->name);
	if (d->o->ns)
		say(d, 0, "Namespace:\t%s", d->o->ns);
}

static void say_notes(struct describe *d)
{
	say_pairs(d, "Labels", &d->o->labels);
	say_pairs(d, "Annotations", &d->o->annotations);
}

/* ---- storage */

static const char *modes_text(struct describe *d, const struct val *list)
{
	struct sb out = { 0 };
	const char *text;

	access_modes_print(list, &out);
	text = arena_strdup(d->a, out.len ? sb_text(&out) : "");
	sb_free(&out);
	return text;
}

static const char *finalizers(struct describe *d)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < d->o->finalizers.nr; k++)
		sb_printf(&out, "%s%s", k ? " " : "", d->o->finalizers.v[k]);
	text = arena_printf(d->a, "[%s]", out.len ? sb_text(&out) : "");
	sb_free(&out);
	return text;
}

static void say_users(struct describe *d)
{
	struct object_list l = cluster_list_ns(d->c, &pod_kind, d->o->ns);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		for (uint32_t v = 0; v < p->spec->volumes.nr; v++)
			if (streq(p->spec->volumes.v[v].claim, d->o->name)) {
				say(d, 0, "%s\t%s", nr++ ? "" : "Used By:", p->o.name);
				break;
			}
	}
	if (!nr)
		say(d, 0, "Used By:\t<none>");
}

void describe_claim(struct describe *d)
{
	const struct val *v = doc_of(d);
	bool bound = *text_at(v, "spec.volumeName");

	say_names(d);
	say(d, 0, "StorageClass:\t%s", text_at(v, "spec.storageClassName"));
	say(d, 0, "Status:\t%s", d->o->deleted != NEVER ? "Terminating" : text_at(v, "status.phase"));
	say(d, 0, "Volume:\t%s", text_at(v, "spec.volumeName"));
	say_notes(d);
	say(d, 0, "Finalizers:\t%s", finalizers(d));
	say(d, 0, "Capacity:\t%s", bound ? text_at(v, "status.capacity.storage") : "");
	say(d, 0, "Access Modes:\t%s", bound ? modes_text(d, val_path(v, "status.accessModes")) : "");
	say(d, 0, "VolumeMode:\t%s", text_at(v, "spec.volumeMode"));
	say_users(d);
}

static void say_source(struct describe *d, const struct val *spec)
{
	static const struct { const char *key, *title, *fields[4][2]; } rows[] = {
		{ "hostPath", "HostPath (bare host directory volume)", { { "Path", "path" }, { "HostPathType", "type" } } },
		{ "nfs", "NFS (an NFS mount that lasts the lifetime of a pod)", { { "Server", "server" }, { "Path", "path" }, { "ReadOnly", "readOnly" } } },
		{ "local", "LocalVolume (a persistent volume backed by local storage on a node)", { { "Path", "path" } } },
		{ "csi", "CSI (a Container Storage Interface (CSI) volume source)",
		  { { "Driver", "driver" }, { "FSType", "fsType" }, { "VolumeHandle", "volumeHandle" }, { "ReadOnly", "readOnly" } } },
	};

	say(d, 0, "Source:");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const struct val *s = val_get(spec, rows[k].key);

		if (!s)
			continue;
		say(d, 2, "Type:\t%s", rows[k].title);
		for (size_t f = 0; f < 4 && rows[k].fields[f][0]; f++) {
			const struct val *m = val_get(s, rows[k].fields[f][1]);

			if (strcmp(rows[k].fields[f][1], "readOnly") == 0)
				say(d, 2, "%s:\t%s", rows[k].fields[f][0], val_bool_or(m, false) ? "true" : "false");
			else
				say(d, 2, "%s:\t%s", rows[k].fields[f][0], val_str(m) ? val_str(m) : "");
		}
		return;
	}
	say(d, 1, "<unknown>");
}

void describe_volume(struct describe *d)
{
	const struct val *v = doc_of(d), *claim = val_path(v, "spec.claimRef");

	say_names(d);
	say_notes(d);
	say(d, 0, "Finalizers:\t%s", finalizers(d));
	say(d, 0, "StorageClass:\t%s", text_at(v, "spec.storageClassName"));
	say(d, 0, "Status:\t%s", d->o->deleted != NEVER ? "Terminating" : *text_at(v, "status.phase") ? text_at(v, "status.phase") : "Available");
	say(d, 0, "Claim:\t%s%s%s", text_at(claim, "namespace"), claim ? "/" : "", text_at(claim, "name"));
	say(d, 0, "Reclaim Policy:\t%s", text_at(v, "spec.persistentVolumeReclaimPolicy"));
	say(d, 0, "Access Modes:\t%s", modes_text(d, val_path(v, "spec.accessModes")));
	say(d, 0, "VolumeMode:\t%s", text_at(v, "spec.volumeMode"));
	say(d, 0, "Capacity:\t%s", text_at(v, "spec.capacity.storage"));
	if (!val_path(v, "spec.nodeAffinity.required"))
		say(d, 0, "Node Affinity:\t<none>");
	else
		say(d, 0, "Node Affinity:\t");
	if (val_path(v, "spec.nodeAffinity.required")) {
		uint32_t nr = 0;

		say(d, 1, "Required Terms:\t");
		VAL_EACH(term, val_path(v, "spec.nodeAffinity.required.nodeSelectorTerms")) {
			uint32_t i = 0;

			VAL_EACH(e, val_get(term, "matchExpressions")) {
				const char *op = text_at(e, "operator"), *words = strcmp(op, "In") == 0 ? "in" : strcmp(op, "NotIn") == 0 ? "not in" : op;
				const struct val *values = val_get(e, "values");
				struct sb all = { 0 };

				VAL_EACH(x, values)
					sb_printf(&all, "%s%s", all.len ? ", " : "", val_str(x) ? val_str(x) : "");
				say(d, 2, "%s\t%s %s%s%s%s", i++ ? "" : arena_printf(d->a, "Term %u:", nr), text_at(e, "key"), words, values ? " [" : "", sb_text(&all), values ? "]" : "");
				sb_free(&all);
			}
			nr++;
		}
	}
	say(d, 0, "Message:\t%s", text_at(v, "status.message"));
	say_source(d, val_get(v, "spec"));
}

void describe_storage_class(struct describe *d)
{
	const struct val *v = doc_of(d), *expands = val_get(v, "allowVolumeExpansion");
	const char *is_default = label_get(&d->o->annotations, "storageclass.kubernetes.io/is-default-class");

	say_names(d);
	say(d, 0, "IsDefaultClass:\t%s", is_default && strcmp(is_default, "true") == 0 ? "Yes" : "No");
	say(d, 0, "Annotations:\t%s", pairs_text(d, &d->o->annotations));
	say(d, 0, "Provisioner:\t%s", text_at(v, "provisioner"));
	say(d, 0, "Parameters:\t%s", pairs_in(d, val_get(v, "parameters")));
	say(d, 0, "AllowVolumeExpansion:\t%s", !expands ? "<unset>" : val_bool_or(expands, false) ? "True" : "False");
	if (!val_first(val_get(v, "mountOptions")))
		say(d, 0, "MountOptions:\t<none>");
	else
		say(d, 0, "MountOptions:");
	VAL_EACH(m, val_get(v, "mountOptions"))
		say(d, 1, "%s", val_str(m) ? val_str(m) : "");
	say(d, 0, "ReclaimPolicy:\t%s", text_at(v, "reclaimPolicy"));
	say(d, 0, "VolumeBindingMode:\t%s", text_at(v, "volumeBindingMode"));
}

/* ---- access */

void describe_account(struct describe *d)
{
	uint32_t nr = 0;

	say_names(d);
	say_notes(d);
	VAL_EACH(s, val_get(d->o->doc, "imagePullSecrets"))
		say(d, 0, "%s\t%s", nr++ ? "                   " : "Image pull secrets:", text_at(s, "name"));
	if (!nr)
		say(d, 0, "Image pull secrets:\t<none>");
}

/* One group, resource and name, with its verbs; or one URL with one verb (component-helpers/auth/rbac/validation BreakdownRule, CompactRules). */
struct rule { const char *group, *resource, *name, *url; struct sb verbs; };
struct rules { VEC(struct rule) list; };

static struct rule *rule_of(struct describe *d, struct rules *all, const char *group, const char *resource, const char *name)
{
	for (uint32_t k = 0; k < all->list.nr; k++) {
		struct rule *r = &all->list.v[k];

		if (!r->url && strcmp(r->group, group) == 0 && strcmp(r->resource, resource) == 0 && streq(r->name, name))
			return r;
	}
	vec_add(d->a, &all->list, ((struct rule){ group, resource, name, NULL, { 0 } }));
	return &all->list.v[all->list.nr - 1];
}

static void break_down(struct describe *d, struct rules *all, const struct val *rule)
{
	const struct val *names = val_get(rule, "resourceNames");

	VAL_EACH(g, val_get(rule, "apiGroups"))
		VAL_EACH(r, val_get(rule, "resources"))
			VAL_EACH(verb, val_get(rule, "verbs")) {
				const struct val *n = val_first(names);

				do {
					struct rule *to = rule_of(d, all, val_str(g) ? val_str(g) : "", val_str(r) ? val_str(r) : "", val_str(n));

					sb_printf(&to->verbs, "%s%s", to->verbs.len ? " " : "", val_str(verb) ? val_str(verb) : "");
					n = n ? n->next : NULL;
				} while (n);
			}
	VAL_EACH(u, val_get(rule, "nonResourceURLs"))
		VAL_EACH(verb, val_get(rule, "verbs")) {
			struct rule one = { "", "", NULL, val_str(u) ? val_str(u) : "", { 0 } };

			sb_add(&one.verbs, val_str(verb) ? val_str(verb) : "");
			vec_add(d->a, &all->list, one);
		}
}

/* In the order of the texts that Go makes of them: verbs, group, resource, name, URL. */
static int by_text(const void *x, const void *y)
{
	const struct rule *a = x, *b = y;
	const char *of_a[] = { a->verbs.s, a->group, a->resource, a->name, a->url }, *of_b[] = { b->verbs.s, b->group, b->resource, b->name, b->url };
	int n = 0;

	for (size_t k = 0; k < ARRAY_LEN(of_a) && !n; k++) {
		const char *p = of_a[k] ? of_a[k] : "", *q = of_b[k] ? of_b[k] : "";

		while (*p && *p == *q)
			p++, q++;
		n = (*p ? *p : ']') - (*q ? *q : ']');
	}
	return n;
}

void describe_role(struct describe *d)
{
	struct rules all = { 0 };

	say(d, 0, "Name:\t%s", d->o->name);
	say_notes(d);
	VAL_EACH(r, val_get(d->o->doc, "rules"))
		break_down(d, &all, r);
	if (all.list.nr)
		qsort(all.list.v, all.list.nr, sizeof(*all.list.v), by_text);
	say(d, 0, "PolicyRule:");
	say(d, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
	say(d, 1, "---------\t-----------------\t--------------\t-----");
	for (uint32_t k = 0; k < all.list.nr; k++) {
		struct rule *r = &all.list.v[k];
		const char *slash = strchr(r->resource, '/');
		int n = slash ? (int)(slash - r->resource) : (int)strlen(r->resource);

		say(d, 1, "%.*s%s%s%s\t[%s]\t[%s]\t[%s]", n, r->resource, *r->group ? "." : "", r->group, slash ? slash : "", r->url ? r->url : "", r->name ? r->name : "", sb_text(&r->verbs));
		sb_free(&r->verbs);
	}
}

void describe_binding(struct describe *d)
{
	const struct val *v = doc_of(d);

	say(d, 0, "Name:\t%s", d->o->name);
	say_notes(d);
	say(d, 0, "Role:");
	say(d, 1, "Kind:\t%s", text_at(v, "roleRef.kind"));
	say(d, 1, "Name:\t%s", text_at(v, "roleRef.name"));
	say(d, 0, "Subjects:");
	say(d, 1, "Kind\tName\tNamespace");
	say(d, 1, "----\t----\t---------");
	VAL_EACH(s, val_get(v, "subjects"))
		say(d, 1, "%s\t%s\t%s", text_at(s, "kind"), text_at(s, "name"), text_at(s, "namespace"));
}

/* ---- limits and quotas */

static void say_limit_rows(struct describe *d, const struct val *spec, const char *prefix)
{
	static const char *const columns[] = { "min", "max", "defaultRequest", "default", "maxLimitRequestRatio" };

	VAL_EACH(item, val_get(spec, "limits")) {
		const char *done[64];
		uint32_t nr = 0;

		for (size_t k = 0; k < ARRAY_LEN(columns); k++)
			VAL_EACH_KEY(m, val_get(item, columns[k])) {
				uint32_t at = nr;
				bool again = false;

				for (uint32_t i = 0; i < nr; i++)
					again = again || strcmp(done[i], m->key) == 0;
				if (again || nr == ARRAY_LEN(done))
					continue;
				for (; at && strcmp(done[at - 1], m->key) > 0; at--)
					done[at] = done[at - 1];
				done[at] = m->key;
				nr++;
			}
		for (uint32_t i = 0; i < nr; i++) {
			const char *cell[ARRAY_LEN(columns)];

			for (size_t k = 0; k < ARRAY_LEN(columns); k++) {
				const char *s = val_str(val_get(val_get(item, columns[k]), done[i]));

				cell[k] = s ? s : "-";
			}
			say(d, 0, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s", prefix, text_at(item, "type"), done[i], cell[0], cell[1], cell[2], cell[3], cell[4]);
		}
	}
}

#define LIMIT_HEADS "Resource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
#define LIMIT_RULES "--------\t---\t---\t---------------\t-------------\t-----------------------"

void describe_limits(struct describe *d)
{
	say_names(d);
	say(d, 0, "Type\t" LIMIT_HEADS);
	say(d, 0, "----\t" LIMIT_RULES);
	say_limit_rows(d, val_get(doc_of(d), "spec"), "");
}

static void say_scopes(struct describe *d, const struct val *scopes, int level, const char *bullet)
{
	static const struct { const char *scope, *help; } rows[] = {
		{ "BestEffort", "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service." },
		{ "NotBestEffort", "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service." },
		{ "NotTerminating", "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate." },
		{ "Terminating", "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system." },
	};
	const char *names[16];
	struct sb all = { 0 };
	uint32_t nr = 0;

	VAL_EACH(m, scopes)
		if (val_str(m) && nr < ARRAY_LEN(names)) {
			uint32_t k = nr++;

			for (; k && strcmp(names[k - 1], val_str(m)) > 0; k--)
				names[k] = names[k - 1];
			names[k] = val_str(m);
		}
	if (!nr)
		return;
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(&all, "%s%s", k ? ", " : "", names[k]);
	say(d, level, "Scopes:\t%s", sb_text(&all));
	sb_free(&all);
	for (uint32_t k = 0; k < nr; k++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (strcmp(rows[i].scope, names[k]) == 0)
				say(d, level, "%s%s", bullet, rows[i].help);
}

static void say_used(struct describe *d, const struct val *v, int level, const char *rule)
{
	const struct val *hard = val_path(v, "status.hard");
	const char *names[128];
	uint32_t nr = 0;

	say(d, level, "Resource\tUsed\tHard");
	say(d, level, "--------\t%s\t%s", rule, rule);
	VAL_EACH_KEY(m, hard)
		if (nr < ARRAY_LEN(names)) {
			uint32_t k = nr++;

			for (; k && strcmp(names[k - 1], m->key) > 0; k--)
				names[k] = names[k - 1];
			names[k] = m->key;
		}
	for (uint32_t k = 0; k < nr; k++) {
		const char *used = val_str(val_get(val_path(v, "status.used"), names[k])), *most = val_str(val_get(hard, names[k]));

		say(d, level, "%s\t%s\t%s", names[k], used ? used : "0", most ? most : "");
	}
}

void describe_quota(struct describe *d)
{
	const struct val *v = doc_of(d);

	say_names(d);
	say_scopes(d, val_path(v, "spec.scopes"), 0, " * ");
	say_used(d, v, 0, "----");
}

void describe_namespace(struct describe *d)
{
	const char *phase = ((const struct namespace_ *)d->o)->phase;
	struct object_list quotas = cluster_list_ns(d->c, &quota_kind, d->o->name), limits = cluster_list_ns(d->c, &limit_range_kind, d->o->name);

	say(d, 0, "Status:\t%s", d->o->deleted != NEVER ? "Terminating" : phase ? phase : "Active");
	say(d, 0, "%s", "");
	say(d, 0, quotas.nr ? "Resource Quotas" : "No resource quota.");
	for (uint32_t k = 0; k < quotas.nr; k++) {
		struct describe one = { d->c, quotas.v[k], d->a, d->raw };
		const struct val *v = doc_of(&one);

		say(d, 1, "Name:\t%s", quotas.v[k]->name);
		say_scopes(d, val_path(v, "spec.scopes"), 1, "* ");
		say_used(d, v, 1, "---");
	}
	say(d, 0, "%s", "");
	if (!limits.nr) {
		say(d, 0, "No LimitRange resource.");
		return;
	}
	say(d, 0, "Resource Limits");
	say(d, 0, " Type\t" LIMIT_HEADS);
	say(d, 0, " ----\t" LIMIT_RULES);
	for (uint32_t k = 0; k < limits.nr; k++) {
		struct describe one = { d->c, limits.v[k], d->a, d->raw };

		say_limit_rows(d, val_get(doc_of(&one), "spec"), " ");
	}
}

/* ---- scaling, budgets, classes */

static void say_metric(struct describe *d, const struct val *m)
{
	const char *type = text_at(m, "type");
	const struct val *r = val_get(m, strcmp(type, "ContainerResource") == 0 ? "containerResource" : "resource"), *target = val_get(r, "target");
	const struct val *percent = val_get(target, "averageUtilization");

	if (strcmp(type, "Resource") == 0 || strcmp(type, "ContainerResource") == 0) {
		const char *what = strcmp(type, "Resource") == 0 ? arena_printf(d->a, "resource %s on pods", text_at(r, "name"))
								 : arena_printf(d->a, "resource %s of container \"%s\" on pods", text_at(r, "name"), text_at(r, "container"));

		if (val_get(target, "averageValue"))
			say(d, 1, "%s:\t<unknown> / %s", what, text_at(target, "averageValue"));
		else
			say(d, 1, "%s  (as a percentage of request):\t<unknown> / %s", what, percent ? arena_printf(d->a, "%" PRId64 "%%", val_int_or(percent, 0)) : "<auto>");
	} else if (strcmp(type, "Pods") == 0) {
		say(d, 1, "\"%s\" on pods:\t<unknown> / %s", text_at(m, "pods.metric.name"), text_at(m, "pods.target.averageValue"));
	} else if (strcmp(type, "External") == 0) {
		bool average = val_path(m, "external.target.averageValue") != NULL;

		say(d, 1, "\"%s\" (target %svalue):\t<unknown> / %s", text_at(m, "external.metric.name"), average ? "average " : "",
		    text_at(m, average ? "external.target.averageValue" : "external.target.value"));
	} else if (strcmp(type, "Object") == 0) {
		bool average = strcmp(text_at(m, "object.target.type"), "AverageValue") == 0;

		say(d, 1, "\"%s\" on %s/%s (target %svalue):\t<unknown> / %s", text_at(m, "object.metric.name"), text_at(m, "object.describedObject.kind"), text_at(m, "object.describedObject.name"),
		    average ? "average " : "", text_at(m, average ? "object.target.averageValue" : "object.target.value"));
	} else {
		say(d, 1, "<unknown metric type \"%s\">", type);
	}
}

static void say_scaling(struct describe *d, const char *title, const struct val *rules)
{
	const struct val *window = val_get(rules, "stabilizationWindowSeconds");

	if (!rules)
		return;
	say(d, 1, "%s:", title);
	if (window)
		say(d, 2, "Stabilization Window: %" PRId64 " seconds", val_int_or(window, 0));
	if (!val_first(val_get(rules, "policies")))
		return;
	say(d, 2, "Select Policy: %s", *text_at(rules, "selectPolicy") ? text_at(rules, "selectPolicy") : "Max");
	say(d, 2, "Policies:");
	VAL_EACH(p, val_get(rules, "policies"))
		say(d, 3, "- Type: %s\tValue: %" PRId64 "\tPeriod: %" PRId64 " seconds", text_at(p, "type"), val_int_or(val_get(p, "value"), 0), val_int_or(val_get(p, "periodSeconds"), 0));
}

void describe_autoscaler(struct describe *d)
{
	const struct val *v = doc_of(d);

	say_names(d);
	say_notes(d);
	say(d, 0, "CreationTimestamp:\t%s", time_1123(d, d->o->created));
	say(d, 0, "Reference:\t%s/%s", text_at(v, "spec.scaleTargetRef.kind"), text_at(v, "spec.scaleTargetRef.name"));
	say(d, 0, "Metrics:\t( current / target )");
	VAL_EACH(m, val_path(v, "spec.metrics"))
		say_metric(d, m);
	say(d, 0, "Min replicas:\t%" PRId64, val_int_or(val_path(v, "spec.minReplicas"), 1));
	say(d, 0, "Max replicas:\t%" PRId64, val_int_or(val_path(v, "spec.maxReplicas"), 0));
	if (val_path(v, "spec.behavior")) {
		say(d, 0, "Behavior:");
		say_scaling(d, "Scale Up", val_path(v, "spec.behavior.scaleUp"));
		say_scaling(d, "Scale Down", val_path(v, "spec.behavior.scaleDown"));
	}
	say(d, 0, "%s pods:\t%" PRId64 " current / %" PRId64 " desired", text_at(v, "spec.scaleTargetRef.kind"), val_int_or(val_path(v, "status.currentReplicas"), 0),
	    val_int_or(val_path(v, "status.desiredReplicas"), 0));
	if (!val_first(val_path(v, "status.conditions")))
		return;
	say(d, 0, "Conditions:");
	say(d, 1, "Type\tStatus\tReason\tMessage");
	say(d, 1, "----\t------\t------\t-------");
	VAL_EACH(c, val_path(v, "status.conditions"))
		say(d, 1, "%s\t%s\t%s\t%s", text_at(c, "type"), text_at(c, "status"), text_at(c, "reason"), text_at(c, "message"));
}

static void say_raw_selector(struct describe *d, const char *title, const struct val *v)
{
	struct selector s = { 0 };
	struct err none = { 0 };
	struct decode dec = { .strings = cluster_strings(d->c), .arena = d->a, .unknown = VALIDATE_IGNORE, .object = "", .err = &none };

	if (v && fields_decode(&dec, selector_fields, v, "", &s))
		say_selector(d, title, &s);
	else
		say(d, 0, "%s:\t<unset>", title);
	err_free(&none);
}

void describe_budget(struct describe *d)
{
	const struct val *v = doc_of(d), *least = val_path(v, "spec.minAvailable"), *most = val_path(v, "spec.maxUnavailable"), *amount = least ? least : most;
	static const struct { const char *title, *path; } rows[] = {
		{ "Allowed disruptions", "status.disruptionsAllowed" }, { "Current", "status.currentHealthy" }, { "Desired", "status.desiredHealthy" }, { "Total", "status.expectedPods" },
	};

	say_names(d);
	if (amount)
		say(d, 0, "%s:\t%s", least ? "Min available" : "Max unavailable", val_str(amount) ? val_str(amount) : arena_printf(d->a, "%" PRId64, val_int_or(amount, 0)));
	say_raw_selector(d, "Selector", val_path(v, "spec.selector"));
	say(d, 0, "Status:");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		say(d, 2, "%s:\t%" PRId64, rows[k].title, val_int_or(val_path(v, rows[k].path), 0));
}

void describe_priority_class(struct describe *d)
{
	const struct val *v = doc_of(d);

	say_names(d);
	say(d, 0, "Value:\t%" PRId64, val_int_or(val_get(v, "value"), 0));
	say(d, 0, "GlobalDefault:\t%s", val_bool_or(val_get(v, "globalDefault"), false) ? "true" : "false");
	say(d, 0, "PreemptionPolicy:\t%s", *text_at(v, "preemptionPolicy") ? text_at(v, "preemptionPolicy") : "PreemptLowerPriority");
	say(d, 0, "Description:\t%s", text_at(v, "description"));
	say(d, 0, "Annotations:\t%s", pairs_text(d, &d->o->annotations));
}

void describe_ingress_class(struct describe *d)
{
	const struct val *v = doc_of(d), *p = val_path(v, "spec.parameters");

	say_names(d);
	say_notes(d);
	say(d, 0, "Controller:\t%s", text_at(v, "spec.controller"));
	if (!p)
		return;
	say(d, 0, "Parameters:");
	if (val_get(p, "apiGroup"))
		say(d, 1, "APIGroup:\t%s", text_at(p, "apiGroup"));
	say(d, 1, "Kind:\t%s", text_at(p, "kind"));
	say(d, 1, "Name:\t%s", text_at(p, "name"));
}

void describe_service_cidr(struct describe *d)
{
	const struct val *v = doc_of(d);
	struct sb all = { 0 };

	say_names(d);
	say_notes(d);
	VAL_EACH(c, val_path(v, "spec.cidrs"))
		sb_printf(&all, "%s%s", all.len ? ", " : "", val_str(c) ? val_str(c) : "");
	say(d, 0, "CIDRs:\t%s", all.len ? sb_text(&all) : "");
	sb_free(&all);
	if (!val_first(val_path(v, "status.conditions")))
		return;
	say(d, 0, "Status:");
	say(d, 0, "Conditions:");
	say(d, 1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
	say(d, 1, "----\t------\t------------------\t------\t-------");
	VAL_EACH(c, val_path(v, "status.conditions")) {
		nsec at = NEVER;

		time_parse(text_at(c, "lastTransitionTime"), &at);
		say(d, 1, "%s\t%s\t%s\t%s\t%s", text_at(c, "type"), text_at(c, "status"), time_1123(d, at), text_at(c, "reason"), text_at(c, "message"));
	}
}

void describe_ip_address(struct describe *d)
{
	const struct val *p = val_path(d->o->doc, "spec.parentRef");

	say_names(d);
	say_notes(d);
	if (!p)
		return;
	say(d, 0, "Parent Reference:");
	say(d, 1, "Group:\t%s", text_at(p, "group"));
	say(d, 1, "Resource:\t%s", text_at(p, "resource"));
	say(d, 1, "Namespace:\t%s", text_at(p, "namespace"));
	say(d, 1, "Name:\t%s", text_at(p, "name"));
}
