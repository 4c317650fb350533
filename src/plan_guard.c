/*-------------------------------------------------------------------------
 *
 * plan_guard.c
 *		Plans of those who may not see every row.
 *
 * Row security keeps hidden rows from a user's functions, but not from the
 * comparisons that PostgreSQL trusts: an index scan evaluates account_id =
 * 'x' or partner_id < 'y' ahead of the policy. The plan then tells by its
 * estimate, by what EXPLAIN ANALYZE says was removed, and by the statistics
 * of the transaction whether hidden rows match, and a search by halves reads
 * whole accounts and partners from that. So whoever is not staff gets plans
 * that know neither statistics nor indexes of our tables with row security: a
 * sequential scan, which asks the policy first.
 *
 * The policies call guard_plan(), which is immutable, so that planning any
 * query on them loads this library before the planner looks at the table.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "plan_guard.h"
#include "registration.h"

bool		rtm_plan_unguarded = false;

static get_relation_info_hook_type next_relation_info = NULL;
static get_relation_stats_hook_type next_relation_stats = NULL;
static set_rel_pathlist_hook_type next_rel_pathlist = NULL;

REVRTM_FUNCTION(revrtm_guard_plan);

/*
 * Is it a table of ours with row security in force, and the user not staff?
 */
static bool
is_guarded(const RangeTblEntry *rte)
{
	Oid			registrations;

	if (rte->rtekind != RTE_RELATION || rte->securityQuals == NIL || rtm_plan_unguarded ||
		get_rel_namespace(rte->relid) != get_namespace_oid("revrtm", true))
		return false;
	registrations = rtm_relation("deal_registration");
	return pg_class_aclcheck(registrations, GetUserId(), ACL_UPDATE) != ACLCHECK_OK &&
		pg_attribute_aclcheck(registrations, REG_PROTECTION, GetUserId(),
							  ACL_UPDATE) != ACLCHECK_OK;
}

static void
guard_indexes(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	if (next_relation_info)
		next_relation_info(root, relid, inhparent, rel);
	if (is_guarded(root->simple_rte_array[rel->relid]))
		rel->indexlist = rel->statlist = NIL;
}

static bool
guard_statistics(PlannerInfo *root, RangeTblEntry *rte, AttrNumber attnum,
				 VariableStatData *vardata)
{
	if (is_guarded(rte))
	{
		vardata->statsTuple = NULL;
		return true;
	}
	return next_relation_stats && next_relation_stats(root, rte, attnum, vardata);
}

/*
 * Cheap comparisons that PostgreSQL trusts would be asked before the policy,
 * and whether that was ever asked, EXPLAIN tells.
 */
static void
guard_order(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	ListCell   *lc;

	if (next_rel_pathlist)
		next_rel_pathlist(root, rel, rti, rte);
	if (!is_guarded(rte))
		return;
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *qual = lfirst_node(RestrictInfo, lc);

		if (qual->security_level > 0)
			qual->leakproof = false;
	}
}

void
rtm_plan_guard_init(void)
{
	next_relation_info = get_relation_info_hook;
	get_relation_info_hook = guard_indexes;
	next_relation_stats = get_relation_stats_hook;
	get_relation_stats_hook = guard_statistics;
	next_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = guard_order;
}

/*
 * revrtm.guard_plan(): true, and the library is loaded.
 */
Datum
revrtm_guard_plan(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(true);
}
