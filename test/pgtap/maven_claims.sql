-- Agents who work the same product at the same account, from a real CRM
-- export, against a self-join: needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
\ir maven_table.psql
SELECT plan(6);

-- A deal claims its account and product from engagement to close, both days included; an open one has no end.
CREATE TEMP VIEW expected AS
SELECT a.opportunity_id AS claim_a, b.opportunity_id AS claim_b, a.account AS account_id, a.product,
       greatest(a.engage_date, b.engage_date) AS first_day, least(a.close_date, b.close_date) AS last_day
FROM maven.sales_pipeline a JOIN maven.sales_pipeline b ON b.account = a.account AND b.product = a.product
WHERE a.sales_agent <> b.sales_agent AND a.opportunity_id COLLATE "C" < b.opportunity_id COLLATE "C"
  AND a.engage_date <= coalesce(b.close_date, 'infinity') AND b.engage_date <= coalesce(a.close_date, 'infinity');
\set claims 'SELECT opportunity_id AS claim_id, account AS account_id, sales_agent AS party, product, NULL::text AS region, daterange(engage_date, close_date, \'[]\') AS during FROM maven.sales_pipeline WHERE account IS NOT NULL AND engage_date IS NOT NULL'
CREATE TEMP TABLE found AS SELECT * FROM revrtm.overlapping_claims(:'claims');
SELECT cmp_ok((SELECT count(*) FROM found), '>', 1000::bigint, 'claims do overlap');
SELECT bag_eq('SELECT claim_a, claim_b, account_id, product, lower(overlap), upper(overlap) - 1 FROM found', 'TABLE expected', 'every pair, product and span of days');
SELECT is_empty('SELECT * FROM found WHERE region IS NOT NULL', 'no region was claimed');

-- Within the regional office as well.
\set claims 'SELECT p.opportunity_id AS claim_id, p.account AS account_id, p.sales_agent AS party, p.product, t.regional_office AS region, daterange(p.engage_date, p.close_date, \'[]\') AS during FROM maven.sales_pipeline p JOIN maven.sales_teams t USING (sales_agent) WHERE p.account IS NOT NULL AND p.engage_date IS NOT NULL'
SELECT bag_eq(format('SELECT claim_a, claim_b, region FROM revrtm.overlapping_claims(%L)', :'claims'),
    'SELECT e.claim_a, e.claim_b, x.regional_office FROM expected e JOIN maven.sales_pipeline a ON a.opportunity_id = e.claim_a JOIN maven.sales_pipeline b ON b.opportunity_id = e.claim_b
     JOIN maven.sales_teams x ON x.sales_agent = a.sales_agent JOIN maven.sales_teams y ON y.sales_agent = b.sales_agent AND y.regional_office = x.regional_office', 'within a region');
-- By series of products: the tree decides, and the narrower name is shown.
INSERT INTO revrtm.product (product_id, parent_id) SELECT DISTINCT series, 'ANY' FROM maven.products;
INSERT INTO revrtm.product (product_id, parent_id) SELECT product, series FROM maven.products WHERE product <> series;
\set claims 'SELECT p.opportunity_id AS claim_id, p.account AS account_id, p.sales_agent AS party, CASE p.product WHEN \'GTXPro\' THEN \'GTX Pro\' WHEN \'GTX Basic\' THEN \'GTX\' ELSE p.product END AS product, NULL::text AS region, daterange(p.engage_date, p.close_date, \'[]\') AS during FROM maven.sales_pipeline p WHERE p.account IS NOT NULL AND p.engage_date IS NOT NULL'
SELECT bag_eq(format('SELECT claim_a, claim_b, product FROM revrtm.overlapping_claims(%L)', :'claims'), $$
    WITH claim AS (
        SELECT p.*, CASE product WHEN 'GTX Basic' THEN NULL WHEN 'GTXPro' THEN 'GTX Pro' ELSE product END AS leaf, CASE WHEN product LIKE 'GTX%' THEN 'GTX' WHEN product LIKE 'GTK%' THEN 'GTK' ELSE 'MG' END AS series
        FROM maven.sales_pipeline p)
    SELECT a.opportunity_id AS claim_a, b.opportunity_id AS claim_b, coalesce(a.leaf, b.leaf, 'GTX') AS product
    FROM claim a JOIN claim b ON b.account = a.account AND b.series = a.series AND (a.leaf = b.leaf OR a.leaf IS NULL OR b.leaf IS NULL)
    WHERE a.sales_agent <> b.sales_agent AND a.opportunity_id COLLATE "C" < b.opportunity_id COLLATE "C"
      AND a.engage_date <= coalesce(b.close_date, 'infinity') AND b.engage_date <= coalesce(a.close_date, 'infinity')$$, 'a series claims its products');
SELECT is_empty($$SELECT * FROM revrtm.overlapping_claims('SELECT opportunity_id AS claim_id, account AS account_id, NULL::text AS party, product, NULL::text AS region, daterange(close_date, close_date) AS during
    FROM maven.sales_pipeline WHERE account IS NOT NULL AND close_date IS NOT NULL')$$, 'empty spans overlap with nothing');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
