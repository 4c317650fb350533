/*-------------------------------------------------------------------------
 *
 * curve_fit.c
 *		Fits of response curves: the choice of a family, and what is told of
 *		the curve.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "curve_search.h"

#include <float.h>
#include <math.h>
#include <string.h>

/*
 * A shape parameter in scaled spend; at a bound exactly that.
 */
static double
shape_value(const Fit *fit, int j)
{
	if (fit->shape[j] <= fit->least[j])
		return fit->floor[j];
	if (fit->shape[j] >= fit->most[j])
		return fit->ceiling[j];
	return exp(fit->shape[j]);
}

/*
 * b, or its standard error, in the unit that it has for the points as given.
 */
static double
unscale_b(const Fit *fit, double b)
{
	int			scale = fit->response_scale;
	double		exponent;

	if (fit->family == CURVE_LINEAR)
		return ldexp(b, scale - fit->spend_scale);
	if (fit->family != CURVE_POWER)
		return ldexp(b, scale);
	exponent = -shape_value(fit, 0) * fit->spend_scale;
	return ldexp(b * exp2(exponent - floor(exponent)), scale + (int) floor(exponent));
}

/*
 * The curve last looked at, for the points as given; false where it does not
 * fit doubles.
 */
static bool
take_curve(const Fit *fit, Curve *curve)
{
	double	   *p = curve->parameter;

	memset(curve, 0, sizeof(Curve));
	curve->family = fit->family;
	p[0] = ldexp(fit->mean_y - fit->b * fit->mean_f, fit->response_scale);
	p[1] = unscale_b(fit, fit->b);
	if (fit->family == CURVE_LOG)
		p[0] -= p[1] * (fit->spend_scale * M_LN2);
	if (fit->family == CURVE_POWER)
		p[2] = shape_value(fit, 0);
	if (fit->family == CURVE_EXPONENTIAL || fit->family == CURVE_HILL)
		p[2] = ldexp(shape_value(fit, 0), fit->spend_scale);
	if (fit->family == CURVE_HILL)
		p[3] = shape_value(fit, 1);
	if (p[0] == 0)
		p[0] = 0;				/* no minus zero */
	return rtm_curve_bad_parameter(curve) < 0 && p[1] >= DBL_MIN;
}

/*
 * Without a fit: a line through the origin at the average return, or, where
 * that does not rise, the mean.
 */
static void
take_average(const Fit *fit, Curve *curve, bool flat)
{
	double		sum = 0;
	double		mean = fit->mean_y;
	size_t		i;

	memset(curve, 0, sizeof(Curve));
	curve->family = CURVE_LINEAR;
	for (i = 0; i < fit->n; i++)
		sum += fit->x[i];
	if (flat || sum == 0 || mean <= 0)
		curve->parameter[0] = mean == 0 ? 0 : ldexp(mean, fit->response_scale);
	else
		curve->parameter[1] = ldexp(mean / (sum / (double) fit->n),
									fit->response_scale - fit->spend_scale);
}

/*
 * rmse and r2 of the curve, by its own values at the points as given.
 */
static FitStatus
measure(const Fit *fit, FitProblem *problem)
{
	double		sum = 0;
	size_t		i;

	if (rtm_curve_bad_parameter(&problem->curve) >= 0)
		return FIT_OUT_OF_RANGE;
	for (i = 0; i < fit->n; i++)
	{
		double		value = rtm_curve_value(&problem->curve, problem->spend[i]);
		double		residual = ldexp(problem->response[i], -fit->response_scale) -
			ldexp(value, -fit->response_scale);

		if (!isfinite(value))
			return FIT_OUT_OF_RANGE;
		sum += residual * residual;
	}
	problem->rmse = ldexp(sqrt(sum / (double) fit->n), fit->response_scale);
	if (!isfinite(problem->rmse))
		return FIT_OUT_OF_RANGE;
	problem->r2 = NAN;
	if (problem->note != FIT_FEW_POINTS && problem->note != FIT_CONSTANT_SPEND &&
		fit->square_y > 0)
		problem->r2 = fmax(0, 1 - sum / fit->square_y);
	return FIT_DONE;
}

static bool
at_bound(const Fit *fit, int j)
{
	return fit->shape[j] <= fit->least[j] || fit->shape[j] >= fit->most[j];
}

/*
 * Standard errors: the roots of the diagonal of s^2 (J'J)^-1, with J the
 * derivatives of the curve last looked at by its parameters, as given, and
 * s^2 the error by degree of freedom.  J is made orthogonal column by column
 * (J = QR), so that J'J is never formed.
 */
static void
standard_errors(Fit *fit, FitProblem *problem)
{
	double	   *column[CURVE_PARAMETERS];
	int			parameter[CURVE_PARAMETERS];
	double		unit[CURVE_PARAMETERS];
	double		r[CURVE_PARAMETERS][CURVE_PARAMETERS] = {{0}};
	double		inverse[CURVE_PARAMETERS][CURVE_PARAMETERS] = {{0}};
	double		freedom = (double) fit->n - rtm_curve_family[fit->family].parameters;
	double		deviation = sqrt(fit->error / freedom);
	double		shift = fit->spend_scale * M_LN2;
	int			columns = 0;
	size_t		i;
	int			j;
	int			k;
	int			l;

	rtm_fit_compute(fit);

	/* log_x is not needed after this, nor is x. */
	column[columns] = fit->x;
	parameter[columns] = 0;
	unit[columns++] = ldexp(1, fit->response_scale);
	column[columns] = fit->f;
	parameter[columns] = 1;
	unit[columns++] = unscale_b(fit, 1);
	for (j = 0; j < fit->shapes; j++)
	{
		if (at_bound(fit, j))
			continue;
		column[columns] = fit->d[j];
		parameter[columns] = 2 + j;
		unit[columns++] = problem->curve.parameter[2 + j];
	}
	for (i = 0; i < fit->n; i++)
	{
		fit->x[i] = 1;
		if (fit->family == CURVE_LOG)
			fit->f[i] += shift;
		for (j = 0; j < fit->shapes; j++)
			fit->d[j][i] *= fit->b;
		/* b changes its unit with c, so that its derivative has a part in c's. */
		if (fit->family == CURVE_POWER)
			fit->d[0][i] += fit->b * fit->f[i] * exp(fit->shape[0]) * shift;
	}

	for (j = 0; j < columns; j++)
	{
		double		before = 0;
		double		norm = 0;

		for (i = 0; i < fit->n; i++)
			before += column[j][i] * column[j][i];
		/* Twice is enough to be orthogonal to rounding. */
		for (l = 0; l < 2; l++)
		{
			for (k = 0; k < j; k++)
			{
				double		along = 0;

				for (i = 0; i < fit->n; i++)
					along += column[k][i] * column[j][i];
				for (i = 0; i < fit->n; i++)
					column[j][i] -= along * column[k][i];
				r[k][j] += along;
			}
		}
		for (i = 0; i < fit->n; i++)
			norm += column[j][i] * column[j][i];
		if (!(sqrt(norm) > 1e-10 * sqrt(before)))
			return;				/* the points do not tell the parameters apart */
		r[j][j] = sqrt(norm);
		for (i = 0; i < fit->n; i++)
			column[j][i] /= r[j][j];
	}

	for (j = columns - 1; j >= 0; j--)
	{
		double		sum = 0;
		double		error;

		for (k = j; k < columns; k++)
		{
			inverse[j][k] = j == k;
			for (l = j + 1; l <= k; l++)
				inverse[j][k] -= r[j][l] * inverse[l][k];
			inverse[j][k] /= r[j][j];
			sum += inverse[j][k] * inverse[j][k];
		}
		error = deviation * sqrt(sum) * unit[j];
		if (isfinite(error))
			problem->error[parameter[j]] = error;
	}
}

/*
 * Akaike's criterion, corrected for small samples (Hurvich and Tsai 1989,
 * Biometrika 76), of the curve last looked at.
 */
static double
aicc(const Fit *fit)
{
	double		n = (double) fit->n;
	double		p = rtm_curve_family[fit->family].parameters;

	return n * log(fmax(fit->error / n, NOISE * NOISE)) + 2 * p + 2 * p * (p + 1) / (n - p - 1);
}

static bool
enough_points(const Fit *fit, int family)
{
	return fit->n >= (size_t) rtm_curve_family[family].parameters + 2;
}

FitStatus
rtm_curve_fit(FitProblem *problem)
{
	Fit			fit = {0};
	double		least = INFINITY;
	double		smallest = INFINITY;
	double		best = INFINITY;
	double		shape[SHAPES] = {0};
	int			family = -1;
	bool		unfit = false;
	size_t		i;
	int			j;

	fit.problem = problem;
	fit.n = problem->n;
	fit.x = problem->work;
	fit.log_x = fit.x + fit.n;
	fit.y = fit.log_x + fit.n;
	fit.f = fit.y + fit.n;
	fit.d[0] = fit.f + fit.n;
	fit.d[1] = fit.d[0] + fit.n;
	rtm_fit_scale(&fit);

	problem->note = FIT_NOTE_NONE;
	for (j = 0; j < CURVE_PARAMETERS; j++)
		problem->error[j] = NAN;
	for (i = 0; i < fit.n; i++)
	{
		least = fmin(least, problem->spend[i]);
		smallest = fmin(smallest, fit.x[i]);
	}
	if (problem->family == CURVE_LOG && least == 0)
		return FIT_ZERO_SPEND;

	if (!enough_points(&fit, problem->family == FIT_AUTO ? CURVE_LINEAR : problem->family))
		problem->note = FIT_FEW_POINTS;
	else if (fit.largest - smallest <= 10 * NOISE * fit.largest)
		problem->note = FIT_CONSTANT_SPEND;
	if (problem->note != FIT_NOTE_NONE)
	{
		take_average(&fit, &problem->curve, false);
		return measure(&fit, problem);
	}

	/* Families come in order of their parameters: a tie goes to the fewer. */
	for (j = 0; j < CURVE_FAMILIES; j++)
	{
		double		score;

		if (problem->family != j &&
			(problem->family != FIT_AUTO || !enough_points(&fit, j) ||
			 (rtm_curve_family[j].starts_above_zero && least == 0)))
			continue;
		rtm_fit_search(&fit, j);
		if (fit.b == 0 || fit.square_y <= (double) fit.n * NOISE * NOISE)
			continue;
		if (!take_curve(&fit, &problem->curve))
		{
			unfit = true;
			continue;
		}
		score = aicc(&fit);
		if (score < best || family < 0)
		{
			best = score;
			family = j;
			memcpy(shape, fit.shape, sizeof(shape));
		}
	}

	if (family < 0)
	{
		double		n = (double) fit.n;

		if (unfit)
			return FIT_OUT_OF_RANGE;
		problem->note = FIT_NO_RESPONSE;
		take_average(&fit, &problem->curve, true);
		problem->error[0] = ldexp(sqrt(fit.square_y / (n - 1) / n), fit.response_scale);
		return measure(&fit, problem);
	}

	rtm_fit_choose(&fit, family);
	rtm_fit_look(&fit, shape);
	take_curve(&fit, &problem->curve);
	for (j = 0; j < fit.shapes; j++)
	{
		if (at_bound(&fit, j))
			problem->note = FIT_AT_BOUND;
	}
	standard_errors(&fit, problem);
	return measure(&fit, problem);
}

/*
 * What works at a time is (1 - share) of its own spend and share of what
 * worked the time before; the first is taken for a steady state.  The weights
 * sum to one, so that steady spend remains what it is.
 */
void
rtm_adstock(double *spend, size_t n, double share)
{
	size_t		i;

	for (i = 1; i < n; i++)
		spend[i] = (1 - share) * spend[i] + share * spend[i - 1];
}
