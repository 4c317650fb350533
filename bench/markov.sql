-- Data of the markov benchmark beside that of the attribution benchmark: the
-- touches that count, in a table of their own; and counts to solve.
CREATE TABLE counted AS
SELECT d.deal_id, t.touched_at, t.channel
FROM touch t JOIN deal d ON d.deal_id = t.deal_id
WHERE t.touched_at <= d.closed_at AND t.touched_at >= d.closed_at - interval '90 days'
ORDER BY d.deal_id, t.touched_at;
VACUUM (FREEZE, ANALYZE) counted;

-- A thousand channels that follow each other in all ways, and five thousand of
-- which most are rare and lead to a few.
CREATE TABLE solve AS
SELECT 'dense'::text AS name, revrtm.transitions_agg(path, n % 2, 1, n) AS t
FROM (SELECT d % 97 AS n, array_agg('c' || floor(1000 * revrtm.demo_random(7, 'dense', d * 16 + i))) AS path
      FROM generate_series(1, 200000) d, generate_series(1, 16) i GROUP BY d) p
UNION ALL
SELECT 'sparse', revrtm.transitions_agg(path, n % 2, 1, n)
FROM (SELECT d % 97 AS n, array_agg('c' || floor(5000 * power(revrtm.demo_random(7, 'sparse', d * 8 + i), 4))) AS path
      FROM generate_series(1, 20000) d, generate_series(1, 5) i GROUP BY d) p;
ALTER TABLE solve ADD channels int, ADD transitions int;
UPDATE solve SET (channels, transitions) = (
    SELECT count(DISTINCT from_state) - 1, count(*) FROM revrtm.transition_matrix(t));
CREATE TABLE game AS
SELECT revrtm.coalitions_agg(path, n % 2, 1) AS c
FROM (SELECT d % 97 AS n, array_agg('c' || floor(20 * revrtm.demo_random(7, 'game', d * 16 + i))) AS path
      FROM generate_series(1, 20000) d, generate_series(1, 10) i GROUP BY d) p;
ALTER TABLE game ADD channels int;
UPDATE game SET channels = (SELECT count(*) FROM revrtm.shapley(c, 'rate'));
VACUUM (FREEZE, ANALYZE) solve, game;
