-- Criteria as data: lists of {"field", "op", "value"} that plays, tiers and
-- holdovers judge rows by; and the portfolio's terms.

CREATE FUNCTION revrtm.criteria_check("row" jsonb, criteria jsonb, OUT ok boolean, OUT failed text[])
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_criteria_check';
COMMENT ON FUNCTION revrtm.criteria_check(jsonb, jsonb) IS
'Whether a row, as to_jsonb makes one, meets every criterion of a list, and those it does not, in their order, each with the reason. A criterion is {"field": name, "op": operator, "value": value}. Operators: = != < <= > >= compare numbers as numbers, text bytewise (dates as YYYY-MM-DD) and false before true; in and not_in look the row''s value up in a list; contains looks for an element in a list of the row, or for a part of a text; exists asks whether there is a value, or with false whether there is none. An unknown field or operator, a null, and values of two types are criteria that are not met, never errors. No criteria (NULL or []) are met; a NULL row has no fields.';

CREATE FUNCTION revrtm.is_descending(cut numeric[]) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(pg_catalog.bool_and(coalesce(c.cut > 0 AND c.cut < coalesce(c.before, 'Infinity'), false)), false)
    FROM (SELECT u.cut, pg_catalog.lag(u.cut) OVER (ORDER BY u.n) AS before
          FROM pg_catalog.unnest(is_descending.cut) WITH ORDINALITY u (cut, n)) c;
END;
COMMENT ON FUNCTION revrtm.is_descending(numeric[]) IS
'Whether the numbers, one at least, are finite, above zero and each below the one before.';

CREATE TABLE revrtm.portfolio_rule (
    rule             text PRIMARY KEY DEFAULT 'default' CHECK (rule = 'default'),
    activity_days    integer NOT NULL DEFAULT 90 CHECK (activity_days BETWEEN 1 AND 36500),
    tier_cut         numeric[] NOT NULL DEFAULT '{0.7,0.45,0.2}',
    tier_keep        numeric NOT NULL DEFAULT 0.9,
    tier_weight      numeric[] NOT NULL DEFAULT '{0.5,0.3,0.2}',
    full_potential   numeric NOT NULL DEFAULT 250000,
    full_performance numeric NOT NULL DEFAULT 100000,
    fit              jsonb NOT NULL DEFAULT '[]',
    shipped          boolean NOT NULL DEFAULT false,
    CONSTRAINT portfolio_rule_cut CHECK (revrtm.is_descending(tier_cut)),
    CONSTRAINT portfolio_rule_keep CHECK (tier_keep > 0 AND tier_keep <= 1),
    CONSTRAINT portfolio_rule_weight CHECK (cardinality(tier_weight) = 3 AND 0 <= ALL (tier_weight)
        AND (tier_weight[1] + tier_weight[2] + tier_weight[3] = 1) IS TRUE),
    CONSTRAINT portfolio_rule_full CHECK (full_potential > 0 AND full_potential < 'Infinity'
        AND full_performance > 0 AND full_performance < 'Infinity'),
    CONSTRAINT portfolio_rule_fit CHECK (jsonb_typeof(fit) = 'array')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.portfolio_rule', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.portfolio_rule IS 'The terms of coverage and account tiers: one row, which is shipped.';
COMMENT ON COLUMN revrtm.portfolio_rule.rule IS 'default; there is one rule.';
COMMENT ON COLUMN revrtm.portfolio_rule.activity_days IS
'How many days (of 24 hours) back from today a touch makes an account one that somebody works on.';
COMMENT ON COLUMN revrtm.portfolio_rule.tier_cut IS
'Scores at which an account is promoted to tier 1, 2, …, descending; what reaches none is of the tier after the last.';
COMMENT ON COLUMN revrtm.portfolio_rule.tier_keep IS
'An account that is in a tier stays there until its score falls below this part of the cut, so that none goes up and down at every refresh; 1 for no such margin.';
COMMENT ON COLUMN revrtm.portfolio_rule.tier_weight IS
'Weights of potential, performance and fit in the score; they sum to 1 (constraint portfolio_rule_weight).';
COMMENT ON COLUMN revrtm.portfolio_rule.full_potential IS 'Potential, in revrtm.currency, from which on its part of the score is 1.';
COMMENT ON COLUMN revrtm.portfolio_rule.full_performance IS
'Amount won in twelve months, in revrtm.currency, from which on its part of the score is 1.';
COMMENT ON COLUMN revrtm.portfolio_rule.fit IS
'Criteria about accounts, see criteria_check; the share that an account meets is its fit. The fields are account_id, parent_account_id, domain, segment, region, country, industry, employees, owner_id and created_on. Without any criterion fit has no part in the score.';
COMMENT ON COLUMN revrtm.portfolio_rule.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';
INSERT INTO revrtm.portfolio_rule (shipped) VALUES (true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.portfolio_rule
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('rule');
SELECT revrtm.register_policy('revrtm.portfolio_rule');

CREATE FUNCTION revrtm.terms_hash(table_name text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.policy_hash(pg_catalog.jsonb_build_object('version', 1, 'tables', pg_catalog.jsonb_build_object(
        terms_hash.table_name, revrtm.policy_rows(terms_hash.table_name))));
END;
COMMENT ON FUNCTION revrtm.terms_hash(text) IS
'policy_hash() of one policy table as it is now: what a run was made under.';

CREATE FUNCTION revrtm.is_validity(valid tstzrange) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT pg_catalog.isempty(valid)
       AND pg_catalog.isfinite(pg_catalog.lower(valid)) IS NOT FALSE
       AND pg_catalog.isfinite(pg_catalog.upper(valid)) IS NOT FALSE
       AND (pg_catalog.lower_inf(valid) OR pg_catalog.lower_inc(valid)) AND NOT pg_catalog.upper_inc(valid);
END;
COMMENT ON FUNCTION revrtm.is_validity(tstzrange) IS
'Whether a range is [from, until), not empty, a side without end being NULL rather than infinity.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_activity', 'Nobody touched the account of late, and it has no open deal.'),
('no_entry', 'No deal came into the play, so there is no rate.'),
('no_owner', 'The account has no owner in the CRM.'),
('no_play', 'No play of the leading route is for this segment, product and region.'),
('no_potential', 'No potential is known, so there is no share of it.'),
('no_wins', 'No deal was won among those that closed: the win rate is zero, so no pipeline is enough.'),
('no_territory', 'The account is in no territory, so that the owner is the one in the CRM.'),
('no_whitespace', 'All the potential is sold or in the pipeline, so there is no share of what is left.'),
('split_not_whole', 'The shares of the members of the territory do not sum to 1.'),
('unassigned_territory', 'Nobody is the primary owner of the territory, so that the owner is the one in the CRM.'),
('unknown_account', 'The account is not in the CRM, or was deleted there.'),
('unknown_territory', 'The territory is not in revrtm.territory.');
