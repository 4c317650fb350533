/*-------------------------------------------------------------------------
 *
 * shapley_rate.c
 *		Shapley values of the game in which a set of channels is worth its
 *		rate of conversion. Pure: no PostgreSQL header.
 *
 * Counts of sets become counts of subsets by the subset transform, in integers.
 * A channel's value is the mean of what it adds to the sets without it:
 *
 *		sum over S with c of a(s) v(S) - sum over S without c of b(s) v(S),
 *
 * where s is the size of S, a(s) = (s - 1)! (n - s)! / n! and b(s) = a(s + 1).
 * The second sum is that over all S less that over S with c; so one weighted
 * sum by channel is needed, and folding the array in halves, from the last
 * channel to the first, gives all of them in 2^(n + 1) additions.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "shapley_rate.h"

#include <string.h>

/* The transform works on blocks and columns of them that stay in the cache. */
#define BLOCK_BITS		12
#define COLUMNS			512

/* Sets between two calls of the interrupt function: a power of two. */
#define PART			4096

/* Numbers that are summed one by one. */
#define FEW				32

static inline void
add_to(int64_t *to, const int64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += from[i];
}

/*
 * From counts of sets to counts of their subsets.
 */
static void
sum_subsets(int n, int64_t *count, void (*interrupt) (void))
{
	int			low = n < BLOCK_BITS ? n : BLOCK_BITS;
	size_t		block = (size_t) 1 << low;
	size_t		blocks = (size_t) 1 << (n - low);

	for (size_t b = 0; b < blocks; b++)
	{
		int64_t    *own = count + b * block;

		interrupt();
		for (size_t step = 1; step < block; step *= 2)
		{
			for (size_t i = 0; i < block; i += 2 * step)
				add_to(own + i + step, own + i, step);
		}
	}
	for (size_t column = 0; column < block; column += COLUMNS)
	{
		interrupt();
		for (size_t step = 1; step < blocks; step *= 2)
		{
			for (size_t b = 0; b < blocks; b++)
			{
				if (b & step)
					add_to(count + b * block + column, count + (b - step) * block + column,
						   COLUMNS);
			}
		}
	}
}

/*
 * In pairs of pairs, so that rounding hardly adds up.
 */
static double
sum_of(const double *value, size_t n, void (*interrupt) (void))
{
	double		sum = 0;

	if (n == PART)
		interrupt();
	if (n > FEW)
		return sum_of(value, n / 2, interrupt) + sum_of(value + n / 2, n - n / 2, interrupt);
	for (size_t i = 0; i < n; i++)
		sum += value[i];
	return sum;
}

void
rtm_shapley_rate(int n, int64_t *conversions, int64_t *paths, double *value,
				 void (*interrupt) (void))
{
	size_t		sets = (size_t) 1 << n;
	double	   *worth = (double *) (void *) paths;
	double	   *outside = (double *) (void *) conversions;
	double		with[SHAPLEY_MAX_CHANNELS + 1];
	double		without[SHAPLEY_MAX_CHANNELS + 1];
	double		choose = 1;		/* s out of n - 1 */
	double		rest;

	sum_subsets(n, conversions, interrupt);
	sum_subsets(n, paths, interrupt);

	/* b(s) = 1 / (n choose(n - 1, s)), 0 for s = n; with: a(s) + b(s) */
	for (int s = 0; s <= n; s++)
	{
		without[s] = s < n ? 1 / (n * choose) : 0;
		with[s] = without[s] + (s > 0 ? without[s - 1] : 0);
		choose = choose * (n - 1 - s) / (s + 1);
	}
	for (size_t i = 0; i < sets; i++)
	{
		int			size = __builtin_popcountll(i);
		double		rate = paths[i] > 0 ? (double) conversions[i] / (double) paths[i] : 0;
		double		weighted = without[size] * rate;

		if (i % PART == 0)
			interrupt();
		memcpy(&outside[i], &weighted, sizeof(double));
		weighted = with[size] * rate;
		memcpy(&worth[i], &weighted, sizeof(double));
	}
	rest = sum_of(outside, sets, interrupt);
	for (int c = n; c-- > 0;)
	{
		size_t		half = (size_t) 1 << c;

		value[c] = sum_of(worth + half, half, interrupt) - rest;
		for (size_t i = 0; i < half; i++)
			worth[i] += worth[half + i];
	}
}
