# Many registrations in one transaction, with hardly any room for locks.
#
# Rows of history carry their decision stamp and are loaded as they are; rows
# without one are judged and logged each. Neither takes locks by the row, and
# the constraint sees to all of them.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bulk_load');
$node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
$node->append_conf('postgresql.conf',
    "timezone = 'UTC'\nautovacuum = off\nmax_connections = 5\nmax_locks_per_transaction = 10\nmax_pred_locks_per_transaction = 10\nmax_wal_size = 1GB");
$node->start;
# CREATE EXTENSION itself locks every object that it makes.
$node->append_conf('postgresql.conf', 'max_locks_per_transaction = 1000');
$node->restart;
$node->safe_psql('postgres', 'CREATE EXTENSION revrtm CASCADE; CREATE TABLE made AS
    SELECT gen_random_uuid() AS registration_id, format(\'account %s\', i / 4) AS account_id, format(\'partner %s\', i % 100) AS partner_id,
        i % 4 AS quarter FROM generate_series(1, 20000) i');
$node->append_conf('postgresql.conf', 'max_locks_per_transaction = 10');
$node->restart;
is($node->safe_psql('postgres', 'SHOW max_locks_per_transaction'), 10, 'hardly any room for locks');

my $all = q{{[0,9223372036854775807)}};
my $history = qq{INSERT INTO revrtm.deal_registration (registration_id, account_id, partner_id, product_codes, region_codes, product, region, protection,
    status, active, submitted_at, decided_at, checked_at)
SELECT registration_id, account_id, partner_id, '{ANY}', '{ANY}', '$all', '$all', daterange('2020-01-01'::date + 90 * quarter, '2020-01-01'::date + 90 * quarter + 90),
    'approved', true, '2020-01-01', '2020-01-01', '2020-01-02' FROM made};
my $file = $node->backup_dir . '/history';

my $count = q{SELECT count(*), (SELECT count(*) FROM revrtm.registration_event e JOIN revrtm.deal_registration USING (registration_id)) FROM revrtm.deal_registration};

is($node->safe_psql('postgres', "BEGIN; $history; COMMIT; $count"), '20000|0', 'history, without events');
my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\nUPDATE made SET registration_id = gen_random_uuid(); $history");
like($err, qr/ERROR:  23P01/, 'not twice');
$node->safe_psql('postgres', "COPY revrtm.deal_registration TO '$file'");
for my $level ('READ COMMITTED', 'SERIALIZABLE')
{
    is($node->safe_psql('postgres', "TRUNCATE revrtm.deal_registration; BEGIN ISOLATION LEVEL $level; COPY revrtm.deal_registration FROM '$file'; COMMIT; $count"),
        '20000|0', "$level: by COPY");
    is($node->safe_psql('postgres', "TRUNCATE revrtm.deal_registration; BEGIN ISOLATION LEVEL $level;
        INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status)
        SELECT 'account ' || i, 'partner', '{ANY}', '{ANY}', 'approved' FROM generate_series(1, 4000) i; COMMIT; $count"),
        '4000|4000', "$level: judged and logged");
}

$node->stop;
done_testing();
