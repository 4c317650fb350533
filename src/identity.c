/*-------------------------------------------------------------------------
 *
 * identity.c
 *		Which account an id means: merged accounts and corporate families; and
 *		the SQL functions of the rules in normalize.c.
 *
 * The merges, and for families the parents, are read once per snapshot into a
 * hash table beside the calling function; ways through it are walked once and
 * remembered, so that a call is one probe.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "normalize.h"
#include "query_cache.h"
#include "text.h"

REVRTM_FUNCTION(revrtm_canonical_account);
REVRTM_FUNCTION(revrtm_account_root);
REVRTM_FUNCTION(revrtm_account_path);
REVRTM_FUNCTION(revrtm_salesforce_id);
REVRTM_FUNCTION(revrtm_normal_domain);
REVRTM_FUNCTION(revrtm_normal_company_name);

/* The longest way from an account, to its survivor or to its root. */
#define MOST_STEPS		32

/* Rows read at a time. */
#define FETCH			10000

typedef enum Direction
{
	MERGED_INTO,
	PARENT
} Direction;

/* The far end of a way, NULL where it has not been walked. */
typedef struct Way
{
	const text *end;
	int			steps;
} Way;

typedef struct Account
{
	uint32		status;
	uint32		hash;
	const text *id;
	const text *next[2];		/* as the CRM has it, NULL for none */
	Way			way[2];
} Account;

#define SH_PREFIX account
#define SH_ELEMENT_TYPE Account
#define SH_KEY_TYPE const text *
#define SH_KEY id
#define SH_HASH_KEY(tb, key) \
	hash_bytes((const unsigned char *) VARDATA_ANY(key), (int) VARSIZE_ANY_EXHDR(key))
#define SH_EQUAL(tb, a, b) rtm_same_text(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) ((a)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What is known. */
typedef struct Accounts
{
	MemoryContext mcxt;
	bool		families;		/* parents too */
	account_hash *table;
} Accounts;

/* -------------------------------------------------------------- reading */

static const text *
text_column(HeapTuple row, TupleDesc desc, int column, MemoryContext mcxt)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, column, &isnull);
	MemoryContext caller;
	text	   *copy;

	if (isnull)
		return NULL;
	caller = MemoryContextSwitchTo(mcxt);
	copy = DatumGetTextPCopy(value);
	MemoryContextSwitchTo(caller);
	return copy;
}

static bool
same_next(const text *a, const text *b)
{
	return a == NULL || b == NULL ? a == b : rtm_same_text(a, b);
}

static char *
clipped(const text *id)
{
	return pnstrdup(VARDATA_ANY(id),
					pg_mbcliplen(VARDATA_ANY(id), (int) VARSIZE_ANY_EXHDR(id), 64));
}

static void
read_accounts(Accounts *accounts)
{
	Portal		portal;

	accounts->table = account_create(accounts->mcxt, 256, NULL);

	/* Blank means none, as where a loader knows no NULL. */
	SPI_connect();
	portal = SPI_cursor_open_with_args(NULL, accounts->families ?
									   "SELECT a.account_id::pg_catalog.text,"
									   " CASE WHEN a.merged_into OPERATOR(pg_catalog.<>) ''"
									   " THEN a.merged_into::pg_catalog.text END,"
									   " CASE WHEN a.parent_account_id OPERATOR(pg_catalog.<>) ''"
									   " THEN a.parent_account_id::pg_catalog.text END"
									   " FROM revrtm.account a"
									   " WHERE a.merged_into OPERATOR(pg_catalog.<>) ''"
									   " OR a.parent_account_id OPERATOR(pg_catalog.<>) ''" :
									   "SELECT a.account_id::pg_catalog.text,"
									   " a.merged_into::pg_catalog.text, NULL::pg_catalog.text"
									   " FROM revrtm.account a"
									   " WHERE a.merged_into OPERATOR(pg_catalog.<>) ''",
									   0, NULL, NULL, NULL, true, CURSOR_OPT_NO_SCROLL);
	do
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, FETCH);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			HeapTuple	row = SPI_tuptable->vals[i];
			TupleDesc	desc = SPI_tuptable->tupdesc;
			const text *id = text_column(row, desc, 1, accounts->mcxt);
			const text *next[2];
			Account    *account;
			bool		found;

			if (id == NULL)
				continue;
			for (int k = 0; k < 2; k++)
				next[k] = text_column(row, desc, 2 + k, accounts->mcxt);
			account = account_insert(accounts->table, id, &found);
			if (found && !(same_next(account->next[0], next[0]) &&
						   same_next(account->next[1], next[1])))
				ereport(ERROR,
						(errcode(ERRCODE_UNIQUE_VIOLATION),
						 errmsg("account \"%s\" stands more than once in revrtm.account",
								clipped(id)),
						 errdetail("Its rows differ in merged_into or parent_account_id."),
						 errhint("Bind a query with one row an account; of a history table, "
								 "the current rows.")));
			memcpy(account->next, next, sizeof(next));
			memset(account->way, 0, sizeof(account->way));
		}
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
}

/*
 * The accounts as this function's caller sees them now.
 */
static Accounts *
known_accounts(FmgrInfo *flinfo, bool families)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);
	Accounts   *accounts = cache->data;

	if (likely(accounts != NULL))
		return accounts;

	accounts = MemoryContextAllocZero(cache->context, sizeof(Accounts));
	accounts->mcxt = cache->context;
	accounts->families = families;
	read_accounts(accounts);
	cache->data = accounts;
	return accounts;
}

/* -------------------------------------------------------------- walking */

static Way follow(Accounts *accounts, Direction direction, const text *id);

/* The next account on the way, NULL at its end. */
static const text *
next_account(Accounts *accounts, Direction direction, const Account *account)
{
	const text *next = account->next[direction];

	if (direction == PARENT && next != NULL)
	{
		next = follow(accounts, MERGED_INTO, next).end;
		/* An account that its parent was merged into, or its own parent, is a root. */
		if (rtm_same_text(next, account->id))
			next = NULL;
	}
	return next;
}

static void
append_way(StringInfo buf, const text *id)
{
	appendStringInfo(buf, "%s\"%s\"", buf->len > 0 ? " -> " : "", clipped(id));
}

pg_noreturn static void
refuse_circle(Direction direction, const text **chain, int n)
{
	StringInfoData buf;
	int			first = 0;

	/* From its first account bytewise, wherever it was entered. */
	for (int i = 1; i < n; i++)
	{
		const text *a = chain[i];
		const text *b = chain[first];
		size_t		least = Min(VARSIZE_ANY_EXHDR(a), VARSIZE_ANY_EXHDR(b));
		int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), least);

		if (order < 0 || (order == 0 && VARSIZE_ANY_EXHDR(a) < VARSIZE_ANY_EXHDR(b)))
			first = i;
	}
	initStringInfo(&buf);
	for (int i = 0; i <= n; i++)
		append_way(&buf, chain[(first + i) % n]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 direction == MERGED_INTO ?
			 errmsg("account \"%s\" is merged into itself", clipped(chain[first])) :
			 errmsg("account \"%s\" is its own ancestor", clipped(chain[first])),
			 errdetail("%s.", buf.data),
			 direction == MERGED_INTO ?
			 errhint("Correct merged_into in what revrtm.account reads.") :
			 errhint("Correct parent_account_id in what revrtm.account reads.")));
}

pg_noreturn static void
refuse_length(Accounts *accounts, Direction direction, const text *id)
{
	StringInfoData buf;
	Account    *account;

	initStringInfo(&buf);
	append_way(&buf, id);
	for (int i = 0; i <= MOST_STEPS; i++)
	{
		account = account_lookup(accounts->table, id);
		id = next_account(accounts, direction, account);
		append_way(&buf, id);
	}
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 direction == MERGED_INTO ?
			 errmsg("a chain of merged accounts has more than %d steps", MOST_STEPS) :
			 errmsg("a family of accounts has more than %d levels below its root", MOST_STEPS),
			 errdetail("%s.", buf.data),
			 direction == MERGED_INTO ?
			 errhint("Name the survivor in merged_into in what revrtm.account reads.") :
			 errhint("Correct parent_account_id in what revrtm.account reads.")));
}

/*
 * Where the way from an account ends, and after how many steps.
 */
static Way
follow(Accounts *accounts, Direction direction, const text *id)
{
	const text *chain[MOST_STEPS + 1];
	Account    *entry[MOST_STEPS + 1];
	const text *at = id;
	int			n = 0;
	Way			way;

	for (;;)
	{
		Account    *account = account_lookup(accounts->table, at);
		const text *next;

		if (account != NULL && account->way[direction].end != NULL)
		{
			way = account->way[direction];
			break;
		}
		next = account == NULL ? NULL : next_account(accounts, direction, account);
		if (next == NULL)
		{
			way.end = at;
			way.steps = 0;
			break;
		}
		if (n > MOST_STEPS)
			refuse_length(accounts, direction, id);
		chain[n] = at;
		entry[n++] = account;
		for (int i = 0; i < n; i++)
		{
			if (rtm_same_text(chain[i], next))
				refuse_circle(direction, chain + i, n - i);
		}
		at = next;
	}

	if (way.steps + n > MOST_STEPS)
		refuse_length(accounts, direction, id);
	while (n > 0)
	{
		way.steps++;
		entry[--n]->way[direction] = way;
	}
	return way;
}

/* ------------------------------------------------------------ functions */

/*
 * revrtm.canonical_account(account_id): the account it was merged into in the
 * end.
 */
Datum
revrtm_canonical_account(PG_FUNCTION_ARGS)
{
	Accounts   *accounts = known_accounts(fcinfo->flinfo, false);
	text	   *id;
	const text *end;

	if (accounts->table->members == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	id = PG_GETARG_TEXT_PP(0);
	end = follow(accounts, MERGED_INTO, id).end;
	if (end == id)
		PG_RETURN_TEXT_P(id);
	PG_RETURN_DATUM(PointerGetDatum(DatumGetTextPCopy(PointerGetDatum(end))));
}

/*
 * revrtm.account_root(account_id): the top of its corporate family.
 */
Datum
revrtm_account_root(PG_FUNCTION_ARGS)
{
	Accounts   *accounts = known_accounts(fcinfo->flinfo, true);
	const text *id = follow(accounts, MERGED_INTO, PG_GETARG_TEXT_PP(0)).end;

	id = follow(accounts, PARENT, id).end;
	PG_RETURN_DATUM(PointerGetDatum(DatumGetTextPCopy(PointerGetDatum(id))));
}

/*
 * revrtm.account_path(account_id): the accounts from its root to itself.
 */
Datum
revrtm_account_path(PG_FUNCTION_ARGS)
{
	Accounts   *accounts = known_accounts(fcinfo->flinfo, true);
	const text *id = follow(accounts, MERGED_INTO, PG_GETARG_TEXT_PP(0)).end;
	Way			way = follow(accounts, PARENT, id);
	Datum		path[MOST_STEPS + 1];

	for (int i = way.steps; i >= 0; i--)
	{
		path[i] = PointerGetDatum(id);
		if (i > 0)
			id = next_account(accounts, PARENT, account_lookup(accounts->table, id));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(path, way.steps + 1, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * revrtm.salesforce_id(id): the id in 18 characters.
 */
Datum
revrtm_salesforce_id(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	char		id[SALESFORCE_ID];
	SalesforceStatus status = rtm_salesforce_id(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), id);

	if (status != SALESFORCE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a Salesforce id", clipped(given)),
				 status == SALESFORCE_LENGTH ?
				 errdetail("It has %zu bytes.", (size_t) VARSIZE_ANY_EXHDR(given)) :
				 status == SALESFORCE_CHARACTER ?
				 errdetail("It has characters other than the letters A to Z, a to z and digits.") :
				 errdetail("Its last three characters do not fit the others."),
				 status == SALESFORCE_CHECK ?
				 errhint("Look the record up: a character is wrong, or its case.") :
				 errhint("An id has 15 letters and digits, or 18 of which the last three "
						 "repeat the case of the others.")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(id, SALESFORCE_ID));
}

/*
 * revrtm.normal_domain(address): the domain in it.
 */
Datum
revrtm_normal_domain(PG_FUNCTION_ARGS)
{
	text	   *address = PG_GETARG_TEXT_PP(0);
	char		domain[DOMAIN_MOST];
	size_t		n = rtm_normal_domain(VARDATA_ANY(address), VARSIZE_ANY_EXHDR(address), domain);

	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(domain, (int) n));
}

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * revrtm.normal_company_name(name): folded, and without its legal form.
 */
Datum
revrtm_normal_company_name(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	const char *name = VARDATA_ANY(given);
	size_t		length = VARSIZE_ANY_EXHDR(given);
	bool		convert = GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII;
	char	   *normal;
	size_t		n;

	if (convert)
	{
		name = pg_server_to_any(name, (int) length, PG_UTF8);
		if (name != VARDATA_ANY(given))
			length = strlen(name);
	}
	normal = palloc_extended(rtm_company_room(name, length) + 1, MCXT_ALLOC_HUGE);
	n = rtm_normal_company(name, length, normal, check_interrupts);
	if (n == 0)
		PG_RETURN_NULL();
	if (n > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name is too long to be normalised")));
	if (convert)
	{
		normal[n] = '\0';
		PG_RETURN_TEXT_P(cstring_to_text(pg_any_to_server(normal, (int) n, PG_UTF8)));
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(normal, (int) n));
}
