-- The catalogue, as a tool would read it.
SELECT view_name, grain FROM revrtm.catalog
WHERE role = 'view' AND view_name IN ('account', 'attribution', 'freshness', 'pipeline', 'policy_change', 'route_romi') ORDER BY view_name COLLATE "C";

-- One view whole.
SELECT column_name, ordinal, data_type, role, unit, additive FROM revrtm.catalog
WHERE view_name = 'route_romi' ORDER BY ordinal;
SELECT description FROM revrtm.catalog WHERE catalog_key IN ('route_romi.romi', 'spend') ORDER BY catalog_key;

-- A canonical relation has no key; its money is in the currency of the row.
SELECT column_name, role, unit FROM revrtm.catalog WHERE view_name = 'opportunity' AND ordinal BETWEEN 1 AND 4 ORDER BY ordinal;

-- It has its own rows, and no others than those of the extension's views.
SELECT catalog_key, role FROM revrtm.catalog WHERE view_name = 'catalog' AND ordinal < 2 ORDER BY 1;
CREATE VIEW revrtm.own AS SELECT 1 AS one;
SELECT count(*) FROM revrtm.catalog WHERE view_name = 'own';
DROP VIEW revrtm.own;

-- Anybody may read it, and learns of what they may not read.
CREATE ROLE catalog_reader;
SET ROLE catalog_reader;
SELECT data_type, role, unit FROM revrtm.catalog WHERE catalog_key = 'deal.margin';
SELECT count(*) FROM revrtm.deal;
RESET ROLE;
DROP ROLE catalog_reader;
