/*-------------------------------------------------------------------------
 *
 * coalitions_io.c
 *		Coalitions as a SQL type: text and binary forms.
 *
 * The text form is an array literal. Its first element is
 *
 *	format|scale
 *
 * and the others one for each set of channels, in bytewise order,
 *
 *	conversions|non_conversions|units of amount|channel ...
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "coalitions.h"
#include "literal.h"

REVRTM_FUNCTION(revrtm_coalitions_in);
REVRTM_FUNCTION(revrtm_coalitions_out);
REVRTM_FUNCTION(revrtm_coalitions_recv);
REVRTM_FUNCTION(revrtm_coalitions_send);

static const char type_name[] = "coalitions";

/* ------------------------------------------------------------------ output */

/* A set as it is shown: its members by name. */
typedef struct NamedSet
{
	const CoalitionSet *set;
	uint32	   *rank;
} NamedSet;

static int
compare_ranks(const void *left, const void *right)
{
	uint32		a = *(const uint32 *) left;
	uint32		b = *(const uint32 *) right;

	CHECK_FOR_INTERRUPTS();
	return (a > b) - (a < b);
}

static int
compare_sets(const void *left, const void *right)
{
	const NamedSet *a = left;
	const NamedSet *b = right;

	CHECK_FOR_INTERRUPTS();
	for (uint32 k = 0; k < a->set->size && k < b->set->size; k++)
	{
		if (a->rank[k] != b->rank[k])
			return a->rank[k] < b->rank[k] ? -1 : 1;
	}
	return (a->set->size > b->set->size) - (a->set->size < b->set->size);
}

static char *
coalitions_text(const Coalitions *c)
{
	const Dictionary *names = coalition_channels(c);
	uint32	   *channel = rtm_dictionary_order(names);
	uint32	   *channel_rank = palloc(sizeof(uint32) * Max(names->channels, 1));
	uint32	   *rank = palloc_extended(sizeof(uint32) * Max((Size) c->members, 1), MCXT_ALLOC_HUGE);
	NamedSet   *named = palloc_extended(sizeof(NamedSet) * Max((Size) c->sets, 1), MCXT_ALLOC_HUGE);
	char	  **element = palloc_extended(sizeof(char *) * ((Size) c->sets + 1), MCXT_ALLOC_HUGE);
	StringInfoData buf;

	for (uint32 i = 0; i < names->channels; i++)
		channel_rank[channel[i]] = i;
	for (uint32 i = 0; i < c->members; i++)
		rank[i] = channel_rank[coalition_members(c)[i]];
	for (uint32 i = 0; i < c->sets; i++)
	{
		named[i].set = &coalition_sets(c)[i];
		named[i].rank = rank + named[i].set->first;
		if (named[i].set->size > 1)
			qsort(named[i].rank, named[i].set->size, sizeof(uint32), compare_ranks);
	}
	qsort(named, c->sets, sizeof(NamedSet), compare_sets);

	element[0] = psprintf("%d|%d", COALITIONS_VERSION, c->scale);
	initStringInfo(&buf);
	for (uint32 i = 0; i < c->sets; i++)
	{
		const CoalitionSet *set = named[i].set;

		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&buf);
		appendStringInfo(&buf, INT64_FORMAT "|" INT64_FORMAT "|", set->conversions, set->nulls);
		rtm_append_int128(&buf, sum_value(set->amount));
		for (uint32 k = 0; k < set->size; k++)
		{
			Bytes		name = dictionary_name(names, channel[named[i].rank[k]]);

			appendStringInfoChar(&buf, '|');
			rtm_append_escaped(&buf, name.data, name.len);
		}
		element[i + 1] = pnstrdup(buf.data, buf.len);
	}
	return rtm_literal_out(element, c->sets + 1);
}

/* ------------------------------------------------------------------- input */

static Coalitions *
read_header(const char *element)
{
	const char *cursor = element;
	char	   *field[2];
	int			format;
	int			scale;
	Coalitions *c;

	if (rtm_next_field(&cursor, &field[0]) != '|' || rtm_next_field(&cursor, &field[1]) != '\0' ||
		!rtm_scan_int(field[0], 0, PG_INT32_MAX, &format) ||
		!rtm_scan_int(field[1], 2, MONEY_MAX_SCALE, &scale))
		rtm_invalid_literal(type_name, element,
							"The first element is format|scale of the amounts.");
	if (format != COALITIONS_VERSION)
		rtm_invalid_literal(type_name, element, "The format is not known to this version.");
	c = rtm_empty_coalitions();
	c->scale = scale;
	return c;
}

static Coalitions *
read_set(Coalitions *c, const char *element)
{
	const char *cursor = element;
	char	   *field;
	char		separator = '|';
	rtm_int128	count[3] = {0, 0, 0};
	uint32	   *member = palloc(sizeof(uint32) * (strlen(element) + 1));
	uint32		size = 0;
	CoalitionSet *set;

	for (int i = 0; i < 3; i++)
	{
		if (separator == '|')
			separator = rtm_next_field(&cursor, &field);
		else
			field = "";
		if (!rtm_scan_int128(field, &count[i]) ||
			(i < 2 && (count[i] < 0 || count[i] > PG_INT64_MAX)))
			rtm_invalid_literal(type_name, element, "An element is "
								"conversions|non_conversions|units of amount|channel ...");
	}
	if (count[0] + count[1] == 0 || (count[0] == 0 && count[2] != 0))
		rtm_invalid_literal(type_name, element,
							"A set counts something, and has an amount only where it converted.");
	while (separator == '|')
	{
		Bytes		name;

		CHECK_FOR_INTERRUPTS();
		separator = rtm_next_field(&cursor, &field);
		name = rtm_channel_name(false, CStringGetTextDatum(field));
		member[size++] = rtm_coalitions_channel(&c, &name);
	}
	if (separator != '\0')
		rtm_invalid_literal(type_name, element, "Channels are separated by \"|\".");
	set = rtm_coalition(&c, member, size);
	if (set->size != size || set->conversions != 0 || set->nulls != 0)
		rtm_invalid_literal(type_name, element,
							"A set stands once, and a channel once in it.");
	set->conversions = (int64) count[0];
	set->nulls = (int64) count[1];
	set->amount = make_sum(count[2]);
	pfree(member);
	return c;
}

static Coalitions *
coalitions_from_text(const char *literal)
{
	int			n;
	char	  **element = rtm_literal_in(literal, type_name, &n);
	Coalitions *c;

	if (n == 0)
		rtm_invalid_literal(type_name, literal, "It has no elements.");
	c = read_header(element[0]);
	for (int i = 1; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		c = read_set(c, element[i]);
	}
	return c;
}

Datum
revrtm_coalitions_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(coalitions_from_text(PG_GETARG_CSTRING(0)));
}

Datum
revrtm_coalitions_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(coalitions_text(PG_GETARG_COALITIONS(0)));
}

/* The binary form is the text form: names make up most of either. */
Datum
revrtm_coalitions_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;

	PG_RETURN_POINTER(coalitions_from_text(pq_getmsgtext(buf, buf->len - buf->cursor, &len)));
}

Datum
revrtm_coalitions_send(PG_FUNCTION_ARGS)
{
	char	   *text = coalitions_text(PG_GETARG_COALITIONS(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
