/*-------------------------------------------------------------------------
 *
 * guard_sweep.c
 *		All rows of a guarded table: what they claim, and what is refused.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "guard.h"

/* Rows that are fetched at once. */
#define BATCH 1000

/*
 * The status of a row may be none that there is; then that is what is wrong.
 */
bool
rtm_try_guarded(RtmGuardClaim *claim, const RtmGuardRow *row, HeapTuple tuple,
		 const RtmProgramme *programme, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;

	*error = NULL;

	/* Reading takes nothing that would have to be given back. */
	PG_TRY();
	{
		rtm_read_guarded(claim, row, tuple, programme);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		if ((*error)->sqlerrcode != ERRCODE_CHECK_VIOLATION)
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	return *error == NULL;
}

static void
add_violation(RtmSweep *sweep, const char *key, ErrorData *error, const char *detail)
{
	MemoryContext caller = MemoryContextSwitchTo(sweep->context);
	RtmViolation *violation = palloc0(sizeof(RtmViolation));

	violation->key = pstrdup(key);
	violation->detail = detail == NULL ? NULL : pstrdup(detail);
	if (error != NULL)
	{
		violation->error = palloc0(sizeof(ErrorData));
		violation->error->sqlerrcode = error->sqlerrcode;
		violation->error->message = pstrdup(error->message);
		violation->error->detail = error->detail == NULL ? NULL : pstrdup(error->detail);
		violation->error->constraint_name =
			error->constraint_name == NULL ? NULL : pstrdup(error->constraint_name);
		sweep->refused++;
	}
	sweep->violations = lappend(sweep->violations, violation);
	MemoryContextSwitchTo(caller);
}

/*
 * Two statuses that say the same of the row: it waits, or it is over.
 */
static bool
agrees(const char *row, const char *claim)
{
	const RtmState *a = rtm_state(row);
	const RtmState *b = rtm_state(claim);

	return a == NULL || b == NULL || strcmp(row, claim) == 0 || (a->open && b->open) ||
		(a->expires && strcmp(claim, "expired") == 0);
}

static void
sweep_row(RtmSweep *sweep, const RtmGuardRow *row, HeapTuple tuple)
{
	RtmGuardClaim claim;
	ErrorData  *error;
	char	   *row_status;
	char	   *status;
	char	   *seen;
	bool		active;

	if (!rtm_try_guarded(&claim, row, tuple, sweep->programme, &error))
	{
		if (!sweep->keys_only && !sweep->active)
			add_violation(sweep, claim.key, error, NULL);
		return;
	}
	if (sweep->keys_only)
	{
		sweep->keys = accumArrayResult(sweep->keys, CStringGetTextDatum(claim.key), false, TEXTOID,
									  sweep->context);
		return;
	}
	row_status = rtm_registration_text(&claim.reg, REG_STATUS);
	active = sweep->guard->deals || rtm_state(row_status)->active;
	if (active != sweep->active)
		return;
	seen = rtm_seen_claim(sweep->guard, sweep->registrations, claim.key, &status);
	if (seen != NULL && status != NULL && strcmp(seen, claim.seen) == 0)
	{
		if (!agrees(row_status, status))
			add_violation(sweep, claim.key, NULL,
						  psprintf("The row is %s, and its claim was decided to be %s.",
								   row_status, status));
	}
	else if (!rtm_try_claim(sweep->guard, sweep->registrations, NULL, &claim, &error))
		add_violation(sweep, claim.key, error, NULL);
	else
		sweep->taken++;
}

/*
 * Every row of the table, in the order in which they were made, as the caller
 * may see them.
 */
static void
sweep_rows(RtmSweep *sweep)
{
	const RtmGuard *guard = sweep->guard;
	MemoryContext within = AllocSetContextCreate(CurrentMemoryContext, "guarded row",
												 ALLOCSET_DEFAULT_SIZES);
	StringInfoData query;
	RtmGuardRow row = {0};
	ListCell   *lc;
	Portal		portal;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT t.* FROM ONLY %s t ORDER BY ",
					 quote_qualified_identifier(guard->schema, guard->table));
	if (guard->column[GUARD_SINCE] != NULL)
		appendStringInfo(&query, "t.%s, ", quote_identifier(guard->column[GUARD_SINCE]));
	foreach(lc, guard->key)
		appendStringInfo(&query, "%st.%s", lc == list_head(guard->key) ? "" : ", ",
						 quote_identifier(lfirst(lc)));
	portal = SPI_cursor_parse_open(NULL, query.data, &(SPIParseOpenOptions) {.read_only = false});
	for (;;)
	{
		SPITupleTable *table;
		uint64		i;

		SPI_cursor_fetch(portal, true, BATCH);
		table = SPI_tuptable;
		if (SPI_processed == 0)
			break;
		if (row.desc == NULL)
			rtm_find_guarded(&row, guard, CreateTupleDescCopy(table->tupdesc),
							 ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
		for (i = 0; i < table->numvals; i++)
		{
			MemoryContext caller = MemoryContextSwitchTo(within);

			CHECK_FOR_INTERRUPTS();
			sweep_row(sweep, &row, table->vals[i]);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(within);
		}
		SPI_freetuptable(table);
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(within);
}

void
rtm_sweep_table(RtmSweep *sweep)
{
	int64		taken;

	sweep->programme = rtm_read_programme(sweep->context);
	sweep->keys_only = true;
	sweep_rows(sweep);
	if (!sweep->guard->deals)
		rtm_drop_claims(sweep->guard->relid, sweep->registrations,
						sweep->keys == NULL ? PointerGetDatum(construct_empty_array(TEXTOID))
						: makeArrayResult(sweep->keys, sweep->context));
	sweep->keys_only = false;
	sweep_rows(sweep);
	sweep->active = true;
	do
	{
		List	   *before = sweep->violations;
		int			kept = list_length(before);
		int64		refused = sweep->refused;

		taken = sweep->taken;
		sweep_rows(sweep);
		if (sweep->taken == taken || sweep->refused == refused || sweep->guard->deals)
			break;
		sweep->violations = list_truncate(sweep->violations, kept);
		sweep->refused = refused;
	} while (true);
}
