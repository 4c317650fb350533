/*-------------------------------------------------------------------------
 *
 * model.c
 *		Attribution models as the table attribution_model defines them.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "chain.h"
#include "dictionary.h"
#include "model.h"
#include "query_cache.h"

REVRTM_FUNCTION(revrtm_model_is_valid);

static const char *const kinds[] = {
	"first", "last", "last_non_direct", "linear", "linear_unique", "position", "time_decay",
	"markov", "shapley"
};

static const char *const positions[POSITIONS] = {
	"first", "LC", "OC", "CW", "last", "middle"
};

static void
invalid_parameters(const char *kind, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid parameters for an attribution model of kind \"%s\"", kind),
			 errdetail("%s", why)));
}

/* FNV-1a: the same on every machine, since stored credits carry it. */
static uint64
hash_text(uint64 hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (uint8) *s) * UINT64CONST(0x100000001b3);
	return (hash ^ 0xFF) * UINT64CONST(0x100000001b3);
}

/* ----------------------------------------------------------- parameters */

/*
 * A share as units of 10^-9; exact, or an error.
 */
static uint32
share_units(const char *kind, Numeric value)
{
	Datum		scaled = DirectFunctionCall2(numeric_mul, NumericGetDatum(value),
											 NumericGetDatum(int64_to_numeric(SHARE_ONE)));

	if (numeric_is_nan(value) || numeric_is_inf(value) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, scaled,
										 NumericGetDatum(int64_to_numeric(0)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, scaled,
										 NumericGetDatum(int64_to_numeric(SHARE_ONE)))))
		invalid_parameters(kind, "A share must be between 0 and 1.");
	if (DatumGetInt32(DirectFunctionCall1(numeric_min_scale, scaled)) > 0)
		invalid_parameters(kind, "A share has at most nine decimals.");
	return (uint32) DatumGetInt64(DirectFunctionCall1(numeric_int8, scaled));
}

static void
read_share(Model *model, const char *kind, const char *key, const JsonbValue *value)
{
	for (int i = 0; i < POSITIONS; i++)
	{
		if (strcmp(key, positions[i]) == 0)
		{
			if (value->type != jbvNumeric)
				invalid_parameters(kind, "A share must be a number.");
			model->rule.share[i] = share_units(kind, value->val.numeric);
			return;
		}
	}
	invalid_parameters(kind, psprintf("Position \"%s\" is none of first, LC, OC, CW, last and "
									  "middle.", key));
}

static void
read_half_life(Model *model, const char *kind, const JsonbValue *value)
{
	Interval   *span;
	int64		days;

	if (value->type != jbvString)
		invalid_parameters(kind, "The half_life must be an interval such as \"7 days\".");
	span = DatumGetIntervalP(DirectFunctionCall3(interval_in,
												 CStringGetDatum(pnstrdup(value->val.string.val,
																		  value->val.string.len)),
												 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	days = (int64) span->month * DAYS_PER_MONTH + span->day;
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &model->rule.half_life) ||
		pg_add_s64_overflow(model->rule.half_life, span->time, &model->rule.half_life) ||
		model->rule.half_life <= 0)
		invalid_parameters(kind, "The half_life must be longer than nothing.");
}

/*
 * The parameters of fits: revrtm.fit_attribution() takes them from the table.
 */
static void
check_fit_parameter(const Model *model, const char *kind, const char *key, const JsonbValue *value)
{
	if (model->rule.kind == MODEL_MARKOV && strcmp(key, "order") == 0)
	{
		bool		known = false;

		for (int order = 1; order <= CHAIN_MAX_ORDER && value->type == jbvNumeric; order++)
			known |= DatumGetBool(DirectFunctionCall2(numeric_eq,
													  NumericGetDatum(value->val.numeric),
													  NumericGetDatum(int64_to_numeric(order))));
		if (!known)
			invalid_parameters(kind, "The order must be 1, 2 or 3.");
	}
	else if (model->rule.kind == MODEL_MARKOV && strcmp(key, "collapse") == 0)
	{
		if (value->type != jbvBool)
			invalid_parameters(kind, "\"collapse\" must be true or false.");
	}
	else if (model->rule.kind == MODEL_SHAPLEY && strcmp(key, "game") == 0)
	{
		char	   *game = value->type != jbvString ? "" :
		pnstrdup(value->val.string.val, value->val.string.len);

		if (strcmp(game, "rate") != 0 && strcmp(game, "conversions") != 0)
			invalid_parameters(kind, "The game must be rate or conversions.");
	}
	else
		invalid_parameters(kind, psprintf("There is no parameter \"%s\".", key));
}

/*
 * Reads the array of direct channels that follows its key in the iterator.
 */
static void
read_directs(Model *model, const char *kind, JsonbIterator **it, const JsonbValue *value)
{
	JsonbValue	v;

	if (value->type != jbvArray)
		invalid_parameters(kind, "\"direct\" must be an array of channels.");
	model->direct = palloc(sizeof(Bytes) * Max(value->val.array.nElems, 1));
	while (JsonbIteratorNext(it, &v, true) == WJB_ELEM)
	{
		if (v.type != jbvString)
			invalid_parameters(kind, "A direct channel must be a string.");
		model->direct[model->directs].data = pnstrdup(v.val.string.val, v.val.string.len);
		model->direct[model->directs++].len = v.val.string.len;
	}
}

static void
check_parameters(const Model *model, const char *kind)
{
	uint64		sum = 0;

	switch (model->rule.kind)
	{
		case MODEL_POSITION:
			for (int i = 0; i < POSITIONS; i++)
				sum += model->rule.share[i];
			if (sum != SHARE_ONE)
				invalid_parameters(kind,
								   psprintf("The shares sum to " UINT64_FORMAT ".%09u, not to 1.",
											sum / SHARE_ONE, (uint32) (sum % SHARE_ONE)));
			break;
		case MODEL_TIME_DECAY:
			if (model->rule.half_life == 0)
				invalid_parameters(kind, "The half_life is missing, as in "
								   "{\"half_life\": \"7 days\"}.");
			break;
		default:
			break;
	}
}

static void
read_parameters(Model *model, const char *kind, Jsonb *parameters)
{
	JsonbIterator *it = JsonbIteratorInit(&parameters->root);
	JsonbIteratorToken token;
	JsonbValue	v;

	for (int i = 0;; i++)
	{
		if (i == lengthof(kinds))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized kind of attribution model \"%s\"", kind),
					 errhint("The kinds are first, last, last_non_direct, linear, linear_unique, "
							 "position, time_decay, markov and shapley.")));
		if (strcmp(kind, kinds[i]) == 0)
		{
			model->rule.kind = (ModelKind) i;
			break;
		}
	}
	if (!JB_ROOT_IS_OBJECT(parameters))
		invalid_parameters(kind, "The parameters must be an object.");

	JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, false)) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);

		JsonbIteratorNext(&it, &v, false);
		if (model->rule.kind == MODEL_POSITION)
			read_share(model, kind, key, &v);
		else if (model->rule.kind == MODEL_TIME_DECAY && strcmp(key, "half_life") == 0)
			read_half_life(model, kind, &v);
		else if (model->rule.kind == MODEL_LAST_NON_DIRECT && strcmp(key, "direct") == 0)
			read_directs(model, kind, &it, &v);
		else if (rtm_is_fitted(model->rule.kind))
			check_fit_parameter(model, kind, key, &v);
		else
			invalid_parameters(kind, psprintf("There is no parameter \"%s\".", key));
	}
	check_parameters(model, kind);
}

/*
 * revrtm.model_is_valid(kind, parameters): true, or an error that says why.
 */
Datum
revrtm_model_is_valid(PG_FUNCTION_ARGS)
{
	Model		model = {0};

	read_parameters(&model, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_JSONB_P(1));
	PG_RETURN_BOOL(true);
}

/* -------------------------------------------------------------- reading */

static Datum
not_null(HeapTuple row, TupleDesc desc, int column, const char *table)
{
	bool		isnull;
	Datum		value = SPI_getbinval(row, desc, column, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("revrtm.%s holds a null", table)));
	return value;
}

/*
 * All models, in bytewise order of name, in the current memory context. The
 * casts vouch for the types: the table's owner may have altered it.
 */
static Model *
read_table(int *n)
{
	static const char table[] = "attribution_model";
	MemoryContext caller = CurrentMemoryContext;
	Model	   *model;

	SPI_connect();
	if (SPI_execute("SELECT model::pg_catalog.text, kind::pg_catalog.text,"
					" parameters::pg_catalog.jsonb, parameters::pg_catalog.text,"
					" enabled::pg_catalog.bool"
					" FROM revrtm.attribution_model"
					" ORDER BY model::pg_catalog.text COLLATE pg_catalog.\"C\"",
					true, 0) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read attribution_model");
	*n = (int) SPI_processed;
	model = MemoryContextAllocZero(caller, sizeof(Model) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *kind = TextDatumGetCString(not_null(row, desc, 2, table));
		char	   *parameters = TextDatumGetCString(not_null(row, desc, 4, table));
		MemoryContext spi = MemoryContextSwitchTo(caller);

		model[i].name.data = TextDatumGetCString(not_null(row, desc, 1, table));
		model[i].name.len = strlen(model[i].name.data);
		read_parameters(&model[i], kind, DatumGetJsonbP(not_null(row, desc, 3, table)));
		MemoryContextSwitchTo(spi);
		model[i].hash = hash_text(hash_text(UINT64CONST(0xcbf29ce484222325), kind), parameters);
		model[i].enabled = DatumGetBool(not_null(row, desc, 5, table));
	}
	SPI_finish();
	return model;
}

static Model *
find_model(Model *model, int n, text *name)
{
	StringInfoData known;

	for (int i = 0; i < n; i++)
	{
		if (model[i].name.len == VARSIZE_ANY_EXHDR(name) &&
			memcmp(model[i].name.data, VARDATA_ANY(name), model[i].name.len) == 0)
			return &model[i];
	}
	initStringInfo(&known);
	for (int i = 0; i < n; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", model[i].name.data);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown attribution model \"%.*s\"",
					pg_mbcliplen(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name), 64),
					VARDATA_ANY(name)),
			 errhint("The models are %s; a new one is a row of revrtm.attribution_model.",
					 known.data)));
}

/*
 * Read the fit of a model that is shared by one, in the current memory context.
 * It becomes part of the hash: credit under different fits does not add up.
 */
static void
read_fit(Model *model)
{
	static const char table[] = "attribution_fit";
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = TEXTOID;
	Datum		name = PointerGetDatum(cstring_to_text_with_len(model->name.data, model->name.len));
	double	   *weight;
	double		sum = 0;

	if (!rtm_is_fitted(model->rule.kind) || model->weight != NULL)
		return;
	SPI_connect();
	if (SPI_execute_with_args("SELECT channel::pg_catalog.text, weight::pg_catalog.float8"
							  " FROM revrtm.attribution_fit"
							  " WHERE model::pg_catalog.text OPERATOR(pg_catalog.=) $1"
							  " ORDER BY channel::pg_catalog.text COLLATE pg_catalog.\"C\"",
							  1, &type, &name, NULL, true, 0) != SPI_OK_SELECT)
		/* cannot happen */
		elog(ERROR, "could not read attribution_fit");
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("attribution model \"%s\" has not been fitted", model->name.data),
				 errhint("Call revrtm.fit_attribution() for it.")));
	model->fits = (int) SPI_processed;
	model->fit = MemoryContextAlloc(caller, sizeof(Bytes) * model->fits);
	model->weight = MemoryContextAlloc(caller, sizeof(uint64) * model->fits);
	weight = palloc(sizeof(double) * model->fits);
	for (int i = 0; i < model->fits; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		text	   *channel = DatumGetTextPP(not_null(row, desc, 1, table));
		char	   *copy = MemoryContextAllocZero(caller, VARSIZE_ANY_EXHDR(channel) + 1);
		uint64		bits;

		memcpy(copy, VARDATA_ANY(channel), VARSIZE_ANY_EXHDR(channel));
		model->fit[i].data = copy;
		model->fit[i].len = VARSIZE_ANY_EXHDR(channel);
		weight[i] = DatumGetFloat8(not_null(row, desc, 2, table));
		if (!(weight[i] >= 0 && weight[i] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a weight of revrtm.attribution_fit must be between 0 and 1")));
		sum += weight[i];
		memcpy(&bits, &weight[i], sizeof(bits));
		model->hash = hash_text(hash_text(model->hash, copy),
								psprintf("%016llx", (unsigned long long) bits));
	}
	for (int i = 0; i < model->fits; i++)
		model->weight[i] = sum > 0 ? (uint64) (weight[i] / sum * (double) RTM_DEAL_UNITS) : 0;
	SPI_finish();
}

Model *
rtm_read_models(ArrayType *names, int *n)
{
	int			rows;
	Model	   *model = read_table(&rows);

	for (int i = 0; i < rows && names == NULL; i++)
		model[i].chosen = model[i].enabled && !rtm_is_fitted(model[i].rule.kind);
	if (names != NULL)
	{
		Datum	   *element;
		bool	   *isnull;
		int			wanted;

		if (ARR_NDIM(names) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("models must be an array of one dimension")));
		deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &element, &isnull, &wanted);
		for (int i = 0; i < wanted; i++)
		{
			if (isnull[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("an attribution model must not be null")));
			find_model(model, rows, DatumGetTextPP(element[i]))->chosen = true;
		}
	}

	*n = 0;
	for (int i = 0; i < rows; i++)
	{
		if (!model[i].chosen)
			continue;
		read_fit(&model[i]);
		model[(*n)++] = model[i];
	}
	if (*n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at least one attribution model is needed"),
				 errhint("Name one, or enable one in revrtm.attribution_model.")));
	return model;
}

typedef struct QueryModels
{
	Model	   *model;
	int			n;
} QueryModels;

const Model *
rtm_query_model(FmgrInfo *flinfo, text *name)
{
	RtmQueryCache *cache = rtm_query_cache(flinfo);
	MemoryContext caller = MemoryContextSwitchTo(cache->context);
	QueryModels *known = cache->data;
	Model	   *model;

	if (known == NULL)
	{
		known = palloc(sizeof(QueryModels));
		known->model = read_table(&known->n);
		cache->data = known;
	}
	model = find_model(known->model, known->n, name);
	read_fit(model);
	MemoryContextSwitchTo(caller);
	return model;
}

bool *
rtm_direct_channels(const Bytes *direct, int directs, const Bytes *channel, uint32 channels)
{
	bool	   *result;

	if (directs == 0)
		return NULL;
	result = palloc0(Max(channels, 1));
	for (uint32 i = 0; i < channels; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < directs; k++)
		{
			if (direct[k].len == channel[i].len &&
				memcmp(direct[k].data, channel[i].data, channel[i].len) == 0)
				result[i] = true;
		}
	}
	return result;
}

uint64 *
rtm_fitted_weights(const Model *model, const Bytes *channel, uint32 channels)
{
	uint64	   *result;

	if (model->fits == 0)
		return NULL;
	result = palloc0(sizeof(uint64) * Max(channels, 1));
	for (uint32 i = 0; i < channels; i++)
	{
		int			low = 0;
		int			high = model->fits;

		CHECK_FOR_INTERRUPTS();
		while (low < high)
		{
			int			middle = low + (high - low) / 2;
			int			c = rtm_compare_names(channel[i], model->fit[middle]);

			if (c == 0)
				result[i] = model->weight[middle];
			if (c <= 0)
				high = middle;
			else
				low = middle + 1;
		}
	}
	return result;
}

/* --------------------------------------------------------------- shares */

void
rtm_shares_place(Shares *shares, size_t n, uint64 *words)
{
	shares->units = words;
	shares->money = words + n;
	shares->weights.touch = words + 2 * n;
	shares->weights.class = (uint8 *) (words + 3 * n);
	shares->scratch = words + 4 * n;
}

void
rtm_shares_init(Shares *shares, size_t n)
{
	n = Max(n, 1);
	rtm_shares_place(shares, n, palloc_extended(sizeof(uint64) * SHARES_WORDS(n), MCXT_ALLOC_HUGE));
}

void
rtm_share_deal(Shares *shares, const ModelRule *rule, const TouchColumns *touches)
{
	rtm_weights(rule, touches, &shares->weights, shares->scratch);
	CHECK_FOR_INTERRUPTS();
	if (shares->weights.by.classes == 0)
		memcpy(shares->units, shares->weights.touch, sizeof(uint64) * touches->n);
	else
		rtm_split_weights(RTM_DEAL_UNITS, &shares->weights, touches->n, shares->units,
						  shares->scratch);
}

void
rtm_share_money(Shares *shares, size_t n, uint64 total)
{
	CHECK_FOR_INTERRUPTS();
	rtm_split_weights(total, &shares->weights, n, shares->money, shares->scratch);
}
