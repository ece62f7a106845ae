/* Where a claim's volume gets its first content, as the API server writes it: pkg/api/persistentvolumeclaim/util.go. */
#ifndef PODWIRE_CLAIM_SOURCE_H
#define PODWIRE_CLAIM_SOURCE_H

#include "model/base/val.h"

/* Drops what is not taken and not complained of: a dataSourceRef with a namespace (CrossNamespaceVolumeDataSource is off), and alone a dataSource that is neither
 * claim nor snapshot. was: the spec that stands, or NULL; what has a source already keeps its own. spec may be NULL. */
void claim_drop_source(struct val *spec, const struct val *was);
/* NormalizeDataSources: one of the two is said, both are kept. */
void claim_twin_source(struct arena *, struct val *spec);

#endif
