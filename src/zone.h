/*-------------------------------------------------------------------------
 *
 * zone.h
 *		Days, months and instants by the clock of a time zone.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ZONE_H
#define REVRTM_ZONE_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

/* The zone of reporting days and months: the setting revrtm.timezone. */
extern pg_tz *rtm_timezone;

/*
 * The zone of that name, or NULL. Unlike AT TIME ZONE it takes no notice of
 * abbreviations, whose meaning is the user's to set.
 */
extern pg_tz *rtm_find_zone(const char *name);

/*
 * How far the zone's clock is from UTC at an instant, and until when at least,
 * both in microseconds; PG_INT64_MAX where it never changes again.
 */
extern int64 rtm_zone_offset(const pg_tz *zone, TimestampTz at, TimestampTz *until);

/* The day of an instant; infinities are their own. */
extern DateADT rtm_local_day(TimestampTz at, const pg_tz *zone);

/*
 * The instant at which the zone's clock shows this time: the later of two, or
 * that at which the clock jumps over it.
 */
extern TimestampTz rtm_local_instant(Timestamp local, const pg_tz *zone);

#endif							/* REVRTM_ZONE_H */
