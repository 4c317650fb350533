/*-------------------------------------------------------------------------
 *
 * journey_agg.c
 *		journey_agg and rollup: the growing journey, and its packing.
 *
 * While it grows, a journey is one flat varlena: touches of fixed size from
 * the front, the bytes of names and ids from the back, free room between. It
 * lies in the aggregate's memory and is changed in place; when it is full it
 * is copied into one of twice the size, whose free room is inside VARSIZE,
 * because nodeAgg copies that many bytes and frees the old state. What lies at
 * the back is addressed by its distance from the end, which growth keeps.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attribution.h"
#include "journey.h"

#define JOURNEY_GROWING		0x80

/* How many of the latest names are searched before a name is added again. */
#define NAMES_SEARCHED		64

#define FIRST_SIZE			256

typedef struct GrowingTouch
{
	TimestampTz at;
	uint32		name : 28;		/* numbered by first appearance */
	uint32		milestone : 4;
	uint32		id;				/* distance of its bytes from the end; 0: none */
} GrowingTouch;

typedef struct GrowingJourney
{
	int32		vl_len_;
	uint8		format;			/* JOURNEY_GROWING */
	bool		untimed;
	uint16		unused;
	uint32		n;				/* touches, at the front */
	uint32		names;
	uint32		newest;			/* distance of the newest name from the end */
	uint32		back;			/* bytes used at the back */
	GrowingTouch touch[FLEXIBLE_ARRAY_MEMBER];
} GrowingJourney;

/* Names and ids at the back; names are chained from the newest. */
typedef struct BackEntry
{
	uint32		next;			/* distance from the end of the name before */
	uint32		len;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} BackEntry;

#define MAX_NAMES			(1 << 28)

REVRTM_FUNCTION(revrtm_journey_accum);
REVRTM_FUNCTION(revrtm_journey_rollup);
REVRTM_FUNCTION(revrtm_journey_final);

bool
rtm_journey_growing(struct varlena *value)
{
	return *(uint8 *) VARDATA_ANY(value) == JOURNEY_GROWING;
}

static inline BackEntry *
entry_at(GrowingJourney *state, uint32 distance)
{
	return (BackEntry *) ((char *) state + VARSIZE(state) - distance);
}

static GrowingJourney *
new_journey(Size size)
{
	GrowingJourney *state = palloc(size);

	memset(state, 0, sizeof(GrowingJourney));
	SET_VARSIZE(state, size);
	state->format = JOURNEY_GROWING;
	return state;
}

/*
 * Make room for one touch and bytes more at the back.
 */
static GrowingJourney *
reserve(GrowingJourney *state, Size bytes)
{
	Size		used = sizeof(GrowingJourney) + (Size) state->n * sizeof(GrowingTouch) + state->back;
	Size		needed = used + sizeof(GrowingTouch) + bytes;
	Size		size = VARSIZE(state);
	GrowingJourney *larger;

	if (needed <= size)
		return state;
	while (size < needed)
		size *= 2;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("journey of more than %u touches is too large", state->n),
				 errhint("Aggregate by deal, not over all touches.")));
	larger = new_journey(size);
	memcpy(&larger->format, &state->format, used - state->back - offsetof(GrowingJourney, format));
	memcpy((char *) larger + size - state->back,
		   (char *) state + VARSIZE(state) - state->back, state->back);
	return larger;
}

static Size
entry_size(uint32 len)
{
	return TYPEALIGN(sizeof(uint32), offsetof(BackEntry, data) + (Size) len);
}

/* The caller has reserved the room. */
static uint32
push_back(GrowingJourney *state, const Bytes *bytes, uint32 next)
{
	BackEntry  *entry;

	state->back += entry_size(bytes->len);
	entry = entry_at(state, state->back);
	entry->next = next;
	entry->len = bytes->len;
	memcpy(entry->data, bytes->data, bytes->len);
	return state->back;
}

/*
 * Add a touch; returns the state, which may have moved.
 */
static GrowingJourney *
add_touch(GrowingJourney *state, TimestampTz at, const Bytes *channel, uint32 milestone,
		  const Bytes *id)
{
	uint32		distance = state->newest;
	uint32		number = state->names;
	GrowingTouch *touch;

	for (int i = 0; i < NAMES_SEARCHED && distance != 0; i++)
	{
		BackEntry  *entry = entry_at(state, distance);

		number--;
		if (entry->len == channel->len && memcmp(entry->data, channel->data, channel->len) == 0)
			break;
		distance = entry->next;
		if (distance == 0 || i == NAMES_SEARCHED - 1)
			number = state->names;
	}
	if (number == state->names)
	{
		if (number == MAX_NAMES - 1)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("journey has too many channels")));
		state = reserve(state, entry_size(channel->len));
		state->newest = push_back(state, channel, state->newest);
		state->names++;
	}
	state = reserve(state, id->data ? entry_size(id->len) : 0);
	touch = &state->touch[state->n];
	touch->at = at;
	touch->name = number;
	touch->milestone = milestone;
	touch->id = id->data ? push_back(state, id, 0) : 0;
	state->n++;
	return state;
}

/*
 * Add all touches of a packed journey.
 */
static GrowingJourney *
add_journey(GrowingJourney *state, struct varlena *journey)
{
	JourneyReader reader;
	Touch	   *touch;

	rtm_journey_open(&reader, journey, NULL, 0);
	if (reader.n == 0)
		return state;
	if (state->n > 0 && (state->untimed || !reader.timed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("untimed journeys cannot be merged"),
				 errdetail("Without instants their touches have no order among each other.")));
	state->untimed = !reader.timed;
	touch = rtm_journey_touches(&reader);
	for (uint32 i = 0; i < reader.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		state = add_touch(state, touch[i].at, &reader.name[touch[i].channel],
						  touch[i].milestone, &touch[i].id);
	}
	pfree(touch);
	return state;
}

/*
 * The state to change: the aggregate's own, in place, or a new one.
 */
static GrowingJourney *
state_to_change(FunctionCallInfo fcinfo, const char *function)
{
	struct varlena *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s can only be called as an aggregate", function)));
	if (PG_ARGISNULL(0))
		return new_journey(FIRST_SIZE);
	state = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	if (!rtm_journey_growing(state))
		return add_journey(new_journey(FIRST_SIZE), state);
	return (GrowingJourney *) state;
}

/*
 * Transition of journey_agg(touched_at, channel [, milestone [, touch_id]]).
 */
Datum
revrtm_journey_accum(PG_FUNCTION_ARGS)
{
	GrowingJourney *state;
	Bytes		channel;
	Bytes		id = {NULL, 0};
	uint32		milestone = 0;
	TimestampTz at;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	state = state_to_change(fcinfo, "journey_agg");
	at = PG_GETARG_TIMESTAMPTZ(1);
	rtm_check_touched_at(at);
	if (state->untimed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a timed touch cannot be added to an untimed journey")));
	channel = rtm_channel_name(PG_ARGISNULL(2), PG_GETARG_DATUM(2));
	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
	{
		text	   *t = PG_GETARG_TEXT_PP(3);

		milestone = rtm_milestone_bits(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
	}
	if (PG_NARGS() > 4 && !PG_ARGISNULL(4))
	{
		text	   *t = PG_GETARG_TEXT_PP(4);

		id.data = VARDATA_ANY(t);
		id.len = VARSIZE_ANY_EXHDR(t);
	}
	PG_RETURN_POINTER(add_touch(state, at, &channel, milestone, &id));
}

/*
 * Transition of rollup(journey).
 */
Datum
revrtm_journey_rollup(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	PG_RETURN_POINTER(add_journey(state_to_change(fcinfo, "rollup"), PG_GETARG_JOURNEY_P(1)));
}

struct varlena *
rtm_journey_finish(struct varlena *value)
{
	GrowingJourney *state;
	Touch	   *touch;
	Bytes	   *name;
	uint32		number;

	if (!rtm_journey_growing(value))
		return value;

	state = (GrowingJourney *) PG_DETOAST_DATUM(PointerGetDatum(value));
	touch = palloc_extended(sizeof(Touch) * Max((Size) state->n, 1), MCXT_ALLOC_HUGE);
	name = palloc_extended(sizeof(Bytes) * Max((Size) state->names, 1), MCXT_ALLOC_HUGE);
	number = state->names;
	for (uint32 distance = state->newest; distance != 0;)
	{
		BackEntry  *entry = entry_at(state, distance);

		number--;
		name[number].data = entry->data;
		name[number].len = entry->len;
		distance = entry->next;
	}
	for (uint32 i = 0; i < state->n; i++)
	{
		const GrowingTouch *t = &state->touch[i];

		touch[i].at = t->at;
		touch[i].channel = t->name;
		touch[i].milestone = t->milestone;
		touch[i].id.data = NULL;
		touch[i].id.len = 0;
		if (t->id != 0)
		{
			BackEntry  *entry = entry_at(state, t->id);

			touch[i].id.data = entry->data;
			touch[i].id.len = entry->len;
		}
	}
	return rtm_journey_pack(touch, state->n, name, state->names, !state->untimed);
}

/*
 * Final function of journey_agg and rollup; the state is left as it is.
 */
Datum
revrtm_journey_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(rtm_journey_finish(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0))));
}
