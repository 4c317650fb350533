/*-------------------------------------------------------------------------
 *
 * twin.c
 *		Is an account registered already, under another id?
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "registration.h"

/*
 * Ask account_twin() with the rights of the tables' owner: deny for an account
 * that is the same, warn for one that may be.
 */
RtmVerdict
rtm_account_twin(Relation rel, const RtmRegistration *reg, DateADT day)
{
	static SPIPlanPtr plan = NULL;
	static Oid	types[] = {TEXTOID, TEXTOID, INT8MULTIRANGEOID, INT8MULTIRANGEOID, DATEOID};
	Datum		values[] = {
		REG_VALUE(reg, REG_ACCOUNT), REG_VALUE(reg, REG_PARTNER), REG_VALUE(reg, REG_PRODUCT),
		REG_VALUE(reg, REG_REGION), DateADTGetDatum(day)
	};
	char		nulls[] = {' ', REG_ISNULL(reg, REG_PARTNER) ? 'n' : ' ', ' ', ' ', ' '};
	RtmVerdict	verdict = RTM_PASS;
	Oid			user;
	int			context;
	bool		isnull;
	Datum		twin;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	SPI_connect();
	if (plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare("SELECT revrtm.account_twin($1, $2, $3, $4, $5)"
										"::pg_catalog.text", lengthof(types), types);

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare the search for an account");	/* cannot happen */
		plan = fresh;
	}
	if (SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(), InvalidSnapshot,
							 true, false, 1) != SPI_OK_SELECT || SPI_processed == 0)
		elog(ERROR, "could not search for an account");	/* cannot happen */
	twin = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		verdict = strcmp(TextDatumGetCString(twin), "exact") == 0 ? RTM_DENY : RTM_WARN;
	SPI_finish();
	SetUserIdAndSecContext(user, context);
	return verdict;
}
