-- The journey: the touches of a deal, packed in canonical order.

CREATE TYPE revrtm.journey;

CREATE FUNCTION revrtm.journey_in(cstring) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_in';
COMMENT ON FUNCTION revrtm.journey_in(cstring) IS
'Input of a journey: a text-array literal of channel, channel@instant or channel@instant|LC|OC|#touch_id; 22P02 where it is none.';

CREATE FUNCTION revrtm.journey_out(revrtm.journey) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_out';
COMMENT ON FUNCTION revrtm.journey_out(revrtm.journey) IS
'Output of a journey; instants are ISO 8601 in UTC whatever the session''s settings.';

CREATE FUNCTION revrtm.journey_recv(internal) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_recv';
COMMENT ON FUNCTION revrtm.journey_recv(internal) IS 'Binary input of a journey; 22P03 where it is none.';

CREATE FUNCTION revrtm.journey_send(revrtm.journey) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_send';
COMMENT ON FUNCTION revrtm.journey_send(revrtm.journey) IS 'Binary output of a journey.';

CREATE TYPE revrtm.journey (
    INPUT = revrtm.journey_in,
    OUTPUT = revrtm.journey_out,
    RECEIVE = revrtm.journey_recv,
    SEND = revrtm.journey_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.journey IS
'The touches of one deal in canonical order (touched_at, touch_id bytewise, channel bytewise), packed: 4 to 8 bytes a touch plus each distinct channel once. Timed or not; equal journeys are equal bytes.';

CREATE FUNCTION revrtm.journey_eq(revrtm.journey, revrtm.journey) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_eq';
COMMENT ON FUNCTION revrtm.journey_eq(revrtm.journey, revrtm.journey) IS 'Whether two journeys have the same touches.';

CREATE FUNCTION revrtm.journey_ne(revrtm.journey, revrtm.journey) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_ne';
COMMENT ON FUNCTION revrtm.journey_ne(revrtm.journey, revrtm.journey) IS 'Whether two journeys differ in a touch.';

CREATE FUNCTION revrtm.journey_hash(revrtm.journey) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_hash';
COMMENT ON FUNCTION revrtm.journey_hash(revrtm.journey) IS 'Hash of a journey, for GROUP BY, DISTINCT and hash joins.';

CREATE OPERATOR revrtm.= (
    LEFTARG = revrtm.journey, RIGHTARG = revrtm.journey, FUNCTION = revrtm.journey_eq,
    COMMUTATOR = OPERATOR(revrtm.=), NEGATOR = OPERATOR(revrtm.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR revrtm.= (revrtm.journey, revrtm.journey) IS 'The same touches.';
CREATE OPERATOR revrtm.<> (
    LEFTARG = revrtm.journey, RIGHTARG = revrtm.journey, FUNCTION = revrtm.journey_ne,
    COMMUTATOR = OPERATOR(revrtm.<>), NEGATOR = OPERATOR(revrtm.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR revrtm.<> (revrtm.journey, revrtm.journey) IS 'Not the same touches.';
CREATE OPERATOR CLASS revrtm.journey_ops DEFAULT FOR TYPE revrtm.journey USING hash AS
    OPERATOR 1 revrtm.= , FUNCTION 1 revrtm.journey_hash(revrtm.journey);
COMMENT ON OPERATOR CLASS revrtm.journey_ops USING hash IS 'Hash equality of journeys.';
COMMENT ON OPERATOR FAMILY revrtm.journey_ops USING hash IS 'Hash equality of journeys.';

CREATE FUNCTION revrtm.journey(path text[]) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_from_path';
COMMENT ON FUNCTION revrtm.journey(text[]) IS
'An untimed journey of the channels in order; time decay weighs its touches equally. 22004 for a null element.';

CREATE FUNCTION revrtm.path(journey revrtm.journey) RETURNS text[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_path';
COMMENT ON FUNCTION revrtm.path(revrtm.journey) IS 'The channels of a journey''s touches, in order, repeats included.';

CREATE FUNCTION revrtm.channels(journey revrtm.journey) RETURNS text[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_channels';
COMMENT ON FUNCTION revrtm.channels(revrtm.journey) IS 'The distinct channels of a journey, by first appearance.';

CREATE FUNCTION revrtm.touch_count(journey revrtm.journey) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_touch_count';
COMMENT ON FUNCTION revrtm.touch_count(revrtm.journey) IS 'The number of touches of a journey.';

CREATE FUNCTION revrtm.last_touch(journey revrtm.journey) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_last_touch';
COMMENT ON FUNCTION revrtm.last_touch(revrtm.journey) IS 'When the last touch of a journey was; NULL of an untimed or empty one.';

CREATE FUNCTION revrtm.mark_milestones(
    journey revrtm.journey, lead_created_at timestamptz, created_at timestamptz, won boolean
) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_mark';
COMMENT ON FUNCTION revrtm.mark_milestones(revrtm.journey, timestamptz, timestamptz, boolean) IS
'The journey with its milestones derived: LC on the latest touch not after lead_created_at, OC on the latest not after created_at, CW on the latest touch of a won deal; a milestone without such a touch is absent. 22023 for an untimed journey.';

CREATE FUNCTION revrtm.transform(journey revrtm.journey, transforms text[]) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_transform';
COMMENT ON FUNCTION revrtm.transform(revrtm.journey, text[]) IS
'The journey after these transforms, one after the other. unique: as it is; exposure: a run of touches of one channel counts once, at its first; first: each channel counts once, at its first touch; frequency: likewise, and is renamed to channel(number of its touches); drop(channel): without the touches of the channel, drop_tail(channel): without those at the end, both unless all touches are; cap(n): the last n touches. A touch that stands for others takes their milestones; those of touches that are dropped or capped are lost. The argument is all between the first and the last parenthesis, as it is. 22023 for what is no transform, 22001 where frequency makes a name longer than 1024 bytes.';

-- The aggregates. They have no combine function: partial states by deal cost
-- more than they save.

CREATE FUNCTION revrtm.journey_accum(revrtm.journey, timestamptz, text) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_accum';
COMMENT ON FUNCTION revrtm.journey_accum(revrtm.journey, timestamptz, text) IS 'Transition of journey_agg.';
CREATE FUNCTION revrtm.journey_accum(revrtm.journey, timestamptz, text, text) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_accum';
COMMENT ON FUNCTION revrtm.journey_accum(revrtm.journey, timestamptz, text, text) IS 'Transition of journey_agg.';
CREATE FUNCTION revrtm.journey_accum(revrtm.journey, timestamptz, text, text, text) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_accum';
COMMENT ON FUNCTION revrtm.journey_accum(revrtm.journey, timestamptz, text, text, text) IS 'Transition of journey_agg.';
CREATE FUNCTION revrtm.journey_rollup(revrtm.journey, revrtm.journey) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_rollup';
COMMENT ON FUNCTION revrtm.journey_rollup(revrtm.journey, revrtm.journey) IS 'Transition of rollup(journey).';
CREATE FUNCTION revrtm.journey_final(revrtm.journey) RETURNS revrtm.journey
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_journey_final';
COMMENT ON FUNCTION revrtm.journey_final(revrtm.journey) IS 'Sorts and packs the state of journey_agg and rollup.';

CREATE AGGREGATE revrtm.journey_agg(touched_at timestamptz, channel text) (
    SFUNC = revrtm.journey_accum, STYPE = revrtm.journey, SSPACE = 128,
    FINALFUNC = revrtm.journey_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.journey_agg(timestamptz, text) IS
'Packs the touches of a group into a journey. A row whose touched_at is null is skipped, a null channel counts as (none); 22023 for an infinite instant.';
CREATE AGGREGATE revrtm.journey_agg(touched_at timestamptz, channel text, milestone text) (
    SFUNC = revrtm.journey_accum, STYPE = revrtm.journey, SSPACE = 128,
    FINALFUNC = revrtm.journey_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.journey_agg(timestamptz, text, text) IS
'As journey_agg(touched_at, channel); milestone is FT, LC, OC or CW, several joined by |, NULL for none.';
CREATE AGGREGATE revrtm.journey_agg(touched_at timestamptz, channel text, milestone text, touch_id text) (
    SFUNC = revrtm.journey_accum, STYPE = revrtm.journey, SSPACE = 128,
    FINALFUNC = revrtm.journey_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.journey_agg(timestamptz, text, text, text) IS
'As journey_agg(touched_at, channel, milestone); touch_id orders touches of the same instant, bytewise.';
CREATE AGGREGATE revrtm.rollup(journey revrtm.journey) (
    SFUNC = revrtm.journey_rollup, STYPE = revrtm.journey, SSPACE = 1000,
    FINALFUNC = revrtm.journey_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.journey) IS
'Merges journeys into one; across them equal instants order by touch id where both kept one, else by channel. 22023 where an untimed journey would have to be merged.';
