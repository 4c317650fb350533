/*-------------------------------------------------------------------------
 *
 * tally.h
 *		The SQL type tally: sums by month and kind, in whole numbers.
 *
 * While it grows, the entries are the slots of a hash table, those without a
 * month free, and all of them inside VARSIZE. Packed, they are the sums that
 * are not zero by month and kind, so that the same sums are the same bytes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_TALLY_H
#define REVRTM_TALLY_H

#include "compat.h"

#include "funcapi.h"
#include "utils/date.h"

#include "money.h"

#define TALLY_VERSION		1

/* Money is kept in units of 10^-4, as numeric(20, 4) has them. */
#define TALLY_SCALE			4

/* Months are counted from the year 0, and are of the years 1 to 9999. */
#define TALLY_FIRST_MONTH	12
#define TALLY_LAST_MONTH	(9999 * 12 + 11)

#define TALLY_LAST_KIND		0xFFFFF

typedef struct TallyEntry
{
	int32		month;			/* 0 in a free slot */
	int32		kind;
	Sum			sum;
} TallyEntry;

typedef struct Tally
{
	int32		vl_len_;
	uint16		version;
	uint16		hashed;
	uint32		used;			/* slots that are not free */
	uint32		slots;			/* a power of two where hashed, else used */
	TallyEntry	entry[FLEXIBLE_ARRAY_MEMBER];
} Tally;

#define TALLY_SIZE(entries) (offsetof(Tally, entry) + sizeof(TallyEntry) * (Size) (entries))
#define TALLY_MOST			((MaxAllocSize - offsetof(Tally, entry)) / sizeof(TallyEntry))

/* Packed, with room for so many entries. */
extern Tally *rtm_make_tally(uint32 entries);

/* The state of an aggregate: that of argument 0, or a new one. */
extern Tally *rtm_tally_state(FunctionCallInfo fcinfo, const char *aggregate);

/* A state with that much more; the result takes the state's place. */
extern Tally *rtm_tally_add(Tally *t, int32 month, int32 kind, rtm_int128 value);

/* The packed form, which may be the value itself; the value is not changed. */
extern const Tally *rtm_pack_tally(const Tally *t);

#define PG_GETARG_TALLY_P(n) \
	rtm_pack_tally((const Tally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(n)))

/* The month of a day; false outside the years 1 to 9999. */
extern bool rtm_tally_month(DateADT day, int32 *month);
extern DateADT rtm_tally_date(int32 month);

/* Money of argument n, rounded to the scale, in units; false for NULL. */
extern bool rtm_tally_money(FunctionCallInfo fcinfo, int n, int scale, rtm_int128 *units);

/* The months asked for by two arguments, the whole range where they are NULL. */
extern void rtm_tally_range(FunctionCallInfo fcinfo, int n, int32 *first, int32 *last);

/* Adds to a sum that a forged tally may make too great. */
static inline void
rtm_add_sum(rtm_int128 *to, rtm_int128 value, bool subtract)
{
	if (subtract ? __builtin_sub_overflow(*to, value, to) : __builtin_add_overflow(*to, value, to))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a sum of a tally is out of range"),
				 errdetail("Sums are kept in 128 bits.")));
}

/* The columns of a row of parts. */
extern void rtm_put_count(Datum *value, rtm_int128 count);
extern void rtm_put_money(Datum *value, rtm_int128 units);

#endif							/* REVRTM_TALLY_H */
