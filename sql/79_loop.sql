-- The loop: through which stages deals and customers go, by route, and what
-- is done and spent there. The stages are the dimensions of the model loop.

CREATE TABLE revrtm.loop_map (
    source  text CHECK (source IN ('event', 'milestone', 'stage', 'channel', 'revenue_event', 'category')),
    value   text CHECK (value <> ''),
    stage   text NOT NULL CHECK (stage <> ''),
    shipped boolean NOT NULL DEFAULT false,
    PRIMARY KEY (source, value),
    CONSTRAINT loop_map_event CHECK (source <> 'event' OR value IN ('account', 'touch', 'deal', 'won', 'won_again')),
    CONSTRAINT loop_map_milestone CHECK (source <> 'milestone' OR value IN ('FT', 'LC', 'OC', 'CW'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.loop_map', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.loop_map IS
'What shows that a deal or customer is in a stage of the loop. Shipped for events, milestones and the stages Salesforce comes with; channels, and stages of your own, are yours to map. A row whose stage the loop does not have has no effect.';
COMMENT ON COLUMN revrtm.loop_map.source IS
'event (see value), milestone (of a touch), stage (of the CRM''s deals, relation opportunity_stage), channel (of a touch, and of spend), revenue_event (its kind), category (of spend without a mapped channel).';
COMMENT ON COLUMN revrtm.loop_map.value IS
'The milestone, stage, channel, kind (in small letters) or category. Of events: account (the CRM has the account), touch (any touch of a deal), deal (a deal was created), won (the customer''s first won deal), won_again (its second).';
COMMENT ON COLUMN revrtm.loop_map.stage IS
'A dimension of the model loop; (lost) for revenue events by which a customer leaves.';
COMMENT ON COLUMN revrtm.loop_map.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.loop_map (source, value, stage, shipped) VALUES
('event', 'account', 'unaware', true),
('event', 'touch', 'aware', true),
('event', 'deal', 'consideration', true),
('event', 'won', 'onboarding', true),
('event', 'won_again', 'value_realization', true),
('milestone', 'FT', 'aware', true),
('milestone', 'LC', 'consideration', true),
('stage', 'Prospecting', 'consideration', true),
('stage', 'Qualification', 'evaluation', true),
('stage', 'Needs Analysis', 'evaluation', true),
('stage', 'Value Proposition', 'evaluation', true),
('stage', 'Id. Decision Makers', 'evaluation', true),
('stage', 'Perception Analysis', 'evaluation', true),
('stage', 'Proposal', 'decision', true),
('stage', 'Proposal/Price Quote', 'decision', true),
('stage', 'Negotiation', 'decision', true),
('stage', 'Negotiation/Review', 'decision', true),
('revenue_event', 'usage', 'adoption', true),
('revenue_event', 'expansion', 'value_realization', true),
('revenue_event', 'renewal', 'loyalty', true),
('revenue_event', 'referral', 'advocacy', true),
('revenue_event', 'churn', '(lost)', true);
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.loop_map
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('source', 'value');
SELECT revrtm.register_policy('revrtm.loop_map');
GRANT SELECT ON revrtm.loop_map TO PUBLIC;

CREATE FUNCTION revrtm.loop_path(
    journey revrtm.journey, created_at timestamptz, ended_at timestamptz, customer_since timestamptz,
    stages integer[], entered timestamptz[], channels text[], channel_stages integer[], events integer[]
) RETURNS TABLE (stage integer, entered_at timestamptz, left_at timestamptz, touches integer)
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 ROWS 4
AS 'MODULE_PATHNAME', 'revrtm_loop_path';
COMMENT ON FUNCTION revrtm.loop_path(revrtm.journey, timestamptz, timestamptz, timestamptz, integer[], timestamptz[], text[], integer[], integer[]) IS
'Through which stages a deal went, as places from 1 to 1000: one row a stage, with its touches. A deal is in the highest stage shown so far, by the CRM''s stages and when each was entered (up to ended_at), and by events: {last stage of deals, stage of any touch, of the creation, of FT, LC, OC, CW}, of which the first must be there. A stage above the last is of customers: a touch of its channel from customer_since on counts there, in a row of its own without left_at, and moves no deal. Stage 0: touches before anything was shown. 22023 for an untimed journey and other places or events, 2202E where arrays that belong together differ in length, 22004 for a channel that is null.';

CREATE VIEW revrtm.loop_place WITH (security_invoker = true) AS
SELECT d.dimension AS loop_place_key,
       d.dimension AS stage,
       row_number() OVER (ORDER BY d.side = 'expansion', d.ordinal, d.dimension COLLATE "C")::integer AS place,
       CASE WHEN d.side = 'expansion' THEN 'expansion' ELSE 'acquisition' END AS side,
       d.dimension_name AS stage_name
FROM revrtm.maturity_dimension d
WHERE d.model = 'loop';
COMMENT ON VIEW revrtm.loop_place IS 'The stages of the loop in the order in which they are gone through. Grain: one stage.';
COMMENT ON COLUMN revrtm.loop_place.loop_place_key IS 'The stage.';
COMMENT ON COLUMN revrtm.loop_place.stage IS 'The stage, a dimension of the model loop.';
COMMENT ON COLUMN revrtm.loop_place.place IS 'Its place from 1, those of acquisition first.';
COMMENT ON COLUMN revrtm.loop_place.side IS 'acquisition or expansion; what is not of expansion is of acquisition.';
COMMENT ON COLUMN revrtm.loop_place.stage_name IS 'Title for people.';
GRANT SELECT ON revrtm.loop_place TO PUBLIC;

-- One scan of the store and one of the CRM's stages; customers and accounts
-- are few beside deals.
CREATE VIEW revrtm.loop_step WITH (security_invoker = true) AS
WITH map AS MATERIALIZED (
    SELECT m.source, m.value, p.place
    FROM revrtm.loop_map m JOIN revrtm.loop_place p ON p.stage = m.stage
), event AS MATERIALIZED (
    SELECT p.last, p.places,
           (SELECT m.place FROM map m WHERE m.source = 'event' AND m.value = 'account') AS account,
           (SELECT m.place FROM map m WHERE m.source = 'event' AND m.value = 'won') AS won,
           (SELECT m.place FROM map m WHERE m.source = 'event' AND m.value = 'won_again') AS won_again,
           ARRAY[p.last, (SELECT m.place FROM map m WHERE m.source = 'event' AND m.value = 'touch'),
                 (SELECT m.place FROM map m WHERE m.source = 'event' AND m.value = 'deal')]
           || ARRAY(SELECT m.place FROM (VALUES (1, 'FT'), (2, 'LC'), (3, 'OC'), (4, 'CW')) k (n, code)
                    LEFT JOIN map m ON m.source = 'milestone' AND m.value = k.code ORDER BY k.n) AS events,
           (SELECT array_agg(m.value ORDER BY m.value COLLATE "C") FROM map m WHERE m.source = 'channel') AS channels,
           (SELECT array_agg(m.place ORDER BY m.value COLLATE "C") FROM map m WHERE m.source = 'channel') AS channel_stages
    FROM (SELECT (count(*) FILTER (WHERE l.side = 'acquisition'))::integer AS last, count(*)::integer AS places FROM revrtm.loop_place l) p
), deal AS NOT MATERIALIZED (
    -- A deal without account is a customer of its own.
    SELECT k.opportunity_id, k.route_id, k.created_at, k.ended_at, k.is_closed, k.is_won, k.journey,
           coalesce(a.canonical_id, k.account_id) AS account_id,
           CASE k.account_id WHEN '(none)' THEN k.opportunity_id ELSE coalesce(a.canonical_id, k.account_id) END AS customer_id
    FROM revrtm.deal_journey k
    LEFT JOIN revrtm.account_merge a ON a.account_id = k.account_id
), customer AS MATERIALIZED (
    SELECT w.customer_id, w.account_id,
           (array_agg(w.route_id ORDER BY w.won_at, w.opportunity_id COLLATE "C"))[1] AS route_id,
           (array_agg(w.won_at ORDER BY w.won_at))[1] AS since,
           (array_agg(w.won_at ORDER BY w.won_at))[2] AS again
    FROM (SELECT d.customer_id, d.account_id, d.opportunity_id, d.route_id, coalesce(d.ended_at, d.created_at) AS won_at
          FROM deal d WHERE d.is_closed AND d.is_won) w
    WHERE w.won_at IS NOT NULL
    GROUP BY w.customer_id, w.account_id
), entered AS (
    SELECT s.opportunity_id, array_agg(m.place) AS stages, array_agg(s.entered_at) AS entered
    FROM revrtm.opportunity_stage s JOIN map m ON m.source = 'stage' AND m.value = s.stage
    GROUP BY s.opportunity_id
), step AS MATERIALIZED (
    SELECT d.account_id, d.customer_id, d.opportunity_id, d.route_id, p.stage, p.entered_at, p.touches, e.last,
           coalesce(p.left_at, CASE WHEN d.is_closed THEN greatest(p.entered_at, coalesce(d.ended_at, d.created_at)) END) AS left_at,
           CASE WHEN p.left_at IS NULL AND d.is_closed THEN CASE WHEN d.is_won THEN 'won' ELSE 'lost' END END AS outcome
    FROM event e
         CROSS JOIN deal d
         LEFT JOIN entered s ON s.opportunity_id = d.opportunity_id
         LEFT JOIN customer c ON c.customer_id = d.customer_id
         CROSS JOIN LATERAL revrtm.loop_path(d.journey, d.created_at, CASE WHEN d.is_closed THEN d.ended_at END, c.since,
             s.stages, s.entered, e.channels, e.channel_stages, e.events) p
), revenue AS MATERIALIZED (
    SELECT c.customer_id, m.place, m.stage = '(lost)' AS is_lost, revrtm.day_end(r.at) AS at
    FROM revrtm.revenue_event r
         JOIN (SELECT l.value, l.stage, p.place FROM revrtm.loop_map l LEFT JOIN revrtm.loop_place p ON p.stage = l.stage
               WHERE l.source = 'revenue_event' AND (p.place IS NOT NULL OR l.stage = '(lost)')) m ON m.value = lower(r.kind)
         LEFT JOIN revrtm.account_merge a ON a.account_id = r.account_id
         JOIN customer c ON c.account_id = coalesce(a.canonical_id, r.account_id) AND c.account_id <> '(none)'
    WHERE isfinite(r.at) AND revrtm.day_end(r.at) >= c.since
), shown AS (
    SELECT c.customer_id, e.won AS place, c.since AS at FROM customer c, event e
    UNION ALL
    SELECT c.customer_id, e.won_again, c.again FROM customer c, event e
    UNION ALL
    SELECT r.customer_id, r.place, r.at FROM revenue r WHERE NOT r.is_lost
    UNION ALL
    SELECT s.customer_id, s.stage, s.entered_at FROM step s WHERE s.stage > s.last
), lost AS (
    -- Who bought or did anything later has not left.
    SELECT r.customer_id, max(r.at) AS at
    FROM revenue r
    GROUP BY r.customer_id
    HAVING max(r.at) FILTER (WHERE r.is_lost) >= max(r.at)
), unaware AS (
    SELECT a.account_id, a.created_at,
           coalesce(nullif(a.segment, ''), 'ANY') AS segment,
           coalesce((SELECT g.region_id FROM revrtm.region g WHERE g.region_id = a.region), 'ANY') AS region
    FROM revrtm.account a
    WHERE a.deleted IS NOT TRUE AND a.is_partner IS NOT TRUE
      AND NOT EXISTS (SELECT FROM revrtm.account_merge m WHERE m.account_id = a.account_id)
), lead AS (
    SELECT u.segment, u.region,
           coalesce(revrtm.lead_route(u.segment, 'ANY', u.region, (SELECT revrtm.as_of())), '(none)') AS route_id
    FROM (SELECT DISTINCT u.segment, u.region FROM unaware u) u
)
SELECT 'deal:' || s.opportunity_id || ':' || s.stage AS loop_step_key,
       'deal'::text AS unit,
       s.opportunity_id AS unit_id,
       s.route_id,
       p.stage,
       s.entered_at,
       s.left_at,
       coalesce(s.outcome, CASE WHEN s.left_at IS NOT NULL THEN 'next' END) AS outcome,
       s.touches
FROM step s LEFT JOIN revrtm.loop_place p ON p.place = s.stage
WHERE s.stage <= s.last
UNION ALL
SELECT 'customer:' || c.customer_id || ':' || w.stage,
       'customer',
       c.customer_id,
       c.route_id,
       p.stage,
       w.entered_at,
       coalesce(w.left_at, l.at),
       CASE WHEN w.left_at IS NOT NULL THEN 'next' WHEN l.at IS NOT NULL THEN 'lost' END,
       0
FROM (SELECT h.customer_id, array_agg(h.place) AS stages, array_agg(h.at) AS entered
      FROM shown h WHERE h.place IS NOT NULL AND h.at IS NOT NULL GROUP BY h.customer_id) h
     JOIN customer c ON c.customer_id = h.customer_id
     LEFT JOIN lost l ON l.customer_id = h.customer_id
     CROSS JOIN event e
     CROSS JOIN LATERAL revrtm.loop_path(NULL, NULL, NULL, NULL, h.stages, h.entered, NULL, NULL,
         ARRAY[e.places, NULL, NULL, NULL, NULL, NULL, NULL]) w
     JOIN revrtm.loop_place p ON p.place = w.stage
UNION ALL
-- Touches of customers are made where their channel belongs, whoever went by.
SELECT 'touch:' || s.opportunity_id || ':' || s.stage,
       'touch',
       s.customer_id,
       c.route_id,
       p.stage,
       s.entered_at,
       NULL,
       NULL,
       s.touches
FROM step s
     JOIN customer c ON c.customer_id = s.customer_id
     JOIN revrtm.loop_place p ON p.place = s.stage
WHERE s.stage > s.last
UNION ALL
SELECT 'account:' || u.account_id || ':' || e.account,
       'account',
       u.account_id,
       l.route_id,
       p.stage,
       coalesce(u.created_at, f.at),
       CASE WHEN f.at IS NOT NULL THEN greatest(f.at, u.created_at) END,
       CASE WHEN f.at IS NOT NULL THEN 'next' END,
       0
FROM event e
     JOIN revrtm.loop_place p ON p.place = e.account
     CROSS JOIN unaware u
     JOIN lead l ON l.segment = u.segment AND l.region = u.region
     LEFT JOIN (SELECT s.account_id, min(s.entered_at) AS at FROM step s, event e
                WHERE s.stage <> e.account AND s.stage > 0 GROUP BY s.account_id) f ON f.account_id = u.account_id;
COMMENT ON VIEW revrtm.loop_step IS
'Who went through which stage of the loop, and when. Grain: one unit in one stage: an account until a deal of it shows anything, a deal from then to its end, a customer (an account with a won deal) from its first one on; and one row for the touches of a deal that are a customer''s. Deals and customers are in the highest stage shown so far, so they only go forward.';
COMMENT ON COLUMN revrtm.loop_step.loop_step_key IS 'unit:id:place; touches of customers have the id of the deal whose journey they are in.';
COMMENT ON COLUMN revrtm.loop_step.unit IS 'account, deal, customer, or touch for touches of a customer.';
COMMENT ON COLUMN revrtm.loop_step.unit_id IS 'The account, deal or customer; the survivor where accounts were merged; the deal where a customer has no account.';
COMMENT ON COLUMN revrtm.loop_step.route_id IS 'The deal''s own route; of a customer that of its first won deal; of an account the one that leads its segment and region now, or (none).';
COMMENT ON COLUMN revrtm.loop_step.stage IS 'The stage; NULL for touches before anything was shown.';
COMMENT ON COLUMN revrtm.loop_step.entered_at IS 'When it was entered; NULL for an account of unknown age that nobody reached. Of touches, the first one.';
COMMENT ON COLUMN revrtm.loop_step.left_at IS 'When it was left; NULL for who is still there.';
COMMENT ON COLUMN revrtm.loop_step.outcome IS 'next (a later stage followed), won (the deal was won from it), lost (the deal was lost, the customer left), or NULL for who is still there.';
COMMENT ON COLUMN revrtm.loop_step.touches IS 'Touches made in the stage; each counted touch of the store is in one row.';

CREATE FUNCTION revrtm.loop_stage_at(first date, last date, at timestamptz DEFAULT revrtm.as_of())
RETURNS TABLE (side text, place integer, stage text, stage_name text, unit text, route_id text, route_kind text,
               volume bigint, advanced bigint, lost bigint, waiting bigint, conversion numeric, present bigint,
               age_days numeric, touches bigint, spend numeric, fx_missing bigint, plays bigint, play_list text,
               is_gap boolean, note text)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 60
-- Compiling so many small expressions takes longer than they do.
SET jit = off
BEGIN ATOMIC
    WITH bound AS MATERIALIZED (
        -- What entered after the one instant and not after the other is of the months.
        SELECT coalesce(revrtm.day_end(revrtm.period(first) - 1), '-infinity') AS after,
               coalesce(revrtm.day_end((revrtm.period(last) + interval '1 month')::date - 1), 'infinity') AS until,
               coalesce(revrtm.period(first), '-infinity') AS first, coalesce(revrtm.period(last), 'infinity') AS last,
               loop_stage_at.at
    ), fact AS (
        SELECT coalesce(s.stage, '(unmapped)') AS stage, s.route_id,
               count(*) FILTER (WHERE s.is_new) AS volume,
               count(*) FILTER (WHERE s.is_new AND s.fate IN ('next', 'won')) AS advanced,
               count(*) FILTER (WHERE s.is_new AND s.fate = 'lost') AS lost,
               count(*) FILTER (WHERE s.is_new AND s.fate IS NULL) AS waiting,
               count(*) FILTER (WHERE s.unit <> 'touch' AND s.fate IS NULL) AS present,
               revrtm.quantile(revrtm.quantile_agg(s.age) FILTER (WHERE s.unit <> 'touch' AND s.fate IS NULL), 0.5) / 86400 AS age_days,
               sum(s.touches) FILTER (WHERE s.within) AS touches
        FROM (SELECT k.*, k.within AND k.unit <> 'touch' AS is_new
              FROM (SELECT t.stage, t.route_id, t.unit, t.touches,
                           -- What came later than that was not known.
                           CASE WHEN t.left_at <= b.at THEN t.outcome END AS fate,
                           CASE WHEN isfinite(b.at) THEN extract(epoch FROM b.at - t.entered_at)::float8 END AS age,
                           CASE WHEN t.entered_at IS NULL THEN b.after = '-infinity'
                                ELSE t.entered_at > b.after AND t.entered_at <= b.until END AS within
                    FROM revrtm.loop_step t CROSS JOIN bound b
                    WHERE t.entered_at IS NULL OR t.entered_at <= b.at) k) s
        GROUP BY coalesce(s.stage, '(unmapped)'), s.route_id
    ), spent AS (
        SELECT coalesce(p.stage, '(unmapped)') AS stage, k.route_id,
               sum(revrtm.reporting_amount(k.amount, k.currency, k.period)) AS spend,
               count(revrtm.reporting_note(k.currency, k.period)) AS fx_missing,
               min(revrtm.reporting_note(k.currency, k.period)) AS note
        FROM bound b
             JOIN revrtm.spend k ON revrtm.period(k.period) BETWEEN b.first AND b.last
             LEFT JOIN revrtm.loop_map c ON c.source = 'channel' AND c.value = k.channel
             LEFT JOIN revrtm.loop_map g ON g.source = 'category' AND g.value = k.category
             LEFT JOIN revrtm.loop_place p ON p.stage = coalesce(c.stage, g.stage)
        GROUP BY coalesce(p.stage, '(unmapped)'), k.route_id
    ), cell AS (
        SELECT p.stage, r.route_id
        FROM revrtm.loop_place p
             CROSS JOIN (SELECT t.route_id FROM revrtm.route t WHERE t.active
                         UNION SELECT f.route_id FROM fact f WHERE f.route_id <> '(none)'
                         UNION SELECT s.route_id FROM spent s) r
        UNION SELECT f.stage, f.route_id FROM fact f
        UNION SELECT s.stage, s.route_id FROM spent s
    ), play AS (
        SELECT c.stage, c.route_id, count(*) AS plays,
               string_agg(y.play_id, ', ' ORDER BY y.play_id COLLATE "C") AS play_list
        FROM cell c JOIN revrtm.play y ON y.stage = c.stage AND y.route_id IN (c.route_id, '(any)')
        WHERE y.valid @> (SELECT b.at FROM bound b)
        GROUP BY c.stage, c.route_id
    )
    SELECT p.side, p.place, c.stage, coalesce(p.stage_name, c.stage),
           CASE WHEN p.side = 'expansion' THEN 'customer'
                WHEN EXISTS (SELECT FROM revrtm.loop_map m WHERE m.source = 'event' AND m.value = 'account' AND m.stage = c.stage) THEN 'account'
                WHEN p.side = 'acquisition' THEN 'deal' END,
           c.route_id, t.kind,
           coalesce(f.volume, 0), coalesce(f.advanced, 0), coalesce(f.lost, 0), coalesce(f.waiting, 0),
           revrtm.ratio(f.advanced, f.volume)::numeric(12, 6),
           coalesce(f.present, 0), f.age_days::numeric(12, 3), coalesce(f.touches, 0),
           coalesce(s.spend, 0)::numeric(20, 4), coalesce(s.fx_missing, 0),
           coalesce(y.plays, 0), y.play_list,
           y.plays IS NULL AND p.place IS NOT NULL,
           nullif(concat_ws(', ', CASE WHEN p.place IS NULL THEN 'unmapped_stage' WHEN y.plays IS NULL THEN 'stage_gap' END,
                            revrtm.ratio_note(f.volume, 'no_volume'), s.note), '')
    FROM cell c
         LEFT JOIN revrtm.loop_place p ON p.stage = c.stage
         LEFT JOIN revrtm.route t ON t.route_id = c.route_id
         LEFT JOIN fact f ON f.stage = c.stage AND f.route_id = c.route_id
         LEFT JOIN spent s ON s.stage = c.stage AND s.route_id = c.route_id
         LEFT JOIN play y ON y.stage = c.stage AND y.route_id = c.route_id;
END;
COMMENT ON FUNCTION revrtm.loop_stage_at(date, date, timestamptz) IS
'loop_stage of who entered in the months from the first day''s to the last one''s, NULL for no bound, as of an instant: what happened later is left out, as far as the store''s present state tells.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_volume', 'Nobody entered the stage, so that there is no conversion.'),
('stage_gap', 'No play is for this stage on this route.'),
('unmapped_stage', 'What is counted here belongs to no stage, as revrtm.loop_map has none for it.');

CREATE VIEW revrtm.loop_stage WITH (security_invoker = true) AS
SELECT l.stage || ':' || l.route_id AS loop_stage_key,
       l.side,
       l.place,
       l.stage,
       l.stage_name,
       l.unit,
       l.route_id,
       l.route_kind,
       l.volume,
       l.advanced,
       l.lost,
       l.waiting,
       l.conversion::numeric(12, 6) AS conversion,
       l.present,
       l.age_days::numeric(12, 3) AS age_days,
       l.touches,
       l.spend::numeric(20, 4) AS spend,
       l.fx_missing,
       l.plays,
       l.play_list,
       l.is_gap,
       l.note
FROM (SELECT (revrtm.period(revrtm.as_of()) - interval '12 months')::date AS first,
             (revrtm.period(revrtm.as_of()) - interval '1 month')::date AS last) m
     CROSS JOIN LATERAL revrtm.loop_stage_at(m.first, m.last) l;
COMMENT ON VIEW revrtm.loop_stage IS
'The loop by route, of who entered in the twelve months that have ended: partner and direct side by side. Grain: stage x route, one row for every stage of the loop on every active route and every other one there is anything to tell of; and (unmapped), for touches and spend that belong to no stage. volume = advanced + lost + waiting.';
COMMENT ON COLUMN revrtm.loop_stage.loop_stage_key IS 'stage:route_id.';
COMMENT ON COLUMN revrtm.loop_stage.side IS 'acquisition or expansion; NULL for (unmapped).';
COMMENT ON COLUMN revrtm.loop_stage.place IS 'Place of the stage in the loop, from 1.';
COMMENT ON COLUMN revrtm.loop_stage.stage IS 'Stage of the loop.';
COMMENT ON COLUMN revrtm.loop_stage.stage_name IS 'Title for people.';
COMMENT ON COLUMN revrtm.loop_stage.unit IS 'Who is counted: account, deal or customer.';
COMMENT ON COLUMN revrtm.loop_stage.route_id IS 'Route, as revrtm.loop_step has it; (none) for accounts that no route leads.';
COMMENT ON COLUMN revrtm.loop_stage.route_kind IS 'Kind of the route; NULL for one that revrtm.route does not have.';
COMMENT ON COLUMN revrtm.loop_stage.volume IS 'Units that entered the stage in those months.';
COMMENT ON COLUMN revrtm.loop_stage.advanced IS 'Of them, those that went on to a later stage or were won, by now.';
COMMENT ON COLUMN revrtm.loop_stage.lost IS 'Of them, those that were lost or left from here.';
COMMENT ON COLUMN revrtm.loop_stage.waiting IS 'Of them, those that are still here.';
COMMENT ON COLUMN revrtm.loop_stage.conversion IS 'advanced / volume, 0 to 1; it rises while any wait. NULL without volume.';
COMMENT ON COLUMN revrtm.loop_stage.present IS 'Units that are in the stage now, whenever they entered.';
COMMENT ON COLUMN revrtm.loop_stage.age_days IS 'Median of the days for which those have been in it; NULL where there are none.';
COMMENT ON COLUMN revrtm.loop_stage.touches IS 'Touches that those who entered had in the stage.';
COMMENT ON COLUMN revrtm.loop_stage.spend IS 'Spend of those months whose channel, else category, is mapped to the stage, in revrtm.currency.';
COMMENT ON COLUMN revrtm.loop_stage.fx_missing IS 'Entries of spend left out for want of a rate, missing or stale.';
COMMENT ON COLUMN revrtm.loop_stage.plays IS 'Plays of revrtm.play for the stage, on this route or on any, that are valid.';
COMMENT ON COLUMN revrtm.loop_stage.play_list IS 'Their ids.';
COMMENT ON COLUMN revrtm.loop_stage.is_gap IS 'Whether the stage has no play on this route.';
COMMENT ON COLUMN revrtm.loop_stage.note IS 'stage_gap, unmapped_stage, no_volume, fx_missing, stale_fx, joined by a comma, or NULL.';
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('loop_stage', 'advanced', 'rows', true),
('loop_stage', 'age_days', 'days', false),
('loop_stage', 'conversion', 'share', false),
('loop_stage', 'fx_missing', 'rows', true),
('loop_stage', 'lost', 'rows', true),
('loop_stage', 'plays', 'rows', false),
('loop_stage', 'present', 'rows', true),
('loop_stage', 'spend', 'reporting currency', true),
('loop_stage', 'touches', 'rows', true),
('loop_stage', 'volume', 'rows', true),
('loop_stage', 'waiting', 'rows', true),
('loop_step', 'touches', 'rows', true);
