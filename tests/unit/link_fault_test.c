#include "model/api/link_fault.h"
#include "tests/unit/test.h"

TEST(faults_of_links_are_read_by_words)
{
	static const struct { const char *text; bool cut, delay; uint16_t loss; uint32_t carries; } rows[] = {
		{ NULL, false, false, 0, 0 },
		{ "17 down", true, false, 0, 0 },
		{ "17 downward", false, false, 0, 0 },
		{ "17 loss=0.5", false, false, 500, 0 },
		{ "17 delay=50ms loss=2.5% mtu=1400", false, true, 25, 1400 },
		{ "17 noloss=3 mtu=x", false, false, 0, 0 },
		{ "loss=1", false, false, 0, 0 },       /* no time since when */
		{ "0 loss=nan", false, false, 0, 0 },
		{ "0 loss=200%", false, false, 1000, 0 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct pair note = { LINK_ANNOTATION, rows[k].text };
		struct node n = { .o.annotations = { .v = &note, .nr = rows[k].text != NULL } };
		struct link_fault f = link_fault_of(&n);

		CU_ASSERT_EQUAL(f.cut, rows[k].cut);
		CU_ASSERT_EQUAL(f.delay != NULL, rows[k].delay);
		CU_ASSERT_EQUAL(f.loss_permille, rows[k].loss);
		CU_ASSERT_EQUAL(f.carries, rows[k].carries);
	}
}
