/*-------------------------------------------------------------------------
 *
 * money.h
 *		Amounts as whole minor units, and back.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_MONEY_H
#define REVRTM_MONEY_H

#include "compat.h"

#include "utils/numeric.h"

#include "split.h"

/* Decimals of an amount where nothing says otherwise, and at most. */
#define MONEY_SCALE			2
#define MONEY_MAX_SCALE		18

typedef struct Money
{
	bool		negative;
	uint64		units;			/* <= RTM_SPLIT_MAX */
	int			scale;			/* of the units: that asked for, or the amount's own if finer */
} Money;

/* A 128-bit integer that needs no more than the alignment of a varlena. */
typedef struct Sum
{
	uint64		low;
	int64		high;
} Sum;

static inline rtm_int128
sum_value(Sum s)
{
	return (rtm_int128) ((rtm_uint128) s.high << 64 | s.low);
}

static inline Sum
make_sum(rtm_int128 value)
{
	Sum			s = {(uint64) value, (int64) (value >> 64)};

	return s;
}

/* Units at a finer scale; false where they do not fit. */
static inline bool
rtm_raise_units(rtm_int128 *units, int from, int to)
{
	for (; from < to; from++)
	{
		if (__builtin_mul_overflow(*units, (rtm_int128) 10, units))
			return false;
	}
	return true;
}

/* False where the units do not fit; the amount may have a short header. */
extern bool rtm_money_units(Numeric amount, int scale, Money *money);

extern Numeric rtm_money_numeric(rtm_int128 units, int scale);

/* Errors for NaN and infinity, and for a scale that no amount has. */
extern void rtm_check_amount(Numeric amount);
extern void rtm_check_scale(int scale);

/*
 * The general split: any amount, any weights >= 0 with a sum above 0. The
 * parts have the scale, or that of an amount that is finer.
 */
extern void rtm_split_numeric(Numeric amount, int scale, const Numeric *weight, int n,
							  Numeric *part);

#endif							/* REVRTM_MONEY_H */
