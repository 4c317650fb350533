-- The proposal to the council: curves from the lines' months, bounds from
-- policy, and what moves, by how much and why.

CREATE FUNCTION revrtm.budget_fit(period date DEFAULT NULL)
RETURNS TABLE (line text, route_id text, category text, current numeric, lo numeric, hi numeric,
               curve revrtm.response_curve, months bigint, other_share numeric, note text,
               group_path text, deals bigint, source text, raw_curve revrtm.response_curve, slope_error double precision,
               calibration numeric, gross_margin numeric, other_route text, held text)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000 ROWS 20
SET jit = off
BEGIN ATOMIC
    WITH council AS MATERIALIZED (
        SELECT x.month, (x.month - interval '11 months')::date AS first_month, revrtm.council_model() AS model,
               revrtm.currency_scale(NULL) AS scale, revrtm.setting('currency') AS currency,
               coalesce(r.least_share, 0.8) AS least_share, coalesce(r.most_share, 1.2) AS most_share,
               coalesce(r.own_months, 6) AS own_months, coalesce(r.least_months, 3) AS least_months,
               coalesce(r.least_deals, 5) AS least_deals, coalesce(r.explore_share, 0) AS explore_share
        FROM (SELECT revrtm.council_period(budget_fit.period) AS month OFFSET 0) x LEFT JOIN revrtm.council_rule r ON true
    ), month AS MATERIALIZED (
        SELECT l.line, l.category, m.period, m.spend, m.margin, m.deals, m.revenue, m.net
        FROM (SELECT r.route_id, r.category, r.period, pg_catalog.sum(r.spend) AS spend, pg_catalog.round(pg_catalog.sum(r.incremental_margin), 4) AS margin,
                     pg_catalog.sum(r.deals) AS deals, pg_catalog.sum(r.revenue) AS revenue,
                     pg_catalog.sum(r.margin - r.cost_of_sale + r.refund_margin) AS net
              FROM revrtm.romi_at('line') r
              WHERE r.model = (SELECT k.model FROM council k) AND r.basis = 'cash' AND r.period <= (SELECT k.month FROM council k)
              GROUP BY r.route_id, r.category, r.period) m
             JOIN revrtm.budget_line l ON l.route_id = m.route_id AND l.category = m.category
    ), sum_up AS MATERIALIZED (
        -- Numbers of any length sum to the same in any order.
        SELECT m.line, pg_catalog.count(*) FILTER (WHERE m.spend > 0) AS months,
               coalesce(pg_catalog.sum(m.deals) FILTER (WHERE m.spend > 0), 0)::bigint AS deals,
               pg_catalog.sum(m.spend) AS spend, pg_catalog.avg(m.spend) FILTER (WHERE m.spend > 0) AS mean_spend,
               pg_catalog.avg(m.margin) FILTER (WHERE m.spend > 0) AS mean_margin,
               pg_catalog.sum(m.revenue) FILTER (WHERE m.period >= k.first_month) AS revenue,
               pg_catalog.sum(m.net) FILTER (WHERE m.period >= k.first_month) AS net
        FROM month m CROSS JOIN council k
        GROUP BY m.line
    ), spread AS MATERIALIZED (
        -- Least squares of margin on ln spend, about the means.
        SELECT d.line, pg_catalog.count(*) AS n, pg_catalog.sum(d.x * d.x) AS xx, pg_catalog.sum(d.x * d.y) AS xy, pg_catalog.sum(d.y * d.y) AS yy
        FROM (SELECT m.line, pg_catalog.ln(m.spend) - pg_catalog.avg(pg_catalog.ln(m.spend)) OVER (PARTITION BY m.line) AS x,
                     m.margin - u.mean_margin AS y
              FROM month m JOIN sum_up u ON u.line = m.line
              WHERE m.spend > 0) d
        GROUP BY d.line
    ), own AS MATERIALIZED (
        SELECT m.line, revrtm.fit_curve_agg(m.spend::float8, m.margin::float8) AS sample
        FROM month m WHERE m.spend > 0
        GROUP BY m.line
    ), pool AS MATERIALIZED (
        -- What a share of the usual spend brings of the usual margin, by lines that tell.
        SELECT g.category, f.curve, f.standard_error[2] AS slope_error
        FROM (SELECT m.category, revrtm.fit_curve_agg(revrtm.ratio(m.spend, u.mean_spend)::float8,
                                                      revrtm.ratio(m.margin, u.mean_margin)::float8) AS sample
              FROM month m JOIN sum_up u ON u.line = m.line JOIN spread s ON s.line = m.line CROSS JOIN council k
              WHERE m.spend > 0 AND u.months >= k.own_months AND u.deals >= k.least_deals AND u.mean_margin > 0 AND s.xx > 0
              GROUP BY GROUPING SETS ((m.category), ())) g
             CROSS JOIN LATERAL revrtm.fit_curve(g.sample, 'log') f
        WHERE f.note IS NULL
    ), credit AS MATERIALIZED (
        SELECT c.line, revrtm.ratio(pg_catalog.sum(c.margin) FILTER (WHERE c.deal_route_id <> c.route_id), pg_catalog.sum(c.margin)) AS other_share,
               (pg_catalog.array_agg(c.deal_route_id ORDER BY c.margin DESC, c.deal_route_id COLLATE "C")
                    FILTER (WHERE c.deal_route_id <> c.route_id AND c.margin > 0))[1] AS other_route
        FROM (SELECT l.line, l.route_id, p.route_id AS deal_route_id, pg_catalog.sum(k.margin) AS margin
              FROM (SELECT d.route_id, revrtm.credits_agg(d.journey, d.margin, ARRAY[(SELECT k.model FROM council k)],
                                                          (SELECT k.scale FROM council k)) AS credit
                    FROM revrtm.deal d
                    WHERE d.is_won AND d.is_closed AND d.period <= (SELECT k.month FROM council k)
                    GROUP BY d.route_id) p
                   CROSS JOIN LATERAL revrtm.channel_credit(p.credit) k (model, channel, conversions, margin)
                   JOIN revrtm.channel_map m ON m.channel = k.channel
                   JOIN revrtm.budget_line l ON l.route_id = m.route_id AND l.category = m.category
              GROUP BY l.line, l.route_id, p.route_id) c
        GROUP BY c.line
    ), short_segment AS MATERIALIZED (
        SELECT f.segment
        FROM revrtm.coverage_floor f
             JOIN (SELECT v.segment, revrtm.ratio(pg_catalog.sum(v.covered), pg_catalog.sum(v.accounts)) AS coverage
                   FROM revrtm.coverage v
                   WHERE EXISTS (SELECT FROM revrtm.coverage_floor)
                   GROUP BY v.segment) v ON v.segment = f.segment
        WHERE v.coverage < f.coverage
    ), short_line AS MATERIALIZED (
        SELECT l.line
        FROM revrtm.romi_at('cell') r
             JOIN revrtm.budget_line l ON l.route_id = r.route_id AND l.category = r.category
             CROSS JOIN council k
        WHERE EXISTS (SELECT FROM short_segment) AND r.model = k.model AND r.basis = 'cash'
          AND r.period BETWEEN k.first_month AND k.month
        GROUP BY l.line
        HAVING pg_catalog.sum(r.revenue) FILTER (WHERE r.segment IN (SELECT s.segment FROM short_segment s))
               > 0.5 * pg_catalog.sum(r.revenue)
    ), spent AS (
        SELECT s.route_id, s.category, s.spend FROM revrtm.route_spend s WHERE s.period = (SELECT k.month FROM council k)
    ), planned AS (
        SELECT b.line, b.amount FROM revrtm.council_budget b
        WHERE b.period = (SELECT k.month FROM council k) AND b.currency = (SELECT k.currency FROM council k)
    ), told AS MATERIALIZED (
        SELECT l.line, l.route_id, l.category, l.curve AS given, l.lo AS own_lo, l.hi AS own_hi,
               coalesce(p.amount, s.spend, 0) AS current, coalesce(u.months, 0) AS months, coalesce(u.deals, 0) AS deals,
               -- So much spend without deals is evidence too.
               greatest(u.deals, revrtm.ratio(u.spend * pg_catalog.sum(u.deals) OVER (), pg_catalog.sum(u.spend) OVER ())) AS evidence,
               u.mean_spend, u.mean_margin, revrtm.ratio(u.net, u.revenue) AS gross_margin,
               f.curve AS fitted, f.note AS fit_note, g.curve AS pooled, g.slope_error AS pool_error,
               CASE WHEN g.category IS NULL THEN 'all' ELSE 'category' END AS pool_source,
               revrtm.ratio(d.xy, d.xx) AS slope,
               CASE WHEN d.n > 2 THEN pg_catalog.sqrt(greatest(revrtm.ratio(d.yy - d.xy * revrtm.ratio(d.xy, d.xx), (d.n - 2) * d.xx), 0)) END AS slope_error,
               coalesce(c.other_share, 0) AS other_share, c.other_route, coalesce(x.factor, y.factor, 1) AS calibration,
               coalesce(b.locked, false) AS locked, coalesce(b.committed, 0) AS committed, b.margin_floor,
               h.line IS NOT NULL AS is_short
        FROM revrtm.budget_line l
             LEFT JOIN sum_up u ON u.line = l.line
             LEFT JOIN spread d ON d.line = l.line
             LEFT JOIN own o ON o.line = l.line
             LEFT JOIN spent s ON s.route_id = l.route_id AND s.category = l.category
             LEFT JOIN planned p ON p.line = l.line
             LEFT JOIN credit c ON c.line = l.line
             LEFT JOIN revrtm.budget_guard b ON b.line = l.line
             LEFT JOIN short_line h ON h.line = l.line
             LEFT JOIN LATERAL (
                 SELECT k.category, k.curve, k.slope_error FROM pool k
                 WHERE k.category = l.category OR k.category IS NULL
                 ORDER BY k.category IS NULL LIMIT 1) g ON u.mean_margin > 0
             LEFT JOIN revrtm.council_calibration((SELECT k.month FROM council k)) x ON x.line = l.line
             LEFT JOIN revrtm.council_calibration((SELECT k.month FROM council k)) y ON y.line = '(all)'
             CROSS JOIN LATERAL revrtm.fit_curve(o.sample, 'log') f
    ), chosen AS MATERIALIZED (
        SELECT t.*, k.*,
               CASE WHEN t.given IS NOT NULL THEN 'given'
                    WHEN t.months < k.least_months OR coalesce(t.evidence, 0) < k.least_deals OR coalesce(t.own_hi, t.own_lo, t.current) = 0 THEN 'mean'
                    WHEN t.months >= k.own_months AND t.fit_note IS DISTINCT FROM 'constant_spend' THEN 'own'
                    WHEN t.pooled IS NOT NULL THEN t.pool_source
                    ELSE 'mean' END AS source,
               CASE WHEN t.given IS NOT NULL THEN NULL
                    WHEN (SELECT revrtm.romi_note()) = 'romi_missing' THEN 'romi_missing'
                    WHEN t.months < k.least_months THEN 'few_months'
                    WHEN coalesce(t.own_hi, t.own_lo, t.current) = 0 THEN 'zero_spend'
                    WHEN coalesce(t.evidence, 0) < k.least_deals THEN 'small_n'
                    WHEN t.pooled IS NOT NULL THEN NULL
                    WHEN t.months < k.own_months THEN 'few_months'
                    WHEN t.fit_note = 'constant_spend' THEN 'constant_spend' END AS keeps
        FROM told t CROSS JOIN council k
    ), shaped AS MATERIALIZED (
        SELECT c.*,
               CASE c.source
                    WHEN 'given' THEN c.given
                    WHEN 'own' THEN c.fitted
                    WHEN 'mean' THEN revrtm.curve('linear', coalesce(c.mean_margin, 0)::float8, 0)
                    -- In money: the usual margin at the usual spend.
                    ELSE revrtm.curve('log',
                        c.mean_margin::float8 * (revrtm.curve_value(c.pooled, 1)
                                                 - revrtm.curve_slope(c.pooled, 1) * pg_catalog.ln(c.mean_spend)::float8),
                        c.mean_margin::float8 * revrtm.curve_slope(c.pooled, 1)) END AS raw_curve,
               CASE c.source WHEN 'own' THEN c.slope_error::float8
                    WHEN 'category' THEN c.mean_margin::float8 * c.pool_error
                    WHEN 'all' THEN c.mean_margin::float8 * c.pool_error END AS own_error
        FROM chosen c
    ), middle AS (
        SELECT pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY revrtm.curve_slope(s.raw_curve, s.current::float8)) AS marginal
        FROM shaped s WHERE s.keeps IS NULL AND s.source <> 'mean' AND s.current > 0
    ), judged AS MATERIALIZED (
        SELECT s.*, coalesce(s.keeps,
                   CASE WHEN s.source = 'own' AND s.current > 0 AND s.own_error > 0
                             AND s.slope::float8 - 2 * s.own_error <= 0
                             AND (s.slope::float8 + 2 * s.own_error)
                                 >= (SELECT m.marginal FROM middle m) * s.current::float8 THEN 'uncertain' END) AS kept
        FROM shaped s
    ), explored AS (
        SELECT pg_catalog.count(*) FILTER (WHERE j.kept IS NOT NULL AND NOT j.locked) AS lines, pg_catalog.sum(j.current) AS total FROM judged j
    ), held AS MATERIALIZED (
        SELECT j.*,
               CASE WHEN j.locked THEN 'locked'
                    WHEN j.gross_margin < j.margin_floor THEN 'margin_floor'
                    WHEN j.kept = 'romi_missing' OR j.kept IS NOT NULL AND j.explore_share = 0 THEN 'kept'
                    WHEN j.kept IS NOT NULL THEN 'explore' END AS hold,
               least(j.current + pg_catalog.trunc(revrtm.ratio(e.total * j.explore_share, e.lines), j.scale),
                     CASE WHEN j.own_hi IS NOT NULL THEN greatest(j.own_hi, j.current) END) AS probe,
               coalesce(j.own_lo, least(pg_catalog.round(j.current * j.least_share, j.scale), j.own_hi)) AS low,
               coalesce(j.own_hi, greatest(pg_catalog.round(j.current * j.most_share, j.scale), j.own_lo)) AS high
        FROM judged j CROSS JOIN explored e
    ), bounded AS (
        SELECT h.*,
               CASE WHEN h.hold = 'explore' THEN greatest(h.probe, h.committed)
                    WHEN h.hold IS NOT NULL THEN greatest(h.current, CASE WHEN h.hold = 'kept' THEN h.committed ELSE h.current END)
                    ELSE greatest(h.low, h.committed, CASE WHEN h.is_short THEN least(h.current, h.high) END,
                                  -- ln x begins above zero.
                                  CASE WHEN h.source IN ('own', 'category', 'all')
                                            AND h.fit_note IS DISTINCT FROM 'no_response' THEN 0.01 END) END AS least_amount,
               CASE WHEN h.current > 0 THEN revrtm.scale_curve(h.raw_curve, h.calibration::float8, h.current::float8)
                    -- What is held at nothing needs no curve that begins above it.
                    WHEN h.hold IS NOT NULL THEN revrtm.curve('linear', coalesce(h.mean_margin, 0)::float8, 0)
                    ELSE h.raw_curve END AS used_curve
        FROM held h
    )
    SELECT b.line, b.route_id, b.category, b.current, b.least_amount,
           CASE WHEN b.hold IS NOT NULL THEN b.least_amount ELSE greatest(b.high, b.least_amount) END,
           b.used_curve, b.months, b.other_share,
           CASE WHEN b.kept IS NOT NULL THEN b.kept
                WHEN b.source IN ('category', 'all') AND b.months < b.own_months THEN 'few_months, pooled'
                WHEN b.source IN ('category', 'all') THEN 'constant_spend, pooled'
                WHEN b.source = 'own' THEN b.fit_note END,
           'company/' || b.route_id, b.deals, b.source, b.raw_curve, b.own_error,
           b.calibration::numeric(12, 6), b.gross_margin::numeric(12, 6),
           CASE WHEN b.other_share > 0.5 THEN b.other_route END,
           coalesce(b.hold, CASE WHEN b.least_amount > b.low AND b.committed = b.least_amount THEN 'committed'
                                 WHEN b.least_amount > b.low AND b.is_short THEN 'coverage' END)
    FROM bounded b
    ORDER BY b.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_fit(date) IS
'The lines of the budget as the council of a month sees them. current: what the council before decided for the month (council_budget), else what was spent in it. lo, hi: bounds by budget_line, council_rule, budget_guard and coverage_floor. curve: incremental margin a month on spend a month, as ROMI matches them (romi_line, cash view, lagged), by the model revrtm.model; raw_curve: before calibration, the factor of council_calibration by which it changes about the current amount. months and deals: months with spend up to that one, and won deals in them. source: given (budget_line.curve), own (fit_curve of the family log on the line''s own months), category or all (that curve of all lines of the category, or of all, in shares of each line''s mean), or mean (none: flat). slope_error: standard error of the curve''s slope in ln spend. other_share: share of the credited margin from deals of other routes; other_route: the one most of it is from, where that is more than half. gross_margin: of what was credited in the twelve months. group_path: company/ROUTE. held: locked, margin_floor, kept or explore (lo = hi), committed or coverage (what lo is); or NULL. note: why a line keeps its budget, unless the council explores: romi_missing, few_months (fewer than council_rule.least_months, or than own_months and no other curve), zero_spend (none this month, and no bound says that there may be), small_n (fewer than least_deals, and not so much spend that all lines together win as many with it), constant_spend, uncertain (its slope, within two standard errors, may be none and may be that of the middle line); else few_months or constant_spend with pooled; no_response (margin did not rise with spend: a flat curve); or NULL. 22023 as council_model.';

CREATE FUNCTION revrtm.budget_explanation(period date DEFAULT NULL, budget numeric DEFAULT NULL)
RETURNS TABLE (line text, route_id text, category text, group_path text, current numeric, lo numeric, hi numeric,
               proposed numeric, change numeric, curve revrtm.response_curve, raw_curve revrtm.response_curve, source text,
               months bigint, deals bigint, calibration numeric, response_before double precision, response_after double precision,
               gain double precision, gain_lo double precision, gain_hi double precision, marginal_before double precision,
               marginal_after double precision, gap double precision, bound text, gross_margin numeric, other_share numeric,
               other_route text, note text, explanation text)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000 ROWS 20
BEGIN ATOMIC
    WITH fit AS MATERIALIZED (
        SELECT * FROM revrtm.budget_fit(budget_explanation.period)
    ), plan AS MATERIALIZED (
        SELECT revrtm.bounded_plan(revrtm.budget_line_agg(f.line, f.curve, f.lo, f.hi, f.current, f.group_path)) AS plan,
               coalesce(budget_explanation.budget, pg_catalog.sum(f.current)) AS budget
        FROM fit f
    ), move AS MATERIALIZED (
        SELECT f.*, a.amount, a.response, a.marginal, a.gap,
               -- A log curve begins above zero.
               CASE WHEN f.current > 0 OR f.curve::text NOT LIKE 'log(%' THEN revrtm.curve_value(f.curve, f.current::float8) END AS before,
               CASE WHEN f.current > 0 THEN revrtm.curve_slope(f.curve, f.current::float8) END AS slope_before,
               CASE WHEN f.held IN ('locked', 'margin_floor', 'kept', 'explore') THEN f.held
                    WHEN f.held IS NOT NULL AND a.amount = f.lo THEN f.held
                    ELSE a.bound END AS bound,
               nullif(pg_catalog.concat_ws(', ', f.note, CASE WHEN f.other_share > 0.5 THEN 'other_routes_deals' END), '') AS notes
        FROM plan p
             CROSS JOIN LATERAL revrtm.allocate(
                 p.plan, p.budget,
                 unit => pg_catalog.trim_scale(pg_catalog.power(10::numeric, -revrtm.currency_scale(NULL)))) a
             JOIN fit f ON f.line = a.line
    ), told AS (
        SELECT m.*, CASE WHEN m.amount = m.current THEN 0 ELSE m.response - m.before END AS gain,
               2 * m.slope_error * m.calibration::float8
               * CASE WHEN m.current > 0 AND m.amount > 0 THEN pg_catalog.abs(pg_catalog.ln(revrtm.ratio(m.amount, m.current)))::float8 END AS doubt
        FROM move m
    )
    SELECT t.line, t.route_id, t.category, t.group_path, t.current::numeric(20, 4), t.lo::numeric(20, 4), t.hi::numeric(20, 4),
           t.amount::numeric(20, 4), (t.amount - t.current)::numeric(20, 4), t.curve, t.raw_curve, t.source, t.months, t.deals,
           t.calibration, t.before, t.response, t.gain, t.gain - t.doubt, t.gain + t.doubt, t.slope_before, t.marginal, t.gap,
           t.bound, t.gross_margin, t.other_share::numeric(12, 6), t.other_route, t.notes,
           pg_catalog.concat_ws('; ',
               CASE WHEN t.amount = t.current THEN 'stays'
                    ELSE pg_catalog.concat(CASE WHEN t.amount > t.current THEN 'gets ' ELSE 'gives ' END,
                                           pg_catalog.trim_scale(pg_catalog.abs(t.amount - t.current)),
                                           ', margin ' || pg_catalog.to_char(t.gain, 'FMSG999999999999990.00')) END,
               'one more returns ' || pg_catalog.to_char(t.slope_before, 'FM999999990.00') || ' before and '
                   || pg_catalog.to_char(t.marginal, 'FM999999990.00') || ' after',
               'held by ' || t.bound,
               CASE WHEN t.note IS NOT NULL AND t.bound IN ('kept', 'explore') THEN 'for ' || t.note END,
               'mostly deals of ' || t.other_route)
    FROM told t
    ORDER BY t.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_explanation(date, numeric) IS
'Every line of budget_proposal, and why: bounds, curve (calibrated) and raw_curve, source, months, deals, calibration, gross_margin, other_share and other_route as budget_fit; response_before and response_after, marginal_before and marginal_after: margin a month, and for one more unit of money, at the current and the proposed amount; gain: response_after - response_before, with gain_lo and gain_hi two standard errors of a fitted slope around it; gap: certified distance from the optimum (allocate). bound: what holds the line: locked, margin_floor, kept (no evidence), explore (no evidence, and the council explores), committed, coverage, or as allocate has it: lo, hi, group PATH with lo, hi or locked, current (the shift limit); or NULL. explanation: the same as a sentence. The shift limit is council_rule.shift_share, groups are bounded by budget_group. 22023 where the bounds cannot meet the budget.';

CREATE FUNCTION revrtm.budget_proposal(period date DEFAULT NULL, budget numeric DEFAULT NULL)
RETURNS TABLE (line text, route_id text, category text, current numeric, proposed numeric, change numeric,
               response double precision, marginal double precision, bound text, note text,
               gain double precision, marginal_before double precision, explanation text)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000 ROWS 20
BEGIN ATOMIC
    SELECT e.line, e.route_id, e.category, e.current, e.proposed, e.change, e.response_after, e.marginal_after, e.bound, e.note,
           e.gain, e.marginal_before, e.explanation
    FROM revrtm.budget_explanation(budget_proposal.period, budget_proposal.budget) e
    ORDER BY e.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_proposal(date, numeric) IS
'How the month''s budget returns most margin: the optimal amount of every line within its bounds, for the budget given or the current total. response and marginal are margin a month, and margin for one more unit of money, at the proposed amount, marginal_before at the current one; gain is the margin that the change brings; bound, note and explanation as budget_explanation has them, which says more. 22023 where the bounds cannot meet the budget.';

CREATE FUNCTION revrtm.whatif(amounts jsonb, period date DEFAULT NULL)
RETURNS TABLE (line text, current numeric, amount numeric, change numeric, response_before double precision,
               response_after double precision, gain double precision, gain_lo double precision, gain_hi double precision,
               romi_before numeric, romi_after numeric, marginal double precision, bound text, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wrong text;
BEGIN
    IF jsonb_typeof(amounts) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'what if needs amounts by line' USING ERRCODE = '22023', HINT = 'Such as {"direct/content": 5000}.';
    END IF;
    SELECT string_agg(quote_literal(a.key), ', ' ORDER BY a.key COLLATE "C") INTO wrong
    FROM jsonb_each(amounts) a WHERE NOT EXISTS (SELECT FROM revrtm.budget_line l WHERE l.line = a.key);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the budget has no line %', wrong USING ERRCODE = '22023', HINT = 'The lines are in revrtm.budget_line.';
    END IF;
    SELECT string_agg(quote_literal(a.key), ', ' ORDER BY a.key COLLATE "C") INTO wrong
    FROM jsonb_each(amounts) a
    WHERE CASE WHEN jsonb_typeof(a.value) = 'number' THEN (a.value #>> '{}')::numeric < 0 ELSE true END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the amount of % is no amount of money', wrong USING ERRCODE = '22023';
    END IF;

    RETURN QUERY
    WITH told AS (
        SELECT f.*, a.amount, v.before, v.after,
               2 * f.slope_error * f.calibration::float8
               * CASE WHEN f.current > 0 AND a.amount > 0 THEN abs(ln(revrtm.ratio(a.amount, f.current)))::float8 END AS doubt
        FROM revrtm.budget_fit(whatif.period) f
             CROSS JOIN LATERAL (SELECT coalesce((amounts ->> f.line)::numeric, f.current) AS amount) a
             -- A log curve begins above zero.
             CROSS JOIN LATERAL (SELECT revrtm.curve_value(f.curve, greatest(f.current, 0.01)::float8) AS before,
                                        revrtm.curve_value(f.curve, greatest(a.amount, 0.01)::float8) AS after) v
    )
    SELECT t.line, t.current::numeric(20, 4), t.amount::numeric(20, 4), (t.amount - t.current)::numeric(20, 4),
           t.before, t.after, t.after - t.before, t.after - t.before - t.doubt, t.after - t.before + t.doubt,
           revrtm.ratio(t.before::numeric - t.current, t.current)::numeric(18, 6),
           revrtm.ratio(t.after::numeric - t.amount, t.amount)::numeric(18, 6),
           revrtm.curve_slope(t.curve, greatest(t.amount, 0.01)::float8),
           CASE WHEN t.amount < t.lo THEN 'lo' WHEN t.amount > t.hi THEN 'hi' END, t.note
    FROM told t
    ORDER BY t.line COLLATE "C";
END
$$;
COMMENT ON FUNCTION revrtm.whatif(jsonb, date) IS
'What the lines would return if they got other amounts, {"line": amount, ...}, others as they are: a row for every line, by the curves of budget_fit. gain: margin a month more than now, with two standard errors of a fitted slope around it; romi_before and romi_after: (response - amount) / amount; marginal: margin for one more; bound: lo or hi where the amount is beyond the line''s bounds. 22023 for an unknown line, or what is no amount.';
