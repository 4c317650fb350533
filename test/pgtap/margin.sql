-- Guardrails and incumbents against formulations that walk the trees by their
-- parents and know nothing of spans.
\set ON_ERROR_STOP 1
BEGIN;
SELECT plan(7);
SELECT setseed(0.5) \g /dev/null
SET LOCAL revrtm.as_of = '2026-07-01Z';
INSERT INTO revrtm.region (region_id, parent_id)
SELECT 'r' || i, CASE WHEN i <= 2 THEN 'ANY' ELSE 'r' || i / 2 END FROM generate_series(1, 7) i ORDER BY i;
INSERT INTO revrtm.product (product_id, parent_id)
SELECT 'p' || i, CASE WHEN i <= 2 THEN 'ANY' ELSE 'p' || i / 2 END FROM generate_series(1, 14) i ORDER BY i;
-- A node, itself and each above it, with how far up that is.
CREATE VIEW pg_temp.above AS
WITH RECURSIVE node AS (SELECT 'p' AS tree, product_id AS id, parent_id FROM revrtm.product UNION ALL SELECT 'r', region_id, parent_id FROM revrtm.region),
a (tree, id, up, far) AS (
    SELECT tree, id, id, 0 FROM node
    UNION ALL SELECT a.tree, a.id, n.parent_id, a.far + 1 FROM a JOIN node n ON n.tree = a.tree AND n.id = a.up WHERE n.parent_id IS NOT NULL)
SELECT * FROM a;
CREATE TEMP TABLE up AS SELECT * FROM pg_temp.above;
INSERT INTO revrtm.discount_kind VALUES ('a', 'one'), ('b', 'one');
CREATE TEMP TABLE answer (round int, says text, expected text, verdict text);
CREATE TEMP TABLE whole (says text, expected text);
-- The deciding guardrail and the verdict of one quote: the guardrails that
-- apply, of which no other comes before.
CREATE FUNCTION pg_temp.expected(list numeric, a numeric, b numeric, c numeric, route text, tier text, product text, region text, cost numeric,
    kept numeric, factor numeric) RETURNS TABLE (line text, verdict text) LANGUAGE sql AS $$
    WITH fit AS (
        SELECT g.*, coalesce(u.far, 1000) AS pf, coalesce(v.far, 1000) AS rf
        FROM revrtm.discount_guardrail g
        LEFT JOIN up u ON u.tree = 'p' AND u.id = product AND u.up = g.product_code
        LEFT JOIN up v ON v.tree = 'r' AND v.id = region AND v.up = g.region_code
        WHERE coalesce(g.route_id = route, g.route_id IS NULL)
          AND coalesce(g.tier = expected.tier, g.tier IS NULL)
          AND (g.product_code IS NULL) = (u.far IS NULL) AND (g.region_code IS NULL) = (v.far IS NULL)
          AND coalesce(lower(g.valid) <= '2026-07-01Z', true) AND coalesce(upper(g.valid) > '2026-07-01Z', true)
    ), first AS (
        SELECT f.* FROM fit f
        WHERE NOT EXISTS (SELECT FROM fit o
            WHERE ROW(-o.priority, o.pf, o.rf, (o.tier IS NULL)::int, (o.route_id IS NULL)::int, o.guardrail_id COLLATE "C")
                < ROW(-f.priority, f.pf, f.rf, (f.tier IS NULL)::int, (f.route_id IS NULL)::int, f.guardrail_id COLLATE "C"))
    ), given AS (
        SELECT f.guardrail_id, f.max_discount, f.floor_margin,
               CASE coalesce(f.stacking, 'add') WHEN 'add' THEN greatest(a, b) + c ELSE 1 - (1 - greatest(a, b)) * (1 - c) END AS discount
        FROM (SELECT 1) x LEFT JOIN first f ON true
    ), asked AS (
        SELECT g.*, list * (1 - g.discount) - kept AS net FROM given g
    ), judged AS (
        SELECT k.*, k.discount > k.max_discount * factor AS over,
               coalesce(k.floor_margin > CASE WHEN k.net > 0 THEN (k.net - cost) / k.net END, k.floor_margin IS NOT NULL AND cost >= 0 AND (k.net < 0 OR k.net = 0 AND cost > 0), false) AS under
        FROM asked k
    ), level AS (
        SELECT j.*, (SELECT min(y.level) FROM revrtm.discount_approval y
                     WHERE y.guardrail_id = j.guardrail_id AND j.discount <= y.max_discount * factor
                       AND NOT coalesce(y.floor_margin > CASE WHEN j.net > 0 THEN (j.net - cost) / j.net END,
                                        y.floor_margin IS NOT NULL AND cost >= 0 AND (j.net < 0 OR j.net = 0 AND cost > 0), false)) AS level
        FROM judged j
    )
    SELECT concat_ws('|', l.guardrail_id, trim_scale(l.discount), CASE WHEN l.over OR l.under THEN coalesce('level ' || l.level, 'refused') ELSE 'allowed' END),
           CASE WHEN NOT coalesce(l.over, false) AND NOT l.under THEN 'allowed' WHEN l.level IS NULL THEN 'refused' ELSE 'approval' END
    FROM level l
$$;
DO $$
BEGIN
    FOR round IN 1 .. 25 LOOP
        DELETE FROM revrtm.discount_guardrail;
        DELETE FROM revrtm.discount_approval;
        INSERT INTO revrtm.discount_guardrail
        SELECT 'g' || i, CASE WHEN random() < 0.3 THEN (ARRAY['direct', 'partner_sourced'])[1 + floor(2 * random())::int] END,
               CASE WHEN random() < 0.3 THEN (ARRAY['gold', 'silver'])[1 + floor(2 * random())::int] END,
               CASE WHEN random() < 0.7 THEN (ARRAY['ANY', 'p1', 'p2', 'p3', 'p4', 'p6', 'p9', 'p13'])[1 + floor(8 * random())::int] END,
               CASE WHEN random() < 0.5 THEN (ARRAY['ANY', 'r1', 'r3', 'r6'])[1 + floor(4 * random())::int] END,
               floor(8 * random()) / 10, CASE WHEN random() < 0.5 THEN floor(8 * random()) / 10 END,
               (ARRAY['add', 'compound'])[1 + floor(2 * random())::int], floor(random() * 1.3)::int,
               (ARRAY['(,)', '(,)', '(,)', '(,2026-07-01Z)', '[2026-07-01Z,)', '[2026-07-02Z,)'])[1 + floor(6 * random())::int]::tstzrange
        FROM generate_series(1, 2 + round / 2) i;
        INSERT INTO revrtm.discount_approval
        SELECT g.guardrail_id, l, 'x', floor(11 * random()) / 10, CASE WHEN random() < 0.5 THEN floor(8 * random()) / 10 END
        FROM revrtm.discount_guardrail g, generate_series(1, 2) l WHERE random() < 0.6;
        INSERT INTO answer
        SELECT round, concat_ws('|', s.guardrail_id, s.discount, CASE s.verdict WHEN 'approval' THEN 'level ' || s.level ELSE s.verdict END), e.line, s.verdict
        FROM (SELECT floor(3 * random()) * 50 AS list, floor(5 * random()) / 10 AS a, floor(5 * random()) / 10 AS b, floor(5 * random()) / 10 AS c,
                     (ARRAY['direct', 'partner_sourced', NULL])[1 + floor(3 * random())::int] AS route, (ARRAY['gold', 'silver', NULL])[1 + floor(3 * random())::int] AS tier,
                     (ARRAY['ANY', 'none', NULL, 'p' || 1 + floor(14 * random())::int, 'p' || 1 + floor(14 * random())::int, 'p14'])[1 + floor(6 * random())::int] AS product,
                     (ARRAY['ANY', NULL, 'r' || 1 + floor(7 * random())::int, 'r7'])[1 + floor(4 * random())::int] AS region,
                     CASE WHEN random() < 0.8 THEN floor(8 * random()) * 5 END AS cost, floor(3 * random()) * 10 AS kept,
                     (ARRAY[1, 1, 0.5])[1 + floor(3 * random())::int] AS factor
              FROM generate_series(1, 40) i) q,
             LATERAL revrtm.discount_check(q.list::numeric, jsonb_build_object('a', q.a, 'b', q.b, 'c', q.c), q.route, q.tier, q.product, q.region, q.cost::numeric, q.kept::numeric, q.factor) s,
             LATERAL pg_temp.expected(q.list::numeric, q.a::numeric, q.b::numeric, q.c::numeric, q.route, q.tier, q.product, q.region, q.cost::numeric, q.kept::numeric, q.factor) e;
        -- A registration: the gravest of every cell of its scope.
        INSERT INTO whole
        SELECT f.verdict, (SELECT CASE WHEN bool_or(e.verdict = 'refused') THEN 'refused' WHEN bool_or(e.verdict = 'approval') THEN 'approval' ELSE 'allowed' END
                           FROM up p, up r, LATERAL pg_temp.expected(NULL, q.d, 0, 0, 'partner_sourced', NULL, p.id, r.id, NULL, 0, 1) e
                           WHERE p.tree = 'p' AND p.up = ANY (q.products) AND r.tree = 'r' AND r.up = ANY (q.regions))
        FROM (SELECT (floor(5 * random()) / 10)::numeric AS d, ARRAY['p' || 1 + floor(14 * random())::int, 'p' || 1 + floor(14 * random())::int] AS products,
                     ARRAY[(ARRAY['ANY', 'r1', 'r2', 'r5'])[1 + floor(4 * random())::int]] AS regions FROM generate_series(1, 4)) q,
             LATERAL revrtm.guardrail_fact('nobody', q.products, q.regions, 'partner_sourced', jsonb_build_object('a', q.d), 1, '2026-07-01Z') f;
    END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM answer), 1000::bigint, 'as many answers as quotes');
SELECT is_empty('SELECT * FROM answer WHERE says IS DISTINCT FROM expected', 'discount_check is the plain formulation');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM answer GROUP BY verdict) c), '>', 50::bigint, 'of each verdict there are many');
SELECT is_empty('SELECT * FROM whole WHERE says IS DISTINCT FROM expected', 'a registration is judged as the gravest of its cells');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM whole GROUP BY says) c), '>', 5::bigint, 'of each there are some');

-- Incumbents.
CREATE TABLE public.rtm_crm AS
SELECT 'd' || i AS opportunity_id, 'a' || 1 + floor(12 * random())::int AS account_id, 1::numeric AS amount, true AS is_closed, random() < 0.8 AS is_won, NULL::timestamptz AS created_at,
       (date '2026-07-01' - floor(1400 * random())::int) AS close_date, CASE WHEN random() < 0.8 THEN 'p' || 1 + floor(3 * random())::int END AS partner_id,
       CASE WHEN random() < 0.9 THEN 'p' || 1 + floor(14 * random())::int END AS product,
       CASE WHEN random() < 0.5 THEN date '2026-07-01' + floor(240 * random())::int - 60 END AS term_end
FROM generate_series(1, 150) i;
SELECT revrtm.bind('opportunity', 'SELECT * FROM public.rtm_crm') \g /dev/null
SELECT revrtm.refresh_journeys(true) \g /dev/null
UPDATE revrtm.roe_rule SET enabled = rule = 'incumbent' \g /dev/null
CREATE TEMP TABLE renewal AS
SELECT a, partner, product, v.verdict AS says,
       (SELECT CASE WHEN bool_or(w.partner_id <> partner AND date '2026-07-01' BETWEEN w.ends - 120 AND w.ends
                                 AND (w.product IS NULL OR EXISTS (SELECT FROM up u WHERE u.tree = 'p' AND (u.id, u.up) IN ((w.product, q.product), (q.product, w.product))))) THEN 'deny' ELSE 'pass' END
        FROM (SELECT d.partner_id, d.product, coalesce(d.term_end, (d.close_date + interval '12 months')::date) AS ends
              FROM public.rtm_crm d
              WHERE d.account_id = q.a AND d.is_won AND d.close_date >= date '2023-07-01' AND d.close_date < date '2026-07-01'
                AND NOT EXISTS (SELECT FROM public.rtm_crm l WHERE l.account_id = d.account_id AND l.is_won AND l.close_date < date '2026-07-01'
                                AND l.product IS NOT DISTINCT FROM d.product
                                AND ROW(-(l.close_date - date '2000-01-01'), l.opportunity_id COLLATE "C") < ROW(-(d.close_date - date '2000-01-01'), d.opportunity_id COLLATE "C"))) w) AS expected
FROM (SELECT 'a' || i AS a, 'p' || k AS partner, 'p' || j AS product FROM generate_series(1, 12) i, generate_series(1, 3) k, generate_series(1, 14, 3) j) q,
     LATERAL revrtm.roe_explain(jsonb_build_object('account_id', a, 'partner_id', partner, 'product_codes', ARRAY[product], 'region_codes', '{ANY}'::text[])) v
WHERE v.rule = 'incumbent';
SELECT is_empty('SELECT * FROM renewal WHERE says <> expected', 'incumbent is the plain formulation');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM renewal GROUP BY says) c), '>', 20::bigint, 'of each there are many');
SELECT * FROM finish();
ROLLBACK;
