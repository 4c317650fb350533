-- Journeys of a whole query, in bounded memory.

CREATE FUNCTION revrtm.journeys(
    query text, OUT deal_id text, OUT amount numeric, OUT lead_created_at timestamptz, OUT journey revrtm.journey
) RETURNS SETOF record
LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000 ROWS 10000
SET transaction_read_only = on
AS 'MODULE_PATHNAME', 'revrtm_journeys';
COMMENT ON FUNCTION revrtm.journeys(text) IS
'The touches of a query packed by deal, one row a deal: what journey_agg gives for GROUP BY deal_id, for millions of deals within work_mem, spilling to temporary files. The query gives, in any order, deal_id (text, uuid or an integer), touched_at (timestamptz), channel (text) and, where it likes, amount (numeric, the deal''s whole amount, the same in all its touches), milestone, touch_id (text) and lead_created_at (timestamptz, of which the earliest is returned); it runs read-only with the caller''s rights. A row whose touched_at is NULL is skipped. 42804 lists all missing, unknown and ill-typed columns; 22023 for a NULL deal_id, an infinite instant, or amounts that differ within a deal.';
