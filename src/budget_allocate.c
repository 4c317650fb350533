/*-------------------------------------------------------------------------
 *
 * budget_allocate.c
 *		revrtm.allocate(): from a plan in money to the solver's units and back.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <float.h>
#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "allocate.h"
#include "budget_plan.h"
#include "response_curve.h"

REVRTM_FUNCTION(revrtm_allocate);

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

static Numeric
multiply(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

static Numeric
add(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

/*
 * An amount in units, rounded down, or up.  What no budget reaches counts as
 * INT64_MAX.
 */
static int64
units_of(Numeric amount, Numeric unit, bool up)
{
	Datum		units = DirectFunctionCall2(numeric_div_trunc, NumericGetDatum(amount),
											NumericGetDatum(unit));
	int64		result;

	if (rtm_numeric_compare(DatumGetNumeric(units), int64_to_numeric(ALLOCATE_MOST_UNITS)) > 0)
		return PG_INT64_MAX;
	result = DatumGetInt64(DirectFunctionCall1(numeric_int8, units));
	if (up && rtm_numeric_compare(multiply(DatumGetNumeric(units), unit), amount) < 0)
		result++;
	return result;
}

/*
 * A unit such as 0.01 as the quotient 1 / 100 of doubles.
 */
static void
unit_as_quotient(Numeric unit, AllocateProblem *problem)
{
	char	   *digits = rtm_numeric_text(unit);
	char	   *point = strchr(digits, '.');
	int			scale = 0;

	if (point != NULL)
	{
		scale = strlen(point + 1);
		memmove(point, point + 1, scale + 1);
	}
	problem->numerator = strtod(digits, NULL);
	problem->denominator = strtod(psprintf("1e%d", scale), NULL);
}

static void
report_infeasible(PlanLine **lines, uint32 n, Numeric budget, Numeric unit)
{
	Numeric		lo = int64_to_numeric(0);
	Numeric		hi = int64_to_numeric(0);
	uint32		i;

	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		lo = add(lo, LINE_LO(lines[i]));
		hi = add(hi, LINE_HI(lines[i]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the bounds of the budget lines do not admit the budget"),
			 errdetail("The lower bounds sum to %s, the budget is %s, the upper bounds sum to %s.",
					   rtm_numeric_text(lo), rtm_numeric_text(budget), rtm_numeric_text(hi)),
			 errhint("Amounts are whole multiples of the unit, %s: lower bounds are rounded up "
					 "to it and upper bounds down.", rtm_numeric_text(unit))));
}

/*
 * What the solver could not work with, in the words of the plan.
 */
static void
report_failure(AllocateStatus status, const AllocateProblem *problem, PlanLine **lines,
			   uint32 n, Numeric budget, Numeric unit)
{
	PlanLine   *line;
	char	   *name;
	const CurveFamily *family;
	double		from;
	double		to;
	StringInfoData curve;

	if (status == ALLOCATE_INFEASIBLE)
		report_infeasible(lines, n, budget, unit);
	if (status == ALLOCATE_OUT_OF_RANGE && problem->culprit >= n)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range: the sum of the responses does not fit "
						"double precision")));

	line = lines[problem->culprit];
	name = rtm_line_shown(LINE_NAME(line), line->name_length);
	family = &rtm_curve_family[line->curve.family];
	initStringInfo(&curve);
	rtm_curve_print(&curve, &line->curve);
	if (status == ALLOCATE_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range: the response of budget line \"%s\" does not fit "
						"double precision", name),
				 errdetail("Its curve is %s.", curve.data)));
	if (status == ALLOCATE_NO_VALUE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("budget line \"%s\" needs a lower bound above zero", name),
				 errdetail("Its curve %s has no value at zero.", curve.data)));

	family->concave(line->curve.parameter, &from, &to);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the curve of budget line \"%s\" is not concave on [%s, %s]", name,
					rtm_numeric_text(LINE_LO(line)), rtm_numeric_text(LINE_HI(line))),
			 from > to ? errdetail("The curve %s is concave nowhere.", curve.data) :
			 isinf(to) ? errdetail("The curve %s is concave from %.15g on.", curve.data, from) :
			 errdetail("The curve %s is concave up to %.15g.", curve.data, to)));
}

/*
 * revrtm.allocate(plan, budget, goal, target, unit)
 */
Datum
revrtm_allocate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	AllocateProblem problem = {0};
	AllocateStatus status;
	BudgetPlan *plan;
	PlanLine  **lines;
	Numeric		budget;
	Numeric		unit;
	MemoryContext line_context;
	MemoryContext old_context;
	uint32		i;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the budget plan is null: it has no lines")));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the %s must not be null",
						PG_ARGISNULL(1) ? "budget" : PG_ARGISNULL(2) ? "goal" : "unit")));
	plan = PG_GETARG_BUDGET_PLAN(0);
	budget = PG_GETARG_NUMERIC(1);
	unit = PG_GETARG_NUMERIC(4);
	if (strcmp(text_to_cstring(PG_GETARG_TEXT_PP(2)), "max_return") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("goal \"%s\" is not supported",
						rtm_line_shown(VARDATA_ANY(PG_GETARG_TEXT_PP(2)),
							  VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(2)))),
				 errhint("The goal is max_return.")));
	if (!PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("goal \"max_return\" takes no target")));
	if (!rtm_numeric_is_finite(unit) || rtm_numeric_compare(unit, int64_to_numeric(0)) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the unit must be finite and above zero")));
	if (!rtm_numeric_is_finite(budget) || rtm_numeric_compare(budget, int64_to_numeric(0)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the budget must be finite and not negative")));

	problem.budget = units_of(budget, unit, false);
	unit_as_quotient(unit, &problem);
	if (problem.budget == PG_INT64_MAX || !(rtm_allocate_money(&problem, 1) >= DBL_MIN) ||
		!isfinite(rtm_allocate_money(&problem, problem.budget)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range: the budget as a number of units"),
				 errdetail("A budget has at most %lld units, and a unit and the budget fit "
						   "double precision.", (long long) ALLOCATE_MOST_UNITS)));
	if (rtm_numeric_compare(multiply(int64_to_numeric(problem.budget), unit), budget) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the budget %s is not a multiple of the unit %s",
						rtm_numeric_text(budget), rtm_numeric_text(unit))));

	InitMaterializedSRF(fcinfo, 0);
	line_context = AllocSetContextCreate(CurrentMemoryContext, "budget line",
										 ALLOCSET_SMALL_SIZES);
	lines = rtm_budget_lines(plan);
	problem.lines = plan->lines;
	problem.line = palloc0(sizeof(AllocateLine) * Max(plan->lines, 1));
	problem.interrupt = check_interrupts;

	old_context = MemoryContextSwitchTo(line_context);
	for (i = 0; i < plan->lines; i++)
	{
		AllocateLine *line = &problem.line[i];

		CHECK_FOR_INTERRUPTS();
		line->curve = lines[i]->curve;
		line->lo = units_of(LINE_LO(lines[i]), unit, true);
		line->hi = units_of(LINE_HI(lines[i]), unit, false);
		if (line->lo > line->hi)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no multiple of the unit %s lies within the bounds of budget "
							"line \"%s\"", rtm_numeric_text(unit),
							rtm_line_shown(LINE_NAME(lines[i]), lines[i]->name_length)),
					 errdetail("The bounds are %s and %s.", rtm_numeric_text(LINE_LO(lines[i])),
							   rtm_numeric_text(LINE_HI(lines[i])))));
		MemoryContextReset(line_context);
	}
	MemoryContextSwitchTo(old_context);

	status = rtm_allocate(&problem);
	if (status != ALLOCATE_DONE)
		report_failure(status, &problem, lines, plan->lines, budget, unit);

	old_context = MemoryContextSwitchTo(line_context);
	for (i = 0; i < plan->lines; i++)
	{
		const AllocateLine *line = &problem.line[i];
		double		x = rtm_allocate_money(&problem, line->units);
		Datum		values[6];
		bool		nulls[6] = {0};

		CHECK_FOR_INTERRUPTS();
		values[0] = PointerGetDatum(cstring_to_text_with_len(LINE_NAME(lines[i]),
															 lines[i]->name_length));
		values[1] = NumericGetDatum(multiply(int64_to_numeric(line->units), unit));
		values[2] = Float8GetDatum(rtm_curve_value(&line->curve, x));
		values[3] = Float8GetDatum(rtm_curve_slope(&line->curve, x));
		nulls[4] = line->units != line->lo && line->units != line->hi;
		if (!nulls[4])
			values[4] = CStringGetTextDatum(line->units == line->lo ? "lo" : "hi");
		values[5] = Float8GetDatum(problem.gap);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(line_context);
	}
	MemoryContextSwitchTo(old_context);
	PG_RETURN_NULL();
}
