-- Deals in the reporting currency, and the views of attribution over them.

CREATE FUNCTION revrtm.date_text(day date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.to_jsonb(day) #>> '{}';
END;
COMMENT ON FUNCTION revrtm.date_text(date) IS 'The day as YYYY-MM-DD, whatever DateStyle says; keys of views are made with it.';

CREATE VIEW revrtm.deal WITH (security_invoker = true) AS
SELECT d.opportunity_id AS deal_key,
       d.opportunity_id,
       coalesce(a.canonical_id, d.account_id) AS account_id,
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
       revrtm.period(d.ended_at) AS period,
       revrtm.reporting_amount(d.amount, d.currency, d.on_date)::numeric(20, 4) AS amount,
       revrtm.reporting_amount(coalesce(d.margin, d.amount * coalesce(r.default_margin, 1)),
                               d.currency, d.on_date)::numeric(20, 4) AS margin,
       coalesce(d.currency, (SELECT revrtm.setting('currency'))) AS deal_currency,
       revrtm.convert_amount(d.amount, d.currency, d.currency, NULL)::numeric(20, 4) AS deal_amount,
       CASE WHEN d.amount IS NULL THEN 'no_amount'
            ELSE coalesce(revrtm.reporting_note(d.currency, d.on_date),
                          CASE WHEN d.margin IS NULL THEN 'margin_estimated' END) END::text AS note,
       d.journey,
       d.account_id AS crm_account_id
FROM (SELECT k.*,
             revrtm.local_date(coalesce(k.ended_at, (SELECT revrtm.as_of()))) AS on_date
      FROM revrtm.deal_journey k) d
     LEFT JOIN revrtm.route r ON r.route_id = d.route_id
     LEFT JOIN revrtm.account_merge a ON a.account_id = d.account_id;
COMMENT ON VIEW revrtm.deal IS
'Deals of the store in the reporting currency, at the rate of their own end (of today while open, or where nobody knows when they ended). Grain: one deal.';
COMMENT ON COLUMN revrtm.deal.deal_key IS 'The deal.';
COMMENT ON COLUMN revrtm.deal.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal.account_id IS 'Its account, the survivor where that was merged; (none) where the CRM has none.';
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
COMMENT ON COLUMN revrtm.deal.deal_currency IS 'Its own currency.';
COMMENT ON COLUMN revrtm.deal.deal_amount IS 'Amount in its own currency, rounded to the minor unit.';
COMMENT ON COLUMN revrtm.deal.note IS 'no_amount, fx_missing or stale_fx (no rate, or only one older than revrtm.fx_max_age; left out of sums), margin_estimated, or NULL.';
COMMENT ON COLUMN revrtm.deal.journey IS 'Its counted touches.';
COMMENT ON COLUMN revrtm.deal.crm_account_id IS 'Its account as the CRM names it, merged or not.';

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
       c.converted::numeric(20, 4) AS amount,
       d.deal_currency,
       c.amount::numeric(20, 4) AS deal_amount
FROM revrtm.attribution_model m
     CROSS JOIN revrtm.deal d
     CROSS JOIN LATERAL revrtm.credit(d.journey, m.model, d.deal_amount, revrtm.currency_scale(d.deal_currency),
                                      d.amount, (SELECT revrtm.currency_scale(NULL))) c
WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[]);
COMMENT ON VIEW revrtm.attribution IS
'What every touch of every deal earns. Grain: one touch of a deal under an enabled model, a data-driven one once it is fitted; a deal without touches has one row, (unattributed). Name the model and the deals you want: it computes what it is asked for.';
COMMENT ON COLUMN revrtm.attribution.attribution_key IS 'model:opportunity_id:ordinal.';
COMMENT ON COLUMN revrtm.attribution.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.attribution.ordinal IS 'Place of the touch in the journey, from 1.';
COMMENT ON COLUMN revrtm.attribution.channel IS 'Channel of the touch; (unattributed) for a deal without touches.';
COMMENT ON COLUMN revrtm.attribution.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.attribution.account_id IS 'Account of the deal, the survivor where that was merged.';
COMMENT ON COLUMN revrtm.attribution.route_id IS 'The deal''s own route.';
COMMENT ON COLUMN revrtm.attribution.period IS 'Month the deal closed in; NULL while open.';
COMMENT ON COLUMN revrtm.attribution.is_closed IS 'Whether the deal is closed.';
COMMENT ON COLUMN revrtm.attribution.is_won IS 'Whether the deal is won.';
COMMENT ON COLUMN revrtm.attribution.weight IS 'Share of the deal, 0 to 1; a deal''s weights sum to 1.';
COMMENT ON COLUMN revrtm.attribution.amount IS 'Part of the deal''s amount in revrtm.currency; a deal''s parts sum to its amount.';
COMMENT ON COLUMN revrtm.attribution.deal_currency IS 'The deal''s own currency.';
COMMENT ON COLUMN revrtm.attribution.deal_amount IS 'Part of the deal''s amount in its own currency, by the same weights; a deal''s parts sum to its deal_amount.';

CREATE VIEW revrtm.channel_attribution WITH (security_invoker = true) AS
SELECT c.model || ':' || c.channel || ':' || coalesce(revrtm.date_text(p.period), '(none)') AS channel_attribution_key,
       c.model,
       c.channel,
       p.period,
       c.conversions,
       c.revenue::numeric(20, 4) AS revenue,
       c.margin::numeric(20, 4) AS margin
FROM (SELECT d.period,
             revrtm.credits_agg(d.journey, d.amount, (SELECT revrtm.shown_models()), (SELECT revrtm.currency_scale(NULL))) AS revenue,
             revrtm.credits_agg(d.journey, d.margin, (SELECT revrtm.shown_models()), (SELECT revrtm.currency_scale(NULL))) AS margin
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
       revrtm.period(o.ended_on) AS period,
       revrtm.reporting_amount(o.amount, o.currency, o.on_date)::numeric(20, 4) AS amount,
       coalesce(o.currency, (SELECT revrtm.setting('currency'))) AS deal_currency,
       revrtm.convert_amount(o.amount, o.currency, o.currency, NULL)::numeric(20, 4) AS deal_amount,
       CASE WHEN o.amount IS NULL THEN 'no_amount'
            ELSE revrtm.reporting_note(o.currency, o.on_date) END::text AS note
FROM (SELECT e.*,
             coalesce(e.ended_on, (SELECT revrtm.local_date(revrtm.as_of()))) AS on_date
      FROM (SELECT k.*,
                   CASE WHEN k.is_closed THEN
                       coalesce(revrtm.local_date(k.closed_at), k.close_date) END AS ended_on
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
COMMENT ON COLUMN revrtm.booking.deal_currency IS 'Its own currency.';
COMMENT ON COLUMN revrtm.booking.deal_amount IS 'Amount in its own currency, rounded to the minor unit.';
COMMENT ON COLUMN revrtm.booking.note IS 'no_amount, fx_missing, stale_fx, or NULL.';

CREATE VIEW revrtm.attribution_check WITH (security_invoker = true) AS
SELECT k.attribution_check_key, k.model, k.period, k.deal_currency, k.deals, k.bookings, k.credited, k.difference,
       k.own_bookings, k.own_credited, k.own_difference, k.deal_difference,
       CASE WHEN m.kind NOT IN ('markov', 'shapley') THEN NULL
            WHEN f.policy_hash IS NULL THEN 'not_fitted'
            WHEN f.policy_hash <> revrtm.fit_policy(m.kind, m.parameters) THEN 'fit_outdated' END::text AS note
FROM (SELECT concat_ws(':', f.model, coalesce(revrtm.date_text(f.period), '(none)'), f.deal_currency) AS attribution_check_key,
             f.model,
             f.period,
             f.deal_currency,
             coalesce(max(f.deals), 0) AS deals,
             coalesce(max(f.bookings), 0)::numeric(20, 4) AS bookings,
             coalesce(max(f.revenue), 0)::numeric(20, 4) AS credited,
             (coalesce(max(f.revenue), 0) - coalesce(max(f.bookings), 0))::numeric(20, 4) AS difference,
             coalesce(max(f.own_bookings), 0)::numeric(20, 4) AS own_bookings,
             coalesce(max(f.own_revenue), 0)::numeric(20, 4) AS own_credited,
             (coalesce(max(f.own_revenue), 0) - coalesce(max(f.own_bookings), 0))::numeric(20, 4) AS own_difference,
             round(coalesce(max(f.conversions), 0)::numeric - coalesce(max(f.deals), 0), 6)::numeric(18, 6) AS deal_difference
      -- A row of either side, grouped rather than joined: who asks for a month reads no other.
      FROM (SELECT m.model, b.period, b.deal_currency, b.deals, b.bookings, b.own_bookings,
                   NULL::double precision AS conversions, NULL::numeric AS revenue, NULL::numeric AS own_revenue
            FROM revrtm.attribution_model m
                 CROSS JOIN (
                     SELECT k.period, k.deal_currency, count(*) AS deals, sum(k.amount) AS bookings, sum(k.deal_amount) AS own_bookings
                     FROM revrtm.booking k
                     WHERE k.is_won AND k.is_closed
                     GROUP BY k.period, k.deal_currency) b
            WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[])
            UNION ALL
            SELECT k.model, p.period, p.deal_currency, NULL, NULL, NULL, sum(k.conversions), sum(k.revenue), sum(k.own_revenue)
            FROM (SELECT d.period, d.deal_currency,
                         revrtm.credits_agg(d.journey, d.amount, (SELECT revrtm.shown_models()), (SELECT revrtm.currency_scale(NULL))) AS revenue,
                         revrtm.credits_agg(d.journey, d.deal_amount, (SELECT revrtm.shown_models()), revrtm.currency_scale(d.deal_currency)) AS own_revenue
                  FROM revrtm.deal d
                  WHERE d.is_won AND d.is_closed
                  GROUP BY d.period, d.deal_currency) p
                 CROSS JOIN LATERAL ROWS FROM (revrtm.channel_credit(p.revenue), revrtm.channel_credit(p.own_revenue))
                     AS k (model, channel, conversions, revenue, own_model, own_channel, own_conversions, own_revenue)
            GROUP BY k.model, p.period, p.deal_currency) f
      GROUP BY f.model, f.period, f.deal_currency
      UNION ALL
      SELECT m.model || ':(none)', m.model, NULL, NULL, 0, 0::numeric(20, 4), 0::numeric(20, 4), 0::numeric(20, 4),
             0::numeric(20, 4), 0::numeric(20, 4), 0::numeric(20, 4), 0::numeric(18, 6)
      FROM revrtm.attribution_model m
      WHERE m.enabled AND m.model <> ALL ((SELECT revrtm.shown_models())::text[])) k
     LEFT JOIN revrtm.attribution_model m ON m.model = k.model
     LEFT JOIN (SELECT a.model, min(a.policy_hash) AS policy_hash FROM revrtm.attribution_fit a GROUP BY a.model) f
       ON f.model = k.model;
COMMENT ON VIEW revrtm.attribution_check IS
'Credit against the bookings of the CRM, in the reporting currency and in the deals'' own: the three differences must be zero in every row; they are not while the store is stale. Grain: one currency of deals in one month under an enabled model, and one row without month of a data-driven model that has no fit.';
COMMENT ON COLUMN revrtm.attribution_check.attribution_check_key IS 'model:period:deal_currency.';
COMMENT ON COLUMN revrtm.attribution_check.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_check.period IS 'Month in which the deals closed.';
COMMENT ON COLUMN revrtm.attribution_check.deal_currency IS 'The deals'' own currency.';
COMMENT ON COLUMN revrtm.attribution_check.deals IS 'Won deals in the CRM.';
COMMENT ON COLUMN revrtm.attribution_check.bookings IS 'Their amount in revrtm.currency, read from the CRM.';
COMMENT ON COLUMN revrtm.attribution_check.credited IS 'Amount credited to channels, in revrtm.currency.';
COMMENT ON COLUMN revrtm.attribution_check.difference IS 'credited - bookings.';
COMMENT ON COLUMN revrtm.attribution_check.own_bookings IS 'Their amount in their own currency, read from the CRM.';
COMMENT ON COLUMN revrtm.attribution_check.own_credited IS 'Amount credited to channels in the deals'' own currency.';
COMMENT ON COLUMN revrtm.attribution_check.own_difference IS 'own_credited - own_bookings.';
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
       coalesce(sum(o.amount) FILTER (WHERE NOT o.is_closed), 0)::numeric(20, 4) AS open_amount,
       count(*) FILTER (WHERE o.is_closed AND o.is_won) AS won,
       count(*) FILTER (WHERE o.is_closed AND NOT o.is_won) AS lost,
       coalesce(sum(o.amount) FILTER (WHERE o.is_closed AND o.is_won), 0)::numeric(20, 4) AS won_amount,
       revrtm.ratio(count(*) FILTER (WHERE o.is_closed AND o.is_won),
                    count(*) FILTER (WHERE o.is_closed))::numeric(12, 6) AS win_rate,
       count(*) FILTER (WHERE o.note IN ('fx_missing', 'stale_fx')) AS fx_missing,
       coalesce(revrtm.ratio_note(count(*) FILTER (WHERE o.is_closed), 'no_closed'),
                min(o.note) FILTER (WHERE o.note IN ('fx_missing', 'stale_fx'))) AS note
FROM revrtm.booking o
GROUP BY coalesce(o.region, '(none)'), coalesce(o.owner_id, '(none)'), coalesce(o.product, '(none)'), o.route_id;
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
COMMENT ON COLUMN revrtm.pipeline.fx_missing IS 'Deals left out of the amounts for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.pipeline.note IS 'no_closed, fx_missing (some lack any rate), stale_fx (some have only a stale one), or NULL.';
