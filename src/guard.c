/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Guards: the trigger on the portal's table, and who puts it there.
 *
 * The trigger fires after the row is there, so that what ON CONFLICT skips or
 * a trigger of the portal's changes is not judged. Its mode is in the guard's
 * row alone. A guard that is turned on looks at every row: what happened
 * before it was there, or while it was off, is judged in the order in which
 * the rows were made.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "guard.h"
#include "owner.h"
#include "query_cache.h"

/* Violations that an error tells. */
#define SHOWN 10

REVRTM_FUNCTION(revrtm_guard_row);
REVRTM_FUNCTION(revrtm_guard);
REVRTM_FUNCTION(revrtm_unguard);
REVRTM_FUNCTION(revrtm_guard_violation);

/* What the trigger knows for the query that fires it. */
typedef struct Watch
{
	RtmGuard   *guard;
	RtmGuardRow row;
	const RtmProgramme *programme;
} Watch;

static Watch *
query_watch(FmgrInfo *flinfo, Relation registrations, Relation rel)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);
	MemoryContext caller;
	Watch	   *watch;

	if (cache->data != NULL)
		return cache->data;
	caller = MemoryContextSwitchTo(cache->context);
	watch = palloc0(sizeof(Watch));
	watch->guard = rtm_read_guard(registrations, RelationGetRelid(rel));
	if (watch->guard == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has the trigger of a guard, but no guard",
						RelationGetRelationName(rel)),
				 errhint("Guard it with revrtm.guard(), or drop the trigger."),
				 errtable(rel)));
	if (watch->guard->mode != GUARD_OFF)
		rtm_find_guarded(&watch->row, watch->guard, CreateTupleDescCopy(RelationGetDescr(rel)),
						 ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	watch->programme = rtm_read_programme(cache->context);
	MemoryContextSwitchTo(caller);
	cache->data = watch;
	return watch;
}

/*
 * What is refused, said as a warning.
 */
static void
warn(const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("%s", error->message),
			 error->detail != NULL ? errdetail("%s", error->detail) : 0,
			 error->hint != NULL ? errhint("%s", error->hint) : 0,
			 error->schema_name != NULL
			 ? err_generic_string(PG_DIAG_SCHEMA_NAME, error->schema_name) : 0,
			 error->table_name != NULL
			 ? err_generic_string(PG_DIAG_TABLE_NAME, error->table_name) : 0,
			 error->constraint_name != NULL
			 ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, error->constraint_name) : 0));
}

/*
 * revrtm.guard_row(): the trigger of a guarded table.
 */
Datum
revrtm_guard_row(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Relation	registrations;
	RtmGuardClaim old;
	RtmGuardClaim new;
	ErrorData  *error;
	Watch	   *watch;
	bool		has_old;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) == TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		!(TRIGGER_FIRED_FOR_ROW(data->tg_event) || TRIGGER_FIRED_BY_TRUNCATE(data->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"guard_row\" must be fired after each row, or after truncate, "
						"of a guarded table"),
				 errhint("revrtm.guard() makes its triggers.")));

	registrations = rtm_open_registrations(AccessShareLock);
	watch = query_watch(fcinfo->flinfo, registrations, data->tg_relation);
	if (watch->guard->mode != GUARD_OFF && TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		rtm_drop_claims(watch->guard->relid, registrations, (Datum) 0);
	if (watch->guard->mode == GUARD_OFF || TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
	{
		table_close(registrations, AccessShareLock);
		return PointerGetDatum(NULL);
	}

	has_old = !TRIGGER_FIRED_BY_INSERT(data->tg_event) &&
		rtm_try_guarded(&old, &watch->row, data->tg_trigtuple, watch->programme, &error);
	if (TRIGGER_FIRED_BY_DELETE(data->tg_event))
	{
		if (has_old)
			rtm_drop_claim(watch->guard, registrations, &old);
	}
	else
	{
		HeapTuple	tuple = TRIGGER_FIRED_BY_INSERT(data->tg_event) ? data->tg_trigtuple
			: data->tg_newtuple;

		if (watch->guard->mode == GUARD_ENFORCE)
		{
			rtm_read_guarded(&new, &watch->row, tuple, watch->programme);
			if (!has_old || strcmp(old.seen, new.seen) != 0 || strcmp(old.key, new.key) != 0)
				rtm_enforce_claim(watch->guard, registrations, has_old ? &old : NULL, &new);
		}
		else if (!rtm_try_guarded(&new, &watch->row, tuple, watch->programme, &error))
		{
			if (has_old)
				rtm_drop_claim(watch->guard, registrations, &old);
			warn(error);
		}
		else if ((!has_old || strcmp(old.seen, new.seen) != 0 || strcmp(old.key, new.key) != 0) &&
				 !rtm_try_claim(watch->guard, registrations, has_old ? &old : NULL, &new, &error))
			warn(error);
	}
	table_close(registrations, AccessShareLock);
	return PointerGetDatum(NULL);
}

static Relation
open_target(Oid relid, LOCKMODE lock)
{
	Relation	rel = try_relation_open(relid, lock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	return rel;
}

/*
 * Whether a table may be guarded by the caller.
 */
static void
check_target(Relation rel)
{
	const char *what = NULL;

	if (!rtm_owns_table(RelationGetRelid(rel), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE || rel->rd_rel->relispartition)
		what = "is partitioned or a partition";
	else if (rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		what = "is a foreign table";
	else if (rel->rd_rel->relkind != RELKIND_RELATION)
		what = "is no table";
	else if (IsCatalogRelation(rel) || IsSystemRelation(rel))
		what = "is a system table";
	else if (rel->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
		what = "is temporary or unlogged";
	else if (find_inheritance_children(RelationGetRelid(rel), NoLock) != NIL ||
			 has_superclass(RelationGetRelid(rel)))
		what = "inherits or is inherited from";
	else if (OidIsValid(getExtensionOfObject(RelationRelationId, RelationGetRelid(rel))))
		what = "belongs to an extension";
	if (what != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" cannot be guarded: it %s",
						RelationGetRelationName(rel), what),
				 errhint("A guard is for an ordinary table of the portal's own.")));
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("row security of table \"%s\" hides rows from its owner",
						RelationGetRelationName(rel)),
				 errhint("A guard has to see all of them: ALTER TABLE ... NO FORCE ROW LEVEL "
						 "SECURITY.")));
}

/*
 * Does the query of a binding read the table? One that no longer works reads
 * nothing.
 */
static bool
query_reads(const char *query, Oid relid)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool reads = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);
		ListCell   *lc;

		foreach(lc, plan == NULL ? NIL : SPI_plan_get_plan_sources(plan))
			if (list_member_oid(((CachedPlanSource *) lfirst(lc))->relationOids, relid))
				reads = true;
		if (plan != NULL)
			SPI_freeplan(plan);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return reads;
}

/*
 * A loader that finds our trigger on its table may drop it, or fail as a whole
 * where one row is refused.
 */
static void
warn_of_bindings(Relation registrations, Relation rel)
{
	RtmOwnerCall call;
	SPITupleTable *table;
	uint64		i;

	rtm_enter_owner(&call, registrations);
	if (SPI_execute("SELECT relation, query FROM revrtm.binding ORDER BY relation", true, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not read the bindings");	/* cannot happen */
	table = SPI_tuptable;
	for (i = 0; i < table->numvals; i++)
	{
		char	   *relation = SPI_getvalue(table->vals[i], table->tupdesc, 1);
		char	   *query = SPI_getvalue(table->vals[i], table->tupdesc, 2);

		if (query != NULL && query_reads(query, RelationGetRelid(rel)))
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("table \"%s\" is read as relation \"%s\" of the CRM",
							RelationGetRelationName(rel), relation),
					 errdetail("Where a loader keeps it in step, the loader may drop the guard's "
							   "triggers, or fail where a row is refused."),
					 errhint("For synced tables, see revrtm.overlapping_claims() and "
							 "revrtm.scan_conflicts().")));
	}
	rtm_leave_owner(&call);
}

static void
execute(const char *command)
{
	if (SPI_execute(command, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", command);	/* cannot happen */
}

/*
 * Set the guard's row, with the rights of the caller.
 */
static void
write_guard(const RtmGuard *guard, Datum kind, Datum columns, Datum mode)
{
	static Oid	types[] = {OIDOID, TEXTOID, JSONBOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(guard->relid), kind, columns, mode};

	if (SPI_execute_with_args("INSERT INTO revrtm.guard AS g (target, kind, columns, mode)"
							  " VALUES ($1::pg_catalog.regclass, $2, $3, $4)"
							  " ON CONFLICT (target) DO UPDATE SET kind = EXCLUDED.kind,"
							  " columns = EXCLUDED.columns, mode = EXCLUDED.mode,"
							  " guarded_at = pg_catalog.now(), guarded_by = SESSION_USER",
							  lengthof(types), types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write a guard");	/* cannot happen */
}

/*
 * Refuse to enforce what does not hold.
 */
static void
refuse_guard(const RtmSweep *sweep)
{
	StringInfoData detail;
	ListCell   *lc;
	int			shown = 0;

	initStringInfo(&detail);
	foreach(lc, sweep->violations)
	{
		const RtmViolation *violation = lfirst(lc);

		if (violation->error == NULL || shown++ >= SHOWN)
			continue;
		appendStringInfo(&detail, "%sRow %s: %s", detail.len > 0 ? "\n" : "", violation->key,
						 violation->error->message);
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg_plural("%lld row of table \"%s\" violates the rules",
						   "%lld rows of table \"%s\" violate the rules",
						   (unsigned long) sweep->refused, (long long) sweep->refused,
						   sweep->guard->table),
			 errdetail("%s", detail.data),
			 errhint("Correct them; or guard it in mode warn, for which revrtm.guard_violation() "
					 "lists them, and enforce later."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, sweep->guard->schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, sweep->guard->table),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "guard_violation")));
}

static RtmGuardMode
parse_mode(const char *mode)
{
	if (strcmp(mode, "enforce") == 0)
		return GUARD_ENFORCE;
	if (strcmp(mode, "warn") == 0)
		return GUARD_WARN;
	if (strcmp(mode, "off") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mode must be enforce, warn or off")));
	return GUARD_OFF;
}

static void
check_may_guard(AclMode rights)
{
	Oid			guards = rtm_relation("guard");

	if (pg_class_aclmask(guards, GetUserId(), rights, ACLMASK_ALL) != rights)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "guard");
}

/*
 * revrtm.guard(target, kind, columns, mode): the number of rows that violate
 * the rules.
 */
Datum
revrtm_guard(PG_FUNCTION_ARGS)
{
	RtmGuard	given = {0};
	RtmSweep	sweep = {0};
	RtmGuardRow row;
	Relation	registrations;
	Relation	rel;
	RtmGuard   *before;
	Datum		mode;
	char	   *name;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target, kind and columns must not be NULL")));
	rtm_parse_guard(&given, text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_GETARG_JSONB_P(2));
	mode = PG_ARGISNULL(3) ? CStringGetTextDatum(given.deals ? "warn" : "enforce")
		: PG_GETARG_DATUM(3);
	given.mode = parse_mode(TextDatumGetCString(mode));
	check_may_guard(ACL_INSERT | ACL_UPDATE | ACL_SELECT);
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("a table can be guarded in a READ COMMITTED transaction only"),
				 errdetail("A snapshot that is older than the guard may not show every row.")));

	/* Nobody writes into it while its rows are judged. */
	rel = open_target(PG_GETARG_OID(0), ShareRowExclusiveLock);
	check_target(rel);
	given.relid = RelationGetRelid(rel);
	given.table = pstrdup(RelationGetRelationName(rel));
	given.schema = get_namespace_name(RelationGetNamespace(rel));
	registrations = rtm_open_registrations(AccessShareLock);
	warn_of_bindings(registrations, rel);
	before = rtm_read_guard(registrations, given.relid);

	SPI_connect();
	write_guard(&given, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), mode);
	sweep.guard = rtm_read_guard(registrations, given.relid);
	if (given.mode != GUARD_OFF)
		rtm_find_guarded(&row, sweep.guard, RelationGetDescr(rel),
						 ERRCODE_INVALID_PARAMETER_VALUE);
	relation_close(rel, NoLock);
	name = quote_qualified_identifier(given.schema, given.table);
	execute(psprintf("CREATE OR REPLACE TRIGGER revrtm_guard AFTER INSERT OR UPDATE OR DELETE ON %s"
					 " FOR EACH ROW EXECUTE FUNCTION revrtm.guard_row()", name));
	execute(psprintf("CREATE OR REPLACE TRIGGER revrtm_guard_truncate AFTER TRUNCATE ON %s"
					 " FOR EACH STATEMENT EXECUTE FUNCTION revrtm.guard_row()", name));
	if (before != NULL && before->deals != given.deals)
		rtm_drop_claims(given.relid, registrations, (Datum) 0);
	if (given.mode != GUARD_OFF)
	{
		sweep.registrations = registrations;
		sweep.context = CurrentMemoryContext;
		rtm_sweep_table(&sweep);
		if (given.mode == GUARD_ENFORCE && sweep.refused > 0)
			refuse_guard(&sweep);
	}
	SPI_finish();
	table_close(registrations, NoLock);
	PG_RETURN_INT64(sweep.refused);
}

/*
 * revrtm.unguard(target): also of a table that is gone.
 */
Datum
revrtm_unguard(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Oid			type = OIDOID;
	Datum		target = ObjectIdGetDatum(relid);
	Relation	registrations;
	Relation	rel;

	check_may_guard(ACL_DELETE | ACL_SELECT);
	rel = try_relation_open(relid, ShareRowExclusiveLock);
	SPI_connect();
	if (rel != NULL)
	{
		char	   *name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
													  RelationGetRelationName(rel));

		if (!rtm_owns_table(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
		relation_close(rel, NoLock);
		execute(psprintf("DROP TRIGGER IF EXISTS revrtm_guard ON %s", name));
		execute(psprintf("DROP TRIGGER IF EXISTS revrtm_guard_truncate ON %s", name));
	}
	if (SPI_execute_with_args("DELETE FROM revrtm.guard WHERE target OPERATOR(pg_catalog.=) $1",
							  1, &type, &target, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete a guard");	/* cannot happen */
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("table %s is not guarded", rel == NULL ? psprintf("%u", relid)
						: quote_identifier(get_rel_name(relid))),
				 errhint("The guards are listed in revrtm.guard.")));
	registrations = rtm_open_registrations(AccessShareLock);
	rtm_drop_claims(relid, registrations, (Datum) 0);
	table_close(registrations, NoLock);
	SPI_finish();
	PG_RETURN_VOID();
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/*
 * revrtm.guard_violation(target): what guard() would find, and nothing stays
 * of the search.
 */
Datum
revrtm_guard_violation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Oid			relid = PG_GETARG_OID(0);
	ErrorData  *volatile error = NULL;
	RtmGuard   *guard;
	RtmSweep	sweep = {0};
	ListCell   *lc;
	Relation	rel;

	InitMaterializedSRF(fcinfo, 0);
	rel = open_target(relid, AccessShareLock);
	if (!rtm_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
	sweep.registrations = rtm_open_registrations(AccessShareLock);
	guard = rtm_read_guard(sweep.registrations, relid);
	if (guard == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("table %s is not guarded", quote_identifier(get_rel_name(relid))),
				 errhint("The guards are listed in revrtm.guard.")));
	guard->mode = GUARD_ENFORCE;
	sweep.guard = guard;
	sweep.context = context;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		SPI_connect();
		rtm_sweep_table(&sweep);
		SPI_finish();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL)
		ReThrowError(error);

	foreach(lc, sweep.violations)
	{
		const RtmViolation *violation = lfirst(lc);
		const ErrorData *found = violation->error;
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = CStringGetTextDatum(violation->key);
		values[1] = text_or_null(found == NULL ? NULL : unpack_sql_state(found->sqlerrcode),
								 &nulls[1]);
		values[2] = text_or_null(found == NULL ? "guard_decided" : found->constraint_name,
								 &nulls[2]);
		values[3] = CStringGetTextDatum(found == NULL ? "the claim was decided otherwise"
										: found->message);
		values[4] = text_or_null(found == NULL ? violation->detail : found->detail, &nulls[4]);
		values[5] = BoolGetDatum(found != NULL);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(sweep.registrations, AccessShareLock);
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}
