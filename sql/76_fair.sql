-- Comparisons that a change of the mix cannot fake: every side is given the
-- same mix of strata (direct standardisation).

INSERT INTO revrtm.note (note, meaning) VALUES
('no_common_stratum', 'There is no stratum in which every side has cases, so nothing can be compared.'),
('strata_dropped', 'Strata in which a side has no case were left out.');

-- What KPIs are as measures of a stratum: their share where they are amounts,
-- the cases that weigh it, and what its variance is known to be.
CREATE FUNCTION revrtm.kpi_stratum(first date, last date, kpi text, strata text[])
RETURNS TABLE (route_id text, segment text, region text, product text, measure numeric, weight numeric, n bigint,
               numerator numeric, denominator numeric, variance double precision)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(kpi_stratum.kpi <> ALL (ARRAY['sourced_pipeline', 'influenced_pipeline', 'win_rate', 'win_rate_created', 'cycle_time_median',
            'cycle_time_p90', 'sqo_rate', 'velocity', 'pipeline_coverage', 'cac', 'ltv', 'ltv_capped', 'ltv_cac', 'payback',
            'gross_margin', 'nrr', 'grr', 'approval_time', 'conflict_rate', 'payout_accuracy']), true) THEN
        RAISE EXCEPTION 'there is no KPI %', coalesce(quote_literal(kpi_stratum.kpi), 'NULL')
            USING ERRCODE = '22023', HINT = 'The column kpi of revrtm.kpi has their names.';
    END IF;
    RETURN QUERY
    SELECT k.route_id, k.segment, k.region, k.product, m.measure, greatest(m.weight, 0), coalesce(k.n, 0), k.numerator, k.denominator,
           CASE WHEN k.kpi IN ('win_rate', 'win_rate_created', 'sqo_rate')
                -- With one success and one failure more than there are, so that no stratum is certain.
                THEN (k.numerator + 1)::float8 * (k.denominator - k.numerator + 1)::float8
                     / ((k.denominator + 2)::float8 ^ 3)
                -- Customers come one by one, so that their number varies as it is great.
                WHEN k.kpi = 'cac' THEN k.value::float8 * k.value::float8 / k.n END
    FROM revrtm.kpi_between(kpi_stratum.first, kpi_stratum.last, kpi_stratum.strata) k
    CROSS JOIN LATERAL (
        SELECT CASE WHEN k.kpi IN ('sourced_pipeline', 'influenced_pipeline') THEN revrtm.ratio(k.numerator, k.denominator)
                    ELSE k.value END AS measure,
               CASE WHEN k.kpi IN ('sourced_pipeline', 'influenced_pipeline', 'win_rate', 'win_rate_created', 'sqo_rate', 'cac',
                                   'gross_margin', 'nrr', 'grr', 'conflict_rate', 'payout_accuracy') THEN k.denominator
                    ELSE k.n END AS weight) m
    WHERE k.kpi = kpi_stratum.kpi AND m.measure IS NOT NULL AND m.weight > 0;
END
$$;
COMMENT ON FUNCTION revrtm.kpi_stratum(date, date, text, text[]) IS
'Step of comparisons: a KPI of these months, all together, in each stratum where it has a value: the measure (of pipelines their share), the cases or money that weigh it, and the variance of the measure, for rates (x + 1)(n - x + 1) / (n + 2)^3 (Agresti and Caffo 2000), for cac as of a Poisson number of customers, NULL for others. 22023 for an unknown KPI or dimension.';

CREATE FUNCTION revrtm.kpi_standardized(kpi text, first date, last date, by text DEFAULT 'route',
                                        strata text[] DEFAULT '{segment,region,product}', members text[] DEFAULT NULL)
RETURNS TABLE (member text, value numeric, standardized numeric, lo double precision, hi double precision, n bigint,
               strata_used bigint, strata_dropped bigint, n_dropped bigint, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF kpi_standardized.by = 'period' OR 'period' = ANY (coalesce(kpi_standardized.strata, '{}')) THEN
        RAISE EXCEPTION 'months are compared by outcome_test' USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH cell AS (
        SELECT CASE kpi_standardized.by WHEN 'route' THEN s.route_id WHEN 'segment' THEN s.segment
                                        WHEN 'region' THEN s.region ELSE s.product END AS side,
               CASE WHEN kpi_standardized.by <> 'route' THEN s.route_id END AS route_id,
               CASE WHEN kpi_standardized.by <> 'segment' THEN s.segment END AS segment,
               CASE WHEN kpi_standardized.by <> 'region' THEN s.region END AS region,
               CASE WHEN kpi_standardized.by <> 'product' THEN s.product END AS product,
               s.measure, s.weight, s.n, s.variance
        FROM revrtm.kpi_stratum(kpi_standardized.first, kpi_standardized.last, kpi_standardized.kpi,
                                coalesce(kpi_standardized.strata, '{}') || kpi_standardized.by) s
    ), side AS (
        SELECT c.*, dense_rank() OVER (ORDER BY c.route_id, c.segment, c.region, c.product) AS stratum
        FROM cell c
        WHERE kpi_standardized.members IS NULL OR c.side = ANY (kpi_standardized.members)
    ), standard AS (
        -- The mix of all sides together, where every one of them has cases.
        SELECT s.stratum, sum(s.weight) AS weight,
               count(*) = (SELECT count(DISTINCT x.side) FROM side x) AS is_common
        FROM side s
        GROUP BY s.stratum
    ), fair AS (
        SELECT s.side, sum(s.n)::bigint AS n,
               revrtm.ratio(sum(s.measure * s.weight), sum(s.weight)) AS value,
               revrtm.ratio(sum(s.measure * t.weight) FILTER (WHERE t.is_common), sum(t.weight) FILTER (WHERE t.is_common)) AS standardized,
               -- In an order of its own, so that the sum is the same to the bit.
               sqrt(sum(s.variance * (t.weight * t.weight)::float8 ORDER BY s.stratum) FILTER (WHERE t.is_common))
                   / sum(t.weight) FILTER (WHERE t.is_common)::float8 AS error,
               count(*) FILTER (WHERE t.is_common) AS used, count(*) FILTER (WHERE NOT t.is_common) AS dropped,
               coalesce(sum(s.n) FILTER (WHERE NOT t.is_common), 0)::bigint AS n_dropped
        FROM side s JOIN standard t ON t.stratum = s.stratum
        GROUP BY s.side
    )
    SELECT f.side, round(f.value, 6), round(f.standardized, 6),
           CASE WHEN f.error IS NOT NULL THEN greatest(f.standardized::float8 - 1.959963984540054 * f.error, 0) END,
           CASE WHEN kpi_standardized.kpi = 'cac' THEN f.standardized::float8 + 1.959963984540054 * f.error
                WHEN f.error IS NOT NULL THEN least(f.standardized::float8 + 1.959963984540054 * f.error, 1) END,
           f.n, f.used, f.dropped, f.n_dropped,
           CASE WHEN f.used = 0 THEN 'no_common_stratum' WHEN f.dropped > 0 THEN 'strata_dropped' END
    FROM fair f;
END
$$;
COMMENT ON FUNCTION revrtm.kpi_standardized(text, date, date, text, text[], text[]) IS
'A KPI of the months from first to last by route, segment, region or product, as it is and as it would be if every one of them (or of these members) had the same mix of strata: the mean of the strata weighed by the cases of all sides together. Strata in which a side has no case are dropped for all, and reported. value is the mean weighed by its own cases, which for rates is the rate itself; of pipelines it is their share. lo and hi: 95 % interval of rates and of cac, by the normal distribution; NULL for others. A dimension that the KPI does not tell parts nothing. 22023 for an unknown KPI or dimension, or months.';

CREATE FUNCTION revrtm.outcome_months(during daterange, name text) RETURNS date[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF during IS NULL OR isempty(during) OR NOT isfinite(lower(during)) OR NOT isfinite(upper(during))
       OR lower_inf(during) OR upper_inf(during)
       OR lower(during) <> revrtm.period(lower(during)) OR upper(during) <> revrtm.period(upper(during)) THEN
        RAISE EXCEPTION 'the % must be whole months', name
            USING ERRCODE = '22023', HINT = 'Such as [2026-01-01,2026-04-01), January to March.';
    END IF;
    RETURN ARRAY[lower(during), upper(during) - 1];
END
$$;
COMMENT ON FUNCTION revrtm.outcome_months(daterange, text) IS
'Step of outcome_test: the first and the last day of a range of whole months; 22023 for any other.';

CREATE FUNCTION revrtm.outcome_test(baseline daterange, current daterange,
                                    strata text[] DEFAULT '{route,segment,region,product}')
RETURNS TABLE (metric text, before numeric, after numeric, change numeric, adjusted numeric, lo double precision,
               hi double precision, n_before bigint, n_after bigint, strata_used bigint, strata_dropped bigint,
               direction text, verdict text, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    b date[] := revrtm.outcome_months(baseline, 'baseline');
    c date[] := revrtm.outcome_months(current, 'current range');
BEGIN
    IF outcome_test.baseline && outcome_test.current THEN
        RAISE EXCEPTION 'the baseline and the current range must not overlap' USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH cell AS (
        SELECT m.metric, m.ordinal, s.*, r.is_after
        FROM unnest(ARRAY['win_rate', 'cac', 'gross_margin', 'conflict_rate']) WITH ORDINALITY m (metric, ordinal)
        CROSS JOIN (VALUES (false, b), (true, c)) r (is_after, months)
        CROSS JOIN LATERAL revrtm.kpi_stratum(r.months[1], r.months[2], m.metric, outcome_test.strata) s
    ), side AS (
        SELECT x.metric, revrtm.ratio(sum(x.numerator) FILTER (WHERE NOT x.is_after), sum(x.denominator) FILTER (WHERE NOT x.is_after)) AS before,
               revrtm.ratio(sum(x.numerator) FILTER (WHERE x.is_after), sum(x.denominator) FILTER (WHERE x.is_after)) AS after,
               coalesce(sum(x.n) FILTER (WHERE NOT x.is_after), 0)::bigint AS n_before,
               coalesce(sum(x.n) FILTER (WHERE x.is_after), 0)::bigint AS n_after
        FROM cell x
        GROUP BY x.metric
    ), stratum AS (
        SELECT x.metric, row_number() OVER (ORDER BY x.metric, x.route_id, x.segment, x.region, x.product) AS place, count(*) = 2 AS is_common,
               sum(x.weight) AS weight, sum(CASE WHEN x.is_after THEN x.measure ELSE -x.measure END) AS change,
               max(x.variance) FILTER (WHERE x.is_after) + max(x.variance) FILTER (WHERE NOT x.is_after) AS variance
        FROM cell x
        GROUP BY x.metric, x.route_id, x.segment, x.region, x.product
    ), fair AS (
        SELECT s.metric, count(*) FILTER (WHERE s.is_common) AS used, count(*) FILTER (WHERE NOT s.is_common) AS dropped,
               revrtm.ratio(sum(s.change * s.weight) FILTER (WHERE s.is_common), sum(s.weight) FILTER (WHERE s.is_common)) AS adjusted,
               sqrt(sum(s.variance * (s.weight * s.weight)::float8 ORDER BY s.place) FILTER (WHERE s.is_common))
                   / sum(s.weight) FILTER (WHERE s.is_common)::float8 AS error
        FROM stratum s
        GROUP BY s.metric
    ), judged AS (
        SELECT m.metric, m.ordinal, d.before, d.after, f.adjusted, coalesce(d.n_before, 0) AS n_before, coalesce(d.n_after, 0) AS n_after,
               coalesce(f.used, 0) AS used, coalesce(f.dropped, 0) AS dropped,
               f.adjusted::float8 - 1.959963984540054 * f.error AS lo, f.adjusted::float8 + 1.959963984540054 * f.error AS hi
        FROM unnest(ARRAY['win_rate', 'cac', 'gross_margin', 'conflict_rate']) WITH ORDINALITY m (metric, ordinal)
        LEFT JOIN side d ON d.metric = m.metric
        LEFT JOIN fair f ON f.metric = m.metric
    ), told AS (
        SELECT j.*,
               CASE WHEN j.lo > 0 THEN CASE WHEN j.metric IN ('cac', 'conflict_rate') THEN 'worse' ELSE 'better' END
                    WHEN j.hi < 0 THEN CASE WHEN j.metric IN ('cac', 'conflict_rate') THEN 'better' ELSE 'worse' END
                    WHEN j.lo <= 0 THEN 'same' END AS direction
        FROM judged j
    ), overall AS (
        SELECT CASE WHEN w.direction IS NULL OR a.direction IS NULL
                         OR least(w.n_before, w.n_after) < coalesce((SELECT r.small_n FROM revrtm.kpi_rule r), 20) THEN 'insufficient_data'
                    WHEN w.direction = 'better' THEN CASE WHEN a.direction = 'worse' THEN 'improved_at_cost' ELSE 'improved' END
                    WHEN w.direction = 'worse' OR a.direction = 'worse' THEN 'worse'
                    ELSE 'no_change' END AS verdict
        FROM told w, told a WHERE w.metric = 'win_rate' AND a.metric = 'cac'
    )
    SELECT t.metric, round(t.before, 6), round(t.after, 6), round(t.after - t.before, 6), round(t.adjusted, 6), t.lo, t.hi,
           t.n_before, t.n_after, t.used, t.dropped, t.direction, o.verdict,
           CASE WHEN t.metric = 'conflict_rate' AND t.used + t.dropped = 0 THEN 'no_registration'
                WHEN t.used = 0 THEN 'no_common_stratum'
                WHEN t.metric = 'win_rate' AND least(t.n_before, t.n_after) < coalesce((SELECT r.small_n FROM revrtm.kpi_rule r), 20) THEN 'small_n'
                WHEN t.dropped > 0 THEN 'strata_dropped' END
    FROM told t CROSS JOIN overall o
    ORDER BY t.ordinal;
END
$$;
COMMENT ON FUNCTION revrtm.outcome_test(daterange, daterange, text[]) IS
'Did the win rate improve without raising the cost of a customer? Whole months before against whole months after: win_rate, cac, gross_margin and conflict_rate, each as it was and is (before, after), and the change with the same mix of strata in both (adjusted), with its 95 % interval where the variance is known (lo, hi). direction: better, worse or same, by whether the interval leaves out 0; NULL without one. verdict, the same in every row: improved; improved_at_cost (cac rose as well); no_change; worse (the win rate fell, or cac rose for nothing); insufficient_data (fewer closed deals than kpi_rule.small_n on a side, or no cost). It says what changed, not why. 22023 for ranges that overlap or are not whole months.';
