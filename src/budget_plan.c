/*-------------------------------------------------------------------------
 *
 * budget_plan.c
 *		The SQL type budget_plan and its aggregate.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "budget_plan.h"
#include "literal.h"
#include "response_curve.h"

/* A line to add. */
typedef struct NewLine
{
	const char *name;
	int			name_length;
	const Curve *curve;
	Numeric		lo;
	Numeric		hi;
	Numeric		current;		/* NULL: not known */
} NewLine;

REVRTM_FUNCTION(revrtm_budget_plan_in);
REVRTM_FUNCTION(revrtm_budget_plan_out);
REVRTM_FUNCTION(revrtm_budget_plan_recv);
REVRTM_FUNCTION(revrtm_budget_plan_send);
REVRTM_FUNCTION(revrtm_budget_plan_add);
REVRTM_FUNCTION(revrtm_budget_plan_combine);
REVRTM_FUNCTION(revrtm_budget_plan_final);

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

bool
rtm_numeric_is_finite(Numeric value)
{
	return !numeric_is_nan(value) && !numeric_is_inf(value);
}

/*
 * The rules a line keeps, wherever it comes from.
 */
static void
check_line(const NewLine *line)
{
	Numeric		zero = int64_to_numeric(0);

	if (!rtm_numeric_is_finite(line->lo) || !rtm_numeric_is_finite(line->hi) ||
		(line->current != NULL && !rtm_numeric_is_finite(line->current)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the amounts of budget line \"%s\" must be finite",
						rtm_line_shown(line->name, line->name_length)),
				 errhint("For a line without an upper bound of its own give the budget.")));
	if (rtm_numeric_compare(line->lo, zero) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the lower bound of budget line \"%s\" must not be negative",
						rtm_line_shown(line->name, line->name_length)),
				 errdetail("It is %s.", rtm_numeric_text(line->lo))));
	if (rtm_numeric_compare(line->lo, line->hi) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the lower bound of budget line \"%s\" is above its upper bound",
						rtm_line_shown(line->name, line->name_length)),
				 errdetail("The bounds are %s and %s.",
						   rtm_numeric_text(line->lo), rtm_numeric_text(line->hi))));
	if (line->current != NULL && rtm_numeric_compare(line->current, zero) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the current amount of budget line \"%s\" must not be negative",
						rtm_line_shown(line->name, line->name_length)),
				 errdetail("It is %s.", rtm_numeric_text(line->current))));
}

/*
 * Room for more lines: the plan itself where it may be changed in place and
 * has the room, else a copy twice as large.  Zeroed, so that a stored plan
 * holds nothing but its own bytes.
 */
static BudgetPlan *
with_room(BudgetPlan *plan, Size more, uint32 lines, bool in_place)
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
	memcpy((char *) line + offset, bytes, length);
	return MAXALIGN(offset + length);
}

static BudgetPlan *
append_line(BudgetPlan *plan, const NewLine *new, bool in_place)
{
	Size		size = MAXALIGN(sizeof(PlanLine)) + MAXALIGN(VARSIZE(new->lo))
		+ MAXALIGN(VARSIZE(new->hi))
		+ (new->current ? MAXALIGN(VARSIZE(new->current)) : 0)
		+ MAXALIGN(new->name_length);
	PlanLine   *line;
	uint32		offset;

	check_line(new);
	plan = with_room(plan, size, 1, in_place);
	line = (PlanLine *) ((char *) plan + plan->used);
	line->size = size;
	line->curve = *new->curve;
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
	put(line, offset, new->name, new->name_length);
	plan->lines++;
	plan->used += size;
	return plan;
}

static int
compare_lines(const void *a, const void *b)
{
	const PlanLine *x = *(PlanLine *const *) a;
	const PlanLine *y = *(PlanLine *const *) b;
	int			order = memcmp(LINE_NAME(x), LINE_NAME(y), Min(x->name_length, y->name_length));

	CHECK_FOR_INTERRUPTS();
	if (order != 0)
		return order;
	return x->name_length < y->name_length ? -1 : x->name_length > y->name_length;
}

/*
 * The lines of a plan, sorted by name, each name once.
 */
PlanLine **
rtm_budget_lines(BudgetPlan *plan)
{
	PlanLine  **lines = palloc(sizeof(PlanLine *) * Max(plan->lines, 1));
	PlanLine   *line = FIRST_LINE(plan);
	bool		sorted = true;
	uint32		i;

	if (plan->format != PLAN_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unknown format of a budget plan: %d", plan->format)));

	for (i = 0; i < plan->lines; i++)
	{
		lines[i] = line;
		if (i > 0 && compare_lines(&lines[i - 1], &lines[i]) >= 0)
			sorted = false;
		line = NEXT_LINE(line);
	}
	if (sorted)
		return lines;

	qsort(lines, plan->lines, sizeof(PlanLine *), compare_lines);
	for (i = 1; i < plan->lines; i++)
	{
		if (compare_lines(&lines[i - 1], &lines[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("budget line \"%s\" is given twice",
							rtm_line_shown(LINE_NAME(lines[i]), lines[i]->name_length))));
	}
	return lines;
}

/*
 * The finished plan: a packed and sorted copy.
 */
static BudgetPlan *
finish(BudgetPlan *plan)
{
	PlanLine  **lines = rtm_budget_lines(plan);
	BudgetPlan *result = palloc0(plan->used);
	char	   *end = (char *) FIRST_LINE(result);
	uint32		i;

	memcpy(result, plan, sizeof(BudgetPlan));
	SET_VARSIZE(result, plan->used);
	for (i = 0; i < plan->lines; i++)
	{
		memcpy(end, lines[i], lines[i]->size);
		end += lines[i]->size;
	}
	pfree(lines);
	return result;
}

/*
 * A member of a line in JSON, of the type it must have.
 */
static JsonbValue *
member(JsonbContainer *object, const char *key, enum jbvType type, bool required)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	if (!required && (value == NULL || value->type == jbvNull))
		return NULL;
	if (value == NULL || value->type != type)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input for type %s: \"%s\" of a line is missing or not a %s",
						"budget_plan", key, type == jbvString ? "string" : "number")));
	return value;
}

/*
 * The text form: [{"line": …, "curve": …, "lo": …, "hi": …, "current": …}, …]
 */
Datum
revrtm_budget_plan_in(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)));
	BudgetPlan *plan = with_room(NULL, 0, 0, false);
	uint32		lines;
	uint32		i;

	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input for type %s: not a JSON array", "budget_plan")));

	lines = JB_ROOT_COUNT(json);
	for (i = 0; i < lines; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&json->root, i);
		JsonbValue *value;
		JsonbContainer *object;
		Curve		curve;
		NewLine		new = {0};
		uint32		members = 4;

		CHECK_FOR_INTERRUPTS();
		if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input for type %s: a line is not a JSON object",
							"budget_plan")));
		object = element->val.binary.data;

		value = member(object, "line", jbvString, true);
		new.name = value->val.string.val;
		new.name_length = value->val.string.len;
		value = member(object, "curve", jbvString, true);
		rtm_curve_parse(pnstrdup(value->val.string.val, value->val.string.len), &curve);
		new.curve = &curve;
		new.lo = member(object, "lo", jbvNumeric, true)->val.numeric;
		new.hi = member(object, "hi", jbvNumeric, true)->val.numeric;
		value = member(object, "current", jbvNumeric, false);
		if (value != NULL)
			new.current = value->val.numeric;
		if (getKeyJsonValueFromContainer(object, "current", strlen("current"), NULL) != NULL)
			members++;
		if (JsonContainerSize(object) != members)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input for type %s: unknown member in line \"%s\"",
							"budget_plan", rtm_line_shown(new.name, new.name_length)),
					 errhint("The members are line, curve, lo, hi and current.")));
		plan = append_line(plan, &new, true);
	}
	PG_RETURN_POINTER(finish(plan));
}

Datum
revrtm_budget_plan_out(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_GETARG_BUDGET_PLAN(0);
	PlanLine  **lines = rtm_budget_lines(plan);
	StringInfoData out;
	uint32		i;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (i = 0; i < plan->lines; i++)
	{
		PlanLine   *line = lines[i];

		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(&out, i > 0 ? ", {\"line\": " : "{\"line\": ");
		escape_json(&out, pnstrdup(LINE_NAME(line), line->name_length));
		appendStringInfoString(&out, ", \"curve\": \"");
		rtm_curve_print(&out, &line->curve);
		appendStringInfo(&out, "\", \"lo\": %s, \"hi\": %s",
						 rtm_numeric_text(LINE_LO(line)), rtm_numeric_text(LINE_HI(line)));
		if (line->current != 0)
			appendStringInfo(&out, ", \"current\": %s", rtm_numeric_text(LINE_CURRENT(line)));
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	PG_RETURN_CSTRING(out.data);
}

static void
send_numeric(StringInfo out, Numeric value)
{
	bytea	   *bytes = DatumGetByteaP(DirectFunctionCall1(numeric_send, NumericGetDatum(value)));

	pq_sendbytes(out, VARDATA(bytes), VARSIZE(bytes) - VARHDRSZ);
}

/* A numeric in binary form says itself where it ends. */
static Numeric
receive_numeric(StringInfo in)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_recv, PointerGetDatum(in),
											   ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

Datum
revrtm_budget_plan_send(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_GETARG_BUDGET_PLAN(0);
	PlanLine  **lines = rtm_budget_lines(plan);
	StringInfoData out;
	uint32		i;

	pq_begintypsend(&out);
	pq_sendint16(&out, PLAN_FORMAT);
	pq_sendint32(&out, plan->lines);
	for (i = 0; i < plan->lines; i++)
	{
		PlanLine   *line = lines[i];

		CHECK_FOR_INTERRUPTS();
		rtm_send_text(&out, LINE_NAME(line), line->name_length);
		rtm_curve_write(&out, &line->curve);
		send_numeric(&out, LINE_LO(line));
		send_numeric(&out, LINE_HI(line));
		pq_sendbyte(&out, line->current != 0);
		if (line->current != 0)
			send_numeric(&out, LINE_CURRENT(line));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

Datum
revrtm_budget_plan_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	BudgetPlan *plan = with_room(NULL, 0, 0, false);
	int			format = pq_getmsgint(in, 2);
	uint32		lines;
	uint32		i;

	if (format != PLAN_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown format of a budget plan: %d", format)));
	lines = pq_getmsgint(in, 4);
	for (i = 0; i < lines; i++)
	{
		NewLine		new = {0};
		Curve		curve;
		int			length = pq_getmsgint(in, 4);
		int			known;

		CHECK_FOR_INTERRUPTS();
		if (length < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid length of a budget line's name: %d", length)));
		new.name = pq_getmsgtext(in, length, &new.name_length);
		rtm_curve_read(in, &curve);
		new.curve = &curve;
		new.lo = receive_numeric(in);
		new.hi = receive_numeric(in);
		known = pq_getmsgbyte(in);
		if (known > 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid flag in a budget plan: %d", known)));
		if (known == 1)
			new.current = receive_numeric(in);
		plan = append_line(plan, &new, true);
	}
	PG_RETURN_POINTER(finish(plan));
}

/*
 * budget_line_agg, per line: (plan, line, curve, lo, hi [, current])
 */
Datum
revrtm_budget_plan_add(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_ARGISNULL(0) ? NULL : PG_GETARG_BUDGET_PLAN(0);
	NewLine		new = {0};
	text	   *name;

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

	PG_RETURN_POINTER(append_line(plan, &new, AggCheckCallContext(fcinfo, NULL) != 0));
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
	plan = with_room(plan, more, other->lines, AggCheckCallContext(fcinfo, NULL) != 0);
	memcpy((char *) plan + plan->used, FIRST_LINE(other), more);
	plan->used += more;
	plan->lines += other->lines;
	PG_RETURN_POINTER(plan);
}

Datum
revrtm_budget_plan_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(finish(PG_GETARG_BUDGET_PLAN(0)));
}
