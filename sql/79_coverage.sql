-- Who covers which accounts, and what potential is left.

-- Everything is known of an account and a product first, and then decided.
CREATE VIEW revrtm.whitespace WITH (security_invoker = true) AS
WITH hope AS (
    SELECT revrtm.canonical_account(t.account_id) AS account_id, t.product,
           sum(t.potential) AS potential, min(t.note) AS note
    -- No sub-select: the planner puts the function in place and knows its rows.
    FROM revrtm.tam_at(revrtm.as_of()) t
    WHERE t.account_id <> '(none)'
    GROUP BY 1, 2
), sold AS (
    SELECT revrtm.canonical_account(d.account_id) AS account_id, d.product,
           sum(d.amount) FILTER (WHERE d.is_closed AND d.is_won
               AND revrtm.local_date(d.ended_at) > ((SELECT revrtm.local_date(revrtm.as_of())) - interval '1 year')::date
               AND d.ended_at <= (SELECT revrtm.as_of())) AS won_amount,
           sum(d.amount) FILTER (WHERE NOT d.is_closed) AS open_amount,
           min(d.note) FILTER (WHERE d.note IN ('fx_missing', 'stale_fx')) AS note
    FROM revrtm.deal d
    GROUP BY 1, 2
), placed AS (
    -- A deal counts for the narrowest product of the account that contains its own.
    SELECT DISTINCT ON (s.account_id, s.product) s.account_id, h.product, s.won_amount, s.open_amount, s.note
    FROM sold s
    JOIN hope h ON h.account_id = s.account_id
    LEFT JOIN revrtm.product p ON p.product_id = s.product
    LEFT JOIN revrtm.product q ON q.product_id = h.product
    WHERE h.product IN (s.product, 'ANY') OR q.span @> p.span
    ORDER BY s.account_id, s.product, h.product IS DISTINCT FROM s.product,
             upper(q.span) - lower(q.span), h.product COLLATE "C"
), side AS (
    -- Facts are stacked and grouped rather than joined: no estimate can make that slow.
    SELECT f.account_id, bool_or(f.is_known) AS is_known, min(f.owner_id) AS owner_id, min(f.segment) AS segment,
           min(f.region) AS region, max(f.touched_at) AS touched_at,
           coalesce(bool_or(f.by_direct), false) AS by_direct, coalesce(bool_or(f.by_partner), false) AS by_partner
    FROM (SELECT a.account_id, true AS is_known, a.owner_id, nullif(a.segment, '') AS segment, nullif(a.region, '') AS region,
                 NULL::timestamptz AS touched_at, false AS by_direct, false AS by_partner
          FROM revrtm.account a
          WHERE a.deleted IS NOT TRUE
          UNION ALL
          SELECT revrtm.canonical_account(d.account_id), false, NULL, NULL, NULL, NULL,
                 d.partner_id IS NULL AND coalesce(r.kind::text, 'direct') = 'direct' OR r.kind = 'co_sell',
                 d.partner_id IS NOT NULL OR r.kind <> 'direct'
          FROM revrtm.deal d
          LEFT JOIN revrtm.route r ON r.route_id = d.route_id
          WHERE NOT d.is_closed
          UNION ALL
          SELECT revrtm.canonical_account(coalesce(t.account_id, c.account_id, d.account_id)), false, NULL, NULL, NULL,
                 t.touched_at, t.partner_id IS NULL AND coalesce(r.kind::text, 'direct') = 'direct' OR r.kind = 'co_sell',
                 t.partner_id IS NOT NULL OR r.kind <> 'direct'
          FROM revrtm.touch t
          -- DISTINCT: all read once rather than one by one.
          LEFT JOIN (SELECT DISTINCT k.contact_id, k.account_id FROM revrtm.contact k
                     WHERE k.deleted IS NOT TRUE AND k.account_id IS NOT NULL) c ON c.contact_id = t.contact_id
          LEFT JOIN revrtm.deal_journey d ON d.opportunity_id = t.opportunity_id
          LEFT JOIN revrtm.channel_map m ON m.channel = t.channel
          LEFT JOIN revrtm.route r ON r.route_id = coalesce(t.route_id, m.route_id)
          WHERE t.deleted IS NOT TRUE AND t.responded IS NOT FALSE
            -- IS TRUE: of a plain pair of bounds the planner would expect next to nothing.
            AND (t.touched_at <= (SELECT revrtm.as_of())) IS TRUE
            AND t.touched_at > (SELECT revrtm.as_of() - p.activity_days * interval '24 hours' FROM revrtm.portfolio_rule p)) f
    GROUP BY f.account_id
), known AS (
    SELECT h.*, coalesce(s.is_known, false) AS is_known, s.owner_id,
           coalesce(s.segment, '(none)') AS segment, coalesce(s.region, '(none)') AS region, s.touched_at,
           coalesce(s.by_direct, false) AS by_direct, coalesce(s.by_partner, false) AS by_partner
    FROM hope h
    LEFT JOIN side s ON s.account_id = h.account_id
), cell AS MATERIALIZED (
    SELECT c.segment, c.product, c.region, c.lead_route_id, n.play_id, c.product_id, c.region_id
    FROM (SELECT x.segment, x.product, x.region, p.product_id, p.span AS product_span, g.region_id, g.span AS region_span,
                 revrtm.lead_route(x.segment, coalesce(p.product_id, 'ANY'), coalesce(g.region_id, 'ANY'),
                                   (SELECT revrtm.as_of())) AS lead_route_id
          FROM (SELECT DISTINCT k.segment, k.product, k.region FROM known k) x
          LEFT JOIN revrtm.product p ON p.product_id = x.product
          LEFT JOIN revrtm.region g ON g.region_id = x.region
          OFFSET 0) c
    LEFT JOIN LATERAL (
        SELECT min(y.play_id COLLATE "C") AS play_id
        FROM revrtm.play y
        LEFT JOIN revrtm.product p ON p.product_id = y.product
        LEFT JOIN revrtm.region g ON g.region_id = y.region
        WHERE y.valid @> (SELECT revrtm.as_of()) AND y.route_id IN (c.lead_route_id, '(any)')
          AND y.segment IN ('ANY', c.segment)
          AND (y.product IN ('ANY', c.product) OR p.span @> c.product_span)
          AND (y.region IN ('ANY', c.region) OR g.span @> c.region_span)) n ON c.lead_route_id IS NOT NULL
), decided AS (
    -- Joined to one row each at most, by outer joins: their number is known
    -- whatever is estimated, and who asks for no money does not pay for it.
    SELECT k.account_id, k.product, k.potential, k.is_known, k.owner_id, k.segment, k.region, k.touched_at,
           k.by_direct, k.by_partner, c.lead_route_id, c.play_id, c.product_id, c.region_id,
           c.lead_route_id IS NOT NULL AND k.owner_id IS NOT NULL AS is_led,
           coalesce(m.won_amount, 0) AS won_amount, coalesce(m.open_amount, 0) AS open_amount,
           greatest(k.potential - coalesce(m.won_amount, 0) - coalesce(m.open_amount, 0), 0) AS whitespace,
           least(k.note, m.note) AS note
    FROM known k
    LEFT JOIN cell c ON c.segment = k.segment AND c.product = k.product AND c.region = k.region
    LEFT JOIN (SELECT p.account_id, p.product, sum(p.won_amount) AS won_amount, sum(p.open_amount) AS open_amount, min(p.note) AS note
               FROM placed p
               GROUP BY p.account_id, p.product) m ON m.account_id = k.account_id AND m.product = k.product
)
SELECT quote_ident(d.account_id) || ':' || quote_ident(d.product) AS whitespace_key,
       d.account_id,
       d.product,
       d.segment,
       d.region,
       d.owner_id,
       d.potential::numeric(20, 4) AS potential,
       d.won_amount::numeric(20, 4) AS won_amount,
       d.open_amount::numeric(20, 4) AS open_amount,
       d.whitespace::numeric(20, 4) AS whitespace,
       d.lead_route_id,
       d.play_id,
       d.touched_at,
       CASE WHEN NOT d.is_led THEN 'none'
            WHEN d.by_direct AND d.by_partner THEN 'both'
            WHEN d.by_direct THEN 'direct_only'
            WHEN d.by_partner THEN 'partner_only'
            ELSE 'none' END::text AS reach,
       d.lead_route_id IS NOT NULL AND d.play_id IS NOT NULL AND d.touched_at IS NOT NULL AS is_worked,
       nullif(concat_ws(', ', d.note,
              CASE WHEN NOT d.is_known THEN 'unknown_account' WHEN d.owner_id IS NULL THEN 'no_owner' END,
              CASE WHEN d.lead_route_id IS NULL THEN 'no_lead' WHEN d.play_id IS NULL THEN 'no_play' END,
              CASE WHEN NOT (d.by_direct OR d.by_partner) THEN 'no_activity' END,
              CASE WHEN d.product <> 'ANY' AND d.product_id IS NULL THEN 'unknown_product' END,
              CASE WHEN d.is_known AND d.region_id IS NULL THEN 'unknown_region' END), '') AS note
FROM decided d;
COMMENT ON VIEW revrtm.whitespace IS
'What accounts could still buy, and whether anybody is at it: potential, what was bought in the last twelve months, what is in the pipeline, and who covers the account. Deals come from the store; of touches only those of the last activity_days are read. Grain: account x product of revrtm.tam, merged accounts as one.';
COMMENT ON COLUMN revrtm.whitespace.whitespace_key IS 'account_id:product.';
COMMENT ON COLUMN revrtm.whitespace.account_id IS 'The account, the survivor of merges.';
COMMENT ON COLUMN revrtm.whitespace.product IS 'The product that the potential is of, with all below it; ANY for all.';
COMMENT ON COLUMN revrtm.whitespace.segment IS 'Segment of the account; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.whitespace.region IS 'Region of the account; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.whitespace.owner_id IS 'Owner of the account in the CRM.';
COMMENT ON COLUMN revrtm.whitespace.potential IS 'Potential a year in revrtm.currency; NULL without a rate.';
COMMENT ON COLUMN revrtm.whitespace.won_amount IS
'Amount won in the twelve months up to today (revrtm.as_of), in revrtm.currency; a deal counts for the narrowest product of the account''s rows that contains its own.';
COMMENT ON COLUMN revrtm.whitespace.open_amount IS 'Open pipeline, likewise.';
COMMENT ON COLUMN revrtm.whitespace.whitespace IS 'potential - won_amount - open_amount, at least 0; NULL without potential.';
COMMENT ON COLUMN revrtm.whitespace.lead_route_id IS 'The route that leads there by the role matrix; NULL where none does.';
COMMENT ON COLUMN revrtm.whitespace.play_id IS 'A play of that route for the segment, product and region, the first bytewise; NULL without one.';
COMMENT ON COLUMN revrtm.whitespace.touched_at IS 'Latest touch of the account in the last activity_days; NULL without one.';
COMMENT ON COLUMN revrtm.whitespace.reach IS
'direct_only, partner_only, both or none: who works on the account, by a touch in the last activity_days or an open deal, given that a route leads and the account has an owner; else none. A co-sell deal or touch is of both.';
COMMENT ON COLUMN revrtm.whitespace.is_worked IS 'Whether a route leads, a play is there, and the account was touched.';
COMMENT ON COLUMN revrtm.whitespace.note IS
'What is missing: fx_missing, stale_fx, unknown_account, no_owner, no_lead, no_play, no_activity, unknown_product, unknown_region, those that apply, or NULL.';

CREATE VIEW revrtm.coverage WITH (security_invoker = true) AS
SELECT quote_ident(w.segment) || ':' || quote_ident(w.product) || ':' || quote_ident(w.region) AS coverage_key,
       w.segment,
       w.product,
       w.region,
       count(*) AS accounts,
       count(*) FILTER (WHERE w.reach <> 'none') AS covered,
       count(*) FILTER (WHERE w.reach = 'direct_only') AS direct_only,
       count(*) FILTER (WHERE w.reach = 'partner_only') AS partner_only,
       count(*) FILTER (WHERE w.reach = 'both') AS both_sides,
       count(*) FILTER (WHERE w.reach = 'none') AS neither,
       revrtm.ratio(count(*) FILTER (WHERE w.reach <> 'none'), count(*))::numeric(12, 6) AS coverage_accounts,
       coalesce(sum(w.potential), 0)::numeric(20, 4) AS potential,
       coalesce(sum(w.potential) FILTER (WHERE w.reach <> 'none'), 0)::numeric(20, 4) AS covered_potential,
       coalesce(sum(w.potential) FILTER (WHERE w.reach = 'direct_only'), 0)::numeric(20, 4) AS direct_only_potential,
       coalesce(sum(w.potential) FILTER (WHERE w.reach = 'partner_only'), 0)::numeric(20, 4) AS partner_only_potential,
       coalesce(sum(w.potential) FILTER (WHERE w.reach = 'both'), 0)::numeric(20, 4) AS both_sides_potential,
       coalesce(sum(w.potential) FILTER (WHERE w.reach = 'none'), 0)::numeric(20, 4) AS neither_potential,
       revrtm.ratio(coalesce(sum(w.potential) FILTER (WHERE w.reach <> 'none'), 0),
                    sum(w.potential))::numeric(12, 6) AS coverage_value,
       revrtm.ratio_note(sum(w.potential), 'no_potential') AS note
FROM revrtm.whitespace w
GROUP BY w.segment, w.product, w.region;
COMMENT ON VIEW revrtm.coverage IS
'How much of the potential somebody works on. Grain: segment x product x region of accounts with a potential. Accounts with potentials of several products count in each.';
COMMENT ON COLUMN revrtm.coverage.coverage_key IS 'segment:product:region.';
COMMENT ON COLUMN revrtm.coverage.segment IS 'Segment of the accounts.';
COMMENT ON COLUMN revrtm.coverage.product IS 'Product that the potential is of.';
COMMENT ON COLUMN revrtm.coverage.region IS 'Region of the accounts.';
COMMENT ON COLUMN revrtm.coverage.accounts IS 'Accounts with a potential of the product; direct_only, partner_only, both_sides and neither sum to them.';
COMMENT ON COLUMN revrtm.coverage.covered IS 'Accounts that are covered: whitespace.reach is not none.';
COMMENT ON COLUMN revrtm.coverage.direct_only IS 'Accounts that the direct route alone works on.';
COMMENT ON COLUMN revrtm.coverage.partner_only IS 'Accounts that partners alone work on.';
COMMENT ON COLUMN revrtm.coverage.both_sides IS 'Accounts that both work on.';
COMMENT ON COLUMN revrtm.coverage.neither IS 'Accounts that nobody covers.';
COMMENT ON COLUMN revrtm.coverage.coverage_accounts IS 'covered / accounts.';
COMMENT ON COLUMN revrtm.coverage.potential IS 'Potential of the accounts in revrtm.currency.';
COMMENT ON COLUMN revrtm.coverage.covered_potential IS 'Potential of those that are covered.';
COMMENT ON COLUMN revrtm.coverage.direct_only_potential IS 'Potential of those that the direct route alone works on.';
COMMENT ON COLUMN revrtm.coverage.partner_only_potential IS 'Potential of those that partners alone work on.';
COMMENT ON COLUMN revrtm.coverage.both_sides_potential IS 'Potential of those that both work on.';
COMMENT ON COLUMN revrtm.coverage.neither_potential IS 'Potential of those that nobody covers.';
COMMENT ON COLUMN revrtm.coverage.coverage_value IS 'covered_potential / potential; NULL where the potential is 0 or not known.';
COMMENT ON COLUMN revrtm.coverage.note IS 'no_potential, or NULL.';

CREATE VIEW revrtm.whitespace_coverage WITH (security_invoker = true) AS
SELECT quote_ident(w.segment) || ':' || quote_ident(w.product) || ':' || quote_ident(w.region) AS whitespace_coverage_key,
       w.segment,
       w.product,
       w.region,
       count(*) FILTER (WHERE w.whitespace > 0) AS accounts,
       count(*) FILTER (WHERE w.whitespace > 0 AND w.is_worked) AS worked,
       coalesce(sum(w.whitespace), 0)::numeric(20, 4) AS whitespace,
       coalesce(sum(w.whitespace) FILTER (WHERE w.is_worked), 0)::numeric(20, 4) AS worked_whitespace,
       revrtm.ratio(coalesce(sum(w.whitespace) FILTER (WHERE w.is_worked), 0),
                    sum(w.whitespace))::numeric(12, 6) AS whitespace_coverage,
       revrtm.ratio_note(sum(w.whitespace), 'no_whitespace') AS note
FROM revrtm.whitespace w
GROUP BY w.segment, w.product, w.region;
COMMENT ON VIEW revrtm.whitespace_coverage IS
'How much of the whitespace has a leading route, a play and a touch. Grain: segment x product x region of accounts with a potential.';
COMMENT ON COLUMN revrtm.whitespace_coverage.whitespace_coverage_key IS 'segment:product:region.';
COMMENT ON COLUMN revrtm.whitespace_coverage.segment IS 'Segment of the accounts.';
COMMENT ON COLUMN revrtm.whitespace_coverage.product IS 'Product that the potential is of.';
COMMENT ON COLUMN revrtm.whitespace_coverage.region IS 'Region of the accounts.';
COMMENT ON COLUMN revrtm.whitespace_coverage.accounts IS 'Accounts with whitespace of the product.';
COMMENT ON COLUMN revrtm.whitespace_coverage.worked IS 'Those where a route leads, a play is there, and a touch in the last activity_days.';
COMMENT ON COLUMN revrtm.whitespace_coverage.whitespace IS 'Their whitespace in revrtm.currency.';
COMMENT ON COLUMN revrtm.whitespace_coverage.worked_whitespace IS 'That of the worked ones.';
COMMENT ON COLUMN revrtm.whitespace_coverage.whitespace_coverage IS 'worked_whitespace / whitespace; NULL without whitespace.';
COMMENT ON COLUMN revrtm.whitespace_coverage.note IS 'no_whitespace, or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('coverage', 'accounts', 'accounts', false),
('coverage', 'both_sides', 'accounts', false),
('coverage', 'both_sides_potential', 'reporting currency', true),
('coverage', 'coverage_accounts', 'share', false),
('coverage', 'coverage_value', 'share', false),
('coverage', 'covered', 'accounts', false),
('coverage', 'covered_potential', 'reporting currency', true),
('coverage', 'direct_only', 'accounts', false),
('coverage', 'direct_only_potential', 'reporting currency', true),
('coverage', 'neither', 'accounts', false),
('coverage', 'neither_potential', 'reporting currency', true),
('coverage', 'partner_only', 'accounts', false),
('coverage', 'partner_only_potential', 'reporting currency', true),
('coverage', 'potential', 'reporting currency', true),
('whitespace', 'open_amount', 'reporting currency', true),
('whitespace', 'potential', 'reporting currency', true),
('whitespace', 'whitespace', 'reporting currency', true),
('whitespace', 'won_amount', 'reporting currency', true),
('whitespace_coverage', 'accounts', 'accounts', false),
('whitespace_coverage', 'whitespace', 'reporting currency', true),
('whitespace_coverage', 'whitespace_coverage', 'share', false),
('whitespace_coverage', 'worked', 'accounts', false),
('whitespace_coverage', 'worked_whitespace', 'reporting currency', true);
