/* What `get` prints of Pods, Services and nodes. Source: Kubernetes 1.36 pkg/printers/internalversion/printers.go. */
#include "model/api/columns.h"
#include "model/api/core.h"

#define POD const struct pod *p = (const struct pod *)o; (void)c
#define SERVICE const struct service *s = (const struct service *)o; (void)c
#define NODE const struct node *n = (const struct node *)o; (void)c

static void pod_ready(const struct cluster *c, const struct object *o, struct sb *out)
{
	uint32_t ready = 0, nr, sidecars = 0;
	POD;

	for (uint32_t k = 0; k < p->spec->init_containers.nr; k++)
		sidecars += streq(p->spec->init_containers.v[k].restart_policy, "Always");
	nr = p->spec->containers.nr + sidecars;
	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		bool counts = !p->statuses.v[k].init;

		for (uint32_t i = 0; p->statuses.v[k].init && i < p->spec->init_containers.nr; i++)
			counts = counts || (p->spec->init_containers.v[i].name == p->statuses.v[k].name && streq(p->spec->init_containers.v[i].restart_policy, "Always"));
		ready += counts && p->statuses.v[k].ready;
	}
	sb_printf(out, "%u/%u", ready, nr);
}

static void pod_status(const struct cluster *c, const struct object *o, struct sb *out)
{
	const char *word;
	POD;

	word = p->reason ? p->reason : pod_phase_names[p->phase ? p->phase : POD_PENDING];
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (!p->statuses.v[k].init && p->statuses.v[k].state != CS_RUNNING && p->statuses.v[k].reason)
			word = p->statuses.v[k].reason;
	if (o->deleted != NEVER)
		word = streq(p->reason, "NodeLost") ? "Unknown" : "Terminating";
	sb_add(out, word);
}

static void pod_restarts(const struct cluster *c, const struct object *o, struct sb *out)
{
	int32_t nr = 0;
	POD;

	for (uint32_t k = 0; k < p->statuses.nr; k++)
		nr += p->statuses.v[k].init ? 0 : p->statuses.v[k].restarts;
	sb_printf(out, "%d", nr);
}

static void pod_ip(const struct cluster *c, const struct object *o, struct sb *out)
{
	POD;

	sb_add(out, ip_set(p->ip) ? IP(p->ip) : "<none>");
}

static void pod_node(const struct cluster *c, const struct object *o, struct sb *out)
{
	POD;

	sb_add(out, p->node ? p->node : "<none>");
}

static void service_type(const struct cluster *c, const struct object *o, struct sb *out)
{
	SERVICE;

	sb_add(out, svc_type_names[s->type]);
}

static void service_cluster_ip(const struct cluster *c, const struct object *o, struct sb *out)
{
	SERVICE;

	sb_add(out, s->cluster_ip ? s->cluster_ip : "<none>");
}

static void service_external(const struct cluster *c, const struct object *o, struct sb *out)
{
	uint32_t nr = 0;
	SERVICE;

	for (uint32_t k = 0; k < s->external_ips.nr; k++)
		sb_printf(out, "%s%s", nr++ ? "," : "", s->external_ips.v[k]);
	for (uint32_t k = 0; s->type == SVC_LOADBALANCER && k < s->lb_ingress.nr; k++)
		sb_printf(out, "%s%s", nr++ ? "," : "", s->lb_ingress.v[k].ip ? s->lb_ingress.v[k].ip : s->lb_ingress.v[k].hostname ? s->lb_ingress.v[k].hostname : "");
	if (s->type == SVC_EXTERNALNAME && s->external_name && !nr++)
		sb_add(out, s->external_name);
	if (!nr)
		sb_add(out, s->type == SVC_LOADBALANCER ? "<pending>" : "<none>");
}

static void service_ports(const struct cluster *c, const struct object *o, struct sb *out)
{
	SERVICE;

	for (uint32_t k = 0; k < s->ports.nr; k++) {
		const struct svc_port *p = &s->ports.v[k];

		sb_printf(out, "%s%d", k ? "," : "", p->port);
		if (p->node_port)
			sb_printf(out, ":%d", p->node_port);
		sb_printf(out, "/%s", l4_names[p->protocol]);
	}
	if (!s->ports.nr)
		sb_add(out, "<none>");
}

static void node_status(const struct cluster *c, const struct object *o, struct sb *out)
{
	const struct condition *ready;
	NODE;

	ready = condition_get(&n->conditions, "Ready");
	sb_add(out, !ready ? "Unknown" : ready->status == COND_TRUE ? "Ready" : "NotReady");
	if (n->unschedulable)
		sb_add(out, ",SchedulingDisabled");
}

static void node_address(const struct cluster *c, const struct object *o, struct sb *out)
{
	NODE;

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (streq(n->addresses.v[k].type, "InternalIP") && n->addresses.v[k].address) {
			sb_add(out, n->addresses.v[k].address);
			return;
		}
	sb_add(out, "<none>");
}

const struct column pod_columns[] = {
	{ "READY", false, pod_ready }, { "STATUS", false, pod_status }, { "RESTARTS", false, pod_restarts }, { "IP", true, pod_ip }, { "NODE", true, pod_node }, { NULL, false, NULL },
};
const struct column service_columns[] = {
	{ "TYPE", false, service_type }, { "CLUSTER-IP", false, service_cluster_ip }, { "EXTERNAL-IP", false, service_external }, { "PORT(S)", false, service_ports }, { NULL, false, NULL },
};
const struct column node_columns[] = { { "STATUS", false, node_status }, { "INTERNAL-IP", true, node_address }, { NULL, false, NULL } };
