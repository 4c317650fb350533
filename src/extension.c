/*-------------------------------------------------------------------------
 *
 * extension.c
 *		Terms of protection that rest on what a registration went through: who
 *		may extend it, and whether it keeps its place after a return.
 *
 * The terms and the log are asked in SQL, with the rights of the tables'
 * owner, for whoever extends or submits may not read all that counts.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "owner.h"
#include "registration.h"

/*
 * The one value that a statement gives, run as the owner of the table; false
 * where it is NULL.
 */
static bool
ask_as_owner(Relation rel, const char *query, int nargs, Oid *types, Datum *values,
			 const char *nulls)
{
	RtmOwnerCall call;
	bool		isnull = true;
	Datum		answer = BoolGetDatum(false);

	rtm_enter_owner(&call, rel);
	if (SPI_execute_with_args(query, nargs, types, values, nulls, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not ask for the terms of protection");	/* cannot happen */
	if (SPI_processed > 0)
		answer = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	rtm_leave_owner(&call);
	return !isnull && DatumGetBool(answer);
}

void
rtm_check_extension(Relation rel, const RtmRegistration *old, const RtmRegistration *new,
					TimestampTz at)
{
	static const int column[] = {REG_ID, REG_PROTECTION, REG_PROTECTION, REG_DECISION_REASON};
	Oid			types[] = {UUIDOID, DATERANGEOID, DATERANGEOID, TEXTOID, OIDOID, TIMESTAMPTZOID};
	Datum		values[6];
	char		nulls[6];
	int			i;

	/* Whose rules they are. */
	if (has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
		return;
	for (i = 0; i < lengthof(column); i++)
	{
		const RtmRegistration *reg = i < 2 ? old : new;

		values[i] = REG_VALUE(reg, column[i]);
		nulls[i] = REG_ISNULL(reg, column[i]) ? 'n' : ' ';
	}
	values[4] = ObjectIdGetDatum(GetUserId());
	values[5] = TimestampTzGetDatum(at);
	nulls[4] = nulls[5] = ' ';
	ask_as_owner(rel, "SELECT revrtm.check_extension($1, $2, $3, $4, $5, $6)",
				 lengthof(types), types, values, nulls);
}

bool
rtm_loses_place(Relation rel, const RtmRegistration *old, TimestampTz at)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[2];

	if (REG_ISNULL(old, REG_DECIDED_AT))
		return false;
	values[0] = REG_VALUE(old, REG_DECIDED_AT);
	values[1] = TimestampTzGetDatum(at);
	return ask_as_owner(rel, "SELECT revrtm.loses_place($1, $2)", lengthof(types), types,
						values, NULL);
}
