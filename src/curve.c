/*-------------------------------------------------------------------------
 *
 * curve.c
 *		The families of response curves.
 *
 * A result is finite wherever it is finite mathematically and fits a double:
 * products that leave the range on the way are taken by logarithms, and
 * differences are written so that nothing cancels.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "curve.h"

#include <float.h>
#include <math.h>
#include <string.h>

/*
 * coefficient * e^exponent, also where the power alone leaves the range.
 */
static double
scaled_exp(double coefficient, double exponent)
{
	double		power = exp(exponent);

	if (coefficient == 0)
		return 0;				/* even of an infinite power */
	if (power >= DBL_MIN && power <= DBL_MAX)
		return coefficient * power;
	return copysign(exp(log(fabs(coefficient)) + exponent), coefficient);
}

/*
 * coefficient * x^exponent, likewise.
 */
static double
scaled_power(double coefficient, double x, double exponent)
{
	double		power = pow(x, exponent);

	if (coefficient == 0)
		return 0;
	if (x == 0 || (power >= DBL_MIN && power <= DBL_MAX))
		return coefficient * power;
	return copysign(exp(log(fabs(coefficient)) + exponent * log(x)), coefficient);
}

static double
log_ratio(double x, double k)
{
	double		ratio = x / k;

	if (ratio >= DBL_MIN && ratio <= DBL_MAX)
		return log(ratio);
	return log(x) - log(k);
}

/*
 * ln((x + dx) / x)
 */
static double
log_growth(double x, double dx)
{
	double		growth = dx / x;

	if (growth <= DBL_MAX)
		return log1p(growth);
	return log(dx) - log(x);
}

/*
 * 1 / (1 + e^-t); for minus t it is the complement, as exactly.
 */
static double
logistic(double t)
{
	double		e;

	if (t >= 0)
		return 1 / (1 + exp(-t));
	e = exp(t);
	return e / (1 + e);
}

static void
concave_everywhere(double *from, double *to)
{
	*from = 0;
	*to = INFINITY;
}

static void
concave_nowhere(double *from, double *to)
{
	*from = INFINITY;
	*to = 0;
}

/* linear: a + b x */

static double
linear_value(const double *p, double x)
{
	return p[0] + p[1] * x;
}

static double
linear_gain(const double *p, double x, double dx)
{
	(void) x;
	return p[1] * dx;
}

static double
linear_slope(const double *p, double x)
{
	(void) x;
	return p[1];
}

static double
linear_bend(const double *p, double x)
{
	(void) p;
	(void) x;
	return 0;
}

/* It never bends: never asked. */
static double
linear_inverse(const double *p, double slope)
{
	(void) p;
	(void) slope;
	return 0;
}

static void
linear_concave(const double *p, double *from, double *to)
{
	(void) p;
	concave_everywhere(from, to);
}

/* log: a + b ln x */

static double
log_value(const double *p, double x)
{
	return p[0] + p[1] * log(x);
}

static double
log_gain(const double *p, double x, double dx)
{
	return p[1] * log_growth(x, dx);
}

static double
log_slope(const double *p, double x)
{
	return p[1] / x;
}

static double
log_bend(const double *p, double x)
{
	(void) p;
	return -1 / x;
}

static double
log_inverse(const double *p, double slope)
{
	return p[1] / slope;
}

static void
log_concave(const double *p, double *from, double *to)
{
	if (p[1] >= 0)
		concave_everywhere(from, to);
	else
		concave_nowhere(from, to);
}

/* power: a + b x^c */

static double
power_value(const double *p, double x)
{
	return p[0] + scaled_power(p[1], x, p[2]);
}

static double
power_gain(const double *p, double x, double dx)
{
	if (p[2] == 1)
		return p[1] * dx;
	return -expm1(-p[2] * log_growth(x, dx)) * scaled_power(p[1], x + dx, p[2]);
}

static double
power_slope(const double *p, double x)
{
	double		coefficient = p[1] * p[2];

	if (p[1] == 0)
		return 0;
	if (fabs(coefficient) >= DBL_MIN && fabs(coefficient) <= DBL_MAX)
		return scaled_power(coefficient, x, p[2] - 1);
	return p[2] * scaled_power(p[1], x, p[2] - 1);
}

static double
power_bend(const double *p, double x)
{
	return (p[2] - 1) / x;
}

static double
power_inverse(const double *p, double slope)
{
	return exp((log(fabs(slope)) - log(fabs(p[1])) - log(p[2])) / (p[2] - 1));
}

static void
power_concave(const double *p, double *from, double *to)
{
	if (p[1] == 0 || p[2] == 1 || (p[1] > 0) == (p[2] < 1))
		concave_everywhere(from, to);
	else
		concave_nowhere(from, to);
}

/* exponential: a + b (1 - e^(-x/k)) */

static double
exponential_value(const double *p, double x)
{
	return p[0] - p[1] * expm1(-x / p[2]);
}

static double
exponential_gain(const double *p, double x, double dx)
{
	return -expm1(-dx / p[2]) * scaled_exp(p[1], -x / p[2]);
}

static double
exponential_slope(const double *p, double x)
{
	double		z = x / p[2];
	double		steepest = p[1] / p[2];

	if (fabs(steepest) >= DBL_MIN && fabs(steepest) <= DBL_MAX)
		return scaled_exp(steepest, -z);
	return scaled_exp(p[1], -z - log(p[2]));
}

static double
exponential_bend(const double *p, double x)
{
	(void) x;
	return -1 / p[2];
}

static double
exponential_inverse(const double *p, double slope)
{
	return p[2] * (log(p[1]) - log(p[2]) - log(slope));
}

static void
exponential_concave(const double *p, double *from, double *to)
{
	if (p[1] >= 0)
		concave_everywhere(from, to);
	else
		concave_nowhere(from, to);
}

/*
 * hill: a + b x^n / (k^n + x^n), which is a + b logistic(t), t = n ln(x/k)
 */

static double
hill_value(const double *p, double x)
{
	return p[0] + p[1] * logistic(p[3] * log_ratio(x, p[2]));
}

/*
 * logistic(t2) - logistic(t1)
 *		= logistic(t2) * (1 - logistic(t1)) * (1 - e^(t1 - t2))
 */
static double
hill_gain(const double *p, double x, double dx)
{
	double		t2 = p[3] * log_ratio(x + dx, p[2]);
	double		step = p[3] * log_growth(x, dx);
	double		t1 = isinf(step) ? p[3] * log_ratio(x, p[2]) : t2 - step;

	return -expm1(-step) * p[1] * logistic(t2) * logistic(-t1);
}

static double
hill_slope(const double *p, double x)
{
	double		t;
	double		e;
	double		steep;
	double		slope;

	if (p[1] == 0)
		return 0;
	if (x == 0)
	{
		if (p[3] == 1)
			return p[1] / p[2];
		return p[3] < 1 ? copysign(INFINITY, p[1]) : 0;
	}

	t = fabs(p[3] * log_ratio(x, p[2]));
	e = exp(-t);
	steep = p[1] * (p[3] / x);
	slope = steep * e / ((1 + e) * (1 + e));
	if (e >= DBL_MIN && fabs(steep) >= DBL_MIN && fabs(steep) <= DBL_MAX)
		return slope;
	return scaled_exp(p[1], log(p[3]) - log(x) - t - 2 * log1p(e));
}

static double
hill_bend(const double *p, double x)
{
	double		t = p[3] * log_ratio(x, p[2]);
	double		e = exp(-fabs(t));

	return -(p[3] * copysign((1 - e) / (1 + e), t) + 1) / x;
}

/*
 * ln |slope| = ln(|b| n / k) - t/n - |t| - 2 ln(1 + e^-|t|) is a concave
 * function of t.  Start on the outer side of the root: the right one, except
 * for a falling curve (b < 0), which is concave left of its inflection.
 * Newton's steps, and Halley's of third order once they are short.
 */
static double
hill_inverse(const double *p, double slope)
{
	double		n = p[3];
	double		ratio = p[1] / slope * n / p[2];
	double		drop;
	double		t;
	int			i;

	if (ratio >= DBL_MIN && ratio <= DBL_MAX)
		drop = log(ratio);
	else
		drop = log(fabs(p[1])) + log(n) - log(p[2]) - log(fabs(slope));

	if (p[1] < 0)
		t = -drop / (1 - 1 / n);
	else if (drop > 2 * M_LN2)
		t = drop / (1 + 1 / n);
	else
		t = 0;

	for (i = 0; i < 100; i++)
	{
		double		e = exp(-fabs(t));
		double		excess = drop - t / n - fabs(t) - 2 * log(1 + e);
		double		descent = 1 / n + copysign((1 - e) / (1 + e), t);
		double		step = excess / descent;

		double		turn = step / descent * e / ((1 + e) * (1 + e));

		if (fabs(turn) < 0.25)
			step /= 1 + turn;
		t += step;
		if (!(fabs(step) > 1e-5 * (1 + fabs(t))))
			break;				/* the next step would be below rounding */
	}
	return scaled_exp(p[2], t / n);
}

static void
hill_concave(const double *p, double *from, double *to)
{
	double		n = p[3];
	double		inflection;

	if (p[1] == 0 || (p[1] > 0 && n <= 1))
	{
		concave_everywhere(from, to);
		return;
	}
	if (n <= 1)
	{
		concave_nowhere(from, to);
		return;
	}
	concave_everywhere(from, to);
	inflection = p[2] * exp(log1p(-2 / (n + 1)) / n);
	if (p[1] > 0)
		*from = inflection;
	else
		*to = inflection;
}

const CurveFamily rtm_curve_family[CURVE_FAMILIES] = {
	[CURVE_LINEAR] = {
		"linear", 2, "linear(a, b) = a + b x", false,
		linear_value, linear_gain, linear_slope, linear_bend,
		linear_inverse, linear_concave
	},
	[CURVE_LOG] = {
		"log", 2, "log(a, b) = a + b ln x", true,
		log_value, log_gain, log_slope, log_bend,
		log_inverse, log_concave
	},
	[CURVE_POWER] = {
		"power", 3, "power(a, b, c) = a + b x^c", false,
		power_value, power_gain, power_slope, power_bend,
		power_inverse, power_concave
	},
	[CURVE_EXPONENTIAL] = {
		"exponential", 3, "exponential(a, b, k) = a + b (1 - e^(-x/k))", false,
		exponential_value, exponential_gain, exponential_slope, exponential_bend,
		exponential_inverse, exponential_concave
	},
	[CURVE_HILL] = {
		"hill", 4, "hill(a, b, k, n) = a + b x^n / (k^n + x^n)", false,
		hill_value, hill_gain, hill_slope, hill_bend,
		hill_inverse, hill_concave
	},
};

/*
 * The family of that name, or -1.
 */
int
rtm_curve_find(const char *name, int length)
{
	int			i;

	for (i = 0; i < CURVE_FAMILIES; i++)
	{
		const char *known = rtm_curve_family[i].name;

		if ((int) strlen(known) == length && memcmp(known, name, length) == 0)
			return i;
	}
	return -1;
}

/*
 * The index of the first parameter that is not finite, or, after a and b,
 * not above zero; -1 when all are good.
 */
int
rtm_curve_bad_parameter(const Curve *curve)
{
	const CurveFamily *family = &rtm_curve_family[curve->family];
	int			i;

	for (i = 0; i < family->parameters; i++)
	{
		double		p = curve->parameter[i];

		if (!isfinite(p) || (i >= 2 && p <= 0))
			return i;
	}
	return -1;
}

/*
 * Is the curve concave on [lo, hi]?  A single point always is.
 */
bool
rtm_curve_is_concave(const Curve *curve, double lo, double hi)
{
	double		from;
	double		to;

	if (lo >= hi)
		return true;
	rtm_curve_family[curve->family].concave(curve->parameter, &from, &to);
	return from <= lo && hi <= to;
}
