/*-------------------------------------------------------------------------
 *
 * role_audit.c
 *		role_audit(): leads that tie, and rules that decide nothing.
 *
 * It decides every cell there is, once for each kind. Nodes of a tree are of
 * one kind when the nearest node that a rule names, themselves or further up,
 * is the same and equally far; whatever rules match one of them match the
 * other, with the same score. Segments that no rule names are one kind. In a
 * cell the answer changes only where the validity of a rule begins or ends.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "role.h"

REVRTM_FUNCTION(revrtm_role_audit);

/* Two leads that tie, by rank, and where and when they first do. */
typedef struct Tie
{
	uint64		key;
	RoleName   *cell[ROLE_DIMENSIONS];
	TimestampTz at;
	int64		score;
	char		status;
} Tie;

#define SH_PREFIX ties
#define SH_ELEMENT_TYPE Tie
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, k) murmurhash32((uint32) (k) ^ murmurhash32((uint32) ((k) >> 32)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What became of a rule in cells that deals may have. */
typedef struct Fate
{
	bool		decides;
	const RoleRule *beaten_by;	/* in the first of them */
} Fate;

typedef struct Audit
{
	RoleMatrix *matrix;
	TimestampTz since;
	RoleName  **name[ROLE_DIMENSIONS];	/* one of each kind; NULL is any */
	uint32		kinds[ROLE_DIMENSIONS];
	Fate	   *fate;			/* by rank */
	ties_hash  *ties;
} Audit;

/*
 * Kinds in order; in each a leaf first, as a leaf has a cell of its own, and
 * then bytewise.
 */
static int
compare_kinds(const RoleName *a, const RoleName *b)
{
	const RoleName *x = rtm_named((RoleName *) a);
	const RoleName *y = rtm_named((RoleName *) b);
	uint32		x_id = x == NULL ? 0 : x->id;
	uint32		y_id = y == NULL ? 0 : y->id;

	if (x_id != y_id)
		return x_id < y_id ? -1 : 1;
	if (x != NULL && a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return 0;
}

static int
compare_names(const RoleName *a, const RoleName *b)
{
	int			cmp = compare_kinds(a, b);

	if (cmp == 0)
		cmp = (int) a->inner - (int) b->inner;
	if (cmp == 0)
		cmp = memcmp(a->name.data, b->name.data, Min(a->name.len, b->name.len));
	if (cmp == 0 && a->name.len != b->name.len)
		cmp = a->name.len < b->name.len ? -1 : 1;
	return cmp;
}

typedef RoleName *NamePointer;

#define ST_SORT sort_names
#define ST_ELEMENT_TYPE NamePointer
#define ST_COMPARE(a, b) compare_names(*(a), *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void
find_kinds(Audit *audit, RoleDimension d)
{
	uint32		count;
	RoleName  **name = rtm_role_names(audit->matrix, d, &count);
	uint32		kept = 0;

	sort_names(name, count);
	for (uint32 i = 0; i < count; i++)
	{
		if (!name[i]->exists ||
			(kept > 0 && compare_kinds(name[kept - 1], name[i]) == 0))
			continue;
		name[kept++] = name[i];
	}
	audit->name[d] = name;
	audit->kinds[d] = kept;
}

/*
 * Take these nodes for leaves; codes that are none are passed over.
 */
static void
mark_leaves(RoleMatrix *matrix, RoleDimension d, ArrayType *codes)
{
	ArrayIterator i = array_create_iterator(codes, 0, NULL);
	Datum		code;
	bool		isnull;

	while (array_iterate(i, &code, &isnull))
	{
		text	   *t;
		Bytes		bytes;
		RoleName   *name;

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		t = DatumGetTextPP(code);
		bytes.data = VARDATA_ANY(t);
		bytes.len = VARSIZE_ANY_EXHDR(t);
		name = rtm_role_name(matrix, d, bytes);
		if (name != NULL)
			name->inner = false;
	}
	array_free_iterator(i);
}

static bool
is_leaf(RoleName *const *cell)
{
	for (int d = 0; d < ROLE_DIMENSIONS; d++)
		if (cell[d] != NULL && cell[d]->inner)
			return false;
	return true;
}

/*
 * Judge the decisions of one cell at one instant.
 */
static void
judge(Audit *audit, RoleName *const *cell, TimestampTz at)
{
	RoleMatrix *matrix = audit->matrix;
	uint32		first = 0;

	rtm_decide_roles(matrix, at);
	if (is_leaf(cell))
	{
		for (uint32 i = 0; i < matrix->matches; i++)
		{
			const RoleRule *rule = matrix->match[i].rule;
			const RoleRule *decider;
			Fate	   *fate = &audit->fate[rule->rank];

			if (rule->lo > at || rule->hi <= at)
				continue;
			decider = matrix->decision[matrix->place[rule->route]].rule;
			if (decider == rule)
				fate->decides = true;
			else if (fate->beaten_by == NULL)
				fate->beaten_by = decider;
		}
	}

	/* Those of equal specificity and priority lie side by side. */
	rtm_sort_roles(matrix);
	while (first < matrix->decisions && !matrix->decision[first].rule->lead)
		first++;
	for (uint32 i = first; i < matrix->decisions; i++)
	{
		const RoleMatch *a = &matrix->decision[i];

		if (a->score != matrix->decision[first].score ||
			a->rule->priority != matrix->decision[first].rule->priority)
			break;
		for (uint32 k = first; k < i && a->rule->lead; k++)
		{
			const RoleMatch *b = &matrix->decision[k];
			Tie		   *tie;
			bool		found;

			CHECK_FOR_INTERRUPTS();
			if (!b->rule->lead)
				continue;
			tie = ties_insert(audit->ties, (uint64) b->rule->rank << 32 | a->rule->rank, &found);
			if (found && tie->at <= at)
				continue;
			memcpy(tie->cell, cell, sizeof(tie->cell));
			tie->at = at;
			tie->score = a->score;
		}
	}
}

/*
 * Judge one cell at every instant at which its rules change.
 */
static void
judge_cell(Audit *audit, RoleName *const *cell)
{
	RoleMatrix *matrix = audit->matrix;

	rtm_match_roles(matrix, cell, audit->since, DT_NOEND);
	if (matrix->matches == 0)
		return;
	judge(audit, cell, audit->since);
	for (uint32 i = 0; i < matrix->matches; i++)
	{
		const RoleRule *rule = matrix->match[i].rule;

		CHECK_FOR_INTERRUPTS();
		if (rule->lo > audit->since)
			judge(audit, cell, rule->lo);
		if (rule->hi < DT_NOEND)
			judge(audit, cell, rule->hi);
	}
}

static Datum
name_datum(const RoleName *name)
{
	return name == NULL ? CStringGetTextDatum(ROLE_ANY)
		: PointerGetDatum(cstring_to_text_with_len(name->name.data, name->name.len));
}

static void
put_ties(Audit *audit, ReturnSetInfo *result)
{
	const RoleRule *rule = audit->matrix->rule;
	ties_iterator i;
	Tie		   *tie;

	ties_start_iterate(audit->ties, &i);
	while ((tie = ties_iterate(audit->ties, &i)) != NULL)
	{
		Datum		values[8];
		bool		nulls[8] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum("tie");
		values[1] = PointerGetDatum(rule[tie->key >> 32].rule_id);
		values[2] = PointerGetDatum(rule[(uint32) tie->key].rule_id);
		for (int d = 0; d < ROLE_DIMENSIONS; d++)
			values[3 + d] = name_datum(tie->cell[d]);
		values[6] = TimestampTzGetDatum(tie->at);
		values[7] = Float8GetDatum(rtm_specificity(tie->score));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static void
put_dead(Audit *audit, ReturnSetInfo *result)
{
	for (uint32 i = 0; i < audit->matrix->rules; i++)
	{
		const RoleRule *rule = &audit->matrix->rule[i];
		const RoleRule *beaten_by = audit->fate[i].beaten_by;
		Datum		values[8] = {0};
		bool		nulls[8] = {false, false, false, true, true, true, true, true};

		CHECK_FOR_INTERRUPTS();
		if (audit->fate[i].decides || rule->hi <= audit->since)
			continue;
		values[0] = CStringGetTextDatum("dead");
		values[1] = PointerGetDatum(rule->rule_id);
		nulls[2] = beaten_by == NULL;
		if (beaten_by != NULL)
			values[2] = PointerGetDatum(beaten_by->rule_id);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * revrtm.role_audit(since, products, regions)
 */
Datum
revrtm_role_audit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RoleName   *cell[ROLE_DIMENSIONS];
	Audit		audit;

	InitMaterializedSRF(fcinfo, 0);
	audit.since = PG_GETARG_TIMESTAMPTZ(0);
	audit.matrix = rtm_compile_roles(CurrentMemoryContext);
	audit.fate = MemoryContextAllocExtended(audit.matrix->context,
											sizeof(Fate) * Max(audit.matrix->rules, 1),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	audit.ties = ties_create(audit.matrix->context, 64, NULL);
	mark_leaves(audit.matrix, ROLE_PRODUCT, PG_GETARG_ARRAYTYPE_P(1));
	mark_leaves(audit.matrix, ROLE_REGION, PG_GETARG_ARRAYTYPE_P(2));
	for (int d = 0; d < ROLE_DIMENSIONS; d++)
		find_kinds(&audit, d);

	/* The first segment, NULL, stands for all that no rule names. */
	for (uint32 s = 0; s <= audit.kinds[ROLE_SEGMENT]; s++)
	{
		cell[ROLE_SEGMENT] = s == 0 ? NULL : audit.name[ROLE_SEGMENT][s - 1];
		for (uint32 p = 0; p < audit.kinds[ROLE_PRODUCT]; p++)
		{
			cell[ROLE_PRODUCT] = audit.name[ROLE_PRODUCT][p];
			for (uint32 r = 0; r < audit.kinds[ROLE_REGION]; r++)
			{
				cell[ROLE_REGION] = audit.name[ROLE_REGION][r];
				judge_cell(&audit, cell);
			}
		}
	}

	put_ties(&audit, result);
	put_dead(&audit, result);
	MemoryContextDelete(audit.matrix->context);
	return (Datum) 0;
}
