-- The role matrix: a thousand rules of eight routes over 400 regions, 200
-- products and 6 segments. Run: psql -X -f bench/role.sql
-- Both sides decide the same 10,000 cells, interleaved; medians and bests of 11
-- rounds after one that warms the cache, in ms; ours alone decides a million in
-- one statement, of three rounds. Serial throughout.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
SET work_mem = '64MB';
SET max_parallel_workers_per_gather = 0;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SELECT setseed(0.5) \g /dev/null
INSERT INTO revrtm.region (region_id, parent_id)
SELECT 'r' || i, CASE WHEN i <= 5 THEN 'ANY' ELSE 'r' || (i + 10) / 6 END FROM generate_series(1, 400) i ORDER BY i;
INSERT INTO revrtm.product (product_id, parent_id)
SELECT 'p' || i, CASE WHEN i <= 4 THEN 'ANY' ELSE 'p' || (i + 8) / 5 END FROM generate_series(1, 200) i ORDER BY i;
INSERT INTO revrtm.route (route_id, kind) SELECT 'route' || i, 'resell' FROM generate_series(1, 3) i;
-- Rules near the root are as likely as all others together; a tenth is over, a tenth to come.
INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role, priority, valid)
SELECT DISTINCT ON (route_id, segment, product_code, region_code) 'rule' || i, route_id, segment, product_code, region_code,
       (ARRAY['lead', 'lead', 'support', 'eligible', 'blocked'])[1 + floor(5 * random())::int], floor(3 * random())::int,
       CASE i % 10 WHEN 0 THEN tstzrange(NULL, '2026-01-01Z') WHEN 1 THEN tstzrange('2026-09-01Z', NULL) ELSE '(,)' END
FROM (SELECT i, (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace', 'route1', 'route2', 'route3'])[1 + floor(8 * random())::int] AS route_id,
             CASE WHEN random() < 0.5 THEN 's' || floor(6 * random())::int END AS segment,
             CASE WHEN random() < 0.6 THEN 'p' || 1 + floor(CASE WHEN random() < 0.5 THEN 200 ELSE 24 END * random())::int END AS product_code,
             CASE WHEN random() < 0.7 THEN 'r' || 1 + floor(CASE WHEN random() < 0.5 THEN 400 ELSE 35 END * random())::int END AS region_code
      FROM generate_series(1, 1000) i) r;
CREATE TABLE bench_cell AS
SELECT n, 's' || floor(7 * random())::int AS segment, 'p' || 1 + floor(200 * random())::int AS product,
       'r' || 1 + floor(400 * random())::int AS region, timestamptz '2026-01-01Z' - interval '1 day' * floor(300 * random() - 150) AS at
FROM generate_series(1, 1000000) n;
VACUUM (FREEZE, ANALYZE) bench_cell, revrtm.route_role, revrtm.region, revrtm.product;
CREATE TABLE bench_few AS SELECT * FROM bench_cell WHERE n <= 10000;
VACUUM (FREEZE, ANALYZE) bench_few;
SELECT count(*) AS rules, (SELECT count(*) FROM bench_few) AS cells FROM revrtm.route_role;

-- The plain formulation at its best: both trees closed and the rules without
-- NULL beforehand, in tables with statistics, which is not counted.
CREATE TABLE bench_region AS
WITH RECURSIVE up AS (
    SELECT region_id AS node, region_id AS ancestor, parent_id, 0 AS distance FROM revrtm.region
    UNION ALL SELECT u.node, t.region_id, t.parent_id, u.distance + 1 FROM up u JOIN revrtm.region t ON t.region_id = u.parent_id)
SELECT node, ancestor AS code, CASE ancestor WHEN 'ANY' THEN 0 ELSE 1.0::float8 / (1 + distance) END AS score FROM up;
CREATE TABLE bench_product AS
WITH RECURSIVE up AS (
    SELECT product_id AS node, product_id AS ancestor, parent_id, 0 AS distance FROM revrtm.product
    UNION ALL SELECT u.node, t.product_id, t.parent_id, u.distance + 1 FROM up u JOIN revrtm.product t ON t.product_id = u.parent_id)
SELECT node, ancestor AS code, CASE ancestor WHEN 'ANY' THEN 0 ELSE 1.0::float8 / (1 + distance) END AS score FROM up;
CREATE TABLE bench_rule AS
SELECT rule_id, route_id, role, priority, valid, segment, coalesce(product_code, 'ANY') AS product, coalesce(region_code, 'ANY') AS region FROM revrtm.route_role;
CREATE INDEX ON bench_region (node);
CREATE INDEX ON bench_product (node);
CREATE INDEX ON bench_rule (product, region);
CREATE STATISTICS bench_rule ON product, region FROM bench_rule;
VACUUM (FREEZE, ANALYZE) bench_region, bench_product, bench_rule;
CREATE VIEW bench_plain AS
SELECT DISTINCT ON (c.n, r.route_id) c.n, r.route_id, r.role, r.rule_id, r.priority,
       (r.segment IS NOT NULL)::int + p.score + g.score AS specificity
FROM bench_few c
     JOIN bench_product p ON p.node = c.product
     JOIN bench_region g ON g.node = c.region
     JOIN bench_rule r ON r.product = p.code AND r.region = g.code
          AND (r.segment IS NULL OR r.segment = c.segment) AND r.valid @> c.at
ORDER BY c.n, r.route_id, specificity DESC, r.priority DESC, r.rule_id COLLATE "C";
SELECT count(*) AS "rows that differ" FROM (
    (SELECT n, route_id, role, rule_id FROM bench_plain)
    EXCEPT ALL (SELECT c.n, f.route_id, f.role, f.rule_id FROM bench_few c, revrtm.route_for(c.segment, c.product, c.region, c.at) f)) d;

CREATE TEMP TABLE arm (ordinal int, question text, side text, query text);
INSERT INTO arm VALUES
(1, 'every route', 'SQL', 'SELECT count(*) FROM bench_plain'),
(1, 'every route', 'route_for', 'SELECT count(f.rule_id) FROM bench_few c, revrtm.route_for(c.segment, c.product, c.region, c.at) f'),
(2, 'the leading route', 'SQL', 'SELECT count(*) FROM (SELECT DISTINCT ON (n) n, route_id FROM bench_plain WHERE role = ''lead'' ORDER BY n, specificity DESC, priority DESC, rule_id COLLATE "C") s'),
(2, 'the leading route', 'lead_route', 'SELECT count(revrtm.lead_route(segment, product, region, at)) FROM bench_few'),
(3, 'one cell', 'route_for', 'SELECT count(*) FROM revrtm.route_for(''s1'', ''p150'', ''r300'', ''2026-01-01Z'')'),
(4, 'audit', 'role_audit', 'SELECT count(*) FROM revrtm.role_audit(''2026-01-01Z'')'),
(5, 'a million: every route', 'route_for', 'SELECT count(f.rule_id) FROM bench_cell c, revrtm.route_for(c.segment, c.product, c.region, c.at) f'),
(6, 'a million: the leading route', 'lead_route', 'SELECT count(revrtm.lead_route(segment, product, region, at)) FROM bench_cell');
CREATE TEMP TABLE bench_time (query text, ms float8);
DO $$
DECLARE
    a record;
    started timestamptz;
BEGIN
    FOR round IN 0..11 LOOP
        FOR a IN SELECT * FROM arm WHERE ordinal < 4 OR round BETWEEN 1 AND 3 ORDER BY ordinal LOOP
            started := clock_timestamp();
            EXECUTE a.query;
            IF round > 0 THEN
                INSERT INTO bench_time VALUES (a.query, 1000 * extract(epoch FROM clock_timestamp() - started));
            END IF;
        END LOOP;
    END LOOP;
END
$$;
SELECT a.question, a.side, t.median, t.best,
       CASE WHEN a.ordinal < 3 THEN round(first_value(t.median) OVER (PARTITION BY a.ordinal ORDER BY a.side <> 'SQL') / t.median, 1) END AS "times as fast"
FROM arm a JOIN (SELECT query, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 2) AS median, round(min(ms)::numeric, 2) AS best
                 FROM bench_time GROUP BY query) t USING (query)
ORDER BY a.ordinal, a.side <> 'SQL';
