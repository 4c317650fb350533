-- Budget plans and the allocator.

CREATE TYPE revrtm.budget_plan;

CREATE FUNCTION revrtm.budget_plan_in(cstring) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_in';
COMMENT ON FUNCTION revrtm.budget_plan_in(cstring) IS
'Reads a budget plan from a JSON array of objects with the members line, curve, lo, hi and, where there are, current and group; or from an object with such an array as lines, an array groups of objects with the members group, lo and, where there is, hi, and shift_limit. 22P02 for another shape, 22023 for an entry that breaks a rule or comes twice.';

CREATE FUNCTION revrtm.budget_plan_out(revrtm.budget_plan) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_out';
COMMENT ON FUNCTION revrtm.budget_plan_out(revrtm.budget_plan) IS
'A budget plan as a JSON array of its lines, sorted by the bytes of their names; where it has bounds of groups or a shift limit as an object with lines, groups and shift_limit.';

CREATE FUNCTION revrtm.budget_plan_recv(internal) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_recv';
COMMENT ON FUNCTION revrtm.budget_plan_recv(internal) IS
'Reads a budget plan from the binary protocol, under the same rules as from text.';

CREATE FUNCTION revrtm.budget_plan_send(revrtm.budget_plan) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_send';
COMMENT ON FUNCTION revrtm.budget_plan_send(revrtm.budget_plan) IS
'Writes a budget plan for the binary protocol: format (int2), number of entries (int4), and each: its kind (0 line, 1 group, 2 shift limit), name, curve of a line, bounds, flags (1 current amount, 2 group), and what they announce.';

CREATE TYPE revrtm.budget_plan (
    INPUT = revrtm.budget_plan_in,
    OUTPUT = revrtm.budget_plan_out,
    RECEIVE = revrtm.budget_plan_recv,
    SEND = revrtm.budget_plan_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE revrtm.budget_plan IS
'The lines among which a budget is allocated: name, response curve, lower and upper bound, and where known the current amount, in money, and the path of its group; the bounds of groups; and the share of the current amounts that may be moved. At most a million lines and groups.';

CREATE FUNCTION revrtm.budget_plan_add(plan revrtm.budget_plan, line text, curve revrtm.response_curve, lo numeric, hi numeric)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_add';
COMMENT ON FUNCTION revrtm.budget_plan_add(revrtm.budget_plan, text, revrtm.response_curve, numeric, numeric) IS
'The plan with one more line; a null plan has none. Errors as budget_line_agg, of which it is the transition function; the rules of a line are seen to when the aggregate ends, outside of one at once.';

CREATE FUNCTION revrtm.budget_plan_add(plan revrtm.budget_plan, line text, curve revrtm.response_curve, lo numeric, hi numeric, current numeric)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_add';
COMMENT ON FUNCTION revrtm.budget_plan_add(revrtm.budget_plan, text, revrtm.response_curve, numeric, numeric, numeric) IS
'The plan with one more line whose current amount is known, or null.';

CREATE FUNCTION revrtm.budget_plan_add(plan revrtm.budget_plan, line text, curve revrtm.response_curve, lo numeric, hi numeric, current numeric, group_path text)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_add';
COMMENT ON FUNCTION revrtm.budget_plan_add(revrtm.budget_plan, text, revrtm.response_curve, numeric, numeric, numeric, text) IS
'The plan with one more line that is in a group, such as company/emea/partner, or null.';

CREATE FUNCTION revrtm.budget_plan_combine(revrtm.budget_plan, revrtm.budget_plan) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_combine';
COMMENT ON FUNCTION revrtm.budget_plan_combine(revrtm.budget_plan, revrtm.budget_plan) IS
'The lines, groups and shift limits of two plans together; a null plan has none. Combines the states of budget_line_agg.';

CREATE FUNCTION revrtm.budget_plan_final(revrtm.budget_plan) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_final';
COMMENT ON FUNCTION revrtm.budget_plan_final(revrtm.budget_plan) IS
'The plan packed and sorted by the bytes of the lines'' names; 22023 naming the lines that break a rule or are given twice. Finishes budget_line_agg.';

CREATE AGGREGATE revrtm.budget_line_agg(line text, curve revrtm.response_curve, lo numeric, hi numeric) (
    SFUNC = revrtm.budget_plan_add,
    STYPE = revrtm.budget_plan,
    SSPACE = 4096,
    COMBINEFUNC = revrtm.budget_plan_combine,
    FINALFUNC = revrtm.budget_plan_final,
    FINALFUNC_MODIFY = READ_ONLY,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.budget_line_agg(text, revrtm.response_curve, numeric, numeric) IS
'Collects the lines of a budget into a plan: name, response curve, and the least and most that may be spent on the line, in money. The order of the rows does not matter. lo = hi locks the line. 22004 for a null; 22023 for a line given twice, a bound that is negative or not finite, or lo > hi, naming all such lines. NULL without rows.';

CREATE AGGREGATE revrtm.budget_line_agg(line text, curve revrtm.response_curve, lo numeric, hi numeric, current numeric) (
    SFUNC = revrtm.budget_plan_add,
    STYPE = revrtm.budget_plan,
    SSPACE = 4096,
    COMBINEFUNC = revrtm.budget_plan_combine,
    FINALFUNC = revrtm.budget_plan_final,
    FINALFUNC_MODIFY = READ_ONLY,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.budget_line_agg(text, revrtm.response_curve, numeric, numeric, numeric) IS
'As with four arguments, and with what is spent on the line now, in money; NULL where that is not known.';

CREATE AGGREGATE revrtm.budget_line_agg(line text, curve revrtm.response_curve, lo numeric, hi numeric, current numeric, group_path text) (
    SFUNC = revrtm.budget_plan_add,
    STYPE = revrtm.budget_plan,
    SSPACE = 4096,
    COMBINEFUNC = revrtm.budget_plan_combine,
    FINALFUNC = revrtm.budget_plan_final,
    FINALFUNC_MODIFY = READ_ONLY,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE revrtm.budget_line_agg(text, revrtm.response_curve, numeric, numeric, numeric, text) IS
'As with five arguments, and with the group that the line is in: a path such as company/emea/partner, of at most 32 parts, each group within the one before it; NULL for a line in none. A group has bounds only where group_bound gives it some. 22023 for a path with an empty part.';

CREATE FUNCTION revrtm.group_bound(plan revrtm.budget_plan, group_path text, lo numeric, hi numeric)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_group_bound';
COMMENT ON FUNCTION revrtm.group_bound(revrtm.budget_plan, text, numeric, numeric) IS
'The plan with bounds for what is spent on a group, that is on all lines whose group_path is that path or begins with it and a slash, in money; NULL for no lower, or no upper, bound. Replaces bounds that the group had. 22023 for a group in which no line is, a bound that is negative or not finite, or lo > hi; 22004 for a null plan or path.';

CREATE FUNCTION revrtm.shift_limit(plan revrtm.budget_plan, share numeric)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_shift_limit';
COMMENT ON FUNCTION revrtm.shift_limit(revrtm.budget_plan, numeric) IS
'The plan with a limit on what is moved away from the current amounts: half the sum of the absolute differences is at most this share (0.15 for 15 %) of the sum of the current amounts. A budget other than that sum counts as moved by half the difference. Replaces the limit that the plan had. 22023 where a line has no current amount, naming all such lines, or the share is negative or not finite; 22004 for a null.';

CREATE FUNCTION revrtm.allocate(
    plan revrtm.budget_plan,
    budget numeric,
    goal text DEFAULT 'max_return',
    target numeric DEFAULT NULL,
    unit numeric DEFAULT 0.01
)
RETURNS TABLE (line text, amount numeric, response float8, marginal float8, bound text, gap float8)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_allocate';
COMMENT ON FUNCTION revrtm.allocate(revrtm.budget_plan, numeric, text, numeric, numeric) IS
'The allocation of a budget to the lines of a plan that returns the most, one row a line, by name. line: its name. amount: money, a multiple of the unit; the amounts sum to the budget exactly and keep all bounds (lower ones rounded up to the unit, upper ones down) and the shift limit. response: the curve''s value at the amount. marginal: its slope there; lines that nothing holds have the same within the unit. bound: what holds the line: locked (lo = hi), lo, hi, else group PATH with lo, hi or locked for the innermost group that is at a bound, else current where the shift limit holds it; or NULL. gap: how far the sum of the responses can at most be below that of the best allocation in amounts however small, relative, the same in every row; Infinity where that bound does not fit a float8. The best among all allocations in whole units, to 1e-9 of the return, whatever the shape of the curves; where the search ends before it can prove that (200000 parts of the search space, fewer for more than 100 lines), the best found, with its gap. Of equal ones the line first by the bytes of its name gets more. goal: max_return spends the whole budget and takes no target; with the others the budget is the most that may be spent, NULL for what the bounds admit: min_spend spends the least that returns the target; target_roi the most of which return / spend - 1 is at least the target; target_marginal_roi as long as what is added returns at least (1 + target) times itself. 22023 where the bounds do not admit the budget or the target is out of reach, with the numbers, or the budget is not a multiple of the unit; 22003 beyond 2^62 units. Method: multipliers of the continuous problem, then marginal allocation of units (Fox 1966, Management Science 13; Hochbaum 1994, Mathematics of Operations Research 19); branch and bound on concave envelopes for other curves (Falk and Soland 1969, Management Science 15).';

CREATE FUNCTION revrtm.frontier(plan revrtm.budget_plan, budgets numeric[], unit numeric DEFAULT 0.01)
RETURNS TABLE (budget numeric, response float8, marginal float8, gap float8)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_frontier';
COMMENT ON FUNCTION revrtm.frontier(revrtm.budget_plan, numeric[], numeric) IS
'What a plan returns as its budget grows: for each budget, in the order given, the sum of the responses of allocate(plan, budget, unit => unit), what one more of money would return (NULL where no line may take it), and the gap. Errors as allocate; 22004 for a null.';

CREATE FUNCTION revrtm.shadow_price(plan revrtm.budget_plan, budget numeric, unit numeric DEFAULT 0.01)
RETURNS TABLE (bound text, price float8)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000 ROWS 5
AS 'MODULE_PATHNAME', 'revrtm_shadow_price';
COMMENT ON FUNCTION revrtm.shadow_price(revrtm.budget_plan, numeric, numeric) IS
'What moving a limit by one of money would return, at the best allocation of a budget. bound: budget (one more to spend), group PATH with lo, hi or locked for each group that is at a bound (as allocate says it; one less for lo, one more for hi), and shift limit where it holds lines (one more that may be moved). price: response for one of money, never negative but for the budget''s; NULL for a budget that no line may take more of. At the edge: of what lies beyond a convex stretch of a curve it knows nothing. Errors as allocate; 22004 for a null.';

CREATE FUNCTION revrtm.allocate_budget(
    budget numeric,
    lines text[],
    curves revrtm.response_curve[],
    lo numeric[],
    hi numeric[]
)
RETURNS TABLE (line text, amount numeric, response float8, marginal float8, bound text, gap float8)
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 100
BEGIN ATOMIC
    SELECT a.line, a.amount, a.response, a.marginal, a.bound, a.gap
    FROM revrtm.allocate((
        SELECT revrtm.budget_line_agg(l.line, l.curve, l.lo, l.hi)
        FROM ROWS FROM (
            pg_catalog.unnest(allocate_budget.lines),
            pg_catalog.unnest(allocate_budget.curves),
            pg_catalog.unnest(allocate_budget.lo),
            pg_catalog.unnest(allocate_budget.hi)
        ) AS l (line, curve, lo, hi)
    ), allocate_budget.budget) a;
END;
COMMENT ON FUNCTION revrtm.allocate_budget(numeric, text[], revrtm.response_curve[], numeric[], numeric[]) IS
'budget_line_agg and allocate in one call: the lines'' names, curves, lower and upper bounds as arrays of one length; 22004 where one is shorter. The same rows and errors as allocate with its defaults.';
