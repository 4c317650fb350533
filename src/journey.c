/*-------------------------------------------------------------------------
 *
 * journey.c
 *		The packed journey: its bytes, and what reads them.
 *
 * A packed journey is a string of bytes without alignment:
 *
 *	format			1 byte, JOURNEY_PACKED
 *	flags			1 byte, JOURNEY_TIMED ... JOURNEY_WIDE
 *	n, channels		varints
 *	names			a varint length and the bytes, by first appearance
 *	codes			the channel of each touch, 1 byte, or 2 where WIDE
 *	milestones		1 byte a touch, where any holds one
 *	clock			where TIMED and n > 0: tick << 4 | width (1 byte), the first
 *					instant (8 bytes), then n - 1 differences in ticks of width
 *					bytes each, all little-endian
 *	ids				where touches share an instant: a varint each, 0 for no id,
 *					else its length + 1, and the bytes
 *
 * Columns of fixed width decode without branches; a coarser tick saves bytes
 * where a CRM stores seconds or minutes. The form is canonical, so equal
 * journeys are equal bytes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attribution.h"
#include "journey.h"

#define JOURNEY_PACKED		0x01

#define JOURNEY_TIMED		0x01
#define JOURNEY_MILESTONES	0x02
#define JOURNEY_IDS			0x04
#define JOURNEY_WIDE		0x08

static const int64 ticks[] = {1, 1000, USECS_PER_SEC, USECS_PER_MINUTE};

/* ---------------------------------------------------------------- bytes */

static uint8 *
put_varint(uint8 *p, uint32 value)
{
	while (value >= 0x80)
	{
		*p++ = (uint8) (value | 0x80);
		value >>= 7;
	}
	*p++ = (uint8) value;
	return p;
}

static const uint8 *
get_varint(const uint8 *p, uint32 *value)
{
	uint32		result = 0;
	int			shift = 0;

	while (*p & 0x80)
	{
		result |= (uint32) (*p++ & 0x7F) << shift;
		shift += 7;
	}
	*value = result | (uint32) *p++ << shift;
	return p;
}

/* Writes eight bytes, of which the first width count. */
static inline uint8 *
put_fixed(uint8 *p, uint64 value, int width)
{
#ifdef WORDS_BIGENDIAN
	value = pg_bswap64(value);
#endif
	memcpy(p, &value, sizeof(value));
	return p + width;
}

static inline uint64
get_fixed(const uint8 *p, int width)
{
	uint64		value = 0;

	for (int i = 0; i < width; i++)
		value |= (uint64) p[i] << (8 * i);
	return value;
}

/* -------------------------------------------------------------- reading */

void
rtm_journey_open(JourneyReader *reader, struct varlena *journey, Bytes *name, uint32 room)
{
	const uint8 *p = (const uint8 *) VARDATA_ANY(journey);
	uint8		flags;

	reader->end = p + VARSIZE_ANY_EXHDR(journey);
	Assert(p[0] == JOURNEY_PACKED);
	flags = p[1];
	p = get_varint(p + 2, &reader->n);
	p = get_varint(p, &reader->channels);
	reader->timed = (flags & JOURNEY_TIMED) != 0;
	if (room < reader->channels)
		name = palloc(sizeof(Bytes) * reader->channels);
	reader->name = name;
	for (uint32 i = 0; i < reader->channels; i++)
	{
		p = get_varint(p, &name[i].len);
		name[i].data = (const char *) p;
		p += name[i].len;
	}
	reader->code_width = flags & JOURNEY_WIDE ? 2 : 1;
	reader->channel = p;
	p += (Size) reader->n * reader->code_width;
	reader->milestone = flags & JOURNEY_MILESTONES ? p : NULL;
	if (reader->milestone)
		p += reader->n;
	reader->first = 0;
	reader->tick = 1;
	reader->delta = NULL;
	reader->delta_width = 0;
	if (reader->timed && reader->n > 0)
	{
		reader->tick = ticks[p[0] >> 4];
		reader->delta_width = p[0] & 0x0F;
		reader->first = (int64) get_fixed(p + 1, 8);
		p += 9;
		reader->delta = p;
		p += (Size) (reader->n - 1) * reader->delta_width;
	}
	reader->ids = flags & JOURNEY_IDS ? p : NULL;
}

static inline void
add_deltas(const JourneyReader *reader, TimestampTz *at, int width)
{
	const uint8 *p = reader->delta;
	int64		now = reader->first;

	for (uint32 i = 1; i < reader->n; i++, p += width)
	{
		now += (int64) get_fixed(p, width) * reader->tick;
		at[i] = now;
	}
}

void
rtm_journey_times(const JourneyReader *reader, TimestampTz *at)
{
	if (reader->n == 0)
		return;
	at[0] = reader->first;

	/* A constant width lets the compiler turn the bytes into one load. */
	switch (reader->delta_width)
	{
		case 4:
			add_deltas(reader, at, 4);
			break;
		case 5:
			add_deltas(reader, at, 5);
			break;
		case 6:
			add_deltas(reader, at, 6);
			break;
		default:
			add_deltas(reader, at, reader->delta_width);
			break;
	}
}

void
rtm_journey_codes(const JourneyReader *reader, uint32 *channel)
{
	const uint8 *p = reader->channel;

	if (reader->code_width == 1)
	{
		for (uint32 i = 0; i < reader->n; i++)
			channel[i] = p[i];
	}
	else
	{
		for (uint32 i = 0; i < reader->n; i++)
			channel[i] = (uint32) get_fixed(p + 2 * (Size) i, 2);
	}
}

Touch *
rtm_journey_touches(const JourneyReader *reader)
{
	uint32		n = reader->n;
	Touch	   *touch = palloc_extended(sizeof(Touch) * Max((Size) n, 1), MCXT_ALLOC_HUGE);
	TimestampTz *at = palloc_extended(sizeof(TimestampTz) * Max((Size) n, 1), MCXT_ALLOC_HUGE);
	uint32	   *code = palloc_extended(sizeof(uint32) * Max((Size) n, 1), MCXT_ALLOC_HUGE);
	const uint8 *id = reader->ids;

	memset(at, 0, sizeof(TimestampTz) * n);
	if (reader->timed)
		rtm_journey_times(reader, at);
	rtm_journey_codes(reader, code);
	for (uint32 i = 0; i < n; i++)
	{
		touch[i].at = at[i];
		touch[i].channel = code[i];
		touch[i].milestone = reader->milestone ? reader->milestone[i] : 0;
		touch[i].id.data = NULL;
		touch[i].id.len = 0;
		if (id != NULL)
		{
			uint32		len;

			id = get_varint(id, &len);
			if (len > 0)
			{
				touch[i].id.data = (const char *) id;
				touch[i].id.len = len - 1;
				id += len - 1;
			}
		}
	}
	pfree(at);
	pfree(code);
	return touch;
}

/* -------------------------------------------------------------- packing */

static int
compare_bytes(const Bytes *a, const Bytes *b)
{
	int			c = memcmp(a->data, b->data, Min(a->len, b->len));

	if (c != 0)
		return c;
	return (a->len > b->len) - (a->len < b->len);
}

/*
 * The canonical order: instant, id (none first), channel; milestones only to
 * make touches that are otherwise alike stand in one order.
 */
static int
compare_touches(const void *left, const void *right, void *names)
{
	const Touch *a = left;
	const Touch *b = right;
	const Bytes *name = names;

	CHECK_FOR_INTERRUPTS();
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if ((a->id.data == NULL) != (b->id.data == NULL))
		return a->id.data == NULL ? -1 : 1;
	if (a->id.data != NULL)
	{
		int			c = compare_bytes(&a->id, &b->id);

		if (c != 0)
			return c;
	}
	if (a->channel != b->channel)
	{
		int			c = compare_bytes(&name[a->channel], &name[b->channel]);

		if (c != 0)
			return c;
	}
	return (a->milestone > b->milestone) - (a->milestone < b->milestone);
}

/* Up to this many names are compared with each other. */
#define SMALL_NAMES		32

/*
 * Number the channels by first appearance. Returns how many there are;
 * order[] holds their old numbers. Where the array of names repeats itself,
 * the first number of each is looked for, in a hash table if there are many.
 */
static uint32
number_channels(Touch *touches, uint32 n, const Bytes *name, uint32 names, bool repeats,
				uint32 *order)
{
	uint32		small[SMALL_NAMES];
	uint32	   *new_number = names <= SMALL_NAMES ? small : palloc(sizeof(uint32) * names);
	uint32	   *slot = NULL;
	uint32		mask = 7;
	uint32		channels = 0;

	memset(new_number, 0xFF, sizeof(uint32) * names);
	if (repeats && names > SMALL_NAMES)
	{
		while (mask < 2 * Min(names, JOURNEY_MAX_CHANNELS))
			mask = mask << 1 | 1;
		slot = palloc(sizeof(uint32) * (mask + 1));
		memset(slot, 0xFF, sizeof(uint32) * (mask + 1));
	}

	for (uint32 i = 0; i < n; i++)
	{
		uint32		old = touches[i].channel;
		uint32		number = channels;
		uint32		h = 0;

		if (new_number[old] != PG_UINT32_MAX)
		{
			touches[i].channel = new_number[old];
			continue;
		}
		if (repeats && slot == NULL)
		{
			for (number = 0; number < channels; number++)
			{
				if (compare_bytes(&name[order[number]], &name[old]) == 0)
					break;
			}
		}
		else if (repeats)
		{
			h = hash_bytes((const unsigned char *) name[old].data, name[old].len) & mask;
			while (slot[h] != PG_UINT32_MAX &&
				   compare_bytes(&name[order[slot[h]]], &name[old]) != 0)
				h = (h + 1) & mask;
			if (slot[h] != PG_UINT32_MAX)
				number = slot[h];
		}
		if (number == channels)
		{
			if (channels == JOURNEY_MAX_CHANNELS)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("a journey cannot have more than %d distinct channels",
								JOURNEY_MAX_CHANNELS),
						 errhint("Group the channels, or check that an identifier was not "
								 "passed as the channel.")));
			if (slot != NULL)
				slot[h] = channels;
			order[channels++] = old;
		}
		new_number[old] = number;
		touches[i].channel = number;
	}
	if (slot != NULL)
		pfree(slot);
	if (new_number != small)
		pfree(new_number);
	return channels;
}

/*
 * The coarsest tick that divides all differences, and the bytes the largest
 * then takes.
 */
static void
choose_clock(const Touch *touches, uint32 n, int *tick, int *width)
{
	uint64		largest = 0;

	*tick = lengthof(ticks) - 1;
	for (uint32 i = 1; i < n; i++)
	{
		uint64		delta = (uint64) touches[i].at - (uint64) touches[i - 1].at;

		largest = Max(largest, delta);
		while (*tick > 0 && delta % ticks[*tick] != 0)
			(*tick)--;
	}
	largest /= ticks[*tick];
	*width = 0;
	while (*width < 8 && (largest >> (8 * *width)) > 0)
		(*width)++;
}

static inline bool
shares_instant(const Touch *touches, uint32 n, uint32 i)
{
	return (i > 0 && touches[i].at == touches[i - 1].at) ||
		(i + 1 < n && touches[i].at == touches[i + 1].at);
}

struct varlena *
rtm_journey_pack(Touch *touches, uint32 n, const Bytes *name, uint32 names, bool repeats,
				 bool timed)
{
	uint32	   *order;
	uint32		channels;
	uint8		flags = timed && n > 0 ? JOURNEY_TIMED : 0;
	int			tick = 0;
	int			width = 0;
	int			code_width = 1;
	Size		size;
	struct varlena *result;
	uint8	   *p;

	timed = timed && n > 0;
	if (timed)
	{
		for (uint32 i = 1; i < n; i++)
		{
			if (touches[i - 1].at >= touches[i].at &&
				compare_touches(&touches[i - 1], &touches[i], unconstify(Bytes *, name)) > 0)
			{
				qsort_arg(touches, n, sizeof(Touch), compare_touches, unconstify(Bytes *, name));
				break;
			}
		}
		choose_clock(touches, n, &tick, &width);
	}

	order = palloc(sizeof(uint32) * (Min(names, JOURNEY_MAX_CHANNELS) + 1));
	channels = number_channels(touches, n, name, names, repeats, order);
	if (channels > 256)
	{
		flags |= JOURNEY_WIDE;
		code_width = 2;
	}

	/* Format, flags, two varints, the clock: 21 bytes; put_fixed's reach: 8. */
	size = VARHDRSZ + 21 + 8 + (Size) n * (code_width + 1 + width);
	for (uint32 i = 0; i < channels; i++)
		size += name[order[i]].len + 5;
	for (uint32 i = 0; i < n; i++)
	{
		if (touches[i].milestone != 0)
			flags |= JOURNEY_MILESTONES;
		if (timed && touches[i].id.data != NULL && shares_instant(touches, n, i))
		{
			rtm_check_touch_id(&touches[i].id);
			flags |= JOURNEY_IDS;
			size += touches[i].id.len;
		}
	}
	if (flags & JOURNEY_IDS)
		size += (Size) n * 5;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("journey of %u touches is too large", n)));

	result = palloc(size);
	p = (uint8 *) VARDATA(result);
	*p++ = JOURNEY_PACKED;
	*p++ = flags;
	p = put_varint(p, n);
	p = put_varint(p, channels);
	for (uint32 i = 0; i < channels; i++)
	{
		p = put_varint(p, name[order[i]].len);
		memcpy(p, name[order[i]].data, name[order[i]].len);
		p += name[order[i]].len;
	}
	for (uint32 i = 0; i < n; i++)
		p = put_fixed(p, touches[i].channel, code_width);
	if (flags & JOURNEY_MILESTONES)
	{
		for (uint32 i = 0; i < n; i++)
			*p++ = (uint8) touches[i].milestone;
	}
	if (timed && n > 0)
	{
		*p++ = (uint8) (tick << 4 | width);
		p = put_fixed(p, (uint64) touches[0].at, 8);
		for (uint32 i = 1; i < n; i++)
			p = put_fixed(p, ((uint64) touches[i].at - (uint64) touches[i - 1].at) / ticks[tick],
						  width);
	}
	if (flags & JOURNEY_IDS)
	{
		for (uint32 i = 0; i < n; i++)
		{
			const Bytes *id = &touches[i].id;

			if (id->data == NULL || !shares_instant(touches, n, i))
				*p++ = 0;
			else
			{
				p = put_varint(p, id->len + 1);
				memcpy(p, id->data, id->len);
				p += id->len;
			}
		}
	}
	pfree(order);
	SET_VARSIZE(result, (char *) p - (char *) result);
	return result;
}

/* --------------------------------------------------------------- checks */

Bytes
rtm_channel_name(bool isnull, Datum channel)
{
	Bytes		result = {CHANNEL_NONE, sizeof(CHANNEL_NONE) - 1};
	text	   *t;

	if (isnull)
		return result;
	t = DatumGetTextPP(channel);
	result.data = VARDATA_ANY(t);
	result.len = VARSIZE_ANY_EXHDR(t);
	if (result.len > JOURNEY_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("channel of %u bytes is too long", result.len),
				 errdetail("A channel has at most %d bytes.", JOURNEY_MAX_NAME)));
	return result;
}

void
rtm_check_touched_at(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("touched_at must be finite"),
				 errhint("Leave out touches without an instant: a NULL is skipped.")));
}

const MilestoneCode rtm_milestones[MILESTONES] = {
	{"FT", MILESTONE_FT}, {"LC", MILESTONE_LC}, {"OC", MILESTONE_OC}, {"CW", MILESTONE_CW}
};

uint32
rtm_milestone_bit(const char *code, size_t len)
{
	for (int i = 0; i < MILESTONES; i++)
	{
		if (len == 2 && memcmp(code, rtm_milestones[i].code, 2) == 0)
			return rtm_milestones[i].bit;
	}
	return 0;
}

void
rtm_check_touch_id(const Bytes *id)
{
	if (id->len > JOURNEY_MAX_ID)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("touch_id of %u bytes is too long", id->len),
				 errdetail("A touch_id has at most %d bytes.", JOURNEY_MAX_ID)));
}

uint32
rtm_milestone_bits(const char *text, size_t len)
{
	uint32		bits = 0;
	size_t		at = 0;

	while (at < len)
	{
		const char *end = memchr(text + at, '|', len - at);
		size_t		width = end ? (size_t) (end - text) - at : len - at;
		uint32		bit = rtm_milestone_bit(text + at, width);

		if (bit == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized milestone \"%.*s\"",
							pg_mbcliplen(text + at, (int) width, 64), text + at),
					 errdetail("A milestone is FT, LC, OC or CW; several are joined by \"|\".")));
		bits |= bit;
		at += width + 1;
	}
	return bits;
}
