/*-------------------------------------------------------------------------
 *
 * roe_check.c
 *		roe_check(), roe_explain() and validate_registrations(): what the
 *		rules say of a registration, of one that might be made, of many.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "registration.h"

#define FETCH_ROWS 1000

REVRTM_FUNCTION(revrtm_roe_check);
REVRTM_FUNCTION(revrtm_roe_explain);
REVRTM_FUNCTION(revrtm_validate_registrations);

static const char *const verdict_name[] = {
	[RTM_PASS] = "pass",
	[RTM_WARN] = "warn",
	[RTM_REVIEW] = "review",
	[RTM_DENY] = "deny"
};

/* The columns in which a registration is asked about. */
static const int asked_column[] = {
	REG_ID, REG_ACCOUNT, REG_PARTNER, REG_PRODUCT_CODES, REG_REGION_CODES, REG_PROTECTION,
	REG_EXCLUSIVE, REG_AMOUNT, REG_CURRENCY, REG_EXPECTED_CLOSE, REG_EVIDENCE, REG_DETAILS,
	REG_OPPORTUNITY, REG_SUBMITTED_AT
};

#define ASKED "registration_id, account_id, partner_id, product_codes, region_codes, protection," \
	" exclusive, amount, currency, expected_close, evidence, details, opportunity_id"

typedef struct Asking
{
	ReturnSetInfo *result;
	RtmTerms   *terms;
	Relation	rel;
	TimestampTz at;
	bool		may_choose;		/* the days of protection */
	int			column[REG_COLUMNS + 1];	/* where the query has it; 0: it has not */
	bool		labelled;		/* the first column of the result is the registration */
} Asking;

static void
open_asking(FunctionCallInfo fcinfo, Asking *asking)
{
	memset(asking, 0, sizeof(Asking));
	InitMaterializedSRF(fcinfo, 0);
	asking->result = (ReturnSetInfo *) fcinfo->resultinfo;
	asking->rel = rtm_open_registrations(AccessShareLock);
	asking->terms = rtm_query_terms(fcinfo->flinfo);
	asking->at = rtm_default_instant(asking->rel, REG_PROTECTION, ACL_INSERT);
	asking->may_choose = rtm_may_choose(asking->rel, REG_PROTECTION, ACL_INSERT);
}

/*
 * The rules tell what registering would tell, so they are for whoever may
 * register.
 */
static void
require_registering(const Asking *asking)
{
	if (!rtm_may_write(asking->rel, REG_ACCOUNT, ACL_INSERT, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(asking->rel));
}

static int
asked_column_named(const char *name)
{
	int			i;

	for (i = 0; i < lengthof(asked_column); i++)
		if (strcmp(rtm_reg_column[asked_column[i] - 1].name, name) == 0)
			return asked_column[i];
	return 0;
}

static bool
is_type(int column, Oid type)
{
	Oid			wanted = rtm_reg_column[column - 1].type;

	return type == wanted || (wanted == TEXTOID && type == VARCHAROID) ||
		(column == REG_ID && (type == TEXTOID || type == VARCHAROID));
}

/*
 * Find the columns by name; whatever is wrong with them is said at once.
 */
static void
find_columns(Asking *asking, TupleDesc desc)
{
	static const int required[] = {
		REG_ID, REG_ACCOUNT, REG_PARTNER, REG_PRODUCT_CODES, REG_REGION_CODES
	};
	StringInfoData wrong;
	int			i;

	initStringInfo(&wrong);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = NameStr(att->attname);
		int			column = asked_column_named(name);

		if (column == 0)
		{
			appendStringInfo(&wrong, "Column \"%s\" is unknown. ", name);
			continue;
		}
		if (asking->column[column] != 0)
			appendStringInfo(&wrong, "Column \"%s\" occurs more than once. ", name);
		asking->column[column] = i + 1;
		if (!is_type(column, att->atttypid))
			appendStringInfo(&wrong, "Column \"%s\" is of type %s, not %s. ", name,
							 format_type_be(att->atttypid),
							 format_type_be(rtm_reg_column[column - 1].type));
	}
	for (i = 0; i < lengthof(required); i++)
		if (asking->column[required[i]] == 0)
			appendStringInfo(&wrong, "Column \"%s\" is missing. ",
							 rtm_reg_column[required[i] - 1].name);
	if (wrong.len > 0)
	{
		wrong.data[wrong.len - 1] = '\0';
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query does not return registrations"),
				 errdetail("%s", wrong.data),
				 errhint("It returns registration_id (uuid or text), account_id, partner_id, "
						 "product_codes, region_codes, and what it likes of protection, exclusive, "
						 "amount, currency, expected_close, evidence, details, opportunity_id and "
						 "submitted_at, as revrtm.deal_registration has them.")));
	}
}

static void
put_finding(Asking *asking, const char *label, const char *rule, const char *verdict,
			const char *reason, const char *detail)
{
	const char *text[5] = {label, rule, verdict, reason, detail};
	Datum		values[5];
	bool		nulls[5];
	int			first = asking->labelled ? 0 : 1;
	int			i;

	for (i = first; i < 5; i++)
	{
		nulls[i - first] = text[i] == NULL;
		values[i - first] = text[i] == NULL ? (Datum) 0 : CStringGetTextDatum(text[i]);
	}
	tuplestore_putvalues(asking->result->setResult, asking->result->setDesc, values, nulls);
}

/*
 * Judge one row of the query. The days of protection are those that approval
 * would give today, unless the caller may choose and gives others: a partner
 * that could name them would find out a rival's.
 */
static void
judge_row(Asking *asking, TupleDesc desc, HeapTuple tuple)
{
	RtmRegistration reg;
	const char *label = NULL;
	const pg_uuid_t *self = NULL;
	List	   *findings;
	ListCell   *lc;
	int			i;
	RtmTree		tree;
	char	   *problem[RTM_TREES] = {NULL};
	char	   *survivor;

	memset(reg.isnull, true, sizeof(reg.isnull));
	for (i = 0; i < lengthof(asked_column); i++)
	{
		int			column = asked_column[i];

		if (asking->column[column] != 0)
			REG_VALUE(&reg, column) = SPI_getbinval(tuple, desc, asking->column[column],
													&REG_ISNULL(&reg, column));
	}
	if (!REG_ISNULL(&reg, REG_ID))
	{
		if (TupleDescAttr(desc, asking->column[REG_ID] - 1)->atttypid == UUIDOID)
		{
			self = DatumGetUUIDP(REG_VALUE(&reg, REG_ID));
			label = rtm_uuid_text(self);
		}
		else
		{
			label = TextDatumGetCString(REG_VALUE(&reg, REG_ID));
			REG_ISNULL(&reg, REG_ID) = true;
		}
	}
	if (REG_ISNULL(&reg, REG_PROTECTION) || !asking->may_choose)
		REG_SET(&reg, REG_PROTECTION,
				rtm_protection_from(asking->terms->programme,
									rtm_local_day(asking->at, asking->terms->programme->zone)));
	if (REG_ISNULL(&reg, REG_EXCLUSIVE))
		REG_SET(&reg, REG_EXCLUSIVE, BoolGetDatum(true));
	for (tree = 0; tree < RTM_TREES; tree++)
	{
		int			codes = tree == RTM_PRODUCT ? REG_PRODUCT_CODES : REG_REGION_CODES;
		int			scope = tree == RTM_PRODUCT ? REG_PRODUCT : REG_REGION;

		problem[tree] = rtm_try_scope(tree, REG_VALUE(&reg, codes), REG_ISNULL(&reg, codes),
									  &REG_VALUE(&reg, scope));
		REG_ISNULL(&reg, scope) = problem[tree] != NULL;
	}

	findings = rtm_judge(asking->terms, asking->rel, &reg, self, asking->at, false);
	if (rtm_is_merged(asking->rel, &reg, &survivor))
		put_finding(asking, label, "account", verdict_name[RTM_DENY], "MERGED",
					survivor == NULL ? "The account was merged into another."
					: psprintf("The account was merged into \"%s\".", survivor));
	for (tree = 0; tree < RTM_TREES; tree++)
		if (problem[tree] != NULL)
			put_finding(asking, label, rtm_tree_name[tree], verdict_name[RTM_DENY], "INCOMPLETE",
						problem[tree]);
	foreach(lc, findings)
	{
		RtmFinding *finding = lfirst(lc);

		put_finding(asking, label, finding->rule, verdict_name[finding->verdict], finding->code,
					finding->detail);
	}
}

/*
 * revrtm.roe_check(registration_id)
 */
Datum
revrtm_roe_check(PG_FUNCTION_ARGS)
{
	Asking		asking;
	Datum		id = PG_GETARG_DATUM(0);
	Oid			type = UUIDOID;

	open_asking(fcinfo, &asking);
	SPI_connect();
	if (SPI_execute_with_args("SELECT registration_id, account_id, partner_id, product_codes,"
							  " region_codes, exclusive, amount, currency, expected_close,"
							  " evidence, details, opportunity_id, submitted_at,"
							  " CASE WHEN active THEN protection END AS protection"
							  " FROM revrtm.deal_registration"
							  " WHERE registration_id OPERATOR(pg_catalog.=) $1",
							  1, &type, &id, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a registration");	/* cannot happen */
	if (SPI_processed == 0)
		rtm_refuse_unknown(DatumGetUUIDP(id));
	find_columns(&asking, SPI_tuptable->tupdesc);
	judge_row(&asking, SPI_tuptable->tupdesc, SPI_tuptable->vals[0]);
	SPI_finish();
	table_close(asking.rel, AccessShareLock);
	return (Datum) 0;
}

/*
 * revrtm.roe_explain(registration)
 */
Datum
revrtm_roe_explain(PG_FUNCTION_ARGS)
{
	Asking		asking;
	Datum		registration = PG_GETARG_DATUM(0);
	Oid			type = JSONBOID;
	bool		isnull;

	open_asking(fcinfo, &asking);
	require_registering(&asking);
	SPI_connect();
	if (SPI_execute_with_args("SELECT pg_catalog.string_agg(k.key, ', ' ORDER BY"
							  " k.key COLLATE pg_catalog.\"C\")"
							  " FROM pg_catalog.jsonb_object_keys($1) k(key)"
							  " WHERE k.key OPERATOR(pg_catalog.<>) ALL"
							  " (pg_catalog.string_to_array('" ASKED "', ', '))",
							  1, &type, &registration, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the keys of an object");	/* cannot happen */
	registration = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown fields of a registration: %s", TextDatumGetCString(registration)),
				 errhint("The fields are " ASKED ".")));
	registration = PG_GETARG_DATUM(0);
	if (SPI_execute_with_args("SELECT r.* FROM pg_catalog.jsonb_to_record($1) r("
							  "registration_id pg_catalog.uuid, account_id pg_catalog.text,"
							  " partner_id pg_catalog.text, product_codes pg_catalog.text[],"
							  " region_codes pg_catalog.text[], protection pg_catalog.daterange,"
							  " exclusive boolean, amount numeric, currency pg_catalog.text,"
							  " expected_close pg_catalog.date, evidence pg_catalog.jsonb,"
							  " details pg_catalog.jsonb, opportunity_id pg_catalog.text)",
							  1, &type, &registration, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a registration");	/* cannot happen */
	find_columns(&asking, SPI_tuptable->tupdesc);
	judge_row(&asking, SPI_tuptable->tupdesc, SPI_tuptable->vals[0]);
	SPI_finish();
	table_close(asking.rel, AccessShareLock);
	return (Datum) 0;
}

/*
 * revrtm.validate_registrations(query)
 */
Datum
revrtm_validate_registrations(PG_FUNCTION_ARGS)
{
	Asking		asking;
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	SPIPlanPtr	plan;
	Portal		portal;
	MemoryContext row;
	uint64		i;

	open_asking(fcinfo, &asking);
	require_registering(&asking);
	asking.labelled = true;
	row = AllocSetContextCreate(CurrentMemoryContext, "registration", ALLOCSET_DEFAULT_SIZES);
	SPI_connect();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query of registrations must be one SELECT")));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	find_columns(&asking, portal->tupDesc);
	do
	{
		SPITupleTable *batch;
		MemoryContext spi;

		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		batch = SPI_tuptable;
		spi = MemoryContextSwitchTo(row);
		for (i = 0; i < batch->numvals; i++)
		{
			CHECK_FOR_INTERRUPTS();
			judge_row(&asking, batch->tupdesc, batch->vals[i]);
			MemoryContextReset(row);
		}
		MemoryContextSwitchTo(spi);
		SPI_freetuptable(batch);
	} while (i > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	MemoryContextDelete(row);
	table_close(asking.rel, AccessShareLock);
	return (Datum) 0;
}
