/*-------------------------------------------------------------------------
 *
 * loop.c
 *		loop_path(): through which stages of a customer's loop a deal went.
 *
 * A deal is in the highest stage that anything has shown so far: the CRM's own
 * stages, its creation, its touches, their channels and milestones. So it only
 * goes forward, skips what nothing shows, and every touch is made in exactly
 * one stage: that of its instant, or the one of customers its channel stands
 * for.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "dictionary.h"
#include "journey.h"

REVRTM_FUNCTION(revrtm_loop_path);

/* More stages than any loop has; what is sized by them stays small. */
#define MAX_STAGES		1000

/* The places of the argument that says which stage an event shows. */
enum
{
	EVENT_LAST,					/* the last stage of deals; beyond are customers' */
	EVENT_TOUCH,
	EVENT_CREATION,
	EVENT_MILESTONE,			/* as in rtm_milestones */
	EVENTS = EVENT_MILESTONE + MILESTONES
};

typedef struct ChannelStage
{
	Bytes		name;
	int32		stage;
} ChannelStage;

/* The channels by name, kept from call to call while they are the same. */
typedef struct ChannelMap
{
	MemoryContext context;
	ArrayType  *channels;		/* what it was made of */
	ArrayType  *stages;
	ChannelStage *channel;
	int			n;
	int32		highest;		/* stage */
} ChannelMap;

/* Something that shows a stage. */
typedef struct Evidence
{
	TimestampTz at;
	int32		stage;
} Evidence;

typedef struct Step
{
	int32		stage;			/* 0: none was shown yet */
	TimestampTz at;
	int32		touches;
} Step;

typedef struct Path
{
	Step	   *step;			/* of deals, by stage and instant */
	int			steps;
	Step	   *customer;		/* touches of customers, by stage */
	int			customers;
} Path;

static int
compare_channels(const void *a, const void *b)
{
	return rtm_compare_names(((const ChannelStage *) a)->name, ((const ChannelStage *) b)->name);
}

static int
compare_evidence(const void *a, const void *b)
{
	TimestampTz x = ((const Evidence *) a)->at;
	TimestampTz y = ((const Evidence *) b)->at;

	return x < y ? -1 : x > y;
}

static void
check_stage(int32 stage)
{
	if (stage < 1 || stage > MAX_STAGES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d is no place of a stage", stage),
				 errdetail("The stages of a loop have the places 1 to %d.", MAX_STAGES)));
}

static void
check_pair(int a, int b, const char *what)
{
	if (a != b)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s and their stages must be as many", what),
				 errdetail("There are %d and %d.", a, b)));
}

/* The elements of an argument, none for NULL. */
static int
open_array(FunctionCallInfo fcinfo, int arg, Oid type, Datum **value, bool **isnull)
{
	ArrayType  *array;
	int			n;

	*value = NULL;
	*isnull = NULL;
	if (PG_ARGISNULL(arg))
		return 0;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	Assert(ARR_ELEMTYPE(array) == type);
	if (type == TEXTOID)
		deconstruct_array(array, type, -1, false, TYPALIGN_INT, value, isnull, &n);
	else if (type == INT4OID)
		deconstruct_array(array, type, sizeof(int32), true, TYPALIGN_INT, value, isnull, &n);
	else
		deconstruct_array(array, type, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  value, isnull, &n);
	return n;
}

static bool
same_array(const ArrayType *a, const ArrayType *b)
{
	return a != NULL && VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static ArrayType *
copy_array(const ArrayType *array)
{
	ArrayType  *result = palloc(VARSIZE(array));

	memcpy(result, array, VARSIZE(array));
	return result;
}

/* The map of arguments channels and stages; NULL where there is none. */
static ChannelMap *
open_map(FunctionCallInfo fcinfo, int arg)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	ChannelMap *map = flinfo->fn_extra;
	ArrayType  *channels;
	ArrayType  *stages;
	MemoryContext caller;
	Datum	   *name;
	Datum	   *stage;
	bool	   *noname;
	bool	   *nostage;
	int			n;

	if (PG_ARGISNULL(arg) || PG_ARGISNULL(arg + 1))
		return NULL;
	channels = PG_GETARG_ARRAYTYPE_P(arg);
	stages = PG_GETARG_ARRAYTYPE_P(arg + 1);
	if (map != NULL && same_array(map->channels, channels) && same_array(map->stages, stages))
		return map;

	n = open_array(fcinfo, arg, TEXTOID, &name, &noname);
	check_pair(n, open_array(fcinfo, arg + 1, INT4OID, &stage, &nostage), "channels");
	for (int i = 0; i < n; i++)
	{
		if (noname[i] || nostage[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a channel of a loop and its stage must not be null")));
		check_stage(DatumGetInt32(stage[i]));
	}

	if (map == NULL)
	{
		map = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(ChannelMap));
		map->context = AllocSetContextCreate(flinfo->fn_mcxt, "revrtm loop map",
											 ALLOCSET_SMALL_SIZES);
		flinfo->fn_extra = map;
	}
	map->channels = NULL;
	MemoryContextReset(map->context);
	caller = MemoryContextSwitchTo(map->context);
	map->stages = copy_array(stages);
	map->channel = palloc_extended(mul_size(Max(n, 1), sizeof(ChannelStage)), MCXT_ALLOC_HUGE);
	map->n = n;
	map->highest = 0;
	for (int i = 0; i < n; i++)
	{
		text	   *copy = PG_DETOAST_DATUM_COPY(name[i]);

		map->channel[i].name.data = VARDATA_ANY(copy);
		map->channel[i].name.len = VARSIZE_ANY_EXHDR(copy);
		map->channel[i].stage = DatumGetInt32(stage[i]);
		map->highest = Max(map->highest, map->channel[i].stage);
	}
	qsort(map->channel, n, sizeof(ChannelStage), compare_channels);
	map->channels = copy_array(channels);
	MemoryContextSwitchTo(caller);
	return map;
}

/* The stage of each channel of a journey, 0 for none. */
static int32 *
channel_stages(const JourneyReader *reader, const ChannelMap *map)
{
	int32	   *result = palloc0(sizeof(int32) * Max(reader->channels, 1));

	for (uint32 i = 0; map != NULL && map->n > 0 && i < reader->channels; i++)
	{
		ChannelStage wanted = {reader->name[i], 0};
		const ChannelStage *found = bsearch(&wanted, map->channel, map->n, sizeof(ChannelStage),
											compare_channels);

		CHECK_FOR_INTERRUPTS();
		if (found != NULL)
			result[i] = found->stage;
	}
	return result;
}

/* What one instant shows replaces the lower stages that it has shown. */
static void
enter_stage(Path *path, int32 stage, TimestampTz at)
{
	Step	   *last = path->steps > 0 ? &path->step[path->steps - 1] : NULL;

	if (last != NULL && stage <= last->stage)
		return;
	if (last != NULL && last->at == at)
		last->stage = stage;
	else
		path->step[path->steps++] = (Step) {stage, at, 0};
}

/*
 * Walks through the touches, instant by instant, with the other evidence on
 * the way.
 */
static void
walk(Path *path, const JourneyReader *reader, const int32 *of_channel, const int32 *event,
	 const Evidence *evidence, int n, const TimestampTz *customer_since)
{
	TimestampTz *at = palloc_extended(mul_size(Max(reader->n, 1), sizeof(TimestampTz)),
									  MCXT_ALLOC_HUGE);
	uint32	   *channel = palloc_extended(mul_size(Max(reader->n, 1), sizeof(uint32)),
										  MCXT_ALLOC_HUGE);
	int32		last = event[EVENT_LAST];
	int			e = 0;

	if (reader->n > 0)
	{
		rtm_journey_times(reader, at);
		rtm_journey_codes(reader, channel);
	}

	for (uint32 from = 0, to; from < reader->n; from = to)
	{
		int32		own = 0;		/* touches that are the deal's */

		CHECK_FOR_INTERRUPTS();
		for (; e < n && evidence[e].at <= at[from]; e++)
			enter_stage(path, evidence[e].stage, evidence[e].at);
		for (to = from; to < reader->n && at[to] == at[from]; to++)
		{
			int32		stage = of_channel[channel[to]];

			if (stage > last && customer_since != NULL && at[to] >= *customer_since)
			{
				Step	   *step = &path->customer[stage - last - 1];

				if (step->touches++ == 0)
					*step = (Step) {stage, at[to], 1};
				continue;
			}
			own++;
			if (stage <= last)
				enter_stage(path, stage, at[to]);
			enter_stage(path, event[EVENT_TOUCH], at[to]);
			for (int i = 0; reader->milestone != NULL && i < MILESTONES; i++)
			{
				if (reader->milestone[to] & rtm_milestones[i].bit)
					enter_stage(path, event[EVENT_MILESTONE + i], at[to]);
			}
		}
		if (own > 0)
		{
			if (path->steps == 0)
				enter_stage(path, 0, at[from]);
			path->step[path->steps - 1].touches += own;
		}
	}
	for (; e < n; e++)
		enter_stage(path, evidence[e].stage, evidence[e].at);
}

/* The CRM's stages and the creation, up to the end of the deal, by instant. */
static Evidence *
open_evidence(FunctionCallInfo fcinfo, const int32 *event, int *n)
{
	TimestampTz end = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);
	Datum	   *stage;
	Datum	   *at;
	bool	   *nostage;
	bool	   *noat;
	int			stages = open_array(fcinfo, 4, INT4OID, &stage, &nostage);
	Evidence   *evidence;

	check_pair(open_array(fcinfo, 5, TIMESTAMPTZOID, &at, &noat), stages, "instants");
	evidence = palloc_extended(mul_size(stages + 1, sizeof(Evidence)), MCXT_ALLOC_HUGE);
	*n = 0;
	if (event[EVENT_CREATION] > 0 && !PG_ARGISNULL(1))
		evidence[(*n)++] = (Evidence) {PG_GETARG_TIMESTAMPTZ(1), event[EVENT_CREATION]};
	for (int i = 0; i < stages; i++)
	{
		if (nostage[i] || noat[i])
			continue;
		check_stage(DatumGetInt32(stage[i]));
		if (DatumGetInt32(stage[i]) <= event[EVENT_LAST] && DatumGetTimestampTz(at[i]) <= end)
			evidence[(*n)++] = (Evidence) {DatumGetTimestampTz(at[i]), DatumGetInt32(stage[i])};
	}
	for (int i = 0; i < *n; i++)
	{
		if (TIMESTAMP_NOT_FINITE(evidence[i].at))
			evidence[i--] = evidence[--*n];
	}
	qsort(evidence, *n, sizeof(Evidence), compare_evidence);
	return evidence;
}

/* The stages that events show, 0 for none. */
static void
open_events(FunctionCallInfo fcinfo, int arg, int32 *event)
{
	Datum	   *stage;
	bool	   *nostage;
	int			n = open_array(fcinfo, arg, INT4OID, &stage, &nostage);

	if (n != EVENTS || nostage[EVENT_LAST])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the events of a loop are %d stages, the first of them not null", EVENTS)));
	for (int i = 0; i < EVENTS; i++)
	{
		event[i] = nostage[i] ? 0 : DatumGetInt32(stage[i]);
		if (event[i] != 0)
			check_stage(event[i]);
		if (i > EVENT_LAST && event[i] > event[EVENT_LAST])
			event[i] = 0;
	}
}

static Path *
find_path(FunctionCallInfo fcinfo)
{
	Path	   *path = palloc0(sizeof(Path));
	ChannelMap *map;
	JourneyReader reader;
	int32		event[EVENTS];
	TimestampTz since = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);
	Evidence   *evidence;
	int			n;
	int			kept = 0;

	open_events(fcinfo, 8, event);
	evidence = open_evidence(fcinfo, event, &n);
	memset(&reader, 0, sizeof(reader));
	if (!PG_ARGISNULL(0))
		rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	if (reader.n > 0 && !reader.timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an untimed journey has no stages"),
				 errhint("Make it with journey_agg, which knows when touches happened.")));
	map = open_map(fcinfo, 6);

	path->step = palloc(sizeof(Step) * (event[EVENT_LAST] + 2));
	if (map != NULL && !PG_ARGISNULL(3))
		path->customers = Max(map->highest - event[EVENT_LAST], 0);
	path->customer = palloc0(sizeof(Step) * (path->customers + 1));
	walk(path, &reader, channel_stages(&reader, map), event, evidence, n,
		 PG_ARGISNULL(3) ? NULL : &since);
	for (int i = 0; i < path->customers; i++)
	{
		if (path->customer[i].touches > 0)
			path->customer[kept++] = path->customer[i];
	}
	path->customers = kept;
	return path;
}

/*
 * revrtm.loop_path(journey, created_at, ended_at, customer_since, stages,
 * entered, channels, channel_stages, events)
 */
Datum
revrtm_loop_path(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Path	   *path;
	Datum		values[4];
	bool		nulls[4];

	InitMaterializedSRF(fcinfo, 0);
	path = find_path(fcinfo);
	for (int i = 0; i < path->steps + path->customers; i++)
	{
		const Step *step = i < path->steps ? &path->step[i] : &path->customer[i - path->steps];

		CHECK_FOR_INTERRUPTS();
		memset(nulls, false, sizeof(nulls));
		values[0] = Int32GetDatum(step->stage);
		values[1] = TimestampTzGetDatum(step->at);
		nulls[2] = i + 1 >= path->steps;
		values[2] = nulls[2] ? (Datum) 0 : TimestampTzGetDatum(step[1].at);
		values[3] = Int32GetDatum(step->touches);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
