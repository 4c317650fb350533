-- The scorecard of twelve months at 1,000,000 deals and 10,000,000 touches,
-- against one plain GROUP BY scan of the deals. Run: psql -X -f bench/kpi.sql
\set ON_ERROR_STOP 1
\timing off
\if :{?deals}
\else
\set deals 1000000
\endif
SET client_min_messages = warning;
SET work_mem = '64MB';
SET TimeZone = 'UTC';
SET revrtm.as_of = '2026-06-30';
CREATE SCHEMA bench;
SELECT setseed(0.5) \g /dev/null
-- Thirty months of deals; half of them closed, a fifth of those won.
CREATE TABLE bench.opportunity AS
SELECT 'O' || lpad(i::text, 9, '0') AS opportunity_id, 'A' || lpad((1 + i % (:deals / 5))::text, 9, '0') AS account_id,
       round((1000 * exp(2 * random()))::numeric, 2) AS amount, s.age >= s.days AND i % 5 <> 4 AS is_closed, s.age >= s.days AND i % 5 = 0 AS is_won,
       timestamptz '2026-06-30' - s.age * interval '1 day' AS created_at, (date '2026-06-30' - s.age + s.days)::date AS close_date,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[1 + floor(5 * random())::int] AS route_id,
       (ARRAY['enterprise', 'mid', 'smb'])[1 + floor(3 * random())::int] AS segment,
       (ARRAY['emea', 'na', 'apac', 'latam'])[1 + floor(4 * random())::int] AS region,
       'P' || 1 + floor(6 * random())::int AS product, round((200 * exp(2 * random()))::numeric, 2) AS margin
FROM generate_series(1, :deals) i, LATERAL (SELECT floor(910 * random() + 0 * i)::int AS age, 1 + floor(150 * random() * random() + 0 * i)::int AS days) s;
-- Ten touches a deal: what the store packs, and what nothing of this reads.
CREATE TABLE bench.spend AS
SELECT 'S' || i AS spend_id, (date '2024-01-01' + (i % 910))::date AS period,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace'])[1 + i % 5] AS route_id, 'program'::text AS category, (1000 + i % 977)::numeric AS amount
FROM generate_series(1, 20000) i;
CREATE TABLE bench.revenue_event AS
SELECT 'E' || i || ':' || k AS event_id, 'A' || lpad(i::text, 9, '0') AS account_id, (date '2024-01-01' + (i * 7 + k * 211) % 910)::date AS at, 'change'::text AS kind,
       CASE k WHEN 0 THEN 1000 WHEN 1 THEN 200 ELSE -300 END::numeric AS amount
FROM generate_series(1, :deals / 20) i, generate_series(0, 2) k;
SELECT revrtm.bind('opportunity', 'SELECT * FROM bench.opportunity'), revrtm.bind('spend', 'SELECT * FROM bench.spend'),
       revrtm.bind('revenue_event', 'SELECT * FROM bench.revenue_event') \g /dev/null
\if :{?touches}
CREATE TABLE bench.touch AS
SELECT 'T' || o.opportunity_id || k AS touch_id, o.created_at + k * interval '1 hour' AS touched_at,
       (ARRAY['webinar', 'email', 'event', 'partner', 'search'])[1 + (hashtext(o.opportunity_id) & 1023 + k) % 5] AS channel, o.opportunity_id
FROM bench.opportunity o, generate_series(1, 10) k;
SELECT revrtm.bind('touch', 'SELECT * FROM bench.touch') \g /dev/null
\endif
SELECT mode, inserted FROM revrtm.refresh_journeys();
INSERT INTO revrtm.deal_mark (account_id, opportunity_id, role)
SELECT account_id, opportunity_id, (ARRAY['sourced', 'co_sell', 'influenced'])[1 + (hashtext(opportunity_id) & 1023) % 3]
FROM revrtm.deal_journey WHERE route_id <> 'direct' AND hashtext(opportunity_id) % 3 = 0;
INSERT INTO revrtm.mark_refresh (refreshed_at) VALUES (now() + interval '1 hour');
VACUUM (FREEZE, ANALYZE) revrtm.deal_journey, revrtm.deal_mark, bench.spend, bench.revenue_event, bench.opportunity;
