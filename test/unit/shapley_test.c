/*-------------------------------------------------------------------------
 *
 * shapley_test.c
 *		Unit test of the Shapley values of the game "rate", without a server.
 *
 * The reference is the definition: the mean, over all orders in which the
 * channels can arrive, of what each adds to those before it.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/shapley_test.c \
 *			src/shapley_rate.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "shapley_rate.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
no_interrupt(void)
{
}

#define MOST_SETS ((size_t) 1 << SHAPLEY_MAX_CHANNELS)

static int	n;
static int64_t conversions[MOST_SETS];
static int64_t paths[MOST_SETS];
static double value[SHAPLEY_MAX_CHANNELS];

/* Straight from the definition, with no transform. */
static long double
worth(size_t set)
{
	int64_t		converted = 0;
	int64_t		all = 0;

	for (size_t i = 0; i < (size_t) 1 << n; i++)
	{
		if ((i & ~set) == 0)
		{
			converted += conversions[i];
			all += paths[i];
		}
	}
	return all > 0 ? (long double) converted / all : 0;
}

static long double expected[SHAPLEY_MAX_CHANNELS];
static long orders;

static void
all_orders(const long double *rate, size_t before)
{
	if (before == ((size_t) 1 << n) - 1)
		orders++;
	for (int c = 0; c < n; c++)
	{
		size_t		bit = (size_t) 1 << c;
		long		done = orders;

		if (before & bit)
			continue;
		all_orders(rate, before | bit);
		expected[c] += (orders - done) * (rate[before | bit] - rate[before]);
	}
}

static void
solve(void)
{
	static int64_t a[MOST_SETS];
	static int64_t b[MOST_SETS];

	memcpy(a, conversions, sizeof(int64_t) << n);
	memcpy(b, paths, sizeof(int64_t) << n);
	rtm_shapley_rate(n, a, b, value, no_interrupt);
}

static void
start(int channels)
{
	n = channels;
	memset(conversions, 0, sizeof(conversions));
	memset(paths, 0, sizeof(paths));
}

int
main(void)
{
	long		bad = 0;

	/*
	 * a: 1 of 2; b: 1 of 4; both: 2 of 2. v(a) = 1/2, v(b) = 1/4 and
	 * v(ab) = 4/8. a adds 1/2 before b and 1/4 after it: 3/8; b 1/4 and 0.
	 */
	start(2);
	conversions[1] = 1, paths[1] = 2;
	conversions[2] = 1, paths[2] = 4;
	conversions[3] = 2, paths[3] = 2;
	solve();
	report("two channels by hand",
		   fabs(value[0] - 0.375) > 1e-16 || fabs(value[1] - 0.125) > 1e-16);

	for (int i = 0; i < 400; i++)
	{
		long double rate[1 << 7];

		start(1 + random_below(7));
		for (int p = random_below(30); p >= 0; p--)
		{
			size_t		set = (size_t) random_below(1 << n);

			conversions[set] += p % 3;
			paths[set] += p % 3 + random_below(3);
		}
		for (size_t set = 0; set < (size_t) 1 << n; set++)
			rate[set] = worth(set);
		memset(expected, 0, sizeof(expected));
		orders = 0;
		all_orders(rate, 0);
		solve();
		for (int c = 0; c < n; c++)
			bad += !(fabsl(expected[c] / orders - value[c]) <= 4e-15);
	}
	report("random games, over all orders of up to seven channels", bad);

	/* Twenty channels that are all alike, of which each path has three. */
	start(20);
	for (int a = 0; a < 20; a++)
	{
		for (int b = 0; b < a; b++)
		{
			for (int c = 0; c < b; c++)
			{
				size_t		set = (size_t) 1 << a | (size_t) 1 << b | (size_t) 1 << c;

				conversions[set] = 1;
				paths[set] = 5;
			}
		}
	}
	solve();
	bad = 0;
	for (int c = 0; c < 20; c++)
		bad += !(fabs(value[c] - 0.01) <= 4e-15);
	report("twenty channels that are alike", bad);

	/* Most sets of twenty: values sum to the worth of all. */
	start(20);
	for (size_t set = 1; set < MOST_SETS; set++)
	{
		conversions[set] = random_below(3);
		paths[set] = conversions[set] + random_below(4);
	}
	solve();
	{
		double		sum = 0;

		for (int c = 0; c < 20; c++)
			sum += value[c];
		report("values sum to the worth of all",
			   !(fabs(sum - (double) worth(MOST_SETS - 1)) <= 1e-14));
	}

	printf("1..%d\n", tests);
	return failures > 0;
}
