-- The motion of a deal: how it was really sold, by evidence in an order that
-- is data. Money is attributed by the deal's own route, not by this.

CREATE TABLE revrtm.motion_rule (
    evidence text NOT NULL CHECK (evidence IN ('route_kind', 'crm_role', 'partner_role', 'any')),
    value    text NOT NULL CHECK (octet_length(value) BETWEEN 1 AND 255),
    motion   text NOT NULL CHECK (octet_length(motion) BETWEEN 1 AND 255),
    ordinal  integer NOT NULL,
    shipped  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (evidence, value),
    CONSTRAINT motion_rule_value CHECK (CASE evidence
        WHEN 'route_kind' THEN value IN ('direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace')
        WHEN 'partner_role' THEN value IN ('sourced', 'co_sell', 'influenced')
        WHEN 'crm_role' THEN value = lower(btrim(value) COLLATE "C")
        ELSE value = 'any' END)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.motion_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.motion_rule IS
'What makes a deal of which motion: of the rules whose evidence the deal has, the one with the least ordinal decides (ties: evidence, then value, bytewise).';
COMMENT ON COLUMN revrtm.motion_rule.evidence IS
'route_kind: the kind of the deal''s own route (revrtm.route); crm_role: a role of a partner in the deal, as the CRM names it (opportunity_partner.role); partner_role: a partner is sourced, co_sell or influenced by the rules of partner_involvement; any: always.';
COMMENT ON COLUMN revrtm.motion_rule.value IS
'The kind of route, the name of the role (trimmed, in lower case, compared without case), the partner role, or any.';
COMMENT ON COLUMN revrtm.motion_rule.motion IS 'The motion; a name of your own too.';
COMMENT ON COLUMN revrtm.motion_rule.ordinal IS 'Place among the rules: the least decides.';
COMMENT ON COLUMN revrtm.motion_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.motion_rule (evidence, value, motion, ordinal, shipped) VALUES
('route_kind', 'marketplace', 'marketplace', 10, true),
('crm_role', 'marketplace', 'marketplace', 11, true),
('route_kind', 'resell', 'resell', 20, true),
('crm_role', 'reseller', 'resell', 21, true),
('crm_role', 'var/reseller', 'resell', 22, true),
('crm_role', 'distributor', 'resell', 23, true),
('crm_role', 'dealer', 'resell', 24, true),
('partner_role', 'sourced', 'partner_sourced', 30, true),
('partner_role', 'co_sell', 'co_sell', 40, true),
('partner_role', 'influenced', 'influenced', 50, true),
('any', 'any', 'direct', 60, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.motion_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('evidence', 'value');
SELECT revrtm.register_policy('revrtm.motion_rule');
GRANT SELECT ON revrtm.motion_rule TO PUBLIC;

-- Rules are ranked and looked up by route, by role and by flag, and the least
-- rank of a deal is its motion: one statement for any number of deals.
CREATE VIEW revrtm.deal_motion WITH (security_invoker = true) AS
WITH ranked AS MATERIALIZED (
    SELECT m.evidence, m.value, m.motion,
           row_number() OVER (ORDER BY m.ordinal, m.evidence COLLATE "C", m.value COLLATE "C")::integer AS rank
    FROM revrtm.motion_rule m
), route AS MATERIALIZED (
    SELECT r.route_id,
           (SELECT m.rank FROM ranked m WHERE m.evidence = 'route_kind' AND m.value = r.kind::text) AS rank
    FROM revrtm.route r
), role AS (
    SELECT p.opportunity_id,
           min(((SELECT array_agg(m.rank ORDER BY m.rank) FROM ranked m WHERE m.evidence = 'crm_role'))[
               array_position((SELECT array_agg(m.value ORDER BY m.rank) FROM ranked m WHERE m.evidence = 'crm_role'),
                              lower(btrim(p.role) COLLATE "C"))]) AS rank
    FROM revrtm.opportunity_partner p
    GROUP BY p.opportunity_id
), partner AS (
    SELECT i.opportunity_id,
           bool_or(i.is_sourced) AS is_sourced, bool_or(i.is_co_sell) AS is_co_sell,
           bool_or(i.is_influenced) AS is_influenced
    FROM revrtm.partner_involvement i
    GROUP BY i.opportunity_id
), found AS (
    SELECT d.opportunity_id, d.account_id, d.route_id, d.segment, d.region, d.product, d.period, d.is_closed, d.is_won,
           d.created_at, d.amount,
           least(t.rank, o.rank,
                 CASE WHEN p.is_sourced THEN (SELECT m.rank FROM ranked m WHERE m.evidence = 'partner_role' AND m.value = 'sourced') END,
                 CASE WHEN p.is_co_sell THEN (SELECT m.rank FROM ranked m WHERE m.evidence = 'partner_role' AND m.value = 'co_sell') END,
                 CASE WHEN p.is_influenced THEN (SELECT m.rank FROM ranked m WHERE m.evidence = 'partner_role' AND m.value = 'influenced') END,
                 (SELECT m.rank FROM ranked m WHERE m.evidence = 'any')) AS rank
    FROM revrtm.deal d
    LEFT JOIN route t ON t.route_id = d.route_id
    LEFT JOIN role o ON o.opportunity_id = d.opportunity_id
    LEFT JOIN partner p ON p.opportunity_id = d.opportunity_id
)
SELECT f.opportunity_id AS deal_motion_key,
       f.opportunity_id,
       f.account_id,
       coalesce(m.motion, '(none)') AS motion,
       m.evidence || ':' || m.value AS evidence,
       f.route_id,
       f.segment,
       f.region,
       f.product,
       revrtm.period(f.created_at) AS created_period,
       f.period,
       f.is_closed,
       f.is_won,
       f.amount,
       CASE WHEN NOT (SELECT revrtm.is_staff()) THEN 'registrations_hidden' END::text AS note
FROM found f
LEFT JOIN ranked m ON m.rank = f.rank;
COMMENT ON VIEW revrtm.deal_motion IS
'One motion a deal: how it was sold by the evidence, whatever route the CRM says. The precedence is revrtm.motion_rule. No credit or money depends on it. Deals come from the store, roles and partners'' evidence live. Grain: one deal.';
COMMENT ON COLUMN revrtm.deal_motion.deal_motion_key IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_motion.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_motion.account_id IS 'Its account, the survivor where that was merged.';
COMMENT ON COLUMN revrtm.deal_motion.motion IS
'As shipped marketplace, resell, partner_sourced, co_sell, influenced or direct; (none) where no rule is left that holds.';
COMMENT ON COLUMN revrtm.deal_motion.evidence IS 'The rule that decided, as evidence:value; NULL where none did.';
COMMENT ON COLUMN revrtm.deal_motion.route_id IS 'Its own route, as the CRM has it.';
COMMENT ON COLUMN revrtm.deal_motion.segment IS 'Its segment.';
COMMENT ON COLUMN revrtm.deal_motion.region IS 'Its region.';
COMMENT ON COLUMN revrtm.deal_motion.product IS 'Its product.';
COMMENT ON COLUMN revrtm.deal_motion.created_period IS 'Month it was created in.';
COMMENT ON COLUMN revrtm.deal_motion.period IS 'Month it closed in; NULL while open.';
COMMENT ON COLUMN revrtm.deal_motion.is_closed IS 'Whether it is closed.';
COMMENT ON COLUMN revrtm.deal_motion.is_won IS 'Whether it is won.';
COMMENT ON COLUMN revrtm.deal_motion.amount IS 'Its amount in revrtm.currency.';
COMMENT ON COLUMN revrtm.deal_motion.note IS
'registrations_hidden (the reader is not staff, so a sourced deal may show as another), or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('deal_motion', 'amount', 'reporting currency', true);
