-- The demo CRM: plausible, dirty on purpose, and the same every time.

\set SHOW_CONTEXT never

-- Random numbers: a function of their arguments, of the moments they claim,
-- and a stream, a seed and a number each make a difference.
SELECT revrtm.demo_random(1, 'a', 1) = revrtm.demo_random(1, 'a', 1) AS repeats,
       revrtm.demo_random(1, 'a', 1) <> revrtm.demo_random(2, 'a', 1) AS by_seed,
       revrtm.demo_random(1, 'a', 1) <> revrtm.demo_random(1, 'b', 1) AS by_stream,
       revrtm.demo_random(1, '', 9223372036854775807) <> revrtm.demo_random(-1, '', -9223372036854775808) AS extremes,
       revrtm.demo_random(NULL, 'a', 1) IS NULL AS strict;
SELECT min(u) >= 0 AND max(u) < 1 AND abs(avg(u) - 1.0 / 2) < 0.005 AND abs(var_pop(u) - 1.0 / 12) < 0.002 AS uniform,
       abs(corr(u, v)) < 0.02 AS independent, abs(avg(z)) < 0.02 AND abs(var_pop(z) - 1) < 0.03 AS normal,
       abs(count(*) FILTER (WHERE z > 1.6449)::float8 / count(*) - 0.05) < 0.004 AS tail
FROM (SELECT revrtm.demo_random(7, 'u', n) AS u, revrtm.demo_random(7, 'u', n + 1) AS v,
             revrtm.demo_normal(7, 'z', n) AS z
      FROM generate_series(1, 50000) n) r;

-- Ids: 18 characters, the last three repeat which of the others are capitals.
SELECT count(DISTINCT id) AS ids, bool_and(length(id) = 18) AS eighteen,
       bool_and(right(id, 3) = (SELECT string_agg(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
           1 + (SELECT sum((ascii(substr(id, 5 * g + k + 1, 1)) BETWEEN 65 AND 90)::int << k)::int
                FROM generate_series(0, 4) k), 1), '' ORDER BY g) FROM generate_series(0, 2) g)) AS checked
FROM (SELECT revrtm.demo_id('006', n * 104729) AS id FROM generate_series(1, 2000) n) i;
SELECT revrtm.demo_id('006', 13537086546263551);
SELECT revrtm.demo_id('006', 13537086546263552);
SELECT revrtm.demo_id('006', -1);
SELECT revrtm.demo_id('06', 1);
SELECT revrtm.demo_id('0-6', 1);

-- Bad parameters.
SELECT revrtm.make_demo_crm(0);
SELECT revrtm.make_demo_crm(-5);
SELECT revrtm.make_demo_crm(2000001);
SELECT revrtm.make_demo_crm(NULL);
SELECT revrtm.make_demo_crm(10, NULL);

-- A schema of that name that is someone else's stays.
CREATE SCHEMA revrtm_demo;
CREATE TABLE revrtm_demo.mine (x int);
SELECT revrtm.make_demo_crm(10);
COMMENT ON SCHEMA revrtm_demo IS 'mine';
SELECT revrtm.make_demo_crm(10);
SELECT count(*) AS mine_is_there FROM pg_class WHERE oid = 'revrtm_demo.mine'::regclass;
SET client_min_messages = warning;
DROP SCHEMA revrtm_demo CASCADE;
RESET client_min_messages;

-- The smallest demo works.
SELECT revrtm.make_demo_crm(1);
SELECT count(*) FROM revrtm_demo.opportunity;

-- A hash of all rows, whatever their order.
CREATE FUNCTION demo_hash() RETURNS TABLE (name text, hash text)
LANGUAGE plpgsql SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET extra_float_digits = 1 AS $$
BEGIN
    FOR name IN SELECT c.relname FROM pg_class c
                WHERE c.relnamespace = 'revrtm_demo'::regnamespace AND c.relkind = 'r' ORDER BY 1
    LOOP
        EXECUTE format('SELECT md5(string_agg(md5(t::text), '''' ORDER BY md5(t::text) COLLATE "C")) FROM revrtm_demo.%I t', name)
        INTO hash;
        RETURN NEXT;
    END LOOP;
END $$;

-- Neither zone, date style, memory, plan nor workers matter; the seed does.
SELECT revrtm.make_demo_crm(1500, 7);
CREATE TEMPORARY TABLE first_hash AS SELECT * FROM demo_hash();
SET TimeZone = 'Australia/Lord_Howe';
SET DateStyle = 'SQL, DMY';
SET work_mem = '64kB';
SET enable_hashjoin = off;
SET enable_hashagg = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT revrtm.make_demo_crm(1500, 7);
RESET ALL;
SELECT count(*) AS tables, count(*) FILTER (WHERE f.hash = s.hash) AS alike
FROM first_hash f FULL JOIN demo_hash() s USING (name);
SELECT revrtm.make_demo_crm(1500, 8);
SELECT f.name AS alike_in_spite_of_the_seed FROM first_hash f JOIN demo_hash() s USING (name, hash) ORDER BY 1;

-- What follows looks at the demo as it comes, 2000 deals.
SELECT revrtm.make_demo_crm();
CREATE TEMPORARY VIEW live_deal AS
SELECT * FROM revrtm_demo.opportunity WHERE NOT is_deleted AND NOT _fivetran_deleted;

SELECT (SELECT count(*) FROM revrtm_demo.opportunity) AS deals,
       (SELECT count(*) FROM revrtm_demo.account WHERE is_partner) AS partners,
       (SELECT count(*) FROM revrtm_demo.account WHERE NOT is_partner) AS accounts,
       (SELECT count(*) FROM revrtm_demo.product_2) AS products,
       (SELECT count(DISTINCT (route_id, category)) FROM revrtm_demo.spend_entry) AS lines,
       (SELECT count(DISTINCT period) FROM revrtm_demo.spend_entry) AS months;
SELECT touches::float8 / 2000 BETWEEN 8 AND 13 AS touches_plausible
FROM (SELECT (SELECT count(*) FROM revrtm_demo.campaign_member WHERE has_responded)
             + (SELECT count(*) FROM revrtm_demo.task) + (SELECT count(*) FROM revrtm_demo.event) AS touches) t;

-- The calendar: nothing outside, and the record is synced after the fact, within the hour.
SELECT min(created_date) >= '2024-01-01Z' AND max(created_date) < '2026-07-01Z' AS created,
       max(close_date) FILTER (WHERE is_closed) <= '2026-06-30' AS closed,
       bool_or(NOT is_closed) AND bool_and(close_date <= '2026-06-30' OR NOT is_closed) AS open_left,
       bool_and(_fivetran_synced > last_modified_date
                AND _fivetran_synced <= last_modified_date + interval '1 hour') AS synced
FROM revrtm_demo.opportunity;
SELECT min(at) >= '2024-01-01Z' AND max(at) < '2026-07-01Z' AS touches,
       bool_and(synced > at AND synced <= at + interval '1 hour') AS synced
FROM (SELECT created_date AS at, _fivetran_synced AS synced FROM revrtm_demo.campaign_member
      UNION ALL SELECT completed_date_time, _fivetran_synced FROM revrtm_demo.task
      UNION ALL SELECT start_date_time, _fivetran_synced FROM revrtm_demo.event) t;

-- Motions differ as designed: win rate, margin, days to close.
WITH motion AS (
    SELECT route_c, count(*) FILTER (WHERE is_won)::float8 / count(*) AS win_rate,
           sum(margin_c) FILTER (WHERE is_won) / sum(amount) FILTER (WHERE is_won AND margin_c IS NOT NULL) AS margin,
           avg(close_date - (created_date AT TIME ZONE 'UTC')::date)
               FILTER (WHERE is_won AND close_date >= (created_date AT TIME ZONE 'UTC')::date) AS days
    FROM live_deal WHERE is_closed AND route_c <> '' GROUP BY route_c
)
SELECT array_agg(route_c ORDER BY margin DESC) AS by_margin,
       array_agg(route_c ORDER BY days DESC) AS by_days,
       (SELECT route_c FROM motion ORDER BY win_rate LIMIT 1) AS wins_least,
       (SELECT route_c FROM motion ORDER BY win_rate DESC LIMIT 1) AS wins_most
FROM motion;

-- Few partners bring most: the top fifth has more than half of the deals.
SELECT sum(n) FILTER (WHERE rank <= partners / 5) > 0.5 * sum(n) AS unequal
FROM (SELECT count(*) AS n, row_number() OVER (ORDER BY count(*) DESC) AS rank FROM live_deal
      WHERE partner_account_id IS NOT NULL GROUP BY partner_account_id) p,
     (SELECT count(*) AS partners FROM revrtm_demo.account WHERE is_partner) a;

-- Quarters end busily.
SELECT avg(n) FILTER (WHERE extract(month FROM m)::int % 3 = 0)
       > 1.1 * avg(n) FILTER (WHERE extract(month FROM m)::int % 3 <> 0) AS busy_quarter_ends
FROM (SELECT date_trunc('month', close_date::timestamp) AS m, count(*) AS n FROM live_deal WHERE is_closed GROUP BY 1) q;

-- Dirty on purpose, at small rates.
SELECT count(*) FILTER (WHERE account_id IS NULL) > 0 AS null_account,
       count(*) FILTER (WHERE account_id = '') > 0 AS blank_account,
       avg((amount IS NULL)::int) BETWEEN 0.005 AND 0.03 AS null_amount,
       count(*) FILTER (WHERE amount = 0) > 0 AS zero_amount,
       count(*) FILTER (WHERE amount < 0) > 0 AS negative_amount,
       count(*) FILTER (WHERE close_date < (created_date AT TIME ZONE 'UTC')::date AND is_closed) > 0 AS closed_before,
       count(*) FILTER (WHERE route_c IS NULL) > 0 AND count(*) FILTER (WHERE route_c = '') > 0 AS no_route,
       count(*) FILTER (WHERE is_deleted) > 0 AND count(*) FILTER (WHERE _fivetran_deleted) > 0 AS deleted,
       count(*) FILTER (WHERE product_c = '') > 0 AS blank_product
FROM revrtm_demo.opportunity;
SELECT currency_iso_code, EXISTS (SELECT FROM revrtm_demo.fx_rate r WHERE r.from_currency = currency_iso_code) AS has_rate,
       count(*) > 0 AS used
FROM revrtm_demo.opportunity GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE website IS NULL) > 0 AND count(*) FILTER (WHERE website = '') > 0 AS no_website,
       count(*) FILTER (WHERE is_partner AND name <> rtrim(name)) > 0 AS trailing_spaces,
       count(*) FILTER (WHERE parent_id IS NOT NULL) > 0 AS families,
       count(*) - count(DISTINCT lower(regexp_replace(rtrim(name), '[.,]', '', 'g'))) > 0 AS near_duplicates,
       count(*) FILTER (WHERE is_deleted) > 0 AS deleted
FROM revrtm_demo.account;
SELECT avg((NOT has_responded)::int) BETWEEN 0.08 AND 0.14 AS no_response,
       count(*) FILTER (WHERE contact_id IS NULL AND account_id IS NOT NULL) > 0 AS by_account,
       count(*) FILTER (WHERE is_deleted) > 0 AND count(*) FILTER (WHERE _fivetran_deleted) > 0 AS deleted,
       (SELECT count(*) > 10 FROM (SELECT FROM revrtm_demo.campaign_member WHERE has_responded
        GROUP BY contact_id, campaign_id, date_trunc('minute', created_date) HAVING count(*) > 1) d) AS duplicates,
       (SELECT count(*) > 10 FROM (SELECT FROM revrtm_demo.campaign_member
        GROUP BY created_date HAVING count(DISTINCT campaign_id) > 1) d) AS same_instant
FROM revrtm_demo.campaign_member;
SELECT count(*) FILTER (WHERE e.start_date_time > (d.close_date + 1)::timestamp AT TIME ZONE 'UTC') > 0 AS after_close
FROM revrtm_demo.event e JOIN live_deal d ON d.id = e.what_id WHERE d.is_closed;
SELECT count(*) FILTER (WHERE account_id IS NULL) > 0 AS no_account, count(*) FILTER (WHERE email = '') > 0 AS blank_email
FROM revrtm_demo.contact;

-- References: every id that is not empty is there.
SELECT what, count(*) FILTER (WHERE id <> '') > 0 AS used, count(*) FILTER (WHERE id <> '' AND NOT found) AS dangling
FROM (
    SELECT 'account.parent' AS what, x.parent_id AS id, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.parent_id) AS found FROM revrtm_demo.account x
    UNION ALL SELECT 'account.owner', x.owner_id, EXISTS (SELECT FROM revrtm_demo."user" y WHERE y.id = x.owner_id) FROM revrtm_demo.account x
    UNION ALL SELECT 'contact.account', x.account_id, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.account_id) FROM revrtm_demo.contact x
    UNION ALL SELECT 'lead.contact', x.converted_contact_id, EXISTS (SELECT FROM revrtm_demo.contact y WHERE y.id = x.converted_contact_id AND y.account_id = x.converted_account_id) FROM revrtm_demo.lead x
    UNION ALL SELECT 'lead.opportunity', x.converted_opportunity_id, EXISTS (SELECT FROM revrtm_demo.opportunity y WHERE y.id = x.converted_opportunity_id AND y.account_id = x.converted_account_id) FROM revrtm_demo.lead x
    UNION ALL SELECT 'opportunity.account', x.account_id, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.account_id AND NOT y.is_partner) FROM revrtm_demo.opportunity x
    UNION ALL SELECT 'opportunity.partner', x.partner_account_id, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.partner_account_id AND y.is_partner) FROM revrtm_demo.opportunity x
    UNION ALL SELECT 'opportunity.owner', x.owner_id, EXISTS (SELECT FROM revrtm_demo."user" y WHERE y.id = x.owner_id) FROM revrtm_demo.opportunity x
    UNION ALL SELECT 'opportunity.campaign', x.campaign_id, EXISTS (SELECT FROM revrtm_demo.campaign y WHERE y.id = x.campaign_id) FROM revrtm_demo.opportunity x
    UNION ALL SELECT 'history.opportunity', x.opportunity_id, EXISTS (SELECT FROM revrtm_demo.opportunity y WHERE y.id = x.opportunity_id) FROM revrtm_demo.opportunity_history x
    UNION ALL SELECT 'partner.opportunity', x.opportunity_id, EXISTS (SELECT FROM revrtm_demo.opportunity y WHERE y.id = x.opportunity_id) FROM revrtm_demo.opportunity_partner x
    UNION ALL SELECT 'partner.account', x.account_to_id, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.account_to_id AND y.is_partner) FROM revrtm_demo.opportunity_partner x
    UNION ALL SELECT 'role.contact', x.contact_id, EXISTS (SELECT FROM revrtm_demo.contact y WHERE y.id = x.contact_id) FROM revrtm_demo.opportunity_contact_role x
    UNION ALL SELECT 'line.opportunity', x.opportunity_id, EXISTS (SELECT FROM revrtm_demo.opportunity y WHERE y.id = x.opportunity_id) FROM revrtm_demo.opportunity_line_item x
    UNION ALL SELECT 'line.product', x.product_2_id, EXISTS (SELECT FROM revrtm_demo.product_2 y WHERE y.id = x.product_2_id) FROM revrtm_demo.opportunity_line_item x
    UNION ALL SELECT 'campaign.partner', x.partner_account_c, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.partner_account_c AND y.is_partner) FROM revrtm_demo.campaign x
    UNION ALL SELECT 'member.campaign', x.campaign_id, EXISTS (SELECT FROM revrtm_demo.campaign y WHERE y.id = x.campaign_id) FROM revrtm_demo.campaign_member x
    UNION ALL SELECT 'member.contact', x.contact_id, EXISTS (SELECT FROM revrtm_demo.contact y WHERE y.id = x.contact_id) FROM revrtm_demo.campaign_member x
    UNION ALL SELECT 'member.lead', x.lead_id, EXISTS (SELECT FROM revrtm_demo.lead y WHERE y.id = x.lead_id AND y.converted_contact_id = x.contact_id) FROM revrtm_demo.campaign_member x WHERE x.contact_id IS NOT NULL
    UNION ALL SELECT 'task.who', x.who_id, EXISTS (SELECT FROM revrtm_demo.contact y WHERE y.id = x.who_id) FROM revrtm_demo.task x
    UNION ALL SELECT 'task.owner', x.owner_id, EXISTS (SELECT FROM revrtm_demo."user" y WHERE y.id = x.owner_id) FROM revrtm_demo.task x
    UNION ALL SELECT 'event.what', x.what_id, EXISTS (SELECT FROM revrtm_demo.opportunity y WHERE y.id = x.what_id) OR EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.what_id) FROM revrtm_demo.event x
    UNION ALL SELECT 'event.partner', x.partner_account_c, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.partner_account_c AND y.is_partner) FROM revrtm_demo.event x
    UNION ALL SELECT 'user.manager', x.manager_id, EXISTS (SELECT FROM revrtm_demo."user" y WHERE y.id = x.manager_id) FROM revrtm_demo."user" x
    UNION ALL SELECT 'user.contact', x.contact_id, EXISTS (SELECT FROM revrtm_demo.contact y WHERE y.id = x.contact_id AND y.account_id = x.account_id) FROM revrtm_demo."user" x
    UNION ALL SELECT 'spend.partner', x.partner_id, EXISTS (SELECT FROM revrtm_demo.account y WHERE y.id = x.partner_id AND y.is_partner) FROM revrtm_demo.spend_entry x
) r GROUP BY what ORDER BY what COLLATE "C";

-- Lines add up to the amount; the stages end where the deal stands.
SELECT count(*) AS deals_off FROM revrtm_demo.opportunity o
JOIN (SELECT opportunity_id, sum(total_price::numeric) AS total FROM revrtm_demo.opportunity_line_item GROUP BY 1) l
  ON l.opportunity_id = o.id
WHERE l.total <> o.amount::numeric;
SELECT count(*) AS stages_off FROM revrtm_demo.opportunity o
JOIN LATERAL (SELECT h.stage_name FROM revrtm_demo.opportunity_history h WHERE h.opportunity_id = o.id
              ORDER BY h.created_date DESC LIMIT 1) h ON h.stage_name <> o.stage_name;

-- Journeys as the reader of the CRM sees them: what names the deal, else what
-- its account did, in the 90 days before the end.
CREATE TEMPORARY TABLE touch AS
SELECT 'm' || m.id AS id, m.created_date AS at, c.type AS channel, NULL AS deal,
       coalesce(m.account_id, k.account_id) AS account
FROM revrtm_demo.campaign_member m
JOIN revrtm_demo.campaign c ON c.id = m.campaign_id
LEFT JOIN revrtm_demo.contact k ON k.id = m.contact_id
WHERE m.has_responded AND NOT m.is_deleted AND NOT m._fivetran_deleted
UNION ALL
SELECT 'a' || id, at, type, CASE WHEN what_id LIKE '006%' THEN what_id END, account_id
FROM (SELECT id, completed_date_time AS at, type, what_id, account_id FROM revrtm_demo.task
      WHERE NOT is_deleted AND NOT _fivetran_deleted
      UNION ALL
      SELECT id, start_date_time, type, what_id, account_id FROM revrtm_demo.event
      WHERE NOT is_deleted AND NOT _fivetran_deleted) e;
CREATE TEMPORARY TABLE path AS
SELECT d.id, d.route_c, d.close_date, coalesce(d.margin_c, d.amount) * coalesce(x.rate, 1) AS margin, t.channel,
       count(*) OVER w AS n, row_number() OVER (w ORDER BY t.at, t.id COLLATE "C") AS place
FROM live_deal d
JOIN (SELECT t.deal, t.id, t.at, t.channel FROM touch t WHERE t.deal IS NOT NULL
      UNION ALL
      SELECT d.id, t.id, t.at, t.channel FROM touch t JOIN live_deal d ON d.account_id = t.account
      WHERE t.deal IS NULL) t ON t.deal = d.id
LEFT JOIN revrtm_demo.fx_rate x ON x.from_currency = d.currency_iso_code AND x.on_date = d.close_date
WHERE d.is_won AND t.at < (d.close_date + 1)::timestamp AT TIME ZONE 'UTC'
  AND t.at >= (d.close_date + 1)::timestamp AT TIME ZONE 'UTC' - interval '2160 hours'
WINDOW w AS (PARTITION BY d.id);
SELECT avg(n) BETWEEN 8 AND 15 AS mean, max(n) > 40 AS long_ones, min(n) = 1 AS short_ones
FROM (SELECT id, max(n) AS n FROM path GROUP BY id) p;
SELECT count(*) > 5 AS deals_without_touches
FROM live_deal d WHERE d.account_id <> '' AND NOT EXISTS (
    SELECT FROM touch t WHERE t.deal = d.id OR (t.deal IS NULL AND t.account = d.account_id));
SELECT avg((t.at < (d.close_date + 1)::timestamp AT TIME ZONE 'UTC' - interval '2160 hours')::int)
           BETWEEN 0.0005 AND 0.1 AS long_before
FROM touch t JOIN live_deal d ON d.id = t.deal WHERE d.is_closed;

-- First and last touch tell different stories: a partner opens the partners'
-- deals, and the sales people close them.
SELECT route_c,
       avg((channel ~ '^(partner|reseller|marketplace|co_sell|joint)')::int) FILTER (WHERE place = 1)
       > avg((channel ~ '^(partner|reseller|marketplace|co_sell|joint)')::int) FILTER (WHERE place = n) AS partner_first,
       avg((channel IN ('ae_meeting', 'demo'))::int) FILTER (WHERE place = n)
       > 2 * avg((channel IN ('ae_meeting', 'demo'))::int) FILTER (WHERE place = 1) AS sales_last
FROM path WHERE route_c <> 'direct' AND route_c <> '' GROUP BY route_c ORDER BY route_c;

-- The margin a line earns by 40/20/40 follows its spend: starved lines return
-- more than the next dollar, saturated ones less; only partner tools, which
-- earn no credit, do not rise.
CREATE TEMPORARY TABLE line_channel (channel text, route_id text, category text);
INSERT INTO line_channel
SELECT DISTINCT channel, route_id, category FROM revrtm_demo.spend_entry WHERE channel IS NOT NULL;
SELECT route_id, category, regr_slope(margin, ln(spend)) > 0 AS rises,
       CASE WHEN regr_slope(margin, ln(spend)) / avg(spend) > 1 THEN 'more' ELSE 'less' END AS next_dollar,
       CASE WHEN sum(margin) / sum(spend) - 1 < 0 THEN 'negative'
            WHEN sum(margin) / sum(spend) - 1 < 6 THEN 'up to 6' ELSE 'above' END AS romi
FROM (SELECT s.route_id, s.category, s.spend, coalesce(c.margin, 0) AS margin
      FROM (SELECT route_id, category, period, sum(amount * coalesce(rate, 1))::float8 AS spend
            FROM revrtm_demo.spend_entry
            LEFT JOIN revrtm_demo.fx_rate ON from_currency = currency AND on_date = period
            GROUP BY 1, 2, 3) s
      LEFT JOIN (SELECT l.route_id, l.category, date_trunc('month', close_date::timestamp)::date AS period,
                        sum(margin * CASE WHEN n = 1 THEN 1 WHEN n = 2 THEN 0.5
                                          WHEN place IN (1, n) THEN 0.4 ELSE 0.2 / (n - 2) END) AS margin
                 FROM path JOIN line_channel l USING (channel) GROUP BY 1, 2, 3) c
        USING (route_id, category, period)) m
GROUP BY route_id, category ORDER BY route_id COLLATE "C", category COLLATE "C";

-- No scratch table is left, ids are keys.
SELECT count(*) FILTER (WHERE relname LIKE 'work%') AS scratch,
       count(*) FILTER (WHERE EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) AS keyed,
       count(*) FILTER (WHERE relpersistence <> 'p') AS not_permanent
FROM pg_class c WHERE relnamespace = 'revrtm_demo'::regnamespace AND relkind = 'r';

SET client_min_messages = warning;
DROP VIEW live_deal;
DROP SCHEMA revrtm_demo CASCADE;
DROP FUNCTION demo_hash();
DROP TABLE first_hash, touch, path, line_channel;
