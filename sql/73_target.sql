-- Targets of routes, and the pipeline that it takes to reach them.

CREATE TABLE revrtm.target (
    route_id text NOT NULL CHECK (octet_length(route_id) BETWEEN 1 AND 255),
    period   date NOT NULL CHECK (isfinite(period)),
    metric   text NOT NULL CHECK (metric IN ('revenue', 'margin', 'deals')),
    value    numeric NOT NULL CHECK (value >= 0 AND value < 1e15),
    currency text CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    PRIMARY KEY (route_id, metric, period),
    CONSTRAINT target_currency CHECK (metric <> 'deals' OR currency IS NULL)
);
-- Whichever day of the month they are told by.
CREATE UNIQUE INDEX target_once ON revrtm.target (route_id, metric, revrtm.period(period));
SELECT pg_catalog.pg_extension_config_dump('revrtm.target', '');
SELECT revrtm.register_policy('revrtm.target');
COMMENT ON TABLE revrtm.target IS
'What a route is to win in a month. A second target of the same route, month and metric is refused (23505, target_once).';
COMMENT ON COLUMN revrtm.target.route_id IS 'Route in revrtm.route; (any) for all routes together.';
COMMENT ON COLUMN revrtm.target.period IS 'Month: any day of it.';
COMMENT ON COLUMN revrtm.target.metric IS 'revenue (amount of won deals), margin (theirs) or deals (how many).';
COMMENT ON COLUMN revrtm.target.value IS 'The target, in the currency of the row, or in deals.';
COMMENT ON COLUMN revrtm.target.currency IS
'ISO 4217 code; NULL is the reporting currency. It is converted at the rate of the month''s first day, or of today where that is earlier.';

CREATE VIEW revrtm.target_gap WITH (security_invoker = true) AS
WITH known AS (
    SELECT d.route_id, d.is_closed, d.is_won, d.amount, d.margin,
           CASE WHEN d.note IN ('fx_missing', 'stale_fx') THEN d.note END AS note,
           CASE WHEN d.is_closed THEN d.period
                WHEN o.close_date IS NOT NULL
                THEN greatest(revrtm.period(o.close_date), (SELECT revrtm.period(revrtm.as_of()))) END AS period,
           CASE WHEN o.probability BETWEEN 0 AND 1 THEN o.probability END AS probability
    FROM revrtm.deal d
    LEFT JOIN revrtm.opportunity o ON o.opportunity_id = d.opportunity_id AND NOT d.is_closed
), flow AS MATERIALIZED (
    SELECT k.route_id, k.period, min(k.note) AS note,
           count(*) FILTER (WHERE k.is_closed) AS closed, count(*) FILTER (WHERE k.is_closed AND k.is_won) AS won,
           sum(k.amount) FILTER (WHERE k.is_closed AND k.is_won) AS won_amount,
           sum(k.margin) FILTER (WHERE k.is_closed AND k.is_won) AS won_margin,
           count(*) FILTER (WHERE NOT k.is_closed) AS open,
           sum(k.amount) FILTER (WHERE NOT k.is_closed) AS open_amount,
           sum(k.margin) FILTER (WHERE NOT k.is_closed) AS open_margin,
           -- What the CRM gives a probability, and what the win rate has to stand for.
           sum(k.probability) FILTER (WHERE NOT k.is_closed) AS weighted,
           sum(k.amount * k.probability) FILTER (WHERE NOT k.is_closed) AS weighted_amount,
           sum(k.margin * k.probability) FILTER (WHERE NOT k.is_closed) AS weighted_margin,
           count(*) FILTER (WHERE NOT k.is_closed AND k.probability IS NULL) AS plain,
           sum(k.amount) FILTER (WHERE NOT k.is_closed AND k.probability IS NULL) AS plain_amount,
           sum(k.margin) FILTER (WHERE NOT k.is_closed AND k.probability IS NULL) AS plain_margin
    FROM known k
    GROUP BY k.route_id, k.period
), goal AS (
    SELECT t.route_id, revrtm.period(t.period) AS period, t.metric,
           CASE WHEN t.metric = 'deals' THEN t.value ELSE revrtm.reporting_amount(t.value, t.currency, t.on_date) END AS value,
           CASE WHEN t.metric <> 'deals' THEN revrtm.reporting_note(t.currency, t.on_date) END AS note
    FROM (SELECT g.*, least(revrtm.period(g.period), (SELECT revrtm.local_date(revrtm.as_of()))) AS on_date
          FROM revrtm.target g) t
), met AS (
    SELECT g.route_id, g.period, g.metric, g.value,
           coalesce(g.note, CASE WHEN g.metric <> 'deals' THEN f.note END) AS note, r.closed, r.won AS rate_won, revrtm.ratio(r.won, r.closed) AS win_rate,
           coalesce(CASE g.metric WHEN 'deals' THEN f.won WHEN 'margin' THEN f.won_margin ELSE f.won_amount END, 0) AS won,
           coalesce(CASE g.metric WHEN 'deals' THEN f.open WHEN 'margin' THEN f.open_margin ELSE f.open_amount END, 0) AS open,
           coalesce(CASE g.metric WHEN 'deals' THEN f.weighted WHEN 'margin' THEN f.weighted_margin ELSE f.weighted_amount END, 0)
           + coalesce(CASE g.metric WHEN 'deals' THEN f.plain WHEN 'margin' THEN f.plain_margin ELSE f.plain_amount END
                      * revrtm.ratio(r.won, r.closed), 0) AS weighted
    FROM goal g
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(w.closed), 0) AS closed, coalesce(sum(w.won), 0) AS won
        FROM flow w
        WHERE (w.route_id = g.route_id OR g.route_id = '(any)')
          AND w.period >= (g.period - interval '1 year')::date AND w.period < g.period) r
    CROSS JOIN LATERAL (
        SELECT min(w.note) AS note, sum(w.won) AS won, sum(w.won_amount) AS won_amount, sum(w.won_margin) AS won_margin,
               sum(w.open) AS open, sum(w.open_amount) AS open_amount, sum(w.open_margin) AS open_margin,
               sum(w.weighted) AS weighted, sum(w.weighted_amount) AS weighted_amount, sum(w.weighted_margin) AS weighted_margin,
               sum(w.plain) AS plain, sum(w.plain_amount) AS plain_amount, sum(w.plain_margin) AS plain_margin
        FROM flow w
        WHERE (w.route_id = g.route_id OR g.route_id = '(any)') AND w.period = g.period) f
)
SELECT concat_ws(':', m.route_id, m.metric, revrtm.date_text(m.period)) AS target_gap_key,
       m.route_id,
       m.period,
       m.metric,
       m.value::numeric(20, 4) AS target,
       m.won::numeric(20, 4) AS won,
       m.open::numeric(20, 4) AS open_pipeline,
       m.weighted::numeric(20, 4) AS weighted_pipeline,
       (m.value - m.won - m.weighted)::numeric(20, 4) AS gap,
       m.rate_won::bigint AS won_deals,
       m.closed::bigint AS closed_deals,
       m.win_rate::numeric(12, 6) AS win_rate,
       CASE WHEN m.value - m.won - m.weighted <= 0 THEN 0
            ELSE revrtm.ratio(m.value - m.won - m.weighted, m.win_rate) END::numeric(20, 4) AS required_pipeline,
       nullif(concat_ws(', ', m.note,
              CASE WHEN m.closed = 0 THEN 'no_closed' WHEN m.rate_won = 0 THEN 'no_wins' END,
              CASE WHEN m.route_id <> '(any)' AND r.route_id IS NULL THEN 'unknown_route' END), '') AS note
FROM met m
LEFT JOIN revrtm.route r ON r.route_id = m.route_id;
COMMENT ON VIEW revrtm.target_gap IS
'How far a route is from its target, and the new pipeline it would take. Deals come from the store; the expected close and probability of open ones from the CRM. Grain: route x month x metric of revrtm.target.';
COMMENT ON COLUMN revrtm.target_gap.target_gap_key IS 'route_id:metric:period.';
COMMENT ON COLUMN revrtm.target_gap.route_id IS 'The route; (any) for all together.';
COMMENT ON COLUMN revrtm.target_gap.period IS 'The month, its first day.';
COMMENT ON COLUMN revrtm.target_gap.metric IS 'revenue, margin or deals: what the figures are, in revrtm.currency or in deals.';
COMMENT ON COLUMN revrtm.target_gap.target IS 'The target; NULL without a rate to revrtm.currency.';
COMMENT ON COLUMN revrtm.target_gap.won IS 'What was won in the month.';
COMMENT ON COLUMN revrtm.target_gap.open_pipeline IS
'Open deals expected to close in the month; those whose day is over are expected in the present month, those without one in none.';
COMMENT ON COLUMN revrtm.target_gap.weighted_pipeline IS
'The same, each by its probability in the CRM, where it has none (or one outside 0 to 1) by win_rate.';
COMMENT ON COLUMN revrtm.target_gap.gap IS 'target - won - weighted_pipeline; negative where the target is exceeded.';
COMMENT ON COLUMN revrtm.target_gap.won_deals IS 'Deals won in the twelve months before.';
COMMENT ON COLUMN revrtm.target_gap.closed_deals IS 'Deals closed in the twelve months before.';
COMMENT ON COLUMN revrtm.target_gap.win_rate IS 'won_deals / closed_deals; NULL where none closed.';
COMMENT ON COLUMN revrtm.target_gap.required_pipeline IS
'New pipeline that the gap needs: gap / win_rate; 0 where there is no gap, NULL where the win rate is 0 or not known.';
COMMENT ON COLUMN revrtm.target_gap.note IS
'fx_missing and stale_fx (the target or deals of the month have no rate and are left out), no_closed, no_wins, unknown_route, those that apply, or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('target_gap', 'closed_deals', 'deals', false),
('target_gap', 'gap', 'reporting currency', false),
('target_gap', 'open_pipeline', 'reporting currency', false),
('target_gap', 'required_pipeline', 'reporting currency', false),
('target_gap', 'target', 'reporting currency', false),
('target_gap', 'weighted_pipeline', 'reporting currency', false),
('target_gap', 'win_rate', 'share', false),
('target_gap', 'won', 'reporting currency', false),
('target_gap', 'won_deals', 'deals', false);
