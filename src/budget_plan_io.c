/*-------------------------------------------------------------------------
 *
 * budget_plan_io.c
 *		The SQL type budget_plan as text, which is JSON, and in binary.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "budget_record.h"
#include "literal.h"
#include "response_curve.h"

REVRTM_FUNCTION(revrtm_budget_plan_in);
REVRTM_FUNCTION(revrtm_budget_plan_out);
REVRTM_FUNCTION(revrtm_budget_plan_recv);
REVRTM_FUNCTION(revrtm_budget_plan_send);

/* Which members an entry of the text form has. */
typedef struct EntryForm
{
	const char *name;
	const char *members;
} EntryForm;

static const EntryForm line_form = {"line", "line, curve, lo, hi, current and group"};
static const EntryForm group_form = {"group", "group, lo and hi"};

pg_attribute_noreturn()
static void
bad_text(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input for type %s: %s", "budget_plan", what)));
}

/*
 * A member of an entry in JSON, of the type it must have; counts it.
 */
static JsonbValue *
member(JsonbContainer *object, const EntryForm *form, const char *key, enum jbvType type,
	   bool required, uint32 *members)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	*members += value != NULL;
	if (!required && (value == NULL || value->type == jbvNull))
		return NULL;
	if (value == NULL || value->type != type)
		bad_text(psprintf("\"%s\" of a %s is missing or not a %s", key, form->name,
						  type == jbvString ? "string" : "number"));
	return value;
}

static void
read_entry(JsonbValue *element, const EntryForm *form, BudgetPlan **plan)
{
	bool		is_line = form == &line_form;
	NewLine		new = {.kind = is_line ? PLAN_LINE : PLAN_GROUP};
	JsonbContainer *object;
	JsonbValue *value;
	Curve		curve;
	uint32		members = 0;

	CHECK_FOR_INTERRUPTS();
	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		bad_text(psprintf("a %s is not a JSON object", form->name));
	object = element->val.binary.data;

	value = member(object, form, form->name, jbvString, true, &members);
	new.name = value->val.string.val;
	new.name_length = value->val.string.len;
	if (is_line)
	{
		value = member(object, form, "curve", jbvString, true, &members);
		rtm_curve_parse(pnstrdup(value->val.string.val, value->val.string.len), &curve);
		new.curve = &curve;
		value = member(object, form, "current", jbvNumeric, false, &members);
		if (value != NULL)
			new.current = value->val.numeric;
		value = member(object, form, "group", jbvString, false, &members);
		if (value != NULL)
		{
			if (value->val.string.len == 0)
				bad_text("the \"group\" of a line is empty");
			new.group = value->val.string.val;
			new.group_length = value->val.string.len;
		}
	}
	new.lo = member(object, form, "lo", jbvNumeric, true, &members)->val.numeric;
	value = member(object, form, "hi", jbvNumeric, is_line, &members);
	new.hi = value != NULL ? value->val.numeric : rtm_numeric_infinity();
	if (JsonContainerSize(object) != members)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input for type %s: unknown member in %s \"%s\"", "budget_plan",
						form->name, rtm_line_shown(new.name, new.name_length)),
				 errhint("The members are %s.", form->members)));
	*plan = rtm_plan_append(*plan, &new, true);
}

static void
read_entries(JsonbContainer *array, const EntryForm *form, BudgetPlan **plan)
{
	uint32		entries = JsonContainerSize(array);
	uint32		i;

	for (i = 0; i < entries; i++)
		read_entry(getIthJsonbValueFromContainer(array, i), form, plan);
}

/*
 * The text form: [{"line": …, "curve": …, "lo": …, "hi": …, "current": …,
 * "group": …}, …], or with more than lines {"lines": that, "groups":
 * [{"group": …, "lo": …, "hi": …}, …], "shift_limit": …}.
 */
Datum
revrtm_budget_plan_in(PG_FUNCTION_ARGS)
{
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)));
	BudgetPlan *plan = rtm_plan_with_room(NULL, 0, 0, false);
	JsonbContainer *root = &json->root;
	uint32		members = 0;
	int			i;

	if (JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json))
		read_entries(root, &line_form, &plan);
	else if (JB_ROOT_IS_OBJECT(json))
	{
		static const char *const key[] = {"lines", "groups"};
		JsonbValue *value;

		for (i = 0; i < 2; i++)
		{
			value = getKeyJsonValueFromContainer(root, key[i], strlen(key[i]), NULL);
			if (value == NULL && i > 0)
				continue;
			if (value == NULL || value->type != jbvBinary ||
				!JsonContainerIsArray(value->val.binary.data))
				bad_text(psprintf("\"%s\" is missing or not a JSON array", key[i]));
			members++;
			read_entries(value->val.binary.data, i == 0 ? &line_form : &group_form, &plan);
		}
		value = getKeyJsonValueFromContainer(root, "shift_limit", strlen("shift_limit"), NULL);
		if (value != NULL)
		{
			NewLine		new = {.kind = PLAN_SHIFT, .name = ""};

			if (value->type != jbvNumeric)
				bad_text("\"shift_limit\" is not a number");
			members++;
			new.lo = int64_to_numeric(0);
			new.hi = value->val.numeric;
			plan = rtm_plan_append(plan, &new, true);
		}
		if (JsonContainerSize(root) != members)
			bad_text("its members are lines, groups and shift_limit");
	}
	else
		bad_text("neither a JSON array of lines nor an object");
	PG_RETURN_POINTER(rtm_plan_finish(plan));
}

static void
print_line(StringInfo out, PlanLine *line)
{
	appendStringInfo(out, "{\"%s\": ", line->kind == PLAN_LINE ? "line" : "group");
	escape_json(out, pnstrdup(LINE_NAME(line), line->name_length));
	if (line->kind == PLAN_LINE)
	{
		appendStringInfoString(out, ", \"curve\": \"");
		rtm_curve_print(out, &line->curve);
		appendStringInfoChar(out, '"');
	}
	appendStringInfo(out, ", \"lo\": %s", rtm_numeric_text(LINE_LO(line)));
	if (rtm_numeric_is_finite(LINE_HI(line)))
		appendStringInfo(out, ", \"hi\": %s", rtm_numeric_text(LINE_HI(line)));
	if (line->current != 0)
		appendStringInfo(out, ", \"current\": %s", rtm_numeric_text(LINE_CURRENT(line)));
	if (line->group_length > 0)
	{
		appendStringInfoString(out, ", \"group\": ");
		escape_json(out, pnstrdup(LINE_GROUP(line), line->group_length));
	}
	appendStringInfoChar(out, '}');
}

Datum
revrtm_budget_plan_out(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_GETARG_BUDGET_PLAN(0);
	uint32		lines;
	PlanLine  **record = rtm_budget_lines(plan, &lines);
	bool		more = lines < plan->lines;
	StringInfoData out;
	uint32		i;

	initStringInfo(&out);
	appendStringInfoString(&out, more ? "{\"lines\": [" : "[");
	for (i = 0; i < lines; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(&out, ", ");
		print_line(&out, record[i]);
	}
	appendStringInfoChar(&out, ']');
	if (more && record[lines]->kind == PLAN_GROUP)
	{
		appendStringInfoString(&out, ", \"groups\": [");
		for (; i < plan->lines && record[i]->kind == PLAN_GROUP; i++)
		{
			if (i > lines)
				appendStringInfoString(&out, ", ");
			print_line(&out, record[i]);
		}
		appendStringInfoChar(&out, ']');
	}
	if (more && record[plan->lines - 1]->kind == PLAN_SHIFT)
		appendStringInfo(&out, ", \"shift_limit\": %s",
						 rtm_numeric_text(LINE_HI(record[plan->lines - 1])));
	if (more)
		appendStringInfoChar(&out, '}');
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

/* What follows of a record. */
#define HAS_CURRENT 1
#define HAS_GROUP 2

Datum
revrtm_budget_plan_send(PG_FUNCTION_ARGS)
{
	BudgetPlan *plan = PG_GETARG_BUDGET_PLAN(0);
	uint32		lines;
	PlanLine  **record = rtm_budget_lines(plan, &lines);
	StringInfoData out;
	uint32		i;

	pq_begintypsend(&out);
	pq_sendint16(&out, PLAN_FORMAT);
	pq_sendint32(&out, plan->lines);
	for (i = 0; i < plan->lines; i++)
	{
		PlanLine   *line = record[i];

		CHECK_FOR_INTERRUPTS();
		pq_sendbyte(&out, line->kind);
		rtm_send_text(&out, LINE_NAME(line), line->name_length);
		if (line->kind == PLAN_LINE)
			rtm_curve_write(&out, &line->curve);
		send_numeric(&out, LINE_LO(line));
		send_numeric(&out, LINE_HI(line));
		pq_sendbyte(&out, (line->current != 0 ? HAS_CURRENT : 0)
					| (line->group_length > 0 ? HAS_GROUP : 0));
		if (line->current != 0)
			send_numeric(&out, LINE_CURRENT(line));
		if (line->group_length > 0)
			rtm_send_text(&out, LINE_GROUP(line), line->group_length);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static const char *
receive_text(StringInfo in, int *length)
{
	int			sent = pq_getmsgint(in, 4);

	if (sent < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid length of a name in a budget plan: %d", sent)));
	return pq_getmsgtext(in, sent, length);
}

Datum
revrtm_budget_plan_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	BudgetPlan *plan = rtm_plan_with_room(NULL, 0, 0, false);
	int			format = pq_getmsgint(in, 2);
	uint32		records;
	uint32		i;

	if (format != PLAN_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown format of a budget plan: %d", format)));
	records = pq_getmsgint(in, 4);
	for (i = 0; i < records; i++)
	{
		NewLine		new = {0};
		Curve		curve;
		int			kind = pq_getmsgbyte(in);
		int			flags;

		CHECK_FOR_INTERRUPTS();
		if (kind > PLAN_SHIFT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("unknown kind of record in a budget plan: %d", kind)));
		new.kind = kind;
		new.name = receive_text(in, &new.name_length);
		if (kind == PLAN_LINE)
		{
			rtm_curve_read(in, &curve);
			new.curve = &curve;
		}
		new.lo = receive_numeric(in);
		new.hi = receive_numeric(in);
		flags = pq_getmsgbyte(in);
		if (flags > (kind == PLAN_LINE ? HAS_CURRENT | HAS_GROUP : 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid flag in a budget plan: %d", flags)));
		if (flags & HAS_CURRENT)
			new.current = receive_numeric(in);
		if (flags & HAS_GROUP)
			new.group = receive_text(in, &new.group_length);
		if (kind == PLAN_SHIFT && (new.name_length > 0 || rtm_numeric_sign(new.lo) != 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid shift limit in a budget plan")));
		plan = rtm_plan_append(plan, &new, true);
	}
	PG_RETURN_POINTER(rtm_plan_finish(plan));
}
