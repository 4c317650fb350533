/*-------------------------------------------------------------------------
 *
 * scope.c
 *		The trees of regions and products, and the scopes that lie in them.
 *
 * A node owns an interval of int8, its span, and gives parts of it to its
 * children, so that "ancestor or descendant" is the overlap of two spans. A
 * span never changes once given: registrations hold it. Room is dealt out by
 * what is left of the parent's span: the first half goes to 16 children, the
 * next quarter to 256, the next eighth to 16384, the rest to 2 million. So a
 * tree in which no node has more than 16 children reaches 12 levels below its
 * root, and one wide level costs 5 or 12 of these 60 bits more.
 *
 * The trees are read with the latest snapshot and as their owner, as the
 * foreign-key triggers read theirs: under REPEATABLE READ the transaction's
 * own snapshot may be older than a sibling that is already committed. Two
 * inserts below one parent are serialised by a row lock on it. Deleting a
 * node locks out registrations and rules that are being written, and then
 * looks.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "lookup.h"
#include "scope.h"

/* The columns of a tree, in this order: node, parent, name, span, shipped. */
enum
{
	NODE_ID = 1,
	NODE_PARENT,
	NODE_NAME,
	NODE_SPAN,
	NODE_SHIPPED
};

static const RtmColumn tree_column[RTM_TREES][NODE_SHIPPED] = {
	[RTM_REGION] = {
		{NODE_ID, "region_id", TEXTOID},
		{NODE_PARENT, "parent_id", TEXTOID},
		{NODE_NAME, "region_name", TEXTOID},
		{NODE_SPAN, "span", INT8RANGEOID},
		{NODE_SHIPPED, "shipped", BOOLOID}
	},
	[RTM_PRODUCT] = {
		{NODE_ID, "product_id", TEXTOID},
		{NODE_PARENT, "parent_id", TEXTOID},
		{NODE_NAME, "product_name", TEXTOID},
		{NODE_SPAN, "span", INT8RANGEOID},
		{NODE_SHIPPED, "shipped", BOOLOID}
	}
};

/*
 * What is asked of a tree; %1$s is its name. The casts vouch for the types of
 * answers: the table's owner may have altered it.
 */
typedef enum TreeQuery
{
	LOCK_NODE,					/* $1 id -> bounds of the span */
	LAST_CHILD,					/* $1 parent -> end of the last child's span */
	MISFIT,						/* $1 id, $2 parent, $3 lo, $4 hi -> rows that do not nest */
	RENAME_SHIPPED,				/* $1 id, $2 name: over the row CREATE EXTENSION made */
	USES,						/* $1 id -> has children, registrations, rules */
	UNKNOWN						/* $1 codes -> those not found, as one text */
} TreeQuery;

#define TREE_QUERIES (UNKNOWN + 1)

static const struct
{
	const char *text;
	int			nargs;
	Oid			types[4];
}			tree_query[TREE_QUERIES] =

{
	[LOCK_NODE] = {
		"SELECT pg_catalog.lower(t.span::pg_catalog.int8range),"
		" pg_catalog.upper(t.span::pg_catalog.int8range) FROM revrtm.%1$s t"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
		1, {TEXTOID}
	},
	[LAST_CHILD] = {
		"SELECT pg_catalog.upper(t.span::pg_catalog.int8range) FROM revrtm.%1$s t"
		" WHERE t.parent_id OPERATOR(pg_catalog.=) $1 ORDER BY t.span DESC LIMIT 1",
		1, {TEXTOID}
	},
	[MISFIT] = {
		"SELECT 1 FROM revrtm.%1$s t, pg_catalog.int8range($3, $4) s(span)"
		" WHERE (t.%1$s_id OPERATOR(pg_catalog.=) $2"
		" AND (t.span OPERATOR(pg_catalog.=) s.span"
		" OR NOT t.span OPERATOR(pg_catalog.@>) s.span))"
		" OR (t.parent_id OPERATOR(pg_catalog.=) $1"
		" AND (t.span OPERATOR(pg_catalog.=) s.span"
		" OR NOT t.span OPERATOR(pg_catalog.<@) s.span)) LIMIT 1",
		4, {TEXTOID, TEXTOID, INT8OID, INT8OID}
	},
	[RENAME_SHIPPED] = {
		"UPDATE revrtm.%1$s SET %1$s_name = $2"
		" WHERE %1$s_id OPERATOR(pg_catalog.=) $1 AND shipped",
		2, {TEXTOID, TEXTOID}
	},
	[USES] = {
		"SELECT EXISTS (SELECT FROM revrtm.%1$s t WHERE t.parent_id OPERATOR(pg_catalog.=) $1),"
		" EXISTS (SELECT FROM revrtm.deal_registration d"
		" WHERE $1 OPERATOR(pg_catalog.=) ANY (d.%1$s_codes)),"
		" EXISTS (SELECT FROM revrtm.route_role r"
		" WHERE r.%1$s_code OPERATOR(pg_catalog.=) $1)",
		1, {TEXTOID}
	},
	[UNKNOWN] = {
		"SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(c.code), ', ')"
		" FROM pg_catalog.unnest($1) c(code) WHERE NOT EXISTS (SELECT FROM revrtm.%1$s t"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) c.code)",
		1, {TEXTARRAYOID}
	}
};

const char *const rtm_tree_name[RTM_TREES] = {"region", "product"};

static SPIPlanPtr tree_plan[RTM_TREES][TREE_QUERIES];

REVRTM_FUNCTION(revrtm_keep_tree);

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

static Oid
owner_of(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;

	table_close(rel, AccessShareLock);
	return owner;
}

/*
 * Run a query on a tree as its owner with the latest snapshot, inside
 * SPI_connect; returns the number of rows.
 */
static uint64
ask_tree(RtmTree tree, TreeQuery query, Datum *values, const char *nulls)
{
	SPIPlanPtr *plan = &tree_plan[tree][query];
	const char *name = rtm_tree_name[tree];
	Oid			user;
	int			context;
	int			result;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner_of(rtm_relation(name)),
						   context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	if (*plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare_cursor(psprintf(tree_query[query].text, name),
											   tree_query[query].nargs,
											   (Oid *) tree_query[query].types,
											   CURSOR_OPT_GENERIC_PLAN);

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare a query on tree %s", name);	/* cannot happen */
		*plan = fresh;
	}
	result = SPI_execute_snapshot(*plan, values, nulls, GetLatestSnapshot(),
								  InvalidSnapshot, false, true, 0);
	if (result < 0)
		/* cannot happen */
		elog(ERROR, "query on tree %s failed: %s", name, SPI_result_code_string(result));

	SetUserIdAndSecContext(user, context);
	return SPI_processed;
}

static Datum
answer(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
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

	rel = rtm_open_table(rtm_tree_name[tree], AccessShareLock, tree_column[tree], NODE_SHIPPED);
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
		ask_tree(tree, UNKNOWN, values, NULL);
		names = answer(0, 1, &isnull);
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

/*
 * How wide the next child's span is, in a parent's of that width of which
 * that much is free at its end; 0 when there is no room.
 */
static int64
child_width(int64 width, int64 unused)
{
	int			shift;
	int64		share;

	if (unused > width / 2)
		shift = 5;
	else if (unused > width / 4)
		shift = 10;
	else if (unused > width / 8)
		shift = 17;
	else
		shift = 24;

	share = Max(width >> shift, 1);
	return (share <= unused && share < width) ? share : 0;
}

/*
 * The span of a new node, inside SPI_connect.
 */
static Datum
new_span(RtmTree tree, Relation rel, const char *id, Datum parent)
{
	const char *name = rtm_tree_name[tree];
	bool		isnull;
	int64		lo;
	int64		hi;
	int64		start;
	int64		width;

	if (ask_tree(tree, LOCK_NODE, &parent, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("parent \"%s\" of %s \"%s\" does not exist",
						TextDatumGetCString(parent), name, id),
				 errhint("Insert parents before their children; the root is ANY."),
				 errtablecol(rel, NODE_PARENT)));
	lo = DatumGetInt64(answer(0, 1, &isnull));
	hi = DatumGetInt64(answer(0, 2, &isnull));

	/* Only now, with the parent locked, do its children stand still. */
	start = lo;
	if (ask_tree(tree, LAST_CHILD, &parent, NULL) > 0)
		start = DatumGetInt64(answer(0, 1, &isnull));

	width = child_width(hi - lo, hi - start);
	if (width == 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("no room is left below %s \"%s\"", name, TextDatumGetCString(parent)),
				 errdetail("Spans are never changed, and its own is used up."),
				 errhint("Choose a parent nearer to the root, or one with fewer children.")));

	return rtm_range(INT8RANGEOID, Int64GetDatum(start), Int64GetDatum(start + width));
}

/*
 * A node that arrives with its span keeps it, whichever of it and its
 * relatives comes first, but they must nest.
 */
static void
check_span(RtmTree tree, Relation rel, Datum *values, bool *nulls)
{
	const char *name = rtm_tree_name[tree];
	TypeCacheEntry *typcache = lookup_type_cache(INT8RANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;
	Datum		args[4];
	char		arg_nulls[4] = "    ";

	range_deserialize(typcache, DatumGetRangeTypeP(values[NODE_SPAN - 1]),
					  &lower, &upper, &empty);
	if (empty || lower.infinite || upper.infinite)
		return;					/* the table's own constraint refuses it */

	args[0] = values[NODE_ID - 1];
	args[1] = values[NODE_PARENT - 1];
	args[2] = lower.val;
	args[3] = upper.val;
	if (nulls[NODE_PARENT - 1])
		arg_nulls[1] = 'n';
	if (ask_tree(tree, MISFIT, args, arg_nulls) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("span of %s \"%s\" does not nest in its tree",
						name, TextDatumGetCString(args[0])),
				 errhint("Leave span out: the extension gives it."),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_nested" : "product_nested")));
}

static HeapTuple
insert_node(RtmTree tree, Relation rel, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			columns[2] = {NODE_SPAN, NODE_SHIPPED};
	Datum		values[NODE_SHIPPED];
	bool		nulls[NODE_SHIPPED];
	Datum		fresh[2];
	bool		fresh_nulls[2] = {false, false};
	const char *id;
	int			i;

	for (i = 0; i < NODE_SHIPPED; i++)
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);
	if (nulls[NODE_ID - 1])
		return tuple;			/* refused by the primary key */
	id = TextDatumGetCString(values[NODE_ID - 1]);

	/* An edited root comes back with a dump, over the one just made. */
	if (strcmp(id, "ANY") == 0)
	{
		Datum		args[2] = {values[NODE_ID - 1], values[NODE_NAME - 1]};

		if (ask_tree(tree, RENAME_SHIPPED, args, nulls[NODE_NAME - 1] ? " n" : NULL) > 0)
			return NULL;
	}
	else if (nulls[NODE_PARENT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s \"%s\" has no parent", rtm_tree_name[tree], id),
				 errhint("The root, ANY, is the parent of the topmost ones."),
				 errtablecol(rel, NODE_PARENT)));

	fresh[0] = values[NODE_SPAN - 1];
	if (!nulls[NODE_SPAN - 1])
		check_span(tree, rel, values, nulls);
	else if (!nulls[NODE_PARENT - 1])
		fresh[0] = new_span(tree, rel, id, values[NODE_PARENT - 1]);
	else						/* a second root, for the primary key to refuse */
		fresh[0] = rtm_range(INT8RANGEOID, Int64GetDatum(0), Int64GetDatum(PG_INT64_MAX));
	fresh[1] = BoolGetDatum(false);

	return heap_modify_tuple_by_cols(tuple, desc, 2, columns, fresh, fresh_nulls);
}

static HeapTuple
update_node(RtmTree tree, Relation rel, HeapTuple old, HeapTuple new)
{
	static const int fixed[] = {NODE_ID, NODE_PARENT, NODE_SPAN};
	TupleDesc	desc = RelationGetDescr(rel);
	int			column = NODE_SHIPPED;
	Datum		shipped = BoolGetDatum(false);
	bool		isnull = false;
	int			i;

	for (i = 0; i < lengthof(fixed); i++)
	{
		bool		old_null;
		bool		new_null;
		Datum		a = heap_getattr(old, fixed[i], desc, &old_null);
		Datum		b = heap_getattr(new, fixed[i], desc, &new_null);

		if (old_null != new_null || (!old_null && !datum_image_eq(a, b, false, -1)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot change %s of a %s",
							NameStr(TupleDescAttr(desc, fixed[i] - 1)->attname),
							rtm_tree_name[tree]),
					 errdetail("Registrations hold the spans of nodes."),
					 errhint("Insert a new node and register against that one."),
					 errtablecol(rel, fixed[i])));
	}
	return heap_modify_tuple_by_cols(new, desc, 1, &column, &shipped, &isnull);
}

static HeapTuple
delete_node(RtmTree tree, Relation rel, HeapTuple tuple)
{
	const char *name = rtm_tree_name[tree];
	Datum		id;
	bool		isnull;

	id = heap_getattr(tuple, NODE_ID, RelationGetDescr(rel), &isnull);
	if (isnull)
		return tuple;			/* the table has lost its primary key */
	if (strcmp(TextDatumGetCString(id), "ANY") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot delete the root of revrtm.%s", name)));

	/* Whoever writes a registration or a rule has looked up its codes already. */
	LockRelationOid(rtm_relation("deal_registration"), ShareRowExclusiveLock);
	LockRelationOid(rtm_relation("route_role"), ShareRowExclusiveLock);
	ask_tree(tree, USES, &id, NULL);
	if (DatumGetBool(answer(0, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%s\" has children", name, TextDatumGetCString(id)),
				 errhint("Delete the children first."),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_parent" : "product_parent")));
	if (DatumGetBool(answer(0, 2, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%s\" is named by deal registrations", name,
						TextDatumGetCString(id)),
				 errhint("Rename it instead: %s_name is free to change.", name),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_registered"
									: "product_registered")));
	if (DatumGetBool(answer(0, 3, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%s\" is named by rules of the role matrix", name,
						TextDatumGetCString(id)),
				 errhint("Delete those rules of revrtm.route_role first, which forgets what they "
						 "decided."),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_ruled"
									: "product_ruled")));
	return tuple;
}

/*
 * revrtm.keep_tree(): the trigger of both trees; its argument says which.
 */
Datum
revrtm_keep_tree(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	result;
	MemoryContext caller = CurrentMemoryContext;
	RtmTree		tree;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_tree\" was not called as a trigger")));
	if (!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		TRIGGER_FIRED_FOR_ROW(data->tg_event) == TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) ||
		data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_tree\" must be fired before each row, or before truncate, "
						"with one argument")));
	for (tree = 0; tree < RTM_TREES; tree++)
		if (strcmp(data->tg_trigger->tgargs[0], rtm_tree_name[tree]) == 0)
			break;
	desc = RelationGetDescr(data->tg_relation);
	if (tree == RTM_TREES ||
		rtm_missing_column(desc, tree_column[tree], lengthof(tree_column[tree])) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_tree\" keeps the tables region and product only")));

	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot truncate revrtm.%s", rtm_tree_name[tree]),
				 errdetail("Registrations hold the spans of its nodes.")));

	SPI_connect();
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
		result = insert_node(tree, data->tg_relation, data->tg_trigtuple);
	else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		result = update_node(tree, data->tg_relation, data->tg_trigtuple, data->tg_newtuple);
	else
		result = delete_node(tree, data->tg_relation, data->tg_trigtuple);

	/* The tuple must outlive SPI's own memory. */
	if (result != NULL && result != data->tg_trigtuple)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		result = heap_copytuple(result);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return PointerGetDatum(result);
}
