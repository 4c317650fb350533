-- Protection over time: how often and how long it may be extended, when a
-- registration that nobody works on loses it, and who comes first.

CREATE TABLE revrtm.protection_rule (
    rule              text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    extensions        integer NOT NULL DEFAULT 2 CHECK (extensions BETWEEN 0 AND 1000),
    extension_days    integer NOT NULL DEFAULT 30 CHECK (extension_days BETWEEN 1 AND 3653),
    window_days       integer NOT NULL DEFAULT 30 CHECK (window_days BETWEEN 1 AND 36500),
    activity_required boolean NOT NULL DEFAULT true,
    reason_required   boolean NOT NULL DEFAULT true,
    override_level    integer NOT NULL DEFAULT 2 CHECK (override_level BETWEEN 1 AND 1000),
    stale_days        integer NOT NULL DEFAULT 30 CHECK (stale_days BETWEEN 1 AND 36500),
    cut_days          integer DEFAULT 45,
    order_policy      text NOT NULL DEFAULT 'first_in_time',
    tie_days          integer NOT NULL DEFAULT 5 CHECK (tie_days BETWEEN 0 AND 36500),
    grace_hours       numeric NOT NULL DEFAULT 40 CHECK (grace_hours BETWEEN 0 AND 100000),
    shipped           boolean NOT NULL DEFAULT false,
    CONSTRAINT protection_rule_cut CHECK (cut_days BETWEEN stale_days AND 36500),
    CONSTRAINT protection_rule_policy CHECK (order_policy IN ('first_in_time', 'value_score'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.protection_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.protection_rule IS
'Terms of protection over time: one row, which is shipped. They bind staff; the owner of the tables, whose they are, is not bound.';
COMMENT ON COLUMN revrtm.protection_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.protection_rule.extensions IS 'How often a protection may be extended.';
COMMENT ON COLUMN revrtm.protection_rule.extension_days IS 'Days that an extension adds at most.';
COMMENT ON COLUMN revrtm.protection_rule.window_days IS 'Days before its end in which a protection may be extended, and is listed by protection_ending.';
COMMENT ON COLUMN revrtm.protection_rule.activity_required IS
'Whether an extension takes activity since the last one, or since the approval: see registration_activity.';
COMMENT ON COLUMN revrtm.protection_rule.reason_required IS 'Whether an extension takes a reason.';
COMMENT ON COLUMN revrtm.protection_rule.override_level IS
'Staff of this level, see staff_level, may go beyond the terms, but for the reason.';
COMMENT ON COLUMN revrtm.protection_rule.stale_days IS 'Days without activity after which a protection counts as stale.';
COMMENT ON COLUMN revrtm.protection_rule.cut_days IS
'Days without activity after which sla_tick ends the protection of an approved or extended registration; NULL for never.';
COMMENT ON COLUMN revrtm.protection_rule.order_policy IS
'Who comes first of those that wait for one account: first_in_time, by place; value_score, within tie_days by the points of verified evidence.';
COMMENT ON COLUMN revrtm.protection_rule.tie_days IS
'Days of 24 hours that value_score counts as one instant, from the first of those that wait; the next one after them starts such a window again.';
COMMENT ON COLUMN revrtm.protection_rule.grace_hours IS
'Hours of business time, by programme.calendar, in which a registration that was returned is to be submitted again to keep its place: 40 are five days of eight. After that submitted_at is when it comes back.';
COMMENT ON COLUMN revrtm.protection_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.protection_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.protection_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.protection_rule');
GRANT SELECT ON revrtm.protection_rule TO PUBLIC;

CREATE TABLE revrtm.staff_level (
    role_name text PRIMARY KEY CHECK (octet_length(role_name) BETWEEN 1 AND 63),
    level     integer NOT NULL CHECK (level BETWEEN 1 AND 1000)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.staff_level', '');
COMMENT ON TABLE revrtm.staff_level IS
'Database roles of staff that stand above others; members that have the privileges of a role count too, the highest level of several counts. Staff without a row is of level 1. Grain: one role.';
COMMENT ON COLUMN revrtm.staff_level.role_name IS 'Name of a database role.';
COMMENT ON COLUMN revrtm.staff_level.level IS 'Its level, as those of escalation_step.';
SELECT revrtm.register_policy('revrtm.staff_level', exported => false);

-- Signs that somebody works on a registration, beside its own log.

CREATE TABLE revrtm.registration_activity (
    registration_id uuid NOT NULL,
    account_id      text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    kind            text NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 63),
    at              timestamptz NOT NULL CHECK (isfinite(at)),
    partner_id      text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    entered_as      text NOT NULL CHECK (entered_as IN ('crm', 'partner', 'staff')),
    note            text,
    PRIMARY KEY (registration_id, account_id, kind, at)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.registration_activity', '');
COMMENT ON TABLE revrtm.registration_activity IS
'Signs of work on registrations: what partners and staff record, and the last touch and change of stage of their deals, as note_deal_activity finds them. Grain: one sign.';
COMMENT ON COLUMN revrtm.registration_activity.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_activity.account_id IS 'Its account when this was entered; derived.';
COMMENT ON COLUMN revrtm.registration_activity.kind IS 'What happened: touch and stage for those of the CRM, else as it was recorded.';
COMMENT ON COLUMN revrtm.registration_activity.at IS 'When: revrtm.as_of() for staff unless given, the clock for partners.';
COMMENT ON COLUMN revrtm.registration_activity.partner_id IS 'Its partner; derived.';
COMMENT ON COLUMN revrtm.registration_activity.entered_as IS 'crm, partner or staff; derived.';
COMMENT ON COLUMN revrtm.registration_activity.note IS 'What there is to say of it.';
ALTER TABLE revrtm.registration_activity ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.registration_activity
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY partner_read ON revrtm.registration_activity FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());
CREATE POLICY partner_record ON revrtm.registration_activity FOR INSERT
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()));

CREATE FUNCTION revrtm.keep_activity() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    staff boolean := revrtm.is_staff();
BEGIN
    IF NOT staff THEN
        NEW.at := clock_timestamp();
    END IF;
    NEW.at := coalesce(NEW.at, revrtm.as_of());
    NEW.entered_as := coalesce(NEW.entered_as, CASE WHEN staff THEN 'staff' ELSE 'partner' END);
    -- A restored row carries both, and may come before its registration.
    IF NEW.account_id IS NULL OR NEW.partner_id IS NULL THEN
        SELECT r.account_id, r.partner_id INTO NEW.account_id, NEW.partner_id
        FROM revrtm.deal_registration r WHERE r.registration_id = NEW.registration_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'deal registration % does not exist', NEW.registration_id
                USING ERRCODE = 'P0002',
                      HINT = 'The registrations you may see are listed in revrtm.deal_registration.';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_activity() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_activity() IS
'Trigger of registration_activity: whose registration it is (P0002 for one that the caller may not see), and when it happened.';
CREATE TRIGGER keep_activity BEFORE INSERT ON revrtm.registration_activity
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_activity();

CREATE FUNCTION revrtm.record_activity(registration_id uuid, kind text DEFAULT 'update', note text DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    INSERT INTO revrtm.registration_activity (registration_id, kind, note)
    VALUES (record_activity.registration_id, record_activity.kind, record_activity.note)
    ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION revrtm.record_activity(uuid, text, text) IS
'Says that the partner works on a registration, so that its protection does not become stale. With the caller''s rights: partners for their own. P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.note_deal_activity(at timestamptz DEFAULT revrtm.as_of(), registration_id uuid DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH found AS (
        SELECT r.registration_id, r.account_id, r.partner_id, x.kind, x.at
        FROM revrtm.deal_registration r
        CROSS JOIN LATERAL (
            SELECT 'touch' AS kind, max(CASE WHEN revrtm.last_touch(k.journey) <= note_deal_activity.at THEN revrtm.last_touch(k.journey)
                ELSE (SELECT max(t.touched_at) FROM revrtm.touch t
                      WHERE t.opportunity_id = r.opportunity_id AND t.touched_at <= note_deal_activity.at) END) AS at
            FROM revrtm.deal_journey k
            WHERE k.opportunity_id = r.opportunity_id
            UNION ALL
            SELECT 'stage', max(s.entered_at)
            FROM revrtm.opportunity_stage s
            WHERE s.opportunity_id = r.opportunity_id AND s.entered_at <= note_deal_activity.at) x
        WHERE r.active AND r.opportunity_id IS NOT NULL AND isfinite(x.at)
          AND (note_deal_activity.registration_id IS NULL OR r.registration_id = note_deal_activity.registration_id)
    ), noted AS (
        INSERT INTO revrtm.registration_activity (registration_id, account_id, kind, at, partner_id, entered_as)
        SELECT f.registration_id, f.account_id, f.kind, f.at, f.partner_id, 'crm' FROM found f
        ORDER BY f.registration_id, f.kind
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT count(*) FROM noted;
END;
REVOKE ALL ON FUNCTION revrtm.note_deal_activity(timestamptz, uuid) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.note_deal_activity(timestamptz, uuid) IS
'Writes the last touch (of the store of journeys; where that is later, of the deal''s own touches in the CRM) and the last change of stage of the deal of each registration that protects, or of the one, to registration_activity, as far as they are not there; returns how many. With the rights of the owner, for it reads the CRM; sla_tick calls it, and so does an extension.';

-- What became of each protection.

CREATE VIEW revrtm.protection_state WITH (security_invoker = true) AS
WITH event AS (
    SELECT e.registration_id, e.at, e.revision, e.acted_as,
           e.from_status IN ('approved', 'extended', 'converted') IS NOT TRUE AND e.to_status IN ('approved', 'extended', 'converted')
               AS begins,
           coalesce(e.from_status IN ('approved', 'extended', 'converted') AND e.to_status IN ('approved', 'extended', 'converted')
               AND NOT (e.changed #>> '{protection,new}')::daterange <@ (e.changed #>> '{protection,old}')::daterange, false) AS extends
    FROM revrtm.registration_event e
), life AS (
    SELECT e.registration_id,
           count(*) FILTER (WHERE e.extends) AS extensions,
           max(e.at) FILTER (WHERE e.begins OR e.extends) AS given_at,
           max(e.revision) FILTER (WHERE e.begins OR e.extends) AS given,
           max(e.revision) FILTER (WHERE NOT e.begins AND NOT e.extends AND e.acted_as <> 'system') AS worked,
           max(e.at) FILTER (WHERE e.acted_as <> 'system') AS at
    FROM event e
    GROUP BY e.registration_id
), sign AS (
    SELECT a.registration_id, max(a.at) AS at
    FROM revrtm.registration_activity a
    WHERE a.at <= revrtm.as_of()
    GROUP BY a.registration_id
), protection AS (
    SELECT r.registration_id, r.account_id, r.partner_id, r.status, r.protection, r.exclusive,
           coalesce(l.extensions, 0) AS extensions,
           coalesce(l.given_at, r.decided_at, r.submitted_at) AS given_at,
           coalesce(l.worked > l.given, false) OR coalesce(s.at > l.given_at, false) AS has_progress,
           greatest(l.at, s.at, r.submitted_at) AS last_activity_at,
           greatest(revrtm.programme_date(greatest(l.at, s.at, r.submitted_at)), lower(r.protection)) AS idle_from,
           revrtm.programme_date(revrtm.as_of()) AS today
    FROM revrtm.deal_registration r
    LEFT JOIN life l ON l.registration_id = r.registration_id
    LEFT JOIN sign s ON s.registration_id = r.registration_id
    WHERE r.active AND NOT coalesce(upper(r.protection) <= revrtm.programme_date(revrtm.as_of()), false)
)
SELECT p.registration_id::text AS protection_state_key,
       p.registration_id,
       p.account_id,
       p.partner_id,
       p.status,
       lower(p.protection) AS first_day,
       upper(p.protection) - 1 AS last_day,
       p.extensions,
       p.given_at,
       p.has_progress,
       p.last_activity_at,
       greatest(p.today - p.idle_from, 0) AS idle_days,
       p.today - p.idle_from >= t.stale_days AS is_stale,
       p.idle_from + t.stale_days AS stale_on,
       CASE WHEN p.status <> 'converted' THEN p.idle_from + t.cut_days END AS cut_on
FROM protection p CROSS JOIN revrtm.protection_rule t;
COMMENT ON VIEW revrtm.protection_state IS
'Protections that are not over, as of revrtm.as_of: how often each was extended, and when somebody last worked on it, by its log and registration_activity. Grain: one registration that protects; row security applies.';
COMMENT ON COLUMN revrtm.protection_state.protection_state_key IS 'The registration.';
COMMENT ON COLUMN revrtm.protection_state.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.protection_state.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.protection_state.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.protection_state.status IS 'approved, extended or converted.';
COMMENT ON COLUMN revrtm.protection_state.first_day IS 'First day of protection; NULL for always.';
COMMENT ON COLUMN revrtm.protection_state.last_day IS 'Last day of protection; NULL for no end.';
COMMENT ON COLUMN revrtm.protection_state.extensions IS 'How often it was extended.';
COMMENT ON COLUMN revrtm.protection_state.given_at IS 'When it was last given: approved, or extended.';
COMMENT ON COLUMN revrtm.protection_state.has_progress IS 'Whether there was activity since given_at.';
COMMENT ON COLUMN revrtm.protection_state.last_activity_at IS 'Its last sign of work: an entry of its log that partner or staff made, or one of registration_activity.';
COMMENT ON COLUMN revrtm.protection_state.idle_days IS 'Days, in the programme''s zone, since then or since the first day of protection.';
COMMENT ON COLUMN revrtm.protection_state.is_stale IS 'Whether those are protection_rule.stale_days or more.';
COMMENT ON COLUMN revrtm.protection_state.stale_on IS 'Day on which it is stale, unless something happens.';
COMMENT ON COLUMN revrtm.protection_state.cut_on IS
'Day on which sla_tick ends it, unless something happens; NULL for a converted one, which goes by its deal, and where nothing is ever cut.';

CREATE VIEW revrtm.protection_ending WITH (security_invoker = true) AS
SELECT s.registration_id::text AS protection_ending_key,
       s.registration_id,
       s.account_id,
       s.partner_id,
       s.status,
       s.last_day,
       s.cut_on,
       least(s.last_day + 1, s.cut_on) AS ends_on,
       CASE WHEN s.cut_on <= s.last_day THEN 'stale' ELSE 'protection' END AS cause,
       least(s.last_day + 1, s.cut_on) - revrtm.programme_date(revrtm.as_of()) AS days_left,
       s.extensions,
       greatest(t.extensions - s.extensions, 0) AS extensions_left,
       s.last_activity_at,
       s.is_stale,
       s.last_day - revrtm.programme_date(revrtm.as_of()) < t.window_days AND s.extensions < t.extensions
           AND (s.has_progress OR NOT t.activity_required) AS is_extendable,
       CASE WHEN s.extensions >= t.extensions THEN 'no_extension_left'
            WHEN t.activity_required AND NOT s.has_progress THEN 'no_progress' END AS note
FROM revrtm.protection_state s CROSS JOIN revrtm.protection_rule t
WHERE least(s.last_day + 1, s.cut_on) - revrtm.programme_date(revrtm.as_of()) <= t.window_days;
COMMENT ON VIEW revrtm.protection_ending IS
'Protections that end within protection_rule.window_days, by their last day or because nobody works on them, as of revrtm.as_of. Grain: one registration that protects; row security applies.';
COMMENT ON COLUMN revrtm.protection_ending.protection_ending_key IS 'The registration.';
COMMENT ON COLUMN revrtm.protection_ending.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.protection_ending.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.protection_ending.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.protection_ending.status IS 'approved, extended or converted.';
COMMENT ON COLUMN revrtm.protection_ending.last_day IS 'Last day of protection; NULL for no end.';
COMMENT ON COLUMN revrtm.protection_ending.cut_on IS 'Day on which sla_tick ends it where nothing happens.';
COMMENT ON COLUMN revrtm.protection_ending.ends_on IS 'First day without protection: after last_day, or cut_on.';
COMMENT ON COLUMN revrtm.protection_ending.cause IS 'Which of the two: protection or stale.';
COMMENT ON COLUMN revrtm.protection_ending.days_left IS 'Days from today until ends_on; negative where a cut is due.';
COMMENT ON COLUMN revrtm.protection_ending.extensions IS 'How often it was extended.';
COMMENT ON COLUMN revrtm.protection_ending.extensions_left IS 'How often it still may be, but for staff of protection_rule.override_level.';
COMMENT ON COLUMN revrtm.protection_ending.last_activity_at IS 'Its last sign of work.';
COMMENT ON COLUMN revrtm.protection_ending.is_stale IS 'Whether that is protection_rule.stale_days ago, or more.';
COMMENT ON COLUMN revrtm.protection_ending.is_extendable IS 'Whether staff of any level may extend it today.';
COMMENT ON COLUMN revrtm.protection_ending.note IS 'no_extension_left, no_progress, or NULL.';

-- The terms of extensions and of places in the order, for the trigger of
-- deal_registration alone.

CREATE FUNCTION revrtm.check_extension(registration_id uuid, was daterange, becomes daterange, reason text,
    user_id oid, at timestamptz)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET DateStyle = 'ISO, YMD'
AS $$
DECLARE
    terms revrtm.protection_rule;
    state revrtm.protection_state;
    today date := revrtm.programme_date(check_extension.at);
    problem text;
    more text;
    hint text;
BEGIN
    IF becomes <@ was THEN
        RETURN true;
    END IF;
    SELECT * INTO terms FROM revrtm.protection_rule t;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    IF terms.reason_required AND coalesce(btrim(check_extension.reason), '') = '' THEN
        problem := 'an extension takes a reason';
        more := 'None was given.';
        hint := 'Give the reason; its partner reads it in decision_reason.';
    ELSIF (SELECT coalesce(max(l.level), 1) FROM revrtm.staff_level l JOIN pg_roles g ON g.rolname = l.role_name
           WHERE pg_has_role(check_extension.user_id, g.oid, 'USAGE')) < terms.override_level THEN
        PERFORM revrtm.note_deal_activity(check_extension.at, check_extension.registration_id);
        SELECT * INTO state FROM revrtm.protection_state s WHERE s.registration_id = check_extension.registration_id;
        hint := format('Staff of level %s may go beyond that; revrtm.protection_rule has the terms.', terms.override_level);
        IF lower(becomes) IS DISTINCT FROM lower(was)
           OR upper_inf(becomes) OR upper(becomes) - upper(was) > terms.extension_days THEN
            problem := format('an extension adds up to %s days after the last one', terms.extension_days);
            more := format('It has %s, and would have %s.', was, becomes);
        ELSIF upper(was) - today > terms.window_days THEN
            problem := format('a protection is extended in its last %s days', terms.window_days);
            more := format('It ends with %s: from %s on.', upper(was) - 1, upper(was) - terms.window_days);
        ELSIF state.extensions >= terms.extensions THEN
            problem := format('a protection is extended %s times at most', terms.extensions);
            more := format('This one was extended %s times.', state.extensions);
        ELSIF terms.activity_required AND NOT state.has_progress THEN
            problem := 'an extension takes activity since the protection was last given';
            more := format('That was on %s.', revrtm.programme_date(state.given_at));
            hint := format('revrtm.record_activity() says what its partner does. %s', hint);
        END IF;
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'deal registration cannot be extended: %', problem
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'deal_registration', CONSTRAINT = 'roe_extension',
                  DETAIL = more, HINT = hint;
    END IF;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION revrtm.check_extension(uuid, daterange, daterange, text, oid, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.check_extension(uuid, daterange, daterange, text, oid, timestamptz) IS
'Whether protection_rule lets this user extend the protection of a registration so: true, or 23514 roe_extension. For the trigger of deal_registration alone.';

CREATE FUNCTION revrtm.loses_place(since timestamptz, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.business_hours_between(loses_place.since, loses_place.at, g.calendar) > t.grace_hours::float8
    FROM revrtm.programme g CROSS JOIN revrtm.protection_rule t;
END;
COMMENT ON FUNCTION revrtm.loses_place(timestamptz, timestamptz) IS
'Whether a registration that was returned then, and comes back at that instant, has lost its place: after protection_rule.grace_hours of business time.';

-- Who comes first.

CREATE VIEW revrtm.registration_order WITH (security_invoker = true) AS
WITH RECURSIVE waiting AS (
    SELECT r.registration_id, r.account_id, r.partner_id, r.status, r.submitted_at,
           NOT (r.status = 'action_required' AND coalesce(revrtm.loses_place(r.decided_at, revrtm.as_of()), false)) AS keeps_place,
           coalesce((SELECT sum(y.points)
                     FROM revrtm.evidence_type y
                     WHERE EXISTS (SELECT FROM revrtm.conflict_evidence v
                                   WHERE v.claim = 'registration:' || r.registration_id AND v.evidence_type = y.evidence_type
                                     AND v.verified AND (v.happened_at IS NOT NULL OR NOT y.dated))), 0) AS score
    FROM revrtm.deal_registration r
    WHERE r.status IN ('submitted', 'queued', 'in_review', 'action_required')
), tie AS (
    SELECT w.account_id, min(w.submitted_at) AS start
    FROM waiting w WHERE w.keeps_place
    GROUP BY w.account_id
    UNION ALL
    SELECT n.account_id, n.start
    FROM (SELECT t.account_id, (SELECT min(w.submitted_at) FROM waiting w
                                WHERE w.keeps_place AND w.account_id = t.account_id
                                  AND w.submitted_at > t.start + make_interval(hours => 24 * p.tie_days)) AS start
          FROM tie t CROSS JOIN revrtm.protection_rule p
          WHERE p.order_policy = 'value_score') n
    WHERE n.start IS NOT NULL
)
SELECT w.registration_id::text AS registration_order_key,
       w.registration_id,
       w.account_id,
       w.partner_id,
       w.status,
       row_number() OVER (PARTITION BY w.account_id
           ORDER BY w.keeps_place DESC,
                    CASE p.order_policy WHEN 'value_score' THEN
                        (SELECT max(t.start) FROM tie t WHERE t.account_id = w.account_id AND t.start <= w.submitted_at) END,
                    CASE p.order_policy WHEN 'value_score' THEN w.score END DESC,
                    w.submitted_at, w.registration_id) AS place,
       w.submitted_at AS place_at,
       w.keeps_place,
       w.score::numeric(12, 2) AS score,
       p.order_policy
FROM waiting w CROSS JOIN revrtm.protection_rule p;
COMMENT ON VIEW revrtm.registration_order IS
'Who comes first of the registrations that wait for an account, by protection_rule.order_policy, as of revrtm.as_of; for staff. Ties go by registration_id. Grain: one registration that waits.';
COMMENT ON COLUMN revrtm.registration_order.registration_order_key IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_order.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_order.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.registration_order.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.registration_order.status IS 'submitted, queued, in_review or action_required.';
COMMENT ON COLUMN revrtm.registration_order.place IS 'Its place among those that wait for the account, from 1.';
COMMENT ON COLUMN revrtm.registration_order.place_at IS 'Its place in time: when it was submitted, or came back too late.';
COMMENT ON COLUMN revrtm.registration_order.keeps_place IS
'False for one that is with its partner for longer than protection_rule.grace_hours: it comes last, and when it comes back place_at is that instant.';
COMMENT ON COLUMN revrtm.registration_order.score IS 'Points of its verified evidence in cases of conflict, see evidence_type.';
COMMENT ON COLUMN revrtm.registration_order.order_policy IS 'The policy: first_in_time or value_score.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_progress', 'Nobody has worked on the registration since its protection was last given, so it cannot be extended.'),
('no_extension_left', 'The protection was extended as often as it may be.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('protection_ending', 'days_left', 'days', false),
('protection_ending', 'extensions', 'pieces', true),
('protection_ending', 'extensions_left', 'pieces', true),
('protection_state', 'extensions', 'pieces', true),
('protection_state', 'idle_days', 'days', false),
('registration_order', 'place', 'rank', false),
('registration_order', 'score', 'points', true);
