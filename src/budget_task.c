/*-------------------------------------------------------------------------
 *
 * budget_task.c
 *		A budget plan, in money, as a problem of the allocator, in units; and
 *		what the allocator cannot do, in the words of the plan.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <float.h>
#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "budget_record.h"
#include "budget_task.h"
#include "response_curve.h"

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

static Numeric
read_numeric(const char *digits)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
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

/* An amount of money, with the decimals of the unit. */
Numeric
rtm_task_money(const BudgetTask *task, int64 units)
{
	int64		digits;

	if (task->unit_digits != 0 && !pg_mul_s64_overflow(units, task->unit_digits, &digits))
		return int64_div_fast_to_numeric(digits, task->unit_scale);
	return multiply(int64_to_numeric(units), task->unit);
}

/*
 * A unit such as 0.01 as the quotient 1 / 100, of doubles and of integers.
 */
static void
unit_as_quotient(BudgetTask *task)
{
	char	   *digits = rtm_numeric_text(task->unit);
	char	   *point = strchr(digits, '.');
	int			scale = 0;

	if (point != NULL)
	{
		scale = strlen(point + 1);
		memmove(point, point + 1, scale + 1);
	}
	task->problem.numerator = strtod(digits, NULL);
	task->problem.denominator = strtod(psprintf("1e%d", scale), NULL);
	task->unit_scale = scale;
	task->unit_digits = scale <= 18 && strlen(digits) <= 18 ? strtoll(digits, NULL, 10) : 0;
}

static int
compare_groups(const void *a, const void *b)
{
	const PlanLine *x = *(PlanLine *const *) a;
	const PlanLine *y = *(PlanLine *const *) b;

	return rtm_path_compare(LINE_NAME(x), x->name_length, LINE_NAME(y), y->name_length);
}

/*
 * The groups that have bounds, as a tree: each behind its parent.
 */
static void
make_groups(BudgetTask *task)
{
	AllocateProblem *problem = &task->problem;
	uint32		groups = task->records - task->lines - (task->shift != NULL);
	size_t		g;

	problem->groups = groups + 1;
	problem->group = palloc_extended(sizeof(AllocateGroup) * problem->groups,
									 MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	task->group = palloc(sizeof(PlanLine *) * problem->groups);
	task->group[0] = NULL;
	memcpy(task->group + 1, task->record + task->lines, sizeof(PlanLine *) * groups);
	qsort(task->group + 1, groups, sizeof(PlanLine *), compare_groups);
	for (g = 1; g < problem->groups; g++)
	{
		PlanLine   *record = task->group[g];
		size_t		parent = g - 1;

		while (parent > 0 && !rtm_path_within(LINE_NAME(record), record->name_length,
											  task->group[parent]))
			parent = problem->group[parent].parent;
		problem->group[g].parent = parent;
		problem->group[g].lo = units_of(LINE_LO(record), task->unit, true);
		problem->group[g].hi = numeric_is_inf(LINE_HI(record)) ? PG_INT64_MAX
			: units_of(LINE_HI(record), task->unit, false);
	}
}

/* The innermost group with bounds that a line is in. */
static uint32
group_of(const BudgetTask *task, PlanLine *line)
{
	int			length = line->group_length;

	while (length > 0)
	{
		uint32		below = 1;
		uint32		above = task->problem.groups;

		while (below < above)
		{
			uint32		half = below + (above - below) / 2;
			PlanLine   *group = task->group[half];
			int			order = rtm_path_compare(LINE_GROUP(line), length, LINE_NAME(group),
												 group->name_length);

			if (order == 0)
				return half;
			if (order < 0)
				above = half;
			else
				below = half + 1;
		}
		while (--length > 0 && LINE_GROUP(line)[length] != '/')
			;
	}
	return 0;
}

/*
 * The lines, sorted by their group, in it by name.
 */
static void
make_lines(BudgetTask *task)
{
	AllocateProblem *problem = &task->problem;
	Size		lines = task->lines;
	uint32	   *in_group = palloc(sizeof(uint32) * Max(lines, 1));
	uint32	   *next = palloc0(sizeof(uint32) * (problem->groups + 1));
	MemoryContext line_context = AllocSetContextCreate(CurrentMemoryContext, "budget line",
													   ALLOCSET_SMALL_SIZES);
	MemoryContext old_context;
	LineFaults	faults = {0};
	size_t		g;
	uint32		i;

	problem->lines = lines;
	/* One more, for what is not spent. */
	problem->line = palloc_extended(sizeof(AllocateLine) * (lines + 1),
									MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	problem->search = palloc_extended(sizeof(AllocateSearch) * (lines + 1),
									  MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	task->line = palloc(sizeof(PlanLine *) * Max(lines, 1));
	task->place = palloc(sizeof(uint32) * Max(lines, 1));

	for (i = 0; i < lines; i++)
	{
		in_group[i] = problem->groups > 1 ? group_of(task, task->record[i]) : 0;
		next[in_group[i] + 1]++;
	}
	for (g = 1; g < problem->groups; g++)
		next[g] += next[g - 1];
	for (i = 0; i < lines; i++)
	{
		PlanLine   *record = task->record[i];
		uint32		place = next[in_group[i]]++;
		AllocateLine *line = &problem->line[place];

		CHECK_FOR_INTERRUPTS();
		task->place[i] = place;
		task->line[place] = record;
		line->curve = record->curve;
		line->group = in_group[i];
		line->priority = i;
		old_context = MemoryContextSwitchTo(line_context);
		line->lo = units_of(LINE_LO(record), task->unit, true);
		line->hi = units_of(LINE_HI(record), task->unit, false);
		MemoryContextSwitchTo(old_context);
		if (line->lo > line->hi)
			rtm_fault_add(&faults, ERRCODE_INVALID_PARAMETER_VALUE, PLAN_LINE, LINE_NAME(record),
						  record->name_length,
						  psprintf("has no multiple of the unit %s within its bounds %s and %s",
								   rtm_numeric_text(task->unit),
								   rtm_numeric_text(LINE_LO(record)),
								   rtm_numeric_text(LINE_HI(record))));
		MemoryContextReset(line_context);
	}
	MemoryContextDelete(line_context);
	rtm_fault_report(&faults);
}

static Numeric
scaled(Numeric amount, int scale)
{
	return multiply(amount, read_numeric(psprintf("1e%d", scale)));
}

/*
 * The limit on what is moved, in ticks: the smallest amounts that the unit and
 * the current amounts are whole numbers of.
 */
static void
make_limit(BudgetTask *task)
{
	AllocateProblem *problem = &task->problem;
	Numeric		limit;
	Numeric		most = int64_to_numeric(ALLOCATE_MOST_UNITS);
	Numeric		ticks;
	uint32		i;

	task->scale = DatumGetInt32(DirectFunctionCall1(numeric_min_scale,
													NumericGetDatum(task->unit)));
	task->current = int64_to_numeric(0);
	for (i = 0; i < task->lines; i++)
	{
		Numeric		current = LINE_CURRENT(task->line[i]);
		int			scale = DatumGetInt32(DirectFunctionCall1(numeric_min_scale,
															  NumericGetDatum(current)));

		CHECK_FOR_INTERRUPTS();
		task->scale = Max(task->scale, scale);
		task->current = add(task->current, current);
	}
	limit = scaled(multiply(multiply(task->current, LINE_HI(task->shift)), int64_to_numeric(2)),
				   task->scale);
	ticks = scaled(task->unit, task->scale);
	if (rtm_numeric_compare(limit, most) > 0)
		return;					/* no plan in whole units is so far away */
	if (rtm_numeric_compare(ticks, most) > 0 ||
		rtm_numeric_compare(scaled(task->current, task->scale), most) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range: the current amounts of the budget plan"),
				 errdetail("They sum to %s, have up to %d decimals, and the unit is %s.",
						   rtm_numeric_text(task->current), task->scale,
						   rtm_numeric_text(task->unit))));
	problem->limited = true;
	problem->ticks = units_of(ticks, int64_to_numeric(1), false);
	problem->limit = units_of(limit, int64_to_numeric(1), false);
	for (i = 0; i < task->lines; i++)
	{
		problem->line[i].moves = true;
		problem->line[i].current = units_of(scaled(LINE_CURRENT(task->line[i]), task->scale),
											int64_to_numeric(1), false);
	}
}

static void *
solver_memory(size_t bytes)
{
	return palloc_extended(bytes, MCXT_ALLOC_HUGE);
}

void
rtm_task_make(BudgetTask *task, BudgetPlan *plan, Numeric unit)
{
	if (!rtm_numeric_is_finite(unit) || rtm_numeric_sign(unit) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the unit must be finite and above zero")));
	memset(task, 0, sizeof(*task));
	task->unit = unit;
	unit_as_quotient(task);
	task->record = rtm_budget_lines(plan, &task->lines);
	task->records = plan->lines;
	if (task->records > task->lines && task->record[task->records - 1]->kind == PLAN_SHIFT)
		task->shift = task->record[task->records - 1];
	task->problem.interrupt = check_interrupts;
	task->problem.memory = solver_memory;
	make_groups(task);
	make_lines(task);
	if (task->shift != NULL)
		make_limit(task);
}

/*
 * The budget; without one, what all lines may take together.
 */
void
rtm_task_set_budget(BudgetTask *task, Numeric budget)
{
	AllocateProblem *problem = &task->problem;
	uint32		i;

	task->budget = budget;
	if (budget == NULL)
	{
		problem->budget = 0;
		for (i = 0; i < task->lines; i++)
			problem->budget = Min(ALLOCATE_MOST_UNITS,
								  problem->budget + Min(problem->line[i].hi, ALLOCATE_MOST_UNITS));
		while (!isfinite(rtm_allocate_money(problem, problem->budget)))
			problem->budget /= 2;
		return;
	}
	if (!rtm_numeric_is_finite(budget) || rtm_numeric_sign(budget) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the budget must be finite and not negative")));
	problem->budget = units_of(budget, task->unit, false);
	if (problem->budget == PG_INT64_MAX || !(rtm_allocate_money(problem, 1) >= DBL_MIN) ||
		!isfinite(rtm_allocate_money(problem, problem->budget)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range: the budget as a number of units"),
				 errdetail("A budget has at most %lld units, and a unit and the budget fit "
						   "double precision.", (long long) ALLOCATE_MOST_UNITS)));
	if (rtm_numeric_compare(multiply(int64_to_numeric(problem->budget), task->unit), budget) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the budget %s is not a multiple of the unit %s",
						rtm_numeric_text(budget), rtm_numeric_text(task->unit))));
}

/*
 * The sums of the bounds of what is in each group, those groups' own bounds
 * heeded, and which one's parts do not admit it.
 */
static void
report_infeasible(BudgetTask *task)
{
	AllocateProblem *problem = &task->problem;
	Numeric		zero = int64_to_numeric(0);
	Numeric    *lo = palloc(sizeof(Numeric) * problem->groups);
	Numeric    *hi = palloc(sizeof(Numeric) * problem->groups);
	const char *hint = psprintf("Amounts are whole multiples of the unit, %s: lower bounds are "
								"rounded up to it and upper bounds down.",
								rtm_numeric_text(task->unit));
	size_t		g;
	uint32		i;

	for (g = 0; g < problem->groups; g++)
		lo[g] = hi[g] = zero;
	for (i = 0; i < task->lines; i++)
	{
		CHECK_FOR_INTERRUPTS();
		g = problem->line[i].group;
		lo[g] = add(lo[g], LINE_LO(task->line[i]));
		hi[g] = add(hi[g], LINE_HI(task->line[i]));
	}
	for (g = problem->groups - 1; g > problem->culprit; g--)
	{
		PlanLine   *record = task->group[g];
		size_t		parent = problem->group[g].parent;

		CHECK_FOR_INTERRUPTS();
		lo[parent] = add(lo[parent], rtm_numeric_compare(lo[g], LINE_LO(record)) < 0
						 ? LINE_LO(record) : lo[g]);
		hi[parent] = add(hi[parent], rtm_numeric_compare(hi[g], LINE_HI(record)) > 0
						 ? LINE_HI(record) : hi[g]);
	}
	g = problem->culprit;
	if (g > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the bounds of group \"%s\" and of what is in it cannot be met together",
						rtm_line_shown(LINE_NAME(task->group[g]), task->group[g]->name_length)),
				 errdetail("The lower bounds in it sum to %s and the upper ones to %s; its own "
						   "bounds are %s and %s.",
						   rtm_numeric_text(lo[g]), rtm_numeric_text(hi[g]),
						   rtm_numeric_text(LINE_LO(task->group[g])),
						   rtm_numeric_text(LINE_HI(task->group[g]))),
				 errhint("%s", hint)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the bounds of the budget lines do not admit the budget"),
			 errdetail("The lower bounds sum to %s, the budget is %s, the upper bounds sum to %s.",
					   rtm_numeric_text(lo[0]),
					   task->budget ? rtm_numeric_text(task->budget) : "not limited",
					   rtm_numeric_text(hi[0])),
			 errhint("%s", hint)));
}

static void
report_too_far(BudgetTask *task)
{
	Numeric		allowed = multiply(task->current, LINE_HI(task->shift));
	rtm_int128	moved = task->problem.moved;
	Numeric		least;

	/* Half of a number of ticks, exactly. */
	least = scaled(multiply(int64_to_numeric((int64) (moved < PG_INT64_MAX ? moved : PG_INT64_MAX)),
							read_numeric("0.5")), -task->scale);
	least = DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(least)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the shift limit admits no plan within the bounds"),
			 errdetail("It admits that %s of the current %s is moved, which is %s; every plan "
					   "moves at least %s.",
					   rtm_numeric_text(LINE_HI(task->shift)), rtm_numeric_text(task->current),
					   rtm_numeric_text(allowed), rtm_numeric_text(least)),
			 errhint("What is moved is half the sum of the differences to the current "
					 "amounts.")));
}

/*
 * What the solver could not work with, in the words of the plan.
 */
void
rtm_task_report(BudgetTask *task, AllocateStatus status)
{
	AllocateProblem *problem = &task->problem;
	LineFaults	faults = {0};
	uint32		i;

	if (status == ALLOCATE_DONE)
		return;
	if (status == ALLOCATE_INFEASIBLE)
		report_infeasible(task);
	if (status == ALLOCATE_TOO_FAR)
		report_too_far(task);

	/* In the order of the plan. */
	for (i = 0; i < task->lines; i++)
	{
		const AllocateLine *line = &problem->line[task->place[i]];
		StringInfoData curve;

		CHECK_FOR_INTERRUPTS();
		if (line->fault == ALLOCATE_SOUND)
			continue;
		initStringInfo(&curve);
		rtm_curve_print(&curve, &line->curve);
		if (line->fault == ALLOCATE_NO_VALUE)
			rtm_fault_add(&faults, ERRCODE_INVALID_PARAMETER_VALUE, PLAN_LINE,
						  LINE_NAME(task->record[i]), task->record[i]->name_length,
						  psprintf("needs a lower bound above zero: its curve %s has no value "
								   "at zero", curve.data));
		else
			rtm_fault_add(&faults, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, PLAN_LINE,
						  LINE_NAME(task->record[i]), task->record[i]->name_length,
						  psprintf("has a response out of the range of double precision: "
								   "its curve is %s", curve.data));
	}
	rtm_fault_report(&faults);
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value out of range: the sum of the responses does not fit "
					"double precision")));
}
