-- The demo's enablement: a company that certifies the partners that sell most,
-- pays their activities out of funds, and plans deals with them.

CREATE FUNCTION revrtm.make_demo_enablement() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- Back to the caller's at the end; on its way each decision has its own day.
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET revrtm.as_of = '2026-07-01 00:00:00+00'
AS $$
DECLARE
    p record;
    d record;
    id uuid;
    day timestamptz;
BEGIN
    DELETE FROM revrtm.mdf_request r WHERE r.details @> '{"demo": true}';
    DELETE FROM revrtm.spiff_award a WHERE a.details @> '{"demo": true}';
    DELETE FROM revrtm.certification c WHERE c.details @> '{"demo": true}';
    DELETE FROM revrtm.referral r WHERE r.details @> '{"demo": true}';
    DELETE FROM revrtm.plan_step s USING revrtm.action_plan a
    WHERE a.plan_id = s.plan_id AND a.account_id = s.account_id AND a.details @> '{"demo": true}';
    DELETE FROM revrtm.action_plan a WHERE a.details @> '{"demo": true}';

    INSERT INTO revrtm.course (course_id, course_name, product_code, valid_for, cost, currency)
    VALUES ('sell_platform', 'Selling the platform', 'platform', '1 year', 250, 'USD'),
           ('secure', 'Implementing security', 'security', '2 years', 900, 'USD'),
           ('co_selling', 'Selling together', NULL, NULL, 0, NULL)
    ON CONFLICT DO NOTHING;
    INSERT INTO revrtm.curriculum (role, course_id)
    VALUES ('partner_seller', 'sell_platform'), ('partner_seller', 'co_selling'),
           ('partner_engineer', 'secure'), ('account_executive', 'co_selling')
    ON CONFLICT DO NOTHING;
    INSERT INTO revrtm.fund (fund_id, kind, partner_id, valid, amount, currency, award, route_id)
    VALUES ('mdf 2026', 'mdf', NULL, '[2026-01-01,2027-01-01)', 50000, 'USD', NULL, 'partner_sourced'),
           ('spiff 2026 h1', 'spiff', NULL, '[2026-01-01,2026-07-01)', 5000, 'USD', 250, 'partner_sourced')
    ON CONFLICT DO NOTHING;

    -- The dozen partners with the most deals. The first six certified their
    -- people in the spring of 2025, the others a year later; some let the
    -- first certificate lapse.
    FOR p IN
        SELECT o.partner_account_id AS partner_id, row_number() OVER (ORDER BY count(*) DESC, o.partner_account_id COLLATE "C") AS n
        FROM revrtm_demo.opportunity o
        WHERE o.partner_account_id IS NOT NULL
        GROUP BY o.partner_account_id ORDER BY n LIMIT 12
    LOOP
        FOR i IN 1 .. 1 + (14 - p.n)::int / 3 LOOP
            INSERT INTO revrtm.learner (partner_id, person_id, role)
            VALUES (p.partner_id, format('person %s of %s', i, p.n),
                    CASE WHEN i % 3 = 0 THEN 'partner_engineer' ELSE 'partner_seller' END)
            ON CONFLICT DO NOTHING;
            day := timestamptz '2025-04-07 12:00:00+00' + make_interval(days => i * 3 + CASE WHEN p.n > 6 THEN 365 ELSE 0 END);
            PERFORM set_config('revrtm.as_of', day::text, true);
            INSERT INTO revrtm.certification (partner_id, person_id, course_id, status, taken_on, details)
            VALUES (p.partner_id, format('person %s of %s', i, p.n),
                    CASE WHEN i % 3 = 0 THEN 'secure' ELSE 'sell_platform' END, 'granted',
                    (day AT TIME ZONE 'UTC')::date, '{"demo": true}');
            -- Renewed, but for one in four.
            IF i % 3 <> 0 AND p.n <= 6 AND (i + p.n) % 4 > 0 THEN
                PERFORM set_config('revrtm.as_of', (day + interval '350 days')::text, true);
                INSERT INTO revrtm.certification (partner_id, person_id, course_id, status, taken_on, details)
                VALUES (p.partner_id, format('person %s of %s', i, p.n), 'sell_platform', 'granted',
                        ((day + interval '350 days') AT TIME ZONE 'UTC')::date, '{"demo": true}');
            END IF;
        END LOOP;
        PERFORM set_config('revrtm.as_of', '2026-06-29 12:00:00+00', true);
        IF p.n % 5 = 0 THEN
            INSERT INTO revrtm.certification (partner_id, person_id, course_id, status, taken_on, details)
            VALUES (p.partner_id, format('person 1 of %s', p.n), 'co_selling', 'claimed', '2026-06-26', '{"demo": true}');
        END IF;
    END LOOP;

    -- MDF for entries of the CRM: paid, and booked there.
    FOR d IN
        SELECT s.id, s.period, s.amount, s.partner_id, s.channel, row_number() OVER (ORDER BY s.period, s.id COLLATE "C") AS n
        FROM (SELECT e.spend_id AS id, e.period, e.amount AS amount, e.partner_id, e.channel
              FROM revrtm_demo.spend_entry e
              WHERE e.category = 'mdf' AND e.partner_id IS NOT NULL AND e.currency = 'USD'
                AND e.period >= date '2026-01-01' AND e.amount BETWEEN 1000 AND 12000
              ORDER BY e.amount DESC, e.spend_id COLLATE "C" LIMIT 9) s
    LOOP
        PERFORM set_config('revrtm.as_of', (d.period - 20)::text || ' 12:00:00+00', true);
        INSERT INTO revrtm.mdf_request (partner_id, fund_id, activity, channel, during, requested_amount, currency, details)
        VALUES (d.partner_id, 'mdf 2026', 'Campaign of ' || d.channel, d.channel,
                daterange(d.period, (d.period + interval '1 month')::date), least(round(d.amount, -2), 6000), 'USD', '{"demo": true}')
        RETURNING request_id INTO id;
        PERFORM set_config('revrtm.as_of', (d.period - 10)::text || ' 12:00:00+00', true);
        BEGIN
            UPDATE revrtm.mdf_request SET status = 'approved' WHERE request_id = id;
        EXCEPTION WHEN check_violation THEN
            UPDATE revrtm.mdf_request SET status = 'rejected', decision_reason = 'The fund is spent.' WHERE request_id = id;
            CONTINUE;
        END;
        CONTINUE WHEN d.n = 6;
        PERFORM set_config('revrtm.as_of', (d.period + 29)::text || ' 12:00:00+00', true);
        UPDATE revrtm.mdf_request SET status = 'executed' WHERE request_id = id;
        UPDATE revrtm.mdf_request SET status = 'claimed', claimed_amount = round(approved_amount * 0.9, 2),
            proof = '{"photos": 3, "invoice": true}'
        WHERE request_id = id;
        CONTINUE WHEN d.n = 8;
        UPDATE revrtm.mdf_request SET status = 'paid', spend_id = d.id WHERE request_id = id;
    END LOOP;

    -- SPIFFs for deals that certified partners won.
    FOR d IN
        SELECT o.id, o.account_id, o.partner_account_id AS partner_id, o.close_date, row_number() OVER (ORDER BY o.close_date, o.id COLLATE "C") AS n
        FROM revrtm_demo.opportunity o
        WHERE o.is_won AND o.account_id <> '' AND o.close_date BETWEEN '2026-02-01' AND '2026-06-20'
          AND NOT o.is_deleted AND NOT o._fivetran_deleted
          AND EXISTS (SELECT FROM revrtm.certification c WHERE c.partner_id = o.partner_account_id
                      AND c.status = 'granted' AND c.valid @> o.close_date::timestamptz)
        ORDER BY n LIMIT 15
    LOOP
        PERFORM set_config('revrtm.as_of', d.close_date::text || ' 12:00:00+00', true);
        INSERT INTO revrtm.spiff_award (account_id, opportunity_id, fund_id, partner_id, person_id, details)
        SELECT d.account_id, d.id, 'spiff 2026 h1', d.partner_id, min(c.person_id COLLATE "C"), '{"demo": true}'
        FROM revrtm.certification c WHERE c.partner_id = d.partner_id AND c.status = 'granted'
        RETURNING award_id INTO id;
        IF d.n % 4 > 0 THEN
            PERFORM set_config('revrtm.as_of', (d.close_date + 7)::text || ' 12:00:00+00', true);
            UPDATE revrtm.spiff_award SET status = 'paid' WHERE award_id = id;
        END IF;
    END LOOP;

    -- A plan for each open deal that is sold together, of the largest ones;
    -- steps every week, of which the partner is late with some.
    FOR d IN
        SELECT o.id, o.account_id, o.partner_account_id AS partner_id, o.owner_id, o.name, row_number() OVER (ORDER BY o.amount DESC, o.id COLLATE "C") AS n
        FROM revrtm_demo.opportunity o
        WHERE NOT o.is_closed AND o.route_c = 'co_sell' AND o.partner_account_id IS NOT NULL AND o.account_id <> ''
          AND NOT o.is_deleted AND NOT o._fivetran_deleted AND o.created_date < '2026-05-25Z'
        ORDER BY n LIMIT 6
    LOOP
        PERFORM set_config('revrtm.as_of', '2026-05-25 12:00:00+00', true);
        INSERT INTO revrtm.action_plan (account_id, opportunity_id, partner_id, opened_by, title, owner_id, details)
        VALUES (d.account_id, d.id, d.partner_id, 'partner', d.name, d.owner_id, '{"demo": true}')
        RETURNING plan_id INTO id;
        INSERT INTO revrtm.plan_step (plan_id, step, owner_party, task, due)
        VALUES (id, 1, 'vendor', 'Agree on who talks to whom', '2026-06-01'),
               (id, 2, 'partner', 'Workshop with the users', '2026-06-08'),
               (id, 3, 'customer', 'Name the decision makers', '2026-06-15'),
               (id, 4, 'partner', 'Proof of concept', '2026-06-22'),
               (id, 5, 'vendor', 'Offer', '2026-07-06');
        IF d.n < 6 THEN
            UPDATE revrtm.action_plan SET status = 'agreed' WHERE plan_id = id;
            UPDATE revrtm.plan_step SET done_at = (due::text || ' 10:00:00+00')::timestamptz
            WHERE plan_id = id AND step <= 5 - d.n;
            UPDATE revrtm.plan_step SET done_at = (due::text || ' 10:00:00+00')::timestamptz + interval '3 days'
            WHERE plan_id = id AND step = 2 AND done_at IS NULL;
        END IF;
    END LOOP;

    -- Referrals both ways in June: of accounts that have no deal with a partner.
    FOR d IN
        SELECT a.id AS account_id, w.partner_id, row_number() OVER (ORDER BY a.id COLLATE "C") AS n
        FROM (SELECT k.id FROM revrtm_demo.account k
              WHERE NOT k.is_partner AND NOT k.is_deleted AND NOT k._fivetran_deleted
                AND NOT EXISTS (SELECT FROM revrtm_demo.opportunity o WHERE o.account_id = k.id)
              ORDER BY k.id COLLATE "C" LIMIT 8) a
             CROSS JOIN LATERAL (SELECT c.partner_id FROM revrtm.certification c
                                 ORDER BY md5(a.id || c.partner_id), c.partner_id COLLATE "C" LIMIT 1) w
    LOOP
        day := timestamptz '2026-06-01 09:00:00+00' + make_interval(days => (d.n * 3)::int);
        PERFORM set_config('revrtm.as_of', day::text, true);
        INSERT INTO revrtm.referral (account_id, partner_id, opened_by, details)
        VALUES (d.account_id, d.partner_id, 'partner', '{"demo": true}')
        RETURNING referral_id INTO id;
        PERFORM set_config('revrtm.as_of', (day + make_interval(hours => 16 * d.n::int))::text, true);
        IF d.n % 4 = 0 THEN
            UPDATE revrtm.referral SET status = 'declined', decision_reason = 'The account is not in our market.' WHERE referral_id = id;
        ELSIF d.n < 7 THEN
            UPDATE revrtm.referral SET status = 'accepted' WHERE referral_id = id;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_enablement() IS
'Fills the tables of enablement and co-selling for the demo CRM: courses and certificates, funds with requests and awards, action plans and referrals. Those of an earlier demo are removed; courses, curricula and funds that are there are kept.';
