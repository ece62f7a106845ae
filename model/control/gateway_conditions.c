/* Conditions in the status of Gateway API objects: one that says the same as before is left alone, with its time. */
#include "model/control/gateway_parts.h"

static bool same_condition(const struct condition *c, enum cond_status status, const char *reason, const char *message, int64_t generation)
{
	return c->status == status && streq(c->reason, reason) && streq(c->message, message) && c->observed == generation;
}

bool gw_set_condition(struct gw_run *r, condition_list *l, const char *type, enum cond_status status, const char *reason, const char *message, int64_t generation)
{
	struct condition *v, *to = NULL;

	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k].type, type))
			to = &l->v[k];
	if (to && same_condition(to, status, reason, message, generation))
		return false;
	if (!to) {
		v = arena_array(cluster_arena(r->c), struct condition, l->nr + 1);
		if (l->nr)
			memcpy(v, l->v, l->nr * sizeof(*v));
		l->v = v;
		l->set = true;
		to = &v[l->nr++];
		*to = (struct condition){ .type = cluster_str(r->c, type), .status = COND_NONE, .heartbeat = NEVER };
	}
	if (to->status != status)
		to->changed = r->now;
	to->status = (uint8_t)status;
	to->reason = cluster_str(r->c, reason);
	to->message = cluster_str(r->c, message);
	to->observed = generation;
	return true;
}

/* A condition of negative polarity that does not hold is not there. */
bool gw_drop_condition(struct gw_run *r, condition_list *l, const char *type)
{
	struct condition *v = arena_array(r->a, struct condition, l->nr);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l->nr; k++)
		if (!streq(l->v[k].type, type))
			v[nr++] = l->v[k];
	if (nr == l->nr)
		return false;
	l->v = arena_copy(cluster_arena(r->c), v, nr * sizeof(*v));
	l->nr = nr;
	return true;
}

bool gw_set_says(struct gw_run *r, condition_list *l, const char *type, struct gw_says says, int64_t generation)
{
	return gw_set_condition(r, l, type, says.yes ? COND_TRUE : COND_FALSE, says.reason, says.message, generation);
}
