/*-------------------------------------------------------------------------
 *
 * coalitions.c
 *		coalitions_agg and rollup: paths counted by the set of their channels.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "coalitions.h"
#include "path_count.h"

REVRTM_FUNCTION(revrtm_coalitions_accum);
REVRTM_FUNCTION(revrtm_coalitions_accum_path);
REVRTM_FUNCTION(revrtm_coalitions_combine);

#define FIRST_SETS			16
#define FIRST_MEMBERS		64
#define FIRST_CHANNELS		8
#define FIRST_TEXT			128

/* Journeys of up to this many channels are worked on without palloc. */
#define SMALL_SET			64

void
rtm_coalitions_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("coalitions out of range"),
			 errdetail("Paths are counted in 64 bits, amounts in 128 bits of minor units.")));
}

Coalitions *
rtm_coalitions(Datum value)
{
	Coalitions *c = (Coalitions *) PG_DETOAST_DATUM(value);

	if (c->version != COALITIONS_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("coalitions of format %d cannot be read", c->version),
				 errhint("Aggregate the paths again.")));
	return c;
}

/* ------------------------------------------------------------------- value */

/*
 * A value with so much room, and the contents of old, if any.
 */
static Coalitions *
make_coalitions(const Coalitions *old, uint32 set_room, Size member_room, uint32 channels,
				uint32 text)
{
	Size		size = MAXALIGN(sizeof(Coalitions)) +
		(sizeof(CoalitionSet) + 2 * sizeof(uint32)) * (Size) set_room +
		sizeof(uint32) * member_room + dictionary_size(channels, text);
	Coalitions *c;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are too many different sets of channels"),
				 errdetail("They would take %zu bytes.", size),
				 errhint("Group the channels.")));
	c = palloc0(size);
	if (old != NULL)
		*c = *old;
	SET_VARSIZE(c, size);
	c->set_room = set_room;
	c->member_room = (uint32) member_room;
	if (old != NULL)
	{
		memcpy(coalition_sets(c), coalition_sets(old), sizeof(CoalitionSet) * old->sets);
		memcpy(coalition_members(c), coalition_members(old), sizeof(uint32) * old->members);
	}
	for (uint32 i = 0; i < c->sets; i++)
	{
		uint32		h = coalition_sets(c)[i].hash & (2 * set_room - 1);

		while (coalition_table(c)[h] != 0)
			h = (h + 1) & (2 * set_room - 1);
		coalition_table(c)[h] = i + 1;
	}
	rtm_dictionary_init(coalition_channels(c), old ? coalition_channels(old) : NULL,
						channels, text);
	return c;
}

Coalitions *
rtm_empty_coalitions(void)
{
	Coalitions *c = make_coalitions(NULL, FIRST_SETS, FIRST_MEMBERS, FIRST_CHANNELS, FIRST_TEXT);

	c->version = COALITIONS_VERSION;
	c->scale = 2;
	return c;
}

uint32
rtm_coalitions_channel(Coalitions **cp, const Bytes *name)
{
	Dictionary *d = coalition_channels(*cp);
	uint32		number = rtm_dictionary_find(d, name);

	if (number != DICTIONARY_NONE)
		return number;
	if (!dictionary_has_room(d, name->len))
	{
		*cp = make_coalitions(*cp, (*cp)->set_room, (*cp)->member_room,
							  d->channels == d->capacity ? 2 * d->capacity : d->capacity,
							  2 * (d->text_used + name->len));
		d = coalition_channels(*cp);
	}
	return rtm_dictionary_add(d, name);
}

static int
compare_members(const void *left, const void *right)
{
	uint32		a = *(const uint32 *) left;
	uint32		b = *(const uint32 *) right;

	CHECK_FOR_INTERRUPTS();
	return (a > b) - (a < b);
}

CoalitionSet *
rtm_coalition(Coalitions **cp, uint32 *member, uint32 n)
{
	Coalitions *c = *cp;
	uint32		size = 0;
	uint32		hash;
	uint32		mask = 2 * c->set_room - 1;
	uint32		h;
	CoalitionSet *set;

	if (n > 1)
		qsort(member, n, sizeof(uint32), compare_members);
	for (uint32 i = 0; i < n; i++)
	{
		if (i == 0 || member[i] != member[i - 1])
			member[size++] = member[i];
	}

	hash = hash_bytes((const unsigned char *) member, sizeof(uint32) * size);
	for (h = hash & mask; coalition_table(c)[h] != 0; h = (h + 1) & mask)
	{
		set = &coalition_sets(c)[coalition_table(c)[h] - 1];
		if (set->hash == hash && set->size == size &&
			memcmp(coalition_members(c) + set->first, member, sizeof(uint32) * size) == 0)
			return set;
	}

	if (c->sets == c->set_room || c->member_room - c->members < size)
	{
		*cp = c = make_coalitions(c, c->sets == c->set_room ? 2 * c->set_room : c->set_room,
								  c->member_room - c->members < size ?
								  2 * ((Size) c->members + size) : c->member_room,
								  coalition_channels(c)->capacity,
								  coalition_channels(c)->text_size);
		mask = 2 * c->set_room - 1;
		for (h = hash & mask; coalition_table(c)[h] != 0;)
			h = (h + 1) & mask;
	}
	set = &coalition_sets(c)[c->sets++];
	coalition_table(c)[h] = c->sets;
	set->first = c->members;
	set->size = size;
	set->hash = hash;
	memcpy(coalition_members(c) + c->members, member, sizeof(uint32) * size);
	c->members += size;
	return set;
}

void
rtm_coalitions_raise_scale(Coalitions *c, int scale)
{
	if (scale <= c->scale)
		return;
	for (uint32 i = 0; i < c->sets; i++)
	{
		rtm_int128	sum = sum_value(coalition_sets(c)[i].amount);

		if (!rtm_raise_units(&sum, c->scale, scale))
			rtm_coalitions_out_of_range();
		coalition_sets(c)[i].amount = make_sum(sum);
	}
	c->scale = scale;
}

/*
 * Add counts to a set; units of the amount are of the value's scale.
 */
static void
add_counts(CoalitionSet *set, int64 conversions, int64 nulls, rtm_int128 units)
{
	rtm_int128	sum;

	if (pg_add_s64_overflow(set->conversions, conversions, &set->conversions) ||
		pg_add_s64_overflow(set->nulls, nulls, &set->nulls) ||
		__builtin_add_overflow(sum_value(set->amount), units, &sum))
		rtm_coalitions_out_of_range();
	set->amount = make_sum(sum);
}

/* ------------------------------------------------------------- aggregation */

static Coalitions *
read_state(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("coalitions_agg can only be called as an aggregate")));
	return PG_ARGISNULL(0) ? rtm_empty_coalitions() : PG_GETARG_COALITIONS(0);
}

static Coalitions *
add_path(Coalitions *c, uint32 *member, uint32 n, const PathCount *row)
{
	CoalitionSet *set = rtm_coalition(&c, member, n);
	rtm_int128	units = 0;

	if (row->has_amount)
	{
		rtm_coalitions_raise_scale(c, row->amount.scale);
		units = row->amount.negative ? -(rtm_int128) row->amount.units : row->amount.units;
		if (!rtm_raise_units(&units, row->amount.scale, c->scale))
			rtm_coalitions_out_of_range();
	}
	add_counts(set, row->conversions, row->nulls, units);
	return c;
}

/*
 * Transition of coalitions_agg over journeys.
 */
Datum
revrtm_coalitions_accum(PG_FUNCTION_ARGS)
{
	Coalitions *c = read_state(fcinfo);
	PathCount	row;
	Bytes		small_name[SMALL_SET];
	uint32		small_member[SMALL_SET];
	uint32	   *member = small_member;
	JourneyReader reader = {0};

	rtm_read_path_count(fcinfo, &row);
	if (row.count == 0)
		PG_RETURN_POINTER(c);
	if (!PG_ARGISNULL(1))
		rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(1), small_name, SMALL_SET);
	if (reader.channels > SMALL_SET)
		member = palloc(sizeof(uint32) * reader.channels);
	for (uint32 i = 0; i < reader.channels; i++)
		member[i] = rtm_coalitions_channel(&c, &reader.name[i]);
	PG_RETURN_POINTER(add_path(c, member, reader.channels, &row));
}

/*
 * Transition of coalitions_agg over arrays of channels.
 */
Datum
revrtm_coalitions_accum_path(PG_FUNCTION_ARGS)
{
	Coalitions *c = read_state(fcinfo);
	PathCount	row;
	uint32	   *member = NULL;
	int			n = 0;

	rtm_read_path_count(fcinfo, &row);
	if (row.count == 0)
		PG_RETURN_POINTER(c);
	if (!PG_ARGISNULL(1))
	{
		Bytes	   *name = rtm_path_names(PG_GETARG_ARRAYTYPE_P(1), &n);

		member = palloc_extended(sizeof(uint32) * Max(n, 1), MCXT_ALLOC_HUGE);
		for (int i = 0; i < n; i++)
			member[i] = rtm_coalitions_channel(&c, &name[i]);
	}
	PG_RETURN_POINTER(add_path(c, member, n, &row));
}

/*
 * Combines two values; also the transition of rollup(coalitions).
 */
Datum
revrtm_coalitions_combine(PG_FUNCTION_ARGS)
{
	Coalitions *a;
	const Coalitions *b;
	const Dictionary *names;
	uint32	   *channel;
	uint32	   *member;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	b = PG_GETARG_COALITIONS(1);
	names = coalition_channels(b);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(make_coalitions(b, b->set_room, b->member_room, names->capacity,
										  names->text_size));
	a = rtm_coalitions(AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_DATUM(0) :
					   PointerGetDatum(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0))));
	rtm_coalitions_raise_scale(a, b->scale);
	channel = palloc(sizeof(uint32) * Max(names->channels, 1));
	member = palloc(sizeof(uint32) * Max(names->channels, 1));
	for (uint32 i = 0; i < names->channels; i++)
	{
		Bytes		name = dictionary_name(names, i);

		channel[i] = rtm_coalitions_channel(&a, &name);
	}
	for (uint32 i = 0; i < b->sets; i++)
	{
		const CoalitionSet *set = &coalition_sets(b)[i];
		rtm_int128	units = sum_value(set->amount);

		CHECK_FOR_INTERRUPTS();
		for (uint32 k = 0; k < set->size; k++)
			member[k] = channel[coalition_members(b)[set->first + k]];
		if (!rtm_raise_units(&units, b->scale, a->scale))
			rtm_coalitions_out_of_range();
		add_counts(rtm_coalition(&a, member, set->size), set->conversions, set->nulls, units);
	}
	PG_RETURN_POINTER(a);
}
