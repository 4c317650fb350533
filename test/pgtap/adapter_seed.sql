-- The Salesforce adapter on rows that Fivetran's dbt package is tested with:
-- needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
CREATE SCHEMA sf;
\set t account
\ir fivetran_table.psql
\set t contact
\ir fivetran_table.psql
\set t lead
\ir fivetran_table.psql
\set t opportunity
\ir fivetran_table.psql
\set t opportunity_history
\ir fivetran_table.psql
\set t opportunity_line_item
\ir fivetran_table.psql
\set t product_2
\ir fivetran_table.psql
\set t task
\ir fivetran_table.psql
\set t event
\ir fivetran_table.psql
\set t user
\ir fivetran_table.psql

SELECT plan(14);
CREATE TEMP TABLE result AS SELECT * FROM revrtm.bind_salesforce('sf');
SELECT set_eq('SELECT relation FROM result WHERE bound',
    ARRAY['account', 'opportunity', 'contact', 'touch', 'product_line', 'app_user', 'partner'], 'what is there is bound');
SELECT is((SELECT missing FROM result WHERE relation = 'opportunity_stage'), ARRAY['table opportunity_history'],
    'a history of whole deals is not the history of stages');
SELECT is((SELECT missing FROM result WHERE relation = 'touch'), ARRAY['table campaign_member', 'route_id', 'milestone', 'verified', 'source_system'],
    'touches come from tasks and events alone');
SELECT is_empty('SELECT relation, column_name, problem FROM revrtm.binding_check() WHERE problem IS NOT NULL', 'no problem is left');
SELECT is((SELECT count(*) FROM revrtm.account), 7::bigint, 'accounts: three of the ten are not the current version');
SELECT results_eq('SELECT opportunity_id, amount, round(probability, 2), deleted, close_date, created_at, account_id FROM revrtm.opportunity
                   WHERE opportunity_id = ''006q000000HddohAAB''',
    $$VALUES ('006q000000HddohAAB', 24120000.00, 10.00, true, date '2018-12-19', timestamptz '2018-12-19 19:51:13+00', '9CcfAt8qtZvCTwFvwOFLcg==')$$,
    'a deal, with its dates in UTC');
SELECT is((SELECT count(*) FROM revrtm.opportunity), (SELECT count(*) FROM sf.opportunity WHERE _fivetran_active), 'deals');
SELECT is((SELECT count(*) FROM revrtm.touch), (SELECT count(*) FROM sf.task) + (SELECT count(*) FROM sf.event), 'touches');
SELECT set_eq('SELECT DISTINCT channel FROM revrtm.touch t', 'SELECT lower(coalesce(type, task_subtype)) FROM sf.task UNION SELECT lower(coalesce(type, event_subtype)) FROM sf.event', 'channels');
SELECT is((SELECT count(*) FROM revrtm.touch WHERE opportunity_id IS NOT NULL),
    (SELECT count(*) FROM sf.task WHERE what_id LIKE '006%') + (SELECT count(*) FROM sf.event WHERE what_id LIKE '006%'), 'touches of deals');
SELECT results_eq('SELECT account_id, lead_created_at FROM revrtm.contact WHERE contact_id LIKE ''00Q%''',
    $$VALUES ('0011G00000tLWKnQAO', timestamptz '2019-11-11 17:23:34+00')$$, 'a lead stands beside the contacts, on the account it became');
SELECT is((SELECT sum(amount) FROM revrtm.product_line), (SELECT sum(round(total_price::numeric, 2)) FROM sf.opportunity_line_item WHERE is_deleted IS NOT TRUE), 'lines');
SELECT is((SELECT count(*) FROM revrtm.app_user), (SELECT count(*) FROM sf."user" WHERE NOT _fivetran_deleted AND _fivetran_active), 'users');
SELECT is((SELECT count(*) FROM revrtm.partner), (SELECT count(*) FROM sf.account WHERE type = 'Partner'), 'partners');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
