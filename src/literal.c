/*-------------------------------------------------------------------------
 *
 * literal.c
 *		Text forms of our types: an array literal of elements whose fields
 *		are joined by separators, with backslash escapes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"

#include "literal.h"

void
rtm_append_escaped(StringInfo buf, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (data[i] == '@' || data[i] == '|' || data[i] == '\\')
			appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, data[i]);
	}
}

char
rtm_next_field(const char **cursor, char **field)
{
	const char *p = *cursor;
	char	   *to;
	char		separator;

	for (; *p != '\0' && *p != '@' && *p != '|'; p++)
	{
		if (*p == '\\' && p[1] != '\0')
			p++;
	}
	separator = *p;
	to = *field = palloc(p - *cursor + 1);
	for (const char *from = *cursor; from < p; from++)
	{
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	*cursor = separator ? p + 1 : p;
	return separator;
}

void
rtm_append_int128(StringInfo buf, rtm_int128 value)
{
	appendStringInfoString(buf, DatumGetCString(
		DirectFunctionCall1(numeric_out, NumericGetDatum(rtm_money_numeric(value, 0)))));
}

bool
rtm_scan_int128(const char *s, rtm_int128 *value)
{
	bool		negative = *s == '-';
	rtm_int128	result = 0;

	if (negative)
		s++;
	if (*s == '\0')
		return false;
	for (; *s; s++)
	{
		if (*s < '0' || *s > '9' ||
			__builtin_mul_overflow(result, (rtm_int128) 10, &result) ||
			__builtin_sub_overflow(result, (rtm_int128) (*s - '0'), &result))
			return false;
	}
	/* Collected below zero, where there is room for one more. */
	if (!negative && __builtin_sub_overflow((rtm_int128) 0, result, &result))
		return false;
	*value = result;
	return true;
}

bool
rtm_scan_int(const char *s, int low, int high, int *value)
{
	rtm_int128	wide;

	if (!rtm_scan_int128(s, &wide) || wide < low || wide > high)
		return false;
	*value = (int) wide;
	return true;
}

void
rtm_invalid_literal(const char *type, const char *element, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s\"", type,
					pg_mbcliplen(element, (int) strlen(element), 100), element),
			 errdetail("%s", why)));
}

char	  **
rtm_literal_in(const char *literal, const char *type, int *n)
{
	Datum		array;
	Datum	   *element;
	bool	   *isnull;
	char	  **result;

	array = OidInputFunctionCall(F_ARRAY_IN, unconstify(char *, literal), TEXTOID, -1);
	if (ARR_NDIM(DatumGetArrayTypeP(array)) > 1)
		rtm_invalid_literal(type, literal, "The array must have one dimension.");
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &element, &isnull, n);
	result = palloc(sizeof(char *) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		if (isnull[i])
			rtm_invalid_literal(type, literal, "An element must not be null.");
		result[i] = TextDatumGetCString(element[i]);
	}
	return result;
}

char *
rtm_literal_out(char **element, int n)
{
	Datum	   *value = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		value[i] = CStringGetTextDatum(element[i]);
	return OidOutputFunctionCall(F_ARRAY_OUT,
								 PointerGetDatum(construct_array(value, n, TEXTOID, -1, false,
																 TYPALIGN_INT)));
}

/*
 * An instant in ISO 8601 and UTC, whatever the session's settings.
 */
void
rtm_append_instant(StringInfo buf, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;

	/* Every instant of ours was checked on its way in. */
	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		/* cannot happen */
		elog(ERROR, "timestamp out of range");
	appendStringInfo(buf, "%s%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year < 0 ? "-" : "",
					 abs(tm.tm_year), tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (fsec != 0)
		appendStringInfo(buf, ".%06d", (int) fsec);
	appendStringInfoChar(buf, 'Z');
}

/*
 * The number at *s, of at least min and at most max digits, followed by the
 * separator; false where it is none.
 */
static bool
scan_number(const char **s, int min, int max, char separator, int *value)
{
	int			digits = 0;

	*value = 0;
	while (digits < max && **s >= '0' && **s <= '9')
	{
		*value = *value * 10 + (*(*s)++ - '0');
		digits++;
	}
	if (digits < min || (separator && **s != separator))
		return false;
	if (separator)
		(*s)++;
	return true;
}

/*
 * ISO 8601 with Z or an offset; years before 1 are 0, -0001, ...
 */
bool
rtm_scan_instant(const char *s, TimestampTz *at)
{
	struct pg_tm tm = {0};
	bool		negative = *s == '-';
	int			fsec = 0;
	int			offset = 0;
	Timestamp	local;

	if (negative)
		s++;
	if (!scan_number(&s, 4, 6, '-', &tm.tm_year) ||
		!scan_number(&s, 2, 2, '-', &tm.tm_mon) ||
		!scan_number(&s, 2, 2, '\0', &tm.tm_mday) ||
		(*s != 'T' && *s != ' '))
		return false;
	s++;
	if (negative)
		tm.tm_year = -tm.tm_year;
	if (!scan_number(&s, 2, 2, ':', &tm.tm_hour) ||
		!scan_number(&s, 2, 2, ':', &tm.tm_min) ||
		!scan_number(&s, 2, 2, '\0', &tm.tm_sec))
		return false;
	if (*s == '.')
	{
		const char *digits = ++s;

		if (!scan_number(&s, 1, 6, '\0', &fsec))
			return false;
		for (int i = (int) (s - digits); i < 6; i++)
			fsec *= 10;
	}
	if (*s == 'Z' && s[1] == '\0')
		offset = 0;
	else if (*s == '+' || *s == '-')
	{
		int			sign = *s++ == '+' ? 1 : -1;
		int			hours;
		int			minutes = 0;

		if (!scan_number(&s, 2, 2, '\0', &hours))
			return false;
		if (*s == ':')
			s++;
		if (*s != '\0' && !scan_number(&s, 2, 2, '\0', &minutes))
			return false;
		if (*s != '\0' || hours > 15 || minutes > 59)
			return false;
		offset = sign * (hours * SECS_PER_HOUR + minutes * SECS_PER_MINUTE);
	}
	else
		return false;

	if (tm.tm_mon < 1 || tm.tm_mon > MONTHS_PER_YEAR || tm.tm_mday < 1 ||
		tm.tm_mday > day_tab[isleap(tm.tm_year)][tm.tm_mon - 1] ||
		tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59 ||
		!IS_VALID_JULIAN(tm.tm_year, tm.tm_mon, tm.tm_mday) ||
		tm2timestamp(&tm, fsec, NULL, &local) != 0)
		return false;
	*at = local - offset * USECS_PER_SEC;
	return IS_VALID_TIMESTAMP(*at);
}

void
rtm_send_text(StringInfo buf, const char *data, int len)
{
	char	   *client = pg_server_to_client(data, len);

	if (client != data)
		len = strlen(client);
	pq_sendint32(buf, len);
	pq_sendbytes(buf, client, len);
}
