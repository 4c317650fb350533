/*-------------------------------------------------------------------------
 *
 * budget_allocate.c
 *		The allocator in SQL: allocate(), frontier(), shadow_price().
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "budget_record.h"
#include "budget_task.h"

REVRTM_FUNCTION(revrtm_allocate);
REVRTM_FUNCTION(revrtm_frontier);
REVRTM_FUNCTION(revrtm_shadow_price);

static const char *const goal_name[] = {
	[ALLOCATE_MAX_RETURN] = "max_return",
	[ALLOCATE_MIN_SPEND] = "min_spend",
	[ALLOCATE_TARGET_ROI] = "target_roi",
	[ALLOCATE_TARGET_MARGINAL_ROI] = "target_marginal_roi"
};

static AllocateGoal
find_goal(text *name)
{
	char	   *wanted = text_to_cstring(name);
	int			i;

	for (i = 0; i < lengthof(goal_name); i++)
	{
		if (strcmp(wanted, goal_name[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown goal \"%s\"", rtm_line_shown(wanted, strlen(wanted))),
			 errhint("The goals are max_return, min_spend, target_roi and "
					 "target_marginal_roi.")));
}

static double
check_target(AllocateGoal goal, FunctionCallInfo fcinfo, int argument)
{
	double		target;

	if (goal == ALLOCATE_MAX_RETURN)
	{
		if (!PG_ARGISNULL(argument))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("goal \"%s\" takes no target", goal_name[goal])));
		return 0;
	}
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("goal \"%s\" needs a target", goal_name[goal])));
	if (!rtm_numeric_is_finite(PG_GETARG_NUMERIC(argument)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the target must be finite")));
	target = DatumGetFloat8(DirectFunctionCall1(numeric_float8, PG_GETARG_DATUM(argument)));
	if (goal != ALLOCATE_MIN_SPEND && target <= -1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the target of goal \"%s\" must be above -1", goal_name[goal]),
				 errdetail("It is %s: a return on investment is what is gained for each unit of "
						   "money, and -1 where all is lost.",
						   rtm_numeric_text(PG_GETARG_NUMERIC(argument)))));
	return target;
}

static void
check_plan(FunctionCallInfo fcinfo, int unit)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the budget plan is null: it has no lines")));
	if (PG_ARGISNULL(unit))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the unit must not be null")));
}

/* Which side of its bounds an amount is at. */
static const char *
side_of(int64 units, int64 lo, int64 hi)
{
	return units != lo && units != hi ? NULL : lo == hi ? "locked" : units == lo ? "lo" : "hi";
}

/*
 * What holds a line: its own bounds, else the innermost group's that is at
 * one, else the limit on what is moved; NULL where nothing does.
 */
static char *
bound_of(const BudgetTask *task, const AllocateLine *line)
{
	const char *side = side_of(line->units, line->lo, line->hi);
	size_t		g;

	if (side != NULL)
		return pstrdup(side);
	for (g = line->group; g != 0; g = task->problem.group[g].parent)
	{
		const AllocateGroup *group = &task->problem.group[g];

		side = side_of(group->units, group->lo, group->hi);
		if (side != NULL)
			return psprintf("group %.*s %s", (int) task->group[g]->name_length,
							LINE_NAME(task->group[g]), side);
	}
	if (task->problem.price > 0 && line->moves &&
		rtm_allocate_moved(&task->problem, line, line->units) == 0)
		return pstrdup("current");
	return NULL;
}

/*
 * revrtm.allocate(plan, budget, goal, target, unit)
 */
Datum
revrtm_allocate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	BudgetTask	task;
	AllocateProblem *problem = &task.problem;
	AllocateStatus status;
	AllocateGoal goal;
	MemoryContext line_context;
	MemoryContext old_context;
	double		target;
	double		attainable = 0;
	uint32		i;

	check_plan(fcinfo, 4);
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the goal must not be null")));
	goal = find_goal(PG_GETARG_TEXT_PP(2));
	if (PG_ARGISNULL(1) && goal == ALLOCATE_MAX_RETURN)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the budget must not be null")));
	target = check_target(goal, fcinfo, 3);
	InitMaterializedSRF(fcinfo, 0);
	rtm_task_make(&task, PG_GETARG_BUDGET_PLAN(0), PG_GETARG_NUMERIC(4));
	rtm_task_set_budget(&task, PG_ARGISNULL(1) ? NULL : PG_GETARG_NUMERIC(1));

	status = rtm_allocate_goal(problem, goal, target, &attainable);
	if (status == ALLOCATE_UNREACHABLE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the target %s of goal \"%s\" is out of reach",
						rtm_numeric_text(PG_GETARG_NUMERIC(3)), goal_name[goal]),
				 errdetail("The best within the bounds%s is %.15g.",
						   PG_ARGISNULL(1) ? "" :
						   psprintf(" and the budget %s", rtm_numeric_text(task.budget)),
						   attainable)));
	rtm_task_report(&task, status);

	line_context = AllocSetContextCreate(CurrentMemoryContext, "budget line",
										 ALLOCSET_SMALL_SIZES);
	old_context = MemoryContextSwitchTo(line_context);
	for (i = 0; i < task.lines; i++)
	{
		const AllocateLine *line = &problem->line[task.place[i]];
		double		x = rtm_allocate_money(problem, line->units);
		char	   *bound = bound_of(&task, line);
		Datum		values[6];
		bool		nulls[6] = {0};

		CHECK_FOR_INTERRUPTS();
		values[0] = PointerGetDatum(cstring_to_text_with_len(LINE_NAME(task.record[i]),
															 task.record[i]->name_length));
		values[1] = NumericGetDatum(rtm_task_money(&task, line->units));
		values[2] = Float8GetDatum(rtm_curve_value(&line->curve, x));
		values[3] = Float8GetDatum(rtm_curve_slope(&line->curve, x));
		nulls[4] = bound == NULL;
		if (bound != NULL)
			values[4] = CStringGetTextDatum(bound);
		values[5] = Float8GetDatum(problem->gap);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(line_context);
	}
	MemoryContextSwitchTo(old_context);
	PG_RETURN_NULL();
}

/*
 * revrtm.frontier(plan, budgets, unit)
 */
Datum
revrtm_frontier(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	BudgetTask	task;
	AllocateProblem *problem = &task.problem;
	Datum	   *budget;
	bool	   *null;
	int			budgets;
	int			i;

	check_plan(fcinfo, 2);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the budgets must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), NUMERICOID, -1, false, TYPALIGN_INT,
					  &budget, &null, &budgets);
	InitMaterializedSRF(fcinfo, 0);
	rtm_task_make(&task, PG_GETARG_BUDGET_PLAN(0), PG_GETARG_NUMERIC(2));
	for (i = 0; i < budgets; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {0};
		double		marginal;

		CHECK_FOR_INTERRUPTS();
		if (null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("budget number %d is null", i + 1)));
		rtm_task_set_budget(&task, DatumGetNumeric(budget[i]));
		rtm_task_report(&task, rtm_allocate(problem));
		marginal = rtm_allocate_budget_price(problem);
		values[0] = budget[i];
		values[1] = Float8GetDatum(problem->value);
		nulls[2] = marginal == -INFINITY;
		values[2] = Float8GetDatum(marginal);
		values[3] = Float8GetDatum(problem->gap);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}

static void
put_price(ReturnSetInfo *rsinfo, const char *bound, double price)
{
	Datum		values[2] = {CStringGetTextDatum(bound), Float8GetDatum(price)};
	bool		nulls[2] = {false, price == -INFINITY};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * revrtm.shadow_price(plan, budget, unit)
 */
Datum
revrtm_shadow_price(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	BudgetTask	task;
	AllocateProblem *problem = &task.problem;
	size_t		g;

	check_plan(fcinfo, 2);
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the budget must not be null")));
	InitMaterializedSRF(fcinfo, 0);
	rtm_task_make(&task, PG_GETARG_BUDGET_PLAN(0), PG_GETARG_NUMERIC(2));
	rtm_task_set_budget(&task, PG_GETARG_NUMERIC(1));
	rtm_task_report(&task, rtm_allocate(problem));

	put_price(rsinfo, "budget", rtm_allocate_budget_price(problem));
	for (g = 1; g < problem->groups; g++)
	{
		const AllocateGroup *group = &problem->group[g];
		const char *side = side_of(group->units, group->lo, group->hi);

		CHECK_FOR_INTERRUPTS();
		if (side != NULL)
			put_price(rsinfo, psprintf("group %.*s %s", (int) task.group[g]->name_length,
									   LINE_NAME(task.group[g]), side),
					  rtm_allocate_group_price(problem, g));
	}
	/* A unit of money moved is two of distance. */
	if (problem->price > 0)
		put_price(rsinfo, "shift limit", 2 * problem->price);
	PG_RETURN_NULL();
}
