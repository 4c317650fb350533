-- The council at 100,000 deals of the demo: the pack, and the opening of a
-- council with its snapshot, against what they are made of. Run:
-- psql -X -f bench/council.sql [-v deals=100000]
-- The arms are interleaved; medians and bests of 5 rounds, in ms, after one
-- that warms the cache. Every council is opened and rolled back.
\set ON_ERROR_STOP 1
\timing off
\if :{?deals}
\else
\set deals 100000
\endif
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET revrtm.as_of = '2026-07-01';
SELECT revrtm.load_demo(:deals, 1) \g /dev/null
SELECT inserted AS deals FROM revrtm.refresh_journeys();
SELECT FROM revrtm.refresh_romi() \g /dev/null
SELECT FROM revrtm.refresh_marks() \g /dev/null
SELECT FROM revrtm.take_maturity() \g /dev/null
VACUUM (ANALYZE) revrtm.deal_journey, revrtm.romi_credit, revrtm.deal_mark;
-- Two councils before, with their outcomes.
SET revrtm.as_of = '2026-05-01';
SELECT FROM revrtm.open_council() \g /dev/null
SELECT FROM revrtm.close_council('2026-04-01', 'accept') \g /dev/null
SET revrtm.as_of = '2026-06-01';
SELECT FROM revrtm.open_council() \g /dev/null
SELECT FROM revrtm.close_council('2026-05-01', 'accept') \g /dev/null
SET revrtm.as_of = '2026-07-01';

CREATE TEMP TABLE arm (ordinal int, side text, query text);
INSERT INTO arm VALUES
(1, 'GROUP BY scan of the deals', 'SELECT route_id, period, count(*), sum(amount), sum(margin) FROM revrtm.deal GROUP BY 1, 2'),
(2, 'budget_proposal', 'SELECT * FROM revrtm.budget_proposal()'),
(3, 'council_route', 'SELECT * FROM revrtm.council_route()'),
(4, 'coverage', 'SELECT * FROM revrtm.coverage'),
(5, 'attribution_check', $$SELECT * FROM revrtm.attribution_check WHERE period = '2026-06-01'$$),
(6, 'scorecard and unit economics', $$SELECT FROM revrtm.scorecard_between('2025-07-01', '2026-06-01', '{route}'), revrtm.unit_economics_between('2025-07-01', '2026-06-01', '{route}')$$),
(7, 'council_pack', 'SELECT revrtm.council_pack()'),
(8, 'open_council', 'SELECT revrtm.open_council()');
CREATE TEMP TABLE bench_time (ordinal int, ms float8);
DO $$
DECLARE
    a record;
    started timestamptz;
    took float8;
BEGIN
    FOR round IN 0..5 LOOP
        FOR a IN SELECT * FROM arm ORDER BY ordinal LOOP
            started := clock_timestamp();
            BEGIN
                EXECUTE a.query;
                took := 1000 * extract(epoch FROM clock_timestamp() - started);
                RAISE SQLSTATE 'ZZ001';
            EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
                NULL;
            END;
            IF round > 0 THEN
                INSERT INTO bench_time VALUES (a.ordinal, took);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT a.side, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms)::numeric) AS median, round(min(t.ms)::numeric) AS best
FROM arm a JOIN bench_time t USING (ordinal) GROUP BY a.ordinal, a.side ORDER BY a.ordinal;
