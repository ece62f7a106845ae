/* Pods, Services, endpoints, nodes and the other kinds of the core group. */
#include "model/base/quantity.h"
#include "viz/report/columns.h"

/* ---- Pods */

static bool names_sidecar(const struct pod *p, str name)
{
	for (uint32_t k = 0; k < p->spec->init_containers.nr; k++)
		if (p->spec->init_containers.v[k].name == name)
			return streq(p->spec->init_containers.v[k].restart_policy, "Always");
	return false;
}

/* What printPod works out: READY, STATUS and RESTARTS follow from one walk over the statuses. */
struct pod_words { uint32_t ready, total; int32_t restarts; nsec last; char status[128]; };

static nsec later(nsec a, nsec b)
{
	return a == NEVER ? b : b == NEVER ? a : MAX(a, b);
}

static const char *end_reason(const struct container_status *s, char *out, size_t size)
{
	if (s->reason)
		return s->reason;
	snprintf(out, size, "ExitCode:%d", s->exit_code);
	return out;
}

/* → does an init container still keep the Pod from starting? */
static bool init_words(const struct pod *p, struct pod_words *w, struct pod_words *sidecars)
{
	char code[32];
	uint32_t nth = 0;

	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		const struct container_status *s = &p->statuses.v[k];
		bool sidecar = s->init && names_sidecar(p, s->name);

		if (!s->init)
			continue;
		w->restarts += s->restarts;
		if (s->last_reason)
			w->last = later(w->last, s->last_finished);
		if (sidecar) {
			sidecars->restarts += s->restarts;
			if (s->last_reason)
				sidecars->last = later(sidecars->last, s->last_finished);
		}
		nth++;
		if (s->state == CS_TERMINATED && s->exit_code == 0)
			continue;
		if (sidecar && s->started == TRI_TRUE) {
			w->ready += s->ready;
			continue;
		}
		if (s->state == CS_TERMINATED)
			snprintf(w->status, sizeof(w->status), "Init:%s", end_reason(s, code, sizeof(code)));
		else if (s->state == CS_WAITING && s->reason && !streq(s->reason, "PodInitializing"))
			snprintf(w->status, sizeof(w->status), "Init:%s", s->reason);
		else
			snprintf(w->status, sizeof(w->status), "Init:%u/%u", nth - 1, p->spec->init_containers.nr);
		return true;
	}
	return false;
}

static void main_words(const struct pod *p, struct pod_words *w)
{
	const struct condition *ready = condition_get(&p->conditions, "Ready");
	bool running = false;
	char code[32];

	for (uint32_t k = p->statuses.nr; k-- > 0;) {
		const struct container_status *s = &p->statuses.v[k];

		if (s->init)
			continue;
		w->restarts += s->restarts;
		if (s->last_reason)
			w->last = later(w->last, s->last_finished);
		if (s->state == CS_WAITING && s->reason) {
			snprintf(w->status, sizeof(w->status), "%s", s->reason);
		} else if (s->state == CS_TERMINATED) {
			snprintf(w->status, sizeof(w->status), "%s", end_reason(s, code, sizeof(code)));
		} else if (s->ready && s->state == CS_RUNNING) {
			running = true;
			w->ready++;
		}
	}
	if (streq(w->status, "Completed") && running)
		snprintf(w->status, sizeof(w->status), "%s", ready && ready->status == COND_TRUE ? "Running" : "NotReady");
}

static struct pod_words pod_words(const struct pod *p)
{
	const struct condition *init = condition_get(&p->conditions, "Initialized"), *scheduled = condition_get(&p->conditions, "PodScheduled");
	struct pod_words w = { .total = p->spec->containers.nr, .last = NEVER }, sidecars = { .last = NEVER };

	for (uint32_t k = 0; k < p->spec->init_containers.nr; k++)
		w.total += streq(p->spec->init_containers.v[k].restart_policy, "Always");
	snprintf(w.status, sizeof(w.status), "%s", scheduled && streq(scheduled->reason, "SchedulingGated") ? scheduled->reason :
		 p->reason ? p->reason : pod_phase_names[p->phase ? p->phase : POD_PENDING]);
	if (!init_words(p, &w, &sidecars) || (init && init->status == COND_TRUE)) {
		w.restarts = sidecars.restarts;
		w.last = sidecars.last;
		main_words(p, &w);
	}
	if (p->o.deleted != NEVER && streq(p->reason, "NodeLost"))
		snprintf(w.status, sizeof(w.status), "Unknown");
	else if (p->o.deleted != NEVER && !pod_is_terminal(p))
		snprintf(w.status, sizeof(w.status), "Terminating");
	return w;
}

#define POD  ((const struct pod *)r->o)
#define SVC  ((const struct service *)r->o)
#define NODE ((const struct node *)r->o)

static void pod_ready(struct row *r, struct sb *out)
{
	struct pod_words w = pod_words(POD);

	sb_printf(out, "%u/%u", w.ready, w.total);
}

static void pod_status(struct row *r, struct sb *out)
{
	struct pod_words w = pod_words(POD);

	sb_add(out, w.status);
}

static void pod_restarts(struct row *r, struct sb *out)
{
	struct pod_words w = pod_words(POD);

	sb_printf(out, "%d", w.restarts);
	if (w.restarts && w.last != NEVER) {
		sb_add(out, " (");
		ago_print(r, w.last, out);
		sb_add(out, " ago)");
	}
}

static void pod_ip(struct row *r, struct sb *out)
{
	sb_add(out, ip_set(POD->ip) ? IP(POD->ip) : "<none>");
}

static void pod_node(struct row *r, struct sb *out)
{
	sb_add(out, POD->node ? POD->node : "<none>");
}

static void pod_nominated(struct row *r, struct sb *out)
{
	(void)r;
	sb_add(out, "<none>");
}

static void pod_gates(struct row *r, struct sb *out)
{
	uint32_t yes = 0, nr = POD->spec->readiness_gates.nr;

	for (uint32_t k = 0; k < nr; k++) {
		const struct condition *c = condition_get(&POD->conditions, POD->spec->readiness_gates.v[k]);

		yes += c && c->status == COND_TRUE;
	}
	if (nr)
		sb_printf(out, "%u/%u", yes, nr);
	else
		sb_add(out, "<none>");
}

/* ---- Services and endpoints */

static void service_type(struct row *r, struct sb *out)
{
	sb_add(out, svc_type_names[SVC->type]);
}

static void service_ip(struct row *r, struct sb *out)
{
	sb_add(out, SVC->cluster_ip && *SVC->cluster_ip ? SVC->cluster_ip : "<none>");
}

#define LB_WIDTH 16     /* loadBalancerWidth */

static void service_external(struct row *r, struct sb *out)
{
	const struct service *s = SVC;
	size_t from = out->len;

	if (s->type == SVC_EXTERNALNAME) {
		sb_add(out, s->external_name ? s->external_name : "");
		return;
	}
	for (uint32_t k = 0; s->type == SVC_LOADBALANCER && k < s->lb_ingress.nr; k++) {
		const char *one = s->lb_ingress.v[k].ip ? s->lb_ingress.v[k].ip : s->lb_ingress.v[k].hostname;

		if (one)
			sb_printf(out, "%s%s", out->len > from ? "," : "", one);
	}
	if (!r->wide && out->len - from > LB_WIDTH) {
		char *cut = arena_strndup(r->scratch, sb_text(out) + from, LB_WIDTH - 3);

		sb_reset(out);
		sb_printf(out, "%s...", cut);
	}
	for (uint32_t k = 0; k < s->external_ips.nr; k++)
		sb_printf(out, "%s%s", out->len > from ? "," : "", s->external_ips.v[k]);
	if (out->len == from)
		sb_add(out, s->type == SVC_LOADBALANCER ? "<pending>" : "<none>");
}

static void service_ports(struct row *r, struct sb *out)
{
	for (uint32_t k = 0; k < SVC->ports.nr; k++) {
		const struct svc_port *p = &SVC->ports.v[k];

		sb_printf(out, "%s%d", k ? "," : "", p->port);
		if (p->node_port)
			sb_printf(out, ":%d", p->node_port);
		sb_printf(out, "/%s", l4_names[p->protocol]);
	}
	if (!SVC->ports.nr)
		sb_add(out, "<none>");
}

static void service_selector(struct row *r, struct sb *out)
{
	pairs_print(&SVC->selector, out);
}

/* Three of them, and how many more there are. */
static void some(struct sb *out, uint32_t *nr, const char *text)
{
	if ((*nr)++ < 3)
		sb_printf(out, "%s%s", *nr > 1 ? "," : "", text);
}

static void some_more(struct sb *out, uint32_t nr, const char *nothing)
{
	if (nr > 3)
		sb_printf(out, " + %u more...", nr - 3);
	else if (!nr)
		sb_add(out, nothing);
}

static void endpoints_list(struct row *r, struct sb *out)
{
	const struct endpoints *e = (const struct endpoints *)r->o;
	uint32_t nr = 0;

	for (uint32_t s = 0; s < e->subsets.nr; s++) {
		const struct ep_subset *set = &e->subsets.v[s];

		for (uint32_t p = 0; p < MAX(set->ports.nr, 1u); p++)
			for (uint32_t k = 0; k < set->addresses.nr; k++) {
				const char *ip = set->addresses.v[k].ip;
				bool v6 = ip && strchr(ip, ':');

				some(out, &nr, set->ports.nr ? arena_printf(r->scratch, "%s%s%s:%d", v6 ? "[" : "", ip ? ip : "", v6 ? "]" : "", set->ports.v[p].port.v) : ip);
			}
	}
	if (!e->subsets.nr)
		sb_add(out, "<none>");
	else
		some_more(out, nr, "");
}

static void slice_type(struct row *r, struct sb *out)
{
	sb_add(out, ((const struct endpointslice *)r->o)->address_type);
}

static void slice_ports(struct row *r, struct sb *out)
{
	const struct endpointslice *s = (const struct endpointslice *)r->o;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->ports.nr; k++)
		some(out, &nr, s->ports.v[k].port.set ? arena_printf(r->scratch, "%d", s->ports.v[k].port.v) : s->ports.v[k].name ? s->ports.v[k].name : "*");
	some_more(out, nr, "<unset>");
}

static void slice_endpoints(struct row *r, struct sb *out)
{
	const struct endpointslice *s = (const struct endpointslice *)r->o;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->endpoints.nr; k++)
		for (uint32_t i = 0; i < s->endpoints.v[k].addresses.nr; i++)
			some(out, &nr, s->endpoints.v[k].addresses.v[i]);
	some_more(out, nr, "<unset>");
}

/* ---- nodes */

static void node_status(struct row *r, struct sb *out)
{
	const struct condition *ready = condition_get(&NODE->conditions, "Ready");

	sb_add(out, !ready ? "Unknown" : ready->status == COND_TRUE ? "Ready" : "NotReady");
	if (NODE->unschedulable)
		sb_add(out, ",SchedulingDisabled");
}

static void node_roles(struct row *r, struct sb *out)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	const char *old = label_get(&r->o->labels, "kubernetes.io/role");
	uint32_t nr = 0;

	for (uint32_t k = 0; k < r->o->labels.nr; k++)
		if (strncmp(r->o->labels.v[k].key, prefix, sizeof(prefix) - 1) == 0 && r->o->labels.v[k].key[sizeof(prefix) - 1])
			sb_printf(out, "%s%s", nr++ ? "," : "", r->o->labels.v[k].key + sizeof(prefix) - 1);
	if (old && *old)
		sb_printf(out, "%s%s", nr++ ? "," : "", old);
	if (!nr)
		sb_add(out, "<none>");
}

static void node_address(const struct node *n, const char *type, struct sb *out)
{
	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (streq(n->addresses.v[k].type, type) && n->addresses.v[k].address) {
			sb_add(out, n->addresses.v[k].address);
			return;
		}
	sb_add(out, "<none>");
}

static void node_internal(struct row *r, struct sb *out) { node_address(NODE, "InternalIP", out); }
static void node_external(struct row *r, struct sb *out) { node_address(NODE, "ExternalIP", out); }
static void node_version(struct row *r, struct sb *out) { sb_add(out, NODE->kubelet_version ? NODE->kubelet_version : ""); }
static void node_image(struct row *r, struct sb *out) { sb_add(out, NODE->os_image ? NODE->os_image : "<unknown>"); }
static void node_kernel(struct row *r, struct sb *out) { sb_add(out, NODE->kernel_version ? NODE->kernel_version : "<unknown>"); }
static void node_runtime(struct row *r, struct sb *out) { sb_add(out, NODE->runtime ? NODE->runtime : "<unknown>"); }

/* ---- the others */

static void namespace_status(struct row *r, struct sb *out)
{
	const char *phase = ((const struct namespace_ *)r->o)->phase;

	sb_add(out, r->o->deleted != NEVER ? "Terminating" : phase ? phase : "Active");
}

static void config_data(struct row *r, struct sb *out)
{
	const struct val *binary = val_get(r->o->doc, "binaryData");

	sb_printf(out, "%u", ((const struct config_map *)r->o)->data.nr + (binary ? binary->nr : 0));
}

static void secret_type(struct row *r, struct sb *out)
{
	const char *type = ((const struct secret *)r->o)->type;

	sb_add(out, type ? type : "Opaque");
}

static void secret_data(struct row *r, struct sb *out)
{
	const struct val *text = val_get(r->o->doc, "stringData");
	uint32_t nr = ((const struct secret *)r->o)->data.nr;

	VAL_EACH(m, text)
		nr += !val_get(val_get(r->o->doc, "data"), m->key);
	sb_printf(out, "%u", nr);
}

static void account_secrets(struct row *r, struct sb *out)
{
	const struct val *l = val_get(r->o->doc, "secrets");

	sb_printf(out, "%u", l ? l->nr : 0);
}

static void event_ago(struct row *r, const char *path, struct sb *out)
{
	const char *text = path_text_of(r, path);
	nsec at;

	ago_print(r, text && time_parse(text, &at) ? at : NEVER, out);
}

static void event_last(struct row *r, struct sb *out) { event_ago(r, ".lastTimestamp", out); }
static void event_first(struct row *r, struct sb *out) { event_ago(r, ".firstTimestamp", out); }

static void event_object(struct row *r, struct sb *out)
{
	const char *kind = path_text_of(r, ".involvedObject.kind"), *name = path_text_of(r, ".involvedObject.name");

	for (const char *p = kind ? kind : ""; *p; p++)
		sb_addc(out, (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p));
	sb_printf(out, "/%s", name ? name : "");
}

static const struct column pods[] = {
	COL_NAME, COL("READY", pod_ready), COL("STATUS", pod_status), COL("RESTARTS", pod_restarts), COL_AGE,
	COL_W("IP", pod_ip), COL_W("NODE", pod_node), COL_W("NOMINATED NODE", pod_nominated), COL_W("READINESS GATES", pod_gates), COL_END,
};
static const struct column services[] = {
	COL_NAME, COL("TYPE", service_type), COL("CLUSTER-IP", service_ip), COL("EXTERNAL-IP", service_external), COL("PORT(S)", service_ports), COL_AGE,
	COL_W("SELECTOR", service_selector), COL_END,
};
static const struct column endpoints[] = NAME_AGE(COL("ENDPOINTS", endpoints_list), );
static const struct column slices[] = NAME_AGE(COL("ADDRESSTYPE", slice_type), COL("PORTS", slice_ports), COL("ENDPOINTS", slice_endpoints), );
static const struct column nodes[] = {
	COL_NAME, COL("STATUS", node_status), COL("ROLES", node_roles), COL_AGE, COL("VERSION", node_version), COL_W("INTERNAL-IP", node_internal),
	COL_W("EXTERNAL-IP", node_external), COL_W("OS-IMAGE", node_image), COL_W("KERNEL-VERSION", node_kernel), COL_W("CONTAINER-RUNTIME", node_runtime), COL_END,
};
static const struct column namespaces[] = NAME_AGE(COL("STATUS", namespace_status), );
static const struct column config_maps[] = NAME_AGE(COL("DATA", config_data), );
static const struct column secrets[] = NAME_AGE(COL("TYPE", secret_type), COL("DATA", secret_data), );
static const struct column accounts[] = NAME_AGE(COL("SECRETS", account_secrets), );
static const struct column events[] = {
	COL("LAST SEEN", event_last), PATH("TYPE", ".type", NULL), PATH("REASON", ".reason", NULL), COL("OBJECT", event_object),
	PATH_W("SUBOBJECT", ".involvedObject.fieldPath", NULL), PATH_W("SOURCE", ".source.component", NULL), PATH("MESSAGE", ".message", NULL),
	COL_W("FIRST SEEN", event_first), PATH_W("COUNT", ".count", NULL), COL_W("NAME", col_name), COL_END,
};

const struct kind_columns columns_core[] = {
	{ &pod_kind, pods }, { &service_kind, services }, { &endpoints_kind, endpoints }, { &endpointslice_kind, slices }, { &node_kind, nodes },
	{ &namespace_kind, namespaces }, { &config_map_kind, config_maps }, { &secret_kind, secrets }, { &service_account_kind, accounts }, { &event_kind, events },
	{ NULL, NULL },
};
