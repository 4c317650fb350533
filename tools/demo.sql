-- make demo: the demo CRM, and what it answers.
\set ON_ERROR_STOP 1
\set QUIET 1
\pset footer off
\pset linestyle unicode
\pset border 1
\pset null '-'
SET client_min_messages = warning;
CREATE DATABASE demo;
-- The demo's calendar ends with June 2026; nothing it says reads the clock.
ALTER DATABASE demo SET revrtm.as_of = '2026-07-01';
ALTER DATABASE demo SET timezone = 'UTC';
\connect demo
SET client_min_messages = warning;
CREATE EXTENSION revrtm CASCADE;

\warn loading the demo CRM of 2000 deals
SELECT FROM revrtm.load_demo(2000, 1) \g /dev/null
\warn packing journeys, attributing, fitting, allocating
SELECT FROM revrtm.refresh_journeys() \g /dev/null
SELECT FROM revrtm.refresh_romi() \g /dev/null
SELECT FROM revrtm.refresh_marks() \g /dev/null
-- The councils of April and May, whose outcomes that of June looks at.
SET revrtm.as_of = '2026-05-01';
SELECT FROM revrtm.open_council('2026-04-01') \g /dev/null
SELECT FROM revrtm.close_council('2026-04-01', 'accept') \g /dev/null
-- May spends what was decided.
UPDATE revrtm_demo.spend_entry e SET amount = e.amount * b.amount / s.spend
FROM revrtm.council_budget b JOIN revrtm.route_spend s USING (period, route_id, category)
WHERE b.period = '2026-05-01' AND e.route_id = b.route_id AND e.category = b.category
  AND e.period BETWEEN '2026-05-01' AND '2026-05-31';
SELECT FROM revrtm.refresh_romi() \g /dev/null
RESET revrtm.as_of;
SELECT FROM revrtm.record_outcomes() \g /dev/null
SELECT FROM revrtm.take_maturity() \g /dev/null
CREATE TEMPORARY TABLE pack AS SELECT revrtm.council_pack() AS doc;

SELECT to_char((doc ->> 'period')::date, 'FMMonth YYYY') AS month, doc ->> 'currency' AS currency,
       doc ->> 'model' AS model, (doc ->> 'as_of')::timestamp::date AS today FROM pack \gset
\echo
\echo 'REVENUE COUNCIL OF' :month '(as of' :today', attribution by' :model', money in thousands of' :currency')'
\echo
\echo 'Routes: pipeline today; the twelve months to the council; the month''s budget'
SELECT r.route_id AS route,
       round(r.open_amount / 1000) AS pipeline,
       round(r.win_rate * 100, 1) || ' %' AS "win rate",
       round(r.cycle_days) AS "cycle, days",
       round((r.revenue_by_model ->> 'first_touch')::numeric / 1000) AS "first touch",
       round((r.revenue_by_model ->> 'last_touch')::numeric / 1000) AS "last touch",
       round((r.revenue_by_model ->> 'linear')::numeric / 1000) AS "linear",
       round((r.revenue_by_model ->> 'u_shaped')::numeric / 1000) AS "u shaped",
       round((r.revenue_by_model ->> 'time_decay')::numeric / 1000) AS "time decay",
       round(r.spend / 1000) AS spend,
       round(r.romi, 2) AS romi,
       round(r.marginal_romi, 2) AS "marginal romi",
       round(r.current_budget / 1000, 1) AS budget,
       round(r.proposed_budget / 1000, 1) AS proposed
FROM pack, jsonb_to_recordset(doc -> 'routes') AS r (
    route_id text, open_amount numeric, win_rate numeric, cycle_days numeric, revenue_by_model jsonb,
    spend numeric, romi numeric, marginal_romi numeric, current_budget numeric, proposed_budget numeric);

\echo 'ROMI and what is expected, by line: own return of the year''s cohorts, drawn to all lines as far as it is doubtful'
SELECT e.route_id || '/' || e.category AS line, e.deals, round(e.own_romi, 2) AS own, round(e.credibility, 2) AS credibility,
       round(e.expected_romi, 2) AS expected, round(e.lo, 2) || ' to ' || round(e.hi, 2) AS "9 of 10", e.note
FROM pack, jsonb_to_recordset(doc -> 'expected') AS e (
    route_id text, category text, deals bigint, own_romi numeric, credibility numeric, expected_romi numeric, lo numeric, hi numeric, note text)
ORDER BY e.expected_romi DESC NULLS LAST;

\echo 'Budget: where the month''s money would return most margin, within 20 % of what each line has'
SELECT b.line, round(b.current) AS current, round(b.proposed) AS proposed,
       to_char(round(b.change), 'SG999,999') AS change, to_char(round(b.gain::numeric), 'SG999,999') AS gain,
       round(b.marginal_before::numeric, 2) AS "one more now", round(b.marginal::numeric, 2) AS "then", b.bound, nullif(b.note, '') AS note
FROM pack, jsonb_to_recordset(doc -> 'budget') AS b (
    line text, current numeric, proposed numeric, change numeric, gain float8, marginal float8, marginal_before float8,
    bound text, note text)
UNION ALL
SELECT 'total', round(sum(b.current)), round(sum(b.proposed)), to_char(round(sum(b.change)), 'SG999,999'),
       to_char(round(sum(b.gain)::numeric), 'SG999,999'), NULL, NULL, NULL, NULL
FROM pack, jsonb_to_recordset(doc -> 'budget') AS b (
    line text, current numeric, proposed numeric, change numeric, gain float8);

\echo 'Outcomes of the council of April: what the moves of May were to bring, and brought'
SELECT o.line, round(o.amount - o.current) AS moved, round(o.predicted) AS predicted, round(o.realised) AS realised, o.note
FROM pack, jsonb_to_recordset(doc -> 'outcomes') AS o (line text, current numeric, amount numeric, predicted numeric, realised numeric, note text)
WHERE o.note IS DISTINCT FROM 'no_move'
ORDER BY o.line COLLATE "C";
SELECT c.moves, round(c.share, 2) AS "came true", round(c.doubt, 2) AS "give or take", round(c.factor, 3) AS "next gains count"
FROM pack, jsonb_to_recordset(doc -> 'calibration') AS c (line text, moves bigint, share numeric, doubt numeric, factor numeric)
WHERE c.line = '(all)';

\echo 'Customers: what one costs, fully loaded, and leaves'
SELECT u.route_id AS route, u.new_customers AS customers, round(u.cac) AS cac, round(u.ltv) AS ltv, round(u.ltv_cac, 2) AS "ltv / cac",
       round(u.payback, 1) AS "payback, months", u.note
FROM pack, jsonb_to_recordset(doc -> 'unit_economics') AS u (
    route_id text, cost text, new_customers bigint, cac numeric, ltv numeric, ltv_cac numeric, payback numeric, note text)
WHERE u.cost = 'fully_loaded' ORDER BY u.route_id COLLATE "C";

\echo 'KPIs of the last quarter: money in thousands, times in days, of approvals in business hours'
SELECT k.route_id AS route,
       round(max(k.value) FILTER (WHERE k.kpi = 'sourced_pipeline') / 1000) AS sourced,
       round(max(k.value) FILTER (WHERE k.kpi = 'influenced_pipeline') / 1000) AS influenced,
       round(max(k.value) FILTER (WHERE k.kpi = 'sqo_rate') * 100) || ' %' AS "SQO rate",
       round(max(k.value) FILTER (WHERE k.kpi = 'win_rate') * 100) || ' %' AS "win rate",
       format('%s-%s', round(max(k.lo) FILTER (WHERE k.kpi = 'win_rate') * 100), round(max(k.hi) FILTER (WHERE k.kpi = 'win_rate') * 100)) AS "of 95 %",
       round(max(k.value) FILTER (WHERE k.kpi = 'cycle_time_median')) AS cycle,
       round(max(k.value) FILTER (WHERE k.kpi = 'cac') / 1000, 1) AS cac,
       round(max(k.value) FILTER (WHERE k.kpi = 'ltv_capped') / 1000) AS "ltv, 5 years",
       round(max(k.value) FILTER (WHERE k.kpi = 'gross_margin') * 100) || ' %' AS margin,
       round(max(k.value) FILTER (WHERE k.kpi = 'nrr') * 100) || ' %' AS nrr,
       round(max(k.value) FILTER (WHERE k.kpi = 'approval_time'), 1) AS approval,
       round(max(k.value) FILTER (WHERE k.kpi = 'conflict_rate') * 100) || ' %' AS conflicts
FROM pack, revrtm.kpi_between(((doc ->> 'period')::date - interval '2 months')::date, (doc ->> 'period')::date, '{route}') k
WHERE k.route_id <> '(none)'
GROUP BY k.route_id ORDER BY k.route_id;

\echo 'Coverage: the part of the potential that somebody works on, and of what is still to sell'
SELECT c.region, round(sum(c.potential) / 1000) AS potential,
       round(sum(c.covered_potential) / sum(c.potential) * 100) || ' %' AS coverage,
       round(sum(c.direct_only_potential) / sum(c.potential) * 100) || ' %' AS "direct only",
       round(sum(c.partner_only_potential) / sum(c.potential) * 100) || ' %' AS "partner only",
       round(sum(c.both_sides_potential) / sum(c.potential) * 100) || ' %' AS "both",
       round(sum(w.whitespace) / 1000) AS whitespace,
       round(sum(w.worked_whitespace) / sum(w.whitespace) * 100) || ' %' AS worked
FROM revrtm.coverage c JOIN revrtm.whitespace_coverage w USING (segment, product, region)
GROUP BY c.region ORDER BY c.region;

\echo 'Maturity, of 4: what people say, what the figures prove, and what counts'
SELECT m.dimension_name AS capability, m.owner, m.self_score AS says, m.evidence_score AS proves, m.result,
       nullif(substring(m.next_step FROM ' It needs (.*)\.$'), '') AS "the next level needs"
FROM revrtm.maturity m WHERE m.model = 'enablement' ORDER BY m.ordinal;

\echo 'Open conflicts, by what is due first'
SELECT a.account_name AS account, c.kind,
       coalesce(s.partner_name, c.leads) AS "was first", coalesce(o.partner_name, c.follows) AS "claims too",
       c.opened_at::date AS opened, c.due_at::date AS due, CASE WHEN c.is_overdue THEN 'overdue' END AS note
FROM (SELECT k.*, CASE WHEN k.leader = k.claim_b THEN k.partner_b ELSE k.partner_a END AS leads,
             CASE WHEN k.leader = k.claim_b THEN k.partner_a ELSE k.partner_b END AS follows
      FROM revrtm.open_case k) c
     LEFT JOIN revrtm.account a ON a.account_id = c.account_id
     LEFT JOIN revrtm.partner s ON s.partner_id = c.leads
     LEFT JOIN revrtm.partner o ON o.partner_id = c.follows
ORDER BY c.due_at, a.account_name COLLATE "C";

\echo 'Checks: credit against the CRM''s bookings, all months and models'
SELECT count(*) AS checks, sum(deals) AS "deals x models", round(sum(bookings), 2) AS bookings, round(sum(credited), 2) AS credited,
       count(*) FILTER (WHERE difference <> 0 OR deal_difference <> 0) AS "not zero"
FROM revrtm.attribution_check;

\echo 'Notes'
SELECT n.note FROM pack, jsonb_array_elements_text(doc -> 'notes') AS n (note);
