-- Accounts that are one: what blocking finds against every pair compared, and
-- real lists of which it is known who is who; these need the environment
-- variable REVRTM_DATA, and names that are alike the extension pg_trgm.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL client_min_messages = warning;
SELECT plan(13);
SELECT setseed(0.5) \g /dev/null

CREATE TABLE public.company (account_id text, account_name text, domain text, country text, city text, phone text, address text);
INSERT INTO public.company VALUES
    ('a', 'Acme, Inc.', 'https://www.acme.com/x', 'DE', 'Bonn', '+49 228 123456', '1 High St.'),
    ('b', 'ACME Holding', 'mail@acme.com', 'FR', 'Lyon', NULL, NULL),
    ('c', 'Acme', NULL, 'DE', NULL, NULL, NULL),
    ('d', 'Acme', NULL, 'FR', NULL, NULL, NULL),
    ('e', 'Foo Bar', 'gmail.com', NULL, 'Bonn', '0228 987654', NULL),
    ('f', 'Foo Bar', 'gmail.com', NULL, 'Köln', '0221 987654', NULL),
    ('g', 'foo-bar GmbH', NULL, NULL, 'Köln', '0049 (228) 987 654', NULL);
\set list 'SELECT * FROM public.company'
SELECT results_eq(format('SELECT account_a, account_b, verdict, rule, similarity, note FROM revrtm.duplicate_account(%L)', :'list'),
    $$VALUES ('a', 'b', 'exact', 'domain', 0::float8, 'no_trigrams'), ('a', 'c', 'exact', 'name', 1, 'no_trigrams'),
             ('e', 'g', 'exact', 'name', 1, 'no_trigrams')$$,
    'without pg_trgm: one domain, or one name and nothing against it; free mail is nobody''s');
SELECT throws_ok($$SELECT revrtm.duplicate_account('SELECT 1 AS account_id, 2 AS colour')$$, '42804',
    'the query does not give accounts', 'columns are named that are missing or unknown');
SELECT throws_ok($$SELECT revrtm.duplicate_account('SELECT ''a'' AS account_id, ''b'' AS account_name', 0)$$, '22023', NULL, 'a threshold is needed');
SELECT throws_ok($$SELECT revrtm.account_match(NULL, NULL)$$, '22023', NULL, 'and a query');

SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS has_trigrams \gset
\if :has_trigrams
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
SELECT results_eq(format('SELECT account_a, account_b, verdict, rule FROM revrtm.duplicate_account(%L) WHERE account_a = ''e''', :'list'),
    $$VALUES ('e', 'g', 'exact', 'name')$$, 'what differs speaks against one name, what agrees for it');
-- Random names of two lists: everything that is alike is found, at any threshold.
CREATE TABLE public.left_name AS SELECT 'l' || i AS account_id, (SELECT string_agg(substr('abcdef', 1 + floor(random() * 6)::int, 1 + (i % 3)), CASE WHEN j % 3 = 0 THEN ' ' ELSE '' END) FROM generate_series(1, 2 + i % 7) j WHERE i > 0) AS account_name FROM generate_series(1, 250) i;
CREATE TABLE public.right_name AS SELECT 'r' || i AS account_id, (SELECT string_agg(substr('abcdef', 1 + floor(random() * 6)::int, 1 + (i % 3)), CASE WHEN j % 3 = 0 THEN ' ' ELSE '' END) FROM generate_series(1, 2 + i % 7) j WHERE i > 0) AS account_name FROM generate_series(1, 250) i;
SELECT cmp_ok((SELECT count(*) FROM revrtm.account_match('TABLE public.left_name', 'TABLE public.right_name', 0.4)), '>', 300::bigint, 'random names are alike often enough');
SELECT bag_eq(format($$SELECT account_a, account_b, similarity FROM revrtm.account_match('TABLE public.left_name', 'TABLE public.right_name', %s)$$, t),
    format($$SELECT l.account_id AS a, r.account_id AS b, similarity(revrtm.normal_company_name(l.account_name), revrtm.normal_company_name(r.account_name))::float8
             FROM public.left_name l, public.right_name r
             WHERE similarity(revrtm.normal_company_name(l.account_name), revrtm.normal_company_name(r.account_name)) >= %s::float4$$, t),
    'all pairs, at ' || t)
FROM unnest('{0.35,0.6,0.9}'::numeric[]) t;
\else
SELECT skip('pg_trgm is not installed', 5);
\endif

\if :{?data}
\if :has_trigrams
CREATE TABLE public.fodors (id text, name text, addr text, city text, phone text, type text);
CREATE TABLE public.zagats (LIKE public.fodors);
CREATE TABLE public.gold (fodors_id text, zagats_id text);
\set load '\\copy public.fodors FROM ''' :data '/entity_matching/fodors_zagats/fodors.csv'' CSV HEADER'
:load
\set load '\\copy public.zagats FROM ''' :data '/entity_matching/fodors_zagats/zagats.csv'' CSV HEADER'
:load
\set load '\\copy public.gold FROM ''' :data '/entity_matching/fodors_zagats/matches_fodors_zagats.csv'' CSV HEADER'
:load
CREATE TABLE public.found AS SELECT * FROM revrtm.account_match(
    'SELECT id AS account_id, name AS account_name, addr AS address, city, phone FROM public.fodors',
    'SELECT id AS account_id, name AS account_name, addr AS address, city, phone FROM public.zagats');
SELECT cmp_ok((SELECT 2.0 * count(g.fodors_id) / (count(*) + (SELECT count(*) FROM public.gold))
               FROM public.found f LEFT JOIN public.gold g ON g.fodors_id = f.account_a AND g.zagats_id = f.account_b), '>=', 0.90,
    'restaurants of two guides: F1 of at least 0.90 by the defaults');
SELECT is_empty($$SELECT account_a FROM public.found WHERE verdict = 'exact' EXCEPT SELECT fodors_id FROM public.gold$$, 'and what is called exact is');

-- Persons, each of whom is in the list once or more: rec_id is the person's number and one digit.
CREATE TABLE public.person (rec_id text, given_name text, surname text, street_number text, address_1 text, address_2 text, suburb text,
    postcode text, state text, date_of_birth text, age text, phone_number text, soc_sec_id text, blocking_number text);
\set load '\\copy public.person FROM ''' :data '/entity_matching/febrl/dataset_A_10000.csv'' CSV HEADER'
:load
CREATE TABLE public.twin AS SELECT left(account_a, -1) = left(account_b, -1) AS is_one FROM revrtm.duplicate_account(
    'SELECT rec_id AS account_id, concat_ws('' '', given_name, surname) AS account_name, suburb AS city, phone_number AS phone,
        concat_ws('' '', street_number, address_1) AS address FROM public.person');
SELECT cmp_ok((SELECT avg(is_one::int) FROM public.twin), '>=', 0.99, '10,000 persons: whom it finds are one');
SELECT cmp_ok((SELECT count(*) FILTER (WHERE is_one) FROM public.twin)::numeric
              / (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM public.person GROUP BY left(rec_id, -1)) p), '>=', 0.8,
    'and most of those who are');
\else
SELECT skip('pg_trgm is not installed', 4);
\endif
\else
SELECT skip('REVRTM_DATA is not set', 4);
\endif
SELECT * FROM finish();
ROLLBACK;
