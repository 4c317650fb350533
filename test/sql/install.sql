-- The extension installs, and its two versions agree.
CREATE EXTENSION revrtm CASCADE;
SELECT extversion = revrtm.library_version() AS versions_agree
FROM pg_extension WHERE extname = 'revrtm';

-- Settings.
SHOW revrtm.model;
SELECT revrtm.lookback();
SET revrtm.lookback = 0;
SELECT revrtm.lookback() IS NULL AS without_limit;
RESET revrtm.lookback;
SET revrtm.currency = 'dollar';
SET revrtm.timezone = 'Mars/Olympus';
SET revrtm.no_such = 1;
SELECT revrtm.setting('no_such');

-- Today: a zone in the literal counts; otherwise it is revrtm.timezone's.
SET revrtm.timezone = 'Asia/Tokyo';
SET revrtm.as_of = '2026-07-01';
SELECT revrtm.as_of() AT TIME ZONE 'UTC' AS as_of_utc;
SET revrtm.as_of = '2026-07-01 00:00:00+00';
SELECT revrtm.as_of() AT TIME ZONE 'UTC' AS as_of_utc;
SET revrtm.as_of = '2026-07-01 10:00 America/New_York';
SELECT revrtm.as_of() AT TIME ZONE 'UTC' AS as_of_utc;
SET revrtm.as_of = 'next summer';
SELECT revrtm.as_of();
RESET revrtm.as_of;
SELECT revrtm.as_of() = now() AS is_now;
