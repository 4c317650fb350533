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
SELECT plan(25);

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
        CASE WHEN lo = hi THEN 'locked' WHEN amount = lo THEN 'lo' WHEN amount = hi THEN 'hi' END$$,
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
-- Groups, a shift limit and S-shaped curves, on instances of 2 to 6 lines.
CREATE TEMP TABLE rich AS
SELECT i, 'line ' || n AS line, (ARRAY['a', 'a/b', 'a/b', 'c', NULL, 'a'])[n] AS path,
       CASE WHEN random() < 0.5 THEN revrtm.curve('hill', 0, 10 + 90 * random(), 20 + 80 * random(), 1 + 3 * random())
            ELSE revrtm.curve('exponential', 0, 10 + 90 * random(), 20 + 80 * random()) END AS curve,
       0::numeric AS lo, floor(50 + 100 * random())::numeric AS hi, floor(50 * random())::numeric AS current
FROM generate_series(1, 150) i, generate_series(1, 6) n WHERE n <= 2 + i % 5;
CREATE TEMP TABLE rich_plan AS
SELECT i, plan, current, a_hi, b_lo, revrtm.group_bound(revrtm.group_bound(plan, 'a', NULL, a_hi), 'a/b', b_lo, NULL) AS grouped
FROM (
    SELECT i, sum(current) AS current, least(5, floor(sum(current) * 0.3)) AS b_lo,
           greatest(floor(sum(current) * 0.8), sum(current) - coalesce(sum(hi) FILTER (WHERE path = 'c' OR path IS NULL), 0)) AS a_hi,
           revrtm.budget_line_agg(line, curve, lo, hi, current, path) AS plan FROM rich GROUP BY i
) p;
CREATE TEMP TABLE rich_answer AS
SELECT p.i, kind, l.curve, l.current, l.path, a.*
FROM rich_plan p, (VALUES ('plain'), ('grouped'), ('near')) k (kind),
     LATERAL revrtm.allocate(CASE kind WHEN 'plain' THEN plan WHEN 'grouped' THEN grouped ELSE revrtm.shift_limit(plan, 0.2) END, p.current) a
     JOIN rich l USING (line)
WHERE l.i = p.i;
SELECT is_empty($$SELECT i, kind FROM rich_answer GROUP BY i, kind HAVING sum(amount) <> sum(current) OR max(gap) > 1e-6$$,
    'of any shape: the sums are exact and the gap is at most 1e-6');
SELECT is_empty($$
        SELECT i FROM rich_answer JOIN rich_plan p USING (i) WHERE kind = 'grouped' GROUP BY i, a_hi, b_lo
        HAVING sum(amount) FILTER (WHERE path ~ '^a') > a_hi OR sum(amount) FILTER (WHERE path = 'a/b') < b_lo$$,
    'groups keep their bounds');
SELECT is_empty($$SELECT i FROM rich_answer WHERE kind = 'near' GROUP BY i HAVING sum(abs(amount - current)) > 2 * 0.2 * sum(current)$$,
    'no more is moved than the shift limit admits');
SELECT is_empty($$
        SELECT i, kind FROM rich_answer WHERE kind <> 'grouped' GROUP BY i, kind
        HAVING sum(response) < sum(revrtm.curve_value(curve, current::float8)) - 1e-9 * sum(response)$$,
    'never below the current plan');
SELECT is_empty($$
        SELECT i FROM rich_answer GROUP BY i
        HAVING sum(response) FILTER (WHERE kind = 'plain') < (1 - 1e-9) * greatest(
            sum(response) FILTER (WHERE kind = 'grouped'), sum(response) FILTER (WHERE kind = 'near'))$$,
    'a limit more never returns more');
SELECT is_empty($$
        SELECT i, a.line, a.amount FROM rich_plan p,
             LATERAL revrtm.allocate(revrtm.group_bound(revrtm.group_bound(plan, 'a', 0, 10000), 'a/b', 0, NULL), current) a
        EXCEPT SELECT i, line, amount FROM rich_answer WHERE kind = 'plain'$$,
    'groups that do not bind change nothing');
SELECT is_empty($$
        SELECT p.i, a.line, a.amount, a.gap
        FROM (SELECT i, revrtm.budget_line_agg(line, curve, lo, hi, current, path ORDER BY hashtext(line || i)) AS plan, sum(current) AS budget FROM rich GROUP BY i) p,
             revrtm.allocate(revrtm.shift_limit(p.plan, 0.2), p.budget) a
        EXCEPT SELECT i, line, amount, gap FROM rich_answer WHERE kind = 'near'$$,
    'nor does the order of the rows');
SELECT is_empty($$
        SELECT i FROM rich_plan, revrtm.frontier(plan, ARRAY[floor(current / 2), floor(current * 0.9), current - least(1, current), current]) f
        GROUP BY i HAVING array_agg(response ORDER BY budget) <> (SELECT array_agg(r ORDER BY r) FROM unnest(array_agg(response)) r)$$,
    'the frontier rises with the budget');
-- The goals invert max_return, to the unit.
SELECT is_empty($$
        SELECT i FROM (
            SELECT p.i, t.target, (SELECT sum(amount) FROM revrtm.allocate(grouped, NULL, 'min_spend', t.target, 1)) AS spend, grouped
            FROM rich_plan p, revrtm.frontier(grouped, ARRAY[floor(current)], 1) f, LATERAL (SELECT (f.response * 0.999)::numeric AS target) t WHERE p.i <= 60
        ) s, revrtm.frontier(grouped, ARRAY[spend, spend - 1], 1) f
        WHERE spend >= 6 AND (f.response >= target::float8) <> (f.budget = spend)$$,
    'min_spend: one unit less returns less than the target');
SELECT is_empty($$
        SELECT i FROM (
            SELECT p.i, plan, (SELECT sum(amount) FROM revrtm.allocate(plan, 100, 'target_roi', 0.1, 1)) AS spend
            FROM rich_plan p WHERE p.i <= 60 AND p.i % 5 > 1 AND EXISTS (SELECT FROM revrtm.frontier(plan, ARRAY[20, 40, 80], 1) f WHERE response > 1.1 * budget::float8)
        ) s, revrtm.frontier(plan, (SELECT array_agg(b) FROM generate_series(spend, 100) b), 1) f
        WHERE (f.response >= 1.1 * f.budget::float8) <> (f.budget = spend)$$,
    'target_roi: no larger budget returns it');
SELECT * FROM finish();
ROLLBACK;
