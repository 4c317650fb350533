/*-------------------------------------------------------------------------
 *
 * registration.c
 *		Deal registrations: the trigger, the search for a rival, decisions.
 *
 * The exclusion constraint roe_protected is the only arbiter of protections.
 * What is here derives the columns it compares and, before it refuses a row,
 * says why in words. The look ahead uses the constraint's own index with a
 * dirty snapshot: it sees what is committed and what this transaction wrote,
 * and leaves rows that other transactions are still writing to the
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
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "programme.h"
#include "scope.h"

#define CONFLICT "deal registration conflicts with an active registration"
#define CONFLICT_HIDDEN "Another active registration protects this account and scope."

/* The columns of deal_registration that the code meets, by number. */
enum
{
	REG_ID = 1,
	REG_ACCOUNT,
	REG_PARTNER,
	REG_PRODUCT_CODES,
	REG_REGION_CODES,
	REG_PRODUCT,
	REG_REGION,
	REG_PROTECTION,
	REG_STATUS,
	REG_ACTIVE,
	REG_EXCLUSIVE,
	REG_SUBMITTED_AT = 17,
	REG_DECIDED_AT,
	REG_CHECKED_AT,
	REG_COLUMNS = REG_CHECKED_AT
};

static const RtmColumn reg_column[] = {
	{REG_ID, "registration_id", UUIDOID},
	{REG_ACCOUNT, "account_id", TEXTOID},
	{REG_PARTNER, "partner_id", TEXTOID},
	{REG_PRODUCT_CODES, "product_codes", TEXTARRAYOID},
	{REG_REGION_CODES, "region_codes", TEXTARRAYOID},
	{REG_PRODUCT, "product", INT8MULTIRANGEOID},
	{REG_REGION, "region", INT8MULTIRANGEOID},
	{REG_PROTECTION, "protection", DATERANGEOID},
	{REG_STATUS, "status", TEXTOID},
	{REG_ACTIVE, "active", BOOLOID},
	{REG_EXCLUSIVE, "exclusive", BOOLOID},
	{REG_SUBMITTED_AT, "submitted_at", TIMESTAMPTZOID},
	{REG_DECIDED_AT, "decided_at", TIMESTAMPTZOID},
	{REG_CHECKED_AT, "checked_at", TIMESTAMPTZOID}
};

/* The key of roe_protected, in its order. */
static const AttrNumber protected_key[] = {REG_ACCOUNT, REG_REGION, REG_PRODUCT, REG_PROTECTION};

#define KEY_COLUMNS lengthof(protected_key)

/* What one may decide; a status that is no "from" is final. */
static const struct
{
	const char *from;
	const char *to;
}			transition[] =

{
	{"submitted", "approved"},
	{"submitted", "rejected"},
	{"submitted", "withdrawn"},
	{"submitted", "expired"},
	{"approved", "withdrawn"},
	{"approved", "expired"}
};

/* A registration in the way, copied out of its tuple. */
typedef struct Rival
{
	pg_uuid_t	id;
	char	   *account;
	char	   *partner;
	Datum		protection;
	TimestampTz submitted_at;
} Rival;

REVRTM_FUNCTION(revrtm_keep_registration);
REVRTM_FUNCTION(revrtm_find_protection);
REVRTM_FUNCTION(revrtm_approve_registration);
REVRTM_FUNCTION(revrtm_reject_registration);
REVRTM_FUNCTION(revrtm_withdraw_registration);

extern Datum revrtm_as_of(PG_FUNCTION_ARGS);

static Datum
as_of(void)
{
	return DirectFunctionCall1(revrtm_as_of, (Datum) 0);
}

static bool
may_write(Relation rel, int column, AclMode mode, Oid user)
{
	return pg_class_aclcheck(RelationGetRelid(rel), user, mode) == ACLCHECK_OK ||
		pg_attribute_aclcheck(RelationGetRelid(rel), column, user, mode) == ACLCHECK_OK;
}

/*
 * May both the current user and who called it write the column itself, in
 * INSERT or in UPDATE? The setting as_of is anybody's to change, so
 * for those who may not a default rests on the clock alone; a function with
 * its definer's rights lends its caller none of it.
 */
static bool
may_choose(Relation rel, int column, AclMode mode)
{
	return may_write(rel, column, mode, GetUserId()) &&
		(GetOuterUserId() == GetUserId() || may_write(rel, column, mode, GetOuterUserId()));
}

/*
 * The instant to put into a column by default.
 */
static Datum
default_instant(Relation rel, int column, AclMode mode)
{
	return may_choose(rel, column, mode) ? as_of() : TimestampTzGetDatum(GetCurrentTimestamp());
}

/*
 * The protection that starts today, in the programme's zone, and lasts as long
 * as the programme says. Who may not choose it gets the clock's today.
 */
static Datum
default_protection(FmgrInfo *flinfo, Relation rel, AclMode mode)
{
	const RtmProgramme *programme = rtm_query_programme(flinfo);
	Datum		now = default_instant(rel, REG_PROTECTION, mode);
	DateADT		today = rtm_local_day(DatumGetTimestampTz(now), programme->zone);
	Datum		days = Int32GetDatum(programme->protection_days);

	return rtm_range(DATERANGEOID, DateADTGetDatum(today),
					 DirectFunctionCall2(date_pli, DateADTGetDatum(today), days));
}

/*
 * A range of days as text, the same under every DateStyle.
 */
static char *
range_text(Datum range)
{
	RangeBound	bound[2];
	bool		empty;
	char		text[2][MAXDATELEN + 1] = {"", ""};
	int			i;

	range_deserialize(lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO),
					  DatumGetRangeTypeP(range), &bound[0], &bound[1], &empty);
	for (i = 0; i < 2; i++)
	{
		DateADT		day = DatumGetDateADT(bound[i].val);
		struct pg_tm tm = {0};

		if (bound[i].infinite)
			continue;
		if (DATE_NOT_FINITE(day))
		{
			EncodeSpecialDate(day, text[i]);
			continue;
		}
		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, text[i]);
	}
	return psprintf("%c%s,%s%c", bound[0].inclusive ? '[' : '(', text[0], text[1],
					bound[1].inclusive ? ']' : ')');
}

static char *
uuid_text(const pg_uuid_t *id)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}

static char *
rival_text(const Rival *rival)
{
	return psprintf("Registration %s of partner \"%s\" protects account \"%s\" in %s.",
					uuid_text(&rival->id), rival->partner, rival->account,
					range_text(rival->protection));
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
may_read(Oid relid, Oid user, const Rival *rival)
{
	static SPIPlanPtr plan = NULL;
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
	if (plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare("SELECT 1 FROM revrtm.deal_registration"
										" WHERE registration_id OPERATOR(pg_catalog.=) $1"
										" AND account_id OPERATOR(pg_catalog.=) $2",
										2, (Oid[]) {UUIDOID, TEXTOID});

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare the search for a registration");	/* cannot happen */
		plan = fresh;
	}
	if (SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot,
							 false, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not search for a registration");	/* cannot happen */
	found = SPI_processed > 0;
	SPI_finish();
	SetUserIdAndSecContext(saved_user, context);
	return found;
}

/*
 * A function with its definer's rights must not learn for its caller what the
 * caller may not see, nor the other way round: both are asked.
 */
static bool
may_tell(Oid relid, const Rival *rival)
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
 * Find the registration in the way of this key, the earliest of several.
 * self is the version of the row that is being replaced, or NULL.
 */
static bool
find_rival(Relation rel, const Datum *key, ItemPointer self, Rival *rival)
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
							   index->rd_indcollation[i], procs[i], key[i]);

	InitDirtySnapshot(dirty);
	scan = rtm_index_beginscan(rel, index, &dirty, KEY_COLUMNS);
	index_rescan(scan, scankey, KEY_COLUMNS, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		bool		overlaps = true;
		TimestampTz submitted_at;
		pg_uuid_t  *id;

		CHECK_FOR_INTERRUPTS();

		/* Someone else is still writing it. */
		if (TransactionIdIsValid(dirty.xmin) || TransactionIdIsValid(dirty.xmax))
			continue;
		if (self != NULL && ItemPointerEquals(self, &slot->tts_tid))
			continue;
		/* Nothing to tell of it: the table has lost its constraints. */
		if (slot_attisnull(slot, REG_ID) || slot_attisnull(slot, REG_ACCOUNT) ||
			slot_attisnull(slot, REG_PARTNER) || slot_attisnull(slot, REG_PROTECTION))
			continue;

		for (i = 0; i < KEY_COLUMNS && overlaps && scan->xs_recheck; i++)
			overlaps = DatumGetBool(OidFunctionCall2Coll(procs[i], index->rd_indcollation[i],
														 slot_getattr(slot, protected_key[i],
																	  &isnull),
														 key[i]));
		if (!overlaps)
			continue;

		submitted_at = DatumGetTimestampTz(slot_getattr(slot, REG_SUBMITTED_AT, &isnull));
		id = DatumGetUUIDP(slot_getattr(slot, REG_ID, &isnull));
		if (found && (submitted_at > rival->submitted_at ||
					  (submitted_at == rival->submitted_at &&
					   memcmp(id, &rival->id, UUID_LEN) > 0)))
			continue;

		found = true;
		rival->submitted_at = submitted_at;
		rival->id = *id;
		rival->account = TextDatumGetCString(slot_getattr(slot, REG_ACCOUNT, &isnull));
		rival->partner = TextDatumGetCString(slot_getattr(slot, REG_PARTNER, &isnull));
		rival->protection =
			PointerGetDatum(PG_DETOAST_DATUM_COPY(slot_getattr(slot, REG_PROTECTION, &isnull)));
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	return found;
}

/*
 * Would the statement that fires the trigger rather hear of a conflict than
 * skip the row? INSERT ... ON CONFLICT DO NOTHING skips, which a trigger must
 * not spoil, and only the active portal's own statement can be seen: inside
 * a function, where that is another one, the constraint speaks for itself.
 */
static bool
insert_wants_words(Oid relid)
{
	bool		plain = false;
	ListCell   *ls;

	if (ActivePortal == NULL)
		return false;
	foreach(ls, ActivePortal->stmts)
	{
		PlannedStmt *stmt = lfirst_node(PlannedStmt, ls);
		ListCell   *lp;

		if (stmt->utilityStmt != NULL)
		{
			CopyStmt   *copy = (CopyStmt *) stmt->utilityStmt;

			if (IsA(copy, CopyStmt) && copy->relation != NULL &&
				RangeVarGetRelid(copy->relation, NoLock, true) == relid)
				plain = true;
			continue;
		}
		foreach(lp, lappend(list_copy(stmt->subplans), stmt->planTree))
		{
			ModifyTable *modify = (ModifyTable *) lfirst(lp);

			if (modify == NULL || !IsA(modify, ModifyTable) ||
				rt_fetch(linitial_int(modify->resultRelations), stmt->rtable)->relid != relid)
				continue;
			if (modify->onConflictAction != ONCONFLICT_NONE)
				return false;
			plain = true;
		}
	}
	return plain;
}

static void
check_transition(Relation rel, const char *from, const char *to)
{
	StringInfoData next;
	int			i;

	initStringInfo(&next);
	for (i = 0; i < lengthof(transition); i++)
	{
		if (strcmp(transition[i].from, from) != 0)
			continue;
		if (strcmp(transition[i].to, to) == 0)
			return;
		appendStringInfo(&next, "%s%s", next.len > 0 ? ", " : "", transition[i].to);
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("deal registration cannot go from %s to %s", from, to),
			 next.len > 0 ? errhint("From %s it can become: %s.", from, next.data)
			 : errhint("It is %s for good; register the deal anew.", from),
			 errtableconstraint(rel, "roe_transition")));
}

/*
 * revrtm.keep_registration(): the trigger of deal_registration.
 */
Datum
revrtm_keep_registration(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Relation	rel;
	TupleDesc	desc;
	HeapTuple	tuple;
	Datum		values[REG_COLUMNS];
	bool		nulls[REG_COLUMNS];
	int			columns[REG_COLUMNS];
	const RtmColumn *missing;
	const char *before = "submitted";
	const char *status;
	bool		insert;
	AclMode		mode;
	bool		decided;
	bool		isnull;
	int			i;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_registration\" was not called as a trigger")));
	if (!TRIGGER_FIRED_BEFORE(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_registration\" must be fired before insert or update "
						"of each row")));

	rel = data->tg_relation;
	desc = RelationGetDescr(rel);
	missing = rtm_missing_column(desc, reg_column, lengthof(reg_column));
	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_registration\" keeps the table deal_registration only"),
				 errdetail("Column %d is not \"%s\" of type %s.", missing->number, missing->name,
						   format_type_be(missing->type))));
	insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	mode = insert ? ACL_INSERT : ACL_UPDATE;
	tuple = insert ? data->tg_trigtuple : data->tg_newtuple;
	for (i = 0; i < REG_COLUMNS; i++)
	{
		columns[i] = i + 1;
		values[i] = heap_getattr(tuple, i + 1, desc, &nulls[i]);
	}
#define VALUE(column) values[(column) - 1]
#define ISNULL(column) nulls[(column) - 1]
#define SET(column, value) (VALUE(column) = (value), ISNULL(column) = false)

	/* It carries its decision stamp: a restored row, which is history. */
	if (insert && !ISNULL(REG_CHECKED_AT))
		return PointerGetDatum(tuple);

	/* A NULL is refused by the table's own constraints, afterwards. */
	status = ISNULL(REG_STATUS) ? "" : TextDatumGetCString(VALUE(REG_STATUS));
	if (!insert)
	{
		Datum		old = heap_getattr(data->tg_trigtuple, REG_STATUS, desc, &isnull);

		before = isnull ? "" : TextDatumGetCString(old);
	}
	decided = !ISNULL(REG_STATUS) && strcmp(status, before) != 0;
	if (!insert && decided)
		check_transition(rel, before, status);

	SET(REG_PRODUCT, rtm_scope(RTM_PRODUCT, VALUE(REG_PRODUCT_CODES), ISNULL(REG_PRODUCT_CODES)));
	SET(REG_REGION, rtm_scope(RTM_REGION, VALUE(REG_REGION_CODES), ISNULL(REG_REGION_CODES)));
	SET(REG_ACTIVE, BoolGetDatum(strcmp(status, "approved") == 0));
	if (ISNULL(REG_PROTECTION))
		SET(REG_PROTECTION, default_protection(fcinfo->flinfo, rel, mode));
	if (ISNULL(REG_SUBMITTED_AT) ||
		(insert && !may_write(rel, REG_SUBMITTED_AT, mode, GetUserId())))
		SET(REG_SUBMITTED_AT, default_instant(rel, REG_SUBMITTED_AT, mode));
	if (decided && (!insert || ISNULL(REG_DECIDED_AT)))
		SET(REG_DECIDED_AT, default_instant(rel, REG_DECIDED_AT, mode));
	SET(REG_CHECKED_AT, TimestampTzGetDatum(GetCurrentTimestamp()));

	if (DatumGetBool(VALUE(REG_ACTIVE)) && !ISNULL(REG_ACCOUNT) &&
		!ISNULL(REG_EXCLUSIVE) && DatumGetBool(VALUE(REG_EXCLUSIVE)) &&
		(!insert || insert_wants_words(RelationGetRelid(rel))))
	{
		Datum		key[KEY_COLUMNS];
		Rival		rival;

		for (i = 0; i < KEY_COLUMNS; i++)
			key[i] = VALUE(protected_key[i]);
		if (find_rival(rel, key, insert ? NULL : &data->tg_trigtuple->t_self, &rival))
		{
			bool		tell = may_tell(RelationGetRelid(rel), &rival);

			ereport(ERROR,
					(errcode(ERRCODE_EXCLUSION_VIOLATION),
					 errmsg(CONFLICT),
					 tell ? errdetail("%s", rival_text(&rival)) : errdetail(CONFLICT_HIDDEN),
					 errhint("Narrow the products or regions, wait for the protection to end, "
							 "or have channel management resolve the conflict."),
					 errtableconstraint(rel, "roe_protected")));
		}
	}
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, REG_COLUMNS, columns,
													 values, nulls));
#undef VALUE
#undef ISNULL
#undef SET
}

/*
 * revrtm.find_protection(account, product, region, protection): what is in
 * the way, as far as the caller may know.
 */
Datum
revrtm_find_protection(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		key[KEY_COLUMNS] = {
		PG_GETARG_DATUM(0), PG_GETARG_DATUM(2), PG_GETARG_DATUM(1), PG_GETARG_DATUM(3)
	};
	Relation	rel;
	Rival		rival;

	InitMaterializedSRF(fcinfo, 0);
	rel = rtm_open_table("deal_registration", AccessShareLock, reg_column, lengthof(reg_column));

	/*
	 * For those who could learn as much by registering: of the period they
	 * may not choose no more than whether the default one is free.
	 */
	if (!may_write(rel, REG_ACCOUNT, ACL_INSERT, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(rel));
	if (!may_choose(rel, REG_PROTECTION, ACL_INSERT))
		key[KEY_COLUMNS - 1] = default_protection(fcinfo->flinfo, rel, ACL_INSERT);
	if (find_rival(rel, key, NULL, &rival))
	{
		bool		tell = may_tell(RelationGetRelid(rel), &rival);
		Datum		values[3] = {
			CStringGetTextDatum("PROTECTED"),
			UUIDPGetDatum(&rival.id),
			CStringGetTextDatum(tell ? rival_text(&rival) : CONFLICT_HIDDEN)
		};
		bool		nulls[3] = {false, !tell, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(rel, AccessShareLock);
	return (Datum) 0;
}

/*
 * No row was updated: the registration has that status already, or there is
 * none that the caller may see.
 */
static void
refuse_decision(Datum id)
{
	Oid			type = UUIDOID;
	bool		isnull;

	if (SPI_execute_with_args("SELECT status::pg_catalog.text FROM revrtm.deal_registration"
							  " WHERE registration_id OPERATOR(pg_catalog.=) $1",
							  1, &type, &id, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a registration");	/* cannot happen */
	if (SPI_processed > 0)
	{
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		char	   *status = isnull ? "" : TextDatumGetCString(value);

		check_transition(table_open(rtm_relation("deal_registration"), AccessShareLock),
						 status, status);
	}
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("deal registration %s does not exist", uuid_text(DatumGetUUIDP(id))),
			 errhint("The registrations you may see are listed in revrtm.deal_registration.")));
}

/*
 * Run an UPDATE of one registration, $1, with the caller's rights, and return
 * its row of the result.
 */
static Datum
decide(FunctionCallInfo fcinfo, const char *update, int nargs, Oid *types)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		args[3];
	char		arg_nulls[3];
	Datum		values[5] = {0};
	bool		nulls[5] = {false, false, true, true, true};
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
	table_close(rtm_open_table("deal_registration", AccessShareLock, reg_column,
							   lengthof(reg_column)), NoLock);

	SPI_connect();
	if (SPI_execute_with_args(update, nargs, types, args, arg_nulls, false, 0) !=
		SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not update a registration");	/* cannot happen */
	if (SPI_processed == 0)
		refuse_decision(args[0]);
	for (i = 0; i < 2; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	SPI_finish();
	return (Datum) 0;
}

#define DECIDE(status, more) \
	"UPDATE revrtm.deal_registration SET status = '" status "'" more \
	" WHERE registration_id OPERATOR(pg_catalog.=) $1" \
	" AND status OPERATOR(pg_catalog.<>) '" status "' RETURNING registration_id, status"
#define WITH_REASON(n) \
	", details = details OPERATOR(pg_catalog.||) pg_catalog.jsonb_strip_nulls(" \
	"pg_catalog.jsonb_build_object('decision_reason', " n "))"

Datum
revrtm_approve_registration(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, DATERANGEOID, TEXTOID};

	return decide(fcinfo, DECIDE("approved", ", protection = $2" WITH_REASON("$3")),
				  lengthof(types), types);
}

Datum
revrtm_reject_registration(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID, TEXTOID};

	return decide(fcinfo, DECIDE("rejected", WITH_REASON("$2")), lengthof(types), types);
}

Datum
revrtm_withdraw_registration(PG_FUNCTION_ARGS)
{
	Oid			types[] = {UUIDOID};

	return decide(fcinfo, DECIDE("withdrawn", ""), lengthof(types), types);
}
