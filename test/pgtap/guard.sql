-- Guards against brute force over the portals' own tables: what is refused in
-- mode enforce, and what is left of a time in which the guards were off.
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\pset pager off
SET client_min_messages = error;
SET TimeZone = 'UTC';
BEGIN;
SET LOCAL revrtm.as_of = '2026-07-01 09:00Z';
SELECT plan(9);
UPDATE revrtm.roe_rule SET enabled = false;
CREATE SCHEMA rtm_guard;
SET search_path = rtm_guard, public;
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('rtm_a', 'ANY'), ('rtm_b', 'rtm_a'), ('rtm_c', 'ANY');
CREATE TABLE one (id int PRIMARY KEY, account text, partner text, product text, days daterange, live boolean, made timestamptz);
CREATE TABLE two (LIKE one INCLUDING ALL);
CREATE VIEW every AS SELECT 'one' AS portal, o.* FROM one o UNION ALL SELECT 'two', t.* FROM two t;
CREATE FUNCTION above(node text) RETURNS text[] LANGUAGE sql AS $$SELECT CASE node WHEN 'ANY' THEN '{ANY}' WHEN 'rtm_b' THEN '{ANY,rtm_a,rtm_b}' ELSE ARRAY['ANY', node] END$$;
-- Two rows that cannot both stand, said without spans and our tables.
CREATE FUNCTION clash(a every, b every) RETURNS boolean LANGUAGE sql AS $$
SELECT a.live AND b.live AND (a.portal, a.id) <> (b.portal, b.id) AND a.account = b.account AND a.days && b.days
    AND (a.product = ANY (above(b.product)) OR b.product = ANY (above(a.product)))$$;
CREATE FUNCTION dice(seed text, n int) RETURNS int LANGUAGE sql AS $$SELECT mod(('x' || substr(md5(seed), 1, 7))::bit(28)::int, n)$$;
CREATE FUNCTION turn(portal text, to_mode text) RETURNS bigint LANGUAGE sql AS $$
SELECT revrtm.guard(portal::regclass, 'registration', '{"account": "account", "partner": "partner", "product": "product", "protection": "days", "active": "live", "since": "made"}', to_mode)$$;
-- One change at random; whether it was refused.
CREATE FUNCTION change(seed text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    portal text := (ARRAY['one', 'two'])[1 + dice(seed || 'portal', 2)];
    row_id int := dice(seed || 'id', 25);
    start date := date '2026-07-01' + dice(seed || 'from', 100);
BEGIN
    IF dice(seed || 'what', 5) = 0 THEN
        EXECUTE format('DELETE FROM %I WHERE id = $1', portal) USING row_id;
    ELSIF dice(seed || 'what', 5) = 1 THEN
        EXECUTE format('UPDATE %I SET live = NOT live WHERE id = $1', portal) USING row_id;
    ELSE
        EXECUTE format('INSERT INTO %I VALUES ($1, $2, $3, $4, daterange($5, $6), $7, $8) ON CONFLICT (id) DO UPDATE
            SET account = EXCLUDED.account, product = EXCLUDED.product, days = EXCLUDED.days, live = EXCLUDED.live', portal)
        USING row_id, 'a' || dice(seed || 'account', 4), 'p' || dice(seed || 'partner', 5), (ARRAY['ANY', 'rtm_a', 'rtm_b', 'rtm_c'])[1 + dice(seed || 'product', 4)],
            start, start + 1 + dice(seed || 'days', 40), dice(seed || 'live', 4) > 0, timestamptz '2026-06-01Z' + dice(seed || 'made', 1000) * interval '1 hour';
    END IF;
    RETURN false;
EXCEPTION WHEN exclusion_violation THEN
    RETURN true;
END
$$;
-- The same change with the guards off, taken back: would the tables hold a clash?
CREATE FUNCTION clashes() RETURNS bigint LANGUAGE sql AS $$SELECT count(*) FROM every a, every b WHERE clash(a, b)$$;
CREATE FUNCTION would_clash(seed text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE found boolean;
BEGIN
    BEGIN
        SET LOCAL session_replication_role = replica;
        PERFORM change(seed);
        found := clashes() > 0;
        RAISE EXCEPTION USING ERRCODE = 'RT000';
    EXCEPTION WHEN SQLSTATE 'RT000' THEN
        RETURN found;
    END;
END
$$;
-- Rows whose claim is not what they are.
CREATE VIEW unlike AS
SELECT e.portal, e.id, e.live, r.status
FROM every e
LEFT JOIN revrtm.guard_claim c ON c.target = ('rtm_guard.' || e.portal)::regclass AND c.row_key = e.id::text
LEFT JOIN revrtm.deal_registration r USING (registration_id)
WHERE e.live <> coalesce(r.active, false) OR e.live AND (r.account_id, r.partner_id, r.product_codes, r.protection) IS DISTINCT FROM (e.account, e.partner, ARRAY[e.product], e.days);

SELECT is(turn('one', 'enforce') + turn('two', 'enforce'), 0::bigint, 'empty tables');
CREATE TABLE tried AS
SELECT n, (SELECT would_clash('e' || n)) AS expected, (SELECT change('e' || n)) AS refused FROM generate_series(1, 0) n;
DO $$
DECLARE expected boolean;
BEGIN
    FOR n IN 1 .. 400 LOOP
        expected := would_clash('e' || n);
        INSERT INTO tried VALUES (n, expected, change('e' || n));
    END LOOP;
END
$$;
SELECT is_empty('SELECT * FROM tried WHERE expected <> refused', 'refused is what clashes, and nothing else');
SELECT cmp_ok((SELECT least(count(*) FILTER (WHERE refused), count(*) FILTER (WHERE NOT refused)) FROM tried), '>', 50::bigint, 'often enough both ways');
SELECT is_empty('SELECT * FROM unlike', 'every row has the claim that it says');

-- Off, and on again, several times.
CREATE TABLE found (round int, wrong text);
CREATE TABLE counted (round int, refused bigint);
DO $$
DECLARE listed bigint;
BEGIN
    FOR round IN 1 .. 12 LOOP
        PERFORM turn('one', 'off'), turn('two', 'off');
        PERFORM change('o' || round || '/' || n) FROM generate_series(1, 25) n;
        PERFORM turn('one', 'warn'), turn('two', 'warn');
        PERFORM turn('one', 'warn');
        SELECT count(*) INTO listed FROM (SELECT * FROM revrtm.guard_violation('one') UNION ALL SELECT * FROM revrtm.guard_violation('two')) v;
        INSERT INTO counted VALUES (round, listed);
        -- Those that are unlike their claims are those listed,
        INSERT INTO found SELECT round, 'listed' FROM unlike HAVING count(*) <> listed;
        -- each meets a row that has its claim,
        INSERT INTO found SELECT round, 'needlessly' FROM unlike u JOIN every a USING (portal, id)
        WHERE NOT EXISTS (SELECT FROM every b WHERE clash(a, b) AND NOT EXISTS (SELECT FROM unlike x WHERE (x.portal, x.id) = (b.portal, b.id)));
        -- and of those that have theirs no two meet.
        INSERT INTO found SELECT round, 'both' FROM every a, every b
        WHERE clash(a, b) AND NOT EXISTS (SELECT FROM unlike x WHERE (x.portal, x.id) IN ((a.portal, a.id), (b.portal, b.id)));
        -- Enforcing is refused just where something is listed.
        BEGIN
            PERFORM turn('one', 'enforce'), turn('two', 'enforce');
            INSERT INTO found SELECT round, 'enforced' WHERE listed > 0;
        EXCEPTION WHEN check_violation THEN
            INSERT INTO found SELECT round, 'refused' WHERE listed = 0;
        END;
        -- Every other time what is refused is corrected.
        IF round % 2 = 0 THEN
            UPDATE one SET live = false WHERE id IN (SELECT id FROM unlike WHERE portal = 'one');
            UPDATE two SET live = false WHERE id IN (SELECT id FROM unlike WHERE portal = 'two');
            INSERT INTO found SELECT round, 'corrected' WHERE turn('one', 'enforce') + turn('two', 'enforce') + clashes() > 0;
        END IF;
    END LOOP;
END
$$;
SELECT is_empty('SELECT * FROM found', 'what happened while the guards were off is found');
SELECT cmp_ok((SELECT count(*) FROM counted WHERE refused > 0), '>', 5::bigint, 'in more than one round');
SELECT is(clashes(), 0::bigint, 'and in the end the tables are clean');
SELECT is_empty('SELECT * FROM unlike', 'with a claim for every row');
SELECT revrtm.unguard('one'), revrtm.unguard('two');
SELECT is((SELECT count(*) FROM revrtm.guard_claim) + (SELECT count(*) FROM revrtm.deal_registration r WHERE r.account_id ~ '^a\d$'), 0::bigint, 'nothing is left');
SELECT * FROM finish();
ROLLBACK;
