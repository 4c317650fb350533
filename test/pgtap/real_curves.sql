-- Curves of real and realistic media data, and the budget reallocated by them:
-- needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
CREATE EXTENSION IF NOT EXISTS pgtap;
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SELECT plan(13);

CREATE TEMP TABLE islr (week int, "TV" float8, radio float8, newspaper float8, sales float8);
\set load '\\copy islr FROM ''' :data '/islr_advertising/Advertising.csv'' CSV HEADER'
:load
CREATE TEMP TABLE robyn (day date, revenue float8, tv float8, ooh float8, print float8, facebook_impressions float8, search_clicks float8, search float8, competitor float8, facebook float8, events text, newsletter float8);
\set load '\\copy robyn FROM ''' :data '/robyn/dt_simulated_weekly.csv'' CSV HEADER'
:load
CREATE TEMP TABLE national (time date, conversions float8, revenue_per_conversion float8, i0 float8, i1 float8, i2 float8, i3 float8, i4 float8, s0 float8, s1 float8, s2 float8, s3 float8, s4 float8, organic float8, competitor float8, sentiment float8, promo float8);
\set load '\\copy national FROM ''' :data '/meridian/national_all_channels.csv'' CSV HEADER'
:load
CREATE TEMP TABLE geo (geo text, time date, i0 float8, i1 float8, i2 float8, i3 float8, competitor float8, sentiment float8, s0 float8, s1 float8, s2 float8, s3 float8, conversions float8, revenue_per_conversion float8, population float8);
\set load '\\copy geo FROM ''' :data '/meridian/geo_media.csv'' CSV HEADER'
:load
SELECT is(array[(SELECT count(*) FROM islr), (SELECT count(*) FROM robyn), (SELECT count(*) FROM national), (SELECT count(*) FROM geo)], array[200, 208, 156, 3120]::bigint[], 'all rows are loaded');

-- A geo's points are its own line of the plan.
CREATE TEMP TABLE point AS
SELECT 'islr' AS source, c.channel, week::text AS unit, timestamptz '2020-01-01' + week * interval '7 days' AS at, c.spend, sales AS response
FROM islr, LATERAL (VALUES ('TV', "TV"), ('radio', radio), ('newspaper', newspaper)) c (channel, spend)
UNION ALL
SELECT 'robyn', c.channel, '', day::timestamptz, c.spend, revenue
FROM robyn, LATERAL (VALUES ('tv', tv), ('ooh', ooh), ('print', print), ('search', search), ('facebook', facebook)) c (channel, spend)
UNION ALL
SELECT 'national', c.channel, '', time::timestamptz, c.spend, conversions * revenue_per_conversion
FROM national, LATERAL (VALUES ('0', s0), ('1', s1), ('2', s2), ('3', s3), ('4', s4)) c (channel, spend)
UNION ALL
SELECT 'geo', c.channel, geo, time::timestamptz, c.spend, conversions * revenue_per_conversion
FROM geo, LATERAL (VALUES ('0', s0), ('1', s1), ('2', s2), ('3', s3)) c (channel, spend);
CREATE TEMP TABLE sample AS
SELECT source, channel, revrtm.fit_curve_agg(spend, response) AS s, count(*) AS n, regr_syy(response, spend) AS syy,
       min(spend) FILTER (WHERE spend > 0) AS least, max(spend) AS most, min(spend) = 0 AS has_zero
FROM point GROUP BY source, channel;
CREATE TEMP TABLE fit AS
SELECT a.*, f.family, c.curve, c.n AS fitted, c.rmse, c.r2, c.standard_error, c.note
FROM sample a, unnest(ARRAY['auto', 'linear', 'log', 'power', 'exponential', 'hill']) f (family),
     revrtm.fit_curve(a.s, f.family) c
WHERE NOT (f.family = 'log' AND a.has_zero);
SELECT ok(count(*) = 17 AND bool_and(fitted = n), 'every channel has a curve') FROM fit WHERE family = 'auto';
SELECT is_empty($$SELECT source, channel, family FROM (
            SELECT source, channel, f.family, f.rmse, f.r2, f.syy, f.n, sum((p.response - revrtm.curve_value(f.curve, p.spend)) ^ 2) AS sse
            FROM fit f JOIN point p USING (source, channel) GROUP BY source, channel, f.family, f.rmse, f.r2, f.syy, f.n) q
        WHERE abs(sqrt(sse / n) / rmse - 1) > 1e-9 OR abs(1 - sse / syy - r2) > 1e-9$$,
    'rmse and r2 are those of the curve');
SELECT is_empty($$SELECT source, channel, family FROM fit,
            LATERAL (SELECT least * power(most / least, g / 20.0) AS x FROM generate_series(0, 20) g) g
        WHERE revrtm.curve_slope(curve, x) < 0$$, 'no curve falls');

-- How well the data are told: known values of these data sets.
SELECT is(round(r2::numeric, 3), expected, source || ' ' || channel || ' linear: r2 as regr_r2 and textbooks say')
FROM (VALUES ('islr', 'TV', 0.612), ('islr', 'radio', 0.332), ('islr', 'newspaper', 0.052)) v (source, channel, expected)
     JOIN fit USING (source, channel) WHERE family = 'linear' ORDER BY channel;

-- The shapes of a grid, in plain SQL.
CREATE TEMP TABLE rival AS
SELECT source, channel, 'power' AS family, max(r2) FILTER (WHERE b > 0) AS r2 FROM (
    SELECT source, channel, regr_r2(response, f) AS r2, regr_slope(response, f) AS b
    FROM point JOIN sample USING (source, channel), LATERAL (SELECT 0.01 * power(1000, g / 40.0) AS c FROM generate_series(0, 40) g) g,
         -- The server takes an underflow for an error.
         LATERAL (SELECT coalesce(exp(greatest(c * ln(nullif(spend, 0) / most), -700)), 0) AS f) f
    GROUP BY source, channel, c) q GROUP BY source, channel
UNION ALL
SELECT source, channel, 'exponential', max(r2) FILTER (WHERE b > 0) FROM (
    SELECT source, channel, regr_r2(response, 1 - exp(greatest(-spend / k, -700))) AS r2, regr_slope(response, 1 - exp(greatest(-spend / k, -700))) AS b
    FROM point JOIN sample USING (source, channel),
         LATERAL (SELECT greatest(least, most / 1000) * power(100 * most / greatest(least, most / 1000), g / 40.0) AS k FROM generate_series(0, 40) g) g
    GROUP BY source, channel, k) q GROUP BY source, channel;
SELECT is_empty($$SELECT r.*, f.r2 FROM rival r JOIN fit f USING (source, channel, family) WHERE r.r2 > f.r2 + 1e-9$$,
    'no shape of a grid explains more');
SELECT ok(bool_and(a.r2 >= f.r2 - 1e-12), 'auto explains no less than a straight line')
FROM fit a JOIN fit f USING (source, channel) WHERE a.family = 'auto' AND f.family = 'linear';

-- Reallocate: the mean spend of each source, over the curves that auto chose.
CREATE TEMP TABLE line AS
SELECT source, channel, curve, round(avg(spend)::numeric, 2) AS current
FROM fit JOIN point USING (source, channel) WHERE family = 'auto' GROUP BY source, channel, curve;
CREATE TEMP TABLE plan AS
SELECT source, sum(current) AS budget, revrtm.budget_line_agg(channel, curve, round(current * 0.5, 2), round(current * 2, 2)) AS plan
FROM line GROUP BY source;
CREATE TEMP TABLE answer AS
SELECT p.source, p.budget, a.* FROM plan p, revrtm.allocate(p.plan, p.budget) a;
SELECT is_empty('SELECT source FROM answer GROUP BY source, budget HAVING sum(amount) <> budget', 'amounts sum to the budget');
SELECT is_empty($$SELECT * FROM answer a JOIN line l ON l.source = a.source AND l.channel = a.line
        WHERE a.amount NOT BETWEEN round(l.current * 0.5, 2) AND round(l.current * 2, 2)$$, 'and keep their bounds');
SELECT is_empty($$SELECT source FROM answer a JOIN line l USING (source) WHERE l.channel = a.line GROUP BY source
        HAVING sum(a.response) < sum(revrtm.curve_value(l.curve, l.current::float8))$$, 'a reallocation loses nothing');
SELECT ok(sum(a.response) / sum(revrtm.curve_value(l.curve, l.current::float8)) > 1.001, 'and gains where channels differ')
FROM answer a JOIN line l ON l.source = a.source AND l.channel = a.line WHERE a.source = 'robyn';
SELECT * FROM finish();
ROLLBACK;
\else
BEGIN;
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
ROLLBACK;
\endif
