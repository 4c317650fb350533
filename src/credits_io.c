/*-------------------------------------------------------------------------
 *
 * credits_io.c
 *		Credits as a SQL type: channel_credit(), text and binary forms.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "credits.h"
#include "literal.h"

REVRTM_FUNCTION(revrtm_credits_in);
REVRTM_FUNCTION(revrtm_credits_out);
REVRTM_FUNCTION(revrtm_credits_recv);
REVRTM_FUNCTION(revrtm_credits_send);
REVRTM_FUNCTION(revrtm_channel_credit);

/*
 * revrtm.channel_credit(credits): a row for every model and channel.
 */
Datum
revrtm_channel_credit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Credits *c = (const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	uint32	   *order = rtm_dictionary_order(credits_channels(c));
	bool		nulls[4] = {false, false, false, false};

	InitMaterializedSRF(fcinfo, 0);
	for (int m = 0; m < c->models; m++)
	{
		Bytes		model = bytes_at(c, model_slots(c)[m].name);
		Datum		model_text = PointerGetDatum(cstring_to_text_with_len(model.data, model.len));

		for (uint32 i = 0; i < credits_channels(c)->channels; i++)
		{
			const Cell *cell = &cells(c)[(Size) order[i] * c->models + m];
			Bytes		name = dictionary_name(credits_channels(c), order[i]);
			Datum		values[4];

			CHECK_FOR_INTERRUPTS();
			values[0] = model_text;
			values[1] = PointerGetDatum(cstring_to_text_with_len(name.data, name.len));
			values[2] = Float8GetDatum((float8) sum_value(cell->units) / (float8) RTM_DEAL_UNITS);
			values[3] = NumericGetDatum(rtm_money_numeric(sum_value(cell->money), c->scale));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}

/* ------------------------------------------------------ text and binary */

static char *
credits_text(const Credits *c)
{
	uint32	   *order = rtm_dictionary_order(credits_channels(c));
	uint32		channels = credits_channels(c)->channels;
	char	  **element = palloc_extended(sizeof(char *) *
										  (1 + c->models + (Size) channels * c->models),
										  MCXT_ALLOC_HUGE);
	int			n = 0;
	StringInfoData buf;

	initStringInfo(&buf);
	element[n++] = psprintf("%d", c->scale);
	for (int m = 0; m < c->models; m++)
	{
		Bytes		name = bytes_at(c, model_slots(c)[m].name);

		resetStringInfo(&buf);
		rtm_append_escaped(&buf, name.data, name.len);
		appendStringInfo(&buf, "|%016llx", (unsigned long long) model_slots(c)[m].hash);
		element[n++] = pnstrdup(buf.data, buf.len);
	}
	for (uint32 i = 0; i < credits_channels(c)->channels; i++)
	{
		for (int m = 0; m < c->models; m++)
		{
			Bytes		name = dictionary_name(credits_channels(c), order[i]);
			const Cell *cell = &cells(c)[(Size) order[i] * c->models + m];

			CHECK_FOR_INTERRUPTS();
			resetStringInfo(&buf);
			rtm_append_escaped(&buf, name.data, name.len);
			appendStringInfo(&buf, "|%d|", m + 1);
			rtm_append_int128(&buf, sum_value(cell->units));
			appendStringInfoChar(&buf, '|');
			rtm_append_int128(&buf, sum_value(cell->money));
			element[n++] = pnstrdup(buf.data, buf.len);
		}
	}
	return rtm_literal_out(element, n);
}

static Credits *
credits_from_text(const char *literal)
{
	static const char *type = "credits";
	int			n;
	char	  **element = rtm_literal_in(literal, type, &n);
	int			models = 0;
	int			scale;
	Size		text = 0;
	Credits    *c;

	if (n == 0 || !rtm_scan_int(element[0], 0, MONEY_MAX_SCALE, &scale))
		rtm_invalid_literal(type, literal, "The first element is the scale of the money.");
	while (models + 1 < n)
	{
		const char *cursor = element[models + 1];
		char	   *field;
		char		separator = '|';
		int			fields = 0;

		for (; separator == '|'; fields++)
			separator = rtm_next_field(&cursor, &field);
		if (fields != 2 || separator != '\0')
			break;
		text += strlen(element[models + 1]);
		models++;
	}
	if (models == 0 || models > CREDITS_MAX_MODELS)
		rtm_invalid_literal(type, literal, "After the scale stand models, each with its hash.");

	c = rtm_make_credits(NULL, models, text, CREDITS_FIRST_CAPACITY, CREDITS_FIRST_TEXT);
	c->scale = scale;
	for (int m = 0; m < models; m++)
	{
		const char *cursor = element[m + 1];
		char	   *name;
		char	   *hash;
		char	   *end;

		rtm_next_field(&cursor, &name);
		rtm_next_field(&cursor, &hash);
		model_slots(c)[m].name = rtm_credits_text(c, name, strlen(name));
		if (m > 0 && rtm_compare_names(bytes_at(c, model_slots(c)[m - 1].name),
								   bytes_at(c, model_slots(c)[m].name)) >= 0)
			rtm_invalid_literal(type, element[m + 1],
								"The models stand in bytewise order, each once.");
		if (strlen(hash) != 16 || strspn(hash, "0123456789abcdef") != 16)
			rtm_invalid_literal(type, element[m + 1], "A model's hash has 16 hexadecimal digits.");
		model_slots(c)[m].hash = strtoull(hash, &end, 16);
	}
	for (int i = models + 1; i < n; i++)
	{
		const char *cursor = element[i];
		char	   *name;
		char	   *field[3] = {"", "", ""};
		char		separator = rtm_next_field(&cursor, &name);
		int			fields = 0;
		int			m;
		rtm_int128	units;
		rtm_int128	money;
		Bytes		channel;
		uint32		number;

		CHECK_FOR_INTERRUPTS();
		while (separator == '|' && fields < 3)
			separator = rtm_next_field(&cursor, &field[fields++]);
		if (separator != '\0' || fields != 3 || !rtm_scan_int(field[0], 1, models, &m) ||
			!rtm_scan_int128(field[1], &units) || !rtm_scan_int128(field[2], &money) || units < 0)
			rtm_invalid_literal(type, element[i],
								"An element is channel|number of the model|units|money.");
		channel = rtm_channel_name(false, CStringGetTextDatum(name));
		number = rtm_credits_channel(&c, &channel);
		add_to(&cells(c)[(Size) number * models + m - 1].units, units);
		add_to(&cells(c)[(Size) number * models + m - 1].money, money);
	}
	return c;
}

Datum
revrtm_credits_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(credits_from_text(PG_GETARG_CSTRING(0)));
}

Datum
revrtm_credits_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(credits_text((const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0))));
}

/* The binary form is the text form: names make up most of either. */
Datum
revrtm_credits_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;

	PG_RETURN_POINTER(credits_from_text(pq_getmsgtext(buf, buf->len - buf->cursor, &len)));
}

Datum
revrtm_credits_send(PG_FUNCTION_ARGS)
{
	char	   *text = credits_text((const Credits *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
