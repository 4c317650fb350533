-- The settings as SQL reads them, and the version.

CREATE FUNCTION revrtm.library_version() RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_library_version';
COMMENT ON FUNCTION revrtm.library_version() IS
'Version of the loaded library; it equals the extension''s version in pg_extension, or ALTER EXTENSION revrtm UPDATE is due.';

CREATE FUNCTION revrtm.setting(name text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_setting';
COMMENT ON FUNCTION revrtm.setting(text) IS
'Value of the setting revrtm.<name> as SHOW prints it; 42704 for a name that is none.';

CREATE FUNCTION revrtm.as_of() RETURNS timestamptz
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_as_of';
COMMENT ON FUNCTION revrtm.as_of() IS
'The instant that counts as today: the setting revrtm.as_of, or the start of the transaction where it is empty.';

CREATE FUNCTION revrtm.lookback() RETURNS interval
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_lookback';
COMMENT ON FUNCTION revrtm.lookback() IS
'The setting revrtm.lookback as elapsed time: how long before a deal''s end a touch counts; NULL for no limit.';
