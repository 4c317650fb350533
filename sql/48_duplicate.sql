-- Which accounts are one: by domain and name exactly, else by names that are
-- alike and nothing that speaks against it.

CREATE FUNCTION revrtm.account_match(query_a text, query_b text, threshold float8 DEFAULT 0.6)
RETURNS TABLE (account_a text, account_b text, verdict text, rule text, similarity float8, note text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 100000 ROWS 1000
SET search_path = pg_catalog, pg_temp SET transaction_read_only = on
AS $$
DECLARE
    known CONSTANT text[] := '{account_id,account_name,domain,country,city,phone,address}';
    trigrams text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                      WHERE e.extname = 'pg_trgm');
    query text;
    given text[];
    wrong text;
    source text[];
BEGIN
    IF query_a IS NULL OR threshold IS NULL OR NOT (threshold > 0 AND threshold <= 1) THEN
        RAISE EXCEPTION 'a query and a threshold above 0 and up to 1 are needed' USING ERRCODE = '22023';
    END IF;
    FOREACH query IN ARRAY ARRAY[query_a, coalesce(query_b, query_a)] LOOP
        SELECT array_agg(q.column_name) INTO given FROM revrtm.query_columns(query) q;
        SELECT string_agg(p.problem, ' ' ORDER BY p.problem COLLATE "C") INTO wrong
        FROM (SELECT format('Column "%s" is missing.', k) AS problem FROM unnest(known[1:2]) k WHERE k <> ALL (given)
              UNION ALL
              SELECT format('Column "%s" is unknown.', k) FROM unnest(given) k WHERE k <> ALL (known)) p;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'the query does not give accounts' USING ERRCODE = '42804', DETAIL = wrong,
                HINT = 'Its columns are account_id and account_name, and what there is of domain, country, city, phone and address.';
        END IF;
        source := source || format($q$
            SELECT q.account_id::text AS id, revrtm.normal_company_name(q.account_name::text) AS name,
                   CASE WHEN NOT revrtm.is_free_mail(%s) THEN revrtm.normal_domain(%1$s) END AS domain,
                   revrtm.normal_company_name(%s) AS country, revrtm.normal_company_name(%s) AS city,
                   CASE WHEN length(regexp_replace(%s, '[^0-9]', '', 'g')) >= 7
                        THEN right(regexp_replace(%4$s, '[^0-9]', '', 'g'), 9) END AS phone,
                   revrtm.normal_company_name(%s) AS address
            FROM (%s) q$q$,
            CASE WHEN 'domain' = ANY (given) THEN 'q.domain::text' ELSE 'NULL::text' END,
            CASE WHEN 'country' = ANY (given) THEN 'q.country::text' ELSE 'NULL::text' END,
            CASE WHEN 'city' = ANY (given) THEN 'q.city::text' ELSE 'NULL::text' END,
            CASE WHEN 'phone' = ANY (given) THEN 'q.phone::text' ELSE 'NULL::text' END,
            CASE WHEN 'address' = ANY (given) THEN 'q.address::text' ELSE 'NULL::text' END,
            query);
    END LOOP;
    IF trigrams IS NULL THEN
        RAISE NOTICE 'pg_trgm is not installed, so that only equal names are found';
    END IF;

    -- Names as alike as that share one of their rarest trigrams: of n, all but
    -- the threshold's part less one. OFFSET 0 keeps the planner, which does not
    -- know how few candidates there are, from comparing all with all.
    RETURN QUERY EXECUTE format($q$
        WITH a AS MATERIALIZED (%s), b AS MATERIALIZED (%s), %s candidate AS (
            SELECT a.id AS a, b.id AS b FROM a JOIN b USING (domain)
            UNION SELECT a.id, b.id FROM a JOIN b USING (name)
            UNION SELECT a.id, b.id FROM a JOIN b USING (phone)
            WHERE a.phone IN (SELECT p.phone FROM (SELECT a.phone FROM a UNION ALL SELECT b.phone FROM b) p
                              GROUP BY p.phone HAVING count(*) <= 20)
            %s
        ), compared AS (
            SELECT a.id AS a, b.id AS b, coalesce(a.domain = b.domain, false) AS one_domain, a.domain <> b.domain AS two_domains,
                   coalesce(a.name = b.name, false) AS one_name, %s AS likeness,
                   coalesce(a.country <> b.country, false) AS two_countries, coalesce(a.city <> b.city, false) AS two_cities,
                   coalesce(a.phone = b.phone, false) AS one_phone, coalesce(a.phone <> b.phone, false) AS two_phones,
                   %s >= $1 AS one_address
            FROM (SELECT c.b AS other, a.* FROM candidate c JOIN a ON a.id = c.a OFFSET 0) a JOIN b ON b.id = a.other
            WHERE %s
            OFFSET 0
        ), judged AS (
            SELECT c.*, c.two_countries OR NOT (c.one_phone OR coalesce(c.one_address, false))
                       AND (c.two_phones OR c.two_cities OR NOT coalesce(c.one_address, true)) AS contradicted
            FROM compared c
        )
        SELECT j.a, j.b,
               CASE WHEN j.one_domain OR j.one_name AND NOT coalesce(j.two_domains, false) THEN 'exact' ELSE 'possible' END,
               CASE WHEN j.one_domain THEN 'domain' WHEN j.likeness >= $1 THEN 'name' ELSE 'phone' END,
               j.likeness, %L::text
        FROM judged j
        WHERE j.one_domain OR j.likeness >= $1 AND NOT j.contradicted OR j.likeness >= $1 / 2 AND j.one_phone AND NOT j.two_countries
        ORDER BY j.a COLLATE "C", j.b COLLATE "C"$q$,
        source[1], CASE WHEN query_b IS NULL THEN 'TABLE a' ELSE source[2] END,
        CASE WHEN trigrams IS NOT NULL THEN format($q$
            trigram AS MATERIALIZED (
                SELECT 0 AS side, a.id, t.trigram FROM a, unnest(%s.show_trgm(a.name)) t (trigram)
                UNION ALL SELECT 1, b.id, t.trigram FROM b, unnest(%1$s.show_trgm(b.name)) t (trigram)
            ), prefix AS MATERIALIZED (
                SELECT r.side, r.id, r.trigram
                FROM (SELECT t.side, t.id, t.trigram, count(*) OVER (PARTITION BY t.side, t.id) AS n,
                             row_number() OVER (PARTITION BY t.side, t.id ORDER BY f.frequency, t.trigram COLLATE "C") AS place
                      FROM trigram t JOIN (SELECT g.trigram, count(*) AS frequency FROM trigram g GROUP BY g.trigram) f
                           USING (trigram)) r
                WHERE r.place <= r.n - ceil($1 * r.n * 0.999999) + 1
            ),$q$, trigrams) ELSE '' END,
        CASE WHEN trigrams IS NOT NULL THEN
            'UNION SELECT x.id, y.id FROM prefix x JOIN prefix y USING (trigram) WHERE x.side = 0 AND y.side = 1' ELSE '' END,
        CASE WHEN trigrams IS NOT NULL THEN format('coalesce(%s.similarity(a.name, b.name), 0)::float8', trigrams)
             ELSE 'coalesce(a.name = b.name, false)::int::float8' END,
        CASE WHEN trigrams IS NOT NULL THEN format('%s.similarity(a.address, b.address)::float8', trigrams)
             ELSE '(a.address = b.address)::int::float8' END,
        CASE WHEN query_b IS NULL THEN 'a.id COLLATE "C" < b.id' ELSE 'true' END,
        CASE WHEN trigrams IS NULL THEN 'no_trigrams' END)
    USING threshold::float4::float8;    -- as pg_trgm has its similarities
END
$$;
COMMENT ON FUNCTION revrtm.account_match(text, text, float8) IS
'Accounts of the first query that are, or may be, accounts of the second one; NULL: pairs within the first, account_a before account_b bytewise. The queries give account_id and account_name, and what there is of domain, country, city, phone and address (text; names in them are qualified). exact: the same domain (normal_domain, of no free mail), or the same normal_company_name and domains that do not differ. possible: names whose trigrams are alike to threshold; or half as alike, with the same last nine digits of phone. Names count for nothing where countries differ, or where phone, city or address differ and neither phone nor address (alike to threshold) agrees. similarity is that of the names by pg_trgm; without it equal names only, with the note no_trigrams. Read-only, with the caller''s rights. 42804 for columns missing or unknown, 22023 for a threshold out of range.';

CREATE FUNCTION revrtm.duplicate_account(
    query text DEFAULT 'SELECT a.account_id, a.account_name, a.domain, a.country FROM revrtm.account a WHERE a.deleted IS NOT TRUE AND a.merged_into IS NULL',
    threshold float8 DEFAULT 0.6)
RETURNS TABLE (account_a text, account_b text, verdict text, rule text, similarity float8, note text)
LANGUAGE sql STABLE PARALLEL UNSAFE COST 100000 ROWS 1000
BEGIN ATOMIC
    SELECT m.account_a, m.account_b, m.verdict, m.rule, m.similarity, m.note
    FROM revrtm.account_match(duplicate_account.query, NULL, duplicate_account.threshold) m;
END;
COMMENT ON FUNCTION revrtm.duplicate_account(text, float8) IS
'Accounts of a query, by default those of the bound CRM, that are or may be the same; as account_match() has it.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_trigrams', 'The extension pg_trgm is not installed, so that names are compared for equality only.');
