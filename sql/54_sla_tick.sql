-- What happens because time passes: alerts, tacit decisions, stale protections;
-- and at which level what was late was decided.

CREATE TABLE revrtm.escalation_decision (
    decision_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subject     text NOT NULL,
    subject_id  uuid NOT NULL,
    account_id  text NOT NULL,
    level       integer NOT NULL,
    role        text,
    decision    text NOT NULL,
    reason      text,
    at          timestamptz NOT NULL,
    logged_at   timestamptz NOT NULL,
    actor       text NOT NULL,
    acting_role text NOT NULL,
    app_actor   text
);
CREATE INDEX escalation_decision_subject ON revrtm.escalation_decision (subject_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.escalation_decision', '');
COMMENT ON TABLE revrtm.escalation_decision IS
'Decisions on what had escalated: at which level, by whom and why. Written by triggers as the owner of the tables; for staff alone. Grain: one decision.';
COMMENT ON COLUMN revrtm.escalation_decision.decision_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.escalation_decision.subject IS 'registration, conflict_case or referral.';
COMMENT ON COLUMN revrtm.escalation_decision.subject_id IS 'Its registration_id, case_id or referral_id.';
COMMENT ON COLUMN revrtm.escalation_decision.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.escalation_decision.level IS 'Level of escalation_step that it had reached.';
COMMENT ON COLUMN revrtm.escalation_decision.role IS 'Who was to decide there.';
COMMENT ON COLUMN revrtm.escalation_decision.decision IS 'The state it was brought to.';
COMMENT ON COLUMN revrtm.escalation_decision.reason IS 'The reason given.';
COMMENT ON COLUMN revrtm.escalation_decision.at IS 'When it was decided.';
COMMENT ON COLUMN revrtm.escalation_decision.logged_at IS 'When this was written, by the clock.';
COMMENT ON COLUMN revrtm.escalation_decision.actor IS 'The role that logged in (session_user).';
COMMENT ON COLUMN revrtm.escalation_decision.acting_role IS 'The role it had taken with SET ROLE, else the same.';
COMMENT ON COLUMN revrtm.escalation_decision.app_actor IS 'The application''s user, as the application says it; NULL where it does not.';
ALTER TABLE revrtm.escalation_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff_read ON revrtm.escalation_decision FOR SELECT USING ((SELECT revrtm.is_staff()));

CREATE FUNCTION revrtm.record_escalation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    becomes jsonb := to_jsonb(NEW);
    id uuid := becomes ->> TG_ARGV[1];
    instant timestamptz := NEW.decided_at;
    reached record;
BEGIN
    -- A term that is not over even by day and night has reached no level.
    IF TG_ARGV[0] = 'registration' THEN
        IF NEW.decided_at <= (SELECT least(NEW.submitted_at, min(e.at)) + make_interval(secs => 3600 * t.hours::float8)
                              FROM revrtm.registration_event e CROSS JOIN revrtm.sla_rule t
                              WHERE e.registration_id = NEW.registration_id AND t.subject = 'registration'
                              GROUP BY t.hours) THEN
            RETURN NULL;
        END IF;
    END IF;
    -- As escalation_level() has it, of which nothing is planned anew each time.
    IF TG_ARGV[0] = 'registration' THEN
        SELECT e.level, e.role INTO reached
        FROM revrtm.registration_clock(instant) c
        JOIN revrtm.sla_rule t ON t.subject = 'registration' AND t.on_breach <> 'none'
        JOIN revrtm.escalation_step e ON e.subject = 'registration' AND c.elapsed_us > (c.term_hours + e.after_hours) * 3600000000
        WHERE c.registration_id = id
        ORDER BY e.level DESC LIMIT 1;
    ELSE
        SELECT e.level, e.role INTO reached
        FROM revrtm.escalation_step e
        WHERE e.subject = TG_ARGV[0] AND e.level = revrtm.escalation_level(TG_ARGV[0], id, instant);
    END IF;
    IF reached.level IS NOT NULL THEN
        INSERT INTO revrtm.escalation_decision (subject, subject_id, account_id, level, role, decision, reason, at, logged_at,
                                                actor, acting_role, app_actor)
        VALUES (TG_ARGV[0], id, NEW.account_id, reached.level, reached.role, NEW.status,
                coalesce(becomes ->> 'decision_reason', becomes ->> 'reason'), instant, clock_timestamp(),
                session_user, coalesce(nullif(current_setting('role'), 'none'), session_user), nullif(revrtm.setting('actor'), ''));
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION revrtm.record_escalation() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.record_escalation() IS
'Trigger of what has a clock: writes a decision on what had escalated to escalation_decision, with the rights of that table''s owner; the arguments name the subject and the column of its id.';
CREATE TRIGGER record_escalation AFTER UPDATE OF status ON revrtm.deal_registration
FOR EACH ROW WHEN (OLD.status IN ('submitted', 'queued', 'in_review', 'action_required') AND NEW.status IN ('approved', 'rejected'))
EXECUTE FUNCTION revrtm.record_escalation('registration', 'registration_id');
CREATE TRIGGER record_escalation AFTER UPDATE OF status ON revrtm.conflict_case
FOR EACH ROW WHEN (OLD.status = 'open' AND NEW.status IN ('decided', 'dismissed'))
EXECUTE FUNCTION revrtm.record_escalation('conflict_case', 'case_id');
CREATE TRIGGER record_escalation AFTER UPDATE OF status ON revrtm.referral
FOR EACH ROW WHEN (OLD.status = 'sent' AND NEW.status IN ('accepted', 'declined'))
EXECUTE FUNCTION revrtm.record_escalation('referral', 'referral_id');

-- One registration that is late: decided by policy, or left to people.

CREATE FUNCTION revrtm.decide_tacitly(registration_id uuid, OUT action text, OUT detail text)
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    terms revrtm.sla_rule;
BEGIN
    SELECT * INTO STRICT terms FROM revrtm.sla_rule t WHERE t.subject = 'registration';
    IF terms.on_breach = 'auto_approve' THEN
        SELECT 'left', format(CASE k.verdict WHEN 'deny' THEN 'The rule %s denies it.' ELSE 'The rule %s cannot be asked.' END, k.rule)
        INTO action, detail
        FROM revrtm.roe_check(decide_tacitly.registration_id) k
        WHERE k.verdict = 'deny' OR k.reason_code = 'NEEDS_REVIEW'
        ORDER BY k.rule COLLATE "C" LIMIT 1;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    UPDATE revrtm.deal_registration r
    SET status = CASE terms.on_breach WHEN 'auto_approve' THEN 'approved' ELSE 'rejected' END,
        protection = CASE terms.on_breach WHEN 'auto_reject' THEN r.protection END,
        decision_reason = format('No decision within %s business hours.', trim_scale(terms.hours))
    WHERE r.registration_id = decide_tacitly.registration_id AND r.status IN ('submitted', 'in_review')
    RETURNING r.status INTO action;
EXCEPTION WHEN exclusion_violation OR check_violation THEN
    GET STACKED DIAGNOSTICS detail = CONSTRAINT_NAME;
    action := 'left';
    detail := format('The constraint %s refuses it.', detail);
END
$$;
REVOKE ALL ON FUNCTION revrtm.decide_tacitly(uuid) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.decide_tacitly(uuid) IS
'Approves or rejects a registration that is late, as sla_rule.on_breach has it, with the caller''s rights. action is approved or rejected; left, with why in detail, for people to decide: a rule denies it or cannot be asked with the caller''s rights, or a constraint refuses it; NULL where somebody has decided meanwhile. Part of sla_tick.';

CREATE FUNCTION revrtm.sla_tick(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (action text, subject text, subject_id uuid, level integer, detail text)
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET jit = off
AS $$
DECLARE
    before text := revrtm.setting('as_of');
    today date := revrtm.programme_date(sla_tick.at);
    due record;
    late uuid[];
BEGIN
    IF NOT revrtm.is_staff() THEN
        RAISE EXCEPTION 'permission denied for function sla_tick'
            USING ERRCODE = '42501', HINT = 'It is for channel management: see revrtm.grant_staff().';
    ELSIF NOT isfinite(sla_tick.at) THEN
        RAISE EXCEPTION 'at must be finite' USING ERRCODE = '22023';
    END IF;
    -- What the tick decides is dated as it is.
    PERFORM set_config('revrtm.as_of', sla_tick.at::text, true);
    PERFORM revrtm.note_deal_activity(sla_tick.at);

    FOR due IN
        WITH reading AS MATERIALIZED (
            SELECT c.subject, c.subject_id, c.account_id, c.partner_id, c.term_hours, c.elapsed_us, t.alert_levels, t.on_breach
            FROM revrtm.sla_clock(sla_tick.at, sla_tick.at) c
            JOIN revrtm.sla_rule t ON t.subject = c.subject
            WHERE c.is_open
        )
        INSERT INTO revrtm.alert AS a (subject, subject_id, kind, level, account_id, partner_id, at, elapsed_hours, term_hours, role)
        SELECT l.subject, l.subject_id, l.kind, l.level, l.account_id, l.partner_id, sla_tick.at, l.elapsed_us / 3.6e9, l.term_hours, l.role
        FROM (SELECT r.*, 'sla' AS kind, x.level, NULL AS role
              FROM reading r, unnest(r.alert_levels) x (level)
              WHERE r.elapsed_us >= r.term_hours * x.level * 36000000
              UNION ALL
              SELECT r.*, 'escalation', s.level, s.role
              FROM reading r JOIN revrtm.escalation_step s ON s.subject = r.subject
              WHERE r.on_breach <> 'none' AND r.elapsed_us > (r.term_hours + s.after_hours) * 3600000000) l
        WHERE NOT EXISTS (SELECT FROM revrtm.alert b
                          WHERE b.subject = l.subject AND b.subject_id = l.subject_id AND b.kind = l.kind AND b.level = l.level)
        ORDER BY l.subject, l.subject_id, l.kind, l.level
        ON CONFLICT DO NOTHING
        RETURNING a.subject, a.subject_id, a.kind, a.level, a.role
    LOOP
        PERFORM pg_notify('revrtm_alert', json_build_object('subject', due.subject, 'subject_id', due.subject_id,
                                                            'kind', due.kind, 'level', due.level)::text);
        action := due.kind;
        subject := due.subject;
        subject_id := due.subject_id;
        level := due.level;
        detail := due.role;
        RETURN NEXT;
    END LOOP;

    subject := 'registration';
    level := NULL;
    -- Asked for by itself, for the order is costly where nothing is to be decided.
    SELECT array_agg(k.registration_id) INTO late
    FROM revrtm.sla_rule t
    CROSS JOIN revrtm.registration_clock(sla_tick.at, sla_tick.at) k
    WHERE t.subject = 'registration' AND t.on_breach IN ('auto_approve', 'auto_reject')
      AND k.is_open AND NOT k.is_paused AND k.elapsed_us > k.term_hours * 3600000000;
    FOR due IN
        SELECT o.registration_id
        FROM revrtm.registration_order o
        WHERE o.status IN ('submitted', 'in_review') AND o.registration_id = ANY (late)
        ORDER BY o.account_id COLLATE "C", o.place
    LOOP
        subject_id := due.registration_id;
        SELECT k.action, k.detail INTO action, detail FROM revrtm.decide_tacitly(due.registration_id) k;
        IF action IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;

    FOR due IN
        SELECT s.registration_id, s.last_activity_at
        FROM revrtm.protection_state s
        WHERE s.cut_on <= today AND coalesce(s.first_day < today, true)
        ORDER BY s.registration_id
    LOOP
        UPDATE revrtm.deal_registration r
        SET status = 'expired', protection = daterange(lower(r.protection), today),
            decision_reason = format('Nobody worked on it since %s.', revrtm.programme_date(due.last_activity_at))
        WHERE r.registration_id = due.registration_id AND r.status IN ('approved', 'extended')
        RETURNING r.decision_reason INTO detail;
        IF FOUND THEN
            action := 'expired';
            subject_id := due.registration_id;
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM set_config('revrtm.as_of', before, true);
END
$$;
COMMENT ON FUNCTION revrtm.sla_tick(timestamptz) IS
'Does what time demands at an instant, and tells: raises alerts (sla, escalation) that were never raised, each with NOTIFY revrtm_alert, whose payload is a JSON object of subject, subject_id, kind and level; decides what is late where sla_rule.on_breach says so (approved, rejected; left, with the reason), for each account in the order of registration_order; ends protections on which nobody worked for protection_rule.cut_days (expired). Again, or in two sessions at once, it does nothing twice. For staff, or a scheduler with its rights (42501 for others); above READ COMMITTED, two at once may raise 40001. Cannot be part of a transaction that is prepared.';

CREATE FUNCTION revrtm.grant_clock(role_name text, staff boolean) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON revrtm.registration_sla, revrtm.registration_activity, revrtm.protection_state,
        revrtm.protection_ending TO %I', role_name);
    EXECUTE format('GRANT INSERT (registration_id, kind, note) ON revrtm.registration_activity TO %I', role_name);
    IF staff THEN
        EXECUTE format('GRANT INSERT (at) ON revrtm.registration_activity TO %I', role_name);
        EXECUTE format('GRANT SELECT ON revrtm.alert, revrtm.escalation_decision, revrtm.staff_level, revrtm.registration_order,
            revrtm.sla_board, revrtm.escalation_queue TO %I', role_name);
        EXECUTE format('GRANT INSERT ON revrtm.alert TO %I', role_name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION revrtm.note_deal_activity(timestamptz, uuid), revrtm.decide_tacitly(uuid)
            TO %I', role_name);
    ELSE
        EXECUTE format('GRANT SELECT (logged_at) ON revrtm.registration_event TO %I', role_name);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION revrtm.grant_clock(text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.grant_clock(text, boolean) IS
'Part of grant_partner and grant_staff: clocks, alerts, activity and protections over time. For the owner of the tables.';
