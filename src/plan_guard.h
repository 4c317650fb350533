/*-------------------------------------------------------------------------
 *
 * plan_guard.h
 *		Plans of those who may not see every row.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_PLAN_GUARD_H
#define REVRTM_PLAN_GUARD_H

/*
 * For a query of our own that asks after one row, known already: its plan may
 * use what those of a partner may not.
 */
extern bool rtm_plan_unguarded;

extern void rtm_plan_guard_init(void);

#endif							/* REVRTM_PLAN_GUARD_H */
