-- The demo: a CRM as Fivetran lands Salesforce, made of nothing but a seed.

CREATE FUNCTION revrtm.demo_random(seed int, stream text, n bigint) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_demo_random';
COMMENT ON FUNCTION revrtm.demo_random(int, text, bigint) IS
'The n-th number of a stream of random numbers, uniform in [0,1) and the same on every machine; streams of another name or seed are unrelated. NULL for a NULL argument.';

CREATE FUNCTION revrtm.demo_normal(seed int, stream text, n bigint) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_demo_normal';
COMMENT ON FUNCTION revrtm.demo_normal(int, text, bigint) IS
'The n-th number of a stream of random numbers of mean 0 and variance 1, nearly normal (the sum of 12 uniform ones, so within -6 and 6), the same on every machine. NULL for a NULL argument.';

CREATE FUNCTION revrtm.demo_id(prefix text, n bigint) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_demo_id';
COMMENT ON FUNCTION revrtm.demo_id(text, bigint) IS
'The record id of 18 characters of record n: a prefix of three letters or digits that tells the kind of record, the number, and the three check characters Salesforce appends. 22023 for another prefix; 22003 for n below 0 or from 62^9 on. NULL for a NULL argument.';

CREATE FUNCTION revrtm.make_demo_tables() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
    mark constant text := 'The demo CRM of revrtm: load_demo() drops it and makes it anew.';
    found_mark text;
BEGIN
    SELECT coalesce(obj_description(n.oid, 'pg_namespace'), '') INTO found_mark
    FROM pg_namespace n WHERE n.nspname = 'revrtm_demo';
    IF found_mark <> mark THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema "revrtm_demo" already exists and is not the demo''s',
            DETAIL = 'Only a schema that an earlier load_demo() made is replaced; its comment tells.',
            HINT = 'Rename or drop the schema.';
    END IF;
    DROP SCHEMA IF EXISTS revrtm_demo CASCADE;
    CREATE SCHEMA revrtm_demo;
    EXECUTE format('COMMENT ON SCHEMA revrtm_demo IS %L', mark);

    CREATE TABLE revrtm_demo.account (
        id text, name text, parent_id text, website text, industry text, type text,
        is_partner boolean, partner_type_c text, partner_tier_c text,
        billing_country text, account_segment_c text, region_c text,
        owner_id text, number_of_employees int, annual_revenue double precision,
        created_date timestamptz, last_modified_date timestamptz, master_record_id text,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.contact (
        id text, account_id text, first_name text, last_name text, name text, email text,
        title text, lead_source text, owner_id text,
        created_date timestamptz, last_modified_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.lead (
        id text, first_name text, last_name text, email text, company text, status text,
        lead_source text, owner_id text, is_converted boolean, converted_date date,
        converted_account_id text, converted_contact_id text, converted_opportunity_id text,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity (
        id text, account_id text, name text, amount double precision, currency_iso_code text,
        stage_name text, is_closed boolean, is_won boolean, probability double precision,
        close_date date, created_date timestamptz, last_modified_date timestamptz,
        owner_id text, type text, lead_source text, partner_account_id text, campaign_id text,
        forecast_category text, route_c text, segment_c text, region_c text, product_c text,
        margin_c double precision,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_history (
        id text, opportunity_id text, stage_name text, amount double precision,
        probability double precision, close_date date, created_by_id text,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_partner (
        id text, opportunity_id text, account_to_id text, role text, is_primary boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_contact_role (
        id text, opportunity_id text, contact_id text, role text, is_primary boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.opportunity_line_item (
        id text, opportunity_id text, product_2_id text, quantity double precision,
        unit_price double precision, list_price double precision, discount double precision,
        total_price double precision, created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.product_2 (
        id text, name text, product_code text, family text, is_active boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.campaign (
        id text, name text, type text, status text, partner_account_c text,
        actual_cost double precision, start_date date, end_date date, is_active boolean,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.campaign_member (
        id text, campaign_id text, contact_id text, lead_id text, account_id text,
        status text, has_responded boolean, first_responded_date date,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.task (
        id text, who_id text, what_id text, account_id text, owner_id text, subject text,
        type text, task_subtype text, status text, is_closed boolean,
        activity_date date, completed_date_time timestamptz, created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.event (
        id text, who_id text, what_id text, account_id text, owner_id text, subject text,
        type text, event_subtype text, partner_account_c text,
        activity_date_time timestamptz, start_date_time timestamptz, end_date_time timestamptz,
        created_date timestamptz,
        is_deleted boolean, _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo."user" (
        id text, name text, email text, manager_id text, title text, department text,
        region_c text, user_type text, account_id text, contact_id text, is_active boolean,
        created_date timestamptz,
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.spend_entry (
        spend_id text, period date, route_id text, category text, amount numeric(18,2),
        currency text, partner_id text, channel text,
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
    CREATE TABLE revrtm_demo.fx_rate (
        from_currency text, to_currency text, on_date date, rate numeric(18,8),
        _fivetran_deleted boolean, _fivetran_synced timestamptz);
END
$$;
COMMENT ON FUNCTION revrtm.make_demo_tables() IS
'Makes the empty tables of the demo CRM in schema revrtm_demo, in place of those an earlier run made. 42P06 where a schema of that name is someone else''s.';
