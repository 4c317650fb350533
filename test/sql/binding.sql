-- Late binding: relations, bind, unbind, checks, plans, and no dependencies.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA crm;

-- What a statement fails with.
CREATE FUNCTION failure(statement text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;

-- Whether a plan uses workers.
CREATE FUNCTION workers(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    j jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO j;
    RETURN j @? 'strict $.**."Workers Planned"';
END
$$;

-- The relations and columns are those of the contract, in its order.
CREATE TEMP TABLE contract (relation text, columns text);
INSERT INTO contract VALUES
('account', 'account_id!, account_name*, parent_account_id, merged_into, domain, segment, region, country, industry, employees int, owner_id, is_partner bool, created_at timestamptz, deleted bool, synced_at timestamptz'),
('opportunity', 'opportunity_id!, account_id*, amount* numeric, is_closed! bool, is_won! bool, created_at* timestamptz, close_date* date, closed_at timestamptz, opportunity_name, stage, currency, route_id, partner_id, owner_id, segment, region, product, deal_type, margin numeric, probability numeric, deleted bool, synced_at timestamptz, term_end date'),
('opportunity_stage', 'opportunity_id!, stage!, entered_at! timestamptz, amount numeric'),
('touch', 'touch_id!, touched_at* timestamptz, channel*, opportunity_id, account_id, contact_id, partner_id, route_id, milestone, responded bool, verified bool, deleted bool, synced_at timestamptz, source_system'),
('contact', 'contact_id!, account_id*, email, title, lead_created_at timestamptz, deleted bool, synced_at timestamptz'),
('partner', 'partner_id!, partner_name*, partner_type, tier, region, account_id'),
('opportunity_contact', 'opportunity_id!, contact_id!, role, is_primary bool'),
('opportunity_partner', 'opportunity_id!, partner_id!, role*, is_primary bool, since timestamptz'),
('product_line', 'opportunity_id!, line_id!, product*, quantity numeric, amount* numeric, list_amount numeric, partner_margin numeric, fee numeric, cost numeric'),
('spend', 'spend_id!, period! date, route_id!, category!, amount! numeric, currency, partner_id, channel'),
('revenue_event', 'event_id!, account_id!, at! date, kind!, amount! numeric, opportunity_id, currency'),
('fx_rate', 'from_currency!, to_currency!, on_date! date, rate! numeric'),
('app_user', 'user_id!, user_name*, manager_id, region, is_active bool');
CREATE TEMP VIEW contract_column AS
SELECT t.relation, c.ordinality::int AS ordinal, m[1] AS column_name,
       coalesce(m[3], 'text')::regtype AS type, m[2] <> '' AS required, m[2] = '!' AS not_null
FROM contract t, regexp_split_to_table(t.columns, ', ') WITH ORDINALITY AS c,
     regexp_match(c.c, '^(\w+)([!*]?)(?: (\w+))?$') AS m;
SELECT count(*) FROM contract_column;
(TABLE contract_column EXCEPT SELECT relation, ordinal, column_name, type, required, not_null FROM revrtm.relation_column)
UNION ALL
(SELECT relation, ordinal, column_name, type, required, not_null FROM revrtm.relation_column EXCEPT TABLE contract_column);

-- Each is a view with these columns, all of them described, and empty.
SELECT c.relation, c.column_name
FROM contract_column c
LEFT JOIN pg_attribute a ON a.attrelid = ('revrtm.' || c.relation)::regclass
    AND a.attname = c.column_name AND a.attnum = c.ordinal AND a.atttypid = c.type
WHERE col_description(a.attrelid, a.attnum) IS NULL OR obj_description(a.attrelid, 'pg_class') IS NULL
   OR obj_description(('revrtm.source_' || c.relation)::regproc, 'pg_proc') IS NULL;
SELECT c.relation, (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM revrtm.%I', c.relation), true, true, '')))[1]
FROM contract c WHERE (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM revrtm.%I', c.relation), true, true, '')))[1]::text <> '0';

-- Bind, in any order of columns, varchar for text, any typmod; a closing
-- semicolon and a comment do no harm.
CREATE TABLE crm.deal (
    id varchar(18) PRIMARY KEY, acc varchar(18), amt numeric(18,2), closed boolean NOT NULL,
    won boolean NOT NULL, created timestamptz(0), close date, partner text, route text);
INSERT INTO crm.deal
SELECT g, CASE WHEN g % 10 > 0 THEN g % 100 END, g, true, g % 2 = 0, '2026-01-01Z', '2026-02-01',
       CASE WHEN g % 3 = 0 THEN 'p' END, CASE WHEN g % 5 = 0 THEN 'resell' END
FROM generate_series(1, 5000) g;
ANALYZE crm.deal;
SELECT revrtm.bind('opportunity', $$
    SELECT won AS is_won, id AS opportunity_id, acc AS account_id, amt AS amount, closed AS is_closed,
           created AS created_at, close AS close_date, partner AS partner_id, route AS route_id, NULL AS region
    FROM crm.deal;  -- all of them$$);
SELECT revrtm.bound_columns('opportunity'), revrtm.bound_columns('touch');
SELECT query, parallel FROM revrtm.binding WHERE relation = 'opportunity';

-- It reads what the table holds; no account is (none), no route is derived.
SELECT count(*) FILTER (WHERE o.amount IS DISTINCT FROM d.amt OR o.is_won <> d.won OR o.created_at <> d.created
                           OR o.partner_id IS DISTINCT FROM d.partner OR o.stage IS NOT NULL) AS wrong,
       count(*) FILTER (WHERE o.account_id <> coalesce(d.acc, '(none)')) AS wrong_account,
       count(*) FILTER (WHERE o.account_id = '(none)') AS without_account, count(*)
FROM revrtm.opportunity o FULL JOIN crm.deal d ON d.id = o.opportunity_id;
SELECT route_id, partner_id IS NULL AS without_partner, count(*) FROM revrtm.opportunity GROUP BY 1, 2 ORDER BY 1, 2;

-- The function is inlined: index, pushed filter, workers.
EXPLAIN (COSTS OFF) SELECT * FROM revrtm.opportunity WHERE opportunity_id = '77';
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*), sum(amount) FROM revrtm.opportunity WHERE is_won;
SELECT count(*), sum(amount) FROM revrtm.opportunity WHERE is_won;

-- A query that is not parallel safe says so, even when a view hides it.
CREATE SEQUENCE crm.counter;
CREATE VIEW crm.deal_v AS SELECT *, nextval('crm.counter') AS n FROM crm.deal;
SELECT revrtm.bind('app_user', 'SELECT id AS user_id, n::text AS user_name FROM crm.deal_v');
SELECT workers('SELECT count(*) FROM revrtm.opportunity o LEFT JOIN revrtm.app_user u ON u.user_name = o.opportunity_id WHERE o.is_won') AS workers;
SELECT b.parallel, p.proparallel FROM revrtm.binding b, pg_proc p
WHERE b.relation = 'app_user' AND p.oid = 'revrtm.source_app_user'::regproc;
SELECT p.proparallel, p.provolatile, p.proisstrict, p.proconfig, p.prosecdef, p.prosqlbody IS NULL AS text_body
FROM pg_proc p WHERE p.oid = 'revrtm.source_opportunity'::regproc;
-- A window function runs beside the workers, not in them, and stops no others.
SELECT revrtm.bind('app_user', 'SELECT id AS user_id, lag(id) OVER (ORDER BY id) AS user_name FROM crm.deal');
SELECT b.parallel, p.proparallel FROM revrtm.binding b, pg_proc p
WHERE b.relation = 'app_user' AND p.oid = 'revrtm.source_app_user'::regproc;
SELECT workers('SELECT count(*) FROM revrtm.opportunity o LEFT JOIN revrtm.app_user u ON u.user_name = o.opportunity_id WHERE o.is_won') AS workers;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET max_parallel_workers_per_gather;

-- Every problem of a query in one error.
\x
SELECT * FROM failure($f$SELECT revrtm.bind('opportunity', $$
    SELECT 1 AS opportunity_id, 2 AS foo, 'a'::varchar(3) AS stage, 'b' AS stage, true AS is_won,
           now()::timestamp AS created_at, 1::float8 AS amount, now() AS close_date -- no semicolon$$)$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('opportunity', $$
    SELECT id AS opportunity_id, acc AS account_id, 1 AS amount, closed AS is_closed, won AS is_won,
           created AS created_at, close AS close_date FROM crm.deal$$)$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('touch', $$SELECT 'a' AS touch_id, now() AS touched_at, 'web' AS channel$$)$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('contact', 'SELECT id AS contact_id, * FROM crm.deal')$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('app_user', 'SELECT')$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('deal', 'SELECT 1')$f$);
SELECT * FROM failure($f$SELECT revrtm.unbind('deal')$f$);
SELECT * FROM failure($f$SELECT revrtm.bind(NULL, 'SELECT 1')$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('account', NULL)$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('app_user', 'SELECT user_id, user_name FROM revrtm.app_user')$f$);
CREATE TEMP TABLE person (user_id text, user_name text);
SELECT * FROM failure($f$SELECT revrtm.bind('app_user', 'SELECT * FROM person')$f$);
SELECT * FROM failure($f$SELECT revrtm.bind('app_user', 'SELECT user_id, user_name FROM (SELECT p.* FROM pg_temp.person p) x')$f$);
\x

-- One SELECT that only reads, with its schemas, without parameters.
SET search_path = crm, public;
SELECT q.query, f.state, f.message, f.hint
FROM (VALUES ('SELECT * FROM deal'), ('SELECT initials(1)'), ('SELECT 1::kind'), ('SELECT $1'), (''), ('  -- nothing'), (';'),
             ('SELECT 1; SELECT 2'), ('SELECT 1;;'), ('SELECT 1 FROM'), ('SELECT (1'), ('SELECT 1) q; DROP TABLE crm.deal; --'),
             ('SELECT 1 INTO crm.other'), ('DELETE FROM crm.deal RETURNING id'), ('INSERT INTO crm.deal VALUES (1)'),
             ('WITH d AS (DELETE FROM crm.deal RETURNING id) SELECT id FROM d'), ('SELECT * FROM crm.deal FOR UPDATE'),
             ('SELECT (SELECT count(*) FROM (SELECT 1 FROM crm.deal FOR SHARE) x)'), ('EXPLAIN SELECT 1'), ('SHOW work_mem'),
             ('COPY crm.deal TO STDOUT'), ('BEGIN'), ('SELECT nosuch FROM crm.deal'), ('SELECT 1 FROM nosuch.deal'),
             ('SELECT ''unfinished'), ('SELECT 1 /* unfinished')) q (query),
     public.failure(format('SELECT count(*) FROM revrtm.query_columns(%L)', q.query)) f;
RESET search_path;

-- What the parser says of a query.
SELECT * FROM revrtm.query_columns(E'-- first\nSELECT 1 AS a, NULL AS b, pg_catalog.now(), x AS "X", 2 FROM (VALUES (''v''::varchar)) v (x) ORDER BY x, 1 + 2; -- last');
SELECT * FROM revrtm.query_columns('VALUES (1, true)');
SELECT * FROM revrtm.query_columns('SELECT FROM crm.deal');
SELECT * FROM revrtm.query_columns(NULL);
SELECT * FROM revrtm.query_relations('WITH c AS (SELECT FROM crm.deal) SELECT (SELECT max(id) FROM crm.deal_v) FROM c, pg_class, crm.deal d') ORDER BY 1;
SELECT count(*), min(length(statement)) FROM revrtm.query_columns('SELECT ' || repeat('1 + ', 2000) || '1 AS a, ' || quote_literal(repeat('x', 100000)));

-- A name in the query may clash with ours, or need quotes.
SELECT revrtm.bind('app_user', $$SELECT q.id || 'it''s \ "odd" $x$' AS user_id, 's' AS user_name FROM crm.deal q WHERE id = '7'$$);
SELECT user_id, user_name FROM revrtm.app_user;
SELECT revrtm.bind('app_user', $$WITH q AS (TABLE crm.deal) (SELECT id AS user_id, 'a' AS user_name FROM q ORDER BY amt LIMIT 2) UNION ALL VALUES ('z', 'b')$$);
SELECT user_id, user_name FROM revrtm.app_user ORDER BY 1;

-- Nothing of ours depends on the table: it can go, and come back with other types.
SELECT revrtm.bind('account', $$SELECT id AS account_id, partner AS account_name FROM crm.deal$$);
BEGIN;
DROP TABLE crm.deal CASCADE;
SELECT column_name, bound, type_now, sample_rows, sample_nulls, problem FROM revrtm.binding_check()
WHERE relation = 'account' AND (bound OR required);
SELECT count(*), count(problem) FROM revrtm.binding_check() WHERE relation <> 'account' AND problem IS NOT NULL GROUP BY relation ORDER BY 1;
CREATE TABLE crm.deal (id bigint PRIMARY KEY, acc int, amt float8, closed boolean, won boolean, created timestamptz, close date, partner text, route varchar, extra text);
INSERT INTO crm.deal VALUES (1, 2, 3.5, NULL, true, '2026-01-01Z', '2026-02-01', 'p', NULL, 'x');
SELECT opportunity_id, account_id, amount, is_closed, route_id FROM revrtm.opportunity;
SELECT column_name, type, required, not_null, bound, type_now, sample_rows, sample_nulls, problem FROM revrtm.binding_check()
WHERE relation = 'opportunity' AND bound;
ALTER TABLE crm.deal DROP COLUMN acc;
SELECT DISTINCT problem FROM revrtm.binding_check() WHERE relation = 'opportunity';
ROLLBACK;
SELECT relation, count(*) FROM revrtm.binding_check() GROUP BY relation
EXCEPT SELECT relation, count(*) FROM contract_column GROUP BY relation;
SELECT relation, column_name, problem FROM revrtm.binding_check() WHERE problem IS NOT NULL;

-- A failed bind leaves the binding alone; a new one replaces it.
SELECT state FROM failure($f$SELECT revrtm.bind('account', 'SELECT 1')$f$);
SELECT count(*) FROM revrtm.account;
SELECT revrtm.bind('account', $$SELECT 'a' AS account_id, 'A' AS account_name, 3 AS employees$$);
SELECT account_id, account_name, employees FROM revrtm.account;

-- A prepared statement follows; a query that comes round to its own view is reported.
SET plan_cache_mode = force_generic_plan;
PREPARE accounts AS SELECT account_id FROM revrtm.account;
EXECUTE accounts;
SELECT revrtm.bind('account', $$SELECT 'b' AS account_id, 'A' AS account_name, 3 AS employees$$);
EXECUTE accounts;
RESET plan_cache_mode;
BEGIN;
CREATE VIEW crm.account_v AS SELECT 'a' AS account_id, 'b' AS account_name;
SELECT revrtm.bind('account', 'SELECT account_id, account_name FROM crm.account_v');
CREATE OR REPLACE VIEW crm.account_v AS SELECT account_id, account_name FROM revrtm.account;
SELECT problem FROM revrtm.binding_check() WHERE relation = 'account' AND column_name = 'account_id';
SELECT state, detail FROM failure($$SELECT revrtm.bind('account', 'SELECT account_id, account_name FROM crm.account_v')$$);
ROLLBACK;

-- The trigger follows the table, however it changes.
UPDATE revrtm.binding SET query = replace(query, '3', '4') WHERE relation = 'account';
SELECT employees FROM revrtm.account;
UPDATE revrtm.binding SET relation = 'contact', columns = '{account_id}' WHERE relation = 'account';
SELECT (SELECT count(*) FROM revrtm.account) AS accounts, (SELECT account_id FROM revrtm.contact) AS contact;
SELECT revrtm.unbind('contact'), revrtm.unbind('contact');
SELECT count(*) FROM revrtm.contact;
BEGIN;
TRUNCATE revrtm.binding;
SELECT count(*) FROM revrtm.opportunity;
ROLLBACK;
SELECT count(*) FROM revrtm.opportunity;

-- Everything that was made says what it is.
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'revrtm'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relkind IN ('r', 'v')
  AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL);

-- A reader reads the views and the bound tables, also when they come anew.
CREATE ROLE regress_revrtm_reader;
SET ROLE regress_revrtm_reader;
SELECT state, message FROM failure('SELECT count(*) FROM revrtm.opportunity');
RESET ROLE;
SELECT revrtm.grant_reader('regress_revrtm_reader');
SELECT state FROM failure($$SELECT revrtm.grant_reader(NULL)$$);
SELECT state FROM failure($$SELECT revrtm.grant_reader('regress_nobody')$$);
SELECT state FROM failure($$SELECT revrtm.grant_reader('-')$$);
SET ROLE regress_revrtm_reader;
SELECT count(*) FROM revrtm.opportunity;
SELECT count(*) FILTER (WHERE problem IS NOT NULL) FROM revrtm.binding_check() WHERE relation = 'opportunity';
SELECT state FROM failure($f$SELECT revrtm.bind('partner', $$SELECT 'a' AS partner_id, 'b' AS partner_name$$)$f$);
SELECT state FROM failure($f$SELECT revrtm.unbind('opportunity')$f$);
RESET ROLE;
BEGIN;
CREATE TABLE crm.deal_next (LIKE crm.deal INCLUDING ALL);
DROP TABLE crm.deal CASCADE;
ALTER TABLE crm.deal_next RENAME TO deal;
SET LOCAL ROLE regress_revrtm_reader;
SELECT count(*) FROM revrtm.opportunity;
ROLLBACK;

-- An owner of a database who is no superuser installs, binds and grants.
CREATE ROLE regress_revrtm_owner LOGIN;
CREATE DATABASE regress_revrtm_owner OWNER regress_revrtm_owner TEMPLATE template0;
SELECT current_database() AS here, current_user AS me \gset
\c regress_revrtm_owner regress_revrtm_owner
SET client_min_messages = warning;
CREATE EXTENSION revrtm CASCADE;
CREATE SCHEMA crm;
CREATE TABLE crm.person (id text PRIMARY KEY, name text);
INSERT INTO crm.person VALUES ('1', 'Ada');
SELECT revrtm.bind('app_user', 'SELECT id AS user_id, name AS user_name FROM crm.person');
SELECT * FROM revrtm.app_user;
SELECT column_name, problem FROM revrtm.binding_check() WHERE relation = 'app_user' AND bound;
SELECT revrtm.grant_reader('regress_revrtm_reader');
SET ROLE NONE;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relkind IN ('r', 'v') AND c.relowner <> current_user::regrole;
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'revrtm'::regnamespace AND p.prokind <> 'a'
  AND (l.lanname = 'c') = (p.proowner = current_user::regrole);
SELECT revrtm.unbind('app_user');
SELECT count(*) FROM revrtm.app_user;
\c :here :me
DROP DATABASE regress_revrtm_owner;
DROP OWNED BY regress_revrtm_reader;
DROP ROLE regress_revrtm_owner, regress_revrtm_reader;

SET client_min_messages = warning;
SELECT revrtm.unbind(relation) FROM revrtm.binding ORDER BY relation;
DROP SCHEMA crm CASCADE;
DROP FUNCTION failure, workers;
