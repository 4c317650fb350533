/*-------------------------------------------------------------------------
 *
 * query.c
 *		A caller's query whose rows a function reads by column name.
 *
 * The rows go from the executor straight to the function, without being
 * copied or kept, and the plan may be parallel.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "query.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	const QueryShape *shape;
	QueryAttribute attribute[QUERY_MAX_COLUMNS];
	MemoryContext context;		/* of one row */
	QueryRow	row;
	void	   *arg;
} RowReceiver;

static bool
has_type(const QueryColumn *column, Oid type)
{
	for (int i = 0; i < QUERY_MAX_TYPES && OidIsValid(column->type[i]); i++)
	{
		if (column->type[i] == type)
			return true;
	}
	return false;
}

/*
 * Find the columns by name; whatever is wrong with them is said at once.
 */
static void
find_columns(DestReceiver *self, int operation, TupleDesc desc)
{
	RowReceiver *receiver = (RowReceiver *) self;
	const QueryShape *shape = receiver->shape;
	StringInfoData wrong;

	initStringInfo(&wrong);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = NameStr(att->attname);
		int			c = 0;

		while (c < shape->columns && strcmp(name, shape->column[c].name) != 0)
			c++;
		if (c == shape->columns)
		{
			appendStringInfo(&wrong, "Column \"%s\" is unknown. ", name);
			continue;
		}
		if (receiver->attribute[c].attribute != 0)
			appendStringInfo(&wrong, "Column \"%s\" occurs more than once. ", name);
		receiver->attribute[c].attribute = i + 1;
		receiver->attribute[c].type = att->atttypid;
		if (!has_type(&shape->column[c], att->atttypid))
			appendStringInfo(&wrong, "Column \"%s\" is of type %s, not %s. ", name,
							 format_type_be(att->atttypid),
							 format_type_be(shape->column[c].type[0]));
	}
	for (int c = 0; c < shape->columns; c++)
	{
		if (shape->column[c].required && receiver->attribute[c].attribute == 0)
			appendStringInfo(&wrong, "Column \"%s\" is missing. ", shape->column[c].name);
	}

	if (wrong.len > 0)
	{
		wrong.data[wrong.len - 1] = '\0';
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query does not return %s", shape->rows),
				 errdetail("%s", wrong.data),
				 errhint("%s", shape->hint)));
	}
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext caller = MemoryContextSwitchTo(receiver->context);

	receiver->row(slot, receiver->attribute, receiver->arg);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(receiver->context);
	return true;
}

static void
nothing_to_do(DestReceiver *self)
{
}

void
rtm_run_query(const char *query, const QueryShape *shape, QueryRow row, void *arg)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	SPIExecuteOptions options = {0};
	RowReceiver receiver = {{
		.receiveSlot = receive_row,
		.rStartup = find_columns,
		.rShutdown = nothing_to_do,
		.rDestroy = nothing_to_do,
		.mydest = DestNone
	}};

	if (plan == NULL || !SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query of %s must be one SELECT", shape->rows)));
	receiver.shape = shape;
	receiver.row = row;
	receiver.arg = arg;
	receiver.context = AllocSetContextCreate(CurrentMemoryContext, "row of a query",
											 ALLOCSET_DEFAULT_SIZES);
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = &receiver.pub;
	if (SPI_execute_plan_extended(plan, &options) < 0)
		/* cannot happen */
		elog(ERROR, "could not run the query of %s", shape->rows);
	MemoryContextDelete(receiver.context);
	SPI_freeplan(plan);
}
