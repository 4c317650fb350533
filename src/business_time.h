/*-------------------------------------------------------------------------
 *
 * business_time.h
 *		Business time: weekly windows by the clock of a zone, less holidays.
 *		Pure: no PostgreSQL header.
 *
 * An instant is business time when the zone's clock then shows a time inside a
 * window, on a day that is no holiday. So an hour that the clock skips counts
 * nothing, and one that it repeats counts twice.
 *
 * Times are microseconds since 2000-01-01 00:00, in UTC or by the clock, days
 * are days since then.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_BUSINESS_TIME_H
#define REVRTM_BUSINESS_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUSINESS_DAY	INT64_C(86400000000)
#define BUSINESS_WEEK	(7 * BUSINESS_DAY)

/* From Monday 00:00; open < close <= BUSINESS_WEEK. */
typedef struct BusinessWindow
{
	int64_t		open;
	int64_t		close;
	int			source;			/* the text it comes from, by number */
} BusinessWindow;

/* A time in which the clock keeps its distance from UTC. */
typedef struct BusinessStretch
{
	int64_t		start;			/* in UTC; it ends where the next one starts */
	int64_t		offset;			/* of the clock */
	int64_t		passed;			/* business time at its start */
	int64_t		base;			/* what passed less what has passed by the clock */
} BusinessStretch;

typedef struct BusinessTime
{
	int			windows;
	BusinessWindow *window;		/* sorted, none overlap */
	int64_t    *opened;			/* windows + 1: business time of a week before each */
	int64_t		day_total[7];	/* by weekday, Monday first */

	size_t		holidays;
	int32_t    *holiday;		/* sorted, none twice */
	int64_t    *reached;		/* business time by the clock where each begins */
	int64_t    *lost;			/* holidays + 1: what those before each took away */

	size_t		stretches;
	BusinessStretch *stretch;	/* sorted; room is the caller's to make */
} BusinessTime;

/* At most so many windows come from one text. */
#define BUSINESS_DAYS	7

/*
 * Read a text such as "Mon-Fri 09:00-17:00", "Sat 10:00-24:00" or
 * "Sun-Thu 08:00-16:00" into window[0 .. *n). NULL, or what is wrong with it.
 */
extern const char *business_parse(const char *text, size_t len, int source,
								  BusinessWindow *window, int *n);

/*
 * Sort the windows; the first of two that overlap, or -1.
 */
extern int	business_sort(BusinessWindow *window, int windows);

/*
 * Prepare: window and holiday are set, and there is room in opened, reached
 * and lost. Afterwards there are no stretches.
 */
extern void business_prepare(BusinessTime *b);

/* Append a stretch, for which there is room. */
extern void business_append(BusinessTime *b, int64_t start, int64_t offset);

/*
 * Business time up to an instant not before the first stretch; only
 * differences mean anything.
 */
extern int64_t business_passed(const BusinessTime *b, int64_t at);

/*
 * Where that is so much: the earliest such instant, or the latest one. The
 * business time lies between those of the first and the last stretch.
 */
extern int64_t business_earliest(const BusinessTime *b, int64_t passed);
extern int64_t business_latest(const BusinessTime *b, int64_t passed);

#endif							/* REVRTM_BUSINESS_TIME_H */
