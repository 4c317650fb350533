-- What a customer costs, and what it leaves: from the KPIs.

CREATE FUNCTION revrtm.unit_economics_between(first date, last date, by text[] DEFAULT '{period,route}')
RETURNS TABLE (period date, route_id text, cost text, spend numeric, new_customers bigint, cac numeric, monthly_margin numeric,
               ltv numeric, ltv_capped numeric, ltv_cac numeric, payback numeric, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 300
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    IF unit_economics_between.by IS NULL OR NOT unit_economics_between.by <@ '{period,route}' THEN
        RAISE EXCEPTION 'unit economics are told by period and route alone' USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT k.period, k.route_id, k.kpi, k.value, k.numerator, k.denominator, k.note
        FROM revrtm.kpi_between(unit_economics_between.first, unit_economics_between.last, unit_economics_between.by) k
        WHERE k.kpi IN ('cac_paid', 'cac_blended', 'cac_fully_loaded', 'ltv', 'ltv_capped', 'payback')
    )
    SELECT c.period, c.route_id, substr(c.kpi, 5), c.numerator, coalesce(c.denominator, 0)::bigint, c.value, p.denominator,
           l.value, m.value, revrtm.ratio(l.value, c.value),
           CASE WHEN p.denominator > 0 THEN revrtm.ratio(c.value, p.denominator) END,
           nullif(concat_ws(', ', c.note, nullif(l.note, c.note), CASE WHEN p.denominator <= 0 THEN 'no_payback' END), '')
    FROM told c
    JOIN told l ON l.kpi = 'ltv' AND l.period = c.period AND l.route_id = c.route_id
    JOIN told m ON m.kpi = 'ltv_capped' AND m.period = c.period AND m.route_id = c.route_id
    JOIN told p ON p.kpi = 'payback' AND p.period = c.period AND p.route_id = c.route_id
    WHERE c.kpi LIKE 'cac\_%';
END
$$;
COMMENT ON FUNCTION revrtm.unit_economics_between(date, date, text[]) IS
'The unit economics of the months from first to last by period and route, or less: a row for every cost (paid, blended, fully_loaded) with the columns of revrtm.unit_economics, all from kpi_between, whose errors are its own. 22023 for another dimension.';

CREATE VIEW revrtm.unit_economics WITH (security_invoker = true) AS
SELECT pg_catalog.concat_ws(':', revrtm.date_text(u.period), u.route_id, u.cost) AS unit_economics_key,
       u.period,
       u.route_id,
       u.cost,
       u.spend::numeric(20, 4) AS spend,
       u.new_customers,
       u.cac::numeric(20, 4) AS cac,
       u.monthly_margin::numeric(20, 4) AS monthly_margin,
       u.ltv::numeric(20, 4) AS ltv,
       u.ltv_capped::numeric(20, 4) AS ltv_capped,
       u.ltv_cac::numeric(18, 6) AS ltv_cac,
       u.payback::numeric(18, 6) AS payback,
       u.note
FROM (SELECT * FROM revrtm.unit_economics_between(NULL, NULL, '{period,route}')
      UNION ALL
      SELECT * FROM revrtm.unit_economics_between(NULL, NULL, '{period}')) u;
COMMENT ON VIEW revrtm.unit_economics IS
'What a customer costs and what it leaves, by route and of all routes, from the KPIs. Grain: month x route x cost; route (all) is the company. Ratios do not add up: ask unit_economics_between for another grain.';
COMMENT ON COLUMN revrtm.unit_economics.unit_economics_key IS 'period:route_id:cost.';
COMMENT ON COLUMN revrtm.unit_economics.period IS 'First day of the month in which the customers were won.';
COMMENT ON COLUMN revrtm.unit_economics.route_id IS 'Route, or (all).';
COMMENT ON COLUMN revrtm.unit_economics.cost IS 'Which categories of spend count, by spend_category.cac: paid, blended (with paid), fully_loaded (with both).';
COMMENT ON COLUMN revrtm.unit_economics.spend IS 'Their spend, kpi_rule.cac_lag months before, in revrtm.currency.';
COMMENT ON COLUMN revrtm.unit_economics.new_customers IS 'Accounts won for the first time.';
COMMENT ON COLUMN revrtm.unit_economics.cac IS 'spend / new_customers; NULL where either is zero.';
COMMENT ON COLUMN revrtm.unit_economics.monthly_margin IS 'What a customer leaves in a month: its yearly revenue / 12 x the gross margin of a year.';
COMMENT ON COLUMN revrtm.unit_economics.ltv IS 'What it leaves in its life; NULL where none was lost. Negative where it leaves less than nothing.';
COMMENT ON COLUMN revrtm.unit_economics.ltv_capped IS 'The same with a life of at most kpi_rule.ltv_months.';
COMMENT ON COLUMN revrtm.unit_economics.ltv_cac IS 'ltv / cac.';
COMMENT ON COLUMN revrtm.unit_economics.payback IS 'Months until it has left what it cost: cac / monthly_margin; NULL where it leaves nothing.';
COMMENT ON COLUMN revrtm.unit_economics.note IS
'Joined by a comma: of cac no_customers, fx_missing, stale_fx or zero_spend; of ltv no_customers, no_base, no_revenue, no_churn or small_n; no_payback. NULL for nothing.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('unit_economics', 'cac', 'reporting currency', false),
('unit_economics', 'ltv', 'reporting currency', false),
('unit_economics', 'ltv_cac', 'ratio', false),
('unit_economics', 'ltv_capped', 'reporting currency', false),
('unit_economics', 'monthly_margin', 'reporting currency', false),
('unit_economics', 'new_customers', 'accounts', true),
('unit_economics', 'payback', 'months', false),
('unit_economics', 'spend', 'reporting currency', true);
