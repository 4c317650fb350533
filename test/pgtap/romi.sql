-- ROMI of random deals, touches, refunds and spend against plain SQL over the
-- touches themselves, at every grain, and against route_romi.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL revrtm.timezone = 'Asia/Tokyo';
SET LOCAL revrtm.as_of = '2026-05-17 15:00Z';
SET LOCAL revrtm.model = 'w_shaped';
CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE SCHEMA ro;
-- Some ended nobody knows when, some without an amount or a rate, some below zero.
CREATE TABLE ro.deal AS
SELECT 'd' || i AS id, 'a' || i AS account, (ARRAY['direct', 'resell', 'co_sell'])[1 + pg_temp.draw(i || 'route', 3)] AS route,
       (ARRAY['smb', 'ent', NULL])[1 + pg_temp.draw(i || 'segment', 3)] AS segment, (ARRAY['na', 'emea', NULL])[1 + pg_temp.draw(i || 'region', 3)] AS region,
       (ARRAY['p1', 'p2', NULL])[1 + pg_temp.draw(i || 'partner', 3)] AS partner,
       timestamptz '2025-01-01Z' + pg_temp.draw(i || 'created', 400 * 1440) * interval '1 minute' AS created,
       CASE WHEN i % 89 > 0 THEN timestamptz '2025-01-01Z' + (pg_temp.draw(i || 'created', 400 * 1440) + pg_temp.draw(i || 'took', 200000)) * interval '1 minute' END AS closed,
       (ARRAY['won', 'lost', 'open'])[1 + pg_temp.draw(i || 'state', 3)] AS state,
       CASE WHEN i % 31 > 0 THEN (pg_temp.draw(i || 'amount', 100000) - 5000)::numeric / 100 END AS amount,
       (ARRAY['EUR', 'XXX', NULL, NULL, 'USD'])[1 + pg_temp.draw(i || 'currency', 5)] AS currency,
       CASE WHEN i % 3 > 0 THEN (pg_temp.draw(i || 'margin', 50000) - 10000)::numeric / 100 END AS margin,
       CASE WHEN i % 4 > 0 THEN (pg_temp.draw(i || 'chance', 130) - 10)::numeric / 100 END AS probability,
       (ARRAY['s1', 's2', 's3'])[1 + pg_temp.draw(i || 'stage', 3)] AS stage
FROM generate_series(1, 600) i;
CREATE TABLE ro.touch AS
SELECT 't' || d.id || ':' || k AS touch_id, d.created + (pg_temp.draw(d.id || k || 'at', 60 * 1440) - 43200) * interval '1 minute' AS touched_at,
       (ARRAY['ad', 'call', 'referral', 'webinar', 'other'])[1 + pg_temp.draw(d.id || k || 'channel', 5)] AS channel, d.id AS opportunity_id
FROM ro.deal d, generate_series(1, pg_temp.draw(d.id || 'touches', 6)::int) k;
CREATE TABLE ro.spend AS
SELECT 's' || i AS spend_id, date '2024-12-01' + i * 7 % 600 AS period, (ARRAY['direct', 'resell', 'elsewhere'])[1 + i % 3]::text AS route_id,
       (ARRAY['mdf', 'tools', 'content', 'own'])[1 + i % 4]::text AS category, (i * 37 % 1000)::numeric / 7 AS amount, (ARRAY[NULL, 'EUR', 'XXX'])[1 + i / 5 % 3]::text AS currency,
       (ARRAY[NULL, 'p1', 'p9'])[1 + i / 2 % 3]::text AS partner_id
FROM generate_series(1, 300) i;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, state <> 'open' AS is_closed, state = 'won' AS is_won, created AS created_at, NULL::date AS close_date,
    closed AS closed_at, route AS route_id, partner AS partner_id, segment, region, currency, margin, probability, stage FROM ro.deal$$) \g /dev/null
SELECT revrtm.bind('opportunity_stage', $$SELECT id AS opportunity_id, (ARRAY['s1', 's2'])[1 + length(id) % 2]::text AS stage, created AS entered_at FROM ro.deal$$) \g /dev/null
SELECT revrtm.bind('touch', 'SELECT * FROM ro.touch') \g /dev/null
SELECT revrtm.bind('spend', 'SELECT * FROM ro.spend') \g /dev/null
SELECT revrtm.bind('fx_rate', $$SELECT 'EUR'::text AS from_currency, 'USD'::text AS to_currency, d::date AS on_date, 1 + (extract(doy FROM d) / 1000) AS rate FROM generate_series(timestamp '2025-02-01', '2027-01-01', '1 day') d$$) \g /dev/null
SELECT revrtm.bind('revenue_event', $$SELECT 'e' || i AS event_id, 'a' || i AS account_id, date '2025-06-01' + i AS at, (ARRAY['refund', 'amendment', 'new'])[1 + i % 3]::text AS kind,
    ((i * 53 % 900) - 300)::numeric / 10 AS amount, 'd' || i * 3 AS opportunity_id, (ARRAY[NULL, 'EUR'])[1 + i % 2]::text AS currency FROM generate_series(1, 220) i$$) \g /dev/null
INSERT INTO revrtm.channel_map VALUES ('ad', 'direct', 'content'), ('call', 'direct', 'tools'), ('referral', 'resell', 'mdf'), ('webinar', 'resell', 'mdf');
UPDATE revrtm.route SET default_margin = 0.3 WHERE route_id = 'resell';
INSERT INTO revrtm.partner_cost VALUES ('resell', '(any)', 0.1, 0.05), ('(any)', 'p2', 0, 0.07), ('co_sell', 'p2', 0.2, 0);
INSERT INTO revrtm.route_incrementality VALUES ('resell', 0.6);
UPDATE revrtm.romi_rule SET models = '{w_shaped,first_touch,time_decay}';
SELECT plan(24);
SELECT is((SELECT inserted FROM revrtm.refresh_journeys()), 600::bigint, 'the store is made');
SELECT cmp_ok(revrtm.refresh_romi(), '>', 1000::bigint, 'credit is kept');
SELECT is(revrtm.refresh_romi(), 0::bigint, 'and again, nothing changes');

-- motion_romi adds up to route_romi.
SELECT bag_eq(format($$SELECT period, route_id, category, deals, revenue, margin, spend, fx_missing FROM revrtm.motion_romi_between(NULL, NULL, model => %L)
    WHERE deals <> 0 OR conversions <> 0 OR spend <> 0 OR fx_missing <> 0$$, m),
    format($$SELECT period, route_id, category, deals, revenue, margin, spend, fx_missing FROM revrtm.route_romi WHERE model = %L AND (deals <> 0 OR conversions <> 0 OR spend <> 0 OR fx_missing <> 0)$$, m), 'route_romi under ' || m)
FROM unnest('{w_shaped,first_touch,time_decay}'::text[]) m;
SELECT is_empty($$SELECT FROM revrtm.motion_romi_between(NULL, NULL) a JOIN revrtm.route_romi b USING (route_id, category)
    WHERE b.model = 'w_shaped' AND a.period IS NOT DISTINCT FROM b.period AND abs(a.conversions - b.conversions::numeric) > 0.000001$$, 'and its conversions');

-- By the first touch of each deal, plain SQL: a deal is one row.
CREATE TEMP TABLE plain AS
SELECT d.id, d.route, coalesce(d.segment, '(none)') AS segment, coalesce(d.region, '(none)') AS region, coalesce(d.partner, '(none)') AS partner, d.state,
       coalesce(m.motion, '(none)') AS motion, coalesce(c.route_id, d.route) AS route_id, coalesce(c.category, '(unmapped)') AS category,
       date_trunc('month', d.created AT TIME ZONE 'Asia/Tokyo')::date AS created, CASE WHEN d.state <> 'open' THEN date_trunc('month', d.closed AT TIME ZONE 'Asia/Tokyo')::date END AS closed,
       x.amount, x.margin, x.note,
       -- the rate of the deal's own row, of its partner, of its route
       CASE WHEN d.route = 'co_sell' AND d.partner = 'p2' THEN 0.2 WHEN d.partner = 'p2' THEN 0.07 WHEN d.route = 'resell' THEN 0.15 ELSE 0 END AS rate,
       CASE WHEN d.probability BETWEEN 0 AND 1 THEN d.probability END AS probability, d.stage
FROM ro.deal d JOIN revrtm.deal x ON x.opportunity_id = d.id LEFT JOIN revrtm.deal_motion m ON m.opportunity_id = d.id
LEFT JOIN LATERAL (SELECT t.channel FROM ro.touch t WHERE t.opportunity_id = d.id AND ((d.state = 'open' OR d.closed IS NULL) AND t.touched_at >= d.created - interval '90 days' OR d.state <> 'open'
    AND t.touched_at BETWEEN d.closed - interval '90 days' AND d.closed) ORDER BY t.touched_at, t.touch_id COLLATE "C" LIMIT 1) t ON true
LEFT JOIN revrtm.channel_map c ON c.channel = t.channel;
UPDATE plain p SET probability = coalesce(p.probability, round((SELECT avg((o.state = 'won')::int) FROM plain o WHERE o.state <> 'open' AND (ARRAY['s1', 's2'])[1 + length(o.id) % 2] = p.stage), 6),
    (SELECT avg((o.state = 'won')::int) FROM plain o WHERE o.state <> 'open'));
CREATE TEMP TABLE refund AS
SELECT p.*, a.period AS paid_back, a.amount AS refund, round(a.amount * (CASE WHEN p.amount <> 0 THEN p.margin / p.amount WHEN p.route = 'resell' THEN 0.3 ELSE 1 END - p.rate), 4) AS refund_margin
FROM revrtm.deal_amendment a JOIN plain p ON p.id = a.opportunity_id WHERE a.amount IS NOT NULL;
SELECT bag_eq($$SELECT period, route_id, category, motion, segment, region, partner_id, conversions, revenue, margin, cost_of_sale FROM revrtm.motion_romi WHERE model = 'first_touch' AND basis = 'cash' AND conversions <> 0$$,
    $$SELECT closed, route_id, category, motion, segment, region, partner, count(*)::numeric, coalesce(sum(amount), 0) AS r, coalesce(sum(margin), 0) AS m, coalesce(sum(round(amount * rate, 4)), 0) AS c
      FROM plain WHERE state = 'won' GROUP BY 1, 2, 3, 4, 5, 6, 7$$, 'cash at the finest grain');
SELECT bag_eq($$SELECT period, route_id, category, motion, segment, region, partner_id, conversions, revenue, margin, cost_of_sale FROM revrtm.motion_romi WHERE model = 'first_touch' AND basis = 'cohort' AND conversions <> 0$$,
    $$SELECT created, route_id, category, motion, segment, region, partner, count(*)::numeric, coalesce(sum(amount), 0) AS r, coalesce(sum(margin), 0) AS m, coalesce(sum(round(amount * rate, 4)), 0) AS c
      FROM plain WHERE state = 'won' GROUP BY 1, 2, 3, 4, 5, 6, 7$$, 'cohorts at the finest grain');
SELECT is_empty($$SELECT * FROM (SELECT period, route_id, category, partner_id, open_margin FROM revrtm.motion_romi_between(NULL, NULL, '{period,route,category,partner}', 'first_touch', 'cohort') WHERE open_margin <> 0) a
    FULL JOIN (SELECT created AS period, route_id, category, partner AS partner_id, sum((margin - amount * rate) * probability) * CASE route_id WHEN 'resell' THEN 0.6 ELSE 1 END AS x
               FROM plain WHERE state = 'open' GROUP BY 1, 2, 3, 4 HAVING sum(round((margin - amount * rate) * probability, 4)) <> 0) b USING (period, route_id, category, partner_id)
    WHERE coalesce(abs(a.open_margin - b.x) > 0.002, true)$$, 'open deals by their probability');
SELECT bag_eq($$SELECT period, route_id, category, motion, partner_id, refund_revenue, refund_margin FROM revrtm.motion_romi_between(NULL, NULL, '{period,route,category,motion,partner}', 'first_touch') WHERE refund_revenue <> 0 AND route_id <> '(none)'$$,
    $$SELECT coalesce(closed, paid_back), route_id, category, motion, partner, sum(refund) AS r, sum(refund_margin) AS m FROM refund GROUP BY 1, 2, 3, 4, 5 HAVING sum(refund) <> 0$$, 'refunds in the month of the deal');
SELECT is((SELECT sum(refund_revenue) FROM revrtm.motion_romi WHERE model = 'w_shaped' AND basis = 'cash'), (SELECT sum(amount) FROM revrtm.deal_amendment), 'and none is lost');
UPDATE revrtm.romi_rule SET refunds = 'current';
SELECT is((SELECT DISTINCT note FROM revrtm.motion_romi), 'romi_stale', 'other terms make it stale');
SELECT revrtm.refresh_romi() \g /dev/null
SELECT bag_eq($$SELECT period, sum(refund_revenue) AS r, sum(refund_margin) AS m FROM revrtm.motion_romi_between(NULL, NULL, '{period,route}', 'first_touch') WHERE route_id <> '(none)' GROUP BY period HAVING sum(refund_revenue) <> 0$$,
    $$SELECT paid_back, sum(refund) AS r, sum(refund_margin) AS m FROM refund GROUP BY 1 HAVING sum(refund) <> 0$$, 'or in their own');

-- Every grain adds up to the same.
SELECT is_empty($$SELECT b.basis, s.by FROM (VALUES ('cash'), ('cohort')) b (basis), (VALUES ('{}'::text[]), ('{period}'), ('{motion,partner}'), ('{route,segment}'), ('{category,region,partner}'), ('{period,route,category,motion,segment,region,partner}')) s (by),
    LATERAL (SELECT sum(revenue) AS r, sum(margin) AS m, sum(cost_of_sale) AS c, sum(incremental_margin) AS i, sum(spend) AS s, sum(refund_margin) AS f, sum(fx_missing) AS x FROM revrtm.motion_romi_between(NULL, NULL, s.by, NULL, b.basis)) t,
    LATERAL (SELECT sum(revenue) AS r, sum(margin) AS m, sum(cost_of_sale) AS c, sum(incremental_margin) AS i, sum(spend) AS s, sum(refund_margin) AS f, sum(fx_missing) AS x FROM revrtm.romi_line l WHERE l.model = 'w_shaped' AND l.basis = 'cash') a
    WHERE (t.r, t.m, t.c, t.s, t.f, t.x) IS DISTINCT FROM (a.r, a.m, a.c, a.s, a.f, a.x) OR abs(t.i - a.i) > 0.1$$, 'every grain and both bases add up');
SELECT is_empty($$SELECT FROM revrtm.motion_romi WHERE romi IS DISTINCT FROM round((incremental_margin - spend) / nullif(spend, 0), 6) AND '(unallocated)' NOT IN (motion, segment, region, partner_id)
    OR romi IS NULL AND note IS NULL OR abs(incremental_margin - CASE route_id WHEN 'resell' THEN 0.6 ELSE 1 END * (margin - cost_of_sale + refund_margin)) > 0.0001$$,
    'romi is what it says, or a note is');
UPDATE revrtm.romi_rule SET spread = 'touched';
SELECT results_eq($$SELECT route_id, category, period, sum(spend) FROM revrtm.motion_romi WHERE model = 'w_shaped' AND basis = 'cohort' GROUP BY 1, 2, 3 HAVING sum(spend) <> 0 ORDER BY 1, 2, 3$$,
    $$SELECT route_id, category, period, sum(spend) FROM revrtm.romi_line WHERE model = 'w_shaped' AND basis = 'cohort' GROUP BY 1, 2, 3 HAVING sum(spend) <> 0 ORDER BY 1, 2, 3$$, 'what is spread adds up to the last digit');
SELECT is_empty($$SELECT FROM revrtm.motion_romi_between(NULL, NULL, '{route,category,motion}') a, revrtm.motion_romi_between(NULL, NULL, '{route,category,motion}') b
    WHERE (a.route_id, a.category) = (b.route_id, b.category) AND abs(a.spend * b.touched - b.spend * a.touched) > 0.0001 * (a.touched + b.touched)$$, 'in proportion to the deals touched');
UPDATE revrtm.romi_rule SET spread = 'none';

-- Spend is set against what it is due to bring.
UPDATE revrtm.spend_category SET cash_lag = 4, cohort_lag = 1 WHERE category = 'mdf';
SELECT bag_eq($$SELECT period, route_id, spend FROM revrtm.motion_romi_between(NULL, NULL) WHERE category = 'mdf' AND spend <> 0$$,
    $$SELECT (period + interval '4 months')::date, route_id, spend FROM revrtm.route_spend WHERE category = 'mdf' AND spend <> 0$$, 'cash comes after its lag');
SELECT bag_eq($$SELECT period, route_id, spend FROM revrtm.motion_romi_between(NULL, NULL, basis => 'cohort') WHERE category = 'mdf' AND spend <> 0$$,
    $$SELECT (period + interval '1 month')::date, route_id, spend FROM revrtm.route_spend WHERE category = 'mdf' AND spend <> 0$$, 'and a cohort after its own');

-- What changed is brought up, and is what a new store would be.
UPDATE ro.deal SET state = 'won', closed = created + interval '20 days', segment = 'ent' WHERE id LIKE 'd1%';
DELETE FROM ro.deal WHERE id LIKE 'd2%';
SELECT revrtm.refresh_journeys() \g /dev/null
SELECT revrtm.refresh_romi() \g /dev/null
CREATE TEMP TABLE kept AS SELECT * FROM revrtm.romi_credit;
DELETE FROM revrtm.romi_credit;
SELECT revrtm.refresh_romi() \g /dev/null
SELECT bag_eq('SELECT * FROM kept', 'SELECT * FROM revrtm.romi_credit', 'a refresh is what a new store would be');

-- Much spend without a deal is evidence; little of either is none.
SELECT results_eq($$SELECT own_romi = -1, credibility > 0, expected_romi < pool_romi, lo <= expected_romi, expected_romi <= hi FROM revrtm.expected_romi('2026-04-30') WHERE (route_id, category) = ('elsewhere', 'tools')$$,
    'SELECT true, true, true, true, true', 'a line that only costs is expected to');
UPDATE revrtm.romi_rule SET small_n = 100000;
SELECT is_empty($$SELECT FROM revrtm.expected_romi('2026-04-30') WHERE expected_romi IS NOT NULL OR note IS NULL$$, 'nothing is expected without evidence');

-- Shrinking, by the formulas in plain SQL.
CREATE TEMP TABLE line AS
SELECT 'l' || pg_temp.draw(i || 'line', 7) AS line, 1 + pg_temp.draw(i || 'spend', 1000)::float8 / 10 AS spend, pg_temp.draw(i || 'margin', 5000)::float8 / 10 - 100 AS margin FROM generate_series(1, 80) i;
SELECT is_empty($$WITH o AS (SELECT line, count(*) AS n, sum(spend::numeric) AS w, sum(margin::numeric) / sum(spend::numeric) AS x FROM line GROUP BY line),
    g AS (SELECT sum(o.w) AS w, sum(o.w * o.x) / sum(o.w) AS m, count(*) AS i, sum(o.w * o.w) AS q FROM o),
    s AS (SELECT sum(l.spend::numeric * (l.margin::numeric / l.spend::numeric - o.x) ^ 2) / (SELECT sum(n - 1) FROM o) AS noise FROM line l JOIN o USING (line)),
    t AS (SELECT (sum(o.w * (o.x - g.m) ^ 2) - (g.i - 1) * s.noise) / (g.w - g.q / g.w) AS spread, s.noise FROM o, g, s GROUP BY g.i, s.noise, g.w, g.q),
    z AS (SELECT o.line, o.n, o.x, CASE WHEN t.spread > 0 THEN o.w / (o.w + t.noise / t.spread) ELSE 0 END AS z FROM o, t),
    p AS (SELECT coalesce(sum(z * x) / nullif(sum(z), 0), (SELECT m FROM g)) AS pool FROM z)
    SELECT FROM z, p, (SELECT array_agg(line) AS l, array_agg(spend) AS s, array_agg(margin) AS m FROM line) a, LATERAL revrtm.shrink_returns(a.l, a.s, a.m) r
    WHERE r.line = z.line AND (r.n <> z.n OR abs(r.own::numeric - z.x) > 1e-9 OR abs(r.credibility::numeric - z.z) > 1e-9 OR abs(r.pool::numeric - p.pool) > 1e-9
          OR abs(r.expected::numeric - (z.z * z.x + (1 - z.z) * p.pool)) > 1e-9 OR r.lo > r.expected OR r.hi < r.expected)$$, 'expectations by plain SQL');
SELECT * FROM finish();
ROLLBACK;
