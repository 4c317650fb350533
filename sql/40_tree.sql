-- The trees of regions and products. A node's span contains those of all its
-- descendants, so that ancestor or descendant is one operator: &&.

CREATE TABLE revrtm.region (
    region_id text PRIMARY KEY,
    parent_id text,
    region_name text,
    span int8range NOT NULL,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT region_id_length CHECK (octet_length(region_id) BETWEEN 1 AND 255),
    CONSTRAINT region_root CHECK ((parent_id IS NULL) = (region_id = 'ANY')),
    CONSTRAINT region_span CHECK (NOT isempty(span) AND int8range(0, 9223372036854775807) @> span
        AND (region_id <> 'ANY' OR span = int8range(0, 9223372036854775807))),
    CONSTRAINT region_sibling EXCLUDE USING gist (parent_id WITH =, span WITH &&)
);
CREATE INDEX region_child ON revrtm.region (parent_id, span);

COMMENT ON TABLE revrtm.region IS
'Tree of regions below the root ANY: insert nodes by region_id and parent_id, parents first; rename freely. Moving a node raises 0A000, deleting one that has children, registrations or rules of the role matrix 23503.';
COMMENT ON COLUMN revrtm.region.region_id IS 'Code of the region, 1 to 255 bytes; ANY is the root. It cannot be changed.';
COMMENT ON COLUMN revrtm.region.parent_id IS 'Code of the region that contains this one; NULL for the root alone.';
COMMENT ON COLUMN revrtm.region.region_name IS 'Name to show; free to change.';
COMMENT ON COLUMN revrtm.region.span IS
'Interval that contains the spans of all descendants and is disjoint from those of siblings; given by the extension, kept on a row that arrives with one (a restore).';
COMMENT ON COLUMN revrtm.region.shipped IS 'Made by CREATE EXTENSION and never edited; such a row is not dumped.';

CREATE TABLE revrtm.product (
    product_id text PRIMARY KEY,
    parent_id text,
    product_name text,
    span int8range NOT NULL,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT product_id_length CHECK (octet_length(product_id) BETWEEN 1 AND 255),
    CONSTRAINT product_root CHECK ((parent_id IS NULL) = (product_id = 'ANY')),
    CONSTRAINT product_span CHECK (NOT isempty(span) AND int8range(0, 9223372036854775807) @> span
        AND (product_id <> 'ANY' OR span = int8range(0, 9223372036854775807))),
    CONSTRAINT product_sibling EXCLUDE USING gist (parent_id WITH =, span WITH &&)
);
CREATE INDEX product_child ON revrtm.product (parent_id, span);

COMMENT ON TABLE revrtm.product IS
'Tree of products below the root ANY (families, lines, items): insert nodes by product_id and parent_id, parents first; rename freely. Moving a node raises 0A000, deleting one that has children, registrations or rules of the role matrix 23503.';
COMMENT ON COLUMN revrtm.product.product_id IS 'Code of the product, 1 to 255 bytes; ANY is the root. It cannot be changed.';
COMMENT ON COLUMN revrtm.product.parent_id IS 'Code of the family that contains this product; NULL for the root alone.';
COMMENT ON COLUMN revrtm.product.product_name IS 'Name to show; free to change.';
COMMENT ON COLUMN revrtm.product.span IS
'Interval that contains the spans of all descendants and is disjoint from those of siblings; given by the extension, kept on a row that arrives with one (a restore).';
COMMENT ON COLUMN revrtm.product.shipped IS 'Made by CREATE EXTENSION and never edited; such a row is not dumped.';

-- Before the triggers, which take a row for the user's.
INSERT INTO revrtm.region (region_id, region_name, span, shipped)
VALUES ('ANY', 'All regions', int8range(0, 9223372036854775807), true);
INSERT INTO revrtm.product (product_id, product_name, span, shipped)
VALUES ('ANY', 'All products', int8range(0, 9223372036854775807), true);

CREATE FUNCTION revrtm.keep_tree() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_keep_tree';
REVOKE ALL ON FUNCTION revrtm.keep_tree() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_tree() IS
'Trigger of region and product: gives a new node its span inside its parent''s free interval (54000 when none is left, 23503 for an unknown parent), and refuses what would change a span that registrations hold.';

CREATE TRIGGER keep_tree BEFORE INSERT OR UPDATE OR DELETE ON revrtm.region
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree_whole BEFORE TRUNCATE ON revrtm.region
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree BEFORE INSERT OR UPDATE OR DELETE ON revrtm.product
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree('product');
CREATE TRIGGER keep_tree_whole BEFORE TRUNCATE ON revrtm.product
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('product');

SELECT pg_catalog.pg_extension_config_dump('revrtm.region', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('revrtm.product', 'WHERE NOT shipped');
SELECT revrtm.register_policy('revrtm.region', ARRAY['span']);
SELECT revrtm.register_policy('revrtm.product', ARRAY['span']);
GRANT SELECT ON revrtm.region, revrtm.product TO PUBLIC;
