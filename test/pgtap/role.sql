-- The role matrix against plain SQL: decisions over random trees, rules, cells
-- and instants; what the views find against deciding every cell there is.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS revrtm;
SET LOCAL search_path = public, pg_catalog;
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT plan(21);

-- The same numbers on every run and version.
CREATE FUNCTION pg_temp.dice(seed text, sides int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN (('x' || substr(md5(seed), 1, 7))::bit(28)::int) % sides;
CREATE FUNCTION pg_temp.pick(seed text, VARIADIC item text[]) RETURNS text LANGUAGE sql IMMUTABLE
RETURN item[1 + pg_temp.dice(seed, cardinality(item))];

CREATE TABLE cell (n int PRIMARY KEY, segment text, product text, region text, at timestamptz);

-- Random trees of so many nodes, and so many rules, which name only the first
-- one in so many of them, and begin and end on few days. Of the rules that clash with another of their route the table keeps one.
CREATE FUNCTION pg_temp.build(seed text, regions int, products int, rules int, named int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM revrtm.route_role;
    LOOP
        DELETE FROM revrtm.region r WHERE region_id <> 'ANY' AND NOT EXISTS (SELECT FROM revrtm.region WHERE parent_id = r.region_id);
        EXIT WHEN NOT FOUND;
    END LOOP;
    LOOP
        DELETE FROM revrtm.product p WHERE product_id <> 'ANY' AND NOT EXISTS (SELECT FROM revrtm.product WHERE parent_id = p.product_id);
        EXIT WHEN NOT FOUND;
    END LOOP;
    FOR i IN 1 .. regions LOOP
        INSERT INTO revrtm.region (region_id, parent_id)
        VALUES (seed || 'r' || i, CASE WHEN i < 3 THEN 'ANY' ELSE seed || 'r' || (1 + pg_temp.dice(seed || 'region' || i, i - 1)) END);
    END LOOP;
    FOR i IN 1 .. products LOOP
        INSERT INTO revrtm.product (product_id, parent_id)
        VALUES (seed || 'p' || i, CASE WHEN i < 3 THEN 'ANY' ELSE seed || 'p' || (1 + pg_temp.dice(seed || 'product' || i, i - 1)) END);
    END LOOP;
    FOR i IN 1 .. rules LOOP
        BEGIN
            INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role, priority, valid)
            SELECT pg_temp.pick(seed || 'case' || i, 'rule', 'RULE') || i,
                pg_temp.pick(seed || 'route' || i, 'direct', 'partner_sourced', 'co_sell', 'resell'),
                pg_temp.pick(seed || 'segment' || i, NULL, NULL, 'smb', 'enterprise'),
                CASE WHEN pg_temp.dice(seed || 'product?' || i, 5) > 1 THEN seed || 'p' || (1 + pg_temp.dice(seed || 'p' || i, products / named)) END,
                CASE WHEN pg_temp.dice(seed || 'region?' || i, 5) > 0 THEN seed || 'r' || (1 + pg_temp.dice(seed || 'r' || i, regions / named)) END,
                pg_temp.pick(seed || 'role' || i, 'lead', 'lead', 'support', 'eligible', 'blocked'), pg_temp.dice(seed || 'priority' || i, 2),
                CASE pg_temp.dice(seed || 'valid' || i, 4) WHEN 0 THEN tstzrange(NULL, f + interval '20 days') WHEN 1 THEN tstzrange(f, NULL)
                    WHEN 2 THEN tstzrange(f, f + pg_temp.dice(seed || 'to' || i, 4) * interval '5 days' + interval '5 days') ELSE '(,)' END
            FROM (SELECT timestamptz '2026-06-20Z' + pg_temp.dice(seed || 'from' || i, 5) * interval '5 days' AS f) s;
        EXCEPTION WHEN exclusion_violation THEN
        END;
    END LOOP;
END
$$;

-- Plain SQL: for every cell, all rules that hold, their scores, the first of
-- each route.
CREATE VIEW plain AS
WITH RECURSIVE region (node, code, height) AS (
    SELECT region_id, region_id, 0 FROM revrtm.region
    UNION ALL SELECT r.node, t.parent_id, r.height + 1 FROM region r JOIN revrtm.region t ON t.region_id = r.code WHERE t.parent_id IS NOT NULL
), product (node, code, height) AS (
    SELECT product_id, product_id, 0 FROM revrtm.product
    UNION ALL SELECT p.node, t.parent_id, p.height + 1 FROM product p JOIN revrtm.product t ON t.product_id = p.code WHERE t.parent_id IS NOT NULL
), matching AS (
    SELECT c.n, r.route_id, r.role, r.rule_id, r.priority,
        round(CASE WHEN r.segment IS NULL THEN 0 ELSE 1 END + CASE WHEN r.product_code IS NULL THEN 0 ELSE 1.0 / (1 + p.height) END
            + CASE WHEN r.region_code IS NULL THEN 0 ELSE 1.0 / (1 + g.height) END, 12) AS score
    FROM cell c
    JOIN revrtm.route_role r ON r.valid @> c.at AND (r.segment IS NULL OR r.segment = c.segment)
    LEFT JOIN product p ON p.node = c.product AND p.code = r.product_code
    LEFT JOIN region g ON g.node = c.region AND g.code = r.region_code
    WHERE (r.product_code IS NULL OR p.code IS NOT NULL) AND (r.region_code IS NULL OR g.code IS NOT NULL)
)
SELECT DISTINCT ON (n, route_id) n, route_id, role, rule_id, score, priority, score AS specificity
FROM matching ORDER BY n, route_id, score DESC, priority DESC, rule_id COLLATE "C";

CREATE VIEW ours AS
SELECT c.n, f.route_id, f.role, f.rule_id, round(f.specificity::numeric, 12) AS score
FROM cell c CROSS JOIN LATERAL revrtm.route_for(c.segment, c.product, c.region, c.at) f;

SELECT pg_temp.build('a', 60, 25, 260, 1) \g /dev/null
INSERT INTO cell SELECT i, pg_temp.pick('s' || i, 'smb', 'enterprise', 'mid', 'ANY'),
    CASE pg_temp.dice('cp?' || i, 9) WHEN 0 THEN 'ANY' ELSE 'ap' || (1 + pg_temp.dice('cp' || i, 25)) END,
    CASE pg_temp.dice('cr?' || i, 9) WHEN 0 THEN 'ANY' ELSE 'ar' || (1 + pg_temp.dice('cr' || i, 60)) END,
    timestamptz '2026-06-15Z' + pg_temp.dice('at' || i, 90) * interval '12 hours'
FROM generate_series(1, 1500) i;
ANALYZE cell;
CREATE TEMP TABLE decided AS TABLE plain;

SELECT cmp_ok((SELECT count(*) FROM revrtm.route_role), '>', 150::bigint, 'there are rules');
SELECT cmp_ok((SELECT count(*) FROM decided), '>', 3000::bigint, 'and decisions');
SELECT cmp_ok((SELECT count(DISTINCT rule_id) FROM decided), '>', 75::bigint, 'by many rules');
SELECT cmp_ok((SELECT count(DISTINCT score) FROM decided), '>', 15::bigint, 'of many degrees');
SELECT is_empty('TABLE ours EXCEPT ALL SELECT n, route_id, role, rule_id, score FROM decided', 'no decision too many');
SELECT is_empty('SELECT n, route_id, role, rule_id, score FROM decided EXCEPT ALL TABLE ours', 'none is missed');
SELECT is_empty($$
    SELECT c.n FROM cell c WHERE (SELECT array_agg(f.rule_id) FROM revrtm.route_for(c.segment, c.product, c.region, c.at) f)
        IS DISTINCT FROM (SELECT array_agg(d.rule_id ORDER BY d.score DESC, d.priority DESC, d.rule_id COLLATE "C") FROM decided d WHERE d.n = c.n)$$,
    'in order: specificity, priority, rule_id');
SELECT is_empty($$
    SELECT c.n FROM cell c WHERE revrtm.lead_route(c.segment, c.product, c.region, c.at)
        IS DISTINCT FROM (SELECT d.route_id FROM decided d WHERE d.n = c.n AND d.role = 'lead'
                          ORDER BY d.score DESC, d.priority DESC, d.rule_id COLLATE "C" LIMIT 1)$$,
    'lead_route is the first lead');
SELECT cmp_ok((SELECT count(revrtm.lead_route(segment, product, region, at)) FROM cell), '<', 1500::bigint, 'some cells have none');

-- Two workers find the same.
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END$$;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT isnt_empty($$SELECT * FROM pg_temp.plan_of('TABLE ours') p WHERE p LIKE '%Gather%'$$, 'a plan with workers');
SELECT is_empty('(TABLE ours EXCEPT ALL SELECT n, route_id, role, rule_id, score FROM decided)
    UNION ALL (SELECT n, route_id, role, rule_id, score FROM decided EXCEPT ALL TABLE ours)', 'decides the same');
SELECT is((SELECT md5(string_agg(l, ',' ORDER BY n)) FROM (SELECT n, revrtm.lead_route(segment, product, region, at) AS l FROM cell) s),
    (SELECT md5(string_agg(d.route_id, ',' ORDER BY d.n)) FROM (SELECT DISTINCT ON (n) * FROM decided WHERE role = 'lead'
        ORDER BY n, score DESC, priority DESC, rule_id COLLATE "C") d), 'and so does lead_route');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- A change is seen by the next statement of the transaction.
UPDATE revrtm.route_role SET role = 'blocked', priority = 3 WHERE rule_id = (SELECT rule_id FROM decided WHERE role = 'lead' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1);
DELETE FROM revrtm.route_role WHERE rule_id IN (SELECT rule_id FROM decided WHERE role <> 'lead' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 5);
SELECT isnt_empty('SELECT n, route_id, role, rule_id, score FROM plain EXCEPT ALL SELECT n, route_id, role, rule_id, score FROM decided',
    'changed rules decide otherwise');
SELECT is_empty('TABLE ours EXCEPT ALL SELECT n, route_id, role, rule_id, score FROM plain', 'and are seen at once');

-- What the views find, on small matrices: every cell of all nodes, at every
-- instant from now on at which a rule begins or ends.
CREATE TEMP TABLE found_tie (seed text, rule_a text, rule_b text, since timestamptz);
CREATE TEMP TABLE true_tie (LIKE found_tie);
CREATE TEMP TABLE found_dead (seed text, rule_id text, decided_by text);
CREATE TEMP TABLE true_dead (seed text, rule_id text);
CREATE TEMP TABLE true_beaten (seed text, rule_id text, decided_by text);
CREATE FUNCTION pg_temp.compare(seed text, regions int, products int, named int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.build(seed, regions, products, 50, named);
    DELETE FROM cell;
    INSERT INTO cell SELECT row_number() OVER (), s, p.product_id, g.region_id, t
    FROM unnest('{ANY,smb,enterprise}'::text[]) s, revrtm.product p, revrtm.region g,
        (SELECT revrtm.as_of() UNION SELECT lower(valid) FROM revrtm.route_role WHERE lower(valid) > revrtm.as_of()
         UNION SELECT upper(valid) FROM revrtm.route_role WHERE upper(valid) > revrtm.as_of()) i (t);
    ANALYZE cell, revrtm.route_role, revrtm.region, revrtm.product;
    DROP TABLE decided;
    CREATE TEMP TABLE decided AS TABLE plain;
    INSERT INTO true_tie
    SELECT seed, a.rule_id, b.rule_id, min(c.at)
    FROM (SELECT *, rank() OVER (PARTITION BY n ORDER BY score DESC, priority DESC) AS place FROM decided WHERE role = 'lead') a
        JOIN (SELECT *, rank() OVER (PARTITION BY n ORDER BY score DESC, priority DESC) AS place FROM decided WHERE role = 'lead') b
            ON b.n = a.n AND a.rule_id COLLATE "C" < b.rule_id COLLATE "C"
        JOIN cell c ON c.n = a.n
    WHERE a.place = 1 AND b.place = 1 GROUP BY 1, 2, 3;
    INSERT INTO found_tie SELECT seed, rule_a, rule_b, since FROM revrtm.role_overlap;
    DELETE FROM cell c WHERE EXISTS (SELECT FROM revrtm.product WHERE parent_id = c.product)
        OR EXISTS (SELECT FROM revrtm.region WHERE parent_id = c.region);
    INSERT INTO true_dead
    SELECT seed, r.rule_id FROM revrtm.route_role r
    WHERE coalesce(upper(r.valid) > revrtm.as_of(), true)
        AND NOT EXISTS (SELECT FROM decided d JOIN cell c ON c.n = d.n WHERE d.rule_id = r.rule_id);
    INSERT INTO found_dead SELECT seed, rule_id, decided_by FROM revrtm.role_dead;
    INSERT INTO true_beaten
    SELECT DISTINCT t.seed, r.rule_id, d.rule_id FROM true_dead t JOIN revrtm.route_role r ON r.rule_id = t.rule_id AND t.seed = compare.seed
        JOIN decided d ON d.route_id = r.route_id JOIN cell c ON c.n = d.n;
END
$$;
-- Trees whose nodes are all named, and trees with many that are not.
SELECT pg_temp.compare('b', 6, 3, 1), pg_temp.compare('c', 6, 3, 1), pg_temp.compare('d', 11, 5, 3), pg_temp.compare('e', 11, 5, 3) \g /dev/null
SELECT cmp_ok((SELECT count(*) FROM true_tie), '>', 9::bigint, 'there are ties');
SELECT bag_eq('TABLE found_tie', 'TABLE true_tie', 'role_overlap has them all, with their first instants');
SELECT cmp_ok((SELECT count(*) FROM true_dead), '>', 3::bigint, 'there are dead rules');
SELECT bag_eq('SELECT seed, rule_id FROM found_dead', 'TABLE true_dead', 'role_dead has them all');
SELECT is_empty('TABLE found_dead EXCEPT TABLE true_beaten', 'and names a rule that decides in their stead');

-- The witness of a tie is one.
SELECT pg_temp.build('f', 12, 6, 45, 3) \g /dev/null
SELECT isnt_empty('TABLE revrtm.role_overlap', 'again there are ties');
SELECT is_empty($$
    SELECT o.role_overlap_key FROM revrtm.role_overlap o
    WHERE (SELECT count(*) FROM revrtm.route_for(o.segment, o.product, o.region, o.since) f
           WHERE f.role = 'lead' AND f.rule_id IN (o.rule_a, o.rule_b) AND round(f.specificity::numeric, 6) = o.specificity) <> 2
        OR revrtm.lead_route(o.segment, o.product, o.region, o.since) IS DISTINCT FROM
            (SELECT f.route_id FROM revrtm.route_for(o.segment, o.product, o.region, o.since) f
             WHERE f.role = 'lead' AND round(f.specificity::numeric, 6) = o.specificity LIMIT 1)$$,
    'in the cell and at the instant shown both lead first');

SELECT * FROM finish();
ROLLBACK;
