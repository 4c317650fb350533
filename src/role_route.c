/*-------------------------------------------------------------------------
 *
 * role_route.c
 *		route_for() and lead_route(): who does what in a cell, and by which
 *		rule.
 *
 * The matrix is compiled at the first call of a query and kept for its other
 * calls. What may outlive a query (an expression of PL/pgSQL is kept for the
 * transaction) is compiled anew once the snapshot sees other rows.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "query_cache.h"
#include "role.h"

REVRTM_FUNCTION(revrtm_route_for);
REVRTM_FUNCTION(revrtm_lead_route);

/* Names of constraints in errors. */
static const char *const dimension_constraint[ROLE_DIMENSIONS] = {
	"route_for_segment", "route_for_product", "route_for_region"
};

static const char *const dimension_name[ROLE_DIMENSIONS] = {"segment", "product", "region"};

static RoleMatrix *
query_matrix(FmgrInfo *flinfo)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);

	if (cache->data == NULL)
		cache->data = rtm_compile_roles(cache->context);
	return cache->data;
}

/*
 * The name of a cell; NULL for a segment that no rule names, which is any.
 */
static RoleName *
cell_name(FunctionCallInfo fcinfo, RoleMatrix *matrix, RoleDimension d)
{
	text	   *arg;
	Bytes		bytes;
	RoleName   *name;

	if (PG_ARGISNULL(d))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the %s to decide is NULL", dimension_name[d]),
				 errhint("ANY stands for a %s that is not known.", dimension_name[d]),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, dimension_constraint[d])));
	arg = PG_GETARG_TEXT_PP(d);
	bytes.data = VARDATA_ANY(arg);
	bytes.len = VARSIZE_ANY_EXHDR(arg);
	if (bytes.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the %s to decide is empty", dimension_name[d]),
				 errhint("ANY stands for a %s that is not known.", dimension_name[d]),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, dimension_constraint[d])));

	name = rtm_role_name(matrix, d, bytes);
	if (name == NULL && d != ROLE_SEGMENT)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("%s \"%.*s\" does not exist", dimension_name[d],
						pg_mbcliplen(bytes.data, bytes.len, 255), bytes.data),
				 errhint("The codes are listed in revrtm.%s; ANY stands for a %s that is not "
						 "known.", dimension_name[d], dimension_name[d]),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, dimension_constraint[d])));
	return name;
}

/*
 * Decide the cell that the arguments name.
 */
static RoleMatrix *
decide_cell(FunctionCallInfo fcinfo)
{
	RoleMatrix *matrix = query_matrix(fcinfo->flinfo);
	RoleName   *cell[ROLE_DIMENSIONS];
	TimestampTz at = PG_ARGISNULL(ROLE_DIMENSIONS) ? DT_NOEND :
		PG_GETARG_TIMESTAMPTZ(ROLE_DIMENSIONS);

	for (int d = 0; d < ROLE_DIMENSIONS; d++)
		cell[d] = cell_name(fcinfo, matrix, d);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(PG_ARGISNULL(ROLE_DIMENSIONS) ? ERRCODE_NULL_VALUE_NOT_ALLOWED
						 : ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the instant to decide is %s",
						PG_ARGISNULL(ROLE_DIMENSIONS) ? "NULL" : "infinite"),
				 errhint("Leave it out for now, or take revrtm.as_of()."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "route_for_at")));

	rtm_match_roles(matrix, cell, at, at);
	rtm_decide_roles(matrix, at);
	return matrix;
}

/*
 * revrtm.route_for(segment, product, region, at)
 */
Datum
revrtm_route_for(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RoleMatrix *matrix;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	matrix = decide_cell(fcinfo);
	rtm_sort_roles(matrix);
	for (uint32 i = 0; i < matrix->decisions; i++)
	{
		const RoleMatch *decision = &matrix->decision[i];
		Datum		values[4] = {
			PointerGetDatum(decision->rule->route_id),
			PointerGetDatum(decision->rule->role),
			PointerGetDatum(decision->rule->rule_id),
			Float8GetDatum(rtm_specificity(decision->score))
		};
		bool		nulls[4] = {false, false, false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * revrtm.lead_route(segment, product, region, at): the route of the first row
 * of route_for whose role is lead.
 */
Datum
revrtm_lead_route(PG_FUNCTION_ARGS)
{
	RoleMatrix *matrix = decide_cell(fcinfo);
	const RoleMatch *first = NULL;

	for (uint32 i = 0; i < matrix->decisions; i++)
	{
		const RoleMatch *decision = &matrix->decision[i];

		if (decision->rule->lead && (first == NULL || rtm_role_before(decision, first)))
			first = decision;
	}
	if (first == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(first->rule->route_id);
}
