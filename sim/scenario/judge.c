/* Expectations against what was asked: the outcomes of traces, streams, look-ups, matrices. */
#include "sim/scenario/play.h"

#include <math.h>
#include <stdlib.h>

static struct parse words(struct play *p, struct err *err)
{
	return (struct parse){ p->arena, cluster_strings(p->world->cluster), p->scenario->file, NULL, err };
}

/* ---- ends */

static ip_addr source_of(const struct outcome_view *o)
{
	const struct outcome *x = o->second ? o->second : o->walk;

	return x && o->verdict == V_DELIVERED ? x->there.as_seen.src : (ip_addr){ 0 };
}

static bool node_has(struct play *p, const char *name, ip_addr ip)
{
	const char *known = p->backend.name_of ? p->backend.name_of(p->backend.ctx, p->world, ip, p->arena) : NULL;

	return node_has_ip(find_node(p->world->cluster, name), ip) || (known && strncmp(known, "node/", 5) == 0 && strcmp(known + 5, name) == 0);
}

/* Is the address what the text names: an address, an end, or a selector of Pods? pod: whose address it is, if known. */
static bool is_end(struct play *p, const char *text, ip_addr ip, uint16_t port, const struct pod *pod)
{
	const char *known = p->backend.name_of ? p->backend.name_of(p->backend.ctx, p->world, ip, p->arena) : NULL;
	struct err none = { 0 };
	struct parse w = words(p, &none);
	struct pick pick;
	ip_addr want;
	bool holds;

	if (ip_parse(text, &want))
		return ip_eq(want, ip);
	if (strcmp(text, arena_printf(p->arena, ip_is4(ip) ? "%s:%u" : "[%s]:%u", IP(ip), port)) == 0)
		return true;
	if (strncmp(text, "node/", 5) == 0)
		return node_has(p, text + 5, ip);
	if (strncmp(text, "client", 6) == 0)
		return known && (strcmp(known, text) == 0 || (!text[6] && strncmp(known, "client", 6) == 0)) ? true : text[6] == '/' && ip_parse(text + 7, &want) && ip_eq(want, ip);
	pod = pod ? pod : find_pod_by_ip(p->world->cluster, ip);
	holds = pod && pick_parse(&w, text, NULL, &pick) && pick_has_pod(p->world->cluster, &pick, p->scenario->ns, pod, p->arena);
	err_free(&none);
	return holds;
}

static bool endpoint_is(struct play *p, const char *text, const struct outcome_view *o)
{
	return o->verdict == V_DELIVERED && ip_set(o->end_ip) && is_end(p, text, o->end_ip, o->end_port, o->pod);
}

/* ---- one outcome */

static bool tri_holds(uint8_t want, bool have)
{
	return want == TRI_UNSET || (want == TRI_TRUE) == have;
}

static bool in_range(struct play *p, const struct val *want, double have, double of)
{
	struct err none = { 0 };
	struct parse w = words(p, &none);
	struct range r;
	bool holds = range_parse(&w, want, NULL, &r) && range_holds(&r, have, of);

	err_free(&none);
	return holds;
}

static bool outcome_matches(struct play *p, const struct expect *e, const struct outcome_view *o)
{
	if (e->verdict && o->verdict != (enum verdict)(e->verdict - 1))
		return false;
	if (!tri_holds(e->answered, o->answered) || !tri_holds(e->assumed, o->assumed) || !tri_holds(e->masqueraded, o->masqueraded))
		return false;
	if (e->reason && !(o->reason && strcasestr(o->reason, e->reason)))
		return false;
	if (e->source_seen && !(ip_set(source_of(o)) && is_end(p, e->source_seen, source_of(o), 0, NULL)))
		return false;
	if (e->endpoint && !endpoint_is(p, e->endpoint, o))
		return false;
	if (e->endpoint_node && !streq(o->node, strncmp(e->endpoint_node, "node/", 5) == 0 ? e->endpoint_node + 5 : e->endpoint_node))
		return false;
	if (e->status && !(o->http && in_range(p, e->status, o->http->status, 0)))
		return false;
	for (uint32_t k = 0; k < e->via.nr; k++)
		if (!val_str(e->via.v[k]) || !p->backend.passes || !p->backend.passes(p->backend.ctx, p->world, o, val_str(e->via.v[k])))
			return false;
	return !e->not_ || !outcome_matches(p, e->not_, o);
}

/* ---- all outcomes */

static const char *answer_text(struct play *p, const struct answer *a)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < a->nr; k++) {
		const struct outcome_view *o = &a->v[k];
		ip_addr source = source_of(o);

		sb_printf(&out, "%s%s", k ? "; " : "", verdict_names[o->verdict]);
		if (o->p.num != o->p.den)
			sb_printf(&out, " (%" PRIu64 "/%" PRIu64 ")", o->p.num, o->p.den);
		if (o->verdict == V_DELIVERED && o->pod)
			sb_printf(&out, " to pod/%s/%s", o->pod->o.ns, o->pod->o.name);
		else if (o->verdict == V_DELIVERED && ip_set(o->end_ip))
			sb_printf(&out, " to %s", IP(o->end_ip));
		if (o->verdict == V_DELIVERED)
			sb_add(&out, o->answered ? ", answered" : ", not answered");
		if (ip_set(source))
			sb_printf(&out, ", source %s", IP(source));
		if (o->http)
			sb_printf(&out, ", status %d", o->http->status);
		if (o->verdict != V_DELIVERED && o->reason)
			sb_printf(&out, ": %s", text_behind(verdict_names[o->verdict], o->reason));
	}
	text = arena_strdup(p->arena, sb_text(&out));
	sb_free(&out);
	return text;
}

/* How often, or with what probability, the outcomes end there. */
static bool share_holds(struct play *p, const struct val *want, const struct outcome_view *const *set, uint32_t nr)
{
	struct err none = { 0 };
	struct parse w = words(p, &none);
	double share = 0, count = 0;
	struct range r;
	bool ok = range_parse(&w, want, NULL, &r);

	err_free(&none);
	for (uint32_t k = 0; k < nr; k++)
		if (endpoint_is(p, want->key, set[k])) {
			share += frac_value(set[k]->p);
			count++;
		}
	return ok && range_holds(&r, r.share ? share : count, nr);
}

static bool set_matches(struct play *p, const struct expect *e, const struct outcome_view *const *set, uint32_t nr)
{
	struct expect each = *e;

	each.not_ = NULL;
	for (uint32_t k = 0; k < nr; k++)
		if (!outcome_matches(p, &each, set[k]))
			return false;
	VAL_EACH(m, e->outcomes)
		if (!share_holds(p, m, set, nr))
			return false;
	if (!e->not_)
		return true;
	if (e->not_->outcomes)
		return !set_matches(p, e->not_, set, nr);
	for (uint32_t k = 0; k < nr; k++)               /* no outcome may be what must not be */
		if (outcome_matches(p, e->not_, set[k]))
			return false;
	return true;
}

static bool judge_trace(struct play *p, const struct expect *e, const struct answer *a, const char **actual)
{
	const struct outcome_view **set = arena_array(p->arena, const struct outcome_view *, a->nr);
	uint32_t nr = 0;

	*actual = answer_text(p, a);
	for (uint32_t k = 0; k < a->nr; k++)
		if (!e->when || outcome_matches(p, e->when, &a->v[k]))
			set[nr++] = &a->v[k];
	if (!nr) {
		*actual = arena_printf(p->arena, "no outcome is as `when` says: %s", *actual);
		return false;
	}
	return set_matches(p, e, set, nr);
}

/* How many, and for each reason when. */
static const char *losses_text(struct play *p, const struct stream *s)
{
	struct sb out = { 0 };
	const char *text;

	sb_printf(&out, "%u of %u lost", s->lost, s->sent);
	for (uint32_t k = 0; k < s->losses.nr; k++) {
		const struct loss *l = &s->losses.v[k];

		sb_printf(&out, "%s %u from %.3fs to %.3fs: %s", k ? ";" : ",", l->nr, (double)l->first / 1e9, (double)l->last / 1e9, l->why);
	}
	text = arena_strdup(p->arena, sb_text(&out));
	sb_free(&out);
	return text;
}

/* ---- streams, look-ups */

static bool judge_stream(struct play *p, const struct expect *e, const char **actual)
{
	bool ok = p->streams.nr > 0;

	for (uint32_t k = 0; k < p->streams.nr; k++) {
		const struct stream *s = &p->streams.v[k];

		if (e->question && !streq(e->question, s->q->name))
			continue;
		*actual = losses_text(p, s);
		ok = in_range(p, e->lost, s->lost, s->sent) && ok;
	}
	return ok;
}

static bool same_answers(const struct val *want, const str_list *have)
{
	uint32_t found = 0;

	if (val_is(want, VAL_STRING)) {
		for (uint32_t k = 0; k < have->nr; k++)
			if (streq(have->v[k], want->s))
				return true;
		return false;
	}
	VAL_EACH(v, want)
		for (uint32_t k = 0; k < have->nr; k++)
			if (streq(have->v[k], val_str(v))) {
				found++;
				break;
			}
	return val_is(want, VAL_LIST) && found == want->nr && have->nr == want->nr;
}

static bool dns_holds(const struct expect *e, const struct looked *l)
{
	if ((e->rcode && !streq(e->rcode, l->rcode)) || (e->answers && !same_answers(e->answers, &l->answers)))
		return false;
	return !e->not_ || !dns_holds(e->not_, l);
}

static bool judge_dns(struct play *p, const struct expect *e, const char **actual)
{
	bool ok = p->nr_looked > 0;

	for (uint32_t k = 0; k < p->nr_looked; k++) {
		const struct looked *l = &p->looked[k];
		struct sb text = { 0 };

		sb_add(&text, l->why ? l->why : l->rcode);
		if (l->unknown)
			sb_printf(&text, ": %s", l->unknown);
		for (uint32_t i = 0; i < l->answers.nr; i++)
			sb_printf(&text, " %s", l->answers.v[i]);
		*actual = arena_strdup(p->arena, sb_text(&text));
		sb_free(&text);
		if (l->why || (l->unknown && !streq(e->rcode, l->rcode)) || !dns_holds(e, l))         /* of what cannot be told, nothing else holds, nor its contrary */
			return false;
	}
	return ok;
}

static bool judge_asked(struct play *p, const struct expect *e, const char **actual)
{
	bool any = false;

	for (uint32_t k = 0; k < p->nr_asked; k++) {
		const struct asked *q = &p->asked[k];
		const char *text;
		bool ok;

		if (e->question && !streq(e->question, q->doc->name))
			continue;
		any = true;
		text = q->why;
		ok = !q->why && judge_trace(p, e, &q->answer, &text);
		*actual = p->nr_asked > 1 ? arena_printf(p->arena, "%s → %s: %s", q->doc->from, q->doc->to, text) : text;
		if (!ok) {
			p->failing = q;
			return false;
		}
	}
	if (!any)
		*actual = e->question ? arena_printf(p->arena, "the step asks no question named \"%s\"", e->question) : "nothing was asked";
	return any;
}

bool judge(struct play *p, const struct expect *e, const char **actual)
{
	*actual = "";
	p->failing = NULL;
	switch ((enum expect_about)e->about) {
	case ABOUT_TRACE:
		return judge_asked(p, e, actual);
	case ABOUT_OBJECT:
		return judge_object(p, e, actual);
	case ABOUT_EVENT:
		return judge_event(p, e, actual);
	case ABOUT_MATRIX:
		return judge_matrix(p, e, actual);
	case ABOUT_STREAM:
		return judge_stream(p, e, actual);
	case ABOUT_DNS:
		return judge_dns(p, e, actual);
	}
	return false;
}
