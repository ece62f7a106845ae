/* The figures that there are, by name. */
#include "viz/diagram/figure.h"

#include <string.h>

#define FIGURE(fn) bool fn(struct world *, const struct figure_options *, const char *, const char *const *, uint32_t, struct scene *, struct err *)
FIGURE(fig_cluster);
FIGURE(fig_clusterip);
FIGURE(fig_ingress);
FIGURE(fig_calico);

const struct figure figures[] = {
	{ "cluster", "", "nodes, their Pods, and the Services in front of them", fig_cluster },
	{ "clusterip", "", "how a ClusterIP is configured, and the way of a packet to it (--focus svc/NAME)", fig_clusterip },
	{ "ingress", "", "from a client by the Ingress controller to a Pod's containers and its storage", fig_ingress },
	{ "calico", "", "calico-node on each node, BGP between them, Services above", fig_calico },
	{ NULL, NULL, NULL, NULL },
};

bool figure_fill(struct world *w, const struct figure_options *opt, const char *what, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	const char *names = "";

	for (const struct figure *f = figures; f->name; f++) {
		if (strcmp(f->name, what) == 0)
			return f->fill(w, opt, NULL, args, nr, s, err);
		names = arena_printf(s->arena, "%s%s%s", names, *names ? ", " : "", f->name);
	}
	return err_add(err, ERR_INPUT, NULL, "there is no figure \"%s\"; there are %s", what, names);
}
