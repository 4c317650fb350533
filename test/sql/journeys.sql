-- journeys(): the touches of a query packed by deal, as journey_agg would.

CREATE TABLE touches AS
SELECT deal.id AS deal_id, timestamptz '2025-01-01 00:00+00' + (k * 37 % 500) * interval '1 hour' AS touched_at,
       'channel ' || k * 7919 % (CASE WHEN deal.id = 7 THEN 400 ELSE 9 END) AS channel,
       CASE WHEN k % 11 = 0 THEN 'LC' WHEN k % 13 = 0 THEN 'OC|CW' END AS milestone,
       CASE WHEN k % 3 > 0 THEN 'touch ' || k END AS touch_id,
       CASE WHEN deal.id % 5 > 0 THEN deal.id * 1.25 END AS amount,
       CASE WHEN k % 4 = 0 THEN timestamptz '2024-12-01 00:00+00' + k * interval '1 minute' END AS lead_created_at
FROM generate_series(-2, 1000) deal (id), generate_series(1, CASE WHEN deal.id = 7 THEN 6000 ELSE deal.id % 12 + 1 END) k;
INSERT INTO touches SELECT 5000, NULL, 'never';

CREATE TABLE expected AS
SELECT t.deal_id::text AS deal_id, max(t.amount) AS amount, min(t.lead_created_at) AS lead_created_at,
       revrtm.journey_agg(t.touched_at, t.channel, t.milestone, t.touch_id) AS journey
FROM touches t WHERE t.touched_at IS NOT NULL GROUP BY t.deal_id;

CREATE FUNCTION pg_temp.wrong(query text, OUT deals bigint, OUT wrong bigint) LANGUAGE sql AS $$
    SELECT count(*), count(*) FILTER (WHERE (e.*) IS DISTINCT FROM (j.*))
    FROM expected e FULL JOIN revrtm.journeys(query) j USING (deal_id)
$$;
-- In memory, in files, and in files that are divided again; whatever the
-- type of the deals and the order of the rows.
SELECT * FROM pg_temp.wrong('SELECT * FROM public.touches');
SET work_mem = '256kB';
SELECT * FROM pg_temp.wrong('SELECT * FROM public.touches');
SET work_mem = '64kB';
SELECT * FROM pg_temp.wrong('SELECT * FROM public.touches ORDER BY touch_id DESC NULLS FIRST, touched_at');
SELECT * FROM pg_temp.wrong('SELECT deal_id::text, channel::varchar, touched_at, touch_id, milestone, amount, lead_created_at FROM public.touches');
SELECT * FROM pg_temp.wrong('SELECT deal_id::smallint, channel, touched_at, touch_id, milestone, amount, lead_created_at FROM public.touches');
SELECT * FROM pg_temp.wrong('SELECT deal_id::bigint, channel, touched_at, touch_id, milestone, amount, lead_created_at FROM public.touches');
-- More channels than there is memory for their names.
SELECT count(*), bool_and(revrtm.path(j.journey) = ARRAY[repeat('x', 900) || j.deal_id, 'y', repeat('x', 900) || j.deal_id]) AS right
FROM revrtm.journeys($$
    SELECT i AS deal_id, timestamptz '2025-01-01 00:00+00' + k * interval '1 day' AS touched_at,
           CASE k WHEN 1 THEN 'y' ELSE repeat('x', 900) || i END AS channel
    FROM generate_series(1, 500) i, generate_series(0, 2) k$$) j;
RESET work_mem;
SELECT * FROM revrtm.journeys($$SELECT '00000000-0000-0000-0000-000000000007'::uuid AS deal_id,
    timestamptz '2025-01-01 00:00+00' AS touched_at, NULL::text AS channel$$);
-- Of equal amounts the same one, whatever the order of rows.
SELECT amount FROM revrtm.journeys($$SELECT 1 AS deal_id, a AS amount, timestamptz '2025-01-01' AS touched_at, 'a' AS channel FROM unnest(ARRAY[1.5, 1.50]) a$$);
SELECT amount FROM revrtm.journeys($$SELECT 1 AS deal_id, a AS amount, timestamptz '2025-01-01' AS touched_at, 'a' AS channel FROM unnest(ARRAY[1.50, 1.5]) a$$);
SELECT * FROM revrtm.journeys('SELECT * FROM public.touches WHERE false');
SELECT * FROM revrtm.journeys(NULL);

-- What is wrong is said.
SELECT * FROM revrtm.journeys('SELECT true AS deal_id, now() AS day, 1 AS channel, 2 AS amount');
SELECT * FROM revrtm.journeys('SELECT NULL::text AS deal_id, now() AS touched_at, ''a'' AS channel');
SELECT * FROM revrtm.journeys('SELECT 1 AS deal_id, timestamptz ''infinity'' AS touched_at, ''a'' AS channel');
SELECT * FROM revrtm.journeys('SELECT 1 AS deal_id, now() AS touched_at, ''a'' AS channel, ''XX'' AS milestone');
SELECT * FROM revrtm.journeys('SELECT 1 AS deal_id, timestamptz ''2025-01-01'' AS touched_at, ''a'' AS channel, a AS amount FROM unnest(ARRAY[1.5, NULL]) a');
SELECT * FROM revrtm.journeys('SELECT 1 AS deal_id, now() AS touched_at, repeat(''a'', 1025) AS channel');
SELECT * FROM revrtm.journeys('DELETE FROM public.touches RETURNING *');
SELECT * FROM revrtm.journeys('SELECT 1; SELECT 2');
SELECT * FROM revrtm.journeys('SELECT nothing');
CREATE FUNCTION pg_temp.writes() RETURNS int LANGUAGE sql AS 'DELETE FROM touches; SELECT 1';
SELECT * FROM revrtm.journeys('SELECT pg_temp.writes() AS deal_id, now() AS touched_at, ''a'' AS channel');
-- It reads as its caller.
CREATE ROLE regress_reader;
SET ROLE regress_reader;
SELECT * FROM revrtm.journeys('SELECT * FROM public.touches');
RESET ROLE;
DROP ROLE regress_reader;
-- And stops when it is told to.
SET statement_timeout = '50ms';
SELECT count(*) FROM revrtm.journeys('SELECT i AS deal_id, timestamptz ''2025-01-01'' AS touched_at, ''a'' AS channel FROM generate_series(1, 100000000) i');
RESET statement_timeout;
DROP TABLE touches, expected;
