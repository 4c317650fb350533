-- Rows that the extension ships and users may edit.

-- A shipped row that a user edits becomes the user's: it is dumped, and on
-- restore it takes the place of the row CREATE EXTENSION made.
CREATE FUNCTION revrtm.own_shipped_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.shipped := false;
    IF TG_OP = 'INSERT' THEN
        EXECUTE format('DELETE FROM %s WHERE shipped AND %s', TG_RELID::regclass,
            (SELECT string_agg(format('%I = ($1).%1$I', k.name), ' AND ') FROM unnest(TG_ARGV) k (name)))
        USING NEW;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION revrtm.own_shipped_row() IS
'Trigger of tables with shipped rows: what is written is no longer shipped, and an INSERT replaces the shipped row of the same key; the arguments name the columns of the key.';
