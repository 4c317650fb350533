# The SQL of README.md and doc/*.md runs.
#
# Every ```sql block is executed, the blocks of a page in order, in one session
# on a database of the page's own: with the extension and, where there is
# load_demo, the demo of 2000 deals; or empty, when the page itself has CREATE
# EXTENSION revrtm. A block marked ```sql error must fail, with the SQLSTATE
# that may follow, as in ```sql error 22023. An ```output block right behind, or
# after a line **Answer.**, is what psql prints of it, without footers and spaces
# at the ends of lines.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The blocks of a page: where each starts, what it says of errors, its SQL.
sub blocks
{
    my ($text) = @_;
    my @blocks;
    while ($text =~ /^```sql[ \t]*(error)?[ \t]*([0-9A-Z]{5})?[ \t]*\n(.*?)^```[ \t]*$
                     (?:\s*(?:^\*\*Answer\.\*\*[^\n]*\s*)?^```output[ \t]*\n(.*?)^```[ \t]*$)?/msgx)
    {
        my ($error, $sqlstate, $sql, $output) = ($1, $2, $3, $4);
        my $line = 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
        push @blocks, { line => $line, error => $error, sqlstate => $sqlstate, sql => $sql,
            output => $output };
    }
    return @blocks;
}

# Runs the blocks in one session; returns what each wrote to standard error and
# to standard output, two lists. A marker on both stands before each block and
# after the last.
sub run_blocks
{
    my ($node, $database, @blocks) = @_;
    my $script = "\\set VERBOSITY verbose\n"
        . "\\pset format aligned\n\\pset tuples_only off\n\\pset footer off\n";
    my $marker = "\\warn \@\@block\n\\echo \@\@block\n";
    $script .= "$marker$_->{sql}\n;\n" for @blocks;
    $script .= $marker;
    my ($stdout, $stderr) = ('', '');
    $node->psql($database, $script, stdout => \$stdout, stderr => \$stderr,
        on_error_stop => 0);
    my (undef, @said) = split /^\@\@block$/m, $stderr, -1;
    my (undef, @printed) = split /^\@\@block$/m, $stdout, -1;
    return (\@said, \@printed);
}

# Lines without what does not show: spaces at their ends, and empty ones.
sub lines
{
    return join "\n", grep { length } map { s/\s+$//r } split /\n/, $_[0] // '';
}

my $node = PostgreSQL::Test::Cluster->new('doc');
$node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 10\ntimezone = 'UTC'");
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE with_demo');
$node->safe_psql('with_demo', 'CREATE EXTENSION revrtm CASCADE');
my $demo = $node->safe_psql('with_demo',
    q{SELECT pg_catalog.to_regprocedure('revrtm.load_demo(integer,integer)') IS NOT NULL});
$node->safe_psql('with_demo', 'SELECT revrtm.load_demo(2000, 1)') if $demo eq 't';

my $tests = 0;
for my $page (grep { -e } 'README.md', sort glob 'doc/*.md')
{
    my @blocks = blocks(slurp_file($page));
    next if !@blocks;

    my $own = grep { $_->{sql} =~ /^\s*CREATE EXTENSION revrtm\b/im } @blocks;
    my $template = $own ? 'template0' : 'with_demo';
    $node->safe_psql('postgres', "CREATE DATABASE page TEMPLATE $template");
    my ($stderr, $stdout) = run_blocks($node, 'page', @blocks);

    for my $i (0 .. $#blocks)
    {
        my $block = $blocks[$i];
        my $name = "$page line $block->{line}";
        my $said = $stderr->[$i];
        my @errors = ($said // '') =~ /^psql:\S*: (?:ERROR|FATAL|PANIC|error): +(.*)/mg;
        my $ended = defined $stderr->[ $i + 1 ];
        my $ok;
        if ($block->{error})
        {
            my $state = $block->{sqlstate} // '';
            $name .= " fails" . ($state && " with $state");
            $ok = $ended && @errors && !grep { !/^$state/ } @errors;
        }
        else
        {
            $ok = $ended && !@errors;
        }
        ok($ok, $name) or diag($said // 'the session had ended before');
        $tests++;
        is(lines($stdout->[$i]), lines($block->{output}), "$page line $block->{line} prints")
            if defined $block->{output};
    }

    # Roles that a page made would be in the way of the next.
    $node->safe_psql('postgres', 'DROP DATABASE page WITH (FORCE)');
    $node->safe_psql('postgres',
        q{SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE oid >= 16384 \gexec});
}
cmp_ok($tests, '>', 0, 'the pages have SQL blocks');

$node->stop;
done_testing();
