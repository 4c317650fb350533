-- What bounds the budget: policy as data, which every proposal goes by.

INSERT INTO revrtm.note (note, meaning) VALUES
('maturity_missing', 'No run of the maturity matrix was kept; take_maturity() keeps one.'),
('no_move', 'The budget of the line was not moved by at least one per cent, so there is nothing to learn from it.'),
('not_matured', 'The months that tell are not over yet, by the lag of the category.'),
('pooled', 'The line''s own months are too few, or too alike, to fit a curve; that of its category, or of all lines, stands for it.'),
('spent_otherwise', 'What was spent is more than a tenth off what was decided, so the result tells nothing of the decision.'),
('uncertain', 'The line''s months do not tell whether it returns nothing or as much as the others; it keeps its budget.');
UPDATE revrtm.note SET meaning = 'Fewer months with spend than a curve of the line''s own needs; another one stands for it, or the line keeps its budget.'
WHERE note = 'few_months';
UPDATE revrtm.note SET meaning = 'Spend was the same in every month, so no response to it can be fitted; another curve stands for it, or the line keeps its budget.'
WHERE note = 'constant_spend';

CREATE TABLE revrtm.council_rule (
    rule          text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    least_share   numeric NOT NULL DEFAULT 0.8 CHECK (least_share BETWEEN 0 AND 1),
    most_share    numeric NOT NULL DEFAULT 1.2 CHECK (most_share BETWEEN 1 AND 1000),
    shift_share   numeric DEFAULT 0.15 CHECK (shift_share BETWEEN 0 AND 1),
    own_months    integer NOT NULL DEFAULT 6 CHECK (own_months BETWEEN 4 AND 120),
    least_months  integer NOT NULL DEFAULT 3 CHECK (least_months BETWEEN 1 AND 120),
    least_deals   integer NOT NULL DEFAULT 5 CHECK (least_deals >= 0),
    explore_share numeric NOT NULL DEFAULT 0 CHECK (explore_share BETWEEN 0 AND 0.5),
    least_factor  numeric NOT NULL DEFAULT 0.25 CHECK (least_factor > 0 AND least_factor <= 1),
    most_factor   numeric NOT NULL DEFAULT 2 CHECK (most_factor BETWEEN 1 AND 100),
    prior_spread  numeric NOT NULL DEFAULT 0.5 CHECK (prior_spread > 0 AND prior_spread <= 100),
    shipped       boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.council_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.council_rule IS 'The terms by which the council moves money: one row, which is shipped.';
COMMENT ON COLUMN revrtm.council_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.council_rule.least_share IS 'Least budget of a line without a lower bound of its own, as a share of its current one.';
COMMENT ON COLUMN revrtm.council_rule.most_share IS 'Largest budget of a line without an upper bound of its own, as a share of its current one.';
COMMENT ON COLUMN revrtm.council_rule.shift_share IS 'How much of the whole budget one council may move (shift_limit); NULL for no limit.';
COMMENT ON COLUMN revrtm.council_rule.own_months IS 'Months with spend that a curve of a line''s own needs; with fewer it is pooled.';
COMMENT ON COLUMN revrtm.council_rule.least_months IS 'A line with fewer months with spend has no evidence, and keeps its budget.';
COMMENT ON COLUMN revrtm.council_rule.least_deals IS 'So does one with fewer won deals in them, unless it spent as much as brings so many in all lines together.';
COMMENT ON COLUMN revrtm.council_rule.explore_share IS
'Share of the whole budget that is added, in equal parts, to the lines that have no evidence, to get some; 0: they keep what they have.';
COMMENT ON COLUMN revrtm.council_rule.least_factor IS 'Least factor by which what was realised corrects what is expected of a line.';
COMMENT ON COLUMN revrtm.council_rule.most_factor IS 'Largest such factor.';
COMMENT ON COLUMN revrtm.council_rule.prior_spread IS 'How far what is realised usually is from what was expected, as a standard deviation of its share: the smaller, the more it takes to correct expectations.';
COMMENT ON COLUMN revrtm.council_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.council_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.council_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.council_rule');

CREATE TABLE revrtm.budget_guard (
    line         text PRIMARY KEY CHECK (line <> ''),
    locked       boolean NOT NULL DEFAULT false,
    committed    numeric NOT NULL DEFAULT 0 CHECK (committed >= 0 AND committed < 'Infinity'),
    margin_floor numeric CHECK (margin_floor BETWEEN -1000 AND 1)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.budget_guard', '');
SELECT revrtm.register_policy('revrtm.budget_guard');
COMMENT ON TABLE revrtm.budget_guard IS 'What holds single lines of the budget. Grain: one line.';
COMMENT ON COLUMN revrtm.budget_guard.line IS 'The line of budget_line.';
COMMENT ON COLUMN revrtm.budget_guard.locked IS 'Whether it keeps its current budget.';
COMMENT ON COLUMN revrtm.budget_guard.committed IS 'What is committed already, a month, in revrtm.currency: no budget is below.';
COMMENT ON COLUMN revrtm.budget_guard.margin_floor IS
'Least gross margin of what the line is credited with, as a share of revenue, over the twelve months: below it the line keeps its current budget; NULL for none.';

CREATE TABLE revrtm.budget_group (
    group_path text PRIMARY KEY CHECK (group_path ~ '^[^/]+(/[^/]+)*$'),
    lo         numeric CHECK (lo >= 0 AND lo < 'Infinity'),
    hi         numeric CHECK (hi >= lo AND hi < 'Infinity')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.budget_group', '');
SELECT revrtm.register_policy('revrtm.budget_group');
COMMENT ON TABLE revrtm.budget_group IS
'Bounds of whole groups of lines, such as what all partner lines get. Grain: one group. One that no line is in bounds nothing.';
COMMENT ON COLUMN revrtm.budget_group.group_path IS 'The group: company for all lines, company/ROUTE for those of a route.';
COMMENT ON COLUMN revrtm.budget_group.lo IS 'Least monthly budget of the group in revrtm.currency; NULL for none.';
COMMENT ON COLUMN revrtm.budget_group.hi IS 'Largest one; NULL for none.';

CREATE TABLE revrtm.coverage_floor (
    segment  text PRIMARY KEY CHECK (segment <> ''),
    coverage numeric NOT NULL CHECK (coverage BETWEEN 0 AND 1)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.coverage_floor', '');
SELECT revrtm.register_policy('revrtm.coverage_floor');
COMMENT ON TABLE revrtm.coverage_floor IS
'Least coverage of segments. A line most of whose credited revenue of the twelve months is of a segment that has less keeps at least its current budget. Grain: one segment.';
COMMENT ON COLUMN revrtm.coverage_floor.segment IS 'The segment.';
COMMENT ON COLUMN revrtm.coverage_floor.coverage IS 'Least share of its accounts that are covered, by revrtm.coverage.';

CREATE FUNCTION revrtm.bounded_plan(plan revrtm.budget_plan) RETURNS revrtm.budget_plan
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bounded revrtm.budget_plan := plan;
    g record;
BEGIN
    IF plan IS NULL THEN
        RETURN NULL;
    END IF;
    FOR g IN
        SELECT b.group_path, b.lo, b.hi
        FROM revrtm.budget_group b
        WHERE EXISTS (SELECT FROM revrtm.budget_line l
                      WHERE starts_with('company/' || l.route_id || '/', b.group_path || '/'))
        ORDER BY b.group_path COLLATE "C"
    LOOP
        bounded := revrtm.group_bound(bounded, g.group_path, g.lo, g.hi);
    END LOOP;
    SELECT revrtm.shift_limit(bounded, r.shift_share) INTO bounded
    FROM revrtm.council_rule r WHERE r.shift_share IS NOT NULL
    UNION ALL
    SELECT bounded WHERE NOT EXISTS (SELECT FROM revrtm.council_rule r WHERE r.shift_share IS NOT NULL);
    RETURN bounded;
END
$$;
COMMENT ON FUNCTION revrtm.bounded_plan(revrtm.budget_plan) IS
'A plan of all lines with the bounds of budget_group and the shift limit of council_rule; NULL for NULL.';

CREATE FUNCTION revrtm.scale_curve(curve revrtm.response_curve, factor double precision, at double precision)
RETURNS revrtm.response_curve
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Every family is a + b g(x).
    part text[] := regexp_match(curve::text, '^([a-z]+)\((.*)\)$');
    term float8[] := string_to_array(part[2], ',')::float8[];
    level float8;
BEGIN
    IF factor = 1 THEN
        RETURN curve;
    END IF;
    level := revrtm.curve_value(curve, at);
    term[1] := level - factor * (level - term[1]);
    term[2] := factor * term[2];
    RETURN revrtm.curve(part[1], VARIADIC term);
END
$$;
COMMENT ON FUNCTION revrtm.scale_curve(revrtm.response_curve, double precision, double precision) IS
'The curve whose change from its value at one amount is a factor of what it was: at that amount they are equal. Errors as curve_value and curve.';
