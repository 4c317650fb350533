-- Deal registrations. The exclusion constraint alone decides which of two
-- overlapping protections stands; the trigger derives and explains.

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
    PRIMARY KEY (registration_id, account_id),
    CONSTRAINT roe_protected EXCLUDE USING gist
        (account_id WITH =, region WITH &&, product WITH &&, protection WITH &&)
        WHERE (active AND exclusive),
    CONSTRAINT deal_registration_account CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    CONSTRAINT deal_registration_partner CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    CONSTRAINT deal_registration_codes CHECK (cardinality(product_codes) > 0 AND cardinality(region_codes) > 0),
    CONSTRAINT deal_registration_scope CHECK (NOT isempty(product) AND NOT isempty(region)),
    CONSTRAINT deal_registration_protection CHECK (NOT isempty(protection)),
    CONSTRAINT deal_registration_status
        CHECK (status IN ('submitted', 'approved', 'rejected', 'expired', 'withdrawn')),
    CONSTRAINT deal_registration_active CHECK (active = (status = 'approved')),
    CONSTRAINT deal_registration_amount CHECK (amount >= 0 AND amount < 'Infinity'),
    CONSTRAINT deal_registration_currency CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    CONSTRAINT deal_registration_close CHECK (isfinite(expected_close)),
    CONSTRAINT deal_registration_evidence CHECK (jsonb_typeof(evidence) IN ('object', 'array')),
    CONSTRAINT deal_registration_details CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX deal_registration_partner ON revrtm.deal_registration (partner_id);
CREATE INDEX deal_registration_submitted ON revrtm.deal_registration (account_id)
    WHERE status = 'submitted';

COMMENT ON TABLE revrtm.deal_registration IS
'A partner''s claim to work an account, for some products in some regions. Two active exclusive ones never overlap in account, region, product and protection (constraint roe_protected, 23P01).';
COMMENT ON COLUMN revrtm.deal_registration.registration_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.deal_registration.account_id IS 'Account in the CRM, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.deal_registration.partner_id IS 'Partner that registers, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.deal_registration.product_codes IS 'Nodes of revrtm.product, one or more; each stands for all below it, {ANY} for everything.';
COMMENT ON COLUMN revrtm.deal_registration.region_codes IS 'Nodes of revrtm.region, one or more; each stands for all below it, {ANY} for everything.';
COMMENT ON COLUMN revrtm.deal_registration.product IS 'Spans of product_codes; derived.';
COMMENT ON COLUMN revrtm.deal_registration.region IS 'Spans of region_codes; derived.';
COMMENT ON COLUMN revrtm.deal_registration.protection IS
'Days of protection, [from, until); while submitted, those it would have. By default as many as programme.protection_days from the day of entry or approval in the programme''s zone: that of revrtm.as_of() for whoever may write this column, the clock''s for others.';
COMMENT ON COLUMN revrtm.deal_registration.status IS
'submitted, approved, rejected, expired or withdrawn. Approved ones whose protection is over are shown as expired by registration_status() without any job.';
COMMENT ON COLUMN revrtm.deal_registration.active IS 'Whether the status protects, that is approved; derived.';
COMMENT ON COLUMN revrtm.deal_registration.exclusive IS 'Whether it keeps others out, and is kept out by them.';
COMMENT ON COLUMN revrtm.deal_registration.amount IS 'Expected amount of the deal in currency, not negative.';
COMMENT ON COLUMN revrtm.deal_registration.currency IS 'ISO 4217 code of amount.';
COMMENT ON COLUMN revrtm.deal_registration.expected_close IS 'Day the partner expects to close.';
COMMENT ON COLUMN revrtm.deal_registration.evidence IS 'What the partner shows for its claim: a JSON object or array.';
COMMENT ON COLUMN revrtm.deal_registration.details IS
'Further fields, a JSON object; decision_reason is the reason given with a decision.';
COMMENT ON COLUMN revrtm.deal_registration.submitted_at IS
'When it was submitted: revrtm.as_of() by default for whoever may write this column, the clock for others.';
COMMENT ON COLUMN revrtm.deal_registration.decided_at IS 'When the status last changed; NULL while submitted.';
COMMENT ON COLUMN revrtm.deal_registration.checked_at IS
'When the rules judged the row. A row inserted with it (a restore) passes the rules unchanged; only the owner may write it.';

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

ALTER TABLE revrtm.deal_registration ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.deal_registration
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY partner_read ON revrtm.deal_registration FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()));
CREATE POLICY partner_register ON revrtm.deal_registration FOR INSERT
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()) AND status = 'submitted');
CREATE POLICY partner_withdraw ON revrtm.deal_registration FOR UPDATE
    USING (partner_id = (SELECT revrtm.current_partner()))
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()) AND status = 'withdrawn');

CREATE FUNCTION revrtm.keep_registration() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_keep_registration';
REVOKE ALL ON FUNCTION revrtm.keep_registration() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_registration() IS
'Trigger of deal_registration: derives its scopes, active and dates, refuses impossible changes of status (23514, roe_transition), and explains a conflict before the constraint refuses it (23P01, roe_protected).';
CREATE TRIGGER keep_registration BEFORE INSERT OR UPDATE ON revrtm.deal_registration
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_registration();

-- Registering and deciding, with the caller's own rights.

CREATE FUNCTION revrtm.find_protection(account_id text, product int8multirange, region int8multirange,
    protection daterange)
RETURNS TABLE (reason_code text, conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 1000 ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_find_protection';
COMMENT ON FUNCTION revrtm.find_protection(text, int8multirange, int8multirange, daterange) IS
'One row, reason_code PROTECTED, where an active exclusive registration overlaps this scope and period; which one, only for who may SELECT it. No row otherwise. For who may not INSERT deal_registration.protection (a partner) the period is not the one given but the default one from the clock''s day that register_deal gives to such a caller, so that nobody searches for the days of a rival. 42501 for who may not register deals.';

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
    SELECT s.registration_id, s.status, p.reason_code, p.conflicting_registration_id, p.detail
    FROM submitted s
    LEFT JOIN LATERAL revrtm.find_protection(s.account_id, s.product, s.region, s.protection) p
        ON s.exclusive;
END;
COMMENT ON FUNCTION revrtm.register_deal(text, text, text[], text[], numeric, text, date, jsonb, jsonb, boolean) IS
'Submits a registration, with the default of deal_registration.protection. An active registration in its way is reported (reason_code PROTECTED), not raised; which one, only to who may SELECT it. Unknown codes raise 23503, bad lists 22023.';

CREATE FUNCTION revrtm.approve_registration(registration_id uuid, protection daterange DEFAULT NULL,
    reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_approve_registration';
COMMENT ON FUNCTION revrtm.approve_registration(uuid, daterange, text) IS
'Approves a submitted registration: protection from today (revrtm.as_of in the programme''s zone) for programme.protection_days unless given. 23P01 roe_protected where another one stands in its way, 23514 roe_transition from another status, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.reject_registration(registration_id uuid, reason text DEFAULT NULL)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_reject_registration';
COMMENT ON FUNCTION revrtm.reject_registration(uuid, text) IS
'Rejects a submitted registration. 23514 roe_transition from another status, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.withdraw_registration(registration_id uuid)
RETURNS TABLE (registration_id uuid, status text, reason_code text,
    conflicting_registration_id uuid, detail text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1
AS 'MODULE_PATHNAME', 'revrtm_withdraw_registration';
COMMENT ON FUNCTION revrtm.withdraw_registration(uuid) IS
'Withdraws a submitted or approved registration; its partner may. 23514 roe_transition from another status, P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.registration_status(status text, protection daterange) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN status OPERATOR(pg_catalog.=) 'approved' AND pg_catalog.upper(protection)
        OPERATOR(pg_catalog.<=) revrtm.programme_date(revrtm.as_of())
        THEN 'expired' ELSE status END;
END;
COMMENT ON FUNCTION revrtm.registration_status(text, daterange) IS
'The status as of today (revrtm.as_of in the programme''s zone): an approved registration whose protection is over is expired.';

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
    AND ((o.active AND revrtm.registration_status(o.status, o.protection) <> 'expired')
        OR (o.status = 'submitted'
            AND (o.submitted_at, o.registration_id) < (r.submitted_at, r.registration_id)))
WHERE r.status = 'submitted' AND r.exclusive;
COMMENT ON VIEW revrtm.registration_conflict IS
'Open conflicts: one row for each submitted exclusive registration and each other that stands in its way, approved and not over, or submitted earlier. Grain: a submitted registration and one that stands in its way, of those that the reader may see.';
COMMENT ON COLUMN revrtm.registration_conflict.conflict_key IS 'Key of the row: the two registrations.';
COMMENT ON COLUMN revrtm.registration_conflict.account_id IS 'Account of both.';
COMMENT ON COLUMN revrtm.registration_conflict.registration_id IS 'The submitted registration.';
COMMENT ON COLUMN revrtm.registration_conflict.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.registration_conflict.submitted_at IS 'When it was submitted.';
COMMENT ON COLUMN revrtm.registration_conflict.other_registration_id IS 'The one in its way.';
COMMENT ON COLUMN revrtm.registration_conflict.other_partner_id IS 'Partner of the one in its way.';
COMMENT ON COLUMN revrtm.registration_conflict.other_submitted_at IS 'When the one in its way was submitted.';
COMMENT ON COLUMN revrtm.registration_conflict.other_status IS 'approved, or submitted (and earlier).';
COMMENT ON COLUMN revrtm.registration_conflict.other_protection IS 'Days of protection of the one in its way.';

-- The rights of the two sides. Nobody is given checked_at, product, region,
-- active or span: those are derived, and restored by the owner.

CREATE FUNCTION revrtm.grant_partner(role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT (account_id, partner_id, product_codes, region_codes,
        exclusive, amount, currency, expected_close, evidence, details), UPDATE (status)
        ON revrtm.deal_registration TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.region, revrtm.product, revrtm.registration_conflict TO %I',
        role_name);
END
$$;
COMMENT ON FUNCTION revrtm.grant_partner(text) IS
'Lets a partner''s or portal''s role submit, read and withdraw its own registrations; say in partner_login or partner_proxy who it is. For the owner of the tables.';

CREATE FUNCTION revrtm.grant_staff(role_name text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('GRANT SELECT,
        INSERT (registration_id, account_id, partner_id, product_codes, region_codes, protection, status,
            exclusive, amount, currency, expected_close, evidence, details, submitted_at, decided_at),
        UPDATE (account_id, partner_id, product_codes, region_codes, protection, status,
            exclusive, amount, currency, expected_close, evidence, details, submitted_at, decided_at)
        ON revrtm.deal_registration TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT (region_id, parent_id, region_name), UPDATE (region_name), DELETE
        ON revrtm.region TO %I', role_name);
    EXECUTE format('GRANT SELECT, INSERT (product_id, parent_id, product_name), UPDATE (product_name), DELETE
        ON revrtm.product TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.registration_conflict, revrtm.partner_login,
        revrtm.partner_proxy TO %I', role_name);
    EXECUTE format('GRANT SELECT, DELETE, INSERT (rule_id, route_id, segment, product_code, region_code, role,
            priority, valid),
        UPDATE (rule_id, route_id, segment, product_code, region_code, role, priority, valid)
        ON revrtm.route_role TO %I', role_name);
    -- What the two views read beside the matrix.
    EXECUTE format('GRANT SELECT (route_id, active) ON revrtm.route TO %I', role_name);
    EXECUTE format('GRANT SELECT (product, region) ON revrtm.deal_journey TO %I', role_name);
    EXECUTE format('GRANT SELECT ON revrtm.role_overlap, revrtm.role_dead TO %I', role_name);
END
$$;
COMMENT ON FUNCTION revrtm.grant_staff(text) IS
'Lets a role of channel management see and decide on every registration, and keep the trees of regions and products and the role matrix. For the owner of the tables.';

SELECT pg_catalog.pg_extension_config_dump('revrtm.deal_registration', '');
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_login', '');
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_proxy', '');
SELECT revrtm.register_policy('revrtm.partner_login', exported => false);
SELECT revrtm.register_policy('revrtm.partner_proxy', exported => false);
