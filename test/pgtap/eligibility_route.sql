-- blocked_route against every cell of a registration, by route_for().
\set ON_ERROR_STOP 1
BEGIN;
SELECT plan(3);
SELECT setseed(0.25) \g /dev/null
INSERT INTO revrtm.region (region_id, parent_id)
SELECT 'r' || i, CASE WHEN i <= 2 THEN 'ANY' ELSE 'r' || i / 2 END FROM generate_series(1, 14) i ORDER BY i;
INSERT INTO revrtm.product (product_id, parent_id)
SELECT 'p' || i, CASE WHEN i <= 2 THEN 'ANY' ELSE 'p' || i / 2 END FROM generate_series(1, 14) i ORDER BY i;
CREATE TABLE public.rtm_crm AS SELECT 'a' || i AS account_id, 'a' AS account_name, CASE WHEN i > 0 THEN 's' || i END AS segment FROM generate_series(0, 2) i;
SELECT revrtm.bind('account', 'SELECT account_id, account_name, segment FROM public.rtm_crm') \g /dev/null
UPDATE revrtm.roe_rule SET parameters = '{"routes": ["resell", "co_sell"], "unassigned": "warn"}' WHERE rule = 'blocked_route';
-- Descendants, themselves included.
CREATE VIEW pg_temp.below AS
WITH RECURSIVE b (tree, code, node) AS (
    SELECT 'r', region_id, region_id FROM revrtm.region UNION ALL SELECT 'p', product_id, product_id FROM revrtm.product
    UNION ALL SELECT b.tree, b.code, c.node FROM b JOIN (SELECT 'r' AS tree, region_id AS node, parent_id FROM revrtm.region
        UNION ALL SELECT 'p', product_id, parent_id FROM revrtm.product) c ON c.tree = b.tree AND c.parent_id = b.node)
SELECT * FROM b;
CREATE TEMP TABLE answer (round int, says text, expected text);
DO $$
DECLARE
    at timestamptz := '2026-07-01Z';
BEGIN
    PERFORM set_config('revrtm.as_of', at::text, true);
    FOR round IN 1 .. 40 LOOP
        DELETE FROM revrtm.route_role;
        INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role, priority, valid)
        SELECT DISTINCT ON (route_id, segment, product_code, region_code) 'rule' || i, route_id, segment, product_code, region_code, role, priority, valid
        FROM (SELECT i, (ARRAY['resell', 'co_sell', 'direct'])[1 + floor(3 * random())::int] AS route_id,
                     CASE WHEN random() < 0.3 THEN 's' || 1 + floor(2 * random())::int END AS segment,
                     CASE WHEN random() < 0.6 THEN 'p' || 1 + floor(14 * random())::int END AS product_code,
                     CASE WHEN random() < 0.6 THEN 'r' || 1 + floor(14 * random())::int END AS region_code,
                     (ARRAY['lead', 'support', 'eligible', 'eligible', 'blocked'])[1 + floor(5 * random())::int] AS role, floor(2 * random())::int AS priority,
                     CASE WHEN random() < 0.1 THEN tstzrange(NULL, at) ELSE '(,)' END AS valid
              FROM generate_series(1, 3 + round / 2) i) r;
        INSERT INTO answer
        SELECT round, v.reason_code,
               (SELECT CASE WHEN bool_or(c.blocked AND NOT c.open) THEN 'BLOCKED_ROUTE' WHEN bool_or(NOT c.open) THEN 'NO_ROUTE' END
                FROM (SELECT bool_or(coalesce(f.role = 'blocked', false)) AS blocked, bool_or(coalesce(f.role IN ('lead', 'eligible'), false)) AS open
                      FROM pg_temp.below p JOIN pg_temp.below g ON p.tree = 'p' AND g.tree = 'r' AND p.code = ANY (q.product_codes) AND g.code = ANY (q.region_codes)
                           LEFT JOIN LATERAL (SELECT * FROM revrtm.route_for(coalesce(a.segment, 'ANY'), p.node, g.node, at) x WHERE x.route_id IN ('resell', 'co_sell')) f ON true
                      GROUP BY p.node, g.node) c)
        FROM (SELECT 'a' || i % 3 AS account_id, 'p' AS partner_id, ARRAY['p' || 1 + floor(14 * random())::int, 'p' || 1 + floor(14 * random())::int] AS product_codes,
                     ARRAY[CASE WHEN random() < 0.1 THEN 'ANY' ELSE 'r' || 1 + floor(14 * random())::int END] AS region_codes FROM generate_series(1, 4) i) q
             JOIN public.rtm_crm a USING (account_id),
             LATERAL revrtm.roe_explain(to_jsonb(q)) v
        WHERE v.rule = 'blocked_route';
    END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM answer), 160::bigint, 'as many answers as registrations');
SELECT is((SELECT count(*) FROM answer WHERE says IS DISTINCT FROM expected), 0::bigint, 'blocked_route says what every cell says');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM answer GROUP BY coalesce(says, 'pass') HAVING true) c), '>', 5::bigint, 'of each answer there are some');
SELECT * FROM finish();
ROLLBACK;
