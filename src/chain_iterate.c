/*-------------------------------------------------------------------------
 *
 * chain_iterate.c
 *		Chains of higher order, solved by certified iteration.
 *		Pure: no PostgreSQL header.
 *
 * For each channel the unknowns are w, by state: the share of the paths that
 * pass the state and have been at the channel. It is 1 in states that end in
 * the channel (any that contains it is reached by way of one of these), and
 * elsewhere the mean over where the passes came from:
 *
 *		leave[j] w[j] = sum over i of flow[i][j] w[i].
 *
 * What is lost is the sum of w times the conversions of each state. w starts at
 * zero; what an equation lacks, its residual, is handed on to the states
 * behind (Gauss and Seidel), which never makes the sum of the residuals
 * larger. After each pass over the states the residuals are summed by last
 * channel, and the small system between channels is solved directly for a
 * correction, which is kept if it helps: passes deal with what is near, the
 * correction with what is far.
 *
 * The certificate: a residual is a number of paths, each of which converts at
 * most once, so the loss is off by no more than the sum of the residuals. The
 * iteration ends where that sum is below what rounding alone can make it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "chain.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* With more channels than this the correction is one number for all states. */
#define MAX_GROUPS	256

/* States between two calls of the interrupt function. */
#define INTERRUPT_STATES 1024

/* Give up where so many rounds brought nothing. */
#define MAX_STALLS	20

/* Passes between two corrections, where these do not help. */
#define MAX_PASSES	1024

/* Rounding of this many operations in every equation is let pass. */
#define ROUNDINGS	32

typedef struct Iteration
{
	const Chain *chain;
	size_t		groups;
	bool	   *inside;			/* by state: ends in the channel */
	double	   *inflow;			/* from states inside */
	double	   *w;
	double	   *residual;
	double	   *matrix;			/* between groups, then its inverse */
	double	   *sum;			/* by group */
	double	   *step;
} Iteration;

static inline void
heed_interrupts(const Chain *chain, size_t i)
{
	if (i % INTERRUPT_STATES == 0)
		chain->shim.interrupt();
}

static inline size_t
group_of(const Iteration *it, size_t state)
{
	return it->groups > 1 ? it->chain->last[state] : 0;
}

/*
 * Which states end in the channel, what flows out of them, and the inverse of
 * the rates between the groups of the others.
 */
static void
remove_channel(Iteration *it, size_t channel)
{
	const Chain *chain = it->chain;
	size_t		width = rtm_chain_width(it->groups, 1);

	memset(it->inflow, 0, sizeof(double) * chain->states);
	memset(it->matrix, 0, sizeof(double) * rtm_chain_rows(it->groups) * width);
	for (size_t g = 0; g < it->groups; g++)
		it->sum[g] = 0;
	for (size_t i = 0; i < chain->states; i++)
		it->inside[i] = chain->last[i] == channel;

	/* Seen backwards: from where a state is reached, and from outside. */
	for (size_t i = 0; i < chain->states; i++)
	{
		size_t		from = group_of(it, i);

		heed_interrupts(chain, i);
		if (!it->inside[i])
			it->sum[from] += chain->leave[i];
		for (size_t e = chain->first[i]; e < chain->first[i + 1]; e++)
		{
			size_t		j = chain->next[e];

			if (it->inside[i])
				it->inflow[j] += chain->flow[e];
			else if (!it->inside[j])
			{
				it->sum[group_of(it, j)] -= chain->flow[e];
				it->matrix[group_of(it, j) * width + from] += chain->flow[e];
			}
		}
	}
	for (size_t g = 0; g < it->groups; g++)
	{
		double		flow = 0;

		for (size_t h = 0; h < it->groups; h++)
			flow += h == g ? 0 : it->matrix[g * width + h];

		/* A group without states of its own is left as it is. */
		it->matrix[g * width + it->groups] = flow + it->sum[g] > 0 ? fmax(it->sum[g], 0) : 1;
	}
	rtm_chain_sweep(it->matrix, it->groups, width, false, &chain->shim);
}

/*
 * Hand on the residual of each state, in one direction or the other.
 */
static void
pass(Iteration *it, bool backwards)
{
	const Chain *chain = it->chain;

	for (size_t n = 0; n < chain->states; n++)
	{
		size_t		i = backwards ? chain->states - 1 - n : n;
		double		step;

		heed_interrupts(chain, n);
		if (it->inside[i])
			continue;
		step = it->residual[i] / chain->leave[i];
		it->residual[i] = 0;
		it->w[i] += step;
		for (size_t e = chain->first[i]; e < chain->first[i + 1]; e++)
			it->residual[chain->next[e]] += chain->flow[e] * step;
	}
}

/*
 * The residuals from scratch; their sum is returned.
 */
static double
compute_residuals(Iteration *it)
{
	const Chain *chain = it->chain;
	double		sum = 0;

	memcpy(it->residual, it->inflow, sizeof(double) * chain->states);
	for (size_t i = 0; i < chain->states; i++)
	{
		heed_interrupts(chain, i);
		if (it->inside[i])
			continue;
		for (size_t e = chain->first[i]; e < chain->first[i + 1]; e++)
			it->residual[chain->next[e]] += chain->flow[e] * it->w[i];
	}
	for (size_t i = 0; i < chain->states; i++)
	{
		if (it->inside[i])
			continue;
		it->residual[i] -= chain->leave[i] * it->w[i];
		sum += fabs(it->residual[i]);
	}
	return sum;
}

static void
add_steps(Iteration *it, double sign)
{
	for (size_t i = 0; i < it->chain->states; i++)
	{
		if (!it->inside[i])
			it->w[i] += sign * it->step[group_of(it, i)];
	}
}

/*
 * Solve the residuals, summed by group, between the groups.
 */
static void
correct(Iteration *it)
{
	const Chain *chain = it->chain;
	size_t		width = rtm_chain_width(it->groups, 1);

	for (size_t g = 0; g < it->groups; g++)
		it->sum[g] = 0;
	for (size_t i = 0; i < chain->states; i++)
	{
		if (!it->inside[i])
			it->sum[group_of(it, i)] += it->residual[i];
	}
	for (size_t g = 0; g < it->groups; g++)
	{
		it->step[g] = 0;
		for (size_t h = 0; h < it->groups; h++)
			it->step[g] += it->matrix[g * width + h] * it->sum[h];
		if (!isfinite(it->step[g]))
			it->step[g] = 0;
	}
	add_steps(it, 1);
}

/* What rounding makes of the residuals: relative to what passes the states. */
static double
rounding(const Iteration *it)
{
	double		sum = 0;

	for (size_t i = 0; i < it->chain->states; i++)
	{
		if (!it->inside[i])
			sum += it->inflow[i] + it->chain->leave[i] * fabs(it->w[i]);
	}
	return ROUNDINGS * DBL_EPSILON * sum;
}

static bool
solve(Iteration *it)
{
	const Chain *chain = it->chain;
	double		error;
	size_t		passes = 1;
	int			stalls = 0;

	memset(it->w, 0, sizeof(double) * chain->states);
	error = compute_residuals(it);
	while (error > rounding(it))
	{
		double		before = error;

		for (size_t k = 0; k < passes; k++)
			pass(it, k % 2 != 0);
		correct(it);
		error = compute_residuals(it);
		if (error >= before)
		{
			/* The passes alone cannot have done that. */
			add_steps(it, -1);
			error = compute_residuals(it);
			if (passes < MAX_PASSES)
				passes *= 2;
			if (error >= before && ++stalls == MAX_STALLS)
				return false;
		}
	}
	/* One more, since it costs little. */
	pass(it, true);
	return true;
}

ChainStatus
rtm_chain_iterate(const Chain *chain, double *conversions, double *amount)
{
	size_t		n = chain->states;
	size_t		groups = chain->channels <= MAX_GROUPS ? chain->channels : 1;
	Iteration	it = {.chain = chain,.groups = groups};

	it.inside = chain->shim.alloc(sizeof(bool) * n);
	it.inflow = chain->shim.alloc(sizeof(double) * n);
	it.w = chain->shim.alloc(sizeof(double) * n);
	it.residual = chain->shim.alloc(sizeof(double) * n);
	it.matrix = chain->shim.alloc(sizeof(double) * rtm_chain_rows(groups) *
								  rtm_chain_width(groups, 1));
	it.sum = chain->shim.alloc(sizeof(double) * groups);
	it.step = chain->shim.alloc(sizeof(double) * groups);

	for (size_t c = 0; c < chain->channels; c++)
	{
		remove_channel(&it, c);
		if (!solve(&it))
			return CHAIN_UNCERTAIN;
		conversions[c] = amount[c] = 0;
		for (size_t i = 0; i < n; i++)
		{
			double		w = it.inside[i] ? 1 : it.w[i];

			conversions[c] += chain->conversions[i] * w;
			amount[c] += chain->amount[i] * w;
		}
	}
	return CHAIN_DONE;
}
