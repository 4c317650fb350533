-- Models that share a deal between its partners, beside those that share it
-- between touches.

CREATE FUNCTION revrtm.partner_model_is_valid(kind text, parameters jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text;
BEGIN
    IF kind IS NULL OR kind NOT IN ('single', 'equal', 'role_weighted', 'manual', 'dual') THEN
        RAISE EXCEPTION 'unknown kind of partner model %', coalesce(quote_literal(left(kind, 63)), 'NULL')
            USING ERRCODE = '22023', HINT = 'The kinds are single, equal, role_weighted, manual and dual.';
    ELSIF jsonb_typeof(parameters) IS DISTINCT FROM 'object' THEN
        problem := 'They are not a JSON object.';
    ELSIF parameters = '{}' THEN
        problem := CASE kind WHEN 'role_weighted' THEN 'There are no pools.' END;
    ELSIF kind NOT IN ('role_weighted', 'dual') THEN
        problem := 'The kind has none.';
    ELSIF parameters - '{sourcer,influencer,implementer,closer,fulfiller}'::text[] <> '{}' THEN
        problem := format('There is no pool %s.', quote_literal(left((
            SELECT min(k COLLATE "C")
            FROM jsonb_object_keys(parameters - '{sourcer,influencer,implementer,closer,fulfiller}'::text[]) k), 63)));
    ELSIF parameters ? 'fulfiller' AND parameters ?| '{implementer,closer}' THEN
        problem := 'The pool fulfiller is that of implementers and closers.';
    ELSIF EXISTS (SELECT FROM jsonb_each(parameters) e WHERE jsonb_typeof(e.value) <> 'number') THEN
        problem := 'A share is not a number.';
    ELSIF EXISTS (SELECT FROM jsonb_each_text(parameters) e
                  WHERE e.value::numeric < 0 OR e.value::numeric > 1 OR min_scale(e.value::numeric) > 6) THEN
        problem := 'A share is from 0 to 1, with at most six decimals.';
    ELSIF (SELECT sum(e.value::numeric) FROM jsonb_each_text(parameters) e) <> 1 THEN
        problem := 'The shares do not sum to 1.';
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'invalid parameters of a partner model of kind %', kind
            USING ERRCODE = '22023', DETAIL = problem,
                  HINT = CASE WHEN kind IN ('role_weighted', 'dual') THEN
                         'Shares of pools sum to 1, as in {"sourcer": 0.6, "fulfiller": 0.3, "influencer": 0.1}.'
                         ELSE 'Give {}.' END;
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION revrtm.partner_model_is_valid(text, jsonb) IS
'Whether the parameters make a partner model of that kind: true, or 22023 saying what is wrong.';

CREATE TABLE revrtm.partner_model (
    model      text PRIMARY KEY CHECK (model <> ''),
    kind       text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    enabled    boolean NOT NULL DEFAULT true,
    shipped    boolean NOT NULL DEFAULT false,
    CONSTRAINT partner_model_valid CHECK (revrtm.partner_model_is_valid(kind, parameters))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_model', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.partner_model IS
'Rules that share a deal between its partners. Insert a row for a model of your own. Grain: one model.';
COMMENT ON COLUMN revrtm.partner_model.model IS 'Name of the model.';
COMMENT ON COLUMN revrtm.partner_model.kind IS
'single (the partner that partner_role is for, else the earliest), equal (each distinct partner), role_weighted (by pools), manual (by partner_split, else as single), or dual (a class direct and a class partner, each with the whole deal).';
COMMENT ON COLUMN revrtm.partner_model.parameters IS
'role_weighted and dual: shares of the pools sourcer, influencer, implementer and closer, or fulfiller for the last two together; decimals that sum to 1. A partner counts in the one of its pools with the largest share; a pool is shared equally; an empty one falls to the others pro rata. Every partner is an influencer. dual without pools is equal.';
COMMENT ON COLUMN revrtm.partner_model.enabled IS 'Whether views use it.';
COMMENT ON COLUMN revrtm.partner_model.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.partner_model (model, kind, parameters, shipped) VALUES
('partner_single', 'single', '{}', true),
('partner_equal', 'equal', '{}', true),
('partner_role_weighted', 'role_weighted', '{"sourcer": 0.4, "influencer": 0.1, "implementer": 0.2, "closer": 0.3}', true),
('partner_fulfil_weighted', 'role_weighted', '{"sourcer": 0.6, "fulfiller": 0.3, "influencer": 0.1}', true),
('partner_manual', 'manual', '{}', true),
('partner_dual', 'dual', '{}', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.partner_model
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model');
SELECT revrtm.register_policy('revrtm.partner_model');
GRANT SELECT ON revrtm.partner_model TO PUBLIC;

-- Weights are whole multiples of a share, n of the pools' sizes, so that a
-- third is a third and ties are ties.
CREATE VIEW revrtm.partner_attribution WITH (security_invoker = true) AS
WITH model AS (
    SELECT m.model, m.kind, m.model = (SELECT r.split_model FROM revrtm.partner_role_rule r) AS is_split,
           m.kind IN ('role_weighted', 'dual') AND m.parameters <> '{}' AS by_pool,
           (m.parameters ->> 'sourcer')::numeric AS sourcer,
           (m.parameters ->> 'influencer')::numeric AS influencer,
           coalesce(m.parameters ->> 'implementer', m.parameters ->> 'fulfiller')::numeric AS implementer,
           coalesce(m.parameters ->> 'closer', m.parameters ->> 'fulfiller')::numeric AS closer,
           m.parameters ? 'fulfiller' AS has_fulfiller
    FROM revrtm.partner_model m
    WHERE m.enabled
), member AS (
    SELECT m.model, m.kind, m.by_pool, i.opportunity_id, i.partner_id, i.share, i.first_at,
           i.role <> 'none' AND i.place = 1 AS is_single,
           b.best,
           CASE b.best WHEN b.sourcer THEN 'sourcer'
                       WHEN b.closer THEN CASE WHEN m.has_fulfiller THEN 'fulfiller' ELSE 'closer' END
                       WHEN b.implementer THEN CASE WHEN m.has_fulfiller THEN 'fulfiller' ELSE 'implementer' END
                       WHEN m.influencer THEN 'influencer' END AS pool
    FROM revrtm.partner_involvement i
    CROSS JOIN model m
    CROSS JOIN LATERAL (
        SELECT c.*, greatest(c.sourcer, c.closer, c.implementer, m.influencer) AS best
        FROM (SELECT CASE WHEN i.is_sourced THEN m.sourcer END AS sourcer,
                     CASE WHEN i.is_closer THEN m.closer END AS closer,
                     CASE WHEN i.is_implementer THEN m.implementer END AS implementer) c) b
), sized AS (
    SELECT m.*,
           greatest(count(*) FILTER (WHERE m.pool = 'sourcer') OVER deal, 1)::numeric
           * greatest(count(*) FILTER (WHERE m.pool = 'influencer') OVER deal, 1)
           * greatest(count(*) FILTER (WHERE m.pool = 'implementer') OVER deal, 1)
           * greatest(count(*) FILTER (WHERE m.pool IN ('closer', 'fulfiller')) OVER deal, 1) AS multiple,
           count(*) OVER (PARTITION BY m.model, m.opportunity_id, m.pool) AS pool_size,
           bool_or(m.share IS NOT NULL) OVER deal AS has_split
    FROM member m
    WINDOW deal AS (PARTITION BY m.model, m.opportunity_id)
), weighed AS (
    SELECT s.model, s.opportunity_id, s.partner_id, s.first_at, s.pool,
           s.kind = 'manual' AND NOT s.has_split AS no_split,
           CASE WHEN s.by_pool THEN s.best * div(s.multiple, s.pool_size)
                WHEN s.kind = 'manual' AND s.has_split THEN s.share
                WHEN s.kind IN ('single', 'manual') THEN s.is_single::int
                ELSE 1 END AS weight
    FROM sized s
), shared AS (
    SELECT w.model, w.opportunity_id,
           array_agg(w.partner_id ORDER BY w.first_at, w.partner_id COLLATE "C") AS partners,
           array_agg(w.pool ORDER BY w.first_at, w.partner_id COLLATE "C") AS pools,
           array_agg(w.weight::float8 ORDER BY w.first_at, w.partner_id COLLATE "C") AS weights,
           sum(w.weight) AS total,
           bool_or(w.no_split) AS no_split
    FROM weighed w
    WHERE w.weight > 0
    GROUP BY w.model, w.opportunity_id
)
SELECT concat_ws(':', m.model, c.class, d.opportunity_id, p.partner_id) AS partner_attribution_key,
       m.model,
       c.class,
       d.opportunity_id,
       p.partner_id,
       d.account_id,
       d.route_id,
       d.period,
       d.is_closed,
       d.is_won,
       m.is_split,
       p.pool,
       p.weight,
       p.amount::numeric(20, 4) AS amount,
       d.deal_currency,
       p.deal_amount::numeric(20, 4) AS deal_amount,
       CASE WHEN s.no_split AND c.class <> 'direct' THEN 'no_split' END AS note
FROM model m
CROSS JOIN LATERAL unnest(CASE m.kind WHEN 'dual' THEN '{direct,partner}'::text[] ELSE '{all}' END) c (class)
CROSS JOIN revrtm.deal d
LEFT JOIN shared s ON s.model = m.model AND s.opportunity_id = d.opportunity_id AND c.class <> 'direct'
CROSS JOIN LATERAL (
    SELECT a.partner_id, a.pool, coalesce(revrtm.ratio(a.weight::numeric, s.total), 1)::float8 AS weight,
           a.amount, a.deal_amount
    FROM unnest(coalesce(s.partners, ARRAY[CASE c.class WHEN 'partner' THEN '(none)' ELSE '(direct)' END]), s.pools, s.weights,
                revrtm.split_amount(d.amount, coalesce(s.weights, '{1}'), (SELECT revrtm.currency_scale(NULL))),
                revrtm.split_amount(d.deal_amount, coalesce(s.weights, '{1}'), revrtm.currency_scale(d.deal_currency)))
         a (partner_id, pool, weight, amount, deal_amount)) p;
COMMENT ON VIEW revrtm.partner_attribution IS
'What every partner of every deal earns. Grain: one partner of a deal in one class of an enabled partner model; a deal without partners has one row, (direct), or (none) in the class partner. The parts of a deal in a class sum to its amount exactly; classes are never added together. Name the model and the deals you want: it computes what it is asked for.';
COMMENT ON COLUMN revrtm.partner_attribution.partner_attribution_key IS 'model:class:opportunity_id:partner_id.';
COMMENT ON COLUMN revrtm.partner_attribution.model IS 'Partner model.';
COMMENT ON COLUMN revrtm.partner_attribution.class IS 'all; under a dual model direct and partner, each with the whole of every deal.';
COMMENT ON COLUMN revrtm.partner_attribution.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.partner_attribution.partner_id IS
'The partner; (direct) for a deal without partners and in the class direct, (none) for one without partners in the class partner.';
COMMENT ON COLUMN revrtm.partner_attribution.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.partner_attribution.route_id IS 'The deal''s own route.';
COMMENT ON COLUMN revrtm.partner_attribution.period IS 'Month the deal closed in; NULL while open.';
COMMENT ON COLUMN revrtm.partner_attribution.is_closed IS 'Whether the deal is closed.';
COMMENT ON COLUMN revrtm.partner_attribution.is_won IS 'Whether the deal is won.';
COMMENT ON COLUMN revrtm.partner_attribution.is_split IS 'Whether the model is the one by which partners share money (partner_role_rule.split_model).';
COMMENT ON COLUMN revrtm.partner_attribution.pool IS 'The pool the partner counted in; NULL under models without pools.';
COMMENT ON COLUMN revrtm.partner_attribution.weight IS 'Share of the deal, 0 to 1; those of a deal in a class sum to 1.';
COMMENT ON COLUMN revrtm.partner_attribution.amount IS 'Part of the deal''s amount in revrtm.currency, to its minor unit; ties to the partner with the earliest evidence.';
COMMENT ON COLUMN revrtm.partner_attribution.deal_currency IS 'The deal''s own currency.';
COMMENT ON COLUMN revrtm.partner_attribution.deal_amount IS 'Part of the deal''s amount in its own currency, by the same weights.';
COMMENT ON COLUMN revrtm.partner_attribution.note IS 'no_split (a manual model, and no shares were agreed: as single), or NULL.';

CREATE VIEW revrtm.partner_attribution_check WITH (security_invoker = true) AS
SELECT concat_ws(':', coalesce(b.model, a.model), coalesce(b.class, a.class),
                 coalesce(revrtm.date_text(coalesce(b.period, a.period)), '(none)')) AS partner_attribution_check_key,
       coalesce(b.model, a.model) AS model,
       coalesce(b.class, a.class) AS class,
       coalesce(b.period, a.period) AS period,
       coalesce(b.deals, 0) AS deals,
       coalesce(b.bookings, 0)::numeric(20, 4) AS bookings,
       coalesce(a.credited, 0)::numeric(20, 4) AS credited,
       (coalesce(a.credited, 0) - coalesce(b.bookings, 0))::numeric(20, 4) AS difference,
       coalesce(a.deals, 0) - coalesce(b.deals, 0) AS deal_difference
FROM (SELECT m.model, c.class, k.period, k.deals, k.bookings
      FROM revrtm.partner_model m
           CROSS JOIN LATERAL unnest(CASE m.kind WHEN 'dual' THEN '{direct,partner}'::text[] ELSE '{all}' END) c (class)
           CROSS JOIN (SELECT o.period, count(*) AS deals, sum(o.amount) AS bookings
                       FROM revrtm.booking o
                       WHERE o.is_won AND o.is_closed
                       GROUP BY o.period) k
      WHERE m.enabled) b
     FULL JOIN (SELECT p.model, p.class, p.period, count(DISTINCT p.opportunity_id) AS deals, sum(p.amount) AS credited
                FROM revrtm.partner_attribution p
                WHERE p.is_won AND p.is_closed
                GROUP BY p.model, p.class, p.period) a
       ON a.model = b.model AND a.class = b.class AND coalesce(a.period, '-infinity') = coalesce(b.period, '-infinity');
COMMENT ON VIEW revrtm.partner_attribution_check IS
'Partners'' credit against the bookings of the CRM: both differences must be zero in every row; they are not while the store is stale. Grain: one month in one class of an enabled partner model.';
COMMENT ON COLUMN revrtm.partner_attribution_check.partner_attribution_check_key IS 'model:class:period.';
COMMENT ON COLUMN revrtm.partner_attribution_check.model IS 'Partner model.';
COMMENT ON COLUMN revrtm.partner_attribution_check.class IS 'Its class.';
COMMENT ON COLUMN revrtm.partner_attribution_check.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.partner_attribution_check.deals IS 'Won deals in the CRM.';
COMMENT ON COLUMN revrtm.partner_attribution_check.bookings IS 'Their amount in revrtm.currency, read from the CRM.';
COMMENT ON COLUMN revrtm.partner_attribution_check.credited IS 'Amount credited in the class.';
COMMENT ON COLUMN revrtm.partner_attribution_check.difference IS 'credited - bookings.';
COMMENT ON COLUMN revrtm.partner_attribution_check.deal_difference IS 'Deals credited - won deals.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('partner_attribution', 'amount', 'reporting currency', true),
('partner_attribution', 'deal_amount', 'row currency', true),
('partner_attribution', 'weight', 'conversions', true),
('partner_attribution_check', 'bookings', 'reporting currency', true),
('partner_attribution_check', 'credited', 'reporting currency', true),
('partner_attribution_check', 'deal_difference', 'deals', true),
('partner_attribution_check', 'deals', 'deals', true),
('partner_attribution_check', 'difference', 'reporting currency', true);
