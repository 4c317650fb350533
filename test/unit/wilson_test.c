/*-------------------------------------------------------------------------
 *
 * wilson_test.c
 *		Unit test of the score interval and the normal quantile, without a
 *		server.
 *
 * The references are written apart from what they test: the quantile by
 * bisection of erfl and erfcl, the interval by bisection of its definition in
 * long double; and figures from print.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/wilson_test.c
 *			src/wilson.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "wilson.h"
#include "tap.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

static double
random_unit(void)
{
	return (double) (random_bits() >> 11) / 9007199254740992.0;
}

static long double
reference_z(double confidence)
{
	long double lo = 0;
	long double hi = 40;

	for (int i = 0; i < 1300; i++)
	{
		long double middle = (lo + hi) / 2;
		int			below = confidence < 0.5 ? erfl(middle) < confidence
			: erfcl(middle) > 1 - (long double) confidence;

		if (below)
			lo = middle;
		else
			hi = middle;
	}
	return lo * sqrtl(2);
}

static long
check_z(double confidence)
{
	long double expected = reference_z(confidence);
	double		z = rtm_normal_two_sided(confidence);

	return !(fabsl(z - expected) <= 8e-16L * expected);
}

/* Does a rate lie within z of its own standard errors of what was seen? */
static int
is_inside(long double rate, long double seen, long double n, long double z)
{
	return (rate - seen) * (rate - seen) * n <= z * z * rate * (1 - rate);
}

static long double
reference_bound(int64_t k, int64_t n, double z, int upper)
{
	long double seen = (long double) k / n;
	long double in = seen;
	long double out = upper ? 1 : 0;

	if (is_inside(out, seen, n, z))
		return out;
	for (int i = 0; i < 300; i++)
	{
		long double middle = (in + out) / 2;

		if (is_inside(middle, seen, n, z))
			in = middle;
		else
			out = middle;
	}
	return in;
}

static long
check_interval(int64_t k, int64_t n, double confidence)
{
	double		z = rtm_normal_two_sided(confidence);
	double		lo;
	double		hi;
	double		mirror_lo;
	double		mirror_hi;
	long double lowest = reference_bound(k, n, z, 0);
	long double highest = reference_bound(k, n, z, 1);

	rtm_wilson(k, n, z, &lo, &hi);
	rtm_wilson(n - k, n, z, &mirror_lo, &mirror_hi);
	return !(fabsl(lo - lowest) <= 1e-13L * lowest) ||
		!(fabsl(hi - highest) <= 1e-13L * highest) ||
		!(0 <= lo && hi <= 1 && lo < hi) ||
		fabs(hi - (1 - mirror_lo)) > 4 * DBL_EPSILON ||
		fabs(lo - (1 - mirror_hi)) > 4 * DBL_EPSILON;
}

int
main(void)
{
	/* Tables of the normal distribution, to the digits printed. */
	static const double known_z[][2] = {
		{0.5, 0.67448975019608174}, {0.8, 1.2815515655446004}, {0.9, 1.6448536269514722},
		{0.95, 1.9599639845400545}, {0.98, 2.3263478740408408}, {0.99, 2.5758293035489004},
		{0.999, 3.2905267314918945}, {0.68268949213708590, 1}, {0.95449973610364159, 2},
		{0.99730020393673981, 3}
	};

	/* Newcombe 1998, Statistics in Medicine 17, table I, method 3. */
	static const double known_interval[][4] = {
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0000, 0.1611},
		{1, 29, 0.0061, 0.1718}
	};
	long		bad = 0;
	double		lo;
	double		hi;

	for (size_t i = 0; i < sizeof(known_z) / sizeof(known_z[0]); i++)
		bad += fabs(rtm_normal_two_sided(known_z[i][0]) - known_z[i][1]) > 4e-15;
	report("z of tables", bad);

	bad = 0;
	for (int i = 1; i < 2000; i++)
		bad += check_z(i / 2000.0);
	for (int i = 2; i <= 1000; i++)
		bad += check_z(ldexp(random_unit() + 1e-3, -i));
	for (int i = 2; i <= 53; i++)
		bad += check_z(1 - ldexp(1, -i));
	bad += check_z(DBL_MIN) + check_z(nextafter(0.5, 0)) + check_z(nextafter(0.5, 1));
	report("z against bisection, from 1e-300 to 1 - 2^-53", bad);

	bad = 0;
	for (size_t i = 0; i < sizeof(known_interval) / sizeof(known_interval[0]); i++)
	{
		rtm_wilson((int64_t) known_interval[i][0], (int64_t) known_interval[i][1],
				   rtm_normal_two_sided(0.95), &lo, &hi);
		bad += fabs(lo - known_interval[i][2]) > 5e-5 || fabs(hi - known_interval[i][3]) > 5e-5;
	}
	report("intervals in print", bad);

	bad = 0;
	for (int64_t n = 1; n <= 60; n++)
	{
		for (int64_t k = 0; k <= n; k++)
			bad += check_interval(k, n, 0.95) + check_interval(k, n, 0.1);
	}
	report("intervals of up to 60 trials against their definition", bad);

	bad = 0;
	for (int i = 0; i < 5000; i++)
	{
		int64_t		n = 1 + (int64_t) (random_bits() >> (34 + random_bits() % 30));
		int64_t		k = (int64_t) (random_bits() % (uint64_t) (n + 1));

		bad += check_interval(k, n, 0.5 + random_unit() / 2.001);
	}
	report("random intervals against their definition", bad);

	bad = 0;
	for (int bits = 0; bits < 63; bits++)
	{
		int64_t		n = INT64_C(1) << bits;

		rtm_wilson(0, n, 2, &lo, &hi);
		bad += lo != 0 || !(fabs(hi * ((double) n + 4) - 4) < 1e-14);
		rtm_wilson(n, n, 2, &lo, &hi);
		bad += hi != 1 || !(lo < 1 || n > INT64_C(1) << 53);
	}
	rtm_wilson(INT64_MAX, INT64_MAX, 2, &lo, &hi);
	bad += hi != 1 || !(lo <= 1);
	report("none and all of up to 2^63 - 1 trials", bad);

	printf("1..%d\n", tests);
	return failures != 0;
}
