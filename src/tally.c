/*-------------------------------------------------------------------------
 *
 * tally.c
 *		tally_agg, rollup, and what all that count by month share.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"

#include "tally.h"

/* Of a group's first state; a power of two. */
#define FIRST_SLOTS			4

/* Kinds whose slots are neighbours. */
#define NEAR_KINDS			32

REVRTM_FUNCTION(revrtm_tally_accum);
REVRTM_FUNCTION(revrtm_tally_combine);
REVRTM_FUNCTION(revrtm_tally_final);

Tally *
rtm_make_tally(uint32 entries)
{
	Size		size = TALLY_SIZE(entries);
	Tally	   *t = palloc0(size);

	SET_VARSIZE(t, size);
	t->version = TALLY_VERSION;
	t->slots = entries;
	return t;
}

/* ----------------------------------------------------------- hash table */

/*
 * The slot of a month and kind, or the free one for it. The first kinds of a
 * month, which most deals add to, stand side by side.
 */
static inline TallyEntry *
find_slot(Tally *t, int32 month, int32 kind)
{
	uint64		key = (uint64) (uint32) month << 32 | (uint32) kind / NEAR_KINDS;
	uint32		mask = t->slots - 1;
	uint32		i = (uint32) (key * UINT64CONST(0x9E3779B97F4A7C15) >> 40) + kind % NEAR_KINDS;

	for (i &= mask; t->entry[i].month != 0; i = (i + 1) & mask)
	{
		if (t->entry[i].month == month && t->entry[i].kind == kind)
			break;
	}
	return &t->entry[i];
}

static Tally *
make_table(const Tally *from, Size slots)
{
	Tally	   *t;

	if (slots > TALLY_MOST)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a tally has too many months and kinds")));
	t = rtm_make_tally(slots);
	t->hashed = true;
	if (from != NULL)
	{
		for (uint32 i = 0; i < from->slots; i++)
		{
			if (from->entry[i].month != 0)
				*find_slot(t, from->entry[i].month, from->entry[i].kind) = from->entry[i];
		}
		t->used = from->used;
	}
	return t;
}

Tally *
rtm_tally_state(FunctionCallInfo fcinfo, const char *aggregate)
{
	Tally	   *t;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s can only be called as an aggregate", aggregate)));
	if (PG_ARGISNULL(0))
		return make_table(NULL, FIRST_SLOTS);
	t = (Tally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	if (!t->hashed)
	{
		Size		slots = FIRST_SLOTS;

		while (slots < (Size) t->used * 2)
			slots *= 2;
		t = make_table(t, slots);
	}
	return t;
}

Tally *
rtm_tally_add(Tally *t, int32 month, int32 kind, rtm_int128 value)
{
	TallyEntry *e;
	rtm_int128	sum;

	if (value == 0)
		return t;
	e = find_slot(t, month, kind);
	if (e->month == 0)
	{
		/* Up to three quarters full. */
		if (unlikely(t->used >= t->slots - t->slots / 4))
		{
			CHECK_FOR_INTERRUPTS();
			t = make_table(t, (Size) t->slots * 2);
			e = find_slot(t, month, kind);
		}
		t->used++;
		e->month = month;
		e->kind = kind;
	}
	sum = sum_value(e->sum);
	rtm_add_sum(&sum, value, false);
	e->sum = make_sum(sum);
	return t;
}

static int
compare_entries(const void *left, const void *right)
{
	const TallyEntry *a = left;
	const TallyEntry *b = right;

	if (a->month != b->month)
		return a->month < b->month ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

const Tally *
rtm_pack_tally(const Tally *t)
{
	Tally	   *packed;
	uint32		n = 0;

	if (!t->hashed)
		return t;
	packed = rtm_make_tally(t->used);
	for (uint32 i = 0; i < t->slots; i++)
	{
		if (t->entry[i].month != 0 && sum_value(t->entry[i].sum) != 0)
			packed->entry[n++] = t->entry[i];
	}
	CHECK_FOR_INTERRUPTS();
	qsort(packed->entry, n, sizeof(TallyEntry), compare_entries);
	packed->used = packed->slots = n;
	SET_VARSIZE(packed, TALLY_SIZE(n));
	return packed;
}

/* ------------------------------------------------------------ arguments */

bool
rtm_tally_month(DateADT day, int32 *month)
{
	int			y;
	int			m;
	int			d;

	if (DATE_NOT_FINITE(day))
		return false;
	j2date(day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	if (y < 1 || y > 9999)
		return false;
	*month = y * 12 + m - 1;
	return true;
}

DateADT
rtm_tally_date(int32 month)
{
	return date2j(month / 12, month % 12 + 1, 1) - POSTGRES_EPOCH_JDATE;
}

bool
rtm_tally_money(FunctionCallInfo fcinfo, int n, int scale, rtm_int128 *units)
{
	Numeric		amount;
	Money		money;

	if (PG_ARGISNULL(n))
		return false;
	amount = (Numeric) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n));
	if (!rtm_money_units(amount, scale, &money) || money.scale > scale)
	{
		/* Half away from zero, as money is. */
		amount = DatumGetNumeric(DirectFunctionCall2(numeric_round, PG_GETARG_DATUM(n),
													 Int32GetDatum(scale)));
		if (!rtm_money_units(amount, scale, &money))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("an amount of a tally is out of range"),
					 errdetail("An amount has less than 2^63 minor units.")));
	}
	*units = money.negative ? -(rtm_int128) money.units : (rtm_int128) money.units;
	for (; scale < TALLY_SCALE; scale++)
		*units *= 10;
	return true;
}

void
rtm_tally_range(FunctionCallInfo fcinfo, int n, int32 *first, int32 *last)
{
	*first = TALLY_FIRST_MONTH;
	*last = TALLY_LAST_MONTH;
	if ((!PG_ARGISNULL(n) && !rtm_tally_month(PG_GETARG_DATEADT(n), first)) ||
		(!PG_ARGISNULL(n + 1) && !rtm_tally_month(PG_GETARG_DATEADT(n + 1), last)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("months must be of the years 1 to 9999")));
	if (*first > *last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the last month must not be before the first")));
}

void
rtm_put_count(Datum *value, rtm_int128 count)
{
	/* A forged tally alone can have that many. */
	if (count > PG_INT64_MAX || count < PG_INT64_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a count of a tally is out of range")));
	*value = Int64GetDatum((int64) count);
}

void
rtm_put_money(Datum *value, rtm_int128 units)
{
	*value = NumericGetDatum(rtm_money_numeric(units, TALLY_SCALE));
}

/* ---------------------------------------------------------- aggregation */

/*
 * Transition of tally_agg(at date, amount numeric): sums of money by month,
 * of kind 0.
 */
Datum
revrtm_tally_accum(PG_FUNCTION_ARGS)
{
	Tally	   *t = rtm_tally_state(fcinfo, "tally_agg");
	int32		month;
	rtm_int128	units;

	if (!PG_ARGISNULL(1) && rtm_tally_month(PG_GETARG_DATEADT(1), &month) &&
		rtm_tally_money(fcinfo, 2, TALLY_SCALE, &units))
		t = rtm_tally_add(t, month, 0, units);
	PG_RETURN_POINTER(t);
}

Datum
revrtm_tally_combine(PG_FUNCTION_ARGS)
{
	Tally	   *t = rtm_tally_state(fcinfo, "rollup");
	const Tally *b;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(t);
	b = (const Tally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	for (uint32 i = 0; i < b->slots; i++)
	{
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (b->entry[i].month != 0)
			t = rtm_tally_add(t, b->entry[i].month, b->entry[i].kind,
							  sum_value(b->entry[i].sum));
	}
	PG_RETURN_POINTER(t);
}

Datum
revrtm_tally_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(PG_GETARG_TALLY_P(0));
}
