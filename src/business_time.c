/*-------------------------------------------------------------------------
 *
 * business_time.c
 *		Business time: weekly windows by the clock of a zone, less holidays.
 *		Pure: no PostgreSQL header.
 *
 * By the clock, weeks are all alike and a holiday takes the total of its
 * weekday away, so what has passed is a product, a search among the windows
 * of a week and one among the holidays. A stretch, in which the clock keeps
 * its distance from UTC, adds what has passed since it began to what had
 * passed before. Nothing is kept by day, and every search is binary.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "business_time.h"

#include <stdlib.h>
#include <string.h>

/* 2000-01-03 was a Monday. */
#define MONDAY	2
#define MINUTE	INT64_C(60000000)

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* -------------------------------------------------------------- windows */

static bool
parse_day(const char **p, const char *end, int *day)
{
	static const char names[] = "montuewedthufrisatsun";

	if (end - *p < 3)
		return false;
	for (*day = 0; *day < 7; (*day)++)
	{
		const char *name = names + 3 * *day;

		if (((*p)[0] | 0x20) == name[0] && ((*p)[1] | 0x20) == name[1] &&
			((*p)[2] | 0x20) == name[2])
		{
			*p += 3;
			return true;
		}
	}
	return false;
}

static bool
parse_character(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

static bool
parse_two_digits(const char **p, const char *end, int *value)
{
	if (end - *p < 2 || (*p)[0] < '0' || (*p)[0] > '9' || (*p)[1] < '0' || (*p)[1] > '9')
		return false;
	*value = 10 * ((*p)[0] - '0') + (*p)[1] - '0';
	*p += 2;
	return true;
}

static bool
parse_clock(const char **p, const char *end, int *minutes)
{
	int			hour;
	int			minute;

	if (!parse_two_digits(p, end, &hour) || !parse_character(p, end, ':') ||
		!parse_two_digits(p, end, &minute))
		return false;
	*minutes = 60 * hour + minute;
	return minute < 60 && *minutes <= 24 * 60;
}

const char *
business_parse(const char *text, size_t len, int source, BusinessWindow *window, int *n)
{
	const char *p = text;
	const char *end = text + len;
	int			day;
	int			last;
	int			open;
	int			close;

	*n = 0;
	if (!parse_day(&p, end, &day))
		return "does not begin with a weekday (Mon, Tue, Wed, Thu, Fri, Sat, Sun)";
	last = day;
	if (parse_character(&p, end, '-') && !parse_day(&p, end, &last))
		return "does not end its range of weekdays with one";
	if (!parse_character(&p, end, ' ') || !parse_clock(&p, end, &open) ||
		!parse_character(&p, end, '-') || !parse_clock(&p, end, &close) || p != end)
		return "does not name its hours like 09:00-17:00, from 00:00 to 24:00";
	if (open >= close)
		return "does not close after it opens";

	for (;; day = (day + 1) % 7)
	{
		window[*n].open = day * BUSINESS_DAY + open * MINUTE;
		window[*n].close = day * BUSINESS_DAY + close * MINUTE;
		window[(*n)++].source = source;
		if (day == last)
			return NULL;
	}
}

static int
compare_windows(const void *left, const void *right)
{
	const BusinessWindow *a = left;
	const BusinessWindow *b = right;

	if (a->open != b->open)
		return a->open < b->open ? -1 : 1;
	return a->source < b->source ? -1 : a->source > b->source;
}

int
business_sort(BusinessWindow *window, int windows)
{
	qsort(window, windows, sizeof(BusinessWindow), compare_windows);
	for (int i = 0; i + 1 < windows; i++)
	{
		if (window[i + 1].open < window[i].close)
			return i;
	}
	return -1;
}

/* --------------------------------------------------------- by the clock */

/*
 * The number of values[0 .. n), which do not decrease, that are below limit.
 */
static size_t
count_below(const int64_t *values, size_t n, int64_t limit)
{
	size_t		low = 0;

	while (low < n)
	{
		size_t		middle = low + (n - low) / 2;

		if (values[middle] < limit)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/*
 * What has passed by the clock as if there were no holidays.
 */
static int64_t
week_passed(const BusinessTime *b, int64_t clock)
{
	int64_t		since = clock - MONDAY * BUSINESS_DAY;
	int64_t		week = floor_div(since, BUSINESS_WEEK);
	int64_t		within = since - week * BUSINESS_WEEK;
	int64_t		passed = week * b->opened[b->windows];
	int			low = 0;
	int			high = b->windows;

	/* window[0 .. low) open at or before it */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (b->window[middle].open <= within)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return passed;
	if (within >= b->window[low - 1].close)
		return passed + b->opened[low];
	return passed + b->opened[low - 1] + within - b->window[low - 1].open;
}

static int64_t
clock_passed(const BusinessTime *b, int64_t clock)
{
	int64_t		passed = week_passed(b, clock);
	int64_t		day = floor_div(clock, BUSINESS_DAY);
	size_t		low = 0;
	size_t		high = b->holidays;

	/* holiday[0 .. low) are on that day or before */
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (b->holiday[middle] <= day)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0 && b->holiday[low - 1] == day)
		return b->reached[low - 1];
	return passed - b->lost[low];
}

/*
 * The earliest time by the clock at which so much has passed, and the latest
 * one. Holidays that begin before then have taken theirs away.
 */
static int64_t
clock_earliest(const BusinessTime *b, int64_t passed)
{
	int64_t		regular = passed + b->lost[count_below(b->reached, b->holidays, passed)];
	int64_t		week = floor_div(regular - 1, b->opened[b->windows]);
	int64_t		within = regular - week * b->opened[b->windows];
	size_t		i = count_below(b->opened, b->windows, within) - 1;

	return MONDAY * BUSINESS_DAY + week * BUSINESS_WEEK + b->window[i].open + within - b->opened[i];
}

static int64_t
clock_latest(const BusinessTime *b, int64_t passed)
{
	int64_t		regular = passed + b->lost[count_below(b->reached, b->holidays, passed + 1)];
	int64_t		week = floor_div(regular, b->opened[b->windows]);
	int64_t		within = regular - week * b->opened[b->windows];
	size_t		i = count_below(b->opened, b->windows, within + 1) - 1;

	return MONDAY * BUSINESS_DAY + week * BUSINESS_WEEK + b->window[i].open + within - b->opened[i];
}

void
business_prepare(BusinessTime *b)
{
	memset(b->day_total, 0, sizeof(b->day_total));
	b->opened[0] = 0;
	for (int i = 0; i < b->windows; i++)
	{
		int64_t		length = b->window[i].close - b->window[i].open;

		b->opened[i + 1] = b->opened[i] + length;
		b->day_total[b->window[i].open / BUSINESS_DAY] += length;
	}
	b->lost[0] = 0;
	for (size_t i = 0; i < b->holidays; i++)
	{
		int64_t		day = b->holiday[i];
		int64_t		weekday = day - MONDAY - 7 * floor_div(day - MONDAY, 7);

		b->reached[i] = week_passed(b, day * BUSINESS_DAY) - b->lost[i];
		b->lost[i + 1] = b->lost[i] + b->day_total[weekday];
	}
	b->stretches = 0;
}

/* --------------------------------------------------------- by the world */

void
business_append(BusinessTime *b, int64_t start, int64_t offset)
{
	int64_t		passed = b->stretches > 0 ? business_passed(b, start) : 0;
	BusinessStretch *stretch = &b->stretch[b->stretches++];

	stretch->start = start;
	stretch->offset = offset;
	stretch->passed = passed;
	stretch->base = passed - clock_passed(b, start + offset);
}

int64_t
business_passed(const BusinessTime *b, int64_t at)
{
	size_t		low = 1;
	size_t		high = b->stretches;

	/* stretch[0 .. low) start at or before it */
	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (b->stretch[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return b->stretch[low - 1].base + clock_passed(b, at + b->stretch[low - 1].offset);
}

/*
 * The last stretch before whose start less than limit has passed, at least the
 * first one.
 */
static const BusinessStretch *
last_below(const BusinessTime *b, int64_t limit)
{
	size_t		low = 1;
	size_t		high = b->stretches;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (b->stretch[middle].passed < limit)
			low = middle + 1;
		else
			high = middle;
	}
	return &b->stretch[low - 1];
}

int64_t
business_earliest(const BusinessTime *b, int64_t passed)
{
	const BusinessStretch *stretch = last_below(b, passed);

	return clock_earliest(b, passed - stretch->base) - stretch->offset;
}

int64_t
business_latest(const BusinessTime *b, int64_t passed)
{
	const BusinessStretch *stretch = last_below(b, passed + 1);

	return clock_latest(b, passed - stretch->base) - stretch->offset;
}
