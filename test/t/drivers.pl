# What a guard refuses arrives in the drivers that portals are written with:
# SQLSTATE, constraint, table, and a message that can be shown to a partner.
#
# Python and Node programs, each the size of what a portal would write, for
# psycopg2, SQLAlchemy, Django and node-pg. A driver that is not installed is
# skipped, and says so. The Python is the distribution's, as its packages are;
# pg comes from npm where there is one, or from the directory REVRTM_NODE_PATH.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('drivers');
$node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION revrtm CASCADE;
CREATE ROLE portal LOGIN;
CREATE TABLE public.request (id int PRIMARY KEY, customer text, reseller text, amount numeric(12, 2));
GRANT SELECT, INSERT ON public.request TO portal;
SELECT revrtm.guard('public.request', 'registration', '{"account": "customer", "partner": "reseller", "amount": "amount"}');
INSERT INTO public.request VALUES (1, 'acme', 'alpha', 1)});

# Every program inserts these rows, of which two are refused, and prints what
# each error says; it goes on in the same session.
my @rows = ([ 2, 'acme', 'beta', 1 ], [ 3, 'globex', 'beta', -1 ], [ 4, 'initech', 'beta', 1 ]);
my $message = 'deal registration conflicts with an active registration';
my $detail = 'Another active registration protects this account and scope.';
my $hint = 'Narrow the products or regions, wait for the protection to end, or have channel management resolve the conflict.';
my $amount = 'deal registration is not valid: amount is negative, infinite or no number';

sub expected
{
    my (@classes) = @_;
    return join "\n",
        "$classes[0]|23P01|roe_protected|public|request|$message|$detail|$hint",
        "$classes[1]|23514|deal_registration_amount|public|request|$amount||Where it is not known, leave it out.",
        'inserted 4', '';
}

my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
my $python_rows = '[' . join(', ', map { "($_->[0], '$_->[1]', '$_->[2]', $_->[3])" } @rows) . ']';
my $python_head = qq{
rows = $python_rows
def show(e, diag, state):
    print('|'.join([type(e).__name__, state, diag.constraint_name, diag.schema_name, diag.table_name,
                    diag.message_primary, diag.message_detail or '', diag.message_hint or '']))
};
my $host = $node->host;
my $port = $node->port;

my %program = (
    psycopg2 => [ $python, qq{
import psycopg2
$python_head
connection = psycopg2.connect(host='$host', port=$port, user='portal', dbname='postgres')
for row in rows:
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute('INSERT INTO public.request VALUES (%s, %s, %s, %s)', row)
        print('inserted', row[0])
    except psycopg2.IntegrityError as e:
        show(e, e.diag, e.pgcode)
}, expected('ExclusionViolation', 'CheckViolation') ],
    sqlalchemy => [ $python, qq{
import psycopg2, sqlalchemy
from sqlalchemy.orm import Session, declarative_base
$python_head
Base = declarative_base()
class Request(Base):
    __tablename__ = 'request'
    __table_args__ = {'schema': 'public'}
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    customer = sqlalchemy.Column(sqlalchemy.Text)
    reseller = sqlalchemy.Column(sqlalchemy.Text)
    amount = sqlalchemy.Column(sqlalchemy.Numeric(12, 2))
engine = sqlalchemy.create_engine('postgresql+psycopg2://portal@/postgres?host=$host&port=$port')
for row in rows:
    with Session(engine) as session:
        try:
            session.add(Request(id=row[0], customer=row[1], reseller=row[2], amount=row[3]))
            session.commit()
            print('inserted', row[0])
        except sqlalchemy.exc.IntegrityError as e:
            session.rollback()
            show(e, e.orig.diag, e.orig.pgcode)
}, expected('IntegrityError', 'IntegrityError') ],
    django => [ $python, qq{
import psycopg2, django
from django.conf import settings
settings.configure(DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'postgres', 'USER': 'portal',
    'HOST': '$host', 'PORT': '$port'}}, USE_TZ=True, DEFAULT_AUTO_FIELD='django.db.models.AutoField')
django.setup()
from django.db import models, transaction, IntegrityError
$python_head
class Request(models.Model):
    customer = models.TextField()
    reseller = models.TextField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    class Meta:
        app_label = 'portal'
        db_table = 'request'
for row in rows:
    try:
        with transaction.atomic():
            Request.objects.create(id=row[0], customer=row[1], reseller=row[2], amount=row[3])
        print('inserted', row[0])
    except IntegrityError as e:
        show(e, e.__cause__.diag, e.__cause__.pgcode)
}, expected('IntegrityError', 'IntegrityError') ],
    'node-pg' => [ 'node', qq{
const { Client } = require('pg');
const rows = [} . join(', ', map { "[$_->[0], '$_->[1]', '$_->[2]', $_->[3]]" } @rows) . qq{];
(async () => {
    const client = new Client({ host: '$host', port: $port, user: 'portal', database: 'postgres' });
    await client.connect();
    for (const row of rows) {
        try {
            await client.query('INSERT INTO public.request VALUES (\$1, \$2, \$3, \$4)', row);
            console.log('inserted ' + row[0]);
        } catch (e) {
            console.log([e.name, e.code, e.constraint, e.schema, e.table, e.message, e.detail || '', e.hint || ''].join('|'));
        }
    }
    await client.end();
})();
}, expected('error', 'error') ]);

my %probe = (
    psycopg2   => [ $python, '-c', 'import psycopg2; print(psycopg2.__version__)' ],
    sqlalchemy => [ $python, '-c', 'import psycopg2, sqlalchemy; print(sqlalchemy.__version__)' ],
    django     => [ $python, '-c', 'import psycopg2, django; print(django.__version__)' ],
    'node-pg'  => [ 'node', '-e', 'require("pg"); console.log(require("pg/package.json").version)' ]);

my $modules = $ENV{REVRTM_NODE_PATH};
if (!defined $modules)
{
    my $home = PostgreSQL::Test::Utils::tempdir();
    local $ENV{HOME} = $home;
    eval { IPC::Run::run([ 'npm', 'install', '--silent', '--no-fund', '--no-audit', '--prefix', $home, 'pg@8' ], '&>', \my $said) };
    $modules = "$home/node_modules";
}
$ENV{NODE_PATH} = join ':', grep { defined && length } $modules, $ENV{NODE_PATH}, '/usr/share/nodejs';

for my $driver (sort keys %program)
{
    my ($interpreter, $text, $expected) = @{ $program{$driver} };
    my ($version, $noise) = ('', '');
    SKIP:
    {
        my $found = eval { IPC::Run::run($probe{$driver}, '>', \$version, '2>', \$noise) };
        skip("$driver is not installed", 2) if !$found;
        chomp $version;
        $node->safe_psql('postgres', 'DELETE FROM public.request WHERE id > 1');
        my $file = PostgreSQL::Test::Utils::tempdir() . "/program";
        append_to_file($file, $text);
        my ($out, $err) = ('', '');
        ok(IPC::Run::run([ $interpreter, $file ], '>', \$out, '2>', \$err), "$driver $version runs") or diag($err);
        is($out, $expected, "$driver $version is told what is wrong");
    }
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM revrtm.guard_claim'), $node->safe_psql('postgres', 'SELECT count(*) FROM public.request'),
    'every row has its claim');

$node->stop;
done_testing();
