-- The demo CRM at 100000 deals: the time it takes, what it takes up, and the
-- time of binding and packing it.
--   psql -X -f bench/demo.sql
-- Last figures (2 cores, shared, PostgreSQL 15, fsync off, assertions on) are in doc/demo.md.
\set ON_ERROR_STOP 1
\timing on
SELECT revrtm.load_demo(100000, 1);
\timing off
SELECT c.relname, c.reltuples::bigint AS row_count,
       pg_size_pretty(pg_table_size(c.oid)) AS table_size,
       pg_size_pretty(pg_indexes_size(c.oid)) AS index_size
FROM pg_class c
WHERE c.relnamespace = 'revrtm_demo'::regnamespace AND c.relkind = 'r'
ORDER BY pg_total_relation_size(c.oid) DESC;
SELECT pg_size_pretty(sum(pg_total_relation_size(c.oid))) AS total
FROM pg_class c WHERE c.relnamespace = 'revrtm_demo'::regnamespace AND c.relkind = 'r';
\timing on
SELECT inserted AS "deals packed" FROM revrtm.refresh_journeys();
