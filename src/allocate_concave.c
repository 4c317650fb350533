/*-------------------------------------------------------------------------
 *
 * allocate_concave.c
 *		Optimal allocation of a budget over concave lines in nested groups.
 *
 * At the optimum all lines off their bounds return the same for the next of
 * money, the multiplier.  What a group spends at a multiplier is what its parts
 * spend, clamped to its bounds; so one pass over the lines and the groups says
 * what the whole spends, and Newton's method inside a shrinking bracket finds
 * the multiplier that spends the budget.  A group that was clamped spends its
 * bound: it is a problem of its own, with a multiplier of its own.
 *
 * Then every line takes all units that gain more than the multiplier says, and
 * what is still missing or too much is made up unit by unit, best gain first,
 * ties to the line of the lowest priority.  For concave curves in nested groups
 * that is the optimum among whole units.  (Fox 1966, Management Science 13;
 * Ibaraki and Katoh 1988, Resource Allocation Problems, ch. 4; for groups
 * Hochbaum 1994, Mathematics of Operations Research 19.)
 *
 * A curve that is not concave takes part with its envelope.  A price mu on the
 * distance from the current amounts, if there is one, bends every line there.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate_parts.h"

#include <float.h>
#include <math.h>

/* A miss, and a change of the multiplier, whose square is below rounding. */
#define SHORT_STEP 3e-7

/* Lines that are asked for a multiplier to start from. */
#define SAMPLED_LINES 1000

/* The current amount of a line, in money. */
static inline double
current_of(const AllocateProblem *problem, const AllocateLine *line)
{
	return (double) line->current / (double) problem->ticks
		* problem->numerator / problem->denominator;
}

/*
 * What the lines take, above what they must, at a multiplier.
 */
typedef struct Demand
{
	double		x;
	double		optional;		/* what a straight piece of that slope may add */
	double		response;		/* change of x, per change of ln multiplier */
} Demand;

static inline Demand
envelope_demand(const AllocateLine *line, double multiplier)
{
	const CurveFamily *family = &rtm_curve_family[line->curve.family];
	Demand		demand = {line->from, 0, 0};

	if (multiplier == line->chord_slope && line->chord_from < line->chord_to)
	{
		demand.x = line->chord_from;
		demand.optional = line->chord_to - line->chord_from;
	}
	else if (multiplier >= line->slope_from)
		;
	else if (multiplier <= line->slope_to)
		demand.x = line->to;
	else
	{
		double		x = family->inverse_slope(line->curve.parameter, multiplier);
		double		from = line->from;
		double		to = line->to;

		if (line->bulges)
		{
			/* The side of the chord that the curve itself is on. */
			if (line->chord_from == line->from)
				from = line->chord_to;
			else
				to = line->chord_from;
		}

		/* Never zero: the slope there may be infinite. */
		demand.x = fmin(fmax(x, fmax(from, DBL_MIN)), to);
		demand.response = 1 / family->bend(line->curve.parameter, demand.x);
	}
	return demand;
}

/* With the price mu for each unit of money away from the current amount. */
static Demand
priced_demand(const AllocateProblem *problem, const AllocateLine *line, double multiplier)
{
	double		current = current_of(problem, line);
	Demand		demand = envelope_demand(line, multiplier + problem->mu);

	if (demand.x + demand.optional >= current)
	{
		double		x = fmax(demand.x, clamp_money(current, line->from, line->to));

		demand.optional -= x - demand.x;
		demand.x = x;
		demand.response *= multiplier / (multiplier + problem->mu);
		return demand;
	}
	demand = envelope_demand(line, multiplier - problem->mu);
	if (demand.x <= current)
	{
		demand.optional = fmin(demand.optional, current - demand.x);
		demand.response *= multiplier / (multiplier - problem->mu);
		return demand;
	}
	demand.x = clamp_money(current, line->from, line->to);
	demand.optional = 0;
	demand.response = 0;
	return demand;
}

static Demand
demand_at(AllocateProblem *problem, size_t g, double multiplier)
{
	AllocateGroup *group = problem->group;
	AllocateLine *line;
	AllocateLine *end;
	Demand		demand;
	size_t		h;

	for (h = g; h < group[g].end; h++)
		group[h].taken = group[h].optional = group[h].response = 0;
	for LINES_OF(problem, g)
	{
		AllocateGroup *of = &group[line->group];

		heed_interrupts(problem, line - problem->line);
		if (line->from == line->to)
			continue;
		demand = problem->mu != 0 && line->moves ? priced_demand(problem, line, multiplier)
			: envelope_demand(line, multiplier);
		line->x = demand.x;
		line->key = demand.response;
		of->taken += demand.x - line->from;
		of->optional += demand.optional;
		of->response += demand.response;
	}
	for (h = group[g].end - 1; h > g; h--)
	{
		AllocateGroup *parent = &group[group[h].parent];
		double		taken = clamp_money(group[h].taken, group[h].room_least,
										group[h].room_most);

		parent->taken += taken;
		parent->optional += clamp_money(group[h].taken + group[h].optional,
										group[h].room_least, group[h].room_most) - taken;
		if (taken == group[h].taken)
			parent->response += group[h].response;
	}
	demand.x = group[g].taken;
	demand.optional = group[g].optional;
	demand.response = group[g].response;
	return demand;
}

/*
 * A multiplier to start from: the typical slope when each line gets the same
 * part of what it could take.
 */
static double
first_multiplier(const AllocateProblem *problem, size_t g, double target)
{
	const AllocateGroup *group = &problem->group[g];
	size_t		step = 1 + (group->end_line - group->first_line) / SAMPLED_LINES;
	double		room = 0;
	double		sum = 0;
	size_t		count = 0;
	size_t		i;

	for (i = group->first_line; i < group->end_line; i++)
		room += problem->line[i].to - problem->line[i].from;

	for (i = group->first_line; i < group->end_line; i += step)
	{
		const AllocateLine *line = &problem->line[i];
		double		x = line->from + (line->to - line->from) * (target / room);
		double		slope;

		if (line->from == line->to)
			continue;
		slope = line->bulges && x >= line->chord_from && x <= line->chord_to
			? line->chord_slope : rtm_curve_slope(&line->curve, x);
		if (slope > 0 && slope <= DBL_MAX)
		{
			sum += log(slope);
			count++;
		}
	}
	return count > 0 ? exp(sum / count) : 0;
}

/*
 * Halve the bracket; if the slope of a straight piece lies in it, try the one
 * next to the middle, since there demand jumps.
 */
static int64_t
halve(const AllocateProblem *problem, size_t g, int64_t below, int64_t above)
{
	int64_t		half = middle(below, above);
	int64_t		best = half;
	uint64_t	best_distance = UINT64_MAX;
	const AllocateLine *line;
	const AllocateLine *end;
	int			side;

	for LINES_OF(problem, g)
	{
		if (line->chord_from == line->chord_to)
			continue;
		for (side = -1; side <= 1; side += 2)
		{
			double		price = line->moves ? problem->mu : 0;
			int64_t		rank = rank_of(line->chord_slope + side * price);
			uint64_t	distance = rank > half ? (uint64_t) rank - (uint64_t) half
				: (uint64_t) half - (uint64_t) rank;

			if (rank > below && rank < above && distance < best_distance)
			{
				best = rank;
				best_distance = distance;
			}
			if (price == 0)
				break;
		}
	}
	return best;
}

/*
 * The last step, so short that every line follows its tangent: x is right to
 * the square of the miss.  Returns the multiplier.
 */
static double
last_step(AllocateProblem *problem, size_t g, double multiplier, double step)
{
	AllocateLine *line;
	AllocateLine *end;

	for LINES_OF(problem, g)
	{
		if (line->from < line->to && line->key != 0)
			line->x = clamp_money(line->x + line->key * step, line->from, line->to);
	}
	return multiplier + multiplier * step;
}

/*
 * The multiplier at which a part of the tree spends so much, in money above
 * what its lines must; leaves each line's amount in x.
 */
static double
continuous_multiplier(AllocateProblem *problem, size_t g, double target, double unit)
{
	/* A miss counts squared in the gap; and few units are settled singly. */
	double		tolerance = fmax(fmin(target * 1e-8, unit * 16), target * 1e-14);
	double		lowest = INFINITY;
	double		highest = -INFINITY;
	double		last_miss = INFINITY;
	double		multiplier;
	int64_t		below;
	int64_t		above;
	const AllocateLine *line;
	const AllocateLine *end;

	for LINES_OF(problem, g)
	{
		double		price = line->moves ? problem->mu : 0;

		if (line->from < line->to)
		{
			lowest = fmin(lowest, line->slope_to - price);
			highest = fmax(highest, line->slope_from + price);
		}
	}
	below = rank_of(lowest) - 1;
	above = rank_of(fmin(highest, DBL_MAX)) + 1;
	multiplier = first_multiplier(problem, g, target);
	if (rank_of(multiplier) <= below || rank_of(multiplier) >= above)
		multiplier = of_rank(halve(problem, g, below, above));

	for (;;)
	{
		Demand		demand = demand_at(problem, g, multiplier);
		double		miss = demand.x - target;
		int64_t		next;

		if (fabs(miss) <= tolerance || (miss < 0 && demand.optional >= -miss))
			break;
		if (fabs(miss) <= target * SHORT_STEP && demand.response != 0 && multiplier > 0 &&
			fabs(miss / demand.response) <= SHORT_STEP)
			return last_step(problem, g, multiplier, -miss / demand.response);
		if (miss > 0)
			below = rank_of(multiplier);
		else
			above = rank_of(multiplier);
		if (middle(below, above) == below)
			break;

		/* Newton on ln taken over ln multiplier: exact for power curves. */
		next = rank_of(multiplier * exp(log(target / demand.x) * demand.x / demand.response));
		if (!(demand.response != 0 && demand.x > 0) || next <= below || next >= above ||
			fabs(miss) > last_miss / 2)
			next = halve(problem, g, below, above);
		last_miss = fabs(miss);
		multiplier = of_rank(next);
	}
	return multiplier;
}

/*
 * Spend the target on the lines of a group; recursion is as deep as groups
 * nest.
 */
static void
spend(AllocateProblem *problem, size_t g, int64_t target)
{
	AllocateGroup *group = problem->group;
	double		unit = rtm_allocate_money(problem, 1);
	double		multiplier = 0;
	AllocateLine *line;
	AllocateLine *end;
	size_t		h;

	if (target > group[g].base)
	{
		multiplier = continuous_multiplier(problem, g,
										   rtm_allocate_money(problem, target - group[g].base),
										   unit);
		for LINES_OF(problem, g)
		{
			double		units = (line->x - line->from) / unit;

			/* The nearest; the cast is safe below 2^63. */
			line->units = units < (double) (line->most - line->least)
				? line->least + (int64_t) (units + 0.5) : line->most;
			if (line->units > line->most)
				line->units = line->most;
			line->multiplier = multiplier;
		}
		for (h = g; h < group[g].end; h++)
			group[h].multiplier = multiplier;
		rtm_allocate_take(problem, g, target, multiplier * unit);
		for (h = g + 1; h < group[g].end;)
		{
			if (group[h].at == 0)
				h++;
			else
			{
				spend(problem, h, group[h].units);
				h = group[h].end;
			}
		}
	}
	else
	{
		for LINES_OF(problem, g)
		{
			line->units = line->least;
			line->multiplier = multiplier;
		}
		for (h = g; h < group[g].end; h++)
			group[h].multiplier = multiplier;
	}
	rtm_allocate_sums(problem, g);
	rtm_allocate_meet(problem, g, target);
}

/*
 * The certificate.  For any multipliers no plan returns more than what each
 * line returns beyond its own multiplier where that is most, and the bounds of
 * the groups at their multipliers.  Each line lies below its tangent at the
 * continuous answer.  The distance from what the line returns to that bound is
 * summed line by line, where nothing cancels.
 */
static double
excess_of(const AllocateProblem *problem, const AllocateLine *line)
{
	double		amount = rtm_allocate_money(problem, line->units);
	double		x = line->x;
	double		above;
	double		slope;
	double		left;
	double		right;

	if (line->from == line->to)
		return 0;
	if (line->bulges && x >= line->chord_from && x < line->chord_to)
	{
		above = rtm_curve_gain(&line->curve, amount, line->chord_from)
			+ line->chord_slope * (x - line->chord_from);
		slope = line->chord_slope;
	}
	else
	{
		above = rtm_curve_gain(&line->curve, amount, x);
		slope = rtm_curve_slope(&line->curve, x);
	}
	above -= line->multiplier * (x - amount);
	left = right = slope - line->multiplier;
	if (problem->mu != 0 && line->moves)
	{
		double		current = current_of(problem, line);

		above -= problem->mu * (fabs(x - current) - fabs(amount - current));
		right -= x >= current ? problem->mu : -problem->mu;
		left -= x > current ? problem->mu : -problem->mu;
	}
	return fmax(0, above) + fmax(0, fmax(right * (line->to - x), left * (line->from - x)));
}

/* How far the return is from the bound over all amounts. */
double
rtm_allocate_distance(const AllocateProblem *problem)
{
	const AllocateGroup *group = problem->group;
	double		distance = rtm_allocate_slack(problem);
	size_t		g;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		heed_interrupts(problem, i);
		distance += excess_of(problem, &problem->line[i]);
	}
	for (g = 1; g < problem->groups; g++)
	{
		double		price = group[g].multiplier - group[group[g].parent].multiplier;

		if (price > 0)
			distance += price * rtm_allocate_money(problem, group[g].most - group[g].units);
		else if (price < 0)
			distance -= price * rtm_allocate_money(problem, group[g].units - group[g].least);
	}
	return distance;
}

/*
 * The best plan of whole units when every line is its envelope, less the price
 * of its distance.
 */
void
rtm_allocate_relax(AllocateProblem *problem)
{
	spend(problem, 0, problem->budget);
}
