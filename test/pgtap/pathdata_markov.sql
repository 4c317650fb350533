-- Markov chains of orders 1 to 3 and Shapley values over ten thousand real
-- paths: needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
CREATE TEMP TABLE raw (path text, total_conversions bigint, total_conversion_value numeric, total_null bigint);
\set load '\\copy raw FROM ''' :data '/pathdata/data.csv'' CSV HEADER'
:load
CREATE TEMP TABLE path AS
SELECT row_number() OVER () AS id, string_to_array(path, ' > ') AS channels, total_conversions AS conversions, round(total_conversion_value, 6) AS value, total_null AS nulls FROM raw;
SELECT plan(14);
CREATE TEMP TABLE counted AS
SELECT o, revrtm.transitions_agg(channels, conversions, nulls, value, o) AS t FROM path, generate_series(1, 3) o GROUP BY o;
CREATE TEMP TABLE result AS SELECT o, m.* FROM counted, revrtm.markov(t) m;
SELECT is((SELECT count(*) FROM result), 36::bigint, 'twelve channels at each order');

-- The chain of order 1, solved by substitution over its own matrix.
CREATE TEMP TABLE matrix AS SELECT m.* FROM counted, revrtm.transition_matrix(t) m WHERE o = 1;
CREATE TEMP TABLE chance AS SELECT s AS state, r AS removed, 0::float8 AS p FROM (SELECT DISTINCT from_state AS s FROM matrix) q, (SELECT '-' AS r UNION ALL SELECT channel FROM result WHERE o = 1) c WHERE s <> r;
DO $$
DECLARE
    changed float8 := 1;
BEGIN
    WHILE changed > 1e-16 LOOP
        CREATE TEMP TABLE n AS
        SELECT c.state, c.removed, coalesce(sum(m.probability * CASE WHEN m.to_state = '(conversion)' THEN 1 ELSE k.p END), 0) AS p
        FROM chance c JOIN matrix m ON m.from_state = c.state LEFT JOIN chance k ON k.state = m.to_state AND k.removed = c.removed GROUP BY 1, 2;
        SELECT max(abs(n.p - c.p)) INTO changed FROM n JOIN chance c USING (state, removed);
        TRUNCATE chance;
        INSERT INTO chance SELECT * FROM n;
        DROP TABLE n;
    END LOOP;
END
$$;
SELECT ok((SELECT abs(p - 0.22384513559686) < 1e-14 FROM chance WHERE state = '(start)' AND removed = '-'), 'the chance to convert is the data''s own rate');
SELECT ok((SELECT abs(sum(conversions)::numeric / sum(conversions + nulls) - 0.22384513559686) < 1e-14 FROM path), 'which it is');
SELECT is_empty($$SELECT * FROM result r FULL JOIN (SELECT w.removed AS channel, 1 - w.p / a.p AS effect FROM chance w JOIN chance a USING (state) WHERE state = '(start)' AND a.removed = '-' AND w.removed <> '-') e USING (channel)
                  WHERE coalesce(o, 1) = 1 AND abs(effect - removal_effect) < 1e-12 IS NOT TRUE$$, 'removal effects of order 1 by substitution');

SELECT is_empty($$SELECT * FROM result WHERE removal_effect NOT BETWEEN 0 AND 1 OR conversions < 0 OR amount < 0$$, 'effects are shares');
SELECT is_empty($$SELECT o FROM result GROUP BY o HAVING abs(sum(conversions) - (SELECT sum(conversions) FROM path)) > 1e-8$$, 'conversions in all');
SELECT is_empty($$SELECT o FROM result GROUP BY o HAVING sum(amount) <> (SELECT sum(value) FROM path WHERE conversions > 0)$$, 'value in all, exactly');
SELECT is_empty($$SELECT a.o FROM result a JOIN result b USING (channel) WHERE b.o > a.o AND a.removal_effect > 0.2 AND abs(a.removal_effect / b.removal_effect - 1) > 0.25$$, 'orders agree on what is large');
SELECT isnt_empty($$SELECT FROM result a JOIN result b USING (channel) WHERE b.o > a.o AND abs(a.removal_effect - b.removal_effect) > 1e-4$$, 'and differ');

-- In parts, of journeys, in another order: the same to the bit.
SELECT is((SELECT count(*) FROM (SELECT revrtm.rollup(t)::text AS s FROM (SELECT revrtm.transitions_agg(revrtm.journey(channels), conversions, nulls, value, 3 ORDER BY id DESC) AS t FROM path GROUP BY id % 7) q) r
           JOIN counted c ON c.t::text = r.s), 1::bigint, 'rolled up');
-- Only what may happen in a path is in the chain: of order 3 the sum over paths is the chance as well.
SELECT ok((SELECT sum((probability > 0)::int) > 1000 FROM counted, revrtm.transition_matrix(t) WHERE o = 3), 'a thousand transitions');

CREATE TEMP TABLE sets AS SELECT revrtm.coalitions_agg(channels, conversions, nulls, value) AS c FROM path;
SELECT is_empty($$
    SELECT * FROM (SELECT s.* FROM sets, revrtm.shapley(c) s) s
    FULL JOIN (SELECT u.channel, sum(conversions::numeric / n) AS conversions, sum(CASE WHEN conversions > 0 THEN value END / n) AS value
               FROM path, LATERAL (SELECT count(DISTINCT k) AS n FROM unnest(channels) k) d, LATERAL (SELECT DISTINCT k AS channel FROM unnest(channels) k) u GROUP BY 1) e USING (channel)
    WHERE abs(s.conversions - e.conversions) < 1e-8 IS NOT TRUE OR abs(s.amount - e.value) < 0.01 IS NOT TRUE$$, 'Shapley, game conversions: each path equally to its channels');
-- Game rate: the formula over all subsets, which are 4096.
CREATE TEMP TABLE coalition AS
SELECT (SELECT sum(DISTINCT 1 << (n - 1)::int) FROM unnest(channels) u JOIN (SELECT channel, row_number() OVER (ORDER BY channel) AS n FROM result WHERE o = 1) c ON c.channel = u)::int AS members,
       sum(conversions) AS conversions, sum(conversions + nulls) AS paths FROM path GROUP BY 1;
CREATE TEMP TABLE worth AS
SELECT s, bit_count(s::bit(12))::int AS size, coalesce(sum(conversions)::float8 / sum(paths)::float8, 0) AS v FROM generate_series(0, 4095) s LEFT JOIN coalition ON members & ~s = 0 GROUP BY s;
SELECT is_empty($$
    WITH value AS (
        SELECT n, channel, sum((factorial(w.size)::float8 * factorial(11 - w.size)::float8 / factorial(12)::float8) * (y.v - w.v)) AS value
        FROM (SELECT channel, row_number() OVER (ORDER BY channel)::int AS n FROM result WHERE o = 1) c JOIN worth w ON w.s & (1 << (n - 1)) = 0 JOIN worth y ON y.s = w.s | (1 << (n - 1)) GROUP BY 1, 2
    )
    SELECT * FROM value JOIN (SELECT s.* FROM sets, revrtm.shapley(c, 'rate') s) r USING (channel)
    WHERE abs(r.conversions - value / (SELECT sum(value) FROM value) * (SELECT sum(conversions) FROM path)::float8) > 1e-7$$, 'game rate by the formula');
SELECT is((SELECT sum(amount) FROM sets, revrtm.shapley(c, 'rate')), (SELECT sum(value) FROM path WHERE conversions > 0), 'value in all, exactly');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
