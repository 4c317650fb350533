-- The catalogue: every view and column of the extension, for tools that make
-- their models from it. What the system catalogs know is read there; only
-- what a measure is has to be told.

CREATE TABLE revrtm.catalog_measure (
    view_name   text NOT NULL,
    column_name text NOT NULL,
    unit        text NOT NULL,
    additive    boolean NOT NULL,
    PRIMARY KEY (view_name, column_name)
);
COMMENT ON TABLE revrtm.catalog_measure IS
'The columns of views that are measures; shipped. Numbers that are not here are dimensions.';
COMMENT ON COLUMN revrtm.catalog_measure.view_name IS 'The view.';
COMMENT ON COLUMN revrtm.catalog_measure.column_name IS 'Its column.';
COMMENT ON COLUMN revrtm.catalog_measure.unit IS
'What it counts: reporting currency (revrtm.currency), row currency (that of the row''s own currency column, or its deal''s), deals, conversions, persons, pieces, accounts, share (1 is the whole), ratio, score, interval, hours, days, months, points, row unit (as another column of the row says), or rows.';
COMMENT ON COLUMN revrtm.catalog_measure.additive IS
'Whether sums over rows of one model and one currency mean something; take a ratio anew from its numerator and denominator instead.';

CREATE VIEW revrtm.catalog WITH (security_invoker = true) AS
SELECT pg_catalog.concat_ws('.', c.relname, a.attname) AS catalog_key,
       c.relname::text AS view_name,
       a.attname::text AS column_name,
       coalesce(a.attnum, 0)::integer AS ordinal,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type,
       CASE WHEN a.attnum IS NULL THEN 'view'
            WHEN a.attnum = 1 AND a.attname LIKE '%\_key' THEN 'key'
            WHEN m.column_name IS NOT NULL THEN 'measure'
            ELSE 'dimension' END AS role,
       m.unit,
       m.additive,
       CASE WHEN a.attnum IS NULL THEN
           pg_catalog.substring(pg_catalog.obj_description(c.oid, 'pg_class'), 'Grain: ([^.;]+)') END AS grain,
       CASE WHEN a.attnum IS NULL THEN pg_catalog.obj_description(c.oid, 'pg_class')
            ELSE pg_catalog.col_description(c.oid, a.attnum) END AS description
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
    AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_class'::regclass
JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'v'
CROSS JOIN LATERAL (
    SELECT NULL::name AS attname, NULL::smallint AS attnum, NULL::oid AS atttypid, NULL::integer AS atttypmod
    UNION ALL
    SELECT k.attname, k.attnum, k.atttypid, k.atttypmod
    FROM pg_catalog.pg_attribute k
    WHERE k.attrelid = c.oid AND k.attnum > 0 AND NOT k.attisdropped) a
LEFT JOIN revrtm.catalog_measure m ON m.view_name = c.relname AND m.column_name = a.attname
WHERE e.extname = 'revrtm';
COMMENT ON VIEW revrtm.catalog IS
'What there is to read: the views and their columns. Grain: one view, or one column of it.';
COMMENT ON COLUMN revrtm.catalog.catalog_key IS 'view_name, or view_name.column_name.';
COMMENT ON COLUMN revrtm.catalog.view_name IS 'The view.';
COMMENT ON COLUMN revrtm.catalog.column_name IS 'The column; NULL in the row of the view itself.';
COMMENT ON COLUMN revrtm.catalog.ordinal IS 'Place of the column, from 1; 0 for the view.';
COMMENT ON COLUMN revrtm.catalog.data_type IS 'Type of the column as SQL writes it; NULL for the view.';
COMMENT ON COLUMN revrtm.catalog.role IS
'view, key (unique text, the first column), dimension or measure. The canonical relations have the CRM''s own ids and no key.';
COMMENT ON COLUMN revrtm.catalog.unit IS 'Unit of a measure, see catalog_measure.unit.';
COMMENT ON COLUMN revrtm.catalog.additive IS 'Whether a measure may be summed over rows, see catalog_measure.additive.';
COMMENT ON COLUMN revrtm.catalog.grain IS 'What one row of the view is; NULL for a column.';
COMMENT ON COLUMN revrtm.catalog.description IS 'The comment on the view or column.';
GRANT SELECT ON revrtm.catalog, revrtm.catalog_measure TO PUBLIC;
