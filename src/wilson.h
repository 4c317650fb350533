/*-------------------------------------------------------------------------
 *
 * wilson.h
 *		The score interval of a proportion. Pure: no PostgreSQL header.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_WILSON_H
#define REVRTM_WILSON_H

#include <stdint.h>

/* The z with P(-z <= Z <= z) = confidence, 0 < confidence < 1, Z normal. */
extern double rtm_normal_two_sided(double confidence);

/*
 * Wilson's score interval, without continuity correction: all rates whose
 * distance from successes / trials is at most z of their own standard errors.
 * 0 <= successes <= trials, trials > 0.
 */
extern void rtm_wilson(int64_t successes, int64_t trials, double z, double *lo, double *hi);

#endif							/* REVRTM_WILSON_H */
