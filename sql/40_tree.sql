-- The trees of regions and products. A node's span contains those of all its
-- descendants, so that ancestor or descendant is one operator: &&.

CREATE TABLE revrtm.region (
    region_id text PRIMARY KEY,
    parent_id text,
    region_name text,
    span int8range NOT NULL,
    free_from int8,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT region_id_length CHECK (octet_length(region_id) BETWEEN 1 AND 255),
    CONSTRAINT region_root CHECK ((parent_id IS NULL) = (region_id = 'ANY')),
    CONSTRAINT region_span CHECK (int8range(0, 9223372036854775807) @> span
        AND (region_id <> 'ANY' OR span = int8range(0, 9223372036854775807))),
    CONSTRAINT region_free_from CHECK (free_from BETWEEN lower(span) AND upper(span)),
    CONSTRAINT region_sibling EXCLUDE USING gist (parent_id WITH =, span WITH &&)
);
CREATE INDEX region_child ON revrtm.region (parent_id, span);

COMMENT ON TABLE revrtm.region IS
'Tree of regions below the root ANY: insert nodes by region_id and parent_id, parents first; rename freely. A change of parent_id moves a node and all below it, see move_region(); deleting one that has children, registrations or rules of the role matrix raises 23503.';
COMMENT ON COLUMN revrtm.region.region_id IS 'Code of the region, 1 to 255 bytes; ANY is the root. It cannot be changed.';
COMMENT ON COLUMN revrtm.region.parent_id IS 'Code of the region that contains this one; NULL for the root alone.';
COMMENT ON COLUMN revrtm.region.region_name IS 'Name to show; free to change.';
COMMENT ON COLUMN revrtm.region.span IS
'Interval that contains the spans of all descendants and is disjoint from those of siblings; given by the extension, never twice, and kept on a row that arrives with one (a restore).';
COMMENT ON COLUMN revrtm.region.free_from IS
'Up to where the span was given to children that are gone or have moved away; NULL where the children that are there say so. Kept by the extension.';
COMMENT ON COLUMN revrtm.region.shipped IS 'Made by CREATE EXTENSION and never edited; such a row is not dumped.';

CREATE TABLE revrtm.product (
    product_id text PRIMARY KEY,
    parent_id text,
    product_name text,
    span int8range NOT NULL,
    free_from int8,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT product_id_length CHECK (octet_length(product_id) BETWEEN 1 AND 255),
    CONSTRAINT product_root CHECK ((parent_id IS NULL) = (product_id = 'ANY')),
    CONSTRAINT product_span CHECK (int8range(0, 9223372036854775807) @> span
        AND (product_id <> 'ANY' OR span = int8range(0, 9223372036854775807))),
    CONSTRAINT product_free_from CHECK (free_from BETWEEN lower(span) AND upper(span)),
    CONSTRAINT product_sibling EXCLUDE USING gist (parent_id WITH =, span WITH &&)
);
CREATE INDEX product_child ON revrtm.product (parent_id, span);

COMMENT ON TABLE revrtm.product IS
'Tree of products below the root ANY (families, lines, items): insert nodes by product_id and parent_id, parents first; rename freely. A change of parent_id moves a node and all below it, see move_product(); deleting one that has children, registrations or rules of the role matrix raises 23503.';
COMMENT ON COLUMN revrtm.product.product_id IS 'Code of the product, 1 to 255 bytes; ANY is the root. It cannot be changed.';
COMMENT ON COLUMN revrtm.product.parent_id IS 'Code of the family that contains this product; NULL for the root alone.';
COMMENT ON COLUMN revrtm.product.product_name IS 'Name to show; free to change.';
COMMENT ON COLUMN revrtm.product.span IS
'Interval that contains the spans of all descendants and is disjoint from those of siblings; given by the extension, never twice, and kept on a row that arrives with one (a restore).';
COMMENT ON COLUMN revrtm.product.free_from IS
'Up to where the span was given to children that are gone or have moved away; NULL where the children that are there say so. Kept by the extension.';
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
'Trigger of region and product: gives new and moved nodes spans never used before inside their parents'' (54000 when none is left, 23503 for an unknown parent, 23514 region_cycle or product_cycle for a node below itself, 42501 for a move by who is not staff), lets the registrations that name moved ones follow (23P01, roe_protected, where protections would overlap then), and refuses what registrations or rules rest on.';

CREATE TRIGGER keep_tree BEFORE INSERT OR UPDATE OR DELETE ON revrtm.region
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree_whole BEFORE TRUNCATE ON revrtm.region
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree_begin BEFORE UPDATE OF parent_id OR DELETE ON revrtm.region
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree_moved AFTER UPDATE ON revrtm.region
REFERENCING OLD TABLE AS old_node NEW TABLE AS new_node
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree_deleted AFTER DELETE ON revrtm.region
REFERENCING OLD TABLE AS old_node
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('region');
CREATE TRIGGER keep_tree BEFORE INSERT OR UPDATE OR DELETE ON revrtm.product
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree('product');
CREATE TRIGGER keep_tree_whole BEFORE TRUNCATE ON revrtm.product
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('product');
CREATE TRIGGER keep_tree_begin BEFORE UPDATE OF parent_id OR DELETE ON revrtm.product
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('product');
CREATE TRIGGER keep_tree_moved AFTER UPDATE ON revrtm.product
REFERENCING OLD TABLE AS old_node NEW TABLE AS new_node
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('product');
CREATE TRIGGER keep_tree_deleted AFTER DELETE ON revrtm.product
REFERENCING OLD TABLE AS old_node
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_tree('product');

CREATE FUNCTION revrtm.move_region(region_id text, parent_id text, on_conflict text DEFAULT 'refuse')
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_move_region';
COMMENT ON FUNCTION revrtm.move_region(text, text, text) IS
'Moves a region, and all below it, below another parent; registrations and rules that name them follow. Where two protections would overlap then: refuse raises 23P01 roe_protected, with the pairs; queue keeps the one submitted earlier (ties by registration_id) and puts the later one into the queue, or ends it as expired where its days are over, and returns it. An UPDATE of parent_id refuses. For staff that may update the tree (42501); waits for whoever is writing registrations. 23514 region_cycle below itself, 23503 for an unknown parent, P0002 for an unknown region; above READ COMMITTED 40001 where a registration to change is newer than the snapshot.';

CREATE FUNCTION revrtm.move_product(product_id text, parent_id text, on_conflict text DEFAULT 'refuse')
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_move_product';
COMMENT ON FUNCTION revrtm.move_product(text, text, text) IS
'Moves a product, and all below it, below another parent: as move_region() does (23514 product_cycle).';

SELECT pg_catalog.pg_extension_config_dump('revrtm.region', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('revrtm.product', 'WHERE NOT shipped');
SELECT revrtm.register_policy('revrtm.region', ARRAY['span', 'free_from']);
SELECT revrtm.register_policy('revrtm.product', ARRAY['span', 'free_from']);
GRANT SELECT ON revrtm.region, revrtm.product TO PUBLIC;
