/*-------------------------------------------------------------------------
 *
 * guard_field.c
 *		What a guarded table says, read as a registration.
 *
 * Columns are known by name, for their numbers do not survive a restore, and
 * looked for by every statement, for nothing keeps the portal from renaming
 * one. Values are read without any cast, which could be of the user's making:
 * they become the owner's.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "guard.h"

typedef enum FieldType
{
	FIELD_TEXT,
	FIELD_CODES,
	FIELD_BOOL,
	FIELD_NUMBER,
	FIELD_DAY,
	FIELD_DAYS,
	FIELD_INSTANT,
	FIELD_JSON
} FieldType;

static const char *const type_text[] = {
	[FIELD_TEXT] = "text, a number without decimals, a uuid or an enum",
	[FIELD_CODES] = "text or text[]",
	[FIELD_BOOL] = "boolean",
	[FIELD_NUMBER] = "numeric, or a number without decimals",
	[FIELD_DAY] = "date or timestamptz",
	[FIELD_DAYS] = "daterange",
	[FIELD_INSTANT] = "timestamptz",
	[FIELD_JSON] = "jsonb"
};

static const struct
{
	const char *name;
	FieldType	type;
	int			column;			/* of the registration; 0: it is part of one */
	bool		of_deals;		/* kind opportunity has it too */
}			field[GUARD_FIELDS] =
{
	[GUARD_ACCOUNT] = {"account", FIELD_TEXT, REG_ACCOUNT, true},
	[GUARD_ACTIVE] = {"active", FIELD_BOOL, 0, true},
	[GUARD_AMOUNT] = {"amount", FIELD_NUMBER, REG_AMOUNT, false},
	[GUARD_CURRENCY] = {"currency", FIELD_TEXT, REG_CURRENCY, false},
	[GUARD_DETAILS] = {"details", FIELD_JSON, REG_DETAILS, false},
	[GUARD_EVIDENCE] = {"evidence", FIELD_JSON, REG_EVIDENCE, false},
	[GUARD_EXCLUSIVE] = {"exclusive", FIELD_BOOL, REG_EXCLUSIVE, false},
	[GUARD_EXPECTED_CLOSE] = {"expected_close", FIELD_DAY, REG_EXPECTED_CLOSE, false},
	[GUARD_FROM] = {"from", FIELD_DAY, 0, true},
	[GUARD_OPPORTUNITY] = {"opportunity", FIELD_TEXT, REG_OPPORTUNITY, true},
	[GUARD_PARTNER] = {"partner", FIELD_TEXT, REG_PARTNER, true},
	[GUARD_PRODUCT] = {"product", FIELD_CODES, REG_PRODUCT_CODES, true},
	[GUARD_PROTECTION] = {"protection", FIELD_DAYS, REG_PROTECTION, true},
	[GUARD_REGION] = {"region", FIELD_CODES, REG_REGION_CODES, true},
	[GUARD_SINCE] = {"since", FIELD_INSTANT, REG_SUBMITTED_AT, true},
	[GUARD_STATUS] = {"status", FIELD_TEXT, 0, true},
	[GUARD_UNTIL] = {"until", FIELD_DAY, 0, true}
};

pg_noreturn static void refuse_columns(const char *message, const char *hint);

static void
refuse_columns(const char *message, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("%s", hint)));
}

static int
field_named(const char *name, bool deals)
{
	StringInfoData names;
	int			i;

	initStringInfo(&names);
	for (i = 0; i < GUARD_FIELDS; i++)
	{
		if (deals && !field[i].of_deals)
			continue;
		if (strcmp(field[i].name, name) == 0)
			return i;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", field[i].name);
	}
	refuse_columns(psprintf("columns has \"%s\", which is nothing that a guard reads", name),
				   psprintf("It reads %s.", names.data));
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static JsonbValue *
find_key(JsonbContainer *object, const char *name)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	return findJsonbValueFromContainer(object, JB_FOBJECT, &key);
}

/*
 * {"column": "state", "values": {"Approved": "approved", ...}}
 */
static void
read_statuses(RtmGuard *guard, JsonbContainer *object)
{
	static const char hint[] = "It is the name of a column, or {\"column\": \"state\", "
		"\"values\": {\"Approved\": \"approved\"}}, with states of revrtm.registration_state.";
	JsonbValue *column = find_key(object, "column");
	JsonbValue *values = find_key(object, "values");
	JsonbIterator *it;
	JsonbValue	element;
	JsonbIteratorToken token;
	char	   *word = NULL;

	if (JsonContainerSize(object) != 2 || column == NULL || column->type != jbvString ||
		values == NULL || values->type != jbvBinary ||
		!JsonContainerIsObject(values->val.binary.data))
		refuse_columns("\"status\" of columns is not valid", hint);
	guard->column[GUARD_STATUS] = string_of(column);
	it = JsonbIteratorInit(values->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			word = string_of(&element);
		else if (token == WJB_VALUE)
		{
			char	   *state = element.type == jbvString ? string_of(&element) : "";

			if (rtm_state(state) == NULL)
				refuse_columns(psprintf("\"status\" of columns gives no state for \"%s\"", word),
							   hint);
			guard->portal_status = lappend(guard->portal_status, word);
			guard->status = lappend(guard->status, state);
		}
	}
}

void
rtm_parse_guard(RtmGuard *guard, const char *kind, Jsonb *columns)
{
	JsonbIterator *it;
	JsonbValue	element;
	JsonbIteratorToken token;
	int			at = 0;
	int			level = 0;

	if (strcmp(kind, "registration") != 0 && strcmp(kind, "opportunity") != 0)
		refuse_columns("kind must be registration or opportunity",
					   "A table of deal registrations, or one of deals.");
	guard->deals = kind[0] == 'o';
	if (!JB_ROOT_IS_OBJECT(columns))
		refuse_columns("columns is no JSON object",
					   "It says which column of the table is what: "
					   "{\"account\": \"customer_id\", \"partner\": \"reseller_id\"}.");
	it = JsonbIteratorInit(&columns->root);
	while ((token = JsonbIteratorNext(&it, &element, level > 0)) != WJB_DONE)
	{
		level = 1;
		if (token == WJB_KEY)
			at = field_named(string_of(&element), guard->deals);
		else if (token == WJB_VALUE && element.type == jbvString)
			guard->column[at] = string_of(&element);
		else if (token == WJB_VALUE && at == GUARD_STATUS && element.type == jbvBinary &&
				 JsonContainerIsObject(element.val.binary.data))
			read_statuses(guard, element.val.binary.data);
		else if (token == WJB_VALUE)
			refuse_columns(psprintf("\"%s\" of columns is no name of a column", field[at].name),
						   "Leave out what the table does not have.");
	}

	if (guard->column[GUARD_ACCOUNT] == NULL ||
		guard->column[guard->deals ? GUARD_OPPORTUNITY : GUARD_PARTNER] == NULL)
		refuse_columns(guard->deals ? "columns must say what is account and opportunity"
					   : "columns must say what is account and partner",
					   "As in {\"account\": \"customer_id\"}.");
	if (guard->column[GUARD_ACTIVE] != NULL && guard->column[GUARD_STATUS] != NULL)
		refuse_columns("columns has both active and status", "Give the one that decides.");
	if (guard->column[GUARD_PROTECTION] != NULL &&
		(guard->column[GUARD_FROM] != NULL || guard->column[GUARD_UNTIL] != NULL))
		refuse_columns("columns has both protection and from or until",
					   "Give the days as one daterange, or by their ends.");
}

static bool
is_word(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case UUIDOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return true;
		default:
			return type_is_enum(type);
	}
}

static bool
fits(FieldType type, Oid of)
{
	switch (type)
	{
		case FIELD_TEXT:
			return is_word(of);
		case FIELD_CODES:
			return is_word(of) || of == TEXTARRAYOID || of == VARCHARARRAYOID;
		case FIELD_BOOL:
			return of == BOOLOID;
		case FIELD_NUMBER:
			return of == NUMERICOID || of == INT2OID || of == INT4OID || of == INT8OID;
		case FIELD_DAY:
			return of == DATEOID || of == TIMESTAMPTZOID;
		case FIELD_DAYS:
			return of == DATERANGEOID;
		case FIELD_INSTANT:
			return of == TIMESTAMPTZOID;
		case FIELD_JSON:
			return of == JSONBOID;
	}
	return false;
}

static Oid
base_type(TupleDesc desc, AttrNumber number)
{
	return getBaseType(TupleDescAttr(desc, number - 1)->atttypid);
}

static AttrNumber
find_column(const RtmGuard *guard, TupleDesc desc, const char *name, int sqlstate)
{
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return att->attnum;
	}
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("guarded table \"%s\" has no column \"%s\"", guard->table, name),
			 errdetail("Its guard reads that column; it was renamed or dropped, or never there."),
			 errhint("Call revrtm.guard('%s', ...) again with the columns as they are now.",
					 quote_qualified_identifier(guard->schema, guard->table)),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, guard->schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, guard->table),
			 err_generic_string(PG_DIAG_COLUMN_NAME, name)));
}

static void
refuse_type(const RtmGuard *guard, const char *name, Oid type, const char *must, int sqlstate)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("column \"%s\" of guarded table \"%s\" is of type %s", name, guard->table,
					format_type_be(type)),
			 errdetail("Its guard reads %s.", must),
			 errhint("Call revrtm.guard('%s', ...) again with another column.",
					 quote_qualified_identifier(guard->schema, guard->table)),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, guard->schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, guard->table),
			 err_generic_string(PG_DIAG_COLUMN_NAME, name)));
}

void
rtm_find_guarded(RtmGuardRow *row, const RtmGuard *guard, TupleDesc desc, int sqlstate)
{
	ListCell   *lc;
	int			i;

	row->guard = guard;
	row->desc = desc;
	row->keys = 0;
	for (i = 0; i < GUARD_FIELDS; i++)
	{
		row->field[i] = 0;
		if (guard->column[i] == NULL)
			continue;
		row->field[i] = find_column(guard, desc, guard->column[i], sqlstate);
		if (!fits(field[i].type, base_type(desc, row->field[i])))
			refuse_type(guard, guard->column[i], TupleDescAttr(desc, row->field[i] - 1)->atttypid,
						psprintf("it as %s: %s", field[i].name, type_text[field[i].type]),
						sqlstate);
	}
	foreach(lc, guard->key)
	{
		AttrNumber	number = find_column(guard, desc, lfirst(lc), sqlstate);

		if (!is_word(base_type(desc, number)))
			refuse_type(guard, lfirst(lc), TupleDescAttr(desc, number - 1)->atttypid,
						psprintf("the primary key: %s", type_text[FIELD_TEXT]), sqlstate);
		row->key[row->keys++] = number;
	}
	if (row->keys == 0)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("guarded table \"%s\" has no primary key", guard->table),
				 errhint("A claim is known by the key of its row: add one that is not "
						 "deferrable."),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, guard->schema),
				 err_generic_string(PG_DIAG_TABLE_NAME, guard->table)));
}

/*
 * A word of the portal's, as text.
 */
static char *
word_of(Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;
	char	   *word;
	int			length;

	if (type == TEXTOID || type == VARCHAROID)
		return TextDatumGetCString(value);
	if (type == BPCHAROID)
	{
		word = TextDatumGetCString(value);
		for (length = strlen(word); length > 0 && word[length - 1] == ' '; length--)
			word[length - 1] = '\0';
		return word;
	}
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

static Datum
codes_of(Datum value, Oid type)
{
	ArrayType  *array;

	if (type == TEXTARRAYOID)
		return value;
	if (type == VARCHARARRAYOID)
	{
		array = DatumGetArrayTypePCopy(value);
		ARR_ELEMTYPE(array) = TEXTOID;
		return PointerGetDatum(array);
	}
	value = CStringGetTextDatum(word_of(value, type));
	return PointerGetDatum(construct_array(&value, 1, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
number_of(Datum value, Oid type)
{
	switch (type)
	{
		case INT2OID:
			return DirectFunctionCall1(int2_numeric, value);
		case INT4OID:
			return DirectFunctionCall1(int4_numeric, value);
		case INT8OID:
			return DirectFunctionCall1(int8_numeric, value);
		default:
			return value;
	}
}

static Datum
day_of(Datum value, Oid type, const RtmProgramme *programme)
{
	if (type == DATEOID)
		return value;
	return DateADTGetDatum(rtm_local_day(DatumGetTimestampTz(value), programme->zone));
}

/*
 * A field of the row in the type of the registration's column.
 */
static Datum
read_field(const RtmGuardRow *row, HeapTuple tuple, int of, const RtmProgramme *programme,
		   bool *isnull)
{
	Oid			type;
	Datum		value;

	*isnull = true;
	if (row->field[of] == 0)
		return (Datum) 0;
	value = heap_getattr(tuple, row->field[of], row->desc, isnull);
	if (*isnull)
		return (Datum) 0;
	type = base_type(row->desc, row->field[of]);
	switch (field[of].type)
	{
		case FIELD_TEXT:
			return CStringGetTextDatum(word_of(value, type));
		case FIELD_CODES:
			return codes_of(value, type);
		case FIELD_NUMBER:
			return number_of(value, type);
		case FIELD_DAY:
			return day_of(value, type, programme);
		default:
			return value;
	}
}

/*
 * The state that the row's status, or active, means.
 */
static const char *
status_of(const RtmGuardRow *row, HeapTuple tuple, const RtmProgramme *programme)
{
	const RtmGuard *guard = row->guard;
	bool		isnull;
	Datum		value;
	char	   *word;
	ListCell   *from;
	ListCell   *to;

	if (row->field[GUARD_ACTIVE] != 0)
	{
		value = read_field(row, tuple, GUARD_ACTIVE, programme, &isnull);
		return !isnull && DatumGetBool(value) ? "approved" : "withdrawn";
	}
	if (row->field[GUARD_STATUS] == 0)
		return "approved";
	value = read_field(row, tuple, GUARD_STATUS, programme, &isnull);
	if (isnull)
		return guard->deals ? "approved" : "draft";
	word = TextDatumGetCString(value);
	forboth(from, guard->portal_status, to, guard->status)
		if (strcmp(lfirst(from), word) == 0)
			return lfirst(to);
	if (rtm_state(word) != NULL)
		return word;
	if (guard->deals)
		return "approved";
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"%s\" is no status of a deal registration", word),
			 errhint("The statuses are those of revrtm.registration_state, and the portal's own "
					 "that its guard translates."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, guard->schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, guard->table),
			 err_generic_string(PG_DIAG_COLUMN_NAME, guard->column[GUARD_STATUS]),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "deal_registration_status")));
}

/*
 * The days from and until; NULL where the row says neither. Without an end
 * they are as many as the programme has.
 */
static void
read_days(RtmGuardClaim *claim, const RtmGuardRow *row, HeapTuple tuple,
		  const RtmProgramme *programme)
{
	bool		no_from;
	bool		no_until;
	Datum		from = read_field(row, tuple, GUARD_FROM, programme, &no_from);
	Datum		until = read_field(row, tuple, GUARD_UNTIL, programme, &no_until);
	RangeBound	lower = {.val = from, .infinite = no_from, .inclusive = true, .lower = true};
	RangeBound	upper = {.val = until, .infinite = no_until};

	if (no_from && no_until)
		return;
	if (!no_from && no_until && !row->guard->deals)
	{
		REG_SET(&claim->reg, REG_PROTECTION,
				rtm_protection_from(programme, DatumGetDateADT(from)));
		return;
	}
	if (!no_from && !no_until && DatumGetDateADT(from) > DatumGetDateADT(until))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("deal registration is not valid: protection has no day"),
				 errhint("It is [from, until): until comes after from."),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, row->guard->schema),
				 err_generic_string(PG_DIAG_TABLE_NAME, row->guard->table),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "deal_registration_protection")));
	REG_SET(&claim->reg, REG_PROTECTION,
			RangeTypePGetDatum(rtm_make_range(lookup_type_cache(DATERANGEOID,
																TYPECACHE_RANGE_INFO),
											  &lower, &upper)));
}

/*
 * The same text under all settings.
 */
static void
append_column(StringInfo text, const RtmRegistration *reg, int column)
{
	Oid			output;
	bool		is_varlena;

	appendStringInfoChar(text, '\n');
	if (REG_ISNULL(reg, column))
		return;
	switch (rtm_reg_column[column - 1].type)
	{
		case DATEOID:
			appendStringInfoString(text, rtm_day_text(DatumGetDateADT(REG_VALUE(reg, column))));
			break;
		case DATERANGEOID:
			appendStringInfoString(text, rtm_range_text(REG_VALUE(reg, column)));
			break;
		case TIMESTAMPTZOID:
			appendStringInfo(text, INT64_FORMAT, DatumGetTimestampTz(REG_VALUE(reg, column)));
			break;
		default:
			getTypeOutputInfo(rtm_reg_column[column - 1].type, &output, &is_varlena);
			escape_json(text, OidOutputFunctionCall(output, REG_VALUE(reg, column)));
	}
}

static char *
key_of(const RtmGuardRow *row, HeapTuple tuple)
{
	StringInfoData key;
	int			i;

	initStringInfo(&key);
	for (i = 0; i < row->keys; i++)
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, row->key[i], row->desc, &isnull);
		char	   *word = isnull ? "" : word_of(value, base_type(row->desc, row->key[i]));

		if (row->keys == 1)
			return word;
		appendStringInfoString(&key, i > 0 ? ", " : "");
		escape_json(&key, word);
	}
	return key.data;
}

void
rtm_read_guarded(RtmGuardClaim *claim, const RtmGuardRow *row, HeapTuple tuple,
				 const RtmProgramme *programme)
{
	RtmRegistration *reg = &claim->reg;
	const char *status;
	const RtmState *state;
	Datum		any = CStringGetTextDatum("ANY");
	StringInfoData seen;
	int			column;
	int			i;

	claim->key = key_of(row, tuple);
	status = status_of(row, tuple, programme);
	state = rtm_state(status);
	memset(reg->isnull, true, sizeof(reg->isnull));
	for (i = 0; i < GUARD_FIELDS; i++)
		if (field[i].column != 0)
			REG_VALUE(reg, field[i].column) =
				read_field(row, tuple, i, programme, &REG_ISNULL(reg, field[i].column));
	read_days(claim, row, tuple, programme);
	REG_SET(reg, REG_STATUS, CStringGetTextDatum(status));
	any = PointerGetDatum(construct_array(&any, 1, TEXTOID, -1, false, TYPALIGN_INT));
	if (row->field[GUARD_PRODUCT] == 0 || (row->guard->deals && REG_ISNULL(reg, REG_PRODUCT_CODES)))
		REG_SET(reg, REG_PRODUCT_CODES, any);
	if (row->field[GUARD_REGION] == 0 || (row->guard->deals && REG_ISNULL(reg, REG_REGION_CODES)))
		REG_SET(reg, REG_REGION_CODES, any);
	if (REG_ISNULL(reg, REG_EXCLUSIVE))
		REG_SET(reg, REG_EXCLUSIVE, BoolGetDatum(true));

	claim->closed = !state->open && !state->active;
	initStringInfo(&seen);
	appendStringInfoString(&seen, status);
	for (column = 1; column <= REG_COLUMNS; column++)
		if (rtm_business_column(column) || column == REG_PROTECTION || column == REG_SUBMITTED_AT)
			append_column(&seen, reg, column);
	claim->seen = seen.data;
}
