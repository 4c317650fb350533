/*-------------------------------------------------------------------------
 *
 * shapley_rate.h
 *		Shapley values of the game in which a set of channels is worth its
 *		rate of conversion.
 *
 * Pure mathematics: no PostgreSQL header, no memory of its own; the caller's
 * interrupt function may leave by longjmp.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_SHAPLEY_RATE_H
#define REVRTM_SHAPLEY_RATE_H

#include <stddef.h>
#include <stdint.h>

#define SHAPLEY_MAX_CHANNELS	20

/*
 * The two arrays of 2^n are by set of channels, bit i for channel i: the
 * conversions and all paths with exactly these channels. Both are overwritten.
 * A set is worth the conversions of its subsets over their paths, 0 without
 * paths. The values of the n channels go to value[]; they sum to the worth of
 * all.
 */
extern void rtm_shapley_rate(int n, int64_t *conversions, int64_t *paths, double *value,
							 void (*interrupt) (void));

#endif							/* REVRTM_SHAPLEY_RATE_H */
