-- Fits of the data-driven models: channel weights, made on the store when asked
-- for and kept until the next fit, so that credit does not change by itself.

CREATE TABLE revrtm.attribution_fit (
    model       text NOT NULL,
    channel     text NOT NULL,
    weight      double precision NOT NULL CHECK (weight BETWEEN 0 AND 1),
    as_of       timestamptz NOT NULL,
    fitted_at   timestamptz NOT NULL,
    policy_hash text NOT NULL,
    PRIMARY KEY (model, channel)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.attribution_fit', '');
COMMENT ON TABLE revrtm.attribution_fit IS
'Channel weights of the data-driven attribution models, one row a model and channel, written by fit_attribution(). A deal is shared by the weights of its channels, a channel''s part equally by its touches; a channel without a row has weight 0, and a deal none of whose channels has any is shared equally.';
COMMENT ON COLUMN revrtm.attribution_fit.model IS 'Attribution model of kind markov or shapley.';
COMMENT ON COLUMN revrtm.attribution_fit.channel IS 'Channel of touches.';
COMMENT ON COLUMN revrtm.attribution_fit.weight IS 'Share of the conversions that the model credits to the channel, 0 to 1; those of a model sum to 1.';
COMMENT ON COLUMN revrtm.attribution_fit.as_of IS 'Deals that ended by then were fitted.';
COMMENT ON COLUMN revrtm.attribution_fit.fitted_at IS 'When it was fitted.';
COMMENT ON COLUMN revrtm.attribution_fit.policy_hash IS
'Hash of what the fit depends on beside data: the model''s kind and parameters, bindings, attribution policies, revrtm.timezone, revrtm.lookback.';

CREATE FUNCTION revrtm.fit_policy(kind text, parameters jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.md5(pg_catalog.concat_ws('|', kind, parameters, revrtm.refresh_basis()));
END;
COMMENT ON FUNCTION revrtm.fit_policy(text, jsonb) IS 'The policy_hash that a fit of such a model would have now.';

CREATE FUNCTION revrtm.fit_attribution(model text, as_of timestamptz DEFAULT revrtm.as_of())
RETURNS SETOF revrtm.attribution_fit
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    m revrtm.attribution_model;
BEGIN
    SELECT * INTO m FROM revrtm.attribution_model a WHERE a.model = fit_attribution.model;
    IF m IS NULL THEN
        RAISE EXCEPTION 'unknown attribution model "%"', fit_attribution.model
            USING ERRCODE = '22023', HINT = 'A model is a row of revrtm.attribution_model.';
    ELSIF m.kind NOT IN ('markov', 'shapley') THEN
        RAISE EXCEPTION 'attribution model "%" is a rule and has nothing to fit', m.model
            USING ERRCODE = '22023', HINT = 'Models of the kinds markov and shapley are fitted.';
    ELSIF fit_attribution.as_of IS NULL THEN
        RAISE EXCEPTION 'as_of must not be null' USING ERRCODE = '22004';
    END IF;

    -- One fit at a time; readers go on.
    LOCK TABLE revrtm.attribution_fit IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM revrtm.attribution_fit f WHERE f.model = m.model;
    INSERT INTO revrtm.attribution_fit
    WITH deal AS (
        SELECT d.journey, d.is_won::int AS won, (NOT d.is_won)::int AS lost
        FROM revrtm.deal_journey d
        WHERE d.is_closed AND d.ended_at <= fit_attribution.as_of AND d.journey IS NOT NULL
    ), value AS (
        SELECT v.channel, greatest(v.conversions, 0) AS conversions
        FROM (SELECT k.channel, k.conversions
              FROM (SELECT revrtm.transitions_agg(d.journey, d.won, d.lost, NULL,
                               coalesce((m.parameters ->> 'order')::int, 1),
                               coalesce((m.parameters ->> 'collapse')::boolean, false)) AS t
                    FROM deal d WHERE m.kind = 'markov') s, revrtm.markov(s.t) k
              UNION ALL
              SELECT k.channel, k.conversions
              FROM (SELECT revrtm.coalitions_agg(d.journey, d.won, d.lost) AS c
                    FROM deal d WHERE m.kind = 'shapley') s,
                   revrtm.shapley(s.c, coalesce(m.parameters ->> 'game', 'rate')) k) v
    )
    -- In an order of its own, so that the sum is the same to the bit.
    SELECT m.model, v.channel,
           v.conversions / (SELECT sum(w.conversions ORDER BY w.channel COLLATE "C") FROM value w),
           fit_attribution.as_of, now(), revrtm.fit_policy(m.kind, m.parameters)
    FROM value v
    WHERE (SELECT sum(w.conversions) FROM value w) > 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no won deal with touches ended by %', to_jsonb(fit_attribution.as_of) #>> '{}'
            USING ERRCODE = '55000',
                  DETAIL = 'Won deals convert and lost ones do not; open ones and those that nobody knows the end of are left out.',
                  HINT = 'Bring the store up to date by revrtm.refresh_journeys().';
    END IF;
    RETURN QUERY
    SELECT f.* FROM revrtm.attribution_fit f WHERE f.model = m.model ORDER BY f.channel COLLATE "C";
END
$$;
COMMENT ON FUNCTION revrtm.fit_attribution(text, timestamptz) IS
'Fits a model of kind markov or shapley to the closed deals of the store that ended by as_of and had touches (won ones convert, lost ones do not) and returns the channel weights, which credit uses from then on. A negative Shapley value counts as weight 0. 22023 for a model that is none of these, 55000 where no such deal was won, 54000 where the game rate has more than 20 channels.';

CREATE FUNCTION revrtm.shown_models() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.array_agg(m.model), '{}')
    FROM revrtm.attribution_model m
    WHERE m.enabled
      AND (m.kind NOT IN ('markov', 'shapley')
           OR EXISTS (SELECT FROM revrtm.attribution_fit f WHERE f.model = m.model));
END;
COMMENT ON FUNCTION revrtm.shown_models() IS
'The models that views show: enabled rules, and enabled data-driven models that have been fitted.';
