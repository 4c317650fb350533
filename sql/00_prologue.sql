\echo Use "CREATE EXTENSION revrtm CASCADE" to load this file. \quit

CREATE SCHEMA revrtm;
SET LOCAL search_path = revrtm, pg_catalog, pg_temp;

COMMENT ON SCHEMA revrtm IS
'revrtm: attribution, rules of engagement, ROMI and budget of partner and direct routes to market.';
