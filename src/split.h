/*-------------------------------------------------------------------------
 *
 * split.h
 *		Exact splits by largest remainder. Pure: no PostgreSQL header.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_SPLIT_H
#define REVRTM_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __SIZEOF_INT128__
#error "revrtm needs a compiler with 128-bit integers"
#endif
/* Memory of the server is aligned to no more than 8 bytes. */
__extension__ typedef unsigned __int128 rtm_uint128 __attribute__((aligned(8)));
__extension__ typedef __int128 rtm_int128 __attribute__((aligned(8)));

/* One deal, as conversions are counted: shares of it are whole units. */
#define RTM_DEAL_UNITS (UINT64_C(1) << 62)

/* The largest total and the largest sum of weights rtm_split() takes. */
#define RTM_SPLIT_MAX INT64_MAX

/*
 * Split total in proportion to weight[0..n-1], whose sum is sum > 0, into
 * part[0..n-1] that add up to total exactly: floors first, then one unit each
 * to the largest remainders, ties to the lowest index. A weight of zero gets
 * nothing. scratch holds 3n words.
 */
extern void rtm_split(uint64_t total, const uint64_t *weight, size_t n, uint64_t sum,
					  uint64_t *part, uint64_t *scratch);

/*
 * Where many share few weights, they are split by class: the weight of the
 * i-th is value[class[i]], and one division each tells what a class gets.
 */
#define RTM_CLASSES		8

typedef struct WeightClasses
{
	int			classes;
	uint64_t	value[RTM_CLASSES];
	uint64_t	count[RTM_CLASSES];	/* how many hold it */
	uint64_t	sum;			/* of value x count, > 0, <= RTM_SPLIT_MAX */
} WeightClasses;

/* What each of a class gets; some get one more, which rtm_take() hands out. */
typedef struct Quota
{
	uint64_t	part[RTM_CLASSES];
	uint64_t	extra[RTM_CLASSES];	/* 1 where left is for the class */
	uint64_t	left;
} Quota;

extern void rtm_split_classes(uint64_t total, const WeightClasses *weights, Quota *quota);

/* The part of the next one, which is of this class. */
static inline uint64_t
rtm_take(Quota *quota, uint8_t class)
{
	uint64_t	extra = quota->left > 0 ? quota->extra[class] : 0;

	quota->left -= extra;
	return quota->part[class] + extra;
}

#endif							/* REVRTM_SPLIT_H */
