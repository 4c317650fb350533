-- Merges and families against plain recursion, over random forests; merging
-- in any order; and the store of journeys after merges against plain SQL.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS revrtm;
SET LOCAL search_path = public, pg_catalog;
SELECT plan(14);

-- The same numbers on every run and version.
CREATE FUNCTION pg_temp.dice(seed text, sides int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN (('x' || substr(md5(seed), 1, 7))::bit(28)::int) % sides;

CREATE TABLE id_account (id text, into_id text, parent text);
SELECT revrtm.bind('account', 'SELECT id AS account_id, id AS account_name, into_id AS merged_into, parent AS parent_account_id
    FROM public.id_account') \g /dev/null

-- Twenty forests of 300 accounts, parents before children in number and
-- survivors after; some ids are no rows, some parents were merged.
CREATE TEMP TABLE answer (forest int, id text, canonical text, path text[]);
CREATE TEMP TABLE oracle (forest int, id text, canonical text, path text[]);
DO $$
BEGIN
    FOR f IN 1 .. 20 LOOP
        DELETE FROM id_account;
        INSERT INTO id_account
        SELECT 'a' || n,
               CASE WHEN pg_temp.dice(f || 'merged' || n, 10) < f % 7 THEN 'a' || least(n + 1 + pg_temp.dice(f || 'into' || n, 90), 310) END,
               CASE WHEN pg_temp.dice(f || 'child' || n, 10) < f % 8 THEN 'a' || pg_temp.dice(f || 'parent' || n, n) END
        FROM generate_series(1, 300) n
        ORDER BY md5(f || 'row' || n);
        -- A parent comes before its survivor's children only now and then: drop those that close a circle.
        WITH RECURSIVE survivor AS (
            SELECT i.id, i.id AS at, 0 AS n FROM id_account i
            UNION ALL
            SELECT s.id, a.into_id, n + 1 FROM survivor s JOIN id_account a ON a.id = s.at AND a.into_id IS NOT NULL
        ), final AS (
            SELECT DISTINCT ON (id) id, at FROM survivor ORDER BY id, n DESC
        ), up AS (
            SELECT id AS start, id AS at, 0 AS n FROM id_account WHERE into_id IS NULL
            UNION ALL
            SELECT u.start, coalesce(f.at, a.parent), n + 1
            FROM up u JOIN id_account a ON a.id = u.at AND a.parent IS NOT NULL AND a.into_id IS NULL
                 LEFT JOIN final f ON f.id = a.parent
            WHERE n < 40 AND coalesce(f.at, a.parent) <> u.at
        )
        UPDATE id_account SET parent = NULL WHERE id IN (SELECT start FROM up WHERE n >= 32);

        INSERT INTO answer SELECT f, i.id, revrtm.canonical_account(i.id), revrtm.account_path(i.id)
        FROM (SELECT 'a' || n AS id FROM generate_series(0, 311) n) i;
        INSERT INTO oracle
        WITH RECURSIVE survivor AS (
            SELECT 'a' || n AS id, 'a' || n AS at, 0 AS n FROM generate_series(0, 311) n
            UNION ALL
            SELECT s.id, a.into_id, n + 1 FROM survivor s JOIN id_account a ON a.id = s.at AND a.into_id IS NOT NULL
        ), final AS (
            SELECT DISTINCT ON (id) id, at FROM survivor ORDER BY id, n DESC
        ), up AS (
            SELECT id AS start, at, ARRAY[at] AS path FROM final
            UNION ALL
            SELECT u.start, p.at, p.at || u.path
            FROM up u JOIN id_account a ON a.id = u.at AND a.into_id IS NULL JOIN final p ON p.id = a.parent
            WHERE p.at <> u.at
        ), longest AS (
            SELECT DISTINCT ON (start) start, path FROM up ORDER BY start, cardinality(path) DESC
        )
        SELECT f, c.id, c.at, l.path FROM final c JOIN longest l ON l.start = c.id;
    END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM answer), 20 * 312::bigint, 'every account has an answer');
SELECT results_eq('SELECT forest, id, canonical FROM answer ORDER BY 1, 2', 'SELECT forest, id, canonical FROM oracle ORDER BY 1, 2',
                  'canonical_account is plain recursion');
SELECT results_eq('SELECT forest, id, path FROM answer ORDER BY 1, 2', 'SELECT forest, id, path FROM oracle ORDER BY 1, 2',
                  'account_path is plain recursion');
SELECT cmp_ok((SELECT max(cardinality(path)) FROM oracle), '>=', 5, 'families are deep');
SELECT cmp_ok((SELECT count(*) FROM oracle WHERE canonical <> id), '>', 1000::bigint, 'many were merged');
SELECT is_empty($$SELECT * FROM revrtm.account_tree t WHERE root_id <> revrtm.account_root(account_id)
                  OR (parent_id IS NULL) <> (root_id = canonical_id) OR (depth = 0) <> (parent_id IS NULL)
                  OR (note = 'merged') IS DISTINCT FROM (nullif(canonical_id, account_id) IS NOT NULL OR NULL)$$, 'account_tree agrees');

-- Merging in any order: merge the same pairs, each of the survivors that the
-- two have by then, and the same accounts are one. Which id survives depends
-- on who is merged into whom alone: here the lesser number.
CREATE TEMP TABLE partition (run int, id text, canonical text);
DO $$
DECLARE
    pair record;
    left_id text;
    right_id text;
BEGIN
    FOR run IN 1 .. 5 LOOP
        DELETE FROM id_account;
        INSERT INTO id_account SELECT 'a' || n FROM generate_series(1, 100) n;
        FOR pair IN SELECT 'a' || 1 + pg_temp.dice('one' || n, 100) AS a, 'a' || 1 + pg_temp.dice('other' || n, 100) AS b
                    FROM generate_series(1, 70) n ORDER BY md5(run || 'order' || n) LOOP
            left_id := revrtm.canonical_account(pair.a);
            right_id := revrtm.canonical_account(pair.b);
            IF substr(left_id, 2)::int < substr(right_id, 2)::int THEN
                UPDATE id_account SET into_id = left_id WHERE id = right_id;
            ELSIF left_id <> right_id THEN
                UPDATE id_account SET into_id = right_id WHERE id = left_id;
            END IF;
        END LOOP;
        INSERT INTO partition SELECT run, id, revrtm.canonical_account(id) FROM id_account;
    END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM (SELECT FROM partition GROUP BY id HAVING count(DISTINCT canonical) > 1) p), 0::bigint,
          'merged in any order, an account has the same survivor');
SELECT ok((SELECT count(DISTINCT canonical) BETWEEN 20 AND 80 FROM partition WHERE run = 1), 'and there are some of each');

-- The store of journeys: deals, people and touches of accounts that are
-- merged, merged elsewhere and split again, step by step. One of each has
-- synced later, so that the others are not read again.
DELETE FROM id_account;
INSERT INTO id_account SELECT 'a' || n FROM generate_series(0, 19) n;
CREATE TABLE id_deal AS
SELECT 'd' || n AS id, 'a' || pg_temp.dice('deal' || n, 20) AS account, timestamptz '2026-02-01 00:00+00' + (n = 1)::int * interval '1 day' AS synced FROM generate_series(1, 60) n;
CREATE TABLE id_person AS
SELECT 'p' || n AS id, 'a' || pg_temp.dice('person' || n, 20) AS account, timestamptz '2026-02-01 00:00+00' + (n = 1)::int * interval '1 day' AS synced FROM generate_series(1, 30) n;
CREATE TABLE id_touch AS
SELECT 't' || n AS id, timestamptz '2026-01-01 00:00+00' + n * interval '1 hour' AS at, 'c' || n % 5 AS channel,
       CASE n % 4 WHEN 0 THEN 'd' || 1 + pg_temp.dice('of' || n, 60) END AS deal,
       CASE n % 4 WHEN 1 THEN 'a' || pg_temp.dice('of' || n, 22) END AS account,
       CASE WHEN n % 4 > 1 THEN 'p' || 1 + pg_temp.dice('of' || n, 30) END AS person,
       timestamptz '2026-02-01 00:00+00' + (n = 4)::int * interval '1 day' AS synced
FROM generate_series(1, 400) n;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, 1.0 AS amount, false AS is_closed, false AS is_won,
    timestamptz '2026-01-01 00:00+00' AS created_at, NULL::date AS close_date, synced AS synced_at FROM public.id_deal$$) \g /dev/null
SELECT revrtm.bind('contact', 'SELECT id AS contact_id, account AS account_id, synced AS synced_at FROM public.id_person') \g /dev/null
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id,
    person AS contact_id, synced AS synced_at FROM public.id_touch') \g /dev/null
CREATE VIEW id_wanted AS
WITH RECURSIVE survivor AS (
    SELECT 'a' || n AS id, 'a' || n AS at, 0 AS n FROM generate_series(0, 21) n
    UNION ALL
    SELECT s.id, a.into_id, n + 1 FROM survivor s JOIN id_account a ON a.id = s.at AND a.into_id IS NOT NULL
), final AS (
    SELECT DISTINCT ON (id) id, at FROM survivor ORDER BY id, n DESC
)
SELECT d.id AS opportunity_id, d.account AS crm_account_id, f.at AS account_id,
       (SELECT array_agg(t.channel ORDER BY t.at)
        FROM id_touch t LEFT JOIN id_person p ON p.id = t.person
             LEFT JOIN final g ON g.id = coalesce(t.account, p.account)
        WHERE t.deal = d.id OR t.deal IS NULL AND g.at = f.at) AS path
FROM id_deal d JOIN final f ON f.id = d.account;
CREATE VIEW id_found AS
SELECT opportunity_id, crm_account_id, account_id, revrtm.path(journey) AS path FROM revrtm.deal;
CREATE TEMP TABLE step (n int, mode text, changed bigint, unread bigint, differences bigint);
DO $$
DECLARE
    r record;
BEGIN
    FOR n IN 0 .. 30 LOOP
        -- Into one of a lower number, out again, or the row is purged.
        UPDATE id_account SET into_id = CASE WHEN pg_temp.dice(n || 'out' || id, 3) > 0 AND id <> 'a0'
                                             THEN 'a' || pg_temp.dice(n || 'into' || id, substr(id, 2)::int) END
        WHERE n > 0 AND pg_temp.dice(n || 'change' || id, 10) = 0;
        IF n % 10 = 9 THEN
            DELETE FROM id_account WHERE id = (SELECT min(id) FROM id_account WHERE into_id IS NOT NULL);
        END IF;
        -- And the CRM goes on meanwhile.
        IF n % 3 = 2 THEN
            INSERT INTO id_touch VALUES ('n' || n, timestamptz '2026-01-20 00:00+00' + n * interval '1 minute', 'new', NULL,
                                         'a' || pg_temp.dice('new' || n, 22), NULL, timestamptz '2026-03-01 00:00+00' + n * interval '1 day');
        END IF;
        SELECT * INTO r FROM revrtm.refresh_journeys();
        INSERT INTO step SELECT n, r.mode, r.inserted + r.updated + r.deleted,
            60 - r.inserted - r.updated - r.unchanged, (SELECT count(*) FROM ((TABLE id_wanted EXCEPT TABLE id_found) UNION ALL (TABLE id_found EXCEPT TABLE id_wanted)) x);
    END LOOP;
END
$$;
SELECT results_eq('SELECT mode, count(*) FROM step GROUP BY mode ORDER BY mode',
                  $$VALUES ('full', 1::bigint), ('incremental', 30)$$, 'every refresh but the first is incremental');
SELECT is((SELECT sum(differences) FROM step), 0::numeric, 'after each the store is as plain SQL has it');
SELECT cmp_ok((SELECT count(*) FROM step WHERE n > 0 AND changed > 0), '>', 15::bigint, 'and merges have changed it');
SELECT cmp_ok((SELECT avg(unread) FROM step WHERE n > 0), '>', 20::numeric, 'though many deals were left alone');
SELECT is((SELECT inserted + updated + deleted FROM revrtm.refresh_journeys(verify => true)), 0::bigint, 'a verifying refresh finds nothing');
-- Unbound, the accounts part again.
SELECT revrtm.unbind('account') \g /dev/null
SELECT revrtm.refresh_journeys() \g /dev/null
SELECT is((SELECT count(*) FROM revrtm.deal WHERE account_id <> crm_account_id), 0::bigint, 'without accounts nothing is merged');
SELECT * FROM finish();
ROLLBACK;
