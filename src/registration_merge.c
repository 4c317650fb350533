/*-------------------------------------------------------------------------
 *
 * registration_merge.c
 *		Accounts that were merged into others take no registrations.
 *
 * Which were merged is in account_merge, as the store of journeys read it. It
 * is looked up below the privileges of the table; who may not read it is not
 * told the survivor.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "lookup.h"
#include "registration.h"

enum
{
	MERGE_ACCOUNT = 1,
	MERGE_CANONICAL,
	MERGE_COLUMNS = MERGE_CANONICAL
};

static const RtmColumn merge_column[] = {
	{MERGE_ACCOUNT, "account_id", TEXTOID},
	{MERGE_CANONICAL, "canonical_id", TEXTOID}
};

static bool
may_read(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		pg_class_aclcheck(relid, GetOuterUserId(), ACL_SELECT) == ACLCHECK_OK;
}

bool
rtm_is_merged(Relation rel, const RtmRegistration *reg, char **survivor)
{
	Relation	merges;
	TupleTableSlot *slot;
	Snapshot	snapshot;
	bool		found;

	*survivor = NULL;
	if (REG_ISNULL(reg, REG_ACCOUNT))
		return false;
	merges = rtm_open_table("account_merge", AccessShareLock, merge_column, MERGE_COLUMNS);
	slot = table_slot_create(merges, NULL);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	found = rtm_find_row(merges, MERGE_ACCOUNT, REG_VALUE(reg, REG_ACCOUNT), snapshot, slot);
	if (found && (rtm_actor(rel) != RTM_PARTNER || may_read(merges)))
	{
		bool		isnull;
		Datum		canonical = slot_getattr(slot, MERGE_CANONICAL, &isnull);

		*survivor = isnull ? NULL : TextDatumGetCString(canonical);
	}
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(merges, AccessShareLock);
	return found;
}

void
rtm_refuse_merged(Relation rel, const RtmRegistration *reg)
{
	char	   *survivor;

	if (rtm_is_merged(rel, reg, &survivor))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("account \"%s\" of a deal registration was merged into another",
						rtm_registration_text(reg, REG_ACCOUNT)),
				 survivor != NULL
				 ? errhint("Register the deal for account \"%s\".", survivor)
				 : errhint("Ask channel management which account it is now."),
				 errtableconstraint(rel, "roe_account_merged")));
}
