/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Every difference between PostgreSQL 15 and 18 that the code meets.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_COMPAT_H
#define REVRTM_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "revrtm supports PostgreSQL 15 to 18"
#endif

#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Before 16 PGDLLEXPORT is empty here, and hidden visibility hides all. */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* A function callable from SQL: its prototype, exported, and its record. */
#define REVRTM_FUNCTION(name) \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(name)

#if PG_VERSION_NUM >= 180000
#define REVRTM_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "revrtm", .version = REVRTM_VERSION)
#else
#define REVRTM_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* Before a declaration; what 18 calls so was pg_attribute_noreturn() after it. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* A non-empty range; 16 added an error context. Needs utils/rangetypes.h. */
#if PG_VERSION_NUM >= 160000
#define rtm_make_range(typcache, lower, upper) \
	make_range(typcache, lower, upper, false, NULL)
#else
#define rtm_make_range(typcache, lower, upper) \
	make_range(typcache, lower, upper, false)
#endif

/* An index scan; 18 added instrumentation. Needs access/genam.h. */
#if PG_VERSION_NUM >= 180000
#define rtm_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define rtm_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* Does the user own the table? Needs catalog/pg_class.h and utils/acl.h. */
#if PG_VERSION_NUM >= 160000
#define rtm_owns_table(relid, user) \
	object_ownercheck(RelationRelationId, relid, user)
#else
#define rtm_owns_table(relid, user) \
	pg_class_ownercheck(relid, user)
#endif

#endif							/* REVRTM_COMPAT_H */
