-- What is asked for, decided and done with partners beside registrations goes
-- through states. Which leads to which, who may, and what may be changed in
-- each are rows; one trigger keeps them for all such tables, one writes the log.

CREATE FUNCTION revrtm.sees_programme() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.is_staff() OR pg_catalog.has_table_privilege('revrtm.spend'::regclass, 'SELECT');
END;
COMMENT ON FUNCTION revrtm.sees_programme() IS
'Whether the current user reads what every partner asked for and got: staff (is_staff), and whoever may read all spend (grant_reader).';

-- Whether a subject has such a status.
CREATE FUNCTION revrtm.life_cycle_has(subject text, status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE subject
        WHEN 'action_plan' THEN status IN ('proposed', 'agreed', 'closed', 'cancelled')
        WHEN 'certification' THEN status IN ('claimed', 'granted', 'rejected', 'revoked')
        WHEN 'mdf_request' THEN status IN
            ('requested', 'approved', 'executed', 'claimed', 'paid', 'rejected', 'expired', 'withdrawn')
        WHEN 'referral' THEN status IN ('sent', 'accepted', 'declined', 'expired', 'withdrawn')
        WHEN 'spiff_award' THEN status IN ('earned', 'paid', 'reversed')
        ELSE false END;
END;
COMMENT ON FUNCTION revrtm.life_cycle_has(text, text) IS
'Whether rows of that table (action_plan, certification, mdf_request, referral, spiff_award) can have that status.';

CREATE TABLE revrtm.life_cycle_state (
    subject         text NOT NULL,
    status          text NOT NULL,
    editable_fields text[] NOT NULL DEFAULT '{}',
    shipped         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (subject, status),
    CONSTRAINT life_cycle_state_known CHECK (revrtm.life_cycle_has(subject, status))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.life_cycle_state', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.life_cycle_state IS
'The states of certifications, MDF requests, SPIFF awards, referrals and action plans: which fields may be changed in each. Grain: one state of one table. The states themselves are fixed.';
COMMENT ON COLUMN revrtm.life_cycle_state.subject IS 'The table.';
COMMENT ON COLUMN revrtm.life_cycle_state.status IS 'The state.';
COMMENT ON COLUMN revrtm.life_cycle_state.editable_fields IS
'Columns that may be changed while a row is in it, the change that leaves it included, by whoever has the privilege; all others are frozen (23514, life_cycle_frozen).';
COMMENT ON COLUMN revrtm.life_cycle_state.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.life_cycle_state (subject, status, editable_fields, shipped) VALUES
('action_plan', 'proposed', '{title,owner_id,details}', true),
('action_plan', 'agreed', '{title,owner_id,details}', true),
('action_plan', 'closed', '{}', true),
('action_plan', 'cancelled', '{}', true),
('certification', 'claimed', '{taken_on,valid,cost,currency,spend_id,details}', true),
('certification', 'granted', '{valid,spend_id,details}', true),
('certification', 'rejected', '{}', true),
('certification', 'revoked', '{spend_id}', true),
('mdf_request', 'requested', '{fund_id,activity,channel,product_code,during,requested_amount,approved_amount,currency,claim_by,details}', true),
('mdf_request', 'approved', '{claim_by,proof,details}', true),
('mdf_request', 'executed', '{claim_by,claimed_amount,proof,opportunity_ids,details}', true),
('mdf_request', 'claimed', '{paid_amount,paid_on,spend_id,opportunity_ids,details}', true),
('mdf_request', 'paid', '{spend_id,opportunity_ids}', true),
('mdf_request', 'rejected', '{}', true),
('mdf_request', 'expired', '{}', true),
('mdf_request', 'withdrawn', '{}', true),
('referral', 'sent', '{opportunity_id,details}', true),
('referral', 'accepted', '{opportunity_id,details}', true),
('referral', 'declined', '{}', true),
('referral', 'expired', '{}', true),
('referral', 'withdrawn', '{}', true),
('spiff_award', 'earned', '{amount,paid_on,spend_id,details}', true),
('spiff_award', 'paid', '{spend_id,details}', true),
('spiff_award', 'reversed', '{}', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.life_cycle_state
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('subject', 'status');
SELECT revrtm.register_policy('revrtm.life_cycle_state');

CREATE TABLE revrtm.life_cycle_transition (
    subject         text NOT NULL,
    from_status     text NOT NULL,
    to_status       text NOT NULL,
    actors          text[] NOT NULL,
    reason_required boolean NOT NULL DEFAULT false,
    shipped         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (subject, from_status, to_status),
    CONSTRAINT life_cycle_transition_known CHECK (revrtm.life_cycle_has(subject, to_status)
        AND (from_status = '(new)' OR revrtm.life_cycle_has(subject, from_status))),
    CONSTRAINT life_cycle_transition_actors CHECK (actors <@ '{partner,staff,opener,other_side}')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.life_cycle_transition', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.life_cycle_transition IS
'What may become of a certification, MDF request, SPIFF award, referral or action plan, and who may do it; anything else raises 23514 (life_cycle_transition). Grain: one pair of states of one table.';
COMMENT ON COLUMN revrtm.life_cycle_transition.subject IS 'The table.';
COMMENT ON COLUMN revrtm.life_cycle_transition.from_status IS 'The state it is in; (new) for a row that is inserted.';
COMMENT ON COLUMN revrtm.life_cycle_transition.to_status IS 'The state it may go to.';
COMMENT ON COLUMN revrtm.life_cycle_transition.actors IS
'Who may: partner, staff (see is_staff); of a referral or an action plan also opener, the side that opened_by names, and other_side.';
COMMENT ON COLUMN revrtm.life_cycle_transition.reason_required IS 'Whether it takes a new decision_reason (23514, life_cycle_reason).';
COMMENT ON COLUMN revrtm.life_cycle_transition.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.life_cycle_transition (subject, from_status, to_status, actors, reason_required, shipped) VALUES
('action_plan', '(new)', 'proposed', '{opener,staff}', false, true),
('action_plan', 'proposed', 'agreed', '{other_side}', false, true),
('action_plan', 'proposed', 'cancelled', '{partner,staff}', false, true),
('action_plan', 'agreed', 'closed', '{partner,staff}', false, true),
('action_plan', 'agreed', 'cancelled', '{partner,staff}', true, true),
('certification', '(new)', 'claimed', '{partner,staff}', false, true),
('certification', '(new)', 'granted', '{staff}', false, true),
('certification', 'claimed', 'granted', '{staff}', false, true),
('certification', 'claimed', 'rejected', '{staff}', true, true),
('certification', 'granted', 'revoked', '{staff}', true, true),
('mdf_request', '(new)', 'requested', '{partner,staff}', false, true),
('mdf_request', 'requested', 'approved', '{staff}', false, true),
('mdf_request', 'requested', 'rejected', '{staff}', true, true),
('mdf_request', 'requested', 'withdrawn', '{partner,staff}', false, true),
('mdf_request', 'approved', 'executed', '{partner,staff}', false, true),
('mdf_request', 'approved', 'expired', '{staff}', false, true),
('mdf_request', 'approved', 'withdrawn', '{partner,staff}', false, true),
('mdf_request', 'executed', 'claimed', '{partner,staff}', false, true),
('mdf_request', 'executed', 'expired', '{staff}', false, true),
('mdf_request', 'claimed', 'executed', '{staff}', true, true),
('mdf_request', 'claimed', 'paid', '{staff}', false, true),
('mdf_request', 'claimed', 'rejected', '{staff}', true, true),
('referral', '(new)', 'sent', '{opener,staff}', false, true),
('referral', 'sent', 'accepted', '{other_side}', false, true),
('referral', 'sent', 'declined', '{other_side}', true, true),
('referral', 'sent', 'expired', '{staff}', false, true),
('referral', 'sent', 'withdrawn', '{opener,staff}', false, true),
('spiff_award', '(new)', 'earned', '{staff}', false, true),
('spiff_award', 'earned', 'paid', '{staff}', false, true),
('spiff_award', 'earned', 'reversed', '{staff}', true, true),
('spiff_award', 'paid', 'reversed', '{staff}', true, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.life_cycle_transition
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('subject', 'from_status', 'to_status');
SELECT revrtm.register_policy('revrtm.life_cycle_transition');
GRANT SELECT ON revrtm.life_cycle_state, revrtm.life_cycle_transition TO PUBLIC;

CREATE FUNCTION revrtm.keep_life_cycle() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    staff boolean := revrtm.is_staff();
    acting text[] := ARRAY[CASE WHEN staff THEN 'staff' ELSE 'partner' END];
    name text := regexp_replace(replace(TG_TABLE_NAME, '_', ' '), '^(mdf|spiff)', upper(split_part(TG_TABLE_NAME, '_', 1)));
    was text := '(new)';
    step record;
    frozen text;
BEGIN
    -- A row that arrives with its stamp is history.
    IF TG_OP = 'INSERT' AND NEW.checked_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME IN ('referral', 'action_plan') THEN
        acting := acting || CASE WHEN staff = (NEW.opened_by = 'vendor') THEN 'opener'::text ELSE 'other_side' END;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        was := OLD.status;
        SELECT string_agg(n.key, ', ' ORDER BY n.key) INTO frozen
        FROM jsonb_each(to_jsonb(NEW)) n JOIN jsonb_each(to_jsonb(OLD)) o USING (key)
        WHERE n.value IS DISTINCT FROM o.value
          AND n.key <> ALL ('{status,decided_at,decision_reason,checked_at,held}')
          AND NOT EXISTS (SELECT FROM revrtm.life_cycle_state s
                          WHERE s.subject = TG_TABLE_NAME AND s.status = was AND n.key = ANY (s.editable_fields));
        IF frozen IS NOT NULL THEN
            RAISE EXCEPTION '% of this % cannot be changed', frozen, name
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = TG_TABLE_NAME, CONSTRAINT = 'life_cycle_frozen',
                      DETAIL = format('It is %s.', was),
                      HINT = 'revrtm.life_cycle_state tells what may be changed in each state.';
        END IF;
    END IF;

    IF NEW.status IS DISTINCT FROM was THEN
        SELECT * INTO step FROM revrtm.life_cycle_transition t
        WHERE t.subject = TG_TABLE_NAME AND t.from_status = was AND t.to_status = NEW.status AND t.actors && acting;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this % is % and cannot become %', name, btrim(was, '()'), NEW.status
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = TG_TABLE_NAME, CONSTRAINT = 'life_cycle_transition',
                      DETAIL = coalesce((SELECT format('That is for %s.', array_to_string(t.actors, ' or '))
                                         FROM revrtm.life_cycle_transition t
                                         WHERE t.subject = TG_TABLE_NAME AND t.from_status = was
                                           AND t.to_status = NEW.status), 'Nobody may.'),
                      HINT = 'revrtm.life_cycle_transition tells what may become of it, and who may.';
        ELSIF step.reason_required
              AND (coalesce(btrim(NEW.decision_reason), '') = ''
                   OR TG_OP = 'UPDATE' AND NEW.decision_reason IS NOT DISTINCT FROM OLD.decision_reason) THEN
            RAISE EXCEPTION 'to make this % % takes a reason', name, NEW.status
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = TG_TABLE_NAME, CONSTRAINT = 'life_cycle_reason',
                      HINT = 'Write it to decision_reason with the status.';
        END IF;
        NEW.decided_at := CASE WHEN staff THEN revrtm.as_of() ELSE clock_timestamp() END;
    END IF;
    NEW.checked_at := now();
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_life_cycle() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_life_cycle() IS
'Trigger of tables with states: refuses what life_cycle_transition and life_cycle_state do not provide for (23514, life_cycle_transition, life_cycle_reason, life_cycle_frozen), and dates decisions: revrtm.as_of() for staff, the clock for partners.';

-- The log.

CREATE TABLE revrtm.life_cycle_event (
    event_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subject     text NOT NULL,
    subject_id  uuid NOT NULL,
    partner_id  text NOT NULL,
    at          timestamptz NOT NULL,
    logged_at   timestamptz NOT NULL,
    actor       text NOT NULL,
    acting_role text NOT NULL,
    app_actor   text,
    acted_as    text NOT NULL,
    from_status text,
    to_status   text,
    reason      text,
    changed     jsonb
);
CREATE INDEX life_cycle_event_subject ON revrtm.life_cycle_event (subject_id, logged_at);
SELECT pg_catalog.pg_extension_config_dump('revrtm.life_cycle_event', '');
COMMENT ON TABLE revrtm.life_cycle_event IS
'Every change of every certification, MDF request, SPIFF award, referral and action plan, append-only (23514, life_cycle_event_append_only). Written by the triggers of their tables as the owner; a restore writes nothing, its entries arrive by themselves. Grain: one change of one row.';
COMMENT ON COLUMN revrtm.life_cycle_event.event_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.life_cycle_event.subject IS 'The table.';
COMMENT ON COLUMN revrtm.life_cycle_event.subject_id IS 'The row: its certification_id, request_id, award_id, referral_id or plan_id.';
COMMENT ON COLUMN revrtm.life_cycle_event.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.life_cycle_event.at IS 'When it happened: revrtm.as_of() for staff, the clock for others.';
COMMENT ON COLUMN revrtm.life_cycle_event.logged_at IS 'When it was written, by the clock.';
COMMENT ON COLUMN revrtm.life_cycle_event.actor IS 'The role that logged in (session_user).';
COMMENT ON COLUMN revrtm.life_cycle_event.acting_role IS 'The role it had taken with SET ROLE, else the same.';
COMMENT ON COLUMN revrtm.life_cycle_event.app_actor IS 'The application''s user, as the application says it; NULL where it does not.';
COMMENT ON COLUMN revrtm.life_cycle_event.acted_as IS 'partner or staff.';
COMMENT ON COLUMN revrtm.life_cycle_event.from_status IS 'Status before; NULL for a new row.';
COMMENT ON COLUMN revrtm.life_cycle_event.to_status IS 'Status after; NULL for a row that was deleted.';
COMMENT ON COLUMN revrtm.life_cycle_event.reason IS 'Reason given with a change of status; the partner may read it.';
COMMENT ON COLUMN revrtm.life_cycle_event.changed IS
'Fields that changed, by name, each with old and new; the whole row of one that was deleted. NULL for a new one, and where the status alone changed.';
ALTER TABLE revrtm.life_cycle_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY programme_read ON revrtm.life_cycle_event FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner_read ON revrtm.life_cycle_event FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());

CREATE FUNCTION revrtm.log_life_cycle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
AS $$
DECLARE
    role name := coalesce(nullif(current_setting('role'), 'none'), session_user);
    staff boolean := has_column_privilege(role, 'revrtm.deal_registration'::regclass, 'protection', 'UPDATE');
    was jsonb := to_jsonb(OLD);
    becomes jsonb := to_jsonb(NEW);
    fields jsonb;
BEGIN
    -- What came with a stamp of its own was restored.
    IF TG_OP = 'INSERT' AND NEW.checked_at <> now() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(n.key, jsonb_build_object('old', o.value, 'new', n.value)) INTO fields
        FROM jsonb_each(becomes) n JOIN jsonb_each(was) o USING (key)
        WHERE n.value IS DISTINCT FROM o.value
          AND n.key <> ALL ('{status,decided_at,decision_reason,checked_at,held}');
        IF fields IS NULL AND was -> 'status' = becomes -> 'status' THEN
            RETURN NULL;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        fields := was;
    END IF;
    INSERT INTO revrtm.life_cycle_event (subject, subject_id, partner_id, at, logged_at, actor, acting_role, app_actor,
                                         acted_as, from_status, to_status, reason, changed)
    SELECT TG_TABLE_NAME, (r.entry ->> TG_ARGV[0])::uuid, r.entry ->> 'partner_id',
           CASE WHEN staff THEN revrtm.as_of() ELSE clock_timestamp() END, clock_timestamp(),
           session_user, role, nullif(revrtm.setting('actor'), ''), CASE WHEN staff THEN 'staff' ELSE 'partner' END,
           was ->> 'status', becomes ->> 'status',
           CASE WHEN was -> 'status' IS DISTINCT FROM becomes -> 'status' THEN becomes ->> 'decision_reason' END, fields
    FROM (SELECT coalesce(becomes, was) AS entry) r;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION revrtm.log_life_cycle() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.log_life_cycle() IS
'Trigger of tables with states: writes each change to life_cycle_event, with the rights of the log''s owner; the argument names the column of the row''s id.';

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.life_cycle_event
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change();
ALTER TABLE revrtm.life_cycle_event ENABLE ALWAYS TRIGGER refuse_change;

-- The terms, one row.

CREATE TABLE revrtm.enablement_terms (
    terms            text PRIMARY KEY DEFAULT 'default' CHECK (terms = 'default'),
    alert_days       integer[] NOT NULL DEFAULT '{60,30,0}'
        CHECK (0 <= ALL (alert_days) AND array_position(alert_days, NULL) IS NULL),
    referral_hours   double precision NOT NULL DEFAULT 16 CHECK (referral_hours > 0 AND referral_hours <= 10000),
    referral_expiry  double precision NOT NULL DEFAULT 80 CHECK (referral_expiry > 0 AND referral_expiry <= 10000),
    claim_days       integer NOT NULL DEFAULT 60 CHECK (claim_days BETWEEN 0 AND 3660),
    least_group      integer NOT NULL DEFAULT 5 CHECK (least_group >= 2),
    score_months     integer NOT NULL DEFAULT 12 CHECK (score_months BETWEEN 1 AND 120),
    healthy          numeric NOT NULL DEFAULT 0.8 CHECK (healthy BETWEEN 0 AND 1),
    at_risk          numeric NOT NULL DEFAULT 0.5 CHECK (at_risk BETWEEN 0 AND 1),
    shipped          boolean NOT NULL DEFAULT false,
    CONSTRAINT enablement_terms_health CHECK (at_risk <= healthy)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.enablement_terms', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.enablement_terms IS 'Terms of enablement and co-selling: one row, which is shipped.';
COMMENT ON COLUMN revrtm.enablement_terms.terms IS 'default; there is one row.';
COMMENT ON COLUMN revrtm.enablement_terms.alert_days IS 'Days before the end of a certificate at which it is brought to notice.';
COMMENT ON COLUMN revrtm.enablement_terms.referral_hours IS 'Business hours, of programme.calendar, in which a referral is to be accepted or declined.';
COMMENT ON COLUMN revrtm.enablement_terms.referral_expiry IS 'Business hours after which a referral that nobody answered is over.';
COMMENT ON COLUMN revrtm.enablement_terms.claim_days IS 'Days from the last day of an activity in which its MDF is to be claimed.';
COMMENT ON COLUMN revrtm.enablement_terms.least_group IS 'Least number of cases on each side for an interval, or a place among peers; fewer are small_n.';
COMMENT ON COLUMN revrtm.enablement_terms.score_months IS 'Months that the scorecard of partners looks back.';
COMMENT ON COLUMN revrtm.enablement_terms.healthy IS 'Least share of steps done in time for a plan that is on_track.';
COMMENT ON COLUMN revrtm.enablement_terms.at_risk IS 'Least such share for a plan that is at_risk; below, it is off_track.';
COMMENT ON COLUMN revrtm.enablement_terms.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.enablement_terms (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.enablement_terms
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('terms');
SELECT revrtm.register_policy('revrtm.enablement_terms');
GRANT SELECT ON revrtm.enablement_terms TO PUBLIC;
