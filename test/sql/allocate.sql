-- Budget plans and the allocator: the interface, its messages, transport.
CREATE TABLE budget_test (line text, curve revrtm.response_curve, lo numeric, hi numeric, current numeric);
INSERT INTO budget_test VALUES
    ('partner mdf', 'exponential(0,90000,20000)', 5000, 60000, 20000),
    ('direct enablement', 'hill(0,150000,40000,0.9)', 0, 50000, 25000.50),
    ('Content', 'log(0,12000)', 100, 20000, NULL),
    ('marketplace', 'linear(500,1.1)', 0, 30000, 0);

-- A plan, its text and back.
SELECT revrtm.budget_line_agg(line, curve, lo, hi, current) AS plan FROM budget_test \gset
\echo :plan
SELECT :'plan'::revrtm.budget_plan::text = :'plan' AS same;
SELECT revrtm.budget_line_agg(line, curve, lo, hi ORDER BY line DESC)::text
     = revrtm.budget_line_agg(line, curve, lo, hi ORDER BY line)::text AS order_does_not_matter,
       revrtm.budget_line_agg(line, curve, lo, hi) FILTER (WHERE false) IS NULL AS null_without_rows
FROM budget_test;
SELECT line, amount, round(response::numeric, 2) AS response, round(marginal::numeric, 4) AS marginal,
       bound, gap BETWEEN 0 AND 1e-9 AS certified
FROM revrtm.allocate(:'plan', 100000);
SELECT line, amount, bound FROM revrtm.allocate(:'plan', 100000, unit => 2500);
SELECT line, amount, bound FROM revrtm.allocate(:'plan', 5100);
SELECT sum(amount), count(bound) FROM revrtm.allocate(:'plan', 160000, 'max_return', NULL, 1);
SELECT a.* FROM revrtm.allocate_budget(10, ARRAY['b', 'a'], ARRAY['linear(0,2)', 'power(0,2,1)']::revrtm.response_curve[],
                                       ARRAY[0, 0], ARRAY[9, 8]) a;

-- Ties go to the first by the bytes of the name; names sort so in the result.
SELECT line, amount, bound, gap FROM revrtm.allocate_budget(3, ARRAY['é', 'z', 'Z', 'zz', ''],
    array_fill(revrtm.curve('exponential', 0, 1, 1), ARRAY[5]), array_fill(0, ARRAY[5]), array_fill(1, ARRAY[5]));
SELECT line, amount FROM revrtm.allocate(revrtm.budget_plan_add(revrtm.budget_plan_add(NULL, 'y', 'log(0,1)', 0.01, 1),
    'x', 'log(0,1)', 0.01, 1), 1.01);

-- Edges: nothing to spend, one line, fixed lines, many decimals, large units.
SELECT line, amount, bound FROM revrtm.allocate_budget(0, ARRAY['a'], ARRAY['hill(1,1,1,1)']::revrtm.response_curve[], ARRAY[0], ARRAY[5]);
SELECT line, amount, bound FROM revrtm.allocate_budget(5, ARRAY['a', 'b'], ARRAY['hill(1,1,1,3)', 'linear(0,0)']::revrtm.response_curve[], ARRAY[2, 0], ARRAY[2, 5]);
SELECT line, amount FROM revrtm.allocate('[{"line": "a", "curve": "power(0,1,0.5)", "lo": 0, "hi": 1e30}, {"line": "b", "curve": "power(0,1,0.5)", "lo": 0, "hi": 9}]', 0.000000000000000003, unit => 1e-18);
SELECT line, amount FROM revrtm.allocate('[{"line": "a", "curve": "power(0,1,0.5)", "lo": 0, "hi": 1e30}, {"line": "b", "curve": "power(0,2,0.5)", "lo": 0, "hi": 1e30}]', 5e20, unit => 1e20);
SELECT * FROM revrtm.allocate('[]', 0);
SELECT count(*), sum(amount), max(gap) < 1e-9 AS certified
FROM revrtm.allocate((SELECT revrtm.budget_line_agg(n::text, revrtm.curve('hill', 0, 100, n, 0.7), 0, 1000) FROM generate_series(1, 500) n), 123456.78);

-- The published optimum of three log curves: 34,439 / 32,386 / 33,175 return 224,540.
SELECT line, amount, round(response::numeric, 2) AS response, gap < 1e-9 AS certified, round(sum(response) OVER ()::numeric) AS total
FROM revrtm.allocate_budget(100000, ARRAY['a', 'b', 'c'],
    ARRAY['log(-9453.72,8256.21)', 'log(-8312.84,7764.20)', 'log(-7371.33,7953.36)']::revrtm.response_curve[],
    ARRAY[1, 1, 1], ARRAY[100000, 100000, 100000]) a;

-- Groups, nested, and what they cost.
SELECT revrtm.budget_line_agg(line, curve, lo, hi, coalesce(current, 5000),
                              CASE WHEN line = 'marketplace' THEN 'company/partner/market' WHEN line ~ '^partner' THEN 'company/partner' WHEN line = 'Content' THEN 'company' END) AS grouped
FROM budget_test \gset
SELECT line, amount, round(marginal::numeric, 4) AS marginal, bound, gap <= 1e-9 AS certified
FROM revrtm.allocate(revrtm.group_bound(:'grouped', 'company/partner', 40000, 45000), 100000);
SELECT line, amount, round(marginal::numeric, 4) AS marginal, bound, gap <= 1e-9 AS certified
FROM revrtm.allocate(revrtm.group_bound(revrtm.group_bound(:'grouped', 'company/partner', 60000, NULL), 'company', NULL, 62000), 100000);
SELECT bound, round(price::numeric, 4) AS price
FROM revrtm.shadow_price(revrtm.group_bound(revrtm.group_bound(:'grouped', 'company/partner', 60000, NULL), 'company', NULL, 62000), 100000);
SELECT revrtm.group_bound(revrtm.group_bound(revrtm.group_bound(:'grouped', 'company/partner', 1, 2), 'company', NULL, 9), 'company/partner', 3, NULL);

-- No more than a part of the plan is moved.
SELECT line, amount, round(marginal::numeric, 4) AS marginal, bound, gap <= 1e-9 AS certified FROM revrtm.allocate(revrtm.shift_limit(:'grouped', 0.05), 50000.50);
SELECT sum(abs(a.amount - coalesce(b.current, 5000))) / 2 AS moved FROM revrtm.allocate(revrtm.shift_limit(:'grouped', 0.05), 50000.50) a JOIN budget_test b USING (line);
SELECT bound, round(price::numeric, 4) AS price FROM revrtm.shadow_price(revrtm.shift_limit(:'grouped', 0.05), 50000.50);
SELECT line, amount, bound FROM revrtm.allocate(revrtm.shift_limit(:'grouped', 0), 50000.50);
SELECT line, amount, bound FROM revrtm.allocate(revrtm.shift_limit(revrtm.group_bound(:'grouped', 'company/partner', NULL, 17000), 0.1), 50000, unit => 1000);

-- Other goals: the budget is the most that may be spent.
SELECT sum(amount) AS spend, round(sum(response)::numeric, 2) AS response FROM revrtm.allocate(:'plan', 160000, 'min_spend', 150000);
SELECT sum(amount) AS spend, round(sum(response)::numeric, 2) AS response FROM revrtm.allocate(:'plan', NULL, 'min_spend', 150000);
SELECT sum(amount) AS spend, round((sum(response) / sum(amount)::float8 - 1)::numeric, 4) AS roi FROM revrtm.allocate(:'plan', NULL, 'target_roi', 1.5);
SELECT line, amount, round(marginal::numeric, 4) AS marginal, bound FROM revrtm.allocate(:'plan', NULL, 'target_marginal_roi', 0.25);
SELECT * FROM revrtm.allocate(:'plan', 160000, 'min_spend', 1e6);
SELECT * FROM revrtm.allocate(:'plan', 160000, 'target_roi', 1000);
SELECT * FROM revrtm.allocate(:'plan', 160000, 'target_marginal_roi', 1000);
SELECT budget, round(response::numeric, 2) AS response, round(marginal::numeric, 4) AS marginal, gap <= 1e-9 AS certified
FROM revrtm.frontier(:'plan', ARRAY[5100, 50000, 160000, 100000]);
SELECT * FROM revrtm.frontier(:'plan', ARRAY[]::numeric[]);
SELECT * FROM revrtm.frontier(:'plan', ARRAY[100000, NULL]);
SELECT * FROM revrtm.frontier(:'plan', NULL);
SELECT * FROM revrtm.frontier(:'plan', ARRAY[100000, 5]);
SELECT * FROM revrtm.shadow_price(NULL, 1);

-- Groups and limits that break a rule or cannot be met.
SELECT revrtm.group_bound(:'grouped', 'company/part', 0, 1);
SELECT revrtm.group_bound(:'grouped', 'company/partner', 2, 1);
SELECT revrtm.group_bound(:'grouped', 'company/partner', -1, 'NaN');
SELECT revrtm.group_bound(NULL, 'company', 0, 1);
SELECT revrtm.group_bound(:'grouped', NULL, 0, 1);
SELECT revrtm.shift_limit(:'plan', 0.1);
SELECT revrtm.shift_limit(:'grouped', -0.1);
SELECT revrtm.shift_limit(:'grouped', 'Infinity');
SELECT revrtm.shift_limit(:'grouped', NULL);
SELECT * FROM revrtm.allocate(revrtm.group_bound(:'grouped', 'company/partner', NULL, 4000), 100000);
SELECT * FROM revrtm.allocate(revrtm.group_bound(:'grouped', 'company', NULL, 40000), 100000);
SELECT * FROM revrtm.allocate(revrtm.shift_limit(:'grouped', 0.1), 80000);

-- What cannot be met.
SELECT * FROM revrtm.allocate(:'plan', 5099.99);
SELECT * FROM revrtm.allocate(:'plan', 160000.01);
SELECT * FROM revrtm.allocate('[]', 1);
SELECT * FROM revrtm.allocate(:'plan', 100, unit => 40);
SELECT * FROM revrtm.allocate(:'plan', 100.001);
SELECT * FROM revrtm.allocate('[{"line": "a", "curve": "linear(0,1)", "lo": 3, "hi": 4.9}]', 10, unit => 5);
SELECT * FROM revrtm.allocate('[{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1e30}]', 1e30);
SELECT * FROM revrtm.allocate('[{"line": "a", "curve": "power(0,1e300,0.9)", "lo": 0, "hi": 1e12}]', 1e12, unit => 1);
SELECT * FROM revrtm.allocate('[{"line": "a", "curve": "linear(1e308,0)", "lo": 0, "hi": 1}, {"line": "b", "curve": "linear(1e308,0)", "lo": 0, "hi": 1}]', 1);
SELECT * FROM revrtm.allocate(:'plan', 'NaN');
SELECT * FROM revrtm.allocate(:'plan', 'Infinity');
SELECT * FROM revrtm.allocate(:'plan', -1);
SELECT * FROM revrtm.allocate(:'plan', 100, unit => 0);
SELECT * FROM revrtm.allocate(:'plan', 100, unit => 'NaN');
SELECT * FROM revrtm.allocate(:'plan', 0, unit => 1e-400);
SELECT * FROM revrtm.allocate(NULL, 100);
SELECT * FROM revrtm.allocate(:'plan', NULL);
SELECT * FROM revrtm.allocate(:'plan', 100, NULL);
SELECT * FROM revrtm.allocate(:'plan', 100, unit => NULL);
SELECT * FROM revrtm.allocate(:'plan', 100, 'target_romi');
SELECT * FROM revrtm.allocate(:'plan', 100, 'min_spend');
SELECT * FROM revrtm.allocate(:'plan', 100, 'min_spend', 'NaN');
SELECT * FROM revrtm.allocate(:'plan', 100, 'target_roi', -1);
SELECT * FROM revrtm.allocate(:'plan', 100, 'max_return', 5);

-- Curves that are not concave where the line may go.
SELECT line, amount FROM revrtm.allocate('[{"line": "a", "curve": "hill(0,1,100,2)", "lo": 57.73, "hi": 1000.0}]', 100);
SELECT line, amount FROM revrtm.allocate('[{"line": "a", "curve": "hill(0,1,100,2)", "lo": 57.74, "hi": 1000}]', 100);
SELECT line, amount, gap FROM revrtm.allocate('[{"line": "a", "curve": "exponential(0,-1,100)", "lo": 0, "hi": 1000}]', 100);
SELECT line, amount, gap FROM revrtm.allocate('[{"line": "a", "curve": "hill(0,-1,100,2)", "lo": 0, "hi": 1000}]', 100);
SELECT line, amount, gap FROM revrtm.allocate('[{"line": "a", "curve": "power(0,1,1.5)", "lo": 0, "hi": 1000}, {"line": "b", "curve": "power(0,1,1.5)", "lo": 0, "hi": 1000}]', 1500);
SELECT line, amount, bound, gap <= 1e-6 AS certified FROM revrtm.allocate((SELECT revrtm.budget_line_agg(n::text, revrtm.curve('hill', 0, 1000 + 10 * n, 100, 3), 0, 500) FROM generate_series(1, 5) n), 300);
SELECT * FROM revrtm.allocate('[{"line": "a", "curve": "log(0,1)", "lo": 0, "hi": 1000}, {"line": "b", "curve": "log(0,1)", "lo": 1, "hi": 1000}, {"line": "c", "curve": "log(0,2)", "lo": 0, "hi": 1000}]', 100);

-- Lines that break a rule.
SELECT revrtm.budget_line_agg(line, curve, lo, hi) FROM (TABLE budget_test UNION ALL TABLE budget_test) b WHERE line = 'Content';
SELECT revrtm.budget_line_agg(NULL, 'linear(0,1)', 0, 1);
SELECT revrtm.budget_line_agg('a', NULL, 0, 1);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', NULL, 1);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, NULL);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', -0.01, 1);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 2, 1);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, 'Infinity');
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 'NaN', 1);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, 1, 'NaN');
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, 1, -1);
SELECT revrtm.budget_line_agg('line ' || n, 'linear(0,1)', n, 5 - n) FROM generate_series(1, 60) n;
SELECT revrtm.budget_line_agg(line, curve, lo, hi) FROM (TABLE budget_test UNION ALL TABLE budget_test) b;
SELECT revrtm.budget_plan_add(NULL, 'a', 'linear(0,1)', 2, 1);
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, 1, NULL, g) FROM unnest(ARRAY['/x', 'x//y', 'x/']) g GROUP BY g ORDER BY g COLLATE "C" LIMIT 1;
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, 1, NULL, '');
SELECT revrtm.budget_line_agg('a', 'linear(0,1)', 0, 1, NULL, 'x' || repeat('/x', 32));
SELECT revrtm.budget_line_agg(repeat('é', 50000), 'linear(0,1)', 2, 1);
SELECT * FROM revrtm.allocate_budget(1, ARRAY['a', 'b'], ARRAY['linear(0,1)']::revrtm.response_curve[], ARRAY[0, 0], ARRAY[1, 1]);
SELECT * FROM revrtm.allocate_budget(1, ARRAY['a'], ARRAY['linear(0,1)']::revrtm.response_curve[], ARRAY[0], ARRAY[1, 2]);
SELECT * FROM revrtm.allocate_budget(1, NULL, NULL, NULL, NULL);

-- Bad text.
SELECT ''::revrtm.budget_plan;
SELECT '{}'::revrtm.budget_plan;
SELECT '1'::revrtm.budget_plan;
SELECT '[1]'::revrtm.budget_plan;
SELECT '{"lines": 1}'::revrtm.budget_plan;
SELECT '{"lines": [], "goal": 1}'::revrtm.budget_plan;
SELECT '{"lines": [], "shift_limit": "1"}'::revrtm.budget_plan;
SELECT '{"lines": [], "groups": [{"group": "x", "lo": 0}]}'::revrtm.budget_plan;
SELECT '{"lines": [], "groups": [{"group": "x", "lo": 0, "curve": 1}]}'::revrtm.budget_plan;
SELECT '{"lines": [{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1, "group": ""}]}'::revrtm.budget_plan;
SELECT '{"lines": [{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1, "group": "x/y"}], "groups": [{"group": "x", "lo": 0}, {"group": "x", "lo": 1}]}'::revrtm.budget_plan;
SELECT '{"lines": [{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1, "group": "x/y", "current": 1}], "groups": [{"group": "x", "lo": 0, "hi": null}], "shift_limit": 0.10}'::revrtm.budget_plan;
SELECT '[[]]'::revrtm.budget_plan;
SELECT '[{}]'::revrtm.budget_plan;
SELECT '[{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": "1"}]'::revrtm.budget_plan;
SELECT '[{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1, "current": "1"}]'::revrtm.budget_plan;
SELECT '[{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1, "goal": 1}]'::revrtm.budget_plan;
SELECT '[{"line": "a", "curve": "linear(0)", "lo": 0, "hi": 1}]'::revrtm.budget_plan;
SELECT '[{"line": "a", "curve": "linear(0,1)", "lo": 2, "hi": 1}]'::revrtm.budget_plan;
SELECT '[{"line": "a", "curve": "linear(0,1)", "lo": 0, "hi": 1}, {"line": "a", "curve": "log(0,1)", "lo": 1, "hi": 1}]'::revrtm.budget_plan;
SELECT '[{"line": "a\"\\\n", "curve": "linear(0,1)", "lo": 0.0, "hi": 1e3, "current": null}]'::revrtm.budget_plan;

-- Called outside an aggregate, the functions leave their arguments alone.
WITH p AS MATERIALIZED (SELECT revrtm.budget_plan_add(NULL, 'a', 'linear(0,1)', 0, 1) AS plan)
SELECT revrtm.budget_plan_add(plan, 'c', 'linear(0,1)', 0, 1), revrtm.budget_plan_combine(plan, revrtm.budget_plan_add(NULL, 'b', 'linear(0,1)', 0, 1, 0.5)), plan,
       revrtm.budget_plan_combine(NULL, plan)::text = plan::text AS with_null, revrtm.budget_plan_combine(NULL, NULL) IS NULL AS nulls
FROM p;
SELECT revrtm.budget_plan_combine(plan, plan) FROM (SELECT revrtm.budget_plan_add(NULL, 'a', 'linear(0,1)', 0, 1) AS plan) p;

-- As a window aggregate, each frame its own plan.
SELECT line, revrtm.budget_line_agg(line, 'linear(0,1)', 0, 1) OVER (ORDER BY line COLLATE "C") FROM budget_test;

-- In parallel: the same plan.
CREATE TABLE budget_many AS
SELECT 'line ' || n AS line, revrtm.curve('hill', 0, 100 + n % 17, 50 + n % 31, 0.5 + n % 5 / 10.0) AS curve,
       (n % 7)::numeric AS lo, (20 + n % 101)::numeric AS hi
FROM generate_series(1, 20000) n;
ALTER TABLE budget_many SET (parallel_workers = 2);
ANALYZE budget_many;
SELECT md5(revrtm.budget_line_agg(line, curve, lo, hi)::text) AS serial FROM budget_many \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT revrtm.budget_line_agg(line, curve, lo, hi) FROM budget_many;
SELECT md5(revrtm.budget_line_agg(line, curve, lo, hi)::text) = :'serial' AS parallel_is_serial FROM budget_many;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Transport and storage, compressed too.
CREATE TABLE plan_sent (n int, plan revrtm.budget_plan);
CREATE TABLE plan_received (LIKE plan_sent);
INSERT INTO plan_sent VALUES (1, :'plan'), (2, '[]'), (3, NULL), (5, revrtm.shift_limit(revrtm.group_bound(:'grouped', 'company/partner', 1, NULL), 0.125));
INSERT INTO plan_sent SELECT 4, revrtm.budget_line_agg(line, curve, lo, hi) FROM budget_many;
\copy plan_sent TO 'results/plan.bin' (FORMAT binary)
\copy plan_received FROM 'results/plan.bin' (FORMAT binary)
SELECT n, s.plan::text IS NOT DISTINCT FROM r.plan::text AS same FROM plan_sent s JOIN plan_received r USING (n) ORDER BY n;
SELECT count(*), sum(amount), max(gap) < 1e-6 AS certified FROM plan_received, revrtm.allocate(plan, 300000) WHERE n = 4;
DROP TABLE budget_test, budget_many, plan_sent, plan_received;
