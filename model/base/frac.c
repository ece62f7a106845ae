#include "model/base/frac.h"

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t t = a % b;

		a = b;
		b = t;
	}
	return a;
}

static struct frac reduced(unsigned __int128 num, unsigned __int128 den)
{
	uint64_t g;

	while (num > UINT64_MAX || den > UINT64_MAX) {
		num >>= 1;
		den >>= 1;
	}
	g = gcd((uint64_t)num, (uint64_t)den);
	return g ? (struct frac){ (uint64_t)num / g, (uint64_t)den / g } : (struct frac){ 0, 1 };
}

struct frac frac_mul(struct frac a, struct frac b)
{
	return reduced((unsigned __int128)a.num * b.num, (unsigned __int128)a.den * b.den);
}

struct frac frac_add(struct frac a, struct frac b)
{
	return reduced((unsigned __int128)a.num * b.den + (unsigned __int128)b.num * a.den, (unsigned __int128)a.den * b.den);
}

double frac_value(struct frac f)
{
	return (double)f.num / (double)f.den;
}
