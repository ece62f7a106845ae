#include "viz/tui/tui.h"

#include <stdio.h>

#define K(...) { __VA_ARGS__ }
const struct action actions[ACT_COUNT] = {
#define ACTION(ID, name, keys, views, foot, help) [ACT_##ID] = { ACT_##ID, name, keys, views, foot, help },
#include "viz/tui/actions.def"
#undef ACTION
};

enum action_id action_of(int key, enum view_id view)
{
	if (key >= '5' && key <= '9')           /* digits are one row; the key itself says which */
		key = '4';
	for (int k = 1; k < ACT_COUNT; k++)
		for (size_t i = 0; key && i < ARRAY_LEN(actions[k].keys); i++)
			if (actions[k].keys[i] == key && actions[k].views & 1u << view)
				return actions[k].id;
	return ACT_NONE;
}

enum action_id action_named(const char *name)
{
	for (int k = 1; k < ACT_COUNT; k++)
		if (strcmp(actions[k].name, name) == 0)
			return actions[k].id;
	return ACT_NONE;
}

const char *key_text(int key, bool ascii, char out[16])
{
	static const struct { int key; const char *name; } arrows[] = { { TK_UP, "Up" }, { TK_DOWN, "Down" }, { TK_LEFT, "Left" }, { TK_RIGHT, "Right" } }, names[] = {
		{ TK_ENTER, "Enter" }, { TK_TAB, "Tab" }, { TK_ESC, "Esc" }, { TK_BACKSPACE, "Backspace" }, { ' ', "Space" }, { TK_UP, "↑" }, { TK_DOWN, "↓" }, { TK_LEFT, "←" },
		{ TK_RIGHT, "→" }, { TK_PAGE_UP, "PgUp" }, { TK_PAGE_DOWN, "PgDn" }, { TK_HOME, "Home" }, { TK_END, "End" }, { TK_BACKTAB, "Shift-Tab" }, { TK_DELETE, "Del" },
	};

	for (size_t k = 0; ascii && k < ARRAY_LEN(arrows); k++)         /* as signs they would look like the keys < and > */
		if (arrows[k].key == key)
			return arrows[k].name;
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (names[k].key == key)
			return names[k].name;
	if (key > TK_F0 && key <= TK_F(12))
		snprintf(out, 16, "F%d", key - TK_F0);
	else if (key > 0 && key < 32)
		snprintf(out, 16, "Ctrl-%c", key + 64);
	else
		snprintf(out, 16, "%c", key < 127 ? key : '?');
	return out;
}

void action_keys(const struct action *a, bool ascii, char out[48])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t k = 0; k < ARRAY_LEN(a->keys) && a->keys[k] && n < 40; k++) {
		char name[16];

		n += (size_t)snprintf(out + n, 48 - n, "%s%s", k ? " " : "", key_text(a->keys[k], ascii, name));
	}
	if (a->id == ACT_TAB || a->id == ACT_CHOOSE)
		snprintf(out, 48, "1 … 9");
	if (a->id == ACT_NAMESPACE)
		snprintf(out, 48, "0 … 9");
}
