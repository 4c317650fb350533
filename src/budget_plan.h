/*-------------------------------------------------------------------------
 *
 * budget_plan.h
 *		The SQL type budget_plan: its bytes, and how to read its lines.
 *
 * A plan is its lines one behind the other.  While it is the state of an
 * aggregate they stand as they came, and the value has room to grow; a
 * finished plan is packed, sorted by the bytes of the names, each there once.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_BUDGET_PLAN_H
#define REVRTM_BUDGET_PLAN_H

#include "compat.h"

#include "utils/numeric.h"

#include "curve.h"

#define PLAN_FORMAT 1
#define PLAN_MOST_LINES 1000000

typedef struct BudgetPlan
{
	int32		vl_len_;
	uint16		format;			/* PLAN_FORMAT */
	uint16		unused;			/* always zero */
	uint32		lines;
	uint32		used;			/* bytes, with this header; the rest is room */
} BudgetPlan;

/* A line as stored: this, then lo, hi, current if any, and the name. */
typedef struct PlanLine
{
	uint32		size;			/* to the next line, aligned */
	uint32		hi;				/* offsets from the start of the line */
	uint32		current;		/* 0: not known */
	uint32		name;
	uint32		name_length;
	uint32		unused;			/* always zero */
	Curve		curve;
} PlanLine;

#define FIRST_LINE(plan) ((PlanLine *) ((char *) (plan) + MAXALIGN(sizeof(BudgetPlan))))
#define NEXT_LINE(line) ((PlanLine *) ((char *) (line) + (line)->size))
#define LINE_LO(line) ((Numeric) ((char *) (line) + MAXALIGN(sizeof(PlanLine))))
#define LINE_HI(line) ((Numeric) ((char *) (line) + (line)->hi))
#define LINE_CURRENT(line) ((Numeric) ((char *) (line) + (line)->current))
#define LINE_NAME(line) ((char *) (line) + (line)->name)

#define PG_GETARG_BUDGET_PLAN(n) ((BudgetPlan *) PG_GETARG_VARLENA_P(n))

extern PlanLine **rtm_budget_lines(BudgetPlan *plan);

/* For messages and checks. */
extern char *rtm_line_shown(const char *name, int length);
extern char *rtm_numeric_text(Numeric value);
extern int	rtm_numeric_compare(Numeric a, Numeric b);
extern bool rtm_numeric_is_finite(Numeric value);

#endif							/* REVRTM_BUDGET_PLAN_H */
