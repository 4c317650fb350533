-- Nothing stays behind.
DROP EXTENSION revrtm;
SELECT count(*) AS left_behind FROM pg_namespace WHERE nspname = 'revrtm';
