-- What enabling partners costs and what comes of it: one ledger of all spend,
-- the deals that each entry touched, and whether certified partners do better.

CREATE TABLE revrtm.enablement_category (
    category text PRIMARY KEY CHECK (category <> ''),
    shipped  boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.enablement_category', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.enablement_category IS
'The categories of the CRM''s spend that are enablement; add program, content, tools or headcount where they are. Grain: one category.';
COMMENT ON COLUMN revrtm.enablement_category.category IS 'Spend category.';
COMMENT ON COLUMN revrtm.enablement_category.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.enablement_category (category, shipped) VALUES ('enablement', true), ('mdf', true), ('spiff', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.enablement_category
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('category');
SELECT revrtm.register_policy('revrtm.enablement_category');
GRANT SELECT ON revrtm.enablement_category TO PUBLIC;

CREATE VIEW revrtm.enablement_ledger WITH (security_invoker = true) AS
WITH own AS (
    SELECT 'mdf'::text AS source, r.request_id::text AS source_id, 'mdf'::text AS category,
           coalesce(f.route_id, 'partner_sourced') AS route_id, r.partner_id,
           CASE r.status WHEN 'paid' THEN r.paid_on ELSE lower(r.during) END AS on_date,
           CASE r.status WHEN 'paid' THEN r.paid_amount ELSE 0 END AS amount,
           CASE r.status WHEN 'paid' THEN 0 ELSE r.held END AS committed, r.currency,
           CASE r.status WHEN 'paid' THEN r.spend_id END AS spend_id,
           r.channel, r.product_code, r.during, r.opportunity_ids
    FROM revrtm.mdf_request r LEFT JOIN revrtm.fund f ON f.fund_id = r.fund_id
    WHERE r.status IN ('approved', 'executed', 'claimed', 'paid')
    UNION ALL
    SELECT 'spiff', a.award_id::text, 'spiff', coalesce(f.route_id, 'partner_sourced'), a.partner_id,
           CASE a.status WHEN 'paid' THEN a.paid_on ELSE a.held_on END,
           CASE a.status WHEN 'paid' THEN a.amount ELSE 0 END, CASE a.status WHEN 'paid' THEN 0 ELSE a.amount END,
           a.currency, CASE a.status WHEN 'paid' THEN a.spend_id END,
           NULL, NULL, daterange(a.held_on, a.held_on, '[]'), ARRAY[a.opportunity_id]
    FROM revrtm.spiff_award a LEFT JOIN revrtm.fund f ON f.fund_id = a.fund_id
    WHERE a.status IN ('earned', 'paid')
    UNION ALL
    SELECT 'course', c.certification_id::text, 'enablement',
           CASE c.partner_id WHEN '(vendor)' THEN 'direct' ELSE 'partner_sourced' END, c.partner_id,
           coalesce(c.taken_on, revrtm.programme_date(coalesce(lower(c.valid), c.decided_at))),
           c.cost, 0, c.currency, c.spend_id, NULL, k.product_code,
           CASE WHEN isempty(c.valid) THEN 'empty'
                ELSE daterange(revrtm.programme_date(lower(c.valid)), revrtm.programme_date(upper(c.valid)), '[]') END, '{}'
    FROM revrtm.certification c LEFT JOIN revrtm.course k ON k.course_id = c.course_id
    WHERE c.status IN ('granted', 'revoked') AND c.cost > 0
), crm AS (
    SELECT s.spend_id, s.category, s.route_id, s.partner_id, s.channel, s.period,
           revrtm.reporting_amount(s.amount, s.currency, s.period) AS amount,
           revrtm.reporting_note(s.currency, s.period) AS note
    FROM revrtm.spend s
    WHERE s.category IN (SELECT e.category FROM revrtm.enablement_category e)
), entry AS (
    SELECT o.source, o.source_id, o.category, o.route_id, o.partner_id, o.on_date,
           revrtm.reporting_amount(o.amount, o.currency, o.on_date) AS amount,
           revrtm.reporting_amount(o.committed, o.currency, o.on_date) AS committed,
           c.spend_id AS booked_as, o.channel, o.product_code, o.during, o.opportunity_ids,
           revrtm.reporting_note(o.currency, o.on_date) AS note
    FROM own o LEFT JOIN crm c ON c.spend_id = o.spend_id
)
SELECT concat_ws(':', l.source, l.source_id) AS enablement_ledger_key,
       l.source,
       l.source_id,
       l.category,
       l.route_id,
       l.partner_id,
       l.on_date,
       revrtm.period(l.on_date) AS period,
       l.amount::numeric(20, 4) AS amount,
       l.committed::numeric(20, 4) AS committed,
       l.booked_as,
       l.channel,
       l.product_code,
       l.during,
       l.opportunity_ids,
       l.note
FROM (SELECT e.* FROM entry e
      UNION ALL
      -- What of an entry of the CRM is not told in detail.
      SELECT 'spend', c.spend_id, c.category, c.route_id, c.partner_id, c.period, c.amount - coalesce(b.amount, 0), 0,
             NULL, c.channel, NULL,
             daterange(revrtm.period(c.period), (revrtm.period(c.period) + interval '1 month')::date), '{}',
             coalesce(c.note, CASE WHEN b.amount > c.amount THEN 'overbooked' END)
      FROM crm c
           LEFT JOIN (SELECT e.booked_as, sum(e.amount) AS amount FROM entry e
                      WHERE e.booked_as IS NOT NULL GROUP BY e.booked_as) b ON b.booked_as = c.spend_id) l;
COMMENT ON VIEW revrtm.enablement_ledger IS
'All spend on enabling partners and our own people, each amount once: the CRM''s spend of the categories in enablement_category, MDF, SPIFFs and courses. An MDF payment, SPIFF or course that is booked in an entry of the CRM (spend_id) is taken off that entry, so that the sum is the CRM''s. Grain: one entry.';
COMMENT ON COLUMN revrtm.enablement_ledger.enablement_ledger_key IS 'source:source_id.';
COMMENT ON COLUMN revrtm.enablement_ledger.source IS 'spend (of the CRM), mdf, spiff or course.';
COMMENT ON COLUMN revrtm.enablement_ledger.source_id IS 'spend_id, request_id, award_id or certification_id.';
COMMENT ON COLUMN revrtm.enablement_ledger.category IS 'Spend category: the CRM''s, or mdf, spiff, enablement.';
COMMENT ON COLUMN revrtm.enablement_ledger.route_id IS 'Route whose spend it is; of a course direct for our own people, else partner_sourced.';
COMMENT ON COLUMN revrtm.enablement_ledger.partner_id IS 'The partner; (vendor) for our own people, NULL where the CRM names none.';
COMMENT ON COLUMN revrtm.enablement_ledger.on_date IS 'Day of the spend; of what is not paid yet, that of the activity or award.';
COMMENT ON COLUMN revrtm.enablement_ledger.period IS 'Its month.';
COMMENT ON COLUMN revrtm.enablement_ledger.amount IS 'What was spent, in revrtm.currency; of an entry of the CRM what is not told in detail. Additive.';
COMMENT ON COLUMN revrtm.enablement_ledger.committed IS 'What is approved or earned and not paid yet, in revrtm.currency.';
COMMENT ON COLUMN revrtm.enablement_ledger.booked_as IS 'The entry of the CRM that it is part of; NULL for none.';
COMMENT ON COLUMN revrtm.enablement_ledger.channel IS 'Channel of the touches it was to make.';
COMMENT ON COLUMN revrtm.enablement_ledger.product_code IS 'Product it is about; NULL for any.';
COMMENT ON COLUMN revrtm.enablement_ledger.during IS 'Days of the activity, of the award, of the certificate, or of the month.';
COMMENT ON COLUMN revrtm.enablement_ledger.opportunity_ids IS 'Deals that it names.';
COMMENT ON COLUMN revrtm.enablement_ledger.note IS 'fx_missing or stale_fx (left out of sums), overbooked, or NULL.';

CREATE VIEW revrtm.enablement_outcome WITH (security_invoker = true) AS
WITH entry AS MATERIALIZED (
    SELECT * FROM revrtm.enablement_ledger
), evidence AS MATERIALIZED (
    SELECT t.opportunity_id, t.partner_id, t.kind, t.label, revrtm.programme_date(t.at) AS on_date
    FROM revrtm.partner_evidence t
    WHERE t.counts
), link AS (
    SELECT e.enablement_ledger_key, u.opportunity_id, 1 AS rank
    FROM entry e CROSS JOIN LATERAL unnest(e.opportunity_ids) u (opportunity_id)
    UNION ALL
    SELECT e.enablement_ledger_key, t.opportunity_id, 2
    FROM entry e JOIN evidence t
      ON t.kind = 'touch' AND t.label = e.channel AND e.during @> t.on_date
         AND (e.partner_id IS NULL OR t.partner_id = e.partner_id)
    UNION ALL
    SELECT e.enablement_ledger_key, i.opportunity_id, 3
    FROM entry e
         JOIN (SELECT DISTINCT t.partner_id, t.opportunity_id FROM evidence t) i ON i.partner_id = e.partner_id
         JOIN revrtm.deal d ON d.opportunity_id = i.opportunity_id
         LEFT JOIN revrtm.product taught ON taught.product_id = e.product_code
         LEFT JOIN revrtm.product sold ON sold.product_id = d.product
    WHERE e.source = 'course' AND e.during @> revrtm.programme_date(d.created_at)
      AND (e.product_code IS NULL OR taught.span @> sold.span)
), linked AS (
    SELECT l.enablement_ledger_key, l.opportunity_id, min(l.rank) AS rank
    FROM link l
    GROUP BY l.enablement_ledger_key, l.opportunity_id
), placed AS (
    SELECT l.*, d.account_id, d.is_closed, d.is_won, CASE WHEN d.is_won THEN d.margin END AS margin,
           row_number() OVER deal AS place, count(*) OVER (PARTITION BY l.opportunity_id) AS entries
    FROM linked l JOIN revrtm.deal d ON d.opportunity_id = l.opportunity_id
    WINDOW deal AS (PARTITION BY l.opportunity_id ORDER BY l.enablement_ledger_key COLLATE "C")
)
SELECT concat_ws(':', p.enablement_ledger_key, p.opportunity_id) AS enablement_outcome_key,
       p.enablement_ledger_key AS entry,
       e.source,
       e.category,
       e.partner_id,
       e.period,
       p.opportunity_id,
       p.account_id,
       p.is_closed,
       p.is_won,
       CASE p.rank WHEN 1 THEN 'named' WHEN 2 THEN 'touch' ELSE 'certified' END AS evidence,
       p.entries,
       p.margin::numeric(20, 4) AS margin,
       (revrtm.split_amount(p.margin, array_fill(1.0::float8, ARRAY[p.entries::int]),
                            (SELECT revrtm.currency_scale(NULL))))[p.place]::numeric(20, 4) AS margin_share
FROM placed p JOIN entry e ON e.enablement_ledger_key = p.enablement_ledger_key;
COMMENT ON VIEW revrtm.enablement_outcome IS
'Which deals each entry of the ledger touched. Grain: one deal of one entry; an entry that touched none has no row. That an entry touched a deal does not say that it caused it.';
COMMENT ON COLUMN revrtm.enablement_outcome.enablement_outcome_key IS 'source:source_id:opportunity_id.';
COMMENT ON COLUMN revrtm.enablement_outcome.entry IS 'The entry: enablement_ledger.enablement_ledger_key.';
COMMENT ON COLUMN revrtm.enablement_outcome.source IS 'spend, mdf, spiff or course.';
COMMENT ON COLUMN revrtm.enablement_outcome.category IS 'Spend category.';
COMMENT ON COLUMN revrtm.enablement_outcome.partner_id IS 'The partner; NULL where the CRM names none.';
COMMENT ON COLUMN revrtm.enablement_outcome.period IS 'Month of the entry.';
COMMENT ON COLUMN revrtm.enablement_outcome.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.enablement_outcome.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.enablement_outcome.is_closed IS 'Whether the deal is closed.';
COMMENT ON COLUMN revrtm.enablement_outcome.is_won IS 'Whether the deal is won.';
COMMENT ON COLUMN revrtm.enablement_outcome.evidence IS
'The first that holds: named (the entry names the deal), touch (the deal has a counted touch of the entry''s channel, partner and days), certified (the partner takes part in the deal, which was created while the certificate held and is for its product).';
COMMENT ON COLUMN revrtm.enablement_outcome.entries IS 'Entries that touched the deal.';
COMMENT ON COLUMN revrtm.enablement_outcome.margin IS 'Margin of the won deal in revrtm.currency, whole in every row.';
COMMENT ON COLUMN revrtm.enablement_outcome.margin_share IS
'An equal part of it for each entry that touched the deal; those of a deal sum to its margin, to the minor unit. Additive.';

CREATE VIEW revrtm.enablement_return WITH (security_invoker = true) AS
SELECT concat_ws(':', l.partner_id, l.category, revrtm.date_text(l.period)) AS enablement_return_key,
       l.partner_id,
       l.category,
       l.period,
       count(*) AS entries,
       coalesce(sum(l.amount), 0)::numeric(20, 4) AS amount,
       coalesce(sum(l.committed), 0)::numeric(20, 4) AS committed,
       coalesce(sum(l.amount) FILTER (WHERE l.links IS NULL), 0)::numeric(20, 4) AS unlinked,
       coalesce(sum(l.links), 0) AS links,
       coalesce(sum(l.won_links), 0) AS won_links,
       coalesce(sum(l.margin_share), 0)::numeric(20, 4) AS margin_share,
       revrtm.ratio(coalesce(sum(l.margin_share), 0) - sum(l.amount), sum(l.amount))::numeric(18, 6) AS roi,
       revrtm.ratio(coalesce(sum(l.amount) FILTER (WHERE l.links IS NULL), 0), sum(l.amount))::numeric(18, 6) AS unlinked_share,
       count(l.note) FILTER (WHERE l.note IN ('fx_missing', 'stale_fx')) AS fx_missing,
       coalesce(min(l.note) FILTER (WHERE l.note IN ('fx_missing', 'stale_fx')),
                revrtm.ratio_note(sum(l.amount), 'zero_spend'),
                CASE WHEN sum(l.links) IS NULL THEN 'unlinked' END) AS note
FROM (SELECT coalesce(k.partner_id, '(none)') AS partner_id, k.category, k.period, k.amount, k.committed, k.note,
             o.links, o.won_links, o.margin_share
      FROM revrtm.enablement_ledger k
           LEFT JOIN (SELECT w.entry, count(*) AS links, count(*) FILTER (WHERE w.is_won) AS won_links,
                             sum(w.margin_share) AS margin_share
                      FROM revrtm.enablement_outcome w
                      GROUP BY w.entry) o ON o.entry = k.enablement_ledger_key) l
GROUP BY l.partner_id, l.category, l.period;
COMMENT ON VIEW revrtm.enablement_return IS
'What enablement cost and what margin came with it: roi = (margin_share - amount) / amount. Grain: partner x category x month. It is association, not effect.';
COMMENT ON COLUMN revrtm.enablement_return.enablement_return_key IS 'partner_id:category:period.';
COMMENT ON COLUMN revrtm.enablement_return.partner_id IS 'The partner; (vendor) for our own people, (none) where the CRM names none.';
COMMENT ON COLUMN revrtm.enablement_return.category IS 'Spend category.';
COMMENT ON COLUMN revrtm.enablement_return.period IS 'Month of the spend.';
COMMENT ON COLUMN revrtm.enablement_return.entries IS 'Entries of the ledger.';
COMMENT ON COLUMN revrtm.enablement_return.amount IS 'What was spent, in revrtm.currency.';
COMMENT ON COLUMN revrtm.enablement_return.committed IS 'What is approved or earned and not paid yet.';
COMMENT ON COLUMN revrtm.enablement_return.unlinked IS 'What was spent without touching a deal.';
COMMENT ON COLUMN revrtm.enablement_return.links IS 'Deals touched, once for each entry.';
COMMENT ON COLUMN revrtm.enablement_return.won_links IS 'Won ones of them.';
COMMENT ON COLUMN revrtm.enablement_return.margin_share IS 'The entries'' shares of the margin of the won deals they touched.';
COMMENT ON COLUMN revrtm.enablement_return.roi IS '(margin_share - amount) / amount; NULL where nothing was spent.';
COMMENT ON COLUMN revrtm.enablement_return.unlinked_share IS 'unlinked / amount; NULL where nothing was spent.';
COMMENT ON COLUMN revrtm.enablement_return.fx_missing IS 'Entries left out for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.enablement_return.note IS 'fx_missing, stale_fx, zero_spend, unlinked (no entry touched a deal), or NULL.';

-- Do certified partners do better than they did, and than others?

CREATE FUNCTION revrtm.enablement_lift(metric text DEFAULT 'win_rate', months integer DEFAULT 6,
    course text DEFAULT NULL)
RETURNS TABLE (quarter date, partners bigint, others bigint,
    n_before bigint, n_after bigint, others_n_before bigint, others_n_after bigint,
    before numeric, after numeric, others_before numeric, others_after numeric,
    lift numeric, standard_error numeric, lo numeric, hi numeric, reading text, note text)
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000 ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF enablement_lift.metric IS NULL OR enablement_lift.metric NOT IN ('win_rate', 'cycle_time', 'deal_size') THEN
        RAISE EXCEPTION 'there is no lift of %', coalesce(quote_literal(enablement_lift.metric), 'NULL')
            USING ERRCODE = '22023', HINT = 'The metrics are win_rate, cycle_time and deal_size.';
    ELSIF enablement_lift.months IS NULL OR enablement_lift.months NOT BETWEEN 1 AND 60 THEN
        RAISE EXCEPTION 'the time to look at is no number of months from 1 to 60' USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    WITH taken AS (
        SELECT c.partner_id, date_trunc('quarter', revrtm.period(min(lower(c.valid)))::timestamp)::date AS quarter
        FROM revrtm.certification c
        WHERE c.status IN ('granted', 'revoked') AND NOT isempty(c.valid)
          AND (enablement_lift.course IS NULL OR c.course_id = enablement_lift.course)
          AND lower(c.valid) <= revrtm.as_of()
        GROUP BY c.partner_id
    ), cohort AS (
        SELECT DISTINCT t.quarter, (t.quarter - make_interval(months => enablement_lift.months))::date AS first,
               (t.quarter + interval '3 months')::date AS again,
               (t.quarter + make_interval(months => 3 + enablement_lift.months))::date AS until
        FROM taken t
    ), outcome AS (
        SELECT d.partner_id, d.period,
               CASE enablement_lift.metric
                   WHEN 'win_rate' THEN d.is_won::int::numeric
                   WHEN 'cycle_time' THEN CASE WHEN d.is_won AND d.ended_at >= d.created_at
                                               THEN extract(epoch FROM d.ended_at - d.created_at) / 86400 END
                   ELSE CASE WHEN d.is_won THEN d.amount END END AS y
        FROM revrtm.deal d
        WHERE d.is_closed AND d.partner_id IS NOT NULL AND d.ended_at <= revrtm.as_of()
    ), cell AS (
        SELECT k.quarter, t.partner_id IS NOT NULL AS treated, o.period >= k.again AS later,
               count(*) AS n, count(DISTINCT o.partner_id) AS parties, avg(o.y) AS mean, var_samp(o.y) AS variance
        FROM cohort k
             JOIN outcome o ON o.period >= k.first AND o.period < k.quarter OR o.period >= k.again AND o.period < k.until
             LEFT JOIN taken t ON t.partner_id = o.partner_id AND t.quarter = k.quarter
        WHERE o.y IS NOT NULL
          -- The others were not certified until the end of it.
          AND (t.partner_id IS NOT NULL
               OR NOT EXISTS (SELECT FROM taken x WHERE x.partner_id = o.partner_id AND x.quarter < k.until))
        GROUP BY 1, 2, 3
    ), wide AS (
        SELECT k.quarter,
               (SELECT count(*) FROM taken t WHERE t.quarter = k.quarter) AS partners,
               coalesce(max(c.parties) FILTER (WHERE NOT c.treated), 0) AS others,
               coalesce(sum(c.n) FILTER (WHERE c.treated AND NOT c.later), 0)::bigint AS tb,
               coalesce(sum(c.n) FILTER (WHERE c.treated AND c.later), 0)::bigint AS ta,
               coalesce(sum(c.n) FILTER (WHERE NOT c.treated AND NOT c.later), 0)::bigint AS ob,
               coalesce(sum(c.n) FILTER (WHERE NOT c.treated AND c.later), 0)::bigint AS oa,
               sum(c.mean) FILTER (WHERE c.treated AND NOT c.later) AS before,
               sum(c.mean) FILTER (WHERE c.treated AND c.later) AS after,
               sum(c.mean) FILTER (WHERE NOT c.treated AND NOT c.later) AS others_before,
               sum(c.mean) FILTER (WHERE NOT c.treated AND c.later) AS others_after,
               sum(c.variance / c.n) AS variance
        FROM cohort k LEFT JOIN cell c ON c.quarter = k.quarter
        GROUP BY k.quarter
    ), judged AS (
        SELECT w.*, (w.after - w.before) - (w.others_after - w.others_before) AS lift,
               CASE WHEN least(w.tb, w.ta, w.ob, w.oa) >= (SELECT t.least_group FROM revrtm.enablement_terms t)
                    THEN sqrt(w.variance) END AS error
        FROM wide w
    )
    SELECT j.quarter, j.partners, j.others, j.tb, j.ta, j.ob, j.oa,
           round(j.before, 6), round(j.after, 6), round(j.others_before, 6), round(j.others_after, 6),
           round(j.lift, 6), round(j.error, 6),
           round(j.lift - 1.959963984540054 * j.error, 6), round(j.lift + 1.959963984540054 * j.error, 6),
           'association', CASE WHEN j.error IS NULL THEN 'small_n' END
    FROM judged j
    ORDER BY j.quarter;
END
$$;
COMMENT ON FUNCTION revrtm.enablement_lift(text, integer, text) IS
'Difference in differences: how much more the deals of partners first certified in a quarter changed, from so many months before that quarter to so many after it, than those of partners that were not certified until then. metric: win_rate (of closed deals), cycle_time (days, won deals) or deal_size (amount of won deals in revrtm.currency); course: of which one, NULL for any. One row a quarter: lift = (after - before) - (others_after - others_before), its standard error sqrt of the sum of s^2/n over the four groups, and the interval of 95 %, lift +- 1.96 errors. No interval, note small_n, where a group has fewer than enablement_terms.least_group deals. It is association: partners that certify their people may be better for other reasons. 22023 for another metric, or months beyond 1 to 60.';

INSERT INTO revrtm.note (note, meaning) VALUES
('overbooked', 'What is booked in the entry of the CRM is more than its amount.'),
('unlinked', 'It touched no deal that is known.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('enablement_ledger', 'amount', 'reporting currency', true),
('enablement_ledger', 'committed', 'reporting currency', true),
('enablement_outcome', 'entries', 'rows', false),
('enablement_outcome', 'margin', 'reporting currency', false),
('enablement_outcome', 'margin_share', 'reporting currency', true),
('enablement_return', 'amount', 'reporting currency', true),
('enablement_return', 'committed', 'reporting currency', true),
('enablement_return', 'entries', 'rows', true),
('enablement_return', 'fx_missing', 'rows', true),
('enablement_return', 'links', 'deals', true),
('enablement_return', 'margin_share', 'reporting currency', true),
('enablement_return', 'roi', 'ratio', false),
('enablement_return', 'unlinked', 'reporting currency', true),
('enablement_return', 'unlinked_share', 'share', false),
('enablement_return', 'won_links', 'deals', true);
