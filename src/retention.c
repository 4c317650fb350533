/*-------------------------------------------------------------------------
 *
 * retention.c
 *		retention_agg and retention_parts: what of the recurring revenue of a
 *		year ago is there today, customer by customer.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "miscadmin.h"

#include "tally.h"

/* Kinds, which are the columns too. They are stored, so none changes. */
enum RetentionKind
{
	PERIOD,						/* no kind */
	ACCOUNTS,
	LOST,
	START_AMOUNT,
	END_AMOUNT,
	RETAINED_AMOUNT,
	CUSTOMERS,
	AMOUNT,
	RETENTION_COLUMNS
};

REVRTM_FUNCTION(revrtm_retention_accum);
REVRTM_FUNCTION(revrtm_retention_parts);

/*
 * Transition of retention_agg(tally, first, last): the changes of one
 * customer. A customer is one with revenue above zero.
 */
Datum
revrtm_retention_accum(PG_FUNCTION_ARGS)
{
	Tally	   *t = rtm_tally_state(fcinfo, "retention_agg");
	const Tally *changes;
	int32		first;
	int32		last;
	uint32		i = 0;
	uint32		j = 0;
	rtm_int128	now = 0;
	rtm_int128	before = 0;

	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(t);
	changes = PG_GETARG_TALLY_P(1);
	rtm_tally_range(fcinfo, 2, &first, &last);
	if (changes->used == 0)
		PG_RETURN_POINTER(t);
	/* A year behind the last change nothing is new. */
	if (PG_ARGISNULL(3))
		last = Min(changes->entry[changes->used - 1].month + 12, TALLY_LAST_MONTH);
	for (int32 month = Max(first, changes->entry[0].month); month <= last; month++)
	{
		CHECK_FOR_INTERRUPTS();
		for (; i < changes->used && changes->entry[i].month <= month; i++)
			rtm_add_sum(&now, sum_value(changes->entry[i].sum), false);
		for (; j < changes->used && changes->entry[j].month <= month - 12; j++)
			rtm_add_sum(&before, sum_value(changes->entry[j].sum), false);
		if (before > 0)
		{
			t = rtm_tally_add(t, month, ACCOUNTS, 1);
			t = rtm_tally_add(t, month, START_AMOUNT, before);
			t = rtm_tally_add(t, month, END_AMOUNT, Max(now, 0));
			t = rtm_tally_add(t, month, RETAINED_AMOUNT, Max(Min(now, before), 0));
			if (now <= 0)
				t = rtm_tally_add(t, month, LOST, 1);
		}
		if (now > 0)
		{
			t = rtm_tally_add(t, month, CUSTOMERS, 1);
			t = rtm_tally_add(t, month, AMOUNT, now);
		}
		/* Nothing comes any more. */
		else if (j == changes->used)
			break;
	}
	PG_RETURN_POINTER(t);
}

/*
 * revrtm.retention_parts(tally, first, last): a row a month.
 */
Datum
revrtm_retention_parts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Tally *t;
	int32		first;
	int32		last;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	t = PG_GETARG_TALLY_P(0);
	rtm_tally_range(fcinfo, 1, &first, &last);
	for (uint32 i = 0; i < t->used;)
	{
		rtm_int128	sum[RETENTION_COLUMNS] = {0};
		Datum		value[RETENTION_COLUMNS];
		bool		isnull[RETENTION_COLUMNS] = {false};
		int32		month = t->entry[i].month;

		CHECK_FOR_INTERRUPTS();
		for (; i < t->used && t->entry[i].month == month; i++)
		{
			if (t->entry[i].kind < RETENTION_COLUMNS)
				sum[t->entry[i].kind] = sum_value(t->entry[i].sum);
		}
		if (month < first || month > last)
			continue;
		value[PERIOD] = DateADTGetDatum(rtm_tally_date(month));
		for (int kind = ACCOUNTS; kind < RETENTION_COLUMNS; kind++)
		{
			if (kind == ACCOUNTS || kind == LOST || kind == CUSTOMERS)
				rtm_put_count(&value[kind], sum[kind]);
			else
				rtm_put_money(&value[kind], sum[kind]);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, value, isnull);
	}
	return (Datum) 0;
}
