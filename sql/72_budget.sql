-- The budget: lines of route x spend category, their response curves from
-- their own months, and the proposal to the revenue council.

CREATE TABLE revrtm.budget_line (
    line     text PRIMARY KEY CHECK (line <> ''),
    route_id text NOT NULL CHECK (route_id <> ''),
    category text NOT NULL CHECK (category <> '' AND category <> '(unmapped)'),
    curve    revrtm.response_curve,
    lo       numeric CHECK (lo >= 0 AND lo < 'Infinity'),
    hi       numeric CHECK (hi >= lo AND hi < 'Infinity'),
    shipped  boolean NOT NULL DEFAULT false,
    UNIQUE (route_id, category)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.budget_line', 'WHERE NOT shipped');
SELECT revrtm.register_policy('revrtm.budget_line');
COMMENT ON TABLE revrtm.budget_line IS
'Lines that the council moves money between: a route and a spend category each. A line without a row here takes no part.';
COMMENT ON COLUMN revrtm.budget_line.line IS 'Name of the line, such as direct/content.';
COMMENT ON COLUMN revrtm.budget_line.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.budget_line.category IS 'Its spend category.';
COMMENT ON COLUMN revrtm.budget_line.curve IS 'Monthly margin as a function of monthly spend, both in revrtm.currency; NULL: fitted to the line''s own months.';
COMMENT ON COLUMN revrtm.budget_line.lo IS 'Least monthly budget in revrtm.currency; NULL: 80 % of the current one, or hi where that is less.';
COMMENT ON COLUMN revrtm.budget_line.hi IS 'Largest monthly budget in revrtm.currency; NULL: 120 % of the current one, or lo where that is more.';
COMMENT ON COLUMN revrtm.budget_line.shipped IS 'Whether the row is as the extension made it; none is shipped yet.';

CREATE FUNCTION revrtm.council_period(period date DEFAULT NULL) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        revrtm.period(period),
        (SELECT greatest(
            (SELECT pg_catalog.max(d.period) FROM revrtm.deal d WHERE d.is_closed AND d.period < month.start),
            (SELECT pg_catalog.max(revrtm.period(s.period))
             FROM revrtm.spend s WHERE s.period < month.start))
         FROM (SELECT revrtm.period(revrtm.as_of()) AS start) month));
END;
COMMENT ON FUNCTION revrtm.council_period(date) IS
'First day of the month of the day given; for NULL the last closed month with deals or spend, as of revrtm.as_of().';

CREATE FUNCTION revrtm.council_model() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := revrtm.setting('model');
BEGIN
    -- An unknown model raises here.
    PERFORM FROM revrtm.credit(NULL::revrtm.journey, name);
    IF NOT EXISTS (SELECT FROM revrtm.attribution_model m WHERE m.model = name AND m.enabled) THEN
        RAISE EXCEPTION 'attribution model % is not enabled', quote_ident(name)
            USING ERRCODE = '22023',
                  HINT = 'Set revrtm.model to another one, or enable it in revrtm.attribution_model.';
    END IF;
    RETURN name;
END
$$;
COMMENT ON FUNCTION revrtm.council_model() IS
'The model that budget and council go by: the setting revrtm.model. 22023 where there is no such model or it is not enabled.';

CREATE FUNCTION revrtm.budget_fit(period date DEFAULT NULL)
RETURNS TABLE (line text, route_id text, category text, current numeric, lo numeric, hi numeric,
               curve revrtm.response_curve, months bigint, other_share numeric, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
    WITH council AS MATERIALIZED (
        SELECT revrtm.council_period(budget_fit.period) AS month, revrtm.council_model() AS model,
               revrtm.currency_scale(NULL) AS scale
    ), month AS MATERIALIZED (
        SELECT c.route_id, c.category, c.period, pg_catalog.sum(c.margin) AS margin,
               pg_catalog.sum(c.margin) FILTER (WHERE c.deal_route_id <> c.route_id) AS other_margin
        FROM revrtm.route_credit c
        WHERE c.model = (SELECT k.model FROM council k) AND c.period <= (SELECT k.month FROM council k)
        GROUP BY c.route_id, c.category, c.period
    ), fit AS (
        SELECT l.line, pg_catalog.count(s.period) AS months,
               revrtm.fit_curve_agg(s.spend::float8, coalesce(m.margin, 0)::float8) AS sample,
               pg_catalog.avg(coalesce(m.margin, 0))::float8 AS mean,
               revrtm.ratio(coalesce(pg_catalog.sum(m.other_margin), 0), pg_catalog.sum(m.margin)) AS other_share,
               coalesce(pg_catalog.max(s.spend) FILTER (WHERE s.period = (SELECT k.month FROM council k)), 0) AS current
        FROM revrtm.budget_line l
             LEFT JOIN revrtm.route_spend s
               ON s.route_id = l.route_id AND s.category = l.category AND s.spend > 0
                  AND s.period <= (SELECT k.month FROM council k)
             LEFT JOIN month m
               ON m.route_id = l.route_id AND m.category = l.category AND m.period = s.period
        GROUP BY l.line
    ), bounded AS (
        SELECT f.*, l.route_id, l.category, l.curve AS given, c.curve AS fitted, c.note AS fit_note,
               CASE WHEN l.curve IS NOT NULL THEN NULL
                    WHEN f.months < 6 THEN 'few_months'
                    WHEN c.note = 'constant_spend' THEN c.note
                    WHEN coalesce(l.hi, l.lo, f.current) = 0 THEN 'zero_spend' END AS keeps,
               coalesce(l.lo, least(pg_catalog.round(f.current * 0.8, (SELECT k.scale FROM council k)), l.hi)) AS lo,
               coalesce(l.hi, greatest(pg_catalog.round(f.current * 1.2, (SELECT k.scale FROM council k)), l.lo)) AS hi
        FROM fit f JOIN revrtm.budget_line l ON l.line = f.line
             CROSS JOIN LATERAL revrtm.fit_curve(f.sample, 'log') c
    )
    SELECT b.line, b.route_id, b.category, b.current,
           CASE WHEN b.keeps IS NOT NULL THEN b.current
                -- ln x begins above zero.
                WHEN b.given IS NULL AND b.fit_note IS NULL THEN greatest(b.lo, 0.01)
                ELSE b.lo END,
           CASE WHEN b.keeps IS NOT NULL THEN b.current ELSE b.hi END,
           CASE WHEN b.given IS NOT NULL THEN b.given
                WHEN b.keeps IS NOT NULL THEN revrtm.curve('linear', coalesce(b.mean, 0), 0)
                ELSE b.fitted END,
           b.months,
           b.other_share,
           coalesce(b.keeps, CASE WHEN b.given IS NULL THEN b.fit_note END)
    FROM bounded b
    ORDER BY b.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_fit(date) IS
'The lines of the budget as the council of a month sees them: current (spend of that month), bounds, response curve of monthly margin on monthly spend, number of months with spend, share of the credited margin that comes from deals of other routes. Where budget_line has no curve it is fit_curve of the family log on the line''s own months up to that one, by the model revrtm.model. note: few_months (fewer than 6), constant_spend (the same in all of them) or zero_spend (none this month, and no bound says that there may be): the line keeps its budget; no_response (margin did not rise with spend: a flat curve); or NULL. 22023 as council_model.';

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
    SELECT f.line, f.route_id, f.category, f.current::numeric(20, 4), a.amount::numeric(20, 4),
           (a.amount - f.current)::numeric(20, 4), a.response, a.marginal,
           CASE WHEN f.note IN ('few_months', 'constant_spend', 'zero_spend') THEN 'kept' ELSE a.bound END,
           nullif(pg_catalog.concat_ws(', ', f.note, CASE WHEN f.other_share > 0.5 THEN 'other_routes_deals' END), '')
    FROM plan p
         CROSS JOIN LATERAL revrtm.allocate(
             p.plan, p.budget,
             unit => pg_catalog.trim_scale(pg_catalog.power(10::numeric, -revrtm.currency_scale(NULL)))) a
         JOIN fit f ON f.line = a.line
    ORDER BY f.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.budget_proposal(date, numeric) IS
'How the month''s budget returns most margin: the optimal amount of every line within its bounds, for the budget given or the month''s own total. response and marginal are margin a month, and margin for one more unit of money, at the proposed amount; bound is lo, hi, locked, kept (few_months, constant_spend, zero_spend) or NULL; note is that of budget_fit and other_routes_deals (most of the margin comes from deals of other routes), joined by a comma, or NULL. 22023 where the bounds cannot meet the budget.';
