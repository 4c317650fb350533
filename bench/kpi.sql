-- The scorecard of twelve months at 1,000,000 deals with ten touches each in
-- the store, against one plain GROUP BY scan of the deals, which is what each
-- source that it reads may cost 1.3 times: the deals, their marks, their first
-- ones by account, spend, revenue and registrations. From what refresh_marks()
-- summed, and from the deals, as it is read where these changed since. Run:
-- psql -X -f bench/kpi.sql. The arms are interleaved; medians and bests of 7
-- rounds after one that warms the cache, in ms, and the best of the backend's CPU
-- (to 10 ms, where the server runs as a superuser on Linux); with what the
-- defaults give of workers, then serial.
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
-- Thirty months of deals; half of them closed, a fifth of those won.
CREATE TABLE bench.opportunity AS
SELECT 'O' || lpad(i::text, 9, '0') AS opportunity_id, 'A' || lpad((1 + i % (:deals / 5))::text, 9, '0') AS account_id,
       round((1000 * exp(2 * random()))::numeric, 2) AS amount, s.age >= s.days AND i % 5 <> 4 AS is_closed, s.age >= s.days AND i % 5 = 0 AS is_won,
       timestamptz '2026-06-30' - s.age * interval '1 day' AS created_at, (date '2026-06-30' - s.age + s.days)::date AS close_date,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[1 + floor(5 * random())::int] AS route_id,
       (ARRAY['enterprise', 'mid', 'smb'])[1 + floor(3 * random())::int] AS segment,
       (ARRAY['emea', 'na', 'apac', 'latam'])[1 + floor(4 * random())::int] AS region,
       'P' || 1 + floor(6 * random())::int AS product, round((200 * exp(2 * random()))::numeric, 2) AS margin
FROM generate_series(1, :deals) i, LATERAL (SELECT floor(910 * random() + 0 * i)::int AS age, 1 + floor(150 * random() * random() + 0 * i)::int AS days) s;
CREATE TABLE bench.spend AS
SELECT 'S' || i AS spend_id, (date '2024-01-01' + (i % 910))::date AS period,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[1 + i % 5] AS route_id, 'program'::text AS category, (1000 + i % 977)::numeric AS amount
FROM generate_series(1, 20000) i;
CREATE TABLE bench.revenue_event AS
SELECT 'E' || i || ':' || k AS event_id, 'A' || lpad(i::text, 9, '0') AS account_id, (date '2024-01-01' + (i * 7 + k * 211) % 910)::date AS at, 'change'::text AS kind,
       CASE k WHEN 0 THEN 1000 WHEN 1 THEN 200 ELSE -300 END::numeric AS amount
FROM generate_series(1, :deals / 20) i, generate_series(0, 2) k;
SELECT revrtm.bind('opportunity', 'SELECT * FROM bench.opportunity'), revrtm.bind('spend', 'SELECT * FROM bench.spend'),
       revrtm.bind('revenue_event', 'SELECT * FROM bench.revenue_event') \g /dev/null
-- Ten touches a deal: what the store packs, and what nothing of this reads.
CREATE TABLE bench.touch AS
SELECT 'T' || o.opportunity_id || k AS touch_id, o.created_at + k * interval '1 hour' AS touched_at,
       (ARRAY['webinar', 'email', 'event', 'partner', 'search'])[1 + ((hashtext(o.opportunity_id) & 1023) + k) % 5] AS channel, o.opportunity_id
FROM bench.opportunity o, generate_series(1, 10) k;
SELECT revrtm.bind('touch', 'SELECT * FROM bench.touch') \g /dev/null
SELECT mode, inserted FROM revrtm.refresh_journeys();
INSERT INTO revrtm.deal_mark (account_id, opportunity_id, role)
SELECT account_id, opportunity_id, (ARRAY['sourced', 'co_sell', 'influenced'])[1 + (hashtext(opportunity_id) & 1023) % 3]
FROM revrtm.deal_journey WHERE route_id <> 'direct' AND hashtext(opportunity_id) % 3 = 0;
INSERT INTO revrtm.mark_refresh (refreshed_at) VALUES (now() + interval '1 hour');
\timing on
SELECT revrtm.refresh_tallies();
\timing off
VACUUM (FREEZE, ANALYZE) revrtm.deal_journey, revrtm.deal_mark, revrtm.deal_tally, revrtm.deal_unsettled, revrtm.first_win, bench.spend, bench.revenue_event, bench.opportunity;

SELECT count(*) AS deals, pg_size_pretty(pg_table_size('revrtm.deal_journey')) AS store, (SELECT count(*) FROM revrtm.deal_mark) AS marks FROM revrtm.deal_journey;
-- What the scorecard reads must not name touches: it works without them.
DROP TABLE bench.touch;

CREATE FUNCTION pg_temp.cpu() RETURNS float8 LANGUAGE sql AS
$$SELECT 10.0 * (f[14]::float8 + f[15]::float8) FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') f$$;
CREATE TEMP TABLE arm (ordinal int, side text, basis text, query text);
INSERT INTO arm VALUES
(1, 'GROUP BY scan of the deals', NULL, 'SELECT route_id, segment, region, product, revrtm.period(ended_at), count(*), count(*) FILTER (WHERE is_won), sum(amount) FILTER (WHERE is_won)
    FROM revrtm.deal_journey GROUP BY 1, 2, 3, 4, 5'),
(2, 'scorecard_between, every cell', revrtm.tally_basis(), $$SELECT * FROM revrtm.scorecard_between('2025-07-01', '2026-06-30')$$),
(3, 'scorecard_between, month and route', revrtm.tally_basis(), $$SELECT * FROM revrtm.scorecard_between('2025-07-01', '2026-06-30', '{period,route}')$$),
(4, 'kpi_between, every cell', revrtm.tally_basis(), $$SELECT * FROM revrtm.kpi_between('2025-07-01', '2026-06-30')$$),
(5, 'from the deals: scorecard_between, every cell', NULL, $$SELECT * FROM revrtm.scorecard_between('2025-07-01', '2026-06-30')$$),
(6, 'from the deals: month and route', NULL, $$SELECT * FROM revrtm.scorecard_between('2025-07-01', '2026-06-30', '{period,route}')$$);
CREATE TEMP TABLE bench_time (workers int, ordinal int, ms float8, cpu float8);
DO $$
DECLARE
    a record;
    started timestamptz;
    cpu float8;
BEGIN
    FOR w IN REVERSE 2..0 BY 2 LOOP
        PERFORM set_config('max_parallel_workers_per_gather', w::text, false);
        FOR round IN 0..7 LOOP
            FOR a IN SELECT * FROM arm ORDER BY ordinal LOOP
                UPDATE revrtm.tally_refresh SET basis = a.basis;
                started := clock_timestamp();
                cpu := pg_temp.cpu();
                EXECUTE a.query;
                IF round > 0 THEN
                    INSERT INTO bench_time VALUES (w, a.ordinal, 1000 * extract(epoch FROM clock_timestamp() - started), pg_temp.cpu() - cpu);
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;
SELECT t.workers, a.side, t.median, t.best, t.cpu, round(t.best / first_value(t.best) OVER w, 2) AS "times the scan",
       CASE WHEN t.workers = 0 THEN round((t.cpu / first_value(t.cpu) OVER w)::numeric, 2) END AS "its CPU"
FROM arm a JOIN (SELECT workers, ordinal, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 0) AS median, round(min(ms)::numeric, 0) AS best, min(cpu) AS cpu
                 FROM bench_time GROUP BY workers, ordinal) t USING (ordinal)
WINDOW w AS (PARTITION BY t.workers ORDER BY a.ordinal)
ORDER BY t.workers DESC, a.ordinal;
