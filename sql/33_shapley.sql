-- Shapley: what a channel is worth by what it adds to sets of others.

CREATE TYPE revrtm.coalitions;
CREATE FUNCTION revrtm.coalitions_in(cstring) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_coalitions_in';
COMMENT ON FUNCTION revrtm.coalitions_in(cstring) IS
'Input of coalitions: an array literal of format|scale, then conversions|non_conversions|units of amount|channels for each set; 22P02 where it is none.';
CREATE FUNCTION revrtm.coalitions_out(revrtm.coalitions) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_coalitions_out';
COMMENT ON FUNCTION revrtm.coalitions_out(revrtm.coalitions) IS 'Output of coalitions; the same counts are the same text.';
CREATE FUNCTION revrtm.coalitions_recv(internal) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_coalitions_recv';
COMMENT ON FUNCTION revrtm.coalitions_recv(internal) IS 'Binary input of coalitions: their text.';
CREATE FUNCTION revrtm.coalitions_send(revrtm.coalitions) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_coalitions_send';
COMMENT ON FUNCTION revrtm.coalitions_send(revrtm.coalitions) IS 'Binary output of coalitions: their text.';
CREATE TYPE revrtm.coalitions (
    INPUT = revrtm.coalitions_in,
    OUTPUT = revrtm.coalitions_out,
    RECEIVE = revrtm.coalitions_recv,
    SEND = revrtm.coalitions_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.coalitions IS
'Paths counted by the set of their channels, in whole numbers. Made by coalitions_agg, merged by rollup, read by shapley.';

CREATE FUNCTION revrtm.coalitions_accum(revrtm.coalitions, revrtm.journey, bigint, bigint) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_coalitions_accum';
COMMENT ON FUNCTION revrtm.coalitions_accum(revrtm.coalitions, revrtm.journey, bigint, bigint) IS 'Transition of coalitions_agg.';
CREATE FUNCTION revrtm.coalitions_accum(revrtm.coalitions, revrtm.journey, bigint, bigint, numeric) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_coalitions_accum';
COMMENT ON FUNCTION revrtm.coalitions_accum(revrtm.coalitions, revrtm.journey, bigint, bigint, numeric) IS 'Transition of coalitions_agg.';
CREATE FUNCTION revrtm.coalitions_accum(revrtm.coalitions, text[], bigint, bigint) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_coalitions_accum_path';
COMMENT ON FUNCTION revrtm.coalitions_accum(revrtm.coalitions, text[], bigint, bigint) IS 'Transition of coalitions_agg.';
CREATE FUNCTION revrtm.coalitions_accum(revrtm.coalitions, text[], bigint, bigint, numeric) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_coalitions_accum_path';
COMMENT ON FUNCTION revrtm.coalitions_accum(revrtm.coalitions, text[], bigint, bigint, numeric) IS 'Transition of coalitions_agg.';
CREATE FUNCTION revrtm.coalitions_combine(revrtm.coalitions, revrtm.coalitions) RETURNS revrtm.coalitions
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_coalitions_combine';
COMMENT ON FUNCTION revrtm.coalitions_combine(revrtm.coalitions, revrtm.coalitions) IS 'Sum of two coalitions.';

CREATE AGGREGATE revrtm.coalitions_agg(j revrtm.journey, conversions bigint, non_conversions bigint) (
    SFUNC = revrtm.coalitions_accum, STYPE = revrtm.coalitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.coalitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.coalitions_agg(revrtm.journey, bigint, bigint) IS
'Counts journeys by the set of their channels: a row is a journey that converted and ended otherwise so many times. A NULL count is 0, a row without counts is skipped; a NULL or empty journey has no channels. 22023 for a negative count, 22003 for sums out of range.';
CREATE AGGREGATE revrtm.coalitions_agg(j revrtm.journey, conversions bigint, non_conversions bigint, amount numeric) (
    SFUNC = revrtm.coalitions_accum, STYPE = revrtm.coalitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.coalitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.coalitions_agg(revrtm.journey, bigint, bigint, numeric) IS
'As coalitions_agg(journey, conversions, non_conversions) with what the conversions of the row were worth in all; the amount of a row without conversions does not count.';
CREATE AGGREGATE revrtm.coalitions_agg(path text[], conversions bigint, non_conversions bigint) (
    SFUNC = revrtm.coalitions_accum, STYPE = revrtm.coalitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.coalitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.coalitions_agg(text[], bigint, bigint) IS
'As coalitions_agg(journey, conversions, non_conversions) for the channels of a path; 22004 for a null among them.';
CREATE AGGREGATE revrtm.coalitions_agg(path text[], conversions bigint, non_conversions bigint, amount numeric) (
    SFUNC = revrtm.coalitions_accum, STYPE = revrtm.coalitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.coalitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.coalitions_agg(text[], bigint, bigint, numeric) IS
'As coalitions_agg(journey, conversions, non_conversions, amount) for the channels of a path.';
CREATE AGGREGATE revrtm.rollup(c revrtm.coalitions) (
    SFUNC = revrtm.coalitions_combine, STYPE = revrtm.coalitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.coalitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.coalitions) IS 'Merges stored coalitions, of months for example.';

CREATE FUNCTION revrtm.shapley(
    c revrtm.coalitions, game text DEFAULT 'conversions',
    OUT channel text, OUT conversions double precision, OUT amount numeric
) RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_shapley';
COMMENT ON FUNCTION revrtm.shapley(revrtm.coalitions, text) IS
'Shapley values of channels, exact. Game conversions: a set of channels is worth the conversions of the paths within it; that has a closed form, each path shared equally by its distinct channels, which is the model linear_unique. Game rate: a set is worth the conversions of the paths within it over all paths within it, 0 without any; the values are scaled to the conversions there were, amounts are shared in proportion, and a negative value stands as it is. Both sum exactly. What converted without a touch is (unattributed). 22023 for another game, 54000 for more than 20 channels in the game rate.';
