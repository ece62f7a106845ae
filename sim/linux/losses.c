/* Links that lose some of their packets (`podwire fault link NODE loss=20%`): a rule at the segment's end of the link, for each direction, that drops by chance. */
#include "sim/linux/live.h"
#include "sim/linux/nft_run.h"

#include <stdlib.h>

static void rules_of(const struct space *s, struct sb *out)
{
	static const char *const hooks[] = { "ingress", "egress" };

	for (uint32_t k = 0; k < s->now.links.nr; k++) {
		const struct k_link *l = &s->now.links.v[k];
		char port[16];

		if (l->kind != LINK_PHYS || !l->loss_permille || l->loss_permille >= 1000)
			continue;
		wire_port(s, l, port);
		for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
			sb_printf(out, "\tchain s%u_%u_%s { type filter hook %s device \"%s\" priority 0; numgen random mod 1000 < %u drop; }\n", s->id, l->index, hooks[i], hooks[i], port, l->loss_permille);
	}
}

bool losses_sync(struct live *live, struct err *err)
{
	static const char begin[] = "add table netdev podwire_losses\ndelete table netdev podwire_losses\n";
	struct sb chains = { 0 }, commands = { 0 };
	bool ok = true;

	for (uint32_t k = 0; k < live->spaces.nr; k++)
		if (live->spaces.v[k])
			rules_of(live->spaces.v[k], &chains);
	if (strcmp(sb_text(&chains), live->losses ? live->losses : "") != 0) {
		sb_add(&commands, begin);
		if (chains.len)
			sb_printf(&commands, "table netdev podwire_losses {\n%s}\n", sb_text(&chains));
		ok = live_enter(live, NULL, err) && nft_run(sb_text(&commands), 0, NULL, "the network between nodes, for the loss of a link", err);
		if (ok) {               /* else what was there stands */
			free(live->losses);
			live->losses = strdup(sb_text(&chains));
		}
	}
	sb_free(&chains);
	sb_free(&commands);
	return ok;
}
