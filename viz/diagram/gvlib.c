#define GVLIB_PLAIN_NAMES
#include "viz/diagram/gvlib.h"

#include <dlfcn.h>
#include <string.h>

#ifndef CGRAPH_SO               /* the Makefile says what the linker would take */
#define CGRAPH_SO "libcgraph.so.6"
#define GVC_SO    "libgvc.so.6"
#endif

/* Libraries are the process's, whoever opens them: so is what they export. */
static struct gvlib *only(void)
{
	static struct gvlib lib;

	return &lib;
}

const struct gvlib *gvlib(void)
{
	return only();
}

static bool take(void *from, const char *name, void *to)
{
	void *f = dlsym(from, name);

	if (f)
		memcpy(to, &f, sizeof(f));      /* a function's address, as POSIX has it */
	return f != NULL;
}

bool gvlib_open(struct err *err)
{
	struct gvlib *l = only();
	void *cgraph, *gvc;
	bool all = true;

	if (l->open)
		return true;
	cgraph = dlopen(CGRAPH_SO, RTLD_NOW);
	gvc = cgraph ? dlopen(GVC_SO, RTLD_NOW) : NULL;
	if (!gvc)
		return err_add(err, ERR_MACHINE, NULL, "Graphviz's libraries, which draw, cannot be loaded: %s (apt install libgvc6 graphviz)", dlerror());
#define X(f) all = take(cgraph, #f, &l->f) && all;
	CGRAPH_FUNCTIONS(X)
#undef X
#define X(f) all = take(gvc, #f, &l->f) && all;
	GVC_FUNCTIONS(X)
#undef X
	if (!all || !dlsym(cgraph, "Agdirected"))
		return err_add(err, ERR_MACHINE, NULL, "%s and %s are not the libraries that podwire was built with", CGRAPH_SO, GVC_SO);
	memcpy(&l->directed, dlsym(cgraph, "Agdirected"), sizeof(l->directed));
	l->open = true;
	return true;
}
