/*-------------------------------------------------------------------------
 *
 * shapley.c
 *		shapley(): what channels are worth by what they add to sets of others.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/int.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "coalitions.h"
#include "data_driven.h"
#include "shapley_rate.h"

REVRTM_FUNCTION(revrtm_shapley);

static const Bytes unattributed = {CHANNEL_UNATTRIBUTED, sizeof(CHANNEL_UNATTRIBUTED) - 1};

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

static void
add_overflow_checked(rtm_int128 *sum, rtm_int128 value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		rtm_coalitions_out_of_range();
}

static int
compare_ranks(const void *left, const void *right)
{
	uint32		a = *(const uint32 *) left;
	uint32		b = *(const uint32 *) right;

	return (a > b) - (a < b);
}

/*
 * The game in which a set is worth the conversions within it has a closed
 * form: each path's conversions are shared equally by its channels. What does
 * not divide goes to the first channels by name.
 */
static void
share_equally(const Coalitions *c, const uint32 *rank, ChannelValues *values)
{
	rtm_int128 *money = palloc0(sizeof(rtm_int128) * Max(values->n, 1));
	uint32	   *member = palloc(sizeof(uint32) * Max(values->n, 1));

	for (uint32 i = 0; i < c->sets; i++)
	{
		const CoalitionSet *set = &coalition_sets(c)[i];
		rtm_int128	units = (rtm_int128) set->conversions * RTM_DEAL_UNITS;
		rtm_int128	amount = sum_value(set->amount);

		CHECK_FOR_INTERRUPTS();
		if (set->conversions == 0)
			continue;
		for (uint32 k = 0; k < set->size; k++)
			member[k] = rank[coalition_members(c)[set->first + k]];
		if (set->size > 1)
			qsort(member, set->size, sizeof(uint32), compare_ranks);
		for (uint32 k = 0; k < set->size; k++)
		{
			/* Rounded up each time: the first ones have what does not divide. */
			rtm_int128	unit = units / (set->size - k);
			rtm_int128	cent = amount / (set->size - k);

			unit += units % (set->size - k) > 0;
			cent += (amount % (set->size - k) > 0) - (amount % (set->size - k) < 0);
			units -= unit;
			amount -= cent;
			add_overflow_checked(&values->units[member[k]], unit);
			add_overflow_checked(&money[member[k]], cent);
		}
	}
	for (uint32 r = 0; r < values->n; r++)
		values->amount[r] = rtm_money_numeric(money[r], c->scale);
}

/*
 * The game in which a set is worth its rate of conversion, scaled to the
 * conversions there were.
 */
static void
share_by_rate(const Coalitions *c, const uint32 *rank, const uint32 *player, int players,
			  ChannelValues *values)
{
	Size		sets = (Size) 1 << players;
	int64	   *conversions = palloc0(sizeof(int64) * sets);
	int64	   *paths = palloc0(sizeof(int64) * sets);
	double		value[SHAPLEY_MAX_CHANNELS];
	ChannelValues shared;
	int64		all_conversions = 0;
	int64		all_paths = 0;
	rtm_int128	amount = 0;

	for (uint32 i = 0; i < c->sets; i++)
	{
		const CoalitionSet *set = &coalition_sets(c)[i];
		uint32		bits = 0;

		CHECK_FOR_INTERRUPTS();
		if (set->size == 0)
			continue;
		for (uint32 k = 0; k < set->size; k++)
			bits |= (uint32) 1 << player[rank[coalition_members(c)[set->first + k]]];
		conversions[bits] = set->conversions;
		if (pg_add_s64_overflow(set->conversions, set->nulls, &paths[bits]) ||
			pg_add_s64_overflow(all_paths, paths[bits], &all_paths))
			rtm_coalitions_out_of_range();
		all_conversions += set->conversions;
		add_overflow_checked(&amount, sum_value(set->amount));
	}
	for (uint32 r = 0; r < values->n; r++)
		values->amount[r] = rtm_money_numeric(0, c->scale);
	if (all_conversions == 0)
		return;

	rtm_shapley_rate(players, conversions, paths, value, check_interrupts);
	rtm_channel_values_init(&shared, players);
	rtm_share_signed(&shared, value, all_conversions, amount, c->scale);
	for (uint32 r = 0; r < values->n; r++)
	{
		if (player[r] == DICTIONARY_NONE)
			continue;
		values->units[r] = shared.units[player[r]];
		values->amount[r] = shared.amount[player[r]];
	}
}

/*
 * Number the channels that any path has, by name. One that only stands for
 * paths without a channel takes no part.
 */
static uint32 *
number_players(const Coalitions *c, const uint32 *rank, int *players)
{
	uint32		n = coalition_channels(c)->channels;
	uint32	   *player = palloc(sizeof(uint32) * Max(n, 1));
	uint32		number = 0;

	memset(player, 0xFF, sizeof(uint32) * n);
	for (uint32 i = 0; i < c->members; i++)
		player[rank[coalition_members(c)[i]]] = 0;
	for (uint32 r = 0; r < n; r++)
	{
		if (player[r] == 0)
			player[r] = number++;
	}
	if (number > SHAPLEY_MAX_CHANNELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the game \"rate\" takes at most %d channels, not %u",
						SHAPLEY_MAX_CHANNELS, number),
				 errhint("Group the channels, or use the game \"conversions\".")));
	*players = (int) number;
	return player;
}

/*
 * revrtm.shapley(coalitions, game): a row for every channel.
 */
Datum
revrtm_shapley(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Coalitions *c = PG_GETARG_COALITIONS(0);
	text	   *game = PG_GETARG_TEXT_PP(1);
	char	   *name = text_to_cstring(game);
	bool		rate = strcmp(name, "rate") == 0;
	const CoalitionSet *no_touch = NULL;
	const Dictionary *names;
	uint32	   *order;
	uint32	   *rank;
	ChannelValues values;

	if (!rate && strcmp(name, "conversions") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown game \"%.*s\"",
						pg_mbcliplen(name, (int) strlen(name), 64), name),
				 errhint("The games are conversions and rate.")));
	InitMaterializedSRF(fcinfo, 0);

	/* What converted without a touch is a row of its own. */
	for (uint32 i = 0; i < c->sets && no_touch == NULL; i++)
	{
		if (coalition_sets(c)[i].size == 0)
		{
			c = (Coalitions *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
			rtm_coalitions_channel(&c, &unattributed);
			no_touch = &coalition_sets(c)[i];
		}
	}
	names = coalition_channels(c);
	order = rtm_dictionary_order(names);
	rank = palloc(sizeof(uint32) * Max(names->channels, 1));
	for (uint32 r = 0; r < names->channels; r++)
		rank[order[r]] = r;

	rtm_channel_values_init(&values, names->channels);
	if (rate)
	{
		int			players;
		uint32	   *player = number_players(c, rank, &players);

		share_by_rate(c, rank, player, players, &values);
	}
	else
		share_equally(c, rank, &values);

	for (uint32 r = 0; r < names->channels; r++)
	{
		Bytes		channel = dictionary_name(names, order[r]);
		Datum		row[3];
		bool		nulls[3] = {false, false, false};

		CHECK_FOR_INTERRUPTS();
		if (no_touch != NULL && rtm_compare_names(channel, unattributed) == 0)
			rtm_add_channel_value(&values, r, no_touch->conversions,
								  sum_value(no_touch->amount), c->scale);
		row[0] = PointerGetDatum(cstring_to_text_with_len(channel.data, channel.len));
		row[1] = Float8GetDatum(rtm_conversions(values.units[r]));
		row[2] = NumericGetDatum(values.amount[r]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}
