-- The refresh of the store of journeys: in full, after one deal in a hundred
-- changed with synced_at indexed, and verifying, of the touches and deals of
-- attribution.sql landed as a CRM's, with text ids. :deals of them, 100,000
-- where it is not said.
\if :{?deals}
\else
    \set deals 100000
\endif
\ir attribution.sql
SELECT FROM revrtm.unbind('touch') \g /dev/null
SELECT FROM revrtm.unbind('opportunity') \g /dev/null

CREATE TABLE crm_deal AS
SELECT deal_id::text AS id, account_id::text AS account, amount, won, closed_at, route,
       timestamptz '2026-01-01' + deal_id * interval '1 second' AS synced_at
FROM deal;
CREATE TABLE crm_touch AS
SELECT row_number() OVER ()::text AS id, deal_id::text AS deal, touched_at, channel,
       timestamptz '2026-01-01' + deal_id * interval '1 second' AS synced_at
FROM touch;
ALTER TABLE crm_deal ADD PRIMARY KEY (id);
CREATE INDEX ON crm_deal (account);
CREATE INDEX ON crm_deal (synced_at);
ALTER TABLE crm_touch ADD PRIMARY KEY (id);
CREATE INDEX ON crm_touch (deal);
CREATE INDEX ON crm_touch (synced_at);
DROP TABLE deal, touch;
VACUUM (FREEZE, ANALYZE) crm_deal;
VACUUM (FREEZE, ANALYZE) crm_touch;

SELECT FROM revrtm.bind('opportunity', $$
    SELECT id AS opportunity_id, account AS account_id, amount, true AS is_closed, won AS is_won,
           closed_at - interval '60 days' AS created_at, (closed_at AT TIME ZONE 'UTC')::date AS close_date,
           closed_at, route AS route_id, synced_at
    FROM public.crm_deal $$) \g /dev/null
SELECT FROM revrtm.bind('touch', $$
    SELECT id AS touch_id, touched_at, channel, deal AS opportunity_id, synced_at FROM public.crm_touch $$) \g /dev/null
SELECT FROM revrtm.bind('contact', $$
    SELECT NULL::text AS contact_id, NULL::text AS account_id, NULL::timestamptz AS synced_at WHERE false $$) \g /dev/null

SET work_mem = '64MB';
SET jit = off;
SET random_page_cost = 1.1;
CREATE TABLE refreshed (what text, ms float8);
CREATE FUNCTION timed(what text, verify boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz := clock_timestamp();
    run record;
BEGIN
    SELECT * INTO run FROM revrtm.refresh_journeys(verify);
    INSERT INTO refreshed VALUES (what, extract(epoch FROM clock_timestamp() - since) * 1000);
    RAISE NOTICE '%: %, % inserted, % updated, % deleted, % unchanged', what, run.mode, run.inserted, run.updated,
        run.deleted, run.unchanged;
END
$$;
-- One deal in a hundred, and a fifth of its touches, over a day.
CREATE PROCEDURE change(round integer) LANGUAGE sql AS $$
    UPDATE crm_touch SET synced_at = timestamptz '2026-06-01' + round * interval '1 day' - abs(hashtext(id)) % 86400 * interval '1 second',
                         touched_at = touched_at - interval '1 hour'
    WHERE deal::bigint % 100 = round AND hashtext(id) % 5 = 0;
    UPDATE crm_deal SET synced_at = timestamptz '2026-06-01' + round * interval '1 day' - abs(hashtext(id)) % 86400 * interval '1 second', amount = amount + 1
    WHERE id::bigint % 100 = round;
$$;
SET client_min_messages = notice;
TRUNCATE revrtm.deal_journey, revrtm.journey_refresh;
SELECT timed('full', false) \g /dev/null
VACUUM ANALYZE revrtm.deal_journey;
CALL change(1);
SELECT timed('incremental', false) \g /dev/null
CALL change(2);
SELECT timed('incremental', false) \g /dev/null
CALL change(3);
SELECT timed('incremental', false) \g /dev/null
SELECT timed('verify', true) \g /dev/null
TRUNCATE revrtm.deal_journey, revrtm.journey_refresh;
SELECT timed('full', false) \g /dev/null

SELECT what, count(*) AS runs, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median_ms,
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) /
              (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f.ms) FROM refreshed f WHERE f.what = 'full'))::numeric, 3)
           AS share_of_full
FROM refreshed GROUP BY what ORDER BY median_ms;
