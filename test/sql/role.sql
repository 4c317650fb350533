-- The role matrix: who leads, supports, is eligible or blocked, by which rule.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET revrtm.as_of = '2026-07-01';
INSERT INTO revrtm.region (region_id, parent_id) VALUES
    ('EMEA', 'ANY'), ('DE', 'EMEA'), ('FR', 'EMEA'), ('BY', 'DE'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD'), ('FILES', 'CLOUD');

INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role) VALUES
    ('direct', 'direct', NULL, NULL, NULL, 'lead'),
    ('direct in EMEA', 'direct', 'ANY', 'ANY', 'EMEA', 'support'),
    ('partners in EMEA', 'partner_sourced', NULL, NULL, 'EMEA', 'lead'),
    ('direct, enterprise in DE', 'direct', 'enterprise', NULL, 'DE', 'lead'),
    ('databases', 'marketplace', NULL, 'DB', NULL, 'eligible'),
    ('no resale', 'resell', NULL, NULL, NULL, 'blocked'),
    ('resale in BY', 'resell', 'smb', NULL, 'BY', 'eligible');
-- ANY is kept as NULL.
SELECT rule_id, segment, product_code, region_code, valid, checked_at IS NOT NULL AS checked
FROM revrtm.route_role WHERE rule_id = 'direct in EMEA';

-- One row a route, the most specific rule first.
SELECT * FROM revrtm.route_for('smb', 'DB', 'BY');
SELECT * FROM revrtm.route_for('enterprise', 'FILES', 'DE');
SELECT * FROM revrtm.route_for('smb', 'CLOUD', 'US');
-- A cell of which nothing is known.
SELECT * FROM revrtm.route_for('ANY', 'ANY', 'ANY');
SELECT revrtm.lead_route('smb', 'DB', 'BY'), revrtm.lead_route('enterprise', 'FILES', 'DE'), revrtm.lead_route('smb', 'CLOUD', 'US');

-- Ties: priority, then rule_id bytewise.
BEGIN;
DELETE FROM revrtm.route_role;
INSERT INTO revrtm.route_role (rule_id, route_id, segment, region_code, role, priority) VALUES
    ('b', 'direct', 'smb', NULL, 'lead', 0), ('B', 'direct', NULL, 'DE', 'support', 0),
    ('c', 'resell', NULL, 'DE', 'lead', -1), ('d', 'co_sell', 'smb', NULL, 'lead', 7);
SELECT * FROM revrtm.route_for('smb', 'DB', 'DE');
-- 1/2 + 1/2 is as much as 1, and 1/3 + 1/6 as 1/2.
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('0', 'ANY');
INSERT INTO revrtm.region (region_id, parent_id) SELECT i::text, (i - 1)::text FROM generate_series(1, 5) i ORDER BY i;
INSERT INTO revrtm.route_role (rule_id, route_id, product_code, region_code, role, priority) VALUES
    ('halves', 'marketplace', 'CLOUD', '4', 'lead', 0), ('one', 'marketplace', 'DB', NULL, 'eligible', 1),
    ('third and sixth', 'partner_sourced', NULL, '4', 'lead', 0), ('half', 'partner_sourced', 'CLOUD', NULL, 'lead', 1);
SELECT * FROM revrtm.route_for('mid', 'DB', '5');
ROLLBACK;

-- As of an instant: from is included, until is not.
BEGIN;
UPDATE revrtm.route_role SET valid = tstzrange(NULL, '2026-03-01Z') WHERE rule_id = 'direct';
INSERT INTO revrtm.route_role (rule_id, route_id, role, valid) VALUES
    ('direct from March', 'direct', 'support', tstzrange('2026-03-01Z', '2026-06-01Z'));
SELECT at, revrtm.lead_route('smb', 'CLOUD', 'US', at) AS lead, r.role, r.rule_id
FROM unnest('{2026-02-28 23:59:59.999999Z,2026-03-01Z,2026-05-31 23:59:59.999999Z,2026-06-01Z}'::timestamptz[]) at
LEFT JOIN LATERAL (SELECT * FROM revrtm.route_for('smb', 'CLOUD', 'US', at) WHERE route_id = 'direct') r ON true ORDER BY at;
ROLLBACK;

-- What is refused, and how it says so.
CREATE FUNCTION pg_temp.refused(statement text) RETURNS TABLE (state text, at text, said text) LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    said := 'not refused';
    RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, at = CONSTRAINT_NAME, said = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    said := concat_ws(' / ', said, nullif(detail, ''), nullif(hint, ''));
    RETURN NEXT;
END
$$;
SELECT q AS "route_for", r.* FROM unnest(ARRAY[
    $$NULL, 'DB', 'DE'$$, $$'smb', NULL, 'DE'$$, $$'smb', 'DB', NULL$$, $$'', 'DB', 'DE'$$, $$'smb', '', 'DE'$$, $$'smb', 'DB', ''$$,
    $$'smb', 'db', 'DE'$$, $$'smb', 'DB', 'XX'$$, $$'smb', 'DB', repeat('é', 200)$$, $$'smb', 'DB', 'DE', NULL$$, $$'smb', 'DB', 'DE', 'infinity'$$, $$'smb', 'DB', 'DE', '-infinity'$$]) q,
    pg_temp.refused('SELECT revrtm.route_for(' || q || ')') r;
SELECT q AS "lead_route", r.* FROM unnest(ARRAY[$$NULL, 'DB', 'DE'$$, $$'smb', 'XX', 'DE'$$, $$'smb', 'DB', 'DE', 'infinity'$$]) q,
    pg_temp.refused('SELECT revrtm.lead_route(' || q || ')') r;
SELECT q AS "rule", r.* FROM unnest(ARRAY[
    $$'', 'direct', 'x', NULL, NULL, 'lead', '(,)'$$,
    $$repeat('é', 128), 'direct', 'x', NULL, NULL, 'lead', '(,)'$$,
    $$NULL, 'direct', 'x', NULL, NULL, 'lead', '(,)'$$,
    $$'x', 'distributor', 'x', NULL, NULL, 'lead', '(,)'$$,
    $$'x', '', 'x', NULL, NULL, 'lead', '(,)'$$,
    $$'x', NULL, 'x', NULL, NULL, 'lead', '(,)'$$,
    $$'x', 'direct', '', NULL, NULL, 'lead', '(,)'$$,
    $$'x', 'direct', 'x', 'db', NULL, 'lead', '(,)'$$,
    $$'x', 'direct', 'x', '', NULL, 'lead', '(,)'$$,
    $$'x', 'direct', 'x', NULL, 'XX', 'lead', '(,)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'Lead', '(,)'$$,
    $$'x', 'direct', 'x', NULL, NULL, NULL, '(,)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', NULL$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', 'empty'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', '[2026-01-01Z,2026-01-01Z)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', '[2026-02-01Z,2026-01-01Z)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', '[2026-02-01Z,infinity)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', '[-infinity,)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', '(2026-01-01Z,)'$$,
    $$'x', 'direct', 'x', NULL, NULL, 'lead', '[2026-01-01Z,2026-02-01Z]'$$,
    $$'x', 'direct', NULL, 'ANY', 'EMEA', 'lead', '[2026-01-01Z,)'$$,
    $$'direct', 'direct', 'x', NULL, NULL, 'lead', '(,)'$$]) q,
    pg_temp.refused('INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role, valid) VALUES (' || q || ')') r;
SELECT q AS "update", r.* FROM unnest(ARRAY[
    $$region_code = 'XX' WHERE rule_id = 'direct'$$, $$region_code = 'EMEA' WHERE rule_id = 'direct'$$,
    $$valid = 'empty' WHERE rule_id = 'direct'$$, $$priority = NULL WHERE rule_id = 'direct'$$]) q,
    pg_temp.refused('UPDATE revrtm.route_role SET ' || q) r;
SELECT q AS "tree", r.* FROM unnest(ARRAY[
    $$revrtm.region WHERE region_id = 'BY'$$, $$revrtm.product WHERE product_id = 'DB'$$]) q, pg_temp.refused('DELETE FROM ' || q) r;
SELECT r.* FROM pg_temp.refused($$CREATE TEMP TABLE other (a int);
    CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_role(); INSERT INTO other VALUES (1)$$) r;
SELECT r.* FROM pg_temp.refused($$CREATE TEMP TABLE other (a int);
    CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_role(); INSERT INTO other VALUES (1)$$) r;

-- What is free: nodes and times that no rule has, the same rule again.
BEGIN;
DELETE FROM revrtm.product WHERE product_id = 'FILES';
INSERT INTO revrtm.route_role (rule_id, route_id, role) VALUES ('direct', 'direct', 'support') ON CONFLICT (rule_id) DO NOTHING;
INSERT INTO revrtm.route_role (rule_id, route_id, role) VALUES ('direct', 'direct', 'support')
ON CONFLICT (rule_id) DO UPDATE SET role = excluded.role RETURNING rule_id, role;
UPDATE revrtm.route_role SET rule_id = 'direct everywhere', priority = 3, valid = tstzrange(NULL, '2026-03-01Z') WHERE rule_id = 'direct';
INSERT INTO revrtm.route_role (rule_id, route_id, role, valid) VALUES ('direct', 'direct', 'lead', '[2026-03-01Z,)');
SELECT rule_id, role, valid FROM revrtm.route_role WHERE route_id = 'direct' AND region_code IS NULL ORDER BY rule_id;
ROLLBACK;

-- A restore: rules that come with their stamp need no tree yet, and match
-- nothing until it is there.
BEGIN;
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role, checked_at) VALUES ('early', 'oem', 'IT', 'lead', '2026-01-01Z');
SELECT role_dead_key, decided_by, note FROM revrtm.role_dead;
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('IT', 'EMEA');
INSERT INTO revrtm.route (route_id, kind) VALUES ('oem', 'resell');
SELECT role_dead_key, decided_by, note FROM revrtm.role_dead;
SELECT * FROM revrtm.route_for('mid', 'DB', 'IT') WHERE route_id = 'oem';
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role, checked_at) VALUES ('early too', 'oem', 'IT', 'support', '2026-01-01Z');
ROLLBACK;

-- A change is seen at once, also by an expression that is kept for the
-- transaction, and so is its end.
DO $$
DECLARE
    lead text;
BEGIN
    FOR i IN 1 .. 2 LOOP
        lead := revrtm.lead_route('smb', 'DB', 'US');
        RAISE NOTICE '%', lead;
        BEGIN
            UPDATE revrtm.route_role SET role = 'lead' WHERE rule_id = 'databases';
            FOR k IN 1 .. 2 LOOP
                lead := revrtm.lead_route('smb', 'DB', 'US');
                RAISE NOTICE '%', lead;
                DELETE FROM revrtm.route_role WHERE rule_id = 'databases';
            END LOOP;
            RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN
        END;
    END LOOP;
END
$$;

-- What is wrong with a matrix. Nothing, then two leads of one priority:
BEGIN;
SELECT (SELECT count(*) FROM revrtm.role_overlap) AS overlap, (SELECT count(*) FROM revrtm.role_dead) AS dead;
UPDATE revrtm.route_role SET role = 'lead', valid = tstzrange('2026-08-01Z', '2026-09-01Z') WHERE rule_id = 'databases';
SELECT role_overlap_key, rule_a, rule_b, route_a, route_b, priority, specificity, segment, product, region, since, until FROM revrtm.role_overlap;
SELECT * FROM revrtm.role_audit('-infinity') WHERE finding = 'tie';
-- Over, it is wrong no longer; decided, neither.
SET LOCAL revrtm.as_of = '2026-09-01';
SELECT count(*) FROM revrtm.role_overlap;
SET LOCAL revrtm.as_of = '2026-07-01';
UPDATE revrtm.route_role SET priority = 1 WHERE rule_id = 'databases';
SELECT count(*) FROM revrtm.role_overlap;
ROLLBACK;
-- Of all leaves below EMEA each has a rule of its own, then only one:
BEGIN;
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role) VALUES ('direct in FR', 'direct', 'FR', 'lead'), ('direct in BY', 'direct', 'BY', 'lead');
SELECT role_dead_key, role, region_code, decided_by, note FROM revrtm.role_dead;
UPDATE revrtm.route SET active = false WHERE route_id IN ('direct', 'marketplace');
DELETE FROM revrtm.route_role WHERE rule_id = 'direct in FR';
SELECT role_dead_key, decided_by, note FROM revrtm.role_dead ORDER BY role_dead_key COLLATE "C";
ROLLBACK;

-- Cells of deals that nobody leads.
CREATE SCHEMA role_crm;
CREATE TABLE role_crm.deal (id text, segment text, product text, region text, amount numeric, closed boolean);
INSERT INTO role_crm.deal VALUES ('1', 'smb', 'DB', 'US', 10, false), ('2', 'smb', 'DB', 'US', 20, true), ('3', 'smb', 'DB', 'US', NULL, false),
    ('4', 'mid', 'FILES', 'Mars', 40, false), ('5', NULL, NULL, NULL, 50, false), ('6', '', 'soap', 'DE', 60, true), ('7', 'smb', 'DB', 'EMEA', 70, false);
SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, id AS account_id, amount, closed AS is_closed, closed AS is_won,
    timestamptz ''2026-01-01Z'' AS created_at, date ''2026-06-01'' AS close_date, segment, product, region FROM role_crm.deal') IS NOT NULL AS bound;
SELECT inserted FROM revrtm.refresh_journeys();
BEGIN;
SELECT count(*) AS gaps FROM revrtm.role_gap;
-- A deal of EMEA itself keeps the rule on EMEA alive.
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role) VALUES ('direct in FR', 'direct', 'FR', 'lead'), ('direct in BY', 'direct', 'BY', 'lead');
SELECT (SELECT count(*) FROM revrtm.role_audit(revrtm.as_of()) WHERE finding = 'dead') AS dead_on_leaves, (SELECT count(*) FROM revrtm.role_dead) AS dead;
DELETE FROM revrtm.route_role WHERE rule_id IN ('direct in FR', 'direct in BY');
DELETE FROM revrtm.route_role WHERE rule_id = 'direct';
SELECT * FROM revrtm.role_gap ORDER BY role_gap_key COLLATE "C";
DELETE FROM revrtm.route_role WHERE region_code IS NULL;
UPDATE revrtm.route SET active = false WHERE route_id = 'partner_sourced';
SELECT role_gap_key, deals, note FROM revrtm.role_gap ORDER BY role_gap_key COLLATE "C";
ROLLBACK;
SELECT revrtm.unbind('opportunity');
SELECT deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.journey_refresh;
DROP SCHEMA role_crm CASCADE;

-- Rights: all read the matrix, staff keeps it, and no one forges a stamp.
CREATE ROLE revrtm_role_staff;
CREATE ROLE revrtm_role_other;
SELECT revrtm.grant_staff('revrtm_role_staff');
BEGIN;
SET LOCAL ROLE revrtm_role_other;
SELECT revrtm.lead_route('smb', 'CLOUD', 'US'), (SELECT count(*) FROM revrtm.route_role) AS rules;
SELECT * FROM pg_temp.refused('DELETE FROM revrtm.route_role');
SELECT * FROM pg_temp.refused('SELECT FROM revrtm.role_gap');
SET LOCAL ROLE revrtm_role_staff;
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role) VALUES ('staff', 'co_sell', 'DE', 'support');
UPDATE revrtm.route_role SET priority = 2 WHERE rule_id = 'staff';
SELECT * FROM pg_temp.refused($$INSERT INTO revrtm.route_role (rule_id, route_id, role, checked_at) VALUES ('x', 'x', 'lead', now())$$);
SELECT count(*) AS dead FROM revrtm.role_dead;
SELECT count(*) AS overlap FROM revrtm.role_overlap;
DELETE FROM revrtm.route_role WHERE rule_id = 'staff';
ROLLBACK;
DROP OWNED BY revrtm_role_staff, revrtm_role_other;
DROP ROLE revrtm_role_staff, revrtm_role_other;

-- Who owns the tables may have altered them.
BEGIN;
ALTER TABLE revrtm.route_role ALTER role DROP NOT NULL;
ALTER TABLE revrtm.route_role DISABLE TRIGGER USER;
UPDATE revrtm.route_role SET role = NULL WHERE rule_id = 'direct';
SELECT * FROM pg_temp.refused($$SELECT revrtm.route_for('smb', 'DB', 'DE')$$);
ALTER TABLE revrtm.region DISABLE TRIGGER USER;
UPDATE revrtm.region SET parent_id = 'BY' WHERE region_id = 'EMEA';
UPDATE revrtm.route_role SET role = 'lead' WHERE rule_id = 'direct';
SELECT * FROM pg_temp.refused($$SELECT revrtm.route_for('smb', 'DB', 'US')$$);
ROLLBACK;

DELETE FROM revrtm.route_role;
DELETE FROM revrtm.product WHERE product_id IN ('DB', 'FILES');
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
DELETE FROM revrtm.region WHERE region_id = 'BY';
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
RESET revrtm.as_of;
