/* YAML scalars and numbers as kubectl reads and prints them: YAML 1.1 as sigs.k8s.io/yaml (goyaml.v2 resolve.go) has it. */
#ifndef PODWIRE_SCALAR_H
#define PODWIRE_SCALAR_H

#include "model/base/val.h"

/* What a plain scalar is: sets type and value of *out; of a string only the type. false: .inf and .nan, which JSON cannot say. */
bool scalar_resolve(const char *s, size_t n, struct val *out);
/* Would the string read back as itself if it stood there without quotes? (What a plain scalar may hold is the emitter's matter.) */
bool scalar_reads_back(const char *s);
/* A JSON number; false: it is none, or too large for a double (n bytes at s, already known to begin with - or a digit). */
bool number_parse(const char *s, size_t n, struct val *out);

#define NUMBER_TEXT 40
const char *number_json(double, char out[NUMBER_TEXT]);         /* as Go's encoding/json prints a float64 */
const char *number_yaml(double, char out[NUMBER_TEXT]);         /* as strconv.FormatFloat(f, 'g', -1, 64) */

#endif
