-- Business time against every minute of two years, in zones of every kind and
-- by random calendars; days and months against AT TIME ZONE.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS revrtm;
SET LOCAL search_path = public, pg_catalog;
SELECT plan(29);
SELECT setseed(0.25);

-- Two years in a zone each: DST at two and three o'clock, none, one of half an
-- hour, one at midnight, a Friday that never was.
CREATE TEMP TABLE place (zone text, first date);
INSERT INTO place VALUES ('America/New_York', '2024-01-01'), ('Europe/Berlin', '2025-01-01'), ('Asia/Kolkata', '2024-06-01'),
    ('Australia/Lord_Howe', '2023-01-01'), ('America/Sao_Paulo', '2016-07-01'), ('Pacific/Apia', '2011-01-01');

-- The windows as weekday (0 is Monday), first minute, and the one after the last.
CREATE TEMP TABLE window_of (calendar text, weekday int, open int, close int, written text);

-- Windows of its own for each weekday, some around midnight and the clock's changes.
INSERT INTO window_of
SELECT 'days ' || zone, weekday, lo, hi,
       format('%s %s-%s', (ARRAY['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])[weekday + 1],
              lpad((lo / 60)::text, 2, '0') || ':' || lpad((lo % 60)::text, 2, '0'),
              lpad((hi / 60)::text, 2, '0') || ':' || lpad((hi % 60)::text, 2, '0'))
FROM (SELECT zone, weekday, minute AS lo, lead(minute) OVER w AS hi, row_number() OVER w AS n
      FROM (SELECT DISTINCT zone, weekday, minute
            FROM place, generate_series(0, 6) weekday, generate_series(1, 9) draw,
                 LATERAL (SELECT CASE WHEN draw < 3 THEN floor(random() * 240) WHEN draw = 3 THEN 1440 * round(random())
                                      ELSE floor(random() * 1441) END::int AS minute
                          WHERE draw > 0 AND weekday >= 0) m) cut
      WINDOW w AS (PARTITION BY zone, weekday ORDER BY minute)) pair
WHERE n % 2 = 1 AND hi IS NOT NULL;

-- The same windows for a range of weekdays, which may go past Sunday.
INSERT INTO window_of
SELECT 'range ' || zone, (first_day + i) % 7, open, close,
       format('%s-%s %s-%s', (ARRAY['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'])[first_day + 1],
              (ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])[(first_day + days - 1) % 7 + 1],
              lpad((open / 60)::text, 2, '0') || ':' || lpad((open % 60)::text, 2, '0'),
              lpad((close / 60)::text, 2, '0') || ':' || lpad((close % 60)::text, 2, '0'))
FROM (SELECT zone, floor(random() * 7)::int AS first_day, 3 + floor(random() * 5)::int AS days
      FROM place WHERE zone IN ('America/New_York', 'Australia/Lord_Howe', 'America/Sao_Paulo')) p,
     (VALUES (0, 95), (95, 150), (555, 720), (780, 1050), (1380, 1440)) v (open, close),
     generate_series(0, 6) i
WHERE i < days;

INSERT INTO revrtm.calendar (calendar, timezone, windows)
SELECT calendar, split_part(calendar, ' ', 2), array_agg(DISTINCT written) FROM window_of GROUP BY calendar;
INSERT INTO revrtm.calendar_holiday (calendar, holiday)
SELECT DISTINCT c.calendar, p.first - 20 + floor(random() * 771)::int
FROM revrtm.calendar c JOIN place p ON p.zone = c.timezone, generate_series(1, 40) n WHERE n > 0;

-- Every minute of a zone's two years: which minute of which week day its clock shows.
CREATE TEMP TABLE minute AS
SELECT p.zone, k.at, (local / 1440 + 3) % 7 * 1440 + local % 1440 AS week_minute, date '1970-01-01' + (local / 1440)::int AS day
FROM place p, LATERAL (
    SELECT at, extract(epoch FROM at AT TIME ZONE p.zone)::bigint / 60 AS local
    FROM generate_series(p.first::timestamp AT TIME ZONE 'UTC', (p.first + interval '2 years') AT TIME ZONE 'UTC', interval '1 minute') at) k;

CREATE TEMP TABLE counted (at timestamptz, business boolean, passed bigint);
CREATE FUNCTION pg_temp.fill(cal text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    -- A byte for each minute of the week, 1 inside a window.
    week bytea := (SELECT string_agg(CASE WHEN EXISTS (SELECT FROM window_of w WHERE w.calendar = cal AND w.weekday = m / 1440
                                                        AND m % 1440 >= w.open AND m % 1440 < w.close)
                                          THEN '\x01'::bytea ELSE '\x00' END, '' ORDER BY m)
                   FROM generate_series(0, 7 * 1440 - 1) m);
BEGIN
    TRUNCATE counted;
    INSERT INTO counted
    SELECT at, business, count(*) FILTER (WHERE business) OVER (ORDER BY at ROWS UNBOUNDED PRECEDING)
    FROM (SELECT m.at, get_byte(week, m.week_minute::int) = 1 AND h.holiday IS NULL AS business
          FROM minute m LEFT JOIN revrtm.calendar_holiday h ON h.calendar = cal AND h.holiday = m.day
          WHERE m.zone = split_part(cal, ' ', 2)) b;
    RETURN count(*) FROM counted WHERE business;
END
$$;

-- passed counts a minute at its end. From the first instant to every minute,
-- from it to the end of every minute of business, and back from the last
-- instant to the start of each.
CREATE FUNCTION pg_temp.wrong(cal text, OUT business bigint, OUT between_wrong bigint, OUT forward_wrong bigint, OUT back_wrong bigint)
LANGUAGE plpgsql AS $$
DECLARE
    start timestamptz;
    stop timestamptz;
BEGIN
    business := pg_temp.fill(cal);
    SELECT min(at), max(at) + interval '1 minute' INTO start, stop FROM counted;
    SELECT count(*) FILTER (WHERE round(revrtm.business_hours_between(start, at + interval '1 minute', cal) * 3600e6) <> passed * 60e6),
           count(*) FILTER (WHERE m.business AND revrtm.add_business_hours(start, passed / 60e0, cal) <> at + interval '1 minute'),
           count(*) FILTER (WHERE m.business AND revrtm.add_business_hours(stop, -(wrong.business - passed + 1) / 60e0, cal) <> at)
    INTO between_wrong, forward_wrong, back_wrong
    FROM counted m;
END
$$;
SELECT is(w::text, format('(%s,0,0,0)', w.business), c.calendar || ': business time is that of every minute')
FROM (SELECT calendar FROM revrtm.calendar WHERE calendar <> 'default' ORDER BY calendar COLLATE "C") c, LATERAL pg_temp.wrong(c.calendar) w;

-- Instants to the microsecond over centuries, and spans of any sign.
CREATE TEMP TABLE probe AS
SELECT c.calendar, timestamptz '1850-01-01' + random() * interval '400 years' AS a, timestamptz '1850-01-01' + random() * interval '400 years' AS b,
       timestamptz '2024-01-01' + random() * interval '2 years' AS c, round((random() - 0.5)::numeric * 4000, 6)::float8 AS hours
FROM revrtm.calendar c, generate_series(1, 3000);
CREATE FUNCTION pg_temp.us(a timestamptz, b timestamptz, calendar text) RETURNS bigint LANGUAGE sql
RETURN round(revrtm.business_hours_between(a, b, calendar) * 3600000000e0)::bigint;
SELECT is_empty($$SELECT * FROM probe WHERE revrtm.business_hours_between(a, b, calendar) <> -revrtm.business_hours_between(b, a, calendar)$$,
    'there and back are each other''s negative');
SELECT is_empty($$SELECT * FROM probe WHERE abs(pg_temp.us(a, c, calendar) - pg_temp.us(a, b, calendar) - pg_temp.us(b, c, calendar)) > 1$$,
    'parts add up, but for the microsecond that a double of centuries rounds');
SELECT is_empty($$SELECT * FROM probe WHERE sign(revrtm.business_hours_between(a, b, calendar)) NOT IN (0, sign(extract(epoch FROM b - a)))
    OR abs(pg_temp.us(a, b, calendar)) > abs(extract(epoch FROM b - a)) * 1000000$$, 'business time is part of the time');
SELECT is_empty($$SELECT * FROM probe WHERE revrtm.business_hours_between(c, revrtm.add_business_hours(c, hours, calendar), calendar) <> hours$$,
    'what was added has passed');
SELECT is_empty($$SELECT * FROM probe WHERE hours > 0 AND pg_temp.us(c, revrtm.add_business_hours(c, hours, calendar) - interval '1 microsecond', calendar)
    <> round(hours::numeric * 3600000000) - 1$$, 'and had not a microsecond before');
SELECT is_empty($$SELECT * FROM probe WHERE hours < 0 AND pg_temp.us(c, revrtm.add_business_hours(c, hours, calendar) + interval '1 microsecond', calendar)
    <> round(hours::numeric * 3600000000) + 1$$, 'nor, going back, a microsecond after');
SELECT is_empty($$SELECT * FROM probe WHERE revrtm.add_business_hours(a, 0, calendar) <> a OR revrtm.add_business_hours(a, 1e-10, calendar) <> a$$,
    'nothing added is the instant itself');
SELECT cmp_ok((SELECT count(*) FROM probe WHERE revrtm.business_hours_between(c, c + interval '1 hour', calendar) NOT IN (0, 1)), '>', 1000::bigint,
    'the probes meet the ends of windows');

-- One calendar in a row, all of them in each row, and in any order.
SELECT is((SELECT sum(pg_temp.us(a, b, calendar)) FROM probe), (SELECT sum(pg_temp.us(a, b, calendar)) FROM (SELECT * FROM probe ORDER BY b OFFSET 0) p),
    'the order of rows has no say');

-- Another calendar, and the first again, within a function and one statement of it each.
CREATE FUNCTION pg_temp.edited(OUT before float8, OUT after float8, OUT holiday float8) LANGUAGE plpgsql AS $$
DECLARE
    h float8[];
BEGIN
    FOR i IN 1 .. 3 LOOP
        h[i] := revrtm.business_hours_between('2026-03-02', '2026-03-03', 'default');
        UPDATE revrtm.calendar SET windows = '{Mon 08:00-20:00}' WHERE calendar = 'default';
        IF i = 2 THEN
            INSERT INTO revrtm.calendar_holiday VALUES ('default', '2026-03-02');
        END IF;
    END LOOP;
    before := h[1]; after := h[2]; holiday := h[3];
END
$$;
SELECT is(e::text, '(8,12,0)', 'an edit counts from the next statement on') FROM pg_temp.edited() e;

-- Days and months of instants.
CREATE TEMP TABLE instant AS
SELECT zone, timestamptz '1860-01-01' + random() * interval '300 years' AS at FROM place, generate_series(1, 3000)
UNION ALL
SELECT zone, timestamptz '2011-12-20' + n * interval '7 minutes' FROM place, generate_series(0, 4000) n
UNION ALL
SELECT zone, timestamptz '2016-10-10' + n * interval '7 minutes' FROM place, generate_series(0, 4000) n;
CREATE FUNCTION pg_temp.days_wrong(zone text, OUT days bigint, OUT periods bigint, OUT ends bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('revrtm.timezone', zone, true);
    SELECT count(*) FILTER (WHERE revrtm.local_date(at) <> (at AT TIME ZONE i.zone)::date),
           count(*) FILTER (WHERE revrtm.period(at) <> date_trunc('month', at AT TIME ZONE i.zone)::date),
           count(*) FILTER (WHERE revrtm.day_end(at::date) <> ((at::date + 1)::timestamp AT TIME ZONE i.zone) - interval '1 microsecond')
    INTO days, periods, ends
    FROM instant i WHERE i.zone = days_wrong.zone;
END
$$;
SELECT is(w::text, '(0,0,0)', zone || ': days, months and ends of days') FROM place, pg_temp.days_wrong(zone) w ORDER BY zone COLLATE "C";

-- An hour around midnight that comes twice: the day ends the second time.
SET LOCAL revrtm.timezone = 'America/St_Johns';
SELECT is(revrtm.day_end('2006-10-28'), '2006-10-29 03:29:59.999999+00'::timestamptz, 'the last midnight of two ends the day');
SELECT is((SELECT count(*) FROM generate_series(date '1990-01-01', '2020-12-31', interval '1 day') d, LATERAL revrtm.day_end(d::date) e
           WHERE revrtm.local_date(e) <> d::date OR revrtm.local_date(e + interval '1 microsecond') <> d::date + 1
              OR revrtm.local_date(e + interval '1 hour') <> d::date + 1), 0::bigint, 'and none of it comes after that');

SELECT is_empty($$SELECT d FROM (SELECT date '1900-01-01' + n AS d FROM generate_series(0, 100000, 7) n) s
    WHERE revrtm.period(d) <> date_trunc('month', d::timestamp)::date$$, 'the month of a day');
SELECT results_eq($$SELECT m FROM revrtm.months('1999-12-31', '2026-02-01') m$$,
    $$SELECT m::date FROM generate_series(timestamp '1999-12-01', '2026-02-01', interval '1 month') m$$, 'months in a row');
SELECT * FROM finish();
ROLLBACK;
