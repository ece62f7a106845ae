#include "sim/engine/import.h"

#include "model/api/net.h"
#include "model/base/quantity.h"
#include "model/control/defaults.h"

#define RECORD_NS   "podwire-system"
#define RECORD_NAME "import"
#define MISSING     "podwire.io/missing"
#define TAKEN       "podwire.io/taken"

struct importing {
	struct world *w;
	struct world_options *opt;
	world_scenario scenario;
	doc_take kept;
	void *ctx;
	struct import_report *out;
};

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	struct importing *r = ctx;

	if (streq(val_str(val_get(d->root, "kind")), "Scenario") && streq(val_str(val_get(d->root, "apiVersion")), "podwire.io/v1"))
		return r->scenario ? r->scenario(r->ctx, d, err) : err_add(err, ERR_INPUT, &(struct where){ .file = d->file, .line = d->root->line }, "a Scenario is not imported: podwire run plays it");
	if (!r->out->living && val_str_at(d->root, "metadata.uid")) {
		r->out->living = true;
		r->opt->flags.no_defaults = true;
		cluster_flags(r->w->cluster)->no_defaults = true;
	}
	if (apply_doc(r->w->cluster, d, &r->opt->apply, NULL, err) == APPLY_ERROR) {
		r->out->refused++;
		return true;
	}
	r->out->applied++;
	return !r->kept || r->kept(r->ctx, d, err);
}

static void say(struct importing *r, struct texts_of *to, const char *text)
{
	struct arena *a = r->w->cluster ? cluster_arena(r->w->cluster) : NULL;

	vec_add(a, to, text);
}

/* ---- what a dump calls for and does not bring */

static void apply_text(struct importing *r, const char *yaml, size_t n, struct err *err)
{
	struct arena *a = arena_new(NULL, "import");
	struct doc d = { "import", yaml_parse(a, "import", yaml, n, NULL, err) };

	if (d.root && apply_doc(r->w->cluster, &d, &r->opt->apply, NULL, err) != APPLY_ERROR && r->kept)
		r->kept(r->ctx, &d, err);
	arena_free(a);
}

/* Nodes that Pods stand on, with the address that their status names. */
static void derive_nodes(struct importing *r, struct err *err)
{
	struct object_list l = cluster_list(r->w->cluster, &pod_kind);
	struct sb yaml = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];
		const char *host = ip_set(p->host_ip) ? str_printf(cluster_strings(r->w->cluster), "%s", IP(p->host_ip)) : NULL;

		if (!p->node || cluster_find(r->w->cluster, &node_kind, NULL, p->node))
			continue;
		sb_reset(&yaml);
		sb_add(&yaml, "apiVersion: v1\nkind: Node\nmetadata:\n  name: ");
		json_quote(&yaml, p->node);
		sb_add(&yaml, "\n  labels: {kubernetes.io/hostname: ");
		json_quote(&yaml, p->node);
		sb_add(&yaml, "}\n  annotations: {podwire.io/derived: from its Pods}\nstatus:\n  addresses:\n");
		if (host)
			sb_printf(&yaml, "  - {type: InternalIP, address: \"%s\"}\n", host);
		sb_add(&yaml, "  - {type: Hostname, address: ");
		json_quote(&yaml, p->node);
		sb_add(&yaml, "}\n  conditions: [{type: Ready, status: \"True\", reason: Derived}]\n");
		apply_text(r, sb_text(&yaml), yaml.len, err);
		nr++;
	}
	sb_free(&yaml);
	if (nr)
		say(r, &r->out->derived, str_printf(cluster_strings(r->w->cluster), "%u Node%s from the Pods that stand on them", nr, nr == 1 ? "" : "s"));
}

static uint32_t services(struct importing *r, bool selector)
{
	struct object_list l = cluster_list(r->w->cluster, &service_kind);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		nr += (s->selector.nr != 0) == selector && !s->external_name;
	}
	return nr;
}

static void look_for(struct importing *r, struct sb *lacks)
{
	static const struct { const struct kind *kind; const char *name, *means; } rows[] = {
		{ &node_kind, "Node", "no Nodes: their Pod ranges, labels and addresses are not known" },
		{ &network_policy_kind, "NetworkPolicy", "no NetworkPolicies: if there were any, they are not applied" },
		{ &ingress_kind, "Ingress", "no Ingresses: what is reached by host name from outside is not known" },
		{ &config_map_kind, "ConfigMap", "no ConfigMaps: kube-proxy's mode, the Pod and Service ranges and CoreDNS are taken as usual" },
		{ &namespace_kind, "Namespace", "no Namespaces: their labels, which policies select, are not known" },
		{ &service_kind, "Service", "no Services" }, { &pod_kind, "Pod", "no Pods" },
	};
	bool ends = cluster_count(r->w->cluster, &endpointslice_kind) || cluster_count(r->w->cluster, &endpoints_kind);

	if (!ends) {
		uint32_t with = services(r, true), without = services(r, false);

		sb_add(lacks, "EndpointSlice");
		if (with)
			say(r, &r->out->derived, str_printf(cluster_strings(r->w->cluster), "the endpoints of %u Service%s, from selectors and readiness (no EndpointSlices in the dump)", with, with == 1 ? "" : "s"));
		if (without)
			say(r, &r->out->missing, str_printf(cluster_strings(r->w->cluster), "no Endpoints and no EndpointSlices: where %u Service%s without a selector lead%s is not known", without,
							   without == 1 ? "" : "s", without == 1 ? "s" : ""));
	}
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		uint32_t nr = cluster_count(r->w->cluster, rows[k].kind);

		/* the four namespaces that every cluster has were made here */
		if (rows[k].kind == &namespace_kind ? nr > 4 || !r->out->living : nr != 0)
			continue;
		sb_printf(lacks, "%s%s", lacks->len ? "," : "", rows[k].name);
		say(r, &r->out->missing, rows[k].means);
	}
	if (r->out->dump.redacted)
		say(r, &r->out->missing, str_printf(cluster_strings(r->w->cluster), "%u values were blacked out in the dump: they are left out, and addresses among them are not known", r->out->dump.redacted));
}

/* The latest time that stands in a document. */
static nsec latest(const struct val *v)
{
	nsec at = 0, t;

	if (val_is(v, VAL_STRING))
		return *val_str(v) >= '0' && *val_str(v) <= '9' && time_parse(val_str(v), &t) ? t : 0;
	if (!val_is(v, VAL_LIST) && !val_is(v, VAL_MAP))
		return 0;
	VAL_EACH(m, v)
		at = MAX(at, latest(m));
	return at;
}

/* When the dump was taken, as far as its objects tell: kubelets post their nodes' state every few minutes. */
static nsec taken_at(const struct importing *r)
{
	static const struct kind *const telling[] = { &node_kind, &pod_kind };
	nsec at = 0;

	for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
		struct object_list l = cluster_list(r->w->cluster, telling[i]);

		for (uint32_t k = 0; k < l.nr; k++)
			at = MAX(at, MAX(latest(val_get(l.v[k]->doc, "metadata")), latest(val_get(l.v[k]->doc, "status"))));
	}
	return at;
}

nsec import_age(const struct cluster *c, const struct object *o)
{
	const char *says = val_str_at(o->doc, "metadata.creationTimestamp");
	const struct object *record = says ? cluster_find(c, &config_map_kind, RECORD_NS, RECORD_NAME) : NULL;
	const char *s = record ? label_get(&record->annotations, TAKEN) : NULL;
	nsec taken, created;

	if (!s || !time_parse(s, &taken) || !time_parse(says, &created))
		return cluster_now(c) - o->created;
	return MAX(taken + cluster_now(c) - created, 0);
}

static void record(struct importing *r, const char *lacks, struct err *err)
{
	struct sb yaml = { 0 };
	char taken[32];

	sb_printf(&yaml, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " RECORD_NAME "\n  namespace: " RECORD_NS "\n  annotations: {" MISSING ": \"%s\", " TAKEN ": \"%s\"}\ndata:\n  missing: |\n",
		  lacks, time_text(taken_at(r), taken));
	for (uint32_t k = 0; k < r->out->missing.nr; k++)
		sb_printf(&yaml, "    %s\n", r->out->missing.v[k]);
	sb_add(&yaml, "  derived: |\n");
	for (uint32_t k = 0; k < r->out->derived.nr; k++)
		sb_printf(&yaml, "    %s\n", r->out->derived.v[k]);
	apply_text(r, sb_text(&yaml), yaml.len, err);
	sb_free(&yaml);
}

bool world_import(struct world *w, struct world_options *opt, const char *const *paths, uint32_t nr, world_scenario scenario, doc_take kept, void *ctx, struct import_report *out, struct err *err)
{
	struct importing r = { w, opt, scenario, kept, ctx, out };
	struct sb lacks = { 0 };
	bool ok = true;

	*out = (struct import_report){ 0 };
	opt->apply.validate = false;
	opt->apply.unknown = VALIDATE_IGNORE;
	opt->apply.respect_status = true;
	opt->apply.create_namespaces = true;
	cluster_flags(w->cluster)->respect = true;
	opt->flags.respect = true;
	for (uint32_t k = 0; k < nr && ok; k++)
		ok = dump_read_path(paths[k], take, &r, &out->dump, err);
	if (!ok || !out->applied)
		return err_any(err) ? false : err_add(err, ERR_INPUT, &(struct where){ .file = nr ? paths[0] : NULL }, "no objects in it (expected kubectl get -o json|yaml, cluster-info dump, or a bundle)");
	if (out->living) {
		derive_nodes(&r, err);
		look_for(&r, &lacks);
		record(&r, sb_text(&lacks), err);
	}
	sb_free(&lacks);
	return !err_any(err);
}

bool import_lacks(const struct world *w, const char *kind)
{
	const struct object *o = cluster_find(w->cluster, &config_map_kind, RECORD_NS, RECORD_NAME);
	const char *s = o ? label_get(&o->annotations, MISSING) : NULL;
	size_t n = strlen(kind);

	for (; s && *s; s += strcspn(s, ",") + (s[strcspn(s, ",")] == ','))
		if (strcspn(s, ",") == n && strncmp(s, kind, n) == 0)
			return true;
	return false;
}
