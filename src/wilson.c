/*-------------------------------------------------------------------------
 *
 * wilson.c
 *		The score interval of a proportion (E. B. Wilson 1927, Journal of the
 *		American Statistical Association 22).
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "wilson.h"

#include <math.h>

/* Newton from the far side needs eight steps at most; rounding may add one. */
#define MOST_STEPS		32

/*
 * Newton's method on erf(x) = confidence, z = x sqrt(2). Both functions below
 * are concave, so from the starts chosen every step keeps to the same side
 * of the root and none can leave the range.
 */
double
rtm_normal_two_sided(double confidence)
{
	const double slope = 2 / sqrt(M_PI);	/* of erf at zero */
	double		x;

	if (confidence <= 0.5)
	{
		x = 0;
		for (int i = 0; i < MOST_STEPS; i++)
		{
			double		step = (confidence - erf(x)) / (slope * exp(-x * x));

			x += step;
			if (fabs(step) <= 1e-16 * x)
				break;
		}
	}
	else
	{
		/* Exact, and what counts here; erfc(x) <= exp(-x^2) bounds the root. */
		double		tail = 1 - confidence;

		x = sqrt(-log(tail));
		for (int i = 0; i < MOST_STEPS; i++)
		{
			double		rest = erfc(x);
			double		step = log(rest / tail) * rest / (slope * exp(-x * x));

			x += step;
			if (fabs(step) <= 1e-16 * x)
				break;
		}
	}
	return x * M_SQRT2;
}

/*
 * The bounds solve (n + z^2) p^2 - (2 k + z^2) p + k^2 / n = 0. The lower one
 * is taken from the product of both, since the usual formula subtracts nearly
 * equal numbers.
 */
static double
lower_bound(double k, double n, double sum)
{
	return k / n * k / sum;
}

void
rtm_wilson(int64_t successes, int64_t trials, double z, double *lo, double *hi)
{
	double		k = (double) successes;
	double		f = (double) (trials - successes);
	double		n = (double) trials;
	double		half = z * z / 2;
	double		spread = z * sqrt(k / n * f + half / 2);

	*lo = lower_bound(k, n, k + half + spread);
	if (k <= f)
		*hi = (k + half + spread) / (n + 2 * half);
	else
		*hi = 1 - lower_bound(f, n, f + half + spread);
}
