/*-------------------------------------------------------------------------
 *
 * tree_layout_test.c
 *		Unit test of how nodes share an interval, without a server.
 *
 * Random subtrees of every shape in intervals of every width, down to the
 * least, against what a layout is: children inside their parent and narrower,
 * disjoint, each as wide as all below it need. And nodes dealt one by one.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/tree_layout_test.c
 *			src/tree_layout.c
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "tree_layout.h"
#include "tap.h"

#define ROUNDS		20000

/*
 * A subtree level by level: each node of a level has some children, at most
 * as many as wide, until there are n nodes.
 */
static void
random_subtree(size_t *parent, size_t n, int64_t wide)
{
	size_t		made = 1;
	size_t		node;

	parent[0] = 0;
	for (node = 0; made < n; node++)
	{
		/* The last node that could have children must have some. */
		int64_t		children = random_below(wide) + (node + 1 == made);

		while (children-- > 0 && made < n)
			parent[made++] = node;
	}
}

static long
check_layout(const size_t *parent, const int64_t *need, size_t n,
			 const int64_t *lo, const int64_t *hi)
{
	long		bad = 0;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		int64_t		below = 1;
		int64_t		given = lo[i];
		size_t		j;

		for (j = i + 1; j < n; j++)
		{
			if (parent[j] != i)
				continue;
			below += need[j];
			bad += lo[j] < given || hi[j] > hi[i] || hi[j] - lo[j] >= hi[i] - lo[i];
			given = hi[j];
		}
		bad += hi[i] - lo[i] < need[i] || need[i] < below;
	}
	return bad;
}

int
main(void)
{
	long		bad = 0;
	long		cramped = 0;
	long		chains = 0;
	long		dealt = 0;
	int			round;

	for (round = 0; round < ROUNDS; round++)
	{
		size_t		n = 1 + random_below(round % 10 == 0 ? 200 : 20);
		size_t	   *parent = room(n * sizeof(size_t));
		int64_t    *need = room(n * sizeof(int64_t));
		int64_t    *height = room(n * sizeof(int64_t));
		int64_t    *lo = room(n * sizeof(int64_t));
		int64_t    *hi = room(n * sizeof(int64_t));
		int64_t		width;
		int64_t		from;
		size_t		i;

		random_subtree(parent, n, 1 + random_below(5));
		for (i = 0; i < n; i++)
			need[i] = 1;
		need[random_below(n)] += random_below(2);
		rtm_tree_need(parent, n, need, height);
		if (round % 4 == 0)
			width = need[0];
		else
			width = need[0] + (int64_t) (random_bits() >> (1 + random_below(63)));
		if (width < 0)
			width = INT64_MAX;
		from = random_below(2) ? INT64_MAX - width : 0;
		rtm_tree_layout(parent, need, height, n, from, from + width, lo, hi);
		bad += check_layout(parent, need, n, lo, hi);
		bad += lo[0] != from || hi[0] != from + width;
		cramped += round % 4 == 0;
		free(parent);
		free(need);
		free(height);
		free(lo);
		free(hi);
	}
	report("children lie in their parents, apart", bad);
	report("in the least width too", cramped == 0);

	/* A chain of 1000 nodes in what a topmost node gets: room at its end. */
	{
		size_t		parent[1000];
		int64_t		need[1000];
		int64_t		height[1000];
		int64_t		lo[1000];
		int64_t		hi[1000];
		size_t		i;

		for (i = 0; i < 1000; i++)
		{
			parent[i] = i > 0 ? i - 1 : 0;
			need[i] = 1;
		}
		rtm_tree_need(parent, 1000, need, height);
		rtm_tree_layout(parent, need, height, 1000, 0, INT64_C(1) << 58, lo, hi);
		chains += check_layout(parent, need, 1000, lo, hi) != 0;
		chains += height[0] != 999 || need[0] != 1000 || hi[999] - lo[999] < INT64_C(1) << 40;
	}
	report("a long chain keeps room at its end", chains);

	/* One by one, at any width, never more than there is. */
	for (round = 0; round < ROUNDS; round++)
	{
		int64_t		width = 1 + (int64_t) (random_bits() >> (1 + random_below(63)));
		int64_t		unused = width;
		int64_t		share;
		int			children = 0;

		if (width < 1)
			width = unused = INT64_MAX;
		while (children < 300 && (share = rtm_child_width(width, unused)) > 0)
		{
			dealt += share > unused || share >= width;
			unused -= share;
			children++;
		}
		dealt += width > 1000 && children < 20;
		dealt += width > (INT64_C(1) << 40) && children < 272;
	}
	report("children are dealt what is free", dealt);

	printf("1..%d\n", tests);
	return failures > 0;
}
