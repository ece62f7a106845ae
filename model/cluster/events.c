#include "model/cluster/store.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/base/text.h"

static uint32_t form_place(struct event_log *l, struct arena *a, const struct event_form *f)
{
	uint64_t *at;

	for (uint32_t k = 0; k < l->forms.nr && k < 8; k++)     /* those of every Pod come early */
		if (l->forms.v[k] == f)
			return k;
	at = map_put(&l->form_at, a, map_ptr(f));
	if (!*at) {
		vec_add(a, &l->forms, f);
		*at = l->forms.nr;
	}
	return (uint32_t)*at - 1;
}

void event_log_add(struct event_log *l, struct arena *a, nsec at, const struct event_form *f, str arg, obj_h object)
{
	uint32_t place = l->nr++ % NOTES;
	struct notes *n;

	if (!place)
		vec_add(a, &l->pieces, arena_make(a, struct notes));
	n = l->pieces.v[l->pieces.nr - 1];
	n->v[place] = (struct note){ arg, object, form_place(l, a, f) };
	if (!n->moments.nr || n->moments.v[n->moments.nr - 1].at != at)
		vec_add(a, &n->moments, (struct moment){ at, place });
}

const struct event_form *event_form_for(struct event_log *l, struct arena *a, bool warning, str component, str reason)
{
	uint64_t *at = map_put(&l->free_forms, a, hash_mix(hash_mix(map_ptr(component), map_ptr(reason)), warning));
	struct event_form *f = (struct event_form *)(uintptr_t)*at;

	if (!f) {
		f = arena_make(a, struct event_form);
		*f = (struct event_form){ warning, component, reason, "%s" };
		*at = map_ptr(f);
	}
	return f;
}

static const struct note *note_at(const struct event_log *l, uint32_t k, nsec *at)
{
	const struct notes *n = l->pieces.v[k / NOTES];
	uint32_t lo = 0, hi = n->moments.nr;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (n->moments.v[mid].from <= k % NOTES)
			lo = mid;
		else
			hi = mid;
	}
	*at = n->moments.v[lo].at;
	return &n->v[k % NOTES];
}

/* %s is the note's own text, %o the object's NAMESPACE/NAME. */
static str words(struct cluster *c, const struct event_form *f, const struct note *n)
{
	const struct object *o = obj_get(c, n->object);
	struct sb text = { 0 };
	str out;

	if (streq(f->format, "%s"))
		return n->a;
	for (const char *s = f->format; *s; s++) {
		if (*s != '%') {
			sb_addc(&text, *s);
		} else if (*++s == 'o') {
			sb_printf(&text, "%s/%s", o->ns ? o->ns : "", o->name);
		} else {
			assert(*s == 's');
			sb_add(&text, n->a ? n->a : "");
		}
	}
	out = cluster_str(c, sb_text(&text));
	sb_free(&text);
	return out;
}

static struct event told(const struct event_log *l, struct cluster *c, uint32_t k)
{
	nsec at;
	const struct note *n = note_at(l, k, &at);
	const struct event_form *f = l->forms.v[n->form];

	return (struct event){ at, f->warning, n->object, cluster_str(c, f->reason), words(c, f, n), cluster_str(c, f->component) };
}

const struct event *event_log_read(struct event_log *l, struct cluster *c, uint32_t *nr)
{
	while (l->told.nr < l->nr) {
		struct event e = told(l, c, l->told.nr);

		vec_add(cluster_arena(c), &l->told, e);
	}
	*nr = l->told.nr;
	return l->told.v;
}

/* ---- of a cluster */

void cluster_event(struct cluster *c, const struct object *o, bool warning, const char *component, const char *reason, const char *fmt, ...)
{
	const struct event_form *form = event_form_for(&c->events, c->arena, warning, cluster_str(c, component), cluster_str(c, reason));
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	text_format(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_log_add(&c->events, c->arena, c->now, form, cluster_str(c, text), o->id);
}

void cluster_event_form(struct cluster *c, const struct object *o, const struct event_form *form, str a)
{
	event_log_add(&c->events, c->arena, c->now, form, a, o->id);
}

const struct event *cluster_events(const struct cluster *cc, uint32_t *nr)
{
	struct cluster *c = (struct cluster *)cc;

	return event_log_read(&c->events, c, nr);
}

void cluster_restore_event(struct cluster *c, const struct event *e)
{
	event_log_add(&c->events, c->arena, e->at, event_form_for(&c->events, c->arena, e->warning, e->component, e->reason), e->message, e->object);
}

struct event cluster_event_told(struct cluster *c, uint32_t k)
{
	return told(&c->events, c, k);
}

uint32_t cluster_event_count(const struct cluster *c)
{
	return c->events.nr;
}

struct event_note cluster_event_note(const struct cluster *c, uint32_t k)
{
	nsec at;
	const struct note *n = note_at(&c->events, k, &at);

	return (struct event_note){ at, c->events.forms.v[n->form], n->a, n->object };
}

void cluster_restore_note(struct cluster *c, struct event_note n)
{
	event_log_add(&c->events, c->arena, n.at, n.form, n.a, n.object);
}
