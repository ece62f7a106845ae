#include "sim/ask/patience.h"

struct patience tcp_patience(void)
{
	struct patience p = { .keepalive = timing(T_TCP_KEEPALIVE) + KEEPALIVE_PROBES * timing(T_TCP_KEEPALIVE_INTERVAL) };
	nsec wait = timing(T_TCP_RTO_MIN), sum = 0;

	for (size_t k = 0; k < TCP_RETRIES2; k++) {
		p.at[k] = sum += wait;
		wait = MIN(2 * wait, timing(T_TCP_RTO_MAX));
	}
	p.give_up = sum + wait;
	return p;
}
