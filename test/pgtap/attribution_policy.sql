-- Transforms of random journeys against plain SQL over the touches, and the
-- store under random policies against plain SQL over the CRM.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET client_min_messages = warning;
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS revrtm;
SET LOCAL search_path = public, pg_catalog;
SELECT plan(12);

-- The same numbers on every run and version.
CREATE FUNCTION pg_temp.dice(seed text, sides int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN (('x' || substr(md5(seed), 1, 7))::bit(28)::int) % sides;

-- 1. Transforms. Touches of 600 journeys, some of which share an instant, have milestones or are untimed.
CREATE TEMP TABLE step (j int, i int, channel text, at timestamptz, milestone text[]);
INSERT INTO step
SELECT j, i, (ARRAY['a', 'b', 'b(2)', 'é', 'a)'])[1 + pg_temp.dice(j || 'channel' || i, 1 + j % 5)],
       CASE WHEN j % 4 > 0 THEN timestamptz '2026-01-01' + pg_temp.dice(j || 'at' || i, 1 + j % 30) * interval '1 hour' END,
       ARRAY(SELECT m FROM unnest('{FT,LC,OC,CW}'::text[]) m WHERE pg_temp.dice(j || m || i, 6) = 0)
FROM generate_series(1, 600) j, generate_series(1, pg_temp.dice('n' || j, 14)) i;
-- One transform of an array of touches, in SQL.
CREATE FUNCTION pg_temp.plain(touches jsonb, kind text, x text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
WITH t AS (
    SELECT o.n, o.e ->> 'c' AS c, o.e, count(*) OVER () AS total, count(*) FILTER (WHERE o.e ->> 'c' = x) OVER () AS of_x,
           count(*) FILTER (WHERE o.e ->> 'c' <> x) OVER (ORDER BY o.n DESC) AS others_from_here,
           lag(o.e ->> 'c') OVER (ORDER BY o.n) IS DISTINCT FROM o.e ->> 'c' AS starts
    FROM jsonb_array_elements(touches) WITH ORDINALITY o (e, n)
), g AS (
    SELECT t.*, CASE kind WHEN 'exposure' THEN (SELECT count(*)::text FROM t u WHERE u.n <= t.n AND u.starts)
                          WHEN 'first' THEN c WHEN 'frequency' THEN c ELSE n::text END AS part
    FROM t
    WHERE CASE kind WHEN 'drop' THEN c <> x OR of_x = total
                    WHEN 'drop_tail' THEN others_from_here > 0 OR of_x = total
                    WHEN 'cap' THEN n > total - x::int
                    ELSE true END
), joined AS (
    SELECT min(g.n) AS n, count(*) AS times,
           ARRAY(SELECT m FROM unnest('{FT,LC,OC,CW}'::text[]) m WHERE EXISTS (SELECT FROM g h WHERE h.part = g.part AND h.e -> 'm' ? m)) AS m
    FROM g GROUP BY g.part
)
SELECT coalesce(jsonb_agg(t.e || jsonb_build_object('m', j.m, 'c', CASE kind WHEN 'frequency' THEN t.c || '(' || j.times || ')' ELSE t.c END) ORDER BY j.n), '[]')
FROM joined j JOIN t ON t.n = j.n
$$;
-- The text of a journey of such touches.
CREATE FUNCTION pg_temp.packed(touches jsonb) RETURNS revrtm.journey LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce('{' || string_agg('"' || (e ->> 'c') || coalesce('@' || to_char((e ->> 't')::timestamptz, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
                                  || coalesce((SELECT string_agg('|' || m, '' ORDER BY o) FROM jsonb_array_elements_text(e -> 'm') WITH ORDINALITY k (m, o)), '')
                                  || CASE WHEN e ->> 't' IS NULL THEN '' ELSE '|#' || (e ->> 'id') END || '"', ',' ORDER BY n) || '}', '{}')::revrtm.journey
FROM jsonb_array_elements(touches) WITH ORDINALITY x (e, n)
$$;
-- In canonical order, an id ordering every instant.
CREATE TEMP TABLE path AS
SELECT j, touches, pg_temp.packed(touches) AS journey
FROM (SELECT j, jsonb_agg(jsonb_build_object('c', channel, 'm', milestone, 't', at, 'id', to_char(i, 'FM00')) ORDER BY at, i) AS touches FROM step GROUP BY j) s;

CREATE TEMP TABLE one (kind text, x text);
INSERT INTO one VALUES ('unique', NULL), ('exposure', NULL), ('first', NULL), ('frequency', NULL), ('drop', 'a'), ('drop', 'b(2)'), ('drop', 'a)'), ('drop', 'none'),
    ('drop_tail', 'a'), ('drop_tail', 'é'), ('cap', '1'), ('cap', '4'), ('cap', '100');
CREATE TEMP VIEW compared AS
SELECT p.j, o.kind, p.journey, revrtm.transform(p.journey, ARRAY[o.kind || coalesce('(' || o.x || ')', '')]) AS answer, pg_temp.packed(pg_temp.plain(p.touches, o.kind, o.x)) AS oracle
FROM path p, one o;
CREATE TEMP TABLE result AS TABLE compared;
SELECT is((SELECT count(*) FROM result WHERE answer OPERATOR(revrtm.<>) oracle OR answer IS NULL), 0::bigint, 'each transform is what plain SQL says');
SELECT is((SELECT array_agg(kind ORDER BY kind) FROM (SELECT kind FROM result GROUP BY kind HAVING count(*) FILTER (WHERE answer OPERATOR(revrtm.<>) journey) > 100) k),
          '{cap,drop,drop_tail,exposure,first,frequency}'::text[], 'and most of them do something');
SELECT is((SELECT count(*) FROM path p, one a, one b
           WHERE revrtm.transform(p.journey, ARRAY[a.kind || coalesce('(' || a.x || ')', ''), b.kind || coalesce('(' || b.x || ')', '')])
                 OPERATOR(revrtm.<>) revrtm.transform(revrtm.transform(p.journey, ARRAY[a.kind || coalesce('(' || a.x || ')', '')]), ARRAY[b.kind || coalesce('(' || b.x || ')', '')])),
          0::bigint, 'two are one after the other');
SELECT is((SELECT count(*) FROM path p, one a, one b
           WHERE p.j <= 200 AND revrtm.transform(p.journey, ARRAY[a.kind || coalesce('(' || a.x || ')', ''), b.kind || coalesce('(' || b.x || ')', '')])
                 OPERATOR(revrtm.<>) pg_temp.packed(pg_temp.plain(pg_temp.plain(p.touches, a.kind, a.x), b.kind, b.x))),
          0::bigint, 'and what plain SQL says of both');
SELECT is((SELECT count(*) FROM path p, one a WHERE a.kind IN ('exposure', 'first', 'drop', 'drop_tail', 'cap')
             AND revrtm.transform(p.journey, ARRAY[a.kind || coalesce('(' || a.x || ')', ''), a.kind || coalesce('(' || a.x || ')', '')])
                 OPERATOR(revrtm.<>) revrtm.transform(p.journey, ARRAY[a.kind || coalesce('(' || a.x || ')', '')])),
          0::bigint, 'once is as good as twice');

-- 2. The store under random policies. 60 deals of five routes and twelve accounts, 700 touches.
CREATE TABLE ap_deal (id text, account text, route text, closed boolean, won boolean, created timestamptz, closed_at timestamptz, synced timestamptz);
CREATE TABLE ap_person (id text, account text, lead timestamptz);
CREATE TABLE ap_touch (id text, at timestamptz, channel text, deal text, account text, person text, partner text, system text, verified boolean, responded boolean);
CREATE TABLE ap_role (deal text, person text, main boolean);
CREATE TABLE ap_stage (deal text, stage text, at timestamptz);
CREATE FUNCTION pg_temp.at(seed text) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN timestamptz '2026-01-01' + pg_temp.dice(seed, 900) * interval '6 hours';
INSERT INTO ap_deal
SELECT 'd' || i, 'a' || pg_temp.dice('account' || i, 12), 'r' || pg_temp.dice('route' || i, 5), pg_temp.dice('closed' || i, 4) > 0, pg_temp.dice('won' || i, 2) = 0,
       CASE WHEN pg_temp.dice('unborn' || i, 12) > 0 THEN pg_temp.at('created' || i) END, pg_temp.at('created' || i) + (pg_temp.dice('end' || i, 500) - 40) * interval '6 hours'
FROM generate_series(1, 60) i;
INSERT INTO ap_person SELECT 'p' || i, 'a' || i % 12, CASE WHEN i % 3 > 0 THEN pg_temp.at('lead' || i) END FROM generate_series(1, 40) i;
INSERT INTO ap_role SELECT 'd' || pg_temp.dice('rd' || i, 60), 'p' || pg_temp.dice('rp' || i, 41), (ARRAY[true, false, NULL])[1 + pg_temp.dice('main' || i, 3)] FROM generate_series(1, 400) i;
INSERT INTO ap_stage SELECT 'd' || pg_temp.dice('sd' || i, 60), (ARRAY['SQO', 'Proposal'])[1 + i % 2], pg_temp.at('s' || i) FROM generate_series(1, 90) i;
INSERT INTO ap_touch
SELECT 't' || i, pg_temp.at('touch' || i / 2) + pg_temp.dice('late' || i, 12) * interval '1 hour', 'c' || pg_temp.dice('channel' || i / 3, 4),
       CASE WHEN pg_temp.dice('td' || i / 2, 5) = 0 THEN 'd' || pg_temp.dice('tdeal' || i / 2, 60) END, CASE WHEN pg_temp.dice('ta' || i, 2) = 0 THEN 'a' || pg_temp.dice('taccount' || i / 2, 12) END,
       CASE WHEN pg_temp.dice('tp' || i, 4) > 0 THEN 'p' || pg_temp.dice('tperson' || i / 2, 42) END, (ARRAY['P', 'Q', NULL])[1 + pg_temp.dice('partner' || i / 3, 3)],
       (ARRAY['crm', 'prm', 'crm', NULL])[1 + pg_temp.dice('system' || i, 4)], (ARRAY[true, false, NULL])[1 + pg_temp.dice('verified' || i, 3)], (ARRAY[true, false, NULL])[1 + pg_temp.dice('responded' || i, 3)]
FROM generate_series(1, 700) i;
SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, account AS account_id, 1.00 AS amount, closed AS is_closed, won AS is_won, created AS created_at,
    NULL::date AS close_date, closed_at, route AS route_id FROM public.ap_deal'),
       revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id, person AS contact_id, partner AS partner_id,
    system AS source_system, verified, responded FROM public.ap_touch'),
       revrtm.bind('contact', 'SELECT id AS contact_id, account AS account_id, lead AS lead_created_at FROM public.ap_person'),
       revrtm.bind('opportunity_contact', 'SELECT deal AS opportunity_id, person AS contact_id, main AS is_primary FROM public.ap_role'),
       revrtm.bind('opportunity_stage', 'SELECT deal AS opportunity_id, stage, at AS entered_at FROM public.ap_stage') \g /dev/null

-- Which touches count: every pair of deal and touch, asked one thing after another.
CREATE FUNCTION pg_temp.counts() RETURNS TABLE (deal text, touch text) LANGUAGE plpgsql AS $$
DECLARE
    d ap_deal;
    p revrtm.attribution_policy;
    t ap_touch;
    ended timestamptz;
    anchor timestamptz;
    span interval;
    found ap_touch[];
    x ap_touch;
    y ap_touch;
BEGIN
    FOR d IN SELECT * FROM ap_deal LOOP
        SELECT * INTO p FROM revrtm.attribution_policy a WHERE a.route_id IN (d.route, '(any)') ORDER BY a.route_id = '(any)' LIMIT 1;
        ended := CASE WHEN d.closed THEN d.closed_at END;
        anchor := CASE p.anchor WHEN 'created' THEN d.created WHEN 'stage' THEN (SELECT min(s.at) FROM ap_stage s WHERE s.deal = d.id AND s.stage = p.anchor_stage) END;
        IF anchor IS NULL OR anchor > ended THEN
            anchor := ended;
        END IF;
        span := coalesce(p.lookback, '90 days');
        found := '{}';
        FOR t IN SELECT * FROM ap_touch LOOP
            CONTINUE WHEN t.responded = false AND p.responded_only;
            CONTINUE WHEN t.at > ended;
            CONTINUE WHEN NOT p.after_anchor AND t.at > anchor;
            CONTINUE WHEN span > '0' AND t.at < coalesce(anchor, d.created) - span;
            IF t.deal IS NULL THEN
                CONTINUE WHEN d.account IS DISTINCT FROM coalesce(t.account, (SELECT k.account FROM ap_person k WHERE k.id = t.person));
                CONTINUE WHEN p.contacts <> 'account' AND NOT EXISTS (SELECT FROM ap_role r WHERE r.deal = d.id AND r.person = t.person AND (p.contacts = 'role' OR r.main));
            ELSE
                CONTINUE WHEN t.deal <> d.id;
            END IF;
            found := found || t;
        END LOOP;
        <<every>>
        FOREACH x IN ARRAY found LOOP
            FOREACH y IN ARRAY found LOOP
                CONTINUE every WHEN y.partner = x.partner AND y.channel = x.channel AND y.system <> x.system
                    AND y.at BETWEEN x.at - p.merge_within AND x.at + p.merge_within
                    AND CASE WHEN coalesce(y.verified, false) <> coalesce(x.verified, false) THEN y.verified
                             WHEN y.at <> x.at THEN y.at < x.at
                             ELSE y.id COLLATE "C" < x.id END;
            END LOOP;
            deal := d.id;
            touch := x.id;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
CREATE FUNCTION pg_temp.unlike() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FILTER (WHERE k.journey::text IS DISTINCT FROM
    revrtm.transform(revrtm.transform(revrtm.mark_milestones(w.journey, w.lead, d.created, d.won),
                                      CASE WHEN p.step_limit IS NULL THEN '{}' ELSE ARRAY['cap(' || p.step_limit || ')'] END), p.transforms)::text)
FROM revrtm.deal_journey k
JOIN ap_deal d ON d.id = k.opportunity_id
LEFT JOIN (SELECT c.deal, revrtm.journey_agg(t.at, t.channel, NULL, t.id) AS journey, min(k.lead) AS lead
           FROM pg_temp.counts() c JOIN ap_touch t ON t.id = c.touch LEFT JOIN ap_person k ON k.id = t.person GROUP BY c.deal) w ON w.deal = d.id
CROSS JOIN LATERAL (SELECT a.* FROM revrtm.attribution_policy a WHERE a.route_id IN (d.route, '(any)') ORDER BY a.route_id = '(any)' LIMIT 1) p
$$;
SELECT is((SELECT mode FROM revrtm.refresh_journeys()), 'full', 'a store');
SELECT is(pg_temp.unlike(), 0::bigint, 'as shipped the store is what plain SQL says');
CREATE TEMP TABLE shipped_journey AS SELECT opportunity_id, journey::text FROM revrtm.deal_journey;
CREATE TEMP TABLE trial (n int, unlike bigint, other bigint);
CREATE FUNCTION pg_temp.one_of(seed text, VARIADIC x text[]) RETURNS text LANGUAGE sql IMMUTABLE RETURN x[1 + pg_temp.dice(seed, cardinality(x))];
DO $$
BEGIN
    FOR n IN 1 .. 12 LOOP
        DELETE FROM revrtm.attribution_policy;
        INSERT INTO revrtm.attribution_policy (route_id, lookback, anchor, anchor_stage, after_anchor, step_limit, contacts, responded_only, merge_within, transforms)
        SELECT r, pg_temp.one_of('look' || n || r, NULL, '0', '10 days', '40 days 6:00', '400:00')::interval, a.anchor,
               CASE a.anchor WHEN 'stage' THEN pg_temp.one_of('stage' || n || r, 'SQO', 'Proposal') END, pg_temp.dice('after' || n || r, 2) = 0,
               pg_temp.one_of('limit' || n || r, NULL, NULL, '1', '3', '6')::int, pg_temp.one_of('contacts' || n || r, 'account', 'role', 'primary'), pg_temp.dice('responded' || n || r, 2) = 0,
               CASE WHEN n % 3 > 0 THEN pg_temp.one_of('merge' || n || r, NULL, '0', '6:00', '3 days') END::interval,
               pg_temp.one_of('transforms' || n || r, '{}', '{exposure}', '{first}', '{frequency}', '{drop(c1),cap(4)}', '{drop_tail(c2),exposure}', '{unique}')::text[]
        -- Every third time one rule for all.
        FROM unnest(CASE WHEN n % 3 = 0 THEN '{(any)}' ELSE '{(any),r1,r2,r3}' END::text[]) r,
             LATERAL (SELECT pg_temp.one_of('anchor' || n || r, 'closed', 'created', 'stage') AS anchor) a;
        PERFORM revrtm.refresh_journeys();
        INSERT INTO trial SELECT n, pg_temp.unlike(), (SELECT count(*) FROM revrtm.deal_journey k JOIN shipped_journey s USING (opportunity_id) WHERE k.journey::text IS DISTINCT FROM s.journey);
    END LOOP;
END
$$;
SELECT is((SELECT sum(unlike) FROM trial), 0::numeric, 'under random policies too');
SELECT ok((SELECT min(other) > 10 FROM trial), 'which change many journeys');
-- Deals alone.
SELECT is((SELECT count(*) FROM revrtm.store_journeys(ARRAY['d1', 'd2', 'd3']) s WHERE s.updated + s.inserted + s.deleted > 0), 0::bigint, 'deals that are made anew alone come out the same');
DELETE FROM revrtm.attribution_policy;
SELECT revrtm.refresh_journeys() \g /dev/null
SELECT is((SELECT count(*) FROM revrtm.deal_journey k JOIN shipped_journey s USING (opportunity_id) WHERE k.journey::text IS DISTINCT FROM s.journey),
          0::bigint, 'without any policy it is as shipped');
SELECT ok((SELECT count(*) > 1000 FROM pg_temp.counts()), 'of many touches');
SELECT * FROM finish();
ROLLBACK;
