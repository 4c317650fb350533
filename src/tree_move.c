/*-------------------------------------------------------------------------
 *
 * tree_move.c
 *		What becomes of registrations when nodes of a tree move.
 *
 * Their scopes follow. Protections that would overlap then make the move
 * fail, with the pairs named, or the later one of each goes back into the
 * queue; that no two overlap is the constraint's to say, row by row.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "registration.h"
#include "tree.h"

/* How many pairs an error names. */
#define PAIRS_NAMED 10

/* The result of the call of move_region() or move_product() that asks for the queue. */
static ReturnSetInfo *queued = NULL;

REVRTM_FUNCTION(revrtm_move_region);
REVRTM_FUNCTION(revrtm_move_product);

/*
 * Where nodes move, protections do: it is for those who decide on them,
 * whatever else was granted.
 */
void
rtm_lock_registrations(bool move)
{
	if (move)
	{
		Relation	rel = rtm_open_registrations(AccessShareLock);

		rtm_require_staff(rel);
		table_close(rel, AccessShareLock);
	}
	LockRelationOid(rtm_relation("deal_registration"), ShareRowExclusiveLock);
}

static void
read_rival(uint64 row, int column, RtmRival *rival)
{
	bool		isnull;

	rival->id = *DatumGetUUIDP(rtm_answer(row, column, &isnull));
	rival->account = TextDatumGetCString(rtm_answer(row, column + 1, &isnull));
	rival->partner = TextDatumGetCString(rtm_answer(row, column + 2, &isnull));
	rival->protection = rtm_answer(row, column + 3, &isnull);
}

/*
 * Name the pairs that the caller may read.
 */
static void
refuse_pairs(RtmTree tree, Relation rel, uint64 pairs)
{
	StringInfoData detail;
	int			hidden = 0;
	uint64		row;

	initStringInfo(&detail);
	for (row = 0; row < Min(pairs, PAIRS_NAMED); row++)
	{
		RtmRival	earlier;
		RtmRival	later;

		read_rival(row, 1, &earlier);
		read_rival(row, 5, &later);
		if (rtm_may_tell(RelationGetRelid(rel), &earlier) &&
			rtm_may_tell(RelationGetRelid(rel), &later))
			appendStringInfo(&detail, "%s%s %s", detail.len > 0 ? "\n" : "",
							 rtm_rival_text(&earlier), rtm_rival_text(&later));
		else
			hidden++;
	}
	if (hidden > 0)
		appendStringInfo(&detail, "%sPairs that you may not read: %d.",
						 detail.len > 0 ? "\n" : "", hidden);
	if (pairs > PAIRS_NAMED)
		appendStringInfoString(&detail, "\nThere are more.");
	ereport(ERROR,
			(errcode(ERRCODE_EXCLUSION_VIOLATION),
			 errmsg("protections would overlap in the changed tree %s", rtm_tree_name[tree]),
			 errdetail("%s", detail.data),
			 errhint("End one of each pair first, or let revrtm.move_%s() queue the later ones: "
					 "on_conflict => 'queue'. Those whose days are over "
					 "revrtm.expire_registrations() ends.", rtm_tree_name[tree]),
			 errtableconstraint(rel, "roe_protected")));
}

/*
 * Report registrations that gave way.
 */
static void
put_queued(Relation rel, uint64 rows)
{
	uint64		row;

	for (row = 0; row < rows; row++)
	{
		Datum		values[5] = {0};
		bool		nulls[5] = {false};
		RtmRival	earlier;
		bool		tell;

		values[0] = rtm_answer(row, 1, &nulls[0]);
		earlier.account = TextDatumGetCString(rtm_answer(row, 2, &nulls[1]));
		values[1] = rtm_answer(row, 3, &nulls[1]);
		values[2] = CStringGetTextDatum("PROTECTED");
		values[3] = rtm_answer(row, 4, &nulls[3]);
		earlier.id = *DatumGetUUIDP(values[3]);
		tell = rtm_may_tell(RelationGetRelid(rel), &earlier);
		nulls[3] = !tell;
		values[4] = CStringGetTextDatum(tell ? "An earlier registration overlaps it now."
										: RTM_RIVAL_HIDDEN);
		tuplestore_putvalues(queued->setResult, queued->setDesc, values, nulls);
	}
}

void
rtm_follow_nodes(RtmTree tree, RtmPlaced placed)
{
	Relation	rel;
	Datum		values[2];
	uint64		rows;

	if (placed == NULL)
		return;
	rel = rtm_open_registrations(AccessShareLock);
	values[0] = makeArrayResult(placed, CurrentMemoryContext);
	if (queued != NULL)
	{
		values[1] = PointerGetDatum(cstring_to_text(
			psprintf("The tree %s was reorganised: an earlier registration protects this account "
					 "and scope.", rtm_tree_name[tree])));
		while ((rows = rtm_ask_tree(tree, QUEUE_LATER, values, NULL)) > 0)
			put_queued(rel, rows);
	}
	else
	{
		values[1] = Int64GetDatum(PAIRS_NAMED + 1);
		rows = rtm_ask_tree(tree, CONFLICTS, values, NULL);
		if (rows > 0)
			refuse_pairs(tree, rel, rows);
	}
	rtm_ask_tree(tree, FOLLOW, values, NULL);
	table_close(rel, AccessShareLock);
}

static void
update_parent(RtmTree tree, Datum *args)
{
	const char *name = rtm_tree_name[tree];
	Oid			types[2] = {TEXTOID, TEXTOID};

	SPI_connect();
	if (SPI_execute_with_args(psprintf("UPDATE revrtm.%1$s SET parent_id = $2"
									   " WHERE %1$s_id OPERATOR(pg_catalog.=) $1", name),
							  2, types, args, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not move a node");	/* cannot happen */
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("%s \"%s\" does not exist", name, TextDatumGetCString(args[0])),
				 errhint("The codes are listed in revrtm.%s.", name)));
	SPI_finish();
}

/*
 * An UPDATE of parent_id with the caller's own rights.
 */
static Datum
move_node(FunctionCallInfo fcinfo, RtmTree tree)
{
	Datum		args[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	ReturnSetInfo *outer = queued;
	char	   *on_conflict = PG_ARGISNULL(2) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(2));
	bool		queue = strcmp(on_conflict, "queue") == 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be NULL", PG_ARGISNULL(0)
						? psprintf("%s_id", rtm_tree_name[tree]) : "parent_id")));
	if (!queue && strcmp(on_conflict, "refuse") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_conflict must be refuse or queue")));

	InitMaterializedSRF(fcinfo, 0);
	queued = queue ? (ReturnSetInfo *) fcinfo->resultinfo : NULL;
	PG_TRY();
	{
		update_parent(tree, args);
	}
	PG_FINALLY();
	{
		queued = outer;
	}
	PG_END_TRY();
	return (Datum) 0;
}

Datum
revrtm_move_region(PG_FUNCTION_ARGS)
{
	return move_node(fcinfo, RTM_REGION);
}

Datum
revrtm_move_product(PG_FUNCTION_ARGS)
{
	return move_node(fcinfo, RTM_PRODUCT);
}
