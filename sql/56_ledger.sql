-- The ledger: what was frozen, what changed since, and what is open.

CREATE VIEW revrtm.attribution_line WITH (security_invoker = true) AS
SELECT concat_ws(':', 'deal', m.model, d.opportunity_id, c.ordinal) AS attribution_line_key,
       m.model,
       d.account_id,
       d.opportunity_id,
       NULL::text AS event_id,
       d.period AS own_period,
       c.ordinal,
       c.channel,
       c.touched_at,
       c.exact_weight,
       c.units,
       c.converted::numeric(20, 4) AS amount,
       d.deal_currency,
       c.amount::numeric(20, 4) AS deal_amount,
       d.note
FROM revrtm.attribution_model m
     CROSS JOIN revrtm.deal d
     CROSS JOIN LATERAL revrtm.credit_weight(d.journey, m.model, d.deal_amount, revrtm.currency_scale(d.deal_currency),
                                             d.amount, (SELECT revrtm.currency_scale(NULL))) c
WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[]) AND d.is_won AND d.is_closed
UNION ALL
SELECT concat_ws(':', 'event', r.model, r.event_id, r.ordinal),
       r.model, r.account_id, r.opportunity_id, r.event_id, r.period, r.ordinal, r.channel, r.touched_at,
       0, 0, r.amount, r.deal_currency, r.deal_amount, r.note
FROM revrtm.refund_credit r;
COMMENT ON VIEW revrtm.attribution_line IS
'The credit of won deals and of their refunds and amendments, as all of it stands. Grain: one touch of a deal, or of an event of it, under an enabled model.';
COMMENT ON COLUMN revrtm.attribution_line.attribution_line_key IS 'deal:model:opportunity_id:ordinal, or event:model:event_id:ordinal.';
COMMENT ON COLUMN revrtm.attribution_line.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_line.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.attribution_line.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.attribution_line.event_id IS 'The event of revenue_event; NULL for the deal itself.';
COMMENT ON COLUMN revrtm.attribution_line.own_period IS 'Month of the deal''s end, or of the event; NULL where nobody knows.';
COMMENT ON COLUMN revrtm.attribution_line.ordinal IS 'Place of the touch in the journey, from 1.';
COMMENT ON COLUMN revrtm.attribution_line.channel IS 'Channel of the touch, or (unattributed).';
COMMENT ON COLUMN revrtm.attribution_line.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.attribution_line.exact_weight IS 'Weight of the touch as credit_weight gives it; 0 for an event.';
COMMENT ON COLUMN revrtm.attribution_line.units IS 'Share of the deal in 2^-62; 0 for an event.';
COMMENT ON COLUMN revrtm.attribution_line.amount IS 'Amount in revrtm.currency; NULL without an amount or a rate.';
COMMENT ON COLUMN revrtm.attribution_line.deal_currency IS 'Currency of deal_amount: the deal''s, or the event''s.';
COMMENT ON COLUMN revrtm.attribution_line.deal_amount IS 'Amount in that currency.';
COMMENT ON COLUMN revrtm.attribution_line.note IS 'As deal.note or refund_credit.note.';

CREATE VIEW revrtm.attribution_adjustment WITH (security_invoker = true) AS
SELECT concat_ws(':', g.model, g.opportunity_id, coalesce(g.event_id, '(deal)'), g.ordinal) AS attribution_adjustment_key,
       g.model,
       g.account_id,
       g.opportunity_id,
       g.event_id,
       g.own_period,
       (SELECT max(f.period) + interval '1 month' FROM revrtm.attribution_freeze f WHERE f.model = g.model)::date AS period,
       g.ordinal::integer AS ordinal,
       g.channel,
       g.touched_at,
       g.units::bigint AS units,
       g.amount::numeric(20, 4) AS amount,
       g.deal_currency,
       g.deal_amount::numeric(20, 4) AS deal_amount,
       CASE WHEN g.event_id IS NULL THEN
                CASE WHEN g.lines_now = 0 THEN
                         CASE WHEN d.opportunity_id IS NULL THEN 'deal_gone'
                              WHEN NOT d.is_closed THEN 'reopened'
                              WHEN NOT d.is_won THEN 'not_won'
                              ELSE 'period_changed' END
                     WHEN g.units_before = 0 THEN 'late_deal'
                     ELSE coalesce(nullif(concat_ws(', ',
                         CASE WHEN g.policy_hash <> revrtm.credit_policy(g.model) THEN 'model_changed' END,
                         CASE WHEN g.currencies OR g.deal_change <> 0 THEN 'amount_changed'
                              WHEN g.change <> 0 THEN 'rate_changed' END,
                         CASE WHEN g.touch_came AND NOT g.currencies THEN 'late_touch' END,
                         CASE WHEN g.touch_went AND NOT g.currencies THEN 'touch_removed' END), ''), 'credit_moved') END
            WHEN g.lines_now = 0 THEN 'event_gone'
            WHEN g.lines_before = 0 THEN 'late_event'
            WHEN g.currencies OR g.deal_change <> 0 THEN 'amount_changed'
            WHEN g.change <> 0 THEN 'rate_changed'
            ELSE 'credit_moved' END AS note
FROM (SELECT k.*, row_number() OVER (PARTITION BY k.model, k.opportunity_id, k.event_id
                                     ORDER BY k.own_period, k.touched_at, k.channel COLLATE "C", k.deal_currency COLLATE "C") AS ordinal
      FROM (SELECT s.model, s.opportunity_id, s.event_id, s.own_period, s.deal_currency, s.channel, s.touched_at,
                   coalesce(max(s.account_id) FILTER (WHERE s.is_now), max(s.account_id)) AS account_id,
                   min(s.policy_hash) AS policy_hash,
                   sum(s.units) AS units, sum(s.amount) AS amount, sum(s.deal_amount) AS deal_amount,
                   -- Of the whole deal, or event, in its month:
                   sum(count(*) FILTER (WHERE s.is_now)) OVER w AS lines_now,
                   sum(count(*) FILTER (WHERE NOT s.is_now)) OVER w AS lines_before,
                   coalesce(sum(sum(s.units) FILTER (WHERE NOT s.is_now)) OVER w, 0) AS units_before,
                   sum(sum(s.amount)) OVER w AS change,
                   sum(sum(s.deal_amount)) OVER w AS deal_change,
                   min(s.deal_currency) OVER w <> max(s.deal_currency) OVER w AS currencies,
                   bool_or(bool_and(s.is_now) AND sum(s.units) <> 0) OVER w AS touch_came,
                   bool_or(NOT bool_or(s.is_now) AND sum(s.units) <> 0) OVER w AS touch_went
            FROM (SELECT l.model, l.opportunity_id, l.event_id, l.own_period, l.deal_currency, l.channel, l.touched_at,
                         l.account_id, true AS is_now, l.units, coalesce(l.amount, 0) AS amount,
                         coalesce(l.deal_amount, 0) AS deal_amount, f.policy_hash
                  FROM revrtm.attribution_freeze f
                       JOIN revrtm.attribution_line l ON l.model = f.model AND l.own_period = f.period
                  UNION ALL
                  SELECT c.model, c.opportunity_id, c.event_id, c.own_period, c.deal_currency, c.channel, c.touched_at,
                         c.account_id, false, -c.units, -coalesce(c.amount, 0), -coalesce(c.deal_amount, 0),
                         f.policy_hash
                  FROM revrtm.frozen_credit c
                       JOIN revrtm.attribution_model m ON m.model = c.model AND m.model = ANY ((SELECT revrtm.shown_models())::text[])
                       JOIN revrtm.attribution_freeze f ON f.model = c.model AND f.period = c.own_period) s
            GROUP BY s.model, s.opportunity_id, s.event_id, s.own_period, s.deal_currency, s.channel, s.touched_at
            WINDOW w AS (PARTITION BY s.model, s.opportunity_id, s.event_id, s.own_period)) k
      WHERE k.units <> 0 OR k.amount <> 0 OR k.deal_amount <> 0) g
     LEFT JOIN revrtm.deal_journey d ON d.opportunity_id = g.opportunity_id
-- Without a store nothing is known to have changed.
WHERE (SELECT revrtm.same_currency()) AND EXISTS (SELECT FROM revrtm.journey_refresh);
COMMENT ON VIEW revrtm.attribution_adjustment IS
'What has changed in frozen months since: the credit as it stands less what the ledger has of it, posted in the month after the last frozen one, and frozen with that. Grain: one touch of a deal, or of an event of it, under an enabled model. 55000 where the months are frozen in another currency than revrtm.currency.';
COMMENT ON COLUMN revrtm.attribution_adjustment.attribution_adjustment_key IS 'model:opportunity_id:event_id:ordinal.';
COMMENT ON COLUMN revrtm.attribution_adjustment.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_adjustment.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.attribution_adjustment.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.attribution_adjustment.event_id IS 'The event of revenue_event; NULL for the deal itself.';
COMMENT ON COLUMN revrtm.attribution_adjustment.own_period IS 'The frozen month in which the deal ended, or the event took place.';
COMMENT ON COLUMN revrtm.attribution_adjustment.period IS 'Month it is posted in.';
COMMENT ON COLUMN revrtm.attribution_adjustment.ordinal IS 'Number of the line, from 1.';
COMMENT ON COLUMN revrtm.attribution_adjustment.channel IS 'Channel of the touch, or (unattributed).';
COMMENT ON COLUMN revrtm.attribution_adjustment.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.attribution_adjustment.units IS 'Change of its share of the deal, in 2^-62.';
COMMENT ON COLUMN revrtm.attribution_adjustment.amount IS 'Change in revrtm.currency.';
COMMENT ON COLUMN revrtm.attribution_adjustment.deal_currency IS 'Currency of deal_amount.';
COMMENT ON COLUMN revrtm.attribution_adjustment.deal_amount IS 'Change in the currency of the deal or event.';
COMMENT ON COLUMN revrtm.attribution_adjustment.note IS
'Why: of a deal deal_gone, reopened, not_won, period_changed, late_deal, or some of model_changed, amount_changed, rate_changed, late_touch and touch_removed, else credit_moved (a milestone, say); of an event event_gone, late_event, amount_changed, rate_changed or credit_moved.';

CREATE VIEW revrtm.attribution_ledger WITH (security_invoker = true) AS
SELECT concat_ws(':', l.entry, l.model, l.opportunity_id, coalesce(l.event_id, '(deal)'),
                 coalesce(revrtm.date_text(l.period), '(none)'), l.ordinal) AS attribution_ledger_key,
       l.period,
       l.entry,
       l.is_frozen,
       l.model,
       l.account_id,
       l.opportunity_id,
       l.event_id,
       l.own_period,
       l.ordinal,
       l.channel,
       l.touched_at,
       l.exact_weight,
       l.units,
       l.amount,
       l.deal_currency,
       l.deal_amount,
       l.note
FROM (SELECT c.period, c.entry, true AS is_frozen, c.model, c.account_id, c.opportunity_id, c.event_id, c.own_period, c.ordinal,
             c.channel, c.touched_at, c.exact_weight, c.units, c.amount, c.deal_currency, c.deal_amount, c.note
      FROM revrtm.frozen_credit c
      UNION ALL
      SELECT o.own_period, CASE WHEN o.event_id IS NULL THEN 'deal' ELSE 'event' END, false, o.model, o.account_id, o.opportunity_id,
             o.event_id, o.own_period, o.ordinal, o.channel, o.touched_at, o.exact_weight, o.units, o.amount, o.deal_currency,
             o.deal_amount, o.note
      FROM revrtm.attribution_line o
      WHERE NOT EXISTS (SELECT FROM revrtm.attribution_freeze f WHERE f.period = o.own_period AND f.model = o.model)
      UNION ALL
      SELECT a.period, 'adjustment', false, a.model, a.account_id, a.opportunity_id, a.event_id, a.own_period, a.ordinal,
             a.channel, a.touched_at, 0, a.units, a.amount, a.deal_currency, a.deal_amount, a.note
      FROM revrtm.attribution_adjustment a) l
WHERE (SELECT revrtm.same_currency());
COMMENT ON VIEW revrtm.attribution_ledger IS
'Attribution as finance books it: frozen months as they were signed, what changed in them since as adjustments of an open month, refunds and amendments in the month of their day, and open months as they stand. By model and own_period it adds up to attribution_line, whatever changed when. Grain: one line of a deal, or of an event of it, in one month under one model. 55000 where the months are frozen in another currency than revrtm.currency.';
COMMENT ON COLUMN revrtm.attribution_ledger.attribution_ledger_key IS 'entry:model:opportunity_id:event_id:period:ordinal.';
COMMENT ON COLUMN revrtm.attribution_ledger.period IS 'Month it is posted in; NULL for a deal that closed nobody knows when.';
COMMENT ON COLUMN revrtm.attribution_ledger.entry IS 'deal, event (a refund or an amendment), or adjustment of a month frozen before.';
COMMENT ON COLUMN revrtm.attribution_ledger.is_frozen IS 'Whether the line is final.';
COMMENT ON COLUMN revrtm.attribution_ledger.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_ledger.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.attribution_ledger.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.attribution_ledger.event_id IS 'The event of revenue_event; NULL for the deal itself.';
COMMENT ON COLUMN revrtm.attribution_ledger.own_period IS 'Month of the deal''s end, or of the event.';
COMMENT ON COLUMN revrtm.attribution_ledger.ordinal IS 'Place of the touch in the journey, from 1; of an adjustment, number of the line.';
COMMENT ON COLUMN revrtm.attribution_ledger.channel IS 'Channel of the touch, or (unattributed).';
COMMENT ON COLUMN revrtm.attribution_ledger.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.attribution_ledger.exact_weight IS 'Of a deal''s own line, its weight as credit_weight gives it; else 0.';
COMMENT ON COLUMN revrtm.attribution_ledger.units IS 'Share of the deal in 2^-62; 0 for an event.';
COMMENT ON COLUMN revrtm.attribution_ledger.amount IS 'Amount in revrtm.currency; NULL without an amount or a rate.';
COMMENT ON COLUMN revrtm.attribution_ledger.deal_currency IS 'Currency of deal_amount.';
COMMENT ON COLUMN revrtm.attribution_ledger.deal_amount IS 'Amount in the currency of the deal or event.';
COMMENT ON COLUMN revrtm.attribution_ledger.note IS 'Of an adjustment, why (see attribution_adjustment.note); else as deal.note or refund_credit.note.';

CREATE VIEW revrtm.channel_ledger WITH (security_invoker = true) AS
SELECT concat_ws(':', l.model, l.channel, coalesce(revrtm.date_text(l.period), '(none)'), l.entry,
                 CASE WHEN l.is_frozen THEN 'frozen' ELSE 'open' END) AS channel_ledger_key,
       l.model,
       l.channel,
       l.period,
       l.entry,
       l.is_frozen,
       (sum(l.units) / 4611686018427387904)::double precision AS conversions,
       coalesce(sum(l.amount), 0)::numeric(20, 4) AS amount
FROM revrtm.attribution_ledger l
GROUP BY l.model, l.channel, l.period, l.entry, l.is_frozen;
COMMENT ON VIEW revrtm.channel_ledger IS
'attribution_ledger by channel. Grain: one channel in one month under a model, by entry, frozen and open apart. 55000 as attribution_ledger.';
COMMENT ON COLUMN revrtm.channel_ledger.channel_ledger_key IS 'model:channel:period:entry:frozen or open.';
COMMENT ON COLUMN revrtm.channel_ledger.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.channel_ledger.channel IS 'Channel, or (unattributed).';
COMMENT ON COLUMN revrtm.channel_ledger.period IS 'Month that it is posted in.';
COMMENT ON COLUMN revrtm.channel_ledger.entry IS 'deal, event (refunds and amendments), or adjustment of months frozen before.';
COMMENT ON COLUMN revrtm.channel_ledger.is_frozen IS 'Whether it is final.';
COMMENT ON COLUMN revrtm.channel_ledger.conversions IS 'Won deals credited, as shares of deals.';
COMMENT ON COLUMN revrtm.channel_ledger.amount IS 'Amount in revrtm.currency.';

-- Freezing.

CREATE FUNCTION revrtm.freeze_attribution(period date, models text[] DEFAULT NULL)
RETURNS TABLE (model text, deals bigint, lines bigint, amount numeric)
LANGUAGE plpgsql VOLATILE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    month date := revrtm.period(freeze_attribution.period);
    chosen text[] := freeze_attribution.models;
    wrong text;
BEGIN
    IF month IS NULL OR NOT isfinite(month) THEN
        RAISE EXCEPTION 'there is no month to freeze' USING ERRCODE = '22023', HINT = 'Give any day of it.';
    END IF;
    IF month >= revrtm.period(revrtm.as_of()) THEN
        RAISE EXCEPTION 'the month % is not closed', revrtm.date_text(month)
            USING ERRCODE = '55000', DETAIL = format('Today is %s.', revrtm.date_text(revrtm.local_date(revrtm.as_of()))),
                  HINT = 'A month can be frozen once it is over.';
    END IF;
    SELECT string_agg(quote_literal(c.model), ', ' ORDER BY c.model COLLATE "C") INTO wrong
    FROM unnest(chosen) c (model)
    WHERE NOT EXISTS (SELECT FROM revrtm.attribution_model m WHERE m.model = c.model AND m.model = ANY ((SELECT revrtm.shown_models())::text[]));
    IF wrong IS NOT NULL OR cardinality(chosen) = 0 THEN
        RAISE EXCEPTION 'there is no enabled attribution model %', coalesce(wrong, 'to freeze')
            USING ERRCODE = '22023', HINT = 'Name enabled models of revrtm.attribution_model; NULL takes all that are not frozen.';
    END IF;
    PERFORM revrtm.same_currency();

    -- Whoever freezes the same month meanwhile is waited for, and read.
    PERFORM pg_advisory_xact_lock('revrtm.attribution_freeze'::regclass::oid::int, (month - date '2000-01-01'));
    SELECT string_agg(f.model, ', ' ORDER BY f.model COLLATE "C") INTO wrong
    FROM revrtm.attribution_freeze f WHERE f.period = month AND f.model = ANY (chosen);
    IF chosen IS NULL THEN
        SELECT array_agg(m.model) INTO chosen
        FROM revrtm.attribution_model m
        WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[])
          AND NOT EXISTS (SELECT FROM revrtm.attribution_freeze f WHERE f.period = month AND f.model = m.model);
    END IF;
    IF wrong IS NOT NULL OR chosen IS NULL THEN
        RAISE EXCEPTION 'the month % is frozen already', revrtm.date_text(month)
            USING ERRCODE = '55000', DETAIL = format('Models: %s.', coalesce(wrong, 'all that are enabled')),
                  HINT = 'What changed since is posted in an open month: see revrtm.attribution_adjustment.';
    END IF;

    IF NOT EXISTS (SELECT FROM revrtm.freshness f
                   WHERE f.note IS DISTINCT FROM 'basis_changed' AND coalesce(f.behind, interval '0') <= interval '0') THEN
        RAISE EXCEPTION 'the store of journeys is not fresh'
            USING ERRCODE = '55000', HINT = 'SELECT * FROM revrtm.refresh_journeys(verify => true) first.';
    END IF;
    SELECT string_agg(format('%s %s: %s of %s booked', k.model, k.deal_currency, k.credited, k.bookings), '; '
                      ORDER BY k.model COLLATE "C", k.deal_currency COLLATE "C") INTO wrong
    FROM revrtm.attribution_check k
    WHERE k.period = month AND k.model = ANY (chosen)
      AND (k.difference <> 0 OR k.own_difference <> 0 OR k.deal_difference <> 0);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'attribution of % does not foot', revrtm.date_text(month)
            USING ERRCODE = '55000', DETAIL = wrong,
                  HINT = 'SELECT * FROM revrtm.refresh_journeys(verify => true) first.';
    END IF;
    SELECT string_agg(DISTINCT c.model, ', ') INTO wrong
    FROM revrtm.frozen_credit c WHERE c.period = month AND c.model = ANY (chosen);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'there are frozen lines of %, which is not frozen', revrtm.date_text(month)
            USING ERRCODE = '55000', DETAIL = format('Models: %s.', wrong), HINT = 'See revrtm.freeze_check.';
    END IF;

    INSERT INTO revrtm.frozen_credit (period, own_period, ordinal, account_id, opportunity_id, event_id, model, entry, channel,
                                      touched_at, exact_weight, units, amount, deal_currency, deal_amount, note)
    SELECT l.period, l.own_period,
           row_number() OVER (PARTITION BY l.model, l.opportunity_id, l.event_id ORDER BY l.entry = 'adjustment', l.ordinal),
           l.account_id, l.opportunity_id, l.event_id, l.model, l.entry, l.channel,
           l.touched_at, l.exact_weight, l.units, l.amount, l.deal_currency, l.deal_amount, l.note
    FROM revrtm.attribution_ledger l
    WHERE l.period = month AND NOT l.is_frozen AND l.model = ANY (chosen);

    RETURN QUERY
    INSERT INTO revrtm.attribution_freeze AS f (period, model, currency, policy_hash, deals, lines, amount, seal)
    SELECT month, m.model, revrtm.setting('currency'), revrtm.credit_policy(m.model),
           count(DISTINCT c.opportunity_id) FILTER (WHERE c.entry = 'deal'), count(c.model), coalesce(sum(c.amount), 0),
           revrtm.frozen_seal(month, m.model)
    FROM revrtm.attribution_model m
         LEFT JOIN revrtm.frozen_credit c ON c.period = month AND c.model = m.model
    WHERE m.model = ANY (chosen)
    GROUP BY m.model
    ORDER BY m.model COLLATE "C"
    RETURNING f.model, f.deals, f.lines, f.amount::numeric;
END
$$;
COMMENT ON FUNCTION revrtm.freeze_attribution(date, text[]) IS
'Freezes a month under the models named, or all enabled ones that it is not frozen under: its lines of attribution_ledger become final, and what changes later is posted in the month after the last frozen one. Returns a row a model. Runs with the rights of its caller, who needs SELECT as grant_reader gives it, and INSERT on attribution_freeze and frozen_credit. 55000 for a month that is not over or frozen already, where the store of journeys is older than the CRM, attribution_check is not zero for the month, or months are frozen in another currency; 22023 without a month, or for a model that is not enabled.';
