-- The credit that ROMI is told by, kept by month, so that no report reads
-- deals or journeys.

CREATE VIEW revrtm.stage_conversion WITH (security_invoker = true) AS
SELECT s.stage AS stage_conversion_key,
       s.stage,
       count(*) AS closed,
       count(*) FILTER (WHERE d.is_won) AS won,
       revrtm.ratio(count(*) FILTER (WHERE d.is_won), count(*))::numeric(12, 6) AS conversion,
       CASE WHEN count(*) < coalesce((SELECT r.small_n FROM revrtm.kpi_rule r), 20) THEN 'small_n' END AS note
FROM (SELECT DISTINCT k.opportunity_id, k.stage FROM revrtm.opportunity_stage k) s
     JOIN revrtm.deal_journey d ON d.opportunity_id = s.opportunity_id
WHERE d.is_closed
GROUP BY s.stage;
COMMENT ON VIEW revrtm.stage_conversion IS
'How many of the deals that ever were in a stage were won in the end, by the history of stages. Grain: one stage that a closed deal was in.';
COMMENT ON COLUMN revrtm.stage_conversion.stage_conversion_key IS 'The stage.';
COMMENT ON COLUMN revrtm.stage_conversion.stage IS 'The stage.';
COMMENT ON COLUMN revrtm.stage_conversion.closed IS 'Closed deals that were in it.';
COMMENT ON COLUMN revrtm.stage_conversion.won IS 'How many of them are won.';
COMMENT ON COLUMN revrtm.stage_conversion.conversion IS 'won / closed, 0 to 1.';
COMMENT ON COLUMN revrtm.stage_conversion.note IS 'small_n (fewer closed deals than kpi_rule.small_n), or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('stage_conversion', 'closed', 'deals', false),
('stage_conversion', 'conversion', 'share', false),
('stage_conversion', 'won', 'deals', false);

CREATE TABLE revrtm.romi_credit (
    credit_key     uuid PRIMARY KEY,
    grain          text NOT NULL,
    model          text NOT NULL,
    basis          text NOT NULL,
    period         date,
    route_id       text NOT NULL,
    category       text NOT NULL,
    motion         text NOT NULL,
    segment        text NOT NULL,
    region         text NOT NULL,
    partner_id     text NOT NULL,
    touched        bigint NOT NULL,
    closed         bigint NOT NULL,
    deals          bigint NOT NULL,
    conversions    numeric(24, 12) NOT NULL,
    revenue        numeric(20, 4) NOT NULL,
    margin         numeric(20, 4) NOT NULL,
    cost_of_sale   numeric(20, 4) NOT NULL,
    refund_revenue numeric(20, 4) NOT NULL,
    refund_margin  numeric(20, 4) NOT NULL,
    open_margin    numeric(20, 4) NOT NULL
);
CREATE INDEX romi_credit_period ON revrtm.romi_credit (grain, model, basis, period);
COMMENT ON TABLE revrtm.romi_credit IS
'Cache: credit by what motion_romi tells apart, made from the store of journeys by refresh_romi(), at four grains, so that a report reads the coarsest that tells what it asks for. Grain: grain x model x basis x month x credited route x category x motion x segment x region x partner. Not part of a dump; refresh after a restore.';
COMMENT ON COLUMN revrtm.romi_credit.credit_key IS 'Hash of what the row is told by.';
COMMENT ON COLUMN revrtm.romi_credit.grain IS
'line: by route and category; partner: by partner too; cell: by motion, segment and region too; all: by all of them. What is not told apart reads (all). Each grain has the whole credit: never add them.';
COMMENT ON COLUMN revrtm.romi_credit.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.romi_credit.basis IS 'cash (month of the close) or cohort (month of the creation, or of the first touch).';
COMMENT ON COLUMN revrtm.romi_credit.period IS 'First day of that month; NULL where nobody knows.';
COMMENT ON COLUMN revrtm.romi_credit.route_id IS 'Route that the credit belongs to.';
COMMENT ON COLUMN revrtm.romi_credit.category IS 'Spend category that the credit belongs to.';
COMMENT ON COLUMN revrtm.romi_credit.motion IS 'Motion of the deals, as deal_motion has it.';
COMMENT ON COLUMN revrtm.romi_credit.segment IS 'Segment of the deals; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.romi_credit.region IS 'Region of the deals, likewise.';
COMMENT ON COLUMN revrtm.romi_credit.partner_id IS 'Partner on the deals, likewise.';
COMMENT ON COLUMN revrtm.romi_credit.touched IS 'Deals with a touch of the route and category, won, lost or open; in the cash view closed ones.';
COMMENT ON COLUMN revrtm.romi_credit.closed IS 'How many of them are closed.';
COMMENT ON COLUMN revrtm.romi_credit.deals IS 'How many are won.';
COMMENT ON COLUMN revrtm.romi_credit.conversions IS 'Won deals credited, as shares of deals.';
COMMENT ON COLUMN revrtm.romi_credit.revenue IS 'Amount of won deals credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.romi_credit.margin IS 'Margin of won deals credited.';
COMMENT ON COLUMN revrtm.romi_credit.cost_of_sale IS 'What partners keep of it by partner_cost.';
COMMENT ON COLUMN revrtm.romi_credit.refund_revenue IS 'Refunds and amendments credited.';
COMMENT ON COLUMN revrtm.romi_credit.refund_margin IS 'Their margin, in the proportion of the deal''s, less what partners keep.';
COMMENT ON COLUMN revrtm.romi_credit.open_margin IS 'Margin of open deals less what partners keep, times the probability of each, credited.';

CREATE TABLE revrtm.romi_refresh (
    store        text PRIMARY KEY DEFAULT 'romi_credit' CHECK (store = 'romi_credit'),
    basis        text NOT NULL,
    refreshed_at timestamptz NOT NULL
);
COMMENT ON TABLE revrtm.romi_refresh IS 'Cache: how old romi_credit is. One row, none before the first refresh; not part of a dump.';
COMMENT ON COLUMN revrtm.romi_refresh.store IS 'The store.';
COMMENT ON COLUMN revrtm.romi_refresh.basis IS 'Hash of the terms it was computed by (romi_basis).';
COMMENT ON COLUMN revrtm.romi_refresh.refreshed_at IS 'Start of the last refresh.';

CREATE FUNCTION revrtm.romi_models() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.array_agg(m.model ORDER BY m.model COLLATE "C"), '{}')
    FROM (SELECT DISTINCT n.model
          FROM pg_catalog.unnest(coalesce((SELECT r.models FROM revrtm.romi_rule r), ARRAY[revrtm.setting('model')])) n (model)) m
    WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[]);
END;
COMMENT ON FUNCTION revrtm.romi_models() IS
'The models that ROMI is kept for: those of romi_rule.models, else revrtm.model; without those that are not enabled or not fitted.';

CREATE FUNCTION revrtm.romi_basis() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.md5(pg_catalog.concat_ws('|',
        revrtm.setting('currency'), revrtm.setting('timezone'),
        (SELECT pg_catalog.concat_ws(':', r.cohort, r.refunds) FROM revrtm.romi_rule r),
        (SELECT pg_catalog.string_agg(m.model || '=' || revrtm.credit_policy(m.model), '|' ORDER BY m.model COLLATE "C")
         FROM pg_catalog.unnest(revrtm.romi_models()) m (model)),
        (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*) ORDER BY c.channel COLLATE "C") FROM revrtm.channel_map c),
        (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(p.*) ORDER BY p.route_id COLLATE "C", p.partner_id COLLATE "C")
         FROM revrtm.partner_cost p),
        (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(t.route_id, t.kind, t.default_margin) ORDER BY t.route_id COLLATE "C")
         FROM revrtm.route t),
        (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(o.*) - 'shipped' ORDER BY o.evidence COLLATE "C", o.value COLLATE "C")
         FROM revrtm.motion_rule o)));
END;
COMMENT ON FUNCTION revrtm.romi_basis() IS
'Hash of what romi_credit depends on beside data: models, channel map, routes, motions, partner_cost, romi_rule, revrtm.currency, revrtm.timezone.';

CREATE FUNCTION revrtm.romi_note() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN m.refreshed_at IS NULL THEN 'romi_missing'
                WHEN m.refreshed_at < j.refreshed_at OR m.basis <> revrtm.romi_basis() THEN 'romi_stale' END
    FROM (SELECT 1) one LEFT JOIN revrtm.romi_refresh m ON true LEFT JOIN revrtm.journey_refresh j ON true;
END;
COMMENT ON FUNCTION revrtm.romi_note() IS 'Whether romi_credit is as it should be: romi_missing, romi_stale, or NULL.';

CREATE FUNCTION revrtm.refresh_romi() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    started timestamptz := clock_timestamp();
    models text[] := revrtm.romi_models();
    by_touch boolean := coalesce((SELECT r.cohort = 'first_touch' FROM revrtm.romi_rule r), false);
    current boolean := coalesce((SELECT r.refunds = 'current' FROM revrtm.romi_rule r), false);
    changed bigint;
BEGIN
    LOCK TABLE revrtm.romi_credit IN SHARE ROW EXCLUSIVE MODE;
    WITH rate AS MATERIALIZED (
        -- What partners keep, by the most specific row.
        SELECT d.route_id, d.partner_id, c.rate
        FROM (SELECT DISTINCT k.route_id, coalesce(k.partner_id, '(none)') AS partner_id FROM revrtm.deal_journey k) d
        CROSS JOIN LATERAL (
            SELECT p.discount + p.commission AS rate FROM revrtm.partner_cost p
            WHERE p.route_id IN (d.route_id, '(any)') AND p.partner_id IN (d.partner_id, '(any)')
            ORDER BY p.partner_id = '(any)', p.route_id = '(any)'
            LIMIT 1) c
    ), won_rate AS (
        SELECT revrtm.ratio(count(*) FILTER (WHERE k.is_won), count(*)) AS rate FROM revrtm.deal_journey k WHERE k.is_closed
    ), chance AS (
        -- The probability of the CRM, else what became of deals in the stage, else of all.
        SELECT o.opportunity_id,
               coalesce(CASE WHEN o.probability BETWEEN 0 AND 1 THEN o.probability END, s.conversion,
                        (SELECT w.rate FROM won_rate w), 0) AS probability
        FROM revrtm.opportunity o LEFT JOIN revrtm.stage_conversion s ON s.stage = o.stage
        WHERE NOT o.is_closed AND o.deleted IS NOT TRUE
    ), told AS MATERIALIZED (
        SELECT d.opportunity_id, d.route_id, coalesce(m.motion, '(none)') AS motion,
               coalesce(d.segment, '(none)') AS segment, coalesce(d.region, '(none)') AS region,
               coalesce(d.partner_id, '(none)') AS partner_id, d.period,
               revrtm.period(CASE WHEN by_touch
                   THEN coalesce((SELECT t.touched_at FROM revrtm.credit(d.journey, 'first_touch') t WHERE t.ordinal = 1), d.created_at)
                   ELSE d.created_at END) AS cohort,
               d.is_closed, d.is_closed AND d.is_won AS is_won, d.amount, d.margin, d.journey
        FROM revrtm.deal d LEFT JOIN revrtm.deal_motion m ON m.opportunity_id = d.opportunity_id
    ), place AS MATERIALIZED (
        -- A number for what tells deals apart, which sorts faster.
        SELECT t.motion, t.segment, t.region, t.partner_id, row_number() OVER () AS place
        FROM (SELECT DISTINCT motion, segment, region, partner_id FROM told
              UNION SELECT '(none)', '(none)', '(none)', '(none)') t
    ), deal AS MATERIALIZED (
        SELECT t.opportunity_id, p.place, t.partner_id, t.route_id, t.period, t.cohort, t.is_closed, t.is_won, t.amount, t.margin,
               t.journey
        FROM told t JOIN place p ON p.motion = t.motion AND p.segment = t.segment AND p.region = t.region AND p.partner_id = t.partner_id
    ), cell AS MATERIALIZED (
        SELECT d.place, d.route_id, d.period, d.cohort, d.is_won, min(r.rate) AS rate,
               revrtm.credits_agg(d.journey, d.amount, models, (SELECT revrtm.currency_scale(NULL))) AS revenue,
               revrtm.credits_agg(d.journey,
                   CASE WHEN d.is_won THEN d.margin
                        ELSE round((d.margin - d.amount * coalesce(r.rate, 0)) * coalesce(c.probability, 0), 4) END,
                   models, (SELECT revrtm.currency_scale(NULL))) AS margin
        FROM deal d
        LEFT JOIN rate r ON r.route_id = d.route_id AND r.partner_id = d.partner_id
        LEFT JOIN chance c ON c.opportunity_id = d.opportunity_id AND NOT d.is_closed
        WHERE (d.is_won OR NOT d.is_closed) AND cardinality(models) > 0
        GROUP BY d.place, d.period, d.cohort, d.is_won, d.route_id
    ), credited AS MATERIALIZED (
        SELECT k.model, c.place, c.period, c.cohort, c.is_won,
               coalesce(m.route_id, c.route_id) AS route_id, coalesce(m.category, '(unmapped)') AS category,
               round(k.conversions::numeric, 12) AS conversions, k.revenue, k.margin,
               round(k.revenue * coalesce(c.rate, 0), 4) AS cost_of_sale
        FROM cell c
        CROSS JOIN LATERAL ROWS FROM (revrtm.channel_credit(c.revenue), revrtm.channel_credit(c.margin))
            AS k (model, channel, conversions, revenue, model_again, channel_again, conversions_again, margin)
        LEFT JOIN revrtm.channel_map m ON m.channel = k.channel
    ), counted AS MATERIALIZED (
        -- Deals of the same channels are counted first, and then by line.
        SELECT g.place, g.period, g.cohort, g.is_closed, g.is_won, g.deals, l.route_id, l.category
        FROM (SELECT d.place, d.period, d.cohort, d.is_closed, d.is_won, d.route_id,
                     coalesce(nullif(revrtm.channels(d.journey), '{}'), ARRAY['(unattributed)']) AS channels, count(*) AS deals
              FROM deal d
              GROUP BY 1, 2, 3, 4, 5, 6, 7) g
        CROSS JOIN LATERAL (
            SELECT DISTINCT coalesce(m.route_id, g.route_id) AS route_id, coalesce(m.category, '(unmapped)') AS category
            FROM unnest(g.channels) c (channel) LEFT JOIN revrtm.channel_map m ON m.channel = c.channel) l
    ), refunded AS MATERIALIZED (
        SELECT f.model, coalesce(d.place, n.place) AS place,
               CASE WHEN current THEN f.period ELSE coalesce(d.period, f.period) END AS period, d.cohort,
               coalesce(m.route_id, d.route_id, '(none)') AS route_id, coalesce(m.category, '(unmapped)') AS category,
               f.amount AS revenue,
               round(f.amount * (coalesce(revrtm.ratio(d.margin, d.amount), t.default_margin, 1) - coalesce(r.rate, 0)), 4) AS margin
        FROM (SELECT x.model, x.opportunity_id, x.period, x.channel, x.amount FROM revrtm.refund_credit x
              WHERE x.model = ANY (models) AND x.amount IS NOT NULL) f
        CROSS JOIN (SELECT p.place FROM place p WHERE (p.motion, p.segment, p.region, p.partner_id) = ('(none)', '(none)', '(none)', '(none)')) n
        LEFT JOIN deal d ON d.opportunity_id = f.opportunity_id
        LEFT JOIN rate r ON r.route_id = d.route_id AND r.partner_id = d.partner_id
        LEFT JOIN revrtm.route t ON t.route_id = d.route_id
        LEFT JOIN revrtm.channel_map m ON m.channel = f.channel
    ), fine AS MATERIALIZED (
        SELECT p.place, p.period, p.route_id, p.category, p.basis, p.model,
               sum(p.touched)::bigint AS touched, sum(p.closed)::bigint AS closed, sum(p.deals)::bigint AS deals,
               sum(p.conversions) AS conversions, sum(p.revenue) AS revenue, sum(p.margin) AS margin,
               sum(p.cost_of_sale) AS cost_of_sale, sum(p.refund_revenue) AS refund_revenue,
               sum(p.refund_margin) AS refund_margin, sum(p.open_margin) AS open_margin
        FROM (SELECT c.model, v.basis, v.period, c.route_id, c.category, c.place,
                     0 AS touched, 0 AS closed, 0 AS deals,
                     CASE WHEN c.is_won THEN c.conversions ELSE 0 END AS conversions,
                     CASE WHEN c.is_won THEN c.revenue ELSE 0 END AS revenue,
                     CASE WHEN c.is_won THEN c.margin ELSE 0 END AS margin,
                     CASE WHEN c.is_won THEN c.cost_of_sale ELSE 0 END AS cost_of_sale,
                     0 AS refund_revenue, 0 AS refund_margin,
                     CASE WHEN c.is_won THEN 0 ELSE c.margin END AS open_margin
              FROM credited c CROSS JOIN LATERAL (VALUES ('cash', c.period), ('cohort', c.cohort)) v (basis, period)
              WHERE c.is_won OR v.basis = 'cohort'
              UNION ALL
              SELECT m.model, v.basis, v.period, c.route_id, c.category, c.place,
                     c.deals, CASE WHEN c.is_closed THEN c.deals ELSE 0 END, CASE WHEN c.is_won THEN c.deals ELSE 0 END,
                     0, 0, 0, 0, 0, 0, 0
              FROM counted c CROSS JOIN unnest(models) m (model)
                   CROSS JOIN LATERAL (VALUES ('cash', c.period), ('cohort', c.cohort)) v (basis, period)
              WHERE c.is_closed OR v.basis = 'cohort'
              UNION ALL
              SELECT f.model, v.basis, v.period, f.route_id, f.category, f.place,
                     0, 0, 0, 0, 0, 0, 0, f.revenue, f.margin, 0
              FROM refunded f CROSS JOIN LATERAL (VALUES ('cash', f.period), ('cohort', f.cohort)) v (basis, period)) p
        GROUP BY p.place, p.period, p.route_id, p.category, p.basis, p.model
    ), grains AS MATERIALIZED (
        SELECT CASE WHEN grouping(p.motion) = 0 THEN 'cell' WHEN grouping(p.partner_id) = 0 THEN 'partner' ELSE 'line' END AS grain,
               f.model, f.basis, f.period, f.route_id, f.category, coalesce(p.motion, '(all)') AS motion,
               coalesce(p.segment, '(all)') AS segment, coalesce(p.region, '(all)') AS region,
               coalesce(p.partner_id, '(all)') AS partner_id,
               sum(f.touched)::bigint AS touched, sum(f.closed)::bigint AS closed, sum(f.deals)::bigint AS deals,
               sum(f.conversions) AS conversions, sum(f.revenue) AS revenue, sum(f.margin) AS margin,
               sum(f.cost_of_sale) AS cost_of_sale, sum(f.refund_revenue) AS refund_revenue,
               sum(f.refund_margin) AS refund_margin, sum(f.open_margin) AS open_margin
        FROM fine f JOIN place p ON p.place = f.place
        GROUP BY f.period, f.route_id, f.category, f.basis, f.model,
                 GROUPING SETS ((p.motion, p.segment, p.region), (p.partner_id), ())
        UNION ALL
        SELECT 'all', f.model, f.basis, f.period, f.route_id, f.category, p.motion, p.segment, p.region, p.partner_id,
               f.touched, f.closed, f.deals, f.conversions, f.revenue, f.margin, f.cost_of_sale, f.refund_revenue, f.refund_margin,
               f.open_margin
        FROM fine f JOIN place p ON p.place = f.place
    ), found AS MATERIALIZED (
        -- A month as a number: its text is the session's.
        SELECT md5(ROW(g.grain, g.model, g.basis, g.period - date '2000-01-01', g.route_id, g.category, g.motion, g.segment,
                       g.region, g.partner_id)::text)::uuid AS credit_key, g.*
        FROM grains g
    ), gone AS (
        DELETE FROM revrtm.romi_credit c
        WHERE NOT EXISTS (SELECT FROM found f WHERE f.credit_key = c.credit_key)
        RETURNING 1
    ), kept AS (
        INSERT INTO revrtm.romi_credit AS c SELECT f.* FROM found f
        ON CONFLICT (credit_key) DO UPDATE
        SET (touched, closed, deals, conversions, revenue, margin, cost_of_sale, refund_revenue, refund_margin, open_margin)
            = (excluded.touched, excluded.closed, excluded.deals, excluded.conversions, excluded.revenue, excluded.margin,
               excluded.cost_of_sale, excluded.refund_revenue, excluded.refund_margin, excluded.open_margin)
        WHERE c.* IS DISTINCT FROM excluded.*
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept) INTO changed;
    INSERT INTO revrtm.romi_refresh AS m (basis, refreshed_at) VALUES (revrtm.romi_basis(), started)
    ON CONFLICT (store) DO UPDATE SET (basis, refreshed_at) = (excluded.basis, excluded.refreshed_at);
    RETURN changed;
END
$$;
COMMENT ON FUNCTION revrtm.refresh_romi() IS
'Brings romi_credit up to the store of journeys and the terms of ROMI, and returns how many rows changed. Call it after refresh_journeys(). Who is not staff does not see the registrations that motions rest on, and so must not refresh.';
