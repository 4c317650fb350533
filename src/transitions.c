/*-------------------------------------------------------------------------
 *
 * transitions.c
 *		transitions_agg and rollup: paths counted by state and what follows.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "path_count.h"
#include "transitions.h"

REVRTM_FUNCTION(revrtm_transitions_accum);
REVRTM_FUNCTION(revrtm_transitions_accum_path);
REVRTM_FUNCTION(revrtm_transitions_combine);

#define FIRST_STATES		16
#define FIRST_CELLS			64
#define FIRST_CHANNELS		8
#define FIRST_TEXT			128

/* Paths up to this many touches are worked on without palloc. */
#define SMALL_PATH			64

void
rtm_transitions_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("transitions out of range"),
			 errdetail("Paths are counted in 64 bits, amounts in 128 bits of minor units.")));
}

Transitions *
rtm_transitions(Datum value)
{
	Transitions *t = (Transitions *) PG_DETOAST_DATUM(value);

	if (t->version != TRANSITIONS_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("transitions of format %d cannot be read", t->version),
				 errhint("Aggregate the paths again.")));
	return t;
}

void
rtm_check_markov_order(int order)
{
	if (order < 1 || order > CHAIN_MAX_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("markov_order must be between 1 and %d", CHAIN_MAX_ORDER)));
}

/* ------------------------------------------------------------------- value */

static inline uint32
cell_place(uint64 key, uint32 room)
{
	return (uint32) ((key * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) & (room - 1);
}

/*
 * The cell, or the free slot where it belongs.
 */
static inline TransitionCell *
probe(const Transitions *t, uint64 key)
{
	TransitionCell *cells = transition_cells(t);
	uint32		h = cell_place(key, t->cell_room);

	while (cells[h].key != key && cells[h].key != 0)
		h = (h + 1) & (t->cell_room - 1);
	return &cells[h];
}

/*
 * A value with so much room, and the contents of old, if any.
 */
static Transitions *
make_transitions(const Transitions *old, uint32 state_room, uint32 cell_room, uint32 channels,
				 uint32 text)
{
	Size		size = MAXALIGN(sizeof(Transitions)) + sizeof(TransitionState) * (Size) state_room +
		sizeof(TransitionCell) * (Size) cell_room + dictionary_size(channels, text);
	Transitions *t;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are too many different transitions"),
				 errdetail("They would take %zu bytes.", size),
				 errhint("Use a lower markov_order, or group the channels.")));
	t = palloc0(size);
	if (old != NULL)
		*t = *old;
	SET_VARSIZE(t, size);
	t->state_room = state_room;
	t->cell_room = cell_room;
	if (old != NULL)
	{
		const TransitionCell *cell = transition_cells(old);

		memcpy(transition_states(t), transition_states(old),
			   sizeof(TransitionState) * old->states);
		for (uint32 i = 0; i < old->cell_room; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (cell[i].key != 0)
				*probe(t, cell[i].key) = cell[i];
		}
	}
	rtm_dictionary_init(transition_channels(t), old ? transition_channels(old) : NULL,
						channels, text);
	return t;
}

Transitions *
rtm_empty_transitions(int order, bool collapse)
{
	Transitions *t;

	rtm_check_markov_order(order);
	t = make_transitions(NULL, FIRST_STATES, FIRST_CELLS, FIRST_CHANNELS, FIRST_TEXT);
	t->version = TRANSITIONS_VERSION;
	t->order = order;
	t->collapse = collapse;
	t->scale = 2;
	t->states = 1;
	return t;
}

uint32
rtm_transitions_channel(Transitions **tp, const Bytes *name)
{
	Dictionary *d = transition_channels(*tp);
	uint32		number = rtm_dictionary_find(d, name);

	if (number != DICTIONARY_NONE)
		return number;
	if (!dictionary_has_room(d, name->len))
	{
		*tp = make_transitions(*tp, (*tp)->state_room, (*tp)->cell_room,
							   d->channels == d->capacity ? 2 * d->capacity : d->capacity,
							   2 * (d->text_used + name->len));
		d = transition_channels(*tp);
	}
	return rtm_dictionary_add(d, name);
}

TransitionCell *
rtm_transitions_cell(Transitions **tp, uint32 from, uint32 via)
{
	uint64		key = transition_key(from, via);
	TransitionCell *cell = probe(*tp, key);
	uint32		to = 0;

	if (cell->key == key)
		return cell;

	if (via >= VIA_CHANNEL)
	{
		TransitionState state = transition_states(*tp)[from];
		bool		full = state.length == (*tp)->order;

		CHECK_FOR_INTERRUPTS();
		if (!full)
			state.length++;
		memmove(state.channel + 1, state.channel, sizeof(uint32) * (state.length - 1));
		state.channel[0] = via - VIA_CHANNEL;
		if (full)
		{
			/* The first channel drops out: walk the others from the start. */
			for (uint32 i = state.length; i-- > 0;)
				to = rtm_transitions_cell(tp, to, VIA_CHANNEL + state.channel[i])->to;
		}
		else
		{
			if ((*tp)->states == (*tp)->state_room)
				*tp = make_transitions(*tp, 2 * (*tp)->state_room, (*tp)->cell_room,
									   transition_channels(*tp)->capacity,
									   transition_channels(*tp)->text_size);
			to = (*tp)->states++;
			state.amount = make_sum(0);
			transition_states(*tp)[to] = state;
		}
	}
	if (2 * ((*tp)->cells + 1) > (*tp)->cell_room)
		*tp = make_transitions(*tp, (*tp)->state_room, 2 * (*tp)->cell_room,
							   transition_channels(*tp)->capacity,
							   transition_channels(*tp)->text_size);
	(*tp)->cells++;
	cell = probe(*tp, key);
	cell->key = key;
	cell->to = to;
	return cell;
}

int64
rtm_transitions_count(const Transitions *t, uint32 from, uint32 via)
{
	return probe(t, transition_key(from, via))->count;
}

void
rtm_transitions_add_count(TransitionCell *cell, int64 count)
{
	if (pg_add_s64_overflow(cell->count, count, &cell->count))
		rtm_transitions_out_of_range();
}

void
rtm_transitions_add_amount(Transitions *t, uint32 state, rtm_int128 units, int scale)
{
	rtm_int128	sum;

	if (scale > t->scale)
	{
		for (uint32 i = 0; i < t->states; i++)
		{
			sum = sum_value(transition_states(t)[i].amount);
			if (!rtm_raise_units(&sum, t->scale, scale))
				rtm_transitions_out_of_range();
			transition_states(t)[i].amount = make_sum(sum);
		}
		t->scale = scale;
	}
	if (!rtm_raise_units(&units, scale, t->scale) ||
		__builtin_add_overflow(sum_value(transition_states(t)[state].amount), units, &sum))
		rtm_transitions_out_of_range();
	transition_states(t)[state].amount = make_sum(sum);
}

/* ------------------------------------------------------------- aggregation */

static Transitions *
read_state(FunctionCallInfo fcinfo)
{
	int			order = PG_NARGS() > 5 && !PG_ARGISNULL(5) ? PG_GETARG_INT32(5) : 1;
	bool		collapse = PG_NARGS() > 6 && !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	Transitions *t;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("transitions_agg can only be called as an aggregate")));
	if (PG_ARGISNULL(0))
		return rtm_empty_transitions(order, collapse);
	t = PG_GETARG_TRANSITIONS(0);
	if (t->order != order || t->collapse != collapse)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("markov_order and collapse must be the same in every row")));
	return t;
}

/*
 * Walk a path of channels and count its end.
 */
static Transitions *
add_path(Transitions *t, const uint32 *channel, uint32 n, const PathCount *row)
{
	uint32		state = 0;

	for (uint32 i = 0; i < n; i++)
	{
		uint64		key = transition_key(state, VIA_CHANNEL + channel[i]);
		TransitionCell *cell;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (t->collapse && i > 0 && channel[i] == channel[i - 1])
			continue;
		cell = probe(t, key);
		if (unlikely(cell->key == 0))
			cell = rtm_transitions_cell(&t, state, VIA_CHANNEL + channel[i]);
		if (unlikely(pg_add_s64_overflow(cell->count, row->count, &cell->count)))
			rtm_transitions_out_of_range();
		state = cell->to;
	}
	if (row->conversions > 0)
		rtm_transitions_add_count(rtm_transitions_cell(&t, state, VIA_CONVERSION),
								  row->conversions);
	if (row->nulls > 0)
		rtm_transitions_add_count(rtm_transitions_cell(&t, state, VIA_NULL), row->nulls);
	if (row->has_amount)
		rtm_transitions_add_amount(t, state, row->amount.negative ?
								   -(rtm_int128) row->amount.units : row->amount.units,
								   row->amount.scale);
	return t;
}

/*
 * Transition of transitions_agg over journeys.
 */
Datum
revrtm_transitions_accum(PG_FUNCTION_ARGS)
{
	Transitions *t = read_state(fcinfo);
	PathCount	row;
	Bytes		small_name[SMALL_PATH];
	uint32		small_number[SMALL_PATH];
	uint32		small_path[SMALL_PATH];
	uint32	   *number = small_number;
	uint32	   *path = small_path;
	JourneyReader reader = {0};

	rtm_read_path_count(fcinfo, &row);
	if (row.count == 0)
		PG_RETURN_POINTER(t);
	if (!PG_ARGISNULL(1))
		rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(1), small_name, SMALL_PATH);
	if (reader.channels > SMALL_PATH)
		number = palloc(sizeof(uint32) * reader.channels);
	if (reader.n > SMALL_PATH)
		path = palloc_extended(sizeof(uint32) * reader.n, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < reader.channels; i++)
		number[i] = rtm_transitions_channel(&t, &reader.name[i]);
	rtm_journey_codes(&reader, path);
	for (uint32 i = 0; i < reader.n; i++)
		path[i] = number[path[i]];
	PG_RETURN_POINTER(add_path(t, path, reader.n, &row));
}

/*
 * Transition of transitions_agg over arrays of channels.
 */
Datum
revrtm_transitions_accum_path(PG_FUNCTION_ARGS)
{
	Transitions *t = read_state(fcinfo);
	PathCount	row;
	uint32	   *path = NULL;
	int			n = 0;

	rtm_read_path_count(fcinfo, &row);
	if (row.count == 0)
		PG_RETURN_POINTER(t);
	if (!PG_ARGISNULL(1))
	{
		Bytes	   *name = rtm_path_names(PG_GETARG_ARRAYTYPE_P(1), &n);

		path = palloc_extended(sizeof(uint32) * Max(n, 1), MCXT_ALLOC_HUGE);
		for (int i = 0; i < n; i++)
			path[i] = rtm_transitions_channel(&t, &name[i]);
	}
	PG_RETURN_POINTER(add_path(t, path, n, &row));
}

/*
 * Combines two values; also the transition of rollup(transitions).
 */
Datum
revrtm_transitions_combine(PG_FUNCTION_ARGS)
{
	Transitions *a;
	const Transitions *b;
	const Dictionary *names;
	uint32	   *channel;
	uint32	   *state;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	b = PG_GETARG_TRANSITIONS(1);
	names = transition_channels(b);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(make_transitions(b, b->state_room, b->cell_room, names->capacity,
										   names->text_size));
	a = rtm_transitions(AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_DATUM(0) :
						PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))));
	if (a->order != b->order || a->collapse != b->collapse)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("transitions of different orders cannot be merged"),
				 errdetail("One has order %d and repeats %s, the other order %d and repeats %s.",
						   a->order, a->collapse ? "collapsed" : "kept",
						   b->order, b->collapse ? "collapsed" : "kept")));

	channel = palloc(sizeof(uint32) * Max(names->channels, 1));
	for (uint32 i = 0; i < names->channels; i++)
	{
		Bytes		name = dictionary_name(names, i);

		channel[i] = rtm_transitions_channel(&a, &name);
	}
	state = palloc_extended(sizeof(uint32) * b->states, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < b->states; i++)
	{
		const TransitionState *from = &transition_states(b)[i];

		CHECK_FOR_INTERRUPTS();
		state[i] = 0;
		for (uint32 k = from->length; k-- > 0;)
			state[i] = rtm_transitions_cell(&a, state[i],
											VIA_CHANNEL + channel[from->channel[k]])->to;
		rtm_transitions_add_amount(a, state[i], sum_value(from->amount), b->scale);
	}
	for (uint32 i = 0; i < b->cell_room; i++)
	{
		const TransitionCell *cell = &transition_cells(b)[i];
		uint32		via = cell_via(cell);

		CHECK_FOR_INTERRUPTS();
		if (cell->key == 0)
			continue;
		if (via >= VIA_CHANNEL)
			via = VIA_CHANNEL + channel[via - VIA_CHANNEL];
		rtm_transitions_add_count(rtm_transitions_cell(&a, state[cell_from(cell)], via),
								  cell->count);
	}
	PG_RETURN_POINTER(a);
}

/* ------------------------------------------------------------------- order */

typedef struct Ranking
{
	const Transitions *t;
	const uint32 *channel_rank;
} Ranking;

static int
compare_states(const void *left, const void *right, void *arg)
{
	const Ranking *ranking = arg;
	const TransitionState *a = &transition_states(ranking->t)[*(const uint32 *) left];
	const TransitionState *b = &transition_states(ranking->t)[*(const uint32 *) right];

	CHECK_FOR_INTERRUPTS();
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	for (uint32 k = a->length; k-- > 0;)
	{
		uint32		x = ranking->channel_rank[a->channel[k]];
		uint32		y = ranking->channel_rank[b->channel[k]];

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static inline uint32
via_rank(const TransitionOrder *o, const TransitionCell *cell)
{
	uint32		via = cell_via(cell);

	return via < VIA_CHANNEL ? via : VIA_CHANNEL + o->channel_rank[via - VIA_CHANNEL];
}

static inline uint32
from_rank(const TransitionOrder *o, const TransitionCell *cell)
{
	return o->state_rank[cell_from(cell)];
}

/*
 * Cells that count something by state and what follows: a radix sort, by the
 * second first.
 */
static void
sort_cells(const Transitions *t, TransitionOrder *o)
{
	const TransitionCell *cell = transition_cells(t);
	Size		vias = (Size) VIA_CHANNEL + transition_channels(t)->channels;
	uint32	   *by_via = palloc0(sizeof(uint32) * (vias + 1));
	uint32	   *by_state = palloc_extended(sizeof(uint32) * ((Size) t->states + 1),
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Size		size = sizeof(TransitionCell) * Max((Size) t->cells, 1);
	TransitionCell *half = palloc_extended(size, MCXT_ALLOC_HUGE);

	o->cell = palloc_extended(size, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < t->cell_room; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (cell[i].count == 0)
			continue;
		o->cells++;
		by_via[via_rank(o, &cell[i]) + 1]++;
		by_state[from_rank(o, &cell[i]) + 1]++;
	}
	for (Size r = 1; r < vias; r++)
		by_via[r] += by_via[r - 1];
	for (uint32 r = 1; r < t->states; r++)
		by_state[r] += by_state[r - 1];
	for (uint32 i = 0; i < t->cell_room; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (cell[i].count != 0)
			half[by_via[via_rank(o, &cell[i])]++] = cell[i];
	}
	for (uint32 i = 0; i < o->cells; i++)
	{
		CHECK_FOR_INTERRUPTS();
		o->cell[by_state[from_rank(o, &half[i])]++] = half[i];
	}
	pfree(half);
	pfree(by_via);
	pfree(by_state);
}

TransitionOrder *
rtm_order_transitions(const Transitions *t)
{
	uint32		channels = transition_channels(t)->channels;
	TransitionOrder *o = palloc0(sizeof(TransitionOrder));
	Ranking		ranking = {t, NULL};

	o->channel = rtm_dictionary_order(transition_channels(t));
	o->channel_rank = palloc(sizeof(uint32) * Max(channels, 1));
	for (uint32 i = 0; i < channels; i++)
		o->channel_rank[o->channel[i]] = i;

	ranking.channel_rank = o->channel_rank;
	o->state = palloc_extended(sizeof(uint32) * t->states, MCXT_ALLOC_HUGE);
	o->state_rank = palloc_extended(sizeof(uint32) * t->states, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < t->states; i++)
		o->state[i] = i;
	qsort_arg(o->state, t->states, sizeof(uint32), compare_states, &ranking);
	for (uint32 i = 0; i < t->states; i++)
		o->state_rank[o->state[i]] = i;

	sort_cells(t, o);
	return o;
}
