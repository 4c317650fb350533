/*-------------------------------------------------------------------------
 *
 * proportion.c
 *		The SQL type proportion: how many of how many; its aggregates and its
 *		score interval.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>
#include <errno.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "libpq/pqformat.h"

#include "literal.h"
#include "wilson.h"

REVRTM_FUNCTION(revrtm_proportion_in);
REVRTM_FUNCTION(revrtm_proportion_out);
REVRTM_FUNCTION(revrtm_proportion_recv);
REVRTM_FUNCTION(revrtm_proportion_send);
REVRTM_FUNCTION(revrtm_proportion);
REVRTM_FUNCTION(revrtm_proportion_accum);
REVRTM_FUNCTION(revrtm_proportion_combine);
REVRTM_FUNCTION(revrtm_proportion_successes);
REVRTM_FUNCTION(revrtm_proportion_trials);
REVRTM_FUNCTION(revrtm_wilson);
REVRTM_FUNCTION(revrtm_wilson_counts);

/* 0 <= successes <= trials */
typedef struct Proportion
{
	int64		successes;
	int64		trials;
} Proportion;

static const char *const counts_rule =
"The successes are not negative, and not more than the trials.";

static bool
counts_are_valid(int64 successes, int64 trials)
{
	return successes >= 0 && successes <= trials;
}

static Datum
make_proportion(int64 successes, int64 trials)
{
	Proportion *p = palloc(sizeof(Proportion));

	p->successes = successes;
	p->trials = trials;
	return PointerGetDatum(p);
}

static void
check_counts(int64 successes, int64 trials)
{
	if (!counts_are_valid(successes, trials))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%lld successes in %lld trials are no proportion",
						(long long) successes, (long long) trials),
				 errdetail("%s", counts_rule)));
}

/*
 * revrtm.proportion(successes, trials)
 */
Datum
revrtm_proportion(PG_FUNCTION_ARGS)
{
	check_counts(PG_GETARG_INT64(0), PG_GETARG_INT64(1));
	return make_proportion(PG_GETARG_INT64(0), PG_GETARG_INT64(1));
}

Datum
revrtm_proportion_successes(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(((const Proportion *) PG_GETARG_POINTER(0))->successes);
}

Datum
revrtm_proportion_trials(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(((const Proportion *) PG_GETARG_POINTER(0))->trials);
}

/* ---------------------------------------------------------- aggregation */

static Datum
add_counts(FunctionCallInfo fcinfo, int64 successes, int64 trials)
{
	Proportion *p = (Proportion *) PG_GETARG_POINTER(0);
	int64		sum;

	if (__builtin_add_overflow(p->trials, trials, &sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("proportion out of range"),
				 errdetail("Trials are counted up to 2^63 - 1.")));
	/* The successes are no more, so their sum fits. */
	successes += p->successes;
	if (!AggCheckCallContext(fcinfo, NULL))
		return make_proportion(successes, sum);
	p->successes = successes;
	p->trials = sum;
	PG_RETURN_POINTER(p);
}

/*
 * Transition of proportion_agg(boolean).
 */
Datum
revrtm_proportion_accum(PG_FUNCTION_ARGS)
{
	return add_counts(fcinfo, PG_GETARG_BOOL(1) ? 1 : 0, 1);
}

Datum
revrtm_proportion_combine(PG_FUNCTION_ARGS)
{
	const Proportion *b = (const Proportion *) PG_GETARG_POINTER(1);

	return add_counts(fcinfo, b->successes, b->trials);
}

/* ------------------------------------------------------------- interval */

static Datum
interval(FunctionCallInfo fcinfo, int64 successes, int64 trials, float8 confidence)
{
	TupleDesc	row;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a confidence must lie between 0 and 1, not be %g", confidence)));
	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE || row->natts != 2)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("wilson returns a row of lo and hi")));
	if (trials > 0)
	{
		double		lo;
		double		hi;

		rtm_wilson(successes, trials, rtm_normal_two_sided(confidence), &lo, &hi);
		values[0] = Float8GetDatum(lo);
		values[1] = Float8GetDatum(hi);
		nulls[0] = nulls[1] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls));
}

/*
 * revrtm.wilson(proportion, confidence)
 */
Datum
revrtm_wilson(PG_FUNCTION_ARGS)
{
	const Proportion *p = (const Proportion *) PG_GETARG_POINTER(0);

	return interval(fcinfo, p->successes, p->trials, PG_GETARG_FLOAT8(1));
}

/*
 * revrtm.wilson(successes, trials, confidence)
 */
Datum
revrtm_wilson_counts(PG_FUNCTION_ARGS)
{
	check_counts(PG_GETARG_INT64(0), PG_GETARG_INT64(1));
	return interval(fcinfo, PG_GETARG_INT64(0), PG_GETARG_INT64(1), PG_GETARG_FLOAT8(2));
}

/* ------------------------------------------------------ text and binary */

/*
 * Takes digits off *cursor; false where there are none or too many.
 */
static bool
scan_count(const char **cursor, int64 *count)
{
	char	   *end;

	if (!isdigit((unsigned char) **cursor))
		return false;
	errno = 0;
	*count = strtoll(*cursor, &end, 10);
	*cursor = end;
	return errno == 0;
}

Datum
revrtm_proportion_in(PG_FUNCTION_ARGS)
{
	const char *literal = PG_GETARG_CSTRING(0);
	const char *s = literal;
	int64		successes;
	int64		trials;

	if (!scan_count(&s, &successes) || *s++ != '/' || !scan_count(&s, &trials) || *s != '\0')
		rtm_invalid_literal("proportion", literal, "A proportion is successes/trials, as in 3/7.");
	if (!counts_are_valid(successes, trials))
		rtm_invalid_literal("proportion", literal, counts_rule);
	return make_proportion(successes, trials);
}

Datum
revrtm_proportion_out(PG_FUNCTION_ARGS)
{
	const Proportion *p = (const Proportion *) PG_GETARG_POINTER(0);

	PG_RETURN_CSTRING(psprintf("%lld/%lld", (long long) p->successes, (long long) p->trials));
}

Datum
revrtm_proportion_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int64		successes = pq_getmsgint64(buf);
	int64		trials = pq_getmsgint64(buf);

	if (!counts_are_valid(successes, trials))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of a proportion"),
				 errdetail("%s", counts_rule)));
	return make_proportion(successes, trials);
}

Datum
revrtm_proportion_send(PG_FUNCTION_ARGS)
{
	const Proportion *p = (const Proportion *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, p->successes);
	pq_sendint64(&buf, p->trials);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
