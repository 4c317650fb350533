-- The council: opened on a snapshot, decided line by line, closed into next
-- month's budget, and judged by what came of it.

CREATE FUNCTION revrtm.council_breach(period date DEFAULT NULL)
RETURNS TABLE (kind text, subject text, value numeric, bound numeric, detail text)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000 ROWS 20
BEGIN ATOMIC
    WITH council AS MATERIALIZED (
        SELECT revrtm.council_period(council_breach.period) AS month, revrtm.setting('currency') AS currency
    )
    SELECT b.kind, b.subject, b.value::numeric(20, 6), b.bound::numeric(20, 6), b.detail
    FROM (SELECT 'overspent' AS kind, b.line AS subject, s.spend AS value, b.amount AS bound, 'spent beyond the budget of the month' AS detail
          FROM council k
               JOIN revrtm.council_budget b ON b.period = k.month AND b.currency = k.currency
               JOIN revrtm.route_spend s ON s.period = k.month AND s.route_id = b.route_id AND s.category = b.category
          WHERE s.spend > b.amount
          UNION ALL
          SELECT 'coverage', f.segment, v.coverage, f.coverage, 'coverage of the segment is below its floor'
          FROM revrtm.coverage_floor f
               JOIN (SELECT c.segment, revrtm.ratio(pg_catalog.sum(c.covered), pg_catalog.sum(c.accounts)) AS coverage
                     FROM revrtm.coverage c
                     WHERE EXISTS (SELECT FROM revrtm.coverage_floor)
                     GROUP BY c.segment) v ON v.segment = f.segment
          WHERE v.coverage < f.coverage
          UNION ALL
          SELECT 'conflict_overdue', c.case_id::text, c.elapsed_hours, NULL, c.kind || ' of account ' || c.account_id
          FROM revrtm.open_case c
          WHERE c.is_overdue
          UNION ALL
          SELECT 'without_line', s.route_id || '/' || s.category, s.spend, 0, 'spent in the month without a line of the budget'
          FROM council k JOIN revrtm.route_spend s ON s.period = k.month AND s.spend > 0
          WHERE NOT EXISTS (SELECT FROM revrtm.budget_line l WHERE l.route_id = s.route_id AND l.category = s.category)
          UNION ALL
          SELECT 'without_rate', s.route_id || '/' || s.category, s.fx_missing, 0, 'entries of spend in the month without a rate'
          FROM council k JOIN revrtm.route_spend s ON s.period = k.month AND s.fx_missing > 0
          UNION ALL
          SELECT 'unknown_route', s.route_id || '/' || s.category, s.spend, NULL, 'spent on a route that is not in revrtm.route'
          FROM council k JOIN revrtm.route_spend s ON s.period = k.month AND s.spend > 0
          WHERE s.route_id NOT IN (SELECT t.route_id FROM revrtm.route t)) b
    ORDER BY b.kind COLLATE "C", b.subject COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.council_breach(date) IS
'What a council has to talk about before money: kind is overspent (a line beyond its decided budget), coverage (a segment below coverage_floor), conflict_overdue (a case not decided in time; value in business hours), without_line (spend that no line of the budget is for), without_rate (entries of spend left out), unknown_route (spend on a route that is none). subject: the line, segment, case, or route/category.';

CREATE FUNCTION revrtm.council_document(period date DEFAULT NULL, budget numeric DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000
-- What instants, ranges and numbers look like in JSON.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
BEGIN ATOMIC
    WITH council AS MATERIALIZED (
        SELECT x.month, (x.month - interval '11 months')::date AS first_month
        FROM (SELECT revrtm.council_period(council_document.period) AS month OFFSET 0) x
    ), proposal AS MATERIALIZED (
        SELECT e.* FROM council k CROSS JOIN LATERAL revrtm.budget_explanation(k.month, council_document.budget) e
    )
    SELECT pg_catalog.jsonb_build_object(
        'version', 1,
        'period', k.month,
        'as_of', revrtm.as_of() AT TIME ZONE 'UTC',
        'model', revrtm.council_model(),
        'currency', revrtm.setting('currency'),
        'policy_hash', revrtm.policy_hash(),
        'budget', (SELECT coalesce(pg_catalog.sum(p.proposed), 0) FROM proposal p),
        'proposal', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(p.*) ORDER BY p.line COLLATE "C"), '[]') FROM proposal p),
        'plan', (SELECT revrtm.bounded_plan(revrtm.budget_line_agg(p.line, p.curve, p.lo, p.hi, p.current, p.group_path))::text::jsonb
                 FROM proposal p),
        'calibration', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*) ORDER BY c.line COLLATE "C"), '[]')
                        FROM revrtm.council_calibration(k.month) c),
        'romi', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r.*) ORDER BY r.period, r.route_id COLLATE "C", r.category COLLATE "C"), '[]')
                 FROM revrtm.motion_romi_between(k.first_month, k.month, '{period,route,category}') r),
        'expected', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(x.*) ORDER BY x.route_id COLLATE "C", x.category COLLATE "C"), '[]')
                     FROM revrtm.expected_romi(k.month) x),
        'kpi', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(i.*) ORDER BY i.kpi COLLATE "C", i.period, i.route_id COLLATE "C"), '[]')
                FROM revrtm.kpi_between(k.month, k.month, '{period,route}') i),
        'breaches', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(b.*) ORDER BY b.kind COLLATE "C", b.subject COLLATE "C"), '[]')
                     FROM revrtm.council_breach(k.month) b),
        'conflicts', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(c.*) ORDER BY c.open_case_key COLLATE "C"), '[]')
                      FROM revrtm.open_case c))
    FROM council k;
END;
COMMENT ON FUNCTION revrtm.council_document(date, numeric) IS
'What the council of a month looks at, which open_council keeps: version 1, period, as_of (UTC), model, currency, policy_hash, budget, proposal (budget_explanation), plan (the budget_plan: lines, groups and shift_limit), calibration (council_calibration), romi (motion_romi_between of the twelve months), expected (expected_romi), kpi (kpi_between of the month), breaches (council_breach), conflicts (open_case). The same text for the same data, policy, revrtm.as_of and settings, whatever the session''s formats. Errors as budget_explanation.';

CREATE FUNCTION revrtm.record_outcomes(period date DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known date := revrtm.council_period(period);
    added bigint;
BEGIN
    -- Of two at once the second sees what the first wrote.
    LOCK TABLE revrtm.council_result IN SHARE ROW EXCLUSIVE MODE;
    WITH told AS (
        SELECT c.decided_in, c.line, c.amount, m.month,
               (SELECT coalesce(sum(s.spend), 0) FROM revrtm.route_spend s
                WHERE s.route_id = c.route_id AND s.category = c.category AND s.period = c.period) AS spend,
               (SELECT coalesce(sum(s.spend), 0) FROM revrtm.route_spend s
                WHERE s.route_id = c.route_id AND s.category = c.category AND s.period = c.decided_in) AS spend_before,
               (SELECT coalesce(round(sum(l.incremental_margin), 4), 0) FROM revrtm.romi_at('line') l
                WHERE l.model = o.model AND l.basis = 'cash' AND l.route_id = c.route_id AND l.category = c.category
                  AND l.period = m.month - interval '1 month') AS before,
               (SELECT coalesce(round(sum(l.incremental_margin), 4), 0) FROM revrtm.romi_at('line') l
                WHERE l.model = o.model AND l.basis = 'cash' AND l.route_id = c.route_id AND l.category = c.category
                  AND l.period = m.month) AS after
        FROM revrtm.council_budget c
             JOIN revrtm.council o ON o.period = c.decided_in
             LEFT JOIN revrtm.spend_category g ON g.category = c.category
             CROSS JOIN LATERAL (SELECT (c.period + make_interval(months => coalesce(g.cash_lag, 0)))::date AS month) m
        WHERE m.month <= known AND o.currency = revrtm.setting('currency') AND o.model = ANY (revrtm.romi_models())
          AND revrtm.romi_note() IS DISTINCT FROM 'romi_missing'
    )
    INSERT INTO revrtm.council_result (period, line, ordinal, known_in, spend_before, spend, margin_before, margin_after)
    SELECT t.decided_in, t.line, coalesce(r.ordinal, 0) + 1, known, t.spend_before, t.spend, t.before, t.after
    FROM told t
         LEFT JOIN LATERAL (
             SELECT k.* FROM revrtm.council_result k
             WHERE k.period = t.decided_in AND k.line = t.line
             ORDER BY k.ordinal DESC LIMIT 1) r ON true
    WHERE r.line IS NULL
       OR r.known_in <= known
          AND (r.spend_before, r.spend, r.margin_before, r.margin_after)
              IS DISTINCT FROM (t.spend_before::numeric(20, 4), t.spend::numeric(20, 4), t.before::numeric(20, 4), t.after::numeric(20, 4));
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END
$$;
COMMENT ON FUNCTION revrtm.record_outcomes(date) IS
'Adds to council_result what became of the budgets of closed councils whose months are over, by the lag of their category, at the end of the month given (the last closed one for NULL), and what is told otherwise since; returns how many rows it added. open_council calls it first.';

CREATE FUNCTION revrtm.open_council(period date DEFAULT NULL, budget numeric DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    month date := revrtm.council_period(period);
    other date;
    doc jsonb;
    seal text;
BEGIN
    -- Of two at once the second sees what the first wrote.
    LOCK TABLE revrtm.council IN SHARE ROW EXCLUSIVE MODE;
    IF month IS NULL OR NOT isfinite(month) THEN
        RAISE EXCEPTION 'there is no month to hold a council on'
            USING ERRCODE = '22023', HINT = 'Bind deals and spend, refresh the stores, and name a month that is over.';
    ELSIF month >= revrtm.period(revrtm.as_of()) THEN
        RAISE EXCEPTION 'the month % is not over', revrtm.date_text(month)
            USING ERRCODE = '55000',
                  DETAIL = format('Today is %s (revrtm.as_of).', revrtm.date_text(revrtm.local_date(revrtm.as_of()))),
                  HINT = 'A council looks at a month that is closed.';
    ELSIF EXISTS (SELECT FROM revrtm.council c WHERE c.period = month) THEN
        RAISE EXCEPTION 'the council of % was opened before', revrtm.date_text(month)
            USING ERRCODE = '55000', HINT = 'It is in revrtm.council; decide and close it, or open that of another month.';
    END IF;
    SELECT max(c.period) INTO other FROM revrtm.council c WHERE c.period > month;
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'the council of % came before that of %', revrtm.date_text(other), revrtm.date_text(month)
            USING ERRCODE = '55000', HINT = 'Councils are opened in the order of their months.';
    END IF;
    SELECT min(c.period) INTO other
    FROM revrtm.council c
    WHERE NOT EXISTS (SELECT FROM revrtm.council_entry e WHERE e.period = c.period AND e.entry = 'close');
    IF other IS NOT NULL THEN
        RAISE EXCEPTION 'the council of % is not closed', revrtm.date_text(other)
            USING ERRCODE = '55000', HINT = 'Close it first: SELECT revrtm.close_council(...).';
    ELSIF NOT EXISTS (SELECT FROM revrtm.budget_line) THEN
        RAISE EXCEPTION 'the budget has no lines' USING ERRCODE = '55000', HINT = 'Put them into revrtm.budget_line.';
    ELSIF revrtm.romi_note() IS NOT NULL THEN
        RAISE EXCEPTION 'the credit that ROMI is told by is missing or out of date'
            USING ERRCODE = '55000', DETAIL = format('Its note is %s.', revrtm.romi_note()),
                  HINT = 'Call refresh_journeys() and refresh_romi() first.';
    END IF;

    PERFORM revrtm.record_outcomes(month);
    doc := revrtm.council_document(month, budget);
    seal := encode(sha256(convert_to(doc::text, 'UTF8')), 'hex');
    INSERT INTO revrtm.council (period, as_of, model, currency, policy_hash, budget, snapshot, hash)
    VALUES (month, revrtm.as_of(), doc ->> 'model', doc ->> 'currency', doc ->> 'policy_hash', (doc ->> 'budget')::numeric, doc, seal)
    -- Where a transaction's snapshot is older this raises 40001.
    ON CONFLICT ON CONSTRAINT council_pkey DO NOTHING;
    RETURN seal;
END
$$;
COMMENT ON FUNCTION revrtm.open_council(date, numeric) IS
'Opens the council of a month that is over (the last one with data for NULL), on a budget (the current total for NULL): records outcomes, keeps council_document as its snapshot, for ever, and returns the snapshot''s hash; made again as of the same instant of the same data it has the same hash. 55000 where the month is not over, its council was opened before, a later one was, an earlier one is not closed, there are no lines, or refresh_romi() is due; 22023 without a month, and where the bounds cannot meet the budget. Nothing is written then.';

CREATE FUNCTION revrtm.lock_council(period date) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last record;
BEGIN
    PERFORM FROM revrtm.council c WHERE c.period = lock_council.period FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no council of %', coalesce(revrtm.date_text(period), 'NULL')
            USING ERRCODE = '22023', HINT = 'Open it first: SELECT revrtm.open_council(...).';
    END IF;
    SELECT max(e.ordinal) AS ordinal, bool_or(e.entry = 'close') AS is_closed INTO last
    FROM revrtm.council_entry e WHERE e.period = lock_council.period;
    IF last.is_closed THEN
        RAISE EXCEPTION 'the council of % is closed', revrtm.date_text(period)
            USING ERRCODE = '55000', HINT = 'The next council may decide otherwise.';
    END IF;
    RETURN coalesce(last.ordinal, 0);
END
$$;
COMMENT ON FUNCTION revrtm.lock_council(date) IS
'Step of decide and close_council: makes others wait, and returns the last entry''s ordinal. 22023 without such a council, 55000 for a closed one.';

CREATE FUNCTION revrtm.decide(council date, line text, decision text, amount numeric DEFAULT NULL, reason text DEFAULT NULL)
RETURNS numeric
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    month date := revrtm.period(council);
    last integer := revrtm.lock_council(month);
    p record;
    decided numeric;
BEGIN
    SELECT r.* INTO p
    FROM revrtm.council c
         CROSS JOIN LATERAL jsonb_to_recordset(c.snapshot -> 'proposal')
             r (line text, current numeric, proposed numeric, lo numeric, hi numeric, bound text)
    WHERE c.period = month AND r.line = decide.line;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the council of % has no line %', revrtm.date_text(month), coalesce(quote_literal(line), 'NULL')
            USING ERRCODE = '22023', HINT = 'Its lines are in revrtm.council_snapshot, part proposal.';
    ELSIF decision IS NULL OR decision NOT IN ('accept', 'amend', 'reject') THEN
        RAISE EXCEPTION 'unknown decision %', coalesce(quote_literal(decision), 'NULL')
            USING ERRCODE = '22023', HINT = 'Decisions are accept, amend and reject.';
    ELSIF (amount IS NULL) = (decision = 'amend') THEN
        RAISE EXCEPTION 'an amendment has an amount, and nothing else has' USING ERRCODE = '22023';
    ELSIF decision <> 'accept' AND coalesce(reason, '') = '' THEN
        RAISE EXCEPTION 'to % a proposal needs a reason', decision USING ERRCODE = '22023', HINT = 'Say why.';
    ELSIF decision = 'amend' AND NOT coalesce(amount BETWEEN p.lo AND p.hi, false) THEN
        RAISE EXCEPTION 'the amount % is beyond the bounds of line %', amount, quote_literal(line)
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'council_entry', CONSTRAINT = 'council_bound',
                  DETAIL = format('They are %s and %s.', trim_scale(p.lo), trim_scale(p.hi)),
                  HINT = 'Bounds are policy: budget_line, budget_guard and council_rule, which the next council goes by.';
    ELSIF decision = 'amend' AND scale(trim_scale(amount)) > revrtm.currency_scale((SELECT c.currency FROM revrtm.council c WHERE c.period = month)) THEN
        RAISE EXCEPTION 'the amount % has more decimals than its currency', amount USING ERRCODE = '22023';
    END IF;

    decided := CASE decision WHEN 'accept' THEN p.proposed WHEN 'reject' THEN p.current ELSE amount END;
    INSERT INTO revrtm.council_entry (period, ordinal, entry, line, decision, amount, reason, app_actor)
    VALUES (month, last + 1, 'decision', line, decision, decided, nullif(reason, ''), nullif(revrtm.setting('actor'), ''));
    RETURN decided;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'another session decided at the council of % at the same time', revrtm.date_text(month)
        USING ERRCODE = '40001', HINT = 'Look again, and decide again.';
END
$$;
COMMENT ON FUNCTION revrtm.decide(date, text, text, numeric, text) IS
'Decides a line at an open council, and returns the amount it gets: accept (what is proposed), amend (the amount given, within the line''s bounds), reject (what it has). The last decision of a line holds; all are kept. 22023 for an unknown council, line or decision, an amount without amend or none with it, or one with more decimals than its currency, or no reason for amend and reject; 23514 (council_bound) beyond the bounds; 55000 once the council is closed; 40001 where another session decided at the same time.';

CREATE FUNCTION revrtm.close_council(period date, remaining text DEFAULT 'reject')
RETURNS TABLE (line text, amount numeric, decision text)
LANGUAGE plpgsql VOLATILE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    month date := revrtm.period(period);
    last integer := revrtm.lock_council(month);
    c revrtm.council;
    total numeric;
    plan jsonb;
BEGIN
    IF remaining IS NULL OR remaining NOT IN ('accept', 'reject') THEN
        RAISE EXCEPTION 'the remaining lines are accepted or rejected, not %', coalesce(quote_literal(remaining), 'NULL')
            USING ERRCODE = '22023', HINT = 'Amendments are decided line by line.';
    END IF;
    SELECT * INTO STRICT c FROM revrtm.council o WHERE o.period = month;

    RETURN QUERY
    WITH final AS (
        SELECT p.line, coalesce(d.amount, CASE remaining WHEN 'accept' THEN p.proposed ELSE p.current END)::numeric(20, 4) AS amount, d.decision,
               row_number() OVER (ORDER BY p.line COLLATE "C") AS place
        FROM jsonb_to_recordset(c.snapshot -> 'proposal') p (line text, current numeric, proposed numeric)
             LEFT JOIN LATERAL (
                 SELECT e.amount, e.decision FROM revrtm.council_entry e
                 WHERE e.period = month AND e.entry = 'decision' AND e.line = p.line
                 ORDER BY e.ordinal DESC LIMIT 1) d ON true
    ), open_line AS (
        -- What was left to the close is a decision as well.
        INSERT INTO revrtm.council_entry (period, ordinal, entry, line, decision, amount, reason, app_actor)
        SELECT month, last + row_number() OVER (ORDER BY f.place), 'decision', f.line, remaining, f.amount, 'left to the close',
               nullif(revrtm.setting('actor'), '')
        FROM final f WHERE f.decision IS NULL
        RETURNING ordinal
    ), written AS (
        INSERT INTO revrtm.council_entry (period, ordinal, entry, line, amount, app_actor)
        SELECT month, last + (SELECT count(*) FROM open_line) + f.place, 'budget', f.line, f.amount, nullif(revrtm.setting('actor'), '')
        FROM final f
        RETURNING line, amount
    )
    SELECT w.line, w.amount, coalesce(f.decision, remaining)
    FROM written w JOIN final f ON f.line = w.line
    ORDER BY w.line COLLATE "C";

    SELECT sum(e.amount) INTO total FROM revrtm.council_entry e WHERE e.period = month AND e.entry = 'budget';
    IF total > c.budget THEN
        RAISE EXCEPTION 'the decisions spend %, and the budget is %', trim_scale(total), trim_scale(c.budget)
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'council_entry', CONSTRAINT = 'council_over_budget',
                  DETAIL = format('They are %s too much.', trim_scale(total - c.budget)),
                  HINT = 'Amend or reject lines that get more; a rejected line keeps what it has, also where it was to give.';
    END IF;
    -- The plan as it was seen, at what was decided: its groups and its shift limit hold, or allocate says which does not.
    plan := CASE jsonb_typeof(c.snapshot -> 'plan') WHEN 'object' THEN c.snapshot -> 'plan'
                                                    ELSE jsonb_build_object('lines', c.snapshot -> 'plan') END;
    plan := jsonb_set(plan, '{lines}', (
        SELECT jsonb_agg(l || jsonb_build_object('lo', e.amount, 'hi', e.amount))
        FROM jsonb_array_elements(plan -> 'lines') l
             JOIN revrtm.council_entry e ON e.period = month AND e.entry = 'budget' AND e.line = l ->> 'line'));
    PERFORM FROM revrtm.allocate(plan::text::revrtm.budget_plan, total,
                                 unit => trim_scale(power(10::numeric, -revrtm.currency_scale(c.currency))));

    SELECT max(e.ordinal) INTO last FROM revrtm.council_entry e WHERE e.period = month;
    INSERT INTO revrtm.council_entry (period, ordinal, entry, amount, app_actor)
    VALUES (month, last + 1, 'close', total, nullif(revrtm.setting('actor'), ''));
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'another session decided at the council of % at the same time', revrtm.date_text(month)
        USING ERRCODE = '40001', HINT = 'Look again, and close again.';
END
$$;
COMMENT ON FUNCTION revrtm.close_council(date, text) IS
'Closes a council: writes what each line gets next month (council_budget), one row each, and lets nothing be decided after. Lines without a decision are rejected, so keep what they have, or accepted where remaining says so. 23514 (council_over_budget) where the decisions spend more than the budget; 22023 where they break the bound of a group or the shift limit, and for an unknown council; 55000 for one that is closed; 40001 where another session decided at the same time. Nothing is written then.';
