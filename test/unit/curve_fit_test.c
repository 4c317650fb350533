/*-------------------------------------------------------------------------
 *
 * curve_fit_test.c
 *		Unit test of the curve fits, without a server.
 *
 * The references are written apart from what they test, in long double
 * straight from the formulas: the best straight line for every shape on a
 * dense grid, standard errors from numerical derivatives and an inverted
 * matrix, carry-over as a sum of weights.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/curve_fit_test.c
 *			src/curve_fit.c src/curve_search.c src/curve.c -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "curve_fit.h"
#include "tap.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 60

/* About normal: the sum of twelve. */
static double
noise(void)
{
	double		sum = -6;
	int			i;

	for (i = 0; i < 12; i++)
		sum += uniform(0, 1);
	return sum;
}

static long
differs(long double a, long double b, long double tolerance)
{
	return !(fabsl(a - b) <= tolerance * fmaxl(fabsl(a), fabsl(b)));
}

static long double
formula(int family, const long double *p, long double x)
{
	switch (family)
	{
		case CURVE_LINEAR:
			return p[0] + p[1] * x;
		case CURVE_LOG:
			return p[0] + p[1] * logl(x);
		case CURVE_POWER:
			return p[0] + p[1] * powl(x, p[2]);
		case CURVE_EXPONENTIAL:
			return p[0] - p[1] * expm1l(-x / p[2]);
		default:
			return x == 0 ? p[0] : p[0] + p[1] / (1 + powl(p[2] / x, p[3]));
	}
}

static void
widen(long double *wide, const Curve *curve)
{
	int			i;

	for (i = 0; i < CURVE_PARAMETERS; i++)
		wide[i] = curve->parameter[i];
}

static long interrupts;

static void
count_interrupt(void)
{
	interrupts++;
}

/* In memory of exactly that size, so that a sanitizer sees each overrun. */
static FitStatus
fit(FitProblem *problem, int family, size_t n, const double *x, const double *y)
{
	double	   *room = malloc(sizeof(double) * n * (FIT_WORK + 2));
	FitStatus	status;

	if (room == NULL)
		abort();
	memset(problem, 0, sizeof(FitProblem));
	memcpy(room, x, sizeof(double) * n);
	memcpy(room + n, y, sizeof(double) * n);
	problem->spend = room;
	problem->response = room + n;
	problem->work = room + 2 * n;
	problem->n = n;
	problem->family = family;
	problem->interrupt = count_interrupt;
	status = rtm_curve_fit(problem);
	free(room);
	return status;
}

static double
lognormal(double scale)
{
	return scale * exp(0.8 * noise());
}

/* ------------------------------------------------------- known parameters */

static void
test_recovery(void)
{
	long		bad = 0;
	long		chosen = 0;
	int			round;

	for (round = 0; round < 500; round++)
	{
		int			family = round % CURVE_FAMILIES;
		double		scale = pow(10, uniform(-6, 12));
		double		height = pow(10, uniform(-6, 12));
		long double p[CURVE_PARAMETERS] = {height * uniform(-2, 2), height * uniform(0.5, 2), 0, 0};
		double		x[MOST];
		double		y[MOST];
		size_t		n = 12 + random_bits() % (MOST - 12);
		FitProblem	problem;
		size_t		i;
		int			j;

		if (family == CURVE_LINEAR)
			p[1] /= scale;
		if (family == CURVE_POWER)
		{
			p[2] = uniform(0.3, 0.8);
			p[1] /= powl(scale, p[2]);
		}
		if (family >= CURVE_EXPONENTIAL)
			p[2] = scale * uniform(0.5, 2);
		p[3] = family == CURVE_HILL ? uniform(0.7, 4) : 0;
		for (i = 0; i < n; i++)
		{
			x[i] = lognormal(scale);
			if (i == 0 && family != CURVE_LOG)
				x[i] = 0;
			y[i] = (double) formula(family, p, x[i]);
		}

		bad += fit(&problem, family, n, x, y) != FIT_DONE || problem.note != FIT_NOTE_NONE;
		for (j = 0; j < rtm_curve_family[family].parameters; j++)
		{
			/* An intercept near zero is known to the rounding of the rest. */
			if (j == 0)
				bad += !(fabsl(problem.curve.parameter[0] - p[0]) <= 1e-7L * height);
			else
				bad += differs(problem.curve.parameter[j], p[j], 1e-7L);
		}
		bad += !(problem.rmse <= 1e-10 * height && problem.r2 > 1 - 1e-12);

		if (family == CURVE_HILL && p[3] > 0.95)
			continue;			/* auto keeps to diminishing returns */
		bad += fit(&problem, FIT_AUTO, n, x, y) != FIT_DONE;
		chosen += problem.curve.family != family;
	}
	report("parameters are found again where nothing disturbs them", bad);
	report("and so is their family", chosen);
}

/* ------------------------------------------------------------ brute force */

/* The least sum of squares of a straight line on f, with b >= 0. */
static long double
line_error(int family, const long double *shape, size_t n, const double *x, const double *y)
{
	long double p[CURVE_PARAMETERS] = {0, 1, shape[0], shape[1]};
	long double f[MOST];
	long double mean_f = 0;
	long double mean_y = 0;
	long double ff = 0;
	long double fy = 0;
	long double error = 0;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		f[i] = formula(family, p, x[i]);
		mean_f += f[i] / n;
		mean_y += y[i] / (long double) n;
	}
	for (i = 0; i < n; i++)
	{
		ff += (f[i] - mean_f) * (f[i] - mean_f);
		fy += (f[i] - mean_f) * (y[i] - mean_y);
	}
	for (i = 0; i < n; i++)
	{
		long double residual = y[i] - mean_y - (fy > 0 ? fy / ff * (f[i] - mean_f) : 0);

		error += residual * residual;
	}
	return error;
}

static void
test_brute_force(void)
{
	long		worse = 0;
	long		falls = 0;
	long		told = 0;
	long		outside = 0;
	int			round;

	for (round = 0; round < 200; round++)
	{
		int			family = round % CURVE_FAMILIES;
		int			shapes = rtm_curve_family[family].parameters - 2;
		double		scale = pow(10, uniform(-3, 9));
		double		loud = pow(10, uniform(-2, 0.5));
		double		largest = 0;
		double		smallest = INFINITY;
		double		x[MOST];
		double		y[MOST];
		size_t		n = 8 + random_bits() % 30;
		long double best = INFINITY;
		long double sum = 0;
		long double p[CURVE_PARAMETERS];
		FitProblem	problem;
		size_t		i;
		int			steps[2] = {shapes == 0 ? 0 : shapes == 1 ? 1500 : 120, shapes > 1 ? 60 : 0};
		int			j;
		int			k;

		for (i = 0; i < n; i++)
		{
			long double truth[] = {0, 1, family == CURVE_POWER ? 0.5 : scale, 2};

			x[i] = lognormal(scale);
			largest = fmax(largest, x[i]);
			smallest = fmin(smallest, x[i]);
			y[i] = (double) (formula(family, truth, x[i]) - formula(family, truth, scale));
			if (family == CURVE_LINEAR)
				y[i] /= scale;
			if (family == CURVE_POWER)
				y[i] /= sqrt(scale);
			y[i] = 100 * (y[i] + loud * noise());
		}
		for (j = 0; j <= steps[0]; j++)
		{
			for (k = 0; k <= steps[1]; k++)
			{
				double		u = shapes > 0 ? (double) j / steps[0] : 0;
				double		v = shapes > 1 ? (double) k / steps[1] : 0;
				double		least = fmax(smallest, 1e-3 * largest);
				long double shape[2] = {0, 0};

				if (family == CURVE_POWER)
					shape[0] = 0.01 * pow(1000, u);
				else if (shapes > 0)
					shape[0] = least * pow(100 * largest / least, u);
				if (shapes > 1)
					shape[1] = 0.1 * pow(100, v);
				best = fminl(best, line_error(family, shape, n, x, y));
			}
		}

		told += fit(&problem, family, n, x, y) != FIT_DONE;
		worse += !((long double) problem.rmse * problem.rmse * n <= best * (1 + 1e-9L));
		widen(p, &problem.curve);
		for (i = 0; i < n; i++)
		{
			long double residual = y[i] - formula(problem.curve.family, p, x[i]);

			sum += residual * residual;
			falls += rtm_curve_slope(&problem.curve, x[i]) < 0;
		}
		told += differs(sqrtl(sum / n), problem.rmse, 1e-7L);
		falls += problem.curve.parameter[1] < 0;
		told += (problem.note == FIT_NO_RESPONSE) != (problem.curve.parameter[1] == 0);
		if (problem.note == FIT_NOTE_NONE || problem.note == FIT_AT_BOUND)
		{
			outside += family == CURVE_POWER &&
				!(p[2] > 0.0099999 && p[2] < 10.000001);
			outside += family >= CURVE_EXPONENTIAL &&
				!(p[2] > 0.999999 * smallest && p[2] < 100.0001 * largest);
			outside += family == CURVE_HILL && !(p[3] > 0.099999 && p[3] < 10.000001);
		}
	}
	report("no shape on a dense grid leaves less error", worse);
	report("the error told is that of the curve", told);
	report("no curve falls", falls);
	report("shapes keep their bounds", outside);
}

/* -------------------------------------------------------------- AICc */

static void
test_choice(void)
{
	long		bad = 0;
	int			seen[CURVE_FAMILIES] = {0};
	int			round;
	int			j;

	for (round = 0; round < 300; round++)
	{
		size_t		n = 4 + random_bits() % 30;
		double		x[MOST];
		double		y[MOST];
		long double best = INFINITY;
		int			family = -1;
		FitProblem	problem;
		FitProblem	chosen;
		size_t		i;

		for (i = 0; i < n; i++)
		{
			x[i] = lognormal(1000);
			y[i] = 50 + 100 * (round % 3 ? log(x[i]) : 1 - exp(-x[i] / 1000)) +
				(round % 7) * noise();
		}
		bad += fit(&chosen, FIT_AUTO, n, x, y) != FIT_DONE;
		for (j = 0; j < CURVE_FAMILIES; j++)
		{
			int			parameters = rtm_curve_family[j].parameters;
			long double score;

			if (n < (size_t) parameters + 2)
				continue;
			bad += fit(&problem, j, n, x, y) != FIT_DONE;
			/* Exponents above one are not for auto. */
			if (problem.note == FIT_NO_RESPONSE ||
				(j == CURVE_POWER && problem.curve.parameter[2] >= 1) ||
				(j == CURVE_HILL && problem.curve.parameter[3] >= 1))
				continue;
			score = n * logl(fmaxl((long double) problem.rmse * problem.rmse, 1e-20L)) +
				2 * parameters +
				2.0L * parameters * (parameters + 1) / (n - parameters - 1);
			if (score < best)
			{
				best = score;
				family = j;
			}
		}
		/* With an exponent held at one auto may still take that family. */
		if (chosen.note != FIT_AT_BOUND)
			bad += chosen.curve.family != family;
		seen[chosen.curve.family]++;
		if (chosen.curve.family == CURVE_POWER)
			bad += chosen.curve.parameter[2] > 1;
		if (chosen.curve.family == CURVE_HILL)
			bad += chosen.curve.parameter[3] > 1;
		bad += !rtm_curve_is_concave(&chosen.curve, 1, 1e9);
	}
	bad += seen[CURVE_LINEAR] == 0 || seen[CURVE_LOG] == 0 || seen[CURVE_EXPONENTIAL] == 0;
	report("auto takes the family with the least AICc", bad);
}

/* ------------------------------------------------------- standard errors */

/* The roots of the diagonal of s^2 (J'J)^-1; J by central differences. */
static void
reference_errors(const Curve *curve, size_t n, const double *x, double rmse, long double *error)
{
	int			m = rtm_curve_family[curve->family].parameters;
	long double jacobian[MOST][CURVE_PARAMETERS];
	long double a[CURVE_PARAMETERS][2 * CURVE_PARAMETERS] = {{0}};
	long double size[CURVE_PARAMETERS];
	size_t		i;
	int			j;
	int			k;
	int			l;

	for (j = 0; j < m; j++)
	{
		long double p[CURVE_PARAMETERS];
		long double step;

		widen(p, curve);
		step = 1e-6L * (p[j] == 0 ? 1 : fabsl(p[j]));
		size[j] = 0;
		for (i = 0; i < n; i++)
		{
			long double up;

			p[j] = curve->parameter[j] + step;
			up = formula(curve->family, p, x[i]);
			p[j] = curve->parameter[j] - step;
			jacobian[i][j] = (up - formula(curve->family, p, x[i])) / (2 * step);
			size[j] += jacobian[i][j] * jacobian[i][j];
		}
		size[j] = sqrtl(size[j]);
	}
	for (j = 0; j < m; j++)
	{
		for (k = 0; k < m; k++)
		{
			for (i = 0; i < n; i++)
				a[j][k] += jacobian[i][j] / size[j] * jacobian[i][k] / size[k];
		}
		a[j][m + j] = 1;
	}
	for (j = 0; j < m; j++)
	{
		long double pivot = a[j][j];

		for (k = 0; k < 2 * m; k++)
			a[j][k] /= pivot;
		for (l = 0; l < m; l++)
		{
			long double factor = a[l][j];

			for (k = 0; l != j && k < 2 * m; k++)
				a[l][k] -= factor * a[j][k];
		}
	}
	for (j = 0; j < m; j++)
		error[j] = rmse * sqrtl(n / (long double) (n - m) * a[j][m + j]) / size[j];
}

static void
test_errors(void)
{
	long		bad = 0;
	long		compared = 0;
	int			round;
	int			j;

	for (round = 0; round < 300; round++)
	{
		int			family = round % CURVE_FAMILIES;
		double		scale = pow(10, uniform(-3, 6));
		double		x[MOST];
		double		y[MOST];
		long double truth[] = {3, 1, family == CURVE_POWER ? 0.5 : scale, 1.5};
		long double error[CURVE_PARAMETERS];
		double		loud;
		FitProblem	problem;
		size_t		i;

		loud = 0.02 * (double) (formula(family, truth, 2 * scale) - formula(family, truth, scale));
		for (i = 0; i < 40; i++)
		{
			x[i] = lognormal(scale);
			y[i] = (double) formula(family, truth, x[i]) + loud * noise();
		}
		bad += fit(&problem, family, 40, x, y) != FIT_DONE;
		if (problem.note != FIT_NOTE_NONE)
			continue;
		compared++;
		reference_errors(&problem.curve, 40, x, problem.rmse, error);
		for (j = 0; j < rtm_curve_family[family].parameters; j++)
			bad += differs(problem.error[j], error[j], 1e-5L);
		for (; j < CURVE_PARAMETERS; j++)
			bad += !isnan(problem.error[j]);
	}
	report("standard errors are those of s^2 (J'J)^-1", bad + (compared < 250));
}

/* ------------------------------------------------------------------ units */

static void
test_units(void)
{
	long		exact = 0;
	long		close = 0;
	int			round;

	for (round = 0; round < 100; round++)
	{
		int			family = round % CURVE_FAMILIES;
		double		x[MOST];
		double		y[MOST];
		double		x2[MOST];
		double		y2[MOST];
		double		unit[] = {ldexp(1, 40), 1e-7};
		double		height[] = {ldexp(1, -20), 1e9};
		FitProblem	one;
		FitProblem	other;
		size_t		i;
		int			k;

		for (i = 0; i < 30; i++)
		{
			x[i] = lognormal(100);
			y[i] = 10 + log(x[i]) + noise();
		}
		fit(&one, family, 30, x, y);
		for (k = 0; k < 2; k++)
		{
			for (i = 0; i < 30; i++)
			{
				x2[i] = x[i] * unit[k];
				y2[i] = y[i] * height[k];
			}
			fit(&other, family, 30, x2, y2);
			exact += other.note != one.note;
			/* Powers of two change nothing at all. */
			if (k == 0 && family > CURVE_POWER)
				exact += other.curve.parameter[2] != one.curve.parameter[2] * unit[0] ||
					other.curve.parameter[3] != one.curve.parameter[3];
			if (k == 0 && family == CURVE_POWER)
				exact += other.curve.parameter[2] != one.curve.parameter[2];
			close += differs(other.rmse, one.rmse * height[k], 1e-9L);
			close += differs(other.r2, one.r2, 1e-9L);
		}
	}
	report("a unit that is a power of two leaves the shape as it is", exact);
	report("any unit leaves the fit as good as it is", close);
}

/* --------------------------------------------------------------- edges */

static long
check(const FitProblem *problem, FitNote note, double a, double b)
{
	return problem->note != note || problem->curve.family != CURVE_LINEAR ||
		differs(problem->curve.parameter[0], a, 1e-15L) ||
		differs(problem->curve.parameter[1], b, 1e-15L) || !isnan(problem->error[1]);
}

static void
test_fallbacks(void)
{
	static const double x[] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const double up[] = {3, 5, 6, 7, 7, 8, 8, 9};
	static const double down[] = {9, 8, 8, 7, 7, 6, 5, 3};
	static const double same[] = {2, 2, 2, 2, 2, 2, 2, 2};
	static const double zero[] = {0, 0, 0, 0, 0, 1, 2, 3};
	FitProblem	problem;
	long		bad = 0;
	int			family;

	for (family = FIT_AUTO; family < CURVE_FAMILIES; family++)
	{
		size_t		least = family < 0 ? 4 : rtm_curve_family[family].parameters + 2;

		bad += fit(&problem, family, least - 1, x, up) != FIT_DONE ||
			problem.note != FIT_FEW_POINTS || !isnan(problem.r2) || !isnan(problem.error[0]);
		bad += fit(&problem, family, least, x, up) != FIT_DONE ||
			problem.note == FIT_FEW_POINTS || isnan(problem.r2);
		bad += fit(&problem, family, 8, same, up) != FIT_DONE ||
			check(&problem, FIT_CONSTANT_SPEND, 0, 53.0 / 16);
		bad += fit(&problem, family, 8, x, down) != FIT_DONE ||
			check(&problem, FIT_NO_RESPONSE, 53.0 / 8, 0) || problem.r2 != 0;
		bad += differs(problem.error[0], sqrt(25.875 / 7 / 8), 1e-14L);
		bad += fit(&problem, family, 8, x, same) != FIT_DONE ||
			check(&problem, FIT_NO_RESPONSE, 2, 0) || problem.rmse != 0 || !isnan(problem.r2);
		bad += fit(&problem, family, 5, zero, up) !=
			(family == CURVE_LOG ? FIT_ZERO_SPEND : FIT_DONE);
		if (family != CURVE_LOG)
			bad += check(&problem, family == CURVE_HILL ? FIT_FEW_POINTS : FIT_CONSTANT_SPEND,
						 28.0 / 5, 0);
		bad += fit(&problem, family, 8, zero, up) !=
			(family == CURVE_LOG ? FIT_ZERO_SPEND : FIT_DONE);
	}
	fit(&problem, FIT_AUTO, 3, x, up);
	bad += check(&problem, FIT_FEW_POINTS, 0, 14.0 / 6);
	fit(&problem, FIT_AUTO, 1, zero, up);
	bad += check(&problem, FIT_FEW_POINTS, 3, 0);
	report("few points, one spend, no response: as documented", bad);
}

static void
test_bounds(void)
{
	double		x[20];
	double		step[20];
	double		line[20];
	FitProblem	problem;
	long		bad = 0;
	int			i;

	for (i = 0; i < 20; i++)
	{
		x[i] = i + 1;
		step[i] = i < 10 ? 1 : 2;
		line[i] = 3 * x[i];
	}
	bad += fit(&problem, CURVE_HILL, 20, x, step) != FIT_DONE || problem.note != FIT_AT_BOUND ||
		problem.curve.parameter[3] != 10 ||
		!isnan(problem.error[3]) || isnan(problem.error[2]);
	bad += fit(&problem, CURVE_EXPONENTIAL, 20, x, line) != FIT_DONE ||
		problem.note != FIT_AT_BOUND || problem.curve.parameter[2] != 2000 ||
		!isnan(problem.error[2]) || isnan(problem.error[1]);
	report("a shape at the end of its range is told, and has no error", bad);
}

/* Anything finite: no number that is none, and no endless search. */
static void
test_extremes(void)
{
	long		bad = 0;
	long		done = 0;
	int			round;

	for (round = 0; round < 2000; round++)
	{
		size_t		n = 1 + random_bits() % 12;
		double		x[MOST];
		double		y[MOST];
		double		wide = round % 2 ? 1 : 600;
		FitProblem	problem;
		FitStatus	status;
		size_t		i;
		int			j;

		for (i = 0; i < n; i++)
		{
			x[i] = random_bits() % 5 ? exp(uniform(-wide, wide)) : 0;
			y[i] = copysign(exp(uniform(-wide, wide)), uniform(-1, 3));
		}
		if (round % 50 == 0)
		{
			x[0] = DBL_MAX;
			y[0] = -DBL_MAX;
		}
		interrupts = 0;
		status = fit(&problem, round % 6 - 1, n, x, y);
		bad += interrupts > 10000;
		if (status != FIT_DONE)
			continue;
		done++;
		bad += rtm_curve_bad_parameter(&problem.curve) >= 0 || !isfinite(problem.rmse) ||
			isinf(problem.r2) || problem.curve.parameter[1] < 0;
		for (j = 0; j < CURVE_PARAMETERS; j++)
			bad += isinf(problem.error[j]) || problem.error[j] < 0;
	}
	report("extreme points end in finite curves or in a status", bad + (done < 1000));
}

static void
test_adstock(void)
{
	long		bad = 0;
	int			round;

	for (round = 0; round < 100; round++)
	{
		double		share = round == 0 ? 0 : uniform(0, 0.99);
		double		x[MOST];
		double		worked[MOST];
		double		steady[MOST];
		size_t		n = random_bits() % MOST;
		size_t		t;
		size_t		j;

		for (t = 0; t < n; t++)
		{
			x[t] = worked[t] = lognormal(100);
			steady[t] = 5;
		}
		rtm_adstock(worked, n, share);
		rtm_adstock(steady, n, share);
		for (t = 0; t < n; t++)
		{
			/* The first weighs what all before it would have. */
			long double sum = powl(share, t) * x[0];

			for (j = 0; j < t; j++)
				sum += (1 - (long double) share) * powl(share, j) * x[t - j];
			bad += differs(sum, worked[t], 1e-13L);
			bad += differs(steady[t], 5, 1e-14L);
		}
	}
	report("carry-over is geometric, and leaves steady spend as it is", bad);
}

int
main(void)
{
	test_recovery();
	test_brute_force();
	test_choice();
	test_errors();
	test_units();
	test_fallbacks();
	test_bounds();
	test_extremes();
	test_adstock();
	printf("1..%d\n", tests);
	return failures != 0;
}
