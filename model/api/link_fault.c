#include "model/api/link_fault.h"

#include <stdlib.h>
#include <string.h>

/* What follows KEY in a word; NULL: the word is another one. */
static const char *value_of(const char *word, const char *key)
{
	return strncmp(word, key, strlen(key)) == 0 ? word + strlen(key) : NULL;
}

static uint16_t permille(const char *text)
{
	char *end;
	double share = strtod(text, &end);

	share = *end == '%' ? share / 100 : share;
	return (uint16_t)(!(share > 0) ? 0 : share >= 1 ? 1000 : share * 1000 + 0.5);        /* nan: 0 */
}

struct link_fault link_fault_of(const struct node *n)
{
	const char *word = label_get(&n->o.annotations, LINK_ANNOTATION), *value;
	struct link_fault f = { 0 };

	for (word = word ? strchr(word, ' ') : NULL; word; word = strchr(word, ' ')) {          /* behind the time since when */
		word++;
		if (value_of(word, "down") && (word[4] == ' ' || !word[4]))
			f.cut = true;
		else if ((value = value_of(word, "delay=")))
			f.delay = value;
		else if ((value = value_of(word, "loss=")))
			f.loss_permille = permille(value);
		else if ((value = value_of(word, "mtu=")))
			f.carries = (uint32_t)strtoul(value, NULL, 10);
	}
	return f;
}
