-- What partners are in a deal, and what they earn of it: every rule and edge.
\set SHOW_CONTEXT never
SET TimeZone = 'America/New_York';
SET client_min_messages = warning;
SET jit = off;
\pset null '-'

-- Every deal is of an account of its own, was created on 2026-04-01 12:00 UTC
-- and ended on 2026-06-01; instants of its evidence are told from the creation.
CREATE SCHEMA pr;
CREATE TABLE pr.deal (id text PRIMARY KEY, product text DEFAULT 'audit', partner text,
    created timestamptz DEFAULT '2026-04-01 12:00Z', ended timestamptz DEFAULT '2026-06-01 12:00Z',
    amount numeric DEFAULT 100, currency text);
CREATE TABLE pr.touch (id text, deal text, account text, contact text, partner text, channel text DEFAULT 'x', at interval,
    verified boolean DEFAULT true, responded boolean, deleted boolean);
CREATE TABLE pr.role (deal text, partner text, role text, since interval);
CREATE FUNCTION pr.at(at interval) RETURNS timestamptz LANGUAGE sql STABLE
RETURN timestamptz '2026-04-01 12:00Z' + extract(epoch FROM at) * interval '1 second';

SELECT revrtm.bind('opportunity', $$SELECT id AS opportunity_id, 'a' || id AS account_id, amount, ended IS NOT NULL AS is_closed,
    ended IS NOT NULL AS is_won, created AS created_at, NULL::date AS close_date, ended AS closed_at, product, partner AS partner_id,
    currency FROM pr.deal$$) IS NOT NULL AS bound;
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, pr.at(at) AS touched_at, channel, deal AS opportunity_id, account AS account_id,
    contact AS contact_id, partner AS partner_id, verified, responded, deleted FROM pr.touch$$) IS NOT NULL AS bound;
SELECT revrtm.bind('contact', $$SELECT 'c1'::text AS contact_id, 'a29'::text AS account_id, false AS deleted
    UNION ALL SELECT 'c2', 'a30', true$$) IS NOT NULL AS bound;
SELECT revrtm.bind('opportunity_partner', $$SELECT deal AS opportunity_id, partner AS partner_id, role, pr.at(since) AS since
    FROM pr.role$$) IS NOT NULL AS bound;
SELECT revrtm.bind('account', $$SELECT 'a35 old'::text AS account_id, NULL::text AS account_name, 'a35'::text AS merged_into$$) IS NOT NULL AS bound;
INSERT INTO revrtm.channel_map VALUES ('joint', 'co_sell', 'program');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('security', 'ANY'), ('platform', 'ANY'), ('audit', 'security');

CREATE FUNCTION pr.register(deal text, partner text, submitted interval, protection daterange, status text DEFAULT 'approved',
    product text DEFAULT 'security') RETURNS void LANGUAGE sql AS $$
    INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, protection, status, exclusive,
                                          submitted_at, decided_at)
    VALUES ('a' || deal, partner, ARRAY[product], '{ANY}', protection, status, false, pr.at(submitted), pr.at(submitted))
$$;

INSERT INTO pr.deal (id) SELECT lpad(n::text, 2, '0') FROM generate_series(1, 35) n;
UPDATE pr.deal SET ended = NULL WHERE id = '21';
UPDATE pr.deal SET created = NULL WHERE id = '22';
UPDATE pr.deal SET ended = '2026-03-01 12:00Z' WHERE id = '23';
UPDATE pr.deal SET product = NULL WHERE id = '25';
UPDATE pr.deal SET product = 'gone' WHERE id IN ('26', '27');
UPDATE pr.deal SET partner = 'P3' WHERE id = '31';
INSERT INTO pr.touch (id, deal, account, partner, channel, at) VALUES
    -- 02 a lead; 03 and 04 a touch of ours 60 days before it, or a second more; 05 and 06 a lead 90 days before, or a second more.
    ('02', NULL, 'a02', 'P1', 'x', '-10 days'),
    ('03', NULL, 'a03', 'P1', 'x', '-10 days'), ('03d', NULL, 'a03', NULL, 'x', '-70 days'),
    ('04', NULL, 'a04', 'P1', 'x', '-10 days'), ('04d', NULL, 'a04', NULL, 'x', '-70 days -1 second'), ('04e', NULL, 'a04', NULL, 'x', '-10 days'),
    ('05', NULL, 'a05', 'P1', 'x', '-90 days'),
    ('06', NULL, 'a06', 'P1', 'x', '-90 days -1 second'),
    -- 07 and 08 at the creation, without and with a registration.
    ('07', '07', NULL, 'P1', 'x', '0'),
    ('08', '08', NULL, 'P1', 'x', '0'),
    -- 12 one was earlier, the other is protected; 13 two leads.
    ('12', NULL, 'a12', 'P2', 'x', '-30 days'), ('12b', '12', NULL, 'P2', 'x', '5 days'),
    ('13', NULL, 'a13', 'P1', 'x', '-5 days'), ('13b', NULL, 'a13', 'P2', 'x', '-6 days'), ('13c', '13', NULL, 'P1', 'joint', '5 days'),
    -- 14 a joint touch, 15 a joint role and a touch, 16 the role alone, 17 of two partners.
    ('14', '14', NULL, 'P1', 'joint', '9 days'), ('14b', '14', NULL, 'P2', 'x', '2 days'),
    ('15', '15', NULL, 'P1', 'x', '9 days'),
    ('17', '17', NULL, 'P2', 'x', '9 days'),
    -- 18 not verified, 19 at the end, 20 just before it, 21 an open deal.
    ('19', '19', NULL, 'P1', 'x', '61 days'),
    ('20', '20', NULL, 'P1', 'x', '61 days -1 second'),
    ('21', '21', NULL, 'P1', 'x', '99 days'),
    ('22', NULL, 'a22', 'P1', 'x', '-5 days'), ('23', NULL, 'a23', 'P1', 'x', '-5 days'),
    -- 31 and 33 several partners.
    ('31', '31', NULL, 'P1', 'x', '5 days'), ('31b', NULL, 'a31', 'P2', 'x', '-5 days'),
    ('33', '33', NULL, 'P1', 'x', '5 days'), ('33b', '33', NULL, 'P2', 'x', '6 days'), ('33c', '33', NULL, 'P3', 'x', '7 days');
INSERT INTO pr.touch (id, deal, partner, at, verified) VALUES ('18', '18', 'P1', '5 days', false), ('18b', '18', 'P2', '-5 days', NULL);
INSERT INTO pr.touch (id, contact, partner, at, responded, deleted) VALUES ('29', 'c1', 'P1', '-5 days', NULL, NULL),
    ('30', 'c2', 'P1', '-5 days', NULL, NULL), ('30b', 'c1', 'P2', '-5 days', false, NULL), ('30c', 'c1', 'P3', '-5 days', NULL, true);
INSERT INTO pr.role VALUES ('15', 'P1', ' CO-SELL', '0'), ('16', 'P1', 'Co-Sell', '3 days'), ('17', 'P1', 'Co-Sell', NULL),
    ('31', 'P1', 'Reseller', '1 day'), ('31', 'P1', 'System Integrator', '1 day'), ('31', 'P4', 'Consultant', '99 days'),
    ('32', 'P1', 'Whatever', '1 day'), ('32', 'P2', NULL, '1 day');
-- 08 to 12: active at the creation; expired but of the last 90 days; older; active and older; active. 34 at the creation.
SELECT pr.register(d, p, s, g::daterange) FROM (VALUES
    ('08', 'P1', interval '-20 days', '[2026-03-20,2026-06-20)'), ('09', 'P1', '-80 days', '[2026-01-11,2026-04-01)'),
    ('10', 'P1', '-91 days', '[2026-01-01,2026-04-01)'), ('11', 'P1', '-200 days', '[2025-10-01,2026-04-02)'),
    ('12', 'P1', '-3 days', '[2026-03-29,2026-06-20)'), ('27', 'P1', '0', '[2026-04-01,2026-06-20)'),
    ('28', 'P1', '1 second', '[2026-04-01,2026-06-20)'), ('34', 'P1', '0', '[2026-04-01,2026-06-20)'), ('25', 'P2', '-5 days', '[2026-04-01,2026-06-20)')) v (d, p, s, g);
-- 24 of another product, 25 a deal without one (above), 26 and 27 one that the tree has not; 28 after the creation, and rejected.
SELECT pr.register('24', 'P1', '-5 days', '[2026-03-29,2026-06-20)', product => 'platform'),
    pr.register('26', 'P1', '-5 days', '[2026-03-29,2026-06-20)', product => 'ANY'),
    pr.register('28', 'P2', '-5 days', '[2026-03-29,2026-06-20)', 'rejected');
-- 35 what names an account that was merged.
SELECT pr.register('35 old', 'P1', '-5 days', '[2026-03-29,2026-06-20)');
INSERT INTO pr.touch (id, account, partner, at) VALUES ('35', 'a35 old', 'P2', '5 days');
SELECT mode, inserted FROM revrtm.refresh_journeys();

SELECT opportunity_id AS deal, role, partner_id AS partner, rule, CASE WHEN evidence NOT LIKE 'registration:%' THEN evidence END AS evidence,
       evidence_at - pr.at('0') AS after, is_sourced AS s, is_co_sell AS c, is_influenced AS i, partners AS n, note
FROM revrtm.partner_role ORDER BY 1;
SELECT opportunity_id AS deal, partner_id AS partner, kind, CASE WHEN kind <> 'registration' THEN evidence_id END AS id, at - pr.at('0') AS after,
       label, is_active AS active, at - direct_at AS since_direct, pool, verdict, counts
FROM revrtm.partner_evidence ORDER BY 1, ordinal;
SELECT opportunity_id AS deal, place, partner_id AS partner, role, regexp_replace(evidence, '[0-9a-f-]{36}', 'its id') AS evidence, is_sourced AS s, is_co_sell AS c, is_influenced AS i,
       is_implementer AS im, is_closer AS cl, touches
FROM revrtm.partner_involvement WHERE opportunity_id IN ('12', '13', '14', '17', '31', '32') ORDER BY 1, 2;

-- The terms are a row: without the condition on our own touches, and a longer lookback.
BEGIN;
UPDATE revrtm.partner_role_rule SET lookback = 91, direct_lookback = 0;
SELECT opportunity_id, role FROM revrtm.partner_role WHERE opportunity_id IN ('03', '06', '10') ORDER BY 1;
DELETE FROM revrtm.partner_role_rule;
SELECT role, note, count(*) FROM revrtm.partner_role GROUP BY role, note;
ROLLBACK;
UPDATE revrtm.partner_role_rule SET lookback = -1;
INSERT INTO revrtm.partner_role_map VALUES ('Big', 'closer');
INSERT INTO revrtm.partner_role_map VALUES ('big', 'sourcer');

-- Where the CRM tells of no verification, every touch counts, and the note says so.
BEGIN;
SELECT revrtm.bind('touch', $$SELECT id AS touch_id, pr.at(at) AS touched_at, channel, deal AS opportunity_id, account AS account_id,
    contact AS contact_id, partner AS partner_id FROM pr.touch$$) IS NOT NULL AS bound;
SELECT opportunity_id, role, partner_id, note FROM revrtm.partner_role WHERE opportunity_id IN ('01', '09', '18') ORDER BY 1;
ROLLBACK;

-- Who is not staff sees no registrations, and is told.
CREATE ROLE pr_analyst;
SELECT revrtm.grant_reader('pr_analyst');
GRANT USAGE ON SCHEMA pr TO pr_analyst;
BEGIN;
SET LOCAL ROLE pr_analyst;
SELECT opportunity_id, role, note FROM revrtm.partner_role WHERE opportunity_id IN ('01', '08', '09', '12') ORDER BY 1;
ROLLBACK;

-- Shares agreed by hand sum to 1 when the transaction ends.
BEGIN;
INSERT INTO revrtm.partner_split VALUES ('a33', '33', 'P1', 0.5);
INSERT INTO revrtm.partner_split VALUES ('a33', '33', 'P2', 0.3), ('a33', '33', 'P5', 0.2);
COMMIT;
DO $$
DECLARE
    name text;
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    INSERT INTO revrtm.partner_split VALUES ('a14', '14', 'P1', 0.5);
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    RAISE WARNING '%: %', name, SQLERRM;
END
$$;
UPDATE revrtm.partner_split SET share = 0.6 WHERE partner_id = 'P1';
DELETE FROM revrtm.partner_split WHERE partner_id = 'P5';
UPDATE revrtm.partner_split SET opportunity_id = '32' WHERE partner_id = 'P5';
INSERT INTO revrtm.partner_split VALUES ('a14', '14', 'P1', 0);
INSERT INTO revrtm.partner_split VALUES ('a14', '14', 'P1', 'NaN');
INSERT INTO revrtm.partner_split VALUES ('a14', '14', 'P1', 0.0000000001);
INSERT INTO revrtm.partner_split VALUES (NULL, '14', 'P1', 1);
SELECT partner_id, share FROM revrtm.partner_split ORDER BY 1;

-- What each partner earns. 01 has none, 31 partners in several pools, 33 three of one; a refund mirrors.
UPDATE pr.deal SET amount = -100 WHERE id = '33';
UPDATE pr.deal SET amount = 1001, currency = 'JPY' WHERE id = '13';
UPDATE pr.deal SET amount = NULL WHERE id = '14';
SELECT mode, updated FROM revrtm.refresh_journeys();
SELECT opportunity_id AS deal, model, class, partner_id, pool, round(weight::numeric, 6) AS weight, amount, deal_amount, is_split, note
FROM revrtm.partner_attribution WHERE opportunity_id IN ('01', '13', '14', '16', '31', '33')
ORDER BY opportunity_id, model, class, partner_id COLLATE "C";
SELECT model, class, deals, bookings, credited, difference, deal_difference FROM revrtm.partner_attribution_check
WHERE period = '2026-06-01' ORDER BY model, class;
SELECT count(*) FROM revrtm.partner_attribution_check WHERE difference <> 0 OR deal_difference <> 0;

-- Models of one's own.
BEGIN;
INSERT INTO revrtm.partner_model (model, kind, parameters) VALUES
    ('implementers', 'role_weighted', '{"implementer": 1.0}'), ('two', 'dual', '{"sourcer": 0.5, "closer": 0.5, "influencer": 0}');
UPDATE revrtm.partner_model SET enabled = false WHERE shipped;
UPDATE revrtm.partner_role_rule SET split_model = 'two';
SELECT opportunity_id AS deal, model, class, partner_id, pool, weight, amount, is_split
FROM revrtm.partner_attribution WHERE opportunity_id IN ('13', '14', '31') ORDER BY opportunity_id, model, class, partner_id COLLATE "C";
ROLLBACK;
INSERT INTO revrtm.partner_model VALUES ('bad', 'best');
INSERT INTO revrtm.partner_model VALUES ('bad', 'equal', '{"closer": 1}');
INSERT INTO revrtm.partner_model VALUES ('bad', 'role_weighted');
INSERT INTO revrtm.partner_model VALUES ('bad', 'role_weighted', '[]');
INSERT INTO revrtm.partner_model VALUES ('bad', 'role_weighted', '{"closer": 0.5, "opener": 0.5}');
INSERT INTO revrtm.partner_model VALUES ('bad', 'role_weighted', '{"closer": 0.5, "fulfiller": 0.5}');
INSERT INTO revrtm.partner_model VALUES ('bad', 'role_weighted', '{"closer": 0.5, "influencer": "0.5"}');
INSERT INTO revrtm.partner_model VALUES ('bad', 'role_weighted', '{"closer": 1.5, "influencer": -0.5}');
INSERT INTO revrtm.partner_model VALUES ('bad', 'dual', '{"closer": 0.5, "influencer": 0.4}');
INSERT INTO revrtm.partner_model VALUES ('bad', 'dual', '{"closer": 0.9999999, "influencer": 0.0000001}');

-- Everything as it was.
DELETE FROM revrtm.partner_split;
DELETE FROM revrtm.deal_registration;
SELECT count(revrtm.unbind(r)) FROM unnest('{account,opportunity,touch,contact,opportunity_partner}'::text[]) r;
SELECT deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.channel_map;
DELETE FROM revrtm.product WHERE product_id = 'audit';
DELETE FROM revrtm.product WHERE product_id <> 'ANY';
DROP OWNED BY pr_analyst;
DROP ROLE pr_analyst;
DROP SCHEMA pr CASCADE;
