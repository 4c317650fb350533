/*-------------------------------------------------------------------------
 *
 * tree_layout.h
 *		How the nodes of a tree share an interval. Pure: no PostgreSQL header.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_TREE_LAYOUT_H
#define REVRTM_TREE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * How wide the next child's span is, in a parent's of that width of which
 * that much is free at its end; 0 when there is no room.
 */
extern int64_t rtm_child_width(int64_t width, int64_t unused);

/*
 * A subtree is given level by level: parent[i] < i is the place of node i's
 * parent, children of one parent stand together, and the first node is the
 * root, whose parent is not read.
 *
 * need[i] is what node i takes of the least width that all fit into, 1 or
 * more; then what it and those below it take. That width is need[0]. height[i]
 * is how many levels there are below node i.
 */
extern void rtm_tree_need(const size_t *parent, size_t n, int64_t *need, int64_t *height);

/*
 * Lay a subtree out in [from, until), at least need[0] wide: node i gets
 * [lo[i], hi[i]), inside its parent's and narrower, disjoint from its
 * siblings'. What is over is left free in equal parts on all levels.
 */
extern void rtm_tree_layout(const size_t *parent, const int64_t *need, const int64_t *height,
							size_t n, int64_t from, int64_t until, int64_t *lo, int64_t *hi);

#endif							/* REVRTM_TREE_LAYOUT_H */
