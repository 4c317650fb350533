/*-------------------------------------------------------------------------
 *
 * conflict.c
 *		Conflict cases: opened and lapsed by what happens to registrations,
 *		their log, and merges of accounts.
 *
 * A partner's own statement may open a case, of which he must not learn the
 * other side, and may not write a row himself. So it is opened once his row
 * is there, and as the owner of the tables.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "owner.h"
#include "registration.h"

REVRTM_FUNCTION(revrtm_follow_registration);
REVRTM_FUNCTION(revrtm_log_conflict);
REVRTM_FUNCTION(revrtm_merge_accounts);

extern Datum revrtm_as_of(PG_FUNCTION_ARGS);

enum
{
	CASE_ID = 1,
	CASE_ACCOUNT,
	CASE_KIND,
	CASE_CLAIM_A,
	CASE_CLAIM_B,
	CASE_CAUSE,
	CASE_OPENED_AT,
	CASE_STATUS,
	CASE_WINNER,
	CASE_SPLIT,
	CASE_REASON,
	CASE_DECIDED_AT,
	CASE_OPPORTUNITY,
	CASE_COLUMNS = CASE_OPPORTUNITY
};

static const RtmColumn case_column[CASE_COLUMNS] = {
	{CASE_ID, "case_id", UUIDOID},
	{CASE_ACCOUNT, "account_id", TEXTOID},
	{CASE_KIND, "kind", TEXTOID},
	{CASE_CLAIM_A, "claim_a", TEXTOID},
	{CASE_CLAIM_B, "claim_b", TEXTOID},
	{CASE_CAUSE, "cause", TEXTOID},
	{CASE_OPENED_AT, "opened_at", TIMESTAMPTZOID},
	{CASE_STATUS, "status", TEXTOID},
	{CASE_WINNER, "winner", TEXTOID},
	{CASE_SPLIT, "split", NUMERICOID},
	{CASE_REASON, "reason", TEXTOID},
	{CASE_DECIDED_AT, "decided_at", TIMESTAMPTZOID},
	{CASE_OPPORTUNITY, "opportunity_id", TEXTOID}
};

static RtmStatement open_conflicts = {
	"SELECT revrtm.open_conflict(o.account_id, 'registration:' OPERATOR(pg_catalog.||) $2, $3, $4,"
	" 'registration:' OPERATOR(pg_catalog.||) o.registration_id::pg_catalog.text, o.partner_id,"
	" o.submitted_at, 'registration', $5)"
	" FROM revrtm.deal_registration o"
	" WHERE o.account_id OPERATOR(pg_catalog.=) $1 AND o.exclusive"
	" AND o.partner_id OPERATOR(pg_catalog.<>) $3"
	" AND o.product OPERATOR(pg_catalog.&&) $6 AND o.region OPERATOR(pg_catalog.&&) $7"
	" AND o.protection OPERATOR(pg_catalog.&&) $8"
	" AND CASE WHEN $9 THEN o.active ELSE o.status OPERATOR(pg_catalog.=)"
	" ANY ('{submitted,queued,in_review,action_required}') END"
	" ORDER BY o.submitted_at, o.registration_id",
	9,
	{TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8MULTIRANGEOID,
	INT8MULTIRANGEOID, DATERANGEOID, BOOLOID}
};

static RtmStatement lapse_conflict = {
	"SELECT revrtm.lapse_conflict('registration:' OPERATOR(pg_catalog.||) $1, $2)",
	2,
	{TEXTOID, TIMESTAMPTZOID}
};

static RtmStatement insert_event = {
	"INSERT INTO revrtm.conflict_event (case_id, account_id, revision, at, logged_at, actor,"
	" acting_role, app_actor, from_status, to_status, winner, split, reason, opportunity_id)"
	" SELECT $1, $2, (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.+) 1"
	" FROM revrtm.conflict_event e WHERE e.case_id OPERATOR(pg_catalog.=) $1),"
	" $3, pg_catalog.clock_timestamp(), $4, $5, $6, $7, $8, $9, $10, $11, $12",
	12,
	{UUIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	NUMERICOID, TEXTOID, TEXTOID}
};

/*
 * With the latest snapshot, for under REPEATABLE READ the transaction's own
 * may be older than the rival that the constraint knows.
 */
static void
execute_as_owner(Relation rel, RtmStatement *statement, Datum *values, const char *nulls)
{
	RtmOwnerCall call;

	rtm_enter_owner(&call, rel);
	if (SPI_execute_snapshot(rtm_plan(statement), values, nulls, GetLatestSnapshot(),
							 InvalidSnapshot, false, true, 0) < 0)
		elog(ERROR, "could not write a case");	/* cannot happen */
	rtm_leave_owner(&call);
}

typedef enum Claim
{
	CLAIM_NONE,
	CLAIM_WAITS,
	CLAIM_PROTECTS
} Claim;

/*
 * What a registration claims. Only what others could collide with counts.
 */
static Claim
claim_of(const RtmRegistration *reg)
{
	char	   *status = rtm_registration_text(reg, REG_STATUS);
	const RtmState *state = status == NULL ? NULL : rtm_state(status);

	if (state == NULL || !rtm_is_exclusive(reg))
		return CLAIM_NONE;
	return state->active ? CLAIM_PROTECTS : state->open ? CLAIM_WAITS : CLAIM_NONE;
}

/*
 * Does the claim reach what it did not before?
 */
static bool
is_new_claim(Relation rel, const RtmRegistration *old,
			 const RtmRegistration *new)
{
	static const int reach[] = {
		REG_ACCOUNT, REG_PARTNER, REG_PRODUCT, REG_REGION, REG_PROTECTION
	};
	int			i;

	if (claim_of(old) != claim_of(new))
		return true;
	for (i = 0; i < lengthof(reach); i++)
		if (rtm_column_differs(rel, old, new, reach[i]))
			return true;
	return false;
}

static void
open_for(Relation rel, const RtmRegistration *reg, bool waits, TimestampTz at)
{
	Datum		values[9];
	RtmRival	rival;

	/* The usual case, and one search of an index; what this statement wrote counts. */
	CommandCounterIncrement();
	if (waits ? !rtm_find_rival(rel, reg, NULL, &rival)
		: !rtm_find_other(rel, reg, RTM_WAITING, 0, DatumGetUUIDP(REG_VALUE(reg, REG_ID)),
						  &rival))
		return;
	values[0] = REG_VALUE(reg, REG_ACCOUNT);
	values[1] = CStringGetTextDatum(rtm_uuid_text(DatumGetUUIDP(REG_VALUE(reg, REG_ID))));
	values[2] = REG_VALUE(reg, REG_PARTNER);
	values[3] = REG_VALUE(reg, REG_SUBMITTED_AT);
	values[4] = TimestampTzGetDatum(at);
	values[5] = REG_VALUE(reg, REG_PRODUCT);
	values[6] = REG_VALUE(reg, REG_REGION);
	values[7] = REG_VALUE(reg, REG_PROTECTION);
	values[8] = BoolGetDatum(waits);
	execute_as_owner(rel, &open_conflicts, values, NULL);
}

static void
lapse_for(Relation rel, const RtmRegistration *reg, TimestampTz at)
{
	Datum		values[2];

	values[0] = CStringGetTextDatum(rtm_uuid_text(DatumGetUUIDP(REG_VALUE(reg, REG_ID))));
	values[1] = TimestampTzGetDatum(at);
	execute_as_owner(rel, &lapse_conflict, values, NULL);
}

/*
 * revrtm.follow_registration(): the trigger that opens and lapses cases.
 */
Datum
revrtm_follow_registration(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Relation	rel;
	RtmRegistration old;
	RtmRegistration new;
	TimestampTz at;
	bool		insert;

	if (!rtm_fired_after_row(fcinfo, rtm_reg_column, REG_COLUMNS))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"follow_registration\" must be fired after each row of "
						"the table deal_registration")));
	rel = data->tg_relation;
	insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	at = rtm_default_instant(rel, REG_DECIDED_AT, insert ? ACL_INSERT : ACL_UPDATE);
	rtm_read_registration(insert ? &new : &old, data->tg_trigtuple, RelationGetDescr(rel));
	if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
	{
		lapse_for(rel, &old, at);
		return PointerGetDatum(NULL);
	}
	if (!insert)
		rtm_read_registration(&new, data->tg_newtuple, RelationGetDescr(rel));

	/* History opens nothing: its cases come by themselves. */
	else if (DatumGetTimestampTz(REG_VALUE(&new, REG_CHECKED_AT)) !=
			 GetCurrentTransactionStartTimestamp())
		return PointerGetDatum(NULL);

	switch (claim_of(&new))
	{
		case CLAIM_NONE:
			if (!insert && claim_of(&old) != CLAIM_NONE)
				lapse_for(rel, &new, at);
			break;
		case CLAIM_WAITS:
			if (insert || is_new_claim(rel, &old, &new))
				open_for(rel, &new, true, at);
			break;
		case CLAIM_PROTECTS:
			if (insert || is_new_claim(rel, &old, &new))
				open_for(rel, &new, false, at);
			break;
	}
	return PointerGetDatum(NULL);
}

static Datum
case_value(HeapTuple tuple, TupleDesc desc, int column, char *null)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);

	*null = isnull ? 'n' : ' ';
	return value;
}

static Datum
text_or_null(const char *text, char *null)
{
	*null = text == NULL || text[0] == '\0' ? 'n' : ' ';
	return *null == 'n' ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * revrtm.log_conflict(): the trigger that writes the log of cases.
 */
Datum
revrtm_log_conflict(PG_FUNCTION_ARGS)
{
	static const int logged[] = {CASE_WINNER, CASE_SPLIT, CASE_REASON, CASE_OPPORTUNITY};
	TriggerData *data = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	Datum		value[12];
	char		nulls[12];
	int			i;

	if (!rtm_fired_after_row(fcinfo, case_column, CASE_COLUMNS) ||
		TRIGGER_FIRED_BY_INSERT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"log_conflict\" must be fired after update or delete of each "
						"row of the table conflict_case")));
	desc = RelationGetDescr(data->tg_relation);
	row = TRIGGER_FIRED_BY_DELETE(data->tg_event) ? data->tg_trigtuple : data->tg_newtuple;
	value[0] = case_value(row, desc, CASE_ID, &nulls[0]);
	value[1] = case_value(row, desc, CASE_ACCOUNT, &nulls[1]);
	value[2] = case_value(row, desc, CASE_DECIDED_AT, &nulls[2]);
	if (nulls[2] == 'n' || row == data->tg_trigtuple)
	{
		value[2] = DirectFunctionCall1(revrtm_as_of, (Datum) 0);
		nulls[2] = ' ';
	}
	value[3] = text_or_null(GetUserNameFromId(GetSessionUserId(), true), &nulls[3]);
	value[4] = text_or_null(GetUserNameFromId(GetOuterUserId(), true), &nulls[4]);
	value[5] = text_or_null(GetConfigOption("revrtm.actor", true, false), &nulls[5]);
	value[6] = case_value(data->tg_trigtuple, desc, CASE_STATUS, &nulls[6]);
	value[7] = case_value(row, desc, CASE_STATUS, &nulls[7]);
	if (row == data->tg_trigtuple)
		nulls[7] = 'n';
	for (i = 0; i < lengthof(logged); i++)
		value[8 + i] = case_value(row, desc, logged[i], &nulls[8 + i]);
	execute_as_owner(data->tg_relation, &insert_event, value, nulls);
	return PointerGetDatum(NULL);
}

/*
 * revrtm.merge_accounts(from, into, reason): nobody registers while the two
 * are brought together. The steps themselves are merge_registrations()'s,
 * with the rights of the caller; here they are let through as the system's.
 */
Datum
revrtm_merge_accounts(PG_FUNCTION_ARGS)
{
	static Oid	types[] = {TEXTOID, TEXTOID, TEXTOID};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[3];
	char		nulls[3];
	bool		within = rtm_system_call;
	Relation	rel;
	uint64		row;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	rel = rtm_open_registrations(AccessShareLock);
	rtm_require_staff(rel);
	LockRelationOid(RelationGetRelid(rel), ShareRowExclusiveLock);
	for (i = 0; i < 3; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	SPI_connect();
	rtm_system_call = true;
	PG_TRY();
	{
		if (SPI_execute_with_args("SELECT * FROM revrtm.merge_registrations($1, $2, $3)", 3, types,
								  values, nulls, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not merge accounts");	/* cannot happen */
	}
	PG_FINALLY();
	{
		rtm_system_call = within;
	}
	PG_END_TRY();
	for (row = 0; row < SPI_processed; row++)
	{
		Datum		column[4];
		bool		isnull[4];

		for (i = 0; i < 4; i++)
			column[i] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1,
									  &isnull[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, column, isnull);
	}
	SPI_finish();
	table_close(rel, NoLock);
	return (Datum) 0;
}
