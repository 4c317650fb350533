/*-------------------------------------------------------------------------
 *
 * tally_io.c
 *		Text and binary forms of tallies.
 *
 * The text is {YYYY-MM/kind:sum,...}, by month and then by kind.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"

#include "literal.h"
#include "tally.h"

REVRTM_FUNCTION(revrtm_tally_in);
REVRTM_FUNCTION(revrtm_tally_out);
REVRTM_FUNCTION(revrtm_tally_recv);
REVRTM_FUNCTION(revrtm_tally_send);

/*
 * What makes entry i of a value from outside impossible, or NULL.
 */
static const char *
find_fault(const Tally *t, uint32 i)
{
	const TallyEntry *e = &t->entry[i];

	if (e->month < TALLY_FIRST_MONTH || e->month > TALLY_LAST_MONTH)
		return "Months are of the years 1 to 9999.";
	if (e->kind < 0 || e->kind > TALLY_LAST_KIND)
		return "Kinds are from 0 to 1048575.";
	if (sum_value(e->sum) == 0)
		return "A sum is not zero.";
	if (i > 0 && (e[-1].month > e->month || (e[-1].month == e->month && e[-1].kind >= e->kind)))
		return "The entries stand in order of month and kind, each once.";
	return NULL;
}

/* ----------------------------------------------------------------- text */

/*
 * The digits up to the separator, copied; NULL where they are too many.
 */
static const char *
next_part(const char **cursor, const char *separators, char *part, size_t size)
{
	size_t		n = strcspn(*cursor, separators);

	if (n >= size || (*cursor)[n] == '\0')
		return NULL;
	memcpy(part, *cursor, n);
	part[n] = '\0';
	*cursor += n;
	return part;
}

static bool
scan_entry(const char **cursor, TallyEntry *e)
{
	char		part[48];
	rtm_int128	sum;
	int			year;
	int			month;

	if (next_part(cursor, "/", part, sizeof(part)) == NULL || strlen(part) != 7 ||
		part[4] != '-')
		return false;
	part[4] = '\0';
	if (!rtm_scan_int(part, 0, 9999, &year) || !rtm_scan_int(part + 5, 1, 12, &month))
		return false;
	(*cursor)++;
	if (next_part(cursor, ":", part, sizeof(part)) == NULL ||
		!rtm_scan_int(part, PG_INT32_MIN, PG_INT32_MAX, &e->kind))
		return false;
	(*cursor)++;
	if (next_part(cursor, ",}", part, sizeof(part)) == NULL || !rtm_scan_int128(part, &sum))
		return false;
	e->month = year * 12 + month - 1;
	e->sum = make_sum(sum);
	return true;
}

Datum
revrtm_tally_in(PG_FUNCTION_ARGS)
{
	static const char *type = "tally";
	const char *literal = PG_GETARG_CSTRING(0);
	const char *s = literal;
	const char *fault = "A tally is {YYYY-MM/kind:sum,...}, or {}.";
	Size		entries = 1;
	uint32		n = 0;
	Tally	   *t;

	if (strcmp(s, "{}") == 0)
		PG_RETURN_POINTER(rtm_make_tally(0));
	if (*s++ != '{')
		rtm_invalid_literal(type, literal, fault);
	for (const char *c = s; *c; c++)
		entries += *c == ',';
	if (entries > TALLY_MOST)
		rtm_invalid_literal(type, literal, "There are too many entries.");
	t = rtm_make_tally(entries);
	do
	{
		const char *why;

		CHECK_FOR_INTERRUPTS();
		if (!scan_entry(&s, &t->entry[n]))
			rtm_invalid_literal(type, literal, fault);
		why = find_fault(t, n++);
		if (why != NULL)
			rtm_invalid_literal(type, literal, why);
	} while (*s++ == ',');
	if (*s != '\0')
		rtm_invalid_literal(type, literal, fault);
	t->used = n;
	PG_RETURN_POINTER(t);
}

Datum
revrtm_tally_out(PG_FUNCTION_ARGS)
{
	const Tally *t = PG_GETARG_TALLY_P(0);
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (uint32 i = 0; i < t->used; i++)
	{
		const TallyEntry *e = &t->entry[i];

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&buf, "%s%04d-%02d/%d:", i == 0 ? "" : ",", e->month / 12,
						 e->month % 12 + 1, e->kind);
		rtm_append_int128(&buf, sum_value(e->sum));
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* --------------------------------------------------------------- binary */

Datum
revrtm_tally_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			bytes = buf->len - buf->cursor;
	const char *fault = "It is of another version, or not as long as it should be.";

	if (version == TALLY_VERSION && bytes % sizeof(TallyEntry) == 0 &&
		bytes / sizeof(TallyEntry) <= TALLY_MOST)
	{
		Tally	   *t = rtm_make_tally(bytes / sizeof(TallyEntry));

		fault = NULL;
		for (; fault == NULL && buf->cursor < buf->len; t->used++)
		{
			TallyEntry *e = &t->entry[t->used];

			CHECK_FOR_INTERRUPTS();
			e->month = pq_getmsgint(buf, 4);
			e->kind = pq_getmsgint(buf, 4);
			e->sum.high = pq_getmsgint64(buf);
			e->sum.low = pq_getmsgint64(buf);
			fault = find_fault(t, t->used);
		}
		if (fault == NULL)
			PG_RETURN_POINTER(t);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary form of a tally"),
			 errdetail("%s", fault)));
}

Datum
revrtm_tally_send(PG_FUNCTION_ARGS)
{
	const Tally *t = PG_GETARG_TALLY_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, TALLY_VERSION);
	for (uint32 i = 0; i < t->used; i++)
	{
		const TallyEntry *e = &t->entry[i];

		CHECK_FOR_INTERRUPTS();
		pq_sendint32(&buf, e->month);
		pq_sendint32(&buf, e->kind);
		pq_sendint64(&buf, e->sum.high);
		pq_sendint64(&buf, e->sum.low);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
