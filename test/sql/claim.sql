-- overlapping_claims(): pairs of parties on the same account, scope and days.
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('EMEA', 'ANY'), ('DE', 'EMEA'), ('US', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('CLOUD', 'ANY'), ('DB', 'CLOUD');
CREATE TABLE claim (claim_id text, account_id text, party text, product text, region text, during daterange);
CREATE FUNCTION pg_temp.pairs() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('%s-%s %s %s %s', claim_a, claim_b, coalesce(product, '*'), coalesce(region, '*'), overlap)
    COLLATE "C" AS pair FROM revrtm.overlapping_claims('TABLE public.claim') ORDER BY pair$$;

-- No rows.
SELECT * FROM pg_temp.pairs();
-- Ancestors, names outside the tree, NULL as any, the narrower of the two.
INSERT INTO claim VALUES
    ('a', 'x', 'p', 'CLOUD', 'DE', '[2026-01-01,2026-02-01)'),
    ('b', 'x', 'q', 'DB', 'EMEA', '[2026-01-15,2026-03-01)'),
    ('c', 'x', 'r', NULL, 'US', '[2026-01-15,)'),
    ('d', 'x', 's', 'DB', NULL, '(,2026-01-16)'),
    ('e', 'y', 't', 'DB', NULL, '(,)');
SELECT * FROM pg_temp.pairs();
TRUNCATE claim;
INSERT INTO claim VALUES
    ('a', 'x', 'p', 'Widget', 'Mars', '[2026-01-01,2026-02-01)'),
    ('b', 'x', 'q', 'Widget', 'Mars', '[2026-01-01,2026-02-01)'),
    ('c', 'x', 'r', 'widget', 'Mars', '[2026-01-01,2026-02-01)'),
    ('d', 'x', 's', 'ANY', 'Mars', '[2026-01-01,2026-02-01)'),
    ('e', 'x', 's', '', 'Mars', '[2026-01-01,2026-02-01)'),
    ('f', 'x', 't', '', 'Mars', '[2026-01-01,2026-02-01)');
SELECT * FROM pg_temp.pairs();
-- Parties: the same never, NULL always; a claim of two rows never with itself.
TRUNCATE claim;
INSERT INTO claim VALUES
    ('a', 'x', 'p', NULL, NULL, '[2026-01-01,2026-02-01)'), ('b', 'x', 'p', NULL, NULL, '[2026-01-01,2026-02-01)'),
    ('m', 'x', NULL, NULL, 'DE', '[2026-01-01,2026-02-01)'), ('n', 'x', NULL, NULL, 'DE', '[2026-01-01,2026-02-01)'),
    ('m', 'x', NULL, NULL, 'US', '[2026-01-01,2026-02-01)'), ('B', 'x', 'q', 'DB', 'DE', '[2026-01-20,2026-01-21)');
SELECT * FROM pg_temp.pairs();
-- Days: touching is not overlapping, empty never is, bounds of every kind.
TRUNCATE claim;
INSERT INTO claim VALUES
    ('a', 'x', 'a', NULL, NULL, '[2026-01-01,2026-02-01)'), ('b', 'x', 'b', NULL, NULL, '[2026-02-01,2026-03-01)'),
    ('c', 'x', 'c', NULL, NULL, 'empty'), ('d', 'x', 'd', NULL, NULL, '[2026-01-31,2026-01-31]'),
    ('e', 'x', 'e', NULL, NULL, '[infinity,)'), ('f', 'x', 'f', NULL, NULL, '[2026-02-10,infinity]'),
    ('g', 'x', 'g', NULL, NULL, '(,-infinity]');
SELECT * FROM pg_temp.pairs();
TRUNCATE claim;
-- Columns in any order, varchar as text; names of any length.
SELECT claim_a, claim_b, length(product) AS product FROM revrtm.overlapping_claims($$
    SELECT daterange('2026-01-01', NULL) AS during, i::varchar(9) AS claim_id, repeat('é', 50000) AS product,
        NULL AS region, i::text AS party, 'x' AS account_id FROM generate_series(1, 2) i$$);

-- Everything wrong with the columns at once, even without rows.
SELECT * FROM revrtm.overlapping_claims($$SELECT 1 AS claim_id, 'x' AS account_id, now() AS during,
    'p' AS party, 'p' AS party, 2 AS extra WHERE false$$);
SELECT * FROM revrtm.overlapping_claims('SELECT');
-- NULL where something must be said.
SELECT * FROM revrtm.overlapping_claims($$SELECT 'c1' AS claim_id, NULL AS account_id, 'p' AS party,
    NULL AS product, NULL AS region, daterange('2026-01-01', NULL) AS during$$);
SELECT * FROM revrtm.overlapping_claims($$SELECT 'c1' AS claim_id, 'a' AS account_id, 'p' AS party,
    NULL AS product, NULL AS region, NULL::daterange AS during$$);
SELECT * FROM revrtm.overlapping_claims(NULL);
-- Queries that are none, and queries that would write.
\set VERBOSITY sqlstate
SELECT * FROM revrtm.overlapping_claims('');
SELECT * FROM revrtm.overlapping_claims('SELECT 1; SELECT 2');
SELECT * FROM revrtm.overlapping_claims('DELETE FROM claim');
SELECT * FROM revrtm.overlapping_claims('DELETE FROM claim RETURNING *');
SELECT * FROM revrtm.overlapping_claims('WITH d AS (DELETE FROM claim RETURNING *) SELECT * FROM d');
SELECT * FROM revrtm.overlapping_claims('COMMIT');
SELECT * FROM revrtm.overlapping_claims('SELEKT');
SELECT * FROM revrtm.overlapping_claims('TABLE no_such_table');
CREATE FUNCTION pg_temp.writer() RETURNS text LANGUAGE plpgsql AS
$$BEGIN INSERT INTO public.claim VALUES ('w'); RETURN 'w'; END$$;
SELECT * FROM revrtm.overlapping_claims($$SELECT pg_temp.writer() AS claim_id, 'a'::text AS account_id,
    NULL AS party, NULL AS product, NULL AS region, daterange(NULL, NULL) AS during$$);
\set VERBOSITY default
-- The transaction stays writable, and the caller's rights count.
BEGIN;
SELECT count(*) FROM revrtm.overlapping_claims('TABLE claim');
INSERT INTO claim VALUES ('z');
ROLLBACK;
CREATE ROLE rtm_analyst;
SET ROLE rtm_analyst;
\set VERBOSITY terse
SELECT * FROM revrtm.overlapping_claims('TABLE public.claim');
RESET ROLE;
DROP ROLE rtm_analyst;
-- It can be cancelled in the middle of many pairs.
SET statement_timeout = '300ms';
SELECT count(*) FROM revrtm.overlapping_claims($$SELECT i::text AS claim_id, 'x' AS account_id, 'p' AS party,
    NULL AS product, NULL AS region, daterange('2026-01-01', NULL) AS during FROM generate_series(1, 60000) i$$);
RESET statement_timeout;

DROP TABLE claim;
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'US');
DELETE FROM revrtm.region WHERE region_id = 'EMEA';
DELETE FROM revrtm.product WHERE product_id = 'DB';
DELETE FROM revrtm.product WHERE product_id = 'CLOUD';
