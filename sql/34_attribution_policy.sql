-- Which touches of a deal count, by its route: the policies, and what they
-- say in the query that builds journeys.

CREATE TABLE revrtm.attribution_policy (
    route_id       text PRIMARY KEY CHECK (route_id <> ''),
    lookback       interval,
    anchor         text NOT NULL DEFAULT 'closed',
    anchor_stage   text,
    after_anchor   boolean NOT NULL DEFAULT false,
    step_limit     integer,
    contacts       text NOT NULL DEFAULT 'account',
    responded_only boolean NOT NULL DEFAULT true,
    merge_within   interval,
    transforms     text[] NOT NULL DEFAULT '{}',
    shipped        boolean NOT NULL DEFAULT false,
    CONSTRAINT attribution_policy_lookback CHECK (isfinite(lookback) AND lookback >= '0'
        AND extract(year FROM lookback) = 0 AND extract(month FROM lookback) = 0),
    CONSTRAINT attribution_policy_anchor CHECK (anchor IN ('closed', 'created', 'stage')),
    CONSTRAINT attribution_policy_anchor_stage CHECK ((anchor = 'stage') = (anchor_stage IS NOT NULL) AND anchor_stage <> ''),
    CONSTRAINT attribution_policy_step_limit CHECK (step_limit > 0),
    CONSTRAINT attribution_policy_contacts CHECK (contacts IN ('account', 'role', 'primary')),
    CONSTRAINT attribution_policy_merge_within CHECK (isfinite(merge_within) AND merge_within >= '0'
        AND extract(year FROM merge_within) = 0 AND extract(month FROM merge_within) = 0),
    CONSTRAINT attribution_policy_transforms CHECK (revrtm.transform('{}', transforms) IS NOT NULL)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.attribution_policy', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.attribution_policy IS
'Which touches of a deal count, by its route: a route''s own row, else the shipped one, (any). The next refresh_journeys() after a change reads everything.';
COMMENT ON COLUMN revrtm.attribution_policy.route_id IS 'The deal''s route; (any) is every route without a row of its own.';
COMMENT ON COLUMN revrtm.attribution_policy.lookback IS
'How long before the anchor a touch counts, elapsed time (a day is 24 hours; months and years are refused); 0 is no limit, NULL the setting revrtm.lookback.';
COMMENT ON COLUMN revrtm.attribution_policy.anchor IS
'What the look-back is counted from, never later than the deal''s end: closed, the deal''s end (an open deal has none: all from the look-back before its creation on counts); created; or stage, its first entry into anchor_stage. The end stands for a creation or entry that is missing.';
COMMENT ON COLUMN revrtm.attribution_policy.anchor_stage IS 'The stage, where the anchor is one.';
COMMENT ON COLUMN revrtm.attribution_policy.after_anchor IS 'Whether touches after the anchor count too, up to the deal''s end.';
COMMENT ON COLUMN revrtm.attribution_policy.step_limit IS 'Only so many of the last touches count, taken before the transforms; NULL for all.';
COMMENT ON COLUMN revrtm.attribution_policy.contacts IS
'Of the touches found by account or person, those that count: account, all; role, those of persons with a role on the deal; primary, those of its primary ones. Touches that name the deal count always.';
COMMENT ON COLUMN revrtm.attribution_policy.responded_only IS 'Whether touches with responded = false are left out.';
COMMENT ON COLUMN revrtm.attribution_policy.merge_within IS
'Two touches of a deal, of one partner and channel, that different source systems recorded this close to each other are one: the verified stands, else the earlier, else the one whose touch_id is bytewise smaller. A touch goes if a better one stands so close, be it merged into a third itself. NULL merges none.';
COMMENT ON COLUMN revrtm.attribution_policy.transforms IS 'What transform() does with the journey, once its milestones are marked.';
COMMENT ON COLUMN revrtm.attribution_policy.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.attribution_policy (route_id, shipped) VALUES ('(any)', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.attribution_policy
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('route_id');
SELECT revrtm.register_policy('revrtm.attribution_policy');
GRANT SELECT ON revrtm.attribution_policy TO PUBLIC;

CREATE FUNCTION revrtm.route_case(routes text[], answers text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN pg_catalog.count(DISTINCT a.answer) = 1 THEN pg_catalog.min(a.answer)
                ELSE 'CASE d.route_id'
                     || pg_catalog.string_agg(pg_catalog.format(' WHEN %L THEN %s', a.route_id, a.answer), ''
                                              ORDER BY a.route_id COLLATE "C") FILTER (WHERE a.route_id <> '(any)')
                     || ' ELSE ' || pg_catalog.min(a.answer) FILTER (WHERE a.route_id = '(any)') || ' END' END
    FROM ROWS FROM (pg_catalog.unnest(routes), pg_catalog.unnest(answers)) a (route_id, answer);
END;
COMMENT ON FUNCTION revrtm.route_case(text[], text[]) IS
'SQL that answers by the route of a deal d: one SQL expression a route, that of (any) for all others; the answer alone where there is one.';

CREATE FUNCTION revrtm.policy_clauses(
    OUT counts text, OUT begins text, OUT ends text, OUT responded text, OUT stages text[], OUT stage text,
    OUT contact text, OUT merge_within text, OUT transforms text
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unlimited text := '''-infinity''::timestamptz';
    lack record;
BEGIN
    SELECT p.route_id, n.relation, n.column_name INTO lack
    FROM revrtm.attribution_policy p,
         LATERAL (VALUES (p.anchor = 'stage', 'opportunity_stage', 'entered_at'),
                         (p.contacts <> 'account', 'opportunity_contact', 'contact_id'),
                         (p.contacts = 'primary', 'opportunity_contact', 'is_primary'),
                         (p.merge_within IS NOT NULL, 'touch', 'partner_id'),
                         (p.merge_within IS NOT NULL, 'touch', 'source_system')) n (needed, relation, column_name)
    WHERE n.needed AND n.column_name <> ALL (revrtm.bound_columns(n.relation))
    ORDER BY p.route_id COLLATE "C", n.relation, n.column_name LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the attribution policy of route % needs %.%, which is not bound',
                        quote_literal(lack.route_id), lack.relation, lack.column_name
            USING ERRCODE = '55000',
                  HINT = 'Bind it with revrtm.bind, or change the row of revrtm.attribution_policy.';
    END IF;

    SELECT revrtm.route_case(p.routes, p.begins), revrtm.route_case(p.routes, p.ends),
           revrtm.route_case(p.routes, p.responded), p.stages, revrtm.route_case(p.routes, p.stage),
           nullif(revrtm.route_case(p.routes, p.contact), 'true'),
           nullif(revrtm.route_case(p.routes, p.merge_within), 'NULL::interval'),
           nullif(revrtm.route_case(p.routes, p.transforms), '''{}''::text[]')
    INTO begins, ends, responded, stages, stage, contact, merge_within, transforms
    FROM (SELECT array_agg(q.route_id) AS routes,
                 array_agg(coalesce(format('coalesce(%s, d.created_at, ''-infinity'') - interval ', x.anchor)
                                    || quote_literal(x.lookback), unlimited)) AS begins,
                 array_agg(format('coalesce(%s, ''infinity'')',
                                  CASE WHEN q.after_anchor THEN 'd.ended_at' ELSE x.anchor END)) AS ends,
                 array_agg(q.responded_only::text) AS responded,
                 array_agg(DISTINCT q.anchor_stage) FILTER (WHERE q.anchor_stage IS NOT NULL) AS stages,
                 array_agg(format('%L::text', q.anchor_stage)) AS stage,
                 array_agg(CASE q.contacts WHEN 'account' THEN 'true' WHEN 'role' THEN 'r.contact_id IS NOT NULL'
                                           ELSE 'r.is_primary' END) AS contact,
                 array_agg(format('%L::interval', q.merge_within)) AS merge_within,
                 array_agg(format('%L::text[]', array_remove(array_prepend('cap(' || q.step_limit || ')', q.transforms),
                                                             NULL))) AS transforms
          FROM (SELECT p.* FROM revrtm.attribution_policy p
                UNION ALL
                -- As shipped, where the row was deleted.
                SELECT '(any)', NULL, 'closed', NULL, false, NULL, 'account', true, NULL, '{}', true
                WHERE NOT EXISTS (SELECT FROM revrtm.attribution_policy p WHERE p.route_id = '(any)')) q,
               LATERAL (SELECT CASE q.anchor WHEN 'closed' THEN 'd.ended_at'
                                             WHEN 'created' THEN 'least(d.created_at, d.ended_at)'
                                             ELSE 'least(d.entered_at, d.ended_at)' END AS anchor,
                               -- In seconds: a day of an interval is one of the session's time zone.
                               CASE WHEN q.lookback IS NULL THEN revrtm.lookback()
                                    WHEN q.lookback > '0' THEN
                                        extract(epoch FROM q.lookback)::float8 * interval '1 second'
                               END AS lookback) x) p;

    begins := nullif(begins, unlimited);
    responded := CASE responded WHEN 'true' THEN 't.responded IS NOT FALSE'
                                WHEN 'false' THEN NULL
                                ELSE format('(t.responded IS NOT FALSE OR NOT %s)', responded) END;
    counts := 't.deleted IS NOT TRUE AND isfinite(t.touched_at) AND t.touched_at <= ' || ends
        || coalesce(' AND t.touched_at >= ' || begins, '') || coalesce(' AND ' || responded, '');
END
$$;
COMMENT ON FUNCTION revrtm.policy_clauses() IS
'What the attribution policies say in the query that builds journeys, as SQL over a deal d, a touch t and the role r of its person: which touches count (and of that the first and last instant, and what responded must be); the stages that anchor and that of the deal; which touches found by account or person count, within which time touches are merged, and the transforms: NULL where no policy says so. 55000 where a policy needs what is not bound.';
