-- Whether another partner registered the account under another id: a fact for
-- the rules of engagement.

CREATE FUNCTION revrtm.account_twin(account_id text, partner_id text, product int8multirange, region int8multirange,
    day date)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
DECLARE
    others text := format($q$
        SELECT DISTINCT r.account_id
        FROM revrtm.deal_registration r
        WHERE r.account_id <> %L AND r.partner_id IS DISTINCT FROM %L AND r.exclusive AND r.product && %L AND r.region && %L
          AND (r.status IN ('submitted', 'queued', 'in_review', 'action_required')
               OR r.active AND NOT coalesce(upper(r.protection) <= %L, false))$q$, account_id, partner_id, product, region, day);
    is_merged boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM (%s) o WHERE revrtm.canonical_account(o.account_id) = revrtm.canonical_account(%L))',
                   others, account_id) INTO is_merged;
    IF is_merged THEN
        RETURN 'exact';
    END IF;
    RETURN (SELECT min(m.verdict COLLATE "C")
            FROM revrtm.account_match(
                format('SELECT a.account_id, a.account_name, a.domain, a.country FROM revrtm.account a WHERE a.account_id = %L', account_id),
                format('SELECT a.account_id, a.account_name, a.domain, a.country FROM revrtm.account a WHERE a.account_id IN (%s)', others)) m);
END
$$;
REVOKE ALL ON FUNCTION revrtm.account_twin(text, text, int8multirange, int8multirange, date) FROM PUBLIC;
COMMENT ON FUNCTION revrtm.account_twin(text, text, int8multirange, int8multirange, date) IS
'Whether another partner has an exclusive registration that waits or protects on that day, overlaps in product and region, and is of an account that by the CRM''s merges or account_match() is the same (exact) or may be (possible); NULL for none. For the rules alone.';
