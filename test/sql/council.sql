-- ROMI, the budget and the council, on a CRM small enough to work out by hand.

\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET revrtm.as_of = '2026-07-01';
SET revrtm.fx_max_age = 0;

-- Nothing bound, nothing kept: everything is empty, and valid.
SELECT (SELECT count(*) FROM revrtm.deal_journey) AS deals, (SELECT count(*) FROM revrtm.budget_line) AS lines,
       (SELECT count(*) FROM revrtm.channel_map) AS channels, (SELECT count(*) FROM revrtm.deal_registration) AS registrations,
       (SELECT count(*) FROM revrtm.spend) AS spend;
SELECT revrtm.council_period() IS NULL AS no_month, revrtm.council_period('2026-02-17') AS given,
       revrtm.council_period('infinity') AS for_ever;
SELECT p.key, jsonb_typeof(p.value) AS type, CASE WHEN jsonb_typeof(p.value) = 'array' THEN jsonb_array_length(p.value) END AS length,
       CASE WHEN jsonb_typeof(p.value) <> 'array' THEN p.value END AS value
FROM jsonb_each(revrtm.council_pack()) p ORDER BY p.key;
SELECT route_id, kind, open_deals, open_amount, won, lost, win_rate, cycle_days, spend, revenue_by_model, revenue, margin,
       romi, marginal_romi, current_budget, proposed_budget, note
FROM revrtm.council_route();
SELECT count(*) AS fits FROM revrtm.budget_fit();
SELECT count(*) AS proposals FROM revrtm.budget_proposal();
SELECT count(*) AS proposals FROM revrtm.budget_proposal('2026-06-01', 100);
SELECT count(*) AS rows FROM revrtm.route_romi;

-- The CRM.
CREATE SCHEMA small;
CREATE TABLE small.deal (
    id text, amount numeric, currency text, closed boolean, won boolean, close_date date, closed_at timestamptz,
    route text, partner text, margin numeric, deleted boolean);
CREATE TABLE small.touch (deal text, at timestamptz, channel text);
CREATE TABLE small.spend (id text, period date, route text, category text, amount numeric, currency text);
CREATE TABLE small.rate (on_date date, rate numeric);
SELECT bool_and(revrtm.bind(relation, query) IS NOT NULL) AS bound
FROM (VALUES
('opportunity', $$SELECT id AS opportunity_id, 'acme'::text AS account_id, amount, currency, closed AS is_closed, won AS is_won,
    timestamptz '2026-05-01 00:00Z' AS created_at, close_date, closed_at, route AS route_id, partner AS partner_id, margin, deleted
    FROM small.deal$$),
('touch', $$SELECT deal || ' ' || at AS touch_id, at AS touched_at, channel, deal AS opportunity_id FROM small.touch$$),
('spend', $$SELECT id AS spend_id, period, route AS route_id, category, amount, currency FROM small.spend$$),
('fx_rate', $$SELECT 'EUR'::text AS from_currency, 'USD'::text AS to_currency, on_date, rate FROM small.rate
    UNION ALL SELECT 'USD', 'EUR', '2026-05-01', 0.5$$)) b (relation, query);
INSERT INTO revrtm.route (route_id, kind, default_margin) VALUES ('oem', 'resell', 0.5);
INSERT INTO revrtm.channel_map VALUES
    ('ad', 'direct', 'content'), ('call', 'direct', 'headcount'), ('referral', 'partner_sourced', 'spiff');
INSERT INTO small.rate VALUES ('2026-06-01', 1.10), ('2026-06-20', 1.25);

INSERT INTO small.deal VALUES
    ('d1',    1000, 'USD', true,  true,  '2026-06-10', NULL, 'direct', NULL, 600),
    ('d2',     500, NULL,  true,  true,  '2026-06-30', NULL, NULL, 'p1', NULL),       -- partner_sourced, margin 1
    ('d3',     100, 'EUR', true,  true,  '2026-06-15', NULL, 'oem', 'p2', NULL),      -- 110 USD, margin 0.5
    ('d4',     999, 'GBP', true,  true,  '2026-06-20', NULL, 'direct', NULL, 999),    -- no rate
    ('d5',    NULL, 'USD', true,  true,  '2026-06-21', NULL, 'direct', NULL, NULL),   -- no amount, no touch
    ('d6',    1000, 'USD', true,  false, '2026-06-11', NULL, 'direct', NULL, NULL),   -- lost
    ('d7',      70, 'USD', true,  true,  NULL, NULL, 'direct', NULL, 70),             -- won, nobody knows when
    ('d8',     400, 'USD', false, false, '2026-08-01', NULL, 'direct', NULL, NULL),   -- open
    ('d9',     100, 'EUR', false, false, '2026-06-02', NULL, 'oem', NULL, NULL),      -- open, at today's rate
    ('d10', 100.01, 'USD', true,  true,  '2026-06-30', '2026-05-31 23:30Z', 'co_sell', 'p1', 10),
    ('d11', 100000, 'USD', true,  true,  '2026-06-10', NULL, 'direct', NULL, 1);
UPDATE small.deal SET deleted = true WHERE id = 'd11';
INSERT INTO small.touch VALUES
    ('d1', '2026-05-02Z', 'ad'), ('d1', '2026-05-03Z', 'call'), ('d1', '2026-05-04Z', 'ad'),
    ('d2', '2026-05-02Z', 'referral'), ('d2', '2026-05-03Z', 'ad'),
    ('d3', '2026-05-02Z', 'walk in'), ('d4', '2026-05-02Z', 'ad'), ('d6', '2026-05-02Z', 'call'), ('d7', '2026-05-02Z', 'ad'),
    ('d10', '2026-05-02Z', 'referral'), ('d10', '2026-05-03Z', 'call'), ('d10', '2026-05-04Z', 'call'),
    ('d11', '2026-05-02Z', 'ad');
INSERT INTO small.spend VALUES
    ('s1', '2026-06-03', 'direct', 'content', 300, 'USD'),
    ('s2', '2026-06-28', 'direct', 'content', 100, 'EUR'),
    ('s3', '2026-06-01', 'direct', 'headcount', 0, 'USD'),
    ('s4', '2026-06-10', 'partner_sourced', 'spiff', 50, 'GBP'),
    ('s5', '2026-06-10', 'marketplace', 'mdf', 80, 'USD'),
    ('s6', '2026-05-10', 'co_sell', 'program', 10, NULL),
    ('s7', '2026-06-10', 'ghost', 'mdf', 5, 'USD'),
    ('s8', '2026-07-01', 'direct', 'content', 9, 'USD'),
    ('s9', '2026-05-31', 'direct', 'content', 7, 'GBP');
SELECT mode, inserted FROM revrtm.refresh_journeys();
SELECT revrtm.refresh_romi() > 0 AS romi;

-- compare(actual, expected) lists the rows of one that the other has not.
CREATE PROCEDURE small.compare(actual text, expected text)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN EXECUTE format('SELECT ''more'' AS side, a.* FROM (%1$s EXCEPT ALL (%2$s)) a
                             UNION ALL SELECT ''less'', b.* FROM ((%2$s) EXCEPT ALL %1$s) b', actual, expected)
    LOOP
        RAISE WARNING '%', r;
    END LOOP;
END
$$;

-- Deals in dollars.
CALL small.compare('SELECT opportunity_id, route_id, period, amount, margin, note FROM revrtm.deal', $$VALUES
    ('d1', 'direct', date '2026-06-01', 1000.00, 600.00, NULL),
    ('d2', 'partner_sourced', '2026-06-01', 500.00, 500.00, 'margin_estimated'),
    ('d3', 'oem', '2026-06-01', 110.00, 55.00, 'margin_estimated'),
    ('d4', 'direct', '2026-06-01', NULL, NULL, 'fx_missing'),
    ('d5', 'direct', '2026-06-01', NULL, NULL, 'no_amount'),
    ('d6', 'direct', '2026-06-01', 1000.00, 1000.00, 'margin_estimated'),
    ('d7', 'direct', NULL, 70.00, 70.00, NULL),
    ('d8', 'direct', NULL, 400.00, 400.00, 'margin_estimated'),
    ('d9', 'oem', NULL, 125.00, 62.50, 'margin_estimated'),
    ('d10', 'co_sell', '2026-05-01', 100.01, 10.00, NULL)$$);
SELECT * FROM revrtm.attribution_check WHERE difference <> 0 OR deal_difference <> 0;
SELECT revrtm.fx('EUR', 'USD', '2026-05-31') AS inverse, revrtm.fx('EUR', 'USD', '2026-06-19') AS between,
       revrtm.fx('GBP', 'USD', '2026-06-19') AS none, revrtm.fx('GBP', 'GBP', NULL) AS same, revrtm.fx(NULL, 'USD', '2026-06-19') AS reporting;

-- Pipeline: the same rates as the deals.
CALL small.compare('SELECT pipeline_key, open_deals, open_amount, won, lost, won_amount, win_rate, fx_missing, note FROM revrtm.pipeline', $$VALUES
    ('(none):(none):(none):direct', 1::bigint, 400.00, 4::bigint, 1::bigint, 1070.00, 0.800000, 1::bigint, 'fx_missing'),
    ('(none):(none):(none):partner_sourced', 0, 0.00, 1, 0, 500.00, 1.000000, 0, NULL),
    ('(none):(none):(none):oem', 1, 125.00, 1, 0, 110.00, 1.000000, 0, NULL),
    ('(none):(none):(none):co_sell', 0, 0.00, 1, 0, 100.01, 1.000000, 0, NULL)$$);

-- Credit by route and category: 40/20/40, 50/50; 100.01 gives its odd cent to the first touch.
CALL small.compare($$SELECT route_credit_key, round(conversions::numeric, 9), revenue, margin FROM revrtm.route_credit WHERE model = 'u_shaped'$$, $$VALUES
    ('u_shaped:direct:content:2026-06-01:direct', 1.8, 800.00, 480.00),
    ('u_shaped:direct:content:2026-06-01:partner_sourced', 0.5, 250.00, 250.00),
    ('u_shaped:direct:headcount:2026-06-01:direct', 0.2, 200.00, 120.00),
    ('u_shaped:partner_sourced:spiff:2026-06-01:partner_sourced', 0.5, 250.00, 250.00),
    ('u_shaped:oem:(unmapped):2026-06-01:oem', 1, 110.00, 55.00),
    ('u_shaped:direct:(unmapped):2026-06-01:direct', 1, 0.00, 0.00),
    ('u_shaped:partner_sourced:spiff:2026-05-01:co_sell', 0.4, 40.01, 4.00),
    ('u_shaped:direct:headcount:2026-05-01:co_sell', 0.6, 60.00, 6.00),
    ('u_shaped:direct:content:(none):direct', 1, 70.00, 70.00)$$);
CALL small.compare($$SELECT route_credit_key, revenue FROM revrtm.route_credit WHERE model = 'first_touch' AND period = '2026-05-01'$$,
    $$VALUES ('first_touch:partner_sourced:spiff:2026-05-01:co_sell', 100.01), ('first_touch:direct:headcount:2026-05-01:co_sell', 0.00)$$);
CALL small.compare('SELECT route_spend_key, spend, fx_missing FROM revrtm.route_spend', $$VALUES
    ('direct:content:2026-05-01', 0.00, 1::bigint), ('direct:content:2026-06-01', 425.00, 0), ('direct:content:2026-07-01', 9.00, 0),
    ('direct:headcount:2026-06-01', 0.00, 0), ('partner_sourced:spiff:2026-06-01', 0.00, 1),
    ('marketplace:mdf:2026-06-01', 80.00, 0), ('co_sell:program:2026-05-01', 10.00, 0), ('ghost:mdf:2026-06-01', 5.00, 0)$$);
CALL small.compare('SELECT route_touched_key, deals FROM revrtm.route_touched', $$VALUES
    ('direct:content:2026-06-01', 3::bigint), ('direct:headcount:2026-06-01', 1), ('direct:(unmapped):2026-06-01', 1),
    ('partner_sourced:spiff:2026-06-01', 1), ('oem:(unmapped):2026-06-01', 1), ('partner_sourced:spiff:2026-05-01', 1),
    ('direct:headcount:2026-05-01', 1), ('direct:content:(none)', 1)$$);
CALL small.compare($$SELECT route_romi_key, deals, round(conversions::numeric, 9), revenue, margin, spend, romi, fx_missing, note
                     FROM revrtm.route_romi WHERE model = 'u_shaped'$$, $$VALUES
    ('u_shaped:direct:content:2026-06-01', 3::bigint, 2.3, 1050.00, 730.00, 425.00, 0.717647, 0::bigint, NULL),
    ('u_shaped:direct:headcount:2026-06-01', 1, 0.2, 200.00, 120.00, 0.00, NULL, 0, 'zero_spend'),
    ('u_shaped:direct:(unmapped):2026-06-01', 1, 1, 0.00, 0.00, 0.00, NULL, 0, 'zero_spend'),
    ('u_shaped:partner_sourced:spiff:2026-06-01', 1, 0.5, 250.00, 250.00, 0.00, NULL, 1, 'fx_missing'),
    ('u_shaped:oem:(unmapped):2026-06-01', 1, 1, 110.00, 55.00, 0.00, NULL, 0, 'zero_spend'),
    ('u_shaped:marketplace:mdf:2026-06-01', 0, 0, 0.00, 0.00, 80.00, -1, 0, NULL),
    ('u_shaped:ghost:mdf:2026-06-01', 0, 0, 0.00, 0.00, 5.00, -1, 0, NULL),
    ('u_shaped:direct:content:2026-07-01', 0, 0, 0.00, 0.00, 9.00, -1, 0, NULL),
    ('u_shaped:direct:content:2026-05-01', 0, 0, 0.00, 0.00, 0.00, NULL, 1, 'fx_missing'),
    ('u_shaped:partner_sourced:spiff:2026-05-01', 1, 0.4, 40.01, 4.00, 0.00, NULL, 0, 'zero_spend'),
    ('u_shaped:direct:headcount:2026-05-01', 1, 0.6, 60.00, 6.00, 0.00, NULL, 0, 'zero_spend'),
    ('u_shaped:co_sell:program:2026-05-01', 0, 0, 0.00, 0.00, 10.00, -1, 0, NULL),
    ('u_shaped:direct:content:(none)', 1, 1, 70.00, 70.00, 0.00, NULL, 0, 'zero_spend')$$);
-- Spend and touched deals are the same under every model; revenue in sum too.
SELECT count(DISTINCT (s.spend, s.deals, s.revenue)) AS pictures, count(*) AS models
FROM (SELECT model, sum(spend) AS spend, sum(revenue) AS revenue, max(deals) FILTER (WHERE route_romi_key LIKE '%:direct:content:2026-06-01') AS deals
      FROM revrtm.route_romi GROUP BY model) s;

-- The month: the last closed one with deals or spend.
SELECT revrtm.council_period() AS june;
SET revrtm.as_of = '2026-06-30';
SELECT revrtm.council_period() AS may;
SET revrtm.as_of = '2026-12-24';
SELECT revrtm.council_period() AS july_has_spend;
SET revrtm.as_of = '2024-01-01';
SELECT revrtm.council_period() IS NULL AS nothing_yet;
SET revrtm.as_of = '2026-07-01';

-- The routes: a route that nobody registered keeps its row, an open deal is at today's rate.
CALL small.compare($$SELECT route_id, kind, open_deals, open_amount, won, lost, win_rate, spend, revenue, margin, romi, note
                     FROM revrtm.council_route()$$, $$VALUES
    ('co_sell', 'co_sell', 0::bigint, 0.00, 1::bigint, 0::bigint, 1.000000, 10.00, 0.00, 0.00, -1, NULL),
    ('direct', 'direct', 1, 400.00, 3, 1, 0.75, 425.00, 1310.00, 856.00, 1.014118, NULL),
    ('ghost', NULL, 0, 0.00, 0, 0, NULL, 5.00, 0.00, 0.00, -1, 'unknown_route'),
    ('marketplace', 'marketplace', 0, 0.00, 0, 0, NULL, 80.00, 0.00, 0.00, -1, 'no_closed'),
    ('oem', 'resell', 1, 125.00, 1, 0, 1, 0.00, 110.00, 55.00, NULL, 'zero_spend'),
    ('partner_sourced', 'partner_sourced', 0, 0.00, 1, 0, 1, 0.00, 290.01, 254.00, NULL, 'zero_spend'),
    ('resell', 'resell', 0, 0.00, 0, 0, NULL, 0.00, 0.00, 0.00, NULL, 'zero_spend')$$);
SELECT route_id, cycle_days, revenue_by_model -> 'first_touch' AS first_touch, revenue_by_model -> 'last_touch' AS last_touch,
       (SELECT count(*) FROM jsonb_object_keys(revenue_by_model)) AS models
FROM revrtm.council_route() WHERE route_id IN ('direct', 'partner_sourced');
-- In May the twelve months before June: nothing of June.
CALL small.compare($$SELECT route_id, won, lost, spend, revenue FROM revrtm.council_route('2026-05-17') WHERE won + lost + spend + revenue > 0$$,
    $$VALUES ('co_sell', 1::bigint, 0::bigint, 10.00, 0.00), ('direct', 0, 0, 0.00, 60.00), ('partner_sourced', 0, 0, 0.00, 40.01)$$);
-- Thirteen months later it is out of sight.
SELECT count(*) FROM revrtm.council_route('2027-06-01') WHERE won + lost + revenue > 0;

-- In euros: 0.5 from dollars, euros as they are, no rate from pounds.
SET revrtm.currency = 'EUR';
CALL small.compare($$SELECT opportunity_id, amount, note FROM revrtm.deal WHERE opportunity_id IN ('d1', 'd2', 'd3', 'd4')$$,
    $$VALUES ('d1', 500.00, NULL), ('d2', 500.00, 'margin_estimated'), ('d3', 100.00, 'margin_estimated'), ('d4', NULL, 'fx_missing')$$);
CALL small.compare($$SELECT spend, fx_missing FROM revrtm.route_spend WHERE route_spend_key = 'direct:content:2026-06-01'$$,
    $$VALUES (250.00, 0::bigint)$$);
SELECT p ->> 'currency' AS currency, sum((r ->> 'revenue')::numeric) AS revenue
FROM revrtm.council_pack() p, jsonb_array_elements(p -> 'routes') r GROUP BY 1;
RESET revrtm.currency;

-- A model that is none, or not enabled.
SET revrtm.model = 'no_such';
\set VERBOSITY sqlstate
SELECT * FROM revrtm.council_pack();
SELECT * FROM revrtm.council_route();
\set VERBOSITY default
SELECT revrtm.council_model();
INSERT INTO revrtm.attribution_model (model, kind, enabled) VALUES ('resting', 'linear', false);
SET revrtm.model = 'resting';
SELECT revrtm.council_model();
DELETE FROM revrtm.attribution_model WHERE model = 'resting';
SET revrtm.model = 'linear';
SELECT revrtm.council_pack() ->> 'model' AS model, revrtm.council_pack() -> 'notes' AS notes;
RESET revrtm.model;

-- The budget: months of spend and margin by line, a deal with one touch each.
CREATE TABLE small.month (line text, period date, spend numeric, margin numeric);
INSERT INTO small.month
SELECT 'rises', date '2025-11-01' + m * interval '1 month', 1000 + 137 * m, 3000 + 211 * m - 3 * m * m FROM generate_series(0, 7) m
UNION ALL
SELECT 'rises more', date '2025-11-01' + m * interval '1 month', 500 + 91.37 * (m * 3 % 8), 1000 + 400 * (m * 3 % 8) + 10 * m FROM generate_series(0, 7) m
UNION ALL
SELECT 'falls', date '2025-11-01' + m * interval '1 month', 200 + 10 * m, 900 - 20 * m FROM generate_series(0, 7) m
UNION ALL
SELECT 'is new', date '2026-02-01' + m * interval '1 month', 100 + 10 * m, 500 + 20 * m FROM generate_series(0, 4) m
UNION ALL
SELECT 'never changes', date '2025-11-01' + m * interval '1 month', 333.33, 500 + 20 * m FROM generate_series(0, 7) m
UNION ALL
SELECT 'has ended', date '2025-11-01' + m * interval '1 month', 100 + 10 * m, 500 + 20 * m FROM generate_series(0, 6) m;
INSERT INTO small.spend SELECT line || period, period + 4, 'direct', line, spend, 'USD' FROM small.month;
-- A month without spend is no point of the curve.
INSERT INTO small.month VALUES ('rises', '2025-10-01', 0, 777);
INSERT INTO revrtm.channel_map SELECT DISTINCT line, 'direct', line FROM small.month;
INSERT INTO small.deal SELECT line || period, margin * 2, NULL, true, true, period + 9, NULL,
    CASE line WHEN 'rises more' THEN 'oem' ELSE 'direct' END, NULL, margin FROM small.month;
INSERT INTO small.touch SELECT line || period, period, line FROM small.month;
SELECT mode, inserted FROM revrtm.refresh_journeys();
SELECT revrtm.refresh_romi() > 0 AS romi;
INSERT INTO revrtm.budget_line (line, route_id, category) SELECT DISTINCT line, 'direct', line FROM small.month;
INSERT INTO revrtm.budget_line (line, route_id, category) VALUES ('nothing', 'resell', 'mdf');

-- Least squares from plain sums.
SELECT f.line, f.months, f.current, f.lo, f.hi, round(f.other_share, 6) AS other_share, f.note,
       abs(revrtm.curve_slope(f.curve, 1) / s.slope - 1) < 1e-9 AS slope,
       abs(revrtm.curve_value(f.curve, 1) / ((s.sy - s.slope * s.sx) / s.n) - 1) < 1e-9 AS intercept
FROM revrtm.budget_fit() f
JOIN (SELECT line, n, sx, sy, (n * sxy - sx * sy) / (n * sxx - sx * sx) AS slope
      FROM (SELECT line, count(*) AS n, sum(ln(spend::float8)) AS sx, sum(ln(spend::float8) ^ 2) AS sxx,
                   sum(margin::float8) AS sy, sum(ln(spend::float8) * margin::float8) AS sxy
            FROM small.month WHERE spend > 0 GROUP BY line) t) s USING (line)
WHERE f.note IS NULL ORDER BY f.line;
-- The others are flat: the mean margin of months with spend.
SELECT f.line, f.months, f.current, f.lo, f.hi, f.curve, f.note,
       f.curve::text = format('linear(%s,0)', (SELECT coalesce(avg(m.margin), 0)::float8 FROM small.month m WHERE m.line = f.line)) AS mean
FROM revrtm.budget_fit() f WHERE f.note IS NOT NULL ORDER BY f.line;
-- Of a month that is over, later months are not known.
SELECT line, months, current, note FROM revrtm.budget_fit('2026-04-30') WHERE line IN ('rises', 'is new', 'nothing', 'has ended') ORDER BY line;

-- The proposal: the whole budget, within bounds, what must be kept is kept.
SELECT line, route_id, category, current, proposed, change, bound, note FROM revrtm.budget_proposal();
SELECT sum(p.proposed) = sum(m.spend) AS whole, sum(p.current) = sum(m.spend) AS as_spent, sum(change) AS change
FROM revrtm.budget_proposal() p LEFT JOIN small.month m ON m.line = p.line AND m.period = '2026-06-01';
SELECT b.budget, sum(p.proposed) - b.budget AS difference, bool_and(p.proposed BETWEEN f.lo AND f.hi) AS in_bounds,
       max(abs(p.response - revrtm.curve_value(f.curve, p.proposed::float8))) AS response,
       max(abs(p.marginal - revrtm.curve_slope(f.curve, p.proposed::float8))) AS marginal
FROM (VALUES (3500.00), (3900.01), (4200.00)) b (budget),
     revrtm.budget_proposal('2026-06-15', b.budget) p JOIN revrtm.budget_fit('2026-06-15') f USING (line)
GROUP BY b.budget ORDER BY b.budget;
-- Too little and too much: the bounds' sums are named.
SELECT * FROM revrtm.budget_proposal('2026-06-01', 1);
SELECT * FROM revrtm.budget_proposal('2026-06-01', 100000);
SELECT * FROM revrtm.budget_proposal('2026-06-01', 3900.001);
SELECT sum(f.lo) AS lower, sum(f.hi) AS upper FROM revrtm.budget_fit('2026-06-01') f;

-- With room, two log lines share in proportion to their slopes (Lagrange), to the cent.
UPDATE revrtm.budget_line SET lo = 0, hi = 100000 WHERE line LIKE 'rises%';
UPDATE revrtm.council_rule SET shift_share = NULL;
SELECT p.line, abs(p.proposed - free * slope / sum(slope) OVER ()) <= 0.01 AS proportional, p.bound, p.note
FROM (SELECT p.*, revrtm.curve_slope(f.curve, 1) AS slope,
             (SELECT sum(g.proposed) FROM revrtm.budget_proposal() g WHERE g.line LIKE 'rises%')::float8 AS free
      FROM revrtm.budget_proposal() p JOIN revrtm.budget_fit() f USING (line) WHERE p.line LIKE 'rises%') p ORDER BY p.line;
-- One bound gives way to the other that is given.
UPDATE revrtm.budget_line SET lo = 9000, hi = NULL WHERE line = 'rises';
UPDATE revrtm.budget_line SET lo = NULL, hi = 5 WHERE line = 'rises more';
SELECT line, lo, hi FROM revrtm.budget_fit() WHERE line LIKE 'rises%' ORDER BY line;
UPDATE revrtm.budget_line SET lo = NULL, hi = NULL WHERE line LIKE 'rises%';
-- A line that has ended may begin again where a bound says so.
UPDATE revrtm.budget_line SET hi = 50 WHERE line = 'has ended';
SELECT line, lo, hi, note, revrtm.curve_slope(curve, 1) > 0 AS fitted FROM revrtm.budget_fit() WHERE line = 'has ended';
UPDATE revrtm.budget_line SET hi = NULL WHERE line = 'has ended';

-- A curve of one's own counts without months.
UPDATE revrtm.budget_line SET curve = 'exponential(0,9000,400)', lo = 10, hi = 2000 WHERE line = 'nothing';
SELECT line, lo, hi, curve, months, note FROM revrtm.budget_fit() WHERE line = 'nothing';
SELECT p.line, p.current, p.proposed > 10 AS takes, p.bound,
       abs(p.marginal - 22.5 * exp(-p.proposed::float8 / 400)) < 1e-9 AS marginal
FROM revrtm.budget_proposal() p WHERE p.line = 'nothing';
-- One that is S-shaped gets its best amount as well, here beyond its turn.
UPDATE revrtm.budget_line SET curve = 'hill(0,9000,400,2)' WHERE line = 'nothing';
SELECT line, proposed, bound FROM revrtm.budget_proposal() WHERE line = 'nothing';
UPDATE revrtm.budget_line SET lo = 300 WHERE line = 'nothing';
SELECT line, bound IS NOT NULL OR proposed > 300 AS placed FROM revrtm.budget_proposal() WHERE line = 'nothing';
-- What a line may not be.
INSERT INTO revrtm.budget_line (line, route_id, category) VALUES ('x', 'direct', '(unmapped)');
INSERT INTO revrtm.budget_line (line, route_id, category) VALUES ('x', 'direct', 'rises');
INSERT INTO revrtm.budget_line (line, route_id, category, lo) VALUES ('x', 'direct', 'y', 'NaN');
INSERT INTO revrtm.budget_line (line, route_id, category, hi) VALUES ('x', 'direct', 'y', 'Infinity');
INSERT INTO revrtm.budget_line (line, route_id, category, lo, hi) VALUES ('x', 'direct', 'y', 2, 1);
INSERT INTO revrtm.budget_line (line, route_id, category, curve) VALUES ('x', 'direct', 'y', 'linear(0)');
UPDATE revrtm.budget_line SET curve = NULL, lo = NULL, hi = NULL WHERE line = 'nothing';
-- A route that is none is told.
BEGIN;
INSERT INTO revrtm.budget_line (line, route_id, category) VALUES ('x', 'no_such', 'y');
INSERT INTO revrtm.channel_map VALUES ('x', 'no_such', 'y');
SELECT n AS note FROM jsonb_array_elements_text(revrtm.council_pack() -> 'notes') n WHERE n LIKE 'unknown%';
SELECT route_id, kind, note FROM revrtm.council_route() WHERE route_id = 'no_such';
ROLLBACK;

-- Marginal ROMI of a route: the lines' slopes weighted by their spend, less the unit.
SELECT abs(r.marginal_romi - (SELECT sum(revrtm.curve_slope(f.curve, f.current::float8) * f.current::float8) / sum(f.current)::float8 - 1
                              FROM revrtm.budget_fit() f WHERE f.source <> 'mean')::numeric) < 1e-6 AS weighted,
       r.current_budget = (SELECT sum(m.spend) FROM small.month m WHERE m.period = '2026-06-01') AS whole, r.current_budget, r.proposed_budget
FROM revrtm.council_route() r WHERE r.route_id = 'direct';

-- The pack: conflicts, and every array is the rows of the view or function of its name.
SELECT submitted.status, approved.status
FROM revrtm.register_deal('prospect', 'p1', '{ANY}', '{ANY}') submitted,
     revrtm.approve_registration(submitted.registration_id, '[2026-06-01,2026-09-01)') approved;
SELECT status, reason_code FROM revrtm.register_deal('prospect', 'p2', '{ANY}', '{ANY}');
SET DateStyle = 'ISO, MDY';     -- a daterange shows it
CREATE TABLE small.pack AS SELECT revrtm.council_pack() AS doc;
SELECT string_agg(k.key, ' ' ORDER BY k.key) AS keys FROM small.pack, jsonb_object_keys(doc) k (key);
SELECT doc -> 'version' AS version, doc -> 'period' AS period, doc -> 'as_of' AS as_of, doc -> 'model' AS model,
       doc -> 'currency' AS currency, jsonb_array_length(doc -> 'conflicts') AS conflicts, doc -> 'notes' AS notes FROM small.pack;
SELECT doc -> 'routes' = (SELECT jsonb_agg(to_jsonb(r)) FROM revrtm.council_route('2026-06-01') r) AS routes,
       doc -> 'attribution' = (SELECT jsonb_agg(to_jsonb(a) ORDER BY model COLLATE "C", channel COLLATE "C")
                               FROM revrtm.channel_attribution a WHERE period = '2026-06-01') AS attribution,
       doc -> 'conflicts' = (SELECT jsonb_agg(to_jsonb(c)) FROM revrtm.registration_conflict c) AS conflicts,
       doc -> 'budget' = (SELECT jsonb_agg(to_jsonb(b)) FROM revrtm.budget_proposal('2026-06-01') b) AS budget,
       doc -> 'checks' = (SELECT jsonb_agg(to_jsonb(k) ORDER BY model COLLATE "C", deal_currency COLLATE "C") FROM revrtm.attribution_check k
                          WHERE period = '2026-06-01') AS checks
FROM small.pack;
SELECT c ->> 'partner_id' AS claims, c ->> 'other_partner_id' AS holds, c ->> 'other_protection' AS until
FROM small.pack, jsonb_array_elements(doc -> 'conflicts') c;
-- The same in any time zone, date style and number format, with any plan.
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'SQL, DMY';
SET extra_float_digits = 0;
SELECT doc = revrtm.council_pack() AS same_in_tokyo FROM small.pack;
RESET DateStyle;
SET extra_float_digits = 1;
SET TimeZone = 'UTC';
SET enable_hashagg = off;
SET enable_hashjoin = off;
SET max_parallel_workers_per_gather = 0;
SELECT doc = revrtm.council_pack() AS same_by_another_plan FROM small.pack;
RESET enable_hashagg;
RESET enable_hashjoin;
RESET max_parallel_workers_per_gather;
-- Any day names its month; a past month reads the same at any later day, but for the day.
SELECT doc = revrtm.council_pack('2026-06-17') AS any_day FROM small.pack;
SELECT revrtm.council_pack('2026-05-01') AS may \gset
INSERT INTO small.deal VALUES ('late', 1, 'GBP', true, true, '2026-06-29', NULL, 'direct', NULL, NULL);
SELECT inserted FROM revrtm.refresh_journeys();
SELECT revrtm.refresh_romi() > 0 AS romi;
SET revrtm.as_of = '2026-08-15';
SELECT :'may'::jsonb - '{as_of,breaches,cases,maturity,pipeline,portfolio}'::text[]
       = revrtm.council_pack('2026-05-31') - '{as_of,breaches,cases,maturity,pipeline,portfolio}'::text[] AS same_later, :'may'::jsonb ->> 'period' AS period;
RESET revrtm.as_of;
SELECT key FROM jsonb_each(:'may'::jsonb - 'as_of' - 'conflicts') m
WHERE m.value IS DISTINCT FROM revrtm.council_pack('2026-05-31') -> m.key;
SELECT (revrtm.council_pack('2026-05-31') ->> 'as_of')::timestamp = now() AT TIME ZONE 'UTC' AS now;
-- A month in which nothing was.
SELECT jsonb_array_length(p -> 'attribution') AS attribution, jsonb_array_length(p -> 'checks') AS checks,
       jsonb_array_length(p -> 'budget') AS budget, jsonb_array_length(p -> 'routes') AS routes, p -> 'notes' AS notes
FROM revrtm.council_pack('2019-01-01') p;

-- An analyst reads it all with grant_reader, and nothing without.
CREATE ROLE regress_revrtm_analyst;
SET ROLE regress_revrtm_analyst;
SELECT count(*) FROM revrtm.deal_journey;
SELECT count(*) FROM revrtm.budget_line;
SELECT revrtm.council_pack('2026-06-01');
RESET ROLE;
SELECT revrtm.grant_reader('regress_revrtm_analyst');
SELECT revrtm.council_pack('2026-06-01') - '{as_of,conflicts}'::text[] AS mine \gset
SET ROLE regress_revrtm_analyst;
SELECT array_agg(m.key ORDER BY m.key) AS not_as_mine, min(p.doc ->> 'conflicts') AS registrations_are_for_staff
FROM (SELECT revrtm.council_pack('2026-06-01') AS doc) p, jsonb_each(:'mine') m WHERE m.value IS DISTINCT FROM p.doc -> m.key;
RESET ROLE;
SET client_min_messages = warning;
DROP OWNED BY regress_revrtm_analyst;
RESET client_min_messages;
DROP ROLE regress_revrtm_analyst;

-- Leave nothing behind.
SELECT count(revrtm.unbind(relation)) AS unbound FROM (VALUES ('opportunity'), ('touch'), ('spend'), ('fx_rate')) u (relation);
SET client_min_messages = warning;
DROP SCHEMA small CASCADE;
RESET client_min_messages;
DELETE FROM revrtm.budget_line;
UPDATE revrtm.council_rule SET shift_share = 0.15;
DELETE FROM revrtm.channel_map;
DELETE FROM revrtm.route WHERE route_id = 'oem';
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.deal_journey;
DELETE FROM revrtm.journey_refresh;
DELETE FROM revrtm.romi_credit;
DELETE FROM revrtm.romi_refresh;
RESET TimeZone;
RESET extra_float_digits;
