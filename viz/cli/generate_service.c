/* Services: create service, and expose. */
#include "viz/cli/making.h"

#include <stdlib.h>

static bool tcp_ports(struct making *m, struct val *spec, long node_port)
{
	struct val *list = m->cli->tcp.nr ? making_list(m, spec, "ports") : NULL;

	for (uint32_t k = 0; k < m->cli->tcp.nr; k++) {
		const char *text = m->cli->tcp.v[k], *colon = strchr(text, ':');
		char *name = arena_strdup(m->a, text);
		struct val *p = making_item(m, list);
		long port;

		if (!making_number(m, "tcp", arena_strndup(m->a, text, strcspn(text, ":")), 1, 65535, &port))
			return false;
		for (char *c = name; *c; c++)
			*c = (char)(*c == ':' ? '-' : *c);
		making_put(m, p, "name", name);
		val_put(m->a, p, "port", val_int(m->a, port));
		making_put(m, p, "protocol", "TCP");
		val_put(m->a, p, "targetPort", colon ? making_port(m, colon + 1) : val_int(m->a, port));
		if (node_port)
			val_put(m->a, p, "nodePort", val_int(m->a, node_port));
	}
	return true;
}

bool make_service(struct making *m)
{
	static const struct { const char *word, *type; } types[] = { { "clusterip", "ClusterIP" }, { "nodeport", "NodePort" }, { "loadbalancer", "LoadBalancer" }, { "externalname", "ExternalName" } };
	struct val *spec = making_begin(m, "v1", "Service", true, true);
	const char *type = NULL;
	long node_port = 0;

	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		if (strcmp(m->type, types[k].word) == 0)
			type = types[k].type;
	if (!type)
		return err_add(m->err, ERR_INPUT, NULL, "create service: \"%s\" is not clusterip, nodeport, loadbalancer or externalname", m->type);
	making_put(m, making_map(m, making_meta(m), "labels"), "app", m->name);
	making_put(m, making_map(m, spec, "selector"), "app", m->name);
	making_put(m, spec, "type", type);
	if (m->cli->cluster_ip)
		making_put(m, spec, "clusterIP", m->cli->cluster_ip);
	if (strcmp(type, "ExternalName") == 0) {
		if (!m->cli->external_name)
			return err_add(m->err, ERR_INPUT, NULL, "--external-name is missing: which name does it stand for?");
		making_put(m, spec, "externalName", m->cli->external_name);
	} else if (!m->cli->tcp.nr && !streq(m->cli->cluster_ip, "None")) {
		return err_add(m->err, ERR_INPUT, NULL, "--tcp is missing: at least one port, as --tcp=80:8080");
	}
	if (m->cli->node_port && !making_number(m, "node-port", m->cli->node_port, 1, 65535, &node_port))
		return false;
	return tcp_ports(m, spec, node_port);
}

/* What a Service selects that is to show this object; NULL: err. */
static struct val *selector_of(struct making *m, const struct object *o, const struct val *doc)
{
	const struct val *labels = o->kind == &pod_kind ? val_path(doc, "metadata.labels") : o->kind == &service_kind || o->kind == &replication_controller_kind ? val_path(doc, "spec.selector") :
				   o->kind == &deployment_kind || o->kind == &replicaset_kind ? val_path(doc, "spec.selector.matchLabels") : NULL;

	if (val_first(val_path(doc, "spec.selector.matchExpressions")))
		return err_add(m->err, ERR_INPUT, NULL, "%s \"%s\" selects by expressions, which no Service can: --selector", o->kind->name, o->name), NULL;
	if (!val_first(labels))
		return err_add(m->err, ERR_INPUT, NULL, "%s \"%s\" has no labels that a Service could select: --selector", o->kind->name, o->name), NULL;
	return val_copy(m->a, labels);
}

static struct val *port_in(struct making *m, struct val *list, const char *name, long port, const char *protocol)
{
	struct val *p = making_item(m, list);

	if (name)
		making_put(m, p, "name", name);
	val_put(m->a, p, "port", val_int(m->a, port));
	making_put(m, p, "protocol", protocol);
	val_put(m->a, p, "targetPort", m->cli->target_port ? making_port(m, m->cli->target_port) : val_int(m->a, port));
	return p;
}

/* The ports that the object itself has: of a Service, or of its containers. */
static struct val *own_ports(struct making *m, const struct object *o, const struct val *doc)
{
	const struct val *pod = o->kind == &pod_kind ? val_get(doc, "spec") : val_path(doc, "spec.template.spec");
	struct val *all = val_new(m->a, VAL_LIST);

	if (o->kind == &service_kind)
		VAL_EACH(p, val_path(doc, "spec.ports"))
			val_add(m->a, all, val_copy(m->a, p));
	VAL_EACH(c, val_get(pod, "containers"))
		VAL_EACH(p, val_get(c, "ports"))
			val_add(m->a, all, val_copy(m->a, p));
	return all;
}

static int64_t port_of(const struct val *p)
{
	return val_int_or(val_get(p, val_get(p, "containerPort") ? "containerPort" : "port"), 0);
}

static const char *protocol_of(struct making *m, const struct val *all, int64_t port)
{
	const char *protocol = m->cli->protocol;

	VAL_EACH(p, all)
		if (!protocol && port_of(p) == port)
			protocol = val_str_at(p, "protocol");
	return protocol ? protocol : "TCP";
}

static bool service_ports(struct making *m, const struct object *o, const struct val *doc, struct val *spec)
{
	struct val *all = own_ports(m, o, doc), *list = making_list(m, spec, "ports");
	const char *text = m->cli->port;
	uint32_t nr = 0;
	long port;

	if (!text) {
		VAL_EACH(p, all)
			port_in(m, list, all->nr > 1 ? arena_printf(m->a, "port-%u", ++nr) : NULL, (long)port_of(p), protocol_of(m, all, port_of(p)));
		return all->nr || streq(m->cli->cluster_ip, "None") || err_add(m->err, ERR_INPUT, NULL, "--port is missing: %s \"%s\" names no port itself", o->kind->name, o->name);
	}
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ",");

		if (!making_number(m, "port", arena_strndup(m->a, p, n), 1, 65535, &port))
			return false;
		port_in(m, list, text[strcspn(text, ",")] ? arena_printf(m->a, "port-%u", ++nr) : NULL, port, protocol_of(m, all, port));
		p += n + (p[n] == ',');
	}
	return true;
}

struct val *generate_service(struct cli *cli, const struct object *o, const struct val *doc, struct err *err)
{
	struct making m = { .cli = cli, .a = cli->arena, .name = cli->name ? cli->name : arena_strndup(cli->arena, o->name, 63), .err = err };
	struct val *spec = making_begin(&m, "v1", "Service", true, true), *labels = NULL;

	if (o->kind != &pod_kind && o->kind != &service_kind && o->kind != &replication_controller_kind && o->kind != &deployment_kind && o->kind != &replicaset_kind)
		return err_add(err, ERR_INPUT, NULL, "cannot expose a %s: only a Pod, Service, ReplicationController, Deployment or ReplicaSet", o->kind->name), NULL;
	if (cli->labels && !making_pairs(&m, labels = making_map(&m, making_meta(&m), "labels"), "labels", cli->labels))
		return NULL;
	if (!cli->labels && val_first(val_path(doc, "metadata.labels")))
		val_put(m.a, making_meta(&m), "labels", val_copy(m.a, val_path(doc, "metadata.labels")));
	if (cli->selector) {
		if (!making_pairs(&m, making_map(&m, spec, "selector"), "selector", cli->selector))
			return NULL;
	} else {
		struct val *selector = selector_of(&m, o, doc);

		if (!selector)
			return NULL;
		val_put(m.a, spec, "selector", selector);
	}
	if (!service_ports(&m, o, doc, spec))
		return NULL;
	if (cli->type)
		making_put(&m, spec, "type", cli->type);
	if (cli->cluster_ip)
		making_put(&m, spec, "clusterIP", cli->cluster_ip);
	if (cli->external_ip)
		val_add(m.a, making_list(&m, spec, "externalIPs"), val_string(m.a, cli->external_ip));
	if (cli->load_balancer_ip && streq(cli->type, "LoadBalancer"))
		making_put(&m, spec, "loadBalancerIP", cli->load_balancer_ip);
	if (cli->session_affinity)
		making_put(&m, spec, "sessionAffinity", cli->session_affinity);
	return m.root;
}
