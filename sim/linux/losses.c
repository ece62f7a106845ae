/* Links that lose packets: some, by chance (`podwire fault link NODE loss=20%`), or those that are too large (`mtu=1400`). Rules at the segment's end of the link, for each
 * direction. */
#include "sim/linux/live.h"
#include "sim/linux/nft_run.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD6 40u                       /* what IPv6's length does not count */

static bool loses_some(const struct k_link *l)
{
	return l->kind == LINK_PHYS && ((l->loss_permille && l->loss_permille < 1000) || l->carries);
}

static void rules_of(const struct space *s, struct sb *out, bool *sizes)
{
	static const char *const hooks[] = { "ingress", "egress" };

	for (uint32_t k = 0; k < s->now.links.nr; k++) {
		const struct k_link *l = &s->now.links.v[k];
		char port[16];

		if (!loses_some(l))
			continue;
		*sizes = *sizes || l->carries;
		wire_port(s, l, port);
		for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
			sb_printf(out, "\tchain s%u_%u_%s { type filter hook %s device \"%s\" priority 0;", s->id, l->index, hooks[i], hooks[i], port);
			if (l->carries)
				sb_printf(out, " ip length > %u drop; ip6 length > %u drop;", l->carries, l->carries - MIN(l->carries, HEAD6));
			if (l->loss_permille && l->loss_permille < 1000)
				sb_printf(out, " numgen random mod 1000 < %u drop;", l->loss_permille);
			sb_add(out, " }\n");
		}
	}
}

/* Between namespaces the kernel passes segments of TCP on in bundles, whose size is none that a link would see. */
static bool bundles(struct live *live, bool on, struct err *err)
{
	bool ok = true;

	for (uint32_t k = 0; ok && k < live->spaces.nr; k++) {
		const struct space *s = live->spaces.v[k];

		for (uint32_t i = 0; ok && s && i < s->now.links.nr; i++) {
			struct ethtool_value tso = { .cmd = ETHTOOL_STSO, .data = on };
			struct ifreq r = { .ifr_data = (void *)&tso };
			int fd;

			if (s->now.links.v[i].kind != LINK_PHYS)
				continue;
			memcpy(r.ifr_name, s->now.links.v[i].name, sizeof(r.ifr_name));
			ok = live_enter(live, s, err);
			fd = ok ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
			if (ok && (fd < 0 || ioctl(fd, SIOCETHTOOL, &r) != 0))
				ok = err_add(err, ERR_MACHINE, NULL, "segmentation by %s of %s: %s", s->now.links.v[i].name, s->name, strerror(errno));
			if (fd >= 0)
				close(fd);
		}
	}
	return ok;
}

bool losses_sync(struct live *live, struct err *err)
{
	static const char begin[] = "add table netdev podwire_losses\ndelete table netdev podwire_losses\n";
	struct sb chains = { 0 }, commands = { 0 };
	bool ok = true, sizes = false;

	for (uint32_t k = 0; k < live->spaces.nr; k++)
		if (live->spaces.v[k])
			rules_of(live->spaces.v[k], &chains, &sizes);
	if (sizes || live->unbundled)           /* each time: nodes come */
		ok = bundles(live, !sizes, err);
	live->unbundled = sizes;
	if (ok && strcmp(sb_text(&chains), live->losses ? live->losses : "") != 0) {
		sb_add(&commands, begin);
		if (chains.len)
			sb_printf(&commands, "table netdev podwire_losses {\n%s}\n", sb_text(&chains));
		ok = live_enter(live, NULL, err) && nft_run(sb_text(&commands), 0, NULL, "the network between nodes, for what a link loses", err);
		if (ok) {               /* else what was there stands */
			free(live->losses);
			live->losses = strdup(sb_text(&chains));
		}
	}
	sb_free(&chains);
	sb_free(&commands);
	return ok;
}
