-- Data-driven models: transitions, coalitions, their values, fits, bad input.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FUNCTION pg_temp.failure(statement text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE FUNCTION pg_temp.states(VARIADIC statements text[]) RETURNS TABLE (statement text, state text, message text)
LANGUAGE sql AS $$
    SELECT left(s, 90), f.state, left(f.message, 110) FROM unnest(statements) WITH ORDINALITY u (s, i), pg_temp.failure(s) f ORDER BY i
$$;
CREATE TABLE example (example text, path text[], conversions bigint, nulls bigint, amount numeric);
CREATE FUNCTION example_markov(example text, markov_order int DEFAULT 1, collapse boolean DEFAULT false)
RETURNS TABLE (channel text, removal_effect numeric, conversions numeric, amount numeric) LANGUAGE sql AS $$
    SELECT m.channel, round(m.removal_effect::numeric, 12), round(m.conversions::numeric, 12), m.amount
    FROM (SELECT revrtm.transitions_agg(e.path, e.conversions, e.nulls, e.amount, $2, $3) AS t FROM example e WHERE e.example = $1) s,
         revrtm.markov(s.t) m
$$;

-- Two paths that both convert: without either channel nothing does.
INSERT INTO example VALUES ('both', '{a,b,a,b}', 1, 0, 30), ('both', '{a,b}', 1, 0, 10);
SELECT * FROM example_markov('both');
SELECT m.from_state, m.to_state, round(m.probability::numeric, 12) AS probability
FROM (SELECT revrtm.transitions_agg(path, conversions, nulls, amount) AS t FROM example WHERE example = 'both') s, revrtm.transition_matrix(s.t) m;

-- Published: S. Puzyrov, "Markov Chain Attribution - Simple Explanation Of
-- Removal Effect" (serhiipuzyrov.com, July 2019). Without Google Ads 0.2 of 0.8
-- is left, without mailing 0.4.
INSERT INTO example VALUES
    ('removal', '{google ads}', 2, 0, NULL), ('removal', '{mailing}', 1, 0, NULL),
    ('removal', '{google ads,mailing}', 1, 0, NULL), ('removal', '{google ads}', 0, 1, NULL);
SELECT * FROM example_markov('removal');

-- The same by hand with a conversion that is worth more in one state: of three
-- passes of a one goes to b, one to c and one converts; of two of b one goes to
-- a and one converts. From a 3/5 convert, from b 4/5. Two of three paths start
-- in a, one in b: without a 1/2 is left of 2, without b 2/3, without c all. A
-- conversion is worth 6 in b and 9 in a: without a 3 is left of 15, without b 6.
INSERT INTO example VALUES ('hand', '{a,b}', 1, 0, 6), ('hand', '{b,a,c}', 0, 1, 1000000), ('hand', '{a}', 1, 0, 9);
SELECT * FROM example_markov('hand');
SELECT o, m.* FROM generate_series(2, 3) o, example_markov('hand', o) m;

-- A state of order k is the last k channels, fewer at the start.
SELECT o, m.from_state, m.to_state, round(m.probability::numeric, 12) AS probability
FROM generate_series(1, 3) o, LATERAL (SELECT revrtm.transitions_agg(p, 1, 0, 1, o) AS t FROM (VALUES ('{a,b,c,a,b,c,b}'::text[])) v (p)) s, revrtm.transition_matrix(s.t) m;

-- Repeats are kept, or collapsed.
SELECT c AS collapse, m.* FROM (VALUES (false), (true)) v (c),
    LATERAL (SELECT revrtm.transitions_agg(p, 1, 0, 1, 1, c) AS t FROM (VALUES ('{a,a,b,b,b}'::text[])) v (p)) s, revrtm.transition_matrix(s.t) m;
SELECT revrtm.transitions_agg('{a,a,b,b,b}'::text[], 1, 0, 1, 2, true), revrtm.transitions_agg(revrtm.journey('{a,a,b,b,b}'), 1, 0, 1, 2, false);

-- Without a touch: (unattributed), exactly. Rows without counts, nulls everywhere, lost amounts.
INSERT INTO example VALUES ('empty', NULL, 2, 1, 5), ('empty', '{}', 1, 0, NULL), ('empty', '{a}', 1, 0, 3),
    ('empty', '{b}', 0, 2, 100), ('empty', '{c}', 0, 0, 7), ('empty', '{d}', NULL, NULL, NULL), ('empty', '{a}', NULL, 1, NULL);
SELECT * FROM example_markov('empty');
SELECT revrtm.transitions_agg(path, conversions, nulls, amount) FROM example WHERE example = 'empty';
SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) FROM example WHERE example = 'empty';
SELECT g, s.* FROM (VALUES ('conversions'), ('rate')) v (g),
    LATERAL (SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) AS c FROM example WHERE example = 'empty') a, revrtm.shapley(a.c, g) s;
-- A channel that has the name is credited with both.
SELECT * FROM revrtm.markov((SELECT revrtm.transitions_agg(p, 1, 0, 1) FROM (VALUES (NULL::text[]), ('{(unattributed)}'), ('{(unattributed),a}')) v (p)));
SELECT * FROM revrtm.shapley((SELECT revrtm.coalitions_agg(p, 1, 0, 1) FROM (VALUES (NULL::text[]), ('{(unattributed)}'), ('{(unattributed),a}')) v (p)), 'rate');

-- No conversions: nothing to share. No rows: no value.
SELECT * FROM revrtm.markov((SELECT revrtm.transitions_agg(p, 0, 5, 100) FROM (VALUES ('{a,b}'::text[]), ('{b}'), (NULL)) v (p)));
SELECT * FROM revrtm.shapley((SELECT revrtm.coalitions_agg(p, 0, 5, 100) FROM (VALUES ('{a,b}'::text[]), ('{b}'), (NULL)) v (p)), 'rate');
SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 1) FROM example WHERE false;
SELECT count(*) FROM revrtm.markov(NULL), revrtm.shapley(NULL);
SELECT revrtm.transitions_agg('{a}'::text[], 0, 0, 1), revrtm.coalitions_agg('{a}'::text[], NULL, NULL);

-- Amounts: exact at the finest scale, of any sign; an effect against the total has no share.
SELECT m.channel, round(m.removal_effect::numeric, 12) AS removal_effect, m.amount
FROM (SELECT revrtm.transitions_agg(p, 1, 1, a) AS t FROM (VALUES ('{a}'::text[], -0.001), ('{b}', -10), ('{c}', 3), ('{a,b,c}', 0)) v (p, a)) s, revrtm.markov(s.t) m;
SELECT m.* FROM (SELECT revrtm.transitions_agg(p, 1, 0, a) AS t FROM (VALUES ('{a}'::text[], 5), ('{b}', -5)) v (p, a)) s, revrtm.markov(s.t) m;
SELECT s.* FROM (SELECT revrtm.coalitions_agg(p, 1, 0, a) AS c FROM (VALUES ('{a,b,c}'::text[], -1), ('{b,a}', -0.001)) v (p, a)) x, revrtm.shapley(x.c) s;
SELECT sum(m.amount) = 92233720368547758.07 * 1000 AS exact
FROM (SELECT revrtm.transitions_agg(ARRAY['c' || i % 3, 'c' || i % 7], 1, 0, 92233720368547758.07) AS t FROM generate_series(1, 1000) i) s, revrtm.markov(s.t) m;

-- Shapley, game conversions: the closed form of Zhao, Mahboobi and Bagheri
-- (2018, arXiv 1804.05327). Published: the paths of "Data-Driven Marketing
-- Attribution" (towardsdatascience.com), conversions by set of Facebook, Organic
-- and LinkedIn; Facebook 20 + 17/2 + 30/2 + 6/3.
INSERT INTO example SELECT 'sets', p, n, 0, n * 6 FROM (VALUES ('{F}'::text[], 20), ('{O}', 10), ('{L}', 17), ('{O,F}', 17), ('{F,L,F}', 30), ('{F,O,L}', 6)) v (p, n);
SELECT s.* FROM (SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) AS c FROM example WHERE example = 'sets') x, revrtm.shapley(x.c) s;
-- It is linear_unique.
SELECT s.channel, s.conversions = k.conversions AS same_conversions, s.amount = k.amount AS same_amount
FROM (SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) AS c FROM example WHERE example = 'sets') x, revrtm.shapley(x.c) s
     FULL JOIN (SELECT k.* FROM (SELECT revrtm.credits_agg(revrtm.journey(path), 6, '{linear_unique}') AS c
                                 FROM example, generate_series(1, conversions) WHERE example = 'sets') y, revrtm.channel_credit(y.c) k) k USING (channel);

-- Game rate, by hand: v(a) = 1/2, v(b) = 1/4, v(ab) = 4/8; a has 3/8 of it and b
-- 1/8. A channel that lowers the rate has a negative value, and it is shown.
SELECT s.* FROM (SELECT revrtm.coalitions_agg(p, c, n, 10 * c) AS c FROM (VALUES ('{a}'::text[], 1, 1), ('{b}', 1, 3), ('{b,a}', 2, 0)) v (p, c, n)) x,
    revrtm.shapley(x.c, 'rate') s;
SELECT s.* FROM (SELECT revrtm.coalitions_agg(p, c, n, 10.01 * c) AS c FROM (VALUES ('{a}'::text[], 2, 2), ('{a,b}', 1, 7)) v (p, c, n)) x,
    revrtm.shapley(x.c, 'rate') s;

-- Text and binary forms: the same counts are the same text, in any order.
CREATE TABLE value AS
SELECT o AS markov_order, (SELECT revrtm.transitions_agg(path, conversions, nulls, amount, o) FROM example WHERE example <> 'removal') AS t,
       (SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) FROM example WHERE example <> 'removal') AS c
FROM generate_series(1, 3) o;
SELECT t FROM value WHERE markov_order = 2;
SELECT revrtm.transitions_agg('{"a|b","c\\\\d","e@f","g,h",""}'::text[], 1, 2, 3.14159) AS t, revrtm.coalitions_agg('{"a|b","c\\\\d","e@f","g,h",""}'::text[], 1, 2, 3.14159) AS c;
SELECT markov_order, t::text::revrtm.transitions::text = t::text AS text_same, c::text::revrtm.coalitions::text = c::text AS sets_same,
       t::text = (SELECT revrtm.transitions_agg(path, conversions, nulls, amount, markov_order ORDER BY path DESC, amount)::text FROM example WHERE example <> 'removal') AS any_order,
       t::text = (SELECT revrtm.transitions_agg(revrtm.journey(path), conversions, nulls, amount, markov_order)::text FROM example WHERE example <> 'removal') AS of_journeys,
       c::text = (SELECT revrtm.coalitions_agg(revrtm.journey(path), conversions, nulls, amount ORDER BY path DESC)::text FROM example WHERE example <> 'removal') AS sets_of_journeys,
       t::text = (SELECT revrtm.rollup(p)::text FROM (SELECT revrtm.transitions_agg(path, conversions, nulls, amount, markov_order) AS p FROM example WHERE example <> 'removal' GROUP BY example, amount % 3) q) AS rolled_up,
       c::text = (SELECT revrtm.rollup(p)::text FROM (SELECT revrtm.coalitions_agg(path, conversions, nulls, amount) AS p FROM example WHERE example <> 'removal' GROUP BY example, amount % 3) q) AS sets_rolled_up
FROM value ORDER BY 1;
CREATE TABLE copied (LIKE value);
COPY value TO '/tmp/revrtm_data_driven.bin' (FORMAT binary);
COPY copied FROM '/tmp/revrtm_data_driven.bin' (FORMAT binary);
SELECT count(*) FROM copied k JOIN value v USING (markov_order) WHERE k.t::text = v.t::text AND k.c::text = v.c::text;
-- Stored ones go on, and are left as they were.
SELECT revrtm.rollup(t)::text = (SELECT revrtm.transitions_agg(path, 3 * conversions, 3 * nulls, 3 * amount)::text FROM example WHERE example <> 'removal') AS three_times
FROM (SELECT t FROM value, generate_series(1, 3) WHERE markov_order = 1) r;
SELECT count(*) FROM copied k JOIN value v USING (markov_order) WHERE k.t::text = v.t::text AND k.c::text = v.c::text;

-- In parallel the answer is the same.
CREATE TABLE many AS
SELECT i, ARRAY(SELECT 'c' || ('x' || substr(md5(i || '.' || k), 1, 6))::bit(24)::int % 9 FROM generate_series(1, 1 + i % 11) k) AS path, (i % 4 = 0)::int AS won, i % 100 / 7.0 AS amount
FROM generate_series(1, 20000) i;
ANALYZE many;
CREATE TABLE answer AS
SELECT 'serial' AS how, revrtm.transitions_agg(path, won, 1 - won, round(amount, i % 5)) AS t1, revrtm.transitions_agg(path, won, 1 - won, amount::numeric(9, 2), 3) AS t3,
       revrtm.coalitions_agg(path, won, 1 - won, round(amount, i % 5)) AS c FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT revrtm.transitions_agg(path, won, 1 - won, amount), revrtm.coalitions_agg(path, won, 1 - won) FROM many;
INSERT INTO answer
SELECT 'parallel', revrtm.transitions_agg(path, won, 1 - won, round(amount, i % 5)) AS t1, revrtm.transitions_agg(path, won, 1 - won, amount::numeric(9, 2), 3) AS t3,
       revrtm.coalitions_agg(path, won, 1 - won, round(amount, i % 5)) AS c FROM many;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT count(DISTINCT t1::text) AS t1, count(DISTINCT t3::text) AS t3, count(DISTINCT c::text) AS c FROM answer;
SELECT count(*) AS channels, count(*) FILTER (WHERE n = 1) AS bit_equal
FROM (SELECT k, channel, count(DISTINCT v) AS n
      FROM answer, LATERAL (SELECT 1 AS k, channel, m::text AS v FROM revrtm.markov(t1) m UNION ALL SELECT 3, channel, m::text FROM revrtm.markov(t3) m
                            UNION ALL SELECT 4, channel, m::text FROM revrtm.shapley(c, 'rate') m) x GROUP BY 1, 2) y;

-- Forged, truncated and foreign values.
SELECT * FROM pg_temp.states(
    $$SELECT ''::revrtm.transitions$$, $$SELECT '{}'::revrtm.transitions$$, $$SELECT '{NULL}'::revrtm.transitions$$, $$SELECT '{{1|1|kept|2}}'::revrtm.transitions$$,
    $$SELECT '{1|1|kept}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2|3}'::revrtm.transitions$$, $$SELECT '{2|1|kept|2}'::revrtm.transitions$$, $$SELECT '{x|1|kept|2}'::revrtm.transitions$$,
    $$SELECT '{1|0|kept|2}'::revrtm.transitions$$, $$SELECT '{1|4|kept|2}'::revrtm.transitions$$, $$SELECT '{1|1|maybe|2}'::revrtm.transitions$$, $$SELECT '{1|1|kept|1}'::revrtm.transitions$$, $$SELECT '{1|1|kept|19}'::revrtm.transitions$$,
    $$SELECT '{1|1|kept|2,t}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|1}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,x|1|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|0|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|-1|a}'::revrtm.transitions$$,
    $$SELECT '{1|1|kept|2,t|1.5|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|9223372036854775808|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,c|1|x}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,c|1}'::revrtm.transitions$$,
    $$SELECT '{1|1|kept|2,t|1|a,c|1|0|a|b}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|1|a,n|1|a@b}'::revrtm.transitions$$, $$SELECT '{1|3|kept|2,t|1|a|b|c|d|e|f|g|h|i|j}'::revrtm.transitions$$,
    -- not counts of whole paths
    $$SELECT '{1|1|kept|2,t|1|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,n|1|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|1|a,n|2|a}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|1|a,t|1|a|b,t|1|b|a}'::revrtm.transitions$$,
    $$SELECT '{1|1|kept|2,t|1|a,n|1|a,t|5|b|c,t|5|c|b}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|1|a,n|1|a,t|5|b|b}'::revrtm.transitions$$, $$SELECT '{1|1|kept|2,t|1|a,n|1|a,t|1|a}'::revrtm.transitions$$,
    $$SELECT '{1|1|collapsed|2,t|1|a,t|1|a|a,n|1|a}'::revrtm.transitions$$, $$SELECT '{1|2|collapsed|2,t|1|a,t|1|a|a,n|1|a|a}'::revrtm.transitions$$,
    $$SELECT '{1|1|kept|2,t|9223372036854775807|a,n|9223372036854775807|a,n|5}'::revrtm.transitions$$,
    $$SELECT ('{1|1|kept|2,t|1|' || repeat('x', 1025) || '}')::revrtm.transitions$$);
SELECT * FROM pg_temp.states(
    $$SELECT ''::revrtm.coalitions$$, $$SELECT '{}'::revrtm.coalitions$$, $$SELECT '{1}'::revrtm.coalitions$$, $$SELECT '{1|2|3}'::revrtm.coalitions$$, $$SELECT '{2|2}'::revrtm.coalitions$$, $$SELECT '{1|99}'::revrtm.coalitions$$,
    $$SELECT '{1|2,1}'::revrtm.coalitions$$, $$SELECT '{1|2,1|0}'::revrtm.coalitions$$, $$SELECT '{1|2,1|x|0|a}'::revrtm.coalitions$$, $$SELECT '{1|2,-1|5|0|a}'::revrtm.coalitions$$, $$SELECT '{1|2,0|0|0|a}'::revrtm.coalitions$$,
    $$SELECT '{1|2,0|1|5|a}'::revrtm.coalitions$$, $$SELECT '{1|2,9223372036854775808|0|0|a}'::revrtm.coalitions$$, $$SELECT '{1|2,1|0|0|a|a}'::revrtm.coalitions$$, $$SELECT '{1|2,1|0|0|a|b,1|0|0|b|a}'::revrtm.coalitions$$,
    $$SELECT '{1|2,1|0|0|a@b}'::revrtm.coalitions$$, $$SELECT '{1|2,1|0|999999999999999999999999999999999999999999|a}'::revrtm.coalitions$$);
-- Cut anywhere, the text is no value or another one, never a crash.
SELECT count(*) AS cuts, array_agg(DISTINCT f.state) AS states
FROM value v, LATERAL (VALUES (v.t::text, 'transitions'), (v.c::text, 'coalitions')) x (s, type), generate_series(0, length(x.s) - 1) n,
     pg_temp.failure(format('SELECT %L::revrtm.%s', left(x.s, n), x.type)) f;
\x
SELECT * FROM pg_temp.failure($$SELECT '{2|1|kept|2}'::revrtm.transitions$$);
SELECT * FROM pg_temp.failure($$SELECT '{1|1|kept|2,t|1|a}'::revrtm.transitions$$);
SELECT * FROM pg_temp.failure($$SELECT '{1|1|kept|2,t|1}'::revrtm.transitions$$);
SELECT * FROM pg_temp.failure($$SELECT '{1|2,1|0|0|a|a}'::revrtm.coalitions$$);
\x

-- What cannot be.
SELECT * FROM pg_temp.states(
    $$SELECT revrtm.transitions_agg('{a}'::text[], -1, 0, 1)$$, $$SELECT revrtm.transitions_agg('{a}'::text[], 0, -1, 1)$$, $$SELECT revrtm.coalitions_agg('{a}'::text[], -1, 0)$$,
    $$SELECT revrtm.transitions_agg('{a,NULL}'::text[], 1, 0, 1)$$, $$SELECT revrtm.coalitions_agg('{{a},{b}}'::text[], 1, 0)$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 'NaN')$$, $$SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 1e30)$$, $$SELECT revrtm.coalitions_agg('{a}'::text[], 1, 0, 1e-19)$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 0, 1, 'NaN')$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 1, 0)$$, $$SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 1, 4)$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 1, o) FROM generate_series(1, 2) o$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 1, 0, 1, 1, o = 1) FROM generate_series(1, 2) o$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 9223372036854775807, 1, 1)$$,
    $$SELECT revrtm.transitions_agg('{a}'::text[], 9223372036854775807, 0, 1) FROM generate_series(1, 2)$$,
    $$SELECT revrtm.coalitions_agg('{a}'::text[], 9223372036854775807, 0) FROM generate_series(1, 2)$$,
    $$SELECT revrtm.markov(revrtm.transitions_agg('{a,b}'::text[], 4611686018427387904, 0, 1))$$,
    $$SELECT revrtm.shapley(revrtm.coalitions_agg(p, 9223372036854775807, 0), 'rate') FROM (VALUES ('{a}'::text[]), ('{b}')) v (p)$$,
    $$SELECT revrtm.rollup(t) FROM value$$,
    $$SELECT revrtm.rollup(t) FROM (VALUES ('{1|1|kept|2}'::revrtm.transitions), ('{1|1|collapsed|2}')) v (t)$$,
    $$SELECT revrtm.shapley('{1|2}', 'chess')$$, $$SELECT revrtm.shapley('{1|2}', repeat('é', 70))$$,
    $$SELECT revrtm.shapley(revrtm.coalitions_agg(ARRAY['c' || i], 1, 0), 'rate') FROM generate_series(1, 21) i$$,
    $$SELECT revrtm.transitions_accum(NULL, '{a}'::text[], 1, 0, 1)$$, $$SELECT revrtm.coalitions_accum(NULL, '{a}'::text[], 1, 0)$$,
    $$SELECT revrtm.transitions_agg(ARRAY[repeat('x', 1025)], 1, 0, 1)$$);
SELECT count(*) AS twenty FROM revrtm.shapley((SELECT revrtm.coalitions_agg(ARRAY['c' || i, 'c' || i % 7], 1, i) FROM generate_series(1, 19) i), 'rate');
\x
SELECT * FROM pg_temp.failure($$SELECT revrtm.shapley(revrtm.coalitions_agg(ARRAY['c' || i], 1, 0), 'rate') FROM generate_series(1, 21) i$$);
SELECT * FROM pg_temp.failure($$SELECT revrtm.rollup(t) FROM value$$);
SELECT * FROM pg_temp.failure($$SELECT * FROM revrtm.fit_attribution('linear')$$);
SELECT * FROM pg_temp.failure($$SELECT * FROM revrtm.fit_attribution('markov', '2026-01-01 00:00+00')$$);
SELECT * FROM pg_temp.failure($$SELECT * FROM revrtm.credit('{a}', 'markov')$$);
\x

-- Much: a path of a million touches, ten thousand channels.
SELECT m.channel, round(m.removal_effect::numeric, 9) AS removal_effect, round(m.conversions::numeric, 9) AS conversions
FROM (SELECT revrtm.transitions_agg(p, 1, 0, 1, o) AS t FROM (SELECT array_agg('c' || i % 3) AS p FROM generate_series(1, 1000000) i) a, generate_series(1, 3, 2) o GROUP BY o) s, revrtm.markov(s.t) m;
SELECT count(*) AS channels, round(sum(conversions)) AS conversions, sum(amount) AS amount
FROM (SELECT revrtm.transitions_agg(ARRAY['c' || i, 'c' || i % 40, 'c' || i * 7 % 10000], 1, i % 3, 1.5) AS t FROM generate_series(1, 10000) i) s, revrtm.markov(s.t) m;
SELECT count(*) AS channels, round(sum(conversions)) AS conversions FROM revrtm.shapley((SELECT revrtm.coalitions_agg(p, 1, 0) FROM (SELECT array_agg('c' || i) AS p FROM generate_series(1, 10000) i) a));

-- A statement timeout stops whatever takes long.
CREATE TABLE big AS
SELECT o AS markov_order, revrtm.transitions_agg(path, 1, i % 4, 1, o) AS t
FROM generate_series(1, 2) o,
     (SELECT i, ARRAY(SELECT 'c' || ('x' || substr(md5(i || '.' || k), 1, 6))::bit(24)::int % CASE WHEN i % 2 = 0 THEN 2500 ELSE 100 END FROM generate_series(1, 6) k) AS path FROM generate_series(1, 60000) i) p
GROUP BY o;
SET statement_timeout = '200ms';
SELECT count(*) FROM big, revrtm.markov(t) WHERE markov_order = 1;
SELECT count(*) FROM big, revrtm.markov(t) WHERE markov_order = 2;
RESET statement_timeout;
DROP TABLE big;

-- Credit by a fit.
INSERT INTO revrtm.attribution_fit VALUES
    ('markov', 'a', 0.5, '2026-01-01 00:00+00', '2026-01-02 00:00+00', 'x'), ('markov', 'b', 0.25, '2026-01-01 00:00+00', '2026-01-02 00:00+00', 'x'), ('markov', 'c', 0, '2026-01-01 00:00+00', '2026-01-02 00:00+00', 'x');
SELECT c.ordinal, c.channel, c.weight, c.amount FROM revrtm.credit('{a,b,a,c,new}', 'markov', 100) c;
SELECT c.ordinal, c.channel, c.weight, c.amount FROM revrtm.credit('{c,new}', 'markov', 100) c;
SELECT c.ordinal, c.channel, c.weight, c.amount FROM revrtm.credit(NULL, 'markov', 100) c;
SELECT k.* FROM (SELECT revrtm.credits_agg(j, 100, '{markov,linear}') AS c FROM (VALUES ('{a,b,a,c,new}'::revrtm.journey), ('{c,new}'), (NULL)) v (j)) s, revrtm.channel_credit(s.c) k;
SELECT touch, revrtm.touch_weight('markov', at, touch) OVER w AS weight, revrtm.touch_credit('markov', 100, at, touch) OVER w AS credit
FROM (VALUES ('a', timestamptz '2026-01-01 00:00+00'), ('b', '2026-01-02 00:00+00'), ('a', '2026-01-03 00:00+00')) v (touch, at) WINDOW w AS (ORDER BY at);
SELECT * FROM pg_temp.failure($$SELECT revrtm.touch_weight('markov', now()) OVER ()$$);
SELECT array_agg(DISTINCT k.model) AS rules_only FROM revrtm.channel_credit((SELECT revrtm.credits_agg('{a}', 1))) k WHERE k.model IN ('linear', 'markov', 'shapley');
SELECT revrtm.shown_models() @> '{markov}' AS shown, revrtm.shown_models() @> '{shapley}' AS not_fitted;
-- Credits under different fits do not add up.
CREATE TABLE stored AS SELECT revrtm.credits_agg('{a,b}', 1, '{markov}') AS c;
SELECT revrtm.rollup(c) IS NOT NULL AS merges FROM (TABLE stored UNION ALL SELECT revrtm.credits_agg('{a,b}', 1, '{markov}')) u;
UPDATE revrtm.attribution_fit SET weight = 0.2501 WHERE channel = 'b';
SELECT * FROM pg_temp.failure($$SELECT revrtm.rollup(c) FROM (TABLE stored UNION ALL SELECT revrtm.credits_agg('{a,b}', 1, '{markov}')) u$$);
-- The owner of the table may make of it what he likes.
SELECT * FROM pg_temp.states($$INSERT INTO revrtm.attribution_fit VALUES ('markov', 'z', -1, now(), now(), '')$$, $$INSERT INTO revrtm.attribution_fit VALUES ('markov', 'z', 'NaN', now(), now(), '')$$);
BEGIN;
ALTER TABLE revrtm.attribution_fit RENAME TO attribution_fit_away;
CREATE TABLE revrtm.attribution_fit (model text, channel bigint, weight numeric);
INSERT INTO revrtm.attribution_fit VALUES ('markov', 1, 0.5), ('markov', 2, 1);
SELECT c.weight FROM revrtm.credit('{1,2}', 'markov') c;
SAVEPOINT s;
INSERT INTO revrtm.attribution_fit VALUES ('markov', 3, 'NaN');
SELECT c.weight FROM revrtm.credit('{1,2}', 'markov') c;
ROLLBACK TO s;
INSERT INTO revrtm.attribution_fit VALUES ('markov', NULL, 1);
SELECT c.weight FROM revrtm.credit('{1,2}', 'markov') c;
ROLLBACK;
DELETE FROM revrtm.attribution_fit;

-- Fits on the store.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL revrtm.as_of = '2026-07-01';
SELECT revrtm.load_demo(300, 3);
SELECT inserted > 200 AS deals FROM revrtm.refresh_journeys();
SELECT model, period, note FROM revrtm.attribution_check WHERE note IS NOT NULL;
SELECT count(*) AS channels, round(sum(weight)::numeric, 12) AS weights, min(as_of) AS as_of FROM revrtm.fit_attribution('markov');
SELECT count(*) AS channels, round(sum(weight)::numeric, 12) AS weights, min(weight) AS least FROM revrtm.fit_attribution('shapley', '2026-01-01 00:00+00');
-- By its parts, over won and lost deals that ended by then.
SELECT count(*) AS differences FROM revrtm.attribution_fit f
FULL JOIN (SELECT m.channel, m.conversions / sum(m.conversions) OVER () AS weight
           FROM (SELECT revrtm.transitions_agg(journey, (is_won)::int, (NOT is_won)::int, amount) AS t
                 FROM revrtm.deal_journey WHERE is_closed AND journey IS NOT NULL AND ended_at <= revrtm.as_of()) s, revrtm.markov(s.t) m) e USING (channel)
WHERE f.model = 'markov' AND abs(f.weight - e.weight) < 1e-12 IS NOT TRUE;
SELECT count(*) AS differences FROM (SELECT * FROM revrtm.attribution_fit WHERE model = 'shapley') f
FULL JOIN (SELECT m.channel, greatest(m.conversions, 0) / sum(greatest(m.conversions, 0)) OVER () AS weight
           FROM (SELECT revrtm.coalitions_agg(journey, (is_won)::int, (NOT is_won)::int) AS c
                 FROM revrtm.deal_journey WHERE is_closed AND journey IS NOT NULL AND ended_at <= '2026-01-01 00:00+00') s, revrtm.shapley(s.c, 'rate') m) e USING (channel)
WHERE abs(f.weight - e.weight) < 1e-12 IS NOT TRUE;
SELECT model, sum(revenue) = (SELECT sum(revenue) FROM revrtm.channel_attribution WHERE model = 'linear') AS all_credited,
       (SELECT count(*) > 0 FROM revrtm.attribution a WHERE a.model = c.model) AS by_touch, (SELECT count(*) > 0 FROM revrtm.route_romi r WHERE r.model = c.model) AS romi
FROM revrtm.channel_attribution c WHERE model IN ('markov', 'shapley') GROUP BY model ORDER BY model;
SELECT count(*) FILTER (WHERE difference <> 0 OR deal_difference <> 0) AS differences, count(note) AS notes FROM revrtm.attribution_check;
UPDATE revrtm.attribution_model SET parameters = '{"order": 2, "collapse": true}' WHERE model = 'markov';
SELECT model, note, count(*) > 1 AS months FROM revrtm.attribution_check WHERE note IS NOT NULL GROUP BY 1, 2;
SELECT count(*) > 0 AS refitted FROM revrtm.fit_attribution('markov');
SELECT count(note) AS notes FROM revrtm.attribution_check;
UPDATE revrtm.attribution_model SET parameters = '{"game": "conversions"}' WHERE model = 'shapley';
SELECT min(weight) > 0 AS all_positive FROM revrtm.fit_attribution('shapley');
SELECT state, message FROM pg_temp.failure($$SELECT * FROM revrtm.fit_attribution('markov', '1999-01-01 00:00+00')$$);
SELECT state, message FROM pg_temp.failure($$SELECT * FROM revrtm.fit_attribution('markov', NULL)$$);
SELECT state, message FROM pg_temp.failure($$SELECT * FROM revrtm.fit_attribution('no such')$$);
SELECT count(*) > 0 AS kept FROM revrtm.attribution_fit WHERE model = 'markov';
ROLLBACK;
DROP TABLE example, value, copied, many, answer, stored CASCADE;
DROP FUNCTION example_markov;
