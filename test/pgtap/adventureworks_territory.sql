-- The real history of who sold in which territory, with its overlaps, and the
-- quotas beside it: needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
CREATE SCHEMA aw;
CREATE TABLE aw.history (n int, person text, territory text, since timestamp, until timestamp, guid text, modified timestamp);
CREATE TABLE aw.territory (territory text, name text, country text, region text, ytd numeric, last_year numeric, cost numeric, cost_last numeric, guid text, modified timestamp);
CREATE TABLE aw.quota (n int, person text, at timestamp, quota numeric, guid text, modified timestamp);
\set load '\\copy aw.history FROM ''' :data '/adventureworks_oltp/SalesTerritoryHistory.csv'' (NULL '''')'
:load
\set load '\\copy aw.territory FROM ''' :data '/adventureworks_oltp/SalesTerritory.csv'' (NULL '''')'
:load
\set load '\\copy aw.quota FROM ''' :data '/adventureworks_oltp/SalesPersonQuotaHistory.csv'' (NULL '''')'
:load
SELECT plan(10);
SELECT is((SELECT count(*) || ' ' || (SELECT count(*) FROM aw.territory) || ' ' || (SELECT count(*) FROM aw.quota) FROM aw.history), '17 10 163', 'all rows are loaded');
INSERT INTO revrtm.territory (territory_id, territory_name) SELECT territory, name FROM aw.territory;
-- Days are whole: until is the last one.
CREATE TEMP TABLE term AS SELECT n, person, territory, tstzrange(since AT TIME ZONE 'UTC', (until + interval '1 day') AT TIME ZONE 'UTC') AS valid FROM aw.history;
CREATE TEMP TABLE rival AS
SELECT a.n AS first, b.n AS second FROM aw.history a JOIN aw.history b ON a.territory = b.territory AND a.n < b.n
WHERE a.since <= coalesce(b.until, 'infinity') AND b.since <= coalesce(a.until, 'infinity');
SELECT cmp_ok((SELECT count(*) FROM rival), '>', 0::bigint, 'territories were shared at times');

-- One at a time: each row is taken for the primary unless the constraint refuses it, and it refuses those that
-- overlap a row that was taken, by plain comparison of days.
CREATE TEMP TABLE refused (n int);
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM term ORDER BY n LOOP
        BEGIN
            INSERT INTO revrtm.territory_assignment (territory_id, member_id, valid) VALUES (t.territory, t.person, t.valid);
        EXCEPTION WHEN exclusion_violation THEN
            INSERT INTO refused VALUES (t.n);
            INSERT INTO revrtm.territory_assignment (territory_id, member_id, kind, valid) VALUES (t.territory, t.person, 'overlay', t.valid);
        END;
    END LOOP;
END $$;
CREATE TEMP TABLE taken AS
WITH RECURSIVE step AS (
    SELECT 0 AS n, '{}'::int[] AS taken
    UNION ALL
    SELECT s.n + 1, CASE WHEN EXISTS (SELECT FROM rival r WHERE r.second = s.n + 1 AND r.first = ANY (s.taken)) THEN s.taken ELSE s.taken || s.n + 1 END
    FROM step s WHERE s.n < 17
) SELECT unnest(taken) AS n FROM step WHERE n = 17;
SELECT set_eq('SELECT n FROM refused', 'SELECT n FROM aw.history EXCEPT SELECT n FROM taken', 'exactly the overlapping ones cannot be primary');
SELECT cmp_ok((SELECT count(*) FROM refused), '>', 0::bigint, 'some cannot');
SELECT is((SELECT count(*) FROM revrtm.territory_assignment WHERE kind = 'overlay'), (SELECT count(*) FROM refused), 'they are overlays');

-- The owner of a deal at every change, the day before and the day after, by plain comparison.
CREATE TABLE aw.deal AS SELECT 'deal ' || territory AS id, 'account ' || territory AS account FROM aw.territory;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, 1::numeric AS amount, false AS is_closed, false AS is_won,
    '2011-01-01Z'::timestamptz AS created_at, NULL::date AS close_date, 'house'::text AS owner_id FROM aw.deal$$) IS NOT NULL AS bound \gset
INSERT INTO revrtm.territory_account (account_id, territory_id) SELECT 'account ' || territory, territory FROM aw.territory;
CREATE TEMP TABLE asked AS
SELECT t.territory, d.day + o AS day FROM aw.territory t, (SELECT since AS day FROM aw.history UNION SELECT until FROM aw.history WHERE until IS NOT NULL) d, unnest('{-1 day,0,1 day}'::interval[]) o;
SELECT is_empty($$SELECT a.*, revrtm.owner_at('deal ' || a.territory, a.day AT TIME ZONE 'UTC') FROM asked a
    WHERE revrtm.owner_at('deal ' || a.territory, a.day AT TIME ZONE 'UTC') IS DISTINCT FROM
          coalesce((SELECT h.person FROM aw.history h JOIN taken USING (n) WHERE h.territory = a.territory AND a.day >= h.since AND a.day <= coalesce(h.until, 'infinity')), 'house')$$,
    'the owner on every day of change');

-- An overlap query over claims finds the same pairs of persons.
SELECT set_eq($$SELECT claim_a, claim_b FROM revrtm.overlapping_claims('SELECT n::text AS claim_id, territory AS account_id, person AS party, NULL::text AS product, NULL::text AS region,
        daterange(since::date, until::date, ''[]'') AS during FROM aw.history')$$,
    $$SELECT least(a.n::text COLLATE "C", b.n::text), greatest(a.n::text COLLATE "C", b.n::text) FROM rival r JOIN aw.history a ON a.n = r.first JOIN aw.history b ON b.n = r.second WHERE a.person <> b.person$$,
    'overlapping_claims() agrees');

-- A handoff in June 2013 from 284 to 286: an open deal stays for sixty days.
INSERT INTO revrtm.holdover_policy (policy, eligible) VALUES ('default', '[]') ON CONFLICT (policy) DO UPDATE SET eligible = '[]', exempt = NULL, max_deals = NULL, days = 60;
SELECT results_eq($$SELECT opportunity_id, verdict, owner_id, until FROM revrtm.handoff('account 1', '1', '9', '2013-06-15Z')$$,
    $$SELECT 'deal 1'::text, 'eligible'::text, '284'::text, timestamptz '2013-08-14Z'$$, 'the former owner holds it over');
SELECT is((SELECT string_agg(revrtm.owner_at('deal 1', at), ' ' ORDER BY at) FROM unnest('{2012-09-29 23:59Z,2012-09-30Z,2013-06-15Z,2013-08-13 23:59Z,2013-08-14Z}'::timestamptz[]) at),
    '280 284 284 284 286', 'the owners of the deal as time goes by');

-- Quotas as targets: each person a route; nothing was won, so that the gap is the quota.
INSERT INTO revrtm.target (route_id, period, metric, value) SELECT person, at::date, 'revenue', quota FROM aw.quota;
SELECT set_eq('SELECT route_id, period, target, gap, note FROM revrtm.target_gap',
    $$SELECT person, date_trunc('month', at)::date, quota::numeric(20, 4), quota::numeric(20, 4) AS gap, 'no_closed, unknown_route'::text FROM aw.quota$$, 'quotas are targets');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
