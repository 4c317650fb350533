/*-------------------------------------------------------------------------
 *
 * allocate.c
 *		The globally optimal allocation of a budget, certified.
 *
 * allocate_concave.c solves the problem in which every curve is its envelope
 * and the distance from the current plan has a price.  Here the price is found,
 * and where the answer leaves a line below its envelope the search space is
 * cut in two at that line's amount: on each side the envelope is lower, and
 * exact at the cut.  The part with the highest bound is cut next, until no
 * bound is above the best plan (Land and Doig 1960, Econometrica 28; Falk and
 * Soland 1969, Management Science 15).  Since one constraint leaves one line
 * below its envelope, few cuts do.
 *
 * Lines that are the same are interchangeable, so only plans count in which
 * the earlier one gets no less: a cut holds for all of them to its side.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "allocate_parts.h"

#include <math.h>

/* How far a bound may be above the best plan, relative to its return. */
#define TOLERANCE 1e-9

/* Nodes at most; and lines times nodes, which is the time it takes. */
#define MOST_NODES 200000
#define MOST_WORK 20000000

size_t
rtm_allocate_nodes(size_t lines)
{
	size_t		nodes = MOST_WORK / (lines + 1);

	return nodes > MOST_NODES ? MOST_NODES : nodes < 100 ? 100 : nodes;
}

/* Are two lines, but for their priority, the same? */
static bool
are_twins(const AllocateLine *a, const AllocateLine *b)
{
	return a->group == b->group && a->curve.family == b->curve.family &&
		a->lo == b->lo && a->hi == b->hi && a->moves == b->moves &&
		(!a->moves || a->current == b->current) &&
		memcmp(a->curve.parameter, b->curve.parameter, sizeof(a->curve.parameter)) == 0;
}

/*
 * Link each line with the ones that are the same, in order of priority.  Only
 * lines that bulge matter, and a cut of one is felt by those linked with it.
 */
static void
link_twins(AllocateProblem *problem)
{
	AllocateSearch *search = problem->search;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
		search[i].before = search[i].behind = ALLOCATE_NONE;
	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];
		size_t		j;

		if (i % 64 == 0 && problem->interrupt != NULL)
			problem->interrupt();
		if (!line->bulges)
			continue;

		/* The nearest one before it: lines of a group are side by side. */
		for (j = i; j-- > 0 && problem->line[j].group == line->group && i - j <= 1000;)
		{
			if (are_twins(&problem->line[j], line))
			{
				search[i].before = j;
				search[j].behind = i;
				break;
			}
		}
	}
}

static double
value_of(const AllocateProblem *problem)
{
	double		value = 0;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		const AllocateLine *line = &problem->line[i];

		value += rtm_curve_value(&line->curve, rtm_allocate_money(problem, line->units));
	}
	return value;
}

/*
 * Solve the relaxation of a node whose boxes are set, narrowed and shaped;
 * false where no plan is near enough.  The plan left in the lines is feasible.
 * Also says where to cut next: the line furthest below its envelope, else, where
 * the plans on the two sides of the limit differ, the one they differ in most.
 */
static bool
relax(AllocateProblem *problem, AllocateNode *node)
{
	AllocateLine *line = problem->line;
	double		widest = 0;
	double		bulge = 0;
	int64_t		furthest = 0;
	bool		far = false;
	size_t		i;

	problem->mu = 0;
	rtm_allocate_relax(problem);
	problem->value = value_of(problem);
	if (!rtm_allocate_is_near(problem))
	{
		far = true;
		if (!rtm_allocate_approach(problem, problem->value))
			return false;
		problem->value = value_of(problem);
	}

	node->next_line = UINT32_MAX;
	node->next_lattice = false;
	for (i = 0; i < problem->lines; i++)
		bulge += rtm_allocate_bulge(problem, &line[i]);
	node->bound = problem->value + bulge + rtm_allocate_slack(problem);
	if (far && rtm_allocate_exchange(problem))
		problem->value = value_of(problem);
	node->reach = problem->value + rtm_allocate_distance(problem);

	for (i = 0; i < problem->lines; i++)
	{
		bulge = rtm_allocate_bulge(problem, &line[i]);
		if (bulge > widest)
		{
			widest = bulge;
			node->next_line = i;
			node->next_cut = line[i].units;
		}
	}
	for (i = 0; far && widest == 0 && i < problem->lines; i++)
	{
		int64_t		away = problem->search[i].other - line[i].units;

		if ((away < 0 ? -away : away) > furthest)
		{
			furthest = away < 0 ? -away : away;
			node->next_line = i;
			node->next_lattice = furthest == 1;
			node->next_cut = furthest > 1 ? line[i].units + away / 2
				: away < 0 ? line[i].units - 1 : line[i].units;
		}
	}
	return true;
}

/* Keep the plan if it is the best so far. */
static void
keep_best(AllocateProblem *problem, double *best, double *price)
{
	size_t		i;

	if (!(problem->value > *best))
		return;
	*best = problem->value;
	*price = problem->mu;
	for (i = 0; i < problem->lines; i++)
		problem->search[i].best = problem->line[i].units;
}

/* The boxes of a node: its cut and those of all its ancestors. */
static void
set_boxes(AllocateProblem *problem, const AllocateNode *node, const AllocateNode *of)
{
	AllocateSearch *search = problem->search;
	size_t		i;

	for (i = 0; i < problem->lines; i++)
	{
		search[i].box_lo = problem->line[i].lo;
		search[i].box_hi = problem->line[i].hi < problem->budget
			? problem->line[i].hi : problem->budget;
	}
	for (; of != NULL && of->line != UINT32_MAX; of = &node[of->parent])
	{
		for (i = of->line; i != ALLOCATE_NONE;
			 i = of->upper ? search[i].before : search[i].behind)
		{
			if (of->upper && search[i].box_lo < of->cut)
				search[i].box_lo = of->cut;
			if (!of->upper && search[i].box_hi > of->cut)
				search[i].box_hi = of->cut;
		}
	}
}

/* The heap of open nodes: the highest bound first, of equals the oldest. */
static inline bool
is_ahead(const AllocateNode *node, uint32_t a, uint32_t b)
{
	if (node[a].bound != node[b].bound)
		return node[a].bound > node[b].bound;
	return a < b;
}

static void
push(AllocateNode *node, size_t *open, uint32_t added)
{
	size_t		slot = (*open)++;

	while (slot > 0 && is_ahead(node, added, node[(slot - 1) / 2].queue))
	{
		node[slot].queue = node[(slot - 1) / 2].queue;
		slot = (slot - 1) / 2;
	}
	node[slot].queue = added;
}

static uint32_t
pop(AllocateNode *node, size_t *open)
{
	uint32_t	first = node[0].queue;
	uint32_t	moving = node[--*open].queue;
	size_t		slot = 0;

	for (;;)
	{
		size_t		child = 2 * slot + 1;

		if (child >= *open)
			break;
		if (child + 1 < *open && is_ahead(node, node[child + 1].queue, node[child].queue))
			child++;
		if (!is_ahead(node, node[child].queue, moving))
			break;
		node[slot].queue = node[child].queue;
		slot = child;
	}
	node[slot].queue = moving;
	return first;
}

/*
 * Cut the space until no part can hold a better plan, or the nodes run out.
 * Returns how high the return may be over all amounts.
 */
static double
branch_and_bound(AllocateProblem *problem, double *best, double *price)
{
	AllocateNode *node = problem->node;
	size_t		limit = problem->node_limit < problem->nodes && problem->node_limit > 0
		? problem->node_limit : problem->nodes;
	size_t		used = 1;
	size_t		open = 0;
	double		reach = -INFINITY;
	uint32_t	parent = 0;
	int			side;
	size_t		i;

	link_twins(problem);
	push(node, &open, 0);
	while (open > 0 && node[node[0].queue].bound > *best + TOLERANCE * fabs(*best))
	{
		if (used + 2 > problem->nodes || problem->nodes_used + 2 > limit)
		{
			problem->complete = false;
			break;
		}
		parent = pop(node, &open);
		if (node[parent].next_lattice)
			reach = fmax(reach, node[parent].reach);
		for (side = 0; side < 2; side++)
		{
			AllocateNode *child = &node[used];

			if (problem->interrupt != NULL)
				problem->interrupt();
			child->parent = parent;
			child->line = node[parent].next_line;
			child->upper = side == 1;
			child->cut = node[parent].next_cut + (side == 1 && node[parent].next_lattice);
			set_boxes(problem, node, child);
			problem->nodes_used++;
			if (!rtm_allocate_narrow(problem) || !rtm_allocate_shape(problem) ||
				!relax(problem, child))
				continue;
			keep_best(problem, best, price);
			child->bound = fmin(child->bound, node[parent].bound);
			child->reach = node[parent].next_lattice ? -INFINITY
				: fmin(child->reach, node[parent].reach);
			if (child->next_line == UINT32_MAX ||
				child->bound <= *best + TOLERANCE * fabs(*best))
				reach = fmax(reach, child->reach);
			else
			{
				push(node, &open, used);
				used++;
			}
		}
	}
	for (i = 0; i < open; i++)
		reach = fmax(reach, node[node[i].queue].reach);
	return reach;
}

AllocateStatus
rtm_allocate(AllocateProblem *problem)
{
	AllocateNode root = {.line = UINT32_MAX};
	double		best = -INFINITY;
	double		distance;
	size_t		i;

	problem->complete = true;
	problem->nodes_used = 1;
	problem->mu = 0;
	rtm_allocate_set_limit(problem);
	for (i = 0; i < problem->lines; i++)
		problem->line[i].bulges = false;
	set_boxes(problem, NULL, NULL);
	if (!rtm_allocate_narrow(problem))
		return ALLOCATE_INFEASIBLE;
	problem->least = (int64_t) problem->group[0].sum_least;
	if (!rtm_allocate_shape(problem))
		return ALLOCATE_FAULTY;
	if (!relax(problem, &root))
		return ALLOCATE_TOO_FAR;
	if (!isfinite(problem->value))
		return ALLOCATE_FAULTY;
	problem->price = problem->mu;
	distance = rtm_allocate_distance(problem);

	if (root.next_line != UINT32_MAX &&
		root.bound > problem->value + TOLERANCE * fabs(problem->value))
	{
		if (problem->node == NULL)
		{
			problem->nodes = rtm_allocate_nodes(problem->lines);
			problem->node = problem->memory(problem->nodes * sizeof(AllocateNode));
		}
		problem->node[0] = root;
		keep_best(problem, &best, &problem->price);
		distance = fmax(0, branch_and_bound(problem, &best, &problem->price) - best);
		problem->value = best;
		for (i = 0; i < problem->lines; i++)
			problem->line[i].units = problem->search[i].best;
	}
	rtm_allocate_sums(problem, 0);

	if (distance == 0)
		problem->gap = 0;
	else if (isfinite(problem->value + distance))
		problem->gap = distance / fmax(fabs(problem->value), fabs(problem->value + distance));
	else
		problem->gap = INFINITY;
	return ALLOCATE_DONE;
}
