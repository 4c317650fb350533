/*-------------------------------------------------------------------------
 *
 * role.h
 *		The role matrix, compiled: which route leads, supports, is eligible or
 *		blocked in a cell of segment, product and region.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_ROLE_H
#define REVRTM_ROLE_H

#include "compat.h"

#include "datatype/timestamp.h"

#include "journey.h"

typedef enum RoleDimension
{
	ROLE_SEGMENT,
	ROLE_PRODUCT,
	ROLE_REGION
} RoleDimension;

#define ROLE_DIMENSIONS 3

/* The root of a tree, and in a rule as good as NULL. */
#define ROLE_ANY "ANY"

/*
 * The score of an exact match, the least common multiple of 1 to 36: a rule's
 * scores 1/(1 + distance) are added as integers up to that distance, and a
 * sum of three is exact as a float8 too.
 */
#define ROLE_EXACT INT64CONST(144403552893600)

/* A segment, which is a tree of its own, or a node of a tree. */
typedef struct RoleName
{
	Bytes		name;
	struct RoleName *parent;
	struct RoleName *above;		/* nearest one further up that a rule names */
	int32		depth;			/* -1 until known */
	uint32		id;				/* from 1 where a rule names it, else 0 */
	bool		exists;
	bool		inner;			/* has children */
} RoleName;

typedef struct RoleRule
{
	struct RoleRule *next;		/* of the same scope */
	text	   *rule_id;
	text	   *route_id;
	text	   *role;
	uint32		route;			/* from 1 */
	uint32		rank;			/* by priority, then bytewise by rule_id */
	int32		priority;
	bool		lead;
	bool		lost;			/* names a node that its tree does not have */
	TimestampTz lo;				/* valid from lo, */
	TimestampTz hi;				/* until before hi */
} RoleRule;

/* A rule in a cell. */
typedef struct RoleMatch
{
	RoleRule   *rule;
	int64		score;
} RoleMatch;

struct role_names_hash;
struct role_scopes_hash;

typedef struct RoleMatrix
{
	MemoryContext context;
	struct role_names_hash *names[ROLE_DIMENSIONS];
	uint32		ids[ROLE_DIMENSIONS];	/* how many of them rules name */
	struct role_names_hash *routes;
	struct role_scopes_hash *scopes;
	RoleRule   *rule;			/* by rank */
	uint32		rules;
	RoleMatch  *match;			/* room for one of each rule */
	uint32		matches;
	RoleMatch  *decision;		/* and for one of each route */
	uint32		decisions;
	uint32	   *place;			/* by route: its decision, if that is of ... */
	uint64	   *turn;			/* ... this turn */
	uint64		turns;
} RoleMatrix;

/* Read rules and trees with the active snapshot, into a context below parent. */
extern RoleMatrix *rtm_compile_roles(MemoryContext parent);

/* A node, or a segment that a rule names; NULL where it is neither. */
extern RoleName *rtm_role_name(const RoleMatrix *matrix, RoleDimension dimension, Bytes name);

/* A route by its name: a number from 1, 0 for one without rules; how many there are. */
extern uint32 rtm_role_route(const RoleMatrix *matrix, Bytes name);
extern uint32 rtm_role_routes(const RoleMatrix *matrix);

/* The bytes of a text. */
extern Bytes rtm_bytes(Datum value);

/* Every name of a dimension, in no order. */
extern RoleName **rtm_role_names(const RoleMatrix *matrix, RoleDimension dimension,
								 uint32 *count);

/*
 * Fill match with the rules whose scope has the cell and that are valid at
 * some instant from one to another, both included; NULL in a cell is any.
 */
extern void rtm_match_roles(RoleMatrix *matrix, RoleName *const *cell,
							TimestampTz from, TimestampTz to);

/* Of these, fill decision with the one of each route that decides then. */
extern void rtm_decide_roles(RoleMatrix *matrix, TimestampTz at);

/* Order the decisions: most specific first, then by rank. */
extern void rtm_sort_roles(RoleMatrix *matrix);

/* The name itself or the next one further up that a rule names; NULL for none. */
static inline RoleName *
rtm_named(RoleName *name)
{
	return name == NULL || name->id != 0 ? name : name->above;
}

static inline bool
rtm_role_before(const RoleMatch *a, const RoleMatch *b)
{
	return a->score != b->score ? a->score > b->score : a->rule->rank < b->rule->rank;
}

static inline float8
rtm_specificity(int64 score)
{
	return (float8) score / (float8) ROLE_EXACT;
}

#endif							/* REVRTM_ROLE_H */
