-- Whose accounts a partner's are: the partner's own list against ours, in
-- plain text or by keys that only a shared salt makes comparable.

CREATE FUNCTION revrtm.domain_key(domain text, salt text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN revrtm.is_free_mail(d.domain) THEN NULL
                WHEN salt IS NULL THEN d.domain
                ELSE pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(salt || '|domain|' || d.domain, 'UTF8')), 'hex') END
    FROM (SELECT revrtm.normal_domain(domain_key.domain) AS domain) d;
END;
COMMENT ON FUNCTION revrtm.domain_key(text, text) IS
'What two spellings of a domain have in common: normal_domain(), or with a salt the SHA-256 of salt|domain|normal_domain in hexadecimal. NULL for no domain, and for one at which anybody has mail.';

CREATE FUNCTION revrtm.name_key(account_name text, country text, salt text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN salt IS NULL THEN n.name
                ELSE pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(salt || '|name|' || n.name, 'UTF8')), 'hex') END
    FROM (SELECT revrtm.normal_company_name(name_key.account_name) || '|'
                 || nullif(pg_catalog.lower(pg_catalog.btrim(name_key.country) COLLATE "C"), '') AS name) n;
END;
COMMENT ON FUNCTION revrtm.name_key(text, text, text) IS
'What two spellings of a company have in common: normal_company_name|country, the country in lower case; or with a salt the SHA-256 of salt|name|that, in hexadecimal. NULL without a name or a country: a name alone is not enough.';

CREATE TABLE revrtm.partner_account (
    partner_id   text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    entry_id     text NOT NULL CHECK (octet_length(entry_id) BETWEEN 1 AND 255),
    population   text NOT NULL CHECK (population IN ('customer', 'open_opportunity', 'prospect')),
    account_name text,
    domain       text,
    country      text,
    domain_key   text,
    name_key     text,
    value        numeric CHECK (value >= 0 AND value < 1e15),
    currency     text CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    listed_on    date CHECK (isfinite(listed_on)),
    PRIMARY KEY (partner_id, entry_id),
    CONSTRAINT partner_account_key CHECK (coalesce(account_name, domain, domain_key, name_key) IS NOT NULL)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.partner_account', '');
COMMENT ON TABLE revrtm.partner_account IS
'Lists of accounts that partners share with us, in plain text or by keys (domain_key(), name_key() with a salt both sides know). Grain: one entry of a partner''s list.';
COMMENT ON COLUMN revrtm.partner_account.partner_id IS 'The partner.';
COMMENT ON COLUMN revrtm.partner_account.entry_id IS 'The partner''s own id of the account.';
COMMENT ON COLUMN revrtm.partner_account.population IS 'What the account is to the partner: customer, open_opportunity or prospect.';
COMMENT ON COLUMN revrtm.partner_account.account_name IS 'Its name.';
COMMENT ON COLUMN revrtm.partner_account.domain IS 'Its internet domain.';
COMMENT ON COLUMN revrtm.partner_account.country IS 'Its country, spelled as in the CRM''s accounts.';
COMMENT ON COLUMN revrtm.partner_account.domain_key IS 'Salted key of the domain, in place of it.';
COMMENT ON COLUMN revrtm.partner_account.name_key IS 'Salted key of name and country, in place of them.';
COMMENT ON COLUMN revrtm.partner_account.value IS 'What it is worth to the partner, in the currency of the row; NULL where it does not say.';
COMMENT ON COLUMN revrtm.partner_account.currency IS 'ISO 4217 code; NULL is the reporting currency.';
COMMENT ON COLUMN revrtm.partner_account.listed_on IS 'Day of the list, whose rate converts the value; NULL for today.';

CREATE FUNCTION revrtm.partner_account_match(partner_id text, salt text DEFAULT NULL)
RETURNS TABLE (entry_id text, account_id text, matched_by text, population text, value numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    WITH ours AS (
        SELECT a.account_id, revrtm.canonical_account(a.account_id) AS canonical_id,
               revrtm.domain_key(a.domain, partner_account_match.salt) AS domain_key,
               revrtm.name_key(a.account_name, a.country, partner_account_match.salt) AS name_key
        FROM revrtm.account a
        WHERE a.is_partner IS NOT TRUE AND (a.deleted IS NOT TRUE OR a.merged_into <> '')
    ), theirs AS (
        SELECT p.entry_id, p.population,
               revrtm.reporting_amount(p.value, p.currency, coalesce(p.listed_on, revrtm.local_date(revrtm.as_of()))) AS value,
               coalesce(p.domain_key, revrtm.domain_key(p.domain, partner_account_match.salt)) AS domain_key,
               coalesce(p.name_key, revrtm.name_key(p.account_name, p.country, partner_account_match.salt)) AS name_key
        FROM revrtm.partner_account p
        WHERE p.partner_id = partner_account_match.partner_id
    ), pair AS (
        SELECT t.entry_id, t.population, t.value, o.canonical_id, 'domain'::text AS matched_by, 1 AS rank,
               coalesce(t.name_key = o.name_key, false) AS is_same
        FROM theirs t JOIN ours o ON o.domain_key = t.domain_key
        UNION ALL
        SELECT t.entry_id, t.population, t.value, o.canonical_id, 'name', 2, true
        FROM theirs t JOIN ours o ON o.name_key = t.name_key
    )
    SELECT DISTINCT ON (p.entry_id) p.entry_id, p.canonical_id, p.matched_by, p.population, p.value
    FROM pair p
    ORDER BY p.entry_id, p.rank, p.is_same DESC, p.canonical_id COLLATE "C";
END;
COMMENT ON FUNCTION revrtm.partner_account_match(text, text) IS
'Which of our accounts the entries of a partner''s list are: by domain, else by name and country; of several accounts with the domain the one of the same name and country, then the first bytewise. Merged accounts lend their names to the survivor. Entries without a match have no row. With a salt both sides are compared by keys; plain entries are hashed on the way.';

CREATE FUNCTION revrtm.overlap_matrix(partner_id text, salt text DEFAULT NULL)
RETURNS TABLE (ours text, theirs text, accounts bigint, open_amount numeric, won_amount numeric, partner_value numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 9
BEGIN ATOMIC
    WITH population AS (
        SELECT p.population, p.rank
        FROM (VALUES ('customer', 1), ('open_opportunity', 2), ('prospect', 3)) p (population, rank)
    ), deal AS (
        SELECT revrtm.canonical_account(d.account_id) AS account_id,
               pg_catalog.bool_or(d.is_closed AND d.is_won) AS is_customer, pg_catalog.bool_or(NOT d.is_closed) AS is_open,
               pg_catalog.sum(d.amount) FILTER (WHERE NOT d.is_closed) AS open_amount,
               pg_catalog.sum(d.amount) FILTER (WHERE d.is_closed AND d.is_won) AS won_amount
        FROM revrtm.deal d
        GROUP BY 1
    ), matched AS (
        SELECT m.account_id, pg_catalog.min(p.rank) AS theirs, pg_catalog.sum(m.value) AS value
        FROM revrtm.partner_account_match(overlap_matrix.partner_id, overlap_matrix.salt) m
        JOIN population p ON p.population = m.population
        GROUP BY m.account_id
    ), counted AS (
        SELECT CASE WHEN d.is_customer THEN 1 WHEN d.is_open THEN 2 ELSE 3 END AS ours, m.theirs, count(*) AS accounts,
               pg_catalog.sum(d.open_amount) AS open_amount, pg_catalog.sum(d.won_amount) AS won_amount,
               pg_catalog.sum(m.value) AS value
        FROM matched m
        LEFT JOIN deal d ON d.account_id = m.account_id
        GROUP BY 1, 2
    )
    SELECT a.population, b.population, coalesce(c.accounts, 0), coalesce(c.open_amount, 0)::numeric(20, 4),
           coalesce(c.won_amount, 0)::numeric(20, 4), coalesce(c.value, 0)::numeric(20, 4)
    FROM population a
    CROSS JOIN population b
    LEFT JOIN counted c ON c.ours = a.rank AND c.theirs = b.rank
    ORDER BY a.rank, b.rank;
END;
COMMENT ON FUNCTION revrtm.overlap_matrix(text, text) IS
'Accounts that a partner and we have in common: nine rows of what they are to us (customer: a won deal; open_opportunity: an open one; else prospect) and to the partner. Each account counts once, as the first of these that it is; so do entries of one account, whose values add. With our open and won amounts and the partner''s value, in revrtm.currency; the open amount is what the two could sell together. Deals come from the store.';
