/*-------------------------------------------------------------------------
 *
 * eligibility.c
 *		May a registration be made? What each rule of engagement says.
 *
 * Every rule is asked. What a rule rests on may be nobody's to see but
 * staff's: then the caller is told review, NEEDS_REVIEW, and nothing is
 * looked up, so that neither the answer nor the time it takes tells.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"

#include "owner.h"
#include "registration.h"


static const char *const code[RTM_RULE_KINDS] = {
	[RTM_BLOCKED_ROUTE] = "BLOCKED_ROUTE",
	[RTM_DIRECT_ACTIVE] = "DIRECT_ACTIVE",
	[RTM_DUPLICATE] = "DUP",
	[RTM_EXISTING_CUSTOMER] = "EXISTING_CUSTOMER",
	[RTM_INCOMPLETE] = "INCOMPLETE",
	[RTM_MIN_AMOUNT] = "MIN_AMOUNT",
	[RTM_PENDING] = "PENDING",
	[RTM_PROTECTED] = "PROTECTED",
	[RTM_CERTIFIED] = "CERT",
	[RTM_PARTNER_TIER] = "PARTNER_TIER",
	[RTM_POSSIBLE_DUPLICATE] = "POSSIBLE_DUP",
	[RTM_TERRITORY] = "TERRITORY",
	[RTM_GUARDRAIL] = "DISCOUNT",
	[RTM_INCUMBENT] = "RENEWAL",
	[RTM_PROTECTED_STAGE] = "PROTECTED_STAGE",
	[RTM_SECOND_REGISTRANT] = "SECOND_REGISTRANT",
	[RTM_TENDER] = "TENDER"
};

void
rtm_fail(RtmFinding *finding, const RtmRule *rule, char *detail)
{
	finding->verdict = rule->verdict;
	finding->code = code[rule->kind];
	finding->detail = detail;
}

void
rtm_needs_review(RtmFinding *finding)
{
	finding->verdict = RTM_REVIEW;
	finding->code = "NEEDS_REVIEW";
	finding->detail = "It rests on what channel management alone may see.";
}

/*
 * Is a field of the registration missing: NULL, an empty text or list, or in
 * a JSON object absent, null or an empty text?
 */
static bool
is_missing(const RtmRegistration *reg, const char *field)
{
	int			column = rtm_business_column_named(field);
	bool		in_details = strncmp(field, "details.", 8) == 0;
	const char *key = strchr(field, '.');
	Jsonb	   *object;
	JsonbValue	name;
	JsonbValue *value;

	if (column != 0)
	{
		if (REG_ISNULL(reg, column))
			return true;
		switch (rtm_reg_column[column - 1].type)
		{
			case TEXTOID:
				return VARSIZE_ANY_EXHDR(DatumGetPointer(REG_VALUE(reg, column))) == 0;
			case TEXTARRAYOID:
				return ARR_NDIM(DatumGetArrayTypeP(REG_VALUE(reg, column))) == 0;
			case JSONBOID:
				return JB_ROOT_COUNT(DatumGetJsonbP(REG_VALUE(reg, column))) == 0;
			default:
				return false;
		}
	}
	column = in_details ? REG_DETAILS : REG_EVIDENCE;
	if (REG_ISNULL(reg, column))
		return true;
	object = DatumGetJsonbP(REG_VALUE(reg, column));
	if (!JB_ROOT_IS_OBJECT(object))
		return true;
	name.type = jbvString;
	name.val.string.val = unconstify(char *, key + 1);
	name.val.string.len = strlen(key + 1);
	value = findJsonbValueFromContainer(&object->root, JB_FOBJECT, &name);
	return value == NULL || value->type == jbvNull ||
		(value->type == jbvString && value->val.string.len == 0);
}

static void
ask_incomplete(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	StringInfoData missing;
	ListCell   *lc;

	initStringInfo(&missing);
	foreach(lc, rule->fields)
		if (is_missing(on->reg, lfirst(lc)))
			appendStringInfo(&missing, "%s%s", missing.len > 0 ? ", " : "", (char *) lfirst(lc));
	if (missing.len > 0)
		rtm_fail(finding, rule, psprintf("Required and missing: %s.", missing.data));
}

static void
ask_min_amount(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	char	   *currency = rtm_registration_text(on->reg, REG_CURRENCY);
	ListCell   *name;
	ListCell   *least;

	if (rule->minima == NIL)
		return;
	if (currency == NULL || REG_ISNULL(on->reg, REG_AMOUNT))
	{
		rtm_fail(finding, rule, "The amount or its currency is missing.");
		return;
	}
	forboth(name, rule->currencies, least, rule->minima)
	{
		Datum		minimum = PointerGetDatum(lfirst(least));

		if (strcmp(lfirst(name), currency) != 0)
			continue;
		if (DatumGetBool(DirectFunctionCall2(numeric_lt, REG_VALUE(on->reg, REG_AMOUNT), minimum)))
			rtm_fail(finding, rule,
					 psprintf("The amount is below %s %s.",
							  DatumGetCString(DirectFunctionCall1(numeric_out, minimum)),
							  currency));
		return;
	}
	finding->verdict = RTM_REVIEW;
	finding->code = code[rule->kind];
	finding->detail = psprintf("There is no least amount in %s.", currency);
}

static void
ask_protected(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	RtmRival	rival;

	/* By asking for one scope after the other a partner would find the rival's. */
	if (!on->enforce && rtm_actor(on->rel) == RTM_PARTNER)
		rtm_needs_review(finding);
	else if (rtm_is_exclusive(on->reg) && rtm_find_rival(on->rel, on->reg, on->self, &rival))
		rtm_fail(finding, rule, rtm_may_tell(RelationGetRelid(on->rel), &rival)
				 ? rtm_rival_text(&rival) : RTM_RIVAL_HIDDEN);
}

bool
rtm_may_see_partner(Relation rel, const RtmRegistration *reg)
{
	Datum		partner;
	bool		isnull;

	if (rtm_actor(rel) != RTM_PARTNER)
		return true;
	if (REG_ISNULL(reg, REG_PARTNER))
		return false;
	partner = rtm_current_partner(&isnull);
	return !isnull &&
		DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, partner,
											 REG_VALUE(reg, REG_PARTNER)));
}

static void
ask_duplicate(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	RtmRival	other;

	if (!rtm_may_see_partner(on->rel, on->reg))
		rtm_needs_review(finding);
	else if (rtm_find_other(on->rel, on->reg, RTM_OWN, on->day, on->self,
							&other))
		rtm_fail(finding, rule, rtm_may_tell(RelationGetRelid(on->rel), &other)
				 ? psprintf("The partner's registration %s covers some of it.",
						rtm_uuid_text(&other.id))
				 : "Another registration of the partner covers some of it.");
}

static void
ask_pending(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	RtmRival	other;

	if (rtm_actor(on->rel) == RTM_PARTNER)
		rtm_needs_review(finding);
	else if (rtm_is_exclusive(on->reg) &&
			 rtm_find_other(on->rel, on->reg, RTM_EARLIER, on->day, on->self,
							&other))
		rtm_fail(finding, rule,
				 rtm_may_tell(RelationGetRelid(on->rel), &other)
				 ? psprintf("Registration %s of partner \"%s\" waits longer.",
						rtm_uuid_text(&other.id), other.partner)
				 : "Another registration waits longer.");
}

/*
 * Who is the same has the rule's verdict, who may be is a warning.
 */
static void
ask_possible_duplicate(const RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	RtmVerdict	twin;

	if (rtm_actor(on->rel) == RTM_PARTNER)
	{
		rtm_needs_review(finding);
		return;
	}
	twin = rtm_account_twin(on->rel, on->reg, on->day);
	if (twin == RTM_PASS)
		return;
	rtm_fail(finding, rule, twin == RTM_DENY
			 ? "Another partner has registered it under the id of an account that is the same."
			 : "Another partner has registered an account that may be the same.");
	if (twin == RTM_WARN)
		finding->verdict = RTM_WARN;
}

static bool
may_see_deals_as(Oid relid, Oid user)
{
	return pg_class_aclcheck(relid, user, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, user, true) == RLS_NONE;
}

bool
rtm_may_see_deals(void)
{
	Oid			relid = rtm_relation("deal_journey");

	return may_see_deals_as(relid, GetUserId()) &&
		(GetOuterUserId() == GetUserId() || may_see_deals_as(relid, GetOuterUserId()));
}

/*
 * The instant that lies so far back by the clock of the programme's zone.
 */
static Datum
since(const RtmCase *on, Interval *lookback)
{
	pg_tz	   *zone = on->terms->programme->zone;
	int64		until;
	Timestamp	local = on->at + rtm_zone_offset(zone, on->at, &until);

	local = DatumGetTimestamp(DirectFunctionCall2(timestamp_mi_interval, TimestampGetDatum(local),
												  IntervalPGetDatum(lookback)));
	return TimestampTzGetDatum(rtm_local_instant(local, zone));
}

/*
 * The first enabled rule of a kind, or NULL.
 */
static const RtmRule *
first_of(const RtmCase *on, RtmRuleKind kind)
{
	const RtmRules *rules = on->terms->rules;
	int			i;

	for (i = 0; i < rules->rules; i++)
		if (rules->rule[i].kind == kind)
			return &rules->rule[i];
	return NULL;
}

/*
 * Ask account_fact() with the rights of the tables' owner: for this rule, and
 * in the same scan for the first one of the other kind.
 */
static void
ask_facts(RtmCase *on, const RtmRule *rule)
{
	static RtmStatement facts = {
		"SELECT f.existing_customer::pg_catalog.bool, f.direct_active::pg_catalog.bool"
		" FROM revrtm.account_fact($1, $2, $3, $4, $5) f",
		5, {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
		CURSOR_OPT_GENERIC_PLAN
	};
	Datum		values[5] = {0};
	char		nulls[5];
	RtmOwnerCall call;
	bool		isnull[2];

	on->customer = rule->kind == RTM_EXISTING_CUSTOMER ? rule : first_of(on, RTM_EXISTING_CUSTOMER);
	on->direct = rule->kind == RTM_DIRECT_ACTIVE ? rule : first_of(on, RTM_DIRECT_ACTIVE);
	memset(nulls, ' ', sizeof(nulls));
	values[0] = REG_VALUE(on->reg, REG_ACCOUNT);
	values[1] = REG_VALUE(on->reg, REG_PARTNER);
	nulls[1] = REG_ISNULL(on->reg, REG_PARTNER) ? 'n' : ' ';
	if (on->customer != NULL)
		values[2] = since(on, on->customer->lookback);
	else
		nulls[2] = 'n';
	if (on->direct != NULL)
		values[3] = since(on, on->direct->lookback);
	else
		nulls[3] = 'n';
	values[4] = TimestampTzGetDatum(on->at);

	rtm_enter_owner(&call, on->rel);
	rtm_ask(&facts, values, nulls);
	on->existing_customer =
		DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull[0]));
	on->direct_active =
		DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull[1]));
	rtm_leave_owner(&call);
}

static void
ask_deals(RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	char	   *lookback;

	if (!rtm_may_see_deals())
	{
		rtm_needs_review(finding);
		return;
	}
	if (rule != on->customer && rule != on->direct)
		ask_facts(on, rule);
	if (rule->kind == RTM_EXISTING_CUSTOMER ? !on->existing_customer : !on->direct_active)
		return;
	lookback = rtm_day_text(rtm_local_day(DatumGetTimestampTz(since(on, rule->lookback)),
										  on->terms->programme->zone));
	rtm_fail(finding, rule, rule->kind == RTM_EXISTING_CUSTOMER
			 ? psprintf("The account has bought since %s, not through this partner.", lookback)
			 : psprintf("An open direct deal of the account was active since %s.", lookback));
}

/*
 * Ask partner_fact() with the rights of the tables' owner, but for those who
 * may see the partner's certificates and tier. The rules need no account.
 */
static void
ask_partner(RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	static RtmStatement facts = {
		"SELECT f.certified::pg_catalog.bool, f.has_tier::pg_catalog.bool"
		" FROM revrtm.partner_fact($1, $2, $3, $4, $5) f",
		5, {TEXTOID, TEXTARRAYOID, INT4OID, TEXTOID, TIMESTAMPTZOID}
	};
	Datum		values[5];
	RtmOwnerCall call;
	bool		fact;
	bool		isnull;

	if (REG_ISNULL(on->reg, REG_PARTNER) || REG_ISNULL(on->reg, REG_PRODUCT_CODES))
	{
		finding->verdict = RTM_REVIEW;
		finding->code = "INCOMPLETE";
		finding->detail = "It cannot be asked without partner and products.";
		return;
	}
	if (!rtm_may_see_partner(on->rel, on->reg))
	{
		rtm_needs_review(finding);
		return;
	}
	values[0] = REG_VALUE(on->reg, REG_PARTNER);
	values[1] = REG_VALUE(on->reg, REG_PRODUCT_CODES);
	values[2] = Int32GetDatum(rule->people);
	values[3] = CStringGetTextDatum(rule->tier == NULL ? "" : rule->tier);
	values[4] = TimestampTzGetDatum(on->at);

	rtm_enter_owner(&call, on->rel);
	rtm_ask(&facts, values, NULL);
	fact = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
									  rule->kind == RTM_CERTIFIED ? 1 : 2, &isnull));
	rtm_leave_owner(&call);

	if (fact)
		return;
	rtm_fail(finding, rule, rule->kind == RTM_CERTIFIED
			 ? psprintf("Fewer than %d of the partner's people are certified for one of the "
						"products.", rule->people)
			 : psprintf("The partner's tier is below \"%s\".", rule->tier));
}

/*
 * Can the rule be asked? Scopes and the account may be missing.
 */
static bool
has_scope(const RtmRegistration *reg)
{
	return !REG_ISNULL(reg, REG_ACCOUNT) && !REG_ISNULL(reg, REG_PRODUCT) &&
		!REG_ISNULL(reg, REG_REGION) && !REG_ISNULL(reg, REG_PROTECTION);
}

static void
ask(RtmCase *on, const RtmRule *rule, RtmFinding *finding)
{
	switch (rule->kind)
	{
		case RTM_INCOMPLETE:
			ask_incomplete(on, rule, finding);
			return;
		case RTM_MIN_AMOUNT:
			ask_min_amount(on, rule, finding);
			return;
		case RTM_CERTIFIED:
		case RTM_PARTNER_TIER:
			ask_partner(on, rule, finding);
			return;
		default:
			break;
	}
	if (!has_scope(on->reg))
	{
		finding->verdict = RTM_REVIEW;
		finding->code = "INCOMPLETE";
		finding->detail = "It cannot be asked without account, products and regions.";
		return;
	}
	switch (rule->kind)
	{
		case RTM_PROTECTED:
			ask_protected(on, rule, finding);
			break;
		case RTM_DUPLICATE:
			ask_duplicate(on, rule, finding);
			break;
		case RTM_PENDING:
			ask_pending(on, rule, finding);
			break;
		case RTM_POSSIBLE_DUPLICATE:
			ask_possible_duplicate(on, rule, finding);
			break;
		case RTM_EXISTING_CUSTOMER:
		case RTM_DIRECT_ACTIVE:
			ask_deals(on, rule, finding);
			break;
		case RTM_TERRITORY:
			rtm_ask_territory(on, rule, finding);
			break;
		case RTM_BLOCKED_ROUTE:
			rtm_ask_routes(on, rule, finding);
			break;
		case RTM_GUARDRAIL:
		case RTM_INCUMBENT:
		case RTM_PROTECTED_STAGE:
		case RTM_SECOND_REGISTRANT:
		case RTM_TENDER:
			rtm_ask_margin(on, rule, finding);
			break;
		default:
			break;
	}
}

/*
 * What an override lets pass is a warning.
 */
static void
pass_overridden(const RtmCase *on, RtmFinding *finding)
{
	char	   *until = rtm_overridden(on->rel, on->self, finding->rule, on->at);

	if (until == NULL)
		return;
	finding->verdict = RTM_WARN;
	finding->detail = psprintf("%s It is overridden until %s (%s).", finding->detail, until,
							   finding->code);
	finding->code = "OVERRIDE";
}

static RtmFinding *
judge_rule(RtmCase *on, const RtmRule *rule)
{
	RtmFinding *finding = palloc0(sizeof(RtmFinding));

	finding->rule = rule->rule;
	finding->kind = rule->kind;
	ask(on, rule, finding);
	if (finding->verdict == RTM_DENY && on->self != NULL)
		pass_overridden(on, finding);
	return finding;
}

List *
rtm_judge(RtmTerms *terms, Relation rel, const RtmRegistration *reg, const pg_uuid_t *self,
		  TimestampTz at, bool enforce)
{
	const RtmRules *rules = rtm_terms_rules(terms);
	RtmCase		on = {
		.terms = terms, .rel = rel, .reg = reg, .self = self, .at = at, .enforce = enforce,
		.day = rtm_local_day(at, terms->programme->zone)
	};
	List	   *findings = NIL;
	int			i;

	for (i = 0; i < rules->rules; i++)
	{
		const RtmRule *rule = &rules->rule[i];

		CHECK_FOR_INTERRUPTS();
		if (enforce && rule->verdict != RTM_DENY && rule->unassigned != RTM_DENY &&
			rule->approval != RTM_DENY &&
			(rule->kind != RTM_PROTECTED || rtm_actor(rel) != RTM_PARTNER))
			continue;
		findings = lappend(findings, judge_rule(&on, rule));
	}
	return findings;
}

void
rtm_refuse_discounts(RtmTerms *terms, Relation rel, const RtmRegistration *reg,
					 const pg_uuid_t *self, TimestampTz at)
{
	const RtmRules *rules = rtm_terms_rules(terms);
	RtmCase		on = {
		.terms = terms, .rel = rel, .reg = reg, .self = self, .at = at, .enforce = true,
		.day = rtm_local_day(at, terms->programme->zone)
	};
	List	   *findings = NIL;

	for (int i = 0; i < rules->rules; i++)
		if (rules->rule[i].kind == RTM_GUARDRAIL)
			findings = lappend(findings, judge_rule(&on, &rules->rule[i]));
	rtm_enforce(rel, findings);
}

/*
 * What is refused under a name of its own where nothing else denies.
 */
static const struct
{
	const char *constraint;
	const char *message;
	const char *hint;
}			refusal[] =

{
	{"roe_not_eligible", "deal registration is not eligible",
	"revrtm.roe_explain() tells beforehand what every rule says."},
	{"roe_excluded", "deal registration is excluded",
	"On evidence, such as the customer's letter, channel management can override the rule for a "
	"registration that is there, if only as a draft."},
	{"roe_guardrail", "deal registration breaks a discount guardrail",
	"Ask for a lower discount; channel management can override the rule for a registration that "
	"is there, if only as a draft."}
};

static int
refusal_of(RtmRuleKind kind)
{
	switch (kind)
	{
		case RTM_INCUMBENT:
		case RTM_PROTECTED_STAGE:
		case RTM_SECOND_REGISTRANT:
		case RTM_TENDER:
			return 1;
		case RTM_GUARDRAIL:
			return 2;
		default:
			return 0;
	}
}

void
rtm_enforce(Relation rel, List *findings)
{
	StringInfoData codes;
	StringInfoData details;
	ListCell   *lc;
	int			as = 0;

	initStringInfo(&codes);
	initStringInfo(&details);
	foreach(lc, findings)
	{
		RtmFinding *finding = lfirst(lc);

		if (finding->verdict != RTM_DENY)
			continue;
		as = codes.len == 0 || as == refusal_of(finding->kind) ? refusal_of(finding->kind) : 0;
		appendStringInfo(&codes, "%s%s", codes.len > 0 ? ", " : "", finding->code);
		appendStringInfo(&details, "%s%s (%s): %s", details.len > 0 ? "\n" : "",
						 finding->rule, finding->code, finding->detail);
	}
	if (codes.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("%s: %s", refusal[as].message, codes.data),
				 errdetail("%s", details.data),
				 errhint("%s", refusal[as].hint),
				 errtableconstraint(rel, refusal[as].constraint)));
}
