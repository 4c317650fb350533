/*-------------------------------------------------------------------------
 *
 * roe_route.c
 *		Rules of engagement that rest on where a partner may sell: its own
 *		region, and the routes to market of the role matrix.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/multirangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "owner.h"
#include "registration.h"
#include "role.h"

/* The matrix, as far as it is needed. */
struct RtmRoutes
{
	bool		blocked;		/* some rule of the matrix blocks a route */
	RoleMatrix *matrix;			/* NULL: not compiled */
	RoleName  **name[ROLE_DIMENSIONS];	/* its nodes, by kind */
	uint32		names[ROLE_DIMENSIONS];
};

static const RtmColumn role_column[] = {
	{1, "rule_id", TEXTOID},
	{6, "role", TEXTOID}
};

bool
rtm_may_read(const char *relation)
{
	Oid			relid = rtm_relation(relation);

	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		pg_class_aclcheck(relid, GetOuterUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/*
 * The one text that a query tells of an id, as the owner; NULL for none.
 */
static char *
ask_fact(Relation rel, RtmStatement *query, Datum id)
{
	MemoryContext caller = CurrentMemoryContext;
	RtmOwnerCall call;
	char	   *fact = NULL;
	Datum		value;
	bool		isnull;

	rtm_enter_owner(&call, rel);
	rtm_ask(query, &id, NULL);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		fact = MemoryContextStrdup(caller, TextDatumGetCString(value));
	rtm_leave_owner(&call);
	return fact == NULL || fact[0] == '\0' ? NULL : fact;
}

/* ------------------------------------------------------------- territory */

void
rtm_ask_territory(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	static RtmStatement query = {
		"SELECT f.region::pg_catalog.text FROM revrtm.partner_region($1) f",
		1, {TEXTOID}, CURSOR_OPT_GENERIC_PLAN
	};
	const RtmRegistration *reg = on->reg;
	char	   *region;
	Datum		code;
	Datum		codes;
	Datum		territory;
	TypeCacheEntry *span;
	MultirangeType *asked;

	if (!rtm_may_see_partner(on->rel, reg) && !rtm_may_read("partner"))
	{
		rtm_needs_review(finding);
		return;
	}
	region = REG_ISNULL(reg, REG_PARTNER) ? NULL
		: ask_fact(on->rel, &query, REG_VALUE(reg, REG_PARTNER));
	if (region != NULL)
	{
		code = CStringGetTextDatum(region);
		codes = PointerGetDatum(construct_array(&code, 1, TEXTOID, -1, false, TYPALIGN_INT));
	}
	if (region == NULL || rtm_try_scope(RTM_REGION, codes, false, &territory) != NULL)
	{
		rtm_fail(finding, rule, region == NULL ? "The region of the partner is not known."
				 : psprintf("The region of the partner, \"%s\", is no node of the tree.", region));
		finding->verdict = RTM_REVIEW;
		return;
	}
	span = lookup_type_cache(INT8RANGEOID, TYPECACHE_RANGE_INFO);
	asked = DatumGetMultirangeTypeP(REG_VALUE(reg, REG_REGION));
	if (!multirange_contains_multirange_internal(span, DatumGetMultirangeTypeP(territory), asked))
		rtm_fail(finding, rule, psprintf("It reaches beyond the partner's region, %s.", region));
}

/* --------------------------------------------------------------- routes */

/*
 * Does any rule of the matrix block a route? Most do not, and are not worth
 * compiling then.
 */
static bool
any_blocked(void)
{
	Relation	rel = rtm_open_table("route_role", AccessShareLock, role_column,
									 lengthof(role_column));
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	bool		found = false;

	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		role = slot_getattr(slot, role_column[1].number, &isnull);

		CHECK_FOR_INTERRUPTS();
		found = !isnull && strcmp(TextDatumGetCString(role), "blocked") == 0;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Nodes are of one kind when the nearest node that a rule names, themselves or
 * further up, is the same and equally far: whatever is decided in one is in
 * the other.
 */
static int
compare_kinds(const RoleName *a, const RoleName *b)
{
	const RoleName *x = rtm_named((RoleName *) a);
	const RoleName *y = rtm_named((RoleName *) b);

	if (x != y)
		return x == NULL || (y != NULL && x->id < y->id) ? -1 : 1;
	return x == NULL ? 0 : (a->depth > b->depth) - (a->depth < b->depth);
}

static int
compare_nodes(const void *a, const void *b)
{
	const RoleName *x = *(RoleName *const *) a;
	const RoleName *y = *(RoleName *const *) b;
	int			cmp = compare_kinds(x, y);

	if (cmp == 0)
		cmp = memcmp(x->name.data, y->name.data, Min(x->name.len, y->name.len));
	return cmp != 0 ? cmp : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static const struct RtmRoutes *
read_routes(const RtmCase *on, const RtmRule *rule)
{
	struct RtmRoutes *routes = on->terms->routes;

	if (routes == NULL)
	{
		routes = MemoryContextAllocZero(on->terms->context, sizeof(struct RtmRoutes));
		routes->blocked = any_blocked();
		on->terms->routes = routes;
	}
	if (routes->matrix == NULL && (routes->blocked || rule->unassigned != RTM_PASS))
	{
		RtmOwnerCall call;
		RoleMatrix *matrix;

		rtm_take_rights(&call, on->rel->rd_rel->relowner);
		matrix = rtm_compile_roles(on->terms->context);
		rtm_return_rights(&call);
		for (int d = ROLE_PRODUCT; d <= ROLE_REGION; d++)
		{
			routes->name[d] = rtm_role_names(matrix, d, &routes->names[d]);
			qsort(routes->name[d], routes->names[d], sizeof(RoleName *), compare_nodes);
		}
		routes->matrix = matrix;
	}
	return routes;
}

/*
 * Which routes of the matrix, by number, the rule is about.
 */
static const bool *
asked_routes(RoleMatrix *matrix, const RtmRule *rule)
{
	bool	   *asked = palloc0(rtm_role_routes(matrix) + 1);
	ListCell   *lc;

	foreach(lc, rule->fields)
	{
		char	   *name = lfirst(lc);
		uint32		route = rtm_role_route(matrix, (Bytes) {name, strlen(name)});

		if (route != 0)
			asked[route] = true;
	}
	return asked;
}

static bool
is_role(const RoleRule *rule, const char *role)
{
	return strlen(role) == VARSIZE_ANY_EXHDR(rule->role) &&
		memcmp(VARDATA_ANY(rule->role), role, strlen(role)) == 0;
}

static bool
is_below(const RoleName *name, const List *codes)
{
	while (name != NULL && !list_member_ptr(codes, name))
		name = name->parent;
	return name != NULL;
}

/*
 * The nodes in which a registration has to be asked about: its codes, and one
 * of each kind of those below them.
 */
static List *
asked_nodes(const struct RtmRoutes *routes, RoleDimension d, Datum codes)
{
	List	   *given = NIL;
	List	   *nodes;
	RoleName   *last = NULL;
	Datum	   *code;
	bool	   *isnull;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(codes), TEXTOID, -1, false, TYPALIGN_INT,
					  &code, &isnull, &n);
	for (int i = 0; i < n; i++)
	{
		RoleName   *name = rtm_role_name(routes->matrix, d, rtm_bytes(code[i]));

		if (name != NULL)
			given = list_append_unique_ptr(given, name);
	}
	nodes = list_copy(given);
	for (uint32 i = 0; i < routes->names[d]; i++)
	{
		RoleName   *name = routes->name[d][i];

		CHECK_FOR_INTERRUPTS();
		if ((last != NULL && compare_kinds(name, last) == 0) || !name->exists ||
			!is_below(name, given))
			continue;
		nodes = list_append_unique_ptr(nodes, name);
		last = name;
	}
	return nodes;
}

static char *
cell_text(RoleName *const *cell)
{
	return psprintf("product %.*s in region %.*s",
					(int) cell[ROLE_PRODUCT]->name.len, cell[ROLE_PRODUCT]->name.data,
					(int) cell[ROLE_REGION]->name.len, cell[ROLE_REGION]->name.data);
}

/*
 * Ask one cell; true where it is blocked, and there is no more to ask.
 */
static bool
ask_cell(RoleMatrix *matrix, const bool *asked, RoleName *const *cell, TimestampTz at,
		 const RtmRule *rule, RtmFinding *finding)
{
	const RoleMatch *blocked = NULL;

	rtm_match_roles(matrix, cell, at, at);
	rtm_decide_roles(matrix, at);
	for (uint32 i = 0; i < matrix->decisions; i++)
	{
		const RoleMatch *decision = &matrix->decision[i];

		if (!asked[decision->rule->route])
			continue;
		if (decision->rule->lead || is_role(decision->rule, "eligible"))
			return false;
		if (is_role(decision->rule, "blocked") &&
			(blocked == NULL || rtm_role_before(decision, blocked)))
			blocked = decision;
	}
	if (blocked != NULL)
		rtm_fail(finding, rule,
				 psprintf("Route \"%s\" is blocked for %s by rule \"%s\".",
						  text_to_cstring(blocked->rule->route_id), cell_text(cell),
						  text_to_cstring(blocked->rule->rule_id)));
	else if (rule->unassigned != RTM_PASS && finding->verdict == RTM_PASS)
	{
		finding->verdict = rule->unassigned;
		finding->code = "NO_ROUTE";
		finding->detail = psprintf("No route of registrations leads or is eligible for %s.",
								   cell_text(cell));
	}
	return blocked != NULL;
}

void
rtm_ask_routes(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	static RtmStatement query = {
		"SELECT f.segment::pg_catalog.text FROM revrtm.account_segment($1) f",
		1, {TEXTOID}, CURSOR_OPT_GENERIC_PLAN
	};
	const struct RtmRoutes *routes = read_routes(on, rule);
	RoleMatrix *matrix = routes->matrix;
	RoleName   *cell[ROLE_DIMENSIONS] = {NULL};
	const bool *asked;
	List	   *products;
	List	   *regions;
	ListCell   *lp;
	ListCell   *lr;

	if (!rtm_may_read("route_role"))
	{
		rtm_needs_review(finding);
		return;
	}
	if (matrix == NULL)
		return;
	if (matrix->ids[ROLE_SEGMENT] > 0)
	{
		char	   *segment;

		if (!rtm_may_read("account"))
		{
			rtm_needs_review(finding);
			return;
		}
		segment = ask_fact(on->rel, &query, REG_VALUE(on->reg, REG_ACCOUNT));
		if (segment != NULL)
			cell[ROLE_SEGMENT] = rtm_role_name(matrix, ROLE_SEGMENT,
											   (Bytes) {segment, strlen(segment)});
	}
	asked = asked_routes(matrix, rule);
	products = asked_nodes(routes, ROLE_PRODUCT, REG_VALUE(on->reg, REG_PRODUCT_CODES));
	regions = asked_nodes(routes, ROLE_REGION, REG_VALUE(on->reg, REG_REGION_CODES));
	foreach(lp, products)
		foreach(lr, regions)
		{
			cell[ROLE_PRODUCT] = lfirst(lp);
			cell[ROLE_REGION] = lfirst(lr);
			if (ask_cell(matrix, asked, cell, on->at, rule, finding))
				return;
		}
}
