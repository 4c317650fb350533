/*-------------------------------------------------------------------------
 *
 * partner.c
 *		current_partner(): which partner the current user acts for.
 *
 * Row security asks this for whoever reads, so the two tables that say it are
 * read here below their privileges, and nothing of them but the answer is
 * given away.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registration.h"
#include "settings.h"

REVRTM_FUNCTION(revrtm_current_partner);

/* The columns of partner_login; partner_proxy has the first alone. */
static const RtmColumn login_column[] = {
	{1, "role_name", TEXTOID},
	{2, "partner_id", TEXTOID}
};

/*
 * The next row whose role, its first column, the current user is or has the
 * privileges of: a membership that lends none, as one with ADMIN only may,
 * makes nobody a partner. A superuser has all of them, so for one the
 * membership must have been granted.
 */
static bool
next_role(TableScanDesc scan, TupleTableSlot *slot, Oid *role)
{
	Oid			user = GetUserId();
	bool		isnull;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		Datum		name = slot_getattr(slot, 1, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		*role = get_role_oid(TextDatumGetCString(name), true);
		if (OidIsValid(*role) && is_member_of_role_nosuper(user, *role) &&
			has_privs_of_role(user, *role))
			return true;
	}
	return false;
}

/*
 * revrtm.current_partner(): the partner the current user acts for, or NULL.
 */
Datum
revrtm_current_partner(PG_FUNCTION_ARGS)
{
	Relation	rel;
	TupleTableSlot *slot;
	TableScanDesc scan;
	Oid			role;
	char	   *partner = NULL;
	bool		proxy;
	bool		own = false;
	bool		several = false;

	rel = rtm_open_table("partner_proxy", AccessShareLock, login_column, 1);
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	proxy = next_role(scan, slot, &role);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	if (proxy)
	{
		if (rtm_partner == NULL || rtm_partner[0] == '\0')
			PG_RETURN_NULL();
		PG_RETURN_TEXT_P(cstring_to_text(rtm_partner));
	}

	rel = rtm_open_table("partner_login", AccessShareLock, login_column, lengthof(login_column));
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	while (!own && next_role(scan, slot, &role))
	{
		bool		isnull;
		Datum		id = slot_getattr(slot, 2, &isnull);
		char	   *found;

		if (isnull)
			continue;
		found = TextDatumGetCString(id);
		own = (role == GetUserId());
		if (!own && partner != NULL && strcmp(partner, found) != 0)
			several = true;
		partner = found;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);

	if (partner == NULL || (several && !own))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(partner));
}

Datum
rtm_current_partner(bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 0);
	Datum		partner;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	partner = revrtm_current_partner(fcinfo);
	*isnull = fcinfo->isnull;
	return partner;
}
