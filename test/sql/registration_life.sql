-- A registration's life: states, fields, reasons, the event log, the queue.
\set SHOW_CONTEXT never
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SET DateStyle = 'ISO, YMD';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('FR', 'EMEA');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0001-%s', lpad(n::text, 12, '0'))::uuid;
-- What the log says of a registration, by the numbers of id().
CREATE VIEW pg_temp.event AS
SELECT right(registration_id::text, 2)::int AS n, revision AS r, acted_as, from_status, to_status, reason, changed
FROM revrtm.registration_event WHERE registration_id::text LIKE '00000000-0000-0000-0001-%';

-- From submitted to won.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, amount, currency)
VALUES (pg_temp.id(1), 'acme', 'p1', '{ANY}', '{DE}', 1000, 'EUR');
SELECT status FROM revrtm.review_registration(pg_temp.id(1));
UPDATE revrtm.deal_registration SET amount = 2000, account_id = 'globex', details = '{"x": 1}' WHERE registration_id = pg_temp.id(1);
SELECT status FROM revrtm.return_registration(pg_temp.id(1));
SELECT status FROM revrtm.return_registration(pg_temp.id(1), '');
SELECT status FROM revrtm.return_registration(pg_temp.id(1), 'Who is the customer''s buyer?');
UPDATE revrtm.deal_registration SET amount = 2000, account_id = 'globex', region_codes = '{FR}' WHERE registration_id = pg_temp.id(1);
UPDATE revrtm.deal_registration SET amount = 2000, details = '{"buyer": "é \"x\""}', expected_close = '2026-09-30'
WHERE registration_id = pg_temp.id(1);
SET revrtm.as_of = '2026-07-02 12:00:00+00';
SELECT status FROM revrtm.submit_registration(pg_temp.id(1));
SELECT submitted_at AT TIME ZONE 'UTC' AS first_submitted, decision_reason FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
SELECT status FROM revrtm.approve_registration(pg_temp.id(1), reason => 'fine');
SELECT protection, decision_reason FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
-- Extended on its last day, without a gap; the day after it is too late.
SET revrtm.as_of = '2026-09-30 00:00:00+00';
SELECT status FROM revrtm.extend_registration(pg_temp.id(1));
SET revrtm.as_of = '2026-09-29 23:59:59+00';
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 0);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), NULL);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 2000000000);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), reason => 'The board meets in October.');
SELECT protection FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 10);
SELECT status FROM revrtm.convert_registration(pg_temp.id(1), '');
SELECT status FROM revrtm.convert_registration(pg_temp.id(1), NULL);
SELECT status FROM revrtm.convert_registration(pg_temp.id(1), 'deal-1');
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 1);
-- Its last day over, it stays what it is and protects no more.
SET revrtm.as_of = '2026-12-01';
SELECT revrtm.registration_status(status, protection), protection, opportunity_id FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
UPDATE revrtm.deal_registration SET status = 'won' WHERE registration_id = pg_temp.id(1) RETURNING active;
SELECT * FROM pg_temp.event WHERE n = 1 ORDER BY r;
SELECT bool_and(at <= '2026-12-01' AND at >= '2026-07-01') AS by_as_of, bool_and(logged_at >= now() - interval '1 day' AND logged_at <= clock_timestamp()) AS by_the_clock,
    bool_and(actor = session_user AND acting_role = current_user AND app_actor IS NULL) AS by_us,
    bool_and(account_id = 'acme' AND partner_id = 'p1') AS of_p1
FROM revrtm.registration_event WHERE registration_id = pg_temp.id(1);
SELECT status FROM revrtm.revoke_registration(pg_temp.id(1), 'late');
-- What changes nothing is not logged; nor can a reason be written later.
UPDATE revrtm.deal_registration SET status = status, amount = amount, revision = 77, decision_reason = 'x', checked_at = NULL
WHERE registration_id = pg_temp.id(1) RETURNING revision, decision_reason;

-- Every step that is not provided for is refused, and every one that is can be taken.
SET revrtm.as_of = '2026-07-01 12:00:00+00';
CREATE FUNCTION pg_temp.step(a text, b text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    DELETE FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(2);
    INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
    VALUES (pg_temp.id(2), 'step', 'p1', '{ANY}', '{ANY}', a);
    UPDATE revrtm.deal_registration SET status = b, decision_reason = 'because' WHERE registration_id = pg_temp.id(2);
    RETURN 'done';
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    RETURN name;
END
$$;
SELECT count(*) FILTER (WHERE done) AS possible, count(*) FILTER (WHERE NOT done) AS impossible,
    string_agg(s.a || '>' || s.b, ' ') FILTER (WHERE answer <> CASE WHEN done THEN 'done' ELSE 'roe_transition' END) AS wrong
FROM (SELECT a.status AS a, b.status AS b, pg_temp.step(a.status, b.status) AS answer,
             EXISTS (SELECT FROM revrtm.registration_transition t
                     WHERE t.from_status = a.status AND t.to_status = b.status AND 'staff' = ANY (t.actors)) AS done
      FROM revrtm.registration_state a, revrtm.registration_state b WHERE a.status <> b.status) s;
-- With what may be done instead.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
SELECT pg_temp.id(10 + n::int), 'hint' || n, 'p1', '{ANY}', '{ANY}', s
FROM unnest('{draft,queued,in_review,action_required,converted,won}'::text[]) WITH ORDINALITY u (s, n);
SELECT status FROM revrtm.extend_registration(pg_temp.id(11));
SELECT status FROM revrtm.submit_registration(pg_temp.id(12));
UPDATE revrtm.deal_registration SET status = 'draft' WHERE registration_id = pg_temp.id(13);
SELECT status FROM revrtm.approve_registration(pg_temp.id(14));
SELECT status FROM revrtm.approve_registration(pg_temp.id(15));
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(16));
SELECT status FROM revrtm.review_registration(pg_temp.id(99));
-- A protection changes by extending alone.
UPDATE revrtm.deal_registration SET protection = '[2026-01-01,2030-01-01)' WHERE registration_id = pg_temp.id(13);
UPDATE revrtm.deal_registration SET protection = '[2026-01-01,2030-01-01)' WHERE registration_id = pg_temp.id(15) RETURNING status, protection;
-- In a draft everything is open; submitting it, place and days begin.
UPDATE revrtm.deal_registration SET account_id = 'draft', partner_id = 'p2', region_codes = '{FR}', exclusive = false,
    submitted_at = '2020-01-01', protection = '[2020-01-01,2020-02-01)' WHERE registration_id = pg_temp.id(11);
SELECT status FROM revrtm.submit_registration(pg_temp.id(11));
SELECT protection, submitted_at = revrtm.as_of() AS submitted_now, revision FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(11);
-- The rows of the tables are the law: one's own reason, field and step.
BEGIN;
UPDATE revrtm.registration_transition SET reason_required = true WHERE to_status = 'approved';
INSERT INTO revrtm.registration_transition (from_status, to_status, actors) VALUES ('won', 'lost', '{staff}'), ('submitted', 'rejected', '{staff}')
RETURNING reason_required, shipped;
UPDATE revrtm.registration_state SET editable_fields = '{amount}' WHERE status = 'won' RETURNING shipped;
UPDATE revrtm.deal_registration SET amount = 7, status = 'lost' WHERE registration_id = pg_temp.id(16);
SELECT status FROM revrtm.reject_registration(pg_temp.id(11));
SELECT status FROM revrtm.approve_registration(pg_temp.id(13));
ROLLBACK;
SELECT count(*) AS not_shipped FROM revrtm.registration_transition WHERE NOT shipped;
-- But not which states there are, nor which protect.
UPDATE revrtm.registration_state SET active = true WHERE status = 'submitted';
INSERT INTO revrtm.registration_state VALUES ('odd', false, false, false, '{}');
UPDATE revrtm.registration_state SET editable_fields = '{status}' WHERE status = 'won';
INSERT INTO revrtm.registration_transition VALUES ('a', 'b', '{rival}');

-- The log is append-only for everybody, in every session, and written by nobody else.
DELETE FROM revrtm.registration_event;
\set VERBOSITY terse
UPDATE revrtm.registration_event SET reason = '';
TRUNCATE revrtm.registration_event;
SET session_replication_role = replica;
DELETE FROM revrtm.registration_event;
RESET session_replication_role;
\set VERBOSITY default
-- What a conflict skips leaves no entry, what is deleted does.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status)
SELECT pg_temp.id(20 + i), 'skip', 'p' || i, '{ANY}', '{ANY}', 'approved' FROM generate_series(1, 3) i ON CONFLICT DO NOTHING;
DELETE FROM revrtm.deal_registration WHERE account_id = 'skip';
SELECT * FROM pg_temp.event WHERE n BETWEEN 20 AND 29 ORDER BY n, r;
-- Of a row with its stamp there is none.
CREATE TEMP TABLE saved AS SELECT * FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(16);
DELETE FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(16);
INSERT INTO revrtm.deal_registration TABLE saved;
SELECT r, from_status, to_status FROM pg_temp.event WHERE n = 16 ORDER BY r;

-- The queue: what partners submit of a scope that is held waits.
CREATE ROLE rtm_alpha;
CREATE ROLE rtm_beta;
CREATE ROLE rtm_gamma;
CREATE ROLE rtm_staff;
SELECT revrtm.grant_partner(r) FROM unnest('{rtm_alpha,rtm_beta,rtm_gamma}'::text[]) r;
SELECT revrtm.grant_staff('rtm_staff');
INSERT INTO revrtm.partner_login VALUES ('rtm_alpha', 'alpha'), ('rtm_beta', 'beta'), ('rtm_gamma', 'gamma');
CREATE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql RETURN (clock_timestamp() AT TIME ZONE 'UTC')::date;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection)
VALUES (pg_temp.id(30), 'held', 'alpha', '{ANY}', '{EMEA}', 'approved', daterange(pg_temp.today() - 80, pg_temp.today() + 2));
SET ROLE rtm_beta;
SELECT status, reason_code, conflicting_registration_id, detail FROM revrtm.register_deal('held', 'beta', '{ANY}', '{DE}');
SELECT status, reason_code FROM revrtm.register_deal('free', 'beta', '{ANY}', '{DE}');
SELECT status, reason_code FROM revrtm.register_deal('held', 'beta', '{ANY}', '{FR}', exclusive => false);
-- A draft is asked when it is submitted.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('held', 'beta', '{ANY}', '{FR}', 'draft');
UPDATE revrtm.deal_registration SET region_codes = '{DE}' WHERE status = 'draft';
\set VERBOSITY terse
SELECT r.status FROM revrtm.deal_registration d, LATERAL revrtm.submit_registration(d.registration_id) r WHERE d.status = 'draft';
\set VERBOSITY default
UPDATE revrtm.deal_registration SET account_id = 'other' WHERE status = 'draft';
UPDATE revrtm.deal_registration SET account_id = 'held', region_codes = '{EMEA}' WHERE status = 'draft';
SET ROLE rtm_gamma;
SELECT status, reason_code FROM revrtm.register_deal('held', 'gamma', '{ANY}', '{EMEA}');
-- No partner promotes, expires, or takes itself out of the queue; withdrawing is its right.
SELECT * FROM revrtm.promote_registrations();
SELECT * FROM revrtm.expire_registrations();
UPDATE revrtm.deal_registration SET status = 'submitted' WHERE status = 'queued';
UPDATE revrtm.deal_registration SET status = 'approved' WHERE status = 'queued';
SELECT from_status, to_status, acted_as, reason FROM revrtm.registration_event ORDER BY revision;
SELECT actor FROM revrtm.registration_event;
INSERT INTO revrtm.registration_event (registration_id) VALUES (NULL);
SET ROLE rtm_staff;
INSERT INTO revrtm.registration_event (registration_id) VALUES (NULL);
-- Held to the last day; then the first in order, and who is not in its way.
CREATE TEMP VIEW queue AS
SELECT account_id, partner_id, region_codes, status FROM revrtm.deal_registration
WHERE partner_id IN ('beta', 'gamma') ORDER BY submitted_at;
SELECT count(*) FROM revrtm.promote_registrations((pg_temp.today() + 1)::timestamp AT TIME ZONE 'UTC');
SELECT status FROM revrtm.promote_registrations((pg_temp.today() + 2)::timestamp AT TIME ZONE 'UTC');
SELECT * FROM queue;
SELECT bool_and(protection = daterange(pg_temp.today() + 2, pg_temp.today() + 92)) AS from_that_day
FROM revrtm.deal_registration WHERE account_id = 'held' AND partner_id = 'beta' AND status = 'submitted' AND exclusive;
-- Once the first is decided against, the next.
SELECT d.partner_id, r.status FROM revrtm.deal_registration d, LATERAL revrtm.reject_registration(d.registration_id, 'no buyer') r
WHERE d.account_id = 'held' AND d.status = 'submitted' AND d.exclusive;
SELECT status FROM revrtm.promote_registrations((pg_temp.today() + 2)::timestamp AT TIME ZONE 'UTC');
SELECT * FROM queue;
SELECT * FROM revrtm.promote_registrations('infinity');
SELECT * FROM revrtm.promote_registrations(NULL);
-- Staff puts into the queue, but takes nobody out of turn.
UPDATE revrtm.deal_registration SET status = 'queued' WHERE partner_id = 'gamma';
UPDATE revrtm.deal_registration SET status = 'submitted' WHERE partner_id = 'gamma';
-- A day that is over is expired by itself; writing it down changes nothing.
SELECT revrtm.registration_status('approved', '[2026-06-01,2026-07-01)'), revrtm.registration_status('extended', '[2026-06-01,2026-07-01)'),
    revrtm.registration_status('converted', '[2026-06-01,2026-07-01)');
RESET ROLE;
DELETE FROM revrtm.deal_registration;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection)
VALUES (pg_temp.id(40), 'over', 'p1', '{ANY}', '{ANY}', 'approved', '[2026-06-01,2026-07-01)'),
    (pg_temp.id(41), 'over', 'p2', '{ANY}', '{ANY}', 'extended', '[2026-07-01,2026-07-02)'),
    (pg_temp.id(42), 'over2', 'p1', '{ANY}', '{ANY}', 'converted', '[2026-06-01,2026-07-01)');
SELECT status FROM revrtm.convert_registration(pg_temp.id(40), 'deal');
SELECT status FROM revrtm.withdraw_registration(pg_temp.id(40));
SELECT right(registration_id::text, 2) AS n, status FROM revrtm.expire_registrations();
SELECT right(registration_id::text, 2) AS n, status FROM revrtm.expire_registrations('2026-07-02');
SELECT * FROM pg_temp.event WHERE n >= 40 AND to_status = 'expired' ORDER BY n;

-- The trigger's function is of use nowhere else.
SELECT revrtm.log_registration();
CREATE TABLE other (a int);
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.log_registration();
INSERT INTO other DEFAULT VALUES;
DROP TABLE other;

DROP VIEW queue;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.partner_login;
DROP OWNED BY rtm_alpha, rtm_beta, rtm_gamma, rtm_staff;
DROP ROLE rtm_alpha, rtm_beta, rtm_gamma, rtm_staff;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
