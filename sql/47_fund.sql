-- Money set aside for partners: market development funds (MDF) and SPIFFs.
-- What requests and awards hold of a fund is written on the fund itself, so
-- that a constraint keeps it within its amount whoever writes at the same time.

CREATE TABLE revrtm.fund (
    fund_id    text PRIMARY KEY CHECK (octet_length(fund_id) BETWEEN 1 AND 255),
    kind       text NOT NULL CHECK (kind IN ('mdf', 'spiff')),
    partner_id text CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    valid      daterange NOT NULL CHECK (NOT isempty(valid)),
    amount     numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    currency   text NOT NULL CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    award      numeric CHECK (award > 0 AND award < 'Infinity'),
    route_id   text NOT NULL DEFAULT 'partner_sourced' CHECK (route_id <> ''),
    held       numeric NOT NULL DEFAULT 0,
    CONSTRAINT fund_not_exceeded CHECK (held BETWEEN 0 AND amount),
    CONSTRAINT fund_award CHECK (award IS NULL OR kind = 'spiff')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.fund', '');
SELECT revrtm.register_policy('revrtm.fund', ARRAY['held']);
COMMENT ON TABLE revrtm.fund IS
'Budgets of MDF, a partner''s or everybody''s, and of SPIFFs. What is held never exceeds the amount (23514, fund_not_exceeded). Grain: one budget.';
COMMENT ON COLUMN revrtm.fund.fund_id IS 'Name of the budget, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.fund.kind IS 'mdf or spiff.';
COMMENT ON COLUMN revrtm.fund.partner_id IS 'The partner it is for; NULL for any.';
COMMENT ON COLUMN revrtm.fund.valid IS 'Days, of the programme''s zone, on which what it pays for begins or is earned.';
COMMENT ON COLUMN revrtm.fund.amount IS 'What may be spent, in currency.';
COMMENT ON COLUMN revrtm.fund.currency IS 'ISO 4217 code of amount; requests and awards are in it.';
COMMENT ON COLUMN revrtm.fund.award IS 'SPIFF for one deal, where the award says nothing else; NULL of MDF.';
COMMENT ON COLUMN revrtm.fund.route_id IS 'Route whose spend it is.';
COMMENT ON COLUMN revrtm.fund.held IS 'What requests and awards hold of it: approved, earned or paid; derived.';
ALTER TABLE revrtm.fund ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.fund USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.fund FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner_read ON revrtm.fund FOR SELECT USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());

CREATE FUNCTION revrtm.keep_fund() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF OLD.held > 0 AND (TG_OP = 'DELETE' OR (NEW.fund_id, NEW.kind, NEW.partner_id, NEW.currency)
                                             IS DISTINCT FROM (OLD.fund_id, OLD.kind, OLD.partner_id, OLD.currency)) THEN
        RAISE EXCEPTION 'fund % is in use', quote_literal(OLD.fund_id)
            USING ERRCODE = '23503', SCHEMA = 'revrtm', TABLE = 'fund', CONSTRAINT = 'fund_in_use',
                  DETAIL = format('Requests or awards hold %s %s of it.', OLD.held, OLD.currency),
                  HINT = 'Its amount and days may be changed; it goes once nothing holds it.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_fund() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_fund() IS
'Trigger of fund: what is held is not deleted, nor given another name, kind, partner or currency (23503, fund_in_use).';
CREATE TRIGGER keep_fund BEFORE UPDATE OR DELETE ON revrtm.fund
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_fund();

-- Written with the rights of the owner, for a partner that withdraws frees
-- money of a budget it may not see.
CREATE FUNCTION revrtm.hold_fund() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    f revrtm.fund;
    more numeric := coalesce(NEW.held, 0) - coalesce(OLD.held, 0);
    wrong text;
BEGIN
    -- What was restored is held already.
    IF more = 0 OR TG_OP = 'INSERT' AND NEW.checked_at <> now() THEN
        RETURN NULL;
    END IF;
    SELECT * INTO f FROM revrtm.fund k WHERE k.fund_id = coalesce(NEW.fund_id, OLD.fund_id) FOR UPDATE;
    IF more > 0 THEN
        wrong := CASE WHEN f.fund_id IS NULL THEN 'There is no such fund.'
                      WHEN f.kind || '_' <> left(TG_TABLE_NAME, length(f.kind) + 1) THEN format('It is a fund for %s.', f.kind)
                      WHEN f.partner_id <> NEW.partner_id THEN 'It is another partner''s.'
                      WHEN f.currency <> NEW.currency THEN format('It is in %s.', f.currency)
                      WHEN NOT f.valid @> NEW.held_on THEN format('It is for other days than %s.', revrtm.date_text(NEW.held_on))
                 END;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'fund % does not pay for this', quote_literal(NEW.fund_id)
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = TG_TABLE_NAME, CONSTRAINT = 'fund_fits', DETAIL = wrong,
                      HINT = 'The funds are in revrtm.fund.';
        ELSIF f.held + more > f.amount THEN
            RAISE EXCEPTION 'fund % would be exceeded', quote_literal(f.fund_id)
                USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'fund', CONSTRAINT = 'fund_not_exceeded',
                      DETAIL = format('Of %s %s there are %s left, and %s are asked for.',
                                      f.amount, f.currency, f.amount - f.held, more),
                      HINT = 'Grant less, free what is not claimed (expire_mdf_requests), or raise the fund''s amount.';
        END IF;
    END IF;
    UPDATE revrtm.fund k SET held = k.held + more WHERE k.fund_id = f.fund_id;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION revrtm.hold_fund() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.hold_fund() IS
'Trigger of mdf_request and spiff_award: adds what a row holds to fund.held, under the lock of the fund''s row; 23514 fund_fits where the fund is not for it, fund_not_exceeded where it has not enough left. Above READ COMMITTED, a fund changed since the snapshot raises 40001.';

-- MDF.

CREATE TABLE revrtm.mdf_request (
    request_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    partner_id       text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    fund_id          text NOT NULL CHECK (octet_length(fund_id) BETWEEN 1 AND 255),
    activity         text NOT NULL CHECK (activity <> ''),
    channel          text CHECK (channel <> ''),
    product_code     text CHECK (octet_length(product_code) BETWEEN 1 AND 255),
    during           daterange NOT NULL,
    requested_amount numeric NOT NULL CHECK (requested_amount > 0 AND requested_amount < 'Infinity'),
    approved_amount  numeric,
    claimed_amount   numeric,
    paid_amount      numeric,
    currency         text NOT NULL CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    status           text NOT NULL DEFAULT 'requested',
    claim_by         date,
    proof            jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(proof) IN ('object', 'array')),
    opportunity_ids  text[] NOT NULL DEFAULT '{}',
    paid_on          date CHECK (isfinite(paid_on)),
    spend_id         text CHECK (spend_id <> ''),
    details          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    requested_at     timestamptz NOT NULL,
    decided_at       timestamptz,
    decision_reason  text,
    checked_at       timestamptz NOT NULL,
    held             numeric NOT NULL DEFAULT 0,
    held_on          date NOT NULL,
    CONSTRAINT mdf_request_status CHECK (revrtm.life_cycle_has('mdf_request', status)),
    CONSTRAINT mdf_request_during CHECK (isfinite(lower(during)) AND isfinite(upper(during))),
    CONSTRAINT mdf_request_approved CHECK (approved_amount > 0 AND approved_amount <= requested_amount),
    CONSTRAINT mdf_request_claimed CHECK (claimed_amount > 0 AND claimed_amount <= approved_amount),
    CONSTRAINT mdf_request_paid CHECK (paid_amount > 0 AND paid_amount <= claimed_amount),
    CONSTRAINT mdf_request_amounts CHECK (
        (status NOT IN ('approved', 'executed', 'claimed', 'paid') OR approved_amount IS NOT NULL AND claim_by IS NOT NULL)
        AND (status NOT IN ('claimed', 'paid') OR claimed_amount IS NOT NULL)
        AND (status <> 'paid' OR paid_amount IS NOT NULL AND paid_on IS NOT NULL)),
    CONSTRAINT mdf_request_proof CHECK (status NOT IN ('claimed', 'paid') OR proof NOT IN ('{}', '[]'))
);
CREATE INDEX mdf_request_fund ON revrtm.mdf_request (fund_id);
CREATE INDEX mdf_request_partner ON revrtm.mdf_request (partner_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.mdf_request', '');
COMMENT ON TABLE revrtm.mdf_request IS
'Requests for market development funds: asked for, approved, executed, claimed with proof, paid. A claim is at most what was approved, a payment at most what was claimed. Grain: one request.';
COMMENT ON COLUMN revrtm.mdf_request.request_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.mdf_request.partner_id IS 'The partner that asks.';
COMMENT ON COLUMN revrtm.mdf_request.fund_id IS 'The fund it is to be paid from; judged when it is approved.';
COMMENT ON COLUMN revrtm.mdf_request.activity IS 'What it is for.';
COMMENT ON COLUMN revrtm.mdf_request.channel IS 'Channel of the touches that the activity is to make; by it, the partner and the days its deals are found.';
COMMENT ON COLUMN revrtm.mdf_request.product_code IS 'Product it promotes; NULL for any.';
COMMENT ON COLUMN revrtm.mdf_request.during IS 'Days of the activity, [from, until).';
COMMENT ON COLUMN revrtm.mdf_request.requested_amount IS 'What is asked for, in currency.';
COMMENT ON COLUMN revrtm.mdf_request.approved_amount IS 'What was approved; by default all.';
COMMENT ON COLUMN revrtm.mdf_request.claimed_amount IS 'What is claimed, at most what was approved.';
COMMENT ON COLUMN revrtm.mdf_request.paid_amount IS 'What was paid, at most what was claimed; by default all.';
COMMENT ON COLUMN revrtm.mdf_request.currency IS 'ISO 4217 code, the fund''s.';
COMMENT ON COLUMN revrtm.mdf_request.status IS
'requested, approved, executed, claimed, paid, rejected, expired or withdrawn, see life_cycle_transition; mdf_status() shows what nobody claimed in time as expired.';
COMMENT ON COLUMN revrtm.mdf_request.claim_by IS 'Last day to claim it; by default enablement_terms.claim_days after the activity.';
COMMENT ON COLUMN revrtm.mdf_request.proof IS 'Proof that the activity took place, a JSON object or array; a claim takes one.';
COMMENT ON COLUMN revrtm.mdf_request.opportunity_ids IS 'Deals that the partner or staff name as its outcome.';
COMMENT ON COLUMN revrtm.mdf_request.paid_on IS 'Day of the payment; by default that of the decision.';
COMMENT ON COLUMN revrtm.mdf_request.spend_id IS 'The entry of revrtm.spend that the payment is booked in; NULL for none.';
COMMENT ON COLUMN revrtm.mdf_request.details IS 'Further fields, a JSON object.';
COMMENT ON COLUMN revrtm.mdf_request.requested_at IS 'When it was asked for: revrtm.as_of() for staff, the clock for partners.';
COMMENT ON COLUMN revrtm.mdf_request.decided_at IS 'When the status last changed.';
COMMENT ON COLUMN revrtm.mdf_request.decision_reason IS 'Reason of the last decision, for the partner to read.';
COMMENT ON COLUMN revrtm.mdf_request.checked_at IS
'Start of the transaction that wrote it last. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';
COMMENT ON COLUMN revrtm.mdf_request.held IS 'What it holds of the fund: the approved amount until it is paid, then the paid one; derived.';
COMMENT ON COLUMN revrtm.mdf_request.held_on IS 'First day of the activity, on which the fund has to be valid; derived.';
ALTER TABLE revrtm.mdf_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.mdf_request USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.mdf_request FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner_read ON revrtm.mdf_request FOR SELECT USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());
CREATE POLICY partner_ask ON revrtm.mdf_request FOR INSERT
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()) AND status = 'requested');
CREATE POLICY partner_change ON revrtm.mdf_request FOR UPDATE USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan())
    WITH CHECK (partner_id = (SELECT revrtm.current_partner())
        AND status IN ('requested', 'approved', 'executed', 'claimed', 'withdrawn'));

CREATE FUNCTION revrtm.keep_mdf_request() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.checked_at <> now() THEN
        RETURN NEW;
    ELSIF TG_OP = 'INSERT' THEN
        NEW.requested_at := NEW.decided_at;
    END IF;
    IF NEW.status = 'approved' THEN
        NEW.approved_amount := coalesce(NEW.approved_amount, NEW.requested_amount);
        NEW.claim_by := coalesce(NEW.claim_by, upper(NEW.during) - 1 + (SELECT t.claim_days FROM revrtm.enablement_terms t));
    ELSIF NEW.status = 'claimed' AND OLD.status = 'executed'
          AND revrtm.programme_date(NEW.decided_at) > NEW.claim_by THEN
        RAISE EXCEPTION 'it is too late to claim this'
            USING ERRCODE = '23514', SCHEMA = 'revrtm', TABLE = 'mdf_request', CONSTRAINT = 'mdf_request_claim_by',
                  DETAIL = format('The last day was %s.', revrtm.date_text(NEW.claim_by)),
                  HINT = 'Staff may set claim_by to a later day.';
    ELSIF NEW.status = 'paid' THEN
        NEW.paid_amount := coalesce(NEW.paid_amount, NEW.claimed_amount);
        NEW.paid_on := coalesce(NEW.paid_on, revrtm.programme_date(NEW.decided_at));
    END IF;
    NEW.held_on := lower(NEW.during);
    NEW.held := CASE WHEN NEW.status IN ('approved', 'executed', 'claimed') THEN NEW.approved_amount
                     WHEN NEW.status = 'paid' THEN NEW.paid_amount ELSE 0 END;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_mdf_request() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_mdf_request() IS
'Trigger of mdf_request, after keep_life_cycle: what is approved, paid and held, and until when it may be claimed (23514, mdf_request_claim_by).';
CREATE TRIGGER keep_1_life_cycle BEFORE INSERT OR UPDATE ON revrtm.mdf_request
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_life_cycle();
CREATE TRIGGER keep_2_mdf_request BEFORE INSERT OR UPDATE ON revrtm.mdf_request
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_mdf_request();
CREATE TRIGGER hold_fund AFTER INSERT OR UPDATE OR DELETE ON revrtm.mdf_request
FOR EACH ROW EXECUTE FUNCTION revrtm.hold_fund();
CREATE TRIGGER log_life_cycle AFTER INSERT OR UPDATE OR DELETE ON revrtm.mdf_request
FOR EACH ROW EXECUTE FUNCTION revrtm.log_life_cycle('request_id');

CREATE FUNCTION revrtm.mdf_status(status text, claim_by date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN status IN ('approved', 'executed') AND claim_by < revrtm.programme_date(revrtm.as_of())
        THEN 'expired' ELSE status END;
END;
COMMENT ON FUNCTION revrtm.mdf_status(text, date) IS
'The status as of today (revrtm.as_of in the programme''s zone): what was not claimed by its last day is expired.';

CREATE FUNCTION revrtm.expire_mdf_requests(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (request_id uuid, partner_id text, fund_id text, freed numeric, currency text)
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
    WITH due AS (
        SELECT r.request_id, r.held FROM revrtm.mdf_request r
        WHERE r.status IN ('approved', 'executed') AND r.claim_by < revrtm.programme_date(expire_mdf_requests.at)
        ORDER BY r.fund_id, r.request_id
        FOR UPDATE)
    UPDATE revrtm.mdf_request r SET status = 'expired' FROM due d
    WHERE r.request_id = d.request_id AND r.status IN ('approved', 'executed')
    RETURNING r.request_id, r.partner_id, r.fund_id, d.held, r.currency;
END;
COMMENT ON FUNCTION revrtm.expire_mdf_requests(timestamptz) IS
'Writes down as expired what was approved and not claimed by its last day, and so frees its funds; returns what was freed. For staff, or a scheduler with its rights.';

-- SPIFFs.

CREATE TABLE revrtm.spiff_award (
    award_id        uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id      text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    opportunity_id  text NOT NULL CHECK (octet_length(opportunity_id) BETWEEN 1 AND 255),
    fund_id         text NOT NULL CHECK (octet_length(fund_id) BETWEEN 1 AND 255),
    partner_id      text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    person_id       text NOT NULL CHECK (octet_length(person_id) BETWEEN 1 AND 255),
    amount          numeric NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
    currency        text NOT NULL CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    held_on         date NOT NULL CHECK (isfinite(held_on)),
    status          text NOT NULL DEFAULT 'earned',
    paid_on         date CHECK (isfinite(paid_on)),
    spend_id        text CHECK (spend_id <> ''),
    details         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    decided_at      timestamptz,
    decision_reason text,
    checked_at      timestamptz NOT NULL,
    held            numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (award_id, account_id),
    CONSTRAINT spiff_award_status CHECK (revrtm.life_cycle_has('spiff_award', status)),
    CONSTRAINT spiff_award_paid CHECK (status <> 'paid' OR paid_on IS NOT NULL)
);
CREATE UNIQUE INDEX spiff_award_once ON revrtm.spiff_award (account_id, opportunity_id, fund_id, person_id)
    WHERE status <> 'reversed';
CREATE INDEX spiff_award_fund ON revrtm.spiff_award (fund_id);
SELECT pg_catalog.pg_extension_config_dump('revrtm.spiff_award', '');
COMMENT ON TABLE revrtm.spiff_award IS
'SPIFFs that people of partners earned with a deal, at most once a fund (spiff_award_once, 23505). Grain: one award.';
COMMENT ON COLUMN revrtm.spiff_award.award_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.spiff_award.account_id IS 'Account of the deal; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.spiff_award.opportunity_id IS 'The deal it was earned with.';
COMMENT ON COLUMN revrtm.spiff_award.fund_id IS 'The fund that pays it.';
COMMENT ON COLUMN revrtm.spiff_award.partner_id IS 'The partner of the person.';
COMMENT ON COLUMN revrtm.spiff_award.person_id IS 'Who earned it.';
COMMENT ON COLUMN revrtm.spiff_award.amount IS 'What was earned, in currency; by default fund.award.';
COMMENT ON COLUMN revrtm.spiff_award.currency IS 'ISO 4217 code; by default the fund''s.';
COMMENT ON COLUMN revrtm.spiff_award.held_on IS 'Day it was earned, on which the fund has to be valid; by default today (revrtm.as_of).';
COMMENT ON COLUMN revrtm.spiff_award.status IS 'earned, paid or reversed, see life_cycle_transition.';
COMMENT ON COLUMN revrtm.spiff_award.paid_on IS 'Day of the payment; by default that of the decision.';
COMMENT ON COLUMN revrtm.spiff_award.spend_id IS 'The entry of revrtm.spend that the payment is booked in; NULL for none.';
COMMENT ON COLUMN revrtm.spiff_award.details IS 'Further fields, a JSON object.';
COMMENT ON COLUMN revrtm.spiff_award.decided_at IS 'When the status last changed.';
COMMENT ON COLUMN revrtm.spiff_award.decision_reason IS 'Reason of the last decision, for the partner to read.';
COMMENT ON COLUMN revrtm.spiff_award.checked_at IS
'Start of the transaction that wrote it last. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';
COMMENT ON COLUMN revrtm.spiff_award.held IS 'What it holds of the fund: the amount, unless reversed; derived.';
ALTER TABLE revrtm.spiff_award ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.spiff_award USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.spiff_award FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner_read ON revrtm.spiff_award FOR SELECT USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());

CREATE FUNCTION revrtm.keep_spiff_award() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.checked_at <> now() THEN
        RETURN NEW;
    ELSIF TG_OP = 'INSERT' THEN
        NEW.amount := coalesce(NEW.amount, (SELECT f.award FROM revrtm.fund f WHERE f.fund_id = NEW.fund_id));
        NEW.currency := coalesce(NEW.currency, (SELECT f.currency FROM revrtm.fund f WHERE f.fund_id = NEW.fund_id));
        NEW.held_on := coalesce(NEW.held_on, revrtm.programme_date(NEW.decided_at));
    END IF;
    IF NEW.status = 'paid' THEN
        NEW.paid_on := coalesce(NEW.paid_on, revrtm.programme_date(NEW.decided_at));
    END IF;
    NEW.held := CASE WHEN NEW.status <> 'reversed' THEN NEW.amount ELSE 0 END;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_spiff_award() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_spiff_award() IS
'Trigger of spiff_award, after keep_life_cycle: what is earned, paid and held.';
CREATE TRIGGER keep_1_life_cycle BEFORE INSERT OR UPDATE ON revrtm.spiff_award
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_life_cycle();
CREATE TRIGGER keep_2_spiff_award BEFORE INSERT OR UPDATE ON revrtm.spiff_award
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_spiff_award();
CREATE TRIGGER hold_fund AFTER INSERT OR UPDATE OR DELETE ON revrtm.spiff_award
FOR EACH ROW EXECUTE FUNCTION revrtm.hold_fund();
CREATE TRIGGER log_life_cycle AFTER INSERT OR UPDATE OR DELETE ON revrtm.spiff_award
FOR EACH ROW EXECUTE FUNCTION revrtm.log_life_cycle('award_id');

-- What became of the funds.

CREATE VIEW revrtm.fund_use WITH (security_invoker = true) AS
SELECT f.fund_id AS fund_use_key,
       f.fund_id,
       f.kind,
       f.partner_id,
       lower(f.valid) AS valid_from,
       upper(f.valid) AS valid_until,
       f.currency,
       f.amount::numeric(20, 4) AS amount,
       f.held::numeric(20, 4) AS held,
       coalesce(u.paid, 0)::numeric(20, 4) AS paid,
       (f.amount - f.held)::numeric(20, 4) AS available,
       revrtm.ratio(coalesce(u.paid, 0), f.amount)::numeric(9, 6) AS utilization,
       coalesce(u.entries, 0) AS entries,
       (f.held - coalesce(u.held, 0))::numeric(20, 4) AS difference,
       revrtm.ratio_note(f.amount, 'zero_budget') AS note
FROM revrtm.fund f
     LEFT JOIN (SELECT e.fund_id, sum(e.held) AS held, sum(e.held) FILTER (WHERE e.status = 'paid') AS paid,
                       count(*) AS entries
                FROM (SELECT r.fund_id, r.held, r.status FROM revrtm.mdf_request r
                      UNION ALL SELECT a.fund_id, a.held, a.status FROM revrtm.spiff_award a) e
                GROUP BY e.fund_id) u ON u.fund_id = f.fund_id;
COMMENT ON VIEW revrtm.fund_use IS 'What is held, paid and left of each fund. Grain: one fund.';
COMMENT ON COLUMN revrtm.fund_use.fund_use_key IS 'The fund.';
COMMENT ON COLUMN revrtm.fund_use.fund_id IS 'The fund.';
COMMENT ON COLUMN revrtm.fund_use.kind IS 'mdf or spiff.';
COMMENT ON COLUMN revrtm.fund_use.partner_id IS 'The partner it is for; NULL for any.';
COMMENT ON COLUMN revrtm.fund_use.valid_from IS 'Its first day; NULL for none.';
COMMENT ON COLUMN revrtm.fund_use.valid_until IS 'The day after its last; NULL for none.';
COMMENT ON COLUMN revrtm.fund_use.currency IS 'Its currency.';
COMMENT ON COLUMN revrtm.fund_use.amount IS 'Its amount.';
COMMENT ON COLUMN revrtm.fund_use.held IS 'What is approved, earned or paid of it.';
COMMENT ON COLUMN revrtm.fund_use.paid IS 'What is paid of it.';
COMMENT ON COLUMN revrtm.fund_use.available IS 'What is left, amount - held.';
COMMENT ON COLUMN revrtm.fund_use.utilization IS 'paid / amount; NULL for a fund of nothing.';
COMMENT ON COLUMN revrtm.fund_use.entries IS 'Requests and awards that name it.';
COMMENT ON COLUMN revrtm.fund_use.difference IS 'held less the sum of what its requests and awards hold: 0, for who may see all of them.';
COMMENT ON COLUMN revrtm.fund_use.note IS 'zero_budget, or NULL.';

INSERT INTO revrtm.note (note, meaning) VALUES
('zero_budget', 'The budget is nothing, so no share of it can be told.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('fund_use', 'amount', 'row currency', true),
('fund_use', 'available', 'row currency', true),
('fund_use', 'difference', 'row currency', true),
('fund_use', 'entries', 'rows', true),
('fund_use', 'held', 'row currency', true),
('fund_use', 'paid', 'row currency', true),
('fund_use', 'utilization', 'share', false);
