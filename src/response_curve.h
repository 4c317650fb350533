/*-------------------------------------------------------------------------
 *
 * response_curve.h
 *		The SQL type response_curve, as other C files read and write it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_RESPONSE_CURVE_H
#define REVRTM_RESPONSE_CURVE_H

#include "compat.h"

#include "lib/stringinfo.h"

#include "curve.h"

#define PG_GETARG_CURVE(n) ((const Curve *) PG_GETARG_POINTER(n))

extern void rtm_curve_parse(const char *text, Curve *curve);
extern void rtm_curve_print(StringInfo out, const Curve *curve);
extern void rtm_curve_write(StringInfo out, const Curve *curve);
extern void rtm_curve_read(StringInfo in, Curve *curve);

#endif							/* REVRTM_RESPONSE_CURVE_H */
