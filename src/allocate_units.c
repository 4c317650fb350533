/*-------------------------------------------------------------------------
 *
 * allocate_units.c
 *		Whole units: from a multiplier to amounts that sum exactly.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate_parts.h"

#include <math.h>

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
rtm_allocate_sums(AllocateProblem *problem, size_t g)
{
	sum_groups(problem, g, false);
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
 * Give every line the units that gain more than a threshold, so that about
 * the target is spent; the sum.  The first threshold does, unless curves are
 * so flat there that many units gain the same within rounding.  Then narrow
 * it, and with it what is open on each line, until few units are missing or
 * those that are gain exactly the same.
 */
int64_t
rtm_allocate_take(AllocateProblem *problem, size_t g, int64_t target, double threshold)
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
		for LINES_OF(problem, g)
		{
			if (too_low)
				line->open_most = line->units;
			else
				line->open_least = line->units;
		}
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
void
rtm_allocate_meet(AllocateProblem *problem, size_t g, int64_t target)
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

/* How far the envelope is above the curve at the line's amount. */
double
rtm_allocate_bulge(const AllocateProblem *problem, const AllocateLine *line)
{
	if (!line->bulges || line->units <= line->chord_first || line->units >= line->chord_last)
		return 0;
	return line->chord_gain * (double) (line->units - line->chord_first)
		- rtm_curve_gain(&line->curve, rtm_allocate_money(problem, line->chord_first),
						 rtm_allocate_money(problem, line->units));
}
