/*-------------------------------------------------------------------------
 *
 * roe_margin.c
 *		Rules of engagement that keep the margin: who renews, late stages of
 *		deals, tenders, second registrants, and the discounts asked for.
 *
 * What they rest on is read by functions that the tables' owner alone may
 * call, and that answer no more than the rule needs.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "owner.h"
#include "registration.h"

#define TENDER_KEY "tender_published_at"
#define DISCOUNTS_KEY "discounts"

#define FACT_ARGS 7
#define FACT_ANSWERS 2

/* A question to the owner of the tables: one row of texts. */
typedef struct Fact
{
	int			answers;
	RtmStatement query;
} Fact;

static Fact renewal = {
	1, {
		"SELECT f.until FROM revrtm.renewal_fact($1, $2, $3, $4, $5, $6, $7) f",
		7, {TEXTOID, TEXTOID, INT8MULTIRANGEOID, INTERVALOID, INTERVALOID, INTERVALOID,
		TIMESTAMPTZOID}
	}
};

static Fact stage = {
	1, {
		"SELECT f.protected FROM revrtm.stage_fact($1, $2, $3) f",
		3, {TEXTOID, TEXTOID, INT8MULTIRANGEOID}
	}
};

static Fact late_link = {
	1, {
		"SELECT f.opportunity_id FROM revrtm.link_fact($1, $2, $3) f",
		3, {TEXTOID, TEXTOID, TEXTOID}
	}
};

static Fact second = {
	1, {
		"SELECT f.held FROM revrtm.second_fact($1, $2, $3, $4, $5) f",
		5, {TEXTOID, TEXTOID, INT8MULTIRANGEOID, INT8MULTIRANGEOID, DATERANGEOID}
	}
};

static Fact guardrail = {
	2, {
		"SELECT f.verdict, f.detail FROM revrtm.guardrail_fact($1, $2, $3, $4, $5, $6, $7) f",
		7, {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID, JSONBOID, NUMERICOID, TIMESTAMPTZOID}
	}
};

/*
 * Ask with the rights of the tables' owner; NULL is no value, for arguments
 * (a pointer) and answers alike.
 */
static void
ask_owner(Relation rel, Fact *fact, const NullableDatum *args, char **answer)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		value[FACT_ARGS];
	char		nulls[FACT_ARGS];
	RtmOwnerCall call;

	for (int i = 0; i < fact->query.nargs; i++)
	{
		value[i] = args[i].value;
		nulls[i] = args[i].isnull ? 'n' : ' ';
	}
	rtm_enter_owner(&call, rel);
	rtm_ask(&fact->query, value, nulls);
	for (int i = 0; i < fact->answers; i++)
	{
		bool		isnull;
		Datum		told = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1,
										 &isnull);

		answer[i] = isnull ? NULL : MemoryContextStrdup(caller, TextDatumGetCString(told));
	}
	rtm_leave_owner(&call);
}

static NullableDatum
column(const RtmRegistration *reg, int number)
{
	return (NullableDatum) {REG_VALUE(reg, number), REG_ISNULL(reg, number)};
}

static NullableDatum
known(Datum value)
{
	return (NullableDatum) {value, false};
}

/*
 * What details says under a key; NULL for nothing.
 */
static JsonbValue *
in_details(const RtmRegistration *reg, const char *key)
{
	Jsonb	   *details;
	JsonbValue	name;
	JsonbValue *value;

	if (REG_ISNULL(reg, REG_DETAILS))
		return NULL;
	details = DatumGetJsonbP(REG_VALUE(reg, REG_DETAILS));
	if (!JB_ROOT_IS_OBJECT(details))
		return NULL;
	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	value = findJsonbValueFromContainer(&details->root, JB_FOBJECT, &name);
	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* -------------------------------------------------------------- tenders */

/*
 * A day as YYYY-MM-DD, under every DateStyle.
 */
static bool
read_day(const JsonbValue *value, DateADT *day)
{
	char		text[11];
	int			part[3];
	int			again[3];

	if (value->type != jbvString || value->val.string.len != 10)
		return false;
	memcpy(text, value->val.string.val, 10);
	text[10] = '\0';
	if (strspn(text, "0123456789-") != 10 || text[4] != '-' || text[7] != '-' ||
		sscanf(text, "%4d-%2d-%2d", &part[0], &part[1], &part[2]) != 3)
		return false;
	*day = date2j(part[0], part[1], part[2]);
	j2date(*day, &again[0], &again[1], &again[2]);
	*day -= POSTGRES_EPOCH_JDATE;
	return memcmp(part, again, sizeof(part)) == 0;
}

static void
ask_tender(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	JsonbValue *value = in_details(on->reg, TENDER_KEY);
	TimestampTz submitted = REG_ISNULL(on->reg, REG_SUBMITTED_AT) ? on->at
		: DatumGetTimestampTz(REG_VALUE(on->reg, REG_SUBMITTED_AT));
	DateADT		published;

	if (value == NULL)
		return;
	if (!read_day(value, &published))
	{
		rtm_fail(finding, rule, "details.tender_published_at is no day such as \"2026-06-30\".");
		finding->verdict = RTM_REVIEW;
	}
	else if (rtm_local_day(submitted, on->terms->programme->zone) >= published)
		rtm_fail(finding, rule, psprintf("The tender was published on %s; a registration comes "
										 "before that day.", rtm_day_text(published)));
}

/* --------------------------------------------------- incumbents and stages */

static void
ask_incumbent(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	NullableDatum args[] = {
		column(on->reg, REG_ACCOUNT), column(on->reg, REG_PARTNER), column(on->reg, REG_PRODUCT),
		known(IntervalPGetDatum(rule->lookback)), known(IntervalPGetDatum(rule->term)),
		known(IntervalPGetDatum(rule->window)), known(TimestampTzGetDatum(on->at))
	};
	char	   *until;

	if (!rtm_may_see_deals() || !rtm_may_read("opportunity"))
	{
		rtm_needs_review(finding);
		return;
	}
	ask_owner(on->rel, &renewal, args, &until);
	if (until != NULL)
		rtm_fail(finding, rule, psprintf("The first right to the renewal is the present "
										 "partner's until %s.", until));
}

static void
ask_stage(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	NullableDatum args[] = {
		column(on->reg, REG_ACCOUNT), column(on->reg, REG_PARTNER), column(on->reg, REG_PRODUCT)
	};
	char	   *found;

	if (!rtm_may_see_deals() || !rtm_may_read("opportunity"))
	{
		rtm_needs_review(finding);
		return;
	}
	ask_owner(on->rel, &stage, args, &found);
	if (found != NULL)
		rtm_fail(finding, rule, "An open deal of the account, not with this partner, is in a "
				 "protected stage.");
}

void
rtm_refuse_late_link(RtmTerms *terms, Relation rel, const RtmRegistration *old,
					 const RtmRegistration *new, TimestampTz at)
{
	const RtmRules *rules = rtm_terms_rules(terms);
	NullableDatum args[] = {
		column(old, REG_OPPORTUNITY), column(new, REG_OPPORTUNITY), column(new, REG_PARTNER)
	};

	for (int i = 0; i < rules->rules; i++)
	{
		const RtmRule *rule = &rules->rule[i];
		char	   *deal;

		if (rule->kind != RTM_PROTECTED_STAGE || rule->verdict != RTM_DENY)
			continue;
		ask_owner(rel, &late_link, args, &deal);
		if (deal == NULL)
			return;
		if (rtm_overridden(rel, DatumGetUUIDP(REG_VALUE(new, REG_ID)), rule->rule, at) != NULL)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("deal and discounts of a registration cannot change in a protected "
						"stage"),
				 errdetail("%s (PROTECTED_STAGE): Deal \"%s\" is in a protected stage or closed.",
						   rule->rule, deal),
				 errhint("Override the rule for the registration, with evidence, if it has to be."),
				 errtableconstraint(rel, "roe_excluded")));
	}
}

/* ---------------------------------------------------- second registrants */

/*
 * Does another partner protect some of its scope and days?
 */
static bool
is_second(Relation rel, const RtmRegistration *reg)
{
	NullableDatum args[] = {
		column(reg, REG_ACCOUNT), column(reg, REG_PARTNER), column(reg, REG_PRODUCT),
		column(reg, REG_REGION), column(reg, REG_PROTECTION)
	};
	char	   *held;

	for (int i = 0; i < lengthof(args); i++)
		if (args[i].isnull)
			return false;
	ask_owner(rel, &second, args, &held);
	return held != NULL;
}

static void
ask_second(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	/* By asking for one scope after the other a partner would find the rival's. */
	if (!on->enforce && rtm_actor(on->rel) == RTM_PARTNER)
		rtm_needs_review(finding);
	else if (is_second(on->rel, on->reg))
		rtm_fail(finding, rule, rule->reduced
				 ? "Another partner is first; this one keeps nobody out, at a lower discount."
				 : "Another partner has registered it; there is no second until that ends.");
}

bool
rtm_shares_ground(RtmTerms *terms, Relation rel, const RtmRegistration *reg)
{
	const RtmRules *rules = rtm_terms_rules(terms);

	for (int i = 0; i < rules->rules; i++)
	{
		const RtmRule *rule = &rules->rule[i];

		if (rule->kind == RTM_TENDER && rule->non_exclusive &&
			in_details(reg, TENDER_KEY) != NULL)
			return true;
		if (rule->kind == RTM_SECOND_REGISTRANT && rule->reduced && is_second(rel, reg))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------ guardrails */

/*
 * The part of the greatest discount that is the registration's to have.
 */
static Datum
discount_factor(const RtmCase *on)
{
	const RtmRules *rules = rtm_terms_rules(on->terms);

	for (int i = 0; i < rules->rules; i++)
	{
		const RtmRule *rule = &rules->rule[i];

		if (rule->kind == RTM_SECOND_REGISTRANT && rule->reduced && is_second(on->rel, on->reg))
			return rule->factor;
	}
	return DirectFunctionCall1(int4_numeric, Int32GetDatum(1));
}

bool
rtm_discounts_differ(const RtmRegistration *old, const RtmRegistration *new)
{
	JsonbValue *before = in_details(old, DISCOUNTS_KEY);
	JsonbValue *after = in_details(new, DISCOUNTS_KEY);

	if (before == NULL || after == NULL)
		return before != after;
	return compareJsonbContainers(&JsonbValueToJsonb(before)->root,
								  &JsonbValueToJsonb(after)->root) != 0;
}

static void
ask_guardrail(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	JsonbValue *discounts = in_details(on->reg, DISCOUNTS_KEY);
	char	   *answer[FACT_ANSWERS];

	if (discounts == NULL)
		return;
	if (!rtm_may_see_partner(on->rel, on->reg))
	{
		rtm_needs_review(finding);
		return;
	}
	ask_owner(on->rel, &guardrail, (NullableDatum[]) {
		column(on->reg, REG_PARTNER), column(on->reg, REG_PRODUCT_CODES),
		column(on->reg, REG_REGION_CODES), known(CStringGetTextDatum(rule->route)),
		known(JsonbPGetDatum(JsonbValueToJsonb(discounts))), known(discount_factor(on)),
		known(TimestampTzGetDatum(on->at))
	}, answer);
	if (answer[0] == NULL || strcmp(answer[0], "allowed") == 0)
		return;
	rtm_fail(finding, rule, answer[1]);
	if (strcmp(answer[0], "refused") == 0)
		return;
	finding->verdict = strcmp(answer[0], "approval") == 0 ? rule->approval : RTM_REVIEW;
	if (strcmp(answer[0], "approval") == 0)
		finding->code = "APPROVAL";
}

void
rtm_ask_margin(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	switch (rule->kind)
	{
		case RTM_TENDER:
			ask_tender(on, rule, finding);
			break;
		case RTM_INCUMBENT:
			ask_incumbent(on, rule, finding);
			break;
		case RTM_PROTECTED_STAGE:
			ask_stage(on, rule, finding);
			break;
		case RTM_SECOND_REGISTRANT:
			ask_second(on, rule, finding);
			break;
		case RTM_GUARDRAIL:
			ask_guardrail(on, rule, finding);
			break;
		default:
			break;
	}
}
