-- Guards on tables of portals: what they refuse and how, modes, columns that
-- go, decisions, and what is left.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET client_min_messages = warning;
\pset null '-'
SET revrtm.as_of = '2026-07-01 09:00Z';
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.conflict_case;
DELETE FROM revrtm.conflict_party;
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD');
CREATE ROLE rtm_portal;
CREATE ROLE rtm_owner;
CREATE ROLE rtm_staff;
SELECT revrtm.grant_staff('rtm_staff');
CREATE SCHEMA portal;
GRANT USAGE ON SCHEMA portal TO PUBLIC;
GRANT CREATE ON SCHEMA portal TO rtm_owner;
CREATE DOMAIN portal.code AS varchar(20);
CREATE TYPE portal.state AS ENUM ('New', 'OK', 'No');
CREATE TABLE portal.deal (id int PRIMARY KEY, gone int, account varchar(40), reseller portal.code, product varchar(20)[], region text,
    starts date, ends timestamptz, state portal.state, amount bigint, currency char(5), extra jsonb, made timestamptz);
ALTER TABLE portal.deal DROP COLUMN gone;
CREATE TABLE portal.lead (id uuid, part smallint, customer text, partner text, on_hold boolean, live boolean, PRIMARY KEY (id, part));
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON portal.deal, portal.lead TO rtm_portal;
-- What a statement raises, in every field that a driver gets.
CREATE FUNCTION public.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE s text; c text; n text; t text; k text; m text; d text; h text; n_rows bigint;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS n_rows = ROW_COUNT;
    RETURN 'done: ' || n_rows;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, c = CONSTRAINT_NAME, n = SCHEMA_NAME, t = TABLE_NAME, k = COLUMN_NAME,
        m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', s || ' ' || c || ' ' || n || '.' || t || '.' || k, m, 'DETAIL ' || nullif(d, ''), 'HINT ' || nullif(h, ''));
END
$$;
-- The claims, as registrations.
CREATE VIEW public.claim AS
SELECT c.target, c.row_key, r.account_id, r.partner_id, r.product_codes, r.region_codes, r.protection, r.status, r.exclusive, r.amount, r.currency
FROM revrtm.guard_claim c LEFT JOIN revrtm.deal_registration r USING (registration_id) ORDER BY c.target::text, length(c.row_key), c.row_key;
CREATE VIEW public.board AS
SELECT c.account_id, c.kind, c.cause, c.status, string_agg(p.partner_id || ' ' || coalesce(r.status, split_part(p.claim, ':', 1)), ', ' ORDER BY p.partner_id) AS sides
FROM revrtm.conflict_case c JOIN revrtm.conflict_party p USING (case_id, account_id)
LEFT JOIN revrtm.deal_registration r ON p.claim = 'registration:' || r.registration_id
GROUP BY c.case_id, c.account_id, c.kind, c.cause, c.status ORDER BY c.account_id, c.kind, sides;

-- What is no guard.
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'deal', '{}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '[]')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'opportunity', '{"account": "account"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": 1, "partner": "reseller"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"acount": "account", "partner": "reseller"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'opportunity', '{"account": "account", "opportunity": "id", "amount": "amount"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "partner"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "starts"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller", "active": "state"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller", "active": "x", "status": "y"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller", "protection": "x", "from": "y"}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller", "status": {"column": "state"}}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller", "status": {"column": "state", "values": {"OK": "fine"}}}')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller"}', 'on')$$);
SELECT public.try($$SELECT revrtm.guard('portal.deal', NULL, '{}')$$);
-- What cannot be guarded.
CREATE TABLE portal.parted (account text, partner text) PARTITION BY LIST (account);
CREATE TABLE portal.part PARTITION OF portal.parted DEFAULT;
CREATE TABLE portal.child () INHERITS (portal.lead);
CREATE TEMP TABLE passing (account text, partner text);
CREATE UNLOGGED TABLE portal.unlogged (account text, partner text);
CREATE TABLE portal.keyless (account text, partner text);
CREATE TABLE portal.dated (at timestamptz PRIMARY KEY, account text, partner text);
CREATE VIEW portal.seen AS SELECT * FROM portal.keyless;
SELECT t, public.try(format($$SELECT revrtm.guard(%L, 'registration', '{"account": "account", "partner": "partner"}')$$, t)) FROM unnest(
    '{portal.parted,portal.part,passing,portal.unlogged,portal.keyless,portal.dated,portal.seen,pg_catalog.pg_class,revrtm.deal_registration}'::text[]) t;
SELECT public.try($$SELECT revrtm.guard('portal.lead', 'registration', '{"account": "customer", "partner": "partner"}')$$);
DROP TABLE portal.child;
SELECT public.try($$SELECT revrtm.guard(1::regclass, 'registration', '{"account": "customer", "partner": "partner"}')$$);
ALTER TABLE portal.keyless OWNER TO rtm_owner;
SET ROLE rtm_owner;
SELECT public.try($$SELECT revrtm.guard('portal.keyless', 'registration', '{"account": "account", "partner": "partner"}')$$);
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON revrtm.guard TO rtm_owner;
SET ROLE rtm_owner;
SELECT public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller"}')$$);
SELECT public.try($$SELECT revrtm.unguard('portal.keyless')$$), public.try($$SELECT * FROM revrtm.guard_violation('portal.keyless')$$),
    public.try($$SELECT * FROM revrtm.guard_violation('portal.deal')$$);
ALTER TABLE portal.keyless ADD PRIMARY KEY (account), ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT public.try($$SELECT revrtm.guard('portal.keyless', 'registration', '{"account": "account", "partner": "partner"}')$$);
ALTER TABLE portal.keyless NO FORCE ROW LEVEL SECURITY;
SELECT revrtm.guard('portal.keyless', 'registration', '{"account": "account", "partner": "partner"}');
INSERT INTO portal.keyless VALUES ('small', 'p1');
RESET ROLE;
SELECT target, row_key, account_id, partner_id, product_codes, region_codes, status, exclusive, amount FROM public.claim;
SET ROLE rtm_owner;
SELECT revrtm.unguard('portal.keyless');
RESET ROLE;
SELECT count(*) FROM revrtm.deal_registration;
-- A trigger of one's own with our function.
CREATE TRIGGER a BEFORE INSERT ON portal.keyless FOR EACH ROW EXECUTE FUNCTION revrtm.guard_row();
SELECT public.try($$INSERT INTO portal.keyless VALUES ('x', 'p')$$);
DROP TRIGGER a ON portal.keyless;
CREATE TRIGGER a AFTER INSERT ON portal.keyless EXECUTE FUNCTION revrtm.guard_row();
SELECT public.try($$INSERT INTO portal.keyless VALUES ('x', 'p')$$);
DROP TRIGGER a ON portal.keyless;
CREATE TRIGGER a AFTER INSERT ON portal.keyless FOR EACH ROW EXECUTE FUNCTION revrtm.guard_row();
SELECT public.try($$INSERT INTO portal.keyless VALUES ('x', 'p')$$);
SELECT public.try($$SELECT revrtm.guard_row()$$);

-- Two portals and the registrations: one constraint judges them all.
SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller", "product": "product", "region": "region", "from": "starts", "until": "ends",
    "status": {"column": "state", "values": {"New": "submitted", "OK": "approved", "No": "rejected"}}, "amount": "amount", "currency": "currency", "details": "extra", "since": "made"}');
SELECT revrtm.guard('portal.lead', 'registration', '{"account": "customer", "partner": "partner", "active": "live"}');
SELECT target, kind, mode FROM revrtm.guard ORDER BY 1;
SET ROLE rtm_portal;
INSERT INTO portal.deal VALUES (1, 'acme', 'p1', '{DB}', 'DE', '2026-07-01', '2200-01-01Z', 'OK', 5000, 'EUR', '{"note": "x"}', '2026-06-01Z'),
    (2, 'acme', 'p2', '{ANY}', 'US', '2026-07-01', NULL, 'OK', NULL, NULL, NULL, NULL), (3, 'solo', 'p1', '{CLOUD}', 'EMEA', NULL, NULL, 'No', NULL, NULL, NULL, NULL);
INSERT INTO portal.lead VALUES ('00000000-0000-0000-0000-000000000001', 1, 'globex', 'p3', false, true), ('00000000-0000-0000-0000-000000000001', 2, 'initech', 'p3', false, NULL);
RESET ROLE;
SELECT row_key, account_id, partner_id, product_codes, region_codes,
    CASE WHEN row_key = '1' THEN protection::text ELSE (upper(protection) - lower(protection))::text END AS days, status, amount, currency FROM public.claim;
SET ROLE rtm_portal;
SELECT public.try($$INSERT INTO portal.deal VALUES (4, 'globex', 'p1', '{DB}', 'DE', NULL, NULL, 'OK')$$);
SELECT public.try($$INSERT INTO portal.lead VALUES ('00000000-0000-0000-0000-000000000002', 1, 'acme', 'p4', false, true)$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (5, 'x', 'p1', '{DB}', 'DE', NULL, NULL, 'OK'), (6, 'x', 'p2', '{CLOUD}', 'EMEA', NULL, NULL, 'OK')$$);
RESET ROLE;
-- The staff, who may read it, is told the rival; but for its id.
GRANT ALL ON portal.deal TO rtm_staff;
SET ROLE rtm_staff;
SELECT regexp_replace(public.try($$INSERT INTO portal.deal VALUES (4, 'globex', 'p1', '{DB}', 'DE', NULL, '2200-01-01Z', 'OK')$$), 'Registration [-0-9a-f]+|\[[^)]*\)', '…', 'g');
RESET ROLE;
-- And a registration meets the portal's row.
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p5', '{DB}', '{EMEA}');
\set VERBOSITY terse
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
VALUES ('acme', 'p6', '{DB}', '{DE}', 'approved', '[2026-07-01,2026-08-01)');
TABLE public.board;
-- What ON CONFLICT skips claims nothing; what it updates does.
SET ROLE rtm_portal;
SELECT public.try($$INSERT INTO portal.deal VALUES (1, 'globex', 'p1', '{DB}', 'DE', NULL, NULL, 'OK') ON CONFLICT DO NOTHING$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (1, 'globex') ON CONFLICT (id) DO UPDATE SET account = EXCLUDED.account$$);
-- Every other rule, and what no field may hold.
SELECT public.try($$INSERT INTO portal.deal VALUES (7, NULL, 'p1', '{DB}', 'DE', NULL, NULL, 'New')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, 'y', 'p1', NULL, 'DE', NULL, NULL, 'New')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, 'y', 'p1', '{DB,nope}', 'DE', NULL, NULL, 'New')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, 'y', 'p1', '{DB}', 'DE', '2026-07-02', '2026-07-01Z', 'OK')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, 'y', 'p1', '{DB}', 'DE', '2026-07-02', '2026-07-02Z', 'OK')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, 'y', 'p1', '{DB}', 'DE', NULL, NULL, 'OK', -1)$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, 'y', 'p1', '{DB}', 'DE', NULL, NULL, 'OK', 1, 'eur')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (7, repeat('y', 40), 'p1', '{DB}', 'DE', NULL, NULL, 'OK')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (8, 'y', '', '{DB}', 'DE', NULL, NULL, 'OK')$$);
SELECT public.try($$INSERT INTO portal.deal VALUES (8, repeat('y', 40), 'p1', '{DB}', 'DE', NULL, NULL, 'New')$$);
RESET ROLE;
-- The row's own life: another account, another status, another key, none.
SELECT row_key, account_id, partner_id, status FROM public.claim;
SET ROLE rtm_portal;
SELECT public.try($$UPDATE portal.deal SET account = 'globex' WHERE id = 2$$);
UPDATE portal.deal SET account = 'hooli', id = 20 WHERE id = 2;
UPDATE portal.deal SET state = 'New' WHERE id = 1;
UPDATE portal.deal SET state = 'OK' WHERE id = 3;
UPDATE portal.lead SET on_hold = true;
DELETE FROM portal.deal WHERE id = 7;
RESET ROLE;
SELECT row_key, account_id, partner_id, status FROM public.claim;
SELECT e.from_status, e.to_status, e.acted_as, e.acting_role = current_user AS ours FROM revrtm.registration_event e WHERE e.account_id = repeat('y', 40) ORDER BY e.logged_at;
-- A row that goes on protecting is judged by where it goes.
UPDATE revrtm.roe_rule SET parameters = '{"required_fields": ["account_id", "details.note"]}' WHERE rule = 'incomplete';
SELECT public.try($$UPDATE portal.deal SET account = 'other' WHERE id = 20$$);
DELETE FROM revrtm.roe_rule WHERE rule = 'incomplete';
SELECT public.try($$UPDATE portal.deal SET account = NULL WHERE id = 20$$);
SELECT public.try($$INSERT INTO portal.deal (id, state) VALUES (21, 'OK')$$);
TRUNCATE portal.lead;
SELECT count(*) FROM revrtm.guard_claim WHERE target = 'portal.lead'::regclass;

-- What was decided of a claim stands until the row's status changes.
SELECT s.status FROM revrtm.guard_claim c, revrtm.revoke_registration(c.registration_id, 'no work seen') s WHERE c.row_key = '20';
UPDATE portal.deal SET amount = 7 WHERE id = 20;
SELECT status, amount FROM public.claim WHERE row_key = '20';
SELECT * FROM revrtm.guard_violation('portal.deal');
SELECT public.try($$SELECT revrtm.guard(target, kind, columns, 'enforce') FROM revrtm.guard WHERE target = 'portal.deal'::regclass$$);
SELECT status, amount FROM public.claim WHERE row_key = '20';
UPDATE portal.deal SET state = 'No' WHERE id = 20;
UPDATE portal.deal SET state = 'OK' WHERE id = 20;
SELECT status, amount FROM public.claim WHERE row_key = '20';

-- No setting changes the mode; nor does who may not write it.
SET ROLE rtm_portal;
SELECT public.try($$UPDATE revrtm.guard SET mode = 'off'$$), public.try($$SELECT revrtm.unguard('portal.deal')$$),
    public.try($$SELECT revrtm.guard('portal.deal', 'registration', '{"account": "account", "partner": "reseller"}', 'off')$$),
    public.try($$DELETE FROM revrtm.guard_claim$$), public.try($$SELECT * FROM revrtm.guard_violation('portal.deal')$$);
RESET ROLE;

-- Warn: the row is there, a conflict is a case, and listed.
DELETE FROM portal.deal;
INSERT INTO portal.deal VALUES (1, 'acme', 'p1', '{DB}', 'DE', '2026-07-01', '2200-01-01Z', 'OK', 1, 'EUR', '{}', '2026-06-01Z');
CREATE FUNCTION public.mode(to_mode text) RETURNS bigint LANGUAGE sql AS $$SELECT revrtm.guard(target, kind, columns, to_mode) FROM revrtm.guard WHERE target = 'portal.deal'::regclass$$;
SELECT public.mode('warn');
INSERT INTO portal.deal VALUES (2, 'acme', 'p2', '{CLOUD}', 'EMEA', '2026-07-01', '2200-01-01Z', 'OK', 1, 'EUR', '{}', '2026-06-02Z'), (3, 'acme', 'p3', '{CLOUD}', 'US', '2026-07-01', '2200-01-01Z', 'OK', -1, 'EUR', '{}', '2026-06-03Z');
SELECT row_key, partner_id, status FROM public.claim;
TABLE public.board;
SELECT row_key, sqlstate, constraint_name, message, regexp_replace(detail, 'Registration [-0-9a-f]+', '…') AS detail, refused FROM revrtm.guard_violation('portal.deal');
SELECT regexp_replace(public.try($$SELECT public.mode('enforce')$$), 'Registration [-0-9a-f]+', '…', 'g');
SELECT mode FROM revrtm.guard WHERE target = 'portal.deal'::regclass;
-- The first one gives way: the second is taken by the next look.
UPDATE portal.deal SET state = 'No' WHERE id = 1;
UPDATE portal.deal SET amount = 1 WHERE id = 3;
SELECT public.mode('enforce');
SELECT row_key, partner_id, status FROM public.claim;
TABLE public.board;

-- Off, and what happens in between.
SELECT public.mode('off');
INSERT INTO portal.deal VALUES (4, 'acme', 'p4', '{DB}', 'EMEA', '2026-07-01', '2200-01-01Z', 'OK', 1, 'EUR', '{}', '2026-06-04Z'), (5, 'late', 'p5', '{DB}', 'DE', '2026-07-01', '2200-01-01Z', 'OK', 1, 'EUR', '{}', '2026-06-05Z'),
    (6, 'late', 'p6', '{CLOUD}', 'DE', '2026-07-01', '2200-01-01Z', 'OK', 1, 'EUR', '{}', '2026-06-04Z'), (7, 'bad', 'p7', '{nope}', 'DE', '2026-07-01', '2200-01-01Z', 'OK', 1, 'EUR', '{}', '2026-06-07Z');
DELETE FROM portal.deal WHERE id = 3;
UPDATE portal.deal SET account = 'moved' WHERE id = 2;
-- What was protected still is.
SELECT row_key, account_id, partner_id, status FROM public.claim;
SELECT row_key, sqlstate, constraint_name, regexp_replace(detail, 'Registration [-0-9a-f]+', '…') AS detail FROM revrtm.guard_violation('portal.deal') ORDER BY row_key;
SELECT regexp_replace(public.try($$SELECT public.mode('enforce')$$), 'Registration [-0-9a-f]+', '…', 'g');
SELECT public.mode('warn');
SELECT row_key, account_id, partner_id, status FROM public.claim;
DELETE FROM portal.deal WHERE id IN (5, 7);
SELECT public.mode('enforce');
SELECT row_key, account_id, partner_id, status FROM public.claim;
SELECT count(*) FROM revrtm.guard_violation('portal.deal');

-- Columns that go.
ALTER TABLE portal.deal RENAME COLUMN reseller TO partner;
SELECT public.try($$UPDATE portal.deal SET amount = 3$$);
SELECT public.try($$DELETE FROM portal.deal$$);
SELECT public.try($$SELECT * FROM revrtm.guard_violation('portal.deal')$$);
ALTER TABLE portal.deal RENAME COLUMN partner TO reseller;
ALTER TABLE portal.deal ALTER COLUMN amount TYPE float8;
SELECT public.try($$UPDATE portal.deal SET amount = 3$$);
ALTER TABLE portal.deal ALTER COLUMN amount TYPE numeric(12, 2);
UPDATE portal.deal SET amount = 3;
ALTER TABLE portal.deal DROP COLUMN extra;
SELECT public.try($$UPDATE portal.deal SET amount = 4$$);
SELECT public.try($$SELECT public.mode('warn')$$), public.try($$SELECT public.mode('off')$$);
UPDATE portal.deal SET amount = 4;
SELECT revrtm.guard(target, kind, columns - 'details', 'enforce') FROM revrtm.guard WHERE target = 'portal.deal'::regclass;
UPDATE portal.deal SET amount = 4;
ALTER TABLE portal.deal DROP CONSTRAINT deal_pkey;
SELECT public.try($$UPDATE portal.deal SET amount = 5$$);
ALTER TABLE portal.deal ADD PRIMARY KEY (id);
-- Nor is an old snapshot enough.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT public.mode('enforce');
ROLLBACK;
-- The table's own name does not matter.
ALTER TABLE portal.deal RENAME TO registered;
SELECT regexp_replace(public.try($$INSERT INTO portal.registered (id, account, reseller, product, region, state) VALUES (9, 'late', 'p9', '{DB}', 'DE', 'OK')$$), 'Registration [-0-9a-f]+', '…');
ALTER TABLE portal.registered RENAME TO deal;
-- A registration that stood for a row and was deleted comes back with the row.
DELETE FROM revrtm.deal_registration r USING revrtm.guard_claim c WHERE c.registration_id = r.registration_id;
SELECT public.mode('enforce');
SELECT row_key, account_id, partner_id, status FROM public.claim;

-- An account that is merged takes its claims along; the row is to follow.
SELECT partner_id, outcome, status FROM revrtm.merge_accounts('moved', 'whole', 'one company');
SELECT row_key, account_id, status FROM public.claim WHERE row_key = '2';
SELECT count(*) FROM revrtm.guard_violation('portal.deal');
UPDATE portal.deal SET amount = 8 WHERE id = 2;
SELECT row_key, account_id, status, amount FROM public.claim WHERE row_key = '2';
UPDATE portal.deal SET account = 'whole' WHERE id = 2;
SELECT row_key, account_id, status FROM public.claim WHERE row_key = '2';
-- As do days that were extended.
SELECT e.status FROM revrtm.guard_claim c, revrtm.extend_registration(c.registration_id, 30) e WHERE c.row_key = '2';
UPDATE portal.deal SET amount = 9 WHERE id = 2;
SELECT amount, protection, status FROM public.claim WHERE row_key = '2';
UPDATE portal.deal SET ends = '2100-01-01Z' WHERE id = 2;
SELECT amount, protection, status FROM public.claim WHERE row_key = '2';
UPDATE portal.deal SET account = 'next' WHERE id = 2;
-- A bound table.
SELECT revrtm.bind('contact', 'SELECT id::text AS contact_id, customer AS account_id FROM portal.lead') IS NOT NULL AS bound;
SET client_min_messages = notice;
SELECT revrtm.guard('portal.lead', 'registration', '{"account": "customer", "partner": "partner", "active": "live"}', 'off');
RESET client_min_messages;
SET client_min_messages = warning;
SELECT revrtm.unbind('contact');

-- Deals of our own, and other partners', on what a partner protects.
CREATE TABLE portal.opportunity (id int PRIMARY KEY, account text, partner text, product text, stage text, made timestamptz);
INSERT INTO portal.opportunity VALUES (1, 'next', NULL, NULL, 'Open', '2026-06-01Z'), (2, 'next', 'p2', NULL, 'Open', '2026-06-01Z'), (3, 'free', NULL, NULL, 'Open', '2026-06-01Z');
SELECT revrtm.guard('portal.opportunity', 'opportunity', '{"account": "account", "opportunity": "id", "partner": "partner", "product": "product",
    "status": {"column": "stage", "values": {"Won": "won", "Lost": "lost"}}, "since": "made"}');
SELECT mode FROM revrtm.guard WHERE kind = 'opportunity';
SELECT kind, cause, status, sides FROM public.board WHERE kind = 'direct_partner';
GRANT ALL ON portal.opportunity TO rtm_portal;
SET ROLE rtm_portal;
INSERT INTO portal.opportunity VALUES (4, 'late', NULL, 'DB', 'Open', '2026-06-02Z'), (5, 'late', 'p9', 'CLOUD', 'Open', '2026-06-02Z'), (6, 'late', NULL, 'CLOUD', 'Won', '2026-06-02Z');
UPDATE portal.opportunity SET account = 'free' WHERE id = 1;
UPDATE portal.opportunity SET stage = 'Lost' WHERE id = 4;
DELETE FROM portal.opportunity WHERE id = 5;
INSERT INTO portal.opportunity VALUES (7, 'late', NULL, 'nope', 'Open', '2026-06-02Z');
RESET ROLE;
SELECT account_id, kind, cause, status, sides FROM public.board WHERE sides LIKE '%opportunity%';
SELECT row_key, sqlstate, constraint_name, message FROM revrtm.guard_violation('portal.opportunity');
SELECT public.try($$SELECT revrtm.guard(target, kind, columns, 'enforce') FROM revrtm.guard WHERE kind = 'opportunity'$$);
DELETE FROM portal.opportunity WHERE id IN (4, 7);
SELECT revrtm.guard(target, kind, columns, 'enforce') FROM revrtm.guard WHERE kind = 'opportunity';
SET ROLE rtm_portal;
SELECT public.try($$INSERT INTO portal.opportunity VALUES (8, 'late', NULL, 'DB', 'Open', '2026-06-02Z')$$);
RESET ROLE;

-- Nothing is left but the log; a table that is gone is unguarded by its number.
CREATE TABLE portal.gone (id int PRIMARY KEY, account text, partner text);
SELECT revrtm.guard('portal.gone', 'registration', '{"account": "account", "partner": "partner"}');
INSERT INTO portal.gone VALUES (1, 'ghost', 'p1');
SELECT 'portal.gone'::regclass::oid AS gone \gset
DROP TABLE portal.gone;
SELECT count(*) FROM revrtm.deal_registration WHERE account_id = 'ghost';
SELECT revrtm.unguard(:gone::regclass);
SELECT count(*) FROM revrtm.deal_registration WHERE account_id = 'ghost';
SELECT revrtm.unguard('portal.deal'), revrtm.unguard('portal.lead'), revrtm.unguard('portal.opportunity');
SELECT (SELECT count(*) FROM revrtm.guard) AS guards, (SELECT count(*) FROM revrtm.guard_claim) AS claims,
    (SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid WHERE p.proname = 'guard_row' AND t.tgname <> 'a') AS triggers,
    (SELECT count(*) FROM revrtm.deal_registration r WHERE r.partner_id <> 'p5') AS registrations;
SELECT public.try($$SELECT revrtm.unguard('portal.deal')$$);
INSERT INTO portal.deal (id, account, reseller, product, region, state) VALUES (10, 'late', 'p9', '{DB}', 'DE', 'OK');

DROP SCHEMA portal CASCADE;
DROP VIEW public.claim, public.board;
DROP FUNCTION public.try(text), public.mode(text);
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.conflict_case;
DELETE FROM revrtm.conflict_party;
INSERT INTO revrtm.roe_rule (rule, kind, parameters, shipped) VALUES ('incomplete', 'incomplete', '{"required_fields": ["account_id", "partner_id", "product_codes", "region_codes"]}', true);
DELETE FROM revrtm.region WHERE region_id = 'DE';
DELETE FROM revrtm.region WHERE region_id IN ('EMEA', 'US');
DELETE FROM revrtm.product WHERE product_id = 'DB';
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
DROP OWNED BY rtm_portal, rtm_owner, rtm_staff;
DROP ROLE rtm_portal, rtm_owner, rtm_staff;
