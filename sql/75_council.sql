-- What the monthly revenue council looks at, as one document.

CREATE FUNCTION revrtm.council_route(period date DEFAULT NULL)
RETURNS TABLE (route_id text, kind text, open_deals bigint, open_amount numeric, won bigint, lost bigint,
               win_rate numeric, cycle_days numeric, spend numeric, revenue_by_model jsonb, revenue numeric,
               margin numeric, romi numeric, marginal_romi numeric, current_budget numeric,
               proposed_budget numeric, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
    WITH span AS MATERIALIZED (
        SELECT m.last_month, (m.last_month - interval '11 months')::date AS first_month,
               revrtm.council_model() AS model
        FROM (SELECT revrtm.council_period(council_route.period) AS last_month OFFSET 0) m
    ), deals AS (
        SELECT d.route_id,
               pg_catalog.count(*) FILTER (WHERE NOT d.is_closed) AS open_deals,
               coalesce(pg_catalog.sum(d.amount) FILTER (WHERE NOT d.is_closed), 0) AS open_amount,
               pg_catalog.count(*) FILTER (WHERE d.is_won AND d.period BETWEEN s.first_month AND s.last_month) AS won,
               pg_catalog.count(*) FILTER (WHERE d.is_closed AND NOT d.is_won
                                           AND d.period BETWEEN s.first_month AND s.last_month) AS lost,
               -- A deal that closed before it was created says nothing of the cycle.
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM d.ended_at - d.created_at)::float8)
                   FILTER (WHERE d.is_won AND d.period BETWEEN s.first_month AND s.last_month
                           AND d.ended_at >= d.created_at) / 86400 AS cycle_days
        FROM revrtm.deal d CROSS JOIN span s
        GROUP BY d.route_id
    ), credit AS MATERIALIZED (
        SELECT c.model, c.route_id, pg_catalog.sum(c.revenue) AS revenue, pg_catalog.sum(c.margin) AS margin
        FROM revrtm.route_credit c CROSS JOIN span s
        WHERE c.period BETWEEN s.first_month AND s.last_month
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
        SELECT b.route_id, pg_catalog.sum(b.current) AS current_budget, pg_catalog.sum(b.proposed) AS proposed_budget
        FROM revrtm.budget_proposal(council_route.period) b
        GROUP BY b.route_id
    ), slope AS (
        SELECT f.route_id,
               revrtm.ratio(pg_catalog.sum(revrtm.curve_slope(f.curve, f.current::float8)::numeric * f.current),
                            pg_catalog.sum(f.current)) AS slope
        FROM revrtm.budget_fit(council_route.period) f
        -- A line that keeps its budget has no curve of its own.
        WHERE f.current > 0 AND (f.note IS NULL OR f.note = 'no_response')
        GROUP BY f.route_id
    ), spine AS (
        SELECT k.route_id FROM span s CROSS JOIN LATERAL revrtm.known_route(s.first_month, s.last_month) k
        UNION SELECT a.route_id FROM budget a
    )
    SELECT p.route_id, r.kind, coalesce(d.open_deals, 0), coalesce(d.open_amount, 0)::numeric(20, 4),
           coalesce(d.won, 0), coalesce(d.lost, 0),
           revrtm.ratio(d.won, d.won + d.lost)::numeric(12, 6),
           d.cycle_days::numeric(12, 1),
           coalesce(s.spend, 0)::numeric(20, 4),
           coalesce(c.revenue_by_model, '{}'),
           coalesce(c.revenue, 0)::numeric(20, 4), coalesce(c.margin, 0)::numeric(20, 4),
           revrtm.ratio(coalesce(c.margin, 0) - s.spend, s.spend)::numeric(18, 6),
           (l.slope - 1)::numeric(18, 6),
           coalesce(b.current_budget, 0)::numeric(20, 4), coalesce(b.proposed_budget, 0)::numeric(20, 4),
           coalesce(CASE WHEN r.route_id IS NULL THEN 'unknown_route' END, revrtm.ratio_note(s.spend, 'zero_spend'),
                    revrtm.ratio_note(d.won + d.lost, 'no_closed'))
    FROM spine p
         LEFT JOIN revrtm.route r ON r.route_id = p.route_id
         LEFT JOIN deals d ON d.route_id = p.route_id
         LEFT JOIN credited c ON c.route_id = p.route_id
         LEFT JOIN spent s ON s.route_id = p.route_id
         LEFT JOIN budget b ON b.route_id = p.route_id
         LEFT JOIN slope l ON l.route_id = p.route_id
    ORDER BY p.route_id COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.council_route(date) IS
'The routes as the council of a month sees them. Open deals and amount are of the store as it stands; won, lost, win_rate, cycle_days (median of won deals, creation to end), spend, revenue, margin and romi are of the twelve months that end with it, by the model revrtm.model (revenue_by_model: every enabled one); marginal_romi is the margin that one more unit of money would bring at the current budget, less that unit, by the lines'' curves and weighted by their spend. Money in revrtm.currency. A row for every route of known_route in those months, and every other one with budget. note: unknown_route (it is not in revrtm.route), zero_spend, no_closed, or NULL.';

CREATE FUNCTION revrtm.council_pack(period date DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
-- What instants, ranges and numbers look like in JSON.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
SET extra_float_digits = 1
BEGIN ATOMIC
    WITH council AS MATERIALIZED (
        SELECT revrtm.council_period(council_pack.period) AS month
    )
    SELECT pg_catalog.jsonb_build_object(
        'version', 1,
        'period', k.month,
        'as_of', revrtm.as_of() AT TIME ZONE 'UTC',
        'model', revrtm.council_model(),
        'currency', revrtm.setting('currency'),
        'routes', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r.*) ORDER BY r.route_id COLLATE "C"), '[]')
                   FROM revrtm.council_route(k.month) r),
        'attribution', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(a.*)
                                        ORDER BY a.model COLLATE "C", a.channel COLLATE "C"), '[]')
                        FROM revrtm.channel_attribution a
                        WHERE a.period = k.month),
        'conflicts', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*)
                                      ORDER BY c.account_id COLLATE "C", c.submitted_at, c.partner_id COLLATE "C",
                                               c.other_submitted_at, c.other_partner_id COLLATE "C", c.conflict_key COLLATE "C"), '[]')
                      FROM revrtm.registration_conflict c),
        'budget', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(b.*) ORDER BY b.line COLLATE "C"), '[]')
                   FROM revrtm.budget_proposal(k.month) b),
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
                        SELECT f.note || ': the store of journeys' FROM revrtm.freshness f WHERE f.note IS NOT NULL) n))
    FROM council k;
END;
COMMENT ON FUNCTION revrtm.council_pack(date) IS
'Everything the monthly revenue council looks at, one document: version, period, as_of (UTC), model, currency, routes (council_route), attribution (channel_attribution of the month), conflicts (registration_conflict), budget (budget_proposal), checks (attribution_check of the month), notes (what was left out or estimated in the months up to it, and the state of the store). The month is the one given, or the last closed one with data. The same text whatever the session''s TimeZone, DateStyle or extra_float_digits. 22023 as council_model.';
