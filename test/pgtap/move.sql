-- Random trees, moves and registrations: what the constraint and the moves
-- decide is what plain SQL says that walks from parent to parent and knows no
-- spans.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT plan(9);
SELECT setseed(0.5) \g /dev/null
ALTER TABLE revrtm.roe_rule DISABLE TRIGGER own_shipped_row;
UPDATE revrtm.roe_rule SET enabled = false;

-- The formulation: parents only. A move is tried on it first.
CREATE TEMP TABLE parent (tree text, node text, parent text, PRIMARY KEY (tree, node));
CREATE TEMP TABLE claim (n int PRIMARY KEY, account text, region text[], product text[], days daterange, active boolean);
CREATE TEMP TABLE pair (a int, b int);
CREATE TEMP TABLE verdict (step int, action text, expected text, actual text);
INSERT INTO parent VALUES ('region', 'ANY', NULL), ('product', 'ANY', NULL);

-- Every node with itself and all above it.
CREATE FUNCTION pg_temp.line() RETURNS TABLE (tree text, node text, ancestor text) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT p.tree, p.node, p.node AS ancestor FROM parent p
        UNION SELECT u.tree, u.node, p.parent FROM up u JOIN parent p ON p.tree = u.tree AND p.node = u.ancestor WHERE p.parent IS NOT NULL)
    TABLE up
$$;
-- Pairs of claims that overlap: of each tree some code of one is the same as,
-- above or below some code of the other.
CREATE FUNCTION pg_temp.pairs(only_active boolean) RETURNS TABLE (a int, b int) LANGUAGE sql STABLE AS $$
    WITH line AS MATERIALIZED (SELECT * FROM pg_temp.line()),
    related AS MATERIALIZED (SELECT tree, node AS code, ancestor AS kin FROM line UNION SELECT tree, ancestor, node FROM line)
    SELECT a.n, b.n FROM claim a JOIN claim b ON b.account = a.account AND a.n < b.n AND a.days && b.days
    WHERE (NOT only_active OR a.active AND b.active)
      AND EXISTS (SELECT FROM unnest(a.region) x(code), unnest(b.region) y(code), related r WHERE r.tree = 'region' AND r.code = x.code AND r.kin = y.code)
      AND EXISTS (SELECT FROM unnest(a.product) x(code), unnest(b.product) y(code), related r WHERE r.tree = 'product' AND r.code = x.code AND r.kin = y.code)
$$;
CREATE FUNCTION pg_temp.node(of text) RETURNS text LANGUAGE sql VOLATILE AS
$$SELECT node FROM parent WHERE tree = of ORDER BY random() LIMIT 1$$;
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql RETURN format('00000000-0000-0000-0000-%s', lpad(n::text, 12, '0'))::uuid;

-- By submission: who stays where the later of two goes.
CREATE FUNCTION pg_temp.losers() RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    c int;
    kept int[] := '{}';
    lost int[] := '{}';
BEGIN
    DELETE FROM pair;
    INSERT INTO pair SELECT a, b FROM pg_temp.pairs(true);
    FOR c IN SELECT n FROM claim WHERE active ORDER BY n LOOP
        IF EXISTS (SELECT FROM pair p WHERE p.b = c AND p.a = ANY (kept)) THEN
            lost := lost || c;
        ELSE
            kept := kept || c;
        END IF;
    END LOOP;
    RETURN lost;
END
$$;

CREATE FUNCTION pg_temp.walk(steps int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made int := 0;
    what text;
    of text;
    moved text;
    target text;
    queue boolean;
    expected text;
    actual text;
    c int;
    lost int[];
    c_region text[];
    c_product text[];
BEGIN
    FOR step IN 1 .. steps LOOP
        what := (ARRAY['node', 'claim', 'claim', 'claim', 'end', 'again', 'move', 'move', 'move'])[1 + floor(random() * 9)];
        of := (ARRAY['region', 'product'])[1 + floor(random() * 2)];
        actual := 'ok';
        expected := 'ok';
        IF step <= 20 OR what = 'node' AND (SELECT count(*) FROM parent) < 40 THEN
            what := 'node';
            INSERT INTO parent VALUES (of, 'n' || step, pg_temp.node(of));
            EXECUTE format('INSERT INTO revrtm.%1$I (%1$s_id, parent_id) SELECT node, parent FROM parent WHERE tree = %1$L AND node = $1', of)
            USING 'n' || step;
        ELSIF what = 'claim' THEN
            made := made + 1;
            c_region := ARRAY(SELECT node FROM parent WHERE tree = 'region' AND node <> 'ANY' ORDER BY random() LIMIT 1 + floor(random() * 2));
            c_product := ARRAY(SELECT node FROM parent WHERE tree = 'product' AND node <> 'ANY' ORDER BY random() LIMIT 1 + floor(random() * 2));
            INSERT INTO claim SELECT made, 'account ' || floor(random() * 2), c_region, c_product,
                daterange(d, d + 1 + floor(random() * 25)::int), true FROM (SELECT date '2026-07-01' + floor(random() * 30)::int AS d) x;
            IF EXISTS (SELECT FROM pg_temp.pairs(true)) THEN
                expected := '23P01';
            END IF;
            BEGIN
                INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection, submitted_at)
                SELECT pg_temp.id(n), account, 'p', product, region, 'approved', days, timestamptz '2026-01-01Z' + n * interval '1 second' FROM claim WHERE n = made;
            EXCEPTION WHEN exclusion_violation THEN
                actual := SQLSTATE;
            END;
            IF actual <> 'ok' THEN
                UPDATE claim SET active = false WHERE n = made;
                INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, protection, submitted_at)
                SELECT pg_temp.id(n), account, 'p', product, region, 'submitted', days, timestamptz '2026-01-01Z' + n * interval '1 second' FROM claim WHERE n = made;
            END IF;
        ELSIF what = 'end' THEN
            SELECT n INTO c FROM claim WHERE active ORDER BY random() LIMIT 1;
            CONTINUE WHEN c IS NULL;
            UPDATE claim SET active = false WHERE n = c;
            PERFORM revrtm.withdraw_registration(pg_temp.id(c));
        ELSIF what = 'again' THEN
            SELECT n INTO c FROM claim JOIN revrtm.deal_registration d ON d.registration_id = pg_temp.id(n)
            WHERE d.status = 'submitted' ORDER BY random() LIMIT 1;
            CONTINUE WHEN c IS NULL;
            UPDATE claim SET active = true WHERE n = c;
            IF EXISTS (SELECT FROM pg_temp.pairs(true)) THEN
                expected := '23P01';
            END IF;
            BEGIN
                UPDATE revrtm.deal_registration SET status = 'approved' WHERE registration_id = pg_temp.id(c);
            EXCEPTION WHEN exclusion_violation THEN
                actual := SQLSTATE;
                UPDATE claim SET active = false WHERE n = c;
            END;
        ELSE
            queue := random() < 0.3;
            moved := pg_temp.node(of);
            CONTINUE WHEN moved = 'ANY';
            target := pg_temp.node(of);
            what := what || CASE WHEN queue THEN ' queue' ELSE ' refuse' END;
            IF EXISTS (SELECT FROM pg_temp.line() l WHERE l.tree = of AND l.node = target AND l.ancestor = moved) THEN
                expected := '23514';
            ELSE
                UPDATE parent SET parent = target WHERE tree = of AND node = moved;
                lost := pg_temp.losers();
                IF lost <> '{}' THEN
                    expected := CASE WHEN queue THEN lost::text ELSE '23P01' END;
                END IF;
            END IF;
            BEGIN
                EXECUTE format('SELECT array_agg(right(registration_id::text, 12)::int ORDER BY registration_id)::text FROM revrtm.move_%s($1, $2, $3)', of)
                INTO actual USING moved, target, CASE WHEN queue THEN 'queue' ELSE 'refuse' END;
                actual := coalesce(actual, 'ok');
                UPDATE claim SET active = false WHERE actual <> 'ok' AND n = ANY (actual::int[]);
            EXCEPTION WHEN exclusion_violation OR check_violation THEN
                actual := SQLSTATE;
                EXECUTE format('UPDATE parent SET parent = (SELECT t.parent_id FROM revrtm.%1$I t WHERE t.%1$s_id = $1) WHERE tree = %1$L AND node = $1', of) USING moved;
            END;
        END IF;
        INSERT INTO verdict VALUES (step, what, expected, actual);
    END LOOP;
END
$$;
-- Where spans and parents say different things of two claims, and of two nodes.
CREATE TEMP TABLE compared (pairs bigint, overlapping bigint, differing bigint);
CREATE FUNCTION pg_temp.compare() RETURNS void LANGUAGE sql AS $$
    INSERT INTO compared
    SELECT count(*), count(p.a), count(*) FILTER (WHERE (p.a IS NOT NULL) <> (x.region && y.region AND x.product && y.product AND x.protection && y.protection))
    FROM claim a JOIN claim b ON b.account = a.account AND a.n < b.n
    JOIN revrtm.deal_registration x ON x.registration_id = pg_temp.id(a.n)
    JOIN revrtm.deal_registration y ON y.registration_id = pg_temp.id(b.n)
    LEFT JOIN pg_temp.pairs(false) p ON p.a = a.n AND p.b = b.n;
    INSERT INTO compared
    SELECT count(*), count(l.node), count(*) FILTER (WHERE (l.node IS NOT NULL) <> (o.span <@ n.span))
    FROM (SELECT 'region' AS tree, region_id AS id, span FROM revrtm.region UNION ALL SELECT 'product', product_id, span FROM revrtm.product) n
    JOIN (SELECT 'region' AS tree, region_id AS id, span FROM revrtm.region UNION ALL SELECT 'product', product_id, span FROM revrtm.product) o USING (tree)
    LEFT JOIN pg_temp.line() l ON l.tree = n.tree AND l.node = o.id AND l.ancestor = n.id
$$;
DO $$
BEGIN
    FOR i IN 1 .. 8 LOOP
        PERFORM pg_temp.walk(150);
        PERFORM pg_temp.compare();
        -- A forest for the next walk, so that each begins with many nodes.
        DELETE FROM revrtm.deal_registration;
        DELETE FROM claim;
        WHILE EXISTS (SELECT FROM parent WHERE node <> 'ANY') LOOP
            DELETE FROM revrtm.region r WHERE region_id <> 'ANY' AND NOT EXISTS (SELECT FROM revrtm.region c WHERE c.parent_id = r.region_id);
            DELETE FROM revrtm.product r WHERE product_id <> 'ANY' AND NOT EXISTS (SELECT FROM revrtm.product c WHERE c.parent_id = r.product_id);
            DELETE FROM parent p WHERE node <> 'ANY' AND NOT EXISTS (SELECT FROM parent c WHERE c.tree = p.tree AND c.parent = p.node);
        END LOOP;
    END LOOP;
END
$$;

SELECT is_empty('SELECT * FROM verdict WHERE expected <> actual', 'every verdict is the one of plain SQL');
SELECT cmp_ok((SELECT count(*)::int FROM verdict WHERE action = 'claim' AND actual = 'ok'), '>=', 100, 'claims were accepted');
SELECT cmp_ok((SELECT count(*)::int FROM verdict WHERE action IN ('claim', 'again') AND actual = '23P01'), '>=', 100, 'claims were refused');
SELECT cmp_ok((SELECT count(*)::int FROM verdict WHERE action LIKE 'move%' AND actual = 'ok'), '>=', 100, 'nodes moved');
SELECT cmp_ok((SELECT count(*)::int FROM verdict WHERE action LIKE 'move%' AND actual = '23514'), '>=', 30, 'cycles were refused');
SELECT cmp_ok((SELECT count(*)::int FROM verdict WHERE action = 'move refuse' AND actual = '23P01'), '>=', 10, 'moves were refused');
SELECT cmp_ok((SELECT count(*)::int FROM verdict WHERE action = 'move queue' AND actual LIKE '{%'), '>=', 4, 'claims were queued');
SELECT is((SELECT sum(differing)::int FROM compared), 0, 'spans say what parents say, pair for pair');
SELECT cmp_ok((SELECT sum(pairs)::int FROM compared), '>=', 3000, 'of many pairs');
SELECT * FROM finish();
ROLLBACK;
