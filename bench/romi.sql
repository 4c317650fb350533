-- ROMI at 1,000,000 deals with ten touches each: what refresh_romi() keeps,
-- read as reports read it, against the same figures computed from the store of
-- journeys (route_credit, under the one model). Run: psql -X -f bench/romi.sql
-- The arms are interleaved; medians and bests of 7 rounds, in ms, after one
-- that warms the cache. -v deals=100000 for a smaller company.
\set ON_ERROR_STOP 1
\timing off
\if :{?deals}
\else
\set deals 1000000
\endif
SET client_min_messages = warning;
SET work_mem = '64MB';
SET TimeZone = 'UTC';
SET revrtm.as_of = '2026-06-30';
CREATE SCHEMA bench;
SELECT setseed(0.5) \g /dev/null
-- Thirty months of deals; four fifths of those old enough closed, a fifth won; forty partners on four routes.
CREATE TABLE bench.opportunity AS
SELECT 'O' || lpad(i::text, 9, '0') AS opportunity_id, 'A' || lpad((1 + i % (:deals / 5))::text, 9, '0') AS account_id,
       round((1000 * exp(2 * random()))::numeric, 2) AS amount, s.age >= s.days AND i % 5 <> 4 AS is_closed, s.age >= s.days AND i % 5 = 0 AS is_won,
       timestamptz '2026-06-30' - s.age * interval '1 day' AS created_at, (date '2026-06-30' - s.age + s.days)::date AS close_date,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[s.route] AS route_id,
       CASE WHEN s.route > 1 THEN 'partner ' || floor(40 * random())::int END AS partner_id,
       (ARRAY['enterprise', 'mid', 'smb'])[1 + floor(3 * random())::int] AS segment,
       (ARRAY['emea', 'na', 'apac', 'latam'])[1 + floor(4 * random())::int] AS region,
       round((200 * exp(2 * random()))::numeric, 2) AS margin, 0.2::numeric AS probability
FROM generate_series(1, :deals) i,
     LATERAL (SELECT floor(910 * random() + 0 * i)::int AS age, 1 + floor(150 * random() * random() + 0 * i)::int AS days, 1 + floor(5 * random() + 0 * i)::int AS route) s;
CREATE TABLE bench.spend AS
SELECT 'S' || i AS spend_id, (date '2024-01-01' + (i % 910))::date AS period,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[1 + i % 5] AS route_id,
       (ARRAY['content', 'mdf', 'program'])[1 + i % 3] AS category, (1000 + i % 977)::numeric AS amount
FROM generate_series(1, 20000) i;
CREATE TABLE bench.touch AS
SELECT 'T' || o.opportunity_id || k AS touch_id, o.created_at + k * interval '1 hour' AS touched_at,
       (ARRAY['webinar', 'email', 'event', 'partner', 'search'])[1 + ((hashtext(o.opportunity_id) & 1023) + k * (k & 1)) % 5] AS channel, o.opportunity_id
FROM bench.opportunity o, generate_series(1, 10) k;
SELECT revrtm.bind('opportunity', 'SELECT * FROM bench.opportunity'), revrtm.bind('spend', 'SELECT * FROM bench.spend'),
       revrtm.bind('touch', 'SELECT * FROM bench.touch') \g /dev/null
INSERT INTO revrtm.channel_map VALUES ('webinar', 'direct', 'content'), ('email', 'direct', 'program'), ('event', 'resell', 'mdf'), ('partner', 'partner_sourced', 'mdf');
UPDATE revrtm.spend_category SET cash_lag = 2 WHERE category = 'content';
SELECT mode, inserted FROM revrtm.refresh_journeys();
CREATE INDEX ON bench.opportunity (opportunity_id);
VACUUM (FREEZE, ANALYZE) revrtm.deal_journey, bench.spend, bench.opportunity, bench.touch;
\timing on
SELECT revrtm.refresh_romi() AS kept;
SELECT revrtm.refresh_romi() AS "kept anew";
\timing off
VACUUM (FREEZE, ANALYZE) revrtm.romi_credit;
SELECT count(*) AS rows, pg_size_pretty(pg_table_size('revrtm.romi_credit')) AS store FROM revrtm.romi_credit;

CREATE TEMP TABLE arm (ordinal int, side text, query text);
INSERT INTO arm VALUES
(1, 'route_credit of the model, from the journeys', $$SELECT route_id, category, period, sum(margin) FROM revrtm.route_credit WHERE model = 'u_shaped' AND period BETWEEN '2025-07-01' AND '2026-06-01' GROUP BY 1, 2, 3$$),
(2, 'motion_romi_between, 12 months by line', $$SELECT * FROM revrtm.motion_romi_between('2025-07-01', '2026-06-30')$$),
(3, 'the same by motion, segment and region', $$SELECT * FROM revrtm.motion_romi_between('2025-07-01', '2026-06-30', '{period,route,category,motion,segment,region}')$$),
(4, 'the same by partner, not by month', $$SELECT * FROM revrtm.motion_romi_between('2025-07-01', '2026-06-30', '{route,category,partner}')$$),
(5, 'cohorts, 12 months by line', $$SELECT * FROM revrtm.motion_romi_between('2025-07-01', '2026-06-30', basis => 'cohort')$$),
(6, 'one month by everything', $$SELECT * FROM revrtm.motion_romi_between('2026-05-01', '2026-05-31', '{period,route,category,motion,segment,region,partner}')$$),
(7, 'expected_romi', $$SELECT * FROM revrtm.expected_romi('2026-06-01')$$);
CREATE TEMP TABLE bench_time (ordinal int, ms float8);
DO $$
DECLARE
    a record;
    started timestamptz;
BEGIN
    FOR round IN 0..7 LOOP
        FOR a IN SELECT * FROM arm ORDER BY ordinal LOOP
            started := clock_timestamp();
            EXECUTE a.query;
            IF round > 0 THEN
                INSERT INTO bench_time VALUES (a.ordinal, 1000 * extract(epoch FROM clock_timestamp() - started));
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT a.side, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms)::numeric, 0) AS median, round(min(t.ms)::numeric, 0) AS best
FROM arm a JOIN bench_time t USING (ordinal) GROUP BY a.ordinal, a.side ORDER BY a.ordinal;
