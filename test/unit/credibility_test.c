/*-------------------------------------------------------------------------
 *
 * credibility_test.c
 *		Unit test of credibility and of the samples of the bootstrap, without
 *		a server.
 *
 * The reference is the text book's own form of the estimators, in long double;
 * and companies whose lines differ by a spread that is known.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/credibility_test.c
 *			src/credibility.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "credibility.h"
#include "tap.h"

#include <math.h>
#include <string.h>

#define MOST_LINES	12
#define MOST_MONTHS	24

static CredibilityMonth month[MOST_LINES * MOST_MONTHS];
static CredibilityLine line[MOST_LINES];

/* Sum of twelve uniform variates: near enough to normal, variance 1. */
static double
noise(void)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += uniform(0, 1);
	return sum;
}

static size_t
make_lines(size_t lines, size_t least, size_t most, double spread, double sigma)
{
	size_t		n = 0;

	for (size_t i = 0; i < lines; i++)
	{
		double		mean = 2 + spread * noise();

		line[i].start = n;
		line[i].months = least + (size_t) random_below((int64_t) (most - least + 1));
		for (size_t k = 0; k < line[i].months; k++, n++)
		{
			month[n].spend = uniform(1, 100);
			month[n].margin = month[n].spend * (mean + sigma * noise() / sqrt(month[n].spend));
		}
	}
	return n;
}

/* tau^2 = c (I / (I - 1) sum w_i/w (X_i - X)^2 - I s^2 / w) */
static long
check_reference(size_t lines, double pool)
{
	long double w = 0;
	long double x = 0;
	long double s = 0;
	long double freedom = 0;
	long double sum = 0;
	long double c = 0;
	long double tau;
	long double zs = 0;
	long double zx = 0;
	long double own[MOST_LINES];
	long double ws[MOST_LINES];
	long		bad = 0;

	for (size_t i = 0; i < lines; i++)
	{
		ws[i] = own[i] = 0;
		for (size_t k = 0; k < line[i].months; k++)
		{
			ws[i] += month[line[i].start + k].spend;
			own[i] += month[line[i].start + k].margin;
		}
		own[i] /= ws[i];
		for (size_t k = 0; k < line[i].months; k++)
		{
			const CredibilityMonth *m = &month[line[i].start + k];

			s += m->spend * powl((long double) m->margin / m->spend - own[i], 2);
		}
		freedom += line[i].months - 1;
		w += ws[i];
		x += ws[i] * own[i];
	}
	x /= w;
	s /= freedom;
	for (size_t i = 0; i < lines; i++)
	{
		sum += ws[i] / w * powl(own[i] - x, 2);
		c += ws[i] / w * (1 - ws[i] / w);
	}
	c = (lines - 1.0L) / lines / c;
	tau = c * (lines / (lines - 1.0L) * sum - lines * s / w);
	if (fabsl(tau) < 1e-9L)
		return 0;
	for (size_t i = 0; i < lines; i++)
	{
		long double z = tau > 0 ? ws[i] / (ws[i] + s / tau) : 0;

		zs += z;
		zx += z * own[i];
		bad += fabsl(line[i].credibility - z) > 1e-8L;
		bad += fabsl(line[i].own - own[i]) > 1e-12L;
	}
	if (zs > 0)
		x = zx / zs;
	bad += fabsl(pool - x) > 1e-8L;
	for (size_t i = 0; i < lines; i++)
		bad += fabs(line[i].expected - (line[i].credibility * line[i].own
										+ (1 - line[i].credibility) * pool)) > 1e-12;
	return bad;
}

int
main(void)
{
	CredibilityMonth sample[MOST_LINES * MOST_MONTHS];
	double		value[101];
	double		pool;
	long		bad = 0;
	double		near = 0;
	double		far = 0;
	uint64_t	draw;

	/* Own 2 and 8, M 5; noise = 5 x 4 x 2 / 2 = 20; spread = (180 - 20) / 10 = 16. */
	memcpy(month, (CredibilityMonth[]) {{5, 10}, {5, 10}, {5, 50}, {5, 30}}, 4 * sizeof(*month));
	line[0] = (CredibilityLine) {.start = 0, .months = 2};
	line[1] = (CredibilityLine) {.start = 2, .months = 2};
	pool = rtm_credibility(month, line, 2);
	bad += line[0].own != 2 || line[1].own != 8 || fabs(pool - 5) > 1e-14;
	bad += fabs(line[0].credibility - 10 / 11.25) > 1e-15;
	bad += fabs(line[1].expected - (8 * 10 / 11.25 + 5 * 1.25 / 11.25)) > 1e-14;
	report("two lines by hand", bad);

	bad = 0;
	memcpy(month, (CredibilityMonth[]) {{5, 10}, {5, 50}, {5, 10}, {5, 52}}, 4 * sizeof(*month));
	pool = rtm_credibility(month, line, 2);
	bad += line[0].credibility != 0 || line[0].expected != pool || line[1].expected != pool;
	bad += fabs(pool - 6.1) > 1e-15;
	pool = rtm_credibility(month, line, 1);
	bad += line[0].credibility != 1 || line[0].expected != 6 || pool != 6;
	line[0].months = line[1].months = 1;
	pool = rtm_credibility(month, line, 2);
	bad += line[0].credibility != 0 || line[1].expected != pool;
	report("lines that do not differ, a line alone, one month each", bad);

	bad = 0;
	memcpy(month, (CredibilityMonth[]) {{5, 10}, {4, 8}, {5, 50}, {3, 30}}, 4 * sizeof(*month));
	line[0] = (CredibilityLine) {.start = 0, .months = 2};
	line[1] = (CredibilityLine) {.start = 2, .months = 2};
	rtm_credibility(month, line, 2);
	bad += line[0].credibility != 1 || line[1].credibility != 1 || line[1].expected != 10;
	report("without noise every line speaks for itself", bad);

	bad = 0;
	for (int i = 0; i < 20000; i++)
	{
		size_t		lines = 2 + (size_t) random_below(MOST_LINES - 1);

		make_lines(lines, 1, 6, uniform(0, 2), uniform(0.1, 10));
		pool = rtm_credibility(month, line, lines);
		for (size_t k = 0; k < lines; k++)
		{
			if (line[k].months > 1)
			{
				bad += check_reference(lines, pool);
				break;
			}
		}
		for (size_t k = 0; k < lines; k++)
			bad += !(line[k].credibility >= 0 && line[k].credibility <= 1);
	}
	report("random lines against the text book", bad);

	/* The expectation is nearer to the truth than the own mean. */
	for (int i = 0; i < 3000; i++)
	{
		double		truth[MOST_LINES];
		size_t		n = 0;

		for (size_t k = 0; k < MOST_LINES; k++)
		{
			truth[k] = 2 + 0.5 * noise();
			line[k] = (CredibilityLine) {.start = n, .months = 6};
			for (int m = 0; m < 6; m++, n++)
			{
				month[n].spend = uniform(1, 10);
				month[n].margin = month[n].spend * (truth[k] + 4 * noise() / sqrt(month[n].spend));
			}
		}
		rtm_credibility(month, line, MOST_LINES);
		for (size_t k = 0; k < MOST_LINES; k++)
		{
			near += pow(line[k].expected - truth[k], 2);
			far += pow(line[k].own - truth[k], 2);
		}
	}
	report("shrinking is nearer to the truth", !(near < 0.75 * far));

	bad = 0;
	make_lines(MOST_LINES, 1, MOST_MONTHS, 1, 1);
	draw = 7;
	for (int i = 0; i < 2000; i++)
	{
		rtm_credibility_sample(month, line, MOST_LINES, &draw, sample);
		for (size_t k = 0; k < MOST_LINES; k++)
		{
			for (size_t m = 0; m < line[k].months; m++)
			{
				int			found = 0;

				for (size_t o = 0; o < line[k].months; o++)
					found |= memcmp(&sample[line[k].start + m], &month[line[k].start + o],
									sizeof(*month)) == 0;
				bad += !found;
			}
		}
	}
	report("samples are of the line's own months", bad);

	/* Each of 20 months as often as the others: chi square of 19, 1e-6 is 61. */
	{
		long		count[20] = {0};
		double		chi = 0;
		uint64_t	again = 7;
		CredibilityMonth other[20];

		line[0] = (CredibilityLine) {.start = 0, .months = 20};
		for (int i = 0; i < 20; i++)
			month[i] = (CredibilityMonth) {1, i};
		draw = 7;
		bad = 0;
		for (int i = 0; i < 5000; i++)
		{
			rtm_credibility_sample(month, line, 1, &draw, sample);
			rtm_credibility_sample(month, line, 1, &again, other);
			bad += memcmp(sample, other, sizeof(other)) != 0;
			for (int k = 0; k < 20; k++)
				count[(int) sample[k].margin]++;
		}
		for (int k = 0; k < 20; k++)
			chi += (count[k] - 5000.0) * (count[k] - 5000.0) / 5000;
		report("and drawn evenly, the same for the same seed", bad + !(chi < 61));
	}

	bad = 0;
	for (int i = 0; i <= 100; i++)
		value[i] = i * 10;
	bad += rtm_sorted_quantile(value, 101, 0) != 0 || rtm_sorted_quantile(value, 101, 1) != 1000;
	bad += rtm_sorted_quantile(value, 101, 0.5) != 500;
	bad += fabs(rtm_sorted_quantile(value, 101, 0.055) - 55) > 1e-12;
	bad += rtm_sorted_quantile(value, 1, 0.3) != 0;
	report("quantiles", bad);

	printf("1..%d\n", tests);
	return failures != 0;
}
