# Backends and the postmaster are killed under concurrent writers.
#
# The writers register, approve, extend and withdraw, and write down what the
# server has confirmed. After every kill nothing that was confirmed is lost, no
# two protections overlap, the B-trees pass amcheck, the index of the
# constraint finds what a sequential scan finds, and the event log tells how
# every registration became what it is. (Killed processes lose what they have
# not handed to the kernel; fsync, which is off here, is for a lost kernel.)

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = 20;
my $writers = 4;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off\nlog_min_messages = fatal\nlog_statement = none\n"
      . "restart_after_crash = on\nmax_wal_size = 64MB");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION revrtm CASCADE;
CREATE EXTENSION amcheck;
INSERT INTO revrtm.region (region_id, parent_id) SELECT 'R' || i, 'ANY' FROM generate_series(1, 3) i;
-- The same partners and accounts again and again.
UPDATE revrtm.roe_rule SET enabled = false WHERE rule = 'duplicate';
});

# One step of a writer: something of what may happen, on one of 12 accounts.
# A statement of its own, so what it tells is told once that is committed.
$node->safe_psql('postgres', q{
CREATE FUNCTION work(step int, act int, partner text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    account text := 'a' || step % 12;
    d record;
BEGIN
    SELECT * INTO d FROM revrtm.deal_registration WHERE account_id = account AND status = ANY (CASE act WHEN 0 THEN '{submitted}' WHEN 1 THEN '{approved,extended}'
        ELSE '{submitted,approved,extended}' END::text[]) ORDER BY submitted_at DESC, registration_id LIMIT 1;
    IF d IS NULL OR act = 3 THEN
        SELECT registration_id INTO d FROM revrtm.register_deal(account, partner, '{ANY}', ARRAY['R' || 1 + step % 3]);
    ELSIF act = 0 THEN
        PERFORM revrtm.approve_registration(d.registration_id);
    ELSIF act = 1 THEN
        PERFORM revrtm.extend_registration(d.registration_id, 3);
    ELSE
        PERFORM revrtm.withdraw_registration(d.registration_id);
    END IF;
    RETURN (SELECT registration_id || '|' || status || '|' || revision FROM revrtm.deal_registration r WHERE r.registration_id = d.registration_id);
END $$;
});

# The writers are psql with a script of 5000 steps, which none comes to end.
sub start_writers
{
    my ($round) = @_;
    return map {
        my $writer = $_;
        my $file = $node->backup_dir . "/writer_$writer";
        open my $script, '>', $file or die;
        printf $script "SELECT work(%d, %d, 'p%d');\n", ($round * 7919 + $writer * 104729 + $_ * 31) % 1000, ($_ * 7 + int($_ / 3) + $writer) % 4, $writer for 1 .. 5000;
        close $script;
        my %run = (out => '', err => '');
        $run{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $file ], '>', \$run{out}, '2>', \$run{err});
        \%run
    } 1 .. $writers;
}

my $pairs = q{
SELECT count(*) FROM revrtm.deal_registration a JOIN revrtm.deal_registration b
  ON a.registration_id < b.registration_id AND a.account_id = b.account_id AND a.region && b.region AND a.product && b.product AND a.protection && b.protection
WHERE a.status IN ('approved', 'extended', 'converted') AND a.exclusive AND b.status IN ('approved', 'extended', 'converted') AND b.exclusive};

my $btrees = q{
SELECT count(*) FROM (
    SELECT bt_index_parent_check(i.indexrelid, true, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
    WHERE m.amname = 'btree' AND i.indrelid IN ('revrtm.deal_registration'::regclass, 'revrtm.registration_event'::regclass, 'revrtm.region'::regclass) OFFSET 0) x};

# Every row that protects, found by the index of the constraint, and by none.
my $scan = q{
SELECT md5(string_agg(f::text, '|' ORDER BY f::text)) FROM (
    SELECT d.registration_id, k.account FROM (SELECT 'a' || i AS account FROM generate_series(0, 11) i) k, LATERAL (SELECT * FROM revrtm.deal_registration d
    WHERE d.account_id = k.account AND d.region && '{[0,9223372036854775806)}' AND d.product && '{[0,9223372036854775806)}' AND d.protection && '[2000-01-01,2999-01-01)'
      AND d.active AND d.exclusive OFFSET 0) d) f};

# The log has every revision, ends in the row's state, and goes from state to
# state as it should.
my $history = q{
SET client_min_messages = error;
SELECT count(*) FROM revrtm.deal_registration d
FULL JOIN (SELECT registration_id, count(*) AS entries, max(revision) AS last, (array_agg(to_status ORDER BY revision DESC))[1] AS status,
        bool_and(chained) AS chained
    FROM (SELECT e.*, from_status IS NOT DISTINCT FROM lag(to_status) OVER (PARTITION BY registration_id ORDER BY revision) AS chained FROM revrtm.registration_event e) e
    GROUP BY registration_id) e USING (registration_id)
WHERE d.revision IS DISTINCT FROM e.last OR e.last IS DISTINCT FROM e.entries OR d.status IS DISTINCT FROM e.status OR e.chained IS NOT TRUE};

# What the server confirmed: of each registration the highest revision.
my %confirmed;
my $acknowledged = 0;
my (%bad) = map { $_ => 0 } qw(lost double history gist);
my $killed_backends = 0;
my $killed_postmasters = 0;
my $like_index = 0;

for my $round (1 .. $rounds)
{
    my @writer = start_writers($round);
    usleep(150_000 + 37_000 * ($round % 7));
    if ($round % 2)
    {
        my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1});
        $killed_backends += kill 'KILL', $pid if $pid;
    }
    else
    {
        my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /\A(\d+)/;
        $node->kill9;
        $killed_postmasters++;
        # Until its parent has noticed, it counts as running.
        for (1 .. 200)
        {
            last if !kill 0, $pid;
            usleep(50_000);
        }
    }
    $_->{run}->finish for @writer;
    # The last orphan may still hold the shared memory.
    if ($round % 2 == 0)
    {
        my $tries = 0;
        usleep(100_000) while !$node->start(fail_ok => 1) && ++$tries < 50;
    }
    $node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';

    for (map { split /\n/, $_->{out} } @writer)
    {
        next if !/^([0-9a-f-]{36})\|(\w+)\|(\d+)$/;
        $acknowledged++;
        $confirmed{$1} = $3 if $3 > ($confirmed{$1} // 0);
    }
    my %there = map { split /\|/ } split /\n/, $node->safe_psql('postgres', 'SELECT registration_id, revision FROM revrtm.deal_registration');
    $bad{lost} += grep { ($there{$_} // 0) < $confirmed{$_} } keys %confirmed;
    my ($double, $history_wrong, $seq, $btree) = split /\n/, $node->safe_psql('postgres', "$pairs; $history; SET enable_indexscan = off; SET enable_bitmapscan = off; $scan; $btrees");
    $bad{double} += $double;
    $bad{history} += $history_wrong;
    my ($plan, $gist);
    ($plan, $gist) = $node->safe_psql('postgres', q{BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
        DROP INDEX revrtm.deal_registration_live, revrtm.deal_registration_partner; EXPLAIN (COSTS OFF) } . "$scan; $scan; ROLLBACK") =~ /\A(.*)\n(.*)\z/s;
    $like_index++ if $plan =~ /Index Scan using roe_protected/;
    $bad{gist}++ if $gist ne $seq;
    cmp_ok($btree, '>=', 5, "round $round: the B-trees are sound") or last;
}

cmp_ok($killed_backends, '>=', 9, 'backends were killed');
cmp_ok($killed_postmasters, '>=', 10, 'and postmasters');
cmp_ok($acknowledged, '>', 1000, 'while writers wrote');
is($like_index, $rounds, 'the index of the constraint was read');
is($bad{lost}, 0, 'nothing confirmed is lost');
is($bad{double}, 0, 'no two protections overlap');
is($bad{history}, 0, 'the log tells how each became what it is');
is($bad{gist}, 0, 'the index of the constraint finds what a sequential scan finds');
my $states = $node->safe_psql('postgres', q{SELECT string_agg(status || ' ' || n, ', ' ORDER BY status) FROM (SELECT to_status AS status, count(*) AS n FROM revrtm.registration_event GROUP BY to_status) s});
diag "$acknowledged confirmed, $killed_backends backends and $killed_postmasters postmasters killed; logged: $states";
for my $status (qw(submitted approved extended withdrawn))
{
    like($states, qr/$status/, "some became $status");
}

$node->stop;
done_testing();
