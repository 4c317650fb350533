/*-------------------------------------------------------------------------
 *
 * envelope.c
 *		The least concave function above a response curve on an interval.
 *
 * A chord from a fixed end touches the curve where the curve's slope is the
 * chord's.  On the concave side the difference of the two has one sign before
 * that amount and the other one after it, so the bracket around it shrinks
 * down to two neighbouring doubles: by secants as long as they shrink it
 * well, else by halves.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "envelope.h"

#include <math.h>

/* The slope of the chord between two amounts, a < b. */
static double
chord_slope(const Curve *curve, double a, double b)
{
	return rtm_curve_gain(curve, a, b) / (b - a);
}

/*
 * How much steeper the curve is at x than the chord between x and the fixed
 * end; falls with x where the curve is concave.
 */
static double
steeper(const Curve *curve, double end, double x)
{
	double		slope = rtm_curve_slope(curve, x);

	return end < x ? slope - chord_slope(curve, end, x) : chord_slope(curve, x, end) - slope;
}

/*
 * Where a chord from the end touches the curve, between below and above: at
 * below the difference has the sign of `rising`, at above the other one.
 */
static double
touching(const Curve *curve, double end, double below, double above)
{
	double		at_below = steeper(curve, end, below);
	double		at_above = steeper(curve, end, above);
	int			side = 0;
	int			i;

	/* The Illinois rule: an end that stays twice counts half. */
	for (i = 0; i < 200; i++)
	{
		double		x = below + (above - below) * (at_below / (at_below - at_above));
		double		value;

		if (i % 8 == 7 || !(x > below && x < above))
			x = below + (above - below) / 2;
		if (!(x > below && x < above))
			break;
		value = steeper(curve, end, x);
		if (value == 0)
			return x;
		if ((value > 0) == (at_below > 0))
		{
			below = x;
			at_below = value;
			if (side == -1)
				at_above /= 2;
			side = -1;
		}
		else
		{
			above = x;
			at_above = value;
			if (side == 1)
				at_below /= 2;
			side = 1;
		}
	}
	return fabs(at_below) < fabs(at_above) ? below : above;
}

EnvelopeChord
rtm_envelope(const Curve *curve, double lo, double hi)
{
	EnvelopeChord chord = {lo, lo, 0};
	double		from;
	double		to;

	if (rtm_curve_is_concave(curve, lo, hi))
		return chord;
	rtm_curve_family[curve->family].concave(curve->parameter, &from, &to);
	from = fmax(from, lo);
	to = fmin(to, hi);
	chord.to = hi;
	if (from < to)
	{
		if (from > lo)
		{
			/* First convex: the chord begins at the lower end. */
			if (steeper(curve, lo, hi) < 0)
				chord.to = touching(curve, lo, from, hi);
		}
		else if (steeper(curve, hi, lo) > 0)
			chord.from = lo;
		else
			chord.from = touching(curve, hi, lo, to);
	}
	chord.slope = chord_slope(curve, chord.from, chord.to);
	return chord;
}
