/*-------------------------------------------------------------------------
 *
 * chain.h
 *		Absorbing Markov chains given by counts: what conversions are lost
 *		when a channel is removed.
 *
 * Pure mathematics: no PostgreSQL header; memory and interrupts come from the
 * caller, whose functions may leave by longjmp.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CHAIN_H
#define REVRTM_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_MAX_ORDER		3

/* So many channels that all lead to each other are worked on at most. */
#define CHAIN_MAX_DENSE		8192

/* What the mathematics needs of its surroundings. */
typedef struct ChainShim
{
	void	   *(*alloc) (size_t size);	/* aligned to 8 bytes, never NULL */
	void		(*interrupt) (void);
} ChainShim;

/*
 * A chain of counted transitions. A state is the last channels of a path. As
 * the counts are of whole paths, what enters a state leaves it, and every
 * state can be reached from the start. A transition of a state to itself
 * changes nothing and is not part of it.
 */
typedef struct Chain
{
	size_t		states;
	size_t		channels;
	const uint32_t *last;		/* by state: its last channel */
	const size_t *first;		/* states + 1 offsets into next and flow */
	const uint32_t *next;		/* for order 1 ascending within a state */
	const double *flow;			/* how often a state was followed by another */
	const double *leave;		/* how often it was left: its flow and its ends */
	const double *conversions;	/* paths that converted in the state */
	const double *amount;		/* and what they were worth */
	ChainShim	shim;
} Chain;

typedef enum ChainStatus
{
	CHAIN_DONE,
	CHAIN_TOO_DENSE,			/* more than CHAIN_MAX_DENSE channels lead to each other */
	CHAIN_UNCERTAIN				/* no certificate could be reached */
} ChainStatus;

/*
 * For every channel: how many conversions are expected to be lost, and how
 * much of the amount, if every path ends where it reaches the channel. The
 * first is for order 1, where a channel has one state; the second for any.
 */
extern ChainStatus rtm_chain_direct(const Chain *chain, double *conversions, double *amount);
extern ChainStatus rtm_chain_iterate(const Chain *chain, double *conversions, double *amount);

/*
 * A matrix for rtm_chain_sweep(): room for rows, and columns, of which some
 * are extra.
 */
static inline size_t
rtm_chain_rows(size_t n)
{
	return (n + 3) & ~(size_t) 3;
}

static inline size_t
rtm_chain_width(size_t n, size_t extra)
{
	return (n + extra + 7) & ~(size_t) 7;
}

/*
 * Turn the rates between n states, t[i][j] with rows of `width` columns, into
 * the inverse of D - T, where D is what leaves a state: its rates to others
 * and, in column n, out of the chain. Columns behind are multiplied by the
 * inverse. The diagonal is not looked at. With `diagonal` only the diagonal of
 * the inverse and the columns behind it are right.
 */
extern void rtm_chain_sweep(double *t, size_t n, size_t width, bool diagonal,
							const ChainShim *shim);

#endif							/* REVRTM_CHAIN_H */
