#include "viz/report/ipam.h"

#include <stdlib.h>

#include "viz/report/table.h"

static int by_address(const void *x, const void *y)
{
	return ip_order(*(const ip_addr *)x, *(const ip_addr *)y);
}

/* The addresses of all Pods that have one of their own, in order. */
static ip_addr *addresses(struct world *w, struct arena *a, uint32_t *nr)
{
	struct object_list l = cluster_list(w->cluster, &pod_kind);
	ip_addr *v = arena_array(a, ip_addr, 2 * (size_t)l.nr + 1);

	*nr = 0;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		if (p->spec->host_network || pod_is_terminal(p))
			continue;
		if (ip_set(p->ip))
			v[(*nr)++] = p->ip;
		if (ip_set(p->ip2))
			v[(*nr)++] = p->ip2;
	}
	qsort(v, *nr, sizeof(*v), by_address);
	return v;
}

static uint32_t within(const ip_addr *v, uint32_t nr, struct cidr c)
{
	uint32_t lo = 0, hi = nr, used = 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (ip_order(v[mid], c.addr) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + used < nr && cidr_contains(c, v[lo + used]))
		used++;
	return used;
}

/* host-local never gives the network's own address, the broadcast address and the gateway. */
static const char *fill(struct arena *a, uint32_t used, struct cidr c, bool calico)
{
	int bits = ip_bits(c.addr) - c.len;

	return bits < 31 ? arena_printf(a, "%u of %u", used, (1u << bits) - (calico ? 0 : bits > 1 ? 3 : 1u << bits)) : arena_printf(a, "%u", used);
}

/* Of Calico, how many blocks each node owns of those that it may. */
static void by_node(struct world *w, struct arena *a, struct sb *out)
{
	const struct dataplane *dp = w->dp;
	uint32_t most = cluster_settings(w->cluster)->max_blocks, *owned = arena_array(a, uint32_t, dp->netns.nr + 1);
	struct table_text t;

	table_begin(&t, a, 2);
	table_cell(&t, "NODE");
	table_cell(&t, "BLOCKS");
	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		owned[dp->blocks.v[k].owner.i] += !dp->blocks.v[k].borrowed;
	NETNS_EACH(dp, n)
		if (owned[n]) {
			table_cell(&t, netns_get(w->dp, (netns_h){ n })->name);
			table_cell(&t, most ? arena_printf(a, "%u of %u", owned[n], most) : arena_printf(a, "%u", owned[n]));
		}
	sb_addc(out, '\n');
	table_print(&t, out);
}

void ipam_text(struct world *w, struct sb *out)
{
	const struct dataplane *dp = w->dp;
	struct arena *a = arena_new(NULL, "ipam");
	uint32_t nr;
	const ip_addr *v = addresses(w, a, &nr);
	struct table_text t;

	bool calico = cluster_settings(w->cluster)->cni == CNI_CALICO;

	table_begin(&t, a, 3);
	table_cell(&t, "RANGE");
	table_cell(&t, "NODE");
	table_cell(&t, "IN USE");
	for (uint32_t k = 0; k < dp->blocks.nr; k++) {
		table_cell(&t, CIDR(dp->blocks.v[k].cidr));
		table_cell(&t, netns_get(w->dp, dp->blocks.v[k].owner)->name);
		table_cell(&t, arena_printf(a, "%s%s", fill(a, within(v, nr, dp->blocks.v[k].cidr), dp->blocks.v[k].cidr, calico), dp->blocks.v[k].borrowed ? " (borrowed)" : ""));
	}
	table_print(&t, out);
	if (calico)
		by_node(w, a, out);
	arena_free(a);
}
