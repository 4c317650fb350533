-- The real quotas of sales people, and what they sold: attainment, gap and
-- pipeline coverage against plain SQL over the files. Needs the environment
-- variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.as_of = '2014-07-01';
CREATE SCHEMA aw;
CREATE TABLE aw.quota (n int, person text, at timestamp, quota numeric, guid text, modified timestamp);
CREATE TABLE aw.person (person text, territory text, quota numeric, bonus numeric, commission numeric, this_year numeric, last_year numeric, guid text, modified timestamp);
\set load '\\copy aw.quota FROM ''' :data '/adventureworks_oltp/SalesPersonQuotaHistory.csv'' (NULL '''')'
:load
\set load '\\copy aw.person FROM ''' :data '/adventureworks_oltp/SalesPerson.csv'' (NULL '''')'
:load
SELECT plan(11);
SELECT is((SELECT count(*) || ' ' || (SELECT count(*) FROM aw.person) FROM aw.quota), '163 17', 'all rows are loaded');

-- A route for each sales person. The files have what they sold in the last two
-- years: a won deal each, in the person's last quarter with a quota in 2013
-- and 2014; and an open deal over half of the year, expected in that of 2014.
INSERT INTO revrtm.route (route_id, kind) SELECT person, 'direct' FROM aw.person;
INSERT INTO revrtm.target (route_id, period, metric, value) SELECT person, at::date, 'revenue', quota FROM aw.quota;
CREATE TABLE aw.sold AS
SELECT p.person, y.year, CASE y.year WHEN 2013 THEN p.last_year ELSE p.this_year END AS amount, q.last AS day
FROM aw.person p CROSS JOIN (VALUES (2013), (2014)) y (year)
JOIN LATERAL (SELECT max(at)::date AS last FROM aw.quota q WHERE q.person = p.person AND extract(year FROM q.at) = y.year) q ON q.last IS NOT NULL
WHERE CASE y.year WHEN 2013 THEN p.last_year ELSE p.this_year END > 0;
SELECT cmp_ok((SELECT count(*) FROM aw.sold), '>', 20::bigint, 'most people sold in both years');
SELECT revrtm.bind('opportunity', $$SELECT person || ' ' || year AS opportunity_id, 'account ' || person AS account_id, amount, true AS is_closed, true AS is_won,
        (day - interval '30 days') AT TIME ZONE 'UTC' AS created_at, day AS close_date, person AS route_id, NULL::numeric AS probability FROM aw.sold
    UNION ALL
    SELECT person || ' open', 'account ' || person, round(this_year / 2, 4), false, false, '2013-02-01Z', '2014-07-20', person, 0.5 FROM aw.person$$) IS NOT NULL AS bound \gset
SELECT ok((SELECT count(*) FROM revrtm.refresh_journeys()) > 0, 'the store is made');

-- Every quarter of everybody.
SELECT bag_eq($$SELECT route_id, period, target, won FROM revrtm.target_gap$$,
    $$SELECT q.person, date_trunc('month', q.at)::date, q.quota::numeric(20, 4), coalesce((SELECT sum(round(s.amount, 2)) FROM aw.sold s
        WHERE s.person = q.person AND date_trunc('month', s.day::timestamp) = date_trunc('month', q.at)), 0)::numeric(20, 4) FROM aw.quota q$$,
    'the target and what was won, each quarter');
SELECT is_empty('SELECT * FROM revrtm.target_gap WHERE note ~ ''unknown_route|fx''', 'every quota has its sales person');
SELECT throws_ok($$INSERT INTO revrtm.target (route_id, period, metric, value) SELECT person, at::date + 1, 'revenue', 1 FROM aw.quota WHERE extract(day FROM at) < 28 LIMIT 1$$, '23505', NULL,
    'a second quota of a quarter is refused');

-- Attainment of a year.
SELECT bag_eq($$SELECT route_id, extract(year FROM period)::int AS year, sum(target) AS target, sum(won) AS won, round(revrtm.ratio(sum(won), sum(target)), 6) AS attainment, sum(target) - sum(won) AS gap
    FROM revrtm.target_gap WHERE period >= '2013-01-01' GROUP BY 1, 2$$,
    $$SELECT q.person, q.year, q.quota, coalesce(round(s.amount, 2), 0) AS won, round(coalesce(round(s.amount, 2), 0) / nullif(q.quota, 0), 6) AS attainment,
             q.quota - coalesce(round(s.amount, 2), 0) AS gap
      FROM (SELECT person, extract(year FROM at)::int AS year, sum(quota) AS quota FROM aw.quota WHERE at >= '2013-01-01' GROUP BY 1, 2) q LEFT JOIN aw.sold s USING (person, year)$$,
    'attainment by person and year');
SELECT cmp_ok((SELECT count(*) FROM (SELECT FROM revrtm.target_gap WHERE period >= '2014-01-01' GROUP BY route_id HAVING sum(won) >= sum(target)) k), '>', 0::bigint,
    'some made their quota of 2014');

-- Pipeline coverage: what is open at the end of the month over what is missing.
SELECT bag_eq($$SELECT route_id, period, numerator, denominator, round(value, 6), note FROM revrtm.kpi_between('2013-01-01', '2014-06-30', '{period,route}')
        WHERE kpi = 'pipeline_coverage' AND denominator IS NOT NULL$$,
    $$SELECT q.person, q.period, q.open, greatest(q.missing, 0) AS missing, CASE WHEN q.missing > 0 THEN round(q.open / q.missing, 6) END AS coverage, CASE WHEN q.missing <= 0 THEN 'target_met' END AS note
      FROM (SELECT q.person, date_trunc('month', q.at)::date AS period,
                   coalesce((SELECT sum(round(d.amount, 2))
                             FROM (SELECT s.person, s.amount, s.day - 30 AS since, s.day AS until FROM aw.sold s
                                   UNION ALL SELECT p.person, round(p.this_year / 2, 4), '2013-02-01', NULL FROM aw.person p) d
                             WHERE d.person = q.person AND d.since < date_trunc('month', q.at) + interval '1 month'
                               AND coalesce(d.until >= date_trunc('month', q.at) + interval '1 month', true)), 0) AS open,
                   q.quota - coalesce((SELECT sum(round(s.amount, 2)) FROM aw.sold s
                                       WHERE s.person = q.person AND date_trunc('month', s.day::timestamp) = date_trunc('month', q.at)), 0) AS missing
            FROM aw.quota q WHERE q.at >= '2013-01-01') q$$,
    'pipeline coverage of every quarter');
SELECT cmp_ok((SELECT count(*) FROM revrtm.kpi_between('2013-01-01', '2014-06-30', '{period,route}') WHERE kpi = 'pipeline_coverage' AND value > 0), '>', 5::bigint,
    'which some have');

-- All together: the parts sum to the whole.
SELECT results_eq($$SELECT sum(target), sum(won) FROM revrtm.target_gap$$,
    $$SELECT (SELECT sum(quota) FROM aw.quota)::numeric, (SELECT sum(round(amount, 2)) FROM aw.sold)::numeric$$, 'quotas and sales of all');
SELECT * FROM finish();
ROLLBACK;
\else
BEGIN;
SELECT plan(1);
SELECT skip('REVRTM_DATA names no directory with adventureworks_oltp', 1);
SELECT * FROM finish();
ROLLBACK;
\endif
