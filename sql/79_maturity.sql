-- Maturity, measured: what people say of a dimension, what its figures prove,
-- and what follows from both.

CREATE TABLE revrtm.maturity_score (
    model     text CHECK (model <> ''),
    dimension text CHECK (dimension <> ''),
    valid     tstzrange,
    score     numeric(4, 2) NOT NULL CHECK (score BETWEEN 1 AND 9),
    scored_by text NOT NULL DEFAULT coalesce(nullif(revrtm.setting('actor'), ''), session_user::text),
    scored_at timestamptz NOT NULL DEFAULT now(),
    reason    text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (model, dimension, valid),
    CONSTRAINT maturity_score_valid CHECK (NOT isempty(valid) AND isfinite(lower(valid)) AND isfinite(upper(valid)) IS NOT FALSE
        AND lower_inc(valid) AND NOT upper_inc(valid)),
    CONSTRAINT maturity_score_once EXCLUDE USING gist (model WITH =, dimension WITH =, valid WITH &&)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_score', '');
SELECT revrtm.register_policy('revrtm.maturity_score', exported => false);
COMMENT ON TABLE revrtm.maturity_score IS
'What people say of a dimension, since when and why; score_maturity() writes it. One score at any instant (constraint maturity_score_once, 23P01); changes are audited. Grain: one score of one dimension while it holds.';
COMMENT ON COLUMN revrtm.maturity_score.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_score.dimension IS 'The dimension; a score of one that the model does not have has no effect.';
COMMENT ON COLUMN revrtm.maturity_score.valid IS 'While it holds, [from, until); without end until the next one.';
COMMENT ON COLUMN revrtm.maturity_score.score IS 'The score, on the levels of the model; between two levels allowed.';
COMMENT ON COLUMN revrtm.maturity_score.scored_by IS 'Who says so: revrtm.actor, else the role that logged in.';
COMMENT ON COLUMN revrtm.maturity_score.scored_at IS 'When it was written.';
COMMENT ON COLUMN revrtm.maturity_score.reason IS 'Why.';

CREATE FUNCTION revrtm.score_maturity(model text, dimension text, score numeric, reason text,
                                      since timestamptz DEFAULT revrtm.as_of()) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    top int := (SELECT max(l.level) FROM revrtm.maturity_level l WHERE l.model = score_maturity.model);
BEGIN
    IF NOT EXISTS (SELECT FROM revrtm.maturity_dimension d
                   WHERE d.model = score_maturity.model AND d.dimension = score_maturity.dimension) THEN
        RAISE EXCEPTION 'unknown dimension % of model %', coalesce(quote_literal(dimension), 'NULL'), coalesce(quote_literal(model), 'NULL')
            USING ERRCODE = '22023',
                  HINT = coalesce((SELECT 'Its dimensions are ' || string_agg(d.dimension, ', ' ORDER BY d.ordinal, d.dimension) || '.'
                                   FROM revrtm.maturity_dimension d WHERE d.model = score_maturity.model),
                                  'The models are in revrtm.maturity_model.');
    ELSIF score IS NULL OR score NOT BETWEEN 1 AND top THEN
        RAISE EXCEPTION 'a score of model % is from 1 to %', quote_literal(model), top
            USING ERRCODE = '22023', HINT = 'The levels are in revrtm.maturity_level.';
    ELSIF coalesce(reason, '') = '' THEN
        RAISE EXCEPTION 'a score needs a reason' USING ERRCODE = '22023', HINT = 'Say what was seen.';
    ELSIF isfinite(since) IS NOT TRUE THEN
        RAISE EXCEPTION 'a score needs an instant from which on it holds' USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM revrtm.maturity_score s
                  WHERE s.model = score_maturity.model AND s.dimension = score_maturity.dimension AND lower(s.valid) = since) THEN
        RAISE EXCEPTION 'a score of % begins at that very instant', quote_literal(dimension)
            USING ERRCODE = '23P01', SCHEMA = 'revrtm', TABLE = 'maturity_score', CONSTRAINT = 'maturity_score_once',
                  HINT = 'Update or delete that row, or say since when the new one holds.';
    END IF;

    UPDATE revrtm.maturity_score s
    SET valid = tstzrange(lower(s.valid), since)
    WHERE s.model = score_maturity.model AND s.dimension = score_maturity.dimension
      AND s.valid @> since AND lower(s.valid) < since;
    INSERT INTO revrtm.maturity_score (model, dimension, valid, score, reason)
    SELECT score_maturity.model, score_maturity.dimension, tstzrange(since, min(lower(s.valid))), score_maturity.score, score_maturity.reason
    FROM revrtm.maturity_score s
    WHERE s.model = score_maturity.model AND s.dimension = score_maturity.dimension AND lower(s.valid) > since;
END
$$;
COMMENT ON FUNCTION revrtm.score_maturity(text, text, numeric, text, timestamptz) IS
'Scores a dimension from an instant on, until the next score; the one that held ends there. 22023 for an unknown dimension, a score outside the model''s levels, a missing reason and an infinite instant, 23P01 (maturity_score_once) where a score begins at that very instant.';

-- The figures that criteria are about, each over its months and its route.
CREATE FUNCTION revrtm.maturity_evidence_at(at timestamptz DEFAULT revrtm.as_of(), model text DEFAULT NULL)
RETURNS TABLE (model_id text, dimension text, level integer, kpi text, route_id text, measure text, comparison text,
               threshold numeric, since date, until date, value numeric, numerator numeric, denominator numeric, n bigint,
               met boolean, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH criterion AS MATERIALIZED (
        SELECT c.*, CASE WHEN c.kpi LIKE 'stage\_%' THEN c.dimension END AS stage,
               (revrtm.period(maturity_evidence_at.at) - c.months * interval '1 month')::date AS since,
               (revrtm.period(maturity_evidence_at.at) - interval '1 month')::date AS until
        FROM revrtm.maturity_criterion c
        WHERE maturity_evidence_at.model IS NULL OR c.model = maturity_evidence_at.model
    ), scope AS (
        -- Each relation is asked once for the months and the grain it is needed in.
        SELECT DISTINCT c.since, c.until, c.route_id = '(any)' AS whole,
               CASE WHEN c.stage IS NOT NULL THEN 'loop' WHEN c.kpi = 'romi' THEN 'romi'
                    WHEN c.kpi IN ('coverage', 'whitespace_coverage') THEN 'coverage' ELSE 'kpi' END AS source
        FROM criterion c
    ), figure AS (
        SELECT NULL::text AS stage, k.kpi, s.since, s.until, CASE WHEN s.whole THEN '(any)' ELSE k.route_id END AS route_id,
               k.value, k.numerator, k.denominator, k.n, k.note
        FROM scope s
             CROSS JOIN LATERAL revrtm.kpi_between(s.since, s.until, CASE WHEN s.whole THEN '{}' ELSE '{route}' END::text[]) k
        WHERE s.source = 'kpi'
        UNION ALL
        SELECT NULL, 'romi', s.since, s.until, CASE WHEN s.whole THEN '(any)' ELSE r.route_id END,
               revrtm.ratio(sum(r.margin) - sum(r.spend), sum(r.spend)), sum(r.margin) - sum(r.spend), sum(r.spend), count(*),
               revrtm.ratio_note(sum(r.spend), 'zero_spend')
        FROM scope s JOIN revrtm.route_romi r ON r.period BETWEEN s.since AND s.until AND r.model = revrtm.setting('model')
        WHERE s.source = 'romi'
        GROUP BY s.since, s.until, CASE WHEN s.whole THEN '(any)' ELSE r.route_id END
        UNION ALL
        -- Coverage is that of today, and of no route.
        SELECT NULL, w.kpi, s.since, s.until, '(any)', revrtm.ratio(w.part, w.whole), w.part, w.whole, w.n, revrtm.ratio_note(w.whole, w.note)
        FROM scope s
             CROSS JOIN (SELECT 'coverage' AS kpi, sum(c.covered_potential) AS part, sum(c.potential) AS whole, sum(c.accounts)::bigint AS n,
                                'no_potential' AS note FROM revrtm.coverage c
                         UNION ALL
                         SELECT 'whitespace_coverage', sum(c.worked_whitespace), sum(c.whitespace), sum(c.accounts)::bigint, 'no_whitespace'
                         FROM revrtm.whitespace_coverage c) w
        WHERE s.source = 'coverage' AND s.whole
        UNION ALL
        -- A stage of the loop is its own dimension.
        SELECT l.stage, v.kpi, s.since, s.until, CASE WHEN s.whole THEN '(any)' ELSE l.route_id END,
               CASE WHEN v.kpi = 'stage_volume' THEN sum(v.part) ELSE revrtm.ratio(sum(v.part), sum(v.whole)) END,
               sum(v.part), sum(v.whole), sum(l.volume)::bigint, CASE WHEN sum(v.whole) = 0 THEN 'no_volume' END
        FROM scope s
             CROSS JOIN LATERAL revrtm.loop_stage_at(s.since, s.until, maturity_evidence_at.at) l
             CROSS JOIN LATERAL (VALUES
                 ('stage_volume', l.volume, NULL::bigint),
                 ('stage_plays', (l.volume > 0 AND NOT l.is_gap)::int, (l.volume > 0)::int),
                 ('stage_conversion', l.advanced, l.volume)) v (kpi, part, whole)
        WHERE s.source = 'loop' AND l.place IS NOT NULL
        GROUP BY l.stage, v.kpi, s.since, s.until, CASE WHEN s.whole THEN '(any)' ELSE l.route_id END
    )
    SELECT c.model, c.dimension, c.level, c.kpi, c.route_id, c.measure, c.comparison, c.threshold, c.since, c.until,
           v.value, f.numerator, f.denominator, f.n,
           CASE c.comparison WHEN '>=' THEN v.value >= c.threshold WHEN '>' THEN v.value > c.threshold
                             WHEN '<=' THEN v.value <= c.threshold ELSE v.value < c.threshold END,
           coalesce(f.note, CASE WHEN v.value IS NULL THEN 'no_evidence' END)
    FROM criterion c
         LEFT JOIN figure f ON f.kpi = c.kpi AND f.route_id = c.route_id AND f.since = c.since AND f.until = c.until
             AND f.stage IS NOT DISTINCT FROM c.stage
         CROSS JOIN LATERAL (SELECT CASE c.measure WHEN 'value' THEN f.value
                                         ELSE revrtm.ratio(f.numerator, f.denominator) END AS value) v;
END
$$;
COMMENT ON FUNCTION revrtm.maturity_evidence_at(timestamptz, text) IS
'maturity_evidence as of an instant, of one model or of all: figures of the months that had ended then, as the present state of the CRM tells them.';

CREATE VIEW revrtm.maturity_evidence WITH (security_invoker = true) AS
SELECT concat_ws(':', e.model_id, e.dimension, e.level, e.kpi, e.route_id) AS maturity_evidence_key,
       e.model_id AS model,
       e.dimension,
       e.level,
       e.kpi,
       e.route_id,
       e.measure,
       e.comparison,
       e.threshold::numeric(20, 6) AS threshold,
       e.since,
       e.until,
       e.value::numeric(20, 6) AS value,
       e.numerator::numeric(20, 6) AS numerator,
       e.denominator::numeric(20, 6) AS denominator,
       e.n,
       e.met,
       e.note
FROM revrtm.maturity_evidence_at() e;
COMMENT ON VIEW revrtm.maturity_evidence IS
'What the figures prove, criterion by criterion, today. Grain: one criterion of revrtm.maturity_criterion. Figures are taken over all their months at once, by kpi_between.';
COMMENT ON COLUMN revrtm.maturity_evidence.maturity_evidence_key IS 'model:dimension:level:kpi:route_id.';
COMMENT ON COLUMN revrtm.maturity_evidence.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_evidence.dimension IS 'The dimension.';
COMMENT ON COLUMN revrtm.maturity_evidence.level IS 'The level that needs it.';
COMMENT ON COLUMN revrtm.maturity_evidence.kpi IS
'The figure: one of revrtm.kpi; romi (of revrtm.route_romi, by the model revrtm.model); coverage (potential that is covered) and whitespace_coverage, both of today and of no route; or for a stage of the loop stage_volume (who entered it), stage_plays (routes with volume and a play, of those with volume) and stage_conversion.';
COMMENT ON COLUMN revrtm.maturity_evidence.route_id IS 'The route whose figure it is; (any) for all together.';
COMMENT ON COLUMN revrtm.maturity_evidence.measure IS 'value of the figure, or share: its numerator over its denominator.';
COMMENT ON COLUMN revrtm.maturity_evidence.comparison IS 'How it is compared: >=, >, <= or <.';
COMMENT ON COLUMN revrtm.maturity_evidence.threshold IS 'What it is compared to.';
COMMENT ON COLUMN revrtm.maturity_evidence.since IS 'First month of the figure.';
COMMENT ON COLUMN revrtm.maturity_evidence.until IS 'Its last month, the last one that has ended.';
COMMENT ON COLUMN revrtm.maturity_evidence.value IS 'The figure; NULL where there is none, which note explains.';
COMMENT ON COLUMN revrtm.maturity_evidence.numerator IS 'Its numerator.';
COMMENT ON COLUMN revrtm.maturity_evidence.denominator IS 'Its denominator.';
COMMENT ON COLUMN revrtm.maturity_evidence.n IS 'How many cases it rests on.';
COMMENT ON COLUMN revrtm.maturity_evidence.met IS 'Whether the criterion is met; NULL where it cannot be told.';
COMMENT ON COLUMN revrtm.maturity_evidence.note IS 'What the figure''s own note says of it, or no_evidence where there is no such figure; NULL for nothing.';

CREATE FUNCTION revrtm.maturity_at(at timestamptz DEFAULT revrtm.as_of(), model text DEFAULT NULL)
RETURNS TABLE (model_id text, dimension text, ordinal integer, side text, dimension_name text, owner text, kpis text,
               self_score numeric, scored_by text, scored_since timestamptz, reason text,
               evidence_score integer, criteria bigint, measured bigint, result numeric, level_name text,
               target integer, gap numeric, next_step text, note text)
LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 20
BEGIN ATOMIC
    WITH evidence AS MATERIALIZED (
        SELECT e.* FROM revrtm.maturity_evidence_at(at, model) e
    ), proved AS (
        -- The level below the lowest that a figure refuses, else the highest that one proves.
        SELECT e.model_id, e.dimension, count(*) AS criteria, count(e.met) AS measured,
               coalesce(min(e.level) FILTER (WHERE NOT e.met) - 1, max(e.level) FILTER (WHERE e.met)) AS score
        FROM evidence e
        GROUP BY e.model_id, e.dimension
    ), judged AS (
        SELECT d.*, s.score AS self, s.scored_by, lower(s.valid) AS scored_since, s.reason,
               p.score AS proved, coalesce(p.criteria, 0) AS criteria, coalesce(p.measured, 0) AS measured, t.top,
               CASE WHEN s.score IS NOT NULL AND p.score IS NOT NULL
                    THEN least(s.score, p.score + 1, t.top) END::numeric(4, 2) AS result
        FROM revrtm.maturity_dimension d
             LEFT JOIN (SELECT l.model, max(l.level) AS top FROM revrtm.maturity_level l GROUP BY l.model) t ON t.model = d.model
             LEFT JOIN revrtm.maturity_score s ON s.model = d.model AND s.dimension = d.dimension AND s.valid @> maturity_at.at
             LEFT JOIN proved p ON p.model_id = d.model AND p.dimension = d.dimension
        WHERE maturity_at.model IS NULL OR d.model = maturity_at.model
    )
    SELECT j.model, j.dimension, j.ordinal, j.side, j.dimension_name, j.owner, array_to_string(j.kpis, ', '),
           j.self, j.scored_by, j.scored_since, j.reason, j.proved, j.criteria, j.measured, j.result, l.level_name,
           coalesce(j.target, j.top),
           CASE WHEN j.result IS NOT NULL THEN greatest(coalesce(j.target, j.top) - j.result, 0) END,
           CASE WHEN j.self IS NULL THEN 'Score it with revrtm.score_maturity().'
                WHEN j.criteria = 0 THEN 'Say in revrtm.maturity_criterion which figures prove it.'
                WHEN j.proved IS NULL THEN 'Measure ' || (
                    SELECT string_agg(m.kpi || ' (' || m.note || ')', ', ' ORDER BY m.kpi)
                    FROM (SELECT e.kpi, coalesce(min(e.note), 'no_evidence') AS note FROM evidence e
                          WHERE e.model_id = j.model AND e.dimension = j.dimension GROUP BY e.kpi) m) || '.'
                ELSE nullif(concat_ws(' ', coalesce(g.description, n.description), 'It needs ' || (
                    SELECT string_agg(format('%s %s %s%s', e.kpi || CASE WHEN e.route_id <> '(any)' THEN ' of ' || e.route_id ELSE '' END,
                                             e.comparison, trim_scale(e.threshold), ', is ' || trim_scale(round(e.value, 4))),
                                      '; ' ORDER BY e.level, e.kpi, e.route_id)
                    FROM (SELECT DISTINCT ON (x.kpi, x.route_id) x.* FROM evidence x
                          WHERE x.model_id = j.model AND x.dimension = j.dimension AND NOT x.met AND x.level <= floor(j.result) + 1
                          ORDER BY x.kpi, x.route_id, x.level) e) || '.'), '') END,
           nullif(concat_ws(', ', CASE WHEN j.self IS NULL THEN 'no_score' END,
                            CASE WHEN j.criteria = 0 THEN 'no_criterion' WHEN j.measured = 0 THEN 'no_evidence'
                                 WHEN j.measured < j.criteria THEN 'partial_evidence' END,
                            CASE WHEN j.self > j.result THEN 'over_scored' END), '')
    FROM judged j
         LEFT JOIN revrtm.maturity_level l ON l.model = j.model AND l.level = floor(j.result)
         LEFT JOIN revrtm.maturity_level n ON n.model = j.model AND n.level = floor(j.result) + 1
         LEFT JOIN revrtm.maturity_stage g ON g.model = j.model AND g.dimension = j.dimension AND g.level = floor(j.result) + 1;
END;
COMMENT ON FUNCTION revrtm.maturity_at(timestamptz, text) IS
'maturity as of an instant, of one model or of all: the self score that held then, and the figures of the months that had ended then, as the present state of the CRM tells them; models and criteria are those of now (export_policy(at) has those of then).';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_criterion', 'No figure is said to prove the dimension.'),
('no_evidence', 'None of the figures that would prove it is there, so that it counts as not proved, and not as zero.'),
('no_score', 'Nobody has scored the dimension.'),
('not_judged', 'No dimension of the model has a result.'),
('over_scored', 'The self score is more than one level above what the figures prove, and is cut there.'),
('partial_evidence', 'Some of the figures that would prove it are not there; the others decide.'),
('partly_judged', 'Some dimensions of the model have no result, and are not in its mean.');

CREATE VIEW revrtm.maturity WITH (security_invoker = true) AS
SELECT m.model_id || ':' || m.dimension AS maturity_key,
       m.model_id AS model,
       m.dimension,
       m.ordinal,
       m.side,
       m.dimension_name,
       m.owner,
       m.kpis,
       m.self_score::numeric(4, 2) AS self_score,
       m.scored_by,
       m.scored_since,
       m.reason,
       m.evidence_score,
       m.criteria,
       m.measured,
       m.result::numeric(4, 2) AS result,
       m.level_name,
       m.target,
       m.gap::numeric(4, 2) AS gap,
       m.next_step,
       m.note
FROM revrtm.maturity_at() m;
COMMENT ON VIEW revrtm.maturity IS
'The maturity matrix, today: what people say, what the figures prove, and the result, least(self_score, evidence_score + 1). Grain: one dimension of one model.';
COMMENT ON COLUMN revrtm.maturity.maturity_key IS 'model:dimension.';
COMMENT ON COLUMN revrtm.maturity.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity.dimension IS 'The dimension.';
COMMENT ON COLUMN revrtm.maturity.ordinal IS 'Its place in the model.';
COMMENT ON COLUMN revrtm.maturity.side IS 'Part of the model it belongs to.';
COMMENT ON COLUMN revrtm.maturity.dimension_name IS 'Title for people.';
COMMENT ON COLUMN revrtm.maturity.owner IS 'Who answers for it.';
COMMENT ON COLUMN revrtm.maturity.kpis IS 'Its primary figures.';
COMMENT ON COLUMN revrtm.maturity.self_score IS 'What people say; NULL where nobody does.';
COMMENT ON COLUMN revrtm.maturity.scored_by IS 'Who said so.';
COMMENT ON COLUMN revrtm.maturity.scored_since IS 'Since when it holds.';
COMMENT ON COLUMN revrtm.maturity.reason IS 'Why.';
COMMENT ON COLUMN revrtm.maturity.evidence_score IS
'What the figures prove: one level below the lowest whose criterion is not met, else the highest whose criterion is; those without a figure are left out. NULL without any, never 0.';
COMMENT ON COLUMN revrtm.maturity.criteria IS 'Criteria of the dimension.';
COMMENT ON COLUMN revrtm.maturity.measured IS 'Those of them that have a figure.';
COMMENT ON COLUMN revrtm.maturity.result IS
'least(self_score, evidence_score + 1), at most the highest level; NULL where either is missing.';
COMMENT ON COLUMN revrtm.maturity.level_name IS 'Name of the level that the result has reached.';
COMMENT ON COLUMN revrtm.maturity.target IS 'Level it is to reach.';
COMMENT ON COLUMN revrtm.maturity.gap IS 'target - result, not below 0.';
COMMENT ON COLUMN revrtm.maturity.next_step IS
'What the next level looks like, and the figures up to it that are not met; or what is missing to judge it. NULL where the highest level is reached and proved.';
COMMENT ON COLUMN revrtm.maturity.note IS
'no_score, no_criterion, no_evidence, partial_evidence, over_scored, joined by a comma, or NULL.';

CREATE VIEW revrtm.maturity_summary WITH (security_invoker = true) AS
SELECT m.model AS maturity_summary_key,
       m.model,
       count(s.dimension) AS dimensions,
       count(s.result) AS judged,
       avg(s.self_score)::numeric(4, 2) AS self_score,
       avg(s.evidence_score)::numeric(4, 2) AS evidence_score,
       avg(s.result)::numeric(4, 2) AS result,
       m.benchmark,
       (avg(s.result) - m.benchmark)::numeric(4, 2) AS above_benchmark,
       CASE WHEN count(s.result) = 0 THEN 'not_judged' WHEN count(s.result) < count(s.dimension) THEN 'partly_judged' END AS note
FROM revrtm.maturity_model m LEFT JOIN revrtm.maturity s ON s.model = m.model
GROUP BY m.model, m.benchmark;
COMMENT ON VIEW revrtm.maturity_summary IS 'The models as a whole, today: means over the dimensions that have the score. Grain: one model.';
COMMENT ON COLUMN revrtm.maturity_summary.maturity_summary_key IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_summary.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_summary.dimensions IS 'Its dimensions.';
COMMENT ON COLUMN revrtm.maturity_summary.judged IS 'Those of them with a result.';
COMMENT ON COLUMN revrtm.maturity_summary.self_score IS 'Mean of the self scores.';
COMMENT ON COLUMN revrtm.maturity_summary.evidence_score IS 'Mean of the evidence scores.';
COMMENT ON COLUMN revrtm.maturity_summary.result IS 'Mean of the results.';
COMMENT ON COLUMN revrtm.maturity_summary.benchmark IS 'Mean result of others; NULL for none.';
COMMENT ON COLUMN revrtm.maturity_summary.above_benchmark IS 'result - benchmark.';
COMMENT ON COLUMN revrtm.maturity_summary.note IS 'not_judged (no dimension has a result), partly_judged (some have none, and are not in its mean), or NULL.';

-- What was found, kept with the policy it was found by.

CREATE TABLE revrtm.maturity_run (
    run_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    at          timestamptz NOT NULL,
    taken_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    taken_by    text NOT NULL DEFAULT coalesce(nullif(revrtm.setting('actor'), ''), session_user::text),
    policy_hash text NOT NULL DEFAULT revrtm.policy_hash(),
    results     jsonb NOT NULL CHECK (jsonb_typeof(results) = 'array')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_run', '');
SELECT revrtm.register_policy('revrtm.maturity_run', exported => false);
COMMENT ON TABLE revrtm.maturity_run IS
'The maturity matrix as it was found, kept by take_maturity(). A change of what was kept is audited. Grain: one run.';
COMMENT ON COLUMN revrtm.maturity_run.run_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.maturity_run.at IS 'As of when.';
COMMENT ON COLUMN revrtm.maturity_run.taken_at IS 'When it was taken, by the clock.';
COMMENT ON COLUMN revrtm.maturity_run.taken_by IS 'By whom: revrtm.actor, else the role that logged in.';
COMMENT ON COLUMN revrtm.maturity_run.policy_hash IS 'policy_hash() at that time: equal for runs under equal models, criteria and rules.';
COMMENT ON COLUMN revrtm.maturity_run.results IS 'The rows of maturity_at().';

CREATE FUNCTION revrtm.take_maturity(at timestamptz DEFAULT revrtm.as_of()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL UNSAFE
-- What instants and numbers look like in JSON.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO'
BEGIN ATOMIC
    INSERT INTO revrtm.maturity_run (at, results)
    SELECT take_maturity.at, coalesce(jsonb_agg(to_jsonb(m.*) ORDER BY m.model_id COLLATE "C", m.ordinal, m.dimension COLLATE "C"), '[]')
    FROM revrtm.maturity_at(at) m
    RETURNING run_id;
END;
COMMENT ON FUNCTION revrtm.take_maturity(timestamptz) IS
'Keeps the maturity matrix as of an instant in maturity_run, with the hash of the policy; returns the run.';

CREATE VIEW revrtm.maturity_trend WITH (security_invoker = true) AS
SELECT r.run_id || ':' || m.model_id || ':' || m.dimension AS maturity_trend_key,
       r.run_id::text AS run_id,
       r.at,
       r.taken_by,
       r.policy_hash,
       m.model_id AS model,
       m.dimension,
       m.self_score::numeric(4, 2) AS self_score,
       m.evidence_score,
       m.result::numeric(4, 2) AS result,
       (m.result - lag(m.result) OVER w)::numeric(4, 2) AS change,
       r.policy_hash IS DISTINCT FROM lag(r.policy_hash) OVER w AND lag(r.run_id) OVER w IS NOT NULL AS policy_changed,
       m.note
FROM revrtm.maturity_run r
     CROSS JOIN LATERAL jsonb_to_recordset(r.results)
         AS m (model_id text, dimension text, self_score numeric, evidence_score integer, result numeric, note text)
WINDOW w AS (PARTITION BY m.model_id, m.dimension ORDER BY r.at, r.taken_at, r.run_id);
COMMENT ON VIEW revrtm.maturity_trend IS 'How maturity went from run to run. Grain: one dimension in one run.';
COMMENT ON COLUMN revrtm.maturity_trend.maturity_trend_key IS 'run_id:model:dimension.';
COMMENT ON COLUMN revrtm.maturity_trend.run_id IS 'The run of revrtm.maturity_run.';
COMMENT ON COLUMN revrtm.maturity_trend.at IS 'As of when it was taken.';
COMMENT ON COLUMN revrtm.maturity_trend.taken_by IS 'By whom.';
COMMENT ON COLUMN revrtm.maturity_trend.policy_hash IS 'Hash of the policy at that time.';
COMMENT ON COLUMN revrtm.maturity_trend.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_trend.dimension IS 'The dimension.';
COMMENT ON COLUMN revrtm.maturity_trend.self_score IS 'What people said.';
COMMENT ON COLUMN revrtm.maturity_trend.evidence_score IS 'What the figures proved.';
COMMENT ON COLUMN revrtm.maturity_trend.result IS 'What followed.';
COMMENT ON COLUMN revrtm.maturity_trend.change IS 'result less that of the run before; NULL where either is missing.';
COMMENT ON COLUMN revrtm.maturity_trend.policy_changed IS 'Whether the policy is another than at the run before, so that the two may not compare.';
COMMENT ON COLUMN revrtm.maturity_trend.note IS 'As in revrtm.maturity.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('maturity', 'criteria', 'rows', true),
('maturity', 'evidence_score', 'score', false),
('maturity', 'gap', 'score', false),
('maturity', 'measured', 'rows', true),
('maturity', 'result', 'score', false),
('maturity', 'self_score', 'score', false),
('maturity_evidence', 'denominator', 'figure', false),
('maturity_evidence', 'n', 'rows', false),
('maturity_evidence', 'numerator', 'figure', false),
('maturity_evidence', 'threshold', 'figure', false),
('maturity_evidence', 'value', 'figure', false),
('maturity_summary', 'above_benchmark', 'score', false),
('maturity_summary', 'benchmark', 'score', false),
('maturity_summary', 'dimensions', 'rows', true),
('maturity_summary', 'evidence_score', 'score', false),
('maturity_summary', 'judged', 'rows', true),
('maturity_summary', 'result', 'score', false),
('maturity_summary', 'self_score', 'score', false),
('maturity_trend', 'change', 'score', false),
('maturity_trend', 'evidence_score', 'score', false),
('maturity_trend', 'result', 'score', false),
('maturity_trend', 'self_score', 'score', false);
