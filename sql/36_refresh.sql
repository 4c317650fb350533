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
    -- The accounts, all that were merged with them, and then their deals: the
    -- store knows those that have not changed, by an index of its own.
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
              SELECT k.opportunity_id FROM unnest(%L::text[]) a (account_id)
              JOIN revrtm.deal_journey k ON k.account_id = a.account_id) x
        WHERE x.opportunity_id IS NOT NULL$q$,
        late[1], coalesce(touched.deals, '{}'), coalesce(accounts, '{}'))
    INTO deals;
    RETURN coalesce(deals, '{}');
END
$$;
COMMENT ON FUNCTION revrtm.changed_deals(jsonb, text[]) IS
'Deals named by rows that synced after the watermarks: the deal''s own, its touches'', those of its account''s touches and contacts; and all deals of the accounts given. Accounts that were merged count as one.';

CREATE TABLE revrtm.refresh_run (
    store      text PRIMARY KEY DEFAULT 'deal_journey' CHECK (store = 'deal_journey'),
    mode       text NOT NULL,
    basis      text NOT NULL,
    watermarks jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    deals      bigint NOT NULL
);
COMMENT ON TABLE revrtm.refresh_run IS 'Cache: the refresh in batches that is under way. One row, none otherwise; not part of a dump.';
COMMENT ON COLUMN revrtm.refresh_run.store IS 'The store.';
COMMENT ON COLUMN revrtm.refresh_run.mode IS 'full, incremental or verify, as refresh_journeys has them.';
COMMENT ON COLUMN revrtm.refresh_run.basis IS 'Hash of the bindings, policies and settings it was begun under; another basis begins anew.';
COMMENT ON COLUMN revrtm.refresh_run.watermarks IS 'Latest synced_at at its begin, by relation.';
COMMENT ON COLUMN revrtm.refresh_run.started_at IS 'When it began.';
COMMENT ON COLUMN revrtm.refresh_run.deals IS 'Deals to be made anew.';

CREATE TABLE revrtm.refresh_pending (
    opportunity_id text PRIMARY KEY
);
COMMENT ON TABLE revrtm.refresh_pending IS 'Cache: the deals that the refresh under way has yet to make anew; not part of a dump.';
COMMENT ON COLUMN revrtm.refresh_pending.opportunity_id IS 'The deal.';

CREATE FUNCTION revrtm.store_journeys(
    deals text[], OUT inserted bigint, OUT updated bigint, OUT deleted bigint, OUT unchanged bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    repeated text;
BEGIN
    EXECUTE format($q$
WITH built AS MATERIALIZED (%s), gone AS (
    DELETE FROM revrtm.deal_journey k %s NOT EXISTS (
        SELECT FROM built b WHERE b.account_id = k.account_id AND b.opportunity_id = k.opportunity_id)
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
SELECT (SELECT count(*) FROM kept WHERE is_new), (SELECT count(*) FROM kept WHERE NOT is_new),
       (SELECT count(*) FROM gone), (SELECT count(*) FROM built) - (SELECT count(*) FROM kept),
       (SELECT min(r.opportunity_id) FROM (SELECT b.opportunity_id FROM built b
                                           GROUP BY b.opportunity_id HAVING count(*) > 1) r)
$q$, revrtm.journey_query(deals),
        -- A join rather than ANY: the planner knows how long the list is.
        CASE WHEN deals IS NULL THEN 'WHERE'
             ELSE format('USING unnest(%L::text[]) x (opportunity_id) WHERE k.opportunity_id = x.opportunity_id AND', deals) END)
    INTO inserted, updated, deleted, unchanged, repeated;
    IF repeated IS NOT NULL THEN
        RAISE cardinality_violation;
    END IF;
EXCEPTION WHEN cardinality_violation THEN
    SELECT min(o.opportunity_id) INTO repeated
    FROM (SELECT o.opportunity_id FROM revrtm.opportunity o
          WHERE o.deleted IS NOT TRUE GROUP BY o.opportunity_id HAVING count(*) > 1) o;
    IF repeated IS NULL THEN
        -- Not ours: a bound query failed.
        RAISE;
    END IF;
    RAISE EXCEPTION 'deal % stands more than once in revrtm.opportunity', quote_literal(repeated)
        USING ERRCODE = '23505',
              HINT = 'Bind a query with one row a deal; of a history table, the current rows.';
END
$$;
COMMENT ON FUNCTION revrtm.store_journeys(text[]) IS
'Step of a refresh: makes the rows of deal_journey for these deals, or for all where NULL, what the bound CRM says now, and counts what that changed. 23505 where a deal stands twice.';

CREATE FUNCTION revrtm.begin_refresh(
    verify boolean, OUT mode text, OUT deals text[], OUT basis text, OUT watermarks jsonb, OUT started_at timestamptz
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state revrtm.journey_refresh;
    merges text[];
    syncs boolean;
BEGIN
    -- One refresh at a time; readers go on.
    LOCK TABLE revrtm.deal_journey IN SHARE ROW EXCLUSIVE MODE;
    started_at := clock_timestamp();
    basis := revrtm.refresh_basis();

    -- Read before the rows are: what arrives meanwhile is read next time.
    SELECT jsonb_build_object(
        'opportunity', (SELECT max(o.synced_at) FROM revrtm.opportunity o),
        'touch', (SELECT max(t.synced_at) FROM revrtm.touch t),
        'contact', (SELECT max(c.synced_at) FROM revrtm.contact c)) INTO watermarks;
    SELECT coalesce(bool_and('synced_at' = ANY (b.columns)), false) INTO syncs
    FROM revrtm.binding b WHERE b.relation IN ('opportunity', 'touch', 'contact');
    SELECT * INTO state FROM revrtm.journey_refresh;
    merges := revrtm.refresh_merges();

    mode := CASE WHEN state IS NULL OR state.basis <> begin_refresh.basis THEN 'full'
                 WHEN verify OR NOT syncs THEN 'verify'
                 ELSE 'incremental' END;
    IF mode = 'incremental' THEN
        -- Those of a refresh in batches too that did not come to its end.
        -- First by itself: planning would call it too.
        deals := revrtm.changed_deals(state.watermarks, merges);
        SELECT coalesce(array_agg(d.opportunity_id), '{}') INTO deals
        FROM (SELECT c.opportunity_id FROM unnest(deals) c (opportunity_id)
              UNION
              SELECT p.opportunity_id FROM revrtm.refresh_pending p) d;
    END IF;
END
$$;
COMMENT ON FUNCTION revrtm.begin_refresh(boolean) IS
'Step of a refresh: locks out other refreshes, and says which deals are to be made anew (NULL: all) and up to which watermarks the store will then be.';

CREATE FUNCTION revrtm.end_refresh(mode text, basis text, watermarks jsonb, started_at timestamptz) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    INSERT INTO revrtm.journey_refresh AS r (basis, watermarks, refreshed_at, verified_at)
    VALUES (end_refresh.basis, end_refresh.watermarks, end_refresh.started_at, end_refresh.started_at)
    ON CONFLICT (store) DO UPDATE
    SET basis = excluded.basis, watermarks = excluded.watermarks, refreshed_at = excluded.refreshed_at,
        verified_at = CASE WHEN end_refresh.mode = 'incremental' THEN r.verified_at ELSE excluded.verified_at END;
    DELETE FROM revrtm.refresh_run;
    DELETE FROM revrtm.refresh_pending;
END;
COMMENT ON FUNCTION revrtm.end_refresh(text, text, jsonb, timestamptz) IS 'Step of a refresh: notes how far the store has read.';

CREATE FUNCTION revrtm.refresh_journeys(
    verify boolean DEFAULT false,
    OUT mode text, OUT inserted bigint, OUT updated bigint, OUT deleted bigint, OUT unchanged bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    run record;
BEGIN
    SELECT * INTO run FROM revrtm.begin_refresh(verify);
    mode := run.mode;
    SELECT * INTO inserted, updated, deleted, unchanged FROM revrtm.store_journeys(run.deals);
    PERFORM revrtm.end_refresh(run.mode, run.basis, run.watermarks, run.started_at);
END
$$;
COMMENT ON FUNCTION revrtm.refresh_journeys(boolean) IS
'Brings deal_journey up to the bound CRM and returns what it did. full: the first time, and after a binding, setting or attribution policy changed. incremental: deals named by rows whose synced_at is later than at the last refresh, and those of accounts whose merges changed. verify (asked for, or where synced_at is not bound): every deal is rebuilt and compared, which also finds hard deletes, touches or contacts that moved to another deal or account, and entries into stages and roles of persons that changed without their deal. All in one transaction; refresh_in_batches() commits on the way. 23505 where a deal stands twice; errors of canonical_account where merges go in a circle.';

-- The same in batches, each a transaction: what is done stays done when the
-- refresh is cancelled, and others see how far it is.

CREATE FUNCTION revrtm.refresh_batch(batch integer, verify boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    run record;
    deals text[];
    rest bigint;
BEGIN
    IF batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION 'a batch must have at least one deal' USING ERRCODE = '22023';
    END IF;
    LOCK TABLE revrtm.deal_journey IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO run FROM revrtm.refresh_run;
    IF run IS NULL OR run.basis <> revrtm.refresh_basis() THEN
        SELECT * INTO run FROM revrtm.begin_refresh(verify);
        DELETE FROM revrtm.refresh_run;
        DELETE FROM revrtm.refresh_pending;
        INSERT INTO revrtm.refresh_pending (opportunity_id)
        SELECT o.opportunity_id FROM revrtm.opportunity o WHERE run.deals IS NULL AND o.deleted IS NOT TRUE
        UNION
        SELECT k.opportunity_id FROM revrtm.deal_journey k WHERE run.deals IS NULL
        UNION
        SELECT d.opportunity_id FROM unnest(run.deals) d (opportunity_id);
        GET DIAGNOSTICS rest = ROW_COUNT;
        INSERT INTO revrtm.refresh_run (mode, basis, watermarks, started_at, deals)
        VALUES (run.mode, run.basis, run.watermarks, run.started_at, rest);
    ELSE
        WITH taken AS (
            DELETE FROM revrtm.refresh_pending p
            WHERE p.opportunity_id IN (SELECT q.opportunity_id FROM revrtm.refresh_pending q
                                       ORDER BY q.opportunity_id LIMIT batch)
            RETURNING p.opportunity_id)
        SELECT array_agg(t.opportunity_id) INTO deals FROM taken t;
        IF deals IS NOT NULL THEN
            PERFORM revrtm.store_journeys(deals);
        END IF;
        SELECT count(*) INTO rest FROM revrtm.refresh_pending;
    END IF;
    IF rest = 0 THEN
        PERFORM revrtm.end_refresh(run.mode, run.basis, run.watermarks, run.started_at);
    END IF;
    RETURN rest;
END
$$;
COMMENT ON FUNCTION revrtm.refresh_batch(integer, boolean) IS
'The next step of a refresh in batches, for schedulers that commit by themselves: begins one, or makes the next deals anew; returns how many are still to do, 0 when the store is up to date. verify is heeded when one begins. 22023 for a batch below one.';

-- It commits, so it cannot pin its search_path: every name has its schema.
CREATE PROCEDURE revrtm.refresh_in_batches(batch integer DEFAULT 100000, verify boolean DEFAULT false)
LANGUAGE plpgsql
AS $$
BEGIN
    WHILE revrtm.refresh_batch(batch, verify) OPERATOR(pg_catalog.>) 0 LOOP
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE revrtm.refresh_in_batches(integer, boolean) IS
'refresh_journeys, committing after every batch of so many deals. Cancelled, it goes on where it was when it is called again; the view refresh_progress shows how far it is. Wants an index of the bound touches by deal (and by account and contact where touches name those), for each batch reads its own.';

CREATE VIEW revrtm.refresh_progress WITH (security_invoker = true) AS
SELECT r.store AS refresh_progress_key,
       r.mode,
       r.started_at,
       r.deals,
       r.deals - p.pending AS done,
       p.pending
FROM revrtm.refresh_run r, (SELECT count(*) AS pending FROM revrtm.refresh_pending) p;
COMMENT ON VIEW revrtm.refresh_progress IS 'How far a refresh in batches is. Grain: one row while there is one under way or cancelled, else none.';
COMMENT ON COLUMN revrtm.refresh_progress.refresh_progress_key IS 'The store.';
COMMENT ON COLUMN revrtm.refresh_progress.mode IS 'full, incremental or verify.';
COMMENT ON COLUMN revrtm.refresh_progress.started_at IS 'When it began.';
COMMENT ON COLUMN revrtm.refresh_progress.deals IS 'Deals to be made anew.';
COMMENT ON COLUMN revrtm.refresh_progress.done IS 'Those that are.';
COMMENT ON COLUMN revrtm.refresh_progress.pending IS 'Those that are not yet.';

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
'basis_changed: a binding, setting or attribution policy changed since, the next refresh reads everything; no_synced_at: every refresh reads everything; moves_unverified: hard deletes, touches or contacts that moved, and stages or roles of persons that changed alone, are found by refresh_journeys(verify => true) only; NULL: nothing to say.';
