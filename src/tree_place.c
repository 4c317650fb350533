/*-------------------------------------------------------------------------
 *
 * tree_place.c
 *		Spans for new and moved nodes.
 *
 * A span is given once and never again: behind all that its parent gave
 * before (free_from remembers those whose child is gone). So a span read
 * before a reorganisation never means another node after it, and while
 * registrations follow one, row by row, no two overlap that did not before it
 * or will not after it:
 * a new span lies in room that nobody had, below nodes that are its ancestors
 * still.
 *
 * Each node's row is locked before its children are read, as who inserts a
 * child does, so none is missed.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "tree.h"
#include "tree_layout.h"

/* A node, locked. */
typedef struct TreeNode
{
	bool		placed;			/* it has a span */
	int64		lo;
	int64		hi;
	int64		used;			/* given to children up to there; never below lo */
	Datum		parent;
	bool		is_root;
} TreeNode;

/* A node and all below it, level by level, as rtm_tree_need() has it. */
typedef struct Subtree
{
	Size		nodes;
	Size		room;
	Datum	   *id;
	size_t	   *parent;
	int64	   *need;
	int64	   *height;
} Subtree;

/*
 * Lock a node and read it; false where there is none.
 */
static bool
lock_node(RtmTree tree, Datum id, TreeNode *node)
{
	bool		isnull;
	Datum		value;

	if (rtm_ask_tree(tree, LOCK_NODE, &id, NULL) == 0)
		return false;
	node->lo = DatumGetInt64(rtm_answer(0, 1, &isnull));
	node->placed = !isnull;
	node->hi = DatumGetInt64(rtm_answer(0, 2, &isnull));
	value = rtm_answer(0, 3, &isnull);
	node->used = isnull ? node->lo : Max(node->lo, DatumGetInt64(value));
	node->parent = rtm_answer(0, 4, &node->is_root);

	/* Only now, with the node locked, do its children stand still. */
	if (rtm_ask_tree(tree, LAST_CHILD, &id, NULL) > 0)
	{
		value = rtm_answer(0, 1, &isnull);
		if (!isnull)
			node->used = Max(node->used, DatumGetInt64(value));
	}
	return true;
}

static void
add_node(Subtree *subtree, Datum id, size_t parent)
{
	if (subtree->nodes == subtree->room)
	{
		subtree->room = mul_size(subtree->room, 2);
		subtree->id = repalloc_huge(subtree->id, mul_size(subtree->room, sizeof(Datum)));
		subtree->parent = repalloc_huge(subtree->parent, mul_size(subtree->room, sizeof(size_t)));
		subtree->need = repalloc_huge(subtree->need, mul_size(subtree->room, sizeof(int64)));
		subtree->height = repalloc_huge(subtree->height, mul_size(subtree->room, sizeof(int64)));
	}
	subtree->id[subtree->nodes] = id;
	subtree->parent[subtree->nodes] = parent;
	subtree->need[subtree->nodes] = 1;
	subtree->nodes++;
}

static ArrayType *
text_array(Datum *ids, Size n)
{
	return construct_array(ids, n, TEXTOID, -1, false, TYPALIGN_INT);
}

static ArrayType *
int8_array(const int64 *values, Size n)
{
	Datum	   *datum = palloc_extended(mul_size(n, sizeof(Datum)), MCXT_ALLOC_HUGE);
	Size		i;

	for (i = 0; i < n; i++)
		datum[i] = Int64GetDatum(values[i]);
	return construct_array(datum, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/*
 * A node, which is locked, and all below it, locked by this.
 */
static void
read_subtree(RtmTree tree, Datum id, Subtree *subtree)
{
	Size		level = 0;

	subtree->nodes = 0;
	subtree->room = 64;
	subtree->id = palloc(subtree->room * sizeof(Datum));
	subtree->parent = palloc(subtree->room * sizeof(size_t));
	subtree->need = palloc(subtree->room * sizeof(int64));
	subtree->height = palloc(subtree->room * sizeof(int64));
	add_node(subtree, id, 0);
	while (level < subtree->nodes)
	{
		Size		next = subtree->nodes;
		Datum		parents = PointerGetDatum(text_array(subtree->id + level, next - level));
		uint64		children = rtm_ask_tree(tree, CHILDREN, &parents, NULL);
		uint64		i;

		for (i = 0; i < children; i++)
		{
			bool		isnull;
			Datum		child = rtm_answer(i, 1, &isnull);

			CHECK_FOR_INTERRUPTS();
			add_node(subtree, child, level + DatumGetInt64(rtm_answer(i, 2, &isnull)) - 1);
		}
		level = next;
	}
}

/*
 * Where below a parent a subtree of that need goes, the whole of it; 0 wide
 * where there is no room.
 */
static int64
find_room(const TreeNode *parent, int64 need)
{
	int64		unused = parent->hi - parent->used;
	int64		width = rtm_child_width(parent->hi - parent->lo, unused);

	if (width >= need)
		return width;
	/* The root cannot get another span: what is left must do. */
	return parent->is_root && need <= unused ? Max(need, unused / 2) : 0;
}

static void
lay_out(RtmTree tree, const Subtree *subtree, int64 from, int64 until, RtmPlaced *placed)
{
	int64	   *lo = palloc_extended(mul_size(subtree->nodes, sizeof(int64)), MCXT_ALLOC_HUGE);
	int64	   *hi = palloc_extended(mul_size(subtree->nodes, sizeof(int64)), MCXT_ALLOC_HUGE);
	Datum		values[3];
	Size		i;

	rtm_tree_layout(subtree->parent, subtree->need, subtree->height, subtree->nodes, from, until,
					lo, hi);
	values[0] = PointerGetDatum(text_array(subtree->id, subtree->nodes));
	values[1] = PointerGetDatum(int8_array(lo, subtree->nodes));
	values[2] = PointerGetDatum(int8_array(hi, subtree->nodes));
	rtm_ask_tree(tree, PLACE, values, NULL);
	for (i = 0; i < subtree->nodes; i++)
		*placed = accumArrayResult(*placed, subtree->id[i], false, TEXTOID, CurrentMemoryContext);
}

void
rtm_place_node(RtmTree tree, Datum id, bool one_more, RtmPlaced *placed)
{
	const char *full = one_more ? TextDatumGetCString(id) : NULL;
	TreeNode		node;
	TreeNode		parent;

	if (!lock_node(tree, id, &node))
		return;					/* gone, with who deleted it */
	for (;; id = node.parent, node = parent)
	{
		Subtree		subtree;
		int64		width;
		Size		i;

		if (node.is_root || !lock_node(tree, node.parent, &parent))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("no room is left in the tree %s", rtm_tree_name[tree]),
					 errdetail("A span is never used twice, and each node that comes to the top of "
							   "the tree uses up a part of what there is."),
					 errhint("Insert and move nodes further down.")));
		read_subtree(tree, id, &subtree);
		for (i = 0; one_more && i < subtree.nodes; i++)
			if (strcmp(TextDatumGetCString(subtree.id[i]), full) == 0)
				subtree.need[i]++;
		rtm_tree_need(subtree.parent, subtree.nodes, subtree.need, subtree.height);
		width = find_room(&parent, subtree.need[0]);
		if (width > 0)
		{
			lay_out(tree, &subtree, parent.used, parent.used + width, placed);
			return;
		}
	}
}

Datum
rtm_place_new(RtmTree tree, Datum id, RtmPlaced *placed)
{
	TreeNode		parent;
	int64		width;

	for (;;)
	{
		if (!lock_node(tree, id, &parent))
			return (Datum) 0;
		width = find_room(&parent, 1);
		if (width > 0)
			return rtm_range(INT8RANGEOID, Int64GetDatum(parent.used),
							 Int64GetDatum(parent.used + width));
		rtm_lock_registrations(false);
		rtm_place_node(tree, id, true, placed);
	}
}

void
rtm_place_moved(RtmTree tree, ArrayType *ids, RtmPlaced *placed)
{
	const char *name = rtm_tree_name[tree];
	Datum		values[1] = {PointerGetDatum(ids)};
	uint64		moved = rtm_ask_tree(tree, ORIGINS, values, NULL);
	SPITupleTable *answers = SPI_tuptable;
	List	   *tops = NIL;
	ListCell   *lc;
	uint64		i;

	for (i = 0; i < moved; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(answers->vals[i], answers->tupdesc, 1, &isnull);
		Datum		cycle = SPI_getbinval(answers->vals[i], answers->tupdesc, 2, &isnull);
		Datum		below = SPI_getbinval(answers->vals[i], answers->tupdesc, 3, &isnull);
		Datum		unknown = SPI_getbinval(answers->vals[i], answers->tupdesc, 4, &isnull);

		if (!isnull)
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("parent \"%s\" of %s \"%s\" does not exist",
							TextDatumGetCString(unknown), name, TextDatumGetCString(id)),
					 errhint("Insert the parent first; the root is ANY.")));
		if (DatumGetBool(cycle))
			ereport(ERROR,
					(errcode(ERRCODE_CHECK_VIOLATION),
					 errmsg("%s \"%s\" cannot be moved below itself", name,
							TextDatumGetCString(id)),
					 errhint("Move the node that is to be its parent out of it first."),
					 err_generic_string(PG_DIAG_SCHEMA_NAME, "revrtm"),
					 err_generic_string(PG_DIAG_TABLE_NAME, name),
					 err_generic_string(PG_DIAG_CONSTRAINT_NAME,
										tree == RTM_REGION ? "region_cycle" : "product_cycle")));
		/* Below another moved one it goes with that. */
		if (!DatumGetBool(below))
			tops = lappend(tops, DatumGetPointer(id));
	}
	foreach(lc, tops)
	{
		Datum		id = PointerGetDatum(lfirst(lc));
		TreeNode		node;

		/* A parent that had no room may have taken it along already. */
		if (lock_node(tree, id, &node) && !node.placed)
			rtm_place_node(tree, id, false, placed);
	}
}
