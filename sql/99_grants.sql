-- A trusted script runs as the bootstrap superuser. What its installer must
-- be able to dump, restore, fill and grant is given to the installer; no C
-- function is, for who owns one could alter it into a crash.

ALTER SCHEMA revrtm OWNER TO @extowner@;
-- Beside the functions, PUBLIC reads what names no customer, deal or money: the
-- relations, the models, the trees and the role matrix. Analysts get the rest by
-- grant_reader().
GRANT USAGE ON SCHEMA revrtm TO PUBLIC;

DO $$
DECLARE
    o record;
    installer text;
BEGIN
    SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner)) INTO STRICT installer
    FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) 'revrtm';

    FOR o IN
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name
        FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'revrtm'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'revrtm'::regnamespace AND l.lanname IN ('sql', 'plpgsql')
          AND p.prokind IN ('f', 'p')
    LOOP
        EXECUTE pg_catalog.format('ALTER %s %s OWNER TO %s', o.kind, o.name, installer);
    END LOOP;
END
$$;

-- Too few rows for autovacuum to come by, and in almost every plan.
ANALYZE revrtm.attribution_model, revrtm.amendment_kind, revrtm.conflict_rule, revrtm.escalation_step, revrtm.programme,
    revrtm.protection_rule, revrtm.registration_state, revrtm.sla_rule;
