-- KPIs of a real CRM export against plain SQL on its tables: win rates, days
-- and pipeline by agent, team, region and product. Needs the environment
-- variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
\ir maven_table.psql
SELECT plan(14);
-- The agent stands for the segment, so that KPIs are told by it.
CREATE VIEW maven.deal AS
SELECT p.opportunity_id, coalesce(p.account, '(none)') AS account_id, p.close_value AS amount, p.deal_stage IN ('Won', 'Lost') AS is_closed, p.deal_stage = 'Won' AS is_won,
       p.engage_date AS created_on, p.close_date, p.sales_agent AS agent, t.manager, t.regional_office AS region, CASE p.product WHEN 'GTXPro' THEN 'GTX Pro' ELSE p.product END AS product
FROM maven.sales_pipeline p LEFT JOIN maven.sales_teams t ON t.sales_agent = p.sales_agent;
SELECT lives_ok($bind$ SELECT revrtm.bind('opportunity', $$
    SELECT d.opportunity_id, d.account_id, d.amount, d.is_closed, d.is_won, d.created_on::timestamp AT TIME ZONE 'UTC' AS created_at, d.close_date, d.region, d.product, d.agent AS segment
    FROM maven.deal d $$) $bind$, 'deals are bound');
SELECT is((SELECT inserted FROM revrtm.refresh_journeys()), 8800::bigint, 'the store is made');
SELECT is((SELECT count(*) FROM revrtm.kpi WHERE value IS NOT NULL AND kpi IN ('sourced_pipeline', 'influenced_pipeline')), 0::bigint, 'nobody knows who sourced what');

SELECT bag_eq($$SELECT period, segment, region, product, numerator::bigint AS won, denominator::bigint AS closed, value FROM revrtm.kpi WHERE kpi = 'win_rate' AND denominator > 0$$,
    $$SELECT date_trunc('month', close_date::timestamp)::date, agent, region, product, count(*) FILTER (WHERE is_won) AS won, count(*) AS closed, round(avg(is_won::int), 6) AS rate
      FROM maven.deal WHERE is_closed GROUP BY 1, 2, 3, 4$$, 'win rate by month, agent, region and product');
SELECT bag_eq($$SELECT segment, round(value, 6), n FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{segment}') WHERE kpi = 'win_rate' AND n > 0$$,
    $$SELECT agent, round(avg(is_won::int), 6), count(*) FROM maven.deal WHERE is_closed GROUP BY agent$$, 'win rate by agent');
SELECT bag_eq($$SELECT region, round(value, 6), numerator::bigint FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{region}') WHERE kpi = 'win_rate'$$,
    $$SELECT region, round(avg(is_won::int), 6), sum(is_won::int) FROM maven.deal WHERE is_closed GROUP BY region$$, 'win rate by region');
SELECT bag_eq($$SELECT t.manager, sum(k.numerator)::bigint AS won, sum(k.denominator)::bigint AS closed FROM revrtm.kpi k JOIN maven.sales_teams t ON t.sales_agent = k.segment WHERE k.kpi = 'win_rate' GROUP BY t.manager$$,
    $$SELECT manager, sum(is_won::int) AS won, count(*) AS closed FROM maven.deal WHERE is_closed GROUP BY manager$$, 'win rate by team, from its agents');
SELECT bag_eq($$SELECT period, region, round(value, 6), numerator::bigint AS won, denominator::bigint AS closed, n FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{period,region}') WHERE kpi = 'win_rate_created' AND n > 0$$,
    $$SELECT date_trunc('month', created_on::timestamp)::date, region, round(avg(is_won::int) FILTER (WHERE is_closed), 6) AS rate, count(*) FILTER (WHERE is_won) AS won, count(*) FILTER (WHERE is_closed) AS closed, count(*) AS begun
      FROM maven.deal WHERE created_on IS NOT NULL GROUP BY 1, 2$$, 'win rate of what was begun in a month');
SELECT bag_eq($$SELECT kpi, product, region, value, n FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{region,product}') WHERE kpi IN ('cycle_time_median', 'cycle_time_p90')$$,
    $$SELECT v.kpi, product, region, (percentile_cont(v.f) WITHIN GROUP (ORDER BY close_date - created_on) FILTER (WHERE is_won))::numeric, count(*) FILTER (WHERE is_won)
      FROM maven.deal, (VALUES ('cycle_time_median', 0.5), ('cycle_time_p90', 0.9)) v (kpi, f) GROUP BY v.f, v.kpi, product, region$$, 'days by product and region');
SELECT bag_eq($$SELECT period, region, n FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{period,region}') WHERE kpi = 'velocity'$$,
    $$SELECT m::date, region, count(*) FILTER (WHERE created_on < m + interval '1 month' AND coalesce(close_date >= m + interval '1 month', true)) FROM maven.deal, generate_series(timestamp '2016-10-01', '2017-12-01', '1 month') m
      GROUP BY m, region HAVING count(*) FILTER (WHERE created_on < m + interval '1 month') > 0$$, 'deals that are open at the end of a month');
SELECT bag_eq($$SELECT period, segment, denominator FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{period,segment}') WHERE kpi = 'gross_margin' AND n > 0$$,
    $$SELECT date_trunc('month', close_date::timestamp)::date, agent, sum(amount)::numeric FROM maven.deal WHERE is_won GROUP BY 1, 2$$, 'what was won by month and agent');
SELECT bag_eq($$SELECT period, denominator::bigint FROM revrtm.kpi_between('2016-10-01', '2017-12-31', '{period}') WHERE kpi = 'cac' AND denominator > 0$$,
    $$SELECT date_trunc('month', first::timestamp)::date, count(*) FROM (SELECT min(close_date) AS first FROM maven.deal WHERE is_won AND account_id <> '(none)' GROUP BY account_id) f GROUP BY 1$$, 'accounts won for the first time');
-- Agents sell different products: the same mix for all, by hand.
SELECT bag_eq($$SELECT member, standardized FROM revrtm.kpi_standardized('win_rate', '2017-01-01', '2017-12-31', 'region', '{product}')$$,
    $$WITH c AS (SELECT region, product, avg(is_won::int) AS rate, count(*) AS n FROM maven.deal WHERE is_closed AND close_date >= '2017-01-01' GROUP BY 1, 2),
           s AS (SELECT product, sum(n) AS weight FROM c GROUP BY product HAVING count(*) = (SELECT count(DISTINCT region) FROM c))
      SELECT c.region, round(sum(c.rate * s.weight) / sum(s.weight), 6) FROM c JOIN s USING (product) GROUP BY c.region$$, 'regions with the same products');
SELECT is((SELECT count(DISTINCT verdict) FROM revrtm.outcome_test('[2017-04-01,2017-07-01)', '[2017-07-01,2017-10-01)', '{region,product}')), 1::bigint, 'one verdict');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
