-- Which account an id means, and when two spellings of an id, a domain or a
-- company's name are one.

CREATE FUNCTION revrtm.canonical_account(account_id text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'revrtm_canonical_account';
COMMENT ON FUNCTION revrtm.canonical_account(text) IS
'The account that this one was merged into in the end, by merged_into of revrtm.account, deleted rows included; itself where it was not merged or is unknown. 22023 for merges in a circle, 54000 for more than 32 in a row, 23505 for an account with two survivors; only where they are on the way, and DETAIL names it. The merges are read once a query, as the caller may read them.';

CREATE FUNCTION revrtm.account_root(account_id text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'revrtm_account_root';
COMMENT ON FUNCTION revrtm.account_root(text) IS
'The top of the account''s corporate family, by parent_account_id of revrtm.account: first element of account_path, with its rules and errors.';

CREATE FUNCTION revrtm.account_path(account_id text) RETURNS text[]
LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_account_path';
COMMENT ON FUNCTION revrtm.account_path(text) IS
'The accounts from the top of a corporate family down to this one, all of them canonical. The parent of merged accounts is that of the survivor''s row; children of a merged account are the survivor''s. An account whose parent is itself, or was merged into it, is a root. Errors as canonical_account has them, for parents too.';

CREATE VIEW revrtm.account_tree WITH (security_invoker = true) AS
SELECT a.account_id AS account_tree_key,
       a.account_id,
       p.path[cardinality(p.path)] AS canonical_id,
       p.path[cardinality(p.path) - 1] AS parent_id,
       p.path[1] AS root_id,
       cardinality(p.path) - 1 AS depth,
       CASE WHEN p.path[cardinality(p.path)] <> a.account_id THEN 'merged'
            WHEN a.deleted THEN 'deleted' END::text AS note
FROM revrtm.account a
     CROSS JOIN LATERAL (SELECT revrtm.account_path(a.account_id) AS path OFFSET 0) p;
COMMENT ON VIEW revrtm.account_tree IS
'Accounts with their survivors and corporate families, live from the bound CRM. Grain: one account, merged and deleted ones included.';
COMMENT ON COLUMN revrtm.account_tree.account_tree_key IS 'The account.';
COMMENT ON COLUMN revrtm.account_tree.account_id IS 'The account.';
COMMENT ON COLUMN revrtm.account_tree.canonical_id IS 'The account it was merged into in the end; itself where it was not.';
COMMENT ON COLUMN revrtm.account_tree.parent_id IS 'The canonical account above it; NULL for a root.';
COMMENT ON COLUMN revrtm.account_tree.root_id IS 'The canonical account at the top of its family; itself for a root.';
COMMENT ON COLUMN revrtm.account_tree.depth IS 'Levels below the root, 0 to 32.';
COMMENT ON COLUMN revrtm.account_tree.note IS 'merged: into canonical_id; deleted: softly in the CRM; NULL: nothing to say.';

CREATE FUNCTION revrtm.salesforce_id(id text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'revrtm_salesforce_id';
COMMENT ON FUNCTION revrtm.salesforce_id(text) IS
'The Salesforce id in 18 characters. One of 15 gets the three that repeat its case: of each five characters in turn, bit i of a number says that the i-th is a capital, and the number is written as A to Z, 0 to 5. One of 18 is checked; where its letters are all of one case, as a system leaves them that does not tell cases apart, their own case is restored. 22023 for anything else.';

CREATE FUNCTION revrtm.normal_domain(address text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'revrtm_normal_domain';
COMMENT ON FUNCTION revrtm.normal_domain(text) IS
'The internet domain in a URL, an address of electronic mail or a bare name: without blanks around it, scheme, user, port, path, a leading www. and a closing full stop; Latin, Greek and Cyrillic letters in lower case, punycode and what else there is as it is. NULL for what is no domain: a single label, an address of numbers, an empty or too long label, other characters.';

CREATE FUNCTION revrtm.is_free_mail(address text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.normal_domain(address) = ANY (ARRAY[
        '126.com', '163.com', 'aol.com', 'free.fr', 'gmail.com', 'gmx.com', 'gmx.de', 'gmx.net', 'googlemail.com',
        'hotmail.com', 'icloud.com', 'laposte.net', 'libero.it', 'live.com', 'mac.com', 'mail.com', 'mail.ru',
        'me.com', 'msn.com', 'naver.com', 'orange.fr', 'outlook.com', 'proton.me', 'protonmail.com', 'qq.com',
        't-online.de', 'web.de', 'yahoo.co.jp', 'yahoo.co.uk', 'yahoo.com', 'yandex.com', 'yandex.ru', 'ymail.com']);
END;
COMMENT ON FUNCTION revrtm.is_free_mail(text) IS
'Whether the domain in a URL or an address is one of 33 at which anyone can have mail, so that it says nothing about a company; NULL without a domain.';

CREATE FUNCTION revrtm.normal_company_name(name text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'revrtm_normal_company_name';
COMMENT ON FUNCTION revrtm.normal_company_name(text) IS
'A company''s name as a key for comparison: words of letters and digits with single spaces between, Latin letters without accents and in lower case (Greek and Cyrillic in lower case, others as they are), & as and, apostrophes and full stops between single letters dropped, other punctuation as a space; then without legal forms at the end (inc, ltd, gmbh, s a, …, and what is left of & Co) and a leading the, unless nothing else is there. NULL where no letter or digit is left. No locale counts.';
