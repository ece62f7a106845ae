/* What the server in a Pod answers, where something says it: the question ("backendAnswers"), its Pod (the annotation podwire.io/CONTAINER.answers), or its image, if that
 * is one that does as the request asks. Else it answers 200 at once.
 *
 *   ANSWERS  ANSWER[, ANSWER]…         one attempt after the other, the last for all that follow; of an annotation only one
 *   ANSWER   STATUS|reset [after TIME]  503 · 200 after 2s · reset after 100ms */
#ifndef PODWIRE_ANSWERS_H
#define PODWIRE_ANSWERS_H

#include "model/api/core.h"
#include "sim/ask/tries.h"

struct answers {
	const struct l7_try *v; uint32_t nr;    /* nr 0: 200 at once, and nothing says otherwise */
	bool of_pod;                            /* another Pod of the same Service may answer otherwise */
	const char *wrong;                      /* what the Pod answers cannot be told, and why; NULL */
};
/* false: it cannot be read; *why says what of it, and the remedy. */
bool answers_parse(const char *text, struct arena *, struct answers *out, const char **why);
/* asked: the question's own, NULL: it says nothing. pod NULL: nothing is known. container NULL: the first. */
struct answers answers_of(const char *asked, const struct pod *, const char *container, const struct http_request *, struct arena *);
bool answers_same(const struct answers *, const struct answers *);

#endif
