/* Events as they are kept: many are told, few are read, so their words are put together when somebody asks. Inside of the cluster. */
#ifndef PODWIRE_EVENTS_H
#define PODWIRE_EVENTS_H

#include "model/cluster/cluster.h"

struct note { str a; obj_h object; uint32_t form; };    /* form: place in forms */
#define NOTES 1023                              /* of one piece; pieces are never copied */
struct moment { nsec at; uint32_t from; };      /* of the notes from that place on: many are of one moment */
struct notes { struct note v[NOTES]; VEC(struct moment) moments; };
struct event_log {
	VEC(struct notes *) pieces; uint32_t nr;        /* notes in all */
	VEC(const struct event_form *) forms;
	struct map form_at;                             /* form → its place in forms, + 1 */
	struct map free_forms;                          /* hash(component, reason, warning) → form of events whose words are free */
	VEC(struct event) told;                         /* those that have been read */
};
void event_log_add(struct event_log *, struct arena *, nsec at, const struct event_form *, str a, obj_h object);
/* The form of events with free words: "%s". component may be NULL. */
const struct event_form *event_form_for(struct event_log *, struct arena *, bool warning, str component, str reason);
const struct event *event_log_read(struct event_log *, struct cluster *, uint32_t *nr);

#endif
