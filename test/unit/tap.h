/*-------------------------------------------------------------------------
 *
 * tap.h
 *		What the unit tests share: reports in TAP, and a generator of random
 *		numbers of our own, so that runs repeat anywhere.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_TAP_H
#define REVRTM_TAP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TAP_UNUSED	__attribute__((unused))

static int	tests = 0;
static int	failures = 0;

static void
report(const char *name, long bad)
{
	tests++;
	if (bad != 0)
		failures++;
	printf("%sok %d - %s", bad ? "not " : "", tests, name);
	if (bad != 0)
		printf(" (%ld bad)", bad);
	printf("\n");
}

static uint64_t seed = UINT64_C(88172645463325252);

TAP_UNUSED static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

TAP_UNUSED static int64_t
random_below(int64_t limit)
{
	return (int64_t) (random_bits() % (uint64_t) limit);
}

TAP_UNUSED static double
uniform(double from, double to)
{
	return from + (to - from) * (double) (random_bits() >> 11) / 9007199254740992.0;
}

/* Exactly as much memory as asked for, so that a sanitizer sees each overrun. */
TAP_UNUSED static void *
room(size_t bytes)
{
	void	   *p = malloc(bytes > 0 ? bytes : 1);

	if (p == NULL)
		abort();
	return p;
}

#endif							/* REVRTM_TAP_H */
