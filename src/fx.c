/*-------------------------------------------------------------------------
 *
 * fx.c
 *		Currencies: their minor units, exchange rates, and conversion.
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
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "money.h"
#include "query_cache.h"
#include "settings.h"

REVRTM_FUNCTION(revrtm_convert_amount);
REVRTM_FUNCTION(revrtm_currency_scale);
REVRTM_FUNCTION(revrtm_fx);
REVRTM_FUNCTION(revrtm_fx_note);

#define NUMERIC1(function, a) \
	DatumGetNumeric(DirectFunctionCall1(function, NumericGetDatum(a)))
#define NUMERIC2(function, a, b) \
	DatumGetNumeric(DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)))

typedef struct Code
{
	const char *data;
	int			len;
} Code;

/* The rates of a pair of currencies, by day. */
typedef struct Pair
{
	struct Pair *next;
	Code		from;
	Code		to;
	uint64		n;
	DateADT    *day;			/* not decreasing */
	Numeric    *rate;			/* of equal days the last one counts */
} Pair;

/* Three capital letters as a number, and how many there are. */
#define ISO_NUMBER(s)	((((s)[0] - 'A') * 26 + (s)[1] - 'A') * 26 + (s)[2] - 'A')
#define ISO_NUMBERS		(26 * 26 * 26)

/* What the calls of a query have read. */
typedef struct Exchange
{
	MemoryContext memory;
	Pair	   *pairs;
	int8	   *scale;			/* by ISO_NUMBER; NULL: not read yet */
} Exchange;

/* The rate of a pair on a day, or the note that says why there is none. */
typedef struct Quote
{
	Numeric		rate;
	bool		inverse;		/* it is that of the pair the other way round */
	const char *note;
} Quote;

static Exchange *
query_exchange(FmgrInfo *flinfo)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);
	Exchange   *exchange = cache->data;

	if (exchange == NULL)
	{
		exchange = MemoryContextAllocZero(cache->context, sizeof(Exchange));
		exchange->memory = cache->context;
		cache->data = exchange;
	}
	return exchange;
}

/*
 * A currency that is not named is the one that reports are in.
 */
static Code
currency_argument(FunctionCallInfo fcinfo, int i)
{
	Code		code = {rtm_currency, strlen(rtm_currency)};

	if (!PG_ARGISNULL(i))
	{
		text	   *given = PG_GETARG_TEXT_PP(i);

		code.data = VARDATA_ANY(given);
		code.len = VARSIZE_ANY_EXHDR(given);
	}
	return code;
}

static bool
same_code(const Code *a, const Code *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* ---------------------------------------------------------------- scale */

static bool
is_iso(const Code *code)
{
	if (code->len != 3)
		return false;
	for (int i = 0; i < 3; i++)
	{
		if (code->data[i] < 'A' || code->data[i] > 'Z')
			return false;
	}
	return true;
}

/*
 * Decimals of a currency's minor unit.
 */
static int
scale_of(Exchange *exchange, const Code *code)
{
	if (!is_iso(code))
		return MONEY_SCALE;
	if (exchange->scale == NULL)
	{
		int8	   *scale = MemoryContextAlloc(exchange->memory, ISO_NUMBERS);

		memset(scale, MONEY_SCALE, ISO_NUMBERS);
		SPI_connect();
		if (SPI_execute("SELECT c.currency::pg_catalog.text, c.scale::pg_catalog.int4"
						" FROM revrtm.currency c"
						" WHERE c.currency IS NOT NULL AND c.scale IS NOT NULL",
						true, 0) != SPI_OK_SELECT)
			/* cannot happen */
			elog(ERROR, "could not read currency");
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			bool		isnull;
			text	   *name = DatumGetTextPP(SPI_getbinval(row, SPI_tuptable->tupdesc, 1,
															&isnull));
			int			decimals = DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 2,
															   &isnull));
			Code		iso = {VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)};

			rtm_check_scale(decimals);
			if (is_iso(&iso))
				scale[ISO_NUMBER(iso.data)] = decimals;
		}
		SPI_finish();
		exchange->scale = scale;
	}
	return exchange->scale[ISO_NUMBER(code->data)];
}

/*
 * revrtm.currency_scale(currency)
 */
Datum
revrtm_currency_scale(PG_FUNCTION_ARGS)
{
	Code		code = currency_argument(fcinfo, 0);

	PG_RETURN_INT32(scale_of(query_exchange(fcinfo->flinfo), &code));
}

/* ---------------------------------------------------------------- rates */

static bool
is_positive(Numeric value)
{
	return DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(value),
											NumericGetDatum(int64_to_numeric(0))));
}

static char *
code_text(const Code *code)
{
	return pnstrdup(code->data, pg_mbcliplen(code->data, code->len, 64));
}

static void
check_rate(const Code *from, const Code *to, DateADT day, Numeric rate)
{
	char		on[MAXDATELEN + 1];
	const char *problem;

	if (DATE_NOT_FINITE(day))
		problem = "A rate holds from a certain day.";
	else if (numeric_is_nan(rate) || numeric_is_inf(rate) || !is_positive(rate))
		problem = "A rate is finite and above zero.";
	else
		return;

	if (DATE_NOT_FINITE(day))
		EncodeSpecialDate(day, on);
	else
	{
		struct pg_tm tm = {0};

		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, on);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid exchange rate from \"%s\" to \"%s\" on %s: %s", code_text(from),
					code_text(to), on,
					DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(rate)))),
			 errdetail("%s", problem),
			 errhint("Correct the row that revrtm.fx_rate reads, or leave it out of the query "
					 "bound to it.")));
}

static Code
copy_code(MemoryContext memory, const Code *code)
{
	char	   *data = MemoryContextAlloc(memory, code->len + 1);
	Code		copy = {data, code->len};

	memcpy(data, code->data, code->len);
	return copy;
}

static Pair *
read_pair(MemoryContext memory, const Code *from, const Code *to)
{
	Pair	   *pair = MemoryContextAllocZero(memory, sizeof(Pair));
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		values[2];
	uint64		rows;

	pair->from = copy_code(memory, from);
	pair->to = copy_code(memory, to);

	SPI_connect();
	values[0] = PointerGetDatum(cstring_to_text_with_len(from->data, from->len));
	values[1] = PointerGetDatum(cstring_to_text_with_len(to->data, to->len));
	if (SPI_execute_with_args("SELECT r.on_date::pg_catalog.date, r.rate::pg_catalog.numeric"
							  " FROM revrtm.fx_rate r"
							  " WHERE r.from_currency OPERATOR(pg_catalog.=) $1"
							  " AND r.to_currency OPERATOR(pg_catalog.=) $2"
							  " AND r.on_date IS NOT NULL AND r.rate IS NOT NULL"
							  " ORDER BY 1, 2 DESC",
							  2, types, values, NULL, true, 0) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read fx_rate");
	rows = SPI_processed;
	pair->day = MemoryContextAllocHuge(memory, sizeof(DateADT) * Max(rows, 1));
	pair->rate = MemoryContextAllocHuge(memory, sizeof(Numeric) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;
		DateADT		day = DatumGetDateADT(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		Numeric		rate = DatumGetNumeric(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		MemoryContext spi;

		CHECK_FOR_INTERRUPTS();
		check_rate(from, to, day, rate);
		spi = MemoryContextSwitchTo(memory);
		pair->day[i] = day;
		pair->rate[i] = DatumGetNumericCopy(NumericGetDatum(rate));
		MemoryContextSwitchTo(spi);
	}
	pair->n = rows;
	SPI_finish();
	return pair;
}

/*
 * The latest rate on or before the day; NULL, and why, where there is none or
 * it is too old.
 */
static Numeric
latest_rate(Exchange *exchange, const Code *from, const Code *to, DateADT day, bool *stale)
{
	Pair	   *pair = exchange->pairs;
	uint64		low = 0;
	uint64		high;

	while (pair != NULL && !(same_code(&pair->from, from) && same_code(&pair->to, to)))
		pair = pair->next;
	if (pair == NULL)
	{
		pair = read_pair(exchange->memory, from, to);
		pair->next = exchange->pairs;
		exchange->pairs = pair;
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
		return NULL;
	if (rtm_fx_max_age > 0 &&
		((int64) day - pair->day[low - 1]) * HOURS_PER_DAY * MINS_PER_HOUR > rtm_fx_max_age)
	{
		*stale = true;
		return NULL;
	}
	return pair->rate[low - 1];
}

/*
 * The rate for arguments (…, from, to, on_date), the first of them given. The
 * pair itself comes first, then the pair the other way round.
 */
static Quote
quote_argument(FunctionCallInfo fcinfo, int first)
{
	Code		from = currency_argument(fcinfo, first);
	Code		to = currency_argument(fcinfo, first + 1);
	Quote		quote = {0};
	bool		stale = false;

	if (same_code(&from, &to))
		quote.rate = int64_to_numeric(1);
	else if (!PG_ARGISNULL(first + 2) && !DATE_NOT_FINITE(PG_GETARG_DATEADT(first + 2)))
	{
		Exchange   *exchange = query_exchange(fcinfo->flinfo);
		DateADT		day = PG_GETARG_DATEADT(first + 2);

		quote.rate = latest_rate(exchange, &from, &to, day, &stale);
		if (quote.rate == NULL)
		{
			quote.rate = latest_rate(exchange, &to, &from, day, &stale);
			quote.inverse = true;
		}
	}
	if (quote.rate == NULL)
		quote.note = stale ? "stale_fx" : "fx_missing";
	return quote;
}

/*
 * revrtm.fx(from_currency, to_currency, on_date)
 */
Datum
revrtm_fx(PG_FUNCTION_ARGS)
{
	Quote		quote = quote_argument(fcinfo, 0);

	if (quote.rate == NULL)
		PG_RETURN_NULL();
	if (quote.inverse)
		PG_RETURN_NUMERIC(NUMERIC2(numeric_div, int64_to_numeric(1), quote.rate));
	PG_RETURN_NUMERIC(quote.rate);
}

/*
 * revrtm.fx_note(from_currency, to_currency, on_date): why fx() is NULL.
 */
Datum
revrtm_fx_note(PG_FUNCTION_ARGS)
{
	Quote		quote = quote_argument(fcinfo, 0);

	if (quote.note == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(quote.note));
}

/* ----------------------------------------------------------- conversion */

/*
 * amount / rate, rounded half away from zero: of the exact quotient, which a
 * product with a rounded 1 / rate would miss.
 */
static Numeric
divide_amount(Numeric amount, Numeric rate, int scale)
{
	Numeric		two = int64_to_numeric(2);
	Numeric		unit = int64_div_fast_to_numeric(1, scale);
	Numeric		step = NUMERIC2(numeric_mul, rate, unit);
	Numeric		units;

	/* floor(|amount| / step + 1/2) */
	units = NUMERIC2(numeric_mul, NUMERIC1(numeric_abs, amount), two);
	units = NUMERIC2(numeric_div_trunc, NUMERIC2(numeric_add, units, step),
					 NUMERIC2(numeric_mul, step, two));
	units = NUMERIC2(numeric_mul, units, unit);
	return is_positive(amount) ? units : NUMERIC1(numeric_uminus, units);
}

/*
 * revrtm.convert_amount(amount, from_currency, to_currency, on_date)
 */
Datum
revrtm_convert_amount(PG_FUNCTION_ARGS)
{
	Numeric		amount;
	Quote		quote;
	Code		to;
	int			scale;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	amount = PG_GETARG_NUMERIC(0);
	rtm_check_amount(amount);
	quote = quote_argument(fcinfo, 1);
	if (quote.rate == NULL)
		PG_RETURN_NULL();

	to = currency_argument(fcinfo, 2);
	scale = scale_of(query_exchange(fcinfo->flinfo), &to);
	if (quote.inverse)
		PG_RETURN_NUMERIC(divide_amount(amount, quote.rate, scale));
	return DirectFunctionCall2(numeric_round,
							   NumericGetDatum(NUMERIC2(numeric_mul, amount, quote.rate)),
							   Int32GetDatum(scale));
}
