-- The store of journeys: which touches belong to a deal, refreshes of every kind, and the views over it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, account text, amount numeric, closed boolean DEFAULT false, won boolean DEFAULT false, created timestamptz,
                       close_date date, closed_at timestamptz, currency text, route text, partner text, owner text, region text, product text,
                       margin numeric, deleted boolean, synced timestamptz DEFAULT '2026-01-01 00:00:00+00');
CREATE TABLE crm.touch (id text, at timestamptz, channel text, deal text, account text, person text, responded boolean, milestone text, deleted boolean,
                        synced timestamptz DEFAULT '2026-01-01 00:00:00+00');
CREATE TABLE crm.person (id text, account text, lead timestamptz, deleted boolean, synced timestamptz DEFAULT '2026-01-01 00:00:00+00');

-- Before anything is bound the store is empty, and its views answer.
SELECT * FROM revrtm.refresh_journeys();
SELECT deals, note FROM revrtm.freshness;
SELECT (SELECT count(*) FROM revrtm.attribution) AS attribution, (SELECT count(*) FROM revrtm.channel_attribution) AS channels,
       (SELECT count(*) FROM revrtm.attribution_check) AS checks, (SELECT count(*) FROM revrtm.route_romi) AS romi, (SELECT count(*) FROM revrtm.pipeline) AS pipeline;

SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, account AS account_id, amount, closed AS is_closed, won AS is_won, created AS created_at, close_date,
    closed_at, currency, route AS route_id, partner AS partner_id, owner AS owner_id, region, product, margin, deleted, synced AS synced_at FROM crm.deal') IS NOT NULL AS bound;
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id, person AS contact_id, responded, deleted, synced AS synced_at FROM crm.touch') IS NOT NULL AS bound;
SELECT revrtm.bind('contact', 'SELECT id AS contact_id, account AS account_id, lead AS lead_created_at, deleted, synced AS synced_at FROM crm.person') IS NOT NULL AS bound;
SELECT note FROM revrtm.freshness;

-- A channel says why its touch counts; those that must not begin with "no".
INSERT INTO crm.deal (id, account, amount, closed, won, created, close_date, closed_at) VALUES
('closed_at', 'A', 100, true, true, '2026-01-15', '2026-03-31', '2026-03-31 12:00:00+00'),
('close_date', 'B', 100, true, false, '2026-01-15', '2026-03-31', NULL),
('open', 'C', 100, false, false, '2026-02-01', '2026-12-31', NULL),
('sibling', 'A', 100, true, true, '2026-01-15', NULL, '2026-02-28 12:00:00+00'),
('no account', NULL, 100, true, true, '2026-01-15', NULL, '2026-03-31 12:00:00+00'),
('no touch', 'D', 100, true, true, '2026-01-15', NULL, '2026-03-31 12:00:00+00'),
('endless', 'E', 100, true, true, '2026-01-15', NULL, NULL),
('unborn', 'F', 100, false, false, NULL, NULL, NULL);
INSERT INTO crm.deal (id, account, amount, closed, won, created, close_date, deleted) VALUES ('deleted', 'A', 100, true, true, '2026-01-15', '2026-03-31', true);
INSERT INTO crm.person (id, account) VALUES ('of A', 'A'), ('of B', 'B'), ('of none', NULL);
INSERT INTO crm.person (id, account, deleted) VALUES ('gone', 'A', true);
INSERT INTO crm.touch (id, at, channel, deal, account, person, responded, deleted) VALUES
('01', '2025-12-31 12:00:00+00', 'first instant', 'closed_at', NULL, NULL, NULL, NULL),
('02', '2025-12-31 11:59:59.999999+00', 'no: before the window', 'closed_at', NULL, NULL, NULL, NULL),
('03', '2026-03-31 12:00:00+00', 'last instant', 'closed_at', NULL, NULL, NULL, NULL),
('04', '2026-03-31 12:00:00.000001+00', 'no: after the end', 'closed_at', NULL, NULL, NULL, NULL),
('05', '2026-02-02 00:00:00+00', 'own, of another account', 'closed_at', 'B', 'of B', NULL, NULL),
('06', '2026-02-03 00:00:00+00', 'account', NULL, 'A', NULL, true, NULL),
('07', '2026-02-04 00:00:00+00', 'person', NULL, NULL, 'of A', NULL, false),
('08', '2026-02-05 00:00:00+00', 'account before person', NULL, 'A', 'of B', NULL, NULL),
('09', '2026-02-06 00:00:00+00', 'no: account before person', NULL, 'D2', 'of A', NULL, NULL),
('10', '2026-02-07 00:00:00+00', 'no: deleted', 'closed_at', NULL, NULL, NULL, true),
('11', '2026-02-08 00:00:00+00', 'no: did not respond', 'closed_at', NULL, NULL, false, NULL),
('12', '2026-02-09 00:00:00+00', 'no: person deleted', NULL, NULL, 'gone', NULL, NULL),
('13', NULL, 'no: no instant', 'closed_at', NULL, NULL, NULL, NULL),
('14', '2026-02-10 00:00:00+00', NULL, 'closed_at', NULL, NULL, NULL, NULL),
('15', '2026-03-15 00:00:00+00', 'account, late', NULL, 'A', NULL, NULL, NULL),
('16', '2026-03-31 23:59:59.999999+00', 'last instant of the day', 'close_date', NULL, NULL, NULL, NULL),
('17', '2026-04-01 00:00:00+00', 'no: the next day', 'close_date', NULL, NULL, NULL, NULL),
('18', '2025-12-31 23:59:59.999999+00', 'ninety days', 'close_date', NULL, NULL, NULL, NULL),
('19', '2025-12-31 23:59:59.999998+00', 'no: more than ninety days', 'close_date', NULL, NULL, NULL, NULL),
('20', '2025-11-03 00:00:00+00', 'ninety days before creation', 'open', NULL, NULL, NULL, NULL),
('21', '2025-11-02 23:59:59.999999+00', 'no: before that', 'open', NULL, NULL, NULL, NULL),
('22', '2099-01-01 00:00:00+00', 'any time after', NULL, 'C', NULL, NULL, NULL),
('23', '2026-02-11 00:00:00+00', 'its own', 'no account', NULL, NULL, NULL, NULL),
('24', '2026-02-12 00:00:00+00', 'no: nobody''s', NULL, NULL, NULL, NULL, NULL),
('25', '2026-02-12 00:00:00+00', 'no: nobody''s', NULL, NULL, 'of none', NULL, NULL),
('26', '2026-02-12 00:00:00+00', 'no: there is no such deal', 'nowhere', 'A', 'of A', NULL, NULL),
('27', '2026-02-12 00:00:00+00', 'no: of a deleted deal', 'deleted', NULL, NULL, NULL, NULL),
('28', '2030-02-12 00:00:00+00', 'closed without a day', 'endless', NULL, NULL, NULL, NULL),
('29', '2026-02-12 00:00:00+00', 'without a beginning', 'unborn', NULL, NULL, NULL, NULL);
SELECT * FROM revrtm.refresh_journeys();
CREATE TABLE counts (opportunity_id text, path text[]);
INSERT INTO counts VALUES
('closed_at', '{first instant,"own, of another account",account,person,account before person,(none),"account, late",last instant}'),
('close_date', '{ninety days,last instant of the day}'),
('open', '{ninety days before creation,any time after}'),
('sibling', '{account,person,account before person}'),
('no account', '{its own}'),
('no touch', NULL),
('endless', '{closed without a day}'),
('unborn', '{without a beginning}');
SELECT opportunity_id, revrtm.path(journey) IS NOT DISTINCT FROM path AS as_expected, revrtm.path(journey) FROM revrtm.deal_journey FULL JOIN counts USING (opportunity_id) ORDER BY 1;
SELECT opportunity_id, account_id, ended_at, route_id FROM revrtm.deal_journey WHERE opportunity_id IN ('closed_at', 'close_date', 'open', 'no account') ORDER BY 1;

-- The day ends in revrtm.timezone, and without a look-back the window has no beginning; both rebuild everything.
SET revrtm.timezone = 'America/New_York';
SELECT note FROM revrtm.freshness;
SELECT * FROM revrtm.refresh_journeys();
SELECT ended_at, revrtm.path(journey) FROM revrtm.deal_journey WHERE opportunity_id = 'close_date';
SET revrtm.lookback = 0;
SELECT mode FROM revrtm.refresh_journeys();
SELECT opportunity_id, revrtm.path(journey) FROM revrtm.deal_journey WHERE opportunity_id IN ('closed_at', 'close_date', 'open', 'unborn') ORDER BY 1;
SET revrtm.lookback = '1d';
SELECT mode FROM revrtm.refresh_journeys();
SELECT opportunity_id, revrtm.path(journey) FROM revrtm.deal_journey WHERE opportunity_id IN ('closed_at', 'close_date', 'open') ORDER BY 1;
RESET revrtm.lookback;
RESET revrtm.timezone;
-- Elapsed time: an hour of daylight saving does not move the window's beginning.
BEGIN;
SET LOCAL TimeZone = 'America/New_York';
SELECT mode FROM revrtm.refresh_journeys();
SELECT opportunity_id, revrtm.path(journey) IS NOT DISTINCT FROM path AS as_expected FROM revrtm.deal_journey FULL JOIN counts USING (opportunity_id) WHERE revrtm.path(journey) IS DISTINCT FROM path;
ROLLBACK;
SELECT mode, inserted, updated, deleted FROM revrtm.refresh_journeys();

-- Milestones: derived from the lead, the deal and the win; read where they are bound.
DELETE FROM crm.deal;
DELETE FROM crm.touch;
INSERT INTO crm.deal (id, account, closed, won, created, closed_at) VALUES
('won', 'A', true, true, '2026-02-01', '2026-03-31'), ('lost', 'B', true, false, '2026-02-01', '2026-03-31'), ('late', 'C', true, true, '2026-01-01', '2026-03-31');
INSERT INTO crm.person (id, account, lead) VALUES ('p1', 'A', '2026-01-20'), ('p2', 'A', '2026-01-10'), ('p3', 'B', '2026-02-01'), ('p4', 'A', '2025-01-01'), ('p5', 'C', '2026-01-01');
INSERT INTO crm.touch (id, at, channel, deal, person, milestone) VALUES
('1', '2026-01-09', 'a', 'won', 'p1', NULL), ('2', '2026-01-10', 'b', 'won', 'p2', 'CW'), ('3', '2026-02-01', 'c', 'won', NULL, 'LC|OC'), ('4', '2026-02-02', 'd', 'won', NULL, NULL),
('5', '2026-01-05', 'a', 'lost', NULL, NULL), ('6', '2026-02-01', 'b', 'lost', 'p3', 'OC'), ('7', '2026-02-02', 'c', 'lost', NULL, NULL),
('8', '2026-02-02', 'a', 'late', 'p5', NULL);
SELECT mode FROM revrtm.refresh_journeys(verify => true);
SELECT opportunity_id, journey FROM revrtm.deal_journey ORDER BY 1;
BEGIN;
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, milestone FROM crm.touch') IS NOT NULL AS bound;
SELECT note FROM revrtm.freshness;
SELECT mode FROM revrtm.refresh_journeys();
SELECT opportunity_id, journey FROM revrtm.deal_journey ORDER BY 1;
-- without synced_at every refresh reads everything
SELECT mode FROM revrtm.refresh_journeys();
ROLLBACK;

-- A deal that stands twice, under one account or two; a query that fails for a reason of its own.
INSERT INTO crm.deal (id, account, created) VALUES ('won', 'A', '2026-02-01');
SELECT revrtm.refresh_journeys();
UPDATE crm.deal SET account = 'Z' WHERE NOT closed AND id = 'won';
SELECT revrtm.refresh_journeys();
DELETE FROM crm.deal WHERE account = 'Z';
BEGIN;
INSERT INTO crm.touch (id, at, channel, person) VALUES ('9', '2026-02-02', 'a', 'p1');
SELECT revrtm.bind('contact', 'SELECT id AS contact_id, (SELECT p.account FROM crm.person p) AS account_id FROM crm.person') IS NOT NULL AS bound;
SELECT revrtm.refresh_journeys();
ROLLBACK;
DELETE FROM crm.touch;
DELETE FROM crm.person;
DELETE FROM crm.deal;
SELECT mode, deleted FROM revrtm.refresh_journeys(verify => true);

-- What a journey has to be, in plain SQL: the text of each, from the tables.
CREATE VIEW crm.wanted AS
WITH belongs AS (
    SELECT d.id AS deal, t.id, t.at, t.channel, p.lead, d.created, d.won,
           CASE WHEN d.closed THEN coalesce(d.closed_at, d.close_date::timestamp AT TIME ZONE 'UTC' + interval '24:00' - interval '0.000001 s') END AS ended
    FROM crm.deal d CROSS JOIN crm.touch t LEFT JOIN crm.person p ON p.id = t.person AND p.deleted IS NOT TRUE
    WHERE d.deleted IS NOT TRUE AND t.deleted IS NOT TRUE AND t.responded IS NOT FALSE
      AND CASE WHEN t.deal IS NOT NULL THEN t.deal = d.id
               WHEN t.account IS NOT NULL THEN t.account = d.account
               ELSE p.account = d.account END
), counted AS (
    SELECT b.*, count(*) OVER (PARTITION BY deal, at) > 1 AS shares_instant, row_number() OVER (PARTITION BY deal ORDER BY at, id COLLATE "C") AS i,
           min(lead) OVER (PARTITION BY deal) AS lead_at
    FROM belongs b WHERE at BETWEEN coalesce(ended, created, '-infinity') - interval '2160:00' AND coalesce(ended, 'infinity')
), marked AS (
    SELECT c.*, i = max(i) FILTER (WHERE at <= lead_at) OVER w AS lc, i = max(i) FILTER (WHERE at <= created) OVER w AS oc, won AND i = max(i) OVER w AS cw
    FROM counted c WINDOW w AS (PARTITION BY deal)
)
SELECT deal, array_agg(channel || '@' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || CASE WHEN lc THEN '|LC' ELSE '' END
       || CASE WHEN oc THEN '|OC' ELSE '' END || CASE WHEN cw THEN '|CW' ELSE '' END || CASE WHEN shares_instant THEN '|#' || id ELSE '' END ORDER BY i)::text AS journey
FROM marked GROUP BY deal;
CREATE VIEW crm.difference AS
SELECT d.id, d.account, w.journey AS wanted, k.journey::text AS stored FROM crm.deal d LEFT JOIN crm.wanted w ON w.deal = d.id
     FULL JOIN revrtm.deal_journey k ON k.opportunity_id = d.id
WHERE d.deleted IS NOT TRUE AND
      (w.journey, coalesce(d.account, '(none)'), d.amount, d.won) IS DISTINCT FROM (k.journey::text, k.account_id, k.amount, k.is_won);

-- A CRM that changes at random, the same at every run: after every refresh the store is what a rebuild would make it, and what plain SQL says.
CREATE FUNCTION crm.draw(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 7))::bit(28)::int % n);
CREATE FUNCTION crm.instant(what text) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN timestamptz '2025-10-01 00:00:00+00' + crm.draw(what, 130) * interval '36:00';
CREATE FUNCTION crm.churn(batch int, moves boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- some of what a batch brings is late
    now timestamptz := timestamptz '2026-05-01 00:00:00+00' + batch * interval '1 hour';
    late timestamptz := now - interval '63 min';
    w text;
    somebody int;
BEGIN
    FOR k IN 1 .. 18 LOOP
        w := batch || '.' || k;
        somebody := crm.draw(w || 'person', 40);
        INSERT INTO crm.touch VALUES ('t' || w, crm.instant(w), 'channel ' || crm.draw(w, 5),
            CASE WHEN k % 3 = 0 THEN 'd' || crm.draw(w || 'deal', 30) END,
            CASE WHEN k % 3 = 1 OR k = 6 THEN 'a' || crm.draw(w || 'account', 10) END,
            CASE WHEN k % 2 = 0 THEN 'p' || somebody END, CASE WHEN crm.draw(w || 'r', 8) = 0 THEN false END, NULL, NULL, CASE WHEN k = 5 THEN late ELSE now END);
    END LOOP;
    w := batch::text;
    -- changed and softly deleted touches, and back
    UPDATE crm.touch SET channel = 'changed ' || batch % 3, synced = now WHERE crm.draw(id || w, 12) = 0;
    UPDATE crm.touch SET at = crm.instant(id || w), synced = now WHERE crm.draw(id || 'at' || w, 12) = 0;
    UPDATE crm.touch SET deleted = deleted IS NOT TRUE, synced = now WHERE crm.draw(id || 'deleted' || w, 12) = 0;
    -- deals: new, moved, closed, reopened, deleted and back
    INSERT INTO crm.deal (id, account, amount, created, synced)
    SELECT 'd' || n, 'a' || crm.draw('d' || n, 10), n * 100.01, crm.instant('d' || n), now FROM generate_series(batch, batch + 30, 10) g (n)
    WHERE NOT EXISTS (SELECT FROM crm.deal d WHERE d.id = 'd' || g.n);
    UPDATE crm.deal SET account = nullif('a' || crm.draw(id || w, 10), 'a0'), synced = now WHERE crm.draw(id || 'account' || w, 10) = 0;
    UPDATE crm.deal SET closed = NOT closed, won = NOT closed AND crm.draw(id || w, 2) = 0, close_date = crm.instant(id || w)::date,
                        closed_at = CASE crm.draw(id || 'hour' || w, 2) WHEN 0 THEN crm.instant(id || w) + interval '3:00' END, synced = now
    WHERE crm.draw(id || 'closed' || w, 5) = 0;
    UPDATE crm.deal SET deleted = deleted IS NOT TRUE, synced = now WHERE crm.draw(id || 'deleted' || w, 15) = 0;
    -- people: new, with another lead, deleted and back
    INSERT INTO crm.person (id, account, lead, synced)
    SELECT 'p' || n, 'a' || crm.draw('p' || n, 10), crm.instant('p' || n), now FROM generate_series(batch, 40, 30) g (n)
    WHERE NOT EXISTS (SELECT FROM crm.person p WHERE p.id = 'p' || g.n);
    UPDATE crm.person SET lead = crm.instant(id || w), synced = now WHERE crm.draw(id || 'lead' || w, 10) = 0;
    UPDATE crm.person SET deleted = deleted IS NOT TRUE, synced = now WHERE crm.draw(id || 'deleted' || w, 15) = 0;
    IF moves THEN
        UPDATE crm.touch SET deal = 'd' || crm.draw(id || 'move' || w, 30), synced = now WHERE crm.draw(id || 'moves' || w, 10) = 0;
        UPDATE crm.touch SET account = 'a' || crm.draw(id || 'move' || w, 10), synced = now WHERE deal IS NULL AND crm.draw(id || 'account' || w, 10) = 0;
        UPDATE crm.person SET account = 'a' || crm.draw(id || 'move' || w, 10), synced = now WHERE crm.draw(id || 'moves' || w, 10) = 0;
        DELETE FROM crm.touch WHERE crm.draw(id || 'delete' || w, 10) = 0;
        DELETE FROM crm.deal WHERE crm.draw(id || 'delete' || w, 10) = 0;
        DELETE FROM crm.person WHERE crm.draw(id || 'delete' || w, 10) = 0;
    END IF;
END
$$;
CREATE TABLE crm.log (batch int, mode text, changed bigint, unlike_a_rebuild bigint, unlike_plain_sql bigint, rows bigint);
DO $$
DECLARE
    r record;
    unlike bigint;
    columns text := 'account_id, opportunity_id, created_at, ended_at, is_closed, is_won, amount, route_id, journey::text';
BEGIN
    FOR batch IN 1 .. 36 LOOP
        PERFORM crm.churn(batch, batch % 6 = 0);
        SELECT * INTO r FROM revrtm.refresh_journeys(verify => batch % 6 = 0);
        EXECUTE format('SELECT count(*) FROM ((SELECT %1$s FROM (%2$s) b EXCEPT SELECT %1$s FROM revrtm.deal_journey)
                        UNION ALL (SELECT %1$s FROM revrtm.deal_journey EXCEPT SELECT %1$s FROM (%2$s) b)) x', columns, revrtm.journey_query(NULL))
        INTO unlike;
        INSERT INTO crm.log SELECT batch, r.mode, r.inserted + r.updated + r.deleted, unlike, (SELECT count(*) FROM crm.difference),
                                   (SELECT count(*) FROM revrtm.deal_journey);
    END LOOP;
END
$$;
SELECT mode, count(*) AS batches, min(changed) > 0 AS all_changed, sum(unlike_a_rebuild) AS unlike_a_rebuild, sum(unlike_plain_sql) AS unlike_plain_sql FROM crm.log GROUP BY mode ORDER BY mode;
SELECT * FROM crm.log WHERE unlike_a_rebuild + unlike_plain_sql > 0 ORDER BY batch;
SELECT count(*) > 20 AS deals, max(revrtm.touch_count(journey)) > 10 AS long_ones, count(*) FILTER (WHERE journey::text LIKE '%#%') > 0 AS ties,
       count(*) FILTER (WHERE journey::text LIKE '%|LC%') > 5 AS leads, count(*) FILTER (WHERE is_won) > 3 AS won, count(*) FILTER (WHERE account_id = '(none)') > 0 AS homeless
FROM revrtm.deal_journey;
SELECT deals = (SELECT count(*) FROM revrtm.deal_journey) AS counted, behind, note FROM revrtm.freshness;

-- Freshness: what is behind, and what only a verifying refresh finds.
UPDATE crm.deal SET amount = amount + 1, synced = '2026-05-05 00:00:00+00' WHERE id = (SELECT min(id) FROM crm.deal WHERE deleted IS NOT TRUE);
SELECT behind > interval '1 day' AS behind, note FROM revrtm.freshness;
SELECT mode, inserted, updated, deleted FROM revrtm.refresh_journeys();
SELECT behind, note FROM revrtm.freshness;
-- Of a deal whose account nothing else has happened to lately.
UPDATE crm.person SET synced = '2026-05-05 00:00:00+00' WHERE id = (SELECT min(id) FROM crm.person);
UPDATE crm.touch SET synced = '2026-05-05 00:00:00+00' WHERE id = (SELECT min(id) FROM crm.touch);
SELECT mode FROM revrtm.refresh_journeys();
DELETE FROM crm.deal WHERE id = (
    SELECT max(d.id) FROM crm.deal d
    WHERE d.deleted IS NOT TRUE AND d.synced < '2026-05-04 00:00:00+00' AND NOT EXISTS (
        SELECT FROM crm.person p WHERE p.account = d.account AND p.synced > '2026-05-04 00:00:00+00') AND NOT EXISTS (
        SELECT FROM crm.touch t LEFT JOIN crm.person p ON p.id = t.person
        WHERE d.account IN (t.account, p.account) AND t.synced > '2026-05-04 00:00:00+00'));
SELECT mode, deleted FROM revrtm.refresh_journeys();
SELECT mode, deleted FROM revrtm.refresh_journeys(verify => true);
SELECT mode, inserted + updated + deleted AS changed, note FROM revrtm.refresh_journeys(verify => true), revrtm.freshness;

-- The views, against plain SQL. Some deals in euros, some without a rate or an amount; losses; a refund.
CREATE TABLE crm.rate (day date, rate numeric);
INSERT INTO crm.rate VALUES ('2025-01-01', 1.1), ('2026-01-15', 1.23456);
SELECT revrtm.bind('fx_rate', $$SELECT 'EUR'::text AS from_currency, 'USD'::text AS to_currency, day AS on_date, rate FROM crm.rate$$) IS NOT NULL AS bound;
UPDATE crm.deal SET currency = (ARRAY['EUR', 'USD', NULL, 'EUR', 'GBP'])[1 + crm.draw(id, 5)], route = (ARRAY['direct', 'ours', NULL])[1 + crm.draw(id || 'route', 3)],
    partner = (ARRAY['P', NULL])[1 + crm.draw(id || 'partner', 2)], owner = (ARRAY['o1', 'o2', NULL])[1 + crm.draw(id || 'owner', 3)], region = (ARRAY['emea', 'amer'])[1 + crm.draw(id || 'region', 2)],
    amount = CASE crm.draw(id || 'amount', 9) WHEN 0 THEN NULL WHEN 1 THEN -amount ELSE amount END, margin = CASE crm.draw(id || 'margin', 2) WHEN 0 THEN amount / 3 END,
    closed = crm.draw(id || 'open', 8) > 0, won = crm.draw(id || 'open', 8) > 2,
    close_date = crm.instant(id || 'close')::date, closed_at = CASE crm.draw(id || 'at', 3) WHEN 0 THEN crm.instant(id || 'close') + interval '5:00' END;
-- one that closed nobody knows when
UPDATE crm.deal SET closed = true, won = true, close_date = NULL, closed_at = NULL, amount = 77.77, currency = 'EUR', margin = NULL
WHERE id = (SELECT max(id) FROM crm.deal WHERE deleted IS NOT TRUE AND amount IS NOT NULL);
INSERT INTO revrtm.channel_map VALUES ('channel 0', 'direct', 'content'), ('channel 1', 'co_sell', 'mdf'), ('channel 2', 'resell', 'mdf');
INSERT INTO revrtm.route (route_id, kind, default_margin) VALUES ('ours', 'resell', 0.25);
CREATE TABLE crm.cost (id text, period date, route text, category text, amount numeric, currency text);
INSERT INTO crm.cost VALUES ('1', '2026-01-17', 'direct', 'content', 100, NULL), ('2', '2026-01-31', 'direct', 'content', 11.11, 'EUR'), ('3', '2026-02-01', 'co_sell', 'mdf', 0, 'USD'),
    ('4', '2026-02-01', 'resell', 'tools', 50, 'USD'), ('5', '2026-02-02', 'resell', 'mdf', 50, 'GBP'), ('6', '2026-02-03', 'resell', 'mdf', 20, 'USD');
SELECT revrtm.bind('spend', 'SELECT id AS spend_id, period, route AS route_id, category, amount, currency FROM crm.cost') IS NOT NULL AS bound;
SELECT mode FROM revrtm.refresh_journeys(verify => true);

-- Deals, in dollars: at the rate of the day they ended, or of today.
SET revrtm.as_of = '2026-01-10';
SET revrtm.fx_max_age = 0;
CREATE TABLE crm.dollar AS
SELECT d.id, d.route_id, d.ended, date_trunc('month', d.ended AT TIME ZONE 'UTC')::date AS period, d.won, round(d.amount * d.rate, 2) AS amount,
       round(coalesce(d.margin, d.amount * CASE d.route_id WHEN 'ours' THEN 0.25 ELSE 1 END) * d.rate, 2) AS margin
FROM (SELECT e.*, CASE e.currency WHEN 'GBP' THEN NULL WHEN 'EUR' THEN CASE WHEN e.ended::date >= '2026-01-15' THEN 1.23456 ELSE 1.1 END ELSE 1 END AS rate
      FROM (SELECT *, coalesce(route, CASE WHEN partner IS NULL THEN 'direct' ELSE 'partner_sourced' END) AS route_id,
                   coalesce(closed_at, close_date::timestamp AT TIME ZONE 'UTC' + interval '24:00' - interval '0.000001 s') AS ended FROM crm.deal
            WHERE deleted IS NOT TRUE AND closed) e) d;
SELECT count(*) FILTER (WHERE k.amount IS DISTINCT FROM d.amount OR k.margin IS DISTINCT FROM d.margin OR k.period IS DISTINCT FROM d.period OR k.route_id <> d.route_id) AS unlike,
       count(*) > 10 AS many, count(DISTINCT k.note) AS notes, count(k.note) FILTER (WHERE k.note = 'fx_missing') > 0 AS missing
FROM crm.dollar d JOIN revrtm.deal k ON k.opportunity_id = d.id;
-- Touches with their whole weights under three models: w of total.
CREATE TABLE crm.weight AS
SELECT k.deal, m.model, k.i, k.channel,
       CASE m.model WHEN 'linear' THEN 1 WHEN 'last_touch' THEN (i = n)::int
            ELSE CASE WHEN n <= 2 THEN 1 WHEN i IN (1, n) THEN 2 * (n - 2) ELSE 1 END END AS w
FROM (SELECT d.id AS deal, coalesce(t.i, 1) AS i, coalesce(t.channel, '(unattributed)') AS channel, count(*) OVER (PARTITION BY d.id) AS n
      FROM crm.dollar d LEFT JOIN crm.wanted j ON j.deal = d.id
           LEFT JOIN LATERAL (SELECT u.i, split_part(u.e, '@', 1) AS channel FROM unnest(j.journey::text[]) WITH ORDINALITY u (e, i)) t ON true) k,
     unnest('{linear,last_touch,u_shaped}'::text[]) m (model);
-- Credit to the cent by largest remainder, the refund mirrored.
CREATE VIEW crm.credit AS
WITH money AS (
    SELECT w.*, d.period, d.route_id, d.won, x.of, x.total, sign(x.total) AS sign, abs(x.total) * 100 * w.w AS product, sum(w.w) OVER (PARTITION BY w.model, w.deal, x.of) AS sum
    FROM crm.weight w JOIN crm.dollar d ON d.id = w.deal, LATERAL (VALUES ('amount', d.amount), ('margin', d.margin)) x (of, total)
), floors AS (
    SELECT m.*, div(product, sum) AS cents, row_number() OVER (PARTITION BY model, deal, of ORDER BY mod(product, sum) DESC, i) AS place,
           abs(total) * 100 - sum(div(product, sum)) OVER (PARTITION BY model, deal, of) AS left_over
    FROM money m
)
SELECT model, deal, i, channel, period, route_id, won, of, w / sum::float8 AS weight, sign * (cents + (place <= left_over)::int) / 100 AS credit FROM floors;
SELECT count(*) FILTER (WHERE a.amount IS DISTINCT FROM c.credit OR a.channel <> c.channel OR abs(a.weight - c.weight) > 1e-15 OR a.period IS DISTINCT FROM c.period OR a.route_id <> c.route_id) AS unlike,
       count(*) > 100 AS many, count(*) = count(a.model) AND count(*) = count(c.model) AS all_there
FROM (SELECT * FROM revrtm.attribution WHERE model IN ('linear', 'last_touch', 'u_shaped') AND is_closed) a
     FULL JOIN (SELECT * FROM crm.credit WHERE of = 'amount') c ON (c.model, c.deal, c.i) = (a.model, a.opportunity_id, a.ordinal);
SELECT count(*) = count(DISTINCT attribution_key) AS unique_key FROM revrtm.attribution;
-- By channel and month.
SELECT count(*) FILTER (WHERE a.revenue IS DISTINCT FROM c.revenue OR a.margin IS DISTINCT FROM c.margin OR abs(a.conversions - c.conversions) > 1e-12 OR c.model IS NULL) AS unlike, count(*) > 20 AS many
FROM (SELECT * FROM revrtm.channel_attribution WHERE model IN ('linear', 'u_shaped') OR model = 'last_touch' AND conversions > 0) a
     FULL JOIN (SELECT model, channel, period, coalesce(sum(credit) FILTER (WHERE of = 'amount'), 0) AS revenue, coalesce(sum(credit) FILTER (WHERE of = 'margin'), 0) AS margin, sum(weight) / 2 AS conversions
                FROM crm.credit WHERE won GROUP BY 1, 2, 3 HAVING sum(weight) > 0) c
     ON (c.model, c.channel) = (a.model, a.channel) AND coalesce(c.period, 'infinity') = coalesce(a.period, 'infinity');
SELECT count(*) = count(DISTINCT channel_attribution_key) AS unique_key FROM revrtm.channel_attribution;
-- The check foots, to the cent and for every model, until the CRM moves on.
SELECT count(*) FILTER (WHERE difference <> 0 OR deal_difference <> 0) AS differences, count(DISTINCT model) AS models, count(*) = count(DISTINCT attribution_check_key) AS unique_key,
       sum(bookings) FILTER (WHERE model = 'linear') = (SELECT sum(amount) FROM crm.dollar WHERE won) AS bookings, sum(deals) FILTER (WHERE model = 'linear') = (SELECT count(*) FROM crm.dollar WHERE won) AS deals
FROM revrtm.attribution_check;
BEGIN;
UPDATE crm.deal SET amount = amount + 0.01 WHERE id = (SELECT min(id) FROM crm.dollar WHERE won AND amount IS NOT NULL);
SELECT count(DISTINCT model) AS models, min(difference), max(difference), min(deal_difference), max(deal_difference) FROM revrtm.attribution_check WHERE difference <> 0;
ROLLBACK;
-- By route and category.
CREATE VIEW crm.routed AS
SELECT c.*, CASE channel WHEN 'channel 0' THEN 'direct' WHEN 'channel 1' THEN 'co_sell' WHEN 'channel 2' THEN 'resell' ELSE route_id END AS credited_route,
       CASE channel WHEN 'channel 0' THEN 'content' WHEN 'channel 1' THEN 'mdf' WHEN 'channel 2' THEN 'mdf' ELSE '(unmapped)' END AS category
FROM crm.credit c WHERE won;
SELECT count(*) FILTER (WHERE a.revenue IS DISTINCT FROM c.revenue OR a.margin IS DISTINCT FROM c.margin OR abs(a.conversions - c.conversions) > 1e-12) AS unlike, count(*) > 20 AS many
FROM (SELECT * FROM revrtm.route_credit WHERE model IN ('linear', 'u_shaped')) a
     FULL JOIN (SELECT model, credited_route, category, period, route_id, coalesce(sum(credit) FILTER (WHERE of = 'amount'), 0) AS revenue, coalesce(sum(credit) FILTER (WHERE of = 'margin'), 0) AS margin, sum(weight) / 2 AS conversions
                FROM crm.routed WHERE model <> 'last_touch' GROUP BY 1, 2, 3, 4, 5) c
     ON (c.model, c.credited_route, c.category, c.route_id, coalesce(c.period, 'infinity')) = (a.model, a.route_id, a.category, a.deal_route_id, coalesce(a.period, 'infinity'));
SELECT count(*) FILTER (WHERE (a.revenue, a.margin, a.spend, a.deals, a.fx_missing) IS DISTINCT FROM (coalesce(c.revenue, 0), coalesce(c.margin, 0), coalesce(s.spend, 0), coalesce(c.deals, 0), coalesce(s.missing, 0))
                        OR a.romi IS DISTINCT FROM round((coalesce(c.margin, 0) - s.spend) / nullif(s.spend, 0), 6)
                        OR a.note IS DISTINCT FROM CASE WHEN s.missing > 0 THEN 'fx_missing' WHEN coalesce(s.spend, 0) = 0 THEN 'zero_spend' END) AS unlike,
       count(*) > 20 AS many, count(romi) AS with_romi
FROM (SELECT * FROM revrtm.route_romi WHERE model = 'linear') a
     FULL JOIN (SELECT credited_route, category, period, coalesce(sum(credit) FILTER (WHERE of = 'amount'), 0) AS revenue, coalesce(sum(credit) FILTER (WHERE of = 'margin'), 0) AS margin, count(DISTINCT deal) AS deals
                FROM crm.routed WHERE model = 'linear' GROUP BY 1, 2, 3) c
     ON (c.credited_route, c.category, coalesce(c.period, 'infinity')) = (a.route_id, a.category, coalesce(a.period, 'infinity'))
     FULL JOIN (VALUES ('direct', 'content', date '2026-01-01', 100 + round(11.11 * 1.23456, 2), 0), ('co_sell', 'mdf', '2026-02-01', 0, 0), ('resell', 'tools', '2026-02-01', 50, 0), ('resell', 'mdf', '2026-02-01', 20, 1)) s (route, category, period, spend, missing)
     ON (s.route, s.category, s.period) = (a.route_id, a.category, a.period);
-- The pipeline, live, at the same rates.
SELECT count(*) FILTER (WHERE (p.open_deals, p.open_amount, p.won, p.lost, p.won_amount, p.fx_missing) IS DISTINCT FROM (c.open_deals, c.open_amount, c.won, c.lost, c.won_amount, c.missing)
                        OR p.win_rate IS DISTINCT FROM round(c.won::numeric / nullif(c.won + c.lost, 0), 6)
                        OR p.note IS DISTINCT FROM CASE WHEN c.won + c.lost = 0 THEN 'no_closed' WHEN c.missing > 0 THEN 'fx_missing' END) AS unlike, count(*) > 10 AS many, count(*) = count(DISTINCT p.pipeline_key) AS unique_key
FROM revrtm.pipeline p
     FULL JOIN (SELECT region, coalesce(owner, '(none)') AS owner, route_id, count(*) FILTER (WHERE NOT closed) AS open_deals, coalesce(sum(usd) FILTER (WHERE NOT closed), 0) AS open_amount,
                       count(*) FILTER (WHERE closed AND won) AS won, count(*) FILTER (WHERE closed AND NOT won) AS lost, coalesce(sum(usd) FILTER (WHERE closed AND won), 0) AS won_amount,
                       count(*) FILTER (WHERE amount IS NOT NULL AND usd IS NULL) AS missing
                FROM (SELECT d.*, coalesce(route, CASE WHEN partner IS NULL THEN 'direct' ELSE 'partner_sourced' END) AS route_id,
                             round(amount * CASE currency WHEN 'GBP' THEN NULL WHEN 'EUR' THEN CASE WHEN closed AND coalesce(closed_at::date, close_date) >= '2026-01-15' THEN 1.23456 ELSE 1.1 END ELSE 1 END, 2) AS usd
                      FROM crm.deal d WHERE deleted IS NOT TRUE) e GROUP BY 1, 2, 3) c
     ON (c.region, c.owner, c.route_id) = (p.region, p.owner_id, p.route_id) AND p.product = '(none)';
RESET revrtm.as_of;

DELETE FROM revrtm.channel_map;
DELETE FROM revrtm.route WHERE NOT shipped;
SELECT count(*) FROM unnest('{opportunity,touch,contact,fx_rate,spend}'::text[]) r WHERE revrtm.unbind(r);
SELECT mode, deleted > 0 AS deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.journey_refresh;
SELECT count(*) FROM revrtm.deal_journey;
DROP TABLE counts;
DROP SCHEMA crm CASCADE;

-- In batches: begun, cancelled, gone on with, and the same in the end.
CREATE TABLE batch_deal AS SELECT 'd' || i AS id, 'a' || i % 7 AS account, i * 1.5 AS amount, i % 3 = 0 AS won FROM generate_series(1, 25) i;
CREATE TABLE batch_touch AS SELECT 't' || i AS id, 'd' || i % 25 AS deal, timestamptz '2025-01-01 00:00+00' + i * interval '1 hour' AS at FROM generate_series(1, 100) i;
SELECT FROM revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, true AS is_closed, won AS is_won, timestamptz '2025-01-01 00:00+00' AS created_at, date '2025-02-01' AS close_date FROM public.batch_deal$$);
SELECT FROM revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, 'c' AS channel, deal AS opportunity_id FROM public.batch_touch$$);
SELECT * FROM revrtm.refresh_progress;
SELECT revrtm.refresh_batch(10);
SELECT mode, deals, done, pending FROM revrtm.refresh_progress;
SELECT revrtm.refresh_batch(10);
SELECT mode, deals, done, pending FROM revrtm.refresh_progress;
SELECT count(*) FROM revrtm.deal_journey WHERE opportunity_id LIKE 'd%';
CALL revrtm.refresh_in_batches(4);
SELECT * FROM revrtm.refresh_progress;
SELECT count(*), count(journey), sum(revrtm.touch_count(journey)) FROM revrtm.deal_journey;
SELECT * FROM revrtm.refresh_journeys(verify => true);
-- Another binding begins anew.
SELECT revrtm.refresh_batch(10);
SELECT revrtm.refresh_batch(10);
SELECT FROM revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, 'other' AS channel, deal AS opportunity_id FROM public.batch_touch$$);
SELECT revrtm.refresh_batch(1000);
SELECT mode, deals, done, pending FROM revrtm.refresh_progress;
DELETE FROM batch_deal WHERE id = 'd3';
CALL revrtm.refresh_in_batches();
SELECT count(*) FILTER (WHERE (revrtm.path(journey))[1] = 'other') AS anew, count(*) FROM revrtm.deal_journey;
-- A refresh of everything ends the one under way.
SELECT revrtm.refresh_batch(10);
SELECT * FROM revrtm.refresh_journeys();
SELECT * FROM revrtm.refresh_progress;
CALL revrtm.refresh_in_batches(0);
CALL revrtm.refresh_in_batches(NULL);
SELECT revrtm.unbind('opportunity'), revrtm.unbind('touch');
SELECT * FROM revrtm.refresh_journeys();
DROP TABLE batch_deal, batch_touch;
