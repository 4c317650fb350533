/*-------------------------------------------------------------------------
 *
 * demo.c
 *		Repeatable random numbers and record ids for the demo CRM.
 *
 * A number is a function of (seed, stream, n) alone: the same on every
 * machine, in any order and any number of workers.  Only integers are
 * computed; the one conversion to a double is exact.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "utils/builtins.h"

#include "normalize.h"

REVRTM_FUNCTION(revrtm_demo_random);
REVRTM_FUNCTION(revrtm_demo_normal);
REVRTM_FUNCTION(revrtm_demo_id);

/* An id is a prefix of 3, an instance of 3, a number of 9 and a check of 3. */
#define ID_PREFIX	3

/* The step of the Weyl sequence: 2^64 divided by the golden ratio, made odd. */
#define WEYL_STEP	UINT64CONST(0x9e3779b97f4a7c15)

/* A bijection of 64 bits in which each bit of the result depends on all. */
static uint64
mix(uint64 x)
{
	x ^= x >> 30;
	x *= UINT64CONST(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64CONST(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

/* The state of stream at n; further numbers are mix(state + i * WEYL_STEP). */
static uint64
state_at(int32 seed, const text *stream, int64 n)
{
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(stream);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(stream);
	uint64		h = UINT64CONST(0xcbf29ce484222325);

	for (; p < end; p++)
		h = (h ^ *p) * UINT64CONST(0x100000001b3);
	h = mix(h + (uint32) seed * WEYL_STEP);
	return mix(h ^ ((uint64) n * WEYL_STEP));
}

/*
 * revrtm.demo_random(seed, stream, n): uniform in [0,1), 53 bits.
 */
Datum
revrtm_demo_random(PG_FUNCTION_ARGS)
{
	uint64		s = state_at(PG_GETARG_INT32(0), PG_GETARG_TEXT_PP(1),
							 PG_GETARG_INT64(2));

	PG_RETURN_FLOAT8((double) (mix(s + WEYL_STEP) >> 11) / 9007199254740992.0);
}

/*
 * revrtm.demo_normal(seed, stream, n): the sum of 12 uniform numbers less its
 * mean, so of mean 0, variance 1 and within -6 and 6.
 */
Datum
revrtm_demo_normal(PG_FUNCTION_ARGS)
{
	uint64		s = state_at(PG_GETARG_INT32(0), PG_GETARG_TEXT_PP(1),
							 PG_GETARG_INT64(2));
	int64		sum = 0;
	int			i;

	for (i = 1; i <= 3; i++)
	{
		uint64		bits = mix(s + i * WEYL_STEP);

		sum += (int64) (bits & 0xffff) + (int64) (bits >> 16 & 0xffff) +
			(int64) (bits >> 32 & 0xffff) + (int64) (bits >> 48);
	}
	/* A piece is 0 to 65535, so of mean 32767.5. */
	PG_RETURN_FLOAT8((double) (sum - 12 * 65535 / 2) / 65536.0);
}

/*
 * revrtm.demo_id(prefix, n): a record id as Salesforce writes it, 15
 * characters that know upper from lower case and 3 that repeat the case.
 */
Datum
revrtm_demo_id(PG_FUNCTION_ARGS)
{
	static const char digit[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	text	   *prefix = PG_GETARG_TEXT_PP(0);
	int64		n = PG_GETARG_INT64(1);
	int64		rest = n;
	char		id[SALESFORCE_ID];
	int			i;

	if (VARSIZE_ANY_EXHDR(prefix) != ID_PREFIX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid record id prefix"),
				 errdetail("A prefix is three letters or digits.")));
	memcpy(id, VARDATA_ANY(prefix), ID_PREFIX);
	for (i = 0; i < ID_PREFIX; i++)
	{
		if (id[i] == '\0' || strchr(digit, id[i]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid record id prefix"),
					 errdetail("A prefix is three letters or digits.")));
	}
	memcpy(id + ID_PREFIX, "5e0", 3);

	for (i = SALESFORCE_BODY - 1; i >= ID_PREFIX + 3; i--)
	{
		id[i] = digit[Max(rest, 0) % 62];
		rest /= 62;
	}
	if (n < 0 || rest > 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("record number out of range"),
				 errdetail("A record number is not negative and below 62^9.")));

	rtm_salesforce_check(id, id + SALESFORCE_BODY);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(id, SALESFORCE_ID));
}
