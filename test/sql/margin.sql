-- Rules that keep the margin, each at its edge; overrides, teams, guardrails.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
\pset null '-'
SET revrtm.as_of = '2026-07-01 12:00:00+00';
CREATE ROLE rtm_p1;
CREATE ROLE rtm_p2;
CREATE ROLE rtm_staff;
SELECT revrtm.grant_partner(r) FROM unnest('{rtm_p1,rtm_p2}'::text[]) r;
SELECT revrtm.grant_staff('rtm_staff');
INSERT INTO revrtm.partner_login VALUES ('rtm_p1', 'p1'), ('rtm_p2', 'p2');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD'), ('APPS', 'ANY');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0008-%s', lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.says(of text, registration jsonb)
RETURNS TABLE (verdict text, reason_code text, detail text) LANGUAGE sql
BEGIN ATOMIC
    SELECT e.verdict, e.reason_code, e.detail
    FROM revrtm.roe_explain('{"account_id": "acme", "partner_id": "p1", "product_codes": ["DB"], "region_codes": ["DE"]}' || registration) e
    WHERE e.rule = of;
END;
CREATE TABLE crm_deal (id text, account text, partner text, product text, stage text, amount numeric, closed timestamptz, won boolean,
    term_end date, deleted boolean);
SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, account AS account_id, partner AS partner_id, product, stage, amount,
    closed IS NOT NULL AS is_closed, won AS is_won, ''2026-01-01Z''::timestamptz AS created_at, closed::date AS close_date, closed AS closed_at,
    term_end, deleted FROM public.crm_deal');
-- As shipped they are off, and the shipped rows stay shipped below.
SELECT rule, parameters, enabled, shipped FROM revrtm.roe_rule WHERE kind IN ('guardrail', 'incumbent', 'protected_stage', 'second_registrant', 'tender') ORDER BY rule;
ALTER TABLE revrtm.roe_rule DISABLE TRIGGER own_shipped_row;
UPDATE revrtm.roe_rule SET enabled = kind IN ('guardrail', 'incumbent', 'protected_stage', 'second_registrant', 'tender', 'protected');

-- Tenders: before the day of publication, not on it; by the programme's zone.
SELECT t, s.* FROM unnest(ARRAY['"2026-07-02"', '"2026-07-01"', '"2026-06-30"', '"2026-02-30"', '"2026-7-1"', '"2026-07-01Z"', '20260701', 'null', '""']::jsonb[]) t,
    pg_temp.says('tender', jsonb_build_object('details', jsonb_build_object('tender_published_at', t))) s;
SELECT * FROM pg_temp.says('tender', '{}');
SET DateStyle = 'German';
SELECT * FROM pg_temp.says('tender', '{"details": {"tender_published_at": "2026-07-01"}}');
SET DateStyle = 'ISO, YMD';
SET revrtm.as_of = '2026-06-30 22:00:00+00';
SELECT verdict FROM pg_temp.says('tender', '{"details": {"tender_published_at": "2026-07-01"}}');
UPDATE revrtm.programme SET timezone = 'Europe/Berlin';
SELECT verdict FROM pg_temp.says('tender', '{"details": {"tender_published_at": "2026-07-01"}}');
UPDATE revrtm.programme SET timezone = 'UTC';
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SELECT status FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}', details => '{"tender_published_at": "2026-07-01"}');
-- Who registers for a tender keeps nobody out, unless the rule says otherwise.
BEGIN;
SELECT status FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}', details => '{"tender_published_at": "2026-07-02"}');
SELECT exclusive FROM revrtm.deal_registration;
UPDATE revrtm.roe_rule SET parameters = '{}' WHERE rule = 'tender';
SELECT status FROM revrtm.register_deal('acme', 'p2', '{DB}', '{DE}', details => '{"tender_published_at": "2026-07-02"}');
SELECT partner_id, exclusive FROM revrtm.deal_registration ORDER BY 1;
ROLLBACK;

-- Incumbents: the last deal won of each product, within the look-back.
INSERT INTO crm_deal (id, account, partner, product, closed, won, term_end) VALUES
    ('old', 'acme', 'p3', 'DB', '2023-07-01 11:59:59Z', true, NULL), ('db1', 'acme', 'p3', 'DB', '2024-08-01', true, '2026-08-01'),
    ('db2', 'acme', 'p2', 'DB', '2025-08-01', true, '2026-10-29'), ('apps', 'acme', 'p2', 'APPS', '2025-07-01', true, NULL),
    ('lost', 'acme', 'p4', 'DB', '2026-01-01', false, '2026-09-01'), ('direct', 'own', NULL, 'DB', '2025-08-01', true, '2026-07-01'),
    ('odd', 'odd', 'p2', 'Something', '2025-08-01', true, '2026-07-01'), ('edge', 'edge', 'p2', NULL, '2023-07-01 12:00Z', true, '2026-07-01');
SELECT revrtm.refresh_journeys(true) IS NOT NULL;
SELECT * FROM revrtm.incumbent('acme');
SELECT * FROM revrtm.incumbent('acme', '2025-06-01Z');
SELECT * FROM revrtm.incumbent('acme', '2026-07-01 11:00Z', '60 months', '6 months');
-- 120 days before the end of the term it begins, with its last day it ends.
SELECT d, s.* FROM unnest('{2026-06-30,2026-07-01,2026-07-02,2026-10-29,2026-10-30}'::date[]) d,
    set_config('revrtm.as_of', d || ' 12:00Z', false) c, LATERAL pg_temp.says('incumbent', jsonb_build_object('k', c) - 'k') s;
SET revrtm.as_of = '2026-07-01 12:00:00+00';
-- Not against itself, nor for other products; a wider scope reaches it.
SELECT r, s.* FROM unnest(ARRAY['{"partner_id": "p2"}', '{"product_codes": ["APPS"]}', '{"product_codes": ["CLOUD"]}', '{"account_id": "own"}',
    '{"account_id": "odd"}', '{"account_id": "edge"}', '{"account_id": "nobody"}', '{"partner_id": null}']::jsonb[]) r, pg_temp.says('incumbent', r) s;
UPDATE crm_deal SET closed = '2023-07-01 11:59:59Z' WHERE id = 'edge';
SELECT revrtm.refresh_journeys(true) IS NOT NULL;
SELECT verdict FROM pg_temp.says('incumbent', '{"account_id": "edge"}');
-- The trigger refuses; a partner who may not read deals is told to wait.
SELECT status FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}');
SET ROLE rtm_p1;
SELECT verdict, reason_code, detail FROM revrtm.roe_explain('{"account_id": "acme", "partner_id": "p1", "product_codes": ["DB"], "region_codes": ["DE"]}') WHERE rule IN ('incumbent', 'protected_stage', 'second_registrant') ORDER BY rule;
SELECT * FROM revrtm.renewal_fact('acme', 'p1', '{(,)}', '1 year', '1 year', '1 day', now());
SELECT * FROM revrtm.stage_fact('acme', 'p1', '{(,)}');
SELECT * FROM revrtm.second_fact('acme', 'p1', '{(,)}', '{(,)}', '(,)');
SELECT * FROM revrtm.link_fact('a', 'b', 'p1');
SELECT * FROM revrtm.guardrail_fact('p1', '{DB}', '{DE}', 'x', '{}', 1, now());
SELECT * FROM revrtm.discount_check(1, '{}');
RESET ROLE;

-- Overrides: of a draft, by staff, on evidence, for a time.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(1), 'acme', 'p1', '{DB}', '{DE}', 'draft');
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
SET ROLE rtm_p1;
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', 'letter', 'please', '2030-01-01Z');
INSERT INTO revrtm.roe_override (registration_id, account_id, rule, kind, evidence, reason, expires_at) VALUES (pg_temp.id(1), 'acme', 'incumbent', 'legal', 'e', 'r', '2030-01-01Z');
SELECT count(*) FROM revrtm.roe_override;
SET ROLE rtm_staff;
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', ' ', 'the customer chose', '2026-07-03Z');
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', NULL, 'the customer chose', '2026-07-03Z');
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', 'letter 17', '', '2026-07-03Z');
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', 'letter 17', 'x', '2026-07-01 12:00Z');
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', 'letter 17', 'x', 'infinity');
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbents', 'customer_letter', 'letter 17', 'x', '2026-07-03Z');
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'favour', 'letter 17', 'x', '2026-07-03Z');
SELECT revrtm.override_rule(pg_temp.id(99), 'incumbent', 'legal', 'letter 17', 'x', '2026-07-03Z');
INSERT INTO revrtm.roe_override (registration_id, account_id, rule, kind, evidence, reason, expires_at) VALUES (pg_temp.id(1), 'acme', 'incumbent', 'legal', '', 'r', '2030-01-01Z');
INSERT INTO revrtm.roe_override (registration_id, account_id, rule, kind, evidence, reason, expires_at, granted_by) VALUES (pg_temp.id(1), 'acme', 'incumbent', 'legal', 'e', 'r', '2030-01-01Z', 'somebody');
INSERT INTO revrtm.roe_override (registration_id, account_id, rule, kind, evidence, reason, expires_at) VALUES (pg_temp.id(99), 'acme', 'incumbent', 'legal', 'e', 'r', '2030-01-01Z');
UPDATE revrtm.roe_override SET reason = 'another';
DELETE FROM revrtm.roe_override;
RESET ROLE;
SELECT count(*) FROM revrtm.roe_override;
-- Another rule's override is no help, nor one of another registration.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(2), 'acme', 'p1', '{CLOUD}', '{US}', 'draft');
SELECT revrtm.override_rule(pg_temp.id(1), 'tender', 'legal', 'e', 'r', '2026-07-03Z') IS NOT NULL;
SELECT revrtm.override_rule(pg_temp.id(2), 'incumbent', 'executive', 'mail', 'agreed', '2026-07-03Z') IS NOT NULL;
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
SELECT revrtm.override_rule(pg_temp.id(1), 'incumbent', 'customer_letter', 'letter 17', 'the customer chose', '2026-07-03Z') IS NOT NULL;
SELECT rule, verdict, reason_code, detail FROM revrtm.roe_check(pg_temp.id(1)) WHERE rule = 'incumbent';
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
-- It holds until it expires, that instant not included.
SET revrtm.as_of = '2026-07-02 23:59:59.999999+00';
SELECT verdict, reason_code FROM revrtm.roe_check(pg_temp.id(1)) WHERE rule = 'incumbent';
SET revrtm.as_of = '2026-07-03 00:00:00+00';
SELECT verdict, reason_code FROM revrtm.roe_check(pg_temp.id(1)) WHERE rule = 'incumbent';
SELECT status FROM revrtm.approve_registration(pg_temp.id(1));
SET revrtm.as_of = '2026-07-01 11:59:59+00';
SELECT verdict, reason_code FROM revrtm.roe_check(pg_temp.id(1)) WHERE rule = 'incumbent';
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SELECT status FROM revrtm.approve_registration(pg_temp.id(1));
-- In the log, numbered, without the evidence; its partner reads it.
SET ROLE rtm_p1;
SELECT revision, from_status, to_status, reason, changed #- '{override,new,override_id}' AS changed FROM revrtm.registration_event WHERE registration_id = pg_temp.id(1) ORDER BY revision;
RESET ROLE;
SELECT revision FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
SELECT rule, kind, evidence, granted_at, granted_by = session_user AS by_me, expires_at FROM revrtm.roe_override WHERE registration_id = pg_temp.id(1) ORDER BY rule;
-- Of all that was ever approved in this database.
SELECT actor = session_user AS by_me, period, approvals > 0 AS approved, overrides, override_rate = round(overrides::numeric / approvals, 6) AS is_rate, note FROM revrtm.override_rate WHERE overrides > 0 ORDER BY 2;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.roe_override;
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'incumbent';

-- Protected stages: an open deal of another, in the scope.
INSERT INTO crm_deal (id, account, partner, product, stage, won) VALUES ('late', 'acme', 'p2', 'DB', ' Proposal/Price Quote ', false),
    ('early', 'early', 'p2', 'DB', 'Qualification', false), ('mine', 'mine', 'p1', 'DB', 'Negotiation', false), ('none', 'none', NULL, NULL, 'negotiation', false);
INSERT INTO crm_deal (id, account, partner, product, stage, won, deleted) VALUES ('gone', 'gone', 'p2', 'DB', 'Proposal', false, true);
INSERT INTO crm_deal (id, account, partner, product, stage, won, closed) VALUES ('shut', 'shut', 'p2', 'DB', 'Proposal', false, '2026-06-01Z');
SELECT revrtm.refresh_journeys(true) IS NOT NULL;
SELECT a, s.* FROM unnest('{acme,early,mine,none,gone,shut}'::text[]) a, pg_temp.says('protected_stage', jsonb_build_object('account_id', a)) s;
SELECT p, s.* FROM unnest('{APPS,CLOUD,ANY}'::text[]) p, pg_temp.says('protected_stage', jsonb_build_object('product_codes', ARRAY[p])) s;
SELECT status FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}');
-- What a registration is linked to: another's deal is not taken, one's own is; none is left.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(3), 'mine', 'p1', '{DB}', '{DE}', 'approved');
SELECT status FROM revrtm.convert_registration(pg_temp.id(3), 'late');
SELECT status FROM revrtm.convert_registration(pg_temp.id(3), 'shut');
SELECT status FROM revrtm.convert_registration(pg_temp.id(3), 'early');
UPDATE revrtm.deal_registration SET opportunity_id = 'mine' WHERE registration_id = pg_temp.id(3);
UPDATE revrtm.deal_registration SET opportunity_id = 'early' WHERE registration_id = pg_temp.id(3);
UPDATE revrtm.deal_registration SET opportunity_id = NULL WHERE registration_id = pg_temp.id(3);
UPDATE revrtm.deal_registration SET amount = 5, currency = 'EUR' WHERE registration_id = pg_temp.id(3);
-- Nor what discounts it asks for, whatever else its details say.
UPDATE revrtm.deal_registration SET details = '{"discounts": {"x": 0}}' WHERE registration_id = pg_temp.id(3);
UPDATE revrtm.deal_registration SET details = '{"own": 1}' WHERE registration_id = pg_temp.id(3);
BEGIN;
UPDATE revrtm.roe_rule SET parameters = '{"verdict": "warn"}' WHERE rule = 'protected_stage';
UPDATE revrtm.deal_registration SET opportunity_id = 'late' WHERE registration_id = pg_temp.id(3);
ROLLBACK;
SELECT revrtm.override_rule(pg_temp.id(3), 'protected_stage', 'executive', 'minutes of 1 July', 'wrong deal', '2026-07-03Z') IS NOT NULL;
UPDATE revrtm.deal_registration SET opportunity_id = 'late' WHERE registration_id = pg_temp.id(3);
SELECT status, opportunity_id FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(3);
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.roe_override;
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'protected_stage';

-- Second registrants: reduced, they keep nobody out; refused, there is none.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(4), 'acme', 'p2', '{CLOUD}', '{EMEA}', 'approved');
SELECT r, s.* FROM unnest(ARRAY['{}', '{"partner_id": "p2"}', '{"region_codes": ["US"]}', '{"product_codes": ["APPS"]}', '{"product_codes": ["ANY"]}',
    '{"exclusive": false}', '{"protection": "[2026-09-28,2026-09-29)"}', '{"protection": "[2026-09-29,2026-09-30)"}', '{"account_id": "other"}']::jsonb[]) r, pg_temp.says('second_registrant', r) s;
-- By the clock, which is a partner's: a protection that always holds.
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection)
VALUES (pg_temp.id(4), 'acme', 'p2', '{CLOUD}', '{EMEA}', 'approved', '[2000-01-01,2200-01-01)');
SET ROLE rtm_p1;
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}');
SELECT status, exclusive FROM revrtm.deal_registration;
RESET ROLE;
SELECT a.status, exclusive FROM revrtm.deal_registration d, revrtm.approve_registration(d.registration_id) a WHERE d.partner_id = 'p1';
DELETE FROM revrtm.deal_registration WHERE partner_id = 'p1';
UPDATE revrtm.roe_rule SET parameters = '{}' WHERE rule = 'second_registrant';
SET ROLE rtm_p1;
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}');
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}', exclusive => false);
RESET ROLE;
-- Of what would protect the constraint speaks.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('acme', 'p1', '{DB}', '{DE}', 'approved');
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'second_registrant';
SET ROLE rtm_p1;
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}');
RESET ROLE;
DELETE FROM revrtm.deal_registration WHERE partner_id = 'p1';

-- Discounts that stack.
SELECT d, m, revrtm.stacked_discount(d, m) FROM unnest(ARRAY['{}', '{"registration": 0.20}', '{"registration": 0.2, "competitive": 0.3, "promotion": 0.1, "spiff": 0.05}',
    '{"own": 0.1, "other": 0.1}', '{"a": 1, "b": 1}']::jsonb[]) d, unnest('{add,compound}'::text[]) m;
SELECT revrtm.stacked_discount('[0.1]');
SELECT revrtm.stacked_discount('{"a": "0.1"}');
SELECT revrtm.stacked_discount('{"a": -0.1}');
SELECT revrtm.stacked_discount('{"a": 1.1}');
SELECT revrtm.stacked_discount(NULL);
SELECT revrtm.stacked_discount('{}', 'max');
-- Which guardrail decides, and who may allow more; the edges are within.
INSERT INTO revrtm.discount_guardrail (guardrail_id, route_id, tier, product_code, region_code, max_discount, floor_margin, stacking, priority, valid) VALUES
    ('all', NULL, NULL, NULL, NULL, 0.20, 0.30, 'add', 0, '(,)'), ('cloud', 'partner_sourced', NULL, 'CLOUD', NULL, 0.30, NULL, 'add', 0, '(,)'),
    ('gold', NULL, 'gold', 'CLOUD', NULL, 0.35, NULL, 'compound', 0, '(,)'), ('db de', NULL, NULL, 'DB', 'DE', 0.10, 0.5, 'add', 0, '(,)'),
    ('summer', NULL, NULL, NULL, 'US', 0.40, NULL, 'add', 9, '[2026-07-01Z,2026-08-01Z)');
INSERT INTO revrtm.discount_approval VALUES ('all', 1, 'manager', 0.25, 0.25), ('all', 2, 'director', 0.40, NULL), ('db de', 1, 'director', 0.5, 0.2);
SELECT d, c.* FROM unnest('{0,0.2,0.200001,0.25,0.26,0.4,0.41}'::numeric[]) d, revrtm.discount_check(100, jsonb_build_object('x', d)) c;
SELECT k, c.verdict, c.margin, c.level, c.reason_code, c.detail FROM unnest('{56,56.000001,60,60.000001,100,NULL}'::numeric[]) k, revrtm.discount_check(100, '{"x": 0.2}', cost => k) c;
SELECT c.verdict, c.margin, c.reason_code FROM revrtm.discount_check(100, '{"x": 0.1}', cost => 50, kept => 10) c;
SELECT l, k, c.verdict, c.amount, c.margin, c.reason_code FROM unnest('{0,NULL}'::numeric[]) l, unnest('{0,50}'::numeric[]) k, revrtm.discount_check(l, '{"x": 0.1}', cost => k) c;
SELECT route, tier, product, region, c.verdict, c.guardrail_id, c.discount FROM (VALUES ('partner_sourced', NULL, 'DB', NULL), ('direct', NULL, 'DB', NULL), ('partner_sourced', 'gold', 'DB', NULL),
    ('partner_sourced', 'silver', 'CLOUD', 'DE'), ('partner_sourced', 'gold', 'DB', 'DE'), ('direct', NULL, 'APPS', 'US'), ('direct', NULL, 'unknown', 'DE'), ('direct', NULL, 'ANY', 'ANY')) q (route, tier, product, region),
    revrtm.discount_check(100, '{"a": 0.2, "b": 0.15}', route, tier, product, region) c;
SELECT at, c.guardrail_id FROM unnest('{2026-06-30 23:59:59Z,2026-07-01Z,2026-07-31 23:59:59Z,2026-08-01Z}'::timestamptz[]) at, revrtm.discount_check(1, '{}', region => 'US', at => at) c;
-- A second registrant has half of it, of the approvals too.
SELECT d, c.verdict, c.level, c.detail FROM unnest('{0.1,0.11,0.125,0.2,0.21}'::numeric[]) d, revrtm.discount_check(100, jsonb_build_object('x', d), factor => 0.5) c;
-- What registrations ask for, anywhere in their scope.
SELECT r, s.* FROM unnest(ARRAY['{"details": {}}', '{"details": {"discounts": {"x": 0.1}}}', '{"details": {"discounts": {"x": 0.3}}}', '{"details": {"discounts": {"x": 0.51}}}',
    '{"details": {"discounts": {"x": 0.3}}, "region_codes": ["US"]}', '{"details": {"discounts": {"x": 0.3}}, "product_codes": ["ANY"], "region_codes": ["US"]}',
    '{"details": {"discounts": {"x": 0.41}}, "product_codes": ["ANY"], "region_codes": ["ANY"]}', '{"details": {"discounts": {"x": 0.3}}, "product_codes": ["CLOUD"], "region_codes": ["EMEA"]}',
    '{"details": {"discounts": [1]}}', '{"details": {"discounts": {"x": 2}}}', '{"details": {"discounts": 0.1}}']::jsonb[]) r, pg_temp.says('guardrail', r) s;
INSERT INTO revrtm.partner_tier (partner_id, tier, valid) VALUES ('p1', 'gold', '[2026-01-01Z,)');
SELECT * FROM pg_temp.says('guardrail', '{"details": {"discounts": {"x": 0.35}}, "product_codes": ["CLOUD"], "region_codes": ["US"]}');
SET ROLE rtm_p1;
SELECT status FROM revrtm.register_deal('globex', 'p1', '{DB}', '{DE}', details => '{"discounts": {"registration": 0.4, "volume": 0.2}}');
SELECT status FROM revrtm.register_deal('globex', 'p1', '{DB}', '{DE}', details => '{"discounts": {"registration": 0.4}}');
SELECT verdict, reason_code, detail FROM revrtm.roe_explain('{"account_id": "acme", "partner_id": "p2", "product_codes": ["DB"], "region_codes": ["DE"], "details": {"discounts": {"x": 0.9}}}') WHERE rule = 'guardrail';
SELECT count(*) FROM revrtm.discount_guardrail;
RESET ROLE;
-- Once it is there it may ask for other discounts, but not for what is refused.
SELECT status FROM revrtm.approve_registration((SELECT registration_id FROM revrtm.deal_registration WHERE account_id = 'globex'));
SET ROLE rtm_staff;
UPDATE revrtm.deal_registration SET details = '{"discounts": {"registration": 0.9}}' WHERE account_id = 'globex';
UPDATE revrtm.deal_registration SET details = '{"discounts": {"registration": 0.4, "volume": 0.1}, "own": 1}' WHERE account_id = 'globex';
UPDATE revrtm.deal_registration SET details = '{"discounts": {"registration": 0.9}, "own": 2}' WHERE account_id = 'globex';
UPDATE revrtm.deal_registration SET details = '{"own": 3}' WHERE account_id = 'globex';
RESET ROLE;
SELECT status, details FROM revrtm.deal_registration WHERE account_id = 'globex';
-- Where approval is refused as well, and a second's half.
BEGIN;
UPDATE revrtm.roe_rule SET parameters = '{"approval": "deny"}' WHERE rule = 'guardrail';
SELECT status FROM revrtm.register_deal('globex', 'p1', '{APPS}', '{DE}', details => '{"discounts": {"registration": 0.22}}');
ROLLBACK;
BEGIN;
UPDATE revrtm.roe_rule SET enabled = true, parameters = '{"second": "reduced"}' WHERE rule = 'second_registrant';
SELECT * FROM pg_temp.says('guardrail', '{"details": {"discounts": {"x": 0.06}}}');
UPDATE revrtm.roe_rule SET parameters = '{"second": "reduced", "factor": 0.8}' WHERE rule = 'second_registrant';
SELECT * FROM pg_temp.says('guardrail', '{"details": {"discounts": {"x": 0.06}}}');
ROLLBACK;
-- Several denials of different sorts are one refusal, under the general name.
SELECT status FROM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}', details => '{"discounts": {"x": 0.9}, "tender_published_at": "2026-01-01"}');
CREATE FUNCTION pg_temp.refused(details jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c text; t text; n text;
BEGIN
    PERFORM revrtm.register_deal('acme', 'p1', '{DB}', '{DE}', details => details);
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, t = TABLE_NAME, n = SCHEMA_NAME;
    RETURN concat_ws(' ', SQLSTATE, n, t, c);
END
$$;
SELECT d, pg_temp.refused(d) FROM unnest(ARRAY['{"discounts": {"x": 0.9}}', '{"tender_published_at": "2026-01-01"}', '{"discounts": {"x": 0.9}, "tender_published_at": "2026-01-01"}']::jsonb[]) d;
-- Lines of deals.
CREATE TABLE crm_line (deal text, line text, product text, amount numeric, list numeric, cost numeric, kept numeric);
INSERT INTO crm_line VALUES ('db2', '1', 'DB', 70, 100, 20, 7), ('db2', '2', 'APPS', 79, 100, NULL, NULL), ('db2', '3', 'APPS', 110, 100, 10, 0), ('apps', '1', NULL, 50, 100, 1, 1), ('apps', '2', NULL, 50, NULL, 1, 1), ('apps', '3', NULL, -5, 100, 1, 1);
SELECT revrtm.bind('product_line', 'SELECT deal AS opportunity_id, line AS line_id, product, amount, list AS list_amount, cost, kept AS partner_margin FROM public.crm_line');
SELECT deal_discount_key, product, discount, margin, verdict, guardrail_id, level, reason_code FROM revrtm.deal_discount ORDER BY 1;

-- Teams.
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(5), 'own', 'p1', '{DB}', '{DE}', 'approved');
SELECT status FROM revrtm.convert_registration(pg_temp.id(5), 'direct');
SET ROLE rtm_staff;
INSERT INTO revrtm.teaming VALUES (pg_temp.id(5), 'own', 'p1', 'source', 0.6), (pg_temp.id(5), 'own', 'p2', 'fulfil', 0.3);
INSERT INTO revrtm.teaming VALUES (pg_temp.id(5), 'own', 'p1', 'source', 0.6), (pg_temp.id(5), 'own', 'p2', 'source', 0.4);
INSERT INTO revrtm.teaming VALUES (pg_temp.id(5), 'own', 'p1', 'source', 0.6), (pg_temp.id(5), 'own', 'p2', 'owner', 0.4);
INSERT INTO revrtm.teaming VALUES (pg_temp.id(5), 'own', 'p1', 'source', 0.6), (pg_temp.id(5), 'own', 'p2', 'fulfil', 0.4);
RESET ROLE;
SET ROLE rtm_p2;
SELECT * FROM revrtm.teaming;
UPDATE revrtm.teaming SET share = 1;
INSERT INTO revrtm.teaming VALUES (pg_temp.id(5), 'own', 'p3', 'tech', 1);
RESET ROLE;
SELECT teaming_credit_key, opportunity_id, role, share FROM revrtm.teaming_credit ORDER BY 1;
SELECT kind, partner_id, label, pool, share, verdict, counts FROM revrtm.partner_evidence WHERE opportunity_id = 'direct' ORDER BY kind, partner_id;
UPDATE crm_deal SET amount = 1000.01 WHERE id = 'direct';
SELECT revrtm.refresh_journeys(true) IS NOT NULL;
SELECT partner_id, deal_amount, note FROM revrtm.partner_attribution WHERE model = 'partner_manual' AND opportunity_id = 'direct' ORDER BY 1;
-- A split by agreement stands before it.
BEGIN;
INSERT INTO revrtm.partner_split VALUES ('own', 'direct', 'p1', 0.9), ('own', 'direct', 'p2', 0.1);
SELECT partner_id, deal_amount, note FROM revrtm.partner_attribution WHERE model = 'partner_manual' AND opportunity_id = 'direct' ORDER BY 1;
ROLLBACK;
UPDATE revrtm.teaming SET share = share / 2;
DELETE FROM revrtm.teaming;

-- Parameters.
CREATE FUNCTION pg_temp.bad(kind text, parameters jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
    PERFORM revrtm.roe_rule_is_valid('r', kind, parameters);
    RETURN 'valid';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(' ', SQLSTATE, d, h);
END
$$;
SELECT k, p, pg_temp.bad(k, p) FROM (VALUES ('tender', '{"non_exclusive": true}'::jsonb), ('tender', '{"non_exclusive": 1}'), ('tender', '{"lookback": "1 day"}'), ('incumbent', '{"renewal_window": "90 days", "term": "1 year", "incumbent_lookback": "2 years"}'),
    ('incumbent', '{"renewal_window": "-1 day"}'), ('incumbent', '{"term": 12}'), ('incumbent', '{"incumbent_lookback": 12}'), ('incumbent', '{"window": "1 day"}'), ('second_registrant', '{"second": "refused"}'), ('second_registrant', '{"second": "queue"}'), ('second_registrant', '{"second": 1}'),
    ('second_registrant', '{"factor": 1.01}'), ('second_registrant', '{"factor": "0.5"}'), ('second_registrant', '{"factor": 0}'), ('second_registrant', '{"third": 1}'), ('guardrail', '{"route": ""}'), ('guardrail', '{"route": "resell", "approval": "deny", "verdict": "warn"}'),
    ('guardrail', '{"approval": "pass"}'), ('guardrail', '{"tier": "gold"}'), ('protected_stage', '{"stage": "x"}'), ('protected_stage', '{"verdict": "review"}')) b (k, p);
-- The triggers know where they belong.
CREATE TABLE own_table (override_id uuid);
CREATE TRIGGER t AFTER INSERT ON own_table FOR EACH ROW EXECUTE FUNCTION revrtm.log_override();
INSERT INTO own_table VALUES (NULL);
DROP TABLE own_table;

DELETE FROM revrtm.discount_guardrail;
DELETE FROM revrtm.discount_approval;
DELETE FROM revrtm.partner_tier;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.roe_override;
DELETE FROM revrtm.conflict_case;
DELETE FROM revrtm.conflict_party;
UPDATE revrtm.roe_rule SET enabled = kind NOT IN ('guardrail', 'incumbent', 'protected_stage', 'second_registrant', 'tender', 'territory', 'possible_duplicate'),
    parameters = CASE rule WHEN 'tender' THEN '{"non_exclusive": true}' WHEN 'second_registrant' THEN '{"second": "reduced", "factor": 0.5}' ELSE parameters END;
ALTER TABLE revrtm.roe_rule ENABLE TRIGGER own_shipped_row;
SELECT count(*) AS not_shipped FROM revrtm.roe_rule WHERE NOT shipped AND kind IN ('guardrail', 'incumbent', 'protected_stage', 'second_registrant', 'tender');
SELECT revrtm.unbind(r) FROM unnest('{opportunity,product_line}'::text[]) r;
SELECT revrtm.refresh_journeys(true) IS NOT NULL;
DROP TABLE crm_deal, crm_line;
DELETE FROM revrtm.partner_login;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
DELETE FROM revrtm.product WHERE product_id IN ('DB', 'APPS');
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
DROP OWNED BY rtm_p1, rtm_p2, rtm_staff;
DROP ROLE rtm_p1, rtm_p2, rtm_staff;
