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
static uint64_t
decay(uint64_t age, uint64_t half_life)
{
	uint64_t	halvings = age / half_life;
	uint64_t	fraction = (uint64_t) (((rtm_uint128) (age % half_life) << 64) / half_life);
	uint64_t	value;
	uint64_t	rest;

	if (halvings > FRACTION_BITS)
		return 0;

	value = decay_table[0][fraction >> 56];
	value = multiply(value, decay_table[1][fraction >> 48 & 0xFF], FRACTION_BITS);
	value = multiply(value, decay_table[2][fraction >> 40 & 0xFF], FRACTION_BITS);

	/* What is left is below 2^-24: e^-x is 1 - x + x^2/2 to the last bit. */
	rest = multiply(fraction & UINT64_C(0xFFFFFFFFFF), LN2, 64);
	rest -= multiply(rest, rest, 65);
	value -= multiply(value, rest, 64);

	return value >> halvings;
}

static uint64_t
all_equal(size_t n, uint64_t *weight)
{
	for (size_t i = 0; i < n; i++)
		weight[i] = 1;
	return n;
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
static uint64_t
linear_unique(const TouchColumns *t, uint64_t *weight)
{
	uint32_t	seen = 0;

	for (size_t i = 0; i < t->n; i++)
	{
		weight[i] = t->channel[i] == seen;
		if (weight[i])
			seen++;
	}
	return seen;
}

/*
 * Key touches hold the shares of their positions, summed; the touches between
 * the first and the last key touch hold the middle share in equal parts;
 * touches after the last key touch hold nothing. Shares of positions that are
 * absent fall to the others pro rata: the weights just leave them out.
 */
static uint64_t
position(const ModelRule *rule, const TouchColumns *t, uint64_t *weight)
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
	size_t		n = t->n;
	size_t		last_key = 0;
	uint64_t	middle = 0;
	uint64_t	sum = 0;
	bool		found[3] = {false, false, false};

	for (size_t i = 0; i < n; i++)
		weight[i] = 0;
	weight[0] += rule->share[POSITION_FIRST];
	weight[n - 1] += rule->share[POSITION_LAST];

	/* A milestone claimed by several touches belongs to the latest. */
	if (t->milestone != NULL)
	{
		for (size_t i = n; i-- > 0;)
		{
			for (int k = 0; k < 3; k++)
			{
				if ((t->milestone[i] & held[k].milestone) && !found[k])
				{
					found[k] = true;
					weight[i] += rule->share[held[k].position];
				}
			}
		}
	}

	for (size_t i = 0; i < n; i++)
	{
		if (weight[i] > 0)
			last_key = i;
	}
	if (rule->share[POSITION_MIDDLE] > 0)
	{
		for (size_t i = 0; i < last_key; i++)
			middle += weight[i] == 0;
	}

	/* In units of share / middle, so that the middle divides evenly. */
	for (size_t i = 0; i < n; i++)
	{
		if (middle > 0)
			weight[i] = weight[i] > 0 ? weight[i] * middle :
				i < last_key ? rule->share[POSITION_MIDDLE] : 0;
		sum += weight[i];
	}
	return sum > 0 ? sum : all_equal(n, weight);
}

/*
 * The reference instant cancels in the quotient; taking the last touch keeps
 * the largest weight at 1, however old the journey.
 */
static uint64_t
time_decay(const ModelRule *rule, const TouchColumns *t, uint64_t *weight, uint64_t *scratch)
{
	size_t		n = t->n;
	uint64_t	sum = 0;
	int			room = 1;		/* bits, so that n weights add up below 2^63 */

	while (((n - 1) >> (room - 1)) > 0)
		room++;

	for (size_t i = 0; i < n; i++)
	{
		uint64_t   *raw = &scratch[i];

		if (t->touched_at == NULL)
			*raw = 1;
		else if (i > 0 && t->touched_at[i] == t->touched_at[i - 1])
			*raw = scratch[i - 1];
		else
			*raw = decay((uint64_t) t->touched_at[n - 1] - (uint64_t) t->touched_at[i],
						 (uint64_t) rule->half_life) >> room;
		sum += *raw;
	}
	rtm_split(RTM_DEAL_UNITS, scratch, n, sum, weight, scratch + n);
	return RTM_DEAL_UNITS;
}

/*
 * A channel's weight is shared equally by its touches. A deal none of whose
 * channels has any is shared equally.
 */
static uint64_t
fitted(const TouchColumns *t, uint64_t *weight, uint64_t *scratch)
{
	size_t		n = t->n;
	uint64_t   *touches = weight;
	uint64_t	sum = 0;

	if (t->fitted == NULL)
		return all_equal(n, weight);
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
		return all_equal(n, weight);
	rtm_split(RTM_DEAL_UNITS, scratch, n, sum, weight, scratch + n);
	return RTM_DEAL_UNITS;
}

uint64_t
rtm_weights(const ModelRule *rule, const TouchColumns *touches,
			uint64_t *weight, uint64_t *scratch)
{
	size_t		n = touches->n;
	size_t		chosen;

	if (rtm_only_touch(rule, touches, &chosen))
	{
		for (size_t i = 0; i < n; i++)
			weight[i] = i == chosen;
		return 1;
	}
	switch (rule->kind)
	{
		case MODEL_LINEAR_UNIQUE:
			return linear_unique(touches, weight);
		case MODEL_POSITION:
			return position(rule, touches, weight);
		case MODEL_TIME_DECAY:
			return time_decay(rule, touches, weight, scratch);
		case MODEL_MARKOV:
		case MODEL_SHAPLEY:
			return fitted(touches, weight, scratch);
		default:
			return all_equal(n, weight);
	}
}
