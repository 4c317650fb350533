-- Frozen months over random deals, late touches, edits, refunds and freezes: what was signed stays, and the ledger always adds up to the present.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.fx_max_age = 0;
SELECT plan(20);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE FUNCTION pg_temp.currency(what text) RETURNS text LANGUAGE sql IMMUTABLE RETURN (ARRAY['USD', 'EUR', 'JPY', 'KWD', NULL])[1 + pg_temp.draw(what, 5)];
CREATE SCHEMA books;
CREATE TABLE books.deal AS
SELECT i::text AS id, 'a' || i % 20 AS account, CASE WHEN i % 17 > 0 THEN (pg_temp.draw(i || 'amount', 10000000)::numeric / 10 ^ (i % 4))::numeric(20, 3) * CASE WHEN i % 11 = 0 THEN -1 ELSE 1 END END AS amount,
       pg_temp.currency(i || 'c') AS currency, i % 13 = 0 AS open, i % 7 > 0 AS won, date '2026-01-01' + pg_temp.draw(i || 'day', 120)::int AS day
FROM generate_series(1, 150) i;
CREATE TABLE books.touch AS
SELECT d.id || '.' || k AS id, d.id AS deal, d.day - pg_temp.draw(d.id || '-' || k, 60)::int AS day, 'c' || pg_temp.draw(d.id || 'channel' || k, 6) AS channel, k % 4 = 0 AS late
FROM books.deal d, generate_series(1, pg_temp.draw(d.id || 'touches', 9)) k;
CREATE TABLE books.event AS
SELECT 'e' || i AS id, pg_temp.draw(i || 'deal', 160)::text AS deal, date '2026-01-01' + pg_temp.draw(i || 'on', 150)::int AS day,
       (ARRAY['refund', 'amendment', 'churn'])[1 + i % 3] AS kind, pg_temp.draw(i || 'refund', 100000)::numeric / 100 AS amount, pg_temp.currency(i || 'event') AS currency, i % 5 = 0 AS late
FROM generate_series(1, 90) i;
CREATE TABLE books.rate AS
SELECT f, date '2025-11-01' + d AS d, (base * (1 + pg_temp.draw(f || d, 1000) / 10000.0))::numeric AS r
FROM (VALUES ('EUR', 1.1), ('JPY', 0.0066), ('KWD', 3.2)) c (f, base), generate_series(0, 260, 5) d;
-- What is late is not known yet; stage says how much is.
CREATE TABLE books.stage (stage int);
INSERT INTO books.stage VALUES (0);
SELECT ok(bool_and(revrtm.bind(relation, query) IS NOT NULL), 'bound') FROM (VALUES
    ('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, currency, won AS is_won, NOT open AS is_closed, (day - 30)::timestamp AT TIME ZONE 'UTC' AS created_at, day AS close_date FROM books.deal$$),
    ('touch', $$SELECT id AS touch_id, day::timestamp AT TIME ZONE 'UTC' AS touched_at, channel, deal AS opportunity_id FROM books.touch WHERE NOT late$$),
    ('revenue_event', $$SELECT id AS event_id, 'x'::text AS account_id, day AS at, kind, amount, deal AS opportunity_id, currency FROM books.event WHERE NOT late$$),
    ('fx_rate', $$SELECT f AS from_currency, 'USD'::text AS to_currency, d AS on_date, r AS rate FROM books.rate$$)) b (relation, query);
UPDATE revrtm.attribution_model SET enabled = model IN ('linear', 'first_touch', 'u_shaped', 'time_decay');
SELECT is((SELECT count(*) FROM books.deal), (SELECT inserted FROM revrtm.refresh_journeys()), 'stored');

-- The present, without any of the ledger: deals from the attribution view, events split on their own.
CREATE FUNCTION pg_temp.present() RETURNS TABLE (model text, channel text, own_period date, deal_currency text, amount numeric, deal_amount numeric) LANGUAGE sql STABLE AS $$
    SELECT model, channel, period, deal_currency, sum(amount), sum(deal_amount) FROM revrtm.attribution WHERE is_won AND is_closed GROUP BY 1, 2, 3, 4 $$;
-- Deals: frozen + adjustments + open = present, by channel, month and currency, in both currencies. Events: the lines of each add up to it.
CREATE FUNCTION pg_temp.unlike() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(':', 'deal', model, channel, own_period, deal_currency, sum(a), sum(b)) FROM (
        SELECT model, channel, own_period, deal_currency, coalesce(amount, 0) AS a, coalesce(deal_amount, 0) AS b FROM pg_temp.present()
        UNION ALL SELECT model, channel, own_period, deal_currency, -coalesce(amount, 0), -coalesce(deal_amount, 0) FROM revrtm.attribution_ledger WHERE event_id IS NULL) s
    GROUP BY model, channel, own_period, deal_currency HAVING sum(a) <> 0 OR sum(b) <> 0
    UNION ALL
    SELECT concat_ws(':', 'event', model, id, sum(a), sum(b)) FROM (
        SELECT m.model, e.id, coalesce(revrtm.reporting_amount(e.amount * s.sign, e.currency, e.day), 0) AS a, revrtm.convert_amount(e.amount * s.sign, e.currency, e.currency, NULL) AS b
        FROM books.event e, revrtm.attribution_model m, LATERAL (SELECT CASE e.kind WHEN 'refund' THEN -1 ELSE 1 END AS sign) s
        WHERE m.enabled AND e.kind <> 'churn' AND NOT e.late
        UNION ALL SELECT model, event_id, -coalesce(amount, 0), -coalesce(deal_amount, 0) FROM revrtm.attribution_ledger WHERE event_id IS NOT NULL) s
    GROUP BY model, id HAVING sum(a) <> 0 OR sum(b) <> 0
    UNION ALL
    SELECT ledger_check_key FROM revrtm.ledger_check WHERE difference <> 0 OR own_difference <> 0 OR deal_difference <> 0
    UNION ALL
    SELECT freeze_check_key FROM revrtm.freeze_check WHERE note IS NOT NULL $$;
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'nothing frozen: it adds up');

-- Freezing changes no figure of the month, nor of any other.
CREATE FUNCTION pg_temp.by_month() RETURNS TABLE (model text, channel text, period date, amount numeric, conversions float8) LANGUAGE sql STABLE AS $$
    SELECT model, channel, period, sum(amount), sum(conversions) FROM revrtm.channel_ledger GROUP BY 1, 2, 3 $$;
SET LOCAL revrtm.as_of = '2026-02-10 00:00Z';
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.by_month();
SELECT is((SELECT count(*) FROM revrtm.freeze_attribution('2026-01-01')), 4::bigint, 'January is frozen');
SELECT is_empty('(TABLE before EXCEPT SELECT * FROM pg_temp.by_month()) UNION ALL (SELECT * FROM pg_temp.by_month() EXCEPT TABLE before)', 'and reads as it did');
SELECT is_empty('SELECT * FROM revrtm.attribution_adjustment', 'nothing has changed since');

-- Late touches, deleted ones, edits of every kind, late events.
CREATE FUNCTION pg_temp.disturb(round int) RETURNS void LANGUAGE sql AS $$
    UPDATE books.touch SET late = NOT late WHERE pg_temp.draw(id || 'late' || round, 4) = 0;
    UPDATE books.touch SET channel = 'c' || pg_temp.draw(id || round, 7) WHERE pg_temp.draw(id || 'moved' || round, 15) = 0;
    UPDATE books.deal SET amount = pg_temp.draw(id || 'again' || round, 100000) / 7.0 WHERE pg_temp.draw(id || 'edit' || round, 9) = 0;
    UPDATE books.deal SET currency = pg_temp.currency(id || round) WHERE pg_temp.draw(id || 'currency' || round, 12) = 0;
    UPDATE books.deal SET open = NOT open WHERE pg_temp.draw(id || 'open' || round, 12) = 0;
    UPDATE books.deal SET won = NOT won WHERE pg_temp.draw(id || 'won' || round, 12) = 0;
    UPDATE books.deal SET day = day + 31 - pg_temp.draw(id || 'by' || round, 62)::int WHERE pg_temp.draw(id || 'day' || round, 12) = 0;
    DELETE FROM books.deal WHERE pg_temp.draw(id || 'gone' || round, 25) = 0;
    UPDATE books.event SET late = NOT late WHERE pg_temp.draw(id || 'late' || round, 4) = 0;
    UPDATE books.event SET amount = amount + 1, day = day - 3 WHERE pg_temp.draw(id || 'edit' || round, 9) = 0;
    UPDATE books.rate SET r = r * 1.01 WHERE pg_temp.draw(f || d || round, 6) = 0;
    SELECT revrtm.refresh_journeys(verify => true) $$;
SELECT pg_temp.disturb(1);
CREATE TEMP TABLE signed AS SELECT * FROM revrtm.frozen_credit;
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'disturbed, it adds up');
SELECT is_empty($$(SELECT * FROM before WHERE period = '2026-01-01' EXCEPT SELECT * FROM pg_temp.by_month())
    UNION ALL (SELECT * FROM pg_temp.by_month() WHERE period = '2026-01-01' EXCEPT TABLE before)$$, 'January reads as it did');
SELECT ok(count(DISTINCT note) >= 8, 'many kinds of causes: ' || string_agg(DISTINCT note, '; ')) FROM revrtm.attribution_adjustment;
SELECT is((SELECT count(DISTINCT period) FROM revrtm.attribution_adjustment), 1::bigint, 'posted in one month');
SELECT is_empty('SELECT model, opportunity_id, event_id, own_period FROM revrtm.attribution_adjustment WHERE note = ''late_touch'' GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0 OR sum(deal_amount) <> 0 OR sum(units) <> 0',
    'a late touch moves credit within its deal only');

-- February is frozen with its adjustments, and more happens; then March and April.
SET LOCAL revrtm.as_of = '2026-03-05 00:00Z';
SELECT is((SELECT count(*) FROM revrtm.freeze_attribution('2026-02-01')), 4::bigint, 'February is frozen');
SELECT is_empty('SELECT * FROM revrtm.attribution_adjustment', 'its adjustments with it');
CREATE TEMP TABLE february AS SELECT * FROM pg_temp.by_month() WHERE period BETWEEN '2026-01-01' AND '2026-02-01';
SELECT pg_temp.disturb(2);
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'disturbed again, it adds up');
SET LOCAL revrtm.as_of = '2026-05-05 00:00Z';
SELECT is((SELECT count(*) FROM revrtm.freeze_attribution('2026-03-01')) + (SELECT count(*) FROM revrtm.freeze_attribution('2026-04-01')), 8::bigint, 'March and April are frozen');
SELECT pg_temp.disturb(3);
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'and a third time');
SELECT is_empty($$(TABLE february EXCEPT SELECT * FROM pg_temp.by_month()) UNION ALL (SELECT * FROM pg_temp.by_month() WHERE period BETWEEN '2026-01-01' AND '2026-02-01' EXCEPT TABLE february)$$, 'January and February read as they did');
SELECT is_empty('TABLE signed EXCEPT TABLE revrtm.frozen_credit', 'every line that was signed stands');

-- A refund of the whole deal, at once or in instalments, takes back every line as it was frozen.
DELETE FROM books.event;
INSERT INTO books.event
SELECT f.opportunity_id || '/' || k, f.opportunity_id, date '2026-05-01' + k, 'refund', CASE k WHEN 3 THEN f.amount - 2 * part ELSE part END, f.deal_currency, false
FROM (SELECT opportunity_id, deal_currency, sum(deal_amount) AS amount, trunc(sum(deal_amount) / 3, revrtm.currency_scale(deal_currency)) AS part FROM revrtm.frozen_credit k
      WHERE model = 'linear' AND entry = 'deal' AND period = (SELECT max(period) FROM revrtm.frozen_credit z WHERE z.model = 'linear' AND z.entry = 'deal' AND z.opportunity_id = k.opportunity_id)
      GROUP BY 1, 2 HAVING sum(deal_amount) > 0) f, generate_series(1, 3) k;
SELECT ok(count(*) > 100, 'refunds of whole deals, in thirds') FROM books.event;
SELECT is_empty($$
    SELECT model, opportunity_id, ordinal, sum(deal_amount) FROM (
        SELECT model, opportunity_id, ordinal, deal_amount FROM revrtm.refund_credit
        UNION ALL
        SELECT model, opportunity_id, ordinal, deal_amount FROM revrtm.frozen_credit k
        WHERE entry = 'deal' AND opportunity_id IN (SELECT deal FROM books.event)
          AND period = (SELECT max(period) FROM revrtm.frozen_credit z WHERE z.model = k.model AND z.entry = 'deal' AND z.opportunity_id = k.opportunity_id)) s
    GROUP BY 1, 2, 3 HAVING sum(deal_amount) <> 0$$, 'every line is back at zero');
SELECT * FROM finish();
ROLLBACK;
