/*-------------------------------------------------------------------------
 *
 * allocate_reach.c
 *		What the lines and groups of an allocation may do at most, and what the
 *		curves look like there.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate_parts.h"

#include <math.h>

#include "envelope.h"

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

/* Is every response far within the range of a double, whatever the amount? */
static inline bool
is_tame(const Curve *curve)
{
	return (curve->family == CURVE_HILL || curve->family == CURVE_EXPONENTIAL) &&
		fabs(curve->parameter[0]) < 1e300 && fabs(curve->parameter[1]) < 1e300;
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
		else if (!is_tame(&line->curve) && !isfinite(rtm_curve_value(&line->curve, line->to)
												   - rtm_curve_value(&line->curve,
																	 line->from)))
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

