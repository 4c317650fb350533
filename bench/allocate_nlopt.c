/*-------------------------------------------------------------------------
 *
 * allocate_nlopt.c
 *		The allocator against NLopt's SLSQP on the same instances, in one run.
 *
 * Concave Hill lines in money, the budget half of what the lines may take at
 * most; and the same in nested groups, whose bounds SLSQP gets as linear
 * constraints.  Both sides have gradients in C.  Arms alternate; the median
 * and best of ROUNDS are told.  Also the allocator alone on 10,000 lines, and on
 * 50 S-shaped ones.
 *
 *		cc -O2 -ffp-contract=off -Isrc bench/allocate_nlopt.c src/allocate*.c \
 *			src/envelope.c src/curve.c -lnlopt -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"

#include <math.h>
#include <nlopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 7

static uint64_t seed = 88172645463325252u;

static double
uniform(double from, double to)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return from + (to - from) * (double) (seed >> 11) / 9007199254740992.0;
}

/* CPU seconds: other processes do not count. */
static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int
compare_times(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* A number of lines, in groups of ten which are in groups of fifty. */
static void
make_problem(AllocateProblem *problem, size_t lines, bool grouped, bool s_shaped)
{
	double		room = 0;
	size_t		g;
	size_t		i;

	memset(problem, 0, sizeof(*problem));
	problem->lines = lines;
	problem->line = calloc(lines, sizeof(AllocateLine));
	problem->search = calloc(lines, sizeof(AllocateSearch));
	problem->group = calloc(lines / 5 + 2, sizeof(AllocateGroup));
	problem->groups = 1;
	problem->numerator = 1;
	problem->denominator = 100;
	problem->memory = malloc;
	for (i = 0; i < lines; i++)
	{
		AllocateLine *line = &problem->line[i];

		line->priority = i;
		line->curve.family = CURVE_HILL;
		line->curve.parameter[1] = uniform(1, 100);
		line->curve.parameter[2] = uniform(100, 10000);
		line->curve.parameter[3] = s_shaped ? uniform(1.2, 4) : uniform(0.4, 1);
		line->lo = 100;
		line->hi = 100 * (int64_t) uniform(10000, 40000);
		room += line->hi;
		if (grouped && i % 50 == 0)
			problem->group[problem->groups++].hi = INT64_MAX;
		if (grouped && i % 10 == 0)
		{
			g = problem->groups++;
			problem->group[g].parent = i % 50 == 0 ? g - 1 : problem->group[g - 1].parent;
			problem->group[g].hi = INT64_MAX;
		}
		line->group = problem->groups - 1;
	}
	problem->budget = (int64_t) (room * (s_shaped ? 0.2 : 0.5)) / 100 * 100;
	if (!grouped)
		return;

	/* Bounds below what the groups would get, and above: half of them bind. */
	rtm_allocate(problem);
	for (g = 1; g < problem->groups; g++)
	{
		int64_t		free = problem->group[g].units;

		if (g % 3 == 0)
			problem->group[g].hi = (int64_t) (free * uniform(0.8, 0.95)) / 100 * 100;
		else if (g % 3 == 1)
			problem->group[g].lo = (int64_t) (free * uniform(0.9, 1.02)) / 100 * 100;
	}
}

static void
free_problem(AllocateProblem *problem)
{
	free(problem->line);
	free(problem->search);
	free(problem->group);
	free(problem->node);
}

static double
minus_return(unsigned n, const double *x, double *gradient, void *data)
{
	const AllocateProblem *problem = data;
	double		sum = 0;
	unsigned	i;

	for (i = 0; i < n; i++)
	{
		sum -= rtm_curve_value(&problem->line[i].curve, x[i]);
		if (gradient)
			gradient[i] = -rtm_curve_slope(&problem->line[i].curve, x[i]);
	}
	return sum;
}

/* A bound of a group, or the budget: sign times (sum - bound). */
typedef struct Bound
{
	const AllocateProblem *problem;
	size_t		group;
	double		sign;
	double		bound;
} Bound;

static double
bound_of(unsigned n, const double *x, double *gradient, void *data)
{
	const Bound *bound = data;
	const AllocateProblem *problem = bound->problem;
	double		sum = 0;
	unsigned	i;

	for (i = 0; i < n; i++)
	{
		size_t		g = problem->line[i].group;

		while (g > bound->group)
			g = problem->group[g].parent;
		if (gradient)
			gradient[i] = g == bound->group ? bound->sign : 0;
		if (g == bound->group)
			sum += x[i];
	}
	return bound->sign * (sum - bound->bound);
}

static double
slsqp(AllocateProblem *problem, double *value)
{
	size_t		n = problem->lines;
	nlopt_opt	opt = nlopt_create(NLOPT_LD_SLSQP, n);
	Bound	   *bound = calloc(2 * problem->groups + 1, sizeof(Bound));
	double	   *x = calloc(n, sizeof(double));
	double		start;
	size_t		bounds = 0;
	size_t		g;
	size_t		i;

	nlopt_set_min_objective(opt, minus_return, problem);
	for (i = 0; i < n; i++)
	{
		const AllocateLine *line = &problem->line[i];

		nlopt_set_lower_bound(opt, i, line->lo / 100.0);
		nlopt_set_upper_bound(opt, i, line->hi / 100.0);
		x[i] = fmin(line->hi / 100.0, fmax(line->lo / 100.0, problem->budget / 100.0 / n));
	}
	bound[bounds] = (Bound) {problem, 0, 1, problem->budget / 100.0};
	nlopt_add_equality_constraint(opt, bound_of, &bound[bounds++], 1e-6);
	for (g = 1; g < problem->groups; g++)
	{
		const AllocateGroup *group = &problem->group[g];

		if (group->hi < INT64_MAX)
		{
			bound[bounds] = (Bound) {problem, g, 1, group->hi / 100.0};
			nlopt_add_inequality_constraint(opt, bound_of, &bound[bounds++], 1e-6);
		}
		if (group->lo > 0)
		{
			bound[bounds] = (Bound) {problem, g, -1, group->lo / 100.0};
			nlopt_add_inequality_constraint(opt, bound_of, &bound[bounds++], 1e-6);
		}
	}
	nlopt_set_xtol_rel(opt, 1e-10);
	nlopt_set_maxeval(opt, 2000);
	start = now();
	nlopt_optimize(opt, x, value);
	start = now() - start;
	*value = -*value;
	nlopt_destroy(opt);
	free(bound);
	free(x);
	return start;
}

static double
ours(AllocateProblem *problem)
{
	double		start = now();
	AllocateStatus status = rtm_allocate(problem);

	start = now() - start;
	if (status != ALLOCATE_DONE)
		printf("(not solved: %d) ", status);
	return start;
}

static void
compare(size_t lines, bool grouped)
{
	AllocateProblem problem;
	double		mine[ROUNDS];
	double		theirs[ROUNDS];
	double		value = 0;
	int			round;

	make_problem(&problem, lines, grouped, false);
	for (round = 0; round < ROUNDS; round++)
	{
		mine[round] = ours(&problem);
		theirs[round] = slsqp(&problem, &value);
	}
	qsort(mine, ROUNDS, sizeof(double), compare_times);
	qsort(theirs, ROUNDS, sizeof(double), compare_times);
	printf("%5zu lines%s: ours %.4f ms (best %.4f), gap %.1e; SLSQP %.2f ms (best %.2f), "
		   "returns %+.1e of ours; %.0f times, best to best %.0f\n",
		   lines, grouped ? " in groups" : "", mine[ROUNDS / 2] * 1e3, mine[0] * 1e3, problem.gap,
		   theirs[ROUNDS / 2] * 1e3, theirs[0] * 1e3, (value - problem.value) / problem.value,
		   theirs[ROUNDS / 2] / mine[ROUNDS / 2], theirs[0] / mine[0]);
	free_problem(&problem);
}

static void
groups_cost(size_t lines)
{
	AllocateProblem plain;
	AllocateProblem grouped;
	double		time[2][ROUNDS];
	uint64_t	same = seed;
	int			round;

	make_problem(&plain, lines, false, false);
	seed = same;
	make_problem(&grouped, lines, true, false);
	for (round = 0; round < ROUNDS; round++)
	{
		time[0][round] = ours(&plain);
		time[1][round] = ours(&grouped);
	}
	qsort(time[0], ROUNDS, sizeof(double), compare_times);
	qsort(time[1], ROUNDS, sizeof(double), compare_times);
	printf("%5zu lines: %.3f us a line (best %.3f), gap %.1e; in nested groups %.3f us (best %.3f), "
		   "gap %.1e: %.2f times\n", lines,
		   time[0][ROUNDS / 2] * 1e6 / lines, time[0][0] * 1e6 / lines, plain.gap,
		   time[1][ROUNDS / 2] * 1e6 / lines, time[1][0] * 1e6 / lines, grouped.gap,
		   time[1][ROUNDS / 2] / time[0][ROUNDS / 2]);
	free_problem(&plain);
	free_problem(&grouped);
}

static void
s_shaped(size_t lines)
{
	double		time[20];
	double		gap = 0;
	size_t		nodes = 0;
	int			i;

	for (i = 0; i < 20; i++)
	{
		AllocateProblem problem;

		make_problem(&problem, lines, false, true);
		time[i] = ours(&problem);
		gap = fmax(gap, problem.gap);
		nodes = problem.nodes_used > nodes ? problem.nodes_used : nodes;
		free_problem(&problem);
	}
	qsort(time, 20, sizeof(double), compare_times);
	printf("%5zu S-shaped lines, 20 instances: median %.2f ms, slowest %.2f ms, largest gap %.1e, "
		   "most nodes %zu\n", lines, time[10] * 1e3, time[19] * 1e3, gap, nodes);
}

int
main(void)
{
	compare(10, false);
	compare(10, true);
	compare(100, false);
	compare(100, true);
	groups_cost(1000);
	groups_cost(10000);
	s_shaped(12);
	s_shaped(50);
	s_shaped(1000);
	return 0;
}
