# A standby that is promoted, and a subscriber, keep registrations: no double
# protection gets in on either, and the history is that of the origin, once.
#
# A subscriber applies rows as they are: in a session that replicates, the
# triggers of registrations do not fire, so that neither rules judge anew nor
# the log is written twice, for its entries come by themselves. The exclusion
# constraint is no trigger and holds, and the log is append-only there too. On
# its own account the subscriber judges and logs like any other database.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $settings = "timezone = 'UTC'\nautovacuum = off\nfsync = off\nmax_prepared_transactions = 4\nmax_connections = 20";
my $origin = PostgreSQL::Test::Cluster->new('origin');
$origin->init(allows_streaming => 'logical', extra => [ '--locale=C', '-E', 'UTF8' ]);
$origin->append_conf('postgresql.conf', $settings);
$origin->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical', extra => [ '--locale=C', '-E', 'UTF8' ]);
$subscriber->append_conf('postgresql.conf', $settings);
$subscriber->start;

# Of every state one; changed, moved to an own branch of the trees, deleted.
my $fill = q{
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('%1$s', 'ANY'), ('%1$s.a', '%1$s'), ('%1$s.b', '%1$s');
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('%1$s', 'ANY'), ('%1$s.a', '%1$s');
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, decision_reason, protection)
SELECT '%1$s ' || s.status, 'partner', '{%1$s.a}', '{%1$s.a}', s.status, 'so', '[2020-01-01,2099-01-01)' FROM revrtm.registration_state s;
SELECT count(*) FROM revrtm.deal_registration d, LATERAL revrtm.extend_registration(d.registration_id) r WHERE d.account_id IN ('%1$s approved', '%1$s extended');
SELECT count(*) FROM revrtm.deal_registration d, LATERAL revrtm.revoke_registration(d.registration_id, 'no') r WHERE d.account_id = '%1$s converted';
UPDATE revrtm.deal_registration SET details = '{"more": 1}' WHERE account_id = '%1$s approved';
DELETE FROM revrtm.deal_registration WHERE account_id = '%1$s won';
};
my $picture = q{
SELECT 'registration', d::text FROM revrtm.deal_registration d UNION ALL SELECT 'event', e::text FROM revrtm.registration_event e
UNION ALL SELECT 'region', r::text FROM revrtm.region r UNION ALL SELECT 'product', p::text FROM revrtm.product p ORDER BY 1, 2};
my $double = q{INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('%s approved', 'rival', '{ANY}', '{%s}', 'approved')};
my $history = q{SELECT count(*), count(DISTINCT (registration_id, revision)), max(revision) FROM revrtm.registration_event WHERE account_id = '%s approved'};

# A statement fails with the SQLSTATE.
sub fails
{
    my ($node, $statement, $state, $name) = @_;
    my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$statement");
    like($err, qr/ERROR:  $state$/m, $name);
}

# The same questions of each copy.
sub guarded
{
    my ($node, $name) = @_;
    fails($node, sprintf($double, 'early', 'early.a'), '23P01', "$name: a double protection is refused");
    fails($node, "SET session_replication_role = replica; INSERT INTO revrtm.deal_registration SELECT (json_populate_record(d, json_build_object('registration_id', gen_random_uuid(), 'partner_id', 'rival'))).* FROM revrtm.deal_registration d WHERE account_id = 'early approved'",
        '23P01', "$name: where triggers sleep as well");
    fails($node, "SET session_replication_role = replica; DELETE FROM revrtm.registration_event", '23514', "$name: the log is append-only where triggers sleep");
    fails($node, "UPDATE revrtm.deal_registration SET status = 'approved' WHERE account_id = 'early rejected'", '23514', "$name: an impossible change is refused");
    is($node->safe_psql('postgres', sprintf($history, 'early')), '3|3|3', "$name: the history stands there once");
}

$origin->safe_psql('postgres', 'CREATE EXTENSION revrtm CASCADE');
$origin->safe_psql('postgres', sprintf($fill, 'early'));
$origin->safe_psql('postgres', q{
CREATE PUBLICATION registrations FOR TABLE revrtm.deal_registration, revrtm.registration_event;
CREATE PUBLICATION trees FOR TABLE revrtm.region WHERE (NOT shipped), revrtm.product WHERE (NOT shipped)});

# The subscriber copies what there is, then follows.
$subscriber->safe_psql('postgres', 'CREATE EXTENSION revrtm CASCADE');
my $connection = $origin->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION follower CONNECTION '$connection' PUBLICATION registrations, trees");

# The standby starts from a backup made meanwhile.
$origin->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($origin, 'base', has_streaming => 1);
$standby->start;

$subscriber->wait_for_subscription_sync($origin, 'follower');
my $first = $origin->safe_psql('postgres', $picture);
is((() = $first =~ /^registration/mg), 13, 'registrations of every state');
is($subscriber->safe_psql('postgres', $picture), $first, 'the subscriber has what there was');

# What happens on, a prepared transaction and a subtransaction among it.
$origin->safe_psql('postgres', sprintf($fill, 'late'));
$origin->safe_psql('postgres', q{
BEGIN;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('prepared', 'partner', '{ANY}', '{ANY}', 'approved');
SAVEPOINT s;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('undone', 'partner', '{ANY}', '{ANY}', 'approved');
ROLLBACK TO s;
PREPARE TRANSACTION 'kept'});
$origin->safe_psql('postgres', q{BEGIN;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('open', 'partner', '{ANY}', '{ANY}', 'approved');
PREPARE TRANSACTION 'open'});
$origin->safe_psql('postgres', q{COMMIT PREPARED 'kept'});
$origin->wait_for_catchup('follower');
$origin->wait_for_catchup($standby);
my $second = $origin->safe_psql('postgres', $picture);
isnt($second, $first, 'more happened');
is($subscriber->safe_psql('postgres', $picture), $second, 'the subscriber follows');
is($standby->safe_psql('postgres', $picture), $second, 'and the standby');
like($second, qr/^event\|.*won,,/m, 'a deletion is in the history');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM revrtm.find_protection('early approved', '{[0,9223372036854775807)}', '{[0,9223372036854775807)}', '[2026-01-01,2027-01-01)')}),
    1, 'the standby answers who protects');

# The subscriber on its own: guarded; and a row of its own in the way of one
# that arrives holds the apply up, instead of both standing there.
guarded($subscriber, 'subscriber');
is($subscriber->safe_psql('postgres', q{
        INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('contested', 'here', '{ANY}', '{ANY}', 'approved');
        SELECT count(*) FROM revrtm.registration_event WHERE account_id = 'contested'}), 1, 'its own changes are logged');
my $offset = -s $subscriber->logfile;
$origin->safe_psql('postgres', q{INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('contested', 'there', '{ANY}', '{ANY}', 'approved')});
$subscriber->wait_for_log(qr/conflicting key value violates exclusion constraint "roe_protected"/, $offset);
is($subscriber->safe_psql('postgres', q{SELECT string_agg(partner_id, ',') FROM revrtm.deal_registration WHERE account_id = 'contested' AND active}), 'here', 'one of two protects');
$subscriber->safe_psql('postgres', q{UPDATE revrtm.deal_registration SET status = 'withdrawn' WHERE account_id = 'contested' AND partner_id = 'here'});
$origin->wait_for_catchup('follower');
is($subscriber->safe_psql('postgres', q{SELECT string_agg(partner_id, ',') FROM revrtm.deal_registration WHERE account_id = 'contested' AND active}), 'there',
    'once it is withdrawn, the other arrives');

# The origin is lost, the standby takes over: with what was prepared.
$origin->wait_for_catchup($standby);
my $last = $origin->safe_psql('postgres', $picture);
$origin->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', $picture), $last, 'the promoted standby has all of it');
guarded($standby, 'standby');
fails($standby, q{SET lock_timeout = '200ms'; INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('open', 'rival', '{ANY}', '{ANY}', 'approved')},
    '55P03', 'what is prepared is waited for');
$standby->safe_psql('postgres', q{COMMIT PREPARED 'open'});
fails($standby, q{INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status) VALUES ('open', 'rival', '{ANY}', '{ANY}', 'approved')},
    '23P01', 'and protects once it is committed');
is($standby->safe_psql('postgres', q{
        UPDATE revrtm.deal_registration SET details = '{"more": 2}' WHERE account_id = 'late approved' RETURNING revision;
        INSERT INTO revrtm.region (region_id, parent_id) VALUES ('new', 'late.a');
        SELECT n.span <@ p.span AND n.span <> p.span FROM revrtm.region n, revrtm.region p WHERE n.region_id = 'new' AND p.region_id = 'late'}),
    "4\nt", 'the log and the trees go on where they were');
is($standby->safe_psql('postgres', sprintf($history, 'late')), '4|4|4', 'without a gap');

$standby->stop;
$subscriber->stop;
done_testing();
