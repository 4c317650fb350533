/*-------------------------------------------------------------------------
 *
 * path_count.h
 *		What a row of transitions_agg or coalitions_agg says beside its path.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_PATH_COUNT_H
#define REVRTM_PATH_COUNT_H

#include "compat.h"

#include "money.h"

typedef struct PathCount
{
	int64		conversions;
	int64		nulls;
	int64		count;			/* both; 0: the row says nothing */
	bool		has_amount;
	Money		amount;
} PathCount;

/*
 * Arguments 2 to 4: conversions, non-conversions and, where there is one, the
 * amount; a NULL counts nothing.
 */
extern void rtm_read_path_count(FunctionCallInfo fcinfo, PathCount *row);

#endif							/* REVRTM_PATH_COUNT_H */
