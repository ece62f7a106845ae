/* What Linux is told in one namespace, for machines (docs/cli.md, `rules -o json`). */
#ifndef PODWIRE_RULES_JSON_H
#define PODWIRE_RULES_JSON_H

#include <stdio.h>

#include "sim/engine/world.h"

/* {netns, links, routes, tables: [{tool, family, name, chains: [{name, rules: [{text, comment, causes}]}], sets}]}, in the arena. The world's dataplane is there, and
 * the node is ready (dataplane_node_ready). causes: whether each part says which objects are behind it. */
struct val *rules_json(struct world *, netns_h, bool causes, struct arena *);
/* {"nodes": […]} of all nodes, or the one of that name, written node by node. → how many. */
uint32_t rules_json_print(struct world *, const char *node, bool causes, FILE *);

#endif
