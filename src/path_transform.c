/*-------------------------------------------------------------------------
 *
 * path_transform.c
 *		transform(): a journey with touches joined, dropped or renamed before
 *		models see it.
 *
 * A transform is written as its name, or its name and an argument in
 * parentheses. The argument is all that stands between the first "(" and the
 * ")" at the end, as it is: a channel needs no quotes and may have
 * parentheses of its own.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "journey.h"

REVRTM_FUNCTION(revrtm_journey_transform);

typedef enum TransformKind
{
	UNIQUE,
	EXPOSURE,
	FIRST,
	FREQUENCY,
	DROP,
	DROP_TAIL,
	CAP
} TransformKind;

static const struct
{
	const char *name;
	bool		has_argument;
}			transforms[] = {
	[UNIQUE] = {"unique", false},
	[EXPOSURE] = {"exposure", false},
	[FIRST] = {"first", false},
	[FREQUENCY] = {"frequency", false},
	[DROP] = {"drop", true},
	[DROP_TAIL] = {"drop_tail", true},
	[CAP] = {"cap", true}
};

typedef struct Transform
{
	TransformKind kind;
	Bytes		channel;		/* of DROP and DROP_TAIL */
	uint32		limit;			/* of CAP */
} Transform;

/* The touches on their way through. */
typedef struct Path
{
	Touch	   *touch;
	uint32		n;
	Bytes	   *name;			/* by channel */
	uint32		channels;
} Path;

/* -------------------------------------------------------------- reading */

pg_noreturn static void
refuse(const Bytes *written, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid transform \"%.*s\"",
					pg_mbcliplen(written->data, (int) written->len, 100), written->data),
			 errdetail("%s", why),
			 errhint("The transforms are unique, exposure, first, frequency, drop(channel), "
					 "drop_tail(channel) and cap(number of touches).")));
}

static Transform
read_transform(Datum value)
{
	text	   *t = DatumGetTextPP(value);
	Bytes		written = {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
	const char *open = memchr(written.data, '(', written.len);
	size_t		name_len = open ? (size_t) (open - written.data) : written.len;
	Transform	result = {0};
	int			kind = 0;

	while (kind < (int) lengthof(transforms) &&
		   (strlen(transforms[kind].name) != name_len ||
			memcmp(transforms[kind].name, written.data, name_len) != 0))
		kind++;
	if (kind == (int) lengthof(transforms))
		refuse(&written, "There is no transform of that name.");
	if (open && written.data[written.len - 1] != ')')
		refuse(&written, "The argument ends with a parenthesis.");
	if (transforms[kind].has_argument != (open != NULL))
		refuse(&written, open ? "It has no argument." : "Its argument stands in parentheses.");

	result.kind = kind;
	if (open)
	{
		result.channel.data = open + 1;
		result.channel.len = written.len - (uint32) name_len - 2;
		if (result.channel.len == 0)
			refuse(&written, "The argument is empty.");
	}
	if (kind == CAP)
	{
		uint64		limit = 0;

		for (uint32 i = 0; i < result.channel.len && limit <= PG_INT32_MAX; i++)
		{
			char		c = result.channel.data[i];

			if (c < '0' || c > '9')
				refuse(&written, "The number of touches is a positive integer.");
			limit = limit * 10 + (c - '0');
		}
		if (limit == 0 || limit > PG_INT32_MAX)
			refuse(&written, "The number of touches is between 1 and 2147483647.");
		result.limit = (uint32) limit;
	}
	return result;
}

/* ------------------------------------------------------------- applying */

/* The first touch of each run, with the milestones of the run. */
static void
join_runs(Path *path)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < path->n; i++)
	{
		if (kept > 0 && path->touch[kept - 1].channel == path->touch[i].channel)
			path->touch[kept - 1].milestone |= path->touch[i].milestone;
		else
			path->touch[kept++] = path->touch[i];
	}
	path->n = kept;
}

/*
 * The first touch of each channel, with the milestones of all of them.
 * Returns how many each channel had.
 */
static uint32 *
join_channels(Path *path)
{
	uint32	   *count = palloc0(sizeof(uint32) * Max(path->channels, 1));
	uint32	   *first = palloc(sizeof(uint32) * Max(path->channels, 1));
	uint32		kept = 0;

	for (uint32 i = 0; i < path->n; i++)
	{
		uint32		channel = path->touch[i].channel;

		if (count[channel]++ == 0)
		{
			first[channel] = kept;
			path->touch[kept++] = path->touch[i];
		}
		else
			path->touch[first[channel]].milestone |= path->touch[i].milestone;
	}
	path->n = kept;
	pfree(first);
	return count;
}

static void
name_frequencies(Path *path)
{
	uint32	   *count = join_channels(path);

	for (uint32 i = 0; i < path->n; i++)
	{
		Bytes	   *name = &path->name[path->touch[i].channel];
		char	   *renamed;

		CHECK_FOR_INTERRUPTS();
		renamed = psprintf("%.*s(%u)", (int) name->len, name->data,
						   count[path->touch[i].channel]);

		*name = rtm_channel_name(false, CStringGetTextDatum(renamed));
		pfree(renamed);
	}
	pfree(count);
}

/* Without the touches of a channel, or only the last ones, unless all are. */
static void
drop_channel(Path *path, const Bytes *channel, bool tail)
{
	uint32		number = 0;
	uint32		last = path->n;
	uint32		kept = 0;

	while (number < path->channels &&
		   (path->name[number].len != channel->len ||
			memcmp(path->name[number].data, channel->data, channel->len) != 0))
		number++;

	/* Up to the last touch of another channel. */
	while (last > 0 && path->touch[last - 1].channel == number)
		last--;
	if (last == 0)
		return;
	if (tail)
	{
		path->n = last;
		return;
	}
	for (uint32 i = 0; i < last; i++)
	{
		if (path->touch[i].channel != number)
			path->touch[kept++] = path->touch[i];
	}
	path->n = kept;
}

static void
cap(Path *path, uint32 limit)
{
	if (path->n > limit)
	{
		path->touch += path->n - limit;
		path->n = limit;
	}
}

static struct varlena *
apply(struct varlena *journey, const Transform *transform)
{
	JourneyReader reader;
	Touch	   *touch;
	Path		path;
	struct varlena *result;

	rtm_journey_open(&reader, journey, NULL, 0);
	touch = rtm_journey_touches(&reader);
	path.touch = touch;
	path.n = reader.n;
	path.name = reader.name;
	path.channels = reader.channels;
	switch (transform->kind)
	{
		case UNIQUE:
			break;
		case EXPOSURE:
			join_runs(&path);
			break;
		case FIRST:
			pfree(join_channels(&path));
			break;
		case FREQUENCY:
			name_frequencies(&path);
			break;
		case DROP:
		case DROP_TAIL:
			drop_channel(&path, &transform->channel, transform->kind == DROP_TAIL);
			break;
		case CAP:
			cap(&path, transform->limit);
			break;
	}
	result = rtm_journey_pack(path.touch, path.n, path.name, path.channels, false, reader.timed);
	pfree(touch);
	if (reader.name)
		pfree(reader.name);
	return result;
}

/*
 * revrtm.transform(journey, transforms): one after the other, so that several
 * are the same as calls one within the other. Each is packed anew: a channel
 * with another name may stand elsewhere among the touches of an instant.
 */
Datum
revrtm_journey_transform(PG_FUNCTION_ARGS)
{
	struct varlena *journey = PG_GETARG_JOURNEY_P(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *element;
	bool	   *isnull;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("transforms must be an array of one dimension")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &element, &isnull, &n);
	for (int i = 0; i < n; i++)
	{
		Transform	transform;
		struct varlena *before = journey;

		CHECK_FOR_INTERRUPTS();
		if (isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a transform must not be null")));
		transform = read_transform(element[i]);
		journey = apply(before, &transform);
		if (i > 0)
			pfree(before);
	}
	PG_RETURN_POINTER(journey);
}
