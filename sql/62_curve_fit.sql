-- Response curves from points of spend and response.

CREATE TYPE revrtm.response_sample;

CREATE FUNCTION revrtm.response_sample_in(cstring) RETURNS revrtm.response_sample
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_in';
COMMENT ON FUNCTION revrtm.response_sample_in(cstring) IS
'Reads a response sample from an array literal of points, spend|response or spend|response@instant, in any order; 22P02 for another shape, 54000 for more than a million.';

CREATE FUNCTION revrtm.response_sample_out(revrtm.response_sample) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_out';
COMMENT ON FUNCTION revrtm.response_sample_out(revrtm.response_sample) IS
'A response sample as an array literal of its points in order of instant, spend and response; the shortest numbers that read back the same.';

CREATE FUNCTION revrtm.response_sample_recv(internal) RETURNS revrtm.response_sample
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_recv';
COMMENT ON FUNCTION revrtm.response_sample_recv(internal) IS
'Reads a response sample from the binary protocol, under the same rules as from text; 22P03 where they are broken.';

CREATE FUNCTION revrtm.response_sample_send(revrtm.response_sample) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_send';
COMMENT ON FUNCTION revrtm.response_sample_send(revrtm.response_sample) IS
'Writes a response sample for the binary protocol: version and whether there are instants (bytes), points (int4), and each point.';

CREATE TYPE revrtm.response_sample (
    INPUT = revrtm.response_sample_in,
    OUTPUT = revrtm.response_sample_out,
    RECEIVE = revrtm.response_sample_recv,
    SEND = revrtm.response_sample_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.response_sample IS
'Points of spend and response, all with an instant or none, in a canonical order; made by fit_curve_agg, merged by rollup, read by fit_curve. At most a million points.';

CREATE FUNCTION revrtm.response_sample_accum(revrtm.response_sample, float8, float8) RETURNS revrtm.response_sample
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_accum';
COMMENT ON FUNCTION revrtm.response_sample_accum(revrtm.response_sample, float8, float8) IS 'Transition of fit_curve_agg.';

CREATE FUNCTION revrtm.response_sample_accum(revrtm.response_sample, float8, float8, timestamptz) RETURNS revrtm.response_sample
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_accum';
COMMENT ON FUNCTION revrtm.response_sample_accum(revrtm.response_sample, float8, float8, timestamptz) IS 'Transition of fit_curve_agg.';

CREATE FUNCTION revrtm.response_sample_combine(revrtm.response_sample, revrtm.response_sample) RETURNS revrtm.response_sample
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_combine';
COMMENT ON FUNCTION revrtm.response_sample_combine(revrtm.response_sample, revrtm.response_sample) IS
'The points of two samples together; 22023 where only one has instants. For aggregates alone.';

CREATE FUNCTION revrtm.response_sample_final(revrtm.response_sample) RETURNS revrtm.response_sample
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_sample_final';
COMMENT ON FUNCTION revrtm.response_sample_final(revrtm.response_sample) IS
'The sample in its canonical order: final function of fit_curve_agg and rollup.';

CREATE AGGREGATE revrtm.fit_curve_agg(spend float8, response float8) (
    SFUNC = revrtm.response_sample_accum, STYPE = revrtm.response_sample, SSPACE = 1000,
    COMBINEFUNC = revrtm.response_sample_combine,
    FINALFUNC = revrtm.response_sample_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.fit_curve_agg(float8, float8) IS
'Points of spend and response, one a row, for fit_curve; a row with a NULL is skipped. The order of the rows does not matter. 22023 for spend that is negative or not finite and for a response that is not finite, 54000 for more than a million points.';

CREATE AGGREGATE revrtm.fit_curve_agg(spend float8, response float8, at timestamptz) (
    SFUNC = revrtm.response_sample_accum, STYPE = revrtm.response_sample, SSPACE = 1000,
    COMBINEFUNC = revrtm.response_sample_combine,
    FINALFUNC = revrtm.response_sample_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.fit_curve_agg(float8, float8, timestamptz) IS
'As fit_curve_agg(spend, response) with the instant of each point, which adstock and lag go by.';

CREATE AGGREGATE revrtm.rollup(sample revrtm.response_sample) (
    SFUNC = revrtm.response_sample_combine, STYPE = revrtm.response_sample, SSPACE = 1000,
    COMBINEFUNC = revrtm.response_sample_combine,
    FINALFUNC = revrtm.response_sample_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.response_sample) IS
'Merges stored response samples, of years for example; 22023 where only some have instants.';

CREATE FUNCTION revrtm.fit_curve(
    sample revrtm.response_sample, family text DEFAULT 'auto', adstock float8 DEFAULT 0, lag integer DEFAULT 0
) RETURNS TABLE (curve revrtm.response_curve, n bigint, rmse float8, r2 float8, standard_error float8[], note text)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 5000 ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_fit_curve';
COMMENT ON FUNCTION revrtm.fit_curve(revrtm.response_sample, text, float8, integer) IS
'The curve of a family that leaves the least squares and never falls with spend, one row; auto takes the family with the least AICc among those with diminishing returns (c <= 1, n <= 1). adstock in [0, 1) is the share of each point''s effect that carries over to the next: the curve is in spend weighted (1 - adstock) adstock^j, which steady spend leaves as it is; lag is the number of points by which the response is later. rmse is the root of the mean squared residual, r2 the share of variance explained, standard_error one a parameter, NULL where the points do not tell. note: few_points (fewer than two more than parameters, 4 for auto) or constant_spend: the average return through the origin; no_response: the mean; bound: a shape parameter is at the end of its range (c 0.01 to 10, k the smallest spend to 100 times the largest, n 0.1 to 10); or NULL. A NULL sample has no points, and a sample without points no curve. 22023 for an unknown family, log with a point at zero, adstock or lag out of range, without instants, or with several points an instant; 22003 where the curve does not fit float8.';
