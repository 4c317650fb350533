-- Samples of spend and response, and curves fitted to them.
SET extra_float_digits = 0;

-- Order of rows, nulls, minus zero, merging.
SELECT revrtm.fit_curve_agg(x, y) FROM (VALUES (3, 4), (1, 2.5), ('-0', '-0'), (NULL, 1), (2, NULL), (1, 2.5), (1, -7)) v (x, y);
SELECT revrtm.fit_curve_agg(x, y, at) FROM (VALUES
    (3, 4, '2026-02-01 00:00+00'::timestamptz), (1, 2.5, '2026-01-01 12:30:00.5+02'), (5, 6, NULL), (9, 8, '0044-03-15 00:00+00 BC')) v (x, y, at);
SELECT revrtm.fit_curve_agg(x, y) IS NULL AS none FROM (VALUES (NULL::float8, 1)) v (x, y);
SELECT revrtm.fit_curve_agg(x, x) IS NULL AS no_rows FROM generate_series(1, 0) x;
SELECT revrtm.rollup(s::revrtm.response_sample) FROM unnest(ARRAY['{5|1,2|3}', NULL, '{}', '{1|1,2|3}']) s;
SELECT revrtm.rollup(s::revrtm.response_sample) FROM unnest(ARRAY['{}', '{5|1@2026-01-01T00:00:00Z}', '{4|1@2025-12-31T23:00:00-01}']) s;
SELECT revrtm.fit_curve_agg(x, y) OVER (ORDER BY x) FROM (VALUES (3, 4), (1, 2), (2, 7)) v (x, y);

-- Text: any order reads, and reads back; numbers are the shortest, whatever extra_float_digits.
SELECT '{3|0.1,1e-3|-5e300, 2| 1}'::revrtm.response_sample;
SELECT '{}'::revrtm.response_sample, '{0.30000000000000004|0.1}'::revrtm.response_sample;
SELECT '1|2'::revrtm.response_sample;
SELECT '{1}'::revrtm.response_sample;
SELECT '{1 |2}'::revrtm.response_sample;
SELECT '{1|2|3}'::revrtm.response_sample;
SELECT '{1|x}'::revrtm.response_sample;
SELECT '{|1}'::revrtm.response_sample;
SELECT '{-1|2}'::revrtm.response_sample;
SELECT '{1|NaN}'::revrtm.response_sample;
SELECT '{1e999|1}'::revrtm.response_sample;
SELECT '{1|2@yesterday}'::revrtm.response_sample;
SELECT '{1|2@2026-01-01T00:00:00Z|x}'::revrtm.response_sample;
SELECT '{1|2@2026-01-01T00:00:00Z,1|2}'::revrtm.response_sample;
SELECT '{1|2,NULL}'::revrtm.response_sample;

-- Binary transport.
CREATE TABLE sample_sent (s revrtm.response_sample);
CREATE TABLE sample_received (LIKE sample_sent);
INSERT INTO sample_sent VALUES ('{1|2,3|4}'), ('{1|2@2026-01-01T00:00:00Z}'), ('{}'), (NULL);
INSERT INTO sample_sent SELECT revrtm.fit_curve_agg(x, x * 2) FROM generate_series(1, 10000) x;
\copy sample_sent TO 'results/sample.bin' (FORMAT binary)
\copy sample_received FROM 'results/sample.bin' (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE s::text = r::text OR s IS NULL AND r IS NULL) AS same
FROM (SELECT s, row_number() OVER () AS i FROM sample_sent) a JOIN (SELECT s AS r, row_number() OVER () AS i FROM sample_received) b USING (i);
SELECT revrtm.response_sample_send(s) FROM sample_sent LIMIT 2;
-- Forged bytes.
TRUNCATE sample_received;
\set forged '\\copy (SELECT bytes FROM forged) TO results/forged.bin (FORMAT binary)'
CREATE TABLE forged (bytes bytea);
INSERT INTO forged VALUES ('\x02000000000000');
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0102000000013ff000000000000040000000000000000002ea470ae86000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x010100000000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0100ffffffff3ff00000000000004000000000000000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x010000000001bff00000000000004000000000000000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0100000000013ff00000000000007ff8000000000000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0101000000013ff000000000000040000000000000007fffffffffffffff';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0101000000013ff000000000000040000000000000007ffffffffffffffe';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0100000000013ff0000000000000400000000000000000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
-- Points out of order are put in order.
UPDATE forged SET bytes = '\x0100000000024000000000000000800000000000000080000000000000003ff0000000000000';
:forged
\copy sample_received FROM 'results/forged.bin' (FORMAT binary)
SELECT * FROM sample_received;
DROP TABLE sample_sent, sample_received, forged;

-- A fit of each family.
CREATE TABLE curve_point AS
SELECT x::float8 AS x, (10 + 100 * (1 - exp(-x / 30.0)) + CASE WHEN x % 2 = 0 THEN 3 ELSE -3 END)::float8 AS y,
       timestamptz '2024-01-01 00:00+00' + x * interval '1 day' AS at
FROM generate_series(1, 100, 3) x;
SELECT f AS family, regexp_replace(c.curve::text, '(\.\d{5})\d+', '\1', 'g') AS curve, c.n, round(c.rmse::numeric, 6) AS rmse, round(c.r2::numeric, 6) AS r2,
       (SELECT array_agg(round(e::numeric, 5)) FROM unnest(c.standard_error) e) AS standard_error, c.note
FROM (SELECT revrtm.fit_curve_agg(x, y) AS s FROM curve_point) q, unnest(ARRAY['auto', 'linear', 'log', 'power', 'exponential', 'hill']) f, revrtm.fit_curve(s, f) c;
-- The straight line is that of the server's own aggregates.
SELECT abs(c.rmse / sqrt(regr_syy(y, x) * (1 - regr_r2(y, x)) / count(*)) - 1) < 1e-12 AS rmse, abs(c.r2 - regr_r2(y, x)) < 1e-12 AS r2,
       c.curve::text = (revrtm.fit_curve(revrtm.fit_curve_agg(x, y), 'linear')).curve::text AS stable
FROM curve_point, (SELECT f.* FROM (SELECT revrtm.fit_curve_agg(x, y) AS s FROM curve_point) q, revrtm.fit_curve(s, 'linear') f) c GROUP BY c.rmse, c.r2, c.curve::text;

-- Nothing falls; few points; one spend; no points.
SELECT s, f AS family, c.* FROM unnest(ARRAY[NULL, '{}', '{5|7}', '{1|2,2|4,3|6}', '{0|1,0|2,0|3,0|-2}', '{3|-1,3|-2,3|-3,3|0}', '{3|1,3|2,3|3,3|0}', '{1|6,2|5,3|4,4|3}', '{1|6,2|6,3|6,4|6}']) s,
    unnest(ARRAY['auto', 'exponential']) f, revrtm.fit_curve(s::revrtm.response_sample, f) c;
SELECT c.note, regexp_replace(c.curve::text, '(\.\d{5})\d+', '\1', 'g') AS curve, c.standard_error[4] IS NULL AS no_error FROM revrtm.fit_curve('{1|1,2|1,3|1,4|2,5|2,6|2,7|2}', 'hill') c;

-- Carry-over and lag.
WITH recursive effect AS (
    SELECT x, at, x AS working FROM curve_point WHERE x = 1
    UNION ALL
    SELECT p.x, p.at, 0.4 * p.x + 0.6 * e.working FROM effect e JOIN curve_point p ON p.x = e.x + 3
), delayed AS (
    SELECT at, x, coalesce(10 + 2 * lag(working, 2) OVER (ORDER BY at), 0) AS y FROM effect
)
SELECT a.adstock, a.lag, c.n, round(c.rmse::numeric, 9) AS rmse, regexp_replace(c.curve::text, '(\.\d{5})\d+', '\1', 'g') AS curve
FROM (SELECT revrtm.fit_curve_agg(x, y, at) AS s FROM delayed) q, (VALUES (0.6, 2), (0.6, 0), (0, 2), (0.3, 1), (0.6, 34), (0.6, 2147483647)) a (adstock, lag), revrtm.fit_curve(s, 'linear', a.adstock, a.lag) c;

-- What is refused.
SELECT revrtm.fit_curve_agg(x, 1) FROM (VALUES (-1::float8)) v (x);
SELECT revrtm.fit_curve_agg(x, 1) FROM (VALUES ('NaN'::float8)) v (x);
SELECT revrtm.fit_curve_agg(x, 1) FROM (VALUES ('Infinity'::float8)) v (x);
SELECT revrtm.fit_curve_agg(1, y) FROM (VALUES ('NaN'::float8)) v (y);
SELECT revrtm.fit_curve_agg(1, y) FROM (VALUES ('-Infinity'::float8)) v (y);
SELECT revrtm.fit_curve_agg(1, 1, at) FROM (VALUES ('infinity'::timestamptz)) v (at);
SELECT revrtm.rollup(s::revrtm.response_sample) FROM unnest(ARRAY['{1|2}', '{1|2@2026-01-01T00:00:00Z}']) s;
SELECT revrtm.fit_curve_agg(1, x) FROM generate_series(1, 1000001) x;
SELECT revrtm.response_sample_accum('{1|2}', 1, 2);
SELECT revrtm.response_sample_combine('{1|2}', '{1|2}');
SELECT revrtm.response_sample_accum('{1|2}', NULL, 2), revrtm.response_sample_combine('{1|2}', NULL), revrtm.response_sample_final('{2|2,1|1}');
SELECT * FROM revrtm.fit_curve('{1|2}', 'cubic');
SELECT * FROM revrtm.fit_curve('{1|2}', 'AUTO');
SELECT * FROM revrtm.fit_curve('{1|2}', NULL);
SELECT * FROM revrtm.fit_curve('{1|2}', 'auto', NULL);
SELECT * FROM revrtm.fit_curve('{1|2}', 'auto', 0, NULL);
SELECT * FROM revrtm.fit_curve('{1|2}', 'auto', 1);
SELECT * FROM revrtm.fit_curve('{1|2}', 'auto', -0.1);
SELECT * FROM revrtm.fit_curve('{1|2}', 'auto', 'NaN');
SELECT * FROM revrtm.fit_curve('{1|2}', 'auto', 0, -1);
SELECT * FROM revrtm.fit_curve('{1|2}', adstock => 0.5);
SELECT * FROM revrtm.fit_curve('{1|2}', lag => 1);
SELECT * FROM revrtm.fit_curve('{1|2@2026-01-01T00:00:00Z,2|3@2026-01-01T00:00:00Z}', lag => 1);
SELECT * FROM revrtm.fit_curve('{0|1,1|2,2|3,3|4}', 'log');
SELECT c.note, c.curve FROM revrtm.fit_curve('{0|1,1|2,2|3,3|4}') c;
SELECT * FROM revrtm.fit_curve('{1e-300|1,2e-300|2e300,3e-300|3e300,4e-300|4e300}', 'linear');
SELECT regexp_replace(c.curve::text, '(\.\d{5})\d+', '\1', 'g') AS curve, c.note FROM revrtm.fit_curve('{1e300|1,2e300|1.3,3e300|1.7,4e300|2,5e300|2.1}', 'power') c;
SELECT c.note, c.curve IS NOT NULL AS fitted FROM revrtm.fit_curve('{1e300|1e300,2e300|1.5e300,3e300|1.7e300,4e300|1.9e300,5e300|2e300}') c;

-- The parallel plan merges states, to the same bytes.
CREATE TABLE curve_many AS SELECT i, sqrt(i * 7 % 1000) AS x, sin(i) AS y, timestamptz '2024-01-01' + i * interval '1 hour' AS at FROM generate_series(1, 20000) i;
ALTER TABLE curve_many SET (parallel_workers = 2);
ANALYZE curve_many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT revrtm.fit_curve_agg(x, y, at) FROM curve_many;
SELECT md5(revrtm.fit_curve_agg(x, y)::text) AS parallel, md5(revrtm.fit_curve_agg(x, y, at)::text) AS parallel_timed FROM curve_many \gset
SET max_parallel_workers_per_gather = 0;
SELECT md5(revrtm.fit_curve_agg(x, y ORDER BY i DESC)::text) = :'parallel' AS same, md5(revrtm.fit_curve_agg(x, y, at ORDER BY md5(i::text))::text) = :'parallel_timed' AS same_timed FROM curve_many;
SELECT md5(revrtm.rollup(s)::text) = :'parallel_timed' AS rolled_up FROM (SELECT revrtm.fit_curve_agg(x, y, at) AS s FROM curve_many GROUP BY i % 7) q;

-- A fit of many points can be cancelled.
CREATE TABLE curve_large AS SELECT revrtm.fit_curve_agg(x, x + x % 3) AS s FROM generate_series(1, 500000) x;
SET statement_timeout = '100ms';
SELECT c.n FROM curve_large, revrtm.fit_curve(s, 'hill') c;
RESET statement_timeout;
DROP TABLE curve_point, curve_many, curve_large;
