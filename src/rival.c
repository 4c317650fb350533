/*-------------------------------------------------------------------------
 *
 * rival.c
 *		What is in the way of a registration, and who may know of it.
 *
 * The look ahead for a protection uses the index of the exclusion constraint
 * with a dirty snapshot: it sees what is committed and what this transaction
 * wrote, and leaves rows that other transactions are still writing to the
 * constraint, which waits for them.
 *
 * Row security hides a rival from a partner, so the search goes below it, and
 * what it finds is told only to those who could have read it themselves.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "lookup.h"
#include "owner.h"
#include "plan_guard.h"
#include "registration.h"

/* The key of roe_protected, in its order. */
static const AttrNumber protected_key[] = {REG_ACCOUNT, REG_REGION, REG_PRODUCT, REG_PROTECTION};

#define KEY_COLUMNS lengthof(protected_key)

REVRTM_FUNCTION(revrtm_find_protection);

char *
rtm_rival_text(const RtmRival *rival)
{
	return psprintf("Registration %s of partner \"%s\" protects account \"%s\" in %s.",
					rtm_uuid_text(&rival->id), rival->partner, rival->account,
					rtm_range_text(rival->protection));
}

static bool
may_read_columns(Oid relid, Oid user)
{
	static const AttrNumber shown[] = {REG_ID, REG_ACCOUNT, REG_PARTNER, REG_PROTECTION};
	int			i;

	if (pg_class_aclcheck(relid, user, ACL_SELECT) == ACLCHECK_OK)
		return true;
	for (i = 0; i < lengthof(shown); i++)
		if (pg_attribute_aclcheck(relid, shown[i], user, ACL_SELECT) != ACLCHECK_OK)
			return false;
	return true;
}

/*
 * Could this user read the rival? The privileges are checked first, so that
 * asking raises no error; then row security answers for itself.
 */
static bool
may_read(Oid relid, Oid user, const RtmRival *rival)
{
	static RtmStatement search = {
		"SELECT 1 FROM revrtm.deal_registration WHERE registration_id OPERATOR(pg_catalog.=) $1"
		" AND account_id OPERATOR(pg_catalog.=) $2",
		2, {UUIDOID, TEXTOID}
	};
	Datum		values[2] = {UUIDPGetDatum(&rival->id), CStringGetTextDatum(rival->account)};
	Datum		usage = CStringGetTextDatum("USAGE");
	Oid			schema = get_rel_namespace(relid);
	Oid			saved_user;
	int			context;
	bool		found;

	if (!may_read_columns(relid, user) ||
		!DatumGetBool(DirectFunctionCall3(has_schema_privilege_id_id, ObjectIdGetDatum(user),
										  ObjectIdGetDatum(schema), usage)))
		return false;

	GetUserIdAndSecContext(&saved_user, &context);
	SetUserIdAndSecContext(user, context | SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
	rtm_plan_unguarded = true;
	PG_TRY();
	{
		if (SPI_execute_snapshot(rtm_plan(&search), values, NULL, GetLatestSnapshot(),
								 InvalidSnapshot, false, false, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not search for a registration");	/* cannot happen */
		found = SPI_processed > 0;
	}
	PG_FINALLY();
	{
		rtm_plan_unguarded = false;
	}
	PG_END_TRY();
	SPI_finish();
	SetUserIdAndSecContext(saved_user, context);
	return found;
}

/*
 * A function with its definer's rights must not learn for its caller what the
 * caller may not see, nor the other way round: both are asked.
 */
bool
rtm_may_tell(Oid relid, const RtmRival *rival)
{
	Oid			user = GetUserId();
	Oid			outer = GetOuterUserId();

	return may_read(relid, user, rival) && (outer == user || may_read(relid, outer, rival));
}

/*
 * The index of roe_protected, known by its key: on a shard it has another
 * name.
 */
static Relation
open_protected_index(Relation rel)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (form->indisexclusion && form->indisvalid && form->indnkeyatts == KEY_COLUMNS &&
			memcmp(form->indkey.values, protected_key, sizeof(protected_key)) == 0)
			return index;
		index_close(index, AccessShareLock);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("constraint \"roe_protected\" of relation \"%s\" does not exist",
					RelationGetRelationName(rel))));
}

/*
 * Copy out what is told of a row; false where there is nothing to tell,
 * since the table has lost its constraints.
 */
static bool
read_rival(TupleTableSlot *slot, RtmRival *rival)
{
	bool		isnull;

	if (slot_attisnull(slot, REG_ID) || slot_attisnull(slot, REG_ACCOUNT) ||
		slot_attisnull(slot, REG_PARTNER) || slot_attisnull(slot, REG_PROTECTION) ||
		slot_attisnull(slot, REG_SUBMITTED_AT))
		return false;
	rival->submitted_at = DatumGetTimestampTz(slot_getattr(slot, REG_SUBMITTED_AT, &isnull));
	rival->id = *DatumGetUUIDP(slot_getattr(slot, REG_ID, &isnull));
	rival->account = TextDatumGetCString(slot_getattr(slot, REG_ACCOUNT, &isnull));
	rival->partner = TextDatumGetCString(slot_getattr(slot, REG_PARTNER, &isnull));
	rival->protection =
		PointerGetDatum(PG_DETOAST_DATUM_COPY(slot_getattr(slot, REG_PROTECTION, &isnull)));
	return true;
}

/*
 * Does a row come before that place in the order of submission?
 */
static bool
comes_before(TupleTableSlot *slot, TimestampTz submitted_at, const pg_uuid_t *id)
{
	bool		isnull[2];
	Datum		at = slot_getattr(slot, REG_SUBMITTED_AT, &isnull[0]);
	Datum		other = slot_getattr(slot, REG_ID, &isnull[1]);

	if (isnull[0] || isnull[1])
		return false;
	if (DatumGetTimestampTz(at) != submitted_at)
		return DatumGetTimestampTz(at) < submitted_at;
	return id == NULL || memcmp(DatumGetUUIDP(other), id, UUID_LEN) < 0;
}

static bool
is_row(TupleTableSlot *slot, const pg_uuid_t *id)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, REG_ID, &isnull);

	return id != NULL && !isnull && memcmp(DatumGetUUIDP(value), id, UUID_LEN) == 0;
}

bool
rtm_find_rival(Relation rel, const RtmRegistration *reg, const pg_uuid_t *self, RtmRival *rival)
{
	Relation	index = open_protected_index(rel);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	SnapshotData dirty;
	IndexScanDesc scan;
	ScanKeyData scankey[KEY_COLUMNS];
	Oid		   *operators;
	Oid		   *procs;
	uint16	   *strategies;
	bool		found = false;
	int			i;

	RelationGetExclusionInfo(index, &operators, &procs, &strategies);
	for (i = 0; i < KEY_COLUMNS; i++)
		ScanKeyEntryInitialize(&scankey[i], 0, i + 1, strategies[i], InvalidOid,
							   index->rd_indcollation[i], procs[i],
							   REG_VALUE(reg, protected_key[i]));

	InitDirtySnapshot(dirty);
	scan = rtm_index_beginscan(rel, index, &dirty, KEY_COLUMNS);
	index_rescan(scan, scankey, KEY_COLUMNS, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		bool		overlaps = true;

		CHECK_FOR_INTERRUPTS();

		/* Someone else is still writing it. */
		if (TransactionIdIsValid(dirty.xmin) || TransactionIdIsValid(dirty.xmax))
			continue;
		if (is_row(slot, self))
			continue;
		for (i = 0; i < KEY_COLUMNS && overlaps && scan->xs_recheck; i++)
			overlaps = DatumGetBool(OidFunctionCall2Coll(procs[i], index->rd_indcollation[i],
														 slot_getattr(slot, protected_key[i],
																	  &isnull),
														 REG_VALUE(reg, protected_key[i])));
		if (!overlaps || (found && !comes_before(slot, rival->submitted_at, &rival->id)))
			continue;
		if (read_rival(slot, rival))
			found = true;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	return found;
}

static bool
scopes_overlap(TupleTableSlot *slot, const RtmRegistration *reg, int column, TypeCacheEntry *span)
{
	bool		isnull;
	Datum		scope = slot_getattr(slot, column, &isnull);

	return !isnull &&
		multirange_overlaps_multirange_internal(span, DatumGetMultirangeTypeP(scope),
												DatumGetMultirangeTypeP(REG_VALUE(reg, column)));
}

static bool
is_other(TupleTableSlot *slot, const RtmRegistration *reg, RtmSearch search, DateADT day)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, REG_STATUS, &isnull);
	const RtmState *state = isnull ? NULL : rtm_state(TextDatumGetCString(value));

	if (state == NULL)
		return false;
	if (search == RTM_OWN)
	{
		if (state->open)
			return true;
		value = slot_getattr(slot, REG_PROTECTION, &isnull);
		return state->active && !isnull && !rtm_protection_over(value, day);
	}
	value = slot_getattr(slot, REG_EXCLUSIVE, &isnull);
	if (isnull || !DatumGetBool(value))
		return false;
	if (search == RTM_OWN_PROTECTED)
	{
		value = slot_getattr(slot, REG_PROTECTION, &isnull);
		return state->active && !isnull &&
			range_overlaps_internal(lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO),
									DatumGetRangeTypeP(value),
									DatumGetRangeTypeP(REG_VALUE(reg, REG_PROTECTION)));
	}
	return state->open &&
		(search == RTM_WAITING || REG_ISNULL(reg, REG_SUBMITTED_AT) ||
		 comes_before(slot, DatumGetTimestampTz(REG_VALUE(reg, REG_SUBMITTED_AT)),
					  REG_ISNULL(reg, REG_ID) ? NULL : DatumGetUUIDP(REG_VALUE(reg, REG_ID))));
}

/*
 * The partner's own are found by an index that leads to nobody else's rows, so
 * that neither time nor statistics tell how many others there are.
 *
 * With the latest snapshot, for under REPEATABLE READ the transaction's own
 * may be older than what the partner has just been told of.
 */
bool
rtm_find_other(Relation rel, const RtmRegistration *reg, RtmSearch search, DateADT day,
			   const pg_uuid_t *self, RtmRival *other)
{
	static const AttrNumber own_key[] = {REG_PARTNER, REG_ACCOUNT};
	static const AttrNumber live_key[] = {REG_ACCOUNT};
	bool		any = search == RTM_EARLIER || search == RTM_WAITING;
	const AttrNumber *key = any ? live_key : own_key;
	int			columns = any ? lengthof(live_key) : lengthof(own_key);
	Relation	index;
	TupleTableSlot *slot;
	TypeCacheEntry *span = lookup_type_cache(INT8RANGEOID, TYPECACHE_RANGE_INFO);
	Snapshot	snapshot;
	IndexScanDesc scan;
	ScanKeyData scankey[lengthof(own_key)];
	bool		found = false;
	int			i;

	if (!any && REG_ISNULL(reg, REG_PARTNER))
		return false;
	index = rtm_open_index(rel, key, columns);
	slot = table_slot_create(rel, NULL);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	for (i = 0; i < columns; i++)
		ScanKeyEntryInitialize(&scankey[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[i], F_TEXTEQ, REG_VALUE(reg, key[i]));
	scan = rtm_index_beginscan(rel, index, snapshot, columns);
	index_rescan(scan, scankey, columns, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (is_row(slot, self) || !is_other(slot, reg, search, day) ||
			!scopes_overlap(slot, reg, REG_PRODUCT, span) ||
			!scopes_overlap(slot, reg, REG_REGION, span) ||
			(found && !comes_before(slot, other->submitted_at, &other->id)))
			continue;
		if (read_rival(slot, other))
			found = true;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	UnregisterSnapshot(snapshot);
	return found;
}

void
rtm_refuse_rival(Relation rel, const RtmRival *rival)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXCLUSION_VIOLATION),
			 errmsg(RTM_CONFLICT),
			 rtm_may_tell(RelationGetRelid(rel), rival)
			 ? errdetail("%s", rtm_rival_text(rival)) : errdetail(RTM_RIVAL_HIDDEN),
			 errhint(RTM_CONFLICT_HINT),
			 errtableconstraint(rel, "roe_protected")));
}

/*
 * revrtm.find_protection(account, product, region, protection): what is in
 * the way, as far as the caller may know.
 */
Datum
revrtm_find_protection(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RtmRegistration reg;
	Relation	rel;
	RtmRival	rival;
	bool		found;

	REG_SET(&reg, REG_ACCOUNT, PG_GETARG_DATUM(0));
	REG_SET(&reg, REG_PRODUCT, PG_GETARG_DATUM(1));
	REG_SET(&reg, REG_REGION, PG_GETARG_DATUM(2));
	REG_SET(&reg, REG_PROTECTION, PG_GETARG_DATUM(3));
	InitMaterializedSRF(fcinfo, 0);
	rel = rtm_open_registrations(AccessShareLock);

	/*
	 * For those who may register. A partner is told of its own alone, and of
	 * the period that it cannot choose: it would find a rival's scope and days
	 * by asking for one after the other.
	 */
	if (!rtm_may_write(rel, REG_ACCOUNT, ACL_INSERT, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(rel));
	if (rtm_may_choose(rel, REG_PROTECTION, ACL_INSERT))
		found = rtm_find_rival(rel, &reg, NULL, &rival);
	else
	{
		const RtmTerms *terms = rtm_query_terms(fcinfo->flinfo);
		DateADT		day = rtm_local_day(GetCurrentTimestamp(), terms->programme->zone);

		REG_VALUE(&reg, REG_PARTNER) = rtm_current_partner(&REG_ISNULL(&reg, REG_PARTNER));
		REG_SET(&reg, REG_PROTECTION, rtm_protection_from(terms->programme, day));
		found = rtm_find_other(rel, &reg, RTM_OWN_PROTECTED, day, NULL, &rival);
	}
	if (found)
	{
		bool		tell = rtm_may_tell(RelationGetRelid(rel), &rival);
		Datum		values[3] = {
			CStringGetTextDatum("PROTECTED"),
			UUIDPGetDatum(&rival.id),
			CStringGetTextDatum(tell ? rtm_rival_text(&rival) : RTM_RIVAL_HIDDEN)
		};
		bool		nulls[3] = {false, !tell, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(rel, AccessShareLock);
	return (Datum) 0;
}
