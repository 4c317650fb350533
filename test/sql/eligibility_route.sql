-- Rules that rest on where a partner may sell: the routes of the role matrix,
-- the partner's own region.
\set SHOW_CONTEXT never
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SET DateStyle = 'ISO, YMD';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('BY', 'DE'), ('FR', 'EMEA'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD'), ('APPS', 'ANY');
CREATE TABLE crm_account (account_id text, account_name text, segment text);
CREATE TABLE crm_partner (partner_id text, partner_name text, region text);
INSERT INTO crm_account VALUES ('big', 'Big', 'enterprise'), ('small', 'Small', 'smb'), ('plain', 'Plain', NULL), ('blank', 'Blank', '');
INSERT INTO crm_partner VALUES ('p1', 'One', 'EMEA'), ('p2', 'Two', 'DE'), ('p3', 'Three', NULL), ('p4', 'Four', 'Mars'), ('p5', 'Five', 'ANY'), ('p6', 'Six', '');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0003-%s', lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.says(of text, account text, product text[], region text[], partner text DEFAULT 'p1')
RETURNS TABLE (verdict text, reason_code text, detail text) LANGUAGE sql
BEGIN ATOMIC
    SELECT e.verdict, e.reason_code, e.detail FROM revrtm.roe_explain(jsonb_build_object('account_id', account,
        'partner_id', partner, 'product_codes', product, 'region_codes', region)) e WHERE e.rule = of;
END;

-- An empty matrix blocks nothing; nor do the blocks of other routes.
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{DE}');
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role)
VALUES ('d', 'direct', NULL, NULL, 'blocked'), ('o', 'marketplace', NULL, NULL, 'blocked');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{DE}');
-- A blocked route of partners denies in its cells, and wherever a scope reaches into them;
-- ended rules and those to come do not.
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role, valid)
VALUES ('de', 'partner_sourced', 'DB', 'DE', 'blocked', '[2026-01-01Z,)'), ('fr', 'partner_sourced', NULL, 'FR', 'blocked', '(,2026-07-01 12:00Z)'),
    ('us', 'partner_sourced', NULL, 'US', 'blocked', '[2026-07-01 12:00:01Z,)');
SELECT p, r, s.* FROM (VALUES ('{DB}'::text[], '{DE}'::text[]), ('{DB}', '{BY}'), ('{CLOUD}', '{DE}'), ('{ANY}', '{ANY}'), ('{APPS,DB}', '{US,DE}'),
    ('{APPS}', '{DE}'), ('{APPS}', '{ANY}'), ('{DB}', '{FR}'), ('{DB}', '{US}'), ('{APPS,CLOUD}', '{FR,US}')) v (p, r), LATERAL pg_temp.says('blocked_route', 'big', p, r) s;
-- The day is that of the question.
SET revrtm.as_of = '2026-07-02';
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{US}');
SET revrtm.as_of = '2025-12-31';
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{DE}');
SET revrtm.as_of = '2026-07-01 12:00:00+00';
-- The trigger, roe_check and validate_registrations say the same.
SELECT status FROM revrtm.register_deal('big', 'p1', '{CLOUD}', '{EMEA}');
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(1), 'big', 'p1', '{DB}', '{BY}', 'draft');
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
SELECT verdict, reason_code, detail FROM revrtm.roe_check(pg_temp.id(1)) WHERE rule = 'blocked_route';
SELECT registration_id, verdict, reason_code FROM revrtm.validate_registrations($$SELECT r AS registration_id, 'big' AS account_id, 'p1' AS partner_id, '{DB}'::text[] AS product_codes, ARRAY[r] AS region_codes
    FROM unnest('{DE,BY,FR}'::text[]) r$$) WHERE rule = 'blocked_route';
-- It is asked again when it is approved.
BEGIN;
DELETE FROM revrtm.route_role WHERE rule_id = 'de';
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role) VALUES ('de', 'partner_sourced', 'DB', 'DE', 'blocked');
SELECT status FROM revrtm.approve_registration(pg_temp.id(1));
ROLLBACK;
-- Of several routes one that leads or is eligible is open, one that supports is not. What lies deeper decides.
BEGIN;
UPDATE revrtm.roe_rule SET parameters = '{"routes": ["partner_sourced", "resell", "co_sell", "unknown"]}' WHERE rule = 'blocked_route';
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role) VALUES ('support', 'co_sell', 'DB', 'DE', 'support');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{DE}');
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role) VALUES ('open', 'resell', 'CLOUD', 'EMEA', 'eligible');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{DE}');
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role) VALUES ('shut', 'resell', NULL, 'BY', 'blocked');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{DE}');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{APPS}', '{DE}');
ROLLBACK;
-- Two routes, blocked by product and by region: no cell of one rule's own is blocked, the one of both is.
BEGIN;
UPDATE revrtm.roe_rule SET parameters = '{"routes": ["partner_sourced", "resell"]}' WHERE rule = 'blocked_route';
DELETE FROM revrtm.route_role;
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role) VALUES ('1', 'partner_sourced', 'DB', NULL, 'blocked'),
    ('2', 'partner_sourced', NULL, NULL, 'lead'), ('3', 'resell', NULL, 'DE', 'blocked'), ('4', 'resell', NULL, NULL, 'eligible');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{DB}', '{FR}');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{APPS}', '{DE}');
SELECT * FROM pg_temp.says('blocked_route', 'big', '{ANY}', '{ANY}');
ROLLBACK;
-- Where none of its routes leads or is eligible the rule says what it is told to.
BEGIN;
INSERT INTO revrtm.roe_rule (rule, kind, parameters) VALUES ('assigned', 'blocked_route', '{"unassigned": "review", "verdict": "warn", "routes": ["co_sell", "partner_sourced"]}');
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, role) VALUES ('lead', 'co_sell', 'APPS', 'lead');
SELECT p, r, s.* FROM unnest('{APPS,DB,CLOUD}'::text[]) p, unnest('{DE,FR}'::text[]) r, LATERAL pg_temp.says('assigned', 'big', ARRAY[p], ARRAY[r]) s;
UPDATE revrtm.roe_rule SET parameters = parameters || '{"unassigned": "deny"}' WHERE rule = 'assigned';
SELECT status FROM revrtm.register_deal('big', 'p1', '{APPS,CLOUD}', '{FR}');
ROLLBACK;
-- By the account's segment, where rules name one.
BEGIN;
SELECT revrtm.bind('account', 'SELECT account_id, account_name, segment FROM public.crm_account');
DELETE FROM revrtm.route_role;
INSERT INTO revrtm.route_role (rule_id, route_id, segment, role) VALUES ('ent', 'partner_sourced', 'enterprise', 'blocked');
SELECT a, s.* FROM unnest('{big,small,plain,blank,unknown}'::text[]) a, LATERAL pg_temp.says('blocked_route', a, '{DB}', '{DE}') s;
SAVEPOINT s;
SELECT status FROM revrtm.register_deal('big', 'p1', '{DB}', '{DE}');
ROLLBACK TO s;
SELECT status FROM revrtm.register_deal('small', 'p1', '{DB}', '{DE}');

-- A partner is told of what everybody may read, but not of the account's segment, whether it passes or not.
CREATE ROLE rtm_p1;
CREATE ROLE rtm_staff;
CREATE ROLE rtm_analyst;
SELECT revrtm.grant_partner('rtm_p1'), revrtm.grant_staff('rtm_staff'), revrtm.grant_staff('rtm_analyst');
GRANT SELECT ON revrtm.account TO rtm_analyst;
INSERT INTO revrtm.partner_login VALUES ('rtm_p1', 'p1');
CREATE TEMP VIEW answer AS
SELECT current_user::text AS who, a AS account, (pg_temp.says('blocked_route', a, '{DB}', '{DE}')).* FROM unnest('{big,small}'::text[]) a;
GRANT SELECT ON answer TO PUBLIC;
SET ROLE rtm_p1;
TABLE answer;
SELECT status FROM revrtm.register_deal('big', 'p1', '{DB}', '{DE}');
SET ROLE rtm_staff;
TABLE answer;
SET ROLE rtm_analyst;
TABLE answer;
-- What the partner got past it, who may read the segment cannot approve.
SAVEPOINT s;
SELECT r.status FROM revrtm.deal_registration d, LATERAL revrtm.approve_registration(d.registration_id) r WHERE d.account_id = 'big' AND d.status = 'submitted';
ROLLBACK TO s;
RESET ROLE;
UPDATE revrtm.route_role SET segment = NULL;
SET ROLE rtm_p1;
TABLE answer;
RESET ROLE;
-- Nor of the matrix, where it is not everybody's to read.
REVOKE SELECT ON revrtm.route_role FROM PUBLIC;
SET ROLE rtm_p1;
TABLE answer;
RESET ROLE;
DELETE FROM revrtm.route_role;
SET ROLE rtm_p1;
TABLE answer;
RESET ROLE;
GRANT SELECT ON revrtm.route_role TO PUBLIC;

-- Territory: off as it comes.
SELECT rule, enabled, shipped FROM revrtm.roe_rule WHERE kind = 'territory';
SELECT count(*) FROM pg_temp.says('territory', 'big', '{DB}', '{US}');
DELETE FROM revrtm.route_role;
UPDATE revrtm.roe_rule SET enabled = true WHERE rule = 'territory';
SELECT * FROM pg_temp.says('territory', 'big', '{DB}', '{US}');
SELECT revrtm.bind('partner', 'SELECT partner_id, partner_name, region FROM public.crm_partner');
SELECT p, r, s.* FROM unnest('{p1,p2,p3,p4,p5,p6,p9}'::text[]) p, unnest('{DE,EMEA,US}'::text[]) r, LATERAL pg_temp.says('territory', 'big', '{DB}', ARRAY[r], p) s;
SELECT * FROM pg_temp.says('territory', 'big', '{DB}', '{DE,US}');
SELECT * FROM pg_temp.says('territory', 'big', '{DB}', '{BY,FR}');
SELECT * FROM pg_temp.says('territory', 'big', '{DB}', '{BY}', NULL);
SAVEPOINT s;
SELECT status FROM revrtm.register_deal('big', 'p1', '{DB}', '{US}');
ROLLBACK TO s;
SELECT status FROM revrtm.register_deal('plain', 'p2', '{DB}', '{BY}');
UPDATE revrtm.roe_rule SET parameters = '{"verdict": "warn"}' WHERE rule = 'territory';
SELECT status FROM revrtm.register_deal('blank', 'p2', '{DB}', '{FR}');
-- Of its own region a partner is told, not of another's; staff of every one's.
CREATE TEMP VIEW answer2 AS
SELECT current_user::text AS who, p AS partner, r AS region, (pg_temp.says('territory', 'new', '{DB}', ARRAY[r], p)).* FROM unnest('{p1,p2}'::text[]) p, unnest('{DE,US}'::text[]) r;
GRANT SELECT ON answer2 TO PUBLIC;
SET ROLE rtm_p1;
TABLE answer2;
SET ROLE rtm_staff;
TABLE answer2;
SAVEPOINT s;
SELECT * FROM revrtm.account_segment('big');
ROLLBACK TO s;
SELECT * FROM revrtm.partner_region('p1');
ROLLBACK;

-- Parameters.
CREATE FUNCTION pg_temp.bad(kind text, parameters jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text;
BEGIN
    PERFORM revrtm.roe_rule_is_valid('r', kind, parameters);
    RETURN 'valid';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || d;
END
$$;
SELECT k, p, pg_temp.bad(k, p) FROM (VALUES ('blocked_route', '{"unassigned": "pass"}'::jsonb), ('blocked_route', '{"unassigned": "no"}'), ('blocked_route', '{"unassigned": 1}'),
    ('blocked_route', '{"verdict": "pass"}'), ('blocked_route', '{"routes": []}'), ('blocked_route', '{"routes": "resell"}'), ('blocked_route', '{"routes": [1]}'), ('blocked_route', '{"routes": ["resell"]}'), ('blocked_route', '{"route": ""}'), ('territory', '{"unassigned": "warn"}'), ('territory', '{"verdict": "review"}')) b (k, p);

DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.route_role;
DROP TABLE crm_account, crm_partner;
DELETE FROM revrtm.region WHERE region_id = 'BY';
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
DELETE FROM revrtm.product WHERE product_id IN ('DB', 'APPS');
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
SELECT count(*) AS not_shipped FROM revrtm.roe_rule WHERE NOT shipped;
