-- KPIs of a small company, by hand: every one of them, and its edges.
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
\pset null '-'
BEGIN;
SET LOCAL revrtm.as_of = '2026-03-31 12:00Z';
CREATE SCHEMA kp;
CREATE TABLE kp.deal (id text, account text, route text, partner text, segment text, region text, created date, closed date, won boolean, amount numeric, currency text, margin numeric);
INSERT INTO kp.deal VALUES
    ('d1', 'A1', 'direct', NULL, 'smb', 'emea', '2026-01-05', '2026-01-25', true, 1000, NULL, 400),
    ('d2', 'A2', 'direct', NULL, 'smb', 'emea', '2026-01-10', '2026-02-09', false, 800, NULL, NULL),
    -- of an account that was merged, and sold below cost
    ('d3', 'A1b', 'direct', NULL, 'smb', 'emea', '2026-01-20', '2026-02-19', true, 500, NULL, -100),
    ('d4', 'A3', 'partner_sourced', 'P1', 'mid', NULL, '2026-02-01', '2026-03-03', true, 2000, NULL, NULL),
    ('d5', 'A4', 'partner_sourced', 'P1', 'mid', NULL, '2026-02-15', NULL, NULL, NULL, NULL, NULL),
    -- without a rate
    ('d6', 'A5', 'partner_sourced', 'P1', 'mid', NULL, '2026-03-01', NULL, NULL, 700, 'EUR', NULL),
    -- created after it ended, and within a day
    ('d7', 'A6', 'direct', NULL, 'smb', 'emea', '2026-03-20', '2026-03-10', true, 300, NULL, 100),
    ('d8', 'A7', 'direct', NULL, 'smb', 'emea', '2026-03-02', '2026-03-02', true, 100, 'JPX', NULL);
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, closed IS NOT NULL AS is_closed, coalesce(won, false) AS is_won,
    created::timestamp AT TIME ZONE 'UTC' AS created_at, closed AS close_date, route AS route_id, partner AS partner_id, segment, region, currency, margin FROM kp.deal$$) IS NOT NULL AS bound;
SELECT revrtm.bind('account', $$SELECT 'A1b'::text AS account_id, NULL::text AS account_name, 'A1'::text AS merged_into$$) IS NOT NULL AS bound;
SELECT revrtm.bind('touch', $$SELECT * FROM (VALUES ('t1'::text, timestamptz '2026-01-20 12:00Z', 'referral'::text, 'A3'::text, 'P1'::text, true),
    ('t2', '2026-02-20 12:00Z', 'call', 'A4', 'P1', true), ('t3', '2026-01-10 12:00Z', 'webinar', 'A1', NULL, true)) v (touch_id, touched_at, channel, account_id, partner_id, verified)$$) IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity_stage', $$SELECT * FROM (VALUES ('d1'::text, 'SQO'::text, timestamptz '2026-01-10Z'), ('d4', 'SQO', '2026-02-20Z'), ('d4', 'SQO', '2026-02-10Z'),
    ('d2', 'Demo', '2026-01-12Z')) v (opportunity_id, stage, entered_at)$$) IS NOT NULL AS bound;
SELECT revrtm.bind('spend', $$SELECT * FROM (VALUES ('s1'::text, date '2026-01-01', 'direct'::text, 'program'::text, 600::numeric, NULL::text),
    ('s2', '2026-03-01', 'direct', 'mdf', 200, NULL), ('s3', '2026-03-01', 'direct', 'mdf', 50, 'EUR'), ('s4', '2026-03-05', 'partner_sourced', 'mdf', 900, NULL),
    ('s5', '2026-02-01', 'marketplace', 'program', 70, NULL)) v (spend_id, period, route_id, category, amount, currency)$$) IS NOT NULL AS bound;
SELECT revrtm.bind('revenue_event', $$SELECT * FROM (VALUES ('e1'::text, 'A1'::text, date '2025-01-15', 'new'::text, 1000::numeric), ('e2', 'A1', '2025-06-01', 'expansion', 200),
    ('e3', 'A1b', '2025-02-01', 'new', 500), ('e4', 'A1b', '2026-02-10', 'churn', -500), ('e5', 'A3', '2025-03-01', 'new', 1200), ('e6', 'A3', '2026-03-15', 'churn', -1200),
    ('e7', 'A9', '2026-01-01', 'new', 300), ('e8', 'A1', '2025-03-01', 'Refund', -999)) v (event_id, account_id, at, kind, amount)$$) IS NOT NULL AS bound;

-- Before anything was read.
SELECT kpi, route_id, value, numerator, denominator, n, note FROM revrtm.kpi_between('2026-03-01', '2026-03-31') WHERE route_id = 'direct' ORDER BY kpi;
SELECT mode, inserted FROM revrtm.refresh_journeys();
SELECT period, value, numerator, denominator, note FROM revrtm.kpi WHERE kpi = 'sourced_pipeline' ORDER BY period, route_id;
UPDATE revrtm.kpi_rule SET cac_lag = 0;
SELECT revrtm.refresh_marks();
SELECT revrtm.refresh_marks();
SELECT * FROM revrtm.deal_mark ORDER BY opportunity_id;
UPDATE revrtm.kpi_rule SET sqo_stages = '{SQO}';
SELECT revrtm.refresh_marks();

-- Pipeline, win rate, days, qualification, pace and margin by month and route.
SELECT kpi, period, route_id, segment, region, product, value, numerator, denominator, n, round(lo::numeric, 4) AS lo, round(hi::numeric, 4) AS hi, note
FROM revrtm.kpi
WHERE kpi IN ('sourced_pipeline', 'influenced_pipeline', 'win_rate', 'win_rate_created', 'cycle_time_median', 'cycle_time_p90', 'sqo_rate', 'velocity', 'gross_margin')
ORDER BY kpi, period, route_id;
-- Customers, what they cost and what they leave.
SELECT kpi, period, route_id, value, numerator, denominator, n, note FROM revrtm.kpi
WHERE kpi IN ('cac', 'ltv', 'ltv_capped', 'ltv_cac', 'payback', 'pipeline_coverage') AND route_id IN ('direct', 'partner_sourced', 'marketplace') AND period >= '2026-02-01'
ORDER BY kpi, period, route_id;
SELECT kpi, period, route_id, segment, region, product, value, numerator, denominator, n, note FROM revrtm.kpi WHERE kpi IN ('nrr', 'grr') ORDER BY kpi, period, route_id;
SELECT kpi, note, count(value), count(DISTINCT route_id) FROM revrtm.kpi WHERE kpi IN ('conflict_rate', 'payout_accuracy') GROUP BY kpi, note ORDER BY kpi;
-- Without a lost customer, and one that leaves nothing.
CREATE TABLE kp.event AS SELECT 'e'::text || n AS event_id, 'A1'::text AS account_id, date '2024-01-01' AS at, 'new'::text AS kind, 1200::numeric AS amount FROM generate_series(1, 1) n;
SELECT revrtm.bind('revenue_event', 'SELECT * FROM kp.event') IS NOT NULL AS bound;
SELECT kpi, value, numerator, denominator, n, note FROM revrtm.kpi_between('2026-02-01', '2026-02-28') WHERE route_id = 'direct' AND kpi IN ('ltv', 'ltv_capped', 'ltv_cac', 'payback', 'nrr', 'grr') ORDER BY kpi;
UPDATE kp.deal SET margin = -900 WHERE id = 'd1';
SELECT updated FROM revrtm.refresh_journeys();
SELECT kpi, value, note FROM revrtm.kpi_between('2026-02-01', '2026-02-28') WHERE route_id = 'direct' AND kpi IN ('ltv', 'ltv_capped', 'payback', 'gross_margin') ORDER BY kpi;
-- The roles are older than the deals now.
SAVEPOINT old;
UPDATE revrtm.mark_refresh SET refreshed_at = '2000-01-01';
SELECT DISTINCT note FROM revrtm.kpi_between('2026-02-01', '2026-02-28') WHERE kpi = 'sourced_pipeline';
ROLLBACK TO old;
-- A reopened deal counts by its last end.
UPDATE kp.deal SET closed = '2026-03-25' WHERE id = 'd1';
SELECT updated FROM revrtm.refresh_journeys();
SELECT period, value, n FROM revrtm.kpi WHERE kpi = 'cycle_time_median' AND route_id = 'direct' ORDER BY period;
-- Only some categories of spend; spend two months ahead; the median of what is asked for.
UPDATE revrtm.kpi_rule SET cac_categories = '{mdf}';
SELECT period, value, numerator, denominator, note FROM revrtm.kpi WHERE kpi = 'cac' AND route_id = 'direct' ORDER BY period;
UPDATE revrtm.kpi_rule SET cac_categories = NULL, cac_lag = 2;
SELECT period, value, numerator, denominator, note FROM revrtm.kpi WHERE kpi = 'cac' AND route_id = 'direct' ORDER BY period;
UPDATE revrtm.kpi_rule SET cac_lag = NULL;
SELECT period, value, numerator, denominator, note FROM revrtm.kpi WHERE kpi = 'cac' AND route_id = 'direct' ORDER BY period;
DELETE FROM revrtm.kpi_rule;
SELECT kpi, value, note FROM revrtm.kpi_between('2026-03-01', '2026-03-31', '{}') WHERE kpi IN ('sqo_rate', 'win_rate') ORDER BY kpi;

-- Other grains, and all months as one.
SELECT kpi, period, route_id, segment, value, numerator, denominator, n, note FROM revrtm.kpi_between('2026-01-01', '2026-03-31', '{segment}')
WHERE kpi IN ('win_rate', 'cycle_time_median', 'velocity', 'cac', 'nrr') ORDER BY kpi, segment;
SELECT count(*), min(period), max(period) FROM revrtm.kpi_between(NULL, '2030-01-01', '{period}') WHERE kpi = 'cac';
SELECT period, route_id, won, closed, win_rate, open_deals, open_amount, spend, new_customers, cac, note FROM revrtm.scorecard_between('2026-01-01', '2026-03-31', '{period}') ORDER BY period;
SELECT count(*) AS row_count, sum(won), sum(closed), sum(spend), sum(new_customers) FROM revrtm.scorecard;
SELECT * FROM revrtm.kpi_between('2026-01-01', '2026-03-31', '{route,owner,NULL}');
SELECT * FROM revrtm.kpi_between('2026-01-01', '2026-03-31', NULL);
SELECT * FROM revrtm.kpi_between('2026-03-01', '2026-01-31');
SELECT * FROM revrtm.scorecard_between('2027-03-01', NULL);

-- Registrations: in hours of the programme's calendar, through a night in which the clock jumps.
UPDATE revrtm.calendar SET timezone = 'Europe/Berlin', windows = '{Sat-Sun 00:00-24:00,Mon-Fri 09:00-17:00}' WHERE calendar = 'default';
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql RETURN format('00000000-0000-0000-0007-%s', lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.at(t text) RETURNS text LANGUAGE sql RETURN set_config('revrtm.as_of', t, true);
CREATE FUNCTION pg_temp.register(n int) RETURNS text LANGUAGE sql AS $$
    INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes) VALUES (pg_temp.id(n), 'R' || n, 'P1', '{ANY}', '{ANY}') RETURNING status $$;
SELECT pg_temp.at('2026-03-28 12:00+01') IS NOT NULL, pg_temp.register(1), pg_temp.register(2), pg_temp.register(3);
-- One is decided the next noon, which is 23 hours later.
SELECT pg_temp.at('2026-03-29 12:00+02') IS NOT NULL;
SELECT status FROM revrtm.approve_registration(pg_temp.id(1));
-- Another is sent back for two business hours, which are not ours.
SELECT pg_temp.at('2026-03-30 10:00+02') IS NOT NULL;
SELECT status FROM revrtm.return_registration(pg_temp.id(2), 'who buys?');
SELECT pg_temp.at('2026-03-30 12:00+02') IS NOT NULL;
SELECT status FROM revrtm.submit_registration(pg_temp.id(2));
SELECT pg_temp.at('2026-03-30 13:30+02') IS NOT NULL;
SELECT status FROM revrtm.reject_registration(pg_temp.id(2), 'no');
SELECT pg_temp.at('2026-03-31 09:30+02') IS NOT NULL;
-- Imported as it was decided elsewhere; a draft and one that is gone do not count; a withdrawn one only until then.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, submitted_at, decided_at)
VALUES (pg_temp.id(4), 'R4', 'P1', '{ANY}', '{ANY}', 'approved', '2026-03-02 10:00+01', '2026-03-03 11:00+01'), (pg_temp.id(5), 'R5', 'P1', '{ANY}', '{ANY}', 'draft', '2026-03-02 10:00+01', NULL),
       (pg_temp.id(6), 'R6', 'P1', '{ANY}', '{ANY}', 'submitted', '2026-02-27 10:00+01', NULL), (pg_temp.id(7), 'R7', 'P1', '{ANY}', '{ANY}', 'submitted', '2026-02-27 10:00+01', NULL);
DELETE FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(7);
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(6));
SELECT right(registration_decision_key, 1) AS n, submitted_at, decided_at, decision, left_at, is_open, round(hours::numeric, 6) AS hours, paused_hours FROM revrtm.registration_decision ORDER BY registration_id;
SELECT period, route_id, segment, region, product, value, numerator, denominator, n, note FROM revrtm.kpi WHERE kpi = 'approval_time' ORDER BY period;
-- As things stood two days before, in the evening.
SELECT pg_temp.at('2026-03-29 20:00+02') IS NOT NULL;
SELECT period, numerator, denominator FROM revrtm.kpi WHERE kpi = 'approval_time' ORDER BY period;

-- The price, from list to margin.
SELECT pg_temp.at('2026-03-31 12:00Z') IS NOT NULL;
SELECT revrtm.bind('product_line', $$SELECT * FROM (VALUES ('d4'::text, 'l1'::text, 'gold'::text, 1500::numeric, 2000::numeric, 150::numeric, 30::numeric, 400::numeric),
    ('d4', 'l2', NULL, 500, NULL, NULL, NULL, 600), ('d4', 'l3', 'gold', 100, 90, NULL, NULL, NULL), ('d8', 'l1', 'gold', 100, 100, 1, 1, 1), ('d2', 'l1', 'gold', 9, 9, 9, 9, 9),
    ('gone', 'l1', 'gold', 9, 9, 9, 9, 9)) v (opportunity_id, line_id, product, amount, list_amount, partner_margin, fee, cost)$$) IS NOT NULL AS bound;
\x on
SELECT * FROM revrtm.price_waterfall ORDER BY price_waterfall_key;
\x off

-- Fair comparisons: a route that seems better for its easy segments only, and a gain that is one of the mix.
CREATE TABLE kp.many AS
SELECT row_number() OVER () AS n, v.* FROM (
    SELECT r.route, r.segment, r.month, k <= r.won AS won
    FROM (VALUES ('direct', 'smb', date '2025-01-10', 20, 10), ('direct', 'ent', '2025-01-10', 80, 16), ('resell', 'smb', '2025-01-10', 80, 40), ('resell', 'ent', '2025-01-10', 20, 4),
                 ('direct', 'smb', '2025-02-10', 80, 40), ('direct', 'ent', '2025-02-10', 20, 4), ('resell', 'smb', '2025-02-10', 80, 60), ('resell', 'gov', '2025-02-10', 10, 4)) r (route, segment, month, deals, won),
         generate_series(1, r.deals) k) v;
SELECT revrtm.bind('opportunity', $$SELECT n::text AS opportunity_id, 'B' || n AS account_id, 100::numeric AS amount, true AS is_closed, won AS is_won,
    month::timestamp AT TIME ZONE 'UTC' AS created_at, month + 9 AS close_date, route AS route_id, segment FROM kp.many$$) IS NOT NULL AS bound;
SELECT revrtm.bind('spend', $$SELECT 's' || m || r AS spend_id, m AS period, r AS route_id, 'program'::text AS category, CASE WHEN m > '2025-01-15' THEN a ELSE 1000 END::numeric AS amount
    FROM (VALUES (date '2025-01-01'), ('2025-02-01')) x (m), (VALUES ('direct', 1700), ('resell', 1500)) y (r, a)$$) IS NOT NULL AS bound;
SELECT revrtm.bind('touch', $$SELECT 't'::text AS touch_id, now() AS touched_at, 'c'::text AS channel, 'x'::text AS account_id WHERE false$$) IS NOT NULL AS bound;
SELECT mode FROM revrtm.refresh_journeys();
SELECT member, value, standardized, round(lo::numeric, 6) AS lo, round(hi::numeric, 6) AS hi, n, strata_used, strata_dropped, n_dropped, note
FROM revrtm.kpi_standardized('win_rate', '2025-01-01', '2025-01-31', strata => '{segment}') ORDER BY member;
SELECT member, value, standardized, strata_used, strata_dropped, n_dropped, note FROM revrtm.kpi_standardized('win_rate', '2025-01-01', '2025-02-28', strata => '{segment}') ORDER BY member;
SELECT member, value, standardized, note FROM revrtm.kpi_standardized('win_rate', '2025-01-01', '2025-02-28', 'segment', '{route}', '{gov,ent}') ORDER BY member;
SELECT member, value, standardized, lo, hi FROM revrtm.kpi_standardized('cycle_time_median', '2025-01-01', '2025-02-28') ORDER BY member;
SELECT metric, before, after, change, adjusted, round(lo::numeric, 4) AS lo, round(hi::numeric, 4) AS hi, n_before, n_after, strata_used, strata_dropped, direction, verdict, note
FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', '[2025-02-01,2025-03-01)', '{route,segment}');
-- The other way round, by route alone (the mix adds to it), and with too little to tell.
SELECT metric, change, adjusted, direction, verdict FROM revrtm.outcome_test('[2025-02-01,2025-03-01)', '[2025-01-01,2025-02-01)', '{route,segment}');
SELECT metric, change, adjusted, direction, verdict FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', '[2025-02-01,2025-03-01)', '{route}');
SELECT metric, direction, verdict, note FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', '[2024-02-01,2024-03-01)');
-- Bought dearly, and paid for nothing.
SELECT revrtm.bind('spend', $$SELECT 's' || m || r AS spend_id, m AS period, r AS route_id, 'program'::text AS category, CASE WHEN m > '2025-01-15' THEN 9000 ELSE 1000 END::numeric AS amount
    FROM (VALUES (date '2025-01-01'), ('2025-02-01')) x (m), (VALUES ('direct'), ('resell')) y (r)$$) IS NOT NULL AS bound;
SELECT metric, round(adjusted, 2) AS adjusted, direction, verdict FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', '[2025-02-01,2025-03-01)', '{route,segment}');
DELETE FROM kp.many WHERE route = 'resell' AND month > '2025-02-01';
SELECT mode FROM revrtm.refresh_journeys();
SELECT metric, round(change, 3) AS change, round(adjusted, 3) AS adjusted, direction, verdict FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', '[2025-02-01,2025-03-01)', '{segment}');
SELECT * FROM revrtm.kpi_standardized('margin', '2025-01-01', '2025-01-31');
SELECT * FROM revrtm.kpi_standardized(NULL, '2025-01-01', '2025-01-31');
SELECT * FROM revrtm.kpi_standardized('win_rate', '2025-01-01', '2025-01-31', 'owner');
SELECT * FROM revrtm.kpi_standardized('win_rate', '2025-01-01', '2025-01-31', 'period');
SELECT * FROM revrtm.outcome_test('[2025-01-01,2025-02-15)', '[2025-03-01,2025-04-01)');
SELECT * FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', '[2025-03-01,)');
SELECT * FROM revrtm.outcome_test('[2025-01-01,2025-02-01)', NULL);
SELECT * FROM revrtm.outcome_test('[2025-01-01,2025-03-01)', '[2025-02-01,2025-04-01)');
ROLLBACK;
