-- Spans against recursive ancestry, and overlapping_claims against a plain
-- self-join, over random trees and claims.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS revrtm;
SET LOCAL search_path = public, pg_catalog;
SELECT plan(14);

-- The same numbers on every run and version.
CREATE FUNCTION pg_temp.dice(seed text, sides int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN (('x' || substr(md5(seed), 1, 7))::bit(28)::int) % sides;

-- Grow random trees: every node below a random earlier one, inserted one by one.
INSERT INTO revrtm.region (region_id, parent_id)
SELECT 'r' || i, CASE WHEN i < 3 THEN 'ANY' ELSE 'r' || (1 + pg_temp.dice('region' || i, i - 1)) END
FROM generate_series(1, 300) i ORDER BY i;
INSERT INTO revrtm.product (product_id, parent_id)
SELECT 'p' || i, CASE WHEN i < 3 THEN 'ANY' ELSE 'p' || (1 + pg_temp.dice('product' || i, i - 1)) END
FROM generate_series(1, 120) i ORDER BY i;

CREATE TEMP TABLE above AS
WITH RECURSIVE up AS (
    SELECT 'region' AS tree, region_id AS node, region_id AS ancestor, 0 AS height FROM revrtm.region
    UNION ALL
    SELECT tree, node, parent_id, height + 1 FROM up JOIN revrtm.region ON region_id = ancestor
    WHERE tree = 'region' AND parent_id IS NOT NULL)
SELECT * FROM up
UNION ALL
(WITH RECURSIVE up AS (
    SELECT 'product' AS tree, product_id AS node, product_id AS ancestor, 0 AS height FROM revrtm.product
    UNION ALL
    SELECT tree, node, parent_id, height + 1 FROM up JOIN revrtm.product ON product_id = ancestor
    WHERE parent_id IS NOT NULL)
SELECT * FROM up);
CREATE UNIQUE INDEX ON above (tree, node, ancestor);
ANALYZE above;

SELECT is((SELECT count(*) FROM above WHERE tree = 'region' AND height = 0), 301::bigint, 'regions were inserted');
SELECT cmp_ok((SELECT max(height) FROM above), '>=', 8, 'the trees are deep');
SELECT is_empty($$
    SELECT a.region_id, b.region_id FROM revrtm.region a, revrtm.region b
    WHERE (a.span @> b.span) <> EXISTS (SELECT FROM above WHERE (tree, node, ancestor) = ('region', b.region_id, a.region_id))$$,
    'a region''s span contains those of its descendants and no others');
SELECT is_empty($$
    SELECT a.product_id, b.product_id FROM revrtm.product a, revrtm.product b
    WHERE (a.span @> b.span) <> EXISTS (SELECT FROM above WHERE (tree, node, ancestor) = ('product', b.product_id, a.product_id))$$,
    'a product''s span contains those of its descendants and no others');
SELECT is_empty($$
    SELECT a.region_id, b.region_id FROM revrtm.region a, revrtm.region b
    WHERE (a.span && b.span) <> (EXISTS (SELECT FROM above WHERE (tree, node, ancestor) = ('region', b.region_id, a.region_id))
        OR EXISTS (SELECT FROM above WHERE (tree, node, ancestor) = ('region', a.region_id, b.region_id)))$$,
    'spans overlap where one region is an ancestor of the other');

-- Random claims: few accounts, names in and outside the trees, every kind of range.
CREATE TABLE claim_row AS
SELECT 'c' || i AS claim_id, 'acc' || pg_temp.dice('account' || i, 40) AS account_id,
    CASE pg_temp.dice('party?' || i, 8) WHEN 0 THEN NULL ELSE 'party' || pg_temp.dice('party' || i, 5) END AS party,
    CASE pg_temp.dice('product?' || i, 8) WHEN 0 THEN NULL WHEN 1 THEN 'other' || pg_temp.dice('other' || i, 3)
        WHEN 2 THEN 'ANY' ELSE 'p' || (1 + pg_temp.dice('p' || i, 20)) END AS product,
    CASE pg_temp.dice('region?' || i, 6) WHEN 0 THEN NULL WHEN 1 THEN 'elsewhere' || pg_temp.dice('else' || i, 2)
        ELSE 'r' || (1 + pg_temp.dice('r' || i, 12)) END AS region,
    CASE pg_temp.dice('range?' || i, 12) WHEN 0 THEN 'empty'::daterange
        WHEN 1 THEN daterange(NULL, '2026-01-01'::date + pg_temp.dice('to' || i, 90))
        WHEN 2 THEN daterange('2026-01-01'::date + pg_temp.dice('from' || i, 90), NULL)
        WHEN 3 THEN daterange('2026-01-01'::date + pg_temp.dice('from' || i, 90), 'infinity', '[]')
        WHEN 4 THEN daterange(NULL, NULL)
        ELSE daterange('2026-01-01'::date + pg_temp.dice('from' || i, 90),
            '2026-01-01'::date + pg_temp.dice('from' || i, 90) + pg_temp.dice('days' || i, 20)) END AS during
FROM generate_series(1, 1500) i;

CREATE FUNCTION pg_temp.narrower(which text, a text, b text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN a IS NULL THEN b WHEN b IS NULL OR a = b THEN a
        WHEN EXISTS (SELECT FROM above WHERE (tree, node, ancestor) = (which, a, b)) THEN a
        WHEN EXISTS (SELECT FROM above WHERE (tree, node, ancestor) = (which, b, a)) THEN b
        ELSE '(apart)' END$$;
CREATE TEMP TABLE expected AS
SELECT * FROM (
    SELECT a.claim_id AS claim_a, b.claim_id AS claim_b, a.account_id,
        pg_temp.narrower('product', a.product, b.product) AS product,
        pg_temp.narrower('region', a.region, b.region) AS region, a.during * b.during AS overlap
    FROM claim_row a JOIN claim_row b ON a.account_id = b.account_id AND a.claim_id COLLATE "C" < b.claim_id COLLATE "C"
        AND a.during && b.during AND (a.party = b.party) IS NOT TRUE) pair
WHERE product IS DISTINCT FROM '(apart)' AND region IS DISTINCT FROM '(apart)';
CREATE TEMP TABLE found AS SELECT * FROM revrtm.overlapping_claims('TABLE public.claim_row');

SELECT cmp_ok((SELECT count(*) FROM expected), '>', 1000::bigint, 'there are pairs to find');
SELECT is_empty('TABLE found EXCEPT ALL TABLE expected', 'no pair too many');
SELECT is_empty('TABLE expected EXCEPT ALL TABLE found', 'no pair is missed');
-- The answer is the same, row by row, for the rows in any order.
SELECT results_eq('TABLE found',
    $$SELECT * FROM revrtm.overlapping_claims('SELECT * FROM public.claim_row ORDER BY md5(claim_id)')$$,
    'the order of the rows does not matter');

-- The constraint agrees with ancestry too: every pair of registrations of one account.
CREATE TEMP TABLE pair AS
SELECT i, 'p' || (1 + pg_temp.dice('pa' || i, 25)) AS product_a, 'r' || (1 + pg_temp.dice('ra' || i, 25)) AS region_a,
    ARRAY['p' || (1 + pg_temp.dice('pb' || i, 25)), 'p' || (1 + pg_temp.dice('pc' || i, 25))] AS products_b,
    ARRAY['r' || (1 + pg_temp.dice('rb' || i, 25)), 'r' || (1 + pg_temp.dice('rc' || i, 25))] AS regions_b
FROM generate_series(1, 500) i;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
SELECT 'pair' || i, 'a', ARRAY[product_a], ARRAY[region_a], 'approved' FROM pair;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
SELECT 'pair' || i, 'b', products_b, regions_b, 'approved' FROM pair
ON CONFLICT DO NOTHING;
CREATE TEMP TABLE refused AS
SELECT i FROM pair WHERE NOT EXISTS (SELECT FROM revrtm.deal_registration d WHERE d.account_id = 'pair' || i AND d.partner_id = 'b');
SELECT cmp_ok((SELECT count(*) FROM refused), '>', 50::bigint, 'some pairs were refused');
SELECT cmp_ok((SELECT count(*) FROM refused), '<', 450::bigint, 'and some were not');
SELECT set_eq('TABLE refused', $$
    SELECT i FROM pair WHERE EXISTS (SELECT FROM unnest(products_b) p WHERE pg_temp.narrower('product', p, product_a) <> '(apart)')
        AND EXISTS (SELECT FROM unnest(regions_b) r WHERE pg_temp.narrower('region', r, region_a) <> '(apart)')$$,
    'registrations conflict where products and regions are related by ancestry');
-- A third partner with the scope of the second: in its way is the first where
-- that kept the second out, else the second.
CREATE TEMP TABLE reported AS
SELECT i, r.* FROM pair, revrtm.register_deal('pair' || i, 'c', products_b, regions_b) r;
SELECT set_eq($$SELECT i, reason_code, partner_id FROM reported r
        JOIN revrtm.deal_registration d ON d.registration_id = r.conflicting_registration_id$$,
    $$SELECT i, 'PROTECTED', CASE WHEN i IN (TABLE refused) THEN 'a' ELSE 'b' END FROM pair$$,
    'register_deal names the registration in the way');
SELECT set_eq('SELECT registration_id, other_registration_id FROM revrtm.registration_conflict',
    'SELECT registration_id, conflicting_registration_id FROM reported',
    'and so does the view of open conflicts');

SELECT * FROM finish();
ROLLBACK;
