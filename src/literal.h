/*-------------------------------------------------------------------------
 *
 * literal.h
 *		Text forms of our types: an array literal of elements whose fields
 *		are joined by separators, with backslash escapes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_LITERAL_H
#define REVRTM_LITERAL_H

#include "compat.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "money.h"

/* Appends data with @, | and \ escaped. */
extern void rtm_append_escaped(StringInfo buf, const char *data, size_t len);

/*
 * Takes the next field off *cursor, unescaped, into a palloc'd string; the
 * separator that ended it is returned, '\0' at the end of the element.
 */
extern char rtm_next_field(const char **cursor, char **field);

extern void rtm_append_int128(StringInfo buf, rtm_int128 value);

/* The whole string as an integer; false where it is none, or out of range. */
extern bool rtm_scan_int128(const char *s, rtm_int128 *value);
extern bool rtm_scan_int(const char *s, int low, int high, int *value);

/* The elements of an array literal; type names the type in errors. */
extern char **rtm_literal_in(const char *literal, const char *type, int *n);
extern char *rtm_literal_out(char **element, int n);

pg_noreturn extern void rtm_invalid_literal(const char *type, const char *element,
											const char *why);

/* An instant of a text form, in ISO 8601; false where it is none. */
extern void rtm_append_instant(StringInfo buf, TimestampTz at);
extern bool rtm_scan_instant(const char *text, TimestampTz *at);

/* A text of the binary protocol: its length, and its bytes for the client. */
extern void rtm_send_text(StringInfo buf, const char *data, int len);

#endif							/* REVRTM_LITERAL_H */
