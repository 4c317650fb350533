/*-------------------------------------------------------------------------
 *
 * curve_fuzz.c
 *		Fuzz target of the curves: any bytes as a curve and amounts to read
 *		it at.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "curve.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* A result may be too large for a double, but never no number. */
static double
number(double value)
{
	must(!isnan(value));
	return value;
}

static bool
normal(double value)
{
	return value >= 1e-290 && value <= 1e290;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Curve		curve = {0, 0, {0}};
	const CurveFamily *family;
	double		amount[2];
	double		from;
	double		to;
	double		falling;
	bool		tame;
	int			found = rtm_curve_find((const char *) data, (int) size);

	must(found >= -1 && found < CURVE_FAMILIES);
	if (size < 1 + sizeof(curve.parameter) + sizeof(amount))
		return 0;
	curve.family = data[0] % CURVE_FAMILIES;
	memcpy(curve.parameter, data + 1, sizeof(curve.parameter));
	memcpy(amount, data + 1 + sizeof(curve.parameter), sizeof(amount));
	amount[0] += 0;				/* no minus zero, as the caller sees to */
	amount[1] += 0;
	if (rtm_curve_bad_parameter(&curve) >= 0)
		return 0;

	family = &rtm_curve_family[curve.family];
	family->concave(curve.parameter, &from, &to);
	must(rtm_curve_is_concave(&curve, 1, 1));
	falling = copysign(1, curve.parameter[1]);
	tame = normal(fabs(curve.parameter[1]));
	for (int i = 2; i < family->parameters; i++)
		tame = tame && normal(curve.parameter[i]);
	/* Exponents beyond these bend too little, or too much, to tell an x. */
	if (curve.family == CURVE_POWER || curve.family == CURVE_HILL)
	{
		double		exponent = curve.parameter[family->parameters - 1];

		tame = tame && exponent > 1e-3 && exponent < 1e3;
	}
	for (int i = 0; i < 2; i++)
	{
		double		x = amount[i];
		double		slope;
		double		bend;

		if (!(isfinite(x) && x >= 0) || (x == 0 && family->starts_above_zero))
			return 0;
		number(rtm_curve_value(&curve, x));
		slope = number(rtm_curve_slope(&curve, x));
		must(slope * falling >= 0);
		if (x == 0)
			continue;

		bend = number(family->bend(curve.parameter, x));
		if (!normal(fabs(slope)) || !normal(x) || !normal(fabs(bend)))
			continue;
		/* The slope falls where, and only where, the curve is concave. */
		if (bend * falling < -1e-9 / x)
			must(from <= x && x <= to);
		if (bend * falling > 1e-9 / x)
			must(x <= from || to <= x);
		/* And leads back, as exactly as it tells its x. */
		if (bend * falling < -1e-9 / x && tame)
		{
			double		back = number(family->inverse_slope(curve.parameter, slope));

			must(fabs(back - x) <= 1e-6 * x + 1e-9 / fabs(bend));
		}
	}
	must(number(rtm_curve_gain(&curve, amount[0], amount[1])) * falling *
		 (amount[1] - amount[0]) >= 0);
	return 0;
}
