-- Time: months and days of reporting, business time, and the programme's own
-- zone. Nothing else in the extension turns instants into days or months.

CREATE FUNCTION revrtm.timezone_is_valid(timezone text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_timezone_is_valid';
COMMENT ON FUNCTION revrtm.timezone_is_valid(text) IS
'Whether the server knows the time zone: true, or 22023.';

-- Days and months.

CREATE FUNCTION revrtm.local_date(at timestamptz) RETURNS date
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_local_date';
COMMENT ON FUNCTION revrtm.local_date(timestamptz) IS
'The day of an instant in revrtm.timezone; infinities stay infinite.';

CREATE FUNCTION revrtm.day_end(day date) RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_day_end';
COMMENT ON FUNCTION revrtm.day_end(date) IS
'The last instant, to the microsecond, whose day in revrtm.timezone is that one (or before it, where the zone skipped the day); infinities stay infinite. 22008 out of range.';

CREATE FUNCTION revrtm.period(at timestamptz) RETURNS date
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_period_at';
COMMENT ON FUNCTION revrtm.period(timestamptz) IS
'The period of an instant: the first day of its month in revrtm.timezone; infinities stay infinite. 22008 out of range.';

CREATE FUNCTION revrtm.period(day date) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_period_day';
COMMENT ON FUNCTION revrtm.period(date) IS
'The period of a day: the first day of its month; infinities stay infinite. 22008 out of range.';

CREATE FUNCTION revrtm.months(first date, last date) RETURNS SETOF date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 12
AS 'MODULE_PATHNAME', 'revrtm_months';
COMMENT ON FUNCTION revrtm.months(date, date) IS
'The periods from that of the first day to that of the last. 22023 where last is before first, one is infinite, or there are more than 1200.';

-- Business time.

CREATE FUNCTION revrtm.calendar_is_valid(calendar text, timezone text, windows text[]) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_calendar_is_valid';
COMMENT ON FUNCTION revrtm.calendar_is_valid(text, text, text[]) IS
'Whether the time zone and the windows make a calendar: true, or 22023 naming the calendar and saying what is wrong: an unknown zone, no window, one that is empty or cannot be read, two that overlap.';

CREATE TABLE revrtm.calendar (
    calendar text PRIMARY KEY CHECK (calendar <> ''),
    timezone text NOT NULL DEFAULT 'UTC',
    windows  text[] NOT NULL DEFAULT '{Mon-Fri 09:00-17:00}',
    shipped  boolean NOT NULL DEFAULT false,
    CONSTRAINT calendar_valid CHECK (revrtm.calendar_is_valid(calendar, timezone, windows))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.calendar', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.calendar IS
'Calendars of business time. An instant is business time when the clock of the zone then shows a time inside a window of its weekday, on a day that is no holiday.';
COMMENT ON COLUMN revrtm.calendar.calendar IS 'Name of the calendar; default is shipped.';
COMMENT ON COLUMN revrtm.calendar.timezone IS 'Time zone whose clock counts, a name of pg_timezone_names.';
COMMENT ON COLUMN revrtm.calendar.windows IS
'Weekly windows, such as {Mon-Thu 09:00-12:00,Mon-Thu 13:00-17:00,Sat 10:00-24:00}: a weekday or a range of them (Sun-Thu too), and hours from 00:00 to 24:00. They must not overlap; one that goes past midnight is two.';
COMMENT ON COLUMN revrtm.calendar.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.calendar (calendar, shipped) VALUES ('default', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.calendar
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('calendar');
SELECT revrtm.register_policy('revrtm.calendar');

CREATE TABLE revrtm.calendar_holiday (
    calendar     text CHECK (calendar <> ''),
    holiday      date,
    holiday_name text,
    PRIMARY KEY (calendar, holiday),
    CONSTRAINT calendar_holiday_finite CHECK (holiday BETWEEN '0001-01-01' AND '9999-12-31')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.calendar_holiday', '');
SELECT revrtm.register_policy('revrtm.calendar_holiday');
COMMENT ON TABLE revrtm.calendar_holiday IS
'Days without business time. No foreign key, for a parallel restore loads tables in any order; a row of no calendar has no effect.';
COMMENT ON COLUMN revrtm.calendar_holiday.calendar IS 'The calendar.';
COMMENT ON COLUMN revrtm.calendar_holiday.holiday IS 'A day of the calendar''s zone, in the years 1 to 9999.';
COMMENT ON COLUMN revrtm.calendar_holiday.holiday_name IS 'What is celebrated.';

CREATE FUNCTION revrtm.business_hours_between(a timestamptz, b timestamptz, calendar text DEFAULT 'default')
RETURNS double precision
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_business_hours_between';
COMMENT ON FUNCTION revrtm.business_hours_between(timestamptz, timestamptz, text) IS
'Hours of business time from a to b by a calendar, exact to the microsecond; negative where b is before a, and then the negative of those from b to a. An hour that the clock repeats counts twice, one that it skips not at all. 22008 outside the years 1 to 9999, 22023 for an unknown calendar.';

CREATE FUNCTION revrtm.add_business_hours(at timestamptz, hours double precision, calendar text DEFAULT 'default')
RETURNS timestamptz
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_add_business_hours';
COMMENT ON FUNCTION revrtm.add_business_hours(timestamptz, double precision, text) IS
'The earliest instant at which so many hours of business time, rounded to the microsecond, have passed since that one: a term that fills a window ends when it closes. Negative hours go back, to the latest instant from which so many lead to that one: at an opening, rather than the close before. No hours: the instant itself. 22008 for an instant outside the years 1 to 9999, 22003 for hours that lead there, 22023 for an unknown calendar.';

GRANT SELECT ON revrtm.calendar, revrtm.calendar_holiday TO PUBLIC;

-- The programme's terms.

CREATE TABLE revrtm.programme (
    programme       text PRIMARY KEY DEFAULT 'default' CHECK (programme = 'default'),
    timezone        text NOT NULL DEFAULT 'UTC' CHECK (revrtm.timezone_is_valid(timezone)),
    calendar        text NOT NULL DEFAULT 'default' CHECK (calendar <> ''),
    protection_days integer NOT NULL DEFAULT 90 CHECK (protection_days > 0),
    shipped         boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.programme', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.programme IS
'Terms of the partner programme: one row, which is shipped. They are the programme''s, not the session''s, so that a day of protection is the same for everybody.';
COMMENT ON COLUMN revrtm.programme.programme IS 'default; there is one programme.';
COMMENT ON COLUMN revrtm.programme.timezone IS 'Time zone in which days of protection begin and end, a name of pg_timezone_names.';
COMMENT ON COLUMN revrtm.programme.calendar IS 'The calendar of its terms in business hours.';
COMMENT ON COLUMN revrtm.programme.protection_days IS 'Days that a protection lasts unless it is given.';
COMMENT ON COLUMN revrtm.programme.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.programme (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.programme
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('programme');
SELECT revrtm.register_policy('revrtm.programme');
GRANT SELECT ON revrtm.programme TO PUBLIC;

CREATE FUNCTION revrtm.programme_date(at timestamptz) RETURNS date
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_programme_date';
COMMENT ON FUNCTION revrtm.programme_date(timestamptz) IS
'The day of an instant in the programme''s own zone, in which protection is counted; infinities stay infinite. 55000 where revrtm.programme has no row.';
