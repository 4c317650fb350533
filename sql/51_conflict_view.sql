-- Conflicts as they are found and followed: what claims an account today,
-- which claims collide, the scan that makes cases of it, and who is how often
-- part of one.

CREATE VIEW revrtm.conflict_claim WITH (security_invoker = true) AS
SELECT concat_ws(':', c.claim, coalesce(c.product, '(any)'), coalesce(c.region, '(any)')) AS conflict_claim_key,
       c.claim,
       c.account_id,
       c.partner_id,
       c.product,
       c.region,
       c.during,
       c.since,
       c.is_protected,
       c.opportunity_id
FROM (
    SELECT 'registration:' || d.registration_id AS claim, d.account_id, d.partner_id, p.code AS product, r.code AS region,
           d.protection AS during, d.submitted_at AS since, true AS is_protected, d.opportunity_id
    FROM revrtm.deal_registration d
    CROSS JOIN LATERAL (SELECT DISTINCT u.code FROM unnest(d.product_codes) u (code)) p
    CROSS JOIN LATERAL (SELECT DISTINCT u.code FROM unnest(d.region_codes) u (code)) r
    WHERE d.active AND d.exclusive
      AND NOT coalesce(upper(d.protection) <= (SELECT revrtm.programme_date(revrtm.as_of())), false)
    UNION ALL
    SELECT 'opportunity:' || o.opportunity_id, o.account_id, o.partner_id, o.product, o.region,
           daterange(revrtm.programme_date(o.created_at), NULL), o.created_at, false, o.opportunity_id
    FROM revrtm.opportunity o
    WHERE NOT o.is_closed AND o.deleted IS NOT TRUE AND o.account_id <> '(none)') c;
COMMENT ON VIEW revrtm.conflict_claim IS
'What claims accounts today: exclusive registrations that protect, and the open deals of the bound CRM, from their creation on. Grain: one product and region of one claim.';
COMMENT ON COLUMN revrtm.conflict_claim.conflict_claim_key IS 'claim:product:region.';
COMMENT ON COLUMN revrtm.conflict_claim.claim IS 'registration:registration_id, or opportunity:opportunity_id.';
COMMENT ON COLUMN revrtm.conflict_claim.account_id IS 'The account, as the claim has it.';
COMMENT ON COLUMN revrtm.conflict_claim.partner_id IS 'Whose claim it is; NULL for direct.';
COMMENT ON COLUMN revrtm.conflict_claim.product IS 'Product; NULL for any.';
COMMENT ON COLUMN revrtm.conflict_claim.region IS 'Region; NULL for any.';
COMMENT ON COLUMN revrtm.conflict_claim.during IS 'Days of the claim.';
COMMENT ON COLUMN revrtm.conflict_claim.since IS 'When it was made.';
COMMENT ON COLUMN revrtm.conflict_claim.is_protected IS 'Whether it is a registration.';
COMMENT ON COLUMN revrtm.conflict_claim.opportunity_id IS 'The deal that it is or became; NULL for none.';

CREATE VIEW revrtm.claim_conflict WITH (security_invoker = true) AS
WITH side AS (
    SELECT DISTINCT c.claim, c.partner_id, c.since, c.is_protected, c.opportunity_id
    FROM revrtm.conflict_claim c
), pair AS (
    SELECT o.claim_a, o.claim_b, o.account_id,
           string_agg(DISTINCT coalesce(o.product, '(any)') COLLATE "C", ',') AS products,
           string_agg(DISTINCT coalesce(o.region, '(any)') COLLATE "C", ',') AS regions,
           range_merge(range_agg(o.overlap)) AS overlap
    FROM revrtm.overlapping_claims($$
        SELECT c.claim AS claim_id, c.account_id, c.partner_id AS party, c.product, c.region, c.during
        FROM revrtm.conflict_claim c$$) o
    GROUP BY o.claim_a, o.claim_b, o.account_id
)
SELECT p.claim_a || '|' || p.claim_b AS claim_conflict_key,
       p.account_id,
       CASE WHEN a.partner_id IS NULL OR b.partner_id IS NULL THEN 'direct_partner' ELSE 'partner_partner' END AS kind,
       a.is_protected OR b.is_protected AS is_protected,
       p.claim_a,
       a.partner_id AS partner_a,
       a.since AS since_a,
       p.claim_b,
       b.partner_id AS partner_b,
       b.since AS since_b,
       p.products,
       p.regions,
       p.overlap,
       c.case_id,
       c.status AS case_status
FROM pair p
JOIN side a ON a.claim = p.claim_a
JOIN side b ON b.claim = p.claim_b
LEFT JOIN revrtm.conflict_case c ON c.account_id = p.account_id AND c.claim_a = p.claim_a AND c.claim_b = p.claim_b
-- A registration does not collide with the deal that it became.
WHERE a.opportunity_id IS DISTINCT FROM b.opportunity_id OR a.opportunity_id IS NULL;
COMMENT ON VIEW revrtm.claim_conflict IS
'Claims on one account that collide today, by overlapping_claims: open deals of the CRM of different partners, or of ours and a partner''s, and such deals with what a registration protects. Two deals of our own never collide. Grain: one pair of claims.';
COMMENT ON COLUMN revrtm.claim_conflict.claim_conflict_key IS 'claim_a|claim_b.';
COMMENT ON COLUMN revrtm.claim_conflict.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.claim_conflict.kind IS 'partner_partner or direct_partner.';
COMMENT ON COLUMN revrtm.claim_conflict.is_protected IS 'Whether one of the two is a registration that protects.';
COMMENT ON COLUMN revrtm.claim_conflict.claim_a IS 'The claim that is first bytewise.';
COMMENT ON COLUMN revrtm.claim_conflict.partner_a IS 'Its partner; NULL for direct.';
COMMENT ON COLUMN revrtm.claim_conflict.since_a IS 'When it was made.';
COMMENT ON COLUMN revrtm.claim_conflict.claim_b IS 'The other claim.';
COMMENT ON COLUMN revrtm.claim_conflict.partner_b IS 'Its partner; NULL for direct.';
COMMENT ON COLUMN revrtm.claim_conflict.since_b IS 'When it was made.';
COMMENT ON COLUMN revrtm.claim_conflict.products IS 'The products in which they collide.';
COMMENT ON COLUMN revrtm.claim_conflict.regions IS 'The regions in which they collide.';
COMMENT ON COLUMN revrtm.claim_conflict.overlap IS 'The days on which they collide.';
COMMENT ON COLUMN revrtm.claim_conflict.case_id IS 'Their case; NULL where there is none, or the reader may not see it.';
COMMENT ON COLUMN revrtm.claim_conflict.case_status IS 'Its status.';

CREATE FUNCTION revrtm.scan_conflicts(protected_only boolean DEFAULT true)
RETURNS TABLE (case_id uuid, account_id text, kind text, claim_a text, claim_b text)
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM revrtm.lapse_conflict(e.claim)
    FROM (SELECT DISTINCT p.claim
          FROM revrtm.conflict_party p
          JOIN revrtm.conflict_case c ON c.case_id = p.case_id AND c.account_id = p.account_id
          WHERE c.status = 'open'
            AND NOT EXISTS (SELECT FROM revrtm.opportunity o
                            WHERE p.claim = 'opportunity:' || o.opportunity_id AND NOT o.is_closed AND o.deleted IS NOT TRUE)
            AND NOT EXISTS (SELECT FROM revrtm.deal_registration r
                            WHERE p.claim = 'registration:' || r.registration_id
                              AND revrtm.registration_status(r.status, r.protection) IN
                                  ('submitted', 'queued', 'in_review', 'action_required', 'approved', 'extended', 'converted'))) e;
    RETURN QUERY
    SELECT o.case_id, v.account_id, v.kind, v.claim_a, v.claim_b
    FROM (SELECT c.account_id, c.kind, c.claim_a, c.partner_a, c.since_a, c.claim_b, c.partner_b, c.since_b
          FROM revrtm.claim_conflict c
          WHERE c.case_id IS NULL AND (c.is_protected OR NOT protected_only)
          UNION ALL
          -- What two sessions did to each other unseen.
          SELECT r.account_id, 'partner_partner', least(s.a COLLATE "C", s.b), CASE WHEN s.a COLLATE "C" < s.b THEN r.partner_id ELSE r.other_partner_id END,
                 CASE WHEN s.a COLLATE "C" < s.b THEN r.submitted_at ELSE r.other_submitted_at END,
                 greatest(s.a COLLATE "C", s.b), CASE WHEN s.a COLLATE "C" < s.b THEN r.other_partner_id ELSE r.partner_id END,
                 CASE WHEN s.a COLLATE "C" < s.b THEN r.other_submitted_at ELSE r.submitted_at END
          FROM revrtm.registration_conflict r
          CROSS JOIN LATERAL (SELECT 'registration:' || r.registration_id AS a, 'registration:' || r.other_registration_id AS b) s
          WHERE r.partner_id <> r.other_partner_id AND r.other_status IN ('approved', 'extended', 'converted')
            AND NOT EXISTS (SELECT FROM revrtm.conflict_case c
                            WHERE c.account_id = r.account_id AND c.claim_a = least(s.a COLLATE "C", s.b)
                              AND c.claim_b = greatest(s.a COLLATE "C", s.b))
          ORDER BY 1, 3, 6) v
    CROSS JOIN LATERAL (SELECT revrtm.open_conflict(v.account_id, v.claim_a, v.partner_a, v.since_a, v.claim_b, v.partner_b,
                                                    v.since_b, 'scan') AS case_id) o
    WHERE o.case_id IS NOT NULL;
END
$$;
COMMENT ON FUNCTION revrtm.scan_conflicts(boolean) IS
'Opens a case for every pair of claim_conflict that has none and in which a registration protects, or with protected_only false for every pair; and for registrations that wait for what another protects. Lapses open cases of deals that are closed and registrations that are over. Returns the cases it opened; a second scan at once, or later, opens none of them again. Reads the CRM and writes nothing into it. For staff, or a scheduler with its rights, that may read the bound tables.';

-- The board.

CREATE VIEW revrtm.open_case WITH (security_invoker = true) AS
WITH side AS (
    SELECT p.case_id, p.account_id, p.claim, p.partner_id, p.since, p.suspended_from,
           coalesce((SELECT sum(t.points)
                     FROM revrtm.evidence_type t
                     WHERE EXISTS (SELECT FROM revrtm.conflict_evidence e
                                   WHERE e.case_id = p.case_id AND e.claim = p.claim AND e.evidence_type = t.evidence_type
                                     AND e.verified AND (e.happened_at IS NOT NULL OR NOT t.dated))), 0) AS score
    FROM revrtm.conflict_party p
), scored AS (
    SELECT c.*, a.partner_id AS partner_a, a.since AS since_a, a.score AS score_a,
           b.partner_id AS partner_b, b.since AS since_b, b.score AS score_b,
           coalesce(a.score <> b.score AND abs(extract(epoch FROM a.since - b.since)) <= 86400.0 * r.tie_days, false) AS by_evidence,
           revrtm.add_business_hours(c.opened_at, r.due_hours::float8, g.calendar) AS due_at,
           revrtm.business_hours_between(c.opened_at, revrtm.as_of(), g.calendar)::numeric(12, 2) AS elapsed_hours
    FROM revrtm.conflict_case c
    JOIN side a ON a.case_id = c.case_id AND a.account_id = c.account_id AND a.claim = c.claim_a
    JOIN side b ON b.case_id = c.case_id AND b.account_id = c.account_id AND b.claim = c.claim_b
    LEFT JOIN revrtm.conflict_rule r ON true
    LEFT JOIN revrtm.programme g ON true
    WHERE c.status = 'open'
)
SELECT s.case_id::text AS open_case_key,
       s.case_id,
       s.account_id,
       s.kind,
       s.cause,
       s.claim_a,
       s.partner_a,
       s.since_a,
       s.score_a::numeric(12, 2) AS score_a,
       s.claim_b,
       s.partner_b,
       s.since_b,
       s.score_b::numeric(12, 2) AS score_b,
       CASE WHEN s.by_evidence THEN CASE WHEN s.score_a > s.score_b THEN s.claim_a ELSE s.claim_b END
            WHEN (s.since_a, s.claim_a COLLATE "C") < (s.since_b, s.claim_b) THEN s.claim_a
            WHEN s.since_a IS NOT NULL AND s.since_b IS NOT NULL THEN s.claim_b END AS leader,
       CASE WHEN s.by_evidence THEN 'evidence' WHEN s.since_a IS NOT NULL AND s.since_b IS NOT NULL THEN 'first_in_time' END AS leader_rule,
       s.opened_at,
       s.due_at,
       s.elapsed_hours,
       revrtm.as_of() > s.due_at AS is_overdue,
       s.reason
FROM scored s;
COMMENT ON VIEW revrtm.open_case IS
'The cases to decide, for staff. Grain: one open case.';
COMMENT ON COLUMN revrtm.open_case.open_case_key IS 'The case.';
COMMENT ON COLUMN revrtm.open_case.case_id IS 'The case.';
COMMENT ON COLUMN revrtm.open_case.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.open_case.kind IS 'partner_partner, direct_partner or duplicate.';
COMMENT ON COLUMN revrtm.open_case.cause IS 'What opened it, see conflict_case.cause.';
COMMENT ON COLUMN revrtm.open_case.claim_a IS 'The claim that is first bytewise.';
COMMENT ON COLUMN revrtm.open_case.partner_a IS 'Whose it is; (direct) for our own.';
COMMENT ON COLUMN revrtm.open_case.since_a IS 'When it was made.';
COMMENT ON COLUMN revrtm.open_case.score_a IS 'Points of its verified evidence, see evidence_type.';
COMMENT ON COLUMN revrtm.open_case.claim_b IS 'The other claim.';
COMMENT ON COLUMN revrtm.open_case.partner_b IS 'Whose it is; (direct) for our own.';
COMMENT ON COLUMN revrtm.open_case.since_b IS 'When it was made.';
COMMENT ON COLUMN revrtm.open_case.score_b IS 'Points of its verified evidence.';
COMMENT ON COLUMN revrtm.open_case.leader IS
'The claim that the terms of conflict_rule favour; whoever decides is free. NULL where it is not known when both were made.';
COMMENT ON COLUMN revrtm.open_case.leader_rule IS 'evidence, or first_in_time.';
COMMENT ON COLUMN revrtm.open_case.opened_at IS 'When it was opened.';
COMMENT ON COLUMN revrtm.open_case.due_at IS 'When it is to be decided: conflict_rule.due_hours of business time later.';
COMMENT ON COLUMN revrtm.open_case.elapsed_hours IS 'Hours of business time since its opening.';
COMMENT ON COLUMN revrtm.open_case.is_overdue IS 'Whether due_at is past.';
COMMENT ON COLUMN revrtm.open_case.reason IS 'Why it was opened again; NULL for the first time.';

CREATE VIEW revrtm.closed_case WITH (security_invoker = true) AS
SELECT c.case_id::text AS closed_case_key,
       c.case_id,
       c.account_id,
       c.kind,
       c.cause,
       c.status,
       c.winner,
       w.partner_id AS winner_partner_id,
       l.partner_id AS loser_partner_id,
       c.split::numeric(20, 9) AS split,
       c.reason,
       c.opportunity_id,
       c.opened_at,
       c.decided_at,
       revrtm.business_hours_between(c.opened_at, c.decided_at, g.calendar)::numeric(12, 2) AS resolution_hours,
       c.decided_at <= revrtm.add_business_hours(c.opened_at, r.due_hours::float8, g.calendar) AS is_in_time,
       (SELECT count(*) FROM revrtm.conflict_event e
        WHERE e.case_id = c.case_id AND e.from_status <> 'open' AND e.to_status = 'open') AS reopened
FROM revrtm.conflict_case c
LEFT JOIN revrtm.conflict_party w ON w.case_id = c.case_id AND w.account_id = c.account_id AND w.claim = c.winner
LEFT JOIN revrtm.conflict_party l ON l.case_id = c.case_id AND l.account_id = c.account_id AND l.claim <> c.winner
LEFT JOIN revrtm.conflict_rule r ON true
LEFT JOIN revrtm.programme g ON true
WHERE c.status <> 'open';
COMMENT ON VIEW revrtm.closed_case IS
'The cases that are over, and how long they took, for staff. Grain: one closed case.';
COMMENT ON COLUMN revrtm.closed_case.closed_case_key IS 'The case.';
COMMENT ON COLUMN revrtm.closed_case.case_id IS 'The case.';
COMMENT ON COLUMN revrtm.closed_case.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.closed_case.kind IS 'partner_partner, direct_partner or duplicate.';
COMMENT ON COLUMN revrtm.closed_case.cause IS 'What opened it, see conflict_case.cause.';
COMMENT ON COLUMN revrtm.closed_case.status IS 'decided, dismissed or lapsed.';
COMMENT ON COLUMN revrtm.closed_case.winner IS 'The claim decided for; NULL for none.';
COMMENT ON COLUMN revrtm.closed_case.winner_partner_id IS 'Whose it is; (direct) for our own.';
COMMENT ON COLUMN revrtm.closed_case.loser_partner_id IS 'Whose the other claim is; NULL where nobody won.';
COMMENT ON COLUMN revrtm.closed_case.split IS 'Share of the deal that the winner has.';
COMMENT ON COLUMN revrtm.closed_case.reason IS 'Reason of the decision.';
COMMENT ON COLUMN revrtm.closed_case.opportunity_id IS 'The deal whose credit follows, where it was named.';
COMMENT ON COLUMN revrtm.closed_case.opened_at IS 'When it was opened, the first time.';
COMMENT ON COLUMN revrtm.closed_case.decided_at IS 'When it was closed, the last time.';
COMMENT ON COLUMN revrtm.closed_case.resolution_hours IS 'Hours of business time between the two, by the programme''s calendar.';
COMMENT ON COLUMN revrtm.closed_case.is_in_time IS 'Whether that was within conflict_rule.due_hours.';
COMMENT ON COLUMN revrtm.closed_case.reopened IS 'How often it was opened again.';

-- What decisions say of the credit of deals; partner_evidence reads it.

CREATE VIEW revrtm.case_credit WITH (security_invoker = true) AS
SELECT concat_ws(':', c.case_id, p.claim) AS case_credit_key,
       c.case_id,
       d.opportunity_id,
       p.partner_id,
       p.outcome,
       CASE WHEN c.split < 1 THEN p.share END::numeric(20, 9) AS share,
       c.kind = 'direct_partner' AND c.split < 1 AS is_joint,
       c.decided_at
FROM revrtm.conflict_case c
JOIN revrtm.conflict_party p ON p.case_id = c.case_id AND p.account_id = c.account_id
LEFT JOIN revrtm.deal_registration r ON c.opportunity_id IS NULL AND r.account_id = c.account_id
    AND c.winner = 'registration:' || r.registration_id
CROSS JOIN LATERAL (SELECT coalesce(c.opportunity_id, r.opportunity_id) AS opportunity_id) d
WHERE c.status = 'decided' AND c.kind <> 'duplicate' AND p.partner_id <> '(direct)' AND d.opportunity_id IS NOT NULL;
COMMENT ON VIEW revrtm.case_credit IS
'What decided cases say of the credit of deals. Grain: one partner''s claim of one decided case whose deal is known.';
COMMENT ON COLUMN revrtm.case_credit.case_credit_key IS 'case_id:claim.';
COMMENT ON COLUMN revrtm.case_credit.case_id IS 'The case.';
COMMENT ON COLUMN revrtm.case_credit.opportunity_id IS 'The deal: the case''s own, else the one that the winner''s registration became.';
COMMENT ON COLUMN revrtm.case_credit.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.case_credit.outcome IS 'won, shared or lost.';
COMMENT ON COLUMN revrtm.case_credit.share IS 'Its share of the deal; NULL where the winner has all.';
COMMENT ON COLUMN revrtm.case_credit.is_joint IS 'Whether it shares the deal with direct.';
COMMENT ON COLUMN revrtm.case_credit.decided_at IS 'When it was decided.';

-- How often, and with whom.

CREATE VIEW revrtm.conflict_rate WITH (security_invoker = true) AS
WITH registration AS (
    SELECT 'registration:' || r.registration_id AS claim, r.submitted_at,
           coalesce(d.route_id, 'partner_sourced') AS route_id, a.segment,
           array_to_string(r.region_codes, ',') AS region, array_to_string(r.product_codes, ',') AS product, r.status
    FROM revrtm.deal_registration r
    LEFT JOIN revrtm.deal_journey d ON d.opportunity_id = r.opportunity_id
    LEFT JOIN revrtm.account a ON a.account_id = r.account_id
), fact AS (
    SELECT r.submitted_at AS at, r.route_id, r.segment, r.region, r.product, 0 AS cases, 1 AS registrations
    FROM registration r
    -- A draft has the instant at which it was entered.
    WHERE r.status <> 'draft'
    UNION ALL
    SELECT c.opened_at, coalesce(r.route_id, 'partner_sourced'), r.segment, r.region, r.product, 1, 0
    FROM revrtm.conflict_case c
    LEFT JOIN (
        SELECT DISTINCT ON (p.case_id, p.account_id) p.case_id, p.account_id, r.route_id, r.segment, r.region, r.product
        FROM revrtm.conflict_party p
        JOIN registration r ON r.claim = p.claim
        ORDER BY p.case_id, p.account_id, p.since, p.claim COLLATE "C") r ON r.case_id = c.case_id AND r.account_id = c.account_id
)
SELECT concat_ws(':', revrtm.date_text(revrtm.period(f.at)), f.route_id, coalesce(f.segment, '(none)'), coalesce(f.region, '(none)'),
                 coalesce(f.product, '(none)')) AS conflict_rate_key,
       revrtm.period(f.at) AS period,
       f.route_id,
       f.segment,
       f.region,
       f.product,
       sum(f.cases) AS cases,
       sum(f.registrations) AS registrations,
       revrtm.ratio(sum(f.cases), sum(f.registrations))::numeric(20, 6) AS conflict_rate,
       revrtm.ratio_note(sum(f.registrations), 'no_registration') AS note
FROM fact f
WHERE f.at <= revrtm.as_of()
GROUP BY revrtm.period(f.at), f.route_id, f.segment, f.region, f.product;
COMMENT ON VIEW revrtm.conflict_rate IS
'Conflict cases against registrations submitted, up to revrtm.as_of(). Sum both over what you want to know and divide. Grain: one month, route, segment, region and product.';
COMMENT ON COLUMN revrtm.conflict_rate.conflict_rate_key IS 'period:route_id:segment:region:product.';
COMMENT ON COLUMN revrtm.conflict_rate.period IS 'Month in which cases were opened and registrations submitted.';
COMMENT ON COLUMN revrtm.conflict_rate.route_id IS
'Route of the deal that the registration became, of a case its earlier registration; partner_sourced where there is none.';
COMMENT ON COLUMN revrtm.conflict_rate.segment IS 'Segment of its account in the CRM.';
COMMENT ON COLUMN revrtm.conflict_rate.region IS 'Its regions, joined by commas; NULL for a case between deals.';
COMMENT ON COLUMN revrtm.conflict_rate.product IS 'Its products, likewise.';
COMMENT ON COLUMN revrtm.conflict_rate.cases IS 'Cases opened.';
COMMENT ON COLUMN revrtm.conflict_rate.registrations IS 'Registrations submitted.';
COMMENT ON COLUMN revrtm.conflict_rate.conflict_rate IS 'cases / registrations.';
COMMENT ON COLUMN revrtm.conflict_rate.note IS 'no_registration, or NULL.';

CREATE VIEW revrtm.partner_hygiene WITH (security_invoker = true) AS
WITH registration AS (
    SELECT r.partner_id, r.status = 'rejected' AS is_refused,
           r.status IN ('submitted', 'queued', 'in_review', 'action_required') AS is_open,
           r.active OR r.status IN ('won', 'lost', 'revoked') OR e.accepted_at IS NOT NULL AS is_accepted,
           revrtm.registration_status(r.status, r.protection) = 'expired' AS is_expired,
           r.status = 'won' AS is_won,
           coalesce(e.last_move > e.accepted_at, false) AS is_updated
    FROM revrtm.deal_registration r
    LEFT JOIN (
        SELECT e.registration_id, min(e.revision) FILTER (WHERE e.to_status IN ('approved', 'extended', 'converted')) AS accepted_at,
               max(e.revision) FILTER (WHERE e.to_status NOT IN ('expired', 'queued', 'revoked')) AS last_move
        FROM revrtm.registration_event e
        GROUP BY e.registration_id) e ON e.registration_id = r.registration_id
    WHERE r.status <> 'draft'
), counted AS (
    SELECT r.partner_id,
           count(*) AS registrations,
           count(*) FILTER (WHERE r.is_open) AS waiting,
           count(*) FILTER (WHERE r.is_accepted) AS accepted,
           count(*) FILTER (WHERE r.is_refused AND NOT r.is_accepted) AS refused,
           count(*) FILTER (WHERE r.is_accepted AND r.is_expired) AS expired,
           count(*) FILTER (WHERE r.is_accepted AND NOT r.is_updated) AS never_updated,
           count(*) FILTER (WHERE r.is_won) AS won
    FROM registration r
    GROUP BY r.partner_id
)
SELECT c.partner_id AS partner_hygiene_key,
       c.partner_id,
       c.registrations,
       c.waiting,
       c.accepted,
       c.refused,
       c.expired,
       c.never_updated,
       c.won,
       coalesce(k.cases, 0) AS cases,
       coalesce(k.cases_lost, 0) AS cases_lost,
       revrtm.ratio(c.accepted, c.accepted + c.refused)::numeric(20, 6) AS acceptance_rate,
       revrtm.ratio(c.expired, c.accepted)::numeric(20, 6) AS expiry_rate,
       revrtm.ratio(c.never_updated, c.accepted)::numeric(20, 6) AS never_updated_rate,
       revrtm.ratio(c.won, c.accepted)::numeric(20, 6) AS win_rate,
       CASE WHEN c.accepted + c.refused = 0 THEN 'no_decision' ELSE revrtm.ratio_note(c.accepted, 'none_accepted') END AS note
FROM counted c
LEFT JOIN (
    SELECT p.partner_id, count(*) AS cases, count(*) FILTER (WHERE p.outcome = 'lost') AS cases_lost
    FROM revrtm.conflict_party p
    GROUP BY p.partner_id) k ON k.partner_id = c.partner_id;
COMMENT ON VIEW revrtm.partner_hygiene IS
'What becomes of each partner''s registrations: who registers and works, and who only registers. Drafts are not counted. Grain: one partner.';
COMMENT ON COLUMN revrtm.partner_hygiene.partner_hygiene_key IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_hygiene.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_hygiene.registrations IS 'Its registrations.';
COMMENT ON COLUMN revrtm.partner_hygiene.waiting IS 'Those that wait for a decision.';
COMMENT ON COLUMN revrtm.partner_hygiene.accepted IS 'Those that protect or ever did.';
COMMENT ON COLUMN revrtm.partner_hygiene.refused IS 'Those that were rejected.';
COMMENT ON COLUMN revrtm.partner_hygiene.expired IS 'Accepted ones whose protection ended by its days.';
COMMENT ON COLUMN revrtm.partner_hygiene.never_updated IS
'Accepted ones to which nothing happened afterwards: no field changed, no extension, no deal, no end that somebody declared.';
COMMENT ON COLUMN revrtm.partner_hygiene.won IS 'Those that were won.';
COMMENT ON COLUMN revrtm.partner_hygiene.cases IS 'Conflict cases it is a side of.';
COMMENT ON COLUMN revrtm.partner_hygiene.cases_lost IS 'Those it lost.';
COMMENT ON COLUMN revrtm.partner_hygiene.acceptance_rate IS 'accepted / (accepted + refused).';
COMMENT ON COLUMN revrtm.partner_hygiene.expiry_rate IS 'expired / accepted.';
COMMENT ON COLUMN revrtm.partner_hygiene.never_updated_rate IS 'never_updated / accepted.';
COMMENT ON COLUMN revrtm.partner_hygiene.win_rate IS 'won / accepted.';
COMMENT ON COLUMN revrtm.partner_hygiene.note IS 'no_decision, none_accepted, or NULL.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_decision', 'No registration was decided.'),
('none_accepted', 'No registration was accepted, so that there is nothing to divide by.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('case_credit', 'share', 'share', true),
('closed_case', 'reopened', 'pieces', true),
('closed_case', 'resolution_hours', 'hours', true),
('closed_case', 'split', 'share', false),
('conflict_rate', 'cases', 'pieces', true),
('conflict_rate', 'conflict_rate', 'ratio', false),
('conflict_rate', 'registrations', 'pieces', true),
('open_case', 'elapsed_hours', 'hours', true),
('open_case', 'score_a', 'points', false),
('open_case', 'score_b', 'points', false),
('partner_hygiene', 'acceptance_rate', 'ratio', false),
('partner_hygiene', 'accepted', 'pieces', true),
('partner_hygiene', 'cases', 'pieces', true),
('partner_hygiene', 'cases_lost', 'pieces', true),
('partner_hygiene', 'expired', 'pieces', true),
('partner_hygiene', 'expiry_rate', 'ratio', false),
('partner_hygiene', 'never_updated', 'pieces', true),
('partner_hygiene', 'never_updated_rate', 'ratio', false),
('partner_hygiene', 'refused', 'pieces', true),
('partner_hygiene', 'registrations', 'pieces', true),
('partner_hygiene', 'waiting', 'pieces', true),
('partner_hygiene', 'win_rate', 'ratio', false),
('partner_hygiene', 'won', 'pieces', true);
