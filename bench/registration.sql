-- What it costs to insert an active registration that passes every default
-- rule and is logged, against the exclusion constraint alone and a plain
-- insert, and against the same table without its triggers; microseconds of the
-- backend's CPU a row, both beside 100,000 registrations and as many deals. Run:
-- psql -X -f bench/registration.sql. Each figure is of eight interleaved rounds of
-- 5000 rows: the median and the best; and at the end, of three rounds of 20 rows,
-- without the key of deal_journey.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SET synchronous_commit = off;
INSERT INTO revrtm.region (region_id, parent_id) SELECT 'R' || i, 'ANY' FROM generate_series(1, 16) i;
INSERT INTO revrtm.product (product_id, parent_id) SELECT 'P' || i, 'ANY' FROM generate_series(1, 16) i;
INSERT INTO revrtm.deal_journey (account_id, opportunity_id, is_closed, is_won, created_at, ended_at, route_id)
SELECT 'account ' || i, 'deal ' || i, true, i % 2 = 0, '2000-01-01Z', '2001-01-01Z', 'direct' FROM generate_series(1, 100000) i;
ANALYZE revrtm.deal_journey;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
SELECT 'account ' || i, 'partner ' || i % 100, ARRAY['P' || 1 + i % 16], ARRAY['R' || 1 + i % 16], 'approved' FROM generate_series(1, 100000) i;
-- The table alone: its key, its exclusion constraint, no checks, no triggers.
CREATE TABLE bare (LIKE revrtm.deal_registration INCLUDING DEFAULTS);
ALTER TABLE bare ADD PRIMARY KEY (registration_id, account_id),
    ADD EXCLUDE USING gist (account_id WITH =, region WITH &&, product WITH &&, protection WITH &&) WHERE (active AND exclusive);
INSERT INTO bare TABLE revrtm.deal_registration;
CREATE TABLE plain (LIKE revrtm.registration_event INCLUDING INDEXES);
INSERT INTO plain TABLE revrtm.registration_event;
-- The same table without its triggers.
CREATE TABLE same (LIKE revrtm.deal_registration INCLUDING ALL);
INSERT INTO same TABLE revrtm.deal_registration;
VACUUM (FREEZE, ANALYZE) same;
VACUUM (FREEZE, ANALYZE) revrtm.deal_registration;
VACUUM (FREEZE, ANALYZE) bare;
CREATE FUNCTION cpu() RETURNS float8 LANGUAGE sql AS
$$SELECT 10000.0 * (f[14]::float8 + f[15]::float8) FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') f$$;
CREATE FUNCTION rows_bare(a int, b int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN a .. b LOOP
        INSERT INTO bare (account_id, partner_id, product_codes, region_codes, product, region, protection, status, active, submitted_at, checked_at)
        VALUES ('account ' || i, 'partner ' || i % 100, '{P1}', '{R1}', '{[0,36028797018963967)}', '{[0,36028797018963967)}', '[2026-01-01,2026-04-01)', 'approved', true, now(), now());
        INSERT INTO plain (registration_id, account_id, revision, partner_id, at, logged_at, actor, acting_role, acted_as, to_status)
        VALUES (gen_random_uuid(), 'account ' || i, 1, 'partner ' || i % 100, now(), clock_timestamp(), 'postgres', 'postgres', 'staff', 'approved');
    END LOOP;
END
$$;
CREATE FUNCTION rows_same(a int, b int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN a .. b LOOP
        INSERT INTO same (account_id, partner_id, product_codes, region_codes, product, region, protection, status, active, submitted_at, checked_at)
        VALUES ('account ' || i, 'partner ' || i % 100, '{P1}', '{R1}', '{[0,36028797018963967)}', '{[0,36028797018963967)}', '[2026-01-01,2026-04-01)', 'approved', true, now(), now());
        INSERT INTO plain (registration_id, account_id, revision, partner_id, at, logged_at, actor, acting_role, acted_as, to_status)
        VALUES (gen_random_uuid(), 'account ' || i, 1, 'partner ' || i % 100, now(), clock_timestamp(), 'postgres', 'postgres', 'staff', 'approved');
    END LOOP;
END
$$;
CREATE FUNCTION rows_revrtm(a int, b int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN a .. b LOOP
        INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
        VALUES ('account ' || i, 'partner ' || i % 100, '{P1}', '{R1}', 'approved');
    END LOOP;
END
$$;
CREATE FUNCTION set_bare(a int, b int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO bare (account_id, partner_id, product_codes, region_codes, product, region, protection, status, active, submitted_at, checked_at)
    SELECT 'account ' || i, 'partner ' || i % 100, '{P1}', '{R1}', '{[0,36028797018963967)}', '{[0,36028797018963967)}', '[2026-01-01,2026-04-01)', 'approved', true, now(), now() FROM generate_series(a, b) i;
    INSERT INTO plain (registration_id, account_id, revision, partner_id, at, logged_at, actor, acting_role, acted_as, to_status)
    SELECT gen_random_uuid(), 'account ' || i, 1, 'partner ' || i % 100, now(), clock_timestamp(), 'postgres', 'postgres', 'staff', 'approved' FROM generate_series(a, b) i;
$$;
CREATE FUNCTION set_same(a int, b int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO same (account_id, partner_id, product_codes, region_codes, product, region, protection, status, active, submitted_at, checked_at)
    SELECT 'account ' || i, 'partner ' || i % 100, '{P1}', '{R1}', '{[0,36028797018963967)}', '{[0,36028797018963967)}', '[2026-01-01,2026-04-01)', 'approved', true, now(), now() FROM generate_series(a, b) i;
    INSERT INTO plain (registration_id, account_id, revision, partner_id, at, logged_at, actor, acting_role, acted_as, to_status)
    SELECT gen_random_uuid(), 'account ' || i, 1, 'partner ' || i % 100, now(), clock_timestamp(), 'postgres', 'postgres', 'staff', 'approved' FROM generate_series(a, b) i;
$$;
CREATE FUNCTION set_revrtm(a int, b int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
    SELECT 'account ' || i, 'partner ' || i % 100, '{P1}', '{R1}', 'approved' FROM generate_series(a, b) i;
$$;
CREATE TABLE measured (form text, arm text, us float8);
DO $$
DECLARE
    r record;
    started float8;
    first int := 1000000;
BEGIN
    FOR r IN SELECT form, arm FROM generate_series(0, 7) round, unnest('{rows,set}'::text[]) form, unnest('{bare,same,revrtm}'::text[]) arm ORDER BY round, form, arm LOOP
        started := cpu();
        EXECUTE format('SELECT %s_%s(%s, %s)', r.form, r.arm, first, first + 4999);
        INSERT INTO measured VALUES (r.form, r.arm, (cpu() - started) / 5000);
        first := first + 5000;
    END LOOP;
END
$$;
-- Facts of an account by reading every deal: what the key of deal_journey is for.
ALTER TABLE revrtm.deal_journey DROP CONSTRAINT deal_journey_pkey;
DO $$
DECLARE
    r record;
    started float8;
    first int := 2000000;
BEGIN
    FOR r IN SELECT form FROM generate_series(1, 3) round, unnest('{rows,set}'::text[]) form LOOP
        started := cpu();
        EXECUTE format('SELECT %s_revrtm(%s, %s)', r.form, first, first + 19);
        INSERT INTO measured VALUES (r.form, 'unindexed', (cpu() - started) / 20);
        first := first + 20;
    END LOOP;
END
$$;
SELECT CASE m.form WHEN 'rows' THEN 'a statement a row' ELSE 'one statement' END AS form,
       CASE m.arm WHEN 'bare' THEN 'constraint and insert' WHEN 'same' THEN 'table without triggers and insert' WHEN 'revrtm' THEN 'revrtm' ELSE 'revrtm, deal_journey without its key' END AS arm,
       round(m.median::numeric, 1) AS median, round(m.best::numeric, 1) AS best,
       round((max(m.median) FILTER (WHERE m.arm = 'revrtm') OVER (PARTITION BY m.form) / m.median)::numeric, 2) AS "revrtm to it"
FROM (SELECT form, arm, percentile_cont(0.5) WITHIN GROUP (ORDER BY us) AS median, min(us) AS best FROM measured GROUP BY form, arm) m
ORDER BY m.form, m.arm;
