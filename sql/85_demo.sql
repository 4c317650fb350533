-- The demo: a CRM as Fivetran lands Salesforce, made of nothing but a seed.

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
        spend_id text, period date, route_id text, category text, amount numeric(18,2),
        currency text, partner_id text, channel text,
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.fx_rate (
        from_currency text, to_currency text, on_date date, rate numeric(18,8),
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
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
        (3,  'direct',          'tools',       0.70, 0.20),
        (4,  'direct',          'headcount',   0.90, 0.25),
        (5,  'direct',          'enablement',  2.40, 0.55),
        (6,  'partner_sourced', 'mdf',         0.35, 0.20),
        (7,  'partner_sourced', 'spiff',       2.00, 0.45),
        (8,  'partner_sourced', 'content',     4.20, 0.80),
        (9,  'partner_sourced', 'enablement',  5.00, 0.85),
        (10, 'co_sell',         'headcount',   1.50, 0.30),
        (11, 'co_sell',         'program',     3.00, 0.60),
        (12, 'resell',          'mdf',        -0.35, 0.25),
        (13, 'resell',          'enablement',  1.20, 0.50),
        (14, 'marketplace',     'program',     3.40, 0.70),
        (15, 'marketplace',     'mdf',        -0.15, 0.30),
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

CREATE FUNCTION revrtm.make_demo_accounts(deals int, seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    accounts constant int := greatest(8, deals * 2::bigint / 3);
    partners constant int := 4 * ceil(greatest(3, 0.225 * sqrt(deals)));
    reps constant int := greatest(3, deals / 600);     -- of each region
    regions constant text[] := '{na,emea,apac,latam}';
    countries constant text[] := '{US,CA,GB,DE,FR,NL,CH,JP,AU,SG,IN,BR,MX}';
    region_of constant int[] := '{1,1,2,2,2,2,2,3,3,3,3,4,4}';
    segments constant text[] := '{smb,mid,enterprise}';
    industries constant text[] := '{Manufacturing,Healthcare,Retail,Banking,Insurance,Energy,Logistics,Media,Education,Government}';
    head constant text[] := '{Alder,Amber,Apex,Aspen,Atlas,Beacon,Birch,Blue Ridge,Bright,Cedar,Cobalt,Copper,Crest,Delta,Eagle,Ember,Evergreen,Falcon,Fern,Flint,Granite,Harbor,Hazel,Highland,Iron,Juniper,Keystone,Lark,Linden,Maple,Meridian,North,Oak,Onyx,Orchid,Pine,Quartz,River,Silver,Willow}';
    body constant text[] := '{bank,bay,bridge,brook,burg,cliff,croft,dale,den,fall,field,ford,gate,glen,grove,hall,haven,hill,holm,land,lake,ley,line,mark,mead,mill,mont,mount,point,port,ridge,shore,side,stead,stone,ton,vale,view,ward,wood}';
    tail constant text[] := '{Systems,Foods,Logistics,Energy,Health,Motors,Media,Bank,Insurance,Labs,Textiles,Chemicals,Airlines,Steel,Retail,Pharma,Telecom,Robotics,Paper,Mining,Optics,Marine,Software,Instruments}';
    firsts constant text[] := '{Ada,Alan,Amina,Anna,Ben,Carla,Chen,Dana,David,Elena,Emma,Erik,Fatima,Felix,Grace,Hana,Hugo,Ines,Ivan,Jack,Julia,Karim,Kenji,Laura,Leo,Lina,Lucas,Maria,Mei,Nadia,Noah,Olga,Omar,Paula,Priya,Raj,Sara,Tom,Yuki,Zoe}';
    lasts constant text[] := '{Adams,Alvarez,Baker,Becker,Brown,Carter,Chen,Costa,Dubois,Evans,Fischer,Garcia,Gupta,Haas,Hansen,Ito,Jones,Kaur,Keller,Khan,Kim,Lee,Lopez,Martin,Meyer,Moreau,Nguyen,Novak,Patel,Peters,Ricci,Rossi,Sato,Silva,Smith,Suzuki,Tanaka,Walker,Weber,Young}';
BEGIN
    CREATE UNLOGGED TABLE revrtm_demo.work_account AS
    SELECT a.account_no, a.country_no, region_of[a.country_no] AS region_no, a.segment_no,
           100 + 4 * floor(reps * revrtm.demo_random(seed, 'account rep', a.account_no))::int
               + region_of[a.country_no] AS owner_no,
           1 + floor(4 * revrtm.demo_random(seed, 'contacts', a.account_no))::int AS contacts,
           1704067200 - floor(94608000 * revrtm.demo_random(seed, 'account age', a.account_no))::bigint
               AS created,
           -- One in fifty repeats its predecessor, spelt a little differently.
           a.account_no > 1 AND revrtm.demo_random(seed, 'twin', a.account_no) < 0.02 AS is_twin,
           (a.account_no * 7919::bigint + 31 * (seed % 1000 + 1000)) % 38400 AS name_no,
           NULL::int AS partner_no
    FROM (SELECT n AS account_no,
                 width_bucket(revrtm.demo_random(seed, 'country', n),
                              '{0,.40,.45,.56,.66,.73,.77,.80,.86,.91,.94,.96,.985}'::float8[]) AS country_no,
                 width_bucket(revrtm.demo_random(seed, 'segment', n),
                              '{0,.50,.83}'::float8[]) AS segment_no
          FROM generate_series(1, accounts) n) a
    UNION ALL
    SELECT 900000000 + p, (ARRAY[1, 4, 9, 12])[1 + (p - 1) % 4], 1 + (p - 1) % 4,
           1 + floor(3 * revrtm.demo_random(seed, 'partner segment', p))::int,
           6 + (p - 1) % 4, 1,
           1704067200 - floor(94608000 * revrtm.demo_random(seed, 'partner age', p))::bigint,
           false, p * 7919::bigint % 38400, p
    FROM generate_series(1, partners) p;

    INSERT INTO revrtm_demo.account
    SELECT revrtm.demo_id('001', a.account_no),
           n.name || CASE WHEN a.partner_no % 9 = 4 THEN '  '         -- trailing spaces
                          WHEN parent.account_no IS NULL THEN '' ELSE ' ' || countries[a.country_no] END,
           revrtm.demo_id('001', parent.account_no),
           CASE WHEN a.partner_no IS NULL AND n.site < 0.03 THEN NULL
                WHEN a.partner_no IS NULL AND n.site < 0.05 THEN ''
                ELSE 'https://www.' || n.domain || '/' END,
           CASE WHEN n.site >= 0.99 THEN '' ELSE industries[1 + n.name_no % 10] END,
           CASE WHEN a.partner_no IS NOT NULL THEN 'Partner'
                WHEN revrtm.demo_random(seed, 'customer', a.account_no) < 0.35 THEN 'Customer'
                ELSE 'Prospect' END,
           a.partner_no IS NOT NULL,
           (ARRAY['Reseller', 'Referral', 'SI', 'MSP', 'Technology'])[1 + a.partner_no % 5],
           (ARRAY['Gold', 'Silver', 'Silver', 'Bronze', 'Bronze', 'Bronze'])[1 + a.partner_no / 4 % 6],
           countries[a.country_no], segments[a.segment_no], regions[a.region_no],
           revrtm.demo_id('005', a.owner_no), n.employees, n.employees * 180000.0,
           to_timestamp(a.created), to_timestamp(a.created), NULL,
           a.partner_no IS NULL AND revrtm.demo_random(seed, 'account deleted', a.account_no) < 0.003,
           a.partner_no IS NULL AND revrtm.demo_random(seed, 'account deleted', a.account_no) >= 0.998,
           to_timestamp((a.created / 900 + 1) * 900)
    FROM revrtm_demo.work_account a
    -- Families of two and three levels: of each eight, numbers 1 and 2 may
    -- belong to number 0, and number 3 to number 1.
    LEFT JOIN revrtm_demo.work_account parent
      ON parent.account_no = CASE WHEN a.account_no % 8 IN (1, 2) THEN a.account_no - a.account_no % 8
                                  WHEN a.account_no % 8 = 3 THEN a.account_no - 2 END
     AND a.partner_no IS NULL AND NOT a.is_twin
     AND revrtm.demo_random(seed, 'parent', a.account_no) < 0.5
    LEFT JOIN revrtm_demo.work_account twin ON a.is_twin AND twin.account_no = a.account_no - 1
    CROSS JOIN LATERAL (
        SELECT t.name_no, t.site, t.employees,
               CASE WHEN a.partner_no IS NOT NULL
                    THEN t.base || (ARRAY[' Partners', ' Consulting', ' Solutions', ' Group'])[1 + a.partner_no % 4]
                    WHEN NOT a.is_twin THEN t.base || ' ' || t.trade || ' ' || t.form
                    WHEN t.spelling < 0.4 THEN t.base || ' ' || t.trade || ' '
                        || CASE t.form WHEN 'Inc' THEN 'Inc.' WHEN 'Corp' THEN 'Corporation' ELSE t.form || '.' END
                    WHEN t.spelling < 0.7 THEN upper(t.base) || ' ' || t.trade || ' ' || t.form
                    ELSE replace(t.base, 'l', 'll') || ' ' || t.trade || ', ' || t.form END AS name,
               lower(replace(t.base, ' ', '')) || '-' || lower(t.trade)
               || CASE WHEN a.partner_no IS NULL THEN '.com' ELSE '.partners' END AS domain
        FROM (SELECT coalesce(twin.name_no, parent.name_no, a.name_no) AS name_no) w
        CROSS JOIN LATERAL (
            SELECT w.name_no,
                   head[1 + w.name_no % 40] || body[1 + w.name_no / 40 % 40] AS base,
                   tail[1 + w.name_no / 1600] AS trade,
                   (ARRAY['Inc', 'Corp', 'Ltd'])[1 + w.name_no % 3] AS form,
                   revrtm.demo_random(seed, 'spelling', a.account_no) AS spelling,
                   revrtm.demo_random(seed, 'site', a.account_no) AS site,
                   floor((ARRAY[10, 200, 2000])[a.segment_no]
                         * (1 + 9 * revrtm.demo_random(seed, 'employees', a.account_no)))::int AS employees
        ) t
    ) n;

    -- Contact number account * 4 + 0 .. 3; those from 800000000 on have no
    -- account and stand for the deals without one.
    INSERT INTO revrtm_demo.contact
    SELECT revrtm.demo_id('003', c.contact_no), revrtm.demo_id('001', c.account_no),
           c.first, c.last, c.first || ' ' || c.last,
           CASE WHEN c.contact_no % 97 = 0 THEN ''
                ELSE lower(c.first) || '.' || lower(c.last) || '.' || c.contact_no || '@example.com' END,
           (ARRAY['CIO', 'VP Operations', 'IT Manager', 'Procurement Lead', 'Analyst', 'CFO'])
               [1 + floor(6 * revrtm.demo_random(seed, 'title', c.contact_no))::int],
           (ARRAY['Web', 'Event', 'Partner Referral', 'Outbound', NULL])
               [1 + floor(5 * revrtm.demo_random(seed, 'contact source', c.contact_no))::int],
           revrtm.demo_id('005', c.owner_no),
           to_timestamp(c.created), to_timestamp(c.created),
           c.contact_no < 800000000 AND revrtm.demo_random(seed, 'contact deleted', c.contact_no) < 0.003,
           false, to_timestamp((c.created / 900 + 1) * 900)
    FROM (SELECT v.*, firsts[1 + floor(40 * revrtm.demo_random(seed, 'first name', v.contact_no))::int] AS first,
                 lasts[1 + floor(40 * revrtm.demo_random(seed, 'last name', v.contact_no))::int] AS last
          FROM (SELECT CASE WHEN a.partner_no IS NULL THEN a.account_no * 4 + s
                            ELSE a.account_no END AS contact_no,
                       a.account_no, a.owner_no, a.created + 3600 AS created
                FROM revrtm_demo.work_account a CROSS JOIN LATERAL generate_series(0, a.contacts - 1) s
                UNION ALL
                SELECT 800000000 + n, NULL, 6 + n % 4, 1704067200 + n % 900 * 86400
                FROM generate_series(0, greatest(4, deals / 50)) n) v) c;

    -- One head of sales, a manager and a partner manager of each region,
    -- representatives, callers, and one portal user of each partner.
    INSERT INTO revrtm_demo."user"
    SELECT revrtm.demo_id('005', u.user_no), u.first || ' ' || u.last,
           lower(u.first) || '.' || lower(u.last) || '.' || u.user_no || '@example.com',
           revrtm.demo_id('005', u.manager_no), u.title,
           CASE WHEN u.partner_no IS NULL THEN 'Sales' END, regions[u.region_no],
           CASE WHEN u.partner_no IS NULL THEN 'Standard' ELSE 'PowerPartner' END,
           revrtm.demo_id('001', 900000000 + u.partner_no),
           revrtm.demo_id('003', 900000000 + u.partner_no),
           u.title <> 'Account Executive' OR revrtm.demo_random(seed, 'left', u.user_no) >= 0.08,
           timestamptz '2023-01-02 09:00:00+00', false, timestamptz '2023-01-02 09:15:00+00'
    FROM (SELECT v.*, firsts[1 + floor(40 * revrtm.demo_random(seed, 'user first', v.user_no))::int] AS first,
                 lasts[1 + floor(40 * revrtm.demo_random(seed, 'user last', v.user_no))::int] AS last
          FROM (SELECT 1 AS user_no, NULL::int AS manager_no, NULL::int AS region_no,
                       'Chief Revenue Officer' AS title, NULL::int AS partner_no
                UNION ALL SELECT 1 + r, 1, r, 'Regional Director', NULL FROM generate_series(1, 4) r
                UNION ALL SELECT 5 + r, 1, r, 'Partner Manager', NULL FROM generate_series(1, 4) r
                UNION ALL SELECT 100 + 4 * j + r, 1 + r, r, 'Account Executive', NULL
                FROM generate_series(1, 4) r, generate_series(0, reps - 1) j
                UNION ALL SELECT 100000 + 4 * j + r, 1 + r, r, 'Sales Development', NULL
                FROM generate_series(1, 4) r, generate_series(0, reps / 2) j
                UNION ALL SELECT 900000000 + p, 6 + (p - 1) % 4, 1 + (p - 1) % 4, 'Partner Sales', p
                FROM generate_series(1, partners) p) v) u;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_accounts(int, int) IS
'Step of make_demo_crm: accounts with their families and near-duplicates, partners, contacts and users.';

CREATE FUNCTION revrtm.make_demo_deals(deals int, seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first_second constant bigint := 1704067200;
    last_second constant bigint := 1782864000 - 1;
    accounts constant int := greatest(8, deals * 2::bigint / 3);
    rings constant int := ceil(greatest(3, 0.225 * sqrt(deals)));  -- partners of each region
BEGIN
    CREATE UNLOGGED TABLE revrtm_demo.work_deal AS
    WITH drawn AS MATERIALIZED (
        SELECT d AS deal_no,
               width_bucket(revrtm.demo_random(seed, 'motion', d), '{0,.45,.65,.78,.91}'::float8[]) AS motion_no,
               1 + floor(accounts * u.account * (0.6 + 0.4 * u.account))::int AS account_no,
               floor(rings * u.partner * u.partner * u.partner)::int AS ring,
               revrtm.demo_random(seed, 'influence', d) < 0.08 AS is_influenced,
               revrtm.demo_random(seed, 'open', d) < 0.12 AS is_open,
               revrtm.demo_normal(seed, 'cycle', d) AS cycle
        FROM generate_series(1, deals) d
        CROSS JOIN LATERAL (SELECT revrtm.demo_random(seed, 'account', d) AS account,
                                   revrtm.demo_random(seed, 'partner', d) AS partner) u
    ), settled AS MATERIALIZED (
        SELECT d.deal_no, d.motion_no, d.account_no, d.is_open, a.region_no, a.country_no,
               a.segment_no, a.owner_no, a.contacts, m.size, m.margin_rate,
               CASE WHEN d.motion_no > 1 OR d.is_influenced THEN 4 * d.ring + a.region_no END AS partner_no,
               -- Segments, partners and representatives differ in how often they win.
               NOT d.is_open AND revrtm.demo_random(seed, 'win', d.deal_no)
                   < m.win_rate * (ARRAY[1.06, 1.0, 0.85])[a.segment_no]
                     * CASE WHEN d.motion_no = 1 THEN 1.0 ELSE 1.15 - 0.08 * (d.ring % 5) END
                     * (0.85 + 0.3 * revrtm.demo_random(seed, 'skill', a.owner_no)) AS is_won,
               d.cycle, m.cycle_days, c.months
        FROM drawn d
        JOIN revrtm_demo.work_account a USING (account_no)
        JOIN revrtm_demo.work_motion m USING (motion_no)
        JOIN revrtm_demo.work_close c USING (motion_no)
    ), placed AS MATERIALIZED (
        -- Steps of the golden section spread the deals of a motion evenly.
        SELECT s.*, row_number() OVER (PARTITION BY s.motion_no, s.is_open, s.is_won
                                       ORDER BY s.deal_no) * 40503 % 65536 / 65536.0 AS u
        FROM settled s
    ), dated AS MATERIALIZED (
        SELECT s.*, CASE WHEN s.is_open THEN 30 ELSE s.months[1 + floor(600 * s.u)::int] END AS month_no,
               greatest(4, least(400, s.cycle_days * exp(0.45 * s.cycle - 0.10)
                   * CASE WHEN s.is_won THEN 1.0 ELSE 1.2 END)) AS days
        FROM placed s
    ), ended AS MATERIALIZED (
        SELECT d.*,
               CASE WHEN d.is_open THEN last_second
                    ELSE (extract(epoch FROM m.first) + 86400 * floor(m.days
                          * power(revrtm.demo_random(seed, 'day', d.deal_no),
                                  CASE WHEN d.month_no % 3 = 0 THEN 0.5 ELSE 0.8 END))
                          + 32400 + floor(32400 * revrtm.demo_random(seed, 'hour', d.deal_no)))::bigint
               END AS ended
        FROM dated d
        CROSS JOIN LATERAL (
            SELECT v.first, (v.first + interval '1 month')::date - v.first::date AS days
            FROM (SELECT timestamp '2024-01-01' + (d.month_no - 1) * interval '1 month' AS first) v) m
    ), begun AS MATERIALIZED (
        SELECT e.*,
               -- A deal that would have begun before the calendar begins in it.
               CASE WHEN e.is_open THEN last_second - 3600 - floor(86400 * e.days * 1.5 * e.u * sqrt(e.u))::bigint
                    WHEN e.ended - 86400 * e.days >= first_second THEN e.ended - floor(86400 * e.days)::bigint
                    ELSE first_second + floor(0.5 * e.u * (e.ended - first_second))::bigint END AS created
        FROM ended e
    ), opened AS MATERIALIZED (
        SELECT b.*,
               greatest(first_second,
                        b.created - 86400 * (3 + floor(37 * revrtm.demo_random(seed, 'awareness', b.deal_no))::bigint),
                        -- Four journeys of five fit into 90 days.
                        CASE WHEN NOT b.is_open AND revrtm.demo_random(seed, 'fits', b.deal_no) < 0.8
                             THEN b.ended - 89 * 86400 END) AS opened
        FROM begun b
    )
    SELECT o.deal_no, o.motion_no, CASE WHEN o.motion_no = 1 AND o.partner_no IS NOT NULL THEN 3
                                        ELSE o.motion_no END AS journey_no,
           CASE WHEN revrtm.demo_random(seed, 'no account', o.deal_no) >= 0.01 THEN o.account_no END AS account_no,
           o.region_no, o.country_no, o.segment_no, o.owner_no, o.contacts, o.partner_no,
           NOT o.is_open AS is_closed, o.is_won, o.month_no, o.opened, o.created, o.ended,
           CASE WHEN NOT o.is_open THEN date '1970-01-01' + (o.ended / 86400)::int
                ELSE date '2026-06-30' + CASE WHEN o.u < 0.08 THEN -floor(300 * o.u)::int - 1
                                              ELSE 1 + floor(o.days)::int END END AS close_date,
           -- The stage reached before the end: 1 to 4.
           CASE WHEN o.is_won THEN 4
                ELSE 1 + floor(4 * revrtm.demo_random(seed, 'stage', o.deal_no))::int END AS stage_no,
           CASE WHEN revrtm.demo_random(seed, 'silent', o.deal_no) < 0.03 THEN 0
                ELSE greatest(1, least(60, floor(exp(0.75 * revrtm.demo_normal(seed, 'touches', o.deal_no))
                         * CASE WHEN o.is_won THEN 9.6 WHEN o.is_open THEN 6.2 ELSE 8.2 END)))::int
           END AS touches,
           width_bucket(revrtm.demo_random(seed, 'product', o.deal_no),
                        '{0,.24,.42,.56,.70,.80,.88,.95}'::float8[]) AS product_no,
           o.motion_no IN (1, 2, 5) AND revrtm.demo_random(seed, 'lead', o.deal_no) < 0.3 AS has_lead,
           o.opened + floor((greatest(o.created, o.opened + 1) - o.opened)
                            * revrtm.demo_random(seed, 'lead age', o.deal_no))::bigint AS lead_created,
           CASE WHEN revrtm.demo_random(seed, 'currency', o.deal_no) < 0.65 THEN 'USD'
                ELSE (ARRAY['USD','USD','GBP','EUR','EUR','EUR','CHF','JPY','USD','USD','USD','USD','USD'])
                     [o.country_no] END AS currency,
           round((exp(revrtm.demo_normal(seed, 'amount', o.deal_no) * (ARRAY[0.5, 0.55, 0.6])[o.segment_no])
                  * (ARRAY[18000, 60000, 190000])[o.segment_no])::numeric * o.size, -2)::bigint AS usd,
           o.margin_rate
    FROM opened o;
    ALTER TABLE revrtm_demo.work_deal ADD PRIMARY KEY (deal_no);
    ANALYZE revrtm_demo.work_deal;

    -- A touch k of n falls into the k-th of n equal parts of the journey;
    -- one in a hundred at the instant of the one before. Numbers 61 and 62
    -- are the strays: after the close, and long before it.
    CREATE UNLOGGED TABLE revrtm_demo.work_touch AS
    WITH placed AS (
        SELECT d.*, t.touch_no, t.k, d.opened + floor((d.ended - d.opened) * (t.j - 1
                   + revrtm.demo_random(seed, 'touch time', t.touch_no - t.k + t.j)) / d.touches)::bigint AS at,
               CASE WHEN 3 * (2 * t.k - 1) < 2 * d.touches THEN 1
                    WHEN 4 * (2 * t.k - 1) < 6 * d.touches THEN 2 ELSE 3 END AS phase
        FROM revrtm_demo.work_deal d
        CROSS JOIN LATERAL (
            SELECT k, d.deal_no * 64::bigint + k AS touch_no,
                   k - (k > 1 AND revrtm.demo_random(seed, 'tie', d.deal_no * 64::bigint + k) < 0.01)::int AS j
            FROM generate_series(1, d.touches) k) t
        UNION ALL
        SELECT d.*, d.deal_no * 64::bigint + 61, 61,
               d.ended + 3600 + floor(1728000 * revrtm.demo_random(seed, 'late', d.deal_no * 2::bigint))::bigint, 3
        FROM revrtm_demo.work_deal d
        WHERE d.is_closed AND d.touches > 0 AND d.ended < last_second - 1800000
          AND revrtm.demo_random(seed, 'late', d.deal_no * 2::bigint + 1) < 0.03
        UNION ALL
        SELECT d.*, d.deal_no * 64::bigint + 62, 62,
               d.ended - 8640000 - floor(8640000 * revrtm.demo_random(seed, 'early', d.deal_no * 2::bigint))::bigint, 1
        FROM revrtm_demo.work_deal d
        WHERE d.is_closed AND d.touches > 0 AND d.ended > first_second + 17280000
          AND revrtm.demo_random(seed, 'early', d.deal_no * 2::bigint + 1) < 0.03
    )
    SELECT p.deal_no, p.touch_no, p.k, p.at, m.channels[1 + floor(200 * revrtm.demo_random(
               seed, 'channel', p.touch_no))::int] AS channel_no,
           CASE WHEN p.account_no IS NULL THEN 800000000 + p.deal_no % (greatest(4, deals / 50) + 1)
                ELSE p.account_no * 4 + floor(p.contacts * revrtm.demo_random(
                    seed, 'person', p.touch_no))::int END AS contact_no,
           p.account_no, p.owner_no, p.region_no, p.partner_no, p.created, p.has_lead
    FROM placed p
    JOIN revrtm_demo.work_mix m
      ON m.motion_no = p.journey_no AND m.month_no = p.month_no AND m.phase = p.phase;
    ANALYZE revrtm_demo.work_touch;

    -- A campaign is a channel of a region for 30 days, or of a partner for
    -- half a year: campaign = channel * 1000000 + region * 1000 + flight, or
    -- channel * 1000000 + partner * 10 + half.
    CREATE UNLOGGED TABLE revrtm_demo.work_member AS
    SELECT t.touch_no, t.deal_no, t.k, t.at, t.contact_no, t.account_no, t.created, t.has_lead,
           t.channel_no * 1000000 + CASE
               WHEN c.of_partner THEN t.partner_no * 10 + ((t.at - 1704067200) / (182 * 86400))::int
               ELSE t.region_no * 1000 + ((t.at - 1704067200) / (30 * 86400))::int END AS campaign_no
    FROM revrtm_demo.work_touch t JOIN revrtm_demo.work_channel c USING (channel_no)
    WHERE c.object = 'campaign';
    ANALYZE revrtm_demo.work_member;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_deals(int, int) IS
'Step of make_demo_crm: the deals in numbers, and the journey of touches that led to each.';

CREATE FUNCTION revrtm.make_demo_money(seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The share of each line in each won deal, in millionths, as the model
    -- u_shaped has it: 40 % first, 40 % last, 20 % between. A touch that names
    -- no deal counts for every deal of its account.
    CREATE UNLOGGED TABLE revrtm_demo.work_share AS
    WITH touch AS (
        SELECT t.deal_no, t.account_no, t.touch_no, t.at, t.channel_no,
               t.at >= t.created AND c.object <> 'campaign' AS is_bound
        FROM revrtm_demo.work_touch t JOIN revrtm_demo.work_channel c USING (channel_no)
    )
    SELECT s.deal_no, s.month_no, s.line_no, sum(s.share)::bigint AS share, min(s.margin) AS margin
    FROM (SELECT d.deal_no, d.month_no, c.line_no, (d.usd * d.margin_rate)::bigint AS margin,
                 CASE WHEN j.n = 1 THEN 1000000 WHEN j.n = 2 THEN 500000
                      WHEN j.place IN (1, j.n) THEN 400000 ELSE 200000 / (j.n - 2) END AS share
          FROM (SELECT t.deal_no, t.channel_no, count(*) OVER deal AS n,
                       row_number() OVER (deal ORDER BY t.at, t.touch_no) AS place
                FROM (SELECT t.* FROM touch t WHERE t.is_bound
                      UNION ALL
                      SELECT d.deal_no, d.account_no, t.touch_no, t.at, t.channel_no, false
                      FROM touch t JOIN revrtm_demo.work_deal d USING (account_no)
                      WHERE NOT t.is_bound) t
                JOIN revrtm_demo.work_deal d USING (deal_no)
                WHERE d.is_won AND t.at BETWEEN d.ended - 90 * 86400 AND d.ended
                WINDOW deal AS (PARTITION BY t.deal_no)) j
          JOIN revrtm_demo.work_deal d USING (deal_no)
          JOIN revrtm_demo.work_channel c USING (channel_no)) s
    WHERE s.line_no IS NOT NULL
    GROUP BY s.deal_no, s.month_no, s.line_no;

    -- Where a line did better in a month than its response to the spend,
    -- its deals of the month were smaller, and the other way round. Three
    -- rounds bring all lines near to their response.
    CREATE UNLOGGED TABLE revrtm_demo.work_factor AS
    SELECT d.deal_no, 10000::bigint AS factor FROM revrtm_demo.work_deal d WHERE d.is_won;
    FOR pass IN 1..3 LOOP
        CREATE UNLOGGED TABLE revrtm_demo.work_next AS
        WITH earned AS MATERIALIZED (
            SELECT s.line_no, s.month_no, sum(s.share * s.margin / 1000000 * f.factor) / 10000 AS margin
            FROM revrtm_demo.work_share s JOIN revrtm_demo.work_factor f USING (deal_no)
            GROUP BY s.line_no, s.month_no
        ), wanted AS (
            SELECT lm.line_no, lm.month_no, e.margin,
                   lm.response * sum(e.margin) OVER line / sum(lm.response) OVER line AS wanted
            FROM revrtm_demo.work_line_month lm LEFT JOIN earned e USING (line_no, month_no)
            WINDOW line AS (PARTITION BY lm.line_no)
        ), ratio AS MATERIALIZED (
            SELECT w.line_no, w.month_no,
                   (10000 * greatest(0.3, least(3, w.wanted / nullif(w.margin, 0))))::bigint AS ratio
            FROM wanted w
        )
        SELECT f.deal_no, greatest(2500, least(40000, f.factor
                   * coalesce(sum(s.share * r.ratio) / nullif(sum(s.share), 0), 10000) / 10000))::bigint AS factor
        FROM revrtm_demo.work_factor f
        LEFT JOIN revrtm_demo.work_share s USING (deal_no)
        LEFT JOIN ratio r ON r.line_no = s.line_no AND r.month_no = s.month_no
        GROUP BY f.deal_no, f.factor;
        DROP TABLE revrtm_demo.work_factor;
        ALTER TABLE revrtm_demo.work_next RENAME TO work_factor;
    END LOOP;

    CREATE UNLOGGED TABLE revrtm_demo.work_amount AS
    SELECT m.deal_no,
           CASE WHEN m.u < 0.015 THEN NULL WHEN m.u < 0.020 THEN 0
                WHEN m.u < 0.023 THEN round(-0.1 * m.amount, 2) ELSE m.amount END AS amount,
           CASE WHEN revrtm.demo_random(seed, 'no margin', m.deal_no) >= 0.05
                THEN round((m.margin_rate + 0.04 * revrtm.demo_normal(seed, 'margin', m.deal_no))::numeric, 4)
           END AS margin_rate
    FROM (SELECT d.deal_no, d.margin_rate, revrtm.demo_random(seed, 'no amount', d.deal_no) AS u,
                 round(greatest(500, d.usd * coalesce(f.factor, 10000) / 10000)
                       / CASE d.currency WHEN 'EUR' THEN 1.08 WHEN 'GBP' THEN 1.27 WHEN 'CHF' THEN 1.12
                                         WHEN 'JPY' THEN 0.0067 ELSE 1 END,
                       CASE d.currency WHEN 'JPY' THEN -4 ELSE -2 END) AS amount
          FROM revrtm_demo.work_deal d LEFT JOIN revrtm_demo.work_factor f USING (deal_no)) m;

    -- The spend: a line's mean month is what its margin and its return say,
    -- each month its share of the ups and downs, split over the line's
    -- channels, or over the leading partners where money goes to partners.
    INSERT INTO revrtm_demo.spend_entry
    WITH earned AS (
        SELECT s.line_no, sum(s.share * s.margin / 1000000 * f.factor) / 10000 AS margin
        FROM revrtm_demo.work_share s JOIN revrtm_demo.work_factor f USING (deal_no)
        GROUP BY s.line_no
    ), level AS (
        SELECT l.line_no, l.route_id, l.category,
               greatest(100, coalesce(e.margin / (1 + l.romi), 0.01 * sum(e.margin) OVER ()) / 30) AS mean
        FROM revrtm_demo.work_line l LEFT JOIN earned e USING (line_no)
    ), part AS (
        SELECT l.line_no, c.channel, NULL::int AS partner_no, 1.0 / count(*) OVER (PARTITION BY l.line_no) AS share
        FROM level l LEFT JOIN revrtm_demo.work_channel c USING (line_no)
        WHERE l.category NOT IN ('mdf', 'spiff')
        UNION ALL
        SELECT l.line_no, c.channel, p.partner_no, p.share
        FROM level l JOIN revrtm_demo.work_channel c USING (line_no)
        CROSS JOIN (VALUES (1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1)) p (partner_no, share)
        WHERE l.category IN ('mdf', 'spiff')
    ), entry AS (
        SELECT l.*, p.channel, p.partner_no, m.month_no, l.mean * m.spend * p.share AS usd,
               (date '2024-01-01' + (m.month_no - 1) * interval '1 month')::date AS period,
               row_number() OVER (PARTITION BY l.line_no, m.month_no ORDER BY p.channel COLLATE "C", p.partner_no) AS n
        FROM level l JOIN part p USING (line_no) JOIN revrtm_demo.work_line_month m USING (line_no)
    )
    SELECT 'SP-' || to_char(e.period, 'YYYYMM') || '-' || lpad(e.line_no::text, 2, '0') || '-' || e.n,
           e.period, e.route_id, e.category, round(e.usd / coalesce(x.rate, 1), 2), coalesce(x.from_currency, 'USD'),
           revrtm.demo_id('001', 900000000 + e.partner_no), e.channel,
           false, to_timestamp(extract(epoch FROM e.period + interval '1 month 6 hours'))
    FROM entry e
    LEFT JOIN revrtm_demo.fx_rate x
      ON x.on_date = e.period
     AND x.from_currency = (ARRAY['EUR', 'GBP'])[1 + floor(25 * revrtm.demo_random(
             seed, 'spend currency', (e.line_no * 100 + e.month_no) * 10 + e.n))::int];
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_money(int) IS
'Step of make_demo_crm: the amounts of the deals, such that the margin a line earns in a month follows a logarithmic curve of its spend, and the spend.';

CREATE FUNCTION revrtm.make_demo_records(deals int, seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_second constant bigint := 1782864000 - 1;
    regions constant text[] := '{na,emea,apac,latam}';
    segments constant text[] := '{smb,mid,enterprise}';
    products constant text[] := '{core,analytics,automation,shield,audit,onboarding,support,training}';
    stages constant text[] := '{Prospecting,Qualification,Proposal,Negotiation,Closed Won,Closed Lost}';
    chances constant int[] := '{10,20,50,75,100,0}';
    reps constant int := greatest(3, deals / 600);
BEGIN
    INSERT INTO revrtm_demo.product_2
    SELECT revrtm.demo_id('01t', p.n), initcap(p.code), p.code,
           (ARRAY['platform', 'platform', 'platform', 'security', 'security', 'services', 'services', 'services'])[p.n],
           true, timestamptz '2023-01-02 09:00:00+00', false, false, timestamptz '2023-01-02 09:15:00+00'
    FROM unnest(products) WITH ORDINALITY p (code, n);

    -- A stage is entered after an equal part of the time between creation
    -- and the end; stage 5 is Closed Won, 6 Closed Lost.
    INSERT INTO revrtm_demo.opportunity_history
    SELECT revrtm.demo_id('008', s.deal_no * 8::bigint + s.stage_no), revrtm.demo_id('006', s.deal_no),
           stages[s.stage_no], s.amount, chances[s.stage_no], s.close_date, revrtm.demo_id('005', s.owner_no),
           to_timestamp(s.at), false, false, to_timestamp((s.at / 900 + 1) * 900)
    FROM (SELECT d.deal_no, d.close_date, d.owner_no, a.amount,
                 CASE WHEN n <= d.stage_no THEN n WHEN d.is_won THEN 5 ELSE 6 END AS stage_no,
                 CASE WHEN n <= d.stage_no
                      THEN d.created + (d.ended - d.created) * (n - 1) / (d.stage_no + 1)
                      ELSE d.ended END AS at
          FROM revrtm_demo.work_deal d
          JOIN revrtm_demo.work_amount a USING (deal_no)
          CROSS JOIN LATERAL generate_series(1, d.stage_no + d.is_closed::int) n) s;

    INSERT INTO revrtm_demo.opportunity
    SELECT revrtm.demo_id('006', d.deal_no),
           CASE WHEN d.account_no IS NOT NULL THEN a.id WHEN d.deal_no % 2 = 0 THEN '' END,
           coalesce(rtrim(a.name), 'Unknown') || ' - ' || d.product, d.amount, d.currency,
           stages[d.final_no], d.is_closed, d.is_won, chances[d.final_no],
           -- Now and then the close is dated before the deal was created.
           CASE WHEN d.is_closed AND d.slip < 0.007
                THEN date '1970-01-01' + (d.created / 86400)::int - 1 - floor(2000 * d.slip)::int
                ELSE d.close_date END,
           to_timestamp(d.created), to_timestamp(d.modified), revrtm.demo_id('005', d.owner_no),
           CASE WHEN d.amount < 0 THEN 'Credit' WHEN d.kind < 0.62 THEN 'New Business'
                WHEN d.kind < 0.88 THEN 'Expansion' ELSE 'Renewal' END,
           CASE WHEN d.motion_no > 1 THEN 'Partner' WHEN d.kind < 0.5 THEN 'Web' ELSE 'Outbound' END,
           CASE WHEN d.motion_no > 1 THEN revrtm.demo_id('001', 900000000 + d.partner_no) END,
           revrtm.demo_id('701', w.campaign_no),
           CASE WHEN d.is_won THEN 'Closed' WHEN d.is_closed THEN 'Omitted' WHEN d.final_no > 2 THEN 'Best Case'
                ELSE 'Pipeline' END,
           CASE WHEN d.gap < 0.010 THEN NULL WHEN d.gap < 0.015 THEN '' ELSE d.route_id END,
           segments[d.segment_no], regions[d.region_no],
           CASE WHEN d.gap >= 0.99 THEN '' ELSE d.product END,
           round(d.amount * d.rate, 2),
           d.fate < 0.005, d.fate >= 0.998, to_timestamp((d.modified / 900 + 1) * 900)
    FROM (SELECT d.*, m.amount, m.margin_rate AS rate, r.route_id, products[d.product_no] AS product,
                 CASE WHEN NOT d.is_closed THEN d.stage_no WHEN d.is_won THEN 5 ELSE 6 END AS final_no,
                 CASE WHEN d.is_closed THEN d.ended
                      ELSE d.created + (d.ended - d.created) * (d.stage_no - 1) / (d.stage_no + 1) END AS modified,
                 revrtm.demo_random(seed, 'slip', d.deal_no) AS slip,
                 revrtm.demo_random(seed, 'kind', d.deal_no) AS kind,
                 revrtm.demo_random(seed, 'gap', d.deal_no) AS gap,
                 revrtm.demo_random(seed, 'fate', d.deal_no) AS fate
          FROM revrtm_demo.work_deal d
          JOIN revrtm_demo.work_amount m USING (deal_no)
          JOIN revrtm_demo.work_motion r USING (motion_no)) d
    LEFT JOIN revrtm_demo.account a ON a.id = revrtm.demo_id('001', d.account_no)
    LEFT JOIN revrtm_demo.work_member w ON w.deal_no = d.deal_no AND w.k = 1;

    INSERT INTO revrtm_demo.opportunity_line_item
    SELECT revrtm.demo_id('00k', l.deal_no * 2::bigint + l.n), revrtm.demo_id('006', l.deal_no),
           revrtm.demo_id('01t', l.product_no), l.quantity, l.price / l.quantity,
           l.price / l.quantity / (1 - l.discount / 100.0), l.discount, l.price,
           to_timestamp(l.created), false, false, to_timestamp((l.created / 900 + 1) * 900)
    FROM (SELECT v.deal_no, n, v.created,
                 CASE n WHEN 0 THEN v.product_no ELSE 1 + (v.product_no + 2) % 8 END AS product_no,
                 CASE n WHEN 0 THEN v.main ELSE v.amount - v.main END AS price,
                 (1 + floor(9 * revrtm.demo_random(seed, 'quantity', v.deal_no * 2::bigint + n))::int) AS quantity,
                 CASE v.motion_no WHEN 4 THEN 20 ELSE 0 END
                     + floor(16 * revrtm.demo_random(seed, 'discount', v.deal_no)) AS discount
          FROM (SELECT d.deal_no, d.created, d.motion_no, d.product_no, a.amount,
                       CASE WHEN revrtm.demo_random(seed, 'lines', d.deal_no) < 0.6 THEN a.amount
                            ELSE round(a.amount * round((0.5 + 0.4 * revrtm.demo_random(
                                seed, 'main line', d.deal_no))::numeric, 2), 2) END AS main
                FROM revrtm_demo.work_deal d JOIN revrtm_demo.work_amount a USING (deal_no)
                WHERE a.amount > 0) v
          CROSS JOIN LATERAL generate_series(0, (v.main < v.amount)::int) n) l;

    -- The partner of the motion; now and then a second one; and the partner
    -- who only influenced a direct deal.
    INSERT INTO revrtm_demo.opportunity_partner
    SELECT revrtm.demo_id('00I', p.deal_no * 2::bigint + p.n), revrtm.demo_id('006', p.deal_no),
           revrtm.demo_id('001', 900000000 + p.partner_no), p.role, p.is_primary,
           to_timestamp(p.at), false, false, to_timestamp((p.at / 900 + 1) * 900)
    FROM (SELECT d.deal_no, 0 AS n, d.partner_no, coalesce(m.role, 'Influencer') AS role,
                 m.role IS NOT NULL AS is_primary,
                 CASE WHEN m.role IS NULL THEN d.created + (d.ended - d.created) / 3 ELSE d.created END AS at
          FROM revrtm_demo.work_deal d JOIN revrtm_demo.work_motion m USING (motion_no)
          WHERE d.partner_no IS NOT NULL
          UNION ALL
          SELECT d.deal_no, 1, CASE WHEN d.partner_no > 4 THEN d.partner_no - 4 ELSE d.partner_no + 4 END,
                 'Distributor', false, d.created + (d.ended - d.created) / 2
          FROM revrtm_demo.work_deal d
          WHERE d.motion_no > 1 AND revrtm.demo_random(seed, 'second partner', d.deal_no) < 0.08) p;

    INSERT INTO revrtm_demo.opportunity_contact_role
    SELECT revrtm.demo_id('00K', d.deal_no * 4::bigint + n), revrtm.demo_id('006', d.deal_no),
           revrtm.demo_id('003', d.account_no * 4 + n),
           (ARRAY['Decision Maker', 'Economic Buyer', 'Evaluator'])[1 + n], n = 0,
           to_timestamp(d.created), false, false, to_timestamp((d.created / 900 + 1) * 900)
    FROM revrtm_demo.work_deal d
    CROSS JOIN LATERAL generate_series(0, least(d.contacts, 3) - 1) n
    WHERE d.account_no IS NOT NULL AND revrtm.demo_random(seed, 'roles', d.deal_no) < 0.8;

    -- A converted lead is the first contact of its account.
    INSERT INTO revrtm_demo.lead
    SELECT revrtm.demo_id('00Q', d.deal_no), c.first_name, c.last_name, c.email, rtrim(a.name), 'Qualified',
           c.lead_source, a.owner_id, true, (to_timestamp(d.created) AT TIME ZONE 'UTC')::date,
           a.id, c.id, revrtm.demo_id('006', d.deal_no), to_timestamp(d.lead_created),
           false, false, to_timestamp((d.created / 900 + 1) * 900)
    FROM revrtm_demo.work_deal d
    JOIN revrtm_demo.account a ON a.id = revrtm.demo_id('001', d.account_no)
    JOIN revrtm_demo.contact c ON c.id = revrtm.demo_id('003', d.account_no * 4)
    WHERE d.has_lead
    UNION ALL
    SELECT revrtm.demo_id('00Q', 500000000 + l.n), 'Lead', 'Number ' || l.n, 'lead.' || l.n || '@example.org',
           CASE WHEN l.n % 20 = 0 THEN '' ELSE 'Prospect ' || l.n END, 'Open', 'Web', NULL, false, NULL, NULL,
           NULL, NULL, to_timestamp(l.at), l.n % 100 = 99, false, to_timestamp((l.at / 900 + 1) * 900)
    FROM (SELECT n, 1704067200 + floor(78796800 * revrtm.demo_random(seed, 'lead', 1000000000 + n))::bigint AS at
          FROM generate_series(1, deals / 10) n) l;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_records(int, int) IS
'Step of make_demo_crm: the records about deals: opportunities, stages, lines, partners, contacts and leads.';

CREATE FUNCTION revrtm.make_demo_activity(seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reps constant int := (SELECT count(*) FROM revrtm_demo."user" u WHERE u.title = 'Account Executive') / 4;
BEGIN
    INSERT INTO revrtm_demo.campaign
    SELECT revrtm.demo_id('701', n.campaign_no),
           initcap(replace(c.channel, '_', ' ')) || ' ' || CASE
               WHEN c.of_partner THEN rtrim(p.name) ELSE (ARRAY['NA', 'EMEA', 'APAC', 'LATAM'])[n.rest / 1000] END
               || ' ' || to_char(f.first, 'YYYY-MM'),
           c.channel, 'Completed', p.id,
           floor((2000 + 6000 * revrtm.demo_random(seed, 'campaign', n.campaign_no))::numeric),
           f.first, f.last, f.last >= date '2026-06-30', f.first::timestamp AT TIME ZONE 'UTC',
           false, false, f.first::timestamp AT TIME ZONE 'UTC' + interval '15 minutes'
    FROM (SELECT DISTINCT w.campaign_no, w.campaign_no / 1000000 AS channel_no, w.campaign_no % 1000000 AS rest
          FROM revrtm_demo.work_member w) n
    JOIN revrtm_demo.work_channel c USING (channel_no)
    CROSS JOIN LATERAL (
        SELECT v.first, v.first + CASE WHEN c.of_partner THEN 181 ELSE 29 END AS last
        FROM (SELECT date '2024-01-01' + CASE WHEN c.of_partner THEN n.rest % 10 * 182
                                              ELSE n.rest % 1000 * 30 END AS first) v) f
    LEFT JOIN revrtm_demo.account p
      ON c.of_partner AND p.id = revrtm.demo_id('001', 900000000 + n.rest / 10);

    -- Members who responded; a copy of one in seventy, in the same minute;
    -- and one in eight who was only sent something.
    INSERT INTO revrtm_demo.campaign_member
    SELECT revrtm.demo_id('00v', m.member_no), revrtm.demo_id('701', m.campaign_no),
           CASE WHEN NOT m.by_account THEN revrtm.demo_id('003', m.contact_no) END,
           CASE WHEN m.contact_no = m.account_no * 4 AND m.at < m.created AND m.has_lead
                THEN revrtm.demo_id('00Q', m.deal_no) END,
           CASE WHEN m.by_account THEN revrtm.demo_id('001', m.account_no) END,
           CASE WHEN m.responded THEN 'Responded' ELSE 'Sent' END, m.responded,
           CASE WHEN m.responded THEN date '1970-01-01' + (m.at / 86400)::int END, to_timestamp(m.at),
           m.fate < 0.005, m.fate >= 0.997, to_timestamp((m.at / 900 + 1) * 900)
    FROM (SELECT w.*, w.touch_no AS member_no, true AS responded,
                 w.account_no IS NOT NULL AND revrtm.demo_random(seed, 'by account', w.touch_no) < 0.03 AS by_account,
                 revrtm.demo_random(seed, 'member', w.touch_no) AS fate
          FROM revrtm_demo.work_member w
          UNION ALL
          SELECT w.touch_no, w.deal_no, w.k, w.at - w.at % 60 + (w.at + 20) % 60, w.contact_no, w.account_no, w.created,
                 w.has_lead, w.campaign_no, 1000000000000 + w.touch_no, true, false, 0.5
          FROM revrtm_demo.work_member w
          WHERE revrtm.demo_random(seed, 'copy', w.touch_no) < 0.015
          UNION ALL
          SELECT w.touch_no, w.deal_no, w.k, greatest(1704067200, w.at - 259200), w.contact_no, w.account_no,
                 w.created, w.has_lead, w.campaign_no, 2000000000000 + w.touch_no, false, false, 0.5
          FROM revrtm_demo.work_member w
          WHERE revrtm.demo_random(seed, 'silent', w.touch_no) < 0.125) m;

    -- Calls and meetings name the deal once it exists.
    INSERT INTO revrtm_demo.task
    SELECT revrtm.demo_id('00T', t.touch_no), revrtm.demo_id('003', t.contact_no),
           CASE WHEN t.at >= t.created THEN revrtm.demo_id('006', t.deal_no)
                ELSE revrtm.demo_id('001', t.account_no) END,
           revrtm.demo_id('001', t.account_no),
           revrtm.demo_id('005', 100000 + 4 * (t.deal_no % (reps / 2 + 1)) + t.region_no), 'Call',
           c.channel, 'Call', 'Completed', true, date '1970-01-01' + (t.at / 86400)::int,
           to_timestamp(t.at), to_timestamp(t.at - 600), t.fate < 0.005, t.fate >= 0.997,
           to_timestamp((t.at / 900 + 1) * 900)
    FROM (SELECT w.*, revrtm.demo_random(seed, 'task', w.touch_no) AS fate FROM revrtm_demo.work_touch w) t
    JOIN revrtm_demo.work_channel c USING (channel_no)
    WHERE c.object = 'task';

    INSERT INTO revrtm_demo.event
    SELECT revrtm.demo_id('00U', t.touch_no), revrtm.demo_id('003', t.contact_no),
           CASE WHEN t.at >= t.created THEN revrtm.demo_id('006', t.deal_no)
                ELSE revrtm.demo_id('001', t.account_no) END,
           revrtm.demo_id('001', t.account_no), revrtm.demo_id('005', t.owner_no),
           initcap(replace(c.channel, '_', ' ')), c.channel, 'Event',
           CASE WHEN c.of_partner THEN revrtm.demo_id('001', 900000000 + t.partner_no) END,
           to_timestamp(t.at), to_timestamp(t.at), to_timestamp(t.at + 2700), to_timestamp(t.at - 86400),
           t.fate < 0.005, t.fate >= 0.997, to_timestamp((t.at / 900 + 4) * 900)
    FROM (SELECT w.*, revrtm.demo_random(seed, 'event', w.touch_no) AS fate FROM revrtm_demo.work_touch w) t
    JOIN revrtm_demo.work_channel c USING (channel_no)
    WHERE c.object = 'event';
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_activity(int) IS
'Step of make_demo_crm: the touches as the CRM records them: campaigns and their members, calls and meetings.';

CREATE FUNCTION revrtm.make_demo_crm(deals int DEFAULT 2000, seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
SET jit = off
AS $$
DECLARE
    t record;
    col text;
BEGIN
    IF deals IS NULL OR deals NOT BETWEEN 1 AND 2000000 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'invalid number of deals',
            DETAIL = 'The demo has 1 to 2000000 deals.';
    ELSIF seed IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the seed of the demo must not be null';
    END IF;

    PERFORM revrtm.make_demo_tables();
    PERFORM revrtm.make_demo_market(seed);
    PERFORM revrtm.make_demo_accounts(deals, seed);
    PERFORM revrtm.make_demo_deals(deals, seed);
    PERFORM revrtm.make_demo_money(seed);
    PERFORM revrtm.make_demo_records(deals, seed);
    PERFORM revrtm.make_demo_activity(seed);

    FOR t IN
        SELECT c.oid::regclass AS name, c.relname LIKE 'work%' AS is_work,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'id') AS has_id,
               ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND a.attname IN
                         ('account_id', 'contact_id', 'opportunity_id', 'what_id', '_fivetran_synced')
                     ORDER BY a.attnum) AS indexed
        FROM pg_class c
        WHERE c.relnamespace = 'revrtm_demo'::regnamespace AND c.relkind = 'r'
    LOOP
        IF t.is_work THEN
            EXECUTE format('DROP TABLE %s', t.name);
            CONTINUE;
        END IF;
        IF t.has_id THEN
            EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (id)', t.name);
        END IF;
        FOREACH col IN ARRAY t.indexed LOOP
            EXECUTE format('CREATE INDEX ON %s (%I)', t.name, col);
        END LOOP;
        EXECUTE format('ANALYZE %s', t.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_crm(int, int) IS
'Makes the demo CRM of so many deals in schema revrtm_demo, in the tables Fivetran lands from Salesforce. The same deals and seed give the same tables. 22023 for deals below 1 or above 2000000; 42P06 where a schema revrtm_demo is someone else''s.';
