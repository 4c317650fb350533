-- Properties of the clock: over random histories, in calendars with changes
-- of the clock, it shows what counting minute by minute shows, its due instant
-- is the first at which that reaches the term, and it never runs backwards.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SELECT plan(13);
SELECT setseed(0.25) \g /dev/null
UPDATE revrtm.roe_rule SET enabled = false;
INSERT INTO revrtm.calendar (calendar, timezone, windows) VALUES
    ('office', 'Europe/Berlin', '{Mon-Thu 09:00-12:00,Mon-Thu 13:00-17:30,Fri 09:00-15:00}'),
    ('always', 'Europe/Berlin', '{Mon-Sun 00:00-24:00}'),
    ('night', 'America/New_York', '{Sun 01:00-04:00,Sat 22:00-24:00,Mon 00:00-02:30}');
INSERT INTO revrtm.calendar_holiday VALUES ('office', '2026-03-30', NULL);

-- Histories of ten days around a change of the clock, by whole minutes: half
-- of the registrations are of spring, half of autumn; a few entries are dated back.
CREATE TEMP TABLE history (n int, start timestamptz, PRIMARY KEY (n));
INSERT INTO history SELECT n, CASE n % 2 WHEN 0 THEN timestamptz '2026-03-25 00:00Z' ELSE '2026-10-21 00:00Z' END FROM generate_series(1, 24) n;
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql
RETURN format('00000000-0000-0000-0003-%s', lpad(n::text, 12, '0'))::uuid;
-- What happened, written down beside the extension's own log.
CREATE TEMP TABLE step (n int, ordinal serial, at timestamptz, status text);
DO $$
DECLARE
    h record;
    at timestamptz;
    k int;
    was text;
    next text;
BEGIN
    FOR h IN SELECT * FROM history LOOP
        at := h.start + floor(random() * 2880) * interval '1 minute';
        PERFORM set_config('revrtm.as_of', at::text, true);
        INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes)
        VALUES (pg_temp.id(h.n), 'a' || h.n, 'p', '{ANY}', '{ANY}');
        INSERT INTO step (n, at, status) VALUES (h.n, at, 'submitted');
        was := 'submitted';
        FOR k IN 1 .. 1 + floor(random() * 7) LOOP
            SELECT t.to_status INTO next FROM revrtm.registration_transition t
            WHERE t.from_status = was AND 'staff' = ANY (t.actors) AND t.to_status <> t.from_status
              AND t.to_status IN ('submitted', 'in_review', 'action_required', 'approved', 'queued')
            ORDER BY t.to_status = 'approved' AND random() < 0.7, random() LIMIT 1;
            EXIT WHEN next IS NULL;
            at := at + floor(CASE WHEN random() < 0.15 THEN -600 ELSE 2000 END * random()) * interval '1 minute';
            PERFORM set_config('revrtm.as_of', at::text, true);
            UPDATE revrtm.deal_registration SET status = next, decision_reason = 'x' WHERE registration_id = pg_temp.id(h.n);
            INSERT INTO step (n, at, status) VALUES (h.n, at, next);
            was := next;
        END LOOP;
    END LOOP;
END
$$;
SELECT cmp_ok((SELECT count(*)::int FROM step WHERE status = 'action_required'), '>', 8, 'some wait for their partner');
SELECT cmp_ok((SELECT count(*)::int FROM step s JOIN step b USING (n) WHERE b.ordinal = s.ordinal - 1 AND b.at > s.at), '>', 3, 'some entries are dated back');
SELECT cmp_ok((SELECT count(*)::int FROM step s WHERE status IN ('approved', 'queued')), '>', 8, 'some are decided, or wait for others');

-- The minutes of business time, by the clock on the wall.
CREATE TEMP TABLE wall AS
SELECT c.calendar, m.at
FROM (VALUES ('office', 'Europe/Berlin'), ('always', 'Europe/Berlin'), ('night', 'America/New_York')) c (calendar, zone),
    (SELECT generate_series(timestamptz '2026-03-25 00:00Z', '2026-04-06 00:00Z', '1 minute') AS at
     UNION ALL SELECT generate_series(timestamptz '2026-10-21 00:00Z', '2026-11-02 00:00Z', '1 minute')) m,
    LATERAL (SELECT m.at AT TIME ZONE c.zone AS local) l,
    LATERAL (SELECT extract(isodow FROM l.local) AS day, l.local::time AS time) t
WHERE CASE c.calendar
    WHEN 'always' THEN true
    WHEN 'office' THEN l.local::date <> '2026-03-30' AND (t.day <= 4 AND (t.time >= '09:00' AND t.time < '12:00' OR t.time >= '13:00' AND t.time < '17:30')
        OR t.day = 5 AND t.time >= '09:00' AND t.time < '15:00')
    ELSE t.day = 7 AND t.time >= '01:00' AND t.time < '04:00' OR t.day = 6 AND t.time >= '22:00' OR t.day = 1 AND t.time < '02:30' END;
CREATE INDEX ON wall (calendar, at);
ANALYZE wall;

-- And those of each registration: minute by minute, which entry holds? The
-- last one written of those whose instant, or an earlier one's, has come.
CREATE TEMP TABLE run AS
SELECT h.n, m.at
FROM history h, LATERAL generate_series(h.start, h.start + interval '12 days', '1 minute') m (at),
    LATERAL (SELECT s.status FROM step s
             WHERE s.n = h.n AND NOT EXISTS (SELECT FROM step b WHERE b.n = s.n AND b.ordinal <= s.ordinal AND b.at > m.at)
             ORDER BY s.ordinal DESC LIMIT 1) o
WHERE o.status IN ('submitted', 'in_review');
CREATE INDEX ON run (n, at);
ANALYZE run;

CREATE TEMP TABLE moment AS
SELECT h.n, h.start + floor(random() * 17280) * interval '1 minute' AS at FROM history h, generate_series(1, 8);
CREATE TEMP TABLE reading (calendar text, n int, at timestamptz, minutes numeric, due_at timestamptz, is_paused boolean, is_open boolean, hours numeric);
CREATE FUNCTION pg_temp.read_all(calendar text, hours numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE revrtm.sla_rule r SET calendar = read_all.calendar, hours = read_all.hours WHERE subject = 'registration';
    INSERT INTO reading
    SELECT read_all.calendar, m.n, m.at, c.elapsed_us / 60000000.0, c.due_at, c.is_paused, c.is_open, read_all.hours
    FROM moment m JOIN LATERAL revrtm.registration_clock(m.at) c ON c.registration_id = pg_temp.id(m.n);
END
$$;
SELECT pg_temp.read_all('office', 7.25), pg_temp.read_all('always', 20), pg_temp.read_all('night', 3) \g /dev/null

SELECT cmp_ok((SELECT count(*)::int FROM reading WHERE minutes > 0), '>', 150, 'many clocks have run');
SELECT is_empty($$
    SELECT r.*, b.minutes FROM reading r, LATERAL (SELECT count(*) AS minutes FROM run u JOIN wall w ON w.calendar = r.calendar AND w.at = u.at
        WHERE u.n = r.n AND u.at < r.at) b
    WHERE r.minutes <> b.minutes$$, 'the clock shows the minutes that were counted');
SELECT is_empty($$
    SELECT r.*, b.due_at FROM reading r, LATERAL (
        SELECT max(x.at) + interval '1 minute' AS due_at, count(*) AS minutes
        FROM (SELECT u.at FROM run u JOIN wall w ON w.calendar = r.calendar AND w.at = u.at WHERE u.n = r.n AND u.at < r.at
              ORDER BY u.at LIMIT (r.hours * 60)::int) x) b
    WHERE r.minutes >= r.hours * 60 AND r.due_at IS DISTINCT FROM b.due_at$$, 'what is over was so after that many minutes');
SELECT cmp_ok((SELECT count(*)::int FROM reading WHERE minutes >= hours * 60), '>', 30, 'many terms are over');
-- A clock that runs says when its term is over: business time from here to there is what is left.
SELECT is_empty($$
    SELECT r.*, revrtm.business_hours_between(r.at, r.due_at, r.calendar) FROM reading r
    WHERE r.minutes < r.hours * 60 AND r.is_open AND NOT r.is_paused
      AND (r.due_at IS NULL OR r.due_at <= r.at
           OR abs(revrtm.business_hours_between(r.at, r.due_at, r.calendar) * 60 + r.minutes - r.hours * 60)::numeric > 0.000001)$$,
    'a running clock says when its term will be over');
SELECT is_empty($$SELECT * FROM reading WHERE minutes < hours * 60 AND (is_paused OR NOT is_open) AND due_at IS NOT NULL$$, 'one that stands still does not');
SELECT is_empty($$
    SELECT * FROM (SELECT r.*, lag(minutes) OVER (PARTITION BY calendar, n ORDER BY at) AS before FROM reading r) x WHERE minutes < before$$,
    'no clock runs backwards');
-- A day of the change has 23 hours, or 25, and the board of staff reads the same clock.
SELECT is((SELECT array_agg(revrtm.business_hours_between(d::timestamp AT TIME ZONE 'Europe/Berlin', (d + 1)::timestamp AT TIME ZONE 'Europe/Berlin', 'always') ORDER BY d)
           FROM unnest('{2026-03-29,2026-10-25}'::date[]) d), '{23,25}', 'the wall has the days of the change');
SELECT set_config('revrtm.as_of', '2026-11-01 12:00Z', true) \g /dev/null
SELECT results_eq($$SELECT subject_id, due_at, elapsed_hours FROM revrtm.sla_board ORDER BY 1$$,
    $$SELECT registration_id, due_at, elapsed_hours FROM revrtm.registration_sla ORDER BY 1$$, 'the board shows the same');
-- Ticks at random instants, in any order, raise what one at each of them in order would, once.
CREATE TEMP TABLE raised (subject_id uuid, kind text, level int);
DO $$
DECLARE t timestamptz;
BEGIN
    UPDATE revrtm.sla_rule SET calendar = 'always', hours = 20 WHERE subject = 'registration';
    FOR t IN SELECT at FROM moment ORDER BY random() LIMIT 20 LOOP
        INSERT INTO raised SELECT subject_id, action, level FROM revrtm.sla_tick(t) WHERE action IN ('sla', 'escalation');
    END LOOP;
END
$$;
SELECT results_eq($$SELECT * FROM raised ORDER BY 1, 2, 3$$, $$SELECT subject_id, kind, level FROM revrtm.alert ORDER BY 1, 2, 3$$,
    'each tick tells what it raised, and nothing is raised twice');
SELECT * FROM finish();
ROLLBACK;
