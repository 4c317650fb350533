-- Random walks over the states of registrations: none leaves the tables of
-- states and transitions, and the log replays to the row.
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL client_min_messages = warning;
SELECT plan(8);
SELECT setseed(0.25) \g /dev/null

CREATE TEMP TABLE walker (n int PRIMARY KEY, id uuid);
CREATE ROLE rtm_walking_partner;
CREATE ROLE rtm_walking_staff;
SELECT revrtm.grant_partner('rtm_walking_partner'), revrtm.grant_staff('rtm_walking_staff') \g /dev/null
INSERT INTO revrtm.partner_login VALUES ('rtm_walking_partner', 'walker');
CREATE TEMP TABLE refused (state text, name text);
GRANT ALL ON refused TO rtm_walking_partner, rtm_walking_staff;

-- 40 registrations, 60 steps each: a random status, field or function, by a
-- random side, on a random day; what is refused must be so by name.
CREATE FUNCTION pg_temp.walk() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    states text[] := ARRAY(SELECT status FROM revrtm.registration_state ORDER BY status);
    fields text[] := ARRAY['amount = random()', 'details = jsonb_build_object(''a'', random())', 'expected_close = expected_close + 1',
        'region_codes = ''{ANY}'', product_codes = ''{ANY,ANY}''', 'account_id = account_id || ''x''', 'decision_reason = ''late''',
        'protection = daterange(lower(protection), upper(protection) + 5)'];
    walker_id uuid;
    statement text;
    name text;
BEGIN
    FOR i IN 1 .. 40 LOOP
        INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, amount, currency, expected_close, protection)
        VALUES ('walk ' || i % 8, CASE WHEN i % 3 = 0 THEN 'walker' ELSE 'p' || i END, '{ANY}', '{ANY}', (ARRAY['draft', 'submitted', 'in_review'])[1 + i % 3],
            i, 'EUR', '2026-01-01', daterange(date '2026-01-01' + i % 8, date '2026-03-01' + i % 8)) RETURNING registration_id INTO walker_id;
        INSERT INTO walker VALUES (i, walker_id);
    END LOOP;
    FOR i IN 1 .. 2400 LOOP
        SELECT w.id INTO walker_id FROM walker w WHERE w.n = 1 + i % 40;
        PERFORM set_config('revrtm.as_of', (timestamptz '2026-01-01Z' + i / 20 * interval '1 day')::text, true);
        PERFORM set_config('role', CASE WHEN random() < 0.3 THEN 'rtm_walking_partner' ELSE 'rtm_walking_staff' END, true);
        statement := CASE
            WHEN random() < 0.5 THEN format('UPDATE revrtm.deal_registration SET status = %L%s WHERE registration_id = %L',
                states[1 + floor(random() * cardinality(states))], CASE WHEN random() < 0.6 AND current_user = 'rtm_walking_staff' THEN ', decision_reason = ''why''' END, walker_id)
            WHEN random() < 0.5 THEN format('UPDATE revrtm.deal_registration SET %s WHERE registration_id = %L',
                fields[1 + floor(random() * cardinality(fields))], walker_id)
            WHEN random() < 0.7 THEN format('SELECT revrtm.approve_registration(%L, daterange(revrtm.programme_date(revrtm.as_of()), revrtm.programme_date(revrtm.as_of()) + 7))', walker_id)
            WHEN random() < 0.5 THEN 'SELECT revrtm.promote_registrations()'
            ELSE 'SELECT revrtm.expire_registrations()' END;
        BEGIN
            EXECUTE statement;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
            INSERT INTO refused VALUES (SQLSTATE, name);
        END;
        PERFORM set_config('role', 'none', true);
    END LOOP;
END
$$;
SELECT lives_ok('SELECT pg_temp.walk()', 'walks end');
CREATE TEMP VIEW step AS
SELECT e.*, lag(e.to_status) OVER w AS before, lag(e.revision) OVER w AS revision_before
FROM revrtm.registration_event e JOIN walker ON walker.id = e.registration_id
WINDOW w AS (PARTITION BY e.registration_id ORDER BY e.revision);

SELECT is_empty($$SELECT state, name, count(*) FROM refused WHERE (state, name) NOT IN
    (('23514', 'roe_transition'), ('23514', 'roe_frozen'), ('23514', 'roe_reason'), ('23514', 'roe_not_eligible'), ('23P01', 'roe_protected'), ('42501', ''), ('P0002', '')) GROUP BY 1, 2$$,
    'what is refused is so by a name that is documented');
SELECT cmp_ok((SELECT count(DISTINCT to_status)::int FROM step), '>=', 10, 'the walks reach most states');
SELECT cmp_ok((SELECT count(*)::int FROM step), '>=', 150, 'and take many steps');
SELECT is_empty($$
    SELECT s.from_status, s.to_status, s.acted_as FROM step s
    WHERE s.from_status IS NOT NULL AND (s.from_status <> s.to_status OR s.changed ? 'protection') AND s.from_status <> 'draft'
      AND NOT EXISTS (SELECT FROM revrtm.registration_transition t
                      WHERE t.from_status = s.from_status AND t.to_status = s.to_status
                        AND (s.acted_as = ANY (t.actors) OR t.to_status = 'queued' AND 'system' = ANY (t.actors)))$$,
    'every step of the log is in the table, for who took it');
SELECT is_empty($$SELECT * FROM step WHERE from_status IS DISTINCT FROM before OR revision <> coalesce(revision_before, 0) + 1$$,
    'each entry begins where the one before ended');
-- Replayed: the last status; of each field, the last new value, and each old one is the new one before it.
SELECT results_eq(
    'SELECT w.n, d.status, d.revision FROM walker w JOIN revrtm.deal_registration d ON d.registration_id = w.id ORDER BY 1',
    'SELECT DISTINCT ON (w.n) w.n, e.to_status, e.revision FROM walker w JOIN revrtm.registration_event e ON e.registration_id = w.id ORDER BY w.n, e.revision DESC',
    'the log replays to the status of every row');
SELECT is_empty($$
    WITH value AS (
        SELECT e.registration_id, f.key, f.value -> 'old' AS old, f.value -> 'new' AS new, e.revision,
               lead(f.value -> 'old') OVER (PARTITION BY e.registration_id, f.key ORDER BY e.revision) AS next_old
        FROM step e, jsonb_each(e.changed) f)
    SELECT v.*, to_jsonb(d) -> v.key AS is_now FROM value v JOIN revrtm.deal_registration d USING (registration_id)
    WHERE v.new IS DISTINCT FROM coalesce(v.next_old, to_jsonb(d) -> v.key)$$,
    'and to the fields of every row');
SELECT * FROM finish();
ROLLBACK;
