# Everything that users keep lives through dump and restore.
#
# A database with the demo, registrations in every status, trees, edited and
# own rows beside shipped ones, and budget lines is dumped as plain SQL, custom
# and directory archive, and restored, by a superuser and by an owner who is
# none. In each copy every table that users fill reads as before, the caches
# are empty and come back, and the guards are awake.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use RevrtmDump;
use Test::More;

my $node = new_node('dump_restore');

my $fill = q{
SET client_min_messages = warning;
SET revrtm.as_of = '2026-07-01';
CREATE EXTENSION revrtm CASCADE;
SELECT revrtm.load_demo(200, 1);
CREATE SCHEMA own;
CREATE TABLE own.stage (id text, stage text, at timestamptz);
INSERT INTO own.stage SELECT id, 'won', '2026-01-01Z' FROM revrtm_demo.opportunity WHERE is_won;
SELECT revrtm.bind('opportunity_stage', 'SELECT id AS opportunity_id, stage, at AS entered_at FROM own.stage');
SELECT revrtm.unbind('product_line');

-- Trees: a child that sorts before its parent, and names of the roots.
INSERT INTO revrtm.region (region_id, parent_id, region_name) VALUES ('zz', 'emea', 'Last'), ('aa', 'zz', 'First'), ('AA', 'aa', NULL);
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('zz', 'platform'), ('0', 'zz'), ('00', '0');
DELETE FROM revrtm.region WHERE region_id = 'AA';
UPDATE revrtm.region SET region_name = 'The world' WHERE region_id = 'ANY';

-- Registrations: the demo's, and one more of every status.
DO $$
DECLARE
    id uuid;
    n int;
BEGIN
    FOR n IN 1 .. 7 LOOP
        SELECT r.registration_id INTO id FROM revrtm.register_deal('account ' || n, 'partner ' || n, ARRAY['zz', 'security'], ARRAY['aa', 'US'],
            n * 1.10, 'EUR', '2026-09-30', '[1, "é"]', '{"own": "field"}', n <> 7) r;
        IF n NOT IN (1, 4) THEN
            PERFORM revrtm.approve_registration(id, daterange('2026-06-01', CASE WHEN n < 6 THEN date '2026-08-01' + n END), 'good');
        END IF;
        IF n = 3 THEN PERFORM revrtm.withdraw_registration(id);
        ELSIF n = 4 THEN PERFORM revrtm.reject_registration(id, 'bad');
        ELSIF n = 5 THEN UPDATE revrtm.deal_registration SET status = 'expired' WHERE registration_id = id;
        END IF;
    END LOOP;
    PERFORM revrtm.register_deal('account 2', 'partner 1', ARRAY['0'], ARRAY['emea'], evidence => '{}');
    PERFORM revrtm.register_deal('account 7', 'partner 1', ARRAY['ANY'], ARRAY['ANY']);
END
$$;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, decision_reason, opportunity_id)
SELECT 'state ' || s.status, 'partner 1', ARRAY['zz'], ARRAY['aa'], s.status, 'so', 'deal' FROM revrtm.registration_state s;
UPDATE revrtm.deal_registration SET amount = 1.50, details = '{"é": [1, null]}' WHERE account_id = 'state approved';
UPDATE revrtm.registration_state SET editable_fields = '{amount}' WHERE status = 'in_review';
INSERT INTO revrtm.registration_transition (from_status, to_status, actors) VALUES ('won', 'lost', '{staff}'), ('submitted', 'rejected', '{}');
UPDATE revrtm.roe_rule SET parameters = '{"verdict": "review"}' WHERE rule = 'duplicate';
INSERT INTO revrtm.roe_rule (rule, kind, parameters, enabled) VALUES ('own', 'min_amount', '{"minimum": {"EUR": 0.10}}', false);
INSERT INTO revrtm.partner_login VALUES ('acme_login', 'partner 1'), ('a "quoted" role', 'partner 2');
INSERT INTO revrtm.partner_proxy VALUES ('portal');

-- Shipped rows edited, replaced and as they were, and rows of one's own.
UPDATE revrtm.attribution_model SET parameters = '{"first": 0.5, "LC": 0.3, "middle": 0.2}' WHERE model = 'u_lead';
UPDATE revrtm.attribution_model SET enabled = false WHERE model = 'j_shaped';
INSERT INTO revrtm.attribution_model (model, kind, parameters) VALUES
    ('first_touch', 'linear', '{}'), ('own', 'time_decay', '{"half_life": "3 days"}');
INSERT INTO revrtm.route (route_id, kind, parent_id, default_margin) VALUES ('oem', 'resell', 'direct', 0.25), ('aa', 'resell', 'zz', 1), ('zz', 'direct', NULL, 1);
UPDATE revrtm.route SET default_margin = 0.8 WHERE route_id = 'direct';
UPDATE revrtm.route SET active = false WHERE route_id = 'marketplace';
INSERT INTO revrtm.currency (currency, scale) VALUES ('HUF', 0), ('JPY', 2);
UPDATE revrtm.currency SET scale = 2 WHERE currency = 'ISK';
UPDATE revrtm.calendar SET windows = '{Mon-Thu 08:30-16:30}' WHERE calendar = 'default';
INSERT INTO revrtm.calendar (calendar, timezone, windows) VALUES ('own', 'Australia/Lord_Howe', '{Sun-Thu 09:00-12:00,Sat 00:00-24:00}');
INSERT INTO revrtm.calendar_holiday VALUES ('default', '2026-12-25', 'Christmas'), ('own', '2026-04-03', NULL);
UPDATE revrtm.programme SET timezone = 'Asia/Tokyo', calendar = 'own', protection_days = 60;
INSERT INTO revrtm.channel_map VALUES ('own channel', 'oem', 'own');
INSERT INTO revrtm.budget_line (line, route_id, category, curve, lo, hi) VALUES
    ('own', 'oem', 'own', 'hill(0,90000,40000,0.9)', 0, 50000.005), ('without', 'zz', 'own', NULL, NULL, NULL);
UPDATE revrtm.budget_line SET curve = 'log(-7,0.1)', lo = 0.01 WHERE line = 'direct/content';
};

# The rows of every table that is dumped, as one text a table.
my $tables = q{
SELECT c.oid::regclass FROM pg_class c, pg_extension e
WHERE e.extname = 'revrtm' AND c.oid = ANY (e.extconfig) ORDER BY c.relname COLLATE "C"
};
my $rows = q{SELECT count(*) || E'\n' || string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM %s t};

# What reports read: the store without its order, and the council.
my $refresh = q{SELECT mode, inserted, updated, deleted FROM revrtm.refresh_journeys()};
my $reports = q{
SET revrtm.as_of = '2026-07-01';
SELECT md5(string_agg(d::text, E'\n' ORDER BY d::text COLLATE "C")) FROM revrtm.deal_journey d;
SELECT revrtm.council_pack()};

# Owned by neither the installer nor, in C, a superuser (aggregates are C).
my $strays = q{
SELECT count(*) FROM pg_depend d
JOIN (SELECT 'pg_proc'::regclass AS catalog, p.oid, p.proowner AS owner, l.lanname IN ('c', 'internal') AS is_c
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
      UNION ALL SELECT 'pg_class'::regclass, c.oid, c.relowner, false FROM pg_class c
      UNION ALL SELECT 'pg_namespace'::regclass, n.oid, n.nspowner, false FROM pg_namespace n) o
  ON o.catalog = d.classid AND o.oid = d.objid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
JOIN pg_roles r ON r.oid = o.owner
WHERE e.extname = 'revrtm' AND CASE WHEN is_c THEN NOT r.rolsuper ELSE o.owner <> e.extowner END};

# All that there is in the catalogs.
my $catalogs = join ' UNION ALL ', map { "SELECT '$_', count(*) FROM $_" }
    qw(pg_class pg_attribute pg_proc pg_aggregate pg_type pg_operator pg_opclass pg_opfamily pg_amop pg_amproc
    pg_namespace pg_constraint pg_trigger pg_policy pg_rewrite pg_depend pg_description pg_init_privs
    pg_default_acl pg_extension pg_cast pg_event_trigger pg_shdepend);

# A statement fails with the SQLSTATE.
sub fails
{
    my ($database, $role, $statement, $state, $name) = @_;
    my ($status, $out, $err) = $node->psql($database, "\\set VERBOSITY sqlstate\n$statement", params($role));
    like($err, qr/ERROR:  $state$/m, $name);
}

for my $role (roles())
{
    my %as = params($role);
    my $source = "source_$role";
    create_database($node, $role, $source);
    $node->safe_psql($source, $fill, %as);
    my @tables = split /\n/, $node->safe_psql($source, $tables, %as);
    cmp_ok(scalar @tables, '>=', 10, 'tables that are dumped');
    my %before = map { $_ => $node->safe_psql($source, sprintf($rows, $_), %as) } @tables;
    is((grep { !/\n/ } values %before), 0, 'all of them have rows');
    is($node->safe_psql($source, 'SELECT count(DISTINCT status) FROM revrtm.deal_registration', %as), 14,
        'registrations in every status');
    is($node->safe_psql($source, $strays, %as), 0, "what $role made belongs to whom it should");
    my $refreshed = $node->safe_psql($source, $refresh, %as);
    like($refreshed, qr/^full\|1\d\d\|0\|0$/, 'journeys');
    my $reported = $node->safe_psql($source, $reports, %as);

    for my $format (formats())
    {
        my $copy = dump_and_restore($node, $role, $source, $format);
        is($node->safe_psql($copy, $tables, %as), join("\n", @tables), "$copy: the same tables");
        is($node->safe_psql($copy, sprintf($rows, $_), %as), $before{$_}, "$copy: $_") for @tables;
        is($node->safe_psql($copy, $strays, %as), 0, "$copy: belongs to whom it should");

        is($node->safe_psql($copy, 'SELECT (SELECT count(*) FROM revrtm.deal_journey) + (SELECT count(*) FROM revrtm.journey_refresh)', %as),
            0, "$copy: the caches are empty");
        is($node->safe_psql($copy, $refresh, %as), $refreshed, "$copy: refreshed as at first");
        is($node->safe_psql($copy, $reports, %as), $reported, "$copy: the same journeys, the same council");

        # account 2 is protected by partner 2.
        fails($copy, $role, q{SELECT revrtm.approve_registration(d.registration_id, '[2026-07-01,2026-07-02)')
            FROM revrtm.deal_registration d WHERE account_id = 'account 2' AND status = 'submitted'},
            '23P01', "$copy: an overlapping approval is refused");
        fails($copy, $role, q{INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
            VALUES ('account 2', 'x', '{00}', '{aa}', 'approved', '[2026-07-01,2026-07-02)')},
            '23P01', "$copy: and inserting one");
        fails($copy, $role, q{UPDATE revrtm.deal_registration SET status = 'approved' WHERE status = 'rejected'},
            '23514', "$copy: an impossible change is refused");
        fails($copy, $role, q{TRUNCATE revrtm.registration_event},
            '23514', "$copy: the log is append-only");
        is($node->safe_psql($copy, q{
                UPDATE revrtm.deal_registration SET amount = 2 WHERE account_id = 'state approved' RETURNING revision;
                SELECT count(*), max(revision) FROM revrtm.registration_event WHERE account_id = 'state approved'}, %as),
            "3\n3|3", "$copy: the log goes on where it was");
        fails($copy, $role, q{UPDATE revrtm.region SET span = '[5,6)' WHERE region_id = 'aa'},
            '0A000', "$copy: spans are kept");
        is($node->safe_psql($copy, q{
                INSERT INTO revrtm.region (region_id, parent_id) VALUES ('new', 'aa');
                SELECT c.span <@ p.span FROM revrtm.region c, revrtm.region p WHERE c.region_id = 'new' AND p.region_id = 'zz';
                UPDATE revrtm.route SET active = false WHERE route_id = 'resell' RETURNING shipped}, %as),
            "t\nf", "$copy: trees grow, edits are marked");

        # And again: a dump of the copy is as good.
        next if $format ne 'custom';
        $node->safe_psql($copy, 'DROP EXTENSION revrtm', %as);
        is($node->safe_psql($copy, q{SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'revrtm'), (SELECT count(*) > 0 FROM revrtm_demo.task)}, %as),
            '0|t', "$copy: dropped, and the CRM is there");
    }

    # The extension comes and goes.
    my $fresh = "fresh_$role";
    create_database($node, $role, $fresh);
    $node->safe_psql($fresh, 'CREATE EXTENSION btree_gist; CREATE TABLE t (id text, s text, at timestamptz)', %as);
    my $empty = $node->safe_psql($fresh, $catalogs, %as);
    $node->safe_psql($fresh, q{
        CREATE EXTENSION revrtm;
        SELECT revrtm.bind('opportunity_stage', 'SELECT id AS opportunity_id, s AS stage, at AS entered_at FROM public.t');
        SELECT revrtm.grant_partner('pg_read_all_settings'), revrtm.grant_staff('pg_monitor');
        SELECT revrtm.register_deal('a', 'b', '{ANY}', '{ANY}');
        SELECT revrtm.refresh_journeys();
        DROP EXTENSION revrtm}, %as);
    is($node->safe_psql($fresh, $catalogs, %as), $empty, "$role: nothing stays behind");
}

$node->stop;
done_testing();
