/* Columns of `get` (columns.c). */
#ifndef PODWIRE_COLUMNS_H
#define PODWIRE_COLUMNS_H

#include "model/api/object.h"

extern const struct column pod_columns[], service_columns[], node_columns[];

#endif
