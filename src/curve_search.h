/*-------------------------------------------------------------------------
 *
 * curve_search.h
 *		The search for the best curve of one family; for curve_fit.c.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CURVE_SEARCH_H
#define REVRTM_CURVE_SEARCH_H

#include "curve_fit.h"

#define SHAPES 2				/* of a family, at most */

/* Of numbers about one: what is only the rounding of data and arithmetic. */
#define NOISE 1e-13

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

/* Scale the points of the problem, which the caller has set, with the room. */
extern void rtm_fit_scale(Fit *fit);

/* Set the family and the bounds of its shape. */
extern void rtm_fit_choose(Fit *fit, int family);

/* f and its derivatives for the shape in work, without taking off the mean. */
extern void rtm_fit_compute(Fit *fit);

/* The best curve of a shape, and the error that it leaves. */
extern double rtm_fit_look(Fit *fit, const double *shape);

/* Choose the family and leave its best curve as the one last looked at. */
extern void rtm_fit_search(Fit *fit, int family);

#endif							/* REVRTM_CURVE_SEARCH_H */
