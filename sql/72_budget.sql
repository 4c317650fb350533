-- The budget: lines of route x spend category, their response curves from
-- their own months, and the proposal to the revenue council.

CREATE TABLE revrtm.budget_line (
    line     text PRIMARY KEY CHECK (line <> ''),
    route_id text NOT NULL REFERENCES revrtm.route,
    category text NOT NULL CHECK (category <> '' AND category <> '(unmapped)'),
    curve    revrtm.response_curve,
    lo       numeric CHECK (lo >= 0 AND lo < 'Infinity'),
    hi       numeric CHECK (hi >= lo AND hi < 'Infinity'),
    shipped  boolean NOT NULL DEFAULT false,
    UNIQUE (route_id, category)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.budget_line', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.budget_line IS
'Lines that the council moves money between: a route and a spend category each. A line without a row here takes no part.';
COMMENT ON COLUMN revrtm.budget_line.line IS 'Name of the line, such as direct/content.';
COMMENT ON COLUMN revrtm.budget_line.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.budget_line.category IS 'Its spend category.';
COMMENT ON COLUMN revrtm.budget_line.curve IS 'Monthly margin as a function of monthly spend, both in revrtm.currency; NULL: fitted to the line''s own months.';
COMMENT ON COLUMN revrtm.budget_line.lo IS 'Least monthly budget in revrtm.currency; NULL: 80 % of the current one.';
COMMENT ON COLUMN revrtm.budget_line.hi IS 'Largest monthly budget in revrtm.currency; NULL: 120 % of the current one.';
COMMENT ON COLUMN revrtm.budget_line.shipped IS 'Whether the row is as the extension made it; none is shipped yet.';

CREATE FUNCTION revrtm.council_period(period date DEFAULT NULL) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        pg_catalog.date_trunc('month', period::timestamp)::date,
        (SELECT greatest(
            (SELECT pg_catalog.max(d.period) FROM revrtm.deal d WHERE d.is_closed AND d.period < month.start),
            (SELECT pg_catalog.max(pg_catalog.date_trunc('month', s.period::timestamp)::date)
             FROM revrtm.spend s WHERE s.period < month.start))
         FROM (SELECT pg_catalog.date_trunc('month', revrtm.as_of() AT TIME ZONE revrtm.setting('timezone'))::date AS start) month));
END;
COMMENT ON FUNCTION revrtm.council_period(date) IS
'First day of the month of the day given; for NULL the last closed month with deals or spend, as of revrtm.as_of().';

CREATE FUNCTION revrtm.budget_fit(period date DEFAULT NULL)
RETURNS TABLE (line text, route_id text, category text, current numeric, lo numeric, hi numeric,
               curve revrtm.response_curve, months bigint, other_share numeric, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
    WITH month AS MATERIALIZED (
        SELECT c.route_id, c.category, c.period, pg_catalog.sum(c.margin) AS margin,
               pg_catalog.sum(c.margin) FILTER (WHERE c.deal_route_id <> c.route_id) AS other_margin
        FROM revrtm.route_credit c
        WHERE c.model = revrtm.setting('model') AND c.period <= revrtm.council_period(budget_fit.period)
        GROUP BY c.route_id, c.category, c.period
    ), fit AS (
        -- Summed in order of month, so that the sums are the same to the bit.
        SELECT l.line, pg_catalog.count(s.period) AS months,
               pg_catalog.regr_slope(coalesce(m.margin, 0)::float8, pg_catalog.ln(s.spend::float8) ORDER BY s.period) AS slope,
               pg_catalog.regr_intercept(coalesce(m.margin, 0)::float8, pg_catalog.ln(s.spend::float8) ORDER BY s.period) AS intercept,
               pg_catalog.avg(coalesce(m.margin, 0))::float8 AS mean,
               pg_catalog.sum(m.other_margin) / nullif(pg_catalog.sum(m.margin), 0) AS other_share,
               coalesce(pg_catalog.max(s.spend) FILTER (WHERE s.period = revrtm.council_period(budget_fit.period)), 0) AS current
        FROM revrtm.budget_line l
             LEFT JOIN revrtm.route_spend s
               ON s.route_id = l.route_id AND s.category = l.category AND s.spend > 0
                  AND s.period <= revrtm.council_period(budget_fit.period)
             LEFT JOIN month m
               ON m.route_id = l.route_id AND m.category = l.category AND m.period = s.period
        GROUP BY l.line
    ), bounded AS (
        SELECT f.*, l.route_id, l.category, l.curve AS given,
               l.curve IS NULL AND (f.months < 6 OR f.slope IS NULL) AS keeps,
               coalesce(l.lo, pg_catalog.round(f.current * 0.8, 2)) AS lo,
               coalesce(l.hi, pg_catalog.round(f.current * 1.2, 2)) AS hi
        FROM fit f JOIN revrtm.budget_line l ON l.line = f.line
    )
    SELECT b.line, b.route_id, b.category, b.current,
           CASE WHEN b.keeps THEN b.current
                -- ln x begins above zero.
                WHEN b.given IS NULL AND b.slope > 0 THEN greatest(b.lo, 0.01)
                ELSE b.lo END,
           CASE WHEN b.keeps THEN b.current
                WHEN b.given IS NULL AND b.slope > 0 THEN greatest(b.hi, 0.01)
                ELSE b.hi END,
           CASE WHEN b.given IS NOT NULL THEN b.given
                WHEN b.keeps OR b.slope <= 0 THEN revrtm.curve('linear', b.mean, 0)
                ELSE revrtm.curve('log', b.intercept, b.slope) END,
           b.months,
           b.other_share,
           CASE WHEN b.given IS NOT NULL THEN NULL
                WHEN b.keeps THEN 'few_months'
                WHEN b.slope <= 0 THEN 'no_response' END
    FROM bounded b
    ORDER BY b.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_fit(date) IS
'The lines of the budget as the council of a month sees them: current (spend of that month), bounds, response curve of monthly margin on monthly spend, number of months with spend, share of the credited margin that comes from deals of other routes. Where budget_line has no curve it is the least-squares fit of a + b ln x on the line''s own months up to that one, by the model revrtm.model. note: few_months (fewer than 6: the line keeps its budget), no_response (margin did not rise with spend: a flat curve), or NULL.';

CREATE FUNCTION revrtm.budget_proposal(period date DEFAULT NULL, budget numeric DEFAULT NULL)
RETURNS TABLE (line text, route_id text, category text, current numeric, proposed numeric, change numeric,
               response double precision, marginal double precision, bound text, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
    WITH fit AS MATERIALIZED (
        SELECT * FROM revrtm.budget_fit(budget_proposal.period)
    ), plan AS (
        SELECT revrtm.budget_line_agg(f.line, f.curve, f.lo, f.hi, f.current) AS plan,
               coalesce(budget_proposal.budget, pg_catalog.sum(f.current)) AS budget
        FROM fit f
    )
    SELECT f.line, f.route_id, f.category, f.current::numeric(18, 2), a.amount::numeric(18, 2),
           (a.amount - f.current)::numeric(18, 2), a.response, a.marginal,
           CASE WHEN f.note = 'few_months' THEN 'kept' ELSE a.bound END,
           pg_catalog.concat_ws(', ', f.note, CASE WHEN f.other_share > 0.5 THEN 'other_routes_deals' END)
    FROM plan p
         CROSS JOIN LATERAL revrtm.allocate(p.plan, p.budget) a
         JOIN fit f ON f.line = a.line
    ORDER BY f.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_proposal(date, numeric) IS
'How the month''s budget returns most margin: the optimal amount of every line within its bounds, for the budget given or the month''s own total. response and marginal are margin a month, and margin for one more unit of money, at the proposed amount; bound is lo, hi, kept (few_months) or NULL; note may say few_months, no_response, other_routes_deals (most of the margin comes from deals of other routes). 22023 where the bounds cannot meet the budget.';
