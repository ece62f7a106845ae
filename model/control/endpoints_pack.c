#include "model/control/endpoints_pack.h"

#include <stdlib.h>

#include "model/control/endpointslices.h"

/* LessEndpointAddress */
static int by_address(const void *a, const void *b)
{
	const struct ep_address *x = ((const struct offer *)a)->address, *y = ((const struct offer *)b)->address;
	int d = strcmp(x->ip, y->ip);
	const char *p = x->target && x->target->uid ? x->target->uid : "", *q = y->target && y->target->uid ? y->target->uid : "";

	return d ? d : strcmp(p, q);
}

/* An address that is said to be ready and not ready is not ready. */
static struct offers offers_sorted(struct offers o)
{
	uint32_t to = 0;

	if (o.nr)
		qsort(o.v, o.nr, sizeof(*o.v), by_address);
	for (uint32_t k = 0; k < o.nr; k++) {
		if (to && !by_address(&o.v[to - 1], &o.v[k]))
			o.v[to - 1].ready = o.v[to - 1].ready && o.v[k].ready;
		else
			o.v[to++] = o.v[k];
	}
	o.nr = to;
	return o;
}

static struct packed *pack_of(struct packs *x, struct arena *a, const struct ep_port *port)
{
	struct packed *p;

	for (uint32_t k = 0; k < x->nr; k++)
		if (ports_equal(x->v[k].ports.v, x->v[k].ports.nr, port, port != NULL))
			return &x->v[k];
	p = vec_push(a, x);
	if (port) {
		p->ports.v = arena_copy(a, port, sizeof(*port));
		p->ports.nr = 1;
	}
	return p;
}

static void offer(struct arena *a, struct packed *p, const struct ep_subset *s)
{
	for (uint32_t k = 0; k < s->addresses.nr + s->not_ready.nr; k++) {
		bool ready = k < s->addresses.nr;
		const struct ep_address *from = ready ? &s->addresses.v[k] : &s->not_ready.v[k - s->addresses.nr];

		if (from->ip)
			vec_add(a, &p->offers, ((struct offer){ from, ready }));
	}
}

static bool same_offers(const struct offers *a, const struct offers *b)
{
	if (a->nr != b->nr)
		return false;
	for (uint32_t k = 0; k < a->nr; k++)
		if (by_address(&a->v[k], &b->v[k]) || a->v[k].ready != b->v[k].ready)
			return false;
	return true;
}

struct packs endpoints_repack(struct arena *a, const struct endpoints *e)
{
	struct packs by_port = { 0 }, out = { 0 };

	for (uint32_t k = 0; k < e->subsets.nr; k++) {
		const struct ep_subset *s = &e->subsets.v[k];

		for (uint32_t i = 0; i < s->ports.nr; i++)
			offer(a, pack_of(&by_port, a, &s->ports.v[i]), s);
		if (!s->ports.nr)
			offer(a, pack_of(&by_port, a, NULL), s);
	}
	for (uint32_t k = 0; k < by_port.nr; k++) {
		struct packed *p = &by_port.v[k];
		uint32_t at = 0;

		p->offers = offers_sorted(p->offers);
		while (at < out.nr && !same_offers(&out.v[at].offers, &p->offers))
			at++;
		if (at == out.nr) {
			vec_add(a, &out, *p);
		} else if (p->ports.nr) {
			struct packed *to = &out.v[at];
			struct ep_port *v = arena_array(a, struct ep_port, to->ports.nr + 1);

			if (to->ports.nr)
				memcpy(v, to->ports.v, to->ports.nr * sizeof(*v));
			v[to->ports.nr++] = p->ports.v[0];
			to->ports.v = v;
		}
	}
	return out;
}
