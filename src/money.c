/*-------------------------------------------------------------------------
 *
 * money.c
 *		Amounts as whole minor units, split_amount() and split_by_weight().
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "money.h"

REVRTM_FUNCTION(revrtm_split_amount);
REVRTM_FUNCTION(revrtm_split_by_weight);

/*
 * The stored form of a numeric: a 16-bit header, in the long form a 16-bit
 * weight, and digits of base 10000. It has been the same since 9.1 and cannot
 * change without breaking pg_upgrade. Reading it here costs a tenth of the
 * arithmetic that would do the same through functions.
 */
#define HEADER_SHORT(h)			(((h) & 0xC000) == 0x8000)
#define HEADER_SPECIAL(h)		(((h) & 0xC000) == 0xC000)
#define HEADER_NEGATIVE(h)		(HEADER_SHORT(h) ? ((h) & 0x2000) != 0 : ((h) & 0xC000) == 0x4000)
#define SHORT_WEIGHT(h)			(((h) & 0x0040 ? ~0x003F : 0) | ((h) & 0x003F))

static const uint64 power_of_ten[] = {
	UINT64CONST(1), UINT64CONST(10), UINT64CONST(100), UINT64CONST(1000), UINT64CONST(10000),
	UINT64CONST(100000), UINT64CONST(1000000), UINT64CONST(10000000), UINT64CONST(100000000),
	UINT64CONST(1000000000), UINT64CONST(10000000000), UINT64CONST(100000000000),
	UINT64CONST(1000000000000), UINT64CONST(10000000000000), UINT64CONST(100000000000000),
	UINT64CONST(1000000000000000), UINT64CONST(10000000000000000),
	UINT64CONST(100000000000000000), UINT64CONST(1000000000000000000)
};

void
rtm_check_amount(Numeric amount)
{
	uint16		header;

	memcpy(&header, VARDATA_ANY(amount), sizeof(header));
	if (HEADER_SPECIAL(header))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must be finite")));
}

void
rtm_check_scale(int scale)
{
	if (scale < 0 || scale > MONEY_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale must be between 0 and %d", MONEY_MAX_SCALE),
				 errdetail("The scale is %d.", scale)));
}

bool
rtm_money_units(Numeric amount, int scale, Money *money)
{
	const char *p = VARDATA_ANY(amount);
	int			bytes = VARSIZE_ANY_EXHDR(amount);
	uint16		header;
	int			weight;
	int			ndigits;
	int			exponent;
	uint64		units = 0;

	rtm_check_amount(amount);
	memcpy(&header, p, sizeof(header));
	p += sizeof(header);
	bytes -= sizeof(header);
	if (HEADER_SHORT(header))
		weight = SHORT_WEIGHT(header);
	else
	{
		int16		stored;

		memcpy(&stored, p, sizeof(stored));
		p += sizeof(stored);
		bytes -= sizeof(stored);
		weight = stored;
	}
	ndigits = bytes / (int) sizeof(int16);
	money->negative = HEADER_NEGATIVE(header);
	money->units = 0;
	money->scale = scale;
	if (ndigits == 0)
		return true;

	/* How fine is it? The last digit is not zero, but its end may be. */
	exponent = 4 * (ndigits - 1 - weight);
	if (exponent > scale)
	{
		int16		last;

		memcpy(&last, p + (ndigits - 1) * sizeof(int16), sizeof(last));
		while (last % 10 == 0 && exponent > 0)
		{
			last /= 10;
			exponent--;
		}
		money->scale = Max(scale, exponent);
		if (money->scale > MONEY_MAX_SCALE)
			return false;
	}

	for (int i = 0; i < ndigits; i++)
	{
		int			place = 4 * (weight - i) + money->scale;
		int16		digit;
		uint64		value;

		memcpy(&digit, p + i * sizeof(int16), sizeof(digit));
		if (place < 0)
			value = digit / power_of_ten[-place];
		else if (place >= lengthof(power_of_ten) ||
				 __builtin_mul_overflow((uint64) digit, power_of_ten[place], &value))
			return false;
		if (__builtin_add_overflow(units, value, &units))
			return false;
	}
	money->units = units;
	return units <= RTM_SPLIT_MAX;
}

Numeric
rtm_money_numeric(rtm_int128 units, int scale)
{
	char		buf[64];
	char	   *p = buf + sizeof(buf);
	rtm_uint128 rest = units < 0 ? -(rtm_uint128) units : (rtm_uint128) units;
	int			digits = 0;

	if (units >= PG_INT64_MIN && units <= PG_INT64_MAX)
		return int64_div_fast_to_numeric((int64) units, scale);

	*--p = '\0';
	while (rest != 0 || digits <= scale)
	{
		if (digits == scale && scale > 0)
			*--p = '.';
		*--p = '0' + (int) (rest % 10);
		rest /= 10;
		digits++;
	}
	if (units < 0)
		*--p = '-';
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(p),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* -------------------------------------------------------- general split */

typedef struct Remainder
{
	Numeric		value;
	int			index;
} Remainder;

static int
compare_numeric(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static int
compare_remainders(const void *left, const void *right)
{
	const Remainder *a = left;
	const Remainder *b = right;
	int			c = compare_numeric(b->value, a->value);

	CHECK_FOR_INTERRUPTS();
	return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

#define NUMERIC2(function, a, b) \
	DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)))
#define NUMERIC1(function, a) \
	DatumGetNumeric(DirectFunctionCall1(function, NumericGetDatum(a)))

void
rtm_split_numeric(Numeric amount, int scale, const Numeric *weight, int n, Numeric *part)
{
	Numeric		one = int64_to_numeric(1);
	Numeric		zero = int64_to_numeric(0);
	Numeric		sum = zero;
	Numeric		total;
	Numeric		left;
	Numeric		unit;
	bool		negative = compare_numeric(amount, zero) < 0;
	int			own = DatumGetInt32(DirectFunctionCall1(numeric_min_scale,
														NumericGetDatum(amount)));
	Remainder  *remainder = palloc(sizeof(Remainder) * n);
	int			extra;

	scale = Max(scale, own);
	unit = NUMERIC2(numeric_power, int64_to_numeric(10), int64_to_numeric(scale));
	total = NUMERIC1(numeric_abs, amount);
	total = DatumGetNumeric(DirectFunctionCall2(numeric_trunc,
												NumericGetDatum(NUMERIC2(numeric_mul, total, unit)),
												Int32GetDatum(0)));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		sum = NUMERIC2(numeric_add, sum, weight[i]);
	}

	left = total;
	for (int i = 0; i < n; i++)
	{
		Numeric		product = NUMERIC2(numeric_mul, total, weight[i]);

		CHECK_FOR_INTERRUPTS();
		part[i] = NUMERIC2(numeric_div_trunc, product, sum);
		remainder[i].value = NUMERIC2(numeric_sub, product, NUMERIC2(numeric_mul, part[i], sum));
		remainder[i].index = i;
		left = NUMERIC2(numeric_sub, left, part[i]);
	}
	extra = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(left)));
	qsort(remainder, n, sizeof(Remainder), compare_remainders);
	for (int i = 0; i < extra; i++)
		part[remainder[i].index] = NUMERIC2(numeric_add, part[remainder[i].index], one);

	/* 10^-scale by its digits, so that the quotient is exact. */
	unit = DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(psprintf("1e-%d", scale)),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		part[i] = NUMERIC2(numeric_mul, part[i], unit);
		if (negative)
			part[i] = NUMERIC1(numeric_uminus, part[i]);
	}
}

/*
 * The exact value of a weight's shortest decimal.
 */
static Numeric
weight_numeric(float8 weight)
{
	char		buf[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(weight, buf);
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(buf),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/*
 * Splits the amount of a call by its n weights, equally where all are zero.
 */
static Datum
split_call(FunctionCallInfo fcinfo, Numeric *weight, int n, bool all_zero)
{
	Numeric    *part = palloc(sizeof(Numeric) * n);
	Datum	   *element = palloc(sizeof(Datum) * n);

	for (int i = 0; all_zero && i < n; i++)
		weight[i] = int64_to_numeric(1);
	rtm_split_numeric(PG_GETARG_NUMERIC(0), PG_GETARG_INT32(2), weight, n, part);
	for (int i = 0; i < n; i++)
		element[i] = NumericGetDatum(part[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(element, n, NUMERICOID, -1, false, TYPALIGN_INT));
}

/*
 * The elements of the array of weights of a call, whose type is of 8 bytes.
 */
static int
weights_of_call(FunctionCallInfo fcinfo, Oid type, Datum **element, bool **isnull)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	int			n;

	rtm_check_amount(PG_GETARG_NUMERIC(0));
	rtm_check_scale(PG_GETARG_INT32(2));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must be an array of one dimension")));
	deconstruct_array(array, type, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  element, isnull, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must not be empty"),
				 errdetail("An amount cannot be split between nobody.")));
	return n;
}

/*
 * revrtm.split_amount(amount, weights, scale)
 */
Datum
revrtm_split_amount(PG_FUNCTION_ARGS)
{
	Datum	   *element;
	bool	   *isnull;
	int			n = weights_of_call(fcinfo, FLOAT8OID, &element, &isnull);
	Numeric    *weight = palloc(sizeof(Numeric) * n);
	bool		all_zero = true;

	for (int i = 0; i < n; i++)
	{
		float8		value = isnull[i] ? 0 : DatumGetFloat8(element[i]);

		CHECK_FOR_INTERRUPTS();
		if (isnan(value) || isinf(value) || value < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight %d must be finite and not negative", i + 1)));
		if (value > 0)
			all_zero = false;
		weight[i] = weight_numeric(value);
	}
	return split_call(fcinfo, weight, n, all_zero);
}

/*
 * revrtm.split_by_weight(amount, weights, scale): as split_amount, by integers.
 */
Datum
revrtm_split_by_weight(PG_FUNCTION_ARGS)
{
	Datum	   *element;
	bool	   *isnull;
	int			n = weights_of_call(fcinfo, INT8OID, &element, &isnull);
	Numeric    *weight = palloc(sizeof(Numeric) * n);
	bool		all_zero = true;

	for (int i = 0; i < n; i++)
	{
		int64		value = isnull[i] ? 0 : DatumGetInt64(element[i]);

		CHECK_FOR_INTERRUPTS();
		if (value < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weight %d must not be negative", i + 1)));
		if (value > 0)
			all_zero = false;
		weight[i] = int64_to_numeric(value);
	}
	return split_call(fcinfo, weight, n, all_zero);
}
