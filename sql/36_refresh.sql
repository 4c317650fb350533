-- The refresh of the store of journeys from the bound CRM.

-- The watermarks go into the queries as they are, so that the planner knows
-- how little has changed and takes the index on synced_at.
CREATE FUNCTION revrtm.changed_deals(watermarks jsonb, accounts text[]) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    late text[];
    contacts text[];
    touched record;
    deals text[];
BEGIN
    -- Loaders commit late: rows a little before the watermark are read again.
    SELECT array_agg(coalesce('x.synced_at > ' || quote_literal((watermarks ->> r)::timestamptz - interval '5 minutes'), 'true')
                     ORDER BY o) INTO late
    FROM unnest(ARRAY['opportunity', 'touch', 'contact']) WITH ORDINALITY u (r, o);

    EXECUTE format('SELECT array_agg(DISTINCT x.contact_id) FROM revrtm.contact x WHERE %s', late[3])
    INTO contacts;
    EXECUTE format($q$
        WITH touch AS MATERIALIZED (
            SELECT x.opportunity_id, x.account_id, x.contact_id FROM revrtm.touch x WHERE %s
            UNION ALL
            SELECT x.opportunity_id, x.account_id, x.contact_id FROM revrtm.touch x WHERE x.contact_id = ANY (%L)
        )
        SELECT array_agg(DISTINCT t.opportunity_id) AS deals,
               array_agg(DISTINCT t.account_id) FILTER (WHERE t.opportunity_id IS NULL) AS accounts,
               array_agg(DISTINCT t.contact_id) FILTER (WHERE t.opportunity_id IS NULL AND t.account_id IS NULL) AS contacts
        FROM touch t$q$, late[2], coalesce(contacts, '{}'))
    INTO touched;
    -- The accounts, all that were merged with them, and then their deals.
    EXECUTE format($q$
        WITH account AS MATERIALIZED (
            SELECT c.account_id FROM revrtm.contact c WHERE c.contact_id = ANY (%1$L)
            UNION
            SELECT a.account_id FROM unnest(%2$L::text[]) a (account_id)
        ), survivor AS MATERIALIZED (
            SELECT coalesce(m.canonical_id, a.account_id) AS account_id
            FROM account a LEFT JOIN revrtm.account_merge m ON m.account_id = a.account_id
        )
        SELECT array_agg(s.account_id)
        FROM (SELECT s.account_id FROM survivor s
              UNION
              SELECT m.account_id FROM revrtm.account_merge m JOIN survivor s ON s.account_id = m.canonical_id) s$q$,
        coalesce(touched.contacts, '{}'), coalesce(touched.accounts, '{}') || coalesce(changed_deals.accounts, '{}'))
    INTO accounts;
    EXECUTE format($q$
        SELECT array_agg(DISTINCT x.opportunity_id)
        FROM (SELECT x.opportunity_id FROM revrtm.opportunity x WHERE %s
              UNION ALL
              SELECT t.opportunity_id FROM unnest(%L::text[]) t (opportunity_id)
              UNION ALL
              SELECT x.opportunity_id FROM revrtm.opportunity x WHERE x.account_id = ANY (%L)) x
        WHERE x.opportunity_id IS NOT NULL$q$,
        late[1], coalesce(touched.deals, '{}'), coalesce(accounts, '{}'))
    INTO deals;
    RETURN coalesce(deals, '{}');
END
$$;
COMMENT ON FUNCTION revrtm.changed_deals(jsonb, text[]) IS
'Deals named by rows that synced after the watermarks: the deal''s own, its touches'', those of its account''s touches and contacts; and all deals of the accounts given. Accounts that were merged count as one.';

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
    merges text[];
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
    merges := revrtm.refresh_merges();

    mode := CASE WHEN state IS NULL OR state.basis <> revrtm.refresh_basis() THEN 'full'
                 WHEN verify OR NOT syncs THEN 'verify'
                 ELSE 'incremental' END;
    IF mode = 'incremental' THEN
        deals := revrtm.changed_deals(state.watermarks, merges);
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
$q$, revrtm.journey_query(deals))
    INTO built, inserted, updated, deleted, repeated
    USING deals;
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
'Brings deal_journey up to the bound CRM and returns what it did. full: the first time, and after a binding or setting changed. incremental: deals named by rows whose synced_at is later than at the last refresh, and those of accounts whose merges changed. verify (asked for, or where synced_at is not bound): every deal is rebuilt and compared, which also finds hard deletes and touches or contacts that moved to another deal or account. 23505 where a deal stands twice; errors of canonical_account where merges go in a circle.';

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
