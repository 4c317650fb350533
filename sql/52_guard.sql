-- Guards: the rules of engagement on a table of the portal's own.

CREATE TABLE revrtm.guard (
    target     regclass PRIMARY KEY,
    kind       text NOT NULL,
    columns    jsonb NOT NULL,
    mode       text NOT NULL,
    guarded_at timestamptz NOT NULL DEFAULT now(),
    guarded_by text NOT NULL DEFAULT session_user,
    CONSTRAINT guard_kind CHECK (kind IN ('registration', 'opportunity')),
    CONSTRAINT guard_columns CHECK (jsonb_typeof(columns) = 'object'),
    CONSTRAINT guard_mode CHECK (mode IN ('enforce', 'warn', 'off'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.guard', '');
COMMENT ON TABLE revrtm.guard IS
'Tables of portals that the rules of engagement guard, see guard(). Grain: one table.';
COMMENT ON COLUMN revrtm.guard.target IS 'The table; a number where it is gone, which unguard() takes.';
COMMENT ON COLUMN revrtm.guard.kind IS
'registration: its rows are deal registrations. opportunity: they are deals, which meet protections.';
COMMENT ON COLUMN revrtm.guard.columns IS 'Which column of it is what, as guard() was given it.';
COMMENT ON COLUMN revrtm.guard.mode IS
'enforce: what the rules refuse is an error. warn: a warning, and a conflict is a case. off: nothing is looked at. This row alone decides, no setting does. Written by guard(), which judges the rows there are.';
COMMENT ON COLUMN revrtm.guard.guarded_at IS 'When guard() was last called for it, by the clock.';
COMMENT ON COLUMN revrtm.guard.guarded_by IS 'The role that logged in to do so (session_user).';
SELECT revrtm.register_policy('revrtm.guard', '{guarded_at,guarded_by}', false);

CREATE TABLE revrtm.guard_claim (
    target          regclass NOT NULL,
    row_key         text NOT NULL,
    account_id      text NOT NULL,
    registration_id uuid NOT NULL,
    seen            text,
    PRIMARY KEY (target, row_key, account_id)
);
CREATE INDEX guard_claim_registration ON revrtm.guard_claim (registration_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.guard_claim', '');
COMMENT ON TABLE revrtm.guard_claim IS
'Registrations that stand for rows of guarded tables; by them one constraint, roe_protected, judges both. Written by the guards. Grain: one row of a guarded table that claims, or has claimed, something.';
COMMENT ON COLUMN revrtm.guard_claim.target IS 'The guarded table.';
COMMENT ON COLUMN revrtm.guard_claim.row_key IS 'Primary key of the row, as text; of several columns each in double quotes, separated by a comma and a space.';
COMMENT ON COLUMN revrtm.guard_claim.account_id IS 'Account of the row.';
COMMENT ON COLUMN revrtm.guard_claim.registration_id IS 'The registration that stands for it.';
COMMENT ON COLUMN revrtm.guard_claim.seen IS
'What the row said when the registration took it, its state, account and so on in lines; NULL where the rules refused that and the registration waits.';

CREATE FUNCTION revrtm.guard_row() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_guard_row';
COMMENT ON FUNCTION revrtm.guard_row() IS
'Trigger of guarded tables, made by guard(): after each row, and after TRUNCATE. 55000 where a column that the guard reads was renamed, dropped or changed its type, or the table has no guard; what the rules refuse raises what it raises in deal_registration (23P01 roe_protected, 23514 and so on), as of the guarded table.';

CREATE FUNCTION revrtm.guard(target regclass, kind text, columns jsonb, mode text DEFAULT NULL) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'revrtm_guard';
COMMENT ON FUNCTION revrtm.guard(regclass, text, jsonb, text) IS
'Guards a table of the portal''s own, or changes its guard; judges the rows there are and returns how many the rules refuse. kind: registration or opportunity. columns: names of its columns by account, partner, product, region, protection or from and until, status or active, since, and for registrations exclusive, amount, currency, expected_close, evidence, details, opportunity; status may be {"column": …, "values": {portal''s word: state}}. mode: enforce (default for registrations; 23514 guard_violation while a row is refused), warn (default for opportunities) or off. For the owner of the table who may write revrtm.guard. 22023 for what is no guard, 42809 for tables that are not ordinary ones; a WARNING where a binding of the CRM reads the table.';

CREATE FUNCTION revrtm.unguard(target regclass) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'revrtm_unguard';
COMMENT ON FUNCTION revrtm.unguard(regclass) IS
'Takes a guard away: its triggers, its row and the registrations that stand for the table''s rows; the event log keeps what was. P0002 for a table that is not guarded. For the owner of the table who may delete from revrtm.guard; of a table that is gone, for the latter.';

CREATE FUNCTION revrtm.guard_violation(target regclass)
RETURNS TABLE (row_key text, sqlstate text, constraint_name text, message text, detail text, refused boolean)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000 ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_guard_violation';
COMMENT ON FUNCTION revrtm.guard_violation(regclass) IS
'Rows of a guarded table that the rules would refuse if it were guarded anew in mode enforce, whatever its mode; and, with refused false and constraint guard_decided, those whose registration was decided to be something else than the row says. Nothing is written, though it locks as if it were. For the owner of the table; P0002 where it is not guarded.';
