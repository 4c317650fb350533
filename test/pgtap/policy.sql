-- Random edits of the policy, kept as documents and put back in random order,
-- under other settings: against copies of the tables, and plain SQL.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS revrtm;
SELECT plan(12);

-- The same numbers on every run and version.
CREATE FUNCTION pg_temp.dice(seed text, sides int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN (('x' || substr(md5(seed), 1, 7))::bit(28)::int) % sides;

-- What the tables hold, as text.
CREATE FUNCTION pg_temp.held() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(h.line, E'\n' ORDER BY h.line COLLATE "C") FROM (
    SELECT format('route %s %s %s %s %s', route_id, kind, parent_id, default_margin, active) FROM revrtm.route
    UNION ALL SELECT format('channel %L %s %s', channel, route_id, category) FROM revrtm.channel_map
    UNION ALL SELECT format('model %s %s %s %s', model, kind, parameters, enabled) FROM revrtm.attribution_model
    UNION ALL SELECT format('line %s %s %s %s %s %s', line, route_id, category, curve, lo, hi) FROM revrtm.budget_line
    UNION ALL SELECT format('region %L %s %L', region_id, parent_id, region_name) FROM revrtm.region
    UNION ALL SELECT format('product %s %s %L', product_id, parent_id, product_name) FROM revrtm.product
    UNION ALL SELECT format('currency %s %s %L', currency, scale, currency_name) FROM revrtm.currency
    UNION ALL SELECT format('calendar %s %s %s', calendar, timezone, windows) FROM revrtm.calendar
    UNION ALL SELECT format('holiday %s %s %L', calendar, to_char(holiday, 'YYYY-MM-DD'), holiday_name) FROM revrtm.calendar_holiday
    UNION ALL SELECT format('programme %s %s %s', timezone, calendar, protection_days) FROM revrtm.programme
    UNION ALL SELECT format('rule %s %s %s', lookback, direct_lookback, split_model) FROM revrtm.partner_role_rule
    UNION ALL SELECT format('kpi %s %s %s %s', sqo_stages, sqo_days, cac_categories, cac_lag) FROM revrtm.kpi_rule
    UNION ALL SELECT format('romi %s %s %s %s %s %s %s', models, cohort, refunds, spread, months, confidence::numeric, seed) FROM revrtm.romi_rule
    UNION ALL SELECT format('category %s %s %s %s %s', category, cohort_lag, cash_lag, cac, cost_of_sale) FROM revrtm.spend_category
    UNION ALL SELECT format('incrementality %s %s %L', route_id, incrementality, source) FROM revrtm.route_incrementality
    UNION ALL SELECT format('role %L %s %s', role, pool, joint) FROM revrtm.partner_role_map
    UNION ALL SELECT format('route role %s %s %s %s %s', rule_id, route_id, segment, role, priority) FROM revrtm.route_role
    UNION ALL SELECT format('state %s %s', status, editable_fields) FROM revrtm.registration_state
    UNION ALL SELECT format('step %s %s %s', from_status, to_status, reason_required) FROM revrtm.registration_transition
    UNION ALL SELECT format('roe %s %s %s %s', rule, kind, parameters, enabled) FROM revrtm.roe_rule
    UNION ALL SELECT format('protected %L', stage) FROM revrtm.protected_stage
    UNION ALL SELECT format('stack %L %s', discount, stack_group) FROM revrtm.discount_kind
    UNION ALL SELECT format('guardrail %L %s %s %s %s %s', guardrail_id, max_discount, floor_margin, stacking, priority, extract(epoch FROM lower(valid))) FROM revrtm.discount_guardrail
    UNION ALL SELECT format('approval %L %s %L %s %s', guardrail_id, level, approver, max_discount, floor_margin) FROM revrtm.discount_approval
    UNION ALL SELECT format('evidence %L %s %s %s', evidence_type, points, dated, third_party) FROM revrtm.evidence_type
    UNION ALL SELECT format('cases %s %s', due_hours, tie_days) FROM revrtm.conflict_rule
    UNION ALL SELECT format('sla %s %s %s %s %s %s', subject, hours, calendar, pauses, alert_levels, on_breach) FROM revrtm.sla_rule
    UNION ALL SELECT format('escalation %s %s %s %s', subject, level, role, after_hours) FROM revrtm.escalation_step
    UNION ALL SELECT format('protection %s %s %s %s %s', extensions, extension_days, cut_days, order_policy, grace_hours) FROM revrtm.protection_rule
    UNION ALL SELECT format('amendment %s %s', kind, is_loss) FROM revrtm.amendment_kind
    UNION ALL SELECT format('terms %s %s %s %s', route_id, extract(epoch FROM lookback), step_limit, after_anchor) FROM revrtm.attribution_policy
    UNION ALL SELECT format('maturity %s %s %L', model, benchmark, description) FROM revrtm.maturity_model
    UNION ALL SELECT format('level %s %s %L', model, level, level_name) FROM revrtm.maturity_level
    UNION ALL SELECT format('dimension %s %s %s %s %s', model, dimension, ordinal, kpis, target) FROM revrtm.maturity_dimension
    UNION ALL SELECT format('stage %s %s %s %L', model, dimension, level, description) FROM revrtm.maturity_stage
    UNION ALL SELECT format('criterion %s %s %s %s %s %s %s %s', model, dimension, level, kpi, route_id, comparison, threshold, months) FROM revrtm.maturity_criterion
    UNION ALL SELECT format('loop %s %L %s', source, value, stage) FROM revrtm.loop_map
    UNION ALL SELECT format('partner model %s %s %s %s', model, kind, parameters, enabled) FROM revrtm.partner_model
    UNION ALL SELECT format('portfolio %s %s %s %s', activity_days, tier_cut, tier_weight, fit) FROM revrtm.portfolio_rule
    UNION ALL SELECT format('motion %s %s %s %s', evidence, value, motion, ordinal) FROM revrtm.motion_rule
    UNION ALL SELECT format('target %s %s %s %s', route_id, to_char(period, 'YYYY-MM-DD'), metric, value) FROM revrtm.target
    UNION ALL SELECT format('play %s %s %s %s', play_id, route_id, entry, product) FROM revrtm.play
    UNION ALL SELECT format('territory %s %L', territory_id, territory_name) FROM revrtm.territory
    UNION ALL SELECT format('member %s %s %s %s', territory_id, member_id, kind, share) FROM revrtm.territory_assignment
    UNION ALL SELECT format('holdover %s %s %s', exempt, eligible, days) FROM revrtm.holdover_policy
    UNION ALL SELECT format('enablement state %s %s %s', subject, status, editable_fields) FROM revrtm.life_cycle_state
    UNION ALL SELECT format('enablement step %s %s %s %s %s', subject, from_status, to_status, actors, reason_required) FROM revrtm.life_cycle_transition
    UNION ALL SELECT format('enablement terms %s %s %s', referral_hours::numeric, alert_days, least_group) FROM revrtm.enablement_terms
    UNION ALL SELECT format('course %s %L %s %s', course_id, course_name, extract(epoch FROM valid_for), cost) FROM revrtm.course
    UNION ALL SELECT format('curriculum %s %s', role, course_id) FROM revrtm.curriculum
    UNION ALL SELECT format('fund %s %s %s %s', fund_id, kind, to_char(upper(valid), 'YYYY-MM-DD'), amount) FROM revrtm.fund
    UNION ALL SELECT format('enablement category %s', category) FROM revrtm.enablement_category
    UNION ALL SELECT format('metric %s %s %s', metric, weight, better) FROM revrtm.partner_metric
    UNION ALL SELECT format('tier %s %s %s', tier, rank, keep) FROM revrtm.tier
    UNION ALL SELECT format('council %s %s %s %s', least_share, shift_share, explore_share, prior_spread) FROM revrtm.council_rule
    UNION ALL SELECT format('guard %L %s %s %s', line, locked, committed, margin_floor) FROM revrtm.budget_guard
    UNION ALL SELECT format('group %s %s %s', group_path, lo, hi) FROM revrtm.budget_group
    UNION ALL SELECT format('floor %L %s', segment, coverage) FROM revrtm.coverage_floor
    UNION ALL SELECT format('tier criterion %s %s %s', tier, metric, threshold) FROM revrtm.tier_criterion) h (line)
$$;

-- One random edit; a node's parent is the same whenever it comes.
CREATE FUNCTION pg_temp.edit(seed text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n int := pg_temp.dice('n' || seed, 12);
    x int := pg_temp.dice('x' || seed, 1000);
    name text := (ARRAY['a', 'Ab', 'ä "q" \ ''s''', '{"not": 1}', 'é,ü', ''])[1 + x % 6] || n;
BEGIN
    CASE pg_temp.dice('edit' || seed, 14)
    WHEN 0, 1 THEN
        INSERT INTO revrtm.channel_map VALUES (name, 'route ' || x % 3, 'content')
        ON CONFLICT (channel) DO UPDATE SET route_id = excluded.route_id || x;
    WHEN 2 THEN DELETE FROM revrtm.channel_map WHERE channel LIKE '%' || n;
    WHEN 3 THEN
        INSERT INTO revrtm.budget_line VALUES ('line ' || n, 'r' || x, 'c' || x,
            (CASE WHEN x % 2 = 0 THEN format('hill(0,%s,40000,0.9)', x + 0.1) END)::revrtm.response_curve, x / 8.0, x)
        ON CONFLICT DO NOTHING;
    WHEN 4 THEN
        -- Lines trade places.
        UPDATE revrtm.budget_line SET route_id = route_id || '-', lo = 0.10 WHERE line IN ('line ' || n, 'line ' || n + 1);
        UPDATE revrtm.budget_line l SET route_id = left(o.route_id, -1), category = o.category FROM revrtm.budget_line o
        WHERE l.route_id LIKE '%-' AND o.route_id LIKE '%-' AND o.line <> l.line;
    WHEN 5 THEN DELETE FROM revrtm.budget_line WHERE line = 'line ' || n OR route_id LIKE '%-';
    WHEN 6 THEN UPDATE revrtm.attribution_model SET enabled = NOT enabled WHERE model IN ('linear', 'j_shaped', 'own' || n);
    WHEN 7 THEN
        INSERT INTO revrtm.attribution_model (model, kind, parameters)
        VALUES (CASE x % 2 WHEN 0 THEN 'u_lead' ELSE 'own' || n END, 'time_decay', format('{"half_life": "%s days"}', x + 1)::jsonb)
        ON CONFLICT (model) DO UPDATE SET parameters = excluded.parameters, kind = excluded.kind;
    WHEN 8 THEN DELETE FROM revrtm.attribution_model WHERE model IN ('inverse_j', 'u_marketo', 'own' || n) AND x % 2 = 0;
    WHEN 9 THEN
        INSERT INTO revrtm.route (route_id, kind, parent_id, default_margin) VALUES
            (CASE WHEN n < 2 THEN 'resell' ELSE 'route ' || n END, 'resell', nullif('route ' || x % 12, 'route ' || n), x / 1000.0)
        ON CONFLICT (route_id) DO UPDATE SET default_margin = excluded.default_margin, active = NOT excluded.active;
    WHEN 10 THEN DELETE FROM revrtm.route WHERE route_id IN ('route ' || n, 'marketplace');
    WHEN 11 THEN
        INSERT INTO revrtm.region (region_id, parent_id, region_name)
        SELECT 'r ' || i, CASE i WHEN 1 THEN 'ANY' ELSE 'r ' || i / 2 END, name FROM generate_series(1, 31) i
        WHERE i % 5 <> x % 5 AND (i = 1 OR EXISTS (SELECT FROM revrtm.region WHERE region_id = 'r ' || i / 2))
        ON CONFLICT (region_id) DO UPDATE SET region_name = excluded.region_name || 'again';
    WHEN 12 THEN
        FOR i IN REVERSE 31 .. 1 LOOP
            DELETE FROM revrtm.region WHERE region_id = 'r ' || i AND i % (2 + x % 3) = 0
                AND NOT EXISTS (SELECT FROM revrtm.region c WHERE c.parent_id = 'r ' || i);
        END LOOP;
    ELSE
        UPDATE revrtm.product SET product_name = name WHERE product_id = 'ANY';
        INSERT INTO revrtm.product (product_id, parent_id) VALUES ('p' || n, 'ANY') ON CONFLICT DO NOTHING;
    END CASE;
END
$$;

-- And one of the terms.
CREATE FUNCTION pg_temp.edit_terms(seed text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n int := pg_temp.dice('n' || seed, 12);
    x int := pg_temp.dice('x' || seed, 1000);
BEGIN
    CASE pg_temp.dice('terms' || seed, 14)
    WHEN 0 THEN
        INSERT INTO revrtm.currency VALUES (CASE x % 3 WHEN 0 THEN 'JPY' ELSE 'X' || chr(65 + n) || 'Z' END, x % 5, 'é "q"' || n)
        ON CONFLICT (currency) DO UPDATE SET scale = excluded.scale;
    WHEN 1 THEN
        INSERT INTO revrtm.calendar VALUES (CASE x % 3 WHEN 0 THEN 'default' ELSE 'own' || n END, 'Asia/Tokyo', '{Mon-Thu 08:30-16:30}')
        ON CONFLICT (calendar) DO UPDATE SET timezone = 'Europe/Paris';
        INSERT INTO revrtm.calendar_holiday VALUES ('own' || n, date '2026-01-01' + x, 'é "q"' || n) ON CONFLICT DO NOTHING;
    WHEN 2 THEN
        UPDATE revrtm.programme SET protection_days = 1 + x, timezone = (ARRAY['UTC', 'Asia/Tokyo'])[1 + x % 2];
        UPDATE revrtm.protection_rule SET extensions = x % 7, cut_days = CASE WHEN x % 3 > 0 THEN 30 + x END, grace_hours = x / 8.0;
        UPDATE revrtm.sla_rule SET hours = 1 + x / 8.0, on_breach = (ARRAY['auto_approve', 'none'])[1 + x % 2] WHERE subject = 'registration';
        INSERT INTO revrtm.escalation_step (subject, level, role, after_hours) VALUES ('referral', 1 + n, 'é "q"' || x, x / 4.0)
        ON CONFLICT (subject, level) DO UPDATE SET after_hours = excluded.after_hours;
    WHEN 3 THEN
        UPDATE revrtm.partner_role_rule SET lookback = x, split_model = 'model ' || n;
        UPDATE revrtm.kpi_rule SET sqo_stages = ARRAY['é "q"' || n], cac_lag = nullif(x % 5, 0), cac_categories = '{mdf}';
        UPDATE revrtm.romi_rule SET models = ARRAY['é "q"' || n], months = 1 + n, confidence = round(1.0 / (2 + x), 6), seed = -x;
        INSERT INTO revrtm.spend_category (category, cash_lag) VALUES (CASE x % 2 WHEN 0 THEN 'mdf' ELSE 'own' || n END, x % 7)
        ON CONFLICT (category) DO UPDATE SET cost_of_sale = NOT spend_category.cost_of_sale;
        DELETE FROM revrtm.spend_category WHERE category IN ('tools', 'own' || x % 12) AND x % 5 = 0;
        UPDATE revrtm.council_rule SET least_share = 1.0 / (1 + x), shift_share = nullif(x % 5, 0) / 8.0, prior_spread = 1 + n;
        INSERT INTO revrtm.budget_guard VALUES ('é "q"' || n, x % 2 = 0, x / 8.0, nullif(x % 3, 0) / -4.0) ON CONFLICT (line) DO UPDATE SET committed = excluded.committed;
        INSERT INTO revrtm.budget_group VALUES ('company/é "q"' || n, nullif(x % 7, 0), x) ON CONFLICT (group_path) DO UPDATE SET lo = NULL;
        DELETE FROM revrtm.budget_group WHERE group_path LIKE '%' || x % 12;
        INSERT INTO revrtm.coverage_floor VALUES ('é "q"' || n, 1.0 / (1 + x)) ON CONFLICT (segment) DO UPDATE SET coverage = excluded.coverage;
        INSERT INTO revrtm.route_incrementality VALUES ('route ' || n, x / 8.0, 'é "q"' || n) ON CONFLICT (route_id) DO UPDATE SET incrementality = excluded.incrementality;
    WHEN 4 THEN
        INSERT INTO revrtm.partner_role_map VALUES (CASE x % 2 WHEN 0 THEN 'reseller' ELSE 'own' || n END, 'implementer', x % 3 = 0)
        ON CONFLICT (role) DO UPDATE SET joint = NOT partner_role_map.joint;
        INSERT INTO revrtm.protected_stage VALUES ('é "q"' || n) ON CONFLICT DO NOTHING;
        DELETE FROM revrtm.protected_stage WHERE stage = 'proposal' AND x % 3 = 0;
        INSERT INTO revrtm.discount_kind VALUES (CASE x % 2 WHEN 0 THEN 'tier' ELSE 'é "q"' || n END, 'group' || x) ON CONFLICT (discount) DO UPDATE SET stack_group = excluded.stack_group;
        INSERT INTO revrtm.discount_guardrail VALUES ('é "q"' || n, 'direct', NULL, NULL, 'ANY', x / 1000.0, nullif(x % 3, 0) / 10.0, 'compound', x, '[2026-01-01Z,)')
        ON CONFLICT (guardrail_id) DO UPDATE SET max_discount = excluded.max_discount;
        INSERT INTO revrtm.discount_approval VALUES ('é "q"' || n, 1 + x % 3, 'a "b"', x / 1000.0, NULL) ON CONFLICT (guardrail_id, level) DO UPDATE SET floor_margin = 0.25;
        DELETE FROM revrtm.partner_role_map WHERE role IN ('broker', 'own' || x % 12) AND x % 5 = 0;
    WHEN 5 THEN
        INSERT INTO revrtm.route_role (rule_id, route_id, segment, role) VALUES ('rule ' || n, 'direct', 'segment ' || n, 'support')
        ON CONFLICT (rule_id) DO UPDATE SET priority = x;
    WHEN 13 THEN
        UPDATE revrtm.maturity_model SET benchmark = 1 + x / 250.0 WHERE model = 'rm6';
        INSERT INTO revrtm.maturity_level VALUES ('own' || n, 1 + x % 4, 'é "q"' || x, 'x') ON CONFLICT (model, level) DO UPDATE SET level_name = excluded.level_name;
        INSERT INTO revrtm.maturity_dimension (model, dimension, ordinal, dimension_name, kpis) VALUES (CASE x % 2 WHEN 0 THEN 'rm6' ELSE 'own' END, 'people', x, 'x', ARRAY['a, "b"', x::text])
        ON CONFLICT (model, dimension) DO UPDATE SET ordinal = x, target = 1 + x % 4;
        INSERT INTO revrtm.maturity_stage VALUES ('rm6', 'people', 1 + x % 4, 'é "q"' || x) ON CONFLICT (model, dimension, level) DO UPDATE SET description = excluded.description;
        UPDATE revrtm.maturity_criterion SET threshold = x / 8.0 WHERE model = 'rm6' AND level = 2 + x % 3;
        DELETE FROM revrtm.maturity_criterion WHERE model = 'loop' AND dimension = 'aware' AND x % 3 = 0;
        INSERT INTO revrtm.loop_map VALUES ('stage', CASE x % 2 WHEN 0 THEN 'Proposal' ELSE 'é "q"' || n END, 'aware') ON CONFLICT (source, value) DO UPDATE SET stage = 'decision' || x;
    WHEN 8 THEN
        UPDATE revrtm.registration_state SET editable_fields = CASE x % 2 WHEN 0 THEN '{amount}' ELSE '{}' END::text[] WHERE status = 'action_required';
        UPDATE revrtm.registration_transition SET reason_required = NOT reason_required WHERE from_status = 'submitted' AND to_status = 'in_review';
        INSERT INTO revrtm.roe_rule (rule, kind, parameters) VALUES (CASE x % 2 WHEN 0 THEN 'pending' ELSE 'own' || n END, 'direct_active', format('{"direct_lookback": "%s days"}', x + 1)::jsonb)
        ON CONFLICT (rule) DO UPDATE SET enabled = NOT roe_rule.enabled;
        INSERT INTO revrtm.evidence_type VALUES (CASE x % 2 WHEN 0 THEN 'poc' ELSE 'own' || n END, x / 8.0, true)
        ON CONFLICT (evidence_type) DO UPDATE SET third_party = NOT evidence_type.third_party;
        UPDATE revrtm.conflict_rule SET due_hours = 1 + x, tie_days = n;
    WHEN 10 THEN
        UPDATE revrtm.portfolio_rule SET activity_days = 1 + x, fit = format('[{"field": "employees", "op": ">", "value": %s}]', x)::jsonb;
        INSERT INTO revrtm.motion_rule VALUES ('crm_role', CASE x % 2 WHEN 0 THEN 'reseller' ELSE 'own' || n END, 'é "q"' || n, x)
        ON CONFLICT (evidence, value) DO UPDATE SET ordinal = excluded.ordinal;
        DELETE FROM revrtm.motion_rule WHERE value IN ('dealer', 'own' || x % 12) AND x % 5 = 0;
    WHEN 11 THEN
        INSERT INTO revrtm.target VALUES ('route ' || n, date '2026-01-15', 'revenue', x / 8.0, 'EUR') ON CONFLICT (route_id, metric, period) DO UPDATE SET value = excluded.value;
        INSERT INTO revrtm.play (play_id, route_id, entry) VALUES ('play ' || n, 'route ' || x, format('[{"field": "é", "op": "=", "value": %s}]', x)::jsonb)
        ON CONFLICT (play_id) DO UPDATE SET product = 'p' || x;
    WHEN 12 THEN
        INSERT INTO revrtm.territory VALUES ('t' || n, 'é "q"' || x) ON CONFLICT (territory_id) DO UPDATE SET territory_name = NULL;
        INSERT INTO revrtm.territory_assignment (assignment_id, territory_id, member_id, share) VALUES (md5('t' || n)::uuid, 't' || n, 'm' || x, 0.25)
        ON CONFLICT (assignment_id) DO UPDATE SET member_id = 'other', valid = tstzrange('2026-01-01Z', '2026-01-01Z'::timestamptz + x * interval '1 hour' + interval '1 second');
        UPDATE revrtm.holdover_policy SET days = 1 + x, exempt = CASE x % 2 WHEN 0 THEN '[]'::jsonb END;
    WHEN 7 THEN
        INSERT INTO revrtm.amendment_kind (kind, is_loss) VALUES (CASE x % 2 WHEN 0 THEN 'refund' ELSE 'own' || n END, x % 3 = 0)
        ON CONFLICT (kind) DO UPDATE SET is_loss = NOT amendment_kind.is_loss;
    WHEN 6 THEN
        INSERT INTO revrtm.attribution_policy (route_id, lookback, step_limit) VALUES (CASE x % 2 WHEN 0 THEN '(any)' ELSE 'route ' || n END, x * interval '1 hour', 1 + n)
        ON CONFLICT (route_id) DO UPDATE SET after_anchor = NOT attribution_policy.after_anchor;
    ELSE
        INSERT INTO revrtm.partner_model VALUES (CASE x % 2 WHEN 0 THEN 'partner_equal' ELSE 'own' || n END, 'dual',
            format('{"sourcer": 0.%s, "closer": %s}', x, 1 - ('0.' || x)::numeric)::jsonb)
        ON CONFLICT (model) DO UPDATE SET enabled = NOT partner_model.enabled;
    END CASE;
END
$$;

-- And one of enablement.
CREATE FUNCTION pg_temp.edit_enablement(seed text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n int := pg_temp.dice('n' || seed, 12);
    x int := pg_temp.dice('x' || seed, 1000);
BEGIN
    CASE pg_temp.dice('enablement' || seed, 8)
    WHEN 0 THEN UPDATE revrtm.life_cycle_state SET editable_fields = CASE x % 2 WHEN 0 THEN '{details}' ELSE '{}' END::text[] WHERE subject = 'referral' AND status = 'sent';
    WHEN 1 THEN
        INSERT INTO revrtm.life_cycle_transition (subject, from_status, to_status, actors) VALUES ('mdf_request', CASE x % 2 WHEN 0 THEN 'expired' ELSE 'requested' END, 'withdrawn', '{staff}')
        ON CONFLICT (subject, from_status, to_status) DO UPDATE SET reason_required = NOT life_cycle_transition.reason_required;
        DELETE FROM revrtm.life_cycle_transition WHERE subject = 'spiff_award' AND from_status = 'paid' AND x % 3 = 0;
    WHEN 2 THEN UPDATE revrtm.enablement_terms SET referral_hours = 1 + x / 7.0, alert_days = ARRAY[x, n], least_group = 2 + n;
    WHEN 3 THEN
        INSERT INTO revrtm.course VALUES ('own' || n, 'é "q"' || x, NULL, (1 + x) * interval '1 hour', x / 8.0)
        ON CONFLICT (course_id) DO UPDATE SET cost = excluded.cost;
        INSERT INTO revrtm.curriculum VALUES ('role ' || n, 'own') ON CONFLICT DO NOTHING;
        DELETE FROM revrtm.curriculum WHERE role = 'role ' || x % 12 AND x % 3 = 0;
    WHEN 4 THEN
        INSERT INTO revrtm.fund (fund_id, kind, valid, amount, currency) VALUES ('fund ' || n, 'mdf', daterange('2026-01-01', date '2026-01-02' + x), x, 'USD')
        ON CONFLICT (fund_id) DO UPDATE SET amount = excluded.amount;
    WHEN 5 THEN
        INSERT INTO revrtm.enablement_category VALUES ('own' || n) ON CONFLICT DO NOTHING;
        DELETE FROM revrtm.enablement_category WHERE category = 'mdf' AND x % 3 = 0;
    WHEN 6 THEN UPDATE revrtm.partner_metric SET weight = x / 1000.0 WHERE metric IN ('win_rate', 'cycle_time');
    ELSE
        INSERT INTO revrtm.tier (tier, rank) VALUES (CASE x % 2 WHEN 0 THEN 'gold' ELSE 'own' || n END, n) ON CONFLICT (tier) DO UPDATE SET keep = 0.5 + x / 2000.0;
        INSERT INTO revrtm.tier_criterion VALUES ('gold', CASE x % 2 WHEN 0 THEN 'win_rate' ELSE 'own' || n END, x / 3.0) ON CONFLICT (tier, metric) DO UPDATE SET threshold = excluded.threshold;
    END CASE;
END
$$;

CREATE FUNCTION pg_temp.other_settings(seed int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('TimeZone', (ARRAY['UTC', 'Asia/Kolkata', 'America/St_Johns'])[1 + seed % 3], false),
            set_config('DateStyle', (ARRAY['ISO, MDY', 'German', 'SQL, DMY', 'Postgres'])[1 + seed % 4], false),
            set_config('IntervalStyle', (ARRAY['postgres', 'iso_8601', 'sql_standard'])[1 + seed % 3], false),
            set_config('extra_float_digits', (ARRAY['1', '0', '-3'])[1 + seed % 3], false),
            set_config('search_path', (ARRAY['public', 'pg_temp, revrtm, public'])[1 + seed % 2], false);
END
$$;

-- Each round is a transaction.
CREATE TEMP TABLE kept (round int, at timestamptz, policy jsonb, hash text, held text);
INSERT INTO kept SELECT 0, clock_timestamp(), revrtm.export_policy(), revrtm.policy_hash(), pg_temp.held();
DO $$
BEGIN
    FOR round IN 1 .. 60 LOOP
        PERFORM pg_temp.other_settings(round);
        PERFORM pg_temp.edit(round || '/' || i) FROM generate_series(1, 1 + pg_temp.dice('edits' || round, 6)) i;
        PERFORM pg_temp.edit_terms('terms ' || round), pg_temp.edit_enablement('enablement ' || round);
        COMMIT;
        INSERT INTO kept SELECT round, clock_timestamp(), revrtm.export_policy(), revrtm.policy_hash(), pg_temp.held();
    END LOOP;
END
$$;
RESET ALL;
SET client_min_messages = warning;
SELECT cmp_ok((SELECT count(DISTINCT held) FROM kept), '>=', 40::bigint, 'the rounds differ');
SELECT is((SELECT count(DISTINCT t.key) FROM kept, jsonb_each(policy -> 'tables') t, kept k WHERE k.round = 0
           AND t.value <> k.policy -> 'tables' -> t.key), (SELECT count(*) FROM revrtm.policy_table WHERE exported), 'in every table');
SELECT is_empty($$SELECT a.round, b.round FROM kept a, kept b
    WHERE (a.policy::text = b.policy::text) <> (a.hash = b.hash) OR (a.hash = b.hash) <> (a.held = b.held)$$,
    'documents and hashes are equal where the tables are');
SELECT is_empty($$SELECT round FROM kept WHERE hash <> revrtm.policy_hash(policy) OR hash <> encode(sha256(convert_to(policy::text, 'UTF8')), 'hex')$$,
    'a kept document has its hash');
SELECT is_empty($$SELECT round FROM kept WHERE policy::text <> revrtm.export_policy(at)::text$$,
    'the audit log knows the policy of every instant');
SELECT is_empty($$SELECT round FROM kept WHERE revrtm.read_policy(policy)::text <> policy::text$$, 'what was exported reads as it is');

-- Differences, against sets of (table, key, column, value).
CREATE TEMP TABLE cell AS
SELECT k.round, p.table_name, (SELECT jsonb_object_agg(n, r -> n) FROM unnest(p.key_columns) n) AS key, c.key AS column_name, c.value::text AS value
FROM kept k, revrtm.policy_table p, jsonb_array_elements(k.policy -> 'tables' -> p.table_name) r, jsonb_each(r) c
WHERE k.round % 4 = 0;
CREATE TEMP TABLE diff AS
SELECT a.round AS a, b.round AS b, d.table_name, d.row_key AS key, d.change, o.column_name, o.old, o.new
FROM kept a, kept b, revrtm.policy_diff(a.policy, b.policy) d
JOIN revrtm.policy_table p ON p.table_name = d.table_name
CROSS JOIN LATERAL (
    SELECT d.column_name, d.old::text AS old, d.new::text AS new WHERE d.column_name IS NOT NULL
    UNION ALL SELECT c.key, c.value::text, NULL FROM jsonb_each(d.old) c WHERE d.column_name IS NULL AND d.change = 'removed'
    UNION ALL SELECT c.key, NULL, c.value::text FROM jsonb_each(d.new) c WHERE d.column_name IS NULL AND d.change = 'added') o
WHERE a.round % 4 = 0 AND b.round % 4 = 0;
SELECT set_eq('SELECT a, b, table_name, key, column_name, old FROM diff WHERE old IS NOT NULL',
    $$SELECT a.round AS a, b.round AS b, a.table_name, a.key, a.column_name, a.value FROM cell a, (SELECT DISTINCT round FROM cell) b
      WHERE NOT EXISTS (SELECT FROM cell c WHERE (c.round, c.table_name, c.key, c.column_name, c.value)
                                               = (b.round, a.table_name, a.key, a.column_name, a.value))$$,
    'what a policy has that another has not');
SELECT set_eq('SELECT a, b, table_name, key, column_name, new FROM diff WHERE new IS NOT NULL',
    $$SELECT a.round AS a, b.round AS b, b.table_name, b.key, b.column_name, b.value FROM cell b, (SELECT DISTINCT round FROM cell) a
      WHERE NOT EXISTS (SELECT FROM cell c WHERE (c.round, c.table_name, c.key, c.column_name, c.value)
                                               = (a.round, b.table_name, b.key, b.column_name, b.value))$$,
    'and what the other has');

-- Back and forth.
CREATE TEMP TABLE back (step int, round int, wrong text);
DO $$
DECLARE
    k kept;
    hash text;
BEGIN
    FOR step IN 1 .. 60 LOOP
        SELECT * INTO k FROM kept WHERE round = pg_temp.dice('back' || step, 61);
        PERFORM pg_temp.other_settings(step + 1);
        PERFORM revrtm.import_policy(k.policy);
        INSERT INTO back SELECT step, k.round, concat_ws(', ',
            CASE WHEN revrtm.export_policy()::text <> k.policy::text THEN 'export' END,
            CASE WHEN revrtm.policy_hash() <> k.hash THEN 'hash' END,
            CASE WHEN pg_temp.held() <> k.held THEN 'tables' END,
            CASE WHEN EXISTS (SELECT FROM revrtm.policy_diff(k.policy, revrtm.export_policy())) THEN 'diff' END,
            CASE WHEN EXISTS (SELECT FROM revrtm.import_policy(k.policy) i WHERE i.inserted + i.updated + i.deleted > 0)
                 THEN 'again' END);
        COMMIT;
    END LOOP;
END
$$;
RESET ALL;
SET client_min_messages = warning;
SELECT is_empty($$SELECT * FROM back WHERE wrong <> ''$$, 'an imported policy is the policy, under any settings');
SELECT is_empty($$SELECT round FROM kept WHERE policy::text <> revrtm.export_policy(at)::text$$,
    'and the audit log still knows what it was');
SELECT is_empty($$SELECT r.region_id FROM revrtm.region r JOIN revrtm.region p ON p.region_id = r.parent_id WHERE NOT r.span <@ p.span$$,
    'regions lie within their parents');
SELECT is_empty($$SELECT table_name, row_key FROM revrtm.audit_log GROUP BY table_name, row_key, changed_at HAVING count(*) > 1$$,
    'changes of a row have an order');

SELECT * FROM finish();
DROP EXTENSION revrtm CASCADE;
CREATE EXTENSION revrtm;
