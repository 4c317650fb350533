/*-------------------------------------------------------------------------
 *
 * query_cache.c
 *		What a function has read for the query that calls it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "query_cache.h"

RtmQueryCache *
rtm_query_cache(FmgrInfo *flinfo)
{
	RtmQueryCache *cache = flinfo->fn_extra;
	Snapshot	snapshot = GetActiveSnapshot();

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(RtmQueryCache));
		cache->context = AllocSetContextCreate(flinfo->fn_mcxt, "revrtm query cache",
											   ALLOCSET_DEFAULT_SIZES);
		flinfo->fn_extra = cache;
	}
	else if (cache->command == snapshot->curcid &&
			 cache->commits == snapshot->snapXactCompletionCount &&
			 cache->subtransaction == GetCurrentSubTransactionId() &&
			 cache->reader == GetUserId())
		return cache;

	MemoryContextReset(cache->context);
	cache->data = NULL;
	cache->command = snapshot->curcid;
	cache->commits = snapshot->snapXactCompletionCount;
	cache->subtransaction = GetCurrentSubTransactionId();
	cache->reader = GetUserId();
	return cache;
}
