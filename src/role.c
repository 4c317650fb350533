/*-------------------------------------------------------------------------
 *
 * role.c
 *		The role matrix: reading it, and deciding a cell.
 *
 * Rules are kept by scope, the triple of names that they carry. A cell is
 * matched by walking up from each of its three names over those only that
 * rules carry, and looking up every triple; so the cost depends on how deep
 * the rules lie above the cell, not on how many there are.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "role.h"

/* The names of a dimension, by their bytes. */
typedef struct NameEntry
{
	Bytes		key;
	RoleName   *name;
	uint32		hash;
	char		status;
} NameEntry;

#define SH_PREFIX role_names
#define SH_ELEMENT_TYPE NameEntry
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

/* The rules of one scope; a name that is not carried, NULL, has the id 0. */
typedef struct Scope
{
	uint32		id[ROLE_DIMENSIONS];
} Scope;

typedef struct ScopeEntry
{
	Scope		key;
	RoleRule   *rules;
	char		status;
} ScopeEntry;

static inline uint32
hash_scope(Scope key)
{
	return (uint32) hash_combine64(hash_combine64(murmurhash32(key.id[ROLE_SEGMENT]),
												  murmurhash32(key.id[ROLE_PRODUCT])),
								   murmurhash32(key.id[ROLE_REGION]));
}

#define SH_PREFIX role_scopes
#define SH_ELEMENT_TYPE ScopeEntry
#define SH_KEY_TYPE Scope
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_scope(k)
#define SH_EQUAL(tb, a, b) (memcmp(&(a), &(b), sizeof(Scope)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static const char *const tree_query[ROLE_DIMENSIONS] = {
	[ROLE_PRODUCT] = "SELECT t.product_id::pg_catalog.text, t.parent_id::pg_catalog.text"
	" FROM revrtm.product t",
	[ROLE_REGION] = "SELECT t.region_id::pg_catalog.text, t.parent_id::pg_catalog.text"
	" FROM revrtm.region t"
};

enum
{
	RULE_SEGMENT = 1,			/* ROLE_SEGMENT + 1, and so on */
	RULE_PRODUCT,
	RULE_REGION,
	RULE_ID,
	RULE_ROUTE,
	RULE_ROLE,
	RULE_PRIORITY,
	RULE_FROM,
	RULE_UNTIL
};

static const char *const rule_query =
"SELECT r.segment::pg_catalog.text, r.product_code::pg_catalog.text,"
" r.region_code::pg_catalog.text, r.rule_id::pg_catalog.text, r.route_id::pg_catalog.text,"
" r.role::pg_catalog.text, r.priority::pg_catalog.int4,"
" pg_catalog.lower(r.valid::pg_catalog.tstzrange),"
" pg_catalog.upper(r.valid::pg_catalog.tstzrange)"
" FROM revrtm.route_role r WHERE NOT pg_catalog.isempty(r.valid::pg_catalog.tstzrange)"
" ORDER BY r.priority::pg_catalog.int4 DESC, r.rule_id::pg_catalog.text COLLATE pg_catalog.\"C\"";

Bytes
rtm_bytes(Datum value)
{
	text	   *t = DatumGetTextPP(value);
	Bytes		bytes = {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};

	return bytes;
}

static bool
is_any(Bytes name)
{
	return name.len == strlen(ROLE_ANY) && memcmp(name.data, ROLE_ANY, name.len) == 0;
}

/*
 * The one RoleName of a name.
 */
static RoleName *
intern(RoleMatrix *matrix, role_names_hash *names, Bytes name)
{
	bool		found;
	NameEntry  *entry = role_names_insert(names, name, &found);

	if (!found)
	{
		char	   *data = MemoryContextAlloc(matrix->context, name.len + 1);

		memcpy(data, name.data, name.len);
		entry->name = MemoryContextAllocZero(matrix->context, sizeof(RoleName));
		entry->name->name.data = data;
		entry->name->name.len = name.len;
		entry->name->depth = -1;
		entry->key = entry->name->name;
	}
	return entry->name;
}

static Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

/* A column that the table's own constraints keep from being NULL. */
static Datum
required(uint64 row, int number, const char *table)
{
	bool		isnull;
	Datum		value = column(row, number, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"%s\" of revrtm.%s is NULL",
						SPI_fname(SPI_tuptable->tupdesc, number), table)));
	return value;
}

static uint64
read_rows(const char *query)
{
	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the role matrix");	/* cannot happen */
	return SPI_processed;
}

static void
read_tree(RoleMatrix *matrix, RoleDimension tree)
{
	role_names_hash *names = matrix->names[tree];
	uint64		rows = read_rows(tree_query[tree]);

	for (uint64 i = 0; i < rows; i++)
	{
		RoleName   *node;
		Datum		parent;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		node = intern(matrix, names,
					  rtm_bytes(required(i, 1, tree == ROLE_PRODUCT ? "product" : "region")));
		node->exists = true;
		parent = column(i, 2, &isnull);
		if (!isnull)
		{
			node->parent = intern(matrix, names, rtm_bytes(parent));
			node->parent->inner = true;
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
read_rule(RoleMatrix *matrix, uint64 row, RoleRule *rule)
{
	Scope		scope = {{0}};
	RoleName   *route;
	MemoryContext caller = MemoryContextSwitchTo(matrix->context);
	Datum		value;
	bool		isnull;

	rule->rank = (uint32) row;
	rule->rule_id = DatumGetTextPCopy(required(row, RULE_ID, "route_role"));
	rule->route_id = DatumGetTextPCopy(required(row, RULE_ROUTE, "route_role"));
	rule->role = DatumGetTextPCopy(required(row, RULE_ROLE, "route_role"));
	MemoryContextSwitchTo(caller);

	rule->priority = DatumGetInt32(required(row, RULE_PRIORITY, "route_role"));
	value = column(row, RULE_FROM, &isnull);
	rule->lo = isnull ? DT_NOBEGIN : DatumGetTimestampTz(value);
	value = column(row, RULE_UNTIL, &isnull);
	rule->hi = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	rule->lead = VARSIZE_ANY_EXHDR(rule->role) == 4 &&
		memcmp(VARDATA_ANY(rule->role), "lead", 4) == 0;

	route = intern(matrix, matrix->routes, rtm_bytes(PointerGetDatum(rule->route_id)));
	if (route->id == 0)
		route->id = matrix->routes->members;
	rule->route = route->id;

	for (int d = 0; d < ROLE_DIMENSIONS; d++)
	{
		RoleName   *name;

		value = column(row, d + 1, &isnull);
		if (isnull || is_any(rtm_bytes(value)))
			continue;
		name = intern(matrix, matrix->names[d], rtm_bytes(value));
		if (d == ROLE_SEGMENT)
			name->exists = true;
		if (name->id == 0)
			name->id = ++matrix->ids[d];
		scope.id[d] = name->id;
		rule->lost = rule->lost || !name->exists;
	}

	/* A node that its tree does not have is in no cell. */
	if (!rule->lost)
	{
		bool		found;
		ScopeEntry *entry = role_scopes_insert(matrix->scopes, scope, &found);

		rule->next = found ? entry->rules : NULL;
		entry->rules = rule;
	}
}

/*
 * Give every name its depth and the next carried one above it.
 */
static void
place_names(RoleMatrix *matrix, RoleDimension d)
{
	role_names_hash *names = matrix->names[d];
	role_names_iterator i;
	NameEntry  *entry;

	role_names_start_iterate(names, &i);
	while ((entry = role_names_iterate(names, &i)) != NULL)
	{
		RoleName   *name = entry->name;
		RoleName   *up = name->parent;
		int32		steps = 1;

		while (up != NULL && up->depth < 0)
		{
			CHECK_FOR_INTERRUPTS();
			if (steps > names->members)
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("the parents of a %s go in a circle",
								d == ROLE_PRODUCT ? "product" : "region")));
			if (name->above == NULL && up->id != 0)
				name->above = up;
			up = up->parent;
			steps++;
		}
		name->depth = up == NULL ? steps - 1 : up->depth + steps;
		if (name->above == NULL)
			name->above = rtm_named(up);
	}
}

RoleMatrix *
rtm_compile_roles(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "role matrix", ALLOCSET_DEFAULT_SIZES);
	RoleMatrix *matrix = MemoryContextAllocZero(context, sizeof(RoleMatrix));
	uint64		rows;
	uint32		routes;

	matrix->context = context;
	for (int d = 0; d < ROLE_DIMENSIONS; d++)
		matrix->names[d] = role_names_create(context, 64, NULL);
	matrix->routes = role_names_create(context, 16, NULL);
	matrix->scopes = role_scopes_create(context, 64, NULL);

	SPI_connect();
	read_tree(matrix, ROLE_PRODUCT);
	read_tree(matrix, ROLE_REGION);
	rows = read_rows(rule_query);
	if (rows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rules in revrtm.route_role")));
	matrix->rules = (uint32) rows;
	matrix->rule = MemoryContextAllocExtended(context, sizeof(RoleRule) * Max(rows, 1),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < matrix->rules; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_rule(matrix, i, &matrix->rule[i]);
	}
	SPI_finish();

	for (int d = 0; d < ROLE_DIMENSIONS; d++)
		place_names(matrix, d);

	routes = matrix->routes->members + 1;
	matrix->match = MemoryContextAllocHuge(context, sizeof(RoleMatch) * Max(rows, 1));
	matrix->decision = MemoryContextAllocHuge(context, sizeof(RoleMatch) * routes);
	matrix->place = MemoryContextAllocHuge(context, sizeof(uint32) * routes);
	matrix->turn = MemoryContextAllocExtended(context, sizeof(uint64) * routes,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return matrix;
}

RoleName *
rtm_role_name(const RoleMatrix *matrix, RoleDimension dimension, Bytes name)
{
	NameEntry  *entry = role_names_lookup(matrix->names[dimension], name);

	return entry != NULL && entry->name->exists ? entry->name : NULL;
}

uint32
rtm_role_route(const RoleMatrix *matrix, Bytes name)
{
	NameEntry  *entry = role_names_lookup(matrix->routes, name);

	return entry == NULL ? 0 : entry->name->id;
}

uint32
rtm_role_routes(const RoleMatrix *matrix)
{
	return matrix->routes->members;
}

RoleName **
rtm_role_names(const RoleMatrix *matrix, RoleDimension dimension, uint32 *count)
{
	role_names_hash *names = matrix->names[dimension];
	RoleName  **result = MemoryContextAllocHuge(matrix->context,
												sizeof(RoleName *) * Max(names->members, 1));
	role_names_iterator i;
	NameEntry  *entry;

	*count = 0;
	role_names_start_iterate(names, &i);
	while ((entry = role_names_iterate(names, &i)) != NULL)
		result[(*count)++] = entry->name;
	return result;
}

/*
 * What a name of a rule scores in a cell below it; NULL is any.
 */
static inline int64
score(const RoleName *cell, const RoleName *name)
{
	return name == NULL ? 0 : ROLE_EXACT / (1 + cell->depth - name->depth);
}

void
rtm_match_roles(RoleMatrix *matrix, RoleName *const *cell, TimestampTz from, TimestampTz to)
{
	RoleName   *name[ROLE_DIMENSIONS];
	Scope		scope;

#define WALK_UP(d) \
	for (name[d] = rtm_named(cell[d]);; name[d] = name[d]->above)
#define CARRIED(d) (scope.id[d] = name[d] == NULL ? 0 : name[d]->id)

	matrix->matches = 0;
	WALK_UP(ROLE_SEGMENT)
	{
		CARRIED(ROLE_SEGMENT);
		WALK_UP(ROLE_PRODUCT)
		{
			CARRIED(ROLE_PRODUCT);
			WALK_UP(ROLE_REGION)
			{
				ScopeEntry *entry;

				CHECK_FOR_INTERRUPTS();
				CARRIED(ROLE_REGION);
				entry = role_scopes_lookup(matrix->scopes, scope);
				for (RoleRule *rule = entry ? entry->rules : NULL; rule; rule = rule->next)
				{
					RoleMatch  *match;

					if (rule->lo > to || rule->hi <= from)
						continue;
					match = &matrix->match[matrix->matches++];
					match->rule = rule;
					match->score = 0;
					for (int d = 0; d < ROLE_DIMENSIONS; d++)
						match->score += score(cell[d], name[d]);
				}
				if (name[ROLE_REGION] == NULL)
					break;
			}
			if (name[ROLE_PRODUCT] == NULL)
				break;
		}
		if (name[ROLE_SEGMENT] == NULL)
			break;
	}
#undef WALK_UP
#undef CARRIED
}

void
rtm_decide_roles(RoleMatrix *matrix, TimestampTz at)
{
	matrix->turns++;
	matrix->decisions = 0;
	for (uint32 i = 0; i < matrix->matches; i++)
	{
		const RoleMatch *match = &matrix->match[i];
		uint32		route = match->rule->route;

		if (match->rule->lo > at || match->rule->hi <= at)
			continue;
		if (matrix->turn[route] != matrix->turns)
		{
			matrix->turn[route] = matrix->turns;
			matrix->place[route] = matrix->decisions++;
		}
		else if (!rtm_role_before(match, &matrix->decision[matrix->place[route]]))
			continue;
		matrix->decision[matrix->place[route]] = *match;
	}
}

#define ST_SORT sort_decisions
#define ST_ELEMENT_TYPE RoleMatch
#define ST_COMPARE(a, b) (rtm_role_before(a, b) ? -1 : rtm_role_before(b, a) ? 1 : 0)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
rtm_sort_roles(RoleMatrix *matrix)
{
	sort_decisions(matrix->decision, matrix->decisions);
}
