-- Properties of the allocator, on random instances that repeat.
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
SELECT setseed(0.17) \g /dev/null
SELECT plan(15);

-- 200 instances of 1 to 8 lines, some alike, some fixed; units of 0.01 to 25.
CREATE TEMP TABLE draw AS
SELECT i, n, 'line ' || n AS line, floor(random() * 5)::int AS family, 1 + random() * 100 AS b,
       exp(random() * 5) AS k, random() AS n1, random() AS r_lo, random() AS r_hi
FROM generate_series(1, 200) i, generate_series(1, 8) n
WHERE n <= 1 + i % 8;

CREATE TEMP TABLE line AS
SELECT i, line, unit, CASE WHEN family = 1 THEN lo + unit ELSE lo END AS lo,
       CASE WHEN family = 1 THEN hi + unit ELSE hi END AS hi,
       CASE family
           WHEN 0 THEN revrtm.curve('linear', 1, floor(b / 40))
           WHEN 1 THEN revrtm.curve('log', 0, b)
           WHEN 2 THEN revrtm.curve('power', -1, b, 0.05 + 0.95 * n1)
           WHEN 3 THEN revrtm.curve('exponential', 0, CASE WHEN n % 3 = 0 THEN 50 ELSE b END, CASE WHEN n % 3 = 0 THEN 20 ELSE k END)
           ELSE revrtm.curve('hill', 5, b, k, 0.3 + 0.7 * n1)
       END AS curve
FROM (
    SELECT d.*, u.unit, lo, lo + CASE WHEN r_hi < 0.1 THEN 0 ELSE floor(r_hi * 40) * greatest(unit, 1) END::numeric AS hi
    FROM draw d,
         LATERAL (SELECT (ARRAY[0.01, 0.5, 1, 25])[1 + i % 4] AS unit) u,
         LATERAL (SELECT CASE WHEN r_lo < 0.3 THEN floor(r_lo * 20) * unit ELSE 0 END::numeric AS lo) l
) d;

CREATE TEMP TABLE instance AS
SELECT i, unit, plan, room, least + floor(random() * (room / unit + 1)::float8)::numeric * unit AS budget
FROM (
    SELECT i, unit, revrtm.budget_line_agg(line, curve, lo, hi) AS plan, sum(lo) AS least, sum(hi - lo) AS room
    FROM line GROUP BY i, unit
) s;

CREATE TEMP TABLE answer AS
SELECT i.i, i.unit, i.budget, l.curve, l.lo, l.hi, a.*
FROM instance i, revrtm.allocate(i.plan, i.budget, unit => i.unit) a JOIN line l USING (line)
WHERE l.i = i.i;

SELECT is((SELECT count(*) FROM answer), (SELECT count(*) FROM line), 'every line has its row');
SELECT is_empty($$SELECT i FROM answer GROUP BY i, budget HAVING sum(amount) <> budget$$,
    'amounts sum to the budget');
SELECT is_empty($$SELECT * FROM answer WHERE amount NOT BETWEEN lo AND hi OR amount % unit <> 0$$,
    'amounts keep their bounds and are multiples of the unit');
SELECT is_empty($$SELECT * FROM answer WHERE bound IS DISTINCT FROM
        CASE amount WHEN lo THEN 'lo' WHEN hi THEN 'hi' END$$,
    'bound says which bound an amount is at');
SELECT is_empty($$SELECT * FROM answer
        WHERE response <> revrtm.curve_value(curve, amount::float8) OR marginal <> revrtm.curve_slope(curve, amount::float8)$$,
    'response and marginal are those of the curve');
SELECT is_empty($$
        SELECT * FROM answer a JOIN answer b USING (i, unit)
        WHERE a.line <> b.line AND a.amount + unit <= a.hi AND b.amount - unit >= b.lo
          AND revrtm.curve_value(a.curve, (a.amount + unit)::float8) - a.response
            > b.response - revrtm.curve_value(b.curve, (b.amount - unit)::float8) + 1e-12 * (abs(a.response) + abs(b.response) + 100)$$,
    'no exchange of a unit between two lines improves');
SELECT is_empty($$SELECT i FROM answer GROUP BY i HAVING NOT (min(gap) >= 0 AND min(gap) = max(gap))$$,
    'the gap is not negative, and one for all lines');
SELECT ok(max(gap) < 1e-4, 'the gap is small with units of 0.01') FROM answer WHERE unit = 0.01;

-- Any feasible plan: fill the lines in a random order; and the mean of such
-- plans, which need not be in whole units.
CREATE TEMP TABLE rival AS
SELECT i, r, line, curve, lo + greatest(0, least(hi - lo, spare - coalesce(before, 0))) AS amount
FROM (
    SELECT l.*, r, n.budget - sum(lo) OVER (PARTITION BY l.i, r) AS spare,
           sum(hi - lo) OVER (PARTITION BY l.i, r ORDER BY hashtext(l.line || ' ' || r), l.line
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM line l JOIN instance n USING (i), generate_series(1, 10) r
) f;
SELECT is_empty($$SELECT i FROM rival JOIN instance USING (i) GROUP BY i, r, budget HAVING sum(amount) <> budget$$,
    'the rival plans spend the budget');
SELECT is_empty($$
        SELECT i FROM (SELECT i, sum(response) AS best FROM answer GROUP BY i) a
        JOIN (SELECT i, sum(revrtm.curve_value(curve, amount::float8)) AS response FROM rival GROUP BY i, r) b USING (i)
        WHERE b.response > best + 1e-12 * (abs(best) + 100)$$,
    'no rival returns more');
SELECT is_empty($$
        SELECT i FROM (SELECT i, sum(response) AS best, max(gap) AS gap FROM answer GROUP BY i) a
        JOIN (
            SELECT i, sum(revrtm.curve_value(curve, amount::float8)) AS response
            FROM (SELECT i, line, curve, avg(amount) AS amount FROM rival GROUP BY i, line, curve) m GROUP BY i
        ) b USING (i)
        WHERE b.response - best > gap * greatest(abs(best), abs(b.response)) + 1e-12 * (abs(best) + 100)$$,
    'no mean of rivals returns more than the gap admits');

-- Every allocation of up to 12 units to three lines, tried.
CREATE TEMP TABLE tried AS
SELECT i.i, i.unit, b AS budget, a.line, a.amount, a.response
FROM (SELECT i, unit, revrtm.budget_line_agg(line, curve, 0 * lo + unit, 13 * unit) AS plan FROM line
      WHERE line IN ('line 1', 'line 2', 'line 3') GROUP BY i, unit HAVING count(*) = 3) i,
     LATERAL (SELECT (3 + i % 10) * unit AS b) n,
     revrtm.allocate(i.plan, b, unit => i.unit) a;
SELECT is_empty($$
        SELECT t.i FROM (SELECT i, unit, budget, sum(response) AS response FROM tried GROUP BY i, unit, budget) t
        JOIN line x ON x.i = t.i AND x.line = 'line 1'
        JOIN line y ON y.i = t.i AND y.line = 'line 2'
        JOIN line z ON z.i = t.i AND z.line = 'line 3',
        generate_series(1, (t.budget / t.unit)::int - 2) p, generate_series(1, (t.budget / t.unit)::int - 1 - p) q
        GROUP BY t.i, t.response
        HAVING abs(t.response - max(revrtm.curve_value(x.curve, (p * t.unit)::float8) + revrtm.curve_value(y.curve, (q * t.unit)::float8)
            + revrtm.curve_value(z.curve, (t.budget - (p + q) * t.unit)::float8))) > 1e-12 * (abs(t.response) + 100)$$,
    'the response is that of the best of all allocations');
SELECT ok(count(DISTINCT i) > 100, 'on more than 100 instances') FROM tried;

-- The order in which the lines come.
SELECT is_empty($$
        SELECT p.i, a.line, a.amount, a.gap
        FROM (SELECT i, unit, budget, revrtm.budget_line_agg(l.line, l.curve, l.lo, l.hi ORDER BY hashtext(l.line || l.i)) AS plan
              FROM line l JOIN instance USING (i, unit) GROUP BY i, unit, budget) p,
             revrtm.allocate(p.plan, p.budget, unit => p.unit) a
        EXCEPT SELECT i, line, amount, gap FROM answer$$,
    'a permutation of the lines changes nothing');
SELECT is_empty($$
        SELECT i, a.line, a.amount, a.gap
        FROM (SELECT i, budget, array_agg(curve ORDER BY curve::text, line) AS curves,
                     array_agg(lo ORDER BY curve::text, line) AS lo, array_agg(hi ORDER BY curve::text, line) AS hi,
                     array_agg(line ORDER BY curve::text, line) AS names
              FROM line JOIN instance USING (i, unit) WHERE unit = 0.01 GROUP BY i, budget) p,
             revrtm.allocate_budget(budget, names, curves, lo, hi) a
        EXCEPT SELECT i, line, amount, gap FROM answer$$,
    'nor does calling allocate_budget instead');
SELECT * FROM finish();
ROLLBACK;
