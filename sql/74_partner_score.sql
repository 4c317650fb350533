-- How good partners are among their like, and which tier that earns: weights
-- and criteria are rows, a tier is kept until a partner falls well below it.

CREATE TABLE revrtm.partner_metric (
    metric  text PRIMARY KEY CHECK (metric <> ''),
    weight  numeric NOT NULL CHECK (weight BETWEEN 0 AND 1),
    better  text NOT NULL CHECK (better IN ('high', 'low')),
    shipped boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_metric', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.partner_metric IS
'What partners are scored by. Weights that do not sum to 1 count by their part of the sum, and partner_score says so. Grain: one metric.';
COMMENT ON COLUMN revrtm.partner_metric.metric IS
'A metric that partner_metrics() gives; one it does not give is missing for every partner.';
COMMENT ON COLUMN revrtm.partner_metric.weight IS 'Its part of the score, 0 to 1; 0 for one that only tiers use.';
COMMENT ON COLUMN revrtm.partner_metric.better IS 'Whether high or low values are the better ones.';
COMMENT ON COLUMN revrtm.partner_metric.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.partner_metric (metric, weight, better, shipped) VALUES
('won_amount', 0.25, 'high', true),
('win_rate', 0.2, 'high', true),
('open_amount', 0.15, 'high', true),
('certified_people', 0.15, 'high', true),
('cycle_time', 0.1, 'low', true),
('referrals_in_time', 0.075, 'high', true),
('steps_in_time', 0.075, 'high', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.partner_metric
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('metric');
SELECT revrtm.register_policy('revrtm.partner_metric');
GRANT SELECT ON revrtm.partner_metric TO PUBLIC;

CREATE FUNCTION revrtm.partner_metrics(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (partner_id text, peer_group text, metric text, value numeric, n bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 500
BEGIN ATOMIC
    WITH span AS (
        SELECT ((partner_metrics.at AT TIME ZONE p.timezone) - pg_catalog.make_interval(months => t.score_months))
               AT TIME ZONE p.timezone AS since, p.timezone, p.calendar
        FROM revrtm.programme p JOIN revrtm.enablement_terms t ON t.terms = 'default'
        WHERE p.programme = 'default'
    ), who AS (
        SELECT coalesce(p.partner_id, d.partner_id) AS partner_id,
               coalesce(min(nullif(p.partner_type, '')), '(none)') AS peer_group
        FROM revrtm.partner p
             FULL JOIN (SELECT DISTINCT k.partner_id FROM revrtm.deal k WHERE k.partner_id IS NOT NULL) d
               ON d.partner_id = p.partner_id
        GROUP BY 1
    ), sold AS (
        SELECT d.partner_id,
               count(*) FILTER (WHERE d.ended_at > s.since AND d.ended_at <= partner_metrics.at AND d.is_closed) AS closed,
               count(*) FILTER (WHERE d.ended_at > s.since AND d.ended_at <= partner_metrics.at AND d.is_won) AS won,
               sum(d.amount) FILTER (WHERE d.ended_at > s.since AND d.ended_at <= partner_metrics.at AND d.is_won) AS won_amount,
               count(*) FILTER (WHERE d.created_at <= partner_metrics.at
                                AND (NOT d.is_closed OR d.ended_at > partner_metrics.at)) AS open,
               sum(d.amount) FILTER (WHERE d.created_at <= partner_metrics.at
                                     AND (NOT d.is_closed OR d.ended_at > partner_metrics.at)) AS open_amount,
               revrtm.quantile_agg((extract(epoch FROM d.ended_at - d.created_at) / 86400)::float8)
                   FILTER (WHERE d.ended_at > s.since AND d.ended_at <= partner_metrics.at AND d.is_won
                           AND d.ended_at >= d.created_at) AS days
        FROM revrtm.deal d CROSS JOIN span s
        WHERE d.partner_id IS NOT NULL
        GROUP BY d.partner_id
    ), learnt AS (
        SELECT c.partner_id, count(DISTINCT c.person_id) AS people
        FROM revrtm.certification c JOIN revrtm.course k ON k.course_id = c.course_id
        WHERE c.status IN ('granted', 'revoked') AND c.valid @> partner_metrics.at
        GROUP BY c.partner_id
    ), referred AS (
        SELECT r.partner_id, count(*) AS n,
               count(*) FILTER (WHERE r.status IN ('accepted', 'declined') AND r.decided_at <= partner_metrics.at
                                AND revrtm.business_hours_between(r.due_at, r.decided_at, s.calendar) <= 0) AS in_time
        FROM revrtm.referral r CROSS JOIN span s
        WHERE r.opened_by = 'vendor' AND r.due_at > s.since AND r.due_at <= partner_metrics.at AND r.status <> 'withdrawn'
        GROUP BY r.partner_id
    ), stepped AS (
        SELECT k.partner_id, count(*) AS n,
               count(*) FILTER (WHERE revrtm.programme_date(k.done_at) <= k.due AND k.done_at <= partner_metrics.at) AS in_time
        FROM revrtm.plan_step k
             JOIN revrtm.action_plan a ON a.plan_id = k.plan_id AND a.account_id = k.account_id
             CROSS JOIN span s
        WHERE k.owner_party = 'partner' AND a.status IN ('agreed', 'closed')
          AND k.due > (s.since AT TIME ZONE s.timezone)::date AND k.due < revrtm.programme_date(partner_metrics.at)
        GROUP BY k.partner_id
    )
    SELECT w.partner_id, w.peer_group, m.metric, m.value, coalesce(m.n, 0)
    FROM who w
         LEFT JOIN sold o ON o.partner_id = w.partner_id
         LEFT JOIN learnt l ON l.partner_id = w.partner_id
         LEFT JOIN referred r ON r.partner_id = w.partner_id
         LEFT JOIN stepped k ON k.partner_id = w.partner_id
         CROSS JOIN LATERAL (VALUES
             ('won_amount'::text, coalesce(o.won_amount, 0), o.won),
             ('win_rate', revrtm.ratio(o.won, o.closed), o.closed),
             ('open_amount', coalesce(o.open_amount, 0), o.open),
             ('certified_people', coalesce(l.people, 0)::numeric, l.people),
             ('cycle_time', revrtm.quantile(o.days, 0.5)::numeric, revrtm.quantile_count(o.days)),
             ('referrals_in_time', revrtm.ratio(r.in_time, r.n), r.n),
             ('steps_in_time', revrtm.ratio(k.in_time, k.n), k.n)) m (metric, value, n);
END;
COMMENT ON FUNCTION revrtm.partner_metrics(timestamptz) IS
'The metrics of every partner at an instant, over enablement_terms.score_months until then: won_amount (revrtm.currency), win_rate (won of closed deals), open_amount (of deals open then), certified_people, cycle_time (median days of won deals), referrals_in_time (answered of those that we sent), steps_in_time (of its own steps that fell due in mutual action plans). value is NULL where n is 0 and a rate or median has nothing to be made of. peer_group is the partner''s type. Deals are those with the partner on them, as the store of journeys has them now; what the caller may see of the rest.';

CREATE FUNCTION revrtm.partner_scores(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (partner_id text, peer_group text, peers bigint, score numeric, coverage numeric,
    place bigint, band text, note text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    WITH measured AS (
        SELECT v.partner_id, v.peer_group, v.metric, v.value, m.weight,
               CASE m.better WHEN 'high' THEN v.value ELSE - v.value END AS merit
        FROM revrtm.partner_metrics(partner_scores.at) v JOIN revrtm.partner_metric m ON m.metric = v.metric
    ), ranked AS (
        SELECT v.*,
               -- Those below, and of the others alike one half.
               revrtm.ratio(2 * (rank() OVER beside - 1)
                            + count(*) OVER (PARTITION BY v.peer_group, v.metric, v.merit) - 1,
                            2 * (count(*) OVER (PARTITION BY v.peer_group, v.metric) - 1)) AS percentile
        FROM measured v
        WHERE v.value IS NOT NULL
        WINDOW beside AS (PARTITION BY v.peer_group, v.metric ORDER BY v.merit)
    ), scored AS (
        SELECT p.partner_id, p.peer_group,
               revrtm.ratio(sum(r.weight * r.percentile), sum(r.weight) FILTER (WHERE r.percentile IS NOT NULL)) AS score,
               revrtm.ratio(coalesce(sum(r.weight) FILTER (WHERE r.percentile IS NOT NULL), 0),
                            (SELECT sum(m.weight) FROM revrtm.partner_metric m)) AS coverage
        FROM (SELECT DISTINCT k.partner_id, k.peer_group FROM measured k) p
             LEFT JOIN ranked r ON r.partner_id = p.partner_id
        GROUP BY p.partner_id, p.peer_group
    ), placed AS (
        SELECT s.*, count(*) OVER (PARTITION BY s.peer_group) AS peers,
               CASE WHEN s.score IS NOT NULL THEN
                   rank() OVER (PARTITION BY s.peer_group ORDER BY s.score DESC NULLS LAST) END AS place,
               count(s.score) OVER (PARTITION BY s.peer_group) AS scored
        FROM scored s
    )
    SELECT p.partner_id, p.peer_group, p.peers, round(p.score, 6), round(p.coverage, 6), p.place,
           CASE WHEN 10 * (p.place - 1) < p.scored THEN 'top'
                WHEN 10 * (p.place - 1) < 7 * p.scored THEN 'middle'
                WHEN p.place IS NOT NULL THEN 'low' END,
           CASE WHEN p.score IS NULL THEN 'no_metric'
                WHEN (SELECT sum(m.weight) FROM revrtm.partner_metric m) <> 1 THEN 'weights_not_whole'
                WHEN p.peers < (SELECT t.least_group FROM revrtm.enablement_terms t) THEN 'small_n' END
    FROM placed p;
END;
COMMENT ON FUNCTION revrtm.partner_scores(timestamptz) IS
'The scorecard of partners at an instant: the weighted mean of their percentile ranks among the partners of their type, 0 to 1, each the share of peers that are worse, those alike counted half. A metric without a value leaves its weight to the others, and coverage says how much weight there was. band: top for the first tenth by place, middle for the next six tenths, low for the rest. note: no_metric (nothing to score), weights_not_whole, small_n (fewer peers than enablement_terms.least_group).';

CREATE VIEW revrtm.partner_score WITH (security_invoker = true) AS
SELECT s.partner_id AS partner_score_key,
       s.partner_id,
       p.partner_name,
       s.peer_group,
       s.peers,
       s.score::numeric(9, 6) AS score,
       s.coverage::numeric(9, 6) AS coverage,
       s.place,
       s.band,
       s.note
FROM revrtm.partner_scores((SELECT revrtm.as_of())) s
     LEFT JOIN (SELECT k.partner_id, min(k.partner_name) AS partner_name FROM revrtm.partner k GROUP BY k.partner_id) p
       ON p.partner_id = s.partner_id;
COMMENT ON VIEW revrtm.partner_score IS 'The scorecard of partners as of today (revrtm.as_of), see partner_scores(). Grain: one partner.';
COMMENT ON COLUMN revrtm.partner_score.partner_score_key IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_score.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_score.partner_name IS 'Its name.';
COMMENT ON COLUMN revrtm.partner_score.peer_group IS 'Its type, among whose partners it is ranked; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.partner_score.peers IS 'Partners of that type.';
COMMENT ON COLUMN revrtm.partner_score.score IS 'Weighted mean of its percentile ranks, 0 to 1; NULL where it has no metric.';
COMMENT ON COLUMN revrtm.partner_score.coverage IS 'Weight of the metrics that it has, 0 to 1.';
COMMENT ON COLUMN revrtm.partner_score.place IS 'Place among its peers, from 1; partners with equal scores share it.';
COMMENT ON COLUMN revrtm.partner_score.band IS 'top, middle or low.';
COMMENT ON COLUMN revrtm.partner_score.note IS 'no_metric, weights_not_whole, small_n, or NULL.';

-- Tiers.

CREATE TABLE revrtm.tier (
    tier    text PRIMARY KEY CHECK (octet_length(tier) BETWEEN 1 AND 255),
    rank    integer NOT NULL CHECK (rank >= 0),
    keep    numeric NOT NULL DEFAULT 0.9 CHECK (keep > 0 AND keep <= 1),
    shipped boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.tier', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.tier IS 'Tiers of partners. Grain: one tier.';
COMMENT ON COLUMN revrtm.tier.tier IS 'Name of the tier.';
COMMENT ON COLUMN revrtm.tier.rank IS 'Higher ranks are better tiers; of two alike the one whose name is first bytewise.';
COMMENT ON COLUMN revrtm.tier.keep IS
'A partner in the tier keeps it while it meets this part of each criterion, so that it does not come and go at the edge.';
COMMENT ON COLUMN revrtm.tier.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.tier (tier, rank, shipped) VALUES ('registered', 0, true), ('silver', 1, true), ('gold', 2, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.tier
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('tier');
SELECT revrtm.register_policy('revrtm.tier');

CREATE TABLE revrtm.tier_criterion (
    tier      text NOT NULL CHECK (octet_length(tier) BETWEEN 1 AND 255),
    metric    text NOT NULL CHECK (metric <> ''),
    threshold numeric NOT NULL CHECK (threshold >= 0 AND threshold < 'Infinity'),
    shipped   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tier, metric)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.tier_criterion', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.tier_criterion IS
'What a tier takes: all of its criteria; none for a tier that everybody has. Grain: one metric of one tier.';
COMMENT ON COLUMN revrtm.tier_criterion.tier IS 'The tier.';
COMMENT ON COLUMN revrtm.tier_criterion.metric IS 'A metric of partner_metric; nobody meets one that is not there, or without a value.';
COMMENT ON COLUMN revrtm.tier_criterion.threshold IS 'The least value, or the greatest where low values are better.';
COMMENT ON COLUMN revrtm.tier_criterion.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.tier_criterion (tier, metric, threshold, shipped) VALUES
('silver', 'won_amount', 100000, true),
('silver', 'certified_people', 2, true),
('gold', 'won_amount', 500000, true),
('gold', 'certified_people', 4, true),
('gold', 'win_rate', 0.2, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.tier_criterion
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('tier', 'metric');
SELECT revrtm.register_policy('revrtm.tier_criterion');
GRANT SELECT ON revrtm.tier, revrtm.tier_criterion TO PUBLIC;

CREATE TABLE revrtm.partner_tier (
    partner_id text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    tier       text NOT NULL CHECK (octet_length(tier) BETWEEN 1 AND 255),
    valid      tstzrange NOT NULL,
    PRIMARY KEY (partner_id, valid),
    CONSTRAINT partner_tier_valid CHECK (NOT isempty(valid) AND isfinite(lower(valid)) AND lower_inc(valid)
        AND NOT upper_inc(valid)),
    CONSTRAINT partner_tier_one EXCLUDE USING gist (partner_id WITH =, valid WITH &&)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_tier', '');
COMMENT ON TABLE revrtm.partner_tier IS
'The tiers that partners had and have, written by assign_tiers() or by hand; at any instant a partner has at most one (partner_tier_one, 23P01). Grain: one stretch of time of one partner.';
COMMENT ON COLUMN revrtm.partner_tier.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_tier.tier IS 'Its tier.';
COMMENT ON COLUMN revrtm.partner_tier.valid IS 'When it had it, [from, until); without an end, still.';
ALTER TABLE revrtm.partner_tier ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.partner_tier USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.partner_tier FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner_read ON revrtm.partner_tier FOR SELECT USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());

CREATE FUNCTION revrtm.tier_at(partner_id text, at timestamptz DEFAULT revrtm.as_of()) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE COST 100
BEGIN ATOMIC
    SELECT t.tier FROM revrtm.partner_tier t WHERE t.partner_id = tier_at.partner_id AND t.valid @> tier_at.at;
END;
COMMENT ON FUNCTION revrtm.tier_at(text, timestamptz) IS
'The tier of a partner at an instant; NULL where it had none, or for whoever may not see it.';

CREATE FUNCTION revrtm.tier_check(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (partner_id text, tier text, rank integer, metric text, value numeric, threshold numeric,
    is_met boolean, is_kept boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 500
BEGIN ATOMIC
    WITH measured AS MATERIALIZED (
        SELECT v.partner_id, v.metric, m.better, CASE WHEN m.metric IS NOT NULL THEN v.value END AS value
        FROM revrtm.partner_metrics(tier_check.at) v LEFT JOIN revrtm.partner_metric m ON m.metric = v.metric
    )
    SELECT p.partner_id, t.tier, t.rank, c.metric, v.value, c.threshold,
           coalesce(CASE v.better WHEN 'low' THEN v.value <= c.threshold ELSE v.value >= c.threshold END, c.metric IS NULL),
           coalesce(CASE v.better WHEN 'low' THEN v.value * t.keep <= c.threshold ELSE v.value >= c.threshold * t.keep END,
                    c.metric IS NULL)
    FROM (SELECT DISTINCT k.partner_id FROM measured k) p
         CROSS JOIN revrtm.tier t
         LEFT JOIN revrtm.tier_criterion c ON c.tier = t.tier
         LEFT JOIN measured v ON v.partner_id = p.partner_id AND v.metric = c.metric;
END;
COMMENT ON FUNCTION revrtm.tier_check(timestamptz) IS
'Each criterion of each tier for each partner at an instant: its value, the threshold, whether it is met, and whether well enough for one who has the tier (tier.keep). A tier without criteria has one row without a metric, which is met.';

CREATE FUNCTION revrtm.earned_tiers(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (partner_id text, tier text, current_tier text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
    SELECT k.partner_id,
           -- The best that is met, or is kept by who has it or a better one.
           (pg_catalog.array_agg(k.tier ORDER BY k.rank DESC, k.tier COLLATE "C")
            FILTER (WHERE k.met OR k.kept AND k.rank <= h.rank))[1],
           min(c.tier)
    FROM (SELECT t.partner_id, t.tier, t.rank, bool_and(t.is_met) AS met, bool_and(t.is_kept) AS kept
          FROM revrtm.tier_check(earned_tiers.at) t
          GROUP BY t.partner_id, t.tier, t.rank) k
         LEFT JOIN revrtm.partner_tier c ON c.partner_id = k.partner_id AND c.valid @> earned_tiers.at
         LEFT JOIN revrtm.tier h ON h.tier = c.tier
    GROUP BY k.partner_id;
END;
COMMENT ON FUNCTION revrtm.earned_tiers(timestamptz) IS
'The tier that each partner is to have at an instant, and the one it has then: the best whose criteria are all met, or, up to the one it has, met to the part that tier.keep asks. NULL where no tier is.';

CREATE FUNCTION revrtm.assign_tiers(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (partner_id text, old_tier text, new_tier text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    later record;
BEGIN
    IF assign_tiers.at IS NULL OR NOT isfinite(assign_tiers.at) THEN
        RAISE EXCEPTION 'tiers are assigned at a finite instant' USING ERRCODE = '22023';
    END IF;
    -- One at a time.
    LOCK TABLE revrtm.partner_tier IN SHARE ROW EXCLUSIVE MODE;
    SELECT t.partner_id INTO later
    FROM revrtm.partner_tier t
    WHERE greatest(lower(t.valid), upper(t.valid)) >= assign_tiers.at ORDER BY t.partner_id COLLATE "C" LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'tiers have changed since'
            USING ERRCODE = '22023', DETAIL = format('That of partner %s did.', quote_literal(later.partner_id)),
                  HINT = 'The history of tiers goes forward.';
    END IF;
    RETURN QUERY
    WITH change AS MATERIALIZED (
        SELECT e.partner_id, e.current_tier, e.tier FROM revrtm.earned_tiers(assign_tiers.at) e
        WHERE e.tier IS DISTINCT FROM e.current_tier
    ), ended AS (
        UPDATE revrtm.partner_tier t SET valid = tstzrange(lower(t.valid), assign_tiers.at)
        FROM change c WHERE t.partner_id = c.partner_id AND t.valid @> assign_tiers.at
        RETURNING t.partner_id
    ), begun AS (
        INSERT INTO revrtm.partner_tier (partner_id, tier, valid)
        SELECT c.partner_id, c.tier, tstzrange(assign_tiers.at, NULL)
        FROM change c
        -- What ends is written before.
        WHERE c.tier IS NOT NULL AND (SELECT count(*) FROM ended) >= 0
        RETURNING partner_id
    )
    SELECT c.partner_id, c.current_tier, c.tier FROM change c WHERE (SELECT count(*) FROM begun) >= 0
    ORDER BY c.partner_id COLLATE "C";
END
$$;
COMMENT ON FUNCTION revrtm.assign_tiers(timestamptz) IS
'Gives every partner the tier that it is to have at an instant (earned_tiers), ends what it had, and returns who moved. For staff that may read all (grant_reader). 22023 where the history has changes at that instant or after it.';

CREATE VIEW revrtm.partner_tier_gap WITH (security_invoker = true) AS
SELECT concat_ws(':', quote_ident(g.partner_id), quote_ident(g.metric)) AS partner_tier_gap_key,
       g.partner_id,
       g.current_tier,
       g.next_tier,
       g.metric,
       g.value::numeric(20, 6) AS value,
       g.threshold::numeric(20, 6) AS threshold,
       CASE WHEN g.value IS NULL THEN 'no_value' END AS note
FROM (SELECT k.partner_id, h.tier AS current_tier, k.tier AS next_tier, k.metric, k.value, k.threshold, k.is_met, k.rank,
             min(k.rank) FILTER (WHERE NOT k.is_met) OVER (PARTITION BY k.partner_id) AS next_rank
      FROM revrtm.tier_check((SELECT revrtm.as_of())) k
           LEFT JOIN revrtm.partner_tier c ON c.partner_id = k.partner_id AND c.valid @> (SELECT revrtm.as_of())
           LEFT JOIN revrtm.tier h ON h.tier = c.tier
      WHERE k.rank > coalesce(h.rank, -1)) g
WHERE g.rank = g.next_rank AND NOT g.is_met;
COMMENT ON VIEW revrtm.partner_tier_gap IS
'What partners lack for the next tier, as of today (revrtm.as_of). Grain: one metric of one partner; no row where it lacks nothing.';
COMMENT ON COLUMN revrtm.partner_tier_gap.partner_tier_gap_key IS 'partner_id:metric.';
COMMENT ON COLUMN revrtm.partner_tier_gap.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_tier_gap.current_tier IS 'Its tier; NULL for none.';
COMMENT ON COLUMN revrtm.partner_tier_gap.next_tier IS 'The lowest better one that it does not meet.';
COMMENT ON COLUMN revrtm.partner_tier_gap.metric IS 'A criterion of that, which it does not meet.';
COMMENT ON COLUMN revrtm.partner_tier_gap.value IS 'Its value.';
COMMENT ON COLUMN revrtm.partner_tier_gap.threshold IS 'What the tier asks.';
COMMENT ON COLUMN revrtm.partner_tier_gap.note IS 'no_value, or NULL.';

-- What the rules on registrations may know of a partner; called by their code
-- with the rights of the tables' owner, and by nobody else.
CREATE FUNCTION revrtm.partner_fact(partner_id text, product_codes text[], people integer, tier text, at timestamptz)
RETURNS TABLE (certified boolean, has_tier boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM pg_catalog.unnest(partner_fact.product_codes) c (code)
                       WHERE revrtm.certified_people(partner_fact.partner_id, c.code, partner_fact.at) < partner_fact.people),
           coalesce((SELECT has.rank >= wanted.rank
                     FROM revrtm.tier has, revrtm.tier wanted
                     WHERE has.tier = revrtm.tier_at(partner_fact.partner_id, partner_fact.at)
                       AND wanted.tier = partner_fact.tier), false);
END;
REVOKE ALL ON FUNCTION revrtm.partner_fact(text, text[], integer, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.partner_fact(text, text[], integer, text, timestamptz) IS
'Facts of a partner at an instant: whether so many of its people are certified for each of the products; whether it has that tier or a better one. For the rules alone.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_metric', 'The partner has no metric to be scored by, or nobody to be compared with.'),
('no_value', 'There is nothing to measure it by.'),
('weights_not_whole', 'The weights do not sum to 1; each counts by its part of their sum.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('partner_score', 'coverage', 'share', false),
('partner_score', 'peers', 'rows', false),
('partner_score', 'place', 'rows', false),
('partner_score', 'score', 'score', false),
('partner_tier_gap', 'threshold', 'score', false),
('partner_tier_gap', 'value', 'score', false);

-- The rights of the two sides, called by grant_partner and grant_staff.

CREATE FUNCTION revrtm.grant_enablement(role_name text, staff boolean) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON revrtm.fund, revrtm.mdf_request, revrtm.spiff_award, revrtm.learner,
        revrtm.certification, revrtm.action_plan, revrtm.plan_step, revrtm.referral, revrtm.partner_tier,
        revrtm.certification_expiry, revrtm.curriculum_progress, revrtm.fund_use, revrtm.plan_step_state,
        revrtm.plan_health, revrtm.plan_overdue, revrtm.referral_sla, revrtm.referral_acceptance TO %I', role_name);
    EXECUTE format('GRANT INSERT, DELETE ON revrtm.learner TO %I', role_name);
    EXECUTE format('GRANT INSERT (plan_id, step, owner_party, owner_name, task, due, done_at),
        UPDATE (owner_party, owner_name, task, due, done_at) ON revrtm.plan_step TO %I', role_name);
    IF staff THEN
        EXECUTE format('GRANT SELECT ON revrtm.life_cycle_event, revrtm.course TO %I', role_name);
        EXECUTE format('GRANT INSERT (fund_id, kind, partner_id, valid, amount, currency, award, route_id),
            UPDATE (fund_id, kind, partner_id, valid, amount, currency, award, route_id), DELETE
            ON revrtm.fund TO %I', role_name);
        EXECUTE format('GRANT INSERT (request_id, partner_id, fund_id, activity, channel, product_code, during,
                requested_amount, approved_amount, currency, status, claim_by, opportunity_ids, details),
            UPDATE (fund_id, activity, channel, product_code, during, requested_amount, approved_amount, claimed_amount,
                paid_amount, currency, status, claim_by, proof, opportunity_ids, paid_on, spend_id, details, decision_reason)
            ON revrtm.mdf_request TO %I', role_name);
        EXECUTE format('GRANT INSERT (award_id, account_id, opportunity_id, fund_id, partner_id, person_id, amount,
                currency, held_on, status, details),
            UPDATE (amount, status, paid_on, spend_id, details, decision_reason) ON revrtm.spiff_award TO %I', role_name);
        EXECUTE format('GRANT INSERT (certification_id, partner_id, person_id, course_id, status, taken_on, valid, cost,
                currency, spend_id, details, decision_reason),
            UPDATE (status, taken_on, valid, cost, currency, spend_id, details, decision_reason)
            ON revrtm.certification TO %I', role_name);
        EXECUTE format('GRANT INSERT (plan_id, account_id, opportunity_id, partner_id, opened_by, title, owner_id,
                status, details), UPDATE (title, owner_id, status, details, decision_reason)
            ON revrtm.action_plan TO %I', role_name);
        EXECUTE format('GRANT DELETE ON revrtm.plan_step TO %I', role_name);
        EXECUTE format('GRANT INSERT (referral_id, account_id, opportunity_id, partner_id, opened_by, status, details, sent_at),
            UPDATE (opportunity_id, status, details, decision_reason) ON revrtm.referral TO %I', role_name);
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON revrtm.course, revrtm.curriculum, revrtm.partner_tier TO %I', role_name);
    ELSE
        EXECUTE format('GRANT SELECT (event_id, subject, subject_id, partner_id, at, acted_as, from_status, to_status,
            reason, changed) ON revrtm.life_cycle_event TO %I', role_name);
        EXECUTE format('GRANT INSERT (partner_id, fund_id, activity, channel, product_code, during, requested_amount,
                currency, status, details),
            UPDATE (fund_id, activity, channel, product_code, during, requested_amount, claimed_amount, currency, status,
                proof, opportunity_ids, details) ON revrtm.mdf_request TO %I', role_name);
        EXECUTE format('GRANT INSERT (partner_id, person_id, course_id, status, taken_on, details)
            ON revrtm.certification TO %I', role_name);
        EXECUTE format('GRANT INSERT (account_id, opportunity_id, partner_id, opened_by, title, status, details),
            UPDATE (title, status, details, decision_reason) ON revrtm.action_plan TO %I', role_name);
        EXECUTE format('GRANT INSERT (account_id, opportunity_id, partner_id, opened_by, status, details),
            UPDATE (opportunity_id, status, details, decision_reason) ON revrtm.referral TO %I', role_name);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION revrtm.grant_enablement(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.grant_enablement(text, boolean) IS
'Part of grant_partner and grant_staff: certificates, funds, requests, plans and referrals. For the owner of the tables.';
