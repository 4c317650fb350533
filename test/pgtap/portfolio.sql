-- The portfolio of a random CRM against its definitions in plain SQL, one
-- account or deal at a time.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL jit = off;
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.as_of = '2026-07-01 00:00Z';
SELECT plan(26);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE SCHEMA pf;
-- Every tenth account was merged, some of them twice over.
CREATE TABLE pf.account AS
SELECT 'a' || a AS account_id, CASE WHEN a % 10 = 0 THEN 'a' || CASE WHEN a % 20 = 0 AND a > 10 THEN a - 10 ELSE a + 1 END END AS merged_into,
       (ARRAY['smb', 'mid', NULL])[1 + pg_temp.draw(a || 'segment', 3)] AS segment, (ARRAY['DE', 'emea', 'na', 'moon', NULL])[1 + pg_temp.draw(a || 'region', 5)] AS region,
       CASE WHEN pg_temp.draw(a || 'owned', 5) > 0 THEN 'u' || pg_temp.draw(a || 'owner', 4) END AS owner_id, a % 13 = 0 AS deleted,
       'Firm ' || a % 150 || ' Ltd.' AS account_name, CASE WHEN a % 3 > 0 THEN 'firm' || a % 120 || '.com' END AS domain, (ARRAY['DE', 'US'])[1 + a % 2] AS country,
       pg_temp.draw(a || 'staff', 1000)::int AS employees
FROM generate_series(1, 200) a;
CREATE TABLE pf.deal AS
SELECT 'd' || d AS id, CASE WHEN d % 50 > 0 THEN 'a' || 1 + pg_temp.draw(d || 'account', 210) END AS account,
       (ARRAY['core', 'platform', 'audit', 'odd', NULL])[1 + pg_temp.draw(d || 'product', 5)] AS product,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace', 'oem'])[1 + pg_temp.draw(d || 'route', 6)] AS route,
       CASE WHEN d % 3 = 0 THEN 'P' || pg_temp.draw(d || 'partner', 4) END AS partner,
       timestamptz '2025-01-01 12:00Z' + pg_temp.draw(d || 'created', 500) * interval '24 hours' AS created,
       CASE WHEN pg_temp.draw(d || 'state', 3) < 2 THEN date '2025-05-01' + pg_temp.draw(d || 'closed', 420)::int ELSE date '2026-06-01' + pg_temp.draw(d || 'closed', 90)::int END AS close,
       (ARRAY[true, false, NULL])[1 + pg_temp.draw(d || 'state', 3)] AS won,
       CASE WHEN d % 17 > 0 THEN pg_temp.draw(d || 'amount', 1000000) / 100.0 END AS amount,
       CASE WHEN d % 4 > 0 THEN pg_temp.draw(d || 'probability', 11) / 10.0 END AS probability
FROM generate_series(1, 500) d;
CREATE TABLE pf.touch AS
SELECT 't' || t AS id, CASE WHEN t % 5 = 0 THEN 'd' || 1 + pg_temp.draw(t || 'deal', 500) END AS deal, CASE WHEN t % 5 > 0 THEN 'a' || 1 + pg_temp.draw(t || 'account', 200) END AS account,
       CASE WHEN t % 4 = 0 THEN 'P' || pg_temp.draw(t || 'partner', 4) END AS partner, (ARRAY['x', 'y', 'joint', 'resale'])[1 + pg_temp.draw(t || 'channel', 4)] AS channel,
       timestamptz '2025-10-01 12:00Z' + pg_temp.draw(t || 'at', 290) * interval '24 hours' AS at, t % 11 = 0 AS deleted
FROM generate_series(1, 400) t;
CREATE TABLE pf.role AS SELECT 'd' || 1 + pg_temp.draw(r || 'deal', 500) AS deal, 'P1'::text AS partner, (ARRAY['Reseller', 'Marketplace', 'Referral', 'Dealer'])[1 + r % 4] AS role FROM generate_series(1, 80) r;
SELECT revrtm.bind('account', 'SELECT * FROM pf.account') IS NOT NULL AS bound \gset
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, won IS NOT NULL AS is_closed, coalesce(won, false) AS is_won, created AS created_at,
    close AS close_date, route AS route_id, partner AS partner_id, product, probability, 'u9'::text AS owner_id FROM pf.deal$$) IS NOT NULL AS bound \gset
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id, partner AS partner_id, deleted FROM pf.touch') IS NOT NULL AS bound \gset
SELECT revrtm.bind('opportunity_partner', 'SELECT deal AS opportunity_id, partner AS partner_id, role FROM pf.role') IS NOT NULL AS bound \gset
INSERT INTO revrtm.channel_map VALUES ('joint', 'co_sell', 'program'), ('resale', 'resell', 'mdf');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('emea', 'ANY'), ('na', 'ANY'), ('DE', 'emea');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('platform', 'ANY'), ('security', 'ANY'), ('core', 'platform'), ('audit', 'security');
INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role) VALUES ('1', 'direct', NULL, NULL, 'emea', 'lead'), ('2', 'resell', 'smb', NULL, 'na', 'lead'), ('3', 'co_sell', 'mid', 'platform', NULL, 'lead');
INSERT INTO revrtm.play (play_id, route_id, segment, product, region) VALUES ('b', 'direct', 'ANY', 'platform', 'emea'), ('a', 'direct', 'mid', 'ANY', 'DE'), ('c', '(any)', 'smb', 'ANY', 'na');
INSERT INTO revrtm.tam (account_id, product, as_of, potential)
SELECT DISTINCT ON (1, 2, 3) 'a' || 1 + pg_temp.draw(t || 'account', 205), (ARRAY['platform', 'ANY', 'core', 'security'])[1 + pg_temp.draw(t || 'product', 4)], date '2026-01-01' + 30 * pg_temp.draw(t || 'on', 9)::int, pg_temp.draw(t || 'potential', 20) * 1000
FROM generate_series(1, 500) t ORDER BY 1, 2, 3, t;
SELECT mode AS mode FROM revrtm.refresh_journeys() \gset

-- What an account id means, by following the merges.
CREATE TEMP TABLE alias AS
WITH RECURSIVE step AS (
    SELECT account_id, account_id AS at, merged_into FROM pf.account
    UNION ALL SELECT s.account_id, a.account_id, a.merged_into FROM step s JOIN pf.account a ON a.account_id = s.merged_into
) SELECT account_id, at AS canonical FROM step WHERE merged_into IS NULL;
CREATE FUNCTION pg_temp.who(id text) RETURNS text LANGUAGE sql STABLE RETURN coalesce((SELECT canonical FROM alias a WHERE a.account_id = id), id);
-- Whether a product lies in another.
CREATE FUNCTION pg_temp.lies_in(part text, whole text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN coalesce(whole = 'ANY' OR part = whole OR (part, whole) IN (('core', 'platform'), ('audit', 'security')), false);

CREATE TEMP TABLE hope AS
SELECT pg_temp.who(account_id) AS account, product, sum(potential) AS potential FROM revrtm.tam t
WHERE as_of <= '2026-07-01' AND NOT EXISTS (SELECT FROM revrtm.tam n WHERE n.account_id = t.account_id AND n.product = t.product AND n.as_of > t.as_of AND n.as_of <= '2026-07-01') GROUP BY 1, 2;
CREATE TEMP TABLE sold AS
SELECT d.id, pg_temp.who(coalesce(d.account, '(none)')) AS account, d.won IS NULL AS open, d.won, d.close, coalesce(d.amount, 0) AS amount,
       d.partner IS NULL AND d.route IN ('direct', 'oem') OR d.route = 'co_sell' AS direct, d.partner IS NOT NULL OR d.route NOT IN ('direct', 'oem') AS partner,
       (SELECT h.product FROM hope h WHERE h.account = pg_temp.who(coalesce(d.account, '(none)')) AND (pg_temp.lies_in(d.product, h.product) OR h.product = 'ANY')
        ORDER BY array_position(ARRAY[d.product, 'platform', 'security', 'ANY'], h.product) LIMIT 1) AS place
FROM pf.deal d;
CREATE TEMP TABLE made AS
SELECT pg_temp.who(coalesce(t.account, d.account)) AS account, t.at, t.partner IS NULL AND t.channel IN ('x', 'y') OR t.channel = 'joint' AS direct, t.partner IS NOT NULL OR t.channel IN ('joint', 'resale') AS partner
FROM pf.touch t LEFT JOIN pf.deal d ON d.id = t.deal WHERE NOT t.deleted AND t.at <= '2026-07-01Z' AND t.at > '2026-07-01Z'::timestamptz - interval '2160 hours';
CREATE TEMP TABLE expected AS
SELECT h.account, h.product, h.potential, x.won, x.open, greatest(h.potential - x.won - x.open, 0) AS whitespace, l.lead, y.play,
       CASE WHEN l.lead IS NULL OR a.owner_id IS NULL THEN 'none' WHEN s.direct AND s.partner THEN 'both' WHEN s.direct THEN 'direct_only' WHEN s.partner THEN 'partner_only' ELSE 'none' END AS reach,
       s.at, a.segment, a.region
FROM hope h
LEFT JOIN pf.account a ON a.account_id = h.account AND NOT a.deleted
CROSS JOIN LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE won AND close > '2025-07-01' AND close <= '2026-06-30'), 0) AS won, coalesce(sum(amount) FILTER (WHERE sold.open), 0) AS open
                    FROM sold WHERE sold.account = h.account AND sold.place = h.product) x
CROSS JOIN LATERAL (SELECT CASE WHEN a.segment = 'mid' AND h.product IN ('platform', 'core') AND a.region IN ('DE', 'emea')
                                -- Equally specific or not: score by the distance to the node.
                                THEN CASE WHEN 1.0 + CASE h.product WHEN 'platform' THEN 1 ELSE 0.5 END > CASE a.region WHEN 'emea' THEN 1 ELSE 0.5 END THEN 'co_sell' ELSE 'direct' END
                                WHEN a.region IN ('DE', 'emea') THEN 'direct' WHEN a.segment = 'mid' AND h.product IN ('platform', 'core') THEN 'co_sell'
                                WHEN a.segment = 'smb' AND a.region = 'na' THEN 'resell' END AS lead) l
CROSS JOIN LATERAL (SELECT CASE WHEN l.lead = 'direct' AND a.segment = 'mid' AND a.region = 'DE' THEN 'a'
                                WHEN l.lead = 'direct' AND h.product IN ('platform', 'core') THEN 'b' WHEN l.lead IS NOT NULL AND a.segment = 'smb' AND a.region = 'na' THEN 'c' END AS play) y
CROSS JOIN LATERAL (SELECT bool_or(direct) AS direct, bool_or(partner) AS partner, max(m.at) AS at
                    FROM (SELECT direct, partner, NULL::timestamptz AS at FROM sold WHERE sold.account = h.account AND sold.open
                          UNION ALL SELECT direct, partner, made.at FROM made WHERE made.account = h.account) m) s;
SELECT set_eq($$SELECT account_id, product, potential, won_amount, open_amount, whitespace, lead_route_id, play_id, reach, touched_at, segment, region, is_worked FROM revrtm.whitespace$$,
    $$SELECT account, product, potential::numeric(20, 4), won::numeric(20, 4), open::numeric(20, 4), whitespace::numeric(20, 4), lead, play, reach, at, coalesce(segment, '(none)') AS segment, coalesce(region, '(none)') AS region, lead IS NOT NULL AND play IS NOT NULL AND at IS NOT NULL FROM expected$$,
    'whitespace, account by account');
SELECT ok((SELECT count(DISTINCT reach) = 4 AND count(DISTINCT play) = 3 AND count(DISTINCT lead) = 3 AND bool_or(won > 0) AND bool_or(open > 0) FROM expected), 'of every kind');
SELECT is((SELECT sum(won_amount) || ' ' || sum(open_amount) FROM revrtm.whitespace),
    (SELECT sum(amount) FILTER (WHERE won AND close > '2025-07-01' AND close <= '2026-06-30')::numeric(20, 4) || ' ' || sum(amount) FILTER (WHERE open)::numeric(20, 4) FROM sold WHERE place IS NOT NULL), 'a deal counts once');
SELECT set_eq('SELECT segment, product, region, accounts, covered, direct_only, partner_only, both_sides, neither, potential, covered_potential, coverage_value FROM revrtm.coverage',
    $$SELECT coalesce(segment, '(none)') AS a, product, coalesce(region, '(none)') AS b, count(*) AS c, count(*) FILTER (WHERE reach <> 'none') AS d, count(*) FILTER (WHERE reach = 'direct_only') AS e, count(*) FILTER (WHERE reach = 'partner_only') AS f,
        count(*) FILTER (WHERE reach = 'both') AS g, count(*) FILTER (WHERE reach = 'none') AS h, sum(potential)::numeric(20, 4), coalesce(sum(potential) FILTER (WHERE reach <> 'none'), 0)::numeric(20, 4) AS i,
        CASE WHEN sum(potential) > 0 THEN coalesce(sum(potential) FILTER (WHERE reach <> 'none'), 0) / sum(potential) END::numeric(12, 6) FROM expected GROUP BY 1, 2, 3$$, 'coverage');
SELECT is_empty($$SELECT * FROM revrtm.coverage WHERE accounts <> direct_only + partner_only + both_sides + neither OR covered <> accounts - neither
    OR potential <> direct_only_potential + partner_only_potential + both_sides_potential + neither_potential OR covered_potential <> potential - neither_potential
    OR (coverage_value IS NULL) <> (potential = 0) OR (note IS NULL) <> (potential > 0)$$, 'parts of coverage sum to the whole');
SELECT set_eq('SELECT segment, product, region, accounts, worked, whitespace, worked_whitespace FROM revrtm.whitespace_coverage',
    $$SELECT coalesce(segment, '(none)') AS a, product, coalesce(region, '(none)') AS b, count(*) FILTER (WHERE whitespace > 0) AS c, count(*) FILTER (WHERE whitespace > 0 AND play IS NOT NULL AND at IS NOT NULL) AS d,
        sum(whitespace)::numeric(20, 4), coalesce(sum(whitespace) FILTER (WHERE play IS NOT NULL AND at IS NOT NULL), 0)::numeric(20, 4) FROM expected GROUP BY 1, 2, 3$$, 'whitespace coverage');
SELECT is((SELECT sum(potential) FROM revrtm.coverage), (SELECT sum(potential) FROM revrtm.whitespace), 'summed over cells or accounts');

-- Targets.
INSERT INTO revrtm.target (route_id, period, metric, value)
SELECT r, p::date, m, pg_temp.draw(r || p || m, 40000) FROM unnest('{direct,resell,oem,nothing,(any)}'::text[]) r, generate_series(timestamp '2026-03-20', '2026-09-20', '1 month') p, unnest('{revenue,deals,margin}'::text[]) m;
CREATE TEMP TABLE goal AS
SELECT t.route_id, date_trunc('month', t.period::timestamp)::date AS period, t.metric, t.value,
       (SELECT coalesce(sum(CASE t.metric WHEN 'deals' THEN 1 ELSE amount END), 0) FROM pf.deal d WHERE won AND t.route_id IN (d.route, '(any)') AND date_trunc('month', close::timestamp) = date_trunc('month', t.period::timestamp)) AS won,
       (SELECT count(*) FILTER (WHERE d.won)::numeric / nullif(count(*), 0) FROM pf.deal d WHERE won IS NOT NULL AND t.route_id IN (d.route, '(any)')
          AND close < date_trunc('month', t.period::timestamp) AND close >= date_trunc('month', t.period::timestamp) - interval '1 year') AS rate
FROM revrtm.target t;
SELECT set_eq('SELECT route_id, period, metric, won, weighted_pipeline, gap, required_pipeline FROM revrtm.target_gap',
    $$SELECT g.route_id, g.period, g.metric, g.won::numeric(20, 4), w::numeric(20, 4), (g.value - g.won - w)::numeric(20, 4) AS gap, CASE WHEN g.value - g.won - w <= 0 THEN 0 WHEN g.rate > 0 THEN (g.value - g.won - w) / g.rate END::numeric(20, 4) AS need
      FROM goal g, LATERAL (SELECT coalesce(sum(CASE g.metric WHEN 'deals' THEN 1 ELSE amount END * coalesce(probability, g.rate)), 0) AS w FROM pf.deal d WHERE won IS NULL AND g.route_id IN (d.route, '(any)')
          AND date_trunc('month', greatest(close, '2026-07-01')::timestamp) = g.period) w$$, 'targets, one at a time');
SELECT is((SELECT sum(open_pipeline) FROM revrtm.target_gap WHERE route_id = '(any)' AND metric = 'revenue'), (SELECT sum(amount)::numeric(20, 4) FROM pf.deal WHERE won IS NULL), 'every open deal is expected once');

-- Motions: the definition as one CASE over partner_role and the roles.
SELECT set_eq('SELECT opportunity_id, motion FROM revrtm.deal_motion',
    $$SELECT p.opportunity_id, CASE WHEN d.route = 'marketplace' OR EXISTS (SELECT FROM pf.role r WHERE r.deal = d.id AND r.role = 'Marketplace') THEN 'marketplace'
        WHEN d.route = 'resell' OR EXISTS (SELECT FROM pf.role r WHERE r.deal = d.id AND r.role IN ('Reseller', 'Dealer')) THEN 'resell'
        WHEN p.is_sourced THEN 'partner_sourced' WHEN p.is_co_sell THEN 'co_sell' WHEN p.is_influenced THEN 'influenced' ELSE 'direct' END
      FROM revrtm.partner_role p JOIN pf.deal d ON d.id = p.opportunity_id$$, 'motions, one deal at a time');
SELECT is((SELECT count(DISTINCT motion) FROM revrtm.deal_motion), 6::bigint, 'each of them occurs');
SELECT is((SELECT count(*) || ' ' || sum(amount) FROM revrtm.deal_motion), (SELECT count(*) || ' ' || sum(amount) FROM revrtm.deal), 'every deal has one');
UPDATE revrtm.motion_rule SET ordinal = 1 WHERE value = 'influenced';
SELECT set_eq($$SELECT opportunity_id FROM revrtm.deal_motion WHERE motion = 'influenced'$$, 'SELECT opportunity_id FROM revrtm.partner_role WHERE is_influenced', 'the order is data');

-- Criteria on numbers and texts against the operators of SQL.
CREATE TEMP TABLE fact AS SELECT i, (pg_temp.draw(i || 'n', 7) - 3) / 2.0 AS n, (ARRAY['a', 'B', 'ä', ''])[1 + pg_temp.draw(i || 't', 4)] AS t, (ARRAY['=', '!=', '<', '<=', '>', '>='])[1 + pg_temp.draw(i || 'op', 6)] AS op,
    (pg_temp.draw(i || 'v', 7) - 3) / 2.0 AS v, (ARRAY['a', 'B', 'ä', ''])[1 + pg_temp.draw(i || 'w', 4)] AS w FROM generate_series(1, 500) i;
CREATE FUNCTION pg_temp.says(o int, op text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN CASE op WHEN '=' THEN o = 0 WHEN '!=' THEN o <> 0 WHEN '<' THEN o < 0 WHEN '<=' THEN o <= 0 WHEN '>' THEN o > 0 ELSE o >= 0 END;
SELECT is_empty($$SELECT f.*, c.* FROM fact f, LATERAL (VALUES (pg_temp.says(sign(n - v)::int, op), pg_temp.says(CASE WHEN t COLLATE "C" < w THEN -1 WHEN t = w THEN 0 ELSE 1 END, op))) s (a, b),
    revrtm.criteria_check(to_jsonb(f), jsonb_build_array(jsonb_build_object('field', 'n', 'op', op, 'value', v), jsonb_build_object('field', 't', 'op', op, 'value', w))) c
    WHERE c.ok <> (s.a AND s.b) OR cardinality(c.failed) <> (NOT s.a)::int + (NOT s.b)::int$$, 'comparisons are those of SQL');

-- Tiers over twelve months of scores that go up and down, against a loop; potentials only.
UPDATE revrtm.portfolio_rule SET tier_cut = '{0.8,0.5,0.3}', tier_weight = '{1,0,0}', full_potential = 1000, fit = '[]';
DELETE FROM revrtm.tam;
INSERT INTO revrtm.tam (account_id, as_of, potential) SELECT 'a' || a, (date '2026-01-01' + m * interval '1 month')::date, 1000 * (0.5 + 0.5 * sin(a * 1.3 + m * (1 + a % 3) / 2.0))::numeric(6, 3) FROM generate_series(1, 200) a, generate_series(0, 11) m WHERE a % 10 <> 0;
CREATE TEMP TABLE run AS SELECT m, (date '2026-01-01' + m * interval '1 month')::timestamp AT TIME ZONE 'UTC' AS at FROM generate_series(0, 11) m;
CREATE TEMP TABLE told AS SELECT r.m, t.* FROM (SELECT * FROM run ORDER BY m OFFSET 0) r, LATERAL revrtm.refresh_account_tiers(r.at) t;
CREATE TEMP TABLE loop (account text, m int, tier int);
DO $$
DECLARE
    x record;
    prior int;
    now int;
BEGIN
    FOR x IN SELECT t.account_id, r.m, least(t.potential / 1000, 1) AS score FROM run r JOIN revrtm.tam t ON t.as_of = (r.at AT TIME ZONE 'UTC')::date JOIN pf.account a USING (account_id) WHERE NOT a.deleted ORDER BY 1, 2 LOOP
        prior := CASE WHEN x.m > 0 THEN now END;
        now := 4;
        FOR i IN REVERSE 3 .. 1 LOOP
            IF x.score >= (ARRAY[0.8, 0.5, 0.3])[i] OR prior <= i AND x.score >= 0.9 * (ARRAY[0.8, 0.5, 0.3])[i] THEN now := i; END IF;
        END LOOP;
        INSERT INTO loop VALUES (x.account_id, x.m, now);
    END LOOP;
END $$;
SELECT set_eq($$SELECT t.account_id, r.m, t.tier FROM run r JOIN revrtm.account_tier t ON t.valid @> r.at$$, 'SELECT account, m, tier FROM loop', 'the tiers of every month');
SELECT set_eq('SELECT m, assigned, promoted, demoted, kept FROM told', $$SELECT m, count(*) FILTER (WHERE was IS NULL) AS a, count(*) FILTER (WHERE tier < was) AS b, count(*) FILTER (WHERE tier > was) AS c, count(*) FILTER (WHERE tier = was) AS d
    FROM (SELECT *, lag(tier) OVER (PARTITION BY account ORDER BY m) AS was FROM loop) l GROUP BY m$$, 'what the refreshes told');
SELECT is((SELECT count(*) FROM revrtm.account_tier), (SELECT sum(assigned + promoted + demoted)::bigint FROM told), 'a row for each change');
SELECT is_empty('SELECT FROM revrtm.account_tier a JOIN revrtm.account_tier b USING (account_id) WHERE a.valid && b.valid AND a.valid <> b.valid', 'one tier at a time');
SELECT cmp_ok((SELECT count(*) FROM (SELECT tier, lag(tier) OVER w AS was, t.potential / 1000 AS score FROM loop l JOIN run r USING (m) JOIN revrtm.tam t ON t.account_id = l.account AND t.as_of = (r.at AT TIME ZONE 'UTC')::date WINDOW w AS (PARTITION BY account ORDER BY m)) x
    WHERE tier = was AND tier < 4 AND score < (ARRAY[0.8, 0.5, 0.3])[tier]), '>', 10::bigint, 'some were kept by the margin alone');
-- Merging accounts ends the tier of the one.
UPDATE pf.account SET merged_into = 'a2' WHERE account_id = 'a1';
SELECT is((SELECT ended FROM revrtm.refresh_account_tiers('2027-01-01Z')), 1::bigint, 'a merged account');

DELETE FROM alias; INSERT INTO alias WITH RECURSIVE step AS (
    SELECT account_id, account_id AS at, merged_into FROM pf.account
    UNION ALL SELECT s.account_id, a.account_id, a.merged_into FROM step s JOIN pf.account a ON a.account_id = s.merged_into
) SELECT account_id, at FROM step WHERE merged_into IS NULL;

-- Overlap with a list of 120 entries, by domain or by name and country, each account once.
INSERT INTO revrtm.partner_account (partner_id, entry_id, population, account_name, domain, country, value)
SELECT 'P1', e::text, (ARRAY['customer', 'open_opportunity', 'prospect'])[1 + e % 3], 'THE FIRM ' || e, CASE WHEN e % 2 = 0 THEN 'www.firm' || e || '.com' END, (ARRAY['de', 'us'])[1 + e % 2], e FROM generate_series(1, 120) e;
CREATE TEMP TABLE matched AS
SELECT e.e, m.canonical, 1 + e.e % 3 AS theirs FROM generate_series(1, 120) e (e) CROSS JOIN LATERAL (
    SELECT pg_temp.who(a.account_id) AS canonical FROM (SELECT a.account_id, a.domain, a.deleted, a.merged_into, substring(a.account_name, '\d+')::int AS firm, a.country FROM pf.account a) a
    WHERE (NOT a.deleted OR a.merged_into IS NOT NULL) AND (e.e % 2 = 0 AND a.domain = 'firm' || e.e || '.com' OR a.firm = e.e AND a.country = (ARRAY['DE', 'US'])[1 + e.e % 2])
    ORDER BY (e.e % 2 = 0 AND a.domain = 'firm' || e.e || '.com') IS NOT TRUE, (a.firm = e.e AND a.country = (ARRAY['DE', 'US'])[1 + e.e % 2]) DESC, pg_temp.who(a.account_id) COLLATE "C" LIMIT 1) m;
SELECT set_eq($$SELECT entry_id::int, account_id FROM revrtm.partner_account_match('P1')$$, 'SELECT e, canonical FROM matched', 'matches, one entry at a time');
SELECT set_eq($$SELECT ours, theirs, accounts, partner_value FROM revrtm.overlap_matrix('P1')$$,
    $$SELECT o.name AS o, t.name AS t, count(x.canonical), coalesce(sum(x.value), 0)::numeric(20, 4) FROM (VALUES (1, 'customer'), (2, 'open_opportunity'), (3, 'prospect')) o (n, name) CROSS JOIN (VALUES (1, 'customer'), (2, 'open_opportunity'), (3, 'prospect')) t (n, name)
      LEFT JOIN (SELECT canonical, min(theirs) AS theirs, sum(e) AS value, CASE WHEN EXISTS (SELECT FROM pf.deal d WHERE pg_temp.who(d.account) = canonical AND d.won) THEN 1 WHEN EXISTS (SELECT FROM pf.deal d WHERE pg_temp.who(d.account) = canonical AND d.won IS NULL) THEN 2 ELSE 3 END AS ours
                 FROM matched GROUP BY canonical) x ON x.ours = o.n AND x.theirs = t.n GROUP BY 1, 2$$, 'the matrix');
SELECT is((SELECT sum(accounts)::bigint FROM revrtm.overlap_matrix('P1')), (SELECT count(DISTINCT canonical) FROM matched), 'each account is in one cell');

-- Owners at random instants, after handoffs of every account at random times.
INSERT INTO revrtm.territory SELECT 't' || t FROM generate_series(0, 4) t;
INSERT INTO revrtm.territory_assignment (territory_id, member_id, valid) SELECT 't' || t, 'm' || t || '.' || m, tstzrange(timestamptz '2025-01-01Z' + m * 100 * interval '1 day', timestamptz '2025-01-01Z' + (m * 100 + 80 + t * 5) * interval '1 day') FROM generate_series(0, 4) t, generate_series(0, 8) m;
INSERT INTO revrtm.territory_account (account_id, territory_id) SELECT DISTINCT canonical, 't0' FROM alias WHERE canonical ~ '[1-6]$';
UPDATE revrtm.holdover_policy SET exempt = '[{"field": "amount", "op": ">", "value": 8000}]', eligible = '[{"field": "amount", "op": ">", "value": 3000}]', max_deals = NULL, days = 45;
CREATE TEMP TABLE move AS SELECT account_id AS account, timestamptz '2025-09-01 12:00Z' + pg_temp.draw(account_id || 'move', 250) * interval '1 day' AS at, 't' || 1 + pg_temp.draw(account_id || 'to', 4) AS target FROM revrtm.territory_account;
CREATE TEMP TABLE handed AS SELECT m.account, h.* FROM move m, LATERAL revrtm.handoff(m.account, 't0', m.target, m.at) h;
CREATE FUNCTION pg_temp.primary_of(territory text, ts timestamptz) RETURNS text LANGUAGE sql STABLE RETURN (SELECT member_id FROM revrtm.territory_assignment a WHERE a.territory_id = territory AND a.valid @> ts);
CREATE TEMP TABLE moment AS
SELECT d.id, timestamptz '2025-06-01 06:00Z' + pg_temp.draw(d.id || n || 'ask', 450) * interval '1 day' AS ts, d.amount, m.account, m.at, m.target, d.created <= m.at AND (d.won IS NULL OR (d.close + 1)::timestamp AT TIME ZONE 'UTC' > m.at) AS open_then
FROM pf.deal d LEFT JOIN move m ON m.account = pg_temp.who(d.account), generate_series(1, 3) n;
CREATE TEMP TABLE owner AS
SELECT m.*, coalesce(CASE WHEN m.account IS NULL THEN NULL WHEN ts < at THEN pg_temp.primary_of('t0', ts)
    WHEN open_then AND (amount > 8000 OR amount > 3000 AND ts < at + interval '1080 hours') THEN coalesce(pg_temp.primary_of('t0', at - interval '1 microsecond'), 'u9') ELSE pg_temp.primary_of(target, ts) END, 'u9') AS owner FROM moment m;
SELECT is_empty('SELECT o.*, revrtm.owner_at(id, ts) FROM owner o WHERE revrtm.owner_at(id, ts) IS DISTINCT FROM owner', 'owners of deals at random instants');
SELECT set_eq('SELECT opportunity_id, verdict FROM handed', $$SELECT DISTINCT id, CASE WHEN amount > 8000 THEN 'exempt' WHEN amount > 3000 THEN 'eligible' ELSE 'transfer' END FROM owner WHERE account IS NOT NULL AND open_then$$, 'verdicts');
SELECT set_eq('SELECT opportunity_id, owner_id FROM revrtm.deal_owner', 'SELECT id, revrtm.owner_at(id) FROM pf.deal', 'the view agrees with the function');
SELECT * FROM finish();
ROLLBACK;
