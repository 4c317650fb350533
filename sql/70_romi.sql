-- What each route returns: attributed margin against spend, by category and
-- month.

CREATE VIEW revrtm.route_credit WITH (security_invoker = true) AS
SELECT concat_ws(':', c.model, c.route_id, c.category, coalesce(revrtm.date_text(c.period), '(none)'), c.deal_route_id) AS route_credit_key,
       c.model,
       c.route_id,
       c.category,
       c.period,
       c.deal_route_id,
       -- In an order of its own, so that the sum is the same to the bit.
       sum(c.conversions ORDER BY c.conversions) AS conversions,
       sum(c.revenue)::numeric(20, 4) AS revenue,
       sum(c.margin)::numeric(20, 4) AS margin
FROM (SELECT k.model, coalesce(m.route_id, p.route_id) AS route_id,
             coalesce(m.category, '(unmapped)') AS category,
             p.period, p.route_id AS deal_route_id, k.conversions, k.revenue, k.margin
      FROM (SELECT d.route_id, d.period,
                   revrtm.credits_agg(d.journey, d.amount, (SELECT revrtm.shown_models()), (SELECT revrtm.currency_scale(NULL))) AS revenue,
                   revrtm.credits_agg(d.journey, d.margin, (SELECT revrtm.shown_models()), (SELECT revrtm.currency_scale(NULL))) AS margin
            FROM revrtm.deal d
            WHERE d.is_won AND d.is_closed
            GROUP BY d.route_id, d.period) p
           CROSS JOIN LATERAL ROWS FROM (revrtm.channel_credit(p.revenue), revrtm.channel_credit(p.margin))
               AS k (model, channel, conversions, revenue, model_again, channel_again, conversions_again, margin)
           LEFT JOIN revrtm.channel_map m ON m.channel = k.channel) c
GROUP BY c.model, c.route_id, c.category, c.period, c.deal_route_id;
COMMENT ON VIEW revrtm.route_credit IS
'Credit of won deals by the route and category their channels are mapped to. Grain: credited route x category x month x the deals'' own route, under an enabled model. Credit of a channel without a map, and of (unattributed), stays with the deal''s own route, category (unmapped).';
COMMENT ON COLUMN revrtm.route_credit.route_credit_key IS 'model:route_id:category:period:deal_route_id.';
COMMENT ON COLUMN revrtm.route_credit.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.route_credit.route_id IS 'Route that the credit belongs to.';
COMMENT ON COLUMN revrtm.route_credit.category IS 'Spend category that the credit belongs to; (unmapped) takes no budget.';
COMMENT ON COLUMN revrtm.route_credit.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.route_credit.deal_route_id IS 'The deals'' own route.';
COMMENT ON COLUMN revrtm.route_credit.conversions IS 'Won deals credited, as shares of deals.';
COMMENT ON COLUMN revrtm.route_credit.revenue IS 'Amount credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.route_credit.margin IS 'Margin credited, in revrtm.currency.';

CREATE VIEW revrtm.route_spend WITH (security_invoker = true) AS
SELECT concat_ws(':', s.route_id, s.category, revrtm.date_text(s.period)) AS route_spend_key,
       s.route_id,
       s.category,
       s.period,
       coalesce(sum(s.amount), 0)::numeric(20, 4) AS spend,
       count(s.note) AS fx_missing,
       min(s.note) AS note
FROM (SELECT k.route_id, k.category, revrtm.period(k.period) AS period,
             revrtm.reporting_amount(k.amount, k.currency, k.period) AS amount,
             revrtm.reporting_note(k.currency, k.period) AS note
      FROM revrtm.spend k) s
GROUP BY s.route_id, s.category, s.period;
COMMENT ON VIEW revrtm.route_spend IS 'Spend in the reporting currency. Grain: route x category x month.';
COMMENT ON COLUMN revrtm.route_spend.route_spend_key IS 'route_id:category:period.';
COMMENT ON COLUMN revrtm.route_spend.route_id IS 'Route the money was spent on.';
COMMENT ON COLUMN revrtm.route_spend.category IS 'Spend category.';
COMMENT ON COLUMN revrtm.route_spend.period IS 'Month of the spend.';
COMMENT ON COLUMN revrtm.route_spend.spend IS 'Spend in revrtm.currency.';
COMMENT ON COLUMN revrtm.route_spend.fx_missing IS 'Entries left out for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.route_spend.note IS 'fx_missing (some lack any rate), stale_fx (some have only a stale one), or NULL.';

CREATE VIEW revrtm.route_touched WITH (security_invoker = true) AS
SELECT concat_ws(':', t.route_id, t.category, coalesce(revrtm.date_text(t.period), '(none)')) AS route_touched_key,
       t.route_id,
       t.category,
       t.period,
       count(*) AS deals
FROM (SELECT DISTINCT coalesce(m.route_id, d.route_id) AS route_id,
             coalesce(m.category, '(unmapped)') AS category, d.period, d.opportunity_id
      FROM revrtm.deal d
           CROSS JOIN LATERAL unnest(coalesce(nullif(revrtm.channels(d.journey), '{}'),
                                              ARRAY['(unattributed)'])) k (channel)
           LEFT JOIN revrtm.channel_map m ON m.channel = k.channel
      WHERE d.is_won AND d.is_closed) t
GROUP BY t.route_id, t.category, t.period;
COMMENT ON VIEW revrtm.route_touched IS 'Won deals that a route and category touched. Grain: route x category x month; a deal counts once in each it was touched by.';
COMMENT ON COLUMN revrtm.route_touched.route_touched_key IS 'route_id:category:period.';
COMMENT ON COLUMN revrtm.route_touched.route_id IS 'Route that the touches'' channels are mapped to, or the deal''s own.';
COMMENT ON COLUMN revrtm.route_touched.category IS 'Spend category they are mapped to, or (unmapped).';
COMMENT ON COLUMN revrtm.route_touched.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.route_touched.deals IS 'Won deals with at least one such touch.';

CREATE VIEW revrtm.route_romi WITH (security_invoker = true) AS
SELECT concat_ws(':', l.model, l.route_id, l.category, coalesce(revrtm.date_text(l.period), '(none)')) AS route_romi_key,
       l.model,
       l.route_id,
       l.category,
       l.period,
       coalesce(t.deals, 0) AS deals,
       coalesce(l.conversions, 0) AS conversions,
       coalesce(l.revenue, 0)::numeric(20, 4) AS revenue,
       coalesce(l.margin, 0)::numeric(20, 4) AS margin,
       coalesce(l.spend, 0)::numeric(20, 4) AS spend,
       revrtm.ratio(coalesce(l.margin, 0) - l.spend, l.spend)::numeric(18, 6) AS romi,
       coalesce(l.fx_missing, 0) AS fx_missing,
       coalesce(l.note, revrtm.ratio_note(l.spend, 'zero_spend')) AS note
FROM (SELECT coalesce(c.model, s.model) AS model, coalesce(c.route_id, s.route_id) AS route_id,
             coalesce(c.category, s.category) AS category, coalesce(c.period, s.period) AS period,
             c.conversions, c.revenue, c.margin, s.spend, s.fx_missing, s.note
      FROM (SELECT k.model, k.route_id, k.category, k.period, sum(k.conversions ORDER BY k.conversions) AS conversions,
                   sum(k.revenue) AS revenue, sum(k.margin) AS margin
            FROM revrtm.route_credit k
            GROUP BY k.model, k.route_id, k.category, k.period) c
           FULL JOIN (SELECT m.model, p.route_id, p.category, p.period, p.spend, p.fx_missing, p.note
                      FROM revrtm.route_spend p CROSS JOIN unnest(revrtm.shown_models()) m (model)) s
             ON s.model = c.model AND s.route_id = c.route_id AND s.category = c.category
                AND s.period = c.period) l
     LEFT JOIN revrtm.route_touched t
       ON t.route_id = l.route_id AND t.category = l.category AND t.period IS NOT DISTINCT FROM l.period;
COMMENT ON VIEW revrtm.route_romi IS
'Return on spend by attributed margin: romi = (margin - spend) / spend. Grain: route x category x month under an enabled model; a route and category with only credit or only spend keeps its row. Attribution is not incrementality: it says who took part, not what would have happened without.';
COMMENT ON COLUMN revrtm.route_romi.route_romi_key IS 'model:route_id:category:period.';
COMMENT ON COLUMN revrtm.route_romi.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.route_romi.route_id IS 'Route.';
COMMENT ON COLUMN revrtm.route_romi.category IS 'Spend category; (unmapped) for credit that no spend stands against.';
COMMENT ON COLUMN revrtm.route_romi.period IS 'Month of the deals'' end and of the spend.';
COMMENT ON COLUMN revrtm.route_romi.deals IS 'Won deals with at least one touch of the route and category; not additive over categories, the same under every model.';
COMMENT ON COLUMN revrtm.route_romi.conversions IS 'Won deals credited, as shares of deals; additive.';
COMMENT ON COLUMN revrtm.route_romi.revenue IS 'Amount credited, in revrtm.currency; additive.';
COMMENT ON COLUMN revrtm.route_romi.margin IS 'Margin credited, in revrtm.currency; additive.';
COMMENT ON COLUMN revrtm.route_romi.spend IS 'Spend in revrtm.currency; additive over routes, categories and months, the same under every model.';
COMMENT ON COLUMN revrtm.route_romi.romi IS '(margin - spend) / spend; NULL where spend is zero.';
COMMENT ON COLUMN revrtm.route_romi.fx_missing IS 'Spend entries left out for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.route_romi.note IS 'zero_spend, fx_missing, stale_fx, or NULL.';

-- The rows that a report by route and month has, whatever there is to report.

CREATE FUNCTION revrtm.known_route(first date, last date) RETURNS TABLE (route_id text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
    SELECT r.route_id FROM revrtm.route r WHERE r.active
    UNION
    SELECT d.route_id FROM revrtm.deal d
    WHERE d.period IS NULL OR d.period BETWEEN revrtm.period(first) AND revrtm.period(last)
    UNION
    SELECT s.route_id FROM revrtm.spend s
    WHERE revrtm.period(s.period) BETWEEN revrtm.period(first) AND revrtm.period(last)
    UNION
    SELECT c.route_id FROM revrtm.route_credit c
    WHERE c.period BETWEEN revrtm.period(first) AND revrtm.period(last);
END;
COMMENT ON FUNCTION revrtm.known_route(date, date) IS
'The routes that a report of the months from first to last has rows for: every active one of revrtm.route, and every other that a deal (open, or closed in that time), an entry of spend or credit of that time names.';

CREATE FUNCTION revrtm.route_period(first date, last date) RETURNS TABLE (route_id text, period date)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 120
BEGIN ATOMIC
    SELECT r.route_id, m.period
    FROM revrtm.months(first, last) m (period) CROSS JOIN revrtm.known_route(first, last) r;
END;
COMMENT ON FUNCTION revrtm.route_period(date, date) IS
'The spine of reports by route and month: every route of known_route in every month from that of the first day to that of the last, so that a month without anything keeps its row. 22023 as months.';
