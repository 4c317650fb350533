-- The demo's registrations, and the conflicts about them: each act on its day
-- of the demo's calendar, in the order in which they happened.

CREATE FUNCTION revrtm.make_demo_registrations(seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- Back to the caller's at the end; on its way each act has its own instant.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET revrtm.as_of = '2026-07-01 00:00:00+00'
AS $$
DECLARE
    a record;
    id uuid;
    rival_id uuid;
    holder text;
    case_no uuid;
BEGIN
    -- Of an earlier demo.
    WITH gone AS (
        DELETE FROM revrtm.conflict_case c
        USING revrtm.deal_registration r
        WHERE r.details @> '{"demo": true}' AND 'registration:' || r.registration_id IN (c.claim_a, c.claim_b)
        RETURNING c.case_id
    ), shown AS (
        DELETE FROM revrtm.conflict_evidence e USING gone g WHERE e.case_id = g.case_id
    )
    DELETE FROM revrtm.conflict_party p USING gone g WHERE p.case_id = g.case_id;
    DELETE FROM revrtm.deal_registration r WHERE r.details @> '{"demo": true}';

    -- The newest partner deal of an account, so that no two are of one
    -- account; one deal in fifty, of those created in 2026. The accounts are
    -- such as the rules of engagement let partners have: they have never
    -- bought, and no direct deal of theirs is open. Of ten registrations,
    -- eight are approved, the ninth is declined, the tenth is in review.
    CREATE TEMPORARY TABLE demo_pick ON COMMIT DROP AS
    WITH pick AS (
        SELECT p.*, row_number() OVER (ORDER BY p.draw, p.id COLLATE "C") AS n
        FROM (SELECT DISTINCT ON (o.account_id COLLATE "C")
                     o.id, o.account_id, o.partner_account_id AS partner_id, p.family, o.region_c AS region,
                     o.amount::numeric AS amount, o.currency_iso_code AS currency, o.close_date,
                     (o.created_date AT TIME ZONE 'UTC')::date AS since,
                     revrtm.demo_random(seed, o.id, 0) AS draw
              FROM revrtm_demo.opportunity o
              JOIN revrtm_demo.product_2 p ON p.product_code = o.product_c
              WHERE o.account_id <> '' AND o.partner_account_id IS NOT NULL AND o.amount > 0
                AND o.created_date >= timestamptz '2026-01-01 00:00:00+00'
                AND NOT o.is_deleted AND NOT o._fivetran_deleted
                AND NOT EXISTS (SELECT FROM revrtm_demo.opportunity other
                                WHERE other.account_id = o.account_id
                                  AND (other.is_won OR NOT other.is_closed AND other.partner_account_id IS NULL))
              ORDER BY o.account_id COLLATE "C", o.created_date DESC, o.id COLLATE "C") p
        ORDER BY n
        LIMIT (SELECT greatest(1, count(*) / 50) FROM revrtm_demo.opportunity)
    ), fate AS (
        SELECT p.*, CASE p.n % 10 WHEN 9 THEN 'reject' WHEN 0 THEN 'review' ELSE 'approve' END AS fate,
               -- Two days to three weeks before the deal was there; what is
               -- in review came in the last week of June.
               CASE WHEN p.n % 10 = 0 THEN timestamptz '2026-06-24 09:00:00+00' + make_interval(days => (p.n / 10 % 5)::int)
                    ELSE (p.since - 2 - floor(20 * revrtm.demo_random(seed, 'submitted', p.n))::int)::timestamp
                         AT TIME ZONE 'UTC' + interval '9 hours' END AS submitted,
               revrtm.demo_random(seed, 'decided', p.n) AS u
        FROM pick p
    ), timed AS (
        -- Decisions take three days of business in January, and less than one in June.
        SELECT f.*, round(4 * (26 - 20 * greatest(0, (f.submitted AT TIME ZONE 'UTC')::date - date '2026-01-01') / 180.0)
                           * (0.4 + 1.2 * f.u)) / 4 AS hours,
               -- One in seven goes back to its partner, who takes two days.
               f.fate <> 'review' AND f.n % 7 = 3 AND f.submitted < timestamptz '2026-06-01 00:00:00+00' AS is_returned
        FROM fate f
    ), decided AS (
        SELECT t.*, least(timestamptz '2026-06-30 17:00:00+00',
                          revrtm.add_business_hours(t.submitted, t.hours + CASE WHEN t.is_returned THEN 16 ELSE 0 END)) AS decided
        FROM timed t
    )
    SELECT d.*, d.fate = 'approve' AND d.since > date '2026-04-05' AS is_late,
           -- A rival of the same region claims the account, for all products:
           -- early ones were decided, late ones wait.
           CASE WHEN d.fate = 'approve'
                THEN row_number() OVER (PARTITION BY d.fate, d.since > date '2026-04-05' ORDER BY d.n) END AS claim_no,
           (SELECT k.id FROM revrtm_demo.account k
            WHERE k.is_partner AND k.region_c = d.region AND k.id <> d.partner_id
            ORDER BY k.id COLLATE "C" LIMIT 1) AS rival
    FROM decided d;

    FOR a IN
        SELECT p.*, t.at, t.act
        FROM demo_pick p
        CROSS JOIN LATERAL (
            SELECT p.submitted AS at, 1 AS place, 'submit' AS act
            UNION ALL
            SELECT revrtm.add_business_hours(p.submitted, p.hours / 2), 2, 'return' WHERE p.is_returned
            UNION ALL
            SELECT revrtm.add_business_hours(p.submitted, p.hours / 2 + 16), 3, 'again' WHERE p.is_returned
            UNION ALL
            SELECT p.decided, 4, p.fate
            UNION ALL
            -- It became the deal, where nobody disputes that.
            SELECT greatest(p.decided, p.since::timestamp AT TIME ZONE 'UTC' + interval '9 hours') + interval '1 hour', 7, 'convert'
            WHERE p.fate = 'approve' AND p.claim_no > CASE WHEN p.is_late THEN 8 ELSE 5 END
            UNION ALL
            SELECT greatest(p.decided, timestamptz '2026-06-13 10:00:00+00' + p.claim_no * interval '2 days') + interval '2 hours', 5, 'rival'
            WHERE p.is_late AND p.claim_no <= 8 AND p.rival IS NOT NULL
            UNION ALL
            SELECT p.decided + p.claim_no * interval '2 days', 5, 'rival'
            WHERE NOT p.is_late AND p.claim_no <= 5 AND p.rival IS NOT NULL
            UNION ALL
            -- In time, which is 40 hours, but for the last two.
            SELECT revrtm.add_business_hours(p.decided + p.claim_no * interval '2 days', 11 * p.claim_no), 6, 'decide'
            WHERE NOT p.is_late AND p.claim_no <= 5 AND p.rival IS NOT NULL) t
        ORDER BY t.at, p.n, t.place
    LOOP
        PERFORM set_config('revrtm.as_of', a.at::text, true);
        IF a.act IN ('submit', 'rival') THEN
            PERFORM r.status
            FROM revrtm.register_deal(
                a.account_id, CASE a.act WHEN 'rival' THEN a.rival ELSE a.partner_id END,
                ARRAY[CASE a.act WHEN 'rival' THEN 'ANY' ELSE a.family END], ARRAY[a.region], a.amount, a.currency, a.close_date,
                jsonb_build_object('opportunity_id', a.id), '{"demo": true}', true) r;
            CONTINUE;
        END IF;
        SELECT r.registration_id INTO STRICT id
        FROM revrtm.deal_registration r
        WHERE r.account_id = a.account_id AND r.partner_id = a.partner_id AND r.details @> '{"demo": true}';
        CASE a.act
        WHEN 'return' THEN
            PERFORM r.status FROM revrtm.return_registration(id, 'Who is the contact at the customer?') r;
        WHEN 'again' THEN
            PERFORM r.status FROM revrtm.submit_registration(id) r;
        WHEN 'review' THEN
            PERFORM r.status FROM revrtm.review_registration(id) r;
        WHEN 'reject' THEN
            PERFORM r.status FROM revrtm.reject_registration(id, 'The evidence does not name a contact.') r;
        WHEN 'approve' THEN
            PERFORM r.status
            FROM revrtm.approve_registration(id, daterange(a.since, a.since + 90), 'The partner found the deal.') r;
        WHEN 'convert' THEN
            PERFORM r.status FROM revrtm.convert_registration(id, a.id) r;
        ELSE
            SELECT c.case_id INTO STRICT case_no
            FROM revrtm.conflict_case c
            WHERE c.account_id = a.account_id AND 'registration:' || id IN (c.claim_a, c.claim_b);
            INSERT INTO revrtm.conflict_evidence (case_id, account_id, claim, partner_id, evidence_type, happened_at, entered_at)
            VALUES (case_no, a.account_id, 'registration:' || id, a.partner_id, 'meeting', a.submitted - interval '5 days', a.at);
            PERFORM revrtm.verify_evidence(e.evidence_id) FROM revrtm.conflict_evidence e WHERE e.case_id = case_no;
            PERFORM d.outcome
            FROM revrtm.decide_case(case_no, a.partner_id, CASE a.claim_no WHEN 2 THEN 0.7 ELSE 1 END,
                                    'Who met the customer first keeps the deal.', 'ended') d;
        END CASE;
    END LOOP;
    DROP TABLE demo_pick;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_registrations(int) IS
'Registers one deal in fifty of the demo CRM in the first half of 2026, decides on them faster from month to month, and lets rivals claim up to thirteen of their accounts: up to five of these conflicts are decided, eight are open on 2026-07-01. Registrations and cases of an earlier demo are removed.';

CREATE FUNCTION revrtm.make_demo_cases() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET revrtm.as_of = '2026-06-30 12:00:00+00'
AS $$
BEGIN
    PERFORM s.case_id FROM revrtm.scan_conflicts(false) s;
    PERFORM set_config('revrtm.as_of', '2026-06-30 16:00:00+00', true);
    PERFORM d.outcome
    FROM (SELECT c.case_id FROM revrtm.open_case c JOIN revrtm_demo.opportunity o ON c.claim_a = 'opportunity:' || o.id
          WHERE c.cause = 'scan'
          ORDER BY c.account_id COLLATE "C", c.claim_a COLLATE "C", c.claim_b COLLATE "C" LIMIT 1) c
    CROSS JOIN LATERAL revrtm.decide_case(c.case_id, NULL, reason => 'Two projects of two departments.') d;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_cases() IS
'Opens the cases of deals of the demo CRM, which is bound, that collide with each other, and dismisses the first.';
