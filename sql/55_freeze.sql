-- Attribution that finance signs: closed months are frozen, what changes later
-- is posted in an open month, and refunds reverse the lines they belong to.

CREATE TABLE revrtm.attribution_freeze (
    period      date,
    model       text,
    currency    text NOT NULL,
    policy_hash text NOT NULL,
    deals       bigint NOT NULL,
    lines       bigint NOT NULL,
    amount      numeric(20, 4) NOT NULL,
    seal        text NOT NULL,
    frozen_at   timestamptz NOT NULL DEFAULT now(),
    frozen_by   text NOT NULL DEFAULT session_user,
    PRIMARY KEY (period, model),
    CONSTRAINT attribution_freeze_month CHECK (extract(day FROM period) = 1)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.attribution_freeze', '');
COMMENT ON TABLE revrtm.attribution_freeze IS
'The months that are frozen, under the models they are frozen under; written by freeze_attribution, never changed (23514, frozen_is_final). Grain: one month under one model.';
COMMENT ON COLUMN revrtm.attribution_freeze.period IS 'The month, by its first day.';
COMMENT ON COLUMN revrtm.attribution_freeze.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.attribution_freeze.currency IS 'revrtm.currency at the time, in which the amounts are.';
COMMENT ON COLUMN revrtm.attribution_freeze.policy_hash IS 'attribution_policy of the model at the time.';
COMMENT ON COLUMN revrtm.attribution_freeze.deals IS 'Won deals of the month that were frozen with it.';
COMMENT ON COLUMN revrtm.attribution_freeze.lines IS 'Lines of frozen_credit that belong to it; no more are let in.';
COMMENT ON COLUMN revrtm.attribution_freeze.amount IS 'Sum of their amounts.';
COMMENT ON COLUMN revrtm.attribution_freeze.seal IS 'frozen_seal of the lines at the time; freeze_check compares it with the lines as they are.';
COMMENT ON COLUMN revrtm.attribution_freeze.frozen_at IS 'When it was frozen.';
COMMENT ON COLUMN revrtm.attribution_freeze.frozen_by IS 'The role that logged in and froze it.';

CREATE TABLE revrtm.frozen_credit (
    touched_at     timestamptz,
    exact_weight   bigint NOT NULL CHECK (exact_weight >= 0),
    units          bigint NOT NULL,
    period         date NOT NULL,
    own_period     date NOT NULL,
    ordinal        integer NOT NULL,
    account_id     text NOT NULL,
    opportunity_id text NOT NULL,
    event_id       text,
    model          text NOT NULL,
    entry          text NOT NULL CHECK (entry IN ('deal', 'event', 'adjustment')),
    channel        text NOT NULL,
    amount         numeric(20, 4),
    deal_currency  text NOT NULL,
    deal_amount    numeric(20, 4),
    note           text,
    CONSTRAINT frozen_credit_line UNIQUE NULLS NOT DISTINCT (account_id, opportunity_id, event_id, model, period, ordinal)
);
CREATE INDEX frozen_credit_period ON revrtm.frozen_credit (period, model);
CREATE INDEX frozen_credit_opportunity_id ON revrtm.frozen_credit (opportunity_id, model);
SELECT pg_catalog.pg_extension_config_dump('revrtm.frozen_credit', '');
COMMENT ON TABLE revrtm.frozen_credit IS
'The lines of frozen months, as attribution_ledger showed them then; written by freeze_attribution, never changed (23514, frozen_is_final). Grain: one line of a deal, or of an event of it, in one month under one model.';
COMMENT ON COLUMN revrtm.frozen_credit.period IS 'Month it is posted in.';
COMMENT ON COLUMN revrtm.frozen_credit.own_period IS 'Month of the deal''s end or of the event; an earlier one than period for an adjustment.';
COMMENT ON COLUMN revrtm.frozen_credit.ordinal IS 'Place of the touch in the journey, from 1; adjustments are counted on.';
COMMENT ON COLUMN revrtm.frozen_credit.account_id IS 'Account of the deal.';
COMMENT ON COLUMN revrtm.frozen_credit.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.frozen_credit.event_id IS 'The event of revenue_event; NULL for the deal itself.';
COMMENT ON COLUMN revrtm.frozen_credit.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.frozen_credit.entry IS 'deal, event (a refund or an amendment), or adjustment of what was frozen before.';
COMMENT ON COLUMN revrtm.frozen_credit.channel IS 'Channel of the touch, or (unattributed).';
COMMENT ON COLUMN revrtm.frozen_credit.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.frozen_credit.exact_weight IS 'Of a deal''s own line, its weight as credit_weight gave it, by which refunds are split; else 0.';
COMMENT ON COLUMN revrtm.frozen_credit.units IS 'Share of the deal in 2^-62; 0 for an event.';
COMMENT ON COLUMN revrtm.frozen_credit.amount IS 'Amount in the currency of the freeze; NULL without an amount or a rate.';
COMMENT ON COLUMN revrtm.frozen_credit.deal_currency IS 'Currency of deal_amount: the deal''s, or the event''s.';
COMMENT ON COLUMN revrtm.frozen_credit.deal_amount IS 'Amount in that currency.';
COMMENT ON COLUMN revrtm.frozen_credit.note IS 'As attribution_ledger.note at the time.';

CREATE FUNCTION revrtm.keep_full() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    full_month text;
BEGIN
    -- A restore brings lines and months in any order, but never more lines.
    SELECT format('%s under model %s has %s lines of %s', revrtm.date_text(f.period), f.model, c.lines, f.lines)
    INTO full_month
    FROM (SELECT DISTINCT n.period, n.model FROM new_row n) n
         JOIN revrtm.attribution_freeze f ON f.period = n.period AND f.model = n.model
         CROSS JOIN LATERAL (SELECT count(*) AS lines FROM revrtm.frozen_credit k
                             WHERE k.period = f.period AND k.model = f.model) c
    WHERE c.lines > f.lines
    ORDER BY f.period, f.model COLLATE "C"
    LIMIT 1;
    IF full_month IS NOT NULL THEN
        RAISE EXCEPTION 'frozen attribution is final'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = TG_TABLE_NAME, CONSTRAINT = 'frozen_is_final',
                  DETAIL = format('The month %s.', full_month),
                  HINT = 'Lines are written by revrtm.freeze_attribution, once.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION revrtm.keep_full() IS
'Trigger of attribution_freeze and frozen_credit: refuses lines beyond those a month was frozen with (23514, frozen_is_final).';
CREATE TRIGGER keep_full AFTER INSERT ON revrtm.attribution_freeze REFERENCING NEW TABLE AS new_row
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_full();
CREATE TRIGGER keep_full AFTER INSERT ON revrtm.frozen_credit REFERENCING NEW TABLE AS new_row
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.keep_full();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.attribution_freeze
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change(
    'frozen_is_final', 'What changed since is posted in an open month: see revrtm.attribution_adjustment.');
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.frozen_credit
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change(
    'frozen_is_final', 'What changed since is posted in an open month: see revrtm.attribution_adjustment.');
ALTER TABLE revrtm.attribution_freeze ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE revrtm.frozen_credit ENABLE ALWAYS TRIGGER refuse_change;

CREATE FUNCTION revrtm.credit_policy(model text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT md5(concat_ws('|', m.kind, m.parameters, revrtm.touch_policy(),
                                 (SELECT jsonb_agg(jsonb_build_array(f.channel, f.weight) ORDER BY f.channel COLLATE "C")
                                  FROM revrtm.attribution_fit f WHERE f.model = m.model)))
            FROM revrtm.attribution_model m WHERE m.model = credit_policy.model);
END
$$;
COMMENT ON FUNCTION revrtm.credit_policy(text) IS
'Hash of what decides a model''s credit beside data: its kind, parameters and fit, and which touches count. NULL for an unknown model.';

CREATE FUNCTION revrtm.frozen_seal(period date, model text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET TimeZone = 'UTC'
BEGIN ATOMIC
    SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(l.line, '' ORDER BY l.line COLLATE "C"), ''))
    FROM (SELECT pg_catalog.md5(pg_catalog.jsonb_build_array(
              k.own_period, k.ordinal, k.account_id, k.opportunity_id, k.event_id, k.entry, k.channel, k.touched_at,
              k.exact_weight, k.units, k.amount, k.deal_currency, k.deal_amount, k.note)::text) AS line
          FROM revrtm.frozen_credit k
          WHERE k.period = frozen_seal.period AND k.model = frozen_seal.model) l;
END;
COMMENT ON FUNCTION revrtm.frozen_seal(date, text) IS
'Hash over the frozen lines of a month under a model, whatever their order and the session''s settings.';

CREATE FUNCTION revrtm.same_currency() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other text;
BEGIN
    SELECT min(f.currency) INTO other FROM revrtm.attribution_freeze f WHERE f.currency <> revrtm.setting('currency');
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'attribution is frozen in %, and revrtm.currency is %', other, revrtm.setting('currency')
            USING ERRCODE = '55000',
                  HINT = format('SET revrtm.currency = %L to read and to freeze.', other);
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION revrtm.same_currency() IS
'True; 55000 where months are frozen in another currency than revrtm.currency, for their sums would be of no currency.';

-- Refunds and amendments.

CREATE TABLE revrtm.amendment_kind (
    kind    text PRIMARY KEY CHECK (kind <> '' AND kind = lower(kind)),
    is_loss boolean NOT NULL DEFAULT false,
    shipped boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.amendment_kind', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.amendment_kind IS
'The kinds of revenue_event that change what a won deal was worth. New business, expansion, contraction and churn are movements of recurring revenue, most often deals of their own, and are no rows here: one that amends the deal it names is made so by a row.';
COMMENT ON COLUMN revrtm.amendment_kind.kind IS 'Kind of revenue_event, in small letters.';
COMMENT ON COLUMN revrtm.amendment_kind.is_loss IS 'Whether the amount is taken off whatever its sign, as of a refund; else it counts as it is.';
COMMENT ON COLUMN revrtm.amendment_kind.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.amendment_kind (kind, is_loss, shipped) VALUES ('refund', true, true), ('amendment', false, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.amendment_kind
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('kind');
SELECT revrtm.register_policy('revrtm.amendment_kind');
GRANT SELECT ON revrtm.amendment_kind TO PUBLIC;

CREATE VIEW revrtm.deal_amendment WITH (security_invoker = true) AS
SELECT e.event_id AS deal_amendment_key,
       e.event_id,
       e.opportunity_id,
       e.account_id,
       e.kind,
       e.at,
       revrtm.period(e.at) AS period,
       e.amount::numeric(20, 4) AS amount,
       e.currency AS deal_currency,
       e.deal_amount::numeric(20, 4) AS deal_amount,
       -- What the deal's events add up to, this one included.
       sum(coalesce(e.amount, 0)) OVER w::numeric(20, 4) AS total,
       sum(e.deal_amount) OVER (PARTITION BY e.opportunity_id, e.currency ORDER BY e.at, e.event_id COLLATE "C")::numeric(20, 4) AS deal_total,
       CASE WHEN e.opportunity_id <> '(none)' AND e.booked + sum(e.booked_change) OVER w < 0 THEN 'over_refund'
            ELSE e.note END::text AS note
FROM (SELECT v.event_id, coalesce(v.opportunity_id, '(none)') AS opportunity_id, v.account_id, lower(v.kind) AS kind, v.at,
             v.change, c.currency, d.deal_amount AS booked,
             revrtm.convert_amount(v.change, v.currency, c.currency, v.at) AS deal_amount,
             revrtm.reporting_amount(v.change, v.currency, v.at) AS amount,
             revrtm.convert_amount(v.change, v.currency, d.deal_currency, v.at) AS booked_change,
             revrtm.reporting_note(v.currency, v.at) AS note
      FROM (SELECT k.*, CASE WHEN a.is_loss THEN -abs(k.amount) ELSE k.amount END AS change
            FROM revrtm.revenue_event k JOIN revrtm.amendment_kind a ON a.kind = lower(k.kind)) v
           CROSS JOIN LATERAL (SELECT coalesce(v.currency, revrtm.setting('currency')) AS currency) c
           LEFT JOIN revrtm.deal d ON d.opportunity_id = v.opportunity_id AND d.is_won AND d.is_closed) e
WINDOW w AS (PARTITION BY e.opportunity_id ORDER BY e.at, e.event_id COLLATE "C");
COMMENT ON VIEW revrtm.deal_amendment IS
'Refunds and amendments of deals: the revenue events of the kinds in amendment_kind, in the reporting currency at the rate of their own day. Grain: one event.';
COMMENT ON COLUMN revrtm.deal_amendment.deal_amendment_key IS 'The event.';
COMMENT ON COLUMN revrtm.deal_amendment.event_id IS 'The event.';
COMMENT ON COLUMN revrtm.deal_amendment.opportunity_id IS 'The deal that it changes; (none) where it names none.';
COMMENT ON COLUMN revrtm.deal_amendment.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.deal_amendment.kind IS 'Its kind, in small letters.';
COMMENT ON COLUMN revrtm.deal_amendment.at IS 'The day on which it takes effect.';
COMMENT ON COLUMN revrtm.deal_amendment.period IS 'The month of that day.';
COMMENT ON COLUMN revrtm.deal_amendment.amount IS 'The change in revrtm.currency, negative for a refund; NULL without a rate.';
COMMENT ON COLUMN revrtm.deal_amendment.deal_currency IS 'The currency of the event.';
COMMENT ON COLUMN revrtm.deal_amendment.deal_amount IS 'The change in that currency, rounded to the minor unit.';
COMMENT ON COLUMN revrtm.deal_amendment.total IS 'The changes of the deal up to this one, in revrtm.currency.';
COMMENT ON COLUMN revrtm.deal_amendment.deal_total IS 'The changes of the deal up to this one in the currency of the event.';
COMMENT ON COLUMN revrtm.deal_amendment.note IS 'over_refund (more is taken off than the deal was won for), fx_missing or stale_fx (left out of sums), or NULL.';

CREATE VIEW revrtm.refund_credit WITH (security_invoker = true) AS
SELECT concat_ws(':', m.model, a.event_id, l.ordinal) AS refund_credit_key,
       m.model,
       a.event_id,
       a.kind,
       a.opportunity_id,
       a.account_id,
       a.period,
       l.ordinal::integer AS ordinal,
       l.channel,
       l.touched_at,
       CASE WHEN a.amount IS NOT NULL THEN l.total - l.before END::numeric(20, 4) AS amount,
       a.deal_currency,
       (l.deal_total - l.deal_before)::numeric(20, 4) AS deal_amount,
       coalesce(a.note, w.note) AS note
FROM revrtm.deal_amendment a
     CROSS JOIN revrtm.attribution_model m
     -- Its own lines as they were frozen at last, else as they are.
     LEFT JOIN LATERAL (SELECT max(k.period) AS period FROM revrtm.frozen_credit k
                        WHERE k.opportunity_id = a.opportunity_id AND k.model = m.model AND k.entry = 'deal') f ON true
     CROSS JOIN LATERAL (
         SELECT array_agg(t.channel ORDER BY t.ordinal) AS channel, array_agg(t.touched_at ORDER BY t.ordinal) AS touched_at,
                array_agg(t.exact_weight ORDER BY t.ordinal) AS exact_weight, min(t.note) AS note
         FROM (SELECT k.ordinal, k.channel, k.touched_at, k.exact_weight, NULL AS note
               FROM revrtm.frozen_credit k
               WHERE k.opportunity_id = a.opportunity_id AND k.model = m.model AND k.entry = 'deal' AND k.period = f.period
               UNION ALL
               SELECT c.ordinal, c.channel, c.touched_at, c.exact_weight, NULL
               FROM revrtm.deal_journey d
                    CROSS JOIN LATERAL revrtm.credit_weight(d.journey, m.model, NULL, 2, NULL, 2) c
               WHERE f.period IS NULL AND d.opportunity_id = a.opportunity_id
               UNION ALL
               SELECT 1, '(unattributed)', NULL, 1, 'unknown_deal'
               WHERE f.period IS NULL
                 AND NOT EXISTS (SELECT FROM revrtm.deal_journey d WHERE d.opportunity_id = a.opportunity_id)) t) w
     -- The difference of two splits of what the events add up to: in
     -- instalments as at once, a refund of all reverses every line.
     CROSS JOIN LATERAL unnest(w.channel, w.touched_at,
                               revrtm.split_by_weight(a.total, w.exact_weight, revrtm.currency_scale(NULL)),
                               revrtm.split_by_weight(a.total - coalesce(a.amount, 0), w.exact_weight, revrtm.currency_scale(NULL)),
                               revrtm.split_by_weight(a.deal_total, w.exact_weight, revrtm.currency_scale(a.deal_currency)),
                               revrtm.split_by_weight(a.deal_total - a.deal_amount, w.exact_weight, revrtm.currency_scale(a.deal_currency)))
         WITH ORDINALITY l (channel, touched_at, total, before, deal_total, deal_before, ordinal)
WHERE m.model = ANY ((SELECT revrtm.shown_models())::text[]);
COMMENT ON VIEW revrtm.refund_credit IS
'Refunds and amendments by the touches of their deal: split by the weights the deal was frozen with, else by those it has, so that refunds of the whole amount, together, reverse every line; an event of no known deal is (unattributed). Grain: one touch of the deal for one event under an enabled model.';
COMMENT ON COLUMN revrtm.refund_credit.refund_credit_key IS 'model:event_id:ordinal.';
COMMENT ON COLUMN revrtm.refund_credit.model IS 'Attribution model.';
COMMENT ON COLUMN revrtm.refund_credit.event_id IS 'The event.';
COMMENT ON COLUMN revrtm.refund_credit.kind IS 'Its kind.';
COMMENT ON COLUMN revrtm.refund_credit.opportunity_id IS 'The deal; (none) where the event names none.';
COMMENT ON COLUMN revrtm.refund_credit.account_id IS 'The account of the event.';
COMMENT ON COLUMN revrtm.refund_credit.period IS 'The month of the event.';
COMMENT ON COLUMN revrtm.refund_credit.ordinal IS 'Place of the touch in the journey, from 1.';
COMMENT ON COLUMN revrtm.refund_credit.channel IS 'Channel of the touch, or (unattributed).';
COMMENT ON COLUMN revrtm.refund_credit.touched_at IS 'When it happened.';
COMMENT ON COLUMN revrtm.refund_credit.amount IS 'Part of the event''s amount in revrtm.currency, at the rate of its own day; NULL without a rate.';
COMMENT ON COLUMN revrtm.refund_credit.deal_currency IS 'The currency of the event.';
COMMENT ON COLUMN revrtm.refund_credit.deal_amount IS 'Part of the event''s amount in that currency.';
COMMENT ON COLUMN revrtm.refund_credit.note IS 'over_refund, fx_missing, stale_fx, unknown_deal, or NULL.';
