#include "model/control/control.h"

const struct timing_row timings[T_COUNT] = {
#define TIMING(id, name, value, source) [T_##id] = { name, value, source },
#include "model/control/timings.def"
#undef TIMING
};

nsec timing(enum timing_id id)
{
	return timings[id].value;
}
