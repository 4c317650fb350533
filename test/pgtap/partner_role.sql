-- Partners' roles and credit over random deals, against their definitions in
-- plain SQL, one deal and one partner at a time.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;
SET LOCAL client_min_messages = warning;
SELECT plan(13);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
-- Whole days, so that instants meet and lie on the edges of the terms.
CREATE FUNCTION pg_temp.day(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN timestamptz '2026-01-01 12:00Z' + n * interval '24 hours';
CREATE SCHEMA pr;
CREATE TABLE pr.deal AS
SELECT 'd' || d AS id, 'a' || pg_temp.draw(d || 'account', 150) AS account, pg_temp.day(pg_temp.draw(d || 'created', 200)) AS created,
       CASE WHEN d % 9 > 0 THEN pg_temp.day(pg_temp.draw(d || 'created', 200) - 3 + pg_temp.draw(d || 'days', 60)) END AS ended,
       (ARRAY['audit', 'core', 'gone', NULL])[1 + pg_temp.draw(d || 'product', 4)] AS product,
       CASE d % 11 WHEN 0 THEN NULL WHEN 1 THEN -1 ELSE 1 END * pg_temp.draw(d || 'amount', 100000) / 100.0 AS amount,
       CASE WHEN d % 7 = 0 THEN 'P' || pg_temp.draw(d || 'own', 5) END AS partner
FROM generate_series(1, 300) d;
CREATE TABLE pr.touch AS
SELECT 't' || t AS id, CASE WHEN t % 3 = 0 THEN 'd' || 1 + pg_temp.draw(t || 'deal', 300) END AS deal, 'a' || pg_temp.draw(t || 'account', 150) AS account,
       CASE WHEN t % 4 > 0 THEN 'P' || pg_temp.draw(t || 'partner', 5) END AS partner, (ARRAY['x', 'y', 'joint'])[1 + pg_temp.draw(t || 'channel', 3)] AS channel,
       pg_temp.day(pg_temp.draw(t || 'at', 260) - 40) AS at, pg_temp.draw(t || 'verified', 5) > 0 AS verified
FROM generate_series(1, 1500) t;
CREATE TABLE pr.role AS
SELECT DISTINCT 'd' || 1 + pg_temp.draw(r || 'deal', 300) AS deal, 'P' || pg_temp.draw(r || 'partner', 5) AS partner,
       (ARRAY['Co-Sell', 'Reseller', 'Consultant', 'Other'])[1 + pg_temp.draw(r || 'role', 4)] AS role
FROM generate_series(1, 200) r;
SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, account AS account_id, amount, ended IS NOT NULL AS is_closed,
    ended IS NOT NULL AS is_won, created AS created_at, NULL::date AS close_date, ended AS closed_at, product, partner AS partner_id FROM pr.deal$$);
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id, account AS account_id,
    partner AS partner_id, verified FROM pr.touch$$);
SELECT revrtm.bind('opportunity_partner', 'SELECT deal AS opportunity_id, partner AS partner_id, role FROM pr.role');
INSERT INTO revrtm.channel_map VALUES ('joint', 'co_sell', 'program');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('security', 'ANY'), ('platform', 'ANY'), ('audit', 'security'), ('core', 'platform');
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, protection, status, exclusive, submitted_at, decided_at)
SELECT 'a' || pg_temp.draw(r || 'account', 150), 'P' || pg_temp.draw(r || 'partner', 5), ARRAY[(ARRAY['ANY', 'security', 'core'])[1 + pg_temp.draw(r || 'product', 3)]], '{ANY}',
       daterange(x.day::date, x.day::date + 1 + pg_temp.draw(r || 'days', 120)::int), (ARRAY['approved', 'approved', 'expired', 'rejected'])[1 + r % 4], false, x.day, x.day
FROM generate_series(1, 150) r, LATERAL (SELECT pg_temp.day(pg_temp.draw(r || 'at', 220) - 20) AS day) x;
SELECT mode FROM revrtm.refresh_journeys();
UPDATE revrtm.partner_role_rule SET lookback = 40, direct_lookback = 15;

-- The definitions.
CREATE TEMP TABLE mine AS SELECT d.id AS deal, t.id, t.partner, t.channel, t.at, t.verified, d.created, d.ended
FROM pr.deal d, pr.touch t WHERE t.deal = d.id OR t.deal IS NULL AND t.account = d.account;
CREATE TEMP TABLE registered AS
SELECT d.id AS deal, r.partner_id AS partner, r.submitted_at AS at, d.created, r.protection @> (d.created AT TIME ZONE 'UTC')::date AS active
FROM pr.deal d JOIN revrtm.deal_registration r ON r.account_id = d.account
WHERE r.status IN ('approved', 'expired') AND r.submitted_at <= d.created AND (d.ended IS NULL OR r.submitted_at < d.ended)
  AND CASE WHEN d.product IS NULL OR r.product_codes = '{ANY}' THEN true WHEN d.product = 'audit' THEN r.product_codes = '{security}'
           WHEN d.product = 'core' THEN r.product_codes = '{core}' ELSE false END;
CREATE TEMP TABLE claim AS
SELECT c.* FROM (
    SELECT deal, partner, at, active FROM registered WHERE active OR created - at <= interval '40 days'
    UNION ALL
    SELECT deal, partner, at, false FROM mine m WHERE partner IS NOT NULL AND verified AND at < created AND created - at <= interval '40 days' AND (ended IS NULL OR at < ended)) c
WHERE NOT EXISTS (SELECT FROM mine t WHERE t.deal = c.deal AND t.partner IS NULL AND t.at < c.at AND c.at - t.at <= interval '15 days' AND t.at < t.created AND (t.ended IS NULL OR t.at < t.ended))
  AND (c.active OR NOT EXISTS (SELECT FROM registered r WHERE r.deal = c.deal AND r.active));
CREATE TEMP TABLE during AS SELECT * FROM mine WHERE partner IS NOT NULL AND verified AND at >= created AND (ended IS NULL OR at < ended);
CREATE TEMP TABLE expected AS
SELECT d.id AS deal, 'P' || p AS partner,
       (SELECT min(at) FROM claim c WHERE c.deal = d.id AND c.partner = 'P' || p) AS sourced,
       coalesce((SELECT min(at) FROM during t WHERE t.deal = d.id AND t.partner = 'P' || p AND t.channel = 'joint'),
                (SELECT min(at) FROM during t WHERE t.deal = d.id AND t.partner = 'P' || p
                 AND EXISTS (SELECT FROM pr.role r WHERE r.deal = d.id AND r.partner = 'P' || p AND r.role = 'Co-Sell'))) AS joint,
       (SELECT min(at) FROM during t WHERE t.deal = d.id AND t.partner = 'P' || p) AS touched
FROM pr.deal d, generate_series(0, 4) p;
CREATE TEMP TABLE got AS SELECT * FROM revrtm.partner_role;

SELECT cmp_ok((SELECT count(DISTINCT (role, rule)) FROM got), '=', 6::bigint, 'every rule decides somewhere');
SELECT cmp_ok((SELECT min(n) FROM (SELECT count(*) AS n FROM got GROUP BY role) g), '>', 10::bigint, 'often enough');
SELECT is_empty($$
    SELECT deal, role, partner, at FROM (
        SELECT DISTINCT ON (deal) deal, CASE WHEN sourced IS NOT NULL THEN 'sourced' WHEN joint IS NOT NULL THEN 'co_sell' WHEN touched IS NOT NULL THEN 'influenced' ELSE 'none' END AS role,
               CASE WHEN coalesce(sourced, joint, touched) IS NOT NULL THEN partner END AS partner, coalesce(sourced, joint, touched) AS at
        FROM expected ORDER BY deal, sourced IS NULL, CASE WHEN sourced IS NULL THEN joint IS NULL END, coalesce(sourced, joint, touched),
             (SELECT min(e.at) FROM revrtm.partner_evidence e WHERE e.opportunity_id = deal AND e.partner_id = partner AND e.counts), partner) e
    EXCEPT SELECT opportunity_id, role, partner_id, evidence_at FROM got
$$, 'the role, its partner and when');
SELECT is_empty($$
    SELECT deal, bool_or(sourced IS NOT NULL), bool_or(joint IS NOT NULL), bool_or(touched IS NOT NULL) FROM expected GROUP BY deal
    EXCEPT SELECT opportunity_id, is_sourced, is_co_sell, is_influenced FROM got
$$, 'the flags of a deal');
SELECT is_empty($$
    SELECT deal, partner, sourced IS NOT NULL, joint IS NOT NULL, touched IS NOT NULL FROM expected WHERE coalesce(sourced, joint, touched) IS NOT NULL
    EXCEPT SELECT opportunity_id, partner_id, is_sourced, is_co_sell, is_influenced FROM revrtm.partner_involvement
$$, 'the flags of a partner');
SELECT is_empty($$
    SELECT g.opportunity_id FROM got g LEFT JOIN revrtm.partner_evidence e ON e.partner_evidence_key = g.opportunity_id || ':' || g.evidence
    WHERE g.role <> 'none' AND (e.partner_id IS DISTINCT FROM g.partner_id OR NOT e.counts)
$$, 'the row that decided is there');

-- Credit. Shares as fractions: equal, and by pools.
INSERT INTO revrtm.partner_split SELECT account, id, 'P1', 0.35 FROM pr.deal WHERE id LIKE '%5' UNION ALL SELECT account, id, 'P9', 0.65 FROM pr.deal WHERE id LIKE '%5';
CREATE TEMP TABLE credit AS SELECT * FROM revrtm.partner_attribution;
SELECT is_empty('SELECT model, class, opportunity_id FROM credit c JOIN pr.deal d ON d.id = c.opportunity_id GROUP BY model, class, opportunity_id, d.amount
                 HAVING sum(c.amount) IS DISTINCT FROM d.amount OR abs(sum(weight::numeric) - 1) > 1e-14', 'credit sums to the amount in every class');
SELECT is((SELECT count(DISTINCT (model, class, opportunity_id)) FROM credit), 7 * 300::bigint, 'every deal is in every class');
SELECT is_empty('SELECT * FROM revrtm.partner_attribution_check WHERE difference <> 0 OR deal_difference <> 0', 'and all of it with the bookings');
SELECT is_empty($$
    WITH pool AS (
        SELECT m.model, i.opportunity_id, i.partner_id, i.first_at, p.pool, p.share
        FROM revrtm.partner_involvement i CROSS JOIN (VALUES
            ('partner_equal', '{"a": 1}'::jsonb), ('partner_role_weighted', '{"s": 0.4, "c": 0.3, "m": 0.2, "i": 0.1}'), ('partner_fulfil_weighted', '{"s": 0.6, "f": 0.3, "i": 0.1}')) m (model, shares)
        CROSS JOIN LATERAL (
            SELECT k.key AS pool, k.value::numeric AS share FROM jsonb_each_text(m.shares) k
            WHERE CASE k.key WHEN 's' THEN i.is_sourced WHEN 'c' THEN i.is_closer WHEN 'm' THEN i.is_implementer WHEN 'f' THEN i.is_closer OR i.is_implementer ELSE true END
            ORDER BY k.value::numeric DESC LIMIT 1) p
    ), product AS (
        -- 60 is a multiple of every size of a pool there is: 1 to 6.
        SELECT p.*, d.amount, abs(d.amount) * 100 * w.w AS product, sum(w.w) OVER (PARTITION BY p.model, p.opportunity_id) AS sum
        FROM (SELECT p.*, count(*) OVER (PARTITION BY p.model, p.opportunity_id, p.pool) AS n FROM pool p) p
        JOIN pr.deal d ON d.id = p.opportunity_id CROSS JOIN LATERAL (SELECT p.share * div(60, p.n) AS w) w
    ), floors AS (
        SELECT p.*, row_number() OVER (PARTITION BY model, opportunity_id ORDER BY mod(product, sum) DESC, first_at, partner_id COLLATE "C") AS place,
               abs(amount) * 100 - sum(div(product, sum)) OVER (PARTITION BY model, opportunity_id) AS left_over
        FROM product p
    )
    SELECT model, opportunity_id, partner_id, sign(amount) * (div(product, sum) + (place <= left_over)::int) / 100 FROM floors WHERE amount IS NOT NULL
    EXCEPT SELECT model, opportunity_id, partner_id, amount FROM credit
$$, 'equal and role weighted credit by largest remainder');
SELECT is_empty($$
    SELECT g.opportunity_id, coalesce(g.partner_id, '(direct)'), d.amount FROM got g JOIN pr.deal d ON d.id = g.opportunity_id
    EXCEPT SELECT opportunity_id, partner_id, amount FROM credit WHERE model = 'partner_single'
$$, 'single credit is that of the role');
SELECT is_empty($$
    SELECT d.id, p.partner_id, p.amount FROM pr.deal d, revrtm.split_amount(d.amount, '{0.35,0.65}') s,
           LATERAL (VALUES ('P1', s[1]), ('P9', s[2])) p (partner_id, amount) WHERE d.id LIKE '%5'
    EXCEPT SELECT opportunity_id, partner_id, amount FROM credit WHERE model = 'partner_manual'
$$, 'manual credit is as agreed');

-- Rows in another order are the same answer.
CREATE TEMP TABLE moved AS SELECT * FROM pr.touch ORDER BY md5(id);
TRUNCATE pr.touch;
INSERT INTO pr.touch SELECT * FROM moved;
CREATE TEMP TABLE placed AS SELECT * FROM pr.role ORDER BY md5(deal || partner);
TRUNCATE pr.role;
INSERT INTO pr.role SELECT * FROM placed;
SELECT is_empty('(TABLE credit EXCEPT TABLE revrtm.partner_attribution) UNION ALL (TABLE revrtm.partner_attribution EXCEPT TABLE credit)', 'rows in another order are the same credit');
SELECT * FROM finish();
ROLLBACK;
