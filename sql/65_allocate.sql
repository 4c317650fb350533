-- Budget plans and the allocator.

CREATE TYPE revrtm.budget_plan;

CREATE FUNCTION revrtm.budget_plan_in(cstring) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_in';
COMMENT ON FUNCTION revrtm.budget_plan_in(cstring) IS
'Reads a budget plan from a JSON array of objects with the members line, curve, lo, hi and, if known, current; 22P02 for another shape, 22023 for a line that breaks a rule or comes twice.';

CREATE FUNCTION revrtm.budget_plan_out(revrtm.budget_plan) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_out';
COMMENT ON FUNCTION revrtm.budget_plan_out(revrtm.budget_plan) IS
'A budget plan as a JSON array of its lines, sorted by the bytes of their names.';

CREATE FUNCTION revrtm.budget_plan_recv(internal) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_recv';
COMMENT ON FUNCTION revrtm.budget_plan_recv(internal) IS
'Reads a budget plan from the binary protocol, under the same rules as from text.';

CREATE FUNCTION revrtm.budget_plan_send(revrtm.budget_plan) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_send';
COMMENT ON FUNCTION revrtm.budget_plan_send(revrtm.budget_plan) IS
'Writes a budget plan for the binary protocol: format (int2), lines (int4), and each line.';

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
'The lines among which a budget is allocated: name, response curve, lower and upper bound, and the current amount where known, in money. At most a million lines.';

CREATE FUNCTION revrtm.budget_plan_add(plan revrtm.budget_plan, line text, curve revrtm.response_curve, lo numeric, hi numeric)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_add';
COMMENT ON FUNCTION revrtm.budget_plan_add(revrtm.budget_plan, text, revrtm.response_curve, numeric, numeric) IS
'The plan with one more line; a null plan has none. Errors as budget_line_agg, of which it is the transition function.';

CREATE FUNCTION revrtm.budget_plan_add(plan revrtm.budget_plan, line text, curve revrtm.response_curve, lo numeric, hi numeric, current numeric)
RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_add';
COMMENT ON FUNCTION revrtm.budget_plan_add(revrtm.budget_plan, text, revrtm.response_curve, numeric, numeric, numeric) IS
'The plan with one more line whose current amount is known, or null.';

CREATE FUNCTION revrtm.budget_plan_combine(revrtm.budget_plan, revrtm.budget_plan) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_combine';
COMMENT ON FUNCTION revrtm.budget_plan_combine(revrtm.budget_plan, revrtm.budget_plan) IS
'The lines of two plans together; a null plan has none. Combines the states of budget_line_agg.';

CREATE FUNCTION revrtm.budget_plan_final(revrtm.budget_plan) RETURNS revrtm.budget_plan
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_budget_plan_final';
COMMENT ON FUNCTION revrtm.budget_plan_final(revrtm.budget_plan) IS
'The plan packed and sorted by the bytes of the lines'' names; 22023 for a line given twice. Finishes budget_line_agg.';

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
'Collects the lines of a budget into a plan: name, response curve, and the least and most that may be spent on the line, in money. The order of the rows does not matter. 22004 for a null; 22023 for a line given twice, a bound that is negative or not finite, or lo > hi. NULL without rows.';

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
'The allocation of a budget to the lines of a plan that returns the most, one row a line, by name. line: its name. amount: money, a multiple of the unit; the amounts sum to the budget exactly and keep the bounds (lower ones rounded up to the unit, upper ones down). response: the curve''s value at the amount. marginal: its slope there; lines off their bounds have the same within the unit. bound: lo or hi if the amount is at that bound, else NULL. gap: how far the sum of the responses can at most be below that of the best allocation of a continuous budget, relative, the same in every row; Infinity where that bound does not fit a float8. Optimal among all allocations in whole units; ties go to the line that is first by the bytes of its name. Goal must be max_return, target NULL. 22023 where the bounds do not admit the budget, or it is not a multiple of the unit; 0A000 for a curve that is not concave between its bounds, and for another goal; 22003 beyond 2^62 units. Method: multiplier of the continuous problem, then marginal allocation of units (Fox 1966, Management Science 13; Ibaraki and Katoh 1988, Resource Allocation Problems).';

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
