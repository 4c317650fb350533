/*-------------------------------------------------------------------------
 *
 * criteria.c
 *		criteria_check(): whether a row meets a list of criteria, and which of
 *		them it does not.
 *
 * A criterion is {"field": …, "op": …, "value": …}. Whatever cannot be decided
 * (no such field, another type, an unknown operator) is a criterion that is not
 * met, and says why; only what the server refuses is an error.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

REVRTM_FUNCTION(revrtm_criteria_check);

/* Values are shown up to so many bytes. */
#define SHOWN_MOST		100

typedef enum CriterionOp
{
	OP_EQUAL,
	OP_OTHER,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_IN,
	OP_NOT_IN,
	OP_CONTAINS,
	OP_EXISTS,
	OP_UNKNOWN
} CriterionOp;

static const char *const op_name[OP_UNKNOWN] = {
	"=", "!=", "<", "<=", ">", ">=", "in", "not_in", "contains", "exists"
};

/* What comparing two values says. */
typedef enum Comparison
{
	IS_LESS,
	IS_EQUAL,
	IS_GREATER,
	IS_INCOMPARABLE
} Comparison;

static CriterionOp
find_op(const JsonbValue *op)
{
	for (int i = 0; i < OP_UNKNOWN; i++)
		if (op->val.string.len == (int) strlen(op_name[i]) &&
			memcmp(op->val.string.val, op_name[i], op->val.string.len) == 0)
			return (CriterionOp) i;
	return OP_UNKNOWN;
}

static bool
is_container(const JsonbValue *v)
{
	return v->type == jbvBinary;
}

static bool
is_list(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsArray(v->val.binary.data);
}

/*
 * Numbers as numbers, text by its bytes, false before true.
 */
static Comparison
compare(const JsonbValue *a, const JsonbValue *b)
{
	int			order;

	if (a->type != b->type)
		return IS_INCOMPARABLE;
	switch (a->type)
	{
		case jbvNumeric:
			order = DatumGetInt32(DirectFunctionCall2(numeric_cmp,
													  NumericGetDatum(a->val.numeric),
													  NumericGetDatum(b->val.numeric)));
			break;
		case jbvString:
			order = memcmp(a->val.string.val, b->val.string.val,
						   Min(a->val.string.len, b->val.string.len));
			if (order == 0)
				order = (a->val.string.len > b->val.string.len) -
					(a->val.string.len < b->val.string.len);
			break;
		case jbvBool:
			order = a->val.boolean - b->val.boolean;
			break;
		default:
			return IS_INCOMPARABLE;
	}
	return order < 0 ? IS_LESS : order > 0 ? IS_GREATER : IS_EQUAL;
}

/*
 * Whether one of the elements equals the value.
 */
static bool
has_element(JsonbContainer *list, const JsonbValue *value)
{
	uint32		n = JsonContainerSize(list);

	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(list, i);

		CHECK_FOR_INTERRUPTS();
		if (compare(element, value) == IS_EQUAL)
			return true;
	}
	return false;
}

static bool
has_part(const JsonbValue *text, const JsonbValue *part)
{
	const char *from = text->val.string.val;

	if (part->val.string.len == 0)
		return true;
	for (int i = 0; i + part->val.string.len <= text->val.string.len; i++)
	{
		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (memcmp(from + i, part->val.string.val, part->val.string.len) == 0)
			return true;
	}
	return false;
}

/*
 * A value as JSON writes it, cut where it is long.
 */
static char *
shown(JsonbValue *v)
{
	char	   *s = JsonbToCString(NULL, &JsonbValueToJsonb(v)->root, 0);
	int			length = strlen(s);

	if (length > SHOWN_MOST)
		s = psprintf("%.*s…", pg_mbcliplen(s, length, SHOWN_MOST), s);
	return s;
}

/*
 * NULL where a row's value meets the operator, else why it does not.
 */
static const char *
judge(CriterionOp op, const JsonbValue *actual, JsonbValue *wanted)
{
	bool		met = false;

	switch (op)
	{
		case OP_IN:
		case OP_NOT_IN:
			if (!is_list(wanted))
				return "value is no list";
			if (is_container(actual))
				return "other type";
			met = has_element(wanted->val.binary.data, actual) == (op == OP_IN);
			break;
		case OP_CONTAINS:
			if (is_list(actual))
				met = has_element(actual->val.binary.data, wanted);
			else if (actual->type == jbvString && wanted->type == jbvString)
				met = has_part(actual, wanted);
			else
				return "other type";
			break;
		default:
			{
				Comparison	c = compare(actual, wanted);

				if (c == IS_INCOMPARABLE)
					return "other type";
				met = op == OP_EQUAL ? c == IS_EQUAL :
					op == OP_OTHER ? c != IS_EQUAL :
					op == OP_LESS ? c == IS_LESS :
					op == OP_LESS_EQUAL ? c != IS_GREATER :
					op == OP_GREATER ? c == IS_GREATER : c != IS_LESS;
			}
	}
	return met ? NULL : "";
}

/*
 * A criterion that is not met, as a person reads it.
 */
static char *
tell(const JsonbValue *field, const JsonbValue *op, JsonbValue *wanted, const char *why,
	 JsonbValue *actual)
{
	return psprintf("%.*s %.*s%s%s: %s%s%s%s",
					pg_mbcliplen(field->val.string.val, field->val.string.len, SHOWN_MOST),
					field->val.string.val,
					pg_mbcliplen(op->val.string.val, op->val.string.len, SHOWN_MOST),
					op->val.string.val,
					wanted == NULL ? "" : " ", wanted == NULL ? "" : shown(wanted),
					why, *why == '\0' || actual == NULL ? "" : ", ",
					actual == NULL ? "" : "is ", actual == NULL ? "" : shown(actual));
}

/*
 * NULL where the row meets the criterion, else the criterion and why not.
 */
static char *
fail(JsonbContainer *row, JsonbValue *criterion)
{
	JsonbContainer *c = is_container(criterion) ? criterion->val.binary.data : NULL;
	JsonbValue *field = NULL;
	JsonbValue *op = NULL;
	JsonbValue *wanted = NULL;
	JsonbValue *actual = NULL;
	CriterionOp code;
	const char *why;

	if (c != NULL && JsonContainerIsObject(c))
	{
		field = getKeyJsonValueFromContainer(c, "field", 5, NULL);
		op = getKeyJsonValueFromContainer(c, "op", 2, NULL);
		wanted = getKeyJsonValueFromContainer(c, "value", 5, NULL);
	}
	if (field == NULL || field->type != jbvString || op == NULL || op->type != jbvString)
		return psprintf("%s: no criterion", shown(criterion));

	code = find_op(op);
	if (code == OP_UNKNOWN)
		return tell(field, op, wanted, "unknown operator", NULL);
	if (row != NULL)
		actual = getKeyJsonValueFromContainer(row, field->val.string.val,
											  field->val.string.len, NULL);

	if (code == OP_EXISTS)
	{
		bool		exists = actual != NULL && actual->type != jbvNull;

		if (wanted != NULL && wanted->type != jbvBool)
			return tell(field, op, wanted, "value is neither true nor false", NULL);
		if (exists == (wanted == NULL || wanted->val.boolean))
			return NULL;
		return exists ? tell(field, op, wanted, "", actual) :
			tell(field, op, wanted, "no value", NULL);
	}
	if (wanted == NULL)
		return tell(field, op, wanted, "nothing to compare with", NULL);
	if (actual == NULL)
		return tell(field, op, wanted, "unknown field", NULL);
	if (actual->type == jbvNull)
		return tell(field, op, wanted, "no value", NULL);
	why = judge(code, actual, wanted);
	return why == NULL ? NULL : tell(field, op, wanted, why, actual);
}

/*
 * revrtm.criteria_check(row, criteria)
 */
Datum
revrtm_criteria_check(PG_FUNCTION_ARGS)
{
	TupleDesc	result;
	JsonbContainer *row = NULL;
	JsonbContainer *list = NULL;
	uint32		n = 0;
	int			failed = 0;
	Datum	   *texts = NULL;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &result) != TYPEFUNC_COMPOSITE || result->natts != 2)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("criteria_check returns a row of ok and failed")));
	if (!PG_ARGISNULL(0) && JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(0)))
		row = &PG_GETARG_JSONB_P(0)->root;
	if (!PG_ARGISNULL(1))
	{
		Jsonb	   *criteria = PG_GETARG_JSONB_P(1);

		if (JB_ROOT_IS_ARRAY(criteria) && !JB_ROOT_IS_SCALAR(criteria))
		{
			list = &criteria->root;
			n = JsonContainerSize(list);
			texts = palloc_extended(Max(n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
		}
		else
		{
			texts = palloc(sizeof(Datum));
			texts[failed++] = CStringGetTextDatum("no list of criteria");
		}
	}
	for (uint32 i = 0; i < n; i++)
	{
		char	   *told;

		CHECK_FOR_INTERRUPTS();
		told = fail(row, getIthJsonbValueFromContainer(list, i));
		if (told != NULL)
			texts[failed++] = CStringGetTextDatum(told);
	}

	values[0] = BoolGetDatum(failed == 0);
	values[1] = PointerGetDatum(failed == 0 ? construct_empty_array(TEXTOID) :
								construct_array(texts, failed, TEXTOID, -1, false, TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result), values, nulls)));
}
