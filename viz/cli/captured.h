/* Commands that ask captured nodes instead of objects (--dataplane). */
#ifndef PODWIRE_CLI_CAPTURED_H
#define PODWIRE_CLI_CAPTURED_H

#include "model/dataplane/capture.h"
#include "viz/cli/cli.h"

/* Reads --dataplane with --node-ip into a world without objects; notes go to stderr unless -q. The caller ends it with captured_close. */
bool captured_open(struct cli *, struct capture *, struct world *, struct err *);
void captured_close(struct capture *, struct world *);
enum err_kind captured_rules(struct cli *, struct err *);
enum err_kind captured_compare(struct cli *, struct err *);      /* captured_compare.c */
enum err_kind captured_show(struct cli *, struct err *);

#endif
