/*-------------------------------------------------------------------------
 *
 * envelope.h
 *		The least concave function above a response curve on an interval.
 *
 * A curve bends downwards on one interval of amounts at most (see
 * CurveFamily), so its envelope is the curve itself there and one chord: from
 * the lower end to where it touches the curve, from where it touches to the
 * upper end, or from end to end.
 *
 * Pure mathematics: no PostgreSQL header, no memory, no errors thrown.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ENVELOPE_H
#define REVRTM_ENVELOPE_H

#include "curve.h"

/* Where the envelope is a chord; empty (from == to) on a concave curve. */
typedef struct EnvelopeChord
{
	double		from;
	double		to;
	double		slope;
} EnvelopeChord;

extern EnvelopeChord rtm_envelope(const Curve *curve, double lo, double hi);

#endif							/* REVRTM_ENVELOPE_H */
