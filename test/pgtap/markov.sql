-- Markov and Shapley over random paths, against plain SQL: transitions by
-- lead(), chances by repeated substitution, Shapley over all orders.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SELECT plan(22);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
-- 300 paths of 1 to 7 touches of 6 channels, with counts; f only where nothing converts, and never before another channel.
CREATE TEMP TABLE p AS
SELECT i, (SELECT array_agg(substr('abcde', 1 + pg_temp.draw(i || '.' || k, 1 + pg_temp.draw(i || 'few', 5))::int, 1) ORDER BY k) FROM generate_series(1, 1 + pg_temp.draw(i || 'n', 7)) k)
          || CASE WHEN i % 10 = 0 THEN '{f}'::text[] ELSE '{}' END AS path,
       CASE WHEN i % 10 = 0 THEN 0 ELSE pg_temp.draw(i || 'c', 4) END AS conversions, pg_temp.draw(i || 'x', 5) + (i % 10 = 0)::int AS nulls,
       (pg_temp.draw(i || 'v', 100000) / 100.0)::numeric(9, 2) AS amount
FROM generate_series(1, 300) i;
DELETE FROM p WHERE conversions + nulls = 0;

-- States and what follows, by window functions.
CREATE TEMP TABLE transition AS
SELECT o, c, s.state, CASE WHEN s.ends THEN NULL ELSE s.following END AS following, s.ends, s.count, s.conversions, s.amount
FROM generate_series(1, 3) o, (VALUES (false), (true)) v (c), LATERAL (
    SELECT state, lead(state) OVER (PARTITION BY i ORDER BY k) AS following, lead(state) OVER (PARTITION BY i ORDER BY k) IS NULL AS ends,
           conversions + nulls AS count, conversions, CASE WHEN conversions > 0 THEN amount ELSE 0 END AS amount
    FROM (SELECT i, k, array_agg(channel) OVER (PARTITION BY i ORDER BY k ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS three, conversions, nulls, amount, channel,
                 array_agg(channel) OVER (PARTITION BY i ORDER BY k ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS two
          FROM (SELECT p.*, u.k, u.channel, lag(u.channel) OVER (PARTITION BY i ORDER BY k) AS before FROM p, unnest(path) WITH ORDINALITY u (channel, k)) t
          WHERE NOT c OR before IS DISTINCT FROM channel) w,
         LATERAL (SELECT CASE o WHEN 1 THEN ARRAY[channel] WHEN 2 THEN two ELSE three END AS state) x
    UNION ALL
    SELECT '{}', (SELECT ARRAY[path[1]]), false, conversions + nulls, 0, 0 FROM p) s;
CREATE TEMP TABLE edge AS SELECT o, c, state, following, sum(count)::float8 AS count FROM transition WHERE NOT ends GROUP BY 1, 2, 3, 4;
CREATE TEMP TABLE state AS
SELECT o, c, state, sum(count)::float8 AS passes, (sum(conversions) FILTER (WHERE ends))::float8 AS conversions, (sum(amount) FILTER (WHERE ends))::float8 AS amount
FROM transition GROUP BY 1, 2, 3;

CREATE TEMP TABLE ours AS
SELECT o, c, revrtm.transitions_agg(path, conversions, nulls, amount, o, c) AS t FROM p, generate_series(1, 3) o, (VALUES (false), (true)) v (c) GROUP BY o, c;
SELECT is((SELECT count(*) FROM edge WHERE o = 3 AND NOT c) > 200, true, 'there is something to look at');
SELECT is_empty($$
    SELECT * FROM (SELECT o, c, CASE WHEN state = '{}' THEN '(start)' ELSE array_to_string(state, ' > ') END AS from_state, array_to_string(following, ' > ') AS to_state, e.count / s.passes AS p
                   FROM edge e JOIN state s USING (o, c, state)) x
    FULL JOIN (SELECT o, c, m.* FROM ours, revrtm.transition_matrix(t) m WHERE m.to_state NOT LIKE '(%') y USING (o, c, from_state, to_state)
    WHERE abs(p - probability) < 1e-15 IS NOT TRUE$$, 'transitions by lead()');
SELECT is_empty($$SELECT o, c, from_state FROM ours, revrtm.transition_matrix(t) GROUP BY 1, 2, 3 HAVING abs(sum(probability) - 1) > 1e-14$$, 'probabilities sum to 1');

-- The chance to convert from each state, and what it is worth, without each
-- channel and with all (channel -): substituted until nothing changes.
CREATE TEMP TABLE x AS
SELECT o, c, state, removed, 0::float8 AS chance, 0::float8 AS worth FROM state, unnest('{-,a,b,c,d,e,f}'::text[]) removed WHERE removed <> ALL (state);
CREATE INDEX ON x (o, c, state, removed);
ANALYZE x, edge, state;
DO $$
DECLARE
    changed float8 := 1;
BEGIN
    WHILE changed > 1e-15 LOOP
        CREATE TEMP TABLE n AS
        SELECT s.o, s.c, s.state, s.removed, (coalesce(k.conversions, 0) + coalesce(f.chance, 0)) / k.passes AS chance, (coalesce(k.amount, 0) + coalesce(f.worth, 0)) / k.passes AS worth
        FROM x s JOIN state k USING (o, c, state)
             LEFT JOIN (SELECT e.o, e.c, e.state, y.removed, sum(e.count * y.chance) AS chance, sum(e.count * y.worth) AS worth
                        FROM edge e JOIN x y ON (y.o, y.c, y.state) = (e.o, e.c, e.following) GROUP BY 1, 2, 3, 4) f USING (o, c, state, removed);
        SELECT max(abs(n.chance - x.chance)) + max(abs(n.worth - x.worth)) / 1e4 INTO changed FROM n JOIN x USING (o, c, state, removed);
        TRUNCATE x;
        INSERT INTO x SELECT * FROM n;
        DROP TABLE n;
        ANALYZE x;
    END LOOP;
END
$$;
CREATE TEMP TABLE expected AS
SELECT w.o, w.c, w.removed AS channel, 1 - w.chance / a.chance AS effect, 1 - w.worth / a.worth AS effect_on_amount, a.chance
FROM x w JOIN x a USING (o, c, state) WHERE state = '{}' AND a.removed = '-' AND w.removed <> '-';
CREATE TEMP TABLE result AS SELECT o, c, m.* FROM ours, revrtm.markov(t) m;
SELECT is_empty($$SELECT * FROM expected e WHERE abs(e.chance - (SELECT sum(conversions)::float8 / sum(conversions + nulls)::float8 FROM p)) > 1e-12$$, 'the chance to convert is the rate of conversion');
SELECT is_empty($$SELECT * FROM expected e FULL JOIN result r USING (o, c, channel) WHERE abs(effect - removal_effect) < 1e-12 IS NOT TRUE$$, 'removal effects by substitution, orders 1 to 3, repeats kept and collapsed');
SELECT is_empty($$SELECT * FROM result JOIN (SELECT *, effect / sum(effect) OVER (PARTITION BY o, c) AS share FROM expected) e USING (o, c, channel)
                  WHERE abs(conversions - share * (SELECT sum(conversions) FROM p)) > 1e-9$$, 'conversions in proportion');
SELECT is_empty($$SELECT * FROM result JOIN (SELECT *, effect_on_amount / sum(effect_on_amount) OVER (PARTITION BY o, c) AS share FROM expected) e USING (o, c, channel)
                  WHERE abs(amount - (share * (SELECT sum(amount) FROM p WHERE conversions > 0)::float8)::numeric) > 0.011$$, 'amounts in proportion to what is expected to be lost');
SELECT is_empty($$SELECT o, c FROM result GROUP BY 1, 2 HAVING sum(amount) <> (SELECT sum(amount) FROM p WHERE conversions > 0)$$, 'amounts sum exactly');
SELECT is_empty($$SELECT o, c FROM result GROUP BY 1, 2 HAVING abs(sum(conversions) - (SELECT sum(conversions) FROM p)) > 1e-10$$, 'conversions sum');
SELECT is_empty($$SELECT * FROM result WHERE channel = 'f' AND (removal_effect, conversions, amount) <> (0, 0, 0)$$, 'a channel that nothing converts from gets nothing');
SELECT isnt_empty($$SELECT FROM result r JOIN result k USING (o, channel) WHERE NOT r.c AND k.c AND abs(r.removal_effect - k.removal_effect) > 1e-3$$, 'collapsing makes a difference');

-- Whatever the channels are called and whatever comes first.
CREATE TEMP TABLE renamed AS
SELECT o, translate(m.channel, 'zyxwvu', 'abcdef') AS channel, m.removal_effect, m.conversions
FROM (SELECT o, revrtm.transitions_agg(translate(path::text, 'abcdef', 'zyxwvu')::text[], conversions, nulls, amount, o ORDER BY i DESC) AS t FROM p, generate_series(1, 3) o GROUP BY o) s, revrtm.markov(t) m;
SELECT is_empty($$SELECT * FROM renamed n FULL JOIN (SELECT * FROM result WHERE NOT c) r USING (o, channel) WHERE abs(n.removal_effect - r.removal_effect) < 1e-13 IS NOT TRUE$$, 'names do not matter');
-- Channels that differ by name alone: every path, and its mirror.
SELECT is_empty($$
    SELECT o, m.* FROM (SELECT o, revrtm.transitions_agg(CASE WHEN mirror THEN translate(path::text, 'ab', 'ba')::text[] ELSE path END, conversions, nulls, amount, o) AS t
                                 FROM p, generate_series(1, 3) o, (VALUES (false), (true)) v (mirror) GROUP BY o) s, revrtm.markov(t) m JOIN LATERAL revrtm.markov(s.t) n ON n.channel = 'b'
    WHERE m.channel = 'a' AND (abs(m.removal_effect - n.removal_effect) > 1e-14 OR abs(m.conversions - n.conversions) > 1e-11 OR abs(m.amount - n.amount) > 0.01)$$, 'symmetric channels get equal credit');

-- Shapley: sets and subsets by containment.
CREATE TEMP TABLE coalition AS SELECT ARRAY(SELECT DISTINCT c FROM unnest(path) c ORDER BY c) AS members, sum(conversions) AS conversions, sum(conversions + nulls) AS paths, sum(amount) FILTER (WHERE conversions > 0) AS amount FROM p GROUP BY 1;
CREATE TEMP TABLE shapley AS
SELECT g AS game, s.* FROM (SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) AS c FROM p) a, unnest('{conversions,rate}'::text[]) g, revrtm.shapley(a.c, g) s;
CREATE TEMP TABLE subset AS
WITH RECURSIVE s AS (SELECT '{}'::text[] AS members UNION ALL SELECT s.members || u.c FROM s, unnest('{a,b,c,d,e,f}'::text[]) u (c) WHERE u.c > ALL (s.members))
SELECT s.members, coalesce(sum(k.conversions), 0)::float8 AS conversions, coalesce(sum(k.conversions) / nullif(sum(k.paths), 0), 0)::float8 AS rate
FROM s LEFT JOIN coalition k ON k.members <@ s.members GROUP BY 1;
SELECT is((SELECT count(*) FROM subset), 64::bigint, 'all subsets');
CREATE TEMP TABLE every_order AS
WITH RECURSIVE f AS (
    SELECT '{}'::text[] AS before, NULL::text AS channel
    UNION ALL
    SELECT CASE WHEN f.channel IS NULL THEN '{}' ELSE f.before || f.channel END, u.c FROM f, unnest('{a,b,c,d,e,f}'::text[]) u (c)
    WHERE u.c <> ALL (f.before) AND u.c IS DISTINCT FROM f.channel AND cardinality(f.before) < 6
), arrival AS (
    -- an order of n that starts so stands for (n - k)! of all
    SELECT ARRAY(SELECT b FROM unnest(before) b ORDER BY b) AS before, channel, factorial(5 - cardinality(before)) AS orders FROM f WHERE channel IS NOT NULL
)
SELECT a.channel, sum(a.orders * (y.conversions - n.conversions)::numeric) / 720 AS conversions, sum(a.orders::float8 * (y.rate - n.rate)) / 720 AS rate
FROM arrival a JOIN subset n ON n.members = a.before JOIN subset y ON y.members = ARRAY(SELECT b FROM unnest(a.before || a.channel) b ORDER BY b)
GROUP BY 1;
SELECT is_empty($$SELECT * FROM shapley s FULL JOIN every_order e USING (channel) WHERE game = 'conversions' AND abs(s.conversions - e.conversions) < 1e-9 IS NOT TRUE$$, 'game conversions over all orders');
SELECT is_empty($$SELECT * FROM shapley s FULL JOIN (SELECT channel, rate / sum(rate) OVER () * (SELECT sum(conversions) FROM p)::float8 AS value FROM every_order) e USING (channel)
                  WHERE game = 'rate' AND abs(s.conversions - e.value) < 1e-9 IS NOT TRUE$$, 'game rate over all orders, scaled to the conversions');
SELECT isnt_empty($$SELECT FROM shapley WHERE game = 'rate' AND conversions < 0$$, 'with a negative value as it is');
SELECT is_empty($$SELECT game FROM shapley GROUP BY 1 HAVING sum(amount) <> (SELECT sum(amount) FROM p WHERE conversions > 0)$$, 'amounts sum exactly, in both games');
SELECT is_empty($$SELECT * FROM shapley s, (SELECT sum(conversions) AS all_conversions, sum(amount) FILTER (WHERE conversions > 0) AS all_amount FROM p) t
                  WHERE game = 'rate' AND abs(amount - (all_amount * conversions::numeric / all_conversions)) > 0.011$$, 'in the game rate in proportion');
SELECT is_empty($$SELECT * FROM shapley WHERE game = 'conversions' AND channel = 'f' AND (conversions, amount) <> (0, 0)$$, 'a channel of no converting path gets nothing');
-- The closed form is the model linear_unique.
SELECT is_empty($$
    SELECT * FROM (SELECT * FROM shapley WHERE game = 'conversions') s
    FULL JOIN (SELECT k.* FROM (SELECT revrtm.credits_agg(revrtm.journey(path), NULL, '{linear_unique}') AS c FROM p, generate_series(1, conversions)) a, revrtm.channel_credit(a.c) k) u USING (channel)
    WHERE abs(s.conversions - coalesce(u.conversions, 0)) < 1e-12 IS NOT TRUE$$, 'game conversions is linear_unique');
SELECT is_empty($$
    SELECT s.channel FROM (SELECT revrtm.coalitions_agg(CASE WHEN mirror THEN translate(path::text, 'ab', 'ba')::text[] ELSE path END, conversions, nulls) AS c FROM p, (VALUES (false), (true)) v (mirror)) a,
         revrtm.shapley(a.c, 'rate') s JOIN LATERAL revrtm.shapley(a.c, 'rate') r ON r.channel = 'b' WHERE s.channel = 'a' AND abs(s.conversions - r.conversions) > 1e-11$$, 'symmetric channels get equal credit');
SELECT * FROM finish();
ROLLBACK;
