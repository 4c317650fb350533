/*-------------------------------------------------------------------------
 *
 * coalitions.h
 *		The coalitions type: paths counted by the set of their channels.
 *
 * A coalitions value is one flat varlena, changed in place by its aggregate:
 *
 *	header
 *	sets		room for `set_room` sets
 *	table		2 x set_room slots of an open hash over the sets
 *	members		the channels of all sets, of each in ascending order
 *	dictionary	the channels
 *
 * All counts and sums are integers, so that neither order nor grouping matters.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_COALITIONS_H
#define REVRTM_COALITIONS_H

#include "compat.h"

#include "dictionary.h"
#include "money.h"

typedef struct CoalitionSet
{
	uint32		first;			/* within the members */
	uint32		size;
	uint32		hash;
	uint32		unused;
	int64		conversions;
	int64		nulls;
	Sum			amount;
} CoalitionSet;

typedef struct Coalitions
{
	int32		vl_len_;
	uint8		version;
	uint8		scale;			/* of the amounts */
	uint16		unused;
	uint32		sets;
	uint32		set_room;		/* a power of two */
	uint32		members;
	uint32		member_room;
	/* sections follow, each aligned to 8 bytes */
} Coalitions;

#define COALITIONS_VERSION	1

static inline CoalitionSet *
coalition_sets(const Coalitions *c)
{
	return (CoalitionSet *) ((char *) c + MAXALIGN(sizeof(Coalitions)));
}

static inline uint32 *
coalition_table(const Coalitions *c)
{
	return (uint32 *) (coalition_sets(c) + c->set_room);
}

static inline uint32 *
coalition_members(const Coalitions *c)
{
	return coalition_table(c) + 2 * (Size) c->set_room;
}

static inline Dictionary *
coalition_channels(const Coalitions *c)
{
	return (Dictionary *) (coalition_members(c) + c->member_room);
}

/* A value of this format, or an error. */
extern Coalitions *rtm_coalitions(Datum value);
#define PG_GETARG_COALITIONS(n) rtm_coalitions(PG_GETARG_DATUM(n))

extern Coalitions *rtm_empty_coalitions(void);

/*
 * The number of a channel; and the set of n channels, ordered here, of which
 * the same may stand more than once. Added where they are new, when *cp may
 * move.
 */
extern uint32 rtm_coalitions_channel(Coalitions **cp, const Bytes *name);
extern CoalitionSet *rtm_coalition(Coalitions **cp, uint32 *member, uint32 n);

extern void rtm_coalitions_raise_scale(Coalitions *c, int scale);
pg_noreturn extern void rtm_coalitions_out_of_range(void);

#endif							/* REVRTM_COALITIONS_H */
