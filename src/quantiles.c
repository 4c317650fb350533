/*-------------------------------------------------------------------------
 *
 * quantiles.c
 *		quantile_agg, rollup, and what is read from quantiles.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "quantiles.h"

/* Of a group's first state. */
#define FIRST_ENTRIES		8

REVRTM_FUNCTION(revrtm_quantiles_accum);
REVRTM_FUNCTION(revrtm_quantiles_combine);
REVRTM_FUNCTION(revrtm_quantiles_final);
REVRTM_FUNCTION(revrtm_quantile);
REVRTM_FUNCTION(revrtm_quantile_array);
REVRTM_FUNCTION(revrtm_quantile_count);
REVRTM_FUNCTION(revrtm_quantile_error);

Quantiles *
rtm_make_quantiles(uint32 entries)
{
	Size		size = QUANTILES_SIZE(entries);
	Quantiles  *q = palloc(size);

	memset(q, 0, sizeof(Quantiles));
	SET_VARSIZE(q, size);
	q->version = QUANTILES_VERSION;
	return q;
}

static inline Size
room_of(const Quantiles *q)
{
	return (VARSIZE(q) - offsetof(Quantiles, entry)) / sizeof(QuantileEntry);
}

/*
 * A copy with room for so many entries.
 */
static Quantiles *
copy_quantiles(const Quantiles *q, Size entries)
{
	Quantiles  *copy = palloc(QUANTILES_SIZE(entries));

	memcpy(copy, q, QUANTILES_SIZE(q->used));
	SET_VARSIZE(copy, QUANTILES_SIZE(entries));
	return copy;
}

/*
 * Sort what came since, and take off as many bits as that makes necessary,
 * or as asked for.
 */
static void
tidy(Quantiles *q, int shift)
{
	if (q->sorted < q->used)
	{
		QuantileEntry *scratch = palloc(sizeof(QuantileEntry) * (q->used - q->sorted));

		q->used = rtm_quantile_merge(q->entry, q->sorted, q->used, scratch);
		pfree(scratch);
	}
	shift = Max(shift, rtm_quantile_shift(q->entry, q->used, q->shift));
	if (shift > q->shift)
	{
		q->used = rtm_quantile_coarsen(q->entry, q->used, shift - q->shift);
		q->shift = shift;
	}
	q->sorted = q->used;
}

/*
 * Room for so many more entries, and for a good part of what there is: the
 * less often a value is tidied the better. Memory is bounded by twice
 * QUANTILE_MOST entries.
 */
static Quantiles *
reserve(Quantiles *q, Size entries)
{
	Size		room = room_of(q);
	Size		needed;

	if (likely(room - q->used >= entries))
		return q;
	CHECK_FOR_INTERRUPTS();
	tidy(q, 0);
	needed = q->used + Max(entries, room / 4);
	if (needed <= room)
		return q;
	while (room < needed)
		room *= 2;
	return copy_quantiles(q, room);
}

const Quantiles *
rtm_finish_quantiles(const Quantiles *q)
{
	Quantiles  *copy;

	/* An aggregate leaves no room without something in it that is not sorted. */
	if (q->sorted == q->used)
		return q;
	copy = copy_quantiles(q, q->used);
	tidy(copy, 0);
	SET_VARSIZE(copy, QUANTILES_SIZE(copy->used));
	return copy;
}

/* ---------------------------------------------------------- aggregation */

static void
check_aggregate(FunctionCallInfo fcinfo, const char *name)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s can only be called as an aggregate", name)));
}

static void
add_total(Quantiles *q, int64 count)
{
	if (__builtin_add_overflow(q->total, count, &q->total))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("quantiles out of range"),
				 errdetail("Values are counted up to 2^63 - 1.")));
}

/*
 * Transition of quantile_agg(float8).
 */
Datum
revrtm_quantiles_accum(PG_FUNCTION_ARGS)
{
	Quantiles  *q;
	float8		value;

	check_aggregate(fcinfo, "quantile_agg");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	value = PG_GETARG_FLOAT8(1);
	if (unlikely(!isfinite(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantile_agg takes finite values, not %s",
						isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity"),
				 errhint("Leave such rows out with FILTER (WHERE ...).")));
	value += 0.0;				/* minus zero becomes zero */

	if (PG_ARGISNULL(0))
	{
		q = rtm_make_quantiles(FIRST_ENTRIES);
		q->least = q->greatest = value;
	}
	else
	{
		q = reserve((Quantiles *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)), 1);
		q->least = Min(q->least, value);
		q->greatest = Max(q->greatest, value);
	}
	add_total(q, 1);
	q->entry[q->used].key = rtm_quantile_key(value) >> q->shift;
	q->entry[q->used].count = 1;
	q->used++;
	PG_RETURN_POINTER(q);
}

/*
 * The second value is appended to the first, at the coarser of both shifts.
 */
Datum
revrtm_quantiles_combine(PG_FUNCTION_ARGS)
{
	Quantiles  *a;
	const Quantiles *b;

	check_aggregate(fcinfo, "rollup");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	b = (const Quantiles *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(b);	/* which the caller copies */

	a = (Quantiles *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	if (b->shift > a->shift)
		tidy(a, b->shift);
	a = reserve(a, b->used);
	add_total(a, b->total);
	a->least = Min(a->least, b->least);
	a->greatest = Max(a->greatest, b->greatest);
	/* Making room may have made a the coarser one. */
	for (uint32 i = 0; i < b->used; i++)
	{
		a->entry[a->used].key = b->entry[i].key >> (a->shift - b->shift);
		a->entry[a->used].count = b->entry[i].count;
		a->used++;
	}
	PG_RETURN_POINTER(a);
}

Datum
revrtm_quantiles_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(PG_GETARG_QUANTILES_P(0));
}

/* -------------------------------------------------------------- reading */

static float8
quantile_at(const Quantiles *q, float8 fraction)
{
	if (!(fraction >= 0 && fraction <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the fraction of a quantile must be from 0 to 1, not %g", fraction)));
	CHECK_FOR_INTERRUPTS();
	return rtm_quantile_at(q->entry, q->used, q->shift, q->total, q->least, q->greatest, fraction);
}

/*
 * revrtm.quantile(quantiles, fraction)
 */
Datum
revrtm_quantile(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(quantile_at(PG_GETARG_QUANTILES_P(0), PG_GETARG_FLOAT8(1)));
}

/*
 * revrtm.quantile(quantiles, fractions[]): an array of the same shape.
 */
Datum
revrtm_quantile_array(PG_FUNCTION_ARGS)
{
	const Quantiles *q = PG_GETARG_QUANTILES_P(0);
	ArrayType  *fractions = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *element;
	bool	   *isnull;
	int			n;

	deconstruct_array(fractions, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &element, &isnull, &n);
	for (int i = 0; i < n; i++)
	{
		if (!isnull[i])
			element[i] = Float8GetDatum(quantile_at(q, DatumGetFloat8(element[i])));
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(element, isnull, ARR_NDIM(fractions),
											 ARR_DIMS(fractions), ARR_LBOUND(fractions),
											 FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}

Datum
revrtm_quantile_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(((const Quantiles *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)))->total);
}

/*
 * revrtm.quantile_error(quantiles): of a value that an entry stands for.
 */
Datum
revrtm_quantile_error(PG_FUNCTION_ARGS)
{
	const Quantiles *q = PG_GETARG_QUANTILES_P(0);

	PG_RETURN_FLOAT8(q->shift == 0 ? 0 : ldexp(1, q->shift - 53));
}
