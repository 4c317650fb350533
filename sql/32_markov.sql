-- Markov: what a channel is worth by its removal from the chain of transitions.

CREATE TYPE revrtm.transitions;
CREATE FUNCTION revrtm.transitions_in(cstring) RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_transitions_in';
COMMENT ON FUNCTION revrtm.transitions_in(cstring) IS
'Input of transitions: an array literal of format|order|repeats|scale, then c|conversions|amount|channels of a state, n|non-conversions|channels and t|count|channels|next channel; 22P02 where these are not counts of whole paths.';
CREATE FUNCTION revrtm.transitions_out(revrtm.transitions) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_transitions_out';
COMMENT ON FUNCTION revrtm.transitions_out(revrtm.transitions) IS 'Output of transitions; the same counts are the same text.';
CREATE FUNCTION revrtm.transitions_recv(internal) RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_transitions_recv';
COMMENT ON FUNCTION revrtm.transitions_recv(internal) IS 'Binary input of transitions: their text.';
CREATE FUNCTION revrtm.transitions_send(revrtm.transitions) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_transitions_send';
COMMENT ON FUNCTION revrtm.transitions_send(revrtm.transitions) IS 'Binary output of transitions: their text.';
CREATE TYPE revrtm.transitions (
    INPUT = revrtm.transitions_in,
    OUTPUT = revrtm.transitions_out,
    RECEIVE = revrtm.transitions_recv,
    SEND = revrtm.transitions_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.transitions IS
'How often each state of paths was followed by which channel, conversion or end, in whole numbers; a state is the last channels, as many as the order says. Made by transitions_agg, merged by rollup, read by markov and transition_matrix.';

CREATE FUNCTION revrtm.transitions_accum(revrtm.transitions, revrtm.journey, bigint, bigint, numeric)
RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_transitions_accum';
COMMENT ON FUNCTION revrtm.transitions_accum(revrtm.transitions, revrtm.journey, bigint, bigint, numeric) IS 'Transition of transitions_agg.';
CREATE FUNCTION revrtm.transitions_accum(revrtm.transitions, revrtm.journey, bigint, bigint, numeric, integer)
RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_transitions_accum';
COMMENT ON FUNCTION revrtm.transitions_accum(revrtm.transitions, revrtm.journey, bigint, bigint, numeric, integer) IS 'Transition of transitions_agg.';
CREATE FUNCTION revrtm.transitions_accum(revrtm.transitions, revrtm.journey, bigint, bigint, numeric, integer, boolean)
RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_transitions_accum';
COMMENT ON FUNCTION revrtm.transitions_accum(revrtm.transitions, revrtm.journey, bigint, bigint, numeric, integer, boolean) IS 'Transition of transitions_agg.';
CREATE FUNCTION revrtm.transitions_accum(revrtm.transitions, text[], bigint, bigint, numeric)
RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_transitions_accum_path';
COMMENT ON FUNCTION revrtm.transitions_accum(revrtm.transitions, text[], bigint, bigint, numeric) IS 'Transition of transitions_agg.';
CREATE FUNCTION revrtm.transitions_accum(revrtm.transitions, text[], bigint, bigint, numeric, integer)
RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_transitions_accum_path';
COMMENT ON FUNCTION revrtm.transitions_accum(revrtm.transitions, text[], bigint, bigint, numeric, integer) IS 'Transition of transitions_agg.';
CREATE FUNCTION revrtm.transitions_accum(revrtm.transitions, text[], bigint, bigint, numeric, integer, boolean)
RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_transitions_accum_path';
COMMENT ON FUNCTION revrtm.transitions_accum(revrtm.transitions, text[], bigint, bigint, numeric, integer, boolean) IS 'Transition of transitions_agg.';
CREATE FUNCTION revrtm.transitions_combine(revrtm.transitions, revrtm.transitions) RETURNS revrtm.transitions
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_transitions_combine';
COMMENT ON FUNCTION revrtm.transitions_combine(revrtm.transitions, revrtm.transitions) IS
'Sum of two transitions; 22023 where their orders differ, or only one has repeats collapsed.';

CREATE AGGREGATE revrtm.transitions_agg(
    j revrtm.journey, conversions bigint, non_conversions bigint, amount numeric
) (
    SFUNC = revrtm.transitions_accum, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.transitions_agg(revrtm.journey, bigint, bigint, numeric) IS
'Counts the transitions of journeys: a row is a journey that converted and ended otherwise so many times, its conversions worth the amount in all. A NULL count is 0, a row without counts is skipped, the amount of a row without conversions does not count; a NULL or empty journey has no channels. 22023 for a negative count, 22003 for sums out of range.';
CREATE AGGREGATE revrtm.transitions_agg(
    j revrtm.journey, conversions bigint, non_conversions bigint, amount numeric, markov_order integer
) (
    SFUNC = revrtm.transitions_accum, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.transitions_agg(revrtm.journey, bigint, bigint, numeric, integer) IS
'As transitions_agg(journey, conversions, non_conversions, amount) with states of the last markov_order channels, 1 (the default) to 3; the same in every row, or 22023.';
CREATE AGGREGATE revrtm.transitions_agg(
    j revrtm.journey, conversions bigint, non_conversions bigint, amount numeric, markov_order integer, collapse boolean
) (
    SFUNC = revrtm.transitions_accum, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.transitions_agg(revrtm.journey, bigint, bigint, numeric, integer, boolean) IS
'As transitions_agg(journey, conversions, non_conversions, amount, markov_order); with collapse the consecutive touches of one channel count once, else a > a > b has a transition from a to a.';
CREATE AGGREGATE revrtm.transitions_agg(
    path text[], conversions bigint, non_conversions bigint, amount numeric
) (
    SFUNC = revrtm.transitions_accum, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.transitions_agg(text[], bigint, bigint, numeric) IS
'As transitions_agg(journey, conversions, non_conversions, amount) for the channels of a path in order; 22004 for a null among them.';
CREATE AGGREGATE revrtm.transitions_agg(
    path text[], conversions bigint, non_conversions bigint, amount numeric, markov_order integer
) (
    SFUNC = revrtm.transitions_accum, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.transitions_agg(text[], bigint, bigint, numeric, integer) IS
'As transitions_agg(journey, conversions, non_conversions, amount, markov_order) for the channels of a path in order.';
CREATE AGGREGATE revrtm.transitions_agg(
    path text[], conversions bigint, non_conversions bigint, amount numeric, markov_order integer, collapse boolean
) (
    SFUNC = revrtm.transitions_accum, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.transitions_agg(text[], bigint, bigint, numeric, integer, boolean) IS
'As transitions_agg(journey, conversions, non_conversions, amount, markov_order, collapse) for the channels of a path in order.';
CREATE AGGREGATE revrtm.rollup(t revrtm.transitions) (
    SFUNC = revrtm.transitions_combine, STYPE = revrtm.transitions, SSPACE = 8000,
    COMBINEFUNC = revrtm.transitions_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.transitions) IS
'Merges stored transitions, of months for example; 22023 where their orders differ, or only some have repeats collapsed.';

CREATE FUNCTION revrtm.markov(
    t revrtm.transitions,
    OUT channel text, OUT removal_effect double precision, OUT conversions double precision, OUT amount numeric
) RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_markov';
COMMENT ON FUNCTION revrtm.markov(revrtm.transitions) IS
'What channels are worth in the Markov chain of the transitions. removal_effect is the share of the conversions that is lost if every path ends where it reaches the channel (a state that contains it); conversions are shared in proportion to it, amounts in proportion to the loss of expected amount, a conversion in a state being worth the mean of those seen there. Both sum exactly. What converted without a touch is (unattributed). Exact: a direct solution for order 1, a certified iteration for orders 2 and 3; never a simulation. 54000 where more than 8192 channels lead to each other, 22003 beyond 2^53 transitions.';

CREATE FUNCTION revrtm.transition_matrix(
    t revrtm.transitions,
    OUT from_state text, OUT to_state text, OUT probability double precision
) RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000
AS 'MODULE_PATHNAME', 'revrtm_transition_matrix';
COMMENT ON FUNCTION revrtm.transition_matrix(revrtm.transitions) IS
'The transitions that occurred, as probabilities: from (start) or a state to a state, (conversion) or (null). A state of several channels reads a > b.';
