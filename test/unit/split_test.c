/*-------------------------------------------------------------------------
 *
 * split_test.c
 *		Unit test of the exact split and of the attribution rules, without a
 *		server.
 *
 * The references are written apart from what they test: the split sorts, the
 * positions are summed as fractions over a common denominator, and time decay
 * is the formula in long double.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/split_test.c
 *			src/split.c src/attribution.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "attribution.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST		300
#define DAY			INT64_C(86400000000)

/* --------------------------------------------------------------- splits */

typedef struct Line
{
	uint64_t	remainder;
	size_t		index;
} Line;

static int	split_by_class = 0;

static int
compare_lines(const void *left, const void *right)
{
	const Line *a = left;
	const Line *b = right;

	if (a->remainder != b->remainder)
		return a->remainder > b->remainder ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Largest remainder by sorting; every product in 128 bits. */
static void
reference_split(uint64_t total, const uint64_t *weight, size_t n, uint64_t sum, uint64_t *part)
{
	Line	   *line = room(sizeof(Line) * n);
	uint64_t	left = total;

	for (size_t i = 0; i < n; i++)
	{
		rtm_uint128 product = (rtm_uint128) total * weight[i];

		part[i] = (uint64_t) (product / sum);
		line[i].remainder = (uint64_t) (product % sum);
		line[i].index = i;
		left -= part[i];
	}
	qsort(line, n, sizeof(Line), compare_lines);
	for (size_t i = 0; i < left; i++)
		part[line[i].index]++;
	free(line);
}

/*
 * The same by class, where the weights are few.
 */
static long
check_classes(uint64_t total, const uint64_t *weight, size_t n, uint64_t sum,
			  const uint64_t *expected)
{
	WeightClasses by = {0};
	Quota		quota;
	uint8_t    *class = room(n);
	long		bad = 0;

	by.sum = sum;
	for (size_t i = 0; i < n; i++)
	{
		int			k = 0;

		while (k < by.classes && by.value[k] != weight[i])
			k++;
		if (k == RTM_CLASSES)
		{
			free(class);
			return 0;
		}
		if (k == by.classes)
			by.value[by.classes++] = weight[i];
		by.count[k]++;
		class[i] = (uint8_t) k;
	}
	split_by_class++;
	rtm_split_classes(total, &by, &quota);
	for (size_t i = 0; i < n; i++)
		bad += rtm_take(&quota, class[i]) != expected[i];
	free(class);
	return bad;
}

static long
check_split(uint64_t total, const uint64_t *weight, size_t n)
{
	uint64_t   *copy = room(sizeof(uint64_t) * n);
	uint64_t   *part = room(sizeof(uint64_t) * n);
	uint64_t   *expected = room(sizeof(uint64_t) * n);
	uint64_t   *scratch = room(sizeof(uint64_t) * 3 * n);
	uint64_t	sum = 0;
	uint64_t	given = 0;
	long		bad = 0;

	for (size_t i = 0; i < n; i++)
		sum += weight[i];
	memcpy(copy, weight, sizeof(uint64_t) * n);
	rtm_split(total, copy, n, sum, part, scratch);
	reference_split(total, weight, n, sum, expected);
	for (size_t i = 0; i < n; i++)
	{
		given += part[i];
		bad += part[i] != expected[i] || copy[i] != weight[i] || (weight[i] == 0 && part[i] != 0);
	}
	bad += given != total;
	bad += check_classes(total, weight, n, sum, expected);
	free(copy);
	free(part);
	free(expected);
	free(scratch);
	return bad;
}

static void
test_split(void)
{
	uint64_t	weight[MOST];
	long		bad = 0;

	for (int round = 0; round < 20000; round++)
	{
		size_t		n = 1 + random_below(round % 20 == 0 ? MOST : 40);
		int			shape = round % 7;
		uint64_t	total = round % 5 == 0 ? RTM_DEAL_UNITS :
			random_bits() >> (1 + random_below(63));
		uint64_t	whole = RTM_DEAL_UNITS >> random_below(50);
		uint64_t	taken = 0;

		for (size_t i = 0; i < n; i++)
		{
			switch (shape)
			{
				case 0:
					weight[i] = 1;
					break;
				case 1:
					weight[i] = random_below(4);
					break;
				case 2:
					weight[i] = random_below(1000);
					break;
				case 3:
					weight[i] = (random_bits() >> 1) / n;
					break;
				case 4:
					weight[i] = i % 3 == 0 ? 7 : 0;
					break;
				case 6:
					/* Together a power of two. */
					weight[i] = i + 1 < n ? random_bits() % (whole / n + 1) : whole - taken;
					taken += weight[i];
					break;
				default:
					weight[i] = i > 0 && random_below(2) ? weight[i - 1] : random_below(50);
					break;
			}
		}
		weight[random_below(n)] += shape == 3 || shape == 6 ? 0 : 1;
		if (shape == 3)
			weight[0] |= 1;
		bad += check_split(total, weight, n);
	}
	report("random splits equal those by sorting, and sum exactly", bad);
	report("a third of them was split by class as well", split_by_class < 20000 / 3);

	{
		const uint64_t edge[] = {0, 1, 2, RTM_SPLIT_MAX - 1, RTM_SPLIT_MAX};
		const uint64_t largest[1] = {RTM_SPLIT_MAX};
		const uint64_t halves[2] = {RTM_SPLIT_MAX / 2 + 1, RTM_SPLIT_MAX / 2};
		const uint64_t lopsided[3] = {1, RTM_SPLIT_MAX - 2, 1};
		const uint64_t zeros[4] = {0, 0, 1, 0};

		bad = 0;
		for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		{
			bad += check_split(edge[i], largest, 1);
			bad += check_split(edge[i], halves, 2);
			bad += check_split(edge[i], lopsided, 3);
			bad += check_split(edge[i], zeros, 4);
		}
		report("splits at the limits of totals and weights", bad);
	}

	{
		/* 100 in three: 34, 33, 33; 5 among 1, 2, 1, 2 of 6: remainders 5 4 5 4. */
		const uint64_t thirds[3] = {1, 1, 1};
		const uint64_t mixed[4] = {1, 2, 1, 2};
		uint64_t	part[4];
		uint64_t	scratch[12];

		rtm_split(100, thirds, 3, 3, part, scratch);
		bad = part[0] != 34 || part[1] != 33 || part[2] != 33;
		rtm_split(5, mixed, 4, 6, part, scratch);
		bad += part[0] != 1 || part[1] != 2 || part[2] != 1 || part[3] != 1;
		report("ties go to the first", bad);
	}
}

/* ---------------------------------------------------------------- rules */

/* Runs a rule with arrays of exactly the size the contract asks for. */
static uint64_t
weigh(const ModelRule *rule, const TouchColumns *t, uint64_t *weight)
{
	uint64_t   *scratch = room(sizeof(uint64_t) * 4 * t->n);
	Weights		weights;
	uint64_t	sum;

	weights.touch = room(sizeof(uint64_t) * t->n);
	weights.class = room(t->n);
	rtm_weights(rule, t, &weights, scratch);
	for (size_t i = 0; i < t->n; i++)
		weight[i] = rtm_weight(&weights, i);
	sum = rtm_weight_sum(&weights);
	free(weights.touch);
	free(weights.class);
	free(scratch);
	return sum;
}

static long
wrong_sum(const uint64_t *weight, size_t n, uint64_t sum)
{
	uint64_t	total = 0;

	for (size_t i = 0; i < n; i++)
		total += weight[i];
	return total != sum || sum == 0 || sum > RTM_SPLIT_MAX;
}

/* Does a sum of weights equal numerator/denominator of the whole? */
static int
is_fraction(uint64_t weight, uint64_t sum, uint64_t numerator, uint64_t denominator)
{
	return (rtm_uint128) weight * denominator == (rtm_uint128) sum * numerator;
}

static void
test_simple(void)
{
	static const int64_t at[5] = {0, DAY, 2 * DAY, 3 * DAY, 4 * DAY};
	static const uint32_t channel[5] = {0, 1, 0, 2, 1};
	static const bool direct[3] = {false, true, true};
	static const bool all_direct[3] = {true, true, true};
	TouchColumns t = {5, 3, at, channel, NULL, NULL};
	ModelRule	rule = {MODEL_FIRST, {0}, 0};
	uint64_t	weight[5];
	uint64_t	sum;
	long		bad;

	sum = weigh(&rule, &t, weight);
	bad = wrong_sum(weight, 5, sum) || weight[0] != sum;
	report("first", bad);

	rule.kind = MODEL_LAST;
	sum = weigh(&rule, &t, weight);
	bad = wrong_sum(weight, 5, sum) || weight[4] != sum;
	report("last", bad);

	rule.kind = MODEL_LAST_NON_DIRECT;
	sum = weigh(&rule, &t, weight);
	bad = weight[4] != sum;
	t.direct = direct;
	sum = weigh(&rule, &t, weight);
	bad += weight[2] != sum;
	t.direct = all_direct;
	sum = weigh(&rule, &t, weight);
	bad += weight[4] != sum;
	t.direct = NULL;
	report("last not direct, and last where all are", bad);

	rule.kind = MODEL_LINEAR;
	sum = weigh(&rule, &t, weight);
	bad = wrong_sum(weight, 5, sum);
	for (int i = 0; i < 5; i++)
		bad += !is_fraction(weight[i], sum, 1, 5);
	report("linear", bad);

	rule.kind = MODEL_LINEAR_UNIQUE;
	sum = weigh(&rule, &t, weight);
	bad = wrong_sum(weight, 5, sum);
	for (int i = 0; i < 5; i++)
		bad += !is_fraction(weight[i], sum, i == 0 || i == 1 || i == 3, 3);
	report("linear over distinct channels, at their first touch", bad);
}

/*
 * A position model as fractions: each touch's share times `middle`, the
 * number of middle touches, over what was shared out.
 */
static long
check_position(const ModelRule *rule, const uint8_t *milestone, size_t n)
{
	static const uint8_t flag[3] = {MILESTONE_LC, MILESTONE_OC, MILESTONE_CW};
	static const Position of[3] = {POSITION_LC, POSITION_OC, POSITION_CW};
	TouchColumns t = {n, 1, NULL, NULL, NULL, NULL};
	uint32_t   *channel = calloc(n, sizeof(uint32_t));
	uint8_t    *held = room(n);
	uint64_t   *key = calloc(n, sizeof(uint64_t));
	uint64_t   *weight = room(sizeof(uint64_t) * n);
	uint64_t	sum;
	uint64_t	shared = 0;
	uint64_t	middle = 0;
	size_t		last_key = 0;
	long		bad = 0;

	key[0] += rule->share[POSITION_FIRST];
	key[n - 1] += rule->share[POSITION_LAST];
	for (int k = 0; k < 3; k++)
	{
		size_t		holder = n;

		for (size_t i = 0; i < n; i++)
		{
			if (milestone[i] & flag[k])
				holder = i;
		}
		if (holder < n)
			key[holder] += rule->share[of[k]];
	}
	for (size_t i = 0; i < n; i++)
	{
		shared += key[i];
		if (key[i] > 0)
			last_key = i;
	}
	for (size_t i = 0; i < last_key; i++)
		middle += key[i] == 0;
	if (rule->share[POSITION_MIDDLE] == 0)
		middle = 0;
	if (middle > 0)
		shared += rule->share[POSITION_MIDDLE];

	memcpy(held, milestone, n);
	t.channel = channel;
	t.milestone = held;
	sum = weigh(rule, &t, weight);
	bad += wrong_sum(weight, n, sum);
	for (size_t i = 0; i < n; i++)
	{
		if (shared == 0)
			bad += !is_fraction(weight[i], sum, 1, n);
		else if (key[i] > 0)
			bad += !is_fraction(weight[i], sum, key[i], shared);
		else if (middle > 0 && i < last_key)
			bad += !is_fraction(weight[i], sum, rule->share[POSITION_MIDDLE], shared * middle);
		else
			bad += weight[i] != 0;
	}
	free(channel);
	free(held);
	free(key);
	free(weight);
	return bad;
}

static void
test_position(void)
{
	ModelRule	rule = {MODEL_POSITION, {0}, 0};
	uint8_t		milestone[MOST];
	long		bad = 0;

	for (int round = 0; round < 20000; round++)
	{
		size_t		n = 1 + random_below(round % 100 == 0 ? MOST : 9);
		uint32_t	left = SHARE_ONE;

		for (int p = 0; p < POSITIONS; p++)
		{
			uint32_t	share = random_below(3) == 0 ? 0 : (uint32_t) random_below(left + 1);

			rule.share[p] = p == POSITIONS - 1 ? left : share;
			left -= rule.share[p];
		}
		for (size_t i = 0; i < n; i++)
			milestone[i] = random_below(2) ? 0 : (uint8_t) random_below(MILESTONE_ALL + 1);
		bad += check_position(&rule, milestone, n);
	}
	report("random position models equal their shares as fractions", bad);

	{
		/* 22.5 x 4 + 10 over FT . LC . OC CW: both middles 5 %. */
		static const uint8_t full[6] = {0, 0, MILESTONE_LC, 0, MILESTONE_OC, MILESTONE_CW};
		static const uint64_t expected[6] = {225, 50, 225, 50, 225, 225};
		static const uint32_t channel[6] = {0, 0, 0, 0, 0, 0};
		TouchColumns t = {6, 1, NULL, channel, full, NULL};
		ModelRule	full_path = {
			MODEL_POSITION, {225000000, 225000000, 225000000, 225000000, 0, 100000000}, 0
		};
		uint64_t	weight[6];
		uint64_t	sum = weigh(&full_path, &t, weight);

		bad = wrong_sum(weight, 6, sum);
		for (int i = 0; i < 6; i++)
			bad += !is_fraction(weight[i], sum, expected[i], 1000);
		report("full path", bad);
	}
}

static void
test_time_decay(void)
{
	ModelRule	rule = {MODEL_TIME_DECAY, {0}, 0};
	int64_t		at[MOST];
	uint32_t	channel[MOST] = {0};
	uint64_t	weight[MOST];
	long		inexact = 0;
	long		unordered = 0;
	long		bad = 0;

	for (int round = 0; round < 5000; round++)
	{
		size_t		n = 1 + random_below(round % 50 == 0 ? MOST : 10);
		int64_t		step = INT64_C(1) << random_below(48);
		TouchColumns t = {n, 1, at, channel, NULL, NULL};
		long double total = 0;
		uint64_t	sum;

		rule.half_life = 1;
		if (round % 7 != 0)
			rule.half_life += (int64_t) (random_bits() >> (16 + random_below(40)));
		at[0] = -(int64_t) random_below((size_t) 1 << 40);
		for (size_t i = 1; i < n; i++)
			at[i] = at[i - 1] + (random_below(3) == 0 ? 0 : (int64_t) random_below((size_t) step));
		for (size_t i = 0; i < n; i++)
			total += exp2l(-(long double) (at[n - 1] - at[i]) / rule.half_life);

		sum = weigh(&rule, &t, weight);
		bad += wrong_sum(weight, n, sum) || sum != RTM_DEAL_UNITS;
		for (size_t i = 0; i < n; i++)
		{
			long double age = at[n - 1] - at[i];
			long double expected = exp2l(-age / rule.half_life) / total;

			inexact += fabsl(expected - (long double) weight[i] / RTM_DEAL_UNITS) > 1e-15L;
			unordered += i > 0 && weight[i] + 1 < weight[i - 1];
		}
	}
	report("time decay sums to one deal", bad);
	report("time decay is 2^-(age / half life), to 1e-15", inexact);
	report("a later touch weighs no less, but for the last unit", unordered);

	{
		/* Equal instants weigh the same, but for units that do not divide. */
		const int64_t same[3] = {5, 5, 5};
		TouchColumns t = {3, 1, same, channel, NULL, NULL};
		uint64_t	sum;

		rule.half_life = DAY;
		sum = weigh(&rule, &t, weight);
		bad = wrong_sum(weight, 3, sum) || weight[0] != RTM_DEAL_UNITS / 3 + 1 ||
			weight[1] != RTM_DEAL_UNITS / 3 || weight[2] != RTM_DEAL_UNITS / 3;
		t.touched_at = NULL;
		sum = weigh(&rule, &t, weight);
		bad += wrong_sum(weight, 3, sum) || weight[0] != weight[1] || weight[1] != weight[2];
		report("touches of one instant, or of none, weigh the same", bad);
	}
	{
		/* The whole range of a timestamp, and halves that are exact. */
		const int64_t far[2] = {INT64_C(-211813488000000000), INT64_C(9223371331199999999)};
		const int64_t halves[3] = {0, DAY, 2 * DAY};
		TouchColumns t = {2, 1, far, channel, NULL, NULL};
		uint64_t	sum = weigh(&rule, &t, weight);

		bad = sum != RTM_DEAL_UNITS || weight[0] != 0 || weight[1] != sum;
		t.n = 3;
		t.touched_at = halves;
		sum = weigh(&rule, &t, weight);
		for (int i = 0; i < 3; i++)
			bad += fabsl((long double) weight[i] / sum - (1 << i) / 7.0L) > 1e-18L;
		report("time decay over all of time, and over whole half lives", bad);
	}
}

int
main(void)
{
	rtm_attribution_init();
	test_split();
	test_simple();
	test_position();
	test_time_decay();
	printf("1..%d\n", tests);
	return failures != 0;
}
