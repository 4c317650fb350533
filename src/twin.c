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
#include "utils/builtins.h"
#include "utils/rel.h"

#include "owner.h"
#include "registration.h"

/*
 * Ask account_twin() with the rights of the tables' owner: deny for an account
 * that is the same, warn for one that may be.
 */
RtmVerdict
rtm_account_twin(Relation rel, const RtmRegistration *reg, DateADT day)
{
	static RtmStatement search = {
		"SELECT revrtm.account_twin($1, $2, $3, $4, $5)::pg_catalog.text",
		5, {TEXTOID, TEXTOID, INT8MULTIRANGEOID, INT8MULTIRANGEOID, DATEOID}
	};
	Datum		values[] = {
		REG_VALUE(reg, REG_ACCOUNT), REG_VALUE(reg, REG_PARTNER), REG_VALUE(reg, REG_PRODUCT),
		REG_VALUE(reg, REG_REGION), DateADTGetDatum(day)
	};
	char		nulls[] = {' ', REG_ISNULL(reg, REG_PARTNER) ? 'n' : ' ', ' ', ' ', ' '};
	RtmVerdict	verdict = RTM_PASS;
	RtmOwnerCall call;
	bool		isnull;
	Datum		twin;

	rtm_enter_owner(&call, rel);
	rtm_ask(&search, values, nulls);
	twin = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		verdict = strcmp(TextDatumGetCString(twin), "exact") == 0 ? RTM_DENY : RTM_WARN;
	rtm_leave_owner(&call);
	return verdict;
}
