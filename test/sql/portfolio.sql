-- The portfolio: figures small enough to compute by hand, and every refusal.
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
\pset null '-'
BEGIN;
SET LOCAL TimeZone = 'America/New_York';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL jit = off;
SET LOCAL revrtm.as_of = '2026-07-01 00:00Z';
SET LOCAL client_min_messages = warning;

-- Criteria. Numbers are numbers, text goes by its bytes, and what cannot be decided is not met.
CREATE FUNCTION pg_temp.check_one(criterion text) RETURNS text LANGUAGE sql RETURN (
    SELECT coalesce(array_to_string(failed, '; '), '?') || CASE WHEN ok THEN 'met' ELSE '' END
    FROM revrtm.criteria_check('{"n": 10, "t": "b", "d": "2026-07-01", "f": false, "l": ["x", 2, null], "z": null, "o": {"k": 1}}', jsonb_build_array(criterion::jsonb)));
SELECT c, pg_temp.check_one(c) FROM unnest(ARRAY[
    '{"field": "n", "op": "=", "value": 10.0}', '{"field": "n", "op": "!=", "value": 10}', '{"field": "n", "op": ">", "value": 9}',
    '{"field": "n", "op": ">", "value": "9"}', '{"field": "n", "op": "<=", "value": 9.99}', '{"field": "t", "op": "<", "value": "ba"}',
    '{"field": "d", "op": ">=", "value": "2026-06-30"}', '{"field": "d", "op": "<", "value": "2026-07-01"}', '{"field": "f", "op": "=", "value": false}',
    '{"field": "f", "op": "<", "value": true}', '{"field": "n", "op": "in", "value": [1, 10]}', '{"field": "t", "op": "in", "value": ["a"]}',
    '{"field": "t", "op": "not_in", "value": ["a", "c"]}', '{"field": "t", "op": "not_in", "value": ["b"]}', '{"field": "t", "op": "in", "value": "abc"}',
    '{"field": "l", "op": "in", "value": [1]}', '{"field": "l", "op": "contains", "value": 2}', '{"field": "l", "op": "contains", "value": "y"}',
    '{"field": "d", "op": "contains", "value": "-07-"}', '{"field": "d", "op": "contains", "value": "-08-"}', '{"field": "d", "op": "contains", "value": 7}',
    '{"field": "l", "op": "=", "value": ["x"]}', '{"field": "n", "op": "exists"}', '{"field": "z", "op": "exists"}', '{"field": "z", "op": "exists", "value": false}',
    '{"field": "n", "op": "exists", "value": false}', '{"field": "n", "op": "exists", "value": 1}', '{"field": "z", "op": "!=", "value": 1}',
    '{"field": "nothing", "op": "!=", "value": 1}', '{"field": "n", "op": "like", "value": 1}', '{"field": "n", "op": "="}', '{"field": "n"}',
    '{"field": 1, "op": "="}', '"n = 10"', 'null', '[]', '{"field": "o", "op": "=", "value": {"k": 1}}']) c;
-- None, no list, no row; and several in their order.
SELECT * FROM revrtm.criteria_check('{"n": 1}', NULL);
SELECT * FROM revrtm.criteria_check('{"n": 1}', '[]');
SELECT * FROM revrtm.criteria_check('{"n": 1}', '{"field": "n", "op": "exists"}');
SELECT * FROM revrtm.criteria_check('{"n": 1}', '7');
SELECT * FROM revrtm.criteria_check(NULL, '[{"field": "n", "op": "exists"}, {"field": "n", "op": "exists", "value": false}]');
SELECT * FROM revrtm.criteria_check('[1]', '[{"field": "n", "op": "=", "value": 1}]');
SELECT * FROM revrtm.criteria_check('{"n": 1, "t": "é"}', '[{"field": "t", "op": "=", "value": "e"}, {"field": "n", "op": "=", "value": 1}, {"field": "n", "op": ">", "value": 1e300}]');
-- Long values are cut between characters.
SELECT length(failed[1]), octet_length(failed[1]) FROM revrtm.criteria_check(jsonb_build_object('t', repeat('é', 3000)), '[{"field": "t", "op": "=", "value": ""}]');

-- A small CRM. a4 was merged into a1, a5 is deleted, a6 a partner, a9 unknown.
CREATE SCHEMA pf;
CREATE TABLE pf.account (account_id text, account_name text, merged_into text, domain text, segment text, region text, country text, industry text,
    employees int, owner_id text, is_partner boolean, created_at timestamptz, deleted boolean);
INSERT INTO pf.account VALUES
    ('a1', 'Acme Ltd', NULL, 'acme.com', 'enterprise', 'DE', 'DE', 'Banking', 900, 'u1', false, '2025-01-01Z', false),
    ('a2', 'Bolt Inc.', NULL, 'https://www.bolt.io/', 'smb', 'na', 'US', 'Energy', 20, 'u1', false, '2025-01-01Z', false),
    ('a3', 'Cora', NULL, NULL, 'mid', 'apac', 'JP', 'Banking', 300, NULL, false, '2025-01-01Z', NULL),
    ('a4', 'Old Acme', 'a1', 'old-acme.com', 'smb', 'DE', 'DE', NULL, NULL, NULL, false, '2025-01-01Z', false),
    ('a5', 'Gone', NULL, 'gone.com', 'smb', 'na', 'US', NULL, 5, 'u1', false, '2025-01-01Z', true),
    ('a6', 'Partner', NULL, 'partner.com', 'smb', 'na', 'US', NULL, 5, 'u1', true, '2025-01-01Z', false),
    ('a7', 'Zero & Co', NULL, 'gmail.com', 'smb', 'na', 'US', 'Energy', 40, 'u2', false, '2025-01-01Z', false),
    ('a8', 'Dry', NULL, 'dry.com', NULL, 'latam', 'BR', 'Energy', 40, 'u2', false, '2025-01-01Z', false);
CREATE TABLE pf.deal (id text, account text, product text, route text, partner text, owner text, amount numeric, currency text,
    created timestamptz, close date, won boolean, probability numeric, stage text);
INSERT INTO pf.deal VALUES
    ('d1', 'a1', 'core', 'direct', NULL, 'u1', 40000, NULL, '2026-01-10 12:00Z', '2026-03-01', true, NULL, 'Won'),
    ('d2', 'a4', 'audit', 'partner_sourced', 'P1', 'u1', 10000, NULL, '2026-05-01 12:00Z', '2026-07-20', NULL, 0.4, 'Proposal'),
    ('d3', 'a2', 'core', 'direct', NULL, 'u1', 3000, NULL, '2026-01-10 12:00Z', '2026-02-01', false, NULL, 'Lost'),
    ('d4', 'a2', 'core', 'direct', NULL, 'u1', 5000, NULL, '2026-05-10 12:00Z', '2026-06-01', NULL, NULL, 'Open'),
    ('d5', 'a3', 'shield', 'marketplace', NULL, NULL, 20000, NULL, '2025-12-10 12:00Z', '2026-01-15', true, NULL, 'Won'),
    ('d6', 'a1', 'core', 'direct', NULL, 'u1', 7000, NULL, '2024-12-10 12:00Z', '2025-06-30', true, NULL, 'Won'),
    ('d7', 'a1', 'core', 'direct', NULL, 'u1', 900, 'XXX', '2026-01-10 12:00Z', '2026-08-01', NULL, 7, 'Open'),
    ('d8', 'a7', 'training', 'resell', 'P2', 'u2', 1000, NULL, '2026-01-10 12:00Z', '2026-04-01', false, NULL, 'Lost'),
    ('d9', 'a2', NULL, 'direct', NULL, 'u1', NULL, NULL, '2026-06-10 12:00Z', NULL, NULL, 0.5, 'Open');
CREATE TABLE pf.touch (id text, at timestamptz, channel text, deal text, account text, partner text, deleted boolean);
INSERT INTO pf.touch VALUES
    ('t1', '2026-06-20Z', 'call', NULL, 'a2', NULL, false), ('t2', '2026-03-01Z', 'call', NULL, 'a7', NULL, false),
    ('t3', '2026-06-01Z', 'partner_event', NULL, 'a3', 'P1', false), ('t4', '2026-06-15Z', 'call', NULL, 'a8', NULL, true),
    ('t5', '2026-02-01Z', 'demo', 'd1', NULL, NULL, false), ('t6', '2026-05-20Z', 'partner_event', 'd2', NULL, 'P1', false),
    ('t7', '2026-07-02Z', 'call', NULL, 'a8', NULL, false), ('t8', '2026-02-10Z', 'joint', 'd1', NULL, 'P1', false),
    ('t9', '2026-03-10Z', 'partner_event', 'd8', NULL, 'P2', false);
CREATE TABLE pf.stage (deal text, stage text, at timestamptz, amount numeric);
INSERT INTO pf.stage VALUES ('d1', 'Qualification', '2026-01-10 12:00Z', 25000), ('d1', 'Won', '2026-03-01 12:00Z', 40000), ('d3', 'Qualification', '2026-01-10 12:00Z', 3000);
SELECT revrtm.bind('account', 'SELECT * FROM pf.account') IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, won IS NOT NULL AS is_closed, coalesce(won, false) AS is_won,
    created AS created_at, close AS close_date, stage, currency, route AS route_id, partner AS partner_id, owner AS owner_id, product, probability FROM pf.deal$$) IS NOT NULL AS bound;
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id, partner AS partner_id, deleted FROM pf.touch$$) IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity_stage', 'SELECT deal AS opportunity_id, stage, at AS entered_at, amount FROM pf.stage') IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity_partner', $$SELECT 'd3'::text AS opportunity_id, 'P2'::text AS partner_id, ' Reseller'::text AS role$$) IS NOT NULL AS bound;
DO $$ BEGIN
    PERFORM revrtm.unbind(b.relation) FROM revrtm.binding b WHERE b.relation IN ('contact', 'fx_rate', 'opportunity_contact');
    DELETE FROM revrtm.tam; DELETE FROM revrtm.target; DELETE FROM revrtm.account_tier; DELETE FROM revrtm.territory; DELETE FROM revrtm.territory_assignment;
    DELETE FROM revrtm.territory_account; DELETE FROM revrtm.holdover; DELETE FROM revrtm.play; DELETE FROM revrtm.partner_account; DELETE FROM revrtm.channel_map;
    DELETE FROM revrtm.route_role; DELETE FROM revrtm.deal_registration;
    DELETE FROM revrtm.product WHERE product_id IN ('core', 'audit', 'shield', 'training', 'analytics', 'automation', 'onboarding', 'support');
    DELETE FROM revrtm.product WHERE product_id <> 'ANY';
    DELETE FROM revrtm.region WHERE parent_id NOT IN ('ANY'); DELETE FROM revrtm.region WHERE region_id <> 'ANY';
    UPDATE revrtm.portfolio_rule SET activity_days = 90, tier_cut = '{0.7,0.45,0.2}', tier_keep = 0.9, tier_weight = '{0.5,0.3,0.2}', full_potential = 100000, full_performance = 50000,
        fit = '[{"field": "employees", "op": ">=", "value": 100}, {"field": "industry", "op": "in", "value": ["Banking"]}]';
    UPDATE revrtm.holdover_policy SET exempt = NULL, eligible = '[]', max_deals = NULL, days = 60;
END $$;
INSERT INTO revrtm.channel_map VALUES ('joint', 'co_sell', 'program');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('emea', 'ANY'), ('DE', 'emea'), ('na', 'ANY'), ('apac', 'ANY'), ('latam', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('platform', 'ANY'), ('security', 'ANY'), ('core', 'platform'), ('audit', 'security'), ('shield', 'security');
INSERT INTO revrtm.route_role (rule_id, route_id, region_code, role) VALUES ('emea', 'direct', 'emea', 'lead'), ('na', 'direct', 'na', 'lead'), ('apac', 'partner_sourced', 'apac', 'lead');
SELECT mode, inserted > 0 AS some FROM revrtm.refresh_journeys(verify => true);

-- What is refused when it is written.
\set VERBOSITY terse
INSERT INTO revrtm.tam (account_id, as_of, potential) VALUES ('a1', '2026-01-01', -1);
INSERT INTO revrtm.tam (account_id, segment, as_of, potential) VALUES ('a1', 'smb', '2026-01-01', 1);
INSERT INTO revrtm.tam (account_id, as_of, potential, currency) VALUES ('a1', '2026-01-01', 1, 'euro');
INSERT INTO revrtm.tam (account_id, as_of, potential) VALUES ('a1', '2026-01-01', 1), ('a1', '2026-01-01', 2);
INSERT INTO revrtm.target (route_id, period, metric, value) VALUES ('direct', '2026-07-01', 'revenue', 1), ('direct', '2026-07-31', 'revenue', 2);
INSERT INTO revrtm.target (route_id, period, metric, value, currency) VALUES ('direct', '2026-07-01', 'deals', 1, 'EUR');
UPDATE revrtm.portfolio_rule SET tier_weight = '{0.5,0.3,0.3}';
UPDATE revrtm.portfolio_rule SET tier_weight = '{0.5,0.5}';
UPDATE revrtm.portfolio_rule SET tier_cut = '{0.2,0.7}';
UPDATE revrtm.portfolio_rule SET tier_cut = '{0.7,NULL}';
UPDATE revrtm.portfolio_rule SET fit = '{}';
INSERT INTO revrtm.play (play_id, route_id, entry) VALUES ('p', 'direct', '"amount > 1"');
INSERT INTO revrtm.play (play_id, route_id, valid) VALUES ('p', 'direct', '[2026-01-01,infinity)');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, valid) VALUES ('t', 'u1', '[2026-01-01,2026-01-01]');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, share) VALUES ('t', 'u1', 1.1);
INSERT INTO revrtm.motion_rule VALUES ('route_kind', 'oem', 'oem', 1);
INSERT INTO revrtm.partner_account (partner_id, entry_id, population) VALUES ('P1', '1', 'customer');
\set VERBOSITY default

-- Potential: the latest estimate that holds, at the rate of its day.
INSERT INTO revrtm.tam (account_id, product, as_of, potential, currency) VALUES
    ('a1', 'platform', '2026-01-01', 70000, NULL), ('a1', 'platform', '2026-05-01', 80000, NULL), ('a1', 'platform', '2026-08-01', 99999, NULL),
    ('a4', 'platform', '2026-01-01', 5000, NULL), ('a1', 'ANY', '2026-01-01', 30000, NULL),
    ('a2', 'ANY', '2026-01-01', 6000, NULL), ('a3', 'ANY', '2026-01-01', 50000, NULL), ('a7', 'ANY', '2026-01-01', 0, NULL),
    ('a8', 'ANY', '2026-01-01', 10000, NULL), ('a9', 'nowhere', '2026-01-01', 100, 'XXX');
INSERT INTO revrtm.tam (segment, product, region, as_of, potential) VALUES ('enterprise', 'platform', 'emea', '2026-01-01', 400000), ('ANY', 'ANY', 'ANY', '2026-01-01', 0),
    ('smb', 'ANY', 'latam', '2026-01-01', 1000), ('smb', 'odd', 'moon', '2026-01-01', 1);
SELECT account_id, product, as_of, potential, note FROM revrtm.tam_at('2026-07-01Z') WHERE account_id <> '(none)' ORDER BY 1, 2;
SELECT count(*) FROM revrtm.tam_at('2025-12-31 23:00Z');
-- Deals of the market here have no segment, so only ANY sees them.
SELECT market_key, potential, won_amount, penetration, lead_route_id, note FROM revrtm.market ORDER BY market_key COLLATE "C";

-- Whitespace. a1 platform: 85000 - 40000 won - 0; its deal of security, and the one without a rate, go where they belong.
SELECT account_id, product, segment, region, potential, won_amount, open_amount, whitespace, lead_route_id, touched_at AT TIME ZONE 'UTC' AS touched_at, reach, is_worked, note
FROM revrtm.whitespace ORDER BY account_id COLLATE "C", product COLLATE "C";
INSERT INTO revrtm.play (play_id, route_id, region, entry, exit) VALUES
    ('na', 'direct', 'na', '[{"field": "amount", "op": ">=", "value": 4000}]', '[{"field": "touches", "op": ">=", "value": 1}]'),
    ('emea', 'direct', 'emea', '[]', '[]');
SELECT account_id, product, play_id, is_worked, note FROM revrtm.whitespace WHERE account_id IN ('a1', 'a2') ORDER BY 1, 2;
SELECT coverage_key, accounts, covered, direct_only, partner_only, both_sides, neither, coverage_accounts, potential, covered_potential, coverage_value, note FROM revrtm.coverage ORDER BY coverage_key COLLATE "C";
SELECT whitespace_coverage_key, accounts, worked, whitespace, worked_whitespace, whitespace_coverage, note FROM revrtm.whitespace_coverage ORDER BY whitespace_coverage_key COLLATE "C";

-- Targets. Of direct deals 1 of 2 closed was won in the year before July, 1 of 2 in the one before March, 1 of 1 before February.
INSERT INTO revrtm.target (route_id, period, metric, value, currency) VALUES ('direct', '2026-07-15', 'revenue', 12500, NULL), ('direct', '2026-03-01', 'revenue', 30000, NULL),
    ('direct', '2026-02-01', 'revenue', 100, NULL), ('resell', '2026-07-01', 'deals', 3, NULL), ('(any)', '2026-07-01', 'revenue', 20000, NULL), ('(any)', '2026-07-01', 'deals', 2, NULL),
    ('oem', '2026-07-01', 'margin', 5, NULL), ('direct', '2026-08-01', 'revenue', 100, 'XXX');
SELECT target_gap_key, target, won, open_pipeline, weighted_pipeline, gap, won_deals, closed_deals, win_rate, required_pipeline, note FROM revrtm.target_gap ORDER BY target_gap_key COLLATE "C";

-- Motions: the least ordinal decides; d1 was touched together, d3 has a reseller.
SELECT opportunity_id, motion, evidence, route_id FROM revrtm.deal_motion ORDER BY 1;
UPDATE revrtm.motion_rule SET ordinal = 5 WHERE evidence = 'partner_role' AND value = 'co_sell';
UPDATE revrtm.motion_rule SET motion = 'house' WHERE evidence = 'any';
DELETE FROM revrtm.motion_rule WHERE value = 'reseller';
INSERT INTO revrtm.motion_rule VALUES ('route_kind', 'partner_sourced', 'labelled', 1);
SELECT opportunity_id, motion, evidence FROM revrtm.deal_motion WHERE opportunity_id IN ('d1', 'd2', 'd3', 'd4') ORDER BY 1;
DELETE FROM revrtm.motion_rule WHERE evidence = 'any';
SELECT opportunity_id, motion, evidence FROM revrtm.deal_motion WHERE opportunity_id = 'd4';

-- Plays. The amount at the start is that of the first stage; regions are the deal's, which these have none of.
SELECT * FROM revrtm.play_compliance ORDER BY 1;
UPDATE revrtm.play SET region = 'ANY' WHERE play_id = 'na';
INSERT INTO revrtm.play (play_id, route_id, product, entry, exit, valid) VALUES
    ('odd', '(any)', 'platform', '[{"field": "amount", "op": ">=", "value": 30000}, {"field": "moon", "op": "=", "value": 1}]',
     '[{"field": "amount", "op": ">=", "value": 30000}, {"field": "channels", "op": "contains", "value": "demo"}]', '[2026-01-01,)');
SELECT play_id, opportunity_id, entry_met, entry_failed, exit_met, exit_failed FROM revrtm.play_check ORDER BY 1, 2;
SELECT play_id, deals, entry_met, entry_rate, closed, exit_met, exit_rate, won, entry_met_closed, entry_met_won, note FROM revrtm.play_compliance ORDER BY 1;
SELECT jsonb_pretty(started), jsonb_pretty(ended - 'opportunity_id') FROM revrtm.play_check WHERE play_id = 'odd' AND opportunity_id = 'd1';

-- Tiers. The score of a1: 1 * .5 + .8 * .3 + 1 * .2.
SELECT account_id, was, tier, score, potential, performance, fit FROM revrtm.account_standing('2026-07-01Z') ORDER BY 1;
SELECT score, revrtm.tier_account(score, NULL, NULL, '{0.7,0.45}') AS new, revrtm.tier_account(score, NULL, NULL, '{0.7,0.45}', 1) AS was_1,
       revrtm.tier_account(score, NULL, NULL, '{0.7,0.45}', 2) AS was_2, revrtm.tier_account(score, NULL, NULL, '{0.7,0.45}', 3) AS was_3, revrtm.tier_account(score, NULL, NULL, '{0.7,0.45}', 1, keep => 1) AS strict
FROM unnest('{0.7,0.6999,0.63,0.6299,0.45,0.405,0.4049,0}'::numeric[]) score;
SELECT revrtm.account_score(0.4, NULL, 1), revrtm.account_score(NULL, NULL, NULL), revrtm.tier_account(NULL, NULL, NULL, '{0.5}'), revrtm.tier_account(1, 1, 1, NULL), revrtm.account_score(1, 1, 0, '{0,0,1}');
SELECT * FROM revrtm.refresh_account_tiers('2026-07-01Z');
UPDATE revrtm.tam SET potential = 22500 WHERE account_id = 'a1';
DELETE FROM revrtm.tam WHERE account_id = 'a4';
UPDATE pf.account SET deleted = true WHERE account_id = 'a8';
INSERT INTO pf.account VALUES ('a10', 'New', NULL, NULL, 'smb', 'na', 'US', 'Banking', 1000, 'u1', false, '2026-07-02Z', false);
-- What a1 has left, .45 * .5 + .8 * .3 + .2 = .665, is within the margin; below it is not.
SELECT * FROM revrtm.refresh_account_tiers('2026-08-01Z');
UPDATE revrtm.tam SET potential = 10000 WHERE account_id = 'a1';
SELECT * FROM revrtm.refresh_account_tiers('2026-08-02Z');
SELECT * FROM revrtm.refresh_account_tiers('2026-08-02Z');
SELECT account_id, tier, lower(valid) AT TIME ZONE 'UTC' AS since, upper(valid) AT TIME ZONE 'UTC' AS until, score FROM revrtm.account_tier ORDER BY 1, 3;
SELECT * FROM revrtm.refresh_account_tiers('2026-08-01Z');
SELECT * FROM revrtm.refresh_account_tiers('infinity');
INSERT INTO revrtm.account_tier (account_id, valid, tier, score, policy_hash) VALUES ('a1', '[2026-09-01,)', 1, 1, 'x');
SELECT count(DISTINCT policy_hash), bool_and(policy_hash = revrtm.terms_hash('portfolio_rule')) AS same FROM revrtm.account_tier;
UPDATE revrtm.portfolio_rule SET tier_keep = 0.8;
SELECT bool_or(policy_hash = revrtm.terms_hash('portfolio_rule')) AS same FROM revrtm.account_tier;
DELETE FROM revrtm.portfolio_rule;
SELECT * FROM revrtm.refresh_account_tiers('2026-08-03Z');

-- The list of a partner.
SELECT revrtm.domain_key('HTTP://www.Acme.com/x'), revrtm.domain_key('me@gmail.com'), revrtm.domain_key('acme'), revrtm.name_key('ACME Limited', ' de '), revrtm.name_key('Acme', NULL), revrtm.name_key('Acme', '');
SELECT revrtm.domain_key('acme.com', 's') = encode(sha256('s|domain|acme.com'), 'hex') AS domain, revrtm.name_key('Acme', 'DE', 's') = encode(sha256('s|name|acme|de'), 'hex') AS name;
INSERT INTO revrtm.partner_account (partner_id, entry_id, population, account_name, domain, country, value) VALUES
    ('P1', '1', 'prospect', 'Acme', 'www.acme.com', 'DE', 100), ('P1', '2', 'customer', 'Acme again', 'old-acme.com', 'DE', 10), ('P1', '3', 'open_opportunity', 'bolt', NULL, 'us', 5),
    ('P1', '4', 'customer', 'Zero and Co', 'gmail.com', 'US', 7), ('P1', '5', 'customer', 'Nobody', 'nobody.com', 'US', 1), ('P1', '6', 'prospect', 'Partner', 'partner.com', 'US', 1),
    ('P2', '1', 'customer', 'Cora', NULL, 'JP', NULL);
SELECT * FROM revrtm.partner_account_match('P1') ORDER BY 1;
SELECT * FROM revrtm.overlap_matrix('P1');
-- By keys it is the same, whoever hashed.
CREATE TEMP TABLE plain AS SELECT * FROM revrtm.overlap_matrix('P1');
UPDATE revrtm.partner_account SET domain_key = revrtm.domain_key(domain, 'salt'), domain = NULL WHERE entry_id IN ('1', '2') AND partner_id = 'P1';
UPDATE revrtm.partner_account SET name_key = revrtm.name_key(account_name, country, 'salt'), account_name = NULL WHERE entry_id = '3';
SELECT count(*) AS differences FROM (TABLE plain EXCEPT SELECT * FROM revrtm.overlap_matrix('P1', 'salt')) d;
SELECT sum(accounts) FROM revrtm.overlap_matrix('P1', 'pepper');
SELECT sum(accounts) FROM revrtm.overlap_matrix('nobody');

-- Territories: one primary at a time, one role a member.
INSERT INTO revrtm.territory VALUES ('north', 'North'), ('south', 'South');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, kind, share, valid) VALUES ('north', 'u1', 'primary', 0.7, '[2026-01-01 00:00Z,2026-06-01 00:00Z)'),
    ('north', 'u2', 'primary', 0.7, '[2026-06-01 00:00Z,)'), ('north', 'u3', 'overlay', 0.2, '(,)'), ('south', 'u4', 'primary', NULL, '(,)'), ('west', 'u5', 'overlay', 1, '(,)');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, valid) VALUES ('north', 'u9', '[2026-05-31 00:00Z,2026-06-02 00:00Z)');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, kind) VALUES ('north', 'u2', 'overlay');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, member_kind, kind, share) VALUES ('south', 'P1', 'partner', 'overlay', 0.5);
SELECT territory_id, member_id, member_kind, kind, share, total_share, note FROM revrtm.territory_member ORDER BY 1, 2;
INSERT INTO revrtm.territory_account (account_id, territory_id) VALUES ('a1', 'north'), ('a2', 'north'), ('a7', 'west');
INSERT INTO revrtm.territory_account (account_id, territory_id, valid) VALUES ('a1', 'south', '[2026-01-01,2026-02-01)');
SELECT at, revrtm.owner_at('d2', at) FROM unnest('{2025-12-31 23:59Z,2026-05-31 23:59Z,2026-06-01 00:00Z}'::timestamptz[]) at;
SELECT revrtm.owner_at('d5'), revrtm.owner_at('d8'), revrtm.owner_at('no deal');

-- Handoff: d2 is worth 10000, d7 has no rate; d1 closed in March, d6 before.
UPDATE revrtm.holdover_policy SET exempt = '[{"field": "product", "op": "=", "value": "audit"}]', eligible = '[{"field": "stage", "op": "in", "value": ["Open"]}]', days = 30;
SELECT opportunity_id, verdict, owner_id, until AT TIME ZONE 'UTC' AS until FROM revrtm.handoff('a4', 'north', 'south', '2026-07-01Z');
SELECT deal, at, revrtm.owner_at(deal, at::timestamptz) FROM unnest('{d1,d2,d7}'::text[]) deal, unnest('{2026-06-30 23:59Z,2026-07-01Z,2026-07-30 23:59Z,2026-07-31Z}'::text[]) at ORDER BY 1, 2;
SELECT opportunity_id, owner_id, owner_kind, decided_by, territory_id, until AT TIME ZONE 'UTC' AS until, note FROM revrtm.deal_owner ORDER BY 1;
-- Again while they are held over: the former owner keeps them as he did.
SELECT opportunity_id, verdict, owner_id, until AT TIME ZONE 'UTC' AS until FROM revrtm.handoff('a1', 'south', 'north', '2026-07-10Z');
-- The largest come first, up to max_deals; d9 has no amount.
UPDATE revrtm.holdover_policy SET exempt = NULL, eligible = '[]', max_deals = 1;
SELECT opportunity_id, verdict, owner_id FROM revrtm.handoff('a2', 'north', 'south', '2026-07-01Z');
UPDATE revrtm.holdover_policy SET eligible = NULL;
SELECT opportunity_id, verdict, owner_id FROM revrtm.handoff('a2', 'south', 'north', '2026-09-01Z');
SELECT account_id, territory_id, lower(valid) AT TIME ZONE 'UTC' AS since, upper(valid) AT TIME ZONE 'UTC' AS until FROM revrtm.territory_account ORDER BY 1, 3 NULLS FIRST;
SELECT revrtm.handoff('a2', 'south', 'north', '2026-10-01Z');
SELECT revrtm.handoff('a2', 'south', 'north', '2026-08-15Z');
SELECT revrtm.handoff('a2', 'north', 'south', '2026-09-01Z');
SELECT revrtm.handoff('a3', 'north', 'south', '2026-09-01Z');
SELECT revrtm.handoff('a2', 'north', 'east', '2026-10-01Z');
SELECT revrtm.handoff('a2', 'north', 'north', '2026-10-01Z');
SELECT revrtm.handoff('a2', 'north', 'south', '-infinity');
DELETE FROM revrtm.holdover_policy;
SELECT revrtm.handoff('a2', 'north', 'south', '2026-10-01Z');
ROLLBACK;
\set ON_ERROR_ROLLBACK off
