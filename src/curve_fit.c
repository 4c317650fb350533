/*-------------------------------------------------------------------------
 *
 * curve_fit.c
 *		Least-squares fits of the families of response curves.
 *
 * Every family is a + b f(x), and f has at most two shape parameters.  For a
 * given shape the best a and b >= 0 are those of a straight line, in closed
 * form (variable projection: Golub and Pereyra 1973, SIAM Journal on Numerical
 * Analysis 10).  So only the shape is searched: first on a grid in logarithms,
 * then from the grid's local minima by Levenberg and Marquardt's method within
 * the bounds, with the Jacobian that Kaufman 1975 (BIT 15) gives.
 *
 * Spend and response are scaled by powers of two, exactly, so that units of
 * money do not matter.  Points come in a canonical order, and sums are taken
 * in it: equal points give equal curves to the bit.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "curve_fit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SHAPES 2
#define MOST_STEPS 49			/* of a grid, in one direction */
#define MOST_STARTS 4
#define MOST_ROUNDS 200

/* Of numbers about one: what is only the rounding of data and arithmetic. */
#define NOISE 1e-13

/*
 * The bounds of a shape parameter, and the steps of its grid.  Beyond them
 * the curves are straight lines, steps or flat, as far as points can tell; a
 * k below all spend would say much of where nothing was ever spent.
 */
typedef struct ShapeRange
{
	double		least;
	double		most;
	int			steps;
	bool		is_spend;		/* relative to the largest spend; nor less than the
								 * smallest above zero */
	bool		is_exponent;	/* above one the curve is S-shaped or convex */
} ShapeRange;

static const ShapeRange shape_range[CURVE_FAMILIES][SHAPES] = {
	[CURVE_POWER] = {{0.01, 10, 25, false, true}},
	[CURVE_EXPONENTIAL] = {{1e-3, 1e2, 25, true, false}},
	[CURVE_HILL] = {{1e-3, 1e2, 49, true, false}, {0.1, 10, 9, false, true}},
};

typedef struct Fit
{
	const FitProblem *problem;
	size_t		n;
	int			spend_scale;	/* powers of two */
	int			response_scale;
	double		largest;		/* spend, scaled */
	double		smallest;		/* the same above zero */

	/* by point: what is given, scaled */
	double	   *x;
	double	   *log_x;
	double	   *y;				/* less its mean */

	/* by point: f(x) less its mean, and its derivatives by the shapes */
	double	   *f;
	double	   *d[SHAPES];

	double		mean_y;
	double		square_y;		/* sum of y^2 */

	/* the family in work */
	int			family;
	int			shapes;
	double		floor[SHAPES];	/* the bounds of the shape parameters */
	double		ceiling[SHAPES];
	double		least[SHAPES];	/* their logarithms */
	double		most[SHAPES];
	int			steps[SHAPES];	/* of the grid between */

	/* for the shape last looked at */
	double		shape[SHAPES];	/* logarithms */
	double		mean_f;
	double		square_f;
	double		b;
	double		error;			/* sum of squared residuals */
} Fit;

/*
 * The powers of two that bring spend and response to at most one, what comes
 * of them, and the mean.
 */
static void
scale_points(Fit *fit)
{
	const FitProblem *problem = fit->problem;
	double		spend = 0;
	double		response = 0;
	double		sum = 0;
	size_t		i;

	fit->smallest = INFINITY;
	for (i = 0; i < fit->n; i++)
	{
		spend = fmax(spend, problem->spend[i]);
		response = fmax(response, fabs(problem->response[i]));
	}
	fit->largest = frexp(spend, &fit->spend_scale);
	frexp(response, &fit->response_scale);
	for (i = 0; i < fit->n; i++)
	{
		fit->x[i] = ldexp(problem->spend[i], -fit->spend_scale);
		fit->log_x[i] = log(fit->x[i]);
		if (fit->x[i] > 0)
			fit->smallest = fmin(fit->smallest, fit->x[i]);
		fit->y[i] = ldexp(problem->response[i], -fit->response_scale);
		sum += fit->y[i];
	}
	fit->mean_y = sum / (double) fit->n;
	fit->square_y = 0;
	for (i = 0; i < fit->n; i++)
	{
		fit->y[i] -= fit->mean_y;
		fit->square_y += fit->y[i] * fit->y[i];
	}
}

/*
 * f at the points for the shape given, and its derivatives by the logarithms
 * of the shape parameters.
 */
static void
compute_f(Fit *fit)
{
	size_t		i;

	switch (fit->family)
	{
		case CURVE_LINEAR:
			memcpy(fit->f, fit->x, sizeof(double) * fit->n);
			break;
		case CURVE_LOG:
			memcpy(fit->f, fit->log_x, sizeof(double) * fit->n);
			break;
		case CURVE_POWER:
			{
				double		c = exp(fit->shape[0]);

				for (i = 0; i < fit->n; i++)
				{
					double		t = c * fit->log_x[i];

					fit->f[i] = exp(t);
					fit->d[0][i] = fit->f[i] == 0 ? 0 : t * fit->f[i];
				}
				break;
			}
		case CURVE_EXPONENTIAL:
			{
				double		k = exp(fit->shape[0]);

				for (i = 0; i < fit->n; i++)
				{
					double		z = fit->x[i] / k;

					fit->f[i] = -expm1(-z);
					fit->d[0][i] = -z * (1 - fit->f[i]);
				}
				break;
			}
		case CURVE_HILL:
			{
				double		n = exp(fit->shape[1]);

				for (i = 0; i < fit->n; i++)
				{
					double		t = n * (fit->log_x[i] - fit->shape[0]);
					double		e = exp(-fabs(t));
					double		bell = e / ((1 + e) * (1 + e));

					fit->f[i] = (t >= 0 ? 1 : e) / (1 + e);
					fit->d[0][i] = -n * bell;
					fit->d[1][i] = bell == 0 ? 0 : t * bell;
				}
				break;
			}
	}
}

/*
 * Take the mean off the values of f, and keep it.
 */
static void
centre_f(Fit *fit)
{
	double		sum = 0;
	double		largest = 0;
	size_t		i;

	for (i = 0; i < fit->n; i++)
	{
		sum += fit->f[i];
		largest = fmax(largest, fabs(fit->f[i]));
	}
	fit->mean_f = sum / (double) fit->n;
	fit->square_f = 0;
	for (i = 0; i < fit->n; i++)
	{
		fit->f[i] -= fit->mean_f;
		fit->square_f += fit->f[i] * fit->f[i];
	}
	if (fit->square_f <= (double) fit->n * (NOISE * largest) * (NOISE * largest))
		fit->square_f = 0;
}

/*
 * The best b >= 0 for a shape, and the error that it leaves.
 */
static double
look_at(Fit *fit, const double *shape)
{
	double		product = 0;
	size_t		i;

	if (fit->problem->interrupt != NULL)
		fit->problem->interrupt();

	memcpy(fit->shape, shape, sizeof(fit->shape));
	compute_f(fit);
	centre_f(fit);
	for (i = 0; i < fit->n; i++)
		product += fit->f[i] * fit->y[i];
	fit->b = fit->square_f > 0 && product > 0 ? product / fit->square_f : 0;
	fit->error = 0;
	for (i = 0; i < fit->n; i++)
	{
		double		residual = fit->y[i] - fit->b * fit->f[i];

		fit->error += residual * residual;
	}
	return fit->error;
}

/*
 * With a and b following the shape, the residuals change with it by -b times
 * the derivatives less their parts along 1 and f.  The normal equations of
 * that linear problem.
 */
static void
normal_equations(Fit *fit, double gradient[SHAPES], double matrix[SHAPES][SHAPES])
{
	size_t		i;
	int			j;
	int			k;

	memset(matrix, 0, sizeof(double) * SHAPES * SHAPES);
	for (j = 0; j < fit->shapes; j++)
	{
		double	   *d = fit->d[j];
		double		sum = 0;
		double		along = 0;

		gradient[j] = 0;
		for (i = 0; i < fit->n; i++)
		{
			sum += d[i];
			along += d[i] * fit->f[i];
		}
		sum /= (double) fit->n;
		along /= fit->square_f;
		for (i = 0; i < fit->n; i++)
		{
			double		residual = fit->y[i] - fit->b * fit->f[i];

			d[i] = fit->b * (d[i] - sum - along * fit->f[i]);
			gradient[j] += d[i] * residual;
		}
		for (k = 0; k <= j; k++)
		{
			for (i = 0; i < fit->n; i++)
				matrix[j][k] += d[i] * fit->d[k][i];
			matrix[k][j] = matrix[j][k];
		}
	}
}

/*
 * Descend from the shape last looked at to a local minimum, which is left as
 * the shape last looked at.
 */
static void
descend(Fit *fit)
{
	double		damping = 1e-3;
	int			round;

	for (round = 0; round < MOST_ROUNDS && fit->b > 0; round++)
	{
		double		shape[SHAPES];
		double		gradient[SHAPES] = {0};
		double		matrix[SHAPES][SHAPES];
		double		error = fit->error;
		double		moved = 0;
		int			j;

		memcpy(shape, fit->shape, sizeof(shape));
		normal_equations(fit, gradient, matrix);
		for (j = 0; j < fit->shapes; j++)
		{
			/* Not beyond a bound, and not where nothing changes. */
			if ((gradient[j] > 0 && shape[j] >= fit->most[j]) ||
				(gradient[j] < 0 && shape[j] <= fit->least[j]) || !(matrix[j][j] > 0))
			{
				gradient[j] = 0;
				matrix[0][1] = matrix[1][0] = 0;
				matrix[j][j] = 0;
			}
		}

		for (;; damping *= 4)
		{
			double		trial[SHAPES] = {0};
			double		h0 = matrix[0][0] * (1 + damping);
			double		h1 = matrix[1][1] * (1 + damping);
			double		h = matrix[0][1];
			double		step[SHAPES];

			if (h0 > 0 && h1 > 0)
			{
				double		determinant = h0 * h1 - h * h;

				step[0] = (h1 * gradient[0] - h * gradient[1]) / determinant;
				step[1] = (h0 * gradient[1] - h * gradient[0]) / determinant;
			}
			else
			{
				step[0] = h0 > 0 ? gradient[0] / h0 : 0;
				step[1] = h1 > 0 ? gradient[1] / h1 : 0;
			}
			moved = 0;
			for (j = 0; j < fit->shapes; j++)
			{
				trial[j] = fmin(fmax(shape[j] + step[j], fit->least[j]), fit->most[j]);
				moved = fmax(moved, fabs(trial[j] - shape[j]));
			}
			if (!(moved > 1e-15 && damping < 1e15))
			{
				look_at(fit, shape);
				return;
			}
			if (look_at(fit, trial) < error)
				break;
		}
		damping = fmax(damping / 16, 1e-12);
		if (error - fit->error <= 1e-15 * error && moved < 1e-9)
			return;
	}
}

/*
 * Set the family and its bounds; exponents above one only when asked for.
 */
static void
choose_family(Fit *fit, int family)
{
	int			j;

	fit->family = family;
	fit->shapes = rtm_curve_family[family].parameters - 2;
	fit->steps[1] = 1;			/* where there is but one shape parameter */
	for (j = 0; j < fit->shapes; j++)
	{
		const ShapeRange *range = &shape_range[family][j];
		double		unit = range->is_spend ? fit->largest : 1;

		fit->floor[j] = range->least * unit;
		fit->ceiling[j] = range->most * unit;
		fit->steps[j] = range->steps;
		if (range->is_spend)
			fit->floor[j] = fmax(fit->floor[j], fit->smallest);
		if (range->is_exponent && fit->problem->family == FIT_AUTO)
		{
			fit->ceiling[j] = 1;
			fit->steps[j] = range->steps / 2 + 1;
		}
		fit->least[j] = log(fit->floor[j]);
		fit->most[j] = log(fit->ceiling[j]);
	}
}

static double
grid_point(const Fit *fit, int j, int step)
{
	int			last = fit->steps[j] - 1;

	if (j >= fit->shapes)
		return 0;
	if (step == last)
		return fit->most[j];
	return fit->least[j] + (fit->most[j] - fit->least[j]) * step / last;
}

/*
 * Find the best curve of the family and leave it as the one last looked at.
 */
static void
fit_family(Fit *fit, int family)
{
	double		error[MOST_STEPS][MOST_STEPS];
	int			start[MOST_STARTS][SHAPES];
	int			starts = 0;
	const int  *steps = fit->steps;
	double		best[SHAPES] = {0};
	double		least = INFINITY;
	int			i;
	int			j;

	choose_family(fit, family);
	if (fit->shapes == 0)
	{
		look_at(fit, best);
		return;
	}

	for (i = 0; i < steps[0]; i++)
	{
		for (j = 0; j < steps[1]; j++)
		{
			double		shape[SHAPES] = {grid_point(fit, 0, i), grid_point(fit, 1, j)};

			error[i][j] = look_at(fit, shape);
		}
	}

	/* The local minima of the grid, best first. */
	for (i = 0; i < steps[0]; i++)
	{
		for (j = 0; j < steps[1]; j++)
		{
			bool		lowest = error[i][j] < fit->square_y;
			int			place;
			int			k;
			int			l;

			for (k = i > 0 ? i - 1 : 0; k <= i + 1 && k < steps[0]; k++)
			{
				for (l = j > 0 ? j - 1 : 0; l <= j + 1 && l < steps[1]; l++)
					lowest = lowest && error[i][j] <= error[k][l];
			}
			if (!lowest)
				continue;
			for (place = starts; place > 0; place--)
			{
				const int  *before = start[place - 1];

				if (error[before[0]][before[1]] <= error[i][j])
					break;
				if (place < MOST_STARTS)
					memcpy(start[place], before, sizeof(start[0]));
			}
			if (place == MOST_STARTS)
				continue;
			start[place][0] = i;
			start[place][1] = j;
			if (starts < MOST_STARTS)
				starts++;
		}
	}

	for (i = 0; i < starts; i++)
	{
		double		shape[SHAPES] = {grid_point(fit, 0, start[i][0]),
		grid_point(fit, 1, start[i][1])};

		look_at(fit, shape);
		descend(fit);
		if (fit->error < least)
		{
			least = fit->error;
			memcpy(best, fit->shape, sizeof(best));
		}
	}
	if (starts == 0)
		best[0] = fit->most[0];
	look_at(fit, best);
}

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

	compute_f(fit);

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
	scale_points(&fit);

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
		fit_family(&fit, j);
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

	choose_family(&fit, family);
	look_at(&fit, shape);
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
