-- Business time and periods over a million instants, in microseconds a call
-- above the bare scan. Run: psql -X -f bench/calendar.sql
-- Each figure is of seven interleaved rounds: the median and the best.
\set ON_ERROR_STOP 1
\timing off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS revrtm CASCADE;
SET TimeZone = 'UTC';
SET revrtm.timezone = 'America/New_York';
SET max_parallel_workers_per_gather = 0;
SELECT setseed(0.5) \g /dev/null
INSERT INTO revrtm.calendar (calendar, timezone, windows)
VALUES ('bench', 'America/New_York', '{Mon-Fri 09:00-12:00,Mon-Thu 13:00-17:30,Fri 13:00-16:00,Sat 10:00-14:00}');
INSERT INTO revrtm.calendar_holiday (calendar, holiday)
SELECT 'bench', make_date(y, m, 1 + 7 * m % 28) FROM generate_series(2000, 2039) y, generate_series(1, 12) m;
CREATE TEMP TABLE bench_instant AS
SELECT timestamptz '2010-01-01' + random() * interval '20 years' AS a,
       timestamptz '2010-01-01' + random() * interval '20 years' AS b, random() * 200 - 20 AS hours
FROM generate_series(1, 1000000);
VACUUM (FREEZE, ANALYZE) bench_instant;
CREATE TEMP TABLE bench_arm (arm text, query text);
INSERT INTO bench_arm VALUES
    ('the bare scan', 'SELECT count(a), count(b), count(hours) FROM bench_instant'),
    ('business_hours_between, default', 'SELECT count(revrtm.business_hours_between(a, b)), count(b), count(hours) FROM bench_instant'),
    ('add_business_hours, default', 'SELECT count(revrtm.add_business_hours(a, hours)), count(b), count(hours) FROM bench_instant'),
    ('business_hours_between, New York, 480 holidays', 'SELECT count(revrtm.business_hours_between(a, b, ''bench'')), count(b), count(hours) FROM bench_instant'),
    ('add_business_hours, New York, 480 holidays', 'SELECT count(revrtm.add_business_hours(a, hours, ''bench'')), count(b), count(hours) FROM bench_instant'),
    ('period', 'SELECT count(revrtm.period(a)), count(b), count(hours) FROM bench_instant'),
    ('date_trunc of AT TIME ZONE', 'SELECT count(date_trunc(''month'', a AT TIME ZONE ''America/New_York'')::date), count(b), count(hours) FROM bench_instant'),
    ('local_date', 'SELECT count(revrtm.local_date(a)), count(b), count(hours) FROM bench_instant'),
    ('date of AT TIME ZONE', 'SELECT count((a AT TIME ZONE ''America/New_York'')::date), count(b), count(hours) FROM bench_instant');
CREATE TEMP TABLE bench_time (arm text, us float8);
DO $$
DECLARE
    r record;
    started timestamptz;
BEGIN
    FOR r IN SELECT arm, query FROM generate_series(1, 7) round, bench_arm ORDER BY round LOOP
        started := clock_timestamp();
        EXECUTE r.query;
        INSERT INTO bench_time VALUES (r.arm, extract(epoch FROM clock_timestamp() - started));
    END LOOP;
END
$$;
-- Seconds for a million calls are microseconds for one.
SELECT arm, round((median - scan)::numeric, 3) AS us_a_call, round((best - scan_best)::numeric, 3) AS best_us,
       round(median::numeric, 3) AS s_a_million
FROM (SELECT arm, percentile_cont(0.5) WITHIN GROUP (ORDER BY us) AS median, min(us) AS best FROM bench_time GROUP BY arm) t,
     (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY us) AS scan, min(us) AS scan_best FROM bench_time WHERE arm = 'the bare scan') s
ORDER BY (SELECT min(b.ctid) FROM bench_arm b WHERE b.arm = t.arm);
