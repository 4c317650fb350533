# Six clients protect the same thirty accounts while the trees are reorganised.
#
# They insert, approve and withdraw overlapping registrations, one to three in
# a transaction, and one in some twenty moves a region or a product; for a few
# seconds at each isolation level. Afterwards no two protections overlap, as
# plain SQL finds that walks from parent to parent and knows no spans, and
# every scope is the one of its codes in the trees as they are. How much of
# everything was accepted and refused is counted, so that no test passes
# because nothing happened.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{RACE_SECONDS} || 3;

my $node = PostgreSQL::Test::Cluster->new('race');
$node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\njit = off\ndeadlock_timeout = '20ms'\nmax_pred_locks_per_transaction = 1000");
$node->start;

$node->safe_psql('postgres', q{
CREATE EXTENSION revrtm CASCADE;
ALTER TABLE revrtm.roe_rule DISABLE TRIGGER own_shipped_row;
UPDATE revrtm.roe_rule SET enabled = false;
INSERT INTO revrtm.region (region_id, parent_id)
SELECT 'r' || i, CASE WHEN i <= 3 THEN 'ANY' ELSE 'r' || i / 3 END FROM generate_series(1, 15) i;
INSERT INTO revrtm.product (product_id, parent_id)
SELECT 'p' || i, CASE WHEN i <= 2 THEN 'ANY' ELSE 'p' || i / 2 END FROM generate_series(1, 8) i;
CREATE TABLE outcome (level text DEFAULT current_setting('transaction_isolation'), action text, verdict text);

-- One step of a client. Of an error that is no verdict the client tries the
-- whole transaction again.
CREATE FUNCTION step() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    account text := 'hot ' || floor(random() * 30);
    action text := (ARRAY['insert', 'insert', 'insert', 'approve', 'withdraw'])[1 + floor(random() * 5)];
    verdict text := 'accepted';
    changed bigint;
BEGIN
    IF action = 'insert' THEN
        INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, status, protection)
        VALUES (account, 'p', ARRAY['p' || 1 + floor(random() * 8)], ARRAY['r' || 1 + floor(random() * 15)],
            CASE WHEN random() < 0.3 THEN 'submitted' ELSE 'approved' END, '[2026-01-01,2099-01-01)');
    ELSIF action = 'approve' THEN
        UPDATE revrtm.deal_registration SET status = 'approved' WHERE registration_id =
            (SELECT registration_id FROM revrtm.deal_registration d WHERE d.account_id = account AND status = 'submitted' LIMIT 1);
        GET DIAGNOSTICS changed = ROW_COUNT;
        verdict := CASE changed WHEN 1 THEN 'accepted' ELSE 'nothing' END;
    ELSE
        UPDATE revrtm.deal_registration SET status = 'withdrawn' WHERE registration_id =
            (SELECT registration_id FROM revrtm.deal_registration d WHERE d.account_id = account AND active LIMIT 1);
        GET DIAGNOSTICS changed = ROW_COUNT;
        verdict := CASE changed WHEN 1 THEN 'accepted' ELSE 'nothing' END;
    END IF;
    INSERT INTO outcome (action, verdict) VALUES (action, verdict);
EXCEPTION WHEN exclusion_violation THEN
    INSERT INTO outcome (action, verdict) VALUES (action, 'refused');
END
$$;
CREATE FUNCTION reorganise() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    policy text := (ARRAY['refuse', 'queue', 'queue'])[1 + floor(random() * 3)];
    queued bigint;
BEGIN
    IF random() < 0.7 THEN
        SELECT count(*) INTO queued FROM revrtm.move_region('r' || 1 + floor(random() * 15), coalesce('r' || nullif(floor(random() * 16), 0), 'ANY'), policy);
    ELSE
        SELECT count(*) INTO queued FROM revrtm.move_product('p' || 1 + floor(random() * 8), coalesce('p' || nullif(floor(random() * 9), 0), 'ANY'), policy);
    END IF;
    INSERT INTO outcome (action, verdict) VALUES ('move', CASE WHEN queued > 0 THEN 'queued' ELSE 'accepted' END);
EXCEPTION
    WHEN exclusion_violation THEN
        INSERT INTO outcome (action, verdict) VALUES ('move', 'refused');
    WHEN check_violation THEN
        INSERT INTO outcome (action, verdict) VALUES ('move', 'cycle');
END
$$;

-- What must not be: found without an index of ours, and without spans.
CREATE VIEW double AS
WITH RECURSIVE region AS (
    SELECT region_id AS code, region_id AS kin FROM revrtm.region
    UNION SELECT u.code, t.parent_id FROM region u JOIN revrtm.region t ON t.region_id = u.kin WHERE t.parent_id IS NOT NULL),
product AS (
    SELECT product_id AS code, product_id AS kin FROM revrtm.product
    UNION SELECT u.code, t.parent_id FROM product u JOIN revrtm.product t ON t.product_id = u.kin WHERE t.parent_id IS NOT NULL)
SELECT a.registration_id AS a, b.registration_id AS b
FROM revrtm.deal_registration a JOIN revrtm.deal_registration b
    ON a.account_id = b.account_id AND a.registration_id < b.registration_id AND a.protection && b.protection
WHERE a.status IN ('approved', 'extended', 'converted') AND b.status IN ('approved', 'extended', 'converted')
  AND EXISTS (SELECT FROM region r WHERE (r.code = ANY (a.region_codes) AND r.kin = ANY (b.region_codes)) OR (r.code = ANY (b.region_codes) AND r.kin = ANY (a.region_codes)))
  AND EXISTS (SELECT FROM product p WHERE (p.code = ANY (a.product_codes) AND p.kin = ANY (b.product_codes)) OR (p.code = ANY (b.product_codes) AND p.kin = ANY (a.product_codes)));
CREATE VIEW stale AS
SELECT d.registration_id FROM revrtm.deal_registration d
WHERE d.region <> (SELECT range_agg(r.span) FROM revrtm.region r WHERE r.region_id = ANY (d.region_codes))
   OR d.product <> (SELECT range_agg(p.span) FROM revrtm.product p WHERE p.product_id = ANY (d.product_codes));
CREATE VIEW crooked AS
SELECT c.region_id FROM revrtm.region c JOIN revrtm.region p ON p.region_id = c.parent_id WHERE NOT c.span <@ p.span OR c.span = p.span
UNION ALL SELECT c.product_id FROM revrtm.product c JOIN revrtm.product p ON p.product_id = c.parent_id WHERE NOT c.span <@ p.span OR c.span = p.span;
});

my $dir = PostgreSQL::Test::Utils::tempdir;
my $one = "$dir/one.sql";
my $three = "$dir/three.sql";
my $move = "$dir/move.sql";
append_to_file($one, "SELECT step();\n");
append_to_file($three, "BEGIN;\nSELECT step();\nSELECT step();\nSELECT step();\nCOMMIT;\n");
append_to_file($move, "BEGIN;\nSELECT reorganise();\nCOMMIT;\n");

for my $level ('read committed', 'repeatable read', 'serializable')
{
    local $ENV{PGOPTIONS} = "-c default_transaction_isolation=" . ($level =~ s/ /\\ /r);
    my ($out, $err);
    my $ok = IPC::Run::run(
        [ 'pgbench', '-n', '-c', '6', '-j', '2', '-T', $seconds, '--max-tries=0', '--failures-detailed', '-f', "$one\@20", '-f', "$three\@20", '-f', "$move\@2",
            '-h', $node->host, '-p', $node->port, 'postgres' ], '>', \$out, '2>', \$err);
    ok($ok, "$level: all clients came through") or diag($err);
    my ($retried) = $out =~ /number of transactions retried: (\d+)/;

    my %count = map { split /=/ } split /\n/, $node->safe_psql('postgres',
        qq{SELECT action || ' ' || verdict || '=' || count(*) FROM outcome WHERE level = '$level' GROUP BY action, verdict ORDER BY 1});
    note("$level: ", join(', ', map { "$_ $count{$_}" } sort keys %count), '; transactions retried: ', $retried // 0);
    my $total = sub { my ($pattern) = @_; my $n = 0; $n += $count{$_} for grep { /$pattern/ } keys %count; return $n };
    cmp_ok($total->('^(insert|approve) accepted'), '>=', 20, "$level: protections were accepted");
    cmp_ok($total->('^(insert|approve) refused'), '>=', 20, "$level: and refused");
    cmp_ok($total->('^withdraw accepted'), '>=', 5, "$level: and withdrawn");
    cmp_ok($total->('^move (accepted|queued)'), '>=', 3, "$level: nodes moved");

    my $check = 'SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; SELECT count(*) FROM ';
    is($node->safe_psql('postgres', $check . 'double'), 0, "$level: no two protections overlap");
    is($node->safe_psql('postgres', $check . 'stale'), 0, "$level: every scope is the one of its codes");
    is($node->safe_psql('postgres', $check . 'crooked'), 0, "$level: the trees nest");
    $node->safe_psql('postgres', q{DELETE FROM revrtm.deal_registration WHERE random() < 0.5});
}

# The check itself sees a double.
$node->safe_psql('postgres', q{
DELETE FROM revrtm.deal_registration;
ALTER TABLE revrtm.deal_registration DROP CONSTRAINT roe_protected, DISABLE TRIGGER USER;
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, product, region, protection, status, active, submitted_at, checked_at)
SELECT 'a', 'p', '{ANY}', codes, '{[0,1)}', '{[0,1)}', '[2026-01-01,2026-02-01)', 'approved', true, now(), now()
FROM unnest('{{r1},{r1}}'::text[][]) x(code), LATERAL (SELECT ARRAY[x.code]) y(codes)});
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM double), (SELECT count(*) FROM stale)'), '1|2', 'what must not be is seen where it is');

$node->stop;
done_testing();
