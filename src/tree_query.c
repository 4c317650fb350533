/*-------------------------------------------------------------------------
 *
 * tree_query.c
 *		What is asked of the trees, and of the registrations that name nodes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "owner.h"
#include "registration.h"
#include "tree.h"

/* Registrations that name one of the nodes $1. */
#define NAMED \
	"WITH named AS MATERIALIZED (SELECT DISTINCT d.registration_id, d.account_id" \
	" FROM revrtm.deal_registration d CROSS JOIN LATERAL pg_catalog.unnest(d.%1$s_codes) c(code)" \
	" JOIN pg_catalog.unnest($1) m(code) ON m.code OPERATOR(pg_catalog.=) c.code)"

/* The scope that the codes of registration d have now. */
#define SCOPE \
	"(SELECT pg_catalog.range_agg(t.span::pg_catalog.int8range) FROM revrtm.%1$s t" \
	" WHERE t.%1$s_id OPERATOR(pg_catalog.=) ANY (d.%1$s_codes))"

#define SAME_ROW(a, b) \
	a ".registration_id OPERATOR(pg_catalog.=) " b ".registration_id" \
	" AND " a ".account_id OPERATOR(pg_catalog.=) " b ".account_id"

/*
 * Pairs of protections that overlap once the registrations follow: a changed
 * one with one that stays as it is, or with another changed one. Earlier is
 * who was submitted earlier.
 */
#define PAIRS \
	NAMED ", changed AS MATERIALIZED (SELECT d.registration_id, d.account_id, d.protection," \
	" d.submitted_at, d.%2$s AS other_scope, " SCOPE " AS scope" \
	" FROM named n JOIN revrtm.deal_registration d ON " SAME_ROW("d", "n") \
	" WHERE d.active AND d.exclusive)" \
	", pair AS MATERIALIZED (SELECT a.account_id," \
	" CASE WHEN o.first THEN a.registration_id ELSE b.registration_id END AS earlier," \
	" CASE WHEN o.first THEN b.registration_id ELSE a.registration_id END AS later" \
	" FROM changed a JOIN revrtm.deal_registration b" \
	" ON b.account_id OPERATOR(pg_catalog.=) a.account_id AND b.active AND b.exclusive" \
	" AND b.registration_id OPERATOR(pg_catalog.<>) a.registration_id" \
	" AND b.protection OPERATOR(pg_catalog.&&) a.protection" \
	" AND b.%2$s OPERATOR(pg_catalog.&&) a.other_scope" \
	" LEFT JOIN changed c ON " SAME_ROW("c", "b") \
	" CROSS JOIN LATERAL (SELECT ROW(a.submitted_at, a.registration_id)" \
	" OPERATOR(pg_catalog.<) ROW(b.submitted_at, b.registration_id)) o(first)" \
	" WHERE COALESCE(c.scope, b.%1$s) OPERATOR(pg_catalog.&&) a.scope" \
	" AND (c.registration_id IS NULL" \
	" OR a.registration_id OPERATOR(pg_catalog.<) b.registration_id))"

/*
 * %1$s is the tree's name, %2$s the other tree's. The casts vouch for the
 * types of answers: the table's owner may have altered it.
 */
static const struct
{
	const char *text;
	RtmTreeStep step;			/* of those that write */
	bool		decides;		/* it changes the status of registrations */
	int			nargs;
	Oid			types[4];
}			tree_query[TREE_QUERIES] =

{
	[LOCK_NODE] = {
		"SELECT pg_catalog.lower(t.span::pg_catalog.int8range),"
		" pg_catalog.upper(t.span::pg_catalog.int8range), t.free_from::pg_catalog.int8,"
		" t.parent_id::pg_catalog.text FROM revrtm.%1$s t"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
		RTM_NO_STEP, false, 1, {TEXTOID}
	},
	[LAST_CHILD] = {
		"SELECT pg_catalog.upper(t.span::pg_catalog.int8range) FROM revrtm.%1$s t"
		" WHERE t.parent_id OPERATOR(pg_catalog.=) $1 ORDER BY t.span DESC LIMIT 1",
		RTM_NO_STEP, false, 1, {TEXTOID}
	},
	[CHILDREN] = {
		"SELECT t.%1$s_id::pg_catalog.text, p.place"
		" FROM pg_catalog.unnest($1) WITH ORDINALITY p(id, place)"
		" JOIN revrtm.%1$s t ON t.parent_id OPERATOR(pg_catalog.=) p.id"
		" ORDER BY p.place, t.span, t.%1$s_id COLLATE pg_catalog.\"C\""
		" FOR NO KEY UPDATE OF t",
		RTM_NO_STEP, false, 1, {TEXTARRAYOID}
	},
	[MISFIT] = {
		"SELECT 1 FROM revrtm.%1$s t, pg_catalog.int8range($3, $4) s(span)"
		" WHERE (t.%1$s_id OPERATOR(pg_catalog.=) $2"
		" AND (t.span OPERATOR(pg_catalog.=) s.span"
		" OR NOT t.span OPERATOR(pg_catalog.@>) s.span))"
		" OR (t.parent_id OPERATOR(pg_catalog.=) $1"
		" AND (t.span OPERATOR(pg_catalog.=) s.span"
		" OR NOT t.span OPERATOR(pg_catalog.<@) s.span)) LIMIT 1",
		RTM_NO_STEP, false, 4, {TEXTOID, TEXTOID, INT8OID, INT8OID}
	},
	[USES] = {
		"SELECT EXISTS (SELECT FROM revrtm.%1$s t WHERE t.parent_id OPERATOR(pg_catalog.=) $1),"
		" EXISTS (SELECT FROM revrtm.deal_registration d"
		" WHERE $1 OPERATOR(pg_catalog.=) ANY (d.%1$s_codes)),"
		" EXISTS (SELECT FROM revrtm.route_role r"
		" WHERE r.%1$s_code OPERATOR(pg_catalog.=) $1)",
		RTM_NO_STEP, false, 1, {TEXTOID}
	},
	[UNKNOWN] = {
		"SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(c.code), ', ')"
		" FROM pg_catalog.unnest($1) c(code) WHERE NOT EXISTS (SELECT FROM revrtm.%1$s t"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) c.code)",
		RTM_NO_STEP, false, 1, {TEXTARRAYOID}
	},
	[ORIGINS] = {
		"WITH RECURSIVE above(id, ancestor) AS ("
		"SELECT t.%1$s_id, t.parent_id FROM revrtm.%1$s t"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) ANY ($1)"
		" UNION SELECT a.id, t.parent_id FROM above a"
		" JOIN revrtm.%1$s t ON t.%1$s_id OPERATOR(pg_catalog.=) a.ancestor"
		" WHERE t.parent_id IS NOT NULL)"
		" SELECT a.id::pg_catalog.text, pg_catalog.bool_or(a.ancestor OPERATOR(pg_catalog.=) a.id),"
		" pg_catalog.bool_or(a.ancestor OPERATOR(pg_catalog.=) ANY ($1)),"
		" pg_catalog.min(a.ancestor) FILTER (WHERE NOT EXISTS (SELECT FROM revrtm.%1$s t"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) a.ancestor))::pg_catalog.text"
		" FROM above a GROUP BY a.id ORDER BY a.id COLLATE pg_catalog.\"C\"",
		RTM_NO_STEP, false, 1, {TEXTARRAYOID}
	},
	[CONFLICTS] = {
		PAIRS " SELECT e.registration_id::pg_catalog.uuid, e.account_id::pg_catalog.text,"
		" e.partner_id::pg_catalog.text, e.protection::pg_catalog.daterange,"
		" l.registration_id::pg_catalog.uuid, l.account_id::pg_catalog.text,"
		" l.partner_id::pg_catalog.text, l.protection::pg_catalog.daterange"
		" FROM pair p JOIN revrtm.deal_registration e"
		" ON e.registration_id OPERATOR(pg_catalog.=) p.earlier"
		" AND e.account_id OPERATOR(pg_catalog.=) p.account_id"
		" JOIN revrtm.deal_registration l"
		" ON l.registration_id OPERATOR(pg_catalog.=) p.later"
		" AND l.account_id OPERATOR(pg_catalog.=) p.account_id"
		" ORDER BY p.account_id COLLATE pg_catalog.\"C\", e.submitted_at, e.registration_id,"
		" l.submitted_at, l.registration_id LIMIT $2",
		RTM_NO_STEP, false, 2, {TEXTARRAYOID, INT8OID}
	},
	[RENAME_SHIPPED] = {
		"UPDATE revrtm.%1$s SET %1$s_name = $2, free_from = $3"
		" WHERE %1$s_id OPERATOR(pg_catalog.=) $1 AND shipped",
		RTM_KEEP_NODES, false, 3, {TEXTOID, TEXTOID, INT8OID}
	},
	/* Only where no later child says the same. */
	[MARK_USED] = {
		"UPDATE revrtm.%1$s t SET free_from = m.used"
		" FROM (SELECT u.id, pg_catalog.max(u.used) AS used FROM ROWS FROM"
		" (pg_catalog.unnest($1), pg_catalog.unnest($2)) u(id, used) GROUP BY u.id) m"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) m.id"
		" AND m.used OPERATOR(pg_catalog.>) COALESCE(t.free_from, 0)"
		" AND NOT EXISTS (SELECT FROM revrtm.%1$s c"
		" WHERE c.parent_id OPERATOR(pg_catalog.=) t.%1$s_id AND c.span OPERATOR(pg_catalog.>)"
		" pg_catalog.int8range(m.used OPERATOR(pg_catalog.-) 1, m.used))",
		RTM_KEEP_NODES, false, 2, {TEXTARRAYOID, INT8ARRAYOID}
	},
	[PLACE] = {
		"UPDATE revrtm.%1$s t SET span = pg_catalog.int8range(n.lo, n.hi), free_from = NULL"
		" FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
		" pg_catalog.unnest($3)) n(id, lo, hi)"
		" WHERE t.%1$s_id OPERATOR(pg_catalog.=) n.id",
		RTM_KEEP_NODES, false, 3, {TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID}
	},

	/*
	 * Those that overlap one that surely stays, which nobody earlier is in the
	 * way of: asked until there are none, it keeps the earliest.
	 */
	[QUEUE_LATER] = {
		PAIRS ", loser AS (SELECT DISTINCT ON (p.later, p.account_id) p.later AS registration_id,"
		" p.account_id, p.earlier FROM pair p JOIN revrtm.deal_registration e"
		" ON e.registration_id OPERATOR(pg_catalog.=) p.earlier"
		" AND e.account_id OPERATOR(pg_catalog.=) p.account_id"
		" WHERE NOT EXISTS (SELECT FROM pair q"
		" WHERE q.later OPERATOR(pg_catalog.=) p.earlier"
		" AND q.account_id OPERATOR(pg_catalog.=) p.account_id)"
		" ORDER BY p.later, p.account_id, e.submitted_at, e.registration_id)"
		" UPDATE revrtm.deal_registration d SET decision_reason = $2, status ="
		" CASE revrtm.registration_status(d.status, d.protection) WHEN 'expired' THEN 'expired'"
		" ELSE 'queued' END FROM loser l WHERE " SAME_ROW("d", "l")
		" RETURNING d.registration_id::pg_catalog.uuid, d.account_id::pg_catalog.text,"
		" d.status::pg_catalog.text, l.earlier::pg_catalog.uuid",
		RTM_NO_STEP, true, 2, {TEXTARRAYOID, TEXTOID}
	},
	[FOLLOW] = {
		NAMED " UPDATE revrtm.deal_registration d SET %1$s = " SCOPE
		" FROM named n WHERE " SAME_ROW("d", "n"),
		RTM_KEEP_SCOPES, false, 1, {TEXTARRAYOID}
	}
};

static SPIPlanPtr tree_plan[RTM_TREES][TREE_QUERIES];

RtmTreeStep rtm_tree_step = RTM_NO_STEP;

static Oid
owner_of(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;

	table_close(rel, AccessShareLock);
	return owner;
}

/*
 * Run a plan that changes rows, and tell the triggers why. As the actions of
 * a foreign key do, it fails with 40001 on rows that are newer than the
 * transaction's own snapshot.
 */
static int
change(SPIPlanPtr plan, TreeQuery query, Datum *values, const char *nulls)
{
	RtmTreeStep step = rtm_tree_step;
	bool		system_call = rtm_system_call;
	int			result;

	rtm_tree_step = tree_query[query].step;
	rtm_system_call = tree_query[query].decides;
	PG_TRY();
	{
		result = SPI_execute_snapshot(plan, values, nulls, GetLatestSnapshot(),
									  IsolationUsesXactSnapshot() ? GetTransactionSnapshot()
									  : InvalidSnapshot, false, true, 0);
	}
	PG_FINALLY();
	{
		rtm_tree_step = step;
		rtm_system_call = system_call;
	}
	PG_END_TRY();
	return result;
}

uint64
rtm_ask_tree(RtmTree tree, TreeQuery query, Datum *values, const char *nulls)
{
	SPIPlanPtr *plan = &tree_plan[tree][query];
	const char *name = rtm_tree_name[tree];
	RtmOwnerCall call;
	int			result;

	rtm_take_rights(&call, owner_of(rtm_relation(name)));
	if (*plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare_cursor(psprintf(tree_query[query].text, name,
														rtm_tree_name[RTM_PRODUCT - tree]),
											   tree_query[query].nargs,
											   (Oid *) tree_query[query].types,
											   CURSOR_OPT_GENERIC_PLAN);

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare a query on tree %s", name);	/* cannot happen */
		*plan = fresh;
	}
	if (query < RENAME_SHIPPED)
		result = SPI_execute_snapshot(*plan, values, nulls, GetLatestSnapshot(),
									  InvalidSnapshot, false, true, 0);
	else
		result = change(*plan, query, values, nulls);
	if (result < 0)
		/* cannot happen */
		elog(ERROR, "query on tree %s failed: %s", name, SPI_result_code_string(result));

	rtm_return_rights(&call);
	return SPI_processed;
}

Datum
rtm_answer(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}
