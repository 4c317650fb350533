/*-------------------------------------------------------------------------
 *
 * query_cache.h
 *		What a function has read for the query that calls it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_QUERY_CACHE_H
#define REVRTM_QUERY_CACHE_H

#include "compat.h"

typedef struct RtmQueryCache
{
	void	   *data;			/* the function's, in the context; NULL at first */
	MemoryContext context;
	uint64		commits;		/* the snapshot it was read with, and by whom */
	CommandId	command;
	SubTransactionId subtransaction;	/* what it wrote may be taken back */
	Oid			reader;
} RtmQueryCache;

/*
 * The call's own cache, empty where the snapshot or the reader is another than
 * at the last call: PL/pgSQL keeps a function's fn_extra from statement to statement.
 */
extern RtmQueryCache *rtm_query_cache(FmgrInfo *flinfo);

#endif							/* REVRTM_QUERY_CACHE_H */
