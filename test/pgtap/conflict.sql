-- Properties of conflict cases: a pair has one case, whoever comes second and
-- in whatever order; the order of merges does not matter for who keeps its
-- protection, which is who plain SQL says.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.as_of = '2026-07-01 09:00Z';
SELECT plan(10);
SELECT setseed(0.75) \g /dev/null
INSERT INTO revrtm.region (region_id, parent_id) SELECT 'r' || i, 'ANY' FROM generate_series(1, 3) i;
INSERT INTO revrtm.region (region_id, parent_id) SELECT 'r' || i || j, 'r' || i FROM generate_series(1, 3) i, generate_series(1, 2) j;
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'duplicate';

-- Registrations that wait and protect, in random order, scope, days and state.
DO $$
DECLARE
    regions text[] := ARRAY(SELECT region_id FROM revrtm.region WHERE region_id LIKE 'r%' ORDER BY 1);
BEGIN
    FOR i IN 1 .. 250 LOOP
        BEGIN
            INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, exclusive, protection)
            VALUES ('case ' || i % 12, 'p' || floor(random() * 5), '{ANY}', ARRAY[regions[1 + floor(random() * 9)]],
                    (ARRAY['submitted', 'approved', 'in_review', 'extended', 'draft'])[1 + floor(random() * 5)], random() < 0.9,
                    daterange(date '2026-07-01' + (random() * 60)::int, date '2026-09-15' + (random() * 60)::int));
        EXCEPTION WHEN exclusion_violation THEN NULL;
        END;
    END LOOP;
END
$$;
CREATE TEMP VIEW expected AS
SELECT least(w.registration_id::text COLLATE "C", h.registration_id::text) AS a, greatest(w.registration_id::text COLLATE "C", h.registration_id::text) AS b
FROM revrtm.deal_registration w
JOIN revrtm.deal_registration h ON h.account_id = w.account_id AND h.partner_id <> w.partner_id AND h.protection && w.protection
    AND (w.region_codes[1] = h.region_codes[1] OR w.region_codes[1] LIKE h.region_codes[1] || '_' OR h.region_codes[1] LIKE w.region_codes[1] || '_')
WHERE w.exclusive AND h.exclusive AND w.status IN ('submitted', 'queued', 'in_review', 'action_required') AND h.status IN ('approved', 'extended', 'converted')
    AND w.account_id LIKE 'case %';
CREATE TEMP VIEW opened AS
SELECT substr(c.claim_a, 14) COLLATE "C" AS a, substr(c.claim_b, 14) AS b FROM revrtm.conflict_case c WHERE c.status = 'open' AND c.account_id LIKE 'case %';
SELECT cmp_ok((SELECT count(*) FROM expected), '>', 50::bigint, 'there are conflicts');
SELECT bag_eq('TABLE opened', 'TABLE expected', 'and a case for each pair, whoever came second');
SELECT is_empty('SELECT * FROM revrtm.scan_conflicts() WHERE account_id LIKE ''case %''', 'a scan finds nothing more');
SELECT is((SELECT count(*) FROM revrtm.conflict_party p JOIN revrtm.conflict_case c USING (case_id, account_id) WHERE c.account_id LIKE 'case %'),
    2 * (SELECT count(*) FROM revrtm.conflict_case c WHERE c.account_id LIKE 'case %'), 'each with two sides');

-- Random ends and approvals: open cases are those of claims that stand.
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT registration_id, status, active FROM revrtm.deal_registration WHERE account_id LIKE 'case %' ORDER BY random() LIMIT 120 LOOP
        BEGIN
            UPDATE revrtm.deal_registration SET status = CASE WHEN active THEN (ARRAY['withdrawn', 'lost', 'queued'])[1 + floor(random() * 3)]
                WHEN status = 'draft' THEN 'submitted' ELSE (ARRAY['withdrawn', 'rejected', 'approved'])[1 + floor(random() * 3)] END,
                protection = protection, decision_reason = 'why'
            WHERE registration_id = r.registration_id;
        EXCEPTION WHEN exclusion_violation THEN NULL;
        END;
    END LOOP;
END
$$;
SELECT is_empty('SELECT * FROM expected EXCEPT TABLE opened', 'after random decisions every conflict still has its case');
SELECT is_empty($$SELECT c.case_id FROM revrtm.conflict_case c JOIN revrtm.conflict_party p USING (case_id, account_id)
    JOIN revrtm.deal_registration r ON p.claim = 'registration:' || r.registration_id
    WHERE c.status = 'open' AND r.status IN ('withdrawn', 'lost', 'rejected')$$, 'and none is open for a claim that has ended');

-- Merges: five accounts with random protections each, brought together in
-- two random orders; who keeps its protection is who was first, walked in plain SQL.
CREATE TEMP TABLE origin (id uuid, account_id text, region_code text, during daterange, submitted_at timestamptz, world int);
DO $$
DECLARE
    regions text[] := ARRAY(SELECT region_id FROM revrtm.region WHERE region_id LIKE 'r%' ORDER BY 1);
    row_id uuid;
BEGIN
    FOR i IN 1 .. 240 LOOP
        BEGIN
            INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection, submitted_at)
            VALUES (format('one %s %s', i % 8, floor(random() * 5)), 'p' || floor(random() * 6), '{ANY}', ARRAY[regions[1 + floor(random() * 9)]],
                    (ARRAY['approved', 'extended', 'converted'])[1 + floor(random() * 3)],
                    daterange(date '2026-07-01' + (random() * 90)::int, date '2026-10-15' + (random() * 60)::int),
                    timestamptz '2026-01-01Z' + floor(random() * 90) * interval '1 day')
            RETURNING registration_id INTO row_id;
            INSERT INTO origin SELECT row_id, r.account_id, r.region_codes[1], r.protection, r.submitted_at, i % 8
            FROM revrtm.deal_registration r WHERE r.registration_id = row_id;
        EXCEPTION WHEN exclusion_violation THEN NULL;
        END;
    END LOOP;
END
$$;
CREATE TEMP TABLE kept (world int, attempt int, id uuid, account_id text);
DO $$
DECLARE
    accounts text[];
    survivors uuid[];
BEGIN
    FOR w IN 0 .. 7 LOOP
        FOR attempt IN 1 .. 3 LOOP
            BEGIN
                -- Two at random become one, until one is left.
                accounts := ARRAY(SELECT o.account_id FROM origin o WHERE o.world = w GROUP BY o.account_id ORDER BY random());
                WHILE cardinality(accounts) > 1 LOOP
                    PERFORM revrtm.merge_accounts(accounts[1], accounts[2], 'one');
                    accounts := ARRAY(SELECT a FROM unnest(accounts[2:]) a ORDER BY random());
                END LOOP;
                survivors := ARRAY(SELECT r.registration_id FROM revrtm.deal_registration r JOIN origin o ON o.id = r.registration_id
                                   WHERE r.active AND o.world = w AND r.account_id = accounts[1]);
                IF attempt < 3 THEN
                    RAISE EXCEPTION USING ERRCODE = 'RR001';
                END IF;
            EXCEPTION WHEN SQLSTATE 'RR001' THEN NULL;
            END;
            INSERT INTO kept SELECT w, attempt, k, accounts[1] FROM unnest(survivors) k;
        END LOOP;
    END LOOP;
END
$$;
CREATE TEMP TABLE first AS
WITH RECURSIVE line AS (
    SELECT o.*, row_number() OVER (PARTITION BY o.world ORDER BY o.submitted_at, o.id) AS n FROM origin o
), walk AS (
    SELECT l.world, l.n, ARRAY[l.id] AS stays FROM line l WHERE l.n = 1
    UNION ALL
    SELECT l.world, l.n,
           CASE WHEN EXISTS (SELECT FROM line k
                             WHERE k.id = ANY (w.stays) AND k.during && l.during
                               AND (k.region_code = l.region_code OR k.region_code LIKE l.region_code || '_' OR l.region_code LIKE k.region_code || '_'))
                THEN w.stays ELSE w.stays || l.id END
    FROM walk w JOIN line l ON l.world = w.world AND l.n = w.n + 1
)
SELECT DISTINCT ON (w.world) w.world, w.stays FROM walk w ORDER BY w.world, w.n DESC;
SELECT cmp_ok((SELECT count(*) FROM origin), '>', (SELECT 20 + sum(cardinality(stays)) FROM first), 'merges take protections away');
SELECT bag_eq('SELECT k.world, a.attempt, k.id FROM (SELECT world, unnest(stays) AS id FROM first) k, generate_series(1, 3) a (attempt)',
    'SELECT world, attempt, id FROM kept', 'whatever the order of merges, who was first keeps its protection');
SELECT is_empty($$SELECT r.registration_id, r.status FROM origin o JOIN revrtm.deal_registration r ON r.registration_id = o.id
    WHERE r.account_id <> (SELECT DISTINCT k.account_id FROM kept k WHERE k.world = o.world AND k.attempt = 3)
       OR r.status NOT IN ('approved', 'extended', 'converted', 'queued')$$, 'all of them move, and the others wait');
-- Each that waits has a case with every one that keeps it waiting, and no other.
SELECT bag_eq($$SELECT p.claim AS a, q.claim AS b FROM revrtm.conflict_case c
        JOIN revrtm.conflict_party p ON p.case_id = c.case_id AND p.suspended_from IS NOT NULL JOIN revrtm.conflict_party q ON q.case_id = c.case_id AND q.claim <> p.claim
        WHERE c.status = 'open'$$,
    $$SELECT 'registration:' || l.id AS a, 'registration:' || k.id AS b
      FROM origin l JOIN first f ON f.world = l.world AND l.id <> ALL (f.stays)
      JOIN origin k ON k.id = ANY (f.stays) AND k.during && l.during AND (k.submitted_at, k.id) < (l.submitted_at, l.id)
           AND (k.region_code = l.region_code OR k.region_code LIKE l.region_code || '_' OR l.region_code LIKE k.region_code || '_')$$,
    'and a case with each of those that were first');
SELECT * FROM finish();
ROLLBACK;
