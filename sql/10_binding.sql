-- Late binding: the canonical relations, each a view over a source function
-- that holds the bound query as text, so that nothing of ours depends on a
-- synced table.

CREATE TABLE revrtm.relation (
    relation    text PRIMARY KEY,
    grain       text NOT NULL,
    description text NOT NULL,
    one_of      text[]
);
COMMENT ON TABLE revrtm.relation IS 'The canonical relations that a CRM is bound to; shipped.';
COMMENT ON COLUMN revrtm.relation.relation IS 'Name of the view revrtm.<relation>.';
COMMENT ON COLUMN revrtm.relation.grain IS 'What one row is.';
COMMENT ON COLUMN revrtm.relation.description IS 'What the relation is for.';
COMMENT ON COLUMN revrtm.relation.one_of IS 'Columns of which at least one must be bound; NULL for no such rule.';

INSERT INTO revrtm.relation (relation, grain, description, one_of) VALUES
('account', 'one account', 'Companies that buy, or might.', NULL),
('opportunity', 'one deal', 'Deals, open and closed.', NULL),
('opportunity_stage', 'one entry of a deal into a stage', 'History of the stages of deals.', NULL),
('touch', 'one touch', 'Interactions with a person, an account or a deal: campaigns, calls, meetings.',
    ARRAY['opportunity_id', 'account_id', 'contact_id']),
('contact', 'one person', 'People, leads included.', NULL),
('partner', 'one partner', 'Partner companies.', NULL),
('opportunity_contact', 'one role of a person in a deal', 'People who take part in deals.', NULL),
('opportunity_partner', 'one role of a partner in a deal', 'Partners that take part in deals.', NULL),
('product_line', 'one line of a deal', 'What a deal sells.', NULL),
('spend', 'one entry of spend', 'What a route costs, by month and category.', NULL),
('revenue_event', 'one change of revenue', 'Changes of recurring revenue, and refunds.', NULL),
('fx_rate', 'one rate from a day on', 'Exchange rates.', NULL),
('app_user', 'one user', 'Users of the CRM who own accounts and deals.', NULL);

CREATE TABLE revrtm.relation_column (
    relation    text NOT NULL REFERENCES revrtm.relation,
    ordinal     integer NOT NULL,
    column_name text NOT NULL,
    type        regtype NOT NULL,
    required    boolean NOT NULL,
    not_null    boolean NOT NULL,
    reading     text,
    description text NOT NULL,
    PRIMARY KEY (relation, column_name),
    UNIQUE (relation, ordinal),
    CHECK (required OR NOT not_null)
);
COMMENT ON TABLE revrtm.relation_column IS 'The columns of the canonical relations; shipped. Views, checks and documentation are generated from it.';
COMMENT ON COLUMN revrtm.relation_column.relation IS 'The relation.';
COMMENT ON COLUMN revrtm.relation_column.ordinal IS 'Place of the column in the view, from 1.';
COMMENT ON COLUMN revrtm.relation_column.column_name IS 'Name that a bound query gives the column.';
COMMENT ON COLUMN revrtm.relation_column.type IS 'Type that a bound query gives the column, exactly; varchar counts as text.';
COMMENT ON COLUMN revrtm.relation_column.required IS 'Whether a bound query must have the column.';
COMMENT ON COLUMN revrtm.relation_column.not_null IS 'Whether its values must not be NULL.';
COMMENT ON COLUMN revrtm.relation_column.reading IS 'What the view shows for the column, in SQL over the source function s; NULL for the column as it is.';
COMMENT ON COLUMN revrtm.relation_column.description IS 'Meaning of the column.';

INSERT INTO revrtm.relation_column
    (relation, ordinal, column_name, type, required, not_null, reading, description) VALUES
('account', 1, 'account_id', 'text', true, true, NULL, 'Id of the account.'),
('account', 2, 'account_name', 'text', true, false, NULL, 'Name of the account.'),
('account', 3, 'parent_account_id', 'text', false, false, NULL, 'Id of the account above it in the corporate family.'),
('account', 4, 'merged_into', 'text', false, false, NULL, 'Id of the account that this one was merged into.'),
('account', 5, 'domain', 'text', false, false, NULL, 'Internet domain.'),
('account', 6, 'segment', 'text', false, false, NULL, 'Market segment.'),
('account', 7, 'region', 'text', false, false, NULL, 'Sales region.'),
('account', 8, 'country', 'text', false, false, NULL, 'Country, as the CRM writes it.'),
('account', 9, 'industry', 'text', false, false, NULL, 'Industry.'),
('account', 10, 'employees', 'integer', false, false, NULL, 'Number of employees.'),
('account', 11, 'owner_id', 'text', false, false, NULL, 'Id of the user who owns the account.'),
('account', 12, 'is_partner', 'boolean', false, false, NULL, 'Whether the account is a partner.'),
('account', 13, 'created_at', 'timestamptz', false, false, NULL, 'When the account was created.'),
('account', 14, 'deleted', 'boolean', false, false, NULL, 'Whether the CRM has deleted the account softly.'),
('account', 15, 'synced_at', 'timestamptz', false, false, NULL, 'When the row last arrived from the CRM.'),

('opportunity', 1, 'opportunity_id', 'text', true, true, NULL, 'Id of the deal.'),
('opportunity', 2, 'account_id', 'text', true, false, $$coalesce(s.account_id, '(none)')$$, 'Id of the account; (none) where the CRM has none.'),
('opportunity', 3, 'amount', 'numeric', true, false, NULL, 'Amount in the currency of the deal; NULL is no amount: left out of money, counted in pipeline.'),
('opportunity', 4, 'is_closed', 'boolean', true, true, NULL, 'Whether the deal is closed, won or lost.'),
('opportunity', 5, 'is_won', 'boolean', true, true, NULL, 'Whether the deal is won.'),
('opportunity', 6, 'created_at', 'timestamptz', true, false, NULL, 'When the deal was created.'),
('opportunity', 7, 'close_date', 'date', true, false, NULL, 'Day on which the deal closed or is expected to.'),
('opportunity', 8, 'closed_at', 'timestamptz', false, false, NULL, 'Instant at which the deal closed.'),
('opportunity', 9, 'opportunity_name', 'text', false, false, NULL, 'Name of the deal.'),
('opportunity', 10, 'stage', 'text', false, false, NULL, 'Present stage.'),
('opportunity', 11, 'currency', 'text', false, false, NULL, 'ISO 4217 code of the currency of the amount; NULL is the reporting currency.'),
('opportunity', 12, 'route_id', 'text', false, false, $$coalesce(s.route_id, CASE WHEN s.partner_id IS NULL THEN 'direct' ELSE 'partner_sourced' END)$$, 'Route to market; where the CRM has none, direct without a partner and partner_sourced with one.'),
('opportunity', 13, 'partner_id', 'text', false, false, NULL, 'Id of the partner of the deal.'),
('opportunity', 14, 'owner_id', 'text', false, false, NULL, 'Id of the user who owns the deal.'),
('opportunity', 15, 'segment', 'text', false, false, NULL, 'Market segment.'),
('opportunity', 16, 'region', 'text', false, false, NULL, 'Sales region.'),
('opportunity', 17, 'product', 'text', false, false, NULL, 'Product or product family.'),
('opportunity', 18, 'deal_type', 'text', false, false, NULL, 'Kind of deal, such as new business or renewal.'),
('opportunity', 19, 'margin', 'numeric', false, false, NULL, 'Margin in the currency of the deal; NULL is estimated from the route.'),
('opportunity', 20, 'probability', 'numeric', false, false, NULL, 'Probability of winning, 0 to 1.'),
('opportunity', 21, 'deleted', 'boolean', false, false, NULL, 'Whether the CRM has deleted the deal softly. The refresh needs such rows; analysts filter WHERE deleted IS NOT TRUE.'),
('opportunity', 22, 'synced_at', 'timestamptz', false, false, NULL, 'When the row last arrived from the CRM.'),
('opportunity', 23, 'term_end', 'date', false, false, NULL, 'Last day of the term that was sold, before which the deal is to be renewed.'),

('opportunity_stage', 1, 'opportunity_id', 'text', true, true, NULL, 'Id of the deal.'),
('opportunity_stage', 2, 'stage', 'text', true, true, NULL, 'The stage.'),
('opportunity_stage', 3, 'entered_at', 'timestamptz', true, true, NULL, 'When the deal entered the stage.'),
('opportunity_stage', 4, 'amount', 'numeric', false, false, NULL, 'Amount of the deal at that time.'),

('touch', 1, 'touch_id', 'text', true, true, NULL, 'Id of the touch.'),
('touch', 2, 'touched_at', 'timestamptz', true, false, NULL, 'When it happened.'),
('touch', 3, 'channel', 'text', true, false, NULL, 'Channel that credit is given to.'),
('touch', 4, 'opportunity_id', 'text', false, false, NULL, 'Id of the deal; a touch with one belongs to that deal alone.'),
('touch', 5, 'account_id', 'text', false, false, NULL, 'Id of the account; without a deal the touch belongs to every deal of it.'),
('touch', 6, 'contact_id', 'text', false, false, NULL, 'Id of the person, whose account counts where the touch has none.'),
('touch', 7, 'partner_id', 'text', false, false, NULL, 'Id of the partner who made the touch.'),
('touch', 8, 'route_id', 'text', false, false, NULL, 'Route to market of the touch.'),
('touch', 9, 'milestone', 'text', false, false, NULL, 'Milestone the touch marks: LC, OC or CW; derived where the column is not bound.'),
('touch', 10, 'responded', 'boolean', false, false, NULL, 'Whether the person responded; false does not count, NULL does.'),
('touch', 11, 'verified', 'boolean', false, false, NULL, 'Whether the touch is verified by evidence.'),
('touch', 12, 'deleted', 'boolean', false, false, NULL, 'Whether the CRM has deleted the touch softly. The refresh needs such rows; analysts filter WHERE deleted IS NOT TRUE.'),
('touch', 13, 'synced_at', 'timestamptz', false, false, NULL, 'When the row last arrived from the CRM.'),
('touch', 14, 'source_system', 'text', false, false, NULL, 'System that recorded the touch, where several do, such as the CRM and a partner portal.'),

('contact', 1, 'contact_id', 'text', true, true, NULL, 'Id of the person.'),
('contact', 2, 'account_id', 'text', true, false, NULL, 'Id of the account.'),
('contact', 3, 'email', 'text', false, false, NULL, 'Address of electronic mail.'),
('contact', 4, 'title', 'text', false, false, NULL, 'Job title.'),
('contact', 5, 'lead_created_at', 'timestamptz', false, false, NULL, 'When the person became a lead.'),
('contact', 6, 'deleted', 'boolean', false, false, NULL, 'Whether the CRM has deleted the person softly. The refresh needs such rows; analysts filter WHERE deleted IS NOT TRUE.'),
('contact', 7, 'synced_at', 'timestamptz', false, false, NULL, 'When the row last arrived from the CRM.'),

('partner', 1, 'partner_id', 'text', true, true, NULL, 'Id of the partner.'),
('partner', 2, 'partner_name', 'text', true, false, NULL, 'Name of the partner.'),
('partner', 3, 'partner_type', 'text', false, false, NULL, 'Kind of partner, such as reseller or integrator.'),
('partner', 4, 'tier', 'text', false, false, NULL, 'Tier in the partner program.'),
('partner', 5, 'region', 'text', false, false, NULL, 'Region.'),
('partner', 6, 'account_id', 'text', false, false, NULL, 'Id of the account that the partner is in the CRM.'),

('opportunity_contact', 1, 'opportunity_id', 'text', true, true, NULL, 'Id of the deal.'),
('opportunity_contact', 2, 'contact_id', 'text', true, true, NULL, 'Id of the person.'),
('opportunity_contact', 3, 'role', 'text', false, false, NULL, 'What the person does in the deal.'),
('opportunity_contact', 4, 'is_primary', 'boolean', false, false, NULL, 'Whether it is the main person of the deal.'),

('opportunity_partner', 1, 'opportunity_id', 'text', true, true, NULL, 'Id of the deal.'),
('opportunity_partner', 2, 'partner_id', 'text', true, true, NULL, 'Id of the partner.'),
('opportunity_partner', 3, 'role', 'text', true, false, NULL, 'What the partner does in the deal.'),
('opportunity_partner', 4, 'is_primary', 'boolean', false, false, NULL, 'Whether it is the main partner of the deal.'),
('opportunity_partner', 5, 'since', 'timestamptz', false, false, NULL, 'Since when.'),

('product_line', 1, 'opportunity_id', 'text', true, true, NULL, 'Id of the deal.'),
('product_line', 2, 'line_id', 'text', true, true, NULL, 'Id of the line.'),
('product_line', 3, 'product', 'text', true, false, NULL, 'Product or product family.'),
('product_line', 4, 'quantity', 'numeric', false, false, NULL, 'Quantity.'),
('product_line', 5, 'amount', 'numeric', true, false, NULL, 'Amount in the currency of the deal.'),
('product_line', 6, 'list_amount', 'numeric', false, false, NULL, 'Amount at list price, in the currency of the deal.'),
('product_line', 7, 'partner_margin', 'numeric', false, false, NULL, 'What of the amount a partner keeps, as margin or commission.'),
('product_line', 8, 'fee', 'numeric', false, false, NULL, 'What of the amount a marketplace keeps.'),
('product_line', 9, 'cost', 'numeric', false, false, NULL, 'Cost of what was sold.'),

('spend', 1, 'spend_id', 'text', true, true, NULL, 'Id of the entry.'),
('spend', 2, 'period', 'date', true, true, NULL, 'Month of the spend: any day of it.'),
('spend', 3, 'route_id', 'text', true, true, NULL, 'Route to market that the money was spent on.'),
('spend', 4, 'category', 'text', true, true, NULL, 'Category, such as enablement, content, mdf, spiff, program, headcount or tools.'),
('spend', 5, 'amount', 'numeric', true, true, NULL, 'Amount in the currency of the entry.'),
('spend', 6, 'currency', 'text', false, false, NULL, 'ISO 4217 code of the currency of the amount; NULL is the reporting currency.'),
('spend', 7, 'partner_id', 'text', false, false, NULL, 'Id of the partner it was spent on.'),
('spend', 8, 'channel', 'text', false, false, NULL, 'Channel it was spent on.'),

('revenue_event', 1, 'event_id', 'text', true, true, NULL, 'Id of the event.'),
('revenue_event', 2, 'account_id', 'text', true, true, NULL, 'Id of the account.'),
('revenue_event', 3, 'at', 'date', true, true, NULL, 'Day on which it takes effect.'),
('revenue_event', 4, 'kind', 'text', true, true, NULL, 'Kind of change, such as new, expansion, contraction, churn or refund.'),
('revenue_event', 5, 'amount', 'numeric', true, true, NULL, 'Change in the currency of the event, negative for a loss.'),
('revenue_event', 6, 'opportunity_id', 'text', false, false, NULL, 'Id of the deal behind it.'),
('revenue_event', 7, 'currency', 'text', false, false, NULL, 'ISO 4217 code of the currency of the amount; NULL is the reporting currency.'),

('fx_rate', 1, 'from_currency', 'text', true, true, NULL, 'ISO 4217 code of the currency converted from.'),
('fx_rate', 2, 'to_currency', 'text', true, true, NULL, 'ISO 4217 code of the currency converted to.'),
('fx_rate', 3, 'on_date', 'date', true, true, NULL, 'Day from which the rate holds, until the next rate of the pair, but no longer than revrtm.fx_max_age.'),
('fx_rate', 4, 'rate', 'numeric', true, true, NULL, 'Units of to_currency for one unit of from_currency: finite and above zero.'),

('app_user', 1, 'user_id', 'text', true, true, NULL, 'Id of the user.'),
('app_user', 2, 'user_name', 'text', true, false, NULL, 'Name of the user.'),
('app_user', 3, 'manager_id', 'text', false, false, NULL, 'Id of the manager.'),
('app_user', 4, 'region', 'text', false, false, NULL, 'Sales region.'),
('app_user', 5, 'is_active', 'boolean', false, false, NULL, 'Whether the user works.');

GRANT SELECT ON revrtm.relation, revrtm.relation_column TO PUBLIC;

CREATE TABLE revrtm.binding (
    relation      text PRIMARY KEY REFERENCES revrtm.relation,
    query         text NOT NULL,
    columns       text[] NOT NULL,
    parallel      text NOT NULL CHECK (parallel IN ('safe', 'restricted', 'unsafe')),
    bound_at      timestamptz NOT NULL DEFAULT now()
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.binding', '');
SELECT revrtm.register_policy('revrtm.binding', exported => false);
COMMENT ON TABLE revrtm.binding IS 'The queries that the canonical relations read; written by bind and unbind. Part of a dump, whose restore re-creates the source functions.';
COMMENT ON COLUMN revrtm.binding.relation IS 'The relation that is bound.';
COMMENT ON COLUMN revrtm.binding.query IS 'The SELECT it reads.';
COMMENT ON COLUMN revrtm.binding.columns IS 'The columns the query gives, in the order of the relation; the others read as NULL.';
COMMENT ON COLUMN revrtm.binding.parallel IS 'Whether the query may run in parallel workers: safe, restricted (beside them) or unsafe.';
COMMENT ON COLUMN revrtm.binding.bound_at IS 'When it was bound.';

CREATE FUNCTION revrtm.query_columns(query text)
RETURNS TABLE (ordinal integer, column_name text, type regtype, parallel text, statement text)
LANGUAGE c STABLE STRICT PARALLEL UNSAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'revrtm_query_columns';
COMMENT ON FUNCTION revrtm.query_columns(text) IS
'Columns that one read-only SELECT returns, without running it, names looked up in pg_catalog only: place, name, type, and in every row whether the query may run in parallel (safe, restricted, unsafe) and its text without a closing semicolon. 22023 for anything but one SELECT that only reads.';

CREATE FUNCTION revrtm.query_relations(query text) RETURNS SETOF regclass
LANGUAGE c STABLE STRICT PARALLEL UNSAFE ROWS 5
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'revrtm_query_relations';
COMMENT ON FUNCTION revrtm.query_relations(text) IS
'Tables and views that one read-only SELECT names, at any depth, without running it; what stands behind a view is not listed. 22023 for anything but one SELECT that only reads.';

CREATE FUNCTION revrtm.create_source(relation text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET check_function_bodies = off
AS $$
#variable_conflict use_column
DECLARE
    b revrtm.binding;
    signature text;
    targets text;
BEGIN
    SELECT * INTO b FROM revrtm.binding WHERE relation = create_source.relation;

    -- Casts to the declared types are what lets PostgreSQL inline the body.
    SELECT string_agg(format('%I %s', c.column_name, c.type), ', ' ORDER BY c.ordinal),
           string_agg(format('%s::%I.%I AS %I',
                             CASE WHEN c.column_name = ANY (b.columns)
                                  THEN format('q.%I', c.column_name) ELSE 'NULL' END,
                             n.nspname, t.typname, c.column_name),
                      ', ' ORDER BY c.ordinal)
    INTO signature, targets
    FROM revrtm.relation_column c
         JOIN pg_type t ON t.oid = c.type
         JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE c.relation = create_source.relation;

    -- The query may end in a comment: what follows starts a line.
    EXECUTE format('CREATE OR REPLACE FUNCTION revrtm.%I() RETURNS TABLE (%s) '
                   'LANGUAGE sql STABLE PARALLEL %s AS %L',
                   'source_' || create_source.relation, signature,
                   coalesce(b.parallel, 'safe'),
                   'SELECT ' || targets
                   || coalesce(E' FROM (\n' || b.query || E'\n) q', ' WHERE false'));
END
$$;
COMMENT ON FUNCTION revrtm.create_source(text) IS
'Makes the function revrtm.source_<relation>() from the row of binding, empty without one; a text body without STRICT and SET, so that PostgreSQL inlines it and records no dependency on the tables it reads.';

DO $$
DECLARE
    r revrtm.relation;
    c revrtm.relation_column;
BEGIN
    FOR r IN SELECT * FROM revrtm.relation LOOP
        PERFORM revrtm.create_source(r.relation);
        EXECUTE pg_catalog.format('COMMENT ON FUNCTION revrtm.%I() IS %L', 'source_' || r.relation,
            'The query bound to ' || r.relation || ', empty when none is; read the view revrtm.' || r.relation || '.');
        EXECUTE (
            SELECT pg_catalog.format('CREATE VIEW revrtm.%I AS SELECT %s FROM revrtm.%I() s', r.relation,
                pg_catalog.string_agg(pg_catalog.format('%s AS %I',
                    coalesce(k.reading, pg_catalog.format('s.%I', k.column_name)), k.column_name),
                    ', ' ORDER BY k.ordinal),
                'source_' || r.relation)
            FROM revrtm.relation_column k WHERE k.relation = r.relation);
        EXECUTE pg_catalog.format('COMMENT ON VIEW revrtm.%I IS %L', r.relation,
            r.description || ' Grain: ' || r.grain || '. Reads the query that bind gave it, as the caller; empty when there is none.');
        FOR c IN SELECT * FROM revrtm.relation_column k WHERE k.relation = r.relation LOOP
            EXECUTE pg_catalog.format('COMMENT ON COLUMN revrtm.%I.%I IS %L', r.relation, c.column_name, c.description);
        END LOOP;
    END LOOP;
END
$$;

CREATE FUNCTION revrtm.binding_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM revrtm.create_source(r.relation) FROM revrtm.relation r;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM revrtm.create_source(OLD.relation);
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.relation <> OLD.relation) THEN
        PERFORM revrtm.create_source(NEW.relation);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION revrtm.binding_changed() IS
'Trigger of binding: re-creates the source functions of the relations that changed, during a restore too; it checks nothing.';

CREATE TRIGGER create_source AFTER INSERT OR UPDATE OR DELETE ON revrtm.binding
FOR EACH ROW EXECUTE FUNCTION revrtm.binding_changed();
CREATE TRIGGER create_sources AFTER TRUNCATE ON revrtm.binding
FOR EACH STATEMENT EXECUTE FUNCTION revrtm.binding_changed();

CREATE FUNCTION revrtm.check_relation(relation text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM revrtm.relation r WHERE r.relation = check_relation.relation) THEN
        RAISE EXCEPTION 'there is no relation % to bind', coalesce(quote_literal(relation), 'NULL')
            USING ERRCODE = '22023',
                  HINT = (SELECT 'The relations are ' || string_agg(r.relation, ', ' ORDER BY r.relation) || '.'
                          FROM revrtm.relation r);
    END IF;
END
$$;
COMMENT ON FUNCTION revrtm.check_relation(text) IS
'Raises 22023 with the list of relations for a name that is none.';

CREATE FUNCTION revrtm.bind(relation text, query text) RETURNS text[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    problems text;
    hints text;
    only_types boolean;
    statement text;
    parallel text;
    bound text[];
BEGIN
    PERFORM revrtm.check_relation(bind.relation);
    IF bind.query IS NULL THEN
        RAISE EXCEPTION 'the query for % is NULL', bind.relation
            USING ERRCODE = '22023', HINT = 'To read nothing, call revrtm.unbind.';
    END IF;

    SELECT min(q.statement), min(q.parallel) INTO statement, parallel
    FROM revrtm.query_columns(bind.query) q;

    WITH RECURSIVE wanted AS (
        SELECT c.* FROM revrtm.relation_column c WHERE c.relation = bind.relation
    ), given AS (
        SELECT q.column_name, min(q.ordinal) AS ordinal, count(*) AS times,
               -- varchar is text by another name: same values, no conversion.
               (array_agg(CASE q.type WHEN 'varchar'::regtype THEN 'text'::regtype ELSE q.type END))[1] AS type
        FROM revrtm.query_columns(bind.query) q
        GROUP BY q.column_name
    ), reads AS (
        SELECT t.oid FROM revrtm.query_relations(bind.query) t (oid)
        UNION
        SELECT d.refobjid
        FROM reads t JOIN pg_rewrite w ON w.ev_class = t.oid
             JOIN pg_depend d ON d.objid = w.oid AND d.classid = 'pg_rewrite'::regclass
                              AND d.refclassid = 'pg_class'::regclass
    ), problem (place, line, hint) AS (
        SELECT w.ordinal, format('Column %s %s is missing.', w.column_name, w.type), 'columns'
        FROM wanted w WHERE w.required AND NOT EXISTS (SELECT FROM given g WHERE g.column_name = w.column_name)
        UNION ALL
        SELECT 1000, format('One of the columns %s is needed.', array_to_string(r.one_of, ', ')), 'columns'
        FROM revrtm.relation r
        WHERE r.relation = bind.relation
          AND NOT EXISTS (SELECT FROM given g WHERE g.column_name = ANY (r.one_of)) AND r.one_of IS NOT NULL
        UNION ALL
        SELECT 2000 + g.ordinal, format('Column %I is not one of the relation.', g.column_name), 'columns'
        FROM given g WHERE NOT EXISTS (SELECT FROM wanted w WHERE g.column_name = w.column_name)
        UNION ALL
        SELECT 2000 + g.ordinal, format('Column %I is given %s times.', g.column_name, g.times), 'columns'
        FROM given g WHERE g.times > 1
        UNION ALL
        SELECT 4000 + w.ordinal, format('Column %s is %s, not %s.', w.column_name, g.type, w.type),
               CASE WHEN w.type = 'timestamptz'::regtype AND g.type = 'timestamp'::regtype
                    THEN 'zone' ELSE 'cast' END
        FROM wanted w JOIN given g ON g.column_name = w.column_name AND g.type <> w.type
        UNION ALL
        SELECT 6000, format('It reads %s, a temporary relation of this session.', k.oid::regclass), 'own'
        FROM reads t JOIN pg_class k ON k.oid = t.oid
        WHERE k.relpersistence = 't'
        UNION ALL
        SELECT 6000, format('It reads %s, which may read the relation itself.', k.oid::regclass), 'own'
        FROM reads t JOIN pg_class k ON k.oid = t.oid
        WHERE k.relnamespace = 'revrtm'::regnamespace AND k.relkind = 'v'
    )
    SELECT string_agg(p.line, E'\n' ORDER BY p.place, p.line), bool_and(p.hint IN ('cast', 'zone')),
           concat_ws(' ',
               CASE WHEN bool_or(p.hint = 'columns') THEN
                   (SELECT format('The columns of %s are %s.', bind.relation,
                                  string_agg(w.column_name || ' ' || w.type::text, ', ' ORDER BY w.ordinal))
                    FROM wanted w) END,
               CASE WHEN bool_or(p.hint = 'cast') THEN
                   'Cast in the query, as in amount::numeric: types are compared exactly.' END,
               CASE WHEN bool_or(p.hint = 'zone') THEN
                   'Name the zone of a timestamp without one, as in created AT TIME ZONE ''UTC''.' END,
               CASE WHEN bool_or(p.hint = 'own') THEN
                   'Read permanent tables and views of the CRM.' END)
    INTO problems, only_types, hints
    FROM problem p;

    IF problems IS NOT NULL THEN
        RAISE EXCEPTION 'cannot bind % to this query', bind.relation
            USING ERRCODE = CASE WHEN only_types THEN '42804' ELSE '22023' END,
                  DETAIL = problems, HINT = hints;
    END IF;

    SELECT array_agg(c.column_name ORDER BY c.ordinal) INTO bound
    FROM revrtm.relation_column c JOIN revrtm.query_columns(bind.query) q ON q.column_name = c.column_name
    WHERE c.relation = bind.relation;

    INSERT INTO revrtm.binding (relation, query, columns, parallel)
    VALUES (bind.relation, statement, bound, parallel)
    ON CONFLICT (relation) DO UPDATE
    SET query = excluded.query, columns = excluded.columns,
        parallel = excluded.parallel, bound_at = excluded.bound_at;
    RETURN bound;
END
$$;
COMMENT ON FUNCTION revrtm.bind(text, text) IS
'Makes revrtm.<relation> read this SELECT, in place of what it read before; returns the columns bound. Columns are matched by name, in any order; every name in the query has its schema. One error lists every missing, unknown and ill-typed column: 42804 when only types are wrong, else 22023.';

CREATE FUNCTION revrtm.unbind(relation text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM revrtm.check_relation(unbind.relation);
    DELETE FROM revrtm.binding b WHERE b.relation = unbind.relation;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION revrtm.unbind(text) IS
'Makes revrtm.<relation> empty; returns whether it was bound. 22023 for a name that is no relation.';

CREATE FUNCTION revrtm.bound_columns(relation text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce((SELECT b.columns FROM revrtm.binding b WHERE b.relation = bound_columns.relation),
                    ARRAY[]::text[]);
END;
COMMENT ON FUNCTION revrtm.bound_columns(text) IS
'The columns of the relation that its bound query gives; empty when it is not bound.';

CREATE FUNCTION revrtm.binding_check()
RETURNS TABLE (relation text, column_name text, type text, required boolean, not_null boolean,
               bound boolean, type_now text, sample_rows bigint, sample_nulls bigint, problem text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    b record;
    given jsonb;
    counts bigint[];
    failure text;
BEGIN
    FOR b IN
        SELECT r.relation, q.query, q.columns,
               (SELECT string_agg(format('count(s.%I)', c.column_name), ', ' ORDER BY c.ordinal)
                FROM revrtm.relation_column c WHERE c.relation = r.relation) AS counted
        FROM revrtm.relation r LEFT JOIN revrtm.binding q ON q.relation = r.relation
        ORDER BY r.relation
    LOOP
        given := NULL;
        counts := NULL;
        failure := NULL;
        IF b.query IS NOT NULL THEN
            BEGIN
                SELECT jsonb_object_agg(q.column_name, q.type) INTO given FROM revrtm.query_columns(b.query) q;
                EXECUTE format('SELECT ARRAY[count(*), %s] FROM (SELECT * FROM revrtm.%I() LIMIT 1000) s',
                               b.counted, 'source_' || b.relation)
                INTO counts;
            EXCEPTION WHEN OTHERS THEN
                -- A table that is being synced may be gone for the moment.
                failure := SQLERRM;
            END;
        END IF;

        RETURN QUERY
        SELECT c.relation, c.column_name, c.type::text, c.required, c.not_null,
               k.is_bound, k.type_now, counts[1], k.nulls,
               CASE
                   WHEN failure IS NOT NULL THEN 'the query fails: ' || failure
                   WHEN k.is_bound AND k.type_now IS NULL THEN 'the query does not give the column any more'
                   WHEN k.is_bound AND k.type_now NOT IN (c.type::text, k.also)
                       THEN format('the type is now %s, not %s', k.type_now, c.type)
                   WHEN b.query IS NOT NULL AND c.required AND NOT k.is_bound THEN 'a required column is not bound'
                   WHEN c.not_null AND k.nulls > 0
                       THEN format('%s of %s sampled rows are NULL', k.nulls, counts[1])
               END
        FROM revrtm.relation_column c,
             LATERAL (SELECT coalesce(c.column_name = ANY (b.columns), false) AS is_bound) x,
             LATERAL (SELECT x.is_bound,
                             CASE WHEN x.is_bound THEN given ->> c.column_name END AS type_now,
                             CASE WHEN x.is_bound THEN counts[1] - counts[c.ordinal + 1] END AS nulls,
                             CASE c.type WHEN 'text'::regtype THEN 'character varying' ELSE '' END AS also) k
        WHERE c.relation = b.relation
        ORDER BY c.ordinal;
    END LOOP;
END
$$;
COMMENT ON FUNCTION revrtm.binding_check() IS
'State of every column of every relation: whether it is bound, the type the query gives it now, rows and NULLs among at most 1000 sampled rows, and the problem, NULL for none. A query that fails, because its table was dropped for instance, is reported and does not raise.';

CREATE FUNCTION revrtm.grant_reader(role regrole) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t record;
BEGIN
    IF grant_reader.role IS NULL OR grant_reader.role = 0::regrole THEN
        RAISE EXCEPTION 'there is no role to grant to' USING ERRCODE = '22023';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA revrtm TO %s', role);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA revrtm TO %s', role);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA revrtm GRANT SELECT ON TABLES TO %s', role);
    FOR t IN
        SELECT DISTINCT c.oid::regclass AS name, c.relnamespace::regnamespace AS schema, c.relowner::regrole AS owner
        FROM revrtm.binding b, revrtm.query_relations(b.query) q (oid)
             JOIN pg_class c ON c.oid = q.oid
        WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
                                     'revrtm'::regnamespace)
        ORDER BY name
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', t.schema, role);
        EXECUTE format('GRANT SELECT ON %s TO %s', t.name, role);
        -- A sync may drop the table and create it anew.
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %s GRANT SELECT ON TABLES TO %s',
                       t.owner, t.schema, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION revrtm.grant_reader(regrole) IS
'Lets a role read everything of revrtm and the tables that are bound now, those too that their owners create in the same schemas later; call it again after binding others. The caller needs the right to grant: an error names what it lacks.';
