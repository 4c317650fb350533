/*-------------------------------------------------------------------------
 *
 * claim.c
 *		overlapping_claims(): which claims on an account collide.
 *
 * The query is read once. Names (accounts, parties,
 * products, regions) are interned, so that equal ones are one pointer, and
 * those of products and regions are looked up in their trees once each. Then
 * the claims are sorted by account and start, and swept: a claim is compared
 * with those of its account that have not ended.
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
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

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

/* An interned name, and its span where it is a node of a tree. */
typedef struct Label
{
	const char *text;
	int64		lo;
	int64		hi;				/* lo = hi: no node */
} Label;

typedef struct LabelEntry
{
	const char *key;
	Label	   *label;
	uint32		hash;
	char		status;
} LabelEntry;

#define SH_PREFIX labels
#define SH_ELEMENT_TYPE LabelEntry
#define SH_KEY_TYPE const char *
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_bytes((const unsigned char *) (k), strlen(k))
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct Claim
{
	const char *id;
	Label	   *account;
	Label	   *party;			/* NULL: a party of its own */
	Label	   *scope[RTM_TREES];	/* NULL: any */
	RangeType  *during;
	RangeBound	start;
	RangeBound	end;
} Claim;

typedef struct Claims
{
	MemoryContext context;
	TypeCacheEntry *days;
	labels_hash *accounts;
	labels_hash *parties;
	labels_hash *nodes[RTM_TREES];
	Claim	   *claim;
	Size		count;
	Size		room;
} Claims;

/*
 * By account, start, id, and then what is shown, so that the answer comes in
 * one order whatever the order of the rows.
 */
static int
compare_labels(const Label *a, const Label *b)
{
	if (a == b)
		return 0;
	if (a == NULL || b == NULL)
		return a == NULL ? -1 : 1;
	return strcmp(a->text, b->text);
}

static int
compare_claims(const Claim *a, const Claim *b, TypeCacheEntry *days)
{
	int			cmp = compare_labels(a->account, b->account);

	if (cmp == 0)
		cmp = range_cmp_bounds(days, &a->start, &b->start);
	if (cmp == 0)
		cmp = strcmp(a->id, b->id);
	if (cmp == 0)
		cmp = range_cmp_bounds(days, &a->end, &b->end);
	if (cmp == 0)
		cmp = compare_labels(a->scope[RTM_PRODUCT], b->scope[RTM_PRODUCT]);
	if (cmp == 0)
		cmp = compare_labels(a->scope[RTM_REGION], b->scope[RTM_REGION]);
	return cmp;
}

#define ST_SORT sort_claims
#define ST_ELEMENT_TYPE Claim
#define ST_COMPARE(a, b, days) compare_claims(a, b, days)
#define ST_COMPARE_ARG_TYPE TypeCacheEntry
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

REVRTM_FUNCTION(revrtm_overlapping_claims);

/*
 * The one Label of a name; text is copied when it is new.
 */
static Label *
intern(Claims *claims, labels_hash *labels, const char *text)
{
	bool		found;
	LabelEntry  *entry = labels_insert(labels, text, &found);

	if (!found)
	{
		entry->label = MemoryContextAllocZero(claims->context, sizeof(Label));
		entry->label->text = MemoryContextStrdup(claims->context, text);
		entry->key = entry->label->text;
	}
	return entry->label;
}

static void
add_claim(TupleTableSlot *slot, const QueryAttribute *attributes, void *arg)
{
	Claims	   *claims = arg;
	Claim	   *claim;
	MemoryContext old;
	char	   *string[CLAIM_COLUMNS] = {NULL};
	RangeType  *during = NULL;
	bool		empty;
	int			c;

	for (c = 0; c < CLAIM_COLUMNS; c++)
	{
		bool		isnull;
		Datum		value = query_value(slot, &attributes[c], &isnull);

		if (isnull && (c == CLAIM_ID || c == CLAIM_ACCOUNT || c == CLAIM_DURING))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s of a claim is NULL", claim_shape.column[c].name),
					 string[CLAIM_ID]
					 ? errdetail("It is claim \"%s\".", string[CLAIM_ID]) : 0,
					 errhint("Leave such rows out, or replace NULL with coalesce().")));
		if (isnull)
			continue;
		if (c == CLAIM_DURING)
			during = DatumGetRangeTypeP(value);
		else
			string[c] = TextDatumGetCString(value);
	}
	if (RangeIsEmpty(during))
		return;

	if (claims->count == claims->room)
	{
		claims->room *= 2;
		claims->claim = repalloc_huge(claims->claim, mul_size(claims->room, sizeof(Claim)));
	}
	claim = &claims->claim[claims->count++];

	old = MemoryContextSwitchTo(claims->context);
	claim->id = pstrdup(string[CLAIM_ID]);
	claim->account = intern(claims, claims->accounts, string[CLAIM_ACCOUNT]);
	claim->party = string[CLAIM_PARTY]
		? intern(claims, claims->parties, string[CLAIM_PARTY]) : NULL;
	claim->scope[RTM_PRODUCT] = string[CLAIM_PRODUCT]
		? intern(claims, claims->nodes[RTM_PRODUCT], string[CLAIM_PRODUCT]) : NULL;
	claim->scope[RTM_REGION] = string[CLAIM_REGION]
		? intern(claims, claims->nodes[RTM_REGION], string[CLAIM_REGION]) : NULL;
	claim->during = (RangeType *) PG_DETOAST_DATUM_COPY(RangeTypePGetDatum(during));
	range_deserialize(claims->days, claim->during, &claim->start, &claim->end, &empty);
	MemoryContextSwitchTo(old);
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
		LabelEntry  *entry;

		CHECK_FOR_INTERRUPTS();
		id = SPI_getbinval(tuple, desc, 1, &isnull);
		if (isnull)
			continue;
		entry = labels_lookup(claims->nodes[tree], TextDatumGetCString(id));
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
label_datum(const Label *label, bool *isnull)
{
	*isnull = label == NULL;
	return label == NULL ? (Datum) 0 : CStringGetTextDatum(label->text);
}

static void
put_overlap(Claims *claims, ReturnSetInfo *result, const Claim *a, const Claim *b,
			Label *const *scope)
{
	Datum		values[6];
	bool		nulls[6] = {false};
	bool		swap = strcmp(a->id, b->id) > 0;

	values[0] = CStringGetTextDatum(swap ? b->id : a->id);
	values[1] = CStringGetTextDatum(swap ? a->id : b->id);
	values[2] = label_datum(a->account, &nulls[2]);
	values[3] = label_datum(scope[RTM_PRODUCT], &nulls[3]);
	values[4] = label_datum(scope[RTM_REGION], &nulls[4]);
	values[5] = RangeTypePGetDatum(range_intersect_internal(claims->days, a->during, b->during));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
sweep(Claims *claims, ReturnSetInfo *result)
{
	MemoryContext row = AllocSetContextCreate(claims->context, "pair of claims",
											  ALLOCSET_DEFAULT_SIZES);
	Claim	  **open = MemoryContextAllocHuge(claims->context,
											  mul_size(Max(claims->count, 1), sizeof(Claim *)));
	Size		opened = 0;
	Size		i;

	for (i = 0; i < claims->count; i++)
	{
		Claim	   *claim = &claims->claim[i];
		Size		kept = 0;
		Size		k;

		if (i > 0 && claim->account != claims->claim[i - 1].account)
			opened = 0;

		for (k = 0; k < opened; k++)
		{
			Claim	   *other = open[k];
			Label	   *scope[RTM_TREES];

			CHECK_FOR_INTERRUPTS();
			if (range_cmp_bounds(claims->days, &other->end, &claim->start) < 0)
				continue;		/* ended, for all that follow too */
			open[kept++] = other;

			if ((claim->party == other->party && claim->party != NULL) ||
				strcmp(claim->id, other->id) == 0)
				continue;
			if (labels_overlap(other->scope[RTM_PRODUCT], claim->scope[RTM_PRODUCT],
							  &scope[RTM_PRODUCT]) &&
				labels_overlap(other->scope[RTM_REGION], claim->scope[RTM_REGION],
							  &scope[RTM_REGION]))
			{
				MemoryContext old = MemoryContextSwitchTo(row);

				put_overlap(claims, result, other, claim, scope);
				MemoryContextSwitchTo(old);
				MemoryContextReset(row);
			}
		}
		open[kept++] = claim;
		opened = kept;
	}
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

	sort_claims(claims.claim, claims.count, claims.days);
	sweep(&claims, (ReturnSetInfo *) fcinfo->resultinfo);
	MemoryContextDelete(claims.context);
	return (Datum) 0;
}
