-- The lines of the budget, route x spend category, and what the council goes
-- by: its month and its model.

CREATE TABLE revrtm.budget_line (
    line     text PRIMARY KEY CHECK (line <> ''),
    route_id text NOT NULL CHECK (route_id <> ''),
    category text NOT NULL CHECK (category <> '' AND category <> '(unmapped)'),
    curve    revrtm.response_curve,
    lo       numeric CHECK (lo >= 0 AND lo < 'Infinity'),
    hi       numeric CHECK (hi >= lo AND hi < 'Infinity'),
    shipped  boolean NOT NULL DEFAULT false,
    UNIQUE (route_id, category)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.budget_line', 'WHERE NOT shipped');
SELECT revrtm.register_policy('revrtm.budget_line');
COMMENT ON TABLE revrtm.budget_line IS
'Lines that the council moves money between: a route and a spend category each. A line without a row here takes no part.';
COMMENT ON COLUMN revrtm.budget_line.line IS 'Name of the line, such as direct/content.';
COMMENT ON COLUMN revrtm.budget_line.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.budget_line.category IS 'Its spend category.';
COMMENT ON COLUMN revrtm.budget_line.curve IS 'Monthly margin as a function of monthly spend, both in revrtm.currency; NULL: fitted, see budget_fit.';
COMMENT ON COLUMN revrtm.budget_line.lo IS 'Least monthly budget in revrtm.currency; NULL: council_rule.least_share of the current one, or hi where that is less.';
COMMENT ON COLUMN revrtm.budget_line.hi IS 'Largest monthly budget in revrtm.currency; NULL: council_rule.most_share of the current one, or lo where that is more.';
COMMENT ON COLUMN revrtm.budget_line.shipped IS 'Whether the row is as the extension made it; none is shipped yet.';

CREATE FUNCTION revrtm.council_period(period date DEFAULT NULL) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        revrtm.period(period),
        (SELECT greatest(
            (SELECT pg_catalog.max(d.period) FROM revrtm.deal d WHERE d.is_closed AND d.period < month.start),
            (SELECT pg_catalog.max(revrtm.period(s.period))
             FROM revrtm.spend s WHERE s.period < month.start))
         FROM (SELECT revrtm.period(revrtm.as_of()) AS start) month));
END;
COMMENT ON FUNCTION revrtm.council_period(date) IS
'First day of the month of the day given; for NULL the last closed month with deals or spend, as of revrtm.as_of().';

CREATE FUNCTION revrtm.council_model() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := revrtm.setting('model');
BEGIN
    -- An unknown model raises here.
    PERFORM FROM revrtm.credit(NULL::revrtm.journey, name);
    IF NOT EXISTS (SELECT FROM revrtm.attribution_model m WHERE m.model = name AND m.enabled) THEN
        RAISE EXCEPTION 'attribution model % is not enabled', quote_ident(name)
            USING ERRCODE = '22023',
                  HINT = 'Set revrtm.model to another one, or enable it in revrtm.attribution_model.';
    END IF;
    RETURN name;
END
$$;
COMMENT ON FUNCTION revrtm.council_model() IS
'The model that budget and council go by: the setting revrtm.model. 22023 where there is no such model or it is not enabled.';
