-- Maturity over random figures, criteria and scores, against its definition.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL jit = off;
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT plan(10);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
DELETE FROM revrtm.maturity_criterion;
DELETE FROM revrtm.maturity_dimension;
DELETE FROM revrtm.maturity_model;
DELETE FROM revrtm.maturity_level;
INSERT INTO revrtm.maturity_model (model, model_name, description, benchmark) SELECT 'm' || m, 'x', 'x', CASE WHEN m > 1 THEN m END FROM generate_series(1, 3) m;
INSERT INTO revrtm.maturity_level (model, level, level_name, description) SELECT 'm' || m, l, 'level ' || l, 'x' FROM generate_series(1, 3) m, generate_series(1, 3 + m) l;
INSERT INTO revrtm.maturity_dimension (model, dimension, ordinal, dimension_name, target)
SELECT 'm' || m, 'd' || d, d, 'x', CASE WHEN d % 4 = 0 THEN 2 END FROM generate_series(1, 3) m, generate_series(1, 40) d;

-- Figures over 3, 6 and 12 months, of two routes and of all.
CREATE TEMP TABLE figure AS
SELECT 'k' || k AS kpi, months, route, CASE WHEN pg_temp.draw(k || route || months, 4) > 0 THEN pg_temp.draw(k || 'v' || route || months, 20) / 4.0 END AS value,
       CASE WHEN k % 2 = 0 THEN pg_temp.draw(k || 'p' || route || months, 9) END AS numerator, CASE WHEN k % 2 = 0 THEN pg_temp.draw(k || 'q' || route || months, 4) END AS denominator
FROM generate_series(1, 12) k, unnest('{3,6,12}'::int[]) months, unnest('{direct,resell,(all)}'::text[]) route;
ALTER FUNCTION revrtm.kpi_between(date, date, text[]) RENAME TO real_kpi_between;
CREATE FUNCTION revrtm.kpi_between(first date, last date, by text[]) RETURNS TABLE (period date, route_id text, segment text, region text, product text,
    kpi text, value numeric, numerator numeric, denominator numeric, n bigint, lo float8, hi float8, note text) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT first, f.route, '(all)', '(all)', '(all)', f.kpi, f.value, f.numerator::numeric, f.denominator::numeric, 1::bigint, NULL::float8, NULL::float8,
        CASE WHEN f.value IS NULL THEN 'no_closed' END
    FROM figure f WHERE f.months = 12 * (extract(year FROM last) - extract(year FROM first)) + extract(month FROM last) - extract(month FROM first) + 1
        AND (f.route = '(all)') = (by = '{}') AND last = '2026-06-01';
END$$;
INSERT INTO revrtm.maturity_criterion (model, dimension, level, kpi, route_id, comparison, threshold, months, measure)
SELECT DISTINCT ON (model, dimension, level, kpi, route_id) model, dimension, level, kpi, route_id, comparison, threshold, months, measure
FROM (SELECT c, 'm' || 1 + pg_temp.draw(c || 'model', 3) AS model, 'd' || 1 + pg_temp.draw(c || 'dimension', 36) AS dimension, 2 + pg_temp.draw(c || 'level', 3)::int AS level,
             'k' || 1 + pg_temp.draw(c || 'kpi', 13) AS kpi, (ARRAY['direct', 'resell', '(any)'])[1 + pg_temp.draw(c || 'route', 3)] AS route_id,
             (ARRAY['>=', '>', '<=', '<'])[1 + pg_temp.draw(c || 'compare', 4)] AS comparison, pg_temp.draw(c || 'threshold', 20) / 4.0 AS threshold,
             (ARRAY[3, 6, 12])[1 + pg_temp.draw(c || 'months', 3)] AS months, (ARRAY['value', 'share'])[1 + pg_temp.draw(c || 'measure', 2)] AS measure
      FROM generate_series(1, 250) c) c
ORDER BY model, dimension, level, kpi, route_id, c;

-- Scores come in any order; each holds from its day until the next one's.
CREATE TEMP TABLE said AS
SELECT DISTINCT ON (model, dimension, since) model, dimension, since, score, n
FROM (SELECT n, 'm' || 1 + pg_temp.draw(n || 'model', 3) AS model, 'd' || 1 + pg_temp.draw(n || 'dimension', 40) AS dimension,
             timestamptz '2026-01-01Z' + pg_temp.draw(n || 'since', 200) * interval '1 day' AS since, 1 + pg_temp.draw(n || 'score', 13) / 4.0 AS score
      FROM generate_series(1, 300) n) s ORDER BY model, dimension, since, n;
SELECT revrtm.score_maturity(model, dimension, score, 'because', since) FROM (SELECT * FROM said ORDER BY n OFFSET 0) s \g /dev/null
SELECT set_eq('SELECT model, dimension, lower(valid), upper(valid), score FROM revrtm.maturity_score',
    'SELECT model, dimension, since, lead(since) OVER (PARTITION BY model, dimension ORDER BY since), score FROM said', 'scores end where the next begin');

-- The definition.
CREATE TEMP TABLE judged AS
SELECT c.*, x.shown, CASE c.comparison WHEN '>=' THEN x.shown >= c.threshold WHEN '>' THEN x.shown > c.threshold WHEN '<=' THEN x.shown <= c.threshold ELSE x.shown < c.threshold END AS met
FROM revrtm.maturity_criterion c
LEFT JOIN figure f ON f.kpi = c.kpi AND f.months = c.months AND f.route = replace(c.route_id, '(any)', '(all)')
CROSS JOIN LATERAL (SELECT CASE WHEN c.measure = 'value' THEN f.value WHEN f.denominator > 0 THEN f.numerator / f.denominator::numeric END AS shown) x;
CREATE FUNCTION pg_temp.proved(m text, d text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    top int := 1;
BEGIN
    IF NOT EXISTS (SELECT FROM judged j WHERE (j.model, j.dimension) = (m, d) AND j.met IS NOT NULL) THEN RETURN NULL; END IF;
    -- As far up as there is anything to prove and nothing refuses.
    WHILE NOT EXISTS (SELECT FROM judged j WHERE (j.model, j.dimension) = (m, d) AND NOT j.met AND j.level <= top + 1)
        AND EXISTS (SELECT FROM judged j WHERE (j.model, j.dimension) = (m, d) AND j.met IS NOT NULL AND j.level > top) LOOP
        top := top + 1;
    END LOOP;
    RETURN top;
END$$;
CREATE TEMP TABLE got AS SELECT * FROM revrtm.maturity;
SELECT set_eq('SELECT model, dimension, level, kpi, route_id, value, met FROM revrtm.maturity_evidence', 'SELECT model, dimension, level, kpi, route_id, shown::numeric(20, 6), met FROM judged',
    'the figures of criteria');
SELECT cmp_ok((SELECT count(*) FROM judged WHERE met IS NULL), '>', 20::bigint, 'some are missing');
SELECT set_eq('SELECT model, dimension, evidence_score FROM got', 'SELECT model, dimension, pg_temp.proved(model, dimension) FROM revrtm.maturity_dimension', 'what they prove');
SELECT set_eq('SELECT model, dimension, self_score FROM got', $$SELECT d.model, d.dimension, (SELECT s.score::numeric(4, 2) FROM said s WHERE (s.model, s.dimension) = (d.model, d.dimension) AND s.since <= '2026-07-01Z' ORDER BY s.since DESC LIMIT 1)
    FROM revrtm.maturity_dimension d$$, 'what people say');
SELECT is_empty($$SELECT * FROM got WHERE result IS DISTINCT FROM CASE WHEN self_score <= evidence_score + 1 THEN self_score WHEN self_score > evidence_score + 1 THEN evidence_score + 1.0 END
    OR gap IS DISTINCT FROM CASE WHEN result >= target THEN 0 ELSE target - result END OR target <> CASE WHEN ordinal % 4 = 0 THEN 2 ELSE 3 + right(model, 1)::int END$$, 'and what follows');
SELECT cmp_ok((SELECT count(DISTINCT (evidence_score, coalesce(note, '-'))) FROM got), '>=', 12::bigint, 'everything happens');
SELECT is_empty($$SELECT * FROM got WHERE (evidence_score IS NULL) <> (measured = 0) OR (note LIKE '%over_scored%') <> (self_score > result) IS TRUE
    OR (next_step IS NULL) AND (evidence_score < 3 OR result IS NULL)$$, 'notes and next steps say so');
SELECT set_eq('SELECT model, judged, result, above_benchmark FROM revrtm.maturity_summary',
    'SELECT m.model, count(g.result), avg(g.result)::numeric(4, 2), (avg(g.result) - m.benchmark)::numeric(4, 2) FROM got g JOIN revrtm.maturity_model m USING (model) GROUP BY m.model', 'means of what has a result');
SELECT set_eq($$SELECT d.at, m.model_id, m.dimension, m.self_score FROM (SELECT DISTINCT since + interval '1 hour' AS at FROM said LIMIT 20) d, revrtm.maturity_at(d.at) m WHERE m.self_score IS NOT NULL$$,
    $$SELECT d.at, s.model, s.dimension, s.score::numeric(4, 2) FROM (SELECT DISTINCT since + interval '1 hour' AS at FROM said LIMIT 20) d
      JOIN LATERAL (SELECT DISTINCT ON (model, dimension) * FROM said s WHERE s.since <= d.at ORDER BY model, dimension, since DESC) s ON true$$, 'as of any day');
SELECT * FROM finish();
ROLLBACK;
