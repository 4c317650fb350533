# Bindings live through dump and restore.
#
# A database with a CRM and bindings over it is dumped as plain SQL, custom and
# directory archive, and restored, by a superuser and by an owner who is none;
# in each copy the views read what they read before.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use RevrtmDump;
use Test::More;

my $node = new_node('dump_binding');

# The tables sort after revrtm, and a function of the query after both.
my $crm = q{
CREATE EXTENSION revrtm CASCADE;
CREATE SCHEMA "zoo Crm";
SET search_path = "zoo Crm";
CREATE TABLE deal (id varchar(18) PRIMARY KEY, acc text, amt numeric(18,2), won boolean, at timestamptz, due date);
INSERT INTO deal SELECT g, 'a' || g % 7, g * 1.01, g % 2 = 0, '2026-01-01Z', '2026-02-01' FROM generate_series(1, 1000) g;
CREATE FUNCTION zone(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'zone ' || $1;
SELECT revrtm.bind('opportunity', $$
    SELECT id AS opportunity_id, acc AS account_id, amt AS amount, true AS is_closed, won AS is_won,
           at AS created_at, due AS close_date, "zoo Crm".zone(acc) AS region, 'it''s \ $1' AS stage
    FROM "zoo Crm".deal; -- all$$);
SELECT revrtm.bind('opportunity_stage', $$
    SELECT id AS opportunity_id, 'x'::text AS stage, max(at) OVER (PARTITION BY id) AS entered_at FROM "zoo Crm".deal$$);
SELECT revrtm.bind('account', $$SELECT 'gone' AS account_id, 'Gone' AS account_name$$);
SELECT revrtm.unbind('account');
};
# What must be the same before and after.
my $picture = q{
SELECT (SELECT md5(string_agg(o::text, '|' ORDER BY opportunity_id)) FROM revrtm.opportunity o),
       (SELECT count(*) FROM revrtm.opportunity_stage), (SELECT count(*) FROM revrtm.account),
       (SELECT string_agg(b::text, '|' ORDER BY relation) FROM revrtm.binding b),
       (SELECT string_agg(pg_get_functiondef(p.oid), '' ORDER BY p.oid::regprocedure::text) FROM pg_proc p
        WHERE p.pronamespace = 'revrtm'::regnamespace AND p.proname LIKE 'source%'),
       (SELECT count(*) FROM revrtm.binding_check() WHERE problem IS NOT NULL),
       (SELECT count(*) FROM pg_depend d WHERE d.refobjid = '"zoo Crm".deal'::regclass
          AND d.classid IN ('pg_proc'::regclass, 'pg_rewrite'::regclass))
};

for my $role (roles())
{
    my %as = params($role);
    my $source = "source_$role";
    create_database($node, $role, $source);
    $node->safe_psql($source, $crm, %as);
    my $before = $node->safe_psql($source, $picture, %as);
    like($before, qr/^[0-9a-f]{32}\|1000\|0\|.*\|0\|0$/s, "$role binds");

    for my $format (formats())
    {
        my $copy = dump_and_restore($node, $role, $source, $format);
        is($node->safe_psql($copy, $picture, %as), $before, "$role: the views of $format read as before");

        # And they are alive: the table may go and come, the binding change.
        is( $node->safe_psql($copy, q{
                DROP TABLE "zoo Crm".deal;
                CREATE TABLE "zoo Crm".deal (id int, acc varchar(5), amt float8, won boolean, at timestamptz, due date);
                INSERT INTO "zoo Crm".deal VALUES (1, 'b', 0.5, true, '2026-01-01Z', '2026-02-01');
                SELECT opportunity_id, account_id, amount, region FROM revrtm.opportunity;
                SELECT revrtm.unbind('opportunity');
                SELECT count(*) FROM revrtm.opportunity;
                SELECT revrtm.bind('opportunity', $$SELECT 'n'::text AS opportunity_id, 'b'::text AS account_id, 1::numeric AS amount,
                    true AS is_closed, true AS is_won, now() AS created_at, current_date AS close_date$$) IS NOT NULL;
                SELECT opportunity_id FROM revrtm.opportunity}, %as),
            "1|b|0.5|zone b\nt\n0\nt\nn", "$role: the binding of $format is alive");
    }
}

# The data alone, into a database that has the extension and the tables.
$node->safe_psql('postgres', 'CREATE DATABASE data_only TEMPLATE template0');
my $schema = $node->backup_dir . '/schema.sql';
my $data = $node->backup_dir . '/data.sql';
$node->command_ok([ 'pg_dump', '-s', '-f', $schema, 'source_superuser' ], 'schema alone');
$node->command_ok([ 'pg_dump', '-a', '-f', $data, 'source_superuser' ], 'data alone');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $schema, '-d', 'data_only' ], 'schema restored');
is($node->safe_psql('data_only', 'SELECT count(*) FROM revrtm.opportunity'), '0', 'not bound without data');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $data, '-d', 'data_only' ], 'data restored');
is($node->safe_psql('data_only', 'SELECT count(*) FROM revrtm.opportunity'), '1000', 'bound with the data');

$node->stop;
done_testing();
