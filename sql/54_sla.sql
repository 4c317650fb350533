-- How long we take: terms in business hours, the clock that runs while it is
-- our turn, and what waits, how long, and for whom.

CREATE TABLE revrtm.sla_rule (
    subject      text PRIMARY KEY,
    hours        numeric,
    calendar     text CHECK (calendar <> ''),
    pauses       text[] NOT NULL DEFAULT '{}' CHECK (array_position(pauses, NULL) IS NULL),
    alert_levels integer[] NOT NULL DEFAULT '{50,80,100}'
        CHECK (1 <= ALL (alert_levels) AND 10000 >= ALL (alert_levels) AND array_position(alert_levels, NULL) IS NULL),
    on_breach    text NOT NULL DEFAULT 'escalate',
    shipped      boolean NOT NULL DEFAULT false,
    CONSTRAINT sla_rule_subject CHECK (subject IN ('registration', 'conflict_case', 'referral')),
    CONSTRAINT sla_rule_hours CHECK (CASE subject WHEN 'registration' THEN hours > 0 AND hours < 100000 AND hours IS NOT NULL
        ELSE hours IS NULL AND calendar IS NULL END),
    CONSTRAINT sla_rule_breach CHECK (on_breach IN ('escalate', 'none')
        OR subject = 'registration' AND on_breach IN ('auto_approve', 'auto_reject'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.sla_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.sla_rule IS
'In how much business time we are to answer, and what happens where we do not. Grain: one subject; one without a row has no clock.';
COMMENT ON COLUMN revrtm.sla_rule.subject IS 'registration (its review), conflict_case or referral.';
COMMENT ON COLUMN revrtm.sla_rule.hours IS
'Hours of business time for the review of a registration: 16 are two days of eight. NULL for the others, whose terms are conflict_rule.due_hours and enablement_terms.referral_hours.';
COMMENT ON COLUMN revrtm.sla_rule.calendar IS 'Calendar of those hours; NULL for programme.calendar, by which the others always go.';
COMMENT ON COLUMN revrtm.sla_rule.pauses IS 'States in which the clock stands still, since it is not our turn.';
COMMENT ON COLUMN revrtm.sla_rule.alert_levels IS 'Percents of the term at which sla_tick raises an alert, once each.';
COMMENT ON COLUMN revrtm.sla_rule.on_breach IS
'What becomes of what is late: escalate, by escalation_step; none; of a registration also auto_approve, where no rule of engagement denies it, or auto_reject. What cannot be approved so escalates.';
COMMENT ON COLUMN revrtm.sla_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.sla_rule (subject, hours, pauses, shipped) VALUES
('registration', 16, '{action_required,queued}', true),
('conflict_case', NULL, '{}', true),
('referral', NULL, '{}', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.sla_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('subject');
SELECT revrtm.register_policy('revrtm.sla_rule');

CREATE TABLE revrtm.escalation_step (
    subject     text NOT NULL CHECK (subject IN ('registration', 'conflict_case', 'referral')),
    level       integer NOT NULL CHECK (level BETWEEN 1 AND 1000),
    role        text NOT NULL CHECK (role <> ''),
    after_hours numeric NOT NULL CHECK (after_hours >= 0 AND after_hours < 100000),
    shipped     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (subject, level)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.escalation_step', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.escalation_step IS 'Who is to decide what is late. Grain: one level of one subject.';
COMMENT ON COLUMN revrtm.escalation_step.subject IS 'registration, conflict_case or referral.';
COMMENT ON COLUMN revrtm.escalation_step.level IS 'The level, from 1.';
COMMENT ON COLUMN revrtm.escalation_step.role IS 'Who decides from here on, in words.';
COMMENT ON COLUMN revrtm.escalation_step.after_hours IS 'Business hours over the term from which on the level is reached.';
COMMENT ON COLUMN revrtm.escalation_step.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.escalation_step (subject, level, role, after_hours, shipped)
SELECT s.subject, t.level, t.role, t.after_hours, true
FROM unnest('{registration,conflict_case,referral}'::text[]) s (subject),
     (VALUES (1, 'channel manager', 0), (2, 'regional channel head', 8), (3, 'council', 24)) t (level, role, after_hours);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.escalation_step
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('subject', 'level');
SELECT revrtm.register_policy('revrtm.escalation_step');
GRANT SELECT ON revrtm.sla_rule, revrtm.escalation_step TO PUBLIC;

CREATE TABLE revrtm.alert (
    subject       text NOT NULL,
    subject_id    uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('sla', 'escalation')),
    level         integer NOT NULL,
    account_id    text NOT NULL,
    partner_id    text,
    at            timestamptz NOT NULL,
    logged_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    elapsed_hours numeric(20, 4) NOT NULL,
    term_hours    numeric(20, 4) NOT NULL,
    role          text,
    PRIMARY KEY (subject, subject_id, kind, level)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.alert', '');
COMMENT ON TABLE revrtm.alert IS
'Alerts that sla_tick raised, each once and for all. For staff alone. Grain: one level of one registration, case or referral.';
COMMENT ON COLUMN revrtm.alert.subject IS 'registration, conflict_case or referral.';
COMMENT ON COLUMN revrtm.alert.subject_id IS 'Its registration_id, case_id or referral_id.';
COMMENT ON COLUMN revrtm.alert.kind IS 'sla: so many percent of the term have passed; escalation: a level of escalation_step is reached.';
COMMENT ON COLUMN revrtm.alert.level IS 'The percent, or the level.';
COMMENT ON COLUMN revrtm.alert.account_id IS 'Its account then.';
COMMENT ON COLUMN revrtm.alert.partner_id IS 'Its partner; NULL for a case, which has two sides.';
COMMENT ON COLUMN revrtm.alert.at IS 'The instant of the tick.';
COMMENT ON COLUMN revrtm.alert.logged_at IS 'When it was written, by the clock.';
COMMENT ON COLUMN revrtm.alert.elapsed_hours IS 'Business hours that had passed.';
COMMENT ON COLUMN revrtm.alert.term_hours IS 'The term.';
COMMENT ON COLUMN revrtm.alert.role IS 'Who is to decide, of an escalation.';
ALTER TABLE revrtm.alert ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.alert
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));

-- The clock.

CREATE FUNCTION revrtm.registration_stretch(live_at timestamptz DEFAULT '-infinity')
RETURNS TABLE (registration_id uuid, ordinal bigint, status text, since timestamptz, until timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT k.registration_id, k.ordinal, k.status, k.since,
           lead(k.since) OVER (PARTITION BY k.registration_id ORDER BY k.ordinal)
    FROM (SELECT m.registration_id, m.status,
                 row_number() OVER (PARTITION BY m.registration_id ORDER BY m.logged_at, m.revision, m.place) AS ordinal,
                 max(m.at) OVER (PARTITION BY m.registration_id ORDER BY m.logged_at, m.revision, m.place
                                 ROWS UNBOUNDED PRECEDING) AS since
          FROM (
              -- What was imported has its dates in the registration; or in the entry that took its place away.
              SELECT n.registration_id, n.logged_at, n.revision, n.place, n.status,
                     CASE n.place WHEN 0 THEN least(n.at, min(n.first_at) OVER (PARTITION BY n.registration_id)) ELSE n.at END AS at
              FROM (
                  SELECT l.registration_id, l.logged_at, l.revision, x.place, x.status, x.at,
                         (l.changed #>> '{submitted_at,old}')::timestamptz AS first_at
                  FROM (SELECT e.registration_id, e.logged_at, e.revision, e.at, e.from_status, e.to_status, e.changed, r.submitted_at, r.decided_at,
                               max(CASE WHEN e.from_status IS NULL THEN e.logged_at END) OVER (PARTITION BY e.registration_id) AS born
                        FROM revrtm.registration_event e
                        JOIN revrtm.deal_registration r ON r.registration_id = e.registration_id
                        WHERE e.to_status IS DISTINCT FROM e.from_status
                          AND (r.status IN ('submitted', 'queued', 'in_review', 'action_required')
                               OR r.decided_at > registration_stretch.live_at)) l
                  CROSS JOIN LATERAL (
                      SELECT 0, 'submitted', least(l.submitted_at, l.at) WHERE l.from_status IS NULL AND l.to_status <> 'draft'
                      UNION ALL
                      SELECT 1, l.to_status, CASE WHEN l.from_status IS NULL THEN least(coalesce(l.decided_at, l.submitted_at), l.at)
                                                  ELSE l.at END
                      WHERE l.from_status IS NOT NULL OR l.to_status <> 'submitted') x (place, status, at)
                  WHERE l.logged_at >= l.born) n) m) k;
END;
COMMENT ON FUNCTION revrtm.registration_stretch(timestamptz) IS
'The states that registrations went through since they were submitted, in order, from the event log: in which, since when and until when (NULL: still). An entry dated before an earlier one counts from the earlier one''s instant. Of those that wait, or whose status changed after live_at. Row security applies.';

CREATE FUNCTION revrtm.clock_reading(since timestamptz[], until timestamptz[], at timestamptz, hours numeric, calendar text)
RETURNS TABLE (elapsed_us bigint, due_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT coalesce(sum(u.us), 0)::bigint,
           min(revrtm.add_business_hours(u.since, (clock_reading.hours::float8 * 3.6e9 - u.before) / 3.6e9, clock_reading.calendar))
               FILTER (WHERE u.before < clock_reading.hours * 3.6e9
                         AND (u.until IS NULL OR u.before + u.us >= clock_reading.hours * 3.6e9))
    FROM (SELECT v.since, v.until, x.us, (sum(x.us) OVER (ORDER BY v.n) - x.us)::float8 AS before
          FROM unnest(clock_reading.since, clock_reading.until) WITH ORDINALITY v (since, until, n)
          CROSS JOIN LATERAL (SELECT round(revrtm.business_hours_between(v.since, coalesce(v.until, clock_reading.at),
                                                                         clock_reading.calendar) * 3.6e9)::bigint AS us) x) u;
END;
COMMENT ON FUNCTION revrtm.clock_reading(timestamptz[], timestamptz[], timestamptz, numeric, text) IS
'What a clock shows at an instant that ran from each since to its until (NULL: it still runs): microseconds of business time, and when the hours were, or will be, over; NULL while it stands still before that.';

CREATE FUNCTION revrtm.registration_clock(at timestamptz DEFAULT revrtm.as_of(), live_at timestamptz DEFAULT '-infinity')
RETURNS TABLE (registration_id uuid, status text, is_open boolean, is_paused boolean, started_at timestamptz,
    term_hours numeric, elapsed_us bigint, due_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT s.registration_id, s.status, s.is_open, s.is_open AND s.status = ANY (t.pauses), s.started_at, t.hours, c.elapsed_us, c.due_at
    FROM (SELECT p.registration_id,
                 (array_agg(p.status ORDER BY p.ordinal DESC))[1] AS status,
                 (array_agg(k.open ORDER BY p.ordinal DESC))[1] AS is_open,
                 min(p.since) FILTER (WHERE k.open) AS started_at,
                 array_agg(p.since ORDER BY p.ordinal) FILTER (WHERE k.open AND p.status <> ALL (u.pauses)) AS since,
                 array_agg(CASE WHEN p.until <= registration_clock.at THEN p.until END ORDER BY p.ordinal)
                     FILTER (WHERE k.open AND p.status <> ALL (u.pauses)) AS until
          FROM revrtm.registration_stretch(registration_clock.live_at) p
          JOIN revrtm.registration_state k ON k.status = p.status
          JOIN revrtm.sla_rule u ON u.subject = 'registration'
          WHERE p.since <= registration_clock.at
          GROUP BY p.registration_id) s
    JOIN revrtm.sla_rule t ON t.subject = 'registration'
    JOIN revrtm.programme g ON true
    CROSS JOIN LATERAL revrtm.clock_reading(s.since, s.until, registration_clock.at, t.hours, coalesce(t.calendar, g.calendar)) c
    WHERE s.started_at IS NOT NULL;
END;
COMMENT ON FUNCTION revrtm.registration_clock(timestamptz, timestamptz) IS
'The clock of each registration at an instant: which state it was in, whether it waited, whether the clock stood still, microseconds of business time that it had waited for us, and when its term was over. Time in the states of sla_rule.pauses, and after a decision, does not count; what comes back goes on where it stopped. Of those that wait today, or whose status changed after live_at. Row security applies.';

CREATE FUNCTION revrtm.sla_clock(at timestamptz DEFAULT revrtm.as_of(), live_at timestamptz DEFAULT '-infinity')
RETURNS TABLE (subject text, subject_id uuid, account_id text, partner_id text, status text, is_open boolean, is_paused boolean,
    started_at timestamptz, term_hours numeric, elapsed_us bigint, due_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT 'registration', c.registration_id, r.account_id, r.partner_id, c.status, c.is_open, c.is_paused, c.started_at,
           c.term_hours, c.elapsed_us, c.due_at
    FROM revrtm.registration_clock(sla_clock.at, sla_clock.live_at) c
    JOIN revrtm.deal_registration r ON r.registration_id = c.registration_id
    UNION ALL
    SELECT 'conflict_case', s.case_id, s.account_id, NULL, s.status, s.status = 'open', s.status = 'open' AND s.status = ANY (t.pauses),
           s.started_at, f.due_hours, c.elapsed_us, c.due_at
    FROM (SELECT p.case_id, min(p.account_id) AS account_id,
                 (array_agg(p.status ORDER BY p.revision DESC))[1] AS status,
                 min(p.since) AS started_at,
                 array_agg(p.since ORDER BY p.revision) FILTER (WHERE p.status = 'open') AS since,
                 array_agg(CASE WHEN p.until <= sla_clock.at THEN p.until END ORDER BY p.revision)
                     FILTER (WHERE p.status = 'open') AS until
          FROM (SELECT q.*, lead(q.since) OVER (PARTITION BY q.case_id ORDER BY q.revision) AS until
                FROM (SELECT n.*, max(n.at) OVER (PARTITION BY n.case_id ORDER BY n.revision ROWS UNBOUNDED PRECEDING) AS since
                      FROM (SELECT k.case_id, k.account_id, 0 AS revision, 'open' AS status, k.opened_at AS at
                            FROM revrtm.conflict_case k
                            WHERE k.status = 'open' OR k.decided_at > sla_clock.live_at
                            UNION ALL
                            SELECT k.case_id, k.account_id, e.revision, e.to_status, e.at
                            FROM revrtm.conflict_event e
                            JOIN revrtm.conflict_case k ON k.case_id = e.case_id
                            WHERE e.to_status <> e.from_status AND (k.status = 'open' OR k.decided_at > sla_clock.live_at)) n) q) p
          WHERE p.since <= sla_clock.at
          GROUP BY p.case_id) s
    JOIN revrtm.sla_rule t ON t.subject = 'conflict_case'
    JOIN revrtm.conflict_rule f ON true
    JOIN revrtm.programme g ON true
    CROSS JOIN LATERAL revrtm.clock_reading(s.since, s.until, sla_clock.at, f.due_hours, g.calendar) c
    UNION ALL
    SELECT 'referral', s.referral_id, s.account_id, s.partner_id, s.status, s.ended_at IS NULL,
           s.ended_at IS NULL AND s.status = ANY (t.pauses),
           s.sent_at, h.term, c.elapsed_us, s.due_at
    FROM (SELECT f.referral_id, f.account_id, f.partner_id, f.sent_at, f.due_at, x.ended_at,
                 CASE WHEN x.ended_at IS NULL THEN 'sent' WHEN f.decided_at <= sla_clock.at AND f.status <> 'sent' THEN f.status
                      ELSE 'expired' END AS status
          FROM revrtm.referral f
          CROSS JOIN LATERAL (SELECT CASE WHEN f.status <> 'sent' AND f.decided_at <= sla_clock.at THEN f.decided_at
                                          WHEN f.expires_at < sla_clock.at THEN f.expires_at END AS ended_at) x
          WHERE f.sent_at <= sla_clock.at AND (f.status = 'sent' OR f.decided_at > sla_clock.live_at)) s
    JOIN revrtm.sla_rule t ON t.subject = 'referral'
    JOIN revrtm.programme g ON true
    CROSS JOIN LATERAL (SELECT round(revrtm.business_hours_between(s.sent_at, s.due_at, g.calendar)::numeric, 6) AS term) h
    CROSS JOIN LATERAL revrtm.clock_reading(ARRAY[s.sent_at], ARRAY[s.ended_at], sla_clock.at, h.term, g.calendar) c;
END;
COMMENT ON FUNCTION revrtm.sla_clock(timestamptz, timestamptz) IS
'registration_clock() together with the clocks of conflict cases, which stand still while they are closed, and of referrals, which run from sending to answer or expiry. For staff; rows that the caller may see.';

CREATE FUNCTION revrtm.escalation_level(subject text, subject_id uuid, at timestamptz DEFAULT revrtm.as_of()) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(max(e.level), 0)
    FROM revrtm.sla_clock(escalation_level.at) c
    JOIN revrtm.sla_rule t ON t.subject = c.subject AND t.on_breach <> 'none'
    JOIN revrtm.escalation_step e ON e.subject = c.subject AND c.elapsed_us > (c.term_hours + e.after_hours) * 3600000000
    WHERE c.subject = escalation_level.subject AND c.subject_id = escalation_level.subject_id;
END;
COMMENT ON FUNCTION revrtm.escalation_level(text, uuid, timestamptz) IS
'The level of escalation_step that a registration, case or referral had reached at an instant; once decided, the one it had then. 0 for none, and for what there is no clock of. For staff.';

-- What waits.

CREATE VIEW revrtm.registration_sla WITH (security_invoker = true) AS
SELECT c.registration_id::text AS registration_sla_key,
       c.registration_id,
       r.account_id,
       r.partner_id,
       c.status,
       c.started_at,
       c.due_at,
       c.term_hours::numeric(20, 4) AS term_hours,
       (c.elapsed_us / 3.6e9)::numeric(20, 4) AS elapsed_hours,
       (c.term_hours - c.elapsed_us / 3.6e9)::numeric(20, 4) AS remaining_hours,
       (100 * revrtm.ratio(c.elapsed_us, c.term_hours * 3600000000))::numeric(12, 2) AS percent,
       c.is_paused,
       c.elapsed_us > c.term_hours * 3600000000 AS is_breached,
       CASE WHEN c.is_paused AND c.due_at IS NULL THEN 'sla_paused' END AS note
FROM revrtm.registration_clock(revrtm.as_of(), revrtm.as_of()) c
JOIN revrtm.deal_registration r ON r.registration_id = c.registration_id
WHERE c.is_open;
COMMENT ON VIEW revrtm.registration_sla IS
'By when each registration that waits is to be decided, as of revrtm.as_of: for partners too. Grain: one registration that waits; row security applies.';
COMMENT ON COLUMN revrtm.registration_sla.registration_sla_key IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_sla.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_sla.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.registration_sla.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.registration_sla.status IS 'submitted, queued, in_review or action_required.';
COMMENT ON COLUMN revrtm.registration_sla.started_at IS 'When it was submitted first.';
COMMENT ON COLUMN revrtm.registration_sla.due_at IS 'When the term is over, or was; NULL while the clock stands still before that.';
COMMENT ON COLUMN revrtm.registration_sla.term_hours IS 'The term in business hours.';
COMMENT ON COLUMN revrtm.registration_sla.elapsed_hours IS 'Business hours that it waited for us, without the pauses.';
COMMENT ON COLUMN revrtm.registration_sla.remaining_hours IS 'What is left of the term; negative where it is late.';
COMMENT ON COLUMN revrtm.registration_sla.percent IS '100 x elapsed / term.';
COMMENT ON COLUMN revrtm.registration_sla.is_paused IS 'Whether the clock stands still: see sla_rule.pauses.';
COMMENT ON COLUMN revrtm.registration_sla.is_breached IS 'Whether business time has passed after the term.';
COMMENT ON COLUMN revrtm.registration_sla.note IS 'sla_paused, or NULL.';

CREATE VIEW revrtm.sla_board WITH (security_invoker = true) AS
SELECT c.subject || ':' || c.subject_id AS sla_board_key,
       c.subject,
       c.subject_id,
       c.account_id,
       c.partner_id,
       c.status,
       c.started_at,
       c.due_at,
       c.term_hours::numeric(20, 4) AS term_hours,
       (c.elapsed_us / 3.6e9)::numeric(20, 4) AS elapsed_hours,
       (c.term_hours - c.elapsed_us / 3.6e9)::numeric(20, 4) AS remaining_hours,
       (100 * revrtm.ratio(c.elapsed_us, c.term_hours * 3600000000))::numeric(12, 2) AS percent,
       c.is_paused,
       c.elapsed_us > c.term_hours * 3600000000 AS is_breached,
       t.on_breach,
       coalesce((SELECT max(l.level) FROM unnest(t.alert_levels) l (level)
                 WHERE c.elapsed_us >= c.term_hours * l.level * 36000000), 0) AS alert_level,
       (SELECT max(a.level) FROM revrtm.alert a
        WHERE a.subject = c.subject AND a.subject_id = c.subject_id AND a.kind = 'sla') AS alerted_level,
       coalesce(e.level, 0) AS escalation_level,
       e.role,
       revrtm.as_of() AS as_of,
       CASE WHEN c.is_paused AND c.due_at IS NULL THEN 'sla_paused' END AS note
FROM revrtm.sla_clock(revrtm.as_of(), revrtm.as_of()) c
JOIN revrtm.sla_rule t ON t.subject = c.subject
LEFT JOIN LATERAL (SELECT s.level, s.role FROM revrtm.escalation_step s
                   WHERE s.subject = c.subject AND t.on_breach <> 'none'
                     AND c.elapsed_us > (c.term_hours + s.after_hours) * 3600000000
                   ORDER BY s.level DESC LIMIT 1) e ON true
WHERE c.is_open;
COMMENT ON VIEW revrtm.sla_board IS
'Everything that waits for us, and how long, as of revrtm.as_of; for staff. Grain: one registration, conflict case or referral that waits.';
COMMENT ON COLUMN revrtm.sla_board.sla_board_key IS 'subject:subject_id.';
COMMENT ON COLUMN revrtm.sla_board.subject IS 'registration, conflict_case or referral.';
COMMENT ON COLUMN revrtm.sla_board.subject_id IS 'Its registration_id, case_id or referral_id.';
COMMENT ON COLUMN revrtm.sla_board.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.sla_board.partner_id IS 'Its partner; NULL for a case, which has two sides.';
COMMENT ON COLUMN revrtm.sla_board.status IS 'Its state.';
COMMENT ON COLUMN revrtm.sla_board.started_at IS 'When it was submitted, opened or sent first.';
COMMENT ON COLUMN revrtm.sla_board.due_at IS 'When the term is over, or was; NULL while the clock stands still before that.';
COMMENT ON COLUMN revrtm.sla_board.term_hours IS 'The term in business hours.';
COMMENT ON COLUMN revrtm.sla_board.elapsed_hours IS 'Business hours that it waited, without the pauses.';
COMMENT ON COLUMN revrtm.sla_board.remaining_hours IS 'What is left of the term; negative where it is late.';
COMMENT ON COLUMN revrtm.sla_board.percent IS '100 x elapsed / term.';
COMMENT ON COLUMN revrtm.sla_board.is_paused IS 'Whether the clock stands still: see sla_rule.pauses.';
COMMENT ON COLUMN revrtm.sla_board.is_breached IS 'Whether business time has passed after the term.';
COMMENT ON COLUMN revrtm.sla_board.on_breach IS 'What becomes of it then: see sla_rule.on_breach.';
COMMENT ON COLUMN revrtm.sla_board.alert_level IS 'Highest of sla_rule.alert_levels that is reached, whether there was a tick or not; 0 for none.';
COMMENT ON COLUMN revrtm.sla_board.alerted_level IS 'Highest one that sla_tick raised; NULL for none.';
COMMENT ON COLUMN revrtm.sla_board.escalation_level IS 'Highest level of escalation_step that is reached; 0 for none.';
COMMENT ON COLUMN revrtm.sla_board.role IS 'Who is to decide at that level; NULL at none.';
COMMENT ON COLUMN revrtm.sla_board.as_of IS 'The instant of the reading.';
COMMENT ON COLUMN revrtm.sla_board.note IS 'sla_paused, or NULL.';

CREATE VIEW revrtm.escalation_queue WITH (security_invoker = true) AS
SELECT b.sla_board_key AS escalation_queue_key,
       row_number() OVER (ORDER BY b.escalation_level DESC, b.percent DESC, b.sla_board_key COLLATE "C") AS place,
       b.subject,
       b.subject_id,
       b.account_id,
       b.partner_id,
       b.status,
       b.escalation_level,
       b.role,
       b.due_at,
       (-b.remaining_hours)::numeric(20, 4) AS late_hours,
       n.level AS next_level,
       n.role AS next_role,
       (n.after_hours + b.remaining_hours)::numeric(20, 4) AS next_in_hours
FROM revrtm.sla_board b
LEFT JOIN revrtm.escalation_step n ON n.subject = b.subject
    AND n.level = (SELECT min(m.level) FROM revrtm.escalation_step m
                   WHERE m.subject = b.subject AND m.level > b.escalation_level)
WHERE b.escalation_level > 0;
COMMENT ON VIEW revrtm.escalation_queue IS
'What is late and escalates, the highest level and then the latest first, as of revrtm.as_of; for staff. Grain: one registration, conflict case or referral that waits.';
COMMENT ON COLUMN revrtm.escalation_queue.escalation_queue_key IS 'subject:subject_id.';
COMMENT ON COLUMN revrtm.escalation_queue.place IS 'Place in the queue, from 1.';
COMMENT ON COLUMN revrtm.escalation_queue.subject IS 'registration, conflict_case or referral.';
COMMENT ON COLUMN revrtm.escalation_queue.subject_id IS 'Its registration_id, case_id or referral_id.';
COMMENT ON COLUMN revrtm.escalation_queue.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.escalation_queue.partner_id IS 'Its partner; NULL for a case.';
COMMENT ON COLUMN revrtm.escalation_queue.status IS 'Its state.';
COMMENT ON COLUMN revrtm.escalation_queue.escalation_level IS 'The level that is reached.';
COMMENT ON COLUMN revrtm.escalation_queue.role IS 'Who is to decide.';
COMMENT ON COLUMN revrtm.escalation_queue.due_at IS 'When the term was over.';
COMMENT ON COLUMN revrtm.escalation_queue.late_hours IS 'Business hours since then, without pauses.';
COMMENT ON COLUMN revrtm.escalation_queue.next_level IS 'The next level; NULL at the last one.';
COMMENT ON COLUMN revrtm.escalation_queue.next_role IS 'Who is to decide there.';
COMMENT ON COLUMN revrtm.escalation_queue.next_in_hours IS 'Business hours until then.';

INSERT INTO revrtm.note (note, meaning) VALUES
('sla_paused', 'The clock stands still while it is not our turn, so when the term is over cannot be said.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('escalation_queue', 'escalation_level', 'level', false),
('escalation_queue', 'late_hours', 'hours', true),
('escalation_queue', 'next_in_hours', 'hours', false),
('escalation_queue', 'next_level', 'level', false),
('escalation_queue', 'place', 'rank', false),
('registration_sla', 'elapsed_hours', 'hours', true),
('registration_sla', 'percent', 'percent', false),
('registration_sla', 'remaining_hours', 'hours', true),
('registration_sla', 'term_hours', 'hours', true),
('sla_board', 'alert_level', 'percent', false),
('sla_board', 'alerted_level', 'percent', false),
('sla_board', 'elapsed_hours', 'hours', true),
('sla_board', 'escalation_level', 'level', false),
('sla_board', 'percent', 'percent', false),
('sla_board', 'remaining_hours', 'hours', true),
('sla_board', 'term_hours', 'hours', true);
