-- What keeps the margin beside discounts: who has the right to renew, the
-- stages in which deals change hands no more, overrides on evidence, teams.

CREATE TABLE revrtm.protected_stage (
    stage   text PRIMARY KEY CHECK (stage <> '' AND stage = lower(btrim(stage) COLLATE "C")),
    shipped boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.protected_stage', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.protected_stage IS
'The stages of open deals in which neither partner nor registration changes, for rules of kind protected_stage. Grain: one stage.';
COMMENT ON COLUMN revrtm.protected_stage.stage IS 'The stage in small letters, as the CRM names it.';
COMMENT ON COLUMN revrtm.protected_stage.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.protected_stage (stage, shipped) VALUES
('negotiation', true), ('negotiation/review', true), ('proposal', true), ('proposal/price quote', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.protected_stage
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('stage');
SELECT revrtm.register_policy('revrtm.protected_stage');
GRANT SELECT ON revrtm.protected_stage TO PUBLIC;

-- Incumbents: who won the account last.

CREATE FUNCTION revrtm.incumbent(account_id text, at timestamptz DEFAULT revrtm.as_of(),
    lookback interval DEFAULT '36 months', term interval DEFAULT '12 months')
RETURNS TABLE (product text, partner_id text, opportunity_id text, won_on date, term_end date, term_estimated boolean)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 3
BEGIN ATOMIC
    SELECT w.product, w.partner_id, w.opportunity_id, w.won_on,
           coalesce(o.term_end, (w.won_on + incumbent.term)::date), o.term_end IS NULL
    FROM (SELECT DISTINCT ON (coalesce(d.product, '(none)'))
                 coalesce(d.product, '(none)') AS product, d.partner_id, d.opportunity_id,
                 revrtm.programme_date(d.ended_at) AS won_on
          FROM revrtm.deal_journey d
          WHERE d.account_id = ANY (ARRAY(SELECT incumbent.account_id UNION ALL
                                           SELECT m.account_id FROM revrtm.account_merge m
                                           WHERE m.canonical_id = incumbent.account_id))
            AND d.is_closed AND d.is_won AND d.ended_at <= incumbent.at
            AND d.ended_at >= (SELECT (incumbent.at AT TIME ZONE p.timezone - incumbent.lookback) AT TIME ZONE p.timezone
                               FROM revrtm.programme p)
          ORDER BY coalesce(d.product, '(none)'), d.ended_at DESC, d.opportunity_id COLLATE "C") w
    LEFT JOIN revrtm.opportunity o ON o.opportunity_id = w.opportunity_id
    ORDER BY w.product COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.incumbent(text, timestamptz, interval, interval) IS
'Of each product of an account, accounts merged into it included, the last deal won until an instant and within lookback (by the clock of the programme''s zone), its partner (NULL is direct) and the day its term ends: the CRM''s term_end, else term after the day it was won (term_estimated). (none) is the product of deals without one. Of deals the caller may see.';

-- What the rules may know; called by their code with the rights of the tables'
-- owner, and by nobody else.

CREATE FUNCTION revrtm.renewal_fact(account_id text, partner_id text, product int8multirange, lookback interval,
    term interval, renewal_window interval, at timestamptz)
RETURNS TABLE (until text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT revrtm.date_text(max(i.term_end))
    FROM revrtm.incumbent(renewal_fact.account_id, renewal_fact.at, renewal_fact.lookback, renewal_fact.term) i
    LEFT JOIN revrtm.product p ON p.product_id = i.product
    WHERE i.partner_id <> coalesce(renewal_fact.partner_id, '')
      AND coalesce(renewal_fact.product && p.span, true)
      AND revrtm.programme_date(renewal_fact.at) >= i.term_end - renewal_fact.renewal_window
      AND revrtm.programme_date(renewal_fact.at) <= i.term_end;
END;
REVOKE ALL ON FUNCTION revrtm.renewal_fact(text, text, int8multirange, interval, interval, interval, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.renewal_fact(text, text, int8multirange, interval, interval, interval, timestamptz) IS
'Until which day another partner has the right to renew something of that scope; NULL for nobody. A deal whose product is no node of the tree counts for every scope. For the rules alone.';

CREATE FUNCTION revrtm.stage_fact(account_id text, partner_id text, product int8multirange)
RETURNS TABLE (protected text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (
        SELECT FROM revrtm.deal_journey d
        JOIN revrtm.opportunity o ON o.opportunity_id = d.opportunity_id
        LEFT JOIN revrtm.product p ON p.product_id = o.product
        WHERE d.account_id = ANY (ARRAY(SELECT stage_fact.account_id UNION ALL
                                       SELECT m.account_id FROM revrtm.account_merge m
                                       WHERE m.canonical_id = stage_fact.account_id))
          AND NOT d.is_closed AND NOT o.is_closed AND o.deleted IS NOT TRUE
          AND o.partner_id IS DISTINCT FROM stage_fact.partner_id
          AND coalesce(stage_fact.product && p.span, true)
          AND lower(btrim(o.stage) COLLATE "C") IN (SELECT s.stage FROM revrtm.protected_stage s)) THEN 'yes' END;
END;
REVOKE ALL ON FUNCTION revrtm.stage_fact(text, text, int8multirange) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.stage_fact(text, text, int8multirange) IS
'yes where the account has an open deal of that scope in a protected stage that is not the partner''s; else NULL. Which deals it has is in the store of journeys, their stage and partner in the CRM. For the rules alone.';

CREATE FUNCTION revrtm.link_fact(old_opportunity text, new_opportunity text, partner_id text)
RETURNS TABLE (opportunity_id text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT min(o.opportunity_id COLLATE "C")
    FROM revrtm.opportunity o
    WHERE (o.opportunity_id = link_fact.old_opportunity
           OR o.opportunity_id = link_fact.new_opportunity AND o.partner_id IS DISTINCT FROM link_fact.partner_id)
      AND (o.is_closed OR lower(btrim(o.stage) COLLATE "C") IN (SELECT s.stage FROM revrtm.protected_stage s));
END;
REVOKE ALL ON FUNCTION revrtm.link_fact(text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.link_fact(text, text, text) IS
'Which of two deals is closed or in a protected stage: the one that a registration leaves, or the one that it takes and that is not its partner''s; NULL for none. For the rules alone.';

CREATE FUNCTION revrtm.second_fact(account_id text, partner_id text, product int8multirange, region int8multirange,
    protection daterange)
RETURNS TABLE (held text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (
        SELECT FROM revrtm.deal_registration r
        WHERE r.account_id = second_fact.account_id AND r.active AND r.exclusive
          AND r.partner_id <> second_fact.partner_id AND r.product && second_fact.product
          AND r.region && second_fact.region AND r.protection && second_fact.protection) THEN 'yes' END;
END;
REVOKE ALL ON FUNCTION revrtm.second_fact(text, text, int8multirange, int8multirange, daterange) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.second_fact(text, text, int8multirange, int8multirange, daterange) IS
'yes where another partner''s exclusive registration protects some of that scope and days; else NULL. For the rules alone.';

-- Overrides.

CREATE TABLE revrtm.roe_override (
    override_id     uuid NOT NULL DEFAULT gen_random_uuid(),
    registration_id uuid NOT NULL,
    account_id      text NOT NULL,
    rule            text NOT NULL,
    kind            text NOT NULL,
    evidence        text NOT NULL,
    reason          text NOT NULL,
    granted_at      timestamptz NOT NULL DEFAULT revrtm.as_of(),
    granted_by      text NOT NULL DEFAULT session_user,
    expires_at      timestamptz NOT NULL,
    checked_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (override_id, account_id),
    CONSTRAINT roe_override_account CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    CONSTRAINT roe_override_kind CHECK (kind IN ('customer_letter', 'executive', 'legal')),
    CONSTRAINT roe_override_evidence CHECK (btrim(evidence) <> ''),
    CONSTRAINT roe_override_reason CHECK (btrim(reason) <> ''),
    CONSTRAINT roe_override_expires CHECK (expires_at > granted_at AND isfinite(expires_at))
);
CREATE INDEX roe_override_registration ON revrtm.roe_override (registration_id, rule);
SELECT pg_catalog.pg_extension_config_dump('revrtm.roe_override', '');
COMMENT ON TABLE revrtm.roe_override IS
'Rules that a registration may break, by decision of staff, on evidence, for a time. Each is an entry of registration_event too, by trigger; nobody but the owner changes one. For staff alone. Grain: one override of one rule for one registration.';
COMMENT ON COLUMN revrtm.roe_override.override_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.roe_override.registration_id IS 'The registration; a draft, or one that is judged again.';
COMMENT ON COLUMN revrtm.roe_override.account_id IS 'Its account when the override was given.';
COMMENT ON COLUMN revrtm.roe_override.rule IS 'The rule of roe_rule, by name; its denial becomes a warning (OVERRIDE).';
COMMENT ON COLUMN revrtm.roe_override.kind IS 'customer_letter (the customer chose in writing), executive or legal.';
COMMENT ON COLUMN revrtm.roe_override.evidence IS 'Where the evidence can be looked at, such as the id of a document; not empty (23514, roe_override_evidence).';
COMMENT ON COLUMN revrtm.roe_override.reason IS 'Why; the partner reads it in the log.';
COMMENT ON COLUMN revrtm.roe_override.granted_at IS 'Since when it holds: revrtm.as_of() when it was given.';
COMMENT ON COLUMN revrtm.roe_override.granted_by IS 'The role that logged in (session_user).';
COMMENT ON COLUMN revrtm.roe_override.expires_at IS 'Until when it holds, that instant not included.';
COMMENT ON COLUMN revrtm.roe_override.checked_at IS
'Start of the transaction that wrote it. A row inserted with another one (a restore) writes no entry; only the owner may write it.';
ALTER TABLE revrtm.roe_override ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.roe_override
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));

CREATE FUNCTION revrtm.log_override() RETURNS trigger
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'revrtm_log_override';
REVOKE ALL ON FUNCTION revrtm.log_override() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.log_override() IS
'Trigger of roe_override: has its registration write the override to registration_event, as changed.override without the evidence. P0002 for a registration that the caller may not see.';
CREATE TRIGGER log_override AFTER INSERT ON revrtm.roe_override
FOR EACH ROW EXECUTE FUNCTION revrtm.log_override();

CREATE FUNCTION revrtm.override_rule(registration_id uuid, rule text, kind text, evidence text, reason text,
    expires_at timestamptz)
RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given uuid;
BEGIN
    IF NOT revrtm.is_staff() THEN
        RAISE EXCEPTION 'overriding a rule is for channel management'
            USING ERRCODE = '42501', HINT = 'Send your channel manager the evidence, such as the customer''s letter.';
    ELSIF coalesce(btrim(override_rule.evidence), '') = '' THEN
        RAISE EXCEPTION 'a rule cannot be overridden without evidence'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'roe_override', CONSTRAINT = 'roe_override_evidence',
                  HINT = 'Say where the evidence can be looked at, such as the id of the customer''s letter.';
    ELSIF coalesce(btrim(override_rule.reason), '') = '' THEN
        RAISE EXCEPTION 'a rule cannot be overridden without a reason'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'roe_override', CONSTRAINT = 'roe_override_reason',
                  HINT = 'Give the reason; the partner reads it in the log.';
    ELSIF override_rule.expires_at IS NULL OR override_rule.expires_at <= revrtm.as_of() OR NOT isfinite(override_rule.expires_at) THEN
        RAISE EXCEPTION 'an override has to expire, later than now'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'roe_override', CONSTRAINT = 'roe_override_expires';
    ELSIF NOT EXISTS (SELECT FROM revrtm.roe_rule r WHERE r.rule = override_rule.rule) THEN
        RAISE EXCEPTION 'there is no rule %', coalesce(quote_literal(left(override_rule.rule, 63)), 'NULL')
            USING ERRCODE = '22023', HINT = 'The rules are in revrtm.roe_rule.';
    ELSIF coalesce(override_rule.kind, '') NOT IN ('customer_letter', 'executive', 'legal') THEN
        RAISE EXCEPTION 'unknown kind of override %', coalesce(quote_literal(left(override_rule.kind, 63)), 'NULL')
            USING ERRCODE = '22023', HINT = 'The kinds are customer_letter, executive and legal.';
    END IF;
    INSERT INTO revrtm.roe_override (registration_id, account_id, rule, kind, evidence, reason, expires_at)
    SELECT r.registration_id, r.account_id, override_rule.rule, override_rule.kind, override_rule.evidence,
           override_rule.reason, override_rule.expires_at
    FROM revrtm.deal_registration r
    WHERE r.registration_id = override_rule.registration_id
    RETURNING override_id INTO given;
    IF given IS NULL THEN
        RAISE EXCEPTION 'deal registration % does not exist', override_rule.registration_id
            USING ERRCODE = 'P0002', HINT = 'The registrations you may see are listed in revrtm.deal_registration.';
    END IF;
    RETURN given;
END
$$;
COMMENT ON FUNCTION revrtm.override_rule(uuid, text, text, text, text, timestamptz) IS
'Lets a registration pass by a rule that denies it, until expires_at; returns override_id. kind is customer_letter, executive or legal. With the caller''s rights, that is for staff (42501). 23514 roe_override_evidence, roe_override_reason, roe_override_expires; 22023 for an unknown rule or kind, P0002 for an unknown registration. The protection of another partner is not lifted by it: decide the case, or revoke that registration.';

CREATE VIEW revrtm.override_rate WITH (security_invoker = true) AS
WITH decision AS (
    SELECT e.actor, revrtm.period(e.at) AS period, 1 AS approvals, 0 AS overrides
    FROM revrtm.registration_event e
    WHERE e.to_status = 'approved' AND e.from_status IS DISTINCT FROM 'approved' AND e.acted_as = 'staff'
    UNION ALL
    SELECT o.granted_by, revrtm.period(o.granted_at), 0, 1
    FROM revrtm.roe_override o
)
SELECT concat_ws(':', d.actor, revrtm.date_text(d.period)) AS override_rate_key,
       d.actor,
       d.period,
       sum(d.approvals) AS approvals,
       sum(d.overrides) AS overrides,
       revrtm.ratio(sum(d.overrides), sum(d.approvals))::numeric(20, 6) AS override_rate,
       revrtm.ratio_note(sum(d.approvals), 'none_approved') AS note
FROM decision d
GROUP BY d.actor, d.period;
COMMENT ON VIEW revrtm.override_rate IS
'How often who decides overrides the rules. For staff, who sees both. Grain: one role that logged in, in one month.';
COMMENT ON COLUMN revrtm.override_rate.override_rate_key IS 'actor:period.';
COMMENT ON COLUMN revrtm.override_rate.actor IS 'The role that logged in.';
COMMENT ON COLUMN revrtm.override_rate.period IS 'Month of the approvals and overrides.';
COMMENT ON COLUMN revrtm.override_rate.approvals IS 'Registrations that it approved.';
COMMENT ON COLUMN revrtm.override_rate.overrides IS 'Overrides that it gave.';
COMMENT ON COLUMN revrtm.override_rate.override_rate IS 'overrides / approvals.';
COMMENT ON COLUMN revrtm.override_rate.note IS 'none_approved, or NULL.';

-- Teams: partners who share one registration.

CREATE TABLE revrtm.teaming (
    registration_id uuid NOT NULL,
    account_id      text NOT NULL,
    partner_id      text NOT NULL,
    role            text NOT NULL,
    share           numeric NOT NULL,
    PRIMARY KEY (registration_id, account_id, partner_id),
    CONSTRAINT teaming_account CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    CONSTRAINT teaming_partner CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    CONSTRAINT teaming_role CHECK (role IN ('source', 'influence', 'fulfil', 'tech')),
    CONSTRAINT teaming_share CHECK (share > 0 AND share <= 1 AND min_scale(share) <= 9)
);
CREATE UNIQUE INDEX teaming_source ON revrtm.teaming (registration_id, account_id) WHERE role = 'source';
SELECT pg_catalog.pg_extension_config_dump('revrtm.teaming', '');
COMMENT ON TABLE revrtm.teaming IS
'Partners who work one registration together, and how they share its deal; the registration''s own partner is one of them. Shares of a registration sum to 1 when the transaction commits (23514, teaming_whole), one partner at most is the source (teaming_source). Staff writes, a partner reads its own rows. Grain: one partner of one registration.';
COMMENT ON COLUMN revrtm.teaming.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.teaming.account_id IS 'Its account when the team was made; one for all partners of a team.';
COMMENT ON COLUMN revrtm.teaming.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.teaming.role IS 'source (brought it), influence, fulfil (sells and delivers) or tech.';
COMMENT ON COLUMN revrtm.teaming.share IS 'Its share of the deal, above 0 and up to 1, of at most nine decimals.';
ALTER TABLE revrtm.teaming ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.teaming
    USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY partner_read ON revrtm.teaming FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());

CREATE FUNCTION revrtm.check_teaming() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    team uuid;
    total numeric;
BEGIN
    FOR team IN
        SELECT DISTINCT r.id FROM unnest(ARRAY[OLD.registration_id, NEW.registration_id]) r (id)
        WHERE r.id IS NOT NULL ORDER BY r.id
    LOOP
        -- Who writes the same team waits, and then sees what was written.
        PERFORM pg_advisory_xact_lock(hashtextextended(team::text, TG_RELID::bigint));
        SELECT sum(t.share) INTO total FROM revrtm.teaming t WHERE t.registration_id = team;
        IF total <> 1 THEN
            RAISE EXCEPTION 'the shares of the team of registration % do not sum to 1', team
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'teaming', CONSTRAINT = 'teaming_whole',
                      DETAIL = format('They sum to %s.', trim_scale(total)),
                      HINT = 'Write all partners of a team in one transaction.';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION revrtm.check_teaming() IS
'Trigger of teaming, at the end of the transaction: refuses shares of a registration that do not sum to 1 (23514, teaming_whole).';
CREATE CONSTRAINT TRIGGER teaming_whole AFTER INSERT OR UPDATE OR DELETE ON revrtm.teaming
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION revrtm.check_teaming();

CREATE VIEW revrtm.teaming_credit WITH (security_invoker = true) AS
SELECT concat_ws(':', t.registration_id, t.partner_id) AS teaming_credit_key,
       t.registration_id,
       r.opportunity_id,
       t.partner_id,
       t.role,
       t.share::numeric(20, 9) AS share
FROM revrtm.teaming t
JOIN revrtm.deal_registration r ON r.registration_id = t.registration_id
WHERE r.opportunity_id IS NOT NULL AND r.status IN ('converted', 'won', 'lost');
COMMENT ON VIEW revrtm.teaming_credit IS
'What teams say of the credit of deals. Grain: one partner of the team of a registration that became a deal.';
COMMENT ON COLUMN revrtm.teaming_credit.teaming_credit_key IS 'registration_id:partner_id.';
COMMENT ON COLUMN revrtm.teaming_credit.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.teaming_credit.opportunity_id IS 'The deal that it became.';
COMMENT ON COLUMN revrtm.teaming_credit.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.teaming_credit.role IS 'What it does in the team.';
COMMENT ON COLUMN revrtm.teaming_credit.share IS 'Its share of the deal.';

INSERT INTO revrtm.note (note, meaning) VALUES
('none_approved', 'No registration was approved, so that there is nothing to divide by.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('override_rate', 'approvals', 'pieces', true),
('override_rate', 'override_rate', 'ratio', false),
('override_rate', 'overrides', 'pieces', true),
('teaming_credit', 'share', 'share', true);
