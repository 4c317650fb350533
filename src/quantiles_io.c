/*-------------------------------------------------------------------------
 *
 * quantiles_io.c
 *		Text and binary forms of quantiles.
 *
 * The text is shift[least,greatest]{value:count,...}: of each entry the least
 * value in it and how many there are, in ascending order.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"

#include "literal.h"
#include "quantiles.h"

REVRTM_FUNCTION(revrtm_quantiles_in);
REVRTM_FUNCTION(revrtm_quantiles_out);
REVRTM_FUNCTION(revrtm_quantiles_recv);
REVRTM_FUNCTION(revrtm_quantiles_send);

/*
 * What makes a value from outside impossible, or NULL. Its total is still to
 * be summed.
 */
static const char *
find_fault(Quantiles *q)
{
	int			shift = q->shift;

	if (q->used == 0)
		return "There is at least one value.";
	if (shift > QUANTILE_COARSEST || (q->used > QUANTILE_EXACT && shift < QUANTILE_COARSEST))
		return "The shift is 0 to 45, and 45 where there are more than 512 entries.";
	for (uint32 i = 0; i < q->used; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (q->entry[i].count <= 0 ||
			__builtin_add_overflow(q->total, q->entry[i].count, &q->total))
			return "The counts are above zero, and their sum below 2^63.";
		if (i > 0 && q->entry[i].key <= q->entry[i - 1].key)
			return "The entries stand in ascending order of their values, each once.";
		if (shift == 0 && q->entry[i].key == rtm_quantile_key(0) - 1)
			return "Minus zero is zero.";
	}
	/* A bit less, and there would be twice the entries at most. */
	if (shift > 0 && (q->total <= QUANTILE_EXACT || q->used <= QUANTILE_EXACT / 2))
		return "A shift above 0 comes of more than 512 distinct values.";
	if (!isfinite(q->least) || !isfinite(q->greatest) || q->least > q->greatest ||
		rtm_quantile_key(q->least) >> shift != q->entry[0].key ||
		rtm_quantile_key(q->greatest) >> shift != q->entry[q->used - 1].key)
		return "The least and the greatest value lie in the first and the last entry.";
	q->least += 0.0;
	q->greatest += 0.0;
	q->sorted = q->used;
	return NULL;
}

/* ----------------------------------------------------------------- text */

static bool
scan_number(const char **cursor, double *number)
{
	char	   *end;

	*number = strtod(*cursor, &end);
	if (end == *cursor || !isfinite(*number))
		return false;
	*cursor = end;
	return true;
}

static bool
scan_integer(const char **cursor, int64 limit, int64 *number)
{
	const char *s = *cursor;

	*number = 0;
	for (; *s >= '0' && *s <= '9'; s++)
	{
		if (__builtin_mul_overflow(*number, (int64) 10, number) ||
			__builtin_add_overflow(*number, (int64) (*s - '0'), number) || *number > limit)
			return false;
	}
	if (s == *cursor)
		return false;
	*cursor = s;
	return true;
}

/*
 * Read an entry; false where it is none, or more than its least value.
 */
static bool
scan_entry(const char **cursor, int shift, QuantileEntry *entry)
{
	double		edge;

	if (!scan_number(cursor, &edge) || *(*cursor)++ != ':' ||
		!scan_integer(cursor, PG_INT64_MAX, &entry->count))
		return false;
	entry->key = rtm_quantile_key(edge) >> shift;
	return rtm_quantile_edge(entry->key, shift) == edge;
}

Datum
revrtm_quantiles_in(PG_FUNCTION_ARGS)
{
	static const char *type = "quantiles";
	const char *literal = PG_GETARG_CSTRING(0);
	const char *s = literal;
	const char *fault = "Quantiles are shift[least,greatest]{value:count,...}, "
	"each value the least of its entry.";
	double		least;
	double		greatest;
	int64		shift;
	Size		entries = 1;
	Quantiles  *q;

	if (!scan_integer(&s, QUANTILE_COARSEST, &shift) || *s++ != '[' ||
		!scan_number(&s, &least) || *s++ != ',' || !scan_number(&s, &greatest) ||
		*s++ != ']' || *s++ != '{')
		rtm_invalid_literal(type, literal, fault);
	for (const char *c = s; *c; c++)
		entries += *c == ',';
	if (entries > QUANTILE_MOST)
		rtm_invalid_literal(type, literal, fault);
	q = rtm_make_quantiles(entries);
	q->shift = (uint8) shift;
	q->least = least;
	q->greatest = greatest;
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!scan_entry(&s, q->shift, &q->entry[q->used++]))
			rtm_invalid_literal(type, literal, fault);
	} while (*s++ == ',');
	if (s[-1] != '}' || *s != '\0')
		rtm_invalid_literal(type, literal, fault);
	fault = find_fault(q);
	if (fault != NULL)
		rtm_invalid_literal(type, literal, fault);
	PG_RETURN_POINTER(q);
}

/* The shortest number that reads back the same, whatever extra_float_digits. */
static void
append_number(StringInfo buf, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, digits);
	appendStringInfoString(buf, digits);
}

Datum
revrtm_quantiles_out(PG_FUNCTION_ARGS)
{
	const Quantiles *q = PG_GETARG_QUANTILES_P(0);
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%d[", q->shift);
	append_number(&buf, q->least);
	appendStringInfoChar(&buf, ',');
	append_number(&buf, q->greatest);
	for (uint32 i = 0; i < q->used; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(&buf, i == 0 ? "]{" : ",");
		append_number(&buf, rtm_quantile_edge(q->entry[i].key, q->shift));
		appendStringInfo(&buf, ":%lld", (long long) q->entry[i].count);
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* --------------------------------------------------------------- binary */

Datum
revrtm_quantiles_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			shift = pq_getmsgbyte(buf);
	float8		least = pq_getmsgfloat8(buf);
	float8		greatest = pq_getmsgfloat8(buf);
	int			bytes = buf->len - buf->cursor;
	const char *fault = "It is of another version, or not as long as it should be.";
	Quantiles  *q;

	if (version == QUANTILES_VERSION && bytes % sizeof(QuantileEntry) == 0 &&
		bytes / sizeof(QuantileEntry) <= QUANTILE_MOST)
	{
		q = rtm_make_quantiles(bytes / sizeof(QuantileEntry));
		q->shift = shift;
		q->least = least;
		q->greatest = greatest;
		for (; buf->cursor < buf->len; q->used++)
		{
			CHECK_FOR_INTERRUPTS();
			q->entry[q->used].key = pq_getmsgint64(buf);
			q->entry[q->used].count = pq_getmsgint64(buf);
		}
		fault = find_fault(q);
		if (fault == NULL)
			PG_RETURN_POINTER(q);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary form of quantiles"),
			 errdetail("%s", fault)));
}

Datum
revrtm_quantiles_send(PG_FUNCTION_ARGS)
{
	const Quantiles *q = PG_GETARG_QUANTILES_P(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, QUANTILES_VERSION);
	pq_sendbyte(&buf, q->shift);
	pq_sendfloat8(&buf, q->least);
	pq_sendfloat8(&buf, q->greatest);
	for (uint32 i = 0; i < q->used; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pq_sendint64(&buf, q->entry[i].key);
		pq_sendint64(&buf, q->entry[i].count);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
