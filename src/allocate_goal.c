/*-------------------------------------------------------------------------
 *
 * allocate_goal.c
 *		Other questions to the allocator than the largest return of a budget.
 *
 * They are answered with one more line, which takes what is not spent and
 * returns a fixed rate for it: nothing, where the question is what a budget
 * returns at most, spent or not; what money has to earn, where it is how much
 * to spend.  Whether a budget returns enough is then true from some budget on,
 * or up to one.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"

#include <math.h>
#include <string.h>

/* Steps towards the best ratio; each about doubles the digits. */
#define MOST_STEPS 100

/* What the lines return, without the one for what is not spent. */
static double
returned(const AllocateProblem *problem)
{
	double		value = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];

		value += rtm_curve_value(&line->curve, rtm_allocate_money(problem, line->units));
	}
	return value;
}

/*
 * The best plan that spends at most so much, when what is left earns a rate.
 */
static AllocateStatus
solve_up_to(AllocateProblem *problem, int64_t most, double rate, int64_t *spent)
{
	AllocateLine *rest = &problem->line[problem->lines];
	AllocateStatus status;

	memset(rest, 0, sizeof(*rest));
	rest->curve.family = CURVE_LINEAR;
	rest->curve.parameter[1] = rate;
	rest->hi = most;
	rest->priority = SIZE_MAX;
	problem->budget = most;
	problem->lines++;
	status = rtm_allocate(problem);
	problem->lines--;
	*spent = most - rest->units;
	problem->value = status == ALLOCATE_DONE ? returned(problem) : 0;
	return status;
}

static double
ratio(const AllocateProblem *problem, double value, int64_t spent, double start_value,
	  int64_t start)
{
	return (value - start_value) / rtm_allocate_money(problem, spent - start);
}

/*
 * The largest return per money, counted from a start (Dinkelbach 1967,
 * Management Science 13); minus infinity where nothing can be spent.
 */
static double
best_ratio(AllocateProblem *problem, int64_t most, double start_value, int64_t start)
{
	double		best = -INFINITY;
	int64_t		spent = most;
	int			i;

	if (solve_up_to(problem, most, 0, &spent) != ALLOCATE_DONE)
		return best;
	for (i = 0; i < MOST_STEPS && spent > start; i++)
	{
		double		now = ratio(problem, problem->value, spent, start_value, start);

		if (!(now > best) || !isfinite(now))
			return fmax(best, now);
		best = now;
		if (solve_up_to(problem, most, best, &spent) != ALLOCATE_DONE)
			break;
	}
	return best;
}

/* The least budget that returns the target, of at most `most`. */
static AllocateStatus
least_spend(AllocateProblem *problem, double target, int64_t least, int64_t most,
			double *attainable)
{
	AllocateStatus status;
	int64_t		below = least - 1;
	int64_t		spent;

	status = solve_up_to(problem, most, 0, &spent);
	if (status != ALLOCATE_DONE)
		return status;
	if (problem->value < target)
	{
		*attainable = problem->value;
		return ALLOCATE_UNREACHABLE;
	}
	while (spent - below > 1)
	{
		int64_t		half = below + (spent - below) / 2;
		int64_t		spent_here;

		status = solve_up_to(problem, half, 0, &spent_here);
		if (status == ALLOCATE_DONE && problem->value >= target)
			spent = spent_here;
		else if (status == ALLOCATE_DONE || status == ALLOCATE_TOO_FAR)
			below = half;
		else
			return status;
	}
	problem->budget = spent;
	return rtm_allocate(problem);
}

/*
 * The largest budget that returns at least a multiple of itself.  Seen from a
 * budget that does not, one that does is at most what its return pays for; and
 * on concave curves it lies before the root of the tangent.
 */
static AllocateStatus
largest_paying(AllocateProblem *problem, double multiple, int64_t most, double *attainable)
{
	AllocateStatus status;
	int64_t		paying;
	int64_t		spent;
	int64_t		budget = most;

	status = solve_up_to(problem, most, multiple, &paying);
	if (status != ALLOCATE_DONE)
		return status;
	if (paying == 0 || problem->value < multiple * rtm_allocate_money(problem, paying))
	{
		*attainable = best_ratio(problem, most, 0, 0) - 1;
		return ALLOCATE_UNREACHABLE;
	}
	for (;;)
	{
		double		missing;
		double		slope = 0;
		double		less;

		status = solve_up_to(problem, budget, 0, &spent);
		if (status != ALLOCATE_DONE)
			return status;
		missing = multiple * rtm_allocate_money(problem, spent) - problem->value;
		if (missing <= 0 || spent <= paying)
			break;
		if (spent == budget && problem->nodes_used == 1 && isfinite(problem->gap) &&
			problem->group[0].multiplier < multiple)
		{
			slope = fmax(0, problem->group[0].multiplier);
			missing -= problem->gap * fabs(problem->value);
		}
		budget = spent;
		less = missing / (multiple - slope) / rtm_allocate_money(problem, 1);
		if (less >= (double) (budget - paying))
			budget = paying;
		else
			budget -= less > 1 ? (int64_t) less : 1;
	}
	problem->budget = spent > paying ? spent : paying;
	return rtm_allocate(problem);
}

/*
 * Answer a question.  The budget is the most that may be spent, and afterwards
 * what is; there is room for one more line behind the last.  Where the target
 * is out of reach, says what would be in reach.
 */
AllocateStatus
rtm_allocate_goal(AllocateProblem *problem, AllocateGoal goal, double target,
				  double *attainable)
{
	AllocateStatus status;
	int64_t		most = problem->budget;
	int64_t		least;
	int64_t		spent;
	double		value;

	if (goal == ALLOCATE_MAX_RETURN)
		return rtm_allocate(problem);

	/* Nothing more than must be spent, where that is near enough. */
	status = solve_up_to(problem, most, 0, &spent);
	if (status != ALLOCATE_DONE)
		return status;
	least = problem->least;
	if (goal == ALLOCATE_MIN_SPEND)
		return least_spend(problem, target, least, most, attainable);
	if (goal == ALLOCATE_TARGET_ROI)
		return largest_paying(problem, 1 + target, most, attainable);

	status = solve_up_to(problem, most, 1 + target, &spent);
	if (status != ALLOCATE_DONE)
		return status;
	if (spent == least && least < most)
	{
		value = problem->value;
		*attainable = best_ratio(problem, most, value, least) - 1;
		return ALLOCATE_UNREACHABLE;
	}
	problem->budget = spent;
	return rtm_allocate(problem);
}
