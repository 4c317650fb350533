-- Deals in the reporting currency, and the views of attribution over them.

CREATE FUNCTION revrtm.date_text(day date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.to_jsonb(day) #>> '{}';
END;
COMMENT ON FUNCTION revrtm.date_text(date) IS 'The day as YYYY-MM-DD, whatever DateStyle says; keys of views are made with it.';

CREATE FUNCTION revrtm.fx(from_currency text, to_currency text, on_date date) RETURNS numeric
LANGUAGE c STABLE PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_fx';
COMMENT ON FUNCTION revrtm.fx(text, text, date) IS
'Units of to_currency for one of from_currency: the latest rate on or before the day, of several the lowest; NULL where there is none. A query reads each pair of currencies once.';

-- No sub-select: the planner puts it in place.
CREATE FUNCTION revrtm.reporting_rate(currency text, on_date date) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN currency IS NULL OR currency = revrtm.setting('currency') THEN 1
                ELSE revrtm.fx(currency, revrtm.setting('currency'), on_date) END;
END;
COMMENT ON FUNCTION revrtm.reporting_rate(text, date) IS
'Units of revrtm.currency for one of the currency on that day; 1 for NULL, which is the reporting currency; NULL without a rate.';

CREATE VIEW revrtm.deal WITH (security_invoker = true) AS
SELECT d.opportunity_id AS deal_key,
       d.opportunity_id,
       d.account_id,
       d.route_id,
       d.partner_id,
       d.owner_id,
       d.segment,
       d.region,
       d.product,
       d.created_at,
       d.ended_at,
       d.is_closed,
       d.is_won,
       date_trunc('month', d.ended_at AT TIME ZONE (SELECT revrtm.setting('timezone')))::date AS period,
       round(d.amount * d.rate, 2)::numeric(18, 2) AS amount,
       round(coalesce(d.margin, d.amount * coalesce(r.default_margin, 1)) * d.rate, 2)::numeric(18, 2) AS margin,
       CASE WHEN d.amount IS NULL THEN 'no_amount'
            WHEN d.rate IS NULL THEN 'fx_missing'
            WHEN d.margin IS NULL THEN 'margin_estimated' END::text AS note,
       d.journey
FROM (SELECT k.*,
             revrtm.reporting_rate(k.currency, (coalesce(k.ended_at, (SELECT revrtm.as_of()))
                                                AT TIME ZONE (SELECT revrtm.setting('timezone')))::date) AS rate
      FROM revrtm.deal_journey k) d
     LEFT JOIN revrtm.route r ON r.route_id = d.route_id;
COMMENT ON VIEW revrtm.deal IS
'Deals of the store in the reporting currency, at the rate of their own end (of today while open, or where nobody knows when they ended). Grain: one deal.';
COMMENT ON COLUMN revrtm.deal.deal_key IS 'The deal.';
COMMENT ON COLUMN revrtm.deal.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal.account_id IS 'Its account; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.deal.route_id IS 'Its own route to market.';
COMMENT ON COLUMN revrtm.deal.partner_id IS 'The partner on it.';
COMMENT ON COLUMN revrtm.deal.owner_id IS 'The user who owns it.';
COMMENT ON COLUMN revrtm.deal.segment IS 'Its segment.';
COMMENT ON COLUMN revrtm.deal.region IS 'Its region.';
COMMENT ON COLUMN revrtm.deal.product IS 'Its product.';
COMMENT ON COLUMN revrtm.deal.created_at IS 'When it was created.';
COMMENT ON COLUMN revrtm.deal.ended_at IS 'When it closed; NULL while open.';
COMMENT ON COLUMN revrtm.deal.is_closed IS 'Whether it is closed, won or lost.';
COMMENT ON COLUMN revrtm.deal.is_won IS 'Whether it is won.';
COMMENT ON COLUMN revrtm.deal.period IS 'First day of the month it closed in, in revrtm.timezone; NULL while open.';
COMMENT ON COLUMN revrtm.deal.amount IS 'Amount in revrtm.currency; NULL without an amount or a rate.';
COMMENT ON COLUMN revrtm.deal.margin IS 'Margin in revrtm.currency: the CRM''s, else the amount times the route''s default_margin.';
COMMENT ON COLUMN revrtm.deal.note IS 'no_amount, fx_missing (left out of sums), margin_estimated, or NULL.';
COMMENT ON COLUMN revrtm.deal.journey IS 'Its counted touches.';

CREATE VIEW revrtm.attribution WITH (security_invoker = true) AS
SELECT m.model || ':' || d.opportunity_id || ':' || c.ordinal AS attribution_key,
       m.model,
       d.opportunity_id,
       c.ordinal,
       c.channel,
       c.touched_at,
       d.account_id,
       d.route_id,
       d.period,
       d.is_closed,
       d.is_won,
       c.weight,
       c.amount::numeric(18, 2) AS amount
FROM revrtm.attribution_model m
     CROSS JOIN revrtm.deal d
     CROSS JOIN LATERAL revrtm.credit(d.journey, m.model, d.amount) c
WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[]);
COMMENT ON VIEW revrtm.attribution IS
'What every touch of every deal earns. Grain: one touch of a deal under an enabled model, a data-driven one once it is fitted; a deal without touches has one row, (unattributed). Name the model and the deals you want: it computes what it is asked for.';
COMMENT ON COLUMN revrtm.attribution.attribution_key IS 'model:opportunity_id:ordinal.';
COMMENT ON COLUMN revrtm.attribution.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.attribution.ordinal IS 'Place of the touch in the journey, from 1.';
COMMENT ON COLUMN revrtm.attribution.channel IS 'Channel of the touch; (unattributed) for a deal without touches.';
COMMENT ON COLUMN revrtm.attribution.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.attribution.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.attribution.route_id IS 'The deal''s own route.';
COMMENT ON COLUMN revrtm.attribution.period IS 'Month the deal closed in; NULL while open.';
COMMENT ON COLUMN revrtm.attribution.is_closed IS 'Whether the deal is closed.';
COMMENT ON COLUMN revrtm.attribution.is_won IS 'Whether the deal is won.';
COMMENT ON COLUMN revrtm.attribution.weight IS 'Share of the deal, 0 to 1; a deal''s weights sum to 1.';
COMMENT ON COLUMN revrtm.attribution.amount IS 'Part of the deal''s amount in revrtm.currency; a deal''s parts sum to its amount.';

CREATE VIEW revrtm.channel_attribution WITH (security_invoker = true) AS
SELECT c.model || ':' || c.channel || ':' || coalesce(revrtm.date_text(p.period), '(none)') AS channel_attribution_key,
       c.model,
       c.channel,
       p.period,
       c.conversions,
       c.revenue::numeric(18, 2) AS revenue,
       c.margin::numeric(18, 2) AS margin
FROM (SELECT d.period, revrtm.credits_agg(d.journey, d.amount, (SELECT revrtm.shown_models())) AS revenue,
             revrtm.credits_agg(d.journey, d.margin, (SELECT revrtm.shown_models())) AS margin
      FROM revrtm.deal d
      WHERE d.is_won AND d.is_closed
      GROUP BY d.period) p
     CROSS JOIN LATERAL ROWS FROM (revrtm.channel_credit(p.revenue), revrtm.channel_credit(p.margin))
         AS c (model, channel, conversions, revenue, margin_model, margin_channel, margin_conversions, margin);
COMMENT ON VIEW revrtm.channel_attribution IS
'Won deals by channel. Grain: one channel in one month under an enabled model, a data-driven one once it is fitted; months without a close date have a NULL period.';
COMMENT ON COLUMN revrtm.channel_attribution.channel_attribution_key IS 'model:channel:period.';
COMMENT ON COLUMN revrtm.channel_attribution.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.channel_attribution.channel IS 'Channel; (unattributed) for deals without touches.';
COMMENT ON COLUMN revrtm.channel_attribution.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.channel_attribution.conversions IS 'Won deals credited to the channel, as shares of deals.';
COMMENT ON COLUMN revrtm.channel_attribution.revenue IS 'Amount credited, in revrtm.currency.';
COMMENT ON COLUMN revrtm.channel_attribution.margin IS 'Margin credited, in revrtm.currency.';

CREATE VIEW revrtm.booking WITH (security_invoker = true) AS
SELECT o.opportunity_id AS booking_key,
       o.opportunity_id,
       o.region,
       o.owner_id,
       o.product,
       o.route_id,
       o.is_closed,
       o.is_won,
       date_trunc('month', o.ended_on::timestamp)::date AS period,
       round(o.amount * o.rate, 2)::numeric(18, 2) AS amount,
       CASE WHEN o.amount IS NULL THEN 'no_amount' WHEN o.rate IS NULL THEN 'fx_missing' END::text AS note
FROM (SELECT e.*,
             revrtm.reporting_rate(e.currency, coalesce(e.ended_on, ((SELECT revrtm.as_of())
                                   AT TIME ZONE (SELECT revrtm.setting('timezone')))::date)) AS rate
      FROM (SELECT k.*,
                   CASE WHEN k.is_closed THEN
                       coalesce((k.closed_at AT TIME ZONE (SELECT revrtm.setting('timezone')))::date,
                                k.close_date) END AS ended_on
            FROM revrtm.opportunity k
            WHERE k.deleted IS NOT TRUE) e) o;
COMMENT ON VIEW revrtm.booking IS
'Deals straight from the bound CRM, past the store of journeys, in the reporting currency at the rate of their own end (of today while open). Grain: one deal.';
COMMENT ON COLUMN revrtm.booking.booking_key IS 'The deal.';
COMMENT ON COLUMN revrtm.booking.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.booking.region IS 'Its region.';
COMMENT ON COLUMN revrtm.booking.owner_id IS 'The user who owns it.';
COMMENT ON COLUMN revrtm.booking.product IS 'Its product.';
COMMENT ON COLUMN revrtm.booking.route_id IS 'Its route to market.';
COMMENT ON COLUMN revrtm.booking.is_closed IS 'Whether it is closed, won or lost.';
COMMENT ON COLUMN revrtm.booking.is_won IS 'Whether it is won.';
COMMENT ON COLUMN revrtm.booking.period IS 'First day of the month it closed in, in revrtm.timezone; NULL while open, or where nobody knows.';
COMMENT ON COLUMN revrtm.booking.amount IS 'Amount in revrtm.currency; NULL without an amount or a rate.';
COMMENT ON COLUMN revrtm.booking.note IS 'no_amount, fx_missing, or NULL.';

CREATE VIEW revrtm.attribution_check WITH (security_invoker = true) AS
SELECT k.attribution_check_key, k.model, k.period, k.deals, k.bookings, k.credited, k.difference, k.deal_difference,
       CASE WHEN m.kind NOT IN ('markov', 'shapley') THEN NULL
            WHEN f.policy_hash IS NULL THEN 'not_fitted'
            WHEN f.policy_hash <> revrtm.fit_policy(m.kind, m.parameters) THEN 'fit_outdated' END::text AS note
FROM (SELECT coalesce(m.model, c.model) || ':' || coalesce(revrtm.date_text(coalesce(b.period, c.period)), '(none)') AS attribution_check_key,
             coalesce(m.model, c.model) AS model,
             coalesce(b.period, c.period) AS period,
             coalesce(b.deals, 0) AS deals,
             coalesce(b.bookings, 0)::numeric(18, 2) AS bookings,
             coalesce(c.revenue, 0)::numeric(18, 2) AS credited,
             (coalesce(c.revenue, 0) - coalesce(b.bookings, 0))::numeric(18, 2) AS difference,
             round(coalesce(c.conversions, 0)::numeric - coalesce(b.deals, 0), 6)::numeric(18, 6) AS deal_difference
      FROM revrtm.attribution_model m
           CROSS JOIN (
               SELECT k.period, count(*) AS deals, sum(k.amount) AS bookings
               FROM revrtm.booking k
               WHERE k.is_won AND k.is_closed
               GROUP BY k.period) b
           FULL JOIN (SELECT a.model, a.period, sum(a.conversions) AS conversions, sum(a.revenue) AS revenue
                      FROM revrtm.channel_attribution a GROUP BY a.model, a.period) c
             ON c.model = m.model AND coalesce(c.period, '-infinity') = coalesce(b.period, '-infinity')
      WHERE m.model IS NULL OR m.model = ANY ((SELECT revrtm.shown_models())::text[])
      UNION ALL
      SELECT m.model || ':(none)', m.model, NULL, 0, 0::numeric(18, 2), 0::numeric(18, 2), 0::numeric(18, 2), 0::numeric(18, 6)
      FROM revrtm.attribution_model m
      WHERE m.enabled AND m.model <> ALL ((SELECT revrtm.shown_models())::text[])) k
     LEFT JOIN revrtm.attribution_model m ON m.model = k.model
     LEFT JOIN (SELECT a.model, min(a.policy_hash) AS policy_hash FROM revrtm.attribution_fit a GROUP BY a.model) f
       ON f.model = k.model;
COMMENT ON VIEW revrtm.attribution_check IS
'Credit against the bookings of the CRM: both differences must be zero in every row; they are not while the store is stale. Grain: one month under an enabled model, and one row without a month for a data-driven model that has not been fitted and is in no view.';
COMMENT ON COLUMN revrtm.attribution_check.attribution_check_key IS 'model:period.';
COMMENT ON COLUMN revrtm.attribution_check.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_check.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.attribution_check.deals IS 'Won deals in the CRM.';
COMMENT ON COLUMN revrtm.attribution_check.bookings IS 'Their amount in revrtm.currency, read from the CRM.';
COMMENT ON COLUMN revrtm.attribution_check.credited IS 'Amount credited to channels.';
COMMENT ON COLUMN revrtm.attribution_check.difference IS 'credited - bookings.';
COMMENT ON COLUMN revrtm.attribution_check.deal_difference IS 'Deals credited - won deals.';
COMMENT ON COLUMN revrtm.attribution_check.note IS
'not_fitted: a data-driven model that waits for fit_attribution(); fit_outdated: its parameters, a binding or a setting changed since it was fitted; NULL: nothing to say.';

CREATE VIEW revrtm.pipeline WITH (security_invoker = true) AS
SELECT concat_ws(':', coalesce(o.region, '(none)'), coalesce(o.owner_id, '(none)'),
                 coalesce(o.product, '(none)'), o.route_id) AS pipeline_key,
       coalesce(o.region, '(none)') AS region,
       coalesce(o.owner_id, '(none)') AS owner_id,
       coalesce(o.product, '(none)') AS product,
       o.route_id,
       count(*) FILTER (WHERE NOT o.is_closed) AS open_deals,
       coalesce(sum(o.amount) FILTER (WHERE NOT o.is_closed), 0)::numeric(18, 2) AS open_amount,
       count(*) FILTER (WHERE o.is_closed AND o.is_won) AS won,
       count(*) FILTER (WHERE o.is_closed AND NOT o.is_won) AS lost,
       coalesce(sum(o.amount) FILTER (WHERE o.is_closed AND o.is_won), 0)::numeric(18, 2) AS won_amount,
       (count(*) FILTER (WHERE o.is_closed AND o.is_won)::numeric
        / nullif(count(*) FILTER (WHERE o.is_closed), 0))::numeric(12, 6) AS win_rate,
       count(*) FILTER (WHERE o.note = 'fx_missing') AS fx_missing,
       CASE WHEN count(*) FILTER (WHERE o.is_closed) = 0 THEN 'no_closed'
            WHEN bool_or(o.note IS NOT DISTINCT FROM 'fx_missing') THEN 'fx_missing' END::text AS note
FROM revrtm.booking o
GROUP BY coalesce(o.region, '(none)'), coalesce(o.owner_id, '(none)'), coalesce(o.product, '(none)'), o.route_id,
         concat_ws(':', coalesce(o.region, '(none)'), coalesce(o.owner_id, '(none)'),
                   coalesce(o.product, '(none)'), o.route_id);
COMMENT ON VIEW revrtm.pipeline IS
'Open pipeline and win rate, live from the bound CRM, at the rates of revrtm.deal. Grain: region x owner x product x route; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.pipeline.pipeline_key IS 'region:owner_id:product:route_id.';
COMMENT ON COLUMN revrtm.pipeline.region IS 'Region of the deals.';
COMMENT ON COLUMN revrtm.pipeline.owner_id IS 'User who owns the deals.';
COMMENT ON COLUMN revrtm.pipeline.product IS 'Product of the deals.';
COMMENT ON COLUMN revrtm.pipeline.route_id IS 'Route of the deals.';
COMMENT ON COLUMN revrtm.pipeline.open_deals IS 'Open deals, those without an amount included.';
COMMENT ON COLUMN revrtm.pipeline.open_amount IS 'Their amount in revrtm.currency.';
COMMENT ON COLUMN revrtm.pipeline.won IS 'Won deals.';
COMMENT ON COLUMN revrtm.pipeline.lost IS 'Lost deals.';
COMMENT ON COLUMN revrtm.pipeline.won_amount IS 'Amount of the won deals in revrtm.currency.';
COMMENT ON COLUMN revrtm.pipeline.win_rate IS 'won / (won + lost), 0 to 1; NULL without closed deals.';
COMMENT ON COLUMN revrtm.pipeline.fx_missing IS 'Deals left out of the amounts for want of a rate.';
COMMENT ON COLUMN revrtm.pipeline.note IS 'no_closed, fx_missing, or NULL.';
