/* A scenario from its first step to its last. */
#include "sim/scenario/play.h"

#include "model/control/defaults.h"
#include "sim/ask/names.h"

static void play_record(struct play *p, bool ok, const char *expected, const char *actual, uint32_t line)
{
	vec_add(p->arena, &p->records, (struct record){ p->step ? p->step->name : "the cluster", expected, actual, ok, cluster_now(p->world->cluster), line });
	p->failed += !ok;
}

/* ---- the beginning */

struct applying { struct play *play; const struct apply_options *opt; };

static const struct apply_options *options_of(const struct play *p, struct apply_options *opt)
{
	*opt = (struct apply_options){ .unknown = VALIDATE_STRICT, .validate = true, .respect_status = true, .dflt_ns = p->scenario->ns, .create_namespaces = true };
	return opt;
}

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	struct applying *a = ctx;
	struct where w = { .file = d->file, .line = d->root ? d->root->line : 0 };

	if (d->root && is_scenario(d->root))
		return err_add(err, ERR_INPUT, &w, "a Scenario cannot be applied");
	apply_doc(a->play->world->cluster, d, a->opt, NULL, err);
	return true;
}

static bool apply_file(struct play *p, const char *name, struct err *err)
{
	struct apply_options opt;
	struct applying a = { p, options_of(p, &opt) };
	const char *path = scenario_path(p->arena, p->scenario, name, NULL, err);

	return path && docs_read_path(path, NULL, take, &a, err);
}

static bool apply_value(struct play *p, const struct val *v, struct err *err)
{
	struct apply_options opt;
	struct doc d = { p->scenario->file, (struct val *)(uintptr_t)v };

	return apply_doc(p->world->cluster, &d, options_of(p, &opt), NULL, err) != APPLY_ERROR;
}

/* kind's Cluster may be given without saying that it is one. */
static const struct val *as_cluster(struct play *p, const struct val *v)
{
	struct val *all = val_copy(p->arena, v);

	if (!val_get(all, "kind"))
		val_put(p->arena, all, "kind", val_string(p->arena, "Cluster"));
	if (!val_get(all, "apiVersion"))
		val_put(p->arena, all, "apiVersion", val_string(p->arena, "kind.x-k8s.io/v1alpha4"));
	return all;
}

bool play_begin(struct play *p, const struct scenario *s, struct world *w, const struct play_backend *backend, struct arena *a, struct err *err)
{
	uint32_t before = err->nr;

	*p = (struct play){ .scenario = s, .world = w, .backend = *backend, .arena = a };
	if (s->cluster)
		apply_value(p, as_cluster(p, s->cluster), err);
	if (s->cluster_file)
		apply_file(p, s->cluster_file, err);
	for (uint32_t k = 0; k < s->files.nr; k++)
		apply_file(p, s->files.v[k], err);
	for (uint32_t k = 0; k < s->documents.nr; k++)
		apply_value(p, s->documents.v[k], err);
	for (uint32_t k = before; k < err->nr; k++)
		if (!err->v[k].warning)
			return false;
	if (!cluster_flags(w->cluster)->no_defaults)
		defaults_add(w->cluster);
	w->settled = control_settle(w->control);
	return true;
}

/* ---- changes */

static bool picked(struct play *p, const char *text, struct object_list *out, struct err *err)
{
	struct parse w = { p->arena, cluster_strings(p->world->cluster), p->scenario->file, NULL, err };
	struct pick pick;

	if (!pick_parse(&w, text, NULL, &pick))
		return false;
	*out = pick_objects(p->world->cluster, &pick, p->scenario->ns, p->arena);
	return out->nr || err_add(err, ERR_FAILED, NULL, "there is no %s", text);
}

/* A merge of each object that the change names. */
static bool change(struct play *p, const struct val *v, const struct val *merge, struct err *err)
{
	struct apply_options opt;
	struct object_list l;
	bool ok = true;

	if (!picked(p, val_str(val_get(v, "object")), &l, err))
		return false;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct val *base = l.v[k]->doc ? l.v[k]->doc : object_render(p->world->cluster, l.v[k], p->arena);

		ok = apply_replace(p->world->cluster, l.v[k], val_merge_patch(p->arena, base, merge), options_of(p, &opt), err) != APPLY_ERROR && ok;
	}
	return ok;
}

/* {a: {b: value}} */
static const struct val *nested(struct play *p, const char *outer, const char *inner, const struct val *value)
{
	struct val *all = val_new(p->arena, VAL_MAP), *in = val_put(p->arena, all, outer, val_new(p->arena, VAL_MAP));

	val_put(p->arena, in, inner, val_copy(p->arena, value));
	return all;
}

static bool delete_objects(struct play *p, const struct val *v, struct err *err)
{
	struct object_list l;

	if (!picked(p, val_str(v), &l, err))
		return false;
	for (uint32_t k = 0; k < l.nr; k++)
		if (!l.v[k]->gone)
			apply_delete(p->world->cluster, l.v[k]);
	return true;
}

/* fault: {node: worker-1}, {link: worker-1, delay: 10ms}, {dns: down} */
static bool fault(struct play *p, const struct val *v, bool heal, struct err *err)
{
	const char *kind = fault_kind(v), *value = val_str(val_get(v, kind));
	bool only_one = strcmp(kind, "dns") == 0 || strcmp(kind, "loadBalancer") == 0;

	if (!p->backend.fault)
		return err_add(err, ERR_MACHINE, NULL, "nothing can be broken or mended here");
	return p->backend.fault(p->backend.ctx, p->world, kind, only_one || !value ? "" : value, v, heal, err);
}

static bool conditions_hold(void *ctx)
{
	struct play *p = ((void **)ctx)[0];
	const struct changes *c = ((void **)ctx)[1];

	for (uint32_t k = 0; k < c->wait.nr; k++) {
		struct arena_mark mark = arena_mark(p->arena);
		bool holds = wait_holds(p->world->cluster, &c->wait.v[k], p->scenario->ns, p->arena);

		arena_rewind(p->arena, mark);
		if (!holds)
			return false;
	}
	return true;
}

static bool proxies_know(void *ctx)
{
	const struct play *p = ctx;
	struct object_list l = cluster_list(p->world->cluster, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		struct proxy_sync s = control_proxy(p->world->control, (const struct node *)l.v[k]);

		if (!s.stopped && s.next != NEVER)
			return false;
	}
	return true;
}

static void wait_until(struct play *p, const struct changes *c)
{
	void *ctx[] = { p, (void *)(uintptr_t)c };

	play_until(p, cluster_now(p->world->cluster) + c->timeout, conditions_hold, ctx);
	for (uint32_t k = 0; k < c->wait.nr; k++) {
		bool ok = wait_holds(p->world->cluster, &c->wait.v[k], p->scenario->ns, p->arena);

		play_record(p, ok, c->wait.v[k].text, ok ? "so it is" : arena_printf(p->arena, "not within %gs", (double)c->timeout / 1e9), p->step->line);
	}
}

static void record_errors(struct play *p, struct err *err, uint32_t line)
{
	for (uint32_t k = 0; k < err->nr; k++)
		if (!err->v[k].warning)
			play_record(p, false, NULL, arena_strdup(p->arena, err->v[k].text), err->v[k].line ? err->v[k].line : line);
	err_free(err);
}

static bool each(struct play *p, const val_vec *l, const char *outer, const char *inner, struct err *err)
{
	bool ok = true;

	for (uint32_t k = 0; k < l->nr; k++)
		ok = change(p, l->v[k], outer ? nested(p, outer, inner, val_get(l->v[k], inner)) : val_get(l->v[k], inner), err) && ok;
	return ok;
}

void play_changes(struct play *p, const struct changes *c)
{
	struct err errors = { 0 }, *err = &errors;
	bool ok = true, changes = c->apply_files.nr || c->apply.nr || c->delete.nr || c->patch.nr || c->scale.nr || c->label.nr || c->annotate.nr;

	for (uint32_t k = 0; k < c->apply_files.nr; k++)
		ok = apply_file(p, c->apply_files.v[k], err) && ok;
	for (uint32_t k = 0; k < c->apply.nr; k++)
		ok = apply_value(p, c->apply.v[k], err) && ok;
	for (uint32_t k = 0; k < c->delete.nr; k++)
		ok = delete_objects(p, c->delete.v[k], err) && ok;
	ok = each(p, &c->patch, NULL, "merge", err) && ok;
	ok = each(p, &c->scale, "spec", "replicas", err) && ok;
	ok = each(p, &c->label, "metadata", "labels", err) && ok;
	ok = each(p, &c->annotate, "metadata", "annotations", err) && ok;
	for (uint32_t k = 0; k < c->fault.nr; k++)
		ok = fault(p, c->fault.v[k], false, err) && ok;
	for (uint32_t k = 0; k < c->heal.nr; k++)
		ok = fault(p, c->heal.v[k], true, err) && ok;
	if (ok)
		play_record(p, true, NULL, c == p->step->solution ? "the solution is done" : "done", p->step->line);
	else
		record_errors(p, err, p->step->line);
	err_free(err);
	if (c->wait.nr) {
		wait_until(p, c);
		if (!p->streams.nr)             /* who waits wants to see the end of it: rules are written a second later at most */
			play_until(p, cluster_now(p->world->cluster) + timing(T_PROXY_MIN_SYNC), proxies_know, p);
	}
	if (c->advances)
		play_until(p, cluster_now(p->world->cluster) + c->advance, NULL, NULL);
	if (!c->wait.nr && !c->advances && !p->streams.nr) {    /* what falls due at this moment happens at least */
		if (changes)
			p->world->settled = control_settle(p->world->control);
		else
			control_advance(p->world->control, 0);
	}
}

/* ---- questions */

static const char *last_message(struct play *p, struct err *err)
{
	const char *text = err->nr ? arena_strdup(p->arena, err->v[err->nr - 1].text) : "it could not be asked";

	err_free(err);
	return text;
}

static bool set_protocol(struct question *q, const char *word, struct err *err)
{
	static const struct { const char *name; enum l4 l4; uint8_t proto; } protocols[] = {
		{ "tcp", L4_TCP, PROTO_TCP }, { "udp", L4_UDP, PROTO_UDP }, { "sctp", L4_SCTP, PROTO_SCTP }, { "icmp", L4_NONE, PROTO_ICMP },
	};

	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcasecmp(word ? word : "tcp", protocols[k].name) == 0) {
			q->l4 = protocols[k].l4;
			q->proto = protocols[k].proto;
			return true;
		}
	return err_add(err, ERR_INPUT, NULL, "protocol: \"%s\" is not tcp, udp, sctp or icmp", word);
}

bool play_ask(struct play *p, const struct question_doc *d, struct question *q, struct answer *answer, struct err *err)
{
	*q = (struct question){ .from = d->from, .to = d->to, .ns = d->ns ? d->ns : p->scenario->ns, .v4 = d->v4, .v6 = d->v6, .container = d->container,
				.size = (uint32_t)MAX(d->size, 0), .df = d->df, .flags = WALK_RECORD, .method = d->method, .resolve = d->resolve, .backend_answers = d->backend_answers, .cert = d->cert };
	if (d->draw)
		q->flags |= WALK_DRAW;
	for (uint32_t k = 0; k < d->headers.nr; k++)
		question_header(q, p->arena, d->headers.v[k].key, d->headers.v[k].value);
	for (uint32_t k = 0; k < d->backend_headers.nr; k++)
		question_backend_header(q, p->arena, d->backend_headers.v[k].key, d->backend_headers.v[k].value);
	q->keep = d->keep;
	if (d->connection && !question_connection(p->world, d->connection, q, err))
		return false;
	return (d->connection || set_protocol(q, d->protocol, err)) && p->backend.ask(p->backend.ctx, p->world, q, p->arena, answer, err);
}

static struct pod *asking_pod(struct play *p, const struct question_doc *d, struct err *err)
{
	struct parse w = { p->arena, cluster_strings(p->world->cluster), p->scenario->file, NULL, err };
	struct object_list pods = cluster_list(p->world->cluster, &pod_kind);
	struct pick pick;

	if (!pick_parse(&w, d->from, NULL, &pick))
		return NULL;
	for (uint32_t k = 0; k < pods.nr; k++)
		if (pick_has_pod(p->world->cluster, &pick, d->ns ? d->ns : p->scenario->ns, (struct pod *)pods.v[k], p->arena))
			return (struct pod *)pods.v[k];
	return err_add(err, ERR_FAILED, NULL, "there is no Pod %s", d->from), NULL;
}

static bool look_up(struct play *p, const struct question_doc *d, struct looked *out, struct err *err)
{
	struct cluster *c = p->world->cluster;
	const struct settings_flags *flags = cluster_flags(c);
	struct zone *zone = flags->zone ? zone_parse(p->arena, flags->zone, err) : NULL;
	enum resolver lib = streq(d->resolver, "musl") ? RESOLVER_MUSL : RESOLVER_GLIBC;
	enum dns_type type = DNS_A;
	struct dns_lookup l = { 0 };
	struct pod *pod = NULL;

	while (d->type && type < DNS_TYPE_COUNT && strcasecmp(d->type, dns_type_names[type]) != 0)
		type++;
	if (type == DNS_TYPE_COUNT)
		return err_add(err, ERR_INPUT, NULL, "type: \"%s\" is not A, AAAA, SRV, PTR, CNAME, TXT or NS", d->type);
	if (strcmp(d->from, "cluster") == 0) {
		l.result = dns_query(c, zone, d->to, type, p->arena);
		l.nr = 1;
		l.v = arena_make(p->arena, struct dns_query_done);
		l.v[0] = (struct dns_query_done){ d->to, type, l.result };
	} else {
		struct resolv_conf conf;
		struct source from;

		pod = asking_pod(p, d, err);
		if (!pod)
			return false;
		conf = dns_resolv_conf(c, pod, p->arena);
		from = names_source(p->world, pod);
		l = names_resolve(p->world, &from, &conf, lib, d->to, type, p->arena).l;
	}
	out->rcode = l.result.unknown ? "UNKNOWN" : dns_rcode_names[l.result.rcode];
	out->unknown = l.result.unknown;
	out->answers = l.result.answers;
	return !p->backend.look_up || p->backend.look_up(p->backend.ctx, p->world, pod, &l, p->arena, err);
}

void play_questions(struct play *p)
{
	const struct step *s = p->step;
	struct err err = { 0 };

	p->asked = arena_array(p->arena, struct asked, s->trace.nr + 1);
	p->nr_asked = s->trace.nr;
	for (uint32_t k = 0; k < s->trace.nr; k++) {
		p->asked[k].doc = &s->trace.v[k];
		if (!play_ask(p, &s->trace.v[k], &p->asked[k].q, &p->asked[k].answer, &err))
			p->asked[k].why = last_message(p, &err);
	}
	p->looked = arena_array(p->arena, struct looked, s->dns.nr + 1);
	p->nr_looked = s->dns.nr;
	for (uint32_t k = 0; k < s->dns.nr; k++) {
		p->looked[k].doc = &s->dns.v[k];
		if (!look_up(p, &s->dns.v[k], &p->looked[k], &err))
			p->looked[k].why = last_message(p, &err);
	}
	p->no_matrix = !s->matrix ? "there is no matrix" : !p->backend.matrix ? "no matrix can be made here" : NULL;
	if (!p->no_matrix && !p->backend.matrix(p->backend.ctx, p->world, s->matrix, p->scenario->ns, p->arena, &p->matrix, &err))
		p->no_matrix = last_message(p, &err);
	err_free(&err);
}

/* ---- a step */

/* As it is written in a scenario, on one line. */
static void flow_text(const struct val *v, struct sb *out)
{
	const char *sep = "";

	if (val_is(v, VAL_STRING)) {
		bool plain = *v->s && !strpbrk(v->s, ",{}[]:#'\"\n&*!|>%@`") && *v->s != ' ' && *v->s != '-';

		sb_printf(out, plain ? "%s" : "'%s'", v->s);
		return;
	}
	if (!val_is(v, VAL_MAP) && !val_is(v, VAL_LIST)) {
		val_print_json(v, out, 0, false);
		return;
	}
	sb_addc(out, v->type == VAL_MAP ? '{' : '[');
	VAL_EACH(m, v) {
		sb_add(out, sep);
		if (m->key)
			sb_printf(out, "%s: ", m->key);
		flow_text(m, out);
		sep = ", ";
	}
	sb_addc(out, v->type == VAL_MAP ? '}' : ']');
}

const char *expect_text(struct arena *a, const struct expect *e)
{
	const char *name = val_str(val_get(e->doc, "name")), *text;
	struct sb out = { 0 };

	if (name)
		return name;
	flow_text(e->doc, &out);
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return text;
}

static void judge_all(struct play *p, const expect_list *l)
{
	for (uint32_t k = 0; k < l->nr; k++) {
		const char *actual;
		bool ok = judge(p, &l->v[k], &actual);

		play_record(p, ok, expect_text(p->arena, &l->v[k]), actual, l->v[k].doc->line);
		if (!p->failing || p->failing == p->shown || p->failing->why || !p->backend.show)
			continue;
		p->shown = p->failing;
		p->backend.show(p->backend.ctx, p->world, p->scenario, &p->failing->q);
	}
}

/* The task as it stands must not be solved yet, and is after the solution. */
static void play_goal(struct play *p)
{
	const struct step *s = p->step;
	bool reached = true;
	const char *actual;

	for (uint32_t k = 0; k < s->goal.nr; k++)
		reached = judge(p, &s->goal.v[k], &actual) && reached;
	play_record(p, !reached, "the goal is not reached before the solution", reached ? "it is: the task asks for nothing" : "so it is", s->line);
	if (!s->solution)
		return;
	play_changes(p, s->solution);
	play_questions(p);
	judge_all(p, &s->goal);
}

static void draw_figures(struct play *p, struct err *err)
{
	for (uint32_t k = 0; p->backend.draw && k < p->step->draw.nr; k++)
		if (!p->backend.draw(p->backend.ctx, p->world, p->scenario, &p->step->draw.v[k], err))
			record_errors(p, err, p->step->line);
}

void play_step(struct play *p, uint32_t nr)
{
	struct err err = { 0 };

	p->step = &p->scenario->steps.v[nr];
	p->streams.nr = 0;
	if (!p->only_changes)
		play_streams_begin(p);
	play_changes(p, &p->step->changes);
	play_streams_end(p);
	if (!p->only_changes) {
		play_questions(p);
		judge_all(p, &p->step->expect);
		draw_figures(p, &err);
		if (p->step->goal.nr)
			play_goal(p);
	} else if (p->step->solution) {
		play_changes(p, p->step->solution);
	}
	err_free(&err);
}

void play_all(struct play *p)
{
	for (uint32_t k = 0; k < p->scenario->steps.nr; k++)
		play_step(p, k);
}
