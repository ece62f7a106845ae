#include "model/cluster/pod_network.h"

#include <stdlib.h>

#include "model/cluster/cluster.h"

static const struct { const char *daemonset; uint8_t cni; } agents[] = {
	{ "calico-node", CNI_CALICO }, { "kube-flannel-ds", CNI_FLANNEL }, { "kube-flannel", CNI_FLANNEL }, { "kindnet", CNI_BRIDGE },
};

uint8_t pod_network_of(const char *daemonset)
{
	for (size_t k = 0; k < ARRAY_LEN(agents); k++)
		if (streq(agents[k].daemonset, daemonset))
			return agents[k].cni;
	return CNI_NONE;
}

const struct workload *pod_network_daemonset(struct cluster *c)
{
	struct object_list l = cluster_list(c, &daemonset_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (pod_network_of(l.v[k]->name) != CNI_NONE)
			return (const struct workload *)l.v[k];
	return NULL;
}

const char *pod_network_env(const struct workload *w, const char *name)
{
	const struct pod_spec *spec = w->template.spec;

	for (uint32_t k = 0; spec && k < spec->containers.nr; k++)
		for (uint32_t i = 0; i < spec->containers.v[k].env.nr; i++)
			if (streq(spec->containers.v[k].env.v[i].name, name))
				return spec->containers.v[k].env.v[i].value;
	return NULL;
}

const char *pod_network_arg(const struct workload *w, const char *option)
{
	const struct pod_spec *spec = w->template.spec;
	size_t n = strlen(option);

	for (uint32_t k = 0; spec && k < spec->containers.nr; k++) {
		const str_list *lists[] = { &spec->containers.v[k].command, &spec->containers.v[k].args };

		for (size_t l = 0; l < ARRAY_LEN(lists); l++)
			for (uint32_t i = 0; i < lists[l]->nr; i++) {
				const char *s = lists[l]->v[i];

				if (s && strncmp(s, option, n) == 0 && s[n] == '=')
					return s + n + 1;
				if (streq(s, option) && i + 1 < lists[l]->nr)
					return lists[l]->v[i + 1];
			}
	}
	return NULL;
}

static uint8_t encap(const char *mode)
{
	return streq(mode, "Always") ? ENCAP_ALWAYS : streq(mode, "CrossSubnet") ? ENCAP_CROSS_SUBNET : ENCAP_NEVER;
}

/* The variables of one family: CALICO_IPV4POOL_CIDR and its kin. */
static void pool_from_env(struct cluster *c, const struct workload *w, const char *family, struct pool_setting *p)
{
	struct arena *a = cluster_arena(c);
	const char *cidr = pod_network_env(w, arena_printf(a, "CALICO_%sPOOL_CIDR", family)), *ipip = pod_network_env(w, arena_printf(a, "CALICO_%sPOOL_IPIP", family)),
		   *vxlan = pod_network_env(w, arena_printf(a, "CALICO_%sPOOL_VXLAN", family)), *size = pod_network_env(w, arena_printf(a, "CALICO_%sPOOL_BLOCK_SIZE", family)),
		   *nat = pod_network_env(w, arena_printf(a, "CALICO_%sPOOL_NAT_OUTGOING", family));
	int bits = size ? atoi(size) : 0;
	struct cidr given;

	if (cidr && cidr_parse(cidr, &given) && ip_is4(given.addr) == ip_is4(p->cidr.addr))
		p->cidr = given;
	if (ipip)
		p->ipip = encap(ipip);
	if (vxlan)
		p->vxlan = encap(vxlan);
	if (bits >= p->cidr.len && bits <= ip_bits(p->cidr.addr))
		p->block_size = (uint8_t)bits;
	if (nat)
		p->nat_outgoing = streq(nat, "true");
	p->cause = w->o.id;
}

void pod_network_configure(struct cluster *c, struct settings *s)
{
	const struct workload *w = s->cni == CNI_CALICO ? pod_network_daemonset(c) : NULL;
	const char *action = w ? pod_network_env(w, "FELIX_DEFAULTENDPOINTTOHOSTACTION") : NULL;

	for (uint32_t k = 0; w && !cluster_count(c, &ip_pool_kind) && k < s->pools.nr; k++)
		pool_from_env(c, w, ip_is4(s->pools.v[k].cidr.addr) ? "IPV4" : "IPV6", &s->pools.v[k]);
	if (action && !cluster_count(c, &felix_configuration_kind))
		s->endpoint_to_host_accept = !streq(action, "DROP") && !streq(action, "Drop");
}

bool pod_network_comes_later(struct cluster *c)
{
	struct object_list l = cluster_list(c, &kind_cluster_kind);

	return streq(cluster_flags(c)->cni, cni_names[CNI_NONE]) || (!cluster_flags(c)->cni && l.nr && ((const struct kind_cluster *)l.v[0])->disable_default_cni);
}

bool pod_network_installed_by(const struct pod *p)
{
	bool ours = false, started = false;

	for (uint32_t k = 0; k < p->o.owners.nr; k++)
		ours = ours || (p->o.owners.v[k].controller && streq(p->o.owners.v[k].kind, "DaemonSet") && pod_network_of(p->o.owners.v[k].name) != CNI_NONE);
	for (uint32_t k = 0; ours && k < p->statuses.nr; k++)
		started = started || (!p->statuses.v[k].init && p->statuses.v[k].state == CS_RUNNING);
	return started;
}

bool calico_plugin_has(const struct cluster *c, const char *name)
{
	static const struct { const char *ns, *name, *key; } from[] = { { "kube-system", "calico-config", "cni_network_config" }, { "calico-system", "cni-config", "config" } };
	char quoted[40];

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	for (size_t k = 0; k < ARRAY_LEN(from); k++) {
		const struct config_map *m = (const struct config_map *)cluster_find(c, &config_map_kind, from[k].ns, from[k].name);
		const char *text = m ? label_get(&m->data, from[k].key) : NULL, *at = text ? strstr(text, quoted) : NULL;

		if (!at)
			continue;
		at += strlen(quoted);
		at += strspn(at, " \t\r\n:");
		return strncmp(at, "true", 4) == 0;
	}
	return false;
}
