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

    -- A deal is sales qualified once there is a proposal.
    UPDATE revrtm.kpi_rule SET sqo_stages = '{Proposal}' WHERE shipped;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_programme(int) IS
'Fills revrtm''s own tables for the demo CRM: the channels of each route, the trees of regions and products, the role matrix where there is none, and the stage in which a deal is sales qualified. Rows that are there are kept.';
