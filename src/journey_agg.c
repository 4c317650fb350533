/*-------------------------------------------------------------------------
 *
 * journey_agg.c
 *		journey_agg and rollup: the growing journey, and its packing.
 *
 * While it grows, a journey is one flat varlena: a header and the touches as
 * they came, one behind the other, free room at the end. It lies in the
 * aggregate's memory and is changed in place; when it is full it is copied
 * into one of twice the size, whose free room is inside VARSIZE, because
 * nodeAgg copies that many bytes and frees the old state.
 *
 * Grouping many deals is bound by cache misses, so a touch is only appended:
 * names are compared with the one before, and made unique when all is packed.
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

/* Room for some ten touches, as most deals have. */
#define FIRST_SIZE			256

/*
 * A touch is its instant (8 bytes), a byte of milestone bits and the flags
 * below, then its channel and its id, each a length (2 bytes) and the bytes.
 */
#define SAME_CHANNEL		0x10	/* as the touch before: left out */
#define HAS_ID				0x20
#define FIXED_BYTES			(sizeof(TimestampTz) + 1)
#define TEXT_BYTES(len)		(sizeof(uint16) + (len))
StaticAssertDecl(JOURNEY_MAX_NAME <= PG_UINT16_MAX && JOURNEY_MAX_ID <= PG_UINT16_MAX,
				 "lengths must fit two bytes");

typedef struct GrowingJourney
{
	int32		vl_len_;
	uint8		format;			/* JOURNEY_GROWING */
	bool		untimed;
	uint16		unused;
	uint32		n;				/* touches */
	uint32		names;			/* channels written out */
	uint32		used;			/* bytes of data */
	uint32		channel;		/* where in data the last channel stands */
	char		data[FLEXIBLE_ARRAY_MEMBER];
} GrowingJourney;

REVRTM_FUNCTION(revrtm_journey_accum);
REVRTM_FUNCTION(revrtm_journey_rollup);
REVRTM_FUNCTION(revrtm_journey_final);

static inline bool
is_growing(struct varlena *value)
{
	return *(uint8 *) VARDATA_ANY(value) == JOURNEY_GROWING;
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
 * Make room for so many bytes more.
 */
static inline GrowingJourney *
reserve(GrowingJourney *state, Size bytes)
{
	Size		used = offsetof(GrowingJourney, data) + state->used;
	Size		size = VARSIZE(state);
	GrowingJourney *larger;

	if (likely(used + bytes <= size))
		return state;
	while (size < used + bytes)
		size *= 2;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("journey of more than %u touches is too large", state->n),
				 errhint("Aggregate by deal, not over all touches.")));
	larger = new_journey(size);
	memcpy(&larger->format, &state->format, used - offsetof(GrowingJourney, format));
	return larger;
}

static inline Bytes
get_text(const char *p)
{
	uint16		len;
	Bytes		result;

	memcpy(&len, p, sizeof(len));
	result.data = p + sizeof(len);
	result.len = len;
	return result;
}

static inline char *
put_text(char *p, const Bytes *text)
{
	uint16		len = (uint16) text->len;

	memcpy(p, &len, sizeof(len));
	memcpy(p + sizeof(len), text->data, text->len);
	return p + TEXT_BYTES(text->len);
}

/*
 * Add a touch; returns the state, which may have moved.
 */
static inline GrowingJourney *
add_touch(GrowingJourney *state, TimestampTz at, const Bytes *channel, uint32 milestone,
		  const Bytes *id)
{
	uint8		flags = (uint8) milestone;
	char	   *p;

	if (state->n > 0)
	{
		Bytes		before = get_text(state->data + state->channel);

		if (before.len == channel->len && memcmp(before.data, channel->data, before.len) == 0)
			flags |= SAME_CHANNEL;
	}
	if (id->data != NULL)
		flags |= HAS_ID;

	state = reserve(state, FIXED_BYTES + TEXT_BYTES(channel->len) +
					(id->data ? TEXT_BYTES(id->len) : 0));
	p = state->data + state->used;
	memcpy(p, &at, sizeof(at));
	p += sizeof(at);
	*p++ = (char) flags;
	if (!(flags & SAME_CHANNEL))
	{
		state->channel = (uint32) (p - state->data);
		state->names++;
		p = put_text(p, channel);
	}
	if (flags & HAS_ID)
		p = put_text(p, id);
	state->used = (uint32) (p - state->data);
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
static inline GrowingJourney *
state_to_change(FunctionCallInfo fcinfo, const char *function)
{
	struct varlena *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s can only be called as an aggregate", function)));
	if (PG_ARGISNULL(0))
		return new_journey(FIRST_SIZE);
	state = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(0));
	if (VARATT_IS_EXTENDED(state))
		state = PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	if (!is_growing(state))
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
		rtm_check_touch_id(&id);
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
	const char *p;
	uint32		names = 0;

	if (likely(!is_growing(value)))
		return value;

	state = (GrowingJourney *) PG_DETOAST_DATUM(PointerGetDatum(value));
	touch = palloc_extended(sizeof(Touch) * Max((Size) state->n, 1), MCXT_ALLOC_HUGE);
	name = palloc_extended(sizeof(Bytes) * Max((Size) state->names, 1), MCXT_ALLOC_HUGE);
	p = state->data;
	for (uint32 i = 0; i < state->n; i++)
	{
		uint8		flags = (uint8) p[sizeof(TimestampTz)];

		memcpy(&touch[i].at, p, sizeof(TimestampTz));
		p += FIXED_BYTES;
		if (!(flags & SAME_CHANNEL))
		{
			name[names] = get_text(p);
			p += TEXT_BYTES(name[names++].len);
		}
		touch[i].channel = names - 1;
		touch[i].milestone = flags & MILESTONE_ALL;
		touch[i].id.data = NULL;
		touch[i].id.len = 0;
		if (flags & HAS_ID)
		{
			touch[i].id = get_text(p);
			p += TEXT_BYTES(touch[i].id.len);
		}
	}
	return rtm_journey_pack(touch, state->n, name, names, true, !state->untimed);
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
