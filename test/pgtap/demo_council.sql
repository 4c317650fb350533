-- The council of the demo, against plain SQL over the demo's own tables. All
-- in one transaction that is rolled back, so the database stays as it was.
\set ON_ERROR_STOP 1
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
CREATE EXTENSION IF NOT EXISTS pgtap;
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT plan(16);

SELECT revrtm.load_demo(2000, 1) \g /dev/null
SELECT FROM revrtm.refresh_journeys() \g /dev/null
SELECT revrtm.refresh_romi() \g /dev/null
ANALYZE revrtm.deal_journey;
CREATE TEMP TABLE pack AS SELECT 1 AS run, revrtm.council_pack() AS doc;

-- Bookings straight from the CRM: rates of the day, or the last before it.
CREATE FUNCTION pg_temp.dollars(amount numeric, currency text, day date) RETURNS numeric LANGUAGE sql STABLE
RETURN round(round(amount, 2) * CASE WHEN coalesce(nullif(btrim(currency), ''), 'USD') = 'USD' THEN 1 ELSE
    (SELECT r.rate::numeric FROM revrtm_demo.fx_rate r
     WHERE r.from_currency = currency AND r.to_currency = 'USD' AND r.on_date <= day AND r._fivetran_deleted IS NOT TRUE
     ORDER BY r.on_date DESC LIMIT 1) END, 2);
CREATE TEMP TABLE booked AS
SELECT o.id, date_trunc('month', o.close_date::timestamp)::date AS period,
       pg_temp.dollars(o.amount::numeric, o.currency_iso_code, o.close_date) AS amount,
       pg_temp.dollars(coalesce(o.margin_c::numeric, o.amount::numeric), o.currency_iso_code, o.close_date) AS margin,
       coalesce(nullif(o.route_c, ''), CASE WHEN o.partner_account_id IS NULL THEN 'direct' ELSE 'partner_sourced' END) AS route_id
FROM revrtm_demo.opportunity o
WHERE o.is_won AND o.is_closed AND o.is_deleted IS NOT TRUE AND o._fivetran_deleted IS NOT TRUE;

SELECT cmp_ok((SELECT count(*) FROM booked), '>', 300::bigint, 'the demo has won deals');
SELECT is((SELECT count(*) FROM revrtm.attribution_check WHERE difference <> 0 OR deal_difference <> 0), 0::bigint,
    'attribution_check is all zero');
SELECT is((SELECT count(DISTINCT (model, period)) FROM revrtm.attribution_check),
    (SELECT count(DISTINCT period) FROM booked) * cardinality(revrtm.shown_models()) + 2, 'for every month and model, and for the two that are not fitted');
SELECT is((SELECT sum((r ->> 'revenue')::numeric) FROM pack, jsonb_array_elements(doc -> 'routes') r),
    (SELECT sum(amount) FROM booked WHERE period BETWEEN '2025-07-01' AND '2026-06-01'),
    'the routes'' revenue is the bookings of the twelve months');
SELECT is((SELECT count(*) FROM pack, jsonb_array_elements(doc -> 'routes') r, jsonb_each_text(r -> 'revenue_by_model') m
           WHERE m.value::numeric <> 0), 70::bigint, 'five routes earn under fourteen models');
SELECT is((SELECT count(*) FROM (SELECT sum(m.value::numeric) AS revenue
                                 FROM pack, jsonb_array_elements(doc -> 'routes') r, jsonb_each_text(r -> 'revenue_by_model') m
                                 GROUP BY m.key) s
           WHERE s.revenue <> (SELECT sum(amount) FROM booked WHERE period BETWEEN '2025-07-01' AND '2026-06-01')), 0::bigint,
    'and so it is under every model');
SELECT is((SELECT sum((r ->> 'won')::bigint) FROM pack, jsonb_array_elements(doc -> 'routes') r),
    (SELECT count(*) FROM booked WHERE period BETWEEN '2025-07-01' AND '2026-06-01')::numeric, 'won deals');

-- ROMI again: 40/20/40 in whole cents by the largest remainder, ties to the
-- earliest; only the order of the touches is taken from the extension.
CREATE TEMP TABLE touch_margin AS
WITH share AS (
    SELECT b.period, b.route_id, b.id, a.ordinal, a.channel, b.amount, b.margin, t.n,
           CASE WHEN t.n = 1 THEN 1 WHEN t.n = 2 THEN 1 WHEN a.ordinal IN (1, t.n) THEN 2 * (t.n - 2) ELSE 1 END AS num,
           CASE WHEN t.n = 1 THEN 1 WHEN t.n = 2 THEN 2 ELSE 5 * (t.n - 2) END AS den
    FROM booked b
    JOIN revrtm.attribution a ON a.opportunity_id = b.id AND a.model = 'u_shaped'
    JOIN (SELECT opportunity_id, count(*) AS n FROM revrtm.attribution WHERE model = 'u_shaped' GROUP BY 1) t ON t.opportunity_id = b.id
), floored AS (
    SELECT s.*, k.kind, sign(k.money) AS sign, abs(k.money) * 100 AS cents, div(abs(k.money) * 100 * num, den) AS part,
           mod(abs(k.money) * 100 * num, den) AS rest
    FROM share s, LATERAL (VALUES ('amount', s.amount), ('margin', s.margin)) k (kind, money)
), ranked AS (
    SELECT f.*, row_number() OVER (PARTITION BY id, kind ORDER BY rest DESC, ordinal) AS place,
           cents - sum(part) OVER (PARTITION BY id, kind) AS left_over
    FROM floored f
)
SELECT period, coalesce(m.route_id, r.route_id) AS route_id, coalesce(m.category, '(unmapped)') AS category, id, ordinal, kind,
       sign * (part + CASE WHEN place <= left_over THEN 1 ELSE 0 END) / 100 AS money
FROM ranked r LEFT JOIN revrtm.channel_map m USING (channel);
SELECT is((SELECT count(*) FROM touch_margin m JOIN revrtm.attribution a
               ON a.model = 'u_shaped' AND a.opportunity_id = m.id AND a.ordinal = m.ordinal
           WHERE m.kind = 'amount' AND a.amount IS DISTINCT FROM m.money), 0::bigint, 'every touch earns what plain SQL says');
CREATE TEMP TABLE plain_romi AS
SELECT route_id, category, period, coalesce(c.revenue, 0) AS revenue, coalesce(c.margin, 0) AS margin, coalesce(s.spend, 0) AS spend,
       round((coalesce(c.margin, 0) - s.spend) / nullif(s.spend, 0), 6) AS romi, coalesce(c.deals, 0) AS deals
FROM (SELECT route_id, category, period, coalesce(sum(money) FILTER (WHERE kind = 'amount'), 0) AS revenue,
             coalesce(sum(money) FILTER (WHERE kind = 'margin'), 0) AS margin, count(DISTINCT id) AS deals
      FROM touch_margin GROUP BY 1, 2, 3) c
FULL JOIN (SELECT route_id, category, date_trunc('month', e.period::timestamp)::date AS period,
                  sum(pg_temp.dollars(e.amount::numeric, e.currency, e.period::date)) AS spend
           FROM revrtm_demo.spend_entry e WHERE e._fivetran_deleted IS NOT TRUE GROUP BY 1, 2, 3) s USING (route_id, category, period);
SELECT cmp_ok((SELECT count(*) FROM plain_romi), '>', 400::bigint, 'routes, categories and months');
SELECT is_empty($$
    SELECT route_id, category, period, p.*, r.* FROM plain_romi p
    FULL JOIN (SELECT * FROM revrtm.route_romi WHERE model = 'u_shaped') r USING (route_id, category, period)
    WHERE (p.revenue, p.margin, p.spend, p.romi, p.deals) IS DISTINCT FROM (r.revenue, r.margin, r.spend, r.romi, r.deals)$$,
    'route_romi is what plain SQL says, for every route, category and month');

-- The proposal.
CREATE TEMP TABLE proposal AS
SELECT p.line, p.current, p.proposed::float8 AS x, p.proposed, f.lo::float8, f.hi::float8, f.curve
FROM revrtm.budget_proposal('2026-06-01') p JOIN revrtm.budget_fit('2026-06-01') f USING (line);
SELECT is((SELECT sum(proposed) FROM proposal), (SELECT sum(spend) FROM plain_romi WHERE period = '2026-06-01'),
    'the proposal sums to the month''s spend, to the cent');
SELECT is((SELECT count(*) FROM proposal WHERE x NOT BETWEEN lo AND hi), 0::bigint, 'within the bounds');
-- Up to the error of the values themselves, a few units of 2^-53 of 1e5.
SELECT is_empty($$
    SELECT f.line, t.line, u.unit FROM proposal f CROSS JOIN proposal t CROSS JOIN (VALUES (1::float8), (0.01), (100)) u (unit)
    WHERE f.line <> t.line AND f.x - u.unit >= f.lo AND t.x + u.unit <= t.hi
      AND (revrtm.curve_value(t.curve, t.x + u.unit) - revrtm.curve_value(t.curve, t.x))
        - (revrtm.curve_value(f.curve, f.x) - revrtm.curve_value(f.curve, f.x - u.unit)) > 1e-9$$,
    'no exchange between two lines improves it');
SELECT cmp_ok((SELECT sum(revrtm.curve_value(curve, x)) FROM proposal), '>',
    (SELECT sum(revrtm.curve_value(curve, current::float8)) FROM proposal), 'it returns more than the budget as it is');

-- Loaded again it reads the same, but for random identifiers; those and when
-- the registrations were submitted are all that depends on the run. (A note
-- tells of a refresh that did not read everything; this one does.)
SELECT revrtm.load_demo(2000, 1) \g /dev/null
SELECT FROM revrtm.refresh_journeys(verify => true) \g /dev/null
SELECT revrtm.refresh_romi() \g /dev/null
INSERT INTO pack SELECT 2, revrtm.council_pack();
CREATE TEMP TABLE stable AS
SELECT run, jsonb_set(doc, '{conflicts}', (SELECT coalesce(jsonb_agg(c - ARRAY['conflict_key', 'registration_id',
    'other_registration_id', 'submitted_at', 'other_submitted_at'] ORDER BY n), '[]')
    FROM jsonb_array_elements(doc -> 'conflicts') WITH ORDINALITY e (c, n))) AS doc FROM pack;
SELECT is((SELECT array_agg(a.key ORDER BY a.key) FROM stable f, stable s, jsonb_each(f.doc) a
           WHERE f.run = 1 AND s.run = 2 AND s.doc -> a.key = a.value),
    '{as_of,attribution,breaches,budget,calibration,checks,conflicts,coverage,currency,curves,decisions,expected,maturity,model,notes,outcomes,period,pipeline,portfolio,romi,routes,sla,spread,unit_economics,version}',
    'loaded again, the pack reads the same, but for the cases, whose identifiers are random');
SELECT is((SELECT jsonb_array_length(doc -> 'conflicts') FROM stable WHERE run = 1), 8, 'with the demo''s eight conflicts');

SELECT * FROM finish();
ROLLBACK;
