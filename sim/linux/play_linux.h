/* A scenario in real namespaces: after each change the kernel follows, and each trace is a real connection, too. The answer is the model's, with the kernel's word for
 * it: where they differ, the trace counts as not answered, and the record says how. */
#ifndef PODWIRE_PLAY_LINUX_H
#define PODWIRE_PLAY_LINUX_H

#include "sim/linux/live.h"
#include "sim/scenario/play.h"

struct playing {
	struct live live;
	rev_t rev;
	uint64_t views;                 /* what each kube-proxy has heard (proxy_view.h), as of rev */
	bool built, differs;            /* differs: the kernel has answered otherwise */
	uint32_t confirmed;
	const char *cannot;             /* what this machine lacks: the scenario counts as skipped; in the arena of the play */
};
extern const struct play_backend play_linux;            /* ctx: struct playing, live begun */
const char *play_linux_cannot(const struct scenario *);         /* why a scenario cannot be played in the kernel; NULL: it can */

#endif
