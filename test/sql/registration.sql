-- Deal registration: what is derived, decided and refused.
SET revrtm.as_of = '2026-07-01 12:00:00+00';
INSERT INTO revrtm.region (region_id, parent_id) VALUES
    ('EMEA', 'ANY'), ('DE', 'EMEA'), ('FR', 'EMEA'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES
    ('CLOUD', 'ANY'), ('DB', 'CLOUD'), ('APPS', 'ANY');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0000-%s', lpad(n::text, 12, '0'))::uuid;

-- Submitting.
SELECT status, reason_code, conflicting_registration_id, detail
FROM revrtm.register_deal('acme', 'p1', '{CLOUD}', '{DE,FR}', 1000, 'EUR', '2026-09-01');
SELECT account_id, partner_id, product_codes, region_codes, protection, status, active, exclusive,
    amount, currency, submitted_at = revrtm.as_of() AS at_as_of, decided_at, checked_at IS NOT NULL AS checked
FROM revrtm.deal_registration \gx
-- Scopes are the trees', whatever the row says.
SELECT d.product = p.span::int8multirange AS product_derived,
    d.region = (SELECT range_agg(span) FROM revrtm.region WHERE region_id IN ('DE', 'FR')) AS region_derived
FROM revrtm.deal_registration d, revrtm.product p WHERE p.product_id = 'CLOUD';
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes,
    product, region, active)
VALUES (pg_temp.id(1), 'acme', 'p1', '{CLOUD}', '{DE}', '{[1,2)}', '{[1,2)}', true)
RETURNING active, product = '{[1,2)}' AS product_kept, region = '{[1,2)}' AS region_kept;

-- Approving: 90 days from today's date in the programme's zone, not in
-- revrtm.timezone; or as many as the programme says.
SET revrtm.as_of = '2026-07-01 23:30:00+00';
SET revrtm.timezone = 'America/New_York';
UPDATE revrtm.programme SET timezone = 'Asia/Tokyo';
SELECT registration_id, status, reason_code FROM revrtm.approve_registration(pg_temp.id(1), reason => 'fine');
BEGIN;
UPDATE revrtm.programme SET protection_days = 30;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes)
VALUES ('short', 'p1', '{CLOUD}', '{DE}') RETURNING protection;
ROLLBACK;
-- Over from the programme's midnight on: 15:00 UTC is that of Tokyo.
SELECT t, revrtm.registration_status('approved', '[2026-04-02,2026-07-01)') AS status
FROM unnest('{2026-06-30 14:59:59Z,2026-06-30 15:00:00Z}'::text[]) t, LATERAL set_config('revrtm.as_of', t, false);
UPDATE revrtm.programme SET timezone = 'UTC';
RESET revrtm.timezone;
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SELECT protection, active, decided_at AT TIME ZONE 'UTC' AS decided_at, decision_reason FROM revrtm.deal_registration;

-- In its way: below, above, the root; not beside it.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes)
VALUES (pg_temp.id(2), 'acme', 'p2', '{DB}', '{EMEA}'), (pg_temp.id(3), 'acme', 'p9', '{ANY}', '{ANY}'),
    (pg_temp.id(4), 'acme', 'p2', '{APPS}', '{DE}'), (pg_temp.id(5), 'acme', 'p5', '{DB}', '{FR,US}'),
    (pg_temp.id(6), 'other', 'p2', '{DB}', '{DE}');
SELECT status FROM revrtm.approve_registration(pg_temp.id(2));
SELECT status FROM revrtm.approve_registration(pg_temp.id(3));
SELECT status FROM revrtm.approve_registration(pg_temp.id(4));
SELECT status FROM revrtm.approve_registration(pg_temp.id(5));
SELECT status FROM revrtm.approve_registration(pg_temp.id(6));
-- Reported, not raised, when it is submitted; the earliest of several.
SELECT status, reason_code, conflicting_registration_id, detail
FROM revrtm.register_deal('acme', 'p3', '{ANY}', '{ANY}');
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p6', '{ANY}', '{ANY}', exclusive => false);
-- Adjacent protections do not overlap, and what is not exclusive is in nobody's way.
SELECT status FROM revrtm.approve_registration(pg_temp.id(2), '[2026-09-30,2026-12-31)');
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, exclusive)
VALUES ('acme', 'p4', '{CLOUD}', '{DE}', 'approved', false) RETURNING active;

-- A direct insert of an active row: in words at top level, by the constraint always.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'p8', '{DB}', '{DE}', 'approved');
\set VERBOSITY sqlstate
DO $$BEGIN INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'p8', '{DB}', '{DE}', 'approved'); END$$;
COPY revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) FROM STDIN;
acme	p8	{DB}	{DE}	approved
\.
-- The fields a driver sees.
\set VERBOSITY default
DO $$
DECLARE c text; t text; s text;
BEGIN
    PERFORM revrtm.approve_registration('00000000-0000-0000-0000-000000000003');
EXCEPTION WHEN exclusion_violation THEN
    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, t = TABLE_NAME, s = SCHEMA_NAME;
    RAISE NOTICE '% of %.%', c, s, t;
END
$$;
-- ON CONFLICT DO NOTHING skips, at top level, below a function, in a CTE.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'p8', '{DB}', '{DE}', 'approved') ON CONFLICT DO NOTHING;
DO $$BEGIN INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'p8', '{DB}', '{DE}', 'approved') ON CONFLICT ON CONSTRAINT roe_protected DO NOTHING; END$$;
WITH i AS (INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
    VALUES ('acme', 'p8', '{DB}', '{DE}', 'approved') ON CONFLICT DO NOTHING RETURNING 1)
SELECT count(*) AS inserted FROM i;
PREPARE skip AS INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'p8', '{DB}', '{DE}', 'approved') ON CONFLICT DO NOTHING;
EXECUTE skip;
DEALLOCATE skip;
-- Two conflicting rows of one statement, and a multi-row one that skips its second.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
SELECT pg_temp.id(i), 'solo', 'p' || i, '{DB}', '{DE}', 'approved' FROM generate_series(11, 12) i;
\set VERBOSITY terse
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
SELECT 'solo', 'p' || i, '{DB}', '{DE}', 'approved' FROM generate_series(1, 2) i ON CONFLICT DO NOTHING;
UPDATE revrtm.deal_registration SET status = 'approved' WHERE status = 'submitted' AND account_id = 'acme';
UPDATE revrtm.deal_registration SET region_codes = '{DE}' WHERE registration_id = pg_temp.id(5);
-- Triggers off, as for a subscriber: the constraint still refuses.
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, product, region,
    protection, status, active, submitted_at, checked_at)
SELECT account_id, 'p9', product_codes, region_codes, product, region, protection, status, active,
    submitted_at, checked_at
FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
ROLLBACK;

-- NULL and empty would never conflict, so they are refused.
\set VERBOSITY terse
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.try(changed text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO revrtm.deal_registration SELECT (jsonb_populate_record(d, %L)).* '
        'FROM revrtm.deal_registration d WHERE registration_id = %L',
        jsonb_build_object(changed, value, 'registration_id', gen_random_uuid()), pg_temp.id(1));
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT c, v, pg_temp.try(c, v) FROM (VALUES ('account_id', NULL), ('account_id', ''), ('product', NULL),
    ('product', '{}'), ('region', NULL), ('region', '{}'), ('protection', NULL), ('protection', 'empty'),
    ('product_codes', NULL), ('region_codes', '{}'), ('active', NULL), ('active', 'false'), ('exclusive', NULL),
    ('status', 'odd'), ('partner_id', ''), ('amount', '-1'), ('amount', 'NaN'), ('amount', 'Infinity'),
    ('currency', 'usd'), ('expected_close', 'infinity'), ('details', '[]'), ('evidence', '3')) t(c, v);
ROLLBACK;

-- Bad input by the trigger and the functions.
\set VERBOSITY default
SELECT * FROM revrtm.register_deal('acme', 'p1', '{CLOUD,NO}', '{DE}');
SELECT * FROM revrtm.register_deal('acme', 'p1', '{CLOUD}', '{Q1,DE,Q2,Q1}');
\set VERBOSITY sqlstate
SELECT * FROM revrtm.register_deal('acme', 'p1', '{NO}', '{DE}');
SELECT * FROM revrtm.register_deal('acme', 'p1', NULL, '{DE}');
SELECT * FROM revrtm.register_deal('acme', 'p1', '{}', '{DE}');
SELECT * FROM revrtm.register_deal('acme', 'p1', '{CLOUD,NULL}', '{DE}');
SELECT * FROM revrtm.register_deal('acme', 'p1', '{{CLOUD},{DB}}', '{DE}');
SELECT * FROM revrtm.register_deal('acme', 'p1', array_fill('CLOUD'::text, '{100000}'), ARRAY[repeat('x', 100000)]);
SELECT * FROM revrtm.register_deal(NULL, 'p1', '{CLOUD}', '{DE}');
SELECT * FROM revrtm.register_deal('', 'p1', '{CLOUD}', '{DE}');
SELECT * FROM revrtm.register_deal(repeat('x', 256), 'p1', '{CLOUD}', '{DE}');
SELECT * FROM revrtm.register_deal('acme', NULL, '{CLOUD}', '{DE}');
SELECT * FROM revrtm.register_deal('new', 'p1', '{CLOUD}', '{DE}', exclusive => NULL);
SELECT * FROM revrtm.approve_registration(NULL);
SELECT * FROM revrtm.approve_registration(gen_random_uuid());
SELECT * FROM revrtm.reject_registration(gen_random_uuid());
SELECT * FROM revrtm.withdraw_registration(gen_random_uuid());
SELECT * FROM revrtm.approve_registration(pg_temp.id(3), 'empty');

-- What may become of what.
\set VERBOSITY terse
SELECT status FROM revrtm.reject_registration(pg_temp.id(3));
SELECT status FROM revrtm.reject_registration(pg_temp.id(3), 'too early');
SELECT decision_reason FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(3);
SELECT status FROM revrtm.reject_registration(pg_temp.id(3));
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(3));
SELECT status FROM revrtm.approve_registration(pg_temp.id(1));
SELECT status FROM revrtm.reject_registration(pg_temp.id(1));
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(1));
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(1));
UPDATE revrtm.deal_registration SET status = 'submitted' WHERE registration_id = pg_temp.id(1);
UPDATE revrtm.deal_registration SET status = 'odd' WHERE registration_id = pg_temp.id(5);
UPDATE revrtm.deal_registration SET status = NULL WHERE registration_id = pg_temp.id(5);
\set VERBOSITY default
DO $$
DECLARE c text; d text;
BEGIN
    PERFORM revrtm.approve_registration('00000000-0000-0000-0000-000000000001');
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, d = PG_EXCEPTION_HINT;
    RAISE NOTICE '%: %', c, d;
END
$$;

-- Expiry needs no job.
SELECT revrtm.registration_status('approved', '[2026-04-01,2026-07-01)'),
    revrtm.registration_status('approved', '[2026-04-01,2026-07-02)'),
    revrtm.registration_status('approved', '[2026-04-01,)'),
    revrtm.registration_status('rejected', '[2026-04-01,2026-07-01)');

-- Open conflicts: with an active one, with an earlier one, not with one that is over.
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes,
    status, protection, submitted_at)
VALUES (pg_temp.id(1), 'acme', 'p1', '{CLOUD}', '{EMEA}', 'approved', '[2026-01-01,2026-07-01)', '2026-01-01'),
    (pg_temp.id(2), 'acme', 'p2', '{CLOUD}', '{DE}', 'approved', '[2026-07-01,2026-08-01)', '2026-02-01'),
    (pg_temp.id(3), 'acme', 'p3', '{DB}', '{EMEA}', 'submitted', NULL, '2026-03-01'),
    (pg_temp.id(4), 'acme', 'p4', '{ANY}', '{FR}', 'submitted', NULL, '2026-03-01'),
    (pg_temp.id(5), 'acme', 'p5', '{APPS}', '{US}', 'submitted', NULL, '2026-03-02'),
    (pg_temp.id(6), 'acme', 'p6', '{ANY}', '{ANY}', 'rejected', NULL, '2026-01-01');
SELECT right(registration_id::text, 1) AS registration, right(other_registration_id::text, 1) AS other,
    other_status, conflict_key = registration_id || ':' || other_registration_id AS keyed
FROM revrtm.registration_conflict ORDER BY conflict_key;

-- A row with its decision stamp is history: kept as it came, judged by constraints.
CREATE TABLE saved AS SELECT * FROM revrtm.deal_registration;
UPDATE saved SET region = '{[7,9)}', region_codes = '{GONE}' WHERE registration_id = pg_temp.id(6);
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration TABLE saved;
SELECT count(*) AS changed FROM (TABLE saved EXCEPT TABLE revrtm.deal_registration) d;
DROP TABLE saved;
-- A node that is named is in use, by history too.
DELETE FROM revrtm.region WHERE region_id = 'US';
DELETE FROM revrtm.product WHERE product_id = 'DB';

-- The trigger's function is of use nowhere else.
SELECT revrtm.keep_registration();
CREATE TABLE other (registration_id uuid, account_id int);
CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_registration();
INSERT INTO other DEFAULT VALUES;
DROP TRIGGER t ON other;
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_registration();
INSERT INTO other DEFAULT VALUES;
DROP TABLE other;

DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
DELETE FROM revrtm.product WHERE product_id IN ('DB', 'APPS');
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
