/* What is wrong, by which facts one sees it, and what to do: the diagnosis that somebody gives who knows Kubernetes and has looked at everything. Each finding
 * stands on evidence (an object, a field, its value, where it was written); where a change mends it, the change is part of the finding, so that it can be tried on a
 * copy and asked again before anybody sees it. Reads the cluster; changes nothing. */
#ifndef PODWIRE_DIAGNOSE_H
#define PODWIRE_DIAGNOSE_H

#include "sim/ask/question.h"
#include "sim/engine/world.h"

enum severity { FINDING_CAUSE, FINDING_WARNING, FINDING_NOTE };         /* why it does not work; what will bite; what one should know */
extern const char *const severity_names[];      /* cause, warning, note */

struct evidence { const char *object, *field, *value; const char *file; uint32_t line; };       /* field NULL: an event; file NULL: a controller made it */
struct fix {
	const struct kind *kind; const char *ns, *name;
	const struct val *patch;                /* strategic; NULL: doc is applied instead */
	const struct val *doc;                  /* a List: several that mend it together */
	bool tried, works;
	const char *then;                       /* what was found when it was asked again */
};
struct finding {
	const char *code;                       /* a stable word: selector-misses, port-name-unknown, … */
	enum severity severity;
	const char *says;                       /* one sentence */
	const char *remedy;                     /* what to do, in words; NULL */
	VEC(struct evidence) evidence;
	struct fix *fix;                        /* NULL: none that a patch could be */
};
struct diagnosis {
	struct arena *arena;
	struct world *world;
	const char *subject;                    /* Service default/web; pod/a → svc/web:80 */
	const char *summary;                    /* one sentence */
	bool unknown;                           /* cannot tell; the summary says what is missing */
	VEC(struct finding) findings;
	uint32_t depth;                         /* of objects that lead to others */
};

/* Does any finding say why it does not work? */
bool diagnosis_ill(const struct diagnosis *);
bool diagnosis_has(const struct diagnosis *, const char *code);

/* Of one object: Pods, Services, nodes, workloads, Ingresses; others have their events only. */
void diagnose_object(struct diagnosis *, struct world *, struct arena *, const struct object *);
/* Of a way: asks it, and looks at what it met. false: an end does not exist; err says so. */
bool diagnose_way(struct diagnosis *, struct world *, struct arena *, const struct question *, struct err *);

/* ---- among its files */
struct finding *finding(struct diagnosis *, enum severity, const char *code, const char *fmt, ...) PRINTF(4, 5);        /* good until the next one */
void remedy(struct diagnosis *, struct finding *, const char *fmt, ...) PRINTF(3, 4);
/* A field of an object, as dotted path ("spec.selector.app"): value and place are looked up, for a Pod in the workload that made it. value NULL: as it stands there. */
void evidence(struct diagnosis *, struct finding *, const struct object *, const char *path, const char *value);
void evidence_text(struct diagnosis *, struct finding *, const struct object *, const char *field, const char *fmt, ...) PRINTF(5, 6);
void evidence_event(struct diagnosis *, struct finding *, const struct object *, const struct event *);
/* The newest event of the object with that reason; NULL. */
const struct event *event_of(struct cluster *, const struct object *, const char *reason);
void fix_patch(struct diagnosis *, struct finding *, const struct object *, const char *fmt, ...) PRINTF(4, 5);          /* YAML */
void fix_apply(struct diagnosis *, struct finding *, const struct kind *, const char *ns, const char *name, const char *fmt, ...) PRINTF(6, 7);
void findings_of(struct diagnosis *, uint32_t from, const char *whose);            /* the findings from there on are those of another object: each says so */
const char *first_cause(const struct diagnosis *, uint32_t from);                /* what the first cause says, of the findings from there on; NULL */
const char *object_name(struct diagnosis *, const struct object *);             /* Pod default/web */
/* The object that somebody wrote: a Pod's Deployment, or itself. */
const struct object *written_by(struct diagnosis *, const struct object *);

void why_pod(struct diagnosis *, const struct pod *);
/* Of those among the Pods that are not ready: each cause once, with the Pods that share it. */
void why_pods(struct diagnosis *, struct object *const *pods, uint32_t nr);
void why_references(struct diagnosis *, const struct pod *);            /* why_reference.c: ConfigMaps, Secrets, claims and keys that are not there */
void why_containers(struct diagnosis *, const struct pod *);            /* why_container.c: those that do not run, or not for long */
void why_agnhost(struct diagnosis *, const struct pod *);               /* why_container.c: what is assumed of the test image */
void why_probes(struct diagnosis *, const struct pod *);                /* why_container.c: of one that is ready, probes of ports that it does not declare */
const struct container *container_named(const struct pod *, const char *name);         /* among both lists; NULL */
const char *container_path(struct diagnosis *, const struct pod *, const struct container *, const char *field);      /* spec.containers.0.image */
void why_claim(struct diagnosis *, const struct object *);              /* of a PersistentVolumeClaim; nothing if it is bound */
bool why_policy(struct diagnosis *, const struct outcome_view *);        /* was it a policy's chain that dropped it? */
void why_address(struct diagnosis *, const struct pod *);               /* has it an address that its node's network would give? */
void why_service(struct diagnosis *, const struct service *);
void why_service_behind(struct diagnosis *, const struct service *);     /* the same on the way to it: what is found is said to be the Service's, the summary stays */
void why_topology(struct diagnosis *, const struct service *);          /* hints: which nodes use them, which do not, and why */
/* A way that failed for what the nodes are like: FORWARD's policy, the bridge, the way back. false: something else. */
bool why_network(struct diagnosis *, const struct outcome_view *);
void why_node(struct diagnosis *, const struct node *);
void why_workload(struct diagnosis *, const struct workload *);
void why_job(struct diagnosis *, const struct job *);
void why_cron_job(struct diagnosis *, const struct cron_job *);
void why_ingress(struct diagnosis *, const struct ingress *);
void why_autoscaler(struct diagnosis *, const struct object *);         /* why_kept.c */
void why_budget(struct diagnosis *, const struct object *);
void why_policy_object(struct diagnosis *, const struct network_policy *);
void why_gateway(struct diagnosis *, const struct gateway *);           /* why_gateway.c: by the conditions of its status */
void why_route(struct diagnosis *, const struct gw_route *);

#endif
