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
SELECT plan(23);

SELECT revrtm.load_demo(2000, 1) \g /dev/null
SELECT FROM revrtm.refresh_journeys() \g /dev/null
SELECT revrtm.refresh_romi() \g /dev/null
ANALYZE revrtm.deal_journey;
SELECT FROM revrtm.refresh_marks() \g /dev/null
-- What a load says of the company, without random identifiers.
CREATE FUNCTION pg_temp.story() RETURNS TABLE (part text, line text) LANGUAGE sql AS $$
    SELECT 'kpi', k::text FROM revrtm.kpi_between('2025-07-01', '2026-06-30') k
    UNION ALL SELECT 'maturity', m::text FROM revrtm.maturity m
    UNION ALL SELECT 'coverage', c::text FROM revrtm.coverage c
    UNION ALL SELECT 'whitespace', w::text FROM revrtm.whitespace_coverage w
    UNION ALL SELECT 'target', t::text FROM revrtm.target_gap t
    UNION ALL SELECT 'change', r::text FROM revrtm.revenue_event r
    UNION ALL
    SELECT 'registration', row(r.account_id, r.partner_id, r.status, r.submitted_at, r.decided_at, r.protection, r.product_codes, r.opportunity_id,
                               d.hours, d.paused_hours, d.decision, d.is_open)::text
    FROM revrtm.deal_registration r LEFT JOIN revrtm.registration_decision d USING (registration_id)
    UNION ALL
    SELECT 'act', row(r.account_id, r.partner_id, e.revision, e.from_status, e.to_status, e.at)::text
    FROM revrtm.registration_event e JOIN revrtm.deal_registration r USING (registration_id)
    UNION ALL
    SELECT 'case', row(c.account_id, c.kind, c.cause, c.status, c.opened_at, c.decided_at, c.split, c.reason, c.opportunity_id,
                       p.partner_id, p.since, p.outcome, p.share)::text
    FROM revrtm.conflict_case c JOIN revrtm.conflict_party p USING (case_id)
    UNION ALL
    SELECT 'evidence', row(e.account_id, e.partner_id, e.evidence_type, e.happened_at, e.entered_at, e.verified)::text FROM revrtm.conflict_evidence e
$$;
CREATE TEMP TABLE told AS SELECT * FROM pg_temp.story();
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

-- The registrations happened on the demo's calendar, one after another.
SELECT is((SELECT count(*) FROM revrtm.deal_registration WHERE submitted_at NOT BETWEEN '2025-12-01Z' AND '2026-06-30 23:59Z'
               OR decided_at NOT BETWEEN submitted_at AND '2026-06-30 23:59Z'), 0::bigint, 'every registration, and its decision');
SELECT is((SELECT count(*) FROM revrtm.registration_event e JOIN revrtm.deal_registration r USING (registration_id)
           WHERE e.at NOT BETWEEN r.submitted_at AND '2026-06-30 23:59Z'), 0::bigint, 'and every entry of the log');
-- By the days alone: the first decision less the submission, in hours of 9 to 17 on weekdays, without the partner's two days.
SELECT is((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY h.hours)
           FROM (SELECT (SELECT sum(greatest(extract(epoch FROM least(d + interval '17 hours', e.decided) - greatest(d + interval '9 hours', e.submitted)), 0))
                         FROM generate_series(date_trunc('day', e.submitted), e.decided, '1 day') d WHERE extract(isodow FROM d) < 6)
                        / 3600 - CASE WHEN e.returned THEN 16 ELSE 0 END AS hours
                 FROM (SELECT r.submitted_at AS submitted,
                              min(k.at) FILTER (WHERE k.to_status IN ('approved', 'rejected')) AS decided,
                              bool_or(k.to_status = 'action_required') AS returned
                       FROM revrtm.deal_registration r JOIN revrtm.registration_event k USING (registration_id)
                       GROUP BY registration_id, r.submitted_at) e
                 WHERE e.decided >= '2025-07-01Z') h)::numeric(12, 6),
    (SELECT value::numeric(12, 6) FROM revrtm.kpi_between('2025-07-01', '2026-06-30', '{}') WHERE kpi = 'approval_time'), 'approval time');
-- What customers of June 2025 pay in June 2026: each currency of a customer at
-- the rate of its first day, so that who left has left to the cent.
SELECT results_eq($$SELECT numerator, denominator FROM revrtm.kpi_between('2026-06-01', '2026-06-30', '{}') WHERE kpi = 'nrr'$$, $$
    SELECT sum(k.now), sum(k.was)
    FROM (SELECT account, sum(pg_temp.dollars(was, currency, since)) AS was, sum(pg_temp.dollars(now, currency, since)) AS now
          FROM (SELECT revrtm.canonical_account(s.account_id) AS account, s.currency, min(s.on_date) AS since,
                       coalesce(sum(s.amount) FILTER (WHERE s.on_date < '2025-07-01'), 0) AS was, sum(s.amount) AS now
                FROM revrtm_demo.subscription_change s WHERE s.on_date < '2026-07-01' GROUP BY 1, 2) c
          GROUP BY account) k WHERE was > 0$$, 'net revenue retention');
SELECT is((SELECT round(sum(denominator * n), 6) FROM (SELECT l.denominator, l.n FROM revrtm.kpi_between('2026-06-01', '2026-06-30', '{}') l WHERE l.kpi = 'ltv') x),
    (SELECT count(*) FILTER (WHERE now = 0) FROM (SELECT revrtm.canonical_account(s.account_id) AS account, sum(s.amount) FILTER (WHERE s.on_date < '2025-07-01') AS was, sum(s.amount) AS now
     FROM revrtm_demo.subscription_change s WHERE s.currency <> 'CHF' GROUP BY 1) k WHERE was > 0)::numeric(20, 6), 'customers lost in a year');

-- Loaded again it reads the same, but for random identifiers, whatever day the
-- session thinks it is. (A note tells of a refresh that did not read
-- everything; this one does.)
SET LOCAL revrtm.as_of = '2031-01-01';
SELECT revrtm.load_demo(2000, 1) \g /dev/null
SELECT is(current_setting('revrtm.as_of'), '2031-01-01', 'the session''s day is left alone');
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT FROM revrtm.refresh_journeys(verify => true) \g /dev/null
SELECT FROM revrtm.refresh_marks() \g /dev/null
SELECT set_eq('SELECT * FROM pg_temp.story()', 'SELECT * FROM told', 'loaded again, KPIs, maturity, coverage, registrations and conflicts read the same');
SELECT revrtm.refresh_romi() \g /dev/null
INSERT INTO pack SELECT 2, revrtm.council_pack();
CREATE TEMP TABLE stable AS
SELECT run, jsonb_set(doc, '{conflicts}', (SELECT coalesce(jsonb_agg(c - ARRAY['conflict_key', 'registration_id',
    'other_registration_id'] ORDER BY n), '[]')
    FROM jsonb_array_elements(doc -> 'conflicts') WITH ORDINALITY e (c, n))) AS doc FROM pack;
SELECT is((SELECT array_agg(a.key ORDER BY a.key) FROM stable f, stable s, jsonb_each(f.doc) a
           WHERE f.run = 1 AND s.run = 2 AND s.doc -> a.key = a.value),
    '{as_of,attribution,budget,calibration,checks,conflicts,coverage,currency,curves,decisions,expected,maturity,model,notes,outcomes,period,pipeline,portfolio,romi,routes,sla,spread,unit_economics,version}',
    'loaded again, the pack reads the same, but for cases, whose identifiers are random, and the breaches that name them');
SELECT is((SELECT jsonb_array_length(doc -> 'conflicts') FROM stable WHERE run = 1), 8, 'with the demo''s eight conflicts');

SELECT * FROM finish();
ROLLBACK;
