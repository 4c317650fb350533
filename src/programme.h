/*-------------------------------------------------------------------------
 *
 * programme.h
 *		The partner programme's own terms.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_PROGRAMME_H
#define REVRTM_PROGRAMME_H

#include "compat.h"

#include "zone.h"

typedef struct RtmProgramme
{
	pg_tz	   *zone;			/* in which its days are counted */
	int32		protection_days;
} RtmProgramme;

/* As the table programme says. */
extern const RtmProgramme *rtm_read_programme(MemoryContext context);

/* Read once for a call's whole query. */
extern const RtmProgramme *rtm_query_programme(FmgrInfo *flinfo);

#endif							/* REVRTM_PROGRAMME_H */
