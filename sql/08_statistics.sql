-- What reports share: the codes of note columns, ratios, proportions with
-- their interval, and quantiles. Nothing else divides or defines a code.

CREATE TABLE revrtm.note (
    note    text PRIMARY KEY CHECK (note ~ '^[a-z][a-z_]*$'),
    meaning text NOT NULL
);
COMMENT ON TABLE revrtm.note IS
'The codes that note columns of views and functions give, each with one meaning everywhere; shipped. Several in one note are joined by a comma and a space.';
COMMENT ON COLUMN revrtm.note.note IS 'The code; it does not change.';
COMMENT ON COLUMN revrtm.note.meaning IS 'What it says of its row.';
GRANT SELECT ON revrtm.note TO PUBLIC;

INSERT INTO revrtm.note (note, meaning) VALUES
('amount_changed', 'The amount or the currency in the CRM is not what it was when the month was frozen.'),
('basis_changed', 'A binding, setting or attribution policy changed since the last refresh; the next one reads everything.'),
('bound', 'A shape parameter of the fitted curve is at the end of its range.'),
('constant_spend', 'Spend was the same in every month, so no response to it can be fitted; the line keeps its budget.'),
('credit_moved', 'The touches and the amount are those that were frozen, and their shares are not: a milestone moved, or an earlier refund came in.'),
('deal_gone', 'The deal was frozen with its month, and is not in the CRM any more.'),
('deleted', 'The CRM has deleted it softly.'),
('event_gone', 'The refund or amendment was frozen with its month, and is not in it any more.'),
('few_months', 'Fewer than six months with spend, too few to fit a response; the line keeps its budget.'),
('few_points', 'Fewer points than the curve needs; the average return through the origin stands for it.'),
('fit_outdated', 'The fit of the model was made under another policy; make it anew with fit_attribution.'),
('fx_missing', 'Amounts without a rate to revrtm.currency were left out of the sums.'),
('inactive_route', 'The route is one that new deals may not take.'),
('late_deal', 'The deal was won in a month that was frozen without it.'),
('late_event', 'The refund or amendment took place in a month that was frozen without it.'),
('late_touch', 'A touch came to be known after the month was frozen.'),
('margin_estimated', 'The margin is the amount times the default margin of the route.'),
('merged', 'The account was merged into another, its canonical_id.'),
('model_changed', 'The model, the look-back or the time zone is not what it was when the month was frozen.'),
('moves_unverified', 'Hard deletes, touches or contacts that moved, and stages or roles of persons that changed alone, are found by the next verifying refresh only.'),
('no_amount', 'The deal has no amount: it is counted, but part of no sum of money.'),
('no_churn', 'No customer was lost, so a lifetime has no estimate.'),
('no_closed', 'No deal closed, so there is no win rate.'),
('no_customers', 'No customer was won, so there is no cost per customer.'),
('no_lead', 'Rules name this cell, but none of them lets a route lead.'),
('no_response', 'Margin did not rise with spend; the curve is flat.'),
('no_rule', 'No rule of the role matrix is about this cell.'),
('no_synced_at', 'The bound CRM tells no synced_at, so every refresh reads everything.'),
('not_fitted', 'The model has no fit yet, so reports leave it out; make one with fit_attribution.'),
('not_won', 'The deal was frozen as won, and is lost.'),
('other_routes_deals', 'Most of the margin comes from deals of other routes.'),
('over_refund', 'More is taken off than the deal was won for.'),
('period_changed', 'The deal was frozen with its month, and ended in another.'),
('rate_changed', 'The exchange rate is not what it was when the month was frozen.'),
('reopened', 'The deal was frozen as won, and is open.'),
('seal_broken', 'The frozen lines are not those that were signed.'),
('shadowed', 'Wherever the rule could decide a deal, another one of its route does.'),
('small_n', 'Too few cases for the figure to be relied on.'),
('spend_without_credit', 'Money was spent, and no won deal is credited for it.'),
('stale_fx', 'The rate used is older than it should be.'),
('touch_removed', 'A touch that was frozen does not count any more.'),
('unknown_deal', 'The deal is not among those of the store, or none is named; the amount is (unattributed).'),
('unknown_product', 'The product is not in revrtm.product.'),
('unknown_region', 'The region is not in revrtm.region.'),
('unknown_route', 'The route is not in revrtm.route.'),
('zero_spend', 'Nothing was spent, so there is no return on it.');

-- Each argument stands once in the bodies, so that the planner puts them in
-- place even over an aggregate.

CREATE FUNCTION revrtm.ratio(numerator numeric, denominator numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT numerator / nullif(denominator, 0);
END;
COMMENT ON FUNCTION revrtm.ratio(numeric, numeric) IS
'numerator / denominator; NULL where either is NULL or the denominator 0, which ratio_note explains. Every ratio of the extension is made by it.';

CREATE FUNCTION revrtm.ratio_note(denominator numeric, note text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN coalesce(denominator, 0) = 0 THEN note END;
END;
COMMENT ON FUNCTION revrtm.ratio_note(numeric, text) IS
'The note of a ratio: the code given where the denominator is 0 or NULL, else NULL. Notes are combined by coalesce, the gravest first.';

-- Proportions: how many of how many.

CREATE TYPE revrtm.proportion;
CREATE FUNCTION revrtm.proportion_in(cstring) RETURNS revrtm.proportion
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_in';
COMMENT ON FUNCTION revrtm.proportion_in(cstring) IS 'Input of a proportion: successes/trials.';
CREATE FUNCTION revrtm.proportion_out(revrtm.proportion) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_out';
COMMENT ON FUNCTION revrtm.proportion_out(revrtm.proportion) IS 'Output of a proportion: successes/trials.';
CREATE FUNCTION revrtm.proportion_recv(internal) RETURNS revrtm.proportion
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_recv';
COMMENT ON FUNCTION revrtm.proportion_recv(internal) IS 'Binary input of a proportion: two int8.';
CREATE FUNCTION revrtm.proportion_send(revrtm.proportion) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_send';
COMMENT ON FUNCTION revrtm.proportion_send(revrtm.proportion) IS 'Binary output of a proportion: two int8.';
CREATE TYPE revrtm.proportion (
    INPUT = revrtm.proportion_in,
    OUTPUT = revrtm.proportion_out,
    RECEIVE = revrtm.proportion_recv,
    SEND = revrtm.proportion_send,
    INTERNALLENGTH = 16,
    ALIGNMENT = double
);
COMMENT ON TYPE revrtm.proportion IS
'Successes out of trials, as in 3/7; made by proportion_agg or proportion, merged by rollup, read by successes, trials, rate and wilson.';

CREATE FUNCTION revrtm.proportion(successes bigint, trials bigint) RETURNS revrtm.proportion
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion';
COMMENT ON FUNCTION revrtm.proportion(bigint, bigint) IS
'A proportion of counts that are there already. 22023 unless 0 <= successes <= trials.';

CREATE FUNCTION revrtm.proportion_accum(revrtm.proportion, boolean) RETURNS revrtm.proportion
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_accum';
COMMENT ON FUNCTION revrtm.proportion_accum(revrtm.proportion, boolean) IS 'Transition of proportion_agg.';
CREATE FUNCTION revrtm.proportion_combine(revrtm.proportion, revrtm.proportion) RETURNS revrtm.proportion
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_combine';
COMMENT ON FUNCTION revrtm.proportion_combine(revrtm.proportion, revrtm.proportion) IS 'Both proportions as one; 22003 where the trials exceed int8.';

CREATE AGGREGATE revrtm.proportion_agg(success boolean) (
    SFUNC = revrtm.proportion_accum, STYPE = revrtm.proportion, INITCOND = '0/0',
    COMBINEFUNC = revrtm.proportion_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.proportion_agg(boolean) IS
'In how many rows it is true, of those where it is true or false; 0/0 where there is none.';
CREATE AGGREGATE revrtm.rollup(p revrtm.proportion) (
    SFUNC = revrtm.proportion_combine, STYPE = revrtm.proportion, INITCOND = '0/0',
    COMBINEFUNC = revrtm.proportion_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.proportion) IS 'Merges proportions, of months or regions for example; 22003 where the trials exceed int8.';

CREATE FUNCTION revrtm.successes(p revrtm.proportion) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_successes';
COMMENT ON FUNCTION revrtm.successes(revrtm.proportion) IS 'How many of the trials were successes.';
CREATE FUNCTION revrtm.trials(p revrtm.proportion) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_proportion_trials';
COMMENT ON FUNCTION revrtm.trials(revrtm.proportion) IS 'How many trials there were.';
CREATE FUNCTION revrtm.rate(p revrtm.proportion) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.ratio(revrtm.successes(p), revrtm.trials(p));
END;
COMMENT ON FUNCTION revrtm.rate(revrtm.proportion) IS 'successes / trials, 0 to 1; NULL without trials.';

CREATE FUNCTION revrtm.wilson(p revrtm.proportion, confidence double precision DEFAULT 0.95,
                              OUT lo double precision, OUT hi double precision)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'revrtm_wilson';
COMMENT ON FUNCTION revrtm.wilson(revrtm.proportion, double precision) IS
'Between which rates the true one lies with that confidence: the score interval, two-sided, without continuity correction (Wilson 1927, JASA 22). Both are NULL without trials. 22023 unless confidence lies between 0 and 1.';
CREATE FUNCTION revrtm.wilson(successes bigint, trials bigint, confidence double precision DEFAULT 0.95,
                              OUT lo double precision, OUT hi double precision)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'revrtm_wilson_counts';
COMMENT ON FUNCTION revrtm.wilson(bigint, bigint, double precision) IS
'The interval of proportion(successes, trials). 22023 also unless 0 <= successes <= trials.';

-- Quantiles.

CREATE TYPE revrtm.quantiles;
CREATE FUNCTION revrtm.quantiles_in(cstring) RETURNS revrtm.quantiles
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_in';
COMMENT ON FUNCTION revrtm.quantiles_in(cstring) IS
'Input of quantiles: shift[least,greatest]{value:count,...}, the bits that were left off, the extremes, and the least value of every entry with its count.';
CREATE FUNCTION revrtm.quantiles_out(revrtm.quantiles) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_out';
COMMENT ON FUNCTION revrtm.quantiles_out(revrtm.quantiles) IS 'Output of quantiles; the same values are the same text.';
CREATE FUNCTION revrtm.quantiles_recv(internal) RETURNS revrtm.quantiles
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_recv';
COMMENT ON FUNCTION revrtm.quantiles_recv(internal) IS 'Binary input of quantiles.';
CREATE FUNCTION revrtm.quantiles_send(revrtm.quantiles) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_send';
COMMENT ON FUNCTION revrtm.quantiles_send(revrtm.quantiles) IS 'Binary output of quantiles.';
CREATE TYPE revrtm.quantiles (
    INPUT = revrtm.quantiles_in,
    OUTPUT = revrtm.quantiles_out,
    RECEIVE = revrtm.quantiles_recv,
    SEND = revrtm.quantiles_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.quantiles IS
'Counts of values, of which any quantile can be read; made by quantile_agg, merged by rollup, read by quantile, quantile_count and quantile_error. Up to 512 distinct values each is kept; of more, the leading bits. The same values are the same bytes, however they were split and merged.';

CREATE FUNCTION revrtm.quantiles_accum(revrtm.quantiles, double precision) RETURNS revrtm.quantiles
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_accum';
COMMENT ON FUNCTION revrtm.quantiles_accum(revrtm.quantiles, double precision) IS 'Transition of quantile_agg.';
CREATE FUNCTION revrtm.quantiles_combine(revrtm.quantiles, revrtm.quantiles) RETURNS revrtm.quantiles
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_combine';
COMMENT ON FUNCTION revrtm.quantiles_combine(revrtm.quantiles, revrtm.quantiles) IS 'The values of both.';
CREATE FUNCTION revrtm.quantiles_final(revrtm.quantiles) RETURNS revrtm.quantiles
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantiles_final';
COMMENT ON FUNCTION revrtm.quantiles_final(revrtm.quantiles) IS 'Final function of quantile_agg and rollup: sorted and without free room.';

CREATE AGGREGATE revrtm.quantile_agg(value double precision) (
    SFUNC = revrtm.quantiles_accum, STYPE = revrtm.quantiles, SSPACE = 4000,
    FINALFUNC = revrtm.quantiles_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.quantiles_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.quantile_agg(double precision) IS
'The values, for quantile(); NULL is left out, and without a value the result is NULL. 22023 for NaN and infinite ones.';
CREATE AGGREGATE revrtm.rollup(q revrtm.quantiles) (
    SFUNC = revrtm.quantiles_combine, STYPE = revrtm.quantiles, SSPACE = 8000,
    FINALFUNC = revrtm.quantiles_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.quantiles_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.quantiles) IS
'Merges quantiles, of months or regions for example: the same as quantile_agg over all their values. 22003 for more than 2^63 - 1 values.';

CREATE FUNCTION revrtm.quantile(q revrtm.quantiles, fraction double precision) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_quantile';
COMMENT ON FUNCTION revrtm.quantile(revrtm.quantiles, double precision) IS
'What percentile_cont(fraction) says of the values: equal to it while quantile_error is 0, beyond that its neighbours in the sort are off by at most that part of them each; 0 and 1 give the least and the greatest value exactly. 22023 unless the fraction is from 0 to 1.';
CREATE FUNCTION revrtm.quantile(q revrtm.quantiles, fractions double precision[]) RETURNS double precision[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'revrtm_quantile_array';
COMMENT ON FUNCTION revrtm.quantile(revrtm.quantiles, double precision[]) IS
'quantile() of each fraction, in an array of the same shape.';
CREATE FUNCTION revrtm.quantile_count(q revrtm.quantiles) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantile_count';
COMMENT ON FUNCTION revrtm.quantile_count(revrtm.quantiles) IS 'How many values there are.';
CREATE FUNCTION revrtm.quantile_error(q revrtm.quantiles) RETURNS double precision
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_quantile_error';
COMMENT ON FUNCTION revrtm.quantile_error(revrtm.quantiles) IS
'How far a value may be off, as a part of it: 0 for up to 512 distinct values; beyond, what the range of the values makes necessary, 1/256 (0.4 %) at most. Values nearer to zero than 2.3e-308 may read as zero.';
