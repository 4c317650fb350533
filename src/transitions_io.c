/*-------------------------------------------------------------------------
 *
 * transitions_io.c
 *		Transitions as a SQL type: text and binary forms.
 *
 * The text form is an array literal. Its first element is
 *
 *	format|order|repeats|scale		repeats: kept or collapsed
 *
 * and the others, with the channels of a state from the earliest to the last,
 *
 *	c|count|units of amount|channel ...		paths that converted in the state
 *	n|count|channel ...						paths that ended there otherwise
 *	t|count|channel ...|channel				passes on to the last channel
 *
 * What is read in is checked to be counts of whole paths: what enters a state
 * leaves it, and every state can be reached. The solvers rely on it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "literal.h"
#include "transitions.h"

REVRTM_FUNCTION(revrtm_transitions_in);
REVRTM_FUNCTION(revrtm_transitions_out);
REVRTM_FUNCTION(revrtm_transitions_recv);
REVRTM_FUNCTION(revrtm_transitions_send);

static const char type_name[] = "transitions";

/* ------------------------------------------------------------------ output */

static void
append_channel(StringInfo buf, const Transitions *t, uint32 number)
{
	Bytes		name = dictionary_name(transition_channels(t), number);

	appendStringInfoChar(buf, '|');
	rtm_append_escaped(buf, name.data, name.len);
}

static char *
transitions_text(const Transitions *t)
{
	TransitionOrder *order = rtm_order_transitions(t);
	char	  **element = palloc_extended(sizeof(char *) * (order->cells + 1), MCXT_ALLOC_HUGE);
	StringInfoData buf;

	element[0] = psprintf("%d|%d|%s|%d", TRANSITIONS_VERSION, t->order,
						  t->collapse ? "collapsed" : "kept", t->scale);
	initStringInfo(&buf);
	for (uint32 i = 0; i < order->cells; i++)
	{
		const TransitionCell *cell = &order->cell[i];
		const TransitionState *state = &transition_states(t)[cell_from(cell)];
		uint32		via = cell_via(cell);

		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&buf);
		appendStringInfo(&buf, "%c|" INT64_FORMAT,
						 via == VIA_CONVERSION ? 'c' : via == VIA_NULL ? 'n' : 't', cell->count);
		if (via == VIA_CONVERSION)
		{
			appendStringInfoChar(&buf, '|');
			rtm_append_int128(&buf, sum_value(state->amount));
		}
		for (uint32 k = state->length; k-- > 0;)
			append_channel(&buf, t, state->channel[k]);
		if (via >= VIA_CHANNEL)
			append_channel(&buf, t, via - VIA_CHANNEL);
		element[i + 1] = pnstrdup(buf.data, buf.len);
	}
	return rtm_literal_out(element, order->cells + 1);
}

/* ------------------------------------------------------------------- input */

#define MOST_FIELDS		(3 + CHAIN_MAX_ORDER + 1)

/*
 * The fields of an element; more than MOST_FIELDS count as one too many.
 */
static int
split_fields(const char *element, char **field)
{
	char		separator = '|';
	int			n = 0;

	while (separator == '|' && n < MOST_FIELDS)
		separator = rtm_next_field(&element, &field[n++]);
	return separator == '\0' ? n : MOST_FIELDS + 1;
}

static Transitions *
read_header(const char *element)
{
	char	   *field[MOST_FIELDS];
	int			format;
	int			order;
	int			scale;
	bool		collapse;
	Transitions *t;

	if (split_fields(element, field) != 4 ||
		!rtm_scan_int(field[0], 0, PG_INT32_MAX, &format) ||
		!rtm_scan_int(field[1], 1, CHAIN_MAX_ORDER, &order) ||
		!rtm_scan_int(field[3], 2, MONEY_MAX_SCALE, &scale))
		rtm_invalid_literal(type_name, element,
							"The first element is format|order|repeats|scale of the amounts.");
	collapse = strcmp(field[2], "collapsed") == 0;
	if (!collapse && strcmp(field[2], "kept") != 0)
		rtm_invalid_literal(type_name, element, "Repeats are kept or collapsed.");
	if (format != TRANSITIONS_VERSION)
		rtm_invalid_literal(type_name, element, "The format is not known to this version.");
	t = rtm_empty_transitions(order, collapse);
	t->scale = scale;
	return t;
}

static void
invalid_element(const char *element)
{
	rtm_invalid_literal(type_name, element,
						"An element is c|count|amount|state, n|count|state or "
						"t|count|state|channel, a state at most as many channels as the order.");
}

/*
 * Add one element. A count that is there already, or none, is an error.
 */
static Transitions *
read_element(Transitions *t, const char *element)
{
	char	   *field[MOST_FIELDS];
	int			fields = split_fields(element, field);
	uint32		state = 0;
	uint32		via = VIA_CONVERSION;
	int			at = 2;			/* the first channel of the state */
	int			end = fields;	/* behind the last one */
	rtm_int128	count;
	rtm_int128	amount = 0;
	TransitionCell *cell;

	if (fields < 2 || fields > MOST_FIELDS || strlen(field[0]) != 1 ||
		!rtm_scan_int128(field[1], &count) || count < 1 || count > PG_INT64_MAX)
		invalid_element(element);
	switch (field[0][0])
	{
		case 'c':
			if (fields < 3 || !rtm_scan_int128(field[2], &amount))
				invalid_element(element);
			at = 3;
			break;
		case 'n':
			via = VIA_NULL;
			break;
		case 't':
			end--;
			break;
		default:
			invalid_element(element);
	}
	if (end < at || end - at > t->order)
		invalid_element(element);
	for (int i = at; i < fields; i++)
	{
		Bytes		name = rtm_channel_name(false, CStringGetTextDatum(field[i]));
		uint32		number = rtm_transitions_channel(&t, &name);

		if (i < end)
			state = rtm_transitions_cell(&t, state, VIA_CHANNEL + number)->to;
		else
			via = VIA_CHANNEL + number;
	}
	cell = rtm_transitions_cell(&t, state, via);
	if (cell->count != 0)
		rtm_invalid_literal(type_name, element, "It stands more than once.");
	cell->count = (int64) count;
	if (amount != 0)
		rtm_transitions_add_amount(t, state, amount, t->scale);
	return t;
}

/*
 * Are these counts of whole paths?
 */
static void
check_paths(const Transitions *t, const char *literal)
{
	TransitionOrder *order = rtm_order_transitions(t);
	rtm_int128 *balance = palloc_extended(sizeof(rtm_int128) * t->states,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	bool	   *reached = palloc_extended(t->states, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32	   *queue = palloc_extended(sizeof(uint32) * t->states, MCXT_ALLOC_HUGE);
	uint32	   *first = palloc_extended(sizeof(uint32) * (t->states + (Size) 1), MCXT_ALLOC_HUGE);
	uint32		queued = 1;
	uint32		next = 0;

	/* The cells of a state stand together. */
	for (uint32 i = 0; i < t->states; i++)
	{
		first[i] = next;
		while (next < order->cells &&
			   cell_from(&order->cell[next]) == order->state[i])
			next++;
	}
	first[t->states] = next;

	for (uint32 i = 0; i < order->cells; i++)
	{
		const TransitionCell *c = &order->cell[i];

		CHECK_FOR_INTERRUPTS();
		balance[cell_from(c)] -= c->count;
		if (cell_via(c) >= VIA_CHANNEL)
			balance[c->to] += c->count;
		if (t->collapse && cell_via(c) >= VIA_CHANNEL && cell_from(c) != 0 &&
			cell_via(c) - VIA_CHANNEL == transition_states(t)[cell_from(c)].channel[0])
			rtm_invalid_literal(type_name, literal, "A collapsed path repeats a channel.");
	}
	reached[0] = true;
	queue[0] = 0;
	for (uint32 q = 0; q < queued; q++)
	{
		uint32		rank = order->state_rank[queue[q]];

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = first[rank]; i < first[rank + 1]; i++)
		{
			const TransitionCell *c = &order->cell[i];

			if (cell_via(c) >= VIA_CHANNEL && !reached[c->to])
			{
				reached[c->to] = true;
				queue[queued++] = c->to;
			}
		}
	}
	for (uint32 i = 1; i < t->states; i++)
	{
		if (balance[i] != 0 || (!reached[i] && first[order->state_rank[i]] <
								first[order->state_rank[i] + 1]))
			rtm_invalid_literal(type_name, literal,
								"The counts are not those of whole paths: what enters a state "
								"must leave it, and every state follows from the start.");
	}
	if (-balance[0] > PG_INT64_MAX)
		rtm_transitions_out_of_range();
}

static Transitions *
transitions_from_text(const char *literal)
{
	int			n;
	char	  **element = rtm_literal_in(literal, type_name, &n);
	Transitions *t;

	if (n == 0)
		rtm_invalid_literal(type_name, literal, "It has no elements.");
	t = read_header(element[0]);
	for (int i = 1; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		t = read_element(t, element[i]);
	}
	check_paths(t, literal);
	return t;
}

Datum
revrtm_transitions_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(transitions_from_text(PG_GETARG_CSTRING(0)));
}

Datum
revrtm_transitions_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(transitions_text(PG_GETARG_TRANSITIONS(0)));
}

/* The binary form is the text form: names make up most of either. */
Datum
revrtm_transitions_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;

	PG_RETURN_POINTER(transitions_from_text(pq_getmsgtext(buf, buf->len - buf->cursor, &len)));
}

Datum
revrtm_transitions_send(PG_FUNCTION_ARGS)
{
	char	   *text = transitions_text(PG_GETARG_TRANSITIONS(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
