-- Conflict cases: two claims on one account that cannot both stand, what each
-- side shows for its own, who decides, and what the decision does.

CREATE TABLE revrtm.evidence_type (
    evidence_type text PRIMARY KEY CHECK (evidence_type <> ''),
    points        numeric NOT NULL CHECK (points >= 0 AND points < 1000000),
    dated         boolean NOT NULL DEFAULT false,
    third_party   boolean NOT NULL DEFAULT false,
    shipped       boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.evidence_type', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.evidence_type IS
'What evidence is worth in a case of conflict. Grain: one kind of evidence.';
COMMENT ON COLUMN revrtm.evidence_type.evidence_type IS 'The kind.';
COMMENT ON COLUMN revrtm.evidence_type.points IS
'What it adds to the score of its side once it is verified; a kind counts once, however often it is shown.';
COMMENT ON COLUMN revrtm.evidence_type.dated IS 'Whether it counts only with the instant at which it happened.';
COMMENT ON COLUMN revrtm.evidence_type.third_party IS 'Whether it comes from the customer or somebody else outside both sides; for those who decide.';
COMMENT ON COLUMN revrtm.evidence_type.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.evidence_type (evidence_type, points, dated, third_party, shipped) VALUES
('customer_letter', 12, false, true, true),
('meeting', 3, true, true, true),
('poc', 3, true, false, true),
('proposal', 2, true, false, true),
('bant', 2, false, false, true),
('email', 1, true, false, true),
('claim', 0, false, false, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.evidence_type
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('evidence_type');
SELECT revrtm.register_policy('revrtm.evidence_type');

CREATE TABLE revrtm.conflict_rule (
    rule      text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    due_hours numeric NOT NULL DEFAULT 40 CHECK (due_hours > 0 AND due_hours < 100000),
    tie_days  integer NOT NULL DEFAULT 5 CHECK (tie_days BETWEEN 0 AND 36500),
    shipped   boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.conflict_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.conflict_rule IS 'The terms of cases: one row, which is shipped.';
COMMENT ON COLUMN revrtm.conflict_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.conflict_rule.due_hours IS
'Hours of business time, by the programme''s calendar, in which a case is to be decided: 40 are five days of eight.';
COMMENT ON COLUMN revrtm.conflict_rule.tie_days IS
'Claims made within so many days (of 24 hours) of each other are compared by their evidence; others, and those whose evidence is worth the same, by who was first.';
COMMENT ON COLUMN revrtm.conflict_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.conflict_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.conflict_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.conflict_rule');
GRANT SELECT ON revrtm.evidence_type, revrtm.conflict_rule TO PUBLIC;

CREATE TABLE revrtm.conflict_case (
    case_id        uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id     text NOT NULL,
    kind           text NOT NULL,
    claim_a        text NOT NULL,
    claim_b        text NOT NULL,
    cause          text NOT NULL,
    opened_at      timestamptz NOT NULL,
    status         text NOT NULL DEFAULT 'open',
    winner         text,
    split          numeric,
    reason         text,
    decided_at     timestamptz,
    opportunity_id text,
    PRIMARY KEY (case_id, account_id),
    CONSTRAINT conflict_case_pair UNIQUE (account_id, claim_a, claim_b),
    CONSTRAINT conflict_case_account CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    CONSTRAINT conflict_case_kind CHECK (kind IN ('partner_partner', 'direct_partner', 'duplicate')),
    CONSTRAINT conflict_case_cause CHECK (cause IN ('registration', 'scan', 'merge', 'move', 'staff')),
    CONSTRAINT conflict_case_claims CHECK (claim_a COLLATE "C" < claim_b AND octet_length(claim_a) < 300
        AND octet_length(claim_b) < 300),
    CONSTRAINT conflict_case_status CHECK (status IN ('open', 'decided', 'dismissed', 'lapsed')
        AND (status = 'open') = (decided_at IS NULL) AND (status = 'decided') = (winner IS NOT NULL)),
    CONSTRAINT conflict_case_winner CHECK (winner IN (claim_a, claim_b) AND split IS NOT NULL OR winner IS NULL AND split IS NULL),
    CONSTRAINT conflict_case_split CHECK (split > 0 AND split <= 1 AND min_scale(split) <= 9),
    CONSTRAINT conflict_case_reason CHECK (status NOT IN ('decided', 'dismissed') OR coalesce(reason, '') <> ''),
    CONSTRAINT conflict_case_opportunity CHECK (octet_length(opportunity_id) BETWEEN 1 AND 255)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.conflict_case', '');
COMMENT ON TABLE revrtm.conflict_case IS
'Conflicts over an account, one row for each pair of claims, once and for all (constraint conflict_case_pair). For staff alone; a side sees its row of conflict_party. Grain: one pair of claims.';
COMMENT ON COLUMN revrtm.conflict_case.case_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.conflict_case.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.conflict_case.kind IS
'partner_partner, direct_partner (a deal of our own on what a partner protects), or duplicate (one partner twice, by a merge of accounts).';
COMMENT ON COLUMN revrtm.conflict_case.claim_a IS
'The claim that is first bytewise: registration:registration_id, or opportunity:opportunity_id.';
COMMENT ON COLUMN revrtm.conflict_case.claim_b IS 'The other claim.';
COMMENT ON COLUMN revrtm.conflict_case.cause IS
'What opened it: registration (its own statement), scan (scan_conflicts), merge (of accounts), move (of a region or product) or staff.';
COMMENT ON COLUMN revrtm.conflict_case.opened_at IS 'When it was opened: revrtm.as_of() for staff, the clock for others.';
COMMENT ON COLUMN revrtm.conflict_case.status IS
'open; decided, for winner; dismissed, for nobody; lapsed, since a claim ended by itself.';
COMMENT ON COLUMN revrtm.conflict_case.winner IS 'The claim that was decided for.';
COMMENT ON COLUMN revrtm.conflict_case.split IS 'Share of the deal that the winner has, above 0 and up to 1; the other side has the rest.';
COMMENT ON COLUMN revrtm.conflict_case.reason IS 'Reason of the last decision; the partner whose registration it ends reads it too.';
COMMENT ON COLUMN revrtm.conflict_case.decided_at IS 'When it was decided, dismissed or lapsed; NULL while open.';
COMMENT ON COLUMN revrtm.conflict_case.opportunity_id IS
'The deal whose credit follows the decision; where it is NULL, the one that the winner''s registration becomes.';
ALTER TABLE revrtm.conflict_case ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.conflict_case
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));

CREATE TABLE revrtm.conflict_party (
    case_id        uuid NOT NULL,
    account_id     text NOT NULL,
    claim          text NOT NULL,
    partner_id     text NOT NULL,
    since          timestamptz,
    suspended_from text,
    outcome        text,
    share          numeric,
    PRIMARY KEY (case_id, account_id, claim),
    CONSTRAINT conflict_party_partner CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    CONSTRAINT conflict_party_suspended CHECK (suspended_from IN ('approved', 'extended', 'converted')),
    CONSTRAINT conflict_party_outcome CHECK (outcome IN ('won', 'lost', 'shared', 'none')),
    CONSTRAINT conflict_party_share CHECK (share BETWEEN 0 AND 1)
);
CREATE INDEX conflict_party_claim ON revrtm.conflict_party (claim);
SELECT pg_catalog.pg_extension_config_dump('revrtm.conflict_party', '');
COMMENT ON TABLE revrtm.conflict_party IS
'The two sides of each case. Staff sees both, a partner its own. Grain: one claim of one case.';
COMMENT ON COLUMN revrtm.conflict_party.case_id IS 'The case.';
COMMENT ON COLUMN revrtm.conflict_party.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.conflict_party.claim IS 'The claim: registration:registration_id, or opportunity:opportunity_id.';
COMMENT ON COLUMN revrtm.conflict_party.partner_id IS 'Whose claim it is; (direct) for our own.';
COMMENT ON COLUMN revrtm.conflict_party.since IS 'When the claim was made: submission, or creation of the deal; NULL where the CRM does not say.';
COMMENT ON COLUMN revrtm.conflict_party.suspended_from IS
'The status whose protection it lost by the merge or move that opened the case; NULL where it had none.';
COMMENT ON COLUMN revrtm.conflict_party.outcome IS 'won, lost, shared, or none (dismissed or lapsed); NULL while the case is open.';
COMMENT ON COLUMN revrtm.conflict_party.share IS 'Its share of the deal by the decision; NULL without one.';
ALTER TABLE revrtm.conflict_party ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.conflict_party
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY partner_read ON revrtm.conflict_party FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());

CREATE TABLE revrtm.conflict_evidence (
    evidence_id   uuid NOT NULL DEFAULT gen_random_uuid(),
    case_id       uuid NOT NULL,
    account_id    text NOT NULL,
    claim         text NOT NULL,
    partner_id    text NOT NULL,
    evidence_type text NOT NULL,
    happened_at   timestamptz,
    reference     text,
    entered_at    timestamptz NOT NULL DEFAULT now(),
    verified      boolean NOT NULL DEFAULT false,
    verified_by   text,
    PRIMARY KEY (evidence_id, account_id),
    CONSTRAINT conflict_evidence_verified CHECK (verified = (verified_by IS NOT NULL))
);
CREATE INDEX conflict_evidence_case ON revrtm.conflict_evidence (case_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.conflict_evidence', '');
COMMENT ON TABLE revrtm.conflict_evidence IS
'What a side shows for its claim. A partner enters and sees its own while the case is open; staff verifies. Grain: one piece of evidence.';
COMMENT ON COLUMN revrtm.conflict_evidence.evidence_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.conflict_evidence.case_id IS 'The case.';
COMMENT ON COLUMN revrtm.conflict_evidence.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.conflict_evidence.claim IS 'The claim it speaks for.';
COMMENT ON COLUMN revrtm.conflict_evidence.partner_id IS 'Whose claim that is; (direct) for our own.';
COMMENT ON COLUMN revrtm.conflict_evidence.evidence_type IS 'Its kind; one that evidence_type does not have is worth nothing.';
COMMENT ON COLUMN revrtm.conflict_evidence.happened_at IS 'When what it proves happened.';
COMMENT ON COLUMN revrtm.conflict_evidence.reference IS 'Where it can be looked at: a document, a meeting''s id.';
COMMENT ON COLUMN revrtm.conflict_evidence.entered_at IS 'When it was entered, by the clock.';
COMMENT ON COLUMN revrtm.conflict_evidence.verified IS 'Whether staff has verified it; only then does it count.';
COMMENT ON COLUMN revrtm.conflict_evidence.verified_by IS 'The role that logged in to verify it (session_user).';
ALTER TABLE revrtm.conflict_evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.conflict_evidence
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY partner_read ON revrtm.conflict_evidence FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());
CREATE POLICY partner_show ON revrtm.conflict_evidence FOR INSERT
    WITH CHECK (NOT verified AND partner_id = (SELECT revrtm.current_partner())
        AND EXISTS (SELECT FROM revrtm.conflict_party p
                    WHERE p.case_id = conflict_evidence.case_id AND p.account_id = conflict_evidence.account_id
                      AND p.claim = conflict_evidence.claim AND p.partner_id = conflict_evidence.partner_id
                      AND p.outcome IS NULL));

CREATE TABLE revrtm.conflict_event (
    case_id        uuid NOT NULL,
    account_id     text NOT NULL,
    revision       integer NOT NULL,
    at             timestamptz NOT NULL,
    logged_at      timestamptz NOT NULL,
    actor          text NOT NULL,
    acting_role    text NOT NULL,
    app_actor      text,
    from_status    text NOT NULL,
    to_status      text,
    winner         text,
    split          numeric,
    reason         text,
    opportunity_id text,
    PRIMARY KEY (case_id, account_id, revision, logged_at)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.conflict_event', '');
COMMENT ON TABLE revrtm.conflict_event IS
'Every change of every case after its opening, append-only (23514, conflict_event_append_only); written by the trigger of conflict_case as the owner of the tables. For staff alone. Grain: one change of one case.';
COMMENT ON COLUMN revrtm.conflict_event.case_id IS 'The case.';
COMMENT ON COLUMN revrtm.conflict_event.account_id IS 'Its account, after the change.';
COMMENT ON COLUMN revrtm.conflict_event.revision IS 'Place among the changes of the case, from 1.';
COMMENT ON COLUMN revrtm.conflict_event.at IS 'When it happened: the case''s decided_at, revrtm.as_of() where it has none.';
COMMENT ON COLUMN revrtm.conflict_event.logged_at IS 'When it was written, by the clock.';
COMMENT ON COLUMN revrtm.conflict_event.actor IS 'The role that logged in (session_user).';
COMMENT ON COLUMN revrtm.conflict_event.acting_role IS 'The role it acted as (SET ROLE).';
COMMENT ON COLUMN revrtm.conflict_event.app_actor IS 'The application''s user, as the application says it in revrtm.actor; NULL where it does not.';
COMMENT ON COLUMN revrtm.conflict_event.from_status IS 'Status before.';
COMMENT ON COLUMN revrtm.conflict_event.to_status IS 'Status after; NULL for a case that was deleted.';
COMMENT ON COLUMN revrtm.conflict_event.winner IS 'The claim decided for, after the change.';
COMMENT ON COLUMN revrtm.conflict_event.split IS 'Its share, after the change.';
COMMENT ON COLUMN revrtm.conflict_event.reason IS 'The reason given.';
COMMENT ON COLUMN revrtm.conflict_event.opportunity_id IS 'The deal whose credit follows, after the change.';
ALTER TABLE revrtm.conflict_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff_read ON revrtm.conflict_event FOR SELECT USING ((SELECT revrtm.is_staff()));

CREATE FUNCTION revrtm.log_conflict() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_log_conflict';
REVOKE ALL ON FUNCTION revrtm.log_conflict() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.log_conflict() IS
'Trigger of conflict_case: writes each change to conflict_event, as the owner of the tables.';
CREATE TRIGGER log_conflict AFTER UPDATE OR DELETE ON revrtm.conflict_case
FOR EACH ROW EXECUTE FUNCTION revrtm.log_conflict();

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.conflict_event
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change();
ALTER TABLE revrtm.conflict_event ENABLE ALWAYS TRIGGER refuse_change;

-- Opening and lapsing. Both are given all they write, for under REPEATABLE
-- READ the caller's snapshot may not show the rival.

CREATE FUNCTION revrtm.open_conflict(account_id text, claim_a text, party_a text, since_a timestamptz,
    claim_b text, party_b text, since_b timestamptz, cause text DEFAULT 'staff', at timestamptz DEFAULT revrtm.as_of())
RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH opened AS (
        INSERT INTO revrtm.conflict_case (account_id, kind, claim_a, claim_b, cause, opened_at)
        VALUES (open_conflict.account_id,
                CASE WHEN coalesce(open_conflict.party_a, '(direct)') = coalesce(open_conflict.party_b, '(direct)') THEN 'duplicate'
                     WHEN open_conflict.party_a IS NULL OR open_conflict.party_b IS NULL THEN 'direct_partner'
                     ELSE 'partner_partner' END,
                least(open_conflict.claim_a COLLATE "C", open_conflict.claim_b),
                greatest(open_conflict.claim_a COLLATE "C", open_conflict.claim_b),
                open_conflict.cause, open_conflict.at)
        ON CONFLICT (account_id, claim_a, claim_b) DO NOTHING
        RETURNING case_id, account_id
    ), party AS (
        INSERT INTO revrtm.conflict_party (case_id, account_id, claim, partner_id, since)
        SELECT o.case_id, o.account_id, p.claim, coalesce(p.partner_id, '(direct)'), p.since
        FROM opened o
        CROSS JOIN (VALUES (open_conflict.claim_a, open_conflict.party_a, open_conflict.since_a),
                           (open_conflict.claim_b, open_conflict.party_b, open_conflict.since_b)) p (claim, partner_id, since)
    )
    SELECT o.case_id FROM opened o;
END;
COMMENT ON FUNCTION revrtm.open_conflict(text, text, text, timestamptz, text, text, timestamptz, text, timestamptz) IS
'Opens the case of two claims (registration:ID or opportunity:ID) of two parties (NULL is direct); returns it, or NULL where the pair has one, open or not. Two sessions at once open one. With the caller''s rights, that is for staff; above READ COMMITTED, a case of the pair committed after the snapshot may raise 40001.';

CREATE FUNCTION revrtm.lapse_conflict(claim text, at timestamptz DEFAULT revrtm.as_of()) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH lapsed AS (
        UPDATE revrtm.conflict_case c
        SET status = 'lapsed', decided_at = lapse_conflict.at
        FROM revrtm.conflict_party p
        WHERE p.claim = lapse_conflict.claim AND c.case_id = p.case_id AND c.account_id = p.account_id AND c.status = 'open'
        RETURNING c.case_id, c.account_id
    )
    UPDATE revrtm.conflict_party p
    SET outcome = 'none'
    FROM lapsed l
    WHERE p.case_id = l.case_id AND p.account_id = l.account_id;
END;
COMMENT ON FUNCTION revrtm.lapse_conflict(text, timestamptz) IS
'Lapses the open cases of a claim that has ended. With the caller''s rights, that is for staff.';

CREATE FUNCTION revrtm.follow_registration() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_follow_registration';
REVOKE ALL ON FUNCTION revrtm.follow_registration() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.follow_registration() IS
'Trigger of deal_registration: opens a case for an exclusive registration that waits and each of another partner that protects some of its scope and days, whichever comes second; lapses the open cases of one that ends. As the owner of the tables; a restore opens nothing.';
CREATE TRIGGER follow_registration AFTER INSERT OR UPDATE OR DELETE ON revrtm.deal_registration
FOR EACH ROW EXECUTE FUNCTION revrtm.follow_registration();

-- What a merge or a move takes away from the later of two.

CREATE FUNCTION revrtm.suspend_registration(registration_id uuid, rival uuid, cause text, reason text) RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    own_claim text := 'registration:' || suspend_registration.registration_id;
    rival_claim text := 'registration:' || suspend_registration.rival;
    later record;
    earlier record;
    found_case uuid;
BEGIN
    SELECT r.account_id, r.partner_id, r.submitted_at, r.status, r.active INTO later
    FROM revrtm.deal_registration r WHERE r.registration_id = suspend_registration.registration_id FOR UPDATE;
    SELECT r.account_id, r.partner_id, r.submitted_at INTO earlier
    FROM revrtm.deal_registration r WHERE r.registration_id = suspend_registration.rival;
    IF later IS NULL OR earlier IS NULL THEN
        RAISE EXCEPTION 'deal registration % does not exist',
            CASE WHEN later IS NULL THEN suspend_registration.registration_id ELSE suspend_registration.rival END
            USING ERRCODE = 'P0002',
                  HINT = 'The registrations you may see are listed in revrtm.deal_registration.';
    END IF;
    found_case := revrtm.open_conflict(later.account_id, own_claim, later.partner_id, later.submitted_at,
                                       rival_claim, earlier.partner_id, earlier.submitted_at, suspend_registration.cause);
    IF found_case IS NULL THEN
        UPDATE revrtm.conflict_case c
        SET status = 'open', winner = NULL, split = NULL, decided_at = NULL, reason = suspend_registration.reason
        WHERE c.account_id = later.account_id
          AND c.claim_a = least(own_claim COLLATE "C", rival_claim) AND c.claim_b = greatest(own_claim COLLATE "C", rival_claim)
        RETURNING c.case_id INTO STRICT found_case;
    END IF;
    UPDATE revrtm.conflict_party p
    SET outcome = NULL, share = NULL,
        suspended_from = CASE WHEN p.claim = own_claim AND later.active THEN later.status ELSE p.suspended_from END
    WHERE p.case_id = found_case;
    IF later.active THEN
        UPDATE revrtm.deal_registration r
        SET status = 'queued', decision_reason = suspend_registration.reason
        WHERE r.registration_id = suspend_registration.registration_id;
    END IF;
    RETURN found_case;
END
$$;
COMMENT ON FUNCTION revrtm.suspend_registration(uuid, uuid, text, text) IS
'Takes the protection of a registration into the queue in favour of a rival that was earlier, for a reason that its partner reads, and opens their case (cause merge or move), again if it was closed. One that waits already stays so. Returns the case. With the caller''s rights, that is for staff: merge_accounts and moves of regions and products call it. P0002 for an unknown registration.';

-- Deciding.

CREATE FUNCTION revrtm.decide_case(case_id uuid, winner text, split numeric DEFAULT 1, reason text DEFAULT NULL,
    loser text DEFAULT 'queued', protection daterange DEFAULT NULL, opportunity_id text DEFAULT NULL)
RETURNS TABLE (claim text, partner_id text, outcome text, share numeric, registration_status text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    decided revrtm.conflict_case;
    chosen text[];
    side record;
BEGIN
    SELECT c.* INTO decided FROM revrtm.conflict_case c WHERE c.case_id = decide_case.case_id FOR UPDATE;
    IF decided IS NULL THEN
        RAISE EXCEPTION 'conflict case % does not exist', decide_case.case_id
            USING ERRCODE = 'P0002', HINT = 'The cases that are open are listed in revrtm.open_case.';
    ELSIF decided.status <> 'open' THEN
        RAISE EXCEPTION 'conflict case % is %', decide_case.case_id, decided.status
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'conflict_case', CONSTRAINT = 'conflict_case_closed',
                  HINT = 'revrtm.reopen_case() opens it again.';
    ELSIF coalesce(decide_case.reason, '') = '' THEN
        RAISE EXCEPTION 'a conflict case cannot be decided without a reason'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'conflict_case', CONSTRAINT = 'conflict_case_reason',
                  HINT = 'Give the reason; the partner whose registration ends reads it.';
    ELSIF decide_case.split IS NULL OR decide_case.split <= 0 OR decide_case.split > 1 OR min_scale(decide_case.split) > 9 THEN
        RAISE EXCEPTION 'split must be above 0 and up to 1, with at most nine decimals' USING ERRCODE = '22023';
    ELSIF decide_case.loser IS NULL OR decide_case.loser NOT IN ('queued', 'ended') THEN
        RAISE EXCEPTION 'loser must be queued or ended' USING ERRCODE = '22023',
            HINT = 'What becomes of the losing registration: it waits for the protection to end, or it is rejected or revoked.';
    END IF;

    IF decide_case.winner IS NOT NULL THEN
        SELECT array_agg(p.claim) INTO chosen
        FROM revrtm.conflict_party p
        WHERE p.case_id = decided.case_id AND p.account_id = decided.account_id
          AND decide_case.winner IN (p.claim, p.partner_id);
        IF coalesce(cardinality(chosen), 0) <> 1 THEN
            RAISE EXCEPTION 'winner % is not one side of conflict case %', quote_literal(left(decide_case.winner, 63)), decided.case_id
                USING ERRCODE = '22023',
                      DETAIL = (SELECT format('Its claims are %s.', string_agg(format('%s of %s', p.claim, p.partner_id), ' and '
                                                                                ORDER BY p.claim COLLATE "C"))
                                FROM revrtm.conflict_party p WHERE p.case_id = decided.case_id),
                      HINT = 'Name a claim, or the partner where it has one claim in the case; (direct) is our own.';
        ELSIF decided.kind = 'duplicate' AND decide_case.split < 1 THEN
            RAISE EXCEPTION 'one partner''s two claims have nothing to share' USING ERRCODE = '22023';
        END IF;
    END IF;

    UPDATE revrtm.conflict_case c
    SET status = CASE WHEN chosen IS NULL THEN 'dismissed' ELSE 'decided' END,
        winner = chosen[1], split = CASE WHEN chosen IS NOT NULL THEN decide_case.split END,
        reason = decide_case.reason, decided_at = revrtm.as_of(),
        opportunity_id = coalesce(decide_case.opportunity_id,
                                  (SELECT min(substr(p.claim, 13)) FROM revrtm.conflict_party p
                                   WHERE p.case_id = decided.case_id AND p.claim LIKE 'opportunity:%'),
                                  c.opportunity_id)
    WHERE c.case_id = decided.case_id AND c.account_id = decided.account_id;
    UPDATE revrtm.conflict_party p
    SET outcome = CASE WHEN chosen IS NULL THEN 'none' WHEN p.claim = chosen[1] THEN 'won'
                       WHEN decide_case.split < 1 THEN 'shared' ELSE 'lost' END,
        share = CASE WHEN chosen IS NULL THEN NULL WHEN p.claim = chosen[1] THEN decide_case.split
                     ELSE 1 - decide_case.split END
    WHERE p.case_id = decided.case_id AND p.account_id = decided.account_id;

    -- The loser first, for the winner takes what it leaves. Whoever shares
    -- with us keeps what it has.
    FOR side IN
        SELECT r.registration_id, r.account_id, r.status, r.active, p.claim = chosen[1] AS wins
        FROM revrtm.conflict_party p
        JOIN revrtm.deal_registration r ON p.claim = 'registration:' || r.registration_id
        WHERE p.case_id = decided.case_id AND chosen IS NOT NULL
          AND (p.claim = chosen[1] OR decide_case.split = 1 OR decided.kind = 'partner_partner')
          AND r.status IN ('submitted', 'queued', 'in_review', 'action_required', 'approved', 'extended', 'converted')
        ORDER BY p.claim = chosen[1]
    LOOP
        IF side.wins AND NOT side.active THEN
            UPDATE revrtm.deal_registration r
            SET status = 'approved', protection = decide_case.protection, decision_reason = decide_case.reason
            WHERE r.registration_id = side.registration_id AND r.account_id = side.account_id;
        ELSIF NOT side.wins AND (side.status <> 'queued' OR decide_case.loser = 'ended') THEN
            UPDATE revrtm.deal_registration r
            SET status = CASE WHEN decide_case.loser = 'queued' THEN 'queued' WHEN side.active THEN 'revoked' ELSE 'rejected' END,
                decision_reason = decide_case.reason
            WHERE r.registration_id = side.registration_id AND r.account_id = side.account_id;
        END IF;
    END LOOP;

    RETURN QUERY
    SELECT p.claim, p.partner_id, p.outcome, p.share, r.status
    FROM revrtm.conflict_party p
    LEFT JOIN revrtm.deal_registration r ON p.claim = 'registration:' || r.registration_id
    WHERE p.case_id = decided.case_id AND p.account_id = decided.account_id
    ORDER BY p.claim COLLATE "C";
END
$$;
COMMENT ON FUNCTION revrtm.decide_case(uuid, text, numeric, text, text, daterange, text) IS
'Decides an open case for a claim, or the partner whose claim it is ((direct) for our own); NULL dismisses it. split is the winner''s share of the deal, 1 for all. The losing registration is queued or, with loser ended, rejected or revoked; then the winning one that waits is approved, with protection as approve_registration has it. A partner that shares with direct keeps its registration. The credit of opportunity_id, else of a deal that is a side, else of the one that the winner''s registration becomes, follows. Returns both sides. With the caller''s rights, that is for staff. P0002 for an unknown case, 23514 conflict_case_closed, conflict_case_reason, 22023 for who is no side of it; and what approving raises (23P01, 23514), which decides nothing.';

CREATE FUNCTION revrtm.reopen_case(case_id uuid, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(reopen_case.reason, '') = '' THEN
        RAISE EXCEPTION 'a conflict case cannot be reopened without a reason'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'conflict_case', CONSTRAINT = 'conflict_case_reason';
    END IF;
    UPDATE revrtm.conflict_case c
    SET status = 'open', winner = NULL, split = NULL, decided_at = NULL, reason = reopen_case.reason
    WHERE c.case_id = reopen_case.case_id AND c.status <> 'open';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no closed conflict case %', reopen_case.case_id USING ERRCODE = 'P0002';
    END IF;
    UPDATE revrtm.conflict_party p SET outcome = NULL, share = NULL WHERE p.case_id = reopen_case.case_id;
END
$$;
COMMENT ON FUNCTION revrtm.reopen_case(uuid, text) IS
'Opens a closed case again: its decision no longer counts for credit; registrations stay as they are until it is decided anew. With the caller''s rights, that is for staff. 23514 conflict_case_reason without a reason, P0002 where there is none that is closed.';

CREATE FUNCTION revrtm.verify_evidence(evidence_id uuid, verified boolean DEFAULT true) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    UPDATE revrtm.conflict_evidence e
    SET verified = verify_evidence.verified, verified_by = CASE WHEN verify_evidence.verified THEN session_user::text END
    WHERE e.evidence_id = verify_evidence.evidence_id;
END;
COMMENT ON FUNCTION revrtm.verify_evidence(uuid, boolean) IS
'Says that a piece of evidence was verified, or takes that back, in the name of who logged in. With the caller''s rights, that is for staff.';
