/*-------------------------------------------------------------------------
 *
 * curve_fit_fuzz.c
 *		Fuzz target of the curve fits: any bytes as points.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "curve_fit.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_POINTS 40
#define MOST_LOOKS 20000		/* at a shape; a search without an end has more */

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int	looks;

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
look(void)
{
	must(looks++ < MOST_LOOKS);
}

/* Small numbers of two bytes, where fits are found, or doubles as they are. */
static double
take(const uint8_t **data, bool wide)
{
	double		value;
	int16_t		small;

	memcpy(&value, *data, sizeof(value));
	memcpy(&small, *data, sizeof(small));
	*data += wide ? sizeof(value) : sizeof(small);
	return wide ? value : small;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	double		spend[MOST_POINTS];
	double		response[MOST_POINTS];
	double		work[FIT_WORK * MOST_POINTS];
	FitProblem	problem = {0};
	const uint8_t *end = data + size;
	bool		wide;
	bool		adstock;

	if (size < 1)
		return 0;
	wide = data[0] & 0x80;
	adstock = data[0] & 0x40;
	problem.family = (data[0] & 0x3f) % (CURVE_FAMILIES + 1) - 1;
	for (data++; end - data >= 16 && problem.n < MOST_POINTS; problem.n++)
	{
		double		x = fabs(take(&data, wide));
		double		y = take(&data, wide);

		if (!isfinite(x) || !isfinite(y))
			return 0;
		spend[problem.n] = x;
		response[problem.n] = y;
	}
	if (problem.n == 0)
		return 0;
	if (adstock)
		rtm_adstock(spend, problem.n, 0.5);

	problem.spend = spend;
	problem.response = response;
	problem.work = work;
	problem.interrupt = look;
	looks = 0;
	switch (rtm_curve_fit(&problem))
	{
		case FIT_ZERO_SPEND:
			must(problem.family == CURVE_LOG);
			return 0;
		case FIT_OUT_OF_RANGE:
			must(wide);
			return 0;
		case FIT_DONE:
			break;
	}

	must(rtm_curve_bad_parameter(&problem.curve) < 0);
	must(problem.curve.parameter[1] >= 0);
	must(problem.family == FIT_AUTO || problem.curve.family == problem.family ||
		 problem.note != FIT_NOTE_NONE);
	must(isfinite(problem.rmse) && problem.rmse >= 0);
	must(isnan(problem.r2) || (problem.r2 >= 0 && problem.r2 <= 1));
	for (int i = 0; i < CURVE_PARAMETERS; i++)
		must(isnan(problem.error[i]) || (isfinite(problem.error[i]) && problem.error[i] >= 0));
	for (size_t i = 0; i < problem.n; i++)
		must(isfinite(rtm_curve_value(&problem.curve, spend[i])));
	return 0;
}
