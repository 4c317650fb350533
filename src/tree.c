/*-------------------------------------------------------------------------
 *
 * tree.c
 *		keep_tree(): the triggers of the trees.
 *
 * A new node gets its span at once. A moved one has none, an empty one, until
 * all rows of the statement are in their places: then moved nodes and what is
 * below them get spans never used before, and the registrations that name
 * them follow, in this transaction.
 *
 * Whoever writes a registration holds ROW EXCLUSIVE on its table and reads the
 * trees after that, with the latest snapshot; whoever moves a node takes SHARE
 * ROW EXCLUSIVE on it before locking any row of a tree, and looks afterwards.
 * So a registration either was there, and follows, or is derived from the
 * tree as it is then. Deleting a node goes the same way.
 *
 * Two inserts below one parent are serialised by a row lock on it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "tree.h"

const RtmColumn rtm_tree_column[RTM_TREES][NODE_COLUMNS] = {
	[RTM_REGION] = {
		{NODE_ID, "region_id", TEXTOID},
		{NODE_PARENT, "parent_id", TEXTOID},
		{NODE_NAME, "region_name", TEXTOID},
		{NODE_SPAN, "span", INT8RANGEOID},
		{NODE_FREE_FROM, "free_from", INT8OID},
		{NODE_SHIPPED, "shipped", BOOLOID}
	},
	[RTM_PRODUCT] = {
		{NODE_ID, "product_id", TEXTOID},
		{NODE_PARENT, "parent_id", TEXTOID},
		{NODE_NAME, "product_name", TEXTOID},
		{NODE_SPAN, "span", INT8RANGEOID},
		{NODE_FREE_FROM, "free_from", INT8OID},
		{NODE_SHIPPED, "shipped", BOOLOID}
	}
};

REVRTM_FUNCTION(revrtm_keep_tree);

/*
 * The span of a new node, inside SPI_connect.
 */
static Datum
new_span(RtmTree tree, Relation rel, const char *id, Datum parent)
{
	RtmPlaced	placed = NULL;
	Datum		span = rtm_place_new(tree, parent, &placed);

	if (span == (Datum) 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("parent \"%s\" of %s \"%s\" does not exist",
						TextDatumGetCString(parent), rtm_tree_name[tree], id),
				 errhint("Insert parents before their children; the root is ANY."),
				 errtablecol(rel, NODE_PARENT)));
	rtm_follow_nodes(tree, placed);
	return span;
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
	if (empty)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("span of %s \"%s\" is empty", name,
						TextDatumGetCString(values[NODE_ID - 1])),
				 errhint("Leave span out: the extension gives it."),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_span" : "product_span")));
	if (lower.infinite || upper.infinite)
		return;					/* the table's own constraint refuses it */

	args[0] = values[NODE_ID - 1];
	args[1] = values[NODE_PARENT - 1];
	args[2] = lower.val;
	args[3] = upper.val;
	if (nulls[NODE_PARENT - 1])
		arg_nulls[1] = 'n';
	if (rtm_ask_tree(tree, MISFIT, args, arg_nulls) > 0)
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
	Datum		values[NODE_COLUMNS];
	bool		nulls[NODE_COLUMNS];
	Datum		fresh[2];
	bool		fresh_nulls[2] = {false, false};
	const char *id;
	int			i;

	for (i = 0; i < NODE_COLUMNS; i++)
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);
	if (nulls[NODE_ID - 1])
		return tuple;			/* refused by the primary key */
	id = TextDatumGetCString(values[NODE_ID - 1]);

	/* An edited root comes back with a dump, over the one just made. */
	if (strcmp(id, "ANY") == 0)
	{
		Datum		args[3] = {
			values[NODE_ID - 1], values[NODE_NAME - 1], values[NODE_FREE_FROM - 1]
		};
		char		arg_nulls[3] = {
			' ', nulls[NODE_NAME - 1] ? 'n' : ' ', nulls[NODE_FREE_FROM - 1] ? 'n' : ' '
		};

		if (rtm_ask_tree(tree, RENAME_SHIPPED, args, arg_nulls) > 0)
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

static bool
changes(Relation rel, HeapTuple old, HeapTuple new, int column)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), column - 1);
	bool		old_null;
	bool		new_null;
	Datum		a = heap_getattr(old, column, RelationGetDescr(rel), &old_null);
	Datum		b = heap_getattr(new, column, RelationGetDescr(rel), &new_null);

	if (old_null || new_null)
		return old_null != new_null;
	return !datum_image_eq(a, b, att->attbyval, att->attlen);
}

/*
 * A node below another parent: it has no span until all rows are in place.
 */
static Datum
begin_move(RtmTree tree, Relation rel, HeapTuple new)
{
	TypeCacheEntry *typcache = lookup_type_cache(INT8RANGEOID, TYPECACHE_RANGE_INFO);
	bool		isnull;
	char	   *id = TextDatumGetCString(heap_getattr(new, NODE_ID, RelationGetDescr(rel),
													 &isnull));

	rtm_lock_registrations(true);
	if (strcmp(id, "ANY") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move the root of revrtm.%s", rtm_tree_name[tree]),
				 errtablecol(rel, NODE_PARENT)));
	heap_getattr(new, NODE_PARENT, RelationGetDescr(rel), &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("%s \"%s\" has no parent", rtm_tree_name[tree], id),
				 errhint("The root, ANY, is the parent of the topmost ones."),
				 errtablecol(rel, NODE_PARENT)));
	return RangeTypePGetDatum(make_empty_range(typcache));
}

static HeapTuple
update_node(RtmTree tree, Relation rel, HeapTuple old, HeapTuple new)
{
	static const int fixed[] = {NODE_ID, NODE_SPAN, NODE_FREE_FROM};
	TupleDesc	desc = RelationGetDescr(rel);
	int			columns[2] = {NODE_SHIPPED, NODE_SPAN};
	Datum		values[2] = {BoolGetDatum(false)};
	bool		nulls[2] = {false, false};
	bool		moves = false;
	int			i;

	if (rtm_tree_step != RTM_KEEP_NODES)
	{
		for (i = 0; i < lengthof(fixed); i++)
			if (changes(rel, old, new, fixed[i]))
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot change %s of a %s",
								NameStr(TupleDescAttr(desc, fixed[i] - 1)->attname),
								rtm_tree_name[tree]),
						 errdetail("Registrations name nodes, and hold their spans."),
						 errhint("Change parent_id to move it, or insert a new node."),
						 errtablecol(rel, fixed[i])));
		moves = changes(rel, old, new, NODE_PARENT);
		if (moves)
			values[1] = begin_move(tree, rel, new);
	}
	return heap_modify_tuple_by_cols(new, desc, moves ? 2 : 1, columns, values, nulls);
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

	rtm_ask_tree(tree, USES, &id, NULL);
	if (DatumGetBool(rtm_answer(0, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%s\" has children", name, TextDatumGetCString(id)),
				 errhint("Delete the children first."),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_parent" : "product_parent")));
	if (DatumGetBool(rtm_answer(0, 2, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%s\" is named by deal registrations", name,
						TextDatumGetCString(id)),
				 errhint("Rename it instead: %s_name is free to change.", name),
				 errtableconstraint(rel, tree == RTM_REGION ? "region_registered"
									: "product_registered")));
	if (DatumGetBool(rtm_answer(0, 3, &isnull)))
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
 * Before a statement locks its first row.
 */
static void
begin_change(TriggerEvent event)
{
	if (rtm_tree_step == RTM_KEEP_NODES)
		return;
	rtm_lock_registrations(TRIGGER_FIRED_BY_UPDATE(event));

	/* Who writes a rule has looked up its nodes already. */
	if (TRIGGER_FIRED_BY_DELETE(event))
		LockRelationOid(rtm_relation("route_role"), ShareRowExclusiveLock);
}

/*
 * What the statement took from parents, and moved.
 */
typedef struct Taken
{
	ArrayBuildState *parents;
	ArrayBuildState *ends;		/* of the spans that were theirs */
	ArrayBuildState *moved;
} Taken;

static void
take_node(TupleTableSlot *old, TupleTableSlot *new, Taken *taken)
{
	bool		isnull;
	Datum		span;
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;

	if (new != NULL)
	{
		span = slot_getattr(new, NODE_SPAN, &isnull);
		if (!RangeIsEmpty(DatumGetRangeTypeP(span)))
			return;
		taken->moved = accumArrayResult(taken->moved, slot_getattr(new, NODE_ID, &isnull),
										false, TEXTOID, CurrentMemoryContext);
	}
	range_deserialize(lookup_type_cache(INT8RANGEOID, TYPECACHE_RANGE_INFO),
					  DatumGetRangeTypeP(slot_getattr(old, NODE_SPAN, &isnull)),
					  &lower, &upper, &empty);
	taken->parents = accumArrayResult(taken->parents, slot_getattr(old, NODE_PARENT, &isnull),
									  isnull, TEXTOID, CurrentMemoryContext);
	taken->ends = accumArrayResult(taken->ends, upper.val, empty || upper.infinite, INT8OID,
								   CurrentMemoryContext);
}

/*
 * After a statement changed all its rows, inside SPI_connect.
 */
static void
end_change(RtmTree tree, TriggerData *data)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
	Taken		taken = {NULL};
	TupleTableSlot *old;
	TupleTableSlot *new;

	if (rtm_tree_step == RTM_KEEP_NODES)
		return;

	/* The two have the same rows in the same order. */
	old = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	new = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	tuplestore_rescan(data->tg_oldtable);
	if (update)
		tuplestore_rescan(data->tg_newtable);
	while (tuplestore_gettupleslot(data->tg_oldtable, true, false, old) &&
		   (!update || tuplestore_gettupleslot(data->tg_newtable, true, false, new)))
	{
		CHECK_FOR_INTERRUPTS();
		take_node(old, update ? new : NULL, &taken);
	}
	if (taken.parents != NULL)
	{
		Datum		values[2] = {
			makeArrayResult(taken.parents, CurrentMemoryContext),
			makeArrayResult(taken.ends, CurrentMemoryContext)
		};

		rtm_ask_tree(tree, MARK_USED, values, NULL);
	}
	if (taken.moved != NULL)
	{
		RtmPlaced	placed = NULL;

		rtm_place_moved(tree, DatumGetArrayTypeP(makeArrayResult(taken.moved,
																 CurrentMemoryContext)), &placed);
		rtm_follow_nodes(tree, placed);
	}
	ExecDropSingleTupleTableSlot(old);
	ExecDropSingleTupleTableSlot(new);
}

/*
 * revrtm.keep_tree(): the triggers of both trees; the argument says which.
 */
Datum
revrtm_keep_tree(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TriggerEvent event;
	TupleDesc	desc;
	HeapTuple	result = NULL;
	MemoryContext caller = CurrentMemoryContext;
	RtmTree		tree;
	bool		after;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_tree\" was not called as a trigger")));
	event = data->tg_event;
	after = TRIGGER_FIRED_AFTER(event);
	if (!(after ? TRIGGER_FIRED_FOR_STATEMENT(event) && data->tg_oldtable != NULL &&
		  (data->tg_newtable != NULL || TRIGGER_FIRED_BY_DELETE(event))
		  : TRIGGER_FIRED_BEFORE(event) &&
		  !(TRIGGER_FIRED_FOR_STATEMENT(event) && TRIGGER_FIRED_BY_INSERT(event))) ||
		data->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_tree\" must be fired before each row, before a statement, "
						"or after one with its rows, with one argument")));
	for (tree = 0; tree < RTM_TREES; tree++)
		if (strcmp(data->tg_trigger->tgargs[0], rtm_tree_name[tree]) == 0)
			break;
	desc = RelationGetDescr(data->tg_relation);
	if (tree == RTM_TREES ||
		rtm_missing_column(desc, rtm_tree_column[tree], NODE_COLUMNS) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_tree\" keeps the tables region and product only")));

	if (TRIGGER_FIRED_BY_TRUNCATE(event))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot truncate revrtm.%s", rtm_tree_name[tree]),
				 errdetail("Registrations hold the spans of its nodes.")));

	SPI_connect();
	if (after)
		end_change(tree, data);
	else if (TRIGGER_FIRED_FOR_STATEMENT(event))
		begin_change(event);
	else if (TRIGGER_FIRED_BY_INSERT(event))
		result = insert_node(tree, data->tg_relation, data->tg_trigtuple);
	else if (TRIGGER_FIRED_BY_UPDATE(event))
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
