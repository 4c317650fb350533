-- Rules of engagement: every verdict, for those who may see what it rests on
-- and for those who may not.
\set SHOW_CONTEXT never
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SET DateStyle = 'ISO, YMD';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('FR', 'EMEA');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0002-%s', lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.says(account text, partner text DEFAULT 'p1', more jsonb DEFAULT '{}')
RETURNS TABLE (rule text, verdict text, reason_code text, detail text) LANGUAGE sql
BEGIN ATOMIC
    SELECT e.* FROM revrtm.roe_explain(jsonb_build_object('account_id', account, 'partner_id', partner,
        'product_codes', '{DB}'::text[], 'region_codes', '{DE}'::text[]) || more) e WHERE e.verdict <> 'pass';
END;

-- The rules, and one that passes them all.
SELECT rule, kind, parameters, enabled, shipped FROM revrtm.roe_rule ORDER BY rule;
SELECT * FROM revrtm.roe_explain('{"account_id": "new", "partner_id": "p1", "product_codes": ["DB"], "region_codes": ["DE"]}');

-- Facts of the account: deals won in 36 months, by others; direct deals that are alive.
INSERT INTO revrtm.deal_journey (account_id, opportunity_id, is_closed, is_won, created_at, ended_at, partner_id, route_id, journey)
SELECT account, 'o' || row_number() OVER (), closed, won, created::timestamptz, ended::timestamptz, partner, 'direct', touches::revrtm.journey
FROM (VALUES ('bought', true, true, '2022-01-01Z', '2023-07-01 12:00Z', NULL, NULL), ('bought long ago', true, true, '2022-01-01Z', '2023-07-01 11:59Z', NULL, NULL),
    ('lost', true, false, '2026-01-01Z', '2026-03-01Z', NULL, NULL), ('bought of p1', true, true, '2026-01-01Z', '2026-03-01Z', 'p1', NULL),
    ('buys later', true, true, '2026-01-01Z', '2026-07-01 12:01Z', NULL, NULL), ('ended unknown', true, true, '2026-01-01Z', NULL, NULL, NULL),
    ('open', false, false, '2026-05-02 12:00Z', NULL, NULL, NULL), ('open long', false, false, '2026-05-02 11:59Z', NULL, NULL, '{web}'),
    ('open with p2', false, false, '2026-06-02Z', NULL, 'p2', NULL),
    ('touched', false, false, '2025-05-02Z', NULL, NULL, '{web@2026-06-30T00:00:00Z,mail@2025-06-30T00:00:00Z}'),
    ('touched long ago', false, false, '2025-05-02Z', NULL, NULL, '{web@2026-05-02T11:59:59Z}')) d (account, closed, won, created, ended, partner, touches);
SELECT account, s.rule, s.verdict, s.reason_code, s.detail
FROM (SELECT DISTINCT account_id FROM revrtm.deal_journey) a (account) LEFT JOIN LATERAL pg_temp.says(account) s ON true ORDER BY 1, 2;
-- They deny a registration by who sees them.
SELECT status FROM revrtm.register_deal('bought', 'p1', '{DB}', '{DE}');
SELECT status FROM revrtm.register_deal('bought of p1', 'p1', '{DB}', '{DE}');
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('open', 'p1', '{DB}', '{DE}', 'approved');
-- But neither a draft nor history.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(1), 'open', 'p1', '{DB}', '{DE}', 'draft'), (pg_temp.id(2), 'open', 'p1', '{DB}', '{DE}', 'rejected') RETURNING status;
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
SELECT rule, verdict, reason_code FROM revrtm.roe_check(pg_temp.id(1));

-- Duplicates: the partner's own that waits or protects, and overlaps.
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection, submitted_at)
SELECT pg_temp.id(10 + n::int), 'dup ' || n, 'p1', '{CLOUD}', '{EMEA}', s, p::daterange, '2026-06-01Z'
FROM (VALUES ('submitted', NULL), ('queued', NULL), ('in_review', NULL), ('action_required', NULL), ('approved', '[2026-06-01,2026-07-02)'),
    ('converted', '[2026-06-01,2026-07-01)'), ('extended', '[2026-06-01,2026-07-01)'), ('draft', NULL), ('rejected', NULL), ('won', NULL)) w (s, p), LATERAL (SELECT array_position('{submitted,queued,in_review,action_required,approved,converted,extended,draft,rejected,won}'::text[], s) AS n) v;
SELECT account_id, status, protection, (SELECT string_agg(s.verdict || ' ' || s.reason_code, ', ') FROM pg_temp.says(account_id) s) AS to_p1,
    (SELECT string_agg(s.verdict || ' ' || s.reason_code, ', ') FROM pg_temp.says(account_id, 'p2') s) AS to_p2,
    (SELECT string_agg(s.verdict || ' ' || s.reason_code, ', ') FROM pg_temp.says(account_id, 'p2', '{"exclusive": false}') s) AS to_p2_shared
FROM revrtm.deal_registration ORDER BY registration_id;
SELECT * FROM pg_temp.says('dup 1');
SELECT * FROM pg_temp.says('dup 5', 'p2');
-- Nothing beside it, nor itself.
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('US', 'ANY');
SELECT * FROM pg_temp.says('dup 1', 'p1', '{"region_codes": ["US"]}');
SELECT * FROM revrtm.roe_check(pg_temp.id(11)) WHERE verdict <> 'pass';
SELECT * FROM revrtm.roe_check(pg_temp.id(15)) WHERE verdict <> 'pass';
SELECT * FROM revrtm.roe_check(pg_temp.id(99));
-- Earlier and later ones of a queue, staff sees them.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, submitted_at)
VALUES (pg_temp.id(30), 'dup 1', 'p3', '{DB}', '{DE}', '2026-06-02Z');
SELECT * FROM revrtm.roe_check(pg_temp.id(30)) WHERE verdict <> 'pass';
SELECT * FROM revrtm.register_deal('dup 5', 'p1', '{DB}', '{FR}');

-- Fields and amounts.
SELECT s.* FROM pg_temp.says('x', NULL, '{"product_codes": [], "region_codes": ["NO", "DE"]}') s;
BEGIN;
UPDATE revrtm.roe_rule SET parameters = '{"required_fields": ["amount", "currency", "expected_close", "evidence", "details.contact", "evidence.meeting", "region_codes", "exclusive"]}' WHERE rule = 'incomplete' RETURNING shipped;
UPDATE revrtm.roe_rule SET parameters = '{"minimum": {"EUR": 1000.50, "JPY": 5}}' WHERE rule = 'min_amount';
INSERT INTO revrtm.roe_rule (rule, kind, parameters) VALUES ('soft', 'min_amount', '{"minimum": {"EUR": 5000}, "verdict": "warn"}');
SELECT * FROM pg_temp.says('x');
SELECT * FROM pg_temp.says('x', 'p1', '{"amount": 1000.50, "currency": "EUR", "expected_close": "2026-09-09", "details": {"contact": ""}, "evidence": [1]}');
SELECT * FROM pg_temp.says('x', 'p1', '{"amount": 1000.49, "currency": "EUR", "expected_close": "2026-09-09", "details": {"contact": null}, "evidence": {"meeting": {}}}');
SELECT * FROM pg_temp.says('x', 'p1', '{"amount": 9000, "currency": "USD", "expected_close": "2026-09-09", "details": {"contact": "c"}, "evidence": {"meeting": 1}}');
-- All of it at once, in the order of the rules.
SAVEPOINT s;
SELECT * FROM revrtm.register_deal('bought', 'p1', '{DB}', '{DE}', 10, 'EUR');
ROLLBACK TO s;
-- An approval is asked again, by the rules of the day.
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'incomplete';
SELECT status FROM revrtm.approve_registration(pg_temp.id(11));
ROLLBACK TO s;
DO $$
DECLARE c text; t text;
BEGIN
    PERFORM revrtm.register_deal(NULL, NULL, NULL, NULL);
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, t = TABLE_NAME;
    RAISE NOTICE '% of %: %', c, t, SQLERRM;
END
$$;
ROLLBACK;
-- Verdicts are the rule's: a denied rival, a warned customer, nothing where it is off.
BEGIN;
UPDATE revrtm.roe_rule SET parameters = '{"verdict": "deny"}' WHERE rule = 'protected';
UPDATE revrtm.roe_rule SET parameters = parameters || '{"verdict": "review", "customer_lookback": "1 month"}' WHERE kind = 'existing_customer';
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'direct_active';
SELECT * FROM pg_temp.says('dup 5', 'p2');
SELECT * FROM pg_temp.says('open');
SELECT * FROM pg_temp.says('bought');
SAVEPOINT s;
SELECT status FROM revrtm.register_deal('dup 5', 'p2', '{DB}', '{DE}');
ROLLBACK TO s;
-- A row that protects is for the constraint to refuse all the same.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('dup 5', 'p2', '{DB}', '{DE}', 'approved');
ROLLBACK;

-- Bad rules are refused, all by one constraint's function.
INSERT INTO revrtm.roe_rule (rule, kind) VALUES ('r', 'odd');
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
SELECT k, p, pg_temp.bad(k, p) FROM (VALUES ('duplicate', '[]'::jsonb), ('duplicate', '{"verdict": "pass"}'), ('duplicate', '{"verdict": 1}'), ('duplicate', '{"scope": "tree"}'),
    ('pending', '{"verdict": "review"}'), ('existing_customer', '{"customer_lookback": 36}'), ('existing_customer', '{"customer_lookback": "soon"}'),
    ('existing_customer', '{"customer_lookback": "-1 day"}'), ('existing_customer', '{"customer_lookback": "101 years"}'), ('direct_active', '{"customer_lookback": "1 day"}'),
    ('incomplete', '{"required_fields": "amount"}'), ('incomplete', '{"required_fields": [1]}'), ('incomplete', '{"required_fields": ["checked_at"]}'),
    ('incomplete', '{"required_fields": ["details."]}'), ('incomplete', '{"required_fields": [["amount"]]}'), ('min_amount', '{"minimum": 5}'),
    ('min_amount', '{"minimum": {"EUR": "5"}}'), ('min_amount', '{"minimum": {"EUR": {"x": 1}}}'), ('min_amount', '{"minimum": []}')) b (k, p);

-- Bad questions.
SELECT * FROM revrtm.roe_explain('{"account": 1, "protection": null, "Products": []}');
SELECT * FROM revrtm.roe_explain('[]');
SELECT * FROM revrtm.roe_explain('{"amount": "much"}');
SELECT count(*) FROM revrtm.roe_explain('{}');
SELECT count(*) FROM revrtm.roe_explain(NULL);
SELECT * FROM revrtm.validate_registrations('SELECT 1 AS registration_id, ''a''::varchar AS account_id, now() AS odd, 1.0 AS amount, ''a''::text AS account_id');
SELECT * FROM revrtm.validate_registrations('SELECT 1; SELECT 2');
SELECT * FROM revrtm.validate_registrations('DELETE FROM revrtm.deal_registration');
\set VERBOSITY sqlstate
SELECT * FROM revrtm.validate_registrations('WITH d AS (DELETE FROM revrtm.deal_registration RETURNING 1) SELECT 1 FROM d');
SELECT * FROM revrtm.validate_registrations('SELEC');
\set VERBOSITY default
-- A set at once: a row for each registration and rule, whatever is wrong with it.
SELECT * FROM revrtm.validate_registrations($$
    SELECT r AS registration_id, a AS account_id, 'p1'::varchar AS partner_id, p::text[] AS product_codes, '{DE}'::text[] AS region_codes, 10.0 AS amount, NULL::daterange AS protection
    FROM (VALUES ('1', 'new', '{DB}'), ('2', 'bought', '{DB}'), ('3', 'dup 1', '{NO,DB,NO2}'), (NULL, 'dup 5', '{ANY}'), ('5', NULL, NULL)) v (r, a, p)$$)
WHERE verdict <> 'pass' ORDER BY registration_id, rule;
SELECT count(*) AS rows, count(*) FILTER (WHERE verdict = 'pass') AS pass, count(DISTINCT registration_id) AS registrations
FROM revrtm.validate_registrations('SELECT i::text AS registration_id, ''acc'' || i AS account_id, ''p'' AS partner_id, ''{DB}''::text[] AS product_codes, ''{DE}''::text[] AS region_codes FROM generate_series(1, 2500) i');
-- Those that are there already are not in their own way.
SELECT registration_id, rule, reason_code FROM revrtm.validate_registrations('SELECT registration_id, account_id, partner_id, product_codes, region_codes, protection, submitted_at FROM revrtm.deal_registration WHERE active')
WHERE verdict <> 'pass' ORDER BY 1, 2;

-- A partner is told nothing of what it may not see, whether a rule passes or not.
CREATE ROLE rtm_p1;
CREATE ROLE rtm_staff;
CREATE ROLE rtm_analyst;
SELECT revrtm.grant_partner('rtm_p1'), revrtm.grant_staff('rtm_staff'), revrtm.grant_staff('rtm_analyst');
GRANT SELECT ON revrtm.deal_journey TO rtm_analyst;
INSERT INTO revrtm.partner_login VALUES ('rtm_p1', 'p1');
CREATE TEMP TABLE answer (who text, account text, of text, says text);
GRANT INSERT ON answer TO rtm_p1, rtm_staff, rtm_analyst;
CREATE FUNCTION pg_temp.ask(who text) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO answer SELECT ask.who, a, p, (SELECT string_agg(s.rule || '=' || s.verdict || ' ' || s.reason_code, ', ' ORDER BY s.rule) FROM pg_temp.says(a, p) s)
    FROM unnest('{new,bought,open,dup 1}'::text[]) a, unnest('{p1,p2}'::text[]) p;
END;
CREATE FUNCTION rtm_definer() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN PERFORM pg_temp.ask('p1, by staff''s function'); END$$;
ALTER FUNCTION rtm_definer OWNER TO rtm_analyst;
SET ROLE rtm_staff;
SELECT pg_temp.ask('staff');
SET ROLE rtm_analyst;
SELECT pg_temp.ask('staff that reads deals');
SET ROLE rtm_p1;
SELECT pg_temp.ask('p1');
SELECT rtm_definer();
SELECT status FROM revrtm.register_deal('bought', 'p1', '{DB}', '{DE}');
SELECT status FROM revrtm.register_deal('dup 1', 'p1', '{DB}', '{DE}');
SELECT status FROM revrtm.register_deal('new', 'p2', '{DB}', '{DE}');
SELECT detail FROM pg_temp.says('dup 1', 'p1') WHERE reason_code = 'DUP';
SELECT count(*) FROM revrtm.roe_rule;
SELECT * FROM revrtm.account_fact('bought', NULL, '2020-01-01', '2020-01-01', now());
SELECT * FROM revrtm.roe_check(pg_temp.id(30));
RESET ROLE;
SELECT * FROM answer ORDER BY account, of, who;
-- What the partner got past the rules, staff that reads the deals cannot approve against them.
SET ROLE rtm_analyst;
SELECT r.status FROM revrtm.deal_registration d, LATERAL revrtm.approve_registration(d.registration_id) r WHERE d.account_id = 'bought';
-- Days that a partner names are not heard: its question is about the default ones.
RESET ROLE;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
VALUES ('today', 'p2', '{ANY}', '{ANY}', 'approved', daterange(current_date - 1, current_date + 2));
SET ROLE rtm_p1;
SELECT p, (SELECT verdict FROM pg_temp.says('today', 'p1', jsonb_build_object('protection', p)) WHERE rule = 'protected')
FROM unnest('{"[2200-01-01,2200-02-01)","[2000-01-01,2000-02-01)"}'::text[]) p;
RESET ROLE;
-- Who may not register may not ask.
CREATE ROLE rtm_nobody;
SET ROLE rtm_nobody;
SELECT * FROM revrtm.roe_explain('{}');
SELECT * FROM revrtm.validate_registrations('SELECT 1');
SELECT * FROM revrtm.roe_check(pg_temp.id(30));
RESET ROLE;

DROP FUNCTION rtm_definer;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.deal_journey;
DELETE FROM revrtm.partner_login;
DROP OWNED BY rtm_p1, rtm_staff, rtm_analyst;
DROP ROLE rtm_p1, rtm_staff, rtm_analyst, rtm_nobody;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
DELETE FROM revrtm.product WHERE product_id = 'DB';
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
SELECT count(*) AS not_shipped FROM revrtm.roe_rule WHERE NOT shipped;
