-- The KPIs: one long relation from which everything else is read. Deals come
-- from the store of journeys in one pass.

CREATE FUNCTION revrtm.kpi_line(first date, last date, by text[])
RETURNS TABLE (period date, route_id text, segment text, region text, product text, kpi text, value numeric,
               numerator numeric, denominator numeric, n bigint, lo double precision, hi double precision, note text)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 1000
BEGIN ATOMIC
WITH rule AS MATERIALIZED (
    SELECT r.sqo_stages, r.sqo_days, r.cac_categories, r.cac_lag, coalesce(r.ltv_months, 60) AS ltv_months,
           coalesce(r.small_n, 20) AS small_n, revrtm.as_of() AS as_of,
           'period' <> ALL (by) AS whole,
           CASE WHEN cardinality(r.sqo_stages) > 0 THEN r.sqo_days END AS qualify_days,
           (SELECT CASE WHEN m.refreshed_at IS NULL THEN 'marks_missing'
                        WHEN m.refreshed_at < j.refreshed_at THEN 'marks_stale' END
            FROM (SELECT 1) one LEFT JOIN revrtm.mark_refresh m ON true LEFT JOIN revrtm.journey_refresh j ON true) AS marks
    FROM (SELECT 1) one LEFT JOIN revrtm.kpi_rule r ON true
), deal_cell AS MATERIALIZED (
    SELECT CASE WHEN 'route' = ANY (by) THEN d.route_id ELSE '(all)' END AS route_id,
           CASE WHEN 'segment' = ANY (by) THEN coalesce(d.segment, '(none)') ELSE '(all)' END AS segment,
           CASE WHEN 'region' = ANY (by) THEN coalesce(d.region, '(none)') ELSE '(all)' END AS region,
           CASE WHEN 'product' = ANY (by) THEN coalesce(d.product, '(none)') ELSE '(all)' END AS product,
           revrtm.deal_tally_agg(d.created_at, d.ended_at, d.is_closed, d.is_won,
               -- Most deals are in the reporting currency: no rate to look up.
               CASE WHEN d.currency IS NULL THEN d.amount
                    ELSE revrtm.reporting_amount(d.amount, d.currency, revrtm.local_date(d.created_at)) END,
               CASE WHEN d.currency IS NULL THEN d.amount
                    ELSE revrtm.reporting_amount(d.amount, d.currency, revrtm.local_date(d.ended_at)) END,
               CASE WHEN d.currency IS NULL THEN coalesce(d.margin, d.amount * coalesce(r.default_margin, 1))
                    ELSE revrtm.reporting_amount(coalesce(d.margin, d.amount * coalesce(r.default_margin, 1)), d.currency,
                                                 revrtm.local_date(d.ended_at)) END,
               (SELECT revrtm.currency_scale(NULL)),
               d.margin IS NULL, m.role, m.qualified_at, (SELECT u.qualify_days FROM rule u),
               (SELECT u.as_of FROM rule u), kpi_line.first) AS tally
    FROM (SELECT k.created_at, k.ended_at, k.is_closed, k.is_won, k.amount, k.margin, k.route_id, k.segment, k.region, k.product,
                 nullif(k.currency, (SELECT revrtm.setting('currency'))) AS currency,
                 -- Marks count by the month of creation.
                 CASE WHEN kpi_line.first IS NULL OR k.created_at >= kpi_line.first::timestamp AT TIME ZONE 'UTC' - interval '33 days'
                      THEN k.opportunity_id END AS mark_id
          FROM revrtm.deal_journey k
          -- What ended before the first month counts for open deals no more, and for revenue a year; with room for zones.
          WHERE k.is_closed IS FALSE OR k.ended_at IS NULL OR kpi_line.first IS NULL
                OR k.ended_at >= kpi_line.first::timestamp AT TIME ZONE 'UTC' - interval '33 days'
                OR k.created_at >= kpi_line.first::timestamp AT TIME ZONE 'UTC' - interval '33 days'
                OR (k.is_won AND k.ended_at >= kpi_line.first::timestamp AT TIME ZONE 'UTC' - interval '400 days')) d
    LEFT JOIN revrtm.route r ON r.route_id = d.route_id
    LEFT JOIN revrtm.deal_mark m ON m.opportunity_id = d.mark_id
    GROUP BY 1, 2, 3, 4
), spent AS MATERIALIZED (
    SELECT CASE WHEN 'route' = ANY (by) THEN s.route_id ELSE '(all)' END AS route_id, revrtm.period(s.period) AS period,
           coalesce(sum(revrtm.reporting_amount(s.amount, s.currency, s.period)), 0) AS amount,
           min(revrtm.reporting_note(s.currency, s.period)) AS note
    FROM revrtm.spend s CROSS JOIN rule u
    WHERE u.cac_categories IS NULL OR s.category = ANY (u.cac_categories)
    GROUP BY 1, 2
), span AS MATERIALIZED (
    SELECT coalesce(revrtm.period(kpi_line.first),
                    least((SELECT min(p.period) FROM deal_cell c CROSS JOIN LATERAL revrtm.deal_parts(c.tally, NULL, NULL, true) p),
                          (SELECT min(s.period) FROM spent s), revrtm.period(u.as_of))) AS first,
           least(revrtm.period(kpi_line.last), revrtm.period(u.as_of)) AS last
    FROM rule u
), month AS MATERIALIZED (
    SELECT m.period FROM span s CROSS JOIN LATERAL revrtm.months(s.first, s.last) m (period)
    WHERE m.period = s.first OR NOT (SELECT u.whole FROM rule u)
), part AS MATERIALIZED (
    SELECT c.route_id, c.segment, c.region, c.product, p.*, p.won + p.lost AS closed
    FROM deal_cell c CROSS JOIN span s
    CROSS JOIN LATERAL revrtm.deal_parts(c.tally, s.first, s.last, (SELECT u.whole FROM rule u)) p
), route_part AS MATERIALIZED (
    SELECT c.route_id, p.*
    FROM (SELECT d.route_id, revrtm.rollup(d.tally) AS tally FROM deal_cell d GROUP BY d.route_id) c CROSS JOIN span s
    CROSS JOIN LATERAL revrtm.deal_parts(c.tally, s.first, s.last, (SELECT u.whole FROM rule u)) p
), customer AS MATERIALIZED (
    -- Who sourced a customer: the route of its first won deal.
    SELECT DISTINCT ON (k.account_id) k.account_id, k.route_id, k.segment, k.region, k.ended_at
    FROM (SELECT coalesce(m.canonical_id, d.account_id) AS account_id, d.opportunity_id, d.route_id, d.segment, d.region,
                 d.ended_at
          FROM revrtm.deal_journey d LEFT JOIN revrtm.account_merge m ON m.account_id = d.account_id
          WHERE d.is_won AND d.is_closed AND d.ended_at <= (SELECT u.as_of FROM rule u) AND d.account_id <> '(none)') k
    ORDER BY k.account_id, k.ended_at, k.opportunity_id COLLATE "C"
), won_customer AS (
    SELECT CASE WHEN 'route' = ANY (by) THEN k.route_id ELSE '(all)' END AS route_id,
           CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE k.period END AS period, count(*) AS customers
    FROM (SELECT c.route_id, revrtm.period(c.ended_at) AS period FROM customer c) k CROSS JOIN span s
    WHERE k.period BETWEEN s.first AND s.last
    GROUP BY 1, 2
), lag AS MATERIALIZED (
    SELECT coalesce((SELECT u.cac_lag FROM rule u),
                    (SELECT round(p.cycle_median / 30.4375)::int
                     FROM (SELECT revrtm.rollup(d.tally) AS tally FROM deal_cell d) c CROSS JOIN span s
                     CROSS JOIN LATERAL revrtm.deal_parts(c.tally, s.first, s.last, true) p), 0) AS months
), acquisition AS (
    SELECT k.route_id, CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE k.period END AS period,
           sum(k.amount) AS amount, min(k.note) AS note
    FROM (SELECT x.route_id, (x.period + pg_catalog.make_interval(months => (SELECT l.months FROM lag l)))::date AS period,
                 x.amount, x.note
          FROM spent x) k CROSS JOIN span s
    WHERE k.period BETWEEN s.first AND s.last
    GROUP BY 1, 2
), cost AS (
    -- The same cost as narrow or as wide as spend_category tells.
    SELECT k.route_id, CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE k.period END AS period,
           sum(k.amount) FILTER (WHERE k.cac = 'paid') AS paid,
           sum(k.amount) FILTER (WHERE k.cac IN ('paid', 'blended')) AS blended,
           sum(k.amount) FILTER (WHERE k.cac <> 'none') AS fully_loaded,
           min(k.note) FILTER (WHERE k.cac = 'paid') AS paid_note, min(k.note) FILTER (WHERE k.cac IN ('paid', 'blended')) AS blended_note,
           min(k.note) FILTER (WHERE k.cac <> 'none') AS loaded_note
    FROM (SELECT CASE WHEN 'route' = ANY (by) THEN x.route_id ELSE '(all)' END AS route_id,
                 (revrtm.period(x.period) + pg_catalog.make_interval(months => (SELECT l.months FROM lag l)))::date AS period,
                 revrtm.reporting_amount(x.amount, x.currency, x.period) AS amount,
                 revrtm.reporting_note(x.currency, x.period) AS note, coalesce(c.cac, 'fully_loaded') AS cac
          FROM revrtm.spend x LEFT JOIN revrtm.spend_category c ON c.category = x.category) k CROSS JOIN span s
    WHERE k.period BETWEEN s.first AND s.last
    GROUP BY 1, 2
), changes AS (
    SELECT e.account_id, revrtm.tally_agg(e.at, e.amount) AS tally, count(*) FILTER (WHERE e.amount IS NULL) AS unpriced
    FROM (SELECT coalesce(m.canonical_id, x.account_id) AS account_id, x.at,
                 revrtm.reporting_amount(x.amount, x.currency, x.at) AS amount
          FROM revrtm.revenue_event x
          LEFT JOIN revrtm.account_merge m ON m.account_id = x.account_id
          -- What amends a deal is no movement of recurring revenue.
          WHERE lower(x.kind) NOT IN (SELECT a.kind FROM revrtm.amendment_kind a)) e
    GROUP BY e.account_id
), kept_cell AS MATERIALIZED (
    SELECT CASE WHEN 'route' = ANY (by) THEN coalesce(c.route_id, '(none)') ELSE '(all)' END AS route_id,
           CASE WHEN 'segment' = ANY (by) THEN coalesce(c.segment, '(none)') ELSE '(all)' END AS segment,
           CASE WHEN 'region' = ANY (by) THEN coalesce(c.region, '(none)') ELSE '(all)' END AS region,
           revrtm.retention_agg(x.tally, CASE WHEN (SELECT u.whole FROM rule u) THEN s.last ELSE s.first END, s.last) AS tally,
           sum(x.unpriced) AS unpriced
    FROM changes x LEFT JOIN customer c ON c.account_id = x.account_id CROSS JOIN span s
    GROUP BY 1, 2, 3
), kept AS (
    SELECT c.route_id, c.segment, c.region, c.unpriced, p.*
    FROM kept_cell c CROSS JOIN LATERAL revrtm.retention_parts(c.tally, NULL, NULL) p
), kept_route AS (
    SELECT c.route_id, CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE p.period END AS period,
           p.accounts, p.lost, p.customers, p.amount
    FROM (SELECT k.route_id, revrtm.rollup(k.tally) AS tally FROM kept_cell k GROUP BY k.route_id) c
    CROSS JOIN span s CROSS JOIN LATERAL revrtm.retention_parts(c.tally, NULL, NULL) p
), decision AS MATERIALIZED (
    SELECT CASE WHEN 'route' = ANY (by) THEN d.route_id ELSE '(all)' END AS route_id,
           CASE WHEN 'region' = ANY (by) THEN d.region ELSE '(all)' END AS region,
           CASE WHEN 'product' = ANY (by) THEN d.product ELSE '(all)' END AS product,
           revrtm.period(d.submitted_at) AS submitted, revrtm.period(CASE WHEN d.decided_at <= u.as_of THEN d.decided_at END) AS decided,
           revrtm.period(CASE WHEN d.left_at <= u.as_of THEN d.left_at END) AS gone, d.hours, d.opportunity_id
    FROM revrtm.registration_decision d CROSS JOIN rule u
    WHERE d.submitted_at <= u.as_of
), approval AS (
    SELECT d.route_id, d.region, d.product, m.period,
           count(*) FILTER (WHERE d.decided BETWEEN m.period AND m.last) AS decided,
           revrtm.quantile_agg(d.hours) FILTER (WHERE d.decided BETWEEN m.period AND m.last) AS hours,
           count(*) FILTER (WHERE coalesce(d.gone > m.last, true)) AS backlog
    FROM decision d
    JOIN (SELECT x.period, CASE WHEN (SELECT u.whole FROM rule u) THEN s.last ELSE x.period END AS last
          FROM month x CROSS JOIN span s) m
      ON d.submitted <= m.last AND coalesce(d.gone, 'infinity') >= m.period
    GROUP BY d.route_id, d.region, d.product, m.period
), submitted AS (
    SELECT d.route_id, CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE d.submitted END AS period, count(*) AS registrations
    FROM decision d CROSS JOIN span s
    WHERE d.submitted BETWEEN s.first AND s.last
    GROUP BY 1, 2
), opened AS (
    SELECT CASE WHEN 'route' = ANY (by) THEN c.route_id ELSE '(all)' END AS route_id,
           CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE c.period END AS period, sum(c.cases) AS cases
    FROM revrtm.conflict_rate c CROSS JOIN span s
    WHERE c.period BETWEEN s.first AND s.last
    GROUP BY 1, 2
), goal AS (
    -- Of all routes together what is said of them, else what is said of each.
    SELECT t.route_id, CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE t.period END AS period, sum(t.amount) AS amount
    FROM (SELECT CASE WHEN 'route' = ANY (by) THEN g.route_id ELSE '(all)' END AS route_id, revrtm.period(g.period) AS period,
                 revrtm.reporting_amount(g.value, g.currency,
                                         least(revrtm.period(g.period), (SELECT revrtm.local_date(u.as_of) FROM rule u))) AS amount,
                 g.route_id = '(any)' AS is_whole,
                 'route' <> ALL (by) AND bool_or(g.route_id = '(any)') OVER (PARTITION BY revrtm.period(g.period)) AS wants_whole
          FROM revrtm.target g
          WHERE g.metric = 'revenue') t CROSS JOIN span s
    WHERE t.is_whole = t.wants_whole AND t.period BETWEEN s.first AND s.last
    GROUP BY 1, 2
), economy AS (
    -- A route keeps its row, whatever there is to tell of it.
    SELECT r.route_id, m.period, w.customers, a.amount AS spend, a.note AS spend_note,
           k.accounts, k.lost, k.customers AS payers, k.amount AS yearly,
           p.year_amount, p.year_margin, p.open_amount, g.registrations, o.cases,
           t.amount AS goal, t.amount - coalesce(p.won_amount, 0) AS missing,
           revrtm.ratio(nullif(a.amount, 0), w.customers) AS cac,
           y.paid, y.blended, y.fully_loaded, y.paid_note, y.blended_note, y.loaded_note,
           -- What a customer leaves in a month, before what it cost to win it.
           revrtm.ratio(k.amount, k.customers * 12) * revrtm.ratio(p.year_margin, p.year_amount) AS monthly
    FROM (SELECT x.route_id FROM revrtm.route x WHERE x.active AND 'route' = ANY (by)
          UNION SELECT '(all)' WHERE 'route' <> ALL (by)
          UNION SELECT x.route_id FROM route_part x
          UNION SELECT x.route_id FROM spent x
          UNION SELECT x.route_id FROM kept_cell x
          UNION SELECT x.route_id FROM submitted x
          UNION SELECT x.route_id FROM opened x
          UNION SELECT x.route_id FROM goal x) r
    CROSS JOIN month m
    LEFT JOIN won_customer w ON w.route_id = r.route_id AND w.period = m.period
    LEFT JOIN acquisition a ON a.route_id = r.route_id AND a.period = m.period
    LEFT JOIN cost y ON y.route_id = r.route_id AND y.period = m.period
    LEFT JOIN kept_route k ON k.route_id = r.route_id AND k.period = m.period
    LEFT JOIN route_part p ON p.route_id = r.route_id AND p.period = m.period
    LEFT JOIN submitted g ON g.route_id = r.route_id AND g.period = m.period
    LEFT JOIN opened o ON o.route_id = r.route_id AND o.period = m.period
    LEFT JOIN goal t ON t.route_id = r.route_id AND t.period = m.period
), lead AS (
    -- A registration that became no deal is a lead of its own, without a segment.
    SELECT d.route_id, CASE WHEN 'segment' = ANY (by) THEN '(none)' ELSE '(all)' END AS segment, d.region, d.product,
           CASE WHEN (SELECT u.whole FROM rule u) THEN s.first ELSE d.submitted END AS period, count(*) AS leads
    FROM decision d CROSS JOIN span s
    WHERE d.opportunity_id IS NULL AND d.submitted BETWEEN s.first AND s.last
    GROUP BY 1, 2, 3, 4, 5
), line AS (
    SELECT p.period, p.route_id, p.segment, p.region, p.product, v.kpi, v.value, v.numerator, v.denominator, v.n, v.lo, v.hi,
           v.note
    FROM part p CROSS JOIN rule u
    CROSS JOIN LATERAL revrtm.wilson(p.won, p.closed) w
    CROSS JOIN LATERAL revrtm.wilson(p.created_won, p.created_won + p.created_lost) c
    CROSS JOIN LATERAL (VALUES
        ('sourced_pipeline', CASE WHEN u.marks = 'marks_missing' THEN NULL ELSE p.sourced_amount END,
         p.sourced_amount, p.created_amount, p.sourced, NULL::float8, NULL::float8,
         coalesce(u.marks, CASE WHEN p.created_unpriced > 0 THEN 'unpriced' END)),
        ('influenced_pipeline', CASE WHEN u.marks = 'marks_missing' THEN NULL ELSE p.co_sell_amount + p.influenced_amount END,
         p.co_sell_amount + p.influenced_amount, p.created_amount, p.co_sell + p.influenced, NULL, NULL,
         coalesce(u.marks, CASE WHEN p.created_unpriced > 0 THEN 'unpriced' END)),
        ('win_rate', revrtm.ratio(p.won, p.closed), p.won, p.closed, p.closed, w.lo, w.hi,
         revrtm.ratio_note(p.closed, 'no_closed')),
        ('win_rate_created', revrtm.ratio(p.created_won, p.created_won + p.created_lost), p.created_won,
         p.created_won + p.created_lost, p.created, c.lo, c.hi,
         revrtm.ratio_note(p.created_won + p.created_lost, 'no_closed')),
        ('cycle_time_median', p.cycle_median::numeric, NULL, NULL, p.cycles, NULL, NULL,
         coalesce(revrtm.ratio_note(p.cycles, 'no_closed'), CASE WHEN p.reversed > 0 THEN 'ends_before_creation' END)),
        ('cycle_time_p90', p.cycle_p90::numeric, NULL, NULL, p.cycles, NULL, NULL,
         coalesce(revrtm.ratio_note(p.cycles, 'no_closed'), CASE WHEN p.reversed > 0 THEN 'ends_before_creation' END)),
        ('velocity', revrtm.ratio(p.open_amount * revrtm.ratio(p.won, p.closed), p.cycle_median::numeric),
         p.open_amount * revrtm.ratio(p.won, p.closed), p.cycle_median::numeric, p.open_deals, NULL, NULL,
         coalesce(revrtm.ratio_note(p.closed, 'no_closed'), revrtm.ratio_note(p.cycle_median::numeric, 'no_cycle'))),
        ('gross_margin', revrtm.ratio(p.margin, p.won_amount), p.margin, p.won_amount, p.won, NULL, NULL,
         coalesce(revrtm.ratio_note(p.won, 'no_closed'), revrtm.ratio_note(p.won_amount, 'no_revenue'),
                  CASE WHEN p.won_unpriced > 0 THEN 'unpriced' WHEN p.margin_estimated > 0 THEN 'margin_estimated' END)))
        v (kpi, value, numerator, denominator, n, lo, hi, note)
    -- A year after the last deal a cell still has its revenue.
    WHERE p.created + p.closed + p.open_deals + p.reversed > 0
    UNION ALL
    SELECT q.period, q.route_id, q.segment, q.region, q.product, 'sqo_rate',
           CASE WHEN u.qualify_days IS NOT NULL THEN revrtm.ratio(q.qualified, q.leads) END, q.qualified, q.leads, q.leads::bigint,
           CASE WHEN u.qualify_days IS NOT NULL THEN w.lo END, CASE WHEN u.qualify_days IS NOT NULL THEN w.hi END,
           CASE WHEN u.qualify_days IS NULL THEN 'no_sqo_stage'
                ELSE coalesce(u.marks, revrtm.ratio_note(q.leads, 'no_prospect'), CASE WHEN q.unripe > 0 THEN 'too_young' END) END
    FROM (SELECT x.period, x.route_id, x.segment, x.region, x.product, sum(x.qualified)::bigint AS qualified,
                 sum(x.leads)::bigint AS leads, sum(x.unripe) AS unripe
          FROM (SELECT p.period, p.route_id, p.segment, p.region, p.product, p.qualified, p.created AS leads, p.unripe
                FROM part p WHERE p.created > 0
                UNION ALL
                SELECT l.period, l.route_id, l.segment, l.region, l.product, 0, l.leads, 0 FROM lead l) x
          GROUP BY x.period, x.route_id, x.segment, x.region, x.product) q
    CROSS JOIN rule u CROSS JOIN LATERAL revrtm.wilson(q.qualified, q.leads) w
    UNION ALL
    SELECT e.period, e.route_id, '(all)', '(all)', '(all)', v.kpi, v.value, v.numerator, v.denominator, v.n, NULL, NULL, v.note
    FROM economy e CROSS JOIN rule u
    CROSS JOIN LATERAL (
        -- The share of customers that were lost in a year; their revenue over it is what one leaves in its life.
        SELECT revrtm.ratio(e.lost, e.accounts) AS churn,
               CASE WHEN coalesce(e.payers, 0) = 0 THEN 'no_customers' WHEN coalesce(e.accounts, 0) = 0 THEN 'no_base'
                    WHEN coalesce(e.year_amount, 0) = 0 THEN 'no_revenue' WHEN e.lost = 0 THEN 'no_churn'
                    WHEN e.accounts < u.small_n THEN 'small_n' END AS note) l
    CROSS JOIN LATERAL (VALUES
        ('pipeline_coverage', CASE WHEN e.missing > 0 THEN revrtm.ratio(coalesce(e.open_amount, 0), e.missing) END,
         coalesce(e.open_amount, 0), CASE WHEN e.missing > 0 THEN e.missing WHEN e.missing <= 0 THEN 0 END, NULL::bigint,
         CASE WHEN e.goal IS NULL THEN 'no_target' WHEN e.missing <= 0 THEN 'target_met' END),
        ('cac', e.cac, coalesce(e.spend, 0), e.customers, e.customers,
         coalesce(revrtm.ratio_note(e.customers, 'no_customers'), e.spend_note, revrtm.ratio_note(e.spend, 'zero_spend'))),
        ('cac_paid', revrtm.ratio(nullif(e.paid, 0), e.customers), coalesce(e.paid, 0), e.customers, e.customers,
         coalesce(revrtm.ratio_note(e.customers, 'no_customers'), e.paid_note, revrtm.ratio_note(e.paid, 'zero_spend'))),
        ('cac_blended', revrtm.ratio(nullif(e.blended, 0), e.customers), coalesce(e.blended, 0), e.customers, e.customers,
         coalesce(revrtm.ratio_note(e.customers, 'no_customers'), e.blended_note, revrtm.ratio_note(e.blended, 'zero_spend'))),
        ('cac_fully_loaded', revrtm.ratio(nullif(e.fully_loaded, 0), e.customers), coalesce(e.fully_loaded, 0), e.customers, e.customers,
         coalesce(revrtm.ratio_note(e.customers, 'no_customers'), e.loaded_note, revrtm.ratio_note(e.fully_loaded, 'zero_spend'))),
        ('ltv', revrtm.ratio(e.monthly * 12, l.churn), e.monthly * 12, l.churn, e.accounts, l.note),
        ('ltv_capped', CASE WHEN e.accounts > 0 THEN e.monthly * least(revrtm.ratio(12, l.churn), u.ltv_months) END,
         e.monthly, NULL, e.accounts, nullif(l.note, 'no_churn')),
        ('ltv_cac', revrtm.ratio(revrtm.ratio(e.monthly * 12, l.churn), e.cac), revrtm.ratio(e.monthly * 12, l.churn),
         e.cac, e.customers,
         coalesce(nullif(l.note, 'small_n'), revrtm.ratio_note(e.customers, 'no_customers'), revrtm.ratio_note(e.cac, 'zero_spend'), l.note)),
        ('payback', CASE WHEN e.monthly > 0 THEN revrtm.ratio(e.cac, e.monthly) END, e.cac, e.monthly, e.customers,
         coalesce(revrtm.ratio_note(e.customers, 'no_customers'),
                  CASE WHEN e.monthly IS NULL THEN 'no_revenue' WHEN e.monthly <= 0 THEN 'no_payback' END)),
        ('conflict_rate', revrtm.ratio(coalesce(e.cases, 0), e.registrations), coalesce(e.cases, 0), e.registrations,
         e.registrations, revrtm.ratio_note(e.registrations, 'no_registration')),
        ('payout_accuracy', NULL, NULL, NULL, NULL, 'no_payout_run')) v (kpi, value, numerator, denominator, n, note)
    UNION ALL
    SELECT CASE WHEN u.whole THEN (SELECT s.first FROM span s) ELSE k.period END, k.route_id, k.segment, k.region, '(all)', v.kpi,
           v.value, v.numerator, k.start_amount, k.accounts, NULL, NULL,
           coalesce(revrtm.ratio_note(k.start_amount, 'no_base'), CASE WHEN k.unpriced > 0 THEN 'fx_missing' END)
    FROM kept k CROSS JOIN rule u
    CROSS JOIN LATERAL (VALUES
        ('nrr', revrtm.ratio(k.end_amount, k.start_amount), k.end_amount),
        ('grr', revrtm.ratio(k.retained_amount, k.start_amount), k.retained_amount)) v (kpi, value, numerator)
    UNION ALL
    SELECT a.period, a.route_id, '(all)', a.region, a.product, 'approval_time', revrtm.quantile(a.hours, 0.5)::numeric,
           a.decided, a.decided + a.backlog, a.decided, NULL, NULL,
           CASE WHEN a.decided = 0 THEN 'no_decision' WHEN a.backlog > 0 THEN 'open_backlog' END
    FROM approval a
    WHERE a.decided + a.backlog > 0
)
SELECT l.period, l.route_id, l.segment, l.region, l.product, l.kpi, l.value, l.numerator, l.denominator, l.n, l.lo, l.hi, l.note
FROM line l;
END;
COMMENT ON FUNCTION revrtm.kpi_line(date, date, text[]) IS
'Step of kpi_between: the query, which the planner puts in place with what is asked for.';

-- Compiling the query takes longer than running it, and what is asked for
-- must be known when it is planned.
CREATE FUNCTION revrtm.kpi_between(first date, last date, by text[] DEFAULT '{period,route,segment,region,product}')
RETURNS TABLE (period date, route_id text, segment text, region text, product text, kpi text, value numeric,
               numerator numeric, denominator numeric, n bigint, lo double precision, hi double precision, note text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    unknown text;
BEGIN
    SELECT string_agg(coalesce(quote_literal(b.name), 'NULL'), ', ' ORDER BY b.name COLLATE "C") INTO unknown
    FROM unnest(coalesce(kpi_between.by, '{NULL}')) b (name)
    WHERE coalesce(b.name <> ALL ('{period,route,segment,region,product}'), true);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'KPIs are not told by %', unknown
            USING ERRCODE = '22023', HINT = 'The dimensions are period, route, segment, region and product.';
    END IF;
    RETURN QUERY SELECT * FROM revrtm.kpi_line(kpi_between.first, kpi_between.last, kpi_between.by);
END
$$;
COMMENT ON FUNCTION revrtm.kpi_between(date, date, text[]) IS
'The KPIs of the months from first to last, told by these dimensions: the rows of revrtm.kpi, with the columns of that view. What is not told apart reads (all); without period all months are one row, under the first. NULL first: from the first month there is; no month after that of revrtm.as_of() is shown. Deals are read from the store in one pass, never touches. 22023 for an unknown dimension, or where last is before first.';

CREATE VIEW revrtm.kpi WITH (security_invoker = true) AS
SELECT pg_catalog.concat_ws(':', k.kpi, revrtm.date_text(k.period), k.route_id, k.segment, k.region, k.product) AS kpi_key,
       k.kpi,
       k.period,
       k.route_id,
       k.segment,
       k.region,
       k.product,
       k.value::numeric(24, 6) AS value,
       k.numerator::numeric(24, 4) AS numerator,
       k.denominator::numeric(24, 4) AS denominator,
       k.n,
       k.lo,
       k.hi,
       k.note
FROM revrtm.kpi_between(NULL, NULL, '{period,route,segment,region,product}') k;
COMMENT ON VIEW revrtm.kpi IS
'Every KPI, long. Grain: KPI x month x route x segment x region x product. (none) where the CRM tells none; (all) where the source of a KPI does not tell the dimension: cac, ltv, ltv_capped, ltv_cac, payback, pipeline_coverage, conflict_rate and payout_accuracy are by route, as are cac_paid, cac_blended and cac_fully_loaded, nrr and grr have no product, approval_time no segment. Sum numerators and denominators before dividing; medians and what is made of them ask kpi_between for another grain.';
COMMENT ON COLUMN revrtm.kpi.kpi_key IS 'kpi:period:route_id:segment:region:product.';
COMMENT ON COLUMN revrtm.kpi.kpi IS
'sourced_pipeline, influenced_pipeline: amount of the deals created in the month that a partner sourced, or took part in without (co-sell and influenced). win_rate: won of the deals closed in the month; win_rate_created: won of those created in the month that are closed by now. cycle_time_median, cycle_time_p90: days from the day of creation to that of the end of the deals won in the month. sqo_rate: deals created in the month that became sales qualified in time, of all of them and the registrations of the month that became no deal. velocity: open amount x win rate / median days, money a day. pipeline_coverage: open amount at the month''s end over what the won amount of the month leaves of its target of revenue. cac: spend, by the lag before, over accounts won for the first time; NULL where nothing was spent; cac_paid, cac_blended, cac_fully_loaded: the same of the categories that spend_category says. ltv: yearly revenue a customer x gross margin of a year / share of customers lost in a year; ltv_capped: its life cut at kpi_rule.ltv_months; ltv_cac; payback: cac in months of margin of a customer. gross_margin: margin over amount of won deals. nrr, grr: revenue of the customers of twelve months before, now, over then, without what they grew by in grr; of the route, segment and region of a customer''s first won deal. approval_time: median business hours of registrations decided in the month. conflict_rate: conflict cases opened in the month over registrations submitted in it. payout_accuracy.';
COMMENT ON COLUMN revrtm.kpi.period IS 'First day of the month.';
COMMENT ON COLUMN revrtm.kpi.route_id IS 'Route to market.';
COMMENT ON COLUMN revrtm.kpi.segment IS 'Segment.';
COMMENT ON COLUMN revrtm.kpi.region IS 'Region.';
COMMENT ON COLUMN revrtm.kpi.product IS 'Product.';
COMMENT ON COLUMN revrtm.kpi.value IS 'The KPI: a share from 0 on, money in revrtm.currency, days, hours or months; NULL as note says.';
COMMENT ON COLUMN revrtm.kpi.numerator IS 'What it is a part of the denominator; additive, but for velocity, ltv, ltv_capped, ltv_cac and payback.';
COMMENT ON COLUMN revrtm.kpi.denominator IS
'What it is measured against; additive likewise. Of sourced and influenced pipeline all that was created, of approval_time the decided and those that still wait at the end of the month. NULL for days.';
COMMENT ON COLUMN revrtm.kpi.n IS 'Cases behind it: deals, customers or registrations.';
COMMENT ON COLUMN revrtm.kpi.lo IS 'Lower end of the 95 % interval of a rate (Wilson); NULL for others.';
COMMENT ON COLUMN revrtm.kpi.hi IS 'Its upper end.';
COMMENT ON COLUMN revrtm.kpi.note IS 'Why the value is NULL, or what to know of it: a code of revrtm.note; NULL for nothing.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('kpi', 'denominator', 'row unit', true),
('kpi', 'hi', 'share', false),
('kpi', 'lo', 'share', false),
('kpi', 'n', 'pieces', true),
('kpi', 'numerator', 'row unit', true),
('kpi', 'value', 'row unit', false);
