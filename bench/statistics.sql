-- Quantiles and proportions over a million rows against PostgreSQL's own
-- percentile_cont and avg. Run: psql -X -f bench/statistics.sql
-- The arms are interleaved; medians and bests of 11 rounds, in ms, after one
-- that warms the cache; serial, then with what the defaults give of workers.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
SET work_mem = '64MB';
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SELECT setseed(0.5) \g /dev/null
-- Days a deal took, lognormal around 60, in 1000 groups as they come.
CREATE TABLE bench_value AS
SELECT 1 + floor(1000 * random())::int AS grp, 60 * exp(0.8 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) AS days,
       random() < 0.25 AS won
FROM generate_series(1, 1000000);
VACUUM (FREEZE, ANALYZE) bench_value;
CREATE TABLE bench_kept AS SELECT grp, revrtm.quantile_agg(days) AS q, revrtm.proportion_agg(won) AS p FROM bench_value GROUP BY grp;
VACUUM (FREEZE, ANALYZE) bench_kept;

SELECT max(abs(revrtm.quantile(s.q, 0.5) / s.theirs[1] - 1)) AS "largest error of a median",
       max(abs(revrtm.quantile(s.q, 0.9) / s.theirs[2] - 1)) AS "of a 90 % quantile", max(revrtm.quantile_error(s.q)) AS "guaranteed"
FROM (SELECT revrtm.quantile_agg(days) AS q, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) AS theirs FROM bench_value GROUP BY grp) s;
SELECT pg_size_pretty(sum(pg_column_size(q))) AS "quantiles of 1000 groups",
       (SELECT pg_size_pretty(pg_column_size(revrtm.quantile_agg(days))::bigint) FROM bench_value) AS "of all" FROM bench_kept;

CREATE TEMP TABLE arm (ordinal int, question text, side text, query text);
INSERT INTO arm VALUES
(1, 'median and p90 of 1000 groups', 'percentile_cont', 'SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) FROM bench_value GROUP BY grp'),
(1, 'median and p90 of 1000 groups', 'quantile_agg', 'SELECT revrtm.quantile(revrtm.quantile_agg(days), ARRAY[0.5, 0.9]) FROM bench_value GROUP BY grp'),
(2, 'median and p90 of all', 'percentile_cont', 'SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) FROM bench_value'),
(2, 'median and p90 of all', 'quantile_agg', 'SELECT revrtm.quantile(revrtm.quantile_agg(days), ARRAY[0.5, 0.9]) FROM bench_value'),
(2, 'median and p90 of all', 'rollup of 1000 kept', 'SELECT revrtm.quantile(revrtm.rollup(q), ARRAY[0.5, 0.9]) FROM bench_kept'),
(3, 'win rate of 1000 groups', 'avg', 'SELECT avg(won::int) FROM bench_value GROUP BY grp'),
(3, 'win rate of 1000 groups', 'proportion_agg', 'SELECT revrtm.rate(revrtm.proportion_agg(won)) FROM bench_value GROUP BY grp'),
(3, 'win rate of 1000 groups', 'with wilson', 'SELECT revrtm.rate(p), w.lo, w.hi FROM (SELECT revrtm.proportion_agg(won) AS p FROM bench_value GROUP BY grp) s, revrtm.wilson(p) w');
CREATE TEMP TABLE bench_time (workers int, query text, ms float8);
DO $$
DECLARE
    a record;
    started timestamptz;
BEGIN
    FOR w IN 0..2 BY 2 LOOP
        PERFORM set_config('max_parallel_workers_per_gather', w::text, false);
        FOR round IN 0..11 LOOP
            FOR a IN SELECT * FROM arm ORDER BY ordinal LOOP
                started := clock_timestamp();
                EXECUTE a.query;
                IF round > 0 THEN
                    INSERT INTO bench_time VALUES (w, a.query, 1000 * extract(epoch FROM clock_timestamp() - started));
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;
SELECT a.question, t.workers, a.side, t.median, t.best,
       round(first_value(t.median) OVER (PARTITION BY a.ordinal, t.workers ORDER BY a.side NOT IN ('percentile_cont', 'avg')) / t.median, 1) AS "times as fast"
FROM arm a JOIN (SELECT workers, query, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median, round(min(ms)::numeric, 1) AS best
                 FROM bench_time GROUP BY workers, query) t USING (query)
ORDER BY a.ordinal, t.workers, a.side IN ('percentile_cont', 'avg') DESC, a.side;
