-- Business time, days and months, the programme: what they answer and refuse.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

-- The shipped calendar: Monday to Friday, nine to five, UTC. 6 March 2026 is a Friday.
SELECT * FROM revrtm.calendar;
SELECT revrtm.business_hours_between('2026-03-06 16:00+00', '2026-03-09 10:30+00') AS weekend,
    revrtm.business_hours_between('2026-03-09 10:30+00', '2026-03-06 16:00+00') AS back,
    revrtm.business_hours_between('2026-03-07 00:00+00', '2026-03-09 09:00+00') AS nothing,
    revrtm.business_hours_between('2026-03-09 09:00+00', '2026-03-09 09:00:00.000001+00') * 3600e6 AS microsecond;
-- A term that fills a day ends when the day closes; one that goes back begins when a day opens.
SELECT h AS hours, revrtm.add_business_hours('2026-03-06 09:00+00', h) AS from_opening, revrtm.add_business_hours('2026-03-06 17:00+00', h) AS from_close,
    revrtm.add_business_hours('2026-03-07 12:00+00', h) AS from_saturday
FROM (VALUES (0), (8), (8.5), (16), (-8), (-8.5), (1e-10), (0.0000000003)) v (h);
SELECT revrtm.business_hours_between(NULL, now()) IS NULL AND revrtm.add_business_hours(now(), NULL) IS NULL
    AND revrtm.add_business_hours(now(), 1, NULL) IS NULL AS strict;

-- Windows, holidays and a zone: Berlin's clock skips 02:00 to 03:00 on 29 March
-- 2026 and repeats it on 25 October, both Sundays.
INSERT INTO revrtm.calendar (calendar, timezone, windows) VALUES
    ('berlin', 'Europe/Berlin', '{Mon-Thu 09:00-12:00,Mon-Thu 13:00-17:00,Fri 09:00-12:00}'),
    ('night', 'Europe/Berlin', '{Sun 00:00-02:30,Sun 02:45-04:00}'),
    ('always', 'Europe/Berlin', '{Mon-Sun 00:00-24:00}'),
    ('gulf', 'Asia/Dubai', '{sun-thu 08:00-16:00}');
INSERT INTO revrtm.calendar_holiday VALUES ('berlin', '2026-04-03', 'Good Friday'), ('berlin', '2026-04-06', 'Easter Monday');
SELECT calendar, revrtm.business_hours_between('2026-04-01 22:00+00', '2026-04-07 22:00+00', calendar) AS easter,
    revrtm.business_hours_between('2026-03-28 23:00+00', '2026-03-29 22:00+00', calendar) AS short_sunday,
    revrtm.business_hours_between('2026-10-24 22:00+00', '2026-10-25 23:00+00', calendar) AS long_sunday
FROM revrtm.calendar ORDER BY calendar COLLATE "C";
SELECT revrtm.add_business_hours('2026-04-02 14:00+00', 2, 'berlin') AS over_easter,
    revrtm.add_business_hours('2026-03-28 23:00+00', 2, 'night') AS until_the_gap,
    revrtm.add_business_hours('2026-03-29 01:00+00', -2, 'night') AS back_from_it,
    revrtm.add_business_hours('2026-10-24 22:00+00', 2.75, 'night') AS repeated,
    revrtm.add_business_hours('2026-10-24 22:00+00', 3, 'night') AS again;
-- Summers and winters of all years to come: the first opening after midnight is at nine.
SELECT date_trunc('minute', revrtm.add_business_hours(t, 1e-6, 'berlin') AT TIME ZONE 'Europe/Berlin')::time AS opening, count(*)
FROM generate_series(timestamptz '1950-01-31Z', '9990-01-01Z', interval '3 months') t GROUP BY 1;
-- The zone, not the session's, and any number of calendars in one query.
SET TimeZone = 'Asia/Tokyo';
SELECT sum(revrtm.business_hours_between('2026-01-01Z', '2027-01-01Z', c.calendar)) AS hours FROM revrtm.calendar c, generate_series(1, 3);
SET TimeZone = 'UTC';

-- An edit of the shipped row is the user's, and counts from the next query on.
BEGIN;
UPDATE revrtm.calendar SET windows = '{Mon-Sun 00:00-24:00}' WHERE calendar = 'default' RETURNING shipped;
SELECT revrtm.business_hours_between('2026-03-06 16:00+00', '2026-03-09 10:30+00');
INSERT INTO revrtm.calendar_holiday VALUES ('default', '2026-03-07');
SELECT revrtm.business_hours_between('2026-03-06 16:00+00', '2026-03-09 10:30+00');
ROLLBACK;

-- What is no calendar.
INSERT INTO revrtm.calendar VALUES ('mars', 'Mars/Olympus', '{Mon 09:00-17:00}');
INSERT INTO revrtm.calendar VALUES ('none', 'UTC', '{}');
INSERT INTO revrtm.calendar VALUES ('null', 'UTC', '{Mon 09:00-17:00,NULL}');
INSERT INTO revrtm.calendar VALUES ('empty', 'UTC', '{Mon 09:00-17:00,Fri 22:00-06:00}');
INSERT INTO revrtm.calendar VALUES ('twice', 'UTC', '{Mon-Fri 09:00-17:00,Wed-Thu 16:59-18:00}');
INSERT INTO revrtm.calendar VALUES ('words', 'UTC', '{Mon 9 to 5}');
INSERT INTO revrtm.calendar VALUES ('words', 'UTC', '{Workdays 09:00-17:00}');
INSERT INTO revrtm.calendar VALUES ('words', 'UTC', ARRAY[repeat('é', 100)]);
INSERT INTO revrtm.calendar SELECT 'many', 'UTC', array_agg('Mon 09:00-17:00'::text) FROM generate_series(1, 1001);
UPDATE revrtm.calendar SET timezone = 'Nowhere' WHERE calendar = 'gulf';
INSERT INTO revrtm.calendar VALUES ('', 'UTC', '{Mon 09:00-17:00}');
INSERT INTO revrtm.calendar_holiday VALUES ('gulf', 'infinity');
INSERT INTO revrtm.calendar_holiday VALUES ('gulf', '0044-03-15 BC');
INSERT INTO revrtm.calendar_holiday VALUES ('gulf', '2026-12-02', 'National Day'), ('gulf', '2026-12-02', 'National Day');

-- What cannot be asked.
SELECT revrtm.business_hours_between(now(), now(), 'nobody''s');
SELECT revrtm.business_hours_between('infinity', now());
SELECT revrtm.business_hours_between('2026-01-01Z', '-infinity');
SELECT revrtm.business_hours_between('2026-01-01Z', '10000-01-01Z');
SELECT revrtm.add_business_hours('0001-12-31Z BC', 1);
SELECT revrtm.business_hours_between('0001-01-01Z', '9999-12-31 23:59:59.999999Z', 'always') AS hours,
    revrtm.add_business_hours('0001-01-01Z', 87649415.9, 'always') AS last;
SELECT revrtm.add_business_hours('2026-01-01Z', 1e8);
SELECT revrtm.add_business_hours('2026-01-01Z', 70000000, 'always');
SELECT revrtm.add_business_hours('2026-01-01Z', -20000000, 'always');
SELECT revrtm.add_business_hours('9999-12-31 16:00Z', 2);
SELECT revrtm.add_business_hours('2026-01-01Z', 'NaN');
SELECT revrtm.add_business_hours('2026-01-01Z', '-Infinity');
-- Holidays may leave next to nothing.
BEGIN;
INSERT INTO revrtm.calendar VALUES ('sabbatical', 'UTC', '{Sat 12:00-13:00}');
INSERT INTO revrtm.calendar_holiday SELECT 'sabbatical', d FROM generate_series('2026-01-03', '2099-12-26', interval '7 days') d;
SELECT revrtm.add_business_hours('2026-01-01Z', 0.5, 'sabbatical'), revrtm.add_business_hours('2099-12-31Z', -0.5, 'sabbatical');
ROLLBACK;

-- Who owns the tables may have altered them.
BEGIN;
ALTER TABLE revrtm.calendar DROP CONSTRAINT calendar_valid;
UPDATE revrtm.calendar SET windows = '{}' WHERE calendar = 'gulf';
SELECT revrtm.add_business_hours(now(), 1, 'gulf');
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.calendar ALTER timezone DROP NOT NULL, DROP CONSTRAINT calendar_valid;
UPDATE revrtm.calendar SET timezone = NULL;
SELECT revrtm.add_business_hours(now(), 1, 'gulf');
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.calendar_holiday DROP CONSTRAINT calendar_holiday_pkey, DROP CONSTRAINT calendar_holiday_finite;
ALTER TABLE revrtm.calendar_holiday ALTER holiday DROP NOT NULL;
INSERT INTO revrtm.calendar_holiday VALUES ('gulf', 'infinity'), ('gulf', '-infinity'), ('gulf', NULL), ('gulf', '2026-03-04'), ('gulf', '2026-03-04');
SELECT revrtm.business_hours_between('2026-03-01Z', '2026-03-08Z', 'gulf');
ROLLBACK;

-- Days and months: in revrtm.timezone, whatever TimeZone says.
SET TimeZone = 'Pacific/Kiritimati';
SET revrtm.timezone = 'America/New_York';
SELECT revrtm.local_date('2026-07-01 03:59:59.999999Z'), revrtm.local_date('2026-07-01 04:00Z') AS next,
    revrtm.period(timestamptz '2026-07-01 03:59:59.999999Z'), revrtm.period(timestamptz '2026-07-01 04:00Z') AS next, revrtm.period(date '2026-07-31') AS of_day,
    revrtm.day_end('2026-06-30') AT TIME ZONE 'UTC' AS day_end;
RESET revrtm.timezone;
SET TimeZone = 'UTC';
-- A name is the zone's, where AT TIME ZONE takes it for an abbreviation.
SET revrtm.timezone = 'CET';
SELECT revrtm.local_date('2026-07-01 22:30Z'), revrtm.day_end('2026-07-01'), ('2026-07-01 22:30Z'::timestamptz AT TIME ZONE 'CET')::date AS abbreviation;
RESET revrtm.timezone;
SELECT revrtm.local_date(t), revrtm.period(t), revrtm.period(t::date) AS of_day, revrtm.day_end(t::date)
FROM (VALUES (timestamptz 'infinity'), ('-infinity'), (NULL), ('0044-03-15Z BC'), ('294276-11-30Z')) v (t);
SELECT revrtm.period(date '4714-11-24 BC');
SELECT revrtm.period(timestamptz '4714-11-24Z BC');
SELECT revrtm.day_end('4714-11-24 BC');
SELECT revrtm.day_end('5874897-12-31');
SELECT revrtm.months('2025-11-30', '2026-02-01');
SELECT revrtm.months('2026-02-28', '2026-02-01');
SELECT revrtm.months('2026-02-01', 'infinity');
SELECT count(*) FROM revrtm.months('1926-03-31', '2026-02-01');
SELECT revrtm.months('1926-02-28', '2026-02-01');

-- The programme is one row.
SELECT * FROM revrtm.programme;
INSERT INTO revrtm.programme (programme) VALUES ('second');
UPDATE revrtm.programme SET timezone = 'Mars/Olympus';
UPDATE revrtm.programme SET protection_days = 0;
BEGIN;
UPDATE revrtm.programme SET timezone = 'Pacific/Kiritimati' RETURNING shipped;
SELECT revrtm.programme_date('2026-07-01 09:59Z'), revrtm.programme_date('2026-07-01 10:00Z') AS next, revrtm.programme_date('infinity') AS never;
DELETE FROM revrtm.programme;
SELECT revrtm.programme_date('2026-07-01 09:59Z');
ROLLBACK;

-- Everybody reads them, nobody writes them.
CREATE ROLE rtm_anybody;
SET ROLE rtm_anybody;
SELECT count(*), revrtm.business_hours_between('2026-03-06 16:00+00', '2026-03-09 10:30+00'), revrtm.programme_date('2026-07-01Z')
FROM revrtm.calendar, revrtm.calendar_holiday, revrtm.programme;
UPDATE revrtm.calendar SET shipped = true;
DELETE FROM revrtm.calendar_holiday;
UPDATE revrtm.programme SET protection_days = 1000;
RESET ROLE;
DROP ROLE rtm_anybody;

-- The routes of a report: active ones, and those that deals, spend or credit of the time name.
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE SCHEMA spine;
CREATE TABLE spine.deal (id text, won boolean, closed timestamptz, route text);
CREATE TABLE spine.touch (id text, at timestamptz, channel text, deal text);
CREATE TABLE spine.spend (id text, period date, route text);
INSERT INTO spine.deal VALUES ('1', true, '2026-03-31 23:59Z', 'of_march'), ('2', false, '2026-05-31 23:59Z', 'of_may'), ('3', false, '2026-06-01Z', 'of_june'),
    ('4', NULL, NULL, 'open'), ('5', true, '2026-05-05Z', 'direct');
INSERT INTO spine.touch VALUES ('1', '2026-05-01Z', 'mail', '5'), ('2', '2026-03-01Z', 'fair', '1');
INSERT INTO spine.spend VALUES ('1', '2026-04-30', 'spent_april'), ('2', '2026-02-28', 'spent_february'), ('3', '2026-05-31', 'marketplace');
INSERT INTO revrtm.channel_map VALUES ('mail', 'credited_may', 'x'), ('fair', 'credited_march', 'x');
UPDATE revrtm.route SET active = false WHERE route_id IN ('marketplace', 'resell');
SELECT count(revrtm.bind(r, q)) FROM (VALUES
    ('opportunity', 'SELECT id AS opportunity_id, NULL::text AS account_id, 1.0 AS amount, closed IS NOT NULL AS is_closed, won IS TRUE AS is_won,
        NULL::timestamptz AS created_at, NULL::date AS close_date, closed AS closed_at, route AS route_id FROM spine.deal'),
    ('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id FROM spine.touch'),
    ('spend', 'SELECT id AS spend_id, period, route AS route_id, ''x''::text AS category, 1.0 AS amount FROM spine.spend')) v (r, q);
SELECT inserted FROM revrtm.refresh_journeys();
SELECT array_agg(route_id ORDER BY route_id COLLATE "C") AS april_and_may FROM revrtm.known_route('2026-04-10', '2026-05-10');
SELECT array_agg(route_id ORDER BY route_id COLLATE "C") AS march FROM revrtm.known_route('2026-03-01', '2026-03-01');
SELECT period, count(*) FROM revrtm.route_period('2026-04-10', '2026-05-10') GROUP BY period ORDER BY period;
SELECT route_id, period FROM revrtm.route_period('2026-05-31', '2026-06-01') WHERE route_id IN ('of_may', 'of_june', 'open') ORDER BY route_id COLLATE "C", period;
SAVEPOINT s;
SELECT * FROM revrtm.route_period('2026-05-01', '2026-04-30');
ROLLBACK TO s;
SELECT * FROM revrtm.route_period('1900-01-01', '2026-04-30');
ROLLBACK;

DELETE FROM revrtm.calendar_holiday;
DELETE FROM revrtm.calendar WHERE NOT shipped;
RESET TimeZone;
RESET DateStyle;
