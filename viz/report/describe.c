#include "viz/report/describe.h"

#include <ctype.h>
#include <stdarg.h>

#include "model/api/kept.h"
#include "model/api/net.h"
#include "model/api/workload.h"
#include "model/base/quantity.h"
#include "viz/report/events.h"
#include "viz/report/tabs.h"

/* What comes from outside must not make new cells or lines. */
void say(struct describe *d, int level, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (int k = 0; k < level; k++)
		sb_add(d->raw, "  ");
	sb_add_shown(d->raw, text, false);
	sb_addc(d->raw, '\n');
}

const char *or_none(const char *s)
{
	return s && *s ? s : "<none>";
}

/* Mon, 02 Jan 2006 15:04:05 +0000 */
const char *time_1123(struct describe *d, nsec t)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	unsigned year, month, day;
	char text[32], clock[16];

	if (t == NEVER)
		return "<unset>";
	time_text(t, text);
	if (sscanf(text, "%4u-%2u-%2uT%8[0-9:]", &year, &month, &day, clock) != 4 || month < 1 || month > 12)
		return arena_strdup(d->a, text);
	return arena_printf(d->a, "%s, %02u %s %04u %s +0000", days[t / SECONDS(86400) % 7], day, months[month - 1], year, clock);
}

const char *pairs_text(struct describe *d, const pair_list *l)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < l->nr; k++)
		sb_printf(&out, "%s%s=%s", k ? "," : "", l->v[k].key, l->v[k].value);
	text = arena_strdup(d->a, out.len ? sb_text(&out) : "<none>");
	sb_free(&out);
	return text;
}

void say_pairs(struct describe *d, const char *title, const pair_list *l)
{
	bool notes = strcmp(title, "Annotations") == 0;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l->nr; k++) {
		const char *head = nr ? "" : arena_printf(d->a, "%s:", title);
		struct sb safe = { 0 };

		if (streq(l->v[k].key, "kubectl.kubernetes.io/last-applied-configuration"))
			continue;
		sb_add_shown(&safe, l->v[k].value, true);
		say(d, 0, notes ? "%s\t%s: %s" : "%s\t%s=%s", head, l->v[k].key, sb_text(&safe));
		sb_free(&safe);
		nr++;
	}
	if (!nr)
		say(d, 0, "%s:\t<none>", title);
}

void say_selector(struct describe *d, const char *title, const struct selector *s)
{
	struct sb out = { 0 };

	selector_print(s, &out);
	say(d, 0, "%s:\t%s", title, sb_text(&out));
	sb_free(&out);
}

void say_conditions(struct describe *d, const condition_list *l)
{
	if (!l->nr)
		return;
	say(d, 0, "Conditions:");
	say(d, 1, "Type\tStatus\tReason");
	say(d, 1, "----\t------\t------");
	for (uint32_t k = 0; k < l->nr; k++)
		say(d, 1, "%s \t%s\t%s", l->v[k].type, cond_status_names[l->v[k].status], l->v[k].reason ? l->v[k].reason : "");
}

static void say_events(struct describe *d)
{
	struct told_list l = events_told(d->c, d->o, NULL, false, d->a);

	if (!l.nr) {
		say(d, 0, "Events:\t<none>");
		return;
	}
	say(d, 0, "Events:");
	say(d, 1, "Type\tReason\tAge\tFrom\tMessage");
	say(d, 1, "----\t------\t----\t----\t-------");
	for (uint32_t k = 0; k < l.nr; k++) {
		struct sb safe = { 0 };

		sb_add_shown(&safe, l.v[k].last->message, true);
		say(d, 1, "%s\t%s\t%s\t%s\t%s", l.v[k].last->warning ? "Warning" : "Normal", l.v[k].last->reason, told_ago(d->c, &l.v[k], d->a), l.v[k].last->component,
		    sb_text(&safe));
		sb_free(&safe);
	}
}

/* ---- every other kind: its fields, with their names as words (kubectl's genericDescriber) */

static const char *words(struct describe *d, const char *key)
{
	struct sb out = { 0 };
	const char *text;

	for (const char *p = key; *p; p++) {
		bool upper = isupper((unsigned char)*p) != 0, starts = p == key || (upper && !isupper((unsigned char)p[-1])) ||
			     (upper && p[1] && islower((unsigned char)p[1]) && isupper((unsigned char)p[-1]));

		if (starts && p != key)
			sb_addc(&out, ' ');
		sb_addc(&out, p == key ? (char)toupper((unsigned char)*p) : *p);
	}
	text = arena_strdup(d->a, sb_text(&out));
	sb_free(&out);
	return text;
}

static void say_value(struct describe *d, const struct val *v, const char *title, int level)
{
	struct sb text = { 0 }, safe = { 0 };

	if (v->type == VAL_MAP || v->type == VAL_LIST) {
		say(d, level, "%s:%s", title, v->nr ? "" : "\t<none>");
		VAL_EACH(m, v) {
			if (v->type == VAL_MAP) {
				say_value(d, m, words(d, m->key), level + 1);
			} else if (m->type == VAL_MAP) {
				VAL_EACH(x, m)
					say_value(d, x, words(d, x->key), level + 1);
			} else {
				sb_reset(&text);
				sb_reset(&safe);
				if (val_is(m, VAL_STRING))
					sb_add(&text, m->s);
				else
					val_print_json(m, &text, 0, true);
				sb_add_shown(&safe, sb_text(&text), true);
				say(d, level + 1, "%s", sb_text(&safe));
			}
		}
	} else {
		if (val_is(v, VAL_STRING))
			sb_add(&text, v->s);
		else
			val_print_json(v, &text, 0, true);
		sb_add_shown(&safe, sb_text(&text), true);
		say(d, level, "%s:\t%s", title, sb_text(&safe));
	}
	sb_free(&text);
	sb_free(&safe);
}

static void describe_other(struct describe *d)
{
	const struct val *v = object_render(d->c, d->o, d->a);

	say(d, 0, "API Version:\t%s", val_str_at(v, "apiVersion"));
	say(d, 0, "Kind:\t%s", val_str_at(v, "kind"));
	VAL_EACH(m, v)
		if (!streq(m->key, "apiVersion") && !streq(m->key, "kind") && !streq(m->key, "metadata"))
			say_value(d, m, words(d, m->key), 0);
}

static uint32_t bytes_of(const char *base64)
{
	size_t n = strlen(base64), pad = n && base64[n - 1] == '=' ? 1u + (n > 1 && base64[n - 2] == '=') : 0u;

	return (uint32_t)(n / 4 * 3 - pad);
}

static void describe_data(struct describe *d)
{
	bool secret = d->o->kind == &secret_kind;
	const pair_list *l = secret ? &((const struct secret *)d->o)->data : &((const struct config_map *)d->o)->data;

	say(d, 0, "%s", "");
	if (secret) {
		say(d, 0, "Type:\t%s", or_none(((const struct secret *)d->o)->type));
		say(d, 0, "%s", "");
	}
	say(d, 0, "Data");
	say(d, 0, "====");
	for (uint32_t k = 0; k < l->nr; k++) {
		if (secret) {
			say(d, 0, "%s:\t%u bytes", l->v[k].key, bytes_of(l->v[k].value));
			continue;
		}
		say(d, 0, "%s:", l->v[k].key);
		say(d, 0, "----");
		for (const char *p = l->v[k].value;;) {
			struct sb safe = { 0 };
			size_t len = strcspn(p, "\n");

			sb_add_shown(&safe, arena_strndup(d->a, p, len), true);
			say(d, 0, "%s", sb_text(&safe));
			sb_free(&safe);
			p += len;
			if (!*p++)
				break;
		}
		say(d, 0, "%s", "");
	}
	if (secret)
		return;
	say(d, 0, "%s", "");
	say(d, 0, "BinaryData");
	say(d, 0, "====");
	VAL_EACH(m, val_get(d->o->doc, "binaryData"))
		say(d, 0, "%s: %u bytes", m->key, bytes_of(val_str(m) ? val_str(m) : ""));
	say(d, 0, "%s", "");
}

enum { OWN_NAMES = 1 /* it writes name and labels itself */, NO_EVENTS = 2 };
static const struct { const struct kind *kind; describe_fn *fn; int flags; } kinds_described[] = {
	{ &pod_kind, describe_pod, OWN_NAMES }, { &service_kind, describe_service, 0 }, { &node_kind, describe_node, OWN_NAMES }, { &deployment_kind, describe_deployment, OWN_NAMES },
	{ &replicaset_kind, describe_replicas, OWN_NAMES }, { &replication_controller_kind, describe_replicas, OWN_NAMES }, { &statefulset_kind, describe_stateful, OWN_NAMES },
	{ &daemonset_kind, describe_daemon, OWN_NAMES }, { &job_kind, describe_job, OWN_NAMES }, { &cron_job_kind, describe_cron, 0 }, { &ingress_kind, describe_ingress, OWN_NAMES },
	{ &network_policy_kind, describe_policy, OWN_NAMES | NO_EVENTS }, { &endpointslice_kind, describe_slice, 0 }, { &endpoints_kind, describe_endpoints, 0 },
	{ &namespace_kind, describe_namespace, NO_EVENTS }, { &config_map_kind, describe_data, 0 }, { &secret_kind, describe_data, NO_EVENTS },
	{ &pvc_kind, describe_claim, OWN_NAMES }, { &pv_kind, describe_volume, OWN_NAMES }, { &storage_class_kind, describe_storage_class, OWN_NAMES },
	{ &service_account_kind, describe_account, OWN_NAMES }, { &role_kind, describe_role, OWN_NAMES | NO_EVENTS }, { &cluster_role_kind, describe_role, OWN_NAMES | NO_EVENTS },
	{ &role_binding_kind, describe_binding, OWN_NAMES | NO_EVENTS }, { &cluster_role_binding_kind, describe_binding, OWN_NAMES | NO_EVENTS },
	{ &limit_range_kind, describe_limits, OWN_NAMES | NO_EVENTS }, { &quota_kind, describe_quota, OWN_NAMES | NO_EVENTS }, { &hpa_kind, describe_autoscaler, OWN_NAMES },
	{ &pdb_kind, describe_budget, OWN_NAMES }, { &priority_class_kind, describe_priority_class, OWN_NAMES }, { &ingress_class_kind, describe_ingress_class, OWN_NAMES },
	{ &service_cidr_kind, describe_service_cidr, OWN_NAMES }, { &ip_address_kind, describe_ip_address, OWN_NAMES },
};

void describe(struct cluster *c, const struct object *o, struct arena *a, struct sb *out)
{
	struct sb raw = { 0 };
	struct describe d = { c, o, a, &raw };
	describe_fn *fn = describe_other;
	int flags = 0;

	for (size_t k = 0; k < ARRAY_LEN(kinds_described); k++)
		if (kinds_described[k].kind == o->kind) {
			fn = kinds_described[k].fn;
			flags = kinds_described[k].flags;
		}
	if (!(flags & OWN_NAMES)) {
		say(&d, 0, "Name:\t%s", o->name);
		if (o->ns)
			say(&d, 0, "Namespace:\t%s", o->ns);
		say_pairs(&d, "Labels", &o->labels);
		say_pairs(&d, "Annotations", &o->annotations);
	}
	fn(&d);
	if (!(flags & NO_EVENTS))
		say_events(&d);
	if (o->file && strcmp(o->file, "-") != 0)       /* podwire's own, and without a tab: all above is laid out as kubectl's */
		say(&d, 0, "Applied from:  %s:%u", o->file, o->line);
	tabs_print(a, sb_text(&raw), out);
	sb_free(&raw);
}
