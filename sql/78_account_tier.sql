-- Tiers of accounts: a score against cuts, and a margin below each cut within
-- which an account keeps its tier.

CREATE FUNCTION revrtm.account_score(potential numeric, performance numeric, fit numeric,
                                     weight numeric[] DEFAULT '{0.5,0.3,0.2}') RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.ratio(coalesce(potential * weight[1], 0) + coalesce(performance * weight[2], 0) + coalesce(fit * weight[3], 0),
                        CASE WHEN potential IS NULL THEN 0 ELSE weight[1] END
                        + CASE WHEN performance IS NULL THEN 0 ELSE weight[2] END
                        + CASE WHEN fit IS NULL THEN 0 ELSE weight[3] END);
END;
COMMENT ON FUNCTION revrtm.account_score(numeric, numeric, numeric, numeric[]) IS
'Weighted mean of what an account could buy, what it buys, and how well it fits, each from 0 to 1. What is not known (NULL) leaves its weight to the others; NULL where nothing is known.';

CREATE FUNCTION revrtm.tier_account(potential numeric, performance numeric, fit numeric, cut numeric[],
                                    tier integer DEFAULT NULL, weight numeric[] DEFAULT '{0.5,0.3,0.2}',
                                    keep numeric DEFAULT 0.9) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN cut IS NOT NULL THEN 1 + (
        SELECT count(*)
        FROM pg_catalog.unnest(cut) WITH ORDINALITY u (cut, place)
        WHERE coalesce(s.score, 0) < CASE WHEN tier <= u.place THEN u.cut * keep ELSE u.cut END) END
    FROM (SELECT revrtm.account_score(potential, performance, fit, weight) AS score) s;
END;
COMMENT ON FUNCTION revrtm.tier_account(numeric, numeric, numeric, numeric[], integer, numeric[], numeric) IS
'Tier of an account by account_score(): 1 from the first cut on, 2 from the second, and so on; the tier after the last cut where it reaches none. The cuts descend. An account that is in a tier already is promoted at a cut, and demoted only below keep times the cut.';

CREATE TABLE revrtm.account_tier (
    account_id  text NOT NULL CHECK (octet_length(account_id) BETWEEN 1 AND 255),
    valid       tstzrange NOT NULL,
    tier        integer NOT NULL CHECK (tier > 0),
    score       numeric(8, 6) NOT NULL,
    potential   numeric(8, 6),
    performance numeric(8, 6),
    fit         numeric(8, 6),
    policy_hash text NOT NULL,
    PRIMARY KEY (account_id, valid),
    CONSTRAINT account_tier_once EXCLUDE USING gist (account_id WITH =, valid WITH &&) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT account_tier_valid CHECK (revrtm.is_validity(valid))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.account_tier', '');
COMMENT ON TABLE revrtm.account_tier IS
'History of the tiers of accounts, written by refresh_account_tiers(): WHERE valid @> an instant is what held then. An account has one tier at a time (23P01, account_tier_once). Grain: one account in one tier for one time.';
COMMENT ON COLUMN revrtm.account_tier.account_id IS 'The account, the survivor of merges.';
COMMENT ON COLUMN revrtm.account_tier.valid IS 'When it was in the tier, [from, until); without an end it is the present one.';
COMMENT ON COLUMN revrtm.account_tier.tier IS 'The tier, 1 the highest.';
COMMENT ON COLUMN revrtm.account_tier.score IS 'Its score when it came into the tier, 0 to 1; 0 where nothing was known.';
COMMENT ON COLUMN revrtm.account_tier.potential IS 'Potential as a part of portfolio_rule.full_potential, at most 1; NULL where none was known.';
COMMENT ON COLUMN revrtm.account_tier.performance IS
'Amount won in the twelve months before as a part of portfolio_rule.full_performance, from 0 to 1.';
COMMENT ON COLUMN revrtm.account_tier.fit IS 'Share of the criteria portfolio_rule.fit that it met; NULL without criteria.';
COMMENT ON COLUMN revrtm.account_tier.policy_hash IS 'terms_hash(''portfolio_rule'') at the refresh: by which terms it came into the tier.';

CREATE FUNCTION revrtm.account_standing(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (account_id text, was integer, tier integer, score numeric, potential numeric, performance numeric, fit numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    -- Facts are stacked and grouped rather than joined: no estimate can make that slow.
    WITH fact (account_id, is_account, potential, amount, fit, was) AS (
        SELECT a.account_id, true, NULL::numeric, NULL::numeric,
               revrtm.ratio(pg_catalog.jsonb_array_length(r.fit) - pg_catalog.cardinality(c.failed),
                            pg_catalog.jsonb_array_length(r.fit)), NULL::integer
        FROM revrtm.account a
        CROSS JOIN revrtm.portfolio_rule r
        CROSS JOIN LATERAL revrtm.criteria_check(pg_catalog.jsonb_build_object(
            'account_id', a.account_id, 'parent_account_id', a.parent_account_id, 'domain', a.domain,
            'segment', a.segment, 'region', a.region, 'country', a.country, 'industry', a.industry,
            'employees', a.employees, 'owner_id', a.owner_id, 'created_on', revrtm.local_date(a.created_at)), r.fit) c
        WHERE a.deleted IS NOT TRUE AND a.is_partner IS NOT TRUE
          AND revrtm.canonical_account(a.account_id) = a.account_id
        UNION ALL
        SELECT revrtm.canonical_account(t.account_id), false, t.potential, NULL, NULL, NULL
        FROM revrtm.tam_at(account_standing.at) t
        WHERE t.account_id <> '(none)'
        UNION ALL
        SELECT revrtm.canonical_account(o.account_id), false, NULL,
               revrtm.reporting_amount(o.amount, o.currency, o.ended_on), NULL, NULL
        FROM (SELECT k.account_id, k.amount, k.currency, coalesce(revrtm.local_date(k.closed_at), k.close_date) AS ended_on
              FROM revrtm.opportunity k
              WHERE k.is_closed AND k.is_won AND k.deleted IS NOT TRUE) o
        WHERE o.ended_on > (revrtm.local_date(account_standing.at) - interval '1 year')::date
          AND o.ended_on <= revrtm.local_date(account_standing.at)
        UNION ALL
        SELECT p.account_id, false, NULL, NULL, NULL, p.tier
        FROM revrtm.account_tier p
        WHERE p.valid @> (account_standing.at - interval '0.000001 seconds')
    ), account AS (
        SELECT f.account_id, pg_catalog.max(f.was) AS was, pg_catalog.max(f.fit)::numeric(8, 6) AS fit,
               pg_catalog.sum(f.potential) AS potential, coalesce(pg_catalog.sum(f.amount), 0) AS amount
        FROM fact f
        GROUP BY f.account_id
        HAVING pg_catalog.bool_or(f.is_account)
    ), part AS (
        SELECT a.account_id, a.was, a.fit, r.tier_cut, r.tier_weight, r.tier_keep,
               least(revrtm.ratio(a.potential, r.full_potential), 1)::numeric(8, 6) AS potential,
               greatest(least(revrtm.ratio(a.amount, r.full_performance), 1), 0)::numeric(8, 6) AS performance
        FROM account a
        CROSS JOIN revrtm.portfolio_rule r
    )
    SELECT q.account_id, q.was,
           revrtm.tier_account(q.potential, q.performance, q.fit, q.tier_cut, q.was, q.tier_weight, q.tier_keep),
           coalesce(revrtm.account_score(q.potential, q.performance, q.fit, q.tier_weight), 0)::numeric(8, 6),
           q.potential, q.performance, q.fit
    FROM part q;
END;
COMMENT ON FUNCTION revrtm.account_standing(timestamptz) IS
'The tier that every account of the CRM is due at an instant, and the one it was in just before (NULL for none): of canonical accounts that are not deleted and no partners. Potential is that of tam_at(), performance the deals won in the twelve months up to that day, as the CRM has them now.';

CREATE FUNCTION revrtm.refresh_account_tiers(at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (assigned bigint, promoted bigint, demoted bigint, ended bigint, kept bigint)
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last timestamptz;
    terms text := revrtm.terms_hash('portfolio_rule');
BEGIN
    IF NOT isfinite(at) THEN
        RAISE EXCEPTION 'tiers cannot be refreshed at an infinite instant' USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (SELECT FROM revrtm.portfolio_rule) THEN
        RAISE EXCEPTION 'there are no terms of account tiers'
            USING ERRCODE = '55000', HINT = 'Insert the row of revrtm.portfolio_rule.';
    END IF;
    LOCK TABLE revrtm.account_tier IN SHARE ROW EXCLUSIVE MODE;
    SELECT max(greatest(lower(t.valid), upper(t.valid))) INTO last FROM revrtm.account_tier t;
    IF at < last THEN
        RAISE EXCEPTION 'tiers were refreshed at a later instant'
            USING ERRCODE = '22023',
                  DETAIL = format('Refresh at %s, the last one was at %s.', to_jsonb(at) #>> '{}', to_jsonb(last) #>> '{}'),
                  HINT = 'History is written forwards: delete the later rows of revrtm.account_tier first.';
    END IF;
    -- Again at the same instant: as if for the first time.
    IF at = last THEN
        DELETE FROM revrtm.account_tier t WHERE lower(t.valid) = at;
        UPDATE revrtm.account_tier t SET valid = tstzrange(lower(t.valid), NULL) WHERE upper(t.valid) = at;
    END IF;

    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT * FROM revrtm.account_standing(refresh_account_tiers.at)
    ), closed AS (
        UPDATE revrtm.account_tier t SET valid = tstzrange(lower(t.valid), refresh_account_tiers.at)
        WHERE upper_inf(t.valid)
          AND NOT EXISTS (SELECT FROM due d WHERE d.account_id = t.account_id AND d.tier = d.was)
        RETURNING t.account_id
    ), opened AS (
        INSERT INTO revrtm.account_tier (account_id, valid, tier, score, potential, performance, fit, policy_hash)
        SELECT d.account_id, tstzrange(refresh_account_tiers.at, NULL), d.tier, d.score, d.potential, d.performance, d.fit, terms
        FROM due d WHERE d.tier IS DISTINCT FROM d.was
    )
    SELECT count(*) FILTER (WHERE d.was IS NULL), count(*) FILTER (WHERE d.tier < d.was),
           count(*) FILTER (WHERE d.tier > d.was),
           (SELECT count(*) FROM closed c WHERE NOT EXISTS (SELECT FROM due e WHERE e.account_id = c.account_id)),
           count(*) FILTER (WHERE d.tier = d.was)
    FROM due d;
END
$$;
COMMENT ON FUNCTION revrtm.refresh_account_tiers(timestamptz) IS
'Brings account_tier up to an instant, by account_standing(): how many accounts were assigned a first tier, promoted, demoted, how many ended (merged, deleted or gone) and how many kept theirs. Again at the same instant it replaces what it wrote. 22023 for an instant before the last refresh or an infinite one, 55000 without terms.';
