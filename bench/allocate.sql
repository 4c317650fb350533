-- The allocator on 10 to 10,000 concave Hill lines, budget half of the sum of
-- the upper bounds, unit 0.01. Run: psql -X -f bench/allocate.sql
-- Each figure is the best of seven runs, in ms: building the plan, and
-- allocate() on the finished plan.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE bench_line AS
SELECT n, 'line ' || n AS line,
       revrtm.curve('hill', 0, 1 + 100 * random(), 100 + 10000 * random(), 0.4 + 0.6 * random()) AS curve,
       0::numeric AS lo, round((10000 + 30000 * random())::numeric, 2) AS hi
FROM generate_series(1, 10000) n;
CREATE TEMP TABLE bench_plan AS
SELECT size, revrtm.budget_line_agg(line, curve, lo, hi) AS plan, round(sum(hi) / 4, 2) AS budget
FROM unnest(ARRAY[10, 100, 1000, 10000]) size JOIN bench_line ON n <= size
GROUP BY size;
CREATE TEMP TABLE bench_time (size int, step text, ms float8, gap float8);
DO $$
DECLARE
    s int;
    started timestamptz;
    p revrtm.budget_plan;
    b numeric;
    g float8;
BEGIN
    FOR s IN SELECT size FROM bench_plan, generate_series(1, 7) LOOP
        started := clock_timestamp();
        SELECT revrtm.budget_line_agg(line, curve, lo, hi) INTO p FROM bench_line WHERE n <= s;
        INSERT INTO bench_time VALUES (s, 'plan', 1000 * extract(epoch FROM clock_timestamp() - started));
        SELECT budget INTO b FROM bench_plan WHERE size = s;
        started := clock_timestamp();
        SELECT max(gap) INTO g FROM revrtm.allocate(p, b);
        INSERT INTO bench_time VALUES (s, 'allocate', 1000 * extract(epoch FROM clock_timestamp() - started), g);
    END LOOP;
END
$$;
SELECT size, round(min(ms) FILTER (WHERE step = 'plan')::numeric, 3) AS plan_ms,
       round(min(ms) FILTER (WHERE step = 'allocate')::numeric, 3) AS allocate_ms,
       round((1000 * min(ms) FILTER (WHERE step = 'allocate') / size)::numeric, 3) AS us_per_line,
       to_char(max(gap), '9.9EEEE') AS gap
FROM bench_time GROUP BY size ORDER BY size;
-- The same once by the client's clock.
\timing on
SELECT count(*), sum(amount) FROM bench_plan, revrtm.allocate(plan, budget) WHERE size = 10;
SELECT count(*), sum(amount) FROM bench_plan, revrtm.allocate(plan, budget) WHERE size = 100;
SELECT count(*), sum(amount) FROM bench_plan, revrtm.allocate(plan, budget) WHERE size = 1000;
SELECT count(*), sum(amount) FROM bench_plan, revrtm.allocate(plan, budget) WHERE size = 10000;
