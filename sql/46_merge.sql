-- Two accounts of the CRM are one: what becomes of the registrations of both.

CREATE FUNCTION revrtm.merge_registrations(from_account text, into_account text, reason text)
RETURNS TABLE (registration_id uuid, partner_id text, outcome text, status text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one record;
    rival uuid;
    rivals uuid[];
    asked uuid[] := '{}';
    kept uuid[] := '{}';
    restored uuid[] := '{}';
    restored_as text[] := '{}';
    suspended uuid[] := '{}';
    opened uuid[] := '{}';
BEGIN
    IF from_account = into_account OR coalesce(from_account, '') = '' OR coalesce(into_account, '') = ''
       OR octet_length(into_account) > 255 THEN
        RAISE EXCEPTION 'an account is merged into another one' USING ERRCODE = '22023',
            HINT = 'Name two different accounts of 1 to 255 bytes.';
    ELSIF coalesce(merge_registrations.reason, '') = '' THEN
        RAISE EXCEPTION 'accounts cannot be merged without a reason' USING ERRCODE = '22023',
            HINT = 'The partner whose protection ends reads it.';
    END IF;

    -- Days that are over collide with nothing, but the constraint counts them.
    UPDATE revrtm.deal_registration r
    SET status = 'expired'
    WHERE r.account_id IN (from_account, into_account) AND r.status IN ('approved', 'extended')
      AND upper(r.protection) <= revrtm.programme_date(revrtm.as_of());

    -- Who was first keeps its protection. What earlier merges and moves took
    -- away is asked again, so that the order of merges does not matter.
    FOR one IN
        SELECT r.registration_id, r.status, r.product, r.region, r.protection, coalesce(s.suspended_from, r.status) AS protects_as
        FROM revrtm.deal_registration r
        LEFT JOIN LATERAL (
            SELECT min(p.suspended_from) AS suspended_from
            FROM revrtm.conflict_party p JOIN revrtm.conflict_case c USING (case_id, account_id)
            WHERE r.status = 'queued' AND p.claim = 'registration:' || r.registration_id AND c.status = 'open') s ON true
        WHERE r.account_id IN (from_account, into_account) AND r.exclusive AND (r.active OR s.suspended_from IS NOT NULL)
        ORDER BY r.submitted_at, r.registration_id
    LOOP
        asked := asked || one.registration_id;
        rivals := ARRAY(SELECT k.registration_id
                        FROM revrtm.deal_registration k
                        WHERE k.registration_id = ANY (kept) AND k.product && one.product AND k.region && one.region
                          AND k.protection && one.protection
                        ORDER BY k.submitted_at, k.registration_id);
        IF rivals = '{}' THEN
            kept := kept || one.registration_id;
            IF one.status = 'queued' THEN
                restored := restored || one.registration_id;
                restored_as := restored_as || one.protects_as;
            END IF;
            CONTINUE;
        ELSIF one.status <> 'queued' THEN
            suspended := suspended || one.registration_id;
        END IF;
        FOREACH rival IN ARRAY rivals LOOP
            opened := opened || revrtm.suspend_registration(one.registration_id, rival, 'merge', merge_registrations.reason);
            UPDATE revrtm.conflict_party p
            SET suspended_from = one.protects_as
            WHERE p.case_id = opened[cardinality(opened)] AND p.claim = 'registration:' || one.registration_id;
        END LOOP;
    END LOOP;

    -- Cases of what was taken away earlier by one that no longer stands.
    WITH stale AS (
        UPDATE revrtm.conflict_case c
        SET status = 'lapsed', decided_at = revrtm.as_of()
        WHERE c.status = 'open' AND NOT c.case_id = ANY (opened)
          AND c.case_id IN (SELECT p.case_id FROM revrtm.conflict_party p
                            WHERE p.suspended_from IS NOT NULL
                              AND p.claim IN (SELECT 'registration:' || a.id FROM unnest(asked) a (id)))
        RETURNING c.case_id
    )
    UPDATE revrtm.conflict_party p SET outcome = 'none' FROM stale s WHERE p.case_id = s.case_id;

    -- The cases go first: what follows the registrations looks for theirs.
    UPDATE revrtm.conflict_case c SET account_id = into_account WHERE c.account_id = from_account;
    UPDATE revrtm.conflict_party p SET account_id = into_account WHERE p.account_id = from_account;
    UPDATE revrtm.conflict_evidence e SET account_id = into_account WHERE e.account_id = from_account;
    RETURN QUERY
    WITH moved AS (
        UPDATE revrtm.deal_registration r
        SET account_id = into_account
        FROM revrtm.registration_state s
        WHERE r.account_id = from_account AND s.status = r.status AND (s.active OR s.open OR s.status = 'draft')
        RETURNING r.registration_id, r.partner_id, r.status
    )
    SELECT m.registration_id, m.partner_id, 'moved', m.status FROM moved m
    WHERE NOT m.registration_id = ANY (suspended || restored);
    RETURN QUERY
    UPDATE revrtm.deal_registration r
    SET status = k.protects_as, decision_reason = merge_registrations.reason
    FROM unnest(restored, restored_as) k (id, protects_as)
    WHERE r.registration_id = k.id
    RETURNING r.registration_id, r.partner_id, 'restored', r.status;
    RETURN QUERY
    SELECT r.registration_id, r.partner_id, 'queued', r.status
    FROM revrtm.deal_registration r
    WHERE r.registration_id = ANY (suspended);
END
$$;
COMMENT ON FUNCTION revrtm.merge_registrations(text, text, text) IS
'Step of merge_accounts(), which alone gives it the lock and the rights that it takes.';

CREATE FUNCTION revrtm.merge_accounts(from_account text, into_account text, reason text)
RETURNS TABLE (registration_id uuid, partner_id text, outcome text, status text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_merge_accounts';
COMMENT ON FUNCTION revrtm.merge_accounts(text, text, text) IS
'Gives the drafts, waiting and protecting registrations of one account to another. Of protections that then overlap the one that was submitted first stays, and the later is queued, with a case (cause merge) for each that it collides with; what an earlier merge took away comes back where its rival no longer stands, so that the order of merges does not matter. All or nothing; nobody registers meanwhile (SHARE ROW EXCLUSIVE on deal_registration), and a second merge waits. Returns what was moved, queued and restored. Ended registrations keep their account. For staff (42501); 22023 for the same or an empty account, or no reason; above READ COMMITTED, what was committed after the snapshot may raise 40001 or 23P01.';
