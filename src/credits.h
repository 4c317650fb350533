/*-------------------------------------------------------------------------
 *
 * credits.h
 *		The credits type: sums of conversions and money by model and channel.
 *
 * A credits value is one flat varlena, changed in place by its aggregate:
 *
 *	header
 *	models		one ModelSlot each: name, hash and, while it grows, the rule
 *	text		names of the models, and channels that their rules name
 *	cells		room for capacity x models sums, by channel then model
 *	dictionary	the channels
 *
 * All sums are 128-bit integers, so that neither order nor grouping matters.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CREDITS_H
#define REVRTM_CREDITS_H

#include "compat.h"

#include "credit.h"
#include "dictionary.h"

#define CREDITS_FIRST_CAPACITY	8
#define CREDITS_FIRST_TEXT		256
#define CREDITS_MAX_MODELS		1000
#define CREDITS_RECENT			128

typedef struct TextRef
{
	uint32		start;			/* within the text */
	uint32		len;
} TextRef;

typedef struct ModelSlot
{
	TextRef		name;
	uint64		hash;
	bool		has_rule;
	int32		directs;		/* how many direct channels stand in the text */
	TextRef		direct;			/* their bytes: a uint32 length before each */
	int32		fits;			/* and how many fitted ones */
	uint32		fit;			/* where: a FittedSlot each, by name */
	ModelRule	rule;
} ModelSlot;

typedef struct FittedSlot
{
	uint64		weight;
	TextRef		name;
} FittedSlot;

typedef struct Cell
{
	Sum			units;			/* conversions, in units of a deal */
	Sum			money;			/* minor units at the value's scale */
} Cell;

typedef struct Credits
{
	int32		vl_len_;
	uint8		version;
	uint8		scale;
	uint16		models;
	uint32		capacity;		/* channels there is room for */
	uint32		text_used;
	uint32		text_size;
	/* sections follow, each aligned to 8 bytes */
} Credits;

/* Where the sections stand. */

#define HEADER_SIZE		MAXALIGN(sizeof(Credits))

static inline ModelSlot *
model_slots(const Credits *c)
{
	return (ModelSlot *) ((char *) c + HEADER_SIZE);
}

static inline char *
text_area(const Credits *c)
{
	return (char *) model_slots(c) + MAXALIGN(sizeof(ModelSlot) * c->models);
}

static inline Cell *
cells(const Credits *c)
{
	return (Cell *) (text_area(c) + MAXALIGN(c->text_size));
}

static inline Dictionary *
credits_channels(const Credits *c)
{
	return (Dictionary *) (cells(c) + (Size) c->capacity * c->models);
}

static inline Bytes
bytes_at(const Credits *c, TextRef ref)
{
	Bytes		result = {text_area(c) + ref.start, ref.len};

	return result;
}

extern void rtm_credits_out_of_range(void);

static inline void
add_to(Sum *sum, rtm_int128 value)
{
	rtm_int128	result;

	if (__builtin_add_overflow(sum_value(*sum), value, &result))
		rtm_credits_out_of_range();
	*sum = make_sum(result);
}

/*
 * A value with room for so many bytes of text about models, so many channels
 * and bytes of their names, and the contents of old, if any.
 */
extern Credits *rtm_make_credits(const Credits *old, int models, uint32 text, uint32 capacity,
								 uint32 names);

/* The caller has seen to the room. */
extern TextRef rtm_credits_text(Credits *c, const char *data, uint32 len);

/* The number of a channel, added if it is new; *cp may move. */
extern uint32 rtm_credits_channel(Credits **cp, const Bytes *name);

#endif							/* REVRTM_CREDITS_H */
