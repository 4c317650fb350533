-- Where do the models disagree? Channels under every model, side by side, and
-- those that only cost.

CREATE VIEW revrtm.attribution_comparison WITH (security_invoker = true) AS
SELECT concat_ws(':', r.model, r.channel, coalesce(revrtm.date_text(r.period), '(none)')) AS attribution_comparison_key,
       r.model,
       r.channel,
       r.period,
       r.conversions,
       r.revenue::numeric(20, 4) AS revenue,
       revrtm.ratio(r.revenue, r.period_revenue)::numeric(12, 6) AS share,
       r.rank::integer AS rank,
       (avg(r.rank) OVER w)::numeric(12, 2) AS mean_rank,
       (min(r.revenue) OVER w)::numeric(20, 4) AS lowest,
       (max(r.revenue) OVER w)::numeric(20, 4) AS highest,
       (max(r.revenue) OVER w - min(r.revenue) OVER w)::numeric(20, 4) AS spread,
       (min(r.rank) OVER w)::integer AS best_rank,
       (max(r.rank) OVER w)::integer AS worst_rank,
       max(r.revenue) OVER w > 0 AND min(r.rank) OVER w <> max(r.rank) OVER w AS rank_flip,
       r.spend::numeric(20, 4) AS spend,
       CASE WHEN max(r.conversions) OVER w = 0 THEN 'spend_without_credit' END AS note
FROM (SELECT m.model, s.channel, s.period, s.spend, coalesce(a.conversions, 0) AS conversions, coalesce(a.revenue, 0) AS revenue,
             sum(coalesce(a.revenue, 0)) OVER p AS period_revenue,
             rank() OVER (p ORDER BY coalesce(a.revenue, 0) DESC) AS rank
      FROM (SELECT u.channel, u.period, sum(u.spend) AS spend
            FROM (SELECT DISTINCT c.channel, c.period, NULL::numeric AS spend FROM revrtm.channel_attribution c
                  UNION ALL
                  -- Spend of a channel itself, and of the route and category it is mapped to.
                  SELECT k.channel, revrtm.period(k.period), revrtm.reporting_amount(k.amount, k.currency, k.period)
                  FROM revrtm.spend k WHERE k.channel IS NOT NULL
                  UNION ALL
                  SELECT h.channel, revrtm.period(k.period), NULL
                  FROM revrtm.spend k JOIN revrtm.channel_map h ON h.route_id = k.route_id AND h.category = k.category
                  WHERE k.channel IS NULL) u
            GROUP BY u.channel, u.period) s
           CROSS JOIN revrtm.attribution_model m
           LEFT JOIN revrtm.channel_attribution a
             ON a.model = m.model AND a.channel = s.channel AND coalesce(a.period, '-infinity') = coalesce(s.period, '-infinity')
      WHERE m.enabled
      WINDOW p AS (PARTITION BY m.model, s.period)) r
WINDOW w AS (PARTITION BY r.channel, r.period);
COMMENT ON VIEW revrtm.attribution_comparison IS
'Channels under every enabled model, and how far the models are apart. Grain: one channel in one month under an enabled model; a channel has its row under each of them, without credit too, and so has one that money was spent on, for itself or for the route and category it is mapped to, and that no won deal is credited to. (unattributed) is a channel like any other.';
COMMENT ON COLUMN revrtm.attribution_comparison.attribution_comparison_key IS 'model:channel:period.';
COMMENT ON COLUMN revrtm.attribution_comparison.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_comparison.channel IS 'Channel; (unattributed) for deals without touches.';
COMMENT ON COLUMN revrtm.attribution_comparison.period IS 'Month in which the deals closed and the money was spent.';
COMMENT ON COLUMN revrtm.attribution_comparison.conversions IS 'Won deals credited, as shares of deals.';
COMMENT ON COLUMN revrtm.attribution_comparison.revenue IS 'Amount credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.attribution_comparison.share IS 'Its part of the month''s revenue under the model; NULL where that is zero.';
COMMENT ON COLUMN revrtm.attribution_comparison.rank IS 'Its place by revenue in the month under the model, 1 the highest; equal revenues share a place.';
COMMENT ON COLUMN revrtm.attribution_comparison.mean_rank IS 'Mean of its places under all models; the same in all of its rows.';
COMMENT ON COLUMN revrtm.attribution_comparison.lowest IS 'Lowest revenue that a model gives it; the same in all of its rows.';
COMMENT ON COLUMN revrtm.attribution_comparison.highest IS 'Highest revenue that a model gives it; the same in all of its rows.';
COMMENT ON COLUMN revrtm.attribution_comparison.spread IS 'highest - lowest; the same in all of its rows.';
COMMENT ON COLUMN revrtm.attribution_comparison.best_rank IS 'Its best place under a model; the same in all of its rows.';
COMMENT ON COLUMN revrtm.attribution_comparison.worst_rank IS 'Its worst place under a model; the same in all of its rows.';
COMMENT ON COLUMN revrtm.attribution_comparison.rank_flip IS 'Whether its place depends on the model: best_rank is not worst_rank, and a model credits it.';
COMMENT ON COLUMN revrtm.attribution_comparison.spend IS 'Spend on the channel itself in revrtm.currency, the same under every model; NULL where the CRM tells it by route and category only, for which see route_romi.';
COMMENT ON COLUMN revrtm.attribution_comparison.note IS 'spend_without_credit (money was spent, and no won deal is credited to it), or NULL.';
