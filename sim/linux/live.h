/* A cluster's network in this kernel: one space (network, IPC and UTS namespace, kept by a pause process) for each namespace of the dataplane, and the fabric
 * between them. The calling process is init of its own PID namespace and sits in the fabric's network namespace (space.h); what is here dies with it.
 *
 * live_sync makes the kernel have what a dataplane says: everything the first time, the difference afterwards. */
#ifndef PODWIRE_LIVE_H
#define PODWIRE_LIVE_H

#include "model/api/core.h"
#include "model/cluster/cluster.h"
#include "model/dataplane/dataplane.h"
#include "sim/linux/view.h"

struct rule_state;                              /* rules.c: what has been installed */
struct cni_plugs; struct cni_plug;              /* cni.h */
struct process { char *key, *conf; pid_t pid; int status; bool seen, own; };    /* a workload: key is its container, conf what it was started with; own: it is the manifest's command */
struct haproxy {                                /* the proxy of a Pod (haproxies.c) */
	char *key;                              /* NS/NAME of the Pod */
	char *dir;                              /* of its files */
	char *wanted, *running;                 /* its configuration; NULL: none runs */
	uint32_t space;
	uint16_t *ports; uint32_t nr_ports;     /* that it has in place of the Pod's own servers */
	pid_t pid;
	bool sidecar;                           /* of a mesh: the Pod's connections pass it */
	bool seen, ready;                       /* ready: its files are there */
};
struct haproxies { struct haproxy *v; uint32_t nr, alloc; bool missing; char *no_sidecars; /* why none runs; NULL */ };
struct space {
	uint32_t id;
	char *name, *uid;                       /* as the dataplane says; which sandbox it is: the object's uid and, of a Pod, its addresses */
	char hostname[65];
	uint8_t kind;                           /* enum netns_kind */
	pid_t pid; int pidfd, netfd;            /* its pause */
	uint32_t next_index;                    /* of links: never used again */
	struct arena *arena;                    /* of now */
	struct view now;
	struct view all, all_want;              /* with CNI plugins at work: what stands here by the dataplane, now and want without what the plugins make */
	struct cni_plug *plug;                  /* of a Pod that they have wired; NULL */
	struct arena *want_arena; struct view want;
	netns_h ns;                             /* in the dataplane at hand; .i 0: not in it */
	struct rule_state *rules;
	int nf;                                 /* a socket in its namespace for nf_tables; -1: not open yet */
	struct { struct process *v; uint32_t nr, alloc; } run;
	struct process bird;                    /* of a node, where BIRD writes the routes to blocks; seen: the others have given its sessions up */
	bool fresh, gone, rules_lost, restore;  /* restore: a removal took more along than was asked */
};
struct live {
	struct { struct space **v; uint32_t nr, alloc; } spaces;        /* by id - 1; gone ones are NULL */
	struct nl fabric;
	uint32_t segments;                      /* bit k: the bridge of segment k is there */
	int own_net;                            /* the fabric's namespace */
	int null;                               /* /dev/null: the standard files of all processes */
	bool commands;                          /* containers run the commands of their manifests (place.h) */
	bool with_bird, birds;                  /* asked for; a BIRD on each node writes the routes that are its own (birds.c) */
	struct cni_plugs *cni;                  /* the reference plugins wire the Pods (cni.h); NULL: wire.c does */
	struct haproxies haproxies;
	char *losses;                           /* rules for links that lose packets, as they stand; NULL: none */
	bool unbundled;                         /* segments leave the nodes one by one, since a link looks at their size */
	const char *dir;                        /* a tmpfs of the lab: logs and volumes */
	/* The name server (zone.c); pid 0: it does not run. on_demand: whoever serves the lab starts it when something is asked, instead of zone_sync. deaths: since the
	 * last change. cluster NULL: it is gone. */
	struct { int fd; pid_t pid; bool wanted, on_demand; struct cluster *cluster; rev_t rev; uint32_t deaths; } zone;
};
struct live_sum {
	uint32_t spaces, links, messages, rulesets, processes, birds, haproxies;
	char missing[256];                      /* what the cluster needs and this machine has not; "": nothing */
	double ms, cpu_ms /* of this process */, spaces_ms, wire_ms, rules_ms, rules_cpu_ms, cni_ms, processes_ms, birds_ms;
};

bool live_begin(struct live *, struct err *);
bool live_sync(struct live *, struct cluster *, const struct dataplane *, struct live_sum *, struct err *);
struct space *live_find(const struct live *, const char *name);         /* node/worker-1; NULL: none */
/* The calling thread's network namespace becomes that of the space (NULL: the fabric's). */
bool live_enter(const struct live *, const struct space *, struct err *);

/* A new member of a list that lives as long as the lab, for which no arena is right; not zeroed. Members move. */
#define list_push(l) ((l)->nr == (l)->alloc ? (void)((l)->v = list_grow((l)->v, &(l)->alloc, sizeof(*(l)->v))) : (void)0, &(l)->v[(l)->nr++])
void *list_grow(void *v, uint32_t *alloc, size_t size);

/* ---- parts */
bool space_begin(struct live *, struct space *, struct err *);          /* clones its pause (spaces.c) */
void space_end(struct live *, struct space *);
bool wire_links(struct live *, struct space *, bool removals, struct err *);    /* wire.c; now becomes want with the second call (removals false) */
bool wire_ready(struct live *, struct space *, struct err *);           /* links that have just come up are up for packets, too */
void wire_port(const struct space *, const struct k_link *, char out[16]);        /* the name of the segment's end of a link to it */
bool losses_sync(struct live *, struct err *);                          /* losses.c; behind the wiring */
bool rules_sync(struct live *, struct cluster *, struct space *, const struct dataplane *, uint32_t *changed, struct err *);      /* rules.c */
void rules_free(struct rule_state *);
const char *log_path(const struct live *, const struct pod *, const char *container, bool previous, struct arena *);    /* of a container's log; previous: of the one that ran before it */
bool workloads_sync(struct live *, struct cluster *, const struct dataplane *, uint32_t *started, struct err *);        /* workloads.c */
bool birds_write(struct live *, struct cluster *, const struct dataplane *);      /* birds.c; before the wiring: will BIRD write its routes? Those that run otherwise end */
bool birds_sync(struct live *, struct cluster *, const struct dataplane *, uint32_t *nr, struct err *);         /* until all their routes are there */
void bird_stop(struct space *);
void birds_keep(struct live *);                                         /* one that has ended by itself is started again, as runit does in calico-node */
bool zone_begin(struct live *, struct err *);                           /* its socket: what is asked waits there */
/* The lab's name server answers of this cluster from now on, which has to stay as long as the answers shall come; wanted false: no container serves DNS. */
bool zone_sync(struct live *, struct cluster *, bool wanted, struct err *);
bool zone_due(const struct live *);                                     /* it does not run and should, as soon as a query stands in zone.fd: then zone_start */
bool zone_start(struct live *, struct err *);
void zone_ended(struct live *);                                         /* its process has ended by itself */
#define ZONE_PATH 100
const char *zone_path(const struct live *, char out[ZONE_PATH]);
void workloads_stop(struct space *);
void no_files(const struct live *);                                     /* of a child: its standard files become /dev/null */
_Noreturn void run_image(const char *path, char *const *argv);            /* of a child: in a process group of its own, all signals let in, no environment */
bool write_setting(const char *path, int value, const char *where, struct err *);      /* below /proc/sys/net of the namespace that the thread is in */

#endif
