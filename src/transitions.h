/*-------------------------------------------------------------------------
 *
 * transitions.h
 *		The transitions type: how often each state of paths was followed by
 *		which channel, conversion or end.
 *
 * A transitions value is one flat varlena, changed in place by its aggregate:
 *
 *	header
 *	states		room for `state_room` states; number 0 is the start
 *	cells		an open hash of `cell_room` slots: state and what followed
 *	dictionary	the channels
 *
 * A state is the last channels of a path, as many as the order says, fewer at
 * its beginning. A cell knows the state it leads to, so that a path is walked
 * with one probe a touch whatever the order. To find that state when a cell is
 * new, the channels of the state are walked from the start; cells made on the
 * way may count nothing yet.
 *
 * All counts and sums are integers, so that neither order nor grouping matters.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_TRANSITIONS_H
#define REVRTM_TRANSITIONS_H

#include "compat.h"

#include "chain.h"
#include "dictionary.h"
#include "money.h"

/* What follows a state: an end of the path, or a channel. */
#define VIA_CONVERSION		1
#define VIA_NULL			2
#define VIA_CHANNEL			3	/* plus its number */

typedef struct TransitionState
{
	uint32		channel[CHAIN_MAX_ORDER];	/* the last one first */
	uint32		length;
	Sum			amount;			/* of conversions that ended here */
} TransitionState;

typedef struct TransitionCell
{
	uint64		key;			/* state << 32 | via; 0: free */
	int64		count;
	uint32		to;				/* the state that follows, for a channel */
	uint32		unused;
} TransitionCell;

typedef struct Transitions
{
	int32		vl_len_;
	uint8		version;
	uint8		order;
	uint8		collapse;		/* consecutive repeats count once */
	uint8		scale;			/* of the amounts */
	uint32		states;
	uint32		state_room;
	uint32		cells;
	uint32		cell_room;		/* a power of two */
	/* sections follow, each aligned to 8 bytes */
} Transitions;

#define TRANSITIONS_VERSION	1

static inline TransitionState *
transition_states(const Transitions *t)
{
	return (TransitionState *) ((char *) t + MAXALIGN(sizeof(Transitions)));
}

static inline TransitionCell *
transition_cells(const Transitions *t)
{
	return (TransitionCell *) (transition_states(t) + t->state_room);
}

static inline Dictionary *
transition_channels(const Transitions *t)
{
	return (Dictionary *) (transition_cells(t) + t->cell_room);
}

static inline uint64
transition_key(uint32 from, uint32 via)
{
	return (uint64) from << 32 | via;
}

static inline uint32
cell_from(const TransitionCell *cell)
{
	return (uint32) (cell->key >> 32);
}

static inline uint32
cell_via(const TransitionCell *cell)
{
	return (uint32) cell->key;
}

/* A value of this format, or an error. */
extern Transitions *rtm_transitions(Datum value);
#define PG_GETARG_TRANSITIONS(n) rtm_transitions(PG_GETARG_DATUM(n))

extern Transitions *rtm_empty_transitions(int order, bool collapse);
extern void rtm_check_markov_order(int order);

/*
 * The number of a channel, and the cell of a state and what follows it; added
 * where they are new, when *tp may move.
 */
extern uint32 rtm_transitions_channel(Transitions **tp, const Bytes *name);
extern TransitionCell *rtm_transitions_cell(Transitions **tp, uint32 from, uint32 via);

/* How often a state was followed so. */
extern int64 rtm_transitions_count(const Transitions *t, uint32 from, uint32 via);

extern void rtm_transitions_add_count(TransitionCell *cell, int64 count);
extern void rtm_transitions_add_amount(Transitions *t, uint32 state, rtm_int128 units, int scale);
pg_noreturn extern void rtm_transitions_out_of_range(void);

/* Everything in an order that depends on names alone. */
typedef struct TransitionOrder
{
	uint32	   *channel;		/* numbers of channels, by name */
	uint32	   *channel_rank;
	uint32	   *state;			/* numbers of states: shorter ones first */
	uint32	   *state_rank;
	TransitionCell *cell;		/* those that count something, by state and then:
								 * conversion, null, channels */
	uint32		cells;
} TransitionOrder;

extern TransitionOrder *rtm_order_transitions(const Transitions *t);

#endif							/* REVRTM_TRANSITIONS_H */
