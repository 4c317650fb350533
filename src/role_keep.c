/*-------------------------------------------------------------------------
 *
 * role_keep.c
 *		keep_role(): the trigger of route_role, which explains what is wrong
 *		with a rule.
 *
 * The table's constraints would refuse most of it too, without a hint. That
 * routes and nodes exist is judged here alone: a restore loads tables in any
 * order, so no foreign key can, and a row that comes with its stamp is not
 * judged again.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "owner.h"
#include "role.h"
#include "scope.h"

REVRTM_FUNCTION(revrtm_keep_role);

enum
{
	RULE_ID = 1,
	RULE_ROUTE,
	RULE_SEGMENT,
	RULE_PRODUCT,
	RULE_REGION,
	RULE_ROLE,
	RULE_PRIORITY,
	RULE_VALID,
	RULE_CHECKED_AT
};

#define RULE_COLUMNS RULE_CHECKED_AT

static const RtmColumn rule_column[RULE_COLUMNS] = {
	{RULE_ID, "rule_id", TEXTOID},
	{RULE_ROUTE, "route_id", TEXTOID},
	{RULE_SEGMENT, "segment", TEXTOID},
	{RULE_PRODUCT, "product_code", TEXTOID},
	{RULE_REGION, "region_code", TEXTOID},
	{RULE_ROLE, "role", TEXTOID},
	{RULE_PRIORITY, "priority", INT4OID},
	{RULE_VALID, "valid", TSTZRANGEOID},
	{RULE_CHECKED_AT, "checked_at", TIMESTAMPTZOID}
};

/* A rule on its way into the table. */
typedef struct Rule
{
	Relation	rel;
	Datum		values[RULE_COLUMNS];
	bool		nulls[RULE_COLUMNS];
} Rule;

#define VALUE(column) rule->values[(column) - 1]
#define ISNULL(column) rule->nulls[(column) - 1]

/* $1 route */
static const char *const route_query =
"SELECT 1 FROM revrtm.route t WHERE t.route_id OPERATOR(pg_catalog.=) $1";

/* $1 route, $2 segment, $3 product, $4 region, $5 valid, $6 and $7 not these rules */
static const char *const rival_query =
"SELECT r.rule_id::pg_catalog.text, r.valid::pg_catalog.text FROM revrtm.route_role r"
" WHERE r.route_id OPERATOR(pg_catalog.=) $1"
" AND COALESCE(r.segment, 'ANY') OPERATOR(pg_catalog.=) COALESCE($2, 'ANY')"
" AND COALESCE(r.product_code, 'ANY') OPERATOR(pg_catalog.=) COALESCE($3, 'ANY')"
" AND COALESCE(r.region_code, 'ANY') OPERATOR(pg_catalog.=) COALESCE($4, 'ANY')"
" AND r.valid OPERATOR(pg_catalog.&&) $5"
" AND r.rule_id OPERATOR(pg_catalog.<>) $6 AND r.rule_id OPERATOR(pg_catalog.<>) $7"
" ORDER BY r.rule_id COLLATE pg_catalog.\"C\" LIMIT 1";

/*
 * Run a query as the table's owner with the latest snapshot, as foreign keys
 * do, inside SPI_connect; returns the number of rows.
 */
static uint64
ask(Relation rel, const char *query, int nargs, const Oid *types, Datum *values,
	const char *nulls)
{
	SPIPlanPtr	plan;
	RtmOwnerCall call;

	rtm_take_rights(&call, rel->rd_rel->relowner);
	plan = SPI_prepare(query, nargs, (Oid *) types);
	if (plan == NULL || SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(),
											 InvalidSnapshot, false, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for what a rule names");	/* cannot happen */
	rtm_return_rights(&call);
	return SPI_processed;
}

/* What must not be NULL; the hint is for all that is wrong with its value. */
static const struct
{
	int			column;
	const char *constraint;
	const char *hint;
}			needed[] =

{
	{RULE_ID, "route_role_id", "Give every rule a name of its own, of 1 to 255 bytes."},
	{RULE_ROUTE, "route_role_route", "The routes are listed in revrtm.route."},
	{RULE_ROLE, "route_role_role", "The roles are lead, support, eligible and blocked."},
	{RULE_PRIORITY, "route_role_priority", "The usual priority is 0."},
	{RULE_VALID, "route_role_valid",
	"Write it as tstzrange(from, until), NULL for a side without end."}
};

static const char *
hint_of(int column)
{
	for (int i = 0; i < lengthof(needed); i++)
		if (needed[i].column == column)
			return needed[i].hint;
	return "NULL stands for any segment.";
}

static void
check_needed(const Rule *rule)
{
	for (int i = 0; i < lengthof(needed); i++)
		if (ISNULL(needed[i].column))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("%s of a rule is NULL", rule_column[needed[i].column - 1].name),
					 errhint("%s", needed[i].hint),
					 errtablecol(rule->rel, needed[i].column),
					 err_generic_string(PG_DIAG_CONSTRAINT_NAME, needed[i].constraint)));
}

static void
check_length(const Rule *rule, int column, const char *constraint)
{
	Size		length;

	if (ISNULL(column))
		return;
	length = VARSIZE_ANY_EXHDR(DatumGetTextPP(VALUE(column)));
	if (length < 1 || length > 255)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s of a rule must have 1 to 255 bytes", rule_column[column - 1].name),
				 errhint("%s", hint_of(column)),
				 errtableconstraint(rule->rel, constraint)));
}

static void
check_role(const Rule *rule)
{
	static const char *const roles[] = {"lead", "support", "eligible", "blocked"};
	const char *role = TextDatumGetCString(VALUE(RULE_ROLE));

	for (int i = 0; i < lengthof(roles); i++)
		if (strcmp(role, roles[i]) == 0)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("unrecognized role \"%s\"", role),
			 errhint("%s", hint_of(RULE_ROLE)),
			 errtableconstraint(rule->rel, "route_role_role")));
}

static void
check_validity(const Rule *rule)
{
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;
	const char *wrong = NULL;

	range_deserialize(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO),
					  DatumGetRangeTypeP(VALUE(RULE_VALID)), &lower, &upper, &empty);
	if (empty)
		wrong = "It is empty: nobody would ever see the rule.";
	else if ((!lower.infinite && TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(lower.val))) ||
			 (!upper.infinite && TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(upper.val))))
		wrong = "A bound is infinity.";
	else if ((!lower.infinite && !lower.inclusive) || (!upper.infinite && upper.inclusive))
		wrong = "It does not go from, and including, one instant until before another.";
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("bad validity of a rule"),
				 errdetail("%s", wrong),
				 errhint("%s", hint_of(RULE_VALID)),
				 errtableconstraint(rule->rel, "route_role_valid")));
}

static void
check_node(const Rule *rule, int column, RtmTree tree, const char *constraint)
{
	if (!ISNULL(column) && !rtm_node_exists(tree, VALUE(column)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%s\" does not exist", rtm_tree_name[tree],
						TextDatumGetCString(VALUE(column))),
				 errhint("The codes are listed in revrtm.%s; NULL stands for all of them.",
						 rtm_tree_name[tree]),
				 errtableconstraint(rule->rel, constraint)));
}

static void
check_route(Rule *rule)
{
	static const Oid types[] = {TEXTOID};

	if (ask(rule->rel, route_query, lengthof(types), types, &VALUE(RULE_ROUTE), NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("route \"%s\" does not exist", TextDatumGetCString(VALUE(RULE_ROUTE))),
				 errhint("%s", hint_of(RULE_ROUTE)),
				 errtableconstraint(rule->rel, "route_role_route")));
}

/*
 * Is there a rule of the same route and scope in the same time? One of the
 * same rule_id is for the primary key, and for ON CONFLICT.
 */
static void
check_once(Rule *rule, Datum old_id)
{
	static const Oid types[] = {
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, TSTZRANGEOID, TEXTOID, TEXTOID
	};
	static const int columns[] = {
		RULE_ROUTE, RULE_SEGMENT, RULE_PRODUCT, RULE_REGION, RULE_VALID, RULE_ID
	};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types)];

	for (int i = 0; i < lengthof(columns); i++)
	{
		values[i] = VALUE(columns[i]);
		nulls[i] = ISNULL(columns[i]) ? 'n' : ' ';
	}
	values[lengthof(columns)] = old_id;
	nulls[lengthof(columns)] = ' ';
	if (ask(rule->rel, rival_query, lengthof(types), types, values, nulls) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXCLUSION_VIOLATION),
				 errmsg("route \"%s\" has a rule for this scope and time already",
						TextDatumGetCString(VALUE(RULE_ROUTE))),
				 errdetail("It is rule \"%s\", valid %s.",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errhint("End that one's validity where this one's begins, or change its role."),
				 errtableconstraint(rule->rel, "route_role_once")));
}

/*
 * revrtm.keep_role(): the trigger of route_role.
 */
Datum
revrtm_keep_role(PG_FUNCTION_ARGS)
{
	static const int scope[] = {RULE_SEGMENT, RULE_PRODUCT, RULE_REGION};
	TriggerData *data = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	tuple;
	Rule		kept;
	Rule	   *rule = &kept;
	int			columns[RULE_COLUMNS];
	Datum		old_id;
	bool		insert;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_role\" was not called as a trigger")));
	if (!TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_role\" must be fired before insert or update of each "
						"row")));
	rule->rel = data->tg_relation;
	desc = RelationGetDescr(rule->rel);
	if (rtm_missing_column(desc, rule_column, lengthof(rule_column)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_role\" keeps the table route_role only")));

	insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	tuple = insert ? data->tg_trigtuple : data->tg_newtuple;
	for (int i = 0; i < RULE_COLUMNS; i++)
	{
		columns[i] = i + 1;
		rule->values[i] = heap_getattr(tuple, i + 1, desc, &rule->nulls[i]);
	}

	/* It carries its stamp: a restored row, judged before. */
	if (insert && !ISNULL(RULE_CHECKED_AT))
		return PointerGetDatum(tuple);

	/* ANY says the same as NULL, and is kept as that. */
	for (int i = 0; i < lengthof(scope); i++)
		if (!ISNULL(scope[i]) && strcmp(TextDatumGetCString(VALUE(scope[i])), ROLE_ANY) == 0)
			ISNULL(scope[i]) = true;

	check_needed(rule);
	check_length(rule, RULE_ID, "route_role_id");
	check_length(rule, RULE_SEGMENT, "route_role_segment");
	check_role(rule);
	check_validity(rule);

	SPI_connect();
	check_route(rule);
	check_node(rule, RULE_PRODUCT, RTM_PRODUCT, "route_role_product");
	check_node(rule, RULE_REGION, RTM_REGION, "route_role_region");
	old_id = insert ? VALUE(RULE_ID) : heap_getattr(data->tg_trigtuple, RULE_ID, desc, &isnull);
	check_once(rule, old_id);
	SPI_finish();

	VALUE(RULE_CHECKED_AT) = TimestampTzGetDatum(GetCurrentTimestamp());
	ISNULL(RULE_CHECKED_AT) = false;
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, RULE_COLUMNS, columns,
													 rule->values, rule->nulls));
}
