/*-------------------------------------------------------------------------
 *
 * journey_agg.c
 *		journey_agg and rollup: the growing journey, and its packing.
 *
 * While it grows, a journey is one flat varlena: touches of fixed size from
 * the front, names and ids from the back, free room between. It lies in the
 * aggregate's memory and is changed in place; when it is full it is copied
 * into one of twice the size, whose free room is inside VARSIZE, because
 * nodeAgg copies that many bytes and frees the old state. What lies at the
 * back is addressed by its distance from the end, which growth keeps.
 *
 * Grouping many deals is bound by memory, so the state is small and unaligned:
 * ten touches of six channels fit into its first 256 bytes.
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
#define MAX_NAMES			(1 << 28)

/*
 * In front stand the touches: the instant, and the number of the name << 4 |
 * milestone bits; with ids, the distance of the id from the end, 0 for none.
 */
#define TOUCH_BYTES			(sizeof(TimestampTz) + sizeof(uint32))
#define ID_BYTES			sizeof(uint32)

typedef struct GrowingJourney
{
	int32		vl_len_;
	uint8		format;			/* JOURNEY_GROWING */
	bool		untimed;
	bool		has_ids;
	bool		repeats;		/* a name may stand in it twice */
	uint32		n;				/* touches, at the front */
	uint32		names;
	uint32		back;			/* bytes used at the back */
	char		front[FLEXIBLE_ARRAY_MEMBER];
} GrowingJourney;

/*
 * Behind, newest first: two bytes, length << 1 | is it an id, and the bytes.
 */
#define ENTRY_BYTES(len)	(sizeof(uint16) + (len))
StaticAssertDecl(JOURNEY_MAX_NAME <= PG_INT16_MAX && JOURNEY_MAX_ID <= PG_INT16_MAX,
				 "lengths must fit an entry");

REVRTM_FUNCTION(revrtm_journey_accum);
REVRTM_FUNCTION(revrtm_journey_rollup);
REVRTM_FUNCTION(revrtm_journey_final);

static inline bool
is_growing(struct varlena *value)
{
	return *(uint8 *) VARDATA_ANY(value) == JOURNEY_GROWING;
}

static inline Size
touch_bytes(const GrowingJourney *state)
{
	return state->has_ids ? TOUCH_BYTES + ID_BYTES : TOUCH_BYTES;
}

/* The entry at a distance from the end. */
static inline Bytes
read_entry(const GrowingJourney *state, uint32 distance, bool *is_id)
{
	const char *p = (const char *) state + VARSIZE(state) - distance;
	uint16		head;
	Bytes		result;

	memcpy(&head, p, sizeof(head));
	*is_id = head & 1;
	result.data = p + sizeof(head);
	result.len = head >> 1;
	return result;
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
static GrowingJourney *
reserve(GrowingJourney *state, Size bytes)
{
	Size		front = offsetof(GrowingJourney, front) + state->n * touch_bytes(state);
	Size		needed = front + bytes + state->back;
	Size		size = VARSIZE(state);
	GrowingJourney *larger;

	if (likely(needed <= size))
		return state;
	while (size < needed)
		size *= 2;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("journey of more than %u touches is too large", state->n),
				 errhint("Aggregate by deal, not over all touches.")));
	larger = new_journey(size);
	memcpy(&larger->format, &state->format, front - offsetof(GrowingJourney, format));
	memcpy((char *) larger + size - state->back,
		   (char *) state + VARSIZE(state) - state->back, state->back);
	return larger;
}

/* The caller has reserved the room. */
static inline uint32
push_back(GrowingJourney *state, const Bytes *bytes, bool is_id)
{
	uint16		head = (uint16) (bytes->len << 1 | is_id);
	char	   *p;

	state->back += ENTRY_BYTES(bytes->len);
	p = (char *) state + VARSIZE(state) - state->back;
	memcpy(p, &head, sizeof(head));
	memcpy(p + sizeof(head), bytes->data, bytes->len);
	return state->back;
}

/*
 * The number of a name among the latest ones, or that of a new one.
 */
static inline uint32
find_name(const GrowingJourney *state, const Bytes *name)
{
	char		last = name->len > 0 ? name->data[name->len - 1] : '\0';
	uint32		number = state->names;
	uint32		oldest = number > NAMES_SEARCHED ? number - NAMES_SEARCHED : 0;
	uint32		distance = state->back;

	while (number > oldest)
	{
		bool		is_id;
		Bytes		entry = read_entry(state, distance, &is_id);

		distance -= ENTRY_BYTES(entry.len);
		if (is_id)
			continue;
		number--;
		/* Names of channels differ at their ends more often than before. */
		if (entry.len == name->len &&
			(entry.len == 0 || entry.data[entry.len - 1] == last) &&
			memcmp(entry.data, name->data, name->len) == 0)
			return number;
	}
	return state->names;
}

/*
 * The state with room for ids beside its touches.
 */
static GrowingJourney *
widen(GrowingJourney *state)
{
	state = reserve(state, state->n * ID_BYTES);
	for (uint32 i = state->n; i-- > 0;)
	{
		memmove(state->front + i * (TOUCH_BYTES + ID_BYTES), state->front + i * TOUCH_BYTES,
				TOUCH_BYTES);
		memset(state->front + i * (TOUCH_BYTES + ID_BYTES) + TOUCH_BYTES, 0, ID_BYTES);
	}
	state->has_ids = true;
	return state;
}

/*
 * Add a touch; returns the state, which may have moved.
 */
static inline GrowingJourney *
add_touch(GrowingJourney *state, TimestampTz at, const Bytes *channel, uint32 milestone,
		  const Bytes *id)
{
	uint32		number = find_name(state, channel);
	bool		is_new = number == state->names;
	uint32		packed;
	char	   *p;

	if (id->data != NULL && !state->has_ids)
		state = widen(state);
	state = reserve(state, touch_bytes(state) + (is_new ? ENTRY_BYTES(channel->len) : 0) +
					(id->data ? ENTRY_BYTES(id->len) : 0));
	if (is_new)
	{
		if (number == MAX_NAMES - 1)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("journey has too many channels")));
		push_back(state, channel, false);
		state->names++;
		state->repeats = state->names > NAMES_SEARCHED;
	}
	packed = number << 4 | milestone;
	p = state->front + state->n * touch_bytes(state);
	memcpy(p, &at, sizeof(at));
	memcpy(p + sizeof(at), &packed, sizeof(packed));
	if (state->has_ids)
	{
		uint32		distance = id->data ? push_back(state, id, true) : 0;

		memcpy(p + TOUCH_BYTES, &distance, sizeof(distance));
	}
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

/*
 * The names in order of their numbers.
 */
static Bytes *
names_of(const GrowingJourney *state)
{
	Bytes	   *name = palloc_extended(sizeof(Bytes) * Max((Size) state->names, 1),
									   MCXT_ALLOC_HUGE);
	uint32		number = state->names;

	for (uint32 distance = state->back; number > 0;)
	{
		bool		is_id;
		Bytes		entry = read_entry(state, distance, &is_id);

		distance -= ENTRY_BYTES(entry.len);
		if (!is_id)
			name[--number] = entry;
	}
	return name;
}

struct varlena *
rtm_journey_finish(struct varlena *value)
{
	GrowingJourney *state;
	Touch	   *touch;
	Size		width;

	if (likely(!is_growing(value)))
		return value;

	state = (GrowingJourney *) PG_DETOAST_DATUM(PointerGetDatum(value));
	width = touch_bytes(state);
	touch = palloc_extended(sizeof(Touch) * Max((Size) state->n, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < state->n; i++)
	{
		const char *p = state->front + i * width;
		uint32		packed;
		uint32		distance = 0;
		bool		is_id;

		memcpy(&touch[i].at, p, sizeof(TimestampTz));
		memcpy(&packed, p + sizeof(TimestampTz), sizeof(packed));
		if (state->has_ids)
			memcpy(&distance, p + TOUCH_BYTES, sizeof(distance));
		touch[i].channel = packed >> 4;
		touch[i].milestone = packed & 0x0F;
		touch[i].id.data = NULL;
		touch[i].id.len = 0;
		if (distance != 0)
			touch[i].id = read_entry(state, distance, &is_id);
	}
	return rtm_journey_pack(touch, state->n, names_of(state), state->names, state->repeats,
							!state->untimed);
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
