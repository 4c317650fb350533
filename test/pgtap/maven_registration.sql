-- Agents of a real CRM export register the product they engage an account
-- for, in order of engagement, each for 90 days; who is accepted, refused and
-- queued, against a walk in plain SQL: needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
\ir maven_table.psql
SELECT plan(4);
INSERT INTO revrtm.product (product_id, parent_id) SELECT DISTINCT product, 'ANY' FROM maven.sales_pipeline;

CREATE TEMP TABLE outcome (opportunity_id text PRIMARY KEY, outcome text, registration_id uuid);
DO $$
DECLARE
    o record;
    id uuid;
    ends text;
BEGIN
    FOR o IN SELECT * FROM maven.sales_pipeline WHERE account IS NOT NULL AND engage_date IS NOT NULL ORDER BY engage_date, opportunity_id COLLATE "C" LOOP
        PERFORM set_config('revrtm.as_of', o.engage_date || ' 12:00+00', true);
        id := NULL;
        BEGIN
            INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, protection)
            VALUES (o.account, o.sales_agent, ARRAY[o.product], '{ANY}', daterange(o.engage_date, o.engage_date + 90)) RETURNING registration_id INTO id;
            PERFORM revrtm.approve_registration(id, daterange(o.engage_date, o.engage_date + 90));
            ends := 'accepted';
        EXCEPTION WHEN check_violation THEN ends := 'refused';
                  WHEN exclusion_violation THEN ends := 'queued';
        END;
        IF ends = 'queued' THEN
            INSERT INTO revrtm.deal_registration (account_id, partner_id, product_codes, region_codes, protection, status)
            VALUES (o.account, o.sales_agent, ARRAY[o.product], '{ANY}', daterange(o.engage_date, o.engage_date + 90), 'queued') RETURNING registration_id INTO id;
        END IF;
        INSERT INTO outcome VALUES (o.opportunity_id, ends, CASE WHEN ends <> 'refused' THEN id END);
    END LOOP;
END
$$;

-- One line for each account and product: who holds it until when, and who waits.
CREATE TEMP TABLE expected AS
WITH RECURSIVE line AS (
    SELECT p.*, row_number() OVER (PARTITION BY account, product ORDER BY engage_date, opportunity_id COLLATE "C") AS n
    FROM maven.sales_pipeline p WHERE account IS NOT NULL AND engage_date IS NOT NULL
), walk AS (
    SELECT l.account, l.product, l.n, l.opportunity_id, l.engage_date AS since, 'accepted' AS outcome, l.sales_agent AS agent,
           l.sales_agent AS holder, l.engage_date + 90 AS until, '{}'::text[] AS waiting
    FROM line l WHERE l.n = 1
    UNION ALL
    SELECT l.account, l.product, l.n, l.opportunity_id, l.engage_date, x.outcome, l.sales_agent,
           CASE x.outcome WHEN 'accepted' THEN l.sales_agent ELSE w.holder END, CASE x.outcome WHEN 'accepted' THEN l.engage_date + 90 ELSE w.until END,
           CASE x.outcome WHEN 'queued' THEN w.waiting || l.sales_agent ELSE w.waiting END
    FROM walk w
    JOIN line l ON l.account = w.account AND l.product = w.product AND l.n = w.n + 1
    CROSS JOIN LATERAL (SELECT CASE WHEN l.sales_agent = ANY (w.waiting) THEN 'refused'
                                    WHEN l.engage_date >= w.until THEN 'accepted'
                                    WHEN l.sales_agent = w.holder THEN 'refused' ELSE 'queued' END AS outcome) x
)
SELECT * FROM walk;
SELECT cmp_ok((SELECT count(DISTINCT outcome) FROM expected), '=', 3::bigint, 'all three happen');
SELECT bag_eq('SELECT opportunity_id, outcome FROM outcome', 'SELECT opportunity_id, outcome FROM expected', 'accepted, refused and queued, every one');
SELECT cmp_ok((SELECT count(*) FROM outcome), '>', 6000::bigint, 'of more than six thousand');
-- Each that waits has a case with every other agent's protection that covers some of its days.
SELECT bag_eq($$SELECT p.claim AS a, q.claim AS b FROM revrtm.conflict_case c JOIN revrtm.conflict_party p USING (case_id) JOIN revrtm.conflict_party q USING (case_id)
    JOIN outcome o ON p.claim = 'registration:' || o.registration_id AND o.outcome = 'queued' WHERE q.claim <> p.claim$$,
    $$SELECT 'registration:' || ow.registration_id AS a, 'registration:' || oh.registration_id AS b
      FROM expected w JOIN expected h ON h.account = w.account AND h.product = w.product AND h.agent <> w.agent AND h.outcome = 'accepted' AND w.outcome = 'queued'
           AND h.since < w.since + 90 AND w.since < h.since + 90
      JOIN outcome ow ON ow.opportunity_id = w.opportunity_id JOIN outcome oh ON oh.opportunity_id = h.opportunity_id$$, 'and their cases');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
