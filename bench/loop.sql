-- The loop over 100,000 deals, 1,000,000 touches and 300,000 entries into
-- stages, against plain SQL over the tables that says the same of deals. Run:
-- psql -X -f bench/loop.sql; medians and bests of 5 interleaved rounds, in ms,
-- after one that warms the cache, serial.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
SET work_mem = '64MB';
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET TimeZone = 'UTC';
SET revrtm.lookback = '0';
SET revrtm.as_of = '2026-07-01';
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SELECT setseed(0.5) \g /dev/null
CREATE SCHEMA lb;
CREATE TABLE lb.deal AS
SELECT 'd' || d AS id, 'a' || d / 2 AS account, (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[1 + d % 5] AS route,
       timestamptz '2024-01-01Z' + random() * interval '800 days' AS created, random() AS fate
FROM generate_series(1, 100000) d;
ALTER TABLE lb.deal ADD ended timestamptz;
UPDATE lb.deal SET ended = created + (10 + 90 * random()) * interval '1 day' WHERE fate < 0.9;
CREATE TABLE lb.touch AS
SELECT 't' || t AS id, d.id AS deal, (ARRAY['ad', 'webinar', 'demo', 'call', 'meeting'])[1 + floor(5 * random())::int] AS channel,
       d.created + (random() * 1.2 - 0.3) * coalesce(d.ended - d.created, interval '60 days') AS at
FROM lb.deal d, generate_series(1, 10) t;
UPDATE lb.touch t SET at = d.ended FROM lb.deal d WHERE d.id = t.deal AND t.at > d.ended;
CREATE TABLE lb.stage AS
SELECT d.id AS deal, s.stage, d.created + s.part * coalesce(d.ended - d.created, interval '60 days') AS at
FROM lb.deal d, (VALUES ('Prospecting', 0.0), ('Qualification', 0.3), ('Negotiation', 0.7)) s (stage, part);
VACUUM (FREEZE, ANALYZE) lb.deal;
VACUUM (FREEZE, ANALYZE) lb.touch;
VACUUM (FREEZE, ANALYZE) lb.stage;
SELECT revrtm.bind('account', 'SELECT DISTINCT account AS account_id, account AS account_name FROM lb.deal'),
       revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, 100::numeric AS amount, ended IS NOT NULL AS is_closed,
           ended IS NOT NULL AND fate < 0.3 AS is_won, created AS created_at, NULL::date AS close_date, ended AS closed_at, route AS route_id FROM lb.deal$$),
       revrtm.bind('touch', 'SELECT id || deal AS touch_id, at AS touched_at, channel, deal AS opportunity_id FROM lb.touch'),
       revrtm.bind('opportunity_stage', 'SELECT deal AS opportunity_id, stage, at AS entered_at FROM lb.stage') \g /dev/null
INSERT INTO revrtm.loop_map (source, value, stage) VALUES ('channel', 'webinar', 'consideration'), ('channel', 'demo', 'evaluation');
DELETE FROM revrtm.loop_map WHERE source = 'milestone';
SELECT FROM revrtm.refresh_journeys() \g /dev/null
VACUUM (FREEZE, ANALYZE) revrtm.deal_journey;

CREATE VIEW lb.step AS
WITH place AS (SELECT m.source, m.value, p.place FROM revrtm.loop_map m JOIN revrtm.loop_place p USING (stage) WHERE p.place <= 5), touched AS (
    SELECT t.deal, t.at, greatest(2, p.place) AS place FROM lb.touch t LEFT JOIN place p ON p.source = 'channel' AND p.value = t.channel
), evidence AS (
    SELECT id AS deal, created AS at, 3 AS place, 0 AS touch FROM lb.deal
    UNION ALL SELECT s.deal, s.at, p.place, 0 FROM lb.stage s JOIN place p ON p.source = 'stage' AND p.value = s.stage
    UNION ALL SELECT t.deal, t.at, t.place, 1 FROM touched t
), reached AS (
    SELECT deal, at, touch, max(place) OVER (PARTITION BY deal ORDER BY at) AS place FROM evidence
)
SELECT deal, place, min(at) AS entered_at, sum(touch) AS touches, lead(place) OVER (PARTITION BY deal ORDER BY place) AS next
FROM reached GROUP BY deal, place;

SELECT count(*) AS "places x routes that differ" FROM (
    (SELECT s.place, d.route, count(*), sum(s.touches) FROM lb.step s JOIN lb.deal d ON d.id = s.deal GROUP BY 1, 2
     EXCEPT SELECT p.place, s.route_id, count(*), sum(s.touches) FROM revrtm.loop_step s JOIN revrtm.loop_place p USING (stage) WHERE s.unit = 'deal' GROUP BY 1, 2)) x;

CREATE TEMP TABLE arm (ordinal int, side text, query text);
INSERT INTO arm VALUES
(1, 'GROUP BY of the deals', 'SELECT route_id, count(*), count(*) FILTER (WHERE is_won), sum(amount) FROM revrtm.opportunity GROUP BY route_id'),
(2, 'GROUP BY of the stages, by deal', 'SELECT opportunity_id, array_agg(stage), array_agg(entered_at) FROM revrtm.opportunity_stage GROUP BY opportunity_id'),
(3, 'plain SQL over deals, stages and touches', 'SELECT d.route, s.place, count(*), count(s.next), sum(s.touches) FROM lb.step s JOIN lb.deal d ON d.id = s.deal GROUP BY 1, 2'),
(4, 'the same from the store, loop_step', $$SELECT route_id, stage, count(*), count(outcome) FILTER (WHERE outcome = 'next'), sum(touches) FROM revrtm.loop_step WHERE unit = 'deal' GROUP BY 1, 2$$),
(5, 'loop_stage: accounts, customers and spend too', 'SELECT * FROM revrtm.loop_stage');
CREATE TEMP TABLE bench_time (query text, ms float8);
DO $$
DECLARE
    a record;
    started timestamptz;
BEGIN
    FOR round IN 0..5 LOOP
        FOR a IN SELECT * FROM arm ORDER BY ordinal LOOP
            started := clock_timestamp();
            EXECUTE a.query;
            IF round > 0 THEN
                INSERT INTO bench_time VALUES (a.query, 1000 * extract(epoch FROM clock_timestamp() - started));
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT a.side, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms)::numeric, 1) AS median, round(min(t.ms)::numeric, 1) AS best
FROM arm a JOIN bench_time t USING (query) GROUP BY a.ordinal, a.side ORDER BY a.ordinal;
