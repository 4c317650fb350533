/*-------------------------------------------------------------------------
 *
 * response_sample.c
 *		The SQL type response_sample, fit_curve_agg, rollup and fit_curve.
 *
 * A sample is points of spend and response, all with an instant or none.  The
 * value that the aggregates return, and every stored one, is sorted and has
 * no room to spare, so that equal points are equal byte for byte whatever
 * order they came in.  While it grows, points are appended in place, and the
 * free room at the end is inside VARSIZE, because nodeAgg copies that many
 * bytes.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "curve_fit.h"
#include "literal.h"
#include "response_curve.h"

#define SAMPLE_WIRE_VERSION	1
#define MOST_POINTS			1000000
#define FIRST_POINTS		12

typedef struct SamplePoint
{
	double		spend;
	double		response;
	TimestampTz at;				/* zero in a sample without instants */
} SamplePoint;

typedef struct ResponseSample
{
	int32		vl_len_;
	bool		timed;			/* false while there are no points */
	bool		sorted;			/* and without room to spare */
	uint16		unused;			/* always zero */
	uint32		n;
	uint32		unused_too;		/* always zero */
	SamplePoint point[FLEXIBLE_ARRAY_MEMBER];
} ResponseSample;

#define SAMPLE_SIZE(n) (offsetof(ResponseSample, point) + sizeof(SamplePoint) * (Size) (n))

REVRTM_FUNCTION(revrtm_response_sample_in);
REVRTM_FUNCTION(revrtm_response_sample_out);
REVRTM_FUNCTION(revrtm_response_sample_recv);
REVRTM_FUNCTION(revrtm_response_sample_send);
REVRTM_FUNCTION(revrtm_response_sample_accum);
REVRTM_FUNCTION(revrtm_response_sample_combine);
REVRTM_FUNCTION(revrtm_response_sample_final);
REVRTM_FUNCTION(revrtm_fit_curve);

static ResponseSample *
new_sample(Size points)
{
	ResponseSample *sample;

	if (points > MOST_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a response sample cannot have more than %d points", MOST_POINTS),
				 errhint("Sum spend and response by period first.")));
	sample = palloc0(SAMPLE_SIZE(points));
	SET_VARSIZE(sample, SAMPLE_SIZE(points));
	return sample;
}

/*
 * A point as it is kept, without minus zeros; false where spend or response
 * is impossible.
 */
static bool
make_point(SamplePoint *point, double spend, double response, TimestampTz at)
{
	point->spend = spend == 0 ? 0 : spend;
	point->response = response == 0 ? 0 : response;
	point->at = at;
	return isfinite(spend) && spend >= 0 && isfinite(response) && !TIMESTAMP_NOT_FINITE(at);
}

static int
compare_points(const void *left, const void *right)
{
	const SamplePoint *a = left;
	const SamplePoint *b = right;

	CHECK_FOR_INTERRUPTS();
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->spend != b->spend)
		return a->spend < b->spend ? -1 : 1;
	return a->response < b->response ? -1 : a->response > b->response;
}

/*
 * The value in its final form: itself, or a sorted copy.
 */
static const ResponseSample *
finish(const ResponseSample *sample)
{
	ResponseSample *final;

	if (sample->sorted)
		return sample;
	final = new_sample(sample->n);
	final->timed = sample->timed;
	final->sorted = true;
	final->n = sample->n;
	memcpy(final->point, sample->point, sizeof(SamplePoint) * sample->n);
	qsort(final->point, final->n, sizeof(SamplePoint), compare_points);
	return final;
}

#define PG_GETARG_SAMPLE(n) \
	finish((const ResponseSample *) PG_DETOAST_DATUM(PG_GETARG_DATUM(n)))

/* ---------------------------------------------------------- aggregation */

/*
 * Add points; returns the state, which may have moved.
 */
static ResponseSample *
add_points(ResponseSample *state, const SamplePoint *point, uint32 n, bool timed)
{
	Size		room = (VARSIZE(state) - offsetof(ResponseSample, point)) / sizeof(SamplePoint);

	if (n == 0)
		return state;
	if (state->n > 0 && state->timed != timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("points with and without an instant cannot be in one sample"),
				 errhint("Give fit_curve_agg an instant for all of them, or for none.")));
	if (state->n + n > room)
	{
		ResponseSample *larger = new_sample(Max(state->n + n, Min(2 * room, MOST_POINTS)));

		memcpy(larger->point, state->point, sizeof(SamplePoint) * state->n);
		larger->n = state->n;
		state = larger;
	}
	memcpy(state->point + state->n, point, sizeof(SamplePoint) * n);
	state->n += n;
	state->timed = timed;
	state->sorted = false;
	return state;
}

/*
 * The state to change: the aggregate's own, in place, or a new one.
 */
static ResponseSample *
state_to_change(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a response sample can only be changed by an aggregate")));
	if (PG_ARGISNULL(0))
		return new_sample(FIRST_POINTS);
	return (ResponseSample *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
}

/*
 * Transition of fit_curve_agg(spend, response [, at]).
 */
Datum
revrtm_response_sample_accum(PG_FUNCTION_ARGS)
{
	bool		timed = PG_NARGS() > 3;
	SamplePoint point;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (timed && PG_ARGISNULL(3)))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!make_point(&point, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2),
					timed ? PG_GETARG_TIMESTAMPTZ(3) : 0))
	{
		if (!isfinite(point.spend) || point.spend < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("spend must be finite and not negative"),
					 errdetail("It is %s.", DatumGetCString(
						 DirectFunctionCall1(float8out, Float8GetDatum(point.spend)))),
					 errhint("A NULL is skipped.")));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(isfinite(point.response) ? "the instant of a point must be finite" :
						"response must be finite"),
				 errhint("A NULL is skipped.")));
	}
	PG_RETURN_POINTER(add_points(state_to_change(fcinfo), &point, 1, timed));
}

/*
 * Combines two states; also the transition of rollup(response_sample).
 */
Datum
revrtm_response_sample_combine(PG_FUNCTION_ARGS)
{
	const ResponseSample *more;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	more = (const ResponseSample *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(add_points(state_to_change(fcinfo), more->point, more->n, more->timed));
}

/*
 * Final function of both; the state is left as it is.
 */
Datum
revrtm_response_sample_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_SAMPLE(0));
}

/* ------------------------------------------------------ text and binary */

static bool
scan_float8(const char *text, double *value)
{
	char	   *end;

	*value = strtod(text, &end);
	return end != text && *end == '\0';
}

Datum
revrtm_response_sample_in(PG_FUNCTION_ARGS)
{
	int			n;
	char	  **element = rtm_literal_in(PG_GETARG_CSTRING(0), "response_sample", &n);
	ResponseSample *sample = new_sample(n);

	for (int i = 0; i < n; i++)
	{
		const char *cursor = element[i];
		char	   *spend;
		char	   *response = "";
		char	   *instant = "";
		char		separator = rtm_next_field(&cursor, &spend);
		double		x;
		double		y;
		TimestampTz at = 0;
		bool		timed;

		CHECK_FOR_INTERRUPTS();
		if (separator == '|')
			separator = rtm_next_field(&cursor, &response);
		timed = separator == '@';
		if (timed)
			separator = rtm_next_field(&cursor, &instant);
		if (separator != '\0' || !scan_float8(spend, &x) || !scan_float8(response, &y) ||
			(timed && !rtm_scan_instant(instant, &at)))
			rtm_invalid_literal("response_sample", element[i],
								"A point is spend|response or spend|response@instant, such as "
								"250|1200.5@2026-01-31T00:00:00Z.");
		if (i > 0 && timed != sample->timed)
			rtm_invalid_literal("response_sample", element[i],
								"Either all points have an instant or none.");
		sample->timed = timed;
		if (!make_point(&sample->point[i], x, y, at))
			rtm_invalid_literal("response_sample", element[i],
								"Spend is finite and not negative, response finite.");
	}
	sample->n = n;
	PG_RETURN_POINTER(finish(sample));
}

static void
append_float8(StringInfo buf, double value)
{
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, number);
	appendStringInfoString(buf, number);
}

Datum
revrtm_response_sample_out(PG_FUNCTION_ARGS)
{
	const ResponseSample *sample = PG_GETARG_SAMPLE(0);
	char	  **element = palloc(sizeof(char *) * Max(sample->n, 1));
	StringInfoData buf;

	initStringInfo(&buf);
	for (uint32 i = 0; i < sample->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&buf);
		append_float8(&buf, sample->point[i].spend);
		appendStringInfoChar(&buf, '|');
		append_float8(&buf, sample->point[i].response);
		if (sample->timed)
		{
			appendStringInfoChar(&buf, '@');
			rtm_append_instant(&buf, sample->point[i].at);
		}
		element[i] = pnstrdup(buf.data, buf.len);
	}
	PG_RETURN_CSTRING(rtm_literal_out(element, sample->n));
}

Datum
revrtm_response_sample_send(PG_FUNCTION_ARGS)
{
	const ResponseSample *sample = PG_GETARG_SAMPLE(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, SAMPLE_WIRE_VERSION);
	pq_sendbyte(&buf, sample->timed);
	pq_sendint32(&buf, sample->n);
	for (uint32 i = 0; i < sample->n; i++)
	{
		pq_sendfloat8(&buf, sample->point[i].spend);
		pq_sendfloat8(&buf, sample->point[i].response);
		if (sample->timed)
			pq_sendint64(&buf, sample->point[i].at);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static void
invalid_binary(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type response_sample"),
			 errdetail("%s", why)));
}

Datum
revrtm_response_sample_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	ResponseSample *sample;
	int			timed;
	uint32		n;

	if (pq_getmsgbyte(buf) != SAMPLE_WIRE_VERSION)
		invalid_binary("The version is not known.");
	timed = pq_getmsgbyte(buf);
	n = pq_getmsgint(buf, 4);
	if (timed > (n > 0))
		invalid_binary("The flag of instants is neither 0 nor 1, or there are no points.");
	if (n > (uint32) (buf->len - buf->cursor) / (timed ? 24 : 16))
		invalid_binary("There are more points than the message holds.");
	sample = new_sample(n);
	sample->timed = timed;
	sample->n = n;
	for (uint32 i = 0; i < n; i++)
	{
		double		spend = pq_getmsgfloat8(buf);
		double		response = pq_getmsgfloat8(buf);
		TimestampTz at = timed ? pq_getmsgint64(buf) : 0;

		if (!make_point(&sample->point[i], spend, response, at) || !IS_VALID_TIMESTAMP(at))
			invalid_binary("Spend is finite and not negative, response and instant finite.");
	}
	PG_RETURN_POINTER(finish(sample));
}

/* ------------------------------------------------------------ fit_curve */

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

static int
family_argument(const text *name)
{
	int			family = rtm_curve_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	if (family >= 0)
		return family;
	if (VARSIZE_ANY_EXHDR(name) != 4 || memcmp(VARDATA_ANY(name), "auto", 4) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown family of response curve: \"%s\"", text_to_cstring(name)),
				 errhint("The families are linear, log, power, exponential and hill, and auto "
						 "chooses.")));
	return FIT_AUTO;
}

/*
 * Fill in the points to fit: the spend that works at each point, and the
 * response so many points later.
 */
static void
set_points(FitProblem *problem, const ResponseSample *sample, double adstock, int lag)
{
	double	   *spend;
	double	   *response;

	if (!(adstock >= 0 && adstock < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("adstock must be at least 0 and less than 1")));
	if (lag < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lag must not be negative")));
	if ((adstock > 0 || lag > 0) && sample->n > 0 && !sample->timed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("adstock and lag need points with instants"),
				 errhint("Use fit_curve_agg(spend, response, at).")));
	for (uint32 i = 1; (adstock > 0 || lag > 0) && i < sample->n; i++)
	{
		StringInfoData at;

		if (sample->point[i].at != sample->point[i - 1].at)
			continue;
		initStringInfo(&at);
		rtm_append_instant(&at, sample->point[i].at);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("adstock and lag need one point an instant"),
				 errdetail("There are several at %s.", at.data),
				 errhint("Sum spend and response by period first.")));
	}

	problem->n = sample->n > (uint32) lag ? sample->n - lag : 0;
	spend = palloc(sizeof(double) * Max(sample->n, 1));
	response = palloc(sizeof(double) * Max(problem->n, 1));
	for (uint32 i = 0; i < sample->n; i++)
		spend[i] = sample->point[i].spend;
	for (size_t i = 0; i < problem->n; i++)
		response[i] = sample->point[i + lag].response;
	if (adstock > 0)
		rtm_adstock(spend, problem->n, adstock);
	problem->spend = spend;
	problem->response = response;
}

static Datum
error_array(const FitProblem *problem)
{
	int			n = rtm_curve_family[problem->curve.family].parameters;
	int			lower = 1;
	Datum		value[CURVE_PARAMETERS];
	bool		null[CURVE_PARAMETERS];

	for (int i = 0; i < n; i++)
	{
		value[i] = Float8GetDatum(problem->error[i]);
		null[i] = isnan(problem->error[i]);
	}
	return PointerGetDatum(construct_md_array(value, null, 1, &n, &lower, FLOAT8OID,
											  sizeof(float8), FLOAT8PASSBYVAL,
											  TYPALIGN_DOUBLE));
}

/*
 * revrtm.fit_curve(response_sample, family, adstock, lag): one row.
 */
Datum
revrtm_fit_curve(PG_FUNCTION_ARGS)
{
	static const char *const note[] = {
		[FIT_FEW_POINTS] = "few_points",
		[FIT_CONSTANT_SPEND] = "constant_spend",
		[FIT_NO_RESPONSE] = "no_response",
		[FIT_AT_BOUND] = "bound"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const ResponseSample *sample;
	FitProblem	problem = {0};
	Datum		values[6] = {0};
	bool		nulls[6] = {false};

	for (int i = 1; i < 4; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("family, adstock and lag must not be null")));
	}
	sample = PG_ARGISNULL(0) ? finish(new_sample(0)) : PG_GETARG_SAMPLE(0);
	problem.family = family_argument(PG_GETARG_TEXT_PP(1));
	set_points(&problem, sample, PG_GETARG_FLOAT8(2), PG_GETARG_INT32(3));
	problem.note = FIT_FEW_POINTS;
	problem.interrupt = check_interrupts;
	if (problem.n > 0)
	{
		problem.work = palloc(sizeof(double) * FIT_WORK * problem.n);
		switch (rtm_curve_fit(&problem))
		{
			case FIT_DONE:
				break;
			case FIT_ZERO_SPEND:
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("a curve of family %s has no value at zero", "log"),
						 errdetail("A point of the sample has no spend."),
						 errhint("Leave out points without spend, or choose another family.")));
				break;
			case FIT_OUT_OF_RANGE:
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("value out of range: the fitted curve does not fit double "
								"precision")));
				break;
		}
	}

	InitMaterializedSRF(fcinfo, 0);
	values[1] = Int64GetDatum(problem.n);
	if (problem.n > 0)
	{
		values[0] = PointerGetDatum(&problem.curve);
		values[2] = Float8GetDatum(problem.rmse);
		values[3] = Float8GetDatum(problem.r2);
		values[4] = error_array(&problem);
		nulls[3] = isnan(problem.r2);
	}
	else
		nulls[0] = nulls[2] = nulls[3] = nulls[4] = true;
	if (problem.note != FIT_NOTE_NONE)
		values[5] = CStringGetTextDatum(note[problem.note]);
	else
		nulls[5] = true;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return (Datum) 0;
}
