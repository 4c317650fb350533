/*-------------------------------------------------------------------------
 *
 * allocate_parts.h
 *		What the files of the allocator share among themselves.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ALLOCATE_PARTS_H
#define REVRTM_ALLOCATE_PARTS_H

#include <string.h>

#include "allocate.h"

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

/* allocate_reach.c: what lines and groups may do, and look like */
extern bool rtm_allocate_narrow(AllocateProblem *problem);
extern bool rtm_allocate_shape(AllocateProblem *problem);

/* allocate_concave.c: the relaxation, to which every line is concave */
extern void rtm_allocate_relax(AllocateProblem *problem);
extern double rtm_allocate_distance(const AllocateProblem *problem);

/* allocate_units.c: whole units */
extern int64_t rtm_allocate_take(AllocateProblem *problem, size_t g, int64_t target,
								 double threshold);
extern void rtm_allocate_meet(AllocateProblem *problem, size_t g, int64_t target);
extern void rtm_allocate_sums(AllocateProblem *problem, size_t g);
extern double rtm_allocate_bulge(const AllocateProblem *problem, const AllocateLine *line);

/* allocate_limit.c: the price of the distance */
extern void rtm_allocate_set_limit(AllocateProblem *problem);
extern bool rtm_allocate_is_near(AllocateProblem *problem);
extern bool rtm_allocate_approach(AllocateProblem *problem, double scale);
extern bool rtm_allocate_exchange(AllocateProblem *problem);
extern double rtm_allocate_slack(const AllocateProblem *problem);

#endif							/* REVRTM_ALLOCATE_PARTS_H */
