-- The tallies of deals, kept: KPIs are read from them in milliseconds where
-- they are what the store of journeys would give, and from the deals where not.

CREATE TABLE revrtm.deal_tally (
    cell     integer PRIMARY KEY,
    route_id text NOT NULL,
    segment  text,
    region   text,
    product  text,
    tally    revrtm.tally NOT NULL
);
-- Read whole and by all: to unpack it takes longer than to read it.
ALTER TABLE revrtm.deal_tally ALTER COLUMN tally SET STORAGE EXTERNAL;
COMMENT ON TABLE revrtm.deal_tally IS
'Cache: the deals of the store that no later instant counts otherwise, as deal_tally_agg sums them, written by refresh_marks(). Grain: one route x segment x region x product. Not part of a dump.';
COMMENT ON COLUMN revrtm.deal_tally.cell IS 'A number.';
COMMENT ON COLUMN revrtm.deal_tally.route_id IS 'Route of the deals.';
COMMENT ON COLUMN revrtm.deal_tally.segment IS 'Their segment; NULL for none.';
COMMENT ON COLUMN revrtm.deal_tally.region IS 'Their region; NULL for none.';
COMMENT ON COLUMN revrtm.deal_tally.product IS 'Their product; NULL for none.';
COMMENT ON COLUMN revrtm.deal_tally.tally IS 'Their sums by month.';

CREATE TABLE revrtm.deal_unsettled (
    account_id     text NOT NULL,
    opportunity_id text NOT NULL,
    created_at     timestamptz,
    ended_at       timestamptz,
    is_closed      boolean NOT NULL,
    is_won         boolean NOT NULL,
    amount         numeric,
    margin         numeric,
    currency       text,
    route_id       text NOT NULL,
    segment        text,
    region         text,
    product        text,
    role           text,
    qualified_at   timestamptz,
    PRIMARY KEY (account_id, opportunity_id)
);
COMMENT ON TABLE revrtm.deal_unsettled IS
'Cache: the deals of the store that deal_tally leaves out, for a later instant counts them otherwise (they end or become qualified after it, or may still), or a rate of exchange. Grain: one deal. Written by refresh_marks(); not part of a dump.';
COMMENT ON COLUMN revrtm.deal_unsettled.account_id IS 'Account of the deal, as deal_journey has it.';
COMMENT ON COLUMN revrtm.deal_unsettled.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.deal_unsettled.created_at IS 'When it was created.';
COMMENT ON COLUMN revrtm.deal_unsettled.ended_at IS 'When it ended; NULL while open.';
COMMENT ON COLUMN revrtm.deal_unsettled.is_closed IS 'Whether it is closed.';
COMMENT ON COLUMN revrtm.deal_unsettled.is_won IS 'Whether it is won.';
COMMENT ON COLUMN revrtm.deal_unsettled.amount IS 'Its amount, in its currency.';
COMMENT ON COLUMN revrtm.deal_unsettled.margin IS 'Its margin, in its currency.';
COMMENT ON COLUMN revrtm.deal_unsettled.currency IS 'Its currency; NULL is the reporting currency.';
COMMENT ON COLUMN revrtm.deal_unsettled.route_id IS 'Its route.';
COMMENT ON COLUMN revrtm.deal_unsettled.segment IS 'Its segment.';
COMMENT ON COLUMN revrtm.deal_unsettled.region IS 'Its region.';
COMMENT ON COLUMN revrtm.deal_unsettled.product IS 'Its product.';
COMMENT ON COLUMN revrtm.deal_unsettled.role IS 'Role of its partner, as deal_mark has it.';
COMMENT ON COLUMN revrtm.deal_unsettled.qualified_at IS 'When it became sales qualified, as deal_mark has it.';

CREATE TABLE revrtm.first_win (
    opportunity_id text PRIMARY KEY,
    account_id     text NOT NULL,
    route_id       text NOT NULL,
    segment        text,
    region         text,
    ended_at       timestamptz NOT NULL
);
COMMENT ON TABLE revrtm.first_win IS
'Cache: the deal by which each account became a customer, the first one won. Grain: one account, the survivor where it was merged. Written by refresh_marks(); not part of a dump.';
COMMENT ON COLUMN revrtm.first_win.opportunity_id IS 'The deal.';
COMMENT ON COLUMN revrtm.first_win.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.first_win.route_id IS 'Route of the deal.';
COMMENT ON COLUMN revrtm.first_win.segment IS 'Its segment.';
COMMENT ON COLUMN revrtm.first_win.region IS 'Its region.';
COMMENT ON COLUMN revrtm.first_win.ended_at IS 'When it was won.';

CREATE TABLE revrtm.tally_refresh (
    store text PRIMARY KEY DEFAULT 'deal_tally' CHECK (store = 'deal_tally'),
    as_of timestamptz,
    basis text
);
INSERT INTO revrtm.tally_refresh DEFAULT VALUES;
COMMENT ON TABLE revrtm.tally_refresh IS
'Cache: what deal_tally, deal_unsettled and first_win are good for. One row; not part of a dump.';
COMMENT ON COLUMN revrtm.tally_refresh.store IS 'The store.';
COMMENT ON COLUMN revrtm.tally_refresh.as_of IS 'revrtm.as_of() when they were made: they hold for it and later instants.';
COMMENT ON COLUMN revrtm.tally_refresh.basis IS
'tally_basis() when they were made; NULL where deals, their marks or merges changed since, or none were made.';

CREATE FUNCTION revrtm.tally_basis() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT pg_catalog.md5(pg_catalog.concat_ws('|',
        revrtm.setting('timezone'), revrtm.setting('currency'), revrtm.currency_scale(NULL), revrtm.qualify_days(),
        (SELECT pg_catalog.jsonb_object_agg(r.route_id, r.default_margin) FROM revrtm.route r WHERE r.default_margin IS NOT NULL)));
END;
COMMENT ON FUNCTION revrtm.tally_basis() IS
'Hash of what tallies depend on beside deals: revrtm.timezone, revrtm.currency and its decimals, the days to qualify in, and the margins of routes.';

-- Every write of what tallies are made of passes by this one row, so that it
-- waits for a refresh that reads it, and a refresh for it.
CREATE FUNCTION revrtm.expire_tallies() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE revrtm.tally_refresh SET basis = NULL;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION revrtm.expire_tallies() IS
'Trigger function: tallies are good for nothing any more, until the next refresh_marks().';
CREATE TRIGGER expire_tallies AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON revrtm.deal_journey
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.expire_tallies();
CREATE TRIGGER expire_tallies AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON revrtm.deal_mark
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.expire_tallies();
CREATE TRIGGER expire_tallies AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON revrtm.account_merge
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.expire_tallies();

CREATE FUNCTION revrtm.refresh_tallies() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO revrtm.tally_refresh DEFAULT VALUES
    ON CONFLICT (store) DO UPDATE SET (as_of, basis) = (NULL, NULL);
    DELETE FROM revrtm.deal_tally;
    DELETE FROM revrtm.deal_unsettled;
    DELETE FROM revrtm.first_win;
    -- One statement, so that all of it is of one snapshot, its basis too.
    WITH rule AS MATERIALIZED (
        SELECT revrtm.as_of() AS as_of, revrtm.qualify_days() AS qualify_days, revrtm.setting('currency') AS currency,
               revrtm.currency_scale(NULL) AS scale
    ), deal AS NOT MATERIALIZED (
        SELECT k.account_id, k.opportunity_id, k.created_at, k.ended_at, k.is_closed, k.is_won, k.amount, k.margin,
               k.currency, k.route_id, k.segment, k.region, k.product, m.role, m.qualified_at,
               k.currency <> u.currency OR (k.is_closed AND k.ended_at > u.as_of) OR m.qualified_at > u.as_of
               OR (NOT k.is_closed AND u.qualify_days IS NOT NULL AND m.qualified_at IS NULL
                   AND k.created_at > u.as_of - u.qualify_days * interval '24 hours') AS is_unsettled
        FROM revrtm.deal_journey k CROSS JOIN rule u
        LEFT JOIN revrtm.deal_mark m ON m.opportunity_id = k.opportunity_id
    ), unsettled AS (
        INSERT INTO revrtm.deal_unsettled
        SELECT d.account_id, d.opportunity_id, d.created_at, d.ended_at, d.is_closed, d.is_won, d.amount, d.margin, d.currency,
               d.route_id, d.segment, d.region, d.product, d.role, d.qualified_at
        FROM deal d WHERE d.is_unsettled
    ), settled AS (
        INSERT INTO revrtm.deal_tally
        SELECT row_number() OVER ()::integer, c.*
        -- A condition would make the planner expect next to nothing, and sort.
        FROM (SELECT d.route_id, d.segment, d.region, d.product,
                     revrtm.deal_tally_agg(d.created_at, d.ended_at, d.is_closed, d.is_won, d.amount, d.amount,
                         coalesce(d.margin, d.amount * coalesce(r.default_margin, 1)), (SELECT u.scale FROM rule u),
                         d.margin IS NULL, d.role, d.qualified_at, (SELECT u.qualify_days FROM rule u),
                         (SELECT u.as_of FROM rule u), NULL) FILTER (WHERE d.is_unsettled IS NOT TRUE) AS tally
              FROM deal d LEFT JOIN revrtm.route r ON r.route_id = d.route_id
              GROUP BY d.route_id, d.segment, d.region, d.product) c
        WHERE c.tally IS NOT NULL
    ), won AS (
        INSERT INTO revrtm.first_win
        SELECT DISTINCT ON (k.account_id) k.opportunity_id, k.account_id, k.route_id, k.segment, k.region, k.ended_at
        FROM (SELECT coalesce(m.canonical_id, d.account_id) AS account_id, d.opportunity_id, d.route_id, d.segment, d.region,
                     d.ended_at
              FROM revrtm.deal_journey d LEFT JOIN revrtm.account_merge m ON m.account_id = d.account_id
              WHERE d.is_won AND d.is_closed AND d.ended_at IS NOT NULL AND d.account_id <> '(none)') k
        ORDER BY k.account_id, k.ended_at, k.opportunity_id COLLATE "C"
    )
    UPDATE revrtm.tally_refresh SET as_of = u.as_of, basis = revrtm.tally_basis() FROM rule u;
END
$$;
COMMENT ON FUNCTION revrtm.refresh_tallies() IS
'Step of refresh_marks: makes deal_tally, deal_unsettled and first_win anew from deal_journey and deal_mark, as of revrtm.as_of(). Who changes these tables meanwhile waits.';
