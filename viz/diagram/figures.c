/* The figures that there are, by name. */
#include "viz/diagram/figure.h"

#include <string.h>

#include "model/base/err.h"

#define FIGURES(X)                                                                                                      \
	X(cluster, "cluster", "", "nodes, their Pods, and the Services in front of them")                               \
	X(clusterip, "clusterip", "", "how a ClusterIP is configured, and the way of a packet to it (--focus svc/NAME)") \
	X(ingress, "ingress", "", "from a client by the Ingress controller to a Pod's containers and its storage")      \
	X(calico, "calico", "", "calico-node on each node, BGP between them, Services above")                           \
	X(trace, "trace", "FROM TO", "the way of one packet, hop by hop")                                               \
	X(node, "node/", "NAME", "a node's namespaces, interfaces, routes and rules")                                   \
	X(pod, "pod/", "NAME", "a Pod's containers, its pause container, namespaces, volumes and veth")                 \
	X(svc, "svc/", "NAME", "every rule from a client to the endpoints of a Service")                                \
	X(routes, "routes", "", "which node has which Pod addresses, and how the others reach them")                    \
	X(bgp, "bgp", "", "BGP speakers and their sessions")                                                            \
	X(policy, "policy", "", "what NetworkPolicies let in, workload by workload")                                    \
	X(matrix, "matrix", "", "who may reach whom by policy, as a heat map")                                          \
	X(timeline, "timeline", "KIND/NAME", "what happened to an object, and when")                                    \
	X(compare, "compare", "A B", "what changes between two sets of manifests")

#define X(fn, name, args, help) bool fig_##fn(struct world *, const struct figure_options *, const char *, const char *const *, uint32_t, struct scene *, struct err *);
FIGURES(X)
#undef X

const struct figure figures[] = {
#define X(fn, name, args, help) { name, args, help, fig_##fn },
	FIGURES(X)
#undef X
	{ NULL, NULL, NULL, NULL },
};

void figure_names(struct sb *out)
{
	for (const struct figure *f = figures; f->name; f++)
		sb_printf(out, "%s%s%s%s", f == figures ? "" : ", ", f->name, *f->args && f->name[strlen(f->name) - 1] != '/' ? " " : "", f->args);
}

static bool enough(const struct figure *f, uint32_t nr, struct err *err)
{
	uint32_t wanted = 0;

	for (const char *p = f->args; *p && f->name[strlen(f->name) - 1] != '/'; p += strcspn(p, " "), p += strspn(p, " "))
		wanted++;
	if (nr == wanted)
		return true;
	if (!wanted)
		return err_add(err, ERR_INPUT, NULL, "draw %s takes nothing behind it", f->name);
	return err_add(err, ERR_INPUT, NULL, "draw %s needs %s", f->name, f->args);
}

bool figure_fill(struct world *w, const struct figure_options *opt, const char *what, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	const char *names[ARRAY_LEN(figures)] = { NULL }, *near;
	struct sb all = { 0 };

	for (const struct figure *f = figures; f->name; f++) {
		size_t n = strlen(f->name);

		if (strcmp(f->name, what) == 0 && f->name[n - 1] != '/')
			return enough(f, nr, err) && f->fill(w, opt, NULL, args, nr, s, err);
		if (f->name[n - 1] == '/' && strncmp(what, f->name, n) == 0 && what[n])
			return enough(f, nr, err) && f->fill(w, opt, what + n, args, nr, s, err);
		names[f - figures] = f->name;
	}
	near = nearest(what, names);
	figure_names(&all);
	err_add(err, ERR_INPUT, NULL, "there is no figure \"%s\"%s%s%s; there are %s", what, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", sb_text(&all));
	sb_free(&all);
	return false;
}
