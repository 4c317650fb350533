-- Tallies: their text and binary forms, what they count, and what they refuse.
\set SHOW_CONTEXT never
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, YMD';
\pset null '-'

-- Text.
SELECT v, pg_input.t, pg_input.t::text = v AS same
FROM (VALUES ('{}'), ('{2025-03/2:12500}'), ('{0001-01/0:-1,0001-01/1:1,9999-12/1048575:170141183460469231731687303715884105727}')) x (v),
     LATERAL (SELECT v::revrtm.tally AS t) pg_input;
CREATE FUNCTION pg_temp.try(v text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    why text;
BEGIN
    RETURN v::revrtm.tally::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || ' ' || why;
END
$$;
SELECT pg_temp.try(v) FROM unnest(ARRAY['', '{', '}', '{}x', '{2025-03/2:1', '{2025-03/2:1}x', '{2025-03/2:1,}', '{2025-3/2:1}', '{2025-13/2:1}',
    '{2025-00/2:1}', '{0000-12/2:1}', '{12025-03/2:1}', '{2025-03/-1:1}', '{2025-03/1048576:1}', '{2025-03/99999999999:1}', '{2025-03/2:0}', '{2025-03/2:}',
    '{2025-03/2:1.5}', '{2025-03/2:170141183460469231731687303715884105728}', '{2025-03/2:11111111111111111111111111111111111111111111111111}',
    '{2025-03/2:1,2025-03/2:1}', '{2025-03/2:1,2025-03/1:1}', '{2025-03/2:1,2025-02/2:1}', '{2025-03:1}', '{a/2:1}', '{2025-03/a:1}']) v;

-- Binary: as it was sent, and forged.
CREATE TEMP TABLE kept (t revrtm.tally);
CREATE TEMP TABLE received (t revrtm.tally);
INSERT INTO kept VALUES ('{}'), ('{0001-01/0:-1,2025-03/7:170141183460469231731687303715884105727}'), (NULL);
\copy kept TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
SELECT t FROM received;
TRUNCATE received;
CREATE TEMP TABLE forged (what text, value bytea);
INSERT INTO forged VALUES
    ('nothing', ''), ('version', '\x02'), ('short', '\x0100'), ('month', '\x01' || int4send(11) || int4send(0) || int8send(0) || int8send(1)),
    ('kind', '\x01' || int4send(24000) || int4send(-1) || int8send(0) || int8send(1)), ('zero', '\x01' || int4send(24000) || int4send(0) || int8send(0) || int8send(0)),
    ('twice', '\x01' || int4send(24000) || int4send(0) || int8send(0) || int8send(1) || int4send(24000) || int4send(0) || int8send(0) || int8send(1));
\copy (SELECT value FROM forged WHERE what = 'nothing') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'version') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'short') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'month') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'kind') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'zero') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)
\copy (SELECT value FROM forged WHERE what = 'twice') TO 'results/tally.bin' (FORMAT binary)
\copy received FROM 'results/tally.bin' (FORMAT binary)

-- Amounts by month: rounded half away from zero, what cancels out is gone.
SELECT revrtm.tally_agg(at, amount) FROM (VALUES (date '2025-01-31', 1.00005), ('2025-01-01', -0.00005), ('2025-02-01', 5), ('2025-02-28', -5), (NULL, 1),
    ('infinity', 1), ('2025-03-01', NULL), ('0001-01-01 BC', 1), ('10000-01-01', 1)) v (at, amount);
SELECT revrtm.tally_agg(at, amount) FROM (SELECT date '2025-01-01' AS at, 1::numeric AS amount WHERE false) v;
SELECT revrtm.tally_agg('2025-01-01', 'NaN');
SELECT revrtm.tally_agg('2025-01-01', 1e15);
SELECT revrtm.rollup(t::revrtm.tally) FROM unnest(ARRAY['{2025-01/0:3}', NULL, '{2025-01/0:-3,2025-01/4:1}', '{}', '{2024-12/4:1}']) t;
SELECT revrtm.rollup(t::revrtm.tally) FROM unnest(ARRAY['{2025-01/0:170141183460469231731687303715884105727}', '{2025-01/0:1}']) t;
SELECT revrtm.tally_accum(NULL, '2025-01-01', 1);
SELECT revrtm.tally_combine('{}', '{}');
SELECT revrtm.deal_tally_merge('{}', '{}', NULL);
SELECT revrtm.retention_accum(NULL, '{}', NULL, NULL);

-- Deals. The month is that of revrtm.timezone, the days are of the calendar.
CREATE FUNCTION pg_temp.deal(created timestamptz, ended timestamptz, won boolean, amount numeric DEFAULT 100, role text DEFAULT NULL,
                             qualified timestamptz DEFAULT NULL, as_of timestamptz DEFAULT '2025-06-30') RETURNS revrtm.tally LANGUAGE sql
RETURN (SELECT revrtm.deal_tally_agg(created, ended, ended IS NOT NULL, won, amount, amount, amount / 2, 2, false, role, qualified, 90, as_of, NULL));
SELECT pg_temp.deal('2025-01-31 23:30Z', '2025-02-01 00:30Z', true) AS "a night in UTC";
SET revrtm.timezone = 'America/New_York';
SELECT pg_temp.deal('2025-01-31 23:30Z', '2025-02-01 00:30Z', true) AS "an evening in New York";
-- Thirty days of the calendar, with an hour less among them.
SELECT pg_temp.deal('2025-03-01 12:00-05', '2025-03-31 12:00-04', true) AS "across a change of the clock";
RESET revrtm.timezone;
SELECT pg_temp.deal('2025-01-05', '2025-01-04', true) AS "created after it ended";
SELECT pg_temp.deal(NULL, '2025-01-04', false) AS "no creation", pg_temp.deal('infinity', NULL, NULL) AS "never",
       pg_temp.deal('2025-01-01', '2025-07-04', true) AS "ends after today", pg_temp.deal('2025-01-01', NULL, NULL, NULL) AS "no amount";
SELECT revrtm.deal_tally_agg('2025-01-05', NULL, true, true, 5, 5, 5, 2, false, NULL, NULL, NULL, NULL, NULL) AS "nobody knows when it ended";
SELECT pg_temp.deal('2025-01-01Z', NULL, NULL, qualified => '2025-04-01Z') AS "on the last day", pg_temp.deal('2025-01-01Z', NULL, NULL, qualified => '2025-04-01 00:00:01Z') AS "late",
       pg_temp.deal('2025-05-01Z', NULL, NULL) AS "has time left";
SELECT revrtm.deal_tally_agg(now(), NULL, false, false, 1, 1, 1, 5, false, NULL, NULL, NULL, NULL, NULL);
SELECT revrtm.deal_tally_agg(now(), NULL, false, false, 'Infinity', 1, 1, 2, false, NULL, NULL, NULL, NULL, NULL);

-- What is read of them.
CREATE TEMP VIEW all_deals AS
SELECT revrtm.rollup(pg_temp.deal(c, e, w, a, r)) AS t
FROM (VALUES (timestamptz '2025-01-05', timestamptz '2025-01-15', true, 100.005, 'sourced'), ('2025-01-05', '2025-01-25', true, -20, 'co_sell'),
             ('2025-01-05', '2025-02-04', true, 40, NULL), ('2025-01-06', '2025-01-08', false, 50, 'influenced'), ('2025-02-07', NULL, NULL, 60, 'sourced'),
             ('2025-03-05', '2025-03-04', true, 70, NULL)) v (c, e, w, a, r);
\x on
SELECT p.* FROM all_deals, revrtm.deal_parts(t, '2024-12-15', '2025-03-15') p;
SELECT p.* FROM all_deals, revrtm.deal_parts(t, '2025-01-01', '2025-03-15', true) p;
\x off
-- Open until the end that is asked for, and a year of revenue behind the last deal.
SELECT p.period, p.open_deals, p.won, p.year_amount, p.year_margin FROM all_deals, revrtm.deal_parts(t, '2025-01-01', '2026-04-01') p;
SELECT count(*), max(period) FROM all_deals, revrtm.deal_parts(t, NULL, NULL);
SELECT count(*) FROM revrtm.deal_parts(NULL, '2025-01-01', '2025-03-15');
SELECT count(*) FROM revrtm.deal_parts('{}', '2025-01-01', '2025-03-15', true);
SELECT * FROM revrtm.deal_parts('{2025-01/1:1}', '2025-03-01', '2025-02-15');
SELECT * FROM revrtm.deal_parts('{2025-01/1:1}', 'infinity', '2025-02-15');
SELECT * FROM revrtm.deal_parts('{2025-01/1:9223372036854775808}', NULL, NULL);
SELECT count(*) FROM revrtm.deal_parts('{2025-01/16:170141183460469231731687303715884105727,2025-02/16:1}', NULL, NULL);
SELECT count(*) FROM revrtm.deal_parts('{2025-01/1:1,2025-01/1001:9223372036854775807,2025-01/1002:1}', NULL, NULL);
SELECT created, cycles FROM revrtm.deal_parts('{2025-01/1:1,2025-01/900:5,2025-01/1001:-9}', NULL, NULL);

-- Customers: one that grows, one that shrinks, one that leaves and comes back, a new one, one in debt.
CREATE TEMP TABLE change (account text, at date, amount numeric);
INSERT INTO change VALUES ('a', '2024-01-10', 100), ('a', '2024-12-10', 50), ('b', '2024-01-10', 100), ('b', '2025-01-10', -40),
    ('c', '2024-01-10', 100), ('c', '2025-01-15', -100), ('c', '2025-02-15', 200), ('d', '2025-01-20', 70), ('e', '2024-01-01', -5);
SELECT p.* FROM (SELECT revrtm.retention_agg(t, '2025-01-01', '2026-03-01') AS t FROM (SELECT revrtm.tally_agg(at, amount) AS t FROM change GROUP BY account) x) r,
    revrtm.retention_parts(r.t, '2025-01-01', '2025-03-01') p;
SELECT p.period, p.accounts, p.lost, p.customers FROM (SELECT revrtm.retention_agg(t, NULL, NULL) AS t FROM (SELECT revrtm.tally_agg(at, amount) AS t FROM change GROUP BY account) x) r,
    revrtm.retention_parts(r.t, NULL, NULL) p WHERE p.period IN ('2024-01-01', '2024-12-01', '2025-02-01', '2026-02-01', '2026-03-01');
SELECT revrtm.retention_agg('{2025-01/0:1}', '2025-02-01', '2025-01-01');
SELECT * FROM revrtm.retention_parts(NULL, NULL, NULL);
DROP VIEW all_deals;
DROP TABLE change, kept, received, forged;
