/*-------------------------------------------------------------------------
 *
 * journey_io.c
 *		The journey as a SQL type: text and binary forms, equality, accessors.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "attribution.h"
#include "journey.h"
#include "literal.h"

#define JOURNEY_WIRE_VERSION	1

REVRTM_FUNCTION(revrtm_journey_in);
REVRTM_FUNCTION(revrtm_journey_out);
REVRTM_FUNCTION(revrtm_journey_recv);
REVRTM_FUNCTION(revrtm_journey_send);
REVRTM_FUNCTION(revrtm_journey_eq);
REVRTM_FUNCTION(revrtm_journey_ne);
REVRTM_FUNCTION(revrtm_journey_hash);
REVRTM_FUNCTION(revrtm_journey_from_path);
REVRTM_FUNCTION(revrtm_journey_path);
REVRTM_FUNCTION(revrtm_journey_channels);
REVRTM_FUNCTION(revrtm_journey_touch_count);
REVRTM_FUNCTION(revrtm_journey_last_touch);
REVRTM_FUNCTION(revrtm_journey_mark);

/* ----------------------------------------------------------- text form */

Datum
revrtm_journey_in(PG_FUNCTION_ARGS)
{
	int			n;
	char	  **element = rtm_literal_in(PG_GETARG_CSTRING(0), "journey", &n);
	Touch	   *touch = palloc_extended(sizeof(Touch) * Max((Size) n, 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Bytes	   *name = palloc_extended(sizeof(Bytes) * Max((Size) n, 1), MCXT_ALLOC_HUGE);
	bool		timed = false;

	for (int i = 0; i < n; i++)
	{
		const char *cursor = element[i];
		char	   *field;
		char		separator = rtm_next_field(&cursor, &field);

		CHECK_FOR_INTERRUPTS();
		name[i] = rtm_channel_name(false, CStringGetTextDatum(field));
		touch[i].channel = i;
		if (i > 0 && (separator == '@') != timed)
			rtm_invalid_literal("journey", element[i],
								"Either all touches have an instant or none.");
		timed = separator == '@';
		if (timed)
		{
			separator = rtm_next_field(&cursor, &field);
			if (!rtm_scan_instant(field, &touch[i].at))
				rtm_invalid_literal("journey", element[i],
									"After \"@\" stands an ISO 8601 instant with its offset, "
									"such as 2026-01-31T09:30:00Z.");
		}
		while (separator == '|')
		{
			separator = rtm_next_field(&cursor, &field);
			if (field[0] == '#')
			{
				touch[i].id.data = field + 1;
				touch[i].id.len = strlen(field + 1);
			}
			else
			{
				uint32		bit = rtm_milestone_bit(field, strlen(field));

				if (bit == 0)
					rtm_invalid_literal("journey", element[i],
										"After \"|\" stands FT, LC, OC or CW, or # and the "
										"touch id.");
				touch[i].milestone |= bit;
			}
		}
		if (separator != '\0')
			rtm_invalid_literal("journey", element[i], "There is more than one \"@\".");
	}
	PG_RETURN_POINTER(rtm_journey_pack(touch, n, name, n, true, timed));
}

Datum
revrtm_journey_out(PG_FUNCTION_ARGS)
{
	JourneyReader reader;
	Touch	   *touch;
	char	  **element;
	StringInfoData buf;

	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	touch = rtm_journey_touches(&reader);
	element = palloc(sizeof(char *) * Max(reader.n, 1));
	initStringInfo(&buf);
	for (uint32 i = 0; i < reader.n; i++)
	{
		const Bytes *name = &reader.name[touch[i].channel];

		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&buf);
		rtm_append_escaped(&buf, name->data, name->len);
		if (reader.timed)
		{
			appendStringInfoChar(&buf, '@');
			rtm_append_instant(&buf, touch[i].at);
		}
		for (int k = 0; k < MILESTONES; k++)
		{
			if (touch[i].milestone & rtm_milestones[k].bit)
				appendStringInfo(&buf, "|%s", rtm_milestones[k].code);
		}
		if (touch[i].id.data != NULL)
		{
			appendStringInfoString(&buf, "|#");
			rtm_append_escaped(&buf, touch[i].id.data, touch[i].id.len);
		}
		element[i] = pnstrdup(buf.data, buf.len);
	}
	PG_RETURN_CSTRING(rtm_literal_out(element, reader.n));
}

/* --------------------------------------------------------- binary form */

Datum
revrtm_journey_send(PG_FUNCTION_ARGS)
{
	JourneyReader reader;
	Touch	   *touch;
	StringInfoData buf;

	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	touch = rtm_journey_touches(&reader);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, JOURNEY_WIRE_VERSION);
	pq_sendbyte(&buf, reader.timed);
	pq_sendint32(&buf, reader.channels);
	for (uint32 i = 0; i < reader.channels; i++)
		rtm_send_text(&buf, reader.name[i].data, reader.name[i].len);
	pq_sendint32(&buf, reader.n);
	for (uint32 i = 0; i < reader.n; i++)
	{
		pq_sendint32(&buf, touch[i].channel);
		if (reader.timed)
			pq_sendint64(&buf, touch[i].at);
		pq_sendbyte(&buf, touch[i].milestone);
		pq_sendbyte(&buf, touch[i].id.data != NULL);
		if (touch[i].id.data != NULL)
			rtm_send_text(&buf, touch[i].id.data, touch[i].id.len);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static void
invalid_binary(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type journey"),
			 errdetail("%s", why)));
}

/*
 * A count of things of at least width bytes each, checked against what the
 * message still holds before anything of that size is allocated.
 */
static uint32
receive_count(StringInfo buf, int width)
{
	uint32		count = pq_getmsgint(buf, 4);

	if (count > (uint32) (buf->len - buf->cursor) / width)
		invalid_binary("A count is larger than the message.");
	return count;
}

static Bytes
receive_name(StringInfo buf)
{
	uint32		bytes = receive_count(buf, 1);
	int			len;
	Bytes		result;

	result.data = pq_getmsgtext(buf, bytes, &len);
	result.len = len;
	return result;
}

Datum
revrtm_journey_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	bool		timed;
	uint32		channels;
	uint32		n;
	Bytes	   *name;
	Touch	   *touch;

	if (pq_getmsgbyte(buf) != JOURNEY_WIRE_VERSION)
		invalid_binary("The version is not known.");
	timed = pq_getmsgbyte(buf) != 0;
	channels = receive_count(buf, 4);
	name = palloc(sizeof(Bytes) * Max(channels, 1));
	for (uint32 i = 0; i < channels; i++)
	{
		name[i] = receive_name(buf);
		if (name[i].len > JOURNEY_MAX_NAME)
			invalid_binary("A channel is too long.");
	}
	n = receive_count(buf, timed ? 14 : 6);
	touch = palloc_extended(sizeof(Touch) * Max((Size) n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < n; i++)
	{
		touch[i].channel = pq_getmsgint(buf, 4);
		if (touch[i].channel >= channels)
			invalid_binary("A channel number is out of range.");
		if (timed)
		{
			touch[i].at = pq_getmsgint64(buf);
			if (!IS_VALID_TIMESTAMP(touch[i].at))
				invalid_binary("An instant is out of range.");
		}
		touch[i].milestone = pq_getmsgbyte(buf);
		if (touch[i].milestone & ~MILESTONE_ALL)
			invalid_binary("A milestone is not known.");
		if (pq_getmsgbyte(buf) != 0)
			touch[i].id = receive_name(buf);
	}
	PG_RETURN_POINTER(rtm_journey_pack(touch, n, name, channels, true, timed));
}

/* ------------------------------------------------------------ equality */

static bool
journeys_equal(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_JOURNEY_P(0);
	struct varlena *b = PG_GETARG_JOURNEY_P(1);

	/* The packed form is canonical. */
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

Datum
revrtm_journey_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(journeys_equal(fcinfo));
}

Datum
revrtm_journey_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!journeys_equal(fcinfo));
}

Datum
revrtm_journey_hash(PG_FUNCTION_ARGS)
{
	struct varlena *j = PG_GETARG_JOURNEY_P(0);

	return hash_any((unsigned char *) VARDATA_ANY(j), VARSIZE_ANY_EXHDR(j));
}

/* ----------------------------------------------------------- accessors */

Bytes *
rtm_path_names(ArrayType *path, int *n)
{
	Datum	   *element;
	bool	   *isnull;
	Bytes	   *name;

	if (ARR_NDIM(path) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a path is an array of one dimension")));
	deconstruct_array(path, TEXTOID, -1, false, TYPALIGN_INT, &element, &isnull, n);
	name = palloc_extended(sizeof(Bytes) * Max((Size) *n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < *n; i++)
	{
		if (isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a path must not contain nulls")));
		name[i] = rtm_channel_name(false, element[i]);
	}
	return name;
}

/*
 * revrtm.journey(path): an untimed journey of the channels in order.
 */
Datum
revrtm_journey_from_path(PG_FUNCTION_ARGS)
{
	int			n;
	Bytes	   *name = rtm_path_names(PG_GETARG_ARRAYTYPE_P(0), &n);
	Touch	   *touch = palloc_extended(sizeof(Touch) * Max((Size) n, 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int i = 0; i < n; i++)
		touch[i].channel = i;
	PG_RETURN_POINTER(rtm_journey_pack(touch, n, name, n, true, false));
}

/*
 * The channels by first appearance as SQL texts.
 */
static Datum *
channel_texts(const JourneyReader *reader)
{
	Datum	   *result = palloc(sizeof(Datum) * Max(reader->channels, 1));

	for (uint32 i = 0; i < reader->channels; i++)
		result[i] = PointerGetDatum(cstring_to_text_with_len(reader->name[i].data,
															 reader->name[i].len));
	return result;
}

Datum
revrtm_journey_path(PG_FUNCTION_ARGS)
{
	JourneyReader reader;
	Datum	   *text_of;
	uint32	   *code;
	Datum	   *element;

	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	text_of = channel_texts(&reader);
	code = palloc(sizeof(uint32) * Max(reader.n, 1));
	element = palloc(sizeof(Datum) * Max(reader.n, 1));
	rtm_journey_codes(&reader, code);
	for (uint32 i = 0; i < reader.n; i++)
		element[i] = text_of[code[i]];
	PG_RETURN_ARRAYTYPE_P(construct_array(element, reader.n, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
revrtm_journey_channels(PG_FUNCTION_ARGS)
{
	JourneyReader reader;

	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	PG_RETURN_ARRAYTYPE_P(construct_array(channel_texts(&reader), reader.channels, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

Datum
revrtm_journey_touch_count(PG_FUNCTION_ARGS)
{
	JourneyReader reader;

	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	PG_RETURN_INT32(reader.n);
}

/*
 * revrtm.last_touch(journey): touches stand in order of time.
 */
Datum
revrtm_journey_last_touch(PG_FUNCTION_ARGS)
{
	JourneyReader reader;
	TimestampTz *at;

	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	if (reader.n == 0 || !reader.timed)
		PG_RETURN_NULL();
	at = palloc_extended(mul_size(reader.n, sizeof(TimestampTz)), MCXT_ALLOC_HUGE);
	rtm_journey_times(&reader, at);
	PG_RETURN_TIMESTAMPTZ(at[reader.n - 1]);
}

/*
 * revrtm.mark_milestones(journey, lead_created_at, created_at, won): LC and OC
 * go to the latest touch not after their instant, CW to the latest touch of a
 * won deal; what the journey held of them before is dropped.
 */
Datum
revrtm_journey_mark(PG_FUNCTION_ARGS)
{
	JourneyReader reader;
	Touch	   *touch;
	uint32		n;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	rtm_journey_open(&reader, PG_GETARG_JOURNEY_P(0), NULL, 0);
	if (reader.n > 0 && !reader.timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("milestones cannot be derived for an untimed journey")));
	touch = rtm_journey_touches(&reader);
	n = reader.n;
	for (uint32 i = 0; i < n; i++)
		touch[i].milestone &= MILESTONE_FT;
	for (int arg = 1; arg <= 2; arg++)
	{
		if (PG_ARGISNULL(arg))
			continue;
		for (uint32 i = n; i-- > 0;)
		{
			if (touch[i].at <= PG_GETARG_TIMESTAMPTZ(arg))
			{
				touch[i].milestone |= arg == 1 ? MILESTONE_LC : MILESTONE_OC;
				break;
			}
		}
	}
	if (n > 0 && !PG_ARGISNULL(3) && PG_GETARG_BOOL(3))
		touch[n - 1].milestone |= MILESTONE_CW;
	PG_RETURN_POINTER(rtm_journey_pack(touch, n, reader.name, reader.channels, false,
									   reader.timed));
}
