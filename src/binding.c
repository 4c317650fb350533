/*-------------------------------------------------------------------------
 *
 * binding.c
 *		What a query reads and returns, found by the parser: nothing is run.
 *
 * revrtm.bind() keeps the text of a query and has PostgreSQL inline it, so
 * the query must be one read-only SELECT without parameters.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"

/* A query as the parser understands it. */
typedef struct Analysis
{
	Query	   *query;
	text	   *statement;		/* its text, without what follows the semicolon */
	List	   *relations;		/* OIDs of what it names in FROM, at any depth */
	bool		read_only;
} Analysis;

REVRTM_FUNCTION(revrtm_query_columns);
REVRTM_FUNCTION(revrtm_query_relations);

/*
 * Error context: point into the query instead of the statement that carries
 * it, and say why a name that works elsewhere is not found here.
 */
static void
query_error(void *arg)
{
	const char *query = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query);
	}

	switch (geterrcode())
	{
		case ERRCODE_UNDEFINED_TABLE:
		case ERRCODE_UNDEFINED_FUNCTION:
		case ERRCODE_UNDEFINED_OBJECT:
			errhint("Names are looked up in pg_catalog only: write each table, function and "
					"type of the query with its schema, as in crm.opportunity.");
			break;
		case ERRCODE_UNDEFINED_PARAMETER:
			errhint("Write the value into the query: it takes no parameters.");
			break;
	}
}

static bool
inspect_walker(Node *node, void *context)
{
	Analysis   *a = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (query->commandType != CMD_SELECT || query->rowMarks != NIL)
			a->read_only = false;
		return query_tree_walker(query, inspect_walker, context,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (rte->rtekind == RTE_RELATION)
			a->relations = list_append_unique_oid(a->relations, rte->relid);
		return false;
	}
	return expression_tree_walker(node, inspect_walker, context);
}

static void
analyze_query(text *source, Analysis *a)
{
	char	   *query = text_to_cstring(source);
	ErrorContextCallback callback;
	List	   *statements;
	RawStmt    *raw;
	int			start;

	callback.callback = query_error;
	callback.arg = query;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	statements = pg_parse_query(query);
	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query holds %d statements", list_length(statements)),
				 errhint("Give one SELECT.")));
	raw = linitial_node(RawStmt, statements);
	start = Max(raw->stmt_location, 0);
	a->statement = cstring_to_text_with_len(query + start,
											raw->stmt_len > 0 ? raw->stmt_len :
											(int) strlen(query + start));

	a->query = parse_analyze_fixedparams(raw, query, NULL, 0, NULL);
	a->relations = NIL;
	a->read_only = true;
	inspect_walker((Node *) a->query, a);
	if (!a->read_only)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query is not a SELECT that only reads"),
				 errhint("Give one SELECT, without INTO, FOR UPDATE and statements "
						 "that change data.")));

	error_context_stack = callback.previous;
}

/*
 * revrtm.query_columns(query): what the query returns.
 */
Datum
revrtm_query_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Analysis	a;
	List	   *rewritten;
	ListCell   *lc;
	const char *parallel = "unsafe";
	int			ordinal = 0;

	InitMaterializedSRF(fcinfo, 0);
	analyze_query(PG_GETARG_TEXT_PP(0), &a);

	/* Views hide functions, so judge what they stand for; it scribbles. */
	rewritten = pg_rewrite_query(copyObject(a.query));
	if (list_length(rewritten) == 1)
	{
		char		hazard = max_parallel_hazard(linitial_node(Query, rewritten));

		if (hazard == PROPARALLEL_SAFE)
			parallel = "safe";
		else if (hazard == PROPARALLEL_RESTRICTED)
			parallel = "restricted";
	}

	foreach(lc, a.query->targetList)
	{
		TargetEntry *te = lfirst_node(TargetEntry, lc);
		Datum		values[5];
		bool		nulls[5] = {0};

		if (te->resjunk)
			continue;
		values[0] = Int32GetDatum(++ordinal);
		values[1] = CStringGetTextDatum(te->resname);
		values[2] = ObjectIdGetDatum(exprType((Node *) te->expr));
		values[3] = CStringGetTextDatum(parallel);
		values[4] = PointerGetDatum(a.statement);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * revrtm.query_relations(query): the tables and views the query names.
 */
Datum
revrtm_query_relations(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Analysis	a;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	analyze_query(PG_GETARG_TEXT_PP(0), &a);
	foreach(lc, a.relations)
	{
		Datum		value = ObjectIdGetDatum(lfirst_oid(lc));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}
