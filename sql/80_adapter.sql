-- Adapters: how a CRM lands in PostgreSQL, as rows, from which one function
-- writes the queries that bind a schema.
--
-- In an expression {t.amount money} is column amount of the source aliased t,
-- read as money; {t.amount money?} is NULL where the column is missing. An
-- expression is usable when every column without a question mark is there,
-- and at least one of those with one.

CREATE TABLE revrtm.adapter (
    adapter     text PRIMARY KEY,
    description text NOT NULL,
    current_row text NOT NULL,
    deleted_row text NOT NULL
);
COMMENT ON TABLE revrtm.adapter IS 'Shapes in which CRMs land in PostgreSQL; shipped. To read other columns than an adapter does, take its query from binding, change it and bind it.';
COMMENT ON COLUMN revrtm.adapter.adapter IS 'Name: the CRM and the pipeline.';
COMMENT ON COLUMN revrtm.adapter.description IS 'What it reads.';
COMMENT ON COLUMN revrtm.adapter.current_row IS 'Expression over a table t: whether a row is the current version of a record; applied to every table where it is usable.';
COMMENT ON COLUMN revrtm.adapter.deleted_row IS 'Expression over a table t: whether a row is deleted softly; the column deleted of a relation, and where it has none such rows are not read.';

CREATE TABLE revrtm.adapter_source (
    adapter    text NOT NULL REFERENCES revrtm.adapter,
    relation   text NOT NULL REFERENCES revrtm.relation,
    branch     text NOT NULL,
    alias      text NOT NULL DEFAULT 't',
    table_name text NOT NULL,
    item       text NOT NULL DEFAULT '%s t',
    needs      text[] NOT NULL DEFAULT '{id}',
    required   boolean NOT NULL DEFAULT true,
    preference integer NOT NULL DEFAULT 1,
    PRIMARY KEY (adapter, relation, branch, alias)
);
COMMENT ON TABLE revrtm.adapter_source IS 'The tables that an adapter reads; shipped. A branch is one SELECT over the source t and those joined to it; usable branches are united.';
COMMENT ON COLUMN revrtm.adapter_source.adapter IS 'The adapter.';
COMMENT ON COLUMN revrtm.adapter_source.relation IS 'The relation that is bound.';
COMMENT ON COLUMN revrtm.adapter_source.branch IS 'Name of the SELECT.';
COMMENT ON COLUMN revrtm.adapter_source.alias IS 'Alias in the SELECT: t for what the SELECT is of, another for a table joined to it.';
COMMENT ON COLUMN revrtm.adapter_source.table_name IS 'The table in the bound schema.';
COMMENT ON COLUMN revrtm.adapter_source.item IS 'Text in FROM, with %s for the table.';
COMMENT ON COLUMN revrtm.adapter_source.needs IS 'Columns without which the table is another one of that name.';
COMMENT ON COLUMN revrtm.adapter_source.required IS 'Whether the branch is left out without the table; else the columns of the table are missing.';
COMMENT ON COLUMN revrtm.adapter_source.preference IS 'Of t: branches count only where none of a lower number is usable.';

CREATE TABLE revrtm.adapter_column (
    adapter     text NOT NULL,
    relation    text NOT NULL,
    branch      text NOT NULL,
    column_name text NOT NULL,
    expression  text NOT NULL,
    fallback    text,
    PRIMARY KEY (adapter, relation, branch, column_name),
    FOREIGN KEY (relation, column_name) REFERENCES revrtm.relation_column
);
COMMENT ON TABLE revrtm.adapter_column IS 'Where an adapter finds each column; shipped.';
COMMENT ON COLUMN revrtm.adapter_column.adapter IS 'The adapter.';
COMMENT ON COLUMN revrtm.adapter_column.relation IS 'The relation that is bound.';
COMMENT ON COLUMN revrtm.adapter_column.branch IS 'The SELECT it stands in.';
COMMENT ON COLUMN revrtm.adapter_column.column_name IS 'The column of the relation.';
COMMENT ON COLUMN revrtm.adapter_column.expression IS 'SQL with columns in braces.';
COMMENT ON COLUMN revrtm.adapter_column.fallback IS 'Value where the expression is NULL or not usable; NULL for none.';

CREATE TABLE revrtm.adapter_filter (
    adapter    text NOT NULL,
    relation   text NOT NULL,
    branch     text NOT NULL,
    filter     text NOT NULL,
    expression text NOT NULL,
    required   boolean NOT NULL,
    PRIMARY KEY (adapter, relation, branch, filter)
);
COMMENT ON TABLE revrtm.adapter_filter IS 'Which rows an adapter reads; shipped.';
COMMENT ON COLUMN revrtm.adapter_filter.adapter IS 'The adapter.';
COMMENT ON COLUMN revrtm.adapter_filter.relation IS 'The relation that is bound.';
COMMENT ON COLUMN revrtm.adapter_filter.branch IS 'The SELECT it stands in.';
COMMENT ON COLUMN revrtm.adapter_filter.filter IS 'Name of the condition.';
COMMENT ON COLUMN revrtm.adapter_filter.expression IS 'SQL condition with columns in braces.';
COMMENT ON COLUMN revrtm.adapter_filter.required IS 'Whether the branch is left out where the condition is not usable; else the condition is.';

-- Salesforce as Fivetran lands it: API names in snake case, custom ones
-- ending in _c, money as double precision, soft deletion by two columns.

INSERT INTO revrtm.adapter VALUES
('salesforce_fivetran', 'Salesforce, synced by Fivetran.', '{t._fivetran_active boolean} IS NOT FALSE',
 'coalesce({t.is_deleted boolean?}, false) OR coalesce({t._fivetran_deleted boolean?}, false)');

INSERT INTO revrtm.adapter_source
    (adapter, relation, branch, alias, table_name, item, needs, required, preference)
SELECT 'salesforce_fivetran', s.* FROM (VALUES
('account', 'account', 't', 'account', '%s t', '{id}'::text[], true, 1),
('opportunity', 'opportunity', 't', 'opportunity', '%s t', '{id}', true, 1),
-- A history row is written for a change of amount or date too.
('opportunity_stage', 'opportunity_history', 't', 'opportunity_history',
 '(SELECT x.*, lag(x.stage_name) OVER (PARTITION BY x.opportunity_id ORDER BY x.created_date, x.id) AS stage_before FROM %s x) t',
 '{id,opportunity_id,stage_name,created_date}', true, 1),
('touch', 'campaign_member', 't', 'campaign_member', '%s t', '{id,campaign_id}', true, 1),
('touch', 'campaign_member', 'c', 'campaign', 'LEFT JOIN %s c ON c.id = t.campaign_id', '{id}', false, 1),
('touch', 'task', 't', 'task', '%s t', '{id}', true, 1),
('touch', 'event', 't', 'event', '%s t', '{id}', true, 1),
('contact', 'contact', 't', 'contact', '%s t', '{id}', true, 1),
('contact', 'lead', 't', 'lead', '%s t', '{id}', true, 1),
('partner', 'account', 't', 'account', '%s t', '{id}', true, 1),
('opportunity_contact', 'opportunity_contact_role', 't', 'opportunity_contact_role', '%s t', '{id}', true, 1),
('opportunity_partner', 'opportunity_partner', 't', 'opportunity_partner', '%s t', '{id}', true, 1),
('product_line', 'opportunity_line_item', 't', 'opportunity_line_item', '%s t', '{id}', true, 1),
('product_line', 'opportunity_line_item', 'p', 'product_2', 'LEFT JOIN %s p ON p.id = t.product_2_id', '{id}', false, 1),
('spend', 'spend_entry', 't', 'spend_entry', '%s t', '{spend_id}', true, 1),
('fx_rate', 'dated_conversion_rate', 't', 'dated_conversion_rate', '%s t', '{iso_code,conversion_rate,start_date}', true, 1),
('fx_rate', 'dated_conversion_rate', 'k', 'currency_type', 'JOIN %s k ON k.is_corporate', '{iso_code,is_corporate}', true, 1),
('fx_rate', 'fx_rate', 't', 'fx_rate', '%s t', '{from_currency,to_currency}', true, 2),
('app_user', 'user', 't', 'user', '%s t', '{id}', true, 1)
) s;

INSERT INTO revrtm.adapter_column (adapter, relation, branch, column_name, expression, fallback)
SELECT 'salesforce_fivetran', c.* FROM (VALUES
('account', 'account', 'account_id', '{t.id id}', NULL),
('account', 'account', 'account_name', '{t.name text}', NULL),
('account', 'account', 'parent_account_id', '{t.parent_id text}', NULL),
('account', 'account', 'merged_into', '{t.master_record_id text}', NULL),
('account', 'account', 'domain', 'revrtm.normal_domain({t.website text})', NULL),
('account', 'account', 'segment', 'coalesce({t.account_segment_c text?}, {t.segment_c text?})', NULL),
('account', 'account', 'region', '{t.region_c text}', NULL),
('account', 'account', 'country', 'coalesce({t.billing_country text?}, {t.billing_country_code text?})', NULL),
('account', 'account', 'industry', '{t.industry text}', NULL),
('account', 'account', 'employees', '{t.number_of_employees integer}', NULL),
('account', 'account', 'owner_id', '{t.owner_id text}', NULL),
('account', 'account', 'is_partner', $$coalesce({t.is_partner boolean?}, false) OR coalesce({t.type text?} = 'Partner', false)$$, NULL),
('account', 'account', 'created_at', '{t.created_date timestamptz}', NULL),

('opportunity', 'opportunity', 'opportunity_id', '{t.id id}', NULL),
('opportunity', 'opportunity', 'account_id', '{t.account_id text}', NULL),
('opportunity', 'opportunity', 'amount', '{t.amount money}', NULL),
('opportunity', 'opportunity', 'is_closed', '{t.is_closed boolean}', NULL),
('opportunity', 'opportunity', 'is_won', '{t.is_won boolean}', NULL),
('opportunity', 'opportunity', 'created_at', '{t.created_date timestamptz}', NULL),
('opportunity', 'opportunity', 'close_date', '{t.close_date date}', NULL),
('opportunity', 'opportunity', 'opportunity_name', '{t.name text}', NULL),
('opportunity', 'opportunity', 'stage', '{t.stage_name text}', NULL),
('opportunity', 'opportunity', 'currency', '{t.currency_iso_code text}', NULL),
('opportunity', 'opportunity', 'route_id', '{t.route_c text}', NULL),
('opportunity', 'opportunity', 'partner_id', 'coalesce({t.partner_account_id text?}, {t.partner_account_c text?})', NULL),
('opportunity', 'opportunity', 'owner_id', '{t.owner_id text}', NULL),
('opportunity', 'opportunity', 'segment', 'coalesce({t.segment_c text?}, {t.account_segment_c text?})', NULL),
('opportunity', 'opportunity', 'region', '{t.region_c text}', NULL),
('opportunity', 'opportunity', 'product', '{t.product_c text}', NULL),
('opportunity', 'opportunity', 'deal_type', '{t.type text}', NULL),
('opportunity', 'opportunity', 'margin', '{t.margin_c money}', NULL),
('opportunity', 'opportunity', 'probability', '{t.probability numeric} * 0.01', NULL),

('opportunity_stage', 'opportunity_history', 'opportunity_id', '{t.opportunity_id id}', NULL),
('opportunity_stage', 'opportunity_history', 'stage', '{t.stage_name id}', NULL),
('opportunity_stage', 'opportunity_history', 'entered_at', '{t.created_date timestamptz}', NULL),
('opportunity_stage', 'opportunity_history', 'amount', '{t.amount money}', NULL),

('touch', 'campaign_member', 'touch_id', '{t.id id}', NULL),
-- The response is a day; a member who responded on the day of entry did so then.
('touch', 'campaign_member', 'touched_at', 'CASE WHEN {t.first_responded_date date?} = {t.created_date date?} THEN {t.created_date timestamptz?} ELSE coalesce({t.first_responded_date timestamptz?}, {t.created_date timestamptz?}) END', NULL),
('touch', 'campaign_member', 'channel', '{c.type label}', 'campaign'),
('touch', 'campaign_member', 'account_id', '{t.account_id text}', NULL),
('touch', 'campaign_member', 'contact_id', 'coalesce({t.contact_id text?}, {t.lead_id text?})', NULL),
('touch', 'campaign_member', 'partner_id', '{c.partner_account_c text}', NULL),
('touch', 'campaign_member', 'responded', '{t.has_responded boolean}', NULL),
('touch', 'task', 'touch_id', '{t.id id}', NULL),
('touch', 'task', 'touched_at', 'coalesce({t.completed_date_time timestamptz?}, {t.activity_date timestamptz?}, {t.created_date timestamptz?})', NULL),
('touch', 'task', 'channel', 'coalesce({t.type label?}, {t.task_subtype label?})', 'task'),
('touch', 'task', 'opportunity_id', $$CASE WHEN {t.what_id text} LIKE '006%' THEN {t.what_id text} END$$, NULL),
('touch', 'task', 'account_id', '{t.account_id text}', NULL),
('touch', 'task', 'contact_id', '{t.who_id text}', NULL),
('touch', 'task', 'partner_id', '{t.partner_account_c text}', NULL),
('touch', 'task', 'responded', '{t.is_closed boolean}', NULL),
('touch', 'event', 'touch_id', '{t.id id}', NULL),
('touch', 'event', 'touched_at', 'coalesce({t.start_date_time timestamptz?}, {t.activity_date_time timestamptz?}, {t.activity_date timestamptz?}, {t.created_date timestamptz?})', NULL),
('touch', 'event', 'channel', 'coalesce({t.type label?}, {t.event_subtype label?})', 'meeting'),
('touch', 'event', 'opportunity_id', $$CASE WHEN {t.what_id text} LIKE '006%' THEN {t.what_id text} END$$, NULL),
('touch', 'event', 'account_id', '{t.account_id text}', NULL),
('touch', 'event', 'contact_id', '{t.who_id text}', NULL),
('touch', 'event', 'partner_id', '{t.partner_account_c text}', NULL),

-- A lead stays beside the contact it became: touches name either.
('contact', 'contact', 'contact_id', '{t.id id}', NULL),
('contact', 'contact', 'account_id', '{t.account_id text}', NULL),
('contact', 'contact', 'email', '{t.email text}', NULL),
('contact', 'contact', 'title', '{t.title text}', NULL),
('contact', 'lead', 'contact_id', '{t.id id}', NULL),
('contact', 'lead', 'account_id', '{t.converted_account_id text}', NULL),
('contact', 'lead', 'email', '{t.email text}', NULL),
('contact', 'lead', 'title', '{t.title text}', NULL),
('contact', 'lead', 'lead_created_at', '{t.created_date timestamptz}', NULL),

('partner', 'account', 'partner_id', '{t.id id}', NULL),
('partner', 'account', 'partner_name', '{t.name text}', NULL),
('partner', 'account', 'partner_type', '{t.partner_type_c text}', NULL),
('partner', 'account', 'tier', '{t.partner_tier_c text}', NULL),
('partner', 'account', 'region', 'coalesce({t.region_c text?}, {t.billing_country text?}, {t.billing_country_code text?})', NULL),
('partner', 'account', 'account_id', '{t.id id}', NULL),

('opportunity_contact', 'opportunity_contact_role', 'opportunity_id', '{t.opportunity_id id}', NULL),
('opportunity_contact', 'opportunity_contact_role', 'contact_id', '{t.contact_id id}', NULL),
('opportunity_contact', 'opportunity_contact_role', 'role', '{t.role text}', NULL),
('opportunity_contact', 'opportunity_contact_role', 'is_primary', '{t.is_primary boolean}', NULL),

('opportunity_partner', 'opportunity_partner', 'opportunity_id', '{t.opportunity_id id}', NULL),
('opportunity_partner', 'opportunity_partner', 'partner_id', '{t.account_to_id id}', NULL),
('opportunity_partner', 'opportunity_partner', 'role', '{t.role text}', NULL),
('opportunity_partner', 'opportunity_partner', 'is_primary', '{t.is_primary boolean}', NULL),
('opportunity_partner', 'opportunity_partner', 'since', '{t.created_date timestamptz}', NULL),

('product_line', 'opportunity_line_item', 'opportunity_id', '{t.opportunity_id id}', NULL),
('product_line', 'opportunity_line_item', 'line_id', '{t.id id}', NULL),
('product_line', 'opportunity_line_item', 'product', 'coalesce({p.name text?}, {t.name text?}, {t.product_code text?}, {t.product_2_id text?})', NULL),
('product_line', 'opportunity_line_item', 'quantity', '{t.quantity numeric}', NULL),
('product_line', 'opportunity_line_item', 'amount', '{t.total_price money}', NULL),

('spend', 'spend_entry', 'spend_id', '{t.spend_id id}', NULL),
('spend', 'spend_entry', 'period', '{t.period date}', NULL),
('spend', 'spend_entry', 'route_id', '{t.route_id text}', NULL),
('spend', 'spend_entry', 'category', '{t.category text}', NULL),
('spend', 'spend_entry', 'amount', '{t.amount money}', NULL),
('spend', 'spend_entry', 'currency', '{t.currency text}', NULL),
('spend', 'spend_entry', 'partner_id', '{t.partner_id text}', NULL),
('spend', 'spend_entry', 'channel', '{t.channel text}', NULL),

-- The CRM keeps units of a currency for one of the corporate currency.
('fx_rate', 'dated_conversion_rate', 'from_currency', '{k.iso_code text}', NULL),
('fx_rate', 'dated_conversion_rate', 'to_currency', '{t.iso_code text}', NULL),
('fx_rate', 'dated_conversion_rate', 'on_date', '{t.start_date date}', NULL),
('fx_rate', 'dated_conversion_rate', 'rate', '{t.conversion_rate numeric}', NULL),
('fx_rate', 'fx_rate', 'from_currency', '{t.from_currency text}', NULL),
('fx_rate', 'fx_rate', 'to_currency', '{t.to_currency text}', NULL),
('fx_rate', 'fx_rate', 'on_date', '{t.on_date date}', NULL),
('fx_rate', 'fx_rate', 'rate', '{t.rate numeric}', NULL),

('app_user', 'user', 'user_id', '{t.id id}', NULL),
('app_user', 'user', 'user_name', '{t.name text}', NULL),
('app_user', 'user', 'manager_id', '{t.manager_id text}', NULL),
('app_user', 'user', 'region', '{t.region_c text}', NULL),
('app_user', 'user', 'is_active', '{t.is_active boolean}', NULL)
) c;

-- The touch of a campaign changes with the campaign.
INSERT INTO revrtm.adapter_column (adapter, relation, branch, column_name, expression)
SELECT s.adapter, s.relation, s.branch, c.column_name,
       CASE s.branch WHEN 'campaign_member'
                     THEN 'greatest({t._fivetran_synced timestamptz}, {c._fivetran_synced timestamptz?})'
                     ELSE '{t._fivetran_synced timestamptz}' END
FROM revrtm.adapter_source s JOIN revrtm.relation_column c ON c.relation = s.relation
WHERE s.adapter = 'salesforce_fivetran' AND s.alias = 't' AND c.column_name = 'synced_at';

INSERT INTO revrtm.adapter_filter (adapter, relation, branch, filter, expression, required) VALUES
('salesforce_fivetran', 'opportunity_stage', 'opportunity_history', 'entry',
 't.stage_name IS NOT NULL AND t.stage_name IS DISTINCT FROM t.stage_before', false),
('salesforce_fivetran', 'partner', 'account', 'partner', $$({t.is_partner boolean?} OR {t.type text?} = 'Partner')$$, true),
('salesforce_fivetran', 'fx_rate', 'dated_conversion_rate', 'rate', '{t.conversion_rate numeric} > 0', true);

CREATE FUNCTION revrtm.adapter_reading(reference text, type regtype, kind text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN type IS NULL THEN
            'NULL::' || CASE WHEN kind IN ('id', 'label') THEN 'text' WHEN kind = 'money' THEN 'numeric' ELSE kind END
        WHEN kind = 'id' THEN reference || '::text'
        WHEN kind = 'text' THEN format('nullif(btrim(%s::text), '''')', reference)
        WHEN kind = 'label' THEN
            format('nullif(replace(lower(btrim(%s::text) COLLATE "C"), '' '', ''_''), '''') COLLATE "default"', reference)
        WHEN type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN
            format(CASE kind WHEN 'date' THEN 'nullif(btrim(%s), '''')::timestamp::date'
                             WHEN 'timestamptz' THEN 'nullif(btrim(%s), '''')::timestamp AT TIME ZONE ''UTC'''
                             WHEN 'boolean' THEN 'nullif(btrim(%s), '''')::boolean'
                             WHEN 'integer' THEN 'nullif(btrim(%s), '''')::numeric::integer'
                             ELSE 'nullif(btrim(%s), '''')::numeric' END, reference)
        WHEN kind = 'money' AND type IN ('float8'::regtype, 'float4'::regtype) THEN
            format('round(%s::numeric, 4)', reference)
        WHEN kind = 'money' THEN reference || '::numeric'
        WHEN kind = 'date' AND type = 'timestamptz'::regtype THEN
            format('(%s AT TIME ZONE ''UTC'')::date', reference)
        WHEN kind = 'timestamptz' AND type <> 'timestamptz'::regtype THEN
            format('%s::timestamp AT TIME ZONE ''UTC''', reference)
        ELSE reference || '::' || kind
    END;
END;
COMMENT ON FUNCTION revrtm.adapter_reading(text, regtype, text) IS
'SQL that reads a column of a type (NULL for a missing one) as id (text as it is), text (trimmed, blank is NULL), label (trimmed, lower case, spaces as underscores, blank is NULL), numeric, money (double precision rounded to 4 decimals, the most that a currency has), integer, boolean, date or timestamptz; a day, instant or text without a zone is UTC.';

CREATE FUNCTION revrtm.adapter_expression(expression text, sources jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    m text[];
    type text;
    found_one boolean;
BEGIN
    FOR m IN SELECT DISTINCT regexp_matches(adapter_expression.expression, '(\{(\w+)\.(\w+) (\w+)(\??)\})', 'g') LOOP
        type := sources -> m[2] ->> m[3];
        IF type IS NULL AND m[5] = '' THEN
            RETURN NULL;
        END IF;
        found_one := coalesce(found_one, false) OR type IS NOT NULL;
        expression := replace(expression, m[1],
            revrtm.adapter_reading(format('%I.%I', m[2], m[3]), type::regtype, m[4]));
    END LOOP;
    RETURN CASE WHEN found_one IS DISTINCT FROM false THEN expression END;
END
$$;
COMMENT ON FUNCTION revrtm.adapter_expression(text, jsonb) IS
'The expression of an adapter with its columns written out; sources says the type of each column of each alias. NULL when it is not usable.';

CREATE FUNCTION revrtm.adapter_branch(adapter text, relation text, schema text)
RETURNS TABLE (branch text, preference integer, lacks text, targets jsonb, source text)
LANGUAGE plpgsql STABLE ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    s record;
    sources jsonb;
    has_deleted boolean := EXISTS (SELECT FROM revrtm.relation_column c
                                   WHERE c.relation = adapter_branch.relation AND c.column_name = 'deleted');
BEGIN
    FOR branch, preference IN
        SELECT a.branch, a.preference FROM revrtm.adapter_source a
        WHERE a.adapter = adapter_branch.adapter AND a.relation = adapter_branch.relation AND a.alias = 't'
    LOOP
        lacks := NULL;
        sources := '{}';
        source := 'FROM';
        FOR s IN
            SELECT a.alias, a.table_name, a.item, a.needs, a.required, x.name, x.present,
                   concat_ws(' AND ', revrtm.adapter_expression(d.current_row, x.self),
                             CASE WHEN a.alias = 't' AND NOT has_deleted
                                  THEN 'NOT (' || revrtm.adapter_expression(d.deleted_row, x.self) || ')' END) AS rows
            FROM revrtm.adapter_source a JOIN revrtm.adapter d ON d.adapter = a.adapter,
                 LATERAL (SELECT format('%I.%I', schema, a.table_name) AS name) n,
                 LATERAL (SELECT n.name, jsonb_object_agg(k.attname, k.atttypid::regtype) AS present,
                                 jsonb_build_object('t', jsonb_object_agg(k.attname, k.atttypid::regtype)) AS self
                          FROM pg_class c JOIN pg_attribute k ON k.attrelid = c.oid
                               JOIN pg_namespace p ON p.oid = c.relnamespace
                          WHERE p.nspname = schema AND c.relname = a.table_name
                            AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
                            AND k.attnum > 0 AND NOT k.attisdropped) x
            WHERE a.adapter = adapter_branch.adapter AND a.relation = adapter_branch.relation
              AND a.branch = adapter_branch.branch
            ORDER BY a.alias <> 't', a.alias
        LOOP
            IF s.present ?& s.needs THEN
                sources := sources || jsonb_build_object(s.alias, s.present);
                source := source || ' ' || format(s.item,
                    CASE WHEN s.rows = '' THEN s.name
                         ELSE format('(SELECT * FROM %s t WHERE %s)', s.name, s.rows) END) || E'\n';
            ELSIF s.required THEN
                lacks := 'table ' || s.table_name;
            END IF;
        END LOOP;

        FOR s IN
            SELECT f.filter, f.required, revrtm.adapter_expression(f.expression, sources) AS condition,
                   row_number() OVER w AS place
            FROM revrtm.adapter_filter f
            WHERE f.adapter = adapter_branch.adapter AND f.relation = adapter_branch.relation
              AND f.branch = adapter_branch.branch
            WINDOW w AS (ORDER BY f.required AND revrtm.adapter_expression(f.expression, sources) IS NULL, f.filter)
        LOOP
            IF s.condition IS NOT NULL THEN
                source := source || CASE s.place WHEN 1 THEN 'WHERE ' ELSE '  AND ' END || s.condition || E'\n';
            ELSIF s.required THEN
                lacks := coalesce(lacks, 'filter ' || s.filter);
            END IF;
        END LOOP;

        targets := (
            SELECT coalesce(jsonb_object_agg(x.column_name, x.target) FILTER (WHERE x.target IS NOT NULL), '{}')
            FROM (SELECT a.column_name,
                         CASE WHEN a.fallback IS NULL THEN revrtm.adapter_expression(a.expression, sources)
                              ELSE format('coalesce(%s, %L)',
                                          coalesce(revrtm.adapter_expression(a.expression, sources), 'NULL::text'),
                                          a.fallback) END AS target
                  FROM revrtm.adapter_column a
                  WHERE a.adapter = adapter_branch.adapter AND a.relation = adapter_branch.relation
                    AND a.branch = adapter_branch.branch
                  UNION ALL
                  SELECT 'deleted', revrtm.adapter_expression(d.deleted_row, sources)
                  FROM revrtm.adapter d WHERE d.adapter = adapter_branch.adapter AND has_deleted) x);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION revrtm.adapter_branch(text, text, text) IS
'What an adapter makes of a schema for one relation: per SELECT the table or filter it lacks, if any, the expressions of the columns it finds, and its FROM and WHERE.';

CREATE FUNCTION revrtm.bind_adapter(adapter text, schema text)
RETURNS TABLE (relation text, bound boolean, columns text[], missing text[])
LANGUAGE plpgsql VOLATILE ROWS 12
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    problems text;
    plan jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM revrtm.adapter a WHERE a.adapter = bind_adapter.adapter) THEN
        RAISE EXCEPTION 'there is no adapter %', quote_nullable(adapter)
            USING ERRCODE = '22023',
                  HINT = (SELECT 'The adapters are ' || string_agg(a.adapter, ', ' ORDER BY a.adapter) || '.'
                          FROM revrtm.adapter a);
    ELSIF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema) THEN
        RAISE EXCEPTION 'there is no schema %', quote_nullable(schema) USING ERRCODE = '3F000';
    END IF;

    -- One row a relation: what its usable SELECTs are, and what they lack.
    WITH branch AS (
        SELECT r.relation, b.*,
               min(b.preference) FILTER (WHERE b.lacks IS NULL) OVER (PARTITION BY r.relation) AS best
        FROM revrtm.relation r, revrtm.adapter_branch(bind_adapter.adapter, r.relation, schema) b
    ), wanted AS (
        SELECT c.*, EXISTS (SELECT FROM branch b WHERE b.relation = c.relation AND b.lacks IS NULL
                                AND b.preference = b.best AND b.targets ? c.column_name) AS given
        FROM revrtm.relation_column c
    ), problem AS (
        SELECT format('%s.%s: none of %s.', b.relation, w.column_name,
                      (SELECT string_agg(DISTINCT format('%I.%I.%I', schema, s.table_name, m[2]), ', ')
                       FROM revrtm.adapter_column a, regexp_matches(a.expression, '\{(\w+)\.(\w+)', 'g') m,
                            revrtm.adapter_source s
                       WHERE (a.adapter, a.relation, a.branch, a.column_name)
                             = (bind_adapter.adapter, b.relation, b.branch, w.column_name)
                         AND (s.adapter, s.relation, s.branch, s.alias)
                             = (a.adapter, a.relation, a.branch, m[1]))) AS line
        FROM branch b JOIN wanted w ON w.relation = b.relation AND w.required AND NOT b.targets ? w.column_name
        WHERE b.lacks IS NULL AND b.preference = b.best
    ), part AS (
        SELECT b.relation, b.branch,
               'SELECT ' || string_agg(format('(%s)::%s AS %I', coalesce(b.targets ->> w.column_name, 'NULL'),
                                              w.type, w.column_name), E',\n       ' ORDER BY w.ordinal)
               || E'\n' || b.source AS query
        FROM branch b JOIN wanted w ON w.relation = b.relation AND w.given
        WHERE b.lacks IS NULL AND b.preference = b.best
        GROUP BY b.relation, b.branch, b.targets, b.source
    ), whole AS (
        SELECT b.relation,
               (SELECT string_agg(p.query, E'UNION ALL\n' ORDER BY p.branch)
                FROM part p WHERE p.relation = b.relation) AS query,
               array_agg(b.lacks ORDER BY b.branch) FILTER (WHERE b.preference = coalesce(b.best, b.preference)
                                                              AND b.lacks IS NOT NULL)
               || ARRAY(SELECT w.column_name FROM wanted w
                        WHERE w.relation = b.relation AND NOT w.given AND b.best IS NOT NULL
                        ORDER BY w.ordinal) AS missing
        FROM branch b GROUP BY b.relation, b.best
    )
    SELECT jsonb_agg(to_jsonb(w) ORDER BY w.relation) FILTER (WHERE w.query IS NOT NULL OR w.missing IS NOT NULL),
           (SELECT string_agg(p.line, E'\n' ORDER BY p.line) FROM problem p)
    INTO plan, problems
    FROM whole w;

    IF NOT plan @? '$[*].query ? (@ != null)' THEN
        RAISE EXCEPTION 'schema "%" holds no table that % reads', schema, adapter
            USING ERRCODE = '22023',
                  HINT = (SELECT 'The tables are ' || string_agg(DISTINCT s.table_name, ', ') || '.'
                          FROM revrtm.adapter_source s WHERE s.adapter = bind_adapter.adapter);
    ELSIF problems IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" lacks columns that % needs', schema, adapter
            USING ERRCODE = '22023', DETAIL = problems,
                  HINT = 'Let the pipeline bring them, or bind a query of your own with revrtm.bind.';
    END IF;

    RETURN QUERY
    SELECT p.relation, p.query IS NOT NULL,
           CASE WHEN p.query IS NULL THEN ARRAY[]::text[] ELSE revrtm.bind(p.relation, p.query) END,
           coalesce(p.missing, ARRAY[]::text[])
    FROM jsonb_to_recordset(plan) p (relation text, query text, missing text[]);
END
$$;
COMMENT ON FUNCTION revrtm.bind_adapter(text, text) IS
'Binds every relation whose tables an adapter finds in a schema, and leaves the others as they are; says what it bound, with which columns, and the tables and optional columns it did not find. 22023 with the list where a table lacks a column that is required.';

CREATE FUNCTION revrtm.bind_salesforce(schema text, flavour text DEFAULT 'fivetran')
RETURNS TABLE (relation text, bound boolean, columns text[], missing text[])
LANGUAGE sql VOLATILE ROWS 12
BEGIN ATOMIC
    SELECT b.relation, b.bound, b.columns, b.missing
    FROM revrtm.bind_adapter('salesforce_' || flavour, schema) b;
END;
COMMENT ON FUNCTION revrtm.bind_salesforce(text, text) IS
'Binds a schema in which a pipeline (flavour: fivetran) lands Salesforce; one row a relation: whether it is bound, its columns, and the tables and optional columns that are missing. Soft-deleted rows stay in account, opportunity, touch and contact with deleted = true, elsewhere they are left out.';
