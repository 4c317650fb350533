-- Attribution models, credit by touch and credit by channel.

CREATE FUNCTION revrtm.model_is_valid(kind text, parameters jsonb) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_model_is_valid';
COMMENT ON FUNCTION revrtm.model_is_valid(text, jsonb) IS
'Whether the parameters make a model of that kind: true, or 22023 saying what is wrong.';

CREATE TABLE revrtm.attribution_model (
    model      text PRIMARY KEY CHECK (model <> ''),
    kind       text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    enabled    boolean NOT NULL DEFAULT true,
    shipped    boolean NOT NULL DEFAULT false,
    CONSTRAINT attribution_model_valid CHECK (revrtm.model_is_valid(kind, parameters))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.attribution_model', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.attribution_model IS
'Rules that share a deal between its touches. Insert a row for a model of your own. Shares of absent positions fall to the others pro rata, touches after the last key position hold nothing, a touch with several positions holds their sum.';
COMMENT ON COLUMN revrtm.attribution_model.model IS 'Name of the model.';
COMMENT ON COLUMN revrtm.attribution_model.kind IS
'first, last, last_non_direct, linear, linear_unique (each distinct channel once, at its first touch), position, time_decay, or the data-driven markov and shapley, which fit_attribution() fits.';
COMMENT ON COLUMN revrtm.attribution_model.parameters IS
'position: shares of first, LC, OC, CW, last and middle, decimals that sum to 1; time_decay: half_life, an interval; last_non_direct: direct, an array of channels; markov: order 1 to 3 (1) and collapse (false); shapley: game, rate (the default) or conversions.';
COMMENT ON COLUMN revrtm.attribution_model.enabled IS 'Whether views use it, once fitted if it needs that, and credits_agg without models if it is a rule.';
COMMENT ON COLUMN revrtm.attribution_model.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.attribution_model (model, kind, parameters, shipped) VALUES
('first_touch', 'first', '{}', true),
('last_touch', 'last', '{}', true),
('last_non_direct', 'last_non_direct', '{"direct": ["direct"]}', true),
('linear', 'linear', '{}', true),
('linear_unique', 'linear_unique', '{}', true),
('u_shaped', 'position', '{"first": 0.4, "middle": 0.2, "last": 0.4}', true),
('u_lead', 'position', '{"first": 0.4, "LC": 0.4, "middle": 0.2}', true),
('u_marketo', 'position', '{"first": 0.5, "LC": 0.5}', true),
('w_shaped', 'position', '{"first": 0.3, "LC": 0.3, "OC": 0.3, "middle": 0.1}', true),
('full_path', 'position', '{"first": 0.225, "LC": 0.225, "OC": 0.225, "CW": 0.225, "middle": 0.1}', true),
('j_shaped', 'position', '{"first": 0.2, "middle": 0.2, "last": 0.6}', true),
('inverse_j', 'position', '{"first": 0.6, "middle": 0.2, "last": 0.2}', true),
('time_decay', 'time_decay', '{"half_life": "7 days"}', true),
('time_decay_30d', 'time_decay', '{"half_life": "30 days"}', true),
('markov', 'markov', '{"order": 1}', true),
('shapley', 'shapley', '{"game": "rate"}', true);

CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.attribution_model
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model');
SELECT revrtm.register_policy('revrtm.attribution_model');
GRANT SELECT ON revrtm.attribution_model TO PUBLIC;

CREATE FUNCTION revrtm.split_amount(amount numeric, weights double precision[], scale integer DEFAULT 2)
RETURNS numeric[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_split_amount';
COMMENT ON FUNCTION revrtm.split_amount(numeric, double precision[], integer) IS
'Splits an amount in proportion to weights so that the parts sum to it exactly: floors at the scale, then a minor unit each to the largest remainders, ties to the first. A weight means its shortest decimal, NULL is 0; all zero splits equally; split(-x) = -split(x); an amount finer than the scale is split at its own. 22023 for no weights, a NaN, an infinite or a negative one.';

CREATE FUNCTION revrtm.credit(
    j revrtm.journey, model text, amount numeric DEFAULT NULL, scale integer DEFAULT 2,
    OUT ordinal integer, OUT channel text, OUT touched_at timestamptz,
    OUT weight double precision, OUT amount numeric
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE COST 5 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_credit';
COMMENT ON FUNCTION revrtm.credit(revrtm.journey, text, numeric, integer) IS
'What each touch of a deal earns under a model: weights that sum to 1 and amounts that sum to the amount exactly. A NULL or empty journey is one row, (unattributed). 22023 for an unknown model, 55000 for a data-driven one that has not been fitted.';

CREATE FUNCTION revrtm.credit(
    j revrtm.journey, model text, amount numeric, scale integer, converted numeric, converted_scale integer,
    OUT ordinal integer, OUT channel text, OUT touched_at timestamptz,
    OUT weight double precision, OUT amount numeric, OUT converted numeric
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE COST 5 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_credit';
COMMENT ON FUNCTION revrtm.credit(revrtm.journey, text, numeric, integer, numeric, integer) IS
'As credit(journey, model, amount, scale), and the same deal''s amount in another currency split by the same weights: converted once, in whole, its parts sum to it exactly too.';

CREATE FUNCTION revrtm.touch_weight(
    model text, touched_at timestamptz, channel text DEFAULT NULL, milestone text DEFAULT NULL
) RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE WINDOW
AS 'MODULE_PATHNAME', 'revrtm_touch_weight';
COMMENT ON FUNCTION revrtm.touch_weight(text, timestamptz, text, text) IS
'Weight of a touch among those of its deal, OVER (PARTITION BY deal ORDER BY touched_at, touch_id COLLATE "C", channel COLLATE "C"); they sum to 1. NULL for a touch without an instant. 22023 where touched_at decreases, the model differs within the partition, or needs the channel and has none.';

CREATE FUNCTION revrtm.touch_credit(
    model text, amount numeric, touched_at timestamptz, channel text DEFAULT NULL,
    milestone text DEFAULT NULL, scale integer DEFAULT 2
) RETURNS numeric
LANGUAGE c STABLE PARALLEL SAFE WINDOW
AS 'MODULE_PATHNAME', 'revrtm_touch_credit';
COMMENT ON FUNCTION revrtm.touch_credit(text, numeric, timestamptz, text, text, integer) IS
'Part of the deal''s amount that a touch earns, OVER the same window as touch_weight; the parts sum to the amount exactly. 22023 where the amount or the model differs within the partition.';

-- Credits: sums by model and channel.

CREATE TYPE revrtm.credits;
CREATE FUNCTION revrtm.credits_in(cstring) RETURNS revrtm.credits
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_credits_in';
COMMENT ON FUNCTION revrtm.credits_in(cstring) IS
'Input of credits: an array literal of the scale, the models as name|hash, and channel|number of the model|units|money.';
CREATE FUNCTION revrtm.credits_out(revrtm.credits) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_credits_out';
COMMENT ON FUNCTION revrtm.credits_out(revrtm.credits) IS 'Output of credits; the same sums are the same text.';
CREATE FUNCTION revrtm.credits_recv(internal) RETURNS revrtm.credits
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_credits_recv';
COMMENT ON FUNCTION revrtm.credits_recv(internal) IS 'Binary input of credits: their text.';
CREATE FUNCTION revrtm.credits_send(revrtm.credits) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_credits_send';
COMMENT ON FUNCTION revrtm.credits_send(revrtm.credits) IS 'Binary output of credits: their text.';
CREATE TYPE revrtm.credits (
    INPUT = revrtm.credits_in,
    OUTPUT = revrtm.credits_out,
    RECEIVE = revrtm.credits_recv,
    SEND = revrtm.credits_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.credits IS
'Sums of conversions and money by attribution model and channel, exact; made by credits_agg, merged by rollup, read by channel_credit. Carries a hash of each model''s parameters and fit.';

CREATE FUNCTION revrtm.credits_accum(revrtm.credits, revrtm.journey, numeric) RETURNS revrtm.credits
LANGUAGE c STABLE PARALLEL SAFE COST 60
AS 'MODULE_PATHNAME', 'revrtm_credits_accum';
COMMENT ON FUNCTION revrtm.credits_accum(revrtm.credits, revrtm.journey, numeric) IS 'Transition of credits_agg.';
CREATE FUNCTION revrtm.credits_accum(revrtm.credits, revrtm.journey, numeric, text[]) RETURNS revrtm.credits
LANGUAGE c STABLE PARALLEL SAFE COST 60
AS 'MODULE_PATHNAME', 'revrtm_credits_accum';
COMMENT ON FUNCTION revrtm.credits_accum(revrtm.credits, revrtm.journey, numeric, text[]) IS 'Transition of credits_agg.';
CREATE FUNCTION revrtm.credits_accum(revrtm.credits, revrtm.journey, numeric, text[], integer) RETURNS revrtm.credits
LANGUAGE c STABLE PARALLEL SAFE COST 60
AS 'MODULE_PATHNAME', 'revrtm_credits_accum';
COMMENT ON FUNCTION revrtm.credits_accum(revrtm.credits, revrtm.journey, numeric, text[], integer) IS 'Transition of credits_agg.';
CREATE FUNCTION revrtm.credits_combine(revrtm.credits, revrtm.credits) RETURNS revrtm.credits
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_credits_combine';
COMMENT ON FUNCTION revrtm.credits_combine(revrtm.credits, revrtm.credits) IS
'Sum of two credits of the same models; 22023 where models or their parameters differ.';

CREATE AGGREGATE revrtm.credits_agg(j revrtm.journey, amount numeric) (
    SFUNC = revrtm.credits_accum, STYPE = revrtm.credits, SSPACE = 8000,
    COMBINEFUNC = revrtm.credits_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.credits_agg(revrtm.journey, numeric) IS
'Credit of deals by channel under every enabled rule; one row a deal. A NULL or empty journey counts for (unattributed), a NULL amount for conversions alone. 22003 where a sum exceeds 128 bits.';
CREATE AGGREGATE revrtm.credits_agg(j revrtm.journey, amount numeric, models text[]) (
    SFUNC = revrtm.credits_accum, STYPE = revrtm.credits, SSPACE = 8000,
    COMBINEFUNC = revrtm.credits_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.credits_agg(revrtm.journey, numeric, text[]) IS
'As credits_agg(journey, amount) under the models named, data-driven ones too; the first row''s are taken. 55000 for one that has not been fitted.';
CREATE AGGREGATE revrtm.credits_agg(j revrtm.journey, amount numeric, models text[], scale integer) (
    SFUNC = revrtm.credits_accum, STYPE = revrtm.credits, SSPACE = 8000,
    COMBINEFUNC = revrtm.credits_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.credits_agg(revrtm.journey, numeric, text[], integer) IS
'As credits_agg(journey, amount, models) with the decimals of the currency, 2 by default.';
CREATE AGGREGATE revrtm.rollup(c revrtm.credits) (
    SFUNC = revrtm.credits_combine, STYPE = revrtm.credits, SSPACE = 8000,
    COMBINEFUNC = revrtm.credits_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.credits) IS 'Merges stored credits, of months for example; 22023 where models or their parameters differ.';

CREATE FUNCTION revrtm.channel_credit(
    c revrtm.credits,
    OUT model text, OUT channel text, OUT conversions double precision, OUT amount numeric
) RETURNS SETOF record
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_channel_credit';
COMMENT ON FUNCTION revrtm.channel_credit(revrtm.credits) IS
'A row for every model and channel of the credits: deals and money it earned, in bytewise order of model, then channel.';
