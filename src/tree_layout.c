/*-------------------------------------------------------------------------
 *
 * tree_layout.c
 *		How the nodes of a tree share an interval.
 *
 * Nodes that come one by one are dealt room by what is left of the parent's
 * span: its first half goes to 16 children, the next quarter to 256, the next
 * eighth to 16384, the rest to 2 million. So a tree in which no node has more
 * than 16 children reaches 12 levels below its root at first, and one wide
 * level costs 5 or 12 of these 60 bits more.
 *
 * A subtree that is laid out anew is known whole, and shares by need: each
 * node gets one for itself and for every node below it. Of what is over a
 * node with h levels below it keeps a part in h + 1 free at its end, and its
 * children get the rest in proportion to their needs. So a subtree fits
 * wherever there is an integer for each node, and even a long chain has room
 * left at its end.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "tree_layout.h"

int64_t
rtm_child_width(int64_t width, int64_t unused)
{
	int			shift;
	int64_t		share;

	if (unused > width / 2)
		shift = 5;
	else if (unused > width / 4)
		shift = 10;
	else if (unused > width / 8)
		shift = 17;
	else
		shift = 24;

	share = width >> shift;
	if (share < 1)
		share = 1;
	return (share <= unused && share < width) ? share : 0;
}

void
rtm_tree_need(const size_t *parent, size_t n, int64_t *need, int64_t *height)
{
	size_t		i;

	for (i = 0; i < n; i++)
		height[i] = 0;
	for (i = n; i-- > 1;)
	{
		size_t		p = parent[i];

		need[p] += need[i];
		if (height[p] <= height[i])
			height[p] = height[i] + 1;
	}
}

void
rtm_tree_layout(const size_t *parent, const int64_t *need, const int64_t *height, size_t n,
				int64_t from, int64_t until, int64_t *lo, int64_t *hi)
{
	size_t		i;

	lo[0] = from;
	hi[0] = until;
	for (i = 1; i < n; i++)
	{
		size_t		p = parent[i];
		int64_t		over = hi[p] - lo[p] - need[p];

		over -= over / (height[p] + 1);
		lo[i] = i > 1 && parent[i - 1] == p ? hi[i - 1] : lo[p];
		hi[i] = lo[i] + need[i] * (1 + over / (need[p] - 1));
	}
}
