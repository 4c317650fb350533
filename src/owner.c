/*-------------------------------------------------------------------------
 *
 * owner.c
 *		Statements that run with the rights of a table's owner.
 *
 * As the triggers of foreign keys do: who writes a row need not be allowed to
 * read what it is judged by, nor to write what is logged of it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "owner.h"

void
rtm_take_rights(RtmOwnerCall *call, Oid owner)
{
	GetUserIdAndSecContext(&call->user, &call->context);
	SetUserIdAndSecContext(owner,
						   call->context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

void
rtm_return_rights(const RtmOwnerCall *call)
{
	SetUserIdAndSecContext(call->user, call->context);
}

void
rtm_enter_owner(RtmOwnerCall *call, Relation rel)
{
	rtm_take_rights(call, rel->rd_rel->relowner);
	SPI_connect();
}

void
rtm_leave_owner(const RtmOwnerCall *call)
{
	SPI_finish();
	rtm_return_rights(call);
}

SPIPlanPtr
rtm_plan(RtmStatement *statement)
{
	if (statement->plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare_cursor(statement->text, statement->nargs,
											   statement->types, statement->options);

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare: %s", statement->text);	/* cannot happen */
		statement->plan = fresh;
	}
	return statement->plan;
}

void
rtm_ask(RtmStatement *statement, Datum *values, const char *nulls)
{
	if (SPI_execute_snapshot(rtm_plan(statement), values, nulls, GetLatestSnapshot(),
							 InvalidSnapshot, true, false, 1) != SPI_OK_SELECT ||
		SPI_processed == 0)
		elog(ERROR, "could not ask: %s", statement->text);	/* cannot happen */
}
