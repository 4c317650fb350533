/*-------------------------------------------------------------------------
 *
 * allocate_global_test.c
 *		Unit test of the allocator with groups, a shift limit, curves of any
 *		shape, other goals and prices, without a server.
 *
 * The references are written apart from what they test: dynamic programming
 * over every amount of every line and group, and where a limit couples all
 * lines, every plan there is.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/allocate_global_test.c \
 *			src/allocate*.c src/envelope.c src/curve.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"
#include "envelope.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 12
#define MOST_GROUPS 6
#define MOST_BUDGET 200

static Curve
make_curve(int family, double a, double b, double c, double d)
{
	Curve		curve = {family, 0, {a, b, c, d}};

	return curve;
}

static Curve
random_curve(bool any_shape, double unit)
{
	double		a = uniform(-10, 10);
	double		b = uniform(0.1, 100);
	double		scale = exp(uniform(0, 5)) * unit;

	switch (random_below(any_shape ? 8 : 4))
	{
		case 0:
			return make_curve(CURVE_LINEAR, a, random_below(4) - 1, 0, 0);
		case 1:
			return make_curve(CURVE_EXPONENTIAL, a, b, scale, 0);
		case 2:
			return make_curve(CURVE_POWER, a, b, uniform(0.1, 1), 0);
		case 3:
			return make_curve(CURVE_HILL, a, b, scale, uniform(0.3, 1));
		case 4:
			return make_curve(CURVE_POWER, a, b / 10, uniform(1, 2), 0);
		case 5:
			return make_curve(CURVE_HILL, a, -b, scale, uniform(0.5, 4));
		default:
			return make_curve(CURVE_HILL, a, b, scale, uniform(1, 5));
	}
}

/* A problem with its memory. */
static AllocateLine line[MOST_LINES + 1];
static AllocateSearch search[MOST_LINES + 1];
static AllocateGroup group[MOST_GROUPS];

static AllocateProblem
new_problem(size_t lines, size_t groups, int64_t budget, double denominator)
{
	AllocateProblem problem = {0};
	size_t		i;

	memset(line, 0, sizeof(line));
	memset(group, 0, sizeof(group));
	problem.line = line;
	problem.search = search;
	problem.lines = lines;
	problem.group = group;
	problem.groups = groups;
	problem.budget = budget;
	problem.numerator = 1;
	problem.denominator = denominator;
	problem.memory = malloc;
	for (i = 0; i < lines; i++)
		line[i].priority = i;
	return problem;
}

static void
random_problem(AllocateProblem *problem, bool any_shape, bool grouped, bool limited)
{
	double		denominator = random_below(3) ? 1 : 100;
	int64_t		budget = random_below(limited ? 25 : MOST_BUDGET);
	size_t		groups = 1 + (grouped ? random_below(MOST_GROUPS) : 0);
	size_t		lines = 1 + random_below(limited ? 4 : MOST_LINES);
	int64_t		left;
	size_t		at = 0;
	size_t		g;
	size_t		i;

	*problem = new_problem(lines, groups, budget, denominator);
	for (g = 1; g < groups; g++)
	{
		size_t		parent = g - 1;

		while (parent > 0 && random_below(2))
			parent = group[parent].parent;
		group[g].parent = parent;
		group[g].lo = random_below(3) ? 0 : random_below((int) budget / 2 + 1);
		group[g].hi = random_below(3) ? group[g].lo + random_below((int) budget + 1)
			: MOST_BUDGET;
	}
	for (i = 0; i < lines; i++)
	{
		if (at + 1 < groups && random_below(2))
			at++;
		line[i].group = at;
		line[i].curve = random_curve(any_shape, 1 / denominator);
		line[i].lo = random_below(3) ? 0 : random_below(10);
		line[i].hi = line[i].lo + (random_below(5) ? random_below(MOST_BUDGET) : 0);
		if (i > 0 && random_below(4) == 0)
		{
			line[i].curve = line[i - 1].curve;
			line[i].lo = line[i - 1].lo;
			line[i].hi = line[i - 1].hi;
		}
	}
	if (!limited)
		return;
	problem->limited = true;
	problem->ticks = random_below(2) ? 1 : 10;
	problem->limit = random_below((int) (budget * problem->ticks) + 2);
	left = budget * problem->ticks;
	for (i = 0; i < lines; i++)
	{
		line[i].moves = true;
		line[i].current = i + 1 == lines ? left : random_below((int) left + 1);
		left -= line[i].current;
	}
}

static double
value_at(const AllocateProblem *problem, size_t i, int64_t units)
{
	return rtm_curve_value(&line[i].curve, rtm_allocate_money(problem, units));
}

/* The best of one part for every sum, and of another: of both for every sum. */
static void
combine(double *best, const double *other, int64_t budget)
{
	double		both[MOST_BUDGET + 1];
	int64_t		sum;
	int64_t		part;

	for (sum = 0; sum <= budget; sum++)
	{
		both[sum] = -INFINITY;
		for (part = 0; part <= sum; part++)
			both[sum] = fmax(both[sum], best[part] + other[sum - part]);
	}
	memcpy(best, both, sizeof(double) * (budget + 1));
}

static double
best_by_programming(const AllocateProblem *problem)
{
	static double best[MOST_GROUPS][MOST_BUDGET + 1];
	double		own[MOST_BUDGET + 1];
	int64_t		budget = problem->budget;
	int64_t		sum;
	size_t		g;
	size_t		i;

	for (g = 0; g < problem->groups; g++)
	{
		for (sum = 0; sum <= budget; sum++)
			best[g][sum] = sum == 0 ? 0 : -INFINITY;
	}
	for (i = 0; i < problem->lines; i++)
	{
		for (sum = 0; sum <= budget; sum++)
			own[sum] = sum < line[i].lo || sum > line[i].hi ? -INFINITY
				: value_at(problem, i, sum);
		combine(best[line[i].group], own, budget);
	}
	for (g = problem->groups - 1; g > 0; g--)
	{
		for (sum = 0; sum <= budget; sum++)
		{
			if (sum < group[g].lo || sum > group[g].hi)
				best[g][sum] = -INFINITY;
		}
		combine(best[group[g].parent], best[g], budget);
	}
	return best[0][budget];
}

/* The sums of the groups, and whether all bounds hold. */
static bool
is_feasible(const AllocateProblem *problem, const int64_t *units)
{
	int64_t		sum[MOST_GROUPS] = {0};
	rtm_int128	moved = 0;
	size_t		g;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		if (units[i] < line[i].lo || units[i] > line[i].hi)
			return false;
		sum[line[i].group] += units[i];
		if (line[i].moves)
			moved += llabs((long long) (units[i] * problem->ticks - line[i].current));
	}
	for (g = problem->groups - 1; g > 0; g--)
	{
		if (sum[g] < group[g].lo || sum[g] > group[g].hi)
			return false;
		sum[group[g].parent] += sum[g];
	}
	return sum[0] == problem->budget && (!problem->limited || moved <= problem->limit);
}

static double
best_by_trying(const AllocateProblem *problem, int64_t *units, size_t i, int64_t left)
{
	double		best = -INFINITY;
	int64_t		most = line[i].hi < left ? line[i].hi : left;

	if (i == problem->lines)
		return left == 0 && is_feasible(problem, units) ? 0 : -INFINITY;
	for (units[i] = line[i].lo; units[i] <= most; units[i]++)
		best = fmax(best, value_at(problem, i, units[i])
					+ best_by_trying(problem, units, i + 1, left - units[i]));
	return best;
}

static void
test_against(const char *name, bool any_shape, bool grouped, bool limited, int rounds)
{
	long		bad_status = 0;
	long		bad_plan = 0;
	long		bad_value = 0;
	long		bad_gap = 0;
	int			solved = 0;
	int			round;
	char		text[100];

	for (round = 0; round < rounds; round++)
	{
		AllocateProblem problem;
		AllocateStatus status;
		int64_t		units[MOST_LINES];
		double		best;
		double		value = 0;
		size_t		i;

		random_problem(&problem, any_shape, grouped, limited);
		status = rtm_allocate(&problem);
		best = limited ? best_by_trying(&problem, units, 0, problem.budget)
			: best_by_programming(&problem);
		free(problem.node);
		if (status != ALLOCATE_DONE)
		{
			bad_status += best != -INFINITY;
			continue;
		}
		solved++;
		for (i = 0; i < problem.lines; i++)
		{
			units[i] = line[i].units;
			value += value_at(&problem, i, units[i]);
		}
		bad_plan += !is_feasible(&problem, units);
		bad_value += best - value > 2e-9 * fabs(best) + 1e-12 || value - best > 1e-9;
		bad_gap += !(problem.gap >= 0 && problem.complete);
	}
	snprintf(text, sizeof(text), "%s: solved exactly where there is a plan", name);
	report(text, bad_status + (solved < rounds / 10));
	snprintf(text, sizeof(text), "%s: all bounds hold", name);
	report(text, bad_plan);
	snprintf(text, sizeof(text), "%s: no plan returns more", name);
	report(text, bad_value);
	snprintf(text, sizeof(text), "%s: the gap is told", name);
	report(text, bad_gap);
}

/*
 * Straight lines, some of one slope, with amounts of many units: the best plan
 * is one of the same problem in large units.
 */
static void
test_straight(void)
{
	const int64_t many = 10000000;
	long		bad = 0;
	int			solved = 0;
	int			round;

	for (round = 0; round < 1500; round++)
	{
		AllocateProblem problem;
		int64_t		units[MOST_LINES];
		double		best;
		size_t		g;
		size_t		i;

		random_problem(&problem, false, true, false);
		for (i = 0; i < problem.lines; i++)
			line[i].curve = make_curve(random_below(3) ? CURVE_LINEAR : CURVE_POWER, 0,
									   random_below(5), random_below(2) ? 1 : 1.5, 0);
		best = best_by_programming(&problem);
		problem.denominator *= many;
		problem.budget *= many;
		for (i = 0; i < problem.lines; i++)
		{
			line[i].lo *= many;
			line[i].hi *= many;
		}
		for (g = 1; g < problem.groups; g++)
		{
			group[g].lo *= many;
			group[g].hi *= many;
		}
		if (rtm_allocate(&problem) != ALLOCATE_DONE)
		{
			bad += best != -INFINITY;
			continue;
		}
		solved++;
		for (i = 0; i < problem.lines; i++)
			units[i] = line[i].units;
		bad += !is_feasible(&problem, units) || problem.gap > 1e-8;
		bad += fabs(problem.value - best) > 1e-8 * (1 + fabs(best));
		free(problem.node);
	}
	report("straight and convex lines in groups, many units", bad + (solved < 200));
}

/* Finer units gain no more than the gap says. */
static void
test_gap(void)
{
	long		bad = 0;
	int			round;

	for (round = 0; round < 300; round++)
	{
		AllocateProblem problem;
		double		gap;
		double		value;
		double		best;
		size_t		i;
		size_t		g;

		random_problem(&problem, true, round % 2 == 0, false);
		problem.budget = problem.budget / 5;
		for (g = 1; g < problem.groups; g++)
		{
			group[g].lo /= 5;
			group[g].hi /= 5;
		}
		if (rtm_allocate(&problem) != ALLOCATE_DONE)
			continue;
		free(problem.node);
		gap = problem.gap;
		value = problem.value;
		for (i = 0; i < problem.lines; i++)
		{
			line[i].lo *= 5;
			line[i].hi *= 5;
		}
		for (g = 1; g < problem.groups; g++)
		{
			group[g].lo *= 5;
			group[g].hi *= 5;
		}
		problem.budget *= 5;
		problem.denominator *= 5;
		best = best_by_programming(&problem);
		bad += best - value > gap * fmax(fabs(value), fabs(best)) + 1e-9 * fabs(best) + 1e-12;
	}
	report("the gap covers what finer units gain", bad);
}

static void
test_published(void)
{
	static const double curve[3][2] = {
		{-9453.72, 8256.21}, {-8312.84, 7764.20}, {-7371.33, 7953.36}
	};
	static const int64_t want[3] = {34439, 32386, 33175};
	AllocateProblem problem = new_problem(3, 1, 100000, 1);
	long		bad = 0;
	int			i;

	for (i = 0; i < 3; i++)
	{
		line[i].curve = make_curve(CURVE_LOG, curve[i][0], curve[i][1], 0, 0);
		line[i].lo = 1;
		line[i].hi = 100000;
	}
	bad += rtm_allocate(&problem) != ALLOCATE_DONE;
	for (i = 0; i < 3; i++)
		bad += line[i].units != want[i];
	bad += fabs(problem.value - 224540) > 0.5 || !(problem.gap < 1e-9);
	report("the published optimum of three log curves", bad);
}

/* Fifty S-shaped lines with amounts to the cent: the gap is proven. */
static void
test_fifty(double spread, const char *name)
{
	size_t		lines = 50;
	AllocateLine *many = calloc(lines, sizeof(AllocateLine));
	AllocateProblem problem = new_problem(0, 1, 0, 100);
	long		bad = 0;
	int			round;
	size_t		i;

	problem.line = many;
	problem.lines = lines;
	problem.search = calloc(lines, sizeof(AllocateSearch));
	for (round = 0; round < 5; round++)
	{
		int64_t		sum = 0;

		for (i = 0; i < lines; i++)
		{
			many[i].priority = i;
			many[i].curve = make_curve(CURVE_HILL, 0, 1e5 * exp(uniform(-spread, spread)),
									   2e4 * exp(uniform(-spread, spread)),
									   1.5 + 3 * uniform(0, spread));
			many[i].hi = 10000000;
		}
		problem.budget = 10000000 + 10000000 * round;
		bad += rtm_allocate(&problem) != ALLOCATE_DONE || !(problem.gap <= 1e-6);
		bad += !problem.complete;
		for (i = 0; i < lines; i++)
			sum += many[i].units;
		bad += sum != problem.budget;
		for (i = 1; spread == 0 && i < lines; i++)
			bad += many[i].units > many[i - 1].units;
	}
	report(name, bad);
	free(problem.node);
	free(problem.search);
	free(many);
}

static void
test_node_limit(void)
{
	AllocateProblem problem = new_problem(MOST_LINES, 1, 400, 1);
	double		gap[2];
	double		value[2];
	long		bad = 0;
	size_t		i;
	int			round;

	for (round = 0; round < 2; round++)
	{
		for (i = 0; i < MOST_LINES; i++)
		{
			line[i].curve = make_curve(CURVE_HILL, 0, 100 + 3 * i, 100 + 2 * i, 3);
			line[i].hi = 1000;
		}
		problem.node_limit = round == 0 ? 3 : 0;
		bad += rtm_allocate(&problem) != ALLOCATE_DONE;
		bad += problem.complete != (round == 1);
		gap[round] = problem.gap;
		value[round] = problem.value;
	}
	bad += !(gap[0] > 1e-6 && gap[1] < gap[0] && value[1] >= value[0]);
	bad += !(value[0] + gap[0] * (value[0] + gap[0] * value[0]) * 1.01 >= value[1]);
	report("stopped early, the best so far comes with its gap", bad);
	free(problem.node);
}

/* Another run, and groups that do not bind, change nothing. */
static void
test_invariance(void)
{
	long		bad_run = 0;
	long		bad_group = 0;
	long		bad_monotone = 0;
	int			round;

	for (round = 0; round < 300; round++)
	{
		AllocateProblem problem;
		AllocateLine saved[MOST_LINES];
		double		gap;
		double		value;
		size_t		i;

		random_problem(&problem, round % 2 == 0, false, false);
		if (rtm_allocate(&problem) != ALLOCATE_DONE)
			continue;
		gap = problem.gap;
		value = problem.value;
		memcpy(saved, line, sizeof(saved));

		bad_run += rtm_allocate(&problem) != ALLOCATE_DONE || problem.gap != gap;

		/* In groups whose bounds admit everything. */
		problem.groups = 3;
		memset(group, 0, sizeof(group));
		group[1].hi = group[2].hi = 10000;
		group[2].parent = 1;
		for (i = 0; i < problem.lines; i++)
			line[i].group = 3 * i / problem.lines;
		bad_group += rtm_allocate(&problem) != ALLOCATE_DONE;
		for (i = 0; i < problem.lines; i++)
			bad_group += line[i].units != saved[i].units;

		problem.groups = 1;
		for (i = 0; i < problem.lines; i++)
			line[i] = saved[i];

		/* A unit more, where no curve falls. */
		for (i = 0; i < problem.lines; i++)
		{
			if (rtm_curve_value(&line[i].curve, 1) < rtm_curve_value(&line[i].curve, 0))
				break;
		}
		problem.budget++;
		if (i == problem.lines && rtm_allocate(&problem) == ALLOCATE_DONE)
			bad_monotone += problem.value < value - 1e-9 * fabs(value);
		free(problem.node);
	}
	report("another run gives the same bits", bad_run);
	report("groups that do not bind change no amount", bad_group);
	report("a larger budget returns no less", bad_monotone);
}

/* Goals against a look at every budget. */
static void
test_goals(void)
{
	long		bad_spend = 0;
	long		bad_roi = 0;
	long		bad_marginal = 0;
	long		bad_best = 0;
	int			round;

	for (round = 0; round < 400; round++)
	{
		AllocateProblem problem;
		double		value[MOST_BUDGET + 1] = {0};
		int64_t		most;
		int64_t		want;
		int64_t		sum;
		double		target;
		double		best = -INFINITY;
		double		attainable = 0;
		AllocateStatus status;
		size_t		i;

		random_problem(&problem, round % 2 == 0, round % 3 == 0, false);
		for (i = 0; i < problem.lines; i++)
		{
			/* Curves that rise. */
			line[i].curve = make_curve(CURVE_HILL, 0, uniform(1, 100), exp(uniform(0, 4)),
									   round % 2 ? uniform(0.4, 1) : uniform(1, 3));
		}
		problem.denominator = 1;
		most = problem.budget;
		for (sum = 0; sum <= most; sum++)
		{
			problem.budget = sum;
			value[sum] = best_by_programming(&problem);
		}

		target = uniform(0, 1.2) * fmax(value[most], 1);
		for (want = 0; want <= most && !(value[want] >= target); want++)
			;
		problem.budget = most;
		status = rtm_allocate_goal(&problem, ALLOCATE_MIN_SPEND, target, &attainable);
		if (status == ALLOCATE_UNREACHABLE)
			bad_spend += want <= most || !(attainable < target);
		else if (status == ALLOCATE_DONE)
			bad_spend += problem.budget != want || problem.value < target;
		else
			bad_spend += want <= most;

		target = uniform(-0.5, 4);
		for (want = most; want > 0 && !(value[want] >= (1 + target) * want); want--)
			;
		for (sum = 1; sum <= most; sum++)
			best = fmax(best, value[sum] / sum - 1);
		problem.budget = most;
		status = rtm_allocate_goal(&problem, ALLOCATE_TARGET_ROI, target, &attainable);
		if (status == ALLOCATE_DONE)
			bad_roi += problem.budget != want;
		else
			bad_roi += want != 0;
		if (status == ALLOCATE_UNREACHABLE)
			bad_best += !(fabs(attainable - best) <= 1e-6 * fabs(best)) && best != -INFINITY;

		best = -INFINITY;
		for (sum = 0, want = -1; sum <= most; sum++)
		{
			if (value[sum] != -INFINITY && value[sum] - (1 + target) * sum >= best)
			{
				best = value[sum] - (1 + target) * sum;
				want = sum;
			}
		}
		problem.budget = most;
		status = rtm_allocate_goal(&problem, ALLOCATE_TARGET_MARGINAL_ROI, target, &attainable);
		if (status == ALLOCATE_DONE)
			bad_marginal += problem.budget != want;
		else if (status == ALLOCATE_UNREACHABLE)
			bad_marginal += value[want] == -INFINITY || (want > 0 && value[want - 1] != -INFINITY);
		free(problem.node);
	}
	report("min_spend: the least budget that returns the target", bad_spend);
	report("target_roi: the largest budget that returns it", bad_roi);
	report("target_marginal_roi: the budget that pays", bad_marginal);
	report("an unreachable target names the best there is", bad_best);
}

/* Prices against what a limit moved by a unit returns. */
static void
test_prices(void)
{
	long		bad_budget = 0;
	long		bad_group = 0;
	int			seen = 0;
	int			round;

	for (round = 0; round < 300; round++)
	{
		AllocateProblem problem;
		double		value;
		double		price;
		double		unit;
		size_t		g;
		size_t		i;

		/* Fine units, so that differences are slopes. */
		random_problem(&problem, false, true, false);
		problem.denominator = 1;
		for (i = 0; i < problem.lines; i++)
		{
			line[i].curve = make_curve(CURVE_EXPONENTIAL, 0, uniform(1, 100), uniform(20, 100), 0);
			line[i].lo *= 10000;
			line[i].hi *= 10000;
		}
		for (g = 1; g < problem.groups; g++)
		{
			group[g].lo *= 10000;
			group[g].hi *= 10000;
		}
		problem.budget *= 10000;
		problem.denominator *= 10000;
		unit = 1 / problem.denominator;
		if (rtm_allocate(&problem) != ALLOCATE_DONE)
			continue;
		value = problem.value;
		price = rtm_allocate_budget_price(&problem);
		problem.budget++;
		if (rtm_allocate(&problem) == ALLOCATE_DONE)
			bad_budget += fabs((problem.value - value) / unit - price) > 1e-4 * (1 + price);
		else
			bad_budget += price != -INFINITY;
		problem.budget--;
		for (g = 1; g < problem.groups; g++)
		{
			rtm_allocate(&problem);
			if (group[g].units != group[g].hi || group[g].lo == group[g].hi)
				continue;
			price = rtm_allocate_group_price(&problem, g);
			group[g].hi++;
			rtm_allocate(&problem);
			bad_group += fabs((problem.value - value) / unit - price) > 1e-4 * (1 + price);
			group[g].hi--;
			seen += price > 0.01;
		}
		free(problem.node);
	}
	report("the price of the budget is what a unit more returns", bad_budget);
	report("so is the price of a group", bad_group + (seen < 20));
}

/* The envelope is above the curve, concave, and touches it. */
static void
test_envelope(void)
{
	long		bad = 0;
	int			chords = 0;
	int			round;

	for (round = 0; round < 5000; round++)
	{
		Curve		curve = random_curve(true, 1);
		double		lo = random_below(3) ? 0 : uniform(0, 50);
		double		hi = lo + uniform(0.1, 300);
		EnvelopeChord chord = rtm_envelope(&curve, lo, hi);
		double		scale = fabs(curve.parameter[1]) * (1 + hi) * 1e-12;
		int			i;

		if (chord.from == chord.to)
		{
			bad += !rtm_curve_is_concave(&curve, lo, hi);
			continue;
		}
		chords++;
		bad += chord.from < lo || chord.to > hi || (chord.from > lo && chord.to < hi);
		for (i = 0; i <= 50; i++)
		{
			double		x = chord.from + (chord.to - chord.from) * i / 50;

			bad += rtm_curve_gain(&curve, chord.from, x) - chord.slope * (x - chord.from)
				> scale;
		}
		if (chord.to < hi)
			bad += fabs(rtm_curve_slope(&curve, chord.to) - chord.slope) > 1e-6 * chord.slope;
		if (chord.from > lo)
			bad += fabs(rtm_curve_slope(&curve, chord.from) - chord.slope)
				> 1e-6 * fabs(chord.slope);
		bad += !rtm_curve_is_concave(&curve, lo, chord.from);
		bad += !rtm_curve_is_concave(&curve, chord.to, hi);
	}
	report("envelopes lie above their curves and touch them", bad + (chords < 1000));
}

int
main(void)
{
	test_envelope();
	test_published();
	test_against("concave in groups", false, true, false, 1500);
	test_against("any shape", true, false, false, 1500);
	test_against("any shape in groups", true, true, false, 1500);
	test_against("concave near the current plan", false, false, true, 500);
	test_against("concave in groups near the current plan", false, true, true, 1000);
	test_against("any shape in groups near the current plan", true, true, true, 1000);
	test_straight();
	test_gap();
	test_fifty(0.5, "fifty S-shaped lines");
	test_fifty(0, "fifty S-shaped lines that are the same");
	test_node_limit();
	test_invariance();
	test_goals();
	test_prices();
	printf("1..%d\n", tests);
	return failures > 0;
}
