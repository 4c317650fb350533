/*-------------------------------------------------------------------------
 *
 * registration_event.c
 *		The event log of registrations.
 *
 * An entry is written once the row is, so that what a conflict skips leaves
 * none, and as the owner of the log, for nobody else may write into it. The
 * row's revision numbers the entries.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "owner.h"
#include "registration.h"

REVRTM_FUNCTION(revrtm_log_registration);

enum
{
	EVENT_REGISTRATION,
	EVENT_ACCOUNT,
	EVENT_REVISION,
	EVENT_PARTNER,
	EVENT_AT,
	EVENT_LOGGED_AT,
	EVENT_ACTOR,
	EVENT_ACTING_ROLE,
	EVENT_APP_ACTOR,
	EVENT_ACTED_AS,
	EVENT_FROM,
	EVENT_TO,
	EVENT_REASON,
	EVENT_CHANGED,
	EVENT_COLUMNS
};

static RtmStatement insert_event = {
	"INSERT INTO revrtm.registration_event (registration_id, account_id, revision, partner_id, at,"
	" logged_at, actor, acting_role, app_actor, acted_as, from_status, to_status, reason, changed)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
	EVENT_COLUMNS,
	{UUIDOID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID},
	CURSOR_OPT_GENERIC_PLAN
};

/*
 * An instant, the same under every DateStyle and TimeZone.
 */
static char *
instant_text(TimestampTz at)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fraction;

	if (TIMESTAMP_NOT_FINITE(at))
		EncodeSpecialTimestamp(at, text);
	else if (timestamp2tm(at, NULL, &tm, &fraction, NULL, NULL) == 0)
	{
		tm.tm_isdst = 0;
		EncodeDateTime(&tm, fraction, true, 0, NULL, USE_XSD_DATES, text);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return pstrdup(text);
}

static void
append_json(StringInfo json, Oid type, Datum value, bool isnull)
{
	Datum	   *element;
	bool	   *element_null;
	int			n;
	int			i;

	if (isnull)
	{
		appendStringInfoString(json, "null");
		return;
	}
	switch (type)
	{
		case BOOLOID:
			appendStringInfoString(json, DatumGetBool(value) ? "true" : "false");
			break;
		case NUMERICOID:
			appendStringInfoString(json, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
			break;
		case DATEOID:
			escape_json(json, rtm_day_text(DatumGetDateADT(value)));
			break;
		case DATERANGEOID:
			escape_json(json, rtm_range_text(value));
			break;
		case TIMESTAMPTZOID:
			escape_json(json, instant_text(DatumGetTimestampTz(value)));
			break;
		case JSONBOID:
			JsonbToCString(json, &DatumGetJsonbP(value)->root, 0);
			break;
		case TEXTARRAYOID:
			deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
							  &element, &element_null, &n);
			appendStringInfoChar(json, '[');
			for (i = 0; i < n; i++)
			{
				if (i > 0)
					appendStringInfoChar(json, ',');
				append_json(json, TEXTOID, element[i], element_null[i]);
			}
			appendStringInfoChar(json, ']');
			break;
		default:
			escape_json(json, TextDatumGetCString(value));
	}
}

/*
 * {"amount": {"old": 1, "new": 2}, ...} of the columns that changed, the old
 * alone of a row that is deleted; NULL where none did. A registration's place
 * in the order changes silently with a draft alone.
 */
static Datum
changed_fields(Relation rel, const RtmRegistration *old, const RtmRegistration *new, bool *isnull)
{
	char	   *status = rtm_registration_text(old, REG_STATUS);
	bool		is_draft = status != NULL && strcmp(status, "draft") == 0;
	StringInfoData json;
	int			column;

	initStringInfo(&json);
	for (column = 1; column <= REG_COLUMNS; column++)
	{
		const RtmColumn *of = &rtm_reg_column[column - 1];

		if (!rtm_business_column(column) && column != REG_PROTECTION &&
			(column != REG_SUBMITTED_AT || new == NULL || is_draft))
			continue;
		if (new == NULL ? REG_ISNULL(old, column) : !rtm_column_differs(rel, old, new, column))
			continue;
		appendStringInfo(&json, "%c\"%s\": {\"old\": ", json.len > 0 ? ',' : '{', of->name);
		append_json(&json, of->type, REG_VALUE(old, column), REG_ISNULL(old, column));
		if (new != NULL)
		{
			appendStringInfoString(&json, ", \"new\": ");
			append_json(&json, of->type, REG_VALUE(new, column), REG_ISNULL(new, column));
		}
		appendStringInfoChar(&json, '}');
	}
	*isnull = json.len == 0;
	if (*isnull)
		return (Datum) 0;
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/*
 * The table's owner writes, whoever caused it; row security and privileges
 * are his.
 */
static void
write_event(Relation rel, Datum *value, const char *nulls)
{
	RtmOwnerCall call;

	rtm_enter_owner(&call, rel);
	if (SPI_execute_plan(rtm_plan(&insert_event), value, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write the event log");	/* cannot happen */
	rtm_leave_owner(&call);
}

static void
set_text(Datum *value, char *nulls, int column, const char *text)
{
	nulls[column] = text == NULL || text[0] == '\0' ? 'n' : ' ';
	value[column] = nulls[column] == 'n' ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
set_column(Datum *value, char *nulls, int column, const RtmRegistration *row, int of)
{
	nulls[column] = REG_ISNULL(row, of) ? 'n' : ' ';
	value[column] = REG_VALUE(row, of);
}

/*
 * revrtm.log_registration(): the trigger that writes the log.
 */
Datum
revrtm_log_registration(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Relation	rel;
	RtmRegistration old;
	RtmRegistration new;
	RtmRegistration *row = &new;
	Datum		value[EVENT_COLUMNS] = {0};
	char		nulls[EVENT_COLUMNS];
	const char *before = NULL;
	const char *after = NULL;
	const char *reason = NULL;
	const RtmOverride *override;
	bool		isnull = true;
	AclMode		mode;
	int			i;

	if (!rtm_fired_after_row(fcinfo, rtm_reg_column, REG_COLUMNS))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"log_registration\" must be fired after each row of "
						"the table deal_registration")));
	rel = data->tg_relation;
	mode = TRIGGER_FIRED_BY_INSERT(data->tg_event) ? ACL_INSERT : ACL_UPDATE;
	if (TRIGGER_FIRED_BY_INSERT(data->tg_event))
	{
		rtm_read_registration(&new, data->tg_trigtuple, RelationGetDescr(rel));
		/* History, whose entries come by themselves. */
		if (DatumGetTimestampTz(REG_VALUE(&new, REG_CHECKED_AT)) !=
			GetCurrentTransactionStartTimestamp())
			return PointerGetDatum(NULL);
	}
	else
	{
		rtm_read_registration(&old, data->tg_trigtuple, RelationGetDescr(rel));
		before = rtm_registration_text(&old, REG_STATUS);
		if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
			row = &old;
		else
		{
			rtm_read_registration(&new, data->tg_newtuple, RelationGetDescr(rel));
			if (DatumGetInt32(REG_VALUE(&old, REG_REVISION)) ==
				DatumGetInt32(REG_VALUE(&new, REG_REVISION)))
				return PointerGetDatum(NULL);
		}
	}

	for (i = 0; i < EVENT_COLUMNS; i++)
		nulls[i] = ' ';
	if (row == &new)
		after = rtm_registration_text(&new, REG_STATUS);
	if (before != NULL)
		value[EVENT_CHANGED] = changed_fields(rel, &old, row == &new ? &new : NULL, &isnull);
	nulls[EVENT_CHANGED] = isnull ? 'n' : ' ';
	set_column(value, nulls, EVENT_REGISTRATION, row, REG_ID);
	set_column(value, nulls, EVENT_ACCOUNT, row, REG_ACCOUNT);
	set_column(value, nulls, EVENT_PARTNER, row, REG_PARTNER);
	set_column(value, nulls, EVENT_REVISION, row, REG_REVISION);
	if (row == &old)
		value[EVENT_REVISION] = Int32GetDatum(DatumGetInt32(value[EVENT_REVISION]) + 1);
	value[EVENT_AT] = TimestampTzGetDatum(rtm_default_instant(rel, REG_DECIDED_AT, mode));
	value[EVENT_LOGGED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	set_text(value, nulls, EVENT_ACTOR, GetUserNameFromId(GetSessionUserId(), true));
	set_text(value, nulls, EVENT_ACTING_ROLE, GetUserNameFromId(GetUserId(), true));
	set_text(value, nulls, EVENT_APP_ACTOR, GetConfigOption("revrtm.actor", true, false));
	set_text(value, nulls, EVENT_ACTED_AS, rtm_actor_name(rtm_actor(rel)));
	set_text(value, nulls, EVENT_FROM, before);
	set_text(value, nulls, EVENT_TO, after);
	if (row == &new && (before == NULL || after == NULL ||
						strcmp(before, after) != 0 ||
						rtm_column_differs(rel, &old, &new, REG_PROTECTION)))
		reason = rtm_registration_text(&new, REG_DECISION_REASON);
	override = rtm_override_of(row);
	if (override != NULL)
	{
		value[EVENT_CHANGED] = override->changed;
		nulls[EVENT_CHANGED] = ' ';
		reason = override->reason;
	}
	set_text(value, nulls, EVENT_REASON, reason);
	write_event(rel, value, nulls);
	return PointerGetDatum(NULL);
}
