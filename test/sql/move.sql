-- Nodes of the trees move while registrations and rules name them.
SET revrtm.as_of = '2026-07-01 12:00:00+00';
SET jit = off;
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0000-%s', lpad(n::text, 12, '0'))::uuid;
INSERT INTO revrtm.region (region_id, parent_id) VALUES
    ('EMEA', 'ANY'), ('DACH', 'EMEA'), ('DE', 'DACH'), ('AT', 'DACH'), ('BY', 'DE'), ('FR', 'EMEA'), ('AMER', 'ANY'), ('US', 'AMER');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD'), ('APPS', 'ANY');

-- What is wrong: spans that do not nest, siblings that overlap, scopes that are not those of the codes.
CREATE VIEW move_mismatch AS
WITH RECURSIVE above AS (
    SELECT region_id AS node, region_id AS ancestor FROM revrtm.region
    UNION ALL
    SELECT a.node, r.parent_id FROM above a JOIN revrtm.region r ON r.region_id = a.ancestor
    WHERE r.parent_id IS NOT NULL)
SELECT a.region_id AS a, b.region_id AS b
FROM revrtm.region a, revrtm.region b
WHERE (a.span && b.span) <> EXISTS (SELECT FROM above WHERE
    (node, ancestor) IN ((a.region_id, b.region_id), (b.region_id, a.region_id)))
   OR (a.span @> b.span) <> EXISTS (SELECT FROM above WHERE
    (node, ancestor) = (b.region_id, a.region_id))
UNION ALL
SELECT d.registration_id::text, 'scope' FROM revrtm.deal_registration d
WHERE d.region <> (SELECT range_agg(span) FROM revrtm.region WHERE region_id = ANY (d.region_codes))
   OR d.product <> (SELECT range_agg(span) FROM revrtm.product WHERE product_id = ANY (d.product_codes));

INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, submitted_at)
VALUES (pg_temp.id(1), 'acme', 'p1', '{ANY}', '{BY}', 'approved', '2026-01-02'),
    (pg_temp.id(2), 'acme', 'p2', '{CLOUD}', '{AMER,AT}', 'approved', '2026-01-01'),
    (pg_temp.id(3), 'acme', 'p3', '{DB}', '{FR,DE}', 'submitted', '2026-01-03'),
    (pg_temp.id(4), 'acme', 'p4', '{APPS}', '{US}', 'approved', '2026-01-04'),
    (pg_temp.id(5), 'globex', 'p5', '{ANY}', '{EMEA}', 'queued', '2026-01-05'),
    (pg_temp.id(6), 'globex', 'p6', '{ANY}', '{DACH}', 'withdrawn', '2026-01-06');
SELECT * FROM move_mismatch;

-- A harmless move: everything follows, nobody is judged anew, nothing is logged.
CREATE TABLE before AS SELECT registration_id, checked_at, revision FROM revrtm.deal_registration;
CREATE TABLE spans AS SELECT region_id, span FROM revrtm.region;
SELECT * FROM revrtm.move_region('DACH', 'ANY');
SELECT * FROM move_mismatch;
SELECT count(*) AS judged_anew FROM revrtm.deal_registration d JOIN before b USING (registration_id)
WHERE d.checked_at <> b.checked_at OR d.revision <> b.revision;
SELECT count(*) AS events FROM revrtm.registration_event;
-- No span is used twice: what moved away leaves no room behind.
SELECT r.region_id, r.span && s.span AS overlaps_the_old FROM revrtm.region r JOIN spans s ON s.region_id = r.region_id
WHERE r.span <> s.span ORDER BY r.region_id COLLATE "C";
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('IT', 'EMEA');
SELECT s.region_id FROM revrtm.region r JOIN spans s ON s.span && r.span WHERE r.region_id = 'IT' ORDER BY s.region_id COLLATE "C";
-- And back: a third span.
UPDATE revrtm.region SET parent_id = 'EMEA' WHERE region_id = 'DACH';
SELECT * FROM move_mismatch;
SELECT count(*) AS used_before FROM revrtm.region r JOIN spans s ON s.span && r.span
WHERE r.region_id = 'DACH' AND s.region_id NOT IN ('ANY', 'EMEA');
DROP TABLE before, spans;
-- To where it is: nothing happens. Nor when a statement sets what it finds.
CREATE TABLE spans AS SELECT region_id, span FROM revrtm.region;
SELECT * FROM revrtm.move_region('DE', 'DACH');
UPDATE revrtm.region SET parent_id = parent_id, region_name = lower(region_id) WHERE region_id <> 'ANY';
SELECT count(*) AS moved FROM revrtm.region r JOIN spans s USING (region_id) WHERE r.span <> s.span;
DROP TABLE spans;

-- What is refused.
SELECT * FROM revrtm.move_region('EMEA', 'BY');
SELECT * FROM revrtm.move_region('EMEA', 'EMEA');
SELECT * FROM revrtm.move_region('EMEA', 'NOWHERE');
SELECT * FROM revrtm.move_region('NOWHERE', 'EMEA');
SELECT * FROM revrtm.move_region('ANY', 'EMEA');
SELECT * FROM revrtm.move_region(NULL, 'EMEA');
SELECT * FROM revrtm.move_region('EMEA', NULL);
SELECT * FROM revrtm.move_product('DB', 'APPS', NULL);
SELECT * FROM revrtm.move_product('DB', 'APPS', 'force');
SELECT * FROM revrtm.move_product('CLOUD', 'DB');
UPDATE revrtm.region SET parent_id = NULL WHERE region_id = 'DE';
UPDATE revrtm.region SET parent_id = 'EMEA' WHERE region_id = 'ANY';
DO $$
DECLARE s text; t text; c text;
BEGIN
    UPDATE revrtm.region SET parent_id = CASE region_id WHEN 'DE' THEN 'US' ELSE 'BY' END WHERE region_id IN ('DE', 'US');
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS s = SCHEMA_NAME, t = TABLE_NAME, c = CONSTRAINT_NAME;
    RAISE NOTICE 'a cycle of two: % %.% %', SQLSTATE, s, t, c;
END
$$;
SELECT * FROM move_mismatch;

-- Several at once, over and under each other: what counts is how they end.
BEGIN;
DELETE FROM revrtm.deal_registration WHERE registration_id = pg_temp.id(1);
UPDATE revrtm.region SET parent_id = CASE region_id WHEN 'DACH' THEN 'DE' WHEN 'DE' THEN 'FR' WHEN 'AT' THEN 'BY' END
WHERE region_id IN ('DACH', 'DE', 'AT');
SELECT region_id, parent_id FROM revrtm.region ORDER BY region_id COLLATE "C";
SELECT * FROM move_mismatch;
WITH u AS (UPDATE revrtm.product SET parent_id = 'APPS' WHERE product_id = 'DB' RETURNING 1)
UPDATE revrtm.region SET parent_id = 'ANY' WHERE region_id = 'BY';
SELECT * FROM move_mismatch;
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('US', 'DE'), ('CH', 'DE')
ON CONFLICT (region_id) DO UPDATE SET parent_id = excluded.parent_id;
SELECT region_id, parent_id FROM revrtm.region WHERE region_id IN ('US', 'CH') ORDER BY 1;
SELECT * FROM move_mismatch;
ROLLBACK;

-- Protections that would overlap: refused, with the pairs; by an UPDATE too.
SELECT * FROM revrtm.move_region('DE', 'AMER');
UPDATE revrtm.region SET parent_id = 'AT' WHERE region_id = 'DE';
SELECT * FROM revrtm.move_product('APPS', 'CLOUD');
DO $$
DECLARE s text; t text; c text;
BEGIN
    PERFORM revrtm.move_product('APPS', 'CLOUD');
EXCEPTION WHEN exclusion_violation THEN
    GET STACKED DIAGNOSTICS s = SCHEMA_NAME, t = TABLE_NAME, c = CONSTRAINT_NAME;
    RAISE NOTICE '% %.% %', SQLSTATE, s, t, c;
END
$$;
SELECT * FROM move_mismatch;

-- Or the later one of each waits.
BEGIN;
SELECT * FROM revrtm.move_region('DE', 'AMER', 'queue');
SELECT registration_id, status, active, decision_reason FROM revrtm.deal_registration WHERE account_id = 'acme' ORDER BY 1;
SELECT registration_id, revision, acted_as, from_status, to_status, reason FROM revrtm.registration_event
WHERE revision > 1 ORDER BY 1;
SELECT * FROM move_mismatch;
-- It is promoted once nobody holds its scope.
SELECT status FROM revrtm.promote_registrations();
SELECT status FROM revrtm.revoke_registration(pg_temp.id(2), 'over');
SELECT registration_id, status FROM revrtm.promote_registrations() ORDER BY 1;
ROLLBACK;
-- The order is that of submission, whichever moves; one that gives way keeps nobody out:
-- of A before B before C, where B overlaps both, B alone goes. Those whose days are over end.
BEGIN;
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, submitted_at, protection)
VALUES (pg_temp.id(11), 'chain', 'a', '{ANY}', '{BY}', 'approved', '2026-01-01', '[2026-07-01,2026-07-10)'),
    (pg_temp.id(12), 'chain', 'b', '{ANY}', '{US}', 'converted', '2026-01-02', '[2026-07-05,2026-07-20)'),
    (pg_temp.id(13), 'chain', 'c', '{ANY}', '{DE}', 'extended', '2026-01-03', '[2026-07-15,2026-07-30)'),
    (pg_temp.id(14), 'old', 'a', '{ANY}', '{US}', 'approved', '2025-01-01', '[2025-01-01,2025-07-10)'),
    (pg_temp.id(15), 'old', 'b', '{ANY}', '{DE}', 'approved', '2025-01-02', '[2025-01-01,2025-07-10)');
DELETE FROM revrtm.deal_registration WHERE account_id = 'acme';
SELECT registration_id, status, reason_code, conflicting_registration_id FROM revrtm.move_region('DACH', 'US', 'queue') ORDER BY 1;
SELECT partner_id, status FROM revrtm.deal_registration WHERE account_id IN ('chain', 'old') ORDER BY account_id, partner_id;
SELECT * FROM move_mismatch;
ROLLBACK;
-- Many pairs: an error names ten.
BEGIN;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
SELECT 'many ' || i, r, '{ANY}', ARRAY[r], 'approved' FROM generate_series(1, 12) i, unnest('{US,BY}'::text[]) r;
DO $$
DECLARE d text;
BEGIN
    PERFORM revrtm.move_region('DE', 'US');
EXCEPTION WHEN exclusion_violation THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '% lines, last: %', cardinality(string_to_array(d, E'\n')), (string_to_array(d, E'\n'))[11];
END
$$;
ROLLBACK;

-- The role matrix decides by the tree as it is, in the same session and transaction.
BEGIN;
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role) VALUES ('emea', 'direct', 'EMEA', 'lead'), ('amer', 'resell', 'AMER', 'lead'), ('by', 'resell', 'BY', 'support');
CREATE FUNCTION pg_temp.lead() RETURNS text LANGUAGE plpgsql AS
$$BEGIN RETURN (SELECT rule_id FROM revrtm.route_for('ANY', 'ANY', 'BY') WHERE role = 'lead'); END$$;
SELECT pg_temp.lead();
SELECT count(*) FROM revrtm.move_region('DE', 'AMER', 'queue');
SELECT pg_temp.lead();
SAVEPOINT s;
SELECT count(*) FROM revrtm.move_region('DE', 'FR');
SELECT pg_temp.lead();
ROLLBACK TO s;
SELECT pg_temp.lead();
-- So do claims, by the tree.
SELECT claim_a, claim_b, region FROM revrtm.overlapping_claims($$
    SELECT p AS claim_id, 'acme' AS account_id, p AS party, NULL::text AS product, r AS region, daterange(NULL, NULL) AS during
    FROM (VALUES ('a', 'BY'), ('b', 'AMER'), ('c', 'EMEA')) v(p, r)$$);
ROLLBACK;

-- Who may move: staff. Whoever else was granted the column may not, a partner least.
CREATE ROLE rtm_mover_staff;
CREATE ROLE rtm_mover_partner;
CREATE ROLE rtm_mover_gardener;
SELECT revrtm.grant_staff('rtm_mover_staff'), revrtm.grant_partner('rtm_mover_partner');
INSERT INTO revrtm.partner_login VALUES ('rtm_mover_partner', 'p1');
GRANT SELECT, UPDATE ON revrtm.region, revrtm.product TO rtm_mover_gardener;
SET ROLE rtm_mover_partner;
SELECT * FROM revrtm.move_region('FR', 'AMER');
UPDATE revrtm.region SET parent_id = 'AMER' WHERE region_id = 'FR';
SET ROLE rtm_mover_gardener;
SELECT * FROM revrtm.move_region('FR', 'AMER');
UPDATE revrtm.product SET parent_id = 'ANY' WHERE product_id = 'DB';
UPDATE revrtm.region SET region_name = 'France' WHERE region_id = 'FR';
RESET ROLE;
-- A function with staff's rights does not lend them.
CREATE FUNCTION rtm_moves() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$UPDATE revrtm.region SET parent_id = 'AMER' WHERE region_id = 'FR'$$;
ALTER FUNCTION rtm_moves() OWNER TO rtm_mover_staff;
SET ROLE rtm_mover_partner;
SELECT rtm_moves();
SET ROLE rtm_mover_staff;
BEGIN;
SELECT rtm_moves();
RESET ROLE;
SELECT * FROM move_mismatch;
ROLLBACK;
RESET ROLE;
DROP FUNCTION rtm_moves();
-- Staff that may not read the registrations hears of pairs, not of whom.
REVOKE SELECT ON revrtm.deal_registration FROM rtm_mover_staff;
SET ROLE rtm_mover_staff;
SELECT * FROM revrtm.move_region('DE', 'AMER');
BEGIN;
SELECT status, reason_code, conflicting_registration_id, detail FROM revrtm.move_region('DE', 'AMER', 'queue');
ROLLBACK;
RESET ROLE;

-- A subtransaction that moved and was rolled back leaves all as it was.
CREATE TABLE spans AS SELECT region_id, parent_id, span, free_from FROM revrtm.region;
BEGIN;
SAVEPOINT s;
SELECT count(*) FROM revrtm.move_region('DACH', 'US', 'queue');
ROLLBACK TO s;
SELECT count(*) AS changed FROM (SELECT region_id, parent_id, span, free_from FROM revrtm.region EXCEPT TABLE spans) d;
SELECT * FROM move_mismatch;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes) VALUES ('after', 'p', '{ANY}', '{BY}');
SELECT * FROM move_mismatch;
ROLLBACK;
DROP TABLE spans;

DROP VIEW move_mismatch;
DELETE FROM revrtm.deal_registration;
DELETE FROM revrtm.partner_login;
DROP OWNED BY rtm_mover_staff, rtm_mover_partner, rtm_mover_gardener;
DROP ROLE rtm_mover_staff, rtm_mover_partner, rtm_mover_gardener;
DO $$
BEGIN
    WHILE EXISTS (SELECT FROM revrtm.region WHERE region_id <> 'ANY') LOOP
        DELETE FROM revrtm.region r WHERE region_id <> 'ANY' AND NOT EXISTS (SELECT FROM revrtm.region c WHERE c.parent_id = r.region_id);
    END LOOP;
    WHILE EXISTS (SELECT FROM revrtm.product WHERE product_id <> 'ANY') LOOP
        DELETE FROM revrtm.product r WHERE product_id <> 'ANY' AND NOT EXISTS (SELECT FROM revrtm.product c WHERE c.parent_id = r.product_id);
    END LOOP;
END
$$;
