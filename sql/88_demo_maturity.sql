-- The demo's maturity: what its people say of themselves.

CREATE FUNCTION revrtm.make_demo_maturity() RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Which channels show what.
    INSERT INTO revrtm.loop_map (source, value, stage)
    VALUES ('channel', 'webinar', 'consideration'), ('channel', 'email_nurture', 'consideration'),
           ('channel', 'joint_webinar', 'consideration'), ('channel', 'partner_referral', 'consideration'),
           ('channel', 'ae_meeting', 'evaluation'), ('channel', 'demo', 'evaluation'),
           ('channel', 'co_sell_meeting', 'evaluation'),
           ('channel', 'paid_search', 'aware'), ('channel', 'content_syndication', 'aware'),
           ('channel', 'website', 'aware'), ('channel', 'event', 'aware'), ('channel', 'sdr_call', 'aware'),
           ('channel', 'partner_event', 'aware'), ('channel', 'partner_content', 'aware'),
           ('channel', 'reseller_promo', 'aware'), ('channel', 'marketplace_listing', 'aware'),
           ('channel', 'marketplace_promo', 'aware'),
           ('channel', 'partner_training', 'onboarding'), ('channel', 'reseller_training', 'onboarding')
    ON CONFLICT (source, value) DO NOTHING;

    -- What people say, at the start of 2025 and since April 2026, when they
    -- think better of themselves than the figures do.
    INSERT INTO revrtm.maturity_score (model, dimension, valid, score, scored_by, scored_at, reason)
    SELECT s.model, s.dimension, tstzrange(s.since AT TIME ZONE 'UTC', s.until AT TIME ZONE 'UTC'), s.score, 'council',
           s.since AT TIME ZONE 'UTC', s.reason
    FROM (VALUES
        ('enablement', 'route_to_market_strategy', timestamp '2025-01-01', timestamp '2026-04-01', 1.5, 'No role matrix yet.'),
        ('enablement', 'route_to_market_strategy', '2026-04-01', NULL, 3, 'The role matrix is in force, with gaps in Latin America.'),
        ('enablement', 'coverage_targeting', '2025-01-01', '2026-04-01', 1, 'Territories overlap.'),
        ('enablement', 'coverage_targeting', '2026-04-01', NULL, 2, 'Accounts have owners, partners do not overlay them yet.'),
        ('enablement', 'deal_registration', '2025-01-01', '2026-04-01', 2, 'Registrations come by mail.'),
        ('enablement', 'deal_registration', '2026-04-01', NULL, 3.5, 'Registrations are protected, and most decisions are fast.'),
        ('enablement', 'partner_enablement', '2025-01-01', '2026-04-01', 2, 'A kit for resellers only.'),
        ('enablement', 'partner_enablement', '2026-04-01', NULL, 3, 'Kits for every type, joint campaigns every quarter.'),
        ('enablement', 'direct_enablement', '2025-01-01', '2026-04-01', 2, 'One training for all.'),
        ('enablement', 'direct_enablement', '2026-04-01', NULL, 4, 'Plays by role, coached every week.'),
        ('enablement', 'attribution_compensation', '2025-01-01', '2026-04-01', 1, 'Every quarter credit is disputed.'),
        ('enablement', 'attribution_compensation', '2026-04-01', NULL, 3, 'Credit is computed; pay follows it by hand.'),
        ('rm6', 'strategy', '2026-04-01', NULL, 3, 'Pipeline is planned with sales.'),
        ('rm6', 'people', '2026-04-01', NULL, 2, 'Marketing owns leads, sales the rest.'),
        ('rm6', 'process', '2026-04-01', NULL, 2.5, 'Hand-over is agreed and not always kept.'),
        ('rm6', 'technology', '2026-04-01', NULL, 3, 'Touches, deals and partners are one record.'),
        ('rm6', 'customer', '2026-04-01', NULL, 1.5, 'Nothing is planned after onboarding.'),
        ('rm6', 'results', '2026-04-01', NULL, 2.5, 'Pipeline and win rate are reported.'),
        ('loop', 'aware', '2026-04-01', NULL, 3, 'Campaigns with partners.'),
        ('loop', 'consideration', '2026-04-01', NULL, 3, 'Discovery calls follow one guide.'),
        ('loop', 'evaluation', '2026-04-01', NULL, 3, 'Proofs of value are templates.'),
        ('loop', 'decision', '2026-04-01', NULL, 3, 'Close plans are shared with customers.'),
        ('loop', 'onboarding', '2026-04-01', NULL, 2, 'A welcome, and no more.'))
         s (model, dimension, since, until, score, reason)
    WHERE NOT EXISTS (SELECT FROM revrtm.maturity_score);
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_maturity() IS
'Fills the loop''s map of channels and the self scores for the demo; rows that are there are kept.';
