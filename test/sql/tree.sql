-- Trees of regions and products: spans that nest. See move for nodes that move.
INSERT INTO revrtm.region (region_id, parent_id, region_name) VALUES
    ('EMEA', 'ANY', 'Europe, Middle East, Africa'), ('AMER', 'ANY', 'Americas'),
    ('DE', 'EMEA', 'Germany'), ('FR', 'EMEA', 'France'), ('BY', 'DE', 'Bavaria');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('US', 'AMER');

-- Ancestor or descendant is &&, checked against the parents themselves.
CREATE VIEW tree_mismatch AS
WITH RECURSIVE above AS (
    SELECT region_id AS node, region_id AS ancestor FROM revrtm.region
    UNION ALL
    SELECT a.node, r.parent_id FROM above a JOIN revrtm.region r ON r.region_id = a.ancestor
    WHERE r.parent_id IS NOT NULL)
SELECT a.region_id AS a, b.region_id AS b
FROM revrtm.region a, revrtm.region b
WHERE (a.span && b.span) <> EXISTS (SELECT FROM above WHERE
    (node, ancestor) IN ((a.region_id, b.region_id), (b.region_id, a.region_id)))
   OR (a.span @> b.span) <> EXISTS (SELECT FROM above WHERE
    (node, ancestor) = (b.region_id, a.region_id));
SELECT count(*) AS mismatches FROM tree_mismatch;

-- What is refused.
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('XX', 'NOWHERE');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('XX', NULL);
INSERT INTO revrtm.region (region_id, parent_id) VALUES (NULL, 'ANY');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('', 'ANY');
INSERT INTO revrtm.region (region_id, parent_id) VALUES (repeat('x', 256), 'ANY');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('XX', 'XX');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('DE', 'ANY');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('DE', 'ANY') ON CONFLICT DO NOTHING;
UPDATE revrtm.region SET parent_id = 'BY' WHERE region_id = 'DE';
UPDATE revrtm.region SET free_from = 0 WHERE region_id = 'DE';
UPDATE revrtm.region SET region_id = 'GER' WHERE region_id = 'DE';
UPDATE revrtm.region SET span = '[0,1)' WHERE region_id = 'DE';
DELETE FROM revrtm.region WHERE region_id = 'DE';
DELETE FROM revrtm.region WHERE region_id = 'ANY';
TRUNCATE revrtm.region;
\set VERBOSITY sqlstate
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('XX', 'NOWHERE');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('XX', NULL);
UPDATE revrtm.region SET parent_id = 'BY' WHERE region_id = 'DE';
DELETE FROM revrtm.region WHERE region_id = 'DE';
\set VERBOSITY default

-- What is free: names, and nodes nobody uses. No span is given again.
CREATE TABLE gone AS SELECT span FROM revrtm.region WHERE region_id = 'BY';
UPDATE revrtm.region SET region_name = 'Deutschland' WHERE region_id = 'DE';
DELETE FROM revrtm.region WHERE region_id = 'BY';
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('NW', 'DE');
SELECT r.span >> g.span AS after_what_is_gone FROM revrtm.region r, gone g WHERE r.region_id = 'NW';
DROP TABLE gone;
SELECT count(*) AS mismatches FROM tree_mismatch;

-- A restore: rows come with their spans, children before parents.
CREATE TABLE saved AS SELECT * FROM revrtm.region WHERE region_id <> 'ANY';
DELETE FROM revrtm.region WHERE region_id IN ('NW', 'US');
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR');
DELETE FROM revrtm.region WHERE region_id IN ('EMEA', 'AMER');
INSERT INTO revrtm.region SELECT * FROM saved ORDER BY lower(span) DESC, upper(span);
SELECT count(*) AS changed FROM (TABLE saved EXCEPT TABLE revrtm.region) d;
DROP TABLE saved;
-- The edited root wins over the one CREATE EXTENSION made.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE revrtm.region SET shipped = true, free_from = NULL WHERE region_id = 'ANY';
SET LOCAL session_replication_role = origin;
INSERT INTO revrtm.region (region_id, region_name, span, free_from)
SELECT region_id, 'World', span, 7 FROM revrtm.region WHERE region_id = 'ANY';
SELECT region_name, free_from, shipped FROM revrtm.region WHERE region_id = 'ANY';
INSERT INTO revrtm.region (region_id, region_name) VALUES ('ANY', 'twice');
ROLLBACK;
-- Forged spans: outside the parent, over a sibling, over the children, no interval.
INSERT INTO revrtm.region (region_id, parent_id, span) SELECT 'X1', 'DE', span FROM revrtm.region WHERE region_id = 'US';
INSERT INTO revrtm.region (region_id, parent_id, span) SELECT 'X2', 'DE', span FROM revrtm.region WHERE region_id = 'DE';
INSERT INTO revrtm.region (region_id, parent_id, span) SELECT 'X3', 'EMEA', span FROM revrtm.region WHERE region_id = 'FR';
INSERT INTO revrtm.region (region_id, parent_id, span) VALUES ('X4', 'EMEA', 'empty');
INSERT INTO revrtm.region (region_id, parent_id, span) VALUES ('X5', 'EMEA', '(,)');
INSERT INTO revrtm.region (region_id, parent_id, span) VALUES ('X6', 'EMEA', '[-5,-1)');

-- The trigger's function is of use nowhere else.
SELECT revrtm.keep_tree();
CREATE TABLE other (region_id text, parent_id text);
CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree('region');
INSERT INTO other VALUES ('a', 'b');
DROP TRIGGER t ON other;
CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree();
INSERT INTO other VALUES ('a', 'b');
DROP TRIGGER t ON other;
CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION revrtm.keep_tree('region');
INSERT INTO other VALUES ('a', 'b');
DROP TABLE other;

-- Deep: twelve levels, each below the last of sixteen siblings.
BEGIN;
DO $$
DECLARE parent text := 'ANY';
BEGIN
    FOR level IN 1..12 LOOP
        INSERT INTO revrtm.product (product_id, parent_id)
        SELECT format('%s-%s', level, i), parent FROM generate_series(1, 16) i;
        parent := format('%s-16', level);
    END LOOP;
END
$$;
SELECT count(*) AS nodes, min(upper(span) - lower(span)) AS narrowest FROM revrtm.product;
-- Further down: parents without room get other spans, what is registered follows.
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
VALUES ('acme', 'p1', '{12-16,3-1}', '{ANY}', 'approved'), ('acme', 'p2', '{12-1,ANY}', '{ANY}', 'submitted');
CREATE TEMP TABLE before AS SELECT product_id, span FROM revrtm.product;
INSERT INTO revrtm.product (product_id, parent_id)
VALUES ('13', '12-16'), ('14', '13'), ('15', '14'), ('16', '15'), ('17', '16'), ('18', '17'), ('19', '18');
SELECT count(*) > 20 AS many_got_others, count(*) FILTER (WHERE p.span && b.span) AS over_where_they_were
FROM revrtm.product p JOIN before b USING (product_id) WHERE p.span <> b.span;
SELECT count(*) AS not_nested FROM revrtm.product c JOIN revrtm.product p ON p.product_id = c.parent_id
WHERE NOT c.span <@ p.span OR c.span = p.span;
SELECT partner_id, d.product = (SELECT range_agg(p.span) FROM revrtm.product p WHERE p.product_id = ANY (d.product_codes)) AS follows
FROM revrtm.deal_registration d ORDER BY 1;
SELECT count(*) AS events FROM revrtm.registration_event;
ROLLBACK;
-- Wide: ten thousand children of one node, and a level below the last.
BEGIN;
INSERT INTO revrtm.product (product_id, parent_id) SELECT i::text, 'ANY' FROM generate_series(1, 10000) i;
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('below', '10000');
SELECT count(*) AS nodes, min(upper(span) - lower(span)) > 1000000 AS roomy
FROM revrtm.product WHERE parent_id = 'ANY';
SELECT c.span <@ p.span AS below_the_last FROM revrtm.product c, revrtm.product p
WHERE c.product_id = 'below' AND p.product_id = '10000';
ROLLBACK;

-- Until the whole tree has no room: as after two million moves to its top.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE revrtm.product SET free_from = upper(span) - 2;
SET LOCAL session_replication_role = origin;
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('a', 'ANY'), ('b', 'ANY');
SAVEPOINT full_up;
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('c', 'ANY');
ROLLBACK TO full_up;
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('c', 'b');
ROLLBACK;

DROP VIEW tree_mismatch;
DELETE FROM revrtm.region WHERE region_id IN ('NW', 'US');
DELETE FROM revrtm.region WHERE region_id IN ('DE', 'FR');
DELETE FROM revrtm.region WHERE region_id IN ('EMEA', 'AMER');
