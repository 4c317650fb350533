-- The demo: its deals and touches as the CRM records them, and the whole.

CREATE FUNCTION revrtm.make_demo_records(deals int, seed int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_second constant bigint := 1782864000 - 1;
    regions constant text[] := '{na,emea,apac,latam}';
    segments constant text[] := '{smb,mid,enterprise}';
    products constant text[] :=
        '{core,analytics,automation,shield,audit,onboarding,support,training}';
    stages constant text[] :=
        '{Prospecting,Qualification,Proposal,Negotiation,Closed Won,Closed Lost}';
    chances constant int[] := '{10,20,50,75,100,0}';
    reps constant int := greatest(3, deals / 600);
BEGIN
    INSERT INTO revrtm_demo.product_2
    SELECT revrtm.demo_id('01t', p.n), initcap(p.code COLLATE "C"), p.code,
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
           round(d.amount * d.margin_rate, 2),
           d.fate < 0.005, d.fate >= 0.998, to_timestamp((d.modified / 900 + 1) * 900)
    FROM (SELECT d.*, m.amount, r.route_id, products[d.product_no] AS product,
                 CASE WHEN NOT d.is_closed THEN d.stage_no WHEN d.is_won THEN 5 ELSE 6 END AS final_no,
                 CASE WHEN d.is_closed THEN d.ended
                      ELSE d.created + (d.ended - d.created) * (d.stage_no - 1) / (d.stage_no + 1) END AS modified,
                 revrtm.demo_random(seed, 'slip', d.deal_no) AS slip,
                 revrtm.demo_random(seed, 'kind', d.deal_no) AS kind,
                 revrtm.demo_random(seed, 'gap', d.deal_no) AS gap
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
           initcap(replace(c.channel, '_', ' ') COLLATE "C") || ' ' || CASE
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
           initcap(replace(c.channel, '_', ' ') COLLATE "C"), c.channel, 'Event',
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
                     WHERE a.attrelid = c.oid
                       AND (a.attname IN ('account_id', 'contact_id', 'opportunity_id', 'what_id')
                            -- What a refresh reads by it.
                            OR a.attname = '_fivetran_synced' AND c.relname IN
                               ('opportunity', 'contact', 'campaign_member', 'task', 'event'))
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

CREATE FUNCTION revrtm.load_demo(deals int DEFAULT 2000, seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM revrtm.make_demo_crm(deals, seed);
    PERFORM revrtm.make_demo_programme(seed);
    PERFORM revrtm.make_demo_registrations(seed);
    PERFORM revrtm.make_demo_enablement();
    PERFORM revrtm.make_demo_revenue(seed);
    PERFORM revrtm.bind_salesforce('revrtm_demo', 'fivetran');
    PERFORM revrtm.bind('revenue_event',
        'SELECT change_id AS event_id, account_id, on_date AS at, kind, amount, opportunity_id, currency '
        'FROM revrtm_demo.subscription_change WHERE _fivetran_deleted IS NOT TRUE');
    PERFORM revrtm.make_demo_portfolio(seed);
    PERFORM revrtm.make_demo_cases();
    PERFORM revrtm.make_demo_maturity();
END
$$;
COMMENT ON FUNCTION revrtm.load_demo(int, int) IS
'Makes the demo CRM (make_demo_crm, make_demo_revenue), what revrtm keeps about it (make_demo_programme, make_demo_registrations, make_demo_enablement), binds it (bind_salesforce, and revenue_event), and makes the portfolio (make_demo_portfolio), the conflicts of its deals (make_demo_cases) and the maturity over it (make_demo_maturity). Errors as make_demo_crm has them.';
