/*-------------------------------------------------------------------------
 *
 * credibility.c
 *		Empirical Bayes credibility of ratios (H. Buehlmann and E. Straub 1970,
 *		Mitteilungen der Vereinigung schweizerischer Versicherungsmathematiker
 *		70; estimators as in Buehlmann and Gisler 2005, A Course in Credibility
 *		Theory, chapter 4), and the bootstrap (B. Efron 1979, Annals of
 *		Statistics 7).
 *
 * With w the spend and X = margin / spend of a month, w. and X. their sum and
 * mean weighed by spend over the months of a line, W and M those over all
 * lines, and I the number of lines:
 *
 *	noise	= sum w (X - X.)^2 / sum (months - 1)
 *	spread	= (sum w. (X. - M)^2 - (I - 1) noise) / (W - sum w.^2 / W)
 *	Z		= w. / (w. + noise / spread)
 *	pool	= sum Z X. / sum Z
 *	E		= Z X. + (1 - Z) pool
 *
 * A spread that is not above zero says that the lines do not differ by more
 * than noise: Z is 0, and the pool is M.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "credibility.h"

/* Sums a line's months, and returns its sum of w (X - X.)^2. */
static double
sum_line(const CredibilityMonth *month, CredibilityLine *line)
{
	double		margin = 0;
	double		noise = 0;

	line->spend = 0;
	for (size_t i = line->start; i < line->start + line->months; i++)
	{
		line->spend += month[i].spend;
		margin += month[i].margin;
	}
	line->own = margin / line->spend;
	for (size_t i = line->start; i < line->start + line->months; i++)
	{
		double		off = month[i].margin / month[i].spend - line->own;

		noise += month[i].spend * off * off;
	}
	return noise;
}

double
rtm_credibility(const CredibilityMonth *month, CredibilityLine *line, size_t lines)
{
	double		spend = 0;
	double		margin = 0;
	double		noise = 0;
	double		between = 0;
	double		squares = 0;
	double		spread = 0;
	double		freedom = 0;
	double		weight = 0;
	double		pool;

	for (size_t i = 0; i < lines; i++)
	{
		noise += sum_line(month, &line[i]);
		freedom += (double) (line[i].months - 1);
		spend += line[i].spend;
		margin += line[i].spend * line[i].own;
	}
	pool = margin / spend;

	/* Without a second month anywhere the noise is not known. */
	if (lines > 1 && freedom > 0)
	{
		noise /= freedom;
		for (size_t i = 0; i < lines; i++)
		{
			double		off = line[i].own - pool;

			between += line[i].spend * off * off;
			squares += line[i].spend * line[i].spend;
		}
		spread = (between - (double) (lines - 1) * noise) / (spend - squares / spend);
	}

	for (size_t i = 0; i < lines; i++)
	{
		if (lines == 1)
			line[i].credibility = 1;
		else if (spread > 0)
			line[i].credibility = line[i].spend / (line[i].spend + noise / spread);
		else
			line[i].credibility = 0;
		weight += line[i].credibility;
	}
	if (weight > 0)
	{
		pool = 0;
		for (size_t i = 0; i < lines; i++)
			pool += line[i].credibility * line[i].own;
		pool /= weight;
	}
	for (size_t i = 0; i < lines; i++)
		line[i].expected = line[i].credibility * line[i].own + (1 - line[i].credibility) * pool;
	return pool;
}

/* splitmix64: a step of a counter, mixed. */
static uint64_t
next_bits(uint64_t *seed)
{
	uint64_t	z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void
rtm_credibility_sample(const CredibilityMonth *month, const CredibilityLine *line, size_t lines,
					   uint64_t *seed, CredibilityMonth *sample)
{
	for (size_t i = 0; i < lines; i++)
	{
		for (size_t k = 0; k < line[i].months; k++)
		{
			/* The upper half is below months, and even to 2^-64 of it. */
			unsigned __int128 product = (unsigned __int128) next_bits(seed) * line[i].months;

			sample[line[i].start + k] = month[line[i].start + (size_t) (product >> 64)];
		}
	}
}

double
rtm_sorted_quantile(const double *value, size_t n, double fraction)
{
	double		place = fraction * (double) (n - 1);
	size_t		below = (size_t) place;

	if (below >= n - 1)
		return value[n - 1];
	return value[below] + (place - (double) below) * (value[below + 1] - value[below]);
}
