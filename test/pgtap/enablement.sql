-- Enablement over random data, against definitions in plain SQL: what funds
-- hold, the ledger's sum, outcomes and their shares, lift, scores, tiers, plans.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.as_of = '2026-07-01 00:00:00+00';
SELECT plan(25);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE FUNCTION pg_temp.day(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN timestamptz '2025-01-01 12:00Z' + n * interval '24 hours';
CREATE SCHEMA en;
CREATE TABLE en.deal AS
SELECT 'd' || d AS id, 'a' || d % 100 AS account, CASE WHEN d % 5 > 0 THEN 'P' || pg_temp.draw(d || 'partner', 12) END AS partner,
       pg_temp.day(pg_temp.draw(d || 'created', 500)) AS created,
       CASE WHEN d % 7 > 0 THEN pg_temp.day(pg_temp.draw(d || 'created', 500) + pg_temp.draw(d || 'days', 90)) END AS ended,
       d % 7 > 0 AND pg_temp.draw(d || 'won', 10) < 4 AS won, (1 + pg_temp.draw(d || 'amount', 100000)) / 100.0 AS amount
FROM generate_series(1, 600) d;
CREATE TABLE en.touch AS
SELECT 't' || t AS id, 'd' || 1 + pg_temp.draw(t || 'deal', 600) AS deal, CASE WHEN t % 4 > 0 THEN 'P' || pg_temp.draw(t || 'touching', 12) END AS partner,
       (ARRAY['fair', 'dinner', 'ad'])[1 + pg_temp.draw(t || 'channel', 3)] AS channel, pg_temp.day(pg_temp.draw(t || 'at', 560)) AS at
FROM generate_series(1, 1500) t;
CREATE TABLE en.partner AS SELECT 'P' || n AS id, (ARRAY['si', 'msp', NULL])[1 + n % 3] AS type FROM generate_series(0, 13) n;
CREATE TABLE en.spend AS
SELECT 's' || s AS id, (date '2025-01-01' + make_interval(months => s % 18))::date AS period, 'partner_sourced' AS route,
       (ARRAY['mdf', 'spiff', 'enablement', 'program'])[1 + s % 4] AS category, (1000 + pg_temp.draw(s || 'spent', 500000)) / 100.0 AS amount,
       CASE WHEN s % 3 > 0 THEN 'P' || pg_temp.draw(s || 'for', 12) END AS partner, (ARRAY['fair', 'dinner', NULL])[1 + s % 3] AS channel
FROM generate_series(1, 120) s;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, ended IS NOT NULL AS is_closed, won AS is_won, created AS created_at,
    NULL::date AS close_date, ended AS closed_at, partner AS partner_id FROM en.deal$$);
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, partner AS partner_id FROM en.touch$$);
SELECT revrtm.bind('partner', $$SELECT id AS partner_id, id AS partner_name, type AS partner_type FROM en.partner$$);
SELECT revrtm.bind('spend', $$SELECT id AS spend_id, period, route AS route_id, category, amount, partner AS partner_id, channel FROM en.spend$$);
SELECT mode FROM revrtm.refresh_journeys();

-- Certificates of nine of twelve partners, of any time.
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('x', 'ANY'), ('y', 'x'), ('z', 'ANY');
INSERT INTO revrtm.course (course_id, product_code, cost) VALUES ('any', NULL, 10), ('x', 'x', 20), ('y', 'y', 0);
INSERT INTO revrtm.certification (partner_id, person_id, course_id, status, valid, decision_reason, spend_id)
SELECT 'P' || n % 9, 'p' || pg_temp.draw(n || 'person', 5), (ARRAY['any', 'x', 'y'])[1 + pg_temp.draw(n || 'course', 3)], 'granted', tstzrange(t.at, t.at + make_interval(days => 1 + pg_temp.draw(n || 'length', 300)::int)), NULL,
       CASE WHEN n % 4 = 0 THEN 's' || 2 + 4 * pg_temp.draw(n || 'booked', 29) END
FROM generate_series(1, 60) n, LATERAL (SELECT pg_temp.day(n % 9 * 40 + pg_temp.draw(n || 'since', 200)) AS at) t
ON CONFLICT DO NOTHING;
CREATE TEMP TABLE instant AS SELECT DISTINCT t AS at FROM revrtm.certification c, unnest(ARRAY[lower(c.valid), upper(c.valid), lower(c.valid) - interval '1 microsecond']) t;
SELECT cmp_ok((SELECT count(*) FROM revrtm.certification), '>', 40::bigint, 'many certificates');
SELECT is_empty($$
    SELECT i.at, p, w FROM instant i, unnest('{P0,P1,P2,P8,P9}'::text[]) p, unnest('{x,y,z,ANY}'::text[]) w
    WHERE revrtm.certified_people(p, w, i.at) <> (SELECT count(DISTINCT c.person_id) FROM revrtm.certification c
        WHERE c.partner_id = p AND lower(c.valid) <= i.at AND i.at < upper(c.valid)
          AND (c.course_id = 'any' OR c.course_id = 'x' AND w IN ('x', 'y') OR c.course_id = 'y' AND w = 'y'))
$$, 'who was certified at every instant at which that changes');

-- Funds: a random walk of requests and awards, some steps of which are refused.
INSERT INTO revrtm.fund (fund_id, kind, valid, amount, currency, award) VALUES ('m', 'mdf', '[2025-01-01,2027-01-01)', 15000, 'USD', NULL), ('n', 'mdf', '[2025-01-01,2027-01-01)', 9000, 'USD', NULL), ('s', 'spiff', '[2025-01-01,2027-01-01)', 2500, 'USD', 100);
CREATE TEMP TABLE refused (what text, why text);
DO $$
DECLARE
    d text;
    r record;
    why text;
BEGIN
    FOR i IN 1 .. 600 LOOP
        d := 'walk ' || i;
        BEGIN
            CASE pg_temp.draw(d, 4)
            WHEN 0 THEN
                INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, channel, during, requested_amount, currency)
                SELECT 'P' || pg_temp.draw(d || 'p', 12), (ARRAY['m', 'm', 'n'])[1 + i % 3], d, (ARRAY['fair', 'dinner'])[1 + i % 2],
                       daterange(f, f + 30), (100 + pg_temp.draw(d || 'a', 200000)) / 100.0, 'USD'
                FROM (SELECT date '2025-01-01' + pg_temp.draw(d || 'f', 500)::int AS f) x;
            WHEN 1 THEN
                INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id, held_on, amount)
                SELECT o.account, o.id, 's', coalesce(o.partner, 'P1'), 'p' || i % 3, date '2026-01-01', nullif(pg_temp.draw(d || 'a', 200), 0)
                FROM en.deal o WHERE o.id = 'd' || 1 + pg_temp.draw(d || 'd', 100);
            ELSE
                FOR r IN SELECT q.request_id AS id, q.status, t.to_status, row_number() OVER (ORDER BY md5(d || q.activity || t.to_status)) AS n
                         FROM revrtm.mdf_request q JOIN revrtm.life_cycle_transition t ON t.subject = 'mdf_request' AND t.from_status = q.status
                         WHERE i % 6 = 0 OR t.to_status NOT IN ('rejected', 'withdrawn', 'expired')
                         ORDER BY n LIMIT 1 LOOP
                    UPDATE revrtm.mdf_request q SET status = r.to_status, decision_reason = d, claim_by = CASE r.to_status WHEN 'approved' THEN date '2027-01-01' ELSE claim_by END,
                        proof = CASE r.to_status WHEN 'claimed' THEN '{"x": 1}' ELSE proof END,
                        approved_amount = CASE r.to_status WHEN 'approved' THEN round(requested_amount * (1 + pg_temp.draw(d || 'ok', 4)) / 4, 2) ELSE approved_amount END,
                        claimed_amount = CASE r.to_status WHEN 'claimed' THEN round(approved_amount * (50 + pg_temp.draw(d || 'claim', 60)) / 100, 2) ELSE claimed_amount END,
                        spend_id = CASE WHEN r.to_status = 'paid' AND i % 2 = 0 THEN 's' || 4 * pg_temp.draw(d || 'booked', 29) ELSE spend_id END
                    WHERE q.request_id = r.id;
                END LOOP;
                FOR r IN SELECT q.award_id AS id, t.to_status, row_number() OVER (ORDER BY md5(d || q.opportunity_id || q.person_id || t.to_status)) AS n
                         FROM revrtm.spiff_award q JOIN revrtm.life_cycle_transition t ON t.subject = 'spiff_award' AND t.from_status = q.status
                         WHERE i % 6 = 0 OR t.to_status <> 'reversed'
                         ORDER BY n LIMIT 1 LOOP
                    UPDATE revrtm.spiff_award q SET status = r.to_status, decision_reason = d,
                        spend_id = CASE WHEN i % 2 = 0 AND r.to_status = 'paid' THEN 's' || 1 + 4 * pg_temp.draw(d || 'booked', 29) ELSE spend_id END
                    WHERE q.award_id = r.id;
                END LOOP;
                DELETE FROM revrtm.mdf_request WHERE i % 40 = 0 AND activity = 'walk ' || pg_temp.draw(d || 'gone', i);
            END CASE;
        EXCEPTION WHEN check_violation OR unique_violation THEN
            GET STACKED DIAGNOSTICS why = CONSTRAINT_NAME;
            INSERT INTO refused VALUES (d, why);
        END;
        IF i % 50 = 0 AND EXISTS (SELECT FROM revrtm.fund_use u WHERE u.difference <> 0 OR u.held > u.amount) THEN
            RAISE 'a fund is off after step %', i;
        END IF;
    END LOOP;
END
$$;
SELECT set_eq('SELECT DISTINCT why FROM refused', ARRAY['fund_not_exceeded', 'mdf_request_claimed', 'spiff_award_once'], 'what is refused, and why');
SELECT cmp_ok((SELECT count(DISTINCT status) FROM revrtm.mdf_request), '>=', 6::bigint, 'requests in most states');
SELECT is_empty($$
    SELECT f.fund_id, f.held, f.amount FROM revrtm.fund f
    WHERE f.held <> (SELECT coalesce(sum(CASE WHEN r.status IN ('approved', 'executed', 'claimed') THEN r.approved_amount WHEN r.status = 'paid' THEN r.paid_amount END), 0) FROM revrtm.mdf_request r WHERE r.fund_id = f.fund_id)
        + (SELECT coalesce(sum(a.amount), 0) FROM revrtm.spiff_award a WHERE a.fund_id = f.fund_id AND a.status <> 'reversed') OR f.held > f.amount
$$, 'what funds hold');
SELECT is_empty($$
    SELECT r.request_id FROM revrtm.mdf_request r
    WHERE r.status <> (SELECT e.to_status FROM revrtm.life_cycle_event e WHERE e.subject_id = r.request_id AND e.to_status IS NOT NULL ORDER BY e.logged_at DESC LIMIT 1)
       OR 1 <> (SELECT count(*) FROM revrtm.life_cycle_event e WHERE e.subject_id = r.request_id AND e.from_status IS NULL)
$$, 'the log ends with the status');

-- The ledger.
CREATE TEMP TABLE ledger AS SELECT * FROM revrtm.enablement_ledger;
SELECT is((SELECT count(*) FROM ledger), (SELECT count(DISTINCT enablement_ledger_key) FROM ledger), 'keys of the ledger');
SELECT cmp_ok((SELECT count(booked_as) FROM ledger), '>', 10::bigint, 'entries are booked');
SELECT is((SELECT sum(amount) FROM ledger),
    (SELECT sum(amount) FROM en.spend WHERE category <> 'program')
    + (SELECT coalesce(sum(x.amount), 0)
       FROM (SELECT paid_amount AS amount, spend_id FROM revrtm.mdf_request WHERE status = 'paid'
             UNION ALL SELECT amount, spend_id FROM revrtm.spiff_award WHERE status = 'paid'
             UNION ALL SELECT cost, spend_id FROM revrtm.certification) x
       WHERE NOT EXISTS (SELECT FROM en.spend s WHERE s.id = x.spend_id AND s.category <> 'program')), 'each amount once');
SELECT is_empty($$
    SELECT s.id FROM en.spend s WHERE s.category <> 'program'
      AND s.amount <> (SELECT sum(l.amount) FROM ledger l WHERE l.booked_as = s.id OR l.source = 'spend' AND l.source_id = s.id)
$$, 'an entry of the CRM is what it is booked as and the rest');
SELECT is((SELECT sum(committed) FROM ledger), (SELECT sum(approved_amount) FROM revrtm.mdf_request WHERE status IN ('approved', 'executed', 'claimed'))
    + (SELECT coalesce(sum(amount), 0) FROM revrtm.spiff_award WHERE status = 'earned'), 'what is committed');

-- Outcomes.
CREATE TEMP TABLE outcome AS SELECT * FROM revrtm.enablement_outcome;
CREATE TEMP TABLE touching AS
SELECT t.deal, t.partner, t.channel, t.at FROM en.touch t JOIN en.deal d ON d.id = t.deal
WHERE t.partner IS NOT NULL AND (d.ended IS NULL OR t.at < d.ended) AND t.at >= d.created - interval '90 days';
SELECT set_eq('SELECT entry, opportunity_id, evidence FROM outcome', $$
    SELECT key, deal, (ARRAY['named', 'touch', 'certified'])[min(rank)] FROM (
        SELECT 'spiff:' || award_id AS key, opportunity_id AS deal, 1 AS rank FROM revrtm.spiff_award WHERE status <> 'reversed'
        UNION ALL
        SELECT 'mdf:' || r.request_id, t.deal, 2 FROM revrtm.mdf_request r JOIN touching t ON t.partner = r.partner_id AND t.channel = r.channel AND r.during @> t.at::date
        WHERE r.status IN ('approved', 'executed', 'claimed', 'paid')
        UNION ALL
        SELECT 'spend:' || s.id, t.deal, 2 FROM en.spend s JOIN touching t ON coalesce(s.partner, t.partner) = t.partner AND t.channel = s.channel AND date_trunc('month', t.at) = s.period
        WHERE s.category <> 'program'
        UNION ALL
        SELECT 'course:' || c.certification_id, d.id, 3 FROM revrtm.certification c JOIN en.deal d ON d.created::date BETWEEN lower(c.valid)::date AND upper(c.valid)::date
        WHERE c.course_id = 'any' AND (d.partner = c.partner_id OR EXISTS (SELECT FROM touching t WHERE t.deal = d.id AND t.partner = c.partner_id))) x
    GROUP BY key, deal$$, 'which entries touched which deals');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM outcome GROUP BY evidence) x), '>', 10::bigint, 'of every kind');
SELECT is_empty($$
    SELECT o.opportunity_id FROM outcome o JOIN en.deal d ON d.id = o.opportunity_id
    GROUP BY o.opportunity_id, d.amount, d.won
    HAVING CASE WHEN d.won THEN sum(o.margin_share) <> d.amount OR max(o.margin_share) - min(o.margin_share) > 0.01 ELSE count(o.margin_share) > 0 END
$$, 'equal shares sum to the margin, to the cent');
SELECT results_eq('SELECT sum(amount), sum(committed), sum(margin_share), sum(links), sum(unlinked) FROM revrtm.enablement_return', $$
    SELECT (SELECT sum(amount) FROM ledger), (SELECT sum(committed) FROM ledger), (SELECT sum(margin_share) FROM outcome), (SELECT count(*) FROM outcome)::numeric,
           (SELECT sum(amount) FROM ledger l WHERE NOT EXISTS (SELECT FROM outcome o WHERE o.entry = l.enablement_ledger_key))$$, 'parts sum to the whole');

-- Lift, one quarter at a time. The interval is that of Welch's error.
CREATE TEMP TABLE first AS SELECT partner_id, date_trunc('quarter', min(lower(valid)))::date AS quarter FROM revrtm.certification GROUP BY 1;
CREATE FUNCTION pg_temp.side(q date, treated boolean, later boolean, OUT n bigint, OUT mean numeric, OUT variance numeric) LANGUAGE sql AS $$
    SELECT count(*), avg(d.won::int), var_samp(d.won::int::numeric) FROM en.deal d
    WHERE d.ended < '2026-07-01' AND d.partner IS NOT NULL
      AND CASE WHEN later THEN d.ended >= q + interval '3 months' AND d.ended < q + interval '9 months' ELSE d.ended >= q - interval '6 months' AND d.ended < q END
      AND CASE WHEN treated THEN d.partner IN (SELECT partner_id FROM first WHERE quarter = q)
               ELSE d.partner NOT IN (SELECT partner_id FROM first WHERE quarter < q + interval '9 months') END
$$;
SELECT results_eq('SELECT quarter, n_before, n_after, others_n_before, others_n_after, lift, standard_error, lo, hi FROM revrtm.enablement_lift() ORDER BY 1', $$
    SELECT q, tb.n, ta.n, ob.n, oa.n, round(l, 6), round(e, 6), round(l - 1.959963984540054 * e, 6), round(l + 1.959963984540054 * e, 6)
    FROM (SELECT DISTINCT quarter AS q FROM first) f, pg_temp.side(q, true, false) tb, pg_temp.side(q, true, true) ta, pg_temp.side(q, false, false) ob, pg_temp.side(q, false, true) oa,
         LATERAL (SELECT ta.mean - tb.mean - oa.mean + ob.mean AS l,
                         CASE WHEN least(tb.n, ta.n, ob.n, oa.n) >= 5 THEN sqrt(tb.variance / tb.n + ta.variance / ta.n + ob.variance / ob.n + oa.variance / oa.n) END AS e) x
    ORDER BY q$$, 'difference in differences');
SELECT cmp_ok((SELECT count(lo) FROM revrtm.enablement_lift()), '>=', 1::bigint, 'with intervals somewhere');
-- By hand: 2 of 10 before and 6 of 10 after, others 5 of 10 and 5 of 10.
SAVEPOINT hand;
DELETE FROM revrtm.certification;
INSERT INTO revrtm.certification (partner_id, person_id, course_id, status, valid) VALUES ('T', 'x', 'any', 'granted', '[2025-05-01Z,)');
TRUNCATE en.deal;
INSERT INTO en.deal SELECT side || later || n, 'a', side, '2024-12-31Z', CASE later WHEN 0 THEN '2025-02-01Z'::timestamptz ELSE '2025-08-01Z' END, n <= CASE WHEN side = 'O' THEN 5 WHEN later = 0 THEN 2 ELSE 6 END, 100
FROM unnest('{T,O}'::text[]) side, generate_series(0, 1) later, generate_series(1, 10) n;
SELECT count(*) FROM revrtm.refresh_journeys(verify => true);
SELECT results_eq('SELECT quarter, partners, others, before, after, lift, standard_error, lo, hi, note FROM revrtm.enablement_lift()',
    $$VALUES (date '2025-04-01', 1::bigint, 1::bigint, 0.2::numeric, 0.6::numeric, 0.4::numeric, 0.316228, -0.219795, 1.019795, NULL)$$, 'by hand: 0.4, error sqrt((0.16 + 0.24 + 0.25 + 0.25) / 9)');
ROLLBACK TO hand;

-- Scores.
SELECT is_empty($$
    SELECT m.partner_id, m.metric FROM revrtm.partner_metrics() m
    WHERE m.value IS DISTINCT FROM CASE m.metric
        WHEN 'won_amount' THEN (SELECT coalesce(sum(amount), 0) FROM en.deal d WHERE d.partner = m.partner_id AND d.won AND d.ended > '2025-07-01Z' AND d.ended <= '2026-07-01Z')
        WHEN 'win_rate' THEN (SELECT avg(d.won::int) FROM en.deal d WHERE d.partner = m.partner_id AND d.ended > '2025-07-01Z' AND d.ended <= '2026-07-01Z')
        WHEN 'open_amount' THEN (SELECT coalesce(sum(amount), 0) FROM en.deal d WHERE d.partner = m.partner_id AND d.created <= '2026-07-01Z' AND (d.ended IS NULL OR d.ended > '2026-07-01Z'))
        WHEN 'cycle_time' THEN (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM d.ended - d.created) / 86400)::numeric FROM en.deal d WHERE d.partner = m.partner_id AND d.won AND d.ended > '2025-07-01Z' AND d.ended <= '2026-07-01Z')
        WHEN 'certified_people' THEN (SELECT count(DISTINCT person_id) FROM revrtm.certification c WHERE c.partner_id = m.partner_id AND c.valid @> timestamptz '2026-07-01Z')
    END
$$, 'metrics of partners');
SELECT results_eq('SELECT partner_id, score, coverage, place FROM revrtm.partner_scores() ORDER BY partner_id', $$
    WITH v AS (SELECT m.*, w.weight, CASE w.better WHEN 'low' THEN - m.value ELSE m.value END AS merit FROM revrtm.partner_metrics() m JOIN revrtm.partner_metric w USING (metric)),
    r AS (SELECT v.*, ((SELECT count(*) FROM v o WHERE o.peer_group = v.peer_group AND o.metric = v.metric AND o.merit < v.merit)
                       + ((SELECT count(*) FROM v o WHERE o.peer_group = v.peer_group AND o.metric = v.metric AND o.merit = v.merit) - 1) / 2.0)
                      / nullif((SELECT count(*) FROM v o WHERE o.peer_group = v.peer_group AND o.metric = v.metric AND o.merit IS NOT NULL) - 1, 0) AS p FROM v WHERE merit IS NOT NULL),
    s AS (SELECT partner_id, peer_group, round(sum(weight * p) / sum(weight) FILTER (WHERE p IS NOT NULL), 6) AS score, round(sum(weight) FILTER (WHERE p IS NOT NULL), 6) AS coverage FROM r GROUP BY 1, 2)
    SELECT partner_id, score, coverage, (SELECT 1 + count(*) FROM s o WHERE o.peer_group = s.peer_group AND o.score > s.score) FROM s ORDER BY partner_id$$, 'scores');
SELECT is_empty('SELECT FROM revrtm.partner_scores() WHERE score NOT BETWEEN 0 AND 1 OR coverage NOT BETWEEN 0 AND 1', 'within their range');

-- Tiers month by month: none changes but at its edge, each has one at a time.
UPDATE revrtm.tier_criterion SET threshold = CASE metric WHEN 'won_amount' THEN 2000 * (CASE tier WHEN 'gold' THEN 3 ELSE 1 END) WHEN 'certified_people' THEN 1 ELSE threshold END;
CREATE TEMP TABLE earned (at timestamptz, partner_id text, old_tier text, new_tier text, won numeric);
DO $$
BEGIN
    FOR m IN 0 .. 17 LOOP
        INSERT INTO earned SELECT t.at, a.* , (SELECT value FROM revrtm.partner_metrics(t.at) v WHERE v.partner_id = a.partner_id AND v.metric = 'won_amount')
        FROM (SELECT timestamptz '2025-02-01Z' + make_interval(months => m) AS at) t, revrtm.assign_tiers(t.at) a;
    END LOOP;
END
$$;
SELECT cmp_ok((SELECT count(*) FROM earned WHERE old_tier IS NOT NULL), '>', 5::bigint, 'partners move');
SELECT is_empty($$
    SELECT e.* FROM earned e, LATERAL (SELECT coalesce(min(rank), -1) AS r FROM revrtm.tier WHERE tier = old_tier) o, LATERAL (SELECT rank AS r FROM revrtm.tier WHERE tier = new_tier) n,
        LATERAL (SELECT bool_and(is_met) AS met FROM revrtm.tier_check(e.at) c WHERE c.partner_id = e.partner_id AND c.tier = e.new_tier) up,
        LATERAL (SELECT bool_and(is_kept) AS kept FROM revrtm.tier_check(e.at) c WHERE c.partner_id = e.partner_id AND c.tier = e.old_tier) down
    WHERE CASE WHEN n.r > o.r THEN NOT up.met ELSE down.kept END OR revrtm.tier_at(e.partner_id, e.at) <> e.new_tier
$$, 'up where the criteria are met, down where they are not nearly');

-- Plans: health and overdue steps of random ones.
INSERT INTO revrtm.action_plan (plan_id, account_id, opportunity_id, partner_id)
SELECT ('00000000-0000-0000-0004-' || lpad(n::text, 12, '0'))::uuid, 'a' || n % 100, 'd' || n, 'P' || n % 12 FROM generate_series(1, 40) n;
INSERT INTO revrtm.plan_step (plan_id, step, owner_party, task, due)
SELECT p.plan_id, s, (ARRAY['partner', 'vendor', 'customer'])[1 + pg_temp.draw(p.opportunity_id || s, 3)], 'x', date '2026-06-01' + pg_temp.draw(p.opportunity_id || 'due' || s, 60)::int
FROM revrtm.action_plan p, generate_series(1, 6) s;
-- The other side agrees.
ALTER TABLE revrtm.action_plan DISABLE TRIGGER keep_1_life_cycle;
UPDATE revrtm.action_plan SET status = 'agreed';
ALTER TABLE revrtm.action_plan ENABLE TRIGGER keep_1_life_cycle;
UPDATE revrtm.plan_step s SET done_at = s.due + interval '12 hours' + make_interval(days => (pg_temp.draw(s.plan_id || 'when' || s.step, 7) - 4)::int)
WHERE pg_temp.draw(s.plan_id || 'done' || s.step, 3) < 2 AND s.due < '2026-06-27';
SELECT results_eq('SELECT plan_id, done, fallen_due, in_time, overdue_partner, overdue_vendor, overdue_customer FROM revrtm.plan_health ORDER BY 1', $$
    SELECT s.plan_id, count(s.done_at), count(*) FILTER (WHERE s.done_at IS NOT NULL OR s.due < '2026-07-01'), count(*) FILTER (WHERE s.done_at::date <= s.due),
           count(*) FILTER (WHERE s.done_at IS NULL AND s.due < '2026-07-01' AND s.owner_party = 'partner'), count(*) FILTER (WHERE s.done_at IS NULL AND s.due < '2026-07-01' AND s.owner_party = 'vendor'),
           count(*) FILTER (WHERE s.done_at IS NULL AND s.due < '2026-07-01' AND s.owner_party = 'customer') FROM revrtm.plan_step s GROUP BY 1 ORDER BY 1$$, 'health of plans');
SELECT results_eq('SELECT sum(overdue) FROM revrtm.plan_health', 'SELECT sum(steps) FROM revrtm.plan_overdue', 'overdue by party is all that is overdue');
SELECT * FROM finish();
ROLLBACK;
