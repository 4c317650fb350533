-- Data of the attribution benchmark: :deals deals of which a quarter is won,
-- with 1 to 60 touches each (lognormal, about ten and a half), 20 channels,
-- stored in order of time as a CRM lands them. The same every time.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION revrtm CASCADE;

CREATE TABLE deal AS
SELECT d::bigint AS deal_id, 1 + floor(revrtm.demo_random(7, 'account', d) * (:deals / 3))::bigint AS account_id,
       timestamptz '2024-01-01 00:00:00+00'
           + floor(revrtm.demo_random(7, 'closed', d) * 730 * 86400e6) * interval '1 microsecond' AS closed_at,
       exp(9.5 + sqrt(-2 * ln(1 - revrtm.demo_random(7, 'size', d)))
                 * cos(2 * pi() * revrtm.demo_random(7, 'turn', d)))::numeric(14, 2) AS amount,
       revrtm.demo_random(7, 'won', d) < 0.25 AS won,
       (ARRAY['direct', 'partner_sourced', 'co_sell', 'marketplace'])[1 + floor(revrtm.demo_random(7, 'route', d) * 4)::int] AS route
FROM generate_series(1, :deals) d;

CREATE TABLE touch AS
SELECT t.deal_id, t.touched_at,
       'channel_' || 1 + floor(20 * revrtm.demo_random(7, 'channel', t.n) * revrtm.demo_random(7, 'skew', t.n))::int AS channel,
       t.route, floor(exp(2 + revrtm.demo_random(7, 'cost', t.n)) * 100)::numeric(10, 2) / 100 AS cost
FROM (SELECT d.deal_id, d.route, d.deal_id * 64 + k AS n,
             d.closed_at - floor(86400e6 * CASE
                 WHEN revrtm.demo_random(7, 'late', d.deal_id * 64 + k) < 0.05
                 THEN -20 * revrtm.demo_random(7, 'days', d.deal_id * 64 + k)
                 ELSE least(200, -30 * ln(1 - revrtm.demo_random(7, 'days', d.deal_id * 64 + k))) END)
                 * interval '1 microsecond' AS touched_at
      FROM deal d,
           generate_series(1, least(60, greatest(1, round(
               6.6 * exp(sqrt(-2 * ln(1 - revrtm.demo_random(7, 'touches', d.deal_id)))
                         * cos(2 * pi() * revrtm.demo_random(7, 'phase', d.deal_id))))))::int) k) t
ORDER BY t.touched_at;

ALTER TABLE deal ADD PRIMARY KEY (deal_id);
VACUUM (FREEZE, ANALYZE) deal;
VACUUM (FREEZE, ANALYZE) touch;

SELECT FROM revrtm.bind('opportunity', $$
    SELECT deal_id::text AS opportunity_id, account_id::text AS account_id, amount, true AS is_closed,
           won AS is_won, closed_at - interval '60 days' AS created_at,
           (closed_at AT TIME ZONE 'UTC')::date AS close_date, closed_at, route AS route_id
    FROM public.deal $$) \g /dev/null
SELECT FROM revrtm.bind('touch', $$
    SELECT deal_id::text || ':' || touched_at::text AS touch_id, touched_at, channel,
           deal_id::text AS opportunity_id
    FROM public.touch $$) \g /dev/null
\timing on
SELECT inserted AS "deals packed" FROM revrtm.refresh_journeys();
\timing off
VACUUM (FREEZE, ANALYZE) revrtm.deal_journey;
