/*-------------------------------------------------------------------------
 *
 * owner.h
 *		Statements that run with the rights of a table's owner.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_OWNER_H
#define REVRTM_OWNER_H

#include "compat.h"

#include "executor/spi.h"
#include "utils/relcache.h"

/* Whose rights there were before. */
typedef struct RtmOwnerCall
{
	Oid			user;
	int			context;
} RtmOwnerCall;

/*
 * Take the rights of a role, under which row security is that of an owner,
 * and give them back; an error gives them back by itself.
 */
extern void rtm_take_rights(RtmOwnerCall *call, Oid owner);
extern void rtm_return_rights(const RtmOwnerCall *call);

/* The same for the owner of a table, and SPI_connect() and SPI_finish(). */
extern void rtm_enter_owner(RtmOwnerCall *call, Relation rel);
extern void rtm_leave_owner(const RtmOwnerCall *call);

/* A statement that is planned once in a session. */
typedef struct RtmStatement
{
	const char *text;
	int			nargs;
	Oid			types[20];
	int			options;		/* CURSOR_OPT_... */
	SPIPlanPtr	plan;
} RtmStatement;

/* The plan, inside SPI_connect(). */
extern SPIPlanPtr rtm_plan(RtmStatement *statement);

/*
 * Run a query that only reads and tells a row, with the latest snapshot, as
 * foreign keys do: the row is the first one of SPI_tuptable.
 */
extern void rtm_ask(RtmStatement *statement, Datum *values, const char *nulls);

#endif							/* REVRTM_OWNER_H */
