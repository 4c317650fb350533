-- The demo's recurring revenue: what won deals bring a year, and how it grows,
-- shrinks and ends.

CREATE FUNCTION revrtm.make_demo_revenue(seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
BEGIN
    CREATE TABLE revrtm_demo.subscription_change (
        change_id text PRIMARY KEY, account_id text, opportunity_id text, on_date date, kind text,
        amount numeric, currency text, _fivetran_deleted boolean, _fivetran_synced timestamptz);

    -- A won deal of the platform or of security begins a subscription; services
    -- are paid once. Each year it is renewed, 6 % dearer, or shrinks by a
    -- quarter. A customer leaves a year or two after the last deal it made,
    -- with all it has: one in six of those we won ourselves, more of those who
    -- came through resellers and the marketplace.
    INSERT INTO revrtm_demo.subscription_change
    WITH begun AS (
        SELECT o.id, o.account_id, o.close_date AS since, o.currency_iso_code AS currency, o.amount::numeric AS amount,
               row_number() OVER deal AS place, first_value(o.route_c) OVER deal AS route, max(o.close_date) OVER account AS latest,
               first_value(o.id) OVER deal AS first_id
        FROM revrtm_demo.opportunity o
        JOIN revrtm_demo.product_2 p ON p.product_code = o.product_c
        WHERE o.is_won AND o.account_id <> '' AND o.amount > 0 AND p.family <> 'services'
          AND NOT o.is_deleted AND NOT o._fivetran_deleted
        WINDOW account AS (PARTITION BY o.account_id),
               deal AS (PARTITION BY o.account_id ORDER BY o.close_date, o.id COLLATE "C")
    ), leaving AS (
        SELECT b.*, (SELECT min(x.on_date)
                     FROM (SELECT k.year, (b.latest + k.year * interval '1 year')::date AS on_date FROM generate_series(1, 2) k (year)) x
                     WHERE x.on_date < date '2026-07-01'
                       AND revrtm.demo_random(seed, 'leaves ' || b.first_id, x.year)
                           < CASE b.route WHEN 'co_sell' THEN 0.08 WHEN 'partner_sourced' THEN 0.12 WHEN 'resell' THEN 0.28
                                          WHEN 'marketplace' THEN 0.3 ELSE 0.16 END) AS left_on
        FROM begun b
    ), yearly AS (
        SELECT l.*, y.year, (l.since + y.year * interval '1 year')::date AS on_date,
               round(l.amount * CASE WHEN revrtm.demo_random(seed, 'renews ' || l.id, y.year) < 0.08 THEN -0.25 ELSE 0.06 END) AS change
        FROM leaving l CROSS JOIN generate_series(1, 2) y (year)
        WHERE (l.since + y.year * interval '1 year')::date < coalesce(l.left_on, date '2026-07-01')
    ), change AS (
        SELECT l.id, 0 AS year, l.account_id, l.since AS on_date, CASE l.place WHEN 1 THEN 'new' ELSE 'expansion' END AS kind,
               l.amount, l.currency
        FROM leaving l
        UNION ALL
        SELECT y.id, y.year, y.account_id, y.on_date, CASE WHEN y.change < 0 THEN 'contraction' ELSE 'renewal' END,
               y.change, y.currency
        FROM yearly y
        UNION ALL
        SELECT l.id, 9, l.account_id, l.left_on, 'churn',
               -(l.amount + coalesce((SELECT sum(y.change) FROM yearly y WHERE y.id = l.id), 0)), l.currency
        FROM leaving l WHERE l.left_on IS NOT NULL
    )
    SELECT c.id || '-' || c.year, c.account_id, c.id, c.on_date, c.kind, c.amount, c.currency, false,
           c.on_date::timestamp AT TIME ZONE 'UTC' + interval '1 day 6 hours'
    FROM change c
    ORDER BY c.id COLLATE "C", c.year;
    CREATE INDEX ON revrtm_demo.subscription_change (account_id);
    ANALYZE revrtm_demo.subscription_change;
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_revenue(int) IS
'Adds subscription_change to the demo CRM: the yearly recurring revenue that won deals begin, its renewals, contractions and ends.';
