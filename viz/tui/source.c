#include "viz/tui/source.h"

#include "model/dataplane/packet.h"
#include "viz/diagram/figure.h"
#include "viz/report/trace_report.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

void model_begin(struct tui_model *m, struct world *w, const struct tui_host *host)
{
	*m = (struct tui_model){ .host = *host };
	model_changed(m, w);
}

static void run_ends(struct tui_model *m)
{
	for (uint32_t k = 0; k < m->ends.nr; k++)
		m->ends.v[k].end(m->ends.v[k].ctx);
	m->ends.v = NULL;
	m->ends.nr = m->ends.alloc = 0;
}

void model_at_end(struct tui_model *m, void (*end)(void *), void *ctx)
{
	void *at = vec_push(m->arena, &m->ends);

	(void)at;
	m->ends.v[m->ends.nr - 1].end = end;
	m->ends.v[m->ends.nr - 1].ctx = ctx;
}

void model_changed(struct tui_model *m, struct world *w)
{
	run_ends(m);
	arena_free(m->arena);
	m->arena = arena_new(NULL, "screens");
	m->world = w;
	m->head = (struct tui_head){ 0 };
	m->other_mode = NULL;
	m->reached = NULL;
	m->services_seen = false;
}

void model_end(struct tui_model *m)
{
	lesson_leave(m);
	run_ends(m);
	arena_free(m->arena);
	m->arena = NULL;
}

/* ---- helpers */

uint8_t pod_mark(const struct pod *p)
{
	if (p->o.deleted != NEVER)
		return TM_ENDING;
	if (p->phase == POD_FAILED)
		return TM_FAILED;
	if (p->phase == POD_SUCCEEDED)
		return TM_NONE;
	if (!p->node)
		return TM_PENDING;
	if (pod_is_ready(p))
		return TM_READY;
	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		const char *why = p->statuses.v[k].reason;

		if (p->statuses.v[k].state == CS_WAITING && why && (strstr(why, "BackOff") || strstr(why, "Err")))
			return TM_FAILED;
	}
	return TM_STARTING;
}

uint8_t node_mark(const struct node *n)
{
	for (uint32_t k = 0; k < n->conditions.nr; k++)
		if (streq(n->conditions.v[k].type, "Ready"))
			return n->conditions.v[k].status != COND_TRUE ? TM_FAILED : n->unschedulable ? TM_STARTING : TM_READY;
	return TM_PENDING;
}

static const char *word_of(const struct kind *k)
{
	static const struct { const struct kind *const kind; const char *word; } shorts[] = { { &pod_kind, "pod" }, { &service_kind, "svc" }, { &node_kind, "node" }, { &network_policy_kind, "netpol" } };

	for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
		if (shorts[i].kind == k)
			return shorts[i].word;
	return k->plural;
}

void ref_print(const struct object *o, struct sb *out)
{
	sb_printf(out, "%s/%s%s%s", word_of(o->kind), o->ns ? o->ns : "", o->ns ? "/" : "", o->name);
}

const char *ref_of(struct arena *a, const struct object *o)
{
	return arena_printf(a, "%s/%s%s%s", word_of(o->kind), o->ns ? o->ns : "", o->ns ? "/" : "", o->name);
}

static const struct kind *kind_of(struct tui_model *m, const char *word)
{
	const struct kind *k = kind_by_word(word);

	for (uint32_t i = 0; !k && cluster_pool_kind(m->world->cluster, i); i++) {
		const struct kind *have = cluster_pool_kind(m->world->cluster, i);

		if (strcasecmp(have->name, word) == 0 || strcasecmp(have->plural, word) == 0)
			k = have;
	}
	return k;
}

struct object *ref_find(struct tui_model *m, const char *ref, struct err *err)
{
	char word[64], ns[128] = "default", name[320];
	const struct kind *k;
	size_t n = strcspn(ref, "/ ");
	const char *rest = ref + n + (ref[n] != '\0'), *slash = strchr(rest, '/'), *flag = strstr(rest, " -n ");
	struct object *o;

	snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), ref);
	if (flag)
		snprintf(ns, sizeof(ns), "%.127s", flag + 4);
	if (slash && (!flag || slash < flag)) {
		snprintf(ns, sizeof(ns), "%.*s", (int)MIN((size_t)(slash - rest), sizeof(ns) - 1), rest);
		rest = slash + 1;
	}
	snprintf(name, sizeof(name), "%.*s", (int)MIN(strcspn(rest, " "), sizeof(name) - 1), rest);
	k = kind_of(m, word);
	if (!k) {
		err_add(err, ERR_INPUT, NULL, "\"%s\" is no kind that podwire knows", word);
		return NULL;
	}
	o = cluster_find(m->world->cluster, k, k->namespaced ? ns : NULL, name);
	if (!o)
		err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found%s%s", k->plural, name, k->namespaced ? " in namespace " : "", k->namespaced ? ns : "");
	return o;
}

const char *service_address(struct arena *a, const struct service *s)
{
	bool lb = s->type == SVC_LOADBALANCER;
	const char *ip = lb && s->lb_ingress.nr ? (s->lb_ingress.v[0].ip ? s->lb_ingress.v[0].ip : s->lb_ingress.v[0].hostname) : lb ? "<pending>" : s->cluster_ip;

	if (s->type == SVC_EXTERNALNAME)
		return s->external_name ? s->external_name : "";
	if (service_is_headless(s))
		return "headless";
	return s->ports.nr ? arena_printf(a, "%s:%d", ip ? ip : "-", s->ports.v[0].port) : ip ? ip : "-";
}

/* ---- the first row */

void model_head(struct tui_model *m, struct tui_head *out)
{
	struct cluster *c = m->world->cluster;
	struct tui_head *h = &m->head;

	if (!h->lab) {
		struct object_list pods = cluster_list(c, &pod_kind), nodes = cluster_list(c, &node_kind);
		const struct fault *faults;
		const char **texts;

		*h = (struct tui_head){ .lab = m->lab ? m->lab : "", .mode = "sim", .seed = cluster_seed(c), .now = cluster_now(c), .at = cluster_now(c), .past = m->past, .nodes = nodes.nr, .pods = pods.nr };
		for (uint32_t k = 0; k < pods.nr; k++) {
			uint8_t mark = pod_mark((const struct pod *)pods.v[k]);

			h->pods_ready += mark == TM_READY;
			h->pods -= mark == TM_NONE;
			h->warnings += mark == TM_PENDING || mark == TM_FAILED;
		}
		for (uint32_t k = 0; k < nodes.nr; k++) {
			uint8_t mark = node_mark((const struct node *)nodes.v[k]);

			h->nodes_ready += mark == TM_READY || mark == TM_STARTING;
			h->warnings += mark == TM_FAILED;
		}
		faults = control_faults(m->world->control, &h->nr_faults);
		texts = arena_array(m->arena, const char *, h->nr_faults);
		for (uint32_t k = 0; k < h->nr_faults; k++)
			texts[k] = arena_printf(m->arena, "%s %s", faults[k].kind, faults[k].target);
		h->faults = texts;
	}
	*out = *h;
}

/* ---- a trace */

/* What trace -o json wrote. */
static bool saved_trace(const char *file, struct arena *a, struct tui_trace *out, struct err *err)
{
	struct sb text = { 0 };
	char part[4096];
	FILE *f = fopen(file, "r");
	const struct val *v;

	if (!f)
		return err_add(err, ERR_INPUT, NULL, "%s: %s", file, strerror(errno));
	for (size_t n; text.len < (64u << 20) && (n = fread(part, 1, sizeof(part), f)) > 0;)
		sb_addn(&text, part, n);
	fclose(f);
	v = json_parse(a, file, sb_text(&text), text.len, NULL, err);
	sb_free(&text);
	if (!v)
		return false;
	return tui_trace_read(a, v, out) || err_add(err, ERR_INPUT, NULL, "%s: this is not what podwire trace -o json writes", file);
}

static bool fill_trace(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_trace *out, struct err *err)
{
	struct question q;
	struct answer answer;

	if (strncmp(want->a, "file:", 5) == 0)
		return saved_trace(want->a + 5, a, out, err);
	if (!m->host.question(m->host.ctx, want->a, a, &q, err))
		return false;
	q.flags |= WALK_RECORD | WALK_CONSIDERED;
	if (!question_ask(m->world, &q, a, &answer, err))
		return false;
	if (!tui_trace_read(a, trace_json(m->world, &answer, a), out))
		return err_add(err, ERR_BUG, NULL, "the answer of the trace cannot be read");
	return true;
}

/* ---- */

bool model_load(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_page *out, struct err *err)
{
	*out = (struct tui_page){ .kind = want->kind };
	switch ((enum page_kind)want->kind) {
	case PAGE_MAP: fill_map(m, a, &out->map); return true;
	case PAGE_LIST: return fill_list(m, want, a, &out->list, err);
	case PAGE_OBJECT: return fill_object(m, want, a, &out->object, err);
	case PAGE_TRACE: return fill_trace(m, want, a, &out->trace, err);
	case PAGE_MATRIX: return fill_matrix(m, want, a, &out->matrix, err);
	case PAGE_TIMELINE: fill_timeline(m, a, &out->timeline); return true;
	case PAGE_LESSON: return fill_lesson(m, want, a, &out->lesson, err);
	case PAGE_NONE: case PAGE_KINDS: break;
	}
	return err_add(err, ERR_BUG, NULL, "no such page");
}

const char *model_list_word(struct tui_model *m, const char *word)
{
	const struct kind *k;

	if (strcmp(word, "lessons") == 0)
		return "lessons";
	if (strcmp(word, "conntrack") == 0)
		return "show conntrack";
	k = kind_of(m, word);
	return k ? k->plural : NULL;
}

static void offer(const char *whole, const char *word, tui_word f, void *ctx)
{
	if (strncmp(whole, word, strlen(word)) == 0)
		f(ctx, whole, NULL);
}

/* Kinds at the beginning; ends (pod/NS/NAME, svc/…, node/…) everywhere else. At most so many as are of use. */
void model_complete(struct tui_model *m, const char *before, const char *word, tui_word f, void *ctx)
{
	static const struct kind *const ends[] = { &pod_kind, &service_kind, &node_kind };
	uint32_t offered = 0;
	struct sb ref = { 0 };

	if (!*before) {
		for (uint32_t k = 0; kinds[k]; k++)
			offer(kinds[k]->plural, word, f, ctx);
		return;
	}
	if (!strchr(word, '/')) {
		for (const char *const *w = (const char *const[]){ "pod/", "svc/", "node/", "client", "deploy/", NULL }; *w; w++)
			offer(*w, word, f, ctx);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct object_list l = cluster_list(m->world->cluster, ends[i]);

		for (uint32_t k = 0; k < l.nr && offered < 10000; k++) {
			sb_reset(&ref);
			ref_print(l.v[k], &ref);
			if (strncmp(sb_text(&ref), word, strlen(word)) == 0) {
				f(ctx, sb_text(&ref), NULL);
				offered++;
			}
		}
	}
	sb_free(&ref);
}
