/*-------------------------------------------------------------------------
 *
 * allocate_fuzz.c
 *		libFuzzer target: the allocator on a problem made of the bytes.
 *
 * Whatever the curves, bounds, groups, units and goals: it comes to an end,
 * and a plan keeps every bound and sums to the budget.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 8
#define MOST_GROUPS 5

/*
 * Short searches: the fuzzer looks for crashes, not for proofs.  A limit makes
 * each node a search of its own.
 */
#define NODES 50
#define LIMITED_NODES 5

typedef struct Input
{
	const uint8_t *bytes;
	size_t		left;
} Input;

static uint8_t
byte_of(Input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->bytes++;
}

/* A number of any size, often a small one. */
static int64_t
number_of(Input *input)
{
	int			bytes = byte_of(input) % 9;
	uint64_t	number = 0;

	while (bytes-- > 0)
		number = number << 8 | byte_of(input);
	return (int64_t) (number >> 1);
}

static double
double_of(Input *input)
{
	uint64_t	bits = 0;
	double		value;
	int			i;

	if (byte_of(input) % 2)
		return (int8_t) byte_of(input) / 4.0;
	for (i = 0; i < 8; i++)
		bits = bits << 8 | byte_of(input);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int
make_curve(Input *input, Curve *curve)
{
	int			i;

	curve->family = byte_of(input) % CURVE_FAMILIES;
	for (i = 0; i < rtm_curve_family[curve->family].parameters; i++)
		curve->parameter[i] = double_of(input);
	return rtm_curve_bad_parameter(curve) < 0;
}

static void
check(const AllocateProblem *problem)
{
	int64_t		sum[MOST_GROUPS] = {0};
	rtm_int128	moved = 0;
	size_t		g;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];

		if (line->units < line->lo || line->units > line->hi)
			abort();
		sum[line->group] += line->units;
		if (line->moves)
			moved += rtm_allocate_moved(problem, line, line->units);
	}
	for (g = problem->groups - 1; g > 0; g--)
	{
		if (sum[g] < problem->group[g].lo || sum[g] > problem->group[g].hi)
			abort();
		sum[problem->group[g].parent] += sum[g];
		rtm_allocate_group_price(problem, g);
	}
	rtm_allocate_budget_price(problem);
	if (sum[0] != problem->budget || !(problem->gap >= 0) ||
		(problem->limited && moved > problem->limit))
		abort();
}

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static AllocateLine line[MOST_LINES + 1];
	static AllocateSearch search[MOST_LINES + 1];
	static AllocateGroup group[MOST_GROUPS];
	Input		input = {data, size};
	AllocateProblem problem = {0};
	AllocateGoal goal;
	double		target;
	double		attainable;
	size_t		at = 0;
	size_t		g;
	size_t		i;

	memset(line, 0, sizeof(line));
	memset(group, 0, sizeof(group));
	problem.line = line;
	problem.search = search;
	problem.group = group;
	problem.lines = byte_of(&input) % (MOST_LINES + 1);
	problem.groups = 1 + byte_of(&input) % MOST_GROUPS;
	problem.budget = number_of(&input) % ALLOCATE_MOST_UNITS;
	problem.numerator = 1 + byte_of(&input);
	problem.denominator = pow(10, byte_of(&input) % 5);
	problem.memory = malloc;
	problem.limited = byte_of(&input) % 4 == 0;
	problem.node_limit = problem.limited ? LIMITED_NODES : NODES;
	problem.ticks = 1 + byte_of(&input);
	problem.limit = number_of(&input);
	goal = byte_of(&input) % 8;
	target = double_of(&input);
	for (g = 1; g < problem.groups; g++)
	{
		group[g].parent = byte_of(&input) % 2 ? g - 1 : group[g - 1].parent;
		if (g == 1)
			group[g].parent = 0;
		group[g].lo = byte_of(&input) % 2 ? 0 : number_of(&input);
		group[g].hi = number_of(&input);
		if (group[g].hi < group[g].lo)
			return 0;
	}
	for (i = 0; i < problem.lines; i++)
	{
		if (byte_of(&input) % 2 && at + 1 < problem.groups)
			at++;
		line[i].group = at;
		line[i].priority = i;
		line[i].lo = byte_of(&input) % 2 ? 0 : number_of(&input);
		line[i].hi = number_of(&input);
		line[i].moves = problem.limited;
		line[i].current = number_of(&input) % ALLOCATE_MOST_UNITS;
		if (line[i].hi < line[i].lo || !make_curve(&input, &line[i].curve))
			return 0;
	}

	if (rtm_allocate(&problem) == ALLOCATE_DONE)
		check(&problem);
	if (goal <= ALLOCATE_TARGET_MARGINAL_ROI && isfinite(target) &&
		(goal == ALLOCATE_MIN_SPEND || target > -1) &&
		rtm_allocate_goal(&problem, goal, target, &attainable) == ALLOCATE_DONE)
		check(&problem);
	free(problem.node);
	return 0;
}
