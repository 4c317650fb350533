/*-------------------------------------------------------------------------
 *
 * quantile.h
 *		Counts of values, exact while they are few and by significant bits
 *		beyond, and quantiles of them. Pure: no PostgreSQL header, no memory.
 *
 * The bits of a double, turned so that they sort as it does, are its key.
 * Values are counted by key without its last `shift` bits: shift 0 counts
 * each on its own, shift 45 leaves sign, exponent and seven bits of the
 * fraction. The shift is the least that leaves QUANTILE_EXACT entries or
 * fewer, but at most QUANTILE_COARSEST. Hence the counts depend on which
 * values they are of and on nothing else: a part of the values never needs a
 * greater shift than all of them, and shifts compose.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_QUANTILE_H
#define REVRTM_QUANTILE_H

#include <stddef.h>
#include <stdint.h>

#define QUANTILE_EXACT		512
#define QUANTILE_COARSEST	45

/* Entries that all doubles together may have at the coarsest shift. */
#define QUANTILE_MOST		(UINT64_C(1) << (64 - QUANTILE_COARSEST))

typedef struct QuantileEntry
{
	uint64_t	key;			/* without its last shift bits */
	int64_t		count;
} QuantileEntry;

/* Of finite values; minus zero is zero. */
extern uint64_t rtm_quantile_key(double value);

/* The least value of an entry, and the one that stands for all of it. */
extern double rtm_quantile_edge(uint64_t key, int shift);
extern double rtm_quantile_middle(uint64_t key, int shift);

/*
 * Merge entry[sorted .. used-1], in any order, into the sorted and distinct
 * entries before them; how many there are then. scratch has room for the
 * unsorted ones.
 */
extern size_t rtm_quantile_merge(QuantileEntry *entry, size_t sorted, size_t used,
								 QuantileEntry *scratch);

/* The shift that so many sorted entries need, which have the given one. */
extern int	rtm_quantile_shift(const QuantileEntry *entry, size_t n, int shift);

/* Take so many more bits off sorted entries; how many entries are left. */
extern size_t rtm_quantile_coarsen(QuantileEntry *entry, size_t n, int bits);

/*
 * The value at a fraction of the sorted values, between neighbours by linear
 * interpolation. total is the sum of the counts, above zero; the least and
 * the greatest value are known exactly.
 */
extern double rtm_quantile_at(const QuantileEntry *entry, size_t n, int shift, int64_t total,
							  double least, double greatest, double fraction);

#endif							/* REVRTM_QUANTILE_H */
