/* Pods wired by the reference CNI plugins instead of by wire.c: `loopback`, then the chain `bridge` (with `host-local`) and `portmap`, executed as a runtime does, with
 * the configuration that kindnet's nodes have. What they make is left alone by wire.c and rules.c, and compared with the dataplane by verify.
 *
 * Not compared, because podwire chooses it and the plugins draw it: hardware addresses, the names of the nodes' ends, permanent neighbours (here they are learned). */
#ifndef PODWIRE_LINUX_CNI_H
#define PODWIRE_LINUX_CNI_H

#include "sim/linux/live.h"

struct cni_plugs;                       /* live->cni: where the plugins are, and what they did otherwise than the dataplane says */
struct cni_plug;                        /* space->plug: of a Pod, what its ADD has given */
struct cni_remark { const char *what, *walk, *kernel; };

/* dir: with the plugins. false: one of them is not there, or the cluster's network is another. */
bool cni_begin(struct live *, struct cluster *, const char *dir, struct err *);
/* ADD for each Pod of the dataplane that has none yet, in the order in which their sandboxes were made. */
bool cni_add(struct live *, struct cluster *, const struct dataplane *, struct err *);
void cni_del(struct live *, struct space *);            /* DEL, while its namespaces are still there; nothing for a space that was not wired so */
/* Takes out of a view what the plugins make. */
void cni_leave_out(const struct space *, struct view *);
/* Both sides of the comparison: want with everything, have with the plugins' links under the names and numbers that they have in want. */
void cni_comparable(const struct live *, const struct space *, struct view *want, struct view *have);
/* Of rules as they are listed: where portmap has made nothing yet, the chains that it would share are not expected either (the dataplane has them on all nodes). */
void cni_comparable_rules(struct sb *want, const struct sb *have);
/* iptables-restore's text for the node whose namespace the thread is in: portmap's rules out of it, those of the plugin that are there now into it. On the heap. */
char *cni_keep_rules(const char *text, bool six, struct err *);
uint32_t cni_remarks(const struct live *, const struct cni_remark **);          /* addresses that host-local gave otherwise; valid until the next change */
uint32_t cni_wired(const struct live *);                /* Pods */

#endif
