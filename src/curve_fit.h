/*-------------------------------------------------------------------------
 *
 * curve_fit.h
 *		Response curves from points of spend and response.
 *
 * Pure mathematics: no PostgreSQL header, no memory of its own, no errors
 * thrown; the caller's interrupt function may leave by longjmp.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CURVE_FIT_H
#define REVRTM_CURVE_FIT_H

#include <stddef.h>

#include "curve.h"

/* Instead of a CurveFamilyId: the family that AICc prefers. */
#define FIT_AUTO (-1)

/* Numbers of working room a point. */
#define FIT_WORK 6

typedef enum FitNote
{
	FIT_NOTE_NONE,
	FIT_FEW_POINTS,
	FIT_CONSTANT_SPEND,
	FIT_NO_RESPONSE,			/* no curve that rises fits better than the mean */
	FIT_AT_BOUND				/* a shape parameter is at a bound of its search */
} FitNote;

typedef enum FitStatus
{
	FIT_DONE,
	FIT_ZERO_SPEND,				/* the log family, and a point at zero */
	FIT_OUT_OF_RANGE			/* a parameter or response does not fit a double */
} FitStatus;

typedef struct FitProblem
{
	size_t		n;				/* at least one point */
	const double *spend;		/* finite, not negative */
	const double *response;		/* finite */
	int			family;			/* a CurveFamilyId or FIT_AUTO */
	double	   *work;			/* FIT_WORK * n numbers */
	void		(*interrupt) (void);

	/* the answer */
	Curve		curve;
	double		rmse;
	double		r2;				/* not a number where nothing was fitted */
	double		error[CURVE_PARAMETERS];	/* standard errors, likewise */
	FitNote		note;
} FitProblem;

extern FitStatus rtm_curve_fit(FitProblem *problem);

/* Spend, in order of time, as it works after a geometric carry-over. */
extern void rtm_adstock(double *spend, size_t n, double share);

#endif							/* REVRTM_CURVE_FIT_H */
