/*-------------------------------------------------------------------------
 *
 * allocate_price.c
 *		What relaxing a limit of an allocation would return: shadow prices.
 *
 * In nested groups one unit more for a limit moves one unit of money: to the
 * line that returns most for it, from the one that loses least by it, among
 * those that the other limits leave free.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"

#include <math.h>

/* What the next of money on a line returns, or the last: net of the distance. */
static double
slope_of(const AllocateProblem *problem, const AllocateLine *line, bool adding)
{
	double		slope = rtm_curve_slope(&line->curve, rtm_allocate_money(problem, line->units));

	if (problem->price != 0 && line->moves)
	{
		rtm_int128	away = (rtm_int128) line->units * problem->ticks - line->current;

		slope -= (adding ? away >= 0 : away > 0) ? problem->price : -problem->price;
	}
	return slope;
}

/*
 * May the line change, as far as it and the groups around it, up to one of
 * them, go?  A group that has the other side of the exchange in it as well
 * does not mind.
 */
static bool
is_free(const AllocateProblem *problem, const AllocateLine *line, bool adding, size_t top,
		size_t partner)
{
	const AllocateGroup *group = problem->group;
	size_t		h;

	if (line->units == (adding ? line->hi : line->lo))
		return false;
	for (h = line->group; h != top; h = group[h].parent)
	{
		if (partner != ALLOCATE_NONE && h <= partner && partner < group[h].end)
			continue;
		if (group[h].units == (adding ? group[h].hi : group[h].lo))
			return false;
	}
	return true;
}

/*
 * What one more of money in the budget would return; minus infinity where no
 * line may take it.
 */
double
rtm_allocate_budget_price(const AllocateProblem *problem)
{
	double		best = -INFINITY;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		if (is_free(problem, &problem->line[i], true, 0, ALLOCATE_NONE))
			best = fmax(best, slope_of(problem, &problem->line[i], true));
	}
	return best;
}

/*
 * What moving a bound that the group is at by one of money would return.  The
 * money comes from, or goes to, the rest of the innermost group around it that
 * has no room itself.
 */
double
rtm_allocate_group_price(const AllocateProblem *problem, size_t g)
{
	const AllocateGroup *group = problem->group;
	size_t		around = group[g].parent;
	double		price = 0;
	int			side;
	size_t		i;

	while (around != 0 && group[around].units != group[around].lo &&
		   group[around].units != group[around].hi)
		around = group[around].parent;

	for (side = 0; side < 2; side++)
	{
		bool		adding = side == 0;		/* to the group */
		double		inside = adding ? -INFINITY : INFINITY;
		double		outside = -inside;

		if (group[g].units != (adding ? group[g].hi : group[g].lo))
			continue;
		for (i = group[around].first_line; i < group[around].end_line; i++)
		{
			const AllocateLine *line = &problem->line[i];
			bool		within = i >= group[g].first_line && i < group[g].end_line;
			bool		more = within == adding;
			double		slope;

			if (!is_free(problem, line, more, within ? g : around, within ? ALLOCATE_NONE : g))
				continue;
			slope = slope_of(problem, line, more);
			if (within)
				inside = adding ? fmax(inside, slope) : fmin(inside, slope);
			else
				outside = adding ? fmin(outside, slope) : fmax(outside, slope);
		}
		if (isfinite(inside) && isfinite(outside))
			price = fmax(price, adding ? inside - outside : outside - inside);
	}
	return price;
}
