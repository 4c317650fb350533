/*-------------------------------------------------------------------------
 *
 * journeys.c
 *		journeys(): the touches of a query packed by deal, in bounded memory.
 *
 * Grouping millions of deals with a state each is bound by cache misses and
 * by memory. Here a touch is appended to one of a few partitions, chosen by a
 * hash of its deal; what does not fit into work_mem goes to temporary files.
 * Then one partition at a time is grouped and packed, and one that is still
 * too large is first divided once more.
 *
 * A record of a touch, unaligned:
 *
 *	flags		1 byte: milestone bits and those below
 *	touched_at	8 bytes
 *	deal		8 bytes where it is passed by value, else a text
 *	channel		its number (4 bytes), or a text where it has none
 *	id, amount, lead_created_at		texts and 8 bytes, as the flags say
 *
 * where a text is its length (4 bytes) and the bytes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "attribution.h"
#include "dictionary.h"
#include "journey.h"
#include "query.h"

#define HAS_ID			0x10
#define HAS_AMOUNT		0x20
#define HAS_LEAD		0x40
#define CHANNEL_TEXT	0x80

#define PARTITION_BITS	5
#define PARTITIONS		(1 << PARTITION_BITS)
/* A partition is divided again while the hash has bits for it. */
#define MAX_LEVEL		5

enum
{
	DEAL_ID,
	TOUCHED_AT,
	CHANNEL,
	AMOUNT,
	MILESTONE,
	TOUCH_ID,
	LEAD_CREATED_AT,
	TOUCH_COLUMNS
};

static const QueryShape touch_shape = {
	"touches",
	"It returns deal_id (text, uuid or an integer), touched_at as timestamptz and channel as "
	"text, and may return amount as numeric, milestone and touch_id as text, and "
	"lead_created_at as timestamptz.",
	TOUCH_COLUMNS,
	{
		{"deal_id", true, {TEXTOID, VARCHAROID, UUIDOID, INT8OID, INT4OID, INT2OID}},
		{"touched_at", true, {TIMESTAMPTZOID}},
		{"channel", true, {TEXTOID, VARCHAROID}},
		{"amount", false, {NUMERICOID}},
		{"milestone", false, {TEXTOID, VARCHAROID}},
		{"touch_id", false, {TEXTOID, VARCHAROID}},
		{"lead_created_at", false, {TIMESTAMPTZOID}}
	}
};

/* Touches of some deals: in memory, and behind it what went to a file. */
typedef struct Partition
{
	char	   *data;
	Size		used;
	Size		room;
	BufFile    *file;			/* runs of whole records, their length before each */
	Size		filed;			/* bytes of records in the file */
} Partition;

typedef struct ChannelEntry
{
	Bytes		name;
	uint32		number;
	uint32		hash;
	char		status;
} ChannelEntry;

#define SH_PREFIX channels
#define SH_ELEMENT_TYPE ChannelEntry
#define SH_KEY_TYPE Bytes
#define SH_KEY name
#define SH_HASH_KEY(tb, k) hash_bytes((const unsigned char *) (k).data, (k).len)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).data, (b).data, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Packer
{
	MemoryContext context;
	ReturnSetInfo *result;
	Size		budget;			/* bytes */
	Size		block;			/* most that a partition keeps in memory */
	Partition	partition[PARTITIONS];

	/* the deals' type */
	Oid			deal_type;
	bool		by_value;
	int			fixed;			/* bytes, where the type has a length */

	/* the channels, numbered while there is memory for their names */
	channels_hash *channels;
	Bytes	   *name;
	uint32		names;
	uint32		names_room;
	Size		name_bytes;
	uint32		recent[DICTIONARY_RECENT];

	/* while packing: a journey's own number of a channel, by its number */
	uint32	   *own;
	uint32	   *own_journey;
	uint32		journey;
	MemoryContext each;
} Packer;

REVRTM_FUNCTION(revrtm_journeys);

/* -------------------------------------------------------------- records */

static inline char *
put_bytes(char *p, const void *data, Size len)
{
	memcpy(p, data, len);
	return p + len;
}

static inline char *
put_text(char *p, Bytes text)
{
	p = put_bytes(p, &text.len, sizeof(uint32));
	return put_bytes(p, text.data, text.len);
}

static inline const char *
get_text(const char *p, Bytes *text)
{
	memcpy(&text->len, p, sizeof(uint32));
	text->data = p + sizeof(uint32);
	return text->data + text->len;
}

/* A record, read; texts point into it. */
typedef struct Record
{
	Touch		touch;			/* channel: a number, where there is no name */
	bool		has_name;
	Bytes		name;
	Bytes		deal;
	Bytes		amount;			/* data NULL: none */
	bool		has_lead;
	TimestampTz lead;
} Record;

static inline const char *
get_deal(const Packer *packer, const char *p, Bytes *deal)
{
	p += 1 + sizeof(TimestampTz);
	if (!packer->by_value)
		return get_text(p, deal);
	deal->data = p;
	deal->len = sizeof(Datum);
	return p + sizeof(Datum);
}

static inline const char *
get_record(const Packer *packer, const char *p, Record *r)
{
	uint8		flags = (uint8) *p;

	memcpy(&r->touch.at, p + 1, sizeof(TimestampTz));
	r->touch.milestone = flags & MILESTONE_ALL;
	p = get_deal(packer, p, &r->deal);
	r->has_name = (flags & CHANNEL_TEXT) != 0;
	if (r->has_name)
		p = get_text(p, &r->name);
	else
	{
		memcpy(&r->touch.channel, p, sizeof(uint32));
		p += sizeof(uint32);
	}
	r->touch.id.data = NULL;
	r->touch.id.len = 0;
	if (flags & HAS_ID)
		p = get_text(p, &r->touch.id);
	r->amount.data = NULL;
	r->amount.len = 0;
	if (flags & HAS_AMOUNT)
		p = get_text(p, &r->amount);
	r->has_lead = (flags & HAS_LEAD) != 0;
	if (r->has_lead)
	{
		memcpy(&r->lead, p, sizeof(TimestampTz));
		p += sizeof(TimestampTz);
	}
	return p;
}

static inline uint64
hash_deal(const Packer *packer, Bytes deal)
{
	if (packer->by_value)
	{
		uint64		value;

		memcpy(&value, deal.data, sizeof(value));
		value = (value ^ value >> 33) * UINT64CONST(0xFF51AFD7ED558CCD);
		value = (value ^ value >> 33) * UINT64CONST(0xC4CEB9FE1A85EC53);
		return value ^ value >> 33;
	}
	return hash_bytes_extended((const unsigned char *) deal.data, deal.len, 0);
}

/* ----------------------------------------------------------- partitions */

/*
 * Room for so many bytes at the partition's end; the caller fills it and
 * counts it.
 */
static inline char *
reserve(Packer *packer, Partition *partition, Size bytes)
{
	if (unlikely(partition->room - partition->used < bytes))
	{
		if (partition->room >= packer->block && partition->used > 0)
		{
			uint32		run;

			if (partition->file == NULL)
			{
				MemoryContext caller = MemoryContextSwitchTo(packer->context);

				partition->file = BufFileCreateTemp(false);
				MemoryContextSwitchTo(caller);
			}
			run = (uint32) partition->used;
			BufFileWrite(partition->file, &run, sizeof(run));
			BufFileWrite(partition->file, partition->data, run);
			partition->filed += partition->used;
			partition->used = 0;
		}
		if (partition->room - partition->used < bytes)
		{
			Size		room = Max(2 * partition->room, 1024);

			while (room < partition->used + bytes)
				room *= 2;
			partition->data = partition->data == NULL ?
				MemoryContextAllocHuge(packer->context, room) :
				repalloc_huge(partition->data, room);
			partition->room = room;
		}
	}
	return partition->data + partition->used;
}

static void
read_file(BufFile *file, void *data, Size bytes)
{
	if (BufFileRead(file, data, bytes) != bytes)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read a temporary file of journeys: %m")));
}

static void
rewind_file(BufFile *file)
{
	if (BufFileSeek(file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file of journeys: %m")));
}

static void
empty_partition(Partition *partition)
{
	if (partition->file != NULL)
		BufFileClose(partition->file);
	if (partition->data != NULL)
		pfree(partition->data);
	memset(partition, 0, sizeof(Partition));
}

/*
 * All records of the partition, which is left without any.
 */
static char *
load_partition(Packer *packer, Partition *partition)
{
	char	   *data = MemoryContextAllocHuge(packer->context,
											  add_size(partition->filed, partition->used));
	Size		done = 0;

	if (partition->file != NULL)
		rewind_file(partition->file);
	while (done < partition->filed)
	{
		uint32		run;

		CHECK_FOR_INTERRUPTS();
		read_file(partition->file, &run, sizeof(run));
		read_file(partition->file, data + done, run);
		done += run;
	}
	memcpy(data + done, partition->data, partition->used);
	empty_partition(partition);
	return data;
}

/* -------------------------------------------------------------- reading */

/*
 * The number of a channel; false where its name has to be written out.
 */
static inline bool
number_channel(Packer *packer, const Bytes *name, uint32 *number)
{
	uint32	   *recent = &packer->recent[dictionary_place(name)];
	ChannelEntry *entry;
	bool		found;

	if (*recent != 0)
	{
		const Bytes *known = &packer->name[*recent - 1];

		if (known->len == name->len && memcmp(known->data, name->data, name->len) == 0)
		{
			*number = *recent - 1;
			return true;
		}
	}
	if (packer->name_bytes > packer->budget / 4)
	{
		entry = channels_lookup(packer->channels, *name);
		if (entry == NULL)
			return false;
	}
	else
	{
		entry = channels_insert(packer->channels, *name, &found);
		if (!found)
		{
			char	   *copy = MemoryContextAlloc(packer->context, Max(name->len, 1));

			memcpy(copy, name->data, name->len);
			entry->name.data = copy;
			entry->number = packer->names;
			if (packer->names == packer->names_room)
			{
				packer->names_room *= 2;
				packer->name = repalloc_huge(packer->name,
											 mul_size(sizeof(Bytes), packer->names_room));
			}
			packer->name[packer->names++] = entry->name;
			packer->name_bytes += name->len + 2 * sizeof(ChannelEntry) + sizeof(Bytes);
		}
	}
	*number = entry->number;
	*recent = entry->number + 1;
	return true;
}

static inline Bytes
text_bytes(Datum value)
{
	struct varlena *v = PG_DETOAST_DATUM_PACKED(value);
	Bytes		result = {VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v)};

	return result;
}

static void
add_touch(TupleTableSlot *slot, const QueryAttribute *attributes, void *arg)
{
	Packer	   *packer = arg;
	bool		isnull;
	Datum		value;
	Datum		deal_value;
	TimestampTz at;
	TimestampTz lead = 0;
	Bytes		deal;
	Bytes		channel;
	Bytes		id = {NULL, 0};
	Bytes		amount = {NULL, 0};
	uint32		number = 0;
	uint8		flags = 0;
	Size		bytes;
	Partition  *partition;
	char	   *start;
	char	   *p;

	CHECK_FOR_INTERRUPTS();
	value = query_value(slot, &attributes[TOUCHED_AT], &isnull);
	if (isnull)
		return;
	at = DatumGetTimestampTz(value);
	rtm_check_touched_at(at);

	deal_value = query_value(slot, &attributes[DEAL_ID], &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("deal_id of a touch is NULL"),
				 errhint("Leave such rows out.")));
	if (packer->deal_type == InvalidOid)
	{
		int16		len;

		packer->deal_type = attributes[DEAL_ID].type;
		get_typlenbyval(packer->deal_type, &len, &packer->by_value);
		packer->fixed = Max(len, 0);
	}
	if (packer->by_value)
	{
		deal.data = (const char *) &deal_value;
		deal.len = sizeof(Datum);
	}
	else if (packer->fixed > 0)
	{
		deal.data = DatumGetPointer(deal_value);
		deal.len = packer->fixed;
	}
	else
		deal = text_bytes(deal_value);

	value = query_value(slot, &attributes[CHANNEL], &isnull);
	channel = rtm_channel_name(isnull, value);
	value = query_value(slot, &attributes[MILESTONE], &isnull);
	if (!isnull)
	{
		Bytes		codes = text_bytes(value);

		flags |= rtm_milestone_bits(codes.data, codes.len);
	}
	value = query_value(slot, &attributes[TOUCH_ID], &isnull);
	if (!isnull)
	{
		flags |= HAS_ID;
		id = text_bytes(value);
		rtm_check_touch_id(&id);
	}
	value = query_value(slot, &attributes[AMOUNT], &isnull);
	if (!isnull)
	{
		flags |= HAS_AMOUNT;
		amount = text_bytes(value);
	}
	value = query_value(slot, &attributes[LEAD_CREATED_AT], &isnull);
	if (!isnull)
	{
		flags |= HAS_LEAD;
		lead = DatumGetTimestampTz(value);
	}
	if (!number_channel(packer, &channel, &number))
		flags |= CHANNEL_TEXT;

	bytes = 1 + 2 * sizeof(TimestampTz) + 4 * sizeof(uint32);
	bytes = add_size(bytes, add_size(add_size(deal.len, channel.len),
									 add_size(id.len, amount.len)));
	partition = &packer->partition[hash_deal(packer, deal) & (PARTITIONS - 1)];
	start = p = reserve(packer, partition, bytes);
	*p++ = (char) flags;
	p = put_bytes(p, &at, sizeof(at));
	p = packer->by_value ? put_bytes(p, deal.data, deal.len) : put_text(p, deal);
	p = flags & CHANNEL_TEXT ? put_text(p, channel) : put_bytes(p, &number, sizeof(number));
	if (flags & HAS_ID)
		p = put_text(p, id);
	if (flags & HAS_AMOUNT)
		p = put_text(p, amount);
	if (flags & HAS_LEAD)
		p = put_bytes(p, &lead, sizeof(lead));
	partition->used += p - start;
}

/* -------------------------------------------------------------- packing */

typedef struct Deal
{
	uint64		hash;
	const char *first;			/* a record of it */
	Size		end;			/* behind its records, in order of deals */
} Deal;

static Numeric
read_amount(Bytes stored)
{
	struct varlena *v = palloc(add_size(stored.len, VARHDRSZ));

	SET_VARSIZE(v, stored.len + VARHDRSZ);
	memcpy(VARDATA(v), stored.data, stored.len);
	return (Numeric) v;
}

static int
compare_amounts(Bytes a, Bytes b)
{
	int			c = a.len == b.len ? 0 : a.len < b.len ? -1 : 1;

	return c == 0 && a.len > 0 ? memcmp(a.data, b.data, a.len) : c;
}

static bool
same_amount(Bytes a, Bytes b)
{
	if (a.data == NULL || b.data == NULL)
		return a.data == b.data;
	if (compare_amounts(a, b) == 0)
		return true;
	return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(read_amount(a)),
											NumericGetDatum(read_amount(b))));
}

static Datum
deal_text(const Packer *packer, Bytes deal)
{
	Datum		value;
	Oid			output;
	bool		is_varlena;

	if (packer->deal_type == TEXTOID || packer->deal_type == VARCHAROID)
		return PointerGetDatum(cstring_to_text_with_len(deal.data, deal.len));
	if (packer->by_value)
		memcpy(&value, deal.data, sizeof(value));
	else
		value = PointerGetDatum(deal.data);
	if (packer->deal_type == INT8OID)
	{
		char		digits[MAXINT8LEN + 1];

		return PointerGetDatum(cstring_to_text_with_len(digits,
														pg_lltoa(DatumGetInt64(value), digits)));
	}
	getTypeOutputInfo(packer->deal_type, &output, &is_varlena);
	return CStringGetTextDatum(OidOutputFunctionCall(output, value));
}

/*
 * Pack one deal, whose records these are.
 */
static void
pack_deal(Packer *packer, const char *const *record, Size n)
{
	Touch	   *touch = palloc_extended(mul_size(sizeof(Touch), n), MCXT_ALLOC_HUGE);
	Bytes	   *name = palloc_extended(mul_size(sizeof(Bytes), n), MCXT_ALLOC_HUGE);
	uint32		names = 0;
	bool		repeats = false;
	Bytes		deal = {NULL, 0};
	Bytes		amount = {NULL, 0};
	TimestampTz lead = 0;
	Datum		values[4];
	bool		nulls[4] = {false, true, true, false};

	if (n > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a deal has too many touches")));
	packer->journey++;
	for (Size i = 0; i < n; i++)
	{
		Record		r;

		if (n > 1000)
			CHECK_FOR_INTERRUPTS();
		get_record(packer, record[i], &r);
		/* Of equal amounts the bytes that stand last, whatever the order of rows. */
		if (i == 0)
		{
			deal = r.deal;
			amount = r.amount;
		}
		else if (same_amount(r.amount, amount))
			amount = compare_amounts(r.amount, amount) > 0 ? r.amount : amount;
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the amount differs within a deal"),
					 errdetail("It is deal \"%s\".", TextDatumGetCString(deal_text(packer, deal))),
					 errhint("Every touch carries the whole amount of its deal.")));
		if (r.has_lead && (nulls[2] || r.lead < lead))
		{
			nulls[2] = false;
			lead = r.lead;
		}
		touch[i] = r.touch;
		if (r.has_name)
		{
			repeats = true;
			name[names] = r.name;
			touch[i].channel = names++;
		}
		else
		{
			uint32		number = r.touch.channel;

			if (packer->own_journey[number] != packer->journey)
			{
				packer->own_journey[number] = packer->journey;
				packer->own[number] = names;
				name[names++] = packer->name[number];
			}
			touch[i].channel = packer->own[number];
		}
	}

	values[0] = deal_text(packer, deal);
	if (amount.data != NULL)
	{
		nulls[1] = false;
		values[1] = NumericGetDatum(read_amount(amount));
	}
	values[2] = TimestampTzGetDatum(lead);
	values[3] = PointerGetDatum(rtm_journey_pack(touch, (uint32) n, name, names, repeats, true));
	tuplestore_putvalues(packer->result->setResult, packer->result->setDesc, values, nulls);
}

/*
 * The deal of each record, by an open hash; returns how many deals there are.
 */
static Size
group_records(Packer *packer, const char *data, Size bytes, const char **record, uint32 *deal_of,
			  Deal **deals)
{
	Size		size = 1024;
	uint32	   *slot = palloc_extended(sizeof(uint32) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Size		room = size / 2;
	Deal	   *deal = palloc_extended(sizeof(Deal) * room, MCXT_ALLOC_HUGE);
	Size		n = 0;
	Size		i = 0;

	for (const char *p = data; p < data + bytes; i++)
	{
		Record		r;
		uint64		hash;
		Size		h;

		CHECK_FOR_INTERRUPTS();
		record[i] = p;
		p = get_record(packer, p, &r);
		hash = hash_deal(packer, r.deal);
		for (h = (hash >> 32) & (size - 1); slot[h] != 0; h = (h + 1) & (size - 1))
		{
			const Deal *known = &deal[slot[h] - 1];
			Bytes		other;

			if (known->hash != hash)
				continue;
			get_deal(packer, known->first, &other);
			if (other.len == r.deal.len && memcmp(other.data, r.deal.data, other.len) == 0)
				break;
		}
		if (slot[h] == 0)
		{
			deal[n].hash = hash;
			deal[n].first = record[i];
			deal[n].end = 0;
			slot[h] = ++n;
			deal_of[i] = n - 1;
			deal[n - 1].end++;
			if (n == room)
			{
				size *= 2;
				room *= 2;
				pfree(slot);
				slot = palloc_extended(sizeof(uint32) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
				deal = repalloc_huge(deal, mul_size(sizeof(Deal), room));
				for (Size k = 0; k < n; k++)
				{
					h = (deal[k].hash >> 32) & (size - 1);
					while (slot[h] != 0)
						h = (h + 1) & (size - 1);
					slot[h] = k + 1;
				}
			}
		}
		else
		{
			deal_of[i] = slot[h] - 1;
			deal[deal_of[i]].end++;
		}
	}
	pfree(slot);
	*deals = deal;
	return n;
}

static Size
count_records(Packer *packer, const char *data, Size bytes)
{
	Size		n = 0;
	Record		r;

	for (const char *p = data; p < data + bytes; n++)
		p = get_record(packer, p, &r);
	return n;
}

/*
 * Pack the deals of some records.
 */
static void
pack_records(Packer *packer, const char *data, Size bytes)
{
	MemoryContext work = AllocSetContextCreate(packer->context, "deals of a partition",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	Size		n = count_records(packer, data, bytes);
	const char **record;
	const char **ordered;
	uint32	   *deal_of;
	Deal	   *deal;
	Size		deals;
	Size		start = 0;

	if (n > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a deal has too many touches")));
	record = palloc_extended(sizeof(char *) * n, MCXT_ALLOC_HUGE);
	ordered = palloc_extended(sizeof(char *) * n, MCXT_ALLOC_HUGE);
	deal_of = palloc_extended(sizeof(uint32) * n, MCXT_ALLOC_HUGE);
	deals = group_records(packer, data, bytes, record, deal_of, &deal);

	/* Counts become starts; putting a record in its place moves them to the ends. */
	for (Size k = 0; k < deals; k++)
	{
		Size		count = deal[k].end;

		deal[k].end = start;
		start += count;
	}
	for (Size i = 0; i < n; i++)
		ordered[deal[deal_of[i]].end++] = record[i];

	start = 0;
	MemoryContextSwitchTo(packer->each);
	for (Size k = 0; k < deals; k++)
	{
		CHECK_FOR_INTERRUPTS();
		pack_deal(packer, ordered + start, deal[k].end - start);
		start = deal[k].end;
		MemoryContextReset(packer->each);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

/*
 * Append some records to partitions, by the bits of their deals' hash that
 * the level tells.
 */
static void
divide_records(Packer *packer, Partition *parts, const char *data, Size bytes, int level)
{
	const char *next;

	for (const char *p = data; p < data + bytes; p = next)
	{
		Record		r;
		Partition  *part;

		CHECK_FOR_INTERRUPTS();
		next = get_record(packer, p, &r);
		part = &parts[hash_deal(packer, r.deal) >> (level * PARTITION_BITS) & (PARTITIONS - 1)];
		memcpy(reserve(packer, part, next - p), p, next - p);
		part->used += next - p;
	}
}

/*
 * Pack all deals of a partition; one that would need too much memory is
 * divided first.
 */
static void
pack_partition(Packer *packer, Partition *partition, int level)
{
	Size		bytes = partition->filed + partition->used;
	char	   *data;

	if (partition->filed > 0 && bytes > packer->budget / 4 && level < MAX_LEVEL)
	{
		Partition	parts[PARTITIONS] = {{0}};
		Size		done = 0;

		rewind_file(partition->file);
		while (done < partition->filed)
		{
			uint32		run;

			read_file(partition->file, &run, sizeof(run));
			data = MemoryContextAllocHuge(packer->context, run);
			read_file(partition->file, data, run);
			divide_records(packer, parts, data, run, level);
			pfree(data);
			done += run;
		}
		divide_records(packer, parts, partition->data, partition->used, level);
		empty_partition(partition);
		for (int i = 0; i < PARTITIONS; i++)
			pack_partition(packer, &parts[i], level + 1);
	}
	else if (bytes > 0)
	{
		data = load_partition(packer, partition);
		pack_records(packer, data, bytes);
		pfree(data);
	}
}

/*
 * revrtm.journeys(query)
 */
Datum
revrtm_journeys(PG_FUNCTION_ARGS)
{
	Packer	   *packer;
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));

	InitMaterializedSRF(fcinfo, 0);
	packer = palloc0(sizeof(Packer));
	packer->context = AllocSetContextCreate(CurrentMemoryContext, "journeys",
											ALLOCSET_DEFAULT_SIZES);
	packer->each = AllocSetContextCreate(packer->context, "one journey", ALLOCSET_DEFAULT_SIZES);
	packer->result = (ReturnSetInfo *) fcinfo->resultinfo;
	packer->budget = (Size) work_mem * 1024;
	packer->block = Max(packer->budget / (2 * PARTITIONS), 8192);
	packer->channels = channels_create(packer->context, 256, NULL);
	packer->names_room = 256;
	packer->name = MemoryContextAlloc(packer->context, sizeof(Bytes) * packer->names_room);

	SPI_connect();
	rtm_run_query(query, &touch_shape, add_touch, packer);
	SPI_finish();

	packer->own = MemoryContextAllocHuge(packer->context, sizeof(uint32) * Max(packer->names, 1));
	packer->own_journey = MemoryContextAllocExtended(packer->context,
													 sizeof(uint32) * Max(packer->names, 1),
													 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < PARTITIONS; i++)
		pack_partition(packer, &packer->partition[i], 1);
	MemoryContextDelete(packer->context);
	return (Datum) 0;
}
