-- Tables whose rows are written once.

CREATE FUNCTION revrtm.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_RELID::regclass
        USING ERRCODE = '23514', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
              CONSTRAINT = coalesce(TG_ARGV[0], TG_TABLE_NAME || '_append_only'),
              DETAIL = format('%s of %s is refused to everybody.', TG_OP, TG_RELID::regclass),
              HINT = coalesce(TG_ARGV[1], 'Copy what you want to keep elsewhere.');
END
$$;
REVOKE ALL ON FUNCTION revrtm.refuse_change() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.refuse_change() IS
'Trigger of tables that are append-only: refuses what it is fired by (23514), in sessions that replicate as well where it is ENABLE ALWAYS; the arguments are the constraint reported, else <table>_append_only, and the hint.';
