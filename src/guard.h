/*-------------------------------------------------------------------------
 *
 * guard.h
 *		The rules of engagement on a table of the portal's own.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_GUARD_H
#define REVRTM_GUARD_H

#include "compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/jsonb.h"

#include "registration.h"

/* What a guarded table may say, guard_field.c. */
typedef enum RtmGuardField
{
	GUARD_ACCOUNT,
	GUARD_ACTIVE,
	GUARD_AMOUNT,
	GUARD_CURRENCY,
	GUARD_DETAILS,
	GUARD_EVIDENCE,
	GUARD_EXCLUSIVE,
	GUARD_EXPECTED_CLOSE,
	GUARD_FROM,
	GUARD_OPPORTUNITY,
	GUARD_PARTNER,
	GUARD_PRODUCT,
	GUARD_PROTECTION,
	GUARD_REGION,
	GUARD_SINCE,
	GUARD_STATUS,
	GUARD_UNTIL
} RtmGuardField;

#define GUARD_FIELDS (GUARD_UNTIL + 1)

typedef enum RtmGuardMode
{
	GUARD_OFF,
	GUARD_WARN,
	GUARD_ENFORCE
} RtmGuardMode;

/* A guard's row. */
typedef struct RtmGuard
{
	Oid			relid;
	const char *schema;			/* of the guarded table, and its name: for errors */
	const char *table;
	bool		deals;			/* kind opportunity */
	RtmGuardMode mode;
	char	   *column[GUARD_FIELDS];	/* NULL: not mapped */
	List	   *portal_status;	/* the portal's words (char *), */
	List	   *status;			/* and for each the state it means */
	List	   *key;			/* names of the primary key's columns (char *) */
} RtmGuard;

/* Its columns, where they are in a tuple. */
typedef struct RtmGuardRow
{
	const RtmGuard *guard;
	TupleDesc	desc;
	AttrNumber	field[GUARD_FIELDS];	/* 0: not mapped */
	AttrNumber	key[INDEX_MAX_KEYS];
	int			keys;
} RtmGuardRow;

/* What a row of the table claims. */
typedef struct RtmGuardClaim
{
	char	   *key;			/* of the row, as text */
	RtmRegistration reg;		/* as a registration, not yet derived */
	bool		closed;			/* a deal that is won or lost */
	char	   *seen;			/* all of it as text, in lines */
} RtmGuardClaim;

/* Lines of what is seen: the status, then columns in their order. */
enum
{
	SEEN_STATUS,
	SEEN_ACCOUNT,
	SEEN_PARTNER,
	SEEN_PRODUCT_CODES,
	SEEN_REGION_CODES,
	SEEN_PROTECTION
};

/* kind and columns, as guard() is given them; 22023 where they are no guard's. */
extern void rtm_parse_guard(RtmGuard *guard, const char *kind, Jsonb *columns);

/*
 * Find the columns in tuples of the table; raises sqlstate, naming the column
 * that is missing or of another type.
 */
extern void rtm_find_guarded(RtmGuardRow *row, const RtmGuard *guard, TupleDesc desc,
							 int sqlstate);
extern void rtm_read_guarded(RtmGuardClaim *claim, const RtmGuardRow *row, HeapTuple tuple,
							 const RtmProgramme *programme);

/*
 * The same; false, and the error, where the row says what nothing can mean.
 * Its key is read all the same.
 */
extern bool rtm_try_guarded(RtmGuardClaim *claim, const RtmGuardRow *row, HeapTuple tuple,
							const RtmProgramme *programme, ErrorData **error);

/* Claims, guard_claim.c. */

/* Is deal_registration written on behalf of a guarded row? */
extern bool rtm_guard_step;

/* The guard of a table, in the current memory context; NULL for none. */
extern RtmGuard *rtm_read_guard(Relation registrations, Oid relid);

/* The row has gone: so do its claim, or the cases of a deal. */
extern void rtm_drop_claim(const RtmGuard *guard, Relation registrations,
						   const RtmGuardClaim *claim);

/* All of them, but for those of the keys (a text[]; 0: none). */
extern void rtm_drop_claims(Oid relid, Relation registrations, Datum keys);

/* What it said when it was last taken; NULL: nothing. And the status it has. */
extern char *rtm_seen_claim(const RtmGuard *guard, Relation registrations, const char *key,
							char **status);

/*
 * Have the claim of a row say what the row says; before is what the row said
 * until now, or NULL. What was decided of a claim stands until the row's own
 * status changes. A deal is asked for, nothing of it is kept.
 */
extern void rtm_enforce_claim(const RtmGuard *guard, Relation registrations,
							  const RtmGuardClaim *before, const RtmGuardClaim *claim);

/*
 * The same, but false, and the error, where it is refused. In mode warn the
 * row then has a claim that waits, or none, and the conflict its case.
 */
extern bool rtm_try_claim(const RtmGuard *guard, Relation registrations,
						  const RtmGuardClaim *before, const RtmGuardClaim *claim,
						  ErrorData **error);

/* All rows of a table, guard_sweep.c. */

/* A row that the rules refuse, or whose claim was decided otherwise. */
typedef struct RtmViolation
{
	char	   *key;
	ErrorData  *error;			/* NULL: decided otherwise */
	char	   *detail;
} RtmViolation;

typedef struct RtmSweep
{
	const RtmGuard *guard;
	Relation	registrations;
	MemoryContext context;		/* of what it finds */
	List	   *violations;		/* of RtmViolation * */
	int64		refused;		/* those that are no decisions */

	const RtmProgramme *programme;
	bool		keys_only;		/* what this pass is for: the keys, */
	bool		active;			/* or rows that protect, or all others */
	ArrayBuildState *keys;
	int64		taken;			/* claims that it changed */
} RtmSweep;

/*
 * Bring the claims of a table up to its rows, inside SPI_connect. First go
 * those of rows that are gone or protect nothing; then, since a row may wait
 * for another that has moved, as often as something is taken.
 */
extern void rtm_sweep_table(RtmSweep *sweep);

#endif							/* REVRTM_GUARD_H */
