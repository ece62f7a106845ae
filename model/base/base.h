/* What every file may use: attributes, array lengths, units. Knows nothing of podwire. */
#ifndef PODWIRE_BASE_H
#define PODWIRE_BASE_H

#include <assert.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

#undef MIN                              /* Graphviz has its own */
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Virtual time and durations, in nanoseconds. A point in time counts from the start of the lab. */
typedef int64_t nsec;
#define NEVER      INT64_MAX              /* a time that does not come; "not set" for points in time */
#define MILLIS(n)  ((nsec)(n) * 1000000)
#define SECONDS(n) ((nsec)(n) * 1000000000)
#define MINUTES(n) SECONDS((nsec)(n) * 60)

typedef uint32_t rev_t;                   /* a revision of the cluster; grows by one with every change */

#endif
