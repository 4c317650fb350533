/*-------------------------------------------------------------------------
 *
 * markov.c
 *		markov(): what channels are worth by their removal from the chain of
 *		counted transitions; and the chain itself, transition_matrix().
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "common/int.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "credit.h"
#include "data_driven.h"
#include "transitions.h"

REVRTM_FUNCTION(revrtm_markov);
REVRTM_FUNCTION(revrtm_transition_matrix);

/* Up to here counts are exact as doubles. */
#define MOST_PASSES		(INT64CONST(1) << 53)

static void *
huge_alloc(size_t size)
{
	return palloc_extended(Max(size, 1), MCXT_ALLOC_HUGE);
}

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * The states but the start, in the order of their names, as the solvers want
 * them.
 */
static Chain
make_chain(const Transitions *t, const TransitionOrder *order)
{
	Chain		chain = {0};
	uint32	   *index = huge_alloc(sizeof(uint32) * t->states);
	uint32	   *last_channel;
	size_t	   *first;
	uint32	   *next;
	double	   *flow;
	double	   *leave;
	double	   *conversions;
	double	   *amount;
	size_t		edges = 0;
	uint32		last = 0;
	int64		passes = 0;

	/* A state without cells was only a way to others. */
	memset(index, 0xFF, sizeof(uint32) * t->states);
	for (uint32 i = 0; i < order->cells; i++)
	{
		uint32		from = cell_from(&order->cell[i]);

		if (from != 0 && index[from] == PG_UINT32_MAX)
			index[from] = chain.states++;
	}

	last_channel = huge_alloc(sizeof(uint32) * chain.states);
	first = huge_alloc(sizeof(size_t) * (chain.states + 1));
	next = huge_alloc(sizeof(uint32) * order->cells);
	flow = huge_alloc(sizeof(double) * order->cells);
	leave = huge_alloc(sizeof(double) * chain.states);
	conversions = huge_alloc(sizeof(double) * chain.states);
	amount = huge_alloc(sizeof(double) * chain.states);
	first[0] = 0;
	for (uint32 i = 0; i < order->cells; i++)
	{
		const TransitionCell *cell = &order->cell[i];
		uint32		from = cell_from(cell);
		uint32		via = cell_via(cell);
		uint32		state = index[from];

		CHECK_FOR_INTERRUPTS();
		if (pg_add_s64_overflow(passes, cell->count, &passes) || passes > MOST_PASSES)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("there are too many transitions to be exact"),
					 errdetail("At most 2^53 are worked on.")));
		if (from == 0)
			continue;
		if (from != last)
		{
			const TransitionState *s = &transition_states(t)[from];

			last_channel[state] = order->channel_rank[s->channel[0]];
			leave[state] = conversions[state] = 0;
			amount[state] = (double) sum_value(s->amount);
			last = from;
		}
		if (via == VIA_CONVERSION)
			conversions[state] = (double) cell->count;
		if (via >= VIA_CHANNEL && cell->to != from)
		{
			next[edges] = index[cell->to];
			flow[edges++] = (double) cell->count;
		}
		if (via < VIA_CHANNEL || cell->to != from)
			leave[state] += (double) cell->count;
		first[state + 1] = edges;
	}

	chain.channels = transition_channels(t)->channels;
	chain.last = last_channel;
	chain.first = first;
	chain.next = next;
	chain.flow = flow;
	chain.leave = leave;
	chain.conversions = conversions;
	chain.amount = amount;
	chain.shim.alloc = huge_alloc;
	chain.shim.interrupt = check_interrupts;
	return chain;
}

/*
 * What is lost without each channel, by the order of their names.
 */
static void
find_losses(const Transitions *t, const TransitionOrder *order, double *conversions,
			double *amount)
{
	Chain		chain = make_chain(t, order);
	ChainStatus status;

	if (chain.states == 0)
	{
		memset(conversions, 0, sizeof(double) * chain.channels);
		memset(amount, 0, sizeof(double) * chain.channels);
		return;
	}
	status = t->order == 1 ? rtm_chain_direct(&chain, conversions, amount) :
		rtm_chain_iterate(&chain, conversions, amount);
	if (status == CHAIN_TOO_DENSE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many channels follow each other"),
				 errdetail("Besides channels with few neighbours there can be %d.",
						   CHAIN_MAX_DENSE),
				 errhint("Group the channels.")));
	if (status == CHAIN_UNCERTAIN)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the removal effects could not be certified"),
				 errdetail("Paths are too long for the precision of double precision numbers."),
				 errhint("Collapse repeats, or use markov_order 1.")));
}

/*
 * revrtm.markov(transitions): a row for every channel.
 */
Datum
revrtm_markov(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Transitions *t = PG_GETARG_TRANSITIONS(0);
	const Bytes unattributed = {CHANNEL_UNATTRIBUTED, sizeof(CHANNEL_UNATTRIBUTED) - 1};
	TransitionOrder *order;
	uint32		n;
	int64		conversions = 0;
	int64		without_touch;
	rtm_int128	amount = 0;
	double	   *lost;
	double	   *lost_amount;
	ChannelValues values;

	InitMaterializedSRF(fcinfo, 0);

	/* What converted without a touch is a row of its own. */
	without_touch = rtm_transitions_count(t, 0, VIA_CONVERSION);
	if (without_touch > 0 || rtm_transitions_count(t, 0, VIA_NULL) > 0)
	{
		t = (Transitions *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
		rtm_transitions_channel(&t, &unattributed);
	}
	order = rtm_order_transitions(t);
	n = transition_channels(t)->channels;
	for (uint32 i = 0; i < order->cells; i++)
	{
		const TransitionCell *c = &order->cell[i];

		if (cell_via(c) == VIA_CONVERSION &&
			pg_add_s64_overflow(conversions, c->count, &conversions))
			rtm_transitions_out_of_range();
	}
	for (uint32 i = 1; i < t->states; i++)
	{
		if (__builtin_add_overflow(amount, sum_value(transition_states(t)[i].amount), &amount))
			rtm_transitions_out_of_range();
	}

	lost = palloc(sizeof(double) * Max(n, 1));
	lost_amount = palloc(sizeof(double) * Max(n, 1));
	find_losses(t, order, lost, lost_amount);

	rtm_channel_values_init(&values, n);
	for (uint32 i = 0; i < n; i++)
	{
		/* An effect against the total has no share in it. */
		lost_amount[i] = amount > 0 ? fmax(lost_amount[i], 0) : fmax(-lost_amount[i], 0);
	}
	rtm_share_conversions(&values, lost, conversions - without_touch);
	rtm_share_amount(&values, lost_amount, lost, amount, t->scale);
	for (uint32 i = 0; i < n; i++)
	{
		Bytes		name = dictionary_name(transition_channels(t), order->channel[i]);
		Datum		row[4];
		bool		nulls[4] = {false, false, false, false};

		CHECK_FOR_INTERRUPTS();
		if (without_touch > 0 && rtm_compare_names(name, unattributed) == 0)
			rtm_add_channel_value(&values, i, without_touch,
								  sum_value(transition_states(t)[0].amount), t->scale);
		row[0] = PointerGetDatum(cstring_to_text_with_len(name.data, name.len));
		row[1] = Float8GetDatum(conversions > 0 ? fmin(lost[i] / (double) conversions, 1) : 0);
		row[2] = Float8GetDatum(rtm_conversions(values.units[i]));
		row[3] = NumericGetDatum(values.amount[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}

/* --------------------------------------------------------- the chain itself */

static Datum
state_name(const Transitions *t, uint32 number, StringInfo buf)
{
	const TransitionState *state = &transition_states(t)[number];

	resetStringInfo(buf);
	if (state->length == 0)
		appendStringInfoString(buf, "(start)");
	for (uint32 k = state->length; k-- > 0;)
	{
		Bytes		name = dictionary_name(transition_channels(t), state->channel[k]);

		appendBinaryStringInfo(buf, name.data, name.len);
		if (k > 0)
			appendStringInfoString(buf, " > ");
	}
	return PointerGetDatum(cstring_to_text_with_len(buf->data, buf->len));
}

/*
 * revrtm.transition_matrix(transitions): a row for every transition seen.
 */
Datum
revrtm_transition_matrix(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Transitions *t = PG_GETARG_TRANSITIONS(0);
	TransitionOrder *order = rtm_order_transitions(t);
	bool		nulls[3] = {false, false, false};
	StringInfoData buf;

	InitMaterializedSRF(fcinfo, 0);
	initStringInfo(&buf);
	for (uint32 from = 0, end; from < order->cells; from = end)
	{
		uint32		state = cell_from(&order->cell[from]);
		rtm_int128	all = 0;
		Datum		row[3];

		for (end = from; end < order->cells; end++)
		{
			const TransitionCell *cell = &order->cell[end];

			if (cell_from(cell) != state)
				break;
			all += cell->count;
		}
		row[0] = state_name(t, state, &buf);
		for (uint32 i = from; i < end; i++)
		{
			const TransitionCell *cell = &order->cell[i];
			uint32		via = cell_via(cell);

			CHECK_FOR_INTERRUPTS();
			row[1] = via == VIA_CONVERSION ? CStringGetTextDatum("(conversion)") :
				via == VIA_NULL ? CStringGetTextDatum("(null)") : state_name(t, cell->to, &buf);
			row[2] = Float8GetDatum((double) cell->count / (double) all);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
			pfree(DatumGetPointer(row[1]));
		}
		pfree(DatumGetPointer(row[0]));
	}
	return (Datum) 0;
}
