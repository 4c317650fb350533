-- A million registrations of history, which carry their decision stamp, in one
-- transaction: beside the same load into a table that has the key and the
-- exclusion constraint alone, by turns of 100,000 rows. Then what a partner
-- pays beside that million for a plan that tells nothing of others: its list,
-- and one withdrawal; staff's by the same id.
-- Run: psql -X -f bench/registration_bulk.sql
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SET synchronous_commit = off;
CREATE TABLE bare (LIKE revrtm.deal_registration INCLUDING DEFAULTS);
ALTER TABLE bare ADD PRIMARY KEY (registration_id, account_id),
    ADD EXCLUDE USING gist (account_id WITH =, region WITH &&, product WITH &&, protection WITH &&) WHERE (active AND exclusive);
CREATE TABLE took (what text, seconds float8);
CREATE FUNCTION load(target regclass, turn int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz := clock_timestamp();
BEGIN
    EXECUTE format('INSERT INTO %s (account_id, partner_id, product_codes, region_codes, product, region, protection, status, active, submitted_at, checked_at)
        SELECT ''account '' || (i::bigint * 7919 %% 250000), ''partner '' || i %% 1000, ''{ANY}'', ''{ANY}'', ''{[0,9223372036854775807)}'', ''{[0,9223372036854775807)}'',
            daterange(''2016-01-01''::date + 90 * (i / 250000), ''2016-01-01''::date + 90 * (i / 250000) + 90), ''approved'', true, ''2016-01-01'', ''2016-01-02''
        FROM generate_series(%s, %s) i', target, turn * 100000, turn * 100000 + 99999);
    INSERT INTO took VALUES (target::text, extract(epoch FROM clock_timestamp() - started));
END $$;
BEGIN;
SELECT load('bare', turn), load('revrtm.deal_registration', turn) FROM generate_series(0, 9) turn \g /dev/null
SELECT count(*) AS locks_held, current_setting('max_locks_per_transaction') AS locks_per_transaction FROM pg_locks WHERE pid = pg_backend_pid();
COMMIT;
SELECT CASE what WHEN 'bare' THEN 'key and constraint alone' ELSE 'revrtm' END AS a_million_into, round(sum(seconds)::numeric, 1) AS seconds,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric * 10, 1) AS median_us_a_row, round(min(seconds)::numeric * 10, 1) AS best
FROM took GROUP BY what ORDER BY 1;
DROP TABLE bare;
VACUUM (ANALYZE) revrtm.deal_registration;

CREATE ROLE bench_partner;
CREATE ROLE bench_staff;
SELECT revrtm.grant_partner('bench_partner'), revrtm.grant_staff('bench_staff') \g /dev/null
INSERT INTO revrtm.partner_login VALUES ('bench_partner', 'partner 7');
CREATE TEMP TABLE own AS SELECT row_number() OVER () AS n, d.registration_id FROM revrtm.deal_registration d WHERE partner_id = 'partner 7' LIMIT 20;
TRUNCATE took;
GRANT INSERT ON took TO PUBLIC;
GRANT SELECT ON own TO PUBLIC;
CREATE FUNCTION ask(who text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    id uuid;
BEGIN
    FOR turn IN 1 .. 10 LOOP
        started := clock_timestamp();
        PERFORM count(*) FROM revrtm.deal_registration WHERE partner_id = 'partner 7';
        INSERT INTO took VALUES ('list of one partner''s, by ' || who, extract(epoch FROM clock_timestamp() - started));
        SELECT registration_id INTO id FROM own WHERE n = turn + CASE who WHEN 'staff' THEN 10 ELSE 0 END;
        started := clock_timestamp();
        BEGIN
            PERFORM revrtm.withdraw_registration(id);
        EXCEPTION WHEN check_violation THEN NULL;   -- it is over, as all of this history is
        END;
        INSERT INTO took VALUES ('a decision by id, by ' || who, extract(epoch FROM clock_timestamp() - started));
    END LOOP;
END $$;
SET ROLE bench_staff;
SELECT ask('staff') \g /dev/null
SET ROLE bench_partner;
SELECT ask('partner') \g /dev/null
RESET ROLE;
SELECT what, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric * 1000, 2) AS median_ms, round(min(seconds)::numeric * 1000, 2) AS best_ms FROM took GROUP BY what ORDER BY 1;
DROP FUNCTION load, ask;
DELETE FROM revrtm.partner_login;
DROP OWNED BY bench_partner, bench_staff;
DROP ROLE bench_partner, bench_staff;
