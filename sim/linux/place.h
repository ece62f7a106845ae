/* Where a command in a container finds itself: the files that the kubelet writes, and a root directory with the container's volumes; and the container's own command there. */
#ifndef PODWIRE_LINUX_PLACE_H
#define PODWIRE_LINUX_PLACE_H

#include "sim/linux/live.h"

/* Writes resolv.conf, hosts, hostname, environment, working directory and the list of mounts, as they are now. p NULL: of a node. name: of the folder, for one container or node. → the folder. */
const char *place_files(const struct live *, struct cluster *, const struct pod *, const struct container *, const char *name, struct arena *);
/* The calling process, whose mount namespace others share, gets one of its own, with those files, and the volumes where there are any. own: whatever it writes outside
 * volumes stays in the lab, or it is refused (err). So is a container that no runtime would start. */
bool place_enter(const char *folder, bool own, struct err *);

/* Of such a folder, a container's: its environment, NULL where it has none of its own (a node); the directory in which its processes start, NULL: /. */
char **place_environment(const char *folder, struct arena *);
const char *place_directory(const char *folder, struct arena *);
/* The process goes there; inside place_enter. */
bool place_stand(const char *dir, struct err *);

/* With --allow-commands: the container runs what its manifest says. Not those that are the cluster itself (namespaces kube-…, …-system), nor where a HAProxy does the work. */
bool command_is_own(const struct live *, const struct pod *, const struct container *);
/* Everything that makes it another command, for who compares: words, environment, which start of the container it is. */
void command_text(const struct pod *, const struct container *, struct sb *out);
/* Starts it in the Pod's namespaces; what it says goes to the file `log`. 0: err. */
pid_t command_start(const struct live *, struct cluster *, const struct space *, const struct pod *, const struct container *, const char *log, struct err *);
/* Runs words in the container and waits for their end. → the exit status as a shell has it; 124: the time was over; -1: err. */
int command_run(const struct live *, struct cluster *, const struct space *, const struct pod *, const struct container *, const str_list *words, nsec wait, struct err *);
/* Waits until it listens at the TCP ports that the container declares, or has ended, or the time is over. */
void command_wait(pid_t, const struct container *, nsec until);

#endif
