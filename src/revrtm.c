/*-------------------------------------------------------------------------
 *
 * revrtm.c
 *		The module: its magic block, its start, its version.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "utils/builtins.h"

#include "attribution.h"
#include "plan_guard.h"
#include "settings.h"

REVRTM_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

REVRTM_FUNCTION(revrtm_library_version);

void
_PG_init(void)
{
	rtm_define_settings();
	rtm_attribution_init();
	rtm_plan_guard_init();
}

/*
 * revrtm.library_version(): the version the loaded library was built as.
 */
Datum
revrtm_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(REVRTM_VERSION));
}
