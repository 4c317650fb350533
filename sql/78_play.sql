-- Plays: what is done on a route, for whom, and the criteria a deal has to
-- meet when it starts and when it closes.

CREATE TABLE revrtm.play (
    play_id   text PRIMARY KEY CHECK (octet_length(play_id) BETWEEN 1 AND 255),
    play_name text,
    route_id  text NOT NULL CHECK (octet_length(route_id) BETWEEN 1 AND 255),
    stage     text CHECK (octet_length(stage) BETWEEN 1 AND 255),
    segment   text NOT NULL DEFAULT 'ANY' CHECK (octet_length(segment) BETWEEN 1 AND 255),
    product   text NOT NULL DEFAULT 'ANY' CHECK (octet_length(product) BETWEEN 1 AND 255),
    region    text NOT NULL DEFAULT 'ANY' CHECK (octet_length(region) BETWEEN 1 AND 255),
    entry     jsonb NOT NULL DEFAULT '[]',
    exit      jsonb NOT NULL DEFAULT '[]',
    valid     tstzrange NOT NULL DEFAULT '(,)',
    CONSTRAINT play_entry CHECK (jsonb_typeof(entry) = 'array'),
    CONSTRAINT play_exit CHECK (jsonb_typeof(exit) = 'array'),
    CONSTRAINT play_valid CHECK (revrtm.is_validity(valid))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.play', '');
SELECT revrtm.register_policy('revrtm.play');
COMMENT ON TABLE revrtm.play IS
'Plays of routes to market. One is run on the deals of its route, segment, product and region that were created while it is valid.';
COMMENT ON COLUMN revrtm.play.play_id IS 'Name of the play, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.play.play_name IS 'Name to show.';
COMMENT ON COLUMN revrtm.play.route_id IS 'Route in revrtm.route; (any) for all.';
COMMENT ON COLUMN revrtm.play.stage IS 'Stage of the customer''s journey that it is for, as a stage model names it; NULL for none.';
COMMENT ON COLUMN revrtm.play.segment IS 'Segment; ANY for all.';
COMMENT ON COLUMN revrtm.play.product IS 'Node of revrtm.product, which stands for all below it; ANY for all.';
COMMENT ON COLUMN revrtm.play.region IS 'Node of revrtm.region, which stands for all below it; ANY for all.';
COMMENT ON COLUMN revrtm.play.entry IS
'Criteria for a deal as it starts, see criteria_check: what play_check.started tells.';
COMMENT ON COLUMN revrtm.play.exit IS 'Criteria for a deal as it closes: what play_check.ended tells.';
COMMENT ON COLUMN revrtm.play.valid IS 'When deals created are of the play, [from, until); a side without end is NULL, not infinity.';

CREATE VIEW revrtm.play_check WITH (security_invoker = true) AS
WITH start AS (
    SELECT DISTINCT ON (s.opportunity_id) s.opportunity_id, s.stage, s.amount
    FROM revrtm.opportunity_stage s
    ORDER BY s.opportunity_id, s.entered_at, s.stage COLLATE "C"
)
SELECT quote_ident(y.play_id) || ':' || d.opportunity_id AS play_check_key,
       y.play_id,
       d.opportunity_id,
       d.account_id,
       d.route_id,
       d.segment,
       d.region,
       d.product,
       revrtm.period(d.created_at) AS created_period,
       d.period,
       d.is_closed,
       d.is_won,
       d.amount,
       e.ok AS entry_met,
       e.failed AS entry_failed,
       CASE WHEN d.is_closed THEN x.ok END AS exit_met,
       CASE WHEN d.is_closed THEN x.failed END AS exit_failed,
       f.started,
       g.ended
FROM revrtm.play y
LEFT JOIN revrtm.product yp ON yp.product_id = y.product
LEFT JOIN revrtm.region yg ON yg.region_id = y.region
CROSS JOIN revrtm.deal d
LEFT JOIN revrtm.product dp ON dp.product_id = d.product
LEFT JOIN revrtm.region dg ON dg.region_id = d.region
LEFT JOIN revrtm.opportunity o ON o.opportunity_id = d.opportunity_id
LEFT JOIN start s ON s.opportunity_id = d.opportunity_id
LEFT JOIN revrtm.account a ON a.account_id = d.account_id
LEFT JOIN revrtm.account_tier t ON t.account_id = d.account_id AND t.valid @> d.created_at
-- OFFSET 0: made once, though read several times.
CROSS JOIN LATERAL (
    SELECT pg_catalog.jsonb_build_object(
               'opportunity_id', d.opportunity_id, 'account_id', d.account_id, 'route_id', d.route_id,
               'partner_id', d.partner_id, 'owner_id', d.owner_id, 'segment', d.segment, 'region', d.region,
               'product', d.product, 'currency', d.deal_currency,
               'amount', coalesce(revrtm.reporting_amount(s.amount, d.deal_currency, revrtm.local_date(d.created_at)), d.amount),
               'stage', s.stage, 'deal_type', o.deal_type, 'created_on', revrtm.local_date(d.created_at),
               'tier', t.tier, 'country', a.country, 'industry', a.industry, 'employees', a.employees) AS started
    OFFSET 0) f
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.is_closed THEN f.started || pg_catalog.jsonb_build_object(
               'amount', d.amount, 'margin', d.margin, 'stage', o.stage, 'is_won', d.is_won,
               'closed_on', revrtm.local_date(d.ended_at),
               'cycle_days', revrtm.local_date(d.ended_at) - revrtm.local_date(d.created_at),
               'touches', coalesce(revrtm.touch_count(d.journey), 0),
               'channels', coalesce(pg_catalog.to_jsonb(revrtm.channels(d.journey)), '[]')) END AS ended
    OFFSET 0) g
CROSS JOIN LATERAL revrtm.criteria_check(f.started, y.entry) e
CROSS JOIN LATERAL revrtm.criteria_check(g.ended, y.exit) x
-- One CASE counts as one condition that half of the rows meet; the estimate
-- of seven would be a single deal, and everything joined to it in a loop.
WHERE CASE WHEN y.route_id IN (d.route_id, '(any)') AND y.valid @> d.created_at AND y.segment IN ('ANY', d.segment)
           THEN (y.product IN ('ANY', d.product) OR yp.span @> dp.span)
                AND (y.region IN ('ANY', d.region) OR yg.span @> dg.span) END;
COMMENT ON VIEW revrtm.play_check IS
'Which criteria of a play each of its deals meets. Deals and their touches come from the store, stages and accounts from the CRM. Grain: one deal of one play.';
COMMENT ON COLUMN revrtm.play_check.play_check_key IS 'play_id:opportunity_id.';
COMMENT ON COLUMN revrtm.play_check.play_id IS 'The play.';
COMMENT ON COLUMN revrtm.play_check.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.play_check.account_id IS 'Its account, the survivor where that was merged.';
COMMENT ON COLUMN revrtm.play_check.route_id IS 'Its own route.';
COMMENT ON COLUMN revrtm.play_check.segment IS 'Its segment.';
COMMENT ON COLUMN revrtm.play_check.region IS 'Its region.';
COMMENT ON COLUMN revrtm.play_check.product IS 'Its product.';
COMMENT ON COLUMN revrtm.play_check.created_period IS 'Month it was created in.';
COMMENT ON COLUMN revrtm.play_check.period IS 'Month it closed in; NULL while open.';
COMMENT ON COLUMN revrtm.play_check.is_closed IS 'Whether it is closed.';
COMMENT ON COLUMN revrtm.play_check.is_won IS 'Whether it is won.';
COMMENT ON COLUMN revrtm.play_check.amount IS 'Its amount in revrtm.currency.';
COMMENT ON COLUMN revrtm.play_check.entry_met IS 'Whether it met all entry criteria when it started.';
COMMENT ON COLUMN revrtm.play_check.entry_failed IS 'Those it did not meet, each with the reason; empty where it met all.';
COMMENT ON COLUMN revrtm.play_check.exit_met IS 'Whether it met all exit criteria when it closed; NULL while open.';
COMMENT ON COLUMN revrtm.play_check.exit_failed IS 'Those it did not meet; NULL while open.';
COMMENT ON COLUMN revrtm.play_check.started IS
'The fields that entry criteria see: opportunity_id, account_id, route_id, partner_id, owner_id, segment, region, product, currency, amount and stage (of its first stage in opportunity_stage; without one the amount of today, no stage), deal_type, created_on, tier (of the account then), country, industry, employees. Amounts are in revrtm.currency.';
COMMENT ON COLUMN revrtm.play_check.ended IS
'The fields that exit criteria see: those of started, amount and stage as they are now, and margin, is_won, closed_on, cycle_days, touches and channels (of its journey). NULL while open.';

CREATE VIEW revrtm.play_compliance WITH (security_invoker = true) AS
SELECT y.play_id AS play_compliance_key,
       y.play_id,
       y.route_id,
       y.stage,
       count(k.opportunity_id) AS deals,
       count(*) FILTER (WHERE k.entry_met) AS entry_met,
       revrtm.ratio(count(*) FILTER (WHERE k.entry_met), count(k.opportunity_id))::numeric(12, 6) AS entry_rate,
       count(*) FILTER (WHERE k.is_closed) AS closed,
       count(*) FILTER (WHERE k.exit_met) AS exit_met,
       revrtm.ratio(count(*) FILTER (WHERE k.exit_met), count(*) FILTER (WHERE k.is_closed))::numeric(12, 6) AS exit_rate,
       count(*) FILTER (WHERE k.is_closed AND k.is_won) AS won,
       count(*) FILTER (WHERE k.is_closed AND k.entry_met) AS entry_met_closed,
       count(*) FILTER (WHERE k.is_closed AND k.is_won AND k.entry_met) AS entry_met_won,
       coalesce(revrtm.ratio_note(count(k.opportunity_id), 'no_entry'),
                revrtm.ratio_note(count(*) FILTER (WHERE k.is_closed), 'no_closed')) AS note
FROM revrtm.play y
LEFT JOIN revrtm.play_check k ON k.play_id = y.play_id
GROUP BY y.play_id, y.route_id, y.stage;
COMMENT ON VIEW revrtm.play_compliance IS
'How many deals of a play met its criteria when they started and when they closed; plays without deals have a row too. Grain: one play.';
COMMENT ON COLUMN revrtm.play_compliance.play_compliance_key IS 'The play.';
COMMENT ON COLUMN revrtm.play_compliance.play_id IS 'The play.';
COMMENT ON COLUMN revrtm.play_compliance.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.play_compliance.stage IS 'Its stage.';
COMMENT ON COLUMN revrtm.play_compliance.deals IS 'Its deals.';
COMMENT ON COLUMN revrtm.play_compliance.entry_met IS 'Those that met all entry criteria.';
COMMENT ON COLUMN revrtm.play_compliance.entry_rate IS 'entry_met / deals; NULL without deals.';
COMMENT ON COLUMN revrtm.play_compliance.closed IS 'Those that are closed.';
COMMENT ON COLUMN revrtm.play_compliance.exit_met IS 'Closed ones that met all exit criteria.';
COMMENT ON COLUMN revrtm.play_compliance.exit_rate IS 'exit_met / closed; NULL without closed deals.';
COMMENT ON COLUMN revrtm.play_compliance.won IS 'Those that are won.';
COMMENT ON COLUMN revrtm.play_compliance.entry_met_closed IS
'Closed ones that met the entry criteria: what entry_met_won is to be compared with, and won with closed.';
COMMENT ON COLUMN revrtm.play_compliance.entry_met_won IS 'Won ones that met the entry criteria.';
COMMENT ON COLUMN revrtm.play_compliance.note IS 'no_entry, no_closed, or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('play_check', 'amount', 'reporting currency', false),
('play_compliance', 'closed', 'deals', false),
('play_compliance', 'deals', 'deals', false),
('play_compliance', 'entry_met', 'deals', false),
('play_compliance', 'entry_met_closed', 'deals', false),
('play_compliance', 'entry_met_won', 'deals', false),
('play_compliance', 'entry_rate', 'share', false),
('play_compliance', 'exit_met', 'deals', false),
('play_compliance', 'exit_rate', 'share', false),
('play_compliance', 'won', 'deals', false);
