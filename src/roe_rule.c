/*-------------------------------------------------------------------------
 *
 * roe_rule.c
 *		The rules of engagement as the table roe_rule holds them.
 *
 * Whoever registers a deal is judged by them, so they are read below the
 * privileges of the table, once a query.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "registration.h"

REVRTM_FUNCTION(revrtm_roe_rule_is_valid);

static const RtmColumn rule_column[] = {
	{1, "rule", TEXTOID},
	{2, "kind", TEXTOID},
	{3, "parameters", JSONBOID},
	{4, "enabled", BOOLOID}
};

/*
 * The kinds: what each takes beside the verdict, and what it says where that
 * is not given.
 */
static const struct
{
	const char *kind;
	const char *parameter;		/* NULL: none */
	const char *lookback;		/* default of a look-back; NULL: it is none */
	RtmVerdict	verdict;
	const char *takes;			/* more than verdict and the parameter: all it takes */
}			rule_kind[RTM_RULE_KINDS] =

{
	[RTM_BLOCKED_ROUTE] = {"blocked_route", "routes", NULL, RTM_DENY,
	"verdict, routes and unassigned"},
	[RTM_DIRECT_ACTIVE] = {"direct_active", "direct_lookback", "60 days", RTM_DENY},
	[RTM_DUPLICATE] = {"duplicate", NULL, NULL, RTM_DENY},
	[RTM_EXISTING_CUSTOMER] = {"existing_customer", "customer_lookback", "36 months", RTM_DENY},
	[RTM_INCOMPLETE] = {"incomplete", "required_fields", NULL, RTM_DENY},
	[RTM_MIN_AMOUNT] = {"min_amount", "minimum", NULL, RTM_DENY},
	[RTM_PENDING] = {"pending", NULL, NULL, RTM_WARN},
	[RTM_PROTECTED] = {"protected", NULL, NULL, RTM_WARN},
	[RTM_CERTIFIED] = {"certified", "people", NULL, RTM_DENY},
	[RTM_PARTNER_TIER] = {"partner_tier", "tier", NULL, RTM_DENY},
	[RTM_POSSIBLE_DUPLICATE] = {"possible_duplicate", NULL, NULL, RTM_DENY},
	[RTM_TERRITORY] = {"territory", NULL, NULL, RTM_DENY},
	[RTM_GUARDRAIL] = {"guardrail", NULL, NULL, RTM_DENY, "verdict, approval and route"},
	[RTM_INCUMBENT] = {"incumbent", "incumbent_lookback", "36 months", RTM_DENY,
	"verdict, incumbent_lookback, renewal_window and term"},
	[RTM_PROTECTED_STAGE] = {"protected_stage", NULL, NULL, RTM_DENY},
	[RTM_SECOND_REGISTRANT] = {"second_registrant", NULL, NULL, RTM_DENY,
	"verdict, second and factor"},
	[RTM_TENDER] = {"tender", NULL, NULL, RTM_DENY, "verdict and non_exclusive"}
};

pg_noreturn static void refuse(const char *rule, const char *detail, const char *hint);

static void
refuse(const char *rule, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rule \"%s\" is not valid", rule),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * A field that can be required: a column, or a key below details or evidence.
 */
static bool
is_field(const char *name)
{
	return rtm_business_column_named(name) != 0 ||
		(strncmp(name, "details.", 8) == 0 && name[8] != '\0') ||
		(strncmp(name, "evidence.", 9) == 0 && name[9] != '\0');
}

static void
read_fields(RtmRule *rule, const char *parameter, JsonbValue *value)
{
	bool		routes = rule->kind == RTM_BLOCKED_ROUTE;
	const char *hint = routes ? "A route is one of revrtm.route, as in [\"partner_sourced\"]."
		: "A field is a column of deal_registration that says what is registered, "
		"or details.KEY or evidence.KEY.";
	JsonbIterator *it;
	JsonbValue	element;
	JsonbIteratorToken token;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		refuse(rule->rule, psprintf("%s is not a list of names.", parameter), hint);
	rule->fields = NIL;
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvString)
			refuse(rule->rule, psprintf("%s is not a list of names.", parameter), hint);
		name = string_of(&element);
		if (!routes && !is_field(name))
			refuse(rule->rule, psprintf("\"%s\" is no field of a registration.", name), hint);
		rule->fields = lappend(rule->fields, name);
	}
	if (routes && rule->fields == NIL)
		refuse(rule->rule, "routes is empty.", hint);
}

static void
read_minimum(RtmRule *rule, JsonbValue *value)
{
	const char *hint = "It is an object of least amounts by currency, {\"USD\": 5000}.";
	JsonbIterator *it;
	JsonbValue	element;
	JsonbIteratorToken token;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse(rule->rule, "minimum is not an object.", hint);
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			rule->currencies = lappend(rule->currencies, string_of(&element));
		else if (token == WJB_VALUE)
		{
			if (element.type != jbvNumeric)
				refuse(rule->rule, "An amount in minimum is not a number.", hint);
			rule->minima = lappend(rule->minima,
								   DatumGetNumericCopy(NumericGetDatum(element.val.numeric)));
		}
	}
}

static Interval *
read_interval(const RtmRule *rule, const char *name, const char *text)
{
	Interval   *lookback =
		DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
											  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));

	if (lookback->month < 0 || lookback->day < 0 || lookback->time < 0 ||
		lookback->month > 12 * 100 || lookback->day > 36600 || lookback->time > USECS_PER_DAY)
		refuse(rule->rule, psprintf("%s is negative or longer than a century.", name),
			   "It is an interval, such as \"36 months\".");
	return lookback;
}

static Interval *
read_span(const RtmRule *rule, const char *name, JsonbValue *value)
{
	if (value->type != jbvString)
		refuse(rule->rule, psprintf("%s is not a string.", name),
			   "It is an interval, such as \"36 months\".");
	return read_interval(rule, name, string_of(value));
}

static void
read_people(RtmRule *rule, JsonbValue *value)
{
	double		people = 0;

	if (value->type == jbvNumeric)
		people = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!(people >= 1 && people <= 1000000 && people == (int) people))
		refuse(rule->rule, "people is no number from 1 to 1000000.",
			   "It is how many people are to be certified for each product.");
	rule->people = (int) people;
}

static void
read_tier(RtmRule *rule, JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len == 0)
		refuse(rule->rule, "tier is no name.", "It is a tier of revrtm.tier.");
	rule->tier = string_of(value);
}

/*
 * One of the verdicts, from a least one on.
 */
static RtmVerdict
read_verdict(const RtmRule *rule, const char *name, RtmVerdict least, JsonbValue *value)
{
	static const char *const verdict[] = {"pass", "warn", "review", "deny"};
	int			i;

	for (i = least; value->type == jbvString && i < lengthof(verdict); i++)
		if (strlen(verdict[i]) == value->val.string.len &&
			strncmp(verdict[i], value->val.string.val, value->val.string.len) == 0)
			return i;
	refuse(rule->rule, psprintf("%s is none of %swarn, review and deny.", name,
								least == RTM_PASS ? "pass, " : ""),
		   least == RTM_PASS ? "It says what follows where none of the routes leads or is eligible."
		   : "It says what follows where the rule does not pass.");
}

static void
read_second(RtmRule *rule, JsonbValue *value)
{
	char	   *mode = value->type == jbvString ? string_of(value) : NULL;

	rule->reduced = mode != NULL && strcmp(mode, "reduced") == 0;
	if (rule->reduced)
		rule->verdict = RTM_WARN;
	else if (mode == NULL || strcmp(mode, "refused") != 0)
		refuse(rule->rule, "second is none of refused and reduced.",
			   "Without the rule a second registration waits in the queue.");
}

static void
read_factor(RtmRule *rule, JsonbValue *value)
{
	double		factor = -1;

	if (value->type == jbvNumeric)
		factor = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													NumericGetDatum(value->val.numeric)));
	if (!(factor >= 0 && factor <= 1))
		refuse(rule->rule, "factor is no number from 0 to 1.",
			   "It is the part of the first partner's greatest discount that the second may have.");
	rule->factor = NumericGetDatum(DatumGetNumericCopy(NumericGetDatum(value->val.numeric)));
}

/*
 * Parameters of the rules that keep the margin; false for what is none of them.
 */
static bool
read_margin(RtmRule *rule, const char *key, JsonbValue *value)
{
	if (rule->kind == RTM_GUARDRAIL && strcmp(key, "approval") == 0)
		rule->approval = read_verdict(rule, key, RTM_WARN, value);
	else if (rule->kind == RTM_GUARDRAIL && strcmp(key, "route") == 0)
	{
		if (value->type != jbvString || value->val.string.len == 0)
			refuse(rule->rule, "route is no name.", "It is a route of revrtm.route.");
		rule->route = string_of(value);
	}
	else if (rule->kind == RTM_INCUMBENT && strcmp(key, "renewal_window") == 0)
		rule->window = read_span(rule, key, value);
	else if (rule->kind == RTM_INCUMBENT && strcmp(key, "term") == 0)
		rule->term = read_span(rule, key, value);
	else if (rule->kind == RTM_SECOND_REGISTRANT && strcmp(key, "second") == 0)
		read_second(rule, value);
	else if (rule->kind == RTM_SECOND_REGISTRANT && strcmp(key, "factor") == 0)
		read_factor(rule, value);
	else if (rule->kind == RTM_TENDER && strcmp(key, "non_exclusive") == 0)
	{
		if (value->type != jbvBool)
			refuse(rule->rule, "non_exclusive is neither true nor false.",
				   "It says whether a registration for a tender keeps nobody out.");
		rule->non_exclusive = value->val.boolean;
	}
	else
		return false;
	return true;
}

/*
 * Read a rule in the current memory context; 22023 where it is none.
 */
static void
read_rule(RtmRule *rule, char *name, char *kind, Jsonb *parameters)
{
	JsonbIterator *it = JsonbIteratorInit(&parameters->root);
	JsonbValue	element;
	JsonbIteratorToken token;
	const char *parameter;

	memset(rule, 0, sizeof(RtmRule));
	rule->rule = name;
	while (rule->kind < RTM_RULE_KINDS && strcmp(rule_kind[rule->kind].kind, kind) != 0)
		rule->kind++;
	if (rule->kind == RTM_RULE_KINDS)
		refuse(name, psprintf("Kind \"%s\" is unknown.", kind),
			   "The kinds are blocked_route, certified, direct_active, duplicate, "
			   "existing_customer, guardrail, incomplete, incumbent, min_amount, partner_tier, "
			   "pending, possible_duplicate, protected, protected_stage, second_registrant, "
			   "tender and territory.");
	if (!JB_ROOT_IS_OBJECT(parameters))
		refuse(name, "parameters is not an object.", "It is {} where nothing is to be said.");
	rule->verdict = rule_kind[rule->kind].verdict;
	parameter = rule_kind[rule->kind].parameter;
	if (rule_kind[rule->kind].lookback != NULL)
		rule->lookback = read_interval(rule, parameter, rule_kind[rule->kind].lookback);
	if (rule->kind == RTM_BLOCKED_ROUTE)
		rule->fields = list_make1("partner_sourced");
	rule->people = 1;
	if (rule->kind == RTM_GUARDRAIL)
	{
		rule->approval = RTM_REVIEW;
		rule->route = "partner_sourced";
	}
	if (rule->kind == RTM_INCUMBENT)
	{
		rule->window = read_interval(rule, "renewal_window", "120 days");
		rule->term = read_interval(rule, "term", "12 months");
	}
	if (rule->kind == RTM_SECOND_REGISTRANT)
		rule->factor = DirectFunctionCall3(numeric_in, CStringGetDatum("0.5"),
										   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		char	   *key;

		if (token != WJB_KEY)
			continue;
		key = string_of(&element);
		JsonbIteratorNext(&it, &element, true);
		if (strcmp(key, "verdict") == 0)
			rule->verdict = read_verdict(rule, key, RTM_WARN, &element);
		else if (rule->kind == RTM_BLOCKED_ROUTE && strcmp(key, "unassigned") == 0)
			rule->unassigned = read_verdict(rule, key, RTM_PASS, &element);
		else if (read_margin(rule, key, &element))
			continue;
		else if (parameter == NULL || strcmp(key, parameter) != 0)
			refuse(name, psprintf("Parameter \"%s\" is unknown to kind %s.", key, kind),
				   rule_kind[rule->kind].takes != NULL
				   ? psprintf("The kind takes %s.", rule_kind[rule->kind].takes)
				   : parameter == NULL ? "The kind takes verdict alone."
				   : psprintf("The kind takes verdict and %s.", parameter));
		else if (rule->kind == RTM_INCOMPLETE || rule->kind == RTM_BLOCKED_ROUTE)
			read_fields(rule, parameter, &element);
		else if (rule->kind == RTM_MIN_AMOUNT)
			read_minimum(rule, &element);
		else if (rule->kind == RTM_CERTIFIED)
			read_people(rule, &element);
		else if (rule->kind == RTM_PARTNER_TIER)
			read_tier(rule, &element);
		else
			rule->lookback = read_span(rule, parameter, &element);
	}
	if (rule->kind == RTM_PARTNER_TIER && rule->tier == NULL)
		refuse(name, "tier is missing.", "It is a tier of revrtm.tier.");
}

/*
 * revrtm.roe_rule_is_valid(rule, kind, parameters)
 */
Datum
revrtm_roe_rule_is_valid(PG_FUNCTION_ARGS)
{
	RtmRule		rule;

	read_rule(&rule, text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)),
			  PG_GETARG_JSONB_P(2));
	PG_RETURN_BOOL(true);
}

static int
compare_rules(const void *a, const void *b)
{
	return strcmp(((const RtmRule *) a)->rule, ((const RtmRule *) b)->rule);
}

const RtmRules *
rtm_read_rules(MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	RtmRules   *rules = palloc0(sizeof(RtmRules));
	Relation	rel = rtm_open_table("roe_rule", AccessShareLock, rule_column,
									 lengthof(rule_column));
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	int			room = 16;

	rules->rule = palloc(room * sizeof(RtmRule));
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		Datum		value[4];
		bool		isnull[4];
		int			i;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < 4; i++)
			value[i] = slot_getattr(slot, i + 1, &isnull[i]);
		if (isnull[0] || isnull[1] || isnull[2] || isnull[3] || !DatumGetBool(value[3]))
			continue;
		if (rules->rules == room)
		{
			room *= 2;
			rules->rule = repalloc_huge(rules->rule, mul_size(room, sizeof(RtmRule)));
		}
		read_rule(&rules->rule[rules->rules++], TextDatumGetCString(value[0]),
				  TextDatumGetCString(value[1]), DatumGetJsonbPCopy(value[2]));
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, AccessShareLock);
	qsort(rules->rule, rules->rules, sizeof(RtmRule), compare_rules);
	MemoryContextSwitchTo(caller);
	return rules;
}
