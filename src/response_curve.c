/*-------------------------------------------------------------------------
 *
 * response_curve.c
 *		The SQL type response_curve and its functions.
 *
 * A value is a Curve, of fixed length.  Minus zero is stored as zero, so
 * that equal curves are equal byte for byte.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "parser/scansup.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "response_curve.h"

REVRTM_FUNCTION(revrtm_response_curve_in);
REVRTM_FUNCTION(revrtm_response_curve_out);
REVRTM_FUNCTION(revrtm_response_curve_recv);
REVRTM_FUNCTION(revrtm_response_curve_send);
REVRTM_FUNCTION(revrtm_response_curve_eq);
REVRTM_FUNCTION(revrtm_response_curve_ne);
REVRTM_FUNCTION(revrtm_response_curve_hash);
REVRTM_FUNCTION(revrtm_curve);
REVRTM_FUNCTION(revrtm_curve_value);
REVRTM_FUNCTION(revrtm_curve_slope);

/*
 * Make a curve of parameters from anywhere, or complain.
 */
static void
make_curve(Curve *curve, int family, int parameters, const double *parameter)
{
	const CurveFamily *known = &rtm_curve_family[family];
	int			bad;
	int			i;

	if (parameters != known->parameters)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a curve of family %s has %d parameters, not %d",
						known->name, known->parameters, parameters),
				 errhint("The formula is %s.", known->formula)));

	memset(curve, 0, sizeof(Curve));
	curve->family = family;
	for (i = 0; i < parameters; i++)
		curve->parameter[i] = parameter[i] == 0 ? 0 : parameter[i];

	bad = rtm_curve_bad_parameter(curve);
	if (bad >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter %d of a curve of family %s must be finite%s",
						bad + 1, known->name, bad >= 2 ? " and above zero" : ""),
				 errhint("The formula is %s.", known->formula)));
}

/*
 * The text form: family(parameter, ...), spaces allowed between.
 */
void
rtm_curve_parse(const char *text, Curve *curve)
{
	double		parameter[CURVE_PARAMETERS];
	int			parameters = 0;
	const char *s = text;
	const char *name;
	int			family;

	while (scanner_isspace(*s))
		s++;
	name = s;
	while (*s >= 'a' && *s <= 'z')
		s++;
	family = rtm_curve_find(name, Min(s - name, 100));
	while (scanner_isspace(*s))
		s++;
	if (family < 0 || *s++ != '(')
		goto syntax_error;

	for (;;)
	{
		char	   *end;
		double		value = strtod(s, &end);

		if (end == s)
			goto syntax_error;
		if (parameters < CURVE_PARAMETERS)
			parameter[parameters] = value;
		parameters++;
		s = end;
		while (scanner_isspace(*s))
			s++;
		if (*s == ')')
			break;
		if (*s++ != ',')
			goto syntax_error;
	}
	s++;
	while (scanner_isspace(*s))
		s++;
	if (*s != '\0')
		goto syntax_error;

	make_curve(curve, family, parameters, parameter);
	return;

syntax_error:
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "response_curve", text),
			 errhint("A curve is one of linear(a, b), log(a, b), power(a, b, c), "
					 "exponential(a, b, k) and hill(a, b, k, n), with numbers.")));
}

/*
 * The shortest numbers that read back the same, whatever extra_float_digits.
 */
void
rtm_curve_print(StringInfo out, const Curve *curve)
{
	const CurveFamily *family = &rtm_curve_family[curve->family];
	int			i;

	appendStringInfoString(out, family->name);
	for (i = 0; i < family->parameters; i++)
	{
		char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

		double_to_shortest_decimal_buf(curve->parameter[i], number);
		appendStringInfoChar(out, i == 0 ? '(' : ',');
		appendStringInfoString(out, number);
	}
	appendStringInfoChar(out, ')');
}

void
rtm_curve_write(StringInfo out, const Curve *curve)
{
	int			i;

	pq_sendbyte(out, curve->family);
	for (i = 0; i < rtm_curve_family[curve->family].parameters; i++)
		pq_sendfloat8(out, curve->parameter[i]);
}

void
rtm_curve_read(StringInfo in, Curve *curve)
{
	double		parameter[CURVE_PARAMETERS];
	int			family = pq_getmsgbyte(in);
	int			i;

	if (family >= CURVE_FAMILIES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown family of response curve: %d", family)));
	for (i = 0; i < rtm_curve_family[family].parameters; i++)
		parameter[i] = pq_getmsgfloat8(in);
	make_curve(curve, family, rtm_curve_family[family].parameters, parameter);
}

Datum
revrtm_response_curve_in(PG_FUNCTION_ARGS)
{
	Curve	   *curve = palloc(sizeof(Curve));

	rtm_curve_parse(PG_GETARG_CSTRING(0), curve);
	PG_RETURN_POINTER(curve);
}

Datum
revrtm_response_curve_out(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	rtm_curve_print(&out, PG_GETARG_CURVE(0));
	PG_RETURN_CSTRING(out.data);
}

Datum
revrtm_response_curve_recv(PG_FUNCTION_ARGS)
{
	Curve	   *curve = palloc(sizeof(Curve));

	rtm_curve_read((StringInfo) PG_GETARG_POINTER(0), curve);
	PG_RETURN_POINTER(curve);
}

Datum
revrtm_response_curve_send(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	pq_begintypsend(&out);
	rtm_curve_write(&out, PG_GETARG_CURVE(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

Datum
revrtm_response_curve_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(memcmp(PG_GETARG_CURVE(0), PG_GETARG_CURVE(1), sizeof(Curve)) == 0);
}

Datum
revrtm_response_curve_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(memcmp(PG_GETARG_CURVE(0), PG_GETARG_CURVE(1), sizeof(Curve)) != 0);
}

Datum
revrtm_response_curve_hash(PG_FUNCTION_ARGS)
{
	return hash_any((const unsigned char *) PG_GETARG_CURVE(0), sizeof(Curve));
}

/*
 * revrtm.curve(family text, VARIADIC parameters float8[])
 */
Datum
revrtm_curve(PG_FUNCTION_ARGS)
{
	text	   *name = PG_GETARG_TEXT_PP(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	int			family = rtm_curve_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	Curve	   *curve = palloc(sizeof(Curve));

	if (family < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown family of response curve: \"%s\"", text_to_cstring(name)),
				 errhint("The families are linear, log, power, exponential and hill.")));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the parameters of a curve must be a one-dimensional array")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the parameters of a curve must not be null")));

	make_curve(curve, family, ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
			   (const double *) ARR_DATA_PTR(array));
	PG_RETURN_POINTER(curve);
}

/*
 * The amount to read a curve at.
 */
static double
amount_of(const Curve *curve, double x)
{
	if (!isfinite(x) || x < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the amount to read a response curve at must be finite and not negative")));
	if (x == 0 && rtm_curve_family[curve->family].starts_above_zero)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a curve of family %s has no value at zero",
						rtm_curve_family[curve->family].name)));
	return x == 0 ? 0 : x;
}

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value out of range: the response does not fit double precision")));
}

/*
 * revrtm.curve_value(curve response_curve, x float8)
 */
Datum
revrtm_curve_value(PG_FUNCTION_ARGS)
{
	const Curve *curve = PG_GETARG_CURVE(0);
	double		value = rtm_curve_value(curve, amount_of(curve, PG_GETARG_FLOAT8(1)));

	if (!isfinite(value))
		out_of_range();
	PG_RETURN_FLOAT8(value);
}

/*
 * revrtm.curve_slope(curve response_curve, x float8); infinite where the
 * curve leaves zero vertically.
 */
Datum
revrtm_curve_slope(PG_FUNCTION_ARGS)
{
	const Curve *curve = PG_GETARG_CURVE(0);
	double		x = amount_of(curve, PG_GETARG_FLOAT8(1));
	double		slope = rtm_curve_slope(curve, x);

	if (!isfinite(slope) && x > 0)
		out_of_range();
	PG_RETURN_FLOAT8(slope);
}
