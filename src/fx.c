/*-------------------------------------------------------------------------
 *
 * fx.c
 *		fx(): the exchange rate of a day.
 *
 * Reports convert deal by deal, so a query reads the rates of a pair of
 * currencies once and searches them from then on, whatever index the bound
 * table has.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "text.h"

REVRTM_FUNCTION(revrtm_fx);

/* The rates of a pair of currencies, by day. */
typedef struct Pair
{
	struct Pair *next;
	text	   *from;
	text	   *to;
	uint64		n;
	DateADT    *day;			/* not decreasing */
	Numeric    *rate;			/* of equal days the last one counts */
} Pair;

/*
 * Read a pair's rates into the current memory context.
 */
static Pair *
read_pair(text *from, text *to)
{
	MemoryContext caller = CurrentMemoryContext;
	Pair	   *pair = palloc0(sizeof(Pair));
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2] = {PointerGetDatum(from), PointerGetDatum(to)};
	uint64		rows;

	pair->from = DatumGetTextPCopy(PointerGetDatum(from));
	pair->to = DatumGetTextPCopy(PointerGetDatum(to));

	SPI_connect();
	if (SPI_execute_with_args("SELECT r.on_date::pg_catalog.date, r.rate::pg_catalog.numeric"
							  " FROM revrtm.fx_rate r"
							  " WHERE r.from_currency OPERATOR(pg_catalog.=) $1"
							  " AND r.to_currency OPERATOR(pg_catalog.=) $2"
							  " ORDER BY 1, 2 DESC",
							  2, types, values, NULL, true, 0) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read fx_rate");
	rows = SPI_processed;
	pair->day = MemoryContextAllocHuge(caller, sizeof(DateADT) * Max(rows, 1));
	pair->rate = MemoryContextAllocHuge(caller, sizeof(Numeric) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		no_day;
		bool		no_rate;
		Datum		day = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &no_day);
		Datum		rate = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &no_rate);
		MemoryContext spi;

		if (no_day || no_rate)
			continue;
		spi = MemoryContextSwitchTo(caller);
		pair->day[pair->n] = DatumGetDateADT(day);
		pair->rate[pair->n++] = DatumGetNumericCopy(rate);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return pair;
}

/*
 * revrtm.fx(from_currency, to_currency, on_date): the latest rate on or before
 * the day.
 */
Datum
revrtm_fx(PG_FUNCTION_ARGS)
{
	text	   *from;
	text	   *to;
	DateADT		day;
	Pair	   *pair = fcinfo->flinfo->fn_extra;
	uint64		low = 0;
	uint64		high;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	from = PG_GETARG_TEXT_PP(0);
	to = PG_GETARG_TEXT_PP(1);
	if (rtm_same_text(from, to))
		PG_RETURN_NUMERIC(int64_to_numeric(1));
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	day = PG_GETARG_DATEADT(2);

	while (pair != NULL && !(rtm_same_text(pair->from, from) && rtm_same_text(pair->to, to)))
		pair = pair->next;
	if (pair == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		pair = read_pair(from, to);
		pair->next = fcinfo->flinfo->fn_extra;
		fcinfo->flinfo->fn_extra = pair;
		MemoryContextSwitchTo(caller);
	}

	/* day[0 .. low) <= day < day[high .. n) */
	high = pair->n;
	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (pair->day[middle] <= day)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(pair->rate[low - 1]);
}
