/*-------------------------------------------------------------------------
 *
 * credit.h
 *		Credit of single touches, as numbers of SQL.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CREDIT_H
#define REVRTM_CREDIT_H

#include "compat.h"

#include "model.h"
#include "money.h"

/* Units of a deal as a share of it. */
static inline float8
rtm_unit_share(uint64 units)
{
	return (float8) units / (float8) RTM_DEAL_UNITS;
}

/*
 * What the two first arguments of a function name, a journey and a model: the
 * touches of a deal, one for a deal without any.
 */
extern const Model *rtm_credit_touches(FunctionCallInfo fcinfo, JourneyReader *reader,
									   TouchColumns *touches);

/* Splits an amount by the weights in shares, whatever its size. */
extern void rtm_credit_amounts(Shares *shares, size_t n, Numeric amount, int scale,
							   Numeric *part);

#endif							/* REVRTM_CREDIT_H */
