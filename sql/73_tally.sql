-- Sums by month: the states of the aggregates that KPIs are computed by. Deals
-- are counted by the month of their creation and of their end in one pass, and
-- customers by what they paid a year ago and pay today.

CREATE TYPE revrtm.tally;
CREATE FUNCTION revrtm.tally_in(cstring) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_in';
COMMENT ON FUNCTION revrtm.tally_in(cstring) IS 'Input of a tally: {YYYY-MM/kind:sum,...}, or {}.';
CREATE FUNCTION revrtm.tally_out(revrtm.tally) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_out';
COMMENT ON FUNCTION revrtm.tally_out(revrtm.tally) IS 'Output of a tally; the same sums are the same text.';
CREATE FUNCTION revrtm.tally_recv(internal) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_recv';
COMMENT ON FUNCTION revrtm.tally_recv(internal) IS 'Binary input of a tally.';
CREATE FUNCTION revrtm.tally_send(revrtm.tally) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_send';
COMMENT ON FUNCTION revrtm.tally_send(revrtm.tally) IS 'Binary output of a tally.';
CREATE TYPE revrtm.tally (
    INPUT = revrtm.tally_in,
    OUTPUT = revrtm.tally_out,
    RECEIVE = revrtm.tally_recv,
    SEND = revrtm.tally_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.tally IS
'Sums by month and kind in whole numbers, money in units of 0.0001; made by deal_tally_agg, tally_agg and retention_agg, merged by rollup, read by deal_parts and retention_parts. The same sums are the same bytes, however they were split and merged.';

CREATE FUNCTION revrtm.tally_combine(revrtm.tally, revrtm.tally) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_combine';
COMMENT ON FUNCTION revrtm.tally_combine(revrtm.tally, revrtm.tally) IS 'The sums of both.';
CREATE FUNCTION revrtm.tally_final(revrtm.tally) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_final';
COMMENT ON FUNCTION revrtm.tally_final(revrtm.tally) IS 'Final function of all aggregates of tallies: sorted and without free room.';
CREATE AGGREGATE revrtm.rollup(t revrtm.tally) (
    SFUNC = revrtm.tally_combine, STYPE = revrtm.tally, SSPACE = 4000,
    FINALFUNC = revrtm.tally_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.rollup(revrtm.tally) IS
'Merges tallies, of regions or routes for example: the same as their aggregate over all rows. Only of one aggregate''s, whose kinds mean the same. 22003 where a sum exceeds 128 bits, 54000 beyond a gigabyte.';

CREATE FUNCTION revrtm.tally_accum(revrtm.tally, date, numeric) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_tally_accum';
COMMENT ON FUNCTION revrtm.tally_accum(revrtm.tally, date, numeric) IS 'Transition of tally_agg.';
CREATE AGGREGATE revrtm.tally_agg(at date, amount numeric) (
    SFUNC = revrtm.tally_accum, STYPE = revrtm.tally, SSPACE = 400,
    FINALFUNC = revrtm.tally_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.tally_agg(date, numeric) IS
'Amounts summed by month, rounded to four decimals. Rows without an amount, or without a day of the years 1 to 9999, are left out. 22003 for an amount of 2^63 units, 22023 for one that is not finite.';

CREATE FUNCTION revrtm.deal_tally_accum(revrtm.tally, timestamptz, timestamptz, boolean, boolean, numeric, numeric,
                                        numeric, integer, boolean, text, timestamptz, integer, timestamptz, date)
RETURNS revrtm.tally
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_deal_tally_accum';
COMMENT ON FUNCTION revrtm.deal_tally_accum(revrtm.tally, timestamptz, timestamptz, boolean, boolean, numeric, numeric,
                                            numeric, integer, boolean, text, timestamptz, integer, timestamptz, date) IS
'Transition of deal_tally_agg.';
CREATE AGGREGATE revrtm.deal_tally_agg(created_at timestamptz, ended_at timestamptz, is_closed boolean, is_won boolean,
                                       opening numeric, amount numeric, margin numeric, scale integer, estimated boolean, role text,
                                       qualified_at timestamptz, qualify_days integer, as_of timestamptz, first date) (
    SFUNC = revrtm.deal_tally_accum, STYPE = revrtm.tally, SSPACE = 8000,
    FINALFUNC = revrtm.tally_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.deal_tally_agg(timestamptz, timestamptz, boolean, boolean, numeric, numeric, numeric, integer,
                                           boolean, text, timestamptz, integer, timestamptz, date) IS
'Deals by the month of their creation and by that of their end in revrtm.timezone, in one pass; deal_parts reads it. opening is the amount at the rate of the creation, amount and margin those at the end, each rounded to scale decimals, half away from zero; role is that of partner_role; qualified_at counts up to qualify_days of 24 hours after the creation, unless that is NULL. A deal that ended after as_of was open then. With first, only what the months from that one on need is kept: what is open, and a year of revenue before. 22003 for an amount of 2^63 minor units, 22023 for one that is not finite, or a scale that is not from 0 to 4.';

CREATE FUNCTION revrtm.deal_tally_merge(revrtm.tally, revrtm.tally, date) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_deal_tally_merge';
COMMENT ON FUNCTION revrtm.deal_tally_merge(revrtm.tally, revrtm.tally, date) IS 'Transition of deal_rollup.';
CREATE AGGREGATE revrtm.deal_rollup(t revrtm.tally, first date) (
    SFUNC = revrtm.deal_tally_merge, STYPE = revrtm.tally, SSPACE = 8000,
    FINALFUNC = revrtm.tally_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.deal_rollup(revrtm.tally, date) IS
'Merges tallies of deal_tally_agg as rollup does, and keeps only what deal_parts of the months from first on needs; all of it where that is NULL. Errors as rollup.';

CREATE FUNCTION revrtm.deal_parts(t revrtm.tally, first date, last date, whole boolean DEFAULT false)
RETURNS TABLE (period date, created bigint, created_amount numeric, created_unpriced bigint, sourced bigint,
               sourced_amount numeric, co_sell bigint, co_sell_amount numeric, influenced bigint,
               influenced_amount numeric, created_won bigint, created_lost bigint, qualified bigint, unripe bigint,
               won bigint, lost bigint, won_amount numeric, won_unpriced bigint, margin numeric,
               margin_estimated bigint, reversed bigint, open_deals bigint, open_amount numeric, cycles bigint,
               cycle_median double precision, cycle_p90 double precision, lost_cycle_median double precision,
               year_amount numeric, year_margin numeric)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 ROWS 12
AS 'MODULE_PATHNAME', 'revrtm_deal_parts';
COMMENT ON FUNCTION revrtm.deal_parts(revrtm.tally, date, date, boolean) IS
'What deal_tally_agg counted: a row for every month from first to last in which there is anything to tell, or one of all of them (whole), whose period is the first. Of the month of creation: created, its amount, deals without an amount or rate (unpriced), by partner role, won and lost since, qualified in time, and unripe: still open, with time left to qualify. Of the month of the end: won, lost, amount and margin of won deals, reversed: created on a later day than they ended. open: at the end of the month, or of the last. cycle: days from the day of creation to that of the end, as percentile_cont has them. year_amount and year_margin are of the twelve months up to this one. NULL first or last: from the first or to the last month there is. 22023 where last is before first.';

CREATE FUNCTION revrtm.retention_accum(revrtm.tally, revrtm.tally, date, date) RETURNS revrtm.tally
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_retention_accum';
COMMENT ON FUNCTION revrtm.retention_accum(revrtm.tally, revrtm.tally, date, date) IS 'Transition of retention_agg.';
CREATE AGGREGATE revrtm.retention_agg(changes revrtm.tally, first date, last date) (
    SFUNC = revrtm.retention_accum, STYPE = revrtm.tally, SSPACE = 4000,
    FINALFUNC = revrtm.tally_final, FINALFUNC_MODIFY = READ_ONLY,
    COMBINEFUNC = revrtm.tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.retention_agg(revrtm.tally, date, date) IS
'Customers by month, from the changes of the yearly revenue of each (a tally_agg of one customer a row): those of twelve months before, what they paid then and pay now, and those of now. A customer is one with revenue above zero. retention_parts reads it. 22023 where last is before first.';

CREATE FUNCTION revrtm.retention_parts(t revrtm.tally, first date, last date)
RETURNS TABLE (period date, accounts bigint, lost bigint, start_amount numeric, end_amount numeric,
               retained_amount numeric, customers bigint, amount numeric)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 ROWS 12
AS 'MODULE_PATHNAME', 'revrtm_retention_parts';
COMMENT ON FUNCTION revrtm.retention_parts(revrtm.tally, date, date) IS
'What retention_agg counted, a row a month: accounts that were customers twelve months before; lost: that are none at the end of the month; their revenue then (start_amount) and now (end_amount), and of each the lesser of both (retained_amount); all customers at the end of the month and their revenue.';
