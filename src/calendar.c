/*-------------------------------------------------------------------------
 *
 * calendar.c
 *		Business time by the calendars of the tables calendar and
 *		calendar_holiday.
 *
 * A query reads each calendar it names once. Of the zone's changes of clock it
 * learns those up to the latest instant asked for, from the year 1 on: the
 * zone knows them forward only, and there are two a year at most times.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "business_time.h"
#include "query_cache.h"
#include "zone.h"

/* Business time is known from the year 1 to 9999, in days since 2000-01-01. */
#define FIRST_DAY	(-730119)
#define END_DAY		2921940
#define FIRST		(FIRST_DAY * USECS_PER_DAY)
#define END			(END_DAY * USECS_PER_DAY)

#define MOST_WINDOWS	1000

REVRTM_FUNCTION(revrtm_calendar_is_valid);
REVRTM_FUNCTION(revrtm_business_hours_between);
REVRTM_FUNCTION(revrtm_add_business_hours);

/* A calendar that the query has read. */
typedef struct Calendar
{
	struct Calendar *next;
	text	   *name;
	pg_tz	   *zone;
	size_t		room;			/* for stretches */
	TimestampTz known;			/* until when there are stretches */
	BusinessTime business;
} Calendar;

static void
invalid_calendar(const char *name, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid calendar \"%s\"", name),
			 errdetail("%s", why),
			 errhint("A calendar is a time zone and windows such as Mon-Fri 09:00-17:00 or "
					 "Sat 10:00-24:00.")));
}

static const char *
weekday_of(const BusinessWindow *window)
{
	static const char *const names[] = {
		"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
	};

	return names[window->open / BUSINESS_DAY];
}

/*
 * Read what a row of calendar says, or say why it says nothing.
 */
static void
read_windows(Calendar *calendar, const char *name, const char *zone, ArrayType *windows)
{
	BusinessTime *b = &calendar->business;
	Datum	   *element;
	bool	   *isnull;
	int			n;
	int			overlap;

	calendar->zone = rtm_find_zone(zone);
	if (calendar->zone == NULL)
		invalid_calendar(name, psprintf("Time zone \"%s\" is not known.", zone));

	deconstruct_array(windows, TEXTOID, -1, false, TYPALIGN_INT, &element, &isnull, &n);
	if (n == 0)
		invalid_calendar(name, "It has no window.");
	if (n > MOST_WINDOWS)
		invalid_calendar(name, psprintf("It has more than %d windows.", MOST_WINDOWS));
	b->window = palloc(sizeof(BusinessWindow) * BUSINESS_DAYS * n);
	for (int i = 0; i < n; i++)
	{
		text	   *window;
		const char *why;
		int			days;

		if (isnull[i])
			invalid_calendar(name, "A window is null.");
		window = DatumGetTextPP(element[i]);
		why = business_parse(VARDATA_ANY(window), VARSIZE_ANY_EXHDR(window), i,
							 b->window + b->windows, &days);
		if (why != NULL)
			invalid_calendar(name, psprintf("Window \"%.*s\" %s.",
											pg_mbcliplen(VARDATA_ANY(window),
														 (int) VARSIZE_ANY_EXHDR(window), 64),
											VARDATA_ANY(window), why));
		b->windows += days;
	}
	overlap = business_sort(b->window, b->windows);
	if (overlap >= 0)
		invalid_calendar(name,
						 psprintf("Windows \"%s\" and \"%s\" overlap on %s.",
								  TextDatumGetCString(element[b->window[overlap].source]),
								  TextDatumGetCString(element[b->window[overlap + 1].source]),
								  weekday_of(&b->window[overlap])));
}

/*
 * revrtm.calendar_is_valid(calendar, timezone, windows): true, or an error
 * that says why.
 */
Datum
revrtm_calendar_is_valid(PG_FUNCTION_ARGS)
{
	Calendar	calendar = {0};

	read_windows(&calendar, text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_GETARG_ARRAYTYPE_P(2));
	PG_RETURN_BOOL(true);
}

/* -------------------------------------------------------------- reading */

static void
unknown_calendar(text *name)
{
	char	   *known = NULL;
	bool		isnull = true;

	if (SPI_execute("SELECT pg_catalog.string_agg(calendar::pg_catalog.text, ', ' ORDER BY"
					" calendar::pg_catalog.text COLLATE pg_catalog.\"C\") FROM revrtm.calendar",
					true, 0) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read calendar");
	if (SPI_processed > 0)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		known = isnull ? NULL : TextDatumGetCString(value);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown calendar \"%.*s\"",
					pg_mbcliplen(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name), 64),
					VARDATA_ANY(name)),
			 errhint("The calendars are %s; a new one is a row of revrtm.calendar.",
					 known == NULL ? "none" : known)));
}

/*
 * Read the holidays, inside SPI_connect, into the given memory context.
 */
static void
read_holidays(BusinessTime *b, text *name, MemoryContext caller)
{
	Oid			type = TEXTOID;
	Datum		value = PointerGetDatum(name);
	uint64		rows;

	if (SPI_execute_with_args("SELECT holiday::pg_catalog.date FROM revrtm.calendar_holiday"
							  " WHERE calendar::pg_catalog.text OPERATOR(pg_catalog.=) $1"
							  " ORDER BY 1",
							  1, &type, &value, NULL, true, 0) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read calendar_holiday");
	rows = SPI_processed;
	b->holiday = MemoryContextAllocHuge(caller, sizeof(int32) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;
		Datum		day = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		/* A table that has lost its constraints may hold anything. */
		if (isnull || DatumGetDateADT(day) < FIRST_DAY || DatumGetDateADT(day) >= END_DAY ||
			(b->holidays > 0 && b->holiday[b->holidays - 1] == DatumGetDateADT(day)))
			continue;
		b->holiday[b->holidays++] = DatumGetDateADT(day);
	}
}

/*
 * Read a calendar into the current memory context.
 */
static Calendar *
read_calendar(text *name)
{
	MemoryContext caller = CurrentMemoryContext;
	Calendar   *calendar = palloc0(sizeof(Calendar));
	BusinessTime *b = &calendar->business;
	Oid			type = TEXTOID;
	Datum		value;
	Datum		columns[2];

	calendar->name = DatumGetTextPCopy(PointerGetDatum(name));
	value = PointerGetDatum(calendar->name);
	SPI_connect();
	if (SPI_execute_with_args("SELECT timezone::pg_catalog.text, windows::pg_catalog.text[]"
							  " FROM revrtm.calendar"
							  " WHERE calendar::pg_catalog.text OPERATOR(pg_catalog.=) $1",
							  1, &type, &value, NULL, true, 1) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read calendar");
	if (SPI_processed == 0)
		unknown_calendar(calendar->name);
	for (int i = 0; i < 2; i++)
	{
		bool		isnull;

		columns[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("revrtm.calendar holds a null")));
	}
	MemoryContextSwitchTo(caller);
	read_windows(calendar, text_to_cstring(calendar->name), TextDatumGetCString(columns[0]),
				 DatumGetArrayTypeP(columns[1]));
	read_holidays(b, calendar->name, caller);
	SPI_finish();
	MemoryContextSwitchTo(caller);

	b->opened = palloc(sizeof(int64) * (b->windows + 1));
	b->reached = palloc_extended(sizeof(int64) * Max(b->holidays, 1), MCXT_ALLOC_HUGE);
	b->lost = palloc_extended(sizeof(int64) * (b->holidays + 1), MCXT_ALLOC_HUGE);
	business_prepare(b);
	calendar->room = 256;
	b->stretch = palloc(sizeof(BusinessStretch) * calendar->room);
	calendar->known = FIRST;
	return calendar;
}

/*
 * The calendar of that name, as the query saw it first.
 */
static Calendar *
query_calendar(FmgrInfo *flinfo, text *name)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);
	Calendar   *calendar = cache->data;

	while (calendar != NULL &&
		   (VARSIZE_ANY_EXHDR(calendar->name) != VARSIZE_ANY_EXHDR(name) ||
			memcmp(VARDATA_ANY(calendar->name), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != 0))
		calendar = calendar->next;
	if (calendar == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(cache->context);

		calendar = read_calendar(name);
		calendar->next = cache->data;
		cache->data = calendar;
		MemoryContextSwitchTo(caller);
	}
	return calendar;
}

/*
 * Learn one more stretch of the zone.
 */
static void
extend(Calendar *calendar)
{
	BusinessTime *b = &calendar->business;
	TimestampTz start = calendar->known;
	int64		offset = rtm_zone_offset(calendar->zone, start, &calendar->known);

	CHECK_FOR_INTERRUPTS();
	if (b->stretches > 0 && b->stretch[b->stretches - 1].offset == offset)
		return;
	if (b->stretches == calendar->room)
	{
		calendar->room *= 2;
		b->stretch = repalloc(b->stretch, sizeof(BusinessStretch) * calendar->room);
	}
	business_append(b, start, offset);
}

/*
 * Business time up to an instant, in microseconds.
 */
static int64
passed(Calendar *calendar, TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at) || at < FIRST || at >= END)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range for business time: \"%s\"",
						timestamptz_to_str(at)),
				 errdetail("Business time is known for the years 1 to 9999.")));
	while (calendar->known <= at)
		extend(calendar);
	return business_passed(&calendar->business, at);
}

/*
 * revrtm.business_hours_between(a, b, calendar): the business time from a to
 * b, negative where b is before a.
 */
Datum
revrtm_business_hours_between(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = query_calendar(fcinfo->flinfo, PG_GETARG_TEXT_PP(2));
	int64		from = passed(calendar, PG_GETARG_TIMESTAMPTZ(0));
	int64		to = passed(calendar, PG_GETARG_TIMESTAMPTZ(1));

	PG_RETURN_FLOAT8((double) (to - from) / USECS_PER_HOUR);
}

static void
hours_out_of_range(double hours)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("business hours out of range: %g", hours),
			 errdetail("Business time is known for the years 1 to 9999.")));
}

/*
 * revrtm.add_business_hours(at, hours, calendar): when so much business time
 * has passed since then, or, of negative hours, after when so much of it lies
 * before then.
 */
Datum
revrtm_add_business_hours(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	double		hours = PG_GETARG_FLOAT8(1);
	Calendar   *calendar = query_calendar(fcinfo->flinfo, PG_GETARG_TEXT_PP(2));
	BusinessTime *b = &calendar->business;
	int64		start = passed(calendar, at);
	int64		goal;

	if (!(fabs(hours) < (double) (END - FIRST) / USECS_PER_HOUR))
		hours_out_of_range(hours);
	goal = (int64) rint(hours * USECS_PER_HOUR);
	if (goal == 0)
		PG_RETURN_TIMESTAMPTZ(at);
	goal += start;
	if (goal < start)
	{
		if (goal < b->stretch[0].passed)
			hours_out_of_range(hours);
		PG_RETURN_TIMESTAMPTZ(business_latest(b, goal));
	}

	/* What lies in the stretches that are known, and then in more of them. */
	while (calendar->known < END && business_passed(b, calendar->known) < goal)
		extend(calendar);
	at = business_earliest(b, goal);
	if (at >= END)
		hours_out_of_range(hours);
	PG_RETURN_TIMESTAMPTZ(at);
}
