-- What a hostile reader of the code tried: each of these once crashed, hung,
-- lost something or gave it away.
\set SHOW_CONTEXT never

-- Every row's scale is checked, not the first one's only.
SELECT revrtm.credits_agg(revrtm.journey('{a}'), 0, '{linear}', s) FROM (VALUES (2), (300)) v (s);
SELECT revrtm.credits_agg(revrtm.journey('{a}'), a, '{linear}', s) FROM (VALUES (0, 2), (1e100, -1000)) v (a, s);

-- Instants before the year 1 read back as they were written.
SELECT j, j::text::revrtm.journey OPERATOR(revrtm.=) j AS same
FROM (SELECT revrtm.journey_agg(t, 'x') AS j
      FROM (VALUES (timestamptz '0001-02-03 00:00+00 BC'), ('0002-01-01 00:00+00 BC'), ('1000-12-31 00:00+00 BC'), ('4714-11-24 00:00+00 BC')) v (t)
      GROUP BY t ORDER BY t) b;

-- Fields of a literal take their own room: 16 bytes a field, not a kilobyte.
CREATE FUNCTION pg_temp.used() RETURNS bigint LANGUAGE sql
RETURN (SELECT sum(used_bytes) FROM pg_backend_memory_contexts);
CREATE TEMP TABLE hardening AS
SELECT ('{' || string_agg('c' || i % 9, ',') || '}')::text AS literal FROM generate_series(1, 200000) i;
WITH parsed AS MATERIALIZED (
    SELECT pg_temp.used() AS before, literal::revrtm.journey AS j FROM hardening
)
SELECT revrtm.touch_count(j) AS touches, pg_temp.used() - before < 60000000 AS modest FROM parsed;

-- Errors never cut a character in half.
SELECT revrtm.credit('{a}', repeat('é', 60));
SELECT repeat('é', 60) || '@x'::text AS literal \gset
SELECT ('{x' || :'literal' || '}')::revrtm.journey;

-- A row that claims to be shipped would not be dumped.
BEGIN;
INSERT INTO revrtm.attribution_model (model, kind, shipped) VALUES ('mine', 'linear', true) RETURNING shipped;
ROLLBACK;

-- The deals, money and budget are for those who were let in by grant_reader().
SELECT c.relname FROM pg_class c, LATERAL aclexplode(c.relacl) a
WHERE c.relnamespace = 'revrtm'::regnamespace AND a.grantee = 0 AND a.privilege_type = 'SELECT'
ORDER BY c.relname COLLATE "C";

-- The owner of the tables need not be a superuser: what it makes of them must
-- not reach C code as something else.
BEGIN;
ALTER TABLE revrtm.attribution_model RENAME TO attribution_model_away;
CREATE TABLE revrtm.attribution_model (model text, kind text, parameters bigint, enabled boolean);
INSERT INTO revrtm.attribution_model VALUES ('linear', 'linear', 1234567, true);
SELECT * FROM revrtm.credit('{a}', 'linear', 1);
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.attribution_model ALTER kind DROP NOT NULL;
UPDATE revrtm.attribution_model SET kind = NULL;
SELECT * FROM revrtm.credit('{a}', 'linear', 1);
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.partner_proxy RENAME TO partner_proxy_away;
CREATE VIEW revrtm.partner_proxy AS TABLE revrtm.partner_proxy_away;
SELECT revrtm.current_partner();
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.partner_login DROP CONSTRAINT partner_login_partner_id_check;
ALTER TABLE revrtm.partner_login ALTER partner_id TYPE bigint USING 77777;
SELECT revrtm.current_partner();
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.region RENAME TO region_away;
CREATE TABLE revrtm.region (region_id text, span bigint);
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes)
VALUES ('a', 'p', '{ANY}', '{ANY}');
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.deal_registration RENAME TO deal_registration_away;
CREATE TABLE revrtm.deal_registration (registration_id uuid, account_id text, partner_id bigint, status bigint);
SAVEPOINT replaced;
SELECT * FROM revrtm.find_protection('a', '{[0,9)}', '{[0,9)}', '[2026-01-01,2026-02-01)');
ROLLBACK TO replaced;
SELECT * FROM revrtm.withdraw_registration('00000000-0000-0000-0000-000000000001');
ROLLBACK;
DROP TABLE hardening;

-- One bad row of the CRM does not stop the refresh: an infinite instant does
-- not count, a monstrous channel is cut, a deal without a creation still has
-- its touches.
CREATE SCHEMA dirty;
CREATE TABLE dirty.deal (id text, created timestamptz);
CREATE TABLE dirty.touch (id text, at timestamptz, channel text, deal text);
INSERT INTO dirty.deal VALUES ('open', '2026-01-01 00:00+00'), ('never', NULL);
INSERT INTO dirty.touch VALUES
    ('1', 'infinity', 'a', 'open'), ('2', '-infinity', 'b', 'open'), ('3', '2026-01-02 00:00+00', repeat('é', 2000), 'open'),
    ('4', '2020-01-02 00:00+00', 'old', 'open'), ('5', '2020-01-02 00:00+00', 'old', 'never'), ('6', NULL, 'x', 'never');
SELECT revrtm.bind('opportunity', 'SELECT id AS opportunity_id, NULL::text AS account_id, 1.0 AS amount, false AS is_closed,
    false AS is_won, created AS created_at, NULL::date AS close_date FROM dirty.deal') IS NOT NULL AS bound;
SELECT revrtm.bind('touch', 'SELECT id AS touch_id, at AS touched_at, channel, deal AS opportunity_id FROM dirty.touch') IS NOT NULL AS bound;
SELECT mode, inserted FROM revrtm.refresh_journeys();
SELECT opportunity_id, revrtm.touch_count(journey), revrtm.path(journey) = ARRAY[repeat('é', 255)] AS cut, revrtm.path(journey) = '{old}' AS old
FROM revrtm.deal_journey ORDER BY 1;
SELECT revrtm.unbind(r) FROM unnest('{opportunity,touch}'::text[]) r;
SELECT deleted FROM revrtm.refresh_journeys();
DELETE FROM revrtm.journey_refresh;
DROP SCHEMA dirty CASCADE;
-- What is append-only is so in sessions that replicate too (A), for every kind of change.
SELECT t.tgrelid::regclass AS append_only, t.tgenabled AS enabled,
       regexp_replace(pg_get_triggerdef(t.oid), ' ON .*', '') AS refuses
FROM pg_trigger t WHERE t.tgfoid = 'revrtm.refuse_change'::regproc ORDER BY t.tgrelid::regclass::text COLLATE "C";

-- Every function with arguments that make no sense: what it says is for users,
-- no internal error, no assertion, no endless loop.
CREATE TEMP TABLE made (type text, literals text[]);
INSERT INTO made VALUES
    ('text', ARRAY['NULL', '''''', '''nope''', 'repeat(''é'', 400)', '''ANY''', '''SELECT 1''']),
    ('uuid', ARRAY['NULL', '''00000000-0000-0000-0000-000000000000''']),
    ('text[]', ARRAY['NULL', '''{}''', '''{NULL}''', '''{{a,b},{c,d}}''', '''[5:6]={a,b}''']),
    ('jsonb', ARRAY['NULL', '''{}''', '''null''', '''[1]''', '''{"a": 1e500}''']),
    ('daterange', ARRAY['NULL', '''empty''', '''[,)''', '''[-infinity,infinity]''', '''[4714-11-24 BC,5874897-12-31)''']),
    ('int8multirange', ARRAY['NULL', '''{}''', '''{(,)}''', '''{[-5,-2),[9223372036854775806,9223372036854775807)}''']),
    ('date', ARRAY['NULL', '''infinity''', '''-infinity''', '''5874897-12-31''', '''4714-11-24 BC''', '''2026-01-15''']),
    ('timestamp with time zone', ARRAY['NULL', '''infinity''', '''-infinity''', '''294276-12-31 23:59+00''', '''4714-11-24 00:00+00 BC''', '''2026-01-15''']),
    ('timestamp with time zone[]', ARRAY['NULL', '''{}''', '''{infinity,NULL}''']),
    ('interval', ARRAY['NULL', '''-178000000 years''', '''178000000 years''', '''0''']),
    ('integer', ARRAY['NULL', '0', '(-1)', '2147483647', '(-2147483648)']),
    ('bigint', ARRAY['NULL', '0', '(-1)', '9223372036854775807', '(-9223372036854775808)']),
    ('bigint[]', ARRAY['NULL', '''{}''', '''{NULL,-1}''', '''{9223372036854775807,9223372036854775807,9223372036854775807}''']),
    ('numeric', ARRAY['NULL', '0', '''NaN''', '''Infinity''', '''-Infinity''', '1e1000', '(-1e-1000)']),
    ('numeric[]', ARRAY['NULL', '''{}''', '''{NaN,NULL,Infinity}''']),
    ('double precision', ARRAY['NULL', '0', '''NaN''', '''Infinity''', '''-Infinity''', '(-1)', '1e308', '5e-324']),
    ('double precision[]', ARRAY['NULL', '''{}''', '''{NaN,NULL}''', '''{1e308,1e308}''', '''{{1,2},{3,4}}''']),
    ('boolean', ARRAY['NULL', 'true', 'false']),
    ('regclass', ARRAY['NULL', '''0''', '''pg_class''', '''revrtm.deal_registration''', '''revrtm.open_case''']),
    ('revrtm.journey', ARRAY['NULL', '''{}''', '''{a,b}''']);
DO $$
DECLARE
    question text;
    asked int := 0;
BEGIN
    SET LOCAL client_min_messages = error;
    FOR question IN
        SELECT DISTINCT format(CASE p.prokind WHEN 'a' THEN 'SELECT revrtm.%I(%s)::text' ELSE 'SELECT t::text FROM revrtm.%I(%s) t LIMIT 3' END, p.proname, a.list)
        FROM pg_proc p, generate_series(0, 11) turn, LATERAL (
            SELECT coalesce(string_agg(coalesce(m.literals[1 + (turn + turn / 6 * u.i::int) % cardinality(m.literals)], 'NULL')
                                       || '::' || format_type(u.type, NULL), ', ' ORDER BY u.i), '') AS list
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(type, i)
                 LEFT JOIN made m ON m.type = format_type(u.type, NULL)) a
        WHERE p.pronamespace = 'revrtm'::regnamespace AND p.prokind IN ('f', 'a') AND p.proname !~ '^(make|load)_demo'
          AND p.prorettype <> 'trigger'::regtype AND a.list !~ '::(internal|cstring|anyelement|anyenum)'
    LOOP
        BEGIN
            asked := asked + 1;
            EXECUTE question;
            RAISE EXCEPTION USING ERRCODE = 'ZZ999';
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE ~ '^(XX|P000[34]|21000|22012)' THEN
                RAISE EXCEPTION '%: % %', question, SQLSTATE, SQLERRM;
            END IF;
        END;
    END LOOP;
    ASSERT asked > 1000;
END
$$;
DROP TABLE made;
