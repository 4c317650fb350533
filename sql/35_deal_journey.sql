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
COMMENT ON COLUMN revrtm.deal_journey.account_id IS 'The account; (none) where the CRM has none.';
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

CREATE TABLE revrtm.journey_refresh (
    store        text PRIMARY KEY DEFAULT 'deal_journey' CHECK (store = 'deal_journey'),
    basis        text NOT NULL,
    watermarks   jsonb NOT NULL,
    refreshed_at timestamptz NOT NULL,
    verified_at  timestamptz NOT NULL
);
COMMENT ON TABLE revrtm.journey_refresh IS 'Cache: how far the store deal_journey has read. One row, none before the first refresh; not part of a dump.';
COMMENT ON COLUMN revrtm.journey_refresh.store IS 'The store.';
COMMENT ON COLUMN revrtm.journey_refresh.basis IS 'Hash of the bindings and settings it was made under; another basis makes the next refresh read everything.';
COMMENT ON COLUMN revrtm.journey_refresh.watermarks IS 'Latest synced_at read, by relation.';
COMMENT ON COLUMN revrtm.journey_refresh.refreshed_at IS 'Start of the last refresh.';
COMMENT ON COLUMN revrtm.journey_refresh.verified_at IS 'Start of the last refresh that read everything.';

CREATE FUNCTION revrtm.refresh_basis() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.md5(pg_catalog.concat_ws('|',
        revrtm.setting('timezone'), revrtm.setting('lookback'),
        (SELECT pg_catalog.string_agg(b.relation || '=' || b.query, '|' ORDER BY b.relation COLLATE "C")
         FROM revrtm.binding b WHERE b.relation IN ('opportunity', 'touch', 'contact'))));
END;
COMMENT ON FUNCTION revrtm.refresh_basis() IS 'Hash of what the store of journeys depends on beside data: bindings, revrtm.timezone, revrtm.lookback.';

-- Which touches are a deal's, and which of them count.
CREATE FUNCTION revrtm.touch_condition() RETURNS TABLE (ordinal integer, reason text, condition text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5
BEGIN ATOMIC
    VALUES (1, 'deleted', 't.deleted IS NOT TRUE'),
           (2, 'not_responded', 't.responded IS NOT FALSE'),
           (3, 'no_instant', 'isfinite(t.touched_at)'),
           (4, 'after_end', 't.touched_at <= coalesce(d.ended_at, ''infinity'')'),
           (5, 'before_window', '($2::interval IS NULL OR t.touched_at >= coalesce(d.ended_at, d.created_at, ''-infinity'') - $2)');
END;
COMMENT ON FUNCTION revrtm.touch_condition() IS
'The conditions under which a touch t of a deal d counts, with the reason why it does not where one is not true; $2 is the look-back.';

CREATE FUNCTION revrtm.touch_query(columns text, condition text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.format($q$
    SELECT %1$s
    FROM revrtm.touch t
    JOIN deal d ON d.opportunity_id = t.opportunity_id
    LEFT JOIN revrtm.contact c ON c.contact_id = t.contact_id AND c.deleted IS NOT TRUE
    WHERE %2$s
    UNION ALL
    SELECT %1$s
    FROM revrtm.touch t
    LEFT JOIN revrtm.contact c ON c.contact_id = t.contact_id AND c.deleted IS NOT TRUE
    JOIN deal d ON d.account_id = coalesce(t.account_id, c.account_id)
    WHERE t.opportunity_id IS NULL AND %2$s$q$, columns, condition);
END;
COMMENT ON FUNCTION revrtm.touch_query(text, text) IS
'Query of the touches t of the deals d in a relation "deal", with their contact c: a touch belongs to its deal, or without one to every deal of its account or its contact''s account.';

-- One query builds journeys, of all deals or of those named in $1; its
-- parameters: $1 deals, $2 look-back (NULL: none).
CREATE FUNCTION revrtm.journey_query(some_deals boolean) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    milestones boolean := 'milestone' = ANY (revrtm.bound_columns('touch'));
BEGIN
    RETURN format($q$
WITH deal AS MATERIALIZED (
    SELECT o.created_at,
           CASE WHEN o.is_closed THEN coalesce(o.closed_at, revrtm.day_end(o.close_date)) END AS ended_at,
           o.is_closed, o.is_won, o.amount, o.account_id, o.opportunity_id, o.route_id, o.currency,
           o.margin, o.partner_id, o.owner_id, o.segment, o.region, o.product
    FROM revrtm.opportunity o
    WHERE o.deleted IS NOT TRUE %1$s
), counted AS (%2$s
), packed AS (
    SELECT k.opportunity_id, revrtm.journey_agg(k.touched_at, k.channel, k.milestone, k.touch_id) AS journey,
           min(k.lead_created_at) AS lead_created_at
    FROM counted k
    GROUP BY k.opportunity_id
)
SELECT d.created_at, d.ended_at, d.is_closed, d.is_won, d.amount, %3$s AS journey, d.account_id,
       d.opportunity_id, d.route_id, d.currency, d.margin, d.partner_id, d.owner_id, d.segment, d.region,
       d.product
FROM deal d LEFT JOIN packed p ON p.opportunity_id = d.opportunity_id
$q$,
        CASE WHEN some_deals THEN 'AND o.opportunity_id = ANY ($1)' ELSE '' END,
        revrtm.touch_query('d.opportunity_id, t.touched_at, left(t.channel, 255) AS channel, t.milestone, t.touch_id, c.lead_created_at',
            (SELECT string_agg(k.condition, ' AND ' ORDER BY k.ordinal) FROM revrtm.touch_condition() k)),
        CASE WHEN milestones THEN 'p.journey'
             ELSE 'revrtm.mark_milestones(p.journey, p.lead_created_at, d.created_at, d.is_won)' END);
END
$$;
COMMENT ON FUNCTION revrtm.journey_query(boolean) IS
'The query that builds rows of deal_journey: a touch belongs to its deal, or without one to every deal of its account or its contact''s account; it counts from the look-back before the deal''s end (an open deal''s creation) to that end. A channel is cut after 255 characters, and an infinite instant does not count.';

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
    RETURN QUERY EXECUTE format($q$
        WITH deal AS MATERIALIZED (SELECT * FROM revrtm.deal_journey k WHERE k.opportunity_id = $1)
        SELECT u.touch_id, u.touched_at, u.channel, u.milestone, u.contact_id, u.reason IS NULL, u.reason
        FROM (%s) u
        ORDER BY u.touched_at, u.touch_id COLLATE "C", u.channel COLLATE "C"$q$,
        revrtm.touch_query(format('t.touch_id, t.touched_at, t.channel, t.milestone, t.contact_id, CASE %s END AS reason',
            (SELECT string_agg(format('WHEN (%s) IS NOT TRUE THEN %L', k.condition, k.reason), ' ' ORDER BY k.ordinal)
             FROM revrtm.touch_condition() k)), 'true'))
    USING explain_touches.opportunity_id, revrtm.lookback();
END
$$;
COMMENT ON FUNCTION revrtm.explain_touches(text) IS
'Why a deal has the touches it has: every touch of it in the bound CRM, whether it counts, and else why not: deleted, not_responded (responded is false), no_instant (touched_at is missing or infinite), after_end (of the deal), before_window (earlier than revrtm.lookback before the deal''s end, or an open deal''s creation). It reads the CRM, and the deal of the store. 22023 for an unknown deal.';

CREATE FUNCTION revrtm.changed_deals(watermarks jsonb) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- Loaders commit late: rows a little before the watermark are read again.
    WITH mark AS (
        SELECT (watermarks ->> 'opportunity')::timestamptz - interval '5 minutes' AS opportunity,
               (watermarks ->> 'touch')::timestamptz - interval '5 minutes' AS touch,
               (watermarks ->> 'contact')::timestamptz - interval '5 minutes' AS contact
    ), contact AS MATERIALIZED (
        SELECT c.contact_id FROM revrtm.contact c
        WHERE c.synced_at > (SELECT mark.contact FROM mark) OR (SELECT mark.contact IS NULL FROM mark)
    ), touch AS MATERIALIZED (
        SELECT t.opportunity_id, t.account_id, t.contact_id FROM revrtm.touch t
        WHERE t.synced_at > (SELECT mark.touch FROM mark) OR (SELECT mark.touch IS NULL FROM mark)
        UNION ALL
        SELECT t.opportunity_id, t.account_id, t.contact_id FROM revrtm.touch t
        WHERE t.contact_id IN (SELECT contact.contact_id FROM contact)
    ), account AS (
        SELECT coalesce(t.account_id, c.account_id) AS account_id
        FROM touch t LEFT JOIN revrtm.contact c ON c.contact_id = t.contact_id
        WHERE t.opportunity_id IS NULL
    )
    SELECT pg_catalog.array_agg(DISTINCT changed.opportunity_id)
    FROM (
        SELECT o.opportunity_id FROM revrtm.opportunity o
        WHERE o.synced_at > (SELECT mark.opportunity FROM mark) OR (SELECT mark.opportunity IS NULL FROM mark)
        UNION ALL
        SELECT t.opportunity_id FROM touch t WHERE t.opportunity_id IS NOT NULL
        UNION ALL
        SELECT o.opportunity_id FROM revrtm.opportunity o
        WHERE o.account_id IN (SELECT account.account_id FROM account)
    ) changed;
END;
COMMENT ON FUNCTION revrtm.changed_deals(jsonb) IS
'Deals named by rows that synced after the watermarks: the deal''s own, its touches'', those of its account''s touches and contacts.';

CREATE FUNCTION revrtm.refresh_journeys(
    verify boolean DEFAULT false,
    OUT mode text, OUT inserted bigint, OUT updated bigint, OUT deleted bigint, OUT unchanged bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state revrtm.journey_refresh;
    started timestamptz := clock_timestamp();
    syncs boolean;
    deals text[];
    marks jsonb;
    built bigint;
    repeated text;
BEGIN
    -- One refresh at a time; readers go on.
    LOCK TABLE revrtm.deal_journey IN SHARE ROW EXCLUSIVE MODE;

    -- Read before the rows are: what arrives meanwhile is read next time.
    SELECT jsonb_build_object(
        'opportunity', (SELECT max(o.synced_at) FROM revrtm.opportunity o),
        'touch', (SELECT max(t.synced_at) FROM revrtm.touch t),
        'contact', (SELECT max(c.synced_at) FROM revrtm.contact c)) INTO marks;
    SELECT coalesce(bool_and('synced_at' = ANY (b.columns)), false) INTO syncs
    FROM revrtm.binding b WHERE b.relation IN ('opportunity', 'touch', 'contact');
    SELECT * INTO state FROM revrtm.journey_refresh;

    mode := CASE WHEN state IS NULL OR state.basis <> revrtm.refresh_basis() THEN 'full'
                 WHEN verify OR NOT syncs THEN 'verify'
                 ELSE 'incremental' END;
    IF mode = 'incremental' THEN
        deals := coalesce(revrtm.changed_deals(state.watermarks), '{}');
    END IF;
    BEGIN
    EXECUTE format($q$
WITH built AS MATERIALIZED (%s), gone AS (
    DELETE FROM revrtm.deal_journey k
    WHERE ($1 IS NULL OR k.opportunity_id = ANY ($1))
      AND NOT EXISTS (SELECT FROM built b
                      WHERE b.account_id = k.account_id AND b.opportunity_id = k.opportunity_id)
    RETURNING 1
), kept AS (
    INSERT INTO revrtm.deal_journey AS k
    SELECT * FROM built
    ON CONFLICT (account_id, opportunity_id) DO UPDATE
    SET (created_at, ended_at, is_closed, is_won, amount, route_id, currency, margin, partner_id,
         owner_id, segment, region, product, journey)
      = (excluded.created_at, excluded.ended_at, excluded.is_closed, excluded.is_won, excluded.amount,
         excluded.route_id, excluded.currency, excluded.margin, excluded.partner_id, excluded.owner_id,
         excluded.segment, excluded.region, excluded.product, excluded.journey)
    WHERE k.* IS DISTINCT FROM excluded.*
    RETURNING xmax = 0 AS is_new
)
SELECT (SELECT count(*) FROM built), (SELECT count(*) FROM kept WHERE is_new),
       (SELECT count(*) FROM kept WHERE NOT is_new), (SELECT count(*) FROM gone),
       (SELECT min(r.opportunity_id) FROM (SELECT b.opportunity_id FROM built b
                                           GROUP BY b.opportunity_id HAVING count(*) > 1) r)
$q$, revrtm.journey_query(deals IS NOT NULL))
    INTO built, inserted, updated, deleted, repeated
    USING deals, revrtm.lookback();
    EXCEPTION WHEN cardinality_violation THEN
        SELECT min(o.opportunity_id) INTO repeated
        FROM (SELECT o.opportunity_id FROM revrtm.opportunity o
              WHERE o.deleted IS NOT TRUE GROUP BY o.opportunity_id HAVING count(*) > 1) o;
        IF repeated IS NULL THEN
            -- Not ours: a bound query failed.
            RAISE;
        END IF;
    END;

    IF repeated IS NOT NULL THEN
        RAISE EXCEPTION 'deal % stands more than once in revrtm.opportunity', quote_literal(repeated)
            USING ERRCODE = '23505',
                  HINT = 'Bind a query with one row a deal; of a history table, the current rows.';
    END IF;
    unchanged := built - inserted - updated;

    INSERT INTO revrtm.journey_refresh AS r (basis, watermarks, refreshed_at, verified_at)
    VALUES (revrtm.refresh_basis(), marks, started, started)
    ON CONFLICT (store) DO UPDATE
    SET basis = excluded.basis, watermarks = excluded.watermarks, refreshed_at = excluded.refreshed_at,
        verified_at = CASE WHEN mode = 'incremental' THEN r.verified_at ELSE excluded.verified_at END;
END
$$;
COMMENT ON FUNCTION revrtm.refresh_journeys(boolean) IS
'Brings deal_journey up to the bound CRM and returns what it did. full: the first time, and after a binding or setting changed. incremental: deals named by rows whose synced_at is later than at the last refresh. verify (asked for, or where synced_at is not bound): every deal is rebuilt and compared, which also finds hard deletes and touches or contacts that moved to another deal or account. 23505 where a deal stands twice.';

CREATE VIEW revrtm.freshness WITH (security_invoker = true) AS
SELECT r.store AS freshness_key,
       r.refreshed_at,
       r.verified_at,
       (SELECT max(w.value::timestamptz) FROM jsonb_each_text(r.watermarks) w) AS watermark,
       (SELECT max(o.synced_at) FROM revrtm.opportunity o) - (r.watermarks ->> 'opportunity')::timestamptz AS behind,
       (SELECT count(*) FROM revrtm.deal_journey) AS deals,
       CASE WHEN r.basis <> revrtm.refresh_basis() THEN 'basis_changed'
            WHEN (SELECT max(w.value) FROM jsonb_each_text(r.watermarks) w) IS NULL THEN 'no_synced_at'
            WHEN r.verified_at < r.refreshed_at THEN 'moves_unverified' END::text AS note
FROM revrtm.journey_refresh r;
COMMENT ON VIEW revrtm.freshness IS 'How fresh the store of journeys is. Grain: one row, none before the first refresh.';
COMMENT ON COLUMN revrtm.freshness.freshness_key IS 'The store.';
COMMENT ON COLUMN revrtm.freshness.refreshed_at IS 'When the last refresh began.';
COMMENT ON COLUMN revrtm.freshness.verified_at IS 'When the last refresh began that read everything.';
COMMENT ON COLUMN revrtm.freshness.watermark IS 'Latest synced_at that was read.';
COMMENT ON COLUMN revrtm.freshness.behind IS 'How much later deals have synced than the last refresh read; NULL without synced_at.';
COMMENT ON COLUMN revrtm.freshness.deals IS 'Number of deals in the store.';
COMMENT ON COLUMN revrtm.freshness.note IS
'basis_changed: a binding or setting changed since, the next refresh reads everything; no_synced_at: every refresh reads everything; moves_unverified: hard deletes, and touches or contacts that moved, are found by refresh_journeys(verify => true) only; NULL: nothing to say.';
