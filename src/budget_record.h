/*-------------------------------------------------------------------------
 *
 * budget_record.h
 *		How the records of a budget_plan are put together.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_BUDGET_RECORD_H
#define REVRTM_BUDGET_RECORD_H

#include "allocate.h"
#include "budget_plan.h"

/* A record to add. */
typedef struct NewLine
{
	PlanKind	kind;
	const char *name;
	int			name_length;
	const char *group;
	int			group_length;	/* 0: in no group */
	const Curve *curve;			/* NULL: none */
	Numeric		lo;
	Numeric		hi;
	Numeric		current;		/* NULL: not known */
} NewLine;

extern BudgetPlan *rtm_plan_with_room(BudgetPlan *plan, Size more, uint32 lines, bool in_place);
extern BudgetPlan *rtm_plan_append(BudgetPlan *plan, const NewLine *new, bool in_place);
extern BudgetPlan *rtm_plan_finish(BudgetPlan *plan);

extern int	rtm_numeric_sign(Numeric value);
extern Numeric rtm_numeric_infinity(void);

#endif							/* REVRTM_BUDGET_RECORD_H */
