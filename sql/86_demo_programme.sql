-- The demo's own side: what revrtm keeps about the demo CRM.

CREATE FUNCTION revrtm.make_demo_programme(seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO revrtm.channel_map (channel, route_id, category)
    VALUES ('webinar', 'direct', 'program'),
           ('paid_search', 'direct', 'program'),
           ('event', 'direct', 'program'),
           ('content_syndication', 'direct', 'content'),
           ('website', 'direct', 'content'),
           ('email_nurture', 'direct', 'tools'),
           ('sdr_call', 'direct', 'headcount'),
           ('ae_meeting', 'direct', 'headcount'),
           ('demo', 'direct', 'enablement'),
           ('partner_event', 'partner_sourced', 'mdf'),
           ('partner_referral', 'partner_sourced', 'spiff'),
           ('partner_content', 'partner_sourced', 'content'),
           ('partner_training', 'partner_sourced', 'enablement'),
           ('co_sell_meeting', 'co_sell', 'headcount'),
           ('joint_webinar', 'co_sell', 'program'),
           ('reseller_promo', 'resell', 'mdf'),
           ('reseller_training', 'resell', 'enablement'),
           ('marketplace_listing', 'marketplace', 'program'),
           ('marketplace_promo', 'marketplace', 'mdf')
    ON CONFLICT (channel) DO NOTHING;

    INSERT INTO revrtm.budget_line (line, route_id, category)
    SELECT DISTINCT s.route_id || '/' || s.category, s.route_id, s.category
    FROM revrtm_demo.spend_entry s
    ON CONFLICT DO NOTHING;

    INSERT INTO revrtm.region (region_id, parent_id, region_name)
    VALUES ('na', 'ANY', 'North America'), ('emea', 'ANY', 'Europe, Middle East and Africa'),
           ('apac', 'ANY', 'Asia and Pacific'), ('latam', 'ANY', 'Latin America')
    ON CONFLICT (region_id) DO NOTHING;
    INSERT INTO revrtm.region (region_id, parent_id, region_name)
    VALUES ('US', 'na', 'United States'), ('CA', 'na', 'Canada'),
           ('GB', 'emea', 'United Kingdom'), ('DE', 'emea', 'Germany'), ('FR', 'emea', 'France'),
           ('NL', 'emea', 'Netherlands'), ('CH', 'emea', 'Switzerland'),
           ('JP', 'apac', 'Japan'), ('AU', 'apac', 'Australia'), ('SG', 'apac', 'Singapore'),
           ('IN', 'apac', 'India'), ('BR', 'latam', 'Brazil'), ('MX', 'latam', 'Mexico')
    ON CONFLICT (region_id) DO NOTHING;

    INSERT INTO revrtm.product (product_id, parent_id, product_name)
    VALUES ('platform', 'ANY', 'Platform'), ('security', 'ANY', 'Security'), ('services', 'ANY', 'Services')
    ON CONFLICT (product_id) DO NOTHING;
    INSERT INTO revrtm.product (product_id, parent_id, product_name)
    SELECT p.product_code, p.family, p.name FROM revrtm_demo.product_2 p ORDER BY p.product_code COLLATE "C"
    ON CONFLICT (product_id) DO NOTHING;

    -- Who leads where. Not right on purpose: partners and the marketplace both
    -- lead for one product in Asia and the Pacific, since April nobody leads in
    -- Latin America, and the rule on security decides nothing.
    INSERT INTO revrtm.route_role (rule_id, route_id, segment, product_code, region_code, role, priority, valid)
    SELECT m.rule_id, m.route_id, m.segment, m.product, m.region, m.role, m.priority,
           tstzrange(m.since AT TIME ZONE 'UTC', m.until AT TIME ZONE 'UTC')
    FROM (VALUES ('direct', 'direct', NULL, NULL, NULL, 'lead', 0, NULL::timestamp, timestamp '2026-04-01'),
                 ('direct enterprise', 'direct', 'enterprise', NULL, NULL, 'lead', 1, NULL, '2026-04-01'),
                 ('direct na', 'direct', NULL, NULL, 'na', 'lead', 1, '2026-04-01', NULL),
                 ('direct emea', 'direct', NULL, NULL, 'emea', 'lead', 1, '2026-04-01', NULL),
                 ('direct apac', 'direct', NULL, NULL, 'apac', 'support', 0, NULL, NULL),
                 ('direct latam', 'direct', NULL, NULL, 'latam', 'support', 0, '2026-04-01', NULL),
                 ('partner apac', 'partner_sourced', NULL, NULL, 'apac', 'lead', 0, NULL, NULL),
                 ('partner latam', 'partner_sourced', NULL, NULL, 'latam', 'eligible', 0, NULL, NULL),
                 ('partner mid emea', 'partner_sourced', 'mid', NULL, 'emea', 'lead', 0, '2025-01-01', NULL),
                 ('co-sell enterprise', 'co_sell', 'enterprise', NULL, NULL, 'support', 0, NULL, NULL),
                 ('resell smb', 'resell', 'smb', NULL, NULL, 'lead', 0, '2025-07-01', '2026-04-01'),
                 ('resell enterprise', 'resell', 'enterprise', NULL, NULL, 'blocked', 0, NULL, NULL),
                 ('marketplace security', 'marketplace', NULL, 'security', NULL, 'eligible', 0, NULL, NULL),
                 ('marketplace shield', 'marketplace', NULL, 'shield', NULL, 'lead', 0, '2026-04-01', NULL),
                 ('marketplace audit', 'marketplace', NULL, 'audit', NULL, 'support', 0, '2026-04-01', NULL),
                 ('marketplace services', 'marketplace', NULL, 'services', NULL, 'blocked', 0, NULL, NULL))
         m (rule_id, route_id, segment, product, region, role, priority, since, until)
         JOIN revrtm.route r USING (route_id)
    WHERE NOT EXISTS (SELECT FROM revrtm.route_role);

    -- Registrations: the newest partner deal of an account, so that no two
    -- are of one account; one deal in fifty, of those created in 2026. The
    -- accounts are such as the rules of engagement let partners have: they
    -- have never bought, and no direct deal of theirs is open.
    DELETE FROM revrtm.deal_registration r WHERE r.details @> '{"demo": true}';
    CREATE TEMPORARY TABLE demo_pick ON COMMIT DROP AS
    SELECT p.*, row_number() OVER (ORDER BY p.draw, p.id COLLATE "C") AS n
    FROM (SELECT DISTINCT ON (o.account_id COLLATE "C")
                 o.id, o.account_id, o.partner_account_id AS partner_id, p.family, o.region_c AS region,
                 o.amount::numeric AS amount, o.currency_iso_code AS currency, o.close_date,
                 (o.created_date AT TIME ZONE 'UTC')::date AS since,
                 revrtm.demo_random(seed, o.id, 0) AS draw
          FROM revrtm_demo.opportunity o
          JOIN revrtm_demo.product_2 p ON p.product_code = o.product_c
          WHERE o.account_id <> '' AND o.partner_account_id IS NOT NULL AND o.amount > 0
            AND o.created_date >= timestamptz '2026-01-01 00:00:00+00'
            AND NOT o.is_deleted AND NOT o._fivetran_deleted
            AND NOT EXISTS (SELECT FROM revrtm_demo.opportunity other
                            WHERE other.account_id = o.account_id
                              AND (other.is_won OR NOT other.is_closed AND other.partner_account_id IS NULL))
          ORDER BY o.account_id COLLATE "C", o.created_date DESC, o.id COLLATE "C") p
    ORDER BY n
    LIMIT (SELECT greatest(1, count(*) / 50) FROM revrtm_demo.opportunity);

    -- Of ten, eight are approved for 90 days from the creation of the deal,
    -- the ninth is declined, the tenth is in review.
    PERFORM d.status
    FROM (SELECT * FROM demo_pick ORDER BY demo_pick.n OFFSET 0) p
    CROSS JOIN LATERAL revrtm.register_deal(
        p.account_id, p.partner_id, ARRAY[p.family], ARRAY[p.region], p.amount, p.currency, p.close_date,
        jsonb_build_object('opportunity_id', p.id), '{"demo": true}', true) r
    CROSS JOIN LATERAL revrtm.approve_registration(
        r.registration_id, daterange(p.since, p.since + 90), 'The partner found the deal.') d
    WHERE p.n % 10 NOT IN (0, 9);
    -- They were submitted two days to three weeks before the deal was there.
    UPDATE revrtm.deal_registration r
    SET submitted_at = s.at, decided_at = s.at + interval '30 hours'
    FROM (SELECT p.account_id, (p.since - 2 - floor(20 * revrtm.demo_random(seed, 'submitted', p.n))::int)::timestamp
                               AT TIME ZONE 'UTC' + interval '9 hours' AS at
          FROM demo_pick p) s
    WHERE r.account_id = s.account_id AND r.status = 'approved' AND r.details @> '{"demo": true}';
    PERFORM d.status
    FROM (SELECT * FROM demo_pick ORDER BY demo_pick.n OFFSET 0) p
    CROSS JOIN LATERAL revrtm.register_deal(
        p.account_id, p.partner_id, ARRAY[p.family], ARRAY[p.region], p.amount, p.currency, p.close_date,
        jsonb_build_object('opportunity_id', p.id), '{"demo": true}', true) r
    CROSS JOIN LATERAL revrtm.reject_registration(
        r.registration_id, reason => 'The evidence does not name a contact.') d
    WHERE p.n % 10 = 9;
    PERFORM d.status
    FROM (SELECT * FROM demo_pick ORDER BY demo_pick.n OFFSET 0) p
    CROSS JOIN LATERAL revrtm.register_deal(
        p.account_id, p.partner_id, ARRAY[p.family], ARRAY[p.region], p.amount, p.currency, p.close_date,
        jsonb_build_object('opportunity_id', p.id), '{"demo": true}', true) r
    CROSS JOIN LATERAL revrtm.review_registration(r.registration_id) d
    WHERE p.n % 10 = 0;

    -- The open conflicts: a rival of the same region claims the account of
    -- an approved registration that protects into July, for all products.
    PERFORM r.status
    FROM (SELECT p.*, (SELECT a.id FROM revrtm_demo.account a
                       WHERE a.is_partner AND a.region_c = p.region AND a.id <> p.partner_id
                       ORDER BY a.id COLLATE "C" LIMIT 1) AS rival
          FROM demo_pick p
          WHERE p.n % 10 NOT IN (0, 9) AND p.since > date '2026-04-05'
          ORDER BY p.n LIMIT 8) p
    CROSS JOIN LATERAL revrtm.register_deal(
        p.account_id, p.rival, ARRAY['ANY'], ARRAY[p.region], p.amount, p.currency, p.close_date,
        jsonb_build_object('opportunity_id', p.id), '{"demo": true}', true) r;
    DROP TABLE demo_pick;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_programme(int) IS
'Fills revrtm''s own tables for the demo CRM: the channels of each route, the trees of regions and products, the role matrix where there is none, and registrations of one deal in fifty, of which up to eight conflict on 2026-07-01. Registrations of an earlier demo are removed; rows that are there are kept.';
