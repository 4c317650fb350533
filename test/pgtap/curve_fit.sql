-- Properties of the fits, on random points that repeat, against plain SQL: for
-- a given shape the best curve is the straight line of y on f(x), and the
-- server's own regr_r2 says how good that is.
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
SELECT setseed(0.23) \g /dev/null
SELECT plan(14);

-- 42 lines of 8 to 40 months, some of them falling.
CREATE TEMP TABLE point AS
SELECT i AS line, timestamptz '2023-01-01' + m * interval '1 month' AS at, x,
       10 * CASE i % 6 WHEN 0 THEN x / scale WHEN 1 THEN ln(x / scale) WHEN 2 THEN sqrt(x / scale)
            WHEN 3 THEN 1 - exp(-x / scale) WHEN 4 THEN x ^ 3 / (scale ^ 3 + x ^ 3) ELSE -x / scale END
       + (i % 4) * (random() - 0.5) AS y
FROM (SELECT i, m, power(10, i % 9 - 2)::float8 AS scale, power(10, i % 9 - 2) * exp(2 * random() - 1) AS x
      FROM generate_series(1, 42) i, generate_series(1, 40) m WHERE m <= 8 + i % 33) d;
CREATE TEMP TABLE sample AS
SELECT line, revrtm.fit_curve_agg(x, y) AS s, revrtm.fit_curve_agg(x, y, at) AS timed, count(*) AS n,
       min(x) AS least, max(x) AS most, regr_syy(y, x) AS syy, avg(y) AS mean
FROM point GROUP BY line;
CREATE TEMP TABLE fit AS
SELECT s.*, f.family, c.curve, c.n AS fitted, c.rmse, c.r2, c.standard_error, c.note
FROM sample s, unnest(ARRAY['auto', 'linear', 'log', 'power', 'exponential', 'hill']) f (family), revrtm.fit_curve(s.s, f.family) c;

SELECT is((SELECT count(*) FROM fit WHERE fitted = n AND curve IS NOT NULL), 252::bigint, 'every sample has its curve of every family');
SELECT is_empty($$SELECT line, family FROM (
            SELECT f.line, f.family, f.rmse, f.r2, f.syy, f.n, sum((p.y - revrtm.curve_value(f.curve, p.x)) ^ 2) AS sse
            FROM fit f JOIN point p USING (line) GROUP BY f.line, f.family, f.rmse, f.r2, f.syy, f.n) q
        WHERE abs(sqrt(sse / n) - rmse) > 1e-9 * (rmse + 1e-3) OR abs(1 - sse / syy - r2) > 1e-9$$,
    'rmse and r2 are those of the curve');
SELECT is_empty($$SELECT line, family, x FROM fit, LATERAL (SELECT least * power(most / least, g / 20.0) AS x FROM generate_series(0, 20) g) g
        WHERE revrtm.curve_slope(curve, x) < 0$$, 'no curve falls');
SELECT is_empty($$SELECT line, family FROM fit WHERE (note IS NOT DISTINCT FROM 'no_response') <> (r2 < 1e-12)
        OR note = 'no_response' AND abs(revrtm.curve_value(curve, least) - mean) > 1e-9 * abs(mean)$$,
    'where nothing rises it is the mean');

-- The straight lines of the server.
SELECT is_empty($$SELECT f.line FROM fit f JOIN point p USING (line) WHERE f.family = 'linear' AND f.note IS NULL GROUP BY f.line, f.r2
        HAVING abs(regr_r2(p.y, p.x) - f.r2) > 1e-9 OR regr_slope(p.y, p.x) < 0$$, 'linear is regr_r2 of y on x');
SELECT is_empty($$SELECT f.line FROM fit f JOIN point p USING (line) WHERE f.family = 'log' AND f.note IS NULL GROUP BY f.line, f.r2
        HAVING abs(regr_r2(p.y, ln(p.x)) - f.r2) > 1e-9 OR regr_slope(p.y, ln(p.x)) < 0$$, 'log is regr_r2 of y on ln x');

-- The shapes of a grid.
CREATE TEMP TABLE rival AS
SELECT p.line, 'power' AS family, regr_r2(p.y, p.x ^ c) AS r2, regr_slope(p.y, (p.x / s.most) ^ c) AS b
FROM point p JOIN sample s USING (line), LATERAL (SELECT 0.01 * power(1000, g / 60.0) AS c FROM generate_series(0, 60) g) g GROUP BY p.line, c
UNION ALL
SELECT p.line, 'exponential', regr_r2(p.y, 1 - exp(-p.x / k)), regr_slope(p.y, 1 - exp(-p.x / k))
FROM point p JOIN sample s USING (line), LATERAL (SELECT s.least * power(100 * s.most / s.least, g / 60.0) AS k FROM generate_series(0, 60) g) g GROUP BY p.line, k
UNION ALL
SELECT p.line, 'hill', regr_r2(p.y, 1 / (1 + (k / p.x) ^ h)), regr_slope(p.y, 1 / (1 + (k / p.x) ^ h))
FROM point p JOIN sample s USING (line), LATERAL (SELECT s.least * power(10 * s.most / s.least, g / 24.0) AS k, 0.1 * power(100, e / 10.0) AS h
     FROM generate_series(0, 24) g, generate_series(0, 10) e) g GROUP BY p.line, k, h;
SELECT is_empty(format($$SELECT r.* FROM rival r JOIN fit f USING (line, family) WHERE family = %L AND r.b > 0 AND r.r2 > f.r2 + 1e-9$$, family),
    family || ': no shape of the grid explains more')
FROM unnest(ARRAY['power', 'exponential', 'hill']) family;

-- auto: the least AICc of the fits, and concave.
CREATE TEMP TABLE score AS
SELECT line, family, note, n * ln(greatest(rmse ^ 2, 1e-20)) + 2 * p + 2 * p * (p + 1) / (n - p - 1)::float8 AS aicc
FROM fit, LATERAL (SELECT cardinality(standard_error) AS p) p WHERE note IS NULL;
SELECT is_empty($$SELECT * FROM score a JOIN score f USING (line)
        WHERE a.family = 'auto' AND f.family IN ('linear', 'log', 'exponential') AND a.aicc > f.aicc + 1e-6$$,
    'auto has the least AICc');
SELECT lives_ok($$SELECT a.* FROM (SELECT revrtm.budget_line_agg(line::text, curve, round(least::numeric, 4), round(most::numeric, 4) + 1) AS plan,
            round(sum(least::numeric), 4) + 60 AS budget FROM fit WHERE family = 'auto') p, revrtm.allocate(p.plan, p.budget, unit => 0.0001) a$$,
    'curves of auto can be allocated');

-- Instants change nothing without adstock and lag but the order of sums; the order of rows nothing at all.
SELECT is_empty($$SELECT line FROM sample, revrtm.fit_curve(s, 'exponential') a, revrtm.fit_curve(timed, 'exponential') b
        WHERE abs(a.rmse - b.rmse) > 1e-9 * (a.rmse + 1e-6)$$, 'instants alone change nothing');
SELECT is_empty($$SELECT line FROM (SELECT line, revrtm.fit_curve_agg(x, y, at ORDER BY md5(x::text)) AS s, revrtm.fit_curve_agg(x, y, at ORDER BY x) AS t FROM point GROUP BY line) q,
            revrtm.fit_curve(s, 'hill', 0.3, 1) a, revrtm.fit_curve(t, 'hill', 0.3, 1) b
        WHERE a.curve OPERATOR(revrtm.<>) b.curve OR a.rmse <> b.rmse OR a.standard_error <> b.standard_error$$,
    'the order of rows changes no bit');
-- Carry-over by plain SQL: weights of all points before.
CREATE TEMP TABLE working AS
SELECT p.line, p.at, p.y, sum(CASE WHEN q.at = first.at THEN 1 ELSE 0.4 END * q.x * 0.6 ^ (extract(year FROM age(p.at, q.at)) * 12 + extract(month FROM age(p.at, q.at)))::float8) AS x
FROM point p JOIN point q ON q.line = p.line AND q.at <= p.at, LATERAL (SELECT min(at) AS at FROM point f WHERE f.line = p.line) first
GROUP BY p.line, p.at, p.y;
SELECT is_empty($$SELECT s.line FROM sample s, revrtm.fit_curve(s.timed, 'linear', 0.6, 2) c,
            LATERAL (SELECT regr_r2(later.y, w.x) AS r2, regr_slope(later.y, w.x) AS b
                     FROM working w JOIN working later ON later.line = w.line AND later.at = w.at + interval '2 months' WHERE w.line = s.line) e
        WHERE c.n <> s.n - 2 OR CASE WHEN e.b > 0 THEN abs(c.r2 - e.r2) > 1e-9 ELSE c.note IS DISTINCT FROM 'no_response' END$$,
    'adstock and lag are weights and a shift');
SELECT * FROM finish();
ROLLBACK;
