-- Bad input of a registration: each error with its SQLSTATE, constraint and hint.
\set SHOW_CONTEXT never
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SET DateStyle = 'ISO, YMD';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('DE', 'ANY');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0004-%s', lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.try(statement text) RETURNS TABLE (state text, of text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
DECLARE c text; t text;
BEGIN
    EXECUTE statement;
    message := 'accepted';
    RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, c = CONSTRAINT_NAME, t = TABLE_NAME, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    of := t || '.' || c;
    RETURN NEXT;
END
$$;
-- A registration with one field changed, as a draft, which no rule judges, or in a status.
CREATE FUNCTION pg_temp.with_field(field text, value text, status text DEFAULT 'draft') RETURNS text LANGUAGE sql
RETURN format('INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, protection, status, amount, currency, expected_close, evidence, details, opportunity_id, exclusive) '
    'SELECT account_id, partner_id, product_codes, region_codes, protection, status, amount, currency, expected_close, evidence, details, opportunity_id, exclusive '
    'FROM jsonb_populate_record(NULL::revrtm.deal_registration, %L)',
    '{"account_id": "a", "partner_id": "p", "product_codes": ["ANY"], "region_codes": ["DE"], "evidence": {}, "details": {}, "exclusive": true}'::jsonb
    || jsonb_build_object('status', status) || jsonb_build_object(field, value));

-- Scopes: NULL, empty, with NULL, of two dimensions, unknown.
SELECT f, v, t.* FROM unnest('{product_codes,region_codes}'::text[]) f, unnest(ARRAY[NULL, '{}', '{NULL}', '{{ANY}}', '{X,ANY,Y}']) v,
    LATERAL pg_temp.try(pg_temp.with_field(f, v)) t ORDER BY 1, 2 \gx
-- Judged by the rules they are named with all else that is missing.
SELECT t.* FROM pg_temp.try($$SELECT revrtm.register_deal(NULL, '', NULL, '{}')$$) t \gx
-- Ids, dates, amounts, documents.
SELECT f, left(v, 12) AS v, t.state, t.of, t.message, t.hint FROM (VALUES ('account_id', ''), ('account_id', repeat('x', 256)), ('account_id', repeat('x', 255)), ('account_id', repeat('é', 128)), ('partner_id', ''), ('partner_id', repeat('x', 100000)),
    ('opportunity_id', ''), ('protection', '[2026-02-01,2026-01-01)'), ('protection', '[2026-01-01,2026-01-01)'), ('protection', '[-infinity,2026-01-01)'), ('protection', '[2026-01-01,infinity)'), ('protection', '[2026-01-01,)'),
    ('expected_close', 'infinity'), ('amount', '-0.01'), ('amount', 'NaN'), ('amount', 'Infinity'), ('amount', '0'), ('currency', 'eur'), ('currency', 'EURO'), ('currency', ''),
    ('evidence', '3'), ('evidence', '"x"'), ('evidence', '[1]'), ('details', '[]'), ('details', 'null'), ('status', 'odd'), ('status', ''), ('exclusive', NULL)) b (f, v),
    LATERAL pg_temp.try(CASE WHEN f IN ('evidence', 'details') THEN replace(pg_temp.with_field(f, '@'), '"@"', v) ELSE pg_temp.with_field(f, v) END) t;
-- Illegal steps.
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status) VALUES (pg_temp.id(1), 'b', 'p', '{ANY}', '{DE}', 'draft'), (pg_temp.id(2), 'b', 'p', '{ANY}', '{DE}', 'won');
SELECT t.* FROM unnest('{approve,review,withdraw}'::text[]) f, LATERAL pg_temp.try(format('SELECT revrtm.%s_registration(%L)', f, pg_temp.id(2))) t;
SELECT t.* FROM pg_temp.try(format('SELECT revrtm.approve_registration(%L)', pg_temp.id(1))) t;
-- A tree's circle, and a node of no parent.
SELECT t.state, t.message FROM unnest('{DE,X}'::text[]) p, LATERAL pg_temp.try(format('INSERT INTO revrtm.region (region_id, parent_id) VALUES (''X'', %L)', nullif(p, 'DE'))) t;

-- Accounts that were merged into others, by the store of journeys.
CREATE TABLE crm_account (account_id text, account_name text, merged_into text);
INSERT INTO crm_account VALUES ('gone', 'Gone', 'left'), ('left', 'Left', 'stays'), ('stays', 'Stays', NULL);
BEGIN;
SELECT revrtm.bind('account', 'SELECT account_id, account_name, merged_into FROM public.crm_account');
SELECT status FROM revrtm.register_deal('gone', 'p', '{ANY}', '{DE}');
ROLLBACK;
BEGIN;
SELECT revrtm.bind('account', 'SELECT account_id, account_name, merged_into FROM public.crm_account');
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(3), 'gone', 'p', '{ANY}', '{DE}', 'draft'), (pg_temp.id(4), 'left', 'p', '{ANY}', '{DE}', 'submitted'), (pg_temp.id(5), 'stays', 'p9', '{ANY}', '{DE}', 'approved');
CREATE TABLE saved AS SELECT * FROM revrtm.deal_registration WHERE account_id IN ('gone', 'left');
SELECT revrtm.refresh_merges();
-- Inserting in any state, submitting, approving, and moving there; not what changes nothing of it.
SELECT s, t.state, t.of, t.message, t.hint FROM unnest('{draft,submitted,approved,won}'::text[]) s, LATERAL pg_temp.try(pg_temp.with_field('account_id', 'gone', s)) t;
SELECT t.* FROM pg_temp.try(format('SELECT revrtm.submit_registration(%L)', pg_temp.id(3))) t;
SELECT t.* FROM pg_temp.try(format('SELECT revrtm.approve_registration(%L)', pg_temp.id(4))) t;
SELECT t.* FROM pg_temp.try(format('UPDATE revrtm.deal_registration SET account_id = ''left'' WHERE registration_id = %L', pg_temp.id(1))) t;
UPDATE revrtm.deal_registration SET account_id = 'stays' WHERE registration_id = pg_temp.id(3) RETURNING account_id;
SELECT status FROM revrtm.reject_registration(pg_temp.id(4), 'merged');
-- Asked beforehand it is a row of its own.
SELECT * FROM revrtm.roe_explain('{"account_id": "gone", "partner_id": "p", "product_codes": ["ANY"], "region_codes": ["DE"]}') WHERE verdict <> 'pass';
SELECT rule, verdict, reason_code FROM revrtm.roe_check(pg_temp.id(4)) WHERE verdict = 'deny';
-- History passes.
DELETE FROM revrtm.deal_registration WHERE account_id IN ('gone', 'left', 'stays');
INSERT INTO revrtm.deal_registration TABLE saved RETURNING account_id, status;
-- A partner is not told the survivor, unless it may read the merges; staff is.
CREATE ROLE rtm_p;
CREATE ROLE rtm_staff;
SELECT revrtm.grant_partner('rtm_p'), revrtm.grant_staff('rtm_staff');
INSERT INTO revrtm.partner_login VALUES ('rtm_p', 'p');
CREATE FUNCTION pg_temp.told() RETURNS TABLE (who text, hint text, detail text) LANGUAGE sql
BEGIN ATOMIC
    SELECT current_user::text, t.hint, (SELECT e.detail FROM revrtm.roe_explain('{"account_id": "left", "partner_id": "p"}') e WHERE e.rule = 'account')
    FROM pg_temp.try($$SELECT revrtm.register_deal('left', 'p', '{ANY}', '{DE}')$$) t;
END;
SET ROLE rtm_p;
SELECT * FROM pg_temp.told();
SET ROLE rtm_staff;
SELECT * FROM pg_temp.told();
RESET ROLE;
GRANT SELECT ON revrtm.account_merge TO rtm_p;
SET ROLE rtm_p;
SELECT * FROM pg_temp.told();
ROLLBACK;

DELETE FROM revrtm.deal_registration;
DROP TABLE crm_account;
DELETE FROM revrtm.region WHERE region_id = 'DE';
