-- Fits of 1,000 lines of 36 months from a table, each to its own curve. Beside
-- them, as the floor, the least squares of a + b ln x by the server's own
-- regr_slope and regr_intercept. Run: psql -X -f bench/curve_fit.sql
-- Median and best of 9 rounds, interleaved, in ms.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE bench_month AS
SELECT line, month, spend, 5000 + 20000 * k / (k + 1) * (1 - exp(-spend / (k * 1000))) + 1500 * (random() + random() - 1) AS margin
FROM (SELECT line, month::timestamptz, 1000 * exp(random() * 1.5) AS spend, 0.5 + line % 7 AS k
      FROM generate_series(1, 1000) line, generate_series(date '2023-01-01', date '2025-12-01', interval '1 month') month) d;
ANALYZE bench_month;
CREATE TEMP TABLE bench_time (side text, ms float8, checked float8);
DO $$
DECLARE
    side text;
    started timestamptz;
    checked float8;
BEGIN
    FOR side IN SELECT s FROM generate_series(1, 9) round, unnest(ARRAY['regr_slope', 'log', 'linear', 'exponential', 'power', 'hill', 'auto', 'auto, adstock 0.5']) s LOOP
        started := clock_timestamp();
        IF side = 'regr_slope' THEN
            SELECT sum(slope) INTO checked FROM (
                SELECT line, regr_slope(margin, ln(spend)) AS slope, regr_intercept(margin, ln(spend)) FROM bench_month GROUP BY line) q;
        ELSE
            SELECT sum(c.rmse) INTO checked
            FROM (SELECT line, revrtm.fit_curve_agg(spend, margin, month) AS sample FROM bench_month GROUP BY line) q,
                 revrtm.fit_curve(sample, split_part(side, ',', 1), CASE WHEN side ~ 'adstock' THEN 0.5 ELSE 0 END) c;
        END IF;
        INSERT INTO bench_time VALUES (side, 1000 * extract(epoch FROM clock_timestamp() - started), checked);
    END LOOP;
END
$$;
SELECT side, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median_ms, round(min(ms)::numeric, 1) AS best_ms,
       count(DISTINCT checked) = 1 AS repeats
FROM bench_time GROUP BY side ORDER BY 2;
