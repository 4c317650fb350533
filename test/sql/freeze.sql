-- Frozen months, adjustments, refunds and amendments, the checks, comparison and explanation.
-- What is frozen stays, so all of it is one transaction that is rolled back.
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
BEGIN;
CREATE SCHEMA books;
CREATE TABLE books.deal (id text, account text, amount numeric, currency text, open boolean DEFAULT false, won boolean DEFAULT true, day date, synced timestamptz DEFAULT '2026-01-01 00:00Z');
CREATE TABLE books.touch (id text, deal text, day date, channel text, responded boolean, deleted boolean, synced timestamptz DEFAULT '2026-01-01 00:00Z');
CREATE TABLE books.event (id text, deal text, day date, kind text, amount numeric, currency text);
CREATE TABLE books.rate (f text, d date, r numeric);
CREATE TABLE books.spend (id text, period date, route text, category text, channel text, amount numeric);
SELECT bool_and(revrtm.bind(relation, query) IS NOT NULL) AS bound
FROM (VALUES
('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, currency, won AS is_won, NOT open AS is_closed,
    (day - 20)::timestamp AT TIME ZONE 'UTC' AS created_at, day AS close_date, synced AS synced_at FROM books.deal$$),
('touch', $$SELECT id AS touch_id, day::timestamp AT TIME ZONE 'UTC' AS touched_at, channel, deal AS opportunity_id, responded, deleted, synced AS synced_at FROM books.touch$$),
('revenue_event', $$SELECT id AS event_id, 'X'::text AS account_id, day AS at, kind, amount, deal AS opportunity_id, currency FROM books.event$$),
('fx_rate', $$SELECT f AS from_currency, 'USD'::text AS to_currency, d AS on_date, r AS rate FROM books.rate$$),
('spend', $$SELECT id AS spend_id, period, route AS route_id, category, channel, amount FROM books.spend$$)) b (relation, query);
UPDATE revrtm.attribution_model SET enabled = model IN ('linear', 'first_touch', 'u_shaped');
SET revrtm.as_of = '2026-02-10 00:00Z';
SET revrtm.fx_max_age = 0;

-- January: a hundred dollars between three, a hundred euros between two, a deal without touches, and one without an amount.
INSERT INTO books.rate VALUES ('EUR', '2026-01-01', 1.10), ('EUR', '2026-02-01', 1.20), ('EUR', '2026-03-01', 1.25), ('JPY', '2026-01-01', 0.01);
INSERT INTO books.deal (id, account, amount, currency, day) VALUES
    ('dollars', 'A', 100, NULL, '2026-01-20'), ('euros', 'B', 100.01, 'EUR', '2026-01-25'), ('nobody', 'C', 50, NULL, '2026-01-31'), ('empty', 'D', NULL, NULL, '2026-01-10'),
    ('yen', 'E', 1000, 'JPY', '2026-02-05');
INSERT INTO books.touch (id, deal, day, channel) VALUES
    ('1', 'dollars', '2026-01-02', 'ad'), ('2', 'dollars', '2026-01-05', 'call'), ('3', 'dollars', '2026-01-09', 'fair'),
    ('4', 'euros', '2026-01-03', 'ad'), ('5', 'euros', '2026-01-24', 'fair'), ('6', 'empty', '2026-01-05', 'ad'),
    ('7', 'yen', '2026-02-01', 'ad'), ('8', 'yen', '2026-02-02', 'call'), ('9', 'yen', '2026-02-03', 'fair'),
    ('10', 'nobody', '2025-01-01', 'ad'), ('11', 'nobody', '2026-02-01', 'call'), ('12', 'nobody', NULL, 'fair');
INSERT INTO books.touch (id, deal, day, channel, responded, deleted) VALUES ('13', 'nobody', '2026-01-04', 'ad', false, NULL), ('14', 'nobody', '2026-01-05', 'ad', NULL, true);

-- What cannot be frozen.
SELECT * FROM revrtm.freeze_attribution(NULL);
SELECT * FROM revrtm.freeze_attribution('infinity');
SELECT * FROM revrtm.freeze_attribution('2026-02-09');
SELECT * FROM revrtm.freeze_attribution('2026-01-01', '{linear,last_touch,no such}');
SELECT * FROM revrtm.freeze_attribution('2026-01-01', '{}');
SELECT * FROM revrtm.freeze_attribution('2026-01-01');
SELECT mode, inserted FROM revrtm.refresh_journeys();
SET revrtm.lookback = '30d';
SELECT * FROM revrtm.freeze_attribution('2026-01-01');
RESET revrtm.lookback;
UPDATE books.deal SET synced = '2026-01-02 00:00Z' WHERE id = 'yen';
SELECT * FROM revrtm.freeze_attribution('2026-01-01');
SELECT mode, updated FROM revrtm.refresh_journeys();
UPDATE books.deal SET amount = 101 WHERE id = 'dollars';
SELECT * FROM revrtm.freeze_attribution('2026-01-01', '{linear}');
UPDATE books.deal SET amount = 100 WHERE id = 'dollars';

-- Why nobody has the deal without touches.
SELECT * FROM revrtm.explain_touches('nobody');
SELECT * FROM revrtm.explain_touches('no such deal');
SELECT * FROM revrtm.explain_touches(NULL);

-- How the cents fell.
SELECT ordinal, channel, rule, share, exact_amount, floor_amount, remainder, extra_unit, amount, currency, converted FROM revrtm.explain_credit('dollars', 'linear');
SELECT ordinal, channel, rule, share, exact_amount, floor_amount, remainder, extra_unit, amount, currency, converted FROM revrtm.explain_credit('euros', 'u_shaped');
SELECT ordinal, channel, rule, share, exact_amount, floor_amount, remainder, extra_unit, amount, currency, converted FROM revrtm.explain_credit('yen', 'linear');
SELECT ordinal, channel, rule, share, exact_amount, extra_unit, amount, converted, note FROM revrtm.explain_credit('nobody', 'linear') UNION ALL
SELECT ordinal, channel, rule, share, exact_amount, extra_unit, amount, converted, note FROM revrtm.explain_credit('empty', 'first_touch');
SELECT * FROM revrtm.explain_credit('no such deal', 'linear');
SELECT * FROM revrtm.explain_credit('dollars', 'no such model');

-- January is signed under one model, then under the others.
SELECT * FROM revrtm.freeze_attribution('2026-01-15', '{linear}');
SELECT * FROM revrtm.freeze_attribution('2026-01-01', '{linear,u_shaped}');
SELECT * FROM revrtm.freeze_attribution('2026-01-01');
SELECT * FROM revrtm.freeze_attribution('2026-01-01');
SELECT period, model, currency, deals, lines, amount, frozen_by = session_user AS mine FROM revrtm.attribution_freeze ORDER BY model;
SELECT opportunity_id, ordinal, channel, entry, amount, deal_currency, deal_amount, note FROM revrtm.frozen_credit WHERE model = 'linear' ORDER BY opportunity_id, ordinal;
SELECT model, channel, period, entry, is_frozen, conversions, amount FROM revrtm.channel_ledger WHERE model = 'linear' ORDER BY period, channel;
SELECT count(*) AS adjustments FROM revrtm.attribution_adjustment;
SELECT revrtm.assert_attribution();

-- It is final, for a superuser and for the owner.
UPDATE revrtm.frozen_credit SET amount = 0;
DELETE FROM revrtm.frozen_credit WHERE false;
TRUNCATE revrtm.frozen_credit;
UPDATE revrtm.attribution_freeze SET amount = 0;
DELETE FROM revrtm.attribution_freeze;
TRUNCATE revrtm.attribution_freeze;
INSERT INTO revrtm.frozen_credit (period, own_period, ordinal, account_id, opportunity_id, model, entry, channel, exact_weight, units, amount, deal_currency)
VALUES ('2026-01-01', '2026-01-01', 9, 'A', 'dollars', 'linear', 'deal', 'mine', 1, 1, 1000, 'USD');
INSERT INTO revrtm.attribution_freeze (period, model, currency, policy_hash, deals, lines, amount, seal) VALUES ('2026-01-01', 'linear', 'USD', '', 0, 0, 0, '');
INSERT INTO revrtm.attribution_freeze (period, model, currency, policy_hash, deals, lines, amount, seal, frozen_at, frozen_by) VALUES ('2026-01-02', 'linear', 'USD', '', 0, 0, 0, '', '2026-01-01', 'me');
SET session_replication_role = replica;
DELETE FROM revrtm.frozen_credit;
RESET session_replication_role;
-- Lines that somebody laid ready for a month keep it from being frozen.
SAVEPOINT forged;
INSERT INTO revrtm.frozen_credit (period, own_period, ordinal, account_id, opportunity_id, model, entry, channel, exact_weight, units, amount, deal_currency)
VALUES ('2025-12-01', '2025-12-01', 9, 'A', 'dollars', 'linear', 'deal', 'mine', 1, 1, 1000, 'USD');
SELECT * FROM revrtm.freeze_attribution('2025-12-01', '{linear}');
SELECT freeze_check_key, lines, lines_now, amount, amount_now, note FROM revrtm.freeze_check ORDER BY 1;
SELECT revrtm.assert_attribution('2025-12-31');
ROLLBACK TO forged;
-- A line that was altered behind the triggers breaks the seal.
SAVEPOINT forged;
ALTER TABLE revrtm.frozen_credit DISABLE TRIGGER refuse_change;
UPDATE revrtm.frozen_credit SET channel = 'mine' WHERE opportunity_id = 'dollars' AND model = 'linear' AND ordinal = 2;
ALTER TABLE revrtm.frozen_credit ENABLE ALWAYS TRIGGER refuse_change;
SELECT freeze_check_key, lines, lines_now, amount, amount_now, note FROM revrtm.freeze_check ORDER BY 1;
SELECT revrtm.assert_attribution();
ROLLBACK TO forged;

-- February: a late touch, one removed, an amount, a rate, a deal that comes late and one that goes.
SET revrtm.as_of = '2026-03-10 00:00Z';
CREATE FUNCTION books.sync() RETURNS text LANGUAGE sql AS $$ SELECT mode FROM revrtm.refresh_journeys(verify => true) $$;
CREATE FUNCTION books.adjusted() RETURNS TABLE (opportunity_id text, own_period date, period date, lines bigint, amount numeric, deal_currency text, deal_amount numeric, deals numeric, note text, foots boolean) LANGUAGE sql AS $$
    SELECT a.opportunity_id, a.own_period, a.period, count(*), sum(a.amount), a.deal_currency, sum(a.deal_amount), sum(a.units) / 4611686018427387904, a.note,
           (SELECT bool_and(k.difference = 0 AND k.own_difference = 0 AND k.deal_difference = 0) FROM revrtm.ledger_check k)
    FROM revrtm.attribution_adjustment a WHERE a.model = 'linear' GROUP BY a.opportunity_id, a.own_period, a.period, a.deal_currency, a.note ORDER BY a.opportunity_id, a.deal_currency $$;
SAVEPOINT february;
INSERT INTO books.touch (id, deal, day, channel) VALUES ('20', 'dollars', '2026-01-07', 'webinar');
SELECT books.sync();
SELECT own_period, period, model, channel, touched_at::date, amount, deal_amount, round(units / 4611686018427387904.0, 6) AS share, note
FROM revrtm.attribution_adjustment ORDER BY model, touched_at;
SELECT model, channel, period, entry, is_frozen, conversions, amount FROM revrtm.channel_ledger WHERE model = 'linear' ORDER BY period, entry, channel;
SELECT * FROM revrtm.ledger_check WHERE model = 'linear' ORDER BY 1;
-- February is frozen with what has come, in its turn; then there is nothing left.
SELECT * FROM revrtm.freeze_attribution('2026-02-01');
SELECT count(*) AS adjustments FROM revrtm.attribution_adjustment;
SELECT period, own_period, ordinal, entry, opportunity_id, channel, amount, note FROM revrtm.frozen_credit WHERE model = 'linear' AND period = '2026-02-01' ORDER BY opportunity_id, ordinal;
-- The touch is deleted again: January and February stand, March is adjusted.
UPDATE books.touch SET deleted = true WHERE id = '20';
SELECT books.sync();
SELECT own_period, period, channel, amount, note FROM revrtm.attribution_adjustment WHERE model = 'linear' ORDER BY touched_at;
SELECT revrtm.assert_attribution();
ROLLBACK TO february;

UPDATE books.deal SET amount = 90 WHERE id = 'dollars';
UPDATE books.rate SET r = 1.11 WHERE d = '2026-01-01' AND f = 'EUR';
UPDATE books.touch SET deleted = true WHERE id = '6';
SELECT books.sync(); SELECT * FROM books.adjusted();
ROLLBACK TO february;
UPDATE books.deal SET open = true WHERE id = 'dollars';
UPDATE books.deal SET won = false WHERE id = 'nobody';
DELETE FROM books.deal WHERE id = 'euros';
INSERT INTO books.deal (id, account, amount, day) VALUES ('late', 'F', 10, '2026-01-28');
SELECT books.sync(); SELECT * FROM books.adjusted();
ROLLBACK TO february;
UPDATE books.deal SET day = '2026-02-20' WHERE id = 'dollars';
UPDATE books.deal SET currency = 'JPY', amount = 5000 WHERE id = 'nobody';
UPDATE books.deal SET account = 'merged' WHERE id = 'euros';
SELECT books.sync(); SELECT * FROM books.adjusted();
SELECT period, entry, sum(amount) FROM revrtm.attribution_ledger WHERE model = 'linear' GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK TO february;
UPDATE revrtm.attribution_model SET kind = 'last' WHERE model = 'linear';
SELECT * FROM books.adjusted();
ROLLBACK TO february;
-- A model that is switched off has its frozen lines, and a new one is open in January.
UPDATE revrtm.attribution_model SET enabled = model IN ('u_shaped', 'last_touch');
SELECT model, period, entry, is_frozen, sum(amount) FROM revrtm.channel_ledger GROUP BY 1, 2, 3, 4 ORDER BY 1, 2;
ROLLBACK TO february;
-- Without a store nothing is known to have changed.
SELECT revrtm.unbind('opportunity');
SELECT mode FROM revrtm.refresh_journeys(verify => true);
SELECT count(*) AS gone, min(note) AS note FROM revrtm.attribution_adjustment WHERE model = 'linear';
DELETE FROM revrtm.journey_refresh;
SELECT count(*) AS gone FROM revrtm.attribution_adjustment;
ROLLBACK TO february;
-- Months in two currencies have no sum.
SET revrtm.currency = 'EUR';
SELECT count(*) FROM revrtm.attribution_ledger;
SELECT revrtm.freeze_attribution('2026-02-01');
RESET revrtm.currency;

-- Refunds. Of 100.00 = 33.34 + 33.33 + 33.33 half is given back, then the rest: by then every line is back at zero.
INSERT INTO books.event VALUES ('r1', 'dollars', '2026-02-03', 'Refund', 50, NULL), ('r2', 'dollars', '2026-03-02', 'refund', -50, 'USD');
-- In euros, on a day of another rate: 40.00 at 1.20 is 48.00. An amendment counts as it is; an expansion is a deal of its own.
INSERT INTO books.event VALUES ('r3', 'euros', '2026-02-04', 'refund', 40, 'EUR'), ('a1', 'euros', '2026-03-05', 'amendment', 10.01, 'EUR'), ('x1', 'euros', '2026-03-05', 'expansion', 99, 'EUR');
-- Of a deal that is not known, of none, and of a currency without a rate.
INSERT INTO books.event VALUES ('r4', 'no such deal', '2026-02-06', 'refund', 7, NULL), ('r5', NULL, '2026-02-06', 'refund', 8, NULL), ('r6', 'yen', '2026-02-06', 'refund', 9, 'GBP');
SELECT event_id, opportunity_id, kind, period, amount, deal_currency, deal_amount, total, deal_total, note FROM revrtm.deal_amendment ORDER BY 1;
SELECT event_id, ordinal, channel, amount, deal_currency, deal_amount, note FROM revrtm.refund_credit WHERE model = 'linear' ORDER BY event_id, ordinal;
SELECT channel, sum(amount) FROM (SELECT channel, amount FROM revrtm.frozen_credit WHERE model = 'linear' AND opportunity_id = 'dollars'
                                  UNION ALL SELECT channel, amount FROM revrtm.refund_credit WHERE model = 'linear' AND opportunity_id = 'dollars') l GROUP BY 1 ORDER BY 1;
SELECT * FROM revrtm.ledger_check WHERE model = 'u_shaped' ORDER BY 1;
-- A late touch changes the deal's credit, not what its refund takes back.
INSERT INTO books.touch (id, deal, day, channel) VALUES ('20', 'dollars', '2026-01-07', 'webinar');
SELECT books.sync();
SELECT DISTINCT channel FROM revrtm.refund_credit WHERE model = 'linear' AND opportunity_id = 'dollars' ORDER BY 1;
SELECT revrtm.assert_attribution();
-- February is frozen with its refunds. One that comes late for it is an adjustment, and so is one that goes.
SELECT * FROM revrtm.freeze_attribution('2026-02-01', '{linear}');
INSERT INTO books.event VALUES ('r7', 'nobody', '2026-02-20', 'refund', 20, NULL);
UPDATE books.event SET amount = 41 WHERE id = 'r3';
DELETE FROM books.event WHERE id = 'r4';
SELECT event_id, own_period, period, channel, amount, deal_currency, deal_amount, note FROM revrtm.attribution_adjustment WHERE model = 'linear' ORDER BY event_id, ordinal;
SELECT revrtm.assert_attribution();
-- More than there was.
INSERT INTO books.event VALUES ('r8', 'nobody', '2026-03-03', 'refund', 30.01, NULL);
SELECT event_id, amount, total, note FROM revrtm.deal_amendment WHERE opportunity_id = 'nobody' ORDER BY 1;
SELECT revrtm.assert_attribution();
SELECT revrtm.assert_attribution('2026-02-15');
DELETE FROM books.event WHERE id = 'r8';
-- Kinds are policy.
INSERT INTO revrtm.amendment_kind (kind) VALUES ('Expansion');
INSERT INTO revrtm.amendment_kind (kind) VALUES ('expansion');
SELECT event_id, amount FROM revrtm.deal_amendment WHERE kind = 'expansion';
DELETE FROM revrtm.amendment_kind WHERE kind = 'expansion';

-- A store behind the CRM does not foot; five places are told.
UPDATE books.deal SET amount = 1 WHERE id = 'nobody';
SELECT revrtm.assert_attribution();
SELECT books.sync();
SELECT revrtm.assert_attribution();

-- Comparison, with a channel that only costs, and a mapped one.
INSERT INTO revrtm.channel_map VALUES ('billboard', 'direct', 'program');
INSERT INTO books.spend VALUES ('1', '2026-01-10', 'direct', 'content', 'podcast', 500), ('2', '2026-01-11', 'direct', 'program', NULL, 900), ('3', '2026-01-12', 'direct', 'content', 'ad', 20);
SELECT model, channel, conversions, revenue, share, rank, mean_rank, best_rank, worst_rank, lowest, highest, spread, rank_flip, spend, note
FROM revrtm.attribution_comparison WHERE period = '2026-01-01' ORDER BY channel, model;
SELECT count(*) = count(DISTINCT attribution_comparison_key) AS unique_key FROM revrtm.attribution_comparison;
SELECT count(*) = count(DISTINCT attribution_ledger_key) AS unique_key FROM revrtm.attribution_ledger;
SELECT count(*) = count(DISTINCT channel_ledger_key) AS unique_key FROM revrtm.channel_ledger;
SELECT count(*) = count(DISTINCT attribution_line_key) AS unique_key FROM revrtm.attribution_line;
SELECT count(*) = count(DISTINCT attribution_adjustment_key) AS unique_key FROM revrtm.attribution_adjustment;
SELECT count(*) = count(DISTINCT ledger_check_key) AS unique_key FROM revrtm.ledger_check;

-- An analyst reads, and cannot sign.
CREATE ROLE regress_analyst;
SELECT revrtm.grant_reader('regress_analyst');
SET ROLE regress_analyst;
SELECT count(*) > 0 AS reads FROM revrtm.attribution_ledger;
SELECT revrtm.assert_attribution();
SELECT * FROM revrtm.freeze_attribution('2026-02-01', '{u_shaped}');
RESET ROLE;
GRANT INSERT ON revrtm.attribution_freeze, revrtm.frozen_credit TO regress_analyst;
SET ROLE regress_analyst;
SELECT * FROM revrtm.freeze_attribution('2026-02-01', '{u_shaped}');
DELETE FROM revrtm.frozen_credit;
RESET ROLE;
ROLLBACK;

-- The rules, of any journey.
SELECT m.model, r.ordinal, r.milestone, r.rule, c.exact_weight
FROM unnest('{first_touch,last_touch,last_non_direct,linear,linear_unique,u_shaped,w_shaped,u_marketo,time_decay}'::text[]) WITH ORDINALITY m (model, place),
     LATERAL (SELECT '{ad@2026-01-01T00:00:00Z|LC,call@2026-01-03T12:00:00Z,call@2026-01-05T00:00:00Z|OC,direct@2026-01-08T00:00:00Z}'::revrtm.journey AS j) j,
     LATERAL revrtm.credit_rule(j.j, m.model) r
     JOIN LATERAL revrtm.credit_weight(j.j, m.model, NULL, 2, NULL, 2) c ON c.ordinal = r.ordinal
ORDER BY m.place, r.ordinal;
BEGIN;
INSERT INTO revrtm.attribution_model (model, kind, parameters) VALUES ('mine', 'position', '{"LC": 0.125, "CW": 0.875}'), ('middle', 'position', '{"middle": 1}');
SELECT m, r.* FROM unnest('{mine,middle,u_shaped,last_non_direct,time_decay}'::text[]) m, revrtm.credit_rule('{direct,direct}', m) r;
SELECT m, r.* FROM unnest('{mine,linear}'::text[]) m, revrtm.credit_rule(NULL, m) r;
ROLLBACK;
SELECT * FROM revrtm.credit_rule('{a}', NULL);
SELECT * FROM revrtm.credit_rule('{a}', 'no such model');

-- Splits by whole weights, of any size.
SELECT revrtm.split_by_weight(100, '{1,1,1}'), revrtm.split_by_weight(-100, '{1,1,1}') AS mirrored, revrtm.split_by_weight(10, '{0,3,0}', 0) AS one,
       revrtm.split_by_weight(1, '{0,0}') AS equal, revrtm.split_by_weight(0.03, ARRAY[NULL, 9223372036854775807, 9223372036854775807]) AS large;
SELECT revrtm.split_by_weight(1, '{}');
SELECT revrtm.split_by_weight(1, '{1,-1}');
SELECT revrtm.split_by_weight(1, '{{1},{1}}');
SELECT revrtm.split_by_weight('NaN', '{1}');
SELECT revrtm.split_by_weight(1, '{1}', 19);
