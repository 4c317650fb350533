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
#include "allocate.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "envelope.h"

/* Lines treated between two calls of the interrupt function. */
#define INTERRUPT_LINES 4096

/* Lines that are asked for a multiplier to start from. */
#define SAMPLED_LINES 1000

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

static inline int64_t
clamp_units(int64_t units, int64_t least, int64_t most)
{
	return units < least ? least : units > most ? most : units;
}

static inline double
clamp_money(double money, double least, double most)
{
	return money < least ? least : money > most ? most : money;
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

/* What of the lines and groups a part of the tree has. */
#define LINES_OF(problem, g) \
	(line = (problem)->line + (problem)->group[g].first_line, \
	 end = (problem)->line + (problem)->group[g].end_line; line < end; line++)

/*
 * The tree: where the lines and the descendants of each group end.
 */
static void
link_groups(AllocateProblem *problem)
{
	AllocateGroup *group = problem->group;
	size_t		g;
	size_t		i;

	for (g = 0; g < problem->groups; g++)
	{
		group[g].end = g + 1;
		group[g].first_line = ALLOCATE_NONE;
		group[g].end_line = 0;
	}
	for (i = 0; i < problem->lines; i++)
	{
		g = problem->line[i].group;
		if (group[g].first_line == ALLOCATE_NONE)
			group[g].first_line = i;
		group[g].end_line = i + 1;
	}
	for (g = problem->groups - 1; g > 0; g--)
	{
		AllocateGroup *parent = &group[group[g].parent];

		if (parent->end < group[g].end)
			parent->end = group[g].end;
		if (group[g].first_line == ALLOCATE_NONE)
			continue;
		if (parent->first_line > group[g].first_line)
			parent->first_line = group[g].first_line;
		if (parent->end_line < group[g].end_line)
			parent->end_line = group[g].end_line;
	}
	for (g = 0; g < problem->groups; g++)
	{
		if (group[g].first_line == ALLOCATE_NONE)
			group[g].first_line = group[g].end_line = 0;
	}
}

/*
 * The part of a group's room that one of its members has at least, and most,
 * once the others have the most, or the least, they may.
 */
static void
narrow_member(const AllocateGroup *group, int64_t *least, int64_t *most)
{
	rtm_int128	floor = group->least - (group->sum_most - *most);
	rtm_int128	ceiling = group->most - (group->sum_least - *least);

	if (floor > *least)
		*least = (int64_t) floor;
	if (ceiling < *most)
		*most = (int64_t) ceiling;
}

/*
 * Narrow the boxes of the lines and the bounds of the groups to what each lets
 * the others have; false where some group's parts do not admit it.
 */
bool
rtm_allocate_narrow(AllocateProblem *problem)
{
	AllocateGroup *group = problem->group;
	size_t		g;
	size_t		i;

	link_groups(problem);
	group[0].lo = group[0].hi = problem->budget;
	for (g = 0; g < problem->groups; g++)
		group[g].sum_least = group[g].sum_most = 0;
	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];

		line->least = problem->search[i].box_lo;
		line->most = problem->search[i].box_hi;
		if (line->least > line->most)
		{
			problem->culprit = line->group;
			return false;
		}
		group[line->group].sum_least += line->least;
		group[line->group].sum_most += line->most;
	}
	for (g = problem->groups; g-- > 0;)
	{
		group[g].least = group[g].sum_least > group[g].lo
			? (int64_t) (group[g].sum_least < INT64_MAX ? group[g].sum_least : INT64_MAX)
			: group[g].lo;
		group[g].most = group[g].sum_most < group[g].hi
			? (int64_t) group[g].sum_most : group[g].hi;
		if (group[g].least > group[g].most)
		{
			problem->culprit = g;
			return false;
		}
		if (g > 0)
		{
			group[group[g].parent].sum_least += group[g].least;
			group[group[g].parent].sum_most += group[g].most;
		}
	}
	for (g = 0; g < problem->groups; g++)
	{
		if (g > 0)
			narrow_member(&group[group[g].parent], &group[g].least, &group[g].most);
		group[g].base = 0;
	}
	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];

		narrow_member(&group[line->group], &line->least, &line->most);
		group[line->group].base += line->least;
	}
	for (g = problem->groups; g-- > 0;)
	{
		group[g].room_least = rtm_allocate_money(problem, group[g].least - group[g].base);
		group[g].room_most = rtm_allocate_money(problem, group[g].most - group[g].base);
		if (g > 0)
			group[group[g].parent].base += group[g].base;
	}
	return true;
}

/* The chord of the envelope in units, as good among whole units as any. */
static void
set_chord(const AllocateProblem *problem, AllocateLine *line, const EnvelopeChord *chord)
{
	double		unit = rtm_allocate_money(problem, 1);
	int64_t		width = line->most - line->least;
	int			i;

	line->chord_touches = chord->to < line->to;
	line->chord_from = chord->from;
	line->chord_to = chord->to;
	line->chord_slope = chord->slope;
	line->chord_first = line->least;
	line->chord_last = line->most;
	if (chord->from <= line->from && chord->to >= line->to)
		line->chord_gain = rtm_curve_gain(&line->curve, line->from, line->to) / width;
	else
	{
		bool		rising = chord->from <= line->from;
		double		away = (rising ? chord->to - line->from : line->to - chord->from) / unit;
		int64_t		length = away < width ? (int64_t) away : width - 1;

		line->chord_gain = 0;
		for (i = 0; i < 2; i++, length++)
		{
			int64_t		first = rising ? line->least : line->most - length;
			int64_t		last = rising ? line->least + length : line->most;
			double		gain;

			if (length < 1 || length > width)
				continue;
			gain = rtm_curve_gain(&line->curve, rtm_allocate_money(problem, first),
								  rtm_allocate_money(problem, last)) / length;
			if (i == 0 || length == 1 ||
				(rising ? gain > line->chord_gain : gain < line->chord_gain))
			{
				line->chord_first = first;
				line->chord_last = last;
				line->chord_gain = gain;
			}
		}
	}
}

/*
 * See that the curves can be worked with where the lines may go, and what they
 * look like there; false where one cannot.
 */
bool
rtm_allocate_shape(AllocateProblem *problem)
{
	bool		sound = true;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		AllocateLine *line = &problem->line[i];
		const CurveFamily *family = &rtm_curve_family[line->curve.family];
		bool		bulged = line->bulges;

		heed_interrupts(problem, i);
		line->from = rtm_allocate_money(problem, line->least);
		line->to = rtm_allocate_money(problem, line->most);
		line->x = line->from;
		line->bulges = false;
		line->fault = ALLOCATE_SOUND;
		if (family->starts_above_zero && line->lo == 0)
			line->fault = ALLOCATE_NO_VALUE;
		else if (!isfinite(rtm_curve_value(&line->curve, line->to)
						   - rtm_curve_value(&line->curve, line->from)))
			line->fault = ALLOCATE_OUT_OF_RANGE;
		if (line->fault != ALLOCATE_SOUND)
		{
			sound = false;
			continue;
		}

		line->slope_from = rtm_curve_slope(&line->curve, line->from);
		line->slope_to = rtm_curve_slope(&line->curve, line->to);
		if (line->from < line->to && !rtm_curve_is_concave(&line->curve, line->from, line->to))
		{
			/* A chord from the lower end that touches the curve stays as it is. */
			if (!(bulged && line->chord_first == line->least && line->chord_from == line->from &&
				  line->chord_touches && line->chord_to < line->to &&
				  line->chord_last < line->most))
			{
				EnvelopeChord chord = rtm_envelope(&line->curve, line->from, line->to);

				set_chord(problem, line, &chord);
			}
			line->bulges = true;
			if (line->chord_from == line->from)
				line->slope_from = line->chord_slope;
			if (line->chord_to == line->to)
				line->slope_to = line->chord_slope;
		}
		line->flat = line->slope_from == line->slope_to;
		if (!line->bulges)
		{
			line->chord_from = line->from;
			line->chord_to = line->flat ? line->to : line->from;
			line->chord_slope = line->slope_from;
		}
	}
	return sound;
}

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

	if (demand.x >= current)
	{
		demand.response *= multiplier / (multiplier + problem->mu);
		return demand;
	}
	if (demand.x + demand.optional >= current)
	{
		demand.optional = current - demand.x;
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

/* What the unit after so many gains. */
static inline double
unit_gain(const AllocateProblem *problem, const AllocateLine *line, int64_t units)
{
	double		gain;

	if (line->bulges && units >= line->chord_first && units < line->chord_last)
		gain = line->chord_gain;
	else
		gain = rtm_curve_family[line->curve.family].gain(line->curve.parameter,
														 rtm_allocate_money(problem, units),
														 rtm_allocate_money(problem, 1));
	if (problem->mu != 0 && line->moves)
	{
		int64_t		whole = line->current / problem->ticks;
		double		away = units < whole ? -1 : 1;

		if (units == whole)
			away -= 2 * (double) (line->current % problem->ticks) / (double) problem->ticks;
		gain -= problem->mu * rtm_allocate_money(problem, 1) * away;
	}
	return gain;
}

/*
 * How many units of the line gain more than the threshold: gains fall, so
 * look from the present number, in steps that double, then halve.
 */
static int64_t
units_above(const AllocateProblem *problem, const AllocateLine *line, double threshold)
{
	int64_t		least = line->open_least;
	int64_t		most = line->open_most;
	int64_t		in = clamp_units(line->units, least, most); /* gains more, or is below */
	int64_t		out = in;		/* does not, or is the most */
	int64_t		step = 1;

	if (out < most && unit_gain(problem, line, out) > threshold)
	{
		while (most - in > step && unit_gain(problem, line, in + step) > threshold)
		{
			in += step;
			step = add_saturating(step, step);
		}
		out = most - in > step ? in + step : most;
	}
	else
	{
		while (out - least >= step && unit_gain(problem, line, out - step) <= threshold)
		{
			out -= step;
			step = add_saturating(step, step);
		}
		in = out - least >= step ? out - step : least - 1;
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
 * The sums of the groups below g, kept to their bounds where asked; returns
 * that of g, which is not.
 */
static int64_t
sum_groups(AllocateProblem *problem, size_t g, bool keep)
{
	AllocateGroup *group = problem->group;
	const AllocateLine *line;
	const AllocateLine *end;
	size_t		h;

	for (h = g; h < group[g].end; h++)
		group[h].units = 0;
	for LINES_OF(problem, g)
		group[line->group].units = add_saturating(group[line->group].units, line->units);
	for (h = group[g].end - 1; h > g; h--)
	{
		AllocateGroup *parent = &group[group[h].parent];

		if (keep)
		{
			group[h].at = group[h].units < group[h].least ? -1
				: group[h].units > group[h].most;
			group[h].units = clamp_units(group[h].units, group[h].least, group[h].most);
		}
		parent->units = add_saturating(parent->units, group[h].units);
	}
	return group[g].units;
}

void
rtm_allocate_sums(AllocateProblem *problem)
{
	sum_groups(problem, 0, false);
}

/*
 * Give every line the units that gain more than the threshold; what g spends
 * then, the groups below it kept to their bounds.
 */
static int64_t
take_above(AllocateProblem *problem, size_t g, double threshold)
{
	AllocateLine *line;
	AllocateLine *end;

	for LINES_OF(problem, g)
	{
		heed_interrupts(problem, line - problem->line);
		line->units = units_above(problem, line, threshold);
	}
	return sum_groups(problem, g, true);
}

/*
 * A threshold was too low, or too high: narrow what is open of the lines.
 * Lines in a group that is kept up from below take more than their gains say,
 * and those in a group that is kept down less.
 */
static void
narrow_open(AllocateProblem *problem, size_t g, bool too_low)
{
	AllocateGroup *group = problem->group;
	AllocateLine *line;
	AllocateLine *end;
	size_t		h;

	group[g].below = group[g].above = false;
	for (h = g + 1; h < group[g].end; h++)
	{
		group[h].below = group[h].at < 0 || group[group[h].parent].below;
		group[h].above = group[h].at > 0 || group[group[h].parent].above;
	}
	for LINES_OF(problem, g)
	{
		if (too_low && !group[line->group].below)
			line->open_most = line->units;
		if (!too_low && !group[line->group].above)
			line->open_least = line->units;
	}
}

/*
 * Give every line the units that gain more than a threshold, so that about
 * the target is spent; the sum.  The first threshold does, unless curves are
 * so flat there that many units gain the same within rounding.  Then narrow
 * it, and with it what is open on each line, until few units are missing or
 * those that are gain exactly the same.
 */
static int64_t
take_about(AllocateProblem *problem, size_t g, int64_t target, double threshold)
{
	const int64_t lowest = rank_of(-INFINITY);
	const int64_t highest = rank_of(INFINITY);
	size_t		near = problem->group[g].end_line - problem->group[g].first_line + 64;
	int64_t		below = lowest;
	int64_t		above = highest;
	int64_t		probe = rank_of(threshold);
	int64_t		step = 1;
	AllocateLine *line;
	AllocateLine *end;

	for LINES_OF(problem, g)
	{
		line->open_least = line->least;
		line->open_most = line->most;
	}
	while (middle(below, above) != below)
	{
		int64_t		total = take_above(problem, g, of_rank(probe));
		bool		too_low = total > target;

		if ((uint64_t) (too_low ? total - target : target - total) <= near)
			return total;
		narrow_open(problem, g, too_low);
		if (too_low)
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
	return take_above(problem, g, of_rank(above));
}

/*
 * A heap of lines, the next to change first: when adding, the largest gain
 * and the lowest priority; when taking away, the smallest and the highest.
 */
static inline bool
comes_first(const AllocateLine *a, const AllocateLine *b, bool adding)
{
	if (a->key != b->key)
		return adding ? a->key > b->key : a->key < b->key;
	return adding ? a->priority < b->priority : a->priority > b->priority;
}

static void
sift_down(AllocateLine *line, size_t slot, size_t size, bool adding)
{
	size_t		moving = line[slot].queue;

	for (;;)
	{
		size_t		child = 2 * slot + 1;

		if (child >= size)
			break;
		if (child + 1 < size &&
			comes_first(&line[line[child + 1].queue], &line[line[child].queue], adding))
			child++;
		if (!comes_first(&line[line[child].queue], &line[moving], adding))
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

/* By how much the groups around a line, below g, let it change. */
static int64_t
room_of(const AllocateProblem *problem, size_t g, const AllocateLine *line, bool adding,
		int64_t room)
{
	size_t		h;

	for (h = line->group; h != g; h = problem->group[h].parent)
	{
		const AllocateGroup *group = &problem->group[h];
		int64_t		here = adding ? group->most - group->units : group->units - group->least;

		if (room > here)
			room = here;
	}
	return room;
}

/*
 * How many of the next units gain as much as the first, its key, or when
 * taking away as little: at most so many.
 */
static int64_t
units_alike(const AllocateProblem *problem, const AllocateLine *line, bool adding, int64_t most)
{
	int64_t		in = 1;
	int64_t		out;
	int64_t		step = 1;

	while (most - in >= step)
	{
		double		gain = unit_gain(problem, line, adding ? line->units + in + step - 1
									 : line->units - in - step);

		if (adding ? gain < line->key : gain > line->key)
			break;
		in += step;
		step = add_saturating(step, step);
	}
	out = most - in >= step ? in + step : most + 1;
	while (out - in > 1)
	{
		int64_t		half = middle(in, out);
		double		gain = unit_gain(problem, line, adding ? line->units + half - 1
									 : line->units - half);

		if (adding ? gain < line->key : gain > line->key)
			out = half;
		else
			in = half;
	}
	return in;
}

/*
 * Add or take away units until g spends the target.
 */
static void
meet_target(AllocateProblem *problem, size_t g, int64_t target)
{
	AllocateGroup *group = problem->group;
	AllocateLine *line = problem->line + group[g].first_line;
	size_t		lines = group[g].end_line - group[g].first_line;
	bool		adding = group[g].units < target;
	int64_t		left = adding ? target - group[g].units : group[g].units - target;
	size_t		size = 0;
	size_t		i;
	size_t		h;

	if (left == 0)
		return;
	for (i = 0; i < lines; i++)
	{
		heed_interrupts(problem, i);
		if (set_key(problem, &line[i], adding))
			line[size++].queue = i;
	}
	for (i = size / 2; i > 0; i--)
		sift_down(line, i - 1, size, adding);

	for (i = 0; left > 0 && size > 0; i++)
	{
		AllocateLine *first = &line[line[0].queue];
		int64_t		room = room_of(problem, g, first, adding, left);
		int64_t		open = adding ? first->most - first->units : first->units - first->least;
		int64_t		change;

		heed_interrupts(problem, i);
		if (room > open)
			room = open;
		change = room > 1 ? units_alike(problem, first, adding, room) : room;
		left -= change;
		first->units += adding ? change : -change;
		for (h = first->group; h != g; h = group[h].parent)
			group[h].units += adding ? change : -change;
		group[g].units += adding ? change : -change;
		if (change == 0 || !set_key(problem, first, adding))
			line[0].queue = line[--size].queue;
		if (size > 0)
			sift_down(line, 0, size, adding);
	}
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
		take_about(problem, g, target, multiplier * unit);
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
	sum_groups(problem, g, false);
	meet_target(problem, g, target);
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
