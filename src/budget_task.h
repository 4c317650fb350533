/*-------------------------------------------------------------------------
 *
 * budget_task.h
 *		A budget plan, in money, as a problem of the allocator, in units.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_BUDGET_TASK_H
#define REVRTM_BUDGET_TASK_H

#include "allocate.h"
#include "budget_plan.h"

typedef struct BudgetTask
{
	AllocateProblem problem;
	PlanLine  **record;			/* of the plan: lines, then the rest */
	uint32		lines;
	uint32		records;
	PlanLine  **line;			/* of each line of the problem */
	PlanLine  **group;			/* of each group; none of the whole */
	uint32	   *place;			/* where line i of the plan is in the problem */
	PlanLine   *shift;			/* or NULL */
	Numeric		current;		/* the sum, where there is a shift limit */
	int			scale;			/* of ticks, likewise: 10^-scale */
	Numeric		unit;
	int64		unit_digits;	/* unit = unit_digits / 10^unit_scale; 0: too many */
	int			unit_scale;
	Numeric		budget;			/* NULL: no limit */
} BudgetTask;

extern void rtm_task_make(BudgetTask *task, BudgetPlan *plan, Numeric unit);
extern void rtm_task_set_budget(BudgetTask *task, Numeric budget);
extern void rtm_task_report(BudgetTask *task, AllocateStatus status);
extern Numeric rtm_task_money(const BudgetTask *task, int64 units);

#endif							/* REVRTM_BUDGET_TASK_H */
