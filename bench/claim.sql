-- Overlapping claims: 200,000 on 50,000 accounts, and the same where half of
-- them sit on ten accounts, against a serial hash join over claims that carry
-- their spans already, which is not counted. Run: psql -X -f bench/claim.sql
-- Both sides give the same rows, interleaved; medians and bests in ms of the
-- backend's CPU, of seven rounds after one that warms the cache, three of the hot ones.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
SET work_mem = '64MB';
SET max_parallel_workers_per_gather = 0;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SELECT setseed(0.5) \g /dev/null
INSERT INTO revrtm.region (region_id, parent_id)
SELECT 'r' || i, CASE WHEN i <= 4 THEN 'ANY' ELSE 'r' || (i + 11) / 4 - 2 END FROM generate_series(1, 84) i ORDER BY i;
INSERT INTO revrtm.product (product_id, parent_id)
SELECT 'p' || i, CASE WHEN i <= 4 THEN 'ANY' ELSE 'p' || (i + 11) / 4 - 2 END FROM generate_series(1, 84) i ORDER BY i;
-- Quarters of three years; every tenth claim is for any product, or region.
CREATE FUNCTION bench_claims(claims int, hot float8) RETURNS TABLE (claim_id text, account_id text, party text, product text, region text, during daterange)
LANGUAGE sql VOLATILE AS $$
    SELECT 'claim ' || i, 'account ' || CASE WHEN random() < hot THEN floor(10 * random()) ELSE 10 + floor(claims / 4 * random()) END,
           'party ' || floor(100 * random()), CASE WHEN random() < 0.9 THEN 'p' || 1 + floor(84 * random()) END,
           CASE WHEN random() < 0.9 THEN 'r' || 1 + floor(84 * random()) END, daterange(d, d + 90)
    FROM generate_series(1, claims) i, LATERAL (SELECT date '2023-01-01' + floor(1000 * random() + 0 * i)::int) t (d)
$$;
CREATE TABLE bench_even AS SELECT * FROM bench_claims(200000, 0);
CREATE TABLE bench_hot AS SELECT * FROM bench_claims(200000, 0.5);
CREATE TABLE bench_hot_half AS SELECT * FROM bench_claims(100000, 0.5);
CREATE TABLE bench_hot_quarter AS SELECT * FROM bench_claims(50000, 0.5);
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{even,hot,hot_half,hot_quarter}'::text[] LOOP
        EXECUTE format('CREATE TABLE bench_spans_%1$s AS SELECT c.claim_id COLLATE "C" AS claim_id, c.account_id, c.party, c.product, c.region, c.during,
            coalesce(p.span, ''(,)'') AS product_span, coalesce(g.span, ''(,)'') AS region_span
            FROM bench_%1$s c LEFT JOIN revrtm.product p ON p.product_id = c.product LEFT JOIN revrtm.region g ON g.region_id = c.region', t);
        EXECUTE format('CREATE VIEW bench_join_%1$s AS
            SELECT a.claim_id AS claim_a, b.claim_id AS claim_b, a.account_id,
                   CASE WHEN a.product_span <@ b.product_span THEN a.product ELSE b.product END AS product,
                   CASE WHEN a.region_span <@ b.region_span THEN a.region ELSE b.region END AS region, a.during * b.during AS overlap
            FROM bench_spans_%1$s a JOIN bench_spans_%1$s b ON b.account_id = a.account_id AND a.claim_id < b.claim_id AND a.party <> b.party
                 AND a.during && b.during AND a.product_span && b.product_span AND a.region_span && b.region_span', t);
    END LOOP;
END
$$;
VACUUM (FREEZE, ANALYZE) bench_even, bench_hot, bench_hot_half, bench_hot_quarter,
    bench_spans_even, bench_spans_hot, bench_spans_hot_half, bench_spans_hot_quarter;
EXPLAIN (COSTS OFF) SELECT * FROM bench_join_even;
SELECT count(*) AS "rows that differ" FROM (
    (SELECT * FROM bench_join_even EXCEPT ALL SELECT * FROM revrtm.overlapping_claims('TABLE public.bench_even'))
    UNION ALL (SELECT * FROM revrtm.overlapping_claims('TABLE public.bench_even') EXCEPT ALL SELECT * FROM bench_join_even)
    UNION ALL (SELECT * FROM bench_join_hot_quarter EXCEPT ALL SELECT * FROM revrtm.overlapping_claims('TABLE public.bench_hot_quarter'))) d;

-- The joins of the larger hot ones take minutes and are left out.
CREATE TEMP TABLE arm (claims text, side text, query text);
INSERT INTO arm
SELECT c, s, format(CASE s WHEN 'SQL' THEN 'SELECT count(overlap) FROM bench_join_%s' ELSE 'SELECT count(overlap) FROM revrtm.overlapping_claims(''TABLE public.bench_%s'')' END, c)
FROM unnest('{even,hot_quarter,hot_half,hot}'::text[]) c, unnest('{SQL,overlapping_claims}'::text[]) s WHERE s <> 'SQL' OR c IN ('even', 'hot_quarter');
CREATE FUNCTION bench_cpu() RETURNS float8 LANGUAGE sql AS
$$SELECT 10.0 * (f[14]::float8 + f[15]::float8) FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') f$$;
CREATE TEMP TABLE bench_time (query text, ms float8, result bigint);
DO $$
DECLARE
    a record;
    started float8;
    found bigint;
BEGIN
    FOR round IN 0..7 LOOP
        FOR a IN SELECT * FROM arm WHERE claims = 'even' OR round BETWEEN 1 AND 3 ORDER BY claims, side LOOP
            started := bench_cpu();
            EXECUTE a.query INTO found;
            IF round > 0 THEN
                INSERT INTO bench_time VALUES (a.query, bench_cpu() - started, found);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT CASE a.claims WHEN 'even' THEN '200,000, evenly' WHEN 'hot' THEN '200,000, half on ten accounts' WHEN 'hot_half' THEN '100,000, half on ten' ELSE '50,000, half on ten' END AS claims,
       a.side, t.result AS rows, t.median, t.best, round((t.result / t.median)::numeric) AS "rows a ms",
       round(t.median / first_value(t.median) OVER (PARTITION BY a.claims ORDER BY a.side <> 'SQL'), 3) AS "of the join"
FROM arm a JOIN (SELECT query, min(result) AS result, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median, round(min(ms)::numeric, 1) AS best
                 FROM bench_time GROUP BY query) t USING (query)
ORDER BY a.claims, a.side <> 'SQL';
