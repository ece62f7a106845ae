/* What one namespace has, in the kernel's own shape: links, addresses, routes, permanent neighbours, settings. A view comes from the dataplane (what should be) or
 * from the kernel (what is); the difference of two views is what has to be changed, or what verify reports. */
#ifndef PODWIRE_VIEW_H
#define PODWIRE_VIEW_H

#include "model/dataplane/dataplane.h"
#include "sim/linux/netlink.h"

/* All members are compared as bytes: whoever fills one begins with zeroes. Indexes are the kernel's, and ours to choose: a link keeps its own for life. */
struct k_link {
	char name[16];
	uint32_t index;
	uint8_t kind;                   /* enum link_kind; a veth that leads to the segment is LINK_PHYS, as in the dataplane */
	uint8_t mac[6]; bool has_mac;   /* has_mac: it was chosen, not drawn by the kernel */
	uint32_t vni; uint16_t dstport; ip_addr local;
	uint32_t segment;               /* PHYS */
	uint32_t far_space, far_index;  /* VETH: the other end, as spaces are numbered in the lab; 0: in the fabric, leading nowhere */
	/* what can be changed while it lives */
	uint32_t mtu, master;
	bool up, proxy_arp, route_localnet, hairpin, carrier;   /* carrier, PHYS: the segment's side is up */
	uint8_t rp_filter;
	uint16_t loss_permille;
	uint32_t carries;               /* PHYS: what is larger vanishes on the way; 0: everything passes */
};
struct k_addr { uint32_t index; uint8_t len; ip_addr ip; };
struct k_route { ip_addr dst; uint8_t len, type, proto; bool onlink, scope_link; uint32_t index; ip_addr via, src; };
struct k_neigh { uint32_t index; bool fdb; uint8_t mac[6]; ip_addr ip; };       /* fdb: of a tunnel; ip is the outer address */
struct k_settings { bool forward4, forward6, bridge_nf; };

struct view {
	VEC(struct k_link) links;
	VEC(struct k_addr) addrs;
	VEC(struct k_route) routes;
	VEC(struct k_neigh) neighs;
	struct k_settings settings;
};

/* What the dataplane says of one namespace. index[]: the kernel's index of each link (by its handle); space[]: the lab's number of each namespace. */
void view_of(const struct dataplane *, netns_h, const uint32_t *index, const uint32_t *space, struct arena *, struct view *out);
/* What the kernel has, in the namespace of nl. like: what should be there, for what the kernel cannot say (segments, far ends). Settings: of /proc/sys. */
bool view_read(struct nl *, const struct view *like, struct arena *, struct view *out, struct err *);

void view_order(struct view *);                                         /* as the functions below want it */

/* Calls with what is only in a, only in b, or differs in what may change (both). Any of from, to is NULL where it is missing. Links first, then addresses, neighbours,
 * routes; what goes before what comes. */
enum view_part { VIEW_LINK, VIEW_ADDR, VIEW_NEIGH, VIEW_ROUTE, VIEW_SETTINGS };
typedef bool (*view_each)(void *ctx, enum view_part, const void *from, const void *to);
bool view_diff(const struct view *a, const struct view *b, view_each, void *ctx);
void view_text(enum view_part, const void *item, const struct view *names, struct sb *);        /* one item as `ip` would print it */

#endif
