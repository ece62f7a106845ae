#include "sim/compare/connections.h"

#include <stdlib.h>

const char *const change_names[] = { [CONN_SAME] = "same", [CONN_GAINED] = "gained", [CONN_LOST] = "lost", [CONN_DIFFERENT] = "different", [CONN_NEW] = "new", [CONN_GONE] = "gone" };

/* ---- ends */

/* The name that stays when Pods come and go: deploy/NS/web for a Pod of it. */
static const char *workload_of(struct cluster *c, const struct pod *p, struct arena *a)
{
	const struct object *o = &p->o;
	const char *kind = "pod", *name = p->o.name;

	for (int depth = 0; depth < 3; depth++) {
		const struct owner_ref *up = NULL;
		const struct kind *k;

		for (uint32_t i = 0; i < o->owners.nr; i++)
			if (o->owners.v[i].controller)
				up = &o->owners.v[i];
		k = up && up->api && up->kind ? kind_find(up->api, up->kind) : NULL;
		if (!k)
			break;
		kind = k == &deployment_kind ? "deploy" : k == &statefulset_kind ? "sts" : k == &daemonset_kind ? "ds" : k == &replicaset_kind ? "rs" : k == &job_kind ? "job" : k->plural;
		name = up->name;
		o = cluster_find(c, k, p->o.ns, up->name);
		if (!o)
			break;
	}
	return arena_printf(a, "%s/%s/%s", kind, p->o.ns, name);
}

struct sender { const char *name, *end; };
struct making { struct world *w; struct arena *a; struct connections *out; VEC(struct sender) senders; };

static bool knows(const struct making *m, const char *name)
{
	for (uint32_t k = 0; k < m->senders.nr; k++)
		if (strcmp(m->senders.v[k].name, name) == 0)
			return true;
	return false;
}

static bool system_ns(const char *ns)
{
	return strcmp(ns, "kube-system") == 0 || strcmp(ns, "podwire-system") == 0;
}

/* One Pod of each workload; the cluster's own are left out, for they are not what manifests are compared for. */
static void find_senders(struct making *m)
{
	struct object_list l = cluster_list(m->w->cluster, &pod_kind);

	vec_add(m->a, &m->senders, (struct sender){ "client", "client" });
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];
		const char *name;

		if (system_ns(p->o.ns) || pod_is_terminal(p) || !ip_set(p->ip))
			continue;
		name = workload_of(m->w->cluster, p, m->a);
		if (!knows(m, name))
			vec_add(m->a, &m->senders, (struct sender){ name, arena_printf(m->a, "pod/%s/%s", p->o.ns, p->o.name) });
	}
}

/* ---- what becomes of one */

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static const char *place_of(struct making *m, cause_h h)
{
	const struct cause *c = h.i ? cause_get(m->w->dp, h) : NULL;
	const struct object *o = c && c->object ? obj_get(m->w->cluster, (obj_h){ c->object }) : NULL;

	return o ? arena_printf(m->a, "%s %s%s%s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name, o->file ? ", " : "",
				o->file ? arena_printf(m->a, "%s:%u", o->file, o->line) : "") : NULL;
}

static const char *words_of(struct making *m, const struct outcome_view *o)
{
	if (o->verdict != V_DELIVERED)
		return verdict_names[o->verdict];
	return arena_printf(m->a, "%s%s%s:%u%s", o->answered ? "" : "unanswered by ", o->pod ? workload_of(m->w->cluster, o->pod, m->a) : o->node ? "node" : IP(o->end_ip), "", o->end_port,
			    o->masqueraded ? ", source rewritten" : "");
}

static void ask(struct making *m, const struct sender *from, const char *to, const char *end, enum l4 l4)
{
	struct question q = { .from = from->end, .to = end, .ns = "default", .l4 = l4, .proto = l4 == L4_UDP ? PROTO_UDP : l4 == L4_SCTP ? PROTO_SCTP : PROTO_TCP };
	struct arena *scratch = arena_new(NULL, "connection");
	struct connection *c = vec_push(m->a, m->out);
	struct answer answer;
	struct err none = { 0 };
	struct sb text = { 0 };
	const char **words;

	*c = (struct connection){ .from = from->name, .to = to, .works = true };
	if (!question_ask(m->w, &q, scratch, &answer, &none)) {
		c->works = false;
		c->what = arena_printf(m->a, "cannot be asked: %s", none.nr ? none.v[0].text : "");
	} else {
		words = arena_array(scratch, const char *, answer.nr);
		for (uint32_t k = 0; k < answer.nr; k++) {
			const struct outcome_view *o = &answer.v[k];

			words[k] = words_of(m, o);
			if (o->verdict != V_DELIVERED || !o->answered) {
				c->works = false;
				c->place = c->place ? c->place : place_of(m, o->cause);
			}
		}
		if (answer.nr)
			qsort(words, answer.nr, sizeof(*words), by_text);
		for (uint32_t k = 0; k < answer.nr; k++)
			if (!k || strcmp(words[k], words[k - 1]) != 0)
				sb_printf(&text, "%s%s", text.len ? " or " : "", words[k]);
		c->what = arena_strdup(m->a, sb_text(&text));
	}
	sb_free(&text);
	err_free(&none);
	arena_free(scratch);
}

static void ask_all(struct making *m, const char *to, const char *end, enum l4 l4, bool outside_only)
{
	for (uint32_t k = 0; k < (outside_only ? 1 : m->senders.nr); k++)
		ask(m, &m->senders.v[k], to, end, l4);
}

static void services(struct making *m)
{
	struct object_list l = cluster_list(m->w->cluster, &service_kind), nodes = cluster_list(m->w->cluster, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		if (system_ns(s->o.ns) || s->type == SVC_EXTERNALNAME || (streq(s->o.name, "kubernetes") && streq(s->o.ns, "default")))
			continue;
		for (uint32_t p = 0; p < s->ports.nr; p++) {
			const char *port = arena_printf(m->a, "%s/%s:%d", s->o.ns, s->o.name, s->ports.v[p].port);

			for (uint32_t f = 1; f < m->senders.nr; f++)
				ask(m, &m->senders.v[f], arena_printf(m->a, "svc/%s", port), arena_printf(m->a, "svc/%s", port), s->ports.v[p].protocol);
			if (s->ports.v[p].node_port && nodes.nr)
				ask_all(m, arena_printf(m->a, "node port of svc/%s", port), arena_printf(m->a, "node/%s:%d", nodes.v[nodes.nr - 1]->name, s->ports.v[p].node_port), s->ports.v[p].protocol, true);
			if (s->lb_ingress.nr && s->lb_ingress.v[0].ip)
				ask_all(m, arena_printf(m->a, "lb/%s", port), arena_printf(m->a, "lb/%s", port), s->ports.v[p].protocol, true);
		}
	}
}

/* The ports that one Pod of each workload declares, asked at its own address. */
static void pods(struct making *m)
{
	for (uint32_t k = 1; k < m->senders.nr; k++) {
		const char *path = m->senders.v[k].end + 4, *slash = strchr(path, '/');
		const struct pod *p = find_pod(m->w->cluster, arena_strndup(m->a, path, (size_t)(slash - path)), slash + 1);

		for (uint32_t c = 0; p && c < p->spec->containers.nr; c++)
			for (uint32_t i = 0; i < p->spec->containers.v[c].ports.nr; i++) {
				const struct container_port *port = &p->spec->containers.v[c].ports.v[i];

				for (uint32_t f = 1; f < m->senders.nr; f++)
					if (f != k)
						ask(m, &m->senders.v[f], arena_printf(m->a, "%s:%d", m->senders.v[k].name, port->port),
						    arena_printf(m->a, "%s:%d", m->senders.v[k].end, port->port), port->protocol);
			}
	}
}

static int by_ends(const void *x, const void *y)
{
	const struct connection *a = x, *b = y;
	int order = strcmp(a->from, b->from);

	return order ? order : strcmp(a->to, b->to);
}

void connections_of(struct world *w, struct arena *a, struct connections *out)
{
	struct making m = { .w = w, .a = a, .out = out };

	*out = (struct connections){ 0 };
	world_dataplane(w);
	find_senders(&m);
	services(&m);
	pods(&m);
	if (out->nr)
		qsort(out->v, out->nr, sizeof(*out->v), by_ends);
}

void connections_compare(const struct connections *a, const struct connections *b, struct arena *arena, struct changes_list *out)
{
	uint32_t i = 0, j = 0;

	*out = (struct changes_list){ 0 };
	while (i < a->nr || j < b->nr) {
		const struct connection *x = i < a->nr ? &a->v[i] : NULL, *y = j < b->nr ? &b->v[j] : NULL;
		int order = !x ? 1 : !y ? -1 : by_ends(x, y);

		if (order < 0) {
			vec_add(arena, out, (struct changed){ CONN_GONE, x, NULL });
			i++;
		} else if (order > 0) {
			vec_add(arena, out, (struct changed){ CONN_NEW, NULL, y });
			j++;
		} else {
			if (x->works != y->works || strcmp(x->what, y->what) != 0)
				vec_add(arena, out, (struct changed){ x->works == y->works ? CONN_DIFFERENT : y->works ? CONN_GAINED : CONN_LOST, x, y });
			i++;
			j++;
		}
	}
}
