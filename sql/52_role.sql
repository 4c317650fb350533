-- The role matrix: which route to market leads, supports, is eligible or
-- blocked, by segment, product and region. The most specific rule decides.

CREATE TABLE revrtm.route_role (
    rule_id text PRIMARY KEY,
    route_id text NOT NULL,
    segment text,
    product_code text,
    region_code text,
    role text NOT NULL,
    priority int NOT NULL DEFAULT 0,
    valid tstzrange NOT NULL DEFAULT '(,)',
    checked_at timestamptz NOT NULL,
    CONSTRAINT route_role_once EXCLUDE USING gist (route_id WITH =, (coalesce(segment, 'ANY')) WITH =,
        (coalesce(product_code, 'ANY')) WITH =, (coalesce(region_code, 'ANY')) WITH =, valid WITH &&),
    CONSTRAINT route_role_id CHECK (octet_length(rule_id) BETWEEN 1 AND 255),
    CONSTRAINT route_role_route CHECK (octet_length(route_id) BETWEEN 1 AND 255),
    CONSTRAINT route_role_segment CHECK (octet_length(segment) BETWEEN 1 AND 255),
    CONSTRAINT route_role_product CHECK (octet_length(product_code) BETWEEN 1 AND 255),
    CONSTRAINT route_role_region CHECK (octet_length(region_code) BETWEEN 1 AND 255),
    CONSTRAINT route_role_role CHECK (role IN ('lead', 'support', 'eligible', 'blocked')),
    CONSTRAINT route_role_valid CHECK (NOT isempty(valid) AND isfinite(lower(valid)) IS NOT FALSE
        AND isfinite(upper(valid)) IS NOT FALSE AND (lower_inf(valid) OR lower_inc(valid)) AND NOT upper_inc(valid))
);
-- For who deletes a node.
CREATE INDEX route_role_product_code ON revrtm.route_role (product_code);
CREATE INDEX route_role_region_code ON revrtm.route_role (region_code);
SELECT pg_catalog.pg_extension_config_dump('revrtm.route_role', '');
SELECT revrtm.register_policy('revrtm.route_role', ARRAY['checked_at']);
GRANT SELECT ON revrtm.route_role TO PUBLIC;

COMMENT ON TABLE revrtm.route_role IS
'The role matrix: one rule a row. In a cell of segment, product and region, at an instant, the most specific rule of each route decides its role; route_for() answers. Two rules of a route never have the same scope at the same time (constraint route_role_once, 23P01). To change a rule from some day on, end its validity and insert another.';
COMMENT ON COLUMN revrtm.route_role.rule_id IS 'Name of the rule, 1 to 255 bytes; answers tell it.';
COMMENT ON COLUMN revrtm.route_role.route_id IS 'Route in revrtm.route; 23503 for an unknown one.';
COMMENT ON COLUMN revrtm.route_role.segment IS 'Segment, as in the CRM''s deals; NULL, or ANY, which is kept as NULL, for any.';
COMMENT ON COLUMN revrtm.route_role.product_code IS 'Node of revrtm.product, which stands for all below it; NULL, or ANY, which is kept as NULL, for any.';
COMMENT ON COLUMN revrtm.route_role.region_code IS 'Node of revrtm.region, which stands for all below it; NULL, or ANY, which is kept as NULL, for any.';
COMMENT ON COLUMN revrtm.route_role.role IS 'lead, support, eligible or blocked.';
COMMENT ON COLUMN revrtm.route_role.priority IS 'Of equally specific rules the one with the higher priority precedes, then the one whose rule_id is first bytewise.';
COMMENT ON COLUMN revrtm.route_role.valid IS 'When the rule holds, [from, until); a side without end is NULL, not infinity.';
COMMENT ON COLUMN revrtm.route_role.checked_at IS
'When the rule was judged. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';

CREATE FUNCTION revrtm.keep_role() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_keep_role';
REVOKE ALL ON FUNCTION revrtm.keep_role() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_role() IS
'Trigger of route_role: refuses what is no rule, with a hint. 23503 for an unknown route or node, 23514 for anything else about one rule, 23P01 for a second rule of the same route, scope and time; each names the constraint.';
CREATE TRIGGER keep_role BEFORE INSERT OR UPDATE ON revrtm.route_role
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_role();

CREATE FUNCTION revrtm.route_for(segment text, product text, region text, at timestamptz DEFAULT now())
RETURNS TABLE (route_id text, role text, rule_id text, specificity double precision)
LANGUAGE c STABLE PARALLEL SAFE COST 500 ROWS 5
AS 'MODULE_PATHNAME', 'revrtm_route_for';
COMMENT ON FUNCTION revrtm.route_for(text, text, text, timestamptz) IS
'The role of every route in a cell at an instant, and the rule that decided it: of each route the most specific rule that holds, ties by higher priority, then by rule_id bytewise; the rows come in that order too. A rule''s specificity is the sum over segment, product and region of 1/(1 + distance), where distance counts the levels of the tree from the cell up to the node that the rule names; what the rule leaves open adds 0. ANY stands for a segment, product or region that is not known: only rules that leave it open match. 22004 for NULL, 22023 for an empty one or an infinite instant, 23503 for a node that the tree does not have. Rules are read once a query.';

CREATE FUNCTION revrtm.lead_route(segment text, product text, region text, at timestamptz DEFAULT now())
RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 250
AS 'MODULE_PATHNAME', 'revrtm_lead_route';
COMMENT ON FUNCTION revrtm.lead_route(text, text, text, timestamptz) IS
'The route that leads in a cell at an instant: that of the first row of route_for() whose role is lead; NULL where none does. Errors as there.';

CREATE FUNCTION revrtm.role_audit(since timestamptz, products text[] DEFAULT '{}', regions text[] DEFAULT '{}')
RETURNS TABLE (finding text, rule_id text, other_rule_id text, segment text, product text, region text,
    at timestamptz, specificity double precision)
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000000 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_role_audit';
COMMENT ON FUNCTION revrtm.role_audit(timestamptz, text[], text[]) IS
'What is wrong with the matrix from an instant on, found by deciding one cell of every kind at every change. tie: two rules by which different routes lead first in a cell, equally specific and of equal priority, rule_id bytewise before other_rule_id; with the earliest such instant and a cell. dead: a rule that decides no cell of a segment, a product and a region without children, or among those given; other_rule_id is a rule of its route that precedes it in the first such cell, NULL where it is in none.';

CREATE VIEW revrtm.role_overlap WITH (security_invoker = true) AS
SELECT quote_ident(f.rule_id) || ':' || quote_ident(f.other_rule_id) AS role_overlap_key,
       f.rule_id AS rule_a,
       f.other_rule_id AS rule_b,
       a.route_id AS route_a,
       b.route_id AS route_b,
       a.priority,
       f.specificity::numeric(12, 6) AS specificity,
       f.segment,
       f.product,
       f.region,
       f.at AS since,
       upper(a.valid * b.valid) AS until
FROM revrtm.role_audit((SELECT revrtm.as_of())) f
     JOIN revrtm.route_role a ON a.rule_id = f.rule_id
     JOIN revrtm.route_role b ON b.rule_id = f.other_rule_id
WHERE f.finding = 'tie';
COMMENT ON VIEW revrtm.role_overlap IS
'Two routes that both lead: pairs of rules, equally specific and of equal priority, that come first among the leads of some cell, now (revrtm.as_of) or later. Only rule_id says which leads; give them different priorities. Grain: one pair of rules.';
COMMENT ON COLUMN revrtm.role_overlap.role_overlap_key IS 'The two rules.';
COMMENT ON COLUMN revrtm.role_overlap.rule_a IS 'The rule that precedes, its rule_id being the first bytewise.';
COMMENT ON COLUMN revrtm.role_overlap.rule_b IS 'The other one.';
COMMENT ON COLUMN revrtm.role_overlap.route_a IS 'Route of rule_a.';
COMMENT ON COLUMN revrtm.role_overlap.route_b IS 'Route of rule_b.';
COMMENT ON COLUMN revrtm.role_overlap.priority IS 'Priority of both.';
COMMENT ON COLUMN revrtm.role_overlap.specificity IS 'Specificity of both in the cell shown, 0 to 3.';
COMMENT ON COLUMN revrtm.role_overlap.segment IS 'Segment of such a cell; ANY for one that no rule names.';
COMMENT ON COLUMN revrtm.role_overlap.product IS 'Product of such a cell.';
COMMENT ON COLUMN revrtm.role_overlap.region IS 'Region of such a cell.';
COMMENT ON COLUMN revrtm.role_overlap.since IS 'First instant, from now on, at which it happens; in the cell shown.';
COMMENT ON COLUMN revrtm.role_overlap.until IS 'When the first of the two rules ends; NULL for never.';

CREATE VIEW revrtm.role_dead WITH (security_invoker = true) AS
SELECT d.rule_id AS role_dead_key,
       d.rule_id,
       d.route_id,
       d.role,
       d.segment,
       d.product_code,
       d.region_code,
       d.priority,
       d.valid,
       d.decided_by,
       d.note
FROM (SELECT r.*, f.other_rule_id AS decided_by,
             nullif(concat_ws(', ',
                 CASE WHEN r.product_code IS NOT NULL AND p.product_id IS NULL THEN 'unknown_product' END,
                 CASE WHEN r.region_code IS NOT NULL AND g.region_id IS NULL THEN 'unknown_region' END,
                 CASE WHEN t.route_id IS NULL THEN 'unknown_route' WHEN NOT t.active THEN 'inactive_route' END,
                 CASE WHEN f.other_rule_id IS NOT NULL THEN 'shadowed' END), '') AS note
      FROM revrtm.route_role r
           LEFT JOIN revrtm.route t ON t.route_id = r.route_id
           LEFT JOIN revrtm.product p ON p.product_id = r.product_code
           LEFT JOIN revrtm.region g ON g.region_id = r.region_code
           LEFT JOIN revrtm.role_audit(
               (SELECT revrtm.as_of()),
               (SELECT coalesce(array_agg(DISTINCT j.product), '{}') FROM revrtm.deal_journey j),
               (SELECT coalesce(array_agg(DISTINCT j.region), '{}') FROM revrtm.deal_journey j)) f
               ON f.finding = 'dead' AND f.rule_id = r.rule_id
      WHERE upper_inf(r.valid) OR upper(r.valid) > (SELECT revrtm.as_of())) d
WHERE d.note IS NOT NULL;
COMMENT ON VIEW revrtm.role_dead IS
'Rules without effect from now (revrtm.as_of) on: others of the route decide wherever they could, or the route takes no deals, or the tree lacks the node. What counts is cells of products and regions that have no children or deals in the store. Rules that are over are not shown. Grain: one rule.';
COMMENT ON COLUMN revrtm.role_dead.role_dead_key IS 'The rule.';
COMMENT ON COLUMN revrtm.role_dead.rule_id IS 'The rule.';
COMMENT ON COLUMN revrtm.role_dead.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.role_dead.role IS 'Its role.';
COMMENT ON COLUMN revrtm.role_dead.segment IS 'Its segment; NULL for any.';
COMMENT ON COLUMN revrtm.role_dead.product_code IS 'Its product; NULL for any.';
COMMENT ON COLUMN revrtm.role_dead.region_code IS 'Its region; NULL for any.';
COMMENT ON COLUMN revrtm.role_dead.priority IS 'Its priority.';
COMMENT ON COLUMN revrtm.role_dead.valid IS 'When it holds.';
COMMENT ON COLUMN revrtm.role_dead.decided_by IS 'A rule that decides in its stead, where it is shadowed.';
COMMENT ON COLUMN revrtm.role_dead.note IS 'unknown_product, unknown_region, unknown_route, inactive_route and shadowed, those that apply.';

CREATE VIEW revrtm.role_gap WITH (security_invoker = true) AS
SELECT quote_ident(c.segment) || ':' || quote_ident(c.product) || ':' || quote_ident(c.region) AS role_gap_key,
       c.segment,
       c.product,
       c.region,
       c.deals,
       c.open_deals,
       c.open_amount,
       concat_ws(', ',
           CASE WHEN f.routes = 0 THEN 'no_rule' WHEN f.leads = 0 THEN 'no_lead' ELSE 'inactive_route' END,
           CASE WHEN p.product_id IS NULL THEN 'unknown_product' END,
           CASE WHEN g.region_id IS NULL THEN 'unknown_region' END) AS note
FROM (SELECT coalesce(nullif(d.segment, ''), '(none)') AS segment,
             coalesce(d.product, '(none)') AS product,
             coalesce(d.region, '(none)') AS region,
             count(*) AS deals,
             count(*) FILTER (WHERE NOT d.is_closed) AS open_deals,
             coalesce(sum(d.amount) FILTER (WHERE NOT d.is_closed), 0)::numeric(20, 4) AS open_amount
      FROM revrtm.deal d
      GROUP BY 1, 2, 3) c
     LEFT JOIN revrtm.product p ON p.product_id = c.product
     LEFT JOIN revrtm.region g ON g.region_id = c.region
     CROSS JOIN LATERAL (
         SELECT count(*) AS routes,
                count(*) FILTER (WHERE r.role = 'lead') AS leads,
                count(*) FILTER (WHERE r.role = 'lead' AND t.active IS NOT FALSE) AS active_leads
         FROM revrtm.route_for(c.segment, coalesce(p.product_id, 'ANY'), coalesce(g.region_id, 'ANY'),
                               (SELECT revrtm.as_of())) r
              LEFT JOIN revrtm.route t ON t.route_id = r.route_id) f
WHERE f.active_leads = 0;
COMMENT ON VIEW revrtm.role_gap IS
'Cells that have deals but no route that leads now (revrtm.as_of), or none but inactive ones. Grain: segment x product x region of the store''s deals.';
COMMENT ON COLUMN revrtm.role_gap.role_gap_key IS 'segment:product:region.';
COMMENT ON COLUMN revrtm.role_gap.segment IS 'Segment of the deals; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.role_gap.product IS 'Product of the deals; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.role_gap.region IS 'Region of the deals; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.role_gap.deals IS 'Deals of the cell, open and closed.';
COMMENT ON COLUMN revrtm.role_gap.open_deals IS 'Those that are open.';
COMMENT ON COLUMN revrtm.role_gap.open_amount IS 'Amount of the open ones in revrtm.currency; those without an amount or a rate add nothing.';
COMMENT ON COLUMN revrtm.role_gap.note IS
'no_rule, no_lead or inactive_route, and unknown_product or unknown_region where the tree lacks the code, so that only rules that leave it open match.';
