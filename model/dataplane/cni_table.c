#include "model/dataplane/compile.h"

extern const struct cni cni_calico, cni_flannel, cni_bridge;

static void nothing(struct compile *x)
{
	x->pod_mtu = x->uplink_mtu;
}

static void no_links(struct compile *x, struct node_build *nb, link_h *pod_link)
{
	(void)x;
	for (uint32_t k = 0; k < nb->nr_pods; k++)
		pod_link[k] = (link_h){ 0 };
}

/* No Pod network: a Pod that has an address all the same (its status says so) has it on an interface that leads nowhere. */
static link_h lone_pod(struct compile *x, struct node_build *nb, struct pod *p, netns_h ns, link_h host_end)
{
	link_h eth0 = add_veth(x, ns, "eth0", host_end);

	(void)nb;
	addr_add(x->dp, eth0, p->ip, (uint8_t)ip_bits(p->ip));
	return eth0;
}

static uint8_t whole(struct compile *x, struct node_build *nb, ip_addr ip)
{
	(void)x;
	(void)nb;
	return (uint8_t)ip_bits(ip);
}

static const char *no_name(const struct settings *s)
{
	return s->bridge_interface;
}

static const struct cni cni_none = { .name = "none", .network = nothing, .node = no_links, .pod = lone_pod, .pod_prefix = whole, .in_name = no_name };

const struct cni *const cni_table[CNI_COUNT] = {
	[CNI_CALICO] = &cni_calico, [CNI_FLANNEL] = &cni_flannel, [CNI_BRIDGE] = &cni_bridge, [CNI_NONE] = &cni_none,
};

void pod_mac(uint8_t mac[6], ip_addr ip)
{
	mac[0] = 0x0a;
	mac[1] = 0x58;          /* as the CNI plugins build them from the address */
	for (int k = 0; k < 4; k++)
		mac[2 + k] = (uint8_t)(ip.lo >> (24 - 8 * k));
}
