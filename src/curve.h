/*-------------------------------------------------------------------------
 *
 * curve.h
 *		Response curves: what a line of the budget returns for what is spent.
 *
 * Pure mathematics: no PostgreSQL header, no memory, no errors thrown.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CURVE_H
#define REVRTM_CURVE_H

#include <stdbool.h>

#define CURVE_PARAMETERS 4

/* The numbers are stored in tables: append, never renumber. */
typedef enum CurveFamilyId
{
	CURVE_LINEAR,				/* a + b x */
	CURVE_LOG,					/* a + b ln x */
	CURVE_POWER,				/* a + b x^c */
	CURVE_EXPONENTIAL,			/* a + b (1 - e^(-x/k)) */
	CURVE_HILL					/* a + b x^n / (k^n + x^n) */
} CurveFamilyId;

#define CURVE_FAMILIES (CURVE_HILL + 1)

/* A curve; parameters its family does not have are zero. */
typedef struct Curve
{
	int			family;			/* a CurveFamilyId */
	int			unused;			/* always zero */
	double		parameter[CURVE_PARAMETERS];
} Curve;

/*
 * What a family is.  Amounts are finite and not negative; above zero
 * where the value at zero is infinite (starts_above_zero).
 */
typedef struct CurveFamily
{
	const char *name;
	int			parameters;
	const char *formula;		/* names the parameters in their order */
	bool		starts_above_zero;

	double		(*value) (const double *p, double x);

	/* value(x + dx) - value(x), dx > 0, without the loss of a subtraction */
	double		(*gain) (const double *p, double x, double dx);

	/* The first derivative; infinite where the tangent is vertical. */
	double		(*slope) (const double *p, double x);

	/* The second derivative divided by the first. */
	double		(*bend) (const double *p, double x);

	/* The x of a given slope, known to lie where the curve is concave and bends. */
	double		(*inverse_slope) (const double *p, double slope);

	/* The interval where the curve is concave; empty when from > to. */
	void		(*concave) (const double *p, double *from, double *to);
} CurveFamily;

extern const CurveFamily rtm_curve_family[CURVE_FAMILIES];

extern int	rtm_curve_find(const char *name, int length);
extern int	rtm_curve_bad_parameter(const Curve *curve);
extern bool rtm_curve_is_concave(const Curve *curve, double lo, double hi);

static inline double
rtm_curve_value(const Curve *curve, double x)
{
	return rtm_curve_family[curve->family].value(curve->parameter, x);
}

static inline double
rtm_curve_slope(const Curve *curve, double x)
{
	return rtm_curve_family[curve->family].slope(curve->parameter, x);
}

/* What moving from one amount to another returns. */
static inline double
rtm_curve_gain(const Curve *curve, double from, double to)
{
	const CurveFamily *family = &rtm_curve_family[curve->family];

	if (from < to)
		return family->gain(curve->parameter, from, to - from);
	if (from > to)
		return -family->gain(curve->parameter, to, from - to);
	return 0;
}

#endif							/* REVRTM_CURVE_H */
