/*-------------------------------------------------------------------------
 *
 * budget_plan.c
 *		The SQL type budget_plan: its records, their rules, its aggregate.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "budget_record.h"
#include "response_curve.h"

REVRTM_FUNCTION(revrtm_budget_plan_add);
REVRTM_FUNCTION(revrtm_budget_plan_combine);
REVRTM_FUNCTION(revrtm_budget_plan_final);
REVRTM_FUNCTION(revrtm_group_bound);
REVRTM_FUNCTION(revrtm_shift_limit);

/* A name for a message: whole, or its beginning. */
char *
rtm_line_shown(const char *name, int length)
{
	int			clipped = pg_mbcliplen(name, length, 100);

	return psprintf("%.*s%s", clipped, name, clipped < length ? "..." : "");
}

char *
rtm_numeric_text(Numeric value)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)));
}

int
rtm_numeric_compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

int
rtm_numeric_sign(Numeric value)
{
	return rtm_numeric_compare(value, int64_to_numeric(0));
}

Numeric
rtm_numeric_infinity(void)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum("Infinity"),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

bool
rtm_numeric_is_finite(Numeric value)
{
	return !numeric_is_nan(value) && !numeric_is_inf(value);
}

/* Faults that a message lists. */
#define SHOWN_FAULTS 50

void
rtm_fault_add(LineFaults *faults, int sqlstate, PlanKind kind, const char *name, int length,
			  const char *what)
{
	if (faults->count == 0)
	{
		initStringInfo(&faults->detail);
		faults->sqlstate = sqlstate;
	}
	if (++faults->count > SHOWN_FAULTS)
		return;
	if (faults->count > 1)
		appendStringInfoChar(&faults->detail, '\n');
	if (kind == PLAN_SHIFT)
		appendStringInfo(&faults->detail, "The shift limit %s.", what);
	else
		appendStringInfo(&faults->detail, "%s \"%s\" %s.", kind == PLAN_LINE ? "Line" : "Group",
						 rtm_line_shown(name, length), what);
}

void
rtm_fault_report(LineFaults *faults)
{
	if (faults->count == 0)
		return;
	if (faults->count > SHOWN_FAULTS)
		appendStringInfo(&faults->detail, "\nAnd %d more.", faults->count - SHOWN_FAULTS);
	ereport(ERROR,
			(errcode(faults->sqlstate),
			 errmsg_plural("%d entry of the budget plan cannot be used",
						   "%d entries of the budget plan cannot be used",
						   faults->count, faults->count),
			 errdetail_internal("%s", faults->detail.data)));
}

/* What is wrong with a path, or NULL. */
static const char *
path_fault(const char *path, int length)
{
	int			levels = 1;
	int			i;

	if (length == 0 || path[0] == '/' || path[length - 1] == '/')
		return "has a group path with an empty part";
	for (i = 1; i < length; i++)
	{
		if (path[i] == '/' && path[i - 1] == '/')
			return "has a group path with an empty part";
		levels += path[i] == '/';
	}
	if (levels > ALLOCATE_MOST_LEVELS)
		return psprintf("has a group path of %d levels: at most %d", levels,
						ALLOCATE_MOST_LEVELS);
	return NULL;
}

/*
 * The rules a record keeps, wherever it comes from.
 */
static void
check_line(const PlanLine *line, LineFaults *faults)
{
	Numeric		lo = LINE_LO(line);
	Numeric		hi = LINE_HI(line);
	Numeric		current = line->current ? LINE_CURRENT(line) : NULL;
	const char *what = NULL;

	if (!rtm_numeric_is_finite(lo) ||
		(!rtm_numeric_is_finite(hi) && (line->kind != PLAN_GROUP || numeric_is_nan(hi))))
		what = line->kind == PLAN_SHIFT ? "is not finite" : "has a bound that is not finite";
	else if (current != NULL && !rtm_numeric_is_finite(current))
		what = "has a current amount that is not finite";
	else if (rtm_numeric_sign(lo) < 0)
		what = psprintf("has the negative lower bound %s", rtm_numeric_text(lo));
	else if (rtm_numeric_compare(lo, hi) > 0)
		what = line->kind == PLAN_SHIFT ? psprintf("is negative: %s", rtm_numeric_text(hi))
			: psprintf("has the lower bound %s above its upper bound %s",
					   rtm_numeric_text(lo), rtm_numeric_text(hi));
	else if (current != NULL && rtm_numeric_sign(current) < 0)
		what = psprintf("has the negative current amount %s", rtm_numeric_text(current));
	else if (line->kind == PLAN_GROUP)
		what = path_fault(LINE_NAME(line), line->name_length);
	else if (line->group_length > 0)
		what = path_fault(LINE_GROUP(line), line->group_length);
	if (what != NULL)
		rtm_fault_add(faults, ERRCODE_INVALID_PARAMETER_VALUE, line->kind, LINE_NAME(line),
					  line->name_length, what);
}

/*
 * Room for more lines: the plan itself where it may be changed in place and
 * has the room, else a copy twice as large.  Zeroed, so that a stored plan
 * holds nothing but its own bytes.
 */
BudgetPlan *
rtm_plan_with_room(BudgetPlan *plan, Size more, uint32 lines, bool in_place)
{
	Size		used = plan ? plan->used : MAXALIGN(sizeof(BudgetPlan));
	Size		capacity;
	BudgetPlan *copy;

	if ((plan ? plan->lines : 0) + lines > PLAN_MOST_LINES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a budget plan has at most %d lines", PLAN_MOST_LINES)));
	if (used + more > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the lines of the budget plan are too large")));
	if (plan != NULL && in_place && used + more <= VARSIZE(plan))
		return plan;

	capacity = Min(Max(2 * (used + more), 1024), MaxAllocSize);
	copy = palloc0(capacity);
	if (plan != NULL)
		memcpy(copy, plan, used);
	SET_VARSIZE(copy, capacity);
	copy->format = PLAN_FORMAT;
	copy->used = used;
	return copy;
}

static uint32
put(PlanLine *line, uint32 offset, const void *bytes, Size length)
{
	if (length > 0)
		memcpy((char *) line + offset, bytes, length);
	return MAXALIGN(offset + length);
}

BudgetPlan *
rtm_plan_append(BudgetPlan *plan, const NewLine *new, bool in_place)
{
	static const Curve none = {0};
	Size		size = MAXALIGN(sizeof(PlanLine)) + MAXALIGN(VARSIZE(new->lo))
		+ MAXALIGN(VARSIZE(new->hi))
		+ (new->current ? MAXALIGN(VARSIZE(new->current)) : 0)
		+ MAXALIGN(new->name_length) + MAXALIGN(new->group_length);
	PlanLine   *line;
	uint32		offset;

	plan = rtm_plan_with_room(plan, size, 1, in_place);
	line = (PlanLine *) ((char *) plan + plan->used);
	line->size = size;
	line->kind = new->kind;
	line->curve = new->curve ? *new->curve : none;
	offset = put(line, MAXALIGN(sizeof(PlanLine)), new->lo, VARSIZE(new->lo));
	line->hi = offset;
	offset = put(line, offset, new->hi, VARSIZE(new->hi));
	if (new->current != NULL)
	{
		line->current = offset;
		offset = put(line, offset, new->current, VARSIZE(new->current));
	}
	line->name = offset;
	line->name_length = new->name_length;
	offset = put(line, offset, new->name, new->name_length);
	line->group = offset;
	line->group_length = new->group_length;
	put(line, offset, new->group, new->group_length);
	plan->lines++;
	plan->used += size;
	return plan;
}

/*
 * Paths in the order in which each group stands right before what is in it.
 */
int
rtm_path_compare(const char *a, int a_length, const char *b, int b_length)
{
	int			i;

	for (i = 0; i < a_length && i < b_length; i++)
	{
		unsigned char x = a[i] == '/' ? 0 : (unsigned char) a[i];
		unsigned char y = b[i] == '/' ? 0 : (unsigned char) b[i];

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a_length < b_length ? -1 : a_length > b_length;
}

static int
compare_lines(const void *a, const void *b)
{
	const PlanLine *x = *(PlanLine *const *) a;
	const PlanLine *y = *(PlanLine *const *) b;
	int			order = memcmp(LINE_NAME(x), LINE_NAME(y), Min(x->name_length, y->name_length));

	CHECK_FOR_INTERRUPTS();
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (order != 0)
		return order;
	return x->name_length < y->name_length ? -1 : x->name_length > y->name_length;
}

/*
 * The records of a plan, sorted by kind and name, each once; the first are the
 * lines, whose number is told.
 */
PlanLine  **
rtm_budget_lines(BudgetPlan *plan, uint32 *lines)
{
	PlanLine  **record = palloc_extended(sizeof(PlanLine *) * Max((Size) plan->lines, 1), 0);
	PlanLine   *line = FIRST_LINE(plan);
	LineFaults	faults = {0};
	bool		sorted = true;
	uint32		i;

	if (plan->format != PLAN_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unknown format of a budget plan: %d", plan->format)));

	*lines = 0;
	for (i = 0; i < plan->lines; i++)
	{
		record[i] = line;
		*lines += line->kind == PLAN_LINE;
		if (i > 0 && compare_lines(&record[i - 1], &record[i]) >= 0)
			sorted = false;
		line = NEXT_LINE(line);
	}
	if (sorted)
		return record;

	qsort(record, plan->lines, sizeof(PlanLine *), compare_lines);
	for (i = 1; i < plan->lines; i++)
	{
		if (compare_lines(&record[i - 1], &record[i]) == 0 &&
			(i == 1 || compare_lines(&record[i - 2], &record[i]) != 0))
			rtm_fault_add(&faults, ERRCODE_INVALID_PARAMETER_VALUE, record[i]->kind,
						  LINE_NAME(record[i]), record[i]->name_length, "is given twice");
	}
	rtm_fault_report(&faults);
	return record;
}

/* Is a path that of a group, or of one in it? */
bool
rtm_path_within(const char *path, int length, const PlanLine *group)
{
	return length >= group->name_length &&
		memcmp(path, LINE_NAME(group), group->name_length) == 0 &&
		(length == group->name_length || path[group->name_length] == '/');
}

/*
 * The groups that have bounds have lines, and where there is a shift limit the
 * lines have a current amount.
 */
static void
check_whole(PlanLine **record, uint32 lines, uint32 records, LineFaults *faults)
{
	uint32		g;
	uint32		i;

	for (g = lines; g < records; g++)
	{
		bool		known = false;

		for (i = 0; i < lines; i++)
		{
			if (record[g]->kind == PLAN_SHIFT && record[i]->current == 0)
				rtm_fault_add(faults, ERRCODE_INVALID_PARAMETER_VALUE, PLAN_LINE,
							  LINE_NAME(record[i]), record[i]->name_length,
							  "has no current amount, from which a shift limit counts");
			if (record[g]->kind == PLAN_GROUP && record[i]->group_length > 0 &&
				rtm_path_within(LINE_GROUP(record[i]), record[i]->group_length, record[g]))
			{
				known = true;
				break;
			}
		}
		CHECK_FOR_INTERRUPTS();
		if (record[g]->kind == PLAN_GROUP && !known)
			rtm_fault_add(faults, ERRCODE_INVALID_PARAMETER_VALUE, PLAN_GROUP,
						  LINE_NAME(record[g]), record[g]->name_length,
						  "is unknown: no line is in it");
	}
}

/*
 * The finished plan: a packed and sorted copy, all of whose rules hold.
 */
BudgetPlan *
rtm_plan_finish(BudgetPlan *plan)
{
	uint32		lines;
	PlanLine  **record;
	BudgetPlan *result = palloc0(plan->used);
	char	   *end = (char *) FIRST_LINE(result);
	LineFaults	faults = {0};
	PlanLine   *line = FIRST_LINE(plan);
	uint32		i;

	for (i = 0; i < plan->lines; i++, line = NEXT_LINE(line))
		check_line(line, &faults);
	rtm_fault_report(&faults);
	record = rtm_budget_lines(plan, &lines);
	check_whole(record, lines, plan->lines, &faults);
	rtm_fault_report(&faults);

	memcpy(result, plan, sizeof(BudgetPlan));
	SET_VARSIZE(result, plan->used);
	for (i = 0; i < plan->lines; i++)
	{
		memcpy(end, record[i], record[i]->size);
		end += record[i]->size;
	}
	pfree(record);
	return result;
}

/*
 * budget_line_agg, per line: (plan, line, curve, lo, hi [, current [, group_path]])
 *
 * In the aggregate the rules are seen to at its end, where one error can name
 * all the lines that break one.
 */
Datum
revrtm_budget_plan_add(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_ARGISNULL(0) ? NULL : PG_GETARG_BUDGET_PLAN(0);
	NewLine		new = {.kind = PLAN_LINE};
	text	   *name;
	bool		in_aggregate;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of a budget line must not be null"),
				 errhint("Arrays of lines, curves and bounds must be of one length.")));
	name = PG_GETARG_TEXT_PP(1);
	new.name = VARDATA_ANY(name);
	new.name_length = VARSIZE_ANY_EXHDR(name);
	if (PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the %s of budget line \"%s\" must not be null",
						PG_ARGISNULL(2) ? "curve" :
						PG_ARGISNULL(3) ? "lower bound" : "upper bound",
						rtm_line_shown(new.name, new.name_length))));
	new.curve = PG_GETARG_CURVE(2);
	new.lo = PG_GETARG_NUMERIC(3);
	new.hi = PG_GETARG_NUMERIC(4);
	if (PG_NARGS() > 5 && !PG_ARGISNULL(5))
		new.current = PG_GETARG_NUMERIC(5);
	if (PG_NARGS() > 6 && !PG_ARGISNULL(6))
	{
		text	   *path = PG_GETARG_TEXT_PP(6);

		new.group = VARDATA_ANY(path);
		new.group_length = VARSIZE_ANY_EXHDR(path);
		if (new.group_length == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the group path of budget line \"%s\" is empty",
							rtm_line_shown(new.name, new.name_length)),
					 errhint("A line in no group has the path NULL.")));
	}

	in_aggregate = AggCheckCallContext(fcinfo, NULL) != 0;
	plan = rtm_plan_append(plan, &new, in_aggregate);
	PG_RETURN_POINTER(in_aggregate ? plan : rtm_plan_finish(plan));
}

/*
 * Two states of the aggregate as one; the second is only read.
 */
Datum
revrtm_budget_plan_combine(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_ARGISNULL(0) ? NULL : PG_GETARG_BUDGET_PLAN(0);
	BudgetPlan *other;
	Size		more;

	if (PG_ARGISNULL(1))
	{
		if (plan == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(plan);
	}
	other = PG_GETARG_BUDGET_PLAN(1);
	more = other->used - MAXALIGN(sizeof(BudgetPlan));
	plan = rtm_plan_with_room(plan, more, other->lines, AggCheckCallContext(fcinfo, NULL) != 0);
	memcpy((char *) plan + plan->used, FIRST_LINE(other), more);
	plan->used += more;
	plan->lines += other->lines;
	PG_RETURN_POINTER(plan);
}

Datum
revrtm_budget_plan_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(rtm_plan_finish(PG_GETARG_BUDGET_PLAN(0)));
}

/*
 * A copy of a plan with one record more, in the place of one of that name.
 */
static BudgetPlan *
replace(BudgetPlan *plan, const NewLine *new)
{
	BudgetPlan *copy = rtm_plan_with_room(NULL, plan->used, plan->lines, false);
	PlanLine   *line = FIRST_LINE(plan);
	uint32		i;

	for (i = 0; i < plan->lines; i++, line = NEXT_LINE(line))
	{
		if (line->kind == new->kind && line->name_length == new->name_length &&
			memcmp(LINE_NAME(line), new->name, new->name_length) == 0)
			continue;
		memcpy((char *) copy + copy->used, line, line->size);
		copy->used += line->size;
		copy->lines++;
	}
	return rtm_plan_finish(rtm_plan_append(copy, new, true));
}

/*
 * revrtm.group_bound(plan, group_path, lo, hi)
 */
Datum
revrtm_group_bound(PG_FUNCTION_ARGS)
{
	NewLine		new = {.kind = PLAN_GROUP};
	text	   *path;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg(PG_ARGISNULL(0) ? "the budget plan is null: it has no lines"
						: "the group path must not be null")));
	path = PG_GETARG_TEXT_PP(1);
	new.name = VARDATA_ANY(path);
	new.name_length = VARSIZE_ANY_EXHDR(path);
	new.lo = PG_ARGISNULL(2) ? int64_to_numeric(0) : PG_GETARG_NUMERIC(2);
	new.hi = PG_ARGISNULL(3) ? rtm_numeric_infinity() : PG_GETARG_NUMERIC(3);
	PG_RETURN_POINTER(replace(PG_GETARG_BUDGET_PLAN(0), &new));
}

/*
 * revrtm.shift_limit(plan, share)
 */
Datum
revrtm_shift_limit(PG_FUNCTION_ARGS)
{
	NewLine		new = {.kind = PLAN_SHIFT, .name = ""};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg(PG_ARGISNULL(0) ? "the budget plan is null: it has no lines"
						: "the share that may be moved must not be null")));
	new.lo = int64_to_numeric(0);
	new.hi = PG_GETARG_NUMERIC(1);
	PG_RETURN_POINTER(replace(PG_GETARG_BUDGET_PLAN(0), &new));
}
