/*-------------------------------------------------------------------------
 *
 * scope.h
 *		Scopes: spans of nodes in the trees of regions and products.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_SCOPE_H
#define REVRTM_SCOPE_H

#include "compat.h"

#include "access/tupdesc.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

typedef enum RtmTree
{
	RTM_REGION,
	RTM_PRODUCT
} RtmTree;

#define RTM_TREES 2

extern const char *const rtm_tree_name[RTM_TREES];

/* The table revrtm.<name>, which the extension made. */
extern Oid	rtm_relation(const char *name);

/* A column that C code reads. */
typedef struct RtmColumn
{
	AttrNumber	number;
	const char *name;
	Oid			type;
} RtmColumn;

/* The first of these columns that the tuples do not have, or NULL. */
extern const RtmColumn *rtm_missing_column(TupleDesc desc, const RtmColumn *column, int columns);

/* Is this a trigger, after each row of a table with these columns? */
extern bool rtm_fired_after_row(FunctionCallInfo fcinfo, const RtmColumn *column, int columns);

/*
 * The table revrtm.<name>, open. Who owns it need not be a superuser and may
 * have altered or replaced it: 55000 where it lacks a column.
 */
extern Relation rtm_open_table(const char *name, LOCKMODE lock, const RtmColumn *column,
							   int columns);

/* The range [lo,hi) of a range type. */
extern Datum rtm_range(Oid rangetype, Datum lo, Datum hi);

/*
 * The int8multirange that a text[] of node codes covers, in the current
 * memory context; 22023 for an array that is no list of codes, 23503 for
 * codes that the tree does not have, all of them named.
 */
extern Datum rtm_scope(RtmTree tree, Datum codes, bool isnull);

/* Does the tree have the node, by the latest snapshot? */
extern bool rtm_node_exists(RtmTree tree, Datum code);

/* The same, but says what is wrong; NULL, and the scope, where nothing is. */
extern char *rtm_try_scope(RtmTree tree, Datum codes, bool isnull, Datum *scope);

#endif							/* REVRTM_SCOPE_H */
