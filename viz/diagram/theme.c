/* Roles to colours, one table a theme. Lines have at least 4.5:1 on paper, ink at least 10:1 on every fill, and no two kinds of line are told apart by
 * hue alone: they differ in form as well. */
#include "viz/diagram/scene.h"

static const struct paper papers[] = {
	[THEME_LIGHT] = { "#FFFFFF", "#1B2733", "#33424F", "#FFFFFF", "#B34700", "#D5DBE0" },
	[THEME_DARK] = { "#0F1720", "#E6EDF3", "#B8C6D3", "#0F1720", "#FF8A4C", "#34444F" },
};

static const struct role_style roles[][ROLE_COUNT] = {
	[THEME_LIGHT] = {
		[ROLE_PLAIN] = { "#7C8B9A", "#FFFFFF", "#1B2733" },
		[ROLE_NODE] = { "#7C8B9A", "#F4F6F8", "#1B2733" },
		[ROLE_OUTSIDE] = { "#5B6B7A", "#EEF1F4", "#1B2733" },
		[ROLE_POD] = { "#0072B2", "#FFFFFF", "#1B2733" },
		[ROLE_CONTAINER] = { "#0072B2", "#DCEBF7", "#1B2733" },
		[ROLE_PAUSE] = { "#7C8B9A", "#E9EDF0", "#1B2733" },
		[ROLE_SERVICE] = { "#00795A", "#E3F4EE", "#1B2733" },
		[ROLE_LB] = { "#00795A", "#BFE5D8", "#1B2733" },
		[ROLE_RULES] = { "#A56A00", "#FCEFD2", "#6B4A00" },
		[ROLE_INGRESS] = { "#9B4377", "#F8E9F1", "#1B2733" },
		[ROLE_ROUTER] = { "#B34700", "#FBE7DA", "#1B2733" },
		[ROLE_STORAGE] = { "#8A7400", "#FFF6CC", "#1B2733" },
		[ROLE_API] = { "#5B6B7A", "#EEF1F4", "#1B2733" },
		[ROLE_DENIED] = { "#B34700", "#FBE7DA", "#B34700" },
	},
	[THEME_DARK] = {
		[ROLE_PLAIN] = { "#5F7183", "#0F1720", "#E6EDF3" },
		[ROLE_NODE] = { "#5F7183", "#17222E", "#E6EDF3" },
		[ROLE_OUTSIDE] = { "#93A4B5", "#22303D", "#E6EDF3" },
		[ROLE_POD] = { "#4AA8E0", "#0F1720", "#E6EDF3" },
		[ROLE_CONTAINER] = { "#4AA8E0", "#12324A", "#E6EDF3" },
		[ROLE_PAUSE] = { "#5F7183", "#22303D", "#E6EDF3" },
		[ROLE_SERVICE] = { "#3DD6A5", "#0E3A2E", "#E6EDF3" },
		[ROLE_LB] = { "#3DD6A5", "#155844", "#E6EDF3" },
		[ROLE_RULES] = { "#E9A83A", "#3D2C08", "#E9A83A" },
		[ROLE_INGRESS] = { "#E08BB8", "#3F1E30", "#E6EDF3" },
		[ROLE_ROUTER] = { "#FF8A4C", "#45210C", "#E6EDF3" },
		[ROLE_STORAGE] = { "#F0E06A", "#393207", "#E6EDF3" },
		[ROLE_API] = { "#93A4B5", "#22303D", "#E6EDF3" },
		[ROLE_DENIED] = { "#FF8A4C", "#45210C", "#FF8A4C" },
	},
};

#define LINES(packet, second, watch, writes, chooses, route, storage)                                           \
	{                                                                                                       \
		[LINE_PACKET] = { packet, "solid", "normal", "none", "━━►", "packets", 1.8f },                  \
		[LINE_SECOND] = { second, "solid", "onormal", "none", "━━▷", "second flow", 1.8f },             \
		[LINE_WATCH] = { watch, "dashed", "normal", "none", "╍╍►", "watch", 1.2f },                     \
		[LINE_WRITES] = { writes, "dashed", "normal", "none", "╍╍►", "writes rules", 1.2f },            \
		[LINE_CHOOSES] = { chooses, "dashed", "normal", "none", "╍╍►", "chooses, carries nothing", 1.3f }, \
		[LINE_BGP] = { route, "solid", "dot", "dot", "●━━●", "BGP session", 2.2f },                     \
		[LINE_STORAGE] = { storage, "dotted", "normal", "none", "┈┈►", "data written", 1.8f },          \
		[LINE_FAILED] = { route, "bold", "tee", "none", "━━✕", "ends here", 2.4f },                     \
		[LINE_WIRE] = { watch, "solid", "none", "none", "━━━", "wire", 1.6f },                          \
		[LINE_ADDED] = { chooses, "bold", "normal", "none", "━━► +", "added", 2.6f },                   \
		[LINE_REMOVED] = { route, "dashed", "odot", "none", "╍╍○ −", "removed", 1.8f },                 \
		[LINE_SAME] = { watch, "solid", "normal", "none", "━━►", "as before", 1.0f },                   \
		[LINE_INVISIBLE] = { packet, "invis", "none", "none", "", "", 1.0f },                           \
	}
static const struct line_style lines[][LINE_COUNT] = {
	[THEME_LIGHT] = LINES("#0072B2", "#46237A", "#5B6B7A", "#A56A00", "#00795A", "#B34700", "#8A7400"),
	[THEME_DARK] = LINES("#4AA8E0", "#DCD0FF", "#93A4B5", "#E9A83A", "#3DD6A5", "#FF8A4C", "#F0E06A"),
};

const struct role_style *role_style(enum theme t, enum role r) { return &roles[t][r]; }
const struct line_style *line_style(enum theme t, enum line l) { return &lines[t][l]; }
const struct paper *paper_style(enum theme t) { return &papers[t]; }

const char *const role_names[ROLE_COUNT] = { "box", "node", "outside", "Pod", "container", "pause", "Service", "load balancer", "rules", "Ingress controller", "router", "storage", "API server",
	"denied" };
const char *const line_names[LINE_COUNT] = { "packets", "second flow", "watch", "writes rules", "chooses", "BGP session", "storage", "ends here", "wire", "added", "removed", "as before", "" };
