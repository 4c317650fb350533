-- The store of packed journeys, one row a deal, that reports read; and its
-- refresh from the bound CRM.

-- What reports read of every deal comes first: the columns behind need not
-- be unpacked for it.
CREATE TABLE revrtm.deal_journey (
    created_at     timestamptz,
    ended_at       timestamptz,
    is_closed      boolean NOT NULL,
    is_won         boolean NOT NULL,
    amount         numeric,
    journey        revrtm.journey,
    account_id     text NOT NULL,
    opportunity_id text NOT NULL,
    route_id       text NOT NULL,
    currency       text,
    margin         numeric,
    partner_id     text,
    owner_id       text,
    segment        text,
    region         text,
    product        text,
    PRIMARY KEY (account_id, opportunity_id)
);
CREATE INDEX deal_journey_opportunity_id ON revrtm.deal_journey (opportunity_id);
COMMENT ON TABLE revrtm.deal_journey IS
'Cache: one row a deal with its packed journey, made by refresh_journeys() from the bound CRM. Not part of a dump; refresh after a restore.';
COMMENT ON COLUMN revrtm.deal_journey.created_at IS 'When the deal was created.';
COMMENT ON COLUMN revrtm.deal_journey.ended_at IS 'End of a closed deal: closed_at, else the last instant of close_date in revrtm.timezone; NULL while open.';
COMMENT ON COLUMN revrtm.deal_journey.is_closed IS 'Whether the deal is closed, won or lost.';
COMMENT ON COLUMN revrtm.deal_journey.is_won IS 'Whether the deal is won.';
COMMENT ON COLUMN revrtm.deal_journey.amount IS 'Amount in the deal''s currency; NULL where the CRM has none.';
COMMENT ON COLUMN revrtm.deal_journey.account_id IS 'The account as the CRM names it, merged or not; (none) where the CRM has none.';
COMMENT ON COLUMN revrtm.deal_journey.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_journey.route_id IS 'The deal''s own route to market.';
COMMENT ON COLUMN revrtm.deal_journey.currency IS 'Currency of amount and margin; NULL is the reporting currency.';
COMMENT ON COLUMN revrtm.deal_journey.margin IS 'Margin in the deal''s currency; NULL where the CRM has none.';
COMMENT ON COLUMN revrtm.deal_journey.partner_id IS 'The partner on the deal.';
COMMENT ON COLUMN revrtm.deal_journey.owner_id IS 'The user who owns the deal.';
COMMENT ON COLUMN revrtm.deal_journey.segment IS 'Segment of the deal.';
COMMENT ON COLUMN revrtm.deal_journey.region IS 'Region of the deal.';
COMMENT ON COLUMN revrtm.deal_journey.product IS 'Product of the deal.';
COMMENT ON COLUMN revrtm.deal_journey.journey IS 'Its counted touches with their milestones; NULL where it has none.';

CREATE TABLE revrtm.account_merge (
    account_id   text PRIMARY KEY,
    canonical_id text NOT NULL
);
COMMENT ON TABLE revrtm.account_merge IS
'Cache: the merged accounts under which the store of journeys was made. Grain: one merged account. Written by refresh_journeys(); not part of a dump.';
COMMENT ON COLUMN revrtm.account_merge.account_id IS 'The account that was merged.';
COMMENT ON COLUMN revrtm.account_merge.canonical_id IS 'The account it was merged into in the end.';

CREATE FUNCTION revrtm.refresh_merges() RETURNS text[]
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH merged AS MATERIALIZED (
        SELECT DISTINCT a.account_id, revrtm.canonical_account(a.account_id) AS canonical_id
        FROM revrtm.account a
        WHERE a.merged_into <> ''
    ), change AS MATERIALIZED (
        SELECT coalesce(n.account_id, m.account_id) AS account_id, n.canonical_id AS now, m.canonical_id AS before
        FROM merged n FULL JOIN revrtm.account_merge m ON m.account_id = n.account_id
        WHERE n.canonical_id IS DISTINCT FROM m.canonical_id
    ), gone AS (
        DELETE FROM revrtm.account_merge m USING change c
        WHERE c.account_id = m.account_id AND c.now IS NULL
    ), kept AS (
        INSERT INTO revrtm.account_merge (account_id, canonical_id)
        SELECT c.account_id, c.now FROM change c WHERE c.now IS NOT NULL
        ON CONFLICT (account_id) DO UPDATE SET canonical_id = excluded.canonical_id
    )
    SELECT pg_catalog.array_agg(DISTINCT x.account_id)
    FROM change c, LATERAL (VALUES (c.account_id), (c.now), (c.before)) x (account_id)
    WHERE x.account_id IS NOT NULL;
END;
COMMENT ON FUNCTION revrtm.refresh_merges() IS
'Step of refresh_journeys: brings account_merge up to the bound CRM, and returns the accounts whose deals have other touches for it: those merged or no longer, and their survivors then and now.';

CREATE TABLE revrtm.journey_refresh (
    store        text PRIMARY KEY DEFAULT 'deal_journey' CHECK (store = 'deal_journey'),
    basis        text NOT NULL,
    watermarks   jsonb NOT NULL,
    refreshed_at timestamptz NOT NULL,
    verified_at  timestamptz NOT NULL
);
COMMENT ON TABLE revrtm.journey_refresh IS 'Cache: how far the store deal_journey has read. One row, none before the first refresh; not part of a dump.';
COMMENT ON COLUMN revrtm.journey_refresh.store IS 'The store.';
COMMENT ON COLUMN revrtm.journey_refresh.basis IS 'Hash of the bindings, policies and settings it was made under; another basis makes the next refresh read everything.';
COMMENT ON COLUMN revrtm.journey_refresh.watermarks IS 'Latest synced_at read, by relation.';
COMMENT ON COLUMN revrtm.journey_refresh.refreshed_at IS 'Start of the last refresh.';
COMMENT ON COLUMN revrtm.journey_refresh.verified_at IS 'Start of the last refresh that read everything.';

CREATE FUNCTION revrtm.touch_policy() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.md5(pg_catalog.concat_ws('|',
        revrtm.setting('timezone'), revrtm.setting('lookback'),
        -- Intervals as seconds: their text is the session's.
        (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(
                    p.route_id, extract(epoch FROM p.lookback), p.anchor, p.anchor_stage, p.after_anchor, p.step_limit,
                    p.contacts, p.responded_only, extract(epoch FROM p.merge_within), p.transforms)
                    ORDER BY p.route_id COLLATE "C")
         FROM revrtm.attribution_policy p)));
END;
COMMENT ON FUNCTION revrtm.touch_policy() IS
'Hash of what says which touches count: the attribution policies, revrtm.timezone, revrtm.lookback.';

CREATE FUNCTION revrtm.refresh_basis() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.md5(pg_catalog.concat_ws('|', revrtm.touch_policy(),
        (SELECT pg_catalog.string_agg(b.relation || '=' || b.query, '|' ORDER BY b.relation COLLATE "C")
         FROM revrtm.binding b
         WHERE b.relation IN ('opportunity', 'touch', 'contact', 'opportunity_stage', 'opportunity_contact'))));
END;
COMMENT ON FUNCTION revrtm.refresh_basis() IS
'Hash of what the store of journeys depends on beside data: bindings, attribution policies, revrtm.timezone, revrtm.lookback.';

-- The deals, all or those named.
CREATE FUNCTION revrtm.deal_query(deals text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format($q$
    SELECT x.created_at,
           CASE WHEN x.is_closed THEN coalesce(x.closed_at, revrtm.day_end(x.close_date)) END AS ended_at,
           x.is_closed, x.is_won, x.amount, x.account_id, x.opportunity_id, x.route_id, x.currency,
           x.margin, x.partner_id, x.owner_id, x.segment, x.region, x.product,
           coalesce(m.canonical_id, x.account_id) AS canonical_id
    FROM revrtm.opportunity x
    LEFT JOIN revrtm.account_merge m ON m.account_id = x.account_id
    WHERE x.deleted IS NOT TRUE %s$q$,
        CASE WHEN deals IS NOT NULL THEN pg_catalog.format('AND x.opportunity_id = ANY (%L)', deals) END);
END;
COMMENT ON FUNCTION revrtm.deal_query(text[]) IS 'Query of the deals of the bound CRM, of these or of all for NULL, as journeys are built for them.';

-- Deals and policies are put into the query: journeys() takes a text.
CREATE FUNCTION revrtm.touch_query(deals text[], columns text, explained boolean) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policy record := revrtm.policy_clauses();
    these text := CASE WHEN deals IS NOT NULL THEN format('AND x.opportunity_id = ANY (%L)', deals) END;
    deal text := revrtm.deal_query(deals);
    anchored text := coalesce(format($q$
    SELECT d.*, s.entered_at FROM (%s) d
    LEFT JOIN (SELECT x.opportunity_id, x.stage, min(x.entered_at) AS entered_at
               FROM revrtm.opportunity_stage x WHERE x.stage = ANY (%L) %s
               GROUP BY x.opportunity_id, x.stage) s ON s.opportunity_id = d.opportunity_id AND s.stage = $q$,
        deal, policy.stages, these) || CASE WHEN policy.stages IS NOT NULL THEN policy.stage END, deal);
    role text := CASE WHEN policy.contact IS NOT NULL THEN format($q$
LEFT JOIN (SELECT x.opportunity_id, x.contact_id, bool_or(x.is_primary) AS is_primary
           FROM revrtm.opportunity_contact x WHERE true %s
           GROUP BY x.opportunity_id, x.contact_id) r ON r.opportunity_id = d.opportunity_id AND r.contact_id = t.contact_id$q$,
        these) END;
    -- What is asked for, and what merging needs.
    wanted text := columns
        || coalesce(', d.opportunity_id AS merge_deal, t.partner_id, t.source_system, t.verified IS TRUE AS verified, '
                    || policy.merge_within || ' AS merge_within', '');
    why text := format($q$, CASE WHEN t.deleted IS TRUE THEN 'deleted'
        WHEN (%s) IS NOT TRUE THEN 'not_responded'
        WHEN isfinite(t.touched_at) IS NOT TRUE THEN 'no_instant'
        WHEN (t.touched_at <= %s) IS NOT TRUE THEN 'after_end'
        WHEN (t.touched_at >= %s) IS NOT TRUE THEN 'before_window' %%s END AS reason$q$,
        coalesce(policy.responded, 'true'), policy.ends, coalesce(policy.begins, '''-infinity'''));
    why_named text := CASE WHEN explained THEN format(why, '') ELSE '' END;
    why_found text := CASE WHEN explained THEN format(why, format('WHEN (%s) IS NOT TRUE THEN ''no_role''', coalesce(policy.contact, 'true')))
                           ELSE '' END;
    named text := CASE WHEN explained THEN 'true' ELSE policy.counts END;
    found text := named || CASE WHEN NOT explained THEN coalesce(' AND ' || policy.contact, '') ELSE '' END;
    -- A better one of another system stands for a touch.
    better text := $q$ EXISTS (
    SELECT FROM counted b
    WHERE b.merge_deal = w.merge_deal AND b.partner_id = w.partner_id AND b.channel = w.channel
      AND b.source_system <> w.source_system
      AND greatest(b.touched_at, w.touched_at) - least(b.touched_at, w.touched_at) <= w.merge_within
      AND (NOT b.verified, b.touched_at, b.touch_id COLLATE "C") < (NOT w.verified, w.touched_at, w.touch_id COLLATE "C")$q$
        || CASE WHEN explained THEN ' AND b.reason IS NULL)' ELSE ')' END;
BEGIN
    RETURN format($q$
WITH deal AS NOT MATERIALIZED (%1$s
), member AS NOT MATERIALIZED (
    -- The accounts whose touches are the deal's.
    SELECT d.*, d.canonical_id AS member_id FROM deal d
    UNION ALL
    SELECT d.*, m.account_id
    FROM deal d JOIN revrtm.account_merge m ON m.canonical_id = d.canonical_id
), counted AS (
SELECT %2$s%3$s
FROM revrtm.touch t
JOIN deal d ON d.opportunity_id = t.opportunity_id
LEFT JOIN revrtm.contact c ON c.contact_id = t.contact_id AND c.deleted IS NOT TRUE
WHERE %5$s
UNION ALL
SELECT %2$s%4$s
FROM member d
JOIN revrtm.touch t ON t.account_id = d.member_id
LEFT JOIN revrtm.contact c ON c.contact_id = t.contact_id AND c.deleted IS NOT TRUE%7$s
WHERE t.opportunity_id IS NULL AND %6$s
UNION ALL
SELECT %2$s%4$s
FROM member d
JOIN revrtm.contact c ON c.account_id = d.member_id AND c.deleted IS NOT TRUE
JOIN revrtm.touch t ON t.contact_id = c.contact_id%7$s
WHERE t.opportunity_id IS NULL AND t.account_id IS NULL AND %6$s
), touched AS (
SELECT w.*%8$s FROM counted w%9$s
)$q$,
        anchored, wanted, why_named, why_found, named, found, role,
        CASE WHEN NOT explained THEN ''
             WHEN policy.merge_within IS NULL THEN ', w.reason AS verdict'
             ELSE format(', CASE WHEN w.reason IS NULL AND %s THEN ''merged'' ELSE w.reason END AS verdict', better) END,
        CASE WHEN NOT explained AND policy.merge_within IS NOT NULL THEN E'\nWHERE NOT' || better ELSE '' END);
END
$$;
COMMENT ON FUNCTION revrtm.touch_query(text[], text, boolean) IS
'The WITH clause whose relation "touched" has the touches of these deals, or of all for NULL: the columns asked for, of a touch t, its deal d and its person c. A touch belongs to its deal, or without one to every deal of its account or its contact''s account, the accounts merged with it included. Those that count by the attribution policy of the deal''s route; explained: all of them, with a verdict that says why one does not count. 55000 where a policy needs what is not bound.';

-- One query builds journeys, of all deals or of those named, with journeys()
-- over the touches that count, so that millions of deals need no more memory
-- than work_mem.
CREATE FUNCTION revrtm.journey_query(deals text[]) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policy record := revrtm.policy_clauses();
    journey text := CASE WHEN 'milestone' = ANY (revrtm.bound_columns('touch')) THEN 'p.journey'
                         ELSE 'revrtm.mark_milestones(p.journey, p.lead_created_at, d.created_at, d.is_won)' END;
BEGIN
    RETURN format($q$
SELECT d.created_at, d.ended_at, d.is_closed, d.is_won, d.amount, %2$s AS journey, d.account_id,
       d.opportunity_id, d.route_id, d.currency, d.margin, d.partner_id, d.owner_id, d.segment, d.region,
       d.product
FROM (%1$s) d
LEFT JOIN revrtm.journeys(%3$L) p ON p.deal_id = d.opportunity_id
$q$,
        revrtm.deal_query(deals), coalesce(format('revrtm.transform(%s, ', journey) || policy.transforms || ')', journey),
        revrtm.touch_query(deals, $q$d.opportunity_id AS deal_id, t.touched_at, left(t.channel, 255) AS channel, t.milestone,
       t.touch_id, c.lead_created_at$q$, false)
        || E'\nSELECT w.deal_id, w.touched_at, w.channel, w.milestone, w.touch_id, w.lead_created_at FROM touched w');
END
$$;
COMMENT ON FUNCTION revrtm.journey_query(text[]) IS
'The query that builds rows of deal_journey, of these deals or of all for NULL, from the touches of touch_query that count. A channel is cut after 255 characters, and an infinite instant does not count. 55000 where a policy needs what is not bound.';

CREATE FUNCTION revrtm.explain_touches(opportunity_id text)
RETURNS TABLE (touch_id text, touched_at timestamptz, channel text, milestone text, contact_id text, counted boolean, reason text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM revrtm.deal_journey k WHERE k.opportunity_id = explain_touches.opportunity_id) THEN
        RAISE EXCEPTION 'unknown deal %', quote_literal(explain_touches.opportunity_id)
            USING ERRCODE = '22023',
                  HINT = 'The deals are those of revrtm.deal; revrtm.refresh_journeys() brings it up to the CRM.';
    END IF;
    RETURN QUERY EXECUTE revrtm.touch_query(ARRAY[explain_touches.opportunity_id],
        't.touch_id, t.touched_at, t.channel, t.milestone, t.contact_id', true)
        || $q$
        SELECT w.touch_id, w.touched_at, w.channel, w.milestone, w.contact_id, w.verdict IS NULL, w.verdict
        FROM touched w
        ORDER BY w.touched_at, w.touch_id COLLATE "C", w.channel COLLATE "C"$q$;
END
$$;
COMMENT ON FUNCTION revrtm.explain_touches(text) IS
'Why a deal has the touches it has: every touch of it in the bound CRM, whether it counts, and else why not: deleted, not_responded (responded is false), no_instant (touched_at is missing or infinite), after_end (after the deal''s end, or the anchor of its policy), before_window (before the look-back), no_role (its person has no such role in the deal), merged (a better touch of another system stands for it). Path transforms come later and are not told. 22023 for a deal that the store does not have, 55000 where a policy needs what is not bound.';
