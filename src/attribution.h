/*-------------------------------------------------------------------------
 *
 * attribution.h
 *		Attribution models as exact integer shares of a deal.
 *		Pure: no PostgreSQL header.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ATTRIBUTION_H
#define REVRTM_ATTRIBUTION_H

#include "split.h"

/* Milestones a touch can hold; they add up. */
#define MILESTONE_FT	0x01
#define MILESTONE_LC	0x02
#define MILESTONE_OC	0x04
#define MILESTONE_CW	0x08
#define MILESTONE_ALL	0x0F

typedef enum ModelKind
{
	MODEL_FIRST,
	MODEL_LAST,
	MODEL_LAST_NON_DIRECT,
	MODEL_LINEAR,
	MODEL_LINEAR_UNIQUE,
	MODEL_POSITION,
	MODEL_TIME_DECAY,
	MODEL_MARKOV,				/* these two share by fitted weights */
	MODEL_SHAPLEY
} ModelKind;

/* Is it a rule, or are its weights fitted to data? */
static inline bool
rtm_is_fitted(ModelKind kind)
{
	return kind == MODEL_MARKOV || kind == MODEL_SHAPLEY;
}

/* The positions a position model shares a deal between. */
typedef enum Position
{
	POSITION_FIRST,
	POSITION_LC,
	POSITION_OC,
	POSITION_CW,
	POSITION_LAST,
	POSITION_MIDDLE,
	POSITIONS
} Position;

/* Shares are in units of 10^-9. */
#define SHARE_DIGITS	9
#define SHARE_ONE		UINT32_C(1000000000)

typedef struct ModelRule
{
	ModelKind	kind;
	uint32_t	share[POSITIONS];	/* position: sums to SHARE_ONE */
	int64_t		half_life;		/* time_decay: microseconds, > 0 */
} ModelRule;

/*
 * The touches of one deal in canonical order, column by column. A column that
 * no model at hand needs may be NULL; a NULL touched_at is an untimed journey.
 */
typedef struct TouchColumns
{
	size_t		n;				/* > 0 */
	size_t		channels;		/* number of distinct channels */
	const int64_t *touched_at;	/* microseconds, not decreasing */
	const uint32_t *channel;	/* 0 .. channels - 1, by first appearance */
	const uint8_t *milestone;	/* NULL: none holds one */
	const bool *direct;			/* by channel: a direct one; NULL: none is */
	const uint64_t *fitted;		/* by channel: its fitted weight, in all at most
								 * RTM_DEAL_UNITS; NULL: none has any */
} TouchColumns;

/*
 * Does the rule give a deal to one touch alone? Then *chosen is its index,
 * and neither weights nor splits are needed.
 */
extern bool rtm_only_touch(const ModelRule *rule, const TouchColumns *touches, size_t *chosen);

/*
 * Integer weights of a deal's touches under a rule: by class, or where there
 * are no classes one a touch, which sum to RTM_DEAL_UNITS.
 */
typedef struct Weights
{
	WeightClasses by;			/* classes = 0: one weight a touch */
	uint8_t    *class;			/* room for n */
	uint64_t   *touch;			/* room for n */
} Weights;

/* scratch holds 4n words. */
extern void rtm_weights(const ModelRule *rule, const TouchColumns *touches, Weights *weights,
						uint64_t *scratch);

/* Split a total by the weights, in part[0..n-1]. scratch holds 3n words. */
extern void rtm_split_weights(uint64_t total, const Weights *weights, size_t n, uint64_t *part,
							  uint64_t *scratch);

/* The weight of a touch, and their sum. */
static inline uint64_t
rtm_weight(const Weights *weights, size_t i)
{
	return weights->by.classes > 0 ? weights->by.value[weights->class[i]] : weights->touch[i];
}

static inline uint64_t
rtm_weight_sum(const Weights *weights)
{
	return weights->by.classes > 0 ? weights->by.sum : RTM_DEAL_UNITS;
}

/* Build the tables of time decay; to be called once before rtm_weights(). */
extern void rtm_attribution_init(void);

#endif							/* REVRTM_ATTRIBUTION_H */
