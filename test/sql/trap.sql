-- Traps of keeping protections apart, each proved to catch a design like this
-- one: what would fall into them is tried here, or named with where it is.
SET revrtm.as_of = '2026-07-01';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('FR', 'EMEA'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD'), ('APPS', 'ANY');

-- 1. NULL in a key column and empty ranges are never in conflict: none is
-- accepted, below the triggers too. (registration tries each through them.)
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.try(vals text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c text; n text;
BEGIN
    EXECUTE format('INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, product, region, protection,
        status, active, submitted_at, checked_at) SELECT %s', vals);
    RETURN 'accepted';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, n = COLUMN_NAME;
    RETURN SQLSTATE || ' ' || coalesce(nullif(c, ''), n);
END
$$;
SELECT bad, pg_temp.try(format($$%s, 'p', '{ANY}', '{ANY}', %s, %s, %s, 'approved', %s, now(), now()$$, account, product, region, days, active))
FROM (VALUES ('nothing', '''a''', '''{[0,9)}''', '''{[0,9)}''', '''[2026-01-01,2026-02-01)''', 'true'),
    ('account NULL', 'NULL', '''{[0,9)}''', '''{[0,9)}''', '''[2026-01-01,2026-02-01)''', 'true'),
    ('product NULL', '''a''', 'NULL', '''{[0,9)}''', '''[2026-01-01,2026-02-01)''', 'true'),
    ('product empty', '''a''', '''{}''', '''{[0,9)}''', '''[2026-01-01,2026-02-01)''', 'true'),
    ('region NULL', '''a''', '''{[0,9)}''', 'NULL', '''[2026-01-01,2026-02-01)''', 'true'),
    ('region empty', '''a''', '''{[0,9)}''', '''{}''', '''[2026-01-01,2026-02-01)''', 'true'),
    ('days NULL', '''a''', '''{[0,9)}''', '''{[0,9)}''', 'NULL', 'true'),
    ('days empty', '''a''', '''{[0,9)}''', '''{[0,9)}''', '''empty''', 'true'),
    ('active NULL', '''a''', '''{[0,9)}''', '''{[0,9)}''', '''[2026-01-01,2026-02-01)''', 'NULL'),
    ('active false', '''a''', '''{[0,9)}''', '''{[0,9)}''', '''[2026-01-01,2026-02-01)''', 'false')) v(bad, account, product, region, days, active);
-- 2. Where no trigger fires (an apply worker, a restore without them) the constraint refuses.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, product, region, protection,
    status, active, submitted_at, checked_at)
VALUES ('a', 'q', '{ANY}', '{ANY}', '{[3,4)}', '{[3,4)}', '[2026-01-31,2026-03-01)', 'approved', true, now(), now());
ROLLBACK;

-- 3. Row security hides the rival from a partner: its registration is kept out
-- all the same, and an INSERT is told no key. (registration_rls has the rest:
-- other functions' rights, privileges by column, leaky functions, times.)
CREATE ROLE rtm_trap_partner;
SELECT revrtm.grant_partner('rtm_trap_partner');
GRANT INSERT (status, protection) ON revrtm.deal_registration TO rtm_trap_partner;
INSERT INTO revrtm.partner_login VALUES ('rtm_trap_partner', 'q');
CREATE POLICY trap ON revrtm.deal_registration FOR INSERT TO rtm_trap_partner WITH CHECK (true);
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
VALUES ('acme', 'secret', '{CLOUD,APPS}', '{DE,FR}', 'approved', '[2026-06-01,2026-09-01)');
SET ROLE rtm_trap_partner;
SELECT count(*) FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'q', '{DB}', '{EMEA}', 'approved');
DO $$
BEGIN
    INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
    VALUES ('acme', 'q', '{DB}', '{EMEA}', 'approved', '[2026-08-31,2026-12-01)');
END
$$;
RESET ROLE;
DROP POLICY trap ON revrtm.deal_registration;
-- 4. So row security is on, and not forced, which would stop the owner's own
-- dump (dump_restore.pl dumps as one); and no function of ours that runs with
-- its owner's rights writes a registration, for then the key would be told.
SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
WHERE oid IN ('revrtm.deal_registration'::regclass, 'revrtm.registration_event'::regclass) ORDER BY 1;
SELECT p.oid::regprocedure AS definer_that_names_registrations FROM pg_proc p
WHERE p.pronamespace = 'revrtm'::regnamespace AND p.prosecdef AND pg_get_functiondef(p.oid) ~ '(INSERT INTO|UPDATE|DELETE FROM) +revrtm\.deal_registration';
-- 5. A view with its owner's rights shows all: each of ours asks the reader's.
SELECT relname FROM pg_class WHERE relnamespace = 'revrtm'::regnamespace AND relkind = 'v'
    AND NOT coalesce(reloptions @> '{security_invoker=true}', false)
    AND pg_get_viewdef(oid) ~ 'deal_registration|registration_event';
-- 6. What may raise an error with a value in it must not be trusted with hidden rows.
SELECT p.oid::regprocedure AS leakproof FROM pg_proc p WHERE p.pronamespace = 'revrtm'::regnamespace AND p.proleakproof;

-- 7. ON CONFLICT DO NOTHING takes the constraint for an arbiter (iso_register
-- races it); DO UPDATE cannot.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'q', '{DB}', '{EMEA}', 'approved'), ('acme', 'q', '{DB}', '{US}', 'approved') ON CONFLICT DO NOTHING RETURNING region_codes;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'q', '{DB}', '{EMEA}', 'approved') ON CONFLICT ON CONSTRAINT roe_protected DO UPDATE SET amount = 1;
-- 8. Several codes in one row: only what shares a product and a region is in the way.
SELECT r.region_codes, r.product_codes, f.reason_code
FROM (VALUES ('{DE}'::text[], '{DB}'::text[]), ('{FR}', '{APPS}'), ('{US}', '{APPS}'), ('{EMEA}', '{ANY}'), ('{US,FR}', '{DB}')) r(region_codes, product_codes)
LEFT JOIN LATERAL revrtm.find_protection('acme',
    (SELECT range_agg(span) FROM revrtm.product WHERE product_id = ANY (r.product_codes)),
    (SELECT range_agg(span) FROM revrtm.region WHERE region_id = ANY (r.region_codes)), '[2026-08-31,2026-09-01)') f ON true;
-- 9. Days, not instants: the session's TimeZone moves no protection.
SELECT count(*) AS registered FROM unnest('{UTC,America/New_York,Pacific/Kiritimati}'::text[]) z,
    LATERAL set_config('TimeZone', z, false) s, LATERAL revrtm.register_deal('zone ' || s, 'p', '{ANY}', '{ANY}');
RESET TimeZone;
SELECT DISTINCT protection FROM revrtm.deal_registration WHERE account_id LIKE 'zone %';
-- 10. A check with the transaction's own snapshot, or a lock without another
-- look, let doubles through: iso_register, iso_protect, iso_move and race.pl
-- try insert, approval, extension and moves at every isolation level.
-- 11. A scope type of one's own needs its GiST operators in C to exclude: the key has PostgreSQL's.
SELECT k.place, o.opcname FROM pg_index i, unnest(i.indclass) WITH ORDINALITY k(oid, place) JOIN pg_opclass o ON o.oid = k.oid
WHERE i.indexrelid = 'revrtm.roe_protected'::regclass ORDER BY k.place;

DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.partner_login;
DROP OWNED BY rtm_trap_partner;
DROP ROLE rtm_trap_partner;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR');
DELETE FROM revrtm.region WHERE region_id IN ('EMEA', 'US');
DELETE FROM revrtm.product WHERE product_id = 'DB';
DELETE FROM revrtm.product WHERE product_id IN ('CLOUD', 'APPS');
