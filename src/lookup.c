/*-------------------------------------------------------------------------
 *
 * lookup.c
 *		A row of a table of ours by one text column, straight from its index:
 *		what every row that is written asks is not worth a plan.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "nodes/pg_list.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "lookup.h"

/*
 * It is known by its key: on a shard it has another name.
 */
Relation
rtm_open_index(Relation rel, const AttrNumber *key, int columns)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (index->rd_rel->relam == BTREE_AM_OID && form->indisvalid &&
			form->indnkeyatts == columns &&
			memcmp(form->indkey.values, key, columns * sizeof(AttrNumber)) == 0)
			return index;
		index_close(index, AccessShareLock);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("relation \"%s\" has no index on \"%s\" any longer",
					RelationGetRelationName(rel),
					get_attname(RelationGetRelid(rel), key[0], false))));
}

bool
rtm_find_row(Relation rel, AttrNumber column, Datum key, Snapshot snapshot, TupleTableSlot *slot)
{
	Relation	index = rtm_open_index(rel, &column, 1);
	IndexScanDesc scan = rtm_index_beginscan(rel, index, snapshot, 1);
	ScanKeyData scankey;
	bool		found;

	ScanKeyEntryInitialize(&scankey, 0, 1, BTEqualStrategyNumber, InvalidOid,
						   index->rd_indcollation[0], F_TEXTEQ, key);
	index_rescan(scan, &scankey, 1, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);

	/* What the slot holds stays in its buffer once the scan has ended. */
	index_endscan(scan);
	index_close(index, AccessShareLock);
	return found;
}
