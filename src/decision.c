/*-------------------------------------------------------------------------
 *
 * decision.c
 *		What is done with a registration: one UPDATE each, with the caller's
 *		own rights; and the calls that a scheduler makes.
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
#include "utils/builtins.h"
#include "utils/rel.h"

#include "registration.h"

/* Ten years. */
#define MAX_EXTENSION 3653

REVRTM_FUNCTION(revrtm_review_registration);
REVRTM_FUNCTION(revrtm_approve_registration);
REVRTM_FUNCTION(revrtm_reject_registration);
REVRTM_FUNCTION(revrtm_return_registration);
REVRTM_FUNCTION(revrtm_submit_registration);
REVRTM_FUNCTION(revrtm_extend_registration);
REVRTM_FUNCTION(revrtm_convert_registration);
REVRTM_FUNCTION(revrtm_withdraw_registration);
REVRTM_FUNCTION(revrtm_revoke_registration);
REVRTM_FUNCTION(revrtm_promote_registrations);
REVRTM_FUNCTION(revrtm_expire_registrations);

void
rtm_refuse_unknown(const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("deal registration %s does not exist", rtm_uuid_text(id)),
			 errhint("The registrations you may see are listed in revrtm.deal_registration.")));
}

/*
 * No row was updated: the registration cannot take that step, or there is
 * none that the caller may see.
 */
static void
refuse_decision(FmgrInfo *flinfo, Datum id, const char *to)
{
	Oid			type = UUIDOID;
	bool		isnull;

	if (SPI_execute_with_args("SELECT status::pg_catalog.text FROM revrtm.deal_registration"
							  " WHERE registration_id OPERATOR(pg_catalog.=) $1",
							  1, &type, &id, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a registration");	/* cannot happen */
	if (SPI_processed > 0)
	{
		Relation	rel = table_open(rtm_relation("deal_registration"), AccessShareLock);
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		rtm_refuse_transition(rel, rtm_terms_machine(rtm_query_terms(flinfo)),
							  isnull ? "" : TextDatumGetCString(value), to, rtm_actor(rel));
	}
	rtm_refuse_unknown(DatumGetUUIDP(id));
}

/*
 * The rows of an UPDATE ... RETURNING registration_id, status.
 */
static void
put_updated(ReturnSetInfo *result)
{
	uint64		row;

	for (row = 0; row < SPI_processed; row++)
	{
		Datum		values[5] = {0};
		bool		nulls[5] = {false, false, true, true, true};
		int			i;

		for (i = 0; i < 2; i++)
			values[i] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1,
									  &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Run an UPDATE of one registration, $1, that takes it to a status.
 */
static Datum
decide(FunctionCallInfo fcinfo, const char *to, const char *update, int nargs, Oid *types)
{
	Datum		args[3];
	char		arg_nulls[3];
	int			i;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("registration_id must not be NULL")));

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < nargs; i++)
	{
		args[i] = PG_GETARG_DATUM(i);
		arg_nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}

	/* The result is taken for what these columns are, so they must be that. */
	table_close(rtm_open_registrations(AccessShareLock), NoLock);

	SPI_connect();
	if (SPI_execute_with_args(update, nargs, types, args, arg_nulls, false, 0) !=
		SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not update a registration");	/* cannot happen */
	if (SPI_processed == 0)
		refuse_decision(fcinfo->flinfo, args[0], to);
	put_updated((ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}

#define SET_STATUS(status, more) \
	"UPDATE revrtm.deal_registration SET status = '" status "'" more \
	" WHERE registration_id OPERATOR(pg_catalog.=) $1" \
	" AND status OPERATOR(pg_catalog.<>) '" status "' RETURNING registration_id, status"
#define DECIDE(status, more, types) \
	decide(fcinfo, status, SET_STATUS(status, more), lengthof(types), types)

static Oid	id_alone[] = {UUIDOID};
static Oid	id_reason[] = {UUIDOID, TEXTOID};

Datum
revrtm_review_registration(PG_FUNCTION_ARGS)
{
	return DECIDE("in_review", "", id_alone);
}

Datum
revrtm_approve_registration(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, DATERANGEOID, TEXTOID};

	return DECIDE("approved", ", protection = $2, decision_reason = $3", types);
}

Datum
revrtm_reject_registration(PG_FUNCTION_ARGS)
{
	return DECIDE("rejected", ", decision_reason = $2", id_reason);
}

Datum
revrtm_return_registration(PG_FUNCTION_ARGS)
{
	return DECIDE("action_required", ", decision_reason = $2", id_reason);
}

Datum
revrtm_submit_registration(PG_FUNCTION_ARGS)
{
	return decide(fcinfo, "submitted",
				  "UPDATE revrtm.deal_registration SET status = 'submitted'"
				  " WHERE registration_id OPERATOR(pg_catalog.=) $1"
				  " AND status OPERATOR(pg_catalog.=) ANY ('{draft,action_required}')"
				  " RETURNING registration_id, status",
				  lengthof(id_alone), id_alone);
}

Datum
revrtm_convert_registration(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, TEXTOID, TEXTOID};

	if (PG_ARGISNULL(1) || VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("opportunity_id must not be NULL or empty")));
	return DECIDE("converted", ", opportunity_id = $2, decision_reason = $3", types);
}

Datum
revrtm_withdraw_registration(PG_FUNCTION_ARGS)
{
	return DECIDE("withdrawn", "", id_alone);
}

Datum
revrtm_revoke_registration(PG_FUNCTION_ARGS)
{
	return DECIDE("revoked", ", decision_reason = $2", id_reason);
}

/*
 * The new days follow the old ones without a gap. What was converted stays
 * converted.
 */
Datum
revrtm_extend_registration(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, INT4OID, TEXTOID};

	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > MAX_EXTENSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a protection is extended by 1 to %d days", MAX_EXTENSION)));
	return decide(fcinfo, "extended",
				  "UPDATE revrtm.deal_registration SET status = CASE WHEN status"
				  " OPERATOR(pg_catalog.=) 'approved' THEN 'extended' ELSE status END,"
				  " protection = pg_catalog.daterange(pg_catalog.lower(protection),"
				  " pg_catalog.upper(protection) OPERATOR(pg_catalog.+) $2), decision_reason = $3"
				  " WHERE registration_id OPERATOR(pg_catalog.=) $1 AND active"
				  " RETURNING registration_id, status",
				  lengthof(types), types);
}

/*
 * A step of the system, which no row's own transitions give to staff.
 */
static void
execute_as_system(const char *update, int nargs, Oid *types, Datum *args, int expected)
{
	bool		within = rtm_system_call;

	rtm_system_call = true;
	PG_TRY();
	{
		if (SPI_execute_with_args(update, nargs, types, args, NULL, false, 0) != expected)
			elog(ERROR, "could not update registrations");	/* cannot happen */
	}
	PG_FINALLY();
	{
		rtm_system_call = within;
	}
	PG_END_TRY();
}

static DateADT
scheduled_day(FunctionCallInfo fcinfo, Relation rel)
{
	rtm_require_staff(rel);
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at must be finite")));
	return rtm_local_day(PG_GETARG_TIMESTAMPTZ(0),
						 rtm_query_terms(fcinfo->flinfo)->programme->zone);
}

/*
 * revrtm.expire_registrations(at): write down what the days say already.
 */
Datum
revrtm_expire_registrations(PG_FUNCTION_ARGS)
{
	Oid			type = DATEOID;
	Relation	rel;
	Datum		day;

	InitMaterializedSRF(fcinfo, 0);
	rel = rtm_open_registrations(AccessShareLock);
	day = DateADTGetDatum(scheduled_day(fcinfo, rel));
	SPI_connect();
	execute_as_system("UPDATE revrtm.deal_registration d SET status = 'expired'"
					  " FROM revrtm.registration_state s WHERE s.status OPERATOR(pg_catalog.=)"
					  " d.status AND s.expires AND d.active"
					  " AND pg_catalog.upper(d.protection) OPERATOR(pg_catalog.<=) $1"
					  " RETURNING d.registration_id, d.status",
					  1, &type, &day, SPI_OK_UPDATE_RETURNING);
	put_updated((ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	table_close(rel, NoLock);
	return (Datum) 0;
}

/*
 * revrtm.promote_registrations(at): of those that wait in the queue, the ones
 * whose scope nobody holds any longer, and that nobody who waits longer wants,
 * go back to review, in order.
 */
Datum
revrtm_promote_registrations(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, TEXTOID, DATERANGEOID};
	const RtmTerms *terms = rtm_query_terms(fcinfo->flinfo);
	SPITupleTable *queue;
	Relation	rel;
	DateADT		day;
	uint64		i;

	InitMaterializedSRF(fcinfo, 0);
	rel = rtm_open_registrations(AccessShareLock);
	day = scheduled_day(fcinfo, rel);
	SPI_connect();
	if (SPI_execute("SELECT d.* FROM revrtm.deal_registration d"
					" WHERE d.status OPERATOR(pg_catalog.=) 'queued'"
					" ORDER BY d.submitted_at, d.registration_id", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the queue");	/* cannot happen */
	queue = SPI_tuptable;
	for (i = 0; i < queue->numvals; i++)
	{
		RtmRegistration reg;
		RtmRival	rival;
		Datum		args[3];

		CHECK_FOR_INTERRUPTS();
		rtm_read_registration(&reg, queue->vals[i], queue->tupdesc);
		if (REG_ISNULL(&reg, REG_ID) || REG_ISNULL(&reg, REG_ACCOUNT) ||
			REG_ISNULL(&reg, REG_PRODUCT) || REG_ISNULL(&reg, REG_REGION))
			continue;
		REG_SET(&reg, REG_PROTECTION, rtm_protection_from(terms->programme, day));
		if (rtm_is_exclusive(&reg) &&
			(rtm_find_rival(rel, &reg, NULL, &rival) ||
			 rtm_find_other(rel, &reg, RTM_EARLIER, day, NULL, &rival)))
			continue;

		args[0] = REG_VALUE(&reg, REG_ID);
		args[1] = REG_VALUE(&reg, REG_ACCOUNT);
		args[2] = REG_VALUE(&reg, REG_PROTECTION);
		execute_as_system("UPDATE revrtm.deal_registration SET status = 'submitted',"
						  " protection = $3 WHERE registration_id OPERATOR(pg_catalog.=) $1"
						  " AND account_id OPERATOR(pg_catalog.=) $2"
						  " AND status OPERATOR(pg_catalog.=) 'queued'"
						  " RETURNING registration_id, status",
						  lengthof(types), types, args, SPI_OK_UPDATE_RETURNING);
		put_updated((ReturnSetInfo *) fcinfo->resultinfo);
	}
	SPI_finish();
	table_close(rel, NoLock);
	return (Datum) 0;
}
