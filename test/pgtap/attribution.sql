-- Properties of attribution over random journeys and amounts, the same at every run.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SELECT plan(25);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
-- 800 deals of up to 40 touches, every tenth with touches of one instant, and amounts of every size and sign.
CREATE TEMP TABLE deal AS
SELECT d AS deal, 1 + CASE WHEN d % 20 = 0 THEN 40 ELSE pg_temp.draw(d || 'n', 1 + d % 12) END AS n,
       (CASE d % 7 WHEN 0 THEN -1 WHEN 1 THEN 0 ELSE 1 END * (pg_temp.draw(d || 'amount', (10::numeric ^ (2 + d % 15))::bigint)::numeric) / 10 ^ (d % 4 + (d % 5) / 4))::numeric AS amount,
       d % 4 AS scale
FROM generate_series(1, 800) d;
CREATE TEMP TABLE touch AS
SELECT d.deal, i, timestamptz '2026-01-01 00:00:00+00' + pg_temp.draw(d.deal || '.' || i || 'at', CASE WHEN d.deal % 10 = 0 THEN 3 ELSE 40000000000000 END) * interval '1 microsecond' AS at,
       (ARRAY['email', 'ads', 'direct', 'partner', 'event', 'é|@\'])[1 + pg_temp.draw(d.deal || '.' || i || 'channel', 1 + d.deal % 6)] AS channel,
       (ARRAY['LC', 'OC', 'CW', 'LC|OC', 'FT|CW'])[1 + pg_temp.draw(d.deal || '.' || i || 'milestone', 14)] AS milestone,
       'touch ' || pg_temp.draw(d.deal || '.' || i || 'id', 1000000000) AS id
FROM deal d, generate_series(1, d.n) i;
CREATE TEMP TABLE j AS
SELECT d.deal, d.n, d.amount, d.scale, revrtm.journey_agg(t.at, t.channel, t.milestone, t.id) AS j FROM deal d JOIN touch t USING (deal) GROUP BY 1, 2, 3, 4;
-- The data-driven models have no rule of their own: weights for some of the channels.
INSERT INTO revrtm.attribution_fit
SELECT m, c, w, 'now', 'now', '' FROM unnest('{markov,shapley}'::text[]) m, (VALUES ('email', 0.3), ('ads', 0.0001), ('partner', 0), ('é|@\', 0.5), ('channel 2', 0.1), ('channel 50', 0.0999)) v (c, w);
CREATE TEMP TABLE credit AS
SELECT m.model, j.deal, j.n, j.amount AS total, j.scale, c.* FROM j CROSS JOIN revrtm.attribution_model m CROSS JOIN LATERAL revrtm.credit(j.j, m.model, j.amount, j.scale) c WHERE m.shipped;
ANALYZE credit;
SELECT cmp_ok(count(*), '>', 30000::bigint, 'there is something to look at') FROM credit;

-- Conservation.
SELECT is_empty('SELECT model, deal FROM credit GROUP BY model, deal, n HAVING count(*) <> n', 'a row for every touch');
SELECT is_empty('SELECT model, deal, sum(amount), total FROM credit GROUP BY model, deal, total HAVING sum(amount) <> total', 'credits sum to the amount exactly');
SELECT is_empty('SELECT model, deal, sum(weight::numeric) FROM credit GROUP BY model, deal HAVING abs(sum(weight::numeric) - 1) > 1e-14', 'weights sum to 1');
SELECT is_empty('SELECT * FROM credit WHERE weight < 0 OR weight > 1 OR amount * sign(total) < 0 OR weight = 0 AND amount <> 0', 'no weight below 0 or above 1, no credit against the sign or without weight');
SELECT is_empty('SELECT * FROM credit WHERE abs(abs(amount) - abs(total) * weight::numeric) >= 10.0 ^ -greatest(scale, scale(total)) * 1.000001 + abs(total) * 1e-15', 'no credit is a unit off its share');
SELECT is_empty('SELECT * FROM credit WHERE scale(amount) > greatest(scale, scale(total))', 'no credit is finer than the scale or the amount');
SELECT is_empty($$SELECT c.deal FROM credit c, j, LATERAL revrtm.credit(j.j, c.model, -j.amount, j.scale) r
                  WHERE j.deal = c.deal AND j.deal % 3 = 0 AND r.ordinal = c.ordinal AND r.amount <> -c.amount$$, 'a refund mirrors the credit');

-- Largest remainder, in numeric: weights as fractions from the definitions for the models of equal or single shares.
SELECT is_empty($$
    WITH share AS (
        SELECT c.*, CASE c.model WHEN 'linear' THEN 1 WHEN 'u_shaped' THEN CASE WHEN n <= 2 THEN 1 WHEN ordinal IN (1, n) THEN 2 * (n - 2) ELSE 1 END
                                 WHEN 'linear_unique' THEN (row_number() OVER (PARTITION BY model, deal, channel ORDER BY ordinal) = 1)::int END::numeric AS w,
               10::numeric ^ greatest(scale, min_scale(total)) AS unit
        FROM credit c WHERE c.model IN ('linear', 'u_shaped', 'linear_unique')
    ), product AS (
        SELECT s.*, abs(total) * unit * w AS product, sum(w) OVER (PARTITION BY model, deal) AS sum FROM share s
    ), floors AS (
        SELECT p.*, div(product, sum) AS floor, row_number() OVER (PARTITION BY model, deal ORDER BY mod(product, sum) DESC, ordinal) AS place,
               abs(total) * unit - sum(div(product, sum)) OVER (PARTITION BY model, deal) AS left_over
        FROM product p
    )
    SELECT model, deal, ordinal, amount FROM floors WHERE amount <> sign(total) * (floor + (place <= left_over)::int) / unit
$$, 'linear, linear_unique and u_shaped credits by largest remainder, ties to the first');
SELECT is_empty($$
    SELECT d, parts FROM (
        SELECT d, a.amount, a.scale, w.w, revrtm.split_amount(a.amount, w.w, a.scale) AS parts
        FROM generate_series(1, 2000) d,
             LATERAL (SELECT ((pg_temp.draw(d || 'split', 1000000000000) - 300000000000)::numeric / 10 ^ (d % 6))::numeric AS amount, d % 5 AS scale) a,
             LATERAL (SELECT array_agg((CASE WHEN d % 11 = 0 THEN 0 WHEN d % 3 = 0 THEN pg_temp.draw(d || '.' || i, 4) ELSE pg_temp.draw(d || '.' || i, 100000) / 1000.0 END)::float8 ORDER BY i) AS w
                      FROM generate_series(1, 1 + d % 17) i) w
    ) s, LATERAL (
        SELECT array_agg(sign(amount) * (floor + (place <= left_over)::int) / unit ORDER BY i) AS expected
        FROM (SELECT f.*, row_number() OVER (ORDER BY mod(product, sum) DESC, i) AS place, abs(amount) * unit - sum(div(product, sum)) OVER () AS left_over, div(product, sum) AS floor
              FROM (SELECT i, unit, abs(amount) * unit * weight AS product, sum(weight) OVER () AS sum
                    FROM (SELECT i, CASE WHEN max(v) OVER () = 0 THEN 1 ELSE v END AS weight, 10::numeric ^ greatest(scale, min_scale(amount)) AS unit
                          FROM unnest(w) WITH ORDINALITY u (f, i), LATERAL (SELECT f::text::numeric AS v) x) e) f) g
    ) e WHERE e.expected <> s.parts OR (SELECT sum(p) FROM unnest(s.parts) p) <> s.amount
       OR revrtm.split_amount(-s.amount, s.w, s.scale) <> (SELECT array_agg(-p ORDER BY o) FROM unnest(s.parts) WITH ORDINALITY v (p, o))
$$, 'split_amount by largest remainder in numeric, to the unit and mirrored');

-- Definitions.
SELECT is_empty($$SELECT * FROM credit WHERE model = 'first_touch' AND weight <> (ordinal = 1)::int OR model = 'last_touch' AND weight <> (ordinal = n)::int$$, 'first and last touch');
SELECT is_empty($$SELECT * FROM (SELECT c.*, coalesce(max(ordinal) FILTER (WHERE channel <> 'direct') OVER (PARTITION BY deal), n) AS chosen FROM credit c WHERE model = 'last_non_direct') c
                  WHERE weight <> (ordinal = chosen)::int$$, 'last touch that is not direct, or last');
SELECT is_empty($$
    SELECT model, deal, ordinal, weight, raw / total FROM (
        SELECT r.*, sum(raw) OVER (PARTITION BY model, deal) AS total FROM (
            SELECT model, deal, ordinal, weight, 2::float8 ^ (-extract(epoch FROM max(touched_at) OVER (PARTITION BY model, deal) - touched_at)::float8 / 86400 / CASE model WHEN 'time_decay' THEN 7 ELSE 30 END) AS raw
            FROM credit WHERE model LIKE 'time_decay%') r) t
    WHERE abs(weight - raw / total) > 1e-12$$, 'time decay is 2^(-(last - at) / half life), to 1e-12');
SELECT is_empty($$
    SELECT c.deal, c.channel FROM (SELECT deal, channel, sum(weight) AS weight FROM credit WHERE model = 'linear_unique' GROUP BY deal, channel) c
    JOIN (SELECT deal, count(DISTINCT channel) AS channels FROM touch GROUP BY deal) t USING (deal) WHERE abs(c.weight - 1.0 / t.channels) > 1e-15$$, 'linear_unique is one over the distinct channels');
SELECT is_empty($$
    SELECT c.deal, c.ordinal FROM credit c JOIN (SELECT deal, row_number() OVER (PARTITION BY deal ORDER BY at, id COLLATE "C", channel COLLATE "C") AS ordinal, at, channel FROM touch) t USING (deal, ordinal)
    WHERE c.model = 'linear' AND (c.touched_at, c.channel) IS DISTINCT FROM (t.at, t.channel)$$, 'touches stand by instant, id and channel, bytewise');

-- The same from every side.
CREATE TEMP TABLE window_credit AS
SELECT m.model, t.deal, row_number() OVER w AS ordinal, revrtm.touch_weight(m.model, t.at, t.channel, t.milestone) OVER w AS weight,
       revrtm.touch_credit(m.model, d.amount, t.at, t.channel, t.milestone, d.scale::int) OVER w AS amount
FROM touch t JOIN deal d USING (deal) CROSS JOIN revrtm.attribution_model m WHERE m.shipped
WINDOW w AS (PARTITION BY m.model, t.deal ORDER BY t.at, t.id COLLATE "C", t.channel COLLATE "C");
SELECT is_empty('SELECT * FROM credit c FULL JOIN window_credit w USING (model, deal, ordinal) WHERE (c.weight, c.amount) IS DISTINCT FROM (w.weight, w.amount)', 'window functions give what credit() gives, bit for bit');
-- credits_agg carries each deal at its own scale: amounts to three decimals at most here
CREATE TEMP TABLE channel_credit AS
SELECT k.* FROM (SELECT revrtm.credits_agg(j, round(amount, 3), (SELECT array_agg(model) FROM revrtm.attribution_model WHERE shipped), 3) AS c FROM j) a, revrtm.channel_credit(a.c) k;
SELECT is_empty($$
    SELECT * FROM channel_credit k FULL JOIN (
        SELECT m.model, c.channel, sum(c.amount) AS amount, sum(c.weight::numeric) AS weight FROM j CROSS JOIN revrtm.attribution_model m CROSS JOIN LATERAL revrtm.credit(j.j, m.model, round(j.amount, 3), 3) c
        WHERE m.shipped GROUP BY 1, 2) c USING (model, channel)
    WHERE k.amount IS DISTINCT FROM c.amount OR abs(k.conversions - c.weight) > 1e-9 OR k.model IS NULL$$, 'credits_agg is the sum of credit()');
SELECT is_empty('SELECT model FROM channel_credit GROUP BY model HAVING abs(sum(conversions) - (SELECT count(*) FROM j)) > 1e-9 OR sum(amount) <> (SELECT sum(round(amount, 3)) FROM j)', 'channels sum to the deals and their amounts under every model');

-- Long journeys, of few channels, of many, and of more than a byte counts.
CREATE TEMP TABLE long AS
SELECT k.channels, revrtm.journey_agg(timestamptz '2026-01-01 00:00:00+00' + pg_temp.draw(k.channels || 'long' || i, 10000000) * interval '1 s', 'channel ' || pg_temp.draw(k.channels || 'c' || i, k.channels),
                                      CASE pg_temp.draw(k.channels || 'm' || i, 90) WHEN 0 THEN 'LC' WHEN 1 THEN 'OC' WHEN 2 THEN 'CW' END, i::text) AS j
FROM (VALUES (3, 65), (3, 500), (64, 64), (65, 66), (400, 2000)) k (channels, n), generate_series(1, k.n) i GROUP BY k.channels, k.n;
CREATE TEMP TABLE long_credit AS
SELECT l.channels, revrtm.touch_count(l.j) AS n, m.model, c.* FROM long l CROSS JOIN revrtm.attribution_model m CROSS JOIN LATERAL revrtm.credit(l.j, m.model, 1234567.89) c WHERE m.shipped;
SELECT is_empty('SELECT channels, n, model FROM long_credit GROUP BY channels, n, model HAVING sum(amount) <> 1234567.89 OR abs(sum(weight::numeric) - 1) > 1e-13 OR count(*) <> n', 'long journeys sum exactly');
SELECT is_empty($$
    SELECT * FROM (SELECT k.* FROM (SELECT revrtm.credits_agg(j, 1234567.89, (SELECT array_agg(model) FROM revrtm.attribution_model WHERE shipped)) AS c FROM long) a, revrtm.channel_credit(a.c) k) k
    FULL JOIN (SELECT model, channel, sum(amount) AS amount, sum(weight::numeric) AS weight FROM long_credit GROUP BY 1, 2) c USING (model, channel)
    WHERE k.amount IS DISTINCT FROM c.amount OR abs(k.conversions - c.weight) > 1e-12$$, 'and credits_agg agrees on them');

-- Order of rows and grouping change nothing.
SELECT is_empty($$SELECT deal FROM j JOIN (SELECT deal, revrtm.journey_agg(at, channel, milestone, id ORDER BY md5(id)) AS other FROM touch GROUP BY deal) o USING (deal) WHERE j OPERATOR(revrtm.<>) other$$, 'a journey does not know the order of rows');
SELECT is((SELECT count(DISTINCT c::text) FROM (SELECT revrtm.credits_agg(j, amount ORDER BY md5(deal::text || s)) AS c FROM j, generate_series(1, 4) s GROUP BY s) x), 1::bigint, 'nor do credits');
SELECT is((SELECT revrtm.rollup(c)::text FROM (SELECT revrtm.credits_agg(j, amount) AS c FROM j GROUP BY deal % 13) p), (SELECT revrtm.credits_agg(j, amount)::text FROM j), 'parts roll up to the whole');
SELECT is_empty($$SELECT deal FROM j WHERE j::text::revrtm.journey OPERATOR(revrtm.<>) j$$, 'journeys are read back as written');
SELECT is_empty($$SELECT deal FROM j JOIN (SELECT deal, revrtm.rollup(part) AS whole FROM (SELECT deal, i % 3, revrtm.journey_agg(at, channel, milestone) AS part FROM touch GROUP BY 1, 2) p GROUP BY 1) r USING (deal)
                  JOIN (SELECT deal, revrtm.journey_agg(at, channel, milestone) AS plain FROM touch GROUP BY 1) q USING (deal) WHERE whole OPERATOR(revrtm.<>) plain$$, 'parts of journeys roll up to the whole');
SELECT * FROM finish();
ROLLBACK;
