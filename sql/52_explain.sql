-- How the credit of one deal came about: the rule, the exact weight and the
-- cents of every touch.

CREATE FUNCTION revrtm.credit_weight(
    j revrtm.journey, model text, amount numeric, scale integer, converted numeric, converted_scale integer,
    OUT ordinal integer, OUT channel text, OUT touched_at timestamptz,
    OUT weight double precision, OUT amount numeric, OUT converted numeric,
    OUT exact_weight bigint, OUT units bigint
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE COST 5 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_credit';
COMMENT ON FUNCTION revrtm.credit_weight(revrtm.journey, text, numeric, integer, numeric, integer) IS
'As credit(journey, model, amount, scale, converted, converted_scale), and what the amounts are split by: exact_weight, the integers whose quotient by their sum is the share of the deal, and units, the same in 2^-62 of a deal, which sum to one deal.';

CREATE FUNCTION revrtm.credit_rule(
    j revrtm.journey, model text, OUT ordinal integer, OUT milestone text, OUT rule text
) RETURNS SETOF record
LANGUAGE c STABLE PARALLEL SAFE COST 10 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_credit_rule';
COMMENT ON FUNCTION revrtm.credit_rule(revrtm.journey, text) IS
'Why each touch of a journey has its weight under a model: the milestones it holds and what the rule says of it. A NULL or empty journey is one row. 22023 for an unknown model.';

CREATE FUNCTION revrtm.split_by_weight(amount numeric, weights bigint[], scale integer DEFAULT 2) RETURNS numeric[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_split_by_weight';
COMMENT ON FUNCTION revrtm.split_by_weight(numeric, bigint[], integer) IS
'As split_amount, by whole weights of any size, such as exact_weight of credit_weight: a deal''s amount is split as credit splits it. 22023 for no weights or a negative one.';

CREATE FUNCTION revrtm.explain_credit(opportunity_id text, model text)
RETURNS TABLE (
    ordinal integer, channel text, touched_at timestamptz, milestone text, rule text, share text,
    weight double precision, exact_amount numeric, floor_amount numeric, remainder numeric, extra_unit boolean,
    amount numeric, currency text, converted numeric, note text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    d revrtm.deal;
    digits integer;
BEGIN
    SELECT k.* INTO d FROM revrtm.deal k WHERE k.opportunity_id = explain_credit.opportunity_id;
    IF d.opportunity_id IS NULL THEN
        RAISE EXCEPTION 'unknown deal %', quote_literal(explain_credit.opportunity_id)
            USING ERRCODE = '22023',
                  HINT = 'The deals are those of revrtm.deal; revrtm.refresh_journeys() brings it up to the CRM.';
    END IF;
    digits := greatest(revrtm.currency_scale(d.deal_currency), min_scale(d.deal_amount));
    RETURN QUERY
    SELECT c.ordinal, c.channel, c.touched_at, r.milestone, r.rule,
           concat_ws('/', div(c.exact_weight, gcd(c.exact_weight, c.whole)), div(c.whole, gcd(c.exact_weight, c.whole))),
           c.weight,
           round(d.deal_amount * c.exact_weight / c.whole, digits + 6),
           round(sign(d.deal_amount) * c.floored / 10::numeric ^ digits, digits),
           round((c.units_of_money - c.floored * c.whole) / c.whole, 6),
           abs(c.amount) * 10::numeric ^ digits > c.floored,
           c.amount, d.deal_currency, c.converted, d.note
    FROM (SELECT w.*, sum(w.exact_weight) OVER () AS whole,
                 abs(d.deal_amount) * 10::numeric ^ digits * w.exact_weight AS units_of_money,
                 div(abs(d.deal_amount) * 10::numeric ^ digits * w.exact_weight, sum(w.exact_weight) OVER ()) AS floored
          FROM revrtm.credit_weight(d.journey, explain_credit.model, d.deal_amount, revrtm.currency_scale(d.deal_currency),
                                    d.amount, revrtm.currency_scale(NULL)) w) c
         JOIN revrtm.credit_rule(d.journey, explain_credit.model) r ON r.ordinal = c.ordinal
    ORDER BY c.ordinal;
END
$$;
COMMENT ON FUNCTION revrtm.explain_credit(text, text) IS
'How a deal is shared under a model, one row a touch: the milestones it holds, what the rule says of it, its share as a fraction of the deal, the exact amount in the deal''s own currency, that rounded down to the minor unit, the remainder in minor units, whether one more unit fell to it (the largest remainders get what is left, ties the earliest touch), and the amount it gets; converted is its part of the deal in revrtm.currency, split by the same shares. note: as deal.note. It explains the deal as it stands; attribution_ledger has what was frozen of it. 22023 for an unknown deal or model.';
