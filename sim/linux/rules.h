/* Rules of a space: what the kernel lists, against what a fresh load of the same dataplane lists. */
#ifndef PODWIRE_LINUX_RULES_H
#define PODWIRE_LINUX_RULES_H

#include "sim/linux/live.h"

/* As the kernel lists its rules: nft's tables (those of iptables-nft are shown by iptables-save), sets without what they have learned. */
bool rules_listed(const struct live *, const struct space *, struct sb *out, struct err *err);
/* The same of a scratch namespace into which the dataplane's rules have just been loaded. */
bool rules_expected(struct live *, const struct space *, const struct dataplane *, struct sb *out, struct err *err);
/* The nft tables of a ruleset as nft reads them, in the order in which they are written; the caller's. */
char *rules_text(const struct ruleset *);
/* Puts the chains and sets of each table of a listing in order of their names: a change adds at the end. */
void rules_order(struct sb *);

#endif
