/* What a TLS Secret holds, as far as a proxy needs it: is it a certificate with a key, for which names was it made, and by whom? Signatures are not computed. */
#ifndef PODWIRE_CERT_H
#define PODWIRE_CERT_H

#include "model/api/core.h"

struct cert_names { const char **v; uint32_t nr; };     /* subject alternative names (DNS), else the subject's common name */
struct cert_part { const uint8_t *v; size_t len; };     /* as it stands in the certificate; v NULL: it is not there */
struct cert {
	struct cert_names names, uris;          /* uris: subject alternative names of that kind */
	struct cert_part whole, issuer, subject;
	struct cert_part key, signer;           /* identifiers of its own key and of that which has signed it */
	const char *more;                       /* of the text behind it: those between it and its CA are shown along */
};
/* The first certificate of a PEM text; → what stands behind it. NULL: there is none (more). One that cannot be read ends the text. */
const char *cert_read(const char *pem, struct arena *, struct cert *out);
/* Could one of the bundle's have signed it, or be it, by their names and key identifiers; or one of those that are shown along with it? A bundle of which none can be read says
 * nothing: true. */
bool cert_trusted(const struct cert *, const char *bundle, struct arena *);
/* The certificate of a Secret; false: it holds none. */
bool cert_in_secret(const struct secret *, struct arena *, struct cert *out);
/* false: *why says what is wrong with the Secret. */
bool cert_of_secret(const struct secret *, struct arena *, struct cert_names *out, const char **why);
/* RFC 6125: a wildcard covers one label. */
bool cert_covers(const struct cert_names *, const char *host);

#endif
