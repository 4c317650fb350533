-- The demo's portfolio: potential, targets, tiers, territories and plays.

CREATE FUNCTION revrtm.make_demo_portfolio(seed int DEFAULT 1) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_portfolio(int) IS 'x';
