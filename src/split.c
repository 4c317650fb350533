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
#define RANKED	16

/*
 * Hand out left units, one each, to the largest of the remainders of who[],
 * ties to the first.
 */
static void
hand_out_among(uint64_t *part, const uint64_t *remainder, const uint64_t *who,
			   uint64_t *scratch, size_t n, size_t left)
{
	uint64_t	threshold;
	size_t		given = 0;

	if (n <= RANKED)
	{
		for (size_t i = 0; i < n; i++)
		{
			size_t		rank = 0;

			for (size_t j = 0; j < n; j++)
				rank += remainder[who[j]] > remainder[who[i]] ||
					(j < i && remainder[who[j]] == remainder[who[i]]);
			part[who[i]] += rank < left;
		}
		return;
	}
	for (size_t i = 0; i < n; i++)
		scratch[i] = remainder[who[i]];
	threshold = kth_largest(scratch, n, left);
	for (size_t i = 0; i < n; i++)
	{
		bool		above = remainder[who[i]] > threshold;

		part[who[i]] += above;
		given += above;
	}
	for (size_t i = 0; given < left; i++)
	{
		bool		level = remainder[who[i]] == threshold;

		part[who[i]] += level;
		given += level;
	}
}

#define BUCKET_BITS		5
#define BUCKETS			(1 << BUCKET_BITS)

/*
 * Hand out left units, one each, to the largest remainders, all of them below
 * sum, ties to the lowest index. Remainders spread evenly, so that counting
 * them by their leading bits leaves only a few to choose from.
 */
static void
hand_out(uint64_t *part, const uint64_t *remainder, uint64_t *scratch, size_t n, uint64_t sum,
		 size_t left)
{
	uint32_t	count[BUCKETS] = {0};
	uint64_t   *who = scratch;
	size_t		members = 0;
	int			shift = 64 - __builtin_clzll(sum) - BUCKET_BITS;
	uint64_t	bucket = BUCKETS - 1;

	if (shift < 0)
		shift = 0;
	for (size_t i = 0; i < n; i++)
		count[remainder[i] >> shift]++;
	while (count[bucket] < left)
		left -= count[bucket--];
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	own = remainder[i] >> shift;

		part[i] += own > bucket;
		who[members] = i;
		members += own == bucket;
	}
	hand_out_among(part, remainder, who, scratch + n, members, left);
}

/*
 * The floor of total x weight / sum, at most total, and what remains.
 */
static inline void
divide(uint64_t total, uint64_t weight, uint64_t sum, uint64_t *part, uint64_t *remainder)
{
	rtm_uint128 product = (rtm_uint128) total * weight;

	if ((uint64_t) (product >> 64) == 0)
		*part = (uint64_t) product / sum;
	else
		*part = (uint64_t) (product / sum);
	*remainder = (uint64_t) product - *part * sum;
}

void
rtm_split_classes(uint64_t total, const WeightClasses *weights, Quota *quota)
{
	uint64_t	remainder[RTM_CLASSES];

	quota->left = total;
	for (int k = 0; k < weights->classes; k++)
	{
		quota->extra[k] = 0;
		if (weights->value[k] == 0 || weights->count[k] == 0)
		{
			quota->part[k] = remainder[k] = 0;
			continue;
		}
		divide(total, weights->value[k], weights->sum, &quota->part[k], &remainder[k]);
		quota->left -= quota->part[k] * weights->count[k];
	}
	while (quota->left > 0)
	{
		uint64_t	largest = 0;
		uint64_t	holders = 0;

		for (int k = 0; k < weights->classes; k++)
		{
			largest = remainder[k] > largest ? remainder[k] : largest;
		}
		for (int k = 0; k < weights->classes; k++)
		{
			quota->extra[k] = remainder[k] == largest;
			if (quota->extra[k])
				holders += weights->count[k];
		}
		/* Not enough for all: the first ones of these classes get it. */
		if (holders > quota->left)
			break;
		quota->left -= holders;
		for (int k = 0; k < weights->classes; k++)
		{
			quota->part[k] += quota->extra[k];
			remainder[k] = quota->extra[k] ? 0 : remainder[k];
		}
	}
}

void
rtm_split(uint64_t total, const uint64_t *weight, size_t n, uint64_t sum,
		  uint64_t *part, uint64_t *scratch)
{
	uint64_t   *remainder = scratch;
	uint64_t	left = total;

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
	else if (total == RTM_DEAL_UNITS)
	{
		/*
		 * Divisions by one number are products with its reciprocal. With sum
		 * and weights scaled up to 2^62 <= sum < 2^63, the estimate is the
		 * quotient or one less.
		 */
		int			scale = __builtin_clzll(sum) - 1;
		uint64_t	inverse;

		sum <<= scale;
		inverse = (uint64_t) ((((rtm_uint128) 1 << 126) - 1) / sum);
		for (size_t i = 0; i < n; i++)
		{
			uint64_t	w = weight[i] << scale;
			uint64_t	quotient = (uint64_t) (((rtm_uint128) w * inverse) >> 64);
			uint64_t	rest = (w << 62) - quotient * sum;
			bool		short_by_one = rest >= sum;

			part[i] = quotient + short_by_one;
			remainder[i] = short_by_one ? rest - sum : rest;
			left -= part[i];
		}
	}
	else
	{
		for (size_t i = 0; i < n; i++)
		{
			divide(total, weight[i], sum, &part[i], &remainder[i]);
			left -= part[i];
		}
	}
	if (left > 0)
		hand_out(part, remainder, scratch + n, n, sum, (size_t) left);
}
