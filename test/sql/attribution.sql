-- Attribution: every model against its definition, exact money, aggregates, windows, bad input.
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
    SELECT left(s, 100), f.state, left(f.message, 100) FROM unnest(statements) WITH ORDINALITY u (s, i), pg_temp.failure(s) f ORDER BY i
$$;

-- Journeys of touches a week apart; the last two a month apart.
CREATE TABLE step (deal text, i int, at timestamptz, channel text, milestone text, PRIMARY KEY (deal, i));
INSERT INTO step
SELECT d.deal, c.i, timestamptz '2026-01-01 00:00:00+00' + (c.i - 1) * d.apart::interval, split_part(c.touch, '|', 1),
       nullif(substr(c.touch, 1 + length(split_part(c.touch, '|', 1)) + 1), '')
FROM (VALUES ('one', '7 days', 'a'),
             ('one, all', '7 days', 'a|LC|OC|CW'),
             ('two', '7 days', 'a,direct'),
             ('two, all', '7 days', 'a|LC,b|OC|CW'),
             ('three', '7 days', 'a,b,a'),
             ('three, all', '7 days', 'a,b|LC|OC,direct|CW'),
             ('five', '7 days', 'a,b,a,c,direct'),
             ('five, own', '7 days', 'a,b|LC,c|OC,d,e|CW'),
             ('five, middles', '7 days', 'a,b,c|LC,d,e|OC'),
             ('five, same', '7 days', 'a,b,c|LC|OC,d,e'),
             ('five, missing', '7 days', 'a,b,c|OC,d,e'),
             ('five, twice', '7 days', 'a,b|LC,c|LC,d|OC,e'),
             ('direct', '7 days', 'direct,direct'),
             ('month, two', '30 days', 'a,b'),
             ('month, three', '30 days', 'a,b,a')) d (deal, apart, touches),
     unnest(string_to_array(d.touches, ',')) WITH ORDINALITY c (touch, i);
CREATE TABLE j AS SELECT deal, revrtm.journey_agg(at, channel, milestone) AS j FROM step GROUP BY deal;

-- What each touch earns, in parts of the deal: the definitions, by hand.
CREATE TABLE expected (model text, deal text, parts int[], PRIMARY KEY (model, deal));
INSERT INTO expected
SELECT m.model, d, '{1}' FROM revrtm.attribution_model m, unnest('{one,"one, all"}'::text[]) d WHERE m.shipped AND m.kind NOT IN ('markov', 'shapley');
INSERT INTO expected VALUES
('first_touch', 'two', '{1,0}'), ('first_touch', 'three', '{1,0,0}'), ('first_touch', 'five', '{1,0,0,0,0}'),
('last_touch', 'two', '{0,1}'), ('last_touch', 'three', '{0,0,1}'), ('last_touch', 'five', '{0,0,0,0,1}'),
('last_non_direct', 'two', '{1,0}'), ('last_non_direct', 'three', '{0,0,1}'), ('last_non_direct', 'five', '{0,0,0,1,0}'),
('last_non_direct', 'three, all', '{0,1,0}'), ('last_non_direct', 'direct', '{0,1}'),
('linear', 'two', '{1,1}'), ('linear', 'three', '{1,1,1}'), ('linear', 'five', '{1,1,1,1,1}'),
('linear_unique', 'two', '{1,1}'), ('linear_unique', 'three', '{1,1,0}'), ('linear_unique', 'five', '{1,1,0,1,1}'), ('linear_unique', 'direct', '{1,0}'),
-- 40 / 20 / 40, first and last; two touches halve
('u_shaped', 'two', '{1,1}'), ('u_shaped', 'three', '{4,2,4}'), ('u_shaped', 'five', '{6,1,1,1,6}'), ('u_shaped', 'five, own', '{6,1,1,1,6}'),
-- 20 / 20 / 60 and its inverse; two touches 25 / 75
('j_shaped', 'two', '{25,75}'), ('j_shaped', 'three', '{20,20,60}'), ('j_shaped', 'five', '{3,1,1,1,9}'),
('inverse_j', 'two', '{75,25}'), ('inverse_j', 'three', '{60,20,20}'), ('inverse_j', 'five', '{9,1,1,1,3}'),
-- 40 / 20 / 40, first and lead; nothing after the lead; without a lead all to the first
('u_lead', 'two', '{1,0}'), ('u_lead', 'three', '{1,0,0}'), ('u_lead', 'five', '{1,0,0,0,0}'),
('u_lead', 'two, all', '{1,0}'), ('u_lead', 'three, all', '{1,1,0}'), ('u_lead', 'five, own', '{1,1,0,0,0}'),
('u_lead', 'five, middles', '{40,20,40,0,0}'), ('u_lead', 'five, same', '{40,20,40,0,0}'), ('u_lead', 'five, missing', '{1,0,0,0,0}'),
('u_lead', 'five, twice', '{40,20,40,0,0}'),
-- 50 / 50, first and lead
('u_marketo', 'two', '{1,0}'), ('u_marketo', 'three', '{1,0,0}'), ('u_marketo', 'five', '{1,0,0,0,0}'),
('u_marketo', 'two, all', '{1,0}'), ('u_marketo', 'three, all', '{1,1,0}'), ('u_marketo', 'five, own', '{1,1,0,0,0}'),
('u_marketo', 'five, middles', '{1,0,1,0,0}'), ('u_marketo', 'five, same', '{1,0,1,0,0}'), ('u_marketo', 'five, missing', '{1,0,0,0,0}'),
-- 30 x 3 + 10; one touch with two milestones has their sum, 30 / 10 / 60, without a middle 1/3 to 2/3
('w_shaped', 'two', '{1,0}'), ('w_shaped', 'three', '{1,0,0}'), ('w_shaped', 'five', '{1,0,0,0,0}'),
('w_shaped', 'two, all', '{2,1}'), ('w_shaped', 'three, all', '{1,2,0}'), ('w_shaped', 'five, own', '{1,1,1,0,0}'),
('w_shaped', 'five, middles', '{30,5,30,5,30}'), ('w_shaped', 'five, same', '{30,10,60,0,0}'), ('w_shaped', 'five, missing', '{30,10,30,0,0}'),
('w_shaped', 'five, twice', '{30,10,30,30,0}'),
-- 22.5 x 4 + 10
('full_path', 'two', '{1,0}'), ('full_path', 'three', '{1,0,0}'), ('full_path', 'five', '{1,0,0,0,0}'),
('full_path', 'two, all', '{1,1}'), ('full_path', 'three, all', '{1,2,1}'), ('full_path', 'five, own', '{225,225,225,100,225}'),
('full_path', 'five, middles', '{225,50,225,50,225}'), ('full_path', 'five, same', '{225,100,450,0,0}'), ('full_path', 'five, missing', '{225,100,225,0,0}'),
('full_path', 'five, twice', '{225,100,225,225,0}'),
-- half for each half life
('time_decay', 'two', '{1,2}'), ('time_decay', 'three', '{1,2,4}'), ('time_decay', 'five', '{1,2,4,8,16}'), ('time_decay', 'five, same', '{1,2,4,8,16}'),
('time_decay_30d', 'month, two', '{1,2}'), ('time_decay_30d', 'month, three', '{1,2,4}');
SELECT m.model AS not_expected_of_every_length FROM revrtm.attribution_model m LEFT JOIN expected e USING (model)
WHERE m.shipped AND m.kind NOT IN ('markov', 'shapley') AND m.model <> 'time_decay_30d' GROUP BY m.model
HAVING NOT array_agg(DISTINCT cardinality(e.parts)) @> '{1,2,3,5}';

CREATE VIEW expectation AS
SELECT e.model, e.deal, s.i, s.at, s.channel, s.milestone, e.parts[s.i]::numeric AS part, t.total::numeric AS total
FROM expected e JOIN step s USING (deal), LATERAL (SELECT sum(p) AS total FROM unnest(e.parts) p) t;

-- credit(): the deal's amount is the sum of the parts, so that each part comes out whole.
SELECT count(*) AS touches, count(*) FILTER (WHERE c.amount = x.part AND c.channel = x.channel AND c.touched_at = x.at
                                             AND abs(c.weight - x.part / x.total) < 1e-15) AS as_expected
FROM expectation x JOIN j USING (deal), LATERAL revrtm.credit(j.j, x.model, x.total) c WHERE c.ordinal = x.i;
SELECT x.model, x.deal, x.i, x.part, c.amount, c.weight
FROM expectation x JOIN j USING (deal), LATERAL revrtm.credit(j.j, x.model, x.total) c
WHERE c.ordinal = x.i AND (c.amount, c.channel, c.touched_at) IS DISTINCT FROM (x.part, x.channel, x.at);
-- the window functions over the same touches
SELECT count(*) AS touches, count(*) FILTER (WHERE w.credit = w.part) AS as_expected,
       count(*) FILTER (WHERE w.weight = (SELECT c.weight FROM j, revrtm.credit(j.j, w.model) c WHERE j.deal = w.deal AND c.ordinal = w.i)) AS same_weight
FROM (SELECT x.*, revrtm.touch_credit(x.model, x.total, x.at, x.channel, x.milestone) OVER deal AS credit,
             revrtm.touch_weight(x.model, x.at, x.channel, x.milestone) OVER deal AS weight
      FROM expectation x WINDOW deal AS (PARTITION BY x.model, x.deal ORDER BY x.at, x.i)) w;
-- and the aggregate, by channel
SELECT count(*) AS channels, count(*) FILTER (WHERE k.amount = x.part AND abs(k.conversions - x.weight) < 1e-15) AS as_expected
FROM (SELECT model, deal, channel, sum(part) AS part, sum(part / total) AS weight, min(total) AS total
      FROM expectation GROUP BY model, deal, channel) x
     CROSS JOIN LATERAL (SELECT revrtm.credits_agg(d.j, x.total, ARRAY[x.model]) AS c FROM j d WHERE d.deal = x.deal) a
     CROSS JOIN LATERAL revrtm.channel_credit(a.c) k
WHERE k.channel = x.channel;
-- A month with a half life of a week, by the formula.
SELECT c.ordinal, abs(c.weight - f.weight) < 1e-15 AS as_expected
FROM j, revrtm.credit(j.j, 'time_decay') c,
     LATERAL (SELECT 2 ^ (-30.0 * (3 - c.ordinal) / 7) / (1 + 2 ^ (-30.0 / 7) + 2 ^ (-60.0 / 7)) AS weight) f
WHERE j.deal = 'month, three' ORDER BY 1;

-- No touches: one row, nothing disappears.
SELECT j, m.model, c.* FROM unnest('{NULL,"{}"}'::revrtm.journey[]) j, unnest('{first_touch,w_shaped,time_decay,linear_unique}'::text[]) m (model),
     revrtm.credit(j, m.model, 10.01) c ORDER BY j::text, m.model;
SELECT * FROM revrtm.credit(NULL, 'linear');
-- Untimed: time decay weighs equally, and there are no instants.
SELECT c.* FROM unnest('{time_decay,u_shaped,full_path}'::text[]) m, revrtm.credit('{a,b|LC,c|CW}', m, 10) c;
-- Touches of one instant share equally under time decay; the cent goes to the first.
SELECT * FROM revrtm.credit('{b@2026-01-01T00:00:00Z,a@2026-01-01T00:00:00Z,c@2026-01-01T00:00:00Z}', 'time_decay', 100);

-- Money: to the unit, mirrored for refunds, at any scale and size; NULL is none.
SELECT a.amount, a.scale, array_agg(c.amount ORDER BY c.ordinal) AS parts, sum(c.amount) = a.amount AS exact
FROM (VALUES (100, 2), (-100, 2), (0, 2), (0.01, 2), (-0.05, 2), (100, 0), (100, 3), (1, 18), (0.005, 2), (100.12345, 2), (1e-25, 2), (1e25, 2),
             (92233720368547758.07, 2), (92233720368547758.08, 2), (-92233720368547758.09, 2), (9223372036854775807, 0), (1e130, 0), (NULL, 2), (7, NULL)) a (amount, scale),
     revrtm.credit('{a,b,c}', 'linear', a.amount, a.scale) c
GROUP BY a.amount, a.scale ORDER BY a.scale, abs(a.amount), a.amount;
SELECT w, s.amount, revrtm.split_amount(s.amount, w) AS parts, revrtm.split_amount(-s.amount, w) = (SELECT array_agg(-p ORDER BY o) FROM unnest(revrtm.split_amount(s.amount, w)) WITH ORDINALITY u (p, o)) AS mirrored
FROM (VALUES ('{1,1,1}'::float8[]), ('{0.1,0.2,0.3}'), ('{0,0,0}'), ('{NULL,1}'), ('{NULL,NULL}'), ('{1e308,1e308,1e-308}'), ('{5e-324,5e-324}'), ('{-0,1}'), ('{1}'), ('{22.5,22.5,22.5,22.5,10}')) w (w),
     (VALUES (100.00), (0.05)) s (amount);
SELECT revrtm.split_amount(NULL, '{1}'), revrtm.split_amount(1, NULL), revrtm.split_amount(1, '{1,2}', NULL),
       revrtm.split_amount(1, '[5:6]={1,1}'), revrtm.split_amount(10, '{1,1,1}', 0), revrtm.split_amount(1e-30, '{1,1}');

SELECT * FROM pg_temp.states(
    $$SELECT revrtm.split_amount(1, '{}')$$,
    $$SELECT revrtm.split_amount(1, '{{1,2}}')$$,
    $$SELECT revrtm.split_amount(1, '{1,NaN}')$$,
    $$SELECT revrtm.split_amount(1, '{1,-1}')$$,
    $$SELECT revrtm.split_amount(1, '{1,Infinity}')$$,
    $$SELECT revrtm.split_amount('NaN', '{1}')$$,
    $$SELECT revrtm.split_amount('-Infinity', '{1}')$$,
    $$SELECT revrtm.split_amount(1, '{1}', -1)$$,
    $$SELECT revrtm.split_amount(1, '{1}', 19)$$,
    $$SELECT revrtm.credit('{a}', 'no such model')$$,
    $$SELECT revrtm.credit('{a}', '')$$,
    $$SELECT revrtm.credit('{a}', repeat('é', 50000))$$,
    $$SELECT revrtm.credit('{a}', NULL)$$,
    $$SELECT revrtm.credit('{a}', 'linear', 'NaN')$$,
    $$SELECT revrtm.credit('{a}', 'linear', 'Infinity')$$,
    $$SELECT revrtm.credit('{a}', 'linear', 1, 19)$$,
    $$SELECT revrtm.credit('{a}', 'linear', NULL, -1)$$,
    $$SELECT revrtm.credits_agg('{a}', 1, '{no such model}')$$,
    $$SELECT revrtm.credits_agg('{a}', 1, '{}')$$,
    $$SELECT revrtm.credits_agg('{a}', 1, '{NULL}')$$,
    $$SELECT revrtm.credits_agg('{a}', 1, '{{linear,linear},{linear,linear}}')$$,
    $$SELECT revrtm.credits_agg('{a}', 'NaN')$$,
    $$SELECT revrtm.credits_agg('{a}', '-Infinity')$$,
    $$SELECT revrtm.credits_agg('{a}', 92233720368547758.08)$$,
    $$SELECT revrtm.credits_agg('{a}', 1e-19)$$,
    $$SELECT revrtm.credits_agg('{a}', 1, '{linear}', 19)$$,
    $$SELECT revrtm.credits_agg('{a}', 92233720368547758.07, '{linear}') FROM generate_series(1, 1000)$$,
    $$SELECT revrtm.credits_agg('{a}', a, '{linear}', 0) FROM unnest(array_fill(9223372036854775807::numeric, '{20}') || 1e-18) a$$,
    $$SELECT revrtm.credits_accum(NULL, '{a}', 1)$$,
    $$SELECT revrtm.credits_accum(revrtm.credits_agg('{a}', 1), '{a}', 1)$$);
\x
SELECT * FROM pg_temp.failure($$SELECT revrtm.credit('{a}', 'uu_shaped')$$);
SELECT * FROM pg_temp.failure($$SELECT revrtm.credits_agg('{a}', 1e20)$$);
\x

-- Credits: merging, and what must not be merged.
CREATE TABLE part (name text, c revrtm.credits);
INSERT INTO part SELECT 'all', revrtm.credits_agg(j, 100 + length(deal)) FROM j
UNION ALL SELECT 'left', revrtm.credits_agg(j, 100 + length(deal)) FROM j WHERE deal < 'f'
UNION ALL SELECT 'right', revrtm.credits_agg(j, 100 + length(deal)) FROM j WHERE deal >= 'f'
UNION ALL SELECT 'none', revrtm.credits_agg(j, 100) FROM j WHERE false;
SELECT (SELECT c::text FROM part WHERE name = 'all') = revrtm.rollup(c)::text AS same FROM part WHERE name IN ('left', 'right', 'none');
SELECT (SELECT c::text FROM part WHERE name = 'all') = revrtm.credits_combine(l.c, r.c)::text AS as_function, l.c::text = (SELECT c::text FROM part WHERE name = 'left') AS untouched
FROM part l, part r WHERE l.name = 'left' AND r.name = 'right';
SELECT name, c IS NULL AS is_null, c::text::revrtm.credits::text = c::text AS same FROM part ORDER BY name;
SELECT revrtm.credits_agg(NULL, 5, '{linear,first_touch}') AS one_null, revrtm.credits_agg('{a}', NULL, '{linear}') AS no_amount;
SELECT * FROM revrtm.channel_credit((SELECT revrtm.credits_agg(NULL, 5, '{linear,first_touch}')));
SELECT revrtm.rollup(NULL::revrtm.credits) AS of_null, revrtm.credits_combine(NULL, NULL) AS nothing, (SELECT count(*) FROM revrtm.channel_credit(NULL)) AS of_nothing;
SELECT revrtm.credits_agg('{a,b,c}', a, '{linear}') AS finest_scale FROM unnest('{10,0.005,-3,0}'::numeric[]) a;
SELECT revrtm.credits_agg('{a,b,c}', a, '{linear}', 0) AS yen FROM unnest('{10,10}'::numeric[]) a;
SELECT k.channel, k.amount, k.conversions FROM (SELECT revrtm.credits_agg('{a,b,c}', 1000000000000000, '{linear}') FROM generate_series(1, 1000)) c (c), revrtm.channel_credit(c.c) k;
\copy part TO 'results/credits.bin' (FORMAT binary)
CREATE TABLE part_back (LIKE part);
\copy part_back FROM 'results/credits.bin' (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE b.c::text IS NOT DISTINCT FROM p.c::text) AS same FROM part p JOIN part_back b USING (name);
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'America/Sao_Paulo';
SET extra_float_digits = -5;
SELECT revrtm.credits_agg(j, 100 + length(deal))::text = (SELECT c::text FROM part WHERE name = 'all') AS same FROM j;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
RESET extra_float_digits;
-- running, as a window: each row has its own value
SELECT deal, k.amount FROM (SELECT deal, revrtm.credits_agg('{x}', 1, '{linear}') OVER (ORDER BY deal) AS c FROM j) w, revrtm.channel_credit(w.c) k ORDER BY deal LIMIT 4;

SELECT * FROM pg_temp.states(
    $$SELECT revrtm.rollup(c) FROM (SELECT revrtm.credits_agg('{a}', 1, '{linear}') UNION ALL SELECT revrtm.credits_agg('{a}', 1, '{first_touch}')) u (c)$$,
    $$SELECT revrtm.rollup(c) FROM (SELECT revrtm.credits_agg('{a}', 1, '{linear}') UNION ALL SELECT revrtm.credits_agg('{a}', 1, '{linear,first_touch}')) u (c)$$,
    $$SELECT revrtm.credits_combine('{2,m|0000000000000001}', '{2,m|0000000000000002}')$$,
    $$SELECT revrtm.credits_combine('{2,m|0000000000000001,a|1|5|170141183460469231731687303715884105727}', '{2,m|0000000000000001,a|1|5|1}')$$,
    $$SELECT revrtm.credits_combine('{0,m|0000000000000001,a|1|5|170141183460469231731687303715884105727}', '{1,m|0000000000000001,a|1|5|1}')$$,
    $$SELECT '{2,m|0000000000000001,a|1|5|170141183460469231731687303715884105728}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|1|-5|1}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|2|5|1}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|0|5|1}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|1|5}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|1|5|1|1}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|1|5|}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|1|5|x}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001@x}'::revrtm.credits$$,
    $$SELECT '{2,m|000000000000000g}'::revrtm.credits$$,
    $$SELECT '{2,m|1}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,m|0000000000000001}'::revrtm.credits$$,
    $$SELECT '{2,m|0000000000000001,a|0000000000000001}'::revrtm.credits$$,
    $$SELECT '{2}'::revrtm.credits$$,
    $$SELECT '{19,m|0000000000000001}'::revrtm.credits$$,
    $$SELECT '{-1,m|0000000000000001}'::revrtm.credits$$,
    $$SELECT '{}'::revrtm.credits$$,
    $$SELECT ''::revrtm.credits$$,
    $$SELECT '{2,NULL}'::revrtm.credits$$,
    $$SELECT ('{2,m|0000000000000001,' || repeat('x', 2000) || '|1|1|1}')::revrtm.credits$$);

-- Window functions: where they stand, and what they refuse.
SELECT revrtm.touch_weight('linear', now());
SELECT revrtm.touch_credit('linear', 1, now());
SELECT * FROM pg_temp.states(
    $$SELECT revrtm.touch_weight('last_non_direct', at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('linear_unique', at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('linear', at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('linear', at) OVER (ORDER BY at DESC) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('no such model', at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight(NULL, at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight(CASE i WHEN 3 THEN 'linear' ELSE 'u_shaped' END, at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('linear', 'infinity') OVER () FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('linear', at, channel, 'SQL') OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_weight('linear', at, repeat('x', 1025)) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_credit('linear', i, at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_credit('linear', nullif(i, 5) * 0, at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_credit('linear', 'NaN', at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_credit('linear', 1, at, scale => 19) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$,
    $$SELECT revrtm.touch_credit('linear', 1e30, at) OVER (ORDER BY at) FROM step WHERE deal = 'five'$$);
-- A touch without an instant earns nothing; the amount may be written in different scales.
SELECT i, revrtm.touch_weight('linear', at) OVER w AS weight, revrtm.touch_credit('linear', CASE i WHEN 2 THEN 10.00 ELSE 10 END, at) OVER w AS credit,
       revrtm.touch_credit('linear', NULL, at) OVER w AS of_null, revrtm.touch_credit('linear', 10, at, scale => NULL) OVER w AS no_scale
FROM (SELECT i, CASE i WHEN 4 THEN NULL ELSE at END AS at FROM step WHERE deal = 'five') s WINDOW w AS (ORDER BY at NULLS FIRST) ORDER BY i;
SELECT revrtm.touch_weight('linear', at) OVER () AS nothing FROM (VALUES (NULL::timestamptz)) v (at);

-- Models: rows that are refused.
SELECT * FROM pg_temp.states(
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": 0.4, "last": 0.4}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": 0.6, "last": 0.6, "middle": -0.2}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": 1.5}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": "1"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": [1]}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": null}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": 0.3333333333, "last": 0.6666666667}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": 1e400}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"FT": 1}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '[1]')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '1')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{"half_life": "0"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{"half_life": "-7 days"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{"half_life": 7}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{"half_life": "a week"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{"half_life": "178000000 years"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'time_decay', '{"half_life": "7 days", "by": "rank"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'last_non_direct', '{"direct": "direct"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'last_non_direct', '{"direct": {"a": 1}}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'last_non_direct', '{"direct": [1]}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'last_non_direct', '{"direct": [["a"]]}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'linear', '{"half_life": "7 days"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'magic', '{}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'shapley', '{"game": "chess"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'shapley', '{"game": 1}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'shapley', '{"order": 1}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"order": 0}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"order": 4}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"order": 1.5}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"order": 1e400}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"order": "2"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"collapse": 1}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'markov', '{"game": "rate"}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('', 'linear', '{}')$$,
    $$INSERT INTO revrtm.attribution_model VALUES ('x', 'linear', NULL)$$);
\x
SELECT * FROM pg_temp.failure($$INSERT INTO revrtm.attribution_model VALUES ('x', 'position', '{"first": 0.4, "last": 0.4}')$$);
\x
-- A row of one's own; an edit clears shipped, an insert takes the shipped row's place.
BEGIN;
INSERT INTO revrtm.attribution_model VALUES
('ours', 'position', '{"first": 0.333333333, "LC": 0.333333333, "last": 0.333333334}'),
('no direct', 'last_non_direct', '{}'),
('only the lead', 'position', '{"LC": 1}'),
('minutes', 'time_decay', '{"half_life": "1 mon 1 day 01:00:00"}');
SELECT m, array_agg(c.amount ORDER BY c.ordinal) FROM unnest('{ours,no direct,only the lead}'::text[]) m, revrtm.credit('{a,b|LC,direct}', m, 1000000000, 0) c GROUP BY m ORDER BY m;
-- without the lead nobody holds a share: all alike
SELECT array_agg(c.amount ORDER BY c.ordinal) FROM revrtm.credit('{a,b}', 'only the lead', 1) c;
SELECT abs(c.weight - 1 / 3.0) < 1e-15 AS one_half_life FROM revrtm.credit('{a@2026-01-01T00:00:00Z,b@2026-02-01T01:00:00Z}', 'minutes') c WHERE ordinal = 1;
CREATE TEMP TABLE before AS SELECT revrtm.credits_agg('{a,b}', 1, '{j_shaped}') AS c;
UPDATE revrtm.attribution_model SET parameters = '{"first": 0.3, "middle": 0.1, "last": 0.6}' WHERE model = 'j_shaped';
SELECT model, shipped FROM revrtm.attribution_model WHERE model IN ('j_shaped', 'ours', 'linear') ORDER BY model;
SELECT array_agg(c.amount ORDER BY c.ordinal) AS as_edited FROM revrtm.credit('{a,b}', 'j_shaped', 9) c;
INSERT INTO revrtm.attribution_model VALUES ('linear', 'first');
SELECT kind, shipped FROM revrtm.attribution_model WHERE model = 'linear';
SAVEPOINT s;
INSERT INTO revrtm.attribution_model VALUES ('linear', 'first');
ROLLBACK TO s;
SELECT revrtm.rollup(c) FROM (TABLE before UNION ALL SELECT revrtm.credits_agg('{a,b}', 1, '{j_shaped}')) u;
ROLLBACK TO s;
UPDATE revrtm.attribution_model SET enabled = model = 'ours';
SELECT array_agg(DISTINCT k.model) AS enabled FROM revrtm.channel_credit((SELECT revrtm.credits_agg('{a}', 1))) k;
SELECT count(*) AS named_all_the_same FROM revrtm.channel_credit((SELECT revrtm.credits_agg('{a}', 1, '{j_shaped}')));
UPDATE revrtm.attribution_model SET enabled = false;
SELECT revrtm.credits_agg('{a}', 1);
ROLLBACK;

-- In parallel: partial states, and the same bits.
CREATE TABLE deals AS
SELECT i, revrtm.journey((SELECT array_agg('channel ' || (i * 31 + k * k) % 97) FROM generate_series(1, 1 + i % 9) k)) AS j, ((i * 7919) % 1000003 - 500000) / 100.0 AS amount
FROM generate_series(1, 20000) i;
ALTER TABLE deals SET (parallel_workers = 2);
ANALYZE deals;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
SET jit = off;
EXPLAIN (COSTS OFF) SELECT revrtm.credits_agg(j, amount) FROM deals;
CREATE TABLE answer AS SELECT 'parallel' AS how, -1 AS g, revrtm.credits_agg(j, amount) AS c FROM deals;
CREATE TABLE answer_by_group AS SELECT 'parallel' AS how, i % 3 AS g, revrtm.credits_agg(j, amount) AS c FROM deals GROUP BY i % 3;
INSERT INTO answer TABLE answer_by_group;
SET max_parallel_workers_per_gather = 0;
INSERT INTO answer SELECT 'serial', -1, revrtm.credits_agg(j, amount ORDER BY i DESC) FROM deals;
INSERT INTO answer SELECT 'serial', i % 3, revrtm.credits_agg(j, amount) FROM deals GROUP BY 2;
SELECT g, count(*), count(DISTINCT c::text) FROM answer GROUP BY g ORDER BY g;
SELECT p.c::text = (SELECT revrtm.rollup(c)::text FROM answer WHERE how = 'parallel' AND g >= 0) AS groups_make_the_whole FROM answer p WHERE p.g = -1 AND p.how = 'serial';
SELECT k.model, sum(k.amount) = (SELECT sum(amount) FROM deals) AS exact FROM answer a, revrtm.channel_credit(a.c) k WHERE a.how = 'serial' AND a.g = -1 GROUP BY k.model ORDER BY k.model;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET max_parallel_workers_per_gather;
RESET jit;

DROP VIEW expectation;
DROP TABLE step, j, expected, part, part_back, deals, answer, answer_by_group;
