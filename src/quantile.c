/*-------------------------------------------------------------------------
 *
 * quantile.c
 *		Counts of values, exact while they are few and by significant bits
 *		beyond, and quantiles of them.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "quantile.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SIGN			(UINT64_C(1) << 63)

/* Up to so many entries insertion sorts faster than counting digits. */
#define FEW_ENTRIES		32

/* ----------------------------------------------------------------- keys */

uint64_t
rtm_quantile_key(double value)
{
	uint64_t	bits;

	value += 0.0;				/* minus zero becomes zero */
	memcpy(&bits, &value, sizeof(bits));
	return bits & SIGN ? ~bits : bits | SIGN;
}

static double
value_of(uint64_t key)
{
	uint64_t	bits = key & SIGN ? key & ~SIGN : ~key;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

double
rtm_quantile_edge(uint64_t key, int shift)
{
	return value_of(key << shift);
}

/*
 * What an entry covers has one exponent, so its middle is off by at most
 * 2^(shift - 53) of any value in it; below the least normal number by as much
 * of that. Zero stands for itself.
 */
double
rtm_quantile_middle(uint64_t key, int shift)
{
	double		first = value_of(key << shift);
	double		last;

	if (shift == 0 || key == SIGN >> shift)
		return first;
	last = value_of((key << shift) | ((UINT64_C(1) << shift) - 1));
	return first / 2 + last / 2;
}

/* -------------------------------------------------------------- sorting */

/*
 * Sort from[0..n-1] by key into to[0..n-1]; from is overwritten.
 */
static void
sort_entries(QuantileEntry *from, QuantileEntry *to, size_t n)
{
	QuantileEntry *result = to;
	uint64_t	differ = 0;

	if (n <= FEW_ENTRIES)
	{
		for (size_t i = 0; i < n; i++)
		{
			size_t		k = i;

			for (; k > 0 && to[k - 1].key > from[i].key; k--)
				to[k] = to[k - 1];
			to[k] = from[i];
		}
		return;
	}

	/* By counting, a byte of the key at a time, those all share left out. */
	for (size_t i = 1; i < n; i++)
		differ |= from[0].key ^ from[i].key;
	for (int bit = 0; bit < 64; bit += 8)
	{
		size_t		place[256] = {0};
		size_t		sum = 0;
		QuantileEntry *swap;

		if ((differ >> bit & 0xff) == 0)
			continue;
		for (size_t i = 0; i < n; i++)
			place[from[i].key >> bit & 0xff]++;
		for (int digit = 0; digit < 256; digit++)
		{
			size_t		count = place[digit];

			place[digit] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[place[from[i].key >> bit & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	/* What was written last is now from. */
	if (from != result)
		memcpy(result, from, sizeof(QuantileEntry) * n);
}

static size_t
join_equal(QuantileEntry *entry, size_t used)
{
	size_t		n = 0;

	for (size_t i = 0; i < used; i++)
	{
		if (n > 0 && entry[n - 1].key == entry[i].key)
			entry[n - 1].count += entry[i].count;
		else
			entry[n++] = entry[i];
	}
	return n;
}

size_t
rtm_quantile_merge(QuantileEntry *entry, size_t sorted, size_t used, QuantileEntry *scratch)
{
	size_t		left = used - sorted;
	size_t		to = used;

	sort_entries(entry + sorted, scratch, left);
	/* From the back, where there is room. */
	while (left > 0)
	{
		if (sorted > 0 && entry[sorted - 1].key > scratch[left - 1].key)
			entry[--to] = entry[--sorted];
		else
			entry[--to] = scratch[--left];
	}
	return join_equal(entry, used);
}

/* ------------------------------------------------------------- coarsening */

int
rtm_quantile_shift(const QuantileEntry *entry, size_t n, int shift)
{
	size_t		parted[64] = {0};
	size_t		entries = n;
	int			bits = 0;

	if (n <= QUANTILE_EXACT)
		return shift;
	/* Neighbours stay apart as long as the highest bit that parts them. */
	for (size_t i = 1; i < n; i++)
		parted[63 - __builtin_clzll(entry[i - 1].key ^ entry[i].key)]++;
	while (entries > QUANTILE_EXACT && shift + bits < QUANTILE_COARSEST)
		entries -= parted[bits++];
	return shift + bits;
}

size_t
rtm_quantile_coarsen(QuantileEntry *entry, size_t n, int bits)
{
	for (size_t i = 0; i < n; i++)
		entry[i].key >>= bits;
	return join_equal(entry, n);
}

/* ------------------------------------------------------------- quantiles */

double
rtm_quantile_at(const QuantileEntry *entry, size_t n, int shift, int64_t total,
				double least, double greatest, double fraction)
{
	double		position = fraction * (double) (total - 1);
	double		rank[2] = {floor(position), ceil(position)};
	double		value[2];
	size_t		i = 0;
	int64_t		through = entry[0].count;	/* values up to entry i */
	double		room;

	for (int side = 0; side < 2; side++)
	{
		if (rank[side] <= 0)
			value[side] = least;
		else if (rank[side] >= (double) (total - 1))
			value[side] = greatest;
		else
		{
			while (i + 1 < n && (double) through <= rank[side])
				through += entry[++i].count;
			value[side] = fmax(least, fmin(greatest, rtm_quantile_middle(entry[i].key, shift)));
		}
	}
	if (rank[0] == rank[1])
		return value[0];
	position -= rank[0];
	room = value[1] - value[0];
	if (isinf(room))
		return (1 - position) * value[0] + position * value[1];
	return value[0] + position * room;
}
