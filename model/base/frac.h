/* Shares of a whole: exact as long as 64 bits hold them, then to one part in 2^63. */
#ifndef PODWIRE_FRAC_H
#define PODWIRE_FRAC_H

#include <stdint.h>

struct frac { uint64_t num, den; };             /* reduced */

struct frac frac_mul(struct frac, struct frac);
struct frac frac_add(struct frac, struct frac);
double frac_value(struct frac);

#endif
