/*-------------------------------------------------------------------------
 *
 * explain.c
 *		credit_rule(): why each touch of a journey has the weight it has.
 *
 * Nothing is computed here that credit() does not compute: which touch holds
 * a position is asked of the rule itself, with that position's share alone.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "credit.h"

REVRTM_FUNCTION(revrtm_credit_rule);

/* A position, the milestone that makes it (0: none is needed), its name. */
static const struct
{
	Position	position;
	uint8		milestone;
	const char *name;
}			key_positions[] = {
	{POSITION_FIRST, 0, "first"},
	{POSITION_LC, MILESTONE_LC, "LC"},
	{POSITION_OC, MILESTONE_OC, "OC"},
	{POSITION_CW, MILESTONE_CW, "CW"},
	{POSITION_LAST, 0, "last"}
};

#define NOBODY	SIZE_MAX

/* What a rule has to say of a deal, found once for all of its touches. */
typedef struct Findings
{
	size_t		holder[lengthof(key_positions)];	/* NOBODY: no touch has it */
	size_t		last_key;		/* the last of them; NOBODY: none is held */
	size_t		middle;			/* touches that share the middle */
} Findings;

/* A share without the zeros at its end. */
static void
append_share(StringInfo out, uint32 share)
{
	int			digits = SHARE_DIGITS;

	appendStringInfo(out, "%u", share / SHARE_ONE);
	if (share % SHARE_ONE == 0)
		return;
	for (share %= SHARE_ONE; share % 10 == 0; share /= 10)
		digits--;
	appendStringInfo(out, ".%0*u", digits, share);
}

/* A span of time in days. */
static void
append_days(StringInfo out, uint64 microseconds)
{
	float8		days = (float8) microseconds / (float8) USECS_PER_DAY;

	appendStringInfo(out, "%.6g day%s", days, days == 1 ? "" : "s");
}

static bool
has_milestone(const TouchColumns *touches, uint8 milestone)
{
	for (size_t i = 0; touches->milestone != NULL && i < touches->n; i++)
	{
		if (touches->milestone[i] & milestone)
			return true;
	}
	return false;
}

static void
find_positions(const ModelRule *rule, const TouchColumns *touches, const Shares *shares,
			   Findings *found)
{
	Shares		asked;

	rtm_shares_init(&asked, touches->n);
	found->last_key = NOBODY;
	found->middle = 0;
	for (int k = 0; k < lengthof(key_positions); k++)
	{
		ModelRule	question = {.kind = MODEL_POSITION};

		found->holder[k] = NOBODY;
		if (rule->share[key_positions[k].position] == 0 ||
			(key_positions[k].milestone != 0 &&
			 !has_milestone(touches, key_positions[k].milestone)))
			continue;
		question.share[key_positions[k].position] = SHARE_ONE;
		rtm_share_deal(&asked, &question, touches);
		for (size_t i = 0; i < touches->n; i++)
		{
			if (asked.units[i] == RTM_DEAL_UNITS)
				found->holder[k] = i;
		}
		if (found->last_key == NOBODY || found->holder[k] > found->last_key)
			found->last_key = found->holder[k];
	}
	for (size_t i = 0; i < touches->n; i++)
	{
		bool		key = false;

		for (int k = 0; k < lengthof(key_positions); k++)
			key |= found->holder[k] == i;
		found->middle += !key && shares->units[i] > 0;
	}
}

static void
explain_position(StringInfo out, const ModelRule *rule, const Findings *found,
				 const Shares *shares, size_t i)
{
	const char *plus = "";

	if (found->last_key == NOBODY)
	{
		appendStringInfoString(out, "no touch holds a position: equal parts");
		return;
	}
	for (int k = 0; k < lengthof(key_positions); k++)
	{
		if (found->holder[k] != i)
			continue;
		appendStringInfo(out, "%s%s ", plus, key_positions[k].name);
		append_share(out, rule->share[key_positions[k].position]);
		plus = " + ";
	}
	if (*plus != '\0')
		return;
	if (shares->units[i] > 0)
	{
		appendStringInfoString(out, "middle ");
		append_share(out, rule->share[POSITION_MIDDLE]);
		appendStringInfo(out, " / %zu", found->middle);
	}
	else if (i > found->last_key)
		appendStringInfoString(out, "after the last position");
	else
		appendStringInfoString(out, "between positions, and the middle has no share");
}

static void
explain_time_decay(StringInfo out, const ModelRule *rule, const TouchColumns *touches, size_t i)
{
	if (touches->touched_at == NULL)
	{
		appendStringInfoString(out, "no instants: equal parts");
		return;
	}
	append_days(out, (uint64) touches->touched_at[touches->n - 1] -
				(uint64) touches->touched_at[i]);
	appendStringInfoString(out, " before the last touch, half for every ");
	append_days(out, rule->half_life);
}

static void
explain_touch(StringInfo out, const ModelRule *rule, const TouchColumns *touches,
			  const Shares *shares, const Findings *found, size_t i)
{
	bool		taken = shares->units[i] > 0;

	switch (rule->kind)
	{
		case MODEL_FIRST:
			appendStringInfoString(out, taken ? "the first touch" : "not the first touch");
			break;
		case MODEL_LAST:
			appendStringInfoString(out, taken ? "the last touch" : "not the last touch");
			break;
		case MODEL_LAST_NON_DIRECT:
			if (touches->direct != NULL && touches->direct[touches->channel[i]])
				appendStringInfoString(out, taken ? "the last touch, for all are direct" :
									   "direct");
			else
				appendStringInfoString(out, taken ? "the last touch that is not direct" :
									   "not the last touch that is not direct");
			break;
		case MODEL_LINEAR:
			appendStringInfo(out, "one of %zu touches", touches->n);
			break;
		case MODEL_LINEAR_UNIQUE:
			if (taken)
				appendStringInfo(out, "the first of its channel, one of %zu channels",
								 touches->channels);
			else
				appendStringInfoString(out, "its channel has counted before");
			break;
		case MODEL_POSITION:
			explain_position(out, rule, found, shares, i);
			break;
		case MODEL_TIME_DECAY:
			explain_time_decay(out, rule, touches, i);
			break;
		case MODEL_MARKOV:
		case MODEL_SHAPLEY:
			appendStringInfoString(out, taken ?
								   "the fitted weight of its channel, shared by its touches" :
								   "its channel has no weight in the fit");
			break;
	}
}

/*
 * revrtm.credit_rule(journey, model)
 */
Datum
revrtm_credit_rule(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Model *model;
	JourneyReader reader;
	TouchColumns touches;
	Shares		shares;
	Findings	found = {0};
	StringInfoData text;

	InitMaterializedSRF(fcinfo, 0);
	model = rtm_credit_touches(fcinfo, &reader, &touches);
	rtm_shares_init(&shares, touches.n);
	rtm_share_deal(&shares, &model->rule, &touches);
	if (model->rule.kind == MODEL_POSITION)
		find_positions(&model->rule, &touches, &shares, &found);

	initStringInfo(&text);
	for (size_t i = 0; i < touches.n; i++)
	{
		uint8		milestone = touches.milestone == NULL ? 0 : touches.milestone[i];
		Datum		values[3];
		bool		nulls[3] = {false, milestone == 0, false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum((int32) i + 1);
		resetStringInfo(&text);
		for (int k = 0; k < MILESTONES; k++)
		{
			if (milestone & rtm_milestones[k].bit)
				appendStringInfo(&text, "%s%s", text.len > 0 ? "|" : "", rtm_milestones[k].code);
		}
		values[1] = CStringGetTextDatum(text.data);
		resetStringInfo(&text);
		if (reader.n == 0)
			appendStringInfoString(&text, "the deal has no touches");
		else
			explain_touch(&text, &model->rule, &touches, &shares, &found, i);
		values[2] = CStringGetTextDatum(text.data);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
