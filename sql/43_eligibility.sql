-- The rules of engagement: who may register what. Rules are rows, of kinds
-- that the code knows.

CREATE FUNCTION revrtm.roe_rule_is_valid(rule text, kind text, parameters jsonb) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_roe_rule_is_valid';
COMMENT ON FUNCTION revrtm.roe_rule_is_valid(text, text, jsonb) IS
'Whether the kind and its parameters make a rule: true, or 22023 naming the rule and saying what is wrong.';

CREATE TABLE revrtm.roe_rule (
    rule text PRIMARY KEY CHECK (rule <> ''),
    kind text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    shipped boolean NOT NULL DEFAULT false,
    CONSTRAINT roe_rule_valid CHECK (revrtm.roe_rule_is_valid(rule, kind, parameters))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.roe_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.roe_rule IS
'Rules of engagement: what is asked of a registration when it is submitted and when it is approved. Grain: one rule. A rule that does not pass gives its verdict; deny refuses the row (23514: roe_excluded for incumbent, protected_stage, second_registrant and tender alone, roe_guardrail for guardrail alone, else roe_not_eligible).';
COMMENT ON COLUMN revrtm.roe_rule.rule IS 'Name of the rule.';
COMMENT ON COLUMN revrtm.roe_rule.kind IS
'duplicate (reason code DUP): the partner has another registration that overlaps in account, product and region, and waits or protects. protected (PROTECTED): another registration protects some of it. pending (PENDING): another exclusive one waits longer for some of it. existing_customer (EXISTING_CUSTOMER): the account bought within customer_lookback, not through this partner. direct_active (DIRECT_ACTIVE): an open deal of the account without a partner was created or touched within direct_lookback. min_amount (MIN_AMOUNT): the amount is below the minimum of its currency. incomplete (INCOMPLETE): one of required_fields is missing. blocked_route (BLOCKED_ROUTE): somewhere in the products and regions, for the account''s segment, the role matrix blocks one of routes, and none of them leads or is eligible; NO_ROUTE: somewhere none of them leads or is eligible. territory (TERRITORY): a region is neither the partner''s region, as the CRM has it, nor below it; review where that region is not known or no node of the tree. certified (CERT): fewer than people of the partner are certified for one of the products. partner_tier (PARTNER_TIER): the partner''s tier is below tier. possible_duplicate (POSSIBLE_DUP): another partner registered an account that is, or may be, the same, see account_twin(). incumbent (RENEWAL): another partner won the account last, and has the first right to renew from renewal_window before the end of its term to that day. tender (TENDER): details.tender_published_at, a day, has come by the day it was submitted. protected_stage (PROTECTED_STAGE): an open deal of its scope is in a protected_stage and not this partner''s; nor may a registration be linked to such a deal, or taken from one. second_registrant (SECOND_REGISTRANT): another partner''s exclusive registration protects some of it. guardrail (DISCOUNT, APPROVAL): details.discounts, shares by name, are refused, or somebody has to approve them, see discount_check(). An override lets pass what a rule denies (OVERRIDE, a warning).';
COMMENT ON COLUMN revrtm.roe_rule.parameters IS
'verdict: warn, review or deny, what it says where it does not pass (deny by default; warn for protected, which queues a partner''s registration, and for pending; where a possible_duplicate only may be the same it is warn). customer_lookback (36 months) and direct_lookback (60 days): intervals, counted back by the clock of the programme''s zone. minimum: an object of least amounts by currency, {"USD": 5000}. required_fields: names of columns, and details.KEY or evidence.KEY. routes: those that registrations take, by default partner_sourced alone. unassigned: pass (the default), warn, review or deny, what blocked_route says of NO_ROUTE. people: how many, 1 by default. tier: a tier of revrtm.tier. incumbent_lookback (36 months), renewal_window (120 days), term (12 months, where the CRM has no term_end): intervals. non_exclusive: true makes what names a tender keep nobody out. second: refused (the default), or reduced, which enters the second without keeping others out and with factor (0.5) of the greatest discount. route (partner_sourced): that of the guardrails; approval: what follows where somebody may approve (review by default).';
COMMENT ON COLUMN revrtm.roe_rule.enabled IS 'Whether it is asked.';
COMMENT ON COLUMN revrtm.roe_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.roe_rule (rule, kind, parameters, shipped) VALUES
('blocked_route', 'blocked_route', '{}', true),
('direct_active', 'direct_active', '{"direct_lookback": "60 days"}', true),
('duplicate', 'duplicate', '{}', true),
('existing_customer', 'existing_customer', '{"customer_lookback": "36 months"}', true),
('incomplete', 'incomplete', '{"required_fields": ["account_id", "partner_id", "product_codes", "region_codes"]}', true),
('min_amount', 'min_amount', '{"minimum": {}}', true),
('pending', 'pending', '{}', true),
('protected', 'protected', '{"verdict": "warn"}', true);
-- territory: for who has the partners' regions in the CRM, by the codes of the tree.
INSERT INTO revrtm.roe_rule (rule, kind, enabled, shipped) VALUES
('possible_duplicate', 'possible_duplicate', false, true),
('protected_stage', 'protected_stage', false, true),
('territory', 'territory', false, true);
INSERT INTO revrtm.roe_rule (rule, kind, parameters, enabled, shipped) VALUES
('guardrail', 'guardrail', '{"route": "partner_sourced"}', false, true),
('incumbent', 'incumbent', '{"incumbent_lookback": "36 months", "renewal_window": "120 days", "term": "12 months"}', false, true),
('second_registrant', 'second_registrant', '{"second": "reduced", "factor": 0.5}', false, true),
('tender', 'tender', '{"non_exclusive": true}', false, true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.roe_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.roe_rule');

-- What the rules may know of an account's deals; called by their code with
-- the rights of the tables' owner, and by nobody else. It is a set of one row,
-- for such a function is inlined and keeps its plan.
CREATE FUNCTION revrtm.account_fact(account_id text, partner_id text, customer_since timestamptz,
    direct_since timestamptz, at timestamptz)
RETURNS TABLE (existing_customer boolean, direct_active boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT coalesce(bool_or(d.is_closed AND d.is_won AND d.ended_at >= account_fact.customer_since
               AND d.ended_at <= account_fact.at AND d.partner_id IS DISTINCT FROM account_fact.partner_id), false),
           coalesce(bool_or(NOT d.is_closed AND d.partner_id IS NULL
               AND (d.created_at >= account_fact.direct_since AND d.created_at <= account_fact.at
                    OR revrtm.last_touch(d.journey) >= account_fact.direct_since)), false)
    FROM revrtm.deal_journey d
    WHERE d.account_id = account_fact.account_id;
END;
REVOKE ALL ON FUNCTION revrtm.account_fact(text, text, timestamptz, timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.account_fact(text, text, timestamptz, timestamptz, timestamptz) IS
'Facts of an account by the store of journeys: whether it bought since customer_since, not through the partner; whether an open deal without a partner was created or touched since direct_since. For the rules alone.';

CREATE FUNCTION revrtm.account_segment(account_id text)
RETURNS TABLE (segment text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT min(a.segment) FROM revrtm.account a WHERE a.account_id = account_segment.account_id;
END;
REVOKE ALL ON FUNCTION revrtm.account_segment(text) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.account_segment(text) IS
'Segment of an account, as the CRM has it; NULL for none. For the rules alone.';

CREATE FUNCTION revrtm.partner_region(partner_id text)
RETURNS TABLE (region text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT min(p.region) FROM revrtm.partner p WHERE p.partner_id = partner_region.partner_id;
END;
REVOKE ALL ON FUNCTION revrtm.partner_region(text) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.partner_region(text) IS
'Region of a partner, as the CRM has it; NULL for none. For the rules alone.';

-- Asking.

CREATE FUNCTION revrtm.roe_check(registration_id uuid)
RETURNS TABLE (rule text, verdict text, reason_code text, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_roe_check';
COMMENT ON FUNCTION revrtm.roe_check(uuid) IS
'What every enabled rule says of a registration today: pass, warn, review or deny, and why. Where a rule rests on what the caller may not see, review and NEEDS_REVIEW, whether it passes or not. P0002 for an unknown or hidden registration.';

CREATE FUNCTION revrtm.roe_explain(registration jsonb)
RETURNS TABLE (rule text, verdict text, reason_code text, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'revrtm_roe_explain';
COMMENT ON FUNCTION revrtm.roe_explain(jsonb) IS
'What every enabled rule would say of a registration with these fields, named as the columns of deal_registration; nothing is written. As roe_check(); product and region codes that do not exist, and an account that was merged into another (account, MERGED), are rows of their own. Without protection, and for whoever may not choose it, that of the default days. 22023 for unknown fields, 42501 for who may not register deals.';

CREATE FUNCTION revrtm.validate_registrations(query text)
RETURNS TABLE (registration_id text, rule text, verdict text, reason_code text, detail text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'revrtm_validate_registrations';
COMMENT ON FUNCTION revrtm.validate_registrations(text) IS
'As roe_explain() for every row of a query that gives registration_id (uuid, or any text), account_id, partner_id, product_codes, region_codes, and what it likes of protection, exclusive, amount, currency, expected_close, evidence, details, opportunity_id and submitted_at. The query is read once, read-only and with the caller''s rights; a row is judged by what is in the tables, not by the other rows. 42804 lists all missing, unknown and ill-typed columns; 42501 for who may not register deals.';
