-- Which account an id means; normal spellings of ids, domains and names.
\set SHOW_CONTEXT never

CREATE SCHEMA crm;
CREATE TABLE crm.account (id varchar(30), into_id text, parent text, gone boolean);
-- Nothing is bound: an id is its own.
SELECT revrtm.canonical_account('x'), revrtm.account_root('x'), revrtm.account_path('x'), revrtm.canonical_account('');
SELECT revrtm.bind('account', 'SELECT id AS account_id, id AS account_name, into_id AS merged_into, parent AS parent_account_id,
    gone AS deleted FROM crm.account') IS NOT NULL AS bound;
SELECT revrtm.canonical_account('x'), revrtm.account_path('x');

-- Merges, deleted losers included; blank is none; a survivor that is no row.
INSERT INTO crm.account VALUES
    ('a', NULL, NULL, NULL), ('b', 'a', NULL, true), ('c', 'b', NULL, true), ('d', '', '', false), ('e', 'unknown', NULL, NULL),
    (NULL, 'a', 'a', NULL);
SELECT i, revrtm.canonical_account(i) FROM unnest('{a,b,c,d,e,unknown,other,NULL,"",B}'::text[]) i;
-- The column may be long, compressed or stored apart.
SELECT revrtm.canonical_account(repeat('x', 100000)) = repeat('x', 100000) AS long_one;
INSERT INTO crm.account VALUES ('f', repeat('y', 100000));
SELECT length(revrtm.canonical_account('f'));
DELETE FROM crm.account WHERE id = 'f';

-- Families: parents of the survivor's row, children of the merged; a parent
-- that is no row, itself, or was merged into its child.
INSERT INTO crm.account VALUES
    ('top', NULL, NULL), ('mid', NULL, 'top'), ('low', NULL, 'mid'), ('mid2', 'mid', 'a'), ('low2', NULL, 'mid2'),
    ('self', NULL, 'self'), ('swallowed', 'child', NULL), ('child', NULL, 'swallowed'), ('orphan', NULL, 'nowhere');
SELECT account_id, canonical_id, parent_id, root_id, depth, note FROM revrtm.account_tree WHERE account_id IS NOT NULL ORDER BY 1;
SELECT account_id, revrtm.account_root(account_id), revrtm.account_path(account_id)
FROM unnest('{low2,mid2,nowhere,other,NULL}'::text[]) account_id;
SELECT count(*) AS in_the_family, count(*) FILTER (WHERE 'mid' = ANY (revrtm.account_path(account_id))) AS at_or_below_mid
FROM revrtm.account_tree WHERE root_id = revrtm.account_root('low');
DELETE FROM crm.account WHERE id IS NULL;

-- Circles are refused, from wherever they are met, and only there.
INSERT INTO crm.account VALUES ('m2', 'm3'), ('m3', 'm1'), ('m1', 'm2'), ('into_circle', 'm3'), ('me', 'me');
SELECT revrtm.canonical_account('m3');
SELECT revrtm.canonical_account('into_circle');
SELECT revrtm.canonical_account('me');
SELECT revrtm.account_root('m1');
SELECT revrtm.canonical_account('c');
DELETE FROM crm.account WHERE id ~ '^m[0-9e]$' OR id = 'into_circle';
INSERT INTO crm.account VALUES ('p1', NULL, 'p2'), ('p2', NULL, 'p3'), ('p4', 'p1', NULL), ('p3', NULL, 'p4'), ('under', NULL, 'p2');
SELECT revrtm.account_root('under');
SELECT revrtm.account_path('p4');
SELECT * FROM revrtm.account_tree WHERE account_id = 'p2';
SELECT revrtm.canonical_account('p4'), revrtm.account_root('low');
DELETE FROM crm.account WHERE id LIKE 'p%' OR id = 'under';

-- 32 steps and no more, whichever of the chain was asked for before.
INSERT INTO crm.account SELECT 's' || n, 's' || n + 1, NULL FROM generate_series(1, 40) n;
INSERT INTO crm.account SELECT 'l' || n, NULL, 'l' || n + 1 FROM generate_series(1, 40) n;
SELECT revrtm.canonical_account('s9'), revrtm.account_root('l9'), cardinality(revrtm.account_path('l9'));
SELECT revrtm.canonical_account('s8');
SELECT revrtm.canonical_account('s' || n) FROM generate_series(40, 1, -1) n OFFSET 100;
SELECT revrtm.account_root('l8');
DELETE FROM crm.account WHERE id ~ '^[sl][0-9]+$';

-- Two rows of one account: alike they are one, else it is refused.
INSERT INTO crm.account VALUES ('twice', 'a'), ('twice', 'a');
SELECT revrtm.canonical_account('twice');
INSERT INTO crm.account VALUES ('twice', 'd');
SELECT revrtm.canonical_account('twice');
DELETE FROM crm.account WHERE id = 'twice';

-- What is read is read for one snapshot and one reader, though the call is kept.
DO $$
DECLARE
    answers text[];
BEGIN
    FOR i IN 1 .. 3 LOOP
        UPDATE crm.account SET into_id = 'round ' || i WHERE id = 'b';
        answers := answers || revrtm.canonical_account('c');
    END LOOP;
    RAISE NOTICE '%', answers;
END
$$;
\set VERBOSITY terse
CREATE ROLE regress_stranger;
SET ROLE regress_stranger;
SELECT revrtm.canonical_account('c');
RESET ROLE;
DO $$
BEGIN
    FOR i IN 1 .. 2 LOOP
        IF i = 2 THEN
            SET LOCAL ROLE regress_stranger;
        END IF;
        RAISE NOTICE '%', revrtm.canonical_account('c');
    END LOOP;
END
$$;
DROP ROLE regress_stranger;
\set VERBOSITY default
-- A search path of one's own changes nothing.
CREATE FUNCTION crm.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR crm.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = crm.never);
SET search_path = crm, pg_catalog;
SELECT revrtm.canonical_account('c');
RESET search_path;
-- In workers too.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TABLE crm.many AS SELECT CASE WHEN n % 2 = 0 THEN 'c' ELSE 'x' || n END AS id FROM generate_series(1, 20000) n;
ANALYZE crm.many;
EXPLAIN (COSTS OFF) SELECT count(*) FROM crm.many WHERE revrtm.canonical_account(id) = 'round 3';
SELECT count(*) FROM crm.many WHERE revrtm.canonical_account(id) = 'round 3';
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT revrtm.unbind('account');
DROP SCHEMA crm CASCADE;

-- Salesforce ids.
SELECT id, revrtm.salesforce_id(id) FROM unnest('{0013000000D6WTO,0013000000D6WTOAA3,0013000000d6wtoaa3,0013000000D6WTOaa3,000000000000000,NULL}'::text[]) id;
SELECT bool_and(revrtm.salesforce_id(left(id, 15)) = id AND revrtm.salesforce_id(id) = id AND revrtm.salesforce_id(upper(id)) = id
                AND revrtm.salesforce_id(lower(id)) = id) AS alike
FROM (SELECT revrtm.demo_id('006', n * 104729) AS id FROM generate_series(1, 5000) n) i;
SELECT revrtm.salesforce_id('');
SELECT revrtm.salesforce_id('0013000000D6WT');
SELECT revrtm.salesforce_id('0013000000D6WTOA');
SELECT revrtm.salesforce_id('0013000000D6WT ');
SELECT revrtm.salesforce_id('0013000000D6W-OAA3');
SELECT revrtm.salesforce_id('0013000000D6é');
SELECT revrtm.salesforce_id('0013000000D6WtOAA3');
SELECT revrtm.salesforce_id('0013000000D6WTOAA9');
SELECT revrtm.salesforce_id(repeat('é', 50));

-- Domains.
SELECT address, revrtm.normal_domain(address) FROM unnest(ARRAY[
    'acme.com', ' https://www.Acme.com:443/a?b#c ', 'Ann@Acme.COM', 'mailto:ann@acme.com', '//acme.com.', 'http://u:p@acme.co.uk',
    'MÜNCHEN.de', 'münchen.de', 'xn--mnchen-3ya.de', 'www.com', 'acme', '10.0.0.1', 'acme..com', '-a.com', 'a b.com', '', 'n/a', NULL]) address;
SELECT address, revrtm.is_free_mail(address) FROM unnest('{ann@gmail.com,ann@acme.com,https://www.GMX.de/,nothing,NULL}'::text[]) address;

-- Names.
SELECT name, revrtm.normal_company_name(name) FROM unnest(ARRAY[
    'Acme', 'ACME, Inc.', 'The Acme Company', 'Acme Co., Ltd.', 'Müller & Söhne GmbH & Co. KG', 'Muller and Sohne', 'L’Oréal S.A.', 'Novo A/S',
    'S.p.A. Foo S. p. A.', 'Plan B S.A.', 'J.Crew', 'AT&T', 'Łódź sp. z o.o.', 'Straße', 'ООО ГАЗПРОМ', 'ΟΠΑΣ', 'Ｆｕｊｉ　Ｋ．Ｋ．', '株式会社', 'The', 'The Company',
    'Inc', '& Co', ' - ', '', NULL]) name;
SELECT length(revrtm.normal_company_name(repeat('Inc. ', 1000000))) AS short,
       length(revrtm.normal_company_name(repeat('&', 100000))) AS long;
-- They are keys: they can be indexed.
CREATE TABLE keyed (name text, site text);
CREATE INDEX ON keyed (revrtm.normal_company_name(name), revrtm.normal_domain(site), revrtm.salesforce_id(name));
DROP TABLE keyed;
