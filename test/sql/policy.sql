-- Audit of policy tables, and policy as one document.
\set SHOW_CONTEXT never
SET revrtm.actor = 'jane@example.com';
CREATE ROLE policy_admin;
CREATE ROLE policy_staff;
SELECT revrtm.grant_staff('policy_staff');
GRANT SELECT, INSERT, UPDATE, DELETE ON revrtm.route, revrtm.channel_map, revrtm.budget_line, revrtm.attribution_model TO policy_admin;
CREATE TEMP TABLE mark AS SELECT clock_timestamp() AS at;
GRANT SELECT ON mark TO policy_admin;
CREATE TEMP TABLE start AS SELECT revrtm.export_policy() AS policy, revrtm.policy_hash() AS hash;
GRANT SELECT ON start TO policy_admin;
CREATE VIEW pg_temp.log AS
SELECT actor = session_user AS actor_is_login, nullif(acting_role, session_user) AS acting_role, app_actor, table_name, action, row_key,
       old_row, new_row
FROM revrtm.audit_log, mark WHERE changed_at > mark.at ORDER BY changed_at, row_key;
CREATE VIEW pg_temp.change AS
SELECT table_name, row_id, change, old_row, new_row
FROM revrtm.policy_change, mark WHERE changed_at > mark.at ORDER BY changed_at, row_id;
\x on
-- Every change of a row is an entry: whose, and what.
INSERT INTO revrtm.channel_map VALUES ('webinar', 'direct', 'program');
SET ROLE policy_staff;
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('policy_a', 'ANY');
RESET ROLE;
SET ROLE policy_admin;
RESET revrtm.actor;
UPDATE revrtm.channel_map SET category = 'content' WHERE channel = 'webinar';
UPDATE revrtm.channel_map SET category = 'content' WHERE channel = 'webinar';
UPDATE revrtm.channel_map SET channel = 'event' WHERE channel = 'webinar';
DELETE FROM revrtm.channel_map WHERE channel = 'event';
RESET ROLE;
UPDATE revrtm.route SET default_margin = 0.80 WHERE route_id = 'resell';
-- A shipped row replaced is one change, whose entries are two.
INSERT INTO revrtm.route (route_id, kind) VALUES ('co_sell', 'resell');
SELECT * FROM log;
\x off
SELECT * FROM change;
-- All rows at once.
INSERT INTO revrtm.partner_proxy VALUES ('policy_p1'), ('policy_p2');
TRUNCATE revrtm.partner_proxy;
TRUNCATE revrtm.partner_proxy;
SELECT table_name, action, row_key, new_row FROM log WHERE table_name = 'partner_proxy';

-- The log is append-only, for its owner too, and no one else writes into it.
UPDATE revrtm.audit_log SET actor = 'nobody';
DELETE FROM revrtm.audit_log WHERE false;
TRUNCATE revrtm.audit_log;
DO $$
DECLARE
    state text; name text; tab text; hint text;
BEGIN
    DELETE FROM revrtm.audit_log;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, name = CONSTRAINT_NAME, tab = TABLE_NAME, hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '% % %: %', state, tab, name, hint;
END
$$;
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM revrtm.audit_log;
ROLLBACK;
SET ROLE policy_admin;
INSERT INTO revrtm.audit_log SELECT * FROM revrtm.audit_log LIMIT 0;
SELECT count(*) FROM revrtm.audit_log;
CREATE TEMP TABLE route (route_id text);
CREATE TRIGGER forge AFTER INSERT ON pg_temp.route FOR EACH ROW EXECUTE FUNCTION revrtm.write_audit();
SELECT revrtm.register_policy('revrtm.route');
DROP TABLE pg_temp.route;
RESET ROLE;

-- Policy as data: what changed, and back again. Rows that are as they were
-- stay shipped.
SELECT d.* FROM start, revrtm.policy_diff(start.policy, revrtm.export_policy()) d;
CREATE TEMP TABLE edited AS SELECT revrtm.export_policy() AS policy;
SELECT i.* FROM start, revrtm.import_policy(start.policy) i;
SELECT revrtm.export_policy() = policy AS same, revrtm.policy_hash() = hash AS same_hash FROM start;
SELECT route_id, shipped FROM revrtm.route WHERE kind IN ('direct', 'co_sell', 'resell') ORDER BY 1;
SELECT i.* FROM start, revrtm.import_policy(start.policy) i WHERE i.inserted + i.updated + i.deleted > 0;
SELECT i.* FROM edited, revrtm.import_policy(edited.policy) i WHERE i.inserted + i.updated + i.deleted > 0;
SELECT count(*) FROM edited, revrtm.policy_diff(edited.policy, revrtm.export_policy());
-- As it was at an instant.
SELECT revrtm.export_policy(mark.at) = start.policy AS then, revrtm.export_policy('infinity') = revrtm.export_policy() AS now
FROM mark, start;
SELECT revrtm.export_policy(NULL) IS NULL AS never;

-- A deleted shipped row.
DELETE FROM revrtm.attribution_model WHERE model = 'inverse_j';
SELECT i.* FROM start, revrtm.import_policy(start.policy) i WHERE i.inserted + i.updated + i.deleted > 0;
SELECT shipped FROM revrtm.attribution_model WHERE model = 'inverse_j';

-- Only the tables that are named; values are read as their columns' types.
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": [], "budget_line": [
    {"line": "b", "route_id": "direct", "category": "two", "curve": "hill(0,90000,40000,0.9)", "lo": "0.10", "hi": 5},
    {"line": "a", "route_id": "direct", "category": "one", "curve": null, "lo": null, "hi": null}]}}');
SELECT revrtm.export_policy() -> 'tables' -> 'budget_line';
-- Rows that trade places.
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"budget_line": [
    {"line": "b", "route_id": "direct", "category": "one", "curve": null, "lo": 0.1, "hi": 5},
    {"line": "a", "route_id": "direct", "category": "two", "curve": null, "lo": null, "hi": null}]}}');
SELECT * FROM revrtm.budget_line ORDER BY line;
SELECT row_id, change FROM change WHERE table_name = 'budget_line';
-- A tree grows from its root, and is cut back from its leaves.
SELECT i.* FROM start, revrtm.import_policy(jsonb_build_object('version', 1, 'tables', jsonb_build_object('product',
    '[{"product_id": "policy_1", "parent_id": "policy_2", "product_name": null},
      {"product_id": "policy_2", "parent_id": "policy_3", "product_name": null},
      {"product_id": "policy_3", "parent_id": "ANY", "product_name": "Three"}]'
    || (start.policy -> 'tables' -> 'product')))) i;
SELECT row_id, change FROM change WHERE table_name = 'product';
SELECT i.* FROM start, revrtm.import_policy(start.policy) i WHERE i.inserted + i.updated + i.deleted > 0;

-- Columns that come later are policy too, and the session's settings change
-- neither the document nor the log.
BEGIN;
ALTER TABLE revrtm.channel_map ADD COLUMN since timestamptz, ADD COLUMN days daterange, ADD COLUMN lag interval,
    ADD COLUMN share float8, ADD COLUMN raw bytea;
CREATE FUNCTION pg_temp.put() RETURNS TABLE (hash text, logged jsonb) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revrtm.channel_map VALUES ('fair', 'direct', 'program', '2026-03-29 01:30+00', '[2026-03-04,2026-05-06)', '-1 mon 2 days -03:00', 1/3.0, '\xff00');
    PERFORM revrtm.import_policy(revrtm.export_policy());
    RETURN QUERY SELECT revrtm.policy_hash(), l.new_row FROM revrtm.audit_log l
        WHERE l.row_key = '{"channel": "fair"}' ORDER BY l.changed_at DESC LIMIT 1;
    DELETE FROM revrtm.channel_map;
END
$$;
CREATE TEMP TABLE put AS SELECT * FROM pg_temp.put();
SET LOCAL TimeZone = 'Asia/Kolkata';
SET LOCAL DateStyle = 'German';
SET LOCAL IntervalStyle = 'sql_standard';
SET LOCAL extra_float_digits = -5;
SET LOCAL bytea_output = 'escape';
INSERT INTO put SELECT * FROM pg_temp.put();
SELECT count(*), count(DISTINCT hash) AS hashes, count(DISTINCT logged::text) AS images, min(logged::text) AS image FROM put;
ROLLBACK;

-- What an import refuses.
SELECT * FROM revrtm.import_policy(NULL);
SELECT * FROM revrtm.import_policy('[]');
SELECT * FROM revrtm.import_policy('{"version": 2, "tables": {}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": []}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"deal_registration": [], "binding": [], "route": []}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": {}}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": [{"channel": "a"}, 7]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": [
    {"channel": "a", "route_id": "direct", "category": "x"}, {"channel": "a", "route_id": "resell", "category": "x"}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": [{"channel": "a", "route": "direct", "category": "x"}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"region": [{"region_id": "ANY", "parent_id": null, "region_name": "x", "span": "[0,1)", "shipped": true}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"route": [
    {"route_id": "a", "kind": "resell", "parent_id": null, "default_margin": 1, "active": true},
    {"route_id": "b", "kind": "resell", "parent_id": null, "default_margin": "much", "active": true}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"budget_line": [
    {"line": "a", "route_id": "direct", "category": "one", "curve": "spline(1)", "lo": null, "hi": null}]}}');
-- The tables' own rules.
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": [{"channel": null, "route_id": "direct", "category": "x"}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": [{"channel": "a", "route_id": "direct", "category": ""}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"attribution_model": [
    {"model": "a", "kind": "position", "parameters": {"first": 2}, "enabled": true}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"budget_line": [
    {"line": "a", "route_id": "direct", "category": "one", "curve": null, "lo": 0, "hi": 1},
    {"line": "b", "route_id": "direct", "category": "one", "curve": null, "lo": 0, "hi": 1}]}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"product": []}}');
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"region": [
    {"region_id": "ANY", "parent_id": null, "region_name": "x"},
    {"region_id": "r1", "parent_id": "r2", "region_name": "x"}, {"region_id": "r2", "parent_id": "r1", "region_name": "x"}]}}');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('policy_a', 'ANY'), ('policy_b', 'ANY');
SELECT i.* FROM start, revrtm.import_policy(jsonb_build_object('version', 1, 'tables', jsonb_build_object('region',
    '[{"region_id": "policy_a", "parent_id": "policy_b", "region_name": null},
      {"region_id": "policy_b", "parent_id": "ANY", "region_name": null}]' || (start.policy -> 'tables' -> 'region')))) i;
-- The caller's rights: columns that they may not write are not written.
SET ROLE policy_staff;
SELECT * FROM revrtm.import_policy(jsonb_set(jsonb_build_object('version', 1, 'tables', jsonb_build_object('region', revrtm.policy_rows('region')
    || '[{"region_id": "policy_c", "parent_id": "policy_b", "region_name": "C"}]')), '{tables,region,0,region_name}', '"Everywhere"'));
RESET ROLE;
SET ROLE policy_admin;
SELECT count(*) FROM revrtm.policy_diff('{"version": 1, "tables": {}}', '{"version": 1, "tables": {}}');
SELECT i.* FROM start, revrtm.import_policy(start.policy) i;
SELECT * FROM revrtm.import_policy('{"version": 1, "tables": {"channel_map": []}}');
RESET ROLE;
SELECT * FROM revrtm.policy_diff('{"version": 1, "tables": {"deal": []}}', '{"version": 1, "tables": {}}');
SELECT * FROM revrtm.policy_diff(revrtm.export_policy(), NULL);

-- All is as it was.
SELECT count(*) FROM start, revrtm.import_policy(start.policy);
SELECT revrtm.policy_hash() = hash AS same FROM start;
DROP OWNED BY policy_admin, policy_staff;
DROP ROLE policy_admin, policy_staff;
