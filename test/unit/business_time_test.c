/*-------------------------------------------------------------------------
 *
 * business_time_test.c
 *		Unit test of business time, without a server.
 *
 * The reference walks minute by minute over a zone of random changes of clock,
 * with one flag for each minute of the week and one for each holiday.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/business_time_test.c
 *			src/business_time.c
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "business_time.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE			INT64_C(60000000)
#define MINUTES_A_WEEK	(7 * 1440)
#define DAYS			40
#define MINUTES			(DAYS * 1440)
#define MARGIN			5		/* days around them on which there may be holidays */

/* --------------------------------------------------------------- texts */

static long
check_text(const char *text, const char *why, int windows, int64_t open, int64_t close)
{
	size_t		len = strlen(text);
	char	   *exact = room(len);
	BusinessWindow window[BUSINESS_DAYS];
	const char *answer;
	int			n;
	long		bad;

	memcpy(exact, text, len);
	answer = business_parse(exact, len, 3, window, &n);
	free(exact);
	if (why != NULL)
		bad = answer == NULL || strstr(answer, why) == NULL;
	else
		bad = answer != NULL || n != windows || window[0].open != open * MINUTE ||
			window[0].close != close * MINUTE || window[n - 1].source != 3;
	if (bad)
		printf("# %s: %s\n", text, answer ? answer : "accepted");
	return bad;
}

static void
test_texts(void)
{
	static const char *const hours[] = {
		"Mon", "Mon ", "Mon 9:00-17:00", "Mon 09:00", "Mon 09:00-", "Mon 09:00-17:00 ",
		"Mon  09:00-17:00", "Mon 09:00-17:60", "Mon 09:00-24:01", "Mon 09:00-25:00",
		"Mon 09.00-17.00", "Mon,Tue 09:00-17:00", "Mon 0a:00-17:00"
	};
	static const char *const days[] = {
		"", "Mo", "Mond 09:00-17:00", "Foo 09:00-17:00", " Mon 09:00-17:00"
	};
	static const char *const ranges[] = {"Mon-", "Mon-Fr", "Mon-Foo 09:00-17:00"};
	static const char *const empty[] = {
		"Mon 09:00-09:00", "Mon 17:00-09:00", "Mon 24:00-24:00", "Fri 22:00-06:00"
	};
	long		bad = 0;

	bad += check_text("Mon 09:00-17:00", NULL, 1, 540, 1020);
	bad += check_text("sun-THU 00:00-24:00", NULL, 5, 6 * 1440, 7 * 1440);
	bad += check_text("Sat-Fri 23:59-24:00", NULL, 7, 5 * 1440 + 1439, 6 * 1440);
	bad += check_text("Tue-Tue 09:00-09:01", NULL, 1, 1440 + 540, 1440 + 541);
	report("windows are read", bad);

	bad = 0;
	for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++)
		bad += check_text(hours[i], "hours", 0, 0, 0);
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		bad += check_text(days[i], i == 2 ? "hours" : "begin with a weekday", 0, 0, 0);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		bad += check_text(ranges[i], "range", 0, 0, 0);
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		bad += check_text(empty[i], "after it opens", 0, 0, 0);
	report("what is no window is refused, and why", bad);
}

static void
test_overlaps(void)
{
	long		bad = 0;

	for (int round = 0; round < 20000; round++)
	{
		char		taken[20] = {0};
		bool		overlaps = false;
		int			n = 1 + random_below(4);
		BusinessWindow *window = room(sizeof(BusinessWindow) * n);
		int			found;

		for (int i = 0; i < n; i++)
		{
			window[i].open = random_below(19);
			window[i].close = window[i].open + 1 + random_below(19 - (int) window[i].open);
			window[i].source = i;
			for (int64_t k = window[i].open; k < window[i].close; k++)
				overlaps |= taken[k]++ > 0;
		}
		found = business_sort(window, n);
		if ((found >= 0) != overlaps)
			bad++;
		if (found >= 0 && window[found].close <= window[found + 1].open)
			bad++;
		free(window);
	}
	report("windows overlap where a minute lies in two", bad);
}

/* ------------------------------------------------------- business time */

typedef struct World
{
	BusinessTime b;
	char		open[MINUTES_A_WEEK];	/* by minute of the week, from Monday */
	char		holiday[DAYS + 2 * MARGIN];	/* from day first - MARGIN */
	int64_t		first;			/* the first day */
	int64_t		passed[MINUTES + 1];	/* minutes of business before each minute */
	char		business[MINUTES];
} World;

static int64_t
modulo(int64_t a, int64_t b)
{
	return (a % b + b) % b;
}

static void
make_world(World *w)
{
	BusinessTime *b = &w->b;
	int			changes = random_below(6);
	int64_t		offset = 0;
	int			next = 0;
	int			change[6];
	int			minute = 0;

	memset(w, 0, sizeof(*w));
	w->first = random_below(20000) - 10000;

	/* Windows: runs of the week's minutes, none longer than a day. */
	b->window = room(sizeof(BusinessWindow) * 60);
	while (b->windows == 0 || random_below(8) > 0)
	{
		int			open = minute + random_below(1500);
		int			close = open + 1 + random_below(900);

		if (open >= MINUTES_A_WEEK || b->windows == 60)
		{
			if (b->windows > 0)
				break;
			continue;
		}
		if (close > (open / 1440 + 1) * 1440)
			close = (open / 1440 + 1) * 1440;
		b->window[b->windows].open = open * MINUTE;
		b->window[b->windows++].close = close * MINUTE;
		memset(w->open + open, 1, close - open);
		minute = random_below(3) == 0 ? close : close + 1;
	}
	b->opened = room(sizeof(int64_t) * (b->windows + 1));

	b->holiday = room(sizeof(int32_t) * (DAYS + 2 * MARGIN));
	for (int i = 0; i < DAYS + 2 * MARGIN; i++)
	{
		w->holiday[i] = random_below(6) == 0;
		if (w->holiday[i])
			b->holiday[b->holidays++] = (int32_t) (w->first - MARGIN + i);
	}
	b->reached = room(sizeof(int64_t) * b->holidays);
	b->lost = room(sizeof(int64_t) * (b->holidays + 1));
	business_prepare(b);

	/* The clock changes by up to a day, at any minute, in either direction. */
	b->stretch = room(sizeof(BusinessStretch) * (changes + 1));
	for (int i = 0; i < changes; i++)
		change[i] = (i * MINUTES + random_below(MINUTES)) / changes;
	for (int i = 0; i < MINUTES; i++)
	{
		int64_t		clock;

		if (i == 0 || (next < changes && i == change[next]))
		{
			if (i > 0)
				next++;
			else if (next < changes && change[next] == 0)
				next++;
			offset = random_below(3) == 0 ? random_below(2881) - 1440 : 30 * (random_below(9) - 4);
			business_append(b, w->first * BUSINESS_DAY + i * MINUTE, offset * MINUTE);
		}
		clock = w->first * 1440 + i + offset;
		w->business[i] = w->open[modulo(clock - 2 * 1440, MINUTES_A_WEEK)] &&
			!w->holiday[(clock - modulo(clock, 1440)) / 1440 - w->first + MARGIN];
		w->passed[i + 1] = w->passed[i] + w->business[i];
	}
}

static void
free_world(World *w)
{
	free(w->b.window);
	free(w->b.opened);
	free(w->b.holiday);
	free(w->b.reached);
	free(w->b.lost);
	free(w->b.stretch);
}

static void
test_business_time(void)
{
	World	   *w = room(sizeof(World));
	long		bad_passed = 0;
	long		bad_earliest = 0;
	long		bad_latest = 0;
	long		met = 0;

	for (int round = 0; round < 60; round++)
	{
		int64_t		start;
		int64_t		base;

		make_world(w);
		start = w->first * BUSINESS_DAY;
		base = business_passed(&w->b, start);
		for (int i = 0; i < MINUTES; i++)
		{
			int64_t		at = start + i * MINUTE;
			int64_t		within = random_below(60000000);

			if (business_passed(&w->b, at) - base != w->passed[i] * MINUTE)
				bad_passed++;
			if (business_passed(&w->b, at + within) - base !=
				w->passed[i] * MINUTE + (w->business[i] ? within : 0))
				bad_passed++;
			if (!w->business[i])
				continue;
			met++;

			/* Inside a minute of business there is no doubt; at its ends there is. */
			if (within > 0 &&
				business_earliest(&w->b, base + w->passed[i] * MINUTE + within) != at + within)
				bad_earliest++;
			if (within > 0 &&
				business_latest(&w->b, base + w->passed[i] * MINUTE + within) != at + within)
				bad_latest++;
			if (business_earliest(&w->b, base + w->passed[i + 1] * MINUTE) != at + MINUTE)
				bad_earliest++;
			if (business_latest(&w->b, base + w->passed[i] * MINUTE) != at)
				bad_latest++;
		}
		free_world(w);
	}
	report("what has passed is the minutes of business", bad_passed);
	report("the earliest instant is the end of a minute of business", bad_earliest);
	report("the latest one is the start of a minute of business", bad_latest);
	report("there was business", met < 100000);
	free(w);
}

int
main(void)
{
	test_texts();
	test_overlaps();
	test_business_time();
	printf("1..%d\n", tests);
	return failures != 0;
}
