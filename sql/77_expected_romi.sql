-- What a line is expected to return: its own months, as far as they tell, and
-- else those of all lines.

CREATE FUNCTION revrtm.shrink_returns(lines text[], spend double precision[], margin double precision[],
                                      replicates integer DEFAULT 1000, seed bigint DEFAULT 1,
                                      confidence double precision DEFAULT 0.9)
RETURNS TABLE (line text, n bigint, own double precision, credibility double precision, pool double precision,
               expected double precision, lo double precision, hi double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 30
AS 'MODULE_PATHNAME', 'revrtm_shrink_returns';
COMMENT ON FUNCTION revrtm.shrink_returns(text[], double precision[], double precision[], integer, bigint, double precision) IS
'What each line returns for a unit of spend, shrunk to all lines (empirical Bayes; Buehlmann and Straub 1970, estimators of Buehlmann and Gisler 2005, chapter 4). The arrays have an element for every month of every line. With w the spend and X = margin / spend of a month, w. and X. their sum and spend-weighed mean by line (own = X.), W and M over all, I lines: noise = sum w (X - X.)^2 / sum (n - 1); spread = (sum w. (X. - M)^2 - (I - 1) noise) / (W - sum w.^2 / W), 0 where that is negative; credibility Z = w. / (w. + noise / spread), 0 without spread, 1 for a line alone; pool = sum Z X. / sum Z, M without spread; expected = Z X. + (1 - Z) pool. lo and hi: percentile interval of the bootstrap (Efron 1979): in each of the replicates every line''s months are drawn anew with replacement and all of it computed again. The same rows in any order, with the same seed, give the same bits. 22004 for NULL, 22023 for arrays of unlike lengths, spend that is not above zero, values that are not finite, replicates not from 1 to 100000 or a confidence not between 0 and 1; 22003 where a result is out of range.';

CREATE FUNCTION revrtm.expected_romi(period date DEFAULT NULL, model text DEFAULT NULL)
RETURNS TABLE (route_id text, category text, months bigint, deals bigint, spend numeric, margin numeric, open_margin numeric,
               own_romi numeric, credibility numeric, pool_romi numeric, expected_romi numeric, lo numeric, hi numeric, note text)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000 ROWS 30
SET jit = off
BEGIN ATOMIC
    WITH rule AS MATERIALIZED (
        SELECT x.last, (x.last - pg_catalog.make_interval(months => coalesce(r.months, 12) - 1))::date AS first,
               coalesce(r.small_n, 5) AS small_n, coalesce(r.small_months, 3) AS small_months,
               coalesce(r.replicates, 1000) AS replicates, coalesce(r.seed, 1) AS seed, coalesce(r.confidence, 0.9) AS confidence
        FROM (SELECT revrtm.council_period(expected_romi.period) AS last) x LEFT JOIN revrtm.romi_rule r ON true
    ), month AS MATERIALIZED (
        SELECT m.*
        FROM rule u
        CROSS JOIN LATERAL revrtm.motion_romi_between(u.first, u.last, '{period,route,category}', expected_romi.model, 'cohort') m
        LEFT JOIN revrtm.spend_category g ON g.category = m.category
        WHERE m.category <> '(unmapped)' AND g.cost_of_sale IS NOT TRUE AND u.last IS NOT NULL
    ), line AS MATERIALIZED (
        SELECT k.route_id, k.category, coalesce(x.months, 0) AS months, coalesce(x.deals, 0) AS deals,
               coalesce(x.spend, 0) AS spend, coalesce(x.margin, 0) AS margin, coalesce(x.open_margin, 0) AS open_margin, x.note,
               -- So much spend without deals is evidence too.
               coalesce(x.months >= u.small_months
                        AND greatest(x.deals, revrtm.ratio(x.spend * pg_catalog.sum(x.deals) OVER (), pg_catalog.sum(x.spend) OVER ()))
                            >= u.small_n, false) AS is_known
        FROM (SELECT m.route_id, m.category FROM month m
              UNION
              SELECT b.route_id, b.category FROM revrtm.budget_line b) k
        CROSS JOIN rule u
        LEFT JOIN (SELECT m.route_id, m.category, pg_catalog.count(*) FILTER (WHERE m.spend > 0) AS months,
                          pg_catalog.sum(m.deals) FILTER (WHERE m.spend > 0)::bigint AS deals,
                          pg_catalog.sum(m.spend) FILTER (WHERE m.spend > 0) AS spend,
                          pg_catalog.sum(m.incremental_margin) FILTER (WHERE m.spend > 0) AS margin,
                          pg_catalog.sum(m.open_margin) FILTER (WHERE m.spend > 0) AS open_margin,
                          pg_catalog.min(m.note) FILTER (WHERE m.note IN ('romi_missing', 'romi_stale', 'fx_missing', 'stale_fx')) AS note
                   FROM month m
                   GROUP BY m.route_id, m.category) x ON x.route_id = k.route_id AND x.category = k.category
    ), shrunk AS MATERIALIZED (
        SELECT s.*
        FROM (SELECT pg_catalog.array_agg(pg_catalog.jsonb_build_array(m.route_id, m.category)::text) AS lines,
                     pg_catalog.array_agg(m.spend::float8) AS spend,
                     pg_catalog.array_agg((m.incremental_margin + m.open_margin)::float8) AS margin
              FROM month m JOIN line l ON l.route_id = m.route_id AND l.category = m.category
              WHERE l.is_known AND m.spend > 0) a
        CROSS JOIN rule u
        CROSS JOIN LATERAL revrtm.shrink_returns(coalesce(a.lines, '{}'), coalesce(a.spend, '{}'), coalesce(a.margin, '{}'),
                                                 u.replicates, u.seed, u.confidence) s
    )
    SELECT l.route_id, l.category, l.months, l.deals, l.spend::numeric(20, 4), l.margin::numeric(20, 4),
           l.open_margin::numeric(20, 4),
           revrtm.ratio(l.margin + l.open_margin - l.spend, l.spend)::numeric(18, 6),
           s.credibility::numeric(12, 6), (s.pool - 1)::numeric(18, 6), (s.expected - 1)::numeric(18, 6),
           (s.lo - 1)::numeric(18, 6), (s.hi - 1)::numeric(18, 6),
           coalesce(l.note, revrtm.ratio_note(l.spend, 'zero_spend'), CASE WHEN NOT l.is_known THEN 'small_n' END)
    FROM line l LEFT JOIN shrunk s ON s.line = pg_catalog.jsonb_build_array(l.route_id, l.category)::text
    ORDER BY l.route_id COLLATE "C", l.category COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.expected_romi(date, text) IS
'What each line, route x category, is expected to return on a unit of spend, by its cohorts of the romi_rule.months months up to the one given (the last closed one for NULL), under one model (revrtm.model for NULL). Only months with spend tell: months, deals (won and touched by the line), spend, margin (incremental_margin of motion_romi_between, realised) and open_margin (open deals at their probability) are theirs, and own_romi = (margin + open_margin - spend) / spend. expected_romi is shrink_returns of them, less 1: own_romi x credibility + pool_romi x (1 - credibility); lo and hi are its bootstrap interval. A line with less than romi_rule.small_months months of spend, or fewer than small_n won deals, has no evidence, unless its spend at the rate of all lines would have brought as many (then that it did not is evidence): its expectation is NULL with note small_n, it is no part of the pool, and a proposal keeps its budget unless the council explores. A row for every line with credit or spend in that time, and every one of budget_line. note: romi_missing, romi_stale, fx_missing, stale_fx, zero_spend, small_n, or NULL. 22023 as council_model and motion_romi_between.';
