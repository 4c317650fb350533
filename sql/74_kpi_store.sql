-- What KPIs are made of beside deals: their terms, what deals are marked with,
-- and how long registrations wait.

INSERT INTO revrtm.note (note, meaning) VALUES
('ends_before_creation', 'Deals that ended on a day before their creation are left out of the days that deals took.'),
('marks_missing', 'The partner roles and stages of deals were never read; refresh_marks() does.'),
('marks_stale', 'The partner roles and stages of deals are older than the store of journeys; refresh_marks() brings them up to it.'),
('no_base', 'There was no recurring revenue twelve months before, so nothing could be kept.'),
('no_registration', 'No registration was submitted.'),
('no_cycle', 'No won deal took a day or more, so there is no pace.'),
('no_payback', 'A customer leaves no margin, so that what it cost is never earned back.'),
('no_payout_run', 'Nothing was paid out by a run.'),
('no_prospect', 'No deal was created and no registration submitted.'),
('no_revenue', 'There is no revenue that a share could be taken of.'),
('no_sqo_stage', 'revrtm.kpi_rule names no stage in which a deal is sales qualified.'),
('no_target', 'There is no target.'),
('target_met', 'The target is reached.'),
('open_backlog', 'Registrations still wait, whose time is not in the figure.'),
('too_young', 'Some deals are still open and have time left to qualify; the rate can only rise.'),
('unpriced', 'Deals without an amount, or without a rate to revrtm.currency, are counted, but part of no sum of money.');

CREATE TABLE revrtm.kpi_rule (
    rule           text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    sqo_stages     text[] NOT NULL DEFAULT '{}' CHECK (array_position(sqo_stages, NULL) IS NULL),
    sqo_days       integer NOT NULL DEFAULT 90 CHECK (sqo_days BETWEEN 0 AND 36500),
    cac_categories text[] CHECK (array_position(cac_categories, NULL) IS NULL),
    cac_lag        integer CHECK (cac_lag BETWEEN 0 AND 120),
    ltv_months     integer NOT NULL DEFAULT 60 CHECK (ltv_months BETWEEN 1 AND 1200),
    small_n        integer NOT NULL DEFAULT 20 CHECK (small_n >= 0),
    shipped        boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.kpi_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.kpi_rule IS 'The terms of the KPIs that companies settle for themselves: one row, which is shipped.';
COMMENT ON COLUMN revrtm.kpi_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.kpi_rule.sqo_stages IS 'Stages of opportunity_stage in which a deal is sales qualified; none: sqo_rate is NULL.';
COMMENT ON COLUMN revrtm.kpi_rule.sqo_days IS 'Days of 24 hours from its creation in which a deal has to become so.';
COMMENT ON COLUMN revrtm.kpi_rule.cac_categories IS 'Categories of spend that win customers; NULL for all of them, the fully loaded cost.';
COMMENT ON COLUMN revrtm.kpi_rule.cac_lag IS
'Months by which spend is ahead of the customers it wins; NULL for the median time that won deals of the months asked for took, rounded.';
COMMENT ON COLUMN revrtm.kpi_rule.ltv_months IS 'Months at which ltv_capped ends a customer''s life.';
COMMENT ON COLUMN revrtm.kpi_rule.small_n IS 'Fewer cases than that make the note small_n.';
COMMENT ON COLUMN revrtm.kpi_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.kpi_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.kpi_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.kpi_rule');
GRANT SELECT ON revrtm.kpi_rule TO PUBLIC;

CREATE FUNCTION revrtm.qualify_days() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT r.sqo_days FROM revrtm.kpi_rule r WHERE pg_catalog.cardinality(r.sqo_stages) > 0;
END;
COMMENT ON FUNCTION revrtm.qualify_days() IS 'kpi_rule.sqo_days; NULL where no stage makes a deal sales qualified.';

-- What reports read of a deal beside its journey.

CREATE TABLE revrtm.deal_mark (
    account_id     text NOT NULL,
    opportunity_id text NOT NULL,
    role           text,
    partner_id     text,
    qualified_at   timestamptz,
    PRIMARY KEY (account_id, opportunity_id)
);
COMMENT ON TABLE revrtm.deal_mark IS
'Cache: the partner role of deals and when they became sales qualified, read from touches, registrations and stages by refresh_marks(). Grain: one deal of the store that has either. Not part of a dump; refresh after a restore.';
COMMENT ON COLUMN revrtm.deal_mark.account_id IS 'Account of the deal, as deal_journey has it.';
COMMENT ON COLUMN revrtm.deal_mark.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_mark.role IS 'sourced, co_sell or influenced, as partner_role has it; NULL for none.';
COMMENT ON COLUMN revrtm.deal_mark.partner_id IS 'The partner that it is for.';
COMMENT ON COLUMN revrtm.deal_mark.qualified_at IS 'When the deal first entered one of kpi_rule.sqo_stages; NULL for never.';

CREATE TABLE revrtm.mark_refresh (
    store        text PRIMARY KEY DEFAULT 'deal_mark' CHECK (store = 'deal_mark'),
    refreshed_at timestamptz NOT NULL
);
COMMENT ON TABLE revrtm.mark_refresh IS 'Cache: how old deal_mark is. One row, none before the first refresh; not part of a dump.';
COMMENT ON COLUMN revrtm.mark_refresh.store IS 'The store.';
COMMENT ON COLUMN revrtm.mark_refresh.refreshed_at IS 'Start of the last refresh.';

CREATE FUNCTION revrtm.refresh_marks() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    started timestamptz := clock_timestamp();
    changed bigint;
BEGIN
    LOCK TABLE revrtm.deal_mark IN SHARE ROW EXCLUSIVE MODE;
    WITH found AS MATERIALIZED (
        SELECT k.account_id, k.opportunity_id, nullif(p.role, 'none') AS role, p.partner_id, s.qualified_at
        FROM revrtm.deal_journey k
        LEFT JOIN revrtm.partner_role p ON p.opportunity_id = k.opportunity_id
        LEFT JOIN (SELECT x.opportunity_id, min(x.entered_at) AS qualified_at
                   FROM revrtm.opportunity_stage x
                   WHERE x.stage = ANY ((SELECT r.sqo_stages FROM revrtm.kpi_rule r)::text[])
                   GROUP BY x.opportunity_id) s ON s.opportunity_id = k.opportunity_id
        WHERE p.role <> 'none' OR s.qualified_at IS NOT NULL
    ), gone AS (
        DELETE FROM revrtm.deal_mark m
        WHERE NOT EXISTS (SELECT FROM found f
                          WHERE f.account_id = m.account_id AND f.opportunity_id = m.opportunity_id)
        RETURNING 1
    ), kept AS (
        INSERT INTO revrtm.deal_mark AS m (account_id, opportunity_id, role, partner_id, qualified_at)
        SELECT f.account_id, f.opportunity_id, f.role, f.partner_id, f.qualified_at FROM found f
        ON CONFLICT (account_id, opportunity_id) DO UPDATE
        SET (role, partner_id, qualified_at) = (excluded.role, excluded.partner_id, excluded.qualified_at)
        WHERE m.* IS DISTINCT FROM excluded.*
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept) INTO changed;
    INSERT INTO revrtm.mark_refresh AS m (refreshed_at) VALUES (started)
    ON CONFLICT (store) DO UPDATE SET refreshed_at = excluded.refreshed_at;
    PERFORM revrtm.refresh_tallies();
    RETURN changed;
END
$$;
COMMENT ON FUNCTION revrtm.refresh_marks() IS
'Brings deal_mark up to touches, registrations, stages and the store of journeys, sums the deals into deal_tally, and returns how many rows of deal_mark changed. Call it after refresh_journeys(). While it runs, writes to the store of journeys wait; 40001 where one was made after the snapshot of a REPEATABLE READ transaction. Who is not staff reads only some registrations, or none, and so must not refresh.';

-- How long registrations wait for a decision.

CREATE VIEW revrtm.registration_decision WITH (security_invoker = true) AS
WITH step AS (
    SELECT p.registration_id, p.ordinal, p.since AS at, p.status, coalesce(s.open, false) AS is_open, p.until
    FROM revrtm.registration_stretch() p LEFT JOIN revrtm.registration_state s ON s.status = p.status
), case_file AS (
    SELECT p.registration_id,
           min(p.at) FILTER (WHERE p.is_open) AS submitted_at,
           min(p.at) FILTER (WHERE p.status IN ('approved', 'rejected')) AS decided_at,
           (array_agg(p.status ORDER BY p.ordinal)
                FILTER (WHERE p.status IN ('approved', 'rejected')))[1] AS decision,
           max(p.until) FILTER (WHERE p.is_open) AS left_at,
           bool_or(p.is_open AND p.until IS NULL) AS is_open,
           sum(revrtm.business_hours_between(p.at, coalesce(p.until, revrtm.as_of()), u.calendar))
               FILTER (WHERE p.is_open AND p.status <> 'action_required') AS hours,
           sum(revrtm.business_hours_between(p.at, coalesce(p.until, revrtm.as_of()), u.calendar))
               FILTER (WHERE p.status = 'action_required') AS paused_hours
    FROM step p CROSS JOIN revrtm.programme u
    GROUP BY p.registration_id
    HAVING bool_or(p.is_open)
)
SELECT c.registration_id::text AS registration_decision_key,
       c.registration_id,
       r.account_id,
       r.partner_id,
       coalesce(k.route_id, '(none)') AS route_id,
       CASE WHEN cardinality(r.region_codes) = 1 THEN r.region_codes[1] ELSE '(several)' END AS region,
       CASE WHEN cardinality(r.product_codes) = 1 THEN r.product_codes[1] ELSE '(several)' END AS product,
       r.opportunity_id,
       c.submitted_at,
       c.decided_at,
       c.decision,
       CASE WHEN c.is_open THEN NULL ELSE c.left_at END AS left_at,
       c.is_open,
       c.hours,
       coalesce(c.paused_hours, 0) AS paused_hours
FROM case_file c
JOIN revrtm.deal_registration r ON r.registration_id = c.registration_id
LEFT JOIN revrtm.deal_journey k ON k.opportunity_id = r.opportunity_id;
COMMENT ON VIEW revrtm.registration_decision IS
'How long each registration waited for us, from the event log: in hours of the programme''s calendar from its submission to its decision, without the time in action_required, when the partner was to act. Grain: one registration that was submitted and is still there; row security applies.';
COMMENT ON COLUMN revrtm.registration_decision.registration_decision_key IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_decision.registration_id IS 'The registration.';
COMMENT ON COLUMN revrtm.registration_decision.account_id IS 'Its account.';
COMMENT ON COLUMN revrtm.registration_decision.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.registration_decision.route_id IS 'Route of the deal it became; (none) before that.';
COMMENT ON COLUMN revrtm.registration_decision.region IS 'Its region; (several) for more than one.';
COMMENT ON COLUMN revrtm.registration_decision.product IS 'Its product; (several) for more than one.';
COMMENT ON COLUMN revrtm.registration_decision.opportunity_id IS 'The deal it became.';
COMMENT ON COLUMN revrtm.registration_decision.submitted_at IS 'When it was submitted.';
COMMENT ON COLUMN revrtm.registration_decision.decided_at IS 'When it was first approved or rejected; NULL before, and where it was withdrawn or ran out.';
COMMENT ON COLUMN revrtm.registration_decision.decision IS 'approved or rejected.';
COMMENT ON COLUMN revrtm.registration_decision.left_at IS 'When it ceased to wait, decided or not; NULL while it waits.';
COMMENT ON COLUMN revrtm.registration_decision.is_open IS 'Whether it waits for a decision.';
COMMENT ON COLUMN revrtm.registration_decision.hours IS 'Business hours that it waited for us, up to revrtm.as_of() while it does.';
COMMENT ON COLUMN revrtm.registration_decision.paused_hours IS 'Business hours in action_required, which are not in hours.';

INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('registration_decision', 'hours', 'hours', true),
('registration_decision', 'paused_hours', 'hours', true);
