-- Pipeline and win rate of a real CRM export, bound as its user would bind it:
-- needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
\ir maven_table.psql
SELECT plan(15);

-- The price list says "GTX Pro", the deals "GTXPro"; accounts are blank, open deals have no value, prospects no day of engagement.
SELECT is((SELECT count(*) FROM maven.sales_pipeline), 8800::bigint, 'all deals are loaded');
SELECT bag_eq('SELECT DISTINCT product FROM maven.sales_pipeline p WHERE NOT EXISTS (SELECT FROM maven.products q WHERE q.product = p.product)',
    ARRAY['GTXPro'], 'one product is spelled otherwise than in the price list');

SELECT lives_ok($bind$ SELECT revrtm.bind('account', $$
    SELECT account AS account_id, account AS account_name, subsidiary_of AS parent_account_id, sector AS industry, employees, office_location AS country
    FROM maven.accounts $$) $bind$, 'accounts are bound');
SELECT lives_ok($bind$ SELECT revrtm.bind('opportunity', $$
    SELECT p.opportunity_id, p.account AS account_id, p.close_value AS amount, p.deal_stage IN ('Won', 'Lost') AS is_closed, p.deal_stage = 'Won' AS is_won,
           p.engage_date::timestamp AT TIME ZONE 'UTC' AS created_at, p.close_date, p.deal_stage AS stage, p.sales_agent AS owner_id,
           t.regional_office AS region, CASE p.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE p.product END AS product
    FROM maven.sales_pipeline p LEFT JOIN maven.sales_teams t ON t.sales_agent = p.sales_agent $$) $bind$, 'deals are bound');
SELECT lives_ok($bind$ SELECT revrtm.bind('app_user', $$
    SELECT sales_agent AS user_id, sales_agent AS user_name, manager AS manager_id, regional_office AS region FROM maven.sales_teams $$) $bind$, 'agents are bound');
SELECT is_empty('SELECT relation, column_name, problem FROM revrtm.binding_check() WHERE problem IS NOT NULL', 'no problem is left');

SELECT results_eq(
    'SELECT region, sum(won)::bigint, sum(lost)::bigint, sum(open_deals)::bigint, sum(won_amount), round(sum(won) / sum(won + lost), 6) FROM revrtm.pipeline GROUP BY region ORDER BY region COLLATE "C"',
    $$SELECT regional_office, sum((deal_stage = 'Won')::int), sum((deal_stage = 'Lost')::int), sum((deal_stage IN ('Engaging', 'Prospecting'))::int),
             sum(close_value), round(avg((deal_stage = 'Won')::int) FILTER (WHERE close_date IS NOT NULL), 6)
      FROM maven.sales_pipeline JOIN maven.sales_teams USING (sales_agent) GROUP BY regional_office ORDER BY regional_office COLLATE "C"$$, 'by region');
SELECT results_eq(
    'SELECT region, owner_id, sum(won)::bigint, sum(lost)::bigint, sum(open_deals)::bigint, sum(open_amount), sum(won_amount), round(sum(won) / sum(won + lost), 6)
     FROM revrtm.pipeline GROUP BY region, owner_id ORDER BY owner_id COLLATE "C"',
    $$SELECT regional_office, sales_agent, sum((deal_stage = 'Won')::int), sum((deal_stage = 'Lost')::int), sum((deal_stage IN ('Engaging', 'Prospecting'))::int),
             0.00, sum(close_value), round(avg((deal_stage = 'Won')::int) FILTER (WHERE close_date IS NOT NULL), 6)
      FROM maven.sales_pipeline JOIN maven.sales_teams USING (sales_agent) GROUP BY regional_office, sales_agent ORDER BY sales_agent COLLATE "C"$$, 'by region and agent');
SELECT bag_eq(
    'SELECT region, owner_id, product, route_id, open_deals, open_amount, won, lost, won_amount, win_rate, fx_missing, note FROM revrtm.pipeline',
    $$SELECT t.regional_office, p.sales_agent, replace(p.product, 'GTXPro', 'GTX Pro') AS product, 'direct' AS route, count(*) - count(p.close_date) AS open_deals, 0.00::numeric(18, 2) AS open_amount,
             count(nullif(p.close_value, 0)) AS won, count(*) FILTER (WHERE p.close_value = 0) AS lost, coalesce(sum(p.close_value), 0)::numeric(18, 2) AS won_amount,
             round(count(nullif(p.close_value, 0))::numeric / nullif(count(p.close_date), 0), 6)::numeric(12, 6) AS win_rate, 0::bigint AS fx_missing,
             CASE WHEN count(p.close_date) = 0 THEN 'no_closed' END AS note
      FROM maven.sales_pipeline p, maven.sales_teams t WHERE t.sales_agent = p.sales_agent GROUP BY 1, 2, 3$$, 'by region, agent and product: each row of the view');
SELECT is((SELECT count(DISTINCT product) FROM revrtm.pipeline), 7::bigint, 'seven products');
-- What the export itself says, counted apart.
SELECT results_eq('SELECT sum(won)::bigint, sum(lost)::bigint, sum(open_deals)::bigint, sum(won_amount) FROM revrtm.pipeline',
    'VALUES (4238::bigint, 2473::bigint, 2089::bigint, 10005534::numeric)', 'the whole export');
SELECT is((SELECT count(*) FROM revrtm.opportunity WHERE account_id = '(none)'), 1425::bigint, 'blank accounts are (none)');

-- Without touches every won deal is unattributed, and foots.
SELECT is((SELECT mode FROM revrtm.refresh_journeys()), 'full', 'the store is made');
SELECT results_eq('SELECT period, conversions, revenue FROM revrtm.channel_attribution WHERE model = ''linear'' AND channel = ''(unattributed)'' ORDER BY period',
    $$SELECT date_trunc('month', close_date::timestamp)::date, count(*)::float8, sum(close_value) FROM maven.sales_pipeline WHERE deal_stage = 'Won' GROUP BY 1 ORDER BY 1$$, 'won by month');
SELECT is_empty('SELECT * FROM revrtm.attribution_check WHERE difference <> 0 OR deal_difference <> 0', 'credit equals bookings');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
