/*-------------------------------------------------------------------------
 *
 * registration_state.c
 *		The states of a registration, and what leads from one to another.
 *
 * What may change in a state, and what leads from it, are tables that whoever
 * changes a registration is held to, so they are read below their privileges,
 * when a row needs them. What the states are is fixed, by a constraint of
 * their table as well.
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
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registration.h"

enum
{
	STATE_STATUS = 1,
	STATE_EDITABLE = 5
};

static const RtmColumn state_column[] = {
	{STATE_STATUS, "status", TEXTOID},
	{STATE_EDITABLE, "editable_fields", TEXTARRAYOID}
};

static const RtmState known_state[] = {
	{"draft"},
	{"submitted", .open = true},
	{"queued", .open = true},
	{"in_review", .open = true},
	{"action_required", .open = true},
	{"approved", .active = true, .expires = true},
	{"extended", .active = true, .expires = true},
	{"converted", .active = true},
	{"won"}, {"lost"}, {"rejected"}, {"expired"}, {"withdrawn"}, {"revoked"}
};

enum
{
	MOVE_FROM = 1,
	MOVE_TO,
	MOVE_ACTORS,
	MOVE_REASON
};

static const RtmColumn transition_column[] = {
	{MOVE_FROM, "from_status", TEXTOID},
	{MOVE_TO, "to_status", TEXTOID},
	{MOVE_ACTORS, "actors", TEXTARRAYOID},
	{MOVE_REASON, "reason_required", BOOLOID}
};

/* The columns that say what is registered. */
static const int business_column[] = {
	REG_ACCOUNT, REG_PARTNER, REG_PRODUCT_CODES, REG_REGION_CODES, REG_EXCLUSIVE, REG_AMOUNT,
	REG_CURRENCY, REG_EXPECTED_CLOSE, REG_EVIDENCE, REG_DETAILS, REG_OPPORTUNITY
};

static const struct
{
	RtmActor	actor;
	const char *name;
}			actor_name[] =

{
	{RTM_PARTNER, "partner"},
	{RTM_STAFF, "staff"},
	{RTM_SYSTEM, "system"}
};

const char *
rtm_actor_name(RtmActor actor)
{
	int			i = 0;

	while (actor_name[i].actor != actor)
		i++;
	return actor_name[i].name;
}

bool
rtm_business_column(int column)
{
	int			i;

	for (i = 0; i < lengthof(business_column); i++)
		if (business_column[i] == column)
			return true;
	return false;
}

int
rtm_business_column_named(const char *name)
{
	int			i;

	for (i = 0; i < lengthof(business_column); i++)
		if (strcmp(rtm_reg_column[business_column[i] - 1].name, name) == 0)
			return business_column[i];
	return 0;
}

/*
 * The texts of an array, NULLs left out.
 */
static int
read_texts(Datum array, char ***texts)
{
	Datum	   *element;
	bool	   *isnull;
	int			n;
	int			i;
	int			kept = 0;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &element, &isnull, &n);
	*texts = palloc(Max(n, 1) * sizeof(char *));
	for (i = 0; i < n; i++)
		if (!isnull[i])
			(*texts)[kept++] = TextDatumGetCString(element[i]);
	return kept;
}

/*
 * Call back for each row of a table of ours whose columns are not NULL. How
 * many rows it has is not ours to say: room grows by need.
 */
static void
read_rows(const char *name, const RtmColumn *column, int columns,
		  void (*read_row) (const Datum *, void *), void *arg)
{
	Relation	rel = rtm_open_table(name, AccessShareLock, column, columns);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		Datum		value[MOVE_REASON];
		bool		isnull = false;
		int			i;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < columns && !isnull; i++)
			value[i] = slot_getattr(slot, column[i].number, &isnull);
		if (!isnull)
			read_row(value, arg);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
}

/* The arrays grow at powers of two. */
#define GROW(array, count) \
	do { \
		if (((count) & ((count) - 1)) == 0) \
			(array) = (count) == 0 ? palloc(sizeof(*(array))) \
				: repalloc_huge(array, mul_size(2 * (Size) (count), sizeof(*(array)))); \
	} while (0)

/* The state whose editable columns are asked for. */
typedef struct Editable
{
	const char *status;
	Bitmapset  *columns;
} Editable;

static void
read_editable(const Datum *value, void *arg)
{
	Editable   *of = arg;
	char	  **field;
	int			n;

	if (strcmp(TextDatumGetCString(value[0]), of->status) != 0)
		return;
	n = read_texts(value[1], &field);
	for (int i = 0; i < n; i++)
		of->columns = bms_add_member(of->columns, rtm_business_column_named(field[i]));
}

Bitmapset *
rtm_editable(const RtmState *state)
{
	Editable	of = {.status = state->status};

	read_rows("registration_state", state_column, lengthof(state_column), read_editable, &of);
	return of.columns;
}

static void
read_transition(const Datum *value, void *arg)
{
	RtmMachine *machine = arg;
	RtmTransition *transition;
	char	  **actor;
	int			i;
	int			a;
	int			n = read_texts(value[MOVE_ACTORS - 1], &actor);

	GROW(machine->transition, machine->transitions);
	transition = &machine->transition[machine->transitions++];
	transition->from = TextDatumGetCString(value[MOVE_FROM - 1]);
	transition->to = TextDatumGetCString(value[MOVE_TO - 1]);
	transition->reason_required = DatumGetBool(value[MOVE_REASON - 1]);
	transition->actors = 0;
	for (i = 0; i < n; i++)
		for (a = 0; a < lengthof(actor_name); a++)
			if (strcmp(actor[i], actor_name[a].name) == 0)
				transition->actors |= actor_name[a].actor;
}

void
rtm_read_transitions(RtmMachine *machine, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);

	read_rows("registration_transition", transition_column, lengthof(transition_column),
			  read_transition, machine);
	MemoryContextSwitchTo(caller);
}

const RtmState *
rtm_state(const char *status)
{
	int			i;

	for (i = 0; i < lengthof(known_state); i++)
		if (strcmp(known_state[i].status, status) == 0)
			return &known_state[i];
	return NULL;
}

const RtmTransition *
rtm_transition(const RtmMachine *machine, const char *from, const char *to, RtmActor actor)
{
	int			i;

	for (i = 0; i < machine->transitions; i++)
	{
		const RtmTransition *transition = &machine->transition[i];

		if ((transition->actors & actor) != 0 && strcmp(transition->from, from) == 0 &&
			strcmp(transition->to, to) == 0)
			return transition;
	}
	return NULL;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

void
rtm_refuse_transition(Relation rel, const RtmMachine *machine, const char *from, const char *to,
					  RtmActor actor)
{
	StringInfoData next;
	List	   *names = NIL;
	ListCell   *lc;
	bool		final = true;
	int			i;

	for (i = 0; i < machine->transitions; i++)
	{
		const RtmTransition *transition = &machine->transition[i];

		if (strcmp(transition->from, from) != 0)
			continue;
		final = false;
		if ((transition->actors & actor) != 0)
			names = lappend(names, (void *) transition->to);
	}
	list_sort(names, compare_names);
	initStringInfo(&next);
	foreach(lc, names)
		appendStringInfo(&next, "%s%s", next.len > 0 ? ", " : "", (char *) lfirst(lc));

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("deal registration cannot go from %s to %s", from, to),
			 final ? errhint("It is %s for good; register the deal anew.", from)
			 : next.len == 0 ? errhint("What becomes of it is for channel management to say.")
			 : actor == RTM_PARTNER
			 ? errhint("From %s its partner can make it: %s.", from, next.data)
			 : errhint("From %s it can become: %s.", from, next.data),
			 errtableconstraint(rel, "roe_transition")));
}
