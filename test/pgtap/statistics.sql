-- Quantiles, proportions and intervals against PostgreSQL's own functions, on
-- random values of many shapes; and the codes of all notes of the demo.
\set ON_ERROR_STOP 1
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
CREATE EXTENSION IF NOT EXISTS pgtap;
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT setseed(0.31) \g /dev/null
SELECT plan(23);

-- 100 sets of ten shapes, of 1 to some 6000 values.
CREATE TABLE public.stat_value AS
SELECT s AS set, i, random() AS part, CASE s % 10
           WHEN 0 THEN round((20 * random())::numeric)::float8
           WHEN 1 THEN random()
           WHEN 2 THEN exp(30 * random() - 15)
           WHEN 3 THEN (random() - 0.5) * exp(10 * random())
           WHEN 4 THEN round((10000 * exp(2 * random()))::numeric, 2)::float8
           WHEN 5 THEN floor(514 * random())
           WHEN 6 THEN -1000 - 10 * random()
           WHEN 7 THEN (ARRAY[0, 1e-300, -1e300, 5e-324, 42, 1.7e308])[1 + floor(6 * random())::int]
           WHEN 8 THEN sign(random() - 0.5) * 10 ^ (600 * random() - 300)
           ELSE 365 * random() * random() END AS value
FROM generate_series(1, 100) s, generate_series(1, (1 + 60 * (s % 100) * random())::int) i;
CREATE TEMP VIEW whole AS
SELECT v.set, revrtm.quantile_agg(v.value) AS q, count(*) AS n, count(DISTINCT v.value) AS distinct_values,
       min(v.value) AS least, max(v.value) AS greatest
FROM public.stat_value v GROUP BY v.set;
CREATE TEMP TABLE once AS SELECT * FROM whole;

SELECT ok(count(*) FILTER (WHERE distinct_values > 512) > 30 AND count(*) FILTER (WHERE distinct_values <= 512) > 20
          AND count(DISTINCT revrtm.quantile_error(q)) > 3, 'there are sets of either kind') FROM once;
SELECT is_empty($$SELECT set FROM once WHERE revrtm.quantile_count(q) <> n OR revrtm.quantile(q, 0) <> least OR revrtm.quantile(q, 1) <> greatest$$,
    'number, least and greatest are exact');
SELECT is_empty($$SELECT set FROM once WHERE (revrtm.quantile_error(q) = 0) <> (distinct_values <= 512)$$,
    'up to 512 distinct values, and no more, are exact');
SELECT ok(max(revrtm.quantile_error(q)) = 1 / 256.0, 'none may be further off than 1/256') FROM once;

\set fractions '''{0,0.01,0.1,0.25,0.333333,0.5,0.75,0.9,0.99,1}''::float8[]'
CREATE TEMP TABLE compared AS
SELECT o.set, f.p, revrtm.quantile_error(o.q) AS error, revrtm.quantile(o.q, f.p) AS ours, f.theirs,
       -- The neighbours that are interpolated between, by their place.
       v.sorted[1 + floor(f.p * (o.n - 1))::int] AS lo, v.sorted[1 + ceil(f.p * (o.n - 1))::int] AS hi
FROM once o
     JOIN (SELECT set, array_agg(value ORDER BY value) AS sorted,
                  percentile_cont(:fractions) WITHIN GROUP (ORDER BY value) AS percentiles
           FROM public.stat_value GROUP BY set) v USING (set),
     unnest(:fractions, v.percentiles) f (p, theirs);
SELECT is_empty($$SELECT * FROM compared WHERE error = 0 AND ours <> theirs AND abs(theirs) <> 'Infinity'$$,
    'exact sets give what percentile_cont gives, to the bit');
SELECT is_empty($$SELECT * FROM compared
                  WHERE error > 0 AND abs(ours - theirs) > (error + 1e-15) * greatest(abs(lo), abs(hi)) + 1e-309$$,
    'others are as far off as quantile_error says at most');
SELECT ok(count(*) > 100, 'and this has been seen') FROM compared WHERE error > 0 AND ours <> theirs;
SELECT is_empty($$SELECT o.set FROM once o, (SELECT array_agg(p) AS ps FROM unnest('{0.9,0,0.5}'::float8[]) p) a
                  WHERE revrtm.quantile(o.q, a.ps) <> ARRAY[revrtm.quantile(o.q, 0.9), revrtm.quantile(o.q, 0), revrtm.quantile(o.q, 0.5)]$$,
    'many fractions at once give what each gives');

-- The same values are the same bytes, however they come together.
CREATE TEMP TABLE parted AS
SELECT set, k, cut, revrtm.quantile_agg(value ORDER BY part) AS q
FROM public.stat_value v, unnest(ARRAY[2, 7, 50]) k, LATERAL (SELECT floor(part * k)::int AS cut OFFSET 0) c
GROUP BY set, k, cut;
SELECT is_empty($$SELECT set FROM once o JOIN (SELECT set, k, revrtm.rollup(q ORDER BY cut) AS q FROM parted GROUP BY set, k) p USING (set)
                  WHERE revrtm.quantiles_send(p.q) <> revrtm.quantiles_send(o.q)$$, 'parts merge to the whole');
SELECT is_empty($$SELECT set FROM once o JOIN (SELECT set, revrtm.rollup(q) AS q FROM
                      (SELECT set, k, cut % 3, revrtm.rollup(q ORDER BY cut DESC) AS q FROM parted WHERE k = 50 GROUP BY set, k, cut % 3) h GROUP BY set) p
                  USING (set) WHERE revrtm.quantiles_send(p.q) <> revrtm.quantiles_send(o.q)$$, 'and so do merged parts');
SELECT is_empty($$SELECT set FROM once o JOIN (SELECT set, revrtm.quantile_agg(value ORDER BY value DESC) AS q FROM public.stat_value GROUP BY set) p
                  USING (set) WHERE revrtm.quantiles_send(p.q) <> revrtm.quantiles_send(o.q)$$, 'in any order');
-- Equal to the byte as they are stored, too.
SELECT is((SELECT count(DISTINCT q::text) FROM (SELECT q FROM once WHERE set = 92 UNION ALL SELECT revrtm.rollup(q) FROM parted WHERE set = 92 GROUP BY k) x),
    1::bigint, 'their text is one');
SELECT is((SELECT count(DISTINCT pg_column_size(q)) FROM (SELECT revrtm.rollup(q) AS q FROM parted WHERE set = 92 GROUP BY k) x),
    1::bigint, 'and free room is not kept');
SELECT ok((SELECT max(pg_column_size(q)) = 56 FROM (SELECT revrtm.rollup(x) FROM (VALUES ('0[1,1]{1:1}'::revrtm.quantiles)) v (x)
                                                     UNION ALL SELECT revrtm.quantile_agg(1) UNION ALL SELECT '0[1,1]{1:1}') r (q)),
    'of one value neither');
SELECT is_empty($$SELECT set FROM once WHERE q::text::revrtm.quantiles::text <> q::text$$, 'every text reads back');

-- In parallel.
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ALTER TABLE public.stat_value SET (parallel_workers = 2);
ANALYZE public.stat_value;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RETURN plan;
END
$$;
SELECT matches(pg_temp.plan_of('SELECT * FROM whole'), 'Gather', 'the plan is parallel');
SELECT matches(pg_temp.plan_of('SELECT revrtm.quantile_agg(value), revrtm.proportion_agg(value > 0) FROM public.stat_value'),
    'Finalize(.|\n)*Gather(.|\n)*Partial', 'states are combined');
SELECT is((SELECT revrtm.quantile_agg(value)::text || revrtm.proportion_agg(value > 0) FROM public.stat_value),
          (SELECT revrtm.rollup(q)::text FROM once) || (SELECT count(*) FILTER (WHERE value > 0) || '/' || count(*) FROM public.stat_value),
    'parallel is serial');

-- Proportions and Wilson's interval, against counts and the usual formula.
SELECT is_empty($$SELECT set FROM public.stat_value GROUP BY set
                  HAVING revrtm.proportion_agg(CASE WHEN part < 0.9 THEN value > 1 END)::text
                         <> count(*) FILTER (WHERE value > 1 AND part < 0.9) || '/' || count(*) FILTER (WHERE part < 0.9)$$,
    'proportion_agg counts');
SELECT is_empty($$SELECT k, n FROM generate_series(1, 80) n, generate_series(0, n) k,
                         (VALUES (0.9, 1.6448536269514722::float8), (0.95, 1.9599639845400545), (0.99, 2.5758293035489004)) c (confidence, z),
                         revrtm.wilson(k, n, c.confidence) w,
                         LATERAL (SELECT (k::float8 / n + z * z / (2 * n)) / (1 + z * z / n) AS centre,
                                         z / (1 + z * z / n) * sqrt(k::float8 / n * (1 - k::float8 / n) / n + z * z / (4::float8 * n * n)) AS half) f
                  WHERE abs(w.lo - (centre - half)) > 1e-14 OR abs(w.hi - (centre + half)) > 1e-14$$,
    'wilson is the formula');
SELECT is(array_agg(round(w.lo::numeric, 4) || ' ' || round(w.hi::numeric, 4) ORDER BY n DESC),
          '{0.2553 0.3662,0.0624 0.1605,0.0061 0.1718,0.0000 0.1611}', 'and as in print (Newcombe 1998, table I)')
FROM (VALUES (81, 263), (15, 148), (1, 29), (0, 20)) v (k, n), revrtm.wilson(k, n) w;

-- Every code that the demo's notes give is in revrtm.note: of each view and of
-- each function that can be called without arguments.
SELECT revrtm.load_demo(2000, 1) \g /dev/null
SELECT FROM revrtm.refresh_journeys() \g /dev/null
CREATE TEMP TABLE given (source text, note text);
DO $$
DECLARE
    source text;
BEGIN
    FOR source IN
        SELECT format('revrtm.%I', c.relname)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relkind = 'v' AND a.attname = 'note'
        UNION ALL
        SELECT format('revrtm.%I()', p.proname)
        FROM pg_proc p
        WHERE p.pronamespace = 'revrtm'::regnamespace AND p.proretset AND p.prokind = 'f'
          AND p.pronargs = p.pronargdefaults AND 'note' = ANY (p.proargnames)
    LOOP
        EXECUTE format('INSERT INTO given SELECT %L, n FROM (SELECT DISTINCT note FROM %s) s, unnest(string_to_array(s.note, '', '')) n',
                       source, source);
    END LOOP;
END
$$;
INSERT INTO given SELECT 'council_pack', split_part(n, ':', 1) FROM jsonb_array_elements_text(revrtm.council_pack() -> 'notes') n;
SELECT is_empty($$SELECT * FROM given WHERE note NOT IN (SELECT n.note FROM revrtm.note n)$$, 'every note is explained');
SELECT ok(count(DISTINCT source) > 5 AND count(DISTINCT note) > 5, 'and there are some') FROM given;

SELECT * FROM finish();
ROLLBACK;
