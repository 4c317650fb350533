-- Notes, ratios, proportions and quantiles: what they answer and refuse.
\set SHOW_CONTEXT never
\set VERBOSITY default

-- Ratios: NULL instead of an error, and why.
SELECT n, d, revrtm.ratio(n, d)::numeric(12, 6), revrtm.ratio_note(d, 'zero_spend')
FROM (VALUES (1, 3), (-1, 4), (0, 5), (2, 0), (0, 0), (NULL, 2), (2, NULL)) v (n, d);
-- Both are put in place, over an aggregate too: no function is called.
EXPLAIN (VERBOSE, COSTS OFF)
SELECT revrtm.ratio(count(*) FILTER (WHERE g > 3), count(*)), revrtm.ratio_note(count(*), 'no_closed')
FROM pg_catalog.generate_series(1, 5) g;

-- Proportions.
SELECT p, revrtm.successes(p), revrtm.trials(p), revrtm.rate(p)::numeric(12, 6), round(w.lo::numeric, 6) AS lo, round(w.hi::numeric, 6) AS hi
FROM (VALUES (revrtm.proportion(3, 7)), ('0/0'), ('0/20'), ('20/20'), ('9223372036854775807/9223372036854775807')) v (p), revrtm.wilson(p) w;
SELECT revrtm.proportion_agg(b), revrtm.proportion_agg(b) FILTER (WHERE b IS NULL) AS none, revrtm.proportion_agg(b) FILTER (WHERE i > 3) AS last
FROM unnest('{t,f,NULL,t,f,f}'::boolean[]) WITH ORDINALITY u (b, i);
SELECT revrtm.rollup(p), revrtm.rollup(p) FILTER (WHERE false) AS none FROM unnest('{3/7,0/0,NULL,1/1}'::revrtm.proportion[]) p;
SELECT i, revrtm.proportion_agg(i % 2 = 0) OVER (ORDER BY i), revrtm.proportion_agg(i % 2 = 0) OVER (ORDER BY i ROWS 1 PRECEDING) AS two
FROM generate_series(1, 4) i;
SELECT revrtm.proportion(NULL, 3) IS NULL AS made, revrtm.rate(NULL) IS NULL AS rate, revrtm.wilson(NULL::revrtm.proportion) IS NULL AS wilson;
-- Merged outside an aggregate the first argument stays as it was.
SELECT p, revrtm.proportion_combine(p, p), revrtm.proportion_accum(p, true), p FROM (VALUES ('1/2'::revrtm.proportion)) v (p);

SELECT round(w.lo::numeric, 6) AS lo, round(w.hi::numeric, 6) AS hi, c
FROM unnest('{0.5,0.9,0.95,0.99,0.999}'::float8[]) c, revrtm.wilson(8, 10, c) w;
SELECT revrtm.wilson(8, 10, 1e-300), revrtm.wilson(0, 0, 0.9);
SELECT revrtm.wilson(8, 10, 0);
SELECT revrtm.wilson(8, 10, 1);
SELECT revrtm.wilson('8/10', 'NaN'::float8);
SELECT revrtm.wilson(11, 10);
SELECT revrtm.wilson(-1, 10);
SELECT revrtm.proportion(1, 0);
SELECT revrtm.proportion(0, -1);
SELECT revrtm.rollup(p) FROM unnest('{1/9223372036854775807,0/1}'::revrtm.proportion[]) p;

SELECT ''::revrtm.proportion;
SELECT '3'::revrtm.proportion;
SELECT '3/'::revrtm.proportion;
SELECT '3/7 '::revrtm.proportion;
SELECT '-3/7'::revrtm.proportion;
SELECT '+3/7'::revrtm.proportion;
SELECT '8/7'::revrtm.proportion;
SELECT '1/9223372036854775808'::revrtm.proportion;

-- Quantiles.
SELECT revrtm.quantile_agg(v) FROM unnest('{3,1,2.5,NULL,-0,0,1e300,-7,1}'::float8[]) v;
SELECT revrtm.quantile(q, 0) AS least, revrtm.quantile(q, 0.5) AS median, revrtm.quantile(q, 0.9) AS p90, revrtm.quantile(q, 1) AS greatest,
       revrtm.quantile(q, ARRAY[[0, 0.25], [NULL, 1]]), revrtm.quantile(q, '{}'::float8[]) AS none,
       revrtm.quantile(q, '[3:4]={0.5,0.75}'::float8[]), revrtm.quantile_count(q), revrtm.quantile_error(q)
FROM (SELECT revrtm.quantile_agg(v) AS q FROM generate_series(1, 10) v) s;
SELECT revrtm.quantile_agg(v) IS NULL AS no_value, revrtm.quantile_agg(v) FILTER (WHERE false) IS NULL AS no_row FROM (VALUES (NULL::float8)) t (v);
SELECT revrtm.quantile(NULL, 0.5) IS NULL AS quantiles, revrtm.quantile('0[1,1]{1:1}', NULL::float8) IS NULL AS fraction,
       revrtm.quantile_count(NULL) IS NULL AS count, revrtm.quantile_error(NULL) IS NULL AS error;
SELECT revrtm.rollup(q), revrtm.rollup(q) FILTER (WHERE false) IS NULL AS none
FROM unnest('{"0[1,2]{1:1,2:3}",NULL,"0[-5,2]{-5:1,2:1}"}'::revrtm.quantiles[]) q;
SELECT v, revrtm.quantile(revrtm.quantile_agg(v) OVER (ORDER BY v), 0.5) AS median_so_far FROM generate_series(1, 4) v;
-- What spans both ends of float8 is still interpolated.
SELECT revrtm.quantile(revrtm.quantile_agg(v), ARRAY[0, 0.25, 0.5, 1]) FROM (VALUES (-1.7e308::float8), (1.7e308)) t (v);

-- 512 distinct values are exact; with one more there are two whole numbers to
-- an entry.
SELECT n, left(q::text, 30) AS text, revrtm.quantile_count(q), revrtm.quantile_error(q), revrtm.quantile(q, 0.5) AS median
FROM unnest(ARRAY[512, 513]) n, LATERAL (SELECT revrtm.quantile_agg(v) AS q FROM generate_series(512, 511 + n) v, generate_series(1, 2)) s;
SELECT left(q::text, 60) AS text, revrtm.quantile_count(q), revrtm.quantile_error(q),
       revrtm.quantile(q, ARRAY[0, 0.1, 0.5, 0.9, 1])
FROM (SELECT revrtm.quantile_agg(v ^ 3) AS q FROM generate_series(-1000, 100000) v) s;
-- Text and binary read back the same, numbers in full whatever the session says.
SET extra_float_digits = -15;
CREATE TEMP TABLE kept AS
SELECT n, revrtm.quantile_agg((v * v - 1000) / 7.0) AS q, revrtm.proportion_agg(v % 3 = 0) AS p
FROM unnest(ARRAY[1, 100, 600, 20000]) n, generate_series(1, n) v GROUP BY n;
SELECT n, q::text::revrtm.quantiles::text = q::text AS text_same FROM kept ORDER BY n;
\copy kept TO 'results/statistics.bin' (FORMAT binary)
CREATE TEMP TABLE back (LIKE kept);
\copy back FROM 'results/statistics.bin' (FORMAT binary)
SELECT k.n, k.q::text = b.q::text AS quantiles, k.p::text = b.p::text AS proportion FROM kept k JOIN back b USING (n) ORDER BY n;
RESET extra_float_digits;

SELECT revrtm.quantile_agg('NaN');
SELECT revrtm.quantile_agg('Infinity');
SELECT revrtm.quantile_agg('-Infinity');
SELECT revrtm.quantile('0[1,1]{1:1}', -0.1);
SELECT revrtm.quantile('0[1,1]{1:1}', 1.1);
SELECT revrtm.quantile('0[1,1]{1:1}', 'NaN'::float8);
SELECT revrtm.quantile('0[1,1]{1:1}', ARRAY[0.5, 2]);
SELECT revrtm.quantiles_accum(NULL, 1);
SELECT revrtm.quantiles_combine('0[1,1]{1:1}', '0[1,1]{1:1}');
SELECT revrtm.rollup(q) FROM unnest('{"0[1,1]{1:9223372036854775807}","0[1,1]{1:1}"}'::revrtm.quantiles[]) q;

-- Forged text.
CREATE FUNCTION pg_temp.refused(literal text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text;
    detail text;
BEGIN
    PERFORM literal::revrtm.quantiles;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
    RETURN state || ' ' || detail;
END
$$;
SELECT literal, pg_temp.refused(literal) FROM unnest(ARRAY[
    '', '{}', '0[1,1]', '0[1,1]{', '0[1,1]{}', '0[1,1]{1:1', '0[1,1]{1:1,}', '0[1,1]{1:1}x', '0[1,1]{1}', '0[1,1]{1:}', '0[1,1]{1:1.5}',
    '0(1,1){1:1}', 'x[1,1]{1:1}', '-1[1,1]{1:1}', '46[1,1]{1:1}', '0[nan,nan]{nan:1}', '0[1,inf]{1:1,inf:1}', '0[1,1e999]{1:1}',
    '0[1,1]{1:0}', '0[1,1]{1:-1}', '0[1,1]{1:9223372036854775808}', '0[1,2]{1:9223372036854775807,2:1}',
    '0[1,2]{2:1,1:1}', '0[1,1]{1:1,1:1}', '0[2,1]{1:1,2:1}', '0[0,2]{1:1,2:1}', '0[1,3]{1:1,2:1}',
    '45[1,1]{1:1}', '45[1,1]{1:512}', '45[1,1]{1.5:513}', '45[1,1.1]{1.1:513}', '45[1,1.001]{1:513}', ' 0 [1,1]{1:1}', '0[ 1,1]{ 1:1}', '0[-0,-0]{-0:1}']) literal;
SELECT pg_temp.refused('0[1,513]{' || string_agg(v || ':1', ',' ORDER BY v) || '}') AS too_many FROM generate_series(1, 513) v;
SELECT pg_temp.refused('0[1,1]{1:1' || repeat(',', 600000) || '}') AS far_too_many;

SELECT n, pg_temp.refused('44[256,' || 255 + n || ']{' || string_agg(v || ':3', ',' ORDER BY v) || '}')
FROM unnest(ARRAY[256, 257]) n, generate_series(256, 255 + n) v GROUP BY n ORDER BY n;

-- Forged bytes: a bytea's binary form is its bytes.
CREATE TEMP TABLE forged AS
SELECT what, value FROM (VALUES
    ('more than all', int8send(8) || int8send(7)), ('negative', int8send(-1) || int8send(7)),
    ('short', int8send(3)), ('long', int8send(3) || int8send(7) || int8send(7))) v (what, value);
CREATE TEMP TABLE received (v revrtm.proportion);
\copy (SELECT value FROM forged WHERE what = 'more than all') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'negative') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'short') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'long') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
TRUNCATE forged;
ALTER TABLE received ALTER v TYPE revrtm.quantiles USING NULL;
-- The key of 1 is that of its bits with the sign turned.
INSERT INTO forged SELECT what, value
FROM (SELECT float8send(1) AS one, '\xbff0000000000000'::bytea AS key, float8send(0) AS zero, float8send('-0') AS minus, int8send(1) AS n) c, LATERAL (VALUES
    ('no entry', '\x0100' || one || one), ('version', '\x0200' || one || one || key || n),
    ('shift', '\x01ff' || one || one || key || n), ('short', '\x0100' || one || one || key), ('empty', ''::bytea), ('header', '\x0100' || one),
    ('odd', '\x0100' || one || one || key || n || '\x00'), ('count', '\x0100' || one || one || key || int8send(0)),
    ('extremes', '\x0100' || one || zero || key || n), ('least', '\x0100' || zero || one || key || n),
    ('not a number', '\x0100' || float8send('NaN') || float8send('NaN') || '\xfff8000000000000' || n),
    ('key of minus zero', '\x0100' || float8send(-1) || one || '\x400fffffffffffff' || n || '\x7fffffffffffffff' || n || key || n),
    ('twice', '\x0100' || one || one || key || n || key || n),
    ('good', '\x0100' || one || one || key || n),
    ('minus zero', '\x0100' || minus || minus || '\x8000000000000000' || n)) v (what, value);
\echo no entry
\copy (SELECT value FROM forged WHERE what = 'no entry') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo version
\copy (SELECT value FROM forged WHERE what = 'version') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo shift
\copy (SELECT value FROM forged WHERE what = 'shift') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo short
\copy (SELECT value FROM forged WHERE what = 'short') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo empty
\copy (SELECT value FROM forged WHERE what = 'empty') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo header
\copy (SELECT value FROM forged WHERE what = 'header') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo odd
\copy (SELECT value FROM forged WHERE what = 'odd') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo count
\copy (SELECT value FROM forged WHERE what = 'count') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo extremes
\copy (SELECT value FROM forged WHERE what = 'extremes') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo least
\copy (SELECT value FROM forged WHERE what = 'least') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo not a number
\copy (SELECT value FROM forged WHERE what = 'not a number') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo key of minus zero
\copy (SELECT value FROM forged WHERE what = 'key of minus zero') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo twice
\copy (SELECT value FROM forged WHERE what = 'twice') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo good
\copy (SELECT value FROM forged WHERE what = 'good') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
\echo minus zero
\copy (SELECT value FROM forged WHERE what = 'minus zero') TO 'results/statistics.bin' (FORMAT binary)
\copy received FROM 'results/statistics.bin' (FORMAT binary)
SELECT v FROM received;

-- The codes.
SELECT note FROM revrtm.note ORDER BY note COLLATE "C";
DROP TABLE kept, back, forged, received;
