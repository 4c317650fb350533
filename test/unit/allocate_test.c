/*-------------------------------------------------------------------------
 *
 * allocate_test.c
 *		Unit test of the curves and of the allocator of concave lines, without a
 *		server.
 *
 * The references are written apart from what they test: curves in long
 * double straight from their formulas, and an allocator that hands out one
 * unit after the other to whoever gains most.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/allocate_test.c \
 *			src/allocate*.c src/envelope.c src/curve.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"
#include "curve.h"
#include "tap.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 12

static Curve
make_curve(int family, double a, double b, double c, double d)
{
	Curve		curve = {family, 0, {a, b, c, d}};

	return curve;
}

/* The formulas, as the documentation has them. */
static long double
formula(const Curve *curve, long double x)
{
	long double a = curve->parameter[0];
	long double b = curve->parameter[1];
	long double c = curve->parameter[2];
	long double d = curve->parameter[3];

	switch (curve->family)
	{
		case CURVE_LINEAR:
			return a + b * x;
		case CURVE_LOG:
			return a + b * logl(x);
		case CURVE_POWER:
			return a + b * powl(x, c);
		case CURVE_EXPONENTIAL:
			return a + b * (1 - expl(-x / c));
		default:
			return a + b * powl(x, d) / (powl(c, d) + powl(x, d));
	}
}

static long double
formula_slope(const Curve *curve, long double x)
{
	long double b = curve->parameter[1];
	long double c = curve->parameter[2];
	long double d = curve->parameter[3];

	switch (curve->family)
	{
		case CURVE_LINEAR:
			return b;
		case CURVE_LOG:
			return b / x;
		case CURVE_POWER:
			return b * c * powl(x, c - 1);
		case CURVE_EXPONENTIAL:
			return b / c * expl(-x / c);
		default:
			return b * d * powl(x, d - 1) * powl(c, d)
				/ ((powl(c, d) + powl(x, d)) * (powl(c, d) + powl(x, d)));
	}
}

static bool
near(double got, long double want, long double tolerance)
{
	return fabsl((long double) got - want) <= tolerance * fabsl(want);
}

static Curve
random_curve(void)
{
	int			family = random_below(CURVE_FAMILIES);
	double		a = uniform(-10, 10);
	double		b = uniform(0.1, 100);
	double		scale = exp(uniform(0, 5));

	switch (family)
	{
		case CURVE_LINEAR:
			return make_curve(family, a, random_below(4) - 1, 0, 0);
		case CURVE_LOG:
			return make_curve(family, a, b, 0, 0);
		case CURVE_POWER:
			if (random_below(4) == 0)
				return make_curve(family, a, -b, uniform(1, 2), 0);
			return make_curve(family, a, b, uniform(0.1, 1), 0);
		case CURVE_EXPONENTIAL:
			return make_curve(family, a, b, scale, 0);
		default:
			if (random_below(4) == 0)
				return make_curve(family, a, b, scale, uniform(1, 4));
			return make_curve(family, a, b, scale, uniform(0.3, 1));
	}
}

static void
test_curves(void)
{
	long		bad_value = 0;
	long		bad_gain = 0;
	long		bad_slope = 0;
	long		bad_bend = 0;
	long		bad_inverse = 0;
	long		bad_concave = 0;
	int			i;

	for (i = 0; i < 20000; i++)
	{
		Curve		curve = random_curve();
		const CurveFamily *family = &rtm_curve_family[curve.family];
		double		x = exp(uniform(-3, 7));
		double		dx = exp(uniform(-9, 3));
		long double scale = fabsl(formula(&curve, x)) + fabs(curve.parameter[0])
			+ fabs(curve.parameter[1]);
		double		bend = family->bend(curve.parameter, x);
		long double h = x * 1e-5L / (1 + fabs(bend * x));
		long double second = (formula_slope(&curve, x + h) - formula_slope(&curve, x - h))
			/ (2 * h);
		double		slope = rtm_curve_slope(&curve, x);
		double		from;
		double		to;

		if (fabsl(rtm_curve_value(&curve, x) - formula(&curve, x)) > 1e-14L * scale)
			bad_value++;
		if (fabsl(family->gain(curve.parameter, x, dx)
				  - (formula(&curve, (long double) x + dx) - formula(&curve, x)))
			> 1e-12L * fabs(family->gain(curve.parameter, x, dx)) + 1e-17L * scale)
			bad_gain++;
		if (fabsl(slope - formula_slope(&curve, x))
			> 1e-14L * (100 + fabs(bend * x)) * fabs(slope) + DBL_MIN)
			bad_slope++;
		if (slope != 0 && curve.family != CURVE_LINEAR &&
			fabsl(bend - second / slope) * x > 1e-6L * (1 + fabs(bend * x)))
			bad_bend++;
		family->concave(curve.parameter, &from, &to);
		if (x > from * 1.01 && x < to / 1.01 && second > fabs(slope) / x * 1e-7)
			bad_concave++;
		if ((x < from / 1.01 || x > to * 1.01) && second < -fabs(slope) / x * 1e-7)
			bad_concave++;
		if (curve.family != CURVE_LINEAR && slope != 0 && x >= from * 1.05 && x <= to &&
			fabs(bend * x) > 1e-2 &&
			!near(family->inverse_slope(curve.parameter, slope), x, 1e-8L))
			bad_inverse++;
	}
	report("values agree with the formulas", bad_value);
	report("gains agree with differences in long double", bad_gain);
	report("slopes agree with the formulas", bad_slope);
	report("bends agree with second differences", bad_bend);
	report("intervals of concavity agree with second differences", bad_concave);
	report("the inverse of the slope inverts it", bad_inverse);
}

static void
test_extremes(void)
{
	Curve		hill = make_curve(CURVE_HILL, 0, 3, 1e300, 0.5);
	Curve		steep = make_curve(CURVE_HILL, 0, 1, 10, 1e6);
	Curve		tiny = make_curve(CURVE_EXPONENTIAL, 0, 2, 1e-310, 0);
	Curve		wide = make_curve(CURVE_EXPONENTIAL, 0, 1e300, 1e300, 0);
	Curve		power = make_curve(CURVE_POWER, 0, 1e-300, 2, 0);
	Curve		root = make_curve(CURVE_POWER, 1, 1, 0.5, 0);
	Curve		infinite = make_curve(CURVE_LINEAR, 0, INFINITY, 0, 0);
	Curve		zero = make_curve(CURVE_HILL, 0, 1, 0, 1);
	long		bad = 0;

	bad += !near(rtm_curve_value(&hill, 1e-300), 3e-300L, 1e-12L);
	bad += rtm_curve_value(&hill, 0) != 0;
	bad += !isinf(rtm_curve_slope(&hill, 0));
	bad += !near(rtm_curve_slope(&hill, 1e-300), 1.5L, 1e-10L);
	bad += rtm_curve_value(&steep, 9) != 0 || rtm_curve_value(&steep, 11) != 1;
	bad += rtm_curve_slope(&steep, 0) != 0 || rtm_curve_slope(&steep, 1e300) != 0;
	bad += rtm_curve_value(&tiny, 1) != 2 || rtm_curve_slope(&tiny, 1) != 0;
	bad += !near(rtm_curve_value(&wide, 0.01), 0.01L, 1e-15L);
	bad += !near(rtm_curve_value(&power, 1e200), 1e100L, 1e-12L);
	bad += !near(rtm_curve_slope(&power, 1e308), 2e8L, 1e-12L);
	bad += rtm_curve_value(&root, 0) != 1 || !isinf(rtm_curve_slope(&root, 0));
	bad += !near(rtm_curve_gain(&root, 0, 4), 2, 1e-15L);
	bad += !near(rtm_curve_gain(&root, 4, 0), -2, 1e-15L);
	report("extreme parameters and amounts stay finite and right", bad);

	bad = rtm_curve_bad_parameter(&infinite) != 1;
	bad += rtm_curve_bad_parameter(&zero) != 2;
	bad += rtm_curve_bad_parameter(&root) != -1;
	bad += rtm_curve_find("hill", 4) != CURVE_HILL;
	bad += rtm_curve_find("hills", 5) != -1 || rtm_curve_find("hil", 3) != -1;
	report("parameters and names are checked", bad);
}

/* The reference: unit by unit to the largest gain. */
static long double
next_gain(const AllocateProblem *problem, size_t i, int64_t units)
{
	long double unit = (long double) problem->numerator / problem->denominator;
	const Curve *curve = &problem->line[i].curve;

	if (units == problem->line[i].hi)
		return -INFINITY;
	return formula(curve, (units + 1) * unit) - formula(curve, units * unit);
}

static void
greedy(const AllocateProblem *problem, int64_t *units)
{
	long double gain[MOST_LINES];
	int64_t		left = problem->budget;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		units[i] = problem->line[i].lo;
		gain[i] = next_gain(problem, i, units[i]);
		left -= units[i];
	}
	for (; left > 0; left--)
	{
		size_t		best = 0;

		for (i = 1; i < problem->lines; i++)
		{
			if (gain[i] > gain[best])
				best = i;
		}
		units[best]++;
		gain[best] = next_gain(problem, best, units[best]);
	}
}

static long double
total_of(const AllocateProblem *problem, const int64_t *units)
{
	long double unit = (long double) problem->numerator / problem->denominator;
	long double total = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
		total += formula(&problem->line[i].curve, units[i] * unit);
	return total;
}

/* Without groups: the lines as they come. */
static AllocateStatus
allocate_lines(AllocateProblem *problem)
{
	AllocateGroup whole = {0};
	AllocateStatus status;
	size_t		i;

	problem->search = calloc(problem->lines + 1, sizeof(AllocateSearch));
	problem->group = &whole;
	problem->groups = 1;
	problem->memory = malloc;
	for (i = 0; i < problem->lines; i++)
		problem->line[i].priority = i;
	status = rtm_allocate(problem);
	free(problem->search);
	free(problem->node);
	problem->node = NULL;
	return status;
}

static void
test_against_greedy(void)
{
	static const double units[][2] = {{1, 1}, {1, 100}, {5, 1}, {25, 1000}, {1000, 1}};
	AllocateLine line[MOST_LINES];
	int64_t		want[MOST_LINES];
	int64_t		got[MOST_LINES];
	long		bad_status = 0;
	long		bad_sum = 0;
	long		bad_bound = 0;
	long		bad_optimum = 0;
	long		bad_gap = 0;
	int			accepted = 0;
	int			round;

	for (round = 0; round < 10000; round++)
	{
		AllocateProblem problem = {0};
		int			kind = random_below(5);
		int			width = random_below(10) == 0 ? 400 : 40;
		int64_t		least = 0;
		int64_t		room = 0;
		int64_t		sum = 0;
		long double value;
		long double best;
		AllocateStatus status;
		int			i;

		problem.line = line;
		problem.lines = 1 + random_below(MOST_LINES);
		problem.numerator = units[kind][0];
		problem.denominator = units[kind][1];
		for (i = 0; i < (int) problem.lines; i++)
		{
			double		from;
			double		to;
			double		unit = problem.numerator / problem.denominator;

			memset(&line[i], 0, sizeof(AllocateLine));
			line[i].curve = random_curve();
			if (i > 0 && random_below(5) == 0)
				line[i].curve = line[i - 1].curve;
			line[i].lo = random_below(3) == 0 ? random_below(width) : 0;
			if (line[i].curve.family == CURVE_LOG && line[i].lo == 0)
				line[i].lo = 1;
			rtm_curve_family[line[i].curve.family].concave(line[i].curve.parameter,
														   &from, &to);
			if (from > line[i].lo * unit)
				line[i].lo = (int64_t) (from / unit) + 1;
			line[i].hi = line[i].lo + (random_below(5) == 0 ? 0 : random_below(width));
			least += line[i].lo;
			room += line[i].hi - line[i].lo;
		}
		problem.budget = least + (room > 0 ? random_below((int) room + 1) : 0);

		status = allocate_lines(&problem);
		if (status != ALLOCATE_DONE)
		{
			bad_status++;
			continue;
		}
		accepted++;
		for (i = 0; i < (int) problem.lines; i++)
		{
			got[i] = line[i].units;
			sum += got[i];
			if (got[i] < line[i].lo || got[i] > line[i].hi)
				bad_bound++;
		}
		if (sum != problem.budget)
			bad_sum++;
		greedy(&problem, want);
		value = total_of(&problem, got);
		best = total_of(&problem, want);
		if (fabsl(best - value) > 1e-13L * (fabsl(best) + 100))
			bad_optimum++;

		/* The certificate must cover what a finer unit would gain. */
		if (!(problem.gap >= 0))
			bad_gap++;
		else if (problem.budget < 2000)
		{
			int64_t		budget = problem.budget;
			double		gap = problem.gap;

			for (i = 0; i < (int) problem.lines; i++)
			{
				line[i].lo *= 7;
				line[i].hi *= 7;
			}
			problem.budget = budget * 7;
			problem.denominator *= 7;
			greedy(&problem, want);
			best = total_of(&problem, want);
			if (best - value > gap * fmaxl(fabsl(value), fabsl(best))
				+ 1e-14L * (fabsl(best) + 100))
				bad_gap++;
		}
	}
	report("every random instance is solved", bad_status + 10000 - accepted);
	report("amounts sum to the budget", bad_sum);
	report("bounds are kept", bad_bound);
	report("the value is that of the greedy allocator", bad_optimum);
	report("the gap covers what finer units gain", bad_gap);
}

static AllocateStatus
solve(AllocateProblem *problem, AllocateLine *line, size_t lines, int64_t budget)
{
	memset(problem, 0, sizeof(*problem));
	problem->line = line;
	problem->lines = lines;
	problem->budget = budget;
	problem->numerator = 1;
	problem->denominator = 100;
	return allocate_lines(problem);
}

static void
test_edges(void)
{
	AllocateProblem problem;
	AllocateLine line[4];
	Curve		flat = make_curve(CURVE_LINEAR, 0, 2, 0, 0);
	Curve		flat_power = make_curve(CURVE_POWER, 0, 2, 1, 0);
	Curve		nothing = make_curve(CURVE_HILL, 5, 0, 1, 1);
	Curve		bent = make_curve(CURVE_EXPONENTIAL, 0, 100, 10, 0);
	Curve		nearly_flat = make_curve(CURVE_EXPONENTIAL, 0, 1e20, 1e20, 0);
	Curve		s_shaped = make_curve(CURVE_HILL, 0, 1, 10, 2);
	Curve		rooted = make_curve(CURVE_LOG, 0, 1, 0, 0);
	Curve		huge = make_curve(CURVE_LINEAR, 0, 1e308, 0, 0);
	int64_t		left;
	long		bad;
	int			i;

	memset(line, 0, sizeof(line));
	for (i = 0; i < 4; i++)
	{
		line[i].curve = flat;
		line[i].hi = 1000000000;
	}
	line[1].curve = flat_power;
	bad = solve(&problem, line, 4, 1500000001) != ALLOCATE_DONE;
	bad += line[0].units != 1000000000 || line[1].units != 500000001;
	bad += line[2].units != 0 || line[3].units != 0 || problem.gap != 0;
	report("equal slopes: the first lines are filled first", bad);

	line[0].curve = bent;
	bad = solve(&problem, line, 4, 1500000001) != ALLOCATE_DONE;
	bad += line[0].units < 1609 || line[0].units > 1610;	/* 10 ln 5 */
	bad += line[0].units + line[1].units != 1000000000 + line[0].units;
	bad += line[2].units != 500000001 - line[0].units;
	report("a bent line beside straight ones", bad);

	for (i = 0; i < 4; i++)
		line[i].curve = nothing;
	bad = solve(&problem, line, 4, 7) != ALLOCATE_DONE;
	bad += line[0].units != 7 || problem.gap != 0;
	report("curves that return nothing", bad);

	for (i = 0; i < 4; i++)
	{
		line[i].curve = nearly_flat;
		line[i].hi = INT64_MAX;
	}
	bad = solve(&problem, line, 4, ALLOCATE_MOST_UNITS) != ALLOCATE_DONE;
	for (left = ALLOCATE_MOST_UNITS, i = 0; i < 4; i++)
		left -= line[i].units;
	bad += left != 0;
	bad += problem.gap > 1e-9;
	for (i = 0; i < 4; i++)
		line[i].curve = make_curve(CURVE_HILL, 0, 1e20, 1e20, 1);
	bad += solve(&problem, line, 4, ALLOCATE_MOST_UNITS) != ALLOCATE_DONE;
	for (left = ALLOCATE_MOST_UNITS, i = 0; i < 4; i++)
		left -= line[i].units;
	bad += left != 0 || problem.gap > 1e-9;
	report("the largest amounts, and slopes that hardly fall", bad);

	for (i = 0; i < 4; i++)
		line[i].curve = bent;
	bad = solve(&problem, line, 4, 4000000000000) != ALLOCATE_DONE;
	bad += line[0].units + line[1].units + line[2].units + line[3].units != 4000000000000;
	report("budgets far beyond saturation", bad);

	for (i = 0; i < 4; i++)
	{
		line[i].lo = 10;
		line[i].hi = 20;
	}
	bad = solve(&problem, line, 4, 39) != ALLOCATE_INFEASIBLE;
	bad += solve(&problem, line, 4, 81) != ALLOCATE_INFEASIBLE;
	bad += solve(&problem, line, 4, 40) != ALLOCATE_DONE || line[3].units != 10;
	bad += solve(&problem, line, 4, 80) != ALLOCATE_DONE || line[3].units != 20;
	bad += problem.gap != 0;
	bad += solve(&problem, line, 1, 13) != ALLOCATE_DONE || line[0].units != 13;
	bad += solve(&problem, line, 4, 42) != ALLOCATE_DONE;
	bad += line[0].units != 11 || line[1].units != 11 || line[2].units != 10;
	bad += solve(&problem, line, 0, 0) != ALLOCATE_DONE || problem.gap != 0;
	bad += solve(&problem, line, 0, 1) != ALLOCATE_INFEASIBLE;
	for (i = 0; i < 4; i++)
		line[i].lo = 0;
	bad += solve(&problem, line, 4, 0) != ALLOCATE_DONE || line[0].units != 0;
	report("the edges of what is feasible", bad);

	line[2].curve = s_shaped;
	bad = solve(&problem, line, 4, 10) != ALLOCATE_DONE;
	line[2].lo = 1000;
	line[2].hi = 2000;
	bad += solve(&problem, line, 4, 1010) != ALLOCATE_DONE;
	line[2].curve = rooted;
	bad += solve(&problem, line, 4, 1010) != ALLOCATE_DONE;
	line[2].lo = 0;
	line[1].curve = rooted;
	bad += solve(&problem, line, 4, 1010) != ALLOCATE_FAULTY;
	bad += line[2].fault != ALLOCATE_NO_VALUE || line[1].fault != ALLOCATE_NO_VALUE;
	bad += line[0].fault != ALLOCATE_SOUND;
	line[1].curve = bent;
	line[2].curve = huge;
	bad += solve(&problem, line, 4, 1010) != ALLOCATE_FAULTY;
	bad += line[2].fault != ALLOCATE_OUT_OF_RANGE;
	report("what cannot be solved is named", bad);
}

static void
test_large(void)
{
	size_t		lines = 5000;
	AllocateLine *line = calloc(lines, sizeof(AllocateLine));
	AllocateProblem problem;
	long		bad = 0;
	int			round;

	for (round = 0; round < 6; round++)
	{
		int64_t		budget = (int64_t) 1000000 * (round % 3 == 0 ? 1 : 5000);
		int64_t		sum = 0;
		double		largest_gain = -INFINITY;
		double		smallest_loss = INFINITY;
		size_t		i;

		for (i = 0; i < lines; i++)
		{
			line[i].curve = random_curve();
			line[i].lo = 0;
			if (line[i].curve.family == CURVE_LOG)
				line[i].lo = 1;
			if (round >= 3 || line[i].curve.parameter[3] > 1)
				line[i].curve = make_curve(CURVE_HILL, 0, uniform(1, 100),
										   uniform(100, 10000), uniform(0.4, 1));
			line[i].hi = round % 2 ? budget : 1 + random_below(3000000);
		}
		if (solve(&problem, line, lines, budget) != ALLOCATE_DONE ||
			problem.gap > (round % 3 == 0 ? 1e-3 : 1e-7))
		{
			bad++;
			continue;
		}
		for (i = 0; i < lines; i++)
		{
			long double x = line[i].units / 100.0L;

			sum += line[i].units;
			bad += line[i].units < line[i].lo || line[i].units > line[i].hi;
			if (line[i].units < line[i].hi)
				largest_gain = fmax(largest_gain, formula(&line[i].curve, x + 0.01L)
									- formula(&line[i].curve, x));
			if (line[i].units > line[i].lo)
				smallest_loss = fmin(smallest_loss, formula(&line[i].curve, x)
									 - formula(&line[i].curve, x - 0.01L));
		}
		bad += sum != budget;
		bad += largest_gain > smallest_loss + 1e-9 * (fabs(smallest_loss) + 1e-6);
	}
	report("5000 lines: sum, bounds, gap, and no exchange improves", bad);
	free(line);
}

int
main(void)
{
	test_curves();
	test_extremes();
	test_against_greedy();
	test_edges();
	test_large();
	printf("1..%d\n", tests);
	return failures > 0;
}
