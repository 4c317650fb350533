/*-------------------------------------------------------------------------
 *
 * data_driven.c
 *		Conversions and money shared between channels by computed weights.
 *
 * Weights are turned into integers once; what is shared by them is exact.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "utils/builtins.h"

#include "credit.h"
#include "data_driven.h"

void
rtm_channel_values_init(ChannelValues *values, uint32 n)
{
	values->n = n;
	values->units = palloc_extended(sizeof(rtm_int128) * Max((Size) n, 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	values->amount = palloc_extended(sizeof(Numeric) * Max((Size) n, 1), MCXT_ALLOC_HUGE);
}

/*
 * The weights as units of a deal, in shares; false where none is above zero.
 */
static bool
weights_units(Shares *shares, const double *weight, uint32 n)
{
	uint64	   *raw = shares->units;
	uint64		whole = 0;
	double		sum = 0;

	for (uint32 i = 0; i < n; i++)
		sum += weight[i];
	if (!(sum > 0))
		return false;
	for (uint32 i = 0; i < n; i++)
	{
		raw[i] = (uint64) (weight[i] / sum * (double) RTM_DEAL_UNITS);
		whole += raw[i];
	}
	shares->weights.by.classes = 0;
	rtm_split(RTM_DEAL_UNITS, raw, n, whole, shares->weights.touch, shares->scratch);
	return true;
}

static void
share_weights(Shares *shares, const double *weight, const double *second, uint32 n)
{
	double	   *equal;

	rtm_shares_init(shares, n);
	if (weights_units(shares, weight, n) || (second && weights_units(shares, second, n)))
		return;
	equal = palloc_extended(sizeof(double) * n, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
		equal[i] = 1;
	weights_units(shares, equal, n);
}

void
rtm_share_conversions(ChannelValues *values, const double *weight, int64 total)
{
	Shares		shares;

	if (values->n == 0 || total == 0)
		return;
	share_weights(&shares, weight, NULL, values->n);
	for (uint32 i = 0; i < values->n; i++)
		values->units[i] = (rtm_int128) shares.weights.touch[i] * total;
}

void
rtm_share_amount(ChannelValues *values, const double *weight, const double *second,
				 rtm_int128 total, int scale)
{
	Shares		shares;

	if (values->n == 0)
		return;
	share_weights(&shares, weight, second, values->n);
	rtm_credit_amounts(&shares, values->n, rtm_money_numeric(total, scale), scale,
					   values->amount);
}

/* ------------------------------------------------------------ signed weights */

static Numeric
multiply(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

static Numeric
subtract(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_sub, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

/*
 * The parts of total, rounded down, and one unit more for the largest
 * remainders, ties to the first.
 */
static void
share_amount_signed(ChannelValues *values, const rtm_int128 *unit, rtm_int128 total, int scale)
{
	Numeric		deal = int64_to_numeric((int64) RTM_DEAL_UNITS);
	Numeric		left = rtm_money_numeric(total, 0);
	Numeric    *part = palloc(sizeof(Numeric) * values->n);
	int64	   *remainder = palloc(sizeof(int64) * values->n);
	int64		more;

	for (uint32 i = 0; i < values->n; i++)
	{
		Numeric		product = multiply(rtm_money_numeric(total, 0), rtm_money_numeric(unit[i], 0));
		Datum		quotient = DirectFunctionCall2(numeric_div_trunc, NumericGetDatum(product),
												   NumericGetDatum(deal));
		Numeric		rest = subtract(product, multiply(DatumGetNumeric(quotient), deal));

		part[i] = DatumGetNumeric(quotient);
		remainder[i] = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(rest)));
		if (remainder[i] < 0)
		{
			part[i] = subtract(part[i], int64_to_numeric(1));
			remainder[i] += RTM_DEAL_UNITS;
		}
		left = subtract(left, part[i]);
	}
	more = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(left)));
	for (; more > 0; more--)
	{
		uint32		largest = 0;

		for (uint32 i = 1; i < values->n; i++)
		{
			if (remainder[i] > remainder[largest])
				largest = i;
		}
		part[largest] = subtract(part[largest], int64_to_numeric(-1));
		remainder[largest] = -1;
	}
	for (uint32 i = 0; i < values->n; i++)
		values->amount[i] = multiply(part[i], rtm_money_numeric(1, scale));
}

void
rtm_share_signed(ChannelValues *values, const double *weight, int64 conversions,
				 rtm_int128 amount, int scale)
{
	rtm_int128 *unit = palloc(sizeof(rtm_int128) * values->n);
	rtm_int128	left = RTM_DEAL_UNITS;
	double		sum = 0;
	uint32		largest = 0;

	for (uint32 i = 0; i < values->n; i++)
		sum += weight[i];
	for (uint32 i = 0; i < values->n; i++)
	{
		unit[i] = (rtm_int128) floor(weight[i] / sum * (double) RTM_DEAL_UNITS);
		left -= unit[i];
		if (weight[i] > weight[largest])
			largest = i;
	}
	/* No more than rounding. */
	unit[largest] += left;
	for (uint32 i = 0; i < values->n; i++)
	{
		if (__builtin_mul_overflow(unit[i], (rtm_int128) conversions, &values->units[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("conversions out of range")));
	}
	share_amount_signed(values, unit, amount, scale);
}

void
rtm_add_channel_value(ChannelValues *values, uint32 channel, int64 conversions,
					  rtm_int128 amount, int scale)
{
	values->units[channel] += (rtm_int128) conversions * RTM_DEAL_UNITS;
	values->amount[channel] =
		DatumGetNumeric(DirectFunctionCall2(numeric_add,
											NumericGetDatum(values->amount[channel]),
											NumericGetDatum(rtm_money_numeric(amount, scale))));
}
