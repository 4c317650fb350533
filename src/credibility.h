/*-------------------------------------------------------------------------
 *
 * credibility.h
 *		What several lines return, each shrunk to all of them as far as its own
 *		months do not tell; and samples of those months. Pure: no PostgreSQL
 *		header.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_CREDIBILITY_H
#define REVRTM_CREDIBILITY_H

#include <stddef.h>
#include <stdint.h>

/* One month of a line; spend is above zero. */
typedef struct CredibilityMonth
{
	double		spend;
	double		margin;
} CredibilityMonth;

/* A line: which months are its own, at least one, and what came of them. */
typedef struct CredibilityLine
{
	size_t		start;
	size_t		months;
	double		spend;			/* of all its months */
	double		own;			/* margin of all of them over that */
	double		credibility;	/* 0 to 1: how much of the expectation is own */
	double		expected;
} CredibilityLine;

/* Fills the lines, and returns what they return together: the pool. */
extern double rtm_credibility(const CredibilityMonth *month, CredibilityLine *line, size_t lines);

/* A sample of the same size, with replacement, of each line's months. */
extern void rtm_credibility_sample(const CredibilityMonth *month, const CredibilityLine *line,
								   size_t lines, uint64_t *seed, CredibilityMonth *sample);

/* The quantile of n sorted values, between neighbours in proportion. */
extern double rtm_sorted_quantile(const double *value, size_t n, double fraction);

#endif							/* REVRTM_CREDIBILITY_H */
