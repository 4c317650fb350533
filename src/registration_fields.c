/*-------------------------------------------------------------------------
 *
 * registration_fields.c
 *		What a registration's fields may hold: the function of the table's
 *		constraint deal_registration_fields.
 *
 * A CHECK is compiled for every statement, which for a registration, written
 * by itself, costs more than to evaluate it; so there is one for all fields,
 * and it says in words what is wrong, under the name that each always had.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/multirangetypes.h"
#include "utils/numeric.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "registration.h"

#define MOST_ID_BYTES 255

REVRTM_FUNCTION(revrtm_registration_is_valid);

pg_noreturn static void refuse(const char *constraint, const char *what, const char *hint);

static void
refuse(const char *constraint, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("deal registration is not valid: %s", what),
			 errhint("%s", hint),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, "revrtm"),
			 err_generic_string(PG_DIAG_TABLE_NAME, "deal_registration"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME,
								psprintf("deal_registration_%s", constraint))));
}

static void
check_id(Datum value, const char *column, const char *constraint)
{
	Size		bytes = toast_raw_datum_size(value) - VARHDRSZ;

	if (bytes < 1 || bytes > MOST_ID_BYTES)
		refuse(constraint, psprintf("%s has %zu bytes", column, bytes),
			   psprintf("It is an id of the CRM, of 1 to %d bytes.", MOST_ID_BYTES));
}

static void
check_codes(Datum value, const char *column)
{
	if (ARR_NDIM(DatumGetArrayTypeP(value)) == 0)
		refuse("codes", psprintf("%s is empty", column),
			   "The root of the tree stands for all: {ANY}.");
}

static void
check_scope(Datum value, const char *column)
{
	if (MultirangeIsEmpty(DatumGetMultirangeTypeP(value)))
		refuse("scope", psprintf("%s covers nothing", column),
			   "Leave it out: it is derived from the codes.");
}

static void
check_protection(Datum value)
{
	RangeBound	bound[2];
	bool		empty;
	int			i;

	range_deserialize(lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO),
					  DatumGetRangeTypeP(value), &bound[0], &bound[1], &empty);
	if (empty)
		refuse("protection", "protection has no day",
			   "It is [from, until): until comes after from.");
	for (i = 0; i < 2; i++)
		if (!bound[i].infinite && DATE_NOT_FINITE(DatumGetDateADT(bound[i].val)))
			refuse("protection", "protection begins or ends on an infinite day",
				   "Leave a side without end open: [2026-01-01,).");
}

static void
check_amount(Datum value)
{
	Datum		zero = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
	Numeric		amount = DatumGetNumeric(value);

	if (numeric_is_nan(amount) || numeric_is_inf(amount) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, value, zero)))
		refuse("amount", "amount is negative, infinite or no number",
			   "Where it is not known, leave it out.");
}

static void
check_currency(Datum value)
{
	text	   *code = DatumGetTextPP(value);
	int			i;

	for (i = 0; i < 3 && VARSIZE_ANY_EXHDR(code) == 3; i++)
		if (VARDATA_ANY(code)[i] < 'A' || VARDATA_ANY(code)[i] > 'Z')
			break;
	if (i < 3)
		refuse("currency", "currency is no ISO 4217 code",
			   "It has three capital letters, such as EUR.");
}

static void
check_status(Datum value, Datum active, bool no_active)
{
	const RtmState *state = rtm_state(TextDatumGetCString(value));

	if (state == NULL)
		refuse("status", "status is no state of a registration",
			   "The states are listed in revrtm.registration_state.");
	if (!no_active && DatumGetBool(active) != state->active)
		refuse("active", "active is not what the status has it",
			   "Leave it out: it is derived from the status.");
}

static void
check_json(Datum value, const char *column, bool list_too)
{
	Jsonb	   *json = DatumGetJsonbP(value);

	if (!JB_ROOT_IS_OBJECT(json) &&
		!(list_too && JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json)))
		refuse(column, list_too ? "evidence is neither a JSON object nor an array"
			   : "details is no JSON object",
			   "Where there is nothing to say, leave it out.");
}

/*
 * revrtm.registration_is_valid(account_id, partner_id, product_codes,
 * region_codes, product, region, protection, status, active, amount, currency,
 * expected_close, evidence, details, opportunity_id): true, or 23514. NULL is
 * for NOT NULL to refuse.
 */
Datum
revrtm_registration_is_valid(PG_FUNCTION_ARGS)
{
#define GIVEN(n) if (!PG_ARGISNULL(n))
	GIVEN(0) check_id(PG_GETARG_DATUM(0), "account_id", "account");
	GIVEN(1) check_id(PG_GETARG_DATUM(1), "partner_id", "partner");
	GIVEN(2) check_codes(PG_GETARG_DATUM(2), "product_codes");
	GIVEN(3) check_codes(PG_GETARG_DATUM(3), "region_codes");
	GIVEN(4) check_scope(PG_GETARG_DATUM(4), "product");
	GIVEN(5) check_scope(PG_GETARG_DATUM(5), "region");
	GIVEN(6) check_protection(PG_GETARG_DATUM(6));
	GIVEN(7) check_status(PG_GETARG_DATUM(7), PG_GETARG_DATUM(8), PG_ARGISNULL(8));
	GIVEN(9) check_amount(PG_GETARG_DATUM(9));
	GIVEN(10) check_currency(PG_GETARG_DATUM(10));
	GIVEN(11)
	{
		if (DATE_NOT_FINITE(PG_GETARG_DATEADT(11)))
			refuse("close", "expected_close is infinite",
				   "Where it is not known, leave it out.");
	}
	GIVEN(12) check_json(PG_GETARG_DATUM(12), "evidence", true);
	GIVEN(13) check_json(PG_GETARG_DATUM(13), "details", false);
	GIVEN(14) check_id(PG_GETARG_DATUM(14), "opportunity_id", "opportunity");
#undef GIVEN
	PG_RETURN_BOOL(true);
}
