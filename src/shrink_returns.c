/*-------------------------------------------------------------------------
 *
 * shrink_returns.c
 *		shrink_returns(): what lines of the budget return, in SQL.
 *
 * Months are sorted by line, spend and margin first, so that the order of the
 * rows decides neither a sum nor what a seed draws.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "credibility.h"

REVRTM_FUNCTION(revrtm_shrink_returns);

#define MAX_REPLICATES	100000

typedef struct Row
{
	const char *name;
	int			length;
	CredibilityMonth month;
} Row;

static int
compare_names(const Row *a, const Row *b)
{
	int			order = memcmp(a->name, b->name, Min(a->length, b->length));

	return order != 0 ? order : a->length - b->length;
}

static int
compare_rows(const void *x, const void *y)
{
	const Row  *a = x;
	const Row  *b = y;
	int			order = compare_names(a, b);

	CHECK_FOR_INTERRUPTS();
	if (order != 0)
		return order;
	if (a->month.spend != b->month.spend)
		return a->month.spend < b->month.spend ? -1 : 1;
	return (a->month.margin > b->month.margin) - (a->month.margin < b->month.margin);
}

static int
compare_values(const void *x, const void *y)
{
	double		a = *(const double *) x;
	double		b = *(const double *) y;

	return (a > b) - (a < b);
}

static ArrayType *
array_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("lines, spend and margin must not be null")));
	return PG_GETARG_ARRAYTYPE_P(argument);
}

/* The rows as they came. */
static Row *
read_rows(FunctionCallInfo fcinfo, int *rows)
{
	Datum	   *name;
	Datum	   *spend;
	Datum	   *margin;
	bool	   *isnull[3];
	int			spends;
	int			margins;
	Row		   *row;
	int			i;

	deconstruct_array(array_argument(fcinfo, 0), TEXTOID, -1, false, TYPALIGN_INT,
					  &name, &isnull[0], rows);
	deconstruct_array(array_argument(fcinfo, 1), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &spend, &isnull[1], &spends);
	deconstruct_array(array_argument(fcinfo, 2), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &margin, &isnull[2], &margins);
	if (spends != *rows || margins != *rows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lines, spend and margin must have one length"),
				 errdetail("They have %d, %d and %d elements.", *rows, spends, margins)));

	row = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Row) * (Size) Max(*rows, 1));
	for (i = 0; i < *rows; i++)
	{
		text	   *line;

		CHECK_FOR_INTERRUPTS();
		if (isnull[0][i] || isnull[1][i] || isnull[2][i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("element %d of lines, spend or margin is null", i + 1)));
		line = DatumGetTextPP(name[i]);
		row[i].name = VARDATA_ANY(line);
		row[i].length = VARSIZE_ANY_EXHDR(line);
		row[i].month.spend = DatumGetFloat8(spend[i]);
		row[i].month.margin = DatumGetFloat8(margin[i]);
		if (!(row[i].month.spend > 0) || !isfinite(row[i].month.spend) ||
			!isfinite(row[i].month.margin))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("element %d of spend or margin is not a month of a line", i + 1),
					 errdetail("Spend must be above zero, and both finite.")));
	}
	return row;
}

/* Checked at the end of each pass: sums of finite numbers may not be. */
static void
check_lines(const CredibilityLine *line, size_t lines)
{
	size_t		i;

	for (i = 0; i < lines; i++)
	{
		if (!isfinite(line[i].expected) || !isfinite(line[i].own))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("spend or margin is out of range")));
	}
}

/*
 * revrtm.shrink_returns(lines, spend, margin, replicates, seed, confidence)
 */
Datum
revrtm_shrink_returns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Row		   *row;
	int			rows;
	int32		replicates;
	uint64		seed;
	float8		confidence;
	CredibilityMonth *month;
	CredibilityMonth *sample;
	CredibilityLine *line;
	CredibilityLine *drawn;
	size_t		lines = 0;
	double	   *value;
	double		pool;
	size_t		i;
	int32		r;

	if (PG_ARGISNULL(3) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("replicates, seed and confidence must not be null")));
	replicates = PG_GETARG_INT32(3);
	seed = (uint64) PG_GETARG_INT64(4);
	confidence = PG_GETARG_FLOAT8(5);
	if (replicates < 1 || replicates > MAX_REPLICATES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("replicates must be from 1 to %d", MAX_REPLICATES)));
	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must lie between 0 and 1")));
	row = read_rows(fcinfo, &rows);
	InitMaterializedSRF(fcinfo, 0);
	if (rows == 0)
		PG_RETURN_NULL();
	qsort(row, rows, sizeof(Row), compare_rows);

	month = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(CredibilityMonth) * (Size) rows);
	sample = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(CredibilityMonth) * (Size) rows);
	line = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(CredibilityLine) * (Size) rows);
	for (i = 0; i < (size_t) rows; i++)
	{
		month[i] = row[i].month;
		if (i == 0 || compare_names(&row[i - 1], &row[i]) != 0)
			line[lines++] = (CredibilityLine) {.start = i};
		line[lines - 1].months++;
	}
	pool = rtm_credibility(month, line, lines);
	check_lines(line, lines);

	/* What each line is expected to return in every sample. */
	value = MemoryContextAllocHuge(CurrentMemoryContext,
								   mul_size(sizeof(double) * (Size) replicates, lines));
	drawn = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(CredibilityLine) * lines);
	memcpy(drawn, line, sizeof(CredibilityLine) * lines);
	for (r = 0; r < replicates; r++)
	{
		CHECK_FOR_INTERRUPTS();
		rtm_credibility_sample(month, line, lines, &seed, sample);
		rtm_credibility(sample, drawn, lines);
		check_lines(drawn, lines);
		for (i = 0; i < lines; i++)
			value[i * replicates + r] = drawn[i].expected;
	}

	for (i = 0; i < lines; i++)
	{
		double	   *own = &value[i * replicates];
		const Row  *first = &row[line[i].start];
		Datum		values[8];
		bool		nulls[8] = {0};

		CHECK_FOR_INTERRUPTS();
		qsort(own, replicates, sizeof(double), compare_values);
		values[0] = PointerGetDatum(cstring_to_text_with_len(first->name, first->length));
		values[1] = Int64GetDatum((int64) line[i].months);
		values[2] = Float8GetDatum(line[i].own);
		values[3] = Float8GetDatum(line[i].credibility);
		values[4] = Float8GetDatum(pool);
		values[5] = Float8GetDatum(line[i].expected);
		values[6] = Float8GetDatum(rtm_sorted_quantile(own, replicates, (1 - confidence) / 2));
		values[7] = Float8GetDatum(rtm_sorted_quantile(own, replicates, (1 + confidence) / 2));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
