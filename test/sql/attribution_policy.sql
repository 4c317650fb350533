-- Transforms of journeys, and the policies that say which touches of a deal count.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- Each transform, and several in their order.
SELECT t AS transforms, revrtm.transform('{a,a,b,a,c,c}', t::text[]) AS journey
FROM unnest(ARRAY['{}', '{unique}', '{exposure}', '{first}', '{frequency}', '{drop(a)}', '{drop(none)}', '{drop_tail(c)}', '{drop_tail(a)}', '{cap(1)}', '{cap(2)}', '{cap(6)}', '{cap(2147483647)}',
    '{exposure,drop(a)}', '{drop(b),exposure}', '{cap(4),first}', '{first,cap(4)}', '{frequency,drop(a(3))}', '{frequency,frequency}', '{exposure,frequency,drop_tail(c(1))}']) t;
-- Not all: a journey of one channel stays, and one that is empty.
SELECT t, revrtm.transform('{a,a}', ARRAY[t]) AS one_channel, revrtm.transform('{}', ARRAY[t]) AS empty
FROM unnest('{unique,exposure,first,frequency,drop(a),drop_tail(a),cap(1)}'::text[]) t;
SELECT revrtm.transform(NULL, '{first}') IS NULL AND revrtm.transform('{a}', NULL) IS NULL AS strict;
-- A channel is taken as it is: parentheses, commas, blanks, letters of any kind.
SELECT revrtm.transform('{"fair (online)",x,"a)","(","é, ü"}', ARRAY['drop(' || c || ')']) AS without, c AS channel
FROM unnest(ARRAY['fair (online)', 'a)', '(', 'é, ü', ' x', 'X', 'fair']) c;
SELECT revrtm.transform('{"fair (online)",x}', '{frequency,drop(fair (online)(1))}');
-- Milestones go to the touch that stands for others, or are lost; instants are those of the touches that stay.
SELECT t, revrtm.transform('{a@2026-01-01T00:00:00Z|FT,a@2026-01-02T00:00:00Z|LC,b@2026-01-03T00:00:00Z|OC,a@2026-01-04T00:00:00Z|CW}', ARRAY[t])
FROM unnest('{exposure,first,frequency,drop(a),drop_tail(a),cap(2)}'::text[]) t;
-- Of one instant: ids say the order, and are kept where instants are still shared; another name may move a touch.
SELECT t, revrtm.transform('{a@2026-01-01T00:00:00Z|#1,b@2026-01-01T00:00:00Z|#2,a@2026-01-01T00:00:00Z|LC|#3,b@2026-01-02T00:00:00Z}', t::text[])
FROM unnest(ARRAY['{unique}', '{drop(b)}', '{first}', '{cap(2)}']) t;
SELECT revrtm.transform('{a@2026-01-01T00:00:00Z,a!@2026-01-01T00:00:00Z}', '{frequency}') AS moved,
       revrtm.transform('{a@2026-01-01T00:00:00Z,a!@2026-01-01T00:00:00Z}', '{frequency,cap(1)}') AS last;
-- Many channels and touches.
SELECT revrtm.touch_count(j), revrtm.touch_count(revrtm.transform(j, '{first}')) AS first, revrtm.touch_count(revrtm.transform(j, '{drop(c7)}')) AS without,
       revrtm.transform(j, '{frequency,cap(2)}') AS frequency, revrtm.transform(j, '{unique}') OPERATOR(revrtm.=) j AS same
FROM (SELECT revrtm.journey(array_agg('c' || i % 700 ORDER BY i)) AS j FROM generate_series(0, 2799) i) x;
SELECT revrtm.transform('{a}', '{last}');
\echo :LAST_ERROR_SQLSTATE
DO $$
DECLARE
    t text;
    message text;
    detail text;
BEGIN
    FOREACH t IN ARRAY ARRAY['', '()', 'First', 'first ', 'first()', 'first(a)', 'drop', 'drop()', 'drop(a', 'drop(', 'drop(a) ', 'drop a)', 'cap', 'cap()', 'cap(0)', 'cap(-1)',
                             'cap(1.5)', 'cap( 1)', 'cap(2147483648)', 'cap(99999999999999999999999)', 'unique(x)', repeat('é', 80)] LOOP
        BEGIN
            PERFORM revrtm.transform('{}', ARRAY['unique', t]);
            RAISE WARNING '% passed', t;
        EXCEPTION WHEN invalid_parameter_value THEN
            GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
            RAISE WARNING '%: %', message, detail;
        END;
    END LOOP;
END
$$;
SELECT revrtm.transform('{a}', '{first,NULL}');
SELECT revrtm.transform('{a}', '{{first},{unique}}');
SELECT revrtm.transform(revrtm.journey(ARRAY[repeat('a', 1021)]), '{frequency}') OPERATOR(revrtm.=) revrtm.journey(ARRAY[repeat('a', 1021) || '(1)']) AS longest;
SELECT revrtm.transform(revrtm.journey(ARRAY[repeat('a', 1022)]), '{frequency}');

-- What a policy may say.
TABLE revrtm.attribution_policy;
INSERT INTO revrtm.attribution_policy (route_id, lookback) VALUES ('x', '-1 second');
INSERT INTO revrtm.attribution_policy (route_id, lookback) VALUES ('x', '1 month');
INSERT INTO revrtm.attribution_policy (route_id, lookback) VALUES ('x', '2 years');
INSERT INTO revrtm.attribution_policy (route_id, anchor) VALUES ('x', 'won');
INSERT INTO revrtm.attribution_policy (route_id, anchor) VALUES ('x', 'stage');
INSERT INTO revrtm.attribution_policy (route_id, anchor, anchor_stage) VALUES ('x', 'stage', '');
INSERT INTO revrtm.attribution_policy (route_id, anchor_stage) VALUES ('x', 'SQO');
INSERT INTO revrtm.attribution_policy (route_id, step_limit) VALUES ('x', 0);
INSERT INTO revrtm.attribution_policy (route_id, contacts) VALUES ('x', 'all');
INSERT INTO revrtm.attribution_policy (route_id, merge_within) VALUES ('x', '-1 day');
INSERT INTO revrtm.attribution_policy (route_id, merge_within) VALUES ('x', '1 month');
INSERT INTO revrtm.attribution_policy (route_id, transforms) VALUES ('x', '{first,cap}');
INSERT INTO revrtm.attribution_policy (route_id, transforms) VALUES ('x', '{first,NULL}');
INSERT INTO revrtm.attribution_policy (route_id) VALUES ('');

-- One fixture. A deal's id is its route; a channel says whether its touch counts as shipped.
CREATE SCHEMA crm;
CREATE TABLE crm.deal (id text, account text, route text, closed boolean, created timestamptz, closed_at timestamptz, synced timestamptz DEFAULT '2026-01-01Z');
CREATE TABLE crm.touch (id text, at timestamptz, channel text, deal text, account text, person text, partner text, system text, verified boolean, responded boolean,
                        synced timestamptz DEFAULT '2026-01-01Z');
CREATE TABLE crm.person (id text, account text, synced timestamptz DEFAULT '2026-01-01Z');
CREATE TABLE crm.role (deal text, person text, main boolean);
CREATE TABLE crm.stage (deal text, stage text, at timestamptz);
SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, account AS account_id, 100.00 AS amount, closed AS is_closed, false AS is_won, created AS created_at,
    NULL::date AS close_date, closed_at, route AS route_id, synced AS synced_at FROM crm.deal') IS NOT NULL AS bound;
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id, person AS contact_id, responded, synced AS synced_at FROM crm.touch') IS NOT NULL AS bound;
SELECT revrtm.bind('contact', 'SELECT id AS contact_id, account AS account_id, synced AS synced_at FROM crm.person') IS NOT NULL AS bound;
CREATE VIEW crm.paths AS SELECT opportunity_id AS deal, revrtm.path(journey) AS path FROM revrtm.deal_journey;

-- A policy that needs what is not bound is refused, also where no deal has the route.
INSERT INTO revrtm.attribution_policy (route_id, contacts) VALUES ('it''s', 'role');
SELECT revrtm.refresh_journeys();
\echo :LAST_ERROR_SQLSTATE
SELECT revrtm.bind('opportunity_contact', 'SELECT deal AS opportunity_id, person AS contact_id FROM crm.role') IS NOT NULL AS bound;
SELECT mode FROM revrtm.refresh_journeys();
UPDATE revrtm.attribution_policy SET contacts = 'primary' WHERE route_id <> '(any)';
SELECT revrtm.refresh_journeys();
SELECT revrtm.bind('opportunity_contact', 'SELECT deal AS opportunity_id, person AS contact_id, main AS is_primary FROM crm.role') IS NOT NULL AS bound;
UPDATE revrtm.attribution_policy SET anchor = 'stage', anchor_stage = 'SQO' WHERE route_id <> '(any)';
SELECT revrtm.refresh_journeys();
SELECT revrtm.bind('opportunity_stage', 'SELECT deal AS opportunity_id, stage, at AS entered_at FROM crm.stage') IS NOT NULL AS bound;
UPDATE revrtm.attribution_policy SET merge_within = '1 day' WHERE route_id <> '(any)';
SELECT revrtm.refresh_journeys();
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id, person AS contact_id, partner AS partner_id,
    system AS source_system, verified, responded, synced AS synced_at FROM crm.touch') IS NOT NULL AS bound;
SELECT mode FROM revrtm.refresh_journeys();
DELETE FROM revrtm.attribution_policy WHERE route_id <> '(any)';

-- The window: deals of every route alike, created on 1 February, SQO on 1 March, closed on 1 April; the look-back is 10 days.
INSERT INTO crm.deal (id, account, route, closed, created, closed_at)
SELECT r, r, r, true, '2026-02-01Z', '2026-04-01Z' FROM unnest('{any,created,created after,stage,stage after,no stage,unlimited,unlimited created,two stages}'::text[]) r;
INSERT INTO crm.deal (id, account, route, closed, created)
SELECT 'open ' || r, r, r, false, '2026-02-01Z' FROM unnest('{any,created,created after,stage,unlimited,no stage}'::text[]) r;
INSERT INTO crm.deal (id, account, route, closed, created, closed_at) VALUES ('unborn created', 'u', 'created', true, NULL, '2026-04-01Z'),
    ('late created', 'l', 'created', true, '2026-05-01Z', '2026-04-01Z'), ('open, unborn created', 'u', 'created', false, NULL, NULL);
INSERT INTO crm.stage SELECT d.id, s.stage, s.at FROM crm.deal d, (VALUES ('SQO', '2026-03-20Z'::timestamptz), ('SQO', '2026-03-01Z'), ('Proposal', '2026-02-15Z')) s (stage, at) WHERE d.id <> 'no stage' OR s.stage <> 'SQO';
DELETE FROM crm.stage WHERE deal = 'open no stage' AND stage = 'SQO';
INSERT INTO crm.touch (id, at, channel, deal)
SELECT d.id || t.name, t.at, t.name, d.id
FROM crm.deal d, (VALUES ('2026-01-21 23:59:59.999999Z'::timestamptz, 'before created - 10'), ('2026-01-22Z', 'created - 10'), ('2026-02-01Z', 'created'), ('2026-02-01 00:00:00.000001Z', 'after created'),
    ('2026-02-04 23:59:59.999999Z', 'before Proposal - 10'), ('2026-02-05Z', 'Proposal - 10'), ('2026-02-15Z', 'Proposal'), ('2026-02-18 23:59:59.999999Z', 'before SQO - 10'), ('2026-02-19Z', 'SQO - 10'), ('2026-03-01Z', 'SQO'),
    ('2026-03-01 00:00:00.000001Z', 'after SQO'), ('2026-03-21 23:59:59.999999Z', 'before closed - 10'), ('2026-03-22Z', 'closed - 10'), ('2026-04-01Z', 'closed'), ('2026-04-01 00:00:00.000001Z', 'after closed')) t (at, name);
UPDATE revrtm.attribution_policy SET lookback = '10 days';
INSERT INTO revrtm.attribution_policy (route_id, lookback, anchor, anchor_stage, after_anchor) VALUES
('created', '10 days', 'created', NULL, false), ('created after', '240 hours', 'created', NULL, true), ('stage', '9 days 24:00', 'stage', 'SQO', false), ('stage after', '10 days', 'stage', 'SQO', true),
('no stage', '10 days', 'stage', 'SQO', false), ('unlimited', '0', 'closed', NULL, false), ('unlimited created', '0', 'created', NULL, false), ('two stages', '10 days', 'stage', 'Proposal', false);
-- In a zone with an hour of daylight saving before the close: a day has 24 hours.
SET TimeZone = 'America/New_York';
SELECT mode, inserted FROM revrtm.refresh_journeys();
SET TimeZone = 'UTC';
SELECT deal, path[1] AS first, path[cardinality(path)] AS last, cardinality(path) AS touches FROM crm.paths ORDER BY deal COLLATE "C";
-- The setting is what a policy without a look-back has.
UPDATE revrtm.attribution_policy SET lookback = NULL WHERE route_id IN ('(any)', 'created');
SET revrtm.lookback = '1h';
SELECT mode FROM revrtm.refresh_journeys();
SELECT deal, path FROM crm.paths WHERE deal IN ('any', 'created', 'created after') ORDER BY deal COLLATE "C";
RESET revrtm.lookback;
-- A change makes the next refresh read everything; without one, and with any style of intervals, it does not.
SELECT mode FROM revrtm.refresh_journeys();
SET IntervalStyle = 'iso_8601';
SELECT note FROM revrtm.freshness;
SELECT mode FROM revrtm.refresh_journeys();
RESET IntervalStyle;
UPDATE revrtm.attribution_policy SET after_anchor = true WHERE route_id = 'two stages';
SELECT note FROM revrtm.freshness;
SELECT mode, updated FROM revrtm.refresh_journeys();
-- A deal that changes its route takes the policy of the other.
UPDATE crm.deal SET route = 'created', synced = '2026-02-01Z' WHERE id = 'unlimited';
SELECT mode, updated FROM revrtm.refresh_journeys();
SELECT a.path = b.path AS same FROM crm.paths a, crm.paths b WHERE a.deal = 'unlimited' AND b.deal = 'created';
-- Without the row for any route it is as shipped.
DELETE FROM revrtm.attribution_policy;
SELECT mode FROM revrtm.refresh_journeys();
SELECT deal, path[1] AS first, path[cardinality(path)] AS last FROM crm.paths WHERE deal IN ('any', 'open any', 'created') ORDER BY deal COLLATE "C";
INSERT INTO revrtm.attribution_policy (route_id) VALUES ('(any)');
SELECT mode, updated FROM revrtm.refresh_journeys();

-- Which persons, which answers, how many touches.
TRUNCATE crm.deal, crm.touch, crm.stage;
INSERT INTO crm.deal (id, account, route, closed, created, closed_at)
SELECT r, 'A', r, true, '2026-02-01Z', '2026-04-01Z' FROM unnest('{account,role,primary,any answer,all,two,two exposed}'::text[]) r;
INSERT INTO crm.person VALUES ('main', 'A'), ('other', 'A'), ('none', 'A'), ('elsewhere', 'B'), ('of another deal', 'A');
INSERT INTO crm.role SELECT id, 'main', true FROM crm.deal UNION ALL SELECT id, 'other', p FROM crm.deal, (VALUES (false), (NULL)) x (p) UNION ALL SELECT id, 'elsewhere', true FROM crm.deal
    UNION ALL VALUES ('account', 'of another deal', true);
INSERT INTO crm.touch (id, at, channel, deal, account, person, responded) VALUES
('1', '2026-03-01Z', 'main', NULL, NULL, 'main', NULL), ('2', '2026-03-02Z', 'other', NULL, NULL, 'other', true), ('3', '2026-03-03Z', 'none', NULL, NULL, 'none', NULL),
('4', '2026-03-04Z', 'account alone', NULL, 'A', NULL, NULL), ('5', '2026-03-05Z', 'account and other', NULL, 'A', 'other', NULL), ('6', '2026-03-06Z', 'account and elsewhere', NULL, 'A', 'elsewhere', NULL),
('7', '2026-03-07Z', 'elsewhere', NULL, NULL, 'elsewhere', NULL), ('8', '2026-03-08Z', 'of another deal', NULL, NULL, 'of another deal', NULL), ('9', '2026-03-09Z', 'main', NULL, NULL, 'main', false),
('91', '2026-03-10Z', 'main', NULL, NULL, 'main', NULL), ('92', '2026-03-10Z', 'main', NULL, NULL, 'main', NULL);
INSERT INTO crm.touch (id, at, channel, deal, person) SELECT 'own ' || id, '2026-02-28Z', 'own, by none', id, 'none' FROM crm.deal;
INSERT INTO revrtm.attribution_policy (route_id, contacts) VALUES ('role', 'role'), ('primary', 'primary');
INSERT INTO revrtm.attribution_policy (route_id, responded_only, step_limit, transforms) VALUES ('any answer', false, NULL, '{}'), ('two', true, 2, '{}'), ('two exposed', true, 2, '{exposure}');
SELECT mode FROM revrtm.refresh_journeys();
SELECT deal, path FROM crm.paths ORDER BY deal COLLATE "C";
-- The same where it is the rule of every route.
CREATE TABLE crm.kept AS TABLE crm.paths;
DELETE FROM revrtm.attribution_policy;
INSERT INTO revrtm.attribution_policy (route_id, contacts) VALUES ('(any)', 'role');
SELECT mode FROM revrtm.refresh_journeys();
SELECT count(*), bool_and(p.path = k.path) AS same FROM crm.paths p, crm.kept k WHERE k.deal = 'role' AND p.deal <> 'account';
UPDATE revrtm.attribution_policy SET contacts = 'primary';
SELECT mode FROM revrtm.refresh_journeys();
SELECT count(*), bool_and(p.path = k.path) AS same FROM crm.paths p, crm.kept k WHERE k.deal = 'primary' AND p.deal <> 'account';
UPDATE revrtm.attribution_policy SET contacts = 'account', responded_only = false;
SELECT mode FROM revrtm.refresh_journeys();
SELECT count(*), bool_and(p.path = k.path) AS same FROM crm.paths p, crm.kept k WHERE k.deal = 'any answer';
-- Roles do not sync: a change of them alone waits for the verifying refresh.
INSERT INTO crm.deal (id, account, route, closed, synced) VALUES ('later', 'Z', 'z', false, '2026-02-01Z');
INSERT INTO crm.touch (id, at, channel, account, synced) VALUES ('later', '2026-03-01Z', 'later', 'Z', '2026-02-01Z');
INSERT INTO crm.person VALUES ('later', 'Z', '2026-02-01Z');
UPDATE revrtm.attribution_policy SET contacts = 'role', responded_only = true;
SELECT mode FROM revrtm.refresh_journeys();
DELETE FROM crm.role WHERE deal = 'two' AND person = 'other';
SELECT mode, updated FROM revrtm.refresh_journeys();
SELECT note FROM revrtm.freshness;
SELECT mode, updated FROM revrtm.refresh_journeys(verify => true);
DELETE FROM revrtm.attribution_policy;
INSERT INTO revrtm.attribution_policy (route_id) VALUES ('(any)');

-- One touch recorded by two systems. A channel begins with the pair it belongs to.
TRUNCATE crm.deal, crm.touch, crm.role;
INSERT INTO crm.deal (id, account, route, closed, created, closed_at) VALUES ('day', 'A', 'day', true, '2026-02-01Z', '2026-04-01Z'), ('instant', 'A', 'instant', true, '2026-02-01Z', '2026-04-01Z'), ('none', 'A', 'none', true, '2026-02-01Z', '2026-04-01Z');
INSERT INTO crm.touch (id, at, channel, account, partner, system, verified) VALUES
('01', '2026-03-01 12:00Z', 'a day apart', 'A', 'P', 'CRM', NULL), ('02', '2026-03-02 12:00Z', 'a day apart', 'A', 'P', 'PRM', false),
('03', '2026-03-01 12:00Z', 'more than a day', 'A', 'P', 'CRM', NULL), ('04', '2026-03-02 12:00:00.000001Z', 'more than a day', 'A', 'P', 'PRM', NULL),
('05', '2026-03-01 12:00Z', 'verified', 'A', 'P', 'CRM', false), ('06', '2026-03-02 11:00Z', 'verified', 'A', 'P', 'PRM', true),
('07', '2026-03-01 12:00Z', 'one system', 'A', 'P', 'CRM', NULL), ('08', '2026-03-01 13:00Z', 'one system', 'A', 'P', 'CRM', NULL),
('09', '2026-03-01 12:00Z', 'no system', 'A', 'P', 'CRM', NULL), ('10', '2026-03-01 12:00Z', 'no system', 'A', 'P', NULL, NULL),
('11', '2026-03-01 12:00Z', 'no partner', 'A', NULL, 'CRM', NULL), ('12', '2026-03-01 12:00Z', 'no partner', 'A', NULL, 'PRM', NULL),
('13', '2026-03-01 12:00Z', 'two partners', 'A', 'P', 'CRM', NULL), ('14', '2026-03-01 12:00Z', 'two partners', 'A', 'Q', 'PRM', NULL),
('15', '2026-03-01 12:00Z', 'one instant', 'A', 'P', 'CRM', NULL), ('16', '2026-03-01 12:00Z', 'one instant', 'A', 'P', 'PRM', NULL),
-- each stands within a day of the one before: only the first stays
('17', '2026-03-01 12:00Z', 'chain', 'A', 'P', 'CRM', NULL), ('18', '2026-03-02 12:00Z', 'chain', 'A', 'P', 'PRM', NULL), ('19', '2026-03-03 12:00Z', 'chain', 'A', 'P', 'CRM', NULL),
-- the one that is verified is outside the window, and stands for nothing
('20', '2026-04-01 00:00Z', 'at the end', 'A', 'P', 'CRM', NULL), ('21', '2026-04-01 12:00Z', 'at the end', 'A', 'P', 'PRM', true);
INSERT INTO revrtm.attribution_policy (route_id, merge_within) VALUES ('day', '1 day'), ('instant', '0');
SELECT mode FROM revrtm.refresh_journeys();
SELECT x.deal, x.channel, array_agg(to_char(x.at, 'MM-DD HH24:MI:SS.US') ORDER BY x.at) AS stand
FROM (SELECT k.opportunity_id AS deal, c.channel, c.touched_at AS at FROM revrtm.deal_journey k, revrtm.credit(k.journey, 'linear') c) x
GROUP BY 1, 2 HAVING x.deal = 'day' ORDER BY 1, 2;
SELECT k.opportunity_id, revrtm.touch_count(k.journey) AS touches, p.without FROM revrtm.deal_journey k,
    LATERAL (SELECT array_agg(t.id ORDER BY t.id) AS without FROM crm.touch t
             WHERE t.at <= '2026-04-01Z' AND NOT EXISTS (SELECT FROM revrtm.credit(k.journey, 'linear') c WHERE c.channel = t.channel AND c.touched_at = t.at)) p ORDER BY 1;

-- Milestones are marked on all that count, and then go with the transforms.
TRUNCATE crm.deal, crm.touch;
INSERT INTO crm.deal (id, account, route, closed, created, closed_at) VALUES ('as is', 'A', 'any', true, '2026-02-02 12:00Z', '2026-04-01Z'), ('first', 'A', 'first', true, '2026-02-02 12:00Z', '2026-04-01Z'), ('cap', 'A', 'cap', true, '2026-02-02 12:00Z', '2026-04-01Z');
INSERT INTO crm.touch (id, at, channel, account) VALUES ('1', '2026-02-01Z', 'a', 'A'), ('2', '2026-02-02Z', 'a', 'A'), ('3', '2026-02-03Z', 'b', 'A');
INSERT INTO revrtm.attribution_policy (route_id, transforms) VALUES ('first', '{first}'), ('cap', '{cap(1)}');
SELECT mode FROM revrtm.refresh_journeys();
SELECT opportunity_id, journey FROM revrtm.deal_journey ORDER BY 1;

SELECT count(*) FROM unnest('{opportunity,touch,contact,opportunity_contact,opportunity_stage}'::text[]) r WHERE revrtm.unbind(r);
DELETE FROM revrtm.attribution_policy;
INSERT INTO revrtm.attribution_policy (route_id) VALUES ('(any)');
SELECT mode, deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.journey_refresh;
DROP SCHEMA crm CASCADE;
