/*-------------------------------------------------------------------------
 *
 * curve_search.c
 *		The search for the best curve of one family.
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
#include "curve_search.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS 49			/* of a grid, in one direction */
#define MOST_STARTS 4
#define MOST_ROUNDS 200

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

/*
 * The powers of two that bring spend and response to at most one, what comes
 * of them, and the mean.
 */
void
rtm_fit_scale(Fit *fit)
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
void
rtm_fit_compute(Fit *fit)
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
double
rtm_fit_look(Fit *fit, const double *shape)
{
	double		product = 0;
	size_t		i;

	if (fit->problem->interrupt != NULL)
		fit->problem->interrupt();

	memcpy(fit->shape, shape, sizeof(fit->shape));
	rtm_fit_compute(fit);
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
				rtm_fit_look(fit, shape);
				return;
			}
			if (rtm_fit_look(fit, trial) < error)
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
void
rtm_fit_choose(Fit *fit, int family)
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
void
rtm_fit_search(Fit *fit, int family)
{
	double		error[MOST_STEPS][MOST_STEPS];
	int			start[MOST_STARTS][SHAPES];
	int			starts = 0;
	const int  *steps = fit->steps;
	double		best[SHAPES] = {0};
	double		least = INFINITY;
	int			i;
	int			j;

	rtm_fit_choose(fit, family);
	if (fit->shapes == 0)
	{
		rtm_fit_look(fit, best);
		return;
	}

	for (i = 0; i < steps[0]; i++)
	{
		for (j = 0; j < steps[1]; j++)
		{
			double		shape[SHAPES] = {grid_point(fit, 0, i), grid_point(fit, 1, j)};

			error[i][j] = rtm_fit_look(fit, shape);
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

		rtm_fit_look(fit, shape);
		descend(fit);
		if (fit->error < least)
		{
			least = fit->error;
			memcpy(best, fit->shape, sizeof(best));
		}
	}
	if (starts == 0)
		best[0] = fit->most[0];
	rtm_fit_look(fit, best);
}
