/*-------------------------------------------------------------------------
 *
 * deal_tally.c
 *		deal_tally_agg and deal_parts: deals by the month of their creation
 *		and by that of their end, both in one pass.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "tally.h"
#include "zone.h"

/* Kinds: what a month's sums are of. They are stored, so none changes. */
enum DealKind
{
	/* by the month of creation */
	CREATED = 1,
	CREATED_AMOUNT,
	CREATED_UNPRICED,
	SOURCED,
	SOURCED_AMOUNT,
	CO_SELL,
	CO_SELL_AMOUNT,
	INFLUENCED,
	INFLUENCED_AMOUNT,
	CREATED_WON,
	CREATED_LOST,
	QUALIFIED,
	UNRIPE,
	/* by the month of the end */
	WON,
	LOST,
	WON_AMOUNT,
	WON_UNPRICED,
	MARGIN,
	MARGIN_ESTIMATED,
	REVERSED,
	/* what is open changes by */
	OPEN,
	OPEN_AMOUNT,
	LAST_DEAL_KIND = OPEN_AMOUNT,
	/* days that deals took: this much and so many days */
	WON_DAYS = 1000,
	LOST_DAYS = 500000
};

#define MOST_DAYS			(LOST_DAYS - WON_DAYS - 1)

enum DealArgument
{
	ARG_STATE,
	ARG_CREATED_AT,
	ARG_ENDED_AT,
	ARG_IS_CLOSED,
	ARG_IS_WON,
	ARG_OPENING,
	ARG_AMOUNT,
	ARG_MARGIN,
	ARG_SCALE,
	ARG_ESTIMATED,
	ARG_ROLE,
	ARG_QUALIFIED_AT,
	ARG_QUALIFY_DAYS,
	ARG_AS_OF,
	ARG_FIRST
};

enum DealColumn
{
	COLUMN_PERIOD,
	COLUMN_CREATED,				/* each kind at its own place */
	COLUMN_CYCLES = LAST_DEAL_KIND + 1,
	COLUMN_CYCLE_MEDIAN,
	COLUMN_CYCLE_P90,
	COLUMN_LOST_CYCLE_MEDIAN,
	COLUMN_YEAR_AMOUNT,
	COLUMN_YEAR_MARGIN,
	DEAL_COLUMNS
};

REVRTM_FUNCTION(revrtm_deal_tally_accum);
REVRTM_FUNCTION(revrtm_deal_tally_merge);
REVRTM_FUNCTION(revrtm_deal_parts);

/* ---------------------------------------------------------- aggregation */

/*
 * The day and month of an instant; false where there is none.
 */
static bool
day_of(FunctionCallInfo fcinfo, int n, DateADT *day, int32 *month)
{
	if (PG_ARGISNULL(n) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(n)))
		return false;
	*day = rtm_local_day(PG_GETARG_TIMESTAMPTZ(n), rtm_timezone);
	return rtm_tally_month(*day, month);
}

static bool
flag(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

/*
 * The kind that counts deals of a partner role; 0 for none.
 */
static int
kind_of_role(FunctionCallInfo fcinfo)
{
	text	   *role;

	if (PG_ARGISNULL(ARG_ROLE))
		return 0;
	role = PG_GETARG_TEXT_PP(ARG_ROLE);
	if (VARSIZE_ANY_EXHDR(role) == 0)
		return 0;
	switch (*VARDATA_ANY(role))
	{
		case 's':
			return SOURCED;
		case 'c':
			return CO_SELL;
		case 'i':
			return INFLUENCED;
		default:
			return 0;
	}
}

/*
 * Transition of deal_tally_agg: one deal.
 */
Datum
revrtm_deal_tally_accum(PG_FUNCTION_ARGS)
{
	Tally	   *t = rtm_tally_state(fcinfo, "deal_tally_agg");
	TimestampTz as_of = PG_ARGISNULL(ARG_AS_OF) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(ARG_AS_OF);
	int			scale = PG_ARGISNULL(ARG_SCALE) ? TALLY_SCALE : PG_GETARG_INT32(ARG_SCALE);
	int32		first = TALLY_FIRST_MONTH;
	DateADT		created_on;
	DateADT		ended_on;
	int32		created = 0;
	int32		ended = 0;
	bool		is_closed = flag(fcinfo, ARG_IS_CLOSED);
	bool		is_won = is_closed && flag(fcinfo, ARG_IS_WON);
	bool		has_start;
	bool		has_end;
	bool		reversed;
	rtm_int128	opening = 0;
	rtm_int128	amount = 0;
	bool		priced;

	if (scale < 0 || scale > TALLY_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the scale of a tally must be from 0 to %d, not %d", TALLY_SCALE, scale)));
	if (!PG_ARGISNULL(ARG_FIRST) && !rtm_tally_month(PG_GETARG_DATEADT(ARG_FIRST), &first))
		first = TALLY_FIRST_MONTH;
	has_start = day_of(fcinfo, ARG_CREATED_AT, &created_on, &created);
	has_end = is_closed && day_of(fcinfo, ARG_ENDED_AT, &ended_on, &ended);
	/* What ended later was open then. */
	if (has_end && PG_GETARG_TIMESTAMPTZ(ARG_ENDED_AT) > as_of)
		is_closed = is_won = has_end = false;
	reversed = has_start && has_end && created_on > ended_on;

	if (has_start)
	{
		priced = rtm_tally_money(fcinfo, ARG_OPENING, scale, &opening);
		if (created >= first)
		{
			int			kind = kind_of_role(fcinfo);

			t = rtm_tally_add(t, created, CREATED, 1);
			t = rtm_tally_add(t, created, CREATED_AMOUNT, opening);
			if (!priced)
				t = rtm_tally_add(t, created, CREATED_UNPRICED, 1);
			if (kind != 0)
			{
				t = rtm_tally_add(t, created, kind, 1);
				t = rtm_tally_add(t, created, kind + 1, opening);
			}
			if (is_closed)
				t = rtm_tally_add(t, created, is_won ? CREATED_WON : CREATED_LOST, 1);
			if (!PG_ARGISNULL(ARG_QUALIFY_DAYS))
			{
				TimestampTz limit = PG_GETARG_TIMESTAMPTZ(ARG_CREATED_AT);

				if (__builtin_add_overflow(limit, PG_GETARG_INT32(ARG_QUALIFY_DAYS) * USECS_PER_DAY,
										   &limit))
					limit = DT_NOEND;
				if (!PG_ARGISNULL(ARG_QUALIFIED_AT) &&
					PG_GETARG_TIMESTAMPTZ(ARG_QUALIFIED_AT) <= Min(limit, as_of))
					t = rtm_tally_add(t, created, QUALIFIED, 1);
				else if (!is_closed && as_of < limit)
					t = rtm_tally_add(t, created, UNRIPE, 1);
			}
		}
		/* A closed deal of which nobody knows when it ended is never open. */
		if (!reversed && (has_end || !is_closed))
		{
			t = rtm_tally_add(t, created, OPEN, 1);
			t = rtm_tally_add(t, created, OPEN_AMOUNT, opening);
			if (has_end)
			{
				t = rtm_tally_add(t, ended, OPEN, -1);
				t = rtm_tally_add(t, ended, OPEN_AMOUNT, -opening);
			}
		}
	}

	/* The year before the first month is for what is smoothed over a year. */
	if (has_end && ended > first - 12)
	{
		if (is_won)
		{
			rtm_int128	margin = 0;

			t = rtm_tally_add(t, ended, WON, 1);
			if (rtm_tally_money(fcinfo, ARG_AMOUNT, scale, &amount))
			{
				t = rtm_tally_add(t, ended, WON_AMOUNT, amount);
				if (rtm_tally_money(fcinfo, ARG_MARGIN, scale, &margin))
					t = rtm_tally_add(t, ended, MARGIN, margin);
				if (flag(fcinfo, ARG_ESTIMATED))
					t = rtm_tally_add(t, ended, MARGIN_ESTIMATED, 1);
			}
			else
				t = rtm_tally_add(t, ended, WON_UNPRICED, 1);
		}
		else
			t = rtm_tally_add(t, ended, LOST, 1);
		if (reversed)
			t = rtm_tally_add(t, ended, REVERSED, 1);
		else if (has_start && ended >= first)
			t = rtm_tally_add(t, ended, (is_won ? WON_DAYS : LOST_DAYS) +
							  Min(ended_on - created_on, MOST_DAYS), 1);
	}
	PG_RETURN_POINTER(t);
}

/*
 * Transition of deal_rollup: of another tally, what the months from the first
 * one on need, as deal_tally_agg keeps it.
 */
Datum
revrtm_deal_tally_merge(PG_FUNCTION_ARGS)
{
	Tally	   *t = rtm_tally_state(fcinfo, "deal_rollup");
	const Tally *from;
	int32		first;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(t);
	from = (const Tally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(2) || !rtm_tally_month(PG_GETARG_DATEADT(2), &first))
		first = TALLY_FIRST_MONTH;
	for (uint32 i = 0; i < from->slots; i++)
	{
		const TallyEntry *e = &from->entry[i];
		int32		month = e->month;

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (month == 0)
			continue;
		if (month < first)
		{
			/* Of what is open only the sum counts. */
			if (e->kind == OPEN || e->kind == OPEN_AMOUNT)
				month = first - 1;
			else if ((e->kind != WON_AMOUNT && e->kind != MARGIN) || month <= first - 12)
				continue;
		}
		t = rtm_tally_add(t, month, e->kind, sum_value(e->sum));
	}
	PG_RETURN_POINTER(t);
}

/* -------------------------------------------------------------- reading */

typedef struct Days
{
	int32		days;
	int64		count;
} Days;

static int
compare_days(const void *left, const void *right)
{
	const Days *a = left;
	const Days *b = right;

	return (a->days > b->days) - (a->days < b->days);
}

/*
 * As percentile_cont over the days, each as often as it counts.
 */
static double
days_at(const Days *d, int n, int64 total, double fraction)
{
	double		position = fraction * (double) (total - 1);
	double		low = floor(position);
	double		value[2] = {0, 0};

	for (int side = 0; side < 2; side++)
	{
		double		rank = Min(low + side, (double) (total - 1));
		int64		through = 0;

		for (int i = 0; i < n; i++)
		{
			through += d[i].count;
			if ((double) through > rank)
			{
				value[side] = d[i].days;
				break;
			}
		}
	}
	return value[0] + (position - low) * (value[1] - value[0]);
}

/*
 * What one row of the result is made of.
 */
typedef struct DealRow
{
	rtm_int128	sum[LAST_DEAL_KIND + 1];
	Days	   *won;
	Days	   *lost;
	int			won_n;
	int			lost_n;
} DealRow;

static void
add_entry(DealRow *row, const TallyEntry *e)
{
	Days		d;

	if (e->kind <= LAST_DEAL_KIND)
	{
		rtm_add_sum(&row->sum[e->kind], sum_value(e->sum), false);
		return;
	}
	if (e->kind < WON_DAYS)
		return;
	d.count = Max((int64) e->sum.low, 0);
	d.days = e->kind - (e->kind >= LOST_DAYS ? LOST_DAYS : WON_DAYS);
	if (e->kind >= LOST_DAYS)
		row->lost[row->lost_n++] = d;
	else
		row->won[row->won_n++] = d;
}

static int64
sort_days(Days *d, int n)
{
	int64		total = 0;

	qsort(d, n, sizeof(Days), compare_days);
	for (int i = 0; i < n; i++)
	{
		if (__builtin_add_overflow(total, d[i].count, &total))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a count of a tally is out of range")));
	}
	return total;
}

static bool
is_money(int kind)
{
	return kind == CREATED_AMOUNT || kind == SOURCED_AMOUNT || kind == CO_SELL_AMOUNT ||
		kind == INFLUENCED_AMOUNT || kind == WON_AMOUNT || kind == MARGIN || kind == OPEN_AMOUNT;
}

/*
 * Emit a row, where there is anything to tell.
 */
static void
put_row(ReturnSetInfo *result, int32 month, DealRow *row, const rtm_int128 *year)
{
	Datum		value[DEAL_COLUMNS];
	bool		isnull[DEAL_COLUMNS] = {false};
	bool		any = year[0] != 0 || year[1] != 0;
	int64		won;
	int64		lost;

	for (int kind = 1; kind <= LAST_DEAL_KIND; kind++)
	{
		any |= row->sum[kind] != 0;
		if (is_money(kind))
			rtm_put_money(&value[kind], row->sum[kind]);
		else
			rtm_put_count(&value[kind], row->sum[kind]);
	}
	if (!any)
		return;
	won = sort_days(row->won, row->won_n);
	lost = sort_days(row->lost, row->lost_n);
	value[COLUMN_PERIOD] = DateADTGetDatum(rtm_tally_date(month));
	value[COLUMN_CYCLES] = Int64GetDatum(won);
	isnull[COLUMN_CYCLE_MEDIAN] = isnull[COLUMN_CYCLE_P90] = won == 0;
	isnull[COLUMN_LOST_CYCLE_MEDIAN] = lost == 0;
	value[COLUMN_CYCLE_MEDIAN] = Float8GetDatum(days_at(row->won, row->won_n, won, 0.5));
	value[COLUMN_CYCLE_P90] = Float8GetDatum(days_at(row->won, row->won_n, won, 0.9));
	value[COLUMN_LOST_CYCLE_MEDIAN] = Float8GetDatum(days_at(row->lost, row->lost_n, lost, 0.5));
	rtm_put_money(&value[COLUMN_YEAR_AMOUNT], year[0]);
	rtm_put_money(&value[COLUMN_YEAR_MARGIN], year[1]);
	tuplestore_putvalues(result->setResult, result->setDesc, value, isnull);
}

static void
add_to_year(rtm_int128 *year, const TallyEntry *e, bool subtract)
{
	if (e->kind == WON_AMOUNT)
		rtm_add_sum(&year[0], sum_value(e->sum), subtract);
	else if (e->kind == MARGIN)
		rtm_add_sum(&year[1], sum_value(e->sum), subtract);
}

/*
 * revrtm.deal_parts(tally, first, last, whole): a row a month, or one of all.
 */
Datum
revrtm_deal_parts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Tally *t;
	DealRow		row = {0};
	rtm_int128	open[2] = {0, 0};
	bool		whole;
	int32		first;
	int32		last;
	uint32		i = 0;
	uint32		year_from = 0;
	rtm_int128	year[2] = {0, 0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	t = PG_GETARG_TALLY_P(0);
	whole = flag(fcinfo, 3);
	rtm_tally_range(fcinfo, 1, &first, &last);
	if (t->used == 0)
		return (Datum) 0;
	row.won = palloc_extended(mul_size(sizeof(Days), t->used), MCXT_ALLOC_HUGE);
	row.lost = palloc_extended(mul_size(sizeof(Days), t->used), MCXT_ALLOC_HUGE);
	if (PG_ARGISNULL(1) || !whole)
		first = Max(first, t->entry[0].month);
	if (PG_ARGISNULL(2))
		last = t->entry[t->used - 1].month;
	for (int32 month = Min(first, t->entry[0].month); month <= last; month++)
	{
		CHECK_FOR_INTERRUPTS();
		/* Behind the last entry a row would only repeat what is open. */
		if (i == t->used && open[0] == 0 && open[1] == 0 &&
			month > t->entry[t->used - 1].month + 12)
			break;
		for (; i < t->used && t->entry[i].month == month; i++)
		{
			const TallyEntry *e = &t->entry[i];

			if (e->kind == OPEN)
				rtm_add_sum(&open[0], sum_value(e->sum), false);
			else if (e->kind == OPEN_AMOUNT)
				rtm_add_sum(&open[1], sum_value(e->sum), false);
			else if (month >= first)
				add_entry(&row, e);
			add_to_year(year, e, false);
		}
		for (; year_from < i && t->entry[year_from].month <= month - 12; year_from++)
			add_to_year(year, &t->entry[year_from], true);
		if (month < first || whole)
			continue;
		row.sum[OPEN] = open[0];
		row.sum[OPEN_AMOUNT] = open[1];
		put_row(result, month, &row, year);
		memset(row.sum, 0, sizeof(row.sum));
		row.won_n = row.lost_n = 0;
	}
	if (whole)
	{
		row.sum[OPEN] = open[0];
		row.sum[OPEN_AMOUNT] = open[1];
		put_row(result, first, &row, year);
	}
	return (Datum) 0;
}
