/*-------------------------------------------------------------------------
 *
 * tree.h
 *		The trees of regions and products: who gets which span.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_TREE_H
#define REVRTM_TREE_H

#include "compat.h"

#include "utils/array.h"

#include "scope.h"

/* The columns of a tree, in this order. */
enum
{
	NODE_ID = 1,
	NODE_PARENT,
	NODE_NAME,
	NODE_SPAN,
	NODE_FREE_FROM,
	NODE_SHIPPED,
	NODE_COLUMNS = NODE_SHIPPED
};

extern const RtmColumn rtm_tree_column[RTM_TREES][NODE_COLUMNS];

/* What is asked of a tree, tree_query.c. */
typedef enum TreeQuery
{
	LOCK_NODE,					/* $1 id -> bounds of the span, free_from, parent */
	LAST_CHILD,					/* $1 parent -> end of the last child's span */
	CHILDREN,					/* $1 parents -> id and parent's place, locked */
	MISFIT,						/* $1 id, $2 parent, $3 lo, $4 hi -> rows that do not nest */
	USES,						/* $1 id -> has children, registrations, rules */
	UNKNOWN,					/* $1 codes -> those not found, as one text */
	ORIGINS,					/* $1 ids -> id, on a cycle, below another, unknown parent */
	CONFLICTS,					/* $1 ids, $2 limit -> pairs that the new spans would make */
	/* Those that write. */
	RENAME_SHIPPED,				/* $1 id, $2 name, $3 free_from: over what CREATE EXTENSION made */
	MARK_USED,					/* $1 parents, $2 ends of spans that they gave */
	PLACE,						/* $1 ids, $2 lo, $3 hi */
	QUEUE_LATER,				/* $1 ids, $2 reason -> those taken out of pairs */
	FOLLOW						/* $1 ids: derive the registrations' scopes anew */
} TreeQuery;

#define TREE_QUERIES (FOLLOW + 1)

/*
 * Run a query on a tree as its owner with the latest snapshot, inside
 * SPI_connect; returns the number of rows.
 */
extern uint64 rtm_ask_tree(RtmTree tree, TreeQuery query, Datum *values, const char *nulls);

/* A column of its result. */
extern Datum rtm_answer(uint64 row, int column, bool *isnull);

/* What the triggers are in the middle of, on behalf of a tree. */
typedef enum RtmTreeStep
{
	RTM_NO_STEP,
	RTM_KEEP_NODES,				/* nodes of the tree get other spans */
	RTM_KEEP_SCOPES				/* registrations follow them */
} RtmTreeStep;

extern RtmTreeStep rtm_tree_step;

/* Nodes that got a span, as a text[] to be. */
typedef ArrayBuildState *RtmPlaced;

/*
 * Give a node and all that is below it a span never used before inside its
 * parent's, tree_place.c. Where that has no room it gets another one itself,
 * and so on; 54000 where the root has none. With one_more the node gets room
 * for one more child.
 */
extern void rtm_place_node(RtmTree tree, Datum id, bool one_more, RtmPlaced *placed);

/* The same for a node that is not in the tree yet; its span. */
extern Datum rtm_place_new(RtmTree tree, Datum parent, RtmPlaced *placed);

/* Place the nodes that were moved below other parents; 23514 for a cycle. */
extern void rtm_place_moved(RtmTree tree, ArrayType *ids, RtmPlaced *placed);

/*
 * Keep registrations out while a tree changes, tree_move.c; 42501 for who
 * may not move.
 */
extern void rtm_lock_registrations(bool move);

/* Let the registrations that name those nodes follow. */
extern void rtm_follow_nodes(RtmTree tree, RtmPlaced placed);

#endif							/* REVRTM_TREE_H */
