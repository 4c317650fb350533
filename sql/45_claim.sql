-- Which claims on an account collide, over any query.

CREATE FUNCTION revrtm.overlapping_claims(query text)
RETURNS TABLE (claim_a text, claim_b text, account_id text, product text, region text, overlap daterange)
LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000 ROWS 100
SET transaction_read_only = on
AS 'MODULE_PATHNAME', 'revrtm_overlapping_claims';
COMMENT ON FUNCTION revrtm.overlapping_claims(text) IS
'Pairs of claims of different parties on one account whose products, regions and days overlap, claim_a before claim_b bytewise. The query gives, in any order, claim_id, account_id, party, product, region (text) and during (daterange); it runs read-only with the caller''s rights. NULL product or region is any; a name found in revrtm.product or revrtm.region compares by ancestry, else by equality; a NULL party is a party of its own; product and region shown are the narrower of the two; an empty during never overlaps. A claim may have several rows; each pair of rows is one result. 42804 lists all missing, unknown and ill-typed columns; a NULL claim_id, account_id or during raises 22023.';
