-- Who sees what: partners their own, staff all; nothing leaks from a conflict.
SET revrtm.as_of = '2026-07-01 12:00:00+00';
CREATE ROLE rtm_alpha;
CREATE ROLE rtm_alpha_user IN ROLE rtm_alpha;
CREATE ROLE rtm_beta;
CREATE ROLE rtm_both IN ROLE rtm_alpha, rtm_beta;
CREATE ROLE rtm_portal;
CREATE ROLE rtm_apart NOINHERIT IN ROLE rtm_alpha, rtm_portal;
CREATE ROLE rtm_staff;
CREATE ROLE rtm_nobody;
SELECT revrtm.grant_partner(r) FROM unnest('{rtm_alpha,rtm_beta,rtm_portal,rtm_apart,rtm_nobody}'::text[]) r;
SELECT revrtm.grant_staff('rtm_staff');
SELECT revrtm.grant_partner('rtm_no_such_role');
-- Partners here register the same again and again.
ALTER TABLE revrtm.roe_rule DISABLE TRIGGER own_shipped_row;
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'duplicate';
INSERT INTO revrtm.partner_login VALUES ('rtm_alpha', 'alpha'), ('rtm_beta', 'beta'), ('rtm_gone', 'gone');
INSERT INTO revrtm.partner_proxy VALUES ('rtm_portal');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0000-%s', lpad(n::text, 12, '0'))::uuid;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection)
VALUES (pg_temp.id(1), 'acme', 'alpha', '{ANY}', '{ANY}', 'approved', '[2000-01-01,2200-01-01)'),
    (pg_temp.id(2), 'acme', 'beta', '{ANY}', '{ANY}', 'submitted', NULL),
    (pg_temp.id(3), 'globex', 'beta', '{ANY}', '{ANY}', 'approved', '[2000-01-01,2200-01-01)');

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
-- Membership without the privileges makes nobody a partner, nor a portal.
SET ROLE rtm_apart;
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

-- Beta, refused by alpha's protection, learns that by the queue, and no more;
-- asking beforehand it learns of its own alone.
SET ROLE rtm_beta;
SELECT account_id, partner_id FROM revrtm.deal_registration ORDER BY registration_id;
SELECT status, reason_code, conflicting_registration_id, detail FROM revrtm.register_deal('acme', 'beta', '{ANY}', '{ANY}');
SELECT * FROM revrtm.find_protection('acme', '{[0,9)}', '{[0,9)}', '[2026-07-02,2026-07-03)');
SELECT reason_code, conflicting_registration_id = pg_temp.id(3) AS own_shown
FROM revrtm.find_protection('globex', '{[0,9)}', '{[0,9)}', '[1990-01-01,1990-01-02)');
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

-- Nor does beta find out when a protection begins or ends: whatever period it
-- asks about, it is told nothing, and its registration gets the 90 days from the
-- clock's day in the programme's zone. One rival's protection ended yesterday, one's
-- last day is today, one's first is the last of those days, one's the day after.
CREATE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql RETURN (clock_timestamp() AT TIME ZONE 'Pacific/Kiritimati')::date;
UPDATE revrtm.programme SET timezone = 'Pacific/Kiritimati';
REVOKE SELECT ON revrtm.programme FROM PUBLIC;
-- Not across midnight.
DO $$BEGIN PERFORM pg_sleep(30) WHERE (clock_timestamp() AT TIME ZONE 'Pacific/Kiritimati')::time > '23:59:31'; END$$;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
SELECT account, 'alpha', '{ANY}', '{ANY}', 'approved', daterange(pg_temp.today() + from_day, pg_temp.today() + until_day)
FROM (VALUES ('over', -30, 0), ('ends', -30, 1), ('begins', 89, 200), ('later', 90, 200)) v(account, from_day, until_day);
CREATE TEMP TABLE period AS
SELECT daterange(pg_temp.today() + i, pg_temp.today() + i + 1) AS protection FROM generate_series(-40, 210) i
UNION ALL VALUES ('[,)'::daterange), ('empty'), ('[2000-01-01,2000-01-02)'), ('[,2000-01-01)'), ('[2200-01-01,)'), ('[infinity,]');
CREATE TEMP TABLE answer (asked text, account text, protected bigint, free bigint);
GRANT SELECT ON period TO rtm_beta, rtm_staff;
GRANT INSERT ON answer TO rtm_beta, rtm_staff;
CREATE FUNCTION pg_temp.ask(asked text) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO answer
    SELECT ask.asked, a.account, count(f.reason_code), count(*) - count(f.reason_code)
    FROM unnest('{over,ends,begins,later,nowhere}'::text[]) a(account) CROSS JOIN period p
    LEFT JOIN LATERAL revrtm.find_protection(a.account, '{[0,9)}', '{[0,9)}', p.protection) f ON true
    GROUP BY a.account;
END;
CREATE FUNCTION rtm_definer(account text, protection daterange) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
$$SELECT count(*) FROM revrtm.find_protection(account, '{[0,9)}', '{[0,9)}', protection)$$;
ALTER FUNCTION rtm_definer OWNER TO rtm_staff;
SET ROLE rtm_staff;
SELECT pg_temp.ask('staff');
SET ROLE rtm_beta;
SELECT pg_temp.ask('beta');
SET revrtm.as_of = '2020-01-01';
SET revrtm.timezone = 'Pacific/Pago_Pago';
SET TimeZone = '<UTC>+100';
SELECT pg_temp.ask('beta, with settings');
INSERT INTO answer
SELECT 'beta, by staff''s function', a, sum(n), count(*) - sum(n)
FROM unnest('{over,ends,begins,later,nowhere}'::text[]) a, period p, rtm_definer(a, p.protection) n GROUP BY a;
SELECT count(*) AS registered FROM unnest('{1999-01-01,2026-07-01,2150-01-01}'::text[]) d,
    LATERAL set_config('revrtm.as_of', d, false) s, LATERAL revrtm.register_deal('moved ' || s, 'beta', '{ANY}', '{ANY}');
SELECT status, reason_code FROM unnest('{over,ends,begins,later,nowhere}'::text[]) a,
    LATERAL revrtm.register_deal(a, 'beta', '{ANY}', '{ANY}');
RESET ROLE;
RESET revrtm.timezone;
RESET TimeZone;
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SELECT asked, account, protected, free FROM answer ORDER BY asked, account;
SELECT count(*) AS registered, bool_and(protection = daterange(pg_temp.today(), pg_temp.today() + 90)) AS by_the_clock
FROM revrtm.deal_registration WHERE account_id ~ '^(moved|over|ends|begins|later|nowhere)' AND partner_id = 'beta';
-- Staff's function that registers gives its caller no other days, nor an earlier place; staff's own goes by the settings.
ALTER FUNCTION rtm_definer RENAME TO rtm_asks;
CREATE FUNCTION rtm_definer() RETURNS void LANGUAGE sql SECURITY DEFINER AS
$$SELECT revrtm.register_deal('lent', 'beta', '{ANY}', '{ANY}')$$;
ALTER FUNCTION rtm_definer() OWNER TO rtm_staff;
SET ROLE rtm_beta;
SELECT rtm_definer();
SET ROLE rtm_staff;
SELECT rtm_definer();
RESET ROLE;
SELECT bool_or(protection = '[2026-07-02,2026-09-30)' AND submitted_at = revrtm.as_of()) AS staff_by_as_of,
    bool_or(protection = daterange(pg_temp.today(), pg_temp.today() + 90) AND submitted_at <> revrtm.as_of()) AS beta_by_the_clock,
    count(*)
FROM revrtm.deal_registration WHERE account_id = 'lent';
UPDATE revrtm.programme SET timezone = 'UTC';
GRANT SELECT ON revrtm.programme TO PUBLIC;
DROP FUNCTION rtm_asks, rtm_definer(), pg_temp.ask(text);
DROP TABLE answer, period;
DELETE FROM revrtm.deal_registration WHERE account_id ~ '^(moved|over|ends|begins|later|nowhere|lent)';

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
DROP OWNED BY rtm_alpha, rtm_alpha_user, rtm_beta, rtm_both, rtm_portal, rtm_apart, rtm_staff, rtm_nobody;
DROP ROLE rtm_alpha, rtm_alpha_user, rtm_beta, rtm_both, rtm_portal, rtm_apart, rtm_staff, rtm_nobody;
UPDATE revrtm.roe_rule SET enabled = true WHERE rule = 'duplicate';
ALTER TABLE revrtm.roe_rule ENABLE TRIGGER own_shipped_row;
