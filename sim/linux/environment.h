/* The environment of a container, as the kubelet makes it: links to Services, what the manifest says, its words with $(NAME) filled in. */
#ifndef PODWIRE_LINUX_ENVIRONMENT_H
#define PODWIRE_LINUX_ENVIRONMENT_H

#include "model/api/core.h"
#include "model/cluster/cluster.h"

struct variable { const char *name, *value; bool nul; /* the value has a NUL byte, and is cut there */ };
struct variables { struct variable *v; uint32_t nr; };          /* by name; the last one of a name counts */

/* All that the container is given (pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables). Left out: keys of files (fileKeyRef), and what refers to something that is not there. */
struct variables environment_of(struct cluster *, const struct pod *, const struct container *, struct arena *);
/* The name of one whose value has a NUL byte: no runtime starts the container with that (runc libcontainer, prepareEnv). NULL: there is none. */
const char *environment_broken(const struct variables *);
/* What stands in the manifest as it stands there, for the words of its probes (container/helpers.go, ExpandContainerCommandOnlyStatic). */
struct variables environment_written(const struct container *, struct arena *);
/* $(NAME) is its value where there is one, $$ is $ (third_party/forked/golang/expansion). */
char *environment_expand(const struct variables *, const char *word, struct arena *);
/* NAME=value for execve, with what a runtime sets where the container does not: PATH, HOSTNAME, HOME. */
char **environment_block(const struct pod *, const struct variables *, struct arena *);

#endif
