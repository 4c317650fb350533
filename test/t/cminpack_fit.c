/*-------------------------------------------------------------------------
 *
 * cminpack_fit.c
 *		What cminpack, the C translation of MINPACK, makes of points of spend
 *		and response: an independent judge of fit_curve, for curve_fit.pl.
 *
 * Reads lines of name, spend and response; points of a name stand together.
 * Writes, for each name and family, the least root mean square error that
 * lmdif reaches from many starts.  MINPACK knows no bounds: b is a square, and
 * the shape parameters are logistic between theirs.
 *
 *		cc test/t/cminpack_fit.c -lcminpack -lm
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cminpack-1/cminpack.h>

#define MOST_POINTS 10000
#define MOST_PARAMETERS 4

typedef struct Family
{
	const char *name;
	int			parameters;
	double		least[2];		/* of the shape, k in units of the largest spend */
	double		most[2];
	int			starts[2];
} Family;

static const Family family_list[] = {
	{"linear", 2, {0}, {0}, {1, 1}},
	{"log", 2, {0}, {0}, {1, 1}},
	{"power", 3, {0.01}, {10}, {6, 1}},
	{"exponential", 3, {1e-3}, {1e2}, {6, 1}},
	{"hill", 4, {1e-3, 0.1}, {1e2, 10}, {8, 4}},
};

static double x[MOST_POINTS];
static double y[MOST_POINTS];
static int	points;
static double above_zero;		/* the smallest spend that is */

static double
bounded(double least, double most, double t)
{
	return exp(log(least) + (log(most) - log(least)) / (1 + exp(-t)));
}

static int
residuals(void *argument, int m, int n, const double *p, double *r, int flag)
{
	const Family *family = argument;
	double		shape[2] = {0};
	int			i;

	(void) flag;
	for (i = 2; i < n; i++)
	{
		double		least = family->least[i - 2];

		if (i == 2 && family->name[0] != 'p')
			least = fmax(least, above_zero);
		shape[i - 2] = bounded(least, family->most[i - 2], p[i]);
	}
	for (i = 0; i < m; i++)
	{
		double		f = x[i];

		switch (family->name[0] == 'l' ? family->name[1] : family->name[0])
		{
			case 'o':
				f = log(x[i]);
				break;
			case 'p':
				f = pow(x[i], shape[0]);
				break;
			case 'e':
				f = 1 - exp(-x[i] / shape[0]);
				break;
			case 'h':
				f = x[i] == 0 ? 0 : 1 / (1 + pow(shape[0] / x[i], shape[1]));
				break;
		}
		r[i] = y[i] - p[0] - p[1] * p[1] * f;
	}
	return 0;
}

static void
judge(const char *name)
{
	double		largest = 0;
	double		smallest = INFINITY;
	double		mean = 0;
	double		spread = 0;
	size_t		f;
	int			i;

	for (i = 0; i < points; i++)
	{
		largest = fmax(largest, x[i]);
		smallest = fmin(smallest, x[i]);
		mean += y[i] / points;
	}
	above_zero = 1;
	for (i = 0; i < points; i++)
	{
		x[i] /= largest;
		if (x[i] > 0)
			above_zero = fmin(above_zero, x[i]);
		y[i] -= mean;
		spread = fmax(spread, fabs(y[i]));
	}
	for (i = 0; i < points; i++)
		y[i] /= spread;

	for (f = 0; f < sizeof(family_list) / sizeof(Family); f++)
	{
		const Family *family = &family_list[f];
		double		best = INFINITY;
		int			start;

		if (strcmp(family->name, "log") == 0 && smallest == 0)
			continue;
		for (start = 0; start < family->starts[0] * family->starts[1]; start++)
		{
			double		p[MOST_PARAMETERS] = {-1, 1, 0, 0};
			static double r[MOST_POINTS];
			static double work[MOST_POINTS * (MOST_PARAMETERS + 1) + 5 * MOST_PARAMETERS];
			int			iwork[MOST_PARAMETERS];
			double		error = 0;

			p[2] = -4 + 8 * (start / family->starts[1] + 0.5) / family->starts[0];
			p[3] = -3 + 6 * (start % family->starts[1] + 0.5) / family->starts[1];
			lmdif1(residuals, (void *) family, points, family->parameters, p, r, 1e-12,
				   iwork, work, sizeof(work) / sizeof(double));
			residuals((void *) family, points, family->parameters, p, r, 0);
			for (i = 0; i < points; i++)
				error += r[i] * r[i];
			if (error < best)
				best = error;
		}
		printf("%s %s %.17g\n", name, family->name, spread * sqrt(best / points));
	}
	points = 0;
}

int
main(void)
{
	char		name[100];
	char		before[100] = "";
	double		spend;
	double		response;

	while (scanf("%99s %lf %lf", name, &spend, &response) == 3)
	{
		if (strcmp(name, before) != 0 && points > 0)
			judge(before);
		strcpy(before, name);
		if (points == MOST_POINTS)
			return 1;
		x[points] = spend;
		y[points++] = response;
	}
	if (points > 0)
		judge(before);
	return 0;
}
