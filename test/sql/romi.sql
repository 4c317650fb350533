-- ROMI, what a customer costs and what a line is expected to return, by hand.
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
\pset null '-'
BEGIN;
SET LOCAL revrtm.as_of = '2026-04-30 12:00Z';
SET LOCAL revrtm.model = 'linear';
CREATE SCHEMA ro;
CREATE TABLE ro.deal (id text, account text, route text, partner text, segment text, created date, closed date, state text, amount numeric, margin numeric,
    probability numeric, stage text);
INSERT INTO ro.deal VALUES
    ('d1', 'A1', 'direct', NULL, 'mid', '2026-01-10', '2026-03-15', 'won', 1000, 600, NULL, NULL),
    ('d2', 'A2', 'partner_sourced', 'P1', 'smb', '2026-02-05', '2026-03-20', 'won', 2000, NULL, NULL, NULL),
    ('d3', 'A3', 'partner_sourced', 'P1', 'smb', '2026-03-02', '2026-03-30', 'lost', 900, NULL, NULL, NULL),
    ('d4', 'A4', 'direct', NULL, 'mid', '2026-03-05', NULL, 'open', 400, 200, 0.25, 'Demo'),
    -- the CRM tells no probability, or one that is none
    ('d5', 'A5', 'direct', NULL, 'mid', '2026-03-06', NULL, 'open', 800, NULL, NULL, 'Demo'),
    ('d7', 'A7', 'direct', NULL, 'mid', '2026-03-07', NULL, 'open', 100, 100, 40, 'Nowhere'),
    -- nobody knows when it was won, nor by what
    ('d6', 'A6', 'direct', NULL, NULL, '2026-01-20', NULL, 'won', 70, 70, NULL, NULL);
SELECT bool_and(revrtm.bind(relation, query) IS NOT NULL) AS bound FROM (VALUES
('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, state <> 'open' AS is_closed, state = 'won' AS is_won, created::timestamp AT TIME ZONE 'UTC' AS created_at,
    closed AS close_date, route AS route_id, partner AS partner_id, segment, margin, probability, stage FROM ro.deal$$),
('opportunity_stage', $$SELECT * FROM (VALUES ('d1'::text, 'Demo'::text, timestamptz '2026-01-15Z'), ('d1', 'Demo', '2026-02-15Z'), ('d3', 'Demo', '2026-03-15Z'),
    ('d4', 'Demo', '2026-03-15Z')) v (opportunity_id, stage, entered_at)$$),
('touch', $$SELECT o || at AS touch_id, at AS touched_at, c AS channel, o AS opportunity_id FROM (VALUES ('d1'::text, timestamptz '2026-02-12Z', 'ad'::text), ('d1', '2026-03-01Z', 'referral'),
    ('d2', '2026-02-06Z', 'referral'), ('d3', '2026-03-03Z', 'referral'), ('d3', '2026-03-04Z', 'referral'), ('d4', '2026-03-06Z', 'ad'), ('d5', '2026-03-07Z', 'ad'),
    ('d7', '2026-03-08Z', 'ad')) v (o, at, c)$$),
('spend', $$SELECT * FROM (VALUES ('s1'::text, date '2026-01-15', 'direct'::text, 'content'::text, 100::numeric, NULL::text, NULL::text), ('s2', '2026-03-01', 'partner_sourced', 'mdf', 300, NULL, 'P1'),
    ('s3', '2026-03-02', 'partner_sourced', 'mdf', 100, NULL, NULL), ('s4', '2026-03-03', 'direct', 'content', 50, NULL, NULL), ('s5', '2026-03-04', 'direct', 'tools', 40, 'GBP', NULL),
    ('s6', '2026-03-10', 'partner_sourced', 'commission', 60, NULL, NULL), ('s7', '2026-04-01', 'marketplace', 'spiff', 25, NULL, NULL))
    v (spend_id, period, route_id, category, amount, currency, partner_id)$$),
('revenue_event', $$SELECT * FROM (VALUES ('r1'::text, 'A2'::text, date '2026-04-10', 'Refund'::text, 500::numeric, 'd2'::text), ('r2', 'A9', '2026-04-11', 'refund', 10, 'zz'),
    ('e1', 'A1', '2025-03-01', 'new', 1200, NULL), ('e2', 'A2', '2025-02-01', 'new', 600, NULL), ('e3', 'A2', '2026-03-10', 'churn', -600, NULL))
    v (event_id, account_id, at, kind, amount, opportunity_id)$$)) b (relation, query);
INSERT INTO revrtm.channel_map VALUES ('ad', 'direct', 'content'), ('referral', 'partner_sourced', 'mdf');
UPDATE revrtm.route SET default_margin = 0.5 WHERE route_id = 'partner_sourced';
INSERT INTO revrtm.partner_cost VALUES ('partner_sourced', 'P1', 0.04, 0.06), ('(any)', '(any)', 0, 0.01), ('partner_sourced', '(any)', 0.9, 0);
INSERT INTO revrtm.route_incrementality VALUES ('partner_sourced', 0.8, 'hold-out of 2025');
UPDATE revrtm.spend_category SET cash_lag = 2 WHERE category = 'content';

-- Before anything was read spend is there, and says so.
SELECT period, route_id, category, margin, spend, romi, note FROM revrtm.motion_romi_between(NULL, NULL) ORDER BY route_id, category, period;
SELECT mode, inserted FROM revrtm.refresh_journeys();
SELECT revrtm.refresh_romi() > 0 AS refreshed;
SELECT revrtm.refresh_romi();
SELECT * FROM revrtm.stage_conversion;

-- Cash: what was credited when it closed, against the spend of two months before where the category says so.
SELECT period, route_id, category, deals, conversions, revenue, margin, cost_of_sale, refund_revenue, refund_margin, incremental_margin, spend, round(romi, 4) AS romi, fx_missing, note
FROM revrtm.motion_romi_between(NULL, NULL) ORDER BY route_id, category, period;
-- Cohorts: what the deals of the month brought or are expected to.
SELECT period, route_id, category, touched, closed, deals, revenue, incremental_margin, open_margin, round(maturity, 4) AS maturity, round(elapsed, 4) AS elapsed, spend,
       round(romi, 4) AS romi, note
FROM revrtm.motion_romi_between(NULL, NULL, basis => 'cohort') ORDER BY route_id, category, period;
-- Spend knows its partner at times, and never a segment.
SELECT route_id, category, partner_id, margin, incremental_margin, spend, round(romi, 4) AS romi, note
FROM revrtm.motion_romi_between('2026-03-01', '2026-03-31', '{route,category,partner}') ORDER BY route_id, category, partner_id;
SELECT category, segment, partner_id, touched, incremental_margin, spend, romi, note
FROM revrtm.motion_romi_between('2026-03-01', '2026-03-31', '{category,segment,partner}') ORDER BY category, segment, partner_id;
SAVEPOINT spread;
UPDATE revrtm.romi_rule SET spread = 'touched';
SELECT category, segment, partner_id, touched, incremental_margin, spend, round(romi, 4) AS romi, note
FROM revrtm.motion_romi_between('2026-03-01', '2026-03-31', '{category,segment,partner}') ORDER BY category, segment, partner_id;
SELECT sum(spend) FROM revrtm.motion_romi WHERE basis = 'cash';
ROLLBACK TO spread;
SELECT motion_romi_key, spend, incremental_margin, romi, note FROM revrtm.motion_romi ORDER BY motion_romi_key;
-- One row of everything.
SELECT * FROM revrtm.motion_romi_between(NULL, NULL, '{}');

-- The terms say when refunds count and what a cohort is; what was kept is stale then.
UPDATE revrtm.romi_rule SET refunds = 'current', cohort = 'first_touch', models = '{linear,first_touch,linear}';
SELECT DISTINCT note FROM revrtm.motion_romi_between(NULL, NULL, '{}');
SELECT revrtm.refresh_romi() > 0 AS refreshed;
SELECT period, route_id, category, margin, refund_margin, incremental_margin, spend FROM revrtm.motion_romi_between(NULL, NULL) WHERE refund_margin <> 0 ORDER BY period, route_id;
SELECT period, route_id, category, touched, deals, margin FROM revrtm.motion_romi_between(NULL, NULL, basis => 'cohort') WHERE touched > 0 ORDER BY route_id, category, period;
SELECT route_id, category, margin FROM revrtm.motion_romi_between(NULL, NULL, '{route,category}', 'first_touch') WHERE margin <> 0 ORDER BY route_id, category;
UPDATE revrtm.romi_rule SET refunds = 'restated', cohort = 'created', models = NULL;
SELECT revrtm.refresh_romi() > 0 AS refreshed;

-- What a customer costs, and what it leaves.
UPDATE revrtm.kpi_rule SET cac_lag = 0, small_n = 1;
SELECT route_id, cost, spend, new_customers, cac, monthly_margin, ltv, ltv_capped, ltv_cac, payback, note FROM revrtm.unit_economics WHERE period = '2026-03-01' AND route_id IN ('(all)', 'direct', 'partner_sourced', 'marketplace')
ORDER BY route_id, cost;
SELECT cost, spend, new_customers, round(cac, 2) AS cac, note FROM revrtm.unit_economics_between('2026-01-01', '2026-04-30', '{}') ORDER BY cost;
UPDATE ro.deal SET margin = -2500 WHERE id = 'd1';
SELECT mode FROM revrtm.refresh_journeys();
SELECT cost, cac, monthly_margin, ltv, ltv_capped, ltv_cac, payback, note FROM revrtm.unit_economics WHERE period = '2026-03-01' AND route_id = '(all)' ORDER BY cost;
UPDATE ro.deal SET margin = 600 WHERE id = 'd1';
SELECT mode FROM revrtm.refresh_journeys();

-- What is expected of a line: nothing without evidence.
SELECT revrtm.refresh_romi();
SELECT * FROM revrtm.expected_romi('2026-03-31');
UPDATE revrtm.romi_rule SET small_n = 1, small_months = 2;
INSERT INTO revrtm.budget_line (line, route_id, category) VALUES ('resell/mdf', 'resell', 'mdf');
SELECT * FROM revrtm.expected_romi('2026-03-31');
SELECT count(*) FROM revrtm.expected_romi('2024-03-31', 'linear');

-- Returns of 2 and 8, by hand: noise 20, spread 16, credibility 10 / 11.25.
SELECT line, n, own, round(credibility::numeric, 12) AS credibility, round(pool::numeric, 12) AS pool, round(expected::numeric, 12) AS expected, lo <= expected AND expected <= hi AS holds
FROM revrtm.shrink_returns('{b,a,b,a}', '{5,5,5,5}', '{50,10,30,10}');
SELECT a = b AS any_order, a = c AS other_seed
FROM (SELECT array_agg('l' || i % 3 ORDER BY i) AS l, array_agg(1 + i % 7 ORDER BY i) AS s, array_agg(i * i % 11 ORDER BY i) AS m,
             array_agg('l' || i % 3 ORDER BY i % 5, i) AS ll, array_agg(1 + i % 7 ORDER BY i % 5, i) AS ss, array_agg(i * i % 11 ORDER BY i % 5, i) AS mm
      FROM generate_series(1, 30) i) v,
     LATERAL (SELECT array_agg(r::text ORDER BY line) FROM revrtm.shrink_returns(l, s, m) r) x (a),
     LATERAL (SELECT array_agg(r::text ORDER BY line) FROM revrtm.shrink_returns(ll, ss, mm) r) y (b),
     LATERAL (SELECT array_agg(r::text ORDER BY line) FROM revrtm.shrink_returns(l, s, m, seed => 2) r) z (c);
SELECT * FROM revrtm.shrink_returns('{}', '{}', '{}');
SELECT * FROM revrtm.shrink_returns('{a}', '{2}', '{-3}');

-- Bad input.
SELECT revrtm.motion_romi_between(NULL, NULL, '{period,weekday,NULL}');
SELECT revrtm.motion_romi_between(NULL, NULL, NULL);
SELECT revrtm.motion_romi_between(NULL, NULL, basis => 'accrual');
SELECT revrtm.motion_romi_between(NULL, NULL, basis => NULL);
SELECT revrtm.motion_romi_between('2026-03-01', '2026-02-01');
SELECT revrtm.motion_romi_between(NULL, NULL, model => 'u_shaped');
SELECT revrtm.expected_romi(model => 'nothing');
SELECT revrtm.unit_economics_between(NULL, NULL, '{segment}');
SELECT revrtm.shrink_returns('{a,b}', '{1}', '{1,2}');
SELECT revrtm.shrink_returns(NULL, '{1}', '{1}');
SELECT revrtm.shrink_returns('{NULL}', '{1}', '{1}');
SELECT revrtm.shrink_returns('{a}', '{0}', '{1}');
SELECT revrtm.shrink_returns('{a}', '{1}', '{NaN}');
SELECT revrtm.shrink_returns('{a}', '{infinity}', '{1}');
SELECT revrtm.shrink_returns('{a,a}', '{1,1}', '{1e308,1e308}');
SELECT revrtm.shrink_returns('{a}', '{1}', '{1}', replicates => 0);
SELECT revrtm.shrink_returns('{a}', '{1}', '{1}', replicates => 100001);
SELECT revrtm.shrink_returns('{a}', '{1}', '{1}', confidence => 'NaN');
SELECT revrtm.shrink_returns('{a}', '{1}', '{1}', seed => NULL);
INSERT INTO revrtm.romi_rule (rule) VALUES ('other');
INSERT INTO revrtm.partner_cost VALUES ('resell', 'P1', 1.5, 0);
INSERT INTO revrtm.route_incrementality VALUES ('resell', 'NaN');
UPDATE revrtm.spend_category SET cohort_lag = 3 WHERE category = 'content';
UPDATE revrtm.spend_category SET cac = 'some' WHERE category = 'content';
ROLLBACK;
