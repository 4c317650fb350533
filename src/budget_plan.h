/*-------------------------------------------------------------------------
 *
 * budget_plan.h
 *		The SQL type budget_plan: its bytes, and how to read its lines.
 *
 * A plan is records one behind the other: its lines, the bounds of its groups,
 * and its limit on what is moved.  While it is the state of an aggregate they
 * stand as they came, and the value has room to grow; a finished plan is packed,
 * sorted by kind and the bytes of the names, each there once.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_BUDGET_PLAN_H
#define REVRTM_BUDGET_PLAN_H

#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/numeric.h"

#include "curve.h"

#define PLAN_FORMAT 2
#define PLAN_MOST_LINES 1000000

typedef struct BudgetPlan
{
	int32		vl_len_;
	uint16		format;			/* PLAN_FORMAT */
	uint16		unused;			/* always zero */
	uint32		lines;			/* the records */
	uint32		used;			/* bytes, with this header; the rest is room */
} BudgetPlan;

/* What a record is; the numbers are sent. */
typedef enum PlanKind
{
	PLAN_LINE,
	PLAN_GROUP,					/* the name is the path; no curve */
	PLAN_SHIFT					/* hi is the share; no name, no curve */
} PlanKind;

/* A record as stored: this, then lo, hi, current if any, name and group. */
typedef struct PlanLine
{
	uint32		size;			/* to the next record, aligned */
	uint32		kind;			/* a PlanKind */
	uint32		hi;				/* offsets from the start of the record */
	uint32		current;		/* 0: not known */
	uint32		name;
	uint32		name_length;
	uint32		group;			/* a path such as company/emea */
	uint32		group_length;	/* 0: in no group */
	Curve		curve;
} PlanLine;

#define FIRST_LINE(plan) ((PlanLine *) ((char *) (plan) + MAXALIGN(sizeof(BudgetPlan))))
#define NEXT_LINE(line) ((PlanLine *) ((char *) (line) + (line)->size))
#define LINE_LO(line) ((Numeric) ((char *) (line) + MAXALIGN(sizeof(PlanLine))))
#define LINE_HI(line) ((Numeric) ((char *) (line) + (line)->hi))
#define LINE_CURRENT(line) ((Numeric) ((char *) (line) + (line)->current))
#define LINE_NAME(line) ((char *) (line) + (line)->name)
#define LINE_GROUP(line) ((char *) (line) + (line)->group)

#define PG_GETARG_BUDGET_PLAN(n) ((BudgetPlan *) PG_GETARG_VARLENA_P(n))

extern PlanLine **rtm_budget_lines(BudgetPlan *plan, uint32 *lines);
extern bool rtm_path_within(const char *path, int length, const PlanLine *group);
extern int	rtm_path_compare(const char *a, int a_length, const char *b, int b_length);

/*
 * What is wrong with lines, collected so that one error names them all.
 */
typedef struct LineFaults
{
	StringInfoData detail;
	int			count;
	int			sqlstate;		/* of the first */
} LineFaults;

extern void rtm_fault_add(LineFaults *faults, int sqlstate, PlanKind kind, const char *name,
						  int length, const char *what);
extern void rtm_fault_report(LineFaults *faults);

/* For messages and checks. */
extern char *rtm_line_shown(const char *name, int length);
extern char *rtm_numeric_text(Numeric value);
extern int	rtm_numeric_compare(Numeric a, Numeric b);
extern bool rtm_numeric_is_finite(Numeric value);

#endif							/* REVRTM_BUDGET_PLAN_H */
