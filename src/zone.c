/*-------------------------------------------------------------------------
 *
 * zone.c
 *		Days, months and instants by the clock of a time zone.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "zone.h"

/* No route's history is longer than a century. */
#define MOST_MONTHS (100 * MONTHS_PER_YEAR)

/* A zone's clock is less than a week away from UTC, whatever a name says. */
#define MOST_OFFSET (8 * USECS_PER_DAY)

#define EPOCH_SECONDS \
	((pg_time_t) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

REVRTM_FUNCTION(revrtm_timezone_is_valid);
REVRTM_FUNCTION(revrtm_local_date);
REVRTM_FUNCTION(revrtm_period_at);
REVRTM_FUNCTION(revrtm_period_day);
REVRTM_FUNCTION(revrtm_day_end);
REVRTM_FUNCTION(revrtm_months);

pg_tz *
rtm_find_zone(const char *name)
{
	pg_tz	   *zone = pg_tzset(name);

	return zone != NULL && pg_tz_acceptable(zone) ? zone : NULL;
}

/*
 * revrtm.timezone_is_valid(timezone): true, or an error.
 */
Datum
revrtm_timezone_is_valid(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (rtm_find_zone(name) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known", name),
				 errhint("The names are those of pg_timezone_names.")));
	PG_RETURN_BOOL(true);
}

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("date out of range")));
}

static pg_time_t
seconds_of(TimestampTz at)
{
	return at / USECS_PER_SEC - (at % USECS_PER_SEC < 0) + EPOCH_SECONDS;
}

/*
 * What the zone's clock shows; valid until the next call of the library.
 */
static const struct pg_tm *
clock_at(pg_time_t at, const pg_tz *zone)
{
	const struct pg_tm *tm = pg_localtime(&at, zone);

	if (tm == NULL)
		out_of_range();
	return tm;
}

static bool
next_change(const pg_tz *zone, pg_time_t at, pg_time_t *change)
{
	long		offset[2];
	int			isdst[2];

	return pg_next_dst_boundary(&at, &offset[0], &isdst[0], change, &offset[1], &isdst[1],
								zone) == 1;
}

int64
rtm_zone_offset(const pg_tz *zone, TimestampTz at, TimestampTz *until)
{
	pg_time_t	seconds = seconds_of(at);
	pg_time_t	change;

	/* At the last change that it has on file the library says there are no more. */
	if ((next_change(zone, seconds, &change) || next_change(zone, seconds + 1, &change)) &&
		change < PG_INT64_MAX / USECS_PER_SEC)
		*until = (change - EPOCH_SECONDS) * USECS_PER_SEC;
	else
		*until = PG_INT64_MAX;
	return clock_at(seconds, zone)->tm_gmtoff * USECS_PER_SEC;
}

/* Stretches of time in which a zone's clock has one offset, lately asked for. */
typedef struct Stretch
{
	const pg_tz *zone;
	TimestampTz from;
	TimestampTz until;
	int64		offset;
} Stretch;

static const Stretch *
stretch_at(TimestampTz at, const pg_tz *zone)
{
	static Stretch stretch[8];
	static int	next = 0;
	TimestampTz until;
	int64		offset;
	Stretch    *s;

	for (int i = 0; i < lengthof(stretch); i++)
	{
		s = &stretch[i];
		if (s->zone == zone && s->from <= at && at < s->until)
			return s;
	}
	offset = rtm_zone_offset(zone, at, &until);
	for (int i = 0; i < lengthof(stretch); i++)
	{
		s = &stretch[i];
		if (s->zone == zone && s->until == until && s->from > at)
		{
			s->from = at;
			return s;
		}
	}
	s = &stretch[next];
	next = (next + 1) % lengthof(stretch);
	s->zone = zone;
	s->from = at;
	s->until = until;
	s->offset = offset;
	return s;
}

DateADT
rtm_local_day(TimestampTz at, const pg_tz *zone)
{
	int64		local;

	if (TIMESTAMP_IS_NOBEGIN(at))
		return DATEVAL_NOBEGIN;
	if (TIMESTAMP_IS_NOEND(at))
		return DATEVAL_NOEND;
	local = at + stretch_at(at, zone)->offset;
	return (DateADT) (local / USECS_PER_DAY - (local % USECS_PER_DAY < 0));
}

TimestampTz
rtm_local_instant(Timestamp local, const pg_tz *zone)
{
	TimestampTz at;
	TimestampTz last;
	TimestampTz result = 0;

	if (TIMESTAMP_NOT_FINITE(local))
		return local;
	if (local < MIN_TIMESTAMP + 2 * MOST_OFFSET || local >= END_TIMESTAMP - 2 * MOST_OFFSET)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));

	/* Of the stretches around it, the last whose clock shows less somewhere. */
	last = local + MOST_OFFSET;
	for (at = local - MOST_OFFSET; at < last;)
	{
		TimestampTz until;
		int64		offset = rtm_zone_offset(zone, at, &until);

		if (at + offset < local)
			result = Min(local - offset, until);
		at = until;
	}
	return result;
}

static DateADT
month_of(DateADT day)
{
	int			year;
	int			month;
	int			mday;

	if (DATE_NOT_FINITE(day))
		return day;
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	day -= mday - 1;
	if (!IS_VALID_DATE(day))
		out_of_range();
	return day;
}

/*
 * revrtm.local_date(at): the day of an instant in revrtm.timezone.
 */
Datum
revrtm_local_date(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(rtm_local_day(PG_GETARG_TIMESTAMPTZ(0), rtm_timezone));
}

/*
 * revrtm.period(at): the month of an instant in revrtm.timezone.
 */
Datum
revrtm_period_at(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(month_of(rtm_local_day(PG_GETARG_TIMESTAMPTZ(0), rtm_timezone)));
}

/*
 * revrtm.period(day): the month of a day.
 */
Datum
revrtm_period_day(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(month_of(PG_GETARG_DATEADT(0)));
}

/*
 * revrtm.day_end(day): the last instant of a day in revrtm.timezone.
 */
Datum
revrtm_day_end(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(0);
	int64		next;

	if (DATE_IS_NOBEGIN(day))
		PG_RETURN_TIMESTAMPTZ(DT_NOBEGIN);
	if (DATE_IS_NOEND(day))
		PG_RETURN_TIMESTAMPTZ(DT_NOEND);
	if (pg_mul_s64_overflow((int64) day + 1, USECS_PER_DAY, &next))
		out_of_range();
	PG_RETURN_TIMESTAMPTZ(rtm_local_instant(next, rtm_timezone) - 1);
}

/*
 * revrtm.months(first, last): the months from that of one day to that of the
 * other.
 */
Datum
revrtm_months(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DateADT		first = PG_GETARG_DATEADT(0);
	DateADT		last = PG_GETARG_DATEADT(1);
	DateADT		month;
	int			n = 0;

	if (DATE_NOT_FINITE(first) || DATE_NOT_FINITE(last))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the first and the last day must be finite")));
	if (first > last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the last day must not be before the first")));

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	/* 31 days after the first of a month it is the next one. */
	for (month = month_of(first); month <= last; month = month_of(month + 31))
	{
		bool		isnull = false;
		Datum		value = DateADTGetDatum(month);

		if (++n > MOST_MONTHS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("more than %d months at once", MOST_MONTHS)));
		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}
