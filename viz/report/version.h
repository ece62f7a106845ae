/* What `podwire version` and reports say. */
#ifndef PODWIRE_VERSION_H
#define PODWIRE_VERSION_H

#define PODWIRE_VERSION "0.1.0"
#define KUBERNETES_VERSION "1.36"

#endif
