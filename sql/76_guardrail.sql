-- Discount guardrails: how much may be given away, of what, to whom, and who
-- may allow more.

CREATE TABLE revrtm.discount_kind (
    discount    text PRIMARY KEY CHECK (discount <> ''),
    stack_group text NOT NULL CHECK (stack_group <> ''),
    shipped     boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.discount_kind', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.discount_kind IS
'Which discounts exclude each other: of a group the greatest counts. One that is not here is a group of its own. Grain: one discount.';
COMMENT ON COLUMN revrtm.discount_kind.discount IS 'Name of the discount, as quotes name it.';
COMMENT ON COLUMN revrtm.discount_kind.stack_group IS 'Its group.';
COMMENT ON COLUMN revrtm.discount_kind.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.discount_kind (discount, stack_group, shipped) VALUES
('tier', 'partner', true), ('registration', 'registration', true),
('promotion', 'promotion', true), ('spiff', 'promotion', true),
('volume', 'volume', true), ('competitive', 'registration', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.discount_kind
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('discount');
SELECT revrtm.register_policy('revrtm.discount_kind');

CREATE TABLE revrtm.discount_guardrail (
    guardrail_id text PRIMARY KEY CHECK (octet_length(guardrail_id) BETWEEN 1 AND 255),
    route_id     text CHECK (octet_length(route_id) BETWEEN 1 AND 255),
    tier         text CHECK (octet_length(tier) BETWEEN 1 AND 255),
    product_code text CHECK (octet_length(product_code) BETWEEN 1 AND 255),
    region_code  text CHECK (octet_length(region_code) BETWEEN 1 AND 255),
    max_discount numeric NOT NULL CHECK (max_discount BETWEEN 0 AND 1),
    floor_margin numeric CHECK (floor_margin BETWEEN -1000 AND 1),
    stacking     text NOT NULL DEFAULT 'add' CHECK (stacking IN ('add', 'compound')),
    priority     integer NOT NULL DEFAULT 0,
    valid        tstzrange NOT NULL DEFAULT '(,)' CHECK (NOT isempty(valid) AND NOT upper_inc(valid)
        AND (lower_inf(valid) OR lower_inc(valid)))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.discount_guardrail', '');
SELECT revrtm.register_policy('revrtm.discount_guardrail');
COMMENT ON TABLE revrtm.discount_guardrail IS
'The greatest discount and the least margin, by route, tier, product and region. Of those that apply one decides: of the highest priority, then of the narrowest product, the narrowest region, with a tier, with a route, then the first by guardrail_id bytewise. Grain: one guardrail.';
COMMENT ON COLUMN revrtm.discount_guardrail.guardrail_id IS 'Name of the guardrail, 1 to 255 bytes; answers tell it.';
COMMENT ON COLUMN revrtm.discount_guardrail.route_id IS 'Route to market; NULL for any.';
COMMENT ON COLUMN revrtm.discount_guardrail.tier IS 'Tier of the partner; NULL for any, and for none.';
COMMENT ON COLUMN revrtm.discount_guardrail.product_code IS 'Node of revrtm.product, which stands for all below it; NULL for any product, one that is no node included.';
COMMENT ON COLUMN revrtm.discount_guardrail.region_code IS 'Node of revrtm.region, likewise.';
COMMENT ON COLUMN revrtm.discount_guardrail.max_discount IS 'The greatest discount off the list price that needs no approval, 0 to 1.';
COMMENT ON COLUMN revrtm.discount_guardrail.floor_margin IS
'The least margin that needs no approval: (net - cost) / net, as margin_of_net of price_waterfall; NULL for no floor. Not asked where the margin is not known.';
COMMENT ON COLUMN revrtm.discount_guardrail.stacking IS 'How the groups of discounts stack: add, or compound, 1 - the product of (1 - d).';
COMMENT ON COLUMN revrtm.discount_guardrail.priority IS 'The highest that applies decides.';
COMMENT ON COLUMN revrtm.discount_guardrail.valid IS 'When it holds, [from, until).';

CREATE TABLE revrtm.discount_approval (
    guardrail_id text NOT NULL CHECK (octet_length(guardrail_id) BETWEEN 1 AND 255),
    level        integer NOT NULL CHECK (level > 0),
    approver     text NOT NULL CHECK (approver <> ''),
    max_discount numeric NOT NULL CHECK (max_discount BETWEEN 0 AND 1),
    floor_margin numeric CHECK (floor_margin BETWEEN -1000 AND 1),
    PRIMARY KEY (guardrail_id, level)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.discount_approval', '');
SELECT revrtm.register_policy('revrtm.discount_approval');
COMMENT ON TABLE revrtm.discount_approval IS
'Who may allow more than a guardrail does, and how much: the lowest level that suffices is asked. Grain: one level of one guardrail.';
COMMENT ON COLUMN revrtm.discount_approval.guardrail_id IS 'The guardrail.';
COMMENT ON COLUMN revrtm.discount_approval.level IS 'The level, from 1.';
COMMENT ON COLUMN revrtm.discount_approval.approver IS 'Who approves at it, such as sales_director.';
COMMENT ON COLUMN revrtm.discount_approval.max_discount IS 'The greatest discount that it may allow.';
COMMENT ON COLUMN revrtm.discount_approval.floor_margin IS 'The least margin that it may allow; NULL for any.';

CREATE FUNCTION revrtm.discounts_are_valid(discounts jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(discounts) IS DISTINCT FROM 'object'
       OR EXISTS (SELECT FROM jsonb_each(discounts) e WHERE jsonb_typeof(e.value) <> 'number') THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (SELECT FROM jsonb_each_text(discounts) e WHERE e.value::numeric NOT BETWEEN 0 AND 1);
END
$$;
COMMENT ON FUNCTION revrtm.discounts_are_valid(jsonb) IS 'Whether it is an object of discounts by name, each a number from 0 to 1.';

CREATE FUNCTION revrtm.stacked_discount(discounts jsonb, stacking text DEFAULT 'add') RETURNS numeric
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part numeric;
    total numeric := 0;
    paid numeric := 1;
BEGIN
    IF NOT revrtm.discounts_are_valid(discounts) THEN
        RAISE EXCEPTION 'invalid discounts'
            USING ERRCODE = '22023', HINT = 'They are an object of shares of the list price, as in {"registration": 0.2, "promotion": 0.05}.';
    ELSIF stacking IS NULL OR stacking NOT IN ('add', 'compound') THEN
        RAISE EXCEPTION 'stacking must be add or compound' USING ERRCODE = '22023';
    END IF;
    FOR part IN
        SELECT max(e.value::numeric)
        FROM jsonb_each_text(discounts) e LEFT JOIN revrtm.discount_kind k ON k.discount = e.key
        GROUP BY k.stack_group, CASE WHEN k.stack_group IS NULL THEN e.key END
    LOOP
        total := total + part;
        paid := paid * (1 - part);
    END LOOP;
    RETURN trim_scale(CASE stacking WHEN 'add' THEN total ELSE 1 - paid END);
END
$$;
COMMENT ON FUNCTION revrtm.stacked_discount(jsonb, text) IS
'The one discount that several make: of each group of discount_kind the greatest, the groups added, or compound, 1 - the product of (1 - d); exact. 22023 for what are no discounts.';

CREATE FUNCTION revrtm.discount_check(list_amount numeric, discounts jsonb, route_id text DEFAULT NULL,
    tier text DEFAULT NULL, product text DEFAULT NULL, region text DEFAULT NULL, cost numeric DEFAULT NULL,
    kept numeric DEFAULT 0, factor numeric DEFAULT 1, at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (verdict text, guardrail_id text, discount numeric, amount numeric, margin numeric,
    level integer, approver text, reason_code text, detail text)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 1
BEGIN ATOMIC
    SELECT CASE WHEN c.reason IS NULL THEN 'allowed' WHEN l.level IS NOT NULL THEN 'approval' ELSE 'refused' END,
           c.guardrail_id, c.discount, c.amount, c.margin, l.level, l.approver,
           coalesce(c.reason, CASE WHEN c.guardrail_id IS NULL THEN 'NO_GUARDRAIL'
                                   WHEN c.floor_margin IS NOT NULL AND (c.net - discount_check.cost) IS NULL THEN 'MARGIN_UNKNOWN' END),
           CASE WHEN c.guardrail_id IS NULL THEN 'No guardrail applies.'
                ELSE concat_ws(' ', CASE c.reason
                        WHEN 'DISCOUNT' THEN pg_catalog.format('The discount of %s is above %s.', c.discount, trim_scale(c.max_discount))
                        WHEN 'MARGIN' THEN pg_catalog.format('The margin is below its floor at a discount of %s.', c.discount)
                        ELSE pg_catalog.format('The discount of %s is within %s.', c.discount, trim_scale(c.max_discount)) END,
                     CASE WHEN c.reason IS NULL THEN NULL WHEN l.level IS NULL THEN 'Nobody may approve it.'
                          ELSE pg_catalog.format('Level %s, %s, may approve it.', l.level, l.approver) END) END
    FROM (SELECT m.*, CASE WHEN m.discount > m.max_discount THEN 'DISCOUNT'
                           WHEN m.net - discount_check.cost < m.floor_margin * m.net THEN 'MARGIN' END AS reason,
                 CASE WHEN m.net > 0 THEN pg_catalog.round(revrtm.ratio(m.net - discount_check.cost, m.net), 9) END AS margin
          FROM (SELECT a.*, a.amount - discount_check.kept AS net
                FROM (SELECT g.guardrail_id, g.floor_margin, g.max_discount * discount_check.factor AS max_discount, d.discount,
                             trim_scale(discount_check.list_amount * (1 - d.discount)) AS amount
                      FROM (VALUES (0)) v
                      LEFT JOIN LATERAL (
                          SELECT r.*
                          FROM revrtm.discount_guardrail r
                          LEFT JOIN revrtm.product rp ON rp.product_id = r.product_code
                          LEFT JOIN revrtm.region rr ON rr.region_id = r.region_code
                          LEFT JOIN revrtm.product p ON p.product_id = discount_check.product
                          LEFT JOIN revrtm.region g ON g.region_id = discount_check.region
                          WHERE (r.route_id IS NULL OR r.route_id = discount_check.route_id)
                            AND (r.tier IS NULL OR r.tier = discount_check.tier)
                            AND (r.product_code IS NULL OR rp.span @> p.span)
                            AND (r.region_code IS NULL OR rr.span @> g.span)
                            AND r.valid @> discount_check.at
                          ORDER BY r.priority DESC, upper(rp.span) - lower(rp.span), upper(rr.span) - lower(rr.span),
                                   r.tier IS NULL, r.route_id IS NULL, r.guardrail_id COLLATE "C"
                          LIMIT 1) g ON true
                      CROSS JOIN LATERAL (
                          -- OFFSET: once, not wherever it is named.
                          SELECT revrtm.stacked_discount(discount_check.discounts, coalesce(g.stacking, 'add')) AS discount
                          OFFSET 0) d) a) m) c
    LEFT JOIN LATERAL (
        SELECT y.level, y.approver
        FROM revrtm.discount_approval y
        WHERE c.reason IS NOT NULL AND y.guardrail_id = c.guardrail_id
          AND c.discount <= y.max_discount * discount_check.factor
          AND (c.net - discount_check.cost < y.floor_margin * c.net) IS NOT TRUE
        ORDER BY y.level
        LIMIT 1) l ON true;
END;
COMMENT ON FUNCTION revrtm.discount_check(numeric, jsonb, text, text, text, text, numeric, numeric, numeric, timestamptz) IS
'What the guardrails say of a quote: verdict allowed, approval (level and approver: the lowest that suffices) or refused, and the guardrail that decided. discounts are shares of list_amount by name, see stacked_discount; amount is list_amount less discount; margin is (amount - kept - cost) / (amount - kept), where kept is what partners and marketplaces keep; NULL without list_amount or cost, and where nothing is left of amount, which is below every floor unless it cost nothing either. factor is the part of the greatest discounts that may be had, 0.5 for a second registrant. reason_code is DISCOUNT (above max_discount), MARGIN (below floor_margin), and of what is allowed NO_GUARDRAIL, MARGIN_UNKNOWN (the floor was not asked) or NULL. 22023 for what are no discounts.';

-- What the rules may ask; called by their code with the rights of the tables'
-- owner, and by nobody else. A registration is asked about in every kind of
-- cell of its scope: its codes, and the nodes below them that guardrails name.
CREATE FUNCTION revrtm.guardrail_fact(partner_id text, product_codes text[], region_codes text[], route_id text,
    discounts jsonb, factor numeric, at timestamptz)
RETURNS TABLE (verdict text, detail text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    IF NOT revrtm.discounts_are_valid(discounts) THEN
        RETURN QUERY SELECT 'unreadable'::text, 'details.discounts is no object of shares, such as {"registration": 0.2}.'::text;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT c.verdict, format('%s Guardrail %s, product %s, region %s.', c.detail, coalesce(c.guardrail_id, '(none)'), p.code, g.code)
    FROM (SELECT u.code FROM unnest(product_codes) u (code)
          UNION
          SELECT r.product_code
          FROM revrtm.discount_guardrail r JOIN revrtm.product n ON n.product_id = r.product_code
          JOIN revrtm.product a ON a.product_id = ANY (product_codes) AND a.span @> n.span) p
    CROSS JOIN (SELECT u.code FROM unnest(region_codes) u (code)
                UNION
                SELECT r.region_code
                FROM revrtm.discount_guardrail r JOIN revrtm.region n ON n.region_id = r.region_code
                JOIN revrtm.region a ON a.region_id = ANY (region_codes) AND a.span @> n.span) g
    CROSS JOIN LATERAL revrtm.discount_check(NULL, guardrail_fact.discounts, guardrail_fact.route_id,
        revrtm.tier_at(guardrail_fact.partner_id, guardrail_fact.at), p.code, g.code, NULL, 0,
        guardrail_fact.factor, guardrail_fact.at) c
    ORDER BY array_position('{refused,approval,allowed}', c.verdict), c.level DESC NULLS LAST, c.guardrail_id COLLATE "C",
             p.code COLLATE "C", g.code COLLATE "C"
    LIMIT 1;
END
$$;
REVOKE ALL ON FUNCTION revrtm.guardrail_fact(text, text[], text[], text, jsonb, numeric, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.guardrail_fact(text, text[], text[], text, jsonb, numeric, timestamptz) IS
'The gravest of what discount_check says of the discounts a registration asks for, anywhere in its scope; unreadable for what are no discounts. For the rules alone.';

CREATE VIEW revrtm.deal_discount WITH (security_invoker = true) AS
SELECT concat_ws(':', l.opportunity_id, l.line_id) AS deal_discount_key,
       l.opportunity_id,
       l.line_id,
       d.account_id,
       d.partner_id,
       d.route_id,
       coalesce(l.product, d.product) AS product,
       d.region,
       d.is_closed,
       d.is_won,
       d.period,
       c.discount::numeric(18, 9) AS discount,
       c.margin::numeric(18, 9) AS margin,
       c.verdict,
       c.guardrail_id,
       c.level,
       c.approver,
       c.reason_code,
       c.detail
FROM revrtm.product_line l
JOIN revrtm.deal d ON d.opportunity_id = l.opportunity_id
CROSS JOIN LATERAL revrtm.discount_check(l.list_amount,
    jsonb_build_object('price', least(greatest(round(1 - revrtm.ratio(l.amount, l.list_amount), 9), 0), 1)),
    d.route_id, revrtm.tier_at(d.partner_id, coalesce(d.ended_at, (SELECT revrtm.as_of()))), coalesce(l.product, d.product), d.region,
    l.cost, coalesce(l.partner_margin, 0) + coalesce(l.fee, 0), 1, coalesce(d.ended_at, (SELECT revrtm.as_of()))) c
WHERE l.list_amount > 0 AND l.amount IS NOT NULL;
COMMENT ON VIEW revrtm.deal_discount IS
'What the guardrails say of the lines of deals, as of the end of each deal, of open ones as of today (revrtm.as_of). Lines without a list price are left out. Grain: one line of a deal.';
COMMENT ON COLUMN revrtm.deal_discount.deal_discount_key IS 'opportunity_id:line_id.';
COMMENT ON COLUMN revrtm.deal_discount.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_discount.line_id IS 'The line.';
COMMENT ON COLUMN revrtm.deal_discount.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.deal_discount.partner_id IS 'Partner on the deal.';
COMMENT ON COLUMN revrtm.deal_discount.route_id IS 'Route of the deal.';
COMMENT ON COLUMN revrtm.deal_discount.product IS 'Product of the line, else of the deal.';
COMMENT ON COLUMN revrtm.deal_discount.region IS 'Region of the deal.';
COMMENT ON COLUMN revrtm.deal_discount.is_closed IS 'Whether the deal is closed.';
COMMENT ON COLUMN revrtm.deal_discount.is_won IS 'Whether the deal is won.';
COMMENT ON COLUMN revrtm.deal_discount.period IS 'Month in which it closed; NULL while open.';
COMMENT ON COLUMN revrtm.deal_discount.discount IS 'What was given off the list price, 0 to 1; 0 for a markup.';
COMMENT ON COLUMN revrtm.deal_discount.margin IS 'Margin of the line at that price, of net; NULL where its cost is not known.';
COMMENT ON COLUMN revrtm.deal_discount.verdict IS 'allowed, approval or refused.';
COMMENT ON COLUMN revrtm.deal_discount.guardrail_id IS 'The guardrail that decided; NULL for none.';
COMMENT ON COLUMN revrtm.deal_discount.level IS 'The lowest level that may approve it.';
COMMENT ON COLUMN revrtm.deal_discount.approver IS 'Who approves at that level.';
COMMENT ON COLUMN revrtm.deal_discount.reason_code IS 'See discount_check().';
COMMENT ON COLUMN revrtm.deal_discount.detail IS 'What the guardrail says, in words.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('deal_discount', 'discount', 'share', false),
('deal_discount', 'level', 'rows', false),
('deal_discount', 'margin', 'share', false);
