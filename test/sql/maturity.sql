-- Maturity and the loop: what is shipped, hand fixtures, every error.
\set SHOW_CONTEXT never
SET TimeZone = 'America/New_York';
SET client_min_messages = warning;
SET jit = off;
SET revrtm.as_of = '2026-07-01 00:00Z';
SET revrtm.lookback = '0';
SET revrtm.actor = 'tester';
\pset null '-'

-- Shipped: the six capabilities, RM6, the loop.
SELECT model, model_name, benchmark FROM revrtm.maturity_model ORDER BY model;
SELECT model, level, level_name FROM revrtm.maturity_level ORDER BY model, level;
SELECT model, dimension, side, owner, kpis FROM revrtm.maturity_dimension ORDER BY model, ordinal;
SELECT d.dimension, a.description AS "from", o.description AS "to"
FROM revrtm.maturity_dimension d
     JOIN revrtm.maturity_stage a ON (a.model, a.dimension, a.level) = (d.model, d.dimension, 1)
     JOIN revrtm.maturity_stage o ON (o.model, o.dimension, o.level) = (d.model, d.dimension, 4)
WHERE d.model = 'enablement' ORDER BY d.ordinal;
-- Every pillar and capability is described at every level; thresholds grow harder.
SELECT d.model, count(DISTINCT d.dimension) AS dimensions, count(s.level) AS described
FROM revrtm.maturity_dimension d LEFT JOIN revrtm.maturity_stage s USING (model, dimension) GROUP BY d.model ORDER BY d.model;
SELECT count(*) AS not_harder
FROM revrtm.maturity_criterion a JOIN revrtm.maturity_criterion b USING (model, dimension, kpi, route_id, comparison)
WHERE b.level = a.level + 1 AND CASE comparison WHEN '>=' THEN b.threshold <= a.threshold ELSE b.threshold >= a.threshold END;
SELECT source, value, stage FROM revrtm.loop_map ORDER BY source, stage, value;

-- The loop by hand. Deals of two accounts; a3 is known and not reached, a4 is
-- a partner, a5 was merged into a1.
CREATE SCHEMA mt;
CREATE TABLE mt.deal (id text, account text, route text, created timestamptz, ended timestamptz, won boolean);
CREATE TABLE mt.touch (id text, deal text, channel text, at timestamptz);
CREATE TABLE mt.stage (deal text, stage text, at timestamptz);
CREATE TABLE mt.event (id text, account text, at date, kind text);
INSERT INTO mt.deal VALUES
    ('won', 'a1', 'direct', '2026-01-10Z', '2026-03-01Z', true),
    ('again', 'a5', 'resell', '2026-04-01Z', '2026-05-01Z', true),
    ('lost', 'a2', 'direct', '2026-01-10Z', '2026-02-10Z', false),
    ('open', 'a2', 'resell', '2026-06-01Z', NULL, NULL),
    ('alone', NULL, 'direct', '2026-02-01Z', '2026-02-20Z', true);
INSERT INTO mt.touch VALUES
    -- Before the deal, on a mapped channel, at the instant of a stage, and within it.
    ('1', 'won', 'ad', '2026-01-05Z'), ('2', 'won', 'webinar', '2026-01-07Z'), ('3', 'won', 'call', '2026-01-20Z'), ('4', 'won', 'call', '2026-02-27Z'),
    -- A customer's touch, in the journey of its next deal; before there was a customer it would be a deal's.
    ('5', 'again', 'course', '2026-04-10Z'), ('6', 'again', 'call', '2026-04-11Z'), ('7', 'lost', 'course', '2026-01-12Z');
INSERT INTO mt.stage VALUES
    ('won', 'Prospecting', '2026-01-10Z'), ('won', 'Qualification', '2026-01-20Z'), ('won', 'Negotiation/Review', '2026-02-20Z'),
    ('won', 'Qualification', '2026-02-25Z'), ('won', 'Closed Won', '2026-03-01Z'),
    ('lost', 'Proposal/Price Quote', '2026-01-15Z'), ('lost', 'Qualification', '2026-02-11Z'),
    ('open', 'My own', '2026-06-02Z');
INSERT INTO mt.event VALUES ('1', 'a1', '2026-06-10', 'Renewal'), ('2', 'a1', '2026-02-10', 'referral'), ('3', 'a2', '2026-06-10', 'churn');
SELECT revrtm.bind('account', $$SELECT a AS account_id, a AS account_name, CASE a WHEN 'a5' THEN 'a1' END AS merged_into, a = 'a4' AS is_partner,
    'emea'::text AS region, timestamptz '2025-12-01Z' AS created_at FROM unnest('{a1,a2,a3,a4,a5}'::text[]) a$$) IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, 100::numeric AS amount, ended IS NOT NULL AS is_closed,
    won IS TRUE AS is_won, created AS created_at, NULL::date AS close_date, ended AS closed_at, route AS route_id FROM mt.deal$$) IS NOT NULL AS bound;
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id FROM mt.touch$$) IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity_stage', $$SELECT deal AS opportunity_id, stage, at AS entered_at FROM mt.stage$$) IS NOT NULL AS bound;
SELECT revrtm.bind('revenue_event', $$SELECT id AS event_id, account AS account_id, at, kind, 1::numeric AS amount FROM mt.event$$) IS NOT NULL AS bound;
SELECT revrtm.bind('spend', $$SELECT s AS spend_id, date '2026-02-01' AS period, r AS route_id, c AS category, a AS amount, u AS currency, h AS channel
    FROM (VALUES ('1', 'direct', 'program', 10.5, NULL, 'webinar'), ('2', 'direct', 'tools', 4, NULL, NULL), ('3', 'oem', 'mdf', 3, NULL, 'webinar'),
                 ('4', 'direct', 'program', 9, 'EUR', 'webinar'), ('5', 'direct', 'headcount', 7, NULL, NULL)) s (s, r, c, a, u, h)$$) IS NOT NULL AS bound;
SELECT inserted FROM revrtm.refresh_journeys();
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('emea', 'ANY');
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role) VALUES ('direct emea', 'direct', 'emea', 'lead');
INSERT INTO revrtm.loop_map (source, value, stage) VALUES ('channel', 'webinar', 'consideration'), ('channel', 'course', 'adoption'),
    ('stage', 'My own', 'evaluation'), ('category', 'headcount', 'decision'), ('channel', 'nobody', 'nowhere');
INSERT INTO revrtm.play (stage, route_id, play_id, valid) VALUES ('decision', 'direct', 'close plan', '(,)'), ('decision', '(any)', 'a reference', '[2026-01-01,)'),
    ('nowhere', '(any)', 'x', '(,)'), (NULL, '(any)', 'y', '(,)'), ('aware', '(any)', 'over', '(,2026-06-01)');
SELECT unit, unit_id, route_id, stage, entered_at AT TIME ZONE 'UTC' AS entered, left_at AT TIME ZONE 'UTC' AS "left", outcome, touches
FROM revrtm.loop_step ORDER BY unit, unit_id, entered_at, stage;
SELECT stage, unit, route_id, volume AS v, advanced AS a, lost AS l, waiting AS w, conversion, present AS p, age_days, touches AS t, spend, fx_missing AS fx, plays, play_list, note
FROM revrtm.loop_stage WHERE volume + present + touches + spend + plays > 0 ORDER BY place, route_id;
SELECT count(*) AS rows, count(*) FILTER (WHERE is_gap) AS gaps, count(DISTINCT loop_stage_key) AS keys FROM revrtm.loop_stage;
-- Touches come from the store alone.
BEGIN;
SELECT revrtm.unbind('touch') AS unbound;
SELECT sum(touches) AS touches FROM revrtm.loop_stage;
ROLLBACK;
-- Another day: what came later is not known.
SELECT stage, route_id, volume AS v, advanced AS a, lost AS l, waiting AS w, present AS p, age_days
FROM revrtm.loop_stage_at('2026-01-01', '2026-01-31', '2026-02-01Z') WHERE volume + present > 0 ORDER BY place, route_id;
-- A loop of one's own: a stage more.
BEGIN;
INSERT INTO revrtm.maturity_dimension (model, dimension, ordinal, side, dimension_name) VALUES ('loop', 'trial', 4, 'acquisition', 'Trial');
UPDATE revrtm.loop_map SET stage = 'trial' WHERE value = 'Qualification';
SELECT place, stage FROM revrtm.loop_place ORDER BY place;
SELECT stage, touches FROM revrtm.loop_step WHERE unit_id = 'won' ORDER BY entered_at;
ROLLBACK;
-- Without any model of that name nothing is there, but what was touched and spent.
BEGIN;
DELETE FROM revrtm.maturity_dimension WHERE model = 'loop';
SELECT stage, route_id, touches, spend, note FROM revrtm.loop_stage ORDER BY route_id;
ROLLBACK;

-- loop_path() alone.
SELECT * FROM revrtm.loop_path(NULL, '2026-01-01Z', NULL, NULL, NULL, NULL, NULL, NULL, '{5,2,3,NULL,NULL,NULL,NULL}');
SELECT * FROM revrtm.loop_path('{x@2026-01-01T00:00:00Z}', NULL, NULL, NULL, '{3,2,9,4,NULL}', '{2026-01-03Z,2026-01-02Z,2026-01-02Z,infinity,2026-01-02Z}', '{}', '{}', '{5,NULL,NULL,NULL,NULL,NULL,NULL}');
SELECT * FROM revrtm.loop_path('{x@2026-01-01T00:00:00Z|FT|OC,y@2026-01-01T00:00:00Z,z@2026-01-02T00:00:00Z}', NULL, NULL, '2026-01-02Z', NULL, NULL, '{y,z}', '{7,6}', '{5,1,NULL,2,NULL,3,NULL}');
SELECT * FROM revrtm.loop_path('{x}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{5,1,1,1,1,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, '{1,2}', '{2026-01-03Z}', NULL, NULL, '{5,1,1,1,1,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, '{0}', '{2026-01-03Z}', NULL, NULL, '{5,1,1,1,1,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, NULL, NULL, '{a}', '{}', '{5,1,1,1,1,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, NULL, NULL, '{a}', '{1001}', '{5,1,1,1,1,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, NULL, NULL, '{NULL}', '{1}', '{5,1,1,1,1,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{5,1,1}');
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM revrtm.loop_path(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{5,1,-1,1,1,1,1}');

-- What the tables refuse.
INSERT INTO revrtm.loop_map VALUES ('event', 'lost', 'aware');
INSERT INTO revrtm.loop_map VALUES ('milestone', 'XX', 'aware');
INSERT INTO revrtm.loop_map VALUES ('smell', 'x', 'aware');
INSERT INTO revrtm.maturity_criterion VALUES ('enablement', 'direct_enablement', 1, 'win_rate', '(any)', '>=', 1);
INSERT INTO revrtm.maturity_criterion VALUES ('enablement', 'direct_enablement', 2, 'win_rate', '(any)', '=', 1);
INSERT INTO revrtm.maturity_criterion VALUES ('enablement', 'direct_enablement', 2, 'win_rate', '(any)', '>=', 'NaN');
INSERT INTO revrtm.maturity_criterion VALUES ('enablement', 'direct_enablement', 2, 'win_rate', '(any)', '>=', 1, 0);
INSERT INTO revrtm.maturity_level VALUES ('enablement', 10, 'x', 'x');

-- Scores.
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 2, 'Generic training.', '2026-01-01Z');
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 4, 'Plays by role.', '2026-05-01Z');
-- One in between ends where the next begins.
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 2.5, 'Training by role.', '2026-03-01Z');
SELECT valid, score, scored_by, reason FROM revrtm.maturity_score ORDER BY valid;
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 3, 'Again.', '2026-05-01Z');
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 5, 'x');
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 0, 'x');
SELECT revrtm.score_maturity('enablement', 'direct_enablement', NULL, 'x');
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 3, '');
SELECT revrtm.score_maturity('enablement', 'direct_enablement', 3, 'x', 'infinity');
SELECT revrtm.score_maturity('enablement', 'nobody', 3, 'x');
SELECT revrtm.score_maturity(NULL, NULL, 3, 'x');
\set VERBOSITY terse
INSERT INTO revrtm.maturity_score (model, dimension, valid, score, reason) VALUES ('enablement', 'direct_enablement', '[2026-02-01,2026-02-02)', 1, 'x');
INSERT INTO revrtm.maturity_score (model, dimension, valid, score, reason) VALUES ('enablement', 'direct_enablement', '[2027-02-01,2027-02-02]', 1, 'x');
INSERT INTO revrtm.maturity_score (model, dimension, valid, score, reason) VALUES ('enablement', 'direct_enablement', '(,2024-02-01)', 1, 'x');
INSERT INTO revrtm.maturity_score (model, dimension, valid, score, reason) VALUES ('enablement', 'direct_enablement', 'empty', 1, 'x');
\set VERBOSITY default
SELECT self_score FROM unnest('{2025-12-31,2026-01-01,2026-04-01,2026-05-01,2027-01-01}'::date[]) d, revrtm.maturity_at(d::timestamp AT TIME ZONE 'UTC', 'enablement') m
WHERE m.dimension = 'direct_enablement' ORDER BY d;
SELECT revrtm.score_maturity('enablement', d, s, 'By hand.', '2026-01-01Z') FROM (VALUES ('deal_registration', 4), ('partner_enablement', 1), ('coverage_targeting', 3),
    ('route_to_market_strategy', 4)) v (d, s);
SELECT revrtm.score_maturity('loop', 'decision', 4, 'Close plans.', '2026-01-01Z');

-- Figures of the CRM: two of three direct deals won, one of one resold.
SELECT kpi, level, route_id, since, until, value, numerator, denominator, n, met, note FROM revrtm.maturity_evidence
WHERE model = 'enablement' AND dimension = 'direct_enablement' ORDER BY kpi, level;

-- Maturity by hand, over figures that stand for those of kpi_between. Asked
-- for a route, and for all together.
BEGIN;
ALTER FUNCTION revrtm.kpi_between(date, date, text[]) RENAME TO real_kpi_between;
CREATE TABLE mt.kpi (kpi text, route_id text, value numeric, numerator numeric, denominator numeric, n bigint, note text);
CREATE FUNCTION revrtm.kpi_between(first date, last date, by text[]) RETURNS TABLE (period date, route_id text, segment text, region text, product text,
    kpi text, value numeric, numerator numeric, denominator numeric, n bigint, lo float8, hi float8, note text) LANGUAGE sql STABLE AS $$
SELECT first, k.route_id, '(all)', '(all)', '(all)', k.kpi, k.value, k.numerator, k.denominator, k.n, NULL::float8, NULL::float8, k.note
FROM mt.kpi k WHERE (k.route_id = '(all)') = (by = '{}') AND last = first + interval '11 months' $$;
INSERT INTO mt.kpi VALUES
    ('win_rate', 'direct', 0.25, 30, 120, 120, NULL), ('win_rate', '(all)', 1, 90, 90, 90, NULL),
    ('cycle_time_median', 'direct', 80, NULL, NULL, 30, NULL),
    -- Slow approvals cap a self score of 4; conflicts are not there.
    ('approval_time', '(all)', 60, 5, 9, 5, 'open_backlog'), ('conflict_rate', '(all)', NULL, NULL, 0, 0, 'no_registration'),
    -- Better than they say: money, of which the share counts.
    ('sourced_pipeline', '(all)', 40000, 40000, 100000, 9, NULL), ('influenced_pipeline', '(all)', 50000, 50000, 100000, 9, NULL),
    ('payout_accuracy', '(all)', NULL, NULL, NULL, 0, 'no_payout_run');
SELECT dimension, level, kpi, route_id, measure, comparison, threshold, since, until, value, numerator, denominator, n, met, note
FROM revrtm.maturity_evidence WHERE model = 'enablement' ORDER BY dimension, kpi, level;
SELECT dimension, self_score AS self, evidence_score AS proved, measured || '/' || criteria AS measured, result, level_name, target, gap, note, next_step
FROM revrtm.maturity WHERE model = 'enablement' ORDER BY ordinal;
SELECT dimension, self_score AS self, evidence_score AS proved, result, gap, note, next_step FROM revrtm.maturity WHERE model = 'loop' ORDER BY ordinal;
SELECT * FROM revrtm.maturity_summary ORDER BY 1;
-- A target below the top; a dimension without criteria; a criterion of one more level that is proved.
UPDATE revrtm.maturity_dimension SET target = 3 WHERE dimension = 'direct_enablement';
DELETE FROM revrtm.maturity_criterion WHERE dimension = 'partner_enablement';
UPDATE revrtm.maturity_criterion SET threshold = 0.2 WHERE (dimension, level, kpi) = ('direct_enablement', 4, 'win_rate');
SELECT dimension, self_score AS self, evidence_score AS proved, result, target, gap, note, next_step FROM revrtm.maturity
WHERE dimension IN ('direct_enablement', 'partner_enablement') ORDER BY ordinal;
ROLLBACK;

-- Runs keep the hash of the policy, and the trend says where it changed.
BEGIN;
SELECT revrtm.take_maturity('2026-04-01Z') IS NOT NULL AS taken;
SELECT revrtm.take_maturity('2026-06-01Z') IS NOT NULL AS taken;
SELECT policy_hash = revrtm.policy_hash() AS is_of_now, taken_by FROM revrtm.maturity_run ORDER BY at;
UPDATE revrtm.maturity_criterion SET threshold = 0.9 WHERE (dimension, level, kpi) = ('direct_enablement', 2, 'win_rate');
SELECT revrtm.take_maturity() IS NOT NULL AS taken;
SELECT at AT TIME ZONE 'UTC' AS at, self_score, evidence_score, result, change, policy_changed, note FROM revrtm.maturity_trend
WHERE dimension = 'direct_enablement' ORDER BY at;
SELECT table_name, row_key ->> 'kpi' AS kpi, new_row -> 'threshold' AS threshold, app_actor FROM revrtm.audit_log
WHERE table_name = 'maturity_criterion' AND row_key ->> 'dimension' = 'direct_enablement' AND action = 'UPDATE';
ROLLBACK;

-- An edited row is the user's.
BEGIN;
UPDATE revrtm.maturity_model SET benchmark = 2.5 WHERE model = 'rm6';
INSERT INTO revrtm.maturity_level (model, level, level_name, description) VALUES ('rm6', 4, 'Revenue', 'Ours.');
SELECT model, level, shipped FROM revrtm.maturity_level WHERE model = 'rm6' ORDER BY level;
ROLLBACK;

DELETE FROM revrtm.maturity_score;
DELETE FROM revrtm.play;
DELETE FROM revrtm.loop_map WHERE NOT shipped;
DELETE FROM revrtm.route_role;
DELETE FROM revrtm.region WHERE region_id = 'emea';
SELECT count(revrtm.unbind(r)) FROM unnest('{account,opportunity,touch,opportunity_stage,revenue_event,spend}'::text[]) r;
SELECT deleted FROM revrtm.refresh_journeys();
DROP SCHEMA mt CASCADE;
RESET revrtm.actor;
