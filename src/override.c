/*-------------------------------------------------------------------------
 *
 * override.c
 *		Overrides: by which rules staff lets a registration pass, on evidence.
 *
 * An override is written into the log of its registration, as an entry of
 * its own: the row is updated without a change, with the rights of who gives
 * it, and the triggers of the row number and write the entry.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

#include "owner.h"
#include "registration.h"

REVRTM_FUNCTION(revrtm_log_override);

/* The override that is being written into the log. */
static const RtmOverride *current = NULL;

enum
{
	OVERRIDE_ID = 1,
	OVERRIDE_REGISTRATION,
	OVERRIDE_ACCOUNT,
	OVERRIDE_RULE,
	OVERRIDE_KIND,
	OVERRIDE_EVIDENCE,
	OVERRIDE_REASON,
	OVERRIDE_GRANTED_AT,
	OVERRIDE_GRANTED_BY,
	OVERRIDE_EXPIRES_AT,
	OVERRIDE_CHECKED_AT,
	OVERRIDE_COLUMNS = OVERRIDE_CHECKED_AT
};

static const RtmColumn override_column[OVERRIDE_COLUMNS] = {
	{OVERRIDE_ID, "override_id", UUIDOID},
	{OVERRIDE_REGISTRATION, "registration_id", UUIDOID},
	{OVERRIDE_ACCOUNT, "account_id", TEXTOID},
	{OVERRIDE_RULE, "rule", TEXTOID},
	{OVERRIDE_KIND, "kind", TEXTOID},
	{OVERRIDE_EVIDENCE, "evidence", TEXTOID},
	{OVERRIDE_REASON, "reason", TEXTOID},
	{OVERRIDE_GRANTED_AT, "granted_at", TIMESTAMPTZOID},
	{OVERRIDE_GRANTED_BY, "granted_by", TEXTOID},
	{OVERRIDE_EXPIRES_AT, "expires_at", TIMESTAMPTZOID},
	{OVERRIDE_CHECKED_AT, "checked_at", TIMESTAMPTZOID}
};

const RtmOverride *
rtm_override_of(const RtmRegistration *reg)
{
	if (current == NULL || REG_ISNULL(reg, REG_ID) ||
		memcmp(DatumGetUUIDP(REG_VALUE(reg, REG_ID)), current->id, UUID_LEN) != 0)
		return NULL;
	return current;
}

#define UTC_TEXT(instant) \
	"pg_catalog.to_char(pg_catalog.timezone('UTC', " instant "), 'YYYY-MM-DD HH24:MI \"UTC\"')"

char *
rtm_overridden(Relation rel, const pg_uuid_t *id, const char *rule, TimestampTz at)
{
	static RtmStatement search = {
		"SELECT " UTC_TEXT("pg_catalog.max(o.expires_at)") " FROM revrtm.roe_override o"
		" WHERE o.registration_id OPERATOR(pg_catalog.=) $1 AND o.rule OPERATOR(pg_catalog.=) $2"
		" AND o.granted_at OPERATOR(pg_catalog.<=) $3 AND o.expires_at OPERATOR(pg_catalog.>) $3",
		3, {UUIDOID, TEXTOID, TIMESTAMPTZOID}
	};
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[] = {
		UUIDPGetDatum(id), CStringGetTextDatum(rule), TimestampTzGetDatum(at)
	};
	char	   *until = NULL;
	RtmOwnerCall call;
	bool		isnull;
	Datum		value;

	rtm_enter_owner(&call, rel);
	rtm_ask(&search, values, NULL);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		until = MemoryContextStrdup(caller, TextDatumGetCString(value));
	rtm_leave_owner(&call);
	return until;
}

/*
 * {"override": {"old": null, "new": {...}}}: the evidence stays with staff.
 */
static Datum
log_entry(const Datum *value)
{
	static Oid	types[] = {UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		args[] = {
		value[OVERRIDE_ID - 1], value[OVERRIDE_RULE - 1], value[OVERRIDE_KIND - 1],
		value[OVERRIDE_EXPIRES_AT - 1]
	};
	bool		isnull;

	if (SPI_execute_with_args("SELECT pg_catalog.jsonb_build_object('override',"
							  " pg_catalog.jsonb_build_object('old', NULL, 'new',"
							  " pg_catalog.jsonb_build_object('override_id', $1, 'rule', $2,"
							  " 'kind', $3, 'until', " UTC_TEXT("$4") ")))",
							  lengthof(types), types, args, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed == 0)
		elog(ERROR, "could not tell of an override");	/* cannot happen */
	return SPI_datumTransfer(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										   &isnull), false, -1);
}

/*
 * revrtm.log_override(): the trigger of roe_override.
 */
Datum
revrtm_log_override(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Datum		value[OVERRIDE_COLUMNS];
	RtmOverride entry;
	const RtmOverride *outer = current;
	Oid			type = UUIDOID;

	if (!rtm_fired_after_row(fcinfo, override_column, OVERRIDE_COLUMNS) ||
		!TRIGGER_FIRED_BY_INSERT(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"log_override\" must be fired after each insert into "
						"the table roe_override")));
	for (int i = 0; i < OVERRIDE_COLUMNS; i++)
	{
		bool		isnull;

		value[i] = heap_getattr(data->tg_trigtuple, i + 1, RelationGetDescr(data->tg_relation),
								&isnull);
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("an override lacks its %s", override_column[i].name)));
	}
	/* History, whose entry comes by itself. */
	if (DatumGetTimestampTz(value[OVERRIDE_CHECKED_AT - 1]) !=
		GetCurrentTransactionStartTimestamp())
		return PointerGetDatum(NULL);

	SPI_connect();
	entry.id = DatumGetUUIDP(value[OVERRIDE_REGISTRATION - 1]);
	entry.changed = log_entry(value);
	entry.reason = TextDatumGetCString(value[OVERRIDE_REASON - 1]);
	current = &entry;
	PG_TRY();
	{
		if (SPI_execute_with_args("UPDATE revrtm.deal_registration"
								  " SET decision_reason = decision_reason"
								  " WHERE registration_id OPERATOR(pg_catalog.=) $1",
								  1, &type, &value[OVERRIDE_REGISTRATION - 1], NULL, false,
								  0) != SPI_OK_UPDATE)
			elog(ERROR, "could not update a registration");	/* cannot happen */
	}
	PG_FINALLY();
	{
		current = outer;
	}
	PG_END_TRY();
	if (SPI_processed == 0)
		rtm_refuse_unknown(DatumGetUUIDP(value[OVERRIDE_REGISTRATION - 1]));
	SPI_finish();
	return PointerGetDatum(NULL);
}
