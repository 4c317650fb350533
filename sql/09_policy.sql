-- What administrators decide: every change is logged, and the whole of it
-- is one JSON document that can be kept, compared and put back.

CREATE TABLE revrtm.policy_table (
    table_name  text PRIMARY KEY,
    ordinal     integer NOT NULL UNIQUE,
    key_columns text[] NOT NULL,
    derived     text[] NOT NULL,
    exported    boolean NOT NULL
);
COMMENT ON TABLE revrtm.policy_table IS 'The tables whose changes are audited; shipped. Each is registered where it is made, by register_policy.';
COMMENT ON COLUMN revrtm.policy_table.table_name IS 'The table, in the schema revrtm.';
COMMENT ON COLUMN revrtm.policy_table.ordinal IS 'Place in the order in which policies are imported.';
COMMENT ON COLUMN revrtm.policy_table.key_columns IS 'Columns of its primary key.';
COMMENT ON COLUMN revrtm.policy_table.derived IS 'Columns that the extension computes, which are no policy.';
COMMENT ON COLUMN revrtm.policy_table.exported IS
'Whether it is part of export_policy; what belongs to one database, such as its roles and bindings, is audited only.';
GRANT SELECT ON revrtm.policy_table TO PUBLIC;

CREATE TABLE revrtm.audit_log (
    audit_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    changed_at     timestamptz NOT NULL,
    actor          text NOT NULL,
    acting_role    text NOT NULL,
    app_actor      text,
    transaction_id xid8 NOT NULL,
    table_name     text NOT NULL,
    action         text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
    row_key        jsonb NOT NULL,
    old_row        jsonb,
    new_row        jsonb
);
CREATE INDEX audit_log_row ON revrtm.audit_log (table_name, row_key, changed_at);
SELECT pg_catalog.pg_extension_config_dump('revrtm.audit_log', '');
COMMENT ON TABLE revrtm.audit_log IS
'Who changed which row of policy, append-only: written by the tables'' triggers, never changed (23514, audit_append_only). A restore is logged too, as rows inserted by who restored; policy_change leaves out what changed nothing.';
COMMENT ON COLUMN revrtm.audit_log.audit_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.audit_log.changed_at IS 'When, by the clock; entries of one row never share an instant.';
COMMENT ON COLUMN revrtm.audit_log.actor IS 'The role that logged in (session_user).';
COMMENT ON COLUMN revrtm.audit_log.acting_role IS 'The role it had taken with SET ROLE, else the same.';
COMMENT ON COLUMN revrtm.audit_log.app_actor IS 'The application''s user: the setting revrtm.actor, as the application says it; NULL where empty.';
COMMENT ON COLUMN revrtm.audit_log.transaction_id IS 'The transaction, of the cluster it ran in.';
COMMENT ON COLUMN revrtm.audit_log.table_name IS 'The table.';
COMMENT ON COLUMN revrtm.audit_log.action IS 'INSERT, UPDATE, DELETE or TRUNCATE; a changed key is two entries.';
COMMENT ON COLUMN revrtm.audit_log.row_key IS 'Key of the row, as an object of its key columns.';
COMMENT ON COLUMN revrtm.audit_log.old_row IS 'The row before, without derived columns; NULL for a new one.';
COMMENT ON COLUMN revrtm.audit_log.new_row IS 'The row after; NULL for one that is gone.';

CREATE FUNCTION revrtm.policy_key(entry jsonb, key_columns text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_object_agg(k.name, entry -> k.name) FROM pg_catalog.unnest(key_columns) k (name);
END;
COMMENT ON FUNCTION revrtm.policy_key(jsonb, text[]) IS 'The key columns of a row, as an object; null where it lacks one.';

CREATE FUNCTION revrtm.policy_columns(table_name text) RETURNS text[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
    FROM revrtm.policy_table p
    JOIN pg_catalog.pg_class c ON c.relname = p.table_name::name
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'revrtm'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE p.table_name = policy_columns.table_name
      AND a.attname <> 'shipped' AND a.attname::text <> ALL (p.derived);
END;
COMMENT ON FUNCTION revrtm.policy_columns(text) IS 'The columns of a policy table that are policy: all but derived ones and shipped.';

-- The log. Its writer is a definer's function, since no role may write into
-- the log; values are written the same whatever the session's settings.
CREATE FUNCTION revrtm.write_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET bytea_output = 'hex'
AS $$
DECLARE
    p revrtm.policy_table;
    was jsonb[];
    became jsonb[];
BEGIN
    SELECT * INTO STRICT p FROM revrtm.policy_table t WHERE t.table_name = TG_TABLE_NAME;
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT array_agg(to_jsonb(t) - $1) FROM %s t', TG_RELID::regclass) INTO was USING p.derived;
    ELSE
        was := ARRAY[to_jsonb(OLD) - p.derived];
        became := ARRAY[to_jsonb(NEW) - p.derived];
        IF revrtm.policy_key(was[1], p.key_columns) IS DISTINCT FROM revrtm.policy_key(became[1], p.key_columns) THEN
            was := was || NULL::jsonb;
            became := NULL::jsonb || became;
        END IF;
    END IF;

    INSERT INTO revrtm.audit_log (changed_at, actor, acting_role, app_actor, transaction_id,
                                  table_name, action, row_key, old_row, new_row)
    SELECT greatest(clock_timestamp(), (SELECT max(l.changed_at) + interval '1 microsecond' FROM revrtm.audit_log l
                                        WHERE l.table_name = p.table_name AND l.row_key = k.row_key)),
           session_user, coalesce(nullif(current_setting('role'), 'none'), session_user),
           nullif(revrtm.setting('actor'), ''), pg_current_xact_id(),
           p.table_name, TG_OP, k.row_key, c.old_row, c.new_row
    FROM unnest(was, became) c (old_row, new_row),
         LATERAL (SELECT revrtm.policy_key(coalesce(c.old_row, c.new_row), p.key_columns) AS row_key) k
    WHERE c.old_row::text IS DISTINCT FROM c.new_row::text;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION revrtm.write_audit() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.write_audit() IS
'Trigger of policy tables: writes each changed row to audit_log, with the rights of the log''s owner.';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.audit_log
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change(
    'audit_append_only', 'Copy what you want to keep elsewhere; read revrtm.policy_change for what really changed.');
ALTER TABLE revrtm.audit_log ENABLE ALWAYS TRIGGER refuse_change;

-- A shipped row that was deleted would be back after a restore, but for the
-- log, which arrives with the dump and says so.
CREATE FUNCTION revrtm.drop_shipped_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM revrtm.policy_table p WHERE p.table_name = NEW.table_name)
       AND NOT EXISTS (SELECT FROM revrtm.audit_log l
                       WHERE l.table_name = NEW.table_name AND l.row_key = NEW.row_key
                         AND l.changed_at > NEW.changed_at AND l.new_row IS NOT NULL) THEN
        EXECUTE format('DELETE FROM revrtm.%I t WHERE t.shipped AND to_jsonb(t) @> $1', NEW.table_name)
        USING NEW.row_key;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION revrtm.drop_shipped_row() IS
'Trigger of audit_log: a restored entry that a shipped row was deleted, and did not come back later, deletes it again.';
CREATE TRIGGER drop_shipped_row AFTER INSERT ON revrtm.audit_log
FOR EACH ROW WHEN (NEW.new_row IS NULL AND NEW.old_row @> '{"shipped": true}')
EXECUTE FUNCTION revrtm.drop_shipped_row();

CREATE FUNCTION revrtm.register_policy(tab regclass, derived text[] DEFAULT '{}', exported boolean DEFAULT true)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO revrtm.policy_table (table_name, ordinal, key_columns, derived, exported)
    SELECT c.relname, 1 + (SELECT count(*) FROM revrtm.policy_table),
           (SELECT array_agg(a.attname::text ORDER BY k.place)
            FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, place)
                 JOIN pg_attribute a ON a.attrelid = tab AND a.attnum = k.attnum
            WHERE i.indrelid = tab AND i.indisprimary),
           register_policy.derived, register_policy.exported
    FROM pg_class c WHERE c.oid = tab AND c.relnamespace = 'revrtm'::regnamespace;
    EXECUTE format('CREATE TRIGGER write_audit AFTER INSERT OR UPDATE OR DELETE ON %s
                    FOR EACH ROW EXECUTE FUNCTION revrtm.write_audit()', tab);
    EXECUTE format('CREATE TRIGGER write_audit_whole BEFORE TRUNCATE ON %s
                    FOR EACH STATEMENT EXECUTE FUNCTION revrtm.write_audit()', tab);
END
$$;
REVOKE ALL ON FUNCTION revrtm.register_policy(regclass, text[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.register_policy(regclass, text[], boolean) IS
'For install and upgrade scripts, after the shipped rows are in: audits a table of the extension from here on, and makes it part of export_policy unless told otherwise; derived names columns that are no policy. A column parent_id of a table with one key column makes it a tree.';

CREATE VIEW revrtm.policy_change WITH (security_invoker = true) AS
WITH entry AS (
    SELECT l.*, l.old_row - 'shipped' AS old_policy, l.new_row - 'shipped' AS new_policy,
           first_value(l.old_row - 'shipped') OVER w AS first_policy,
           -- Deleted and inserted again by one transaction: replaced.
           l.new_row IS NULL AND lead(l.new_row) OVER w IS NOT NULL
               AND lead(l.transaction_id) OVER w = l.transaction_id AS replaced
    FROM revrtm.audit_log l
    WINDOW w AS (PARTITION BY l.table_name, l.row_key ORDER BY l.changed_at, l.audit_id)
), step AS (
    SELECT e.*,
           CASE WHEN lag(e.audit_id) OVER w IS NULL THEN e.first_policy ELSE lag(e.new_policy) OVER w END AS before
    FROM entry e
    WHERE NOT e.replaced
    WINDOW w AS (PARTITION BY e.table_name, e.row_key ORDER BY e.changed_at, e.audit_id)
)
SELECT s.audit_id::text AS policy_change_key,
       s.changed_at,
       s.table_name,
       s.row_key::text AS row_id,
       CASE WHEN s.before IS NULL THEN 'added' WHEN s.new_policy IS NULL THEN 'removed' ELSE 'changed' END AS change,
       s.actor,
       s.acting_role,
       s.app_actor,
       s.transaction_id::text AS transaction_id,
       s.before::text AS old_row,
       s.new_policy::text AS new_row
FROM step s
WHERE s.before::text IS DISTINCT FROM s.new_policy::text;
COMMENT ON VIEW revrtm.policy_change IS
'What changed in the policy, from the audit log: each row is compared with what the log last said of it, so that a restore of what was dumped is no change, and one of an altered dump is. Grain: one change of one row of a policy table.';
COMMENT ON COLUMN revrtm.policy_change.policy_change_key IS 'The entry of audit_log.';
COMMENT ON COLUMN revrtm.policy_change.changed_at IS 'When.';
COMMENT ON COLUMN revrtm.policy_change.table_name IS 'The table.';
COMMENT ON COLUMN revrtm.policy_change.row_id IS 'Key of the row, a JSON object of its key columns.';
COMMENT ON COLUMN revrtm.policy_change.change IS 'added, changed or removed.';
COMMENT ON COLUMN revrtm.policy_change.actor IS 'The role that logged in.';
COMMENT ON COLUMN revrtm.policy_change.acting_role IS 'The role it had taken with SET ROLE, else the same.';
COMMENT ON COLUMN revrtm.policy_change.app_actor IS 'The application''s user, as the application said it.';
COMMENT ON COLUMN revrtm.policy_change.transaction_id IS 'The transaction: one may change many rows.';
COMMENT ON COLUMN revrtm.policy_change.old_row IS 'The row before, JSON; NULL for a new one.';
COMMENT ON COLUMN revrtm.policy_change.new_row IS 'The row after, JSON; NULL for one that is gone.';

-- Policy as data.

CREATE FUNCTION revrtm.policy_rows(table_name text) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET bytea_output = 'hex'
AS $$
DECLARE
    p revrtm.policy_table;
    entries jsonb;
BEGIN
    SELECT * INTO STRICT p FROM revrtm.policy_table t WHERE t.table_name = policy_rows.table_name;
    EXECUTE format('SELECT coalesce(jsonb_agg(r.entry ORDER BY revrtm.policy_key(r.entry, $2)::text COLLATE "C"), ''[]'')
                    FROM (SELECT to_jsonb(t) - $1 AS entry FROM revrtm.%I t) r', p.table_name)
    INTO entries USING p.derived || 'shipped'::text, p.key_columns;
    RETURN entries;
END
$$;
COMMENT ON FUNCTION revrtm.policy_rows(text) IS 'The rows of a policy table, ordered by their key, without what is no policy.';

CREATE FUNCTION revrtm.export_policy() RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.jsonb_build_object('version', 1, 'tables',
        pg_catalog.jsonb_object_agg(p.table_name, revrtm.policy_rows(p.table_name)))
    FROM revrtm.policy_table p WHERE p.exported;
END;
COMMENT ON FUNCTION revrtm.export_policy() IS
'The policy as one document, {"version": 1, "tables": {table: [rows by key]}}: the same text for the same policy, whatever the session''s settings and the order of rows.';

CREATE FUNCTION revrtm.export_policy(at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    -- What changed since is undone.
    WITH undone AS MATERIALIZED (
        SELECT DISTINCT ON (c.table_name, c.row_id) c.table_name, c.row_id::jsonb AS row_key, c.old_row::jsonb AS entry
        FROM revrtm.policy_change c
        WHERE c.changed_at > export_policy.at
        ORDER BY c.table_name, c.row_id, c.changed_at
    ), entry AS (
        SELECT p.table_name, k.row_key, r.entry
        FROM revrtm.policy_table p
             CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(revrtm.policy_rows(p.table_name)) r (entry)
             CROSS JOIN LATERAL (SELECT revrtm.policy_key(r.entry, p.key_columns) AS row_key) k
        WHERE p.exported AND (p.table_name, k.row_key) NOT IN (SELECT u.table_name, u.row_key FROM undone u)
        UNION ALL
        SELECT u.table_name, u.row_key, u.entry FROM undone u WHERE u.entry IS NOT NULL
    )
    SELECT pg_catalog.jsonb_build_object('version', 1, 'tables', pg_catalog.jsonb_object_agg(p.table_name, coalesce(
        (SELECT pg_catalog.jsonb_agg(e.entry ORDER BY e.row_key::text COLLATE "C")
         FROM entry e WHERE e.table_name = p.table_name), '[]')))
    FROM revrtm.policy_table p WHERE p.exported;
END;
COMMENT ON FUNCTION revrtm.export_policy(timestamptz) IS
'The policy as it was at an instant: the present one with the changes since then, which the audit log has, undone.';

CREATE FUNCTION revrtm.policy_hash(policy jsonb DEFAULT revrtm.export_policy()) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(policy::text, 'UTF8')), 'hex');
END;
COMMENT ON FUNCTION revrtm.policy_hash(jsonb) IS
'SHA-256 of a policy''s text, of the present one by default: equal for equal policies.';

CREATE FUNCTION revrtm.check_policy(policy jsonb) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong record;
BEGIN
    IF policy -> 'version' IS DISTINCT FROM '1' OR jsonb_typeof(policy -> 'tables') IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'this is no policy of version 1'
            USING ERRCODE = '22023', HINT = 'A policy is what export_policy() returns: {"version": 1, "tables": {...}}.';
    END IF;

    SELECT string_agg(quote_ident(k.name), ', ' ORDER BY k.name) AS names INTO wrong
    FROM jsonb_object_keys(policy -> 'tables') k (name)
    WHERE NOT EXISTS (SELECT FROM revrtm.policy_table p WHERE p.table_name = k.name AND p.exported);
    IF wrong.names IS NOT NULL THEN
        RAISE EXCEPTION 'the policy names tables that are none: %', wrong.names
            USING ERRCODE = '22023',
                  HINT = (SELECT 'The tables are ' || string_agg(p.table_name, ', ' ORDER BY p.ordinal) || '.'
                          FROM revrtm.policy_table p WHERE p.exported);
    END IF;

    SELECT t.key AS name,
           CASE jsonb_typeof(t.value) WHEN 'array' THEN format('Row %s is %s.', r.place, r.entry)
                                      ELSE format('It is %s.', t.value) END AS problem
    INTO wrong
    FROM jsonb_each(policy -> 'tables') t,
         jsonb_array_elements(CASE jsonb_typeof(t.value) WHEN 'array' THEN t.value ELSE '[null]' END)
             WITH ORDINALITY r (entry, place)
    WHERE jsonb_typeof(r.entry) <> 'object'
    ORDER BY t.key, r.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the policy of % is no array of objects', wrong.name
            USING ERRCODE = '22023', DETAIL = wrong.problem;
    END IF;

    SELECT p.table_name AS name, k.row_key, min(r.place) AS place, max(r.place) AS again INTO wrong
    FROM revrtm.policy_table p, jsonb_array_elements(policy -> 'tables' -> p.table_name) WITH ORDINALITY r (entry, place),
         LATERAL (SELECT revrtm.policy_key(r.entry, p.key_columns) AS row_key) k
    GROUP BY p.table_name, k.row_key HAVING count(*) > 1
    ORDER BY p.table_name, min(r.place) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the policy of % has two rows of one key', wrong.name
            USING ERRCODE = '22023', DETAIL = format('Rows %s and %s are %s.', wrong.place, wrong.again, wrong.row_key);
    END IF;
END
$$;
COMMENT ON FUNCTION revrtm.check_policy(jsonb) IS
'Raises 22023 for what is no policy: another version, an unknown table, a row that is no object, two rows of one key.';

CREATE FUNCTION revrtm.read_policy(policy jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET bytea_output = 'hex'
AS $$
DECLARE
    p record;
    r record;
    entry jsonb;
    entries jsonb[];
    result jsonb := '{}';
BEGIN
    PERFORM revrtm.check_policy(policy);
    FOR p IN
        SELECT t.table_name, t.derived || 'shipped'::text AS hidden, revrtm.policy_columns(t.table_name) AS columns
        FROM revrtm.policy_table t WHERE policy -> 'tables' ? t.table_name
    LOOP
        entries := '{}';
        FOR r IN
            SELECT e.entry, e.place,
                   (SELECT string_agg(c, ', ') FROM unnest(p.columns) c WHERE NOT e.entry ? c) AS missing,
                   (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(e.entry) k
                    WHERE k <> ALL (p.columns)) AS unknown
            FROM jsonb_array_elements(policy -> 'tables' -> p.table_name) WITH ORDINALITY e (entry, place)
        LOOP
            IF r.missing IS NOT NULL OR r.unknown IS NOT NULL THEN
                RAISE EXCEPTION 'row % of % has other columns than the table', r.place, p.table_name
                    USING ERRCODE = '22023', HINT = format('Its columns are %s.', array_to_string(p.columns, ', ')),
                          DETAIL = concat_ws(' ', 'It lacks ' || r.missing || '.', 'It has ' || r.unknown || '.');
            END IF;
            BEGIN
                EXECUTE format('SELECT to_jsonb(jsonb_populate_record(NULL::revrtm.%I, $1)) - $2', p.table_name)
                INTO entry USING r.entry, p.hidden;
            EXCEPTION WHEN data_exception THEN
                RAISE EXCEPTION 'row % of % is malformed', r.place, p.table_name
                    USING ERRCODE = '22023', DETAIL = SQLERRM;
            END;
            entries := entries || entry;
        END LOOP;
        result := result || jsonb_build_object(p.table_name, entries);
    END LOOP;
    RETURN jsonb_build_object('version', 1, 'tables', result);
END
$$;
COMMENT ON FUNCTION revrtm.read_policy(jsonb) IS
'A policy as its tables would show it, each value read as its column''s type. Raises 22023, naming table and row, for what check_policy refuses, columns too many or too few, and values that are none of the type.';

CREATE FUNCTION revrtm.policy_diff(a jsonb, b jsonb)
RETURNS TABLE (table_name text, row_key jsonb, change text, column_name text, old jsonb, new jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    PERFORM revrtm.check_policy(a), revrtm.check_policy(b);
    RETURN QUERY
    WITH pair AS (
        SELECT p.ordinal, p.table_name, k.row_key, k.was, k.becomes
        FROM revrtm.policy_table p
             CROSS JOIN LATERAL (
                 SELECT row_key, x.entry AS was, y.entry AS becomes
                 FROM (SELECT revrtm.policy_key(e, p.key_columns) AS row_key, e AS entry
                       FROM jsonb_array_elements(a -> 'tables' -> p.table_name) e) x
                      FULL JOIN
                      (SELECT revrtm.policy_key(e, p.key_columns) AS row_key, e AS entry
                       FROM jsonb_array_elements(b -> 'tables' -> p.table_name) e) y
                      USING (row_key)) k
        WHERE b -> 'tables' ? p.table_name
    )
    SELECT r.table_name, r.row_key, d.change, d.column_name, d.old, d.new
    FROM pair r CROSS JOIN LATERAL (
        SELECT CASE WHEN r.was IS NULL THEN 'added' ELSE 'removed' END AS change,
               NULL::text AS column_name, r.was AS old, r.becomes AS new
        WHERE r.was IS NULL OR r.becomes IS NULL
        UNION ALL
        SELECT 'changed', coalesce(o.key, n.key), o.value, n.value
        FROM jsonb_each(r.was) o FULL JOIN jsonb_each(r.becomes) n ON n.key = o.key
        WHERE r.was IS NOT NULL AND r.becomes IS NOT NULL AND o.value::text IS DISTINCT FROM n.value::text) d
    ORDER BY r.ordinal, r.row_key::text COLLATE "C", d.column_name COLLATE "C";
END
$$;
COMMENT ON FUNCTION revrtm.policy_diff(jsonb, jsonb) IS
'What importing policy b would change where a is the policy: a row for each row added or removed, whole in new or old, and one for each changed column. Values are compared as they are written, 0.10 is not 0.1. Tables that b does not name are passed over. 22023 for what check_policy refuses.';

CREATE FUNCTION revrtm.import_policy(policy jsonb)
RETURNS TABLE (table_name text, inserted bigint, updated bigint, deleted bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted jsonb := revrtm.read_policy(policy);
    p record;
    r record;
    late jsonb[];
    insert_row text;
    delete_row text;
BEGIN
    FOR p IN SELECT t.table_name FROM revrtm.policy_table t WHERE wanted -> 'tables' ? t.table_name ORDER BY t.ordinal LOOP
        EXECUTE format('LOCK TABLE revrtm.%I IN SHARE ROW EXCLUSIVE MODE', p.table_name);
    END LOOP;

    FOR p IN
        SELECT t.table_name, t.key_columns[1] AS node, 'parent_id' = ANY (k.columns) AS is_tree,
               string_agg(quote_ident(c), ', ') AS columns, string_agg(format('r.%I', c), ', ') AS values,
               string_agg(format('t.%1$I = r.%1$I', c), ' AND ') FILTER (WHERE c = ANY (t.key_columns)) AS matches
        FROM revrtm.policy_table t, LATERAL revrtm.policy_columns(t.table_name) k (columns), unnest(k.columns) c
        WHERE wanted -> 'tables' ? t.table_name
        GROUP BY t.ordinal, t.table_name, k.columns ORDER BY t.ordinal
    LOOP
        table_name := p.table_name;
        inserted := 0;
        updated := 0;
        deleted := 0;
        late := '{}';
        insert_row := format('INSERT INTO revrtm.%I (%s) SELECT %s FROM jsonb_populate_record(NULL::revrtm.%1$I, $1) r',
                             p.table_name, p.columns, p.values);
        delete_row := format('DELETE FROM revrtm.%I t USING jsonb_populate_record(NULL::revrtm.%1$I, $1) r WHERE %s',
                             p.table_name, p.matches);
        -- A tree grows before its nodes move, and is cut back afterwards;
        -- other tables make room first.
        FOR r IN
            WITH RECURSIVE step AS (
                SELECT d.row_key, d.change, min(coalesce(d.new, d.old)::text)::jsonb AS entry,
                       jsonb_object_agg(d.column_name, d.new) FILTER (WHERE d.change = 'changed') AS changes
                FROM revrtm.policy_diff(
                    jsonb_build_object('version', 1, 'tables', jsonb_build_object(p.table_name, revrtm.policy_rows(p.table_name))),
                    jsonb_build_object('version', 1, 'tables', jsonb_build_object(p.table_name, wanted -> 'tables' -> p.table_name))) d
                GROUP BY d.row_key, d.change
            ), node AS (
                SELECT s.change, s.entry ->> p.node AS id, s.entry ->> 'parent_id' AS parent
                FROM step s WHERE s.change <> 'changed'
            ), tree AS (
                SELECT n.change, n.id, 0 AS depth
                FROM node n WHERE n.parent IS NULL OR (n.change, n.parent) NOT IN (SELECT o.change, o.id FROM node o)
                UNION ALL
                SELECT n.change, n.id, t.depth + 1 FROM tree t JOIN node n ON n.change = t.change AND n.parent = t.id
            )
            SELECT s.row_key, s.change, s.entry, s.changes
            FROM step s LEFT JOIN tree t ON p.is_tree AND t.change = s.change AND t.id = s.row_key ->> p.node
            ORDER BY array_position(CASE WHEN p.is_tree THEN '{added,changed,removed}'::text[]
                                         ELSE '{removed,changed,added}' END, s.change),
                     CASE s.change WHEN 'removed' THEN - t.depth ELSE t.depth END, s.row_key::text COLLATE "C"
        LOOP
            IF r.change = 'added' THEN
                EXECUTE insert_row USING r.entry;
                inserted := inserted + 1;
            ELSIF r.change = 'removed' THEN
                EXECUTE delete_row USING r.row_key;
                deleted := deleted + 1;
            ELSE
                BEGIN
                    EXECUTE format('UPDATE revrtm.%1$I t SET %2$s FROM jsonb_populate_record(NULL::revrtm.%1$I, $1) r WHERE %3$s',
                                   p.table_name,
                                   (SELECT string_agg(format('%1$I = r.%1$I', c), ', ') FROM jsonb_object_keys(r.changes) c),
                                   p.matches)
                    USING r.row_key || r.changes;
                EXCEPTION WHEN unique_violation OR exclusion_violation THEN
                    IF p.is_tree THEN
                        RAISE;
                    END IF;
                    -- Another row stands where this one goes, and will leave.
                    EXECUTE delete_row USING r.row_key;
                    late := late || r.row_key;
                END;
                updated := updated + 1;
            END IF;
        END LOOP;
        FOR r IN
            SELECT e.entry FROM jsonb_array_elements(wanted -> 'tables' -> p.table_name) e (entry), revrtm.policy_table t
            WHERE t.table_name = p.table_name AND revrtm.policy_key(e.entry, t.key_columns) = ANY (late)
        LOOP
            EXECUTE insert_row USING r.entry;
        END LOOP;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION revrtm.import_policy(jsonb) IS
'Makes every table that the policy names equal to it, with the caller''s rights and through the tables'' own rules, whose errors pass: all of it or nothing. Rows that are equal are not touched, so shipped ones stay shipped; rows that the policy lacks are deleted, shipped ones too. One row a table: how many rows were inserted, updated and deleted. 22023 for what read_policy refuses.';
