/*-------------------------------------------------------------------------
 *
 * claim.c
 *		overlapping_claims(): which claims on an account collide.
 *
 * The query is read once. Names (accounts, parties, products, regions) are
 * interned, so that equal ones are one pointer, and those of products and
 * regions are looked up in their trees once each. Then the claims of each
 * account are sorted by start, and swept: a claim is compared with those
 * before that have not ended.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "journey.h"
#include "query.h"
#include "scope.h"

enum
{
	CLAIM_ID,
	CLAIM_ACCOUNT,
	CLAIM_PARTY,
	CLAIM_PRODUCT,
	CLAIM_REGION,
	CLAIM_DURING,
	CLAIM_COLUMNS
};

static const QueryShape claim_shape = {
	"claims",
	"It returns claim_id, account_id, party, product and region as text, "
	"and during as daterange; NULL::text stands for any product or region.",
	CLAIM_COLUMNS,
	{
		{"claim_id", true, {TEXTOID, VARCHAROID}},
		{"account_id", true, {TEXTOID, VARCHAROID}},
		{"party", true, {TEXTOID, VARCHAROID}},
		{"product", true, {TEXTOID, VARCHAROID}},
		{"region", true, {TEXTOID, VARCHAROID}},
		{"during", true, {DATERANGEOID}}
	}
};

/* An interned name; the text lies behind, for it is read together with the rest. */
typedef struct Label
{
	int64		lo;				/* its span, where it is a node of a tree; */
	int64		hi;				/* lo = hi: no node */
	Size		claims;			/* of an account, */
	Size		first;			/* and where they begin */
} Label;

#define LABEL_NAME(label) ((text *) ((label) + 1))

typedef struct LabelEntry
{
	Bytes		key;
	Label	   *label;
	uint32		hash;
	char		status;
} LabelEntry;

#define SH_PREFIX labels
#define SH_ELEMENT_TYPE LabelEntry
#define SH_KEY_TYPE Bytes
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_bytes((const unsigned char *) (k).data, (k).len)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).data, (b).data, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * Days are kept twice as large, an excluded start and an included end one
 * larger: daterange has these beside infinite days alone. So two claims
 * overlap where each starts before the other ends. A side without end is the
 * least or greatest of all.
 */
typedef struct Claim
{
	text	   *id;
	Label	   *account;
	Label	   *party;			/* NULL: a party of its own */
	Label	   *scope[RTM_TREES];	/* NULL: any */
	int64		start;
	int64		end;
} Claim;

typedef struct Claims
{
	MemoryContext context;
	MemoryContext texts;		/* of claims and labels, packed */
	TypeCacheEntry *days;
	labels_hash *accounts;
	labels_hash *parties;
	labels_hash *nodes[RTM_TREES];
	Claim	   *claim;
	Size		count;
	Size		room;
	Size		most;			/* claims of one account */
} Claims;

static inline Bytes
bytes_of(const text *t)
{
	Bytes		bytes = {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};

	return bytes;
}

static int
compare_names(const text *a, const text *b)
{
	Size		x = VARSIZE_ANY_EXHDR(a);
	Size		y = VARSIZE_ANY_EXHDR(b);
	int			cmp = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(x, y));

	return cmp != 0 ? cmp : (x > y) - (x < y);
}

static int
compare_labels(const Label *a, const Label *b)
{
	if (a == b)
		return 0;
	if (a == NULL || b == NULL)
		return a == NULL ? -1 : 1;
	return compare_names(LABEL_NAME(a), LABEL_NAME(b));
}

/*
 * By start, id, and then what is shown, so that the answer comes in one order
 * whatever the order of the rows.
 */
static int
compare_claims(const Claim *a, const Claim *b)
{
	int			cmp = (a->start > b->start) - (a->start < b->start);

	if (cmp == 0)
		cmp = compare_names(a->id, b->id);
	if (cmp == 0)
		cmp = (a->end > b->end) - (a->end < b->end);
	if (cmp == 0)
		cmp = compare_labels(a->scope[RTM_PRODUCT], b->scope[RTM_PRODUCT]);
	if (cmp == 0)
		cmp = compare_labels(a->scope[RTM_REGION], b->scope[RTM_REGION]);
	return cmp;
}

typedef Label *LabelPointer;

#define ST_SORT sort_claims
#define ST_ELEMENT_TYPE Claim
#define ST_COMPARE(a, b) compare_claims(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_accounts
#define ST_ELEMENT_TYPE LabelPointer
#define ST_COMPARE(a, b) compare_names(LABEL_NAME(*(a)), LABEL_NAME(*(b)))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

REVRTM_FUNCTION(revrtm_overlapping_claims);

/*
 * Room for a struct of that size with a text behind it.
 */
static void *
keep_text(Claims *claims, Size size, const text *t)
{
	Size		length = VARSIZE_ANY_EXHDR(t);
	char	   *kept = MemoryContextAlloc(claims->texts, size + VARHDRSZ + length);

	SET_VARSIZE(kept + size, VARHDRSZ + length);
	memcpy(VARDATA(kept + size), VARDATA_ANY(t), length);
	return kept;
}

/*
 * The one Label of a name, NULL for NULL.
 */
static Label *
intern(Claims *claims, labels_hash *labels, const text *name)
{
	bool		found;
	LabelEntry *entry;

	if (name == NULL)
		return NULL;
	entry = labels_insert(labels, bytes_of(name), &found);
	if (!found)
	{
		entry->label = keep_text(claims, sizeof(Label), name);
		memset(entry->label, 0, sizeof(Label));
		entry->key = bytes_of(LABEL_NAME(entry->label));
	}
	return entry->label;
}

static void
add_claim(TupleTableSlot *slot, const QueryAttribute *attributes, void *arg)
{
	Claims	   *claims = arg;
	Claim	   *claim;
	text	   *value[CLAIM_COLUMNS] = {NULL};
	RangeBound	start;
	RangeBound	end;
	bool		empty = true;
	int			c;

	for (c = 0; c < CLAIM_COLUMNS; c++)
	{
		bool		isnull;
		Datum		datum = query_value(slot, &attributes[c], &isnull);

		if (isnull && (c == CLAIM_ID || c == CLAIM_ACCOUNT || c == CLAIM_DURING))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s of a claim is NULL", claim_shape.column[c].name),
					 value[CLAIM_ID]
					 ? errdetail("It is claim \"%s\".", text_to_cstring(value[CLAIM_ID])) : 0,
					 errhint("Leave such rows out, or replace NULL with coalesce().")));
		if (isnull)
			continue;
		if (c == CLAIM_DURING)
			range_deserialize(claims->days, DatumGetRangeTypeP(datum), &start, &end, &empty);
		else
			value[c] = DatumGetTextPP(datum);
	}
	if (empty)
		return;

	if (claims->count == claims->room)
	{
		claims->room *= 2;
		claims->claim = repalloc_huge(claims->claim, mul_size(claims->room, sizeof(Claim)));
	}
	claim = &claims->claim[claims->count++];
	claim->id = keep_text(claims, 0, value[CLAIM_ID]);
	claim->account = intern(claims, claims->accounts, value[CLAIM_ACCOUNT]);
	claim->party = intern(claims, claims->parties, value[CLAIM_PARTY]);
	claim->scope[RTM_PRODUCT] = intern(claims, claims->nodes[RTM_PRODUCT], value[CLAIM_PRODUCT]);
	claim->scope[RTM_REGION] = intern(claims, claims->nodes[RTM_REGION], value[CLAIM_REGION]);
	claim->start = start.infinite ? PG_INT64_MIN
		: 2 * (int64) DatumGetDateADT(start.val) + (start.inclusive ? 0 : 1);
	claim->end = end.infinite ? PG_INT64_MAX
		: 2 * (int64) DatumGetDateADT(end.val) + (end.inclusive ? 1 : 0);

	claim->account->claims++;
	claims->most = Max(claims->most, claim->account->claims);
}

/*
 * Give the names that are nodes of a tree their spans.
 */
static void
find_spans(Claims *claims, RtmTree tree)
{
	const char *name = rtm_tree_name[tree];
	uint64		i;

	if (claims->nodes[tree]->members == 0)
		return;
	if (SPI_execute(psprintf("SELECT %s_id::pg_catalog.text,"
							 " pg_catalog.lower(span::pg_catalog.int8range),"
							 " pg_catalog.upper(span::pg_catalog.int8range)"
							 " FROM revrtm.%s", name, name), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read tree %s", name);	/* cannot happen */
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		id;
		LabelEntry *entry;

		CHECK_FOR_INTERRUPTS();
		id = SPI_getbinval(tuple, desc, 1, &isnull);
		if (isnull)
			continue;
		entry = labels_lookup(claims->nodes[tree], bytes_of(DatumGetTextPP(id)));
		if (entry == NULL)
			continue;
		entry->label->lo = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
		entry->label->hi = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Do two products, or two regions, overlap? If so, which is the narrower.
 */
static bool
labels_overlap(Label *a, Label *b, Label **narrower)
{
	if (a == b || b == NULL)
		*narrower = a;
	else if (a == NULL)
		*narrower = b;
	else if (a->lo < b->hi && b->lo < a->hi)
		*narrower = a->hi - a->lo < b->hi - b->lo ? a : b;
	else
		return false;
	return true;
}

static Datum
day_range(Claims *claims, int64 start, int64 end)
{
	RangeBound	lower = {
		.infinite = start == PG_INT64_MIN, .inclusive = (start & 1) == 0, .lower = true
	};
	RangeBound	upper = {.infinite = end == PG_INT64_MAX, .inclusive = (end & 1) != 0};

	lower.val = DateADTGetDatum((DateADT) (start >> 1));
	upper.val = DateADTGetDatum((DateADT) (end >> 1));
	return RangeTypePGetDatum(rtm_make_range(claims->days, &lower, &upper));
}

static void
put_overlap(Claims *claims, ReturnSetInfo *result, const Label *account, const Claim *a,
			const Claim *b, Label *const *scope)
{
	Datum		values[6];
	bool		nulls[6] = {false};
	bool		swap = compare_names(a->id, b->id) > 0;

	values[0] = PointerGetDatum(swap ? b->id : a->id);
	values[1] = PointerGetDatum(swap ? a->id : b->id);
	values[2] = PointerGetDatum(LABEL_NAME(account));
	for (RtmTree tree = 0; tree < RTM_TREES; tree++)
	{
		int			column = tree == RTM_PRODUCT ? 3 : 4;

		nulls[column] = scope[tree] == NULL;
		values[column] = nulls[column] ? (Datum) 0 : PointerGetDatum(LABEL_NAME(scope[tree]));
	}
	values[5] = day_range(claims, Max(a->start, b->start), Min(a->end, b->end));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * Bring the claims of each account together.
 */
static void
gather_claims(Claims *claims)
{
	Claim	   *gathered = MemoryContextAllocHuge(claims->context,
												  mul_size(claims->count + 1, sizeof(Claim)));
	Size		first = 0;

	for (Size i = 0; i < claims->count; i++)
	{
		Label	   *account = claims->claim[i].account;

		CHECK_FOR_INTERRUPTS();
		/* The first of an account makes room for all of them. */
		if (account->first == 0)
		{
			account->first = first + 1;
			first += account->claims;
			account->claims = 0;
		}
		gathered[account->first - 1 + account->claims++] = claims->claim[i];
	}
	pfree(claims->claim);
	claims->claim = gathered;
}

/*
 * Compare the claims of an account, in order, with those before that have not
 * ended. Without a result it is enough to find one pair.
 */
static bool
sweep(Claims *claims, const Label *account, Claim **open, MemoryContext row,
	  ReturnSetInfo *result)
{
	Claim	   *claim = &claims->claim[account->first - 1];
	Size		opened = 0;

	sort_claims(claim, account->claims);
	for (Size i = 0; i < account->claims; i++)
	{
		Claim	   *next = &claim[i];
		Size		kept = 0;

		for (Size k = 0; k < opened; k++)
		{
			Claim	   *other = open[k];
			Label	   *scope[RTM_TREES];
			MemoryContext old;

			CHECK_FOR_INTERRUPTS();
			if (other->end <= next->start)
				continue;		/* ended, for all that follow too */
			open[kept++] = other;

			if ((next->party == other->party && next->party != NULL) ||
				!labels_overlap(other->scope[RTM_PRODUCT], next->scope[RTM_PRODUCT],
								&scope[RTM_PRODUCT]) ||
				!labels_overlap(other->scope[RTM_REGION], next->scope[RTM_REGION],
								&scope[RTM_REGION]) ||
				compare_names(next->id, other->id) == 0)
				continue;
			if (result == NULL)
				return true;
			old = MemoryContextSwitchTo(row);
			put_overlap(claims, result, account, other, next, scope);
			MemoryContextSwitchTo(old);
			MemoryContextReset(row);
		}
		open[kept++] = next;
		opened = kept;
	}
	return false;
}

/*
 * Account by account, bytewise: only those that have pairs need to be sorted.
 */
static void
sweep_accounts(Claims *claims, ReturnSetInfo *result)
{
	MemoryContext row = AllocSetContextCreate(claims->context, "pair of claims",
											  ALLOCSET_DEFAULT_SIZES);
	Claim	  **open = MemoryContextAllocHuge(claims->context,
											  mul_size(claims->most + 1, sizeof(Claim *)));
	Label	  **account = MemoryContextAllocHuge(claims->context,
												 mul_size(claims->accounts->members + 1,
														  sizeof(Label *)));
	Label	   *label;
	Size		n = 0;

	for (Size i = 0; i < claims->count; i += label->claims)
	{
		label = claims->claim[i].account;
		if (label->claims > 1 && sweep(claims, label, open, row, NULL))
			account[n++] = label;
	}
	sort_accounts(account, n);
	for (Size i = 0; i < n; i++)
		sweep(claims, account[i], open, row, result);
}

/*
 * revrtm.overlapping_claims(query)
 */
Datum
revrtm_overlapping_claims(PG_FUNCTION_ARGS)
{
	Claims		claims = {0};
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	RtmTree		tree;

	InitMaterializedSRF(fcinfo, 0);
	claims.context = AllocSetContextCreate(CurrentMemoryContext, "claims",
										   ALLOCSET_DEFAULT_SIZES);
	claims.texts = GenerationContextCreate(claims.context, "claims and names",
										   ALLOCSET_DEFAULT_SIZES);
	claims.days = lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO);
	claims.accounts = labels_create(claims.context, 256, NULL);
	claims.parties = labels_create(claims.context, 256, NULL);
	for (tree = 0; tree < RTM_TREES; tree++)
		claims.nodes[tree] = labels_create(claims.context, 256, NULL);

	claims.room = 1024;
	claims.claim = MemoryContextAlloc(claims.context, claims.room * sizeof(Claim));

	SPI_connect();
	rtm_run_query(query, &claim_shape, add_claim, &claims);
	for (tree = 0; tree < RTM_TREES; tree++)
		find_spans(&claims, tree);
	SPI_finish();

	gather_claims(&claims);
	sweep_accounts(&claims, (ReturnSetInfo *) fcinfo->resultinfo);
	MemoryContextDelete(claims.context);
	return (Datum) 0;
}
