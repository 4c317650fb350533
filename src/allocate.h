/*-------------------------------------------------------------------------
 *
 * allocate.h
 *		The budget allocator: maximise the sum of the responses of lines whose
 *		amounts sum to the budget.
 *
 * Pure mathematics: no PostgreSQL header, no memory of its own, no errors
 * thrown; the caller's interrupt function may leave by longjmp.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ALLOCATE_H
#define REVRTM_ALLOCATE_H

#include <stddef.h>
#include <stdint.h>

#include "curve.h"

/* The largest budget: two such amounts still add up. */
#define ALLOCATE_MOST_UNITS (INT64_MAX / 2)

/*
 * A line.  Amounts are whole numbers of units, lo <= hi.  Lines come in the
 * order in which ties are decided: the first takes the unit.
 */
typedef struct AllocateLine
{
	Curve		curve;
	int64_t		lo;
	int64_t		hi;

	/* the answer */
	int64_t		units;

	/* of the solver: what is still open, in units, and the reach in money */
	int64_t		least;
	int64_t		most;
	double		from;
	double		to;
	double		slope_from;
	double		slope_to;
	double		x;				/* the continuous answer */
	double		key;			/* gain of the next unit, or loss of the last */
	size_t		queue;			/* slot i of the heap: the index of a line */
} AllocateLine;

typedef struct AllocateProblem
{
	AllocateLine *line;
	size_t		lines;
	int64_t		budget;			/* in units, to ALLOCATE_MOST_UNITS */

	/* What a unit is in money, as a quotient, so that 0.01 is exact. */
	double		numerator;
	double		denominator;

	void		(*interrupt) (void);

	/* the answer */
	double		gap;			/* to the continuous bound, relative; infinite
								 * where that does not fit a double */

	/* Which line a status other than done or infeasible is about. */
	size_t		culprit;
} AllocateProblem;

typedef enum AllocateStatus
{
	ALLOCATE_DONE,
	ALLOCATE_INFEASIBLE,		/* the bounds do not admit the budget */
	ALLOCATE_NOT_CONCAVE,
	ALLOCATE_NO_VALUE,			/* the curve has no value at the lower bound */
	ALLOCATE_OUT_OF_RANGE		/* a response does not fit a double */
} AllocateStatus;

extern AllocateStatus rtm_allocate(AllocateProblem *problem);

/* The amount in money, the nearest double up to 2^53. */
static inline double
rtm_allocate_money(const AllocateProblem *problem, int64_t units)
{
	return (double) units * problem->numerator / problem->denominator;
}

#endif							/* REVRTM_ALLOCATE_H */
