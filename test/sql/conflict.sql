-- Conflict cases: how they open, who sees what of them, evidence, decisions and
-- what follows, the scan of the CRM, and merges of accounts.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
\pset null '-'
SET revrtm.as_of = '2026-07-01 09:00Z';
DELETE FROM revrtm.conflict_case;
DELETE FROM revrtm.conflict_party;
ALTER TABLE revrtm.roe_rule DISABLE TRIGGER own_shipped_row;
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'duplicate';
CREATE ROLE rtm_p1;
CREATE ROLE rtm_p2;
CREATE ROLE rtm_p3;
CREATE ROLE rtm_staff;
SELECT revrtm.grant_partner(r) FROM unnest('{rtm_p1,rtm_p2,rtm_p3}'::text[]) r;
SELECT revrtm.grant_staff('rtm_staff');
INSERT INTO revrtm.partner_login VALUES ('rtm_p1', 'p1'), ('rtm_p2', 'p2'), ('rtm_p3', 'p3');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('US', 'ANY');
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0009-%s', lpad(n::text, 12, '0'))::uuid;
-- A case's two sides, without its random id.
CREATE VIEW board AS
SELECT c.account_id AS account, c.kind, c.cause, c.status, p.partner_id AS partner, p.outcome, p.share, p.suspended_from AS suspended,
       r.status AS registration
FROM revrtm.conflict_case c
JOIN revrtm.conflict_party p USING (case_id, account_id)
LEFT JOIN revrtm.deal_registration r ON p.claim = 'registration:' || r.registration_id
ORDER BY c.opened_at, c.account_id COLLATE "C", c.claim_a COLLATE "C", c.claim_b COLLATE "C", p.claim COLLATE "C";
CREATE FUNCTION pg_temp.the_case(account text, partner text) RETURNS uuid LANGUAGE sql
RETURN (SELECT c.case_id FROM revrtm.conflict_case c JOIN revrtm.conflict_party p USING (case_id)
        WHERE c.account_id = account AND p.partner_id = partner AND c.status = 'open');

-- Two protections in one account; who registers against both has two cases,
-- who registers beside them none, nor who is in nobody's way.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection)
VALUES (pg_temp.id(1), 'acme', 'p1', '{ANY}', '{DE}', 'approved', '[2000-01-01,2200-01-01)'),
    (pg_temp.id(2), 'acme', 'p3', '{ANY}', '{US}', 'approved', '[2000-01-01,2200-01-01)');
SET ROLE rtm_p2;
SELECT status, reason_code, conflicting_registration_id, detail FROM revrtm.register_deal('acme', 'p2', '{ANY}', '{EMEA,US}');
SELECT status, reason_code FROM revrtm.register_deal('acme', 'p2', '{ANY}', '{EMEA}', exclusive => false);
-- Its side, and nothing else.
SELECT account_id, partner_id, outcome FROM revrtm.conflict_party;
SELECT count(*) FROM revrtm.conflict_case;
SELECT count(*) FROM revrtm.conflict_event;
SELECT revrtm.open_conflict('x', 'registration:a', 'p2', now(), 'registration:b', 'p1', now());
INSERT INTO revrtm.conflict_party (case_id, account_id, claim, partner_id) VALUES (pg_temp.id(1), 'acme', 'x', 'p2');
UPDATE revrtm.conflict_party SET outcome = 'won';
RESET ROLE;
SELECT account, kind, cause, status, partner, outcome, registration FROM board;

-- Evidence: of the own side of an open case, unverified.
SET ROLE rtm_p2;
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, happened_at, reference)
SELECT case_id, account_id, claim, partner_id, e.type, '2026-06-20', 'see mail' FROM revrtm.conflict_party, unnest('{meeting,meeting,poc}'::text[]) e (type);
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type)
SELECT case_id, account_id, claim, 'p1', 'meeting' FROM revrtm.conflict_party LIMIT 1;
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type)
SELECT case_id, account_id, 'registration:' || pg_temp.id(1), 'p2', 'meeting' FROM revrtm.conflict_party LIMIT 1;
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, verified, verified_by)
SELECT case_id, account_id, claim, partner_id, 'meeting', true, 'me' FROM revrtm.conflict_party LIMIT 1;
UPDATE revrtm.conflict_evidence SET verified = true;
SELECT verified_by FROM revrtm.conflict_evidence;
SET ROLE rtm_p1;
SELECT count(*) FROM revrtm.conflict_evidence;
SELECT account_id, partner_id FROM revrtm.conflict_party;
SELECT * FROM revrtm.decide_case(pg_temp.id(1), 'p1', reason => 'mine');
RESET ROLE;

-- A partner's statement goes by the clock, which no golden file knows.
ALTER TABLE revrtm.conflict_case DISABLE TRIGGER log_conflict;
UPDATE revrtm.conflict_case SET opened_at = '2026-07-01 09:00Z';
ALTER TABLE revrtm.conflict_case ENABLE TRIGGER log_conflict;
-- It counts once verified, each kind once, and dated where it must be; of
-- claims far apart in time who was first leads.
SET ROLE rtm_staff;
CREATE TEMP VIEW lead AS
SELECT account_id, partner_a, score_a, partner_b, score_b, (SELECT p.partner_id FROM revrtm.conflict_party p WHERE p.case_id = o.case_id AND p.claim = o.leader) AS leader,
       leader_rule, is_overdue
FROM revrtm.open_case o ORDER BY account_id, claim_a;
SELECT count(*), sum(score_a + score_b) FROM lead;
SELECT revrtm.verify_evidence(evidence_id) FROM revrtm.conflict_evidence;
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, verified, verified_by)
SELECT case_id, account_id, claim, partner_id, 'meeting', true, 'rtm_staff' FROM revrtm.conflict_party WHERE partner_id = 'p1';
SELECT * FROM lead;
UPDATE revrtm.conflict_party SET since = '2026-07-05 08:00Z' WHERE partner_id = 'p2';
UPDATE revrtm.conflict_party SET since = '2026-07-01 08:00Z' WHERE partner_id = 'p1';
SELECT * FROM lead;
UPDATE revrtm.conflict_evidence SET happened_at = NULL, reference = 'lost' WHERE partner_id = 'p2' AND evidence_type = 'poc';
SELECT * FROM lead;

-- Deciding: what is refused.
SELECT * FROM revrtm.decide_case(pg_temp.id(9), 'p1', reason => 'x');
SELECT * FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p1');
SELECT * FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p1', 0, 'x');
SELECT * FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p1', 1, 'x', 'shot');
\set VERBOSITY sqlstate
SELECT * FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p3', 1, 'x');
-- p1's protection falls; but p3's still stands in the way, so nothing is decided.
SELECT * FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p2', 1, 'letter of the customer');
\set VERBOSITY default
SELECT status FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
SET revrtm.as_of = '2026-07-02 11:00Z';
SELECT claim LIKE 'registration:%' AS ok, partner_id, outcome, share, registration_status
FROM revrtm.decide_case(pg_temp.the_case('acme', 'p3'), NULL, reason => 'other project');
SELECT partner_id, outcome, share, registration_status
FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p1', 0.75, 'both worked on it', 'ended');
SELECT winner_partner_id, loser_partner_id, status, split, resolution_hours, is_in_time, reopened FROM revrtm.closed_case ORDER BY status;
\set VERBOSITY sqlstate
SELECT * FROM revrtm.decide_case((SELECT case_id FROM revrtm.closed_case WHERE status = 'decided'), 'p1', reason => 'again');
\set VERBOSITY default
SELECT revrtm.reopen_case(case_id, '') FROM revrtm.closed_case WHERE status = 'decided';
SELECT revrtm.reopen_case(pg_temp.id(9), 'x');
SELECT revrtm.reopen_case(case_id, 'new letter') FROM revrtm.closed_case WHERE status = 'decided';
-- A claim that has ended can still win the credit.
SELECT partner_id, outcome, registration_status FROM revrtm.decide_case(pg_temp.the_case('acme', 'p1'), 'p2', 1, 'letter', 'ended');
SELECT reopened FROM revrtm.closed_case WHERE status = 'decided';
SELECT revision, from_status, to_status, split, reason, actor = session_user AS by_me, acting_role FROM revrtm.conflict_event
WHERE case_id = (SELECT case_id FROM revrtm.closed_case WHERE status = 'decided') ORDER BY revision;
RESET ROLE;
UPDATE revrtm.conflict_event SET reason = NULL;
TRUNCATE revrtm.conflict_event;
-- A partner knows how its case ended.
SET ROLE rtm_p2;
SELECT outcome, share FROM revrtm.conflict_party ORDER BY outcome;
RESET ROLE;

-- A case lapses with a claim; the queue is what the loser goes to by default,
-- and where a winner may come from.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection)
VALUES (pg_temp.id(11), 'b', 'p1', '{ANY}', '{ANY}', 'approved', '[2000-01-01,2200-01-01)');
SET ROLE rtm_p2;
SELECT status FROM revrtm.register_deal('b', 'p2', '{ANY}', '{ANY}');
SELECT w.status FROM revrtm.deal_registration d, revrtm.withdraw_registration(d.registration_id) w WHERE d.account_id = 'b';
SELECT outcome FROM revrtm.conflict_party WHERE account_id = 'b';
SET ROLE rtm_p3;
SELECT status FROM revrtm.register_deal('b', 'p3', '{ANY}', '{ANY}');
RESET ROLE;
SELECT partner_id, outcome, registration_status
FROM revrtm.decide_case(pg_temp.the_case('b', 'p3'), 'p3', 1, 'letter', protection => '[2026-07-02,2026-08-01)');
-- Approving while others wait opens theirs; staff as well.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes)
SELECT pg_temp.id(20 + n), 'c', 'p' || n, '{ANY}', '{ANY}' FROM generate_series(1, 3) n;
SELECT status FROM revrtm.approve_registration(pg_temp.id(22));
SELECT count(*) FROM revrtm.open_case WHERE account_id = 'c';
-- Nothing is opened by what does not change the claim.
UPDATE revrtm.deal_registration SET details = '{"a": 1}' WHERE registration_id = pg_temp.id(22);
SELECT status FROM revrtm.extend_registration(pg_temp.id(22), 5);
DELETE FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(21);
SELECT account, status, partner, outcome, registration FROM board WHERE account = 'c';

-- The CRM's own deals, found by a scan, once.
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, account text, partner text, product text, region text, closed boolean DEFAULT false, won boolean DEFAULT false,
    created timestamptz DEFAULT '2026-06-01', ended timestamptz, amount numeric DEFAULT 1000);
INSERT INTO crm.deal (id, account, partner, product, region) VALUES ('d1', 'e', NULL, NULL, 'DE'), ('d2', 'e', NULL, NULL, 'US'),
    ('d3', 'e', 'p1', NULL, NULL), ('d4', 'e', 'p2', NULL, 'DE'), ('d5', 'f', 'p1', 'x', NULL), ('d6', 'f', 'p2', 'x', NULL), ('d7', 'f', 'p2', 'y', NULL);
SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, account AS account_id, amount, closed AS is_closed, won AS is_won, created AS created_at,
    ended::date AS close_date, ended AS closed_at, partner AS partner_id, product, region FROM crm.deal') IS NOT NULL AS bound;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection, submitted_at)
VALUES (pg_temp.id(31), 'e', 'p1', '{ANY}', '{EMEA}', 'approved', '[2026-06-15,2026-09-15)', '2026-05-20 09:00Z');
SELECT claim_conflict_key, account_id, kind, is_protected, products, regions, overlap, case_status FROM revrtm.claim_conflict WHERE account_id IN ('e', 'f') ORDER BY 1;
SELECT account_id, kind, claim_a, claim_b FROM revrtm.scan_conflicts() ORDER BY claim_a;
SELECT count(*) FROM revrtm.scan_conflicts();
BEGIN;
SELECT account_id, kind, claim_a, claim_b FROM revrtm.scan_conflicts(false) ORDER BY claim_a, claim_b;
ROLLBACK;
-- What is closed in the CRM lapses; what the registration became is no conflict.
UPDATE crm.deal SET closed = true WHERE id = 'd4';
SELECT count(*) FROM revrtm.scan_conflicts();
SELECT account, kind, cause, status, partner, outcome FROM board WHERE account = 'e';

-- From decision to credit: the deal is p1's by its registration, and by the
-- decision, then shared with direct, then direct's alone.
SELECT count(*) FROM revrtm.refresh_journeys();
CREATE VIEW credit AS SELECT role, rule, r.partner_id, a.model, a.partner_id AS credited, a.weight::numeric(4, 3), a.amount
FROM revrtm.partner_role r JOIN revrtm.partner_attribution a USING (opportunity_id)
WHERE r.opportunity_id = 'd1' AND a.model IN ('partner_single', 'partner_equal', 'partner_manual') ORDER BY a.model, a.partner_id;
TABLE credit;
SELECT partner_id, outcome, share, registration_status FROM revrtm.decide_case(pg_temp.the_case('e', '(direct)'), 'p1', 1, 'it was first');
TABLE credit;
SELECT evidence_id IS NOT NULL AS ok, kind, verdict, counts FROM revrtm.partner_evidence WHERE opportunity_id = 'd1' ORDER BY kind;
SELECT revrtm.reopen_case(case_id, 'we disagree') FROM revrtm.closed_case WHERE account_id = 'e' AND status = 'decided';
SELECT partner_id, outcome, share, registration_status FROM revrtm.decide_case(pg_temp.the_case('e', '(direct)'), '(direct)', 0.5, 'together');
TABLE credit;
SELECT revrtm.reopen_case(case_id, 'once more') FROM revrtm.closed_case WHERE account_id = 'e' AND status = 'decided';
SELECT partner_id, outcome, share, registration_status FROM revrtm.decide_case(pg_temp.the_case('e', '(direct)'), '(direct)', 1, 'letter');
TABLE credit;
SELECT evidence_id IS NOT NULL AS ok, kind, verdict, counts FROM revrtm.partner_evidence WHERE opportunity_id = 'd1' ORDER BY kind;
-- The rules still say who may be approved.
SELECT revrtm.reopen_case(case_id, 'and again') FROM revrtm.closed_case WHERE account_id = 'e' AND status = 'decided';
SELECT * FROM revrtm.decide_case(pg_temp.the_case('e', '(direct)'), 'p1', 1, 'letter');
-- Of two partners, with a deal named: the loser's role in the CRM earns nothing; a share does.
SELECT account_id, kind FROM revrtm.scan_conflicts(false) WHERE claim_a = 'opportunity:d5';
SELECT partner_id, outcome FROM revrtm.decide_case(pg_temp.the_case('f', 'p1'), 'p1', 1, 'letter', opportunity_id => 'd6');
SELECT opportunity_id, partner_id, weight FROM revrtm.partner_attribution WHERE opportunity_id = 'd6' AND model = 'partner_equal';
SELECT revrtm.reopen_case(case_id, 'x') FROM revrtm.closed_case WHERE account_id = 'f';
SELECT partner_id, outcome, share FROM revrtm.decide_case(pg_temp.the_case('f', 'p1'), 'p1', 0.6, 'letter', opportunity_id => 'd6');
SELECT model, partner_id, weight::numeric(4, 3) FROM revrtm.partner_attribution WHERE opportunity_id = 'd6' AND model IN ('partner_manual', 'partner_single') ORDER BY 1, 2;
SELECT role, rule, partner_id FROM revrtm.partner_role WHERE opportunity_id = 'd6';

-- Merges: the first stays, the later waits with a case; waiting ones find the
-- protection there; another merge gives back what no longer collides.
SELECT set_config('revrtm.as_of', '2026-07-03 09:00Z', false);
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection, submitted_at) VALUES
    (pg_temp.id(41), 'm1', 'p1', '{ANY}', '{EMEA}', 'approved', '[2026-07-01,2026-10-01)', '2026-06-01'),
    (pg_temp.id(42), 'm2', 'p2', '{ANY}', '{ANY}', 'converted', '[2026-07-01,2026-10-01)', '2026-06-02'),
    (pg_temp.id(43), 'm3', 'p3', '{ANY}', '{US}', 'extended', '[2026-07-01,2026-10-01)', '2026-06-03'),
    (pg_temp.id(44), 'm3', 'p1', '{ANY}', '{US}', 'submitted', '[2026-07-01,2026-10-01)', '2026-06-04'),
    (pg_temp.id(45), 'm3', 'p1', '{ANY}', '{DE}', 'approved', '[2026-03-01,2026-06-01)', '2026-02-04'),
    (pg_temp.id(46), 'm3', 'p2', '{ANY}', '{DE}', 'draft', '[2026-07-01,2026-10-01)', '2026-06-04');
SELECT partner_id, outcome, status FROM revrtm.merge_accounts('m3', 'm2', 'one company') ORDER BY 1, 2, 3;
SELECT partner_id, outcome, status FROM revrtm.merge_accounts('m2', 'm1', 'one group') ORDER BY 1, 2, 3;
SELECT account_id, partner_id, status, protection, decision_reason FROM revrtm.deal_registration WHERE account_id ~ '^m\d' ORDER BY registration_id;
SELECT account, cause, status, partner, outcome, suspended, registration FROM board WHERE account ~ '^m\d';
-- One partner twice.
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection, submitted_at) VALUES
    (pg_temp.id(51), 'n1', 'p1', '{ANY}', '{ANY}', 'approved', '[2026-07-01,2026-10-01)', '2026-06-01'),
    (pg_temp.id(52), 'n2', 'p1', '{ANY}', '{ANY}', 'approved', '[2026-07-01,2026-10-01)', '2026-06-01');
SELECT partner_id, outcome, status FROM revrtm.merge_accounts('n1', 'n2', 'twice');
SELECT account, kind, cause, status, registration FROM board WHERE account = 'n2';
\set VERBOSITY sqlstate
SELECT * FROM revrtm.decide_case((SELECT case_id FROM revrtm.open_case WHERE account_id = 'n2'), 'p1', reason => 'x');
\set VERBOSITY default
SELECT * FROM revrtm.decide_case((SELECT case_id FROM revrtm.open_case WHERE account_id = 'n2'), 'registration:' || pg_temp.id(52), 0.5, 'x');
SELECT outcome, registration_status FROM revrtm.decide_case((SELECT case_id FROM revrtm.open_case WHERE account_id = 'n2'), 'registration:' || pg_temp.id(52), reason => 'the newer one', loser => 'ended');
SELECT * FROM revrtm.merge_accounts('n1', 'n1', 'x');
SELECT * FROM revrtm.merge_accounts(NULL, 'n1', 'x');
SELECT * FROM revrtm.merge_accounts('n1', 'n2', NULL);
SET ROLE rtm_p1;
SELECT * FROM revrtm.merge_accounts('n1', 'n2', 'x');
\set VERBOSITY sqlstate
SELECT * FROM revrtm.scan_conflicts();
\set VERBOSITY default
RESET ROLE;
SELECT revrtm.suspend_registration(pg_temp.id(51), pg_temp.id(99), 'move', 'x');

-- Registered already, under another id: by the CRM's merges and by domain it is
-- the same; without what says so, or for the partner itself, nothing.
SELECT revrtm.bind('account', $$SELECT * FROM (VALUES ('t1', 'Foo, Inc.', 'foo.com', NULL), ('t2', 'Foo Group', 'www.foo.com', NULL), ('t3', 'Bar', NULL, 't4'), ('t4', 'Bar', NULL, NULL),
    ('t5', 'Foo', NULL, NULL)) v (account_id, account_name, domain, merged_into)$$) IS NOT NULL AS bound;
UPDATE revrtm.roe_rule SET enabled = true WHERE kind = 'possible_duplicate';
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, protection) VALUES ('t2', 'p2', '{ANY}', '{DE}', '[2026-07-01,2026-10-01)'), ('t4', 'p2', '{ANY}', '{DE}', '[2026-07-01,2026-10-01)');
SELECT a.account, a.partner, a.region, r.verdict, r.reason_code, r.detail
FROM (VALUES ('t1', 'p1', 'EMEA'), ('t1', 'p1', 'US'), ('t1', 'p2', 'EMEA'), ('t3', 'p1', 'DE'), ('t5', 'p1', 'DE'), ('t9', 'p1', 'DE')) a (account, partner, region),
     revrtm.roe_explain(jsonb_build_object('account_id', account, 'partner_id', partner, 'product_codes', '["ANY"]'::jsonb, 'region_codes', jsonb_build_array(region))) r
WHERE r.rule = 'possible_duplicate' ORDER BY 1, 2, 3;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes) VALUES ('t1', 'p1', '{ANY}', '{DE}');
SET ROLE rtm_p1;
SELECT verdict, reason_code FROM revrtm.roe_explain('{"account_id": "t1", "partner_id": "p1", "product_codes": ["ANY"], "region_codes": ["DE"]}') WHERE rule = 'possible_duplicate';
SELECT revrtm.account_twin('t1', 'p1', '{[0,9)}', '{[0,9)}', '2026-07-01');
RESET ROLE;
UPDATE revrtm.roe_rule SET enabled = false WHERE kind = 'possible_duplicate';
SELECT revrtm.unbind('account');

-- Figures.
SELECT partner_id, registrations, waiting, accepted, refused, expired, never_updated, won, cases, cases_lost, acceptance_rate, expiry_rate, never_updated_rate, note
FROM revrtm.partner_hygiene ORDER BY partner_id;
SELECT period, route_id, sum(cases) AS cases, sum(registrations) AS registrations FROM revrtm.conflict_rate WHERE period = '2026-07-01' GROUP BY 1, 2 ORDER BY 1, 2;

-- The triggers' functions are of use nowhere else.
SELECT revrtm.follow_registration();
CREATE TABLE other (a int);
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.follow_registration();
INSERT INTO other DEFAULT VALUES;
DROP TRIGGER t ON other;
CREATE TRIGGER t AFTER UPDATE ON other FOR EACH ROW EXECUTE FUNCTION revrtm.log_conflict();
DELETE FROM other;
INSERT INTO other DEFAULT VALUES;
UPDATE other SET a = 1;
DROP TABLE other;

SELECT revrtm.unbind('opportunity');
DROP VIEW credit;
DROP VIEW board;
DROP SCHEMA crm CASCADE;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.conflict_case;
DELETE FROM revrtm.conflict_party;
DELETE FROM revrtm.conflict_evidence;
DELETE FROM revrtm.deal_journey;
DELETE FROM revrtm.partner_login;
UPDATE revrtm.roe_rule SET enabled = true WHERE rule = 'duplicate';
ALTER TABLE revrtm.roe_rule ENABLE TRIGGER own_shipped_row;
DROP OWNED BY rtm_p1, rtm_p2, rtm_p3, rtm_staff;
DROP ROLE rtm_p1, rtm_p2, rtm_p3, rtm_staff;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
