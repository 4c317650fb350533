/*-------------------------------------------------------------------------
 *
 * query.h
 *		A caller's query whose rows a function reads by column name.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_QUERY_H
#define REVRTM_QUERY_H

#include "compat.h"

#include "executor/tuptable.h"

#define QUERY_MAX_COLUMNS	8
#define QUERY_MAX_TYPES		6

typedef struct QueryColumn
{
	const char *name;
	bool		required;
	Oid			type[QUERY_MAX_TYPES];	/* those it may have; the first is what errors name */
} QueryColumn;

typedef struct QueryShape
{
	const char *rows;			/* what its rows are, in the plural */
	const char *hint;
	int			columns;
	QueryColumn column[QUERY_MAX_COLUMNS];
} QueryShape;

/* Where a column stands, and what it is; attribute 0: the query lacks it. */
typedef struct QueryAttribute
{
	AttrNumber	attribute;
	Oid			type;
} QueryAttribute;

/* Called for each row, in a memory context that is reset after it. */
typedef void (*QueryRow) (TupleTableSlot *slot, const QueryAttribute *attributes, void *arg);

/*
 * Run one SELECT, read-only and with the caller's rights, through the
 * executor, its workers included. All that is wrong with its columns is one
 * error. Needs an SPI connection.
 */
extern void rtm_run_query(const char *query, const QueryShape *shape, QueryRow row, void *arg);

static inline Datum
query_value(TupleTableSlot *slot, const QueryAttribute *attribute, bool *isnull)
{
	if (attribute->attribute == 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return slot_getattr(slot, attribute->attribute, isnull);
}

#endif							/* REVRTM_QUERY_H */
