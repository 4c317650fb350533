-- What the monthly revenue council looks at, as one document.

CREATE FUNCTION revrtm.council_route(period date DEFAULT NULL)
RETURNS TABLE (route_id text, kind text, open_deals bigint, open_amount numeric, won bigint, lost bigint,
               win_rate numeric, cycle_days numeric, spend numeric, revenue_by_model jsonb, revenue numeric,
               margin numeric, romi numeric, marginal_romi numeric, current_budget numeric,
               proposed_budget numeric, note text)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SET jit = off
BEGIN ATOMIC
    WITH span AS MATERIALIZED (
        SELECT m.last_month, (m.last_month - interval '11 months')::date AS first_month,
               revrtm.council_model() AS model
        FROM (SELECT revrtm.council_period(council_route.period) AS last_month OFFSET 0) m
    ), deals AS (
        SELECT d.route_id,
               pg_catalog.count(*) FILTER (WHERE NOT d.is_closed) AS open_deals,
               coalesce(pg_catalog.sum(d.amount) FILTER (WHERE NOT d.is_closed), 0) AS open_amount,
               pg_catalog.count(*) FILTER (WHERE d.is_won AND d.is_recent) AS won,
               pg_catalog.count(*) FILTER (WHERE d.is_closed AND NOT d.is_won AND d.is_recent) AS lost,
               pg_catalog.bool_or(d.period IS NULL OR d.is_recent) AS is_known
        FROM (SELECT x.*, x.period BETWEEN (SELECT s.first_month FROM span s) AND (SELECT s.last_month FROM span s) AS is_recent
              FROM revrtm.deal x) d
        GROUP BY d.route_id
    ), lasted AS (
        SELECT d.route_id,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM d.ended_at - d.created_at)::float8) / 86400 AS cycle_days
        FROM revrtm.deal d
        -- A deal that closed before it was created says nothing of the cycle.
        WHERE d.is_won AND d.ended_at >= d.created_at
          AND d.period BETWEEN (SELECT s.first_month FROM span s) AND (SELECT s.last_month FROM span s)
        GROUP BY d.route_id
    ), credit AS MATERIALIZED (
        SELECT c.model, c.route_id, pg_catalog.sum(c.revenue) AS revenue, pg_catalog.sum(c.margin) AS margin
        FROM revrtm.route_credit c
        -- Sub-selects rather than a join: only those months are summed.
        WHERE c.period BETWEEN (SELECT s.first_month FROM span s) AND (SELECT s.last_month FROM span s)
        GROUP BY c.model, c.route_id
    ), credited AS (
        SELECT c.route_id, pg_catalog.jsonb_object_agg(c.model, c.revenue) AS revenue_by_model,
               pg_catalog.sum(c.revenue) FILTER (WHERE c.model = s.model) AS revenue,
               pg_catalog.sum(c.margin) FILTER (WHERE c.model = s.model) AS margin
        FROM credit c CROSS JOIN span s
        GROUP BY c.route_id
    ), spent AS (
        SELECT p.route_id, pg_catalog.sum(p.spend) AS spend
        FROM revrtm.route_spend p CROSS JOIN span s
        WHERE p.period BETWEEN s.first_month AND s.last_month
        GROUP BY p.route_id
    ), budget AS (
        SELECT b.route_id, pg_catalog.sum(b.current) AS current_budget, pg_catalog.sum(b.proposed) AS proposed_budget,
               -- A line without evidence has no curve.
               revrtm.ratio(pg_catalog.sum(b.marginal_before::numeric * b.current) FILTER (WHERE b.source <> 'mean'),
                            pg_catalog.sum(b.current) FILTER (WHERE b.source <> 'mean')) AS slope
        FROM revrtm.budget_explanation(council_route.period) b
        GROUP BY b.route_id
    ), spine AS (
        -- The routes of known_route, without reading credit once more.
        SELECT t.route_id FROM revrtm.route t WHERE t.active
        UNION SELECT d.route_id FROM deals d WHERE d.is_known
        UNION SELECT c.route_id FROM credited c
        UNION SELECT s.route_id FROM spent s
        UNION SELECT a.route_id FROM budget a
    )
    SELECT p.route_id, r.kind, coalesce(d.open_deals, 0), coalesce(d.open_amount, 0)::numeric(20, 4),
           coalesce(d.won, 0), coalesce(d.lost, 0),
           revrtm.ratio(d.won, d.won + d.lost)::numeric(12, 6),
           y.cycle_days::numeric(12, 1),
           coalesce(s.spend, 0)::numeric(20, 4),
           coalesce(c.revenue_by_model, '{}'),
           coalesce(c.revenue, 0)::numeric(20, 4), coalesce(c.margin, 0)::numeric(20, 4),
           revrtm.ratio(coalesce(c.margin, 0) - s.spend, s.spend)::numeric(18, 6),
           (b.slope - 1)::numeric(18, 6),
           coalesce(b.current_budget, 0)::numeric(20, 4), coalesce(b.proposed_budget, 0)::numeric(20, 4),
           coalesce(CASE WHEN r.route_id IS NULL THEN 'unknown_route' END, revrtm.ratio_note(s.spend, 'zero_spend'),
                    revrtm.ratio_note(d.won + d.lost, 'no_closed'))
    FROM spine p
         LEFT JOIN revrtm.route r ON r.route_id = p.route_id
         LEFT JOIN deals d ON d.route_id = p.route_id
         LEFT JOIN lasted y ON y.route_id = p.route_id
         LEFT JOIN credited c ON c.route_id = p.route_id
         LEFT JOIN spent s ON s.route_id = p.route_id
         LEFT JOIN budget b ON b.route_id = p.route_id
    ORDER BY p.route_id COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.council_route(date) IS
'The routes as the council of a month sees them. Open deals and amount are of the store as it stands; won, lost, win_rate, cycle_days (median of won deals, creation to end), spend, revenue, margin and romi are of the twelve months that end with it, by the model revrtm.model (revenue_by_model: every enabled one); marginal_romi is the margin that one more unit of money would bring at the current budget, less that unit, by the lines'' curves and weighted by their spend. Money in revrtm.currency. A row for every route of known_route in those months, and every other one with budget. note: unknown_route (it is not in revrtm.route), zero_spend, no_closed, or NULL.';

CREATE FUNCTION revrtm.council_pack(period date DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
-- What instants, ranges and numbers look like in JSON.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET jit = off
BEGIN ATOMIC
    WITH council AS MATERIALIZED (
        SELECT x.month, (x.month - interval '11 months')::date AS first_month
        FROM (SELECT revrtm.council_period(council_pack.period) AS month OFFSET 0) x
    ), credit AS MATERIALIZED (
        SELECT a.* FROM revrtm.channel_attribution a WHERE a.period = (SELECT k.month FROM council k)
    ), last_run AS MATERIALIZED (
        SELECT r.run_id, r.at FROM revrtm.maturity_run r WHERE r.at <= revrtm.as_of() ORDER BY r.at DESC, r.taken_at DESC, r.run_id LIMIT 1
    ), explanation AS MATERIALIZED (
        SELECT e.* FROM council k CROSS JOIN LATERAL revrtm.budget_explanation(k.month) e
    )
    SELECT pg_catalog.jsonb_build_object(
        'version', 2,
        'period', k.month,
        'as_of', revrtm.as_of() AT TIME ZONE 'UTC',
        'model', revrtm.council_model(),
        'currency', revrtm.setting('currency'),
        'routes', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r.*) ORDER BY r.route_id COLLATE "C"), '[]')
                   FROM revrtm.council_route(k.month) r),
        'portfolio', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(s.*) ORDER BY s.route_id COLLATE "C"), '[]')
                      FROM revrtm.scorecard_between(k.first_month, k.month, '{route}') s),
        'pipeline', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(p.*) ORDER BY p.region COLLATE "C", p.route_id COLLATE "C"), '[]')
                     FROM (SELECT i.region, i.route_id, pg_catalog.sum(i.open_deals) AS open_deals, pg_catalog.sum(i.open_amount) AS open_amount,
                                  pg_catalog.sum(i.won) AS won, pg_catalog.sum(i.lost) AS lost,
                                  revrtm.ratio(pg_catalog.sum(i.won), pg_catalog.sum(i.won + i.lost))::numeric(12, 6) AS win_rate,
                                  pg_catalog.min(i.note) AS note
                           FROM revrtm.pipeline i
                           GROUP BY i.region, i.route_id) p),
        'attribution', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(a.*)
                                        ORDER BY a.model COLLATE "C", a.channel COLLATE "C"), '[]')
                        FROM credit a),
        'spread', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(s.*) ORDER BY s.channel COLLATE "C"), '[]')
                   FROM (SELECT a.channel, pg_catalog.count(*) AS models, pg_catalog.min(a.revenue) AS lowest,
                                pg_catalog.max(a.revenue) AS highest, pg_catalog.max(a.revenue) - pg_catalog.min(a.revenue) AS spread
                         FROM (SELECT m.model, c.channel, coalesce(a.revenue, 0) AS revenue
                               FROM (SELECT DISTINCT x.model FROM credit x) m
                                    CROSS JOIN (SELECT DISTINCT x.channel FROM credit x) c
                                    LEFT JOIN credit a ON a.model = m.model AND a.channel = c.channel) a
                         GROUP BY a.channel) s),
        'romi', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r.*) ORDER BY r.route_id COLLATE "C", r.category COLLATE "C"), '[]')
                 FROM revrtm.motion_romi_between(k.first_month, k.month, '{route,category}') r),
        'expected', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(x.*) ORDER BY x.route_id COLLATE "C", x.category COLLATE "C"), '[]')
                     FROM revrtm.expected_romi(k.month) x),
        'curves', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                              'line', e.line, 'curve', e.curve, 'source', e.source, 'months', e.months, 'deals', e.deals,
                              'calibration', e.calibration, 'lo', e.lo, 'hi', e.hi, 'note', e.note) ORDER BY e.line COLLATE "C"), '[]')
                   FROM explanation e),
        'budget', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                              'line', e.line, 'route_id', e.route_id, 'category', e.category, 'current', e.current, 'proposed', e.proposed,
                              'change', e.change, 'response', e.response_after, 'marginal', e.marginal_after, 'bound', e.bound,
                              'note', e.note, 'gain', e.gain, 'marginal_before', e.marginal_before, 'explanation', e.explanation)
                                                        ORDER BY e.line COLLATE "C"), '[]')
                   FROM explanation e),
        'breaches', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(b.*) ORDER BY b.kind COLLATE "C", b.subject COLLATE "C"), '[]')
                     FROM revrtm.council_breach(k.month) b),
        'conflicts', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*)
                                      ORDER BY c.account_id COLLATE "C", c.submitted_at, c.partner_id COLLATE "C",
                                               c.other_submitted_at, c.other_partner_id COLLATE "C", c.conflict_key COLLATE "C"), '[]')
                      FROM revrtm.registration_conflict c),
        'cases', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*) ORDER BY c.open_case_key COLLATE "C"), '[]')
                  FROM revrtm.open_case c),
        'sla', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(i.*) ORDER BY i.kpi COLLATE "C", i.route_id COLLATE "C"), '[]')
                FROM revrtm.kpi_between(k.first_month, k.month, '{route}') i
                WHERE i.kpi IN ('approval_time', 'conflict_rate', 'payout_accuracy')),
        'coverage', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*) ORDER BY c.segment COLLATE "C"), '[]')
                     FROM (SELECT v.segment, pg_catalog.sum(v.accounts) AS accounts, pg_catalog.sum(v.covered) AS covered,
                                  revrtm.ratio(pg_catalog.sum(v.covered), pg_catalog.sum(v.accounts))::numeric(12, 6) AS coverage_accounts,
                                  pg_catalog.sum(v.potential) AS potential, pg_catalog.sum(v.covered_potential) AS covered_potential
                           FROM revrtm.coverage v
                           GROUP BY v.segment) c),
        'unit_economics', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(u.*) ORDER BY u.route_id COLLATE "C", u.cost COLLATE "C"), '[]')
                           FROM revrtm.unit_economics_between(k.first_month, k.month, '{route}') u),
        'maturity', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(m.*) ORDER BY m.model COLLATE "C"), '[]')
                     FROM (SELECT t.model, r.at, pg_catalog.count(*) AS dimensions, pg_catalog.count(t.result) AS judged,
                                  pg_catalog.avg(t.self_score)::numeric(4, 2) AS self_score,
                                  pg_catalog.avg(t.evidence_score)::numeric(4, 2) AS evidence_score,
                                  pg_catalog.avg(t.result)::numeric(4, 2) AS result
                           FROM last_run r JOIN revrtm.maturity_trend t ON t.run_id = r.run_id::text
                           GROUP BY t.model, r.at) m),
        'decisions', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(d.*) ORDER BY d.ordinal), '[]')
                      FROM revrtm.council_entry d WHERE d.period = k.month),
        'outcomes', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(o.*) ORDER BY o.period, o.line COLLATE "C"), '[]')
                     FROM revrtm.council_outcome o WHERE o.period BETWEEN k.first_month AND k.month),
        'calibration', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*) ORDER BY c.line COLLATE "C"), '[]')
                        FROM revrtm.council_calibration(k.month) c),
        'checks', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(a.*)
                                    ORDER BY a.model COLLATE "C", a.deal_currency COLLATE "C"), '[]')
                   FROM revrtm.attribution_check a
                   WHERE a.period = k.month),
        'notes', (SELECT coalesce(pg_catalog.jsonb_agg(n.note ORDER BY n.note COLLATE "C"), '[]')
                  FROM (SELECT d.note || ': ' || pg_catalog.count(*) || ' won deals' AS note
                        FROM revrtm.deal d
                        WHERE d.is_won AND d.is_closed AND d.note IS NOT NULL AND d.period <= k.month
                        GROUP BY d.note
                        UNION ALL
                        SELECT s.note || ': ' || pg_catalog.sum(s.fx_missing) || ' entries of spend'
                        FROM revrtm.route_spend s
                        WHERE s.note IS NOT NULL AND s.period <= k.month
                        GROUP BY s.note
                        UNION ALL
                        SELECT 'unknown_route: ' || pg_catalog.count(*) || ' rows of route, channel_map and budget_line'
                        FROM (SELECT t.parent_id AS route_id FROM revrtm.route t
                              UNION ALL SELECT m.route_id FROM revrtm.channel_map m
                              UNION ALL SELECT l.route_id FROM revrtm.budget_line l) u
                        WHERE u.route_id NOT IN (SELECT t.route_id FROM revrtm.route t)
                        HAVING pg_catalog.count(*) > 0
                        UNION ALL
                        SELECT f.note || ': the store of journeys' FROM revrtm.freshness f WHERE f.note IS NOT NULL
                        UNION ALL
                        SELECT 'maturity_missing: the maturity matrix' WHERE NOT EXISTS (SELECT FROM last_run)
                        UNION ALL
                        SELECT r.note || ': the store of ROMI' FROM (SELECT revrtm.romi_note() AS note) r WHERE r.note IS NOT NULL) n))
    FROM council k;
END;
COMMENT ON FUNCTION revrtm.council_pack(date) IS
'Everything the monthly revenue council looks at, one document of version 2: period, as_of (UTC), model, currency; routes (council_route); portfolio (scorecard_between of the twelve months by route); pipeline (the view, by region and route); attribution (channel_attribution of the month) and spread (how far the models are apart, by channel); romi (motion_romi_between of the twelve months by route and category), expected (expected_romi), curves and budget (budget_explanation, budget_proposal); breaches (council_breach), conflicts (registration_conflict), cases (open_case), sla (approval_time, conflict_rate and payout_accuracy by route); coverage (the view, by segment); unit_economics (unit_economics_between of the twelve months by route); maturity (means of the last run that take_maturity kept up to then, by model); decisions (council_entry of the month''s council), outcomes (council_outcome of the twelve months), calibration (council_calibration); checks (attribution_check of the month); notes (what was left out or estimated in the months up to it, and the state of the stores). The month is the one given, or the last closed one with data. The same text whatever the session''s TimeZone, DateStyle or extra_float_digits. 22023 as council_model and budget_explanation.';
