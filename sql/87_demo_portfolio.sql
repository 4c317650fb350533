-- The demo's portfolio: what there is to win, the targets, tiers and
-- territories, the plays, and the lists that two partners share.

CREATE FUNCTION revrtm.make_demo_portfolio(seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
AS $$
BEGIN
    -- Of an earlier demo.
    DELETE FROM revrtm.account_tier t
    WHERE EXISTS (SELECT FROM revrtm.tam k WHERE k.account_id = t.account_id AND k.source = 'demo');
    DELETE FROM revrtm.holdover h
    WHERE EXISTS (SELECT FROM revrtm.tam k WHERE k.account_id = h.account_id AND k.source = 'demo');
    DELETE FROM revrtm.territory_account t
    WHERE EXISTS (SELECT FROM revrtm.tam k WHERE k.account_id = t.account_id AND k.source = 'demo');
    DELETE FROM revrtm.tam k WHERE k.source = 'demo';
    DELETE FROM revrtm.partner_account p WHERE p.entry_id LIKE 'demo-%';

    -- An account's potential goes with its segment; that of a market is four
    -- times what is known of its accounts.
    INSERT INTO revrtm.tam (account_id, product, as_of, potential, source)
    SELECT a.account_id, f.product, date '2026-01-01',
           round((CASE a.segment WHEN 'enterprise' THEN 260000 WHEN 'mid' THEN 75000 ELSE 18000 END * f.part
                  * (0.4 + 1.2 * revrtm.demo_random(seed, 'potential ' || f.product, row_number() OVER byid)))::numeric, -2),
           'demo'
    FROM revrtm.account a
    CROSS JOIN (VALUES ('platform', 0.6), ('security', 0.3)) f (product, part)
    WHERE a.is_partner IS NOT TRUE AND a.deleted IS NOT TRUE AND revrtm.canonical_account(a.account_id) = a.account_id
    WINDOW byid AS (PARTITION BY f.product ORDER BY a.account_id COLLATE "C")
    ON CONFLICT DO NOTHING;
    INSERT INTO revrtm.tam (segment, product, region, as_of, potential, source)
    SELECT a.segment, k.product, a.region, date '2026-01-01', 4 * sum(k.potential), 'demo'
    FROM revrtm.tam k JOIN revrtm.account a ON a.account_id = k.account_id
    WHERE k.source = 'demo' AND a.segment <> '' AND a.region <> ''
    GROUP BY a.segment, k.product, a.region
    ON CONFLICT DO NOTHING;

    -- Each month of 2026 a sixth more than the average month of 2025.
    INSERT INTO revrtm.target (route_id, period, metric, value)
    SELECT coalesce(o.route_id, '(any)'), m.period, 'revenue',
           round(sum(revrtm.reporting_amount(o.amount, o.currency, o.close_date)) / 12 * 7 / 6, -2)
    FROM revrtm.opportunity o
    CROSS JOIN revrtm.months(date '2026-01-01', date '2026-12-01') m (period)
    WHERE o.is_won AND o.deleted IS NOT TRUE AND o.close_date BETWEEN date '2025-01-01' AND date '2025-12-31'
    GROUP BY GROUPING SETS ((m.period, o.route_id), (m.period))
    HAVING sum(o.amount) > 0
    ON CONFLICT DO NOTHING;

    -- Companies of some size in three industries fit best.
    UPDATE revrtm.portfolio_rule
    SET fit = '[{"field": "employees", "op": ">=", "value": 200}, {"field": "industry", "op": "in", "value": ["Banking", "Healthcare", "Technology"]}]'
    WHERE shipped;
    IF NOT EXISTS (SELECT FROM revrtm.account_tier) THEN
        PERFORM revrtm.refresh_account_tiers(at)
        FROM unnest('{2026-01-01 00:00:00+00,2026-04-01 00:00:00+00,2026-07-01 00:00:00+00}'::timestamptz[]) WITH ORDINALITY u (at, n)
        ORDER BY n;
    END IF;

    -- A territory a region, with an owner of the region and a partner beside.
    -- Not right on purpose: the shares in Asia and the Pacific leave a tenth,
    -- and since April nobody owns Latin America.
    INSERT INTO revrtm.territory (territory_id, territory_name)
    VALUES ('na', 'North America'), ('emea', 'Europe, Middle East and Africa'), ('apac', 'Asia and Pacific'),
           ('latam', 'Latin America'), ('strategic', 'Strategic accounts')
    ON CONFLICT (territory_id) DO NOTHING;
    INSERT INTO revrtm.territory_assignment (assignment_id, territory_id, member_id, member_kind, kind, share, valid)
    SELECT md5('demo ' || t.territory_id || ' ' || m.kind)::uuid, t.territory_id, m.member_id, m.member_kind, m.kind,
           CASE WHEN m.kind = 'primary' THEN 1 ELSE 0 END + CASE WHEN t.territory_id = 'strategic' THEN 0
               WHEN m.kind = 'overlay' THEN 0.2 WHEN t.territory_id = 'apac' THEN -0.3 ELSE -0.2 END,
           CASE WHEN t.territory_id = 'latam' AND m.kind = 'primary'
                THEN tstzrange(NULL, '2026-04-01 00:00:00+00') ELSE '(,)' END
    FROM unnest('{na,emea,apac,latam,strategic}'::text[]) t (territory_id)
    CROSS JOIN LATERAL (
        (SELECT u.user_id, 'user', 'primary'
         FROM revrtm.app_user u
         WHERE u.is_active AND (u.region = t.territory_id OR t.territory_id = 'strategic')
         ORDER BY t.territory_id = 'strategic' AND u.manager_id IS NOT NULL, u.user_id COLLATE "C" LIMIT 1)
        UNION ALL
        (SELECT p.partner_id, 'partner', 'overlay'
         FROM revrtm.partner p WHERE p.region = t.territory_id ORDER BY p.partner_id COLLATE "C" LIMIT 1)) m (member_id, member_kind, kind)
    WHERE NOT EXISTS (SELECT FROM revrtm.territory_assignment);
    INSERT INTO revrtm.territory_account (account_id, territory_id)
    SELECT a.account_id, a.region
    FROM revrtm.account a
    WHERE a.region IN ('na', 'emea', 'apac', 'latam') AND a.is_partner IS NOT TRUE AND a.deleted IS NOT TRUE
      AND revrtm.canonical_account(a.account_id) = a.account_id
    ON CONFLICT DO NOTHING;

    -- In June the large accounts of tier 1 with an open deal went to the
    -- strategic team, up to five. Deals of 20000 and more stay for 60 days.
    UPDATE revrtm.holdover_policy
    SET eligible = '[{"field": "amount", "op": ">=", "value": 20000}]', max_deals = 2
    WHERE shipped;
    PERFORM h.opportunity_id
    FROM (SELECT t.account_id, k.territory_id
          FROM revrtm.account_tier t
          JOIN revrtm.territory_account k ON k.account_id = t.account_id AND upper_inf(k.valid)
          WHERE t.tier = 1 AND t.valid @> timestamptz '2026-06-15 00:00:00+00'
            AND EXISTS (SELECT FROM revrtm.opportunity o
                        WHERE o.account_id = t.account_id AND NOT o.is_closed AND o.deleted IS NOT TRUE)
          ORDER BY t.score DESC, t.account_id COLLATE "C" LIMIT 5) a
    CROSS JOIN LATERAL revrtm.handoff(a.account_id, a.territory_id, 'strategic', '2026-06-15 00:00:00+00') h;

    -- Plays by route. The marketplace has none, and none is for adoption.
    INSERT INTO revrtm.play (play_id, play_name, route_id, stage, segment, product, entry, exit)
    VALUES
    ('direct-enterprise', 'Executive evaluation', 'direct', 'evaluation', 'enterprise', 'ANY',
     '[{"field": "amount", "op": ">=", "value": 30000}, {"field": "employees", "op": ">=", "value": 200}]',
     '[{"field": "channels", "op": "contains", "value": "ae_meeting"}, {"field": "channels", "op": "contains", "value": "demo"}]'),
    ('direct-platform', 'Inbound to proposal', 'direct', 'consideration', 'ANY', 'platform',
     '[{"field": "segment", "op": "in", "value": ["smb", "mid"]}]',
     '[{"field": "touches", "op": ">=", "value": 3}, {"field": "cycle_days", "op": "<=", "value": 120}]'),
    ('partner-lead', 'Partner lead to meeting', 'partner_sourced', 'aware', 'ANY', 'ANY',
     '[{"field": "partner_id", "op": "exists"}, {"field": "amount", "op": ">=", "value": 5000}]',
     '[{"field": "channels", "op": "contains", "value": "ae_meeting"}]'),
    ('co-sell-joint', 'Joint account plan', 'co_sell', 'decision', 'ANY', 'ANY',
     '[{"field": "partner_id", "op": "exists"}, {"field": "segment", "op": "!=", "value": "smb"}]',
     '[{"field": "channels", "op": "contains", "value": "co_sell_meeting"}, {"field": "margin", "op": ">", "value": 0}]'),
    ('resell-renewal', 'Renewal through resellers', 'resell', 'loyalty', 'ANY', 'ANY',
     '[{"field": "deal_type", "op": "in", "value": ["Renewal", "Expansion"]}]',
     '[{"field": "is_won", "op": "=", "value": true}]')
    ON CONFLICT (play_id) DO NOTHING;

    -- Two partners list every fourth account: one in plain text, with
    -- spellings of its own, one by keys salted with "demo".
    INSERT INTO revrtm.partner_account (partner_id, entry_id, population, account_name, domain, country, domain_key, name_key, value)
    SELECT p.partner_id, 'demo-' || a.n, (ARRAY['customer', 'open_opportunity', 'prospect', 'prospect'])[1 + a.n / 8 % 4],
           CASE WHEN p.n = 1 THEN upper(a.account_name COLLATE "C") END,
           CASE WHEN p.n = 1 AND a.n % 3 > 0 THEN 'https://www.' || a.domain || '/' END,
           CASE WHEN p.n = 1 THEN a.country END,
           CASE WHEN p.n = 2 THEN revrtm.domain_key(a.domain, 'demo') END,
           CASE WHEN p.n = 2 THEN coalesce(revrtm.name_key(a.account_name, a.country, 'demo'), 'none') END,
           1000 * (1 + a.n % 50)
    FROM (SELECT k.*, row_number() OVER (ORDER BY k.account_id COLLATE "C") AS n
          FROM revrtm.account k WHERE k.is_partner IS NOT TRUE AND k.deleted IS NOT TRUE) a
    JOIN (SELECT k.partner_id, row_number() OVER (ORDER BY k.partner_id COLLATE "C") AS n FROM revrtm.partner k) p
      ON a.n % 4 = p.n
    WHERE p.n <= 2;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_portfolio(int) IS
'Fills the portfolio for the demo CRM, which is bound: potential of accounts and markets, targets of 2026, tiers of three quarters, territories with a handoff in June 2026, plays, and the lists of two partners. What an earlier demo made of accounts is replaced; other rows that are there are kept.';
