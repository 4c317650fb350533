/*-------------------------------------------------------------------------
 *
 * quantile_test.c
 *		Unit test of counts of values and quantiles of them, without a server.
 *
 * The references are written apart from what they test: values are kept,
 * sorted by qsort and rounded one by one, and the shift is found by trying.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/quantile_test.c
 *			src/quantile.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "quantile.h"
#include "tap.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST		5000

static double
random_unit(void)
{
	return (double) (random_bits() >> 11) / 9007199254740992.0;
}

#define SHAPES	9

static double
random_value(int shape)
{
	uint64_t	bits;
	double		value;

	switch (shape)
	{
		case 0:					/* any finite double */
			do
			{
				bits = random_bits();
				memcpy(&value, &bits, sizeof(value));
			} while (!isfinite(value));
			return value;
		case 1:					/* both signs, many orders of magnitude */
			return exp(40 * random_unit() - 20) * (random_bits() % 2 ? 1 : -1);
		case 2:					/* few distinct */
			return (double) (random_bits() % 40) - 20;
		case 3:					/* within one octave */
			return 1 + random_unit() / 4;
		case 4:					/* about as many distinct as are exact */
			return (double) (random_bits() % (QUANTILE_EXACT + 2)) / 4;
		case 5:					/* subnormal */
			return DBL_MIN * (random_unit() * 2 - 1);
		case 6:					/* no difference fits a double */
			return (random_bits() % 2 ? DBL_MAX : -DBL_MAX) * (1 - random_unit() / 4);
		case 7:					/* the highest bits of some bytes */
			bits = random_bits();
			return 1 + (double) (bits & UINT64_C(0x0000808080808080)) / 4503599627370496.0;
		default:				/* as money */
			return floor(exp(5 * random_unit()) * 100) / 100;
	}
}

static int
compare_doubles(const void *left, const void *right)
{
	double		a = *(const double *) left;
	double		b = *(const double *) right;

	return (a > b) - (a < b);
}

/* ----------------------------------------------------------- the counts */

typedef struct Counts
{
	QuantileEntry *entry;
	size_t		sorted;
	size_t		used;
	int			shift;
} Counts;

static void
settle(Counts *c)
{
	QuantileEntry *scratch = room(sizeof(QuantileEntry) * (c->used - c->sorted));
	int			shift;

	c->used = rtm_quantile_merge(c->entry, c->sorted, c->used, scratch);
	free(scratch);
	shift = rtm_quantile_shift(c->entry, c->used, c->shift);
	c->used = rtm_quantile_coarsen(c->entry, c->used, shift - c->shift);
	c->shift = shift;
	c->sorted = c->used;
}

/*
 * Count values in one of many ways: settle after every so many.
 */
static Counts
count_values(const double *value, size_t n, size_t every)
{
	Counts		c = {room(sizeof(QuantileEntry) * n), 0, 0, 0};

	for (size_t i = 0; i < n; i++)
	{
		c.entry[c.used].key = rtm_quantile_key(value[i]) >> c.shift;
		c.entry[c.used++].count = 1;
		if ((i + 1) % every == 0)
			settle(&c);
	}
	settle(&c);
	return c;
}

static size_t
distinct_at(const double *sorted, size_t n, int shift)
{
	size_t		distinct = 1;

	for (size_t i = 1; i < n; i++)
		distinct += (rtm_quantile_key(sorted[i - 1]) ^ rtm_quantile_key(sorted[i])) >> shift != 0;
	return distinct;
}

static long
check_counts(const Counts *c, const double *sorted, size_t n)
{
	int			shift = 0;
	size_t		i = 0;

	while (shift < QUANTILE_COARSEST && distinct_at(sorted, n, shift) > QUANTILE_EXACT)
		shift++;
	if (c->shift != shift || c->used != distinct_at(sorted, n, shift))
		return 1;
	for (size_t e = 0; e < c->used; e++)
	{
		int64_t		count = 0;

		for (; i < n && rtm_quantile_key(sorted[i]) >> shift == c->entry[e].key; i++)
			count++;
		if (count != c->entry[e].count)
			return 1;
	}
	return i != n;
}

static long
check_quantiles(const Counts *c, const double *sorted, size_t n)
{
	double		error = c->shift ? ldexp(1, c->shift - 53) : 0;
	double		before = -INFINITY;
	long		bad = 0;

	for (int i = 0; i <= 97; i++)
	{
		double		fraction = i / 97.0;
		double		position = fraction * (double) (n - 1);
		double		lo = sorted[(size_t) floor(position)];
		double		hi = sorted[(size_t) ceil(position)];
		double		t = position - floor(position);
		double		expected = isinf(hi - lo) ? (1 - t) * lo + t * hi : lo + t * (hi - lo);
		double		result = rtm_quantile_at(c->entry, c->used, c->shift, (int64_t) n,
											 sorted[0], sorted[n - 1], fraction);

		if (c->shift == 0)
			bad += result != expected;
		else
			bad += !(fabs(result - expected) <=
					 (error + 4 * DBL_EPSILON) * fmax(fabs(lo), fabs(hi)) + DBL_MIN / 64);
		bad += !(result >= sorted[0] && result <= sorted[n - 1]);
		bad += (i == 0 && result != sorted[0]) || (i == 97 && result != sorted[n - 1]);
		/* Both ends of an interpolation may be rounded. */
		bad += result < before - 4 * DBL_EPSILON * fabs(before);
		before = result;
	}
	return bad;
}

int
main(void)
{
	static const size_t sizes[] = {1, 2, 3, 31, 32, 33, 100, 511, 512, 513, 600, 1500, MOST};
	long		keys = 0;
	long		counts = 0;
	long		orders = 0;
	long		quantiles = 0;
	long		merged = 0;
	long		coarsest = 0;
	long		between = 0;

	for (int i = 0; i < 200000; i++)
	{
		double		a = random_value(i % SHAPES);
		double		near = nextafter(a, i % 4 ? -DBL_MAX : DBL_MAX);
		double		b = i % 4 > 1 ? random_value(i % SHAPES) : near;
		uint64_t	key = rtm_quantile_key(a);
		int			shift = (int) (random_bits() % (QUANTILE_COARSEST + 1));
		double		edge = rtm_quantile_edge(key >> shift, shift);
		double		middle = rtm_quantile_middle(key >> shift, shift);

		keys += (a < b) != (key < rtm_quantile_key(b));
		keys += (a == b) != (key == rtm_quantile_key(b));
		keys += rtm_quantile_edge(key, 0) != a || rtm_quantile_middle(key, 0) != a;
		keys += !(edge <= a) || rtm_quantile_key(edge) != key >> shift << shift;
		keys += !(fabs(middle - a) <= ldexp(fabs(a), shift - 53) * (1 + DBL_EPSILON) ||
				  (fabs(a) < DBL_MIN && fabs(middle - a) <= ldexp(DBL_MIN, shift - 52)));
		/* What is mirrored has its middle mirrored. */
		keys += fabs(a) >= DBL_MIN &&
			rtm_quantile_middle(rtm_quantile_key(-a) >> shift, shift) != -middle;
	}
	keys += rtm_quantile_key(-0.0) != rtm_quantile_key(0.0);
	for (int shift = 0; shift <= QUANTILE_COARSEST; shift++)
		keys += rtm_quantile_middle(rtm_quantile_key(0) >> shift, shift) != 0;
	keys += rtm_quantile_key(DBL_MAX) >> QUANTILE_COARSEST >= QUANTILE_MOST;
	report("keys sort as values do, and give them back", keys);

	for (int round = 0; round < 3 * SHAPES; round++)
	{
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		{
			size_t		n = sizes[s];
			double	   *value = room(sizeof(double) * n);
			double	   *sorted = room(sizeof(double) * n);
			Counts		once;

			for (size_t i = 0; i < n; i++)
				sorted[i] = value[i] = random_value(round % SHAPES);
			qsort(sorted, n, sizeof(double), compare_doubles);
			once = count_values(value, n, n);
			counts += check_counts(&once, sorted, n);
			quantiles += check_quantiles(&once, sorted, n);
			coarsest += once.shift == QUANTILE_COARSEST;
			between += once.shift > 0 && once.shift < QUANTILE_COARSEST;

			/* Other orders, and settled at other times. */
			for (int k = 0; k < 3; k++)
			{
				Counts		other;

				for (size_t i = n - 1; i > 0; i--)
				{
					size_t		j = random_bits() % (i + 1);
					double		swap = value[i];

					value[i] = value[j];
					value[j] = swap;
				}
				other = count_values(value, n, 1 + random_bits() % 700);
				orders += other.shift != once.shift || other.used != once.used ||
					memcmp(other.entry, once.entry, sizeof(QuantileEntry) * once.used) != 0;
				free(other.entry);
			}

			/* In two parts, each counted on its own, the finer one coarsened. */
			if (n > 1)
			{
				size_t		cut = 1 + random_bits() % (n - 1);
				Counts		a = count_values(value, cut, 300);
				Counts		b = count_values(value + cut, n - cut, 300);
				Counts		both = {room(sizeof(QuantileEntry) * (a.used + b.used)), 0, 0, 0};

				both.shift = a.shift > b.shift ? a.shift : b.shift;
				a.used = rtm_quantile_coarsen(a.entry, a.used, both.shift - a.shift);
				b.used = rtm_quantile_coarsen(b.entry, b.used, both.shift - b.shift);
				memcpy(both.entry, a.entry, sizeof(QuantileEntry) * a.used);
				memcpy(both.entry + a.used, b.entry, sizeof(QuantileEntry) * b.used);
				both.sorted = a.used;
				both.used = a.used + b.used;
				settle(&both);
				merged += both.shift != once.shift || both.used != once.used ||
					memcmp(both.entry, once.entry, sizeof(QuantileEntry) * once.used) != 0;
				free(a.entry);
				free(b.entry);
				free(both.entry);
			}
			free(once.entry);
			free(sorted);
			free(value);
		}
	}
	report("counts at the least shift that leaves few enough", counts);
	report("some were exact, some coarse, some in between", !(coarsest > 0 && between > 0));
	report("quantiles against sorted values", quantiles);
	report("any order gives the same bytes", orders);
	report("any parts give the same bytes", merged);

	printf("1..%d\n", tests);
	return failures != 0;
}
