#include "viz/diagram/tally.h"

#include <stdlib.h>

enum { MAX_ROWS = 12 };

/* Does the k-th of nr still have a row of its own? One more than there is room for is no worse than a row that counts it. */
static bool has_row(uint32_t k, uint32_t nr) { return k < MAX_ROWS || (k == MAX_ROWS && k + 1 == nr); }

static void node_row(struct scene *s, box_h h, const struct node *n, uint32_t pods, bool new_row)
{
	const struct condition *ready = condition_get(&n->conditions, "Ready");
	bool down = ready && ready->status != COND_TRUE;

	scene_cell(s, h, new_row, ROW_TEXT, ROLE_PLAIN, n->o.name);
	scene_cell(s, h, false, ROW_NOTE, ROLE_PLAIN, ip_set(node_ip(n)) ? arena_strdup(s->arena, IP(node_ip(n))) : "");
	scene_cell(s, h, false, down ? ROW_CHANGED : ROW_TEXT, ROLE_PLAIN, down ? "✕ NotReady" : arena_printf(s->arena, "%u Pod%s", pods, &"s"[pods == 1]));
}

box_h tally_nodes(struct scene *s, struct world *w)
{
	struct object_list nodes = part_nodes(w->cluster, s->arena), pods = cluster_list(w->cluster, &pod_kind);
	struct map index = { 0 };
	uint32_t *count = arena_array(s->arena, uint32_t, (size_t)nodes.nr + 1), rest = 0, rest_pods = 0, system = 0;
	box_h h = scene_box(s, (box_h){ 0 }, ROLE_NODE, "nodes", arena_printf(s->arena, "%u node%s", nodes.nr, &"s"[nodes.nr == 1]), "Pods on each");

	for (uint32_t k = 0; k < nodes.nr; k++)
		*map_put(&index, s->arena, map_ptr(nodes.v[k]->name)) = k + 1;
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		uint64_t *at = p->node && !pod_is_terminal(p) ? map_find(&index, map_ptr(p->node)) : NULL;

		if (at)
			count[*at - 1]++;
		system += at && is_system(&p->o);
	}
	for (uint32_t k = 0; k < nodes.nr; k++) {
		if (has_row(k, nodes.nr)) {
			node_row(s, h, (const struct node *)nodes.v[k], count[k], k % 2 == 0);
			continue;
		}
		rest++;
		rest_pods += count[k];
	}
	if (rest)
		scene_row(s, h, ROW_NOTE, arena_printf(s->arena, "%s … %s: %u nodes with %u Pods", nodes.v[MAX_ROWS]->name, nodes.v[nodes.nr - 1]->name, rest, rest_pods), NULL);
	if (system)
		scene_row(s, h, ROW_NOTE, arena_printf(s->arena, "%u of the Pods are the system's own", system), NULL);
	return h;
}

/* ---- namespaces */

static struct tally_ns *count_of(struct tally *t, struct map *index, const char *ns, struct arena *a)
{
	uint64_t *at = map_put(index, a, map_ptr(ns));

	if (!*at) {
		t->v[t->nr].ns = ns;
		*at = ++t->nr;
	}
	return &t->v[*at - 1];
}

static int by_pods(const void *x, const void *y)
{
	const struct tally_ns *a = x, *b = y;

	return a->pods != b->pods ? a->pods > b->pods ? -1 : 1 : str_order(a->ns, b->ns);
}

void tally_count(struct tally *t, const struct pod_groups *groups, const struct service *const *svc, uint32_t nr_services, struct arena *a)
{
	struct map index = { 0 };

	*t = (struct tally){ .v = arena_array(a, struct tally_ns, (size_t)groups->nr + nr_services + 1) };
	for (uint32_t k = 0; k < groups->nr; k++) {
		struct tally_ns *c = count_of(t, &index, groups->v[k]->ns, a);

		c->workloads++;
		c->pods += groups->v[k]->nr;
	}
	for (uint32_t k = 0; k < nr_services; k++)
		count_of(t, &index, svc[k]->o.ns, a)->services++;
	if (t->nr)
		qsort(t->v, t->nr, sizeof(*t->v), by_pods);
}

box_h tally_namespaces(struct scene *s, const struct tally *t)
{
	box_h h = scene_box(s, (box_h){ 0 }, ROLE_PLAIN, "namespaces", arena_printf(s->arena, "%u namespaces", t->nr), "all of them, drawn or not");
	uint32_t rest = 0, rest_pods = 0;

	for (uint32_t k = 0; k < t->nr; k++) {
		const struct tally_ns *c = &t->v[k];

		if (!has_row(k, t->nr)) {
			rest++;
			rest_pods += c->pods;
			continue;
		}
		scene_cell(s, h, true, ROW_TEXT, ROLE_PLAIN, c->ns);
		scene_cell(s, h, false, ROW_TEXT, ROLE_PLAIN, arena_printf(s->arena, "%u Pod%s", c->pods, &"s"[c->pods == 1]));
		scene_cell(s, h, false, ROW_NOTE, ROLE_PLAIN, arena_printf(s->arena, "%u workload%s", c->workloads, &"s"[c->workloads == 1]));
		scene_cell(s, h, false, ROW_NOTE, ROLE_PLAIN, arena_printf(s->arena, "%u Service%s", c->services, &"s"[c->services == 1]));
	}
	if (rest)
		scene_row(s, h, ROW_NOTE, arena_printf(s->arena, "and %u more with %u Pods", rest, rest_pods), NULL);
	return h;
}
