/* The node's own kubelet as far as it speaks of the node: capacity, conditions. And the index of nodes and their Pods (nodes.h).
 * Sources: pkg/kubelet/kubelet_node_status.go, nodestatus/setters.go; kubelet.go updateRuntimeUp; facts 5. */
#include "model/control/nodes.h"

#include <stdlib.h>

#include "model/base/quantity.h"
#include "model/cluster/pod_network.h"

struct nodes {
	struct map by_name;                     /* → struct node_info */
	VEC(struct node_info *) all;
	struct table placed;                    /* Pod → struct node_info that counts it among its own */
	struct map demands;                     /* spec → struct demand */
	struct { const struct pod_spec *spec; const struct demand *demand; } last;      /* that was asked for last */
	uint32_t version;
};

static struct nodes *nodes_of(const struct control *t)
{
	return control_state(t, CTL_NODE);
}

struct node_info *node_info(const struct control *t, str name)
{
	return map_get_ptr(&nodes_of(t)->by_name, map_ptr(name));
}

struct node_info *node_of_pod(const struct control *t, const struct pod *p)
{
	struct node_info *on = p->node ? (struct node_info *)(uintptr_t)table_get(&nodes_of(t)->placed, p->o.id.i) : NULL;

	return on && on->name == p->node ? on : p->node ? node_info(t, p->node) : NULL;
}

struct node_info *const *nodes_all(const struct control *t, uint32_t *nr)
{
	*nr = nodes_of(t)->all.nr;
	return nodes_of(t)->all.v;
}

uint32_t nodes_version(const struct control *t)
{
	return nodes_of(t)->version;
}

const struct demand *demand_for(struct control *t, const struct pod_spec *s)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct nodes *x = nodes_of(t);
	uint64_t *at;
	struct demand *d;

	if (x->last.spec == s)
		return x->last.demand;
	at = map_put(&x->demands, a, map_ptr(s));
	d = (struct demand *)(uintptr_t)*at;
	if (!d) {
		d = arena_make(a, struct demand);
		*at = map_ptr(d);
		demand_of(s, a, d);
	}
	x->last.spec = s;
	x->last.demand = d;
	return d;
}

nsec fault_since(const struct object *o, const char *annotation)
{
	const char *s = label_get(&o->annotations, annotation);

	return s ? strtoll(s, NULL, 10) : NEVER;
}

nsec node_silent_since(const struct node *n)
{
	nsec cut = link_fault_of(n).cut ? fault_since(&n->o, LINK_ANNOTATION) : NEVER;

	return MIN(cut, fault_since(&n->o, DOWN_ANNOTATION));
}

bool kubelet_works(const struct node_info *i)
{
	return i && i->node && i->silent == NEVER;
}

/* The CNI configuration stays on the node's disk once it is written: a node that was Ready does not lose it with the agent's Pod. */
static bool configured(struct control *t, const struct node_info *i)
{
	if (!pod_network_comes_later(control_cluster(t)) || condition_status(&i->node->conditions, "Ready") == COND_TRUE)
		return true;
	for (uint32_t k = 0; k < i->pods.nr; k++)
		if (pod_network_installed_by(i->pods.v[k]))
			return true;
	return false;
}

bool network_ready(struct control *t, const struct node_info *i)
{
	return cluster_settings(control_cluster(t))->cni != CNI_NONE && i->node && i->no_cni == NEVER && configured(t, i);
}

/* ---- the index */

static struct node_info *named(struct control *t, str name)
{
	struct nodes *x = nodes_of(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at = map_put(&x->by_name, a, map_ptr(name));
	struct node_info *i = (struct node_info *)(uintptr_t)*at;

	if (i)
		return i;
	i = arena_make(a, struct node_info);
	*at = map_ptr(i);
	i->name = name;
	i->index = x->all.nr;
	i->can_cpu = i->can_memory = INT64_MAX;
	i->silent = i->no_cni = NEVER;
	vec_add(a, &x->all, i);
	return i;
}

static int64_t allocatable(const struct node *n, const char *name, int64_t absent)
{
	const char *s = label_get(&n->allocatable, name);
	int64_t milli;

	if (!s)
		s = label_get(&n->capacity, name);
	return s && quantity_parse(s, &milli) ? milli : absent;
}

static bool says_ready(const struct val *doc)
{
	VAL_EACH(c, val_path(doc, "status.conditions"))
		if (streq(val_str_at(c, "type"), "Ready"))
			return true;
	return false;
}

static void internal_addresses(const struct node *n, ip_addr *first, ip_addr *second)
{
	*first = *second = (ip_addr){ 0, 0 };
	for (uint32_t k = 0; k < n->addresses.nr; k++) {
		ip_addr ip;

		if (!streq(n->addresses.v[k].type, "InternalIP") || !ip_parse(n->addresses.v[k].address, &ip))
			continue;
		if (!ip_set(*first))
			*first = ip;
		else if (!ip_set(*second) && ip_is4(ip) != ip_is4(*first))
			*second = ip;
	}
}

static void node_changed(struct control *t, const struct change *ch)
{
	struct node *n = (struct node *)ch->object;
	struct node_info *i = named(t, n->o.name);

	nodes_of(t)->version++;
	i->version++;
	if (ch->kind == CHANGE_DELETE) {
		i->node = NULL;
		i->zone = NULL;
		return;
	}
	if (!i->node) {
		i->given = says_ready(n->o.doc);
		i->cordoned = n->unschedulable;
	}
	i->node = n;
	i->zone = label_get(&n->o.labels, "topology.kubernetes.io/zone");
	i->silent = node_silent_since(n);
	i->no_cni = fault_since(&n->o, NO_CNI_ANNOTATION);
	internal_addresses(n, &i->ip, &i->ip2);
	i->can_cpu = allocatable(n, "cpu", INT64_MAX);
	i->can_memory = allocatable(n, "memory", INT64_MAX);
	i->max_pods = (uint32_t)(allocatable(n, "pods", (int64_t)cluster_settings(control_cluster(t))->max_pods * 1000) / 1000);
	control_wake(t, CTL_NODE, ch->object, 0);
}

static void account_other(struct node_info *i, const struct amount *v, int sign, struct arena *a)
{
	for (uint32_t k = 0; k < i->other.nr; k++)
		if (streq(i->other.v[k].name, v->name)) {
			i->other.v[k].milli += sign * v->milli;
			return;
		}
	vec_add(a, &i->other, ((struct amount){ .name = v->name, .milli = sign * v->milli }));
}

static void account(struct node_info *i, const struct demand *d, int sign, struct arena *a)
{
	for (uint32_t k = 0; k < d->other.nr; k++)
		account_other(i, &d->other.v[k], sign, a);
	i->cpu += sign * d->cpu;
	i->memory += sign * d->memory;
	i->nz_cpu += sign * d->nz_cpu;
	i->nz_memory += sign * d->nz_memory;
	i->nr_ports += (uint32_t)(sign * d->host_ports);
}

static void place(struct control *t, struct pod *p, struct node_info *on)
{
	struct arena *a = cluster_arena(control_cluster(t));

	*table_at(t, &nodes_of(t)->placed, p->o.id.i) = map_ptr(on);
	vec_add(a, &on->pods, p);
	vec_add(a, &on->demands, demand_for(t, p->spec));
	account(on, on->demands.v[on->demands.nr - 1], 1, a);
}

static void unplace(struct control *t, struct pod *p, struct node_info *i)
{
	uint32_t k = 0;

	while (k < i->pods.nr && i->pods.v[k] != p)
		k++;
	if (k < i->pods.nr) {
		account(i, i->demands.v[k], -1, cluster_arena(control_cluster(t)));
		memmove(i->pods.v + k, i->pods.v + k + 1, (i->pods.nr - k - 1) * sizeof(*i->pods.v));
		memmove(i->demands.v + k, i->demands.v + k + 1, (i->demands.nr - k - 1) * sizeof(*i->demands.v));
		i->pods.nr--;
		i->demands.nr--;
	}
	*table_at(t, &nodes_of(t)->placed, p->o.id.i) = 0;
}

static void pod_changed(struct control *t, const struct change *ch)
{
	struct pod *p = (struct pod *)ch->object;
	struct node_info *on = (struct node_info *)(uintptr_t)table_get(&nodes_of(t)->placed, p->o.id.i);
	bool there = p->node && ch->kind != CHANGE_DELETE && !pod_is_terminal(p);

	if (on && (!there || on->name != p->node)) {
		unplace(t, p, on);
		on = NULL;
	}
	if (!on && there)
		place(t, p, named(t, p->node));
	if (there && pod_network_installed_by(p) && named(t, p->node)->node)
		control_wake(t, CTL_NODE, &named(t, p->node)->node->o, 0);
}

/* That the containers of a Pod are at work matters where it installs the Pod network. */
static bool concerns(const struct control *t, const struct object *pod)
{
	const struct owner_ref *ref = controller_of(pod);

	(void)t;
	return ref && streq(ref->kind, "DaemonSet");
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->object->kind == &node_kind)
		node_changed(t, ch);
	else
		pod_changed(t, ch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct nodes);
}

/* ---- what the kubelet posts */

#define NO_NETWORK                                                                                                             \
	"container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: " \
	"cni plugin not initialized"

static void post(struct control *t, struct node *n, bool network)
{
	struct cluster *c = control_cluster(t);
	enum cond_status was = condition_status(&n->conditions, "Ready");
	uint8_t cni = cluster_settings(c)->cni;
	bool changed = false;

	if (network && cni == CNI_CALICO)
		changed |= condition_put(c, &n->conditions, "NetworkUnavailable", COND_FALSE, "CalicoIsUp", "Calico is running on this node");
	if (network && cni == CNI_FLANNEL)
		changed |= condition_put(c, &n->conditions, "NetworkUnavailable", COND_FALSE, "FlannelIsUp", "Flannel is running on this node");
	changed |= condition_put(c, &n->conditions, "MemoryPressure", COND_FALSE, "KubeletHasSufficientMemory", "kubelet has sufficient memory available");
	changed |= condition_put(c, &n->conditions, "DiskPressure", COND_FALSE, "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
	changed |= condition_put(c, &n->conditions, "PIDPressure", COND_FALSE, "KubeletHasSufficientPID", "kubelet has sufficient PID available");
	changed |= condition_put(c, &n->conditions, "Ready", network ? COND_TRUE : COND_FALSE, network ? "KubeletReady" : "KubeletNotReady",
				 network ? "kubelet is posting ready status" : NO_NETWORK);
	if (!changed)
		return;
	if (was != condition_status(&n->conditions, "Ready"))
		cluster_event(c, &n->o, false, "kubelet", network ? "NodeReady" : "NodeNotReady", "Node %s status is now: %s", n->o.name,
			      network ? "NodeReady" : "NodeNotReady");
	cluster_touch(c, &n->o);
}

/* The labels that a kubelet gives its own node (kubelet_node_status.go initialNode). */
static void label_node(struct control *t, struct object *o)
{
	const struct pair own[] = { { "kubernetes.io/arch", "amd64" }, { "kubernetes.io/hostname", o->name }, { "kubernetes.io/os", "linux" } };
	struct cluster *c = control_cluster(t);
	pair_list labels = o->labels;

	for (size_t k = 0; k < ARRAY_LEN(own); k++)
		if (!label_get(&labels, own[k].key))
			labels = pairs_with(c, &labels, own[k].key, own[k].value);
	if (labels.v != o->labels.v)
		cluster_relabel(c, o, labels);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct node_info *i = node_info(t, o->name);
	bool broken = !o->gone && fault_since(o, NO_CNI_ANNOTATION) != NEVER;

	(void)now;
	if (o->gone || !kubelet_works(i))
		return;
	if (!cluster_flags(control_cluster(t))->no_defaults)
		label_node(t, o);
	if (i->cordoned != ((struct node *)o)->unschedulable) {         /* kubelet_node_status.go recordNodeSchedulableEvent */
		i->cordoned = ((struct node *)o)->unschedulable;
		cluster_event(control_cluster(t), o, false, "kubelet", i->cordoned ? "NodeNotSchedulable" : "NodeSchedulable", "Node %s status is now: %s", o->name, i->cordoned ? "NodeNotSchedulable" : "NodeSchedulable");
	}
	if (i->given && !broken)
		return;
	i->given = false;
	post(t, (struct node *)o, network_ready(t, i));
}

static const struct kind *const kinds_heard[] = { &node_kind, &pod_kind, NULL };
const struct controller node_controller = { .name = "node", .kinds = kinds_heard, .pods = (uint8_t)~POD_ADDRESS, .some = POD_STATUS, .concerns = concerns, .init = init, .watch = watch, .run = run };
