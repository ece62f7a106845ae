/* A lesson on paper: what is said, what is done, what is seen, figures and questions, in Markdown or as one HTML page. It is played for that, so what it shows is true. */
#ifndef PODWIRE_HANDOUT_H
#define PODWIRE_HANDOUT_H

#include "sim/scenario/play.h"

enum handout_form { HANDOUT_TEXT, HANDOUT_MARKDOWN, HANDOUT_HTML };
struct handout { enum handout_form form; bool teacher /* notes, answers and solutions too */; };

void handout_begin(const struct handout *, const char *title, struct sb *);     /* of the whole document */
void handout_end(const struct handout *, struct sb *);
/* Plays the lesson from its beginning and writes it. false: it cannot be begun. */
bool handout_lesson(const struct handout *, const struct scenario *, struct arena *, struct sb *, struct err *);

#endif
