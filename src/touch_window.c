/*-------------------------------------------------------------------------
 *
 * touch_window.c
 *		touch_weight() and touch_credit(): window functions over the touches
 *		of a deal.
 *
 * The first call of a partition reads all of its rows and computes every
 * touch's share; the others only look theirs up.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "windowapi.h"

#include "credit.h"

REVRTM_FUNCTION(revrtm_touch_weight);
REVRTM_FUNCTION(revrtm_touch_credit);

/* Arguments of the two functions, by position; -1: it has none. */
typedef struct Arguments
{
	int			model;
	int			amount;
	int			touched_at;
	int			channel;
	int			milestone;
	int			scale;
} Arguments;

static const Arguments weight_arguments = {0, -1, 1, 2, 3, -1};
static const Arguments credit_arguments = {0, 1, 2, 3, 4, 5};

/* Kept for the partition: one result a row. */
typedef struct Partition
{
	bool		ready;
	Datum	   *value;
	bool	   *isnull;
} Partition;

/* A touch of the partition and the row it came from. */
typedef struct WindowTouch
{
	int64		row;
	TimestampTz at;
	uint32		channel;
	uint8		milestone;
} WindowTouch;

static Datum
argument(WindowObject window, int number, int64 row, bool *isnull)
{
	bool		isout;

	return WinGetFuncArgInPartition(window, number, (int) row, WINDOW_SEEK_HEAD, false,
									isnull, &isout);
}

/*
 * The channel's number by first appearance.
 */
static uint32
number_channel(Bytes **names, uint32 *n, uint32 *room, const Bytes *channel)
{
	/* Latest first: touches repeat the channel before them. */
	for (uint32 i = *n; i-- > 0;)
	{
		if ((*names)[i].len == channel->len &&
			memcmp((*names)[i].data, channel->data, channel->len) == 0)
			return i;
	}
	if (*n == JOURNEY_MAX_CHANNELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a journey cannot have more than %d distinct channels",
						JOURNEY_MAX_CHANNELS)));
	if (*n == *room)
	{
		*room *= 2;
		*names = repalloc(*names, sizeof(Bytes) * *room);
	}
	(*names)[*n].data = pnstrdup(channel->data, channel->len);
	(*names)[*n].len = channel->len;
	return (*n)++;
}

/*
 * The touches of the partition in window order, those without an instant
 * left out.
 */
static WindowTouch *
read_touches(WindowObject window, const Arguments *args, int64 rows, const Model *model,
			 Bytes **names, uint32 *channels, int64 *n)
{
	WindowTouch *touch = palloc_extended(sizeof(WindowTouch) * rows, MCXT_ALLOC_HUGE);
	uint32		room = 16;

	*names = palloc(sizeof(Bytes) * room);
	*channels = 0;
	*n = 0;
	for (int64 row = 0; row < rows; row++)
	{
		WindowTouch *t = &touch[*n];
		bool		isnull;
		Datum		value = argument(window, args->touched_at, row, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		t->row = row;
		t->at = DatumGetTimestampTz(value);
		rtm_check_touched_at(t->at);
		if (*n > 0 && t->at < t[-1].at)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("touched_at decreases within the window's order"),
					 errhint("Order the window by touched_at, touch_id COLLATE \"C\", "
							 "channel COLLATE \"C\".")));

		t->channel = 0;
		value = argument(window, args->channel, row, &isnull);
		if (!isnull)
		{
			Bytes		channel = rtm_channel_name(false, value);

			t->channel = number_channel(names, channels, &room, &channel);
		}
		else if (model->rule.kind == MODEL_LAST_NON_DIRECT ||
				 model->rule.kind == MODEL_LINEAR_UNIQUE || rtm_is_fitted(model->rule.kind))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("attribution model \"%s\" needs the channel", model->name.data),
					 errhint("Pass the channel after touched_at.")));

		t->milestone = 0;
		value = argument(window, args->milestone, row, &isnull);
		if (!isnull)
		{
			text	   *milestone = DatumGetTextPP(value);

			t->milestone = (uint8) rtm_milestone_bits(VARDATA_ANY(milestone),
													  VARSIZE_ANY_EXHDR(milestone));
		}
		(*n)++;
	}
	return touch;
}

/*
 * The model, the same in every row of the partition.
 */
static text *
read_model_name(WindowObject window, FunctionCallInfo fcinfo, const Arguments *args, int64 rows)
{
	bool		isnull;
	Datum		first = argument(window, args->model, 0, &isnull);
	text	   *name;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the attribution model must not be null")));
	name = DatumGetTextPCopy(first);
	for (int64 row = 1; row < rows && !get_fn_expr_arg_stable(fcinfo->flinfo, args->model); row++)
	{
		Datum		value = argument(window, args->model, row, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull || !DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, value,
															PointerGetDatum(name))))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the attribution model differs within a partition"),
					 errhint("Partition the window by deal and model.")));
	}
	return name;
}

/*
 * The amount, the same in every row of the partition; NULL where it is NULL.
 */
static Numeric
read_amount(WindowObject window, const Arguments *args, int64 rows)
{
	bool		isnull;
	Datum		first = argument(window, args->amount, 0, &isnull);
	Numeric		amount = isnull ? NULL : DatumGetNumericCopy(first);

	for (int64 row = 1; row < rows; row++)
	{
		Datum		value = argument(window, args->amount, row, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull != (amount == NULL) ||
			(!isnull && !DatumGetBool(DirectFunctionCall2(numeric_eq, value,
														  NumericGetDatum(amount)))))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the amount differs within a partition"),
					 errhint("Partition the window by deal, and pass the deal's amount.")));
	}
	return amount;
}

static void
fill_partition(WindowObject window, FunctionCallInfo fcinfo, const Arguments *args,
			   Partition *partition, int64 rows)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "revrtm touches",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext keep = GetMemoryChunkContext(partition);
	const Model *model;
	Bytes	   *names;
	uint32		channels;
	WindowTouch *touch;
	int64		n;

	partition->value = MemoryContextAllocHuge(keep, sizeof(Datum) * rows);
	partition->isnull = MemoryContextAllocHuge(keep, sizeof(bool) * rows);
	memset(partition->isnull, true, rows);

	MemoryContextSwitchTo(work);
	model = rtm_query_model(fcinfo->flinfo, read_model_name(window, fcinfo, args, rows));
	touch = read_touches(window, args, rows, model, &names, &channels, &n);
	if (n > 0)
	{
		TouchColumns columns = {0};
		int64	   *at = palloc_extended(sizeof(int64) * n, MCXT_ALLOC_HUGE);
		uint32	   *channel = palloc_extended(sizeof(uint32) * n, MCXT_ALLOC_HUGE);
		uint8	   *milestone = palloc_extended(n, MCXT_ALLOC_HUGE);
		Numeric		amount = args->amount < 0 ? NULL : read_amount(window, args, rows);
		Shares		shares;

		for (int64 i = 0; i < n; i++)
		{
			at[i] = touch[i].at;
			channel[i] = touch[i].channel;
			milestone[i] = touch[i].milestone;
		}
		columns.n = n;
		columns.channels = channels;
		columns.touched_at = at;
		columns.channel = channel;
		columns.milestone = milestone;
		columns.direct = rtm_direct_channels(model->direct, model->directs, names, channels);
		columns.fitted = rtm_fitted_weights(model, names, channels);
		rtm_shares_init(&shares, n);
		rtm_share_deal(&shares, &model->rule, &columns);
		if (args->amount < 0)
		{
			for (int64 i = 0; i < n; i++)
			{
				partition->value[touch[i].row] = Float8GetDatum(rtm_unit_share(shares.units[i]));
				partition->isnull[touch[i].row] = false;
			}
		}
		else if (amount != NULL)
		{
			Numeric    *part = palloc_extended(sizeof(Numeric) * n, MCXT_ALLOC_HUGE);
			bool		isnull;
			Datum		value;
			int			scale;

			value = WinGetFuncArgCurrent(window, args->scale, &isnull);
			scale = isnull ? MONEY_SCALE : DatumGetInt32(value);
			rtm_check_scale(scale);
			MemoryContextSwitchTo(keep);
			rtm_credit_amounts(&shares, n, amount, scale, part);
			for (int64 i = 0; i < n; i++)
			{
				partition->value[touch[i].row] = NumericGetDatum(part[i]);
				partition->isnull[touch[i].row] = false;
			}
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	partition->ready = true;
}

static Datum
touch_share(FunctionCallInfo fcinfo, const Arguments *args)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Partition  *partition;
	int64		rows;
	int64		row;

	if (!WindowObjectIsValid(window))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("this is a window function and needs OVER")));
	rows = WinGetPartitionRowCount(window);
	if (rows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a partition of the window has too many rows")));
	partition = WinGetPartitionLocalMemory(window, sizeof(Partition));
	if (!partition->ready)
		fill_partition(window, fcinfo, args, partition, rows);
	row = WinGetCurrentPosition(window);
	if (partition->isnull[row])
		PG_RETURN_NULL();
	PG_RETURN_DATUM(partition->value[row]);
}

/*
 * revrtm.touch_weight(model, touched_at, channel, milestone) OVER (...)
 */
Datum
revrtm_touch_weight(PG_FUNCTION_ARGS)
{
	return touch_share(fcinfo, &weight_arguments);
}

/*
 * revrtm.touch_credit(model, amount, touched_at, channel, milestone, scale) OVER (...)
 */
Datum
revrtm_touch_credit(PG_FUNCTION_ARGS)
{
	return touch_share(fcinfo, &credit_arguments);
}
