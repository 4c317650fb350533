/*-------------------------------------------------------------------------
 *
 * quantiles.h
 *		The SQL type quantiles: counts of values, of which quantiles are read.
 *
 * While it grows, a value has a sorted part and behind it what came since, in
 * any order, and free room inside VARSIZE. Finished, it is sorted to the end
 * and has no room, so that the same values give the same bytes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_QUANTILES_H
#define REVRTM_QUANTILES_H

#include "compat.h"

#include "quantile.h"

#define QUANTILES_VERSION	1

typedef struct Quantiles
{
	int32		vl_len_;
	uint8		version;
	uint8		shift;
	uint16		unused;			/* always zero */
	int64		total;			/* the sum of the counts, above zero */
	float8		least;
	float8		greatest;
	uint32		sorted;
	uint32		used;
	QuantileEntry entry[FLEXIBLE_ARRAY_MEMBER];
} Quantiles;

#define QUANTILES_SIZE(entries) \
	(offsetof(Quantiles, entry) + sizeof(QuantileEntry) * (Size) (entries))

/* Room for so many entries, none of them used. */
extern Quantiles *rtm_make_quantiles(uint32 entries);

/* The finished form, which may be the value itself; the value is not changed. */
extern const Quantiles *rtm_finish_quantiles(const Quantiles *q);

/* An argument, finished. */
#define PG_GETARG_QUANTILES_P(n) \
	rtm_finish_quantiles((const Quantiles *) PG_DETOAST_DATUM(PG_GETARG_DATUM(n)))

#endif							/* REVRTM_QUANTILES_H */
