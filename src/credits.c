/*-------------------------------------------------------------------------
 *
 * credits.c
 *		The credits type: sums of conversions and money by model and channel.
 *
 * A credits value is one flat varlena, changed in place by its aggregate:
 *
 *	header
 *	models		one ModelSlot each: name, hash and, while it grows, the rule
 *	channels	room for `capacity` ChannelSlots
 *	cells		room for capacity x models sums, by channel then model
 *	table		2 x capacity slots of an open hash over the channels
 *	text		the bytes of all names
 *
 * All sums are 128-bit integers, so that neither order nor grouping matters.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "credit.h"
#include "literal.h"

#define CREDITS_VERSION		1
#define FIRST_CAPACITY		8
#define MAX_CHANNELS		1000000
#define MAX_MODELS			1000

typedef struct TextRef
{
	uint32		start;			/* within the text */
	uint32		len;
} TextRef;

typedef struct ModelSlot
{
	TextRef		name;
	uint64		hash;
	bool		has_rule;
	int32		directs;		/* how many direct channels follow in the text */
	TextRef		direct;			/* their bytes: a uint32 length before each */
	ModelRule	rule;
} ModelSlot;

typedef struct ChannelSlot
{
	TextRef		name;
	uint32		hash;
} ChannelSlot;

/* A 128-bit integer that needs no more than the alignment of a varlena. */
typedef struct Sum
{
	uint64		low;
	int64		high;
} Sum;

typedef struct Cell
{
	Sum			units;			/* conversions, in units of a deal */
	Sum			money;			/* minor units at the value's scale */
} Cell;

typedef struct Credits
{
	int32		vl_len_;
	uint8		version;
	uint8		scale;
	uint16		models;
	uint32		channels;
	uint32		capacity;		/* a power of two */
	uint32		text_used;
	uint32		text_size;
	/* sections follow, each aligned to 8 bytes */
} Credits;

REVRTM_FUNCTION(revrtm_credits_in);
REVRTM_FUNCTION(revrtm_credits_out);
REVRTM_FUNCTION(revrtm_credits_recv);
REVRTM_FUNCTION(revrtm_credits_send);
REVRTM_FUNCTION(revrtm_credits_accum);
REVRTM_FUNCTION(revrtm_credits_combine);
REVRTM_FUNCTION(revrtm_channel_credit);

/* ------------------------------------------------------------- sections */

#define HEADER_SIZE		MAXALIGN(sizeof(Credits))

static inline ModelSlot *
model_slots(const Credits *c)
{
	return (ModelSlot *) ((char *) c + HEADER_SIZE);
}

static inline ChannelSlot *
channel_slots(const Credits *c)
{
	return (ChannelSlot *) ((char *) model_slots(c) + MAXALIGN(sizeof(ModelSlot) * c->models));
}

static inline Cell *
cells(const Credits *c)
{
	return (Cell *) ((char *) channel_slots(c) + MAXALIGN(sizeof(ChannelSlot) * c->capacity));
}

static inline uint32 *
table(const Credits *c)
{
	return (uint32 *) (cells(c) + (Size) c->capacity * c->models);
}

static inline char *
text_area(const Credits *c)
{
	return (char *) (table(c) + 2 * c->capacity);
}

static inline Bytes
bytes_at(const Credits *c, TextRef ref)
{
	Bytes		result = {text_area(c) + ref.start, ref.len};

	return result;
}

static inline rtm_int128
sum_value(Sum s)
{
	return (rtm_int128) ((rtm_uint128) s.high << 64 | s.low);
}

static inline Sum
make_sum(rtm_int128 value)
{
	Sum			s = {(uint64) value, (int64) (value >> 64)};

	return s;
}

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("credits out of range"),
			 errdetail("A sum of credits is kept in 128 bits of minor units.")));
}

static inline void
add_to(Sum *sum, rtm_int128 value)
{
	rtm_int128	result;

	if (__builtin_add_overflow(sum_value(*sum), value, &result))
		out_of_range();
	*sum = make_sum(result);
}

/*
 * A value with room for so many channels and bytes of names, and the contents
 * of old, if any.
 */
static Credits *
make_credits(const Credits *old, int models, uint32 capacity, uint32 text_size)
{
	Credits		probe = {0};
	Credits    *c;
	Size		size;

	text_size = MAXALIGN(text_size);
	probe.models = models;
	probe.capacity = capacity;
	size = HEADER_SIZE + MAXALIGN(sizeof(ModelSlot) * models) +
		MAXALIGN(sizeof(ChannelSlot) * capacity) + sizeof(Cell) * capacity * models +
		sizeof(uint32) * 2 * capacity + text_size;
	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("credits of %u channels and %d models are too large", capacity, models)));
	c = palloc0(size);
	*c = probe;
	SET_VARSIZE(c, size);
	c->version = CREDITS_VERSION;
	c->text_size = text_size;
	if (old != NULL)
	{
		c->scale = old->scale;
		c->channels = old->channels;
		c->text_used = old->text_used;
		memcpy(model_slots(c), model_slots(old), sizeof(ModelSlot) * models);
		memcpy(channel_slots(c), channel_slots(old), sizeof(ChannelSlot) * old->channels);
		memcpy(cells(c), cells(old), sizeof(Cell) * old->channels * models);
		memcpy(text_area(c), text_area(old), old->text_used);
	}
	for (uint32 i = 0; i < c->channels; i++)
	{
		uint32		h = channel_slots(c)[i].hash & (2 * capacity - 1);

		while (table(c)[h] != 0)
			h = (h + 1) & (2 * capacity - 1);
		table(c)[h] = i + 1;
	}
	return c;
}

/* The caller has seen to the room. */
static TextRef
add_text(Credits *c, const char *data, uint32 len)
{
	TextRef		ref = {c->text_used, len};

	memcpy(text_area(c) + c->text_used, data, len);
	c->text_used += len;
	return ref;
}

/*
 * The number of a channel, added if it is new; *cp may move.
 */
static uint32
channel_number(Credits **cp, const Bytes *name)
{
	Credits    *c = *cp;
	uint32		hash = hash_bytes((const unsigned char *) name->data, name->len);
	uint32		mask = 2 * c->capacity - 1;
	uint32		h = hash & mask;
	ChannelSlot *slot;

	while (table(c)[h] != 0)
	{
		const ChannelSlot *known = &channel_slots(c)[table(c)[h] - 1];

		if (known->hash == hash && known->name.len == name->len &&
			memcmp(text_area(c) + known->name.start, name->data, name->len) == 0)
			return table(c)[h] - 1;
		h = (h + 1) & mask;
	}

	if (c->channels == c->capacity || c->text_size - c->text_used < name->len)
	{
		if (c->channels == MAX_CHANNELS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("credits cannot have more than %d channels", MAX_CHANNELS)));
		*cp = c = make_credits(c, c->models,
							   c->channels == c->capacity ? 2 * c->capacity : c->capacity,
							   2 * (c->text_used + name->len));
		mask = 2 * c->capacity - 1;
		h = hash & mask;
		while (table(c)[h] != 0)
			h = (h + 1) & mask;
	}
	slot = &channel_slots(c)[c->channels++];
	slot->name = add_text(c, name->data, name->len);
	slot->hash = hash;
	table(c)[h] = c->channels;
	return c->channels - 1;
}

/*
 * Bring the value's money to a finer scale.
 */
static void
raise_scale(Credits *c, int scale)
{
	Size		n = (Size) c->channels * c->models;

	for (; c->scale < scale; c->scale++)
	{
		for (Size i = 0; i < n; i++)
		{
			rtm_int128	value;

			if (__builtin_mul_overflow(sum_value(cells(c)[i].money), (rtm_int128) 10, &value))
				out_of_range();
			cells(c)[i].money = make_sum(value);
		}
	}
}

/* ---------------------------------------------------------- aggregation */

static Credits *
new_state(ArrayType *names, int scale)
{
	int			n;
	Model	   *model = rtm_read_models(names, &n);
	uint32		text = 256;
	Credits    *c;

	if (n > MAX_MODELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("credits cannot have more than %d models", MAX_MODELS)));
	for (int i = 0; i < n; i++)
	{
		text += model[i].name.len;
		for (int k = 0; k < model[i].directs; k++)
			text += sizeof(uint32) + model[i].direct[k].len;
	}
	c = make_credits(NULL, n, FIRST_CAPACITY, text);
	c->scale = scale;
	for (int i = 0; i < n; i++)
	{
		ModelSlot  *slot = &model_slots(c)[i];

		slot->name = add_text(c, model[i].name.data, model[i].name.len);
		slot->hash = model[i].hash;
		slot->has_rule = true;
		slot->rule = model[i].rule;
		slot->directs = model[i].directs;
		slot->direct.start = c->text_used;
		for (int k = 0; k < model[i].directs; k++)
		{
			add_text(c, (const char *) &model[i].direct[k].len, sizeof(uint32));
			add_text(c, model[i].direct[k].data, model[i].direct[k].len);
		}
		slot->direct.len = c->text_used - slot->direct.start;
	}
	return c;
}

/*
 * By channel: is it a direct one of the model?
 */
static bool *
slot_directs(const Credits *c, const ModelSlot *slot, const JourneyReader *reader)
{
	const char *p = text_area(c) + slot->direct.start;
	Bytes	   *direct;

	if (slot->directs == 0)
		return NULL;
	direct = palloc(sizeof(Bytes) * slot->directs);
	for (int k = 0; k < slot->directs; k++)
	{
		memcpy(&direct[k].len, p, sizeof(uint32));
		direct[k].data = p + sizeof(uint32);
		p += sizeof(uint32) + direct[k].len;
	}
	return rtm_direct_channels(direct, slot->directs, reader->name, reader->channels);
}

/* Journeys up to this many touches are worked on without palloc. */
#define SMALL_JOURNEY		64

/*
 * Add one deal's shares under every model of the state.
 */
static Credits *
add_deal(Credits *c, struct varlena *journey, const Money *money)
{
	static const uint32 zero = 0;
	Bytes		small_name[SMALL_JOURNEY];
	uint32		small_code[SMALL_JOURNEY];
	uint32		small_number[SMALL_JOURNEY];
	int64		small_at[SMALL_JOURNEY];
	uint64		small_words[6 * SMALL_JOURNEY];
	JourneyReader reader = {0};
	TouchColumns touches = {0};
	Shares		shares;
	uint32	   *number = small_number;
	rtm_int128	unit = 1;
	Cell	   *column;
	bool		small = true;

	if (journey != NULL)
	{
		rtm_journey_open(&reader, journey, small_name, SMALL_JOURNEY);
		small = reader.n <= SMALL_JOURNEY && reader.channels <= SMALL_JOURNEY;
	}
	touches.n = Max(reader.n, 1);
	touches.channels = Max(reader.channels, 1);
	touches.channel = &zero;
	if (reader.n > 0)
	{
		uint32	   *code = small ? small_code :
		palloc_extended(sizeof(uint32) * reader.n, MCXT_ALLOC_HUGE);

		rtm_journey_codes(&reader, code);
		touches.channel = code;
		touches.milestone = reader.milestone;
	}
	if (small)
	{
		shares.units = small_words;
		shares.weight = small_words + SMALL_JOURNEY;
		shares.money = small_words + 2 * SMALL_JOURNEY;
		shares.scratch = small_words + 3 * SMALL_JOURNEY;
	}
	else
	{
		rtm_shares_init(&shares, touches.n);
		number = palloc(sizeof(uint32) * touches.channels);
	}

	if (reader.n == 0)
	{
		const Bytes unattributed = {CHANNEL_UNATTRIBUTED, sizeof(CHANNEL_UNATTRIBUTED) - 1};

		number[0] = channel_number(&c, &unattributed);
	}
	for (uint32 i = 0; i < reader.channels; i++)
		number[i] = channel_number(&c, &reader.name[i]);
	if (money != NULL)
	{
		raise_scale(c, money->scale);
		/* A deal's own scale may be coarser than the state's. */
		for (int s = money->scale; s < c->scale; s++)
			unit *= 10;
		if (money->negative)
			unit = -unit;
	}
	column = cells(c);

	for (int m = 0; m < c->models; m++)
	{
		const ModelSlot *slot = &model_slots(c)[m];
		uint64		total = money ? money->units : 0;
		size_t		only;

		CHECK_FOR_INTERRUPTS();
		if (!slot->has_rule)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("finished credits cannot take further journeys"),
					 errhint("Aggregate the journeys on their own and merge with rollup().")));
		if (slot->rule.kind == MODEL_TIME_DECAY && reader.timed && touches.touched_at == NULL)
		{
			int64	   *at = small ? small_at :
			palloc_extended(sizeof(int64) * reader.n, MCXT_ALLOC_HUGE);

			rtm_journey_times(&reader, at);
			touches.touched_at = at;
		}
		touches.direct = slot_directs(c, slot, &reader);
		if (rtm_only_touch(&slot->rule, &touches, &only))
		{
			Cell	   *cell = column + m + number[touches.channel[only]] * (Size) c->models;

			add_to(&cell->units, RTM_DEAL_UNITS);
			add_to(&cell->money, total * unit);
			continue;
		}
		rtm_share_deal(&shares, &slot->rule, &touches);
		if (total > 0)
			rtm_share_money(&shares, touches.n, total);
		for (size_t i = 0; i < touches.n; i++)
		{
			Cell	   *cell = column + m + number[touches.channel[i]] * (Size) c->models;

			if (shares.weight[i] == 0)
				continue;
			add_to(&cell->units, shares.units[i]);
			if (total > 0)
				add_to(&cell->money, shares.money[i] * unit);
		}
	}
	return c;
}

/*
 * Transition of credits_agg(journey, amount [, models [, scale]]).
 */
Datum
revrtm_credits_accum(PG_FUNCTION_ARGS)
{
	Credits    *c;
	struct varlena *journey = PG_ARGISNULL(1) ? NULL : PG_GETARG_JOURNEY_P(1);
	int			scale = PG_NARGS() > 4 && !PG_ARGISNULL(4) ? PG_GETARG_INT32(4) : 2;
	Money		money;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("credits_agg can only be called as an aggregate")));
	rtm_check_scale(scale);
	if (PG_ARGISNULL(0))
		c = new_state(PG_NARGS() > 3 && !PG_ARGISNULL(3) ? PG_GETARG_ARRAYTYPE_P(3) : NULL, scale);
	else
		c = (Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));

	if (PG_ARGISNULL(2))
		c = add_deal(c, journey, NULL);
	else
	{
		if (!rtm_money_units(PG_GETARG_NUMERIC(2), scale, &money))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("amount is out of range for credits"),
					 errdetail("An amount has at most %d decimals, and less than 2^63 minor units.",
							   MONEY_MAX_SCALE)));
		c = add_deal(c, journey, &money);
	}
	PG_RETURN_POINTER(c);
}

static void
check_same_models(const Credits *a, const Credits *b)
{
	bool		same = a->models == b->models;

	for (int m = 0; same && m < a->models; m++)
	{
		Bytes		x = bytes_at(a, model_slots(a)[m].name);
		Bytes		y = bytes_at(b, model_slots(b)[m].name);

		same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
		if (same && model_slots(a)[m].hash != model_slots(b)[m].hash)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("credits of model \"%.*s\" were made with different parameters",
							(int) x.len, x.data),
					 errhint("Recompute the older credits.")));
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("credits of different models cannot be merged"),
				 errhint("Name the models in credits_agg, the same in every part.")));
}

/*
 * Combines two credits; also the transition of rollup(credits).
 */
Datum
revrtm_credits_combine(PG_FUNCTION_ARGS)
{
	Credits    *a;
	const Credits *b;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	b = (const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(make_credits(b, b->models, b->capacity, b->text_size));

	a = (Credits *) (AggCheckCallContext(fcinfo, NULL) ?
					 PG_DETOAST_DATUM(PG_GETARG_DATUM(0)) :
					 PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
	check_same_models(a, b);
	raise_scale(a, b->scale);
	for (uint32 i = 0; i < b->channels; i++)
	{
		Bytes		name = bytes_at(b, channel_slots(b)[i].name);
		uint32		number = channel_number(&a, &name);

		CHECK_FOR_INTERRUPTS();
		for (int m = 0; m < a->models; m++)
		{
			const Cell *from = &cells(b)[(Size) i * b->models + m];
			Cell	   *to = &cells(a)[(Size) number * a->models + m];
			rtm_int128	money = sum_value(from->money);

			for (int s = b->scale; s < a->scale; s++)
			{
				if (__builtin_mul_overflow(money, (rtm_int128) 10, &money))
					out_of_range();
			}
			add_to(&to->units, sum_value(from->units));
			add_to(&to->money, money);
		}
	}
	PG_RETURN_POINTER(a);
}

/* -------------------------------------------------------------- reading */

static int
compare_bytes(Bytes a, Bytes b)
{
	int			c = memcmp(a.data, b.data, Min(a.len, b.len));

	CHECK_FOR_INTERRUPTS();
	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int
compare_channels(const void *left, const void *right, void *credits)
{
	return compare_bytes(bytes_at(credits, channel_slots(credits)[*(const uint32 *) left].name),
						 bytes_at(credits, channel_slots(credits)[*(const uint32 *) right].name));
}

static uint32 *
channels_by_name(const Credits *c)
{
	uint32	   *order = palloc(sizeof(uint32) * Max(c->channels, 1));

	for (uint32 i = 0; i < c->channels; i++)
		order[i] = i;
	qsort_arg(order, c->channels, sizeof(uint32), compare_channels, unconstify(Credits *, c));
	return order;
}

/*
 * revrtm.channel_credit(credits): a row for every model and channel.
 */
Datum
revrtm_channel_credit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Credits *c = (const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	uint32	   *order = channels_by_name(c);
	bool		nulls[4] = {false, false, false, false};

	InitMaterializedSRF(fcinfo, 0);
	for (int m = 0; m < c->models; m++)
	{
		Bytes		model = bytes_at(c, model_slots(c)[m].name);
		Datum		model_text = PointerGetDatum(cstring_to_text_with_len(model.data, model.len));

		for (uint32 i = 0; i < c->channels; i++)
		{
			const Cell *cell = &cells(c)[(Size) order[i] * c->models + m];
			Bytes		name = bytes_at(c, channel_slots(c)[order[i]].name);
			Datum		values[4];

			CHECK_FOR_INTERRUPTS();
			values[0] = model_text;
			values[1] = PointerGetDatum(cstring_to_text_with_len(name.data, name.len));
			values[2] = Float8GetDatum((float8) sum_value(cell->units) / (float8) RTM_DEAL_UNITS);
			values[3] = NumericGetDatum(rtm_money_numeric(sum_value(cell->money), c->scale));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

/* ------------------------------------------------------ text and binary */

static void
append_int128(StringInfo buf, rtm_int128 value)
{
	appendStringInfoString(buf, DatumGetCString(
		DirectFunctionCall1(numeric_out, NumericGetDatum(rtm_money_numeric(value, 0)))));
}

static char *
credits_text(const Credits *c)
{
	uint32	   *order = channels_by_name(c);
	char	  **element = palloc_extended(sizeof(char *) *
										  (1 + c->models + (Size) c->channels * c->models),
										  MCXT_ALLOC_HUGE);
	int			n = 0;
	StringInfoData buf;

	initStringInfo(&buf);
	element[n++] = psprintf("%d", c->scale);
	for (int m = 0; m < c->models; m++)
	{
		Bytes		name = bytes_at(c, model_slots(c)[m].name);

		resetStringInfo(&buf);
		rtm_append_escaped(&buf, name.data, name.len);
		appendStringInfo(&buf, "|%016llx", (unsigned long long) model_slots(c)[m].hash);
		element[n++] = pnstrdup(buf.data, buf.len);
	}
	for (uint32 i = 0; i < c->channels; i++)
	{
		for (int m = 0; m < c->models; m++)
		{
			Bytes		name = bytes_at(c, channel_slots(c)[order[i]].name);
			const Cell *cell = &cells(c)[(Size) order[i] * c->models + m];

			CHECK_FOR_INTERRUPTS();
			resetStringInfo(&buf);
			rtm_append_escaped(&buf, name.data, name.len);
			appendStringInfo(&buf, "|%d|", m + 1);
			append_int128(&buf, sum_value(cell->units));
			appendStringInfoChar(&buf, '|');
			append_int128(&buf, sum_value(cell->money));
			element[n++] = pnstrdup(buf.data, buf.len);
		}
	}
	return rtm_literal_out(element, n);
}

static bool
scan_int128(const char *s, rtm_int128 *value)
{
	bool		negative = *s == '-';
	rtm_int128	result = 0;

	if (negative)
		s++;
	if (*s == '\0')
		return false;
	for (; *s; s++)
	{
		if (*s < '0' || *s > '9' ||
			__builtin_mul_overflow(result, (rtm_int128) 10, &result) ||
			__builtin_sub_overflow(result, (rtm_int128) (*s - '0'), &result))
			return false;
	}
	/* Collected below zero, where there is room for one more. */
	if (!negative && __builtin_sub_overflow((rtm_int128) 0, result, &result))
		return false;
	*value = result;
	return true;
}

static bool
scan_int(const char *s, int low, int high, int *value)
{
	rtm_int128	wide;

	if (!scan_int128(s, &wide) || wide < low || wide > high)
		return false;
	*value = (int) wide;
	return true;
}

static Credits *
credits_from_text(const char *literal)
{
	static const char *type = "credits";
	int			n;
	char	  **element = rtm_literal_in(literal, type, &n);
	int			models = 0;
	int			scale;
	Size		text = 256;
	Credits    *c;

	if (n == 0 || !scan_int(element[0], 0, MONEY_MAX_SCALE, &scale))
		rtm_invalid_literal(type, literal, "The first element is the scale of the money.");
	while (models + 1 < n)
	{
		const char *cursor = element[models + 1];
		char	   *field;
		char		separator = '|';
		int			fields = 0;

		for (; separator == '|'; fields++)
			separator = rtm_next_field(&cursor, &field);
		if (fields != 2 || separator != '\0')
			break;
		text += strlen(element[models + 1]);
		models++;
	}
	if (models == 0 || models > MAX_MODELS)
		rtm_invalid_literal(type, literal, "After the scale stand models, each with its hash.");

	c = make_credits(NULL, models, FIRST_CAPACITY, text);
	c->scale = scale;
	for (int m = 0; m < models; m++)
	{
		const char *cursor = element[m + 1];
		char	   *name;
		char	   *hash;
		char	   *end;

		rtm_next_field(&cursor, &name);
		rtm_next_field(&cursor, &hash);
		model_slots(c)[m].name = add_text(c, name, strlen(name));
		if (m > 0 && compare_bytes(bytes_at(c, model_slots(c)[m - 1].name),
								   bytes_at(c, model_slots(c)[m].name)) >= 0)
			rtm_invalid_literal(type, element[m + 1],
								"The models stand in bytewise order, each once.");
		if (strlen(hash) != 16 || strspn(hash, "0123456789abcdef") != 16)
			rtm_invalid_literal(type, element[m + 1], "A model's hash has 16 hexadecimal digits.");
		model_slots(c)[m].hash = strtoull(hash, &end, 16);
	}
	for (int i = models + 1; i < n; i++)
	{
		const char *cursor = element[i];
		char	   *name;
		char	   *field[3] = {"", "", ""};
		char		separator = rtm_next_field(&cursor, &name);
		int			fields = 0;
		int			m;
		rtm_int128	units;
		rtm_int128	money;
		Bytes		channel;
		uint32		number;

		CHECK_FOR_INTERRUPTS();
		while (separator == '|' && fields < 3)
			separator = rtm_next_field(&cursor, &field[fields++]);
		if (separator != '\0' || fields != 3 || !scan_int(field[0], 1, models, &m) ||
			!scan_int128(field[1], &units) || !scan_int128(field[2], &money) || units < 0)
			rtm_invalid_literal(type, element[i],
								"An element is channel|number of the model|units|money.");
		channel = rtm_channel_name(false, CStringGetTextDatum(name));
		number = channel_number(&c, &channel);
		add_to(&cells(c)[(Size) number * models + m - 1].units, units);
		add_to(&cells(c)[(Size) number * models + m - 1].money, money);
	}
	return c;
}

Datum
revrtm_credits_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(credits_from_text(PG_GETARG_CSTRING(0)));
}

Datum
revrtm_credits_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(credits_text((const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0))));
}

/* The binary form is the text form: names make up most of either. */
Datum
revrtm_credits_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;

	PG_RETURN_POINTER(credits_from_text(pq_getmsgtext(buf, buf->len - buf->cursor, &len)));
}

Datum
revrtm_credits_send(PG_FUNCTION_ARGS)
{
	char	   *text = credits_text((const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
