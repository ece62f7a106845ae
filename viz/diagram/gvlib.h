/* libcgraph and libgvc, opened when the first picture is drawn: with what they bring along they would cost the start of every command as much as all the rest.
 * Whoever includes this calls their functions by their own names, once gvlib_open has said true. */
#ifndef PODWIRE_GVLIB_H
#define PODWIRE_GVLIB_H

#include <graphviz/gvc.h>

#include "model/base/err.h"

#define CGRAPH_FUNCTIONS(X) \
	X(agattr) X(agclose) X(agedge) X(agget) X(agnode) X(agopen) X(agsafeset) X(agseterrf) X(agstrdup_html) X(agstrfree) X(agsubg) X(agsubnode) X(agwrite)
#define GVC_FUNCTIONS(X) X(gvContext) X(gvFreeLayout) X(gvFreeRenderData) X(gvLayout) X(gvRenderData)

struct gvlib {
#define X(f) __typeof__(&f) f;
	CGRAPH_FUNCTIONS(X)
	GVC_FUNCTIONS(X)
#undef X
	Agdesc_t directed;                      /* Agdirected */
	bool open;
};
bool gvlib_open(struct err *);                  /* false: err says what is missing */
const struct gvlib *gvlib(void);

#ifndef GVLIB_PLAIN_NAMES
#define agattr           gvlib()->agattr
#define agclose          gvlib()->agclose
#define agedge           gvlib()->agedge
#define agget            gvlib()->agget
#define agnode           gvlib()->agnode
#define agopen           gvlib()->agopen
#define agsafeset        gvlib()->agsafeset
#define agseterrf        gvlib()->agseterrf
#define agstrdup_html    gvlib()->agstrdup_html
#define agstrfree        gvlib()->agstrfree
#define agsubg           gvlib()->agsubg
#define agsubnode        gvlib()->agsubnode
#define agwrite          gvlib()->agwrite
#define gvContext        gvlib()->gvContext
#define gvFreeLayout     gvlib()->gvFreeLayout
#define gvFreeRenderData gvlib()->gvFreeRenderData
#define gvLayout         gvlib()->gvLayout
#define gvRenderData     gvlib()->gvRenderData
#define Agdirected       gvlib()->directed
#endif

#endif
