-- Selling together: what both sides and the customer have agreed to do for a
-- deal, and referrals that one side hands to the other.

CREATE TABLE revrtm.action_plan (
    plan_id         uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id      text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    opportunity_id  text NOT NULL CHECK (octet_length(opportunity_id) BETWEEN 1 AND 255),
    partner_id      text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    opened_by       text NOT NULL CHECK (opened_by IN ('partner', 'vendor')),
    title           text,
    owner_id        text,
    status          text NOT NULL DEFAULT 'proposed',
    details         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    decided_at      timestamptz,
    decision_reason text,
    checked_at      timestamptz NOT NULL,
    PRIMARY KEY (plan_id, account_id),
    CONSTRAINT action_plan_status CHECK (revrtm.life_cycle_has('action_plan', status))
);
CREATE INDEX action_plan_opportunity ON revrtm.action_plan (opportunity_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.action_plan', '');
COMMENT ON TABLE revrtm.action_plan IS
'Mutual action plans: one side proposes, the other agrees. Grain: one plan of one partner for one deal.';
COMMENT ON COLUMN revrtm.action_plan.plan_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.action_plan.account_id IS 'Account of the deal; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.action_plan.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.action_plan.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.action_plan.opened_by IS 'Who proposed it: partner or vendor; by default whoever enters it.';
COMMENT ON COLUMN revrtm.action_plan.title IS 'What it is called.';
COMMENT ON COLUMN revrtm.action_plan.owner_id IS 'The user of the CRM who answers for it.';
COMMENT ON COLUMN revrtm.action_plan.status IS 'proposed, agreed, closed or cancelled, see life_cycle_transition.';
COMMENT ON COLUMN revrtm.action_plan.details IS 'Further fields, a JSON object.';
COMMENT ON COLUMN revrtm.action_plan.decided_at IS 'When the status last changed.';
COMMENT ON COLUMN revrtm.action_plan.decision_reason IS 'Reason of the last decision, for both sides to read.';
COMMENT ON COLUMN revrtm.action_plan.checked_at IS
'Start of the transaction that wrote it last. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';
ALTER TABLE revrtm.action_plan ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.action_plan USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.action_plan FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner ON revrtm.action_plan USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan())
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()));

CREATE TABLE revrtm.plan_step (
    plan_id     uuid NOT NULL,
    account_id  text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    step        integer NOT NULL CHECK (step > 0),
    partner_id  text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    owner_party text NOT NULL CHECK (owner_party IN ('partner', 'vendor', 'customer')),
    owner_name  text,
    task        text NOT NULL CHECK (task <> ''),
    due         date NOT NULL CHECK (isfinite(due)),
    done_at     timestamptz CHECK (isfinite(done_at)),
    checked_at  timestamptz NOT NULL,
    PRIMARY KEY (plan_id, account_id, step)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.plan_step', '');
COMMENT ON TABLE revrtm.plan_step IS 'Steps of mutual action plans, each with an owner and a day. Grain: one step of one plan.';
COMMENT ON COLUMN revrtm.plan_step.plan_id IS 'The plan.';
COMMENT ON COLUMN revrtm.plan_step.account_id IS 'Account of the plan; derived.';
COMMENT ON COLUMN revrtm.plan_step.step IS 'Number of the step.';
COMMENT ON COLUMN revrtm.plan_step.partner_id IS 'Partner of the plan; derived.';
COMMENT ON COLUMN revrtm.plan_step.owner_party IS 'Who owes it: partner, vendor or customer.';
COMMENT ON COLUMN revrtm.plan_step.owner_name IS 'The person.';
COMMENT ON COLUMN revrtm.plan_step.task IS 'What is to be done.';
COMMENT ON COLUMN revrtm.plan_step.due IS 'The last day on which it is in time.';
COMMENT ON COLUMN revrtm.plan_step.done_at IS
'When it was done; NULL while it is not. A partner''s own mark is dated by the clock; staff may date it.';
COMMENT ON COLUMN revrtm.plan_step.checked_at IS
'Start of the transaction that wrote it last. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';
ALTER TABLE revrtm.plan_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.plan_step USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.plan_step FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner ON revrtm.plan_step USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan())
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()));

CREATE TABLE revrtm.referral (
    referral_id     uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id      text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    opportunity_id  text CHECK (octet_length(opportunity_id) BETWEEN 1 AND 255),
    partner_id      text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    opened_by       text NOT NULL CHECK (opened_by IN ('partner', 'vendor')),
    status          text NOT NULL DEFAULT 'sent',
    details         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    sent_at         timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    decided_at      timestamptz,
    decision_reason text,
    checked_at      timestamptz NOT NULL,
    PRIMARY KEY (referral_id, account_id),
    CONSTRAINT referral_status CHECK (revrtm.life_cycle_has('referral', status))
);
CREATE INDEX referral_partner ON revrtm.referral (partner_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.referral', '');
COMMENT ON TABLE revrtm.referral IS
'Accounts that one side refers to the other, which accepts or declines. Grain: one referral.';
COMMENT ON COLUMN revrtm.referral.referral_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.referral.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.referral.opportunity_id IS 'The deal, where there is one; NULL for every deal of the account.';
COMMENT ON COLUMN revrtm.referral.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.referral.opened_by IS 'Who refers: partner or vendor; by default whoever enters it. The other side answers.';
COMMENT ON COLUMN revrtm.referral.status IS
'sent, accepted, declined, expired or withdrawn, see life_cycle_transition; referral_sla shows what nobody answered in time as expired.';
COMMENT ON COLUMN revrtm.referral.details IS 'Further fields, a JSON object.';
COMMENT ON COLUMN revrtm.referral.sent_at IS 'When it was sent: revrtm.as_of() for staff unless given, the clock for partners.';
COMMENT ON COLUMN revrtm.referral.due_at IS
'Until when it is to be answered: enablement_terms.referral_hours of business time by programme.calendar after it was sent; derived.';
COMMENT ON COLUMN revrtm.referral.expires_at IS 'When it is over unless answered: enablement_terms.referral_expiry of business time after it was sent; derived.';
COMMENT ON COLUMN revrtm.referral.decided_at IS 'When the status last changed.';
COMMENT ON COLUMN revrtm.referral.decision_reason IS 'Reason of the answer, for both sides to read.';
COMMENT ON COLUMN revrtm.referral.checked_at IS
'Start of the transaction that wrote it last. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';
ALTER TABLE revrtm.referral ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.referral USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.referral FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner ON revrtm.referral USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan())
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()));

CREATE FUNCTION revrtm.keep_opened() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.checked_at IS NULL THEN
        NEW.opened_by := coalesce(NEW.opened_by, CASE WHEN revrtm.is_staff() THEN 'vendor' ELSE 'partner' END);
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_opened() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_opened() IS
'Trigger of action_plan and referral, before keep_life_cycle: which side opens it, where the row does not say.';

CREATE FUNCTION revrtm.keep_referral() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    terms revrtm.enablement_terms;
    calendar text;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.checked_at <> now() THEN
        RETURN NEW;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT * INTO STRICT terms FROM revrtm.enablement_terms t;
        SELECT p.calendar INTO STRICT calendar FROM revrtm.programme p;
        NEW.sent_at := coalesce(NEW.sent_at, NEW.decided_at);
        NEW.due_at := revrtm.add_business_hours(NEW.sent_at, terms.referral_hours, calendar);
        NEW.expires_at := revrtm.add_business_hours(NEW.sent_at, terms.referral_expiry, calendar);
    ELSIF NEW.status = 'accepted' AND OLD.status = 'sent' AND NEW.decided_at > NEW.expires_at THEN
        RAISE EXCEPTION 'the referral is over'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'referral', CONSTRAINT = 'referral_over',
                  DETAIL = format('It could be accepted until %s.', to_jsonb(NEW.expires_at) #>> '{}'),
                  HINT = 'Send another one.';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_referral() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_referral() IS
'Trigger of referral, after keep_life_cycle: when it is due and over; 23514 referral_over where it is accepted later.';

CREATE FUNCTION revrtm.keep_plan_step() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    staff boolean := revrtm.is_staff();
    plan revrtm.action_plan;
    problem text;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.checked_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO plan FROM revrtm.action_plan p WHERE p.plan_id = NEW.plan_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'action plan % does not exist', NEW.plan_id
            USING ERRCODE = '23503', SCHEMA = 'revrtm', TABLE = 'plan_step', CONSTRAINT = 'plan_step_plan',
                  HINT = 'The plans you may see are in revrtm.action_plan.';
    END IF;
    NEW.account_id := plan.account_id;
    NEW.partner_id := plan.partner_id;
    problem := CASE
        WHEN plan.status NOT IN ('proposed', 'agreed') THEN format('The plan is %s.', plan.status)
        WHEN TG_OP = 'UPDATE' AND OLD.done_at IS NOT NULL AND NOT staff THEN 'The step is done.'
        WHEN TG_OP = 'UPDATE' AND NEW.plan_id <> OLD.plan_id THEN 'A step stays with its plan.'
        WHEN NEW.done_at IS NOT NULL AND plan.status <> 'agreed' THEN 'The plan is not agreed yet.'
        WHEN NEW.done_at IS NOT NULL AND NOT staff AND NEW.owner_party <> 'partner' THEN
            'A partner marks its own steps done.'
        -- What was agreed is not redefined by one side.
        WHEN TG_OP = 'UPDATE' AND plan.status = 'agreed' AND NOT staff
             AND (NEW.owner_party, NEW.task, NEW.due) IS DISTINCT FROM (OLD.owner_party, OLD.task, OLD.due) THEN
            'Both sides have agreed to it.' END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'this step cannot be written'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'plan_step', CONSTRAINT = 'plan_step_state',
                  DETAIL = problem, HINT = 'Staff may change what is agreed, while the plan is not closed.';
    END IF;
    IF NEW.done_at IS NOT NULL AND NOT staff THEN
        NEW.done_at := clock_timestamp();
    END IF;
    NEW.checked_at := now();
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_plan_step() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_plan_step() IS
'Trigger of plan_step: whose it is, and what may be written of it (23514, plan_step_state; 23503 for a plan that the caller does not see). A partner marks its own steps done, by the clock, of a plan that is agreed.';

CREATE TRIGGER keep_0_opened BEFORE INSERT ON revrtm.action_plan
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_opened();
CREATE TRIGGER keep_1_life_cycle BEFORE INSERT OR UPDATE ON revrtm.action_plan
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_life_cycle();
CREATE TRIGGER log_life_cycle AFTER INSERT OR UPDATE OR DELETE ON revrtm.action_plan
FOR EACH ROW EXECUTE FUNCTION revrtm.log_life_cycle('plan_id');
CREATE TRIGGER keep_plan_step BEFORE INSERT OR UPDATE ON revrtm.plan_step
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_plan_step();
CREATE TRIGGER keep_0_opened BEFORE INSERT ON revrtm.referral
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_opened();
CREATE TRIGGER keep_1_life_cycle BEFORE INSERT OR UPDATE ON revrtm.referral
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_life_cycle();
CREATE TRIGGER keep_2_referral BEFORE INSERT OR UPDATE ON revrtm.referral
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_referral();
CREATE TRIGGER log_life_cycle AFTER INSERT OR UPDATE OR DELETE ON revrtm.referral
FOR EACH ROW EXECUTE FUNCTION revrtm.log_life_cycle('referral_id');

-- Reading.

CREATE VIEW revrtm.plan_step_state WITH (security_invoker = true) AS
SELECT concat_ws(':', s.plan_id, s.step) AS plan_step_state_key,
       s.plan_id,
       s.step,
       p.opportunity_id,
       s.account_id,
       s.partner_id,
       s.owner_party,
       s.owner_name,
       s.task,
       s.due,
       s.done_on,
       CASE WHEN s.done_on <= s.due THEN 'in_time' WHEN s.done_on > s.due THEN 'late'
            WHEN p.status IN ('closed', 'cancelled') THEN 'dropped'
            WHEN s.due < s.today THEN 'overdue' ELSE 'open' END AS state,
       CASE WHEN s.done_on IS NULL AND p.status IN ('proposed', 'agreed') AND s.due < s.today THEN s.today - s.due END
           AS days_overdue
FROM (SELECT k.*, revrtm.programme_date(k.done_at) AS done_on,
             revrtm.programme_date((SELECT revrtm.as_of())) AS today
      FROM revrtm.plan_step k) s
     JOIN revrtm.action_plan p ON p.plan_id = s.plan_id AND p.account_id = s.account_id;
COMMENT ON VIEW revrtm.plan_step_state IS
'Where the steps of mutual action plans stand today (revrtm.as_of), by days of the programme''s zone. Grain: one step.';
COMMENT ON COLUMN revrtm.plan_step_state.plan_step_state_key IS 'plan_id:step.';
COMMENT ON COLUMN revrtm.plan_step_state.plan_id IS 'The plan.';
COMMENT ON COLUMN revrtm.plan_step_state.step IS 'Number of the step.';
COMMENT ON COLUMN revrtm.plan_step_state.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.plan_step_state.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.plan_step_state.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.plan_step_state.owner_party IS 'Who owes it: partner, vendor or customer.';
COMMENT ON COLUMN revrtm.plan_step_state.owner_name IS 'The person.';
COMMENT ON COLUMN revrtm.plan_step_state.task IS 'What is to be done.';
COMMENT ON COLUMN revrtm.plan_step_state.due IS 'The last day on which it is in time.';
COMMENT ON COLUMN revrtm.plan_step_state.done_on IS 'Day it was done; NULL while it is not.';
COMMENT ON COLUMN revrtm.plan_step_state.state IS
'in_time or late (done), open, overdue, or dropped: not done when the plan was closed or cancelled.';
COMMENT ON COLUMN revrtm.plan_step_state.days_overdue IS 'Days since the day it was due; NULL unless overdue.';

CREATE VIEW revrtm.plan_health WITH (security_invoker = true) AS
SELECT p.plan_id::text AS plan_health_key,
       p.plan_id,
       p.opportunity_id,
       p.account_id,
       p.partner_id,
       p.owner_id,
       p.status,
       coalesce(s.steps, 0) AS steps,
       coalesce(s.done, 0) AS done,
       coalesce(s.fallen_due, 0) AS fallen_due,
       coalesce(s.in_time, 0) AS in_time,
       coalesce(s.overdue, 0) AS overdue,
       coalesce(s.overdue_partner, 0) AS overdue_partner,
       coalesce(s.overdue_vendor, 0) AS overdue_vendor,
       coalesce(s.overdue_customer, 0) AS overdue_customer,
       s.next_due,
       revrtm.ratio(s.in_time, s.fallen_due)::numeric(9, 6) AS health,
       CASE WHEN s.fallen_due > 0 THEN
           CASE WHEN revrtm.ratio(s.in_time, s.fallen_due) >= t.healthy THEN 'on_track'
                WHEN revrtm.ratio(s.in_time, s.fallen_due) >= t.at_risk THEN 'at_risk' ELSE 'off_track' END END AS band,
       revrtm.ratio_note(s.fallen_due, 'no_step_due') AS note
FROM revrtm.action_plan p
     LEFT JOIN (SELECT k.plan_id, count(*) AS steps,
                       count(k.done_on) AS done,
                       count(*) FILTER (WHERE k.state IN ('in_time', 'late', 'overdue')) AS fallen_due,
                       count(*) FILTER (WHERE k.state = 'in_time') AS in_time,
                       count(*) FILTER (WHERE k.state = 'overdue') AS overdue,
                       count(*) FILTER (WHERE k.state = 'overdue' AND k.owner_party = 'partner') AS overdue_partner,
                       count(*) FILTER (WHERE k.state = 'overdue' AND k.owner_party = 'vendor') AS overdue_vendor,
                       count(*) FILTER (WHERE k.state = 'overdue' AND k.owner_party = 'customer') AS overdue_customer,
                       min(k.due) FILTER (WHERE k.state = 'open') AS next_due
                FROM revrtm.plan_step_state k
                GROUP BY k.plan_id) s ON s.plan_id = p.plan_id
     JOIN revrtm.enablement_terms t ON t.terms = 'default';
COMMENT ON VIEW revrtm.plan_health IS
'How mutual action plans go, as of today (revrtm.as_of): health is the share in time of the steps that are done or have fallen due. Grain: one plan.';
COMMENT ON COLUMN revrtm.plan_health.plan_health_key IS 'The plan.';
COMMENT ON COLUMN revrtm.plan_health.plan_id IS 'The plan.';
COMMENT ON COLUMN revrtm.plan_health.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.plan_health.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.plan_health.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.plan_health.owner_id IS 'The user who answers for it.';
COMMENT ON COLUMN revrtm.plan_health.status IS 'proposed, agreed, closed or cancelled.';
COMMENT ON COLUMN revrtm.plan_health.steps IS 'Steps.';
COMMENT ON COLUMN revrtm.plan_health.done IS 'Steps that are done.';
COMMENT ON COLUMN revrtm.plan_health.fallen_due IS 'Steps that are done, or whose day is over.';
COMMENT ON COLUMN revrtm.plan_health.in_time IS 'Steps done in time.';
COMMENT ON COLUMN revrtm.plan_health.overdue IS 'Steps that are overdue.';
COMMENT ON COLUMN revrtm.plan_health.overdue_partner IS 'Those that the partner owes.';
COMMENT ON COLUMN revrtm.plan_health.overdue_vendor IS 'Those that we owe.';
COMMENT ON COLUMN revrtm.plan_health.overdue_customer IS 'Those that the customer owes.';
COMMENT ON COLUMN revrtm.plan_health.next_due IS 'Day of the next open step; NULL for none.';
COMMENT ON COLUMN revrtm.plan_health.health IS 'in_time / fallen_due, 0 to 1; NULL while no step has fallen due.';
COMMENT ON COLUMN revrtm.plan_health.band IS
'on_track from enablement_terms.healthy, at_risk from enablement_terms.at_risk, else off_track; NULL without health.';
COMMENT ON COLUMN revrtm.plan_health.note IS 'no_step_due, or NULL.';

CREATE VIEW revrtm.plan_overdue WITH (security_invoker = true) AS
SELECT concat_ws(':', k.partner_id, k.owner_party) AS plan_overdue_key,
       k.partner_id,
       k.owner_party,
       count(DISTINCT k.plan_id) AS plans,
       count(*) AS steps,
       max(k.days_overdue) AS longest
FROM revrtm.plan_step_state k
WHERE k.state = 'overdue'
GROUP BY k.partner_id, k.owner_party;
COMMENT ON VIEW revrtm.plan_overdue IS
'Who is behind with the steps of mutual action plans, as of today (revrtm.as_of). Grain: one party of the plans with one partner; no row where nothing is overdue.';
COMMENT ON COLUMN revrtm.plan_overdue.plan_overdue_key IS 'partner_id:owner_party.';
COMMENT ON COLUMN revrtm.plan_overdue.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.plan_overdue.owner_party IS 'Who owes the steps: partner, vendor or customer.';
COMMENT ON COLUMN revrtm.plan_overdue.plans IS 'Plans with such a step.';
COMMENT ON COLUMN revrtm.plan_overdue.steps IS 'Steps that are overdue.';
COMMENT ON COLUMN revrtm.plan_overdue.longest IS 'Days since the earliest of them was due.';

CREATE VIEW revrtm.referral_sla WITH (security_invoker = true) AS
SELECT r.referral_id::text AS referral_sla_key,
       r.referral_id,
       r.partner_id,
       r.account_id,
       r.opened_by,
       revrtm.period(r.sent_at) AS period,
       CASE WHEN r.status = 'sent' AND r.expires_at < r.now THEN 'expired' ELSE r.status END AS status,
       r.sent_at,
       r.due_at,
       CASE WHEN r.status <> 'sent' THEN r.decided_at END AS answered_at,
       revrtm.business_hours_between(r.sent_at, CASE WHEN r.status = 'sent' THEN r.now ELSE r.decided_at END,
                                     (SELECT p.calendar FROM revrtm.programme p))::numeric(20, 4) AS hours,
       CASE WHEN r.status IN ('accepted', 'declined') THEN r.late <= 0
            WHEN r.status = 'withdrawn' THEN NULL
            WHEN r.late > 0 OR r.status = 'expired' THEN false END AS in_time
FROM (SELECT k.*, n.now,
             -- A night after the last hour is not late yet.
             revrtm.business_hours_between(k.due_at, CASE k.status WHEN 'sent' THEN n.now ELSE k.decided_at END,
                                           (SELECT p.calendar FROM revrtm.programme p)) AS late
      FROM revrtm.referral k CROSS JOIN (SELECT revrtm.as_of() AS now) n) r;
COMMENT ON VIEW revrtm.referral_sla IS
'How long referrals wait for an answer, in business hours of the programme''s calendar, as of today (revrtm.as_of). Grain: one referral.';
COMMENT ON COLUMN revrtm.referral_sla.referral_sla_key IS 'The referral.';
COMMENT ON COLUMN revrtm.referral_sla.referral_id IS 'The referral.';
COMMENT ON COLUMN revrtm.referral_sla.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.referral_sla.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.referral_sla.opened_by IS 'Who refers: partner or vendor; the other side answers.';
COMMENT ON COLUMN revrtm.referral_sla.period IS 'Month it was sent in.';
COMMENT ON COLUMN revrtm.referral_sla.status IS 'Its status; expired also where nobody answered until expires_at.';
COMMENT ON COLUMN revrtm.referral_sla.sent_at IS 'When it was sent.';
COMMENT ON COLUMN revrtm.referral_sla.due_at IS 'Until when it was to be answered.';
COMMENT ON COLUMN revrtm.referral_sla.answered_at IS 'When it was answered, withdrawn or written down as expired; NULL before that.';
COMMENT ON COLUMN revrtm.referral_sla.hours IS 'Business hours from sending to the answer, or to today.';
COMMENT ON COLUMN revrtm.referral_sla.in_time IS
'Whether it was answered before any business time had passed after due_at; false too where it is not, and late; NULL while there is time, and where it was withdrawn.';

CREATE VIEW revrtm.referral_acceptance WITH (security_invoker = true) AS
SELECT concat_ws(':', r.partner_id, r.opened_by, revrtm.date_text(r.period)) AS referral_acceptance_key,
       r.partner_id,
       r.opened_by,
       r.period,
       count(*) AS referrals,
       count(*) FILTER (WHERE r.status = 'accepted') AS accepted,
       count(*) FILTER (WHERE r.status = 'declined') AS declined,
       count(*) FILTER (WHERE r.status = 'expired') AS expired,
       count(*) FILTER (WHERE r.status = 'sent') AS waiting,
       count(*) FILTER (WHERE r.in_time) AS in_time,
       count(*) FILTER (WHERE r.status <> 'withdrawn' AND r.in_time IS NOT NULL) AS judged,
       revrtm.ratio(count(*) FILTER (WHERE r.status = 'accepted'),
                    count(*) FILTER (WHERE r.status IN ('accepted', 'declined', 'expired')))::numeric(9, 6) AS acceptance_rate,
       revrtm.ratio(count(*) FILTER (WHERE r.in_time),
                    count(*) FILTER (WHERE r.in_time IS NOT NULL))::numeric(9, 6) AS in_time_rate,
       revrtm.ratio_note(count(*) FILTER (WHERE r.status IN ('accepted', 'declined', 'expired')), 'no_answer') AS note
FROM revrtm.referral_sla r
GROUP BY r.partner_id, r.opened_by, r.period;
COMMENT ON VIEW revrtm.referral_acceptance IS
'How many referrals were accepted, and in time. Grain: one direction with one partner in one month of sending.';
COMMENT ON COLUMN revrtm.referral_acceptance.referral_acceptance_key IS 'partner_id:opened_by:period.';
COMMENT ON COLUMN revrtm.referral_acceptance.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.referral_acceptance.opened_by IS 'Who refers: partner or vendor; the other side answers.';
COMMENT ON COLUMN revrtm.referral_acceptance.period IS 'Month they were sent in.';
COMMENT ON COLUMN revrtm.referral_acceptance.referrals IS 'Referrals sent.';
COMMENT ON COLUMN revrtm.referral_acceptance.accepted IS 'Those that were accepted.';
COMMENT ON COLUMN revrtm.referral_acceptance.declined IS 'Those that were declined.';
COMMENT ON COLUMN revrtm.referral_acceptance.expired IS 'Those that nobody answered.';
COMMENT ON COLUMN revrtm.referral_acceptance.waiting IS 'Those that wait for an answer.';
COMMENT ON COLUMN revrtm.referral_acceptance.in_time IS 'Those answered in time.';
COMMENT ON COLUMN revrtm.referral_acceptance.judged IS 'Those of which it is known whether they were.';
COMMENT ON COLUMN revrtm.referral_acceptance.acceptance_rate IS 'accepted / (accepted + declined + expired).';
COMMENT ON COLUMN revrtm.referral_acceptance.in_time_rate IS 'in_time / judged.';
COMMENT ON COLUMN revrtm.referral_acceptance.note IS 'no_answer, or NULL.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_answer', 'Nobody has answered, and there is time left.'),
('no_step_due', 'No step is done or has fallen due, so there is no health.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('plan_health', 'done', 'pieces', true),
('plan_health', 'fallen_due', 'pieces', true),
('plan_health', 'health', 'share', false),
('plan_health', 'in_time', 'pieces', true),
('plan_health', 'overdue', 'pieces', true),
('plan_health', 'overdue_customer', 'pieces', true),
('plan_health', 'overdue_partner', 'pieces', true),
('plan_health', 'overdue_vendor', 'pieces', true),
('plan_health', 'steps', 'pieces', true),
('plan_overdue', 'longest', 'days', false),
('plan_overdue', 'plans', 'pieces', false),
('plan_overdue', 'steps', 'pieces', true),
('plan_step_state', 'days_overdue', 'days', false),
('referral_acceptance', 'acceptance_rate', 'share', false),
('referral_acceptance', 'accepted', 'pieces', true),
('referral_acceptance', 'declined', 'pieces', true),
('referral_acceptance', 'expired', 'pieces', true),
('referral_acceptance', 'in_time', 'pieces', true),
('referral_acceptance', 'in_time_rate', 'share', false),
('referral_acceptance', 'judged', 'pieces', true),
('referral_acceptance', 'referrals', 'pieces', true),
('referral_acceptance', 'waiting', 'pieces', true),
('referral_sla', 'hours', 'hours', true);
