/*-------------------------------------------------------------------------
 *
 * scope.c
 *		The trees of regions and products, and the scopes that lie in them.
 *
 * A node owns an interval of int8, its span, and gives parts of it to its
 * children, so that "ancestor or descendant" is the overlap of two spans.
 * tree.c says who gets which.
 *
 * The trees are read with the latest snapshot and as their owner, as the
 * foreign-key triggers read theirs: under REPEATABLE READ the transaction's
 * own snapshot may be older than a sibling that is already committed, or than
 * a reorganisation.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "lookup.h"
#include "tree.h"

const char *const rtm_tree_name[RTM_TREES] = {"region", "product"};

Oid
rtm_relation(const char *name)
{
	Oid			relid = get_relname_relid(name, get_namespace_oid("revrtm", false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"revrtm.%s\" does not exist", name)));
	return relid;
}

const RtmColumn *
rtm_missing_column(TupleDesc desc, const RtmColumn *column, int columns)
{
	int			i;

	for (i = 0; i < columns; i++)
	{
		Form_pg_attribute att;

		if (column[i].number > desc->natts)
			return &column[i];
		att = TupleDescAttr(desc, column[i].number - 1);
		if (strcmp(NameStr(att->attname), column[i].name) != 0 || att->atttypid != column[i].type)
			return &column[i];
	}
	return NULL;
}

bool
rtm_fired_after_row(FunctionCallInfo fcinfo, const RtmColumn *column, int columns)
{
	const TriggerData *data = (const TriggerData *) fcinfo->context;

	return CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_AFTER(data->tg_event) &&
		TRIGGER_FIRED_FOR_ROW(data->tg_event) &&
		rtm_missing_column(RelationGetDescr(data->tg_relation), column, columns) == NULL;
}

Relation
rtm_open_table(const char *name, LOCKMODE lock, const RtmColumn *column, int columns)
{
	Relation	rel = table_open(rtm_relation(name), lock);

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rtm_missing_column(RelationGetDescr(rel), column, columns) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"revrtm.%s\" is not as the extension made it", name)));
	return rel;
}

Datum
rtm_range(Oid rangetype, Datum lo, Datum hi)
{
	RangeBound	lower = {.val = lo, .inclusive = true, .lower = true};
	RangeBound	upper = {.val = hi};

	return RangeTypePGetDatum(rtm_make_range(lookup_type_cache(rangetype, TYPECACHE_RANGE_INFO),
											 &lower, &upper));
}

/*
 * The multirange that a list of codes covers, in the current memory context;
 * false where it is no list. Codes that the tree does not have are named in
 * *unknown, else NULL.
 */
static bool
find_scope(RtmTree tree, Datum codes, bool isnull, Datum *scope, char **unknown)
{
	ArrayType  *array = isnull ? NULL : DatumGetArrayTypeP(codes);
	Relation	rel;
	TupleTableSlot *slot;
	Snapshot	snapshot;
	Datum	   *code;
	bool	   *code_null;
	RangeType **spans;
	int			count;
	int			found = 0;
	int			i;

	*unknown = NULL;
	if (array == NULL || ARR_NDIM(array) != 1 || array_contains_nulls(array))
		return false;

	rel = rtm_open_table(rtm_tree_name[tree], AccessShareLock, rtm_tree_column[tree],
						 NODE_COLUMNS);
	slot = table_slot_create(rel, NULL);
	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &code, &code_null, &count);
	spans = palloc_extended(count * sizeof(RangeType *), MCXT_ALLOC_HUGE);
	for (i = 0; i < count; i++)
	{
		Datum		span;

		CHECK_FOR_INTERRUPTS();
		if (!rtm_find_row(rel, NODE_ID, code[i], snapshot, slot))
			continue;
		span = slot_getattr(slot, NODE_SPAN, &isnull);
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a span of revrtm.%s is NULL", rtm_tree_name[tree])));
		spans[found++] = DatumGetRangeTypePCopy(span);
	}
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);

	if (found < count)
	{
		MemoryContext caller = CurrentMemoryContext;
		Datum		values[1] = {PointerGetDatum(array)};
		Datum		names;

		SPI_connect();
		rtm_ask_tree(tree, UNKNOWN, values, NULL);
		names = rtm_answer(0, 1, &isnull);
		if (!isnull)
			*unknown = MemoryContextStrdup(caller, TextDatumGetCString(names));
		SPI_finish();
	}
	*scope = MultirangeTypePGetDatum(make_multirange(INT8MULTIRANGEOID,
													 lookup_type_cache(INT8RANGEOID,
																	   TYPECACHE_RANGE_INFO),
													 found, spans));
	return true;
}

/*
 * The constraint that an error names: that of a registration.
 */
static int
err_scope(RtmTree tree)
{
	err_generic_string(PG_DIAG_SCHEMA_NAME, "revrtm");
	err_generic_string(PG_DIAG_TABLE_NAME, "deal_registration");
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, tree == RTM_REGION
							  ? "deal_registration_region_codes"
							  : "deal_registration_product_codes");
}

Datum
rtm_scope(RtmTree tree, Datum codes, bool isnull)
{
	const char *name = rtm_tree_name[tree];
	Datum		scope;
	char	   *unknown;

	if (!find_scope(tree, codes, isnull, &scope, &unknown))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s codes must be a list of one or more codes", name),
				 errdetail("The array is NULL or empty, contains NULL, or has several dimensions."),
				 errhint("The root of the tree stands for all: {ANY}."),
				 err_scope(tree)));
	if (unknown != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("unknown %s codes: %s", name, unknown),
				 errhint("The codes are listed in revrtm.%s.", name),
				 err_scope(tree)));
	return scope;
}

bool
rtm_node_exists(RtmTree tree, Datum code)
{
	Datum		codes = PointerGetDatum(construct_array(&code, 1, TEXTOID, -1, false,
														TYPALIGN_INT));
	Datum		scope;
	char	   *unknown;

	return find_scope(tree, codes, false, &scope, &unknown) && unknown == NULL;
}

char *
rtm_try_scope(RtmTree tree, Datum codes, bool isnull, Datum *scope)
{
	char	   *unknown;

	if (!find_scope(tree, codes, isnull, scope, &unknown))
		return psprintf("The %s codes are no list of one or more codes.", rtm_tree_name[tree]);
	if (unknown != NULL)
		return psprintf("Unknown %s codes: %s.", rtm_tree_name[tree], unknown);
	return NULL;
}
