/* Other programs (iptables-restore, ipset, bird …), run to their end in the namespaces of the calling thread. */
#ifndef PODWIRE_RUN_H
#define PODWIRE_RUN_H

#include "model/base/err.h"
#include "model/base/str.h"

/* Text goes to its standard input; what it prints comes into out (NULL: is dropped). false: it is not there, or it failed; err has its last words. */
bool run_program(const char *const *argv, const char *input, size_t n, struct sb *out, struct err *err);
/* The same with an environment of its own (NULL: the caller's); argv[0] may be a path. */
bool run_program_in(const char *const *argv, char *const *env, const char *input, size_t n, struct sb *out, struct err *err);
bool program_path(const char *name, char *out, size_t n);            /* in PATH or where the system has its daemons; false: not installed */
bool program_there(const char *name);           /* on $PATH, or in /usr/sbin, /sbin, /usr/local/sbin */

#endif
