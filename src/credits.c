/*-------------------------------------------------------------------------
 *
 * credits.c
 *		credits_agg and rollup: credits in the making.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "credits.h"

#define CREDITS_VERSION		1
#define MAX_CHANNELS		1000000

REVRTM_FUNCTION(revrtm_credits_accum);
REVRTM_FUNCTION(revrtm_credits_combine);

void
rtm_credits_out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("credits out of range"),
			 errdetail("A sum of credits is kept in 128 bits of minor units.")));
}

Credits *
rtm_make_credits(const Credits *old, int models, uint32 text, uint32 capacity, uint32 names)
{
	Size		size = HEADER_SIZE + MAXALIGN(sizeof(ModelSlot) * models) + MAXALIGN(text) +
		sizeof(Cell) * capacity * models + dictionary_size(capacity, names);
	Credits    *c;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("credits of %u channels and %d models are too large", capacity, models)));
	c = palloc0(size);
	if (old != NULL)
		*c = *old;
	SET_VARSIZE(c, size);
	c->version = CREDITS_VERSION;
	c->models = models;
	c->capacity = capacity;
	c->text_size = text;
	if (old != NULL)
	{
		memcpy(model_slots(c), model_slots(old), sizeof(ModelSlot) * models);
		memcpy(text_area(c), text_area(old), old->text_used);
		memcpy(cells(c), cells(old), sizeof(Cell) * credits_channels(old)->channels * models);
	}
	rtm_dictionary_init(credits_channels(c), old ? credits_channels(old) : NULL, capacity, names);
	return c;
}

TextRef
rtm_credits_text(Credits *c, const char *data, uint32 len)
{
	TextRef		ref = {c->text_used, len};

	memcpy(text_area(c) + c->text_used, data, len);
	c->text_used += len;
	return ref;
}

uint32
rtm_credits_channel(Credits **cp, const Bytes *name)
{
	Credits    *c = *cp;
	Dictionary *d = credits_channels(c);
	uint32		number = rtm_dictionary_find(d, name);

	if (number != DICTIONARY_NONE)
		return number;
	if (!dictionary_has_room(d, name->len))
	{
		if (d->channels == MAX_CHANNELS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("credits cannot have more than %d channels", MAX_CHANNELS)));
		*cp = c = rtm_make_credits(c, c->models, c->text_size,
								   d->channels == d->capacity ? 2 * d->capacity : d->capacity,
								   2 * (d->text_used + name->len));
		d = credits_channels(c);
	}
	return rtm_dictionary_add(d, name);
}

/*
 * Bring the value's money to a finer scale.
 */
static void
raise_scale(Credits *c, int scale)
{
	Size		n = (Size) credits_channels(c)->channels * c->models;

	if (c->scale >= scale)
		return;
	for (Size i = 0; i < n; i++)
	{
		rtm_int128	value = sum_value(cells(c)[i].money);

		if (!rtm_raise_units(&value, c->scale, scale))
			rtm_credits_out_of_range();
		cells(c)[i].money = make_sum(value);
	}
	c->scale = scale;
}

/* ---------------------------------------------------------- aggregation */

/*
 * Put the fit of a model into the text; its slots may be unaligned there.
 */
static void
add_fit(Credits *c, ModelSlot *slot, const Model *model)
{
	FittedSlot	fitted;

	slot->fits = model->fits;
	slot->fit = c->text_used;
	c->text_used += sizeof(FittedSlot) * model->fits;
	for (int k = 0; k < model->fits; k++)
	{
		fitted.weight = model->weight[k];
		fitted.name = rtm_credits_text(c, model->fit[k].data, model->fit[k].len);
		memcpy(text_area(c) + slot->fit + sizeof(FittedSlot) * k, &fitted, sizeof(FittedSlot));
	}
}

/*
 * Empty credits of the models named, or of all enabled rules.
 */
static Credits *
empty_credits(ArrayType *names)
{
	int			n;
	Model	   *model = rtm_read_models(names, &n);
	uint32		text = 0;
	Credits    *c;

	if (n > CREDITS_MAX_MODELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("credits cannot have more than %d models", CREDITS_MAX_MODELS)));
	for (int i = 0; i < n; i++)
	{
		text += model[i].name.len;
		for (int k = 0; k < model[i].directs; k++)
			text += sizeof(uint32) + model[i].direct[k].len;
		for (int k = 0; k < model[i].fits; k++)
			text += sizeof(FittedSlot) + model[i].fit[k].len;
	}
	c = rtm_make_credits(NULL, n, text, CREDITS_FIRST_CAPACITY, CREDITS_FIRST_TEXT);
	for (int i = 0; i < n; i++)
	{
		ModelSlot  *slot = &model_slots(c)[i];

		slot->name = rtm_credits_text(c, model[i].name.data, model[i].name.len);
		slot->hash = model[i].hash;
		slot->has_rule = true;
		slot->rule = model[i].rule;
		slot->directs = model[i].directs;
		slot->direct.start = c->text_used;
		for (int k = 0; k < model[i].directs; k++)
		{
			rtm_credits_text(c, (const char *) &model[i].direct[k].len, sizeof(uint32));
			rtm_credits_text(c, model[i].direct[k].data, model[i].direct[k].len);
		}
		slot->direct.len = c->text_used - slot->direct.start;
		add_fit(c, slot, &model[i]);
	}
	return c;
}

/* Kept for the calls of a query: the models are read once, not once a group. */
typedef struct EmptyCredits
{
	ArrayType  *names;
	Credits    *credits;
} EmptyCredits;

static Credits *
new_state(FmgrInfo *flinfo, ArrayType *names, int scale)
{
	EmptyCredits *empty = flinfo->fn_extra;
	Credits    *c;

	if (empty == NULL || (empty->names == NULL) != (names == NULL) ||
		(names != NULL && !datumIsEqual(PointerGetDatum(names), PointerGetDatum(empty->names),
										false, -1)))
	{
		MemoryContext caller = MemoryContextSwitchTo(flinfo->fn_mcxt);

		/* Only the last models are kept, should groups differ in theirs. */
		flinfo->fn_extra = NULL;
		if (empty != NULL)
		{
			if (empty->names != NULL)
				pfree(empty->names);
			pfree(empty->credits);
			pfree(empty);
		}
		empty = palloc(sizeof(EmptyCredits));
		empty->names = names ? (ArrayType *) DatumGetPointer(datumCopy(PointerGetDatum(names),
																	   false, -1)) : NULL;
		empty->credits = empty_credits(names);
		MemoryContextSwitchTo(caller);
		flinfo->fn_extra = empty;
	}
	c = rtm_make_credits(empty->credits, empty->credits->models, empty->credits->text_size,
						 CREDITS_FIRST_CAPACITY, CREDITS_FIRST_TEXT);
	c->scale = scale;
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

/*
 * By channel: its fitted weight.
 */
static uint64 *
slot_fitted(const Credits *c, const ModelSlot *slot, const JourneyReader *reader, uint64 *weight)
{
	for (uint32 i = 0; i < reader->channels; i++)
	{
		int			low = 0;
		int			high = slot->fits;

		weight[i] = 0;
		while (low < high)
		{
			int			middle = low + (high - low) / 2;
			FittedSlot	fitted;
			int			order;

			memcpy(&fitted, text_area(c) + slot->fit + sizeof(FittedSlot) * middle,
				   sizeof(FittedSlot));
			order = rtm_compare_names(reader->name[i], bytes_at(c, fitted.name));
			if (order == 0)
				weight[i] = fitted.weight;
			if (order <= 0)
				high = middle;
			else
				low = middle + 1;
		}
	}
	return weight;
}

/*
 * The units that a split by class has left, to the first touches that they are
 * for; sum is by the journey's channels, every other word.
 */
static inline void
add_extras(const Quota *quota, const TouchColumns *touches, const uint8 *class, uint64 *sum)
{
	uint64		left = quota->left;

	for (size_t i = 0; left > 0; i++)
	{
		uint64		extra = quota->extra[class[i]];

		sum[2 * touches->channel[i]] += extra;
		left -= extra;
	}
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
	uint64		small_sum[2 * SMALL_JOURNEY];
	int64		small_at[SMALL_JOURNEY];
	uint64		small_words[SHARES_WORDS(SMALL_JOURNEY)];
	uint64		small_weight[SMALL_JOURNEY];
	JourneyReader reader = {0};
	TouchColumns touches = {0};
	Shares		shares;
	uint32	   *number = small_number;
	uint64	   *sum = small_sum;	/* by the journey's channels: units, then money */
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
		rtm_shares_place(&shares, SMALL_JOURNEY, small_words);
	else
	{
		rtm_shares_init(&shares, touches.n);
		number = palloc(sizeof(uint32) * touches.channels);
		sum = palloc(sizeof(uint64) * 2 * touches.channels);
	}

	if (reader.n == 0)
	{
		const Bytes unattributed = {CHANNEL_UNATTRIBUTED, sizeof(CHANNEL_UNATTRIBUTED) - 1};

		number[0] = rtm_credits_channel(&c, &unattributed);
	}
	for (uint32 i = 0; i < reader.channels; i++)
		number[i] = rtm_credits_channel(&c, &reader.name[i]);
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
		touches.fitted = slot->fits == 0 || reader.n == 0 ? NULL :
			slot_fitted(c, slot, &reader, small ? small_weight :
						palloc(sizeof(uint64) * reader.channels));
		if (rtm_only_touch(&slot->rule, &touches, &only))
		{
			Cell	   *cell = column + m + number[touches.channel[only]] * (Size) c->models;

			add_to(&cell->units, RTM_DEAL_UNITS);
			add_to(&cell->money, total * unit);
			continue;
		}
		/* A deal's parts add up in 64 bits; only its sums need more. */
		memset(sum, 0, sizeof(uint64) * 2 * touches.channels);
		rtm_weights(&slot->rule, &touches, &shares.weights, shares.scratch);
		if (shares.weights.by.classes > 0)
		{
			Quota		units;
			Quota		parts;

			rtm_split_classes(RTM_DEAL_UNITS, &shares.weights.by, &units);
			rtm_split_classes(total, &shares.weights.by, &parts);
			for (size_t i = 0; i < touches.n; i++)
			{
				uint64	   *own = &sum[2 * touches.channel[i]];
				uint8		class = shares.weights.class[i];

				own[0] += units.part[class];
				own[1] += parts.part[class];
			}
			add_extras(&units, &touches, shares.weights.class, sum);
			add_extras(&parts, &touches, shares.weights.class, sum + 1);
		}
		else
		{
			rtm_share_money(&shares, touches.n, total);
			for (size_t i = 0; i < touches.n; i++)
			{
				uint64	   *own = &sum[2 * touches.channel[i]];

				own[0] += shares.weights.touch[i];
				own[1] += shares.money[i];
			}
		}
		for (size_t i = 0; i < touches.channels; i++)
		{
			Cell	   *cell = column + m + number[i] * (Size) c->models;

			add_to(&cell->units, sum[2 * i]);
			add_to(&cell->money, unit == 1 ? sum[2 * i + 1] : sum[2 * i + 1] * unit);
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
	int			scale = PG_NARGS() > 4 && !PG_ARGISNULL(4) ? PG_GETARG_INT32(4) : MONEY_SCALE;
	Money		money;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("credits_agg can only be called as an aggregate")));
	rtm_check_scale(scale);
	if (PG_ARGISNULL(0))
		c = new_state(fcinfo->flinfo,
					  PG_NARGS() > 3 && !PG_ARGISNULL(3) ? PG_GETARG_ARRAYTYPE_P(3) : NULL,
					  scale);
	else
		c = (Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));

	if (PG_ARGISNULL(2))
		c = add_deal(c, journey, NULL);
	else
	{
		Numeric		amount = (Numeric) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(2));

		if (!rtm_money_units(amount, scale, &money))
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
		PG_RETURN_POINTER(rtm_make_credits(b, b->models, b->text_size, b->capacity,
										   credits_channels(b)->text_size));

	a = (Credits *) (AggCheckCallContext(fcinfo, NULL) ?
					 PG_DETOAST_DATUM(PG_GETARG_DATUM(0)) :
					 PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
	check_same_models(a, b);
	raise_scale(a, b->scale);
	for (uint32 i = 0; i < credits_channels(b)->channels; i++)
	{
		Bytes		name = dictionary_name(credits_channels(b), i);
		uint32		number = rtm_credits_channel(&a, &name);

		CHECK_FOR_INTERRUPTS();
		for (int m = 0; m < a->models; m++)
		{
			const Cell *from = &cells(b)[(Size) i * b->models + m];
			Cell	   *to = &cells(a)[(Size) number * a->models + m];
			rtm_int128	money = sum_value(from->money);

			if (!rtm_raise_units(&money, b->scale, a->scale))
				rtm_credits_out_of_range();
			add_to(&to->units, sum_value(from->units));
			add_to(&to->money, money);
		}
	}
	PG_RETURN_POINTER(a);
}
