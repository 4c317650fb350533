/*-------------------------------------------------------------------------
 *
 * allocate.c
 *		Optimal allocation of a budget over concave response curves.
 *
 * At the optimum all lines off their bounds return the same for the next of
 * money, the multiplier.  First the multiplier of the continuous problem is
 * found by Newton's method inside a shrinking bracket.  Then every line takes
 * all units that gain more than the multiplier says, and what is still missing
 * or too much is made up unit by unit, best gain first, ties to the earlier
 * line.  For concave curves that is the optimum among whole units, and no
 * exchange of a unit between two lines improves it.  (Fox 1966, Management
 * Science 13; Ibaraki and Katoh 1988, Resource Allocation Problems, ch. 4.)
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Lines treated between two calls of the interrupt function. */
#define INTERRUPT_LINES 4096

static inline void
heed_interrupts(const AllocateProblem *problem, size_t i)
{
	if (i % INTERRUPT_LINES == 0 && problem->interrupt != NULL)
		problem->interrupt();
}

static inline int64_t
add_saturating(int64_t a, int64_t b)
{
	return b > INT64_MAX - a ? INT64_MAX : a + b;
}

/*
 * Doubles as integers in the same order, so that a bracket of any width
 * halves down to two neighbours in at most 64 steps.
 */
static inline int64_t
rank_of(double value)
{
	int64_t		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits < 0 ? INT64_MIN - bits : bits;
}

static inline double
of_rank(int64_t rank)
{
	int64_t		bits = rank < 0 ? INT64_MIN - rank : rank;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Up to step away from a rank, no further than a limit. */
static inline int64_t
move_towards(int64_t rank, int64_t limit, int64_t step)
{
	if (limit > rank)
		return (uint64_t) limit - (uint64_t) rank > (uint64_t) step ? rank + step : limit;
	return (uint64_t) rank - (uint64_t) limit > (uint64_t) step ? rank - step : limit;
}

static inline int64_t
middle(int64_t below, int64_t above)
{
	return below + (int64_t) (((uint64_t) above - (uint64_t) below) / 2);
}

/*
 * Narrow the bounds to what the budget lets each line take, and see that the
 * curves can be worked with there.
 */
static AllocateStatus
prepare(AllocateProblem *problem)
{
	int64_t		spare = problem->budget;
	int64_t		room = 0;
	int64_t		excess;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];

		if (line->lo > spare)
			return ALLOCATE_INFEASIBLE;
		spare -= line->lo;
		room = add_saturating(room, line->hi - line->lo);
	}
	if (room < spare)
		return ALLOCATE_INFEASIBLE;
	excess = room - spare;

	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];
		const CurveFamily *family = &rtm_curve_family[line->curve.family];
		int64_t		width = line->hi - line->lo;

		heed_interrupts(problem, i);
		problem->culprit = i;

		/* A room that saturated says nothing of the least a line must take. */
		line->least = room < INT64_MAX && width > excess ? line->hi - excess : line->lo;
		line->most = width > spare ? line->lo + spare : line->hi;
		line->from = rtm_allocate_money(problem, line->least);
		line->to = rtm_allocate_money(problem, line->most);
		line->x = line->from;

		if (family->starts_above_zero && line->lo == 0)
			return ALLOCATE_NO_VALUE;
		if (!rtm_curve_is_concave(&line->curve, rtm_allocate_money(problem, line->lo),
								  rtm_allocate_money(problem, line->hi)))
			return ALLOCATE_NOT_CONCAVE;
		if (!isfinite(rtm_curve_value(&line->curve, line->to)
					  - rtm_curve_value(&line->curve, line->from)))
			return ALLOCATE_OUT_OF_RANGE;
		line->slope_from = rtm_curve_slope(&line->curve, line->from);
		line->slope_to = rtm_curve_slope(&line->curve, line->to);
	}
	return ALLOCATE_DONE;
}

static inline bool
is_flat(const AllocateLine *line)
{
	return line->slope_from == line->slope_to;
}

/*
 * What the lines take, above what they must, at a multiplier.
 */
typedef struct Demand
{
	double		taken;
	double		optional;		/* what straight lines of that slope may add */
	double		response;		/* change of taken, per change of ln multiplier */
} Demand;

static Demand
demand_at(AllocateProblem *problem, double multiplier)
{
	Demand		demand = {0, 0, 0};
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];
		const CurveFamily *family = &rtm_curve_family[line->curve.family];

		heed_interrupts(problem, i);
		if (multiplier >= line->slope_from)
		{
			line->x = line->from;
			if (multiplier == line->slope_to)
				demand.optional += line->to - line->from;
		}
		else if (multiplier <= line->slope_to)
			line->x = line->to;
		else
		{
			double		x = family->inverse_slope(line->curve.parameter, multiplier);

			/* Never zero: the slope there may be infinite. */
			line->x = fmin(fmax(x, fmax(line->from, DBL_MIN)), line->to);
			demand.response += 1 / family->bend(line->curve.parameter, line->x);
		}
		demand.taken += line->x - line->from;
	}
	return demand;
}

/*
 * A multiplier to start from: the typical slope when each line gets the same
 * part of what it could take.
 */
static double
first_multiplier(const AllocateProblem *problem, double target)
{
	double		room = 0;
	double		sum = 0;
	size_t		count = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
		room += problem->line[i].to - problem->line[i].from;

	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];
		double		x = line->from + (line->to - line->from) * (target / room);
		double		slope;

		heed_interrupts(problem, i);
		if (line->from == line->to)
			continue;
		slope = rtm_curve_slope(&line->curve, x);
		if (slope > 0 && slope <= DBL_MAX)
		{
			sum += log(slope);
			count++;
		}
	}
	return count > 0 ? exp(sum / count) : 0;
}

/*
 * Halve the bracket; if a straight line's slope lies in it, try the one next
 * to the middle, since there demand jumps.
 */
static int64_t
halve(const AllocateProblem *problem, int64_t below, int64_t above)
{
	int64_t		half = middle(below, above);
	int64_t		best = half;
	uint64_t	best_distance = UINT64_MAX;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];
		int64_t		rank;
		uint64_t	distance;

		if (!is_flat(line))
			continue;
		rank = rank_of(line->slope_to);
		distance = rank > half ? (uint64_t) rank - (uint64_t) half
			: (uint64_t) half - (uint64_t) rank;
		if (rank > below && rank < above && distance < best_distance)
		{
			best = rank;
			best_distance = distance;
		}
	}
	return best;
}

/*
 * The multiplier at which the continuous problem spends the budget; leaves
 * each line's amount in x.
 */
static double
continuous_multiplier(AllocateProblem *problem, double target, double unit)
{
	/* A miss counts squared in the gap; and few units are settled singly. */
	double		tolerance = fmax(fmin(target * 1e-8, unit * 16), target * 1e-14);
	double		lowest = INFINITY;
	double		highest = -INFINITY;
	double		last_miss = INFINITY;
	double		multiplier;
	int64_t		below;
	int64_t		above;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];

		if (line->from < line->to)
		{
			lowest = fmin(lowest, line->slope_to);
			highest = fmax(highest, line->slope_from);
		}
	}
	below = rank_of(lowest) - 1;
	above = rank_of(fmin(highest, DBL_MAX)) + 1;
	multiplier = first_multiplier(problem, target);
	if (rank_of(multiplier) <= below || rank_of(multiplier) >= above)
		multiplier = of_rank(halve(problem, below, above));

	for (;;)
	{
		Demand		demand = demand_at(problem, multiplier);
		double		miss = demand.taken - target;
		int64_t		next;

		if (fabs(miss) <= tolerance || (miss < 0 && demand.optional >= -miss))
			break;
		if (miss > 0)
			below = rank_of(multiplier);
		else
			above = rank_of(multiplier);
		if (middle(below, above) == below)
			break;

		/* Newton on ln taken over ln multiplier: exact for power curves. */
		next = rank_of(multiplier
					   * exp(log(target / demand.taken) * demand.taken / demand.response));
		if (!(demand.response != 0 && demand.taken > 0) || next <= below || next >= above ||
			fabs(miss) > last_miss / 2)
			next = halve(problem, below, above);
		last_miss = fabs(miss);
		multiplier = of_rank(next);
	}
	return multiplier;
}

/* What the unit after so many gains. */
static inline double
unit_gain(const AllocateProblem *problem, const AllocateLine *line, int64_t units)
{
	return rtm_curve_family[line->curve.family].gain(line->curve.parameter,
													 rtm_allocate_money(problem, units),
													 rtm_allocate_money(problem, 1));
}

/*
 * How many units of the line gain more than the threshold: gains fall, so
 * look from the present number, in steps that double, then halve.
 */
static int64_t
units_above(const AllocateProblem *problem, const AllocateLine *line, double threshold)
{
	int64_t		in = line->units;	/* unit `in` gains more, or is below the least */
	int64_t		out = line->units;	/* unit `out` does not, or is the most */
	int64_t		step = 1;

	if (out < line->most && unit_gain(problem, line, out) > threshold)
	{
		while (line->most - in > step &&
			   unit_gain(problem, line, in + step) > threshold)
		{
			in += step;
			step = add_saturating(step, step);
		}
		out = line->most - in > step ? in + step : line->most;
	}
	else
	{
		while (out - line->least >= step &&
			   unit_gain(problem, line, out - step) <= threshold)
		{
			out -= step;
			step = add_saturating(step, step);
		}
		in = out - line->least >= step ? out - step : line->least - 1;
	}
	while (out - in > 1)
	{
		int64_t		half = middle(in, out);

		if (unit_gain(problem, line, half) > threshold)
			in = half;
		else
			out = half;
	}
	return out;
}

/*
 * Give every line the units that gain more than the threshold; the sum.
 */
static int64_t
take_above(AllocateProblem *problem, double threshold)
{
	int64_t		total = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];

		heed_interrupts(problem, i);
		line->units = units_above(problem, line, threshold);
		total = add_saturating(total, line->units);
	}
	return total;
}

static inline bool
is_near(const AllocateProblem *problem, int64_t total)
{
	int64_t		miss = total > problem->budget ? total - problem->budget
		: problem->budget - total;

	return (uint64_t) miss <= problem->lines + 64;
}

/*
 * Give every line the units that gain more than a threshold, so that about
 * the budget is spent; the sum.  The first threshold does, unless curves are
 * so flat there that many units gain the same within rounding.  Then narrow
 * it, and with it what is open on each line, until few units are open or
 * those that are gain exactly the same: these go to the lines in order.
 */
static int64_t
take_about_budget(AllocateProblem *problem, double threshold)
{
	const int64_t lowest = rank_of(-INFINITY);
	const int64_t highest = rank_of(INFINITY);
	int64_t		below = lowest;
	int64_t		above = highest;
	int64_t		probe = rank_of(threshold);
	int64_t		step = 1;
	int64_t		total;
	size_t		i;

	while (middle(below, above) != below)
	{
		total = take_above(problem, of_rank(probe));
		if (is_near(problem, total))
			return total;

		for (i = 0; i < problem->lines; i++)
		{
			AllocateLine *line = &problem->line[i];

			if (total > problem->budget)
				line->most = line->units;
			else
				line->least = line->units;
		}
		if (total > problem->budget)
			below = probe;
		else
			above = probe;

		/* The root is close by: look in steps that double, then halve. */
		if (above == highest)
			probe = move_towards(probe, highest - 1, step);
		else if (below == lowest)
			probe = move_towards(probe, lowest + 1, step);
		else
			probe = middle(below, above);
		step = add_saturating(step, step);
	}

	total = 0;
	for (i = 0; i < problem->lines; i++)
	{
		problem->line[i].units = problem->line[i].least;
		total += problem->line[i].least;
	}
	for (i = 0; i < problem->lines && total < problem->budget; i++)
	{
		AllocateLine *line = &problem->line[i];
		int64_t		open = line->most - line->least;

		if (open > problem->budget - total)
			open = problem->budget - total;
		line->units += open;
		total += open;
	}
	return total;
}

/*
 * A heap of lines, the next to change first: when adding, the largest gain
 * and the earlier line; when taking away, the smallest and the later one.
 */
static inline bool
comes_first(const AllocateProblem *problem, size_t a, size_t b, bool adding)
{
	double		key_a = problem->line[a].key;
	double		key_b = problem->line[b].key;

	if (key_a != key_b)
		return adding ? key_a > key_b : key_a < key_b;
	return adding ? a < b : a > b;
}

static void
sift_down(AllocateProblem *problem, size_t slot, size_t size, bool adding)
{
	AllocateLine *line = problem->line;
	size_t		moving = line[slot].queue;

	for (;;)
	{
		size_t		child = 2 * slot + 1;

		if (child >= size)
			break;
		if (child + 1 < size &&
			comes_first(problem, line[child + 1].queue, line[child].queue, adding))
			child++;
		if (!comes_first(problem, line[child].queue, moving, adding))
			break;
		line[slot].queue = line[child].queue;
		slot = child;
	}
	line[slot].queue = moving;
}

/*
 * Set the line's key; false when the line cannot change in that direction.
 */
static bool
set_key(const AllocateProblem *problem, AllocateLine *line, bool adding)
{
	if (line->units == (adding ? line->most : line->least))
		return false;
	line->key = unit_gain(problem, line, adding ? line->units : line->units - 1);
	return true;
}

/*
 * Add or take away single units until the budget is met.
 */
static void
meet_budget(AllocateProblem *problem, int64_t total)
{
	bool		adding = total < problem->budget;
	size_t		size = 0;
	size_t		i;

	if (total == problem->budget)
		return;

	for (i = 0; i < problem->lines; i++)
	{
		heed_interrupts(problem, i);
		if (set_key(problem, &problem->line[i], adding))
			problem->line[size++].queue = i;
	}
	for (i = size / 2; i > 0; i--)
		sift_down(problem, i - 1, size, adding);

	for (i = 0; total != problem->budget && size > 0; i++)
	{
		AllocateLine *line = &problem->line[problem->line[0].queue];

		heed_interrupts(problem, i);
		line->units += adding ? 1 : -1;
		total += adding ? 1 : -1;
		if (!set_key(problem, line, adding))
			problem->line[0].queue = problem->line[--size].queue;
		if (size > 0)
			sift_down(problem, 0, size, adding);
	}
}

/*
 * The certificate.  For any multiplier m no plan returns more than
 *		m * budget + sum of max over y of (R(y) - m y),
 * and each R lies below its tangent at the continuous answer.  The distance
 * to that bound is summed line by line, where nothing cancels.
 */
static AllocateStatus
certify(AllocateProblem *problem, double multiplier)
{
	double		distance = 0;
	double		total = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];
		double		amount = rtm_allocate_money(problem, line->units);
		double		excess;

		heed_interrupts(problem, i);
		total += rtm_curve_value(&line->curve, amount);
		if (line->from == line->to)
			continue;
		excess = rtm_curve_slope(&line->curve, line->x) - multiplier;
		distance += fmax(0, rtm_curve_gain(&line->curve, amount, line->x)
						 - multiplier * (line->x - amount));
		distance += fmax(excess * (line->to - line->x), excess * (line->from - line->x));
	}
	if (!isfinite(total))
	{
		problem->culprit = problem->lines;
		return ALLOCATE_OUT_OF_RANGE;
	}
	if (distance == 0)
		problem->gap = 0;
	else if (isfinite(total + distance))
		problem->gap = distance / fmax(fabs(total), fabs(total + distance));
	else
		problem->gap = INFINITY;
	return ALLOCATE_DONE;
}

AllocateStatus
rtm_allocate(AllocateProblem *problem)
{
	AllocateStatus status = prepare(problem);
	double		unit = rtm_allocate_money(problem, 1);
	double		multiplier = 0;
	int64_t		spare = problem->budget;
	size_t		i;

	if (status != ALLOCATE_DONE)
		return status;

	for (i = 0; i < problem->lines; i++)
	{
		spare -= problem->line[i].least;
		problem->line[i].units = problem->line[i].least;
	}
	if (spare > 0)
	{
		multiplier = continuous_multiplier(problem, rtm_allocate_money(problem, spare), unit);
		for (i = 0; i < problem->lines; i++)
		{
			AllocateLine *line = &problem->line[i];
			double		units = (line->x - line->from) / unit;

			/* The nearest; the cast is safe below 2^63. */
			line->units = units < (double) (line->most - line->least)
				? line->least + (int64_t) (units + 0.5) : line->most;
			if (line->units > line->most)
				line->units = line->most;
		}
		meet_budget(problem, take_about_budget(problem, multiplier * unit));
	}
	return certify(problem, multiplier);
}
