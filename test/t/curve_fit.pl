# fit_curve beside cminpack: on random points and on the real data, for every
# family, the root mean square error of ours is never more than 0.1 % above the
# least that cminpack reaches from many starts within the same bounds
# (test/t/cminpack_fit.c).

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $peer = PostgreSQL::Test::Utils::tempdir() . '/cminpack_fit';
my $cc = $ENV{CC} // 'cc';
system("$cc -O2 -o $peer test/t/cminpack_fit.c -lcminpack -lm 2>/dev/null") == 0
    or plan skip_all => 'cminpack is not installed (libcminpack-dev)';

my @points;    # [name, spend, response], those of a name together

# Numbers of our own, so that runs repeat anywhere.
my $seed = 12345;

sub uniform
{
    my ($from, $to) = @_;
    $seed = ($seed * 1103515245 + 12345) % 2147483648;
    return $from + ($to - $from) * $seed / 2147483648;
}

sub noise
{
    my $sum = -6;
    $sum += uniform(0, 1) for 1 .. 12;
    return $sum;
}

for my $set (1 .. 200)
{
    my $n = (8, 12, 24, 36, 60, 104)[ $set % 6 ];
    my $family = $set % 5;
    my $scale = 10**uniform(-3, 9);
    my $k = $scale * exp(uniform(-2, 2));
    my $h = exp(uniform(-1, 1.5));
    my $loud = 10**uniform(-3, 0);
    for (1 .. $n)
    {
        my $x = $scale * exp(0.7 * noise());
        $x = 0 if $family != 1 && uniform(0, 1) < 0.05;
        my $f =
            $family == 0 ? $x / $scale
          : $family == 1 ? log($x / $scale)
          : $family == 2 ? ($x / $scale)**($h / 3)
          : $family == 3 ? 1 - exp(-$x / $k)
          :                $x**$h / ($x**$h + $k**$h);
        push @points, [ "random$set", $x, 1000 * (2 + $f + $loud * noise()) ];
    }
}

# The rows of a CSV file as hashes; none of ours has commas within quotes.
sub rows
{
    my ($file) = @_;
    my ($head, @lines) = split /\r?\n/, slurp_file($file);
    my @names = map { s/"//gr } split /,/, $head;
    return map { my %row; @row{@names} = map { s/"//gr } split /,/, $_, -1; \%row } @lines;
}

my $data = $ENV{REVRTM_DATA};
if (defined $data)
{
    my @advertising = rows("$data/islr_advertising/Advertising.csv");
    for my $channel (qw(TV radio newspaper))
    {
        push @points, map { [ "islr_$channel", $_->{$channel}, $_->{sales} ] } @advertising;
    }
    my @robyn = rows("$data/robyn/dt_simulated_weekly.csv");
    for my $channel (qw(tv_S ooh_S print_S search_S facebook_S))
    {
        push @points, map { [ "robyn_$channel", $_->{$channel}, $_->{revenue} ] } @robyn;
    }
    my @national = rows("$data/meridian/national_all_channels.csv");
    my @geo = rows("$data/meridian/geo_media.csv");
    for my $channel (0 .. 4)
    {
        push @points, map {
            [ "national_$channel", $_->{"Channel${channel}_spend"},
                $_->{conversions} * $_->{revenue_per_conversion} ]
        } @national;
        push @points, map {
            [ "geo_$channel", $_->{"Channel${channel}_spend"},
                $_->{conversions} * $_->{revenue_per_conversion} ]
        } @geo
            if $channel < 4;
    }
}
@points = grep { $_->[1] ne '' && $_->[2] ne '' } @points;
my $lines = join '', map { sprintf "%s %.17g %.17g\n", @$_ } @points;

my $theirs = '';
IPC::Run::run([$peer], '<', \$lines, '>', \$theirs) or die "cminpack_fit failed";
my %theirs = map { my ($name, $family, $rmse) = split; ("$name $family" => $rmse) }
    split /\n/, $theirs;

my $node = PostgreSQL::Test::Cluster->new('curve_fit');
$node->init(extra => [ '--locale=C', '-E', 'UTF8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION revrtm CASCADE');
my $ours = $node->safe_psql('postgres', <<"SQL");
CREATE TABLE point (name text, spend float8, response float8);
COPY point FROM stdin (DELIMITER ' ');
$lines\\.
SELECT s.name, f.family, c.rmse
FROM (SELECT name, revrtm.fit_curve_agg(spend, response) AS sample, min(spend) AS least
      FROM point GROUP BY name) s,
     unnest(ARRAY['linear', 'log', 'power', 'exponential', 'hill']) f (family),
     revrtm.fit_curve(CASE WHEN f.family <> 'log' OR s.least > 0 THEN s.sample END, f.family) c
WHERE c.n > 0;
SQL
my %ours = map { my ($name, $family, $rmse) = split /\|/; ("$name $family" => $rmse) }
    split /\n/, $ours;

is_deeply([ sort keys %ours ], [ sort keys %theirs ], 'both have fitted the same');
for my $family (qw(linear log power exponential hill))
{
    my @cases = grep { / $family$/ } sort keys %theirs;
    my @worse = grep { $ours{$_} > 1.001 * $theirs{$_} + 1e-12 } @cases;
    my @better = grep { $theirs{$_} > 1.001 * $ours{$_} + 1e-12 } @cases;
    my ($worst) = sort { $b <=> $a } map { $theirs{$_} > 0 ? $ours{$_} / $theirs{$_} - 1 : 0 } @cases;
    is("@worse", '', "$family: never more than 0.1 % behind cminpack");
    note(sprintf '%d sets of points; at worst %.1e above cminpack, which is more than 0.1 %% above in %d',
        scalar @cases, $worst, scalar @better);
}

$node->stop;
done_testing();
