/*-------------------------------------------------------------------------
 *
 * guard_claim.c
 *		The claims of guarded rows: registrations like all others.
 *
 * A guarded row has a registration of its own in deal_registration, so that
 * one constraint, roe_protected, judges portals' rows and registrations alike,
 * and so do the rules, the event log and the conflict cases. It is written as
 * the owner of the tables, for a portal need not have any right on them; what
 * is refused is told as of the portal's own table, and a rival only to who
 * may read it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "guard.h"
#include "owner.h"

bool		rtm_guard_step = false;

/* Their owner need not be a superuser, and may have altered the tables of guards. */
static RtmStatement read_guard = {
	"SELECT kind::pg_catalog.text, mode::pg_catalog.text, columns::pg_catalog.jsonb"
	" FROM revrtm.guard WHERE target OPERATOR(pg_catalog.=) $1"
	" AND kind IS NOT NULL AND mode IS NOT NULL AND columns IS NOT NULL",
	1, {OIDOID}
};

static RtmStatement find_claim = {
	"SELECT c.seen::pg_catalog.text, r.status::pg_catalog.text FROM revrtm.guard_claim c"
	" LEFT JOIN revrtm.deal_registration r"
	" ON r.registration_id OPERATOR(pg_catalog.=) c.registration_id"
	" WHERE c.target OPERATOR(pg_catalog.=) $1 AND c.row_key OPERATOR(pg_catalog.=) $2",
	2, {OIDOID, TEXTOID}
};

static RtmStatement add_claim = {
	"WITH added AS (INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes,"
	" region_codes, protection, status, exclusive, amount, currency, expected_close, evidence,"
	" details, submitted_at, opportunity_id)"
	" VALUES ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, COALESCE($14, '{}'),"
	" COALESCE($15, '{}'), $16, $17) RETURNING registration_id, account_id)"
	" INSERT INTO revrtm.guard_claim (target, row_key, account_id, registration_id, seen)"
	" SELECT $1, $2, a.account_id, a.registration_id, $3 FROM added a",
	17,
	{OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, DATERANGEOID,
	TEXTOID, BOOLOID, NUMERICOID, TEXTOID, DATEOID, JSONBOID, JSONBOID, TIMESTAMPTZOID, TEXTOID}
};

/*
 * $9 is NULL where the status stays; $18 is whether the days are the row's, $20
 * whether the account stays.
 */
static RtmStatement change_claim = {
	"WITH changed AS (UPDATE revrtm.deal_registration r SET account_id = CASE WHEN $20"
	" THEN r.account_id ELSE $4 END, partner_id = $5, product_codes = $6, region_codes = $7,"
	" protection = CASE WHEN $18 THEN $8 WHEN $9 OPERATOR(pg_catalog.=)"
	" ANY ('{approved,extended,converted}') AND NOT r.active THEN NULL ELSE r.protection END,"
	" status = COALESCE($9, r.status), exclusive = $10, amount = $11, currency = $12,"
	" expected_close = $13, evidence = COALESCE($14, '{}'), details = COALESCE($15, '{}'),"
	" submitted_at = COALESCE($16, r.submitted_at), opportunity_id = $17"
	" FROM revrtm.guard_claim c WHERE c.target OPERATOR(pg_catalog.=) $1"
	" AND c.row_key OPERATOR(pg_catalog.=) $19"
	" AND r.registration_id OPERATOR(pg_catalog.=) c.registration_id"
	" RETURNING r.registration_id, r.account_id)"
	" UPDATE revrtm.guard_claim c SET row_key = $2, account_id = n.account_id, seen = $3"
	" FROM changed n WHERE c.target OPERATOR(pg_catalog.=) $1"
	" AND c.row_key OPERATOR(pg_catalog.=) $19"
	" AND c.registration_id OPERATOR(pg_catalog.=) n.registration_id",
	20,
	{OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, DATERANGEOID,
	TEXTOID, BOOLOID, NUMERICOID, TEXTOID, DATEOID, JSONBOID, JSONBOID, TIMESTAMPTZOID, TEXTOID,
	BOOLOID, TEXTOID, BOOLOID}
};

#define DROP(condition) \
	"WITH claim AS (DELETE FROM revrtm.guard_claim WHERE target OPERATOR(pg_catalog.=) $1" \
	condition " RETURNING registration_id) DELETE FROM revrtm.deal_registration r" \
	" USING claim c WHERE r.registration_id OPERATOR(pg_catalog.=) c.registration_id"

static RtmStatement drop_claim = {
	DROP(" AND row_key OPERATOR(pg_catalog.=) $2"), 2, {OIDOID, TEXTOID}
};

static RtmStatement drop_claims = {
	DROP(" AND ($2 IS NULL OR row_key OPERATOR(pg_catalog.<>) ALL ($2))"),
	2, {OIDOID, TEXTARRAYOID}
};

static RtmStatement find_protections = {
	"SELECT registration_id, account_id, partner_id, protection, submitted_at"
	" FROM revrtm.deal_registration WHERE registration_id IS NOT NULL AND submitted_at IS NOT NULL"
	" AND partner_id IS NOT NULL AND account_id OPERATOR(pg_catalog.=) $1 AND active AND exclusive"
	" AND ($2 IS NULL OR partner_id OPERATOR(pg_catalog.<>) $2)"
	" AND product OPERATOR(pg_catalog.&&) $3 AND region OPERATOR(pg_catalog.&&) $4"
	" AND protection OPERATOR(pg_catalog.&&) $5 ORDER BY submitted_at, registration_id",
	5, {TEXTOID, TEXTOID, INT8MULTIRANGEOID, INT8MULTIRANGEOID, DATERANGEOID}
};

static RtmStatement open_conflict = {
	"SELECT revrtm.open_conflict($1, 'opportunity:' OPERATOR(pg_catalog.||) $2, $3, $4,"
	" 'registration:' OPERATOR(pg_catalog.||) $5, $6, $7, 'registration', $8)",
	8,
	{TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

static RtmStatement lapse_conflict = {
	"SELECT revrtm.lapse_conflict('opportunity:' OPERATOR(pg_catalog.||) $1, $2)",
	2, {TEXTOID, TIMESTAMPTZOID}
};

/*
 * With the latest snapshot, for under REPEATABLE READ the transaction's own
 * may be older than the guard or a rival; as all that concerns deal_registration.
 */
static uint64
run(RtmStatement *statement, Datum *values, const char *nulls)
{
	bool		step = rtm_guard_step;
	SPIPlanPtr	plan = rtm_plan(statement);

	rtm_guard_step = true;
	PG_TRY();
	{
		if (SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(),
								 InvalidSnapshot, false, true, 0) < 0)
			elog(ERROR, "could not run a statement on claims");	/* cannot happen */
	}
	PG_FINALLY();
	{
		rtm_guard_step = step;
	}
	PG_END_TRY();
	return SPI_processed;
}

static Datum
answer(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

static char *
answer_text(MemoryContext context, uint64 row, int column)
{
	bool		isnull;
	Datum		value = answer(row, column, &isnull);

	return isnull ? NULL : MemoryContextStrdup(context, TextDatumGetCString(value));
}

static void
read_key(RtmGuard *guard)
{
	Oid			constraint;
	Bitmapset  *key = get_primary_key_attnos(guard->relid, false, &constraint);
	int			i = -1;

	while ((i = bms_next_member(key, i)) >= 0)
		guard->key = lappend(guard->key,
							 get_attname(guard->relid, i + FirstLowInvalidHeapAttributeNumber,
										 false));
}

RtmGuard *
rtm_read_guard(Relation registrations, Oid relid)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		target = ObjectIdGetDatum(relid);
	RtmGuard   *guard = NULL;
	char	   *kind = NULL;
	Jsonb	   *columns = NULL;
	RtmOwnerCall call;

	rtm_enter_owner(&call, registrations);
	if (run(&read_guard, &target, NULL) > 0)
	{
		char	   *mode = answer_text(context, 0, 2);
		bool		isnull;
		MemoryContext within;

		kind = answer_text(context, 0, 1);
		within = MemoryContextSwitchTo(context);
		guard = palloc0(sizeof(RtmGuard));
		columns = DatumGetJsonbPCopy(answer(0, 3, &isnull));
		MemoryContextSwitchTo(within);
		guard->mode = strcmp(mode, "enforce") == 0 ? GUARD_ENFORCE
			: strcmp(mode, "warn") == 0 ? GUARD_WARN : GUARD_OFF;
	}
	rtm_leave_owner(&call);
	if (guard == NULL)
		return NULL;
	guard->relid = relid;
	guard->table = get_rel_name(relid);
	guard->schema = guard->table == NULL ? NULL
		: get_namespace_name(get_rel_namespace(relid));
	rtm_parse_guard(guard, kind, columns);
	read_key(guard);
	return guard;
}

static bool
claims_something(const char *status)
{
	const RtmState *state = rtm_state(status);

	return state != NULL && (state->open || state->active);
}

/*
 * Does a line of what was seen say the same?
 */
static bool
same_line(const char *a, const char *b, int line)
{
	size_t		length;

	for (; line > 0; line--)
	{
		a += strcspn(a, "\n") + 1;
		b += strcspn(b, "\n") + 1;
	}
	length = strcspn(a, "\n");
	return length == strcspn(b, "\n") && strncmp(a, b, length) == 0;
}

char *
rtm_seen_claim(const RtmGuard *guard, Relation registrations, const char *key, char **status)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {ObjectIdGetDatum(guard->relid), CStringGetTextDatum(key)};
	char	   *seen = NULL;
	RtmOwnerCall call;

	*status = NULL;
	rtm_enter_owner(&call, registrations);
	if (run(&find_claim, values, NULL) > 0)
	{
		seen = answer_text(context, 0, 1);
		*status = answer_text(context, 0, 2);
	}
	rtm_leave_owner(&call);
	return seen;
}

void
rtm_drop_claims(Oid relid, Relation registrations, Datum keys)
{
	Datum		values[] = {ObjectIdGetDatum(relid), keys};
	char		nulls[] = {' ', keys == (Datum) 0 ? 'n' : ' '};
	RtmOwnerCall call;

	rtm_enter_owner(&call, registrations);
	run(&drop_claims, values, nulls);
	rtm_leave_owner(&call);
}

/*
 * Have the row's claim say what the row says. With queued it waits, whatever
 * its status.
 */
static void
put_claim(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *before,
		  const RtmGuardClaim *claim, bool queued)
{
	static const int column[] = {
		REG_ACCOUNT, REG_PARTNER, REG_PRODUCT_CODES, REG_REGION_CODES, REG_PROTECTION, REG_STATUS,
		REG_EXCLUSIVE, REG_AMOUNT, REG_CURRENCY, REG_EXPECTED_CLOSE, REG_EVIDENCE, REG_DETAILS,
		REG_SUBMITTED_AT, REG_OPPORTUNITY
	};
	enum
	{
		TARGET,
		KEY,
		SEEN,
		FIRST,
		STATUS = FIRST + 5,
		HAS_DAYS = FIRST + lengthof(column),
		OLD_KEY,
		SAME_ACCOUNT,
		VALUES
	};
	Datum		values[VALUES];
	char		nulls[VALUES];
	const char *old_key = before != NULL ? before->key : claim->key;
	char	   *status = rtm_registration_text(&claim->reg, REG_STATUS);
	char	   *was;
	char	   *seen = rtm_seen_claim(guard, registrations, old_key, &was);
	RtmOwnerCall call;
	int			i;

	memset(nulls, ' ', sizeof(nulls));
	values[TARGET] = ObjectIdGetDatum(guard->relid);
	values[KEY] = CStringGetTextDatum(claim->key);
	values[SEEN] = CStringGetTextDatum(claim->seen);
	nulls[SEEN] = queued ? 'n' : ' ';
	for (i = 0; i < lengthof(column); i++)
	{
		values[FIRST + i] = REG_VALUE(&claim->reg, column[i]);
		nulls[FIRST + i] = REG_ISNULL(&claim->reg, column[i]) ? 'n' : ' ';
	}
	if (queued)
		values[STATUS] = CStringGetTextDatum("queued");

	/* What was decided of it stands until the row itself says something else. */
	if (seen != NULL && same_line(seen, claim->seen, SEEN_STATUS) && !queued)
		nulls[STATUS] = 'n';
	values[HAS_DAYS] = BoolGetDatum((guard->column[GUARD_PROTECTION] != NULL ||
									 guard->column[GUARD_FROM] != NULL ||
									 guard->column[GUARD_UNTIL] != NULL) &&
									(nulls[STATUS] == ' ' ||
									 !same_line(seen, claim->seen, SEEN_PROTECTION)));
	values[SAME_ACCOUNT] = BoolGetDatum(seen != NULL &&
										same_line(seen, claim->seen, SEEN_ACCOUNT));
	values[OLD_KEY] = CStringGetTextDatum(old_key);

	rtm_enter_owner(&call, registrations);

	/*
	 * There was none, or somebody has deleted it; or it is over and says
	 * nothing that a registration could.
	 */
	if (was == NULL || (!claims_something(status) && (REG_ISNULL(&claim->reg, REG_ACCOUNT) ||
													  REG_ISNULL(&claim->reg, REG_PARTNER))))
	{
		run(&drop_claim, (Datum[]) {values[TARGET], values[OLD_KEY]}, NULL);
		nulls[STATUS] = ' ';
		if (claims_something(status))
			run(&add_claim, values, nulls);
	}
	else if (run(&change_claim, values, nulls) != 1)
		elog(ERROR, "could not change a claim");	/* cannot happen */
	rtm_leave_owner(&call);
}

/*
 * The deal as a registration: with scopes and days. A deal that says no days
 * goes on from today.
 */
static void
derive_deal(RtmRegistration *reg, Relation registrations)
{
	const RtmProgramme *programme = rtm_read_programme(CurrentMemoryContext);
	RangeBound	lower = {.inclusive = true, .lower = true};
	RangeBound	upper = {.infinite = true};

	REG_SET(reg, REG_PRODUCT, rtm_scope(RTM_PRODUCT, REG_VALUE(reg, REG_PRODUCT_CODES),
										REG_ISNULL(reg, REG_PRODUCT_CODES)));
	REG_SET(reg, REG_REGION, rtm_scope(RTM_REGION, REG_VALUE(reg, REG_REGION_CODES),
									   REG_ISNULL(reg, REG_REGION_CODES)));
	if (!REG_ISNULL(reg, REG_PROTECTION))
		return;
	lower.val = DateADTGetDatum(rtm_local_day(rtm_default_instant(registrations, REG_PROTECTION,
																  ACL_INSERT),
											  programme->zone));
	REG_SET(reg, REG_PROTECTION,
			RangeTypePGetDatum(rtm_make_range(lookup_type_cache(DATERANGEOID,
																TYPECACHE_RANGE_INFO),
											  &lower, &upper)));
}

static void
lapse_deal(Relation registrations, const RtmGuardClaim *deal)
{
	Datum		values[2] = {REG_VALUE(&deal->reg, REG_OPPORTUNITY)};
	RtmOwnerCall call;

	if (REG_ISNULL(&deal->reg, REG_OPPORTUNITY))
		return;
	values[1] = TimestampTzGetDatum(rtm_default_instant(registrations, REG_DECIDED_AT,
														ACL_UPDATE));
	rtm_enter_owner(&call, registrations);
	run(&lapse_conflict, values, NULL);
	rtm_leave_owner(&call);
}

void
rtm_drop_claim(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *claim)
{
	Datum		values[] = {ObjectIdGetDatum(guard->relid), CStringGetTextDatum(claim->key)};
	RtmOwnerCall call;

	if (guard->deals)
	{
		lapse_deal(registrations, claim);
		return;
	}
	rtm_enter_owner(&call, registrations);
	run(&drop_claim, values, NULL);
	rtm_leave_owner(&call);
}

static void
copy_rival(MemoryContext context, uint64 row, RtmRival *rival)
{
	bool		isnull;

	rival->id = *DatumGetUUIDP(answer(row, 1, &isnull));
	rival->account = answer_text(context, row, 2);
	rival->partner = answer_text(context, row, 3);
	rival->submitted_at = DatumGetTimestampTz(answer(row, 5, &isnull));
	context = MemoryContextSwitchTo(context);
	rival->protection = PointerGetDatum(PG_DETOAST_DATUM_COPY(answer(row, 4, &isnull)));
	MemoryContextSwitchTo(context);
}

static List *
deal_rivals(Relation registrations, RtmRegistration *reg)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {
		REG_VALUE(reg, REG_ACCOUNT), REG_VALUE(reg, REG_PARTNER), REG_VALUE(reg, REG_PRODUCT),
		REG_VALUE(reg, REG_REGION), REG_VALUE(reg, REG_PROTECTION)
	};
	char		nulls[] = {' ', REG_ISNULL(reg, REG_PARTNER) ? 'n' : ' ', ' ', ' ', ' '};
	List	   *rivals = NIL;
	RtmOwnerCall call;
	uint64		found;
	uint64		row;

	rtm_enter_owner(&call, registrations);
	found = run(&find_protections, values, nulls);
	for (row = 0; row < found; row++)
	{
		MemoryContext within = MemoryContextSwitchTo(context);
		RtmRival   *rival = palloc(sizeof(RtmRival));

		rivals = lappend(rivals, rival);
		MemoryContextSwitchTo(within);
		copy_rival(context, row, rival);
	}
	rtm_leave_owner(&call);
	return rivals;
}

/*
 * A case for each of the protections in the deal's way, once and for all.
 */
static void
open_cases(Relation registrations, const RtmGuardClaim *deal)
{
	RtmRegistration reg = deal->reg;
	TimestampTz at = rtm_default_instant(registrations, REG_DECIDED_AT, ACL_INSERT);
	Datum		values[8] = {
		REG_VALUE(&reg, REG_ACCOUNT), REG_VALUE(&reg, REG_OPPORTUNITY),
		REG_VALUE(&reg, REG_PARTNER), REG_ISNULL(&reg, REG_SUBMITTED_AT) ? TimestampTzGetDatum(at)
		: REG_VALUE(&reg, REG_SUBMITTED_AT)
	};
	char		nulls[] = "        ";
	RtmOwnerCall call;
	ListCell   *lc;

	nulls[2] = REG_ISNULL(&reg, REG_PARTNER) ? 'n' : ' ';
	derive_deal(&reg, registrations);
	foreach(lc, deal_rivals(registrations, &reg))
	{
		const RtmRival *rival = lfirst(lc);

		values[4] = CStringGetTextDatum(rtm_uuid_text(&rival->id));
		values[5] = CStringGetTextDatum(rival->partner);
		values[6] = TimestampTzGetDatum(rival->submitted_at);
		values[7] = TimestampTzGetDatum(at);
		rtm_enter_owner(&call, registrations);
		run(&open_conflict, values, nulls);
		rtm_leave_owner(&call);
	}
}

/*
 * The case is over where the deal has gone; not where it is won or lost, for
 * then its credit is to be decided.
 */
static void
leave_deal(Relation registrations, const RtmGuardClaim *before, const RtmGuardClaim *deal)
{
	if (before != NULL &&
		(deal == NULL ||
		 rtm_column_differs(registrations, &before->reg, &deal->reg, REG_ACCOUNT) ||
		 rtm_column_differs(registrations, &before->reg, &deal->reg, REG_OPPORTUNITY)))
		lapse_deal(registrations, before);
}

/*
 * No lock is needed: a protection that is not committed yet comes after the
 * deal, and does not mind it.
 */
static void
put_deal(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *deal)
{
	RtmRegistration reg;
	List	   *rivals;

	if (deal->closed || REG_ISNULL(&deal->reg, REG_ACCOUNT) ||
		REG_ISNULL(&deal->reg, REG_OPPORTUNITY))
		return;
	reg = deal->reg;
	derive_deal(&reg, registrations);
	rivals = deal_rivals(registrations, &reg);
	if (rivals == NIL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_EXCLUSION_VIOLATION),
			 errmsg("deal conflicts with a deal registration that protects the account"),
			 rtm_may_tell(RelationGetRelid(registrations), linitial(rivals))
			 ? errdetail("%s", rtm_rival_text(linitial(rivals))) : errdetail(RTM_RIVAL_HIDDEN),
			 errhint("Work the deal with the partner that registered it, or have channel "
					 "management resolve the conflict."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, guard->schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, guard->table),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "roe_protected")));
}

static void
put(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *before,
	const RtmGuardClaim *claim, bool queued)
{
	if (guard->deals)
		put_deal(guard, registrations, claim);
	else
		put_claim(guard, registrations, before, claim, queued);
}

/*
 * What was refused, as of the portal's table. The constraint itself, which
 * knows no privileges, would name the rival.
 */
static void
retell(ErrorData *error, const RtmGuard *guard)
{
	error->context = NULL;
	error->internalquery = NULL;
	if (error->table_name == NULL || strcmp(error->table_name, "deal_registration") != 0)
		return;
	if (error->sqlerrcode == ERRCODE_EXCLUSION_VIOLATION && error->hint == NULL)
	{
		error->message = pstrdup(RTM_CONFLICT);
		error->detail = pstrdup(RTM_RIVAL_HIDDEN);
		error->hint = pstrdup(RTM_CONFLICT_HINT);
	}
	else if (error->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION)
	{
		error->message = psprintf("deal registration is not valid: %s is missing",
								  error->column_name);
		error->detail = NULL;
	}
	else if (error->hint == NULL)
		error->detail = NULL;
	error->schema_name = pstrdup(guard->schema);
	error->table_name = pstrdup(guard->table);
	error->column_name = NULL;
}

void
rtm_enforce_claim(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *before,
				  const RtmGuardClaim *claim)
{
	MemoryContext context = CurrentMemoryContext;

	if (guard->deals)
		leave_deal(registrations, before, claim);
	PG_TRY();
	{
		put(guard, registrations, before, claim, false);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		retell(error, guard);
		ReThrowError(error);
	}
	PG_END_TRY();
}

/*
 * Is it the row that is refused, not the server that fails?
 */
static bool
is_refusal(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_EXCLUSION_VIOLATION:
		case ERRCODE_CHECK_VIOLATION:
		case ERRCODE_FOREIGN_KEY_VIOLATION:
		case ERRCODE_NOT_NULL_VIOLATION:
		case ERRCODE_INVALID_PARAMETER_VALUE:
			return true;
		default:
			return false;
	}
}

static bool
try_once(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *before,
		 const RtmGuardClaim *claim, bool queued, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	*error = NULL;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		put(guard, registrations, before, claim, queued);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		retell(*error, guard);
		if (!is_refusal(*error))
			ReThrowError(*error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return *error == NULL;
}

bool
rtm_try_claim(const RtmGuard *guard, Relation registrations, const RtmGuardClaim *before,
			  const RtmGuardClaim *claim, ErrorData **error)
{
	ErrorData  *again;

	if (guard->deals)
		leave_deal(registrations, before, claim);
	if (try_once(guard, registrations, before, claim, false, error))
		return true;
	if (guard->mode != GUARD_WARN)
		return false;
	if (guard->deals)
	{
		if ((*error)->sqlerrcode == ERRCODE_EXCLUSION_VIOLATION)
			open_cases(registrations, claim);
		return false;
	}

	/* It waits for what is in its way, which opens their case; or claims nothing. */
	if ((*error)->sqlerrcode != ERRCODE_EXCLUSION_VIOLATION ||
		!try_once(guard, registrations, before, claim, true, &again))
		rtm_drop_claim(guard, registrations, before != NULL ? before : claim);
	return false;
}
