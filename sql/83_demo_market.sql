-- The demo, a CRM as Fivetran lands Salesforce made of nothing but a seed:
-- its random numbers, its empty tables, and the market it plays in.

CREATE FUNCTION revrtm.demo_random(seed int, stream text, n bigint) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_demo_random';
COMMENT ON FUNCTION revrtm.demo_random(int, text, bigint) IS
'The n-th number of a stream of random numbers, uniform in [0,1) and the same on every machine; streams of another name or seed are unrelated. NULL for a NULL argument.';

CREATE FUNCTION revrtm.demo_normal(seed int, stream text, n bigint) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_demo_normal';
COMMENT ON FUNCTION revrtm.demo_normal(int, text, bigint) IS
'The n-th number of a stream of random numbers of mean 0 and variance 1, nearly normal (the sum of 12 uniform ones, so within -6 and 6), the same on every machine. NULL for a NULL argument.';

CREATE FUNCTION revrtm.demo_id(prefix text, n bigint) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_demo_id';
COMMENT ON FUNCTION revrtm.demo_id(text, bigint) IS
'The record id of 18 characters of record n: a prefix of three letters or digits that tells the kind of record, the number, and the three check characters Salesforce appends. 22023 for another prefix; 22003 for n below 0 or from 62^9 on. NULL for a NULL argument.';

CREATE FUNCTION revrtm.make_demo_tables() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
    mark constant text := 'The demo CRM of revrtm: load_demo() drops it and makes it anew.';
    found_mark text;
BEGIN
    SELECT coalesce(obj_description(n.oid, 'pg_namespace'), '') INTO found_mark
    FROM pg_namespace n WHERE n.nspname = 'revrtm_demo';
    IF found_mark <> mark THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema "revrtm_demo" already exists and is not the demo''s',
            DETAIL = 'Only a schema that an earlier load_demo() made is replaced; its comment tells.',
            HINT = 'Rename or drop the schema.';
    END IF;
    -- The conflicts of deals that go with it.
    IF to_regclass('revrtm_demo.opportunity') IS NOT NULL THEN
        WITH gone AS (
            DELETE FROM revrtm.conflict_case c
            USING revrtm_demo.opportunity o
            WHERE 'opportunity:' || o.id IN (c.claim_a, c.claim_b)
            RETURNING c.case_id
        )
        DELETE FROM revrtm.conflict_party p USING gone g WHERE p.case_id = g.case_id;
    END IF;
    DROP SCHEMA IF EXISTS revrtm_demo CASCADE;
    CREATE SCHEMA revrtm_demo;
    EXECUTE format('COMMENT ON SCHEMA revrtm_demo IS %L', mark);

    CREATE TABLE revrtm_demo.account (
        id text, name text, parent_id text, website text, industry text, type text,
        is_partner boolean, partner_type_c text, partner_tier_c text,
        billing_country text, account_segment_c text, region_c text,
        owner_id text, number_of_employees int, annual_revenue double precision,
        created_date timestamptz, last_modified_date timestamptz, master_record_id text,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.contact (
        id text, account_id text, first_name text, last_name text, name text, email text,
        title text, lead_source text, owner_id text,
        created_date timestamptz, last_modified_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.lead (
        id text, first_name text, last_name text, email text, company text, status text,
        lead_source text, owner_id text, is_converted boolean, converted_date date,
        converted_account_id text, converted_contact_id text, converted_opportunity_id text,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity (
        id text, account_id text, name text, amount double precision, currency_iso_code text,
        stage_name text, is_closed boolean, is_won boolean, probability double precision,
        close_date date, created_date timestamptz, last_modified_date timestamptz,
        owner_id text, type text, lead_source text, partner_account_id text, campaign_id text,
        forecast_category text, route_c text, segment_c text, region_c text, product_c text,
        margin_c double precision,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_history (
        id text, opportunity_id text, stage_name text, amount double precision,
        probability double precision, close_date date, created_by_id text,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_partner (
        id text, opportunity_id text, account_to_id text, role text, is_primary boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_contact_role (
        id text, opportunity_id text, contact_id text, role text, is_primary boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_line_item (
        id text, opportunity_id text, product_2_id text, quantity double precision,
        unit_price double precision, list_price double precision, discount double precision,
        total_price double precision, created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.product_2 (
        id text, name text, product_code text, family text, is_active boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.campaign (
        id text, name text, type text, status text, partner_account_c text,
        actual_cost double precision, start_date date, end_date date, is_active boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.campaign_member (
        id text, campaign_id text, contact_id text, lead_id text, account_id text,
        status text, has_responded boolean, first_responded_date date,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.task (
        id text, who_id text, what_id text, account_id text, owner_id text, subject text,
        type text, task_subtype text, status text, is_closed boolean,
        activity_date date, completed_date_time timestamptz, created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.event (
        id text, who_id text, what_id text, account_id text, owner_id text, subject text,
        type text, event_subtype text, partner_account_c text,
        activity_date_time timestamptz, start_date_time timestamptz, end_date_time timestamptz,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo."user" (
        id text, name text, email text, manager_id text, title text, department text,
        region_c text, user_type text, account_id text, contact_id text, is_active boolean,
        created_date timestamptz,
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.spend_entry (
        spend_id text PRIMARY KEY, period date, route_id text, category text, amount numeric(18,2),
        currency text, partner_id text, channel text,
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.fx_rate (
        from_currency text, to_currency text, on_date date, rate numeric(18,8),
        _fivetran_deleted boolean, _fivetran_synced timestamptz,
        PRIMARY KEY (from_currency, to_currency, on_date));
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_tables() IS
'Makes the empty tables of the demo CRM in schema revrtm_demo, in place of those an earlier run made. 42P06 where a schema of that name is someone else''s.';

-- Between these functions instants are whole seconds of the Unix epoch, so
-- that no time zone has a say; the calendar runs from 1704067200 (2024-01-01)
-- to 1782864000 (2026-07-01), UTC. Records are numbered, and what is random
-- about record n is number n of a stream, so that no order of rows has a say.
-- The work_ tables hold numbers until the last step and are dropped then.

CREATE FUNCTION revrtm.make_demo_market(seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The five motions: share of the deals, win rate, margin, days to close,
    -- size; the cumulated shares are in make_demo_deals.
    CREATE UNLOGGED TABLE revrtm_demo.work_motion AS
    SELECT * FROM (VALUES
        (1, 'direct',          0.21, 0.80, 95, 1.00, NULL),
        (2, 'partner_sourced', 0.32, 0.68, 70, 0.95, 'Referral'),
        (3, 'co_sell',         0.38, 0.74, 85, 1.30, 'Co-Sell'),
        (4, 'resell',          0.27, 0.55, 50, 0.70, 'Reseller'),
        (5, 'marketplace',     0.30, 0.72, 30, 0.50, 'Marketplace')
    ) v (motion_no, route_id, win_rate, margin_rate, cycle_days, size, role);

    -- The lines of the budget: return over the whole time, and how much of
    -- the response is left: response = mean * (1 + gain * ln(spend / mean)).
    CREATE UNLOGGED TABLE revrtm_demo.work_line AS
    SELECT * FROM (VALUES
        (1,  'direct',          'program',     1.60, 0.35),
        (2,  'direct',          'content',     3.20, 0.75),
        (3,  'direct',          'tools',       0.70, 0.30),
        (4,  'direct',          'headcount',   0.90, 0.25),
        (5,  'direct',          'enablement',  2.40, 0.55),
        (6,  'partner_sourced', 'mdf',         0.35, 0.30),
        (7,  'partner_sourced', 'spiff',       2.00, 0.45),
        (8,  'partner_sourced', 'content',     4.20, 0.80),
        (9,  'partner_sourced', 'enablement',  5.00, 0.85),
        (10, 'co_sell',         'headcount',   1.50, 0.30),
        (11, 'co_sell',         'program',     3.00, 0.60),
        (12, 'resell',          'mdf',        -0.35, 0.35),
        (13, 'resell',          'enablement',  1.20, 0.50),
        (14, 'marketplace',     'program',     3.40, 0.70),
        (15, 'marketplace',     'mdf',        -0.15, 0.50),
        (16, 'partner_sourced', 'tools',       NULL, 0.00)     -- earns no credit
    ) v (line_no, route_id, category, romi, gain);

    -- The channels, the object they are recorded in, and how likely one is
    -- at the start, the middle and the end of a journey of each motion.
    CREATE UNLOGGED TABLE revrtm_demo.work_channel AS
    SELECT * FROM (VALUES
        (1,  'webinar',             'campaign', 1,    false, '{14,12,3, 3,4,1, 4,4,1, 1,2,1, 2,2,1}'::int[]),
        (2,  'paid_search',         'campaign', 1,    false, '{22,4,1, 3,1,0, 4,1,0, 2,1,0, 6,2,1}'),
        (3,  'content_syndication', 'campaign', 2,    false, '{16,8,2, 3,3,1, 3,3,1, 1,1,0, 2,2,0}'),
        (4,  'event',               'campaign', 1,    false, '{12,7,4, 3,2,1, 5,4,2, 1,1,1, 1,1,0}'),
        (5,  'email_nurture',       'campaign', 3,    false, '{6,18,5, 3,6,2, 3,6,2, 2,4,2, 2,5,3}'),
        (6,  'website',             'campaign', 2,    false, '{10,10,6, 3,5,3, 3,4,2, 2,3,2, 5,8,5}'),
        (7,  'direct',              'campaign', NULL, false, '{6,8,8, 2,3,4, 2,2,3, 2,3,4, 3,4,6}'),
        (8,  'partner_event',       'campaign', 6,    true,  '{0,0,0, 18,10,2, 10,6,2, 6,4,2, 2,1,0}'),
        (9,  'partner_referral',    'campaign', 7,    true,  '{0,0,0, 40,6,4, 14,4,2, 8,3,2, 3,1,1}'),
        (10, 'partner_content',     'campaign', 8,    true,  '{0,0,0, 12,14,3, 8,8,3, 5,5,2, 4,3,1}'),
        (11, 'partner_training',    'campaign', 9,    true,  '{0,0,0, 8,12,8, 3,5,3, 3,3,2, 1,1,1}'),
        (12, 'joint_webinar',       'campaign', 11,   true,  '{0,0,0, 3,3,1, 18,12,4, 0,0,0, 0,0,0}'),
        (13, 'reseller_promo',      'campaign', 12,   true,  '{0,0,0, 0,0,0, 0,0,0, 38,16,6, 0,0,0}'),
        (14, 'reseller_training',   'campaign', 13,   true,  '{0,0,0, 0,0,0, 0,0,0, 20,22,14, 0,0,0}'),
        (15, 'marketplace_listing', 'campaign', 14,   true,  '{0,0,0, 0,0,0, 0,0,0, 0,0,0, 46,26,24}'),
        (16, 'marketplace_promo',   'campaign', 15,   true,  '{0,0,0, 0,0,0, 0,0,0, 0,0,0, 18,14,10}'),
        (17, 'co_sell_meeting',     'event',    10,   true,  '{0,0,0, 2,5,6, 12,22,28, 0,0,0, 1,2,3}'),
        (18, 'sdr_call',            'task',     4,    false, '{8,16,8, 2,6,4, 2,6,4, 1,5,6, 1,4,4}'),
        (19, 'ae_meeting',          'event',    4,    false, '{3,14,36, 1,10,34, 1,10,28, 1,8,26, 0,4,14}'),
        (20, 'demo',                'event',    5,    false, '{1,13,27, 0,10,24, 0,9,16, 0,10,20, 0,6,12}')
    ) v (channel_no, channel, object, line_no, of_partner, affinity);

    -- A line's spend of a month relative to its mean, and the response to it
    -- in ten-thousandths. Rounded here: the rest is whole numbers.
    CREATE UNLOGGED TABLE revrtm_demo.work_line_month AS
    SELECT v.line_no, v.month_no, v.spend,
           round(10000 * greatest(0.15, 1 + v.gain * ln(v.spend)))::int AS response
    FROM (SELECT l.line_no, m.month_no, l.gain,
                 round(greatest(0.3, least(2.8, exp(0.5 * revrtm.demo_normal(
                     seed, 'spend', l.line_no * 100 + m.month_no))))::numeric, 4) AS spend
          FROM revrtm_demo.work_line l CROSS JOIN generate_series(1, 30) m (month_no)) v;

    -- Channels drawn by their affinity times the response of their line in
    -- the month the deal closes: 200 slots for each motion, month and phase.
    CREATE UNLOGGED TABLE revrtm_demo.work_mix AS
    WITH w AS (
        SELECT m.motion_no, lm.month_no, p.phase, c.channel_no,
               c.affinity[3 * (m.motion_no - 1) + p.phase]::bigint * lm.response AS weight
        FROM revrtm_demo.work_motion m
        CROSS JOIN generate_series(1, 3) p (phase)
        CROSS JOIN revrtm_demo.work_channel c
        JOIN (SELECT line_no, month_no, response FROM revrtm_demo.work_line_month
              UNION ALL SELECT 0, n, 10000 FROM generate_series(1, 30) n) lm
          ON lm.line_no = coalesce(c.line_no, 0)
    ), up_to AS (
        SELECT w.*, sum(w.weight) OVER (PARTITION BY w.motion_no, w.month_no, w.phase
                                        ORDER BY w.channel_no) AS upper,
               sum(w.weight) OVER (PARTITION BY w.motion_no, w.month_no, w.phase) AS total
        FROM w
    )
    SELECT u.motion_no, u.month_no, u.phase,
           array_agg(u.channel_no::smallint ORDER BY u.channel_no) AS channels
    FROM up_to u
    CROSS JOIN LATERAL generate_series(div((u.upper - u.weight) * 200, u.total),
                                       div(u.upper * 200, u.total) - 1) slot
    GROUP BY u.motion_no, u.month_no, u.phase;

    -- The months deals close in, by that response and the end of the quarter:
    -- 600 slots for each motion.
    CREATE UNLOGGED TABLE revrtm_demo.work_close AS
    WITH w AS (
        SELECT m.motion_no, lm.month_no,
               sum((c.affinity[3 * m.motion_no - 2] + c.affinity[3 * m.motion_no - 1]
                    + c.affinity[3 * m.motion_no])::bigint * lm.response)
               * CASE WHEN lm.month_no % 3 = 0 THEN 12 ELSE 9 END AS weight
        FROM revrtm_demo.work_motion m
        CROSS JOIN revrtm_demo.work_channel c
        JOIN revrtm_demo.work_line_month lm USING (line_no)
        GROUP BY m.motion_no, lm.month_no
    ), up_to AS (
        SELECT w.*, sum(w.weight) OVER (PARTITION BY w.motion_no ORDER BY w.month_no) AS upper,
               sum(w.weight) OVER (PARTITION BY w.motion_no) AS total
        FROM w
    )
    SELECT u.motion_no, array_agg(u.month_no::smallint ORDER BY u.month_no) AS months
    FROM up_to u
    CROSS JOIN LATERAL generate_series(div((u.upper - u.weight) * 600, u.total),
                                       div(u.upper * 600, u.total) - 1) slot
    GROUP BY u.motion_no;

    -- Rates to the dollar move from one month's knot to the next in a
    -- straight line. There is none for CHF.
    INSERT INTO revrtm_demo.fx_rate
    SELECT v.code, 'USD', date '2024-01-01' + v.day,
           round(v.base * (1 + 0.08 * ((a.knot * (30 - v.day % 30) + b.knot * (v.day % 30)) / 30
                                       - 0.5)), 8),
           false, to_timestamp(1704067200 + v.day * 86400 + 21600)
    FROM (SELECT c.code, c.base, c.stream, d.day
          FROM (VALUES ('EUR', 1.08, 1), ('GBP', 1.27, 2), ('JPY', 0.0067, 3)) c (code, base, stream)
          CROSS JOIN generate_series(0, 911) d (day)) v
    CROSS JOIN LATERAL (SELECT round(revrtm.demo_random(
        seed, 'fx', v.stream * 100 + v.day / 30)::numeric, 4)) a (knot)
    CROSS JOIN LATERAL (SELECT round(revrtm.demo_random(
        seed, 'fx', v.stream * 100 + v.day / 30 + 1)::numeric, 4)) b (knot);
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_market(int) IS
'Step of make_demo_crm: motions, channels, budget lines with the ups and downs of their spend and the response to it, and exchange rates.';
