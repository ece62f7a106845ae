/* What is broken on purpose, and mended. It stands on the object as an annotation "SINCE …" (nanoseconds), so that it is saved, shown, and seen by
 * the dataplane; containers and sandboxes that are killed leave nothing behind but their restart. */
#include <stdio.h>
#include <stdlib.h>

#include "model/control/kubelet.h"

#define BGP_ANNOTATION       "podwire.io/bgp-down"
#define LB_ANNOTATION        "podwire.io/lb-silent"
#define WITHDRAWN_ANNOTATION "podwire.io/routes-withdrawn"      /* the other nodes have no BGP routes to this one any more */

struct breaking { struct control *t; struct cluster *c; const char *kind, *target; const struct val *args; bool heal; struct err *err; };

static bool complain(const struct breaking *b, const char *expected)
{
	return err_add(b->err, ERR_INPUT, NULL, "%s %s \"%s\": %s", b->heal ? "heal" : "fault", b->kind, b->target, expected);
}

/* ---- things that last: an annotation comes, or goes */

static bool mark(const struct breaking *b, struct object *o, const char *annotation, const char *more)
{
	struct arena *scratch;

	if (b->heal) {
		if (!label_get(&o->annotations, annotation))
			return complain(b, "is not broken");
		annotate(b->t, o, annotation, NULL);
		return true;
	}
	scratch = arena_new(NULL, "fault");
	annotate(b->t, o, annotation, arena_printf(scratch, "%" PRId64 "%s%s", control_now(b->t), *more ? " " : "", more));
	arena_free(scratch);
	return true;
}

static struct node *target_node(const struct breaking *b)
{
	struct node *n = find_node(b->c, strncmp(b->target, "node/", 5) == 0 ? b->target + 5 : b->target);

	if (!n)
		complain(b, "no such node");
	return n;
}

/* A node that comes back has booted: nothing of what ran on it runs, and every network namespace is gone. */
static bool break_node(const struct breaking *b)
{
	struct node *n = target_node(b);
	const struct node_info *i = n ? node_info(b->t, n->o.name) : NULL;

	if (!n || !mark(b, &n->o, DOWN_ANNOTATION, ""))
		return false;
	for (uint32_t k = 0; b->heal && k < i->pods.nr; k++)
		kubelet_sandbox_dies(b->t, i->pods.v[k]);
	return true;
}

static bool break_link(const struct breaking *b)
{
	static const char *const words[] = { "delay", "loss", "mtu" };
	struct node *n = target_node(b);
	struct sb more = { 0 };
	bool ok;

	for (size_t k = 0; k < ARRAY_LEN(words); k++) {
		const struct val *v = val_get(b->args, words[k]);

		if (val_str(v))
			sb_printf(&more, "%s%s=%s", more.len ? " " : "", words[k], v->s);
		else if (val_is(v, VAL_INT))
			sb_printf(&more, "%s%s=%" PRId64, more.len ? " " : "", words[k], v->i);
		else if (val_is(v, VAL_FLOAT))
			sb_printf(&more, "%s%s=%g", more.len ? " " : "", words[k], v->f);
	}
	ok = n && mark(b, &n->o, LINK_ANNOTATION, more.len ? sb_text(&more) : "down");
	sb_free(&more);
	return ok;
}

static bool break_bgp(const struct breaking *b)
{
	struct node *n = target_node(b);

	return n && mark(b, &n->o, BGP_ANNOTATION, "");
}

static bool break_cni(const struct breaking *b)
{
	struct node *n = target_node(b);

	return n && mark(b, &n->o, NO_CNI_ANNOTATION, "");
}

static bool break_proxy(const struct breaking *b)
{
	struct node *n = target_node(b);
	char rev[32];

	if (!n)
		return false;
	snprintf(rev, sizeof(rev), "rev %u", control_proxy(b->t, n).synced);
	if (!mark(b, &n->o, NO_PROXY_ANNOTATION, rev))
		return false;
	proxy_stop(b->t, n, !b->heal);
	return true;
}

static bool break_dns(const struct breaking *b)
{
	struct service *s = find_service(b->c, "kube-system", "kube-dns");
	struct object_list l;
	struct arena *scratch;

	if (!s)
		return complain(b, "there is no Service kube-system/kube-dns");
	if (!mark(b, &s->o, DOWN_ANNOTATION, ""))
		return false;
	scratch = arena_new(NULL, "fault");
	l = pods_selected(b->c, s->o.ns, &s->selector, scratch);
	for (uint32_t k = 0; !b->heal && k < l.nr; k++)
		kubelet_container_exits(b->t, (struct pod *)l.v[k], NULL, 1);
	arena_free(scratch);
	return true;
}

static bool break_lb(const struct breaking *b)
{
	struct object_list l = cluster_list(b->c, &service_kind);
	const char *name = strncmp(b->target, "svc/", 4) == 0 ? b->target + 4 : b->target;
	bool any = false;

	for (uint32_t k = 0; k < l.nr; k++) {
		const char *slash = strchr(name, '/');
		bool named = !*name || streq(l.v[k]->name, slash ? slash + 1 : name);

		if (slash && (strlen(l.v[k]->ns) != (size_t)(slash - name) || strncmp(l.v[k]->ns, name, (size_t)(slash - name)) != 0))
			named = false;
		if (((struct service *)l.v[k])->type == SVC_LOADBALANCER && named && !(b->heal && !label_get(&l.v[k]->annotations, LB_ANNOTATION)))
			any = mark(b, l.v[k], LB_ANNOTATION, "") || any;
	}
	return any || complain(b, "no Service of type LoadBalancer");
}

/* ---- things that happen once */

/* pod/NAME/CONTAINER, pod/NS/NAME/CONTAINER; without a container pod/NAME, pod/NS/NAME. */
static struct pod *target_pod(const struct breaking *b, bool with_container, char container[254])
{
	char parts[4][254] = { "" };
	int nr = sscanf(strncmp(b->target, "pod/", 4) == 0 ? b->target + 4 : b->target, "%253[^/]/%253[^/]/%253[^/]", parts[0], parts[1], parts[2]);
	int names = nr - with_container;
	struct pod *p = NULL;

	if (names == 1)
		p = find_pod(b->c, "default", parts[0]);
	else if (names == 2)
		p = find_pod(b->c, parts[0], parts[1]);
	if (with_container && names >= 1)
		strcpy(container, parts[nr - 1]);
	if (!p)
		complain(b, with_container ? "no such Pod: pod/[NS/]NAME/CONTAINER was expected" : "no such Pod: pod/[NS/]NAME was expected");
	return p;
}

static bool break_container(const struct breaking *b)
{
	char container[254] = "";
	struct pod *p = target_pod(b, true, container);
	const struct val *code = val_get(b->args, "exit") ? val_get(b->args, "exit") : val_get(b->args, "code");

	if (b->heal)
		return complain(b, "a container is restarted by its kubelet; there is nothing to heal");
	if (!p)
		return false;
	return kubelet_container_exits(b->t, p, container, (int32_t)val_int_or(code, 1)) || complain(b, "no such container runs");
}

static bool break_pause(const struct breaking *b)
{
	char none[254];
	struct pod *p = target_pod(b, false, none);

	if (b->heal)
		return complain(b, "a sandbox is made anew by its kubelet; there is nothing to heal");
	if (!p)
		return false;
	if (p->spec->host_network)
		return complain(b, "the Pod has no network namespace of its own");
	kubelet_sandbox_dies(b->t, p);
	return true;
}

static const struct { const char *kind; bool (*act)(const struct breaking *); } rows[] = {
	{ "node", break_node }, { "link", break_link }, { "bgp", break_bgp }, { "kubeProxy", break_proxy }, { "container", break_container }, { "pause", break_pause },
	{ "cni", break_cni }, { "dns", break_dns }, { "loadBalancer", break_lb },
};

static bool act(struct control *t, const char *kind, const char *target, const struct val *args, bool heal, struct err *err)
{
	struct breaking b = { t, control_cluster(t), kind, target ? target : "", args, heal, err };
	const char *known[ARRAY_LEN(rows) + 1] = { NULL };
	const char *near;

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		if (streq(rows[k].kind, kind)) {
			bool ok = rows[k].act(&b);

			control_advance_until(t, control_now(t), NULL, NULL);   /* what follows at this very moment: a process that has ended listens no more */
			return ok;
		}
		known[k] = rows[k].kind;
	}
	near = nearest(kind, known);
	return err_add(err, ERR_INPUT, NULL, "fault \"%s\" is not known%s%s%s; there are node, link, bgp, kubeProxy, container, pause, cni, dns, loadBalancer", kind,
		       near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

bool control_fault(struct control *t, const char *kind, const char *target, const struct val *args, struct err *err)
{
	return act(t, kind, target, args, false, err);
}

bool control_heal(struct control *t, const char *kind, const char *target, struct err *err)
{
	return act(t, kind, target, NULL, true, err);
}

/* ---- what lasts */

static int by_time(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;
	int d = (x->since > y->since) - (x->since < y->since);

	d = d ? d : str_order(x->kind, y->kind);
	return d ? d : str_order(x->target, y->target);
}

const struct fault *control_faults(const struct control *tt, uint32_t *nr)
{
	static const struct { const struct kind *const kind; const char *annotation, *fault; } marks[] = {
		{ &node_kind, DOWN_ANNOTATION, "node" }, { &node_kind, LINK_ANNOTATION, "link" }, { &node_kind, BGP_ANNOTATION, "bgp" },
		{ &node_kind, NO_CNI_ANNOTATION, "cni" }, { &node_kind, NO_PROXY_ANNOTATION, "kubeProxy" }, { &service_kind, DOWN_ANNOTATION, "dns" },
		{ &service_kind, LB_ANNOTATION, "loadBalancer" },
	};
	struct control *t = (struct control *)tt;
	struct cluster *c = control_cluster(t);
	struct { struct fault *v; uint32_t nr, alloc; } out = { 0 };

	for (size_t m = 0; m < ARRAY_LEN(marks); m++) {
		struct object_list l = cluster_list(c, marks[m].kind);

		for (uint32_t k = 0; k < l.nr; k++) {
			nsec since = fault_since(l.v[k], marks[m].annotation);

			if (since != NEVER)
				vec_add(cluster_arena(c), &out, (struct fault){ cluster_str(c, marks[m].fault), l.v[k]->name, since });
		}
	}
	if (out.nr)
		qsort(out.v, out.nr, sizeof(*out.v), by_time);
	*nr = out.nr;
	return out.v;
}

/* ---- the controller: routes of a node that fell silent outlive it by BGP's hold time, those of one whose BIRD stopped by the graceful restart time (facts 47) */

static void watch(struct control *t, const struct change *ch)
{
	if (ch->kind != CHANGE_DELETE && (ch->object->annotations.nr))
		control_wake(t, CTL_FAULT, ch->object, 0);
}

/* Keepalives come every 80 s, each node in a phase of its own. */
static nsec withdrawn_at(struct control *t, const struct node *n)
{
	nsec silent = node_silent_since(n), stopped = fault_since(&n->o, BGP_ANNOTATION), period = timing(T_BGP_KEEPALIVE), at = NEVER;
	nsec phase = (nsec)(draw(control_cluster(t), "keepalive", n->o.name, 0) % (uint64_t)period);

	if (silent != NEVER)
		at = (silent < phase ? silent : silent - (silent - phase) % period) + timing(T_BGP_HOLD);
	if (stopped != NEVER)
		at = MIN(at, stopped + timing(T_BGP_GRACEFUL));
	return at;
}

static void run(struct control *t, struct object *o, nsec now)
{
	nsec at = o->gone ? NEVER : withdrawn_at(t, (struct node *)o);
	char text[32];

	if (o->gone)
		return;
	if (at == NEVER) {
		annotate(t, o, WITHDRAWN_ANNOTATION, NULL);
		return;
	}
	if (now < at) {
		control_timer(t, CTL_FAULT, o, at);
		return;
	}
	snprintf(text, sizeof(text), "%" PRId64, at);
	annotate(t, o, WITHDRAWN_ANNOTATION, text);
}

static const struct kind *const kinds_heard[] = { &node_kind, NULL };
const struct controller fault_controller = { .name = "fault", .kinds = kinds_heard, .watch = watch, .run = run };
