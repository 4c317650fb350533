-- The terms of ROMI: what counts as spend and when it works, what partners
-- keep, and how much of a route's margin would not have come without it.

INSERT INTO revrtm.note (note, meaning) VALUES
('cost_of_sale_twice', 'The route''s partners have a rate in revrtm.partner_cost, and entries of a category that is cost of sale too: the same cost may count twice.'),
('romi_missing', 'The credit that ROMI is told by was never computed; refresh_romi() does.'),
('romi_stale', 'The credit that ROMI is told by is older than the store of journeys, or than the terms it is computed by; refresh_romi() brings it up to them.'),
('spend_not_told', 'The spend of the route and category is not told by this: it stands in a row of its own, (unallocated), and is spread over nothing.'),
('spend_spread', 'Spend that is not told by this is spread by the deals touched, as romi_rule.spread says.');

CREATE TABLE revrtm.romi_rule (
    rule         text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    models       text[] CHECK (cardinality(models) > 0 AND array_position(models, NULL) IS NULL),
    cohort       text NOT NULL DEFAULT 'created' CHECK (cohort IN ('created', 'first_touch')),
    refunds      text NOT NULL DEFAULT 'restated' CHECK (refunds IN ('restated', 'current')),
    spread       text NOT NULL DEFAULT 'none' CHECK (spread IN ('none', 'touched')),
    months       integer NOT NULL DEFAULT 12 CHECK (months BETWEEN 1 AND 120),
    small_n      integer NOT NULL DEFAULT 5 CHECK (small_n >= 1),
    small_months integer NOT NULL DEFAULT 3 CHECK (small_months >= 2),
    replicates   integer NOT NULL DEFAULT 1000 CHECK (replicates BETWEEN 100 AND 100000),
    confidence   double precision NOT NULL DEFAULT 0.9 CHECK (confidence > 0 AND confidence < 1),
    seed         bigint NOT NULL DEFAULT 1,
    shipped      boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.romi_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.romi_rule IS 'The terms of ROMI that companies settle for themselves: one row, which is shipped.';
COMMENT ON COLUMN revrtm.romi_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.romi_rule.models IS 'Attribution models that motion_romi is kept for; NULL: the setting revrtm.model alone.';
COMMENT ON COLUMN revrtm.romi_rule.cohort IS 'What puts a deal into a cohort: the month in which it was created, or that of its first_touch (its creation where it has none).';
COMMENT ON COLUMN revrtm.romi_rule.refunds IS
'Where refunds and amendments count in the cash view: restated, in the month in which the deal closed, or current, in their own. In the cohort view they are the deal''s.';
COMMENT ON COLUMN revrtm.romi_rule.spread IS
'What becomes of spend that is told by fewer dimensions than are asked for: none, it keeps a row of its own; touched, it is spread over the rows of its route, category and month (and partner, where it names one) by the deals they touched, won or not, and their note says spend_spread.';
COMMENT ON COLUMN revrtm.romi_rule.months IS 'Cohorts that expected_romi looks back at.';
COMMENT ON COLUMN revrtm.romi_rule.small_n IS 'A line with fewer won deals in them has no evidence of its own, unless it spent as much as brings so many in all lines together.';
COMMENT ON COLUMN revrtm.romi_rule.small_months IS 'Nor has one with fewer months of spend.';
COMMENT ON COLUMN revrtm.romi_rule.replicates IS 'Samples of the bootstrap.';
COMMENT ON COLUMN revrtm.romi_rule.confidence IS 'How often the interval of expected_romi is to hold the true value.';
COMMENT ON COLUMN revrtm.romi_rule.seed IS 'Seed of the bootstrap.';
COMMENT ON COLUMN revrtm.romi_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.romi_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.romi_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.romi_rule');
GRANT SELECT ON revrtm.romi_rule TO PUBLIC;

CREATE TABLE revrtm.spend_category (
    category     text PRIMARY KEY CHECK (category <> '' AND category <> '(unmapped)'),
    cohort_lag   integer NOT NULL DEFAULT 0 CHECK (cohort_lag >= 0),
    cash_lag     integer NOT NULL DEFAULT 0 CHECK (cash_lag BETWEEN cohort_lag AND 120),
    cac          text NOT NULL DEFAULT 'fully_loaded' CHECK (cac IN ('paid', 'blended', 'fully_loaded', 'none')),
    cost_of_sale boolean NOT NULL DEFAULT false,
    shipped      boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.spend_category', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.spend_category IS
'The categories of spend. One without a row here works at once, counts in the fully loaded CAC and is no cost of sale. Grain: one category.';
COMMENT ON COLUMN revrtm.spend_category.category IS 'The category, as spend and channel_map have it.';
COMMENT ON COLUMN revrtm.spend_category.cohort_lag IS 'Months from the spend to the creation (or first touch) of the deals it wins: the cohort that it is set against.';
COMMENT ON COLUMN revrtm.spend_category.cash_lag IS 'Months from the spend to the close of the deals it wins. What lies between both lags is how long a cohort takes to ripen.';
COMMENT ON COLUMN revrtm.spend_category.cac IS 'The narrowest cost of a customer that it is part of: paid, blended (which has paid in it) or fully_loaded (which has both); none: of none.';
COMMENT ON COLUMN revrtm.spend_category.cost_of_sale IS 'Whether entries are cost of sale, such as commission, and so are taken off the margin, and never spend.';
COMMENT ON COLUMN revrtm.spend_category.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.spend_category (category, cac, cost_of_sale, shipped) VALUES
('enablement', 'blended', false, true),
('content', 'blended', false, true),
('mdf', 'paid', false, true),
('spiff', 'paid', false, true),
('program', 'paid', false, true),
('headcount', 'fully_loaded', false, true),
('tools', 'fully_loaded', false, true),
('discount', 'none', true, true),
('commission', 'fully_loaded', true, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.spend_category
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('category');
SELECT revrtm.register_policy('revrtm.spend_category');
GRANT SELECT ON revrtm.spend_category TO PUBLIC;

CREATE TABLE revrtm.route_incrementality (
    route_id       text PRIMARY KEY CHECK (route_id <> ''),
    incrementality numeric NOT NULL DEFAULT 1 CHECK (incrementality BETWEEN 0 AND 100 AND min_scale(incrementality) <= 6),
    source         text
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.route_incrementality', '');
SELECT revrtm.register_policy('revrtm.route_incrementality');
COMMENT ON TABLE revrtm.route_incrementality IS
'How much of the margin credited to a route would not have come without it, as an experiment or a judgement says. A route without a row has 1: all of it, which attribution alone cannot prove. Grain: one route.';
COMMENT ON COLUMN revrtm.route_incrementality.route_id IS 'The route that the credit belongs to.';
COMMENT ON COLUMN revrtm.route_incrementality.incrementality IS 'Factor on the margin credited to it, from 0, of at most six decimals; above 1 where attribution gives it less than it causes.';
COMMENT ON COLUMN revrtm.route_incrementality.source IS 'How it is known.';

CREATE TABLE revrtm.partner_cost (
    route_id   text NOT NULL DEFAULT '(any)' CHECK (route_id <> ''),
    partner_id text NOT NULL DEFAULT '(any)' CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    discount   numeric NOT NULL DEFAULT 0 CHECK (discount BETWEEN 0 AND 1),
    commission numeric NOT NULL DEFAULT 0 CHECK (commission BETWEEN 0 AND 1),
    PRIMARY KEY (route_id, partner_id)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_cost', '');
SELECT revrtm.register_policy('revrtm.partner_cost', exported => false);
COMMENT ON TABLE revrtm.partner_cost IS
'What partners keep of the amount of a deal and the CRM''s margin does not know of: cost of sale, taken off the margin. A deal takes the row of its own route and partner, else that of its partner with any route, else of its route with any partner, else of any. Grain: one partner on one route.';
COMMENT ON COLUMN revrtm.partner_cost.route_id IS 'The deals'' own route, or (any).';
COMMENT ON COLUMN revrtm.partner_cost.partner_id IS 'The partner on the deal, or (any), which holds for deals without one too.';
COMMENT ON COLUMN revrtm.partner_cost.discount IS 'Discount of the partner as a share of the amount, 0 to 1.';
COMMENT ON COLUMN revrtm.partner_cost.commission IS 'Commission of the partner as a share of the amount, 0 to 1.';
