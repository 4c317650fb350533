-- Deal registrations. The exclusion constraint alone decides which of two
-- overlapping protections stands; the trigger derives and explains.

CREATE FUNCTION revrtm.registration_is_valid(account_id text, partner_id text, product_codes text[],
    region_codes text[], product int8multirange, region int8multirange, protection daterange, status text,
    active boolean, amount numeric, currency text, expected_close date, evidence jsonb, details jsonb, opportunity_id text)
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_registration_is_valid';
COMMENT ON FUNCTION revrtm.registration_is_valid(text, text, text[], text[], int8multirange, int8multirange,
    daterange, text, boolean, numeric, text, date, jsonb, jsonb, text) IS
'Whether the fields of a registration hold what they may: true, or 23514 with what is wrong, a hint, and the constraint: deal_registration_account, _partner and _opportunity (an id of 1 to 255 bytes), _codes (not empty), _scope (not empty), _protection (not empty, no infinite day; a side may be open), _status (one of the fourteen), _active (as the status has it), _amount (not negative, finite), _currency (three capital letters), _close (finite), _evidence (object or array), _details (object). NULL passes.';

CREATE TABLE revrtm.deal_registration (
    registration_id uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id text NOT NULL,
    partner_id text NOT NULL,
    product_codes text[] NOT NULL,
    region_codes text[] NOT NULL,
    product int8multirange NOT NULL,
    region int8multirange NOT NULL,
    protection daterange NOT NULL,
    status text NOT NULL DEFAULT 'submitted',
    active boolean NOT NULL,
    exclusive boolean NOT NULL DEFAULT true,
    amount numeric,
    currency text,
    expected_close date,
    evidence jsonb NOT NULL DEFAULT '{}',
    details jsonb NOT NULL DEFAULT '{}',
    submitted_at timestamptz NOT NULL,
    decided_at timestamptz,
    checked_at timestamptz NOT NULL,
    decision_reason text,
    opportunity_id text,
    revision int NOT NULL DEFAULT 1,
    PRIMARY KEY (registration_id, account_id),
    CONSTRAINT roe_protected EXCLUDE USING gist
        (account_id WITH =, region WITH &&, product WITH &&, protection WITH &&)
        WHERE (active AND exclusive),
    CONSTRAINT deal_registration_fields
        CHECK (revrtm.registration_is_valid(account_id, partner_id, product_codes, region_codes, product, region,
            protection, status, active, amount, currency, expected_close, evidence, details, opportunity_id))
);
CREATE INDEX deal_registration_partner ON revrtm.deal_registration (partner_id, account_id);
CREATE INDEX deal_registration_live ON revrtm.deal_registration (account_id)
    WHERE status IN ('submitted', 'queued', 'in_review', 'action_required', 'approved', 'extended', 'converted');

COMMENT ON TABLE revrtm.deal_registration IS
'A partner''s claim to work an account, for some products in some regions. Two active exclusive ones never overlap in account, region, product and protection (constraint roe_protected, 23P01).';
COMMENT ON CONSTRAINT deal_registration_fields ON revrtm.deal_registration IS
'Ids of 1 to 255 bytes; codes, scopes and protection not empty, for roe_protected would overlook those; active as the status has it; amounts, days and documents as they may be. Errors name deal_registration_account and so on: see registration_is_valid().';
COMMENT ON COLUMN revrtm.deal_registration.registration_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.deal_registration.account_id IS 'Account in the CRM, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.deal_registration.partner_id IS 'Partner that registers, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.deal_registration.product_codes IS 'Nodes of revrtm.product, one or more; each stands for all below it, {ANY} for everything.';
COMMENT ON COLUMN revrtm.deal_registration.region_codes IS 'Nodes of revrtm.region, one or more; each stands for all below it, {ANY} for everything.';
COMMENT ON COLUMN revrtm.deal_registration.product IS 'Spans of product_codes; derived.';
COMMENT ON COLUMN revrtm.deal_registration.region IS 'Spans of region_codes; derived.';
COMMENT ON COLUMN revrtm.deal_registration.protection IS
'Days of protection, [from, until); while it waits, those it would have. By default as many as programme.protection_days from the day of entry or approval in the programme''s zone: that of revrtm.as_of() for whoever may write this column, the clock''s for others.';
COMMENT ON COLUMN revrtm.deal_registration.status IS
'A state of registration_state. Approved and extended ones whose protection is over are shown as expired by registration_status() without any job.';
COMMENT ON COLUMN revrtm.deal_registration.active IS 'Whether the status protects: approved, extended or converted; derived.';
COMMENT ON COLUMN revrtm.deal_registration.exclusive IS 'Whether it keeps others out, and is kept out by them.';
COMMENT ON COLUMN revrtm.deal_registration.amount IS 'Expected amount of the deal in currency, not negative.';
COMMENT ON COLUMN revrtm.deal_registration.currency IS 'ISO 4217 code of amount.';
COMMENT ON COLUMN revrtm.deal_registration.expected_close IS 'Day the partner expects to close.';
COMMENT ON COLUMN revrtm.deal_registration.evidence IS 'What the partner shows for its claim: a JSON object or array.';
COMMENT ON COLUMN revrtm.deal_registration.details IS
'Further fields, a JSON object.';
COMMENT ON COLUMN revrtm.deal_registration.submitted_at IS
'When it was submitted first, its place in the order: revrtm.as_of() by default for whoever may write this column, the clock for others. Of a draft, when it was entered; of one that was returned for longer than protection_rule.grace_hours, when it came back.';
COMMENT ON COLUMN revrtm.deal_registration.decided_at IS 'When the status last changed; NULL before that.';
COMMENT ON COLUMN revrtm.deal_registration.checked_at IS
'Start of the transaction in which the rules judged the row. A row inserted with it (a restore) passes the rules unchanged; only the owner may write it.';
COMMENT ON COLUMN revrtm.deal_registration.decision_reason IS 'The reason given with the last change of status, for its partner to read; NULL where none was.';
COMMENT ON COLUMN revrtm.deal_registration.opportunity_id IS 'The deal it became, 1 to 255 bytes; see convert_registration().';
COMMENT ON COLUMN revrtm.deal_registration.revision IS 'Number of its latest entry in registration_event; derived.';

-- The states, and what leads from one to another.

CREATE TABLE revrtm.registration_state (
    status text PRIMARY KEY,
    active boolean NOT NULL,
    open boolean NOT NULL,
    expires boolean NOT NULL,
    editable_fields text[] NOT NULL,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT registration_state_status
        CHECK (status IN ('draft', 'submitted', 'queued', 'in_review', 'action_required', 'approved', 'extended',
            'converted', 'won', 'lost', 'rejected', 'expired', 'withdrawn', 'revoked')),
    CONSTRAINT registration_state_flags
        CHECK (active = (status IN ('approved', 'extended', 'converted'))
            AND open = (status IN ('submitted', 'queued', 'in_review', 'action_required'))
            AND expires = (status IN ('approved', 'extended'))),
    CONSTRAINT registration_state_fields
        CHECK (editable_fields <@ '{account_id,partner_id,product_codes,region_codes,exclusive,amount,currency,expected_close,evidence,details,opportunity_id}')
);
COMMENT ON TABLE revrtm.registration_state IS
'The states of a registration: which fields may be changed in each. Grain: one state. The states themselves are fixed, as is what protects.';
COMMENT ON COLUMN revrtm.registration_state.status IS 'The state.';
COMMENT ON COLUMN revrtm.registration_state.active IS 'Whether a registration in it protects its scope; fixed.';
COMMENT ON COLUMN revrtm.registration_state.open IS 'Whether a registration in it waits for a decision; fixed.';
COMMENT ON COLUMN revrtm.registration_state.expires IS 'Whether a registration in it counts as expired once its protection is over; fixed.';
COMMENT ON COLUMN revrtm.registration_state.editable_fields IS
'Columns of deal_registration that may be changed in it, by whoever has the privilege; the others that say what is registered are frozen (23514, roe_frozen).';
COMMENT ON COLUMN revrtm.registration_state.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.registration_state (status, active, open, expires, editable_fields, shipped) VALUES
('draft', false, false, false, '{account_id,partner_id,product_codes,region_codes,exclusive,amount,currency,expected_close,evidence,details}', true),
('submitted', false, true, false, '{}', true),
('queued', false, true, false, '{}', true),
('in_review', false, true, false, '{}', true),
('action_required', false, true, false, '{amount,currency,expected_close,evidence,details}', true),
('approved', true, false, true, '{amount,currency,expected_close,evidence,details,opportunity_id}', true),
('extended', true, false, true, '{amount,currency,expected_close,evidence,details,opportunity_id}', true),
('converted', true, false, false, '{amount,currency,expected_close,evidence,details,opportunity_id}', true),
('won', false, false, false, '{}', true),
('lost', false, false, false, '{}', true),
('rejected', false, false, false, '{}', true),
('expired', false, false, false, '{}', true),
('withdrawn', false, false, false, '{}', true),
('revoked', false, false, false, '{}', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.registration_state
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('status');

CREATE TABLE revrtm.registration_transition (
    from_status text NOT NULL,
    to_status text NOT NULL,
    actors text[] NOT NULL,
    reason_required boolean NOT NULL DEFAULT false,
    shipped boolean NOT NULL DEFAULT false,
    PRIMARY KEY (from_status, to_status),
    CONSTRAINT registration_transition_actors CHECK (actors <@ '{partner,staff,system}')
);
COMMENT ON TABLE revrtm.registration_transition IS
'What may become of a registration, and who may do it; anything else raises 23514 (roe_transition). Grain: one pair of states. From a state to itself is a change of its protection, that is an extension.';
COMMENT ON COLUMN revrtm.registration_transition.from_status IS 'The state it is in; an approved or extended one whose protection is over is expired.';
COMMENT ON COLUMN revrtm.registration_transition.to_status IS 'The state it may go to.';
COMMENT ON COLUMN revrtm.registration_transition.actors IS
'Who may: partner; staff (see is_staff); system, that is promote_registrations(), expire_registrations(), merge_accounts(), for a submission whose scope is held, the queue, and for a protection that gives way in a changed tree, move_region() and move_product().';
COMMENT ON COLUMN revrtm.registration_transition.reason_required IS 'Whether it takes a reason (23514, roe_reason).';
COMMENT ON COLUMN revrtm.registration_transition.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.registration_transition (from_status, to_status, actors, reason_required, shipped) VALUES
('draft', 'submitted', '{partner,staff}', false, true),
('draft', 'queued', '{system}', false, true),
('draft', 'withdrawn', '{partner,staff}', false, true),
('submitted', 'in_review', '{staff}', false, true),
('submitted', 'queued', '{staff,system}', false, true),
('submitted', 'action_required', '{staff}', true, true),
('submitted', 'approved', '{staff}', false, true),
('submitted', 'rejected', '{staff}', true, true),
('submitted', 'withdrawn', '{partner,staff}', false, true),
('submitted', 'expired', '{staff}', false, true),
('queued', 'submitted', '{system}', false, true),
('queued', 'rejected', '{staff}', true, true),
('queued', 'withdrawn', '{partner,staff}', false, true),
('in_review', 'queued', '{staff}', false, true),
('in_review', 'action_required', '{staff}', true, true),
('in_review', 'approved', '{staff}', false, true),
('in_review', 'rejected', '{staff}', true, true),
('in_review', 'withdrawn', '{partner,staff}', false, true),
('action_required', 'submitted', '{partner,staff}', false, true),
('action_required', 'queued', '{system}', false, true),
('action_required', 'rejected', '{staff}', true, true),
('action_required', 'withdrawn', '{partner,staff}', false, true),
('action_required', 'expired', '{staff}', false, true),
('approved', 'extended', '{staff}', false, true),
('approved', 'converted', '{staff}', false, true),
('approved', 'lost', '{staff}', false, true),
('approved', 'expired', '{staff,system}', false, true),
('approved', 'withdrawn', '{partner,staff}', false, true),
('approved', 'revoked', '{staff}', true, true),
('extended', 'extended', '{staff}', false, true),
('extended', 'converted', '{staff}', false, true),
('extended', 'lost', '{staff}', false, true),
('extended', 'expired', '{staff,system}', false, true),
('extended', 'withdrawn', '{partner,staff}', false, true),
('extended', 'revoked', '{staff}', true, true),
('converted', 'converted', '{staff}', false, true),
('converted', 'won', '{staff}', false, true),
('converted', 'lost', '{staff}', false, true),
('converted', 'revoked', '{staff}', true, true),
('approved', 'queued', '{staff,system}', true, true),
('extended', 'queued', '{staff,system}', true, true),
('converted', 'queued', '{staff,system}', true, true),
('queued', 'approved', '{staff,system}', false, true),
('queued', 'extended', '{system}', false, true),
('queued', 'converted', '{system}', false, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.registration_transition
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('from_status', 'to_status');
GRANT SELECT ON revrtm.registration_state, revrtm.registration_transition TO PUBLIC;

-- Who is who.

CREATE TABLE revrtm.partner_login (
    role_name text PRIMARY KEY CHECK (octet_length(role_name) BETWEEN 1 AND 63),
    partner_id text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255)
);
COMMENT ON TABLE revrtm.partner_login IS
'Database roles of partners; members that have the privileges of a role count too. Read by current_partner().';
COMMENT ON COLUMN revrtm.partner_login.role_name IS 'Name of a database role.';
COMMENT ON COLUMN revrtm.partner_login.partner_id IS 'The partner it acts for.';

CREATE TABLE revrtm.partner_proxy (
    role_name text PRIMARY KEY CHECK (octet_length(role_name) BETWEEN 1 AND 63)
);
COMMENT ON TABLE revrtm.partner_proxy IS
'Pooled roles of portals: for them, and members that have their privileges, the setting revrtm.partner names the partner.';
COMMENT ON COLUMN revrtm.partner_proxy.role_name IS 'Name of a database role.';

CREATE FUNCTION revrtm.current_partner() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'revrtm_current_partner';
COMMENT ON FUNCTION revrtm.current_partner() IS
'The partner that the current user acts for: the setting revrtm.partner for a role of partner_proxy, else that of partner_login, where the user''s own row precedes those of roles whose privileges it has by membership; NULL for nobody, or for members of several partners'' roles.';

CREATE FUNCTION revrtm.is_staff() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.has_column_privilege('revrtm.deal_registration'::regclass, 'protection', 'UPDATE');
END;
COMMENT ON FUNCTION revrtm.is_staff() IS
'Whether the current user decides on registrations, that is, may write deal_registration.protection (see grant_staff); such users see every registration.';

CREATE FUNCTION revrtm.guard_plan() RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_guard_plan';
COMMENT ON FUNCTION revrtm.guard_plan() IS
'True. Named by the policies of partners, it has every plan over a table with row security made without the statistics and indexes by which the plan would tell of hidden rows, except for staff.';

ALTER TABLE revrtm.deal_registration ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.deal_registration
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY partner_read ON revrtm.deal_registration FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());
CREATE POLICY partner_register ON revrtm.deal_registration FOR INSERT
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()) AND status IN ('draft', 'submitted', 'queued'));
CREATE POLICY partner_change ON revrtm.deal_registration FOR UPDATE
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan())
    WITH CHECK (partner_id = (SELECT revrtm.current_partner())
        AND status IN ('draft', 'submitted', 'queued', 'action_required', 'withdrawn'));

CREATE FUNCTION revrtm.keep_registration() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_keep_registration';
REVOKE ALL ON FUNCTION revrtm.keep_registration() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_registration() IS
'Trigger of deal_registration: derives its scopes, active and dates; refuses changes of status (23514, roe_transition, roe_reason) and of fields (23514, roe_frozen) that registration_transition and registration_state do not provide for, and what a rule denies (23514, roe_not_eligible, roe_excluded, roe_guardrail), other discounts or another deal of a registration that is there included; puts a partner''s registration whose scope is held into the queue; explains a conflict before the constraint refuses it (23P01, roe_protected).';
CREATE TRIGGER keep_registration BEFORE INSERT OR UPDATE ON revrtm.deal_registration
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_registration();

-- The event log.

CREATE TABLE revrtm.registration_event (
    registration_id uuid NOT NULL,
    account_id text NOT NULL,
    revision int NOT NULL,
    partner_id text NOT NULL,
    at timestamptz NOT NULL,
    logged_at timestamptz NOT NULL,
    actor text NOT NULL,
    acting_role text NOT NULL,
    app_actor text,
    acted_as text NOT NULL,
    from_status text,
    to_status text,
    reason text,
    changed jsonb,
    PRIMARY KEY (registration_id, account_id, revision, logged_at)
);
COMMENT ON TABLE revrtm.registration_event IS
'Every change of every registration, append-only (23514, registration_event_append_only). Written by the trigger of deal_registration as the owner of the tables; a restore writes nothing, its entries arrive by themselves. Grain: one change of one registration.';
COMMENT ON COLUMN revrtm.registration_event.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_event.account_id IS 'Its account, after the change.';
COMMENT ON COLUMN revrtm.registration_event.revision IS 'Place among the changes of the registration, from 1, without gaps; from 1 again should one that was deleted come back.';
COMMENT ON COLUMN revrtm.registration_event.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.registration_event.at IS 'When it happened: revrtm.as_of() for staff, the clock for others.';
COMMENT ON COLUMN revrtm.registration_event.logged_at IS 'When it was written, by the clock.';
COMMENT ON COLUMN revrtm.registration_event.actor IS 'The role that logged in (session_user).';
COMMENT ON COLUMN revrtm.registration_event.acting_role IS 'The role whose rights were used (current_user).';
COMMENT ON COLUMN revrtm.registration_event.app_actor IS 'The application''s user, as the application says it; NULL where it does not.';
COMMENT ON COLUMN revrtm.registration_event.acted_as IS 'partner, staff, or system for scheduled calls.';
COMMENT ON COLUMN revrtm.registration_event.from_status IS 'Status before; NULL for a new registration.';
COMMENT ON COLUMN revrtm.registration_event.to_status IS 'Status after; NULL for one that was deleted.';
COMMENT ON COLUMN revrtm.registration_event.reason IS 'Reason given; the partner may read it.';
COMMENT ON COLUMN revrtm.registration_event.changed IS
'Fields that changed, by name, each with old and new; with old alone of a registration that was deleted. NULL for a new one, and where the status alone changed. submitted_at is among them where a registration lost its place; override, of an override of a rule, see roe_override.';

ALTER TABLE revrtm.registration_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff_read ON revrtm.registration_event FOR SELECT USING ((SELECT revrtm.is_staff()));
-- Not the entry that hands a registration over, for it names whose it was.
CREATE POLICY partner_read ON revrtm.registration_event FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND changed -> 'partner_id' IS NULL
        AND revrtm.guard_plan());

CREATE FUNCTION revrtm.log_registration() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_log_registration';
REVOKE ALL ON FUNCTION revrtm.log_registration() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.log_registration() IS
'Trigger of deal_registration: writes each change to registration_event, as the owner of the tables.';
CREATE TRIGGER log_registration AFTER INSERT OR UPDATE OR DELETE ON revrtm.deal_registration
FOR EACH ROW EXECUTE FUNCTION revrtm.log_registration();

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revrtm.registration_event
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.refuse_change();
ALTER TABLE revrtm.registration_event ENABLE ALWAYS TRIGGER refuse_change;

-- Registering and deciding, with the caller's own rights.

CREATE FUNCTION revrtm.find_protection(account_id text, product int8multirange, region int8multirange,
    protection daterange)
RETURNS TABLE (reason_code text, conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 1000 ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_find_protection';
COMMENT ON FUNCTION revrtm.find_protection(text, int8multirange, int8multirange, daterange) IS
'One row, reason_code PROTECTED, where an active exclusive registration overlaps this scope and period; which one, only for who may SELECT it. No row otherwise. For who may not INSERT deal_registration.protection (a partner) it knows of the partner''s own registrations alone, and the period is not the one given but the default one from the clock''s day that register_deal gives to such a caller, so that nobody searches for the scope or the days of a rival. 42501 for who may not register deals.';

CREATE FUNCTION revrtm.register_deal(account_id text, partner_id text, product text[], region text[],
    amount numeric DEFAULT NULL, currency text DEFAULT NULL, expected_close date DEFAULT NULL,
    evidence jsonb DEFAULT '{}', details jsonb DEFAULT '{}', exclusive boolean DEFAULT true)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1
BEGIN ATOMIC
    WITH submitted AS (
        INSERT INTO revrtm.deal_registration AS d (account_id, partner_id, product_codes, region_codes,
            amount, currency, expected_close, evidence, details, exclusive)
        VALUES (register_deal.account_id, register_deal.partner_id, register_deal.product,
            register_deal.region, register_deal.amount, register_deal.currency,
            register_deal.expected_close, register_deal.evidence, register_deal.details,
            register_deal.exclusive)
        RETURNING d.registration_id, d.status, d.account_id, d.product, d.region, d.protection,
            d.exclusive)
    -- A partner learns of a rival by the queue alone.
    SELECT s.registration_id, s.status,
        coalesce(p.reason_code, CASE s.status WHEN 'queued' THEN 'PROTECTED' END),
        p.conflicting_registration_id,
        coalesce(p.detail, CASE s.status WHEN 'queued'
            THEN 'Another active registration protects this account and scope.' END)
    FROM submitted s
    LEFT JOIN LATERAL revrtm.find_protection(s.account_id, s.product, s.region, s.protection) p
        ON s.exclusive;
END;
COMMENT ON FUNCTION revrtm.register_deal(text, text, text[], text[], numeric, text, date, jsonb, jsonb, boolean) IS
'Submits a registration, with the default of deal_registration.protection. An active registration in its way is reported (reason_code PROTECTED), not raised; which one, only to who may SELECT it; a partner''s is then queued. What a rule denies raises 23514 (roe_not_eligible), unknown codes 23503, bad lists 22023; above READ COMMITTED, a rival committed after the snapshot may raise 40001.';

CREATE FUNCTION revrtm.review_registration(registration_id uuid)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_review_registration';
COMMENT ON FUNCTION revrtm.review_registration(uuid) IS
'Takes a submitted registration into review. 23514 roe_transition from another status or for who may not, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.approve_registration(registration_id uuid, protection daterange DEFAULT NULL,
    reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_approve_registration';
COMMENT ON FUNCTION revrtm.approve_registration(uuid, daterange, text) IS
'Approves a registration that is submitted or in review: protection from today (revrtm.as_of in the programme''s zone) for programme.protection_days unless given. 23P01 roe_protected where another one stands in its way, 23514 roe_not_eligible where a rule denies it. 23514 roe_transition from another status or for who may not, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.reject_registration(registration_id uuid, reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_reject_registration';
COMMENT ON FUNCTION revrtm.reject_registration(uuid, text) IS
'Rejects a registration that waits, for a reason that its partner reads. 23514 roe_transition from another status or for who may not, roe_reason without a reason, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.return_registration(registration_id uuid, reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_return_registration';
COMMENT ON FUNCTION revrtm.return_registration(uuid, text) IS
'Returns a registration to its partner (action_required), who reads the reason, may change the fields that registration_state names, and submits it again. It keeps its place for protection_rule.grace_hours. 23514 roe_transition from another status or for who may not, roe_reason without a reason, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.submit_registration(registration_id uuid)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_submit_registration';
COMMENT ON FUNCTION revrtm.submit_registration(uuid) IS
'Submits a draft, or again what was returned; its partner may. A partner''s whose scope is held is queued. 23514 roe_not_eligible where a rule denies it. 23514 roe_transition from another status or for who may not, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.extend_registration(registration_id uuid, days int DEFAULT 30,
    reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_extend_registration';
COMMENT ON FUNCTION revrtm.extend_registration(uuid, int, text) IS
'Extends the protection of a registration by so many days, without a gap, up to the last day of it, as protection_rule lets staff (23514 roe_extension): so often, so long, in its last days, for a reason, and with activity since it was last given. 23P01 roe_protected where another one holds them, 22023 for less than one day or more than ten years. 23514 roe_transition from another status or for who may not, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.convert_registration(registration_id uuid, opportunity_id text,
    reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_convert_registration';
COMMENT ON FUNCTION revrtm.convert_registration(uuid, text, text) IS
'Says which deal of the CRM a registration became. It goes on protecting until won or lost, or its last day. 22023 without opportunity_id. 23514 roe_transition from another status or for who may not, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.withdraw_registration(registration_id uuid)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_withdraw_registration';
COMMENT ON FUNCTION revrtm.withdraw_registration(uuid) IS
'Withdraws a registration that waits or protects; its partner may. 23514 roe_transition from another status or for who may not, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.revoke_registration(registration_id uuid, reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_revoke_registration';
COMMENT ON FUNCTION revrtm.revoke_registration(uuid, text) IS
'Takes the protection of a registration away, for a reason that its partner reads. 23514 roe_transition from another status or for who may not, roe_reason without a reason, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.promote_registrations(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_promote_registrations';
COMMENT ON FUNCTION revrtm.promote_registrations(timestamptz) IS
'Of the queued registrations, in the order of submission, takes those back to submitted whose scope nobody holds any longer on that day, and that no earlier one waits for; returns them. For staff, or a scheduler with its rights (42501 for others); under REPEATABLE READ one that changed meanwhile raises 40001.';

CREATE FUNCTION revrtm.expire_registrations(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 100
AS 'MODULE_PATHNAME', 'revrtm_expire_registrations';
COMMENT ON FUNCTION revrtm.expire_registrations(timestamptz) IS
'Writes down as expired the approved and extended registrations whose protection is over on that day; returns them. Nothing depends on it: registration_status() and the constraint go by the days. For staff, or a scheduler with its rights (42501 for others).';

CREATE FUNCTION revrtm.registration_status(status text, protection daterange) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN status IN ('approved', 'extended') AND pg_catalog.upper(protection)
        OPERATOR(pg_catalog.<=) revrtm.programme_date(revrtm.as_of())
        THEN 'expired' ELSE status END;
END;
COMMENT ON FUNCTION revrtm.registration_status(text, daterange) IS
'The status as of today (revrtm.as_of in the programme''s zone): an approved or extended registration whose protection is over is expired.';

CREATE VIEW revrtm.registration_conflict WITH (security_invoker = true, security_barrier = true) AS
SELECT r.registration_id || ':' || o.registration_id AS conflict_key,
    r.account_id,
    r.registration_id,
    r.partner_id,
    r.submitted_at,
    o.registration_id AS other_registration_id,
    o.partner_id AS other_partner_id,
    o.submitted_at AS other_submitted_at,
    o.status AS other_status,
    o.protection AS other_protection
FROM revrtm.deal_registration r
JOIN revrtm.deal_registration o ON o.account_id = r.account_id AND o.exclusive
    AND o.region && r.region AND o.product && r.product
    AND ((o.active AND NOT coalesce(upper(o.protection) <= (SELECT revrtm.programme_date(revrtm.as_of())), false))
        OR (o.status IN ('submitted', 'queued', 'in_review', 'action_required')
            AND (o.submitted_at, o.registration_id) < (r.submitted_at, r.registration_id)))
WHERE r.status IN ('submitted', 'queued', 'in_review', 'action_required') AND r.exclusive;
COMMENT ON VIEW revrtm.registration_conflict IS
'Open conflicts: one row for each exclusive registration that waits for a decision and each other that stands in its way, protecting and not over, or waiting longer. Grain: a submitted registration and another in its way. Rows of the tables that the reader may see.';
COMMENT ON COLUMN revrtm.registration_conflict.conflict_key IS 'Key of the row: the two registrations.';
COMMENT ON COLUMN revrtm.registration_conflict.account_id IS 'Account of both.';
COMMENT ON COLUMN revrtm.registration_conflict.registration_id IS 'The registration that waits.';
COMMENT ON COLUMN revrtm.registration_conflict.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.registration_conflict.submitted_at IS 'When it was submitted.';
COMMENT ON COLUMN revrtm.registration_conflict.other_registration_id IS 'The one in its way.';
COMMENT ON COLUMN revrtm.registration_conflict.other_partner_id IS 'Partner of the one in its way.';
COMMENT ON COLUMN revrtm.registration_conflict.other_submitted_at IS 'When the one in its way was submitted.';
COMMENT ON COLUMN revrtm.registration_conflict.other_status IS 'approved, extended or converted; or that of one that waits longer.';
COMMENT ON COLUMN revrtm.registration_conflict.other_protection IS 'Days of protection of the one in its way.';

-- The rights of the two sides. Nobody is given checked_at, product, region,
-- active, revision, span or free_from: those are derived, and restored by the owner.

CREATE FUNCTION revrtm.grant_partner(role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT (account_id, partner_id, product_codes, region_codes,
        status, exclusive, amount, currency, expected_close, evidence, details),
        UPDATE (account_id, product_codes, region_codes,
        status, exclusive, amount, currency, expected_close, evidence, details)
        ON revrtm.deal_registration TO %I', role_name);
    EXECUTE format('GRANT SELECT (registration_id, account_id, revision, partner_id, at, acted_as,
        from_status, to_status, reason, changed) ON revrtm.registration_event TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.region, revrtm.product, revrtm.registration_state,
        revrtm.registration_transition, revrtm.registration_conflict, revrtm.conflict_party, revrtm.teaming TO %I', role_name);
    EXECUTE format('GRANT SELECT (evidence_id, case_id, account_id, claim, partner_id, evidence_type, happened_at,
        reference, entered_at, verified),
        INSERT (case_id, account_id, claim, partner_id, evidence_type, happened_at, reference)
        ON revrtm.conflict_evidence TO %I', role_name);
    PERFORM revrtm.grant_enablement(role_name, false);
    PERFORM revrtm.grant_clock(role_name, false);
END
$$;
COMMENT ON FUNCTION revrtm.grant_partner(text) IS
'Lets a partner''s or portal''s role draft, submit, read and withdraw its own registrations, change what their state leaves open, read what happened to them, but not who of the staff did it, see their side of a conflict case and show evidence for it; likewise its own MDF requests, certificates, action plans and referrals; say in partner_login or partner_proxy who it is. For the owner of the tables.';

CREATE FUNCTION revrtm.grant_staff(role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT,
        INSERT (registration_id, account_id, partner_id, product_codes, region_codes, protection, status,
            exclusive, amount, currency, expected_close, evidence, details, submitted_at, decided_at,
            decision_reason, opportunity_id),
        UPDATE (account_id, partner_id, product_codes, region_codes, protection, status,
            exclusive, amount, currency, expected_close, evidence, details, submitted_at, decided_at,
            decision_reason, opportunity_id)
        ON revrtm.deal_registration TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT (region_id, parent_id, region_name),
        UPDATE (parent_id, region_name), DELETE
        ON revrtm.region TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT (product_id, parent_id, product_name),
        UPDATE (parent_id, product_name), DELETE
        ON revrtm.product TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.registration_conflict, revrtm.registration_event,
        revrtm.registration_state, revrtm.registration_transition, revrtm.roe_rule,
        revrtm.partner_login, revrtm.partner_proxy TO %I', role_name);
    EXECUTE format('GRANT SELECT, DELETE, INSERT (rule_id, route_id, segment, product_code, region_code, role,
            priority, valid),
        UPDATE (rule_id, route_id, segment, product_code, region_code, role, priority, valid)
        ON revrtm.route_role TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON revrtm.conflict_case, revrtm.conflict_party,
        revrtm.conflict_evidence TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.conflict_event, revrtm.open_case, revrtm.closed_case,
        revrtm.case_credit, revrtm.partner_hygiene TO %I', role_name);
    -- What the two views read beside the matrix.
    EXECUTE format('GRANT SELECT (route_id, active) ON revrtm.route TO %I', role_name);
    EXECUTE format('GRANT SELECT (product, region) ON revrtm.deal_journey TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.role_overlap, revrtm.role_dead TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON revrtm.teaming TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT (registration_id, account_id, rule, kind, evidence, reason, expires_at)
        ON revrtm.roe_override TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.override_rate, revrtm.teaming_credit, revrtm.discount_kind,
        revrtm.discount_guardrail, revrtm.discount_approval TO %I', role_name);
    PERFORM revrtm.grant_enablement(role_name, true);
    PERFORM revrtm.grant_clock(role_name, true);
END
$$;
COMMENT ON FUNCTION revrtm.grant_staff(text) IS
'Lets a role of channel management see and decide on every registration and conflict case, and keep the trees of regions and products, the role matrix, funds, certificates, action plans and referrals. Rules that rest on the CRM''s deals need grant_reader() as well. For the owner of the tables.';

SELECT pg_catalog.pg_extension_config_dump('revrtm.deal_registration', '');
SELECT pg_catalog.pg_extension_config_dump('revrtm.registration_event', '');
SELECT pg_catalog.pg_extension_config_dump('revrtm.registration_state', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('revrtm.registration_transition', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_login', '');
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_proxy', '');
SELECT revrtm.register_policy('revrtm.registration_state');
SELECT revrtm.register_policy('revrtm.registration_transition');
SELECT revrtm.register_policy('revrtm.partner_login', exported => false);
SELECT revrtm.register_policy('revrtm.partner_proxy', exported => false);
