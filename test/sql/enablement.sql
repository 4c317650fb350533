-- Enablement and co-selling: certificates, funds, plans, referrals; what they
-- cost and what comes of it; scores and tiers; who may do and see what.
\set SHOW_CONTEXT never
\pset null '-'
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
SET jit = off;
SET revrtm.as_of = '2026-07-01 12:00:00+00';
CREATE SCHEMA en;
CREATE FUNCTION en.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0003-%s', lpad(n::text, 12, '0'))::uuid;
-- A statement and what it raises.
CREATE FUNCTION en.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
    detail text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, nullif(name, ''), regexp_replace(SQLERRM, '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID'),
                     nullif(CASE WHEN detail ~ '^(Failing|Key)' THEN '' ELSE detail END, ''));
END
$$;
CREATE ROLE en_alpha;
CREATE ROLE en_beta;
CREATE ROLE en_staff;
CREATE ROLE en_reader;
CREATE ROLE en_nobody;
SELECT revrtm.grant_partner(r) FROM unnest('{en_alpha,en_beta,en_nobody}'::text[]) r;
SELECT revrtm.grant_staff('en_staff');
SELECT revrtm.grant_reader('en_reader');
GRANT USAGE ON SCHEMA en TO PUBLIC;
INSERT INTO revrtm.partner_login VALUES ('en_alpha', 'alpha'), ('en_beta', 'beta');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('cloud', 'ANY'), ('db', 'cloud'), ('services', 'ANY');

-- Certificates. They hold for their time by the clock of the programme's zone,
-- and of every instant it can be asked who held one.
UPDATE revrtm.programme SET timezone = 'Europe/Berlin';
INSERT INTO revrtm.course (course_id, product_code, valid_for, cost, currency)
VALUES ('cloud 1', 'cloud', '1 year', 100, 'USD'), ('all', NULL, NULL, 0, NULL), ('db 1', 'db', '6 months', 50, 'USD');
INSERT INTO revrtm.curriculum VALUES ('seller', 'cloud 1'), ('seller', 'all'), ('engineer', 'db 1');
INSERT INTO revrtm.learner VALUES ('alpha', 'ann', 'seller'), ('alpha', 'bob', 'engineer'), ('alpha', 'bob', 'poet'), ('(vendor)', 'eve', 'seller');
INSERT INTO revrtm.certification (certification_id, partner_id, person_id, course_id, status, valid) VALUES
    (en.id(1), 'alpha', 'ann', 'cloud 1', 'granted', '[2025-03-29 12:00+01,2026-03-29 12:00+02)'),
    (en.id(2), 'alpha', 'bob', 'db 1', 'granted', NULL),
    (en.id(3), 'alpha', 'eve', 'all', 'claimed', NULL);
SELECT certification_id, status, valid AT TIME ZONE 'UTC' AS valid, cost, currency, decided_at
FROM (SELECT certification_id, status, lower(valid) AS valid, cost, currency, decided_at FROM revrtm.certification) c ORDER BY 1;
SELECT revrtm.certified('alpha', 'cloud', t), revrtm.certified('alpha', 'db', t), revrtm.certified('alpha', 'ANY', t), revrtm.certified('alpha', NULL, t),
       revrtm.certified_people('alpha', 'db', t), revrtm.certified('alpha', 'db', t, 2), t
FROM unnest('{2025-03-29 10:59:59+00,2025-03-29 11:00:00+00,2026-03-29 09:59:59+00,2026-03-29 10:00:00+00,2026-07-02 00:00:00+00}'::timestamptz[]) t;
SELECT revrtm.certified_people('alpha', 'no such'), revrtm.certified_people('nobody'), revrtm.certified_people('alpha', 'services');
-- A renewal starts where the certificate ends; a revocation ends it; a course twice at one time is refused.
INSERT INTO revrtm.certification (certification_id, partner_id, person_id, course_id, status) VALUES (en.id(4), 'alpha', 'bob', 'db 1', 'granted') RETURNING lower(valid) = (SELECT upper(valid) FROM revrtm.certification WHERE certification_id = en.id(2)) AS goes_on;
SELECT en.try($$INSERT INTO revrtm.certification (partner_id, person_id, course_id, status, valid) VALUES ('alpha', 'bob', 'db 1', 'granted', '[2026-08-01,2026-09-01)')$$);
SELECT en.try($$UPDATE revrtm.certification SET status = 'revoked' WHERE certification_id = en.id(4)$$);
UPDATE revrtm.certification SET status = 'revoked', decision_reason = 'Cheated.' WHERE certification_id IN (en.id(2), en.id(4)) RETURNING certification_id, isempty(valid), upper(valid) = revrtm.as_of();
UPDATE revrtm.certification SET status = 'granted' WHERE certification_id = en.id(3) RETURNING upper(valid) IS NULL AS for_ever;
SELECT revrtm.certified('alpha', 'db'), revrtm.certified('alpha', 'db', '2026-07-01 11:59:59+00');
SELECT en.try(s) FROM unnest(ARRAY[
    $$UPDATE revrtm.certification SET person_id = 'zoe' WHERE certification_id = en.id(1)$$,
    $$UPDATE revrtm.certification SET status = 'claimed' WHERE certification_id = en.id(1)$$,
    $$UPDATE revrtm.certification SET valid = '[2026-01-01,infinity)' WHERE certification_id = en.id(1)$$,
    $$INSERT INTO revrtm.certification (partner_id, person_id, course_id) VALUES ('alpha', 'bob', 'no such')$$,
    $$INSERT INTO revrtm.certification (partner_id, person_id, course_id, status) VALUES ('alpha', 'bob', 'all', 'revoked')$$,
    $$INSERT INTO revrtm.course (course_id, valid_for) VALUES ('x', '-1 day')$$]) s;
SELECT partner_id, person_id, course_id, expires_on, days_left, alert, renewed FROM revrtm.certification_expiry ORDER BY 1, 2;
SET revrtm.as_of = '2026-02-27 12:00:00+00';
SELECT person_id, days_left, alert, renewed FROM revrtm.certification_expiry ORDER BY 1, 2;
SELECT partner_id, person_id, role, courses, held, progress, missing, held_until IS NOT NULL AS ends, note FROM revrtm.curriculum_progress ORDER BY 1, 2, 3;
SET revrtm.as_of = '2026-07-01 12:00:00+00';

-- Rules on registrations: certified people and tiers, kinds of their own.
INSERT INTO revrtm.tier (tier, rank) VALUES ('bronze', 3), ('iron', 4);
INSERT INTO revrtm.roe_rule (rule, kind, parameters) VALUES ('certs', 'certified', '{"people": 2, "verdict": "review"}'), ('one cert', 'certified', '{}'), ('tier', 'partner_tier', '{"tier": "bronze"}');
INSERT INTO revrtm.partner_tier VALUES ('alpha', 'bronze', '[2026-01-01Z,2026-08-01Z)'), ('beta', 'gold', '[2026-01-01Z,)');
CREATE FUNCTION en.says(partner text, products text[] DEFAULT '{db}') RETURNS TABLE (rule text, verdict text, reason_code text, detail text) LANGUAGE sql
BEGIN ATOMIC
    SELECT e.* FROM revrtm.roe_explain(jsonb_build_object('account_id', 'new', 'partner_id', partner, 'product_codes', products, 'region_codes', '{ANY}'::text[])) e
    WHERE e.rule IN ('certs', 'one cert', 'tier');
END;
SELECT * FROM en.says('alpha');
SELECT * FROM en.says('beta');
SELECT * FROM en.says('alpha', '{cloud,services}');
SELECT * FROM en.says('alpha', '{}');
SET revrtm.as_of = '2026-08-01 00:00:00+00';
SELECT * FROM en.says('alpha') WHERE rule = 'tier';
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SELECT en.try($$SELECT status FROM revrtm.register_deal('acme', 'beta', '{db}', '{ANY}')$$);
SELECT en.try($$SELECT status FROM revrtm.register_deal('acme', 'alpha', '{db}', '{ANY}')$$);
-- A partner learns of its own status, not of a rival's.
SET ROLE en_beta;
SELECT rule, verdict, reason_code FROM en.says('beta');
SELECT rule, verdict, reason_code FROM en.says('alpha');
SELECT count(*) FROM revrtm.certification;
SELECT revrtm.certified('alpha'), revrtm.tier_at('alpha'), revrtm.tier_at('beta');
SELECT en.try(s) FROM unnest(ARRAY[
    $$INSERT INTO revrtm.certification (partner_id, person_id, course_id) VALUES ('beta', 'kim', 'cloud 1')$$,
    $$INSERT INTO revrtm.certification (partner_id, person_id, course_id, status) VALUES ('beta', 'kim', 'cloud 1', 'granted')$$,
    $$INSERT INTO revrtm.certification (partner_id, person_id, course_id) VALUES ('alpha', 'kim', 'cloud 1')$$,
    $$INSERT INTO revrtm.certification (partner_id, person_id, course_id, valid) VALUES ('beta', 'kim', 'cloud 1', '(,)')$$,
    $$UPDATE revrtm.certification SET status = 'granted'$$, 'SELECT cost FROM revrtm.course']) s;
SELECT partner_id, status, cost, valid FROM revrtm.certification;
RESET ROLE;
SELECT en.try(format('SELECT revrtm.roe_rule_is_valid(%L, %L, %L)', 'r', k, p)) FROM (VALUES
    ('certified', '{"people": 0}'), ('certified', '{"people": 1.5}'), ('certified', '{"people": "2"}'), ('certified', '{"people": 1e300}'),
    ('certified', '{"people": "NaN"}'), ('certified', '{"tier": "gold"}'), ('certified', '{"people": 3}'),
    ('partner_tier', '{}'), ('partner_tier', '{"tier": ""}'), ('partner_tier', '{"tier": 1}'), ('partner_tier', '{"tier": "no such"}')) v (k, p);
DELETE FROM revrtm.roe_rule WHERE NOT shipped;

-- MDF: from asking to payment, and what is refused on the way.
INSERT INTO revrtm.fund (fund_id, kind, partner_id, valid, amount, currency, award) VALUES
    ('m', 'mdf', NULL, '[2026-01-01,2027-01-01)', 1000, 'USD', NULL), ('m alpha', 'mdf', 'alpha', '[2026-01-01,2026-07-01)', 500, 'EUR', NULL),
    ('s', 'spiff', NULL, '[2026-01-01,2027-01-01)', 250, 'USD', 100), ('nothing', 'mdf', NULL, '[2026-01-01,2027-01-01)', 0, 'USD', NULL);
SET ROLE en_alpha;
INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, channel, during, requested_amount, currency)
VALUES ('alpha', 'm', 'Fair', 'fair', '[2026-05-01,2026-06-01)', 600, 'USD') RETURNING status, held, decided_at <> revrtm.as_of() AS by_the_clock;
RESET ROLE;
SELECT request_id AS r1 FROM revrtm.mdf_request \gset
INSERT INTO revrtm.mdf_request (request_id, partner_id, fund_id, activity, during, requested_amount, currency) VALUES
    (en.id(11), 'beta', 'm', 'Dinner', '[2026-06-01,2026-07-01)', 500, 'USD'), (en.id(12), 'beta', 'm alpha', 'Ad', '[2026-06-01,2026-07-01)', 100, 'EUR'),
    (en.id(13), 'alpha', 'm alpha', 'Ad', '[2026-06-01,2026-07-01)', 100, 'USD'), (en.id(14), 'alpha', 'm alpha', 'Ad', '[2026-07-01,2026-07-02)', 100, 'EUR'),
    (en.id(15), 'alpha', 's', 'Ad', '[2026-06-01,2026-07-01)', 100, 'USD'), (en.id(16), 'alpha', 'no such', 'Ad', '[2026-06-01,2026-07-01)', 100, 'USD');
SELECT en.try(format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'approved', en.id(n))) FROM generate_series(12, 16) n;
SELECT en.try(s) FROM unnest(ARRAY[
    format('UPDATE revrtm.mdf_request SET status = %L, approved_amount = 601 WHERE request_id = %L', 'approved', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'paid', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'rejected', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'approved', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'approved', en.id(11)),
    format('UPDATE revrtm.mdf_request SET requested_amount = 700 WHERE request_id = %L', :'r1'),
    'UPDATE revrtm.fund SET amount = 599 WHERE fund_id = ''m''',
    'DELETE FROM revrtm.fund WHERE fund_id = ''m''',
    'UPDATE revrtm.fund SET currency = ''EUR'' WHERE fund_id = ''m''',
    'UPDATE revrtm.fund SET held = 0, amount = -1 WHERE fund_id = ''m''']) s;
SELECT status, approved_amount, claim_by, held FROM revrtm.mdf_request WHERE request_id = :'r1';
SELECT fund_id, held, available, difference, entries FROM revrtm.fund_use ORDER BY 1;
-- The partner carries it out and claims, with proof, no more than was approved.
-- Its claim is dated by the clock, so the last day is moved out of the way.
UPDATE revrtm.mdf_request SET claim_by = 'infinity' WHERE request_id = :'r1';
SET ROLE en_alpha;
SELECT en.try(s) FROM unnest(ARRAY[
    format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'claimed', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L WHERE request_id = %L', 'executed', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L, claimed_amount = 500 WHERE request_id = %L', 'claimed', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L, claimed_amount = 601, proof = %L WHERE request_id = %L', 'claimed', '{"photo": 1}', :'r1'),
    format('UPDATE revrtm.mdf_request SET status = %L, proof = %L WHERE request_id = %L', 'paid', '{"photo": 1}', :'r1'),
    format('UPDATE revrtm.mdf_request SET approved_amount = 1 WHERE request_id = %L', :'r1'),
    format('UPDATE revrtm.mdf_request SET partner_id = %L', 'beta'),
    'DELETE FROM revrtm.mdf_request', 'DELETE FROM revrtm.mdf_request WHERE partner_id = ''beta''',
    $$INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, during, requested_amount, currency) VALUES ('beta', 'm', 'x', '[2026-05-01,2026-06-01)', 1, 'USD')$$,
    $$INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, during, requested_amount, currency, status) VALUES ('alpha', 'm', 'x', '[2026-05-01,2026-06-01)', 1, 'USD', 'approved')$$,
    $$INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, during, requested_amount, currency, checked_at) VALUES ('alpha', 'm', 'x', '[2026-05-01,2026-06-01)', 1, 'USD', now())$$,
    $$UPDATE revrtm.fund SET held = 0$$, $$SELECT revrtm.hold_fund()$$]) s;
-- It sees its own requests and funds, and no others'.
SELECT partner_id, fund_id, status FROM revrtm.mdf_request WHERE partner_id <> 'alpha' OR status = 'executed';
SELECT fund_id, held FROM revrtm.fund ORDER BY 1;
SELECT DISTINCT partner_id FROM revrtm.life_cycle_event;
SELECT en.try('SELECT actor FROM revrtm.life_cycle_event');
SELECT en.try('DELETE FROM revrtm.life_cycle_event');
RESET ROLE;
SET ROLE en_alpha;
UPDATE revrtm.mdf_request SET status = 'claimed', claimed_amount = 500, proof = '{"photo": 1}', opportunity_ids = '{o1}' WHERE request_id = :'r1' RETURNING status, held;
RESET ROLE;
UPDATE revrtm.mdf_request SET status = 'paid', spend_id = 'crm 1' WHERE request_id = :'r1' RETURNING status, paid_amount, paid_on, held;
SELECT fund_id, held, paid, available, utilization, difference, note FROM revrtm.fund_use ORDER BY 1;
SELECT to_status, acted_as, reason, changed - 'proof' AS changed FROM revrtm.life_cycle_event WHERE subject_id = :'r1' ORDER BY logged_at;
SELECT en.try('DELETE FROM revrtm.life_cycle_event'), en.try('TRUNCATE revrtm.life_cycle_event');
-- What is not claimed in time is expired, and frees its money when that is written down.
UPDATE revrtm.mdf_request SET status = 'approved', approved_amount = 300, claim_by = '2026-06-30' WHERE request_id = en.id(11) RETURNING status, revrtm.mdf_status(status, claim_by), held;
UPDATE revrtm.mdf_request SET status = 'executed' WHERE request_id = en.id(11);
SELECT en.try(format('UPDATE revrtm.mdf_request SET status = %L, claimed_amount = 1, proof = %L WHERE request_id = %L', 'claimed', '{"photo": 1}', en.id(11)));
SELECT partner_id, fund_id, freed, currency FROM revrtm.expire_mdf_requests();
SELECT count(*) FROM revrtm.expire_mdf_requests();
SELECT held, difference FROM revrtm.fund_use WHERE fund_id = 'm';
-- A row with its stamp is history: it is kept as it comes, and holds nothing anew.
INSERT INTO revrtm.mdf_request (request_id, partner_id, fund_id, activity, during, requested_amount, approved_amount, claim_by, currency, status, requested_at, checked_at, held, held_on)
VALUES (en.id(17), 'alpha', 'm', 'old', '[2026-05-01,2026-06-01)', 5, 5, '2026-07-01', 'USD', 'approved', '2020-01-01Z', '2020-01-01Z', 5, '2026-05-01') RETURNING status, held;
SELECT held, difference FROM revrtm.fund_use WHERE fund_id = 'm';
SELECT count(*) FROM revrtm.life_cycle_event WHERE subject_id = en.id(17);
ALTER TABLE revrtm.mdf_request DISABLE TRIGGER hold_fund;
DELETE FROM revrtm.mdf_request WHERE request_id = en.id(17);
ALTER TABLE revrtm.mdf_request ENABLE TRIGGER hold_fund;

-- SPIFFs: once a deal and person, within the fund.
INSERT INTO revrtm.spiff_award (award_id, account_id, opportunity_id, fund_id, partner_id, person_id) VALUES (en.id(21), 'a1', 'o1', 's', 'alpha', 'ann'), (en.id(22), 'a1', 'o1', 's', 'alpha', 'bob')
RETURNING amount, currency, held_on, status, held;
SELECT en.try(s) FROM unnest(ARRAY[
    $$INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id) VALUES ('a1', 'o1', 's', 'alpha', 'bob')$$,
    $$INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id) VALUES ('a1', 'o2', 's', 'alpha', 'bob')$$,
    $$INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id) VALUES ('a1', 'o2', 'm', 'alpha', 'bob')$$,
    $$INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id, amount, currency) VALUES ('a1', 'o2', 's', 'alpha', 'bob', 50, 'USD')$$,
    $$UPDATE revrtm.spiff_award SET amount = 101 WHERE award_id = en.id(21)$$,
    $$UPDATE revrtm.spiff_award SET status = 'reversed' WHERE award_id = en.id(21)$$,
    $$UPDATE revrtm.spiff_award SET status = 'reversed', decision_reason = 'The deal was cancelled.' WHERE award_id = en.id(21)$$,
    $$UPDATE revrtm.spiff_award SET status = 'paid' WHERE award_id = en.id(22)$$,
    $$INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id) VALUES ('a1', 'o1', 's', 'alpha', 'ann')$$]) s;
SELECT fund_id, held, paid, available, difference FROM revrtm.fund_use WHERE fund_id = 's';
SET ROLE en_beta;
SELECT count(*) FROM revrtm.spiff_award;
SET ROLE en_nobody;
SELECT (SELECT count(*) FROM revrtm.spiff_award), (SELECT count(*) FROM revrtm.mdf_request), (SELECT count(*) FROM revrtm.fund), (SELECT count(*) FROM revrtm.certification), (SELECT count(*) FROM revrtm.partner_tier);
SET ROLE en_reader;
SELECT (SELECT count(*) FROM revrtm.spiff_award), (SELECT count(*) > 5 FROM revrtm.mdf_request), (SELECT count(*) FROM revrtm.fund);
SELECT en.try('UPDATE revrtm.mdf_request SET activity = activity');
RESET ROLE;

-- The deals that follow.
CREATE TABLE en.deal (id text PRIMARY KEY, account text, partner text, created timestamptz DEFAULT '2026-05-01 12:00Z', ended timestamptz, won boolean, amount numeric DEFAULT 1000);
CREATE TABLE en.touch (id text, deal text, partner text, channel text, at timestamptz);
CREATE TABLE en.spend (id text, period date, route text, category text, amount numeric, currency text, partner text, channel text);
INSERT INTO en.deal (id, account, partner, ended, won) VALUES ('o1', 'a1', 'alpha', '2026-06-20 12:00Z', true), ('o2', 'a2', 'alpha', '2026-06-20 12:00Z', false), ('o3', 'a3', NULL, NULL, false), ('o4', 'a4', NULL, NULL, false), ('o5', 'a5', NULL, NULL, false), ('o6', 'a6', NULL, '2026-06-20 12:00Z', true);
INSERT INTO en.touch VALUES ('t1', 'o1', 'alpha', 'fair', '2026-05-31 21:59:59Z'), ('t2', 'o2', 'alpha', 'fair', '2026-05-31 22:00:00Z'), ('t3', 'o6', 'alpha', 'fair', '2026-05-20Z'), ('t4', 'o6', 'beta', 'dinner', '2026-06-10Z');
INSERT INTO en.spend VALUES ('crm 1', '2026-07-01', 'partner_sourced', 'mdf', 450, 'USD', 'alpha', 'fair'), ('crm 2', '2026-06-01', 'partner_sourced', 'mdf', 80, 'USD', NULL, 'dinner'), ('crm 3', '2026-06-01', 'direct', 'program', 999, 'USD', NULL, NULL), ('crm 4', '2026-06-01', 'direct', 'enablement', 7, 'XXX', NULL, NULL);
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, ended IS NOT NULL AS is_closed, won AS is_won, created AS created_at,
    NULL::date AS close_date, ended AS closed_at, partner AS partner_id FROM en.deal$$) IS NOT NULL AS bound;
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, partner AS partner_id FROM en.touch$$) IS NOT NULL AS bound;
SELECT revrtm.bind('spend', $$SELECT id AS spend_id, period, route AS route_id, category, amount, currency, partner AS partner_id, channel FROM en.spend$$) IS NOT NULL AS bound;
SELECT inserted FROM revrtm.refresh_journeys();

-- The ledger: each amount once, the CRM's where it has it.
UPDATE revrtm.spiff_award SET spend_id = 'not there' WHERE award_id = en.id(22);
SELECT source, CASE source WHEN 'spend' THEN source_id END AS id, category, route_id, partner_id, on_date, amount, committed, booked_as, during, note FROM revrtm.enablement_ledger ORDER BY 1, 2, on_date;
SELECT sum(amount) AS ledger, (SELECT sum(amount) FROM revrtm.spend WHERE category IN ('mdf', 'spiff', 'enablement') AND currency = 'USD') + 100 + 200 AS crm_and_others FROM revrtm.enablement_ledger;
SELECT source, category, partner_id, opportunity_id, is_won, evidence, entries, margin, margin_share FROM revrtm.enablement_outcome ORDER BY opportunity_id, 1, 2, 3;
SELECT sum(margin_share) AS shared, (SELECT sum(margin) FROM revrtm.deal WHERE is_won) AS margin FROM revrtm.enablement_outcome;
SELECT partner_id, category, period, entries, amount, committed, unlinked, links, won_links, margin_share, roi, unlinked_share, fx_missing, note FROM revrtm.enablement_return ORDER BY 1, 2, 3;
INSERT INTO revrtm.enablement_category VALUES ('program');
SELECT source_id, amount FROM revrtm.enablement_ledger WHERE category = 'program';
-- The roles of partners and their rights on views of cost.
SET ROLE en_alpha;
SELECT en.try('SELECT count(*) FROM revrtm.enablement_ledger');
RESET ROLE;

-- Mutual action plans: a side proposes, the other agrees; each marks its own.
SET ROLE en_alpha;
INSERT INTO revrtm.action_plan (account_id, opportunity_id, partner_id, title) VALUES ('a3', 'o3', 'alpha', 'Win o3') RETURNING opened_by, status;
RESET ROLE;
SELECT plan_id AS p1 FROM revrtm.action_plan \gset
SET ROLE en_alpha;
SELECT en.try(s) FROM unnest(ARRAY[
    format('UPDATE revrtm.action_plan SET status = %L', 'agreed'),
    $$INSERT INTO revrtm.action_plan (account_id, opportunity_id, partner_id, opened_by) VALUES ('a3', 'o3', 'alpha', 'vendor')$$,
    $$INSERT INTO revrtm.action_plan (account_id, opportunity_id, partner_id) VALUES ('a3', 'o3', 'beta')$$,
    format('INSERT INTO revrtm.plan_step (plan_id, step, owner_party, task, due, done_at) VALUES (%L, 9, %L, %L, %L, now())', :'p1', 'partner', 'x', '2026-06-01'),
    format('INSERT INTO revrtm.plan_step (plan_id, step, owner_party, task, due) VALUES (%L, 1, %L, %L, %L), (%1$L, 2, %5$L, %3$L, %4$L), (%1$L, 3, %6$L, %3$L, %4$L), (%1$L, 4, %2$L, %3$L, %7$L)',
           :'p1', 'partner', 'Workshop', '2026-06-15', 'vendor', 'customer', '2026-07-15')]) s;
RESET ROLE;
UPDATE revrtm.action_plan SET status = 'agreed' RETURNING status;
SET ROLE en_alpha;
SELECT en.try(s) FROM unnest(ARRAY[
    'UPDATE revrtm.plan_step SET done_at = now() WHERE step = 2', 'UPDATE revrtm.plan_step SET due = ''2027-01-01'' WHERE step = 1',
    'UPDATE revrtm.plan_step SET done_at = ''2026-06-01'' WHERE step = 4', 'UPDATE revrtm.plan_step SET done_at = NULL WHERE step = 4',
    'DELETE FROM revrtm.plan_step', 'UPDATE revrtm.action_plan SET status = ''cancelled''']) s;
SELECT done_at > '2026-06-02' AS by_the_clock FROM revrtm.plan_step WHERE step = 4;
SET ROLE en_beta;
SELECT (SELECT count(*) FROM revrtm.action_plan), (SELECT count(*) FROM revrtm.plan_step), (SELECT count(*) FROM revrtm.plan_health);
SELECT en.try(format('INSERT INTO revrtm.plan_step (plan_id, step, owner_party, task, due) VALUES (%L, 8, %L, %L, %L)', :'p1', 'partner', 'x', '2026-06-01'));
RESET ROLE;
-- Days are the programme's: 22:30 UTC on the 15th is the 16th in Berlin.
UPDATE revrtm.plan_step SET done_at = '2026-06-15 22:30Z' WHERE step = 1;
UPDATE revrtm.plan_step SET done_at = NULL WHERE step = 4;
SELECT step, owner_party, due, done_on, state, days_overdue FROM revrtm.plan_step_state ORDER BY step;
SELECT opportunity_id, status, steps, done, fallen_due, in_time, overdue, overdue_partner AS p, overdue_vendor AS v, overdue_customer AS c, next_due, health, band, note FROM revrtm.plan_health;
UPDATE revrtm.plan_step SET done_at = '2026-06-15 21:30Z' WHERE step IN (1, 2);
SELECT partner_id, owner_party, plans, steps, longest FROM revrtm.plan_overdue ORDER BY 1, 2;
SELECT done, in_time, health, band, note FROM revrtm.plan_health;
INSERT INTO revrtm.action_plan (plan_id, account_id, opportunity_id, partner_id, opened_by) VALUES (en.id(31), 'a4', 'o4', 'alpha', 'vendor');
SELECT opportunity_id, health, band, note FROM revrtm.plan_health ORDER BY 1;
SELECT en.try(format('UPDATE revrtm.action_plan SET status = %L WHERE plan_id = %L', 'agreed', en.id(31)));
SET ROLE en_alpha;
SELECT en.try(format('UPDATE revrtm.action_plan SET status = %L WHERE plan_id = %L', 'agreed', en.id(31)));
RESET ROLE;

-- Referrals: answered by the other side, in business hours.
INSERT INTO revrtm.referral (referral_id, account_id, partner_id, opened_by, sent_at) VALUES
    (en.id(41), 'a5', 'alpha', 'vendor', '2026-06-26 15:00Z'), (en.id(42), 'a5', 'alpha', 'partner', '2026-06-26 15:00Z'), (en.id(43), 'a4', 'alpha', 'partner', '2026-04-20 15:00Z'), (en.id(44), 'a9', 'alpha', 'vendor', '2026-05-01 15:00Z'),
    (en.id(45), 'a9', 'alpha', 'partner', '2026-06-24 09:00Z'), (en.id(46), 'a9', 'alpha', 'partner', '2026-06-24 09:00Z');
SELECT referral_id, opened_by, due_at AT TIME ZONE 'UTC' AS due, expires_at AT TIME ZONE 'UTC' AS expires FROM revrtm.referral ORDER BY 1;
SELECT en.try(s) FROM unnest(ARRAY[
    $$UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(41)$$,
    $$UPDATE revrtm.referral SET status = 'declined' WHERE referral_id = en.id(42)$$,
    $$UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(43)$$,
    $$UPDATE revrtm.referral SET sent_at = now() WHERE referral_id = en.id(42)$$,
    $$UPDATE revrtm.referral SET status = 'expired' WHERE referral_id = en.id(44)$$]) s;
SET revrtm.as_of = '2026-06-30 13:00Z';
UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(42);
SET revrtm.as_of = '2026-04-21 15:00Z';
UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(43);
-- The night after the last hour is in time, the first second of the morning is not.
SET revrtm.as_of = '2026-06-26 09:00Z';
UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(45);
SET revrtm.as_of = '2026-06-26 09:00:01Z';
UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(46);
SET revrtm.as_of = '2026-07-01 12:00Z';
SELECT referral_id, status, answered_at AT TIME ZONE 'UTC' AS answered, hours, in_time FROM revrtm.referral_sla ORDER BY 1;
SELECT opened_by, period, referrals, accepted, declined, expired, waiting, in_time, judged, acceptance_rate, in_time_rate, note FROM revrtm.referral_acceptance ORDER BY 1, 2;
SET ROLE en_alpha;
SELECT en.try(s) FROM unnest(ARRAY[
    $$INSERT INTO revrtm.referral (account_id, partner_id, opened_by) VALUES ('a5', 'alpha', 'vendor')$$,
    $$UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = en.id(42)$$,
    $$UPDATE revrtm.referral SET opened_by = 'vendor' WHERE referral_id = en.id(42)$$]) s;
SET ROLE en_beta;
SELECT count(*) FROM revrtm.referral;
RESET ROLE;

-- Both are evidence: a partner's own step of an agreed plan, and an accepted referral.
SELECT opportunity_id, kind, partner_id, label, verdict, counts FROM revrtm.partner_evidence WHERE kind IN ('plan_step', 'referral') ORDER BY 1, 2, at;
SELECT opportunity_id, role, rule, partner_id, is_co_sell AS c, is_influenced AS i, note FROM revrtm.partner_role WHERE opportunity_id IN ('o3', 'o4', 'o5') ORDER BY 1;
UPDATE revrtm.action_plan SET status = 'cancelled', decision_reason = 'Lost interest.' WHERE plan_id = :'p1';
SELECT opportunity_id, role, rule FROM revrtm.partner_role WHERE opportunity_id = 'o3';

-- Scores and tiers.
SELECT partner_id, metric, value, n FROM revrtm.partner_metrics() ORDER BY 1, 2;
SELECT partner_id, peer_group, peers, score, coverage, place, band, note FROM revrtm.partner_score ORDER BY 1;
INSERT INTO en.deal (id, account, partner, ended, won, amount) VALUES ('p1', 'b1', 'beta', '2026-06-20 12:00Z', true, 3000), ('p2', 'b2', 'gamma', '2026-06-20 12:00Z', true, 2000), ('p3', 'b3', 'gamma', '2026-06-20 12:00Z', false, 1);
SELECT inserted FROM revrtm.refresh_journeys(verify => true);
SELECT partner_id, peers, score, coverage, place, band, note FROM revrtm.partner_score ORDER BY 1;
-- Weights count by their part of the sum.
BEGIN;
UPDATE revrtm.partner_metric SET weight = weight / 2;
SELECT partner_id, score, coverage, note FROM revrtm.partner_score ORDER BY 1;
UPDATE revrtm.partner_metric SET weight = 0;
SELECT partner_id, score, coverage, note FROM revrtm.partner_score ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM revrtm.partner_tier;
DELETE FROM revrtm.tier WHERE tier IN ('bronze', 'iron');
DELETE FROM revrtm.tier_criterion;
INSERT INTO revrtm.tier_criterion (tier, metric, threshold) VALUES ('silver', 'won_amount', 1000), ('gold', 'won_amount', 2000), ('gold', 'win_rate', 0.5), ('gold', 'cycle_time', 60);
SELECT * FROM revrtm.assign_tiers('2026-07-01 00:00Z');
SELECT partner_id, current_tier, next_tier, metric, value, threshold, note FROM revrtm.partner_tier_gap ORDER BY 1, 4;
-- A little below the edge keeps the tier, more does not; high values of cycle_time are worse.
UPDATE en.deal SET amount = 1800 WHERE id = 'p2';
SELECT updated FROM revrtm.refresh_journeys(verify => true);
SELECT * FROM revrtm.assign_tiers('2026-07-02 00:00Z');
UPDATE en.deal SET amount = 1799 WHERE id = 'p2';
SELECT updated FROM revrtm.refresh_journeys(verify => true);
SELECT * FROM revrtm.assign_tiers('2026-07-03 00:00Z');
UPDATE en.deal SET amount = 1999 WHERE id = 'p2';
SELECT updated FROM revrtm.refresh_journeys(verify => true);
SELECT * FROM revrtm.assign_tiers('2026-07-04 00:00Z');
INSERT INTO revrtm.tier_criterion (tier, metric, threshold) VALUES ('silver', 'no such', 0);
SELECT * FROM revrtm.assign_tiers('2026-07-05 00:00Z');
SELECT partner_id, tier, valid FROM (SELECT partner_id, tier, lower(valid) AT TIME ZONE 'UTC' AS valid FROM revrtm.partner_tier) t ORDER BY 1, 3;
SELECT revrtm.tier_at('gamma', '2026-07-02 12:00Z'), revrtm.tier_at('gamma', '2026-07-03 00:00Z'), revrtm.tier_at('gamma', '2026-06-01Z');
SELECT en.try('SELECT revrtm.assign_tiers(''2026-07-05 00:00Z'')'), en.try('SELECT revrtm.assign_tiers(''infinity'')');
SELECT en.try($$INSERT INTO revrtm.partner_tier VALUES ('gamma', 'gold', '[2026-07-02,2026-07-03)')$$);
SET ROLE en_beta;
SELECT DISTINCT partner_id FROM revrtm.partner_tier;
RESET ROLE;
ROLLBACK;

-- Lift: what is asked wrongly, and too little to say.
SELECT en.try('SELECT revrtm.enablement_lift(''happiness'')'), en.try('SELECT revrtm.enablement_lift(NULL)'), en.try('SELECT revrtm.enablement_lift(months => 0)');
SELECT quarter, partners, others, n_before, n_after, others_n_before, others_n_after, lift, lo, reading, note FROM revrtm.enablement_lift('win_rate', 12) ORDER BY 1;

-- Life cycles are rows: another step, for whom, and with a reason.
SELECT en.try($$UPDATE revrtm.mdf_request SET status = 'requested' WHERE request_id = en.id(11)$$);
INSERT INTO revrtm.life_cycle_transition (subject, from_status, to_status, actors, reason_required) VALUES ('mdf_request', 'expired', 'requested', '{staff}', true);
SELECT en.try($$UPDATE revrtm.mdf_request SET status = 'requested' WHERE request_id = en.id(11)$$);
SELECT en.try($$UPDATE revrtm.mdf_request SET status = 'requested', decision_reason = 'Once more.' WHERE request_id = en.id(11)$$);
SELECT en.try(s) FROM unnest(ARRAY[
    $$INSERT INTO revrtm.life_cycle_transition VALUES ('mdf_request', 'requested', 'dreamt', '{staff}')$$, $$INSERT INTO revrtm.life_cycle_transition VALUES ('mdf_request', 'requested', 'paid', '{god}')$$,
    $$INSERT INTO revrtm.life_cycle_state VALUES ('dream', 'requested')$$, $$UPDATE revrtm.enablement_terms SET at_risk = 0.9$$, $$UPDATE revrtm.enablement_terms SET alert_days = '{30,-1}'$$,
    $$INSERT INTO revrtm.fund (fund_id, kind, valid, amount, currency, award) VALUES ('x', 'mdf', '[2026-01-01,)', 1, 'USD', 1)$$, $$INSERT INTO revrtm.fund (fund_id, kind, valid, amount, currency) VALUES ('x', 'mdf', 'empty', 1, 'USD')$$,
    $$INSERT INTO revrtm.fund (fund_id, kind, valid, amount, currency) VALUES ('x', 'mdf', '[2026-01-01,)', 'NaN', 'USD')$$]) s;
SELECT table_name, change FROM revrtm.policy_change WHERE table_name LIKE 'life%' OR table_name = 'fund' ORDER BY changed_at;

-- Away with it.
DELETE FROM revrtm.mdf_request; DELETE FROM revrtm.spiff_award; DELETE FROM revrtm.certification; DELETE FROM revrtm.plan_step; DELETE FROM revrtm.action_plan;
DELETE FROM revrtm.referral; DELETE FROM revrtm.partner_tier; DELETE FROM revrtm.learner; DELETE FROM revrtm.curriculum; DELETE FROM revrtm.course; DELETE FROM revrtm.partner_login;
SELECT fund_id, held FROM revrtm.fund WHERE held <> 0;
DELETE FROM revrtm.deal_registration WHERE account_id = 'acme'; DELETE FROM revrtm.fund; DELETE FROM revrtm.product WHERE product_id = 'db'; DELETE FROM revrtm.product WHERE product_id IN ('cloud', 'services');
DELETE FROM revrtm.tier WHERE NOT shipped; DELETE FROM revrtm.enablement_category WHERE category = 'program'; DELETE FROM revrtm.life_cycle_transition WHERE from_status = 'expired';
UPDATE revrtm.programme SET timezone = 'UTC';
SELECT count(revrtm.unbind(r)) FROM unnest('{opportunity,touch,spend}'::text[]) r;
SELECT deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.journey_refresh;
DROP OWNED BY en_alpha, en_beta, en_staff, en_reader, en_nobody;
DROP ROLE en_alpha, en_beta, en_staff, en_reader, en_nobody;
DROP SCHEMA en CASCADE;
