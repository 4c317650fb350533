/*-------------------------------------------------------------------------
 *
 * credit.c
 *		credit(): what each touch of one journey gets under one model.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "credit.h"

REVRTM_FUNCTION(revrtm_credit);

void
rtm_credit_amounts(Shares *shares, size_t n, Numeric amount, int scale, Numeric *part)
{
	Money		money;

	if (rtm_money_units(amount, scale, &money))
	{
		rtm_share_money(shares, n, money.units);
		for (size_t i = 0; i < n; i++)
		{
			int64		units = (int64) shares->money[i];

			part[i] = rtm_money_numeric(money.negative ? -units : units, money.scale);
		}
	}
	else
	{
		Numeric    *weight = palloc(sizeof(Numeric) * n);

		for (size_t i = 0; i < n; i++)
			weight[i] = int64_to_numeric((int64) rtm_weight(&shares->weights, i));
		rtm_split_numeric(amount, scale, weight, (int) n, part);
	}
}

const Model *
rtm_credit_touches(FunctionCallInfo fcinfo, JourneyReader *reader, TouchColumns *touches)
{
	const Model *model;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the attribution model must not be null")));
	model = rtm_query_model(fcinfo->flinfo, PG_GETARG_TEXT_PP(1));

	memset(reader, 0, sizeof(*reader));
	memset(touches, 0, sizeof(*touches));
	if (!PG_ARGISNULL(0))
		rtm_journey_open(reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	touches->n = Max(reader->n, 1);
	touches->channels = reader->channels;
	if (reader->n > 0)
	{
		uint32	   *channel = palloc_extended(sizeof(uint32) * reader->n, MCXT_ALLOC_HUGE);

		rtm_journey_codes(reader, channel);
		touches->channel = channel;
		touches->milestone = reader->milestone;
		touches->direct = rtm_direct_channels(model->direct, model->directs, reader->name,
											  reader->channels);
		touches->fitted = rtm_fitted_weights(model, reader->name, reader->channels);
		if (reader->timed)
		{
			TimestampTz *at = palloc_extended(sizeof(TimestampTz) * reader->n, MCXT_ALLOC_HUGE);

			rtm_journey_times(reader, at);
			touches->touched_at = at;
		}
	}
	else
	{
		static const uint32 only_channel = 0;

		touches->channel = &only_channel;
	}
	return model;
}

/*
 * Columns of the result before the amounts, how many amounts there may be,
 * and how many exact weights may follow them.
 */
#define FIRST_AMOUNT	4
#define MAX_AMOUNTS		2
#define EXACT_WEIGHTS	2

/*
 * revrtm.credit(journey, model, amount, scale [, converted, converted_scale]),
 * and revrtm.credit_weight(...), which has the weights as integers as well. Not
 * strict in the journey: a deal without touches is credited to (unattributed).
 */
Datum
revrtm_credit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Model *model;
	int			amounts = PG_NARGS() > 4 ? 2 : 1;
	int			scale[MAX_AMOUNTS];
	bool		exact;
	JourneyReader reader;
	TouchColumns touches;
	Shares		shares;
	Numeric    *part[MAX_AMOUNTS] = {0};
	Datum		values[FIRST_AMOUNT + MAX_AMOUNTS + EXACT_WEIGHTS] = {0};
	bool		nulls[FIRST_AMOUNT + MAX_AMOUNTS + EXACT_WEIGHTS] = {0};

	InitMaterializedSRF(fcinfo, 0);
	exact = rsinfo->setDesc->natts == FIRST_AMOUNT + amounts + EXACT_WEIGHTS;
	for (int k = 0; k < amounts; k++)
	{
		scale[k] = PG_ARGISNULL(3 + 2 * k) ? MONEY_SCALE : PG_GETARG_INT32(3 + 2 * k);
		rtm_check_scale(scale[k]);
	}
	model = rtm_credit_touches(fcinfo, &reader, &touches);

	rtm_shares_init(&shares, touches.n);
	rtm_share_deal(&shares, &model->rule, &touches);
	for (int k = 0; k < amounts; k++)
	{
		nulls[FIRST_AMOUNT + k] = PG_ARGISNULL(2 + 2 * k);
		if (nulls[FIRST_AMOUNT + k])
			continue;
		part[k] = palloc_extended(sizeof(Numeric) * touches.n, MCXT_ALLOC_HUGE);
		rtm_credit_amounts(&shares, touches.n, PG_GETARG_NUMERIC(2 + 2 * k), scale[k], part[k]);
	}

	for (size_t i = 0; i < touches.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum((int32) i + 1);
		if (reader.n == 0)
			values[1] = CStringGetTextDatum(CHANNEL_UNATTRIBUTED);
		else
		{
			const Bytes *name = &reader.name[touches.channel[i]];

			values[1] = PointerGetDatum(cstring_to_text_with_len(name->data, name->len));
		}
		nulls[2] = touches.touched_at == NULL;
		values[2] = nulls[2] ? (Datum) 0 : TimestampTzGetDatum(touches.touched_at[i]);
		values[3] = Float8GetDatum(rtm_unit_share(shares.units[i]));
		for (int k = 0; k < amounts; k++)
		{
			if (part[k] != NULL)
				values[FIRST_AMOUNT + k] = NumericGetDatum(part[k][i]);
		}
		if (exact)
		{
			values[FIRST_AMOUNT + amounts] = Int64GetDatum((int64) rtm_weight(&shares.weights, i));
			values[FIRST_AMOUNT + amounts + 1] = Int64GetDatum((int64) shares.units[i]);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
