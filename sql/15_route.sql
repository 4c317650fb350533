-- The routes to market, and which route and category a channel's credit
-- belongs to. A route is a code, as it is in the CRM's deals and spend: no
-- foreign key, for a parallel restore loads tables in any order. The council
-- shows a route that is not here as unknown_route.

CREATE TABLE revrtm.route (
    route_id       text PRIMARY KEY CHECK (route_id <> ''),
    kind           text NOT NULL CHECK (kind IN ('direct', 'partner_sourced', 'co_sell', 'resell', 'marketplace')),
    parent_id      text CHECK (parent_id <> route_id),
    default_margin numeric NOT NULL DEFAULT 1 CHECK (default_margin BETWEEN -10 AND 1),
    active         boolean NOT NULL DEFAULT true,
    shipped        boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.route', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.route IS 'Routes to market. Five are shipped, one of each kind; users add their own and edit any.';
COMMENT ON COLUMN revrtm.route.route_id IS 'Name of the route.';
COMMENT ON COLUMN revrtm.route.kind IS 'direct, partner_sourced, co_sell, resell or marketplace.';
COMMENT ON COLUMN revrtm.route.parent_id IS 'The route it is part of.';
COMMENT ON COLUMN revrtm.route.default_margin IS 'Margin as a share of the amount, for deals whose margin is not known; 1 is the whole amount.';
COMMENT ON COLUMN revrtm.route.active IS 'Whether new deals may take the route.';
COMMENT ON COLUMN revrtm.route.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.route (route_id, kind, shipped) VALUES
('direct', 'direct', true),
('partner_sourced', 'partner_sourced', true),
('co_sell', 'co_sell', true),
('resell', 'resell', true),
('marketplace', 'marketplace', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.route
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('route_id');
SELECT revrtm.register_policy('revrtm.route');

CREATE TABLE revrtm.channel_map (
    channel  text PRIMARY KEY,
    route_id text NOT NULL CHECK (route_id <> ''),
    category text NOT NULL CHECK (category <> '')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.channel_map', '');
SELECT revrtm.register_policy('revrtm.channel_map');
COMMENT ON TABLE revrtm.channel_map IS
'The route and spend category that a channel''s credit belongs to. Credit of a channel without a row, and of (unattributed), falls to the deal''s own route, category (unmapped).';
COMMENT ON COLUMN revrtm.channel_map.channel IS 'Channel of touches.';
COMMENT ON COLUMN revrtm.channel_map.route_id IS 'Route whose spend the channel''s credit is set against.';
COMMENT ON COLUMN revrtm.channel_map.category IS 'Spend category: enablement, content, mdf, spiff, program, headcount, tools, or one of your own.';
