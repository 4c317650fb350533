-- Who sees what: partners their own, staff all; nothing leaks from a conflict.
SET revrtm.as_of = '2026-07-01 12:00:00+00';
CREATE ROLE rtm_alpha;
CREATE ROLE rtm_alpha_user IN ROLE rtm_alpha;
CREATE ROLE rtm_beta;
CREATE ROLE rtm_both IN ROLE rtm_alpha, rtm_beta;
CREATE ROLE rtm_portal;
CREATE ROLE rtm_staff;
CREATE ROLE rtm_nobody;
SELECT revrtm.grant_partner(r) FROM unnest('{rtm_alpha,rtm_beta,rtm_portal,rtm_nobody}'::text[]) r;
SELECT revrtm.grant_staff('rtm_staff');
SELECT revrtm.grant_partner('rtm_no_such_role');
INSERT INTO revrtm.partner_login VALUES ('rtm_alpha', 'alpha'), ('rtm_beta', 'beta'), ('rtm_gone', 'gone');
INSERT INTO revrtm.partner_proxy VALUES ('rtm_portal');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0000-%s', lpad(n::text, 12, '0'))::uuid;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
VALUES (pg_temp.id(1), 'acme', 'alpha', '{ANY}', '{ANY}', 'approved'),
    (pg_temp.id(2), 'acme', 'beta', '{ANY}', '{ANY}', 'submitted'),
    (pg_temp.id(3), 'globex', 'beta', '{ANY}', '{ANY}', 'approved');

-- Who is who.
CREATE FUNCTION pg_temp.who() RETURNS text LANGUAGE sql
RETURN format('%s acts for %s, staff %s, sees %s', current_user, coalesce(revrtm.current_partner(), '(nobody)'),
    revrtm.is_staff(), (SELECT count(*) FROM revrtm.deal_registration));
SET revrtm.partner = 'beta';
SET ROLE rtm_alpha;
SELECT pg_temp.who();
SET ROLE rtm_alpha_user;
SELECT pg_temp.who();
SET ROLE rtm_both;
SELECT pg_temp.who();
SET ROLE rtm_nobody;
SELECT pg_temp.who();
SET ROLE rtm_portal;
SELECT pg_temp.who();
SET revrtm.partner = '';
SELECT pg_temp.who();
SET revrtm.partner = 'beta'' OR true --';
SELECT pg_temp.who();
SET ROLE rtm_staff;
SELECT pg_temp.who();
RESET ROLE;
RESET revrtm.partner;
SELECT pg_temp.who();
-- A role's own row comes before those of the roles it is a member of.
INSERT INTO revrtm.partner_login VALUES ('rtm_both', 'both');
SET ROLE rtm_both;
SELECT pg_temp.who();
RESET ROLE;

-- Beta, refused by alpha's protection, learns that and no more.
SET ROLE rtm_beta;
SELECT account_id, partner_id FROM revrtm.deal_registration ORDER BY registration_id;
SELECT status, reason_code, conflicting_registration_id, detail FROM revrtm.register_deal('acme', 'beta', '{ANY}', '{ANY}');
SELECT * FROM revrtm.find_protection('acme', '{[0,9)}', '{[0,9)}', '[2026-07-02,2026-07-03)');
SELECT status, reason_code, conflicting_registration_id IS NOT NULL AS own_shown
FROM revrtm.register_deal('globex', 'beta', '{ANY}', '{ANY}');
SELECT count(*) AS conflicts, count(*) FILTER (WHERE partner_id = 'alpha' OR other_partner_id = 'alpha') AS with_alpha
FROM revrtm.registration_conflict;
-- It cannot approve, forge, restore, impersonate or move a thing.
SELECT * FROM revrtm.approve_registration(pg_temp.id(2));
UPDATE revrtm.deal_registration SET status = 'rejected' WHERE registration_id = pg_temp.id(2);
UPDATE revrtm.deal_registration SET partner_id = 'alpha';
UPDATE revrtm.deal_registration SET checked_at = now();
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, checked_at)
VALUES ('new', 'beta', '{ANY}', '{ANY}', now());
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, region)
VALUES ('new', 'beta', '{ANY}', '{ANY}', '{}');
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('new', 'beta', '{ANY}', '{ANY}', 'approved');
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, submitted_at)
VALUES ('new', 'beta', '{ANY}', '{ANY}', '2020-01-01');
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('XX', 'ANY');
SELECT * FROM revrtm.partner_login;
SELECT revrtm.grant_staff('rtm_beta');
SELECT * FROM revrtm.register_deal('new', 'alpha', '{ANY}', '{ANY}');
-- Alpha's registration is to beta as one that does not exist.
SELECT * FROM revrtm.withdraw_registration(pg_temp.id(1));
SELECT * FROM revrtm.withdraw_registration(pg_temp.id(9));
-- as_of does not buy an earlier place in the queue.
SET revrtm.as_of = '2020-01-01';
SELECT status FROM revrtm.register_deal('early', 'beta', '{ANY}', '{ANY}');
SELECT submitted_at > '2021-01-01' AS by_the_clock FROM revrtm.deal_registration WHERE account_id = 'early';
SET revrtm.as_of = '2026-07-01 12:00:00+00';
-- Its own it may withdraw.
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(3));
RESET ROLE;

-- The error of the trigger, for staff, for a reader of some columns, for a partner.
SET ROLE rtm_staff;
SELECT * FROM revrtm.approve_registration(pg_temp.id(2));
RESET ROLE;
REVOKE SELECT ON revrtm.deal_registration FROM rtm_staff;
GRANT SELECT (registration_id, status, details) ON revrtm.deal_registration TO rtm_staff;
SET ROLE rtm_staff;
\set VERBOSITY terse
SELECT * FROM revrtm.approve_registration(pg_temp.id(2));
\set VERBOSITY default
DO $$
DECLARE d text;
BEGIN
    PERFORM revrtm.approve_registration('00000000-0000-0000-0000-000000000002');
EXCEPTION WHEN exclusion_violation THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '%', d;
END
$$;
RESET ROLE;
SELECT revrtm.grant_staff('rtm_staff');
-- A partner that was granted more than it should: no privilege shows the rival.
GRANT INSERT (status), UPDATE (status) ON revrtm.deal_registration TO rtm_beta;
SET ROLE rtm_beta;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'beta', '{ANY}', '{ANY}', 'approved');
UPDATE revrtm.deal_registration SET status = 'approved' WHERE registration_id = pg_temp.id(2);
-- Below a function, where the trigger leaves it to the table.
DO $$BEGIN INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'beta', '{ANY}', '{ANY}', 'approved'); END$$;
RESET ROLE;
-- A function with staff's rights, called by a partner, tells it nothing; nor
-- does a partner's function called by staff learn anything.
CREATE FUNCTION rtm_definer() RETURNS TABLE (status text, reason_code text, id uuid, detail text)
LANGUAGE sql SECURITY DEFINER AS
$$SELECT status, reason_code, conflicting_registration_id, detail FROM revrtm.register_deal('acme', 'beta', '{ANY}', '{ANY}')$$;
ALTER FUNCTION rtm_definer OWNER TO rtm_staff;
SET ROLE rtm_beta;
SELECT * FROM rtm_definer();
RESET ROLE;
ALTER FUNCTION rtm_definer OWNER TO rtm_beta;
SET ROLE rtm_staff;
SELECT * FROM rtm_definer();
RESET ROLE;
DROP FUNCTION rtm_definer;
-- The view of conflicts shows beta none of those with alpha, and staff all.
SET ROLE rtm_beta;
SELECT count(*) FILTER (WHERE other_partner_id = 'alpha') AS with_alpha FROM revrtm.registration_conflict;
SET ROLE rtm_staff;
SELECT count(*) FILTER (WHERE other_partner_id = 'alpha') > 0 AS with_alpha FROM revrtm.registration_conflict;
-- A leaky function in WHERE is not asked about hidden rows.
RESET ROLE;
CREATE FUNCTION rtm_leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
$$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
SET ROLE rtm_alpha;
SELECT count(*) FROM revrtm.deal_registration WHERE rtm_leak(partner_id);
RESET ROLE;
DROP FUNCTION rtm_leak;

-- Somebody without any right to register cannot probe for protections.
REVOKE ALL ON revrtm.deal_registration FROM rtm_nobody;
REVOKE INSERT (account_id) ON revrtm.deal_registration FROM rtm_nobody;
SET ROLE rtm_nobody;
SELECT * FROM revrtm.find_protection('acme', '{[0,9)}', '{[0,9)}', '[2026-07-02,2026-07-03)');
RESET ROLE;

-- Staff keeps the trees, but not their spans.
SET ROLE rtm_staff;
INSERT INTO revrtm.region (region_id, parent_id, region_name) VALUES ('XX', 'ANY', 'x');
UPDATE revrtm.region SET region_name = 'y' WHERE region_id = 'XX';
INSERT INTO revrtm.region (region_id, parent_id, span) VALUES ('XY', 'ANY', '[1,2)');
UPDATE revrtm.region SET span = '[1,2)';
DELETE FROM revrtm.region WHERE region_id = 'XX';
UPDATE revrtm.deal_registration SET checked_at = now();
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, checked_at)
VALUES ('new', 'beta', '{ANY}', '{ANY}', now());
RESET ROLE;

DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.partner_login;
DELETE FROM revrtm.partner_proxy;
DROP OWNED BY rtm_alpha, rtm_alpha_user, rtm_beta, rtm_both, rtm_portal, rtm_staff, rtm_nobody;
DROP ROLE rtm_alpha, rtm_alpha_user, rtm_beta, rtm_both, rtm_portal, rtm_staff, rtm_nobody;
