-- Does it all add up? The ledger against the CRM, the seals of frozen months,
-- and one function that raises where something does not.

CREATE VIEW revrtm.ledger_check WITH (security_invoker = true) AS
SELECT concat_ws(':', s.model, coalesce(revrtm.date_text(s.own_period), '(none)'), s.deal_currency) AS ledger_check_key,
       s.model,
       s.own_period,
       s.deal_currency,
       sum(s.bookings)::numeric(20, 4) AS bookings,
       sum(s.amendments)::numeric(20, 4) AS amendments,
       sum(s.frozen)::numeric(20, 4) AS frozen,
       sum(s.adjustments)::numeric(20, 4) AS adjustments,
       sum(s.open)::numeric(20, 4) AS open,
       (sum(s.frozen) + sum(s.adjustments) + sum(s.open) - sum(s.bookings) - sum(s.amendments))::numeric(20, 4) AS difference,
       (sum(s.own_ledger) - sum(s.own_booked))::numeric(20, 4) AS own_difference,
       (div(sum(s.units), 4611686018427387904) - sum(s.deals))::bigint AS deal_difference,
       min(s.note) AS note
FROM (SELECT m.model, b.period AS own_period, b.deal_currency, coalesce(b.amount, 0) AS bookings, 0 AS amendments,
             0 AS frozen, 0 AS adjustments, 0 AS open, coalesce(b.deal_amount, 0) AS own_booked, 0 AS own_ledger,
             1 AS deals, 0 AS units, NULL AS note
      FROM revrtm.booking b CROSS JOIN revrtm.attribution_model m
      WHERE b.is_won AND b.is_closed AND m.model = ANY ((SELECT revrtm.shown_models())::text[])
      UNION ALL
      SELECT m.model, a.period, a.deal_currency, 0, coalesce(a.amount, 0), 0, 0, 0, coalesce(a.deal_amount, 0), 0, 0, 0,
             CASE WHEN a.note = 'over_refund' THEN a.note END
      FROM revrtm.deal_amendment a CROSS JOIN revrtm.attribution_model m
      WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[])
      UNION ALL
      SELECT l.model, l.own_period, l.deal_currency, 0, 0,
             CASE WHEN l.is_frozen AND l.entry <> 'adjustment' THEN coalesce(l.amount, 0) ELSE 0 END,
             CASE WHEN l.entry = 'adjustment' THEN coalesce(l.amount, 0) ELSE 0 END,
             CASE WHEN NOT l.is_frozen AND l.entry <> 'adjustment' THEN coalesce(l.amount, 0) ELSE 0 END,
             0, coalesce(l.deal_amount, 0), 0, l.units, NULL
      FROM revrtm.attribution_ledger l JOIN revrtm.attribution_model m ON m.model = l.model
      WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[])) s
GROUP BY s.model, s.own_period, s.deal_currency;
COMMENT ON VIEW revrtm.ledger_check IS
'The ledger against the CRM: what was frozen, what was adjusted since and what is open add up to the bookings and to the refunds and amendments, in both currencies; the differences must be zero in every row. Grain: one month of deals'' ends and events, in one currency of theirs, under an enabled model. 55000 as attribution_ledger.';
COMMENT ON COLUMN revrtm.ledger_check.ledger_check_key IS 'model:own_period:deal_currency.';
COMMENT ON COLUMN revrtm.ledger_check.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.ledger_check.own_period IS 'Month in which the deals ended and the events took place.';
COMMENT ON COLUMN revrtm.ledger_check.deal_currency IS 'Currency of the deals and events.';
COMMENT ON COLUMN revrtm.ledger_check.bookings IS 'Amount of won deals in revrtm.currency, read from the CRM.';
COMMENT ON COLUMN revrtm.ledger_check.amendments IS 'Amount of refunds and amendments in revrtm.currency, read from the CRM.';
COMMENT ON COLUMN revrtm.ledger_check.frozen IS 'Amount in frozen lines, but for adjustments.';
COMMENT ON COLUMN revrtm.ledger_check.adjustments IS 'Amount in adjustments, frozen or not, whenever they are posted.';
COMMENT ON COLUMN revrtm.ledger_check.open IS 'Amount in lines of a month that is not frozen.';
COMMENT ON COLUMN revrtm.ledger_check.difference IS 'frozen + adjustments + open - bookings - amendments.';
COMMENT ON COLUMN revrtm.ledger_check.own_difference IS 'The same in the currency of the deals and events.';
COMMENT ON COLUMN revrtm.ledger_check.deal_difference IS 'Deals in the ledger - won deals.';
COMMENT ON COLUMN revrtm.ledger_check.note IS 'over_refund (a deal of the month''s events is refunded more than it was won for), or NULL.';

CREATE VIEW revrtm.freeze_check WITH (security_invoker = true) AS
SELECT concat_ws(':', k.model, revrtm.date_text(k.period)) AS freeze_check_key,
       k.model,
       k.period,
       k.frozen_at,
       k.frozen_by,
       k.lines,
       k.lines_now,
       k.amount::numeric(20, 4) AS amount,
       k.amount_now::numeric(20, 4) AS amount_now,
       CASE WHEN k.seal IS DISTINCT FROM revrtm.frozen_seal(k.period, k.model)
                 OR (k.lines, k.amount) IS DISTINCT FROM (k.lines_now, k.amount_now) THEN 'seal_broken' END::text AS note
FROM (SELECT coalesce(f.model, c.model) AS model, coalesce(f.period, c.period) AS period, f.frozen_at, f.frozen_by, f.seal,
             coalesce(f.lines, 0) AS lines, coalesce(c.lines, 0) AS lines_now, coalesce(f.amount, 0) AS amount,
             coalesce(c.amount, 0) AS amount_now
      FROM revrtm.attribution_freeze f
           FULL JOIN (SELECT k.period, k.model, count(*) AS lines, sum(k.amount) AS amount
                      FROM revrtm.frozen_credit k GROUP BY k.period, k.model) c
             ON c.period = f.period AND c.model = f.model) k;
COMMENT ON VIEW revrtm.freeze_check IS
'Frozen months and whether their lines are those that were signed. Grain: one frozen month under a model.';
COMMENT ON COLUMN revrtm.freeze_check.freeze_check_key IS 'model:period.';
COMMENT ON COLUMN revrtm.freeze_check.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.freeze_check.period IS 'The month.';
COMMENT ON COLUMN revrtm.freeze_check.frozen_at IS 'When it was frozen; NULL where there are lines of a month that is not.';
COMMENT ON COLUMN revrtm.freeze_check.frozen_by IS 'Who froze it.';
COMMENT ON COLUMN revrtm.freeze_check.lines IS 'Lines it was frozen with.';
COMMENT ON COLUMN revrtm.freeze_check.lines_now IS 'Lines it has.';
COMMENT ON COLUMN revrtm.freeze_check.amount IS 'Amount it was frozen with, in attribution_freeze.currency.';
COMMENT ON COLUMN revrtm.freeze_check.amount_now IS 'Amount its lines have.';
COMMENT ON COLUMN revrtm.freeze_check.note IS 'seal_broken (the lines are not those that were signed), or NULL.';

CREATE FUNCTION revrtm.assert_attribution(period date DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    month date := revrtm.period(assert_attribution.period);
    found bigint;
    first text;
BEGIN
    SELECT count(*), string_agg(w.what, E'\n' ORDER BY w.ordinal) FILTER (WHERE w.ordinal <= 5) INTO found, first
    FROM (SELECT u.what, row_number() OVER (ORDER BY u.what COLLATE "C") AS ordinal
          FROM (SELECT format('attribution_check %s: %s of %s booked, %s of %s in %s, %s deals too many', k.attribution_check_key,
                              k.credited, k.bookings, k.own_credited, k.own_bookings, k.deal_currency, k.deal_difference) AS what
                FROM revrtm.attribution_check k
                WHERE (month IS NULL OR k.period = month)
                  AND (k.difference <> 0 OR k.own_difference <> 0 OR k.deal_difference <> 0)
                UNION ALL
                SELECT format('ledger_check %s: %s too much, %s in %s, %s deals', k.ledger_check_key, k.difference,
                              k.own_difference, k.deal_currency, k.deal_difference)
                FROM revrtm.ledger_check k
                WHERE (month IS NULL OR k.own_period = month)
                  AND (k.difference <> 0 OR k.own_difference <> 0 OR k.deal_difference <> 0)
                UNION ALL
                SELECT format('freeze_check %s: %s lines of %s, amount %s of %s', k.freeze_check_key, k.lines_now, k.lines,
                              k.amount_now, k.amount)
                FROM revrtm.freeze_check k
                WHERE (month IS NULL OR k.period = month) AND k.note IS NOT NULL
                UNION ALL
                SELECT format('deal_amendment %s: deal %s is refunded more than it was won for', a.event_id, a.opportunity_id)
                FROM revrtm.deal_amendment a
                WHERE (month IS NULL OR a.period = month) AND a.note = 'over_refund') u) w;
    IF found > 0 THEN
        RAISE EXCEPTION 'attribution does not foot in % places', found
            USING ERRCODE = '23514', SCHEMA = 'revrtm', CONSTRAINT = 'attribution_foots', DETAIL = first,
                  HINT = 'SELECT * FROM revrtm.refresh_journeys(verify => true) where the store is behind the CRM.';
    END IF;
END
$$;
COMMENT ON FUNCTION revrtm.assert_attribution(date) IS
'Nothing where attribution foots, in the month given or in all: attribution_check and ledger_check are zero, no seal is broken, no deal is refunded more than it was won for. Else 23514, attribution_foots, with the first five places in DETAIL. 55000 as attribution_ledger. For CI, pgTAP and cron.';
