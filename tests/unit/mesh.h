/* A small mesh for tests. */
#ifndef PODWIRE_TEST_MESH_H
#define PODWIRE_TEST_MESH_H

#include "model/l7/mesh.h"
#include "tests/unit/feed.h"

/* A cluster with a mesh; namespace in is injected, out is not. */
static inline struct cluster *mesh(void)
{
	return feed_mesh("apiVersion: v1\nkind: Namespace\nmetadata: {name: in, labels: {istio-injection: enabled}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: out}\n");
}

static inline void add_pod(struct cluster *c, struct arena *a, const char *ns, const char *name, const char *labels, const char *more, const char *ip)
{
	feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {%s}%s}\nspec: {serviceAccountName: %s, containers: [{name: c, image: x}]}\n"
				 "status: {phase: Running, podIP: %s, conditions: [{type: Ready, status: 'True'}]}\n", name, ns, labels, more, name, ip));
}

#endif
