/*-------------------------------------------------------------------------
 *
 * text.h
 *		Text values as bytes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_TEXT_H
#define REVRTM_TEXT_H

#include "compat.h"

static inline bool
rtm_same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

#endif							/* REVRTM_TEXT_H */
