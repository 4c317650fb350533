/*-------------------------------------------------------------------------
 *
 * chain_test.c
 *		Unit test of absorbing chains, without a server.
 *
 * Chains are counted from paths. The reference solves the definition for each
 * removed channel by Gaussian elimination in long double: the chance to
 * convert from each state, with the states that contain the channel leading
 * nowhere.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/chain_test.c \
 *			src/chain_dense.c src/chain_direct.c src/chain_iterate.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "chain.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory of the solvers, freed after each solution. */
static void *block[100000];
static int	blocks = 0;

static void *
keep(size_t size)
{
	return block[blocks++] = malloc(size > 0 ? size : 1);
}

static void
drop_all(void)
{
	while (blocks > 0)
		free(block[--blocks]);
}

static void
no_interrupt(void)
{
}

/* ------------------------------------------------- a chain from paths */

#define MOST_STATES 1200

typedef struct Counts
{
	int			order;
	int			channels;
	size_t		states;
	uint32_t	member[MOST_STATES * CHAIN_MAX_ORDER];
	double		entry[MOST_STATES];
	double		conversions[MOST_STATES];
	double		nulls[MOST_STATES];
	double		amount[MOST_STATES];
	double		all;			/* conversions */
	double	   *flow;			/* states x states, itself included */
} Counts;

static Counts counts;

static void
start_counts(int order, int channels)
{
	free(counts.flow);
	memset(&counts, 0, sizeof(counts));
	counts.order = order;
	counts.channels = channels;
	counts.flow = calloc((size_t) MOST_STATES * MOST_STATES, sizeof(double));
}

static size_t
find_state(const int *path, int length)
{
	uint32_t	member[CHAIN_MAX_ORDER];
	size_t		i;

	for (int k = 0; k < counts.order; k++)
		member[k] = k < length ? (uint32_t) path[length - 1 - k] : UINT32_MAX;
	for (i = 0; i < counts.states; i++)
	{
		if (memcmp(&counts.member[i * counts.order], member, sizeof(uint32_t) * counts.order) == 0)
			return i;
	}
	memcpy(&counts.member[i * counts.order], member, sizeof(uint32_t) * counts.order);
	return counts.states++;
}

static void
count_path(const int *path, int length, double conversions, double nulls, double amount)
{
	size_t		state = find_state(path, 1);

	counts.entry[state] += conversions + nulls;
	for (int i = 1; i < length; i++)
	{
		size_t		next = find_state(path, i + 1);

		counts.flow[state * MOST_STATES + next] += conversions + nulls;
		state = next;
	}
	counts.conversions[state] += conversions;
	counts.nulls[state] += nulls;
	counts.amount[state] += amount;
	counts.all += conversions;
}

static ChainStatus
solve(bool directly, double *conversions, double *amount)
{
	Chain		chain = {0};
	size_t	   *first = malloc(sizeof(size_t) * (counts.states + 1));
	double	   *leave = malloc(sizeof(double) * counts.states);
	uint32_t   *last = malloc(sizeof(uint32_t) * counts.states);
	size_t		n = 0;
	uint32_t   *next;
	double	   *flow;
	ChainStatus status;

	for (size_t i = 0; i < counts.states * counts.states; i++)
		n += counts.flow[i / counts.states * MOST_STATES + i % counts.states] > 0;
	next = malloc(sizeof(uint32_t) * (n + 1));
	flow = malloc(sizeof(double) * (n + 1));
	n = 0;
	for (size_t i = 0; i < counts.states; i++)
	{
		first[i] = n;
		leave[i] = counts.conversions[i] + counts.nulls[i];
		for (size_t j = 0; j < counts.states; j++)
		{
			double		f = counts.flow[i * MOST_STATES + j];

			if (f == 0 || i == j)
				continue;
			next[n] = (uint32_t) j;
			flow[n++] = f;
			leave[i] += f;
		}
	}
	first[counts.states] = n;
	chain.states = counts.states;
	chain.channels = (size_t) counts.channels;
	for (size_t i = 0; i < counts.states; i++)
		last[i] = counts.member[i * counts.order];
	chain.last = last;
	chain.first = first;
	chain.next = next;
	chain.flow = flow;
	chain.leave = leave;
	chain.conversions = counts.conversions;
	chain.amount = counts.amount;
	chain.shim.alloc = keep;
	chain.shim.interrupt = no_interrupt;
	status = directly ? rtm_chain_direct(&chain, conversions, amount) :
		rtm_chain_iterate(&chain, conversions, amount);
	drop_all();
	free(first);
	free(leave);
	free(last);
	free(next);
	free(flow);
	return status;
}

/*
 * The definition, for one channel: what is left of conversions and amount.
 */
static void
without(int channel, long double *conversions, long double *amount)
{
	size_t		n = counts.states;
	size_t		width = n + 2;
	long double *a = calloc(n * width, sizeof(long double));

	for (size_t i = 0; i < n; i++)
	{
		long double passes = counts.conversions[i] + counts.nulls[i];
		bool		removed = false;

		for (int k = 0; k < counts.order; k++)
			removed |= counts.member[i * counts.order + k] == (uint32_t) channel;
		a[i * width + i] = 1;
		if (removed)
			continue;
		for (size_t j = 0; j < n; j++)
			passes += counts.flow[i * MOST_STATES + j];
		for (size_t j = 0; j < n; j++)
			a[i * width + j] -= counts.flow[i * MOST_STATES + j] / passes;
		a[i * width + n] = counts.conversions[i] / passes;
		a[i * width + n + 1] = counts.amount[i] / passes;
	}
	for (size_t k = 0; k < n; k++)
	{
		size_t		pivot = k;

		for (size_t i = k + 1; i < n; i++)
		{
			if (fabsl(a[i * width + k]) > fabsl(a[pivot * width + k]))
				pivot = i;
		}
		for (size_t j = 0; j < width; j++)
		{
			long double t = a[k * width + j];

			a[k * width + j] = a[pivot * width + j];
			a[pivot * width + j] = t;
		}
		for (size_t i = 0; i < n; i++)
		{
			long double f = a[i * width + k] / a[k * width + k];

			if (i == k || f == 0)
				continue;
			for (size_t j = k; j < width; j++)
				a[i * width + j] -= f * a[k * width + j];
		}
	}
	*conversions = *amount = 0;
	for (size_t i = 0; i < n; i++)
	{
		*conversions += counts.entry[i] * a[i * width + n] / a[i * width + i];
		*amount += counts.entry[i] * a[i * width + n + 1] / a[i * width + i];
	}
	free(a);
}

/*
 * How many channels differ from the definition by more than a tolerance,
 * relative to all conversions.
 */
static long
differences(bool directly, double tolerance)
{
	double	   *conversions = malloc(sizeof(double) * (size_t) counts.channels);
	double	   *amount = malloc(sizeof(double) * (size_t) counts.channels);
	long double all_amount = 0;
	long double size = 0;
	long		bad = solve(directly, conversions, amount) != CHAIN_DONE;

	for (size_t i = 0; i < counts.states; i++)
	{
		all_amount += counts.amount[i];
		size += fabsl(counts.amount[i]);
	}
	for (int c = 0; c < counts.channels; c++)
	{
		long double left;
		long double left_amount;

		without(c, &left, &left_amount);
		bad += !(fabsl(counts.all - left - conversions[c]) <= tolerance * (counts.all + 1));
		bad += !(fabsl(all_amount - left_amount - amount[c]) <= tolerance * (size + 1));
	}
	free(conversions);
	free(amount);
	return bad;
}

static void
count_random(int order, int channels, int paths, int length)
{
	int		   *path = malloc(sizeof(int) * (size_t) length);

	start_counts(order, channels);
	for (int p = 0; p < paths; p++)
	{
		int			n = 1 + random_below(length);
		double		conversions = random_below(3);

		for (int i = 0; i < n; i++)
			path[i] = random_below(1 + random_below(channels));
		count_path(path, n, conversions, random_below(4) + (conversions == 0),
				   conversions > 0 ? random_below(2000) - 500 : 0);
	}
	free(path);
}

int
main(void)
{
	long		bad = 0;
	double		conversions[300];
	double		amount[300];

	/* a > b > a > b and a > b both convert: without either, nothing is left. */
	start_counts(1, 2);
	count_path((int[]) {0, 1, 0, 1}, 4, 1, 0, 30);
	count_path((int[]) {0, 1}, 2, 1, 0, 10);
	for (int directly = 0; directly < 2; directly++)
	{
		solve(directly, conversions, amount);
		for (int c = 0; c < 2; c++)
			bad += fabs(conversions[c] - 2) > 1e-15 * 8 || fabs(amount[c] - 40) > 1e-13;
	}
	report("two channels that nothing converts without", bad);

	/*
	 * a > b (converts), b > a > c (does not), a (converts): of three passes of
	 * a one each goes to b, to c and to the end; of two of b one each to a and
	 * to the end. From a: (1 + b) / 3, from b: (1 + a) / 2; so a = 3/5 and
	 * b = 4/5. Two paths start in a, one in b: 2 in all. Without a only a third
	 * start in b, half of which convert: 1/2. Without b two start in a: 2/3.
	 */
	start_counts(1, 3);
	count_path((int[]) {0, 1}, 2, 1, 0, 6);
	count_path((int[]) {1, 0, 2}, 3, 0, 1, 0);
	count_path((int[]) {0}, 1, 1, 0, 9);
	bad = 0;
	for (int directly = 0; directly < 2; directly++)
	{
		solve(directly, conversions, amount);
		bad += fabs(conversions[0] - 3.0 / 2) > 1e-15 * 4;
		bad += fabs(conversions[1] - 4.0 / 3) > 1e-15 * 4;
		bad += conversions[2] != 0 || amount[2] != 0;
		/* 6 a conversion from b, 9 from a: 3 is left without a, 6 without b */
		bad += fabs(amount[0] - 12) > 1e-13 || fabs(amount[1] - 9) > 1e-13;
	}
	report("three channels by hand, one that never leads to a conversion", bad);

	bad = 0;
	for (int i = 0; i < 300; i++)
	{
		count_random(1, 1 + random_below(12), 1 + random_below(40), 1 + random_below(12));
		bad += differences(true, 1e-13);
		bad += differences(false, 1e-12);
	}
	report("random chains of order 1", bad);

	bad = 0;
	for (int i = 0; i < 100; i++)
	{
		count_random(2 + i % 2, 1 + random_below(6), 1 + random_below(40), 1 + random_below(12));
		bad += differences(false, 1e-12);
	}
	report("random chains of orders 2 and 3", bad);

	/* Enough channels for the elimination of sparse ones and several panels. */
	count_random(1, 150, 1000, 10);
	report("many channels, densely connected", differences(true, 1e-13));
	count_random(1, 200, 120, 4);
	report("many channels, sparsely connected", differences(true, 1e-13));
	start_counts(1, 180);
	for (int p = 0; p < 400; p++)
	{
		int			hub = random_below(8);
		int			path[] = {hub, 8 + random_below(172), random_below(8), hub};

		count_path(path, 4, p % 2, 1, p % 2 * 100);
	}
	report("many rare channels between a few hubs", differences(true, 1e-13));
	count_random(2, 280, 60, 3);
	report("more channels than groups", differences(false, 1e-12));

	/* Two regions that hardly mix, in paths of two thousand touches. */
	bad = 0;
	for (int order = 1; order <= 3; order++)
	{
		int		   *path = malloc(sizeof(int) * 2000);

		start_counts(order, 7);
		for (int p = 0; p < 20; p++)
		{
			int			region = p % 2;

			for (int i = 0; i < 2000; i++)
			{
				if (random_below(500) == 0)
					region = !region;
				path[i] = region * 3 + random_below(3);
			}
			if (p == 7)
				path[1000] = 6;
			count_path(path, 2000, p % 3 == 0, p % 3 != 0, 0);
		}
		bad += differences(order == 1, 1e-11);
		free(path);
	}
	report("long paths in regions that hardly mix", bad);

	/* What differs by name alone has the same effect. */
	bad = 0;
	for (int order = 1; order <= 3; order++)
	{
		start_counts(order, 5);
		for (int c = 0; c < 5; c++)
		{
			count_path((int[]) {c, (c + 1) % 5, c, (c + 2) % 5}, 4, 2, 1, 20);
			count_path((int[]) {c, c, (c + 3) % 5}, 3, 1, 5, 7);
		}
		solve(order == 1, conversions, amount);
		for (int c = 1; c < 5; c++)
			bad += fabs(conversions[c] - conversions[0]) > 1e-14 * conversions[0] ||
				fabs(amount[c] - amount[0]) > 1e-14 * amount[0];
	}
	report("symmetric channels", bad);

	/* A chain that ends once in 10^12 passes loses no digit. */
	start_counts(1, 2);
	counts.states = 2;
	counts.member[0] = 0;
	counts.member[1] = 1;
	counts.entry[0] = 4;
	counts.flow[1] = 1e12 + 1;
	counts.flow[MOST_STATES] = 1e12 - 3;
	counts.conversions[1] = 1;
	counts.nulls[1] = 3;
	counts.all = 1;
	solve(true, conversions, amount);
	report("a chain that hardly ever ends",
		   fabs(conversions[0] - 1) > 1e-15 || fabs(conversions[1] - 1) > 1e-15);

	free(counts.flow);
	printf("1..%d\n", tests);
	return failures > 0;
}
