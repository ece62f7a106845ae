/* What a TLS Secret holds, as far as a proxy needs it: is it a certificate with a key, and for which names was it made? Nothing is verified. */
#ifndef PODWIRE_CERT_H
#define PODWIRE_CERT_H

#include "model/api/core.h"

struct cert_names { const char **v; uint32_t nr; };     /* subject alternative names (DNS), else the subject's common name */
/* false: *why says what is wrong with the Secret. */
bool cert_of_secret(const struct secret *, struct arena *, struct cert_names *out, const char **why);
/* RFC 6125: a wildcard covers one label. */
bool cert_covers(const struct cert_names *, const char *host);
/* Base 64 (RFC 4648) with blanks and line ends ignored; NULL: it is none. */
uint8_t *base64_decode(struct arena *, const char *text, size_t len, size_t *out_len);

#endif
