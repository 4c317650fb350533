# What a partner can find out about its rivals, by any means SQL gives it.
#
# The attacker is once a login of a partner, once a portal's pooled role. It
# reads every relation and catalog that it may read, calls every function that
# it may call with arguments made for their types, plans and counts and times
# queries, shadows names, forges rows. Two rivals are in its way. Of one it
# knows nothing, and none of that one's names, ids, dates and amounts may ever
# appear. Of the other it knows account, partner and id, and every answer must
# be the one that it gets for names that do not exist, but for a registration
# of its own, which is put into the queue. Staff, asking the same, sees all:
# so the questions are the right ones.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('attack');
$node->init(extra => [ '--locale=C', '-E', 'UTF8', '--no-sync' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\nautovacuum = off\njit = off\nlog_min_messages = fatal");
$node->start;

# Nothing of the one that the attacker does not know; and all of the other's
# that was not given away.
my $secret = qr/zebrafinch|c0ffee|7654321|2031-05-1|2097-/i;

$node->safe_psql('postgres', q{
CREATE EXTENSION revrtm CASCADE;
CREATE ROLE mallory LOGIN;
CREATE ROLE portal LOGIN;
CREATE ROLE keeper LOGIN;
SELECT revrtm.grant_partner('mallory'), revrtm.grant_partner('portal'), revrtm.grant_staff('keeper'), revrtm.grant_reader('keeper');
INSERT INTO revrtm.partner_login VALUES ('mallory', 'mallory'), ('keeper_of_zebrafinch', 'zebrafinch partner');
INSERT INTO revrtm.partner_proxy VALUES ('portal');
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('R1', 'ANY'), ('R2', 'ANY');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('P1', 'ANY'), ('P2', 'ANY');
CREATE SCHEMA crm;
CREATE TABLE crm.opportunity AS SELECT a || ' zebrafinch deal ' || i AS opportunity_id, a AS account_id, 7654321.09 AS amount, true AS is_closed,
    i % 2 = 0 AS is_won, now() - interval '5 days' AS created_at, current_date - 2 AS close_date, CASE a WHEN 'known-account' THEN 'known-rival' ELSE 'zebrafinch partner' END AS partner_id
    FROM unnest('{zebrafinch account,known-account}'::text[]) a, generate_series(1, 6) i;
ALTER TABLE crm.opportunity ADD stage text DEFAULT 'Closed';
INSERT INTO crm.opportunity SELECT opportunity_id || '0', account_id, amount, false, false, created_at, NULL, partner_id, 'Negotiation'
FROM crm.opportunity WHERE is_won;
CREATE TABLE crm.account AS SELECT 'known-' || i AS account_id, 'Zebrafinch Holding' AS account_name, 'zebrafinch.example' AS domain, 'zebrafinch segment' AS segment
    FROM unnest('{account,twin}'::text[]) i;
CREATE TABLE crm.partner AS SELECT p AS partner_id, p AS partner_name, 'R1' AS region FROM unnest('{known-rival,zebrafinch partner,mallory}'::text[]) p;
SELECT revrtm.bind(r, 'SELECT * FROM crm.' || r) FROM unnest('{opportunity,account,partner}'::text[]) r;
SELECT count(*) FROM revrtm.refresh_journeys();
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, amount, currency,
    expected_close, evidence, details, protection, decision_reason, opportunity_id)
SELECT format('%s-0000-4000-8000-%s', CASE status WHEN 'draft' THEN '00000000' ELSE 'c0ffee00' END, lpad(n::text, 12, '9'))::uuid, 'zebrafinch account ' || n,
    'zebrafinch partner', '{P1}', '{R1}', s.status, 7654321.09, 'EUR', '2031-05-17', '{"note": "zebrafinch evidence"}', '{"buyer": "zebrafinch buyer"}',
    CASE WHEN status <> 'draft' THEN daterange('2020-01-01', '2097-12-01') END, CASE WHEN status <> 'draft' THEN 'zebrafinch reason' END, CASE WHEN status <> 'draft' THEN 'zebrafinch deal' END
FROM (SELECT status, row_number() OVER () AS n FROM revrtm.registration_state) s;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
SELECT 'zebrafinch account ' || i, 'zebrafinch partner ' || i % 7, '{P2}', '{R2}', 'approved', '[2020-01-01,2097-12-01)' FROM generate_series(100, 600) i;
-- Handed over from the rival: how it came is not the heir's to read.
UPDATE revrtm.deal_registration SET partner_id = 'mallory', account_id = 'handed over', amount = 1, expected_close = NULL, evidence = '{}', details = '{}'
WHERE status = 'draft';
INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, status, amount, currency, details, protection)
VALUES ('00000000-0000-4000-8000-000000000001', 'known-account', 'known-rival', '{P1}', '{R1}', 'approved', 7654321.09, 'EUR', '{"buyer": "zebrafinch"}', '[2020-01-01,2097-12-01)'),
    ('00000000-0000-4000-8000-000000000003', 'known-account', 'known-rival', '{P2}', '{R2}', 'submitted', 7654321.09, 'EUR', '{"buyer": "zebrafinch"}', NULL);
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, details)
SELECT 'own account ' || i, 'mallory', '{P1}', '{R1}', s, '{"own": 1}' FROM unnest('{submitted,approved,action_required,draft}'::text[]) WITH ORDINALITY t(s, i);

-- Whatever else is told of partners: a row of each rival, and of the attacker's own.
CREATE TABLE crm.who AS SELECT * FROM (VALUES ('zebrafinch account 9000', 'zebrafinch partner', 'c0ffee00-0000-4000-8000-00000000beef'::uuid, 'zebrafinch', 7654321.09),
    ('known-account', 'known-rival', '00000000-0000-4000-8000-000000000001', 'zebrafinch', 7654321.09),
    ('own account 1', 'mallory', '00000000-0000-4000-8000-00000000000a', 'own', 9)) v (account, partner, id, word, amount);
INSERT INTO revrtm.course (course_id, product_code, valid_for, cost, currency) VALUES ('course', 'P1', '1 year', 7654321.09, 'EUR');
INSERT INTO revrtm.curriculum VALUES ('role', 'course');
INSERT INTO revrtm.learner SELECT partner, account, 'role' FROM crm.who;
INSERT INTO revrtm.certification (certification_id, partner_id, person_id, course_id, status, valid, cost, currency, details, decision_reason, checked_at)
SELECT id, partner, account, 'course', 'granted', tstzrange(now() - interval '1 day', CASE word WHEN 'own' THEN now() + interval '9 days' ELSE '2097-12-01' END), amount, 'EUR', jsonb_build_object('k', word), word, '2020-01-01' FROM crm.who;
INSERT INTO revrtm.fund (fund_id, kind, partner_id, valid, amount, currency, held) SELECT account, 'mdf', partner, daterange('2020-01-01', '2097-12-01'), amount, 'EUR', 1 FROM crm.who WHERE word <> 'own'
UNION ALL VALUES ('own', 'mdf', 'mallory', daterange('2020-01-01', '2090-01-01'), 90, 'EUR', 9), ('zebrafinch fund', 'mdf', NULL, daterange('2020-01-01', '2097-12-01'), 7654321.09, 'EUR', 1);
INSERT INTO revrtm.mdf_request (request_id, partner_id, fund_id, activity, during, requested_amount, approved_amount, currency, status, claim_by, details, requested_at, checked_at, held, held_on)
SELECT id, partner, CASE word WHEN 'own' THEN 'own' ELSE account END, word, '[2026-01-01,2026-02-01)', amount, amount, 'EUR', 'approved', CASE word WHEN 'own' THEN date '2090-01-01' ELSE '2097-01-01' END, '{}', '2026-01-01', '2020-01-01', 1, '2026-01-01' FROM crm.who;
INSERT INTO revrtm.spiff_award (award_id, account_id, opportunity_id, fund_id, partner_id, person_id, amount, currency, held_on, details, checked_at, held)
SELECT id, account, account, account, partner, word, amount, 'EUR', '2026-01-01', '{}', '2020-01-01', 1 FROM crm.who;
INSERT INTO revrtm.action_plan (plan_id, account_id, opportunity_id, partner_id, opened_by, title, owner_id, checked_at) SELECT id, account, account, partner, 'vendor', word, word, '2020-01-01' FROM crm.who;
INSERT INTO revrtm.plan_step (plan_id, account_id, step, partner_id, owner_party, owner_name, task, due, checked_at) SELECT id, account, 1, partner, 'partner', word, word, '2026-01-01', '2020-01-01' FROM crm.who;
INSERT INTO revrtm.referral (referral_id, account_id, opportunity_id, partner_id, opened_by, details, sent_at, due_at, expires_at, checked_at)
SELECT id, account, account, partner, 'vendor', jsonb_build_object('k', word), '2026-01-01', '2026-01-02', '2090-01-01', '2020-01-01' FROM crm.who;
INSERT INTO revrtm.partner_tier SELECT partner, CASE word WHEN 'own' THEN 'registered' ELSE word END, tstzrange('2020-01-01', CASE word WHEN 'own' THEN NULL ELSE timestamptz '2097-12-01' END) FROM crm.who;
INSERT INTO revrtm.life_cycle_event (subject, subject_id, partner_id, at, logged_at, actor, acting_role, acted_as, to_status, reason, changed)
SELECT 'referral', id, partner, '2026-01-01', '2026-01-01', 'zebrafinch', 'zebrafinch', 'staff', 'sent', word, jsonb_build_object('k', word) FROM crm.who;
INSERT INTO revrtm.registration_activity (registration_id, account_id, kind, at, partner_id, entered_as, note) SELECT id, account, word, '2026-01-01', partner, 'staff', word FROM crm.who;
INSERT INTO revrtm.roe_override (registration_id, account_id, rule, kind, evidence, reason, expires_at)
SELECT registration_id, account_id, 'pending', 'legal', 'zebrafinch', 'zebrafinch', '2097-12-01' FROM revrtm.deal_registration WHERE account_id IN ('known-account', 'zebrafinch account 100');
INSERT INTO revrtm.alert (subject, subject_id, kind, level, account_id, partner_id, at, elapsed_hours, term_hours, role) SELECT 'registration', id, 'sla', 1, account, partner, '2026-01-01', amount, 1, word FROM crm.who;
INSERT INTO revrtm.escalation_decision (subject, subject_id, account_id, level, role, decision, reason, at, logged_at, actor, acting_role) SELECT 'registration', id, account, 1, word, word, 'zebrafinch', '2026-01-01', '2026-01-01', 'zebrafinch', 'zebrafinch' FROM crm.who;
-- One case and one team that attacker and rival share, of which each has its side.
INSERT INTO revrtm.conflict_case (case_id, account_id, kind, claim_a, claim_b, cause, opened_at, reason)
SELECT id, account, 'partner_partner', 'registration:' || id, 'registration:f', 'staff', '2026-01-01', 'zebrafinch' FROM crm.who;
INSERT INTO revrtm.conflict_party (case_id, account_id, claim, partner_id) SELECT id, account, 'registration:' || id, partner FROM crm.who
UNION ALL SELECT id, account, 'registration:c0ffee', 'zebrafinch partner' FROM crm.who WHERE word = 'own';
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, reference, verified, verified_by)
SELECT case_id, account_id, claim, partner_id, 'claim', CASE partner_id WHEN 'mallory' THEN 'own' ELSE 'zebrafinch' END, true, 'zebrafinch' FROM revrtm.conflict_party;
INSERT INTO revrtm.conflict_event (case_id, account_id, revision, at, logged_at, actor, acting_role, from_status, reason) SELECT id, account, 1, '2026-01-01', '2026-01-01', 'zebrafinch', 'zebrafinch', 'open', 'zebrafinch' FROM crm.who;
INSERT INTO revrtm.teaming SELECT id, account, p, CASE p WHEN 'mallory' THEN 'tech' ELSE 'source' END, CASE p WHEN 'mallory' THEN 0.2345679 ELSE 0.7654321 END
FROM crm.who, unnest('{mallory,zebrafinch partner}'::text[]) p WHERE word = 'own' UNION ALL SELECT id, account, partner, 'source', 1 FROM crm.who WHERE word <> 'own';
-- Of the known rival so many that statistics tell of it.
DO $$
DECLARE t regclass;
BEGIN
    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'revrtm'::regnamespace AND relrowsecurity AND relname !~ '^(deal_registration|registration_event|conflict_case)$' LOOP
        EXECUTE format('INSERT INTO %s SELECT (jsonb_populate_record(k, (SELECT jsonb_object_agg(a.attname, CASE WHEN a.atttypid = 25 THEN a.attname || i ELSE gen_random_uuid()::text END)
            FROM pg_attribute a WHERE a.attrelid = %1$L::regclass AND (a.atttypid = ''uuid''::regtype OR a.attname = ''person_id'' OR a.attname = ''fund_id'' AND k.tableoid = ''revrtm.fund''::regclass)))).*
            FROM %1$s k, generate_series(1, 60) i WHERE k::text ~ ''known-'' ON CONFLICT DO NOTHING', t);
    END LOOP;
END $$;
-- A portal's table, guarded, that both write.
CREATE SCHEMA shop;
CREATE TABLE shop.request (id int PRIMARY KEY, account text, partner text, state text, amount numeric);
SELECT revrtm.guard('shop.request', 'registration', '{"account": "account", "partner": "partner", "status": "state"}');
INSERT INTO shop.request VALUES (1, 'zebrafinch shop', 'zebrafinch partner', 'approved', 7654321.09), (2, 'known-shop', 'known-rival', 'approved', 7654321.09);
GRANT USAGE ON SCHEMA shop TO mallory, portal;
GRANT INSERT, UPDATE (state, account), SELECT (id) ON shop.request TO mallory, portal;
ANALYZE;
});

# A table that is guarded by rows stands for each rival with something that the
# attacker must not see.
is($node->safe_psql('postgres', q{
SELECT string_agg(t.name, ', ' ORDER BY t.name) FROM (SELECT c.relname::text AS name, query_to_xml(format('SELECT t FROM revrtm.%I t', c.relname), true, true, '')::text AS entries
    FROM pg_class c WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relrowsecurity) t
WHERE t.entries !~ 'zebrafinch|c0ffee' OR t.entries !~ 'known-'}), '', 'every guarded table has a row of each rival');

# The tools. A statement is tried and undone; what is kept is what it said,
# its errors to the last field, and what the statistics of the transaction
# have counted on the guarded tables meanwhile.
my $tools = q{
SET client_min_messages = error;
SET search_path = pg_catalog, pg_temp;
CREATE TEMP TABLE heard (n serial, question text, answer text);
CREATE FUNCTION pg_temp.counted() RETURNS bigint[] LANGUAGE sql AS $$
    SELECT array_agg(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid) ORDER BY c.relname)
    FROM pg_class c WHERE c.relnamespace = 'revrtm'::regnamespace AND (c.relrowsecurity OR c.relname ~ '^(deal_registration|registration_event|roe_protected|deal_journey|conflict|guard)') $$;
CREATE FUNCTION pg_temp.try(question text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    said text := '';
    line text;
    before bigint[] := pg_temp.counted();
    after bigint[];
    v text[];
    e1 text; e2 text; e3 text; e4 text; e5 text; e6 text; e7 text; e8 text; e9 text;
BEGIN
    BEGIN
        IF question ~* '^\s*(SELECT|EXPLAIN|TABLE|WITH|VALUES|FETCH|SHOW)|RETURNING' THEN
            FOR line IN EXECUTE question LOOP
                said := said || coalesce(line, '(null)') || E'\n';
            END LOOP;
        ELSE
            EXECUTE question;
            said := 'done';
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = said;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS e1 = RETURNED_SQLSTATE, e2 = MESSAGE_TEXT, e3 = PG_EXCEPTION_DETAIL, e4 = PG_EXCEPTION_HINT,
            e5 = CONSTRAINT_NAME, e6 = COLUMN_NAME, e7 = TABLE_NAME, e8 = PG_DATATYPE_NAME, e9 = PG_EXCEPTION_CONTEXT;
    END;
    v := CASE e1 WHEN 'ZZ999' THEN ARRAY['answer', e2] ELSE ARRAY[e1, e2, e3, e4, e5, e6, e7, e8, e9] END;
    after := pg_temp.counted();
    INSERT INTO heard (question, answer) VALUES (question, array_to_string(v, ' | ') || ' | counted '
        || (SELECT string_agg((a - b)::text, ',') FROM unnest(after, before) u(a, b)));
END
$$;

-- What to give for an argument: by its name, else by its type.
CREATE TEMP TABLE made (name text, type text, literal text, n serial);
INSERT INTO made (type, literal) SELECT t, l FROM (VALUES
    ('text', quote_literal(:'account')), ('text', quote_literal(:'partner')), ('text', quote_literal(:'id')), ('text', quote_literal('deal_registration')),
    ('uuid', quote_literal(:'id')), ('text[]', quote_literal('{ANY}')), ('text[]', quote_literal('{P1,R1}')), ('text[]', format('ARRAY[%L]', :'account')),
    ('jsonb', quote_literal(jsonb_build_object('account_id', :'account', 'partner_id', 'mallory', 'registration_id', :'id', 'product_codes', '{P1}'::text[], 'region_codes', '{R1}'::text[], 'protection', '[2026-01-01,2090-01-01)'))),
    ('jsonb', quote_literal(jsonb_build_object('account_id', :'account', 'partner_id', :'partner', 'product_codes', '{ANY}'::text[], 'region_codes', '{ANY}'::text[]))),
    ('json', quote_literal('{}')), ('daterange', quote_literal('[2026-01-01,2090-01-01)')), ('daterange', quote_literal('[,)')), ('int8multirange', quote_literal('{[0,9223372036854775807)}')),
    ('int8multirange', quote_literal('{[0,9)}')), ('date', quote_literal('2026-01-01')), ('timestamp with time zone', quote_literal('2026-01-01')), ('interval', quote_literal('1 day')),
    ('integer', '1'), ('bigint', '1'), ('numeric', '1'), ('double precision', '0.5'), ('boolean', 'true'), ('boolean', 'false'), ('regclass', quote_literal('revrtm.deal_registration')),
    ('double precision[]', quote_literal('{1,2}')), ('numeric[]', quote_literal('{1,2}')), ('name', quote_literal('mallory')), ('revrtm.journey', quote_literal('{a,b}'))) v(t, l);
INSERT INTO made (name, type, literal) SELECT n, 'text', quote_literal(l) FROM (VALUES ('account_id', :'account'), ('partner_id', :'partner'), ('partner_id', 'mallory'), ('opportunity_id', :'account'), ('role_name', 'mallory'), ('currency', 'EUR'),
    ('query', 'SELECT registration_id::text AS claim_id, account_id, partner_id AS party, ''ANY'' AS product, ''ANY'' AS region, protection AS during FROM revrtm.deal_registration'),
    ('query', 'SELECT registration_id, account_id, partner_id, product_codes, region_codes FROM revrtm.deal_registration'),
    ('query', format('SELECT %L::uuid AS registration_id, %L AS account_id, %L AS partner_id, ''{P1}''::text[] AS product_codes, ''{R1}''::text[] AS region_codes', :'id', :'account', 'mallory')),
    ('query', format('SELECT %L::text AS registration_id, %L AS account_id, %L AS partner_id, ''{P2}''::text[] AS product_codes, ''{ANY}''::text[] AS region_codes, ''[2090-01-01,2091-01-01)''::daterange AS protection', :'id', :'account', :'partner'))) v(n, l);
CREATE FUNCTION pg_temp.argument(name text, type text, turn int) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT m.l[1 + turn % cardinality(m.l)] FROM (SELECT array_agg(literal ORDER BY n) AS l FROM made
        WHERE made.type = argument.type AND made.name IS NOT DISTINCT FROM (SELECT max(o.name) FROM made o WHERE o.name = argument.name AND o.type = argument.type)) m), 'NULL')
        || '::' || type $$;
};

# Every function, of every kind, in several ways; where it may take a query
# or forged row, so that it says something of the target.
my $functions = q{
SELECT pg_temp.try(q) FROM (
    SELECT DISTINCT p.oid, CASE p.prokind WHEN 'p' THEN format('CALL revrtm.%%I(%%s)', p.proname, a.list)
        WHEN 'w' THEN format('SELECT revrtm.%%I(%%s) OVER ()::text', p.proname, a.list)
        ELSE format('SELECT t::text FROM revrtm.%%I(%%s) t LIMIT 100', p.proname, a.list) END AS q
    FROM pg_proc p, generate_series(0, 3) turn,
        LATERAL (SELECT coalesce(string_agg(pg_temp.argument(p.proargnames[u.i], format_type(u.type, NULL), turn + (turn / 2) * u.i::int), ', ' ORDER BY u.i), '') AS list
                 FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(type, i)) a
    WHERE p.pronamespace = 'revrtm'::regnamespace AND has_function_privilege(p.oid, 'EXECUTE')
      AND a.list !~ '::(internal|cstring|trigger|"any"|anyelement)' AND p.proname <> 'as_of' AND p.proname ~ '%s'
    ORDER BY 1, 2) f;
};

# Every relation as a whole, of ours column by column too.
my $relations = q{
SELECT pg_temp.try(format('SELECT t::text FROM %%s t', c.oid::regclass))
FROM pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S', 'f') AND c.relnamespace = ANY ('{%s}'::regnamespace[])
  AND has_any_column_privilege(c.oid, 'SELECT') AND has_schema_privilege(c.relnamespace, 'USAGE') ORDER BY c.relname;
};
my $columns = q{
SELECT pg_temp.try(format('SELECT %I::text FROM revrtm.%I', a.attname, c.relname))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relkind IN ('r', 'v') AND NOT a.attisdropped
  AND has_column_privilege(c.oid, a.attnum, 'SELECT') AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY c.relname, a.attnum;
};

# Conditions on what is hidden, as they are planned, run and counted.
my $plans = q{
SELECT pg_temp.try(format(q, c)) FROM unnest(ARRAY[
    'EXPLAIN SELECT * FROM revrtm.%s', 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF) SELECT * FROM revrtm.%s',
    'SELECT count(*)::text FROM revrtm.%s', 'SELECT max(account_id) FROM revrtm.%s']) q,
  (SELECT r || ' WHERE ' || w FROM unnest('{deal_registration,registration_event}'::text[]) r, unnest(ARRAY[
    format('account_id = %L', :'account'), format('account_id >= %L AND account_id < %L', :'account', :'account' || 'z'), format('account_id = ANY (ARRAY[%L])', :'account'),
    format('account_id < ANY (ARRAY[%L])', :'account'), format('account_id IS NOT DISTINCT FROM %L', :'account'), format('account_id IN (%L, %L)', :'account', 'x'),
    format('registration_id = %L', :'id'), format('registration_id = ANY (ARRAY[%L::uuid])', :'id'), format('registration_id BETWEEN %L AND %L', :'id', :'id'),
    format('partner_id = %L', :'partner'), format('partner_id = ANY (ARRAY[%L])', :'partner'), format('partner_id BETWEEN %L AND %L', :'partner', :'partner' || '~'),
    format('partner_id = %L OR partner_id = ''mallory''', :'partner'), format('account_id LIKE %L', left(:'account', 5) || '%'), format('account_id = (SELECT %L)', :'account'),
    format('(account_id, partner_id) = (%L, %L)', :'account', :'partner'), format('ctid = ''(0,1)'' AND account_id = ANY (ARRAY[%L])', :'account'),
    format('account_id = %L AND partner_id = %L', :'account', :'partner')]) w
   UNION ALL SELECT r || ' WHERE ' || w FROM unnest('{deal_registration}'::text[]) r, unnest(ARRAY[
    format('active AND exclusive AND account_id = %L', :'account'), format('status = ''approved'' AND account_id = %L', :'account'),
    format('active AND exclusive AND account_id = %L AND protection && ''[2090-01-01,2090-01-02)'' AND region && ''{[0,9)}''', :'account'),
    format('active AND account_id = ANY (ARRAY[%L])', :'account'), format('decided_at IS NOT NULL AND account_id = %L', :'account')]) w) c(c);
SET enable_seqscan = off;
SELECT pg_temp.try(format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT * FROM revrtm.deal_registration WHERE %s', w)) FROM unnest(ARRAY[
    format('account_id = %L AND status = ''approved''', :'account'), format('registration_id = %L', :'id'), format('partner_id = %L', :'partner'),
    format('partner_id = %L OR account_id = %L', :'partner', :'account')]) w;
SELECT pg_temp.try(format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT * FROM (VALUES (%L)) v(a) JOIN revrtm.deal_registration d ON d.account_id = v.a', :'account'));
RESET enable_seqscan;
};

# Every guarded table, by each column that names one: read, planned, written.
my $guarded = q{
CREATE TEMP VIEW named AS
SELECT c.oid, c.relname AS t, quote_ident(a.attname) AS col, a.attnum, CASE WHEN a.attname = 'partner_id' THEN quote_literal(:'partner') WHEN format_type(a.atttypid, NULL) = 'uuid' THEN quote_literal(:'id')
    WHEN a.attname = 'claim' THEN quote_literal('registration:' || :'id') ELSE quote_literal(:'account') END AS value
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname ~ '(_id|^claim)$'
WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relrowsecurity AND c.relname !~ '^(deal_registration|registration_event)$'
  AND has_column_privilege(c.oid, a.attnum, 'SELECT');
SET enable_seqscan = off;
SELECT pg_temp.try(format(q, t, col, value)) FROM named, unnest(ARRAY['SELECT count(*)::text FROM revrtm.%1$s WHERE %2$s = %3$s',
    'EXPLAIN SELECT %2$s FROM revrtm.%1$s WHERE %2$s = %3$s', 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT %2$s FROM revrtm.%1$s WHERE %2$s = ANY (ARRAY[%3$s])',
    'DELETE FROM revrtm.%1$s WHERE %2$s = %3$s', 'SELECT 1 FROM revrtm.%1$s WHERE pg_temp.leak(%2$s::text) AND partner_id <> ''mallory''']) q ORDER BY t, col, q;
RESET enable_seqscan;
SELECT pg_temp.try(format('UPDATE revrtm.%s SET %I = %s WHERE %s = %s RETURNING 1', n.t, a.attname, pg_temp.argument(a.attname, format_type(a.atttypid, NULL), 0), n.col, n.value))
FROM named n JOIN pg_attribute a ON a.attrelid = n.oid WHERE a.attnum > 0 AND has_column_privilege(n.oid, a.attnum, 'UPDATE') AND n.col ~ '^(partner|account|plan|request|referral)_id$' ORDER BY 1;
SELECT pg_temp.try(format(q, c.relname, a.columns, a.list)) FROM pg_class c, generate_series(0, 1) turn, LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns, string_agg(CASE
        WHEN a.attname = 'status' THEN '''' || (SELECT coalesce(min(t.to_status), 'draft') FROM revrtm.life_cycle_transition t WHERE t.subject = c.relname AND t.from_status = '(new)' AND t.actors && '{partner,opener}') || ''''
        WHEN a.attname = 'opened_by' THEN '''partner''' WHEN a.attname = 'partner_id' THEN CASE turn WHEN 0 THEN '''mallory''' ELSE quote_literal(:'partner') END
        WHEN a.attname = 'claim' THEN quote_literal('registration:' || :'id') WHEN a.attname = 'owner_party' THEN '''partner''' WHEN a.attname = 'course_id' THEN '''course'''
        WHEN a.attname = 'role' THEN '''role''' ELSE pg_temp.argument(a.attname, format_type(a.atttypid, NULL), 0) END, ', ' ORDER BY a.attnum) AS list
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND has_column_privilege(c.oid, a.attnum, 'INSERT')) a,
  unnest(ARRAY['INSERT INTO revrtm.%1$s (%2$s) VALUES (%3$s)', 'INSERT INTO revrtm.%1$s AS w (%2$s) VALUES (%3$s) ON CONFLICT DO NOTHING RETURNING w::text']) q
WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relrowsecurity AND c.relname <> 'deal_registration' AND a.columns IS NOT NULL ORDER BY 1;
};

# What else one tries.
my $leak = q{
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE EXCEPTION 'leaked %', $1; END$$;
};
my $tricks = q{
CREATE TEMP TABLE deal_registration (account_id text, partner_id text);
CREATE TEMP TABLE registration_event (account_id text);
CREATE FUNCTION pg_temp.is_staff() RETURNS boolean LANGUAGE sql RETURN true;
SELECT pg_temp.try(format(q, :'account', :'partner', :'id')) FROM unnest(ARRAY[
    'SELECT 1 FROM revrtm.deal_registration WHERE pg_temp.leak(account_id) AND partner_id <> ''mallory''',
    'SELECT 1 FROM revrtm.registration_event WHERE partner_id <> ''mallory'' AND pg_temp.leak(changed::text)',
    'SELECT 1 FROM revrtm.registration_conflict WHERE other_partner_id <> ''mallory'' AND pg_temp.leak(other_partner_id)',
    'SELECT 1 FROM revrtm.deal_registration WHERE account_id = %1$L AND 1 / length(details ->> ''buyer'') > 0',
    'SELECT partner_id::int FROM revrtm.deal_registration WHERE partner_id <> ''mallory''',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes) VALUES (%1$L, %2$L, ''{P1}'', ''{R1}'')',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES (%1$L, ''mallory'', ''{P1}'', ''{R1}'', ''approved'')',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES (%1$L, ''mallory'', ''{P1}'', ''{R1}'', ''approved'') ON CONFLICT DO NOTHING RETURNING account_id',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES (%1$L, ''mallory'', ''{P2}'', ''{R2}'', ''extended'')',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES (%1$L, ''mallory'', ''{ANY}'', ''{ANY}'', ''draft'') RETURNING status',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES (%1$L, ''mallory'', ''{ANY}'', ''{ANY}'', ''converted'') ON CONFLICT ON CONSTRAINT roe_protected DO NOTHING',
    'INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes) VALUES (%3$L, %1$L, ''mallory'', ''{P1}'', ''{R1}'')',
    'INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, amount) VALUES (%1$L, ''mallory'', ''{P1}'', ''{R1}'', -1)',
    'WITH d AS (UPDATE revrtm.deal_registration SET account_id = %1$L WHERE status = ''draft'' RETURNING registration_id) SELECT r.rule || r.verdict || coalesce(r.reason_code, '''') FROM d, revrtm.roe_check(d.registration_id) r ORDER BY 1',
    'UPDATE revrtm.deal_registration SET status = ''approved'', account_id = %1$L WHERE partner_id = ''mallory''',
    'UPDATE revrtm.deal_registration SET account_id = %1$L WHERE status = ''approved'' RETURNING status',
    'UPDATE revrtm.deal_registration SET details = ''{}'' WHERE account_id = %1$L RETURNING account_id',
    'UPDATE revrtm.deal_registration SET partner_id = %2$L', 'UPDATE revrtm.deal_registration SET status = ''withdrawn'' WHERE registration_id = %3$L RETURNING status',
    'SELECT revrtm.record_activity(%3$L, ''update'', ''x'')::text', 'UPDATE revrtm.mdf_request SET status = ''withdrawn'' RETURNING request_id', 'UPDATE revrtm.mdf_request SET status = ''executed'' RETURNING mdf_request::text',
    'UPDATE revrtm.mdf_request SET fund_id = %1$L', 'UPDATE revrtm.referral SET status = ''accepted'', opportunity_id = %1$L RETURNING referral::text', 'UPDATE revrtm.action_plan SET status = ''agreed'' RETURNING action_plan::text',
    'INSERT INTO shop.request VALUES (3, %1$L, ''mallory'', ''approved'', 1)', 'INSERT INTO shop.request VALUES (3, ''known-shop'', ''mallory'', ''approved'', 1)', 'INSERT INTO shop.request VALUES (1, %1$L, %2$L, ''approved'', 1)', 'UPDATE shop.request SET account = %1$L',
    'UPDATE shop.request SET state = ''withdrawn'' RETURNING id', 'SELECT t::text FROM revrtm.guard_violation(''shop.request'') t', 'SELECT revrtm.unguard(''shop.request'')::text', 'SELECT t::text FROM shop.request t',
    'DELETE FROM revrtm.deal_registration WHERE account_id = %1$L', 'TRUNCATE revrtm.deal_registration', 'LOCK TABLE revrtm.deal_registration IN ACCESS EXCLUSIVE MODE',
    'SELECT status FROM revrtm.deal_registration WHERE account_id = %1$L FOR UPDATE NOWAIT',
    'INSERT INTO revrtm.registration_event (registration_id, account_id, partner_id) VALUES (%3$L, %1$L, ''mallory'')', 'UPDATE revrtm.registration_event SET partner_id = ''mallory''', 'DELETE FROM revrtm.registration_event',
    'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R1}'') t', 'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{ANY}'', ''{R1,R2}'', 5, ''EUR'') t',
    'SELECT status FROM revrtm.withdraw_registration(%3$L)', 'SELECT status FROM revrtm.submit_registration(%3$L)', 'SELECT status FROM revrtm.approve_registration(%3$L)', 'SELECT rule FROM revrtm.roe_check(%3$L)',
    'SELECT reason_code FROM revrtm.find_protection(%1$L, ''{[0,9223372036854775807)}'', ''{[0,9223372036854775807)}'', ''[,)'')',
    'SELECT rule || verdict FROM revrtm.roe_explain(jsonb_build_object(''account_id'', %1$L, ''partner_id'', ''mallory'', ''product_codes'', ''{P1}''::text[], ''region_codes'', ''{R1}''::text[])) ORDER BY 1',
    'SET ROLE keeper', 'SET SESSION AUTHORIZATION keeper', 'SET row_security = off', 'SELECT set_config(''role'', ''keeper'', false)', 'SELECT set_config(''row_security'', ''off'', true) || (SELECT count(*) FROM revrtm.deal_registration)',
    'ALTER TABLE revrtm.deal_registration DISABLE ROW LEVEL SECURITY', 'ALTER TABLE revrtm.deal_registration DISABLE TRIGGER ALL', 'SET session_replication_role = replica', 'CREATE TRIGGER t BEFORE INSERT ON revrtm.deal_registration FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'CREATE POLICY p ON revrtm.deal_registration USING (true)', 'CREATE STATISTICS pg_temp.s ON account_id, partner_id FROM revrtm.deal_registration', 'ANALYZE revrtm.deal_registration', 'CREATE INDEX ON revrtm.deal_registration (account_id)',
    'CREATE TEMP VIEW v AS SELECT * FROM revrtm.deal_registration', 'CREATE TEMP TABLE copied AS SELECT * FROM revrtm.deal_registration', 'CREATE RULE r AS ON SELECT TO revrtm.deal_registration DO INSTEAD SELECT 1',
    'SELECT t::text FROM revrtm.deal_registration t TABLESAMPLE SYSTEM (100)', 'SELECT t::text FROM revrtm.registration_conflict t', 'SELECT query_to_xml(''SELECT * FROM revrtm.deal_registration'', true, true, '''')::text', 'SELECT database_to_xml(true, true, '''')::text',
    'SELECT pg_get_expr(polqual, polrelid) FROM pg_policy', 'SELECT lo_import(''/etc/passwd'')::text', 'SELECT pg_read_file(''postmaster.pid'')', 'SELECT pg_ls_dir(''base'')', 'SELECT t::text FROM pg_stats t WHERE schemaname = ''revrtm'' AND tablename ~ ''registration''',
    'SELECT t::text FROM pg_statistic t', 'SELECT reltuples::text || relpages FROM pg_class WHERE relname = ''roe_protected''', 'SELECT t::text FROM pg_locks t WHERE locktype IN (''advisory'', ''tuple'')', 'SELECT pg_try_advisory_lock(hashtext(%1$L))::text',
    'SELECT currtid2(''revrtm.deal_registration'', ''(0,1)'')::text', 'SELECT pg_get_viewdef(''revrtm.registration_conflict''::regclass)', 'SELECT t::text FROM pg_stat_activity t WHERE usename = ''keeper''', 'SELECT pg_export_snapshot()::text IS NULL'
]) q;
DO $$
DECLARE c refcursor := 'rtm'; r record;
BEGIN
    OPEN c SCROLL FOR SELECT * FROM revrtm.deal_registration WHERE partner_id <> 'mallory';
    FETCH LAST FROM c INTO r;
    INSERT INTO heard (question, answer) VALUES ('cursor', r::text);
END $$;
SET search_path = pg_temp, pg_catalog, revrtm;
SELECT pg_temp.try(format(q, :'account', :'id')) FROM unnest(ARRAY[
    'SELECT /* shadowed */ t::text FROM revrtm.deal_registration t', 'SELECT /* shadowed */ t::text FROM revrtm.registration_conflict t',
    'SELECT /* shadowed */ t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R1}'') t', 'SELECT /* shadowed */ status FROM revrtm.withdraw_registration(%2$L)',
    'SELECT /* shadowed */ revrtm.is_staff()::text || revrtm.current_partner()']) q;
RESET search_path;
COPY revrtm.deal_registration TO STDOUT;
COPY revrtm.registration_event (registration_id, account_id, changed) TO STDOUT;
COPY (SELECT * FROM revrtm.deal_registration) TO STDOUT;
};

# Functions that read nothing but what they are given.
my %pure = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
    q{SELECT p.oid::regproc FROM pg_proc p WHERE p.pronamespace = 'revrtm'::regnamespace AND (p.provolatile = 'i' OR p.proname = 'policy_hash')});

# The whole of it by one role against one target: the answers by question.
sub attack
{
    my ($role, $partner, $schemas, $account, $rival, $id) = @_;
    return ask($role, $partner, sprintf($functions, '') . sprintf($relations, $schemas) . $columns . $plans . $leak . $guarded . $tricks,
        $account, $rival, $id);
}

sub ask
{
    my ($role, $partner, $questions, $account, $rival, $id) = @_;
    my $settings = $partner ? "SET revrtm.partner = '$partner';\n" : '';
    # What was undone left its pages, which plans are costed by.
    $node->safe_psql('postgres', q{SELECT 'VACUUM ' || string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relnamespace = 'revrtm'::regnamespace AND relrowsecurity \gexec});
    my ($status, $out, $err) = $node->psql('postgres',
        $settings . $tools . $questions
          . q{COPY (SELECT question, answer FROM heard ORDER BY n) TO STDOUT},
        on_error_stop => 0, extra_params => [ '-U', $role, '-v', "account=$account", '-v', "partner=$rival", '-v', "id=$id" ]);
    my $text = "$out\n$err";
    # What the attacker brought with it, and what no two runs have in common.
    my %answer;
    for (split /\n/, $out)
    {
        s/\Q$account\E/<account>/g;
        s/\Q$rival\E/<partner>/g;
        s/\Q$id\E/<id>/g;
        s/'(known|other)%/'<prefix>%/g;
        s/at or near "(known|other)"/at or near "<word>"/g;
        my ($question, $answer) = split /\t/, $_, 2;
        next if !defined $answer;
        next if $question =~ /FROM pg_|audit_log|shop\.request/ || ($question =~ /FROM (revrtm\.\w+)\(/ && $pure{$1});
        $answer =~ s/SQL expression [^|]*?\\n//g;
        $answer =~ s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/<uuid>/g;
        $answer =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*\+00/<instant>/g;
        $answer{$question} = $answer;
    }
    return ($text, \%answer);
}

my @known = ('known-account', 'known-rival', '00000000-0000-4000-8000-000000000001');
my @absent = ('other-account', 'other-rival', '00000000-0000-4000-8000-000000000002');

my $picture = q{SELECT md5(string_agg(d::text, '|' ORDER BY d::text)) FROM revrtm.deal_registration d
    UNION ALL SELECT md5(string_agg(e::text, '|' ORDER BY e::text)) FROM revrtm.registration_event e};
my $before = $node->safe_psql('postgres', $picture);

# The lines of the answers that differ.
sub differing
{
    my ($one, $other) = @_;
    my %questions = (%$one, %$other);
    return grep { ($one->{$_} // '') ne ($other->{$_} // '') } sort keys %questions;
}

sub saw_nothing
{
    my ($role, @texts) = @_;
    for my $part (@texts)
    {
        my @seen = grep { /$secret/ } split /\n/, $part;
        is(scalar @seen, 0, "$role saw nothing of the rival") or diag(map { substr($_, 0, 600) . "\n" } @seen[ 0 .. ($#seen > 9 ? 9 : $#seen) ]);
    }
}

# Who writes a registration is put into the queue, and learns no more.
sub tells_nothing
{
    my ($role, $known, $absent, $waits) = @_;
    my $queued = 0;
    my @differ;
    for my $question (differing($known, $absent))
    {
        my ($one, $other) = map { $_->{$question} // '' } $known, $absent;
        if ($question =~ /^INSERT INTO revrtm\.deal_registration|revrtm\.register_deal\(/ && $question !~ /'draft'/)
        {
            s/ \| counted [-\d,]+$// for $one, $other;
            $queued += $one =~ s/,queued,PROTECTED,,"Another active registration protects this account and scope."\)/,submitted,,,)/;
        }
        push @differ, "$question\n   $one\n   $other\n" if $one ne $other;
    }
    is(scalar @differ, 0, "$role cannot tell a rival's account from one without") or diag(@differ[ 0 .. ($#differ > 9 ? 9 : $#differ) ]);
    is($queued > 0, $waits, "$role " . ($waits ? 'is put into the queue' : 'enters as the second'));
}

for my $by ([ 'mallory', undef ], [ 'portal', 'mallory' ])
{
    my ($role, $partner) = @$by;
    my ($text, $known) = attack($role, $partner, 'revrtm,crm,pg_catalog', @known);
    my ($other_text, $absent) = attack($role, $partner, 'revrtm,crm', @absent);

    cmp_ok(scalar(keys %$known), '>', 1000, "$role asked many questions");
    saw_nothing($role, $text, $other_text);
    tells_nothing($role, $known, $absent, 1);
    diag "$role: @{[scalar keys %$known]} questions, @{[length($text) >> 10]} kB of answers";
}

# The first statement of a session is planned with as much care as the rest.
my $first = q{SET enable_seqscan = off; EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT partner_id FROM revrtm.%s};
my @tables = split /\n/, $node->safe_psql('postgres', q{SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'partner_id'
    WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relrowsecurity AND has_column_privilege('mallory', c.oid, a.attnum, 'SELECT') ORDER BY 1});
cmp_ok(scalar @tables, '>', 10, 'a partner reads many guarded tables');
for my $of ("deal_registration WHERE account_id = '%s' AND status = 'approved'", "registration_event WHERE registration_id = '%s'", map { "$_ WHERE partner_id = '%s'" } @tables)
{
    my ($one, $other) = map {
        my $name = $_->[ $of =~ /account_id/ ? 0 : $of =~ /partner_id/ ? 1 : 2 ];
        $node->safe_psql('postgres', sprintf($first, sprintf($of, $name)), extra_params => [ '-U', 'mallory' ]) =~ s/$name/<name>/gr
    } \@known, \@absent;
    is($one, $other, "a plan over $of tells nothing");
}
is($node->safe_psql('postgres', q{SET revrtm.partner = 'known-rival'; SELECT count(*) FROM revrtm.deal_registration WHERE partner_id <> 'mallory'},
        extra_params => [ '-U', 'mallory' ]), 0, 'who is no portal does not choose whom it acts for');
is($node->safe_psql('postgres', $picture), $before, 'nothing has changed');

# How long a refusal takes, of an account with one registration of a rival and
# of one with fifty: told, not judged.
$node->safe_psql('postgres', q{
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
SELECT CASE i WHEN 0 THEN 'one' ELSE 'fifty' END, 'r' || i, '{P1}', '{R1}', CASE WHEN i < 2 THEN 'approved' ELSE 'submitted' END, NULL FROM generate_series(0, 50) i});
diag $node->safe_psql('postgres', q{
SET client_min_messages = error;
CREATE TEMP TABLE took (what text, account text, us float8);
DO $$
DECLARE started timestamptz; a text; w text;
BEGIN
    FOR round IN 1 .. 101 LOOP
        FOREACH a IN ARRAY '{none,one,fifty}'::text[] LOOP
            started := clock_timestamp();
            PERFORM count(*) FROM revrtm.roe_explain(jsonb_build_object('account_id', a, 'partner_id', 'mallory', 'product_codes', '{P1}'::text[], 'region_codes', '{R1}'::text[]));
            INSERT INTO took VALUES ('roe_explain', a, extract(epoch FROM clock_timestamp() - started) * 1e6);
            started := clock_timestamp();
            BEGIN
                PERFORM revrtm.register_deal(a, 'mallory', '{P1}', '{R1}');
                RAISE EXCEPTION 'undone';
            EXCEPTION WHEN raise_exception THEN NULL;
            END;
            INSERT INTO took VALUES ('register_deal', a, extract(epoch FROM clock_timestamp() - started) * 1e6);
        END LOOP;
    END LOOP;
END $$;
SELECT format('%s with %s in the way: median %s us', what, account, percentile_cont(0.5) WITHIN GROUP (ORDER BY us)) FROM took GROUP BY what, account ORDER BY 1},
    extra_params => [ '-U', 'mallory' ]);
$node->safe_psql('postgres', q{DELETE FROM revrtm.deal_registration WHERE account_id IN ('one', 'fifty')});

# Once more with every rule there is, of which each has something to say of the
# rival's account. What rests on the CRM refuses nothing to who may not read it;
# a second registration enters, and keeps nobody out.
$node->safe_psql('postgres', q{
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, details) VALUES ('known-twin', 'known-rival', '{P1}', '{R1}', 'approved', '{"buyer": "zebrafinch"}');
INSERT INTO revrtm.roe_rule (rule, kind, parameters) VALUES ('tier', 'partner_tier', '{"tier": "registered"}'), ('certified', 'certified', '{}');
UPDATE revrtm.roe_rule SET enabled = true, parameters = parameters || CASE kind WHEN 'incumbent' THEN '{"renewal_window": "9 years", "term": "9 years"}'::jsonb ELSE '{}' END;
});
my $ruled = sprintf($functions, '^(roe_|register|validate|submit|withdraw|find_prot|duplicate|account_match)') . $leak . q{
SELECT pg_temp.try(format(q, :'account', :'id')) FROM unnest(ARRAY[
    'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R1}'', 5, ''EUR'', NULL, ''{}'', ''{"tender_published_at": "2026-01-01", "discounts": {"deal_registration": 0.1}}'') t',
    'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R1}'', 5, ''EUR'', NULL, ''{}'', ''{"discounts": {"deal_registration": 0.9, "volume": 0.9}}'') t',
    'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R1}'', 5, ''EUR'', NULL, ''{}'', ''{"tender_published_at": "2090-01-01"}'') t',
    'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R1}'', 5, ''EUR'', NULL, ''{}'', ''{}'', false) t',
    'SELECT t::text FROM revrtm.register_deal(%1$L, ''mallory'', ''{P1}'', ''{R2}'') t',
    'SELECT t::text FROM revrtm.roe_explain(jsonb_build_object(''account_id'', %1$L, ''partner_id'', ''mallory'', ''product_codes'', ''{P1}''::text[], ''region_codes'', ''{R2}''::text[], ''amount'', 5, ''currency'', ''EUR'', ''details'', ''{"discounts": {"deal_registration": 0.1}, "tender_published_at": "2090-01-01"}''::jsonb)) t']) q;
} . $tricks;
for my $by ([ 'mallory', undef ], [ 'portal', 'mallory' ])
{
    my ($role, $partner) = @$by;
    my ($text, $known) = ask($role, $partner, $ruled, @known);
    my ($other_text, $absent) = ask($role, $partner, $ruled, @absent);
    saw_nothing("$role, with every rule,", $text, $other_text);
    tells_nothing("$role, with every rule,", $known, $absent, '');
}

# Operators and functions of the attacker's own, found before those of the
# system, are run by nothing that has the rights of the tables' owner.
my $trap = q{
CREATE SCHEMA evil;
DO $$
DECLARE
    r record;
    body text := 'CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN
        IF current_user OPERATOR(pg_catalog.<>) session_user THEN RAISE WARNING ''caught %s''; END IF; RETURN %s; END $f$';
BEGIN
    FOR r IN SELECT o.oprname AS name, oprleft::regtype AS a, oprright::regtype AS b, oprresult::regtype AS result, 'o' || o.oid AS f FROM pg_operator o
             WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b' AND format_type(oprleft, NULL) ~ '^(text|uuid|date|daterange|tstzrange|int8multirange|timestamp with time zone|integer|bigint|numeric|boolean|jsonb|interval|any(multi)?range|anyarray|text\[\]|double precision)$' LOOP
        BEGIN
            EXECUTE format(body, r.f, format('a %s, b %s', r.a, r.b), r.result, replace(r.name, '%', '%%'), format('a OPERATOR(pg_catalog.%s) b', r.name));
            EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.%I)', r.name, r.a, r.b, r.f);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR r IN SELECT p.proname AS name, prorettype::regtype AS result, (SELECT string_agg(t::regtype::text, ', ' ORDER BY i) FROM unnest(proargtypes::oid[]) WITH ORDINALITY u(t, i)) AS args,
                    (SELECT string_agg('$' || i, ', ' ORDER BY i) FROM generate_series(1, pronargs) i) AS params FROM pg_proc p
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND provariadic = 0 AND pronargs < 4 AND proname ~ '^(now|lower|upper|btrim|isfinite|left|clock_timestamp|to_jsonb|length|octet_length|hashtextextended|array_position|cardinality|quote_|daterange|tstzrange|int8multirange|lower_|upper_|isempty|round|abs|md5|timezone|set_config|current_setting|gen_random_uuid|min_scale|has_)' LOOP
        BEGIN
            EXECUTE format(body, r.name, coalesce(r.args, ''), r.result, r.name, format('pg_catalog.%I(%s)', r.name, r.params));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $$;
SELECT 'laid ' || (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace) + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace);
\set ON_ERROR_ROLLBACK on
SET search_path = evil, pg_catalog, pg_temp;
BEGIN;
SELECT status FROM revrtm.register_deal('trap', 'mallory', '{P1}', '{R1}', 5, 'EUR', '2026-12-01', '{}', '{"discounts": {"deal_registration": 0.1}, "tender_published_at": "2090-01-01"}');
SELECT status FROM revrtm.register_deal('known-account', 'mallory', '{P1}', '{R1}');
SELECT count(c), count(revrtm.record_activity(d.registration_id)) FROM revrtm.deal_registration d, revrtm.roe_check(d.registration_id) c WHERE d.account_id OPERATOR(pg_catalog.=) 'trap';
UPDATE revrtm.deal_registration SET account_id = 'known-twin' WHERE status OPERATOR(pg_catalog.=) 'draft';
SELECT count(r) FROM (SELECT registration_id FROM revrtm.deal_registration WHERE account_id OPERATOR(pg_catalog.=) 'trap') d, revrtm.withdraw_registration(d.registration_id) r;
INSERT INTO shop.request VALUES (30, 'trap', 'mallory', 'approved', 1);
UPDATE shop.request SET state = 'withdrawn' WHERE id OPERATOR(pg_catalog.=) 30;
UPDATE revrtm.mdf_request SET status = 'withdrawn';
UPDATE revrtm.action_plan SET status = 'agreed';
UPDATE revrtm.referral SET status = 'accepted';
INSERT INTO revrtm.certification (partner_id, person_id, course_id) VALUES ('mallory', 'trap', 'course');
SELECT count(*) FROM revrtm.find_protection('known-account', '{[0,99)}', '{[0,99)}', '[2026-01-01,2027-01-01)');
SELECT 'walked';
SELECT public.bait();
ROLLBACK;
};
$node->safe_psql('postgres', q{GRANT CREATE ON DATABASE postgres TO mallory;
CREATE FUNCTION public.bait() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN RETURN 'a'::text = 'b'::text; END$$});
my (undef, $walked, $caught) = $node->psql('postgres', $trap, on_error_stop => 0, extra_params => [ '-U', 'mallory' ]);
like($walked, qr/laid [5-9]\d\d.*walked/s, 'traps were laid, and the way past them gone to its end');
is(scalar(() = $caught =~ /caught/g), 1, 'they caught the bait and nothing else') or diag(substr($caught, 0, 4000));

# Staff is told all of it: the questions are the right ones.
my ($text, $known) = attack('keeper', undef, 'revrtm', @known);
my (undef, $absent) = attack('keeper', undef, 'revrtm', @absent);
like($text, $secret, 'staff sees the rival');
cmp_ok(scalar differing($known, $absent), '>', 30, 'and tells the accounts apart');

$node->stop;
done_testing();
