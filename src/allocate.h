/*-------------------------------------------------------------------------
 *
 * allocate.h
 *		The budget allocator: maximise the sum of the responses of lines whose
 *		amounts sum to the budget, within the bounds of lines and of nested
 *		groups, and a limit on the distance from the current plan.
 *
 * Pure mathematics: no PostgreSQL header, no errors thrown; the caller's
 * interrupt function may leave by longjmp.  Memory is the caller's; for curves
 * that are not concave the solver asks for some through `memory`.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ALLOCATE_H
#define REVRTM_ALLOCATE_H

#include <stddef.h>
#include <stdint.h>

#include "curve.h"
#include "split.h"

/* The largest budget: two such amounts still add up. */
#define ALLOCATE_MOST_UNITS (INT64_MAX / 2)

/* Sums of amounts; memory contexts align to eight bytes only. */
typedef rtm_int128 AllocateSum __attribute__((aligned(8)));

/* No such line, group or node. */
#define ALLOCATE_NONE SIZE_MAX

/* How deep groups nest at most, the whole not counted. */
#define ALLOCATE_MOST_LEVELS 32

/* What keeps a line from being worked with. */
typedef enum AllocateFault
{
	ALLOCATE_SOUND,
	ALLOCATE_NO_VALUE,			/* the curve has no value at the lower bound */
	ALLOCATE_OUT_OF_RANGE		/* a response does not fit a double */
} AllocateFault;

/*
 * A line.  Amounts are whole numbers of units, lo <= hi.  Lines come sorted by
 * their group and priority.
 */
typedef struct AllocateLine
{
	Curve		curve;
	int64_t		lo;
	int64_t		hi;
	size_t		group;			/* the innermost; 0 is the whole */
	size_t		priority;		/* among equals the lowest takes the unit */

	/* What the limit on the distance counts from, in ticks, if it does. */
	bool		moves;
	bool		flat;			/* of the solver: one slope all the way */
	bool		bulges;			/* of the solver: the envelope has a chord */
	bool		chord_touches;	/* the curve, not its upper end */
	uint8_t		fault;			/* an AllocateFault */
	int64_t		current;

	/* the answer */
	int64_t		units;

	/* of the solver: the reach in units, what is open of it, and in money */
	int64_t		least;
	int64_t		most;
	int64_t		open_least;
	int64_t		open_most;
	double		from;
	double		to;
	double		slope_from;
	double		slope_to;

	/* The chord of the envelope, in money and in units. */
	double		chord_from;
	double		chord_to;
	double		chord_slope;
	int64_t		chord_first;
	int64_t		chord_last;
	double		chord_gain;		/* of a unit */

	double		x;				/* the continuous answer */
	double		multiplier;		/* that it was found at */
	double		key;			/* gain of the next unit, or loss of the last */
	size_t		queue;			/* slot i of the heap: the index of a line */
} AllocateLine;

/*
 * A group.  Number 0 is the whole; the others follow their parents, each with
 * its descendants right behind it.
 */
typedef struct AllocateGroup
{
	size_t		parent;
	int64_t		lo;
	int64_t		hi;

	/* the answer */
	int64_t		units;

	/* of the solver */
	size_t		end;			/* behind its last descendant */
	size_t		first_line;
	size_t		end_line;
	int64_t		least;
	int64_t		most;
	AllocateSum sum_least;		/* of the parts, in narrowing */
	AllocateSum sum_most;
	int64_t		base;			/* the lines' least */
	double		room_least;		/* least and most above base, in money */
	double		room_most;
	double		taken;
	double		optional;
	double		response;
	double		multiplier;
	int			at;				/* -1, +1: kept at a bound; 0: not */
} AllocateGroup;

/* What branch and bound keeps of each line. */
typedef struct AllocateSearch
{
	int64_t		box_lo;
	int64_t		box_hi;
	int64_t		best;
	int64_t		other;			/* the answer on the far side of the limit */
	size_t		before;			/* the next of the lines that are the same */
	size_t		behind;
} AllocateSearch;

/* A part of the search space: its parent's, cut in one line. */
typedef struct AllocateNode
{
	double		bound;			/* of the return over whole units */
	double		reach;			/* and over all amounts */
	int64_t		cut;			/* line <= cut, or line >= cut */
	int64_t		next_cut;
	uint32_t	parent;
	uint32_t	line;
	uint32_t	next_line;
	uint32_t	queue;			/* slot i of the heap: the index of a node */
	bool		upper;
	bool		next_lattice;	/* the halves do not share the cut */
} AllocateNode;

typedef struct AllocateProblem
{
	AllocateLine *line;
	AllocateSearch *search;		/* as many */
	size_t		lines;
	AllocateGroup *group;		/* at least the whole, number 0 */
	size_t		groups;
	int64_t		budget;			/* in units, to ALLOCATE_MOST_UNITS */

	/* What a unit is in money, as a quotient, so that 0.01 is exact. */
	double		numerator;
	double		denominator;

	/*
	 * The limit on the sum of the distances from the current amounts, in
	 * ticks, of which a unit has a whole number.
	 */
	bool		limited;
	int64_t		ticks;
	AllocateSum limit;

	void		(*interrupt) (void);
	void	   *(*memory) (size_t bytes);
	size_t		node_limit;		/* 0: as many as rtm_allocate_nodes() says */

	/* the answer */
	double		value;			/* the sum of the responses */
	int64_t		least;			/* that any budget has to be */
	double		gap;			/* to the continuous bound, relative; infinite
								 * where that does not fit a double */
	double		price;			/* what the limit costs for a unit of money of
								 * distance; 0 where it does not bind */
	AllocateSum moved;			/* the distance, in ticks */
	size_t		nodes_used;
	bool		complete;		/* not stopped by the limit of nodes */

	/* Which group its parts do not admit. */
	size_t		culprit;

	/* of the solver */
	double		mu;				/* the price in force */
	AllocateSum within;			/* the limit in force */
	AllocateNode *node;
	size_t		nodes;
} AllocateProblem;

typedef enum AllocateStatus
{
	ALLOCATE_DONE,
	ALLOCATE_INFEASIBLE,		/* the parts of the culprit do not admit it */
	ALLOCATE_TOO_FAR,			/* the least distance, `moved`, is above the limit */
	ALLOCATE_FAULTY,			/* of a line, or the sum of the responses */
	ALLOCATE_UNREACHABLE		/* of the goals: the target */
} AllocateStatus;

extern AllocateStatus rtm_allocate(AllocateProblem *problem);
extern size_t rtm_allocate_nodes(size_t lines);

/* allocate_goal.c: other questions */
typedef enum AllocateGoal
{
	ALLOCATE_MAX_RETURN,
	ALLOCATE_MIN_SPEND,			/* least budget that returns the target */
	ALLOCATE_TARGET_ROI,		/* largest with return / budget - 1 >= target */
	ALLOCATE_TARGET_MARGINAL_ROI	/* as long as the next of money does so */
} AllocateGoal;

extern AllocateStatus rtm_allocate_goal(AllocateProblem *problem, AllocateGoal goal,
										double target, double *attainable);
extern double rtm_allocate_budget_price(const AllocateProblem *problem);
extern double rtm_allocate_group_price(const AllocateProblem *problem, size_t group);

/* The amount in money, the nearest double up to 2^53. */
static inline double
rtm_allocate_money(const AllocateProblem *problem, int64_t units)
{
	return (double) units * problem->numerator / problem->denominator;
}

/* A line's distance from its current amount, in ticks. */
static inline rtm_int128
rtm_allocate_moved(const AllocateProblem *problem, const AllocateLine *line, int64_t units)
{
	rtm_int128	away = (rtm_int128) units * problem->ticks - line->current;

	return away < 0 ? -away : away;
}

#endif							/* REVRTM_ALLOCATE_H */
