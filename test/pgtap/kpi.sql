-- KPIs of random deals, touches, spend and revenue against plain SQL, at
-- every grain; and that states merge whichever way they were split.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL revrtm.timezone = 'America/New_York';
SET LOCAL revrtm.as_of = '2026-05-17 15:00Z';
CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE SCHEMA kp;
-- Some end before they begin, some ended nobody knows when, some in the future; amounts below zero and to the tenth of a cent.
CREATE TABLE kp.deal AS
SELECT 'd' || i AS id, 'a' || pg_temp.draw(i || 'account', 400) AS account, (ARRAY['direct', 'resell', 'co_sell'])[1 + pg_temp.draw(i || 'route', 3)] AS route,
       (ARRAY['smb', 'ent', NULL])[1 + pg_temp.draw(i || 'segment', 3)] AS segment, (ARRAY['na', 'emea', NULL])[1 + pg_temp.draw(i || 'region', 3)] AS region,
       (ARRAY['p1', 'p2'])[1 + pg_temp.draw(i || 'product', 2)] AS product,
       CASE WHEN i % 97 > 0 THEN timestamptz '2024-01-01Z' + pg_temp.draw(i || 'created', 900 * 1440) * interval '1 minute' END AS created,
       CASE WHEN i % 89 > 0 THEN timestamptz '2024-01-01Z' + (pg_temp.draw(i || 'created', 900 * 1440) + pg_temp.draw(i || 'took', 200000) - 4000) * interval '1 minute' END AS closed,
       pg_temp.draw(i || 'closed', 4) > 0 AS is_closed, pg_temp.draw(i || 'won', 3) = 0 AS won,
       CASE WHEN i % 31 > 0 THEN (pg_temp.draw(i || 'amount', 1000000) - 50000)::numeric / 1000 END AS amount,
       (ARRAY['EUR', 'XXX', NULL, NULL, 'USD'])[1 + pg_temp.draw(i || 'currency', 5)] AS currency,
       CASE WHEN i % 3 > 0 THEN (pg_temp.draw(i || 'margin', 500000) - 100000)::numeric / 1000 END AS margin
FROM generate_series(1, 3000) i;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, is_closed, is_closed AND won AS is_won, created AS created_at, NULL::date AS close_date,
    closed AS closed_at, route AS route_id, segment, region, product, currency, margin FROM kp.deal$$) \g /dev/null
SELECT revrtm.bind('account', $$SELECT 'a' || i AS account_id, NULL::text AS account_name, 'a' || i / 2 AS merged_into FROM generate_series(300, 399) i$$) \g /dev/null
SELECT revrtm.bind('fx_rate', $$SELECT 'EUR'::text AS from_currency, 'USD'::text AS to_currency, d::date AS on_date, 1 + (extract(doy FROM d) / 1000) AS rate FROM generate_series(timestamp '2024-03-01', '2027-01-01', '1 day') d$$) \g /dev/null
SELECT revrtm.bind('opportunity_stage', $$SELECT id AS opportunity_id, (ARRAY['SQO', 'Sales accepted', 'Demo'])[1 + length(id) % 3]::text AS stage, created + hashtext(id) % 130 * interval '1 day' AS entered_at
    FROM kp.deal WHERE created IS NOT NULL$$) \g /dev/null
SELECT revrtm.bind('spend', $$SELECT 's' || i AS spend_id, date '2024-01-01' + i * 7 % 900 AS period, (ARRAY['direct', 'resell', 'other'])[1 + i % 3]::text AS route_id, (ARRAY['mdf', 'tools'])[1 + i % 2]::text AS category,
    i::numeric AS amount, (ARRAY[NULL, 'EUR', 'XXX'])[1 + i % 3]::text AS currency FROM generate_series(1, 500) i$$) \g /dev/null
SELECT revrtm.bind('revenue_event', $$SELECT 'e' || i AS event_id, 'a' || i % 450 AS account_id, date '2023-06-01' + (hashtext(i::text) & 1023) AS at, 'change'::text AS kind,
    ((hashtext(i || 'x') & 1023) - 400)::numeric AS amount, (ARRAY[NULL, 'EUR'])[1 + i % 2]::text AS currency FROM generate_series(1, 2500) i$$) \g /dev/null
UPDATE revrtm.kpi_rule SET sqo_stages = '{SQO,"Sales accepted"}', cac_lag = 1, cac_categories = '{mdf}';
UPDATE revrtm.route SET default_margin = 0.3 WHERE route_id = 'resell';
SELECT plan(33);
SELECT is((SELECT inserted FROM revrtm.refresh_journeys()), 3000::bigint, 'the store is made');
SELECT lives_ok('SELECT revrtm.refresh_marks()', 'deals are marked');
UPDATE revrtm.deal_mark SET role = (ARRAY['sourced', 'co_sell', 'influenced', NULL])[1 + pg_temp.draw(opportunity_id || 'role', 4)];

-- The deals as plain SQL sees them.
CREATE TEMP TABLE plain AS
SELECT d.route, coalesce(d.segment, '(none)') AS segment, coalesce(d.region, '(none)') AS region, d.product, d.margin IS NULL AS estimated, m.role,
       x.is_closed, x.is_closed AND d.won AS is_won, d.created, CASE WHEN x.is_closed THEN d.closed END AS closed, m.qualified_at,
       (d.created AT TIME ZONE 'America/New_York')::date AS created_on, CASE WHEN x.is_closed THEN (d.closed AT TIME ZONE 'America/New_York')::date END AS closed_on,
       revrtm.reporting_amount(d.amount, d.currency, (d.created AT TIME ZONE 'America/New_York')::date) AS opening,
       revrtm.reporting_amount(d.amount, d.currency, (d.closed AT TIME ZONE 'America/New_York')::date) AS amount,
       revrtm.reporting_amount(coalesce(d.margin, d.amount * CASE d.route WHEN 'resell' THEN 0.3 ELSE 1 END), d.currency, (d.closed AT TIME ZONE 'America/New_York')::date) AS margin
FROM kp.deal d LEFT JOIN revrtm.deal_mark m ON m.opportunity_id = d.id,
     LATERAL (SELECT d.is_closed AND coalesce(d.closed <= '2026-05-17 15:00Z', true) AS is_closed) x;
CREATE TEMP TABLE month AS SELECT m::date AS period, (m + interval '1 month')::date AS until FROM generate_series(timestamp '2024-01-01', '2026-05-01', '1 month') m;
CREATE FUNCTION pg_temp.plain(by text[], first date, last date) RETURNS TABLE (period date, route_id text, segment text, region text, product text, kpi text, value numeric, numerator numeric, denominator numeric, n bigint)
LANGUAGE sql AS $$
    WITH m AS (SELECT CASE WHEN 'period' = ANY (by) THEN m.period ELSE first END AS period, m.period AS this, m.until FROM month m WHERE m.period BETWEEN first AND last),
    span AS (SELECT m.period, min(m.this) AS this, max(m.until) AS until FROM m GROUP BY m.period),
    k AS (SELECT s.*, CASE WHEN 'route' = ANY (by) THEN p.route ELSE '(all)' END AS r, CASE WHEN 'segment' = ANY (by) THEN p.segment ELSE '(all)' END AS s,
                 CASE WHEN 'region' = ANY (by) THEN p.region ELSE '(all)' END AS g, CASE WHEN 'product' = ANY (by) THEN p.product ELSE '(all)' END AS t, p.*,
                 coalesce(p.created_on >= s.this AND p.created_on < s.until, false) AS c, coalesce(p.closed_on >= s.this AND p.closed_on < s.until, false) AS e,
                 coalesce(p.created_on < s.until, false) AND (NOT p.is_closed OR coalesce(p.closed_on >= s.until AND p.closed_on >= p.created_on, false)) AS o FROM span s, plain p),
    a AS (SELECT k.period, k.r, k.s, k.g, k.t, count(*) FILTER (WHERE c) AS created, coalesce(sum(opening) FILTER (WHERE c), 0) AS created_amount,
                 count(*) FILTER (WHERE c AND role = 'sourced') AS sourced, coalesce(sum(opening) FILTER (WHERE c AND role = 'sourced'), 0) AS sourced_amount,
                 count(*) FILTER (WHERE c AND role IN ('co_sell', 'influenced')) AS helped, coalesce(sum(opening) FILTER (WHERE c AND role IN ('co_sell', 'influenced')), 0) AS helped_amount,
                 count(*) FILTER (WHERE c AND is_won) AS created_won, count(*) FILTER (WHERE c AND is_closed) AS created_closed,
                 count(*) FILTER (WHERE c AND qualified_at <= least(created + interval '2160 hours', '2026-05-17 15:00Z')) AS qualified,
                 count(*) FILTER (WHERE e AND is_won) AS won, count(*) FILTER (WHERE e) AS closed, coalesce(sum(amount) FILTER (WHERE e AND is_won), 0) AS won_amount,
                 coalesce(sum(margin) FILTER (WHERE e AND is_won AND amount IS NOT NULL), 0) AS margin, count(*) FILTER (WHERE e AND is_won AND created_on <= closed_on) AS cycles,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_on - created_on) FILTER (WHERE e AND is_won AND created_on <= closed_on) AS median,
                 percentile_cont(0.9) WITHIN GROUP (ORDER BY closed_on - created_on) FILTER (WHERE e AND is_won AND created_on <= closed_on) AS p90,
                 count(*) FILTER (WHERE o) AS open, coalesce(sum(opening) FILTER (WHERE o), 0) AS open_amount, count(*) FILTER (WHERE e AND created_on > closed_on) AS reversed
          FROM k GROUP BY 1, 2, 3, 4, 5)
    SELECT a.period, a.r, a.s, a.g, a.t, v.* FROM a, LATERAL (VALUES
        ('sourced_pipeline', sourced_amount, sourced_amount, created_amount, sourced), ('influenced_pipeline', helped_amount, helped_amount, created_amount, helped),
        ('win_rate', won / nullif(closed, 0)::numeric, won, closed, closed), ('win_rate_created', created_won / nullif(created_closed, 0)::numeric, created_won, created_closed, created),
        ('cycle_time_median', median::numeric, NULL, NULL, cycles), ('cycle_time_p90', p90::numeric, NULL, NULL, cycles),
        ('velocity', open_amount * (won / nullif(closed, 0)::numeric) / nullif(median::numeric, 0), open_amount * (won / nullif(closed, 0)::numeric), median::numeric, open),
        ('gross_margin', margin / nullif(won_amount, 0), margin, won_amount, won)) v WHERE created + closed + open + reversed > 0
    UNION ALL
    SELECT a.period, a.r, a.s, a.g, a.t, 'sqo_rate', qualified / created::numeric, qualified, created, created FROM a WHERE created > 0
$$;
CREATE FUNCTION pg_temp.ours(by text[], first date, last date) RETURNS TABLE (period date, route_id text, segment text, region text, product text, kpi text, value numeric, numerator numeric, denominator numeric, n bigint)
LANGUAGE sql AS $$
    SELECT k.period, k.route_id, k.segment, k.region, k.product, k.kpi, k.value, k.numerator, k.denominator, k.n FROM revrtm.kpi_between(first, last, by) k
    WHERE k.kpi IN ('sourced_pipeline', 'influenced_pipeline', 'win_rate', 'win_rate_created', 'cycle_time_median', 'cycle_time_p90', 'velocity', 'gross_margin', 'sqo_rate')
$$;
-- Divided in another order, numerics differ behind their twelfth place.
CREATE FUNCTION pg_temp.differ(by text[], first date, last date) RETURNS bigint LANGUAGE sql AS $$
    WITH x AS (SELECT period, route_id, segment, region, product, kpi, round(value, 9), round(numerator, 9), round(denominator, 9), n FROM pg_temp.plain(by, first, last)),
         y AS (SELECT period, route_id, segment, region, product, kpi, round(value, 9), round(numerator, 9), round(denominator, 9), n FROM pg_temp.ours(by, first, last))
    SELECT (SELECT count(*) FROM (TABLE x EXCEPT ALL TABLE y) z) + (SELECT count(*) FROM (TABLE y EXCEPT ALL TABLE x) z)
$$;
SELECT ok((SELECT count(*) > 5000 FROM pg_temp.ours('{period,route,segment,region,product}', '2024-01-01', '2026-05-01')), 'there is a lot to compare');
SELECT is(pg_temp.differ('{period,route,segment,region,product}', '2024-01-01', '2026-05-31'), 0::bigint, 'every month in every cell');
SELECT is(pg_temp.differ('{period,route,segment,region,product}', '2025-02-01', '2025-07-01'), 0::bigint, 'some months in every cell');
SELECT is(pg_temp.differ('{period,route}', '2024-11-01', '2025-10-01'), 0::bigint, 'by month and route: a coarser grain is not made of the finer one');
SELECT is(pg_temp.differ('{segment,product}', '2024-06-01', '2025-10-01'), 0::bigint, 'months as one, by segment and product');
SELECT is(pg_temp.differ('{}', '2025-01-01', '2025-12-01'), 0::bigint, 'a year of the whole company');
-- What adds up: numerators and denominators of every cell to those of the whole.
SELECT is_empty($$SELECT * FROM (SELECT kpi, sum(numerator) AS numerator, sum(denominator) AS denominator FROM revrtm.kpi WHERE period BETWEEN '2024-06-01' AND '2025-05-01'
                                 AND kpi IN ('sourced_pipeline', 'influenced_pipeline', 'win_rate', 'win_rate_created', 'sqo_rate', 'gross_margin', 'cac') GROUP BY kpi) x
                  FULL JOIN (SELECT kpi, numerator, denominator FROM revrtm.kpi_between('2024-06-01', '2025-05-31', '{}')
                             WHERE kpi IN ('sourced_pipeline', 'influenced_pipeline', 'win_rate', 'win_rate_created', 'sqo_rate', 'gross_margin', 'cac')) y USING (kpi)
                  WHERE x.numerator IS DISTINCT FROM y.numerator OR x.denominator IS DISTINCT FROM y.denominator$$, 'the cells sum to the whole');
SELECT bag_eq($$SELECT * FROM pg_temp.ours('{period,region}', '2025-01-01', '2025-06-30')$$,
    $$SELECT * FROM pg_temp.ours('{region,period,period}', '2025-01-31', '2025-06-01')$$, 'neither the order of dimensions nor the day of a month counts');
-- Workers change nothing.
CREATE TEMP TABLE serial AS SELECT * FROM revrtm.kpi_between('2024-01-01', '2026-05-31');
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SELECT bag_eq($$SELECT * FROM revrtm.kpi_between('2024-01-01', '2026-05-31')$$, 'TABLE serial', 'in parallel: the same to the bit');
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
-- Split at random and merged, tallies are the same bytes.
CREATE TEMP TABLE cut AS
SELECT revrtm.deal_tally_agg(p.created, p.closed, p.is_closed, p.is_won, p.opening, p.amount, p.margin, 2, p.estimated, p.role, p.qualified_at, 90, '2026-05-17', NULL) AS t, p.part
FROM (SELECT *, floor(random() * 40) AS part FROM plain ORDER BY random()) p GROUP BY p.part;
SELECT is((SELECT revrtm.rollup(t)::text FROM cut),
    (SELECT revrtm.deal_tally_agg(p.created, p.closed, p.is_closed, p.is_won, p.opening, p.amount, p.margin, 2, p.estimated, p.role, p.qualified_at, 90, '2026-05-17', NULL)::text FROM plain p), 'parts merge to the whole');
SELECT is((SELECT revrtm.rollup(x.t)::text FROM (SELECT revrtm.rollup(t) AS t FROM cut GROUP BY part::int % 3) x), (SELECT revrtm.rollup(t)::text FROM cut), 'in two steps too');
SELECT is_empty($$SELECT m.period, w.whole FROM month m, (VALUES (true), (false)) w (whole)
                  WHERE (SELECT array_agg(p::text ORDER BY p.period) FROM (SELECT revrtm.rollup(t) AS t FROM cut) c, revrtm.deal_parts(c.t, m.period, '2026-05-01', w.whole) p)
                        IS DISTINCT FROM
                        (SELECT array_agg(p::text ORDER BY p.period) FROM (SELECT revrtm.deal_rollup(t, m.period) AS t FROM cut) c, revrtm.deal_parts(c.t, m.period, '2026-05-01', w.whole) p)$$,
    'what deal_rollup leaves out, later months do not need');
SELECT ok((SELECT pg_column_size(revrtm.deal_rollup(t, '2025-06-01')) < pg_column_size(revrtm.rollup(t)) / 2 FROM cut), 'and it does leave out');

-- What refresh_marks() kept against the deals themselves: whatever is asked, as of whatever instant.
CREATE FUNCTION pg_temp.unlike(made text, asked text, by text[], first date, last date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM set_config('revrtm.as_of', made, true);
    PERFORM revrtm.refresh_tallies();
    PERFORM set_config('revrtm.as_of', asked, true);
    CREATE TEMP TABLE x AS SELECT * FROM revrtm.kpi_between(first, last, by);
    UPDATE revrtm.tally_refresh SET basis = NULL;
    CREATE TEMP TABLE y AS SELECT * FROM revrtm.kpi_between(first, last, by);
    SELECT (SELECT count(*) FROM (TABLE x EXCEPT ALL TABLE y) z) + (SELECT count(*) FROM (TABLE y EXCEPT ALL TABLE x) z)
           + CASE WHEN EXISTS (SELECT FROM x) THEN 0 ELSE 1000000 END INTO n;
    DROP TABLE x, y;
    PERFORM set_config('revrtm.as_of', '2026-05-17 15:00Z', true);
    RETURN n;
END $$;
SELECT is(pg_temp.unlike('2026-05-17 15:00Z', '2026-05-17 15:00Z', '{period,route,segment,region,product}', NULL, '2026-05-01'), 0::bigint, 'kept: every month in every cell');
SELECT is(pg_temp.unlike('2026-05-17 15:00Z', '2026-05-17 15:00Z', '{period,route,segment,region,product}', '2025-06-01', '2026-05-01'), 0::bigint, 'kept: a year in every cell');
SELECT is(pg_temp.unlike('2026-02-10', '2026-05-17 15:00Z', '{period,route,segment,region,product}', '2025-06-01', '2026-05-01'), 0::bigint, 'kept three months ago');
SELECT is(pg_temp.unlike('2025-03-03', '2025-09-09 09:00Z', '{period,segment}', NULL, NULL), 0::bigint, 'kept half a year before an instant of the past');
SELECT is(pg_temp.unlike('2025-03-03', '2027-01-01', '{period,route}', '2025-01-15', NULL), 0::bigint, 'kept before much was closed');
SELECT is(pg_temp.unlike('2026-05-10', '2026-05-17 15:00Z', '{route,region}', '2025-02-01', '2025-11-01'), 0::bigint, 'kept, months as one');
SELECT is(pg_temp.unlike('2026-05-10', '2026-05-17 15:00Z', '{}', NULL, NULL), 0::bigint, 'kept, all as one');
SELECT is(pg_temp.unlike('2026-05-17 15:00Z', '2026-05-10', '{period,route}', '2025-06-01', NULL), 0::bigint, 'of no use for an earlier instant');
SELECT revrtm.refresh_tallies() \g /dev/null
SELECT ok((SELECT count(*) > 10 FROM revrtm.deal_unsettled WHERE currency IS NULL) AND (SELECT count(*) BETWEEN 1000 AND 2000 FROM revrtm.deal_unsettled), 'some deals are left to be counted anew, and not all');
-- A cell taken out is missed where tallies are read, and only there.
CREATE TEMP TABLE whole AS SELECT * FROM revrtm.kpi_between('2024-01-01', '2026-05-31');
CREATE FUNCTION pg_temp.is_read() RETURNS boolean LANGUAGE sql AS
$$ SELECT (SELECT sum(n) FROM revrtm.kpi_between('2024-01-01', '2026-05-31') WHERE kpi = 'win_rate') < 0.9 * (SELECT sum(n) FROM whole WHERE kpi = 'win_rate') $$;
DELETE FROM revrtm.deal_tally WHERE cell % 2 = 0;
SELECT ok(pg_temp.is_read(), 'the tallies are read');
CREATE FUNCTION pg_temp.read_after(change text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    answer boolean;
BEGIN
    EXECUTE change;
    answer := pg_temp.is_read();
    RAISE SQLSTATE 'XX999';
EXCEPTION WHEN SQLSTATE 'XX999' THEN
    RETURN answer;
END $$;
SELECT is_empty($$SELECT what FROM unnest(ARRAY['UPDATE revrtm.deal_journey SET is_won = is_won WHERE opportunity_id = ''d1''', 'DELETE FROM revrtm.deal_mark WHERE false',
    'INSERT INTO revrtm.account_merge VALUES (''x'', ''y'')', 'TRUNCATE revrtm.deal_mark', 'SELECT revrtm.refresh_journeys()']) what WHERE pg_temp.read_after(what)$$,
    'not after a write to deals, marks or merges');
SELECT is_empty($$SELECT what FROM unnest(ARRAY['UPDATE revrtm.route SET default_margin = 0.31 WHERE route_id = ''resell''', 'UPDATE revrtm.kpi_rule SET sqo_days = 91', 'UPDATE revrtm.kpi_rule SET sqo_stages = ''{}''',
    'SET LOCAL revrtm.as_of = ''2026-05-17 14:59Z''', 'SET LOCAL revrtm.timezone = ''UTC''', 'DELETE FROM revrtm.tally_refresh', 'INSERT INTO revrtm.currency (currency, scale) VALUES (''USD'', 3)']) what
    WHERE pg_temp.read_after(what)$$, 'nor under other terms, or before they were made');
SELECT ok(pg_temp.read_after('SET LOCAL revrtm.as_of = ''2026-06-01''') AND pg_temp.read_after('INSERT INTO revrtm.currency (currency, scale) VALUES (''ZZZ'', 1)'), 'but at a later instant, and where nothing of theirs changed');
SELECT ok(revrtm.refresh_marks() > 0 AND NOT pg_temp.is_read() AND (SELECT basis IS NOT NULL FROM revrtm.tally_refresh), 'refresh_marks makes them');

-- Customers and their revenue.
CREATE TEMP TABLE customer AS
SELECT DISTINCT ON (1) revrtm.canonical_account(account) AS account, route, segment, region, (closed AT TIME ZONE 'America/New_York')::date AS won_on
FROM kp.deal WHERE is_closed AND won AND closed <= '2026-05-17 15:00Z' ORDER BY 1, closed, id COLLATE "C";
CREATE TEMP TABLE change AS SELECT revrtm.canonical_account(account_id) AS account, at, amount, currency, event_id FROM revrtm.revenue_event;
CREATE TEMP TABLE level AS
SELECT m.period, a.account, sum(e.amount) FILTER (WHERE e.at < m.until) AS now, coalesce(sum(e.amount) FILTER (WHERE e.at < m.until - interval '1 year'), 0) AS before
-- Each currency of a customer at the rate of its first day there, its total rounded.
FROM (SELECT account, at, level - lag(level, 1, 0.0) OVER (PARTITION BY account, currency ORDER BY at, event_id COLLATE "C") AS amount
      FROM (SELECT *, revrtm.reporting_amount((SELECT sum(y.amount) FROM change y
                                               WHERE y.account = x.account AND y.currency IS NOT DISTINCT FROM x.currency
                                                 AND (y.at, y.event_id COLLATE "C") <= (x.at, x.event_id)),
                                              x.currency, (SELECT min(y.at) FROM change y WHERE y.account = x.account AND y.currency = x.currency)) AS level
            FROM change x) x) e
     JOIN month m ON e.at < m.until, LATERAL (SELECT e.account) a GROUP BY 1, 2;
SELECT bag_eq($$SELECT period, route_id, segment, region, kpi, round(value, 9), numerator, denominator, n FROM revrtm.kpi_between('2024-01-01', '2026-05-01') WHERE kpi IN ('nrr', 'grr')$$,
    $$SELECT l.period, coalesce(c.route, '(none)') AS route, coalesce(c.segment, '(none)') AS segment, coalesce(c.region, '(none)') AS region, v.kpi, round(sum(v.part) / nullif(sum(l.before) FILTER (WHERE l.before > 0), 0), 9),
             coalesce(sum(v.part), 0) AS part, coalesce(sum(l.before) FILTER (WHERE l.before > 0), 0) AS base, count(*) FILTER (WHERE l.before > 0) AS n
      FROM level l LEFT JOIN customer c ON c.account = l.account,
           LATERAL (VALUES ('nrr', CASE WHEN l.before > 0 THEN greatest(l.now, 0) END), ('grr', CASE WHEN l.before > 0 THEN greatest(least(l.now, l.before), 0) END)) v (kpi, part)
      WHERE l.before > 0 OR l.now > 0 GROUP BY 1, 2, 3, 4, 5$$, 'what is kept of revenue, by where the customer came from');
SELECT ok((SELECT bool_and(coalesce(g.value <= n.value AND g.value <= 1, true)) FROM revrtm.kpi g JOIN revrtm.kpi n ON n.kpi = 'nrr' AND replace(n.kpi_key, 'nrr:', 'grr:') = g.kpi_key), 'without growth it is never more, nor more than all');
SELECT bag_eq($$SELECT period, route_id, round(value, 9), numerator, coalesce(denominator, 0) AS customers FROM revrtm.kpi_between('2024-01-01', '2026-05-01', '{period,route}') WHERE kpi = 'cac' AND route_id <> 'other'
                AND (numerator <> 0 OR denominator > 0)$$,
    $$SELECT m.period, r.route, round(nullif(s.amount, 0) / nullif(c.n, 0), 9) AS cac, coalesce(s.amount, 0) AS amount, coalesce(c.n, 0) AS customers
      FROM month m CROSS JOIN (VALUES ('direct'), ('resell'), ('co_sell')) r (route)
      LEFT JOIN LATERAL (SELECT sum(revrtm.reporting_amount(s.amount, s.currency, s.period)) AS amount FROM revrtm.spend s
                         WHERE s.route_id = r.route AND s.category = 'mdf' AND date_trunc('month', s.period::timestamp) + interval '1 month' = m.period) s ON true
      LEFT JOIN LATERAL (SELECT count(*) AS n FROM customer c WHERE c.route = r.route AND c.won_on >= m.period AND c.won_on < m.until) c ON true
      WHERE coalesce(s.amount, 0) <> 0 OR c.n > 0$$, 'what a customer costs, with a month of lead');
-- Standardised to its own mix, a side is what it is.
SELECT is_empty($$SELECT * FROM revrtm.kpi_standardized('win_rate', '2024-06-01', '2026-05-01', 'route', '{}') WHERE value <> standardized OR n_dropped > 0$$, 'without strata nothing changes');
SELECT * FROM finish();
ROLLBACK;
