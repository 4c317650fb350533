-- The KPIs side by side.

CREATE FUNCTION revrtm.scorecard_between(first date, last date, by text[] DEFAULT '{period,route,segment,region,product}')
RETURNS TABLE (period date, route_id text, segment text, region text, product text, created bigint, created_amount numeric,
               sourced_amount numeric, influenced_amount numeric, won bigint, closed bigint, win_rate numeric,
               win_rate_lo double precision, win_rate_hi double precision, created_won bigint, created_closed bigint,
               win_rate_created numeric, cycle_time_median numeric, cycle_time_p90 numeric, qualified bigint, leads bigint,
               sqo_rate numeric, open_deals bigint, velocity numeric, margin numeric, won_amount numeric,
               gross_margin numeric, open_amount numeric, target numeric, pipeline_coverage numeric, spend numeric,
               new_customers bigint, cac numeric, ltv numeric, ltv_capped numeric, ltv_cac numeric, payback numeric,
               start_amount numeric, end_amount numeric, retained_amount numeric, nrr numeric, grr numeric,
               decided bigint, decided_or_waiting bigint, approval_time numeric, conflicts bigint, registrations bigint,
               conflict_rate numeric, paid_right numeric, paid numeric, payout_accuracy numeric, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT k.period, k.route_id, k.segment, k.region, k.product,
           max(k.n) FILTER (WHERE k.kpi = 'win_rate_created'),
           max(k.denominator) FILTER (WHERE k.kpi = 'sourced_pipeline'),
           max(k.numerator) FILTER (WHERE k.kpi = 'sourced_pipeline'),
           max(k.numerator) FILTER (WHERE k.kpi = 'influenced_pipeline'),
           max(k.numerator) FILTER (WHERE k.kpi = 'win_rate')::bigint,
           max(k.denominator) FILTER (WHERE k.kpi = 'win_rate')::bigint,
           max(k.value) FILTER (WHERE k.kpi = 'win_rate'),
           max(k.lo) FILTER (WHERE k.kpi = 'win_rate'),
           max(k.hi) FILTER (WHERE k.kpi = 'win_rate'),
           max(k.numerator) FILTER (WHERE k.kpi = 'win_rate_created')::bigint,
           max(k.denominator) FILTER (WHERE k.kpi = 'win_rate_created')::bigint,
           max(k.value) FILTER (WHERE k.kpi = 'win_rate_created'),
           max(k.value) FILTER (WHERE k.kpi = 'cycle_time_median'),
           max(k.value) FILTER (WHERE k.kpi = 'cycle_time_p90'),
           max(k.numerator) FILTER (WHERE k.kpi = 'sqo_rate')::bigint,
           max(k.denominator) FILTER (WHERE k.kpi = 'sqo_rate')::bigint,
           max(k.value) FILTER (WHERE k.kpi = 'sqo_rate'),
           max(k.n) FILTER (WHERE k.kpi = 'velocity'),
           max(k.value) FILTER (WHERE k.kpi = 'velocity'),
           max(k.numerator) FILTER (WHERE k.kpi = 'gross_margin'),
           max(k.denominator) FILTER (WHERE k.kpi = 'gross_margin'),
           max(k.value) FILTER (WHERE k.kpi = 'gross_margin'),
           max(k.numerator) FILTER (WHERE k.kpi = 'pipeline_coverage'),
           max(k.denominator) FILTER (WHERE k.kpi = 'pipeline_coverage'),
           max(k.value) FILTER (WHERE k.kpi = 'pipeline_coverage'),
           max(k.numerator) FILTER (WHERE k.kpi = 'cac'),
           max(k.denominator) FILTER (WHERE k.kpi = 'cac')::bigint,
           max(k.value) FILTER (WHERE k.kpi = 'cac'),
           max(k.value) FILTER (WHERE k.kpi = 'ltv'),
           max(k.value) FILTER (WHERE k.kpi = 'ltv_capped'),
           max(k.value) FILTER (WHERE k.kpi = 'ltv_cac'),
           max(k.value) FILTER (WHERE k.kpi = 'payback'),
           max(k.denominator) FILTER (WHERE k.kpi = 'nrr'),
           max(k.numerator) FILTER (WHERE k.kpi = 'nrr'),
           max(k.numerator) FILTER (WHERE k.kpi = 'grr'),
           max(k.value) FILTER (WHERE k.kpi = 'nrr'),
           max(k.value) FILTER (WHERE k.kpi = 'grr'),
           max(k.numerator) FILTER (WHERE k.kpi = 'approval_time')::bigint,
           max(k.denominator) FILTER (WHERE k.kpi = 'approval_time')::bigint,
           max(k.value) FILTER (WHERE k.kpi = 'approval_time'),
           max(k.numerator) FILTER (WHERE k.kpi = 'conflict_rate')::bigint,
           max(k.denominator) FILTER (WHERE k.kpi = 'conflict_rate')::bigint,
           max(k.value) FILTER (WHERE k.kpi = 'conflict_rate'),
           max(k.numerator) FILTER (WHERE k.kpi = 'payout_accuracy'),
           max(k.denominator) FILTER (WHERE k.kpi = 'payout_accuracy'),
           max(k.value) FILTER (WHERE k.kpi = 'payout_accuracy'),
           string_agg(DISTINCT k.note COLLATE "C", ', ')
    FROM revrtm.kpi_between(scorecard_between.first, scorecard_between.last, scorecard_between.by) k
    GROUP BY k.period, k.route_id, k.segment, k.region, k.product;
END
$$;
COMMENT ON FUNCTION revrtm.scorecard_between(date, date, text[]) IS
'The KPIs of kpi_between side by side, with the columns of revrtm.scorecard: a row for each month and whatever it is told by. Errors as kpi_between.';

CREATE VIEW revrtm.scorecard WITH (security_invoker = true) AS
SELECT pg_catalog.concat_ws(':', revrtm.date_text(s.period), s.route_id, s.segment, s.region, s.product) AS scorecard_key,
       s.period,
       s.route_id,
       s.segment,
       s.region,
       s.product,
       s.created,
       s.created_amount::numeric(24, 4) AS created_amount,
       s.sourced_amount::numeric(24, 4) AS sourced_amount,
       s.influenced_amount::numeric(24, 4) AS influenced_amount,
       s.won,
       s.closed,
       s.win_rate::numeric(24, 6) AS win_rate,
       s.win_rate_lo,
       s.win_rate_hi,
       s.created_won,
       s.created_closed,
       s.win_rate_created::numeric(24, 6) AS win_rate_created,
       s.cycle_time_median::numeric(24, 6) AS cycle_time_median,
       s.cycle_time_p90::numeric(24, 6) AS cycle_time_p90,
       s.qualified,
       s.leads,
       s.sqo_rate::numeric(24, 6) AS sqo_rate,
       s.open_deals,
       s.velocity::numeric(24, 6) AS velocity,
       s.margin::numeric(24, 4) AS margin,
       s.won_amount::numeric(24, 4) AS won_amount,
       s.gross_margin::numeric(24, 6) AS gross_margin,
       s.open_amount::numeric(24, 4) AS open_amount,
       s.target::numeric(24, 4) AS target,
       s.pipeline_coverage::numeric(24, 6) AS pipeline_coverage,
       s.spend::numeric(24, 4) AS spend,
       s.new_customers,
       s.cac::numeric(24, 6) AS cac,
       s.ltv::numeric(24, 6) AS ltv,
       s.ltv_capped::numeric(24, 6) AS ltv_capped,
       s.ltv_cac::numeric(24, 6) AS ltv_cac,
       s.payback::numeric(24, 6) AS payback,
       s.start_amount::numeric(24, 4) AS start_amount,
       s.end_amount::numeric(24, 4) AS end_amount,
       s.retained_amount::numeric(24, 4) AS retained_amount,
       s.nrr::numeric(24, 6) AS nrr,
       s.grr::numeric(24, 6) AS grr,
       s.decided,
       s.decided_or_waiting,
       s.approval_time::numeric(24, 6) AS approval_time,
       s.conflicts,
       s.registrations,
       s.conflict_rate::numeric(24, 6) AS conflict_rate,
       s.paid_right::numeric(24, 4) AS paid_right,
       s.paid::numeric(24, 4) AS paid,
       s.payout_accuracy::numeric(24, 6) AS payout_accuracy,
       s.note
FROM revrtm.scorecard_between(NULL, NULL) s;
COMMENT ON VIEW revrtm.scorecard IS
'Every KPI side by side, with the parts of each ratio, in revrtm.currency. Grain: month x route x segment x region x product; what a source does not tell apart stands in a row of (all), as in revrtm.kpi, and is NULL elsewhere, so that parts are summed over all rows. For some months, or another grain, ask scorecard_between.';
COMMENT ON COLUMN revrtm.scorecard.scorecard_key IS 'period:route_id:segment:region:product.';
COMMENT ON COLUMN revrtm.scorecard.period IS 'First day of the month.';
COMMENT ON COLUMN revrtm.scorecard.route_id IS 'Route to market.';
COMMENT ON COLUMN revrtm.scorecard.segment IS 'Segment.';
COMMENT ON COLUMN revrtm.scorecard.region IS 'Region.';
COMMENT ON COLUMN revrtm.scorecard.product IS 'Product.';
COMMENT ON COLUMN revrtm.scorecard.created IS 'Deals created in the month.';
COMMENT ON COLUMN revrtm.scorecard.created_amount IS 'Their amount, at the rate of their creation.';
COMMENT ON COLUMN revrtm.scorecard.sourced_amount IS 'That of deals a partner sourced.';
COMMENT ON COLUMN revrtm.scorecard.influenced_amount IS 'That of deals a partner took part in without sourcing them.';
COMMENT ON COLUMN revrtm.scorecard.won IS 'Deals won in the month.';
COMMENT ON COLUMN revrtm.scorecard.closed IS 'Deals won or lost in the month.';
COMMENT ON COLUMN revrtm.scorecard.win_rate IS 'won / closed.';
COMMENT ON COLUMN revrtm.scorecard.win_rate_lo IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN revrtm.scorecard.win_rate_hi IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN revrtm.scorecard.created_won IS 'Deals created in the month and won by now.';
COMMENT ON COLUMN revrtm.scorecard.created_closed IS 'Deals created in the month and won or lost by now; of created the others are open.';
COMMENT ON COLUMN revrtm.scorecard.win_rate_created IS 'created_won / created_closed.';
COMMENT ON COLUMN revrtm.scorecard.cycle_time_median IS 'Median days that deals won in the month took.';
COMMENT ON COLUMN revrtm.scorecard.cycle_time_p90 IS 'Days within which nine of ten of them were won.';
COMMENT ON COLUMN revrtm.scorecard.qualified IS 'Deals created in the month that became sales qualified in time.';
COMMENT ON COLUMN revrtm.scorecard.leads IS 'Deals created and registrations submitted in the month, one that became the other once.';
COMMENT ON COLUMN revrtm.scorecard.sqo_rate IS 'qualified / leads.';
COMMENT ON COLUMN revrtm.scorecard.open_deals IS 'Deals open at the end of the month; not additive over months.';
COMMENT ON COLUMN revrtm.scorecard.velocity IS 'Open amount x win rate / median days: money a day.';
COMMENT ON COLUMN revrtm.scorecard.margin IS 'Margin of the deals won in the month.';
COMMENT ON COLUMN revrtm.scorecard.won_amount IS 'Their amount, at the rate of their end.';
COMMENT ON COLUMN revrtm.scorecard.gross_margin IS 'margin / won_amount.';
COMMENT ON COLUMN revrtm.scorecard.open_amount IS 'Amount open at the end of the month, by route; not additive over months.';
COMMENT ON COLUMN revrtm.scorecard.target IS 'What is missing to the target of the month, by route.';
COMMENT ON COLUMN revrtm.scorecard.pipeline_coverage IS 'open_amount / target.';
COMMENT ON COLUMN revrtm.scorecard.spend IS 'Spend that won the customers of the month, by route, from so many months before as kpi_rule.cac_lag says.';
COMMENT ON COLUMN revrtm.scorecard.new_customers IS 'Accounts won for the first time in the month, by route.';
COMMENT ON COLUMN revrtm.scorecard.cac IS 'spend / new_customers.';
COMMENT ON COLUMN revrtm.scorecard.ltv IS 'What a customer leaves in its life, by route.';
COMMENT ON COLUMN revrtm.scorecard.ltv_capped IS 'The same, of a life of at most kpi_rule.ltv_months.';
COMMENT ON COLUMN revrtm.scorecard.ltv_cac IS 'ltv / cac.';
COMMENT ON COLUMN revrtm.scorecard.payback IS 'Months of a customer''s margin that cac is.';
COMMENT ON COLUMN revrtm.scorecard.start_amount IS 'Yearly revenue twelve months before; not additive over months.';
COMMENT ON COLUMN revrtm.scorecard.end_amount IS 'That of the same customers now; not additive over months.';
COMMENT ON COLUMN revrtm.scorecard.retained_amount IS 'Of each of them the lesser of both; not additive over months.';
COMMENT ON COLUMN revrtm.scorecard.nrr IS 'end_amount / start_amount.';
COMMENT ON COLUMN revrtm.scorecard.grr IS 'retained_amount / start_amount.';
COMMENT ON COLUMN revrtm.scorecard.decided IS 'Registrations first approved or rejected in the month.';
COMMENT ON COLUMN revrtm.scorecard.decided_or_waiting IS 'They and those that still wait at the end of the month; not additive over months.';
COMMENT ON COLUMN revrtm.scorecard.approval_time IS 'Median business hours of the decided ones.';
COMMENT ON COLUMN revrtm.scorecard.conflicts IS 'Conflicts opened about registrations of the month.';
COMMENT ON COLUMN revrtm.scorecard.registrations IS 'Registrations submitted in the month.';
COMMENT ON COLUMN revrtm.scorecard.conflict_rate IS 'conflicts / registrations.';
COMMENT ON COLUMN revrtm.scorecard.paid_right IS 'Of what was to be paid, what was paid right.';
COMMENT ON COLUMN revrtm.scorecard.paid IS 'What was to be paid.';
COMMENT ON COLUMN revrtm.scorecard.payout_accuracy IS 'paid_right / paid.';
COMMENT ON COLUMN revrtm.scorecard.note IS 'The notes of its KPIs, as revrtm.kpi has them, in alphabetical order; NULL for none.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('scorecard', 'approval_time', 'hours', false),
('scorecard', 'cac', 'reporting currency', false),
('scorecard', 'closed', 'deals', true),
('scorecard', 'conflict_rate', 'share', false),
('scorecard', 'conflicts', 'pieces', true),
('scorecard', 'created', 'deals', true),
('scorecard', 'created_amount', 'reporting currency', true),
('scorecard', 'created_closed', 'deals', true),
('scorecard', 'created_won', 'deals', true),
('scorecard', 'cycle_time_median', 'days', false),
('scorecard', 'cycle_time_p90', 'days', false),
('scorecard', 'decided', 'pieces', true),
('scorecard', 'decided_or_waiting', 'pieces', false),
('scorecard', 'end_amount', 'reporting currency', false),
('scorecard', 'gross_margin', 'share', false),
('scorecard', 'grr', 'share', false),
('scorecard', 'influenced_amount', 'reporting currency', true),
('scorecard', 'leads', 'pieces', true),
('scorecard', 'ltv', 'reporting currency', false),
('scorecard', 'ltv_cac', 'ratio', false),
('scorecard', 'ltv_capped', 'reporting currency', false),
('scorecard', 'margin', 'reporting currency', true),
('scorecard', 'new_customers', 'accounts', true),
('scorecard', 'nrr', 'share', false),
('scorecard', 'open_amount', 'reporting currency', false),
('scorecard', 'open_deals', 'deals', false),
('scorecard', 'paid', 'reporting currency', true),
('scorecard', 'paid_right', 'reporting currency', true),
('scorecard', 'payback', 'months', false),
('scorecard', 'payout_accuracy', 'share', false),
('scorecard', 'pipeline_coverage', 'ratio', false),
('scorecard', 'qualified', 'deals', true),
('scorecard', 'registrations', 'pieces', true),
('scorecard', 'retained_amount', 'reporting currency', false),
('scorecard', 'sourced_amount', 'reporting currency', true),
('scorecard', 'spend', 'reporting currency', true),
('scorecard', 'sqo_rate', 'share', false),
('scorecard', 'start_amount', 'reporting currency', false),
('scorecard', 'target', 'reporting currency', true),
('scorecard', 'velocity', 'reporting currency', false),
('scorecard', 'win_rate', 'share', false),
('scorecard', 'win_rate_created', 'share', false),
('scorecard', 'win_rate_hi', 'share', false),
('scorecard', 'win_rate_lo', 'share', false),
('scorecard', 'won', 'deals', true),
('scorecard', 'won_amount', 'reporting currency', true);
