/* A source by hand: the cluster of the mock-ups, or as many Pods and nodes as asked for. Knows nothing of model/ and sim/: the screens need neither. */
#ifndef PODWIRE_TUI_FAKE_H
#define PODWIRE_TUI_FAKE_H

#include "viz/tui/tui.h"

struct fake {
	uint32_t pods, nodes;                   /* 0: the mock-ups' cluster */
	const char *hostile;                    /* NULL; else the name of everything */
	char ran[400]; uint32_t runs, undone, left;     /* the last command line, and how many */
	char at[64];
};
struct tui_source fake_source(struct fake *);
const char *screen_text(struct tui *, struct cells *);  /* what is to be seen now; lasts until the next */

#endif
