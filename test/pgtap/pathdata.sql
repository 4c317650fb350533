-- First, last and linear totals over ten thousand real paths, against plain
-- SQL: needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
CREATE TEMP TABLE path (path text, total_conversions bigint, total_conversion_value numeric, total_null bigint);
\set load '\\copy path FROM ''' :data '/pathdata/data.csv'' CSV HEADER'
:load
ALTER TABLE path ADD id int GENERATED ALWAYS AS IDENTITY, ADD channels text[];
UPDATE path SET channels = string_to_array(path, ' > ');
SELECT plan(10);
SELECT is((SELECT count(*) FROM path), 10000::bigint, 'all paths are loaded');

CREATE TEMP TABLE j AS SELECT id, revrtm.journey(channels) AS j, total_conversions AS conversions, total_conversion_value AS value FROM path;
SELECT is_empty('SELECT id FROM j JOIN path USING (id) WHERE revrtm.path(j) <> channels OR revrtm.touch_count(j) <> cardinality(channels)', 'a journey gives its path back');
SELECT is_empty('SELECT id FROM j JOIN path USING (id) WHERE revrtm.channels(j) <> (SELECT array_agg(c ORDER BY first) FROM (SELECT c, min(i) AS first FROM unnest(channels) WITH ORDINALITY u (c, i) GROUP BY c) d)', 'and its channels by first appearance');

-- Plain SQL: each touch and its share.
CREATE TEMP TABLE share AS
SELECT p.id, u.i, u.channel, cardinality(p.channels) AS n, p.total_conversions, p.total_conversion_value, m.model,
       CASE m.model WHEN 'first_touch' THEN (u.i = 1)::int::numeric WHEN 'last_touch' THEN (u.i = cardinality(p.channels))::int ELSE 1::numeric / cardinality(p.channels) END AS share
FROM path p, unnest(p.channels) WITH ORDINALITY u (channel, i), unnest('{first_touch,last_touch,linear}'::text[]) m (model);
CREATE TEMP TABLE expected AS
SELECT model, channel, sum(share * total_conversions) AS conversions, sum(share * total_conversion_value) AS value FROM share GROUP BY model, channel;

-- Conversions: a path stands for as many deals as it converted, so each is aggregated that many times.
CREATE TEMP TABLE converted AS
SELECT k.* FROM (SELECT revrtm.credits_agg(j.j, NULL, '{first_touch,last_touch,linear}') AS c FROM j, generate_series(1, j.conversions)) a, revrtm.channel_credit(a.c) k;
SELECT is_empty('SELECT * FROM converted k FULL JOIN expected e USING (model, channel) WHERE abs(k.conversions - e.conversions) > 1e-9 OR k.model IS NULL OR e.model IS NULL AND k.conversions > 0', 'conversions by channel');
SELECT is_empty('SELECT model FROM converted GROUP BY model HAVING abs(sum(conversions) - (SELECT sum(total_conversions) FROM path)) > 1e-9', 'and in all');

-- Value: a path's total is one amount, split at fourteen decimals or at its own finer scale (the file has up to eighteen).
SELECT ok((SELECT max(scale(total_conversion_value)) FROM path) = 18 AND (SELECT max(total_conversion_value) FROM path) BETWEEN 12452 AND 12453, 'values are fine and large');
CREATE TEMP TABLE valued AS
SELECT k.* FROM (SELECT revrtm.credits_agg(j, value, '{first_touch,last_touch,linear}', 14) AS c FROM j) a, revrtm.channel_credit(a.c) k;
SELECT is_empty($$SELECT * FROM valued k FULL JOIN expected e USING (model, channel) WHERE model <> 'linear' AND k.amount IS DISTINCT FROM e.value$$, 'first and last value by channel, to the last decimal');
SELECT is_empty($$SELECT * FROM valued k FULL JOIN expected e USING (model, channel) WHERE abs(k.amount - e.value) > 1e-9 OR k.model IS NULL$$, 'linear value by channel');
-- exact for linear too: whole units, what is left over to the first touches
SELECT is_empty($$
    SELECT * FROM (SELECT channel, amount FROM valued WHERE model = 'linear') k FULL JOIN (
        SELECT channel, sum((div(total_conversion_value * unit, n) + (i <= mod(total_conversion_value * unit, n))::int) * (1 / unit)::numeric(38, 18)) AS amount
        FROM (SELECT *, 10::numeric ^ greatest(14, min_scale(total_conversion_value)) AS unit FROM share WHERE model = 'linear') s
        GROUP BY channel) e USING (channel)
    WHERE k.amount IS DISTINCT FROM e.amount$$, 'to the last decimal by largest remainder');
SELECT is_empty('SELECT model FROM valued GROUP BY model HAVING sum(amount) <> (SELECT sum(total_conversion_value) FROM path)', 'and in all, exactly');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
