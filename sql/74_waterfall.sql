-- Where the price goes: from list to margin, line by line.

INSERT INTO revrtm.note (note, meaning) VALUES
('cost_missing', 'Lines whose cost is not known are left out of cost and margin.'),
('list_missing', 'Lines without a list price count as sold at it.');

CREATE VIEW revrtm.price_waterfall WITH (security_invoker = true) AS
WITH line AS (
    SELECT d.period, d.route_id, coalesce(d.segment, '(none)') AS segment, coalesce(d.region, '(none)') AS region,
           coalesce(l.product, d.product, '(none)') AS product,
           l.list_amount IS NULL AS is_unlisted, l.cost IS NULL AS is_uncosted,
           revrtm.reporting_amount(coalesce(l.list_amount, l.amount), d.deal_currency, d.on_date) AS list_amount,
           revrtm.reporting_amount(l.amount, d.deal_currency, d.on_date) AS amount,
           revrtm.reporting_amount(coalesce(l.partner_margin, 0), d.deal_currency, d.on_date) AS partner_margin,
           revrtm.reporting_amount(coalesce(l.fee, 0), d.deal_currency, d.on_date) AS fee,
           revrtm.reporting_amount(l.cost, d.deal_currency, d.on_date) AS cost,
           revrtm.reporting_note(d.deal_currency, d.on_date) AS note
    FROM revrtm.product_line l
    JOIN (SELECT x.*, revrtm.local_date(x.ended_at) AS on_date FROM revrtm.deal x
          WHERE x.is_won AND x.is_closed) d ON d.opportunity_id = l.opportunity_id
    WHERE l.amount IS NOT NULL AND d.period IS NOT NULL
), cell AS (
    SELECT x.period, x.route_id, x.segment, x.region, x.product, count(*) AS lines,
           coalesce(sum(x.list_amount), 0) AS list_amount, coalesce(sum(x.amount), 0) AS amount,
           coalesce(sum(x.partner_margin), 0) AS partner_margin, coalesce(sum(x.fee), 0) AS fee,
           coalesce(sum(x.cost), 0) AS cost,
           coalesce(sum(x.list_amount) FILTER (WHERE NOT x.is_uncosted), 0) AS costed_list,
           coalesce(sum(x.amount - x.partner_margin - x.fee) FILTER (WHERE NOT x.is_uncosted), 0) AS costed_net,
           coalesce(min(x.note), CASE WHEN bool_or(x.is_uncosted) THEN 'cost_missing' WHEN bool_or(x.is_unlisted) THEN 'list_missing' END) AS note
    FROM line x
    GROUP BY x.period, x.route_id, x.segment, x.region, x.product
)
SELECT concat_ws(':', revrtm.date_text(c.period), c.route_id, c.segment, c.region, c.product) AS price_waterfall_key,
       c.period,
       c.route_id,
       c.segment,
       c.region,
       c.product,
       c.lines,
       c.list_amount::numeric(20, 4) AS list_amount,
       (c.list_amount - c.amount)::numeric(20, 4) AS discount,
       c.amount::numeric(20, 4) AS amount,
       c.partner_margin::numeric(20, 4) AS partner_margin,
       c.fee::numeric(20, 4) AS fee,
       (c.amount - c.partner_margin - c.fee)::numeric(20, 4) AS net_amount,
       c.cost::numeric(20, 4) AS cost,
       (c.costed_net - c.cost)::numeric(20, 4) AS margin,
       c.costed_net::numeric(20, 4) AS costed_net,
       c.costed_list::numeric(20, 4) AS costed_list,
       revrtm.ratio(c.costed_net - c.cost, c.costed_net)::numeric(18, 6) AS margin_of_net,
       revrtm.ratio(c.costed_net - c.cost, c.costed_list)::numeric(18, 6) AS margin_of_list,
       coalesce(c.note, revrtm.ratio_note(c.costed_list, 'no_revenue')) AS note
FROM cell c;
COMMENT ON VIEW revrtm.price_waterfall IS
'Where the price of won deals goes, from product_line: list_amount - discount = amount; amount - partner_margin - fee = net_amount; net_amount - cost = margin; in revrtm.currency at the rate of the deal''s end. Grain: month of the end x route x segment x region x product of the line. Cost and margin are of lines whose cost is known.';
COMMENT ON COLUMN revrtm.price_waterfall.price_waterfall_key IS 'period:route_id:segment:region:product.';
COMMENT ON COLUMN revrtm.price_waterfall.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.price_waterfall.route_id IS 'Route of the deals.';
COMMENT ON COLUMN revrtm.price_waterfall.segment IS 'Segment of the deals.';
COMMENT ON COLUMN revrtm.price_waterfall.region IS 'Region of the deals.';
COMMENT ON COLUMN revrtm.price_waterfall.product IS 'Product of the line, else of the deal.';
COMMENT ON COLUMN revrtm.price_waterfall.lines IS 'Lines of won deals.';
COMMENT ON COLUMN revrtm.price_waterfall.list_amount IS 'At list price; a line without one counts at its amount.';
COMMENT ON COLUMN revrtm.price_waterfall.discount IS 'What was given off the list price; negative for a markup.';
COMMENT ON COLUMN revrtm.price_waterfall.amount IS 'What customers pay.';
COMMENT ON COLUMN revrtm.price_waterfall.partner_margin IS 'What of it partners keep.';
COMMENT ON COLUMN revrtm.price_waterfall.fee IS 'What of it marketplaces keep.';
COMMENT ON COLUMN revrtm.price_waterfall.net_amount IS 'What is left of it for us.';
COMMENT ON COLUMN revrtm.price_waterfall.cost IS 'Cost of what was sold.';
COMMENT ON COLUMN revrtm.price_waterfall.margin IS 'costed_net - cost; negative where it was sold below cost.';
COMMENT ON COLUMN revrtm.price_waterfall.costed_net IS 'net_amount of the lines whose cost is known.';
COMMENT ON COLUMN revrtm.price_waterfall.costed_list IS 'list_amount of the lines whose cost is known.';
COMMENT ON COLUMN revrtm.price_waterfall.margin_of_net IS 'margin / costed_net.';
COMMENT ON COLUMN revrtm.price_waterfall.margin_of_list IS 'margin / costed_list: the gross margin in which discounts show.';
COMMENT ON COLUMN revrtm.price_waterfall.note IS 'fx_missing or stale_fx (lines without a rate are left out), cost_missing, list_missing, no_revenue, or NULL.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('price_waterfall', 'amount', 'reporting currency', true),
('price_waterfall', 'cost', 'reporting currency', true),
('price_waterfall', 'costed_list', 'reporting currency', true),
('price_waterfall', 'costed_net', 'reporting currency', true),
('price_waterfall', 'discount', 'reporting currency', true),
('price_waterfall', 'fee', 'reporting currency', true),
('price_waterfall', 'lines', 'rows', true),
('price_waterfall', 'list_amount', 'reporting currency', true),
('price_waterfall', 'margin', 'reporting currency', true),
('price_waterfall', 'margin_of_list', 'share', false),
('price_waterfall', 'margin_of_net', 'share', false),
('price_waterfall', 'net_amount', 'reporting currency', true),
('price_waterfall', 'partner_margin', 'reporting currency', true),
('product_line', 'cost', 'row currency', true),
('product_line', 'fee', 'row currency', true),
('product_line', 'list_amount', 'row currency', true),
('product_line', 'partner_margin', 'row currency', true);
