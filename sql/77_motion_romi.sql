-- ROMI by motion: credited margin, less what partners keep and what was paid
-- back, against the spend of the months that it comes from.

CREATE FUNCTION revrtm.romi_at(grain text)
RETURNS TABLE (model text, basis text, period date, route_id text, category text, motion text, segment text, region text,
               partner_id text, touched bigint, closed bigint, deals bigint, conversions numeric, revenue numeric, margin numeric,
               cost_of_sale numeric, refund_revenue numeric, refund_margin numeric, incrementality numeric,
               incremental_margin numeric, open_margin numeric, spend numeric, fx_missing bigint, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
BEGIN ATOMIC
SELECT l.model, l.basis, l.period, l.route_id, l.category, l.motion, l.segment, l.region, l.partner_id, l.touched, l.closed, l.deals,
       l.conversions, l.revenue, l.margin, l.cost_of_sale, l.refund_revenue, l.refund_margin, coalesce(i.incrementality, 1),
       coalesce(i.incrementality, 1) * (l.margin - l.cost_of_sale + l.refund_margin), coalesce(i.incrementality, 1) * l.open_margin,
       l.spend, l.fx_missing, l.note
FROM (SELECT c.model, c.basis, c.period, c.route_id, c.category, c.motion, c.segment, c.region, c.partner_id,
             c.touched, c.closed, c.deals, c.conversions, c.revenue, c.margin, c.cost_of_sale, c.refund_revenue,
             c.refund_margin, c.open_margin, 0::numeric(20, 4) AS spend, 0::bigint AS fx_missing, NULL::text AS note
      FROM revrtm.romi_credit c
      WHERE c.grain = romi_at.grain
      UNION ALL
      SELECT m.model, v.basis, (s.period + make_interval(months => v.lag))::date, s.route_id, s.category, '(unallocated)',
             '(unallocated)', '(unallocated)', s.partner_id, 0, 0, 0, 0, n.zero, n.zero,
             CASE WHEN s.is_cost THEN s.amount ELSE n.zero END, n.zero, n.zero, n.zero,
             CASE WHEN s.is_cost THEN n.zero ELSE s.amount END, s.fx_missing,
             coalesce(s.note, CASE WHEN s.is_cost AND EXISTS (
                 SELECT FROM revrtm.partner_cost p
                 WHERE p.route_id IN (s.route_id, '(any)') AND p.discount + p.commission > 0) THEN 'cost_of_sale_twice' END)
      FROM (SELECT k.route_id, k.category, k.partner_id, k.period, coalesce(g.cost_of_sale, false) AS is_cost,
                   coalesce(g.cash_lag, 0) AS cash_lag, coalesce(g.cohort_lag, 0) AS cohort_lag,
                   coalesce(sum(k.amount), 0)::numeric(20, 4) AS amount, count(k.note) AS fx_missing, min(k.note) AS note
            FROM (SELECT x.route_id, x.category, coalesce(x.partner_id, '(unallocated)') AS partner_id,
                         revrtm.period(x.period) AS period, revrtm.reporting_amount(x.amount, x.currency, x.period) AS amount,
                         revrtm.reporting_note(x.currency, x.period) AS note
                  FROM revrtm.spend x) k
            LEFT JOIN revrtm.spend_category g ON g.category = k.category
            GROUP BY k.route_id, k.category, k.partner_id, k.period, g.cost_of_sale, g.cash_lag, g.cohort_lag) s
      CROSS JOIN (SELECT 0::numeric(20, 4) AS zero) n
      CROSS JOIN unnest(revrtm.romi_models()) m (model)
      -- What is cost of sale was paid when it was sold.
      CROSS JOIN LATERAL (VALUES ('cash', CASE WHEN s.is_cost THEN 0 ELSE s.cash_lag END),
                                 ('cohort', CASE WHEN s.is_cost THEN 0 ELSE s.cohort_lag END)) v (basis, lag)) l
     LEFT JOIN revrtm.route_incrementality i ON i.route_id = l.route_id;
END;
COMMENT ON FUNCTION revrtm.romi_at(text) IS
'The rows of romi_line, their credit at one of the grains of romi_credit; put in place by the planner.';

CREATE VIEW revrtm.romi_line WITH (security_invoker = true) AS
SELECT concat_ws(':', l.model, l.basis, coalesce(revrtm.date_text(l.period), '(none)'), l.route_id, l.category, l.motion,
                 l.segment, l.region, l.partner_id) AS romi_line_key,
       l.model,
       l.basis,
       l.period,
       l.route_id,
       l.category,
       l.motion,
       l.segment,
       l.region,
       l.partner_id,
       l.touched,
       l.closed,
       l.deals,
       l.conversions::numeric(24, 12) AS conversions,
       l.revenue::numeric(20, 4) AS revenue,
       l.margin::numeric(20, 4) AS margin,
       l.cost_of_sale::numeric(20, 4) AS cost_of_sale,
       l.refund_revenue::numeric(20, 4) AS refund_revenue,
       l.refund_margin::numeric(20, 4) AS refund_margin,
       l.incrementality::numeric(12, 6) AS incrementality,
       l.incremental_margin::numeric(28, 10) AS incremental_margin,
       l.open_margin::numeric(28, 10) AS open_margin,
       l.spend::numeric(20, 4) AS spend,
       l.fx_missing,
       l.note
FROM revrtm.romi_at('all') l;
COMMENT ON VIEW revrtm.romi_line IS
'What ROMI is made of: credit as refresh_romi() keeps it, and spend in the month in which it is due to work, each in rows of its own, to be added up. Spend tells neither motion, segment nor region, and a partner only where the CRM names one: (unallocated). Grain: model x basis x month x route x category x motion x segment x region x partner.';
COMMENT ON COLUMN revrtm.romi_line.romi_line_key IS 'model:basis:period:route_id:category:motion:segment:region:partner_id.';
COMMENT ON COLUMN revrtm.romi_line.model IS 'Attribution model, one of romi_models().';
COMMENT ON COLUMN revrtm.romi_line.basis IS 'cash: deals by the month of their close; cohort: by that of their creation, or first touch (romi_rule.cohort).';
COMMENT ON COLUMN revrtm.romi_line.period IS 'That month; of spend, the month of the spend and the lag of its category after it. NULL where nobody knows.';
COMMENT ON COLUMN revrtm.romi_line.route_id IS 'Route that the credit belongs to, and that the money was spent on.';
COMMENT ON COLUMN revrtm.romi_line.category IS 'Spend category; (unmapped) for credit that no spend stands against.';
COMMENT ON COLUMN revrtm.romi_line.motion IS 'Motion of the deals (deal_motion).';
COMMENT ON COLUMN revrtm.romi_line.segment IS 'Segment of the deals; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.romi_line.region IS 'Region of the deals; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.romi_line.partner_id IS 'Partner on the deals, or that the money was spent on; (none) for deals without one.';
COMMENT ON COLUMN revrtm.romi_line.touched IS 'Deals with a touch of the route and category: of cash closed ones, of a cohort all. Not additive over routes and categories.';
COMMENT ON COLUMN revrtm.romi_line.closed IS 'How many of them are closed.';
COMMENT ON COLUMN revrtm.romi_line.deals IS 'How many are won.';
COMMENT ON COLUMN revrtm.romi_line.conversions IS 'Won deals credited, as shares of deals.';
COMMENT ON COLUMN revrtm.romi_line.revenue IS 'Amount of won deals credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.romi_line.margin IS 'Margin of won deals credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.romi_line.cost_of_sale IS 'What partners keep of it: by partner_cost, and entries of spend in a category that is cost of sale; in revrtm.currency. Never spend.';
COMMENT ON COLUMN revrtm.romi_line.refund_revenue IS 'Refunds and amendments credited, negative for what was paid back, in revrtm.currency.';
COMMENT ON COLUMN revrtm.romi_line.refund_margin IS 'Their margin: in the proportion that the deal''s margin has to its amount, less what partners keep of them.';
COMMENT ON COLUMN revrtm.romi_line.incrementality IS 'Factor of the route (route_incrementality), 1 unless it has one.';
COMMENT ON COLUMN revrtm.romi_line.incremental_margin IS 'incrementality x (margin - cost_of_sale + refund_margin), in revrtm.currency.';
COMMENT ON COLUMN revrtm.romi_line.open_margin IS
'What open deals of a cohort are expected to bring: incrementality x credited margin less what partners keep x probability (the CRM''s, else stage_conversion of their stage, else the share of all closed deals that were won), in revrtm.currency; 0 of cash.';
COMMENT ON COLUMN revrtm.romi_line.spend IS 'Spend in revrtm.currency.';
COMMENT ON COLUMN revrtm.romi_line.fx_missing IS 'Entries of spend left out for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.romi_line.note IS 'fx_missing, stale_fx, cost_of_sale_twice, or NULL.';

CREATE FUNCTION revrtm.romi_told(first date, last date, by text[], model text, basis text)
RETURNS TABLE (period date, route_id text, category text, motion text, segment text, region text, partner_id text,
               touched bigint, closed bigint, deals bigint, conversions numeric, revenue numeric, margin numeric,
               cost_of_sale numeric, refund_revenue numeric, refund_margin numeric, incremental_margin numeric,
               open_margin numeric, maturity numeric, elapsed numeric, spend numeric, romi numeric, fx_missing bigint, note text)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 1000
BEGIN ATOMIC
WITH told AS MATERIALIZED (
    SELECT row_number() OVER () AS id, g.*,
           '(unallocated)' IN (g.motion, g.segment, g.region, g.partner_id) AS is_loose
    FROM (SELECT CASE WHEN 'period' = ANY (by) THEN l.period END AS period,
                 CASE WHEN 'route' = ANY (by) THEN l.route_id ELSE '(all)' END AS route_id,
                 CASE WHEN 'category' = ANY (by) THEN l.category ELSE '(all)' END AS category,
                 CASE WHEN 'motion' = ANY (by) THEN l.motion ELSE '(all)' END AS motion,
                 CASE WHEN 'segment' = ANY (by) THEN l.segment ELSE '(all)' END AS segment,
                 CASE WHEN 'region' = ANY (by) THEN l.region ELSE '(all)' END AS region,
                 CASE WHEN 'partner' = ANY (by) THEN l.partner_id ELSE '(all)' END AS partner_id,
                 sum(l.touched)::bigint AS touched, sum(l.closed)::bigint AS closed, sum(l.deals)::bigint AS deals,
                 round(sum(l.conversions), 6) AS conversions, sum(l.revenue) AS revenue, sum(l.margin) AS margin,
                 sum(l.cost_of_sale) AS cost_of_sale, sum(l.refund_revenue) AS refund_revenue,
                 sum(l.refund_margin) AS refund_margin, round(sum(l.incremental_margin), 4) AS incremental_margin,
                 round(sum(l.open_margin), 4) AS open_margin, sum(l.spend) AS spend, sum(l.fx_missing)::bigint AS fx_missing,
                 coalesce(min(l.note) FILTER (WHERE l.note <> 'cost_of_sale_twice'), min(l.note)) AS note
          FROM revrtm.romi_at(CASE WHEN by && '{motion,segment,region}'
                                   THEN CASE WHEN 'partner' = ANY (by) THEN 'all' ELSE 'cell' END
                                   WHEN 'partner' = ANY (by) THEN 'partner' ELSE 'line' END) l
          WHERE l.model = romi_told.model AND l.basis = romi_told.basis
            AND (romi_told.first IS NULL OR l.period >= revrtm.period(romi_told.first))
            AND (romi_told.last IS NULL OR l.period <= revrtm.period(romi_told.last))
          GROUP BY 1, 2, 3, 4, 5, 6, 7) g
), untold AS MATERIALIZED (
    -- Spend that some of what is asked for does not tell.
    SELECT t.id, t.route_id, t.category, coalesce(t.period, '-infinity') AS period, t.partner_id, t.spend
    FROM told t
    WHERE t.is_loose AND t.spend <> 0
), loose AS (
    -- And the rows that it is spread over.
    SELECT l.id AS from_id, t.id, l.spend,
           sum(t.touched) OVER (PARTITION BY l.id) AS touched,
           sum(t.touched) OVER (PARTITION BY l.id ORDER BY t.motion COLLATE "C", t.segment COLLATE "C", t.region COLLATE "C",
                                t.partner_id COLLATE "C" ROWS UNBOUNDED PRECEDING) AS upto, t.touched AS own
    FROM untold l JOIN told t ON t.route_id = l.route_id AND t.category = l.category AND coalesce(t.period, '-infinity') = l.period
         AND NOT t.is_loose AND l.partner_id IN (t.partner_id, '(unallocated)')
    WHERE (SELECT r.spread = 'touched' FROM revrtm.romi_rule r)
), share AS (
    -- To the last digit: what is spread adds up to what there was.
    SELECT s.id, sum(round(revrtm.ratio(s.spend * s.upto, s.touched), 4)
                     - round(revrtm.ratio(s.spend * (s.upto - s.own), s.touched), 4)) AS spend
    FROM loose s
    GROUP BY s.id
), spread AS (
    SELECT DISTINCT o.from_id AS id FROM loose o WHERE o.touched > 0
), line AS (
    SELECT DISTINCT u.route_id, u.category, u.period, u.partner_id FROM untold u
), spent AS (
    SELECT t.*, h.id IS NOT NULL AS has_share,
           CASE WHEN f.id IS NOT NULL THEN 0 ELSE t.spend + coalesce(h.spend, 0) END AS own_spend,
           NOT t.is_loose AND h.id IS NULL AND coalesce(a.route_id, p.route_id) IS NOT NULL AS is_untold
    FROM told t
    LEFT JOIN share h ON h.id = t.id
    LEFT JOIN spread f ON f.id = t.id
    LEFT JOIN line a ON a.route_id = t.route_id AND a.category = t.category AND a.period = coalesce(t.period, '-infinity')
                        AND a.partner_id = '(unallocated)'
    LEFT JOIN line p ON p.route_id = t.route_id AND p.category = t.category AND p.period = coalesce(t.period, '-infinity')
                        AND p.partner_id = t.partner_id AND p.partner_id <> '(unallocated)'
)
SELECT s.period, s.route_id, s.category, s.motion, s.segment, s.region, s.partner_id, s.touched, s.closed, s.deals,
       s.conversions, s.revenue, s.margin, s.cost_of_sale, s.refund_revenue, s.refund_margin, s.incremental_margin,
       s.open_margin,
       CASE WHEN romi_told.basis = 'cohort' THEN round(revrtm.ratio(s.closed, s.touched), 6) END,
       CASE WHEN romi_told.basis = 'cohort' AND s.period IS NOT NULL AND s.category <> '(all)' THEN
            CASE WHEN g.cash_lag > g.cohort_lag THEN least(greatest(round(revrtm.ratio(
                (extract(year FROM n.period) - extract(year FROM s.period)) * 12
                + extract(month FROM n.period) - extract(month FROM s.period),
                g.cash_lag - g.cohort_lag), 6), 0), 1) ELSE 1 END END,
       s.own_spend,
       CASE WHEN NOT s.is_loose AND n.note IS DISTINCT FROM 'romi_missing' THEN
            round(revrtm.ratio(s.incremental_margin - s.own_spend, s.own_spend), 6) END,
       s.fx_missing,
       coalesce(n.note, s.note,
                CASE WHEN s.is_loose AND s.own_spend <> 0 OR s.is_untold THEN 'spend_not_told' END,
                revrtm.ratio_note(s.own_spend, 'zero_spend'),
                CASE WHEN s.has_share THEN 'spend_spread' END)
FROM spent s
LEFT JOIN revrtm.spend_category g ON g.category = s.category
CROSS JOIN (SELECT revrtm.period(revrtm.as_of()) AS period, revrtm.romi_note() AS note OFFSET 0) n
-- What was spread leaves no row behind.
WHERE NOT (s.is_loose AND s.own_spend = 0 AND s.spend <> 0 AND s.cost_of_sale = 0);
END;
COMMENT ON FUNCTION revrtm.romi_told(date, date, text[], text, text) IS
'Step of motion_romi_between: the query, which the planner puts in place with what is asked for.';

CREATE FUNCTION revrtm.motion_romi_between(first date, last date, by text[] DEFAULT '{period,route,category}',
                                           model text DEFAULT NULL, basis text DEFAULT 'cash')
RETURNS TABLE (period date, route_id text, category text, motion text, segment text, region text, partner_id text,
               touched bigint, closed bigint, deals bigint, conversions numeric, revenue numeric, margin numeric,
               cost_of_sale numeric, refund_revenue numeric, refund_margin numeric, incremental_margin numeric,
               open_margin numeric, maturity numeric, elapsed numeric, spend numeric, romi numeric, fx_missing bigint, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    unknown text;
    name text := coalesce(motion_romi_between.model, revrtm.council_model());
BEGIN
    SELECT string_agg(coalesce(quote_literal(b.name), 'NULL'), ', ' ORDER BY b.name COLLATE "C") INTO unknown
    FROM unnest(coalesce(motion_romi_between.by, '{NULL}')) b (name)
    WHERE coalesce(b.name <> ALL ('{period,route,category,motion,segment,region,partner}'), true);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'ROMI is not told by %', unknown
            USING ERRCODE = '22023',
                  HINT = 'The dimensions are period, route, category, motion, segment, region and partner.';
    ELSIF motion_romi_between.basis IS NULL OR motion_romi_between.basis NOT IN ('cash', 'cohort') THEN
        RAISE EXCEPTION 'unknown basis of ROMI %', coalesce(quote_literal(motion_romi_between.basis), 'NULL')
            USING ERRCODE = '22023', HINT = 'The bases are cash and cohort.';
    ELSIF motion_romi_between.last < motion_romi_between.first THEN
        RAISE EXCEPTION 'the last month is before the first' USING ERRCODE = '22023';
    ELSIF name <> ALL (revrtm.romi_models()) THEN
        RAISE EXCEPTION 'ROMI is not kept for the attribution model %', quote_ident(name)
            USING ERRCODE = '22023', HINT = 'Add it to romi_rule.models, and call refresh_romi().';
    END IF;
    RETURN QUERY SELECT * FROM revrtm.romi_told(motion_romi_between.first, motion_romi_between.last,
                                                motion_romi_between.by, name, motion_romi_between.basis);
END
$$;
COMMENT ON FUNCTION revrtm.motion_romi_between(date, date, text[], text, text) IS
'ROMI of the months from first to last, told by these dimensions (period, route, category, motion, segment, region, partner): romi = (incremental_margin - spend) / spend, from what refresh_romi() keeps, under one model (revrtm.model for NULL) and on one basis. cash: margin of the deals closed in the month against the spend of cash_lag months before. cohort: margin of the deals created (or first touched) in the month, whenever they close, against the spend of cohort_lag months before; maturity is the share of the deals touched that are closed, elapsed the part of cash_lag - cohort_lag months that have passed. What is not told apart reads (all), and an untold period is NULL. Spend that is told by less than is asked for has a row of its own, (unallocated), and romi is NULL with note spend_not_told; with romi_rule.spread = touched it is spread by deals touched, with note spend_spread. note: romi_missing, romi_stale, fx_missing, stale_fx, cost_of_sale_twice, spend_not_told, zero_spend, spend_spread, or NULL. Columns as those of romi_line. NULL first or last: from the first, to the last month there is. Without motion, segment, region and partner, and before incrementality, cost of sale and refunds, it adds up to route_romi. 22023 for an unknown dimension, basis or model, one that ROMI is not kept for, or where last is before first.';

CREATE VIEW revrtm.motion_romi WITH (security_invoker = true) AS
SELECT pg_catalog.concat_ws(':', m.model, b.basis, coalesce(revrtm.date_text(r.period), '(none)'), r.route_id, r.category,
                            r.motion, r.segment, r.region, r.partner_id) AS motion_romi_key,
       m.model,
       b.basis,
       r.period,
       r.route_id,
       r.category,
       r.motion,
       r.segment,
       r.region,
       r.partner_id,
       r.touched,
       r.closed,
       r.deals,
       r.conversions::numeric(20, 6) AS conversions,
       r.revenue::numeric(20, 4) AS revenue,
       r.margin::numeric(20, 4) AS margin,
       r.cost_of_sale::numeric(20, 4) AS cost_of_sale,
       r.refund_revenue::numeric(20, 4) AS refund_revenue,
       r.refund_margin::numeric(20, 4) AS refund_margin,
       r.incremental_margin::numeric(20, 4) AS incremental_margin,
       r.open_margin::numeric(20, 4) AS open_margin,
       r.maturity::numeric(12, 6) AS maturity,
       r.elapsed::numeric(12, 6) AS elapsed,
       r.spend::numeric(20, 4) AS spend,
       r.romi::numeric(18, 6) AS romi,
       r.fx_missing,
       r.note
FROM pg_catalog.unnest(revrtm.romi_models()) m (model)
     CROSS JOIN (VALUES ('cash'), ('cohort')) b (basis)
     CROSS JOIN LATERAL revrtm.motion_romi_between(NULL, NULL, '{period,route,category,motion,segment,region,partner}',
                                                   m.model, b.basis) r;
COMMENT ON VIEW revrtm.motion_romi IS
'ROMI by everything it can be told by: motion_romi_between of all months, under every model that it is kept for, on both bases. Ask that function for the months and dimensions you want: ratios do not add up. Grain: model x basis x month x route x category x motion x segment x region x partner. Attribution is not incrementality: it says who took part, and route_incrementality what would not have happened without.';
COMMENT ON COLUMN revrtm.motion_romi.motion_romi_key IS 'model:basis:period:route_id:category:motion:segment:region:partner_id.';
COMMENT ON COLUMN revrtm.motion_romi.model IS 'Attribution model, one of romi_models().';
COMMENT ON COLUMN revrtm.motion_romi.basis IS 'cash: deals by the month of their close; cohort: by that of their creation, or first touch.';
COMMENT ON COLUMN revrtm.motion_romi.period IS 'First day of that month; NULL where nobody knows.';
COMMENT ON COLUMN revrtm.motion_romi.route_id IS 'Route that the credit belongs to, and that the money was spent on.';
COMMENT ON COLUMN revrtm.motion_romi.category IS 'Spend category; (unmapped) for credit that no spend stands against.';
COMMENT ON COLUMN revrtm.motion_romi.motion IS 'Motion of the deals (deal_motion); (unallocated) for spend.';
COMMENT ON COLUMN revrtm.motion_romi.segment IS 'Segment of the deals; (unallocated) for spend.';
COMMENT ON COLUMN revrtm.motion_romi.region IS 'Region of the deals; (unallocated) for spend.';
COMMENT ON COLUMN revrtm.motion_romi.partner_id IS 'Partner on the deals, or that the money was spent on; (unallocated) for spend on none.';
COMMENT ON COLUMN revrtm.motion_romi.touched IS 'Deals with a touch of the route and category: of cash closed ones, of a cohort all. Not additive over routes and categories.';
COMMENT ON COLUMN revrtm.motion_romi.closed IS 'How many of them are closed; likewise.';
COMMENT ON COLUMN revrtm.motion_romi.deals IS 'How many of them are won; likewise.';
COMMENT ON COLUMN revrtm.motion_romi.conversions IS 'Won deals credited, as shares of deals; additive.';
COMMENT ON COLUMN revrtm.motion_romi.revenue IS 'Amount credited, in revrtm.currency; additive.';
COMMENT ON COLUMN revrtm.motion_romi.margin IS 'Margin credited, in revrtm.currency; additive.';
COMMENT ON COLUMN revrtm.motion_romi.cost_of_sale IS 'What partners keep of it, in revrtm.currency; never spend.';
COMMENT ON COLUMN revrtm.motion_romi.refund_revenue IS 'Refunds and amendments credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.motion_romi.refund_margin IS 'Their margin, in revrtm.currency.';
COMMENT ON COLUMN revrtm.motion_romi.incremental_margin IS 'incrementality of the route x (margin - cost_of_sale + refund_margin); additive.';
COMMENT ON COLUMN revrtm.motion_romi.open_margin IS 'What open deals of a cohort are expected to bring, in revrtm.currency; 0 of cash.';
COMMENT ON COLUMN revrtm.motion_romi.maturity IS 'closed / touched of a cohort: how much of it is decided; NULL of cash.';
COMMENT ON COLUMN revrtm.motion_romi.elapsed IS 'How much of the time that a cohort takes to ripen (cash_lag - cohort_lag) has passed, 0 to 1; NULL of cash.';
COMMENT ON COLUMN revrtm.motion_romi.spend IS 'Spend in revrtm.currency; the same under every model, additive.';
COMMENT ON COLUMN revrtm.motion_romi.romi IS '(incremental_margin - spend) / spend; NULL where spend is zero or not told by this.';
COMMENT ON COLUMN revrtm.motion_romi.fx_missing IS 'Entries of spend left out for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.motion_romi.note IS 'As that of motion_romi_between.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive)
SELECT v.name, c.name, c.unit, c.additive
FROM unnest('{motion_romi,romi_line}'::text[]) v (name)
CROSS JOIN (VALUES
    ('touched', 'deals', false), ('closed', 'deals', false), ('deals', 'deals', false), ('conversions', 'conversions', true),
    ('revenue', 'reporting currency', true), ('margin', 'reporting currency', true), ('cost_of_sale', 'reporting currency', true),
    ('refund_revenue', 'reporting currency', true), ('refund_margin', 'reporting currency', true),
    ('incremental_margin', 'reporting currency', true), ('open_margin', 'reporting currency', true),
    ('spend', 'reporting currency', true), ('fx_missing', 'rows', true)) c (name, unit, additive);
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('motion_romi', 'elapsed', 'share', false),
('motion_romi', 'maturity', 'share', false),
('motion_romi', 'romi', 'ratio', false),
('romi_line', 'incrementality', 'ratio', false);
