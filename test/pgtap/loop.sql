-- The loop over random deals, against its definition in plain SQL: at every
-- instant the highest stage shown so far.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.lookback = '0';
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT plan(14);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
-- Whole days, so that instants meet.
CREATE FUNCTION pg_temp.day(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN timestamptz '2026-01-01 12:00Z' + n * interval '24 hours';
CREATE SCHEMA lp;
CREATE TABLE lp.account AS
SELECT 'a' || a AS id, pg_temp.day(pg_temp.draw(a || 'age', 60) - 40) AS created, CASE WHEN a % 10 = 0 THEN 'a' || a - 1 END AS merged,
       a % 13 = 0 AS is_partner, a % 17 = 0 AS deleted FROM generate_series(1, 120) a;
CREATE TABLE lp.deal AS
SELECT 'd' || d AS id, CASE WHEN d % 19 > 0 THEN 'a' || 1 + pg_temp.draw(d || 'account', 80) END AS account,
       pg_temp.day(pg_temp.draw(d || 'created', 120)) AS created,
       CASE WHEN d % 4 > 0 THEN pg_temp.day(pg_temp.draw(d || 'created', 120) - 1 + pg_temp.draw(d || 'days', 50)) END AS ended,
       d % 3 > 0 AS won, (ARRAY['direct', 'resell', 'own'])[1 + pg_temp.draw(d || 'route', 3)] AS route
FROM generate_series(1, 400) d;
CREATE TABLE lp.touch AS
SELECT 't' || t AS id, 'd' || 1 + pg_temp.draw(t || 'deal', 400) AS deal, (ARRAY['x', 'webinar', 'demo', 'course', 'y', 'help'])[1 + pg_temp.draw(t || 'channel', 6)] AS channel,
       pg_temp.day(pg_temp.draw(t || 'at', 180) - 20) AS at, (ARRAY['FT', 'LC', 'OC', 'CW', NULL, NULL, NULL, NULL, 'FT|LC'])[1 + pg_temp.draw(t || 'milestone', 9)] AS milestone
FROM generate_series(1, 2500) t;
CREATE TABLE lp.stage AS
SELECT 'd' || 1 + pg_temp.draw(s || 'deal', 400) AS deal, (ARRAY['Prospecting', 'Qualification', 'Proposal', 'Closed Won', 'Whatever', 'Live'])[1 + pg_temp.draw(s || 'stage', 6)] AS stage,
       pg_temp.day(pg_temp.draw(s || 'at', 170)) AS at
FROM generate_series(1, 900) s;
CREATE TABLE lp.event AS
SELECT 'e' || e AS id, 'a' || 1 + pg_temp.draw(e || 'account', 80) AS account, pg_temp.day(pg_temp.draw(e || 'at', 180))::date AS at,
       (ARRAY['Usage', 'expansion', 'renewal', 'referral', 'churn', 'new'])[1 + pg_temp.draw(e || 'kind', 6)] AS kind
FROM generate_series(1, 150) e;
SELECT revrtm.bind('account', $$SELECT id AS account_id, id AS account_name, merged AS merged_into, is_partner, created AS created_at, deleted FROM lp.account$$);
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, 100::numeric AS amount, ended IS NOT NULL AS is_closed,
    ended IS NOT NULL AND won AS is_won, created AS created_at, NULL::date AS close_date, ended AS closed_at, route AS route_id FROM lp.deal$$);
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, milestone FROM lp.touch$$);
SELECT revrtm.bind('opportunity_stage', 'SELECT deal AS opportunity_id, stage, at AS entered_at FROM lp.stage');
SELECT revrtm.bind('revenue_event', 'SELECT id AS event_id, account AS account_id, at, kind, 1::numeric AS amount FROM lp.event');
SELECT mode FROM revrtm.refresh_journeys();
INSERT INTO revrtm.loop_map (source, value, stage) VALUES ('channel', 'webinar', 'consideration'), ('channel', 'demo', 'evaluation'),
    ('channel', 'course', 'adoption'), ('channel', 'help', 'advocacy'), ('stage', 'Live', 'adoption'), ('channel', 'y', 'nowhere'), ('milestone', 'CW', 'decision');

-- The definition.
CREATE TEMP TABLE place AS SELECT dimension AS stage, ordinal AS place FROM revrtm.maturity_dimension WHERE model = 'loop';
CREATE FUNCTION pg_temp.place(source text, value text) RETURNS int STABLE LANGUAGE sql
RETURN (SELECT p.place FROM revrtm.loop_map m JOIN place p USING (stage) WHERE m.source = $1 AND m.value = $2);
CREATE TEMP TABLE mine AS
SELECT d.id, d.created, d.ended, d.route, d.ended IS NOT NULL AND d.won AS won,
       coalesce(a.merged, d.account) AS account, coalesce(a.merged, d.account, d.id) AS customer
FROM lp.deal d LEFT JOIN lp.account a ON a.id = d.account;
CREATE TEMP TABLE customer AS
SELECT customer, account, min(ended) AS since, (array_agg(route ORDER BY ended, id COLLATE "C"))[1] AS route, (array_agg(ended ORDER BY ended))[2] AS again
FROM mine WHERE won GROUP BY customer, account;
CREATE TEMP TABLE touched AS
SELECT m.id, t.at, t.channel, t.milestone, pg_temp.place('channel', t.channel) AS place, c.customer, c.route,
       pg_temp.place('channel', t.channel) > 5 AND t.at >= c.since IS TRUE AS of_customer
FROM lp.touch t JOIN mine m ON m.id = t.deal LEFT JOIN customer c USING (customer)
WHERE m.ended IS NULL OR t.at <= m.ended;
UPDATE touched SET of_customer = coalesce(place > 5 AND at >= (SELECT since FROM customer c WHERE c.customer = touched.customer), false);
CREATE TEMP TABLE evidence AS
SELECT id, created AS at, pg_temp.place('event', 'deal') AS place FROM mine
UNION ALL SELECT s.deal, s.at, pg_temp.place('stage', s.stage) FROM lp.stage s JOIN mine m ON m.id = s.deal WHERE m.ended IS NULL OR s.at <= m.ended
UNION ALL SELECT id, at, place FROM touched WHERE place <= 5
UNION ALL SELECT id, at, pg_temp.place('event', 'touch') FROM touched WHERE NOT of_customer
UNION ALL SELECT id, at, pg_temp.place('milestone', k.code) FROM touched, regexp_split_to_table(milestone, '\|') k (code) WHERE NOT of_customer;
DELETE FROM evidence WHERE place IS NULL OR place > 5;
CREATE TEMP TABLE reached AS SELECT DISTINCT id, at, max(place) OVER (PARTITION BY id ORDER BY at) AS place FROM evidence;
CREATE TEMP TABLE entered AS
SELECT e.*, lead(e.at) OVER (PARTITION BY e.id ORDER BY e.at) AS left_at FROM (SELECT id, place, min(at) AS at FROM reached GROUP BY id, place) e;
CREATE TEMP TABLE expected AS
SELECT 'deal' AS unit, e.id, m.route, p.stage, e.at, coalesce(e.left_at, greatest(e.at, m.ended)) AS left_at,
       CASE WHEN e.left_at IS NOT NULL THEN 'next' WHEN m.won THEN 'won' WHEN m.ended IS NOT NULL THEN 'lost' END AS outcome,
       (SELECT count(*) FROM touched t WHERE t.id = e.id AND NOT t.of_customer AND t.at >= e.at AND (e.left_at IS NULL OR t.at < e.left_at))::int AS touches
FROM entered e JOIN mine m USING (id) JOIN place p USING (place);
UPDATE expected SET left_at = NULL WHERE outcome IS NULL;
CREATE TEMP TABLE happened AS
SELECT c.customer, (v.at + interval '1 day' - interval '1 microsecond') AS at, lower(v.kind) AS kind
FROM (SELECT e.kind, coalesce(a.merged, e.account) AS account, e.at::timestamp AT TIME ZONE 'UTC' AS at FROM lp.event e JOIN lp.account a ON a.id = e.account) v
JOIN customer c USING (account);
DELETE FROM happened h USING customer c WHERE c.customer = h.customer AND (h.at < c.since OR pg_temp.place('revenue_event', h.kind) IS NULL AND h.kind <> 'churn');
CREATE TEMP TABLE shown AS
SELECT customer, since AS at, 6 AS place FROM customer UNION ALL SELECT customer, again, 8 FROM customer WHERE again IS NOT NULL
UNION ALL SELECT customer, at, pg_temp.place('revenue_event', kind) FROM happened WHERE kind <> 'churn'
UNION ALL SELECT customer, at, place FROM touched WHERE of_customer;
CREATE TEMP TABLE grown AS SELECT DISTINCT customer, at, max(place) OVER (PARTITION BY customer ORDER BY at) AS place FROM shown;
INSERT INTO expected
SELECT 'customer', g.customer, c.route, p.stage, g.at, coalesce(g.left_at, l.at), CASE WHEN g.left_at IS NOT NULL THEN 'next' WHEN l.at IS NOT NULL THEN 'lost' END, 0
FROM (SELECT e.*, lead(e.at) OVER (PARTITION BY e.customer ORDER BY e.at) AS left_at FROM (SELECT customer, place, min(at) AS at FROM grown GROUP BY customer, place) e) g
JOIN customer c USING (customer) JOIN place p USING (place)
LEFT JOIN (SELECT customer, max(at) AS at FROM happened h GROUP BY customer HAVING max(at) FILTER (WHERE kind = 'churn') = max(at)) l USING (customer);
INSERT INTO expected
SELECT 'touch', t.customer, t.route, p.stage, min(t.at), NULL, NULL, count(*) FROM touched t JOIN place p USING (place) WHERE t.of_customer GROUP BY t.id, t.customer, t.route, p.stage;
INSERT INTO expected
SELECT 'account', a.id, '(none)', 'unaware', a.created, CASE WHEN f.at IS NOT NULL THEN greatest(a.created, f.at) END, CASE WHEN f.at IS NOT NULL THEN 'next' END, 0
FROM lp.account a LEFT JOIN (SELECT m.account, min(e.at) AS at FROM (SELECT id, at FROM entered UNION ALL SELECT id, at FROM touched) e JOIN mine m USING (id) GROUP BY m.account) f ON f.account = a.id
WHERE NOT a.is_partner AND NOT a.deleted AND a.merged IS NULL;

CREATE TEMP TABLE got AS SELECT unit, unit_id, route_id, stage, entered_at, left_at, outcome, touches FROM revrtm.loop_step;
SELECT cmp_ok((SELECT count(DISTINCT (unit, stage, coalesce(outcome, '-'))) FROM got), '>=', 25::bigint, 'everything happens');
SELECT cmp_ok((SELECT count(*) FROM got WHERE unit = 'touch'), '>', 20::bigint, 'customers are touched');
SELECT set_eq('TABLE got', 'TABLE expected', 'the steps are those of the definition');
SELECT is((SELECT count(*) FROM got), (SELECT count(*) FROM expected), 'each once');
SELECT is((SELECT count(DISTINCT loop_step_key) FROM revrtm.loop_step), (SELECT count(*) FROM got), 'with a key of its own');
SELECT is((SELECT sum(touches) FROM got), (SELECT sum(revrtm.touch_count(journey)) FROM revrtm.deal_journey), 'every touch is made in one stage');

-- Reports are sums of steps.
CREATE TEMP TABLE report AS SELECT * FROM revrtm.loop_stage_at(NULL, NULL, 'infinity');
SELECT is_empty('SELECT * FROM report WHERE volume <> advanced + lost + waiting', 'parts sum to the volume');
SELECT set_eq($$SELECT stage, route_id, volume, advanced, lost, waiting, present, touches FROM report WHERE volume + touches > 0$$,
    $$SELECT stage, route, count(*) FILTER (WHERE unit <> 'touch') AS v, count(*) FILTER (WHERE outcome IN ('next', 'won')) AS a, count(*) FILTER (WHERE outcome = 'lost') AS l,
             count(*) FILTER (WHERE unit <> 'touch' AND outcome IS NULL) AS w, count(*) FILTER (WHERE unit <> 'touch' AND outcome IS NULL) AS p, sum(touches) AS t
      FROM expected GROUP BY stage, route$$, 'the report without bounds is that of all steps');
SELECT set_eq($$SELECT stage, route_id, volume, advanced, waiting, present, age_days FROM revrtm.loop_stage_at('2026-03-05', '2026-04-20', '2026-04-10 00:00Z') WHERE present + volume > 0$$,
    $$SELECT stage, route, count(*) FILTER (WHERE at >= '2026-03-01Z') AS v, count(*) FILTER (WHERE at >= '2026-03-01Z' AND left_at <= '2026-04-10Z' AND outcome <> 'lost') AS a,
             count(*) FILTER (WHERE at >= '2026-03-01Z' AND (left_at > '2026-04-10Z' OR left_at IS NULL)) AS w, count(*) FILTER (WHERE left_at > '2026-04-10Z' OR left_at IS NULL) AS p,
             (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM '2026-04-10Z' - at) / 86400) FILTER (WHERE left_at > '2026-04-10Z' OR left_at IS NULL))::numeric(12, 3)
      FROM expected WHERE unit <> 'touch' AND at <= '2026-04-10Z' GROUP BY stage, route
      HAVING count(*) FILTER (WHERE at >= '2026-03-01Z') + count(*) FILTER (WHERE left_at > '2026-04-10Z' OR left_at IS NULL) > 0$$,
    'months, and what was known then');
SELECT set_eq($$SELECT stage, sum(volume) AS v, sum(touches) AS t FROM (SELECT m::date AS m FROM generate_series(timestamp '2025-11-01', '2026-12-01', '1 month') m) k, revrtm.loop_stage_at(m, m, 'infinity') GROUP BY stage$$,
    $$SELECT stage, sum(volume) AS v, sum(touches) AS t FROM report GROUP BY stage$$, 'months sum to the whole');

-- An event that nobody maps shows nothing; its touches keep a row.
DELETE FROM revrtm.loop_map WHERE source = 'event';
SELECT is((SELECT sum(touches) FROM revrtm.loop_step), (SELECT sum(touches) FROM got), 'still every touch');
SELECT cmp_ok((SELECT sum(touches) FROM revrtm.loop_stage_at(NULL, NULL, 'infinity') WHERE stage = '(unmapped)'), '>', 0::numeric, 'some of them before any stage');
SELECT is((SELECT count(*) FROM revrtm.loop_step WHERE unit = 'account'), 0::bigint, 'and no account is unaware');

-- Rows in another order are the same answer.
INSERT INTO revrtm.loop_map (source, value, stage) VALUES ('event', 'account', 'unaware'), ('event', 'touch', 'aware'), ('event', 'deal', 'consideration'), ('event', 'won', 'onboarding'), ('event', 'won_again', 'value_realization');
CREATE TEMP TABLE moved AS SELECT * FROM lp.stage ORDER BY md5(deal || stage || at);
TRUNCATE lp.stage;
INSERT INTO lp.stage TABLE moved;
SELECT set_eq('SELECT unit, unit_id, route_id, stage, entered_at, left_at, outcome, touches FROM revrtm.loop_step', 'TABLE got', 'rows in another order are the same steps');
SELECT * FROM finish();
ROLLBACK;
