-- The demo: who is there, which deals they made and how, and for how much.

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
    industries constant text[] :=
        '{Manufacturing,Healthcare,Retail,Banking,Insurance,Energy,Logistics,Media,
         Education,Government}';
    head constant text[] :=
        '{Alder,Amber,Apex,Aspen,Atlas,Beacon,Birch,Blue Ridge,Bright,Cedar,Cobalt,
         Copper,Crest,Delta,Eagle,Ember,Evergreen,Falcon,Fern,Flint,Granite,Harbor,
         Hazel,Highland,Iron,Juniper,Keystone,Lark,Linden,Maple,Meridian,North,Oak,
         Onyx,Orchid,Pine,Quartz,River,Silver,Willow}';
    body constant text[] :=
        '{bank,bay,bridge,brook,burg,cliff,croft,dale,den,fall,field,ford,gate,glen,
         grove,hall,haven,hill,holm,land,lake,ley,line,mark,mead,mill,mont,mount,
         point,port,ridge,shore,side,stead,stone,ton,vale,view,ward,wood}';
    tail constant text[] :=
        '{Systems,Foods,Logistics,Energy,Health,Motors,Media,Bank,Insurance,Labs,
         Textiles,Chemicals,Airlines,Steel,Retail,Pharma,Telecom,Robotics,Paper,Mining,
         Optics,Marine,Software,Instruments}';
    firsts constant text[] :=
        '{Ada,Alan,Amina,Anna,Ben,Carla,Chen,Dana,David,Elena,Emma,Erik,Fatima,
         Felix,Grace,Hana,Hugo,Ines,Ivan,Jack,Julia,Karim,Kenji,Laura,Leo,Lina,
         Lucas,Maria,Mei,Nadia,Noah,Olga,Omar,Paula,Priya,Raj,Sara,Tom,Yuki,Zoe}';
    lasts constant text[] :=
        '{Adams,Alvarez,Baker,Becker,Brown,Carter,Chen,Costa,Dubois,Evans,Fischer,
         Garcia,Gupta,Haas,Hansen,Ito,Jones,Kaur,Keller,Khan,Kim,Lee,Lopez,Martin,
         Meyer,Moreau,Nguyen,Novak,Patel,Peters,Ricci,Rossi,Sato,Silva,Smith,Suzuki,
         Tanaka,Walker,Weber,Young}';
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
           to_timestamp(a.created), to_timestamp(a.created),
           CASE WHEN n.is_merged THEN revrtm.demo_id('001', a.account_no - 1) END,
           n.is_merged
           OR a.partner_no IS NULL AND revrtm.demo_random(seed, 'account deleted', a.account_no) < 0.003,
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
               -- A third of the repeated were merged; what names them came back from elsewhere.
               a.is_twin AND revrtm.demo_random(seed, 'merged', a.account_no) < 0.33 AS is_merged,
               CASE WHEN a.partner_no IS NOT NULL
                    THEN t.base || (ARRAY[' Partners', ' Consulting', ' Solutions', ' Group'])[1 + a.partner_no % 4]
                    WHEN NOT a.is_twin THEN t.base || ' ' || t.trade || ' ' || t.form
                    WHEN t.spelling < 0.4 THEN t.base || ' ' || t.trade || ' '
                        || CASE t.form WHEN 'Inc' THEN 'Inc.' WHEN 'Corp' THEN 'Corporation' ELSE t.form || '.' END
                    WHEN t.spelling < 0.7 THEN upper(t.base COLLATE "C") || ' ' || t.trade || ' ' || t.form
                    ELSE replace(t.base, 'l', 'll') || ' ' || t.trade || ', ' || t.form END AS name,
               lower(replace(t.base, ' ', '') COLLATE "C") || '-' || lower(t.trade COLLATE "C")
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
                ELSE lower(c.first COLLATE "C") || '.' || lower(c.last COLLATE "C") || '.' || c.contact_no || '@example.com' END,
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
           lower(u.first COLLATE "C") || '.' || lower(u.last COLLATE "C") || '.' || u.user_no || '@example.com',
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
           CASE WHEN revrtm.demo_random(seed, 'no margin', o.deal_no) >= 0.05
                THEN round(o.margin_rate + 0.04 * revrtm.demo_normal(seed, 'margin', o.deal_no)::numeric, 4)
           END AS margin_rate,
           revrtm.demo_random(seed, 'lack', o.deal_no) AS lack,     -- of an amount, below 0.023
           revrtm.demo_random(seed, 'fate', o.deal_no) AS fate      -- deleted, at either end
    FROM opened o;
    ALTER TABLE revrtm_demo.work_deal ADD PRIMARY KEY (deal_no);
    ANALYZE revrtm_demo.work_deal;

    -- A touch k of n falls into the k-th of n equal parts of the journey;
    -- one in a hundred at the instant of the one before. Numbers 61 and 62
    -- are the strays: after the close, and long before it.
    CREATE UNLOGGED TABLE revrtm_demo.work_touch AS
    WITH placed AS (
        SELECT d.deal_no, d.journey_no, d.month_no, d.account_no, d.owner_no, d.region_no, d.partner_no,
               d.contacts, d.has_lead, d.created, t.touch_no, t.k, d.opened + floor((d.ended - d.opened) * (t.j - 1
                   + revrtm.demo_random(seed, 'touch time', t.touch_no - t.k + t.j)) / d.touches)::bigint AS at,
               CASE WHEN 3 * (2 * t.k - 1) < 2 * d.touches THEN 1
                    WHEN 4 * (2 * t.k - 1) < 6 * d.touches THEN 2 ELSE 3 END AS phase
        FROM revrtm_demo.work_deal d
        CROSS JOIN LATERAL (
            SELECT k, d.deal_no * 64::bigint + k AS touch_no,
                   k - (k > 1 AND revrtm.demo_random(seed, 'tie', d.deal_no * 64::bigint + k) < 0.01)::int AS j
            FROM generate_series(1, d.touches) k) t
        UNION ALL
        SELECT d.deal_no, d.journey_no, d.month_no, d.account_no, d.owner_no, d.region_no, d.partner_no,
               d.contacts, d.has_lead, d.created, d.deal_no * 64::bigint + 61, 61,
               d.ended + 3600 + floor(1728000 * revrtm.demo_random(seed, 'late', d.deal_no * 2::bigint))::bigint, 3
        FROM revrtm_demo.work_deal d
        WHERE d.is_closed AND d.touches > 0 AND d.ended < last_second - 1800000
          AND revrtm.demo_random(seed, 'late', d.deal_no * 2::bigint + 1) < 0.03
        UNION ALL
        SELECT d.deal_no, d.journey_no, d.month_no, d.account_no, d.owner_no, d.region_no, d.partner_no,
               d.contacts, d.has_lead, d.created, d.deal_no * 64::bigint + 62, 62,
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
    -- no deal counts for every deal of its account. A margin that reports
    -- cannot see counts nothing.
    CREATE UNLOGGED TABLE revrtm_demo.work_share AS
    WITH touch AS (
        SELECT t.deal_no, t.account_no, t.touch_no, t.at, t.channel_no,
               t.at >= t.created AND c.object <> 'campaign' AS is_bound
        FROM revrtm_demo.work_touch t JOIN revrtm_demo.work_channel c USING (channel_no)
    )
    SELECT s.deal_no, s.month_no, s.line_no, sum(s.share)::bigint AS share, min(s.margin) AS margin
    FROM (SELECT d.deal_no, d.month_no, c.line_no, CASE WHEN d.lack < 0.023 OR d.fate < 0.005 OR d.fate >= 0.998 OR d.currency = 'CHF' THEN 0
                      ELSE (d.usd * coalesce(d.margin_rate, 1))::bigint END AS margin,
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
                   (10000 * greatest(0.3, least(3, revrtm.ratio(w.wanted, w.margin))))::bigint AS ratio
            FROM wanted w
        )
        SELECT f.deal_no, greatest(2500, least(40000, f.factor
                   * coalesce(revrtm.ratio(sum(s.share * r.ratio), sum(s.share)), 10000) / 10000))::bigint AS factor
        FROM revrtm_demo.work_factor f
        LEFT JOIN revrtm_demo.work_share s USING (deal_no)
        LEFT JOIN ratio r ON r.line_no = s.line_no AND r.month_no = s.month_no
        GROUP BY f.deal_no, f.factor;
        DROP TABLE revrtm_demo.work_factor;
        ALTER TABLE revrtm_demo.work_next RENAME TO work_factor;
    END LOOP;

    CREATE UNLOGGED TABLE revrtm_demo.work_amount AS
    SELECT m.deal_no, m.margin_rate,
           CASE WHEN m.lack < 0.015 THEN NULL WHEN m.lack < 0.020 THEN 0
                WHEN m.lack < 0.023 THEN round(-0.1 * m.amount, 2) ELSE m.amount END AS amount
    FROM (SELECT d.deal_no, d.margin_rate, d.lack,
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
