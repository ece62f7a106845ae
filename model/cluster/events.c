#include "model/cluster/store.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/base/text.h"

void event_log_add(struct event_log *l, struct arena *a, struct note n)
{
	if (l->nr % NOTES == 0)
		vec_add(a, &l->pieces, arena_make(a, struct notes));
	l->pieces.v[l->nr / NOTES]->v[l->nr % NOTES] = n;
	l->nr++;
}

const struct event_form *event_form_for(struct event_log *l, struct arena *a, bool warning, str component, str reason)
{
	uint64_t *at = map_put(&l->forms, a, hash_mix(hash_mix(map_ptr(component), map_ptr(reason)), warning));
	struct event_form *f = (struct event_form *)(uintptr_t)*at;

	if (!f) {
		f = arena_make(a, struct event_form);
		*f = (struct event_form){ warning, component, reason, "%s" };
		*at = map_ptr(f);
	}
	return f;
}

/* %s is the next of a, b; %o the object's NAMESPACE/NAME. */
static str words(struct cluster *c, const struct note *n)
{
	const struct object *o = obj_get(c, n->object);
	const str arg[] = { n->a, n->b };
	struct sb text = { 0 };
	size_t k = 0;
	str out;

	if (streq(n->form->format, "%s"))
		return n->a;
	for (const char *s = n->form->format; *s; s++) {
		if (*s != '%') {
			sb_addc(&text, *s);
		} else if (*++s == 'o') {
			sb_printf(&text, "%s/%s", o->ns ? o->ns : "", o->name);
		} else {
			assert(*s == 's' && k < ARRAY_LEN(arg));
			sb_add(&text, arg[k] ? arg[k] : "");
			k++;
		}
	}
	out = cluster_str(c, sb_text(&text));
	sb_free(&text);
	return out;
}

const struct event *event_log_read(struct event_log *l, struct cluster *c, uint32_t *nr)
{
	while (l->told.nr < l->nr) {
		const struct note *n = &l->pieces.v[l->told.nr / NOTES]->v[l->told.nr % NOTES];

		vec_add(cluster_arena(c), &l->told, (struct event){ n->at, n->form->warning, n->object, cluster_str(c, n->form->reason), words(c, n),
								    cluster_str(c, n->form->component) });
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
	event_log_add(&c->events, c->arena, (struct note){ c->now, form, cluster_str(c, text), NULL, o->id });
}

void cluster_event_form(struct cluster *c, const struct object *o, const struct event_form *form, str a, str b)
{
	event_log_add(&c->events, c->arena, (struct note){ c->now, form, a, b, o->id });
}

const struct event *cluster_events(const struct cluster *cc, uint32_t *nr)
{
	struct cluster *c = (struct cluster *)cc;

	return event_log_read(&c->events, c, nr);
}

void cluster_restore_event(struct cluster *c, const struct event *e)
{
	event_log_add(&c->events, c->arena, (struct note){ e->at, event_form_for(&c->events, c->arena, e->warning, e->component, e->reason), e->message, NULL, e->object });
}
