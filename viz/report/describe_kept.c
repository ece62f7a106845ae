/* Limits, quotas, scaling, budgets and classes: kinds of which podwire keeps the document. */
#include <stdlib.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "viz/report/columns.h"
#include "viz/report/describing.h"

const struct val *describing_doc(struct describe *d)
{
	struct row r = { .c = d->c, .o = d->o, .scratch = d->a };

	return row_doc(&r);
}

void describing_names(struct describe *d)
{
	say(d, 0, "Name:\t%s", d->o->name);
	if (d->o->ns)
		say(d, 0, "Namespace:\t%s", d->o->ns);
}

void describing_notes(struct describe *d)
{
	say_pairs(d, "Labels", &d->o->labels);
	say_pairs(d, "Annotations", &d->o->annotations);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct texts_found sorted(struct texts_found t)
{
	if (t.nr)
		qsort(t.v, t.nr, sizeof(*t.v), by_bytes);
	return t;
}

struct texts_found describing_keys(struct describe *d, const struct val *map)
{
	struct texts_found t = { .v = arena_array(d->a, const char *, map ? map->nr : 0) };

	VAL_EACH_KEY(m, map)
		t.v[t.nr++] = m->key;
	return sorted(t);
}

/* ---- limits and quotas */

static void say_limit_rows(struct describe *d, const struct val *spec, const char *prefix)
{
	static const char *const columns[] = { "min", "max", "defaultRequest", "default", "maxLimitRequestRatio" };

	VAL_EACH(item, val_get(spec, "limits")) {
		struct val *all = val_new(d->a, VAL_MAP);
		struct texts_found names;

		for (size_t k = 0; k < ARRAY_LEN(columns); k++)
			VAL_EACH_KEY(m, val_get(item, columns[k]))
				val_put(d->a, all, m->key, val_new(d->a, VAL_NULL));
		names = describing_keys(d, all);
		for (uint32_t i = 0; i < names.nr; i++) {
			const char *cell[ARRAY_LEN(columns)];

			for (size_t k = 0; k < ARRAY_LEN(columns); k++) {
				const char *s = val_str(val_get(val_get(item, columns[k]), names.v[i]));

				cell[k] = s ? s : "-";
			}
			say(d, 0, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s", prefix, text_at(item, "type"), names.v[i], cell[0], cell[1], cell[2], cell[3], cell[4]);
		}
	}
}

#define LIMIT_HEADS "Resource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
#define LIMIT_RULES "--------\t---\t---\t---------------\t-------------\t-----------------------"

void describe_limits(struct describe *d)
{
	describing_names(d);
	say(d, 0, "Type\t" LIMIT_HEADS);
	say(d, 0, "----\t" LIMIT_RULES);
	say_limit_rows(d, val_get(describing_doc(d), "spec"), "");
}

static void say_scopes(struct describe *d, const struct val *scopes, int level, const char *bullet)
{
	static const struct { const char *scope, *help; } rows[] = {
		{ "BestEffort", "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service." },
		{ "NotBestEffort", "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service." },
		{ "NotTerminating", "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate." },
		{ "Terminating", "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system." },
	};
	struct texts_found names = { .v = arena_array(d->a, const char *, scopes ? scopes->nr : 0) };
	struct sb all = { 0 };

	VAL_EACH(m, scopes)
		if (val_str(m))
			names.v[names.nr++] = val_str(m);
	if (!names.nr)
		return;
	sorted(names);
	for (uint32_t k = 0; k < names.nr; k++)
		sb_printf(&all, "%s%s", k ? ", " : "", names.v[k]);
	say(d, level, "Scopes:\t%s", sb_text(&all));
	sb_free(&all);
	for (uint32_t k = 0; k < names.nr; k++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (strcmp(rows[i].scope, names.v[k]) == 0)
				say(d, level, "%s%s", bullet, rows[i].help);
}

static void say_used(struct describe *d, const struct val *v, int level, const char *rule)
{
	const struct val *hard = val_path(v, "status.hard");
	struct texts_found names = describing_keys(d, hard);

	say(d, level, "Resource\tUsed\tHard");
	say(d, level, "--------\t%s\t%s", rule, rule);
	for (uint32_t k = 0; k < names.nr; k++) {
		const char *used = val_str(val_get(val_path(v, "status.used"), names.v[k])), *most = val_str(val_get(hard, names.v[k]));

		say(d, level, "%s\t%s\t%s", names.v[k], used ? used : "0", most ? most : "");
	}
}

void describe_quota(struct describe *d)
{
	const struct val *v = describing_doc(d);

	describing_names(d);
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
		const struct val *v = describing_doc(&one);

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

		say_limit_rows(d, val_get(describing_doc(&one), "spec"), " ");
	}
}

/* ---- scaling, budgets, classes */

/* seen: of the same metric in the status. */
static const char *resource_seen(struct describe *d, const struct val *seen, const char *key, bool percent)
{
	const struct val *current = val_get(val_get(seen, key), "current"), *share = val_get(current, "averageUtilization");
	const char *average = val_get(current, "averageValue") ? text_at(current, "averageValue") : NULL;

	if (!percent)
		return average ? average : "<unknown>";
	return share && average ? arena_printf(d->a, "%" PRId64 "%% (%s)", val_int_or(share, 0), average) : "<unknown>";
}

static void say_metric(struct describe *d, const struct val *m, const struct val *seen)
{
	const char *type = text_at(m, "type"), *key = strcmp(type, "ContainerResource") == 0 ? "containerResource" : "resource";
	const struct val *r = val_get(m, key), *target = val_get(r, "target");
	const struct val *percent = val_get(target, "averageUtilization");

	if (strcmp(type, "Resource") == 0 || strcmp(type, "ContainerResource") == 0) {
		const char *what = strcmp(type, "Resource") == 0 ? arena_printf(d->a, "resource %s on pods", text_at(r, "name"))
								 : arena_printf(d->a, "resource %s of container \"%s\" on pods", text_at(r, "name"), text_at(r, "container"));

		if (val_get(target, "averageValue"))
			say(d, 1, "%s:\t%s / %s", what, resource_seen(d, seen, key, false), text_at(target, "averageValue"));
		else
			say(d, 1, "%s  (as a percentage of request):\t%s / %s", what, resource_seen(d, seen, key, true), percent ? arena_printf(d->a, "%" PRId64 "%%", val_int_or(percent, 0)) : "<auto>");
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
	const struct val *v = describing_doc(d);
	uint32_t nr = 0;

	describing_names(d);
	describing_notes(d);
	say(d, 0, "CreationTimestamp:\t%s", time_1123(d, d->o->created));
	say(d, 0, "Reference:\t%s/%s", text_at(v, "spec.scaleTargetRef.kind"), text_at(v, "spec.scaleTargetRef.name"));
	say(d, 0, "Metrics:\t( current / target )");
	VAL_EACH(m, val_path(v, "spec.metrics"))
		say_metric(d, m, val_at(val_path(v, "status.currentMetrics"), nr++));
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
	const struct val *v = describing_doc(d), *least = val_path(v, "spec.minAvailable"), *most = val_path(v, "spec.maxUnavailable"), *amount = least ? least : most;
	static const struct { const char *title, *path; } rows[] = {
		{ "Allowed disruptions", "status.disruptionsAllowed" }, { "Current", "status.currentHealthy" }, { "Desired", "status.desiredHealthy" }, { "Total", "status.expectedPods" },
	};

	describing_names(d);
	if (amount)
		say(d, 0, "%s:\t%s", least ? "Min available" : "Max unavailable", val_str(amount) ? val_str(amount) : arena_printf(d->a, "%" PRId64, val_int_or(amount, 0)));
	say_raw_selector(d, "Selector", val_path(v, "spec.selector"));
	say(d, 0, "Status:");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		say(d, 2, "%s:\t%" PRId64, rows[k].title, val_int_or(val_path(v, rows[k].path), 0));
}

void describe_priority_class(struct describe *d)
{
	const struct val *v = describing_doc(d);

	describing_names(d);
	say(d, 0, "Value:\t%" PRId64, val_int_or(val_get(v, "value"), 0));
	say(d, 0, "GlobalDefault:\t%s", val_bool_or(val_get(v, "globalDefault"), false) ? "true" : "false");
	say(d, 0, "PreemptionPolicy:\t%s", *text_at(v, "preemptionPolicy") ? text_at(v, "preemptionPolicy") : "PreemptLowerPriority");
	say(d, 0, "Description:\t%s", text_at(v, "description"));
	say(d, 0, "Annotations:\t%s", pairs_text(d, &d->o->annotations));
}

void describe_ingress_class(struct describe *d)
{
	const struct val *v = describing_doc(d), *p = val_path(v, "spec.parameters");

	describing_names(d);
	describing_notes(d);
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
	const struct val *v = describing_doc(d);
	struct sb all = { 0 };

	describing_names(d);
	describing_notes(d);
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

	describing_names(d);
	describing_notes(d);
	if (!p)
		return;
	say(d, 0, "Parent Reference:");
	say(d, 1, "Group:\t%s", text_at(p, "group"));
	say(d, 1, "Resource:\t%s", text_at(p, "resource"));
	say(d, 1, "Namespace:\t%s", text_at(p, "namespace"));
	say(d, 1, "Name:\t%s", text_at(p, "name"));
}
