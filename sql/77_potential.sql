-- What there is to win: the potential of accounts and of markets.

CREATE TABLE revrtm.tam (
    account_id text NOT NULL DEFAULT '(none)' CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    segment    text NOT NULL DEFAULT 'ANY' CHECK (octet_length(segment) BETWEEN 1 AND 255),
    product    text NOT NULL DEFAULT 'ANY' CHECK (octet_length(product) BETWEEN 1 AND 255),
    region     text NOT NULL DEFAULT 'ANY' CHECK (octet_length(region) BETWEEN 1 AND 255),
    as_of      date NOT NULL CHECK (isfinite(as_of)),
    potential  numeric NOT NULL CHECK (potential >= 0 AND potential < 1e15),
    currency   text CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    source     text,
    PRIMARY KEY (account_id, product, segment, region, as_of),
    CONSTRAINT tam_scope CHECK (account_id = '(none)' OR (segment = 'ANY' AND region = 'ANY'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.tam', '');
COMMENT ON TABLE revrtm.tam IS
'Potential: what an account could buy of a product in a year, or a market in all. An estimate holds from its as_of on until a later one of the same key; a key appears once a day (23505). Grain: account x product, or segment x product x region, at a date.';
COMMENT ON COLUMN revrtm.tam.account_id IS
'The account; (none) for a market. An account''s segment and region are those of the CRM, so its rows have ANY (constraint tam_scope).';
COMMENT ON COLUMN revrtm.tam.segment IS 'Segment of a market; ANY for all.';
COMMENT ON COLUMN revrtm.tam.product IS 'Node of revrtm.product, which stands for all below it; ANY for all products.';
COMMENT ON COLUMN revrtm.tam.region IS 'Region of a market, a node of revrtm.region; ANY for all.';
COMMENT ON COLUMN revrtm.tam.as_of IS 'Day of the estimate.';
COMMENT ON COLUMN revrtm.tam.potential IS 'Potential a year, in the currency of the row.';
COMMENT ON COLUMN revrtm.tam.currency IS 'ISO 4217 code; NULL is the reporting currency. It is converted at the rate of as_of.';
COMMENT ON COLUMN revrtm.tam.source IS 'Who says so.';

CREATE FUNCTION revrtm.tam_at(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (account_id text, segment text, product text, region text, as_of date, potential numeric, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT t.account_id, t.segment, t.product, t.region, t.as_of,
           revrtm.reporting_amount(t.potential, t.currency, t.as_of), revrtm.reporting_note(t.currency, t.as_of)
    FROM (SELECT DISTINCT ON (e.account_id, e.product, e.segment, e.region)
                 e.account_id, e.product, e.segment, e.region, e.as_of, e.potential, e.currency
          FROM revrtm.tam e
          WHERE e.as_of <= revrtm.local_date(tam_at.at)
          ORDER BY e.account_id, e.product, e.segment, e.region, e.as_of DESC) t;
END;
COMMENT ON FUNCTION revrtm.tam_at(timestamptz) IS
'The potential that held at an instant, the latest estimate of each key, in revrtm.currency; NULL with note fx_missing or stale_fx where there is no rate.';

CREATE VIEW revrtm.market WITH (security_invoker = true) AS
WITH won AS (
    SELECT coalesce(nullif(d.segment, ''), '(none)') AS segment, d.product, d.region,
           sum(d.amount) AS amount
    FROM revrtm.deal d
    WHERE d.is_closed AND d.is_won
      AND d.period > ((SELECT revrtm.period(revrtm.as_of())) - interval '1 year')::date
      AND d.period <= (SELECT revrtm.period(revrtm.as_of()))
    GROUP BY 1, 2, 3
), cell AS (
    SELECT t.segment, t.product, t.region, t.as_of, t.potential, t.note, p.span AS product_span, g.span AS region_span,
           revrtm.lead_route(t.segment, coalesce(p.product_id, 'ANY'), coalesce(g.region_id, 'ANY'),
                             (SELECT revrtm.as_of())) AS lead_route_id
    FROM revrtm.tam_at((SELECT revrtm.as_of())) t
    LEFT JOIN revrtm.product p ON p.product_id = t.product
    LEFT JOIN revrtm.region g ON g.region_id = t.region
    WHERE t.account_id = '(none)'
)
SELECT quote_ident(c.segment) || ':' || quote_ident(c.product) || ':' || quote_ident(c.region) AS market_key,
       c.segment,
       c.product,
       c.region,
       c.as_of,
       c.potential::numeric(20, 4) AS potential,
       coalesce(w.amount, 0)::numeric(20, 4) AS won_amount,
       revrtm.ratio(coalesce(w.amount, 0), c.potential)::numeric(12, 6) AS penetration,
       c.lead_route_id,
       nullif(concat_ws(', ', c.note, CASE WHEN c.note IS NULL THEN revrtm.ratio_note(c.potential, 'no_potential') END,
              CASE WHEN c.lead_route_id IS NULL THEN 'no_lead' END,
              CASE WHEN c.product_span IS NULL THEN 'unknown_product' END,
              CASE WHEN c.region_span IS NULL THEN 'unknown_region' END), '') AS note
FROM cell c
LEFT JOIN LATERAL (
    SELECT sum(x.amount) AS amount
    FROM won x
    LEFT JOIN revrtm.product p ON p.product_id = x.product
    LEFT JOIN revrtm.region g ON g.region_id = x.region
    WHERE (c.segment = 'ANY' OR c.segment = x.segment)
      AND (c.product IN ('ANY', x.product) OR c.product_span @> p.span)
      AND (c.region IN ('ANY', x.region) OR c.region_span @> g.span)) w ON true;
COMMENT ON VIEW revrtm.market IS
'Markets by their potential, what was won of it in the twelve months up to that of today (revrtm.as_of), and who leads there. Markets may contain each other, so they do not add up. Grain: segment x product x region of revrtm.tam.';
COMMENT ON COLUMN revrtm.market.market_key IS 'segment:product:region.';
COMMENT ON COLUMN revrtm.market.segment IS 'Segment; ANY for all.';
COMMENT ON COLUMN revrtm.market.product IS 'Product, with all below it; ANY for all.';
COMMENT ON COLUMN revrtm.market.region IS 'Region, with all below it; ANY for all.';
COMMENT ON COLUMN revrtm.market.as_of IS 'Day of the estimate.';
COMMENT ON COLUMN revrtm.market.potential IS 'Potential a year in revrtm.currency; NULL without a rate.';
COMMENT ON COLUMN revrtm.market.won_amount IS 'Amount won there in twelve months, in revrtm.currency.';
COMMENT ON COLUMN revrtm.market.penetration IS 'won_amount / potential; NULL where that is 0 or not known.';
COMMENT ON COLUMN revrtm.market.lead_route_id IS 'The route that leads there by the role matrix; NULL where none does.';
COMMENT ON COLUMN revrtm.market.note IS
'fx_missing, stale_fx, no_potential, no_lead, unknown_product, unknown_region, those that apply, or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('market', 'penetration', 'share', false),
('market', 'potential', 'reporting currency', false),
('market', 'won_amount', 'reporting currency', false);
