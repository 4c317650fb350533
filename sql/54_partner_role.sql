-- What partners did for a deal: the evidence, what each partner is by it, and
-- one answer a deal. The rules read the evidence as rows, so that another kind
-- of evidence is another branch of one query.

CREATE TABLE revrtm.partner_role_rule (
    rule            text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    lookback        integer NOT NULL DEFAULT 90 CHECK (lookback BETWEEN 0 AND 36500),
    direct_lookback integer NOT NULL DEFAULT 60 CHECK (direct_lookback BETWEEN 0 AND 36500),
    split_model     text NOT NULL DEFAULT 'partner_single' CHECK (split_model <> ''),
    shipped         boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_role_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.partner_role_rule IS 'The terms by which a deal is sourced, and how partners share one: one row, which is shipped.';
COMMENT ON COLUMN revrtm.partner_role_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.partner_role_rule.lookback IS
'How many days (of 24 hours) before a deal''s creation a registration or partner touch may lie and still source it.';
COMMENT ON COLUMN revrtm.partner_role_rule.direct_lookback IS
'A touch without a partner so many days (of 24 hours) or less before a registration or partner touch takes its sourcing away: we were there already. 0 for no such condition.';
COMMENT ON COLUMN revrtm.partner_role_rule.split_model IS
'The row of revrtm.partner_model by which partners of one deal share its money.';
COMMENT ON COLUMN revrtm.partner_role_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.partner_role_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.partner_role_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.partner_role_rule');
GRANT SELECT ON revrtm.partner_role_rule TO PUBLIC;

CREATE TABLE revrtm.partner_role_map (
    role    text PRIMARY KEY CHECK (role <> '' AND role = lower(btrim(role) COLLATE "C")),
    pool    text NOT NULL CHECK (pool IN ('influencer', 'implementer', 'closer')),
    joint   boolean NOT NULL DEFAULT false,
    shipped boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_role_map', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.partner_role_map IS
'What the CRM''s names of partner roles (opportunity_partner.role) stand for. A name without a row stands for influencer. None stands for sourcer: who sourced a deal is read from registrations and touches, not from a label.';
COMMENT ON COLUMN revrtm.partner_role_map.role IS 'Name of the role in the CRM, trimmed and in lower case; compared without case.';
COMMENT ON COLUMN revrtm.partner_role_map.pool IS
'influencer (helped), implementer (delivers) or closer (signs, resells or sells with us): the pool it counts in under role weighted models.';
COMMENT ON COLUMN revrtm.partner_role_map.joint IS 'Whether the role says that both sides sell the deal together.';
COMMENT ON COLUMN revrtm.partner_role_map.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.partner_role_map (role, pool, joint, shipped) VALUES
('agency', 'implementer', false, true),
('broker', 'closer', false, true),
('co-sell', 'closer', true, true),
('consultant', 'implementer', false, true),
('contractor', 'implementer', false, true),
('dealer', 'closer', false, true),
('developer', 'implementer', false, true),
('distributor', 'closer', false, true),
('influencer', 'influencer', false, true),
('marketplace', 'closer', false, true),
('referral', 'influencer', false, true),
('reseller', 'closer', false, true),
('system integrator', 'implementer', false, true),
('var/reseller', 'closer', false, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.partner_role_map
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('role');
SELECT revrtm.register_policy('revrtm.partner_role_map');
GRANT SELECT ON revrtm.partner_role_map TO PUBLIC;

-- Shares agreed by hand.

CREATE TABLE revrtm.partner_split (
    account_id     text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    opportunity_id text NOT NULL CHECK (octet_length(opportunity_id) BETWEEN 1 AND 255),
    partner_id     text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    share          numeric NOT NULL CHECK (share > 0 AND share <= 1 AND min_scale(share) <= 9),
    PRIMARY KEY (account_id, opportunity_id, partner_id)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_split', '');
SELECT revrtm.register_policy('revrtm.partner_split', exported => false);
COMMENT ON TABLE revrtm.partner_split IS
'How the partners of a deal share it by agreement, for models of kind manual. The shares of a deal sum to 1 when the transaction commits (23514, partner_split_whole). Grain: one partner of a deal.';
COMMENT ON COLUMN revrtm.partner_split.account_id IS 'Account of the deal; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.partner_split.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.partner_split.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_split.share IS 'Its share, above 0 and up to 1, of at most nine decimals.';

CREATE FUNCTION revrtm.check_partner_split() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deal record;
    total numeric;
BEGIN
    FOR deal IN
        SELECT DISTINCT d.account_id, d.opportunity_id
        FROM (VALUES (OLD.account_id, OLD.opportunity_id), (NEW.account_id, NEW.opportunity_id))
             d (account_id, opportunity_id)
        WHERE d.account_id IS NOT NULL
        ORDER BY d.account_id, d.opportunity_id
    LOOP
        -- Who writes the same deal waits, and then sees what was written.
        PERFORM pg_advisory_xact_lock(hashtextextended(deal.opportunity_id,
                                                       hashtextextended(deal.account_id, TG_RELID::bigint)));
        SELECT sum(s.share) INTO total
        FROM revrtm.partner_split s
        WHERE s.account_id = deal.account_id AND s.opportunity_id = deal.opportunity_id;
        IF total <> 1 THEN
            RAISE EXCEPTION 'the partner shares of deal % do not sum to 1', quote_literal(deal.opportunity_id)
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'partner_split', CONSTRAINT = 'partner_split_whole',
                      DETAIL = format('They sum to %s.', trim_scale(total)),
                      HINT = 'Write all shares of a deal in one transaction.';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION revrtm.check_partner_split() IS
'Trigger of partner_split, at the end of the transaction: refuses shares of a deal that do not sum to 1 (23514, partner_split_whole). Two REPEATABLE READ transactions may still both write a whole split; credit is then pro rata.';
CREATE CONSTRAINT TRIGGER partner_split_whole AFTER INSERT OR UPDATE OR DELETE ON revrtm.partner_split
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION revrtm.check_partner_split();

INSERT INTO revrtm.note (note, meaning) VALUES
('ends_before_start', 'The deal ends before its creation, so that nothing lies between.'),
('no_created_at', 'The deal has no creation date, so that nothing can be before or after it.'),
('no_terms', 'revrtm.partner_role_rule has no row, so that nothing is read.'),
('no_split', 'The partners of the deal have agreed no shares, so that its one partner has it.'),
('registrations_hidden', 'The reader may not see all registrations, so that partners they protect may be missing.'),
('verified_unbound', 'The bound CRM does not tell which touches are verified, so that each counts as verified.');

-- Each step is read once, so that the planner may take them as one query and
-- push a deal's id down.
CREATE VIEW revrtm.partner_evidence WITH (security_invoker = true) AS
WITH known AS (
    SELECT t.opportunity_id, coalesce(t.account_id, c.account_id) AS account_id,
           t.partner_id, 'touch'::text AS kind, t.touch_id AS evidence_id, t.touched_at AS at, t.channel AS label,
           t.verified IS TRUE OR (SELECT 'verified' <> ALL (revrtm.bound_columns('touch'))) AS is_valid,
           coalesce(w.kind = 'co_sell', false) AS is_joint, NULL::text AS pool, NULL::numeric AS share,
           NULL::daterange AS protection, NULL::int8multirange AS product
    FROM revrtm.touch t
    LEFT JOIN revrtm.contact c ON c.contact_id = t.contact_id AND c.deleted IS NOT TRUE
    LEFT JOIN revrtm.channel_map m ON m.channel = t.channel
    LEFT JOIN revrtm.route w ON w.route_id = coalesce(t.route_id, m.route_id)
    WHERE t.deleted IS NOT TRUE AND t.responded IS NOT FALSE
    UNION ALL
    SELECT NULL, r.account_id, r.partner_id, 'registration', r.registration_id::text, r.submitted_at,
           array_to_string(r.product_codes, ','),
           r.status IN ('approved', 'extended', 'converted', 'won', 'lost', 'expired'), false, NULL, NULL,
           r.protection, r.product
    FROM revrtm.deal_registration r
    UNION ALL
    SELECT p.opportunity_id, NULL, p.partner_id, 'role', concat_ws(':', p.partner_id, coalesce(p.role, '(none)')),
           min(p.since), p.role, true, coalesce(bool_or(m.joint), false), coalesce(min(m.pool), 'influencer'),
           NULL, NULL, NULL
    FROM revrtm.opportunity_partner p
    LEFT JOIN revrtm.partner_role_map m ON m.role = lower(btrim(p.role) COLLATE "C")
    GROUP BY p.opportunity_id, p.partner_id, p.role
    UNION ALL
    SELECT o.opportunity_id, NULL, o.partner_id, 'deal', o.partner_id, NULL, o.route_id, true, false, 'influencer',
           NULL, NULL, NULL
    FROM revrtm.opportunity o
    WHERE o.partner_id IS NOT NULL AND o.deleted IS NOT TRUE
    UNION ALL
    SELECT s.opportunity_id, NULL, s.partner_id, 'split', s.partner_id, NULL, NULL, true, false, 'influencer',
           sum(s.share), NULL, NULL
    FROM revrtm.partner_split s
    GROUP BY s.opportunity_id, s.partner_id
    UNION ALL
    SELECT p.opportunity_id, NULL, s.partner_id, 'plan_step', concat_ws(':', s.plan_id, s.step), s.done_at, s.task,
           p.status IN ('agreed', 'closed'), true, NULL, NULL, NULL, NULL
    FROM revrtm.plan_step s
    JOIN revrtm.action_plan p ON p.plan_id = s.plan_id AND p.account_id = s.account_id
    WHERE s.done_at IS NOT NULL AND s.owner_party = 'partner'
    UNION ALL
    -- What a partner refers is its doing when sent, what we refer when accepted.
    SELECT r.opportunity_id, CASE WHEN r.opportunity_id IS NULL THEN r.account_id END, r.partner_id, 'referral',
           r.referral_id::text, CASE r.opened_by WHEN 'partner' THEN r.sent_at ELSE r.decided_at END, r.opened_by,
           r.status = 'accepted', true, NULL, NULL, NULL, NULL
    FROM revrtm.referral r
    UNION ALL
    -- A split by agreement stands before one by decision.
    SELECT c.opportunity_id, NULL, c.partner_id, 'decision', concat_ws(':', c.case_id, c.partner_id), c.decided_at, c.outcome,
           c.outcome <> 'lost', c.is_joint, NULL,
           CASE WHEN c.opportunity_id NOT IN (SELECT s.opportunity_id FROM revrtm.partner_split s) THEN c.share END, NULL, NULL
    FROM revrtm.case_credit c
    UNION ALL
    -- And either before that of a team.
    SELECT c.opportunity_id, NULL, c.partner_id, 'teaming', c.teaming_credit_key, NULL, c.role, true, false,
           CASE c.role WHEN 'fulfil' THEN 'closer' WHEN 'tech' THEN 'implementer' ELSE 'influencer' END,
           CASE WHEN c.opportunity_id NOT IN (SELECT s.opportunity_id FROM revrtm.partner_split s UNION ALL
                                              SELECT k.opportunity_id FROM revrtm.case_credit k) THEN c.share END, NULL, NULL
    FROM revrtm.teaming_credit c
), lost AS (
    SELECT c.opportunity_id, c.partner_id FROM revrtm.case_credit c WHERE c.outcome = 'lost'
), sharing AS (
    SELECT c.opportunity_id, c.partner_id FROM revrtm.case_credit c WHERE c.outcome = 'shared' OR c.is_joint
), found AS (
    SELECT d.opportunity_id, d.account_id, d.created_at, d.ended_at,
           k.partner_id, k.kind, k.evidence_id, k.at, k.label, k.is_valid, k.is_joint, k.pool, k.share, k.protection,
           CASE WHEN k.product IS NULL OR d.product IS NULL THEN true
                WHEN p.span IS NULL THEN k.product @> int8range(0, 9223372036854775807)
                ELSE k.product && p.span END AS is_product
    FROM known k
    -- What names no deal belongs to every deal of its account, or of the one that was merged into.
    LEFT JOIN revrtm.account_merge m ON m.account_id = k.account_id
    LEFT JOIN revrtm.deal a
      ON a.account_id = CASE WHEN k.opportunity_id IS NULL THEN coalesce(m.canonical_id, k.account_id) END
    JOIN revrtm.deal d ON d.opportunity_id = coalesce(k.opportunity_id, a.opportunity_id)
    LEFT JOIN revrtm.product p ON p.product_id = d.product
    WHERE (k.kind = 'decision' OR coalesce(k.at < coalesce(d.ended_at, 'infinity'), true))
      AND (k.kind <> 'touch'
           OR CASE WHEN k.partner_id IS NULL THEN k.at < d.created_at
                   ELSE k.at >= d.created_at - (SELECT u.lookback * interval '24 hours'
                                                FROM revrtm.partner_role_rule u) END)
      -- Neither a step nor a referral of ours brings a deal.
      AND (k.kind NOT IN ('plan_step', 'referral') OR k.label = 'partner' AND k.kind = 'referral'
           OR coalesce(k.at >= d.created_at, true))
), dated AS (
    SELECT f.*, coalesce(f.kind = 'registration' AND f.is_valid AND f.is_product AND f.at <= f.created_at
                         AND f.protection @> revrtm.programme_date(f.created_at)
                         OR f.kind = 'decision' AND f.label = 'won' AND NOT f.is_joint, false) AS is_active
    FROM found f
), placed AS (
    SELECT d.*, bool_or(d.is_active) OVER deal AS has_active,
           max(d.at) FILTER (WHERE d.partner_id IS NULL) OVER place AS direct_at,
           row_number() OVER place AS ordinal
    FROM dated d
    -- At one instant what partners did comes first.
    WINDOW deal AS (PARTITION BY d.opportunity_id),
           place AS (deal ORDER BY d.at, d.partner_id IS NULL, d.kind COLLATE "C", d.evidence_id COLLATE "C"
                     ROWS UNBOUNDED PRECEDING)
), judged AS (
    SELECT p.*,
           CASE WHEN NOT EXISTS (SELECT FROM revrtm.partner_role_rule) THEN 'no_terms'
                WHEN (p.opportunity_id, p.partner_id) IN (SELECT l.opportunity_id, l.partner_id FROM lost l) THEN 'decided'
                WHEN p.kind = 'decision' THEN CASE WHEN p.is_joint THEN 'co_sell' WHEN p.is_active THEN 'sourced' ELSE 'listed' END
                WHEN p.kind IN ('role', 'deal', 'split', 'teaming') THEN CASE WHEN p.is_joint THEN 'joint_role' ELSE 'listed' END
                WHEN NOT p.is_valid THEN CASE p.kind WHEN 'touch' THEN 'unverified' WHEN 'plan_step' THEN 'not_agreed'
                                                  WHEN 'referral' THEN 'not_accepted' ELSE 'not_approved' END
                WHEN NOT p.is_product THEN 'other_product'
                WHEN p.created_at IS NULL THEN 'undated'
                WHEN p.kind IN ('touch', 'plan_step', 'referral') AND p.at >= p.created_at THEN
                    CASE WHEN p.is_joint THEN 'co_sell' ELSE 'influenced' END
                WHEN p.at > p.created_at THEN 'after_creation'
                WHEN NOT p.is_active AND p.at < p.created_at
                      - (SELECT u.lookback * interval '24 hours' FROM revrtm.partner_role_rule u) THEN 'too_early'
                WHEN p.direct_at >= p.at - (SELECT nullif(u.direct_lookback, 0) * interval '24 hours'
                                                FROM revrtm.partner_role_rule u) THEN 'direct_touch'
                WHEN p.has_active AND NOT p.is_active
                     OR (p.opportunity_id, p.partner_id) IN (SELECT h.opportunity_id, h.partner_id FROM sharing h) THEN 'precedence'
                ELSE 'sourced' END AS verdict
    FROM placed p
    WHERE p.partner_id IS NOT NULL
)
SELECT concat_ws(':', j.opportunity_id, j.kind, j.evidence_id) AS partner_evidence_key,
       j.opportunity_id,
       j.account_id,
       j.ordinal,
       j.partner_id,
       j.kind,
       j.evidence_id,
       j.at,
       j.label,
       j.is_active,
       CASE WHEN j.at IS NOT NULL THEN j.direct_at END AS direct_at,
       j.pool,
       j.share::numeric(20, 9) AS share,
       j.verdict,
       j.verdict IN ('sourced', 'direct_touch', 'precedence', 'co_sell', 'influenced', 'joint_role', 'listed') AS counts
FROM judged j;
COMMENT ON VIEW revrtm.partner_evidence IS
'What there is of partners'' part in a deal, and what the rules make of it. Grain: one piece of evidence of one deal. Touches count as in deal_journey (of the deal, else of its account, else of its contact''s), from revrtm.partner_role_rule.lookback before the creation to before the end. Registrations are those of the account that the reader may see.';
COMMENT ON COLUMN revrtm.partner_evidence.partner_evidence_key IS 'opportunity_id:kind:evidence_id.';
COMMENT ON COLUMN revrtm.partner_evidence.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.partner_evidence.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.partner_evidence.ordinal IS
'Place in time among the deal''s evidence and earlier touches without a partner, what is not dated last.';
COMMENT ON COLUMN revrtm.partner_evidence.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_evidence.kind IS
'registration, touch, role (a row of opportunity_partner), deal (the partner on the deal itself), split (a row of partner_split), plan_step (one of its own that is done, of a mutual action plan), referral, decision (of a conflict case, see case_credit), or teaming (a partner of the team of a registration, see teaming_credit).';
COMMENT ON COLUMN revrtm.partner_evidence.evidence_id IS
'registration_id, touch_id, partner_id:role, partner_id, plan_id:step, referral_id, case_id:partner_id, or registration_id:partner_id.';
COMMENT ON COLUMN revrtm.partner_evidence.at IS
'When the registration was submitted, the touch happened, the role began, the step was done, the referral was sent by the partner or accepted by it, or the case was decided; NULL where nobody says.';
COMMENT ON COLUMN revrtm.partner_evidence.label IS 'Products of the registration, channel of the touch, name of the role, route of the deal, task of the step, who referred (partner or vendor), outcome of the decision, role in the team.';
COMMENT ON COLUMN revrtm.partner_evidence.is_active IS
'Whether it is an accepted registration of the deal''s product that protected the day of the deal''s creation, or a decision that it is the partner''s.';
COMMENT ON COLUMN revrtm.partner_evidence.direct_at IS 'The latest touch without a partner that came before it, and before the deal''s creation.';
COMMENT ON COLUMN revrtm.partner_evidence.pool IS 'The pool that the role stands for, see partner_role_map; NULL for registrations and touches.';
COMMENT ON COLUMN revrtm.partner_evidence.share IS 'Share agreed in partner_split, else by decision, else in the team.';
COMMENT ON COLUMN revrtm.partner_evidence.verdict IS
'sourced, co_sell or influenced: it makes the deal so. joint_role: it makes the deal co_sell if the same partner has a touch between creation and end. listed: it names the partner. direct_touch: would have sourced, but a touch without a partner came shortly before it. precedence: would have sourced, but another registration protected the deal''s creation, or a case was decided. Of no account: decided (the partner lost a case over the deal), unverified, not_approved, not_agreed (the plan), not_accepted (the referral), other_product, after_creation, too_early, undated (a deal without a creation date), no_terms.';
COMMENT ON COLUMN revrtm.partner_evidence.counts IS 'Whether it makes the partner one of the deal''s.';

CREATE VIEW revrtm.partner_involvement WITH (security_invoker = true) AS
WITH partner AS (
    SELECT e.opportunity_id, e.account_id, e.partner_id,
           min(e.ordinal) FILTER (WHERE e.verdict = 'sourced') AS sourced,
           min(e.at) FILTER (WHERE e.verdict = 'sourced') AS sourced_at,
           min(e.ordinal) FILTER (WHERE e.verdict = 'co_sell') AS joint,
           min(e.at) FILTER (WHERE e.verdict = 'co_sell') AS joint_at,
           min(e.ordinal) FILTER (WHERE e.verdict = 'joint_role') AS joint_role,
           min(e.ordinal) FILTER (WHERE e.verdict IN ('co_sell', 'influenced')) AS touched,
           min(e.at) FILTER (WHERE e.verdict IN ('co_sell', 'influenced')) AS touched_at,
           coalesce(bool_or(e.pool = 'implementer'), false) AS is_implementer,
           coalesce(bool_or(e.pool = 'closer'), false) AS is_closer,
           min(e.at) AS first_at,
           count(*) FILTER (WHERE e.kind = 'touch') AS touches,
           sum(e.share)::numeric(20, 9) AS share,
           -- All in one order, whichever it is.
           array_agg(e.ordinal) AS ordinals,
           array_agg(e.kind) AS kinds,
           array_agg(e.evidence_id) AS ids
    FROM revrtm.partner_evidence e
    WHERE e.counts
    GROUP BY e.opportunity_id, e.account_id, e.partner_id
), flagged AS (
    SELECT p.*,
           CASE WHEN p.joint IS NOT NULL THEN p.joint WHEN p.touched IS NOT NULL THEN p.joint_role END AS co_sell
    FROM partner p
), decided AS (
    SELECT f.*,
           CASE WHEN f.sourced IS NOT NULL THEN 'sourced' WHEN f.co_sell IS NOT NULL THEN 'co_sell'
                WHEN f.touched IS NOT NULL THEN 'influenced' ELSE 'none' END AS role,
           CASE WHEN f.sourced IS NOT NULL THEN 1 WHEN f.co_sell IS NOT NULL THEN 2
                WHEN f.touched IS NOT NULL THEN 3 ELSE 4 END AS rank,
           array_position(f.ordinals, coalesce(f.sourced, f.co_sell, f.touched)) AS deciding,
           CASE WHEN f.sourced IS NOT NULL THEN f.sourced_at
                WHEN f.co_sell IS NOT NULL THEN coalesce(f.joint_at, f.touched_at) ELSE f.touched_at END AS evidence_at
    FROM flagged f
)
SELECT concat_ws(':', d.opportunity_id, d.partner_id) AS partner_involvement_key,
       d.opportunity_id,
       d.account_id,
       d.partner_id,
       d.role,
       row_number() OVER (PARTITION BY d.opportunity_id
                          ORDER BY d.rank, d.evidence_at, d.first_at, d.partner_id COLLATE "C") AS place,
       d.kinds[d.deciding] || ':' || d.ids[d.deciding] AS evidence,
       d.evidence_at,
       d.sourced IS NOT NULL AS is_sourced,
       d.co_sell IS NOT NULL AS is_co_sell,
       d.touched IS NOT NULL AS is_influenced,
       d.is_implementer,
       d.is_closer,
       d.first_at,
       d.touches,
       d.share
FROM decided d;
COMMENT ON VIEW revrtm.partner_involvement IS
'What each partner is in a deal, with the evidence that says so. Grain: one partner of one deal; deals without partners have no row.';
COMMENT ON COLUMN revrtm.partner_involvement.partner_involvement_key IS 'opportunity_id:partner_id.';
COMMENT ON COLUMN revrtm.partner_involvement.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.partner_involvement.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.partner_involvement.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_involvement.role IS 'The first of sourced, co_sell and influenced that the partner is, else none.';
COMMENT ON COLUMN revrtm.partner_involvement.place IS
'Place among the deal''s partners, from 1: by role, then by the earliest evidence; ties bytewise by partner_id. The first is the deal''s answer in partner_role.';
COMMENT ON COLUMN revrtm.partner_involvement.evidence IS 'The earliest row that makes it so, as kind:evidence_id of partner_evidence; NULL for none.';
COMMENT ON COLUMN revrtm.partner_involvement.evidence_at IS 'When that was; of a joint role, when the partner''s first touch from the creation on was.';
COMMENT ON COLUMN revrtm.partner_involvement.is_sourced IS
'Whether the partner meets the rule for sourcing; several may where no registration takes precedence.';
COMMENT ON COLUMN revrtm.partner_involvement.is_co_sell IS
'Whether both sides worked on the deal together between its creation and end: a touch of a co-sell route, a step of an agreed mutual action plan, an accepted referral, or a joint role and a touch.';
COMMENT ON COLUMN revrtm.partner_involvement.is_influenced IS 'Whether the partner has a touch, a step or an accepted referral from the deal''s creation to before its end.';
COMMENT ON COLUMN revrtm.partner_involvement.is_implementer IS 'Whether a role in the CRM makes it an implementer.';
COMMENT ON COLUMN revrtm.partner_involvement.is_closer IS 'Whether a role in the CRM makes it a closer.';
COMMENT ON COLUMN revrtm.partner_involvement.first_at IS 'When the partner''s earliest evidence was; NULL where none is dated.';
COMMENT ON COLUMN revrtm.partner_involvement.touches IS 'Its touches.';
COMMENT ON COLUMN revrtm.partner_involvement.share IS 'Its share by agreement (partner_split); NULL without one.';

CREATE VIEW revrtm.partner_role WITH (security_invoker = true) AS
SELECT d.opportunity_id AS partner_role_key,
       d.opportunity_id,
       d.account_id,
       d.route_id,
       d.period,
       d.is_closed,
       d.is_won,
       coalesce(p.role, 'none') AS role,
       p.partner_id,
       CASE p.role WHEN 'sourced' THEN CASE split_part(p.evidence, ':', 1) WHEN 'registration' THEN 'registration'
                                        WHEN 'decision' THEN 'decision' ELSE 'lead' END
                   WHEN 'co_sell' THEN CASE split_part(p.evidence, ':', 1) WHEN 'role' THEN 'joint_role' WHEN 'plan_step' THEN 'action_plan'
                                        WHEN 'referral' THEN 'referral' WHEN 'decision' THEN 'decision' ELSE 'joint_touch' END
                   WHEN 'influenced' THEN 'touch' ELSE 'none' END AS rule,
       p.evidence,
       p.evidence_at,
       coalesce(p.is_sourced, false) AS is_sourced,
       coalesce(p.is_co_sell, false) AS is_co_sell,
       coalesce(p.is_influenced, false) AS is_influenced,
       coalesce(p.partners, 0) AS partners,
       d.amount,
       CASE WHEN NOT EXISTS (SELECT FROM revrtm.partner_role_rule) THEN 'no_terms'
            WHEN NOT (SELECT revrtm.is_staff()) THEN 'registrations_hidden'
            WHEN d.created_at IS NULL THEN 'no_created_at'
            WHEN d.ended_at <= d.created_at THEN 'ends_before_start'
            WHEN p.role <> 'none' AND split_part(p.evidence, ':', 1) NOT IN ('registration', 'plan_step', 'referral')
                 AND (SELECT 'verified' <> ALL (revrtm.bound_columns('touch'))) THEN 'verified_unbound' END AS note
FROM revrtm.deal d
LEFT JOIN (
    SELECT i.opportunity_id,
           min(i.role) FILTER (WHERE i.place = 1) AS role,
           min(i.partner_id) FILTER (WHERE i.place = 1 AND i.role <> 'none') AS partner_id,
           min(i.evidence) FILTER (WHERE i.place = 1) AS evidence,
           min(i.evidence_at) FILTER (WHERE i.place = 1) AS evidence_at,
           bool_or(i.is_sourced) AS is_sourced,
           bool_or(i.is_co_sell) AS is_co_sell,
           bool_or(i.is_influenced) AS is_influenced,
           count(*) AS partners
    FROM revrtm.partner_involvement i
    GROUP BY i.opportunity_id) p
  ON p.opportunity_id = d.opportunity_id;
COMMENT ON VIEW revrtm.partner_role IS
'One answer a deal: sourced by a partner, sold together, influenced, or none. The first that holds, of the partner with the earliest evidence (ties: bytewise); the flags say what else holds. Touches and registrations are read live, the deal from the store of journeys. Grain: one deal.';
COMMENT ON COLUMN revrtm.partner_role.partner_role_key IS 'The deal.';
COMMENT ON COLUMN revrtm.partner_role.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.partner_role.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.partner_role.route_id IS 'Its own route, as the CRM has it.';
COMMENT ON COLUMN revrtm.partner_role.period IS 'Month it closed in; NULL while open.';
COMMENT ON COLUMN revrtm.partner_role.is_closed IS 'Whether it is closed.';
COMMENT ON COLUMN revrtm.partner_role.is_won IS 'Whether it is won.';
COMMENT ON COLUMN revrtm.partner_role.role IS 'sourced, co_sell, influenced or none.';
COMMENT ON COLUMN revrtm.partner_role.partner_id IS 'The partner that it is for; NULL for none.';
COMMENT ON COLUMN revrtm.partner_role.rule IS
'The rule that decided. sourced: registration (an accepted one of the account and the deal''s product, submitted before the creation), lead (a touch, or a referral of the partner''s that was accepted, before the creation) or decision (of a conflict case); co_sell: joint_touch, joint_role, action_plan (a step of the partner''s in a mutual action plan), referral or decision; influenced: touch; none.';
COMMENT ON COLUMN revrtm.partner_role.evidence IS 'The row that decided, as kind:evidence_id of partner_evidence; NULL for none.';
COMMENT ON COLUMN revrtm.partner_role.evidence_at IS 'When that was.';
COMMENT ON COLUMN revrtm.partner_role.is_sourced IS 'Whether any partner sourced it.';
COMMENT ON COLUMN revrtm.partner_role.is_co_sell IS 'Whether any partner sold it together with us.';
COMMENT ON COLUMN revrtm.partner_role.is_influenced IS 'Whether any partner influenced it.';
COMMENT ON COLUMN revrtm.partner_role.partners IS 'Its partners, see partner_involvement.';
COMMENT ON COLUMN revrtm.partner_role.amount IS 'Its amount in revrtm.currency.';
COMMENT ON COLUMN revrtm.partner_role.note IS
'no_terms, registrations_hidden (the reader is not staff: row security shows only some registrations, or none), no_created_at, ends_before_start, verified_unbound, or NULL.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('partner_evidence', 'share', 'share', true),
('partner_involvement', 'share', 'share', true),
('partner_involvement', 'touches', 'pieces', true),
('partner_role', 'amount', 'reporting currency', true),
('partner_role', 'partners', 'pieces', false);
