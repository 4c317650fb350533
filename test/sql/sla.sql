-- Terms in business hours: the clock, alerts, escalation, tacit decisions,
-- extensions, stale protections, who comes first.
\set SHOW_CONTEXT never
DELETE FROM revrtm.escalation_decision;
SET DateStyle = 'ISO, YMD';
SET TimeZone = 'UTC';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('FR', 'EMEA');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-000c-%s', lpad(n::text, 12, '0'))::uuid;
CREATE VIEW pg_temp.board AS
SELECT subject, account_id AS account, status, due_at, elapsed_hours AS elapsed, remaining_hours AS remaining, percent, is_paused AS paused,
    is_breached AS breached, alert_level AS alert, alerted_level AS alerted, escalation_level AS level, role, note
FROM revrtm.sla_board;

-- The terms are rows; what they cannot be.
SELECT subject, hours, calendar, pauses, alert_levels, on_breach, shipped FROM revrtm.sla_rule ORDER BY 1;
SELECT subject, level, role, after_hours FROM revrtm.escalation_step WHERE subject = 'registration' ORDER BY 2;
SELECT * FROM revrtm.protection_rule;
UPDATE revrtm.sla_rule SET on_breach = 'auto_approve' WHERE subject = 'referral';
UPDATE revrtm.sla_rule SET hours = NULL WHERE subject = 'registration';
UPDATE revrtm.sla_rule SET hours = 'NaN' WHERE subject = 'registration';
UPDATE revrtm.sla_rule SET hours = 8 WHERE subject = 'conflict_case';
UPDATE revrtm.sla_rule SET alert_levels = '{50,NULL}';
UPDATE revrtm.protection_rule SET cut_days = 29;
UPDATE revrtm.protection_rule SET order_policy = 'loudest';

-- A weekend does not count; a pause over a weekend takes the rest of Friday
-- and the first hours of Monday.
SET revrtm.as_of = '2026-07-03 09:00+00';
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes)
SELECT pg_temp.id(n), 'a' || n, 'p1', '{ANY}', '{ANY}' FROM generate_series(1, 3) n;
INSERT INTO revrtm.referral (account_id, partner_id, opened_by) VALUES ('a4', 'p1', 'partner');
SELECT revrtm.open_conflict('a5', 'registration:1', 'p1', '2026-07-01', 'registration:2', 'p2', '2026-07-02') IS NOT NULL AS opened;
SET revrtm.as_of = '2026-07-03 13:00+00';
SELECT status FROM revrtm.return_registration(pg_temp.id(2), 'Who buys?');
SELECT * FROM pg_temp.board ORDER BY 1, 2;
SET revrtm.as_of = '2026-07-05 12:00+00';
SELECT account, elapsed, paused FROM pg_temp.board ORDER BY subject, 1;
SET revrtm.as_of = '2026-07-06 11:00+00';
SELECT status FROM revrtm.submit_registration(pg_temp.id(2));
SELECT * FROM pg_temp.board ORDER BY 1, 2;
-- The instant at which the term is over is not late, nor is the night after it.
SET revrtm.as_of = '2026-07-06 17:00+00';
SELECT account, percent, breached, alert, level FROM pg_temp.board ORDER BY subject, 1;
SET revrtm.as_of = '2026-07-07 09:00+00';
SELECT account, percent, breached, alert, level FROM pg_temp.board WHERE account = 'a1';
SET revrtm.as_of = '2026-07-07 09:00:00.000001+00';
SELECT account, percent, breached, alert, level FROM pg_temp.board WHERE account = 'a1';
-- What was decided has stopped; the clock is that of any instant.
SELECT status FROM revrtm.reject_registration(pg_temp.id(3), 'no');
SELECT c.status, c.is_open, c.elapsed_us / 3600000000.0 AS hours, c.due_at
FROM (VALUES (timestamptz '2026-07-03 10:00+00'), ('2026-07-03 14:00+00'), ('2026-07-06 10:00+00'), ('2026-07-06 12:00+00'), ('2026-08-01 00:00+00')) v (at),
    revrtm.sla_clock(v.at) c WHERE c.subject_id = pg_temp.id(2) ORDER BY v.at;
SELECT c.status, c.is_open, c.elapsed_us / 3600000000.0 AS hours FROM revrtm.sla_clock('2026-08-01') c WHERE c.subject_id = pg_temp.id(3);
SELECT revrtm.escalation_level('registration', pg_temp.id(1), at) AS level
FROM (VALUES (timestamptz '2026-07-06 17:00+00'), ('2026-07-07 10:00+00'), ('2026-07-08 09:00+00'), ('2026-07-08 10:00+00'), ('2026-07-10 10:00+00')) v (at) ORDER BY at;
-- What comes back goes on where it stopped.
BEGIN;
INSERT INTO revrtm.registration_transition (from_status, to_status, actors) VALUES ('rejected', 'submitted', '{staff}');
SET LOCAL revrtm.as_of = '2026-07-09 09:00+00';
UPDATE revrtm.deal_registration SET status = 'submitted' WHERE registration_id = pg_temp.id(3);
SET LOCAL revrtm.as_of = '2026-07-09 10:00+00';
SELECT account, elapsed FROM pg_temp.board WHERE account = 'a3';
ROLLBACK;
-- So does a case; an entry that is dated before the last one counts from that.
SET revrtm.as_of = '2026-07-07 12:00+00';
SELECT count(*) FROM revrtm.conflict_case c, revrtm.decide_case(c.case_id, NULL, reason => 'nobody') WHERE c.account_id = 'a5';
SELECT count(*) FROM pg_temp.board WHERE account = 'a5';
SET revrtm.as_of = '2026-07-08 12:00+00';
SELECT revrtm.reopen_case(case_id, 'again') FROM revrtm.conflict_case WHERE account_id = 'a5';
SET revrtm.as_of = '2026-07-08 13:00+00';
SELECT account, elapsed, percent FROM pg_temp.board WHERE account = 'a5';
BEGIN;
SET LOCAL revrtm.as_of = '2026-07-01 09:00+00';
SELECT status FROM revrtm.return_registration(pg_temp.id(1), 'dated back');
SET LOCAL revrtm.as_of = '2026-07-08 13:00+00';
SELECT account, elapsed, paused FROM pg_temp.board WHERE account = 'a1';
ROLLBACK;
-- Its own calendar; without a term there is no clock.
BEGIN;
INSERT INTO revrtm.calendar (calendar, timezone, windows) VALUES ('always', 'UTC', '{Mon-Sun 00:00-24:00}');
UPDATE revrtm.sla_rule SET calendar = 'always', hours = 0.5 WHERE subject = 'registration';
SELECT account, elapsed, due_at FROM pg_temp.board WHERE subject = 'registration' ORDER BY 1;
DELETE FROM revrtm.sla_rule WHERE subject <> 'registration';
SELECT DISTINCT subject FROM pg_temp.board;
ROLLBACK;

-- Alerts and escalations, each once; the level at which it was decided.
SELECT subject, account_id, status, escalation_level AS level, role, due_at, late_hours, next_level AS next, next_role, next_in_hours
FROM revrtm.escalation_queue ORDER BY late_hours DESC, subject;
CREATE VIEW pg_temp.told AS
SELECT t.action, t.subject, coalesce(b.account_id, r.account_id) AS account, t.level, t.detail
FROM revrtm.sla_tick() t
LEFT JOIN revrtm.sla_board b ON b.subject_id = t.subject_id
LEFT JOIN revrtm.deal_registration r ON r.registration_id = t.subject_id;
SELECT * FROM pg_temp.told ORDER BY subject, account, action, level;
SELECT * FROM pg_temp.told;
SELECT subject, kind, level, count(*), min(at) AS at FROM revrtm.alert GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT account, alert, alerted FROM pg_temp.board WHERE subject = 'registration' ORDER BY 1;
SELECT * FROM revrtm.sla_tick('infinity');
SELECT * FROM revrtm.sla_tick(NULL);
SELECT revrtm.setting('as_of');
SET revrtm.actor = 'ann';
SELECT status FROM revrtm.approve_registration(pg_temp.id(1), reason => 'It took us long.');
RESET revrtm.actor;
SELECT subject, account_id, level, role, decision, reason, at, app_actor FROM revrtm.escalation_decision;
UPDATE revrtm.referral SET status = 'declined', decision_reason = 'no' WHERE account_id = 'a4';
SELECT subject, level, decision, reason FROM revrtm.escalation_decision WHERE subject = 'referral';

-- Tacit decisions, in the order in which they wait; what a rule denies, or
-- somebody protects, is left to people.
BEGIN;
UPDATE revrtm.sla_rule SET on_breach = 'auto_approve' WHERE subject = 'registration';
UPDATE revrtm.roe_rule SET parameters = '{"minimum": {"EUR": 100}}' WHERE rule = 'min_amount';
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'min_amount';
SET LOCAL revrtm.as_of = '2026-07-06 09:00+00';
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, submitted_at, amount, currency)
SELECT pg_temp.id(10 + n), 't', 'p' || n, '{ANY}', '{DE}', timestamptz '2026-07-06 09:00+00' - n * interval '1 hour', 5, 'EUR' FROM generate_series(1, 2) n;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, amount, currency)
VALUES (pg_temp.id(13), 'u', 'p1', '{ANY}', '{DE}', 5, 'EUR'), (pg_temp.id(14), 'v', 'p1', '{ANY}', '{DE}', 500, 'EUR');
UPDATE revrtm.roe_rule SET enabled = true WHERE rule = 'min_amount';
UPDATE revrtm.deal_registration SET status = 'in_review' WHERE registration_id = pg_temp.id(14);
SET LOCAL revrtm.as_of = '2026-07-09 09:00+00';
SELECT action, account, detail FROM pg_temp.told WHERE action NOT IN ('sla', 'escalation') ORDER BY 2, 1;
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'min_amount';
SELECT action, account, detail FROM pg_temp.told WHERE action NOT IN ('sla', 'escalation') ORDER BY 2, 1;
SELECT account_id, partner_id, status, decision_reason, protection, decided_at FROM revrtm.deal_registration WHERE registration_id >= pg_temp.id(10) ORDER BY 1, 2;
UPDATE revrtm.sla_rule SET on_breach = 'auto_reject' WHERE subject = 'registration';
SELECT action, account, detail FROM pg_temp.told ORDER BY 2, 1;
SELECT account_id, partner_id, status, decision_reason, acted_as
FROM revrtm.deal_registration JOIN LATERAL (SELECT e.acted_as FROM revrtm.registration_event e WHERE e.registration_id = deal_registration.registration_id ORDER BY revision DESC LIMIT 1) e ON true
WHERE registration_id = pg_temp.id(11);
UPDATE revrtm.sla_rule SET on_breach = 'none' WHERE subject = 'registration';
SET LOCAL revrtm.as_of = '2026-08-01 09:00+00';
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, submitted_at) VALUES ('w', 'p1', '{ANY}', '{DE}', '2026-07-06 09:00+00');
SELECT account, breached, level, role FROM pg_temp.board WHERE account = 'w';
ROLLBACK;

-- Extensions, by staff that the terms bind.
CREATE ROLE rtm_staff;
CREATE ROLE rtm_head;
CREATE ROLE rtm_p1;
SELECT revrtm.grant_staff('rtm_staff'), revrtm.grant_staff('rtm_head'), revrtm.grant_partner('rtm_p1');
INSERT INTO revrtm.staff_level VALUES ('rtm_head', 2), ('rtm_gone', 9);
INSERT INTO revrtm.partner_login VALUES ('rtm_p1', 'p1');
SET revrtm.as_of = '2026-07-08 13:00+00';
SET ROLE rtm_staff;
SELECT protection FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 10);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 10, ' ');
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 10, 'early');
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 31, 'long');
SET revrtm.as_of = '2026-09-05 23:59:59.999999+00';
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'a day too early');
SET revrtm.as_of = '2026-09-06 00:00+00';
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'Nobody worked.');
SELECT revrtm.record_activity(pg_temp.id(1), 'call', 'spoke to the buyer');
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'The buyer is back.');
SELECT extensions, has_progress, last_day, cut_on FROM revrtm.protection_state WHERE registration_id = pg_temp.id(1);
SELECT last_day, ends_on, cause, extensions_left, is_extendable, note FROM revrtm.protection_ending WHERE registration_id = pg_temp.id(1);
-- On its very last day, after something happened; the day after is too late.
SET revrtm.as_of = '2026-11-04 23:59:59+00';
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'again');
UPDATE revrtm.deal_registration SET amount = 7, currency = 'EUR' WHERE registration_id = pg_temp.id(1);
SELECT last_day, days_left, cause, extensions_left, is_extendable, note FROM revrtm.protection_ending WHERE registration_id = pg_temp.id(1);
BEGIN;
SET LOCAL revrtm.as_of = '2026-11-05 00:00+00';
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'too late');
ROLLBACK;
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'again');
-- Twice is all, but for level 2, which gives a reason too; an UPDATE is no way around.
SET revrtm.as_of = '2026-12-01 09:00+00';
SELECT revrtm.record_activity(pg_temp.id(1));
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 30, 'third');
UPDATE revrtm.deal_registration SET protection = daterange(lower(protection), NULL), decision_reason = 'for ever' WHERE registration_id = pg_temp.id(1);
UPDATE revrtm.deal_registration SET status = 'converted', opportunity_id = 'd1', protection = daterange(lower(protection) - 1, upper(protection)), decision_reason = 'x'
WHERE registration_id = pg_temp.id(1);
SELECT last_day, extensions_left, is_extendable, note FROM revrtm.protection_ending WHERE registration_id = pg_temp.id(1);
SET ROLE rtm_head;
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 90);
SELECT status FROM revrtm.extend_registration(pg_temp.id(1), 90, 'The head of the region agrees.');
-- To shorten one is no extension.
SET ROLE rtm_staff;
UPDATE revrtm.deal_registration SET protection = daterange(lower(protection), upper(protection) - 1), status = 'extended', decision_reason = 'x'
WHERE registration_id = pg_temp.id(1) RETURNING protection;
SELECT extensions FROM revrtm.protection_state WHERE registration_id = pg_temp.id(1);
RESET ROLE;

-- Stale: touches and stages of its deal, and what is recorded, keep it alive.
SET revrtm.as_of = '2026-07-08 09:00+00';
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, opportunity_id)
VALUES (pg_temp.id(21), 's1', 'p1', '{ANY}', '{ANY}', 'approved', NULL), (pg_temp.id(22), 's2', 'p1', '{ANY}', '{ANY}', 'approved', 'd2'),
    (pg_temp.id(23), 's3', 'p1', '{ANY}', '{ANY}', 'approved', 'd3'), (pg_temp.id(24), 's4', 'p1', '{ANY}', '{ANY}', 'approved', NULL),
    (pg_temp.id(25), 's5', 'p1', '{ANY}', '{ANY}', 'converted', 'd5');
CREATE SCHEMA crm;
CREATE TABLE crm.stage (id text, stage text, at timestamptz);
CREATE TABLE crm.touch (id text, deal text, at timestamptz);
CREATE TABLE crm.deal (id text, account text);
INSERT INTO crm.deal VALUES ('d2', 's2'), ('d3', 's3');
INSERT INTO crm.touch VALUES ('t', 'd2', '2026-08-10Z'), ('u', 'd2', '2027-01-01Z');
INSERT INTO crm.stage VALUES ('d3', 'meeting', '2026-08-11Z');
SELECT revrtm.bind('opportunity_stage', 'SELECT id AS opportunity_id, stage, at AS entered_at FROM crm.stage') IS NOT NULL
    AND revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, ''web''::text AS channel, deal AS opportunity_id FROM crm.touch') IS NOT NULL
    AND revrtm.bind('opportunity', 'SELECT id AS opportunity_id, account AS account_id, 1::numeric AS amount, false AS is_closed, false AS is_won, ''2026-06-01Z''::timestamptz AS created_at, NULL::date AS close_date FROM crm.deal') IS NOT NULL AS bound;
SELECT count(*) FROM revrtm.refresh_journeys();
SET revrtm.as_of = '2026-08-07 09:00+00';
SELECT account_id, idle_days, is_stale, cut_on FROM revrtm.protection_state WHERE account_id LIKE 's%' ORDER BY 1;
SELECT revrtm.record_activity(pg_temp.id(24), 'demo');
SET revrtm.as_of = '2026-08-21 09:00+00';
SELECT action, account, detail FROM pg_temp.told WHERE action = 'expired';
SET revrtm.as_of = '2026-08-22 09:00+00';
SET ROLE rtm_staff;
SELECT action, account, detail FROM (SELECT t.action, r.account_id AS account, t.detail FROM revrtm.sla_tick() t
    JOIN revrtm.deal_registration r ON r.registration_id = t.subject_id) x WHERE action = 'expired';
RESET ROLE;
SELECT account_id, status, protection FROM revrtm.deal_registration WHERE account_id LIKE 's%' ORDER BY 1;
SELECT to_status, changed FROM revrtm.registration_event WHERE registration_id = pg_temp.id(21) ORDER BY revision DESC LIMIT 1;
SELECT right(registration_id::text, 2) AS n, kind, at, entered_as FROM revrtm.registration_activity WHERE entered_as = 'crm' ORDER BY 1, 2;
SELECT account_id, idle_days, is_stale, cut_on FROM revrtm.protection_state WHERE account_id LIKE 's%' ORDER BY 1;
-- Nobody cuts where the terms do not.
BEGIN;
UPDATE revrtm.protection_rule SET cut_days = NULL;
SET LOCAL revrtm.as_of = '2026-10-01 09:00+00';
SELECT count(*) FROM pg_temp.told WHERE action = 'expired';
ROLLBACK;

-- First in time, and by evidence; who is away for too long loses the place.
SET revrtm.as_of = '2026-07-06 09:00+00';
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, submitted_at)
VALUES (pg_temp.id(31), 'o', 'q1', '{ANY}', '{DE}', '2026-07-01 09:00+00'), (pg_temp.id(32), 'o', 'q2', '{ANY}', '{DE}', '2026-07-06 08:59+00'),
    (pg_temp.id(33), 'o', 'q3', '{ANY}', '{DE}', '2026-07-06 09:01+00'), (pg_temp.id(34), 'o', 'q4', '{ANY}', '{DE}', '2026-07-01 09:00+00');
SELECT partner_id, place, keeps_place, score FROM revrtm.registration_order WHERE account_id = 'o' ORDER BY place;
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, happened_at, verified, verified_by)
SELECT pg_temp.id(0), 'o', 'registration:' || pg_temp.id(n), 'q', e, d, v, CASE WHEN v THEN 'me' END
FROM (VALUES (32, 'meeting', timestamptz '2026-06-01', true), (32, 'meeting', '2026-06-02', true), (33, 'poc', '2026-06-01', true), (33, 'proposal', '2026-06-01', true),
    (31, 'proposal', NULL, true), (31, 'customer_letter', NULL, false)) x (n, e, d, v);
SELECT partner_id, place, score FROM revrtm.registration_order WHERE account_id = 'o' ORDER BY place;
UPDATE revrtm.protection_rule SET order_policy = 'value_score';
SELECT partner_id, place, score FROM revrtm.registration_order WHERE account_id = 'o' ORDER BY place;
UPDATE revrtm.protection_rule SET order_policy = 'first_in_time';
SELECT a.status, b.status FROM revrtm.return_registration(pg_temp.id(31), 'x') a, revrtm.return_registration(pg_temp.id(34), 'x') b;
SET revrtm.as_of = '2026-07-10 17:00+00';
SELECT status FROM revrtm.submit_registration(pg_temp.id(34));
SELECT partner_id, place, keeps_place FROM revrtm.registration_order WHERE account_id = 'o' ORDER BY place;
SET revrtm.as_of = '2026-07-13 09:00:00.000001+00';
SELECT partner_id, place, keeps_place FROM revrtm.registration_order WHERE account_id = 'o' ORDER BY place;
SELECT status FROM revrtm.submit_registration(pg_temp.id(31));
SELECT partner_id, place, place_at, keeps_place FROM revrtm.registration_order WHERE account_id = 'o' ORDER BY place;
-- The log says so, and its clock goes on all the same.
SELECT changed FROM revrtm.registration_event WHERE registration_id = pg_temp.id(31) ORDER BY revision DESC LIMIT 1;
SELECT account_id, started_at, elapsed_hours FROM revrtm.registration_sla WHERE registration_id = pg_temp.id(31);

-- Who sees and may do what.
SET ROLE rtm_p1;
SELECT revrtm.record_activity(pg_temp.id(22), 'call'), revrtm.record_activity(pg_temp.id(22), 'call');
SELECT revrtm.record_activity(pg_temp.id(31), 'call');
INSERT INTO revrtm.registration_activity (registration_id, kind, at) VALUES (pg_temp.id(22), 'x', '2099-01-01');
SELECT count(DISTINCT partner_id), bool_and(CASE entered_as WHEN 'partner' THEN at > '2026-07-14' END) AS by_the_clock FROM revrtm.registration_activity;
SELECT registration_id, kind FROM revrtm.registration_activity WHERE kind = 'call' AND entered_as = 'partner' AND registration_id <> pg_temp.id(22);
SELECT DISTINCT partner_id FROM revrtm.registration_sla;
SELECT DISTINCT partner_id FROM revrtm.protection_state;
SELECT * FROM revrtm.sla_board;
SELECT * FROM revrtm.alert;
SELECT * FROM revrtm.sla_tick();
SELECT revrtm.decide_tacitly(pg_temp.id(22));
SELECT revrtm.note_deal_activity();
SELECT revrtm.check_extension(pg_temp.id(22), '[2026-07-01,2026-08-01)', '[2026-07-01,2026-09-01)', 'x', 10, now());
SET ROLE rtm_staff;
SELECT count(*) > 3 AS all_of_them FROM revrtm.sla_board;
SELECT count(*) FROM revrtm.sla_board b WHERE b.account_id IS NULL;
INSERT INTO revrtm.escalation_decision (subject) VALUES ('registration');
RESET ROLE;
SELECT revrtm.record_activity(pg_temp.id(99));

SELECT revrtm.unbind(r) FROM unnest('{opportunity,touch,opportunity_stage}'::text[]) r;
SELECT deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.journey_refresh;
DROP SCHEMA crm CASCADE;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.referral;
DELETE FROM revrtm.conflict_evidence;
DELETE FROM revrtm.conflict_party;
DELETE FROM revrtm.conflict_case;
DELETE FROM revrtm.registration_activity;
DELETE FROM revrtm.alert;
DELETE FROM revrtm.escalation_decision;
DELETE FROM revrtm.staff_level;
DELETE FROM revrtm.partner_login;
DROP OWNED BY rtm_staff, rtm_head, rtm_p1;
DROP ROLE rtm_staff, rtm_head, rtm_p1;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
