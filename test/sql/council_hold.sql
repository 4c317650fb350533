-- The life of councils, on a budget of five lines.

\set SHOW_CONTEXT never
\set VERBOSITY default
SET TimeZone = 'UTC';
SET revrtm.as_of = '2026-07-01';
CREATE SCHEMA board;
CREATE TABLE board.month (line text, period date, spend numeric, margin numeric, PRIMARY KEY (line, period));
CREATE TABLE board.extra (id text, period date, route text, category text, amount numeric, currency text);
SELECT bool_and(revrtm.bind(relation, query) IS NOT NULL) AS bound
FROM (VALUES
('opportunity', $$SELECT line || period || n AS opportunity_id, 'acme'::text AS account_id, margin / 2 AS amount, 'USD'::text AS currency,
    true AS is_closed, true AS is_won, (period - 9)::timestamptz AS created_at, period + 9 AS close_date,
    CASE line WHEN 'b' THEN 'resell' ELSE 'direct' END AS route_id, margin / 4 AS margin, CASE line WHEN 'a' THEN 'mid' ELSE 'smb' END AS segment
    FROM board.month, generate_series(1, 2) n$$),
('touch', $$SELECT line || period || n AS touch_id, (period - 2)::timestamptz AS touched_at, line AS channel, line || period || n AS opportunity_id
    FROM board.month, generate_series(1, 2) n$$),
('spend', $$SELECT line || period AS spend_id, period, 'direct'::text AS route_id, line AS category, spend AS amount, 'USD'::text AS currency FROM board.month WHERE spend > 0
    UNION ALL SELECT id, period, route, category, amount, currency FROM board.extra$$),
('account', $$SELECT 'acme'::text AS account_id, 'Acme'::text AS account_name, 'mid'::text AS segment$$)) b (relation, query);
INSERT INTO revrtm.channel_map SELECT l, 'direct', l FROM unnest('{a,b,c,d,e}'::text[]) l;
-- a and b tell clearly, c tells less than it costs, d has four months, e one.
INSERT INTO board.month
SELECT 'a', date '2025-10-01' + m * interval '1 month', 1000 + 90 * (m * 4 % 9), round((4000 * ln(1000 + 90 * (m * 4 % 9)) - 20000)::numeric, 2) FROM generate_series(0, 8) m
UNION ALL
SELECT 'b', date '2025-10-01' + m * interval '1 month', 2000 + 130 * (m * 5 % 9), round((1500 * ln(2000 + 130 * (m * 5 % 9)) - 8000)::numeric, 2) + m % 2 FROM generate_series(0, 8) m
UNION ALL
SELECT 'c', date '2025-10-01' + m * interval '1 month', 900 + 50 * (m * 7 % 9), 700 - m % 3 FROM generate_series(0, 8) m
UNION ALL
SELECT 'd', date '2026-03-01' + m * interval '1 month', 400 + 30 * m, 900 + 10 * m FROM generate_series(0, 3) m
UNION ALL
SELECT 'e', date '2026-06-01', 300, 100;

-- Not yet: everything that has to be there is named.
SELECT revrtm.open_council();
INSERT INTO revrtm.budget_line (line, route_id, category) SELECT 'line ' || l, 'direct', l FROM unnest('{a,b,c,d,e}'::text[]) l;
SELECT mode, inserted FROM revrtm.refresh_journeys();
SELECT revrtm.open_council();
-- Without the credit nothing moves.
SELECT line, change, bound, note FROM revrtm.budget_proposal();
SELECT revrtm.refresh_romi() > 0 AS romi;
SELECT revrtm.open_council('2026-07-01');
SELECT revrtm.open_council('2026-08-01');
SELECT revrtm.open_council('infinity');
SELECT revrtm.open_council('2026-06-01', 1);
SELECT count(*) AS councils FROM revrtm.council;

-- What is proposed, and why.
SELECT line, current, lo, hi, curve, months, deals, source, note, held FROM revrtm.budget_fit();
SELECT line, current, proposed, change, round(gain::numeric, 2) AS gain, bound, note, explanation FROM revrtm.budget_proposal();
SELECT line, group_path, gap < 1e-6 AS optimal, gain_lo <= gain AND gain <= gain_hi AS within, other_share, other_route FROM revrtm.budget_explanation();
-- The pooled curve is that of all lines, in shares of each line's means.
SELECT f.line, abs(revrtm.curve_slope(f.raw_curve, 1) / (d.mean / 2 * p.slope) - 1) < 1e-3 AS slope
FROM revrtm.budget_fit() f,
     (SELECT avg(margin)::float8 AS mean FROM board.month WHERE line = 'd') d,
     (SELECT regr_slope(m.margin / u.margin, ln((m.spend / u.spend)::float8)) AS slope
      FROM board.month m JOIN (SELECT line, avg(margin) AS margin, avg(spend) AS spend FROM board.month GROUP BY 1) u USING (line)
      WHERE line IN ('a', 'b', 'c')) p
WHERE f.line = 'line d';

-- Bounds are policy.
BEGIN;
INSERT INTO revrtm.budget_guard VALUES ('line a', true, 0, NULL), ('line b', false, 2500, NULL), ('line c', false, 0, 0.6);
SELECT line, lo, hi, held, gross_margin FROM revrtm.budget_fit();
SELECT line, change, bound FROM revrtm.budget_proposal();
ROLLBACK;
BEGIN;
INSERT INTO revrtm.budget_group VALUES ('company/direct', NULL, 5600), ('company/nobody', 1, 2), ('company', 4000, NULL);
SELECT line, change, bound FROM revrtm.budget_proposal('2026-06-01', 5600);
SELECT * FROM revrtm.budget_proposal('2026-06-01', 5700);
ROLLBACK;
BEGIN;
UPDATE revrtm.council_rule SET shift_share = 0.01;
SELECT sum(abs(change)) / 2 <= 0.01 * sum(current) AS within, count(*) FILTER (WHERE bound = 'current') AS held FROM revrtm.budget_proposal();
UPDATE revrtm.council_rule SET shift_share = NULL, least_share = 0.5, most_share = 3;
SELECT min(proposed / current)::numeric(8, 4), max(proposed / current)::numeric(8, 4), sum(change) FROM revrtm.budget_proposal();
ROLLBACK;
-- A council that explores pays lines without evidence to get some.
BEGIN;
UPDATE revrtm.council_rule SET explore_share = 0.02;
SELECT line, current, proposed, bound, note FROM revrtm.budget_proposal() WHERE bound = 'explore';
SELECT sum(change) FROM revrtm.budget_proposal();
ROLLBACK;
-- A segment that is covered too little keeps what most of its revenue comes from.
BEGIN;
INSERT INTO revrtm.tam (account_id, as_of, potential) VALUES ('acme', '2026-01-01', 1000);
INSERT INTO revrtm.coverage_floor VALUES ('smb', 0.5), ('mid', 0.5);
SELECT * FROM revrtm.council_breach();
SELECT line, lo = current AS stays, held FROM revrtm.budget_fit() WHERE held = 'coverage';
ROLLBACK;
-- What policy may not be.
INSERT INTO revrtm.council_rule (rule) VALUES ('another');
UPDATE revrtm.council_rule SET least_share = 1.1;
UPDATE revrtm.council_rule SET explore_share = -1;
INSERT INTO revrtm.budget_guard VALUES ('x', false, 'NaN');
INSERT INTO revrtm.budget_guard VALUES ('x', false, -1);
INSERT INTO revrtm.budget_group VALUES ('company//direct');
INSERT INTO revrtm.budget_group VALUES ('company', 2, 1);
INSERT INTO revrtm.coverage_floor VALUES ('mid', 1.5);

-- What if.
SELECT line, current, amount, change, abs(gain - (revrtm.curve_value(curve, 1500) - revrtm.curve_value(curve, f.current::float8))) < 1e-9 AS gain,
       gain_lo < gain AND gain < gain_hi AS within, bound
FROM revrtm.whatif('{"line a": 1500}') w JOIN revrtm.budget_fit() f USING (line, current) WHERE line = 'line a';
SELECT line, amount, change, round(gain::numeric, 2) AS gain, bound FROM revrtm.whatif('{"line b": 0, "line c": 1e4}') WHERE change <> 0;
SELECT * FROM revrtm.whatif('{"no such": 1, "nor this": 2}');
SELECT * FROM revrtm.whatif('{"line a": -1}');
SELECT * FROM revrtm.whatif('{"line a": "much"}');
SELECT * FROM revrtm.whatif('[1]');
SELECT * FROM revrtm.whatif(NULL);

-- Money that has to be talked about first.
INSERT INTO board.extra VALUES
    ('x1', '2026-06-03', 'ghost', 'mdf', 50, 'USD'), ('x2', '2026-06-03', 'resell', 'program', 70, 'USD'), ('x3', '2026-06-03', 'direct', 'a', 70, 'GBP');
SELECT * FROM revrtm.council_breach();
SELECT line, current FROM revrtm.budget_fit() WHERE line = 'line a';

-- The council of June.
SELECT length(revrtm.open_council()) AS hash;
SELECT revrtm.open_council('2026-06-11');
SELECT c.period, c.model, c.currency, c.policy_hash = revrtm.policy_hash() AS policy, c.budget,
       c.hash = encode(sha256(convert_to(revrtm.council_document('2026-06-01')::text, 'UTF8')), 'hex') AS made_again FROM revrtm.council c;
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'iso_8601';
SET extra_float_digits = 0;
SELECT c.hash = encode(sha256(convert_to(revrtm.council_document('2026-06-01')::text, 'UTF8')), 'hex') AS made_again_in_tokyo FROM revrtm.council c;
SET TimeZone = 'UTC';
RESET DateStyle;
RESET IntervalStyle;
SET extra_float_digits = 1;
SELECT part, jsonb_typeof(document) AS type FROM revrtm.council_snapshot ORDER BY part;
SELECT (SELECT jsonb_agg(to_jsonb(e)) FROM revrtm.budget_explanation('2026-06-01') e) = document AS proposal FROM revrtm.council_snapshot WHERE part = 'proposal';
-- The next one waits.
SET revrtm.as_of = '2026-08-01';
SELECT revrtm.open_council('2026-07-01');
SET revrtm.as_of = '2026-07-01';

-- Decisions.
SELECT revrtm.decide('2026-05-01', 'line a', 'accept');
SELECT revrtm.decide('2026-06-01', 'line x', 'accept');
SELECT revrtm.decide('2026-06-01', NULL, 'accept');
SELECT revrtm.decide('2026-06-01', 'line a', 'postpone');
SELECT revrtm.decide('2026-06-01', 'line a', 'accept', 7);
SELECT revrtm.decide('2026-06-01', 'line a', 'amend');
SELECT revrtm.decide('2026-06-01', 'line a', 'amend', 1100);
SELECT revrtm.decide('2026-06-01', 'line a', 'reject');
SELECT revrtm.decide('2026-06-01', 'line a', 'amend', 99999, 'because');
SELECT revrtm.decide('2026-06-01', 'line a', 'amend', 'NaN', 'because');
SELECT revrtm.decide('2026-06-01', 'line b', 'amend', 2222.2222, 'because');
SET revrtm.actor = 'cfo@example.com';
SELECT revrtm.decide('2026-06-17', 'line a', 'accept') AS a, revrtm.decide('2026-06-01', 'line c', 'reject', NULL, 'the fair is in July') AS c;
-- What c does not give cannot be spent on a.
SELECT * FROM revrtm.close_council('2026-06-01');
SELECT count(*) AS budgets FROM revrtm.council_budget;
SELECT revrtm.decide('2026-06-01', 'line a', 'amend', (SELECT current + 1.11 FROM revrtm.budget_fit('2026-06-01') WHERE line = 'line a'), 'only a little') -
       (SELECT current FROM revrtm.budget_fit('2026-06-01') WHERE line = 'line a') AS more;
SELECT revrtm.decide('2026-06-01', 'line b', 'amend', (SELECT current - 10 FROM revrtm.budget_fit('2026-06-01') WHERE line = 'line b'), 'to pay for it') -
       (SELECT current FROM revrtm.budget_fit('2026-06-01') WHERE line = 'line b') AS less;
SELECT * FROM revrtm.close_council('2026-06-01', 'perhaps');
SELECT * FROM revrtm.close_council('2026-06-01');
RESET revrtm.actor;
SELECT ordinal, entry, line, decision, amount, reason, app_actor FROM revrtm.council_entry ORDER BY ordinal;
SELECT council_budget_key, route_id, category, amount, currency, decided_in FROM revrtm.council_budget ORDER BY 1;

-- It is final, for everybody.
SELECT revrtm.decide('2026-06-01', 'line a', 'accept');
SELECT * FROM revrtm.close_council('2026-06-01');
\set VERBOSITY terse
UPDATE revrtm.council SET budget = 0;
DELETE FROM revrtm.council;
TRUNCATE revrtm.council;
UPDATE revrtm.council_entry SET amount = 0;
DELETE FROM revrtm.council_entry;
TRUNCATE revrtm.council_entry;
INSERT INTO revrtm.council_entry (period, ordinal, entry, line, amount) VALUES ('2026-06-01', 99, 'budget', 'line a', 7);
SET session_replication_role = replica;
DELETE FROM revrtm.council;
UPDATE revrtm.council_entry SET amount = 0;
RESET session_replication_role;
INSERT INTO revrtm.council (period, as_of, model, currency, policy_hash, budget, snapshot, hash) VALUES ('2026-04-01', now(), '', '', '', 0, '{}', 'forged');
\set VERBOSITY default

-- July comes: what was decided is the current budget, whatever was spent, and what came of it is told.
INSERT INTO board.month VALUES ('a', '2026-07-01', 1300, 8800), ('b', '2026-07-01', 2600, 3900), ('c', '2026-07-01', 900, 700), ('d', '2026-07-01', 490, 940);
SELECT mode, inserted FROM revrtm.refresh_journeys();
SET revrtm.as_of = '2026-08-01';
SELECT revrtm.open_council();
SELECT revrtm.refresh_romi() > 0 AS romi;
SELECT f.line, f.current, f.current = b.amount AS decided, b.period FROM revrtm.budget_fit() f JOIN revrtm.council_budget b USING (line);
SELECT kind, subject, value, bound FROM revrtm.council_breach() WHERE kind = 'overspent';
SELECT council_outcome_key, decision, note FROM revrtm.council_outcome ORDER BY 1;
SELECT revrtm.record_outcomes('2026-06-30') AS too_early, revrtm.record_outcomes() AS added, revrtm.record_outcomes() AS nothing_new;
SELECT council_outcome_key, spend, margin_before, margin_after, realised, known_in, note FROM revrtm.council_outcome ORDER BY 1;
-- a deal of July comes late: another entry, and the first one stays.
UPDATE board.month SET margin = 900 WHERE line = 'c' AND period = '2026-07-01';
SELECT mode FROM revrtm.refresh_journeys(verify => true);
SELECT revrtm.refresh_romi() > 0 AS romi, revrtm.record_outcomes() AS added;
SELECT line, ordinal, margin_after, known_in FROM revrtm.council_result WHERE line = 'line c' ORDER BY 2;
SELECT margin_after FROM revrtm.council_outcome WHERE line = 'line c';
\set VERBOSITY terse
UPDATE revrtm.council_result SET margin_after = 0;
DELETE FROM revrtm.council_result;
\set VERBOSITY default
-- An old month cannot be opened after; nor can one be where outcomes are out of date.
SELECT length(revrtm.open_council('2026-07-31')) AS hash;
SELECT revrtm.open_council('2026-05-01');
SELECT line, decision FROM revrtm.close_council('2026-07-01', 'accept');
SELECT sum(amount) = (SELECT budget FROM revrtm.council WHERE period = '2026-07-01') AS whole FROM revrtm.council_budget WHERE period = '2026-08-01';
SELECT revrtm.open_council('2026-05-01');
-- The pack has it all.
SELECT jsonb_array_length(p -> 'decisions') AS decisions, jsonb_array_length(p -> 'outcomes') AS outcomes, p -> 'version' AS version
FROM revrtm.council_pack('2026-07-01') p;
SELECT p -> 'decisions' = (SELECT jsonb_agg(to_jsonb(e) ORDER BY e.ordinal) FROM revrtm.council_entry e WHERE e.period = '2026-07-01') AS decisions,
       p -> 'outcomes' = (SELECT jsonb_agg(to_jsonb(o) ORDER BY o.period, o.line) FROM revrtm.council_outcome o) AS outcomes,
       p -> 'budget' = (SELECT jsonb_agg(to_jsonb(b)) FROM revrtm.budget_proposal('2026-07-01') b) AS budget,
       p -> 'calibration' = (SELECT jsonb_agg(to_jsonb(c)) FROM revrtm.council_calibration('2026-07-01') c) AS calibration
FROM revrtm.council_pack('2026-07-01') p;
SELECT line, moves, predicted, realised, factor FROM revrtm.council_calibration();

-- A reader reads, and decides nothing.
CREATE ROLE regress_revrtm_board;
SELECT revrtm.grant_reader('regress_revrtm_board');
SET ROLE regress_revrtm_board;
SELECT count(*) FROM revrtm.council;
\set VERBOSITY terse
SELECT revrtm.decide('2026-07-01', 'line a', 'accept');
SELECT revrtm.close_council('2026-07-01');
\set VERBOSITY default
RESET ROLE;
SET client_min_messages = warning;
DROP OWNED BY regress_revrtm_board;
DROP ROLE regress_revrtm_board;

-- Curves that are scaled about a point.
SELECT c AS curve, abs(revrtm.curve_value(s.s, 100) - revrtm.curve_value(c, 100)) < 1e-9 AS same_there,
       abs(revrtm.curve_slope(s.s, 37) - 0.5 * revrtm.curve_slope(c, 37)) < 1e-9 AS half_as_steep
FROM unnest('{"linear(3,2)","log(1,5)","power(2,3,0.5)","exponential(1,100,20)","hill(1,100,20,1.5)"}'::revrtm.response_curve[]) c,
     revrtm.scale_curve(c, 0.5, 100) s (s);

-- Leave nothing behind; what is final goes only with its guard.
SELECT count(revrtm.unbind(relation)) AS unbound FROM (VALUES ('opportunity'), ('touch'), ('spend'), ('account')) u (relation);
DROP SCHEMA board CASCADE;
ALTER TABLE revrtm.council DISABLE TRIGGER USER;
ALTER TABLE revrtm.council_entry DISABLE TRIGGER USER;
ALTER TABLE revrtm.council_result DISABLE TRIGGER USER;
DELETE FROM revrtm.council;
DELETE FROM revrtm.council_entry;
DELETE FROM revrtm.council_result;
ALTER TABLE revrtm.council ENABLE TRIGGER USER;
ALTER TABLE revrtm.council_entry ENABLE TRIGGER USER;
ALTER TABLE revrtm.council_result ENABLE TRIGGER USER;
ALTER TABLE revrtm.council ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE revrtm.council_entry ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE revrtm.council_result ENABLE ALWAYS TRIGGER refuse_change;
RESET client_min_messages;
DELETE FROM revrtm.budget_line;
DELETE FROM revrtm.channel_map;
DELETE FROM revrtm.deal_journey;
DELETE FROM revrtm.journey_refresh;
DELETE FROM revrtm.romi_credit;
DELETE FROM revrtm.romi_refresh;
RESET TimeZone;
