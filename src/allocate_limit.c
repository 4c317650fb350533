/*-------------------------------------------------------------------------
 *
 * allocate_limit.c
 *		The limit on how far a plan may be from the current one.
 *
 * The sum of the distances gets a price, and the price is raised until the
 * plan is near enough.  Where the distance jumps over the limit at one price,
 * all that lies between the plans of the two sides is best as well.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate_parts.h"

#include <float.h>
#include <math.h>

/* What the room that is left may be worth, relative to the return. */
#define NEGLIGIBLE 1e-13

static rtm_int128
moved_by(const AllocateProblem *problem)
{
	rtm_int128	moved = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		if (problem->line[i].moves)
			moved += rtm_allocate_moved(problem, &problem->line[i], problem->line[i].units);
	}
	return moved;
}

/*
 * The limit in force.  Where current amounts are whole units, the distance of
 * a plan is odd or even as the budget's own distance is.
 */
void
rtm_allocate_set_limit(AllocateProblem *problem)
{
	rtm_int128	change = problem->budget;
	size_t		i;

	problem->within = problem->limit;
	if (!problem->limited || problem->ticks != 1)
		return;
	for (i = 0; i < problem->lines; i++)
	{
		if (!problem->line[i].moves)
			return;
		change -= problem->line[i].current;
	}
	if ((problem->limit - change) % 2 != 0)
		problem->within--;
}

/* Distance left, in money. */
static double
spare_money(const AllocateProblem *problem)
{
	return (double) (problem->within - problem->moved) / (double) problem->ticks
		* rtm_allocate_money(problem, 1);
}

/* What the room left under the limit adds to the bounds. */
double
rtm_allocate_slack(const AllocateProblem *problem)
{
	return problem->mu != 0 ? problem->mu * spare_money(problem) : 0;
}

/*
 * Is the plan near enough?  One that is not is remembered.
 */
bool
rtm_allocate_is_near(AllocateProblem *problem)
{
	size_t		i;

	if (!problem->limited)
		return true;
	problem->moved = moved_by(problem);
	if (problem->moved <= problem->within)
		return true;
	for (i = 0; i < problem->lines; i++)
		problem->search[i].other = problem->line[i].units;
	return false;
}

static bool
near_at(AllocateProblem *problem, double mu)
{
	problem->mu = mu;
	rtm_allocate_relax(problem);
	return rtm_allocate_is_near(problem);
}

/*
 * Move up to so much from one line to another, as far as the limit admits.
 */
static void
exchange(AllocateProblem *problem, AllocateLine *add, AllocateLine *take, int64_t most)
{
	rtm_int128	spare = problem->within - problem->moved;
	rtm_int128	before = 0;
	int64_t		below = 0;
	int64_t		above = most + 1;

	if (add->moves)
		before += rtm_allocate_moved(problem, add, add->units);
	if (take->moves)
		before += rtm_allocate_moved(problem, take, take->units);

	/* The distance is convex in what is exchanged: find the last that is near. */
	while (above - below > 1)
	{
		int64_t		half = below + (above - below) / 2;
		rtm_int128	after = -before;

		if (add->moves)
			after += rtm_allocate_moved(problem, add, add->units + half);
		if (take->moves)
			after += rtm_allocate_moved(problem, take, take->units - half);
		if (after <= spare)
			below = half;
		else
			above = half;
	}
	add->units += below;
	take->units -= below;
	problem->moved -= before;
	if (add->moves)
		problem->moved += rtm_allocate_moved(problem, add, add->units);
	if (take->moves)
		problem->moved += rtm_allocate_moved(problem, take, take->units);
}

/*
 * Both answers at the price obey the bounds, but one is too far from the
 * current plan: move from the near one towards it as far as the limit admits.
 * Amounts are exchanged within the innermost group that has both a line to add
 * to and one to take from, so that all bounds hold on the way; and since both
 * are best at the price, so is what lies between.
 */
bool
rtm_allocate_exchange(AllocateProblem *problem)
{
	AllocateLine *line = problem->line;
	AllocateSearch *search = problem->search;
	bool		changed = false;
	size_t		g;

	for (g = problem->groups; g-- > 0;)
	{
		size_t		i = problem->group[g].first_line;
		size_t		j = i;
		size_t		end = problem->group[g].end_line;

		for (;;)
		{
			int64_t		more;
			int64_t		less;

			while (i < end && search[i].other <= line[i].units)
				i++;
			while (j < end && search[j].other >= line[j].units)
				j++;
			if (i >= end || j >= end)
				break;
			more = search[i].other - line[i].units;
			less = line[j].units - search[j].other;
			if (more > less)
				more = less;
			less = line[i].units;
			exchange(problem, &line[i], &line[j], more);
			changed |= line[i].units != less;
			if (line[i].units != less + more)
				i++;			/* no further with this one */
		}
	}
	rtm_allocate_sums(problem, 0);
	return changed;
}

/*
 * The price at which a plan is just near enough, given that it is not without
 * one, and the plan; false where no plan is.  `scale` is what a return is like.
 */
bool
rtm_allocate_approach(AllocateProblem *problem, double scale)
{
	double		below = 0;
	double		above = fabs(problem->group[0].multiplier);
	double		far = spare_money(problem);
	double		near;
	double		weight = 1;		/* of the end that stayed */
	int			side = 0;
	int			i;

	if (!(above > DBL_MIN && above < 1e200))
		above = 1;
	scale = fabs(scale);
	while (!near_at(problem, above))
	{
		if (above > 1e290)
			return false;
		far = spare_money(problem);
		below = above;
		above *= above < 1e6 * scale ? 8 : 1e6;
	}
	near = spare_money(problem);

	/* The Illinois rule, and now and then by halves. */
	for (i = 0; i < 200 && near * above > NEGLIGIBLE * scale; i++)
	{
		double		a = side < 0 ? near * weight : near;
		double		b = side > 0 ? far * weight : far;
		double		mu = below + (above - below) * (b / (b - a));

		if (i % 3 == 2 || !(mu > below && mu < above))
			mu = below == 0 ? above / 1024 : above / below > 16
				? sqrt(below) * sqrt(above) : below + (above - below) / 2;
		if (!(mu > below && mu < above) || above - below < above * 1e-15)
			break;
		if (near_at(problem, mu))
		{
			above = mu;
			near = spare_money(problem);
			weight = side > 0 ? weight / 2 : 1;
			side = 1;
		}
		else
		{
			below = mu;
			far = spare_money(problem);
			weight = side < 0 ? weight / 2 : 1;
			side = -1;
		}
	}
	return near_at(problem, above);
}
