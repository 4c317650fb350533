/*-------------------------------------------------------------------------
 *
 * settings.h
 *		The settings of revrtm, as C code reads them.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_SETTINGS_H
#define REVRTM_SETTINGS_H

#include "compat.h"

/* The currency that reports are in: three capital letters. */
extern char *rtm_currency;

/* How many minutes old an exchange rate may be; 0 for any. */
extern int	rtm_fx_max_age;

/* What a portal's pooled role says of its user; "" when unset. */
extern char *rtm_partner;

extern void rtm_define_settings(void);

#endif							/* REVRTM_SETTINGS_H */
