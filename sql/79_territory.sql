-- Territories, who holds them, and what happens to open deals when an account
-- moves from one to another. Who owns a deal is computed when it is asked.

CREATE TABLE revrtm.territory (
    territory_id   text PRIMARY KEY CHECK (octet_length(territory_id) BETWEEN 1 AND 255),
    territory_name text
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.territory', '');
SELECT revrtm.register_policy('revrtm.territory');
COMMENT ON TABLE revrtm.territory IS 'Territories: sets of accounts that members look after.';
COMMENT ON COLUMN revrtm.territory.territory_id IS 'Code of the territory, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.territory.territory_name IS 'Name to show.';

CREATE TABLE revrtm.territory_assignment (
    assignment_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    territory_id  text NOT NULL CHECK (octet_length(territory_id) BETWEEN 1 AND 255),
    member_id     text NOT NULL CHECK (octet_length(member_id) BETWEEN 1 AND 255),
    member_kind   text NOT NULL DEFAULT 'user' CHECK (member_kind IN ('user', 'partner')),
    kind          text NOT NULL DEFAULT 'primary' CHECK (kind IN ('primary', 'overlay')),
    share         numeric CHECK (share >= 0 AND share <= 1 AND min_scale(share) <= 9),
    valid         tstzrange NOT NULL DEFAULT '(,)' CONSTRAINT territory_assignment_valid CHECK (revrtm.is_validity(valid)),
    CONSTRAINT territory_assignment_primary EXCLUDE USING gist (territory_id WITH =, valid WITH &&) WHERE (kind = 'primary'),
    CONSTRAINT territory_assignment_once EXCLUDE USING gist (territory_id WITH =, member_kind WITH =, member_id WITH =, valid WITH &&)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.territory_assignment', '');
SELECT revrtm.register_policy('revrtm.territory_assignment');
COMMENT ON TABLE revrtm.territory_assignment IS
'Who holds a territory: one primary owner at any instant (23P01, territory_assignment_primary), and any number of overlays beside, a member in one role at a time (23P01, territory_assignment_once).';
COMMENT ON COLUMN revrtm.territory_assignment.assignment_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.territory_assignment.territory_id IS 'The territory.';
COMMENT ON COLUMN revrtm.territory_assignment.member_id IS 'The user of the CRM, or the partner.';
COMMENT ON COLUMN revrtm.territory_assignment.member_kind IS 'user or partner.';
COMMENT ON COLUMN revrtm.territory_assignment.kind IS 'primary: owns what happens in it; overlay: works on it too.';
COMMENT ON COLUMN revrtm.territory_assignment.share IS
'Part of the territory''s credit, 0 to 1; NULL for none agreed. Where the shares of an instant do not sum to 1, territory_member says so.';
COMMENT ON COLUMN revrtm.territory_assignment.valid IS 'When, [from, until); a side without end is NULL, not infinity.';

CREATE TABLE revrtm.territory_account (
    account_id   text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    valid        tstzrange NOT NULL DEFAULT '(,)' CONSTRAINT territory_account_valid CHECK (revrtm.is_validity(valid)),
    territory_id text NOT NULL CHECK (octet_length(territory_id) BETWEEN 1 AND 255),
    PRIMARY KEY (account_id, valid),
    CONSTRAINT territory_account_once EXCLUDE USING gist (account_id WITH =, valid WITH &&)
);
CREATE INDEX territory_account_territory_id ON revrtm.territory_account (territory_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.territory_account', '');
COMMENT ON TABLE revrtm.territory_account IS
'Which territory an account is in, one at any instant (23P01, territory_account_once). Moved by handoff().';
COMMENT ON COLUMN revrtm.territory_account.account_id IS 'The account; of merged ones the survivor.';
COMMENT ON COLUMN revrtm.territory_account.valid IS 'When, [from, until); a side without end is NULL, not infinity.';
COMMENT ON COLUMN revrtm.territory_account.territory_id IS 'The territory.';

CREATE TABLE revrtm.holdover_policy (
    policy    text PRIMARY KEY DEFAULT 'default' CHECK (policy = 'default'),
    exempt    jsonb CONSTRAINT holdover_policy_exempt CHECK (jsonb_typeof(exempt) = 'array'),
    eligible  jsonb CONSTRAINT holdover_policy_eligible CHECK (jsonb_typeof(eligible) = 'array'),
    max_deals integer CHECK (max_deals >= 0),
    days      integer NOT NULL DEFAULT 60 CHECK (days BETWEEN 1 AND 36500),
    shipped   boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.holdover_policy', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.holdover_policy IS
'Which open deals stay with their owner when an account is handed off: one row, which is shipped. The criteria see the fields opportunity_id, account_id, route_id, partner_id, owner_id, segment, region, product, stage, deal_type, probability, amount (in revrtm.currency), created_on, close_date and age_days.';
COMMENT ON COLUMN revrtm.holdover_policy.policy IS 'default; there is one policy.';
COMMENT ON COLUMN revrtm.holdover_policy.exempt IS
'Deals that meet these criteria stay with their owner for good; NULL for none. See criteria_check.';
COMMENT ON COLUMN revrtm.holdover_policy.eligible IS
'Of the others those that meet these criteria stay for some days; NULL for none.';
COMMENT ON COLUMN revrtm.holdover_policy.max_deals IS
'So many of an account''s eligible deals stay, the largest amounts first (ties by opportunity_id, bytewise); NULL for all.';
COMMENT ON COLUMN revrtm.holdover_policy.days IS 'How many days (of 24 hours) they stay.';
COMMENT ON COLUMN revrtm.holdover_policy.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.holdover_policy (eligible, shipped) VALUES ('[]', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.holdover_policy
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('policy');
SELECT revrtm.register_policy('revrtm.holdover_policy');

CREATE TABLE revrtm.holdover (
    account_id     text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    opportunity_id text NOT NULL CHECK (octet_length(opportunity_id) BETWEEN 1 AND 255),
    valid          tstzrange NOT NULL CONSTRAINT holdover_valid CHECK (revrtm.is_validity(valid)),
    owner_id       text NOT NULL CHECK (octet_length(owner_id) BETWEEN 1 AND 255),
    owner_kind     text NOT NULL DEFAULT 'user' CHECK (owner_kind IN ('user', 'partner')),
    verdict        text NOT NULL CHECK (verdict IN ('exempt', 'eligible')),
    policy_hash    text NOT NULL,
    PRIMARY KEY (account_id, opportunity_id, valid),
    CONSTRAINT holdover_once EXCLUDE USING gist (account_id WITH =, opportunity_id WITH =, valid WITH &&)
);
CREATE INDEX holdover_opportunity_id ON revrtm.holdover (opportunity_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.holdover', '');
COMMENT ON TABLE revrtm.holdover IS
'Deals that stay with an owner although their account was handed off; written by handoff(). Grain: one deal for one time.';
COMMENT ON COLUMN revrtm.holdover.account_id IS 'The account that was handed off.';
COMMENT ON COLUMN revrtm.holdover.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.holdover.valid IS 'From the handoff until the deal goes to the new owner; without an end it never does.';
COMMENT ON COLUMN revrtm.holdover.owner_id IS 'Who keeps it.';
COMMENT ON COLUMN revrtm.holdover.owner_kind IS 'user or partner.';
COMMENT ON COLUMN revrtm.holdover.verdict IS 'exempt: for good; eligible: for holdover_policy.days.';
COMMENT ON COLUMN revrtm.holdover.policy_hash IS 'terms_hash(''holdover_policy'') at the handoff: by which terms it stays.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('territory_member', 'share', 'share', true),
('territory_member', 'total_share', 'share', false);
CREATE VIEW revrtm.territory_member WITH (security_invoker = true) AS
SELECT a.assignment_id::text AS territory_member_key,
       a.territory_id,
       t.territory_name,
       a.member_id,
       a.member_kind,
       a.kind,
       a.share::numeric(20, 9) AS share,
       s.total::numeric(20, 9) AS total_share,
       lower(a.valid) AS since,
       upper(a.valid) AS until,
       nullif(concat_ws(', ', CASE WHEN s.total <> 1 THEN 'split_not_whole' END,
              CASE WHEN NOT s.has_primary THEN 'unassigned_territory' END,
              CASE WHEN t.territory_id IS NULL THEN 'unknown_territory' END), '') AS note
FROM revrtm.territory_assignment a
JOIN (SELECT x.territory_id, sum(x.share) AS total, bool_or(x.kind = 'primary') AS has_primary
      FROM revrtm.territory_assignment x
      WHERE x.valid @> (SELECT revrtm.as_of())
      GROUP BY x.territory_id) s ON s.territory_id = a.territory_id
LEFT JOIN revrtm.territory t ON t.territory_id = a.territory_id
WHERE a.valid @> (SELECT revrtm.as_of());
COMMENT ON VIEW revrtm.territory_member IS 'Who holds each territory today (revrtm.as_of). Grain: one member of one territory.';
COMMENT ON COLUMN revrtm.territory_member.territory_member_key IS 'The assignment.';
COMMENT ON COLUMN revrtm.territory_member.territory_id IS 'The territory.';
COMMENT ON COLUMN revrtm.territory_member.territory_name IS 'Its name.';
COMMENT ON COLUMN revrtm.territory_member.member_id IS 'The user or partner.';
COMMENT ON COLUMN revrtm.territory_member.member_kind IS 'user or partner.';
COMMENT ON COLUMN revrtm.territory_member.kind IS 'primary or overlay.';
COMMENT ON COLUMN revrtm.territory_member.share IS 'Part of the territory''s credit; NULL for none agreed.';
COMMENT ON COLUMN revrtm.territory_member.total_share IS 'What the shares of the territory''s members sum to; NULL where none are agreed.';
COMMENT ON COLUMN revrtm.territory_member.since IS 'Since when; NULL for always.';
COMMENT ON COLUMN revrtm.territory_member.until IS 'Until when; NULL for no end.';
COMMENT ON COLUMN revrtm.territory_member.note IS
'split_not_whole, unassigned_territory (only overlays), unknown_territory, those that apply, or NULL.';

-- Who owns the deals at an instant: the one who holds a deal over, else the
-- primary of the account's territory, else the owner in the CRM.
CREATE FUNCTION revrtm.owners_at(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (opportunity_id text, account_id text, owner_id text, owner_kind text, decided_by text, territory_id text,
    until timestamptz, crm_owner_id text, note text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT o.opportunity_id,
           revrtm.canonical_account(o.account_id),
           coalesce(h.owner_id, p.member_id, o.owner_id),
           coalesce(h.owner_kind, p.member_kind, 'user'),
           CASE WHEN h.owner_id IS NOT NULL THEN 'holdover' WHEN p.member_id IS NOT NULL THEN 'territory' ELSE 'crm' END,
           t.territory_id,
           pg_catalog.upper(h.valid),
           o.owner_id,
           CASE WHEN h.owner_id IS NOT NULL OR p.member_id IS NOT NULL THEN NULL
                WHEN t.territory_id IS NULL THEN 'no_territory' ELSE 'unassigned_territory' END
    FROM revrtm.opportunity o
    LEFT JOIN revrtm.holdover h ON h.opportunity_id = o.opportunity_id AND h.valid @> owners_at.at
    LEFT JOIN revrtm.territory_account t ON t.account_id = revrtm.canonical_account(o.account_id) AND t.valid @> owners_at.at
    LEFT JOIN revrtm.territory_assignment p ON p.territory_id = t.territory_id AND p.kind = 'primary'
        AND p.valid @> owners_at.at
    WHERE o.deleted IS NOT TRUE;
END;
COMMENT ON FUNCTION revrtm.owners_at(timestamptz) IS
'Who owns each deal of the CRM at an instant, and what decided it (holdover, territory or crm): who holds it over after a handoff, else the primary of the territory that its account is in, else its owner in the CRM. Nothing needs to run when a holdover ends.';

CREATE FUNCTION revrtm.owner_at(opportunity_id text, at timestamptz DEFAULT revrtm.as_of()) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT w.owner_id FROM revrtm.owners_at(owner_at.at) w WHERE w.opportunity_id = owner_at.opportunity_id LIMIT 1;
END;
COMMENT ON FUNCTION revrtm.owner_at(text, timestamptz) IS
'Who owns a deal at an instant, as owners_at() has it; NULL for an unknown deal.';

CREATE VIEW revrtm.deal_owner WITH (security_invoker = true) AS
SELECT w.opportunity_id AS deal_owner_key,
       w.opportunity_id,
       w.account_id,
       w.owner_id,
       w.owner_kind,
       w.decided_by,
       w.territory_id,
       w.until,
       w.crm_owner_id,
       w.note
FROM revrtm.owners_at() w;
COMMENT ON VIEW revrtm.deal_owner IS
'Who owns each deal of the CRM today (revrtm.as_of), by holdovers and territories. Grain: one deal.';
COMMENT ON COLUMN revrtm.deal_owner.deal_owner_key IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_owner.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_owner.account_id IS 'Its account, the survivor where that was merged.';
COMMENT ON COLUMN revrtm.deal_owner.owner_id IS 'The owner: as owner_at() has it.';
COMMENT ON COLUMN revrtm.deal_owner.owner_kind IS 'user or partner.';
COMMENT ON COLUMN revrtm.deal_owner.decided_by IS 'holdover, territory or crm.';
COMMENT ON COLUMN revrtm.deal_owner.territory_id IS 'Territory of the account; NULL for none.';
COMMENT ON COLUMN revrtm.deal_owner.until IS 'When the holdover ends; NULL for never, and where there is none.';
COMMENT ON COLUMN revrtm.deal_owner.crm_owner_id IS 'Owner in the CRM.';
COMMENT ON COLUMN revrtm.deal_owner.note IS 'no_territory, unassigned_territory, or NULL.';

CREATE FUNCTION revrtm.handoff(account_id text, from_territory text, to_territory text, at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (opportunity_id text, verdict text, owner_id text, until timestamptz)
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    canonical text := revrtm.canonical_account(handoff.account_id);
    present revrtm.territory_account;
    terms revrtm.holdover_policy;
BEGIN
    IF NOT isfinite(handoff.at) THEN
        RAISE EXCEPTION 'an account cannot be handed off at an infinite instant' USING ERRCODE = '22023';
    END IF;
    IF handoff.from_territory = handoff.to_territory THEN
        RAISE EXCEPTION 'account % is handed off from territory % to itself', quote_literal(canonical), quote_literal(from_territory)
            USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (SELECT FROM revrtm.territory t WHERE t.territory_id = handoff.to_territory) THEN
        RAISE EXCEPTION 'territory % does not exist', quote_literal(handoff.to_territory)
            USING ERRCODE = '23503', HINT = 'The territories are listed in revrtm.territory.';
    END IF;
    SELECT * INTO terms FROM revrtm.holdover_policy;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there are no terms of holdovers'
            USING ERRCODE = '55000', HINT = 'Insert the row of revrtm.holdover_policy.';
    END IF;
    SELECT * INTO present FROM revrtm.territory_account t
    WHERE t.account_id = canonical AND t.valid @> handoff.at FOR UPDATE;
    IF present.territory_id IS DISTINCT FROM handoff.from_territory OR NOT upper_inf(present.valid)
       OR lower(present.valid) = handoff.at THEN
        RAISE EXCEPTION 'account % cannot be handed off from territory %', quote_literal(canonical), quote_literal(from_territory)
            USING ERRCODE = '22023',
                  DETAIL = CASE WHEN present.territory_id IS NULL THEN 'It is in no territory at that instant.'
                                WHEN present.territory_id <> from_territory
                                THEN format('It is in territory %L at that instant.', present.territory_id)
                                WHEN NOT upper_inf(present.valid) THEN 'It is to leave that territory already.'
                                ELSE 'It came into that territory at that very instant.' END,
                  HINT = 'See revrtm.territory_account.';
    END IF;

    -- The owners as they were just before, of deals that are open then.
    RETURN QUERY
    WITH open AS MATERIALIZED (
        SELECT o.opportunity_id, w.owner_id, w.owner_kind, h.until, h.is_held, h.amount, to_jsonb(h.fact) AS fact
        FROM revrtm.opportunity o
        JOIN revrtm.owners_at(handoff.at - interval '0.000001 seconds') w ON w.opportunity_id = o.opportunity_id
        CROSS JOIN LATERAL (
            SELECT f AS fact, f.amount, held.until, held.opportunity_id IS NOT NULL AS is_held
            FROM (SELECT o.opportunity_id, canonical AS account_id, o.route_id, o.partner_id, w.owner_id, o.segment, o.region,
                         o.product, o.stage, o.deal_type, o.probability,
                         revrtm.reporting_amount(o.amount, o.currency, revrtm.local_date(handoff.at)) AS amount,
                         revrtm.local_date(o.created_at) AS created_on, o.close_date,
                         revrtm.local_date(handoff.at) - revrtm.local_date(o.created_at) AS age_days) f
            LEFT JOIN (SELECT x.opportunity_id, upper(x.valid) AS until FROM revrtm.holdover x
                       WHERE x.opportunity_id = o.opportunity_id AND x.valid @> handoff.at) held ON true) h
        WHERE w.account_id = canonical
          AND (o.created_at <= handoff.at) IS NOT FALSE
          AND (NOT o.is_closed OR coalesce(o.closed_at, revrtm.day_end(o.close_date)) >= handoff.at)
    ), judged AS (
        SELECT p.*, CASE WHEN p.is_held THEN 'held'
                         WHEN p.owner_id IS NULL THEN 'transfer'
                         WHEN terms.exempt IS NOT NULL AND (revrtm.criteria_check(p.fact, terms.exempt)).ok THEN 'exempt'
                         WHEN terms.eligible IS NOT NULL AND (revrtm.criteria_check(p.fact, terms.eligible)).ok THEN 'eligible'
                         ELSE 'transfer' END AS judgement
        FROM open p
    ), ranked AS (
        SELECT j.*, row_number() OVER (PARTITION BY j.judgement
                                       ORDER BY j.amount DESC NULLS LAST, j.opportunity_id COLLATE "C") AS place
        FROM judged j
    ), decided AS MATERIALIZED (
        SELECT r.opportunity_id, r.owner_id, r.owner_kind, r.until,
               CASE WHEN r.judgement = 'eligible' AND r.place > terms.max_deals THEN 'transfer' ELSE r.judgement END AS verdict
        FROM ranked r
    ), kept AS (
        INSERT INTO revrtm.holdover (account_id, opportunity_id, valid, owner_id, owner_kind, verdict, policy_hash)
        SELECT canonical, d.opportunity_id,
               tstzrange(handoff.at, CASE d.verdict WHEN 'eligible' THEN handoff.at + terms.days * interval '24 hours' END),
               d.owner_id, d.owner_kind, d.verdict, revrtm.terms_hash('holdover_policy')
        FROM decided d WHERE d.verdict IN ('exempt', 'eligible')
    )
    SELECT d.opportunity_id, d.verdict,
           CASE WHEN d.verdict <> 'transfer' THEN d.owner_id
                ELSE coalesce((SELECT a.member_id FROM revrtm.territory_assignment a
                               WHERE a.territory_id = handoff.to_territory AND a.kind = 'primary' AND a.valid @> handoff.at),
                              (SELECT o.owner_id FROM revrtm.opportunity o WHERE o.opportunity_id = d.opportunity_id LIMIT 1)) END,
           CASE d.verdict WHEN 'eligible' THEN handoff.at + terms.days * interval '24 hours' WHEN 'held' THEN d.until END
    FROM decided d
    ORDER BY d.opportunity_id COLLATE "C";

    UPDATE revrtm.territory_account t SET valid = tstzrange(lower(t.valid), handoff.at)
    WHERE t.account_id = canonical AND t.valid = present.valid;
    INSERT INTO revrtm.territory_account (account_id, valid, territory_id)
    VALUES (canonical, tstzrange(handoff.at, NULL), handoff.to_territory);
END
$$;
COMMENT ON FUNCTION revrtm.handoff(text, text, text, timestamptz) IS
'Moves an account from one territory to another at an instant, and says of every deal that is open then what becomes of it by revrtm.holdover_policy: exempt (stays with its owner for good), eligible (stays until then), held (an earlier handoff holds it over already), transfer (goes to the new territory''s primary owner). owner_id is who owns it then. 23503 for an unknown territory, 22023 where the account is not in from_territory or leaves it already, 55000 without terms.';
