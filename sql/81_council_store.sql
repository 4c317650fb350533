-- What councils looked at, decided and learned, kept for ever.

CREATE TABLE revrtm.council (
    period      date PRIMARY KEY CONSTRAINT council_month CHECK (extract(day FROM period) = 1),
    as_of       timestamptz NOT NULL,
    model       text NOT NULL,
    currency    text NOT NULL,
    policy_hash text NOT NULL,
    budget      numeric(20, 4) NOT NULL,
    snapshot    jsonb NOT NULL,
    hash        text NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    opened_by   text NOT NULL DEFAULT session_user,
    CONSTRAINT council_sealed CHECK (hash = encode(sha256(convert_to(snapshot::text, 'UTF8')), 'hex'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.council', '');
COMMENT ON TABLE revrtm.council IS
'The monthly revenue councils, each with what it looked at; written by open_council, never changed (23514, council_is_final). Grain: one month.';
COMMENT ON COLUMN revrtm.council.period IS 'The month, by its first day: the last one whose figures it looked at. It decides the budget of the next.';
COMMENT ON COLUMN revrtm.council.as_of IS 'The instant that counted as today.';
COMMENT ON COLUMN revrtm.council.model IS 'The attribution model it went by.';
COMMENT ON COLUMN revrtm.council.currency IS 'revrtm.currency at the time, in which the amounts are.';
COMMENT ON COLUMN revrtm.council.policy_hash IS 'policy_hash() at the time.';
COMMENT ON COLUMN revrtm.council.budget IS 'What it may spend, a month.';
COMMENT ON COLUMN revrtm.council.snapshot IS 'What it looked at, as council_document made it.';
COMMENT ON COLUMN revrtm.council.hash IS 'SHA-256 of the snapshot''s text (constraint council_sealed).';
COMMENT ON COLUMN revrtm.council.opened_at IS 'When it was opened.';
COMMENT ON COLUMN revrtm.council.opened_by IS 'The role that logged in and opened it.';

-- One log of decisions and the close: whoever comes second finds its place taken.
CREATE TABLE revrtm.council_entry (
    period     date,
    ordinal    integer CHECK (ordinal > 0),
    entry      text NOT NULL CHECK (entry IN ('decision', 'budget', 'close')),
    line       text,
    decision   text CHECK (decision IN ('accept', 'amend', 'reject')),
    amount     numeric(20, 4) NOT NULL CHECK (amount >= 0),
    reason     text,
    entered_at timestamptz NOT NULL DEFAULT now(),
    entered_by text NOT NULL DEFAULT session_user,
    app_actor  text,
    PRIMARY KEY (period, ordinal),
    CONSTRAINT council_entry_whole CHECK ((line IS NULL) = (entry = 'close') AND (decision IS NOT NULL) = (entry = 'decision'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.council_entry', '');
COMMENT ON TABLE revrtm.council_entry IS
'What councils decided, in the order in which it was; written by decide and close_council, never changed, and nothing is added after a close (23514, council_is_final). Grain: one entry of one council.';
COMMENT ON COLUMN revrtm.council_entry.period IS 'The council.';
COMMENT ON COLUMN revrtm.council_entry.ordinal IS 'Place in its order, from 1.';
COMMENT ON COLUMN revrtm.council_entry.entry IS 'decision, budget (what a line gets next month, written by the close) or close.';
COMMENT ON COLUMN revrtm.council_entry.line IS 'The line; NULL for the close.';
COMMENT ON COLUMN revrtm.council_entry.decision IS 'accept, amend or reject; the last one of a line holds.';
COMMENT ON COLUMN revrtm.council_entry.amount IS 'What the line gets by it, a month; of the close, what all get.';
COMMENT ON COLUMN revrtm.council_entry.reason IS 'Why; always there for amend and reject.';
COMMENT ON COLUMN revrtm.council_entry.entered_at IS 'When.';
COMMENT ON COLUMN revrtm.council_entry.entered_by IS 'The role that logged in.';
COMMENT ON COLUMN revrtm.council_entry.app_actor IS 'The application''s user, as revrtm.actor says; NULL where empty.';

CREATE TABLE revrtm.council_result (
    period          date,
    line            text,
    ordinal         integer CHECK (ordinal > 0),
    known_in        date NOT NULL,
    spend_before    numeric(20, 4) NOT NULL,
    spend           numeric(20, 4) NOT NULL,
    margin_before   numeric(20, 4) NOT NULL,
    margin_after    numeric(20, 4) NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (period, line, ordinal)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.council_result', '');
COMMENT ON TABLE revrtm.council_result IS
'What became of the budgets that councils decided, once their months told; written by record_outcomes, never changed (23514, council_is_final), only added to. Grain: one line of one council, as known at one time.';
COMMENT ON COLUMN revrtm.council_result.period IS 'The council.';
COMMENT ON COLUMN revrtm.council_result.line IS 'The line.';
COMMENT ON COLUMN revrtm.council_result.ordinal IS 'From 1; one more where deals of those months changed later.';
COMMENT ON COLUMN revrtm.council_result.known_in IS 'The month up to which figures were known when it was written.';
COMMENT ON COLUMN revrtm.council_result.spend_before IS 'What was really spent in the council''s own month.';
COMMENT ON COLUMN revrtm.council_result.spend IS 'What was really spent on the line in the month that the council decided, in its currency.';
COMMENT ON COLUMN revrtm.council_result.margin_before IS 'Incremental margin that the spend of the council''s own month brought, by the lag of the category.';
COMMENT ON COLUMN revrtm.council_result.margin_after IS 'That of the month after, for which it decided.';
COMMENT ON COLUMN revrtm.council_result.recorded_at IS 'When it was written.';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.council
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change('council_is_final', 'The next council may decide otherwise.');
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.council_entry
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change('council_is_final', 'The next council may decide otherwise.');
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.council_result
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change('council_is_final', 'The next council may decide otherwise.');
-- In a session that replicates as well.
ALTER TABLE revrtm.council ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE revrtm.council_entry ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE revrtm.council_result ENABLE ALWAYS TRIGGER refuse_change;

CREATE FUNCTION revrtm.keep_closed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ordinal int := (SELECT min(c.ordinal) FROM revrtm.council_entry c
                    WHERE c.period = NEW.period AND c.entry = 'close' AND c.ordinal < NEW.ordinal);
BEGIN
    IF ordinal IS NOT NULL THEN
        RAISE EXCEPTION 'what a council saw and decided is final'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'council_entry', CONSTRAINT = 'council_is_final',
                  DETAIL = format('The council of %s was closed by entry %s.', revrtm.date_text(NEW.period), ordinal),
                  HINT = 'The next council may decide otherwise.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION revrtm.keep_closed() IS
'Trigger of council_entry: refuses entries after a close (23514, council_is_final).';
CREATE TRIGGER keep_closed BEFORE INSERT ON revrtm.council_entry
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_closed();

CREATE VIEW revrtm.council_snapshot WITH (security_invoker = true) AS
SELECT revrtm.date_text(c.period) || ':' || d.key AS council_snapshot_key,
       c.period,
       d.key AS part,
       d.value AS document,
       encode(sha256(convert_to(d.value::text, 'UTF8')), 'hex') AS hash
FROM revrtm.council c CROSS JOIN LATERAL jsonb_each(c.snapshot) d;
COMMENT ON VIEW revrtm.council_snapshot IS 'What councils looked at, part by part. Grain: one part of one council''s snapshot.';
COMMENT ON COLUMN revrtm.council_snapshot.council_snapshot_key IS 'period:part.';
COMMENT ON COLUMN revrtm.council_snapshot.period IS 'The council.';
COMMENT ON COLUMN revrtm.council_snapshot.part IS 'Key of council_document.';
COMMENT ON COLUMN revrtm.council_snapshot.document IS 'What it says.';
COMMENT ON COLUMN revrtm.council_snapshot.hash IS 'SHA-256 of its text.';

CREATE VIEW revrtm.council_budget WITH (security_invoker = true) AS
SELECT revrtm.date_text((e.period + interval '1 month')::date) || ':' || e.line AS council_budget_key,
       (e.period + interval '1 month')::date AS period,
       e.line,
       l.route_id,
       l.category,
       e.amount,
       c.currency,
       e.period AS decided_in
FROM revrtm.council_entry e
     JOIN revrtm.council c ON c.period = e.period
     CROSS JOIN LATERAL (SELECT p.route_id, p.category
                         FROM jsonb_to_recordset(c.snapshot -> 'proposal') p (line text, route_id text, category text)
                         WHERE p.line = e.line) l
WHERE e.entry = 'budget';
COMMENT ON VIEW revrtm.council_budget IS
'The budgets that councils decided, which proposals take as the current ones. Grain: one line in one month.';
COMMENT ON COLUMN revrtm.council_budget.council_budget_key IS 'period:line.';
COMMENT ON COLUMN revrtm.council_budget.period IS 'The month it is for.';
COMMENT ON COLUMN revrtm.council_budget.line IS 'The line.';
COMMENT ON COLUMN revrtm.council_budget.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.council_budget.category IS 'Its spend category.';
COMMENT ON COLUMN revrtm.council_budget.amount IS 'The budget of the month.';
COMMENT ON COLUMN revrtm.council_budget.currency IS 'The currency of it.';
COMMENT ON COLUMN revrtm.council_budget.decided_in IS 'The council that decided it, by its month.';

CREATE VIEW revrtm.council_outcome WITH (security_invoker = true) AS
SELECT revrtm.date_text(b.decided_in) || ':' || b.line AS council_outcome_key,
       b.decided_in AS period,
       b.line,
       b.route_id,
       b.category,
       d.decision,
       d.reason,
       p.current::numeric(20, 4) AS current,
       p.proposed::numeric(20, 4) AS proposed,
       b.amount,
       (g.predicted)::numeric(20, 4) AS predicted,
       (g.uncalibrated)::numeric(20, 4) AS uncalibrated,
       r.spend,
       r.margin_before,
       r.margin_after,
       (r.margin_after - r.margin_before)::numeric(20, 4) AS realised,
       revrtm.ratio(r.margin_after - r.margin_before, g.predicted::numeric)::numeric(18, 6) AS realised_share,
       r.known_in,
       CASE WHEN abs(b.amount - p.current) < p.current * 0.01 OR b.amount = p.current OR g.predicted = 0 THEN 'no_move'
            WHEN r.line IS NULL THEN 'not_matured'
            WHEN abs(r.spend - b.amount) > 0.1 * b.amount OR abs(r.spend_before - p.current) > 0.1 * p.current THEN 'spent_otherwise' END AS note
FROM revrtm.council_budget b
     JOIN revrtm.council c ON c.period = b.decided_in
     CROSS JOIN LATERAL (
         SELECT x.current, x.proposed, x.curve, x.raw_curve
         FROM jsonb_to_recordset(c.snapshot -> 'proposal')
              x (line text, current numeric, proposed numeric, curve revrtm.response_curve, raw_curve revrtm.response_curve)
         WHERE x.line = b.line) p
     CROSS JOIN LATERAL (
         -- A log curve begins above zero.
         SELECT revrtm.curve_value(p.curve, greatest(b.amount, 0.01)::float8)
                - revrtm.curve_value(p.curve, greatest(p.current, 0.01)::float8) AS predicted,
                revrtm.curve_value(p.raw_curve, greatest(b.amount, 0.01)::float8)
                - revrtm.curve_value(p.raw_curve, greatest(p.current, 0.01)::float8) AS uncalibrated) g
     LEFT JOIN LATERAL (
         SELECT e.decision, e.reason FROM revrtm.council_entry e
         WHERE e.period = b.decided_in AND e.entry = 'decision' AND e.line = b.line
         ORDER BY e.ordinal DESC LIMIT 1) d ON true
     LEFT JOIN LATERAL (
         SELECT k.* FROM revrtm.council_result k
         WHERE k.period = b.decided_in AND k.line = b.line
         ORDER BY k.ordinal DESC LIMIT 1) r ON true;
COMMENT ON VIEW revrtm.council_outcome IS
'What closed councils expected of their decisions, and what came of them. Grain: one line of one closed council. Money a month, in the council''s currency.';
COMMENT ON COLUMN revrtm.council_outcome.council_outcome_key IS 'period:line.';
COMMENT ON COLUMN revrtm.council_outcome.period IS 'The council.';
COMMENT ON COLUMN revrtm.council_outcome.line IS 'The line.';
COMMENT ON COLUMN revrtm.council_outcome.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.council_outcome.category IS 'Its spend category.';
COMMENT ON COLUMN revrtm.council_outcome.decision IS 'The decision that held: accept, amend, reject, or NULL where there was none and the line kept its budget.';
COMMENT ON COLUMN revrtm.council_outcome.reason IS 'Its reason.';
COMMENT ON COLUMN revrtm.council_outcome.current IS 'Budget before.';
COMMENT ON COLUMN revrtm.council_outcome.proposed IS 'Budget that was proposed.';
COMMENT ON COLUMN revrtm.council_outcome.amount IS 'Budget that was decided.';
COMMENT ON COLUMN revrtm.council_outcome.predicted IS 'Margin that the decided amount was to bring more than the one before, by the curve as the council saw it, calibrated.';
COMMENT ON COLUMN revrtm.council_outcome.uncalibrated IS 'The same by the fitted curve itself.';
COMMENT ON COLUMN revrtm.council_outcome.spend IS 'What was really spent in the month it was decided for.';
COMMENT ON COLUMN revrtm.council_outcome.margin_before IS 'Margin of the council''s month, as council_result has it.';
COMMENT ON COLUMN revrtm.council_outcome.margin_after IS 'Margin of the month it was decided for.';
COMMENT ON COLUMN revrtm.council_outcome.realised IS 'margin_after - margin_before.';
COMMENT ON COLUMN revrtm.council_outcome.realised_share IS 'realised / predicted; NULL where nothing was predicted.';
COMMENT ON COLUMN revrtm.council_outcome.known_in IS 'Month up to which figures were known when the result was written.';
COMMENT ON COLUMN revrtm.council_outcome.note IS 'no_move (by less than one per cent), not_matured (no result yet), spent_otherwise (what was spent in either month is more than a tenth off the budget), or NULL.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('council_budget', 'amount', 'currency of the row', false),
('council_outcome', 'amount', 'currency of the council', false),
('council_outcome', 'current', 'currency of the council', false),
('council_outcome', 'margin_after', 'currency of the council', false),
('council_outcome', 'margin_before', 'currency of the council', false),
('council_outcome', 'predicted', 'currency of the council', false),
('council_outcome', 'proposed', 'currency of the council', false),
('council_outcome', 'realised', 'currency of the council', false),
('council_outcome', 'realised_share', 'ratio', false),
('council_outcome', 'spend', 'currency of the council', false),
('council_outcome', 'uncalibrated', 'currency of the council', false);

CREATE FUNCTION revrtm.council_calibration(known_in date DEFAULT NULL)
RETURNS TABLE (line text, moves bigint, predicted numeric, realised numeric, share numeric, doubt numeric, factor numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
    WITH rule AS (
        SELECT coalesce(pg_catalog.min(r.least_factor), 0.25) AS least, coalesce(pg_catalog.min(r.most_factor), 2) AS most,
               pg_catalog.power(coalesce(pg_catalog.min(r.prior_spread), 0.5), 2) AS prior
        FROM revrtm.council_rule r
    ), move AS MATERIALIZED (
        SELECT o.line, o.uncalibrated AS p, k.margin_after - k.margin_before AS r
        FROM revrtm.council_outcome o
             CROSS JOIN LATERAL (
                 SELECT x.* FROM revrtm.council_result x
                 WHERE x.period = o.period AND x.line = o.line
                   AND (council_calibration.known_in IS NULL OR x.known_in <= revrtm.period(council_calibration.known_in))
                 ORDER BY x.ordinal DESC LIMIT 1) k
        WHERE o.note IS DISTINCT FROM 'no_move' AND o.uncalibrated <> 0
          AND pg_catalog.abs(k.spend - o.amount) <= 0.1 * o.amount AND pg_catalog.abs(k.spend_before - o.current) <= 0.1 * o.current
    ), told AS MATERIALIZED (
        -- Least squares of what came on what was expected, through nothing.
        SELECT m.line, m.moves, m.predicted, m.realised, m.share,
               CASE WHEN m.moves > 1 THEN revrtm.ratio(greatest(m.rr - m.share * m.pr, 0), (m.moves - 1) * m.pp) END AS variance
        FROM (SELECT coalesce(x.line, '(all)') AS line, pg_catalog.count(*) AS moves, pg_catalog.sum(pg_catalog.abs(x.p)) AS predicted,
                     pg_catalog.sum(x.r * pg_catalog.sign(x.p)) AS realised, revrtm.ratio(pg_catalog.sum(x.p * x.r), pg_catalog.sum(x.p * x.p)) AS share,
                     pg_catalog.sum(x.p * x.p) AS pp, pg_catalog.sum(x.p * x.r) AS pr, pg_catalog.sum(x.r * x.r) AS rr
              FROM move x
              GROUP BY GROUPING SETS ((x.line), ())) m
    ), company AS (
        SELECT coalesce(revrtm.ratio(t.share * u.prior + t.variance, u.prior + t.variance), 1) AS factor
        FROM told t CROSS JOIN rule u
        WHERE t.line = '(all)'
    )
    SELECT t.line, t.moves, coalesce(t.predicted, 0)::numeric(20, 4), coalesce(t.realised, 0)::numeric(20, 4), t.share::numeric(18, 6),
           pg_catalog.sqrt(t.variance)::numeric(18, 6),
           least(greatest(CASE WHEN t.line = '(all)' OR t.moves < 3 THEN c.factor
                               ELSE coalesce(revrtm.ratio(t.share * u.prior + t.variance * c.factor, u.prior + t.variance), c.factor) END,
                          u.least), u.most)::numeric(12, 6)
    FROM told t CROSS JOIN company c CROSS JOIN rule u
    ORDER BY t.line COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.council_calibration(date) IS
'How far what councils expected came true, by results known in the month given or before (NULL: all), of moves whose money was spent as decided: moves; predicted, the sum of what they were to change, uncalibrated and without sign; realised, what they changed, in the direction predicted; share, the least squares of realised on predicted, and doubt, its standard error; and the factor that corrects what is expected next: with v = doubt^2 and s = council_rule.prior_spread^2 it is (share s + v) / (s + v) of all lines, and (share s + v factor of all) / (s + v) of a line with at least three moves, so that noise moves it little; within least_factor and most_factor. A row for every line that has moved, and (all).';
