/*-------------------------------------------------------------------------
 *
 * journey.h
 *		The packed journey: the touches of a deal in canonical order.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_JOURNEY_H
#define REVRTM_JOURNEY_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "utils/array.h"

/* What a deal without touches is credited to, and a touch without channel. */
#define CHANNEL_UNATTRIBUTED	"(unattributed)"
#define CHANNEL_NONE			"(none)"

/* A journey has fewer distinct channels than this, with shorter names. */
#define JOURNEY_MAX_CHANNELS	65535
#define JOURNEY_MAX_NAME		1024
#define JOURNEY_MAX_ID			1024

typedef struct Bytes
{
	const char *data;
	uint32		len;
} Bytes;

/* A touch on its way into a journey. */
typedef struct Touch
{
	TimestampTz at;
	uint32		channel;		/* index into an array of names */
	uint32		milestone;		/* MILESTONE_ bits */
	Bytes		id;				/* data NULL: none */
} Touch;

/* A packed journey, opened for reading. */
typedef struct JourneyReader
{
	uint32		n;
	uint32		channels;
	bool		timed;
	Bytes	   *name;			/* by channel */
	const uint8 *channel;		/* code_width bytes each */
	int			code_width;
	const uint8 *milestone;		/* NULL: none holds one */
	TimestampTz first;
	int64		tick;			/* microseconds */
	const uint8 *delta;			/* delta_width bytes each, in ticks */
	int			delta_width;
	const uint8 *ids;			/* NULL: no ids */
	const uint8 *end;
} JourneyReader;

/* Fills one column; the caller's array has room for reader->n. */
extern void rtm_journey_times(const JourneyReader *reader, TimestampTz *at);
extern void rtm_journey_codes(const JourneyReader *reader, uint32 *channel);

/* Names go to the caller's array where it has room for them. */
extern void rtm_journey_open(JourneyReader *reader, struct varlena *journey, Bytes *name,
							 uint32 room);

/* All touches; their names and ids point into the journey. */
extern Touch *rtm_journey_touches(const JourneyReader *reader);

/*
 * Sorts touches into canonical order and packs them; touches is changed.
 * repeats: the same name may stand in name[] more than once.
 */
extern struct varlena *rtm_journey_pack(Touch *touches, uint32 n, const Bytes *name,
										uint32 names, bool repeats, bool timed);

/* The packed form of a value that may still be a growing aggregate state. */
extern struct varlena *rtm_journey_finish(struct varlena *value);

/* Milestones as they are written: FT, LC, OC, CW. */
typedef struct MilestoneCode
{
	char		code[3];
	uint8		bit;
} MilestoneCode;

#define MILESTONES	4

extern const MilestoneCode rtm_milestones[MILESTONES];

/* The bit of one code; 0 for none. */
extern uint32 rtm_milestone_bit(const char *code, size_t len);

/* Reads "FT|LC|OC|CW"; an unknown code is an error. */
extern uint32 rtm_milestone_bits(const char *text, size_t len);

/* A channel as callers pass it: checked, and (none) for NULL. */
extern Bytes rtm_channel_name(bool isnull, Datum channel);

/* The channels of a path, checked. */
extern Bytes *rtm_path_names(ArrayType *path, int *n);
extern void rtm_check_touched_at(TimestampTz at);
extern void rtm_check_touch_id(const Bytes *id);

#define PG_GETARG_JOURNEY_P(n) \
	rtm_journey_finish(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n)))

#endif							/* REVRTM_JOURNEY_H */
