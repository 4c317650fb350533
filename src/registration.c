/*-------------------------------------------------------------------------
 *
 * registration.c
 *		Deal registrations: the row, and the trigger that keeps it.
 *
 * The exclusion constraint roe_protected is the only arbiter of protections.
 * The trigger derives the columns it compares, holds changes to the states
 * and the rules, and says in words why it refuses a row before the constraint
 * does.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "guard.h"
#include "query_cache.h"
#include "registration.h"
#include "tree.h"

const RtmColumn rtm_reg_column[REG_COLUMNS] = {
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
	{REG_AMOUNT, "amount", NUMERICOID},
	{REG_CURRENCY, "currency", TEXTOID},
	{REG_EXPECTED_CLOSE, "expected_close", DATEOID},
	{REG_EVIDENCE, "evidence", JSONBOID},
	{REG_DETAILS, "details", JSONBOID},
	{REG_SUBMITTED_AT, "submitted_at", TIMESTAMPTZOID},
	{REG_DECIDED_AT, "decided_at", TIMESTAMPTZOID},
	{REG_CHECKED_AT, "checked_at", TIMESTAMPTZOID},
	{REG_DECISION_REASON, "decision_reason", TEXTOID},
	{REG_OPPORTUNITY, "opportunity_id", TEXTOID},
	{REG_REVISION, "revision", INT4OID}
};

bool		rtm_system_call = false;

REVRTM_FUNCTION(revrtm_keep_registration);

extern Datum revrtm_as_of(PG_FUNCTION_ARGS);

Relation
rtm_open_registrations(LOCKMODE lock)
{
	return rtm_open_table("deal_registration", lock, rtm_reg_column, REG_COLUMNS);
}

void
rtm_read_registration(RtmRegistration *reg, HeapTuple tuple, TupleDesc desc)
{
	int			i;

	for (i = 0; i < REG_COLUMNS; i++)
		reg->value[i] = heap_getattr(tuple, i + 1, desc, &reg->isnull[i]);
}

bool
rtm_column_differs(Relation rel, const RtmRegistration *a, const RtmRegistration *b, int column)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), column - 1);

	if (REG_ISNULL(a, column) || REG_ISNULL(b, column))
		return REG_ISNULL(a, column) != REG_ISNULL(b, column);
	return !datum_image_eq(REG_VALUE(a, column), REG_VALUE(b, column),
						   att->attbyval, att->attlen);
}

char *
rtm_registration_text(const RtmRegistration *reg, int column)
{
	return REG_ISNULL(reg, column) ? NULL : TextDatumGetCString(REG_VALUE(reg, column));
}

bool
rtm_is_exclusive(const RtmRegistration *reg)
{
	return !REG_ISNULL(reg, REG_EXCLUSIVE) && DatumGetBool(REG_VALUE(reg, REG_EXCLUSIVE));
}

bool
rtm_may_write(Relation rel, int column, AclMode mode, Oid user)
{
	return pg_class_aclcheck(RelationGetRelid(rel), user, mode) == ACLCHECK_OK ||
		pg_attribute_aclcheck(RelationGetRelid(rel), column, user, mode) == ACLCHECK_OK;
}

/*
 * The setting as_of is anybody's to change, so for those who may not write a
 * column its default rests on the clock alone; a function with its definer's
 * rights lends its caller none of it.
 */
bool
rtm_may_choose(Relation rel, int column, AclMode mode)
{
	return rtm_may_write(rel, column, mode, GetUserId()) &&
		(GetOuterUserId() == GetUserId() || rtm_may_write(rel, column, mode, GetOuterUserId()));
}

TimestampTz
rtm_default_instant(Relation rel, int column, AclMode mode)
{
	if (!rtm_may_choose(rel, column, mode))
		return GetCurrentTimestamp();
	return DatumGetTimestampTz(DirectFunctionCall1(revrtm_as_of, (Datum) 0));
}

RtmActor
rtm_actor(Relation rel)
{
	if (rtm_system_call)
		return RTM_SYSTEM;
	return rtm_may_choose(rel, REG_PROTECTION, ACL_UPDATE) ? RTM_STAFF : RTM_PARTNER;
}

void
rtm_require_staff(Relation rel)
{
	if (rtm_actor(rel) == RTM_PARTNER)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for table %s", RelationGetRelationName(rel)),
				 errhint("It is for channel management: see revrtm.grant_staff().")));
}

Datum
rtm_protection_from(const RtmProgramme *programme, DateADT day)
{
	return rtm_range(DATERANGEOID, DateADTGetDatum(day),
					 DirectFunctionCall2(date_pli, DateADTGetDatum(day),
										 Int32GetDatum(programme->protection_days)));
}

/*
 * The protection that starts today, in the programme's zone. Who may not
 * choose it gets the clock's today.
 */
static Datum
default_protection(const RtmProgramme *programme, Relation rel, AclMode mode)
{
	return rtm_protection_from(programme,
							   rtm_local_day(rtm_default_instant(rel, REG_PROTECTION, mode),
											 programme->zone));
}

bool
rtm_protection_over(Datum protection, DateADT day)
{
	RangeBound	bound[2];
	bool		empty;

	range_deserialize(lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO),
					  DatumGetRangeTypeP(protection), &bound[0], &bound[1], &empty);
	return empty || (!bound[1].infinite && DatumGetDateADT(bound[1].val) <= day);
}

char *
rtm_day_text(DateADT day)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm = {0};

	if (DATE_NOT_FINITE(day))
		EncodeSpecialDate(day, text);
	else
	{
		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, text);
	}
	return pstrdup(text);
}

char *
rtm_range_text(Datum range)
{
	RangeBound	bound[2];
	bool		empty;
	const char *text[2];
	int			i;

	range_deserialize(lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO),
					  DatumGetRangeTypeP(range), &bound[0], &bound[1], &empty);
	if (empty)
		return pstrdup("empty");
	for (i = 0; i < 2; i++)
		text[i] = bound[i].infinite ? "" : rtm_day_text(DatumGetDateADT(bound[i].val));
	return psprintf("%c%s,%s%c", bound[0].inclusive ? '[' : '(', text[0], text[1],
					bound[1].inclusive ? ']' : ')');
}

char *
rtm_uuid_text(const pg_uuid_t *id)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}

RtmTerms *
rtm_query_terms(FmgrInfo *flinfo)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);
	RtmTerms   *terms = cache->data;

	if (terms == NULL)
	{
		terms = MemoryContextAllocZero(cache->context, sizeof(RtmTerms));
		terms->context = cache->context;
		terms->programme = rtm_read_programme(cache->context);
		cache->data = terms;
	}
	return terms;
}

const RtmMachine *
rtm_terms_machine(RtmTerms *terms)
{
	if (!terms->has_transitions)
		rtm_read_transitions(&terms->machine, terms->context);
	terms->has_transitions = true;
	return &terms->machine;
}

const RtmRules *
rtm_terms_rules(RtmTerms *terms)
{
	if (terms->rules == NULL)
		terms->rules = rtm_read_rules(terms->context);
	return terms->rules;
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

/*
 * A change that the trigger looks at.
 */
typedef struct Change
{
	Relation	rel;
	RtmTerms   *terms;
	RtmActor	actor;
	AclMode		mode;			/* ACL_INSERT or ACL_UPDATE */
	RtmRegistration old;		/* of an update */
	RtmRegistration new;
	const Bitmapset *assigned;		/* columns that the update sets */
	const char *before;			/* status; NULL: a new row */
	const char *after;			/* "" where it is NULL, for the table to refuse */
	bool		moved;			/* from status to status, or a new row */
	bool		guarded;		/* the claim of a guarded row, which has its own life cycle */
} Change;

static bool
differs(const Change *change, int column)
{
	return rtm_column_differs(change->rel, &change->old, &change->new, column);
}

static bool
assigns(const Change *change, int column)
{
	return bms_is_member(column - FirstLowInvalidHeapAttributeNumber, change->assigned);
}

/*
 * The status a row has of itself: one whose protection is over has expired.
 */
static const char *
effective_status(const Change *change)
{
	const RtmState *state = rtm_state(change->before);
	DateADT		today;

	if (state == NULL || !state->expires || REG_ISNULL(&change->old, REG_PROTECTION))
		return change->before;
	today = rtm_local_day(rtm_default_instant(change->rel, REG_PROTECTION, change->mode),
						  change->terms->programme->zone);
	return rtm_protection_over(REG_VALUE(&change->old, REG_PROTECTION), today)
		? "expired" : change->before;
}

/*
 * Columns that the state of the row does not leave open.
 */
static void
check_frozen(const Change *change)
{
	const RtmState *state = rtm_state(change->before);
	const Bitmapset *editable = state == NULL ? NULL : rtm_editable(state);
	StringInfoData frozen;
	StringInfoData open;
	int			column;

	initStringInfo(&frozen);
	initStringInfo(&open);
	for (column = 1; column <= REG_COLUMNS; column++)
	{
		const char *name = rtm_reg_column[column - 1].name;

		if (!rtm_business_column(column))
			continue;
		if (bms_is_member(column, editable))
			appendStringInfo(&open, "%s%s", open.len > 0 ? ", " : "", name);
		else if (differs(change, column))
			appendStringInfo(&frozen, "%s%s", frozen.len > 0 ? ", " : "", name);
	}
	if (frozen.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("cannot change %s of a deal registration that is %s",
						frozen.data, change->before),
				 open.len > 0 ? errhint("What may be changed of it: %s.", open.data)
				 : errhint("Nothing of it may be changed in this state."),
				 errtableconstraint(change->rel, "roe_frozen")));
}

static bool
protects(const char *status)
{
	const RtmState *state = rtm_state(status);

	return state != NULL && state->active;
}

/*
 * Does the actor's change of an existing row follow the transitions? A new
 * protection of a row that stays what it is, an extension, is one as well.
 */
static void
check_transition(Change *change)
{
	const char *from = change->before;
	bool		again = !change->moved && differs(change, REG_PROTECTION) &&
		strcmp(change->before, "draft") != 0;
	const RtmTransition *transition;
	const RtmMachine *machine;

	/* Nothing is decided, so there is nothing to give a reason for. */
	if (!change->moved && !again)
	{
		change->new.value[REG_DECISION_REASON - 1] = REG_VALUE(&change->old, REG_DECISION_REASON);
		change->new.isnull[REG_DECISION_REASON - 1] = REG_ISNULL(&change->old, REG_DECISION_REASON);
		return;
	}
	if (strcmp(change->after, "expired") != 0)
		from = effective_status(change);
	machine = rtm_terms_machine(change->terms);
	transition = rtm_transition(machine, from, change->after, change->actor);
	if (transition == NULL)
		rtm_refuse_transition(change->rel, machine, from, change->after, change->actor);

	if (!assigns(change, REG_DECISION_REASON))
		REG_ISNULL(&change->new, REG_DECISION_REASON) = true;
	if (transition->reason_required && change->actor != RTM_SYSTEM &&
		(REG_ISNULL(&change->new, REG_DECISION_REASON) ||
		 rtm_registration_text(&change->new, REG_DECISION_REASON)[0] == '\0'))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a deal registration cannot become %s without a reason", change->after),
				 errhint("Give the reason; its partner reads it in decision_reason."),
				 errtableconstraint(change->rel, "roe_reason")));
	if (change->actor == RTM_STAFF && differs(change, REG_PROTECTION) &&
		protects(change->before) && protects(change->after))
		rtm_check_extension(change->rel, &change->old, &change->new,
							rtm_default_instant(change->rel, REG_PROTECTION, change->mode));
}

static bool
is_list(const RtmRegistration *reg, int column)
{
	return !REG_ISNULL(reg, column) &&
		ARR_NDIM(DatumGetArrayTypeP(REG_VALUE(reg, column))) > 0;
}

/*
 * Derive the scopes. Where there are no codes they stay NULL, if that is for
 * the rules to say first.
 */
static void
derive_scopes(Change *change, bool judged)
{
	RtmRegistration *new = &change->new;

	if (judged && (!is_list(new, REG_PRODUCT_CODES) || !is_list(new, REG_REGION_CODES)))
	{
		REG_ISNULL(new, REG_PRODUCT) = REG_ISNULL(new, REG_REGION) = true;
		return;
	}
	REG_SET(new, REG_PRODUCT, rtm_scope(RTM_PRODUCT, REG_VALUE(new, REG_PRODUCT_CODES),
										REG_ISNULL(new, REG_PRODUCT_CODES)));
	REG_SET(new, REG_REGION, rtm_scope(RTM_REGION, REG_VALUE(new, REG_REGION_CODES),
									   REG_ISNULL(new, REG_REGION_CODES)));
}

/*
 * Dates that follow from the status, where the statement does not give them.
 */
static void
derive_dates(Change *change, const RtmState *state)
{
	RtmRegistration *new = &change->new;
	bool		insert = change->before == NULL;
	bool		leaves_draft = !insert && change->moved && strcmp(change->before, "draft") == 0;
	bool		waits = state != NULL && (state->open || strcmp(state->status, "draft") == 0);
	bool		comes_back = !insert && change->moved && state != NULL && state->open &&
		strcmp(change->before, "action_required") == 0;

	if (REG_ISNULL(new, REG_PROTECTION) ||
		(leaves_draft && !assigns(change, REG_PROTECTION)))
		REG_SET(new, REG_PROTECTION,
				default_protection(change->terms->programme, change->rel, change->mode));
	if (REG_ISNULL(new, REG_SUBMITTED_AT) ||
		(leaves_draft && !assigns(change, REG_SUBMITTED_AT)) ||
		(insert && !rtm_may_write(change->rel, REG_SUBMITTED_AT, change->mode, GetUserId())))
		REG_SET(new, REG_SUBMITTED_AT,
				TimestampTzGetDatum(rtm_default_instant(change->rel, REG_SUBMITTED_AT,
														change->mode)));
	else if (comes_back && !assigns(change, REG_SUBMITTED_AT))
	{
		TimestampTz at = rtm_default_instant(change->rel, REG_SUBMITTED_AT, change->mode);

		if (rtm_loses_place(change->rel, &change->old, at))
			REG_SET(new, REG_SUBMITTED_AT, TimestampTzGetDatum(at));
	}
	if (insert ? !waits && REG_ISNULL(new, REG_DECIDED_AT) : change->moved)
		REG_SET(new, REG_DECIDED_AT,
				TimestampTzGetDatum(rtm_default_instant(change->rel, REG_DECIDED_AT,
														change->mode)));

	/* By this very instant log_registration knows a row that was judged now. */
	REG_SET(new, REG_CHECKED_AT, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

static bool
changes_business(const Change *change)
{
	int			column;

	for (column = 1; column <= REG_COLUMNS; column++)
		if (rtm_business_column(column) && differs(change, column))
			return true;
	return false;
}

/*
 * The number of the entry in the event log that tells of this change.
 */
static int32
next_revision(const Change *change)
{
	int32		revision = DatumGetInt32(REG_VALUE(&change->old, REG_REVISION));

	if (change->moved || differs(change, REG_PROTECTION) || changes_business(change) ||
		rtm_override_of(&change->new) != NULL)
		return revision + 1;
	return revision;
}

/*
 * Is the row to be judged by the rules: when it is submitted, or approved; or
 * what it claims changes, which only a guarded row's may?
 */
static bool
is_judged(const Change *change, const RtmState *state)
{
	if (state == NULL || change->actor == RTM_SYSTEM)
		return false;
	if (!change->moved)
		return change->guarded && (state->open || state->active) && changes_business(change);
	if (change->before == NULL)
		return state->open || state->active;
	return strcmp(state->status, "submitted") == 0 || strcmp(state->status, "approved") == 0;
}

static const pg_uuid_t *
own_id(const Change *change)
{
	if (change->before == NULL || REG_ISNULL(&change->old, REG_ID))
		return NULL;
	return DatumGetUUIDP(REG_VALUE(&change->old, REG_ID));
}

/*
 * Refuse what the rules deny. A partner's registration whose scope is held
 * waits in the queue instead.
 */
static void
judge(Change *change, const RtmState *state)
{
	TimestampTz at = rtm_default_instant(change->rel, REG_PROTECTION, change->mode);
	List	   *findings;
	ListCell   *lc;
	bool		held = false;

	if (state->open && rtm_is_exclusive(&change->new) &&
		rtm_shares_ground(change->terms, change->rel, &change->new))
		REG_SET(&change->new, REG_EXCLUSIVE, BoolGetDatum(false));
	findings = rtm_judge(change->terms, change->rel, &change->new, own_id(change), at, true);
	foreach(lc, findings)
	{
		RtmFinding *finding = lfirst(lc);

		/* Of a row that would protect itself the constraint speaks. */
		if (state->active && (finding->kind == RTM_PROTECTED ||
							  (finding->kind == RTM_SECOND_REGISTRANT &&
							   rtm_is_exclusive(&change->new))))
			finding->verdict = RTM_PASS;
		if (finding->kind != RTM_PROTECTED)
			continue;
		held = held || finding->verdict != RTM_PASS;
	}
	rtm_enforce(change->rel, findings);
	if (held && change->actor == RTM_PARTNER && strcmp(state->status, "submitted") == 0)
		REG_SET(&change->new, REG_STATUS, CStringGetTextDatum("queued"));
}

/*
 * revrtm.keep_registration(): the trigger of deal_registration.
 */
Datum
revrtm_keep_registration(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Change		change = {0};
	RtmRegistration *new = &change.new;
	const RtmColumn *missing;
	const RtmState *state;
	TupleDesc	desc;
	HeapTuple	tuple;
	int			columns[REG_COLUMNS];
	bool		insert;
	bool		judged;
	bool		discounts = false;
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

	change.rel = data->tg_relation;
	desc = RelationGetDescr(change.rel);
	missing = rtm_missing_column(desc, rtm_reg_column, REG_COLUMNS);
	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"keep_registration\" keeps the table deal_registration only"),
				 errdetail("Column %d is not \"%s\" of type %s.", missing->number, missing->name,
						   format_type_be(missing->type))));
	insert = TRIGGER_FIRED_BY_INSERT(data->tg_event);
	tuple = insert ? data->tg_trigtuple : data->tg_newtuple;
	rtm_read_registration(new, tuple, desc);

	/*
	 * It carries its decision stamp: a restored row, which is history. Or it
	 * is given the scopes that its codes have in a tree that was changed.
	 */
	if (insert ? !REG_ISNULL(new, REG_CHECKED_AT) : rtm_tree_step == RTM_KEEP_SCOPES)
		return PointerGetDatum(tuple);

	change.mode = insert ? ACL_INSERT : ACL_UPDATE;
	change.terms = rtm_query_terms(fcinfo->flinfo);
	change.actor = rtm_actor(change.rel);
	change.guarded = rtm_guard_step;
	change.after = REG_ISNULL(new, REG_STATUS) ? "" : rtm_registration_text(new, REG_STATUS);
	change.moved = true;
	if (!insert)
	{
		rtm_read_registration(&change.old, data->tg_trigtuple, desc);
		change.assigned = data->tg_updatedcols;
		change.before = REG_ISNULL(&change.old, REG_STATUS) ? ""
			: rtm_registration_text(&change.old, REG_STATUS);
		change.moved = strcmp(change.before, change.after) != 0;
		if (change.actor != RTM_SYSTEM && !change.guarded)
			check_frozen(&change);
		if (!REG_ISNULL(new, REG_STATUS) && !change.guarded)
			check_transition(&change);
		discounts = change.actor != RTM_SYSTEM && differs(&change, REG_DETAILS) &&
			rtm_discounts_differ(&change.old, new);
		if (discounts || (change.actor != RTM_SYSTEM && differs(&change, REG_OPPORTUNITY)))
			rtm_refuse_late_link(change.terms, change.rel, &change.old, new,
								 rtm_default_instant(change.rel, REG_PROTECTION, change.mode));
	}

	/* A status that is none the table's own constraint refuses, afterwards. */
	state = rtm_state(change.after);
	judged = is_judged(&change, state);
	derive_dates(&change, state);
	if (insert || judged || differs(&change, REG_ACCOUNT))
		rtm_refuse_merged(change.rel, new);
	derive_scopes(&change, judged);
	if (judged)
	{
		judge(&change, state);
		if (REG_ISNULL(new, REG_PRODUCT))
			derive_scopes(&change, false);
	}
	else if (discounts && state != NULL && (state->open || state->active))
		rtm_refuse_discounts(change.terms, change.rel, new, own_id(&change),
							 rtm_default_instant(change.rel, REG_PROTECTION, change.mode));
	REG_SET(new, REG_ACTIVE, BoolGetDatum(state != NULL && state->active));
	REG_SET(new, REG_REVISION, Int32GetDatum(insert ? 1 : next_revision(&change)));

	/*
	 * Row security comes after the trigger, and lets no partner protect itself.
	 */
	if (DatumGetBool(REG_VALUE(new, REG_ACTIVE)) && !REG_ISNULL(new, REG_ACCOUNT) &&
		rtm_is_exclusive(new) &&
		(change.guarded || (change.actor != RTM_PARTNER &&
							(!insert || insert_wants_words(RelationGetRelid(change.rel))))))
	{
		RtmRival	rival;

		if (rtm_find_rival(change.rel, new, own_id(&change), &rival))
			rtm_refuse_rival(change.rel, &rival);
	}
	for (i = 0; i < REG_COLUMNS; i++)
		columns[i] = i + 1;
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, desc, REG_COLUMNS, columns,
													 new->value, new->isnull));
}
