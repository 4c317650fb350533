/*-------------------------------------------------------------------------
 *
 * programme.c
 *		The partner programme's own terms.
 *
 * Whoever registers a deal is judged by them, so they are read below the
 * privileges of the table.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "programme.h"
#include "query_cache.h"
#include "scope.h"

REVRTM_FUNCTION(revrtm_programme_date);

static const RtmColumn programme_column[] = {
	{1, "programme", TEXTOID},
	{2, "timezone", TEXTOID},
	{4, "protection_days", INT4OID}
};

const RtmProgramme *
rtm_read_programme(MemoryContext context)
{
	RtmProgramme *programme = MemoryContextAllocZero(context, sizeof(RtmProgramme));
	Relation	rel;
	TupleTableSlot *slot;
	TableScanDesc scan;

	rel = rtm_open_table("programme", AccessShareLock, programme_column,
						 lengthof(programme_column));
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	if (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull[2];
		Datum		zone = slot_getattr(slot, 2, &isnull[0]);
		Datum		days = slot_getattr(slot, 4, &isnull[1]);

		if (!isnull[0])
			programme->zone = rtm_find_zone(TextDatumGetCString(zone));
		if (!isnull[1])
			programme->protection_days = DatumGetInt32(days);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	if (programme->zone == NULL || programme->protection_days <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("revrtm.programme has no row with a time zone and protection_days"),
				 errhint("INSERT INTO revrtm.programme DEFAULT VALUES.")));
	return programme;
}

const RtmProgramme *
rtm_query_programme(FmgrInfo *flinfo)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);

	if (cache->data == NULL)
		cache->data = (void *) rtm_read_programme(cache->context);
	return cache->data;
}

/*
 * revrtm.programme_date(at): the day of an instant in the programme's zone.
 */
Datum
revrtm_programme_date(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(rtm_local_day(PG_GETARG_TIMESTAMPTZ(0),
									rtm_query_programme(fcinfo->flinfo)->zone));
}
