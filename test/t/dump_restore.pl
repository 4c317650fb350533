# Everything that users keep lives through dump and restore.
#
# A database with the demo, registrations in every status, trees, edited,
# deleted and own rows beside shipped ones, and budget lines is dumped as plain
# SQL, custom and directory archive, and restored, by a superuser and by an
# owner who is none. In each copy every table that users fill reads as before,
# the caches are empty and come back, and the guards are awake. The audit log
# has grown by what the restore wrote, and says that the policy has not changed;
# of a dump that somebody altered it says what did.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../perl";
use PostgreSQL::Test::Utils;
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

-- Trees: children that sort before their parents, and are dumped before them,
-- since an update moves a row to the end; and names of the roots.
INSERT INTO revrtm.region (region_id, parent_id, region_name) VALUES ('zz', 'emea', 'Last'), ('aa', 'zz', 'First'), ('AA', 'aa', NULL);
INSERT INTO revrtm.product (product_id, parent_id) VALUES ('zz', 'platform'), ('0', 'zz'), ('00', '0');
DELETE FROM revrtm.region WHERE region_id = 'AA';
UPDATE revrtm.region SET region_name = 'Last of all' WHERE region_id = 'zz';
UPDATE revrtm.product SET product_name = 'Zero' WHERE product_id = '0';
UPDATE revrtm.product SET product_name = 'Platform' WHERE product_id = 'platform';
UPDATE revrtm.region SET region_name = 'The world' WHERE region_id = 'ANY';
-- Nodes that moved, and what they left behind.
INSERT INTO revrtm.region (region_id, parent_id) VALUES ('moved', 'zz'), ('top', 'ANY');
SELECT revrtm.move_region('moved', 'aa'), revrtm.move_region('top', 'emea');

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
INSERT INTO revrtm.evidence_type (evidence_type, points) VALUES ('own', 0.50), ('email', 5);
UPDATE revrtm.conflict_rule SET tie_days = 7;
INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, reference)
SELECT case_id, account_id, claim, partner_id, 'own', 'é' FROM revrtm.conflict_party;
SELECT revrtm.verify_evidence(evidence_id) FROM revrtm.conflict_evidence WHERE partner_id = 'partner 1';
SELECT d.outcome FROM (SELECT c.case_id, p.claim FROM revrtm.open_case c JOIN revrtm.conflict_party p USING (case_id)
    JOIN revrtm.deal_registration r ON p.claim = 'registration:' || r.registration_id
    WHERE r.active AND c.account_id NOT LIKE 'account %' ORDER BY c.account_id, p.claim LIMIT 1) c, revrtm.decide_case(c.case_id, c.claim, 0.25, 'both') d;
SELECT partner_id FROM revrtm.merge_accounts('account 6', 'account 7', 'one');
UPDATE revrtm.sla_rule SET hours = 8.5, on_breach = 'auto_reject', pauses = '{action_required}' WHERE subject = 'registration';
DELETE FROM revrtm.sla_rule WHERE subject = 'referral';
DELETE FROM revrtm.escalation_step WHERE level = 3;
INSERT INTO revrtm.escalation_step (subject, level, role, after_hours) VALUES ('registration', 2, 'own', 0.25), ('registration', 7, 'é', 40);
UPDATE revrtm.protection_rule SET extensions = 3, cut_days = NULL;
INSERT INTO revrtm.staff_level VALUES ('own head', 2);
SELECT revrtm.record_activity(registration_id, 'own', 'é') FROM revrtm.deal_registration WHERE account_id = 'state approved';
INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, submitted_at) VALUES ('late', 'partner 1', ARRAY['zz'], ARRAY['aa'], '2026-06-01Z');
SELECT count(*) FROM revrtm.sla_tick('2026-06-15Z');
INSERT INTO revrtm.escalation_decision (subject, subject_id, account_id, level, role, decision, reason, at, logged_at, actor, acting_role)
SELECT 'registration', registration_id, account_id, 2, 'own', 'approved', 'é', '2026-06-15Z', '2026-06-15Z', 'me', 'me' FROM revrtm.deal_registration WHERE account_id = 'state approved';
INSERT INTO revrtm.partner_login VALUES ('acme_login', 'partner 1'), ('a "quoted" role', 'partner 2');
INSERT INTO revrtm.partner_proxy VALUES ('portal');

-- Tables of a portal's own, and what their rows claim.
CREATE TABLE own.portal (id int, part text, account text, partner text, live boolean, PRIMARY KEY (id, part));
CREATE TABLE own.deal (id text PRIMARY KEY, account text);
SELECT revrtm.guard('own.portal', 'registration', '{"account": "account", "partner": "partner", "active": "live"}');
SELECT revrtm.guard('own.deal', 'opportunity', '{"account": "account", "opportunity": "id"}', 'off');
INSERT INTO own.portal VALUES (1, 'a "b"', 'portal 1', 'partner 1', true), (2, 'é', 'portal 2', 'partner 2', true), (3, '', 'portal 1', 'partner 3', false);
UPDATE own.portal SET live = false WHERE id = 2;

-- Shipped rows edited, replaced, deleted, deleted and made anew, and as they
-- were; and rows of one's own.
DELETE FROM revrtm.attribution_model WHERE model IN ('inverse_j', 'u_marketo');
INSERT INTO revrtm.attribution_model (model, kind, parameters) VALUES ('u_marketo', 'last', '{}');
DELETE FROM revrtm.route WHERE route_id = 'co_sell';
UPDATE revrtm.attribution_model SET parameters = '{"first": 0.5, "LC": 0.3, "middle": 0.2}' WHERE model = 'u_lead';
UPDATE revrtm.attribution_model SET enabled = false WHERE model = 'j_shaped';
INSERT INTO revrtm.attribution_model (model, kind, parameters) VALUES
    ('first_touch', 'linear', '{}'), ('own', 'time_decay', '{"half_life": "3 days"}');
INSERT INTO revrtm.attribution_fit VALUES ('markov', 'own channel', 0.1, '2026-01-01 00:00+00', '2026-01-02 00:00+00', 'x');
INSERT INTO revrtm.route (route_id, kind, parent_id, default_margin) VALUES ('oem', 'resell', 'direct', 0.25), ('aa', 'resell', 'zz', 1), ('zz', 'direct', NULL, 1);
UPDATE revrtm.route SET default_margin = 0.8 WHERE route_id = 'direct';
UPDATE revrtm.route SET active = false WHERE route_id = 'marketplace';
UPDATE revrtm.attribution_policy SET lookback = '60 days 12:00:00.000001', merge_within = NULL WHERE route_id = '(any)';
INSERT INTO revrtm.attribution_policy (route_id, lookback, anchor, anchor_stage, after_anchor, step_limit, responded_only, transforms) VALUES
    ('oem', '0', 'stage', 'won', true, 9, false, '{exposure,"drop(a, \"b\" (c))",cap(5)}'), ('direct', NULL, 'created', NULL, false, NULL, true, '{}');
INSERT INTO revrtm.currency (currency, scale) VALUES ('HUF', 0), ('JPY', 2);
UPDATE revrtm.currency SET scale = 2 WHERE currency = 'ISK';
UPDATE revrtm.calendar SET windows = '{Mon-Thu 08:30-16:30}' WHERE calendar = 'default';
INSERT INTO revrtm.calendar (calendar, timezone, windows) VALUES ('own', 'Australia/Lord_Howe', '{Sun-Thu 09:00-12:00,Sat 00:00-24:00}');
INSERT INTO revrtm.calendar_holiday VALUES ('default', '2026-12-25', 'Christmas'), ('own', '2026-04-03', NULL);
UPDATE revrtm.programme SET timezone = 'Asia/Tokyo', calendar = 'own', protection_days = 60;
INSERT INTO revrtm.channel_map VALUES ('own channel', 'oem', 'own');
UPDATE revrtm.partner_role_rule SET lookback = 120, split_model = 'own';
UPDATE revrtm.kpi_rule SET sqo_stages = '{SQO,"é, x"}', sqo_days = 60, cac_lag = 2;
UPDATE revrtm.romi_rule SET models = '{linear,u_shaped,"é, x"}', confidence = 0.95, spread = 'touched';
UPDATE revrtm.spend_category SET cash_lag = 3 WHERE category = 'content';
DELETE FROM revrtm.spend_category WHERE category = 'discount';
INSERT INTO revrtm.spend_category VALUES ('own', 1, 2, 'none', true);
INSERT INTO revrtm.route_incrementality VALUES ('oem', 0.25, 'é');
INSERT INTO revrtm.partner_cost VALUES ('oem', 'partner 1', 0.1, 0.05), ('(any)', '(any)', 0, 0.01);
UPDATE revrtm.partner_role_map SET pool = 'implementer' WHERE role = 'distributor';
INSERT INTO revrtm.partner_role_map VALUES ('co-sell', 'influencer', true), ('own', 'closer', false);
DELETE FROM revrtm.partner_model WHERE model = 'partner_manual';
UPDATE revrtm.partner_model SET enabled = false WHERE model = 'partner_dual';
INSERT INTO revrtm.partner_model VALUES ('partner_equal', 'manual', '{}'), ('own', 'dual', '{"sourcer": 0.25, "fulfiller": 0.75}');
-- A team, an override in force and its entry, guardrails.
INSERT INTO revrtm.teaming SELECT registration_id, account_id, p, r, s
FROM (SELECT * FROM revrtm.deal_registration WHERE opportunity_id IS NOT NULL ORDER BY registration_id LIMIT 1) d, (VALUES ('partner 1', 'source', 0.25), ('é', 'fulfil', 0.75)) t (p, r, s);
SELECT revrtm.override_rule(registration_id, 'tender', 'legal', 'é', 'because', '2026-12-01Z') FROM revrtm.deal_registration WHERE account_id IN ('state submitted', 'state in_review');
INSERT INTO revrtm.protected_stage VALUES ('own'), ('proposal');
INSERT INTO revrtm.discount_kind VALUES ('own', 'é'), ('tier', 'own');
INSERT INTO revrtm.discount_guardrail VALUES ('own', NULL, 'gold', 'zz', NULL, 0.123, -0.5, 'compound', -1, '[2026-01-01Z,)');
INSERT INTO revrtm.discount_approval VALUES ('own', 2, 'é', 0.5, NULL);
INSERT INTO revrtm.partner_split VALUES ('account 2', 'deal 2', 'partner 1', 0.125), ('account 2', 'deal 2', 'partner 2', 0.875), ('(none)', 'deal 1', 'partner 1', 1);
INSERT INTO revrtm.budget_line (line, route_id, category, curve, lo, hi) VALUES
    ('own', 'oem', 'own', 'hill(0,90000,40000,0.9)', 0, 50000.005), ('without', 'zz', 'own', NULL, NULL, NULL);
UPDATE revrtm.budget_line SET curve = 'log(-7,0.1)', lo = 0.01 WHERE line = 'direct/content';
UPDATE revrtm.maturity_model SET benchmark = 2.25 WHERE model = 'rm6';
INSERT INTO revrtm.maturity_model (model, model_name, description) VALUES ('own', 'é', 'x');
INSERT INTO revrtm.maturity_level (model, level, level_name, description) VALUES ('own', 1, 'One', 'x'), ('loop', 4, 'Replaced', 'x');
UPDATE revrtm.maturity_dimension SET target = 3, kpis = '{"a, \\"b\\""}' WHERE (model, dimension) = ('rm6', 'people');
DELETE FROM revrtm.maturity_dimension WHERE (model, dimension) = ('loop', 'advocacy');
INSERT INTO revrtm.maturity_stage (model, dimension, level, description) VALUES ('rm6', 'people', 4, 'Replaced'), ('own', 'x', 1, 'é');
DELETE FROM revrtm.maturity_criterion WHERE dimension = 'people' AND level = 4;
UPDATE revrtm.maturity_criterion SET threshold = 0.125, months = 6 WHERE dimension = 'people' AND level = 3;
INSERT INTO revrtm.maturity_criterion (model, dimension, level, kpi, route_id, comparison, threshold) VALUES ('own', 'x', 2, 'romi', 'oem', '>', 0.10);
UPDATE revrtm.loop_map SET stage = 'aware' WHERE value = 'Prospecting';
DELETE FROM revrtm.loop_map WHERE value = 'won_again';
SELECT revrtm.score_maturity('rm6', 'people', 2.5, 'é', '2026-06-01Z');
SELECT revrtm.take_maturity();

-- The portfolio, beside what the demo has of it.
UPDATE revrtm.motion_rule SET ordinal = 99 WHERE value = 'marketplace';
DELETE FROM revrtm.motion_rule WHERE value = 'dealer';
INSERT INTO revrtm.motion_rule VALUES ('crm_role', 'own', 'own', 1);
INSERT INTO revrtm.holdover VALUES ('account 1', 'deal 1', '[2026-01-01 00:00Z,2026-02-01 00:00Z)', 'user 1', 'partner', 'eligible', 'x'), ('account 1', 'deal 1', '[2026-02-01 00:00Z,)', 'user 2', 'user', 'exempt', 'y');
INSERT INTO revrtm.territory_assignment (territory_id, member_id, valid) VALUES ('own', 'user 1', '[2026-01-01 00:00Z,2026-02-01 00:00Z)'), ('own', 'user 2', '[2026-02-01 00:00Z,)');

-- Enablement: the demo's, what is edited, and one at least of everything.
INSERT INTO revrtm.fund (fund_id, kind, partner_id, valid, amount, currency, award) VALUES ('own', 'mdf', 'partner 1', '[2026-01-01,)', 1000.10, 'EUR', NULL), ('own spiff', 'spiff', NULL, '(,)', 100, 'USD', 25.5);
INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, during, requested_amount, currency, details)
SELECT 'partner 1', 'own', s, '[2026-05-01,2026-06-01)', 100, 'EUR', '{"é": [1, null]}' FROM unnest('{requested,approved,executed,paid,rejected}'::text[]) s;
UPDATE revrtm.mdf_request SET status = 'rejected', decision_reason = 'No.' WHERE activity = 'rejected';
UPDATE revrtm.mdf_request SET status = 'approved', approved_amount = 99.99 WHERE activity IN ('approved', 'executed', 'paid');
UPDATE revrtm.mdf_request SET status = 'executed' WHERE activity IN ('executed', 'paid');
UPDATE revrtm.mdf_request SET status = 'claimed', claimed_amount = 50, proof = '[1]' WHERE activity = 'paid';
UPDATE revrtm.mdf_request SET status = 'paid' WHERE activity = 'paid';
INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id) VALUES ('account 1', 'deal 1', 'own spiff', 'partner 1', 'ann'), ('account 1', 'deal 1', 'own spiff', 'partner 1', 'bob');
UPDATE revrtm.spiff_award SET status = 'reversed', decision_reason = 'No.' WHERE person_id = 'bob';
INSERT INTO revrtm.course (course_id, product_code, valid_for) VALUES ('own', 'zz', '1 mon 2 days');
INSERT INTO revrtm.curriculum VALUES ('own', 'own');
INSERT INTO revrtm.learner VALUES ('partner 1', 'ann', 'own');
INSERT INTO revrtm.certification (partner_id, person_id, course_id, status) VALUES ('partner 1', 'ann', 'own', 'granted'), ('partner 1', 'bob', 'own', 'claimed');
INSERT INTO revrtm.action_plan (plan_id, account_id, opportunity_id, partner_id, opened_by) VALUES ('00000000-0000-0000-0000-000000000001', 'account 1', 'deal 1', 'partner 1', 'partner');
INSERT INTO revrtm.plan_step (plan_id, step, owner_party, task, due) SELECT '00000000-0000-0000-0000-000000000001', s, 'partner', 'x', '2026-06-30' FROM generate_series(1, 2) s;
UPDATE revrtm.action_plan SET status = 'agreed' WHERE account_id = 'account 1';
UPDATE revrtm.plan_step SET done_at = '2026-06-29Z' WHERE account_id = 'account 1' AND step = 1;
UPDATE revrtm.action_plan SET status = 'closed' WHERE account_id = 'account 1';
INSERT INTO revrtm.referral (account_id, partner_id, opened_by) VALUES ('account 1', 'partner 1', 'partner'), ('account 2', 'partner 1', 'vendor');
UPDATE revrtm.referral SET status = 'accepted' WHERE account_id = 'account 1';
INSERT INTO revrtm.partner_tier VALUES ('partner 1', 'silver', '[2025-01-01Z,2026-01-01Z)'), ('partner 1', 'own', '[2026-01-01Z,)');
INSERT INTO revrtm.tier (tier, rank, keep) VALUES ('own', 2, 0.75);
DELETE FROM revrtm.tier WHERE tier = 'gold';
UPDATE revrtm.tier_criterion SET threshold = 0.30 WHERE metric = 'win_rate';
DELETE FROM revrtm.partner_metric WHERE metric = 'open_amount';
UPDATE revrtm.partner_metric SET weight = 0.40 WHERE metric = 'won_amount';
INSERT INTO revrtm.enablement_category VALUES ('program');
UPDATE revrtm.enablement_terms SET referral_hours = 8.1, alert_days = '{}';
UPDATE revrtm.life_cycle_state SET editable_fields = '{}' WHERE subject = 'action_plan' AND status = 'agreed';
INSERT INTO revrtm.life_cycle_transition (subject, from_status, to_status, actors) VALUES ('mdf_request', 'expired', 'requested', '{staff}'), ('referral', 'sent', 'declined', '{other_side}');

-- Months that are frozen, the second with adjustments of the first.
INSERT INTO revrtm.amendment_kind (kind, is_loss) VALUES ('chargeback', true);
SELECT count(*) FROM revrtm.refresh_journeys(verify => true);
SELECT revrtm.freeze_attribution('2026-03-01', '{linear,own}');
UPDATE revrtm_demo.opportunity SET amount = amount + 1 WHERE id IN (SELECT opportunity_id FROM revrtm.deal WHERE is_won AND period = '2026-03-01');
SELECT count(*) FROM revrtm.refresh_journeys(verify => true);
SELECT revrtm.freeze_attribution('2026-04-01', '{linear,own}');

-- A council, closed, and what came of it.
UPDATE revrtm.council_rule SET explore_share = 0.01, shift_share = NULL, most_share = 1.50;
INSERT INTO revrtm.budget_guard VALUES ('own', true, 0, NULL), ('direct/content', false, 0.10, -0.5), ('é', false, 1, 0.125);
INSERT INTO revrtm.budget_group VALUES ('company/direct', 1, NULL), ('company/é', NULL, 0.10);
INSERT INTO revrtm.coverage_floor VALUES ('smb', 0.50), ('é', 0.125);
SELECT revrtm.refresh_romi();
SELECT revrtm.open_council('2026-06-01');
SELECT revrtm.decide('2026-06-01', 'direct/content', 'reject', NULL, 'é "x"'), revrtm.decide('2026-06-01', 'direct/content', 'accept');
SELECT * FROM revrtm.close_council('2026-06-01', 'accept');
SET revrtm.as_of = '2026-08-15';
SELECT revrtm.record_outcomes('2026-07-01');
SET revrtm.as_of = '2026-07-01';
DELETE FROM revrtm.journey_refresh;
DELETE FROM revrtm.deal_journey;
};

# The rows of every table that is dumped, as one text a table.
my $tables = q{
SELECT c.oid::regclass FROM pg_class c, pg_extension e
WHERE e.extname = 'revrtm' AND c.oid = ANY (e.extconfig) ORDER BY c.relname COLLATE "C"
};
my $upside_down = q{
SELECT (SELECT count(*) FROM revrtm.region c JOIN revrtm.region p ON p.region_id = c.parent_id AND c.ctid < p.ctid),
    (SELECT count(*) FROM revrtm.product c JOIN revrtm.product p ON p.product_id = c.parent_id AND c.ctid < p.ctid)};
my $rows = q{SELECT count(*) || E'\n' || string_agg(t::text, E'\n' ORDER BY t::text COLLATE "C") FROM %s t};

# What changed in the policy, what the policy is, and was at first.
my $changes = q{SELECT c::text FROM revrtm.policy_change c ORDER BY c.changed_at, c.policy_change_key};
my $policy = q{SELECT revrtm.export_policy(), revrtm.export_policy('-infinity')};

# What reports read: the store without its order, and the council.
my $refresh = q{SELECT mode, inserted, updated, deleted FROM revrtm.refresh_journeys()};
my $reports = q{
SET revrtm.as_of = '2026-07-01';
SELECT FROM revrtm.refresh_romi();
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
    like($node->safe_psql($source, $upside_down, %as), qr/^[1-9]\d*\|[1-9]\d*$/, 'children before their parents');
    my (undef, @log) = split /\n/, delete $before{'revrtm.audit_log'};
    my $changes_before = $node->safe_psql($source, $changes, %as);
    my $policy_before = $node->safe_psql($source, $policy, %as);
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
        is($node->safe_psql($copy, sprintf($rows, $_), %as), $before{$_}, "$copy: $_") for sort keys %before;

        # The log: all that it had, and what the restore wrote.
        my %logged = map { $_ => 1 } split /\n/, $node->safe_psql($copy, sprintf($rows, 'revrtm.audit_log'), %as);
        is((grep { !$logged{$_} } @log), 0, "$copy: the log has kept its entries");
        is($node->safe_psql($copy, $changes, %as), $changes_before, "$copy: it says that nothing changed");
        is($node->safe_psql($copy, $policy, %as), $policy_before, "$copy: the policy is and was the same");
        is($node->safe_psql($copy, $strays, %as), 0, "$copy: belongs to whom it should");

        is($node->safe_psql($copy, 'SELECT (SELECT count(*) FROM revrtm.deal_journey) + (SELECT count(*) FROM revrtm.journey_refresh)', %as),
            0, "$copy: the caches are empty");
        is($node->safe_psql($copy, $refresh, %as), $refreshed, "$copy: refreshed as at first");
        is($node->safe_psql($copy, $reports, %as), $reported, "$copy: the same journeys, the same council");

        # What was signed is sealed, and stays so.
        is($node->safe_psql($copy, q{SET revrtm.as_of = '2026-07-01'; SELECT count(*), count(note) FROM revrtm.freeze_check;
                SELECT count(*) > 0 FROM revrtm.frozen_credit WHERE entry = 'adjustment';
                SELECT revrtm.assert_attribution()}, %as), "4|0\nt\n", "$copy: frozen months foot");
        fails($copy, $role, $_, '23514', "$copy: $_") for 'UPDATE revrtm.frozen_credit SET amount = 0', 'TRUNCATE revrtm.attribution_freeze',
            'INSERT INTO revrtm.frozen_credit SELECT touched_at, exact_weight, units, period, own_period, -1, account_id, opportunity_id, event_id, model, entry, channel, amount, deal_currency, deal_amount, note FROM revrtm.frozen_credit LIMIT 1';

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
        is($node->safe_psql($copy, q{
                BEGIN;
                INSERT INTO revrtm.region (region_id, parent_id) VALUES ('later', 'zz'), ('later top', 'ANY');
                SELECT bool_and(lower(c.span) >= p.free_from), count(*) FROM revrtm.region c JOIN revrtm.region p ON p.region_id = c.parent_id
                WHERE c.region_id IN ('later', 'later top');
                ROLLBACK}, %as),
            "t|2", "$copy: no span is given again");

        # Guards go on guarding, and find nothing new.
        fails($copy, $role, q{SET revrtm.as_of = '2026-07-01'; UPDATE own.portal SET live = true WHERE id = 3}, '23P01', "$copy: a portal's row meets another");
        is($node->safe_psql($copy, q{
                SELECT count(*) FROM revrtm.guard_violation('own.portal');
                SELECT revrtm.guard(target, kind, columns, mode) FROM revrtm.guard ORDER BY target::text;
                SELECT count(*), min(revision), max(revision) FROM revrtm.deal_registration WHERE account_id LIKE 'portal%';
                UPDATE own.portal SET live = true WHERE id = 2;
                SELECT status FROM revrtm.deal_registration WHERE account_id = 'portal 2'}, %as),
            "0\n0\n0\n2|1|2\napproved", "$copy: guards");

        # Funds hold what they held, and no more than they have.
        is($node->safe_psql($copy, 'SELECT count(*), sum(held) > 0 FROM revrtm.fund_use WHERE difference = 0', %as), '4|t', "$copy: funds");
        fails($copy, $role, q{UPDATE revrtm.fund SET amount = 1 WHERE fund_id = 'own'}, '23514', "$copy: what is held is not taken away");

        # And again: a dump of the copy is as good.
        next if $format ne 'custom';
        fails($copy, $role, 'DROP EXTENSION revrtm', '2BP01', "$copy: guarded tables are in the way");
        $node->safe_psql($copy, 'DROP EXTENSION revrtm CASCADE', %as);
        is($node->safe_psql($copy, q{SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'revrtm'), (SELECT count(*) > 0 FROM revrtm_demo.task)}, %as),
            '0|t', "$copy: dropped, and the CRM is there");
    }

    # A dump that somebody altered.
    my $dump = slurp_file($node->backup_dir . "/$source.plain");
    is($dump =~ s/^(direct\tdirect\t\\N\t)0\.8\t/${1}0.9\t/m, 1, 'altered');
    append_to_file($node->backup_dir . "/$source.altered", $dump);
    my $altered = "altered_$role";
    create_database($node, $role, $altered);
    $node->command_ok([ 'psql', as($role), '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $node->backup_dir . "/$source.altered", '-d', $altered ],
        "$role restores an altered dump");
    my @changed = split /\n/, $node->safe_psql($altered, $changes, %as);
    is(scalar @changed, 1 + split(/\n/, $changes_before), 'one change');
    is($node->safe_psql($altered, q{
            SELECT table_name, change, actor = session_user, old_row::jsonb -> 'default_margin', new_row::jsonb -> 'default_margin'
            FROM revrtm.policy_change ORDER BY changed_at DESC LIMIT 1}, %as),
        'route|changed|t|0.8|0.9', 'by who restored it');

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
