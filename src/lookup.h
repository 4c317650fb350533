/*-------------------------------------------------------------------------
 *
 * lookup.h
 *		A row of a table of ours by one text column.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_LOOKUP_H
#define REVRTM_LOOKUP_H

#include "compat.h"

#include "access/attnum.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* The btree index on those columns, open. */
extern Relation rtm_open_index(Relation rel, const AttrNumber *key, int columns);

/*
 * Fetch the row whose text column, which such an index makes unique, is the
 * key, as the snapshot sees it; false where there is none.
 */
extern bool rtm_find_row(Relation rel, AttrNumber column, Datum key, Snapshot snapshot,
						 TupleTableSlot *slot);

#endif							/* REVRTM_LOOKUP_H */
