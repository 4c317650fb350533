/*-------------------------------------------------------------------------
 *
 * data_driven.h
 *		Conversions and money shared between channels by computed weights.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_DATA_DRIVEN_H
#define REVRTM_DATA_DRIVEN_H

#include "compat.h"

#include "money.h"

/* By channel: conversions in units of a deal, and money. */
typedef struct ChannelValues
{
	uint32		n;
	rtm_int128 *units;
	Numeric    *amount;
} ChannelValues;

extern void rtm_channel_values_init(ChannelValues *values, uint32 n);

/*
 * Share conversions or an amount, in minor units of a scale, by weights >= 0,
 * so that the parts sum to the whole. Where no weight is above zero the second
 * weights decide, and equal ones at last.
 */
extern void rtm_share_conversions(ChannelValues *values, const double *weight, int64 total);
extern void rtm_share_amount(ChannelValues *values, const double *weight, const double *second,
							 rtm_int128 total, int scale);

/* Share both by weights of any sign, whose sum is above zero. */
extern void rtm_share_signed(ChannelValues *values, const double *weight, int64 conversions,
							 rtm_int128 amount, int scale);

extern void rtm_add_channel_value(ChannelValues *values, uint32 channel, int64 conversions,
								  rtm_int128 amount, int scale);

static inline float8
rtm_conversions(rtm_int128 units)
{
	return (float8) units / (float8) RTM_DEAL_UNITS;
}

#endif							/* REVRTM_DATA_DRIVEN_H */
