/*-------------------------------------------------------------------------
 *
 * split.c
 *		Exact splits by largest remainder. Pure: no PostgreSQL header.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "split.h"

static inline void
swap(uint64_t *a, uint64_t *b)
{
	uint64_t	t = *a;

	*a = *b;
	*b = t;
}

static inline uint64_t
median_of_three(uint64_t a, uint64_t b, uint64_t c)
{
	if (a > b)
		swap(&a, &b);
	if (b > c)
		b = c;
	return a > b ? a : b;
}

/*
 * The k-th largest (k >= 1) of value[0..n-1], which is permuted. Quickselect
 * with a three-way partition, since equal remainders are the common case.
 */
static uint64_t
kth_largest(uint64_t *value, size_t n, size_t k)
{
	size_t		low = 0;
	size_t		high = n;

	while (high - low > 1)
	{
		uint64_t	pivot = median_of_three(value[low], value[low + (high - low) / 2],
											value[high - 1]);
		size_t		above = low;	/* value[low..above) > pivot */
		size_t		below = high;	/* value[below..high) < pivot */
		size_t		i = low;

		while (i < below)
		{
			if (value[i] > pivot)
				swap(&value[i++], &value[above++]);
			else if (value[i] < pivot)
				swap(&value[i], &value[--below]);
			else
				i++;
		}
		if (k <= above - low)
			high = above;
		else if (k <= below - low)
			return pivot;
		else
		{
			k -= below - low;
			low = below;
		}
	}
	return value[low];
}

/* Up to this many, ranking all beats selecting one: it never mispredicts. */
#define RANKED	24

/*
 * Hand out left units, one each, to the remainders of the lowest rank.
 */
static void
hand_out_ranked(uint64_t *part, const uint64_t *remainder, size_t n, size_t left)
{
	unsigned	rank[RANKED] = {0};

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	own = remainder[i];
		unsigned	behind = 0;

		for (size_t j = i + 1; j < n; j++)
		{
			bool		larger = remainder[j] > own;

			behind += larger;
			rank[j] += !larger;
		}
		part[i] += rank[i] + behind < left;
	}
}

/*
 * Hand out left units, one each, to the largest remainders, ties to the
 * lowest index.
 */
static void
hand_out(uint64_t *part, const uint64_t *remainder, uint64_t *scratch, size_t n, size_t left)
{
	uint64_t	threshold = remainder[0];
	uint64_t	other = remainder[0];
	size_t		given = 0;
	size_t		i = 1;

	/* One value or two, as of equal weights and of positions, need no ranks. */
	while (i < n && (remainder[i] == threshold || remainder[i] == other || other == threshold))
	{
		if (remainder[i] != threshold)
			other = remainder[i];
		i++;
	}
	if (i == n)
	{
		size_t		larger = 0;

		if (other > threshold)
			threshold = other;
		for (i = 0; i < n; i++)
			larger += remainder[i] == threshold;
		if (larger < left)
		{
			/* All of the larger get one, and some of the smaller. */
			for (i = 0; i < n; i++)
			{
				if (remainder[i] == threshold)
				{
					part[i]++;
					given++;
				}
			}
			for (i = 0; remainder[i] == threshold;)
				i++;
			threshold = remainder[i];
		}
	}
	else if (n <= RANKED)
	{
		hand_out_ranked(part, remainder, n, left);
		return;
	}
	else
	{
		for (i = 0; i < n; i++)
			scratch[i] = remainder[i];
		threshold = kth_largest(scratch, n, left);
		for (i = 0; i < n; i++)
		{
			if (remainder[i] > threshold)
			{
				part[i]++;
				given++;
			}
		}
	}
	for (i = 0; given < left; i++)
	{
		if (remainder[i] == threshold)
		{
			part[i]++;
			given++;
		}
	}
}

void
rtm_split(uint64_t total, const uint64_t *weight, size_t n, uint64_t sum,
		  uint64_t *part, uint64_t *scratch)
{
	uint64_t   *remainder = scratch;
	uint64_t	left = total;

	if (sum == 1)
	{
		/* One touch takes all. */
		for (size_t i = 0; i < n; i++)
			part[i] = weight[i] ? total : 0;
		return;
	}
	if ((sum & (sum - 1)) == 0)
	{
		/* A power of two, as units of a deal are: no division. */
		int			shift = __builtin_ctzll(sum);

		for (size_t i = 0; i < n; i++)
		{
			rtm_uint128 product = (rtm_uint128) total * weight[i];

			part[i] = (uint64_t) (product >> shift);
			remainder[i] = (uint64_t) product & (sum - 1);
			left -= part[i];
		}
	}
	else
	{
		for (size_t i = 0; i < n; i++)
		{
			/* Equal weights come in runs; their division is done once. */
			if (i > 0 && weight[i] == weight[i - 1])
			{
				part[i] = part[i - 1];
				remainder[i] = remainder[i - 1];
			}
			else
			{
				rtm_uint128 product = (rtm_uint128) total * weight[i];

				if ((uint64_t) (product >> 64) == 0)
					part[i] = (uint64_t) product / sum;
				else
					part[i] = (uint64_t) (product / sum);
				remainder[i] = (uint64_t) product - part[i] * sum;
			}
			left -= part[i];
		}
	}
	if (left > 0)
		hand_out(part, remainder, scratch + n, n, (size_t) left);
}
