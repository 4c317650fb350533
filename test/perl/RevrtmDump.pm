# Dump and restore in every format, by a superuser and by an owner who is none.

package RevrtmDump;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT = qw(new_node roles formats as params create_database dump_and_restore);

# How a format is dumped, and the command that restores FILE into DATABASE.
my %format = (
    plain     => [ [ '-Fp' ], sub { [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $_[0], '-d', $_[1] ] } ],
    custom    => [ [ '-Fc' ], sub { [ 'pg_restore', '--exit-on-error', '-d', $_[1], $_[0] ] } ],
    directory => [ [ '-Fd', '-j2' ], sub { [ 'pg_restore', '--exit-on-error', '-j2', '-d', $_[1], $_[0] ] } ]);

sub formats { return sort keys %format }

# installer may create databases, and with that trusted extensions.
sub roles { return ('installer', 'superuser') }

# A running server that has the role installer.
sub new_node
{
    my ($name) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
    $node->append_conf('postgresql.conf', "timezone = 'UTC'");
    $node->start;
    $node->safe_psql('postgres', 'CREATE ROLE installer LOGIN CREATEDB');
    return $node;
}

# What makes a program act as the role; and safe_psql and psql.
sub as { return $_[0] eq 'installer' ? ('-U', 'installer') : () }
sub params { return $_[0] eq 'installer' ? (extra_params => [ '-U', 'installer' ]) : () }

sub create_database
{
    my ($node, $role, $name) = @_;
    $node->command_ok([ 'createdb', as($role), '-T', 'template0', $name ], "$role creates $name");
}

# Dumps SOURCE in the format and restores it into a new database, whose name
# it returns.
sub dump_and_restore
{
    my ($node, $role, $source, $format) = @_;
    my ($options, $restore) = @{ $format{$format} };
    my $file = $node->backup_dir . "/$source.$format";
    my $copy = "${format}_$role";
    $node->command_ok([ 'pg_dump', as($role), @$options, '-f', $file, $source ], "$role dumps $format");
    create_database($node, $role, $copy);
    my ($program, @arguments) = @{ $restore->($file, $copy) };
    $node->command_ok([ $program, as($role), @arguments ], "$role restores $format");
    return $copy;
}

1;
