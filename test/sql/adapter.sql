-- Salesforce as Fivetran lands it, bound by probing the schema.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'America/Los_Angeles';
CREATE SCHEMA "sales Force";
SET search_path = "sales Force", public;

-- How often a plan uses an index condition and reads a whole table.
CREATE FUNCTION public.plan(query text, OUT index_conditions int, OUT whole_tables int) LANGUAGE plpgsql AS $$
DECLARE
    j jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO j;
    index_conditions := jsonb_array_length(jsonb_path_query_array(j, 'strict $.**."Index Cond"'));
    whole_tables := jsonb_array_length(jsonb_path_query_array(j, 'strict $.**."Node Type" ? (@ == "Seq Scan")'));
END
$$;

CREATE TABLE account (id text PRIMARY KEY, name varchar(255), parent_id text, master_record_id text, website text, industry text, type text,
    is_partner boolean, partner_type_c text, partner_tier_c text, billing_country text, account_segment_c text, region_c text, owner_id text,
    number_of_employees bigint, created_date timestamptz, is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO account VALUES
('001A', 'Acme ', NULL, '', 'HTTPS://www.Acme.example:8443/home?x#y', 'Steel', 'Customer', false, NULL, NULL, 'DE', 'enterprise', 'EMEA', '005U', 1200, '2025-01-01 00:00+00', false, false, '2026-01-01 00:00+00'),
('001B', '  ', '001A', NULL, 'beta.example', NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, '005U', NULL, '2025-01-02 00:00+00', true, NULL, '2026-01-01 00:00+00'),
('001P', 'Partner One', NULL, NULL, '', NULL, 'Customer', true, 'reseller', 'gold', 'FR', NULL, NULL, NULL, NULL, NULL, false, false, NULL),
('001Q', 'Partner Two', NULL, NULL, NULL, NULL, 'Partner', NULL, '', NULL, NULL, NULL, 'APAC', NULL, NULL, NULL, NULL, NULL, NULL),
('001R', 'Gone Partner', NULL, NULL, NULL, NULL, 'Partner', true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, true, NULL);

CREATE TABLE opportunity (id text PRIMARY KEY, account_id text, name text, amount double precision, currency_iso_code text, stage_name text,
    is_closed boolean, is_won boolean, probability double precision, close_date date, created_date timestamptz, owner_id text, type text,
    partner_account_id text, route_c text, segment_c text, region_c text, product_c text, margin_c double precision,
    is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO opportunity VALUES
('006A', '001A', 'One', 1234.005, 'EUR', 'Closed Won', true, true, 100, '2026-02-01', '2026-01-01 07:30+00', '005U', 'New', '001P', 'resell', 'smb', 'EMEA', 'crm', 0.1::float8 + 0.2::float8, false, false, '2026-03-01 00:00+00'),
('006B', NULL, 'Two', NULL, NULL, 'Open', false, false, 12.5, '2026-05-01', '2026-01-02 00:00+00', NULL, NULL, '001P', NULL, NULL, NULL, NULL, NULL, false, true, '2026-03-01 00:00+00'),
('006C', '', 'Three', 99999999999.99, NULL, 'Open', false, false, NULL, NULL, '2026-01-02 00:00+00', NULL, NULL, '', ' ', NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE opportunity_history (id text, opportunity_id text, stage_name text, amount double precision, created_date timestamptz, is_deleted boolean);
INSERT INTO opportunity_history VALUES
('h1', '006A', 'Open', 10, '2026-01-01 00:00+00', false), ('h2', '006A', 'Open', 20, '2026-01-02 00:00+00', false),
('h3', '006A', 'Commit', 20, '2026-01-03 00:00+00', true), ('h4', '006A', 'Commit', 20, '2026-01-04 00:00+00', false),
('h5', '006A', 'Open', 20, '2026-01-05 00:00+00', false), ('h6', '006B', 'Open', 1, '2026-01-05 00:00+00', NULL);

CREATE TABLE campaign (id text PRIMARY KEY, name text, type text, partner_account_c text, _fivetran_synced timestamptz);
INSERT INTO campaign VALUES ('701A', 'a', 'Partner Event', '001P', '2026-05-01 00:00+00'), ('701B', 'b', '', NULL, '2026-01-01 00:00+00');
CREATE TABLE campaign_member (id text PRIMARY KEY, campaign_id text, contact_id text, lead_id text, account_id text, has_responded boolean,
    first_responded_date date, created_date timestamptz, is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO campaign_member VALUES
('00vA', '701A', '003A', '00QA', NULL, true, '2026-01-10', '2026-01-09 12:00+00', false, false, '2026-02-01 00:00+00'),
('00vB', '701B', NULL, '00QA', NULL, false, NULL, '2026-01-09 12:00+00', true, false, '2026-02-01 00:00+00'),
('00vD', '701B', '003A', NULL, NULL, true, '2026-01-09', '2026-01-09 23:30+00', false, false, '2026-02-01 00:00+00'),
('00vC', 'gone', NULL, NULL, '001A', NULL, NULL, '2026-01-09 12:00+00', NULL, NULL, NULL);
CREATE TABLE task (id text PRIMARY KEY, who_id text, what_id text, account_id text, type text, task_subtype text, is_closed boolean,
    activity_date date, completed_date_time timestamptz, created_date timestamptz, is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO task VALUES
('00TA', '003A', '006A', '001A', 'SDR Call', 'Call', true, '2026-01-11', '2026-01-12 01:00+00', '2026-01-10 00:00+00', false, false, '2026-02-02 00:00+00'),
('00TB', '00QA', '001A', '001A', NULL, 'Email', false, '2026-01-11', NULL, '2026-01-10 00:00+00', false, false, '2026-02-02 00:00+00'),
('00TC', NULL, '', NULL, ' ', NULL, NULL, NULL, NULL, '2026-01-10 00:00+00', false, false, '2026-02-02 00:00+00');
CREATE TABLE event (id text PRIMARY KEY, who_id text, what_id text, account_id text, type text, event_subtype text, partner_account_c text,
    activity_date_time timestamptz, start_date_time timestamptz, created_date timestamptz, is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO event VALUES ('00UA', '003A', '006B', NULL, 'Meeting', 'Event', '001P', NULL, '2026-01-13 00:00+00', '2026-01-10 00:00+00', false, false, '2026-02-03 00:00+00');

CREATE TABLE contact (id text, account_id text, email text, title text, created_date timestamptz, is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO contact VALUES ('003A', '001A', 'a@acme.example', 'CIO', '2026-01-05 00:00+00', false, false, '2026-02-01 00:00+00');
CREATE TABLE lead (id text, email text, title text, converted_account_id text, converted_contact_id text, created_date timestamptz, is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
INSERT INTO lead VALUES ('00QA', ' ', NULL, '001A', '003A', '2026-01-03 00:00+00', true, false, '2026-02-01 00:00+00');
CREATE TABLE opportunity_contact_role (id text, opportunity_id text, contact_id text, role text, is_primary boolean, is_deleted boolean);
INSERT INTO opportunity_contact_role VALUES ('k1', '006A', '003A', 'Decision Maker', true, false), ('k2', '006A', '003A', ' ', false, true);
CREATE TABLE opportunity_partner (id text, opportunity_id text, account_to_id text, role text, is_primary boolean, created_date timestamptz, is_deleted boolean);
INSERT INTO opportunity_partner VALUES ('p1', '006A', '001P', 'Reseller', true, '2026-01-05 00:00+00', false), ('p2', '006A', '001Q', 'Other', false, '2026-01-05 00:00+00', true);
CREATE TABLE opportunity_line_item (id text, opportunity_id text, product_2_id text, quantity double precision, total_price double precision, is_deleted boolean);
INSERT INTO opportunity_line_item VALUES ('l1', '006A', '01tA', 2.5, 1000.005, false), ('l2', '006A', '01tX', 1, NULL, false), ('l3', '006A', '01tA', 1, 1, true);
CREATE TABLE product_2 (id text, name text, family text, is_deleted boolean);
INSERT INTO product_2 VALUES ('01tA', 'CRM Basic', 'crm', true);
CREATE TABLE "user" (id text, name text, manager_id text, region_c text, is_active boolean, _fivetran_deleted boolean);
INSERT INTO "user" VALUES ('005U', 'Ursula', NULL, 'EMEA', true, false), ('005V', 'Gone', '005U', NULL, false, true);
CREATE TABLE spend_entry (spend_id text, period date, route_id text, category text, amount numeric(18,2), currency text, partner_id text, channel text, _fivetran_deleted boolean);
INSERT INTO spend_entry VALUES ('s1', '2026-01-01', 'direct', 'content', 100.10, 'EUR', NULL, NULL, false), ('s2', '2026-01-01', 'direct', 'content', 1, NULL, NULL, NULL, true);
CREATE TABLE fx_rate (from_currency text, to_currency text, on_date date, rate numeric(18,8));
INSERT INTO fx_rate VALUES ('EUR', 'USD', '2026-01-01', 1.08);

RESET search_path;
SELECT * FROM revrtm.bind_salesforce('sales Force', 'fivetran');
SELECT relation, column_name, problem FROM revrtm.binding_check() WHERE problem IS NOT NULL;
SELECT parallel, array_agg(relation ORDER BY relation) FROM revrtm.binding GROUP BY 1;

-- What the views show. Days and instants are UTC whatever the session's zone.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\x
TABLE revrtm.account ORDER BY account_id;
TABLE revrtm.opportunity ORDER BY opportunity_id;
\x
TABLE revrtm.opportunity_stage ORDER BY opportunity_id, entered_at;
SELECT touch_id, touched_at, channel, opportunity_id, account_id, contact_id, partner_id, responded, deleted, synced_at FROM revrtm.touch ORDER BY touch_id;
TABLE revrtm.contact ORDER BY contact_id;
TABLE revrtm.partner ORDER BY partner_id;
TABLE revrtm.opportunity_contact;
TABLE revrtm.opportunity_partner;
TABLE revrtm.product_line ORDER BY line_id;
TABLE revrtm.spend;
TABLE revrtm.fx_rate;
TABLE revrtm.app_user;
SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) AS digest FROM (SELECT extract(epoch FROM touched_at) AS at, touch_id FROM revrtm.touch) x \gset
SET TimeZone = 'Pacific/Auckland';
SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) = :'digest' AS same_instants FROM (SELECT extract(epoch FROM touched_at) AS at, touch_id FROM revrtm.touch) x;

-- Ids reach the indexes of every branch; the stages of a deal are found by it.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE INDEX stage_deal ON "sales Force".opportunity_history (opportunity_id);
SELECT * FROM plan($$SELECT touch_id, account_id FROM revrtm.touch WHERE touch_id = '00TA'$$);
SELECT * FROM plan($$SELECT opportunity_id, amount FROM revrtm.opportunity WHERE opportunity_id = '006A'$$);
SELECT * FROM plan($$SELECT stage FROM revrtm.opportunity_stage WHERE opportunity_id = '006A'$$);
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Tables and columns that are not there: branches go, columns are absent.
BEGIN;
DROP TABLE "sales Force".campaign, "sales Force".event, "sales Force".lead, "sales Force".spend_entry, "sales Force".product_2;
ALTER TABLE "sales Force".opportunity DROP COLUMN partner_account_id, DROP COLUMN route_c, DROP COLUMN _fivetran_synced;
ALTER TABLE "sales Force".account DROP COLUMN is_partner, DROP COLUMN type;
ALTER TABLE "sales Force".opportunity_history DROP COLUMN opportunity_id;
ALTER TABLE "sales Force".task DROP COLUMN type, DROP COLUMN task_subtype;
SELECT relation, bound, missing FROM revrtm.bind_salesforce('sales Force') WHERE missing <> '{}';
SELECT touch_id, channel, partner_id FROM revrtm.touch ORDER BY touch_id;
SELECT opportunity_id, route_id FROM revrtm.opportunity ORDER BY 1;
SELECT revrtm.bound_columns('opportunity') && '{partner_id,route_id,synced_at}' AS bound;
SELECT line_id, product FROM revrtm.product_line ORDER BY 1;
-- What is not found stays as it was.
SELECT relation, problem FROM revrtm.binding_check() WHERE column_name IN ('spend_id', 'stage');
ROLLBACK;

-- A required column that nothing gives.
BEGIN;
ALTER TABLE "sales Force".opportunity DROP COLUMN amount, DROP COLUMN close_date;
ALTER TABLE "sales Force".task DROP COLUMN completed_date_time, DROP COLUMN activity_date, DROP COLUMN created_date;
SELECT * FROM revrtm.bind_salesforce('sales Force');
ROLLBACK;

-- History mode: one row a record, joined tables included.
BEGIN;
ALTER TABLE "sales Force".account DROP CONSTRAINT account_pkey, ADD COLUMN _fivetran_active boolean;
ALTER TABLE "sales Force".campaign DROP CONSTRAINT campaign_pkey, ADD COLUMN _fivetran_active boolean;
UPDATE "sales Force".account SET _fivetran_active = true;
INSERT INTO "sales Force".account (id, name, _fivetran_active) VALUES ('001A', 'Old name', false), ('001A', 'Older', false);
INSERT INTO "sales Force".campaign (id, type, _fivetran_active) VALUES ('701A', 'Old type', false);
SELECT count(*) FROM revrtm.bind_salesforce('sales Force') WHERE bound;
SELECT account_id, account_name FROM revrtm.account WHERE account_id = '001A';
SELECT touch_id, channel FROM revrtm.touch WHERE touch_id = '00vA';
ROLLBACK;

-- Other types: text for everything, instants without a zone, numeric.
BEGIN;
CREATE TABLE "sales Force".opportunity_text AS SELECT * FROM "sales Force".opportunity;
ALTER TABLE "sales Force".opportunity_text
    ALTER amount TYPE text, ALTER probability TYPE numeric, ALTER is_closed TYPE text, ALTER is_won TYPE char(5),
    ALTER close_date TYPE timestamptz USING close_date::timestamp AT TIME ZONE 'UTC',
    ALTER created_date TYPE timestamp USING created_date AT TIME ZONE 'UTC',
    ALTER _fivetran_synced TYPE text USING to_char(_fivetran_synced AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
    ALTER margin_c TYPE numeric USING round(margin_c::numeric, 2), ALTER is_deleted TYPE text;
UPDATE "sales Force".opportunity_text SET amount = ' 1234.005 ' WHERE id = '006A';
UPDATE "sales Force".opportunity_text SET is_deleted = '' WHERE id = '006C';
CREATE TEMP TABLE before AS TABLE revrtm.opportunity;
DROP TABLE "sales Force".opportunity;
ALTER TABLE "sales Force".opportunity_text RENAME TO opportunity;
SELECT count(*) FROM revrtm.bind_salesforce('sales Force') WHERE bound;
SELECT opportunity_id, amount FROM (TABLE before EXCEPT TABLE revrtm.opportunity) x;
ROLLBACK;

-- Rates of the CRM come before the plain table, when the corporate currency is known.
BEGIN;
CREATE TABLE "sales Force".dated_conversion_rate (iso_code text, conversion_rate double precision, start_date date);
INSERT INTO "sales Force".dated_conversion_rate VALUES ('EUR', 0.8, '2026-01-01'), ('USD', 1, '2026-01-01'), ('XXX', 0, '2026-01-01');
SELECT columns, missing FROM revrtm.bind_salesforce('sales Force') WHERE relation = 'fx_rate';
CREATE TABLE "sales Force".currency_type (iso_code text, is_corporate boolean);
INSERT INTO "sales Force".currency_type VALUES ('USD', true), ('EUR', false);
SELECT columns, missing FROM revrtm.bind_salesforce('sales Force') WHERE relation = 'fx_rate';
SELECT from_currency, to_currency, on_date, rate, revrtm.fx('EUR', 'USD', '2026-01-01') = 1.25 AS is_inverse FROM revrtm.fx_rate WHERE to_currency = 'EUR';
SELECT count(*) FROM revrtm.fx_rate;
ROLLBACK;

-- What cannot be bound.
SELECT * FROM revrtm.bind_salesforce('sales Force', 'heroku');
SELECT * FROM revrtm.bind_salesforce('sales Force', NULL);
SELECT * FROM revrtm.bind_salesforce(NULL);
SELECT * FROM revrtm.bind_salesforce('sales');
SELECT * FROM revrtm.bind_salesforce('');
SELECT * FROM revrtm.bind_salesforce('pg_catalog');
SELECT * FROM revrtm.bind_adapter('nothing', 'public');
SELECT * FROM revrtm.bind_adapter(NULL, NULL);

-- Every required column has a row in every branch, and every expression is well formed.
SELECT s.relation, s.branch, c.column_name
FROM revrtm.adapter_source s JOIN revrtm.relation_column c ON c.relation = s.relation AND c.required
WHERE s.alias = 't' AND NOT EXISTS (SELECT FROM revrtm.adapter_column a WHERE (a.adapter, a.relation, a.branch, a.column_name) = (s.adapter, s.relation, s.branch, c.column_name));
SELECT * FROM (SELECT expression FROM revrtm.adapter_column UNION ALL SELECT expression FROM revrtm.adapter_filter) x
WHERE regexp_replace(expression, '\{\w+\.\w+ (id|text|label|numeric|money|integer|boolean|date|timestamptz)\??\}', '', 'g') ~ '[{}]';

SELECT relation, revrtm.unbind(relation) FROM revrtm.binding ORDER BY relation;
RESET DateStyle;
RESET TimeZone;
DROP SCHEMA "sales Force" CASCADE;
DROP FUNCTION plan;
