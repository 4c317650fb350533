/*-------------------------------------------------------------------------
 *
 * path_count.c
 *		What a row of transitions_agg or coalitions_agg says beside its path.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"

#include "path_count.h"

static int64
read_count(FunctionCallInfo fcinfo, int n, const char *name)
{
	int64		count = PG_ARGISNULL(n) ? 0 : PG_GETARG_INT64(n);

	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", name)));
	return count;
}

void
rtm_read_path_count(FunctionCallInfo fcinfo, PathCount *row)
{
	row->conversions = read_count(fcinfo, 2, "conversions");
	row->nulls = read_count(fcinfo, 3, "non_conversions");
	if (pg_add_s64_overflow(row->conversions, row->nulls, &row->count))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range")));

	/* An amount is what conversions were worth; a lost deal's is not. */
	row->has_amount = row->conversions > 0 && PG_NARGS() > 4 && !PG_ARGISNULL(4);
	if (row->has_amount && !rtm_money_units(PG_GETARG_NUMERIC(4), 2, &row->amount))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("amount is out of range"),
				 errdetail("An amount has at most %d decimals, and less than 2^63 minor units.",
						   MONEY_MAX_SCALE)));
}
