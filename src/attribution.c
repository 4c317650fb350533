/*-------------------------------------------------------------------------
 *
 * attribution.c
 *		Attribution models as exact integer shares of a deal.
 *		Pure: no PostgreSQL header.
 *
 * Every rule turns the touches of a deal into integer weights, so that money
 * and conversions can be split without a rounding of their own. Time decay,
 * the one irrational rule, is computed in integers as well: a power of two by
 * tables, the same on every machine, turned once into units of a deal.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "attribution.h"

#include <string.h>

/* 2^-(i / 256), 2^-(i / 256^2), 2^-(i / 256^3), with 63 fractional bits. */
static uint64_t decay_table[3][256];

#define FRACTION_BITS	63
#define ONE				(UINT64_C(1) << FRACTION_BITS)

/* ln 2 with 64 fractional bits */
#define LN2				UINT64_C(0xb17217f7d1cf79ac)

/* 2^-(1 / 2^k) for k = 1 .. 24, with 64 fractional bits */
static const uint64_t root_of_half[24] = {
	UINT64_C(0xb504f333f9de6484), UINT64_C(0xd744fccad69d6af4),
	UINT64_C(0xeac0c6e7dd24392f), UINT64_C(0xf5257d152486cc2c),
	UINT64_C(0xfa83b2db722a033a), UINT64_C(0xfd3e0c0cf486c175),
	UINT64_C(0xfe9e115c7b8f884c), UINT64_C(0xff4ecb59511ec8a5),
	UINT64_C(0xffa756521c8daed2), UINT64_C(0xffd3a751c0f7e10c),
	UINT64_C(0xffe9d2b2f7db2756), UINT64_C(0xfff4e91bff1b8c3e),
	UINT64_C(0xfffa747ea0040664), UINT64_C(0xfffd3a3b7814eb54),
	UINT64_C(0xfffe9d1cc60ddab1), UINT64_C(0xffff4e8e25879bfa),
	UINT64_C(0xffffa7470363f451), UINT64_C(0xffffd3a37dda0313),
	UINT64_C(0xffffe9d1bdf703af), UINT64_C(0xfffff4e8debe025e),
	UINT64_C(0xfffffa746f4fa150), UINT64_C(0xfffffd3a37a3f8b0),
	UINT64_C(0xfffffe9d1bd1065a), UINT64_C(0xffffff4e8de845ae)
};

/* The product of two fixed-point numbers, of which bits fractional ones go. */
static inline uint64_t
multiply(uint64_t a, uint64_t b, int bits)
{
	return (uint64_t) (((rtm_uint128) a * b) >> bits);
}

void
rtm_attribution_init(void)
{
	for (int table = 0; table < 3; table++)
	{
		for (int i = 0; i < 256; i++)
		{
			uint64_t	value = ONE;

			for (int bit = 0; bit < 8; bit++)
			{
				if (i & (0x80 >> bit))
					value = multiply(value, root_of_half[table * 8 + bit], 64);
			}
			decay_table[table][i] = value;
		}
	}
}

/*
 * 2^-(age / half_life) with FRACTION_BITS fractional bits.
 */
static inline uint64_t
decay(uint64_t age, uint64_t half_life, double inverse)
{
	uint64_t	halvings;
	uint64_t	left;
	double		part;
	uint64_t	fraction;
	uint64_t	value;
	uint64_t	rest;

	if (age >> 6 >= half_life)
		return 0;

	/* A product in place of a division may be off by one. */
	halvings = (uint64_t) ((double) age * inverse);
	left = age - halvings * half_life;
	if (left >= half_life)
	{
		bool		back = halvings * half_life > age;

		halvings += back ? -1 : 1;
		left += back ? half_life : -half_life;
	}
	part = (double) left * inverse;

	/* A half-life of centuries may round to a whole one. */
	fraction = part < 1 ? (uint64_t) (part * 0x1p53) << 11 : UINT64_MAX;

	value = decay_table[0][fraction >> 56];
	value = multiply(value, decay_table[1][fraction >> 48 & 0xFF], FRACTION_BITS);
	value = multiply(value, decay_table[2][fraction >> 40 & 0xFF], FRACTION_BITS);

	/* What is left is below 2^-24: e^-x is 1 - x + x^2/2 to the last bit. */
	rest = multiply(fraction & UINT64_C(0xFFFFFFFFFF), LN2, 64);
	rest -= multiply(rest, rest, 65);
	value -= multiply(value, rest, 64);

	return value >> halvings;
}

/*
 * Two classes: those that hold nothing, and count that hold the same.
 */
static void
nothing_or_one(Weights *weights, size_t n, size_t count)
{
	weights->by.classes = 2;
	weights->by.value[0] = 0;
	weights->by.count[0] = n - count;
	weights->by.value[1] = 1;
	weights->by.count[1] = count;
	weights->by.sum = count;
}

static void
all_equal(Weights *weights, size_t n)
{
	nothing_or_one(weights, n, n);
	memset(weights->class, 1, n);
}

static size_t
last_non_direct(const TouchColumns *t)
{
	if (t->direct != NULL)
	{
		for (size_t i = t->n; i-- > 0;)
		{
			if (!t->direct[t->channel[i]])
				return i;
		}
	}
	return t->n - 1;
}

bool
rtm_only_touch(const ModelRule *rule, const TouchColumns *touches, size_t *chosen)
{
	switch (rule->kind)
	{
		case MODEL_FIRST:
			*chosen = 0;
			return true;
		case MODEL_LAST:
			*chosen = touches->n - 1;
			return true;
		case MODEL_LAST_NON_DIRECT:
			*chosen = last_non_direct(touches);
			return true;
		default:
			return false;
	}
}

/*
 * Each distinct channel counts once, at its first touch. Channels are
 * numbered by first appearance, so a first touch carries the next number.
 */
static void
linear_unique(const TouchColumns *t, Weights *weights)
{
	uint32_t	seen = 0;

	for (size_t i = 0; i < t->n; i++)
	{
		weights->class[i] = t->channel[i] == seen;
		seen += weights->class[i];
	}
	nothing_or_one(weights, t->n, seen);
}

/* The classes of a position model: nothing, the middle, and a key touch each. */
#define NOTHING		0
#define MIDDLE		1
#define FIRST_KEY	2

/*
 * Add a position's share to its touch.
 */
static void
add_key(Weights *weights, size_t *key, size_t touch, uint32_t share)
{
	WeightClasses *by = &weights->by;
	int			k = FIRST_KEY;

	if (share == 0)
		return;
	while (k < by->classes && key[k] != touch)
		k++;
	if (k == by->classes)
	{
		key[k] = touch;
		by->value[k] = 0;
		by->count[k] = 1;
		by->classes++;
	}
	by->value[k] += share;
}

/*
 * Key touches hold the shares of their positions, summed; the touches between
 * the first and the last key touch hold the middle share in equal parts;
 * touches after the last key touch hold nothing. Shares of positions that are
 * absent fall to the others pro rata: the weights just leave them out.
 */
static void
position(const ModelRule *rule, const TouchColumns *t, Weights *weights)
{
	static const struct
	{
		uint8_t		milestone;
		Position	position;
	}			held[] = {
		{MILESTONE_LC, POSITION_LC},
		{MILESTONE_OC, POSITION_OC},
		{MILESTONE_CW, POSITION_CW}
	};
	WeightClasses *by = &weights->by;
	size_t		key[RTM_CLASSES];
	size_t		n = t->n;
	size_t		last_key = 0;
	int			keys;
	uint64_t	middle;
	uint64_t	scale = 1;

	by->classes = FIRST_KEY;
	add_key(weights, key, 0, rule->share[POSITION_FIRST]);
	add_key(weights, key, n - 1, rule->share[POSITION_LAST]);

	/* A milestone claimed by several touches belongs to the latest. */
	if (t->milestone != NULL)
	{
		uint8_t		wanted = 0;

		for (int k = 0; k < 3; k++)
			wanted |= rule->share[held[k].position] > 0 ? held[k].milestone : 0;
		for (size_t i = n; i-- > 0 && wanted;)
		{
			if (!(t->milestone[i] & wanted))
				continue;
			for (int k = 0; k < 3; k++)
			{
				if (t->milestone[i] & wanted & held[k].milestone)
					add_key(weights, key, i, rule->share[held[k].position]);
			}
			wanted &= ~t->milestone[i];
		}
	}
	keys = by->classes - FIRST_KEY;
	if (keys == 0)
	{
		all_equal(weights, n);
		return;
	}

	for (int k = FIRST_KEY; k < by->classes; k++)
		last_key = key[k] > last_key ? key[k] : last_key;
	memset(weights->class, MIDDLE, last_key);
	memset(weights->class + last_key, NOTHING, n - last_key);
	for (int k = FIRST_KEY; k < by->classes; k++)
		weights->class[key[k]] = (uint8_t) k;

	/* In units of share / middle, so that the middle divides evenly. */
	middle = last_key + 1 - keys;
	by->value[NOTHING] = 0;
	by->count[NOTHING] = n - 1 - last_key;
	by->value[MIDDLE] = rule->share[POSITION_MIDDLE];
	by->count[MIDDLE] = middle;
	if (middle > 0 && by->value[MIDDLE] > 0)
		scale = middle;
	by->sum = by->value[MIDDLE] * middle;
	for (int k = FIRST_KEY; k < by->classes; k++)
	{
		by->value[k] *= scale;
		by->sum += by->value[k];
	}
}

/*
 * The reference instant cancels in the quotient; taking the last touch keeps
 * the largest weight at 1, however old the journey.
 */
static void
time_decay(const ModelRule *rule, const TouchColumns *t, Weights *weights, uint64_t *scratch)
{
	size_t		n = t->n;
	uint64_t	sum = 0;
	int			room = 1;		/* bits, so that n weights add up below 2^63 */
	double		inverse = 1.0 / (double) rule->half_life;

	if (t->touched_at == NULL)
	{
		all_equal(weights, n);
		return;
	}
	while (((n - 1) >> (room - 1)) > 0)
		room++;
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	age = (uint64_t) t->touched_at[n - 1] - (uint64_t) t->touched_at[i];

		scratch[i] = decay(age, (uint64_t) rule->half_life, inverse) >> room;
		sum += scratch[i];
	}
	weights->by.classes = 0;
	rtm_split(RTM_DEAL_UNITS, scratch, n, sum, weights->touch, scratch + n);
}

/*
 * A channel's weight is shared equally by its touches. A deal none of whose
 * channels has any is shared equally.
 */
static void
fitted(const TouchColumns *t, Weights *weights, uint64_t *scratch)
{
	size_t		n = t->n;
	uint64_t   *touches = weights->touch;
	uint64_t	sum = 0;

	if (t->fitted == NULL)
	{
		all_equal(weights, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		touches[i] = 0;
	for (size_t i = 0; i < n; i++)
		touches[t->channel[i]]++;
	for (size_t i = 0; i < n; i++)
	{
		scratch[i] = t->fitted[t->channel[i]] / touches[t->channel[i]];
		sum += scratch[i];
	}
	if (sum == 0)
	{
		all_equal(weights, n);
		return;
	}
	weights->by.classes = 0;
	rtm_split(RTM_DEAL_UNITS, scratch, n, sum, weights->touch, scratch + n);
}

void
rtm_weights(const ModelRule *rule, const TouchColumns *touches, Weights *weights,
			uint64_t *scratch)
{
	size_t		n = touches->n;
	size_t		chosen;

	if (rtm_only_touch(rule, touches, &chosen))
	{
		nothing_or_one(weights, n, 1);
		memset(weights->class, 0, n);
		weights->class[chosen] = 1;
		return;
	}
	switch (rule->kind)
	{
		case MODEL_LINEAR_UNIQUE:
			linear_unique(touches, weights);
			break;
		case MODEL_POSITION:
			position(rule, touches, weights);
			break;
		case MODEL_TIME_DECAY:
			time_decay(rule, touches, weights, scratch);
			break;
		case MODEL_MARKOV:
		case MODEL_SHAPLEY:
			fitted(touches, weights, scratch);
			break;
		default:
			all_equal(weights, n);
			break;
	}
}

void
rtm_split_weights(uint64_t total, const Weights *weights, size_t n, uint64_t *part,
				  uint64_t *scratch)
{
	Quota		quota;

	if (weights->by.classes == 0)
	{
		rtm_split(total, weights->touch, n, RTM_DEAL_UNITS, part, scratch);
		return;
	}
	rtm_split_classes(total, &weights->by, &quota);
	for (size_t i = 0; i < n; i++)
		part[i] = rtm_take(&quota, weights->class[i]);
}
