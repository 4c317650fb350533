/*-------------------------------------------------------------------------
 *
 * settings.c
 *		The revrtm.* settings, and the functions that read them in SQL.
 *
 * A setting is unknown to a session until the library is loaded, so SQL reads
 * it through these functions, which load it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <ctype.h>
#include <limits.h>

#include "access/xact.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "settings.h"
#include "zone.h"

char	   *rtm_currency = NULL;
int			rtm_fx_max_age = 7 * MINS_PER_HOUR * HOURS_PER_DAY;
char	   *rtm_partner = NULL;
pg_tz	   *rtm_timezone = NULL;

static char *setting_actor = NULL;
static char *setting_as_of = NULL;
static int	setting_lookback = 90 * MINS_PER_HOUR * HOURS_PER_DAY;
static char *setting_model = NULL;
static char *setting_timezone = NULL;

REVRTM_FUNCTION(revrtm_setting);
REVRTM_FUNCTION(revrtm_as_of);
REVRTM_FUNCTION(revrtm_lookback);

static bool
check_currency(char **newval, void **extra, GucSource source)
{
	const char *s = *newval;

	if (strlen(s) == 3 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3)
		return true;
	GUC_check_errdetail("A currency is an ISO 4217 code of three capital letters.");
	return false;
}

static bool
check_timezone(char **newval, void **extra, GucSource source)
{
	if (rtm_find_zone(*newval) != NULL)
		return true;
	GUC_check_errdetail("Time zone \"%s\" is not known.", *newval);
	return false;
}

static void
assign_timezone(const char *newval, void *extra)
{
	rtm_timezone = rtm_find_zone(newval);	/* checked, so the library has it at hand */
}

void
rtm_define_settings(void)
{
	DefineCustomStringVariable("revrtm.actor",
							   "The application's user, for the audit log.",
							   "The database's roles are logged beside it.",
							   &setting_actor, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("revrtm.as_of",
							   "The instant that counts as today; empty means the current time.",
							   "Without a zone it is read in revrtm.timezone.",
							   &setting_as_of, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("revrtm.currency",
							   "The currency that reports are in.",
							   NULL,
							   &rtm_currency, "USD", PGC_USERSET, 0,
							   check_currency, NULL, NULL);
	DefineCustomIntVariable("revrtm.fx_max_age",
							"How old an exchange rate may be; 0 means any age.",
							NULL,
							&rtm_fx_max_age,
							7 * MINS_PER_HOUR * HOURS_PER_DAY, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MIN,
							NULL, NULL, NULL);
	DefineCustomIntVariable("revrtm.lookback",
							"How long before a deal's end a touch counts; 0 means without limit.",
							NULL,
							&setting_lookback,
							90 * MINS_PER_HOUR * HOURS_PER_DAY, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MIN,
							NULL, NULL, NULL);
	DefineCustomStringVariable("revrtm.model",
							   "The attribution model used where one is needed.",
							   NULL,
							   &setting_model, "u_shaped", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("revrtm.partner",
							   "The partner a pooled portal role acts for.",
							   "Heeded only for roles listed in revrtm.partner_proxy.",
							   &rtm_partner, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("revrtm.timezone",
							   "The time zone of reporting days and months.",
							   NULL,
							   &setting_timezone, "UTC", PGC_USERSET, 0,
							   check_timezone, assign_timezone, NULL);
	MarkGUCPrefixReserved("revrtm");
}

/*
 * revrtm.setting(name): the value of a setting as SHOW prints it.
 */
Datum
revrtm_setting(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *full = psprintf("revrtm.%s", name);
	const char *value = GetConfigOption(full, true, true);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("unrecognized setting \"%s\"", full),
				 errhint("The settings are revrtm.actor, revrtm.as_of, revrtm.currency, "
						 "revrtm.fx_max_age, revrtm.lookback, revrtm.model, revrtm.partner and "
						 "revrtm.timezone.")));
	PG_RETURN_TEXT_P(cstring_to_text(value));
}

/*
 * Does a timestamp literal name its zone: an offset, Z or a name after the
 * time of day?
 */
static bool
names_a_zone(const char *s)
{
	const char *clock = strchr(s, ':');

	for (; clock != NULL && *clock; clock++)
	{
		if (*clock == '+' || *clock == '-' || isalpha((unsigned char) *clock))
			return true;
	}
	return false;
}

/*
 * revrtm.as_of(): the instant that counts as today.
 */
Datum
revrtm_as_of(PG_FUNCTION_ARGS)
{
	Datum		literal = CStringGetDatum(setting_as_of);
	Timestamp	local;

	if (setting_as_of == NULL || setting_as_of[0] == '\0')
		PG_RETURN_TIMESTAMPTZ(GetCurrentTransactionStartTimestamp());

	if (names_a_zone(setting_as_of))
		return DirectFunctionCall3(timestamptz_in, literal,
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	local = DatumGetTimestamp(DirectFunctionCall3(timestamp_in, literal,
												  ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1)));
	PG_RETURN_TIMESTAMPTZ(rtm_local_instant(local, rtm_timezone));
}

/*
 * revrtm.lookback(): the look-back window as elapsed time, NULL for no limit.
 */
Datum
revrtm_lookback(PG_FUNCTION_ARGS)
{
	Interval   *result;

	if (setting_lookback == 0)
		PG_RETURN_NULL();

	/* Hours, not days: a window is elapsed time, whatever the zone does. */
	result = palloc0(sizeof(Interval));
	result->time = (int64) setting_lookback * USECS_PER_MINUTE;
	PG_RETURN_INTERVAL_P(result);
}
