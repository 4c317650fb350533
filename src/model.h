/*-------------------------------------------------------------------------
 *
 * model.h
 *		Attribution models as the table attribution_model defines them.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_MODEL_H
#define REVRTM_MODEL_H

#include "compat.h"

#include "utils/array.h"

#include "attribution.h"
#include "journey.h"

typedef struct Model
{
	Bytes		name;
	uint64		hash;			/* of kind, parameters and fit */
	bool		enabled;
	bool		chosen;			/* while models are picked */
	ModelRule	rule;
	int			directs;		/* last_non_direct: the direct channels */
	Bytes	   *direct;
	int			fits;			/* markov and shapley: the fitted channels, by name */
	Bytes	   *fit;
	uint64	   *weight;			/* their weights; NULL: not read yet */
} Model;

/*
 * The models named, or all enabled rules for NULL, in bytewise order of name;
 * palloc'd in the current memory context. Unknown names are an error, and so is
 * a model without a fit that needs one.
 */
extern Model *rtm_read_models(ArrayType *names, int *n);

/* One model, kept in flinfo for the calls of a query. */
extern const Model *rtm_query_model(FmgrInfo *flinfo, text *name);

/* By channel: is it among the direct ones? NULL where there is none. */
extern bool *rtm_direct_channels(const Bytes *direct, int directs, const Bytes *channel,
								 uint32 channels);

/* By channel: its fitted weight. NULL where there is none. */
extern uint64 *rtm_fitted_weights(const Model *model, const Bytes *channel, uint32 channels);

/*
 * What one deal's touches get under a model: units of a deal for conversions,
 * and minor units of money.
 */
typedef struct Shares
{
	Weights		weights;
	uint64	   *units;			/* sum to RTM_DEAL_UNITS */
	uint64	   *money;			/* sum to the total given */
	uint64	   *scratch;
} Shares;

extern void rtm_shares_init(Shares *shares, size_t n);

/* Words of memory that the columns of n touches take. */
#define SHARES_WORDS(n)		(8 * (n))

extern void rtm_shares_place(Shares *shares, size_t n, uint64 *words);
extern void rtm_share_deal(Shares *shares, const ModelRule *rule, const TouchColumns *touches);
extern void rtm_share_money(Shares *shares, size_t n, uint64 total);

#endif							/* REVRTM_MODEL_H */
