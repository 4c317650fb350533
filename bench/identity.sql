-- canonical_account() over a million rows against a plain hash join of the
-- same tables: serial, interleaved, nine rounds. Run: psql -X -f bench/identity.sql
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '64MB';
SET jit = off;
CREATE TEMP TABLE bench_id AS
SELECT revrtm.demo_id('001', n) AS account_id FROM generate_series(1, 1000000) n
ORDER BY revrtm.demo_random(1, 'order', n);
ANALYZE bench_id;
CREATE SCHEMA bench_identity;
CREATE TABLE bench_identity.account (account_id text, merged_into text);
SELECT revrtm.bind('account', 'SELECT account_id, account_id AS account_name, merged_into FROM bench_identity.account') \g /dev/null
CREATE TEMP TABLE bench_time (merged int, step text, ms float8, differences bigint);
DO $$
DECLARE
    share int;
    started timestamptz;
    different bigint;
BEGIN
    FOREACH share IN ARRAY ARRAY[0, 1, 10] LOOP
        -- Every n-th account was merged into its predecessor.
        TRUNCATE bench_identity.account;
        INSERT INTO bench_identity.account
        SELECT revrtm.demo_id('001', n),
               CASE WHEN share > 0 AND n % (100 / share) = 0 THEN revrtm.demo_id('001', n - 1) END
        FROM generate_series(1, 1000000) n;
        ANALYZE bench_identity.account;
        SELECT count(*) INTO different
        FROM bench_id i LEFT JOIN bench_identity.account a ON a.account_id = i.account_id
        WHERE coalesce(a.merged_into, i.account_id) <> revrtm.canonical_account(i.account_id);
        FOR round IN 0 .. 9 LOOP
            started := clock_timestamp();
            PERFORM count(coalesce(a.merged_into, i.account_id))
            FROM bench_id i LEFT JOIN bench_identity.account a ON a.account_id = i.account_id;
            INSERT INTO bench_time
            SELECT share, 'join', 1000 * extract(epoch FROM clock_timestamp() - started), different WHERE round > 0;
            started := clock_timestamp();
            PERFORM count(coalesce(a.merged_into, i.account_id))
            FROM bench_id i LEFT JOIN bench_identity.account a
              ON a.account_id = i.account_id AND a.merged_into IS NOT NULL;
            INSERT INTO bench_time
            SELECT share, 'join of the merged', 1000 * extract(epoch FROM clock_timestamp() - started), different WHERE round > 0;
            started := clock_timestamp();
            PERFORM count(revrtm.canonical_account(i.account_id)) FROM bench_id i;
            INSERT INTO bench_time
            SELECT share, 'canonical_account', 1000 * extract(epoch FROM clock_timestamp() - started), different WHERE round > 0;
        END LOOP;
    END LOOP;
END
$$;
SELECT merged AS percent_merged, step, round(percentile_disc(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median_ms,
       round(min(ms)::numeric, 1) AS best_ms, max(differences) AS differences
FROM bench_time GROUP BY merged, step ORDER BY merged, step;
DROP SCHEMA bench_identity CASCADE;
SELECT revrtm.unbind('account') \g /dev/null
